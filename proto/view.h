/* SPDX-License-Identifier: Apache-2.0 */
/* View - the question a view asks and the parts its answer comes in (DESIGN 8).
 *
 * One question carries all roots at once. The answer of one source is one or more parts (a frame each); parts
 * merge: members and edges are lists to be joined, counts and roll-up states add up. Every pointer is
 * borrowed.
 */
#pragma once

#include "proto/rollup.h"
#include "proto/row.h"

#define VIEW_DEPTH_ALL UINT32_MAX

/* What the members are grouped by: a cell for each. In each of its tags a member counts. */
enum view_by { GROUP_NONE, GROUP_KIND, GROUP_TYPE, GROUP_ORG, GROUP_TAG, GROUP_PROPERTY, N_VIEW_GROUPS };

/* `seen`: was asked of its owner for this view before: what hangs below it counts no more, so that a twin
 * that is met again below another root counts once. In a series the path to it is valid from..to, inclusive;
 * both 0: always. A root may stand there more than once, with another validity. */
struct view_root {
	const char *id;
	const char *parent; /* who claims it as a member; "" for the root of the whole view */
	bool seen;
	int64_t from_ns, to_ns;
};

struct view_question {
	struct view_root *roots;
	size_t n_roots;
	const char *hierarchy;
	uint32_t depth; /* levels of members returned below each root; roll-ups always reach everything */
	struct rollup_spec *rollups;
	size_t n_rollups;
	bool has_as_of;
	int64_t as_of_ns; /* valid time: values by their time of measurement, relations by their validity */
	bool unconfirmed; /* take unconfirmed members into the roll-ups */
	const char
		*where; /* expression (expr.h) over what the asker may see: members that it does not select
			   are gone through, but neither returned (but roots) nor counted nor rolled up; "" */
	enum view_by by;
	const char *by_property; /* of GROUP_PROPERTY, else "" */
	const char **show;       /* properties given with each returned member */
	size_t n_show;
	/* step_ns > 0: a series: the view as of from, from + step, ... up to `to`; not with as_of. */
	int64_t from_ns, to_ns, step_ns;
	uint64_t members_max; /* go through so many at most; 0: the node's default */
	/* Find (QUESTION_FIND, CONTROL_FIND): no roots; of the twins that `where` selects the first `limit`
	 * behind the id `after` in order of ids are returned; with `after` "" all are counted, else perhaps
	 * only those. */
	const char *after; /* "" to begin */
	uint32_t limit;
	/* What only the asker's own node looks at: */
	bool offline;        /* never ask another node */
	int64_t fresh_ns;    /* summaries vouched for within this time are good enough; 0: always ask */
	int64_t deadline_ns; /* after this the last summaries are taken; 0: the node's default */
};

enum member_state {
	MEMBER_LIVE,        /* asked of its owner for this view */
	MEMBER_CACHED,      /* from the last summary */
	MEMBER_UNREACHABLE, /* named by its parent, no answer and no summary */
	MEMBER_UNCONFIRMED, /* its owner has not confirmed the membership */
	MEMBER_ABSENT,      /* not shared with the asker, or not there: the same answer */
	N_MEMBER_STATES,
};

struct view_member {
	const char *id;
	const char *parent; /* id of a member of this view, "" for a root */
	enum member_state state;
	enum kind kind;
	const char *type, *name; /* "" for none */
	enum life_cycle life;
	enum health health;
	struct rollup_state *rollups; /* as many as the question has: this member and everything below it */
	struct kpi *values;           /* of the properties to be shown those it has and the asker may see */
	size_t n_values;
};

/* A member that another owner has: the next question. With `seen`: found below a root that was seen. A root
 * of the question itself that was met there is either told by such an edge without an anchor, or listed as a
 * member again, without anything in its roll-ups: it is there, and counts no more. */
struct view_edge {
	const char *anchor; /* nearest returned member above it: where its totals are added */
	const char *parent, *child;
	bool seen;              /* found below a root that was seen */
	int64_t from_ns, to_ns; /* as of a root */
};

/* A group of members at a time: what `by` and a series are answered in, whole view and all roots together. */
struct view_cell {
	const char *group; /* "" without `by`, and for members without that property, type or tag */
	int64_t t_ns;      /* 0 without a series */
	uint64_t members;
	struct rollup_state *rollups; /* as many as the question has */
};

/* Of the members that are gone through. Each is live, cached, unreachable or unconfirmed; besides withheld:
 * something that the question needs of it is not for the asker; coarse: a value is of a stretch of time, for
 * there are no single samples any more; expired: its past is not kept any more; filtered: `where` does not
 * select it. */
struct view_counts {
	uint64_t members, live, cached, withheld, unreachable, unconfirmed, coarse, expired, filtered;
};

struct view_source {
	const char *org, *node;
	uint64_t revision;       /* stamp of the newest row that went in, microseconds since the epoch */
	int64_t age_ns;          /* time since the owner last vouched for it; 0 when live */
	uint64_t epoch;          /* policy epoch under which it was answered */
	enum member_state state; /* live, cached, or unreachable: asked and not heard */
};

struct view_part {
	struct view_member *members; /* a parent before its children */
	size_t n_members;
	struct view_edge *edges;
	size_t n_edges;
	struct view_source *sources;
	size_t n_sources;
	struct view_counts counts;
	struct rollup_state *rollups; /* totals; NULL or n_rollups */
	size_t n_rollups;      /* as many as the question has; also the length of every member's array */
	const char **problems; /* sentences: a cycle, units that do not agree, a budget reached */
	size_t n_problems;
	struct view_cell *cells; /* rising by t_ns, then by the bytes of the group; each once */
	size_t n_cells;
	bool cut;          /* a budget was reached: not everything was gone through, a problem says which */
	const char **gone; /* watching: members that were returned and are not any more */
	size_t n_gone;
};

/* Everything is there, at first hand (of a hierarchy that stands still while its owners are asked): nothing
 * cut, cached, withheld, unreachable, unconfirmed, coarse or expired, and no problem. */
bool view_is_clean(const struct view_part *view);

const char *view_by_text(enum view_by by);
/* `kind`, `type`, `org`, `tag`, or a property; quoted ("kind") where its name is one of these. ERR_REFUSED
 * with a note. *ret_property points into `text`, which is cut behind it; "" unless GROUP_PROPERTY. */
MUST_CHECK int view_by_parse(char *text, enum view_by *ret, const char **ret_property, struct err_note *note);
/* Times of a series; 0: none, or more than VIEW_TIMES_MAX. */
size_t view_times(const struct view_question *q);

const char *member_state_text(enum member_state state);
