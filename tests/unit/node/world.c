/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/unit/node/world.h"

#include <stdio.h>
#include <string.h>

#include "node/gossip.h"
#include "node/sights.h"
#include "proto/clock.h"
#include "proto/unit.h"
#include "tests/lib/must.h"
#include "tests/lib/tmpdir.h"

struct engine world;
size_t world_checkpoint_bytes;
const char *world_dir;

static struct trust trust;
static struct credential self = {.org = "acme", .node = "n1", .roles = ROLE_OWNER | ROLE_BORDER};
static struct partner volt = {.org = {.manifest = {.org = "volt"}}},
		      harbor = {.org = {.manifest = {.org = "harbor"}}};
static struct config config;

static int64_t fixed_wall_ns(void)
{
	return 1000 * NS_PER_S;
}

void world_set_up(void)
{
	struct err_note note = {0};
	const struct store_options opt = {.dir = world_dir = tmpdir_make(),
					  .checkpoint_bytes = world_checkpoint_bytes,
					  .org = "acme",
					  .node = "n1",
					  .fresh_id = 7,
					  .now_ns = fixed_wall_ns()};

	config_defaults(&config);
	trust = (struct trust){.self = &self,
			       .clock = {.wall_ns = fixed_wall_ns},
			       .n_partners = 2,
			       .partners = {&volt, &harbor}};
	trust.own.org.manifest.org = "acme";
	world = (struct engine){.config = &config, .trust = &trust};
	snprintf(world.origin, sizeof world.origin, "acme/n1");
	must(keys_init() == 0 && secret32_new(&trust.cursor_key) == 0);
	must(uv_loop_init(&world.loop) == 0);
	must(store_open(&world.store, &opt, &note) == 0);
	world.egress = (struct egress){.trust = &trust, .store = world.store};
	must(visibility_new(&world.visibility, &world.egress) == 0);
}

void world_tear_down(void)
{
	sights_free(world.sights);
	visibility_free(world.visibility);
	store_close(world.store);
	policy_free(trust.policy);
	secret32_free(trust.cursor_key);
	trust.policy = NULL;
	trust.cursor_key = NULL;
	world.store = NULL;
	world.visibility = NULL;
	must(uv_loop_close(&world.loop) == 0);
	unit_fini();
	tmpdir_remove();
}

void world_policy(const char *rules)
{
	static char text[4096];
	const struct policy_options opt = {.own_org = "acme", .now_ns = fixed_wall_ns()};
	struct policy_finding *findings;
	struct err_note note = {0};
	struct arena *a = NULL;
	size_t n;

	snprintf(text, sizeof text, "policy acme\n org volt = VOLT\n org harbor = HARBOR\n%s", rules);
	policy_free(trust.policy);
	trust.policy = NULL;
	must(arena_new(&a, 1 << 20) == 0);
	if (policy_parse(text, &opt, &trust.policy, a, &findings, &n, &note) < 0)
		fprintf(stderr, "%s\n", note.text);
	must(trust.policy != NULL);
	arena_free(a);
	trust.policy_doc.epoch++;
}

void world_put(const struct op *ops, size_t n)
{
	struct batch *b = NULL;
	struct err_note note = {0};

	must(batch_new(&b) == 0);
	for (size_t i = 0; i < n; i++) {
		const int r = store_stage(world.store, b, &ops[i], fixed_wall_ns(), NULL, &note);
		if (r < 0 || r == STORE_REFUSED)
			fprintf(stderr, "op %zu: %s\n", i, note.text);
		must(r == 0 || r == STORE_UNCHANGED);
	}
	must(store_write(world.store, b) == 0);
	must(store_apply(world.store, b, fixed_wall_ns()) == 0);
	batch_free(b);
}

void world_type(const char *name, const char *kpi, const char *plain, const char *unit)
{
	struct property_def p[] = {
		{.name = kpi, .type = VALUE_DOUBLE, .unit = unit, .min = NAN, .max = NAN, .kpi = true},
		{.name = plain, .type = VALUE_DOUBLE, .unit = unit, .min = NAN, .max = NAN}};
	const struct op op = {
		.kind = OP_TYPE,
		.type = {.name = name, .version = 1, .properties = p, .n_properties = plain ? 2 : 1}};

	world_put(&op, 1);
}

void world_twin(const char *id, const char *type, const char *tag)
{
	const char *tags[] = {tag};
	const struct op op = {
		.kind = OP_TWIN,
		.twin = {.id = id, .type = type, .name = "", .tags = tags, .n_tags = tag ? 1 : 0}};

	world_put(&op, 1);
}

void world_relation(const char *type, const char *from, const char *to)
{
	const struct op op = {.kind = OP_RELATION,
			      .relation = {.type = type,
					   .from = from,
					   .to = to,
					   .valid_from_ns = TIME_MIN,
					   .valid_to_ns = TIME_MAX}};

	world_put(&op, 1);
}

void world_value(const char *id, const char *property, int64_t t_ns, double value)
{
	struct sample s = {.t_ns = t_ns, .value = {.type = VALUE_DOUBLE, .real = value}, .sigma = NAN};
	const struct op op = {.kind = OP_SAMPLES,
			      .samples = {.twin = id, .property = property, .samples = &s, .n = 1}};

	world_put(&op, 1);
}
