/* SPDX-License-Identifier: Apache-2.0 */
/* 1,000,000 twins with 4 numbers each, 5 samples of every one at full speed with default settings (20
 * million), then kill -9 at once: from starting the program to the answer about a twin. The answer must be
 * the last sample acknowledged, and so must the histories of sensors taken by chance. */
#include "tests/bench/driver.h"
#include "tests/bench/sensor.h"

#include <stdio.h>

enum { TWINS = 1000000, QUICK_TWINS = 5000, PROPERTIES = 4, TICKS = 5, CHECKED = 20, ARENA_BYTES = 1 << 20 };

static int ask_last(const struct site *s, const struct plant *p, struct client *c)
{
	SCOPED(scope_arena) struct arena *a = NULL;
	const size_t twin = p->n_twins / 2 + 1;
	char id[64];
	struct control_request r = {.op = CONTROL_TWIN_GET, .twin = id, .property = "p0"};
	struct control_answer answer;

	snprintf(id, sizeof id, SITE_ORG "/m%zu", twin);
	if (arena_new(&a, ARENA_BYTES) < 0 || site_ask(s, c, &r, a, &answer) < 0)
		return -1;
	const double said = sensor_value(twin * p->n_properties, TICKS - 1);
	if (answer.n_values != 1 || answer.values[0].sample.value.type != VALUE_DOUBLE ||
	    answer.values[0].sample.value.real != said)
		return bench_say("recovery", "%s lost what was acknowledged", id);
	return 0;
}

static int check(const struct site *s, const struct plant *p, const struct plant_times *t, struct client *c)
{
	for (size_t i = 0; i < CHECKED; i++) {
		const struct plant_span span = {.sensor = sensor_mix(i) % plant_sensors(p), .n_ticks = TICKS};
		if (plant_check(p, t, s, c, &span) < 0)
			return -1;
	}
	return 0;
}

static int load(const struct site *s, struct plant *p, struct plant_times *ret)
{
	SCOPED(scope_client) struct client *c = NULL;

	if (site_client(s, &c) < 0 || plant_make(p, s, c) < 0 || plant_open(p, s, c) < 0)
		return -1;
	return driver_load(s, p, TICKS, ret);
}

static int measure(const struct bench_options *opt, struct site *s, struct plant *p)
{
	SCOPED(scope_client) struct client *c = NULL;
	struct plant_times times;

	if (load(s, p, &times) < 0)
		return -1;
	site_kill(s);
	const double began_s = bench_now_s();
	if (site_start(s) < 0 || site_client(s, &c) < 0 || ask_last(s, p, c) < 0)
		return -1;
	bench_result(opt, "recovery", "kill", bench_now_s() - began_s, "s");
	return check(s, p, &times, c);
}

static int run(const struct bench_options *opt)
{
	struct site s = {.bench = "recovery"};
	struct plant p = {.n_twins = opt->quick ? QUICK_TWINS : TWINS, .n_properties = PROPERTIES};
	int r = site_init(&s, opt, NULL);

	if (r == 0)
		r = measure(opt, &s, &p);
	plant_fini(&p);
	site_fini(&s);
	return r;
}

const struct bench bench_recovery = {"recovery", "from kill -9 to serving a million twins: [kill]", run};
