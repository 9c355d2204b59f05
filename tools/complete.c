/* SPDX-License-Identifier: Apache-2.0 */
#include "tools/complete.h"

#include <ctype.h>

#include "proto/clock.h"
#include "security/keys.h"
#include "tools/client.h"
#include "tools/complete_ask.h"
#include "tools/options.h"

enum { ASK_MS = 500 };

static const char *const no_words[] = {NULL};
static const char *const quality_words[] = {"good", "uncertain", "bad", NULL};
static const char *const relation_words[] = {"contains", "connects", "feeds", "located-in", NULL};
static const char *const group_words[] = {"kind", "type", "org", "tag", NULL};
static const char *const fn_words[] = {"count", "sum", "mean", "min", "max", "sd", "bad", "last", NULL};
static const char *const rollup_words[] = {
	"count",          "count:",          "sum:",    "mean:",  "min:",         "max:", "stddev:",
	"quantile(0.5):", "quantile(0.95):", "latest:", "first:", "worst-health", NULL};
static const char *const kind_words[] = {"component",         "asset",       "system", "process",
					 "system-of-systems", "environment", NULL};

/* What stands for a word of a usage line. */
static const struct meaning {
	const char *word;
	const char *const *words; /* themselves */
	void (*ask)(struct completion *c);
	const char *marker;
} meanings[] = {
	{"TWIN", no_words, complete_twins, NULL},
	{"TWIN|VIEW", no_words, complete_twins_and_views, NULL},
	{"VIEW", no_words, complete_views, NULL},
	{"PARENT", no_words, complete_twins, NULL},
	{"CHILD", no_words, complete_twins, NULL},
	{"FROM", no_words, complete_twins, NULL},
	{"TO", no_words, complete_twins, NULL},
	{"PREFIX", no_words, complete_twins, NULL},
	{"PROPERTY", no_words, complete_properties, NULL},
	{"TYPE", no_words, complete_types, NULL},
	{"ORG", no_words, complete_orgs, NULL},
	{"ALARM", no_words, complete_alarms, NULL},
	{"OPERATION", no_words, complete_operations, NULL},
	{"ID", no_words, complete_commands, NULL},
	{"ORG[/ROLE]", no_words, complete_orgs, NULL},
	{"KIND", kind_words, NULL, NULL},
	{"QUALITY", quality_words, NULL, NULL},
	{"FN", fn_words, NULL, NULL},
	{"FN:PROPERTY", rollup_words, complete_rollups, NULL},
	{"GROUP", group_words, complete_properties, NULL},
	{"FILE", no_words, NULL, ":files"},
	{"FILE2", no_words, NULL, ":files"},
	{"FILE.json", no_words, NULL, ":files"},
	{"FILE.json|DIR...", no_words, NULL, ":files"},
	{"BUNDLE", no_words, NULL, ":files"},
	{"DIR", no_words, NULL, ":dirs"},
	{"NODE-DIR", no_words, NULL, ":dirs"},
};

void completion_offer(struct completion *c, const char *word)
{
	if (strncmp(word, c->current, strlen(c->current)) != 0 || c->n >= COMPLETE_MAX)
		return;
	fprintf(c->out, "%s\n", word);
	c->n++;
}

/* `word` names an argument; `relation`: where it is a type, one of relations. */
static void complete_argument(struct completion *c, const char *word, bool relation)
{
	const size_t n = sizeof meanings / sizeof *meanings;
	size_t i = 0;

	while (i < n && strcmp(meanings[i].word, word) != 0)
		i++;
	if (i == n)
		return;
	const bool is_relation = relation && strcmp(word, "TYPE") == 0;
	for (const char *const *w = is_relation ? relation_words : meanings[i].words; *w; w++)
		completion_offer(c, *w);
	if (meanings[i].marker)
		fprintf(c->out, "%s\n", meanings[i].marker);
	if (meanings[i].ask && !is_relation)
		meanings[i].ask(c);
}

/* ---- Arguments in order */

/* The next word of a usage line without its brackets, in `ret`; NULL: the end. */
static const char *usage_word(const char **at, struct arena *a)
{
	const size_t blanks = strspn(*at, " [(|)]"), len = strcspn(*at + blanks, " ");
	const char *word = *at + blanks;
	size_t n = len;

	*at = word + len;
	while (n > 0 && strchr("])", word[n - 1]) && strncmp(word, "ORG[/ROLE]", n) != 0)
		n--;
	return n > 0 ? arena_text(a, (struct bytes){(const uint8_t *)word, n}) : NULL;
}

/* The word for the argument of this place: flags and their values are none. */
static const char *argument_word(struct context *line, size_t place)
{
	const char *at = line->command->args, *word, *last = NULL;

	for (size_t i = 0; (word = usage_word(&at, line->arena));) {
		const struct flag *f = strncmp(word, "--", 2) == 0 ? options_flag(line, word + 2) : NULL;
		if (f && f->arg)
			usage_word(&at, line->arena);
		if (strncmp(word, "--", 2) == 0 || strcmp(word, "FLAG...") == 0 || strcmp(word, "...") == 0)
			continue;
		if (i++ == place)
			return word;
		last = strstr(word, "...") ? word : NULL;
	}
	return last;
}

/* ---- Commands and flags */

static void offer_flags(struct completion *c, const struct flag *f)
{
	for (; f && f->name; f++) {
		const char *word = arena_print(c->line.arena, "--%s", f->name);
		if (word && (f->repeats || !c->line.command || !flag_given(&c->line, f->name)))
			completion_offer(c, word);
	}
}

/* The first words of commands, or the second ones of a noun, each once: equal ones stand together. */
static void offer_commands(struct completion *c, const char *noun)
{
	const size_t skip = noun ? strlen(noun) + 1 : 0;
	const char *last = "";

	for (size_t g = 0; command_groups[g]; g++)
		for (const struct verb *k = command_groups[g]; k->name; k++) {
			if (noun && (strncmp(k->name, noun, skip - 1) != 0 || k->name[skip - 1] != ' '))
				continue;
			const size_t len = strcspn(k->name + skip, " ");
			const char *word = arena_text(c->line.arena,
						      (struct bytes){(const uint8_t *)k->name + skip, len});
			if (word && strcmp(word, last) != 0)
				completion_offer(c, last = word);
		}
}

/* ---- The line */

static bool is_flag(const char *word)
{
	return strncmp(word, "--", 2) == 0 && word[2];
}

/* The flag whose value is to come, if the word before is one. */
static const struct flag *flag_before(struct completion *c, size_t n, char *const words[])
{
	const struct flag *f =
		n > 0 && is_flag(words[n - 1]) ? options_flag(&c->line, words[n - 1] + 2) : NULL;

	return f && f->arg ? f : NULL;
}

static void complete_word(struct completion *c, const struct flag *before)
{
	const struct context *line = &c->line;
	const bool is_verb_place = line->command && line->n_args == 0 && !line->noun;

	if (before) {
		complete_argument(c, before->arg, strcmp(before->name, "hierarchy") == 0);
		return;
	}
	if (c->current[0] == '-') {
		offer_flags(c, line->command ? line->command->flags : NULL);
		offer_flags(c, global_flags);
		return;
	}
	if (!line->command || is_verb_place)
		offer_commands(c, line->command ? line->command->name : line->noun);
	const char *word = line->command ? argument_word(&c->line, line->n_args) : NULL;
	if (word)
		complete_argument(c, word, strncmp(line->command->name, "rel ", 4) == 0);
}

void complete(const struct context *ctx, size_t argc, char *const argv[], FILE *out)
{
	struct completion c = {.out = out, .current = argc > 0 ? argv[argc - 1] : ""};
	const struct context empty = {
		.arena = ctx->arena, .timeout_ns = ASK_MS * NS_PER_MS, .now_ns = ctx->now_ns};
	const size_t n = argc > 0 ? argc - 1 : 0;
	struct err_note note;

	/* a line that is not finished may be wrong: what was understood of it counts */
	c.line = empty;
	const bool wrong = options_parse(&c.line, (int)n, argv, &note) < 0;
	const struct flag *before = flag_before(&c, n, argv);
	if (before) {
		c.line = empty;
		ignore(options_parse(&c.line, (int)n - 1, argv, &note));
	}
	if (before || !wrong || c.line.command)
		complete_word(&c, before);
	client_close(c.line.client);
	curve_pair_free(c.line.key);
	sign_key_free(c.line.person);
}
