/* SPDX-License-Identifier: Apache-2.0 */
#include "storage/series.h"

#include <criterion/criterion.h>
#include <stdio.h>

#include "storage/plain.h"
#include "storage/env.h"
#include "tests/lib/must.h"
#include "tests/lib/tmpdir.h"

static char dir[128];
static struct series_set *history;
static struct arena *arena;
static struct series series = {.id = 7};

static void open_history(void)
{
	series_set_close(history);
	history = NULL;
	series.head = NULL;
	must(series_set_open(&history, dir, 64 << 20, NULL) == 0);
}

static void begin(void)
{
	snprintf(dir, sizeof dir, "%s/history", tmpdir_make());
	must(arena_new(&arena, SIZE_MAX) == 0);
	open_history();
}

static void end(void)
{
	series_set_close(history);
	history = NULL;
	arena_free(arena);
	arena = NULL;
	tmpdir_remove();
}

TestSuite(series, .init = begin, .fini = end);

static struct sample number(int64_t t_ns, double v)
{
	return (struct sample){.t_ns = t_ns, .value = {.type = VALUE_DOUBLE, .real = v}, .sigma = NAN};
}

static void add(int64_t t_ns, double v)
{
	const struct sample s = number(t_ns, v);

	cr_assert_eq(series_add(history, &series, &s), 0);
}

static void checkpoint(void)
{
	cr_assert_eq(series_freeze(history), 0);
	cr_assert_eq(series_write(history, 1), 0);
	series_thaw(history, true);
}

/* ---- Against a plain array --------------------------------------------------------------------------------
 */

enum { TIMES = 4000 };

static double expected[TIMES]; /* NaN: no sample at this time */
static uint64_t seed;

static uint32_t chance(uint32_t n)
{
	seed = seed * UINT64_C(6364136223846793005) + 1442695040888963407U;
	return (uint32_t)(seed >> 33) % n;
}

static void check_range(int64_t from, int64_t to, size_t limit)
{
	const struct series_range range = {from, to, limit};
	struct sample *s;
	size_t n, i = 0;
	bool more;

	arena_reset(arena);
	cr_assert_eq(series_read(history, &series, &range, arena, &s, &n, &more), 0);
	for (int64_t t = from; t <= to; t++) {
		if (isnan(expected[t]))
			continue;
		if (i == limit) {
			cr_assert(more && n == limit);
			return;
		}
		cr_assert(i < n && s[i].t_ns == t && s[i].value.real == expected[t], "at %d", (int)t);
		i++;
	}
	cr_assert(i == n && !more);
}

static void check_at(int64_t t)
{
	struct sample s;

	arena_reset(arena);
	const int r = series_at(history, &series, t, arena, &s);
	cr_assert(r == 0 || r == SERIES_ABSENT);
	while (t >= 0 && isnan(expected[t]))
		t--;
	cr_assert_eq(r, t < 0 ? SERIES_ABSENT : 0);
	if (r == 0)
		cr_assert(s.t_ns == t && s.value.real == expected[t]);
}

static void add_some(void)
{
	const uint32_t base = chance(TIMES - 700), n = 1 + chance(600);
	const bool dense = chance(2);

	for (uint32_t i = 0; i < n; i++) {
		const uint32_t t = dense ? base + i : chance(TIMES);
		expected[t] = chance(1000);
		add(t, expected[t]);
	}
}

Test(series, agrees_with_a_plain_array_through_checkpoints)
{
	seed = 20240611;
	for (size_t i = 0; i < TIMES; i++)
		expected[i] = NAN;
	for (int round = 0; round < 120; round++) {
		add_some();
		switch (chance(5)) {
		case 0: checkpoint(); break;
		case 1: /* a checkpoint that fails, and goes on being read while it is written */
			cr_assert_eq(series_freeze(history), 0);
			add_some();
			if (chance(2))
				cr_assert_eq(series_write(history, 1), 0);
			series_thaw(history, false);
			break;
		case 2:
			cr_assert_eq(series_freeze(history), 0);
			add_some();
			cr_assert_eq(series_write(history, 1), 0);
			check_at(chance(TIMES));
			series_thaw(history, true);
			break;
		default: break;
		}
		for (int i = 0; i < 20; i++) {
			const uint32_t from = chance(TIMES);
			check_range(from, from + chance(TIMES - from), 1 + chance(2000));
			check_at(chance(TIMES));
		}
	}
	check_range(0, TIMES - 1, TIMES);
	checkpoint();
	open_history();
	check_range(0, TIMES - 1, TIMES);
}

Test(series, chunks_do_not_overlap_and_are_well_filled)
{
	SCOPED(points_fini) struct points p = {0};
	SCOPED(scope_env) struct env *env = NULL;
	SCOPED(scope_env_txn) struct env_txn *t = NULL;
	int64_t last = INT64_MIN;
	size_t n = 0, chunks = 0;

	for (int i = 0; i < 5000; i++) {
		add(i % 2 ? i : 10000 - i, i);
		if (i % 700 == 0)
			checkpoint();
	}
	checkpoint();
	series_set_close(history);
	history = NULL;
	cr_assert_eq(env_open(&env, dir, 64 << 20, NULL), 0);
	cr_assert_eq(env_begin(env, ENV_READ, &t), 0);
	SCOPED(env_walk_end) struct env_walk w = env_walk_begin(t, BYTES("c"));
	while (env_walk_next(&w) > 0) {
		const int64_t first = (int64_t)(get_u64(w.key.data + 9) ^ (UINT64_C(1) << 63));
		cr_assert_eq(plain_decode(w.value, first, &p), 0);
		cr_assert(points_time(&p, 0) > last);
		last = points_time(&p, p.n - 1);
		n += p.n;
		chunks++;
	}
	cr_expect_eq(n, 5000);
	cr_expect(chunks <= 5000 / 200, "%zu chunks", chunks);
}

Test(series, knows_whether_it_holds_samples_just_so)
{
	bool held;
	const struct sample same[] = {number(20, 2), number(10, 1)};
	const struct sample other[] = {number(20, 2), number(10, 3)};
	const struct sample more[] = {number(20, 2), number(15, 1)};
	struct sample better = number(10, 1);

	add(10, 1);
	checkpoint();
	add(20, 2);
	better.quality = QUALITY_UNCERTAIN;
	cr_assert_eq(series_holds(history, &series, same, 2, &held), 0);
	cr_expect(held);
	cr_assert_eq(series_holds(history, &series, other, 2, &held), 0);
	cr_expect_not(held);
	cr_assert_eq(series_holds(history, &series, more, 2, &held), 0);
	cr_expect_not(held);
	cr_assert_eq(series_holds(history, &series, &better, 1, &held), 0);
	cr_expect_not(held);
	cr_assert_eq(series_holds(history, &(struct series){0}, same, 2, &held), 0);
	cr_expect_not(held);
}

Test(series, a_handle_may_move_or_leave)
{
	struct series moved;
	struct sample s;

	add(1, 1);
	series_move(&moved, &series);
	cr_expect_eq(series_at(history, &moved, 1, arena, &s), 0);
	cr_expect_eq(series_at(history, &series, 1, arena, &s), SERIES_ABSENT);
	series_leave(&moved);
	checkpoint();
	series.id = 7;
	cr_expect_eq(series_at(history, &series, 1, arena, &s), 0, "what was in its head reached the chunks");
}

Test(series, texts_come_back_whole)
{
	struct sample s = {
		.t_ns = 1, .value = {.type = VALUE_TEXT, .text = "first"}, .sigma = NAN, .source = "me"};

	for (int i = 0; i < 200; i++) {
		s.t_ns = i;
		cr_assert_eq(series_add(history, &series, &s), 0);
	}
	checkpoint();
	cr_assert_eq(series_at(history, &series, 150, arena, &s), 0);
	cr_expect(s.t_ns == 150 && strcmp(s.value.text, "first") == 0 && strcmp(s.source, "me") == 0);
}
