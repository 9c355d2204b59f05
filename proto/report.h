/* SPDX-License-Identifier: Apache-2.0 */
/* Report - what a node says of its place in the mesh: to `holon peer list`, `holon status` and `holon mesh`,
 * and to the other nodes of its organisation (QUESTION_MESH). Never to partners.
 */
#pragma once

#include "proto/arena.h"
#include "proto/err.h"

/* A peer: who is or should be connected. What is counted is counted since the node started, over all
 * sessions; frames and bytes are those of the present session. */
struct peer_info {
	const char *org, *node, *endpoint;
	const char *state; /* "connected", "connecting", "refused", ... */
	const char *roles;
	bool dialled; /* this side made the connection */
	uint64_t frames_in, frames_out, bytes_in, bytes_out;
	int64_t heard_ns; /* time since the last frame; -1: never */
	uint32_t protocol;
	uint64_t kicks;     /* connections of its key that were cut ... */
	const char *kicked; /* ... the last time for this; "" */
	uint64_t sessions;  /* that were opened with it */
	uint64_t resets;    /* it could not go on from the cursor it was shown */
	uint64_t gaps;      /* frames of it were lost */
	uint64_t repairs;   /* begun with it */
	uint64_t refused; /* frames of it that broke the protocol, or were not believed, or of old sessions */
	uint64_t n_origins; /* of its own that are offered now, by itself or others; of a partner's border:
			       all ... */
	uint64_t n_behind;  /* ... and of which there is something that this node lacks */
	int64_t lag;        /* changes of them that this node lacks; -1: partners do not tell */
	int64_t age_ns; /* since the origin of which that is longest ago vouched for what is held; -1: never
			 */
};

/* An origin of which something is held or offered. */
struct origin_info {
	const char *origin;    /* ORG/NODE */
	const char *state;     /* "own", "held", "behind", "pulling", "repairing", "stopped" */
	uint64_t n_rows;       /* held, without deleted ones */
	uint64_t seq, offered; /* held up to, and the furthest anybody offers; 0: partners do not tell */
	int64_t age_ns; /* since it vouched for what is held, 0: this node itself; -1: not since it started */
};

/* What a human should know, and is not over. */
struct alarm_info {
	const char *kind, *about; /* "repair", an origin; about "": the node itself */
	const char *text, *todo;
	bool severe;
	int64_t since_ns, last_ns; /* wall clock */
	uint64_t count;            /* times it was raised */
};

/* What the mesh of a node counted since it started. */
struct mesh_counts {
	uint64_t sessions_open, gaps, old_session, refused, unbelieved;
	uint64_t pulls, repairs, resets, mismatches, alarms, forks;
	uint64_t over_share;   /* questions of partners beyond their share */
	uint64_t rows_outside; /* rows of twins that are not their origin's */
};

enum { REPORT_LIST_MAX = 4096 }; /* of each list in one part */

struct node_report {
	const char *node;
	bool answered;
	const char *why;  /* not answered: why not; "" */
	int64_t known_ns; /* since anything was heard of it; -1: not since the asked node started */
	const char *roles, *version;
	int64_t uptime_ns;
	uint64_t resident_bytes;
	struct mesh_counts counts;
	struct peer_info *peers;
	size_t n_peers;
	struct origin_info *origins;
	size_t n_origins;
	struct alarm_info *alarms;
	size_t n_alarms;
};
