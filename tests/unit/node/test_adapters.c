/* SPDX-License-Identifier: Apache-2.0 */
#include <criterion/criterion.h>
#include <criterion/new/assert.h>

#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "node/adapter_private.h"
#include "tests/lib/must.h"
#include "tests/unit/node/world.h"
#include "tests/unit/proto/text.h"

static struct config config;
static bool is_stopped;
static char last_order[100];

static void put_file(const char *name, const char *text)
{
	char path[700];

	snprintf(path, sizeof path, "%s/adapters/%s", config.dir, name);
	FILE *f = fopen(path, "w");
	must(f && fputs(text, f) >= 0 && fclose(f) == 0);
}

static void set_up(void)
{
	char path[700];

	world_set_up();
	snprintf(config.dir, sizeof config.dir, "%s", world_dir);
	world.config = &config;
	snprintf(path, sizeof path, "%s/adapters", config.dir);
	must(mkdir(path, 0700) == 0);
	put_file("odd.json", "{\"kind\": \"steam\"}");
	put_file("broken.json", "{\"kind\": ");
	put_file("a note.txt", "not looked at");
	cr_assert(eq(int, adapters_start(&world.adapters, &world), 0));
}

static void on_stopped(struct engine *e)
{
	(void)e;
	is_stopped = true;
}

static void stop(void)
{
	is_stopped = false;
	adapters_stop(world.adapters, on_stopped);
	while (!is_stopped)
		uv_run(&world.loop, UV_RUN_ONCE);
	adapters_free(world.adapters);
	world.adapters = NULL;
}

static void tear_down(void)
{
	stop();
	world.config = NULL;
	world_tear_down();
}

TestSuite(adapters, .init = set_up, .fini = tear_down, .timeout = 60);

/* ---- A program that is attached --------------------------------------------------------------------------
 */

static struct adapter *programs[2];
static int orders_say[2] = {ERR_ABSENT, 0};

static void program_close(void *self)
{
	struct adapter **slot = self, *a = *slot;

	*slot = NULL;
	adapter_closed(a);
}

static int program_order(void *self, const struct order *order, struct err_note *note)
{
	const size_t slot = (size_t)((struct adapter **)self - programs);

	if (orders_say[slot] == ERR_UNREACHABLE)
		return FAIL_SAY(note, ERR_UNREACHABLE, "number %zu is away", slot);
	if (orders_say[slot] == 0)
		snprintf(last_order, sizeof last_order, "%s", order->twin);
	return orders_say[slot];
}

static const struct adapter_kind program = {
	.name = "program", .close = program_close, .order = program_order};

static void attach(const char *name, size_t slot)
{
	struct err_note note = {0};

	cr_assert(eq(int,
		     adapters_attach(world.adapters, name, &program, &programs[slot], &programs[slot], &note),
		     0),
		  "%s", note.text);
}

/* ---- Tests -----------------------------------------------------------------------------------------------
 */

Test(adapters, what_makes_no_sense_in_a_file_stays_and_says_why)
{
	const struct adapter *a = adapters_find(world.adapters, "odd");

	cr_assert(a != NULL);
	cr_expect(eq(int, (int)a->state, ADAPTER_STOPPED));
	cr_expect(strstr(a->text, "odd: kind: it must be one of: ") == a->text, "%s", a->text);
	a = adapters_find(world.adapters, "broken");
	cr_assert(a != NULL);
	cr_expect(strstr(a->text, "broken:1: ") == a->text, "%s", a->text);
	cr_expect(adapters_find(world.adapters, "a note") == NULL);
}

Test(adapters, what_makes_no_sense_is_refused_and_not_kept)
{
	static const char *const cases[][3] = {
		{"a/b", "{}", "'a/b' cannot be the name of an adapter"},
		{"x", "[]", "x: it must be one JSON object"},
		{"x", "{}", "x: kind: it must be one of: "},
	};
	struct err_note note = {0};
	bool changed;

	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		cr_expect(eq(int,
			     adapters_put(world.adapters, cases[i][0], cases[i][1], false, &changed, &note),
			     ERR_REFUSED));
		cr_expect(strstr(note.text, cases[i][2]) == note.text, "%s", note.text);
	}
	cr_expect(adapters_find(world.adapters, "x") == NULL);
}

Test(adapters, one_that_is_dropped_is_gone_with_its_file)
{
	struct err_note note = {0};
	char path[700];

	cr_expect(eq(int, adapters_drop(world.adapters, "odd", &note), 0));
	snprintf(path, sizeof path, "%s/adapters/odd.json", config.dir);
	cr_expect(access(path, F_OK) != 0);
	cr_expect(adapters_find(world.adapters, "odd") == NULL);
	cr_expect(eq(int, adapters_drop(world.adapters, "odd", &note), ERR_ABSENT));
	EXPECT_TEXT(note.text, "there is no adapter odd: see holon adapter list");
}

Test(adapters, an_order_goes_to_whose_twin_it_is)
{
	const struct order order = {.is_command = true, .twin = "acme/p1", .operation = "stop"};
	struct err_note note = {0};

	cr_expect(eq(int, adapters_order(world.adapters, &order, &note), ERR_ABSENT));
	cr_expect(strstr(note.text, "acme/p1") != NULL);
	attach("one", 0);
	attach("two", 1);
	cr_expect(eq(int, adapters_order(world.adapters, &order, &note), 0));
	EXPECT_TEXT(last_order, "acme/p1");
	cr_expect(eq(u64, programs[1]->counters[COUNT_ORDERS], 1));
	cr_expect(eq(u64, programs[0]->counters[COUNT_ORDERS], 0));
	orders_say[1] = ERR_UNREACHABLE;
	cr_expect(eq(int, adapters_order(world.adapters, &order, &note), ERR_UNREACHABLE));
	cr_expect(eq(u64, programs[1]->counters[COUNT_ORDERS], 1));
}

Test(adapters, one_that_is_away_leaves_an_order_to_another_one)
{
	const struct order order = {.is_command = true, .twin = "acme/p1", .operation = "stop"};
	struct err_note note = {0};

	attach("one", 0);
	attach("two", 1);
	orders_say[0] = ERR_UNREACHABLE;
	cr_expect(eq(int, adapters_order(world.adapters, &order, &note), 0));
	EXPECT_TEXT(last_order, "acme/p1");
	orders_say[1] = ERR_ABSENT;
	cr_expect(eq(int, adapters_order(world.adapters, &order, &note), ERR_UNREACHABLE));
	EXPECT_TEXT(note.text, "number 0 is away");
	orders_say[0] = ERR_REFUSED;
	orders_say[1] = 0;
	cr_expect(eq(int, adapters_order(world.adapters, &order, &note), ERR_REFUSED));
}

static const char tailing[] =
	"{\"kind\": \"tail\", \"file\": \"f.csv\", \"header\": false,"
	" \"columns\": [{\"column\": 1, \"twin\": \"acme/p1\", \"property\": \"power\"}]}";

static bool put(const char *name, bool dry)
{
	struct err_note note = {0};
	bool changed;

	cr_assert(eq(int, adapters_put(world.adapters, name, tailing, dry, &changed, &note), 0), "%s",
		  note.text);
	return changed;
}

/* What the files say that it names is not in the configuration. */
Test(adapters, the_same_configuration_begins_anew)
{
	cr_expect(put("log", false));
	const struct adapter *a = adapters_find(world.adapters, "log");
	cr_assert(a && a->self);
	cr_expect(not(put("log", true)));
	cr_expect(not(a->closing));
	cr_expect(not(put("log", false)));
	cr_expect(a->closing);
	while (a->closing)
		uv_run(&world.loop, UV_RUN_ONCE);
	cr_expect(a->self != NULL);
}

Test(adapters, every_name_that_is_taken_is_there_after_a_restart)
{
	put(".log", false);
	stop();
	cr_assert(eq(int, adapters_start(&world.adapters, &world), 0));
	cr_expect(adapters_find(world.adapters, ".log") != NULL);
}

Test(adapters, a_name_is_one_adapters)
{
	struct adapter *a;
	struct err_note note = {0};
	bool changed;

	attach("one", 0);
	cr_expect(adapters_attached(world.adapters, "one") == &programs[0]);
	cr_expect(adapters_attached(world.adapters, "odd") == NULL);
	cr_expect(
		eq(int, adapters_attach(world.adapters, "odd", &program, programs, &a, &note), ERR_REFUSED));
	cr_expect(eq(int, adapters_put(world.adapters, "one", "{}", true, &changed, &note), ERR_REFUSED));
	cr_expect(eq(int, adapters_drop(world.adapters, "one", &note), ERR_REFUSED));
	program_close(&programs[0]);
	cr_expect(adapters_find(world.adapters, "one") == NULL);
}

Test(adapters, patience_grows_and_begins_anew_after_a_good_minute)
{
	struct backoff b = {0};
	uint64_t ms = 0;

	ms = backoff_next(&b, &world);
	cr_expect(ms >= 400 && ms <= 600);
	ms = backoff_next(&b, &world);
	cr_expect(ms >= 800 && ms <= 1200);
	for (int i = 0; i < 20; i++)
		ms = backoff_next(&b, &world);
	cr_expect(ms >= 24000 && ms <= 36000);
	b.asked_ms -= 30000 + 60001;
	ms = backoff_next(&b, &world);
	cr_expect(ms >= 400 && ms <= 600);
}
