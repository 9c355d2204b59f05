/* SPDX-License-Identifier: Apache-2.0 */
#include "node/collect.h"

#include <inttypes.h>

#include "node/visibility.h"
#include "node/writer.h"
#include "proto/clock.h"

enum { LOOK_EVERY_S = 10, SCRATCH_BYTES = 64 * 1024 };

static void collect_next(struct engine *e);

static void on_collected(void *ctx, const struct write_result *result)
{
	struct engine *e = ctx;
	const int code = result->code < 0 ? result->code : result->n_refused > 0 ? ERR_REFUSED : 0;

	e->is_collecting = false;
	if (code < 0)
		engine_log_failure("store", "tombstones are not collected yet", code, &result->note);
	else if (result->n_changed > 0)
		collect_next(e); /* there may be more */
}

/* The op lives in the arena, which is the writer's. */
static int submit(struct engine *e, const char *origin, uint64_t floor)
{
	SCOPED(scope_arena) struct arena *a = NULL;

	TRY(arena_new(&a, SCRATCH_BYTES));
	struct op *op = arena_take(a, sizeof *op);
	const char *name = arena_copy(a, origin);
	if (!op || !name)
		return FAIL(-ENOMEM);
	*op = (struct op){.kind = OP_COLLECTION, .collection = {name, floor}};
	const struct write_request request = {
		.arena = MOVE(a), .ops = op, .n_ops = 1, .done = on_collected, .ctx = e};
	e->is_collecting = true;
	const int r = writer_submit(e->writer, &request);
	e->is_collecting = r == 0;
	TRY(r);
	log_debug("store", "collecting tombstones origin=%s up_to=%" PRIu64, origin, floor);
	return 0;
}

/* What partners see must have taken in a deletion before it is forgotten. */
static int collect(struct engine *e, const char *origin, uint64_t floor)
{
	if (e->visibility)
		TRY(visibility_follow(e->visibility));
	return submit(e, origin, floor);
}

/* The first origin of which something is to go; NULL: none. */
static const char *find_due(const struct engine *e, uint64_t *ret_floor)
{
	const struct graves_kept kept = {
		.since_ns = engine_wall_ns() - e->config->tombstone_age_ms * NS_PER_MS,
		.most = (uint64_t)e->config->tombstone_max,
	};

	*ret_floor = store_graves_over(e->store, e->origin, &kept);
	if (*ret_floor > 0)
		return e->origin;
	for (const struct origin *o = NULL; (o = store_origin_next(e->store, o ? o->name : ""));) {
		*ret_floor = store_graves_over(e->store, o->name, &kept);
		if (*ret_floor > 0)
			return o->name;
	}
	return NULL;
}

static void collect_next(struct engine *e)
{
	uint64_t floor;
	const char *origin = find_due(e, &floor);
	const int r = origin ? collect(e, origin, floor) : 0;

	if (r < 0)
		engine_log_failure("store", "tombstones are not collected yet", r, NULL);
}

void collect_tick(struct engine *e)
{
	const int64_t now_ns = engine_mono_ns();

	if (e->is_collecting || (e->collected_ns != 0 && now_ns - e->collected_ns < LOOK_EVERY_S * NS_PER_S))
		return;
	e->collected_ns = now_ns;
	collect_next(e);
}
