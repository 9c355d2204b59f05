/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/sim/world.h"

const char *const org_names[N_ORGS] = {"acme", "bolt", "cord"};
const struct site sites[N_NODES] = {
	{0, "a1", "acme/a1"}, {0, "a2", "acme/a2"}, {0, "a3", "acme/a3"}, {0, "a4", "acme/a4"},
	{1, "b1", "bolt/b1"}, {1, "b2", "bolt/b2"}, {1, "b3", "bolt/b3"}, {1, "b4", "bolt/b4"},
	{2, "c1", "cord/c1"}, {2, "c2", "cord/c2"}, {2, "c3", "cord/c3"}, {2, "c4", "cord/c4"},
};

#define T(origin) \
	{ \
		origin "/t0", origin "/t1", origin "/t2", origin "/t3", origin "/t4", origin "/t5", \
			origin "/t6", origin "/t7", origin "/t8", origin "/t9" \
	}
static const char *const twins[N_NODES][TWINS] = {
	T("acme/a1"), T("acme/a2"), T("acme/a3"), T("acme/a4"), T("bolt/b1"), T("bolt/b2"),
	T("bolt/b3"), T("bolt/b4"), T("cord/c1"), T("cord/c2"), T("cord/c3"), T("cord/c4"),
};
#undef T

/* The names have one shape, so a place in the tables can be read from them. */
enum { ORIGIN_DIGIT = 6, ORIGIN_LEN, TWIN_DIGIT = ORIGIN_LEN + 2, TWIN_LEN };

int org_index(const char *name)
{
	const int i = name[0] - 'a';

	return i >= 0 && i < N_ORGS && strcmp(org_names[i], name) == 0 ? i : -1;
}

static int origin_guess(const char *name)
{
	const int org = name[0] - 'a';

	if (org < 0 || org >= N_ORGS)
		return -1;
	for (int i = 1; i < ORIGIN_DIGIT; i++)
		if (name[i] != sites[org * N_OF_ORG].origin[i])
			return -1;
	const int node = name[ORIGIN_DIGIT] - '1';
	return node >= 0 && node < N_OF_ORG ? org * N_OF_ORG + node : -1;
}

int origin_index(const char *name)
{
	const int i = origin_guess(name);

	return i >= 0 && name[ORIGIN_LEN] == '\0' ? i : -1;
}

int twin_index(const char *id, int *origin)
{
	const int i = origin_guess(id);

	if (i < 0 || id[ORIGIN_LEN] != '/' || id[ORIGIN_LEN + 1] != 't')
		return -1;
	const int twin = id[TWIN_DIGIT] - '0';
	if (twin < 0 || twin >= TWINS || id[TWIN_LEN] != '\0')
		return -1;
	*origin = i;
	return twin;
}

const char *twin_name(int origin, int twin)
{
	return twins[origin][twin];
}

static void add_link(struct world *w, int a, int b)
{
	const bool turned = world_chance(w, 500);

	w->links[w->n_links++] = (struct link){.ends = {turned ? b : a, turned ? a : b}};
}

/* The first three are a line or a triangle; the fourth hangs on one of them, seldom on two. */
static void draw_inside(struct world *w, int first)
{
	static const int pairs[3][2] = {{0, 1}, {1, 2}, {0, 2}};
	const uint64_t without = world_below(w, 5), relay = world_below(w, 3);

	for (uint64_t i = 0; i < 3; i++)
		if (i != without)
			add_link(w, first + pairs[i][0], first + pairs[i][1]);
	add_link(w, first + 3, first + (int)relay);
	if (world_chance(w, 200))
		add_link(w, first + 3, first + (int)(relay + 1) % 3);
}

static void draw_between(struct world *w, int a, int b)
{
	const uint64_t which = 1 + world_below(w, 15);

	for (int i = 0; i < 4; i++)
		if (which >> i & 1)
			add_link(w, a + 1 + i / 2, b + 1 + i % 2);
}

void topology_draw(struct world *w)
{
	for (int org = 0; org < N_ORGS; org++) {
		struct duty *r = &w->duties[org * N_OF_ORG];
		r[0].owner = r[1].owner = r[3].owner = true;
		r[2].owner = world_chance(w, 500);
		r[1].border = r[2].border = true;
		draw_inside(w, org * N_OF_ORG);
	}
	for (int a = 0; a < N_ORGS; a++)
		for (int b = a + 1; b < N_ORGS; b++)
			draw_between(w, a * N_OF_ORG, b * N_OF_ORG);
}
