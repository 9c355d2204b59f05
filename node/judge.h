/* SPDX-License-Identifier: Apache-2.0 */
/* Judge - alarms of own twins: which limits their values cross, for how long, who has acknowledged it
 * (ISA-18.2 life-cycle; OPC UA part 9, limit alarms).
 *
 *     sample applied --storage/bands.h: outside its band?--> judge --state changes--> sample of alarm/NAME
 *
 * As long as a value stays where nothing changes, judging it costs a comparison in the store; the judge looks
 * at the others, at delays, at what has become stale (by the node's clock) and at expressions. How an alarm
 * stands is the text property alarm/NAME (proto/standing.h): durable, with history, no other state. After a
 * restart everything is judged anew.
 *
 * Owner:   the engine. Threads: the loop's.
 */
#pragma once

#include "node/engine.h"
#include "proto/row.h"

struct judge;

MUST_CHECK int judge_start(struct judge **ret, struct engine *e);
void judge_free(struct judge *j); /* NULL is fine */
/* A batch was applied: whatever left its band is judged. */
void judge_applied(struct judge *j);
/* What it has to say goes to the writer now, to share a commit that is about to begin; else it waits for one
 * a few milliseconds. */
void judge_flush(struct judge *j);
/* Ten times a second: delays, shelves that end, and a slice of what may be stale. */
void judge_tick(struct judge *j);

/* How often so much left its bands at once that everything was judged anew. NULL is fine. */
uint64_t judge_lost(const struct judge *j);

/* The alarms of a twin that stand, in the order of rows, at most `room`; how many there are is returned.
 * Texts are good until the next commit. */
size_t judge_alarms(const struct judge *j, const struct twin *t, struct row_alarm *ret, size_t room);
/* Twins with any, in id order behind `after`; NULL: the end. */
const struct twin *judge_next(const struct judge *j, const char *prefix, const char *after);

/* `who` acknowledges an alarm, or shelves it until a time (0: takes that back). ERR_ABSENT: no such alarm
 * stands; ERR_REFUSED with a note. `done` when it is durable. */
struct alarm_act {
	const char *twin, *name, *who, *comment;
	bool shelve;
	int64_t until_ns;
};
typedef void judge_fn(void *ctx, int code, const char *text);
MUST_CHECK int judge_act(struct judge *j, const struct alarm_act *act, judge_fn *done, void *ctx,
			 struct err_note *note);
