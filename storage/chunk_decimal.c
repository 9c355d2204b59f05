/* SPDX-License-Identifier: Apache-2.0 */
#include "storage/chunk_decimal.h"

#include <math.h>

#include "storage/record.h"

/* All of them exact, as is every whole number below 2^51: so k / 10^e is rounded once, and a decimal of up to
 * 15 digits always comes back. */
static const double power_of_ten[DECIMALS_MAX + 1] = {1e0, 1e1,  1e2,  1e3,  1e4,  1e5,  1e6,  1e7,  1e8,
						      1e9, 1e10, 1e11, 1e12, 1e13, 1e14, 1e15, 1e16, 1e17};

static const double limit = 0x1p51;

static double scaled(const struct decimal *d, double k)
{
	const double v = k / power_of_ten[d->digits];

	return d->single ? (double)(float)v : v;
}

/* Adding 1.5 x 2^52 leaves the whole number in the low bits: no conversion, so loops over it vectorise. */
static const double magic = 0x1.8p52;

static bool is_decimal(const struct decimal *d, uint64_t bits, int64_t *ret)
{
	const double v = bits_double(bits), wide = v * power_of_ten[d->digits];

	if (!(fabs(wide) < limit))
		return false;
	const double k = (wide + magic) - magic;
	*ret = (int64_t)k;
	return double_bits(scaled(d, k)) == bits; /* not so for -0.0 */
}

/* The least digits with which v is a decimal; DECIMALS_MAX + 1: none. */
static unsigned digits_needed(uint64_t bits, bool single)
{
	int64_t k;

	for (unsigned e = 0; e <= DECIMALS_MAX; e++)
		if (is_decimal(&(struct decimal){(uint8_t)e, single}, bits, &k))
			return e;
	return DECIMALS_MAX + 1;
}

/* Bits that digits cost: log2(10) for each sample, and so many for each that is none. */
static double cost_of(const size_t *count, unsigned digits, size_t n)
{
	const double of_digit = 3.32, of_odd = 80;
	size_t odd = 0;

	for (unsigned e = digits + 1; e <= DECIMALS_MAX + 1; e++)
		odd += count[e];
	return of_digit * digits * (double)n + of_odd * (double)odd;
}

/* Returns the cost. */
static double find_digits(const uint64_t *bits, size_t n, bool single, struct decimal *ret)
{
	enum { LOOK_AT = 64 };
	size_t count[DECIMALS_MAX + 2] = {0};
	double least = INFINITY;
	const size_t every = n > LOOK_AT ? n / LOOK_AT : 1;

	size_t looked = 0;
	for (size_t i = 0; i < n && looked < LOOK_AT; i += every, looked++)
		count[digits_needed(bits[i], single)]++;
	for (unsigned e = 0; e <= DECIMALS_MAX; e++) {
		const double cost = cost_of(count, e, looked);
		if (cost < least)
			*ret = (struct decimal){(uint8_t)e, single};
		least = cost < least ? cost : least;
	}
	return least / (double)looked;
}

bool decimal_find(const uint64_t *bits, size_t n, struct decimal *ret)
{
	enum { HOPELESS = 64 }; /* bits per sample */
	struct decimal single;
	double cost = find_digits(bits, n, false, ret);
	const double single_cost = cost > 20 ? find_digits(bits, n, true, &single) : INFINITY;

	if (single_cost < cost) {
		*ret = single;
		cost = single_cost;
	}
	return cost < HOPELESS;
}

size_t decimal_from_doubles(const struct decimal *d, const uint64_t *bits, size_t n, uint64_t *ret,
			    uint16_t *ret_odd)
{
	size_t n_odd = 0;
	int64_t k = 0, last = 0;

	for (size_t i = 0; i < n; i++) {
		if (is_decimal(d, bits[i], &k))
			last = k;
		else
			ret_odd[n_odd++] = (uint16_t)i;
		ret[i] = (uint64_t)last;
	}
	for (size_t i = 0; i < n_odd && ret_odd[i] == i; i++) /* nothing before them: what comes behind */
		ret[i] = n_odd < n ? ret[n_odd] : 0;
	return n_odd;
}

void decimal_to_doubles(const struct decimal *d, uint64_t *v, size_t n)
{
	const double by = power_of_ten[d->digits];
	const uint64_t bits_of_magic = double_bits(magic);

	for (size_t i = 0; i < n; i++)
		v[i] = double_bits((bits_double(v[i] + bits_of_magic) - magic) / by);
	if (d->single)
		for (size_t i = 0; i < n; i++)
			v[i] = double_bits((double)(float)bits_double(v[i]));
}
