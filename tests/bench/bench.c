/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/bench/bench.h"

#include <getopt.h>
#include <math.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "security/keys.h"

static const struct bench *const benches[] = {&bench_policy, &bench_sign, &bench_walk, &bench_grid};

enum { N_BENCHES = sizeof benches / sizeof *benches };

double bench_now_s(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
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
	if (peer)
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
	fputs("Usage: holon-bench [--json] [--data DIR] [--source DIR] [BENCH...]\n\n"
	      "Measure Holon; without a name, everything. --data (or HOLON_DATA) is the folder of real data; "
	      "--source\n"
	      "the source tree, for the benches that bring up the demo (default: here).\n\n",
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

int main(int argc, char *argv[])
{
	static const struct option options[] = {
		{"json", no_argument, NULL, 'j'},
		{"data", required_argument, NULL, 'd'},
		{"source", required_argument, NULL, 's'},
		{"help", no_argument, NULL, 'h'},
		{0},
	};
	struct bench_options opt = {.data = getenv("HOLON_DATA"), .source = "."};
	int r = 0;

	for (int o; (o = getopt_long(argc, argv, "", options, NULL)) != -1;) {
		switch (o) {
		case 'j': opt.json = true; break;
		case 'd': opt.data = optarg; break;
		case 's': opt.source = optarg; break;
		case 'h': usage(stdout); return 0;
		default: usage(stderr); return 2;
		}
	}
	if (!all_known(argc - optind, argv + optind))
		return 2;
	if (keys_init() < 0)
		return 1;
	for (size_t i = 0; i < N_BENCHES; i++)
		if (is_named(benches[i], argc - optind, argv + optind))
			r |= benches[i]->run(&opt);
	return r != 0;
}
