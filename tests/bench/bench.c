/* SPDX-License-Identifier: Apache-2.0 */
#define _XOPEN_SOURCE 700 /* nftw() */
#include "tests/bench/bench.h"

#include <ftw.h>
#include <getopt.h>
#include <limits.h>
#include <math.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "security/keys.h"

static const struct bench *const benches[] = {
	&bench_alarms,       &bench_mqtt,         &bench_command,    &bench_audit,    &bench_edit,
	&bench_policy,       &bench_sign,         &bench_walk,       &bench_grid,     &bench_handshake,
	&bench_ingest,       &bench_curve,        &bench_client,     &bench_single,   &bench_backfill,
	&bench_read,         &bench_memory,       &bench_recovery,   &bench_revoke,   &bench_wear,
	&bench_history_size, &bench_history_scan, &bench_propagate,  &bench_catch_up, &bench_initial,
	&bench_heal,         &bench_join,         &bench_sim,        &bench_detect,   &bench_idle,
	&bench_repair,       &bench_view_mesh,    &bench_view_lost,  &bench_view_wan, &bench_watch,
	&bench_find,         &bench_view_local,   &bench_view_cached};

enum { N_BENCHES = sizeof benches / sizeof *benches };

double bench_now_s(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

void bench_pause_ms(int64_t ms)
{
	nanosleep(&(struct timespec){.tv_sec = ms / 1000, .tv_nsec = ms % 1000 * 1000000}, NULL);
}

int bench_place(const struct bench_options *opt, char *ret, size_t size)
{
	const int n = snprintf(ret, size, "%s/holon.XXXXXX", opt->place);

	if (n < 0 || (size_t)n >= size || !mkdtemp(ret)) {
		*ret = 0;
		return -1;
	}
	return 0;
}

static int drop(const char *name, const struct stat *st, int type, struct FTW *at)
{
	(void)st, (void)type, (void)at;
	return remove(name);
}

void bench_remove(const char *dir)
{
	if (*dir)
		nftw(dir, drop, 16, FTW_DEPTH | FTW_PHYS);
}

static int by_value(const void *a, const void *b)
{
	const double x = *(const double *)a, y = *(const double *)b;

	return (x > y) - (x < y);
}

double bench_quantile(double *values, size_t n, double p)
{
	qsort(values, n, sizeof *values, by_value);
	const size_t at = (size_t)(p * (double)(n - 1) + 0.5);
	return values[at];
}

static void print_json(const char *bench, const char *bench_case, double value, const char *unit,
		       const char *peer, double peer_value)
{
	printf("{\"bench\":\"%s\",\"case\":\"%s\",\"value\":%.9g,\"unit\":\"%s\",", bench, bench_case, value,
	       unit);
	if (peer && isnan(peer_value))
		printf("\"peer\":\"%s\",\"peer_value\":null,\"ratio\":null}\n", peer);
	else if (peer)
		printf("\"peer\":\"%s\",\"peer_value\":%.9g,\"ratio\":%.4g}\n", peer, peer_value,
		       value / peer_value);
	else
		printf("\"peer\":null,\"peer_value\":null,\"ratio\":null}\n");
}

void bench_figure(const struct bench_options *opt, const char *bench, const char *bench_case, double value,
		  const char *unit, const char *peer, double peer_value)
{
	if (opt->json)
		print_json(bench, bench_case, value, unit, peer, peer_value);
	else if (peer && isnan(peer_value))
		printf("%-14s %-14s %12.6g %-10s  %s absent\n", bench, bench_case, value, unit, peer);
	else if (peer)
		printf("%-14s %-14s %12.6g %-10s  %s %.6g, ratio %.3g\n", bench, bench_case, value, unit,
		       peer, peer_value, value / peer_value);
	else
		printf("%-14s %-14s %12.6g %s\n", bench, bench_case, value, unit);
	fflush(stdout);
}

void bench_result(const struct bench_options *opt, const char *bench, const char *bench_case, double value,
		  const char *unit)
{
	bench_figure(opt, bench, bench_case, value, unit, NULL, 0);
}

int bench_say(const char *bench, const char *format, ...)
{
	va_list args;

	fprintf(stderr, "holon-bench: %s: ", bench);
	va_start(args, format);
	vfprintf(stderr, format, args);
	va_end(args);
	fputc('\n', stderr);
	return -1;
}

static void usage(FILE *out)
{
	fputs("Usage: holon-bench [OPTION...] [BENCH...]\n\n"
	      "Measure Holon, beside its peers where they are installed (deploy/install.sh --bench); without "
	      "a "
	      "name,\n"
	      "everything.\n\n"
	      "  --json         one object a line\n"
	      "  --quick        small and short: does everything work? Its figures mean nothing\n"
	      "  --data DIR     the folder of real data (default: HOLON_DATA)\n"
	      "  --source DIR   the source tree, for the benches that bring up the demo (default: here)\n"
	      "  --holond PATH  the node (default: that of this build)\n"
	      "  --place DIR    where stores and peers work, on the disk to be measured (default: "
	      "TMPDIR)\n\n",
	      out);
	for (size_t i = 0; i < N_BENCHES; i++)
		fprintf(out, "  %-14s %s\n", benches[i]->name, benches[i]->summary);
}

static bool is_named(const struct bench *b, int n, char *const names[])
{
	for (int i = 0; i < n; i++)
		if (strcmp(names[i], b->name) == 0)
			return true;
	return n == 0;
}

static bool all_known(int n, char *const names[])
{
	for (int i = 0; i < n; i++) {
		bool known = false;
		for (size_t j = 0; j < N_BENCHES; j++)
			known |= strcmp(names[i], benches[j]->name) == 0;
		if (!known) {
			fprintf(stderr, "holon-bench: no bench %s: see --help\n", names[i]);
			return false;
		}
	}
	return true;
}

/* The holond of the build that this program is of, else the one in PATH. */
static const char *find_holond(void)
{
	static char path[PATH_MAX + 16];
	const ssize_t n = readlink("/proc/self/exe", path, PATH_MAX);

	path[n < 0 ? 0 : n] = 0;
	for (int up = 0; up < 3; up++) {
		char *slash = strrchr(path, '/');
		if (slash)
			*slash = 0;
	}
	strncat(path, "/node/holond", sizeof path - strlen(path) - 1);
	return access(path, X_OK) == 0 ? path : "holond";
}

static int parse(int argc, char *argv[], struct bench_options *ret)
{
	static const struct option options[] = {
		{"json", no_argument, NULL, 'j'},         {"quick", no_argument, NULL, 'q'},
		{"data", required_argument, NULL, 'd'},   {"source", required_argument, NULL, 's'},
		{"holond", required_argument, NULL, 'n'}, {"place", required_argument, NULL, 'p'},
		{"help", no_argument, NULL, 'h'},         {0},
	};

	for (int o; (o = getopt_long(argc, argv, "", options, NULL)) != -1;) {
		switch (o) {
		case 'j': ret->json = true; break;
		case 'q': ret->quick = true; break;
		case 'd': ret->data = optarg; break;
		case 's': ret->source = optarg; break;
		case 'n': ret->holond = optarg; break;
		case 'p': ret->place = optarg; break;
		case 'h': usage(stdout); exit(0);
		default: usage(stderr); return -1;
		}
	}
	return all_known(argc - optind, argv + optind) ? 0 : -1;
}

int main(int argc, char *argv[])
{
	const char *scratch = getenv("TMPDIR");
	struct bench_options opt = {.data = getenv("HOLON_DATA"),
				    .source = ".",
				    .holond = find_holond(),
				    .place = scratch && *scratch ? scratch : "/tmp"};
	int r = 0;

	if (parse(argc, argv, &opt) < 0)
		return 2;
	if (keys_init() < 0)
		return 1;
	for (size_t i = 0; i < N_BENCHES; i++)
		if (is_named(benches[i], argc - optind, argv + optind))
			r |= benches[i]->run(&opt);
	return r != 0;
}
