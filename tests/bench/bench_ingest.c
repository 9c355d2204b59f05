/* SPDX-License-Identifier: Apache-2.0 */
/* 10,000 twins with 10 numbers each, polled tick by tick, in frames of 1,000 samples, each acknowledged when
 * it is on the disk; two readers ask meanwhile. Then random series are read back and every sample compared:
 * what was acknowledged must be there. */
#include <inttypes.h>
#include <math.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>
#include <unistd.h>

#include "proto/clock.h"
#include "tests/bench/driver.h"
#include "tests/bench/peer.h"
#include "tests/bench/process.h"
#include "tests/bench/readers.h"

enum { TWINS = 10000, PROPERTIES = 10, FRAME = 1000, SECONDS = 45, CHECKED = 50, LEAD_HOURS = 6 };
enum { QUICK_TWINS = 200, QUICK_SECONDS = 3, REDIS_SECONDS = 8, VICTORIA_TICKS = 150 };
enum { SECONDS_MAX = 120, CURVE_SECONDS = 36 };

/* How the samples come in, and for how long. */
struct way {
	const char *name;
	int seconds;
	bool encrypted;
};

struct course {
	uint64_t backlog[SECONDS_MAX], commits;
	size_t n; /* one status a second */
};

struct runner {
	struct driver *driver;
	double until_s, took_s;
	int result;
	atomic_bool done;
};

static void *run_driver(void *arg)
{
	struct runner *r = arg;
	const double began_s = bench_now_s();

	r->result = driver_run(r->driver, r->until_s);
	r->took_s = bench_now_s() - began_s;
	r->done = true;
	return NULL;
}

static int watch(const struct site *s, struct client *c, const struct runner *r, struct course *course)
{
	struct node_status status;

	for (double next_s = bench_now_s() + 1; !r->done; next_s += 1) {
		while (!r->done && bench_now_s() < next_s)
			bench_pause_ms(20);
		if (site_status(s, c, &status) < 0)
			return -1;
		course->commits = status.commits;
		if (course->n < SECONDS_MAX)
			course->backlog[course->n++] = status.backlog_samples;
	}
	return 0;
}

static int drive(const struct site *s, struct client *c, struct driver *d, double seconds,
		 struct course *course, double *ret_took_s)
{
	struct runner r = {.driver = d, .until_s = bench_now_s() + seconds};
	pthread_t thread;

	if (pthread_create(&thread, NULL, run_driver, &r) != 0)
		return bench_say(s->bench, "no thread for the driver");
	const int watched = watch(s, c, &r, course);
	pthread_join(thread, NULL);
	*ret_took_s = r.took_s;
	return watched < 0 ? -1 : r.result;
}

static void print(const struct bench_options *opt, const struct way *way, const char *what, double value,
		  const char *unit)
{
	char label[48];

	snprintf(label, sizeof label, "%s-%s", way->name, what);
	bench_result(opt, "ingest", label, value, unit);
}

/* A checkpoint ended where the backlog fell. Does it come back to no more than it was? The highest of the
 * second half is printed beside that of the first. */
static int judge(const struct bench_options *opt, const struct site *s, const struct course *course,
		 const struct way *way)
{
	uint64_t highest[2] = {1, 1};
	size_t checkpoints = 0;
	char label[48];

	for (size_t i = 1; i < course->n; i++) {
		uint64_t *half = &highest[i >= course->n / 2];
		checkpoints += course->backlog[i] < course->backlog[i - 1];
		if (course->backlog[i] > *half)
			*half = course->backlog[i];
	}
	print(opt, way, "checkpoints", (double)checkpoints, "at least 2");
	snprintf(label, sizeof label, "%s-backlog", way->name);
	bench_figure(opt, "ingest", label, (double)highest[1], "samples", "first half", (double)highest[0]);
	if (checkpoints < 2 && !opt->quick)
		return bench_say(s->bench, "only %zu checkpoints went by: this is not sustained",
				 checkpoints);
	return 0;
}

static int measure(const struct bench_options *opt, struct site *s, struct plant *p, const struct way *way,
		   double *ret_rate)
{
	SCOPED(scope_client) struct client *c = NULL;
	SCOPED(scope_driver) struct driver *d = NULL;
	struct readers readers = {.stop = false};
	struct course course = {.n = 0};
	double took_s = 1;

	if (site_client(s, &c) < 0 || plant_make(p, s, c) < 0 || plant_open(p, s, c) < 0)
		return -1;
	const struct driver_options options = {
		.site = s,
		.plant = p,
		.times = {.first_ns = ((int64_t)time(NULL) - LEAD_HOURS * 3600) * NS_PER_S,
			  .tick_ns = NS_PER_S,
			  .frame_sensors = FRAME}};
	if (driver_open(&d, &options) < 0 || readers_start(&readers, s, p) < 0)
		return -1;
	const double node_s = process_cpu_s(s->pid), own_s = process_cpu_s(getpid());
	int r = drive(s, c, d, opt->quick ? QUICK_SECONDS : way->seconds, &course, &took_s);
	r |= readers_stop(&readers);
	const double node_done_s = process_cpu_s(s->pid), own_done_s = process_cpu_s(getpid());
	if (r < 0 || d->n_latencies == 0 || driver_check(d, c, CHECKED) < 0 ||
	    judge(opt, s, &course, way) < 0)
		return -1;
	const double n = (double)d->acked;
	*ret_rate = n / took_s;
	print(opt, way, "p99-ms", bench_quantile(d->latency_ms, d->n_latencies, 0.99), "ms");
	print(opt, way, "node-cpu", (node_done_s - node_s) / n * 1e9, "ns/sample");
	print(opt, way, "driver-cpu", (own_done_s - own_s) / n * 1e9, "ns/sample");
	return 0;
}

static int through_node(const struct bench_options *opt, const struct way *way, double *ret_rate)
{
	struct site s = {.bench = "ingest", .encrypted = way->encrypted};
	struct plant p = {.n_twins = opt->quick ? QUICK_TWINS : TWINS, .n_properties = PROPERTIES};
	int r = site_init(&s, opt, NULL);

	if (r == 0)
		r = measure(opt, &s, &p, way, ret_rate);
	plant_fini(&p);
	site_fini(&s);
	return r;
}

static int run(const struct bench_options *opt)
{
	const struct way ipc = {.name = "ipc", .seconds = SECONDS};
	const size_t sensors = (opt->quick ? QUICK_TWINS : TWINS) * PROPERTIES;
	double rate = NAN;

	if (through_node(opt, &ipc, &rate) < 0)
		return -1;
	bench_figure(opt, "ingest", "ipc", rate, "samples/s", REDIS_PEER,
		     peer_redis(opt, REDIS_SET_PIPELINED, sensors, opt->quick ? 1 : REDIS_SECONDS));
	bench_figure(opt, "ingest", "vs-vm", rate, "samples/s", VICTORIA_PEER,
		     peer_victoria(opt, sensors, VICTORIA_TICKS));
	return 0;
}

/* Both ways one after the other, so that the machine is in the same mood for both. */
static int run_curve(const struct bench_options *opt)
{
	const struct way ipc = {.name = "ipc-before", .seconds = CURVE_SECONDS};
	const struct way curve = {.name = "curve", .seconds = CURVE_SECONDS, .encrypted = true};
	double plain = NAN, rate = NAN;

	if (through_node(opt, &ipc, &plain) < 0 || through_node(opt, &curve, &rate) < 0)
		return -1;
	bench_figure(opt, "ingest", "curve", rate, "samples/s", "ipc", plain);
	return 0;
}

const struct bench bench_ingest = {"ingest", "samples through a node, durable, with readers: [ipc]", run};
const struct bench bench_curve = {"ingest-curve", "the same over CURVE TCP: ingest [curve]", run_curve};
