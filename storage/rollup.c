/* SPDX-License-Identifier: Apache-2.0 */
#include "storage/rollup.h"

#include <assert.h>
#include <stdlib.h>

#include "proto/clock.h"
#include "storage/chunk.h"
#include "storage/record.h"

enum { VERSION = 1 };

void buckets_fini(struct buckets *b)
{
	free(b->items);
	*b = (struct buckets){0};
}

bool type_has_buckets(enum value_type type)
{
	return type == VALUE_BOOL || type == VALUE_INT64 || type == VALUE_DOUBLE;
}

/* ---- Joining ----------------------------------------------------------------------------------------------
 */

static void join_numbers(struct bucket *to, const struct bucket *from)
{
	const double a = (double)to->n, b = (double)from->n, apart = from->mean - to->mean;

	if (isfinite(apart))
		to->mean += apart * (b / (a + b));
	else
		to->mean = to->mean * (a / (a + b)) + from->mean * (b / (a + b));
	to->m2 += from->m2 + apart * apart * a * b / (a + b);
	to->min = from->min < to->min ? from->min : to->min;
	to->max = from->max > to->max ? from->max : to->max;
	if (from->last_ns >= to->last_ns) {
		to->last_ns = from->last_ns;
		to->last = from->last;
	}
}

void bucket_join(struct bucket *to, const struct bucket *from)
{
	if (from->n > 0 && to->n > 0) {
		join_numbers(to, from);
	} else if (from->n > 0) {
		to->mean = from->mean;
		to->m2 = from->m2;
		to->min = from->min;
		to->max = from->max;
		to->last = from->last;
		to->last_ns = from->last_ns;
	}
	to->n += from->n;
	to->n_bad += from->n_bad;
	to->coarse = to->coarse || from->coarse;
}

static int make_room(struct buckets *b)
{
	if (b->n < b->size)
		return 0;
	const size_t size = b->size ? 2 * b->size : 16;
	struct bucket *items = realloc(b->items, size * sizeof *items);
	if (!items)
		return FAIL(-ENOMEM);
	b->items = items;
	b->size = size;
	return 0;
}

/* The place of the first bucket at or behind a time. */
static size_t find(const struct buckets *b, int64_t t_ns)
{
	size_t low = 0, high = b->n;

	if (b->n == 0 || b->items[b->n - 1].t_ns < t_ns)
		return b->n;
	if (b->items[b->n - 1].t_ns == t_ns)
		return b->n - 1;
	while (low < high) {
		const size_t middle = low + (high - low) / 2;
		if (b->items[middle].t_ns < t_ns)
			low = middle + 1;
		else
			high = middle;
	}
	return low;
}

int buckets_add(struct buckets *b, const struct bucket *bucket, int64_t step_ns)
{
	const int64_t t_ns = time_floor(bucket->t_ns, step_ns);
	const size_t at = find(b, t_ns);

	if (at < b->n && b->items[at].t_ns == t_ns) {
		bucket_join(&b->items[at], bucket);
		return 0;
	}
	TRY(make_room(b));
	memmove(&b->items[at + 1], &b->items[at], (b->n - at) * sizeof *b->items);
	b->items[at] = *bucket;
	b->items[at].t_ns = t_ns;
	b->items[at].step_ns = step_ns;
	b->n++;
	return 0;
}

static double number_at(const struct column *c, size_t i)
{
	switch (c->type) {
	case VALUE_DOUBLE: return bits_double(c->bits[i]);
	case VALUE_INT64: return (double)(int64_t)c->bits[i];
	case VALUE_BOOL: return c->bits[i] ? 1 : 0;
	case VALUE_NONE:
	case VALUE_TEXT:
	case VALUE_ENUM:
	case VALUE_POSITION: break;
	}
	return (double)NAN;
}

static bool counts(const struct column *c, size_t i, double v)
{
	return isfinite(v) && !(c->quality && c->quality[i] == QUALITY_BAD);
}

/* The mean of numbers whose sum is beyond all doubles. */
static double mean_of_large(const struct column *c, size_t i, size_t end, uint64_t n)
{
	double mean = 0;

	for (; i < end; i++)
		if (counts(c, i, number_at(c, i)))
			mean += number_at(c, i) / (double)n;
	return mean;
}

/* What the places i .. end - 1 amount to: the mean first, then the distances from it. */
static struct bucket sum_up(const struct column *c, size_t i, size_t end)
{
	struct bucket b = {.t_ns = c->t_ns[i]};
	double sum = 0;

	for (size_t at = i; at < end; at++) {
		const double v = number_at(c, at);
		if (!counts(c, at, v))
			continue;
		b.min = b.n == 0 || v < b.min ? v : b.min;
		b.max = b.n == 0 || v > b.max ? v : b.max;
		b.last = v;
		b.last_ns = c->t_ns[at];
		sum += v;
		b.n++;
	}
	b.n_bad = end - i - b.n;
	b.mean = b.n == 0 ? 0 : isfinite(sum) ? sum / (double)b.n : mean_of_large(c, i, end, b.n);
	for (size_t at = i; at < end && b.n > 0; at++) {
		const double v = number_at(c, at);
		if (counts(c, at, v))
			b.m2 += (v - b.mean) * (v - b.mean);
	}
	return b;
}

int buckets_add_column(struct buckets *b, const struct column *c, size_t i, size_t end, int64_t step_ns)
{
	for (size_t next; i < end; i = next) {
		const int64_t begin_ns = time_floor(c->t_ns[i], step_ns);
		for (next = i + 1;
		     next < end && (uint64_t)c->t_ns[next] - (uint64_t)begin_ns < (uint64_t)step_ns;)
			next++;
		const struct bucket sum = sum_up(c, i, next);
		TRY(buckets_add(b, &sum, step_ns));
	}
	return 0;
}

/* ---- Storing ----------------------------------------------------------------------------------------------
 */

/* The parts of a bucket as whole numbers or bits: counts and times first. */
enum { BEGIN, COUNT, BAD, LAST_AT, MEAN, M2, MIN, MAX, LAST, N_PARTS };

static uint64_t part_of(const struct bucket *b, int part, int64_t first_ns)
{
	switch (part) {
	case BEGIN: return (uint64_t)b->t_ns - (uint64_t)first_ns;
	case COUNT: return b->n;
	case BAD: return b->n_bad;
	case LAST_AT: return b->n > 0 && b->last_ns > b->t_ns ? (uint64_t)b->last_ns - (uint64_t)b->t_ns : 0;
	case MEAN: return double_bits(b->mean);
	case M2: return double_bits(b->m2);
	case MIN: return double_bits(b->min);
	case MAX: return double_bits(b->max);
	default: return double_bits(b->last);
	}
}

static int encode_part(const struct bucket *items, size_t n, int part, int64_t step_ns, struct column *c,
		       struct buf *chunk)
{
	column_clear(c);
	c->type = part < MEAN ? VALUE_INT64 : VALUE_DOUBLE;
	c->n = n;
	for (size_t i = 0; i < n; i++) {
		const uint64_t v = part_of(&items[i], part, items[0].t_ns);
		c->t_ns[i] = (int64_t)i;
		c->bits[i] = part == BEGIN ? v / (uint64_t)step_ns : v;
	}
	buf_clear(chunk);
	chunk_encode(c, 0, n, CHUNK_SMALL, chunk);
	return buf_check(chunk);
}

int rollup_encode(const struct bucket *items, size_t n, int64_t step_ns, struct buf *out)
{
	SCOPED(column_fini) struct column c = {0};
	SCOPED(buf_fini) struct buf chunk = {0};

	assert(n > 0 && n <= ROLLUP_MAX);
	TRY(column_reserve(&c, n));
	buf_put_u8(out, VERSION);
	record_put_varint(out, n);
	for (int part = 0; part < N_PARTS; part++) {
		TRY(encode_part(items, n, part, step_ns, &c, &chunk));
		record_put_varint(out, chunk.len);
		buf_put(out, buf_bytes(&chunk));
	}
	return buf_check(out);
}

static int set_begin(struct bucket *b, uint64_t steps, int64_t first_ns, int64_t step_ns)
{
	int64_t offset_ns;

	if (steps > INT64_MAX || __builtin_mul_overflow((int64_t)steps, step_ns, &offset_ns) ||
	    __builtin_add_overflow(first_ns, offset_ns, &b->t_ns))
		return FAIL(ERR_CORRUPT);
	b->step_ns = step_ns;
	b->coarse = true;
	return 0;
}

static int set_last_at(struct bucket *b, uint64_t after_ns)
{
	if (after_ns >= (uint64_t)b->step_ns ||
	    __builtin_add_overflow(b->t_ns, (int64_t)after_ns, &b->last_ns))
		return FAIL(ERR_CORRUPT);
	return 0;
}

static int set_part(struct bucket *b, int part, uint64_t v, int64_t first_ns, int64_t step_ns)
{
	switch (part) {
	case BEGIN: return set_begin(b, v, first_ns, step_ns);
	case COUNT: b->n = v; return 0;
	case BAD: b->n_bad = v; return 0;
	case LAST_AT: return set_last_at(b, v);
	case MEAN: b->mean = bits_double(v); return 0;
	case M2: b->m2 = bits_double(v); return 0;
	case MIN: b->min = bits_double(v); return 0;
	case MAX: b->max = bits_double(v); return 0;
	default: b->last = bits_double(v); return 0;
	}
}

static int decode_part(struct bytes chunk, struct bucket *items, size_t n, int part, int64_t first_ns,
		       int64_t step_ns, struct column *c)
{
	TRY(chunk_decode(chunk, 0, c));
	if (c->n != n || c->type != (part < MEAN ? VALUE_INT64 : VALUE_DOUBLE))
		return FAIL(ERR_CORRUPT);
	for (size_t i = 0; i < n; i++)
		TRY(set_part(&items[i], part, c->bits[i], first_ns, step_ns));
	return 0;
}

static int check_order(const struct buckets *b, size_t from, int64_t first_ns)
{
	if (b->items[from].t_ns != first_ns)
		return FAIL(ERR_CORRUPT);
	for (size_t i = from > 0 ? from : 1; i < b->n; i++)
		if (b->items[i].t_ns <= b->items[i - 1].t_ns)
			return FAIL(ERR_CORRUPT);
	return 0;
}

static int decode_parts(struct record_reader *r, struct buckets *b, size_t n, int64_t first_ns,
			int64_t step_ns)
{
	SCOPED(column_fini) struct column c = {0};
	struct bucket *items = &b->items[b->n - n];

	for (int part = 0; part < N_PARTS; part++) {
		const uint64_t len = record_varint(r);
		TRY(decode_part(record_bytes(r, len), items, n, part, first_ns, step_ns, &c));
	}
	TRY(record_end(r));
	return check_order(b, b->n - n, first_ns);
}

int rollup_decode(struct bytes in, int64_t first_ns, int64_t step_ns, struct buckets *ret)
{
	struct record_reader r = record_reader(in);
	const size_t before = ret->n;

	const uint8_t version = record_u8(&r);
	if (version > VERSION)
		return FAIL(ERR_VERSION);
	const uint64_t n = record_varint(&r);
	if (r.failed || version < VERSION || n == 0 || n > ROLLUP_MAX ||
	    time_floor(first_ns, step_ns) != first_ns)
		return FAIL(ERR_CORRUPT);
	for (size_t i = 0; i < n; i++) {
		const int made = make_room(ret);
		if (made < 0)
			ret->n = before;
		TRY(made);
		ret->items[ret->n++] = (struct bucket){0};
	}
	const int result = decode_parts(&r, ret, n, first_ns, step_ns);
	if (result < 0)
		ret->n = before;
	return result;
}

/* ---- Retention --------------------------------------------------------------------------------------------
 */

static int64_t before(int64_t newest_ns, int64_t keep_ns, int64_t step_ns)
{
	int64_t t_ns;

	if (__builtin_sub_overflow(newest_ns, keep_ns, &t_ns))
		return TIME_MIN;
	return time_floor(t_ns, step_ns);
}

static int64_t longer(int64_t keep_ns, int64_t more_ns)
{
	return more_ns < INT64_MAX - keep_ns ? keep_ns + more_ns : INT64_MAX;
}

struct horizon horizon_of(const struct series_rule *rule, int64_t newest_ns)
{
	struct horizon h = {TIME_MIN, TIME_MAX, TIME_MAX};

	if (rule->raw_ns <= 0)
		return h;
	int64_t keep_ns = rule->raw_ns;
	h.raw_ns = before(newest_ns, keep_ns, MINUTE_NS);
	keep_ns = longer(keep_ns, rule->minute_ns);
	if (rule->minute_ns > 0)
		h.minute_ns = before(newest_ns, keep_ns, HOUR_NS);
	if (rule->hour_ns > 0)
		h.hour_ns = before(newest_ns, longer(keep_ns, rule->hour_ns), HOUR_NS);
	return h;
}
