/* SPDX-License-Identifier: Apache-2.0 */
#include "storage/plain.h"

#include <assert.h>

#include "storage/record.h"

#define FORMAT 1

enum {
	FLAG_QUALITY = 3, /* mask */
	FLAG_SIGMA_NEW = 1 << 2,
	FLAG_SIGMA_SAME = 1 << 3, /* as the sample before, as the two below */
	FLAG_SOURCE_NEW = 1 << 4,
	FLAG_SOURCE_SAME = 1 << 5,
	FLAG_VALUE_SAME = 1 << 6,
	FLAGS_ALL = (1 << 7) - 1,
};

/* What the first sample of a chunk is told against. */
static struct sample before_first(enum value_type type)
{
	struct sample s = {.value.type = type, .sigma = NAN};

	if (type == VALUE_TEXT || type == VALUE_ENUM)
		s.value.text = "";
	return s;
}

/* ---- Encoding ---------------------------------------------------------------------------------------------
 */

static bool same_bits(double a, double b)
{
	return double_bits(a) == double_bits(b);
}

/* To the bit, unlike value_equal(): what is stored comes back as it was. */
static bool same_value(const struct value *a, const struct value *b)
{
	if (a->type == VALUE_DOUBLE)
		return same_bits(a->real, b->real);
	if (a->type == VALUE_POSITION)
		return same_bits(a->position.lat_deg, b->position.lat_deg) &&
		       same_bits(a->position.lon_deg, b->position.lon_deg) &&
		       same_bits(a->position.alt_m, b->position.alt_m);
	return value_equal(a, b);
}

static uint8_t choose_flags(const struct sample *s, const struct sample *before)
{
	unsigned flags = s->quality;

	if (!isnan(s->sigma))
		flags |= same_bits(s->sigma, before->sigma) ? FLAG_SIGMA_SAME : FLAG_SIGMA_NEW;
	if (s->source)
		flags |= before->source && strcmp(s->source, before->source) == 0 ? FLAG_SOURCE_SAME
										  : FLAG_SOURCE_NEW;
	if (same_value(&s->value, &before->value))
		flags |= FLAG_VALUE_SAME;
	return (uint8_t)flags;
}

/* x is not 0. */
static void put_xor(struct buf *out, uint64_t x)
{
	const unsigned leading = (unsigned)__builtin_clzll(x) / 8,
		       trailing = (unsigned)__builtin_ctzll(x) / 8;

	buf_put_u8(out, (uint8_t)(leading << 4 | trailing));
	for (unsigned i = leading; i < 8 - trailing; i++)
		buf_put_u8(out, (uint8_t)(x >> (56 - 8 * i)));
}

static void put_value(struct buf *out, const struct value *v, const struct value *before)
{
	switch (v->type) {
	case VALUE_NONE: return;
	case VALUE_BOOL: buf_put_u8(out, v->boolean); return;
	case VALUE_INT64:
		record_put_varint(out, zigzag((uint64_t)v->integer - (uint64_t)before->integer));
		return;
	case VALUE_DOUBLE: put_xor(out, double_bits(v->real) ^ double_bits(before->real)); return;
	case VALUE_TEXT:
	case VALUE_ENUM: record_put_text(out, v->text); return;
	case VALUE_POSITION:
		record_put_double(out, v->position.lat_deg);
		record_put_double(out, v->position.lon_deg);
		record_put_double(out, v->position.alt_m);
	}
}

static void put_sample(struct buf *out, const struct sample *s, const struct sample *before)
{
	const uint8_t flags = choose_flags(s, before);

	buf_put_u8(out, flags);
	if (flags & FLAG_SIGMA_NEW)
		record_put_double(out, s->sigma);
	if (flags & FLAG_SOURCE_NEW)
		record_put_text(out, s->source);
	if (!(flags & FLAG_VALUE_SAME))
		put_value(out, &s->value, &before->value);
}

void plain_encode(const struct points *p, size_t i, size_t end, struct buf *out)
{
	struct sample before = before_first(p->type);
	uint64_t step = 0;

	assert(i < end && end - i <= PLAIN_SAMPLES_MAX);
	buf_put_u8(out, FORMAT);
	buf_put_u8(out, (uint8_t)p->type);
	record_put_varint(out, end - i);
	record_put_varint(out, (uint64_t)points_time(p, end - 1) - (uint64_t)points_time(p, i));
	for (const size_t first = i; i < end; i++) {
		const struct sample s = points_get(p, i);
		if (i > first) {
			const uint64_t now = (uint64_t)s.t_ns - (uint64_t)before.t_ns;
			record_put_varint(out, zigzag(now - step));
			step = now;
		}
		put_sample(out, &s, &before);
		before = s;
	}
}

/* ---- Decoding ---------------------------------------------------------------------------------------------
 */

static uint64_t read_xor(struct record_reader *r)
{
	const unsigned zeros = record_u8(r), leading = zeros >> 4, trailing = zeros & 15;
	uint64_t x = 0;

	if (leading + trailing > 7) {
		r->failed = true;
		return 0;
	}
	for (unsigned i = leading; i < 8 - trailing; i++)
		x |= (uint64_t)record_u8(r) << (56 - 8 * i);
	return x;
}

/* In *v is the value before. */
static void read_value(struct record_reader *r, struct value *v)
{
	switch (v->type) {
	case VALUE_NONE: r->failed = true; return;
	case VALUE_BOOL: v->boolean = record_u8(r) != 0; return;
	case VALUE_INT64: v->integer = (int64_t)((uint64_t)v->integer + unzigzag(record_varint(r))); return;
	case VALUE_DOUBLE: v->real = bits_double(double_bits(v->real) ^ read_xor(r)); return;
	case VALUE_TEXT:
	case VALUE_ENUM: v->text = record_text(r); return;
	case VALUE_POSITION:
		v->position.lat_deg = record_double(r);
		v->position.lon_deg = record_double(r);
		v->position.alt_m = record_double(r);
	}
}

/* In *s is the sample before. */
static void read_sample(struct record_reader *r, struct sample *s)
{
	const uint8_t flags = record_u8(r);

	if (flags & ~FLAGS_ALL || (flags & FLAG_QUALITY) > QUALITY_BAD)
		r->failed = true;
	s->quality = (enum quality)(flags & FLAG_QUALITY);
	if (flags & FLAG_SIGMA_NEW)
		s->sigma = record_double(r);
	else if (!(flags & FLAG_SIGMA_SAME))
		s->sigma = NAN;
	if (flags & FLAG_SOURCE_NEW)
		s->source = record_text(r);
	else if (!(flags & FLAG_SOURCE_SAME))
		s->source = NULL;
	if (!(flags & FLAG_VALUE_SAME))
		read_value(r, &s->value);
}

static int read_samples(struct record_reader *r, struct sample s, uint64_t n, struct points *ret)
{
	uint64_t step = 0;

	for (uint64_t i = 0; i < n; i++) {
		const int64_t before_ns = s.t_ns;
		if (i > 0) {
			step += unzigzag(record_varint(r));
			s.t_ns = (int64_t)((uint64_t)s.t_ns + step);
		}
		read_sample(r, &s);
		if (r->failed || (i > 0 && s.t_ns <= before_ns))
			return FAIL(ERR_CORRUPT);
		TRY(points_add(ret, &s));
	}
	return 0;
}

int plain_decode(struct bytes in, int64_t first_ns, struct points *ret)
{
	struct record_reader r = record_reader(in);
	const uint8_t format = record_u8(&r), type = record_u8(&r);
	const uint64_t n = record_varint(&r), span = record_varint(&r);

	points_clear(ret);
	if (format > FORMAT)
		return FAIL(ERR_VERSION);
	if (r.failed || format != FORMAT || type == VALUE_NONE || type > VALUE_POSITION || n == 0 ||
	    n > PLAIN_SAMPLES_MAX)
		return FAIL(ERR_CORRUPT);
	struct sample s = before_first((enum value_type)type);
	s.t_ns = first_ns;
	TRY(read_samples(&r, s, n, ret));
	if ((uint64_t)points_time(ret, ret->n - 1) - (uint64_t)first_ns != span)
		return FAIL(ERR_CORRUPT);
	return record_end(&r);
}
