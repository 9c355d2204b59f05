/* SPDX-License-Identifier: Apache-2.0 */
/* How many histories of the mesh a core simulates in a second: three organisations of four nodes, 400 steps
 * of chaos each, then healing (tests/sim/world.h). Its own processor time counts, so that what else the
 * machine does is left out. */
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

#include "tests/bench/bench.h"
#include "tests/bench/process.h"

enum { SEEDS = 1500, SEEDS_QUICK = 20, FIRST = 1000001 };

/* That of the build that this program is of. */
static int find_sim(char ret[PATH_MAX + 16])
{
	const ssize_t n = readlink("/proc/self/exe", ret, PATH_MAX);

	ret[n < 0 ? 0 : n] = 0;
	for (int up = 0; up < 2; up++) {
		char *slash = strrchr(ret, '/');
		if (slash)
			*slash = 0;
	}
	strncat(ret, "/sim/sim", PATH_MAX + 15 - strlen(ret));
	return access(ret, X_OK);
}

static double children_s(void)
{
	struct rusage u;

	getrusage(RUSAGE_CHILDREN, &u);
	return (double)(u.ru_utime.tv_sec + u.ru_stime.tv_sec) +
	       (double)(u.ru_utime.tv_usec + u.ru_stime.tv_usec) / 1e6;
}

static int run_sim(const struct bench_options *opt)
{
	const int seeds = opt->quick ? SEEDS_QUICK : SEEDS;
	char path[PATH_MAX + 16], count[16], first[16];
	const struct process_options quiet = {.log = "/dev/null"};

	if (find_sim(path) != 0)
		return bench_say("sim", "%s is not there: build it first", path);
	snprintf(count, sizeof count, "%d", seeds);
	snprintf(first, sizeof first, "%d", FIRST);
	const char *const argv[] = {path, "--seeds", count, "--first", first, NULL};
	const double began = children_s();
	if (process_run(argv, &quiet) != 0)
		return bench_say("sim", "a seed failed: %s --seeds %s --first %s", path, count, first);
	bench_result(opt, "sim", "12", seeds / (children_s() - began), "seeds/s per core");
	return 0;
}

const struct bench bench_sim = {
	"sim", "histories of 12 simulated nodes, 400 steps each, per second of a core: must 100, aim 500",
	run_sim};
