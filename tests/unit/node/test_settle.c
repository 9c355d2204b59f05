/* SPDX-License-Identifier: Apache-2.0 */
#include "node/settle.h"

#include <criterion/criterion.h>
#include <criterion/new/assert.h>

#include <stdio.h>
#include <stdlib.h>

#include "node/adapter.h"
#include "node/gossip.h"
#include "node/writer.h"
#include "proto/clock.h"
#include "storage/bands.h"
#include "tests/lib/must.h"
#include "tests/unit/node/world.h"

enum { PATIENCE = 10000 };

static bool stopped;
static int64_t wall_ns = 900 * NS_PER_S, step_ns = NS_PER_S;
static struct {
	size_t n;
	int answer;
	double value;
	int64_t deadline_ns;
} orders;

int64_t __wrap_engine_wall_ns(void);
int64_t __wrap_engine_wall_ns(void)
{
	return wall_ns;
}

int __wrap_adapters_order(struct adapters *as, const struct order *order, struct err_note *note);
int __wrap_adapters_order(struct adapters *as, const struct order *order, struct err_note *note)
{
	(void)as, (void)note;
	must(!order->is_command && strcmp(order->operation, "speed") == 0);
	orders.n++;
	orders.value = order->desired.value.real;
	orders.deadline_ns = order->deadline_ns;
	return orders.answer;
}

void __wrap_adapters_changed(struct adapters *as);
void __wrap_adapters_changed(struct adapters *as)
{
	(void)as;
}

static void put_type(int64_t settle_ns)
{
	struct property_def p[] = {
		{.name = "speed",
		 .type = VALUE_DOUBLE,
		 .unit = "",
		 .min = 0,
		 .max = 100,
		 .settable = true,
		 .tolerance = 0.5,
		 .settle_ns = settle_ns},
		{.name = "power", .type = VALUE_DOUBLE, .unit = "", .min = NAN, .max = NAN}};
	static uint32_t version;
	const struct op op = {.kind = OP_TYPE,
			      .type = {.name = "press",
				       .parent = "",
				       .version = ++version,
				       .properties = p,
				       .n_properties = 2,
				       .health = {.hierarchy = "", .weight = ""}}};

	world_put(&op, 1);
}

static void set_up(void)
{
	static char nothing;

	world_set_up();
	orders.n = 0;
	orders.answer = 0;
	world.adapters = (struct adapters *)(void *)&nothing; /* only handed on */
	put_type(60 * NS_PER_S);
	world_twin("acme/p1", "press", NULL);
	cr_assert(eq(int, gossip_start(&world.gossip, &world), 0));
	cr_assert(eq(int, writer_start(&world.writer, &world), 0));
	cr_assert(eq(int, settle_start(&world.settle, &world), 0));
}

static void on_stopped(struct engine *e)
{
	(void)e;
	stopped = true;
}

static void tear_down(void)
{
	world.stopping = true;
	writer_stop(world.writer, on_stopped);
	gossip_stop(world.gossip);
	uv_run(&world.loop, UV_RUN_DEFAULT);
	must(stopped);
	writer_free(world.writer);
	settle_free(world.settle);
	gossip_free(world.gossip);
	world.settle = NULL;
	world.writer = NULL;
	world.gossip = NULL;
	world.adapters = NULL;
	world_tear_down();
}

TestSuite(settle, .init = set_up, .fini = tear_down, .timeout = 120);

static struct sample value_of(const char *property)
{
	const struct twin *t = store_twin(world.store, "acme/p1");
	size_t place;

	cr_assert(t && type_property(&t->type->def, property, &place));
	return store_value(world.store, t, place);
}

static const char *standing(void)
{
	const struct sample s = value_of("settle/speed");

	return s.value.type == VALUE_TEXT ? s.value.text : "";
}

/* What is being written is written. */
static void await(const char *wanted)
{
	for (int i = 0; i < PATIENCE && strcmp(standing(), wanted) != 0; i++) {
		uv_run(&world.loop, UV_RUN_NOWAIT);
		uv_sleep(1);
	}
	cr_assert(strcmp(standing(), wanted) == 0, "%s, not %s", standing(), wanted);
	for (int i = 0; i < 5; i++) /* the answer to who wrote it */
		uv_run(&world.loop, UV_RUN_NOWAIT);
}

static void put(const char *property, double value, int64_t t)
{
	struct sample s = {.t_ns = t * step_ns, .value = {.type = VALUE_DOUBLE, .real = value}, .sigma = NAN};
	const struct op op = {.kind = OP_SAMPLES,
			      .samples = {.twin = "acme/p1", .property = property, .samples = &s, .n = 1}};

	world_put(&op, 1);
	settle_applied(world.settle);
	store_forget_notes(world.store);
}

static void restart(void)
{
	settle_free(world.settle);
	world.settle = NULL;
	cr_assert(eq(int, settle_start(&world.settle, &world), 0));
}

Test(settle, a_desired_value_is_pending_until_it_is_reported)
{
	put("desired/speed", 50, 900);
	await("pending until 1970-01-01T00:16:00Z");
	cr_expect(orders.n == 1 && orders.value == 50 && orders.deadline_ns == 960 * NS_PER_S);
	put("speed", 49, 950);
	cr_expect(eq(sz, settle_counts(world.settle).n_open, 1), "outside the tolerance");
	put("speed", 49.5, 951);
	await("converged");
	cr_expect(eq(i64, value_of("settle/speed").t_ns, 951 * NS_PER_S));
	cr_expect(eq(sz, settle_counts(world.settle).n_open, 0));
	put("speed", 10, 952);
	await("converged");
	cr_expect(eq(sz, orders.n, 1), "handed over once");
}

Test(settle, what_is_so_already_has_converged)
{
	put("speed", 50, 800);
	put("desired/speed", 50.2, 900);
	await("converged");
	cr_expect(eq(sz, orders.n, 0));
	put("desired/speed", 60, 901);
	await("pending until 1970-01-01T00:16:01Z");
}

Test(settle, a_deadline_that_is_over_is_told_and_the_end_too)
{
	put("desired/speed", 50, 900);
	await("pending until 1970-01-01T00:16:00Z");
	wall_ns = 961 * NS_PER_S;
	settle_tick(world.settle);
	await("overdue");
	cr_expect(eq(i64, value_of("settle/speed").t_ns, 960 * NS_PER_S));
	cr_expect(eq(sz, settle_counts(world.settle).n_overdue, 1));
	settle_again(world.settle);
	settle_tick(world.settle);
	cr_expect(eq(sz, orders.n, 1), "nothing is handed over after the deadline");
	put("speed", 50, 970);
	await("converged");
	cr_expect(eq(sz, settle_counts(world.settle).n_overdue, 0));
}

Test(settle, an_adapter_that_is_away_is_tried_again_until_the_deadline)
{
	orders.answer = ERR_UNREACHABLE;
	put("desired/speed", 50, 900);
	settle_tick(world.settle);
	cr_expect(eq(sz, orders.n, 2));
	orders.answer = 0;
	settle_tick(world.settle);
	settle_tick(world.settle);
	cr_expect(eq(sz, orders.n, 3));
	settle_again(world.settle);
	settle_tick(world.settle);
	cr_expect(eq(sz, orders.n, 4), "connected anew");
	await("pending until 1970-01-01T00:16:00Z");
}

Test(settle, what_is_open_outlives_a_restart)
{
	put("desired/speed", 50, 900);
	await("pending until 1970-01-01T00:16:00Z");
	restart();
	settle_tick(world.settle);
	cr_expect(eq(sz, orders.n, 2), "handed over again");
	wall_ns = 961 * NS_PER_S;
	settle_tick(world.settle);
	await("overdue");
	restart();
	cr_expect(eq(sz, settle_counts(world.settle).n_overdue, 1));
	put("speed", 50, 970);
	await("converged");
	restart();
	cr_expect(eq(sz, settle_counts(world.settle).n_open, 0));
}

static int wanted = 1;
static char wanted_text[300];

static void on_wanted(void *ctx, int code, const char *text)
{
	(void)ctx;
	wanted = code;
	snprintf(wanted_text, sizeof wanted_text, "%s", text);
}

static int want(const char *twin, const char *property, const char *value, int64_t within_s)
{
	const struct settle_wish wish = {.twin = twin,
					 .property = property,
					 .value = value,
					 .who = "acme/kim",
					 .within_ns = within_s * NS_PER_S};
	struct err_note note = {0};

	return settle_set(world.settle, &wish, on_wanted, NULL, &note);
}

Test(settle, a_wish_becomes_durable_with_its_deadline)
{
	cr_assert(eq(int, want("acme/p1", "speed", "42", 30), 0));
	await("pending until 1970-01-01T00:15:30Z");
	cr_expect(eq(int, wanted, 0), "%s", wanted_text);
	cr_expect(eq(dbl, value_of("desired/speed").value.real, 42));
	cr_expect(strcmp(value_of("desired/speed").source, "acme/kim") == 0);
	cr_expect(eq(sz, settle_counts(world.settle).n_open, 1));
	cr_expect(eq(i64, orders.deadline_ns, 930 * NS_PER_S));
	cr_assert(eq(int, want("acme/p1", "speed", "43", 0), 0));
	await("pending until 1970-01-01T00:16:00.000000001Z");
	cr_expect(eq(sz, settle_counts(world.settle).n_open, 1));
}

Test(settle, a_wish_that_makes_no_sense_is_refused)
{
	cr_expect(eq(int, want("acme/p2", "speed", "42", 30), ERR_ABSENT));
	cr_expect(eq(int, want("acme/p1", "weight", "42", 30), ERR_ABSENT));
	cr_expect(eq(int, want("acme/p1", "power", "42", 30), ERR_REFUSED));
	cr_expect(eq(int, want("acme/p1", "speed", "fast", 30), ERR_REFUSED));
	cr_expect(eq(int, want("acme/p1", "speed", "101", 30), ERR_REFUSED));
}

/* The same by hand, as a state and a deadline. */
struct model {
	enum { NOTHING, PENDING, CONVERGED, OVERDUE } state;
	int64_t deadline;
	double desired, reported;
};

static void model_judge(struct model *m)
{
	if ((m->state == PENDING || m->state == OVERDUE) && fabs(m->desired - m->reported) <= 0.5)
		m->state = CONVERGED;
}

static void model_await(const struct model *m)
{
	static const char *const texts[] = {"", NULL, "converged", "overdue"};
	char until[TIME_TEXT_SIZE], text[80];

	snprintf(text, sizeof text, "pending until %s", time_text(m->deadline * step_ns, until));
	await(m->state == PENDING ? text : texts[m->state]);
	const size_t open = m->state == PENDING || m->state == OVERDUE;
	for (int i = 0; i < PATIENCE && settle_counts(world.settle).n_open != open; i++) {
		uv_run(&world.loop, UV_RUN_NOWAIT);
		uv_sleep(1);
	}
	cr_assert(eq(sz, settle_counts(world.settle).n_open, open));
}

static uint32_t below(uint32_t n)
{
	static uint64_t state = 7;

	state = state * UINT64_C(6364136223846793005) + UINT64_C(1442695040888963407);
	return (uint32_t)(state >> 33) % n;
}

Test(settle, agrees_with_a_model_over_random_sequences)
{
	struct model m = {.reported = -1};

	step_ns = NS_PER_MS; /* so that the clock of the store need not move */
	put_type(60 * step_ns);
	for (int64_t now = 1000000, i = 0; i < 300; i++) {
		now += 1 + below(40);
		wall_ns = now * step_ns;
		switch (below(4)) {
		case 0:
			m.desired = below(3);
			m.state = PENDING;
			m.deadline = now + 60;
			put("desired/speed", m.desired, now);
			break;
		case 1:
			m.reported = below(3);
			put("speed", m.reported, now);
			break;
		case 2: restart(); __attribute__((fallthrough)); /* what is over is found at the next tick */
		default:
			if (m.state == PENDING && m.deadline <= now)
				m.state = OVERDUE;
			settle_tick(world.settle);
		}
		model_judge(&m);
		model_await(&m);
	}
}
