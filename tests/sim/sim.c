/* SPDX-License-Identifier: Apache-2.0 */
/* Sim - run seeded histories of the mesh and check what must hold (world.h).
 *
 *   sim [--seeds N] [--first S] [--steps N] [--break NAME] [--verbose] [--trace]
 *
 * A failing seed is printed with the command that replays it (--trace tells its story); exit 1. With --break
 * one safeguard is missing and the meaning is turned round: exit 0 as soon as a seed notices, 1 when none
 * does. */
#include "tests/sim/world.h"

#include <stdio.h>

enum { TWICE_EVERY = 25 }; /* seeds that are run twice, to see that a seed is a whole history */

static const char *const break_text[N_BREAKS] = {
#define X(name, text) [BREAK_##name] = (text),
	BREAK_MAP(X)
#undef X
};

struct totals {
	struct mesh_stats stats;
	unsigned long failed, run;
};

static bool parse_number(const char *text, unsigned long *ret)
{
	char *end;

	if (!text || !*text)
		return false;
	*ret = strtoul(text, &end, 10);
	return *end == '\0';
}

static bool parse_break(const char *text, enum sim_break *ret)
{
	for (int i = 0; text && i < N_BREAKS; i++)
		if (strcmp(break_text[i], text) == 0) {
			*ret = (enum sim_break)i;
			return true;
		}
	return false;
}

static bool parse_flag(const char *text, struct sim_options *ret)
{
	bool verbose = strcmp(text, "--verbose") == 0, trace = strcmp(text, "--trace") == 0;

	ret->verbose |= verbose;
	ret->trace |= trace;
	return verbose || trace;
}

struct arguments {
	struct sim_options opt;
	unsigned long first, seeds;
};

static bool parse(int argc, char *argv[], struct arguments *ret)
{
	unsigned long steps = 400;

	*ret = (struct arguments){.first = 1, .seeds = 300};
	for (int i = 1; i < argc; i++) {
		const char *value = i + 1 < argc ? argv[i + 1] : NULL;
		bool good = true;
		if (parse_flag(argv[i], &ret->opt))
			continue;
		if (strcmp(argv[i], "--seeds") == 0)
			good = parse_number(value, &ret->seeds);
		else if (strcmp(argv[i], "--first") == 0)
			good = parse_number(value, &ret->first);
		else if (strcmp(argv[i], "--steps") == 0)
			good = parse_number(value, &steps);
		else
			good = strcmp(argv[i], "--break") == 0 && parse_break(value, &ret->opt.broken);
		if (!good)
			return false;
		i++;
	}
	ret->opt.steps = (unsigned)steps;
	return true;
}

static uint64_t run_once(const struct sim_options *opt, struct world *w)
{
	world_run(w, opt);
	uint64_t trace = w->trace;
	world_fini(w);
	return trace;
}

static void add(struct totals *t, const struct world *w)
{
	t->stats.frames_old_session += w->stats.frames_old_session;
	t->stats.frames_gap += w->stats.frames_gap;
	t->stats.pulls += w->stats.pulls;
	t->stats.pulls_full += w->stats.pulls_full;
	t->stats.resets += w->stats.resets;
	t->stats.mismatches += w->stats.mismatches;
}

/* True: nothing was wrong with this seed. */
static bool run_seed(const struct sim_options *opt, struct world *w, struct totals *t)
{
	uint64_t trace = run_once(opt, w);
	bool good = w->failure[0] == '\0';

	t->run++;
	add(t, w);
	if (!good && opt->broken == BREAK_NONE)
		printf("seed %lu: %s\n  replay: sim --seeds 1 --first %lu --steps %u\n",
		       (unsigned long)opt->seed, w->failure, (unsigned long)opt->seed, opt->steps);
	else if (!good && opt->verbose)
		printf("seed %lu: %s\n", (unsigned long)opt->seed, w->failure);
	if (good && opt->seed % TWICE_EVERY == 0 && run_once(opt, w) != trace) {
		printf("seed %lu gives another history the second time\n", (unsigned long)opt->seed);
		good = false;
	}
	t->failed += !good;
	return good;
}

static void report(const struct arguments *args, const struct totals *t)
{
	const struct mesh_stats *s = &t->stats;

	printf("%lu seeds, %lu failed (%s broken): %lu pulls, %lu in full, %lu resets, %lu mismatches, %lu "
	       "gaps, "
	       "%lu frames of old sessions\n",
	       t->run, t->failed, break_text[args->opt.broken], (unsigned long)s->pulls,
	       (unsigned long)s->pulls_full, (unsigned long)s->resets, (unsigned long)s->mismatches,
	       (unsigned long)s->frames_gap, (unsigned long)s->frames_old_session);
}

int main(int argc, char *argv[])
{
	struct arguments args;
	struct totals totals = {0};
	struct world *w = calloc(1, sizeof *w);

	if (!parse(argc, argv, &args) || !w) {
		fprintf(stderr,
			"usage: sim [--seeds N] [--first S] [--steps N] [--break NAME] [--verbose] "
			"[--trace]\n");
		free(w);
		return 2;
	}
	bool broken = args.opt.broken != BREAK_NONE;
	for (unsigned long i = 0; i < args.seeds && !(broken && !args.opt.verbose && totals.failed > 0);
	     i++) {
		args.opt.seed = args.first + i;
		run_seed(&args.opt, w, &totals);
	}
	report(&args, &totals);
	free(w);
	return broken == (totals.failed > 0) ? 0 : 1;
}
