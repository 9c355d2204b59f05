/* SPDX-License-Identifier: Apache-2.0 */
/* Peer - servers that do the same work beside Holon, started by the bench in a directory of their own in
 * opt->place and ended by it. What is not installed gives NaN (bench_figure() says absent); so does what
 * fails, after saying so.
 */
#pragma once

#include "tests/bench/bench.h"

/* Redis on a Unix socket, driven by redis-benchmark for about `seconds`; requests a second. */
enum redis_work {
	REDIS_SET_PIPELINED, /* AOF appendfsync always, pipelines of 128: durable when acknowledged */
	REDIS_SET_SINGLE,    /* the same one by one, 50 clients */
	REDIS_GET_PIPELINED, /* of n_keys that are there, pipelines of 128 */
};
#define REDIS_PEER "redis"
double peer_redis(const struct bench_options *opt, enum redis_work work, size_t n_keys, double seconds);

/* VictoriaMetrics, given what `n_sensors` sensors (tests/bench/sensor.h) say at ticks 1 to n_ticks, in the
 * form that suits it best: JSON lines of one series each, made beforehand, over two connections; the series
 * are known to it already. Samples a second; not durable when acknowledged. */
#define VICTORIA_PEER "victoria-metrics"
double peer_victoria(const struct bench_options *opt, size_t n_sensors, size_t n_ticks);

/* PostgreSQL's recursive query over a tree in which twin i is below (i - 1) / fan_out: milliseconds, the
 * median of `runs`. NaN also where the bench was built without libpq. */
#define POSTGRES_PEER "postgresql"
double peer_postgres(const struct bench_options *opt, size_t n_twins, size_t fan_out, int runs);

/* Bytes that zstd makes of these at level 19, in one frame. NaN where the bench was built without libzstd. */
#define ZSTD_PEER "zstd -19"
double peer_zstd_bytes(const void *data, size_t len);
