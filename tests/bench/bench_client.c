/* SPDX-License-Identifier: Apache-2.0 */
/* What a program gets that brings its samples in by the client library, one client_put_series() each: the
 * plant of the ingest bench, without readers. */
#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#include "proto/clock.h"
#include "tests/bench/plant.h"
#include "tests/bench/sensor.h"

enum { TWINS = 10000, QUICK_TWINS = 200, PROPERTIES = 10, FRAME = 1000, SECONDS = 20, QUICK_SECONDS = 2 };
enum { CHECKED = 20, LEAD_HOURS = 6 };

static int name_series(const struct plant *p, struct client *c, uint32_t *ret)
{
	struct err_note note = {0};
	char twin[64], property[64];

	for (size_t i = 0; i < plant_sensors(p); i++) {
		snprintf(twin, sizeof twin, SITE_ORG "/m%zu", i / p->n_properties);
		snprintf(property, sizeof property, "p%zu", i % p->n_properties);
		if (client_series(c, twin, property, &ret[i], &note) < 0)
			return bench_say("ingest", "%s", note.text);
	}
	return 0;
}

static int put_tick(const struct plant *p, const struct plant_times *t, struct client *c,
		    const uint32_t *series, uint64_t tick)
{
	struct sample s = {.value.type = VALUE_DOUBLE, .sigma = NAN};
	struct err_note note = {0};

	for (size_t i = 0; i < plant_sensors(p); i++) {
		if (i % t->frame_sensors == 0)
			s.t_ns = plant_tick_ns(t, i, tick);
		s.value.real = sensor_value(i, tick);
		if (client_put_series(c, series[i], &s, &note) < 0)
			return bench_say("ingest", "%s", note.text);
	}
	return 0;
}

static int put(const struct plant *p, const struct plant_times *t, struct client *c, const uint32_t *series,
	       double seconds, uint64_t *ret_ticks, double *ret_rate)
{
	const double began_s = bench_now_s();
	struct err_note note = {0};
	uint64_t tick = 0;

	for (; bench_now_s() < began_s + seconds; tick++)
		if (put_tick(p, t, c, series, tick) < 0)
			return -1;
	if (client_flush(c, &note) < 0)
		return bench_say("ingest", "%s", note.text);
	const struct client_tally tally = client_tally(c);
	if (tally.n_stored != tally.n_put || tally.n_refused > 0)
		return bench_say("ingest", "%" PRIu64 " were put and %" PRIu64 " stored", tally.n_put,
				 tally.n_stored);
	*ret_rate = (double)tally.n_stored / (bench_now_s() - began_s);
	*ret_ticks = tick;
	return 0;
}

static int measure(const struct bench_options *opt, struct site *s, struct plant *p, uint32_t *series)
{
	SCOPED(scope_client) struct client *c = NULL;
	SCOPED(scope_client) struct client *reader = NULL;
	const struct plant_times times = {.first_ns = ((int64_t)time(NULL) - LEAD_HOURS * 3600) * NS_PER_S,
					  .tick_ns = NS_PER_S,
					  .frame_sensors = FRAME};
	struct err_note note = {0};
	uint64_t ticks = 0;
	double rate = NAN;

	if (site_client(s, &c) < 0 || site_client(s, &reader) < 0 || plant_make(p, s, reader) < 0)
		return -1;
	if (client_ingest_begin(c, &(struct client_ingest_options){.frame_samples = FRAME}, &note) < 0)
		return bench_say("ingest", "%s", note.text);
	if (name_series(p, c, series) < 0 ||
	    put(p, &times, c, series, opt->quick ? QUICK_SECONDS : SECONDS, &ticks, &rate) < 0)
		return -1;
	for (size_t i = 0; i < CHECKED; i++) {
		const struct plant_span span = {.sensor = sensor_mix(i) % plant_sensors(p), .n_ticks = ticks};
		if (plant_check(p, &times, s, reader, &span) < 0)
			return -1;
	}
	bench_result(opt, "ingest", "client", rate, "samples/s");
	return 0;
}

static int run(const struct bench_options *opt)
{
	struct site s = {.bench = "ingest"};
	struct plant p = {.n_twins = opt->quick ? QUICK_TWINS : TWINS, .n_properties = PROPERTIES};
	uint32_t *series = calloc(plant_sensors(&p), sizeof *series);
	int r = series ? site_init(&s, opt, NULL) : -1;

	if (r == 0)
		r = measure(opt, &s, &p, series);
	site_fini(&s);
	free(series);
	return r;
}

const struct bench bench_client = {"ingest-client", "the same through the client library: ingest [client]",
				   run};
