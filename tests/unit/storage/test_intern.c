/* SPDX-License-Identifier: Apache-2.0 */
#include "storage/intern.h"

#include <criterion/criterion.h>

Test(intern, one_copy_as_long_as_it_is_used)
{
	struct intern in = {0};
	const char *a, *b, *none;
	char text[] = "contains";

	cr_assert_eq(intern_take(&in, text, &a), 0);
	text[0] = 'C';
	cr_assert_eq(intern_take(&in, "contains", &b), 0);
	cr_expect(a == b && a != text);
	cr_assert_eq(intern_take(&in, NULL, &none), 0);
	cr_expect_null(none);
	intern_drop(&in, none);
	intern_drop(&in, a);
	cr_expect_str_eq(b, "contains");
	cr_expect_eq(in.words.n, 1);
	intern_drop(&in, b);
	cr_expect_eq(in.words.n, 0);
	intern_fini(&in);
}

Test(intern, a_word_remembers_its_places_until_its_last_use)
{
	struct intern in = {0};
	const char *a, *again;

	cr_expect_null(intern_find(&in, "auto"));
	cr_assert_eq(intern_take(&in, "auto", &a), 0);
	cr_expect(intern_find(&in, "auto") == a);
	cr_expect_eq(intern_places(a), 0);
	intern_mark(a, 4);
	intern_mark(a, 1);
	cr_expect_eq(intern_places(a), 5);
	cr_assert_eq(intern_take(&in, "auto", &again), 0);
	intern_drop(&in, again);
	cr_expect_eq(intern_places(a), 5);
	intern_drop(&in, a);
	cr_expect_null(intern_find(&in, "auto"));
	cr_assert_eq(intern_take(&in, "auto", &a), 0);
	cr_expect_eq(intern_places(a), 0);
	intern_drop(&in, a);
	intern_fini(&in);
}
