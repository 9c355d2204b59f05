/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/sim/world.h"

#include <stdarg.h>
#include <stdio.h>

#define FOR_EVER_NS (3600 * NS_PER_S) /* longer than a seed */
#define HEAL_NS (40 * NS_PER_S)
#define STEP_BUDGET ((size_t)64 << 20)
#define ROOM_BYTES ((size_t)256 << 10) /* so much at first: growing costs more than the step */

enum { REAL_EVERY = 20 }; /* seeds that run on the real encodings and hashes */

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

void *world_grow(void *items, size_t *n, size_t size)
{
	void **array = items;

	if ((*n & (*n - 1)) == 0) {
		*array = realloc(*array, (*n == 0 ? 1 : *n * 2) * size);
		if (!*array)
			abort();
	}
	return memset((uint8_t *)*array + size * (*n)++, 0, size);
}

enum { POOL_BYTES = 1 << 16 };
struct pool_block {
	struct pool_block *next;
	size_t used, size;
	max_align_t data[];
};

void *world_take(struct world *w, size_t size)
{
	struct pool_block *b = w->pool;

	size = (size + sizeof(max_align_t) - 1) / sizeof(max_align_t) * sizeof(max_align_t);
	if (!b || b->size - b->used < size) {
		const size_t room = size > POOL_BYTES ? size : POOL_BYTES;
		b = malloc(sizeof *b + room);
		if (!b)
			abort();
		*b = (struct pool_block){.next = w->pool, .size = room};
		w->pool = b;
	}
	b->used += size;
	return (uint8_t *)b->data + b->used - size;
}

struct bytes world_keep(struct world *w, struct bytes b)
{
	uint8_t *copy = world_take(w, b.len);

	if (b.len > 0)
		memcpy(copy, b.data, b.len);
	return (struct bytes){copy, b.len};
}

static bool is_before(const struct sim_event *a, const struct sim_event *b)
{
	return a->at_ns != b->at_ns ? a->at_ns < b->at_ns : a->tie < b->tie;
}

void world_push(struct world *w, struct sim_event e)
{
	size_t i = w->n_queue++;

	if (i == w->queue_room) {
		w->queue_room = i == 0 ? 256 : i * 2;
		w->queue = realloc(w->queue, w->queue_room * sizeof e);
		if (!w->queue)
			abort();
	}
	e.tie = world_random(w);
	for (; i > 0 && is_before(&e, &w->queue[(i - 1) / 2]); i = (i - 1) / 2)
		w->queue[i] = w->queue[(i - 1) / 2];
	w->queue[i] = e;
}

static struct sim_event pop(struct world *w)
{
	const struct sim_event first = w->queue[0];
	size_t i = 0, n = --w->n_queue;
	const struct sim_event last = w->queue[n];

	for (size_t child = 1; child < n; child = 2 * i + 1) {
		child += child + 1 < n && is_before(&w->queue[child + 1], &w->queue[child]);
		if (!is_before(&w->queue[child], &last))
			break;
		w->queue[i] = w->queue[child];
		i = child;
	}
	w->queue[i] = last;
	return first;
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
		check_epoch(n, a->op.rows.origin);
		disk_store(n, a->token, &a->op);
		break;
	case MESH_RESUME: break; /* when the others are done */
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
	if (m->kind == MESSAGE_HEADS)
		printf(" n=%zu%s", m->heads.n, m->heads.all ? " all" : "");
	if (m->kind == MESSAGE_PULL)
		printf(" %s%s%s", m->pull.origin, m->pull.full ? " full" : "",
		       m->pull.cursor.len ? "" : " from 0");
	if (m->kind == MESSAGE_REPAIR)
		printf(" %s depth=%u of %zu with %zu%s", m->repair.origin, m->repair.depth, m->repair.n,
		       m->repair.n_entries, m->repair.cursor.len ? "" : " begins");
	if (m->kind == MESSAGE_ROWS && m->rows.repair)
		printf(" repair leaves=%u gone=%zu", m->rows.leaves, m->rows.n_gone);
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
		[MESH_RESUME] = "resume",
	};

	printf("%9.4f %s ", (double)n->world->now_ns / 1e9, sites[n->id].origin);
	if (a->kind == MESH_SEND)
		tell_send(n->world, a);
	else
		printf("%s %s%s", kinds[a->kind], a->origin ? a->origin : "", a->text ? a->text : "");
	if (a->kind == MESH_STORE)
		printf("%s n=%zu%s%s%s", a->op.rows.origin, a->op.rows.n, a->op.rows.afresh ? " afresh" : "",
		       a->op.rows.repair ? " repair" : "", a->op.rows.head.len ? " head" : "");
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
	world_push(w, (struct sim_event){
			      .at_ns = at_ns, .kind = SIM_TICK, .node = (int16_t)n->id, .boot = n->boots});
}

static void resume(struct sim_node *n, const struct mesh_todo *todo)
{
	for (size_t i = 0; i < todo->n && !n->world->failure[0]; i++) {
		const struct mesh_action *a = &todo->actions[i];
		if (a->kind == MESH_RESUME)
			node_step(n, &(struct mesh_event){.kind = MESH_RESUMED,
							  .session = a->session,
							  .message = &a->message,
							  .token = a->token});
	}
}

void node_step(struct sim_node *n, const struct mesh_event *e)
{
	struct world *w = n->world;
	struct mesh_todo todo = {.arena = w->arena};

	w->n_steps++;
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
	if (!w->failure[0])
		check_memory(n);
	set_tick(n);
	resume(n, &todo);
}

/* One frame at a time, a few, or as many as a node has. */
size_t world_window(const struct world *w)
{
	static const size_t frames[] = {1, 5, 26};

	return FRAME_FILL * frames[w->opt.seed % 3];
}

void node_start(struct sim_node *n)
{
	const struct mesh_options opt = {
		.org = org_names[sites[n->id].org],
		.node = sites[n->id].name,
		.credential = trust_credential(n),
		.seed = world_random(n->world),
		.port = port_of(n),
		.silence_ns = n->world->opt.broken == BREAK_NO_SILENCE ? FOR_EVER_NS : 0,
		.ping_every_ns = n->world->opt.broken == BREAK_NO_SILENCE ? FOR_EVER_NS / 3 : 0,
		.window_bytes = world_window(n->world),
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
	sum->repairs += s->repairs;
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
	node_thaw(n);
	n->tick_ns = 0;
	n->n_open = 0;
	disk_lose_changes(n);
	memset(n->heard_ns, 0, sizeof n->heard_ns);
	memset(n->sight, 0, sizeof n->sight);
	memset(n->heads, 0, sizeof n->heads);
	memset(n->seen_epoch, 0, sizeof n->seen_epoch);
	memset(n->offered, 0, sizeof n->offered);
	port_forget(n);
	memset(n->stores, 0, sizeof n->stores);
	memset(n->failing, 0, sizeof n->failing);
	memset(n->behind, 0, sizeof n->behind);
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

static void happen(struct world *w, const struct sim_event *e)
{
	struct sim_node *n = &w->nodes[e->node < N_NODES ? e->node : 0];

	switch ((enum sim_event_kind)e->kind) {
	case SIM_TICK: on_tick(w, e); break;
	case SIM_FRAME: net_on_frame(w, e); break;
	case SIM_DIAL: net_on_dial(w, e); break;
	case SIM_DOWN: net_on_down(w, e); break;
	case SIM_COMMIT:
		if (n->up && n->boots == e->boot)
			disk_on_commit(n);
		break;
	case SIM_POLICY: chaos_on_policy(w, e); break;
	case SIM_TRUST: trust_on_event(w, e); break;
	case SIM_THAW:
		if (n->frozen_ns <= w->now_ns)
			node_thaw(n);
		break;
	case SIM_RESTART:
		if (!n->up)
			node_start(n);
		break;
	case SIM_CHAOS: chaos_on_step(w); break;
	}
}

static int whose(const struct world *w, const struct sim_event *e)
{
	switch ((enum sim_event_kind)e->kind) {
	case SIM_FRAME:
	case SIM_DIAL:
	case SIM_DOWN: return net_whose(w, e);
	case SIM_TICK:
	case SIM_COMMIT:
	case SIM_POLICY:
	case SIM_TRUST: return e->node;
	case SIM_THAW:
	case SIM_RESTART:
	case SIM_CHAOS: break;
	}
	return -1;
}

/* A process that stands still finds all that came, in order, when it goes on. */
void node_thaw(struct sim_node *n)
{
	struct sim_event *waiting = n->waiting;
	const size_t n_waiting = n->n_waiting;

	n->frozen_ns = 0;
	n->waiting = NULL;
	n->n_waiting = 0;
	for (size_t i = 0; i < n_waiting; i++) {
		arena_reset(n->world->arena);
		if (!n->world->failure[0])
			happen(n->world, &waiting[i]);
		frame_drop(waiting[i].frame);
	}
	free(waiting);
}

static void on_event(struct world *w, struct sim_event e)
{
	const int node = whose(w, &e);
	struct sim_node *n = node >= 0 ? &w->nodes[node] : NULL;

	if (n && n->frozen_ns > w->now_ns) {
		struct sim_event *place = world_grow(&n->waiting, &n->n_waiting, sizeof *place);
		*place = e;
		return;
	}
	if (n && n->n_waiting > 0)
		node_thaw(n); /* its SIM_THAW comes in the same moment */
	arena_reset(w->arena);
	happen(w, &e);
	frame_drop(e.frame);
}

void world_go_on(struct world *w, int64_t for_ns)
{
	const int64_t end_ns = w->now_ns + for_ns;

	while (w->n_queue > 0 && !w->failure[0] && w->queue[0].at_ns <= end_ns) {
		const struct sim_event e = pop(w);
		w->now_ns = e.at_ns;
		trace(w, (uint64_t)e.at_ns);
		trace(w, (uint64_t)e.kind << 8 | (uint64_t)e.node);
		on_event(w, e);
	}
	if (!w->failure[0])
		w->now_ns = end_ns;
}

static struct arena *roomy_arena(void)
{
	struct arena *a;

	if (arena_new(&a, STEP_BUDGET) < 0 || !arena_take(a, ROOM_BYTES))
		abort();
	arena_reset(a); /* it keeps its first block */
	return a;
}

/* Everybody holds what it should, and still does a little later. */
static void converge(struct world *w)
{
	const int64_t until_ns = w->now_ns + HEAL_NS;
	char why[256];
	int good = 0;

	while (!w->failure[0] && good < 2) {
		world_go_on(w, NS_PER_S);
		good = check_converged(w, why, sizeof why) ? good + 1 : 0;
		if (good == 0 && w->now_ns > until_ns)
			world_fail(w, "in the end %s", why);
	}
}

void world_run(struct world *w, const struct sim_options *opt)
{
	*w = (struct world){.opt = *opt, .random = opt->seed, .trace = UINT64_C(0xcbf29ce484222325)};
	w->now_ns = NS_PER_S;
	w->rows_of = -1;
	w->real = opt->seed % REAL_EVERY == 0;
	codec_use(w->real);
	w->arena = roomy_arena();
	w->scratch = roomy_arena();
	chaos_start(w);
	while (w->chaos_left > 0 && !w->failure[0])
		world_go_on(w, NS_PER_S / 10);
	if (w->failure[0])
		return;
	chaos_heal(w);
	converge(w);
	if (!w->failure[0])
		pace_check(w);
}

static void fini_links(struct world *w)
{
	for (int i = 0; i < w->n_links; i++)
		for (int side = 0; side < 2; side++)
			for (struct late *l = w->links[i].late[side], *next; l; l = next) {
				next = l->next;
				frame_drop(l->frame);
				free(l);
			}
}

static void fini_node(struct sim_node *n)
{
	port_forget(n);
	disk_lose_changes(n);
	for (size_t i = 0; i < n->n_waiting; i++)
		frame_drop(n->waiting[i].frame);
	free(n->waiting);
	free(n->copy);
	free(n->durable);
}

static void fini_pool(struct world *w)
{
	while (w->pool) {
		struct pool_block *b = w->pool;
		w->pool = b->next;
		free(b);
	}
}

void world_fini(struct world *w)
{
	struct mesh_stats stats;

	world_stats(w, &stats);
	w->stats = stats; /* outlives the meshes */
	for (int i = 0; i < N_NODES; i++) {
		mesh_free(w->nodes[i].mesh);
		fini_node(&w->nodes[i]);
		free(w->states[i]);
		for (int t = 0; t < TWINS; t++)
			free(w->facts[i][t].list);
	}
	fini_links(w);
	for (size_t i = 0; i < w->n_queue; i++)
		frame_drop(w->queue[i].frame);
	free(w->queue);
	free(w->conns);
	free(w->sessions);
	arena_free(w->arena);
	arena_free(w->scratch);
	fini_pool(w);
}
