/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/unit/storage/past.h"

#include <criterion/criterion.h>
#include <stdio.h>

#include "tests/lib/must.h"
#include "tests/lib/tmpdir.h"

struct past world;

void open_it(void)
{
	struct err_note note = {0};

	cr_assert_eq(history_open(&world.h, world.dir, 1 << 28, buf_bytes(&world.runs), &note), 0, "%s",
		     note.text);
	history_tidy(world.h);
	world.one.chain = world.two.chain = 0;
}

void past_begin(void)
{
	snprintf(world.dir, sizeof world.dir, "%s/history", tmpdir_make());
	world.one = (struct series){.id = 7, .type = VALUE_DOUBLE};
	world.two = (struct series){.id = 9, .type = VALUE_DOUBLE};
	for (size_t i = 0; i < 10; i++)
		world.rules[i] = (struct series_rule){.alive = true};
	open_it();
}

void past_end(void)
{
	history_close(world.h);
	world.h = NULL;
	buf_fini(&world.runs);
	tmpdir_remove();
}

void reopen(void)
{
	history_close(world.h);
	open_it();
}

void add(struct series *s, int64_t t_ns, double v)
{
	const struct value value = {.type = VALUE_DOUBLE, .real = v};

	cr_assert_eq(history_add_number(world.h, s->id, &s->chain, t_ns, VALUE_DOUBLE, value_bits(&value),
					QUALITY_GOOD, NULL),
		     0);
}

void add_seconds(struct series *s, int64_t begin_s, int64_t n)
{
	for (int64_t i = 0; i < n; i++)
		add(s, (begin_s + i) * SECOND_NS, (double)(begin_s + i));
}

int checkpoint(void)
{
	cr_assert_eq(history_freeze(world.h), 0);
	const int r = history_write(world.h);
	if (r == 0) {
		buf_clear(&world.runs);
		history_runs(world.h, &world.runs);
	}
	history_thaw(world.h, r == 0);
	return r;
}

struct series_rule rule_of(const void *ctx, uint32_t series)
{
	(void)ctx;
	return world.rules[series];
}

int merge(void)
{
	int r = history_merge_begin(world.h, rule_of, NULL, 10);

	if (r != 0)
		return r;
	while ((r = history_merge_step(world.h)) == 0)
		;
	if (r > 0) {
		buf_clear(&world.runs);
		history_runs(world.h, &world.runs);
	}
	history_merge_end(world.h, r > 0);
	return r;
}

struct sum read_all(const struct series *s, int64_t from_s, int64_t to_s)
{
	SCOPED(scope_history_reader) struct history_reader *r = NULL;
	const struct column *c;
	struct sum sum = {0};

	sum.r = history_read(world.h, s, from_s * SECOND_NS, to_s * SECOND_NS, &r);
	while (sum.r == 0 && (sum.r = history_next(r, &c)) > 0) {
		cr_assert(c->n > 0 && c->n <= CHUNK_SAMPLES_MAX);
		for (size_t i = 0; i < c->n; i++)
			sum.values += column_get(c, i).value.real;
		sum.n += c->n;
		sum.r = 0;
	}
	return sum;
}

int value_at(const struct series *s, int64_t at_s, double *ret)
{
	SCOPED(scope_arena) struct arena *a = NULL;
	struct sample got;

	must(arena_new(&a, 1 << 16) == 0);
	const int r = history_at(world.h, s, at_s * SECOND_NS, a, &got);
	const int64_t t_ns = at_s * SECOND_NS;
	struct point point;
	const int same = history_points(world.h, s, &t_ns, 1, a, &point);
	cr_expect_eq(same, r < 0 ? r : 0, "both ways to look fail alike");
	if (r == 0)
		*ret = got.value.real;
	if (r == 0 && same == 0)
		cr_expect_eq(point.sample.value.real, got.value.real);
	return r;
}

void eight_runs(void)
{
	for (int64_t i = 0; i < MERGE_RUNS; i++) {
		add_seconds(&world.one, i * 1000, 1000);
		add_seconds(&world.two, i * 10, 10);
		cr_assert_eq(checkpoint(), 0);
	}
}

void a_day(void)
{
	for (int64_t i = 0; i < MERGE_RUNS; i++) {
		add_seconds(&world.one, i * 3 * 3600, 3 * 3600);
		cr_assert_eq(checkpoint(), 0);
	}
}

struct bucket_range hours(int64_t from_s, int64_t to_s)
{
	return (struct bucket_range){from_s * SECOND_NS, to_s * SECOND_NS, HOUR_NS, 1000};
}
