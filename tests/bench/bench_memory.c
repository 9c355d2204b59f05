/* SPDX-License-Identifier: Apache-2.0 */
/* 1,000,000 twins with 4 numbers each, every one measured, all of it behind a checkpoint, nobody asking: what
 * the process holds of its own (RssAnon) and of mapped files (RssFile), less what the same node held when it
 * was empty. It runs under a limit of 512 MiB on memory of its own (RLIMIT_DATA, stricter than a control
 * group of that size, which can drop pages of mapped files); if it does not work there, the bench fails and
 * measures without. Checkpoints come every five seconds, so that idle is soon. */
#include <inttypes.h>

#include "tests/bench/driver.h"
#include "tests/bench/process.h"

enum { TWINS = 1000000, QUICK_TWINS = 5000, PROPERTIES = 4, LIMIT_MIB = 512, SETTLE_S = 40, CALM_MS = 2000 };

struct held {
	int64_t anon, mapped;
};

static int look(const struct site *s, struct held *ret)
{
	ret->anon = process_figure(s->pid, "status", "RssAnon:");
	ret->mapped = process_figure(s->pid, "status", "RssFile:");
	return ret->anon < 0 || ret->mapped < 0 ? bench_say("memory", "the node is gone") : 0;
}

static int measure(const struct bench_options *opt, struct site *s, struct plant *p)
{
	SCOPED(scope_client) struct client *c = NULL;
	struct plant_times times;
	struct held empty, full;

	if (look(s, &empty) < 0 || site_client(s, &c) < 0 || plant_make(p, s, c) < 0 ||
	    plant_open(p, s, c) < 0 || driver_load(s, p, 1, &times) < 0 || site_settle(s, c, SETTLE_S) < 0)
		return -1;
	bench_pause_ms(CALM_MS);
	if (look(s, &full) < 0)
		return -1;
	const struct plant_span last = {.sensor = plant_sensors(p) - 1, .n_ticks = 1};
	if (plant_check(p, &times, s, c, &last) < 0)
		return -1;
	bench_result(opt, "memory", "anon", (double)(full.anon - empty.anon) / (double)p->n_twins,
		     "bytes/twin");
	bench_result(opt, "memory", "mapped", (double)(full.mapped - empty.mapped) / (double)p->n_twins,
		     "bytes/twin");
	return 0;
}

static int within(const struct bench_options *opt, size_t limit_mib)
{
	static const char *const settings[] = {"store.checkpoint-every=5s", NULL};
	struct site s = {.bench = "memory", .memory_bytes = limit_mib << 20};
	struct plant p = {.n_twins = opt->quick ? QUICK_TWINS : TWINS, .n_properties = PROPERTIES};
	int r = site_init(&s, opt, settings);

	if (r == 0)
		r = measure(opt, &s, &p);
	plant_fini(&p);
	site_fini(&s);
	return r;
}

static int run(const struct bench_options *opt)
{
	const int limited = within(opt, LIMIT_MIB);

	bench_result(opt, "memory", "limit", limited < 0 ? 0 : 1, "works in 512 MiB");
	if (limited < 0)
		ignore(within(opt, 0)); /* what it would take; the bench has failed */
	return limited;
}

const struct bench bench_memory = {"memory", "a million twins at rest: [anon], [mapped] bytes of each", run};
