/* SPDX-License-Identifier: Apache-2.0 */
#include "federation/cursor.h"

enum { CURSOR_VERSION = 1, CURSOR_SCAN_VERSION = 2 };

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
	p = put_u64(p, (uint64_t)c->stamp_ns);
	put_u64(p, c->epoch);
}

bool cursor_is_scan(const struct cursor *c)
{
	return c->begun > c->seq;
}

size_t cursor_encode_scan(const struct cursor *c, uint8_t ret[CURSOR_SCAN_BYTES])
{
	cursor_encode(c, ret);
	if (!cursor_is_scan(c))
		return CURSOR_BYTES;
	ret[0] = CURSOR_SCAN_VERSION;
	put_u64(ret + CURSOR_BYTES, c->begun);
	return CURSOR_SCAN_BYTES;
}

int cursor_decode(struct bytes in, struct cursor *ret)
{
	const bool scan = in.len == CURSOR_SCAN_BYTES;

	if ((in.len != CURSOR_BYTES && !scan) || in.data[0] != (scan ? CURSOR_SCAN_VERSION : CURSOR_VERSION))
		return FAIL(ERR_MALFORMED);

	const uint8_t *p = in.data + 1;
	struct cursor c = {get_u64(p),      get_u64(p + 8),
			   get_u64(p + 16), (int64_t)get_u64(p + 24),
			   get_u64(p + 32), scan ? get_u64(p + 40) : 0};
	if (c.snap_hi < c.seq || (scan && !cursor_is_scan(&c)))
		return FAIL(ERR_MALFORMED);
	*ret = c;
	return 0;
}

/* The place of the reader's incarnation in a lineage; n: it is not there. */
static size_t place_in_lineage(const struct cursor *c, const struct head *head)
{
	size_t at = 0;

	while (at < head->n_lineage && head->lineage[at].id != c->incarnation)
		at++;
	return at;
}

/* Every later incarnation must have begun behind all that the reader may have seen. */
static bool is_undone(const struct cursor *c, const struct head *head, size_t at)
{
	for (size_t later = at + 1; later < head->n_lineage; later++)
		if (c->snap_hi >= head->lineage[later].start_seq)
			return true;
	return false;
}

int cursor_judge(const struct cursor *c, const struct head *head, uint64_t epoch, uint64_t floor)
{
	size_t at = place_in_lineage(c, head);

	if (at == head->n_lineage)
		return c->stamp_ns > head->stamp_ns ? RESET_BEHIND : RESET_LINEAGE;
	if (is_undone(c, head, at))
		return RESET_LINEAGE;
	if (c->snap_hi > head->seq || c->epoch > epoch)
		return RESET_BEHIND;
	return c->seq < floor && c->begun < floor ? RESET_COLLECTED : 0;
}
