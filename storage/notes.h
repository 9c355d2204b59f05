/* SPDX-License-Identifier: Apache-2.0 */
/* Notes - what few samples state beside their value, uncertainty and source, each pair kept once and counted.
 *
 * Owner:   embeds the struct; `words` is set at start, the rest zeroed. Threads: one at a time.
 */
#pragma once

#include "storage/intern.h"

struct note {
	uint64_t sigma;     /* bits of the double; NaN: not stated */
	const char *source; /* a word; NULL: not stated */
	uint32_t uses;
	uint32_t next; /* in its chain, or of the free ones */
};

struct notes {
	struct intern *words;
	struct note *items; /* 0 stays unused: it means that nothing is stated */
	uint32_t n, size, free;
	uint32_t *chains; /* as many as there is room for items */
	uint32_t last;    /* handed out last: mostly the next one too */
};

void notes_fini(struct notes *ns); /* its words stay */

/* Use a pair: its number goes to ret, 0 when neither is stated. -ENOMEM. */
MUST_CHECK int notes_take(struct notes *ns, double sigma, const char *source, uint32_t *ret);
void notes_drop(struct notes *ns, uint32_t note); /* 0 is fine */
