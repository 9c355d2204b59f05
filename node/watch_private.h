/* SPDX-License-Identifier: Apache-2.0 */
/* Watch, inside: what its files share. */
#pragma once

#include "node/watch.h"
#include "node/watch_diff.h"
#include "proto/expr.h"

struct watch_kept;

/* Properties whose values may show in it. */
struct watch_names {
	const char *names[ROLLUPS_MAX + SHOW_MAX + EXPR_PROPERTIES_MAX + 1];
	size_t n;
};

struct watch {
	struct watch *next;
	struct watches *all;
	struct call *call;    /* the request, as it was renewed last; its parts go out under `id` */
	struct call *renewal; /* came while the view was under way */
	uint64_t id;
	uint32_t number;
	uint64_t event, taken;            /* the last one sent, the last one the client said to have */
	int64_t renewed_ns, refreshed_ns; /* monotonic */
	int64_t dirty_ns, touched_ns, rest_until_ns; /* monotonic; dirty 0: nothing to do */
	int64_t began_cpu_ns;
	bool busy;   /* a view is under way */
	bool ending; /* when that is over */
	bool here;   /* all that was found the last time is this node's */
	struct arena *arena;
	struct watch_names names;
	struct watch_shown shown;
	struct watch_kept *kept;
};

struct watches {
	struct engine *engine;
	struct watch *list;
	size_t n;
	uv_timer_t timer;
	bool staged, stopped;
	uint8_t *series; /* by number: not looked at, may show in a watch, does not */
	size_t n_series;
	uint64_t partners; /* what policy partners have, as a hash */
};

/* watch_names.c: the properties that the question of `w` speaks of, into its arena. What is no expression
 * says the view. */
MUST_CHECK int watch_names_init(struct watch *w, const struct view_question *q);
/* All that is remembered of series is void. */
void watches_forget_series(struct watches *w);
