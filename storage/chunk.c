/* SPDX-License-Identifier: Apache-2.0 */
#include "storage/chunk.h"

#include <assert.h>
#include <stdlib.h>

#include "storage/chunk_number.h"
#include "storage/chunk_words.h"

#define FORMAT 1

enum part { PART_QUALITY = 1, PART_SIGMA = 2, PART_SOURCE = 4, PARTS_ALL = 7 };
enum { N_AXES = 3 }; /* of a position */

static void scope_numbers(uint64_t **p)
{
	free(*p);
}

static bool is_text(enum value_type type)
{
	return type == VALUE_TEXT || type == VALUE_ENUM;
}

static enum number_kind kind_of(enum value_type type)
{
	return type == VALUE_DOUBLE ? NUMBER_DOUBLE : NUMBER_INTEGER;
}

/* ---- Encoding ---------------------------------------------------------------------------------------------
 */

/* The places i .. i + n - 1 of c, and room to bring a part into the form of numbers. */
struct encoder {
	const struct column *c;
	size_t i, n;
	enum chunk_effort effort;
	uint64_t *numbers;
	struct buf *out;
};

static unsigned parts_present(const struct encoder *e)
{
	unsigned parts = 0;

	for (size_t k = e->i; k < e->i + e->n; k++) {
		parts |= e->c->quality && e->c->quality[k] != QUALITY_GOOD ? PART_QUALITY : 0;
		parts |= e->c->sigma && !isnan(e->c->sigma[k]) ? PART_SIGMA : 0;
		parts |= e->c->source && e->c->source[k] != COLUMN_NONE ? PART_SOURCE : 0;
	}
	return parts;
}

static void put_positions(const struct encoder *e)
{
	for (size_t axis = 0; axis < N_AXES; axis++) {
		for (size_t k = 0; k < e->n; k++)
			memcpy(&e->numbers[k], e->c->more.data + e->c->bits[e->i + k] + 8 * axis, 8);
		numbers_encode(e->numbers, e->n, NUMBER_DOUBLE, e->effort, e->out);
	}
}

static void put_values(const struct encoder *e)
{
	const uint64_t *bits = e->c->bits + e->i;

	if (is_text(e->c->type))
		words_encode(&e->c->more, bits, e->n, e->effort, e->out);
	else if (e->c->type == VALUE_POSITION)
		put_positions(e);
	else
		numbers_encode(bits, e->n, kind_of(e->c->type), e->effort, e->out);
}

static void put_others(const struct encoder *e, unsigned parts)
{
	if (parts & PART_QUALITY) {
		for (size_t k = 0; k < e->n; k++)
			e->numbers[k] = e->c->quality[e->i + k];
		numbers_encode(e->numbers, e->n, NUMBER_INTEGER, e->effort, e->out);
	}
	if (parts & PART_SIGMA) {
		memcpy(e->numbers, e->c->sigma + e->i, e->n * sizeof *e->numbers);
		numbers_encode(e->numbers, e->n, NUMBER_DOUBLE, e->effort, e->out);
	}
	if (parts & PART_SOURCE) {
		for (size_t k = 0; k < e->n; k++)
			e->numbers[k] = e->c->source[e->i + k];
		words_encode(&e->c->more, e->numbers, e->n, e->effort, e->out);
	}
}

static void put_times(const struct encoder *e)
{
	const int64_t *t = e->c->t_ns + e->i;

	for (size_t k = 1; k < e->n; k++)
		e->numbers[k] = (uint64_t)t[k] - (uint64_t)t[k - 1];
	if (e->n > 1)
		numbers_encode(e->numbers + 1, e->n - 1, NUMBER_INTEGER, e->effort, e->out);
}

void chunk_encode(const struct column *c, size_t i, size_t end, enum chunk_effort effort, struct buf *out)
{
	assert(i < end && end <= c->n && end - i <= CHUNK_SAMPLES_MAX);
	SCOPED(scope_numbers) uint64_t *numbers = malloc((end - i) * sizeof *numbers);
	const struct encoder e = {c, i, end - i, effort, numbers, out};

	if (!numbers) {
		out->failed = true;
		return;
	}
	const unsigned parts = parts_present(&e);
	buf_put_u8(out, FORMAT);
	buf_put_u8(out, (uint8_t)c->type);
	buf_put_u8(out, (uint8_t)parts);
	record_put_varint(out, e.n);
	record_put_varint(out, (uint64_t)c->t_ns[end - 1] - (uint64_t)c->t_ns[i]);
	put_times(&e);
	put_values(&e);
	put_others(&e, parts);
}

/* ---- Decoding ---------------------------------------------------------------------------------------------
 */

struct head {
	enum value_type type;
	unsigned parts;
	size_t n;
	uint64_t span_ns;
};

static int read_head(struct record_reader *r, struct head *ret)
{
	const uint8_t format = record_u8(r), type = record_u8(r), parts = record_u8(r);
	const uint64_t n = record_varint(r), span_ns = record_varint(r);

	if (!r->failed && format != FORMAT)
		return FAIL(ERR_VERSION);
	if (r->failed || type > VALUE_POSITION || parts > PARTS_ALL || n == 0 || n > CHUNK_SAMPLES_MAX)
		return FAIL(ERR_CORRUPT);
	*ret = (struct head){(enum value_type)type, parts, (size_t)n, span_ns};
	return 0;
}

static int read_steps(struct record_reader *r, const struct head *h, int64_t first_ns, int64_t *t_ns)
{
	uint64_t *steps = (uint64_t *)t_ns;
	uint64_t t = (uint64_t)first_ns;
	bool ordered = true;

	TRY(numbers_decode(r, h->n - 1, steps + 1));
	for (size_t k = 1; k < h->n; k++) {
		const int64_t before = (int64_t)t;
		t += steps[k];
		t_ns[k] = (int64_t)t;
		ordered &= t_ns[k] > before;
	}
	return ordered && t - (uint64_t)first_ns == h->span_ns ? 0 : FAIL(ERR_CORRUPT);
}

static int read_times(struct record_reader *r, const struct head *h, int64_t first_ns, int64_t *t_ns)
{
	uint64_t step = 0, span_ns;

	t_ns[0] = first_ns;
	if (h->n == 1)
		return h->span_ns == 0 ? 0 : FAIL(ERR_CORRUPT);
	if (!numbers_constant(r, &step))
		return read_steps(r, h, first_ns, t_ns);
	if (__builtin_mul_overflow(step, h->n - 1, &span_ns) || span_ns != h->span_ns || step == 0)
		return FAIL(ERR_CORRUPT);
	for (size_t k = 1; k < h->n; k++)
		t_ns[k] = (int64_t)((uint64_t)first_ns + k * step);
	return t_ns[h->n - 1] > first_ns ? 0 : FAIL(ERR_CORRUPT);
}

static int read_positions(struct record_reader *r, size_t n, struct column *c)
{
	SCOPED(scope_numbers) uint64_t *axis = malloc(n * sizeof *axis);
	uint8_t *p = buf_extend(&c->more, n * N_AXES * sizeof *axis);

	if (!axis || !p)
		return FAIL(-ENOMEM);
	for (size_t a = 0; a < N_AXES; a++) {
		TRY(numbers_decode(r, n, axis));
		for (size_t k = 0; k < n; k++)
			memcpy(p + (N_AXES * k + a) * sizeof *axis, &axis[k], sizeof *axis);
	}
	for (size_t k = 0; k < n; k++)
		c->bits[k] = N_AXES * k * sizeof *axis;
	return 0;
}

static int check_most(const uint64_t *v, size_t n, uint64_t most)
{
	bool fine = true;

	for (size_t k = 0; k < n; k++)
		fine &= v[k] <= most;
	return fine ? 0 : FAIL(ERR_CORRUPT);
}

static int read_values(struct record_reader *r, const struct head *h, struct column *c)
{
	if (is_text(h->type))
		return words_decode(r, h->n, false, &c->more, c->bits);
	if (h->type == VALUE_POSITION)
		return read_positions(r, h->n, c);
	TRY(numbers_decode(r, h->n, c->bits));
	return h->type == VALUE_BOOL ? check_most(c->bits, h->n, 1) : 0;
}

static int read_quality(struct record_reader *r, struct column *c, uint64_t *numbers)
{
	c->quality = malloc(c->size * sizeof *c->quality);
	if (!c->quality)
		return FAIL(-ENOMEM);
	TRY(numbers_decode(r, c->n, numbers));
	TRY(check_most(numbers, c->n, QUALITY_BAD));
	for (size_t k = 0; k < c->n; k++)
		c->quality[k] = (uint8_t)numbers[k];
	return 0;
}

static int read_sigma(struct record_reader *r, struct column *c)
{
	c->sigma = malloc(c->size * sizeof *c->sigma);
	return c->sigma ? numbers_decode(r, c->n, (uint64_t *)c->sigma) : FAIL(-ENOMEM);
}

static int read_source(struct record_reader *r, struct column *c, uint64_t *numbers)
{
	c->source = malloc(c->size * sizeof *c->source);
	if (!c->source)
		return FAIL(-ENOMEM);
	TRY(words_decode(r, c->n, true, &c->more, numbers));
	for (size_t k = 0; k < c->n; k++)
		c->source[k] = (uint32_t)numbers[k];
	return 0;
}

static int read_others(struct record_reader *r, unsigned parts, struct column *c)
{
	if (parts == 0)
		return 0;
	SCOPED(scope_numbers) uint64_t *numbers = malloc(c->n * sizeof *numbers);
	if (!numbers)
		return FAIL(-ENOMEM);
	if (parts & PART_QUALITY)
		TRY(read_quality(r, c, numbers));
	if (parts & PART_SIGMA)
		TRY(read_sigma(r, c));
	if (parts & PART_SOURCE)
		TRY(read_source(r, c, numbers));
	return 0;
}

static int decode(struct bytes in, int64_t first_ns, struct column *c)
{
	struct record_reader r = record_reader(in);
	struct head h;

	TRY(read_head(&r, &h));
	TRY(column_reserve(c, h.n));
	c->type = h.type;
	c->n = h.n;
	TRY(read_times(&r, &h, first_ns, c->t_ns));
	TRY(read_values(&r, &h, c));
	TRY(read_others(&r, h.parts, c));
	return record_end(&r);
}

int chunk_decode(struct bytes in, int64_t first_ns, struct column *ret)
{
	column_clear(ret);
	const int r = decode(in, first_ns, ret);
	if (r < 0)
		column_clear(ret);
	return r;
}

/* ---- Inspecting -------------------------------------------------------------------------------------------
 */

int chunk_inspect(struct bytes in, int64_t first_ns, struct chunk_info *ret)
{
	SCOPED(column_fini) struct column c = {0};
	struct record_reader r = record_reader(in);
	struct head h;

	TRY(read_head(&r, &h));
	TRY(column_reserve(&c, h.n));
	c.type = h.type;
	c.n = h.n;
	const uint8_t *times = r.at;
	TRY(read_times(&r, &h, first_ns, c.t_ns));
	const uint8_t *values = r.at;
	TRY(read_values(&r, &h, &c));
	*ret = (struct chunk_info){
		.type = h.type,
		.n = h.n,
		.last_ns = c.t_ns[h.n - 1],
		.time_bytes = (size_t)(values - times),
		.value_bytes = (size_t)(r.at - values),
		.other_bytes = in.len - (size_t)(r.at - times),
		.value_encoding = is_text(h.type) || h.type == VALUE_POSITION
					  ? "words"
					  : numbers_encoding_text((struct bytes){values, in.len}),
	};
	return 0;
}
