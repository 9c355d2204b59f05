/* SPDX-License-Identifier: Apache-2.0 */
/* Policy phrases - small alphabets out of which policies and questions are made, and the ways to hold the
 * product against the naive meaning.
 */
#pragma once

#include "proto/buf.h"
#include "tests/unit/security/policy_naive.h"

enum { N_TO = 5, N_TWINS = 9, N_ALLOW = 10, N_DENY = 11, N_REDACT = 4, N_UNTIL = 3 };
enum { REDACT_NOT, REDACT_TOKEN, REDACT_DROP };

/* Sets of phrases, one bit each. */
struct phrase_rule {
	bool never;
	unsigned to, twins, what; /* `what`: of the allow or deny phrases */
	unsigned redact, until;   /* which one; of a share */
};

extern const int64_t phrase_until_ns[N_UNTIL]; /* when a share ends */

/* A command is allowed to organisations by name only: other phrases are taken out of `to` then. */
struct naive_rule phrase_meaning(struct phrase_rule rule);
bool phrase_has_command(unsigned allow);

/* A policy of these rules as text, with a NUL. */
void phrase_print(struct buf *b, const struct naive_rule *rules, size_t n);

/* The questions worth asking: who (organisation and role) x twin x what (right and property). */
enum { N_ASKERS = 6, N_ASKED_TWINS = 6, N_ASKED = 14, N_QUERIES = N_ASKERS * N_ASKED_TWINS * N_ASKED };
struct policy_query phrase_query(size_t i, int64_t now_ns); /* i < N_QUERIES */

/* ---- Chance: HOLON_SEED=N repeats a run ---- */
void chance_begin(uint64_t seed);
uint64_t chance(uint64_t n);
struct naive_rule some_rule(bool never);
size_t some_rules(struct naive_rule *rules, size_t most);
struct policy_query some_query(void);

/* The text parsed; aborts if that fails. */
struct policy *phrase_policy(const char *text);
/* In words, for who reads of a failure. */
void phrase_say(const char *what, const struct policy_query *q, const char *text);
