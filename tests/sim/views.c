/* SPDX-License-Identifier: Apache-2.0 */
/* Views - run seeded views over many owners and check what must hold (views.h).
 *
 *   sim_views [--seeds N] [--first S] [--break NAME] [--verbose] [--trace]
 *   sim_views --safeguards N      by how many of N seeds the lack of each safeguard is noticed
 *
 * A failing seed is printed with the command that replays it; exit 1. With --break one safeguard is missing
 * and the meaning is turned round: exit 0 as soon as a seed notices, 1 when none does. */
#include "tests/sim/views.h"

enum { LAB_BYTES = 64 << 20 };

static const char *const break_text[N_LAB_BREAKS] = {
#define X(name, text) [LAB_##name] = (text),
	LAB_BREAKS(X)
#undef X
};

struct totals {
	unsigned long run, failed, clean, exact, asked, lies;
};

struct arguments {
	unsigned long first, seeds, safeguards;
	enum lab_break broken;
	bool verbose, trace;
};

static bool parse_number(const char *text, unsigned long *ret)
{
	char *end;

	if (!text || !*text)
		return false;
	*ret = strtoul(text, &end, 10);
	return *end == '\0';
}

static bool parse_break(const char *text, enum lab_break *ret)
{
	for (int i = 0; text && i < N_LAB_BREAKS; i++)
		if (strcmp(break_text[i], text) == 0) {
			*ret = (enum lab_break)i;
			return true;
		}
	return false;
}

static bool parse(int argc, char *argv[], struct arguments *ret)
{
	*ret = (struct arguments){.first = 1, .seeds = 1000};
	for (int i = 1; i < argc; i++) {
		const char *value = i + 1 < argc ? argv[i + 1] : NULL;
		bool good = true;
		if (strcmp(argv[i], "--verbose") == 0 || strcmp(argv[i], "--trace") == 0) {
			ret->verbose = true;
			ret->trace |= strcmp(argv[i], "--trace") == 0;
			continue;
		}
		if (strcmp(argv[i], "--seeds") == 0)
			good = parse_number(value, &ret->seeds);
		else if (strcmp(argv[i], "--first") == 0)
			good = parse_number(value, &ret->first);
		else if (strcmp(argv[i], "--safeguards") == 0)
			good = parse_number(value, &ret->safeguards);
		else
			good = strcmp(argv[i], "--break") == 0 && parse_break(value, &ret->broken);
		if (!good)
			return false;
		i++;
	}
	return true;
}

/* True: nothing was wrong with this seed. */
static bool run_seed(unsigned long seed, const struct arguments *args, struct lab *l, struct totals *t)
{
	*l = (struct lab){.broken = args->broken, .trace = args->trace, .random = seed, .seed = seed};
	if (arena_new(&l->arena, LAB_BYTES) < 0)
		abort();
	lab_build(l);
	lab_run(l);
	lab_check(l);
	t->run++;
	t->clean += l->was_clean;
	t->exact += l->was_exact;
	t->asked += l->n_asked;
	t->lies += l->n_lies;
	t->failed += l->failure[0] != '\0';
	if (l->failure[0] && (args->verbose || args->broken == LAB_NONE))
		printf("seed %lu: %s\n  replay: sim_views --seeds 1 --first %lu\n", seed, l->failure, seed);
	if (args->verbose && l->has_result)
		for (size_t i = 0; i < l->result.n_problems; i++)
			printf("seed %lu: %s\n", seed, l->result.problems[i]);
	for (size_t i = 0; i < l->n_desks; i++)
		plan_free(l->desks[i]->plan);
	arena_free(l->arena);
	return l->failure[0] == '\0';
}

static int run_seeds(const struct arguments *args, struct lab *l)
{
	struct totals t = {0};
	const bool broken = args->broken != LAB_NONE;

	for (unsigned long i = 0; i < args->seeds && !(broken && t.failed > 0); i++)
		run_seed(args->first + i, args, l, &t);
	printf("%lu views, %lu failed (%s broken): %lu with a clean certificate, %lu exact, %lu questions, "
	       "%lu lies refused\n",
	       t.run, t.failed, break_text[args->broken], t.clean, t.exact, t.asked, t.lies);
	return broken == (t.failed > 0) ? 0 : 1;
}

static int print_safeguards(struct arguments *args, struct lab *l)
{
	int missed = 0;

	for (int i = 1; i < N_LAB_BREAKS; i++) {
		struct totals t = {0};
		args->broken = (enum lab_break)i;
		for (unsigned long seed = 0; seed < args->safeguards; seed++)
			run_seed(args->first + seed, args, l, &t);
		printf("%-16s %lu\n", break_text[i], t.failed);
		missed += t.failed == 0;
	}
	return missed > 0 ? 1 : 0;
}

int main(int argc, char *argv[])
{
	struct arguments args;
	struct lab *l = calloc(1, sizeof *l);

	if (!l || !parse(argc, argv, &args)) {
		fprintf(stderr,
			"usage: sim_views [--seeds N] [--first S] [--break NAME] [--verbose] [--trace]\n"
			"       sim_views --safeguards N\n");
		free(l);
		return 2;
	}
	const int r = args.safeguards > 0 ? print_safeguards(&args, l) : run_seeds(&args, l);
	free(l);
	return r;
}
