/* SPDX-License-Identifier: Apache-2.0 */

#include "proto/clock.h"
#include "proto/expr.h"
#include "proto/unit.h"
#include "tests/unit/proto/text.h"

static struct arena *arena;

static void begin(void)
{
	cr_assert(eq(int, arena_new(&arena, 1 << 20), 0));
}

static void end(void)
{
	arena_free(arena);
	unit_fini();
}

TestSuite(expr, .init = begin, .fini = end);

static const struct {
	const char *name, *unit;
	struct sample sample;
} measured[] = {
	{"load/power", "MW", {90 * NS_PER_S, {VALUE_DOUBLE, {.real = 12}}, QUALITY_GOOD, NAN, NULL}},
	{"load/limit",
	 "kW",
	 {90 * NS_PER_S, {VALUE_INT64, {.integer = 10000}}, QUALITY_UNCERTAIN, NAN, NULL}},
	{"load/odd", "MW", {0, {VALUE_DOUBLE, {.real = 1}}, QUALITY_BAD, NAN, NULL}},
	{"temp", "degC", {0, {VALUE_DOUBLE, {.real = 20}}, QUALITY_GOOD, NAN, NULL}},
	{"open", "", {0, {VALUE_BOOL, {.boolean = true}}, QUALITY_GOOD, NAN, NULL}},
	{"mode", "", {0, {VALUE_ENUM, {.text = "auto"}}, QUALITY_GOOD, NAN, NULL}},
	{"kind", "", {0, {VALUE_INT64, {.integer = 5}}, QUALITY_GOOD, NAN, NULL}},
	{"empty", "", {0, {.type = VALUE_NONE}, QUALITY_GOOD, NAN, NULL}},
};
enum { N_MEASURED = sizeof measured / sizeof measured[0] };

static bool property(void *ctx, size_t slot, const char *name, struct sample *ret, const char **ret_unit)
{
	(void)ctx, (void)slot;
	for (size_t i = 0; i < N_MEASURED; i++)
		if (strcmp(measured[i].name, name) == 0) {
			*ret = measured[i].sample;
			*ret_unit = measured[i].unit;
			return true;
		}
	return false;
}

static const struct position berlin = {52.520, 13.405, NAN};
static const char *const tags[] = {"tie-volt", "old"};
static const struct expr_twin press = {
	.id = "acme/plant1/press7",
	.name = "Press 7 \xc3\xa4",
	.type = "press",
	.kind = KIND_ASSET,
	.life = LIFE_OPERATING,
	.health = HEALTH_WARNING,
	.tags = tags,
	.n_tags = 2,
	.position = &berlin,
	.now_ns = 100 * NS_PER_S,
	.property = property,
};

static struct expr *parsed(const char *text)
{
	struct err_note note = {0};
	struct expr *e = NULL;

	cr_assert(eq(int, expr_parse(arena, text, &e, &note), 0), "%s: %s", text, note.text);
	return e;
}

static void expect_truth(const char *text, enum truth truth)
{
	cr_expect(eq(int, expr_truth(parsed(text), &press), truth), "%s", text);
}

#define EXPECT_TRUE(text) expect_truth(text, TRUTH_TRUE)
#define EXPECT_FALSE(text) expect_truth(text, TRUTH_FALSE)
#define EXPECT_UNKNOWN(text) expect_truth(text, TRUTH_UNKNOWN)

Test(expr, words_of_the_twin_need_no_quotes)
{
	EXPECT_TRUE("kind = asset");
	EXPECT_TRUE("asset = kind");
	EXPECT_FALSE("kind != asset");
	EXPECT_TRUE("kind in (component, asset)");
	EXPECT_FALSE("kind in (component)");
	EXPECT_TRUE("health >= warning and health < alarm");
	EXPECT_TRUE("warning <= health");
	EXPECT_FALSE("warning < health");
	EXPECT_TRUE("life > build");
	EXPECT_TRUE("type = press and org = acme");
	EXPECT_TRUE("id = acme/plant1/press7");
	EXPECT_TRUE("id like 'acme/plant1/*'");
	EXPECT_TRUE("name = 'Press 7 \xc3\xa4'");
	EXPECT_TRUE("tag = old and tag = 'tie-volt' and tag like 'tie-*'");
	EXPECT_FALSE("tag = new");
	EXPECT_TRUE("tag != new");
	EXPECT_FALSE("tag != old");
}

Test(expr, a_pattern_has_runs_and_single_characters)
{
	EXPECT_TRUE("name like '*7 ?'");
	EXPECT_FALSE(
		"name like '*7 ?"
		"?'");
	EXPECT_TRUE("name like '*e*s*s*'");
	EXPECT_FALSE("name like 'ress*'");
	EXPECT_TRUE("name like '**'");
	EXPECT_FALSE("name like ''");
	EXPECT_TRUE("mode like 'a*o'");
}

Test(expr, numbers_are_converted)
{
	EXPECT_TRUE("load/power > 11.9 MW");
	EXPECT_TRUE("load/power > 11900 kW");
	EXPECT_FALSE("load/power > 12100 kW");
	EXPECT_TRUE("load/power = 12000000 W");
	EXPECT_TRUE("load/power > load/limit");
	EXPECT_TRUE("temp < 300 K");
	EXPECT_FALSE("temp < 290 K");
	EXPECT_TRUE("temp = 68 degF or temp > 67.9 degF");
	EXPECT_UNKNOWN("load/power > 1");
	EXPECT_UNKNOWN("load/power > 1 m");
	EXPECT_TRUE("\"kind\" = 5");
}

Test(expr, units_add_up)
{
	EXPECT_TRUE("load/power - load/limit = 2 MW");
	EXPECT_TRUE("load/limit + load/power = 22 MW");
	EXPECT_TRUE("load/power * 2 h = 24 'MW h'");
	EXPECT_TRUE("load/power / load/limit > 1.1");
	EXPECT_TRUE("load/power / load/power = 1 '1'");
	EXPECT_TRUE("-load/power < 0 MW");
	EXPECT_TRUE("1 + 2 * 3 = 7");
	EXPECT_TRUE("(1 + 2) * 3 = 9");
	EXPECT_TRUE("7 - 2 - 1 = 4");
	EXPECT_UNKNOWN("load/power + 1 m > 0 MW");
	EXPECT_UNKNOWN("temp + 1 K > 0 degC");
	EXPECT_UNKNOWN("1 / 0 > 0");
}

Test(expr, what_is_not_there_is_unknown)
{
	EXPECT_UNKNOWN("nothing > 1");
	EXPECT_UNKNOWN("not nothing > 1");
	EXPECT_UNKNOWN("load/odd > 0 MW");
	EXPECT_UNKNOWN("empty = 1");
	EXPECT_UNKNOWN("mode > 1");
	EXPECT_UNKNOWN("open and nothing > 1");
	EXPECT_FALSE("open = false and nothing > 1");
	EXPECT_TRUE("open or nothing > 1");
	EXPECT_FALSE("nothing > 1 and open = false");
	EXPECT_TRUE("nothing > 1 or open");
	EXPECT_UNKNOWN("nothing > 1 or open = false");
	EXPECT_TRUE("known(mode) and not known(nothing) and not known(empty)");
	EXPECT_UNKNOWN("age(nothing) > 1 s");
}

Test(expr, ages_and_distances)
{
	EXPECT_TRUE("age(load/power) = 10 s");
	EXPECT_TRUE("age(load/power) < 1 min");
	EXPECT_FALSE("age(load/power) > 5 min");
	EXPECT_TRUE("distance(52.520, 13.405) = 0 m");
	/* Berlin to Hamburg (53.551, 9.994): 255.2 km on the sphere */
	EXPECT_TRUE("distance(53.551, 9.994) > 255 km and distance(53.551, 9.994) < 256 km");
	struct expr_twin lost = press;
	lost.position = NULL;
	cr_expect(eq(int, expr_truth(parsed("distance(0, 0) > 0 m"), &lost), TRUTH_UNKNOWN));
}

Test(expr, binding)
{
	EXPECT_TRUE("true or false and false");
	EXPECT_FALSE("(true or false) and false");
	EXPECT_TRUE("not false and true");
	EXPECT_FALSE("not (false or true)");
	EXPECT_TRUE("not not true");
	EXPECT_TRUE("open = true and open != false");
}

Test(expr, errors_name_the_column)
{
	static const struct {
		const char *text, *column, *words;
	} wrong[] = {
		{"", "column 1:", "ends too early"},
		{"kind = ", "column 8:", "ends too early"},
		{"kind = bicycle", "column 8:", "'bicycle' is not a kind"},
		{"kind < asset", "column 6:", "no order"},
		{"kind = 5", "column 6:", "do not compare"},
		{"health = 'alarm' + 1", "column 10:", "this is a text"},
		{"tag < a", "column 5:", "no order"},
		{"open and 5", "column 10:", "this is a number"},
		{"1 + true = 2", "column 5:", "this is a truth"},
		{"p > 10 parsecsec", "column 8:", "not a unit"},
		{"p > 1e999", "column 5:", "too large"},
		{"p like 5", "column 8:", "this is a number"},
		{"(p > 1", "column 7:", "')' is missing"},
		{"p > 1)", "column 6:", "')' is too much"},
		{"p > 'x", "column 5:", "closing ' is missing"},
		{"p # 1", "column 3:", "'#' means nothing"},
		{"size(p) > 1", "column 1:", "there is no function 'size'"},
		{"age(5) > 1 s", "column 5:", "name of a property"},
		{"and p", "column 1:", "nothing before it"},
		{"a//b > 1", "column 1:", "not the name"},
		{"p in 5", "column 6:", "'(' is missing"},
		{"((((((((((((((((((((((((((((((((((1))))))))))))))))))))))))))))))))))",
		 "column 34:", "nested"},
	};

	for (size_t i = 0; i < sizeof wrong / sizeof wrong[0]; i++) {
		struct err_note note = {0};
		struct expr *e;
		const int r = expr_parse(arena, wrong[i].text, &e, &note);
		cr_expect(r == ERR_REFUSED || r == ERR_UNIT, "%s", wrong[i].text);
		cr_expect(strncmp(note.text, wrong[i].column, strlen(wrong[i].column)) == 0, "%s: %s",
			  wrong[i].text, note.text);
		EXPECT_WORDS(note.text, wrong[i].words);
	}
}

static void repeat(char *to, size_t size, const char *piece, size_t times)
{
	to[0] = '\0';
	for (size_t i = 0; i < times; i++)
		strncat(to, piece, size - strlen(to) - 1);
}

Test(expr, bounds)
{
	static char text[3 * EXPR_TEXT_MAX];
	struct err_note note;
	struct expr *e;

	repeat(text, sizeof text, "p > 1 and ", 62);
	strncat(text, "true", sizeof text - strlen(text) - 1);
	parsed(text); /* 62 * 4 + 1 parts */
	repeat(text, sizeof text, "p > 1 and ", 70);
	strncat(text, "true", sizeof text - strlen(text) - 1);
	cr_expect(eq(int, expr_parse(arena, text, &e, &note), ERR_REFUSED));
	EXPECT_WORDS(note.text, "parts");
	repeat(text, sizeof text, "not ", EXPR_DEPTH_MAX + 1);
	strncat(text, "true", sizeof text - strlen(text) - 1);
	cr_expect(eq(int, expr_parse(arena, text, &e, &note), ERR_REFUSED));
	repeat(text, sizeof text, "     ", 820);
	cr_expect(eq(int, expr_parse(arena, text, &e, &note), ERR_REFUSED));
	EXPECT_WORDS(note.text, "longer than");
}

/* Each list looks at what stands before it as often as it has entries: lists of lists would take for ever. */
static void nest_lists(char *text, size_t size, int levels)
{
	repeat(text, size, "(", (size_t)levels);
	strncat(text, "open in (true, false)", size - strlen(text) - 1);
	for (int i = 0; i < levels; i++)
		strncat(text, ") in (true, false)", size - strlen(text) - 1);
}

Test(expr, lists_of_lists_count_as_often_as_they_are_looked_at)
{
	static char text[EXPR_TEXT_MAX];
	struct err_note note;
	struct expr *e;

	nest_lists(text, sizeof text, 3);
	EXPECT_TRUE(text);
	nest_lists(text, sizeof text, 14);
	cr_expect(eq(int, expr_parse(arena, text, &e, &note), ERR_REFUSED));
	EXPECT_WORDS(note.text, "parts");
	repeat(text, sizeof text, "'b', ", 60);
	EXPECT_TRUE(arena_print(arena, "mode in (%s'auto')", text));
}

Test(expr, properties_have_slots)
{
	struct expr *e = parsed("a > 1 and b/c > 1 or a < 0 or known(d) and type = a");
	size_t n;
	const char *const *names = expr_properties(e, &n);

	cr_assert(eq(sz, n, 3));
	EXPECT_TEXT(names[0], "a");
	EXPECT_TEXT(names[1], "b/c");
	EXPECT_TEXT(names[2], "d");
}

Test(expr, what_an_index_may_use)
{
	EXPECT_TEXT(expr_requires(parsed("p > 1 and (type = press and tag = x)"), EXPR_TYPE), "press");
	EXPECT_TEXT(expr_requires(parsed("p > 1 and (type = press and tag = x)"), EXPR_TAG), "x");
	EXPECT_TEXT(expr_requires(parsed("kind = asset"), EXPR_KIND), "asset");
	cr_expect(expr_requires(parsed("type = press or tag = x"), EXPR_TYPE) == NULL);
	cr_expect(expr_requires(parsed("not type = press"), EXPR_TYPE) == NULL);
	cr_expect(expr_requires(parsed("type like 'p*'"), EXPR_TYPE) == NULL);
	cr_expect(expr_requires(parsed("type != press"), EXPR_TYPE) == NULL);
}

Test(expr, which_text_a_property_must_have)
{
	struct expr *e = parsed("p > 1 and (q = 7 and mode = 'auto')");
	size_t slot = SIZE_MAX, n;

	EXPECT_TEXT(expr_requires_text(e, &slot), "auto");
	EXPECT_TEXT(expr_properties(e, &n)[slot], "mode");
	cr_expect(expr_requires_text(parsed("mode = 'auto' or p > 1"), &slot) == NULL);
	cr_expect(expr_requires_text(parsed("not mode = 'auto'"), &slot) == NULL);
	cr_expect(expr_requires_text(parsed("mode != 'auto'"), &slot) == NULL);
	cr_expect(expr_requires_text(parsed("mode like 'auto'"), &slot) == NULL);
	cr_expect(expr_requires_text(parsed("name = 'auto'"), &slot) == NULL);
}

Test(expr, a_property_against_a_number_is_a_bound)
{
	struct expr_bound b;

	cr_expect(expr_is_bound(parsed("p >= 12 MW"), &b));
	cr_expect(b.number == 12 && strcmp(b.unit, "MW") == 0 && !b.less && b.equal && b.more);
	cr_expect(expr_is_bound(parsed("p != 3"), &b) && b.less && !b.equal && b.more);
	cr_expect(not(expr_is_bound(parsed("not p > 3"), &b)));
	cr_expect(not(expr_is_bound(parsed("p > 3 and q > 3"), &b)));
	cr_expect(not(expr_is_bound(parsed("p = 'x'"), &b)));
	cr_expect(not(expr_is_bound(parsed("p > q + 3"), &b)));
	cr_expect(not(expr_is_bound(parsed("kind = asset"), &b)));
	cr_expect(not(expr_is_bound(parsed("age(p) > 3 s"), &b)));
}

Test(expr, what_it_speaks_of)
{
	const struct expr *e = parsed("not (p > 1 or tag = x) and age(health/x) < 3 s");

	cr_expect(expr_uses(e, EXPR_TAG));
	cr_expect(not(expr_uses(e, EXPR_HEALTH)));
	cr_expect(not(expr_uses_position(e)));
	cr_expect(expr_uses(parsed("health in (alarm, warning)"), EXPR_HEALTH));
	cr_expect(expr_uses_position(parsed("distance(1, 2) < 3 km")));
}

Test(expr, a_number_keeps_its_unit)
{
	const char *unit = NULL;
	double x = 0;

	cr_expect(expr_number(parsed("load/power - load/limit"), &press, &x, &unit));
	cr_expect(eq(dbl, x, 2));
	EXPECT_TEXT(unit, "MW");
	cr_expect(not(expr_number(parsed("open"), &press, &x, &unit)));
}

static const struct property_def definitions[] = {
	{.name = "power", .type = VALUE_DOUBLE, .unit = "MW"},
	{.name = "mode", .type = VALUE_ENUM, .unit = ""},
	{.name = "open", .type = VALUE_BOOL, .unit = ""},
};

static const struct property_def *define(void *ctx, const char *name)
{
	(void)ctx;
	for (size_t i = 0; i < 3; i++)
		if (strcmp(definitions[i].name, name) == 0)
			return &definitions[i];
	return NULL;
}

static int checked(const char *text, struct err_note *note)
{
	*note = (struct err_note){0};
	return expr_check(parsed(text), define, NULL, note);
}

Test(expr, types_are_checked_once_they_are_known)
{
	struct err_note note;

	cr_expect(eq(int, checked("power > 1 kW and mode = 'auto' and open and other > 3", &note), 0));
	cr_expect(eq(int, checked("power * 2 h > 3 'MW h'", &note), 0));
	cr_expect(eq(int, checked("kind = asset and tag = x and health > good", &note), 0));
	cr_expect(eq(int, checked("power > 1 m", &note), ERR_UNIT));
	EXPECT_WORDS(note.text, "column 7: power is measured in 'MW'");
	cr_expect(eq(int, checked("power + age(power) > 1 MW", &note), ERR_UNIT));
	cr_expect(eq(int, checked("mode > 5", &note), ERR_REFUSED));
	EXPECT_WORDS(note.text, "mode is a text");
	cr_expect(eq(int, checked("power = 'x'", &note), ERR_REFUSED));
	cr_expect(eq(int, checked("not power", &note), ERR_REFUSED));
	cr_expect(eq(int, checked("-mode > 1", &note), ERR_REFUSED));
	cr_expect(eq(int, checked("mode and open", &note), ERR_REFUSED));
}
