/* SPDX-License-Identifier: Apache-2.0 */
/* Broods - the rows that name a parent, from the parent: a list of each, in the order in which they came.
 *
 * Owner:   embeds the struct, zeroed is empty; what is in it, and its texts, are not its own. Threads: one.
 */
#pragma once

#include "proto/map.h"

struct own_row;

/* A parent as one row names it. It must not move while it is in. */
struct parent_ref {
	const char *hierarchy, *parent; /* interned */
	struct own_row *row;
	struct parent_ref *next, *prev; /* of the same parent, in any hierarchy */
};

struct broods {
	struct map parents; /* id -> struct brood */
};

void broods_fini(struct broods *b);

/* 1: it is the first of its parent. -ENOMEM, then nothing has changed. */
MUST_CHECK int broods_put(struct broods *b, struct parent_ref *ref);
/* It is in. True: it was the last of its parent. */
MUST_CHECK bool broods_remove(struct broods *b, struct parent_ref *ref);
/* The first of a parent, in any hierarchy; NULL: none. */
struct parent_ref *broods_first(const struct broods *b, const char *parent);
