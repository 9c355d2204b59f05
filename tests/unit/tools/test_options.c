/* SPDX-License-Identifier: Apache-2.0 */
#include <criterion/criterion.h>
#include <criterion/new/assert.h>

#include "proto/clock.h"
#include "tests/unit/tools/text.h"
#include "tools/options.h"

static struct context ctx;
static struct err_note note;

static void begin(void)
{
	ctx = (struct context){0};
	cr_assert(eq(int, arena_new(&ctx.arena, 1 << 20), 0));
}

static void end(void)
{
	arena_free(ctx.arena);
	ctx.arena = NULL;
}

TestSuite(options, .init = begin, .fini = end);

#define PARSE(...) parse((const char *[]){__VA_ARGS__, NULL})

static int parse(const char *words[])
{
	int argc = 0;

	while (words[argc])
		argc++;
	return options_parse(&ctx, argc, (char *const *)(uintptr_t)words, &note);
}

Test(options, flags_may_stand_anywhere)
{
	cr_assert(eq(int, PARSE("--json", "twin", "--node", "d", "create", "--tag", "a", "acme/x", "--tag=b"),
		     0));
	expect_text(ctx.command->name, "twin create");
	cr_expect(ctx.json);
	expect_text(flag_text(&ctx, "node"), "d");
	cr_assert(eq(sz, ctx.n_args, 1));
	expect_text(ctx.args[0], "acme/x");
	size_t n;
	const char **tags = flag_all(&ctx, "tag", &n);
	cr_assert(eq(sz, n, 2));
	expect_text(tags[0], "a");
	expect_text(tags[1], "b");
}

Test(options, two_dashes_end_the_flags)
{
	cr_assert(eq(int, PARSE("twin", "get", "--", "--json", "-x"), 0));
	cr_expect(not(ctx.json));
	cr_assert(eq(sz, ctx.n_args, 2));
	expect_text(ctx.args[0], "--json");
}

Test(options, a_dash_and_negative_numbers_are_arguments)
{
	cr_assert(eq(int, PARSE("ingest", "-"), 0));
	cr_expect(eq(int, options_check_args(&ctx, &note), 0));
	end();
	begin();
	cr_assert(eq(int, PARSE("twin", "set", "acme/x", "power", "-5.5"), 0));
	cr_expect(eq(int, options_check_args(&ctx, &note), 0));
}

Test(options, words_with_a_dash_are_arguments_only_where_the_command_says_so)
{
	cr_expect(eq(int, PARSE("twin", "tag", "acme/x", "-old", "+new"), 0));
	cr_expect(eq(sz, ctx.n_args, 3));
	end();
	begin();
	cr_expect(eq(int, PARSE("twin", "get", "-old"), ERR_REFUSED));
	expect_text(note.text, "unknown flag -old; see holon twin get --help");
}

Test(options, a_flag_of_another_command_is_unknown)
{
	cr_expect(eq(int, PARSE("twin", "get", "acme/x", "--depth", "3"), ERR_REFUSED));
	expect_text(note.text, "unknown flag --depth; see holon twin get --help");
}

Test(options, a_switch_takes_no_value_and_a_flag_needs_one)
{
	cr_expect(eq(int, PARSE("status", "--json=1"), ERR_REFUSED));
	end();
	begin();
	cr_expect(eq(int, PARSE("status", "--node"), ERR_REFUSED));
	expect_text(note.text, "flag --node needs a value: --node DIR");
}

Test(options, the_number_of_arguments_is_checked)
{
	cr_assert(eq(int, PARSE("twin", "get"), 0));
	cr_expect(eq(int, options_check_args(&ctx, &note), ERR_REFUSED));
	expect_text(note.text, "usage: holon twin get TWIN [PROPERTY] [--as-of TIME]");
}

Test(options, times_and_durations_are_read_and_blamed_on_their_flag)
{
	int64_t t;

	cr_assert(eq(int,
		     PARSE("view", "acme/x", "--as-of", "1970-01-01T00:00:01", "--fresh", "2min",
			   "--deadline", "x"),
		     0));
	cr_assert(eq(int, flag_time(&ctx, "as-of", 7, &t, &note), 0));
	cr_expect(eq(i64, t, NS_PER_S));
	cr_assert(eq(int, flag_duration(&ctx, "fresh", 7, &t, &note), 0));
	cr_expect(eq(i64, t, 120 * NS_PER_S));
	cr_expect(eq(int, flag_duration(&ctx, "deadline", 7, &t, &note), ERR_REFUSED));
	cr_expect(eq(int, strncmp(note.text, "--deadline: ", 12), 0));
	cr_assert(eq(int, flag_duration(&ctx, "timeout", 7, &t, &note), 0));
	cr_expect(eq(i64, t, 7));
}

Test(options, counts_are_whole_numbers)
{
	static const char *const bad[] = {"-1", "+1", "1.5", "4294967296", "", "x", " 1"};
	uint32_t n;

	for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
		cr_assert(eq(int, PARSE("history", "a/b", "p", "--limit", bad[i]), 0));
		cr_expect(eq(int, flag_count(&ctx, "limit", 7, &n, &note), ERR_REFUSED), "%s", bad[i]);
		end();
		begin();
	}
	cr_assert(eq(int, PARSE("history", "a/b", "p", "--limit", "4294967295"), 0));
	cr_assert(eq(int, flag_count(&ctx, "limit", 7, &n, &note), 0));
	cr_expect(eq(u32, n, UINT32_MAX));
}

Test(options, a_command_may_be_the_first_word_of_another)
{
	cr_assert(eq(int, PARSE("view", "--json", "list"), 0));
	expect_text(ctx.command->name, "view list");
	cr_expect(eq(sz, ctx.n_args, 0));
}

Test(options, behind_its_first_argument_a_command_stays_what_it_is)
{
	cr_assert(eq(int, PARSE("view", "acme/a", "list"), 0));
	expect_text(ctx.command->name, "view");
	cr_expect(eq(sz, ctx.n_args, 2));
}
