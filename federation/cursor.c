/* SPDX-License-Identifier: Apache-2.0 */
#include "federation/cursor.h"

enum { CURSOR_VERSION = 1 };

static uint8_t *put_u64(uint8_t *p, uint64_t v)
{
	for (int shift = 56; shift >= 0; shift -= 8)
		*p++ = (uint8_t)(v >> shift);
	return p;
}

void cursor_encode(const struct cursor *c, uint8_t ret[CURSOR_BYTES])
{
	uint8_t *p = ret;

	*p++ = CURSOR_VERSION;
	p = put_u64(p, c->incarnation);
	p = put_u64(p, c->seq);
	p = put_u64(p, c->snap_hi);
	put_u64(p, c->epoch);
}

int cursor_decode(struct bytes in, struct cursor *ret)
{
	if (in.len != CURSOR_BYTES || in.data[0] != CURSOR_VERSION)
		return FAIL(ERR_MALFORMED);

	const uint8_t *p = in.data + 1;
	struct cursor c = {get_u64(p), get_u64(p + 8), get_u64(p + 16), get_u64(p + 24)};
	if (c.snap_hi < c.seq)
		return FAIL(ERR_MALFORMED);
	*ret = c;
	return 0;
}

/* Every later incarnation must have begun behind all that the reader may have seen. */
static bool is_on_lineage(const struct cursor *c, const struct incarnation *lineage, size_t n)
{
	size_t at = 0;

	while (at < n && lineage[at].id != c->incarnation)
		at++;
	if (at == n)
		return false;
	for (size_t later = at + 1; later < n; later++)
		if (c->snap_hi >= lineage[later].start_seq)
			return false;
	return true;
}

int cursor_check(const struct cursor *c, const struct incarnation *lineage, size_t n_lineage,
		 uint64_t head_seq, uint64_t epoch)
{
	if (!is_on_lineage(c, lineage, n_lineage))
		return RESET_LINEAGE;
	if (c->snap_hi > head_seq)
		return RESET_BEHIND;
	return c->epoch == epoch ? 0 : RESET_EPOCH;
}
