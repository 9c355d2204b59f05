/* SPDX-License-Identifier: Apache-2.0 */
/* Alarms - what a human should know of and is not over: for `holon status`, `holon mesh` and `holon doctor`.
 *
 * An alarm is a kind and what it is about: an origin, a peer, or "" for the node itself. It stands from when
 * it is raised until it is cleared; one that nobody can see the end of (a peer that breaks the protocol)
 * until nothing was heard of it for a while. How urgent a kind is and what to do about it stands in the table
 * of alarms.c. Of each kind a bounded number stands at a time: what others bring about pushes out nothing of
 * another kind, and is counted only.
 *
 * Nothing here logs, and nothing outlives the process: what is still so is raised again.
 *
 * Owner: the engine. Threads: the loop's. A NULL list: nothing is kept.
 */
#pragma once

#include "proto/limits.h"
#include "proto/report.h"

struct alarms;

enum alarm_kind {
	/* of the node: alarms_watch.c looks whether they are so */
	ALARM_STORE,   /* it cannot be written */
	ALARM_AUDIT,   /* it cannot be written, or not for long */
	ALARM_BORDER,  /* closed: partners are not served */
	ALARM_DOOR,    /* a port is not proved locked, descriptors run short */
	ALARM_POLICY,  /* the stored one is not in force */
	ALARM_CLOCK,   /* set back */
	ALARM_HISTORY, /* damaged */
	ALARM_APART,   /* nobody of an organisation is connected: "" for the own one, else its name */
	/* of the mesh */
	ALARM_LIVES,  /* two nodes live with the key of an origin, and nobody has chosen */
	ALARM_FORK,   /* an origin signed two heads that cannot both be true */
	ALARM_REPAIR, /* an origin: repairs do not lead to what its head says */
	ALARM_PEER,   /* a peer broke the protocol or pushed against a limit */
	N_ALARM_KINDS,
};

enum { ALARMS_OF_KIND_MAX = 16 };

MUST_CHECK int alarms_new(struct alarms **ret);
void alarms_free(struct alarms *a); /* NULL is fine */

/* It is so (again): the text takes the place of the one before. Times are the wall's and the monotonic
 * clock's. What does not fit is cut. */
void alarms_raise(struct alarms *a, enum alarm_kind kind, const char *about, const char *text);
/* It is over. One that does not stand is none. */
void alarms_clear(struct alarms *a, enum alarm_kind kind, const char *about);
/* Once a second: those that end by themselves. */
void alarms_tick(struct alarms *a);
/* Look at the node itself, and raise and clear its alarms: before they are shown, and once a second. */
struct engine;
void alarms_watch(struct engine *e);

/* Those that stand, the most urgent kind first; texts are copied into the arena. */
MUST_CHECK int alarms_list(const struct alarms *a, struct arena *arena, struct alarm_info **ret,
			   size_t *ret_n);
/* The text of the first that keeps the node from doing what it is there for; NULL: none does. Good until the
 * next call. */
const char *alarms_worst(const struct alarms *a);
/* How many were not kept, because as many of their kind stand. */
uint64_t alarms_left_out(const struct alarms *a);
