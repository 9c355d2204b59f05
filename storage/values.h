/* SPDX-License-Identifier: Apache-2.0 */
/* Values - the present value of every series, as columns by number of series; and whose a series is.
 *
 * Numbers are given in order and never again. The series of a twin lie in a row within one block of 1,024, so
 * that a block knows its twins by the bits where a row begins. A block is stored in pieces of 64 series:
 *
 *     'v' piece (4): masks (8 each): measured, texts, positions, with quality or note; of those measured
 *                    times (8 each) and values (8 each, 0 for texts and positions), little-endian; of those
 *                    with more: quality (1), uncertainty (8), source; texts; positions (3 x 8)
 *
 * Owner:   embeds the struct. Threads: one at a time. Views: texts are good until the series is set again.
 */
#pragma once

#include "proto/value.h"
#include "storage/changeset.h"
#include "storage/notes.h"

enum { VALUES_BLOCK = 1024, VALUES_PIECE = 64, VALUES_PIECES = VALUES_BLOCK / VALUES_PIECE };
enum { VALUES_NOBODY = 0 }; /* twins are numbered from 1 */

struct values_block {
	int64_t t_ns[VALUES_BLOCK];
	uint64_t bits[VALUES_BLOCK]; /* texts: pointer to the word; positions: to their own memory */
	uint32_t chain[VALUES_BLOCK];
	uint32_t *more;   /* quality + 4 * note; NULL: all are good, without note */
	uint32_t *owners; /* twins, in the order of the rows */
	uint32_t n_owners, owners_size, n_alive;
	uint64_t alive[VALUES_PIECES], first[VALUES_PIECES]; /* first: a row begins */
	uint64_t measured[VALUES_PIECES], texts[VALUES_PIECES], positions[VALUES_PIECES];
	uint16_t before[VALUES_PIECES]; /* rows that begin in earlier pieces */
	uint16_t dirty, frozen;         /* pieces */
	uint32_t number;                /* of the block */
};

struct values {
	struct values_block **blocks; /* by number / VALUES_BLOCK; NULL: all its series are gone */
	size_t n_blocks, size;
	uint32_t next; /* number to be given next */
	struct intern *words;
	struct notes notes;
	struct changeset *frozen_to; /* where frozen pieces go before they change; NULL: none are frozen */
	size_t frozen_at;            /* blocks before it have none */
};

void values_init(struct values *v, struct intern *words);
void values_fini(struct values *v);

/* ---- Whose they are ---------------------------------------------------------------------------------------
 */

/* Numbers for n (1 .. VALUES_BLOCK) series of a twin. -ENOMEM. */
MUST_CHECK int values_give(struct values *v, uint32_t n, uint32_t twin, uint32_t *ret_first);
/* The series is nobody's from here on and its value is gone. -ENOMEM. */
MUST_CHECK int values_drop(struct values *v, uint32_t series);

static inline struct values_block *values_block(const struct values *v, uint32_t series)
{
	return series / VALUES_BLOCK < v->n_blocks ? v->blocks[series / VALUES_BLOCK] : NULL;
}

/* The twin of a series, VALUES_NOBODY when there is no such series (any more). */
static inline uint32_t values_owner(const struct values *v, uint32_t series)
{
	const struct values_block *b = values_block(v, series);
	const uint32_t word = series % VALUES_BLOCK / 64, bit = series % 64;

	if (!b || !(b->alive[word] >> bit & 1))
		return VALUES_NOBODY;
	return b->owners[b->before[word] + __builtin_popcountll(b->first[word] << (63 - bit)) - 1];
}

/* Of series that are alive. */
static inline uint32_t *values_chain(const struct values *v, uint32_t series)
{
	return &v->blocks[series / VALUES_BLOCK]->chain[series % VALUES_BLOCK];
}

static inline bool values_is_measured(const struct values *v, uint32_t series)
{
	return v->blocks[series / VALUES_BLOCK]->measured[series % VALUES_BLOCK / 64] >> series % 64 & 1;
}

/* ---- Values ----------------------------------------------------------------------------------------------
 * Of series that are alive. */

/* Type VALUE_NONE: never measured. `type` is the series'. */
struct sample values_get(const struct values *v, uint32_t series, enum value_type type);

/* A newer one: 0; VALUES_OLD: what is there is newer or the very same, nothing has changed. -ENOMEM. */
enum { VALUES_OLD = 1 };
MUST_CHECK int values_set(struct values *v, uint32_t series, const struct sample *s);
/* The same for a bool, int64 or double by its bits (value_bits() in storage/column.h), without uncertainty.
 */
MUST_CHECK int values_set_number(struct values *v, uint32_t series, int64_t t_ns, uint64_t bits,
				 enum quality quality, const char *source);

/* ---- Which have a text ------------------------------------------------------------------------------------
 */

/* The first series at or behind `from` whose value is this word, a text that intern_find() gave; 0: none. A
 * word knows roughly where it is used, so what is rare is found without looking at all. */
uint32_t values_with_text(const struct values *v, const char *word, uint32_t from);

/* ---- Stored form ------------------------------------------------------------------------------------------
 */

/* What is dirty is to go into `to`, by values_take() a few blocks at a time, and before it changes. Nothing
 * is copied yet. */
void values_freeze(struct values *v, struct changeset *to);
size_t values_frozen(const struct values *v);                  /* pieces that are frozen, at most */
MUST_CHECK int values_take(struct values *v, size_t n_blocks); /* 0: call again, 1: everything is in `to` */
void values_thaw(struct values *v);                            /* what was not taken is dirty again */

/* Loading: `next` is set; place the rows of all twins, index, claim every row for its twin, load the pieces.
 * ERR_CORRUPT, -ENOMEM. */
MUST_CHECK int values_place(struct values *v, uint32_t first, uint32_t n);
MUST_CHECK int values_index(struct values *v);
void values_claim(struct values *v, uint32_t first, uint32_t twin);
MUST_CHECK int values_load(struct values *v, struct bytes key, struct bytes value);
