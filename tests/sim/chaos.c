/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/sim/world.h"

#define FREEZE_NS (6 * NS_PER_S)
#define FULL_NS (3 * NS_PER_S)
#define OUTAGE_NS (6 * NS_PER_S)
#define RESTART_NS (2 * NS_PER_S)

/* Each seed has its own character: one never loses a frame, another loses many. */
unsigned chaos_draw(struct world *w, unsigned most)
{
	return world_chance(w, 300) ? 0 : (unsigned)world_below(w, most + 1);
}

static void draw_rates(struct world *w)
{
	w->rates = (struct rates){
		.drop = chaos_draw(w, 30),
		.duplicate = chaos_draw(w, 30),
		.late = chaos_draw(w, 600),
		.store_failure = chaos_draw(w, 30),
		.notice = chaos_draw(w, 900),
		.mark = 12 + (unsigned)world_below(w, 200),
		.latency_ns = world_delay(w, 30 * NS_PER_MS),
		.commit_ns = world_delay(w, 30 * NS_PER_MS),
		.slow_lines = world_chance(w, 500),
		.hangs = world_chance(w, 500),
		.pause_ns = 10 * NS_PER_MS + world_delay(w, 140 * NS_PER_MS),
	};
	/* from 30 kB/s to 1 MB/s */
	for (int i = 0; i < w->n_links; i++)
		if (w->rates.slow_lines && world_chance(w, 500))
			w->links[i].byte_ns = 1000 << world_below(w, 6);
}

/* In some seeds a part of the mesh has not been upgraded yet. */
static void draw_releases(struct world *w)
{
	const bool mixed = world_chance(w, 250);

	for (int i = 0; i < N_NODES; i++)
		w->nodes[i].old = mixed && world_chance(w, 300);
}

static void draw_rule(struct world *w, int org)
{
	struct rule *r = &w->rules[org][++w->epochs[org]];

	for (int audience = 0; audience < N_ORGS; audience++)
		r->attrs[audience] = world_chance(w, 150) ? 0 : (uint8_t)world_below(w, 1u << N_ATTRS);
	r->mask = world_chance(w, 500) ? ROW_MASK_SUMMARY : ROW_MASK_SUMMARY | ROW_MASK_KPI;
}

static void push_policy(struct world *w, int node, int64_t most_ns)
{
	world_push(w, (struct sim_event){.at_ns = w->now_ns + world_delay(w, most_ns),
					 .kind = SIM_POLICY,
					 .node = (int16_t)node,
					 .number = w->epochs[sites[node].org]});
}

static void push_chaos(struct world *w)
{
	world_push(w, (struct sim_event){.at_ns = w->now_ns + world_delay(w, w->rates.pause_ns),
					 .kind = SIM_CHAOS});
}

void chaos_start(struct world *w)
{
	w->chaos_left = w->opt.steps;
	topology_draw(w);
	draw_rates(w);
	draw_releases(w);
	trust_start(w);
	for (int org = 0; org < N_ORGS; org++)
		draw_rule(w, org);
	for (int i = 0; i < N_NODES; i++) {
		w->nodes[i].world = w;
		w->nodes[i].id = i;
		disk_init(&w->nodes[i]);
		check_state(&w->nodes[i]);
		node_start(&w->nodes[i]);
	}
	net_start(w);
	push_chaos(w);
}

static struct sim_node *any_node(struct world *w)
{
	return &w->nodes[world_below(w, N_NODES)];
}

static void change(struct world *w)
{
	struct sim_node *n = any_node(w);

	if (n->up && n->frozen_ns <= w->now_ns && w->duties[n->id].owner)
		disk_change(n, (int)world_below(w, TWINS), (uint8_t)world_below(w, N_ATTRS),
			    world_chance(w, 150));
}

static void burst(struct world *w)
{
	for (int i = 0; i < 12; i++)
		change(w);
}

static void edit_policy(struct world *w)
{
	int org = (int)world_below(w, N_ORGS);

	if (w->epochs[org] + 1 == EPOCHS_MAX)
		return;
	draw_rule(w, org);
	for (int i = 0; i < N_NODES; i++)
		if (sites[i].org == org)
			push_policy(w, i, 2 * NS_PER_S);
}

static int any_link(struct world *w)
{
	return (int)world_below(w, (uint64_t)w->n_links);
}

static void reset_link(struct world *w)
{
	net_break(w, any_link(w));
}

static void half_open(struct world *w)
{
	net_half_open(w, any_link(w));
}

static void cut_link(struct world *w)
{
	struct link *l = &w->links[any_link(w)];

	if (world_chance(w, 600))
		l->cut[0] = l->cut[1] = true;
	else
		l->cut[world_below(w, 2)] = true;
}

static void mend_link(struct world *w)
{
	struct link *l = &w->links[any_link(w)];

	l->cut[0] = l->cut[1] = false;
}

static void freeze(struct world *w)
{
	struct sim_node *n = any_node(w);

	if (!n->up || n->frozen_ns > w->now_ns || !w->rates.hangs)
		return;
	n->frozen_ns = w->now_ns + world_delay(w, FREEZE_NS);
	world_tell(w, "%s stands still", sites[n->id].origin);
	world_push(w, (struct sim_event){.at_ns = n->frozen_ns, .kind = SIM_THAW, .node = (int16_t)n->id});
}

static void fill_disk(struct world *w)
{
	struct sim_node *n = any_node(w);

	n->full_ns = w->now_ns + world_delay(w, FULL_NS);
	world_tell(w, "the disk of %s is full", sites[n->id].origin);
}

static void restart_later(struct world *w, int node)
{
	world_push(w, (struct sim_event){.at_ns = w->now_ns + world_delay(w, RESTART_NS),
					 .kind = SIM_RESTART,
					 .node = (int16_t)node});
	push_policy(w, node, OUTAGE_NS);
}

static void crash(struct world *w)
{
	struct sim_node *n = any_node(w);

	if (!n->up)
		return;
	world_tell(w, "%s crashes", sites[n->id].origin);
	node_stop(n);
	restart_later(w, n->id);
}

static void copy_disk(struct world *w)
{
	struct sim_node *n = any_node(w);

	disk_copy(n);
	world_tell(w, "%s is copied", sites[n->id].origin);
}

static void restore(struct world *w)
{
	struct sim_node *n = any_node(w);

	if (!n->copy)
		return;
	if (n->up) {
		node_stop(n);
		restart_later(w, n->id);
	}
	world_tell(w, "%s is restored from a copy", sites[n->id].origin);
	disk_restore(n);
}

static void corrupt(struct world *w)
{
	struct sim_node *n = any_node(w);
	int origin = (int)world_below(w, N_NODES);

	if (origin != n->id)
		disk_corrupt(n, origin, (int)world_below(w, TWINS));
}

static void collect(struct world *w)
{
	struct sim_node *n = any_node(w);

	if (n->up && n->frozen_ns <= w->now_ns)
		disk_collect(n, sites[n->id].org * N_OF_ORG + (int)world_below(w, N_OF_ORG));
}

static void ask(struct world *w)
{
	int node;
	uint32_t session = net_any_session(w, &node);
	const struct message question = {
		.kind = MESSAGE_QUESTION,
		.question = {.id = w->questions_said + 1,
			     .timeout_ns = NS_PER_S,
			     .asker = org_names[sites[node].org],
			     .kind = QUESTION_READ,
			     .twin = "acme/a1/t1",
			     .property = ""},
	};
	const struct mesh_event say = {.kind = MESH_SAY, .session = session, .message = &question};

	if (session == 0 || w->questions_said + 1 == QUESTIONS_MAX || w->nodes[node].frozen_ns > w->now_ns)
		return;
	w->questions_said++;
	node_step(&w->nodes[node], &say);
}

static void nothing(struct world *w)
{
	(void)w;
}

static const struct {
	unsigned weight;
	void (*happen)(struct world *w);
} misfortunes[] = {
	{300, change},      {30, burst},     {30, edit_policy}, {60, reset_link},
	{40, cut_link},     {70, mend_link}, {20, half_open},   {20, freeze},
	{12, fill_disk},    {30, crash},     {30, copy_disk},   {15, restore},
	{10, corrupt},      {30, ask},       {30, nothing},     {15, trust_end_or_renew},
	{6, trust_end_org}, {60, collect},
};

void chaos_on_step(struct world *w)
{
	enum { KINDS = sizeof misfortunes / sizeof *misfortunes };
	unsigned sum = 0, i = 0;

	if (w->healed || w->chaos_left == 0)
		return;
	for (unsigned k = 0; k < KINDS; k++)
		sum += misfortunes[k].weight;
	unsigned drawn = (unsigned)world_below(w, sum);
	while (drawn >= misfortunes[i].weight)
		drawn -= misfortunes[i++].weight;
	misfortunes[i].happen(w);
	if (--w->chaos_left > 0)
		push_chaos(w);
}

/* A node learns of a policy, of the newest one or of one on the way to it; it never goes back. */
void chaos_on_policy(struct world *w, const struct sim_event *e)
{
	struct sim_node *n = &w->nodes[e->node];
	const struct mesh_event changed = {.kind = MESH_CHANGED};

	if (!n->up || n->disk.epoch >= e->number)
		return;
	n->disk.epoch = e->number;
	world_tell(w, "%s knows policy %lu", sites[n->id].origin, (unsigned long)e->number);
	if (n->parted)
		n->durable->epoch = e->number;
	node_step(n, &changed);
}

void chaos_heal(struct world *w)
{
	w->healed = true;
	for (int i = 0; i < w->n_links; i++)
		w->links[i].cut[0] = w->links[i].cut[1] = false;
	for (int i = 0; i < N_NODES; i++) {
		w->nodes[i].full_ns = 0;
		node_thaw(&w->nodes[i]);
	}
	trust_heal(w);
	for (int i = 0; i < N_NODES; i++) {
		if (!w->nodes[i].up)
			node_start(&w->nodes[i]);
		push_policy(w, i, NS_PER_S);
	}
}
