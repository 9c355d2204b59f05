/* SPDX-License-Identifier: Apache-2.0 */
/* Batch - ops on their way into the log: encoded, and remembered by what they are about, so that the checks
 * of a later op see the earlier ones before the table does.
 *
 *     lineage (4)  seq base (8)  stamp base (8)  n (4)  then n times: form (1), length (4), encoded op
 *
 * Forms: an op as protobuf, a packed frame as it came, without the samples that were refused, or such a frame
 * made small.
 *
 * Owner:   see storage/store.h. Threads: one at a time.
 */
#pragma once

#include "proto/map.h"
#include "proto/packed.h"
#include "storage/producers.h"
#include "storage/store.h"

/* What an op is about: kind and up to three names. */
enum staged_kind {
	STAGED_TYPE = 'T',    /* name: as declared */
	STAGED_EFFECT = 'e',  /* name: the type as it takes effect; comes with a staged type */
	STAGED_TWIN = 't',    /* id */
	STAGED_EDGE = 'r',    /* from, type, to */
	STAGED_MEMBER = 'm',  /* child, hierarchy, parent */
	STAGED_SAMPLES = 's', /* twin, property */
	STAGED_STEP = 'p',    /* twin, property: a word of one with transitions */
	STAGED_ORIGIN = 'o',  /* ORG/NODE, or ORG: all of them */
	STAGED_COMMAND = 'c', /* id, as text */
};

struct staged_key {
	enum staged_kind kind;
	const char *a, *b, *c; /* NULL: none */
};

/* One staged op, on top of the earlier ones about the same thing. */
struct staged {
	enum staged_kind kind;
	bool gone;           /* it deletes */
	bool noted;          /* it follows from the op before: batch_note() */
	const struct op *op; /* a copy of a type, twin (life-cycle joined), relation, membership or step (its
				sample without source); else NULL */
	const struct staged *before; /* the op staged just before, whatever it is about */
	const struct staged *below;  /* the one before about the same thing */
	struct staged_slot *slot;    /* private */
	size_t at;                   /* place in the batch: a later one is larger */
};

enum batch_form { BATCH_OP = 1, BATCH_PACKED, BATCH_SQUEEZED /* read as BATCH_PACKED */ };

/* A staged packed frame. */
struct staged_frame {
	uint64_t session, number;
	size_t at; /* place in the batch */
};

/* The word that the next one has to follow (storage/steps.h). */
struct step {
	bool is_taken; /* else none was yet: the property stands at its first word */
	int64_t t_ns;
	const char *word; /* good until the batch or the table changes */
};

/* How far the samples of an op were looked at that each follow the one before, for who goes on there. */
struct steps_seen {
	const struct op_samples *of; /* NULL: none */
	size_t next;
	struct step last;
};

struct batch {
	struct buf ops;
	size_t n;
	size_t n_samples; /* in it, at most */
	void *fund;       /* memory held for applying it, see store_reserve() */
	int64_t now_ns;   /* latest time at which an op was staged */
	uint64_t number;  /* in the log, once written */
	struct arena *arena;
	struct map slots;
	const struct staged *last;
	struct staged_frame *frames;
	size_t n_frames, frames_size;
	struct producers taken; /* the numbers of those frames */
	struct steps_seen steps_seen;
};

struct batch_header {
	uint32_t lineage;
	uint64_t seq_base;
	int64_t stamp_base_ns;
	uint32_t n;
};

/* The latest op about a thing; NULL: none in this batch. */
const struct staged *batch_find(const struct batch *b, const struct staged_key *key);

/* Take an op: encode `op`, remember `seen` (what the table will hold; NULL: nothing to remember). */
MUST_CHECK int batch_take(struct batch *b, const struct staged_key *key, const struct op *op,
			  const struct op *seen);

/* Remember what follows from the op just taken; it goes with it. */
MUST_CHECK int batch_note(struct batch *b, const struct staged_key *key, const struct op *seen);

/* The same for what is about to be taken at a place, see batch_mark(). */
MUST_CHECK int batch_note_at(struct batch *b, const struct staged_key *key, const struct op *seen, size_t at);

/* Take a packed frame, whose bytes the caller appends to b->ops between begin and end. */
MUST_CHECK int batch_frame_begin(struct batch *b, size_t *ret_at);
MUST_CHECK int batch_frame_end(struct batch *b, size_t at, uint64_t session, uint64_t number);

/* The encoded batch with its header filled in; good until the batch changes. */
struct bytes batch_seal(struct batch *b, const struct batch_header *header);

/* Append a sealed batch with its frames in their small form (storage/frame.h) where that is smaller.
 * ERR_CORRUPT, -ENOMEM. */
MUST_CHECK int batch_squeeze(struct bytes sealed, struct buf *out);

/* Read a sealed batch, entry by entry. ERR_CORRUPT. */
struct batch_reader {
	struct batch_header header;
	struct bytes rest;
};
MUST_CHECK int batch_read(struct bytes sealed, struct batch_reader *ret);
struct batch_entry {
	enum batch_form form;
	struct op op;         /* BATCH_OP, in the arena */
	struct packed packed; /* BATCH_PACKED, in the batch or the arena */
};
MUST_CHECK int batch_read_next(struct batch_reader *r, struct arena *a,
			       struct batch_entry *ret); /* 1: an entry, 0: the end */
