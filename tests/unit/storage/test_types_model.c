/* SPDX-License-Identifier: Apache-2.0 */
/* Random changes of types that extend each other against a naive model: what each type has by asking all
 * above it, what each twin has by looking at every property before and after. The seed is in the name of the
 * test.
 */
#include <criterion/criterion.h>
#include <stdio.h>

#include "tests/lib/must.h"
#include "tests/unit/storage/world.h"

enum { TYPES = 5, PROPERTIES = 4, SLOTS = 2 * PROPERTIES, TWINS = 6, ROUNDS = 250, SERIES_SEEN = 1 << 16 };

/* A property as a type declares or has it. */
struct model_property {
	int unit; /* 1, 2; 0: it has none of this name */
	bool settable;
};

struct model_type {
	bool there;
	uint32_t version;
	int parent; /* -1: none */
	struct model_property own[PROPERTIES];
};

/* The second half of the slots are the desired values of the first. */
struct model_twin {
	int type; /* -1: no such twin */
	double values[SLOTS];
	uint32_t series[SLOTS]; /* 0: not seen yet */
};

struct model {
	struct model_type types[TYPES];
	struct model_twin twins[TWINS];
};

static struct model model;
static bool series_seen[SERIES_SEEN];
static int64_t now;
static uint64_t seed;

static uint32_t chance(uint32_t n)
{
	seed = seed * UINT64_C(6364136223846793005) + 1442695040888963407U;
	return (uint32_t)(seed >> 33) % n;
}

static const char *const type_names[TYPES] = {"k0", "k1", "k2", "k3", "k4"};
static const char *const twin_ids[TWINS] = {"acme/t0", "acme/t1", "acme/t2", "acme/t3", "acme/t4", "acme/t5"};
static const char *const slot_names[SLOTS] = {"a",         "b",         "c",         "d",
					      "desired/a", "desired/b", "desired/c", "desired/d"};
static const char *const units[] = {NULL, "kW", "degC"};

/* ---- The model --------------------------------------------------------------------------------------------
 */

/* What a type has of a property; a unit of -1: types above and below do not agree. */
static struct model_property effective(const struct model *m, int type, int p, int depth)
{
	const struct model_type *t = &m->types[type];
	struct model_property above = {0};

	if (depth > TYPES)
		return (struct model_property){.unit = -1};
	if (t->parent >= 0)
		above = effective(m, t->parent, p, depth + 1);
	if (t->own[p].unit == 0 || above.unit < 0)
		return above;
	if (above.unit > 0 && above.unit != t->own[p].unit)
		return (struct model_property){.unit = -1};
	return (struct model_property){t->own[p].unit, above.settable || t->own[p].settable};
}

/* The unit of a slot; 0: the type has it not. */
static int slot_unit(const struct model *m, int type, int slot)
{
	const struct model_property p = effective(m, type, slot % PROPERTIES, 0);

	return slot < PROPERTIES || p.settable ? p.unit : 0;
}

static bool holds_together(const struct model *m)
{
	for (int t = 0; t < TYPES; t++) {
		if (m->types[t].there && m->types[t].parent >= 0 && !m->types[m->types[t].parent].there)
			return false;
		for (int p = 0; m->types[t].there && p < PROPERTIES; p++)
			if (effective(m, t, p, 0).unit < 0)
				return false;
	}
	return true;
}

/* Rings show in no property when nobody has one. */
static bool has_ring(const struct model *m)
{
	for (int t = 0; t < TYPES; t++) {
		int at = t, steps = 0;
		while (at >= 0 && steps++ <= TYPES)
			at = m->types[at].parent;
		if (at >= 0)
			return true;
	}
	return false;
}

static void forget_slot(struct model_twin *w, int slot)
{
	w->values[slot] = NAN;
	w->series[slot] = 0;
}

static void carry_over(const struct model *before, const struct model *after, struct model_twin *w, int from,
		       int to)
{
	for (int s = 0; s < SLOTS; s++) {
		const int unit = from < 0 ? 0 : slot_unit(before, from, s);
		if (unit == 0 || to < 0 || slot_unit(after, to, s) != unit)
			forget_slot(w, s);
	}
}

static bool same_type(const struct model_type *a, const struct model_type *b)
{
	for (int p = 0; p < PROPERTIES; p++)
		if (a->own[p].unit != b->own[p].unit ||
		    (a->own[p].unit > 0 && a->own[p].settable != b->own[p].settable))
			return false;
	return a->there && a->version == b->version && a->parent == b->parent;
}

static int model_type(int t, const struct model_type *next)
{
	struct model after = model;

	after.types[t] = *next;
	if (same_type(&model.types[t], next))
		return STORE_UNCHANGED;
	if (model.types[t].there && next->version <= model.types[t].version)
		return STORE_REFUSED;
	if (has_ring(&after) || !holds_together(&after))
		return STORE_REFUSED;
	for (int i = 0; i < TWINS; i++)
		if (model.twins[i].type >= 0)
			carry_over(&model, &after, &after.twins[i], model.twins[i].type, model.twins[i].type);
	model = after;
	return 0;
}

static int model_twin(int i, int type)
{
	struct model_twin *w = &model.twins[i];

	if (!model.types[type].there)
		return STORE_REFUSED;
	if (w->type == type)
		return STORE_UNCHANGED;
	for (int s = 0; w->type >= 0 && s < SLOTS; s++)
		if (!isnan(w->values[s]) && slot_unit(&model, type, s) != slot_unit(&model, w->type, s))
			return STORE_REFUSED;
	carry_over(&model, &model, w, w->type, type);
	w->type = type;
	return 0;
}

static int model_delete(int i)
{
	struct model_twin *w = &model.twins[i];

	if (w->type < 0)
		return STORE_UNCHANGED;
	w->type = -1;
	for (int s = 0; s < SLOTS; s++)
		forget_slot(w, s);
	return 0;
}

static int model_sample(int i, int slot, double v)
{
	struct model_twin *w = &model.twins[i];

	if (w->type < 0 || slot_unit(&model, w->type, slot) == 0)
		return STORE_REFUSED;
	w->values[slot] = v;
	return 0;
}

/* ---- Random changes ---------------------------------------------------------------------------------------
 */

static int stage(struct batch *b, const struct op *op)
{
	world.note = (struct err_note){0};
	return store_stage(world.store, b, op, world.now_ns, NULL, &world.note);
}

static struct model_type random_type(int t)
{
	struct model_type next = {.there = true, .version = model.types[t].version + 1};

	if (chance(4) == 0)
		next = model.types[t].there ? model.types[t] : next;
	next.parent = (int)chance(TYPES + 2) - 2;
	next.parent = next.parent < 0 ? -1 : next.parent;
	for (int p = 0; p < PROPERTIES; p++)
		next.own[p] = (struct model_property){(int)chance(5) % 3, chance(3) == 0};
	if (chance(6) == 0)
		next = model.types[t].there ? model.types[t] : next;
	return next;
}

static void put_type(struct batch *b)
{
	struct property_def properties[PROPERTIES];
	const int t = (int)chance(TYPES);
	const struct model_type next = random_type(t);
	struct op op = {.kind = OP_TYPE,
			.type = {.name = type_names[t],
				 .parent = next.parent < 0 ? "" : type_names[next.parent],
				 .version = next.version,
				 .kind = KIND_ASSET,
				 .properties = properties}};

	for (int p = 0; p < PROPERTIES; p++)
		if (next.own[p].unit > 0)
			properties[op.type.n_properties++] =
				(struct property_def){.name = slot_names[p],
						      .type = VALUE_DOUBLE,
						      .unit = units[next.own[p].unit],
						      .min = NAN,
						      .max = NAN,
						      .kpi = p == 0,
						      .settable = next.own[p].settable};
	const int expected = model_type(t, &next);
	cr_assert_eq(stage(b, &op), expected, "%s: %s", type_names[t], world.note.text);
}

static void put_twin(struct batch *b)
{
	const int i = (int)chance(TWINS), type = (int)chance(TYPES);
	const struct op op = {
		.kind = OP_TWIN,
		.twin = {.id = twin_ids[i], .type = type_names[type], .kind = KIND_ASSET, .name = ""}};
	const int expected = model_twin(i, type);

	cr_assert_eq(stage(b, &op), expected, "%s: %s", twin_ids[i], world.note.text);
}

static void delete_twin(struct batch *b)
{
	const int i = (int)chance(TWINS), expected = model_delete(i);

	cr_assert_eq(stage(b, &(struct op){.kind = OP_TWIN_DELETE, .id = twin_ids[i]}), expected);
}

static void put_sample(struct batch *b)
{
	const int i = (int)chance(TWINS), slot = (int)chance(SLOTS);
	const int64_t t_ns = ++now;
	struct sample s = number_at(t_ns, (double)t_ns);
	const int expected = model_sample(i, slot, (double)t_ns);

	cr_assert_eq(
		stage(b, &(struct op){.kind = OP_SAMPLES, .samples = {twin_ids[i], slot_names[slot], &s, 1}}),
		expected, "%s %s: %s", twin_ids[i], slot_names[slot], world.note.text);
}

static void random_batch(void)
{
	SCOPED(scope_batch) struct batch *b = NULL;
	const uint32_t what = chance(10);

	must(batch_new(&b) == 0);
	world.now_ns += NS_PER_MS;
	if (what < 3)
		for (uint32_t n = 1 + chance(2); n > 0; n--)
			put_type(b);
	else if (what == 3)
		delete_twin(b);
	else if (what < 6)
		put_twin(b);
	else
		for (uint32_t n = 1 + chance(4); n > 0; n--)
			put_sample(b);
	cr_assert_eq(world_commit(b), 0);
}

/* ---- Comparing --------------------------------------------------------------------------------------------
 */

static void compare_type(int t)
{
	const struct type *type = store_type(world.store, type_names[t]);
	size_t n = 0;

	cr_assert_eq(type != NULL, model.types[t].there);
	for (int s = 0; type && s < SLOTS; s++) {
		const struct property_def *p = type_property(&type->def, slot_names[s], NULL);
		const int unit = slot_unit(&model, t, s);
		cr_assert_eq(p != NULL, unit > 0, "%s %s", type_names[t], slot_names[s]);
		n += p != NULL;
		n += p != NULL && s >= PROPERTIES; /* and whether it is so yet */
		if (p)
			cr_assert_str_eq(p->unit, units[unit]);
	}
	cr_assert(!type || n == type->def.n_properties);
	cr_assert(!type || type->declared.version == model.types[t].version);
}

/* A number once seen stays; a new one has never been anything else's. */
static void compare_series(struct model_twin *w, int slot, uint32_t number)
{
	if (w->series[slot] == 0) {
		cr_assert(number > 0 && number < SERIES_SEEN && !series_seen[number], "%u", number);
		series_seen[number] = true;
		w->series[slot] = number;
	}
	cr_assert_eq(number, w->series[slot]);
}

static void compare_slot(const struct twin *t, struct model_twin *w, int slot)
{
	const size_t place = property_of(t, slot_names[slot]);
	const struct sample present = store_value(world.store, t, place);
	struct sample past;

	arena_reset(world.arena);
	const int r = store_value_at(world.store, t, place, INT64_MAX, world.arena, &past);
	cr_assert_eq(present.value.type == VALUE_NONE, isnan(w->values[slot]), "%s %s", t->id,
		     slot_names[slot]);
	cr_assert_eq(r, isnan(w->values[slot]) ? STORE_ABSENT : 0);
	cr_assert(r != 0 || (present.value.real == w->values[slot] && past.value.real == w->values[slot]));
	compare_series(w, slot, store_series(world.store, t, place));
}

static void compare(void)
{
	for (int t = 0; t < TYPES; t++)
		compare_type(t);
	for (int i = 0; i < TWINS; i++) {
		const struct twin *t = store_twin(world.store, twin_ids[i]);
		cr_assert_eq(t != NULL, model.twins[i].type >= 0);
		for (int s = 0; t && s < SLOTS; s++)
			if (slot_unit(&model, model.twins[i].type, s) > 0)
				compare_slot(t, &model.twins[i], s);
	}
}

static void random_upheaval(void)
{
	struct checkpoint *c;

	switch (chance(8)) {
	case 0: world_reopen(); return;
	case 1: world_checkpoint(); return;
	case 2: /* types change while it is written */
		cr_assert_eq(checkpoint_begin(world.store, &c), 0);
		random_batch();
		const bool written = chance(2) && checkpoint_write(c) == 0;
		compare();
		checkpoint_end(world.store, c, written);
		return;
	default: return;
	}
}

static void run(uint64_t first_seed)
{
	seed = first_seed;
	model = (struct model){0};
	for (int i = 0; i < TWINS; i++) {
		model.twins[i].type = -1;
		for (int s = 0; s < SLOTS; s++)
			forget_slot(&model.twins[i], s);
	}
	for (int t = 0; t < TYPES; t++)
		model.types[t].parent = -1;
	for (int round = 0; round < ROUNDS; round++) {
		random_batch();
		compare();
		random_upheaval();
		compare();
	}
}

TestSuite(types_model, .init = world_begin, .fini = world_end);

Test(types_model, agrees_with_seed_1)
{
	run(1);
}

Test(types_model, agrees_with_seed_2)
{
	run(2);
}

Test(types_model, agrees_with_seed_3)
{
	run(3);
}
