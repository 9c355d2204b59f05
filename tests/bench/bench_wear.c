/* SPDX-License-Identifier: Apache-2.0 */
/* 1,000 samples a second of 1,000 series in frames of 100, commit-interval 1 s, all else by default: what the
 * process gives to the block layer in a minute (write_bytes of /proc/PID/io), per sample; one checkpoint
 * falls into any minute. [1k-disk] is what reached the disk in that time by everybody, if it was quiet
 * before. */
#include <math.h>
#include <pthread.h>
#include <stdlib.h>
#include <time.h>

#include "proto/clock.h"
#include "tests/bench/driver.h"
#include "tests/bench/process.h"

enum { TWINS = 100, PROPERTIES = 10, FRAME = 100, RATE = 1000, CHECKED = 20, SECTOR = 512 };
enum { WARM_S = 10, SECONDS = 60, QUICK_WARM_S = 2, QUICK_SECONDS = 4, NOISE_MS = 3000 };
/* More than so many bytes a second by others: the disk's own count says nothing. */
enum { NOISE_MAX = 5000 };

struct counts {
	double samples, written, sectors;
};

static int count(const struct site *s, const struct bench_options *opt, const struct driver *d,
		 struct counts *ret)
{
	const int64_t written = process_figure(s->pid, "io", "write_bytes:");

	*ret = (struct counts){.samples = (double)d->acked,
			       .written = (double)written,
			       .sectors = (double)disk_sectors_written(opt->place)};
	return written < 0 ? bench_say("wear", "/proc/%d/io cannot be read: run as root", (int)s->pid) : 0;
}

struct runner {
	struct driver *driver;
	double until_s;
	int result;
};

static void *run_driver(void *arg)
{
	struct runner *r = arg;

	r->result = driver_run(r->driver, r->until_s);
	return NULL;
}

static int over_time(const struct bench_options *opt, const struct site *s, struct driver *d,
		     struct counts *ret_from, struct counts *ret_to)
{
	const int warm_s = opt->quick ? QUICK_WARM_S : WARM_S, seconds = opt->quick ? QUICK_SECONDS : SECONDS;
	struct runner r = {.driver = d, .until_s = bench_now_s() + warm_s + seconds + 1};
	pthread_t thread;

	if (pthread_create(&thread, NULL, run_driver, &r) != 0)
		return bench_say("wear", "no thread for the driver");
	bench_pause_ms(warm_s * 1000);
	int counted = count(s, opt, d, ret_from);
	bench_pause_ms(seconds * 1000);
	counted |= count(s, opt, d, ret_to);
	pthread_join(thread, NULL);
	return counted < 0 ? -1 : r.result;
}

/* Bytes a second that others write while nobody measures. */
static double noise(const struct bench_options *opt)
{
	const int64_t before = disk_sectors_written(opt->place);

	bench_pause_ms(NOISE_MS);
	const int64_t after = disk_sectors_written(opt->place);
	return before < 0 ? INFINITY : (double)(after - before) * SECTOR / (NOISE_MS / 1000.0);
}

static int measure(const struct bench_options *opt, struct site *s, struct plant *p)
{
	SCOPED(scope_client) struct client *c = NULL;
	SCOPED(scope_driver) struct driver *d = NULL;
	struct counts from, to;

	if (site_client(s, &c) < 0 || plant_make(p, s, c) < 0 || plant_open(p, s, c) < 0)
		return -1;
	const double others = noise(opt);
	const struct driver_options options = {.site = s,
					       .plant = p,
					       .times = {.first_ns = (int64_t)time(NULL) * NS_PER_S,
							 .tick_ns = NS_PER_S,
							 .frame_sensors = FRAME},
					       .rate = RATE};
	if (driver_open(&d, &options) < 0 || over_time(opt, s, d, &from, &to) < 0 ||
	    driver_check(d, c, CHECKED) < 0)
		return -1;
	const double n = to.samples - from.samples;
	if (n <= 0)
		return bench_say("wear", "nothing was acknowledged");
	bench_result(opt, "wear", "1k", (to.written - from.written) / n, "bytes/sample");
	if (others < NOISE_MAX)
		bench_result(opt, "wear", "1k-disk", (to.sectors - from.sectors) * SECTOR / n,
			     "bytes/sample");
	else
		bench_say("wear", "no [1k-disk]: others write %.0f bytes/s to this disk", others);
	return 0;
}

static int run(const struct bench_options *opt)
{
	static const char *const settings[] = {"store.commit-interval=1s", NULL};
	struct site s = {.bench = "wear"};
	struct plant p = {.n_twins = TWINS, .n_properties = PROPERTIES};
	int r = site_init(&s, opt, settings);

	if (r == 0)
		r = measure(opt, &s, &p);
	plant_fini(&p);
	site_fini(&s);
	return r;
}

const struct bench bench_wear = {"wear", "bytes to the disk at 1,000 samples a second: [1k]", run};
