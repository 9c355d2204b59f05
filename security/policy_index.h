/* SPDX-License-Identifier: Apache-2.0 */
/* Policy index - which rules a path, a name or a label meets, without looking at the rules: private to
 * security/policy*.c.
 *
 * One tree of segments below five roots. An edge is found by hash in a table that all nodes share; `*` is an
 * edge of its own. At a node stand two sets of rules: those of patterns that end here, and those of patterns
 * that go on with `**`. A set is a run of cells, 64 rules each, only where there are any; a cell also says
 * for which rights.
 *
 *     subjects     root: everyone-else; organisation; below it the role
 *     twins        paths without the own organisation
 *     tags, types  one edge each
 *     properties   of the clauses; names of commands, too
 *
 * A rule with a narrowed `twins` line stands at the first of what narrows it: it is a candidate there, no
 * more.
 *
 * Owner: the policy, in whose arena it lies. Immutable once built.
 */
#pragma once

#include "proto/arena.h"
#include "proto/limits.h"

enum { RULE_SET_WORDS = POLICY_RULES_MAX / 64 };

/* A set of rules, as indexes into policy.rules. */
struct rule_set {
	uint64_t words[RULE_SET_WORDS];
};

static inline void rule_set_add(struct rule_set *s, size_t rule)
{
	s->words[rule / 64] |= UINT64_C(1) << rule % 64;
}

enum index_root { INDEX_SUBJECTS, INDEX_TWINS, INDEX_TAGS, INDEX_TYPES, INDEX_PROPERTIES, N_INDEX_ROOTS };

struct index_cell {
	uint64_t bits;
	uint16_t word;
	uint8_t rights;
	bool last; /* of its set */
};

struct index_node {
	const char *text; /* the segment that leads here */
	uint32_t parent, hash;
	uint32_t any;         /* node behind `*`; 0: none */
	uint32_t here, below; /* first cell of the set; 0: empty */
	uint16_t length;
};

struct policy_index {
	const struct index_node *nodes; /* the roots first */
	const struct index_cell *cells;
	const uint32_t *table; /* nodes by parent and segment; 0: free */
	uint32_t mask;         /* places in the table - 1 */
};

struct policy;

/* Of a policy without errors. -ENOMEM. */
MUST_CHECK int policy_index(struct policy *p);

/* Of conditions instead of rules: the place in the list, at most POLICY_RULES_MAX of them, stands for the
 * rule. Texts are borrowed, the rest lies in the arena. -ENOMEM. */
struct condition;
MUST_CHECK int index_conditions(const struct condition *list, size_t n, struct arena *a,
				struct policy_index *ret);

/* Add the rules whose patterns below `root` match the path and that have one of the rights. */
void index_add_path(const struct policy_index *ix, enum index_root root, const char *path, unsigned rights,
		    struct rule_set *set);
/* Add what stands at the root itself. */
void index_add_root(const struct policy_index *ix, enum index_root root, struct rule_set *set);
/* Add what stands at the name below a node; returns where that is, 0: nowhere. */
uint32_t index_add_name(const struct policy_index *ix, uint32_t node, const char *name, struct rule_set *set);
