/* SPDX-License-Identifier: Apache-2.0 */
/* Op - one change to a twin store: what the log holds, what `holon apply` and the importers send. */
#pragma once

#include "proto/buf.h"
#include "proto/row.h"
#include "proto/twin.h"

enum op_kind {
	OP_TYPE = 1,        /* type: create or replace a type */
	OP_TWIN,            /* twin: create or replace a twin */
	OP_TWIN_DELETE,     /* id: delete a twin; its relations go with it, a tombstone stays */
	OP_RELATION,        /* relation: create or replace (same type, from, to) */
	OP_RELATION_DELETE, /* relation: type, from, to */
	OP_MEMBERSHIP,      /* membership: the child's owner confirms or refuses */
	OP_SAMPLES,         /* samples of one property of one twin */
	/* The ones below are the node's own; the control socket refuses them. */
	OP_ROWS,          /* rows of another origin, with the cursor that stands behind them */
	OP_ORG_DROP = 10, /* id: another organisation: forget its origins, with rows and cursors */
	OP_COLLECTION,    /* collection: tombstones of an origin go for good */
	OP_COMMAND,       /* command: create or replace the record of a command, or forget it */
};

/* Why one sample of many was refused. */
enum sample_refusal {
	SAMPLE_NO_SERIES,   /* no such series here (any more) */
	SAMPLE_WRONG_VALUE, /* wrong type, out of the property's range, no word of the enum, no position */
	SAMPLE_AHEAD,       /* more than 5 minutes ahead of the node's clock */
	SAMPLE_EXPIRED,     /* older than the retention of the property */
	SAMPLE_NOT_OWN,     /* not this node's to write */
	SAMPLE_NODES_OWN,   /* of a property that only the node writes (property_is_nodes_own()) */
	SAMPLE_NO_STEP, /* its property has transitions: this word does not follow, or the sample is late */
	N_SAMPLE_REFUSALS,
};
const char *sample_refusal_text(enum sample_refusal reason); /* a sentence for people */

struct op_samples {
	const char *twin, *property;
	struct sample *samples; /* any order, but for a property with transitions that of time */
	size_t n;
};

/* Rows received from a peer. They and the cursor become durable together. */
struct op_rows {
	const char *origin; /* ORG/NODE */
	struct bytes *rows; /* encoded as received, see row.h; `deleted` rows take the twin away */
	size_t n;
	struct bytes cursor; /* the sender's token behind the last row; opaque here */
	bool afresh;         /* what is held of the origin is dropped before */
	bool repair;    /* rows count though they be older than what is held; until the last one, which has
			   the cursor, the origin has none */
	bool has_floor; /* deletions up to `floor` are not known: tombstones are dropped */
	uint64_t floor;
	struct bytes head; /* encoded signed head that these rows reach, empty if not yet at the head */
};

struct op_collection {
	const char *origin; /* ORG/NODE: this node, or one that is held */
	uint64_t floor;     /* with sequence numbers up to here */
};

/* The record of a command (command.h), opaque to the store; ids are given by who sends. */
enum { COMMAND_ID_BYTES = 16 };
struct op_command {
	uint8_t id[COMMAND_ID_BYTES];
	struct bytes record; /* encoded; empty: it goes */
};

struct op {
	enum op_kind kind;
	bool by_node; /* the node's own word: OP_SAMPLES of what is its own. Not encoded: no client says so */
	union {
		struct type_def type;
		struct twin_def twin;
		const char *id;
		struct relation relation;
		struct membership membership;
		struct op_samples samples;
		struct op_rows rows;
		struct op_collection collection;
		struct op_command command;
	};
};

/* Append the encoded op (one protobuf message Op). */
void op_encode(const struct op *op, struct buf *out);
/* ERR_MALFORMED, or -ENOMEM when the arena is used up. */
MUST_CHECK int op_decode(struct arena *a, struct bytes in, struct op *ret);
