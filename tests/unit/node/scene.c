/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/unit/node/scene.h"
#include "tests/unit/node/walk_part.h"

#include <criterion/criterion.h>
#include <criterion/new/assert.h>

struct scene scene;

void scene_set_up(void)
{
	world_set_up();
	scene = (struct scene){.root = {.id = "acme/plant", .parent = ""},
			       .power = {.fn = ROLLUP_SUM, .property = "power"},
			       .question = {.roots = &scene.root,
					    .n_roots = 1,
					    .hierarchy = "contains",
					    .depth = VIEW_DEPTH_ALL,
					    .rollups = &scene.power,
					    .n_rollups = 1,
					    .where = "",
					    .by_property = ""}};
	cr_assert(eq(int, arena_new(&scene.arena, 64 << 20), 0));
	world_type("press", "power", "force", "kW");
	world_twin("acme/plant", "", NULL);
}

void scene_tear_down(void)
{
	arena_free(scene.arena);
	scene.arena = NULL;
	world_tear_down();
}

void scene_add_press(const char *id, const char *parent, double kw)
{
	scene_add_tagged(id, parent, NULL, kw);
}

void scene_add_tagged(const char *id, const char *parent, const char *tag, double kw)
{
	world_twin(id, "press", tag);
	world_relation("contains", parent, id);
	world_value(id, "power", 10, kw);
}

struct view_part scene_walked(const char *org)
{
	const struct audience to = audience_of(org);
	struct view_part part;

	cr_assert(eq(int, walk_part(&world, &to, &scene.question, WALK_LIVE, scene.arena, &part), 0));
	return part;
}

double scene_sum(const struct rollup_state *states)
{
	double v = -1;

	rollup_value(&states[0], &scene.power, &v);
	return v;
}
