/* SPDX-License-Identifier: Apache-2.0 */
#include "proto/clock.h"
#include "proto/limits.h"
#include "proto/standing.h"
#include "tests/unit/proto/text.h"

static struct arena *arena;

static void begin(void)
{
	cr_assert(eq(int, arena_new(&arena, 1 << 22), 0));
}

static void end(void)
{
	arena_free(arena);
}

TestSuite(standing, .init = begin, .fini = end);

static const struct {
	const char *text;
	struct standing is;
} examples[] = {
	{"active high-alarm", {"active", "high-alarm", TIME_MAX, "", 0}},
	{"acknowledged high-alarm: looking into it",
	 {"acknowledged", "high-alarm", TIME_MAX, "looking into it", 0}},
	{"shelved stale until 2026-11-22T08:00:00Z",
	 {"shelved", "stale", INT64_C(1795334400) * 1000000000, "", 0}},
	{"shelved stale until 2026-11-22T08:00:00.500Z: back : at: nine",
	 {"shelved", "stale", INT64_C(1795334400500000000), "back : at: nine", 0}},
	{"acknowledged high-alarm since 2026-11-22T08:00:00Z: seen",
	 {"acknowledged", "high-alarm", TIME_MAX, "seen", INT64_C(1795334400) * 1000000000}},
	{"shelved stale since 2026-11-22T08:00:00Z until 2026-11-22T08:00:00.500Z",
	 {"shelved", "stale", INT64_C(1795334400500000000), "", INT64_C(1795334400) * 1000000000}},
	{"pending until 2026-11-22T08:00:00Z", {"pending", "", INT64_C(1795334400) * 1000000000, "", 0}},
	{"converged", {"converged", "", TIME_MAX, "", 0}},
	{"overdue: why", {"overdue", "", TIME_MAX, "why", 0}},
};

Test(standing, goes_both_ways)
{
	for (size_t i = 0; i < sizeof examples / sizeof *examples; i++) {
		struct standing back;
		EXPECT_TEXT(standing_text(arena, &examples[i].is), examples[i].text);
		cr_assert(standing_parse(arena, examples[i].text, &back), "%s", examples[i].text);
		EXPECT_TEXT(back.state, examples[i].is.state);
		EXPECT_TEXT(back.what, examples[i].is.what);
		EXPECT_TEXT(back.comment, examples[i].is.comment);
		cr_expect(eq(i64, back.until_ns, examples[i].is.until_ns), "%s", examples[i].text);
		cr_expect(eq(i64, back.since_ns, examples[i].is.since_ns), "%s", examples[i].text);
	}
}

Test(standing, a_comment_is_cut_between_letters)
{
	char comment[2 * KPI_TEXT_MAX + 2] = "x";
	const struct standing s = {"active", "high-alarm", TIME_MAX, comment, 0};

	for (size_t i = 1; i + 2 < sizeof comment; i += 2)
		memcpy(comment + i, "\xc3\xa4", 3);
	const char *text = standing_text(arena, &s);
	cr_expect(le(sz, strlen(text), KPI_TEXT_MAX));
	cr_expect(gt(sz, strlen(text), KPI_TEXT_MAX - 2));
	cr_expect(eq(int, (unsigned char)text[strlen(text) - 1], 0xa4));
}

Test(standing, what_is_none)
{
	static const char *const texts[] = {"",
					    ": x",
					    " active",
					    "active until",
					    "active until noon",
					    "active high alarm",
					    "active high-alarm until 2026-13-01T00:00:00Z"};
	struct standing s;

	for (size_t i = 0; i < sizeof texts / sizeof *texts; i++)
		cr_expect(not(standing_parse(arena, texts[i], &s)), "'%s'", texts[i]);
}

Test(standing, memory_may_run_out)
{
	SCOPED(scope_arena) struct arena *a = NULL;
	struct standing s = examples[3].is;

	cr_assert(eq(int, arena_new(&a, 0), 0));
	cr_expect(standing_text(a, &s) == NULL);
	cr_expect(not(standing_parse(a, examples[3].text, &s)));
}
