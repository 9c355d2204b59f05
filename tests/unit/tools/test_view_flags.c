/* SPDX-License-Identifier: Apache-2.0 */
#include <criterion/criterion.h>
#include <criterion/new/assert.h>

#include "proto/clock.h"
#include "proto/view_text.h"
#include "tests/unit/tools/text.h"
#include "tools/options.h"
#include "tools/view_flags.h"

static struct context ctx;
static struct err_note note;
static struct view_question q;

static void begin(void)
{
	ctx = (struct context){.now_ns = 10000 * NS_PER_S};
	note = (struct err_note){0};
	cr_assert(eq(int, arena_new(&ctx.arena, 1 << 20), 0));
}

static void end(void)
{
	arena_free(ctx.arena);
	ctx.arena = NULL;
}

TestSuite(view_flags, .init = begin, .fini = end);

#define READ(...) read_flags((const char *[]){"view", "acme/plant", __VA_ARGS__, NULL})

static int read_flags(const char *words[])
{
	int argc = 0;

	while (words[argc])
		argc++;
	cr_assert(eq(int, options_parse(&ctx, argc, (char *const *)(uintptr_t)words, &note), 0));
	cr_assert(eq(int, view_question_begin(ctx.arena, ctx.args[0], &q), 0));
	return view_flags_read(&ctx, &q, &note);
}

Test(view_flags, without_flags_it_is_two_levels_below_the_twin)
{
	cr_assert(eq(int, READ("--json"), 0));
	cr_assert(eq(sz, q.n_roots, 1));
	expect_text(q.roots[0].id, "acme/plant");
	expect_text(q.hierarchy, "contains");
	cr_expect(eq(u32, q.depth, 2));
	expect_text(q.where, "");
	expect_text(q.by_property, "");
	cr_expect(eq(sz, view_times(&q), 0));
}

Test(view_flags, say_the_whole_question)
{
	cr_assert(eq(int,
		     READ("--where", "kind = asset", "--by", "load/kind", "--show", "a", "--show", "b",
			  "--rollup", "sum:load/power", "--members-max", "7", "--unconfirmed", "--fresh",
			  "1min", "--deadline", "200ms", "--depth", "0"),
		     0));
	expect_text(q.where, "kind = asset");
	cr_expect(eq(int, q.by, GROUP_PROPERTY));
	expect_text(q.by_property, "load/kind");
	cr_assert(eq(sz, q.n_show, 2));
	expect_text(q.show[1], "b");
	cr_expect(eq(u64, q.members_max, 7));
	cr_expect(q.unconfirmed && !q.offline);
	cr_expect(eq(i64, q.fresh_ns, 60 * NS_PER_S));
	cr_expect(eq(i64, q.deadline_ns, 200 * NS_PER_MS));
	cr_expect(eq(u32, q.depth, 0));
}

Test(view_flags, a_series_ends_now_unless_told_otherwise)
{
	cr_assert(eq(int, READ("--from", "1970-01-01T01:00", "--step", "1h"), 0));
	cr_expect(eq(i64, q.from_ns, 3600 * NS_PER_S));
	cr_expect(eq(i64, q.to_ns, 10000 * NS_PER_S));
	cr_expect(eq(sz, view_times(&q), 2));
}

static void refuses(const char *sentence, const char *words[])
{
	end();
	begin();
	cr_expect(lt(int, read_flags(words), 0), "%s", words[2]);
	expect_text(note.text, sentence);
}
#define REFUSES(sentence, ...) refuses(sentence, (const char *[]){"view", "acme/plant", __VA_ARGS__, NULL})

Test(view_flags, name_the_flag_that_makes_no_sense)
{
	REFUSES("--where: column 8: the expression ends too early", "--where", "kind = ");
	REFUSES("--by: by what? kind, type, org, tag or a property, not 'a b'", "--by", "a b");
	REFUSES("--show: 'a b' is no property", "--show", "a b");
	REFUSES("--hierarchy: '' is no type of a relation", "--hierarchy", "");
	REFUSES("a series needs --from TIME and --step DURATION", "--step", "1h");
	REFUSES("--step: longer than nothing", "--step", "0s", "--from", "1970-01-01");
	REFUSES("--to: before --from", "--step", "1h", "--from", "1980-01-01");
	REFUSES("--step: these are more than 1024 times; take a longer one", "--step", "1s", "--from",
		"1970-01-01");
	REFUSES("--as-of is one time, --from --to --step are many: which?", "--as-of", "1970-01-01", "--step",
		"1h");
}

Test(view_flags, what_was_asked_for_degrades_no_view)
{
	struct view_part view = {.counts = {.members = 3, .live = 3}};

	cr_assert(eq(int, READ("--json"), 0));
	cr_expect(not(view_is_degraded(&q, &view)));
	view.counts.filtered = 2;
	cr_expect(not(view_is_degraded(&q, &view)));
	view.counts.cached = 1;
	cr_expect(view_is_degraded(&q, &view));
	q.fresh_ns = 1;
	cr_expect(not(view_is_degraded(&q, &view)));
	view.counts.unconfirmed = 1;
	cr_expect(view_is_degraded(&q, &view));
	q.unconfirmed = true;
	cr_expect(not(view_is_degraded(&q, &view)));
	view.cut = true;
	cr_expect(view_is_degraded(&q, &view));
}

/* As `holon watch` has them. */
Test(view_flags, a_saved_view_of_other_times_is_not_for_whom_knows_only_now)
{
	static const struct flag now_only[] = {VIEW_FLAGS, {0}};
	struct verb watch = {.name = "watch", .flags = now_only};

	cr_assert(eq(int, READ("--json"), 0));
	ctx.command = &watch;
	cr_expect(eq(int, view_flags_read(&ctx, &q, &note), 0));
	q.has_as_of = true;
	cr_expect(eq(int, view_flags_read(&ctx, &q, &note), ERR_REFUSED));
	expect_text(note.text, "acme/plant is a view of other times than now: see holon view");
}

Test(view_flags, of_a_saved_series_a_part_may_be_another)
{
	cr_assert(eq(int, READ("--to", "1970-01-01T02:00"), ERR_ABSENT));
	q.from_ns = 0;
	q.to_ns = q.step_ns = 3600 * NS_PER_S;
	cr_assert(eq(int, view_flags_read(&ctx, &q, &note), 0));
	cr_expect(eq(sz, view_times(&q), 3));
}
