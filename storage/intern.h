/* SPDX-License-Identifier: Apache-2.0 */
/* Intern - one copy of every text the table holds many times: relation types, hierarchies, sources, words of
 * enums. Counted, so that what an adapter sends once does not stay for ever.
 *
 * Owner:   embeds the struct, zeroed is empty. Threads: one.
 */
#pragma once

#include <stdint.h>

#include "proto/map.h"

struct intern {
	struct map words;
};

void intern_fini(struct intern *in); /* frees all words, used or not */

/* One more use of a text; NULL gives NULL. -ENOMEM. */
MUST_CHECK int intern_take(struct intern *in, const char *text, const char **ret);
/* The copy there is, without using it; NULL: none. */
const char *intern_find(const struct intern *in, const char *text);
/* One use less of a text that intern_take() gave; NULL is fine. */
void intern_drop(struct intern *in, const char *text);

/* Where a text is or was used, in places that whoever marks them knows; forgotten with its last use. */
void intern_mark(const char *text, uint64_t places);
uint64_t intern_places(const char *text);
