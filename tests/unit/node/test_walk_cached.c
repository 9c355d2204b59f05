/* SPDX-License-Identifier: Apache-2.0 */
/* Walks of rows: of twins whose properties are all in their rows, they say what the walk of the twins says.
 */
#include <criterion/criterion.h>
#include <criterion/new/assert.h>
#include <stdio.h>

#include "node/summary.h"
#include "proto/words.h"
#include "tests/unit/node/walk_part.h"
#include "tests/unit/node/world.h"

enum { N_TWINS = 40 };

static struct arena *a;
static struct view_root root = {.id = "acme/t0", .parent = ""};
static struct rollup_spec rollups[] = {{.fn = ROLLUP_SUM, .property = "power"},
				       {.fn = ROLLUP_MAX, .property = "level"},
				       {.fn = ROLLUP_WORST_HEALTH, .property = ""},
				       {.fn = ROLLUP_LATEST, .property = "power"}};
enum { N_ROLLUPS = sizeof rollups / sizeof *rollups };

int64_t __wrap_gossip_age(const struct gossip *g, const char *origin);

/* Nobody was heard of. */
int64_t __wrap_gossip_age(const struct gossip *g, const char *origin)
{
	(void)g, (void)origin;
	return INT64_MAX;
}

static const char *id_of(size_t i)
{
	return arena_print(a, "acme/t%zu", i);
}

static void put_types(void)
{
	struct property_def properties[] = {
		{.name = "at", .type = VALUE_POSITION, .unit = ""},
		{.name = "power", .type = VALUE_DOUBLE, .unit = "kW"},
		{.name = "level", .type = VALUE_DOUBLE, .unit = "m"},
		{.name = "mode", .type = VALUE_TEXT, .unit = ""},
	};
	const struct op ops[] = {
		{.kind = OP_TYPE,
		 .type = {.name = "van", .version = 1, .properties = properties, .n_properties = 4}},
		{.kind = OP_TYPE,
		 .type = {.name = "cart", .version = 1, .properties = properties + 1, .n_properties = 3}}};

	for (size_t i = 0; i < 4; i++) {
		properties[i].min = properties[i].max = NAN;
		properties[i].kpi = true;
	}
	world_put(ops, 2);
}

static void put_value(const char *id, const char *property, int64_t t_ns, struct value v)
{
	struct sample s = {.t_ns = t_ns, .value = v, .sigma = NAN};

	s.quality = t_ns % 7 == 0 ? QUALITY_UNCERTAIN : QUALITY_GOOD;
	const struct op op = {.kind = OP_SAMPLES,
			      .samples = {.twin = id, .property = property, .samples = &s, .n = 1}};
	world_put(&op, 1);
}

static void put_twin(size_t i)
{
	const char *const id = id_of(i), *tags[] = {"old", "red"};
	const char *const type = i % 5 == 0 ? "" : i % 3 ? "van" : "cart";
	const int64_t t = (int64_t)i * 13 % 31 + 1;
	const struct op op = {.kind = OP_TWIN,
			      .twin = {.id = id,
				       .type = type,
				       .name = i % 4 ? arena_print(a, "number %zu", i) : "",
				       .kind = i % 5 ? KIND_COMPONENT : (enum kind)(i % N_KINDS),
				       .tags = tags + i % 2,
				       .n_tags = i % 4 / 2 * (2 - i % 2)}};

	world_put(&op, 1);
	if (i > 0)
		world_relation("contains", id_of((i - 1) / 3), id);
	if (i > 9)
		world_relation("contains", id_of(i - 7), id);
	if (type[0] == '\0')
		return;
	put_value(id, "power", t, (struct value){.type = VALUE_DOUBLE, .real = (double)(i * 17 % 23)});
	if (i % 7)
		put_value(id, "level", t, (struct value){.type = VALUE_DOUBLE, .real = (double)i / 4});
	put_value(id, "mode", t, (struct value){.type = VALUE_TEXT, .text = i % 2 ? "on" : "off"});
	if (type[0] == 'v')
		put_value(
			id, "at", t,
			(struct value){.type = VALUE_POSITION, .position = {50, 10 + (double)i / 100, NAN}});
}

static struct bytes encoded(const struct row *row)
{
	SCOPED(buf_fini) struct buf b = {0};

	row_encode(row, &b);
	const char *copy = arena_text(a, buf_bytes(&b));
	cr_assert(copy != NULL);
	return (struct bytes){(const uint8_t *)copy, b.len};
}

static void put_rows(const char *origin, struct bytes *rows, size_t n)
{
	const struct op op = {.kind = OP_ROWS,
			      .rows = {.origin = origin, .rows = rows, .n = n, .cursor = bytes_of_text("c")}};

	world_put(&op, 1);
}

/* The same twins, as from another node of the organisation. */
static void put_rows_of_twins(void)
{
	struct bytes rows[N_TWINS];

	for (size_t i = 0; i < N_TWINS; i++) {
		struct row row;
		cr_assert(eq(int, summary_row(world.store, store_twin(world.store, id_of(i)), a, &row), 0));
		row.seq = i + 1;
		row.version.stamp_ns = (int64_t)(i + 1) * 1000;
		rows[i] = encoded(&row);
	}
	put_rows("acme/east", rows, N_TWINS);
}

static void set_up(void)
{
	world_set_up();
	cr_assert(eq(int, arena_new(&a, 64 << 20), 0));
	put_types();
	for (size_t i = 0; i < N_TWINS; i++)
		put_twin(i);
	put_rows_of_twins();
}

static void tear_down(void)
{
	arena_free(a);
	a = NULL;
	world_tear_down();
}

TestSuite(walk_cached, .init = set_up, .fini = tear_down, .timeout = 60);

static struct view_part walked(const struct view_question *q, const char *org, enum walk_source source)
{
	const struct audience to = audience_of(org);
	struct view_part part;

	cr_assert(eq(int, walk_part(&world, &to, q, source, a, &part), 0));
	return part;
}

static void check_states(const struct rollup_state *live, const struct rollup_state *cached)
{
	for (size_t i = 0; i < N_ROLLUPS; i++) {
		double x = -1, y = -1;
		const int r = rollup_value(&live[i], &rollups[i], &x);
		cr_assert(eq(int, rollup_value(&cached[i], &rollups[i], &y), r));
		cr_assert(eq(dbl, x, y), "roll-up %zu", i);
		cr_assert(eq(u64, live[i].n, cached[i].n));
		cr_assert(eq(u64, live[i].n_uncertain, cached[i].n_uncertain));
		cr_assert(strcmp(text_or_empty(live[i].unit), text_or_empty(cached[i].unit)) == 0);
	}
}

static const struct view_member *member(const struct view_part *part, const char *id)
{
	for (size_t i = 0; i < part->n_members; i++)
		if (strcmp(part->members[i].id, id) == 0)
			return &part->members[i];
	cr_assert(false, "no member '%s'", id);
	return NULL;
}

static void check_values(const struct view_member *live, const struct view_member *cached)
{
	cr_assert(eq(sz, live->n_values, cached->n_values));
	for (size_t i = 0; i < live->n_values; i++) {
		const struct kpi *x = &live->values[i], *y = &cached->values[i];
		cr_assert(strcmp(x->property, y->property) == 0);
		cr_assert(strcmp(x->unit, y->unit) == 0);
		cr_assert(eq(i64, x->sample.t_ns, y->sample.t_ns));
		cr_assert(x->sample.quality == y->sample.quality);
		cr_assert(strcmp(value_text(a, &x->sample.value), value_text(a, &y->sample.value)) == 0);
	}
}

static void check_member(const struct view_member *live, const struct view_member *cached)
{
	cr_assert(strcmp(live->type, cached->type) == 0);
	cr_assert(strcmp(live->name, cached->name) == 0);
	cr_assert(live->kind == cached->kind && live->life == cached->life && live->health == cached->health);
	check_values(live, cached);
}

/* Which way leads first to a twin that two lead to is not the same: only of roots the totals are. */
static void check_same(const struct view_question *q, const char *org)
{
	const struct view_part live = walked(q, org, WALK_LIVE), cached = walked(q, org, WALK_CACHED);

	cr_assert(eq(u64, live.counts.members, cached.counts.members));
	cr_assert(eq(u64, live.counts.filtered, cached.counts.filtered));
	cr_assert(eq(u64, live.counts.withheld, cached.counts.withheld));
	cr_assert(eq(u64, live.counts.live, cached.counts.cached));
	cr_assert(eq(sz, live.n_cells, cached.n_cells));
	for (size_t i = 0; i < live.n_cells; i++) {
		cr_assert(strcmp(live.cells[i].group, cached.cells[i].group) == 0);
		cr_assert(eq(u64, live.cells[i].members, cached.cells[i].members));
		check_states(live.cells[i].rollups, cached.cells[i].rollups);
	}
	cr_assert(live.n_members > 0 && cached.n_members > 0);
	check_states(live.members[0].rollups, cached.members[0].rollups);
	if (q->depth != 0 && q->depth != VIEW_DEPTH_ALL)
		return;
	cr_assert(eq(sz, live.n_members, cached.n_members));
	for (size_t i = 0; i < live.n_members; i++)
		check_member(&live.members[i], member(&cached, live.members[i].id));
}

static void check_all(const char *org)
{
	static const char *const wheres[] = {"",
					     "power > 9 kW",
					     "mode = 'on' and level < 6 m",
					     "tag = old",
					     "type = van or health = good",
					     "distance(50, 10.2) < 9 km",
					     "name != ''"};
	static const uint32_t depths[] = {0, 2, VIEW_DEPTH_ALL};
	const char *show[] = {"mode", "level", "at"};

	for (size_t i = 0; i < sizeof wheres / sizeof *wheres; i++)
		for (unsigned by = GROUP_NONE; by < N_VIEW_GROUPS; by++)
			for (size_t k = 0; k < sizeof depths / sizeof *depths; k++) {
				const struct view_question q = {.roots = &root,
								.n_roots = 1,
								.hierarchy = "contains",
								.depth = depths[k],
								.rollups = rollups,
								.n_rollups = N_ROLLUPS,
								.where = wheres[i],
								.by = (enum view_by)by,
								.by_property = "mode",
								.show = show,
								.n_show = by % 4};
				fprintf(stderr, "'%s' by %u, depth %u\n", wheres[i], by, depths[k]);
				check_same(&q, org);
			}
}

Test(walk_cached, rows_say_what_the_twins_say)
{
	check_all("");
}

Test(walk_cached, to_a_partner_too)
{
	world_policy(
		"share \"some\"\n to org volt\n twins **\n allow discover\n allow read power\n"
		" until 2100-01-01\n"
		"share \"red\"\n to org volt\n twins tag red\n allow summary\n"
		" until 2100-01-01\n");
	check_all("volt");
}

Test(walk_cached, each_source_is_as_new_as_its_newest_row)
{
	struct row_parent parent = {.hierarchy = "contains", .parent = "acme/u0"};
	struct row u0 = {.id = "acme/u0", .version = {0, 2000}, .seq = 1, .mask = ROW_MASK_ALL};
	struct row u1 = {.id = "acme/u1", .version = {0, 1000}, .seq = 2, .mask = ROW_MASK_ALL};
	struct view_root both[] = {{.id = "acme/t0", .parent = ""}, {.id = "acme/u0", .parent = ""}};
	const struct view_question q = {.roots = both,
					.n_roots = 2,
					.hierarchy = "contains",
					.rollups = rollups,
					.n_rollups = N_ROLLUPS,
					.where = "",
					.by_property = ""};

	u1.parents = &parent;
	u1.n_parents = 1;
	put_rows("acme/west", (struct bytes[]){encoded(&u0), encoded(&u1)}, 2);
	const struct view_part part = walked(&q, "", WALK_CACHED);
	cr_assert(eq(u64, part.counts.cached, N_TWINS + 2));
	cr_assert(eq(sz, part.n_sources, 2));
	for (size_t i = 0; i < 2; i++) {
		const struct view_source *s = &part.sources[i];
		cr_expect(strcmp(s->org, "acme") == 0);
		cr_expect(eq(u64, s->revision, strcmp(s->node, "east") == 0 ? N_TWINS : 2));
		cr_expect(s->state == MEMBER_CACHED);
	}
}
