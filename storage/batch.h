/* SPDX-License-Identifier: Apache-2.0 */
/* Batch - ops on their way into the log: encoded, and remembered by what they are about, so that the checks
 * of a later op see the earlier ones before the table does.
 *
 *     lineage (4)  seq base (8)  stamp base (8)  n (4)  then n times: length (4), encoded op
 *
 * Owner:   see storage/store.h. Threads: one at a time.
 */
#pragma once

#include "proto/map.h"
#include "storage/store.h"

/* What an op is about: kind and up to three names. */
enum staged_kind {
	STAGED_TYPE = 'T',    /* name */
	STAGED_TWIN = 't',    /* id */
	STAGED_EDGE = 'r',    /* from, type, to */
	STAGED_MEMBER = 'm',  /* child, hierarchy, parent */
	STAGED_SAMPLES = 's', /* twin, property */
	STAGED_ORIGIN = 'o',  /* ORG/NODE */
};

struct staged_key {
	enum staged_kind kind;
	const char *a, *b, *c; /* NULL: none */
};

/* One staged op, on top of the earlier ones about the same thing. */
struct staged {
	enum staged_kind kind;
	bool gone; /* it deletes */
	const struct op
		*op; /* a copy of a type, twin (life-cycle joined), relation or membership; else NULL */
	const struct staged *before; /* the op staged just before, whatever it is about */
	const struct staged *below;  /* the one before about the same thing */
	struct staged_slot *slot;    /* private */
	size_t at;                   /* place in the batch: a later one is larger */
};

struct batch {
	struct buf ops;
	size_t n;
	int64_t now_ns;  /* latest time at which an op was staged */
	uint64_t number; /* in the log, once written */
	struct arena *arena;
	struct map slots;
	const struct staged *last;
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

/* The encoded batch with its header filled in; good until the batch changes. */
struct bytes batch_seal(struct batch *b, const struct batch_header *header);

/* Read a sealed batch op by op. ERR_CORRUPT. */
struct batch_reader {
	struct batch_header header;
	struct bytes rest;
};
MUST_CHECK int batch_read(struct bytes sealed, struct batch_reader *ret);
MUST_CHECK int batch_read_op(struct batch_reader *r, struct arena *a,
			     struct op *ret); /* 1: an op, 0: the end */
