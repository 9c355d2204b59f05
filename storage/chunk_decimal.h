/* SPDX-License-Identifier: Apache-2.0 */
/* Decimals of a chunk - doubles that a person or a device wrote with a few decimals, as whole numbers:
 * v = k / 10^e to the bit, or v = that rounded to a float first, for devices that measure in floats.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { DECIMALS_MAX = 17 };

struct decimal {
	uint8_t digits; /* e */
	bool single;    /* by way of a float */
};

/* What fits most of them by a look at some. False: few of them are decimals at all. */
bool decimal_find(const uint64_t *bits, size_t n, struct decimal *ret);

/* All of them as whole numbers; what is none takes the number before it and its place goes to ret_odd (room
 * for n). Returns how many are odd. */
size_t decimal_from_doubles(const struct decimal *d, const uint64_t *bits, size_t n, uint64_t *ret,
			    uint16_t *ret_odd);

/* The other way, in place; total: any number gives some double. */
void decimal_to_doubles(const struct decimal *d, uint64_t *v, size_t n);
