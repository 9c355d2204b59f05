/* SPDX-License-Identifier: Apache-2.0 */
#include <criterion/criterion.h>
#include <criterion/new/assert.h>

#include <math.h>
#include <stdio.h>
#include <sys/resource.h>

#include "node/feed.h"
#include "node/gossip.h"
#include "node/writer.h"
#include "storage/store_private.h"
#include "tests/lib/must.h"
#include "tests/unit/node/world.h"
#include "tests/unit/proto/text.h"

static struct feed *feed;
static uint64_t done_upto, n_durable, n_refused, n_rooms;
static char last_refusal[400];
static bool is_stopped;

static void on_done(void *ctx, uint64_t upto, uint64_t n)
{
	(void)ctx;
	must(upto >= done_upto);
	done_upto = upto;
	n_durable += n;
}

static void on_refused(void *ctx, uint64_t token, const char *twin, const char *property, const char *reason)
{
	(void)ctx;
	n_refused++;
	must(token > done_upto); /* told before the token is done */
	snprintf(last_refusal, sizeof last_refusal, "%d %s %s: %s", (int)token, twin, property, reason);
}

static void on_room(void *ctx)
{
	(void)ctx;
	n_rooms++;
}

static void set_up(void)
{
	world_set_up();
	world_type("press", "power", "torque", "kW");
	world_twin("acme/p1", "press", NULL);
	cr_assert(eq(int, gossip_start(&world.gossip, &world), 0));
	cr_assert(eq(int, writer_start(&world.writer, &world), 0));
	cr_assert(eq(
		int,
		feed_new(&feed, &world,
			 &(struct feed_options){
				 .source = "line", .done = on_done, .refused = on_refused, .room = on_room}),
		0));
}

static void on_stopped(struct engine *e)
{
	(void)e;
	is_stopped = true;
}

static void tear_down(void)
{
	feed_free(feed);
	writer_stop(world.writer, on_stopped);
	gossip_stop(world.gossip);
	uv_run(&world.loop, UV_RUN_DEFAULT);
	must(is_stopped);
	writer_free(world.writer);
	gossip_free(world.gossip);
	world.writer = NULL;
	world.gossip = NULL;
	world_tear_down();
}

TestSuite(feed, .init = set_up, .fini = tear_down, .timeout = 60);

static uint32_t series(const char *twin, const char *property)
{
	struct err_note note = {0};
	uint32_t n;

	cr_assert(eq(int, feed_series(feed, twin, property, &n, &note), 0), "%s", note.text);
	return n;
}

static void put(uint32_t n, int64_t t_ns, double value, uint64_t token)
{
	const struct sample s = {.t_ns = t_ns, .value = {.type = VALUE_DOUBLE, .real = value}, .sigma = NAN};

	cr_assert(eq(int, feed_put(feed, n, &s, token), 0));
}

static void step(void)
{
	uv_run(&world.loop, UV_RUN_NOWAIT);
	uv_sleep(1);
}

static void wait_for(uint64_t token)
{
	while (done_upto < token)
		step();
}

static struct sample present(const char *twin, const char *property)
{
	const struct twin *t = store_twin(world.store, twin);
	size_t place;

	must(t && type_property(&t->type->def, property, &place));
	return store_value(world.store, t, place);
}

Test(feed, what_is_done_is_durable_and_has_the_adapters_name)
{
	const uint32_t power = series("acme/p1", "power");

	cr_expect(eq(u32, series("acme/p1", "power"), power));
	put(power, 1000, 1.5, 1);
	put(power, 2000, 2.5, 2);
	feed_mark(feed, 3);
	cr_expect(eq(u64, done_upto, 0), "callbacks come later");
	wait_for(3);
	cr_expect(eq(u64, n_durable, 2));
	cr_expect(ieee_ulp_eq(dbl, present("acme/p1", "power").value.real, 2.5, 1));
	EXPECT_TEXT(present("acme/p1", "power").source, "line");
}

Test(feed, marks_alone_are_done_too)
{
	feed_mark(feed, 1);
	wait_for(1);
	cr_expect(eq(u64, n_durable, 0));
}

Test(feed, an_integer_becomes_the_number_that_the_property_wants)
{
	const struct sample s = {
		.t_ns = 5, .value = {.type = VALUE_INT64, .integer = 7}, .sigma = NAN, .source = "ann"};

	cr_assert(eq(int, feed_put(feed, series("acme/p1", "power"), &s, 1), 0));
	wait_for(1);
	cr_expect(ieee_ulp_eq(dbl, present("acme/p1", "power").value.real, 7, 1));
	EXPECT_TEXT(present("acme/p1", "power").source, "ann");
}

Test(feed, what_cannot_be_stored_is_told_of_and_the_rest_is_kept)
{
	const struct sample text = {.t_ns = 5, .value = {.type = VALUE_TEXT, .text = "warm"}, .sigma = NAN};

	cr_assert(eq(int, feed_put(feed, series("acme/p1", "power"), &text, 1), 0));
	put(series("acme/p1", "power"), 6, 1, 1);
	wait_for(1);
	cr_expect(eq(u64, n_refused, 1));
	EXPECT_TEXT(last_refusal, "1 acme/p1 power: it is text, the property is double");
	put(series("acme/p1", "colour"), 7, 1, 2);
	wait_for(2);
	EXPECT_TEXT(last_refusal, "2 acme/p1 colour: the twin has no such property");
	put(series("acme/p9", "power"), 8, 1, 3);
	wait_for(3);
	EXPECT_TEXT(last_refusal, "3 acme/p9 power: there is no such twin here");
	put(series("acme/p1", "power"), INT64_MAX / 2, 1, 4);
	wait_for(4);
	cr_expect(eq(u64, n_refused, 4));
	cr_expect(strstr(last_refusal, "4 acme/p1 power: ") == last_refusal);
	cr_expect(eq(u64, n_durable, 1));
}

Test(feed, names_that_cannot_be_are_said)
{
	struct err_note note = {0};
	uint32_t n;

	cr_expect(eq(int, feed_series(feed, "acme//p1", "power", &n, &note), ERR_REFUSED));
	EXPECT_TEXT(note.text, "'acme//p1' cannot be the id of a twin");
	cr_expect(eq(int, feed_series(feed, "acme/p1", "a b", &n, &note), ERR_REFUSED));
	EXPECT_TEXT(note.text, "'a b' cannot be the name of a property");
}

Test(feed, a_twin_that_comes_later_and_comes_again_is_found)
{
	struct op gone = {.kind = OP_TWIN_DELETE, .id = "acme/p2"};
	const uint32_t n = series("acme/p2", "power");

	cr_expect(feed_wants(feed, n) == NULL);
	world_twin("acme/p2", "press", NULL);
	cr_assert(feed_wants(feed, n) != NULL);
	EXPECT_TEXT(feed_wants(feed, n)->unit, "kW");
	put(n, 1, 1, 1);
	wait_for(1);
	world_put(&gone, 1);
	cr_expect(feed_wants(feed, n) == NULL);
	world_twin("acme/p2", "press", NULL);
	put(n, 2, 2, 2);
	wait_for(2);
	cr_expect(eq(u64, n_durable, 2));
	cr_expect(eq(u64, n_refused, 0));
}

Test(feed, many_samples_under_one_token_are_done_together)
{
	const uint32_t n = series("acme/p1", "power");
	enum { MANY = 4500 };

	for (int64_t i = 1; i <= MANY; i++)
		put(n, i, (double)i, i < 10 ? 1 : 2);
	put(n, MANY + 1, 0, 3);
	while (done_upto < 2) {
		must(n_durable < MANY || done_upto >= 2);
		step();
	}
	cr_expect(ge(u64, n_durable, MANY));
	wait_for(3);
	cr_expect(eq(u64, n_durable, MANY + 1));
}

Test(feed, it_is_full_at_its_bound_and_tells_when_there_is_room)
{
	const uint32_t n = series("acme/p1", "power");
	uint64_t token = 0;

	while (!feed_is_full(feed)) {
		token++;
		put(n, (int64_t)token, 1, token);
	}
	cr_expect(eq(u64, token, FEED_WAITING_MAX));
	cr_expect(eq(u64, n_rooms, 0));
	wait_for(token);
	cr_expect(eq(u64, n_rooms, 1));
	cr_expect(not(feed_is_full(feed)));
	cr_expect(eq(u64, n_durable, token));
}

Test(feed, while_the_store_takes_nothing_it_is_tried_again)
{
	const uint32_t n = series("acme/p1", "power");
	const struct rlimit none = {.rlim_cur = 0, .rlim_max = RLIM_INFINITY};
	struct rlimit before;

	signal(SIGXFSZ, SIG_IGN);
	getrlimit(RLIMIT_FSIZE, &before);
	cr_assert(eq(int, setrlimit(RLIMIT_FSIZE, &none), 0));
	put(n, 1, 1, 1);
	while (!writer_trouble(world.writer))
		step();
	put(n, 2, 2, 2);
	cr_expect(eq(u64, done_upto, 0));
	cr_expect(eq(u64, n_refused, 0));
	cr_assert(eq(int, setrlimit(RLIMIT_FSIZE, &before), 0));
	wait_for(2);
	cr_expect(eq(u64, n_durable, 2));
	cr_expect(eq(u64, n_refused, 0));
}

static unsigned int n_written;

static int write_other(write_fn *then)
{
	struct arena *a = NULL;
	char id[40];

	must(arena_new(&a, 65536) == 0);
	struct op *op = arena_take(a, sizeof *op);
	snprintf(id, sizeof id, "acme/other%u", n_written);
	must(op != NULL);
	*op = (struct op){.kind = OP_TWIN, .twin = {.id = arena_copy(a, id), .type = "press", .name = ""}};
	return writer_submit(world.writer,
			     &(struct write_request){.arena = a, .ops = op, .n_ops = 1, .done = then});
}

static void on_second(void *ctx, const struct write_result *result)
{
	(void)ctx;
	must(result->code == 0 && done_upto == 0);
	n_written++;
}

static void on_first(void *ctx, const struct write_result *result)
{
	on_second(ctx, result);
	must(write_other(on_second) == 0);
}

Test(feed, what_else_came_of_it_is_durable_before_it_is_done)
{
	cr_assert(eq(int, write_other(NULL), 0)); /* keeps the writer busy: what follows is of one batch */
	cr_assert(eq(int, write_other(on_first), 0));
	feed_mark_behind(feed, 1);
	wait_for(1);
	cr_expect(eq(u32, n_written, 2));
	put(series("acme/p1", "power"), 1, 1, 2);
	feed_mark_behind(feed, 2);
	wait_for(2);
	cr_expect(eq(u64, n_durable, 1));
}

/* The numbers of series are an incarnation's: what was put before cannot be taken any more. */
Test(feed, what_is_refused_as_a_whole_is_told_of_one_by_one)
{
	const uint32_t n = series("acme/p1", "power");
	const struct rlimit none = {.rlim_cur = 0, .rlim_max = RLIM_INFINITY};
	struct rlimit before;
	struct err_note note = {0};

	signal(SIGXFSZ, SIG_IGN);
	getrlimit(RLIMIT_FSIZE, &before);
	cr_assert(eq(int, setrlimit(RLIMIT_FSIZE, &none), 0));
	put(n, 1, 1, 1);
	put(n, 2, 2, 2);
	while (!writer_trouble(world.writer))
		step();
	cr_assert(eq(int, setrlimit(RLIMIT_FSIZE, &before), 0));
	cr_assert(eq(int, store_begin_incarnation(world.store, 77, &note), 0), "%s", note.text);
	wait_for(2);
	cr_expect(eq(u64, n_refused, 2));
	cr_expect(eq(u64, n_durable, 0));
}

Test(feed, one_that_is_freed_says_nothing_more)
{
	put(series("acme/p1", "power"), 1, 1, 1);
	uv_run(&world.loop, UV_RUN_NOWAIT);
	feed_free(feed);
	feed = NULL;
	for (int i = 0; i < 50; i++)
		step();
	cr_expect(eq(u64, done_upto, 0));
}
