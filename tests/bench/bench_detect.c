/* SPDX-License-Identifier: Apache-2.0 */
/* One node of an organisation ends without a word, or stands still: how long until the last of the others
 * shows it as not connected. And how often nodes that live are given up while the machine is busy and one of
 * them stands still for three seconds. Beside it agents of serf, as many, for the first two. */
#include <math.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "tests/bench/fleet.h"
#include "tests/bench/peer_serf.h"

enum {
	NODES = 40,
	QUICK_NODES = 4,
	WITHIN_S = 120,
	REST_S = 15,
	REST_QUICK_S = 7,
	STOPPED_MS = 3000,
	BUSY_MS = 90,
	EASY_MS = 10,
	CORES_MAX = 2,
	BEFORE_MS = 3000,
	AFTER_MS = 7000,
	LINE_BYTES = 512,
	LOOK_MS = 5
};

/* Seconds until all that run show `running - 1` connections. NaN after saying why. */
static double until_seen(struct fleet *f, size_t victim)
{
	const double began_s = bench_now_s();
	int n = 0;

	for (size_t i = 0; i < f->n;) {
		if (i != victim && (n = fleet_connected(f, i)) < 0)
			return NAN;
		if (i == victim || n == (int)f->n - 2) {
			i++;
			continue;
		}
		if (bench_now_s() > began_s + WITHIN_S) {
			bench_say(f->bench, "%s shows %d connections after %d s", f->nodes[i].name, n,
				  WITHIN_S);
			return NAN;
		}
		bench_pause_ms(LOOK_MS);
	}
	return bench_now_s() - began_s;
}

/* Sessions that nodes gave up, by their logs. */
static long given_up(const struct fleet *f)
{
	char path[160], line[LINE_BYTES];
	long n = 0;

	for (size_t i = 0; i < f->n; i++) {
		snprintf(path, sizeof path, "%s/%s.log", f->dir, f->nodes[i].name);
		FILE *log = fopen(path, "re");
		while (log && fgets(line, sizeof line, log))
			n += strstr(line, "closing peer=") != NULL || strstr(line, "lost peer=") != NULL;
		if (log)
			fclose(log);
	}
	return n;
}

static void *be_busy(void *arg)
{
	const atomic_bool *stop = arg;

	while (!*stop) {
		const double until_s = bench_now_s() + BUSY_MS / 1000.0;
		while (bench_now_s() < until_s)
			;
		bench_pause_ms(EASY_MS);
	}
	return NULL;
}

/* Who is suspected wrongly, the one that stood still included; negative after saying why. */
static long suspect_wrongly(struct fleet *f, size_t victim)
{
	pthread_t threads[CORES_MAX];
	atomic_bool stop = false;
	size_t n = 0;

	const long before = given_up(f);
	while (n < CORES_MAX && pthread_create(&threads[n], NULL, be_busy, &stop) == 0)
		n++;
	bench_pause_ms(BEFORE_MS);
	fleet_signal(f, victim, SIGSTOP);
	bench_pause_ms(STOPPED_MS);
	fleet_signal(f, victim, SIGCONT);
	bench_pause_ms(AFTER_MS);
	stop = true;
	for (size_t i = 0; i < n; i++)
		pthread_join(threads[i], NULL);
	return n == CORES_MAX ? given_up(f) - before : bench_say(f->bench, "no threads");
}

struct found {
	double kill_s, stop_s;
	long wrong;
};

static int measure(struct fleet *f, int64_t rest_ms, struct found *ret)
{
	const size_t victim = f->n - 1;

	bench_pause_ms(rest_ms);
	ret->wrong = suspect_wrongly(f, victim);
	if (ret->wrong < 0 || fleet_settle(f, WITHIN_S) < 0)
		return -1;
	bench_pause_ms(rest_ms);
	fleet_signal(f, victim, SIGSTOP);
	ret->stop_s = until_seen(f, victim);
	fleet_signal(f, victim, SIGCONT);
	if (isnan(ret->stop_s) || fleet_settle(f, WITHIN_S) < 0)
		return -1;
	bench_pause_ms(rest_ms);
	fleet_signal(f, victim, SIGKILL);
	ret->kill_s = until_seen(f, victim);
	return isnan(ret->kill_s) ? -1 : 0;
}

static int run(const struct bench_options *opt)
{
	SCOPED(fleet_fini)
	struct fleet fleet = {.bench = "detect", .n = opt->quick ? QUICK_NODES : NODES};
	const size_t n = fleet.n;
	struct found found;

	if (fleet_init(&fleet, opt) < 0 || fleet_tell_all(&fleet) < 0 || fleet_launch_all(&fleet) < 0 ||
	    fleet_settle(&fleet, WITHIN_S) < 0 ||
	    measure(&fleet, (opt->quick ? REST_QUICK_S : REST_S) * 1000, &found) < 0)
		return -1;
	fleet_stop(&fleet);
	const char *peer = opt->quick ? NULL : SERF_PEER;
	bench_figure(opt, "detect", "kill", found.kill_s, "s", peer,
		     peer ? peer_serf_detect(opt, n, SIGKILL, WITHIN_S) : 0);
	bench_figure(opt, "detect", "stop", found.stop_s, "s", peer,
		     peer ? peer_serf_detect(opt, n, SIGSTOP, WITHIN_S) : 0);
	bench_result(opt, "detect", "false", (double)found.wrong, "count");
	return 0;
}

const struct bench bench_detect = {
	"detect", "one of many nodes is gone: until all others see it: detect [kill] [stop] [false]", run};
