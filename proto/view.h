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

struct view_root {
	const char *id;
	const char *parent; /* who claims it as a member; "" for the root of the whole view */
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
};

/* A member that another owner has: the next question. */
struct view_edge {
	const char *anchor; /* nearest returned member above it: where its totals are added */
	const char *parent, *child;
};

struct view_counts {
	uint64_t members, live, cached, withheld, unreachable, unconfirmed, coarse, expired;
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
};

const char *member_state_text(enum member_state state);
