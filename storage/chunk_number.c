/* SPDX-License-Identifier: Apache-2.0 */
#include "storage/chunk_number.h"

/* Encodings:
 *     plain      n x 8, little-endian
 *     constant   8, little-endian
 */
enum encoding { PLAIN, CONSTANT, N_ENCODINGS };

static const char *const names[N_ENCODINGS] = {"plain", "constant"};

static void put_le(struct buf *out, uint64_t v)
{
	for (int i = 0; i < 8; i++)
		buf_put_u8(out, (uint8_t)(v >> 8 * i));
}

static uint64_t get_le(const uint8_t *p)
{
	uint64_t v = 0;

	for (int i = 7; i >= 0; i--)
		v = v << 8 | p[i];
	return v;
}

static bool is_constant(const uint64_t *v, size_t n)
{
	uint64_t differ = 0;

	for (size_t i = 1; i < n; i++)
		differ |= v[i] ^ v[0];
	return differ == 0;
}

void numbers_encode(const uint64_t *v, size_t n, enum number_kind kind, enum chunk_effort effort,
		    struct buf *out)
{
	const enum encoding e = is_constant(v, n) ? CONSTANT : PLAIN;
	const size_t stored = e == CONSTANT ? 1 : n;

	(void)kind;
	(void)effort;
	buf_put_u8(out, (uint8_t)e);
	record_put_varint(out, 8 * stored);
	for (size_t i = 0; i < stored; i++)
		put_le(out, v[i]);
}

int numbers_decode(struct record_reader *r, size_t n, uint64_t *ret)
{
	const uint8_t e = record_u8(r);
	const struct bytes in = record_bytes(r, record_varint(r));

	if (r->failed || e >= N_ENCODINGS || in.len != 8 * (e == CONSTANT ? 1 : n))
		return FAIL(ERR_CORRUPT);
	for (size_t i = 0; i < n; i++)
		ret[i] = get_le(in.data + (e == CONSTANT ? 0 : 8 * i));
	return 0;
}

const char *numbers_encoding_text(struct bytes part)
{
	return part.len > 0 && part.data[0] < N_ENCODINGS ? names[part.data[0]] : "?";
}
