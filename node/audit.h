/* SPDX-License-Identifier: Apache-2.0 */
/* Audit - the journal of this node: what it writes down for good, in DIR/audit (storage/audit.h).
 *
 *     note, count --> entries in memory --group--> thread pool: segment, fdatasync --> whoever waits is told
 *                          \--> tree: a signed checkpoint every 1,000 entries or 10 s
 *
 * Reads by partners are counted per partner, rule, what, twin and property, and written once a minute and at
 * the end; a crash loses the counts of its minute. Of more than AUDIT_COUNTERS_MAX different ones in a minute
 * the rest is counted per partner only: the sum is exact, the twins are not named.
 *
 * When nothing can be written, entries wait in memory (AUDIT_WAITING_MAX bytes, what is more is counted and
 * told later), partners are not served and what must be audited is refused; the node goes on for its own
 * organisation.
 *
 * Owner:   the engine. Threads: the loop's. NULL for a journal: nothing is written down (tests of other
 * parts).
 */
#pragma once

#include "proto/audit.h"
#include "proto/err.h"

struct engine;
struct journal;
struct audit_log;

enum {
	AUDIT_COUNTERS_MAX = 8192,
	AUDIT_COUNT_BYTES_MAX = 900 * 1024,
	AUDIT_BOUNDED_MAX = 512,
	AUDIT_WAITING_MAX = 768 * 1024
};

/* The note says which file is damaged. Writes that the node began. */
MUST_CHECK int journal_open(struct journal **ret, struct engine *e, struct err_note *note);
/* Write that it ended, the counts and a last checkpoint; then `done`, on the loop. */
void journal_stop(struct journal *j, void (*done)(struct engine *e));
void journal_free(struct journal *j); /* NULL is fine */
/* Once a second. */
void journal_tick(struct journal *j);

/* Write an entry; its time, node and organisation are filled in. */
void journal_note(struct journal *j, const struct audit_entry *e);
/* What others can bring about as often as they like: `most` entries a minute that agree in kind, org, node,
 * partner, subject and `why` (a few words, not what a peer said) are written whole, the rest is counted and
 * written as one at the minute's end. A count of the entry that is not 0 is how many it stands for. */
void journal_note_bounded(struct journal *j, const struct audit_entry *e, const char *why, unsigned most);
/* Who acts: whose entries node/record.h writes. The one before is given back: put it back when it is done.
 * NULL texts: this node, its organisation, nobody in person. */
struct actor {
	const char *person, *org, *node;
};
struct actor journal_act_as(struct journal *j, const struct actor *actor);
/* What node/record.c keeps; NULL without a journal. */
struct recorded {
	struct actor actor;
	uint64_t epoch;       /* of the policy, as it was written last */
	bool is_not_in_force; /* the same */
	int64_t expired_ns;   /* credentials that ended until then are written */
};
struct recorded *journal_recorded(struct journal *j);
/* The same as journal_note(); `done` is called on the loop when it is durable (0) or could not be written yet
 * (<0). -ENOMEM. */
typedef void journal_fn(void *ctx, int code);
MUST_CHECK int journal_note_then(struct journal *j, const struct audit_entry *e, journal_fn *done, void *ctx);

/* Write what was counted up to now without waiting for the minute's end. `done` is called when that and all
 * entries before it are durable (0) or could not be written yet (<0), perhaps at once. -ENOMEM. */
MUST_CHECK int journal_settle(struct journal *j, journal_fn *done, void *ctx);

/* Something left for a partner. Texts are copied, NULL is "". `what`: "read", "history", "summary", "view".
 * `person`: ORG/NAME of the person who asked; none: the partner's node for itself. */
struct journal_read {
	const char *partner, *person, *rule, *what, *twin, *property;
};
void journal_count(struct journal *j, const struct journal_read *r);
/* A question of a partner was refused. */
void journal_deny(struct journal *j, const char *partner);

/* ERR_REFUSED with a note when what is about to be done could not be audited. */
MUST_CHECK int journal_check(const struct journal *j, struct err_note *note);
/* May partners be served? */
bool journal_can_serve(const struct journal *j);
/* A sentence for `holon status`, NULL when all is well. */
const char *journal_trouble(const struct journal *j);

/* For reading (control_audit.c). */
struct audit_log *journal_log(const struct journal *j);
const char *journal_key(const struct journal *j); /* of the checkpoints */
