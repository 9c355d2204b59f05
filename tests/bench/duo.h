/* SPDX-License-Identifier: Apache-2.0 */
/* Duo - two nodes of an organisation: one owns the twins, the other holds their summaries. For the benches of
 * how rows flow.
 *
 * A twin has an id of 38 bytes and two KPIs; the changes of a twin are counted, and its first KPI says how
 * many there were, so that the holder can be asked which change it shows.
 *
 * Owner: the caller's struct; duo_fini() ends all and removes the directories. Says itself what fails.
 */
#pragma once

#include "tests/bench/fleet.h"

enum { DUO_OWNER, DUO_HOLDER, N_DUO };

struct duo {
	const char *bench;
	size_t n_twins;
	struct fleet fleet;

	/* private */
	uint32_t *handles; /* of the first KPI */
	uint64_t *changes; /* of each twin */
	uint64_t incarnation, session, n_frames;
	unsigned underway;
	struct arena *arena;
};

/* The owner runs and has its twins; the holder does not run. */
int duo_init(struct duo *d, const struct bench_options *opt);
void duo_fini(struct duo *d);

int duo_launch(struct duo *d, size_t node);
/* Wait until the holder has a session with the owner. */
int duo_await_session(struct duo *d, double within_s);

/* Change a twin once: sent, not waited for. `n` twins, from `first` in steps that spread them evenly over
 * all. */
struct duo_change {
	size_t first, n;
};
size_t duo_twin(const struct duo *d, const struct duo_change *c, size_t i);
int duo_send(struct duo *d, const struct duo_change *c);
/* Until as many changes as were sent are durable at the owner. */
int duo_await_acks(struct duo *d, unsigned left);
/* Which change of a twin the holder shows; -1: none, or after saying why. */
int64_t duo_shown(struct duo *d, size_t twin);
/* Until the holder shows a twin as it is, asking as fast as it answers. */
int duo_await_shown(struct duo *d, size_t twin, double within_s);
/* Does the holder show all that changed as it is? 0, or -1 after saying what it does not. */
int duo_check(struct duo *d, const struct duo_change *c);
/* Bytes of the rows of these twins, as their owner encodes them. -1 after saying why. */
int64_t duo_row_bytes(struct duo *d, const struct duo_change *c);
/* Bytes of frames that a node has had from, or said to, its peers since it started. */
int64_t duo_bytes_in(struct duo *d, size_t node);
/* Rows that the holder has. */
int64_t duo_held(struct duo *d);
