/* SPDX-License-Identifier: Apache-2.0 */
/* Trust - who this node is, whom its organisation trusts, and which policy is in force.
 *
 * The node's directory holds keys/ and the own organisation's bundle; partners' bundles, the policy and the
 * highest policy epochs seen live in the trust environment of the store. Bundles of different organisations
 * are never merged: a key of B can speak only for B.
 *
 * The policy held and the policy in force are two things: one that does not compile here (it names an
 * organisation this node does not know, or whose bundle has expired) keeps its epoch and shares nothing.
 *
 * Owner:   the engine. Threads: the loop's. Views: organisations stay good until trust_accept() replaces
 * them.
 */
#pragma once

#include "node/clock.h"
#include "node/roster.h"
#include "security/org.h"
#include "security/policy.h"
#include "storage/trust_store.h"

struct partner {
	struct arena *arena;
	struct org org;
	uint64_t digest;                      /* of its bundle: org_digest() */
	uint64_t epoch_seen;                  /* highest policy epoch its border showed */
	bool epoch_dirty;                     /* not stored yet */
	struct curve_key shadowed[NODES_MAX]; /* another partner showed them before (trust_shadow.c) */
	size_t n_shadowed;
};

enum { PARTNERS_MAX = 256 };

/* A bundle came in the place of another (`before`, NULL: of an organisation new here), which goes then. */
typedef void trust_org_fn(void *ctx, const struct org *before, const struct org *after);

struct trust {
	struct trust_store *store;
	struct clock clock;
	struct partner own;
	const struct credential *self;
	struct bytes credential; /* encoded signed_blob of self */
	struct sign_key *sign;
	struct curve_pair *curve;
	struct secret32 *cursor_key; /* NULL unless a border */
	struct partner *partners[PARTNERS_MAX];
	size_t n_partners;
	struct policy *policy;          /* in force; NULL: nothing is shared */
	struct arena *policy_arena;     /* of the two that follow */
	struct policy_doc policy_doc;   /* held; epoch 0: none */
	struct bytes policy_blob;       /* the same signed and encoded, to hand on inside the organisation */
	struct err_note policy_problem; /* why it is held and not in force; empty: it is, or there is none */
	trust_org_fn *on_org;           /* for the audit; NULL: nobody is told */
	void *on_org_ctx;
};

/* `dir` is the node's directory. The note names the file and what to do. */
MUST_CHECK int trust_open(struct trust **ret, const char *dir, int64_t now_ns, struct err_note *note);
void trust_close(struct trust *t); /* NULL is fine */

/* The time that counts wherever something is trusted, shown or ended (node/clock.h); `now_ns` of the
 * functions below. */
int64_t trust_now(const struct trust *t);
/* Time passed, or it is the end: see clock_keep(). */
MUST_CHECK int trust_keep_time(struct trust *t, bool end);

/* Take a bundle: of a new partner (then `fingerprint` must be what its admin said), or of an organisation
 * already trusted, the own one included: then it is joined with what is held (security/org_merge.h), and
 * refused if it is older in manifest or revocations and newer in neither. Durable when it returns; the policy
 * held is compiled again. ERR_UNTRUSTED also when a partner's bundle has a key of the own organisation,
 * that of a new partner one of any other, or the own one other keys for this node than it has; then nothing
 * has changed. */
MUST_CHECK int trust_accept(struct trust *t, struct bytes bundle, const char *fingerprint, int64_t now_ns,
			    const struct org **ret, struct err_note *note);

/* The same of what a peer says: a bundle of an organisation already trusted, or of one that it is agreed to
 * trust (node/agreement.h). It is joined with what is held,
 * so that nothing goes back whatever it leaves out or is behind in. TRUST_OLD: nothing has changed. */
MUST_CHECK int trust_join(struct trust *t, const char *org, struct bytes bundle, int64_t now_ns,
			  struct err_note *note);

/* NULL: not trusted. The own organisation is found too. */
const struct partner *trust_org(const struct trust *t, const char *org);

/* Everybody who may connect now; who has an ended credential is marked as returning. Of two credentials with
 * one key (bundles that expired or were renewed apart from each other) that of the own organisation counts,
 * else the first. */
MUST_CHECK int trust_roster(const struct trust *t, int64_t now_ns, struct roster **ret);

/* An admin's signed policy, to be put in force: signature, own organisation, epoch above the one held, and it
 * must compile against the trusted organisations. TRUST_OLD: the epoch is not newer, nothing was done. */
enum { TRUST_OLD = 1 };
MUST_CHECK int trust_publish(struct trust *t, struct bytes signed_policy, int64_t now_ns,
			     struct err_note *note);
/* The same as a node of the own organisation hands it on; of two with one epoch the one issued later counts.
 * One that does not compile here is held and nothing
 * is shared (policy_problem says why): staying on the older one could share what was taken back. */
MUST_CHECK int trust_take_policy(struct trust *t, struct bytes signed_policy, int64_t now_ns,
				 struct err_note *note);
/* One of the last POLICIES_KEPT policies held, by its epoch; what it is made of lies in the arena. ERR_ABSENT
 * with a note. */
enum { POLICIES_KEPT = 16 };
MUST_CHECK int trust_past_policy(const struct trust *t, uint64_t epoch, struct arena *a,
				 struct policy_doc *ret, struct err_note *note);
/* See whether the policy held can be in force now. */
void trust_recompile(struct trust *t, int64_t now_ns);

/* Compile a policy text as it would be published, without putting it in force. */
MUST_CHECK int trust_compile(const struct trust *t, const char *text, int64_t now_ns, struct policy **ret,
			     struct arena *a, struct policy_finding **ret_findings, size_t *ret_n,
			     struct err_note *note);

/* A partner's border showed this policy epoch. ERR_UNTRUSTED when a higher one was seen before, or when it is
 * so far ahead that it would lock out the partner's other borders: more than EPOCH_JUMP_MAX above the highest
 * seen, or absurd as the first. Counts at once and is stored by trust_flush(): what a crash in between
 * forgets is learnt again from the partner's next head. */
enum { EPOCH_JUMP_MAX = 1000 };
MUST_CHECK int trust_see_epoch(struct trust *t, const char *org, uint64_t epoch);
/* Store the epochs seen since the last time: one commit for each partner that showed a new one. What fails is
 * tried again with the next call. */
MUST_CHECK int trust_flush(struct trust *t);

DEFINE_SCOPED(trust, trust_close)
