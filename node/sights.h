/* SPDX-License-Identifier: Apache-2.0 */
/* Sights - which twins are one to the policy, remembered for every own twin by its number.
 *
 * Twins that meet the same conditions of the policy (security/conditions.h) are a class: whatever is decided
 * for one of them holds for all. A view decides once per class and not once per twin. What is remembered here
 * does not depend on who asks; it is looked up again for a twin that has changed in what it is, and for all
 * when the conditions of the policy change.
 *
 * Owner:   the engine, made with the first view. Threads: the loop's.
 */
#pragma once

#include "node/egress.h"

struct sights;

MUST_CHECK int sights_new(struct sights **ret);
void sights_free(struct sights *s); /* NULL is fine */

/* Look whether the policy (NULL: none) has other conditions than before: then classes are numbered anew and
 * *ret_round differs from every earlier one. Good until the policy in force changes. -ENOMEM. */
MUST_CHECK int sights_follow(struct sights *s, const struct policy *p, uint64_t *ret_round);

/* The class of an own twin, or of any twin by what policies look at; 0, 1, ... -ENOMEM. */
MUST_CHECK int sights_class(struct sights *s, const struct twin *t, uint32_t *ret);
MUST_CHECK int sights_class_of(struct sights *s, const struct policy_twin *twin, uint32_t *ret);

DEFINE_SCOPED(sights, sights_free)
