/* SPDX-License-Identifier: Apache-2.0 */
/* The German grid demo as a bench: import per company, the observer's view, a change on its way, idle memory.
 *
 * Brings up `deploy/demo.sh --data DIR --keep` (or uses the one that is up) and talks to its control sockets.
 */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "proto/clock.h"
#include "tests/bench/bench.h"
#include "tools/client.h"

enum { RUNS = 200, SETS = 20, NODES = 16, SETTLE_S = 5, GIVE_UP_S = 10 };

struct grid {
	const struct bench_options *opt;
	char org[NODES][64], endpoint[NODES][256];
	size_t n;
};

static int demo(const struct bench_options *opt, const char *what, const char *argument)
{
	char script[512];

	snprintf(script, sizeof script, "%s/deploy/demo.sh", opt->source);
	const pid_t child = fork();
	if (child == 0) {
		if (!freopen("/dev/null", "w", stdout))
			_exit(126);
		execl(script, script, what, argument, argument ? "--keep" : (char *)NULL, (char *)NULL);
		_exit(127);
	}
	int status = -1;
	if (child < 0 || waitpid(child, &status, 0) < 0 || !WIFEXITED(status) || WEXITSTATUS(status) != 0)
		return bench_say("grid", "%s %s did not succeed", script, what);
	return 0;
}

static FILE *open_file(const struct bench_options *opt, const char *name)
{
	char path[512];

	snprintf(path, sizeof path, "%s/build/demo/%s", opt->source, name);
	return fopen(path, "re");
}

static int read_endpoints(struct grid *g)
{
	FILE *f = open_file(g->opt, "endpoints");

	if (!f)
		return bench_say("grid", "build/demo/endpoints is not there");
	while (g->n < NODES && fscanf(f, "%63s %255s", g->org[g->n], g->endpoint[g->n]) == 2)
		g->n++;
	fclose(f);
	return g->n == 5 ? 0 : bench_say("grid", "this is not the grid demo: %zu nodes", g->n);
}

static const char *endpoint_of(const struct grid *g, const char *org)
{
	for (size_t i = 0; i < g->n; i++)
		if (strcmp(g->org[i], org) == 0)
			return g->endpoint[i];
	return "";
}

/* Lines `import ORG SECONDS` that the demo leaves. */
static int report_imports(const struct grid *g)
{
	FILE *f = open_file(g->opt, "figures");
	char org[64];
	double s;
	int n = 0;

	if (!f)
		return bench_say("grid", "build/demo/figures is not there");
	for (; fscanf(f, " import %63s %lf", org, &s) == 2; n++)
		bench_result(g->opt, "grid-import", org, s, "s");
	fclose(f);
	return n == 4 ? 0 : bench_say("grid", "%d imports were timed instead of 4", n);
}

static int ask_view(struct client *c, double *ret_total, uint64_t *ret_n)
{
	SCOPED(scope_arena) struct arena *a = NULL;
	struct view_root root = {.id = "observer/germany", .parent = ""};
	struct rollup_spec load = {.fn = ROLLUP_SUM, .property = "load/power"};
	struct control_request r = {.op = CONTROL_VIEW};
	struct control_answer answer;
	struct err_note note = {0};

	r.question = (struct view_question){.roots = &root,
					    .n_roots = 1,
					    .hierarchy = "contains",
					    .depth = 1,
					    .rollups = &load,
					    .n_rollups = 1};
	TRY(arena_new(&a, 64 << 20));
	TRY(client_ask(c, &r, a, &answer, &note));
	if (answer.code < 0 || answer.view.n_rollups != 1 || answer.view.counts.cached > 0)
		return bench_say("grid", "the view is not whole: %s", answer.text);
	rollup_value(&answer.view.rollups[0], &load, ret_total);
	*ret_n = answer.view.counts.members;
	return 0;
}

static int measure_view(const struct grid *g, struct client *observer)
{
	double times[RUNS], total;
	uint64_t n = 0;

	for (int i = 0; i < RUNS; i++) {
		const double began = bench_now_s();
		if (ask_view(observer, &total, &n) < 0)
			return -1;
		times[i] = (bench_now_s() - began) * 1e3;
	}
	bench_result(g->opt, "grid-view", "p50", bench_quantile(times, RUNS, 0.5), "ms");
	bench_result(g->opt, "grid-view", "p99", bench_quantile(times, RUNS, 0.99), "ms");
	bench_result(g->opt, "grid-view", "members", (double)n, "twins");
	return 0;
}

static int set_load(struct client *c, const char *twin, double mw)
{
	SCOPED(scope_arena) struct arena *a = NULL;
	struct timespec now;
	struct err_note note = {0};
	struct control_answer answer;

	clock_gettime(CLOCK_REALTIME, &now);
	struct sample s = {.t_ns = now.tv_sec * NS_PER_S + now.tv_nsec,
			   .value = {.type = VALUE_DOUBLE, .real = mw},
			   .sigma = NAN};
	struct op op = {.kind = OP_SAMPLES,
			.samples = {.twin = twin, .property = "load/power", .samples = &s, .n = 1}};
	struct control_request r = {.op = CONTROL_CHANGE, .ops = &op, .n_ops = 1};
	TRY(arena_new(&a, 1 << 20));
	TRY(client_ask(c, &r, a, &answer, &note));
	return answer.n_changed == 1 ? 0 : bench_say("grid", "%s was not set: %s", twin, answer.text);
}

static int first_load(struct client *c, char ret[256])
{
	SCOPED(scope_arena) struct arena *a = NULL;
	struct control_request r = {.op = CONTROL_TWIN_LIST, .prefix = "amprion/load-", .limit = 1};
	struct control_answer answer;
	struct err_note note = {0};

	TRY(arena_new(&a, 1 << 20));
	TRY(client_ask(c, &r, a, &answer, &note));
	if (answer.n_twins != 1)
		return bench_say("grid", "amprion has no load");
	snprintf(ret, 256, "%s", answer.twins[0].id);
	return 0;
}

/* Set at one company -> another total in a live view of the observer. */
static int measure_set(const struct grid *g, struct client *observer)
{
	SCOPED(scope_client) struct client *amprion = NULL;
	struct err_note note = {0};
	double times[SETS], before, total;
	char load[256];
	uint64_t n;

	if (client_open(&amprion, endpoint_of(g, "amprion"), 5 * NS_PER_S, &note) < 0)
		return bench_say("grid", "%s", note.text);
	if (first_load(amprion, load) < 0)
		return -1;
	for (int i = 0; i < SETS; i++) {
		if (ask_view(observer, &before, &n) < 0)
			return -1;
		const double began = bench_now_s();
		if (set_load(amprion, load, 3000 + i) < 0)
			return -1;
		do
			if (ask_view(observer, &total, &n) < 0)
				return -1;
		while (fabs(total - before) < 1e-9 && bench_now_s() - began < GIVE_UP_S);
		if (fabs(total - before) < 1e-9)
			return bench_say("grid", "the change did not reach the observer in %d s", GIVE_UP_S);
		times[i] = (bench_now_s() - began) * 1e3;
	}
	bench_result(g->opt, "grid-set", "max", bench_quantile(times, SETS, 1.0), "ms");
	return 0;
}

static int measure_memory(const struct grid *g)
{
	const struct timespec settle = {.tv_sec = SETTLE_S};

	nanosleep(&settle, NULL);
	for (size_t i = 0; i < g->n; i++) {
		SCOPED(scope_client) struct client *c = NULL;
		SCOPED(scope_arena) struct arena *a = NULL;
		struct control_request r = {.op = CONTROL_STATUS};
		struct control_answer answer;
		struct err_note note = {0};
		if (arena_new(&a, 1 << 20) < 0 || client_open(&c, g->endpoint[i], 5 * NS_PER_S, &note) < 0 ||
		    client_ask(c, &r, a, &answer, &note) < 0)
			return bench_say("grid", "%s", note.text);
		bench_result(g->opt, "grid-idle", g->org[i], (double)answer.status.resident_bytes / 1e6,
			     "MB");
	}
	return 0;
}

static int measure(struct grid *g)
{
	SCOPED(scope_client) struct client *observer = NULL;
	struct err_note note = {0};

	if (read_endpoints(g) < 0 || report_imports(g) < 0)
		return -1;
	if (client_open(&observer, endpoint_of(g, "observer"), 5 * NS_PER_S, &note) < 0)
		return bench_say("grid", "%s", note.text);
	const int r = measure_memory(g) | measure_view(g, observer) | measure_set(g, observer);
	return r;
}

static int run(const struct bench_options *opt)
{
	struct grid g = {.opt = opt};
	char data[512];

	if (!opt->data) {
		bench_say("grid", "skipped: it needs --data DIR with scigrid_de in it");
		return 0;
	}
	snprintf(data, sizeof data, "%s/scigrid_de", opt->data);
	if (demo(opt, "--data", access(data, F_OK) == 0 ? data : opt->data) < 0)
		return -1;
	const int r = measure(&g);
	return demo(opt, "stop", NULL) < 0 ? -1 : r;
}

const struct bench bench_grid = {"grid", "the German grid: import, view, change on its way, idle memory",
				 run};
