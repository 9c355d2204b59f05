/* SPDX-License-Identifier: Apache-2.0 */
#include <criterion/criterion.h>
#include <criterion/new/assert.h>

#include <math.h>
#include <string.h>

#include "node/views.h"
#include "node/watch.h"
#include "proto/clock.h"
#include "tests/unit/node/world.h"

/* ---- In the place of the rest of the node ----------------------------------------------------------------
 */

static int64_t now_ns;         /* that the watches are told */
static unsigned n_looks;       /* views that were asked */
static bool absent, reachable; /* the root; the client */
static view_fn *waiting;       /* a view that is under way, when slow */
static void *waiting_ctx;
static bool slow;
static double total;
static unsigned n_failed, n_parts, n_signs;
static int failed_code;
static struct watch_event last;
static size_t last_members;

int64_t __wrap_engine_mono_ns(void);
bool __wrap_call_try_part(struct call *c, const struct control_answer *part);
void __wrap_call_fail(struct call *c, int code, const struct err_note *note);
int __wrap_views_ask_again(struct views *v, const struct audience *to, const struct view_question *question,
			   struct watch_kept *kept, view_fn *done, void *ctx);

int64_t __wrap_engine_mono_ns(void)
{
	return now_ns;
}

bool __wrap_call_try_part(struct call *c, const struct control_answer *part)
{
	(void)c;
	n_parts++;
	n_signs += part->watch.number > 0 && part->watch.event == 0;
	last = part->watch;
	last_members = part->view.n_members;
	return reachable;
}

void __wrap_call_fail(struct call *c, int code, const struct err_note *note)
{
	(void)note;
	n_failed++;
	failed_code = code;
	call_drop(c);
}

static void answer(view_fn *done, void *ctx)
{
	struct rollup_state sum = {.n = 1, .sum = total, .unit = "kW"};
	struct view_source source = {.org = "acme", .node = "n1", .state = MEMBER_LIVE};
	struct view_member root = {.id = "acme/plant",
				   .parent = "",
				   .type = "",
				   .name = "",
				   .state = absent ? MEMBER_ABSENT : MEMBER_LIVE,
				   .rollups = &sum};
	const struct view_part view = {.members = &root,
				       .n_members = 1,
				       .sources = &source,
				       .n_sources = 1,
				       .rollups = &sum,
				       .n_rollups = 1,
				       .counts = {.members = 1, .live = 1}};

	done(ctx, 0, &(struct err_note){0}, &view);
}

int __wrap_views_ask_again(struct views *v, const struct audience *to, const struct view_question *question,
			   struct watch_kept *kept, view_fn *done, void *ctx)
{
	(void)v, (void)to, (void)question, (void)kept;
	n_looks++;
	waiting = done;
	waiting_ctx = ctx;
	if (!slow)
		answer(done, ctx);
	return 0;
}

/* ---- A node with watches ---------------------------------------------------------------------------------
 */

static struct config config = {.watch_refresh_ms = 10000};
static struct rollup_spec sum = {.fn = ROLLUP_SUM, .property = "power"};
static struct view_root root = {.id = "acme/plant", .parent = ""};

static void set_up(void)
{
	world_set_up();
	world.config = &config;
	cr_assert(eq(int, watches_start(&world.watches, &world), 0));
	now_ns = NS_PER_S;
	reachable = true;
	world_type("press", "power", "note", "kW");
	world_twin("acme/plant", "press", NULL);
	world_twin("acme/press1", "press", NULL);
	world_twin("acme/elsewhere", "press", NULL);
	world_relation("contains", "acme/plant", "acme/press1");
}

static void tear_down(void)
{
	watches_stop(world.watches);
	uv_run(&world.loop, UV_RUN_DEFAULT);
	watches_free(world.watches);
	world_tear_down();
}

TestSuite(watch, .init = set_up, .fini = tear_down, .timeout = 60);

static struct call *call_of(const char *peer, uint32_t number, uint32_t taken)
{
	struct call *c = calloc(1, sizeof *c);
	SCOPED(scope_arena) struct arena *a = NULL;

	cr_assert(c && arena_new(&a, 1 << 16) == 0);
	uint32_t *handles = arena_take_array(a, 2, sizeof *handles);
	handles[0] = number;
	handles[1] = taken;
	c->e = &world;
	c->to = audience_of("");
	c->request = (struct control_request){.id = 5,
					      .op = CONTROL_WATCH,
					      .handles = handles,
					      .n_handles = number > 0 ? 2 : 0,
					      .question = {.roots = &root,
							   .n_roots = 1,
							   .hierarchy = "contains",
							   .rollups = &sum,
							   .n_rollups = 1,
							   .where = "",
							   .by_property = ""}};
	buf_put_text(&c->peer, peer);
	c->arena = MOVE(a);
	return c;
}

static int take(struct call *c)
{
	struct err_note note;
	const int r = watches_take(world.watches, c, &note);

	if (r < 0)
		call_drop(c);
	return r;
}

/* Time passes, and the loop turns until nothing is due. */
static void pass(int64_t ms)
{
	now_ns += ms * NS_PER_MS;
	for (int i = 0; i < 20; i++) {
		const struct timespec moment = {.tv_nsec = NS_PER_MS};
		nanosleep(&moment, NULL);
		uv_update_time(&world.loop);
		uv_run(&world.loop, UV_RUN_NOWAIT);
	}
}

/* The timer of the loop knows the real time: it is set anew by what happens. */
static void turn(void)
{
	const struct timespec moment = {.tv_nsec = 60 * NS_PER_MS};

	nanosleep(&moment, NULL);
	pass(100);
}

static void change(void)
{
	total++;
	watches_touch(world.watches, WATCH_ROWS);
}

Test(watch, it_tells_what_is_and_then_what_differs)
{
	cr_assert(eq(int, take(call_of("a", 0, 0)), 0));
	cr_expect(eq(u64, last.event, 1));
	cr_expect(last.whole);
	change();
	turn();
	cr_expect(eq(u64, last.event, 2));
	cr_expect(not(last.whole));
	cr_expect(eq(uint, n_looks, 2));
}

Test(watch, what_did_not_change_is_not_told)
{
	cr_assert(eq(int, take(call_of("a", 0, 0)), 0));
	const unsigned before = n_parts;
	watches_touch(world.watches, WATCH_ROWS);
	turn();
	cr_expect(eq(uint, n_looks, 2));
	cr_expect(eq(uint, n_parts, before));
}

Test(watch, many_changes_are_one_look)
{
	cr_assert(eq(int, take(call_of("a", 0, 0)), 0));
	for (int i = 0; i < 1000; i++)
		change();
	turn();
	cr_expect(eq(uint, n_looks, 2));
	cr_expect(eq(u64, last.event, 2));
}

/* Changes that never stop are looked at all the same. */
Test(watch, there_need_be_no_quiet)
{
	cr_assert(eq(int, take(call_of("a", 0, 0)), 0));
	for (int i = 0; i < 20; i++) {
		change();
		pass(5);
	}
	cr_expect(n_looks >= 2);
	cr_expect(n_looks <= 4);
}

Test(watch, what_comes_during_a_look_leads_to_another)
{
	slow = true;
	cr_assert(eq(int, take(call_of("a", 0, 0)), 0));
	change();
	turn();
	cr_expect(eq(uint, n_looks, 1));
	answer(waiting, waiting_ctx);
	turn();
	cr_expect(eq(uint, n_looks, 2));
	slow = false;
	answer(waiting, waiting_ctx);
	cr_expect(eq(u64, last.event, 1));
}

Test(watch, who_does_not_say_that_he_took_events_gets_no_more)
{
	cr_assert(eq(int, take(call_of("a", 0, 0)), 0));
	for (int i = 0; i < 2 * WATCH_WINDOW; i++) {
		change();
		turn();
	}
	cr_expect(eq(u64, last.event, WATCH_WINDOW));
	const uint32_t number = last.number;
	cr_assert(eq(int, take(call_of("a", number, WATCH_WINDOW)), 0));
	turn();
	cr_expect(eq(u64, last.event, WATCH_WINDOW + 1));
}

Test(watch, it_ends_when_it_is_not_renewed)
{
	cr_assert(eq(int, take(call_of("a", 0, 0)), 0));
	const uint32_t number = last.number;
	now_ns += (WATCH_LEASE_S - 1) * NS_PER_S;
	cr_assert(eq(int, take(call_of("a", number, 1)), 0));
	cr_expect(eq(u64, last.event, 0), "a sign of life");
	now_ns += (WATCH_LEASE_S - 1) * NS_PER_S;
	watches_tick(world.watches);
	turn();
	const unsigned looks = n_looks;
	change();
	turn();
	cr_expect(n_looks > looks);
	now_ns += 2 * NS_PER_S;
	watches_tick(world.watches);
	const unsigned end = n_looks;
	change();
	turn();
	cr_expect(eq(uint, n_looks, end));
}

Test(watch, a_number_from_another_connection_is_another_watch)
{
	cr_assert(eq(int, take(call_of("a", 0, 0)), 0));
	const uint32_t number = last.number;
	cr_assert(eq(int, take(call_of("b", number, 1)), 0));
	cr_expect(last.whole);
	cr_expect(last.number != number);
}

Test(watch, a_client_that_is_gone_is_told_nothing_more)
{
	cr_assert(eq(int, take(call_of("a", 0, 0)), 0));
	reachable = false;
	change();
	turn();
	const unsigned parts = n_parts;
	change();
	turn();
	cr_expect(eq(uint, n_parts, parts));
	cr_expect(eq(uint, n_failed, 0));
}

Test(watch, a_root_that_is_not_there_makes_no_watch_and_one_that_goes_an_empty_view)
{
	absent = true;
	cr_assert(eq(int, take(call_of("a", 0, 0)), 0));
	cr_expect(eq(int, failed_code, ERR_ABSENT));
	absent = false;
	cr_assert(eq(int, take(call_of("a", 0, 0)), 0));
	absent = true;
	watches_touch(world.watches, WATCH_POLICY);
	turn();
	cr_expect(eq(u64, last.event, 2));
	cr_expect(eq(sz, last_members, 0));
	cr_expect(eq(uint, n_failed, 1));
}

Test(watch, owners_are_asked_anew_now_and_then)
{
	cr_assert(eq(int, take(call_of("a", 0, 0)), 0));
	now_ns += config.watch_refresh_ms * NS_PER_MS - 1;
	watches_tick(world.watches);
	turn();
	cr_expect(eq(uint, n_looks, 1));
	watches_tick(world.watches);
	turn();
	cr_expect(eq(uint, n_looks, 2));
}

Test(watch, there_are_so_many_and_no_more)
{
	for (int i = 0; i < WATCHES_MAX; i++)
		cr_assert(eq(int, take(call_of("a", 0, 0)), 0));
	cr_expect(eq(int, take(call_of("a", 0, 0)), ERR_REFUSED));
}

/* ---- Which samples may show in it */

static bool stirs(const char *twin, const char *property)
{
	struct sample s = {.value = {.type = VALUE_DOUBLE}};
	const struct op op = {.kind = OP_SAMPLES,
			      .samples = {.twin = twin, .property = property, .samples = &s, .n = 1}};
	const unsigned before = n_looks;

	watches_staged(world.watches, &op);
	watches_committed(world.watches);
	turn();
	return n_looks > before;
}

Test(watch, only_what_could_be_in_it_is_looked_at)
{
	cr_assert(eq(int, take(call_of("a", 0, 0)), 0));
	cr_expect(stirs("acme/press1", "power"));
	cr_expect(stirs("acme/plant", "power"));
	cr_expect(not(stirs("acme/press1", "note")));
	cr_expect(not(stirs("acme/elsewhere", "power")));
	world_relation("contains", "acme/plant", "acme/elsewhere");
	const struct op op = {.kind = OP_RELATION};
	watches_staged(world.watches, &op);
	cr_expect(stirs("acme/elsewhere", "power"));
}

/* They make the health that is told. */
Test(watch, alarms_and_what_members_amount_to_are_looked_at)
{
	static const struct limits hot = {.at = {NAN, NAN, NAN, 2}, .rate_warning = NAN, .rate_alarm = NAN};
	struct property_def plain = {
		.name = "heat", .type = VALUE_DOUBLE, .unit = "kW", .min = NAN, .max = NAN, .limits = &hot};
	const struct op type = {.kind = OP_TYPE,
				.type = {.name = "line",
					 .version = 1,
					 .properties = &plain,
					 .n_properties = 1,
					 .health = {.rule = HEALTH_WORST}}};

	world_put(&type, 1);
	world_twin("acme/press1", "line", NULL);
	cr_assert(eq(int, take(call_of("a", 0, 0)), 0));
	cr_expect(stirs("acme/press1", "alarm/heat"));
	cr_expect(stirs("acme/press1", "health/members"));
	cr_expect(not(stirs("acme/press1", "heat")));
}

Test(watch, of_a_frame_each_series_is_looked_at_once)
{
	const struct twin *in = store_twin(world.store, "acme/press1");
	const struct twin *out = store_twin(world.store, "acme/elsewhere");
	uint32_t series[2] = {store_series(world.store, out, 0), store_series(world.store, out, 1)};
	const struct packed frame = {.n = 2, .series = (const uint8_t *)series};

	cr_assert(eq(int, take(call_of("a", 0, 0)), 0));
	for (int i = 0; i < 3; i++) {
		watches_staged_frame(world.watches, &frame);
		watches_committed(world.watches);
		turn();
	}
	cr_expect(eq(uint, n_looks, 1));
	series[1] = store_series(world.store, in, 0);
	watches_staged_frame(world.watches, &frame);
	watches_committed(world.watches);
	turn();
	cr_expect(eq(uint, n_looks, 2));
}
