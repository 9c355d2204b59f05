/* SPDX-License-Identifier: Apache-2.0 */
#include <criterion/criterion.h>
#include <criterion/new/assert.h>

#include <stdio.h>
#include <stdlib.h>

#include "node/gossip.h"
#include "node/judge_private.h"
#include "node/writer.h"
#include "proto/clock.h"
#include "proto/standing.h"
#include "storage/history.h"
#include "tests/lib/must.h"
#include "tests/unit/node/world.h"

static bool stopped;
static int64_t wall_ns = 1000 * NS_PER_S;
static struct limits limits;

int64_t __wrap_engine_wall_ns(void);

int64_t __wrap_engine_wall_ns(void)
{
	return wall_ns;
}

static struct alarm_def hot = {.name = "hot", .when = "power > 50 kW and idle = true", .text = ""};

static void put_type(void)
{
	struct property_def p[] = {{.name = "power",
				    .type = VALUE_DOUBLE,
				    .unit = "kW",
				    .min = NAN,
				    .max = NAN,
				    .limits = &limits},
				   {.name = "idle", .type = VALUE_BOOL, .unit = "", .min = NAN, .max = NAN}};
	static uint32_t version;
	const struct op op = {.kind = OP_TYPE,
			      .type = {.name = "press",
				       .parent = "",
				       .version = ++version,
				       .properties = p,
				       .n_properties = 2,
				       .alarms = &hot,
				       .n_alarms = 1,
				       .health = {.hierarchy = "", .weight = ""}}};

	world_put(&op, 1);
}

static void set_up(void)
{
	world_set_up();
	hot.severity = HEALTH_WARNING;
	limits = LIMITS_NONE;
	limits.at[LIMIT_HIGH_WARNING] = 90;
	limits.at[LIMIT_HIGH_ALARM] = 100;
	limits.hysteresis = 5;
	put_type();
	world_twin("acme/p1", "press", NULL);
	must(uv_timer_init(&world.loop, &world.telling) == 0);
	world.telling.data = &world;
	cr_assert(eq(int, gossip_start(&world.gossip, &world), 0));
	cr_assert(eq(int, writer_start(&world.writer, &world), 0));
	cr_assert(eq(int, judge_start(&world.judge, &world), 0));
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
	uv_close((uv_handle_t *)&world.telling, NULL);
	uv_run(&world.loop, UV_RUN_DEFAULT);
	must(stopped);
	writer_free(world.writer);
	judge_free(world.judge);
	gossip_free(world.gossip);
	world.judge = NULL;
	world.writer = NULL;
	world.gossip = NULL;
	world_tear_down();
}

TestSuite(judge, .init = set_up, .fini = tear_down, .timeout = 120);

/* What the judge has to say is written. */
static void settle(void)
{
	judge_flush(world.judge);
	while (world.judge->is_writing || world.judge->acts)
		uv_run(&world.loop, UV_RUN_ONCE);
}

static void tick(void)
{
	judge_tick(world.judge);
	settle();
}

/* The process is gone, what is in the store is not. */
static void restart(void)
{
	settle();
	judge_free(world.judge);
	cr_assert(eq(int, judge_start(&world.judge, &world), 0));
	tick();
}

static void put(const char *twin, const char *property, struct value v, const double *at,
		const double *values, size_t n)
{
	struct sample s[64];
	const struct op op = {.kind = OP_SAMPLES,
			      .samples = {.twin = twin, .property = property, .samples = s, .n = n}};

	for (size_t i = 0; i < n; i++) {
		s[i] = (struct sample){.t_ns = (int64_t)(at[i] * NS_PER_S), .value = v, .sigma = NAN};
		if (v.type == VALUE_DOUBLE)
			s[i].value.real = values[i];
	}
	world_put(&op, 1);
}

static void power(double t_s, double v)
{
	put("acme/p1", "power", (struct value){.type = VALUE_DOUBLE}, &t_s, &v, 1);
	judge_applied(world.judge);
	settle();
}

static void idle(double t_s, bool v)
{
	put("acme/p1", "idle", (struct value){.type = VALUE_BOOL, .boolean = v}, &t_s, NULL, 1);
	judge_applied(world.judge);
	settle();
}

static const struct sample *present(const char *twin, const char *property)
{
	static struct sample s;
	const struct twin *t = store_twin(world.store, twin);
	size_t place;

	cr_assert(type_property(&t->type->def, property, &place) != NULL);
	s = store_value(world.store, t, place);
	return &s;
}

static const char *alarm_text(const char *property)
{
	const struct sample *s = present("acme/p1", property);

	return s->value.type == VALUE_TEXT ? s->value.text : "";
}

#define ALARM() alarm_text("alarm/power")

/* All that alarm/power ever was, as `T STATE WHAT; ...`. */
static const char *told(const char *twin)
{
	static char text[8192];
	const struct twin *t = store_twin(world.store, twin);
	struct arena *a = NULL;
	struct sample *s;
	size_t place, n, at = 0;
	bool more;

	must(arena_new(&a, 1 << 22) == 0);
	must(type_property(&t->type->def, "alarm/power", &place) != NULL);
	must(store_history(world.store, t, place, TIME_MIN, TIME_MAX, 1000, a, &s, &n, &more) == 0);
	text[0] = '\0';
	for (size_t i = 0; i < n && at < sizeof text - 100; i++)
		at += (size_t)snprintf(text + at, sizeof text - at, "%g %s; ", (double)s[i].t_ns / NS_PER_S,
				       s[i].value.text);
	arena_free(a);
	return text;
}

static size_t alarms(struct row_alarm *ret)
{
	return judge_alarms(world.judge, store_twin(world.store, "acme/p1"), ret, ROW_ALARMS_MAX);
}

/* A standing without since when it goes on: of that one test below asks. */
static const char *without_since(const char *text)
{
	static char rest[4 * KPI_TEXT_MAX];
	const char *since = strstr(text, " since ");

	if (!since)
		return text;
	const char *behind = since + strlen(" since ");
	snprintf(rest, sizeof rest, "%.*s%s", (int)(since - text), text, behind + strcspn(behind, "Z") + 1);
	return rest;
}

/* False with what it is instead. */
static bool same(const char *whole, const char *wanted)
{
	const char *is = without_since(whole);

	if (strcmp(is, wanted) != 0)
		cr_log_error("it is '%s', not '%s'", is, wanted);
	return strcmp(is, wanted) == 0;
}

/* ---- Limits
 * ------------------------------------------------------------------------------------------------
 */

Test(judge, an_alarm_rises_gets_worse_and_is_over)
{
	struct row_alarm a[ROW_ALARMS_MAX];

	power(1, 50);
	cr_expect(same(ALARM(), ""));
	power(2, 95);
	cr_expect(same(ALARM(), "active high-warning"));
	power(3, 100);
	cr_expect(same(ALARM(), "active high-alarm"));
	cr_assert(eq(sz, alarms(a), 1));
	cr_expect(same(a[0].name, "power"));
	cr_expect(same(a[0].what, "high-alarm"));
	cr_expect(eq(int, a[0].severity, HEALTH_ALARM));
	cr_expect(eq(i64, a[0].since_ns, 2 * NS_PER_S), "it has stood since the warning");
	power(4, 97);
	cr_expect(same(ALARM(), "active high-alarm"), "the hysteresis");
	power(5, 86);
	cr_expect(same(ALARM(), "active high-warning"));
	power(6, 85);
	cr_expect(same(ALARM(), "cleared high-warning"));
	cr_expect(eq(sz, alarms(a), 0));
	cr_expect(eq(sz, world.judge->entries.n, 0), "nothing is remembered of it");
}

Test(judge, a_spike_inside_one_batch_raises_and_clears)
{
	const double at[] = {1, 2, 3}, v[] = {50, 120, 50};

	put("acme/p1", "power", (struct value){.type = VALUE_DOUBLE}, at, v, 3);
	judge_applied(world.judge);
	settle();
	cr_expect(same(told("acme/p1"), "2 active high-alarm; 3 cleared high-alarm; "));
}

Test(judge, a_late_sample_does_not_judge)
{
	power(10, 50);
	power(5, 120);
	cr_expect(same(ALARM(), ""));
}

Test(judge, a_bad_sample_does_not_judge)
{
	power(1, 95);
	power(2, NAN);
	cr_expect(same(ALARM(), "active high-warning"));
	power(3, 50);
	cr_expect(same(ALARM(), "cleared high-warning"));
}

Test(judge, a_delay_passes_by_the_clock_too)
{
	limits.delay_ns = 10 * NS_PER_S;
	put_type();
	tick();
	power(1, 95);
	wall_ns += 9 * NS_PER_S;
	tick();
	cr_expect(same(ALARM(), ""));
	wall_ns += NS_PER_S;
	tick();
	cr_expect(same(told("acme/p1"), "11 active high-warning; "));
}

Test(judge, what_changes_too_fast_is_an_alarm_until_it_does_not)
{
	limits = LIMITS_NONE;
	limits.rate_alarm = 10;
	put_type();
	tick();
	power(1, 0);
	power(2, 9);
	cr_expect(same(ALARM(), ""));
	power(3, 20);
	cr_expect(same(ALARM(), "active rate-alarm"));
	restart();
	cr_expect(same(ALARM(), "active rate-alarm"));
	power(4, 20);
	cr_expect(same(ALARM(), "cleared rate-alarm"));
}

Test(judge, what_is_stale_is_a_warning_until_there_is_a_fresh_sample)
{
	limits.stale_ns = 60 * NS_PER_S;
	put_type();
	power(990, 50);
	tick();
	tick();
	cr_expect(same(ALARM(), ""));
	wall_ns += 51 * NS_PER_S;
	world.judge->slice_ns = 0; /* a second has passed */
	tick();
	cr_expect(same(ALARM(), "active stale"));
	power(980, 50);
	power(1050, 50);
	cr_expect(same(ALARM(), "cleared stale"));
}

Test(judge, other_limits_are_judged_anew)
{
	struct row_alarm a[ROW_ALARMS_MAX];

	power(1, 50);
	limits.at[LIMIT_HIGH_WARNING] = 40;
	put_type();
	tick();
	cr_expect(same(ALARM(), "active high-warning"));
	limits.at[LIMIT_HIGH_WARNING] = 90;
	put_type();
	tick();
	cr_expect(same(ALARM(), "cleared high-warning"));
	cr_expect(eq(sz, alarms(a), 0));
}

Test(judge, a_twin_that_goes_takes_its_alarms_along)
{
	const struct op op = {.kind = OP_TWIN_DELETE, .id = "acme/p1"};

	power(1, 95);
	cr_assert(judge_next(world.judge, "acme/", "") != NULL);
	world_put(&op, 1);
	judge_applied(world.judge);
	cr_expect(judge_next(world.judge, "acme/", "") == NULL);
	tick();
	cr_expect(eq(sz, world.judge->entries.n, 0));
}

Test(judge, too_many_notes_lose_no_alarm_that_stands)
{
	struct bands bands = {.is_on = true};
	const struct band_note note = {.series = 1};

	for (size_t i = 0; i <= BAND_NOTES_MAX; i++)
		bands_note(&bands, &note);
	cr_expect(bands.lost);
	cr_expect(le(sz, bands.n_notes, BAND_NOTES_MAX));
	bands_fini(&bands);
}

/* ---- Expressions
 * -------------------------------------------------------------------------------------------
 */

Test(judge, an_expression_over_two_values_is_an_alarm)
{
	struct row_alarm a[ROW_ALARMS_MAX];

	power(1, 60);
	cr_expect(same(alarm_text("alarm/hot"), ""), "what is unknown is no alarm");
	idle(2, true);
	cr_expect(same(alarm_text("alarm/hot"), "active expression"));
	power(3, 95);
	cr_assert(eq(sz, alarms(a), 2));
	power(4, 40);
	cr_expect(same(alarm_text("alarm/hot"), "cleared expression"));
}

/* ---- What people do
 * ----------------------------------------------------------------------------------------
 */

static int last_code;
static char last_text[200];

static void on_done(void *ctx, int code, const char *text)
{
	(void)ctx;
	last_code = code;
	snprintf(last_text, sizeof last_text, "%s", text);
}

static int act(bool shelve, int64_t until_ns, const char *comment)
{
	const struct alarm_act what = {"acme/p1", "power", "acme/ann", comment, shelve, until_ns};
	struct err_note note;
	const int r = judge_act(world.judge, &what, on_done, NULL, &note);

	settle();
	return r;
}

Test(judge, who_acknowledges_is_in_the_history)
{
	cr_expect(eq(int, act(false, 0, ""), ERR_ABSENT), "nothing stands");
	power(1, 95);
	cr_assert(eq(int, act(false, 0, "looking into it"), 0));
	cr_expect(eq(int, last_code, 0));
	cr_expect(same(ALARM(), "acknowledged high-warning: looking into it"));
	cr_expect(strstr(ALARM(), " since 1970-01-01T00:00:01Z:") != NULL, "it is active since then");
	cr_expect(same(present("acme/p1", "alarm/power")->source, "acme/ann"));
	cr_expect(eq(int, act(false, 0, ""), ERR_REFUSED), "once is enough");
	power(1100, 105);
	cr_expect(same(ALARM(), "active high-alarm"), "nobody has seen that yet");
	cr_assert(eq(int, act(false, 0, ""), 0));
	power(1101, 93);
	cr_expect(same(ALARM(), "acknowledged high-warning"));
	power(1102, 50);
	cr_expect(same(ALARM(), "cleared high-warning"));
}

Test(judge, what_is_shelved_comes_back_when_its_time_is_over)
{
	power(1, 95);
	cr_expect(eq(int, act(true, wall_ns - 1, ""), ERR_REFUSED), "a time that is over");
	cr_expect(eq(int, act(true, wall_ns + 8 * 24 * 3600 * NS_PER_S, ""), ERR_REFUSED));
	cr_expect(eq(int, act(true, 0, ""), ERR_REFUSED), "it is not shelved");
	cr_assert(eq(int, act(true, wall_ns + 60 * NS_PER_S, "flaky"), 0));
	cr_expect(same(ALARM(), "shelved high-warning until 1970-01-01T00:17:40Z: flaky"));
	power(1001, 50);
	cr_expect(same(ALARM(), "cleared high-warning until 1970-01-01T00:17:40Z"));
	restart();
	power(1002, 95);
	cr_expect(same(ALARM(), "shelved high-warning until 1970-01-01T00:17:40Z"),
		  "nobody wants to hear of it");
	wall_ns += 61 * NS_PER_S;
	tick();
	cr_expect(same(ALARM(), "active high-warning"));
}

Test(judge, a_shelf_is_taken_back)
{
	power(1, 95);
	cr_assert(eq(int, act(true, wall_ns + 60 * NS_PER_S, ""), 0));
	cr_assert(eq(int, act(true, 0, ""), 0));
	cr_expect(same(ALARM(), "active high-warning"));
}

/* ---- Restart
 * -----------------------------------------------------------------------------------------------
 */

Test(judge, after_a_restart_alarms_stand_as_they_did)
{
	struct row_alarm a[ROW_ALARMS_MAX];

	power(1, 95);
	cr_assert(eq(int, act(false, 0, "seen"), 0));
	restart();
	cr_assert(eq(sz, alarms(a), 1));
	cr_expect(eq(int, a[0].state, ALARM_ACKNOWLEDGED));
	cr_expect(eq(i64, a[0].since_ns, NS_PER_S));
	cr_expect(same(ALARM(), "acknowledged high-warning: seen"), "nothing was told anew");
	power(2, 86);
	cr_expect(same(ALARM(), "acknowledged high-warning: seen"), "the hysteresis is known");
	power(3, 85);
	cr_expect(same(ALARM(), "cleared high-warning"));
}

/* Killed between the commit of a value and that of its alarm. */
static void put_unjudged(double t_s, double v)
{
	struct judge *j = world.judge;

	world.judge = NULL;
	put("acme/p1", "power", (struct value){.type = VALUE_DOUBLE}, &t_s, &v, 1);
	world.judge = j;
}

Test(judge, what_was_not_judged_before_the_end_is_judged_at_the_start)
{
	put_unjudged(1, 95);
	restart();
	cr_expect(same(told("acme/p1"), "1 active high-warning; "));
	put_unjudged(2, 50);
	restart();
	cr_expect(same(ALARM(), "cleared high-warning"));
}

Test(judge, what_could_not_be_written_is_told_later)
{
	const double at = 1, v = 95;

	world.judge->is_writing = true; /* so that it waits, and gets lost */
	put("acme/p1", "power", (struct value){.type = VALUE_DOUBLE}, &at, &v, 1);
	judge_applied(world.judge);
	cr_assert(eq(sz, world.judge->out.n, 1));
	arena_free(world.judge->out.arena);
	world.judge->out = (struct judge_out){0};
	world.judge->is_writing = false;
	world.judge->failed = true;
	tick();
	cr_expect(same(told("acme/p1"), "1 active high-warning; "));
}

/* ---- Random sequences beside a naive model
 * -----------------------------------------------------------------
 */

static uint64_t state;

static uint32_t dice(uint32_t n)
{
	state = state * UINT64_C(6364136223846793005) + 1442695040888963407;
	return (uint32_t)(state >> 33) % n;
}

enum { TWINS = 5, ROUNDS = 400 };

/* One alarm of one twin: states and limits as they are described, without bands, batches or memory. */
struct model {
	bool warning, alarm;
	bool acknowledged;
	char text[64];
};

static void model_take(struct model *m, double v)
{
	const bool was_alarm = m->alarm, was_warning = m->warning;

	m->alarm = v >= 100 || (m->alarm && v > 95);
	m->warning = v >= 90 || (m->warning && v > 85);
	if (m->alarm == was_alarm && m->warning == was_warning)
		return;
	if (!m->warning) {
		snprintf(m->text, sizeof m->text, "cleared high-%s", was_alarm ? "alarm" : "warning");
		m->acknowledged = false;
		return;
	}
	if (m->alarm && !was_alarm)
		m->acknowledged = false;
	snprintf(m->text, sizeof m->text, "%s high-%s", m->acknowledged ? "acknowledged" : "active",
		 m->alarm ? "alarm" : "warning");
}

static void model_acknowledge(struct model *m)
{
	if (!m->warning || m->acknowledged)
		return;
	m->acknowledged = true;
	snprintf(m->text, sizeof m->text, "acknowledged high-%s", m->alarm ? "alarm" : "warning");
}

static void random_batch(struct model *models, double *t_s, char ids[TWINS][16])
{
	for (uint32_t n = 1 + dice(4); n > 0; n--) {
		double at[16], v[16];
		const uint32_t i = dice(TWINS), samples = 1 + dice(8);
		for (uint32_t k = 0; k < samples; k++) {
			at[k] = *t_s += 0.05;
			v[k] = 80 + dice(60) * 0.5;
			model_take(&models[i], v[k]);
		}
		put(ids[i], "power", (struct value){.type = VALUE_DOUBLE}, at, v, samples);
		judge_applied(world.judge);
		settle();
	}
}

static void check(const struct model *models, char ids[TWINS][16], int round)
{
	for (size_t i = 0; i < TWINS; i++) {
		const struct sample *s = present(ids[i], "alarm/power");
		cr_assert(same(s->value.type == VALUE_TEXT ? s->value.text : "", models[i].text),
			  "round %d, twin %zu", round, i);
		struct row_alarm a[ROW_ALARMS_MAX];
		cr_assert(eq(sz, judge_alarms(world.judge, store_twin(world.store, ids[i]), a, 8),
			     models[i].warning ? 1 : 0));
	}
}

Test(judge, random_batches_acknowledgements_and_restarts_follow_a_naive_model)
{
	struct model models[TWINS] = {{.warning = false}};
	char ids[TWINS][16];
	double t_s = 1;

	for (size_t i = 0; i < TWINS; i++) {
		snprintf(ids[i], sizeof ids[i], "acme/r%zu", i);
		world_twin(ids[i], "press", NULL);
	}
	for (int round = 0; round < ROUNDS; round++) {
		const uint32_t i = dice(TWINS);
		const struct alarm_act what = {ids[i], "power", "acme/ann", "", false, 0};
		struct err_note note;
		wall_ns = (int64_t)(t_s * NS_PER_S);
		random_batch(models, &t_s, ids);
		settle();
		wall_ns = (int64_t)(t_s * NS_PER_S);
		if (dice(3) == 0) {
			ignore(judge_act(world.judge, &what, on_done, NULL, &note)); /* it may not stand */
			model_acknowledge(&models[i]);
			settle();
		}
		if (dice(8) == 0)
			restart();
		if (dice(4) == 0)
			tick();
		check(models, ids, round);
	}
}
