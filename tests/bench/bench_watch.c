/* SPDX-License-Identifier: Apache-2.0 */
/* The 100,000 members of a league at ten owners, watched by `holon --json watch` at one of them: four
 * roll-ups and the certificate, no members. Now and then, at times that nothing else keeps step with, a
 * machine of an owner gets another load: from before that is sent to its owner until the line with the new
 * total has come. */
#include <math.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "proto/clock.h"
#include "tests/bench/league.h"
#include "tests/bench/sensor.h"

enum { TWINS = 10000, QUICK_TWINS = 50, CHANGES = 300, QUICK_CHANGES = 20, MACHINE = 47 };
enum { PAUSE_MS = 230, WITHIN_S = 20, LINE_BYTES = 1 << 16, ARENA_BYTES = 1 << 20, PATH_BYTES = 512 };

struct watching {
	const struct bench_options *opt;
	struct league league;
	int events; /* what the watch prints; -1: none */
	pid_t pid;
	double total, loads[LEAGUE_NODES];
	double ms[CHANGES];
	size_t n;
};

static int64_t wall_ns(void)
{
	struct timespec now;

	clock_gettime(CLOCK_REALTIME, &now);
	return now.tv_sec * NS_PER_S + now.tv_nsec;
}

/* The sum of the next event, which stands behind its members. Byte by byte: what
 * poll() sees is all there is. */
static int next_total(struct watching *w, double until_s, double *ret)
{
	static char line[LINE_BYTES];
	size_t n = 0;

	for (;;) {
		struct pollfd p = {.fd = w->events, .events = POLLIN};
		const double left_s = until_s - bench_now_s();
		if (left_s <= 0 || poll(&p, 1, (int)(left_s * 1e3) + 1) <= 0)
			return bench_say("watch", "no event within %d s", WITHIN_S);
		const ssize_t got = read(p.fd, line + n, 1);
		if (got != 1 || ++n == sizeof line)
			return bench_say("watch", "the watch has ended");
		if (line[n - 1] == '\n')
			break;
	}
	line[n] = '\0';
	const char *at = strstr(line, "\"gone\": ");
	at = at ? strstr(at, "\"value\": ") : NULL;
	*ret = at ? strtod(at + strlen("\"value\": "), NULL) : NAN;
	return at ? 0 : bench_say("watch", "an event without a total: %.200s", line);
}

static int change(struct watching *w, size_t node, double load)
{
	const struct league_node *n = &w->league.nodes[node];
	SCOPED(scope_arena) struct arena *a = NULL;
	char twin[64];
	struct sample s = {.t_ns = wall_ns(), .value = {.type = VALUE_DOUBLE, .real = load}, .sigma = NAN};
	struct op op = {.kind = OP_SAMPLES,
			.samples = {.twin = twin, .property = "power", .samples = &s, .n = 1}};
	struct control_request r = {.op = CONTROL_CHANGE, .ops = &op, .n_ops = 1};
	struct control_answer answer;
	struct err_note note = {0};

	snprintf(twin, sizeof twin, "%s/n%zu/m%d", n->org, n->number, MACHINE);
	if (arena_new(&a, ARENA_BYTES) < 0 || client_ask(n->client, &r, a, &answer, &note) < 0)
		return bench_say("watch", "%s", note.text);
	if (answer.code < 0 || answer.n_changed != 1)
		return bench_say("watch", "%s was not changed: %s", twin, answer.text);
	w->loads[node] = load;
	return 0;
}

/* Until what is known of the machine's load is known of the total too. */
static int prepare(struct watching *w)
{
	for (size_t i = 0; i < LEAGUE_NODES; i++)
		if (change(w, i, 1000) < 0 || next_total(w, bench_now_s() + WITHIN_S, &w->total) < 0)
			return -1;
	return 0;
}

static int probe(struct watching *w, size_t i)
{
	const size_t node = i % LEAGUE_NODES;
	const double load = w->loads[node] + 1 + (double)(i % 7), began_s = bench_now_s();
	const double right = w->total + load - w->loads[node];
	double shown = w->total;

	if (change(w, node, load) < 0)
		return -1;
	while (fabs(shown - right) > 1e-9 * right)
		if (next_total(w, began_s + WITHIN_S, &shown) < 0)
			return bench_say("watch", "the total should be %.6f, and is %.6f", right, shown);
	w->total = right;
	w->ms[w->n++] = (bench_now_s() - began_s) * 1e3;
	return 0;
}

static int measure(struct watching *w)
{
	const size_t n = w->opt->quick ? QUICK_CHANGES : CHANGES;

	for (size_t i = 0; i < n; i++) {
		bench_pause_ms((int64_t)(sensor_mix(i + CHANGES) % PAUSE_MS));
		if (probe(w, i) < 0)
			return -1;
	}
	bench_result(w->opt, "watch", "p50", bench_quantile(w->ms, w->n, 0.5), "ms");
	bench_result(w->opt, "watch", "p99", bench_quantile(w->ms, w->n, 0.99), "ms");
	return 0;
}

static int begin(struct watching *w)
{
	const int parent = (int)strlen(w->opt->holond) - (int)strlen("/node/holond");
	char program[PATH_BYTES], node[PATH_BYTES];
	int out[2];

	snprintf(program, sizeof program, "%.*s/tools/holon", parent > 0 ? parent : 0, w->opt->holond);
	snprintf(node, sizeof node, "%s/" LEAGUE_ROOT, w->league.dir);
	if (pipe(out) < 0)
		return bench_say("watch", "no pipe");
	w->events = out[0];
	w->pid = fork();
	if (w->pid == 0) {
		prctl(PR_SET_PDEATHSIG, SIGKILL);
		dup2(out[1], STDOUT_FILENO);
		execl(program, program, "--json", "--node", node, "watch", LEAGUE_ROOT, "--depth", "0",
		      "--rollup", "sum:power", "--rollup", "min:power", "--rollup", "max:power", "--rollup",
		      "worst-health", (char *)NULL);
		_exit(127);
	}
	close(out[1]);
	return next_total(w, bench_now_s() + WITHIN_S, &w->total);
}

static void end(struct watching *w)
{
	if (w->pid > 0) {
		kill(w->pid, SIGKILL);
		waitpid(w->pid, NULL, 0);
	}
	if (w->events >= 0)
		close(w->events);
	league_fini(&w->league);
}

static int run(const struct bench_options *opt)
{
	struct watching w = {.opt = opt,
			     .league = {.bench = "watch", .n_twins = opt->quick ? QUICK_TWINS : TWINS},
			     .events = -1};
	const int r = league_init(&w.league, opt) < 0 || league_launch(&w.league) < 0 || begin(&w) < 0 ||
				      prepare(&w) < 0 || measure(&w) < 0
			      ? -1
			      : 0;

	end(&w);
	return r;
}

const struct bench bench_watch = {
	"watch", "change at one of ten owners to the roll-up at who watches 100,000 members: [p50] [p99]",
	run};
