/* SPDX-License-Identifier: Apache-2.0 */
/* Command - what a person wants a twin's asset to do, and what became of it (DESIGN 9).
 *
 *     send --> refused
 *          \-> pending --permit--> confirmed --> accepted --> done
 *               \______ no role has to confirm ___/  \______> failed      deadline: timed out, from any of
 * them
 *
 * A command is signed by a person, names its deadline, and does at most one thing: its id is the owner's for
 * ever (as long as the record is kept, and beyond that its deadline is over). Whoever sends the same one
 * again learns what became of it. `confirmed` also stands for: nobody had to confirm, it is on its way to the
 * asset. Nothing is handed to an asset after the deadline; an asset that had accepted it may still say `done`
 * or `failed` afterwards: then that is told as the text of a last step and does not change `timed out`.
 *
 * The owner keeps the record and signs a receipt for every step; who sent it keeps the same steps with these
 * receipts. So both organisations can show what the other signed.
 */
#pragma once

#include "proto/buf.h"
#include "proto/op.h"
#include "proto/trust.h"
#include "proto/value.h"

enum command_state {
	COMMAND_NONE,
	COMMAND_PENDING,
	COMMAND_CONFIRMED,
	COMMAND_ACCEPTED,
	COMMAND_DONE,
	COMMAND_FAILED,
	COMMAND_TIMED_OUT,
	COMMAND_REFUSED,
	N_COMMAND_STATES,
};

/* Operations that every twin has besides those of its type; the owner does them itself:
 *     alarm-ack   alarm: text, comment: text
 *     alarm-shelve  alarm: text, for_s: double (at most a week; 0: ends it), comment: text
 *     set         property: text, value: as the property's, as text, within_s: double (0: as the type says)
 */
#define OPERATION_ACK "alarm-ack"
#define OPERATION_SHELVE "alarm-shelve"
#define OPERATION_SET "set"

struct argument {
	const char *name;
	struct value value;
};

enum {
	COMMAND_LIFE_MAX_S = 7 * 86400, /* from issued to deadline */
	COMMAND_WITHIN_S = 60,          /* deadline when neither the sender nor the type says one */
	COMMAND_AHEAD_S = 300,          /* issued so far ahead of the owner's clock at most */
};

struct command {
	uint8_t id[COMMAND_ID_BYTES]; /* random */
	const char *twin, *operation;
	struct argument *arguments; /* at most PARAMETERS_MAX, each name once */
	size_t n_arguments;
	int64_t issued_ns, deadline_ns;
	const char *org, *person; /* who wants it; person "" only where nobody signed */
	const char *node;         /* of that organisation: through which it is sent, no other is believed */
};

/* Somebody's word that a command may be done (or, refuse, may not): of one by its id and twin, or beforehand,
 * of the next `times` of an operation that an organisation sends until a time. Whoever sends a command cannot
 * confirm it too. */
struct permit {
	bool has_id;
	uint8_t id[COMMAND_ID_BYTES];
	const char *twin;
	const char *operation, *org; /* without an id */
	uint32_t times;              /* 1 .. 100,000 */
	int64_t issued_ns, until_ns; /* at most COMMAND_LIFE_MAX_S apart; without an id */
	const char *by_org, *person;
	bool refuse;
};

struct receipt {
	uint8_t command[32]; /* BLAKE2b-256 of the encoded signed_blob of the command, as it came */
	uint8_t id[COMMAND_ID_BYTES];
	uint32_t number; /* of the step, from 1 */
	enum command_state state;
	int64_t t_ns;
	const char *who, *text, *node; /* node: ORG/NODE that signs */
};

struct command_step {
	enum command_state state;
	int64_t t_ns;
	const char *who;      /* ORG/NAME of a person, ORG/NODE, or the adapter: who brought it about */
	const char *text;     /* why; "" for none */
	struct bytes receipt; /* encoded signed_blob of a receipt; empty: a step of who sent it (not delivered
				 yet, no answer), without the owner's word */
	struct bytes permit,
		permit_person; /* encoded signed_blobs: of a permit and of who signed it; empty: none */
};

struct command_record {
	struct bytes command; /* encoded signed_blob of the command; or, `unsigned_`, the encoded command */
	bool unsigned_;
	struct bytes person;        /* encoded signed_blob of the person's credential */
	bool sent;                  /* of who sent it; else of the owner */
	struct command_step *steps; /* at most COMMAND_STEPS_MAX, the last one is how it stands */
	size_t n_steps;
	const char *confirm_role; /* who has to confirm; "" for nobody */
	int64_t received_ns;
	struct bytes permit; /* not empty: the record is a standing permit, and no command: */
	uint32_t used;       /* so often */
};

const char *command_state_text(enum command_state state); /* "timed out" */
bool command_state_parse(const char *text, enum command_state *ret);
static inline bool command_state_is_final(enum command_state state)
{
	return state >= COMMAND_DONE;
}

/* 32 hexadecimal digits. */
enum { COMMAND_ID_TEXT_SIZE = 2 * COMMAND_ID_BYTES + 1 };
void command_id_text(const uint8_t id[COMMAND_ID_BYTES], char ret[COMMAND_ID_TEXT_SIZE]);
bool command_id_parse(const char *text, uint8_t ret[COMMAND_ID_BYTES]);

/* Arguments against an operation: every parameter once and fitting (value_fit(), range, words; a number with
 * its unit was converted by who read it). ERR_REFUSED with a note. Fitted in place. */
struct operation_def;
MUST_CHECK int command_fit(const struct operation_def *op, struct argument *arguments, size_t n,
			   struct err_note *note);
/* The operation that every twin has, by name; NULL: none such. */
const struct operation_def *operation_built_in(const char *name);

void command_encode(const struct command *c, struct buf *out);
MUST_CHECK int command_decode(struct arena *a, struct bytes in, struct command *ret);
void permit_encode(const struct permit *p, struct buf *out);
MUST_CHECK int permit_decode(struct arena *a, struct bytes in, struct permit *ret);
void receipt_encode(const struct receipt *r, struct buf *out);
MUST_CHECK int receipt_decode(struct arena *a, struct bytes in, struct receipt *ret);
void command_record_encode(const struct command_record *r, struct buf *out);
/* Checks all of it but signatures; ERR_MALFORMED. */
MUST_CHECK int command_record_decode(struct arena *a, struct bytes in, struct command_record *ret);
/* The command inside a record, whether signed or not. */
MUST_CHECK int command_of_record(struct arena *a, const struct command_record *r, struct command *ret);
