/* SPDX-License-Identifier: Apache-2.0 */
/* Conditions - what the rules of a policy look at in a twin, apart from the rules: its path, a tag, its type.
 *
 * Two twins that meet the same conditions are one to the policy: whoever may do something with the one, may
 * with the other. Whoever keeps decisions for many twins needs one for each set of conditions that is met.
 */
#pragma once

#include "proto/arena.h"
#include "proto/scope.h"

struct policy;

enum condition_by { BY_PATH, BY_TAG, BY_TYPE };

struct condition {
	enum condition_by by;
	const char *text; /* a pattern for BY_PATH, without the own organisation */
};

/* Of all rules, as often as they are written; texts are the policy's. A policy of NULL has none. -ENOMEM. */
MUST_CHECK int policy_conditions(const struct policy *p, struct arena *a, const struct condition **ret,
				 size_t *ret_n);

/* A list of them, made to be asked which a twin meets without looking at each. The list and its texts are
 * borrowed. */
struct condition_index;
MUST_CHECK int condition_index_new(struct condition_index **ret, const struct condition *list, size_t n);
void condition_index_free(struct condition_index *ix); /* NULL is fine */

/* Append to ret_places, which has room for all, the places in the list of what is met by a path (without the
 * own organisation), a tag or a type; in order. */
void condition_index_find(const struct condition_index *ix, enum condition_by by, const char *text,
			  uint32_t *ret_places, size_t *n);

DEFINE_SCOPED(condition_index, condition_index_free)
