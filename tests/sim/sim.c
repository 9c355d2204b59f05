/* SPDX-License-Identifier: Apache-2.0 */
/* Sim - run seeded histories of the mesh and check what must hold (world.h).
 *
 *   sim [--seeds N] [--first S] [--steps N] [--break NAME] [--verbose] [--trace]
 *   sim --kept FILE         the seeds that failed once, each for a reason that is no more
 *   sim --safeguards N      the table of safeguards: by how many of N seeds the lack of each is noticed
 *   sim --names FILE        does that table name exactly the safeguards there are?
 *
 * A failing seed is printed with the command that replays it (--trace tells its story); exit 1. With --break
 * one safeguard is missing and the meaning is turned round: exit 0 as soon as a seed notices, 1 when none
 * does. */
#include "tests/sim/world.h"

#include <stdio.h>

enum { TWICE_EVERY = 25 }; /* seeds that are run twice, to see that a seed is a whole history */
enum { STEPS = 400, LINE_MAX_BYTES = 256 };

static const char *const break_text[N_BREAKS] = {
#define X(name, text) [BREAK_##name] = (text),
	BREAK_MAP(X)
#undef X
};

struct totals {
	struct mesh_stats stats;
	uint64_t frames, steps;
	unsigned long failed, run;
};

struct arguments {
	struct sim_options opt;
	unsigned long first, seeds, safeguards;
	const char *kept, *names;
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

static bool parse_count(const char *name, const char *value, struct arguments *ret)
{
	unsigned long steps = ret->opt.steps;
	const struct {
		const char *name;
		unsigned long *place;
	} counts[] = {{"--seeds", &ret->seeds},
		      {"--first", &ret->first},
		      {"--steps", &steps},
		      {"--safeguards", &ret->safeguards}};
	bool good = false;

	for (size_t i = 0; i < sizeof counts / sizeof *counts; i++)
		if (strcmp(name, counts[i].name) == 0)
			good = parse_number(value, counts[i].place);
	ret->opt.steps = (unsigned)steps;
	return good;
}

static bool parse(int argc, char *argv[], struct arguments *ret)
{
	*ret = (struct arguments){.first = 1, .seeds = 300, .opt.steps = STEPS};
	for (int i = 1; i < argc; i++) {
		const char *value = i + 1 < argc ? argv[i + 1] : NULL;
		if (parse_flag(argv[i], &ret->opt))
			continue;
		if (strcmp(argv[i], "--kept") == 0)
			ret->kept = value;
		else if (strcmp(argv[i], "--names") == 0)
			ret->names = value;
		else if (strcmp(argv[i], "--break") == 0 ? !parse_break(value, &ret->opt.broken)
							 : !parse_count(argv[i], value, ret))
			return false;
		i++;
	}
	return true;
}

static uint64_t run_once(const struct sim_options *opt, struct world *w)
{
	world_run(w, opt);
	const uint64_t trace = w->trace;
	world_fini(w);
	return trace;
}

static void add(struct totals *t, const struct world *w)
{
	t->run++;
	t->frames += w->n_frames;
	t->steps += w->n_steps;
	t->stats.frames_old_session += w->stats.frames_old_session;
	t->stats.frames_gap += w->stats.frames_gap;
	t->stats.pulls += w->stats.pulls;
	t->stats.repairs += w->stats.repairs;
	t->stats.resets += w->stats.resets;
	t->stats.mismatches += w->stats.mismatches;
}

/* True: nothing was wrong with this seed. */
static bool run_seed(const struct sim_options *opt, struct world *w, struct totals *t)
{
	const uint64_t trace = run_once(opt, w);
	bool good = w->failure[0] == '\0';

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

	printf("%lu seeds, %lu failed (%s broken): %lu steps, %lu frames, %lu pulls, %lu repairs, %lu "
	       "resets, "
	       "%lu mismatches, %lu gaps, %lu frames of old sessions\n",
	       t->run, t->failed, break_text[args->opt.broken], (unsigned long)t->steps,
	       (unsigned long)t->frames, (unsigned long)s->pulls, (unsigned long)s->repairs,
	       (unsigned long)s->resets, (unsigned long)s->mismatches, (unsigned long)s->frames_gap,
	       (unsigned long)s->frames_old_session);
}

static int run_seeds(struct arguments *args, struct world *w)
{
	const bool broken = args->opt.broken != BREAK_NONE;
	struct totals totals = {0};

	for (unsigned long i = 0; i < args->seeds && !(broken && !args->opt.verbose && totals.failed > 0);
	     i++) {
		args->opt.seed = args->first + i;
		run_seed(&args->opt, w, &totals);
	}
	report(args, &totals);
	return broken == (totals.failed > 0) ? 0 : 1;
}

/* Lines of "SEED STEPS WHY"; # begins a comment. */
static int run_kept(struct arguments *args, struct world *w)
{
	struct totals totals = {0};
	char line[LINE_MAX_BYTES];
	FILE *f = fopen(args->kept, "r");

	if (!f) {
		fprintf(stderr, "sim: %s cannot be read\n", args->kept);
		return 2;
	}
	while (fgets(line, sizeof line, f)) {
		char *at = line;
		args->opt.seed = strtoul(line, &at, 10);
		args->opt.steps = (unsigned)strtoul(at, &at, 10);
		if (line[0] != '#' && args->opt.seed != 0 && args->opt.steps != 0)
			run_seed(&args->opt, w, &totals);
	}
	fclose(f);
	report(args, &totals);
	return totals.failed > 0 ? 1 : 0;
}

static int print_safeguards(struct arguments *args, struct world *w)
{
	int missed = 0;

	printf("# Each safeguard of the mesh, and how many of %lu seeds notice when it is taken away: what\n"
	       "# sim --safeguards %lu prints (seeds %lu and following).\n",
	       args->safeguards, args->safeguards, args->first);
	for (int i = 1; i < N_BREAKS; i++) {
		struct totals totals = {0};
		args->opt.broken = (enum sim_break)i;
		for (unsigned long seed = 0; seed < args->safeguards; seed++) {
			args->opt.seed = args->first + seed;
			run_seed(&args->opt, w, &totals);
		}
		printf("%-16s %lu\n", break_text[i], totals.failed);
		fflush(stdout);
		missed += totals.failed == 0;
	}
	return missed > 0 ? 1 : 0;
}

static int say_names(const bool named[N_BREAKS], const char *file)
{
	int r = 0;

	for (int i = 1; i < N_BREAKS; i++)
		if (!named[i]) {
			printf("%s does not name %s: it is what --safeguards prints\n", file, break_text[i]);
			r = 1;
		}
	return r;
}

static int check_names(const struct arguments *args)
{
	bool named[N_BREAKS] = {0};
	char line[LINE_MAX_BYTES], name[64];
	unsigned long seeds;
	int r = 0;
	FILE *f = fopen(args->names, "r");

	if (!f) {
		fprintf(stderr, "sim: %s cannot be read\n", args->names);
		return 2;
	}
	while (fgets(line, sizeof line, f)) {
		enum sim_break b = BREAK_NONE;
		if (line[0] == '#')
			continue;
		if (sscanf(line, "%63s %lu", name, &seeds) == 2 && seeds > 0 && parse_break(name, &b) &&
		    b != BREAK_NONE && !named[b]) {
			named[b] = true;
			continue;
		}
		printf("%s: no safeguard, twice the same or noticed by nobody: %s", args->names, line);
		r = 1;
	}
	fclose(f);
	return say_names(named, args->names) + r > 0 ? 1 : 0;
}

static int run(struct arguments *args, struct world *w)
{
	if (args->names)
		return check_names(args);
	if (args->kept)
		return run_kept(args, w);
	return args->safeguards > 0 ? print_safeguards(args, w) : run_seeds(args, w);
}

int main(int argc, char *argv[])
{
	struct arguments args;
	struct world *w = calloc(1, sizeof *w);

	if (!w || !parse(argc, argv, &args)) {
		fprintf(stderr,
			"usage: sim [--seeds N] [--first S] [--steps N] [--break NAME] [--verbose] "
			"[--trace]\n       sim --kept FILE | --safeguards N | --names FILE\n");
		free(w);
		return 2;
	}
	const int r = run(&args, w);
	free(w);
	return r;
}
