/* SPDX-License-Identifier: Apache-2.0 */
/* Policy - an organisation's `share` and `never` rules: parsed, checked, decided, explained (DESIGN 6).
 *
 *     allow(q) <=> some share matches q in subject, twin, property and right, and has not ended
 *                  and no never matches q
 *
 * No order, no specificity, no error at evaluation. The text:
 *
 *     policy ORG
 *       org NAME = FINGERPRINT                 # each foreign organisation once; must equal the trusted one
 *       group NAME = ORG, ORG, ...
 *       never "TITLE"                          # wins over every share; never ends
 *         to org NAME [role ROLE] | group NAME | everyone-else, ...
 *         twins PATTERN | tag TAG | type TYPE, ... [with tag TAG | with type TYPE [and ...]]
 *         deny RIGHT, ... [of PROPERTY-PATTERN, ...]     # without `of`: of all
 *       share "TITLE"
 *         to ...                               # as above; everyone-else is every organisation but this one
 *         twins ...                            # ids without the own organisation
 *         allow discover, summary
 *         allow read PATTERN, ...
 *         allow history PATTERN, ... [last DURATION] [step DURATION]
 *         allow watch PATTERN, ... [rate N/s|min|h]
 *         allow command NAME, ... [confirm role ROLE] [rate N/s|min|h]
 *         redact PATTERN, ... as token|drop    # of what this share grants
 *         until TIME                           # every share ends
 *
 * The first word of a line says what it is; indentation is decoration. `#` begins a comment; other than ASCII
 * is possible in comments and titles only. Patterns: literal segments, `*` (one segment), a last `**` (that
 * and everything below). What stands in one `twins` line is joined by "or"; `with` narrows all of the line:
 * `twins ** with tag tie-volt and type line`. Several lines of a kind in one rule are joined by "or".
 *
 * Rights imply: summary and read imply discover, history implies read; watch and command stand alone. A
 * never takes away:
 *
 *     deny discover       # everything; it has no `of`
 *     deny summary        # these properties from summaries; of all (`**`): the summary as such
 *     deny read           # read, history and watch of these properties, and their values in summaries
 *     deny history        # history of these properties
 *     deny watch          # watch of these properties
 *     deny command [NAME] # this command or all; an `of` in the same line does not bound it
 *
 * What may not be read must not leak as a KPI or by being watched, hence the third. To watch is to be told
 * when; what one is told of must be granted by read or summary besides. A command is granted to organisations
 * and their persons by name only. aggregate may be denied already; elsewhere it, protect and by are refused
 * with "not supported yet".
 *
 * `redact` bounds the share it stands in: instead of the value its partner gets a token (the same for the
 * same value of the same property, another for every partner) or, with drop, nothing. A share that grants the
 * property without redaction lifts that of another; a warning says so.
 *
 * A rule for a role matches questions of persons with that role only, so gossip (which has no role) passes it
 * by; a warning says so. A bare date in `until` holds to the end of that day, UTC; a time of day is that
 * instant, at which the share no longer holds.
 *
 * Owner:   policy_parse() makes it, immutable afterwards. Threads: any may decide.
 */
#pragma once

#include "proto/arena.h"
#include "proto/limits.h"
#include "proto/scope.h"

enum right { RIGHT_DISCOVER, RIGHT_SUMMARY, RIGHT_READ, RIGHT_HISTORY, RIGHT_WATCH, RIGHT_COMMAND, N_RIGHTS };

const char *right_text(enum right right);
bool right_parse(const char *text, enum right *ret);
/* Is it a right to some property (of command: by some name), and means nothing without? */
bool right_has_property(enum right right);

struct policy;

/* What the rules look at in a twin. `id` is the whole id; tags and type as the owner keeps them. */
struct policy_twin {
	const char *id;
	const char *type; /* "" for none */
	const char *const *tags;
	size_t n_tags;
};

struct policy_query {
	const char *org;  /* who asks: never the own organisation (own nodes see everything) */
	const char *role; /* of the person who asks; NULL: none, as in all gossip */
	enum right right;
	const struct policy_twin *twin;
	const char *property; /* for SUMMARY: the KPI, or NULL for the summary as such; NULL for DISCOVER;
				 for READ, HISTORY and WATCH: the property; for COMMAND: its name */
	int64_t now_ns;       /* wall time: shares end */
};

/* Who trusts whom with which fingerprint, as the parser must know it: returns the fingerprint of a trusted
 * organisation, with n above 0 that of the n-th root before its present one; NULL: none. A policy that pins
 * an earlier root goes on when the root is rotated. NULL as function: fingerprints are not compared (policy
 * check without a node). */
typedef const char *policy_org_fn(void *ctx, const char *org, size_t n);

struct policy_options {
	const char *own_org; /* the name after `policy` must be it; NULL: any name will do */
	policy_org_fn *fingerprint_of;
	void *ctx;
	int64_t now_ns; /* a share that has ended already is a warning */
};

struct policy_finding {
	unsigned line;    /* 1.. */
	bool error;       /* else a warning */
	const char *text; /* without `line N: ` */
};

/* Parse and check. Findings (arena) are all errors and warnings in line order, of many the first hundred of
 * each. With an error: ERR_REFUSED and the note holds the first as `line N: ...`. */
MUST_CHECK int policy_parse(const char *text, const struct policy_options *opt, struct policy **ret,
			    struct arena *a, struct policy_finding **ret_findings, size_t *ret_n,
			    struct err_note *note);
void policy_free(struct policy *p); /* NULL is fine */

/* How much of a value a partner gets: the more the greater. */
enum policy_form { FORM_NOTHING, FORM_TOKEN, FORM_PLAIN };

/* The decision, total: true only if allowed, values as they are. `ret_until_ns` (may be NULL, written on
 * true): how long an allow holds at most (the latest end among the matching shares). Without a policy (NULL),
 * of twins of others, and for the own organisation, of which no policy speaks: false. */
bool policy_allows(const struct policy *p, const struct policy_query *q, int64_t *ret_until_ns);

/* The same for those who can hand out tokens: FORM_PLAIN exactly when policy_allows() is true. */
enum policy_form policy_form(const struct policy *p, const struct policy_query *q);

/* What stands for a value in front of one partner: TOKEN_SIZE - 1 characters, the same for the same key,
 * organisation, property and value. Without the key (POLICY_TOKEN_KEY bytes) nobody can try values. */
enum { POLICY_TOKEN_KEY = 32, TOKEN_SIZE = 27 };
/* The key that belongs to a secret which all borders of the organisation have (keys/cursor.key), so that all
 * give the same token. */
void policy_token_key(const uint8_t secret[POLICY_TOKEN_KEY], uint8_t ret[POLICY_TOKEN_KEY]);
void policy_token(const uint8_t key[POLICY_TOKEN_KEY], const char *org, const char *property,
		  struct bytes value, char ret[TOKEN_SIZE]);

/* The terms of a watch or a command: of the matching shares the one without confirmation, of those the one
 * with the higher rate; never a mixture of two. False: not allowed. */
struct policy_bounds {
	const char *confirm_role; /* NULL: nobody has to confirm */
	uint32_t rate;            /* so often ... */
	int64_t rate_per_ns;      /* ... in this time; 0: no bound */
};
bool policy_bounds(const struct policy *p, const struct policy_query *q, struct policy_bounds *ret);

/* How far back and how finely a partner may see the history of a property: of the windows of the matching
 * shares the one that reaches farthest, of those the finest; never a mixture of two, which would be more than
 * either. last_ns 0: everything; step_ns 0: every sample. False: not at all. */
bool policy_history_window(const struct policy *p, const struct policy_query *q, int64_t *ret_last_ns,
			   int64_t *ret_step_ns);

/* A sentence for an admin of the owning organisation: the deciding rule with its line, or what is missing for
 * an allow and the nearest share ("discover is granted by line 12, read is not: no share grants read of
 * ..."). NULL when memory ran out. *ret_allowed is what policy_allows() says. */
const char *policy_why(const struct policy *p, const struct policy_query *q, struct arena *a,
		       bool *ret_allowed);

/* The share that decides an allow: of those that grant as much, the one that holds longest. */
struct policy_ruling {
	unsigned line;
	const char *title;
	int64_t until_ns;
};
enum policy_form policy_ruling(const struct policy *p, const struct policy_query *q,
			       struct policy_ruling *ret);

/* Append what the rules name and the list does not have yet: roles of an organisation, commands of shares. A
 * policy of NULL names nothing. -ENOMEM. */
MUST_CHECK int policy_roles(const struct policy *p, const char *org, struct arena *a, const char ***roles,
			    size_t *n);
MUST_CHECK int policy_commands(const struct policy *p, struct arena *a, const char ***commands, size_t *n);

/* When the next share ends after now_ns (INT64_MAX: never): visibility must be computed anew then. */
int64_t policy_next_end(const struct policy *p, int64_t now_ns);

DEFINE_SCOPED(policy, policy_free)
