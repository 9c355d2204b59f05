/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/sim/views.h"

/* Owner numbers of a plan, as in a node: itself, the last summaries, sessions. A node that came back has
 * others.
 */
enum { OWNER_SELF = 0, OWNER_SESSION = 2, GENERATIONS = 64 };

enum { DEADLINE_MS = 100, LATE_MS = 20, PLAN_BYTES = 1 << 20 };

static void *must(void *p)
{
	if (!p)
		abort();
	return p;
}

static void must_do(int code)
{
	if (code < 0)
		abort();
}

/* ---- Events: a heap would be faster, and there are few --------------------------------------------------
 */

static void put(struct lab *l, int64_t in_ms, struct lab_event e)
{
	if (l->n_events == LAB_EVENTS_MAX)
		abort();
	e.at_ms = l->now_ms + in_ms;
	e.order = l->last_order++;
	l->events[l->n_events++] = e;
}

static bool take(struct lab *l, struct lab_event *ret)
{
	size_t first = 0;

	if (l->n_events == 0)
		return false;
	for (size_t i = 1; i < l->n_events; i++) {
		const struct lab_event *a = &l->events[i], *b = &l->events[first];
		if (a->at_ms < b->at_ms || (a->at_ms == b->at_ms && a->order < b->order))
			first = i;
	}
	*ret = l->events[first];
	l->events[first] = l->events[--l->n_events];
	l->now_ms = ret->at_ms;
	return true;
}

/* ---- Who answers ----------------------------------------------------------------------------------------
 */

/* The node of that organisation that speaks with others: the first one that runs. */
static int border_of(const struct lab *l, int org)
{
	for (int i = 0; i < l->n_nodes; i++)
		if (l->nodes[i].org == org && l->nodes[i].up)
			return i;
	return -1;
}

static int session_with(const struct lab *l, int node)
{
	return OWNER_SESSION + node * GENERATIONS + l->nodes[node].generation % GENERATIONS;
}

static int cached_or_nobody(const struct lab_desk *d, int twin)
{
	return d->lab->nodes[d->node].rows[twin].held ? PLAN_CACHE : PLAN_NOBODY;
}

static int owner_of(void *ctx, const char *id)
{
	const struct lab_desk *d = ctx;
	const struct lab *l = d->lab;
	const int here = l->nodes[d->node].org, twin = lab_twin(l, id);
	const struct lab_twin *t = &l->twins[twin];

	if (twin < 0)
		return PLAN_NOBODY;
	if (t->node == d->node || (t->org == here && t->hidden && d->asker != here))
		return OWNER_SELF; /* what the asker may not know of is not there */
	if (d->relayed || (t->org != here && d->asker != here))
		return PLAN_LEAVE;
	if (!d->client && (l->offline || (l->nodes[t->node].fresh && l->nodes[d->node].rows[twin].held)))
		return cached_or_nobody(d, twin);
	const int node = t->org == here ? t->node : border_of(l, t->org);
	if (node < 0 || !l->nodes[node].up)
		return cached_or_nobody(d, twin);
	return session_with(l, node);
}

/* ---- Desks ----------------------------------------------------------------------------------------------
 */

static struct lab_desk *open_desk(struct lab *l, int node, int asker, const struct view_question *q)
{
	struct lab_desk *d = must(arena_take(l->arena, sizeof *d));

	if (l->n_desks == LAB_DESKS_MAX)
		abort();
	*d = (struct lab_desk){
		.lab = l, .node = node, .generation = l->nodes[node].generation, .asker = asker};
	must_do(plan_new(&d->plan, q, PLAN_BYTES));
	l->desks[l->n_desks++] = d;
	return d;
}

static void advance(struct lab_desk *d);

/* An answer in one to four parts, members before the edges that name them. */
static struct view_part *split(struct lab *l, const struct view_part *whole, size_t *ret_n)
{
	const size_t n = 1 + lab_random(l, 4);
	struct view_part *parts = must(arena_take_array(l->arena, n, sizeof *parts));
	const size_t members = whole->n_members / n, cells = whole->n_cells / n;

	for (size_t i = 0; i < n; i++) {
		const bool last = i + 1 == n;
		parts[i].n_rollups = whole->n_rollups;
		parts[i].members = members > 0 || last ? &whole->members[i * members] : NULL;
		parts[i].n_members = last ? whole->n_members - i * members : members;
		parts[i].cells = cells > 0 || last ? &whole->cells[i * cells] : NULL;
		parts[i].n_cells = last ? whole->n_cells - i * cells : cells;
	}
	struct view_part *end = &parts[n - 1];
	end->edges = whole->edges;
	end->n_edges = whole->n_edges;
	end->sources = whole->sources;
	end->n_sources = whole->n_sources;
	end->counts = whole->counts;
	end->problems = whole->problems;
	end->n_problems = whole->n_problems;
	end->cut = whole->cut;
	*ret_n = n;
	return parts;
}

static void send_answer(struct lab_desk *d, const struct view_part *whole)
{
	struct lab *l = d->lab;
	struct lab_event e = {.kind = LAB_ANSWER,
			      .node = d->client->node,
			      .generation = d->client_generation,
			      .desk = d->client,
			      .ask = d->client_ask,
			      .counted = d->counted};

	e.parts = split(l, whole, &e.n_parts);
	if (l->nodes[d->node].lies)
		lab_lie(l, &e);
	e.lie = l->nodes[d->node].lies;
	put(l, l->nodes[d->node].delay_ms, e);
}

static void end(struct lab_desk *d)
{
	struct view_part whole;

	d->ended = true;
	must_do(plan_result(d->plan, &whole));
	if (d->client) {
		send_answer(d, &whole);
		return;
	}
	d->lab->result = whole;
	d->lab->has_result = true;
	if (d->lab->now_ms > d->deadline_ms + LATE_MS)
		lab_fail(d->lab, "the view came %d ms after its deadline",
			 (int)(d->lab->now_ms - d->deadline_ms));
}

static void add_counted(struct lab_desk *d, const uint8_t *more)
{
	for (int i = 0; i < LAB_PLACES; i++)
		d->counted[i] += more[i];
}

static void walk_here(struct lab_desk *d, const struct plan_ask *ask)
{
	struct lab *l = d->lab;
	struct view_question q = ask->question;
	uint8_t counted[LAB_PLACES] = {0};
	size_t n = 0;

	if (ask->owner == PLAN_CACHE && l->broken == LAB_OTHER_LIST) {
		q.roots = must(arena_take_array(l->arena, q.n_roots, sizeof *q.roots));
		for (size_t i = 0; i < q.n_roots; i++)
			if (!ask->question.roots[i].seen)
				q.roots[n++] = ask->question.roots[i];
		q.n_roots = n;
	}
	const struct view_part *part = lab_walk(l, d->node, d->asker, &q, ask->owner == PLAN_CACHE, counted);
	l->n_cached += ask->owner == PLAN_CACHE;
	const int r = plan_answer(d->plan, ask->id, part, true);
	if (r < 0)
		lab_fail(l, "an own walk was refused: %d", r);
	add_counted(d, counted);
}

static void lose(struct lab_desk *d, uint32_t ask)
{
	static const struct view_part nothing;

	d->lost[ask] = true;
	if (d->lab->broken == LAB_QUIET_LOSS)
		must_do(plan_answer(d->plan, ask, &nothing, true));
	else
		plan_lost(d->plan, ask, PLAN_CACHE);
}

static void send_question(struct lab_desk *d, const struct plan_ask *ask)
{
	struct lab *l = d->lab;
	const int node = (ask->owner - OWNER_SESSION) / GENERATIONS;
	const int64_t left_ms = d->deadline_ms - l->now_ms;
	struct lab_event e = {.kind = LAB_QUESTION,
			      .node = node,
			      .generation = l->nodes[node].generation,
			      .question = ask->question,
			      .timeout_ms = left_ms,
			      .desk = d,
			      .ask = ask->id};
	size_t n = 0;

	if (left_ms <= 0) {
		lose(d, ask->id);
		return;
	}
	/* the plan's list is good until the question has ended, and this one travels longer */
	e.question.roots = must(arena_take_array(l->arena, e.question.n_roots, sizeof *e.question.roots));
	for (size_t i = 0; i < ask->question.n_roots; i++)
		if (!ask->question.roots[i].seen || l->broken != LAB_NO_SEEN)
			e.question.roots[n++] = ask->question.roots[i];
	e.question.n_roots = n;
	put(l, l->nodes[node].delay_ms, e);
	put(l, left_ms,
	    (struct lab_event){.kind = LAB_TIMEOUT,
			       .node = d->node,
			       .generation = d->generation,
			       .desk = d,
			       .ask = ask->id});
}

static void advance(struct lab_desk *d)
{
	struct plan_ask ask;
	int r;

	while ((r = plan_next(d->plan, owner_of, d, &ask)) > 0) {
		if (++d->lab->n_asked > LAB_ASKS_MAX - 1) {
			lab_fail(d->lab, "the plan asks for ever");
			return;
		}
		if (ask.owner == OWNER_SELF || ask.owner == PLAN_CACHE)
			walk_here(d, &ask);
		else
			send_question(d, &ask);
	}
	must_do(r);
	if (!d->ended && plan_done(d->plan))
		end(d);
}

/* ---- What happens ---------------------------------------------------------------------------------------
 */

static bool is_gone(const struct lab *l, const struct lab_event *e)
{
	return !l->nodes[e->node].up || l->nodes[e->node].generation != e->generation;
}

static void on_question(struct lab *l, const struct lab_event *e)
{
	const int org = l->nodes[e->node].org, from = l->nodes[e->desk->node].org;

	if (is_gone(l, e) || l->nodes[e->node].silent)
		return;
	struct lab_desk *d = open_desk(l, e->node, org == from ? e->desk->asker : from, &e->question);
	d->relayed = org == from;
	d->client = e->desk;
	d->client_ask = e->ask;
	d->client_generation = e->desk->generation;
	d->deadline_ms = l->now_ms + e->timeout_ms * 3 / 4;
	advance(d);
}

static void on_answer(struct lab *l, const struct lab_event *e)
{
	static const struct view_part nothing;
	struct lab_desk *d = e->desk;
	int r = 0;

	if (is_gone(l, e) || d->ended)
		return;
	for (size_t i = 0; i < e->n_parts && r == 0; i++)
		r = plan_answer(d->plan, e->ask, &e->parts[i], i + 1 == e->n_parts);
	if (d->lost[e->ask]) {
		if (r != 0)
			lab_fail(l, "an answer that comes too late is looked at");
		return;
	}
	if (r == 0)
		add_counted(d, e->counted);
	if (r < 0 && !e->lie)
		lab_fail(l, "an honest answer was refused: %d", r);
	l->n_lies += r < 0;
	if (r < 0 && l->broken == LAB_TAKE_LIES)
		must_do(plan_answer(d->plan, e->ask, &nothing, true));
	else if (r < 0)
		plan_lost(d->plan, e->ask, PLAN_CACHE);
	advance(d);
}

static void on_timeout(struct lab *l, const struct lab_event *e)
{
	if (is_gone(l, e) || e->desk->ended)
		return;
	lose(e->desk, e->ask);
	advance(e->desk);
}

static void on_down(struct lab *l, const struct lab_event *e)
{
	struct lab_node *n = &l->nodes[e->node];

	n->up = false;
	n->generation++;
	put(l, 1 + (int64_t)lab_random(l, 60), (struct lab_event){.kind = LAB_UP, .node = e->node});
}

static void handle(struct lab *l, const struct lab_event *e)
{
	switch (e->kind) {
	case LAB_QUESTION: on_question(l, e); break;
	case LAB_ANSWER: on_answer(l, e); break;
	case LAB_TIMEOUT: on_timeout(l, e); break;
	case LAB_DOWN: on_down(l, e); break;
	case LAB_UP: l->nodes[e->node].up = true; break;
	}
}

void lab_run(struct lab *l)
{
	struct lab_event e;

	if (lab_chance(l, 30))
		for (int i = 1; i < l->n_nodes; i++)
			if (lab_chance(l, 30))
				put(l, (int64_t)lab_random(l, DEADLINE_MS),
				    (struct lab_event){.kind = LAB_DOWN, .node = i});
	struct lab_desk *d = open_desk(l, 0, l->nodes[0].org, &l->question);
	d->deadline_ms = DEADLINE_MS;
	advance(d);
	while (!l->failure[0] && take(l, &e))
		handle(l, &e);
	if (!l->failure[0] && !l->has_result)
		lab_fail(l, "the view never ended");
}
