/* SPDX-License-Identifier: Apache-2.0 */
#include "tools/options.h"

#include <stdlib.h>

#include "proto/clock.h"

const struct flag global_flags[] = {
	{"endpoint", "ENDPOINT",
	 "where the node takes orders (ipc:///path, a path, tcp://host:port; HOLON_ENDPOINT)", false},
	{"node", "DIR", "directory of the node, whose control socket is used (HOLON_NODE)", false},
	{"server-key", "KEY", "public key of the node, for tcp:// (HOLON_SERVER_KEY)", false},
	{"client-key", "FILE", "own key, see holon key new, for tcp:// (HOLON_CLIENT_KEY)", false},
	{"person", "DIR", "ask in the name of a person, see holon person invite (HOLON_PERSON)", false},
	{"json", NULL, "answer with JSON", false},
	{"timeout", "DURATION", "how long to wait for the node (default 10s)", false},
	{"help", NULL, "show this help", false},
	{"version", NULL, "show the version", false},
	{"list-commands", NULL, "show the names of all commands, one a line", false},
	{0},
};

static const struct flag *find_flag(const struct flag *flags, struct bytes name)
{
	for (; flags && flags->name; flags++)
		if (bytes_equal(bytes_of_text(flags->name), name))
			return flags;
	return NULL;
}

static const struct flag *known_flag(const struct context *ctx, struct bytes name)
{
	const struct flag *f = find_flag(global_flags, name);

	return f || !ctx->command ? f : find_flag(ctx->command->flags, name);
}

const struct flag *options_flag(const struct context *ctx, const char *name)
{
	return known_flag(ctx, bytes_of_text(name));
}

static int unknown_flag(const struct context *ctx, const char *word, struct err_note *note)
{
	const char *command = ctx->command ? ctx->command->name : NULL;

	return FAIL_SAY(note, ERR_REFUSED, "unknown flag %.80s; see holon %s%s--help", word,
			command ? command : "", command ? " " : "");
}

/* Take the flag argv[*at], and the word behind it if that is its value. */
static int take_flag(struct context *ctx, int argc, char *const argv[], int *at, struct err_note *note)
{
	const char *word = argv[*at] + 2, *equals = strchr(word, '=');
	const struct bytes name = {(const uint8_t *)word, equals ? (size_t)(equals - word) : strlen(word)};
	const struct flag *f = known_flag(ctx, name);
	const char *value = equals ? equals + 1 : "";
	struct given *g;

	if (!f)
		return unknown_flag(ctx, argv[*at], note);
	if (!f->arg && equals)
		return FAIL_SAY(note, ERR_REFUSED, "flag --%s takes no value", f->name);
	if (f->arg && !equals) {
		if (*at + 1 >= argc)
			return FAIL_SAY(note, ERR_REFUSED, "flag --%s needs a value: --%s %s", f->name,
					f->name, f->arg);
		value = argv[++*at];
	}
	if (!f->repeats && flag_given(ctx, f->name) && f->arg)
		return FAIL_SAY(note, ERR_REFUSED, "flag --%s is given twice", f->name);
	g = arena_push(ctx->arena, &ctx->given, &ctx->n_given, sizeof *g);
	if (!g)
		return FAIL(-ENOMEM);
	*g = (struct given){f->name, value};
	return 0;
}

/* Is the command `noun VERB`? */
static bool has_noun(const struct verb *c, const char *noun)
{
	const size_t len = strlen(noun);

	return strncmp(c->name, noun, len) == 0 && c->name[len] == ' ';
}

static const struct verb *find_command(const char *first, const char *second)
{
	for (size_t g = 0; command_groups[g]; g++) {
		for (const struct verb *c = command_groups[g]; c->name; c++) {
			if (!second && strcmp(c->name, first) == 0)
				return c;
			if (second && has_noun(c, first) && strcmp(c->name + strlen(first) + 1, second) == 0)
				return c;
		}
	}
	return NULL;
}

static bool is_noun(const char *word)
{
	for (size_t g = 0; command_groups[g]; g++)
		for (const struct verb *c = command_groups[g]; c->name; c++)
			if (has_noun(c, word))
				return true;
	return false;
}

/* One word that is not a flag: part of the command's name, or an argument. */
static int take_word(struct context *ctx, char *word, struct err_note *note)
{
	const char *noun = ctx->noun;
	const struct verb *longer;
	char **arg;

	if (ctx->command && ctx->n_args == 0 && !noun && (longer = find_command(ctx->command->name, word))) {
		ctx->noun = ctx->command->name; /* `view` is a command, and `view save` another */
		ctx->command = longer;
		return 0;
	}
	if (!ctx->command) {
		ctx->command = noun ? find_command(noun, word) : find_command(word, NULL);
		if (ctx->command)
			return 0;
		if (noun)
			return FAIL_SAY(note, ERR_REFUSED, "unknown command %s %.60s; see holon %s --help",
					noun, word, noun);
		if (!is_noun(word))
			return FAIL_SAY(note, ERR_REFUSED, "unknown command %.60s; see holon --help", word);
		ctx->noun = word;
		return 0;
	}
	arg = arena_push(ctx->arena, &ctx->args, &ctx->n_args, sizeof *arg);
	if (!arg)
		return FAIL(-ENOMEM);
	*arg = word;
	return 0;
}

/* "-" is stdin, "-5" a number, "-old" an argument only where the command says so. */
static bool is_dash_word(const struct context *ctx, const char *word)
{
	if (word[0] != '-' || word[1] == '\0' || strchr("0123456789.", word[1]))
		return false;
	return !ctx->command || !ctx->command->dash_args;
}

int options_parse(struct context *ctx, int argc, char *const argv[], struct err_note *note)
{
	bool only_words = false;

	for (int i = 0; i < argc; i++) {
		if (!only_words && strcmp(argv[i], "--") == 0)
			only_words = true;
		else if (!only_words && strncmp(argv[i], "--", 2) == 0)
			TRY(take_flag(ctx, argc, argv, &i, note));
		else if (!only_words && is_dash_word(ctx, argv[i]))
			return unknown_flag(ctx, argv[i], note);
		else
			TRY(take_word(ctx, argv[i], note));
	}
	ctx->json = flag_given(ctx, "json");
	return 0;
}

int options_check_args(const struct context *ctx, struct err_note *note)
{
	const struct verb *c = ctx->command;
	const int n = (int)ctx->n_args;

	if (!c && ctx->noun)
		return FAIL_SAY(note, ERR_REFUSED, "%s what? see holon %s --help", ctx->noun, ctx->noun);
	if (!c)
		return FAIL_SAY(note, ERR_REFUSED, "which command? see holon --help");
	if (n >= c->min_args && n <= c->max_args)
		return 0;
	return FAIL_SAY(note, ERR_REFUSED, "usage: holon %s%s%s", c->name, *c->args ? " " : "", c->args);
}

static void print_flags(const struct flag *f, FILE *out)
{
	char left[64];

	for (; f && f->name; f++) {
		snprintf(left, sizeof left, "--%s%s%s%s", f->name, f->arg ? " " : "", f->arg ? f->arg : "",
			 f->repeats ? "..." : "");
		fprintf(out, "  %-26s %s\n", left, f->help);
	}
}

static void command_help(const struct verb *c, FILE *out)
{
	fprintf(out, "usage: holon %s%s%s\n\n%s\n", c->name, *c->args ? " " : "", c->args, c->summary);
	if (c->flags)
		fputs("\nflags:\n", out);
	print_flags(c->flags, out);
}

static void overview(const char *noun, FILE *out)
{
	fputs("usage: holon [FLAG...] COMMAND [ARGUMENT...] [FLAG...]\n\ncommands:\n", out);
	for (size_t g = 0; command_groups[g]; g++)
		for (const struct verb *c = command_groups[g]; c->name; c++)
			if (!noun || has_noun(c, noun))
				fprintf(out, "  %-15s %s\n", c->name, c->summary);
}

void options_help(const struct context *ctx, FILE *out)
{
	if (ctx->command)
		command_help(ctx->command, out);
	else
		overview(ctx->noun, out);
	fputs("\nflags of every command:\n", out);
	print_flags(global_flags, out);
}
