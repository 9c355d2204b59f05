/* SPDX-License-Identifier: Apache-2.0 */
/* Sensor - what the sensors of the benches measure: numbers with two decimals that drift slowly under noise
 * of a third of a unit. What sensor i says at tick k depends on nothing else, so anybody can check what
 * became of it, and peers get the same.
 */
#pragma once

#include <stdint.h>

#include "proto/clock.h"

static inline uint64_t sensor_mix(uint64_t x)
{
	x = (x ^ x >> 31) * 0x9e3779b97f4a7c15u;
	x = (x ^ x >> 29) * 0xbf58476d1ce4e5b9u;
	return x ^ x >> 32;
}

/* In hundredths: 10.00 .. 103.00 */
static inline int32_t sensor_hundredths(uint64_t sensor, uint64_t tick)
{
	const uint64_t base = sensor_mix(sensor + 1) % 9000, phase = (tick + sensor * 37) & 511;
	const uint64_t drift = phase < 256 ? phase : 511 - phase;
	const uint64_t noise = sensor_mix(sensor << 24 ^ tick) & 31;

	return (int32_t)(1000 + base + drift + noise);
}

static inline double sensor_value(uint64_t sensor, uint64_t tick)
{
	return sensor_hundredths(sensor, tick) / 100.0;
}

/* When the poll number `poll` of a tick takes place: a gateway is never quite on time. Whole milliseconds,
 * less than 50 behind the tick. */
static inline int64_t sensor_late_ns(uint64_t poll, uint64_t tick)
{
	return (int64_t)(sensor_mix(poll << 32 ^ tick) % 50) * NS_PER_MS;
}
