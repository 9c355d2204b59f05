/* SPDX-License-Identifier: Apache-2.0 */
#include "storage/record.h"

void record_put_varint(struct buf *out, uint64_t v)
{
	for (; v >= 0x80; v >>= 7)
		buf_put_u8(out, (uint8_t)(v | 0x80));
	buf_put_u8(out, (uint8_t)v);
}

void record_put_text(struct buf *out, const char *text)
{
	buf_put_text(out, text ? text : "");
	buf_put_u8(out, 0);
}

void record_put_double(struct buf *out, double v)
{
	buf_put_u64(out, double_bits(v));
}

static void put_value(struct buf *out, const struct value *v)
{
	switch (v->type) {
	case VALUE_NONE: return;
	case VALUE_BOOL: buf_put_u8(out, v->boolean); return;
	case VALUE_INT64: buf_put_u64(out, (uint64_t)v->integer); return;
	case VALUE_DOUBLE: record_put_double(out, v->real); return;
	case VALUE_TEXT:
	case VALUE_ENUM: record_put_text(out, v->text); return;
	case VALUE_POSITION:
		record_put_double(out, v->position.lat_deg);
		record_put_double(out, v->position.lon_deg);
		record_put_double(out, v->position.alt_m);
	}
}

void record_put_sample(struct buf *out, const struct sample *s)
{
	buf_put_u64(out, (uint64_t)s->t_ns);
	buf_put_u8(out, (uint8_t)s->value.type);
	buf_put_u8(out, (uint8_t)s->quality);
	record_put_double(out, s->sigma);
	record_put_text(out, s->source);
	put_value(out, &s->value);
}

struct bytes record_bytes(struct record_reader *r, uint64_t len)
{
	if (r->failed || len > (uint64_t)(r->end - r->at)) {
		r->failed = true;
		return (struct bytes){0};
	}
	const struct bytes b = {r->at, (size_t)len};
	r->at += len;
	return b;
}

struct bytes record_rest(struct record_reader *r)
{
	return record_bytes(r, (uint64_t)(r->end - r->at));
}

uint8_t record_u8(struct record_reader *r)
{
	const struct bytes b = record_bytes(r, 1);

	return b.data ? b.data[0] : 0;
}

uint32_t record_u32(struct record_reader *r)
{
	const struct bytes b = record_bytes(r, 4);

	return b.data ? get_u32(b.data) : 0;
}

uint64_t record_u64(struct record_reader *r)
{
	const struct bytes b = record_bytes(r, 8);

	return b.data ? get_u64(b.data) : 0;
}

uint64_t record_varint(struct record_reader *r)
{
	uint64_t v = 0;

	for (unsigned shift = 0; shift < 64; shift += 7) {
		const uint8_t byte = record_u8(r);
		v |= (uint64_t)(byte & 0x7f) << shift;
		if (byte < 0x80)
			return v;
	}
	r->failed = true;
	return 0;
}

double record_double(struct record_reader *r)
{
	return bits_double(record_u64(r));
}

const char *record_text(struct record_reader *r)
{
	const uint8_t *end = r->failed || r->at == r->end ? NULL : memchr(r->at, 0, (size_t)(r->end - r->at));

	if (!end) {
		r->failed = true;
		return "";
	}
	const char *text = (const char *)r->at;
	r->at = end + 1;
	return text;
}

static void read_value(struct record_reader *r, struct value *v)
{
	switch (v->type) {
	case VALUE_NONE: return;
	case VALUE_BOOL: v->boolean = record_u8(r) != 0; return;
	case VALUE_INT64: v->integer = (int64_t)record_u64(r); return;
	case VALUE_DOUBLE: v->real = record_double(r); return;
	case VALUE_TEXT:
	case VALUE_ENUM: v->text = record_text(r); return;
	case VALUE_POSITION:
		v->position.lat_deg = record_double(r);
		v->position.lon_deg = record_double(r);
		v->position.alt_m = record_double(r);
	}
}

void record_sample(struct record_reader *r, struct sample *ret)
{
	struct sample s = {.t_ns = (int64_t)record_u64(r)};
	const uint8_t type = record_u8(r), quality = record_u8(r);

	if (type > VALUE_POSITION || quality > QUALITY_BAD)
		r->failed = true;
	s.value.type = r->failed ? VALUE_NONE : (enum value_type)type;
	s.quality = r->failed ? QUALITY_BAD : (enum quality)quality;
	s.sigma = record_double(r);
	s.source = record_text(r);
	if (!*s.source)
		s.source = NULL;
	read_value(r, &s.value);
	*ret = s;
}

int record_end(const struct record_reader *r)
{
	return r->failed || r->at != r->end ? FAIL(ERR_CORRUPT) : 0;
}
