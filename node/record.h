/* SPDX-License-Identifier: Apache-2.0 */
/* Record - changes of trust and policy, and what was refused, as entries of the audit (DESIGN 6, Audit).
 *
 * One call at each place where such state changes, after it did. The entries name who acts (journal_act_as():
 * a person at the control socket, the peer whose message it is, else this node). Nothing here fails: what
 * cannot be written is counted and told by the journal. What others bring about is bounded: so many entries a
 * minute, the rest as numbers (journal_note_bounded()). A NULL journal: nothing is written down.
 *
 * Threads: the loop's.
 */
#pragma once

#include "node/audit.h"
#include "security/org.h"

struct engine;

/* Have the trust tell of its changes from now on; afterwards: whether the policy held is in force may have
 * changed; once a second: what ended by itself. */
void record_watch(struct engine *e);
void record_policy_state(struct engine *e);
void record_tick(struct engine *e);

/* The bundle of an organisation came in the place of another: an entry for a new manifest, for each
 * credential that is new, was renewed or is gone, and for each new revocation. `before` NULL: it is trusted
 * for the first time. `own`: it is the own organisation's. */
void record_org(struct journal *j, const struct org *before, const struct org *after, bool own);

/* Which credentials of the organisation ended after `from_ns` and not after `to_ns` (wall time). */
void record_expired(struct journal *j, const struct org *org, bool own, int64_t from_ns, int64_t to_ns);

/* Trust in another organisation: `what` is "accepted", "ended", ... */
void record_trust(struct journal *j, const char *what, const char *partner, const char *text);
/* A credential of a node or person of the own organisation: "issued", "renewed", "extended", "expired", ...
 */
void record_credential(struct journal *j, const char *what, const char *name, const char *text);
/* The policy: "taken", "rolled back", "not in force", "in force again", ... */
void record_policy(struct journal *j, const char *what, uint64_t epoch, const char *text);
/* Freshness and agreements, self-tests, clocks, invitations, ... */
void record_admin(struct journal *j, const char *what, const char *text);
/* A connection was cut, or a session ended, because of what the peer did. `org` and `node` name the peer; ""
 * when nobody knows. */
void record_kick(struct journal *j, const char *org, const char *node, const char *why);

/* An origin (ORG/NODE) signed two heads that cannot both be true: an entry that says so, then both heads as
 * encoded signed_blobs in base64, each in as many entries as it takes: subject "fork evidence", property
 * "head1" or "head2". */
void record_fork(struct journal *j, const char *origin, const char *why, const struct bytes heads[2]);

/* An object or a message was refused. `what`: a few words ("bundle", "policy", "freshness", "token",
 * "frame"), always the same ones; `code` and the note say why. The first of each actor, object and code in a
 * minute is written with the note's text, all are counted. */
void record_refused(struct journal *j, enum audit_kind kind, const char *what, int code,
		    const struct err_note *note);
/* The same, for a place where nobody acts: the peer is named, "" when nobody knows. */
void record_refused_of(struct journal *j, const char *org, const char *node, const char *what, int code,
		       const struct err_note *note);
