/* SPDX-License-Identifier: Apache-2.0 */
#include "proto/packed.h"

#include "proto/words.h"

_Static_assert(__BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__,
	       "columns are read and written as they lie in memory");

/* Bytes of a sample in each column that is always there, and in those that a flag announces. */
enum { SIGMA_BYTES = 8, QUALITY_BYTES = 1, SAMPLE_BYTES = 8 + 8 + 4, POSITION_BYTES = 24 };
enum {
	AT_FORMAT = 0,
	AT_FLAGS = 1,
	AT_SOURCE = 2,
	AT_SOURCE_END = 3,
	AT_N = 4,
	AT_TEXTS = 8,
	AT_ZERO = 12,
	AT_SESSION = 16,
	AT_NUMBER = 24,
	AT_INCARNATION = 32
};
enum { ALL_FLAGS = PACKED_SIGMA | PACKED_QUALITY, ROOM_STEP = 1024 };

/* ---- reading */

static uint64_t header_u64(const uint8_t *header, size_t at)
{
	return packed_u64(header + at, 0);
}

static uint32_t header_u32(const uint8_t *header, size_t at)
{
	return packed_u32(header + at, 0);
}

static size_t sample_bytes(unsigned flags)
{
	return (size_t)SAMPLE_BYTES + (flags & PACKED_SIGMA ? (size_t)SIGMA_BYTES : 0) +
	       (flags & PACKED_QUALITY ? (size_t)QUALITY_BYTES : 0);
}

static bool header_is_good(struct bytes frame)
{
	const uint8_t *h = frame.data;

	return frame.len >= PACKED_HEADER_BYTES && h[AT_FORMAT] == PACKED_FORMAT &&
	       (h[AT_FLAGS] & ~ALL_FLAGS) == 0 && h[AT_SOURCE] <= SOURCE_MAX && h[AT_SOURCE_END] == 0 &&
	       header_u32(h, AT_N) <= PACKED_SAMPLES_MAX && header_u32(h, AT_ZERO) == 0;
}

static bool qualities_are_good(const struct packed *p)
{
	for (size_t i = 0; p->quality && i < p->n; i++)
		if (p->quality[i] > QUALITY_BAD && p->quality[i] != PACKED_ABSENT)
			return false;
	return true;
}

/* The next `n` bytes of the frame; the lengths have been added up before. */
static const uint8_t *next(const uint8_t **at, size_t n)
{
	const uint8_t *column = *at;

	*at += n;
	return column;
}

static void find_columns(struct packed *p, size_t text_bytes, size_t source_bytes)
{
	const uint8_t *at = p->frame.data + PACKED_HEADER_BYTES;
	const size_t n = p->n;

	p->t_ns = next(&at, 8 * n);
	p->bits = next(&at, 8 * n);
	p->sigma = p->flags & PACKED_SIGMA ? next(&at, SIGMA_BYTES * n) : NULL;
	p->series = next(&at, 4 * n);
	p->quality = p->flags & PACKED_QUALITY ? next(&at, QUALITY_BYTES * n) : NULL;
	p->texts = (struct bytes){next(&at, text_bytes), text_bytes};
	p->source = (struct bytes){next(&at, source_bytes), source_bytes};
}

int packed_check(struct bytes frame, struct packed *ret)
{
	struct packed p = {.frame = frame};
	const uint8_t *h = frame.data;

	if (!header_is_good(frame))
		return FAIL(ERR_MALFORMED);
	const uint64_t text_bytes = header_u32(h, AT_TEXTS);
	p.n = header_u32(h, AT_N);
	p.flags = h[AT_FLAGS];
	if (frame.len != PACKED_HEADER_BYTES + p.n * sample_bytes(p.flags) + text_bytes + h[AT_SOURCE])
		return FAIL(ERR_MALFORMED);
	p.session = header_u64(h, AT_SESSION);
	p.number = header_u64(h, AT_NUMBER);
	p.incarnation = header_u64(h, AT_INCARNATION);
	find_columns(&p, text_bytes, h[AT_SOURCE]);
	if (!qualities_are_good(&p) || !text_is_clean(p.source))
		return FAIL(ERR_MALFORMED);
	*ret = p;
	return 0;
}

static int read_text(const struct packed *p, uint64_t place, const char **ret)
{
	struct bytes text;
	const uint8_t *end;

	if (place >= p->texts.len)
		return FAIL(ERR_MALFORMED);
	text.data = p->texts.data + place;
	end = memchr(text.data, 0, p->texts.len - place);
	if (!end || (size_t)(end - text.data) > TEXT_VALUE_MAX)
		return FAIL(ERR_MALFORMED);
	text.len = (size_t)(end - text.data);
	if (!text_is_clean(text))
		return FAIL(ERR_MALFORMED);
	*ret = (const char *)text.data;
	return 0;
}

static int read_position(const struct packed *p, uint64_t place, struct position *ret)
{
	double parts[3];

	_Static_assert(sizeof parts == POSITION_BYTES, "three doubles");
	if (place > p->texts.len || p->texts.len - place < sizeof parts)
		return FAIL(ERR_MALFORMED);
	memcpy(parts, p->texts.data + place, sizeof parts);
	*ret = (struct position){parts[0], parts[1], parts[2]};
	return 0;
}

static int read_value(const struct packed *p, uint64_t bits, struct value *v)
{
	switch (v->type) {
	case VALUE_NONE: return 0;
	case VALUE_BOOL:
		if (bits > 1)
			return FAIL(ERR_MALFORMED);
		v->boolean = bits == 1;
		return 0;
	case VALUE_INT64: v->integer = (int64_t)bits; return 0;
	case VALUE_DOUBLE: memcpy(&v->real, &bits, sizeof bits); return 0;
	case VALUE_TEXT:
	case VALUE_ENUM: return read_text(p, bits, &v->text);
	case VALUE_POSITION: return read_position(p, bits, &v->position);
	}
	return FAIL(ERR_MALFORMED);
}

int packed_sample(const struct packed *p, size_t i, enum value_type type, const char *source,
		  struct sample *ret)
{
	struct sample s = {.t_ns = (int64_t)packed_u64(p->t_ns, i), .sigma = NAN, .source = source};
	const unsigned quality = p->quality ? p->quality[i] : QUALITY_GOOD;

	if (p->sigma) {
		const uint64_t bits = packed_u64(p->sigma, i);
		memcpy(&s.sigma, &bits, sizeof bits);
		if (!isnan(s.sigma) && !(s.sigma >= 0 && isfinite(s.sigma)))
			return FAIL(ERR_MALFORMED);
	}
	s.value.type = quality == PACKED_ABSENT ? VALUE_NONE : type;
	s.quality = quality == PACKED_ABSENT ? QUALITY_GOOD : (enum quality)quality;
	TRY(read_value(p, packed_u64(p->bits, i), &s.value));
	*ret = s;
	return 0;
}

/* ---- writing */

void packed_writer_fini(struct packed_writer *w)
{
	buf_fini(&w->t_ns);
	buf_fini(&w->bits);
	buf_fini(&w->sigma);
	buf_fini(&w->series);
	buf_fini(&w->quality);
	buf_fini(&w->texts);
	*w = (struct packed_writer){0};
}

void packed_writer_clear(struct packed_writer *w)
{
	buf_clear(&w->texts);
	w->source[0] = '\0';
	w->has_sigma = w->has_quality = false;
	w->n = w->last_text = 0;
}

/* Columns grow together, many samples at a time, so that a sample is a few stores. */
static int grow(struct buf *column, uint32_t room, size_t item)
{
	const size_t want = room * item;

	return column->len >= want || buf_extend(column, want - column->len) ? 0 : FAIL(-ENOMEM);
}

static int grow_columns(struct packed_writer *w)
{
	const uint32_t room = w->room > ROOM_STEP ? 2 * w->room : 2 * ROOM_STEP;
	struct buf *const all[] = {&w->t_ns, &w->bits, &w->series, &w->sigma, &w->quality};
	static const size_t items[] = {8, 8, 4, SIGMA_BYTES, QUALITY_BYTES};

	for (size_t i = 0; i < N_WORDS(all); i++) {
		all[i]->failed = false; /* what failed before may succeed now, and nothing was lost */
		TRY(grow(all[i], room, items[i]));
	}
	w->room = room;
	return 0;
}

/* What failed for want of memory leaves the frame usable. */
static int put_more(struct packed_writer *w, struct bytes more, uint64_t *ret_bits)
{
	if (w->texts.len + more.len > PACKED_TEXTS_MAX)
		return PACKED_FULL;
	*ret_bits = w->texts.len;
	buf_put(&w->texts, more);
	if (!w->texts.failed)
		return 0;
	w->texts.failed = false;
	return FAIL(-ENOMEM);
}

static int put_text(struct packed_writer *w, const char *text, uint64_t *ret_bits)
{
	const size_t len = strlen(text);
	int r;

	if (w->last_text > 0 && strcmp((const char *)w->texts.data + w->last_text - 1, text) == 0) {
		*ret_bits = w->last_text - 1;
		return 0;
	}
	if (len > TEXT_VALUE_MAX)
		return FAIL(ERR_MALFORMED);
	r = put_more(w, (struct bytes){(const uint8_t *)text, len + 1}, ret_bits);
	if (r == 0)
		w->last_text = (uint32_t)*ret_bits + 1;
	return r;
}

static int put_position(struct packed_writer *w, const struct position *p, uint64_t *ret_bits)
{
	const double parts[3] = {p->lat_deg, p->lon_deg, p->alt_m};

	return put_more(w, (struct bytes){(const uint8_t *)parts, sizeof parts}, ret_bits);
}

static int put_value(struct packed_writer *w, const struct value *v, uint64_t *ret_bits)
{
	switch (v->type) {
	case VALUE_NONE: *ret_bits = 0; return 0;
	case VALUE_BOOL: *ret_bits = v->boolean; return 0;
	case VALUE_INT64: *ret_bits = (uint64_t)v->integer; return 0;
	case VALUE_DOUBLE: memcpy(ret_bits, &v->real, sizeof v->real); return 0;
	case VALUE_TEXT:
	case VALUE_ENUM: return put_text(w, text_or_empty(v->text), ret_bits);
	case VALUE_POSITION: return put_position(w, &v->position, ret_bits);
	}
	return FAIL(ERR_MALFORMED);
}

static int put_source(struct packed_writer *w, const char *source)
{
	const size_t len = strlen(source);

	if (len > SOURCE_MAX)
		return FAIL(ERR_MALFORMED);
	if (strcmp(source, w->source) == 0)
		return 0;
	if (w->n > 0)
		return PACKED_OTHER;
	memcpy(w->source, source, len + 1);
	return 0;
}

/* The columns that most frames do without: the first sample that needs one fills it up for those before. */
static void put_sigma(struct packed_writer *w, double sigma)
{
	static const double none = NAN;

	if (!w->has_sigma && isnan(sigma))
		return;
	for (size_t i = 0; !w->has_sigma && i < w->n; i++)
		memcpy(w->sigma.data + SIGMA_BYTES * i, &none, SIGMA_BYTES);
	w->has_sigma = true;
	memcpy(w->sigma.data + SIGMA_BYTES * (size_t)w->n, &sigma, SIGMA_BYTES);
}

static void put_quality(struct packed_writer *w, unsigned quality)
{
	if (!w->has_quality && quality == QUALITY_GOOD)
		return;
	if (!w->has_quality)
		memset(w->quality.data, QUALITY_GOOD, w->n);
	w->has_quality = true;
	w->quality.data[w->n] = (uint8_t)quality;
}

int packed_put(struct packed_writer *w, uint32_t series, const struct sample *s)
{
	uint64_t bits = 0;
	int r;

	if (w->n == PACKED_SAMPLES_MAX)
		return PACKED_FULL;
	if (w->n == w->room)
		TRY(grow_columns(w));
	if (w->source[0] || s->source) {
		r = put_source(w, text_or_empty(s->source));
		if (r != 0)
			return r;
	}
	r = put_value(w, &s->value, &bits);
	if (r != 0)
		return r;
	memcpy(w->t_ns.data + 8 * (size_t)w->n, &s->t_ns, 8);
	memcpy(w->bits.data + 8 * (size_t)w->n, &bits, 8);
	memcpy(w->series.data + 4 * (size_t)w->n, &series, 4);
	put_sigma(w, s->sigma);
	put_quality(w, s->value.type == VALUE_NONE ? PACKED_ABSENT : s->quality);
	w->n++;
	return 0;
}

static void put_header(const struct packed_writer *w, const struct packed_id *id, struct buf *out)
{
	uint8_t h[PACKED_HEADER_BYTES] = {
		[AT_FORMAT] = PACKED_FORMAT,
		[AT_FLAGS] =
			(uint8_t)((w->has_sigma ? PACKED_SIGMA : 0) | (w->has_quality ? PACKED_QUALITY : 0)),
		[AT_SOURCE] = (uint8_t)strlen(w->source),
	};
	const uint32_t text_bytes = (uint32_t)w->texts.len;

	memcpy(h + AT_N, &w->n, sizeof w->n);
	memcpy(h + AT_TEXTS, &text_bytes, sizeof text_bytes);
	memcpy(h + AT_SESSION, &id->session, sizeof id->session);
	memcpy(h + AT_NUMBER, &id->number, sizeof id->number);
	memcpy(h + AT_INCARNATION, &id->incarnation, sizeof id->incarnation);
	buf_put(out, (struct bytes){h, sizeof h});
}

static void put_column(const struct packed_writer *w, const struct buf *column, size_t item, struct buf *out)
{
	buf_put(out, (struct bytes){column->data, item * w->n});
}

int packed_finish(const struct packed_writer *w, const struct packed_id *id, struct buf *out)
{
	put_header(w, id, out);
	put_column(w, &w->t_ns, 8, out);
	put_column(w, &w->bits, 8, out);
	if (w->has_sigma)
		put_column(w, &w->sigma, SIGMA_BYTES, out);
	put_column(w, &w->series, 4, out);
	if (w->has_quality)
		put_column(w, &w->quality, QUALITY_BYTES, out);
	buf_put(out, buf_bytes(&w->texts));
	buf_put_text(out, w->source);
	return buf_check(out);
}
