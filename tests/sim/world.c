/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/sim/world.h"

#include <stdarg.h>
#include <stdio.h>

#define HEAL_NS (25 * NS_PER_S)
#define STEP_BUDGET ((size_t)64 << 20)

const char *const org_names[N_ORGS] = {"acme", "bolt"};
const struct site sites[N_NODES] = {
	{0, "a1", "acme/a1", true, false}, {0, "a2", "acme/a2", true, true},
	{0, "a3", "acme/a3", false, true}, {1, "b1", "bolt/b1", true, true},
	{1, "b2", "bolt/b2", true, false},
};

void world_fail(struct world *w, const char *format, ...)
{
	va_list args;

	if (w->failure[0])
		return;
	va_start(args, format);
	int n = snprintf(w->failure, sizeof w->failure, "at %.3f s: ", (double)w->now_ns / 1e9);
	vsnprintf(w->failure + n, sizeof w->failure - (size_t)n, format, args);
	va_end(args);
}

void world_tell(const struct world *w, const char *format, ...)
{
	va_list args;

	if (!w->opt.trace)
		return;
	printf("%9.4f ", (double)w->now_ns / 1e9);
	va_start(args, format);
	vprintf(format, args);
	va_end(args);
	printf("\n");
}

uint64_t world_random(struct world *w)
{
	uint64_t z = w->random += UINT64_C(0x9e3779b97f4a7c15);

	z = (z ^ (z >> 30)) * UINT64_C(0xbf58476d1ce4e5b9);
	z = (z ^ (z >> 27)) * UINT64_C(0x94d049bb133111eb);
	return z ^ (z >> 31);
}

uint64_t world_below(struct world *w, uint64_t n)
{
	return world_random(w) % n;
}

bool world_chance(struct world *w, unsigned per_mille)
{
	return world_below(w, 1000) < per_mille;
}

int64_t world_delay(struct world *w, int64_t most_ns)
{
	return 1 + (int64_t)world_below(w, (uint64_t)most_ns);
}

struct bytes bytes_dup(struct bytes b)
{
	uint8_t *copy = malloc(b.len + 1);

	if (!copy)
		abort();
	if (b.len > 0)
		memcpy(copy, b.data, b.len);
	return (struct bytes){copy, b.len};
}

void bytes_drop(struct bytes b)
{
	free((void *)(uintptr_t)b.data);
}

int org_index(const char *name)
{
	for (int i = 0; i < N_ORGS; i++)
		if (strcmp(org_names[i], name) == 0)
			return i;
	return -1;
}

int origin_index(const char *name)
{
	for (int i = 0; i < N_NODES; i++)
		if (strcmp(sites[i].origin, name) == 0)
			return i;
	return -1;
}

int twin_index(const char *id, int *origin)
{
	for (int i = 0; i < N_NODES; i++) {
		size_t n = strlen(sites[i].origin);
		if (strncmp(id, sites[i].origin, n) == 0 && id[n] == '/' && id[n + 1] == 't') {
			long twin = strtol(id + n + 2, NULL, 10);
			*origin = i;
			return twin >= 0 && twin < TWINS ? (int)twin : -1;
		}
	}
	return -1;
}

static bool is_before(const struct sim_event *a, const struct sim_event *b)
{
	return a->at_ns != b->at_ns ? a->at_ns < b->at_ns : a->tie < b->tie;
}

static void swap(struct sim_event *a, struct sim_event *b)
{
	struct sim_event t = *a;

	*a = *b;
	*b = t;
}

void world_push(struct world *w, struct sim_event e)
{
	size_t i = w->n_queue++;

	if ((i & (i - 1)) == 0) {
		w->queue = realloc(w->queue, (i == 0 ? 1 : i * 2) * sizeof e);
		if (!w->queue)
			abort();
	}
	e.tie = world_random(w);
	w->queue[i] = e;
	for (; i > 0 && is_before(&w->queue[i], &w->queue[(i - 1) / 2]); i = (i - 1) / 2)
		swap(&w->queue[i], &w->queue[(i - 1) / 2]);
}

static struct sim_event pop(struct world *w)
{
	struct sim_event first = w->queue[0];
	size_t i = 0, n = --w->n_queue;

	w->queue[0] = w->queue[n];
	for (;;) {
		size_t least = i;
		for (size_t child = 2 * i + 1; child <= 2 * i + 2; child++)
			if (child < n && is_before(&w->queue[child], &w->queue[least]))
				least = child;
		if (least == i)
			return first;
		swap(&w->queue[i], &w->queue[least]);
		i = least;
	}
}

static void trace(struct world *w, uint64_t value)
{
	w->trace = (w->trace ^ value) * UINT64_C(0x100000001b3);
	w->trace ^= w->trace >> 29;
}

static void do_action(struct sim_node *n, struct mesh_action *a)
{
	switch (a->kind) {
	case MESH_SEND: net_send(n, a->session, &a->message); break;
	case MESH_STORE:
		check_stored(n, a);
		disk_store(n, a->token, &a->op);
		break;
	case MESH_CLOSE: net_close(n, a->session); break;
	case MESH_GREETED:
	case MESH_OPENED: break;
	case MESH_DELIVER: check_delivered(n, a); break;
	case MESH_HEARD:
		check_heard(n, a->origin, a->age_ns);
		n->heard_ns[origin_index(a->origin)] = n->world->now_ns - a->age_ns;
		break;
	case MESH_ALARM: world_fail(n->world, "%s: alarm: %s", sites[n->id].origin, a->text); break;
	case MESH_FORK:
		world_fail(n->world, "%s: fork of %s: %s", sites[n->id].origin, a->origin, a->text);
		break;
	}
}

static void tell_send(const struct world *w, const struct mesh_action *a)
{
	const struct message *m = &a->message;
	const struct session_at *at = &w->sessions[a->session - 1];

	printf("send %s to %s", message_kind_text(m->kind), sites[w->links[at->link].ends[!at->side]].origin);
	if (m->kind == MESSAGE_PULL)
		printf(" %s%s%s", m->pull.origin, m->pull.full ? " full" : "",
		       m->pull.cursor.len ? "" : " from 0");
	if (m->kind == MESSAGE_ROWS)
		printf(" %s [%u] n=%zu%s", m->rows.origin, m->rows.index, m->rows.n,
		       m->rows.at_head ? " head" : "");
	if (m->kind == MESSAGE_RESET)
		printf(" %s %s", m->reset.origin, reset_reason_text(m->reset.reason));
}

static void tell(const struct sim_node *n, const struct mesh_action *a)
{
	static const char *const kinds[] = {
		[MESH_SEND] = "",         [MESH_STORE] = "store",     [MESH_CLOSE] = "close",
		[MESH_OPENED] = "opened", [MESH_DELIVER] = "deliver", [MESH_HEARD] = "heard of",
		[MESH_ALARM] = "alarm",   [MESH_GREETED] = "greeted", [MESH_FORK] = "fork of",
	};

	printf("%9.4f %s ", (double)n->world->now_ns / 1e9, sites[n->id].origin);
	if (a->kind == MESH_SEND)
		tell_send(n->world, a);
	else
		printf("%s %s%s", kinds[a->kind], a->origin ? a->origin : "", a->text ? a->text : "");
	if (a->kind == MESH_STORE)
		printf("%s n=%zu%s%s%s", a->op.rows.origin, a->op.rows.n,
		       a->op.rows.full_begin ? " begin" : "", a->op.rows.full_end ? " end" : "",
		       a->op.rows.head.len ? " head" : "");
	printf(" session=%u\n", a->session);
}

static void set_tick(struct sim_node *n)
{
	struct world *w = n->world;
	int64_t at_ns = mesh_deadline(n->mesh);

	if (at_ns == INT64_MAX)
		return;
	at_ns = at_ns > w->now_ns ? at_ns : w->now_ns + 1;
	if (n->tick_ns > w->now_ns && n->tick_ns <= at_ns)
		return;
	n->tick_ns = at_ns;
	world_push(w, (struct sim_event){.at_ns = at_ns, .kind = SIM_TICK, .node = n->id, .boot = n->boots});
}

void node_step(struct sim_node *n, const struct mesh_event *e)
{
	struct world *w = n->world;
	struct mesh_todo todo = {.arena = w->arena};

	if (mesh_step(n->mesh, e, w->now_ns, &todo) < 0)
		world_fail(w, "%s: step failed", sites[n->id].origin);
	if (w->stale)
		check_late(n, &todo);
	for (size_t i = 0; i < todo.n && !w->failure[0]; i++) {
		trace(w, (uint64_t)todo.actions[i].kind << 32 | todo.actions[i].session);
		if (w->opt.trace)
			tell(n, &todo.actions[i]);
		do_action(n, &todo.actions[i]);
	}
	set_tick(n);
}

void node_start(struct sim_node *n)
{
	const struct mesh_options opt = {
		.org = org_names[sites[n->id].org],
		.node = sites[n->id].name,
		.seed = world_random(n->world),
		.port = port_of(n),
	};

	world_tell(n->world, "%s starts", sites[n->id].origin);
	n->up = true;
	n->boots++;
	if (mesh_new(&n->mesh, &opt) < 0)
		abort();
}

static void add_stats(struct mesh_stats *sum, const struct mesh_stats *s)
{
	sum->frames_old_session += s->frames_old_session;
	sum->frames_gap += s->frames_gap;
	sum->frames_refused += s->frames_refused;
	sum->pulls += s->pulls;
	sum->pulls_full += s->pulls_full;
	sum->resets += s->resets;
	sum->mismatches += s->mismatches;
	sum->alarms += s->alarms;
	sum->forks += s->forks;
}

void node_stop(struct sim_node *n)
{
	struct world *w = n->world;
	struct mesh_stats stats;

	mesh_stats(n->mesh, &stats);
	add_stats(&w->stats, &stats);
	mesh_free(n->mesh);
	n->mesh = NULL;
	n->up = false;
	n->tick_ns = 0;
	disk_lose_changes(n);
	memset(n->heard_ns, 0, sizeof n->heard_ns);
	memset(n->sight, 0, sizeof n->sight);
	memset(n->offered, 0, sizeof n->offered);
	port_forget(n);
	memset(n->stores, 0, sizeof n->stores);
	memset(n->failing, 0, sizeof n->failing);
	net_node_gone(w, n->id);
}

void world_stats(const struct world *w, struct mesh_stats *ret)
{
	struct mesh_stats s, sum = w->stats;

	for (int i = 0; i < N_NODES; i++)
		if (w->nodes[i].mesh) {
			mesh_stats(w->nodes[i].mesh, &s);
			add_stats(&sum, &s);
		}
	*ret = sum;
}

static void on_tick(struct world *w, const struct sim_event *e)
{
	struct sim_node *n = &w->nodes[e->node];
	const struct mesh_event tick = {.kind = MESH_TICK};

	if (!n->up || n->boots != e->boot || n->tick_ns != e->at_ns)
		return;
	n->tick_ns = 0;
	node_step(n, &tick);
}

static void on_event(struct world *w, struct sim_event *e)
{
	struct sim_node *n = &w->nodes[e->node < N_NODES ? e->node : 0];

	switch (e->kind) {
	case SIM_TICK: on_tick(w, e); break;
	case SIM_FRAME: net_on_frame(w, e); break;
	case SIM_DIAL: net_on_dial(w, e); break;
	case SIM_DOWN: net_on_down(w, e); break;
	case SIM_COMMIT:
		if (n->up && n->boots == e->boot)
			disk_on_commit(n);
		break;
	case SIM_POLICY: chaos_on_policy(w, e); break;
	case SIM_RESTART:
		if (!n->up)
			node_start(n);
		break;
	case SIM_CHAOS: chaos_on_step(w); break;
	}
}

static void run_until(struct world *w, int64_t end_ns)
{
	while (w->n_queue > 0 && !w->failure[0] && w->queue[0].at_ns <= end_ns) {
		struct sim_event e = pop(w);
		w->now_ns = e.at_ns;
		trace(w, (uint64_t)e.at_ns);
		trace(w, (uint64_t)e.kind << 8 | (uint64_t)e.node);
		arena_reset(w->arena);
		on_event(w, &e);
		bytes_drop(e.frame);
	}
	if (!w->failure[0])
		w->now_ns = end_ns;
}

void world_run(struct world *w, const struct sim_options *opt)
{
	*w = (struct world){.opt = *opt, .random = opt->seed, .trace = UINT64_C(0xcbf29ce484222325)};
	w->now_ns = NS_PER_S;
	if (arena_new(&w->arena, STEP_BUDGET) < 0 || arena_new(&w->scratch, STEP_BUDGET) < 0)
		abort();
	chaos_start(w);
	while (w->chaos_left > 0 && !w->failure[0])
		run_until(w, w->now_ns + NS_PER_S / 10);
	if (w->failure[0])
		return;
	chaos_heal(w);
	run_until(w, w->now_ns + HEAL_NS);
	if (!w->failure[0])
		check_converged(w);
}

static void fini_links(struct world *w)
{
	for (int i = 0; i < N_LINKS; i++)
		for (int side = 0; side < 2; side++)
			for (struct late *l = w->links[i].late[side], *next; l; l = next) {
				next = l->next;
				bytes_drop(l->frame);
				free(l);
			}
}

void world_fini(struct world *w)
{
	struct mesh_stats stats;

	world_stats(w, &stats);
	w->stats = stats; /* outlives the meshes */
	for (int i = 0; i < N_NODES; i++) {
		mesh_free(w->nodes[i].mesh);
		port_forget(&w->nodes[i]);
		disk_lose_changes(&w->nodes[i]);
		free(w->states[i]);
		for (int t = 0; t < TWINS; t++)
			free(w->facts[i][t].list);
	}
	fini_links(w);
	for (size_t i = 0; i < w->n_queue; i++)
		bytes_drop(w->queue[i].frame);
	free(w->queue);
	free(w->conns);
	free(w->sessions);
	arena_free(w->arena);
	arena_free(w->scratch);
}
