/* SPDX-License-Identifier: Apache-2.0 */
/* Recent - samples in memory in the order in which they came: blocks of slots, never moved. Slots are
 * numbered all along; the numbers go round in 32 bits. Each slot names the one before it of its series, the
 * caller keeps the number of the newest, so that a series needs no memory of its own here.
 *
 * The oldest blocks may be frozen: they no longer change, another thread may sort them, and then they are
 * dropped whole, texts and all. Nobody is told: what named a slot in them finds that it is gone. A number is
 * taken for what it says only if a slot of that number is there and is of the same series. That is enough:
 * suppose a chain was left pointing to a dropped slot, and there is a new one with the same number and of the
 * same series. Then adding that one has set the chain anew, so the chain was not left. The same holds for the
 * slot that another one names as the one before it, which is what the chain was when that one was added.
 *
 * Owner:   embeds the struct, zeroed is empty. Threads: one; a second may look at what is frozen.
 */
#pragma once

#include "storage/column.h"

struct slot {
	int64_t t_ns;
	uint64_t bits; /* as in a column; texts and positions: place in the block's `more` */
	uint32_t series;
	uint32_t before; /* number of the one before it of the same series, if that is still there */
	uint32_t note;   /* place in the block's notes, one up; 0: neither uncertainty nor source */
	uint8_t type, quality;
};

struct slot_note {
	double sigma;    /* NaN: not stated */
	uint32_t source; /* place in `more`, or COLUMN_NONE */
};

enum { BLOCK_SLOTS = 1 << 15 };
struct slot_block {
	uint32_t first; /* number of its first slot */
	uint32_t n;
	struct buf more, notes;
	struct slot slots[BLOCK_SLOTS];
};

/* Blocks in a row; the rank of a slot counts from the first one's first. */
struct slot_view {
	struct slot_block **blocks;
	size_t n;
};

struct recent {
	struct slot_view all;
	size_t size;
	struct slot_view frozen; /* the first of them, a list of its own */
	struct slot_view spare;  /* blocks to be, none of their memory touched */
	size_t spare_size;
	bool closed;   /* the last block is not to be added to */
	uint32_t next; /* number of the first slot of the next block; 0 as a slot's number is nobody's */
	size_t n;      /* samples */
};

void recent_fini(struct recent *r);

/* Have room for n samples more, but for their texts, whether it is frozen before they come or not. -ENOMEM.
 */
MUST_CHECK int recent_reserve(struct recent *r, size_t n);
/* What it takes, and with it what sorting it will take. */
size_t recent_bytes(const struct recent *r);

/* Add behind *chain, which changes. -ENOMEM, then nothing has changed. */
MUST_CHECK int recent_add(struct recent *r, uint32_t series, uint32_t *chain, const struct sample *s);
/* A bool or number; the source may be NULL. */
MUST_CHECK int recent_add_number(struct recent *r, uint32_t series, uint32_t *chain,
				 const struct slot *number, const char *source);

/* What is there now changes no more. Freezing again takes in what was left frozen. */
MUST_CHECK int recent_freeze(struct recent *r);
/* Drop what was frozen, or keep it. */
void recent_thaw(struct recent *r, bool drop);

/* A sample to be: its time and its slot. */
struct slot_ref {
	int64_t t_ns;
	uint32_t rank;
};

/* Refs in the order in which they came, into the order of time; of equal times the last one stays. Returns
 * how many are left. */
size_t slot_refs_sort(struct slot_ref *refs, size_t n);

/* The samples of a series with from <= t <= to, in that order. The array is the caller's to free. */
MUST_CHECK int recent_collect(const struct recent *r, uint32_t series, uint32_t chain, int64_t from_ns,
			      int64_t to_ns, struct slot_ref **ret, size_t *ret_n);
/* The newest of them at or before a time: 1, or 0. */
int recent_at(const struct recent *r, uint32_t series, uint32_t chain, int64_t at_ns, struct sample *ret);

/* As many of the refs as make a chunk, at least one, appended to an empty column; *ret: how many. */
MUST_CHECK int slot_view_fill(const struct slot_view *v, const struct slot_ref *refs, size_t n,
			      struct column *c, size_t *ret);

/* One of them as a sample; its texts lie in the block. */
struct sample slot_view_get(const struct slot_view *v, uint32_t rank);

static inline const struct slot *slot_view_at(const struct slot_view *v, uint32_t rank)
{
	return &v->blocks[rank / BLOCK_SLOTS]->slots[rank % BLOCK_SLOTS];
}
