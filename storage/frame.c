/* SPDX-License-Identifier: Apache-2.0 */
#include "storage/frame.h"

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
