/* SPDX-License-Identifier: Apache-2.0 */
/* View flags - the question of a view as a command line puts it; for every command that takes one.
 *
 *     static const struct flag flags[] = {VIEW_FLAGS, VIEW_TIME_FLAGS, {0}};
 *
 *     view_question_for(ctx, argv[0], &q)      the question of a saved view, or of a twin and no flags
 *     view_flags_read(ctx, &q, &note)          what the flags say in its place
 *     view_flags_read_times(ctx, &q, &note)
 */
#pragma once

#include "proto/view.h"
#include "tools/command.h"

/* clang-format off */
#define VIEW_FLAGS \
	{"hierarchy", "TYPE", "relation that spans the tree (default: contains)", false}, \
	{"depth", "N", "levels of members to show (default: 2); roll-ups always reach everything", false}, \
	{"rollup", "FN:PROPERTY", \
	 "count, sum, mean, min, max, stddev, quantile(0.95), latest or first of a property over all " \
	 "members; or count or worst-health alone", true}, \
	{"where", "EXPR", "only members for which this is true, see holon-expressions(7)", false}, \
	{"by", "GROUP", "a line for each kind, type, org, tag, or value of a property", false}, \
	{"show", "PROPERTY", "show this value of each member", true}, \
	{"unconfirmed", NULL, "roll up members whose owner has not confirmed, too", false}, \
	{"members-max", "N", "stop at so many members (default: the node's)", false}, \
	{"offline", NULL, "ask no other node: last summaries only", false}, \
	{"fresh", "DURATION", \
	 "summaries vouched for within this time are good enough (default: always ask)", false}, \
	{"deadline", "DURATION", "after this the last summaries are taken (default: the node's)", false}

#define VIEW_TIME_FLAGS \
	{"as-of", "TIME", "the view at that time", false}, \
	{"from", "TIME", "a series: the view at this time, a step later, and so on", false}, \
	{"to", "TIME", "the last time of a series at most (default: now)", false}, \
	{"step", "DURATION", "from one time of a series to the next", false}
/* clang-format on */

/* The question that a person means by a word: that of a saved view, or that of a twin and nothing else. In
 * the arena of the context; every text is set. Anything but STATUS_OK has been said on stderr. */
MUST_CHECK enum status view_question_for(struct context *ctx, const char *word, struct view_question *ret);

/* What the flags given say takes the place of what the question says. ERR_REFUSED with a note that names the
 * flag. */
MUST_CHECK int view_flags_read(struct context *ctx, struct view_question *q, struct err_note *note);
MUST_CHECK int view_flags_read_times(struct context *ctx, struct view_question *q, struct err_note *note);

/* Is the certificate not clean (view_is_clean()) but for what the question asked for: summaries (offline,
 * fresh), unconfirmed members? Then a command ends with STATUS_DEGRADED. */
bool view_is_degraded(const struct view_question *q, const struct view_part *view);
