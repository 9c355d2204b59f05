/* SPDX-License-Identifier: Apache-2.0 */
#include "storage/frame.h"

#include "storage/chunk_number.h"

enum { AT_N = 4 }; /* of the number of samples in the header, see proto/packed.h */

static void put_kept(const uint8_t *column, size_t item_bytes, const bool *marked, size_t n, struct buf *out)
{
	for (size_t i = 0; column && i < n;) {
		size_t end = i;
		while (end < n && !marked[end])
			end++;
		if (end > i)
			buf_put(out, (struct bytes){column + i * item_bytes, (end - i) * item_bytes});
		i = end + 1;
	}
}

void frame_without(const struct packed *f, const bool *marked, struct buf *out)
{
	uint8_t header[PACKED_HEADER_BYTES];
	uint32_t n_kept = 0;

	for (size_t i = 0; i < f->n; i++)
		n_kept += !marked[i];
	memcpy(header, f->frame.data, sizeof header);
	for (unsigned i = 0; i < 4; i++)
		header[AT_N + i] = (uint8_t)(n_kept >> 8 * i);
	buf_put(out, (struct bytes){header, sizeof header});
	put_kept(f->t_ns, 8, marked, f->n, out);
	put_kept(f->bits, 8, marked, f->n, out);
	put_kept(f->sigma, 8, marked, f->n, out);
	put_kept(f->series, 4, marked, f->n, out);
	put_kept(f->quality, 1, marked, f->n, out);
	buf_put(out, f->texts);
	buf_put(out, f->source);
}

int frame_sample(const struct packed *f, size_t i, enum value_type type, const char *source,
		 struct sample *ret)
{
	TRY(packed_sample(f, i, type, source, ret));
	if (type == VALUE_DOUBLE && ret->value.type == VALUE_DOUBLE && !isfinite(ret->value.real))
		ret->quality = QUALITY_BAD;
	return 0;
}

const char *frame_source(const struct packed *f, char text[static SOURCE_MAX + 1])
{
	if (f->source.len == 0)
		return NULL;
	memcpy(text, f->source.data, f->source.len);
	text[f->source.len] = '\0';
	return text;
}

/* ---- The small form ---------------------------------------------------------------------------------------
 */

enum { AT_FLAGS = 1, AT_SOURCE = 2, AT_TEXTS = 8 }; /* in the header too */

static uint32_t header_u32(const uint8_t *header, size_t at)
{
	return packed_u32(header + at, 0);
}

/* A column of 8 or 4 bytes each as numbers. */
static void put_column(const uint8_t *column, size_t item_bytes, size_t n, enum number_kind kind,
		       struct buf *out)
{
	uint64_t v[CHUNK_SAMPLES_MAX];

	for (size_t i = 0; i < n; i++)
		v[i] = item_bytes == 8 ? packed_u64(column, i) : packed_u32(column, i);
	numbers_encode(v, n, kind, CHUNK_FAST, out);
}

bool frame_squeeze(const struct packed *f, struct buf *out)
{
	if (f->n == 0 || f->n > CHUNK_SAMPLES_MAX)
		return false;
	buf_put(out, (struct bytes){f->frame.data, PACKED_HEADER_BYTES});
	put_column(f->t_ns, 8, f->n, NUMBER_INTEGER, out);
	put_column(f->bits, 8, f->n, NUMBER_DOUBLE, out);
	if (f->sigma)
		put_column(f->sigma, 8, f->n, NUMBER_DOUBLE, out);
	put_column(f->series, 4, f->n, NUMBER_INTEGER, out);
	if (f->quality)
		buf_put(out, (struct bytes){f->quality, f->n});
	buf_put(out, f->texts);
	buf_put(out, f->source);
	return true;
}

static int read_column(struct record_reader *in, size_t item_bytes, size_t n, uint8_t **at)
{
	uint64_t v[CHUNK_SAMPLES_MAX];

	TRY(numbers_decode(in, n, v));
	for (size_t i = 0; i < n; i++) {
		memcpy(*at, &v[i], item_bytes); /* little-endian, as packed.h is */
		*at += item_bytes;
	}
	return 0;
}

static int read_columns(struct record_reader *in, const uint8_t *header, uint8_t *at)
{
	const size_t n = header_u32(header, AT_N);

	TRY(read_column(in, 8, n, &at));
	TRY(read_column(in, 8, n, &at));
	if (header[AT_FLAGS] & PACKED_SIGMA)
		TRY(read_column(in, 8, n, &at));
	return read_column(in, 4, n, &at);
}

/* Bytes of the frame behind its numbers. */
static size_t tail_bytes(const uint8_t *header)
{
	const size_t n = header_u32(header, AT_N);

	return (header[AT_FLAGS] & PACKED_QUALITY ? n : 0) + header_u32(header, AT_TEXTS) + header[AT_SOURCE];
}

int frame_expand(struct arena *a, struct bytes in, struct bytes *ret)
{
	struct record_reader r = record_reader(in);
	const struct bytes header = record_bytes(&r, PACKED_HEADER_BYTES);

	if (r.failed || header_u32(header.data, AT_N) > CHUNK_SAMPLES_MAX)
		return FAIL(ERR_CORRUPT);
	const size_t n = header_u32(header.data, AT_N), tail = tail_bytes(header.data);
	const size_t numbers = n * (header.data[AT_FLAGS] & PACKED_SIGMA ? 28 : 20);
	if (tail > in.len - PACKED_HEADER_BYTES)
		return FAIL(ERR_CORRUPT);
	uint8_t *frame = arena_take(a, PACKED_HEADER_BYTES + numbers + tail);
	if (!frame)
		return FAIL(-ENOMEM);
	memcpy(frame, header.data, PACKED_HEADER_BYTES);
	/* the numbers tell where they end: what is left must be the tail */
	r.end -= tail;
	TRY(read_columns(&r, header.data, frame + PACKED_HEADER_BYTES));
	if (r.at != r.end)
		return FAIL(ERR_CORRUPT);
	if (tail > 0)
		memcpy(frame + PACKED_HEADER_BYTES + numbers, r.end, tail);
	*ret = (struct bytes){frame, PACKED_HEADER_BYTES + numbers + tail};
	return 0;
}
