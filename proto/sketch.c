/* SPDX-License-Identifier: Apache-2.0 */
#include "proto/sketch.h"

#include <math.h>
#include <stdlib.h>

#define GAMMA ((1 + SKETCH_ERROR) / (1 - SKETCH_ERROR))

enum {
	KEY_LEAST = 1,      /* of SKETCH_LEAST */
	KEY_MOST = 1 << 17, /* above that of DBL_MAX */
};

static double log_gamma_of(double x)
{
	return log(x) / log(GAMMA);
}

static int32_t key_of(double x)
{
	const double magnitude = fabs(x);

	if (magnitude < SKETCH_LEAST)
		return 0;
	const int32_t key = KEY_LEAST + (int32_t)ceil(log_gamma_of(magnitude) - log_gamma_of(SKETCH_LEAST));
	return x < 0 ? -key : key;
}

/* The number in the middle of a bucket, as far from both its ends. */
static double number_of(int32_t key)
{
	if (key == 0)
		return 0;
	const double exponent = abs(key) - KEY_LEAST + log_gamma_of(SKETCH_LEAST);
	const double x = 2 * exp(exponent * log(GAMMA)) / (GAMMA + 1);
	return copysign(isfinite(x) ? x : 0x1.fffffffffffffp1023, key);
}

/* The first bucket not below the key. */
static size_t place_of(const struct sketch *s, int32_t key)
{
	size_t low = 0, high = s->n_buckets;

	while (low < high) {
		const size_t mid = low + (high - low) / 2;
		if (s->buckets[mid].key < key)
			low = mid + 1;
		else
			high = mid;
	}
	return low;
}

static int make_room(struct arena *a, struct sketch *s)
{
	if (s->n_buckets < s->room)
		return 0;
	const size_t room = s->room ? s->room * 2 : 16;
	struct sketch_bucket *grown = arena_take_array(a, room, sizeof *grown);
	if (!grown)
		return FAIL(-ENOMEM);
	if (s->n_buckets > 0)
		memcpy(grown, s->buckets, s->n_buckets * sizeof *grown);
	s->buckets = grown;
	s->room = room;
	return 0;
}

/* The bucket of the least magnitude; with its neighbours as candidates, the one next to it. */
static size_t least_of(const struct sketch *s, size_t a, size_t b)
{
	if (b >= s->n_buckets || a >= s->n_buckets)
		return b >= s->n_buckets ? a : b;
	return abs(s->buckets[a].key) < abs(s->buckets[b].key) ? a : b;
}

/* The two of the least magnitude become one. */
static void collapse(struct sketch *s)
{
	const size_t zero = place_of(s, 0);
	const size_t least = least_of(s, zero - 1, zero); /* SIZE_MAX: not there */
	const size_t into = least_of(s, least - 1, least + 1);

	s->buckets[into].n += s->buckets[least].n;
	memmove(s->buckets + least, s->buckets + least + 1, (s->n_buckets - least - 1) * sizeof *s->buckets);
	s->n_buckets--;
}

static int add_key(struct arena *a, struct sketch *s, int32_t key, uint64_t n)
{
	const size_t at = place_of(s, key);

	if (at < s->n_buckets && s->buckets[at].key == key) {
		s->buckets[at].n += n;
		return 0;
	}
	TRY(make_room(a, s));
	memmove(s->buckets + at + 1, s->buckets + at, (s->n_buckets - at) * sizeof *s->buckets);
	s->buckets[at] = (struct sketch_bucket){key, n};
	if (++s->n_buckets > SKETCH_BUCKETS_MAX)
		collapse(s);
	return 0;
}

int sketch_add(struct arena *a, struct sketch *s, double x, uint64_t n)
{
	return n > 0 ? add_key(a, s, key_of(x), n) : 0;
}

int sketch_merge(struct arena *a, struct sketch *s, const struct sketch *other, double scale, double offset)
{
	const bool same = scale == 1 && offset == 0;

	for (size_t i = 0; i < other->n_buckets; i++) {
		const struct sketch_bucket *b = &other->buckets[i];
		const double x = same ? 0 : number_of(b->key) * scale + offset;
		if (isfinite(x))
			TRY(add_key(a, s, same ? b->key : key_of(x), b->n));
	}
	return 0;
}

bool sketch_quantile(const struct sketch *s, double q, double *ret)
{
	uint64_t count = 0, seen = 0;

	for (size_t i = 0; i < s->n_buckets; i++)
		count += s->buckets[i].n;
	const double rank = q * (double)(count - (count > 0));
	for (size_t i = 0; i < s->n_buckets; i++) {
		seen += s->buckets[i].n;
		*ret = number_of(s->buckets[i].key);
		if ((double)seen > rank)
			break;
	}
	return count > 0;
}

bool sketch_is_valid(const struct sketch_bucket *buckets, size_t n)
{
	uint64_t count = 0;

	if (n > SKETCH_BUCKETS_MAX)
		return false;
	for (size_t i = 0; i < n; i++) {
		const struct sketch_bucket *b = &buckets[i];
		if (b->n == 0 || b->n > UINT64_MAX - count || b->key < -KEY_MOST || b->key > KEY_MOST ||
		    (i > 0 && b->key <= buckets[i - 1].key))
			return false;
		count += b->n;
	}
	return true;
}
