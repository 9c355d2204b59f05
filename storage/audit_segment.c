/* SPDX-License-Identifier: Apache-2.0 */
#include "storage/audit_segment.h"

#include "proto/hash.h"

enum { MAGIC_BYTES = 16, WORD = 4, CHECKSUM_BYTES = 8 };

static const uint8_t segment_magic[MAGIC_BYTES] = "holon audit v1\n";
static const uint8_t group_magic[WORD + 1] = "HAG1";

static void put_u64(uint8_t *to, uint64_t v)
{
	for (int i = 7; i >= 0; i--, v >>= 8)
		to[i] = (uint8_t)v;
}

void segment_head_encode(const struct segment_head *h, uint8_t ret[SEGMENT_HEAD])
{
	memcpy(ret, segment_magic, MAGIC_BYTES);
	put_u64(ret + 16, h->number);
	put_u64(ret + 24, h->first);
	put_u64(ret + 32, (uint64_t)h->time_ns);
	put_u64(ret + 40, hash64("audit segment", (struct bytes){ret, 40}, (struct bytes){0}));
}

int segment_head_decode(struct bytes in, struct segment_head *ret)
{
	if (in.len < SEGMENT_HEAD || memcmp(in.data, segment_magic, 13) != 0) /* up to the version */
		return FAIL(ERR_CORRUPT);
	if (memcmp(in.data, segment_magic, MAGIC_BYTES) != 0)
		return FAIL(ERR_VERSION);
	if (get_u64(in.data + 40) != hash64("audit segment", (struct bytes){in.data, 40}, (struct bytes){0}))
		return FAIL(ERR_CORRUPT);
	*ret = (struct segment_head){.number = get_u64(in.data + 16),
				     .first = get_u64(in.data + 24),
				     .time_ns = (int64_t)get_u64(in.data + 32)};
	return 0;
}

void segment_group_encode(const struct segment_group *g, struct buf *out)
{
	const size_t begin = out->len;

	buf_put(out, (struct bytes){group_magic, WORD});
	buf_put_u32(out, (uint32_t)g->records.len);
	buf_put_u32(out, g->n_entries);
	buf_put_u32(out, g->has_checkpoint ? GROUP_HAS_CHECKPOINT : 0);
	buf_put_u64(out, g->first);
	buf_put_u64(out, (uint64_t)g->time_ns);
	if (out->failed)
		return;
	buf_put_u64(out, hash64("audit group", (struct bytes){out->data + begin, GROUP_HEAD - CHECKSUM_BYTES},
				g->records));
	buf_put(out, g->records);
}

static bool only_zeros(struct bytes b)
{
	for (size_t i = 0; i < b.len; i++)
		if (b.data[i] != 0)
			return false;
	return true;
}

static bool whole_group(struct bytes segment, size_t at, struct segment_group *ret)
{
	const uint8_t *p = segment.data + at;
	const size_t room = segment.len - at;

	if (room < GROUP_HEAD || memcmp(p, group_magic, WORD) != 0)
		return false;
	*ret = (struct segment_group){.n_entries = get_u32(p + 8),
				      .has_checkpoint = get_u32(p + 12) & GROUP_HAS_CHECKPOINT,
				      .first = get_u64(p + 16),
				      .time_ns = (int64_t)get_u64(p + 24),
				      .records = {p + GROUP_HEAD, get_u32(p + 4)}};
	return ret->records.len <= AUDIT_GROUP_MAX && ret->records.len <= room - GROUP_HEAD &&
	       get_u64(p + 32) ==
		       hash64("audit group", (struct bytes){p, GROUP_HEAD - CHECKSUM_BYTES}, ret->records);
}

int segment_group_next(struct bytes segment, size_t *at, struct segment_group *ret)
{
	if (whole_group(segment, *at, ret)) {
		*at += GROUP_HEAD + ret->records.len;
		return 1;
	}
	return only_zeros((struct bytes){segment.data + *at, segment.len - *at}) ? 0 : FAIL(ERR_CORRUPT);
}

bool segment_goes_on(struct bytes segment, size_t at)
{
	struct segment_group g;

	while (++at < segment.len)
		if (whole_group(segment, at, &g))
			return true;
	return false;
}
