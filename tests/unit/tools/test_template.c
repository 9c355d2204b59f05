/* SPDX-License-Identifier: Apache-2.0 */
#include <criterion/criterion.h>
#include <criterion/new/assert.h>

#include "tests/unit/tools/text.h"
#include "tools/template.h"

static struct arena *arena;
static struct err_note note;

static void begin(void)
{
	cr_assert(eq(int, arena_new(&arena, 1 << 20), 0));
}

static void end(void)
{
	arena_free(arena);
	arena = NULL;
}

TestSuite(template, .init = begin, .fini = end);

/* `upper.case` -> itself; "none" has no value. */
static const char *value(void *ctx, const char *name)
{
	(void)ctx;
	return strcmp(name, "none") == 0 ? NULL : strcmp(name, "empty") == 0 ? "" : name;
}

static const char *fill(const char *text)
{
	const struct template *t = NULL;

	cr_assert(eq(int, template_parse(arena, text, &t, &note), 0), "%s", note.text);
	return template_fill(arena, t, value, NULL);
}

Test(template, names_in_braces_are_replaced)
{
	expect_text(fill("plain"), "plain");
	expect_text(fill(""), "");
	expect_text(fill("a {b} c{d.e}{$f}"), "a b cd.e$f");
	expect_text(fill("{#1}"), "#1");
	expect_text(fill("{empty}"), "");
}

Test(template, doubled_braces_stand_for_one)
{
	expect_text(fill("{{{x}}}"), "{x}");
}

Test(template, filters_work_from_the_inside_out)
{
	expect_text(fill("{slug:22_220kV Wind/Off shore }"), "22_220kV-Wind-Off-shore");
	expect_text(fill("{lower:slug:50 Hertz}"), "50-hertz");
	expect_text(fill("{slug:empty}"), "_");
}

Test(template, a_name_without_value_gives_no_text)
{
	cr_expect(fill("a{none}") == NULL);
}

static int refuse(const char *text)
{
	const struct template *t;

	return template_parse(arena, text, &t, &note);
}

Test(template, what_does_not_parse_is_refused_with_what_is_wrong)
{
	cr_expect(eq(int, refuse("a {b"), ERR_REFUSED));
	expect_text(note.text, "a brace without partner in \"a {b\"; a brace itself is {{ or }}");
	cr_expect(eq(int, refuse("a } b"), ERR_REFUSED));
	cr_expect(eq(int, refuse("{}"), ERR_REFUSED));
	cr_expect(eq(int, refuse("{slug:}"), ERR_REFUSED));
	cr_expect(eq(int, refuse("{sulg:x}"), ERR_REFUSED));
	expect_text(note.text, "{sulg:x}: unknown filter, there are slug and lower");
	cr_expect(eq(int, refuse("{lower:lower:lower:lower:lower:x}"), ERR_REFUSED));
}

static int count(void *ctx, const char *name, struct err_note *n)
{
	(void)n;
	++*(int *)ctx;
	return strcmp(name, "stop") == 0 ? ERR_REFUSED : 0;
}

Test(template, names_are_listed_until_one_is_refused)
{
	const struct template *t = NULL;
	int n = 0;

	cr_assert(eq(int, template_parse(arena, "{a} x {lower:stop} {b}", &t, &note), 0));
	cr_expect(eq(int, template_names(t, count, &n, &note), ERR_REFUSED));
	cr_expect(eq(int, n, 2));
}
