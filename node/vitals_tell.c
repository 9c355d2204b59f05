/* SPDX-License-Identifier: Apache-2.0 */
#include "node/vitals.h"

#include <math.h>

#include "node/writer.h"
#include "proto/clock.h"

enum { TELL_MS = 50, LATER_MS = 250, FAILED_MS = 5000, TELL_AT_ONCE = 1000, OPS_BYTES = 1 << 20 };

struct teller {
	struct engine *engine;
	struct vitals *vitals;
	uv_timer_t timer;
	bool is_open; /* the timer */
	bool writing, failed, stopped;
};

static void wake(struct teller *t, uint64_t in_ms);

static void on_written(void *ctx, const struct write_result *result)
{
	struct teller *t = ctx;
	const int code = result->code < 0 ? result->code : result->n_refused > 0 ? ERR_REFUSED : 0;

	t->writing = false;
	if (code < 0) {
		if (!t->failed && code != ERR_UNREACHABLE)
			engine_log_failure("health", "what members amount to is not stored yet", code,
					   &result->note);
		vitals_doubt(t->vitals);
	}
	t->failed = code < 0;
	wake(t, t->failed ? FAILED_MS : TELL_MS);
}

static int make_op(struct arena *a, const struct due_health *due, int64_t now_ns, struct op *ret)
{
	struct sample *s = arena_take(a, sizeof *s);
	const char *id = arena_copy(a, due->twin->id), *property = arena_copy(a, due->property->name);

	if (!s || !id || !property)
		return FAIL(-ENOMEM);
	*s = (struct sample){.t_ns = now_ns > due->after_ns ? now_ns : due->after_ns + 1,
			     .value = {.type = VALUE_ENUM, .text = health_text(due->health)},
			     .quality = QUALITY_GOOD,
			     .sigma = NAN,
			     .source = "holond"};
	*ret = (struct op){.kind = OP_SAMPLES,
			   .by_node = true,
			   .samples = {.twin = id, .property = property, .samples = s, .n = 1}};
	return 0;
}

/* The ops live in the arena, which is the writer's. */
static int tell(struct teller *t)
{
	SCOPED(scope_arena) struct arena *a = NULL;
	const int64_t now_ns = engine_wall_ns();
	struct due_health due;
	size_t n = 0;

	TRY(arena_new(&a, OPS_BYTES));
	struct op *ops = arena_take_array(a, TELL_AT_ONCE, sizeof *ops);
	if (!ops)
		return FAIL(-ENOMEM);
	while (n < TELL_AT_ONCE && vitals_next_due(t->vitals, &due))
		TRY(make_op(a, &due, now_ns, &ops[n++]));
	if (n == 0)
		return 0;
	const struct write_request request = {
		.arena = MOVE(a), .ops = ops, .n_ops = n, .done = on_written, .ctx = t};
	TRY(writer_submit(t->engine->writer, &request));
	t->writing = true;
	return 0;
}

static int follow(struct teller *t)
{
	const int r = vitals_follow(t->vitals, engine_wall_ns(), engine_mono_ns(), false);

	TRY(r);
	if (r == VITALS_LATER)
		wake(t, LATER_MS);
	return r == 0 ? tell(t) : 0;
}

static void on_timer(uv_timer_t *timer)
{
	struct teller *t = timer->data;

	if (t->writing || t->stopped)
		return; /* on_written() goes on */
	const int r = follow(t);
	if (r >= 0)
		return;
	if (!t->failed)
		engine_log_failure("health", "members are not counted yet", r, NULL);
	t->failed = true;
	vitals_doubt(t->vitals);
	wake(t, FAILED_MS);
}

static void wake(struct teller *t, uint64_t in_ms)
{
	if (!t->stopped && !uv_is_active((uv_handle_t *)&t->timer))
		uv_timer_start(&t->timer, on_timer, in_ms, 0);
}

int teller_start(struct teller **ret, struct engine *e)
{
	SCOPED(scope_teller) struct teller *t = calloc(1, sizeof *t);

	if (!t)
		return FAIL(-ENOMEM);
	t->engine = e;
	TRY(vitals_new(&t->vitals, e->store));
	uv_timer_init(&e->loop, &t->timer);
	t->timer.data = t;
	t->is_open = true;
	wake(t, TELL_MS);
	*ret = MOVE(t);
	return 0;
}

void teller_applied(struct teller *t)
{
	if (t)
		wake(t, TELL_MS);
}

void teller_stop(struct teller *t)
{
	if (!t || t->stopped)
		return;
	t->stopped = true;
	uv_close((uv_handle_t *)&t->timer, NULL);
}

void teller_free(struct teller *t)
{
	if (!t)
		return;
	vitals_free(t->vitals);
	free(t);
}
