/* SPDX-License-Identifier: Apache-2.0 */
/* A plant of 10,000 twins with 10 numbers each speaks at 1,000,000 samples a second (or as fast as it is
 * acknowledged, if that is less). After a while a gateway that was cut off for three days comes back with
 * one-minute samples of 10,000 of the same series, newest first, as fast as it is acknowledged. What is
 * measured is the live rate then over the live rate before; [late-rate] and [late-share] say how much the
 * gateway got rid of meanwhile. */
#include <math.h>
#include <pthread.h>
#include <stdlib.h>
#include <time.h>

#include "proto/clock.h"
#include "tests/bench/driver.h"

enum { TWINS = 10000, LATE_TWINS = 1000, PROPERTIES = 10, FRAME = 1000, RATE = 1000000, CHECKED = 20 };
enum { LATE_TICKS = 3 * 24 * 60, LEAD_HOURS = 6, ALONE_S = 20, TOGETHER_S = 45, SETTLE_S = 2 };
enum {
	QUICK_TWINS = 200,
	QUICK_LATE_TWINS = 100,
	QUICK_LATE_TICKS = 60,
	QUICK_ALONE_S = 2,
	QUICK_TOGETHER_S = 3
};

struct runner {
	struct driver *driver;
	pthread_t thread;
	int result;
	atomic_bool done;
};

static void *run_driver(void *arg)
{
	struct runner *r = arg;

	r->result = driver_run(r->driver, INFINITY);
	r->done = true;
	return NULL;
}

static int start(struct runner *r)
{
	if (pthread_create(&r->thread, NULL, run_driver, r) == 0)
		return 0;
	r->done = true;
	return bench_say("backfill", "no thread for a driver");
}

static int finish(struct runner *r)
{
	r->driver->stop = true;
	pthread_join(r->thread, NULL);
	return r->result;
}

/* Samples a second that a driver gets acknowledged until the time is up or `other` is done. */
static double rate_of(const struct driver *d, double seconds, const struct runner *other)
{
	const uint64_t before = d->acked;
	const double began_s = bench_now_s();

	while (bench_now_s() < began_s + seconds && !(other && other->done))
		bench_pause_ms(10);
	return (double)(d->acked - before) / (bench_now_s() - began_s);
}

static int compare(const struct bench_options *opt, struct driver *live, struct driver *late)
{
	struct runner now = {.driver = live}, then = {.driver = late};

	if (start(&now) < 0)
		return -1;
	rate_of(live, SETTLE_S, NULL);
	const double alone = rate_of(live, opt->quick ? QUICK_ALONE_S : ALONE_S, &now);
	if (start(&then) < 0) {
		finish(&now);
		return -1;
	}
	const double began_s = bench_now_s();
	const double together = rate_of(live, opt->quick ? QUICK_TOGETHER_S : TOGETHER_S, &then);
	const double took_s = bench_now_s() - began_s;
	const double n_late = (double)late->acked,
		     all = (double)plant_sensors(late->opt.plant) * (double)late->opt.n_ticks;
	int r = finish(&then);
	r |= finish(&now);
	if (r < 0 || alone <= 0)
		return -1;
	bench_result(opt, "backfill", "late", together / alone, "of live rate");
	bench_result(opt, "backfill", "live-rate", alone, "samples/s");
	bench_result(opt, "backfill", "late-rate", n_late / took_s, "samples/s");
	bench_result(opt, "backfill", "late-share", n_late / all, "of 3 days");
	return 0;
}

static int measure(const struct bench_options *opt, struct site *s, struct plant *p, struct plant *late)
{
	SCOPED(scope_client) struct client *c = NULL;
	SCOPED(scope_driver) struct driver *now = NULL;
	SCOPED(scope_driver) struct driver *then = NULL;

	if (site_client(s, &c) < 0 || plant_make(p, s, c) < 0 || plant_open(p, s, c) < 0 ||
	    plant_open(late, s, c) < 0)
		return -1;
	struct driver_options options = {
		.site = s,
		.plant = p,
		.times = {.first_ns = ((int64_t)time(NULL) - LEAD_HOURS * 3600) * NS_PER_S,
			  .tick_ns = NS_PER_S,
			  .frame_sensors = FRAME},
		.rate = RATE};
	if (driver_open(&now, &options) < 0)
		return -1;
	options.plant = late;
	options.rate = 0;
	options.newest_first = true;
	options.n_ticks = opt->quick ? QUICK_LATE_TICKS : LATE_TICKS;
	options.times.tick_ns = 60 * NS_PER_S;
	options.times.first_ns -= (int64_t)(options.n_ticks + 1) * options.times.tick_ns;
	if (driver_open(&then, &options) < 0 || compare(opt, now, then) < 0)
		return -1;
	return driver_check(now, c, CHECKED) < 0 ? -1 : driver_check(then, c, CHECKED);
}

static int run(const struct bench_options *opt)
{
	struct site s = {.bench = "backfill"};
	struct plant p = {.n_twins = opt->quick ? QUICK_TWINS : TWINS, .n_properties = PROPERTIES};
	struct plant late = {.n_twins = opt->quick ? QUICK_LATE_TWINS : LATE_TWINS,
			     .n_properties = PROPERTIES};
	int r = site_init(&s, opt, NULL);

	if (r == 0)
		r = measure(opt, &s, &p, &late);
	plant_fini(&p);
	plant_fini(&late);
	site_fini(&s);
	return r;
}

const struct bench bench_backfill = {"backfill", "three days of late samples beside live ones: [late]", run};
