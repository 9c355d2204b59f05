/* SPDX-License-Identifier: Apache-2.0 */
/* 100,000 twins with 10 numbers each, all with limits, filled through the socket as fast as the node
 * acknowledges; beside the same without limits, in turn, on a node of its own each. Two in a hundred stand
 * above a limit from the first tick on, more cross it as they drift. Then the alarms of sensors by chance are
 * compared with what the sensors said: a node that does not judge is quick, too. */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "proto/clock.h"
#include "tests/bench/driver.h"
#include "tests/bench/process.h"
#include "tests/bench/sensor.h"

enum { TWINS = 100000, PROPERTIES = 10, FRAME = 1000, SECONDS = 30, TURNS = 2, CHECKED = 400 };
enum { QUICK_TWINS = 200, QUICK_SECONDS = 2, LEAD_HOURS = 6, ANSWER_BYTES = 1 << 20, WITHIN_S = 30 };

static const struct limits limits = {
	.at = {2, 5, 99.5, 102}, .rate_warning = NAN, .rate_alarm = NAN, .hysteresis = 0.5};

struct measure {
	double samples, seconds, cpu_s;
	size_t n_alarms; /* of those looked at */
};

/* How the alarm of a sensor stands after all its ticks, with the hysteresis. */
static const char *wanted(const struct driver *d, size_t sensor)
{
	const struct plant_span span = driver_span(d, sensor);
	const char *text = "";
	bool warning = false, alarm = false;

	for (uint64_t i = 0; i < span.n_ticks; i++) {
		const double v = sensor_value(sensor, span.first_tick + i);
		const bool was = warning;
		alarm = v >= 102 || (alarm && v > 101.5);
		warning = v >= 99.5 || (warning && v > 99);
		if (warning)
			text = alarm ? "active high-alarm" : "active high-warning";
		else if (was)
			text = "cleared high-warning";
	}
	return text;
}

/* What the node says; "": it never stood. */
static int told(const struct plant *p, const struct site *s, struct client *c, size_t sensor, char *ret,
		size_t size)
{
	SCOPED(scope_arena) struct arena *a = NULL;
	struct control_request r = {
		.op = CONTROL_HISTORY, .from_ns = TIME_MIN, .to_ns = TIME_MAX, .limit = 1000};
	struct control_answer answer;

	if (arena_new(&a, ANSWER_BYTES) < 0)
		return bench_say(s->bench, "out of memory");
	r.twin = arena_print(a, SITE_ORG "/m%zu", sensor / p->n_properties);
	r.property = arena_print(a, "alarm/p%zu", sensor % p->n_properties);
	if (site_ask(s, c, &r, a, &answer) < 0)
		return -1;
	const struct sample *last = answer.n_samples > 0 ? &answer.samples[answer.n_samples - 1] : NULL;
	snprintf(ret, size, "%s", last && last->value.type == VALUE_TEXT ? last->value.text : "");
	return 0;
}

static int check(const struct driver *d, struct client *c, size_t *ret_n)
{
	const size_t n = plant_sensors(d->opt.plant);
	const double until_s = bench_now_s() + WITHIN_S;
	char is[64];

	for (size_t i = 0; i < CHECKED; i++) {
		const size_t sensor = sensor_mix(i + 77) % n;
		const char *want = wanted(d, sensor);
		do /* it is judged behind the acknowledgement */
			if (told(d->opt.plant, d->opt.site, c, sensor, is, sizeof is) < 0)
				return -1;
		while (strcmp(is, want) != 0 && bench_now_s() < until_s);
		if (strcmp(is, want) != 0)
			return bench_say("alarms", "the alarm of sensor %zu is '%s', not '%s'", sensor, is,
					 want);
		*ret_n += *want != '\0';
	}
	return 0;
}

static int fill(const struct bench_options *opt, struct site *s, struct plant *p, struct measure *m)
{
	SCOPED(scope_client) struct client *c = NULL;
	SCOPED(scope_driver) struct driver *d = NULL;

	if (site_client(s, &c) < 0 || plant_make(p, s, c) < 0 || plant_open(p, s, c) < 0)
		return -1;
	const struct driver_options options = {
		.site = s,
		.plant = p,
		.times = {.first_ns = ((int64_t)time(NULL) - LEAD_HOURS * 3600) * NS_PER_S,
			  .tick_ns = NS_PER_S,
			  .frame_sensors = FRAME}};
	if (driver_open(&d, &options) < 0)
		return -1;
	const double began_s = bench_now_s(), cpu_s = process_cpu_s(s->pid);
	if (driver_run(d, began_s + (opt->quick ? QUICK_SECONDS : SECONDS)) < 0)
		return -1;
	m->seconds += bench_now_s() - began_s;
	m->cpu_s += process_cpu_s(s->pid) - cpu_s;
	m->samples += (double)d->acked;
	return p->limits ? check(d, c, &m->n_alarms) : 0;
}

static int turn(const struct bench_options *opt, const struct limits *l, struct measure *m)
{
	struct site s = {.bench = "alarms"};
	struct plant p = {
		.n_twins = opt->quick ? QUICK_TWINS : TWINS, .n_properties = PROPERTIES, .limits = l};
	int r = site_init(&s, opt, NULL);

	if (r == 0)
		r = fill(opt, &s, &p, m);
	plant_fini(&p);
	site_fini(&s);
	return r;
}

static int run(const struct bench_options *opt)
{
	struct measure with = {0}, without = {0};

	for (int i = 0; i < (opt->quick ? 1 : TURNS); i++)
		if (turn(opt, NULL, &without) < 0 || turn(opt, &limits, &with) < 0)
			return -1;
	if (with.n_alarms == 0)
		return bench_say("alarms", "no sensor that was looked at crossed a limit");
	bench_figure(opt, "alarms", "1M", with.samples / with.seconds, "samples/s", "without limits",
		     without.samples / without.seconds);
	bench_figure(opt, "alarms", "node-cpu", with.cpu_s / with.samples * 1e9, "ns/sample",
		     "without limits", without.cpu_s / without.samples * 1e9);
	bench_result(opt, "alarms", "alarms", (double)with.n_alarms, "of those looked at");
	return 0;
}

const struct bench bench_alarms = {"alarms", "1 M properties with limits, beside the same without: [1M]",
				   run};
