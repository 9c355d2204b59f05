/* SPDX-License-Identifier: Apache-2.0 */
/* Gather - is a commit to wait a moment for those who were just answered?
 *
 * Clients that each wait for their answer fall into two groups that take turns: while a commit is under way
 * for one, the other queues. Both together share a commit, and its two flushes, if the next one waits until
 * the group just answered has come back; that pays while they need less time than a commit. Who does not come
 * back in time costs the others that wait: after waits in vain it is tried ever less often.
 *
 * Owner:   the writer. Decides only, and is told the time.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { GATHER_BYTES_MAX = 16 * 1024 }; /* a commit of more is worth its flushes */
#define GATHER_NS_MAX UINT64_C(1000000)

/* Zeroed: nothing was answered yet. */
struct gather {
	size_t want;       /* requests; 0: do not wait */
	uint64_t until_ns; /* no longer than that */
	unsigned misses;   /* waits in vain, one after the other */
	unsigned skip;     /* commits that do not wait before it is tried again */
};

/* A commit has ended. */
struct gather_commit {
	size_t n_answered, bytes; /* requests, and what they took in the log */
	size_t n_queued;          /* that have come meanwhile */
	uint64_t took_ns, now_ns;
};
void gather_answered(struct gather *g, const struct gather_commit *c);

/* Is the next commit to wait for more than these? Until g->until_ns, unless asked again before. */
bool gather_holds(struct gather *g, size_t n_queued, uint64_t now_ns);
