/* SPDX-License-Identifier: Apache-2.0 */
/* Standing - how something stands that the node keeps as a text property beside another: its alarm, or
 * whether a desired value has been reached. One form, so that history, as-of, find and watch show it like any
 * value:
 *
 *     STATE [WHAT] [since TIME] [until TIME] [: COMMENT]
 *
 *     alarm/P    active high-alarm     acknowledged high-alarm since 2026-11-21T23:59:00Z: looking into it
 *                shelved high-alarm until 2026-11-22T08:00:00Z     cleared high-alarm
 *     settle/P   pending until 2026-11-22T08:00:00Z     converged     overdue
 *
 * The sample's time is when it came to be so (an alarm: by the time of measurement), its source who did it.
 * Of what went on before somebody did something to it `since` says when it began.
 * TIME is UTC, to the nanosecond if need be.
 */
#pragma once

#include "proto/arena.h"
#include "proto/err.h"

#include <stdint.h>

struct standing {
	const char *state;   /* a word */
	const char *what;    /* a word; "" for none */
	int64_t until_ns;    /* TIME_MAX: no end is said */
	const char *comment; /* "" for none; cut so that the whole stays below KPI_TEXT_MAX */
	int64_t since_ns;    /* 0: with the sample */
};

/* NULL: -ENOMEM. */
const char *standing_text(struct arena *a, const struct standing *s);
/* False: it is none. Words go into the arena. */
bool standing_parse(struct arena *a, const char *text, struct standing *ret);
