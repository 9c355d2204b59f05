/* SPDX-License-Identifier: Apache-2.0 */
/* View flags - the question of a view as a command line puts it; for every command that takes one.
 *
 *     static const struct flag flags[] = {VIEW_FLAGS, VIEW_TIME_FLAGS, {0}};      (or without times)
 *
 *     status = view_question_of(ctx, argv[0], &q);
 */
#pragma once

#include "proto/view.h"
#include "tools/verb.h"

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

/* The question that a command line puts: that of a saved view (by its id or short name), or about a twin, and
 * what the flags say in its place. In the arena of the context; every text is set. Flags are looked at before
 * the node is asked. Anything but STATUS_OK has been said on stderr. */
enum status view_question_of(struct context *ctx, const char *word, struct view_question *ret);

/* The first half of it: without any flag. */
enum status view_question_for(struct context *ctx, const char *word, struct view_question *ret);
/* The second: what the flags given say takes the place of what the question says. ERR_REFUSED with a note
 * that names the flag; ERR_ABSENT: of a series something is missing. */
MUST_CHECK int view_flags_read(struct context *ctx, struct view_question *q, struct err_note *note);
/* Only --show. */
MUST_CHECK int view_flags_read_show(struct context *ctx, struct view_question *q, struct err_note *note);

/* Is the certificate not clean (view_is_clean()) but for what the question asked for: summaries (offline,
 * fresh), unconfirmed members? Then a command ends with STATUS_DEGRADED. */
bool view_is_degraded(const struct view_question *q, const struct view_part *view);
