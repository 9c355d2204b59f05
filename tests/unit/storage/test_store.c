/* SPDX-License-Identifier: Apache-2.0 */
#include <criterion/criterion.h>
#include <stdio.h>

#include "storage/store_private.h"
#include "tests/lib/must.h"
#include "tests/unit/storage/world.h"

TestSuite(store, .init = world_begin, .fini = world_end);

/* What must look the same however the store was closed and opened. */
static void check_everything(void)
{
	const struct twin *line = store_twin(world.store, "acme/line"),
			  *press = store_twin(world.store, "acme/line/p1");
	struct membership m;

	cr_assert(line && press);
	cr_expect_str_eq(store_twin_def(press).type, "press");
	cr_expect_str_eq(store_twin_def(press).name, "Press one");
	cr_assert_eq(store_twin_def(press).n_tags, 1);
	cr_expect_str_eq(store_twin_def(press).tags[0], "hot");
	cr_assert_eq(store_twin_def(press).n_life, 2);
	cr_expect_eq(store_twin_def(press).life[1].state, LIFE_MAINTENANCE);
	cr_expect(store_twin_by_alias(world.store, "SN 12/34", NULL) == press);
	cr_assert(line->out && line->out->next_out && !line->out->next_out->next_out);
	cr_expect_str_eq(line->out->relation.type, "feeds", "the newest first");
	cr_expect(line->out->next_out->to == press && press->in == line->out->next_out);
	cr_assert(store_edges_to(world.store, "volt/sub") != NULL);
	cr_expect(store_edges_to(world.store, "volt/sub")->from == line);
	cr_assert_eq(store_membership(world.store, "contains", "harbor/city", "acme/line", &m), 0);
	cr_expect_eq(m.state, CONFIRM_CONFIRMED);
	cr_expect_eq(store_value(world.store, press, property_of(press, "temperature")).value.real, 22);
	cr_expect_str_eq(temperatures("acme/line/p1", 0, 100), "5=19.5 10=20 20=22");
	cr_expect_str_eq(store_value(world.store, press, property_of(press, "mode")).value.text, "manual");
	cr_expect_str_eq(store_value(world.store, press, property_of(press, "mode")).source, "panel");
	cr_expect(store_twin(world.store, "acme/gone") == NULL);
	cr_expect_eq(store_membership(world.store, "contains", "harbor/city", "acme/gone", &m), STORE_ABSENT);
}

static void make_press(void)
{
	const char *tags[] = {"hot"}, *aliases[] = {"SN 12/34"};
	struct life_step life[] = {{LIFE_OPERATING, TIME_MIN}, {LIFE_MAINTENANCE, 50}};
	const struct op op = {
		.kind = OP_TWIN,
		.twin = {.id = "acme/line/p1",
			 .type = "press",
			 .kind = KIND_ASSET,
			 .name = "Press one",
			 .tags = tags,
			 .n_tags = 1,
			 .aliases = aliases,
			 .n_aliases = 1,
			 .life = life,
			 .n_life = 2},
	};

	cr_assert_eq(world_do(&op), 0);
}

static int set_mode(const char *mode)
{
	struct sample s = {
		.t_ns = 7, .value = {.type = VALUE_ENUM, .text = mode}, .sigma = 0.5, .source = "panel"};

	return world_do(&(struct op){.kind = OP_SAMPLES, .samples = {"acme/line/p1", "mode", &s, 1}});
}

/* Runs `between` after every op: replay and checkpoints at every place must come out the same. */
static void make_everything(void (*between)(void))
{
#define STEP(x) \
	do { \
		cr_assert_eq((x), 0, "%s: %s", #x, world.note.text); \
		between(); \
	} while (0)
	world_types();
	between();
	STEP(world_twin("acme/line", "line", KIND_SYSTEM));
	make_press();
	between();
	STEP(world_relate("contains", "acme/line", "acme/line/p1"));
	STEP(world_relate("feeds", "acme/line", "volt/sub"));
	STEP(world_member("contains", "harbor/city", "acme/line", CONFIRM_CONFIRMED));
	STEP(world_sample("acme/line/p1", 10, 20));
	STEP(world_sample("acme/line/p1", 20, 21));
	STEP(world_sample("acme/line/p1", 5, 19.5));
	STEP(world_sample("acme/line/p1", 20, 22));
	STEP(set_mode("auto"));
	STEP(set_mode("manual"));
	STEP(world_twin("acme/gone", "line", KIND_SYSTEM));
	STEP(world_relate("contains", "acme/line", "acme/gone"));
	STEP(world_member("contains", "harbor/city", "acme/gone", CONFIRM_REFUSED));
	STEP(world_delete("acme/gone"));
#undef STEP
}

static void nothing(void)
{
}

static void checkpoint_and_reopen(void)
{
	world_checkpoint();
	world_reopen();
}

static void checkpoint_before_reopen(void)
{
	static unsigned n;

	if (n++ % 3 == 0)
		world_checkpoint();
	world_reopen();
}

Test(store, shows_what_was_applied)
{
	make_everything(nothing);
	check_everything();
}

Test(store, replays_the_log_after_every_op)
{
	make_everything(world_reopen);
	check_everything();
}

Test(store, opens_from_checkpoints_after_every_op)
{
	make_everything(checkpoint_and_reopen);
	check_everything();
}

Test(store, joins_checkpoints_and_log)
{
	make_everything(checkpoint_before_reopen);
	check_everything();
}

Test(store, reads_on_while_a_checkpoint_is_written)
{
	struct checkpoint *c;

	make_everything(nothing);
	cr_assert_eq(checkpoint_begin(world.store, &c), 0);
	check_everything();
	cr_assert_eq(world_sample("acme/line/p1", 15, 1), 0);
	cr_assert_eq(checkpoint_write(c), 0);
	cr_expect_str_eq(temperatures("acme/line/p1", 0, 100), "5=19.5 10=20 15=1 20=22");
	checkpoint_end(world.store, c, true);
	cr_expect_str_eq(temperatures("acme/line/p1", 0, 100), "5=19.5 10=20 15=1 20=22");
	cr_assert_eq(world_sample("acme/line/p1", 15, 2), 0);
	world_reopen();
	cr_expect_str_eq(temperatures("acme/line/p1", 0, 100), "5=19.5 10=20 15=2 20=22");
}

Test(store, a_checkpoint_that_was_not_written_goes_into_the_next)
{
	struct checkpoint *c;

	make_everything(nothing);
	cr_assert_eq(checkpoint_begin(world.store, &c), 0);
	cr_assert_eq(world_sample("acme/line/p1", 20, 23), 0);
	checkpoint_end(world.store, c, false);
	cr_assert_eq(world_sample("acme/line/p1", 20, 22), 0);
	check_everything();
	world_checkpoint();
	check_everything();
	world_reopen();
	check_everything();
}

/* Environments that were completed by a checkpoint which did not come to its end. */
Test(store, a_crash_between_environments_is_replayed)
{
	struct checkpoint *c;

	make_everything(nothing);
	cr_assert_eq(checkpoint_begin(world.store, &c), 0);
	cr_assert_eq(checkpoint_write(c), 0);
	checkpoint_end(world.store, c, false); /* as if the process had died before it dropped the log */
	world_reopen();
	check_everything();
}

Test(store, sequence_numbers_and_stamps_rise_and_survive)
{
	struct store_position a, b;

	world_types();
	cr_assert_eq(world_twin("acme/a", "press", KIND_ASSET), 0);
	cr_assert_eq(world_twin("acme/b", "press", KIND_ASSET), 0);
	store_position(world.store, &a);
	cr_expect_eq(a.seq, 2);
	cr_expect(a.stamp_ns >= NOW);
	cr_expect_eq(store_twin(world.store, "acme/b")->seq, 2);
	cr_expect(store_twin(world.store, "acme/a")->version.stamp_ns <
		  store_twin(world.store, "acme/b")->version.stamp_ns);

	world.now_ns = NOW - NS_PER_S; /* the clock was set back */
	world_reopen();
	store_position(world.store, &b);
	cr_expect_eq(b.seq, a.seq);
	cr_expect_eq(b.stamp_ns, a.stamp_ns);
	cr_assert_eq(world_sample("acme/a", 1, 1), 0);
	store_position(world.store, &b);
	cr_expect_eq(b.seq, 3);
	cr_expect(b.stamp_ns > a.stamp_ns);
}

Test(store, stamps_are_never_below_the_clock_at_opening)
{
	world.now_ns = NOW + 3600 * NS_PER_S;
	world_reopen();
	world.now_ns = NOW;
	cr_assert_eq(world_twin("acme/a", "", KIND_ASSET), 0);
	cr_expect(store_twin(world.store, "acme/a")->version.stamp_ns >= NOW + 3600 * NS_PER_S);
}

Test(store, only_what_shows_in_a_row_changes_its_seq)
{
	struct sample count = {.t_ns = 1, .value = {.type = VALUE_INT64, .integer = 1}, .sigma = NAN};
	const struct twin *t;

	world_types();
	cr_assert_eq(world_twin("acme/a", "press", KIND_ASSET), 0);
	cr_assert_eq(world_twin("acme/b", "press", KIND_ASSET), 0);
	t = store_twin(world.store, "acme/a");
	const uint64_t seq = t->seq;
	cr_assert_eq(world_do(&(struct op){.kind = OP_SAMPLES, .samples = {"acme/a", "count", &count, 1}}),
		     0);
	cr_expect_eq(t->seq, seq, "no KPI");
	cr_assert_eq(world_sample("acme/a", 10, 1), 0);
	cr_expect_eq(t->seq, 3, "a KPI");
	cr_assert_eq(world_sample("acme/a", 5, 1), 0);
	cr_expect_eq(t->seq, 3, "a late sample");
	cr_assert_eq(world_sample("acme/a", 10, 2), 0);
	cr_expect_eq(t->seq, 4, "the newest one corrected");
	cr_assert_eq(world_relate("contains", "acme/b", "acme/a"), 0);
	cr_expect_eq(t->seq, 5, "a parent");
	cr_expect_eq(store_twin(world.store, "acme/b")->seq, 2, "the parent itself does not change");
	cr_assert_eq(world_relate("feeds", "acme/a", "volt/x"), 0);
	cr_expect_eq(t->seq, 5, "a relation to elsewhere");
	cr_assert_eq(world_member("contains", "volt/x", "acme/a", CONFIRM_CONFIRMED), 0);
	cr_expect_eq(t->seq, 6, "a word on a membership");
	cr_assert_eq(world_delete("acme/b"), 0);
	cr_expect_eq(t->seq, 7, "its parent went away");
}

Test(store, every_changed_twin_is_listed_once_in_the_order_of_changes)
{
	const struct twin *t;

	world_types();
	cr_assert_eq(world_twin("acme/a", "press", KIND_ASSET), 0);
	cr_assert_eq(world_twin("acme/b", "press", KIND_ASSET), 0);
	cr_assert_eq(world_sample("acme/a", 1, 1), 0);
	cr_assert_eq(world_delete("acme/b"), 0);
	for (int round = 0; round < 3; round++) {
		t = store_change_next(world.store, 0);
		cr_assert(t && t->seq == 3);
		cr_expect_str_eq(t->id, "acme/a");
		t = store_change_next(world.store, 3);
		cr_assert(t && t->seq == 4);
		cr_expect(t->deleted);
		cr_expect_str_eq(t->id, "acme/b");
		cr_expect(store_change_next(world.store, 4) == NULL);
		if (round == 0)
			world_reopen();
		else
			checkpoint_and_reopen();
	}
	cr_assert_eq(world_twin("acme/b", "press", KIND_ASSET), 0);
	t = store_change_next(world.store, 3);
	cr_expect(t && !t->deleted && t->seq == 5, "it was made again");
	cr_expect(isnan(temperature_at("acme/b", TIME_MAX)));
}

Test(store, values_are_found_at_before_between_and_after_samples)
{
	world_types();
	cr_assert_eq(world_twin("acme/a", "press", KIND_ASSET), 0);
	cr_expect(isnan(temperature_at("acme/a", TIME_MAX)), "never measured");
	for (int i = 1; i <= 3; i++)
		cr_assert_eq(world_sample("acme/a", i * 10, i), 0);
	for (int round = 0; round < 2; round++) {
		cr_expect(isnan(temperature_at("acme/a", 9)));
		cr_expect_eq(temperature_at("acme/a", 10), 1);
		cr_expect_eq(temperature_at("acme/a", 19), 1);
		cr_expect_eq(temperature_at("acme/a", 20), 2);
		cr_expect_eq(temperature_at("acme/a", 29), 2);
		cr_expect_eq(temperature_at("acme/a", TIME_MAX), 3);
		cr_expect(isnan(temperature_at("acme/a", TIME_MIN)));
		world_checkpoint();
	}
	cr_assert_eq(world_sample("acme/a", 15, 9), 0, "late");
	cr_expect_eq(temperature_at("acme/a", 19), 9);
	cr_expect_eq(temperature_at("acme/a", TIME_MAX), 3);
	world_checkpoint();
	cr_expect_eq(temperature_at("acme/a", 19), 9);
	cr_expect_eq(temperature_at("acme/a", 14), 1);
}

Test(store, twins_are_walked_in_id_order_below_a_prefix)
{
	const char *ids[] = {"acme/b/2", "acme/b", "acme/a", "acme/c", "acme/b/1"};
	const char *expected[] = {"acme/b", "acme/b/1", "acme/b/2"};
	const struct twin *t = NULL;

	for (size_t i = 0; i < 5; i++)
		cr_assert_eq(world_twin(ids[i], "", KIND_ASSET), 0);
	for (size_t i = 0; i < 3; i++) {
		t = store_twin_next(world.store, "acme/b", t ? t->id : "");
		cr_assert(t != NULL);
		cr_expect_str_eq(t->id, expected[i]);
	}
	cr_expect(store_twin_next(world.store, "acme/b", t->id) == NULL);
	cr_assert_eq(world_delete("acme/b/1"), 0);
	t = store_twin_next(world.store, "acme/b", "acme/b");
	cr_expect(t && strcmp(t->id, "acme/b/2") == 0, "tombstones are not shown");
	cr_expect(store_twin_next(world.store, "", "")->id[5] == 'a');
}

Test(store, aliases_lead_to_all_twins_that_carry_them)
{
	const char *aliases[] = {"urn:x", "urn:y"};

	for (int i = 0; i < 3; i++) {
		char id[16];
		snprintf(id, sizeof id, "acme/t%d", 2 - i);
		cr_assert_eq(world_do(&(struct op){.kind = OP_TWIN,
						   .twin = {.id = id,
							    .type = "",
							    .name = "",
							    .aliases = aliases,
							    .n_aliases = i == 1 ? 1 : 2}}),
			     0);
	}
	const struct twin *t = store_twin_by_alias(world.store, "urn:y", NULL);
	cr_assert(t && strcmp(t->id, "acme/t0") == 0);
	t = store_twin_by_alias(world.store, "urn:y", t);
	cr_assert(t && strcmp(t->id, "acme/t2") == 0);
	cr_expect(store_twin_by_alias(world.store, "urn:y", t) == NULL);
	cr_assert_eq(world_delete("acme/t0"), 0);
	cr_expect(store_twin_by_alias(world.store, "urn:y", NULL) == t);
	cr_expect(store_twin_by_alias(world.store, "urn:z", NULL) == NULL);
	cr_assert_eq(world_twin("acme/t2", "", KIND_ASSET), 0);
	cr_expect(store_twin_by_alias(world.store, "urn:y", NULL) == NULL, "it was taken off");
}

Test(store, relations_wait_for_twins_that_come_later)
{
	/* A twin of another node of the organisation is known by its row only; later this node takes it over.
	 */
	cr_assert_eq(world_twin("acme/a", "", KIND_ASSET), 0);
	cr_assert_eq(world_twin("acme/b", "", KIND_ASSET), 0);
	cr_assert_eq(world_relate("feeds", "acme/a", "volt/x"), 0);
	cr_assert_eq(world_relate("feeds", "acme/b", "volt/x"), 0);
	for (int round = 0; round < 2; round++) {
		const struct edge *e = store_edges_to(world.store, "volt/x");
		cr_assert(e && e->to == NULL && e->next_in && !e->next_in->next_in);
		cr_expect_str_eq(e->relation.from, "acme/b", "newest first");
		checkpoint_and_reopen();
	}
	cr_assert_eq(world_delete("acme/b"), 0);
	cr_expect_str_eq(store_edges_to(world.store, "volt/x")->relation.from, "acme/a");
	cr_assert_eq(world_unrelate("feeds", "acme/a", "volt/x"), 0);
	cr_expect(store_edges_to(world.store, "volt/x") == NULL);
	cr_expect(store_twin(world.store, "acme/a")->out == NULL);
}

Test(store, a_type_that_grows_keeps_the_values_of_its_twins)
{
	struct type_def type = world_press();
	struct property_def more[7];

	world_types();
	cr_assert_eq(world_twin("acme/a", "press", KIND_ASSET), 0);
	cr_assert_eq(world_sample("acme/a", 1, 42), 0);
	const uint64_t seq = store_twin(world.store, "acme/a")->seq;
	more[0] = (struct property_def){
		.name = "first", .type = VALUE_BOOL, .unit = "", .min = NAN, .max = NAN};
	memcpy(more + 1, type.properties, 6 * sizeof *more);
	type.properties = more;
	type.n_properties = 7;
	type.version = 2;
	cr_assert_eq(world_do(&(struct op){.kind = OP_TYPE, .type = type}), 0);
	cr_expect_eq(store_twin(world.store, "acme/a")->seq, seq, "its row shows the same");
	more[2].kpi = true;
	type.version = 3;
	cr_assert_eq(world_do(&(struct op){.kind = OP_TYPE, .type = type}), 0);
	cr_expect_eq(store_twin(world.store, "acme/a")->seq, seq + 1, "one more KPI");
	for (int round = 0; round < 3; round++) {
		cr_expect_eq(temperature_at("acme/a", 1), 42);
		cr_expect_eq(store_twin(world.store, "acme/a")->type->n_kpis, 3);
		if (round == 0)
			world_reopen();
		else
			checkpoint_and_reopen();
	}
}

Test(store, counts_what_it_holds)
{
	struct store_position p;

	make_everything(nothing);
	for (int round = 0; round < 3; round++) {
		store_position(world.store, &p);
		cr_expect_eq(p.n_twins, 2);
		cr_expect_eq(p.n_types, 2);
		cr_expect_eq(p.n_relations, 2);
		cr_expect_eq(p.n_series, 6);
		cr_expect_eq(p.n_lineage, 1);
		cr_expect_eq(p.lineage[0].id, 4711);
		cr_expect_eq(p.lineage[0].start_seq, 1);
		cr_expect(store_disk_bytes(world.store) > 0);
		if (round == 0)
			world_reopen();
		else
			checkpoint_and_reopen();
	}
}

Test(store, series_are_given_with_the_twin_and_found_by_number)
{
	make_everything(nothing);
	const struct twin *press = store_twin(world.store, "acme/line/p1");
	const size_t n = press->type->def.n_properties;
	uint32_t given[8];

	for (size_t i = 0; i < n; i++)
		cr_expect_neq(given[i] = store_series(world.store, press, i), 0);
	cr_expect_eq(store_series(world.store, press, n), 0);
	cr_expect_eq(store_value(world.store, press, n).value.type, VALUE_NONE);
	for (int round = 0; round < 3; round++) {
		press = store_twin(world.store, "acme/line/p1");
		for (size_t i = 0; i < n; i++) {
			size_t place = n;
			cr_expect_eq(store_series(world.store, press, i), given[i]);
			cr_expect_eq(store_series_owner(world.store, given[i], &place), press);
			cr_expect_eq(place, i);
		}
		if (round == 0)
			world_reopen();
		else
			checkpoint_and_reopen();
	}
	size_t place;
	cr_expect_null(store_series_owner(world.store, 0, &place));
	cr_expect_null(store_series_owner(world.store, 1000000, &place));
	cr_assert_eq(world_delete("acme/line/p1"), 0);
	cr_expect_null(store_series_owner(world.store, given[0], &place));
}

Test(store, a_checkpoint_is_due_by_age_and_drops_the_log)
{
	cr_expect_not(checkpoint_due(world.store, NOW + 3600 * NS_PER_S), "nothing to write");
	cr_assert_eq(world_twin("acme/a", "", KIND_ASSET), 0);
	cr_expect_not(checkpoint_due(world.store, world.now_ns));
	cr_expect(checkpoint_due(world.store, world.now_ns + 60 * NS_PER_S));
	cr_expect(checkpoint_due(world.store, world.now_ns - 60 * NS_PER_S), "the clock was set back");
	const uint64_t before = store_disk_bytes(world.store);
	world_checkpoint();
	cr_expect_not(checkpoint_due(world.store, NOW + 3600 * NS_PER_S));
	cr_expect(store_disk_bytes(world.store) < before + 64 * 1024);
}

static int merge(void)
{
	int r;

	must(store_merge_begin(world.store) == 0);
	while ((r = store_merge_step(world.store)) == 0)
		;
	store_merge_end(world.store, r > 0);
	return r;
}

Test(store, merging_keeps_every_sample_and_makes_one_run_of_many)
{
	struct store_health health;

	world_types();
	must(world_twin("acme/a", "press", KIND_ASSET) == 0);
	cr_expect_eq(store_merge_begin(world.store), STORE_UNCHANGED, "there is nothing yet");
	for (int i = 0; i < 9; i++) {
		must(world_sample("acme/a", i, i) == 0);
		world_checkpoint();
	}
	store_health(world.store, &health);
	cr_expect_eq(health.n_runs, 9);
	cr_assert_eq(merge(), 1);
	for (int round = 0; round < 2; round++) {
		store_health(world.store, &health);
		cr_expect_lt(health.n_runs, 9);
		cr_expect_str_eq(temperatures("acme/a", 0, 99), "0=0 1=1 2=2 3=3 4=4 5=5 6=6 7=7 8=8");
		world_reopen();
	}
	while (store_scrub_step(world.store) == 0)
		;
	store_health(world.store, &health);
	cr_expect_gt(health.scrubbed, 0);
	cr_expect_eq(health.rotten, 0);
}

Test(store, what_is_older_than_its_retention_becomes_roll_ups)
{
	struct type_def press = world_press();
	struct store_buckets found;
	int64_t since_ns;

	press.retention = (struct retention){.raw_ns = 10 * NS_PER_S, .minute_ns = 3600 * NS_PER_S};
	must(world_do(&(struct op){.kind = OP_TYPE, .type = press}) == 0);
	must(world_twin("acme/a", "press", KIND_ASSET) == 0);
	for (int i = 0; i < 9; i++) {
		must(world_sample("acme/a", i * 60 * NS_PER_S, i) == 0);
		world_checkpoint();
	}
	cr_assert_eq(merge(), 1);
	const struct twin *t = store_twin(world.store, "acme/a");
	const struct store_range range = {0, 600 * NS_PER_S, 60 * NS_PER_S, 100};
	const size_t temperature = property_of(t, "temperature");
	cr_assert_eq(store_buckets(world.store, t, temperature, &range, world.arena, &found), 0);
	cr_assert_eq(found.n, 9);
	cr_expect_eq(found.buckets[2].mean, 2);
	cr_assert_eq(store_raw_since(world.store, t, temperature, &since_ns), 0);
	cr_expect_gt(since_ns, 0);
	cr_expect_eq(temperature_at("acme/a", 480 * NS_PER_S), 8);
}

/* Minutes are kept after the raw samples, hours after the minutes: as long as late samples are taken. */
Test(store, late_samples_that_are_taken_are_kept_in_some_form)
{
	struct type_def press = world_press();
	struct store_buckets found;

	press.retention = (struct retention){3600 * NS_PER_S, 3600 * NS_PER_S, 3600 * NS_PER_S};
	must(world_do(&(struct op){.kind = OP_TYPE, .type = press}) == 0);
	must(world_twin("acme/a", "press", KIND_ASSET) == 0);
	must(world_sample("acme/a", NOW, 0) == 0);
	for (int i = 1; i < 9; i++) {
		must(world_sample("acme/a", NOW - i * 1200 * NS_PER_S, i) == 0);
		world_checkpoint();
	}
	cr_assert_eq(merge(), 1);
	const struct twin *t = store_twin(world.store, "acme/a");
	const struct store_range range = {0, NOW, 60 * NS_PER_S, 100};
	uint64_t n = 0;
	cr_assert_eq(
		store_buckets(world.store, t, property_of(t, "temperature"), &range, world.arena, &found), 0);
	for (size_t i = 0; i < found.n; i++)
		n += found.buckets[i].n;
	cr_expect_eq(n, 9);
}

/* A state/ that cannot be written: something else is in its place. */
static void block_state(bool on)
{
	char state[256], aside[256];

	snprintf(state, sizeof state, "%s/state", world.dir);
	snprintf(aside, sizeof aside, "%s/aside", world.dir);
	if (on) {
		must(rename(state, aside) == 0);
		FILE *f = fopen(state, "w");
		must(f && fclose(f) == 0);
	} else {
		must(remove(state) == 0 && rename(aside, state) == 0);
	}
}

/* What is in a run that counts and in the log as well may not become part of a bucket: it would be there
 * twice.
 */
Test(store, a_merge_behind_a_failed_checkpoint_counts_nothing_twice)
{
	struct type_def press = world_press();
	struct store_buckets found;
	struct checkpoint *c;
	uint64_t n = 0;

	press.retention = (struct retention){.raw_ns = 60 * NS_PER_S, .minute_ns = 24 * 3600 * NS_PER_S};
	must(world_do(&(struct op){.kind = OP_TYPE, .type = press}) == 0);
	must(world_twin("acme/a", "press", KIND_ASSET) == 0);
	for (int i = 1; i < 8; i++) {
		must(world_sample("acme/a", i * 60 * NS_PER_S, i) == 0);
		world_checkpoint();
	}
	must(world_sample("acme/a", 30 * NS_PER_S, 8) == 0);
	block_state(true);
	must(checkpoint_begin(world.store, &c) == 0);
	cr_expect_lt(checkpoint_write(c), 0);
	checkpoint_end(world.store, c, false);
	block_state(false);
	cr_assert_eq(merge(), 1);
	for (int round = 0; round < 3; round++) {
		const struct twin *t = store_twin(world.store, "acme/a");
		const struct store_range range = {0, NOW, 3600 * NS_PER_S, 100};
		cr_assert_eq(store_buckets(world.store, t, property_of(t, "temperature"), &range, world.arena,
					   &found),
			     0);
		n = 0;
		for (size_t i = 0; i < found.n; i++)
			n += found.buckets[i].n;
		cr_expect_eq(n, 8, "%d: %d", round, (int)n);
		if (round == 1)
			world_checkpoint();
		world_reopen();
	}
}

Test(store, checkpoints_that_fail_for_long_do_not_pile_up)
{
	struct checkpoint *c;
	size_t most = 0;

	world_types();
	for (int i = 0; i < 200; i++) {
		char id[32];
		snprintf(id, sizeof id, "acme/a%d", i);
		must(world_twin(id, "press", KIND_ASSET) == 0);
	}
	for (int round = 0; round < 100; round++) {
		for (int i = 0; i < 200; i += 10) {
			char id[32];
			snprintf(id, sizeof id, "acme/a%d", i);
			must(world_sample(id, round, round % 400) == 0);
		}
		must(checkpoint_begin(world.store, &c) == 0);
		checkpoint_end(world.store, c, false);
		most = world.store->state_left.n > most ? world.store->state_left.n : most;
	}
	cr_expect_lt(most, 1200, "%zu", most);
	world_checkpoint();
	world_reopen();
	cr_expect_eq(temperature_at("acme/a190", TIME_MAX), 99);
	cr_expect_not_null(store_twin(world.store, "acme/a199"));
}
