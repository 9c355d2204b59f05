/* SPDX-License-Identifier: Apache-2.0 */
/* Invites - whom this admin node has invited to join, and what becomes of what they ask (proto/join.h).
 *
 * An invitation is good for one machine: the first good request is the only one, whoever else may have seen
 * the token. It is good for its time, its name, its roles and prefixes. All of it is durable before it
 * counts, so a restart loses nothing: neither an invitation nor that it was used.
 *
 * Owner:   the engine; NULL without a signer. Threads: the loop's.
 */
#pragma once

#include "proto/join.h"
#include "security/org.h"

struct engine;
struct invites;

enum {
	INVITE_LIFE_DEFAULT_S = 3600,
	INVITE_LIFE_MAX_S = 24 * 3600,
	INVITE_KEPT_S =
		24 * 3600, /* after its end, for a machine that was cut off before it had the answer */
};

MUST_CHECK int invites_open(struct invites **ret, struct engine *e, struct err_note *note);
void invites_free(struct invites *i); /* NULL is fine */

/* Keep a new invitation; `asked` says name, roles, prefixes, endpoints, until_ns and at_once. Appends the
 * token as text, which is nowhere else. `enrol` "": where this node listens. ERR_REFUSED with a note. */
MUST_CHECK int invites_add(struct invites *i, const struct invitation *asked, const char *enrol,
			   struct buf *ret_token, struct err_note *note);

/* All of them, with their words; key and request left out. Points into the arena and into `i`. */
MUST_CHECK int invites_list(const struct invites *i, struct arena *a, struct invitations *ret);

/* What a stranger with this key asks, and the reply to it, which points into the arena. ERR_UNTRUSTED: it
 * made nothing good of an invitation (the reply says no). */
MUST_CHECK int invites_judge(struct invites *i, struct arena *a, const struct join_ask *ask,
			     const struct curve_key *shown, struct join_reply *ret, struct err_note *note);

/* Issue the credential. `words` are those that were compared. `done` on the loop, when it is in force. */
typedef void invites_fn(void *ctx, int code, const struct err_note *note);
MUST_CHECK int invites_approve(struct invites *i, const char *name, const char *words, invites_fn *done,
			       void *ctx, struct err_note *note);
MUST_CHECK int invites_refuse(struct invites *i, const char *name, struct err_note *note);
