/* SPDX-License-Identifier: Apache-2.0 */
/* Life - what a store goes through in a test: random batches, checkpoints that end well or not, closing and
 * opening, the same for the same seed; and a ledger of what was acknowledged when. It works on `world`
 * (tests/unit/storage/world.h), whose directory and arena the caller sets.
 */
#pragma once

#include "proto/buf.h"

/* What the ledger says of one batch. The first entry is the store as it was founded. */
struct ledger_entry {
	size_t begun, acknowledged; /* how many calls had been made (life_options.calls) */
	char *content;              /* of the whole store with this batch in it */
};

struct ledger {
	struct ledger_entry *entries;
	size_t n;
};
void ledger_fini(struct ledger *l);

struct life {
	uint64_t random; /* seed */
	int batches;
	const size_t *calls; /* counted by somebody else; NULL: nothing counts */
	struct ledger ledger;
};

/* From founding the store to some moment at which it is open. Nothing fails: aborts if anything does. */
void life_live(struct life *l);

/* Take what is in the open store into the ledger, as acknowledged by now. */
void life_note(struct life *l);

/* The first batch, without which the random ones have little to change: types and twins. */
int life_found(struct life *l);

/* One more random batch, written and applied: what store_write() or store_apply() said. */
int life_batch(struct life *l);

/* Begin, write and end a checkpoint: what checkpoint_begin() or checkpoint_write() said. */
int life_checkpoint(void);

/* Everything that can be read from the open store, as text; to be freed. NULL when something was refused, and
 * then `ret` says with what. */
char *life_content(int *ret);
