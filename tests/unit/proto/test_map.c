/* SPDX-License-Identifier: Apache-2.0 */
#include <criterion/criterion.h>
#include <criterion/new/assert.h>
#include <stdio.h>
#include <string.h>

#include "proto/map.h"
#include "tests/lib/failing_alloc.h"

enum { N = 2000 };

static char keys[N][8];

static void name_keys(void)
{
	for (int i = 0; i < N; i++)
		snprintf(keys[i], sizeof keys[i], "k%d", i);
}

TestSuite(map, .init = name_keys);

Test(map, what_was_put_is_there_until_it_is_removed)
{
	SCOPED(map_fini) struct map m = {0};

	cr_expect(map_get(&m, "k1") == NULL);
	cr_expect(map_remove(&m, "k1") == NULL);
	cr_expect(map_likely(&m, map_hint(&m, "k1")) == NULL);
	for (int i = 0; i < N; i++)
		cr_assert(eq(int, map_put(&m, keys[i], keys[i]), 0));
	cr_expect(eq(sz, m.n, N));
	for (int i = 0; i < N; i += 3)
		cr_expect(map_remove(&m, keys[i]) == keys[i]);
	for (int i = 0; i < N; i++)
		cr_assert(map_get(&m, keys[i]) == (i % 3 ? keys[i] : NULL), "%s", keys[i]);
	for (int i = 0; i < N; i++)
		cr_assert(map_likely(&m, map_hint(&m, keys[i])) == map_get(&m, keys[i]), "%s", keys[i]);
}

Test(map, putting_again_replaces)
{
	SCOPED(map_fini) struct map m = {0};
	char same[] = "k1";

	cr_assert(eq(int, map_put(&m, keys[1], keys[1]), 0));
	cr_assert(eq(int, map_put(&m, same, keys[2]), 0));
	cr_expect(eq(sz, m.n, 1));
	cr_expect(map_get(&m, "k1") == keys[2]);
}

Test(map, a_walk_meets_everything_once)
{
	SCOPED(map_fini) struct map m = {0};
	bool met[N] = {false};
	size_t at = 0, n = 0;

	for (int i = 0; i < N; i++)
		cr_assert(eq(int, map_put(&m, keys[i], keys[i]), 0));
	for (struct map_entry *e; (e = map_next(&m, &at)); n++) {
		const size_t i = (size_t)((char(*)[8])e->value - keys);
		cr_expect(not(met[i]));
		met[i] = true;
	}
	cr_expect(eq(sz, n, N));
}

Test(map, without_memory_nothing_changes)
{
	SCOPED(map_fini) struct map m = {0};
	bool failed = true;

	for (long allowed = 0; failed; allowed++) {
		int r = 0;
		map_fini(&m);
		alloc_fail_after(allowed);
		for (int i = 0; i < 100 && r == 0; i++)
			r = map_put(&m, keys[i], keys[i]);
		failed = alloc_has_failed();
		alloc_fail_after(-1);
		cr_expect(eq(int, r, failed ? -ENOMEM : 0));
		for (size_t i = 0; i < m.n; i++)
			cr_assert(map_get(&m, keys[i]) == keys[i]);
	}
}
