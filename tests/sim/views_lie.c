/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/sim/views.h"

static void *must(void *p)
{
	if (!p)
		abort();
	return p;
}

/* Another twin of the world, as far as there is one that the answer cannot be about. */
static const char *stranger(struct lab *l, int org)
{
	for (int i = 0; i < l->n_twins; i++)
		if (l->twins[i].org != org)
			return l->twins[i].id;
	return "nobody/t00";
}

static void add_member(struct lab *l, struct view_part *p, const char *id, const char *parent)
{
	struct view_member *all = must(arena_take_array(l->arena, p->n_members + 1, sizeof *all));

	if (p->n_members > 0)
		memcpy(all, p->members, p->n_members * sizeof *all);
	all[p->n_members] = (struct view_member){.id = id, .parent = parent, .type = "", .name = ""};
	all[p->n_members].rollups =
		must(arena_take_array(l->arena, LAB_ROLLUPS, sizeof(struct rollup_state)));
	p->members = all;
	p->n_members++;
}

static void add_cell(struct lab *l, struct view_part *p, int64_t t_ns)
{
	struct view_cell *all = must(arena_take_array(l->arena, p->n_cells + 1, sizeof *all));

	if (p->n_cells > 0)
		memcpy(all, p->cells, p->n_cells * sizeof *all);
	all[p->n_cells] = (struct view_cell){.group = "", .t_ns = t_ns};
	all[p->n_cells].rollups = must(arena_take_array(l->arena, LAB_ROLLUPS, sizeof(struct rollup_state)));
	p->cells = all;
	p->n_cells++;
}

static void add_edge(struct lab *l, struct view_part *p, const char *anchor, const char *parent,
		     const char *child)
{
	struct view_edge *all = must(arena_take_array(l->arena, p->n_edges + 1, sizeof *all));

	if (p->n_edges > 0)
		memcpy(all, p->edges, p->n_edges * sizeof *all);
	all[p->n_edges++] = (struct view_edge){.anchor = anchor, .parent = parent, .child = child};
	p->edges = all;
}

static void add_source(struct lab *l, struct view_part *p)
{
	p->sources = must(arena_take_array(l->arena, 1, sizeof *p->sources));
	p->sources[0] = (struct view_source){.org = "another", .node = "n0"};
	p->n_sources = 1;
}

/* In the last part, so that those before it were right. */
void lab_lie(struct lab *l, const struct lab_event *e)
{
	struct view_part *p = &e->parts[e->n_parts - 1];
	const int org = l->nodes[e->node].org;
	const char *id = stranger(l, org), *parent = p->n_members > 0 ? p->members[0].id : "";

	switch (lab_random(l, 12)) {
	case 0: add_member(l, p, "nobody/t00", parent); break;
	case 1: add_member(l, p, id, ""); break;
	case 2: add_member(l, p, "acme/invented", "acme/nowhere"); break;
	case 3: p->counts.members = UINT64_MAX; break;
	case 4: p->counts.live += 2; break;
	case 5: p->counts.withheld = p->counts.members + 1; break;
	case 6: add_cell(l, p, 77); break;
	case 7: add_edge(l, p, "acme/nowhere", "acme/nowhere", id); break;
	case 8: add_edge(l, p, parent, "nobody/t01", id); break;
	case 9: p->n_rollups++, add_member(l, p, id, parent); break;
	case 10: add_source(l, p); break;
	default: p->counts.members++; break;
	}
}
