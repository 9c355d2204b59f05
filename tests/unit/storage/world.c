/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/unit/storage/world.h"

#include "proto/buf.h"
#include "tests/lib/must.h"
#include "tests/lib/tmpdir.h"

struct world world;

int world_try_open(const char *org, const char *node)
{
	const struct store_options opt = {
		.dir = world.dir,
		.limit_bytes = world.limit_bytes,
		.memory_bytes = world.memory_bytes,
		.squeeze_log = world.squeeze_log,
		.org = org,
		.node = node,
		.fresh_id = 4711,
		.now_ns = world.now_ns,
	};

	world.note = (struct err_note){0};
	return store_open(&world.store, &opt, &world.note);
}

void world_begin(void)
{
	world = (struct world){.dir = tmpdir_make(), .now_ns = NOW};
	must(world.dir);
	must(arena_new(&world.arena, SIZE_MAX) == 0);
	must(world_try_open("acme", "north") == 0);
}

void world_end(void)
{
	store_close(world.store);
	arena_free(world.arena);
	tmpdir_remove();
	world = (struct world){0};
}

void world_reopen(void)
{
	store_close(world.store);
	world.store = NULL;
	must(world_try_open("acme", "north") == 0);
}

void world_checkpoint(void)
{
	struct checkpoint *c;

	must(checkpoint_begin(world.store, &c) == 0);
	must(checkpoint_write(c) == 0);
	checkpoint_end(world.store, c, true);
}

int world_commit(struct batch *b)
{
	const int r = store_write(world.store, b);

	return r < 0 ? r : store_apply(world.store, b, world.now_ns);
}

int world_do(const struct op *op)
{
	SCOPED(scope_batch) struct batch *b = NULL;

	must(batch_new(&b) == 0);
	world.note = (struct err_note){0};
	world.now_ns += NS_PER_MS;
	const int r = store_stage(world.store, b, op, world.now_ns, NULL, &world.note);
	must(r != STORE_REFUSED || world.note.text[0]);
	return r == 0 ? world_commit(b) : r;
}

struct type_def world_press(void)
{
	static const char *modes[] = {"auto", "manual"};
	static struct property_def properties[] = {
		{.name = "temperature",
		 .type = VALUE_DOUBLE,
		 .unit = "degC",
		 .min = -50,
		 .max = 500,
		 .kpi = true},
		{.name = "count", .type = VALUE_INT64, .unit = "", .min = NAN, .max = NAN},
		{.name = "on", .type = VALUE_BOOL, .unit = "", .min = NAN, .max = NAN},
		{.name = "mode",
		 .type = VALUE_ENUM,
		 .unit = "",
		 .min = NAN,
		 .max = NAN,
		 .options = modes,
		 .n_options = 2},
		{.name = "note", .type = VALUE_TEXT, .unit = "", .min = NAN, .max = NAN},
		{.name = "place", .type = VALUE_POSITION, .unit = "", .min = NAN, .max = NAN, .kpi = true},
	};

	return (struct type_def){.name = "press",
				 .version = 1,
				 .kind = KIND_ASSET,
				 .properties = properties,
				 .n_properties = 6};
}

void world_types(void)
{
	const struct op press = {.kind = OP_TYPE, .type = world_press()};
	const struct op line = {.kind = OP_TYPE, .type = {.name = "line", .version = 1, .kind = KIND_SYSTEM}};

	must(world_do(&press) == 0);
	must(world_do(&line) == 0);
}

int world_twin(const char *id, const char *type, enum kind kind)
{
	return world_do(
		&(struct op){.kind = OP_TWIN, .twin = {.id = id, .type = type, .kind = kind, .name = ""}});
}

int world_delete(const char *id)
{
	return world_do(&(struct op){.kind = OP_TWIN_DELETE, .id = id});
}

int world_relate(const char *type, const char *from, const char *to)
{
	return world_do(&(struct op){.kind = OP_RELATION, .relation = {type, from, to, TIME_MIN, TIME_MAX}});
}

int world_unrelate(const char *type, const char *from, const char *to)
{
	return world_do(
		&(struct op){.kind = OP_RELATION_DELETE, .relation = {type, from, to, TIME_MIN, TIME_MAX}});
}

int world_member(const char *hierarchy, const char *parent, const char *child, enum confirmation state)
{
	const struct membership m = {hierarchy, parent, child, state, TIME_MIN};

	return world_do(&(struct op){.kind = OP_MEMBERSHIP, .membership = m});
}

struct sample number_at(int64_t t_ns, double v)
{
	return (struct sample){.t_ns = t_ns, .value = {.type = VALUE_DOUBLE, .real = v}, .sigma = NAN};
}

int world_sample(const char *id, int64_t t_ns, double temperature)
{
	struct sample s = number_at(t_ns, temperature);

	return world_do(&(struct op){.kind = OP_SAMPLES, .samples = {id, "temperature", &s, 1}});
}

size_t property_of(const struct twin *t, const char *name)
{
	size_t i = SIZE_MAX;

	must(t && t->type && type_property(&t->type->def, name, &i));
	return i;
}

double temperature_at(const char *id, int64_t at_ns)
{
	const struct twin *t = store_twin(world.store, id);
	struct sample s;
	const int r = store_value_at(world.store, t, property_of(t, "temperature"), at_ns, world.arena, &s);

	must(r >= 0);
	return r == 0 ? s.value.real : NAN;
}

const char *temperatures(const char *id, int64_t from_ns, int64_t to_ns)
{
	const struct twin *t = store_twin(world.store, id);
	SCOPED(buf_fini) struct buf out = {0};
	struct sample *s;
	size_t n;
	bool more;

	must(store_history(world.store, t, property_of(t, "temperature"), from_ns, to_ns, 100, world.arena,
			   &s, &n, &more) == 0);
	for (size_t i = 0; i < n; i++)
		buf_print(&out, "%s%lld=%g", i ? " " : "", (long long)s[i].t_ns, s[i].value.real);
	return arena_text(world.arena, buf_bytes(&out));
}
