/* SPDX-License-Identifier: Apache-2.0 */
#include "node/turns.h"

#include <stdio.h>
#include <string.h>

#include "proto/clock.h"

enum { OTHERS_AT_ONCE = 4 };

struct turn {
	struct turn *next;
	struct turn_options opt;
	char org[ORG_NAME_MAX + 1]; /* whose walk it is; "": the own one's */
	struct arena *arena;        /* of the part */
	struct walk *walk;
};

struct queue {
	struct turn *first, **end;
};

/* Of another organisation's walks so many take turns; what they have gone through takes memory, so that more
 * of them wait until one is done. The handle is there while somebody waits for the next turn: a node at rest
 * turns for nothing. */
struct turns {
	struct engine *engine;
	struct queue going, waiting;
	uv_idle_t *idle;
	bool stopped;
};

int turns_new(struct turns **ret, struct engine *e)
{
	struct turns *t = calloc(1, sizeof *t);

	if (!t)
		return FAIL(-ENOMEM);
	t->engine = e;
	t->going.end = &t->going.first;
	t->waiting.end = &t->waiting.first;
	*ret = t;
	return 0;
}

static void turn_free(struct turn *t)
{
	walk_free(t->walk);
	arena_free(t->arena);
	free(t);
}

DEFINE_SCOPED(turn, turn_free)

/* The first one of an organisation, or (NULL) of anybody. */
static struct turn *take(struct queue *q, const char *org)
{
	struct turn **at = &q->first;

	while (*at && org && strcmp((*at)->org, org) != 0)
		at = &(*at)->next;
	struct turn *found = *at;
	if (found)
		*at = found->next;
	if (!*at)
		q->end = at;
	return found;
}

static void put(struct queue *q, struct turn *turn)
{
	turn->next = NULL;
	*q->end = turn;
	q->end = &turn->next;
}

static bool has_to_wait(const struct turns *t, const char *org)
{
	size_t n = 0;

	for (const struct turn *turn = t->going.first; turn && org[0]; turn = turn->next)
		n += strcmp(turn->org, org) == 0;
	return n >= OTHERS_AT_ONCE;
}

/* 1: it is done, and was told. */
static int go_on(struct turn *turn, int64_t until_ns)
{
	const bool late = engine_mono_ns() >= turn->opt.deadline_ns;
	struct view_part part = {0};
	const int r = late ? walk_stop(turn->walk, &part) : walk_step(turn->walk, until_ns, &part);

	if (r == 0)
		return 0;
	turn->opt.done(turn->opt.ctx, turn->opt.number, r < 0 ? r : 0, &part);
	return 1;
}

static void on_closed(uv_handle_t *h)
{
	free(h);
}

static void rest(struct turns *t)
{
	if (t->idle)
		uv_close((uv_handle_t *)t->idle, on_closed);
	t->idle = NULL;
}

static void on_idle(uv_idle_t *idle)
{
	struct turns *t = idle->data;
	struct turn *turn = take(&t->going, NULL), *next;

	if (turn && go_on(turn, engine_mono_ns() + TURN_MS * NS_PER_MS) == 0) {
		put(&t->going, turn);
	} else if (turn) {
		next = take(&t->waiting, turn->org);
		if (next)
			put(&t->going, next);
		turn_free(turn);
	}
	if (!t->going.first)
		rest(t);
}

static int begin_turns(struct turns *t)
{
	if (t->idle)
		return 0;
	t->idle = calloc(1, sizeof *t->idle);
	if (!t->idle)
		return FAIL(-ENOMEM);
	uv_idle_init(&t->engine->loop, t->idle);
	t->idle->data = t;
	uv_idle_start(t->idle, on_idle);
	return 0;
}

int turns_walk(struct turns *t, const struct turn_options *opt)
{
	SCOPED(scope_turn) struct turn *turn = calloc(1, sizeof *turn);

	if (!turn)
		return FAIL(-ENOMEM);
	turn->opt = *opt;
	if (!egress_is_own(&t->engine->egress, opt->to))
		snprintf(turn->org, sizeof turn->org, "%s", opt->to->org);
	TRY(arena_new(&turn->arena, opt->bytes_max + opt->bytes_max / 2));
	TRY(walk_new(&turn->walk, t->engine, opt->to, &turn->opt.question, opt->source, turn->arena,
		     opt->bytes_max));
	if (go_on(turn, t->stopped ? INT64_MAX : engine_mono_ns() + TURN_MS * NS_PER_MS) != 0)
		return 0;
	TRY(begin_turns(t));
	struct queue *q = has_to_wait(t, turn->org) ? &t->waiting : &t->going;
	put(q, MOVE(turn));
	return 0;
}

void turns_stop(struct turns *t)
{
	struct turn *turn;

	if (!t)
		return;
	t->stopped = true;
	rest(t);
	while ((turn = take(&t->going, NULL)) || (turn = take(&t->waiting, NULL))) {
		turn->opt.done(turn->opt.ctx, turn->opt.number, ERR_UNREACHABLE, NULL);
		turn_free(turn);
	}
}

void turns_free(struct turns *t)
{
	free(t);
}
