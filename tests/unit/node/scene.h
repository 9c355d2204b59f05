/* SPDX-License-Identifier: Apache-2.0 */
/* Scene - the world (world.h) with a plant, the type of its presses, and a question about all their power.
 */
#pragma once

#include "node/walk.h"
#include "tests/unit/node/world.h"

struct scene {
	struct arena *arena;
	struct view_root root; /* the plant */
	struct rollup_spec power;
	struct view_question question; /* the one root, the one roll-up; for tests to change */
};
extern struct scene scene;

void scene_set_up(void);    /* for a suite's .init */
void scene_tear_down(void); /* for its .fini */

void scene_add_press(const char *id, const char *parent, double kw);
void scene_add_tagged(const char *id, const char *parent, const char *tag, double kw); /* tag NULL: none */
/* What the walk of own twins answers; to the own organisation: "". */
struct view_part scene_walked(const char *org);
/* The sum of the power; -1: there is none. */
double scene_sum(const struct rollup_state *states);
