/* SPDX-License-Identifier: Apache-2.0 */
#include "storage/values.h"

#include <criterion/criterion.h>
#include <stdio.h>

#include "storage/column.h"
#include "tests/lib/must.h"
#include "tests/lib/tmpdir.h"

enum { TWINS = 700, PLACES = 5 };

static struct values values;
static struct intern words;
static uint32_t rows[TWINS + 1]; /* first series, by twin; 0: gone */
static struct env *env;

static void begin(void)
{
	values_init(&values, &words);
	must(env_open(&env, tmpdir_make(), 1 << 24, NULL) == 0);
}

static void end(void)
{
	values_fini(&values);
	intern_fini(&words);
	env_close(env);
	tmpdir_remove();
}

TestSuite(values, .init = begin, .fini = end);

static enum value_type type_of(uint32_t place)
{
	static const enum value_type types[PLACES] = {VALUE_DOUBLE, VALUE_TEXT, VALUE_POSITION, VALUE_INT64,
						      VALUE_DOUBLE};

	return types[place];
}

static struct sample sample(uint32_t twin, uint32_t place, int64_t t_ns)
{
	static char text[32];
	struct sample s = {.t_ns = t_ns, .value.type = type_of(place), .sigma = NAN};

	snprintf(text, sizeof text, "word %u", (unsigned)(twin % 7));
	s.quality = twin % 3 == 0 ? QUALITY_BAD : QUALITY_GOOD;
	s.sigma = twin % 5 == 0 ? 0.5 * twin : (double)NAN;
	s.source = twin % 4 == 0 ? "sensor" : NULL;
	if (s.value.type == VALUE_TEXT)
		s.value.text = text;
	else if (s.value.type == VALUE_POSITION)
		s.value.position = (struct position){twin % 90, place, NAN};
	else if (s.value.type == VALUE_INT64)
		s.value.integer = -(int64_t)twin;
	else
		s.value.real = twin + place / 8.0;
	return s;
}

/* A quarter of the twins goes again; of the others two of five places are measured. */
static void fill(void)
{
	for (uint32_t twin = 1; twin <= TWINS; twin++) {
		must(values_give(&values, PLACES, twin, &rows[twin]) == 0);
		for (uint32_t i = twin % 2; i < PLACES; i += 2) {
			const struct sample s = sample(twin, i, 10);
			must(values_set(&values, rows[twin] + i, &s) == 0);
		}
	}
	for (uint32_t twin = 4; twin <= TWINS; twin += 4) {
		for (uint32_t i = 0; i < PLACES; i++)
			must(values_drop(&values, rows[twin] + i) == 0);
		rows[twin] = 0;
	}
}

static void check(int64_t t_ns)
{
	for (uint32_t twin = 1; twin <= TWINS; twin++) {
		for (uint32_t i = 0; rows[twin] > 0 && i < PLACES; i++) {
			const uint32_t series = rows[twin] + i;
			const struct sample want = sample(twin, i, t_ns),
					    have = values_get(&values, series, type_of(i));
			cr_assert_eq(values_owner(&values, series), twin);
			cr_assert_eq(have.value.type == VALUE_NONE, i % 2 != twin % 2);
			cr_assert(i % 2 != twin % 2 || sample_equal(&want, &have), "%u %u", twin, i);
		}
	}
}

static void write_changes(struct changeset *c)
{
	struct env_txn *t;

	must(env_begin(env, ENV_WRITE, &t) == 0);
	must(changeset_write(c, t) == 0);
	must(env_commit(&t) == 0);
	changeset_fini(c);
}

static void load(void)
{
	struct values from = values;
	struct env_txn *t;
	int r;

	values_init(&values, &words);
	values.next = from.next;
	for (uint32_t twin = 1; twin <= TWINS; twin++)
		if (rows[twin] > 0)
			must(values_place(&values, rows[twin], PLACES) == 0);
	must(values_index(&values) == 0);
	for (uint32_t twin = 1; twin <= TWINS; twin++)
		if (rows[twin] > 0)
			values_claim(&values, rows[twin], twin);
	must(env_begin(env, ENV_READ, &t) == 0);
	struct env_walk w = env_walk_begin(t, BYTES("v"));
	while ((r = env_walk_next(&w)) > 0)
		must(values_load(&values, w.key, w.value) == 0);
	must(r == 0);
	env_walk_end(&w);
	env_abort(t);
	values_fini(&from);
}

Test(values, what_is_set_is_got_with_its_owner)
{
	fill();
	check(10);
	for (uint32_t twin = 4; twin <= TWINS; twin += 4)
		cr_expect_eq(values_owner(&values, 1), 1);
	cr_expect_eq(values_owner(&values, 0), VALUES_NOBODY);
	cr_expect_eq(values_owner(&values, values.next), VALUES_NOBODY);
	cr_expect_eq(values_owner(&values, UINT32_MAX), VALUES_NOBODY);
}

Test(values, rows_never_lie_across_two_blocks)
{
	fill();
	for (uint32_t twin = 1; twin <= TWINS; twin++)
		cr_assert(rows[twin] == 0 || rows[twin] % VALUES_BLOCK + PLACES <= VALUES_BLOCK);
}

Test(values, older_and_equal_samples_change_nothing)
{
	uint32_t series;

	must(values_give(&values, 1, 1, &series) == 0);
	cr_expect_eq(values_set_number(&values, series, 5, 1, QUALITY_GOOD, "a"), 0);
	cr_expect_eq(values_set_number(&values, series, 5, 1, QUALITY_GOOD, "a"), VALUES_OLD);
	cr_expect_eq(values_set_number(&values, series, 4, 2, QUALITY_GOOD, "a"), VALUES_OLD);
	cr_expect_eq(values_set_number(&values, series, 5, 1, QUALITY_GOOD, "b"), 0);
	cr_expect_eq(values_set_number(&values, series, 5, 1, QUALITY_BAD, "b"), 0);
	cr_expect_str_eq(values_get(&values, series, VALUE_INT64).source, "b");
	cr_expect_eq(values_get(&values, series, VALUE_INT64).quality, QUALITY_BAD);
}

Test(values, what_was_stored_is_loaded_again)
{
	struct changeset c = {0};

	fill();
	values_freeze(&values, &c);
	cr_assert_eq(values_take(&values, SIZE_MAX), 1);
	values_thaw(&values);
	write_changes(&c);
	load();
	check(10);
}

Test(values, a_frozen_piece_is_stored_as_it_was_though_it_changes)
{
	struct changeset c = {0}, later = {0};

	fill();
	values_freeze(&values, &c);
	cr_assert_eq(values_take(&values, 1), 0, "one block of several");
	for (uint32_t twin = 1; twin <= TWINS; twin++) {
		for (uint32_t i = twin % 2; rows[twin] > 0 && i < PLACES; i += 2) {
			const struct sample s = sample(twin, i, 20);
			must(values_set(&values, rows[twin] + i, &s) == 0);
		}
	}
	cr_assert_eq(values_take(&values, SIZE_MAX), 1);
	values_thaw(&values);
	write_changes(&c);
	check(20);
	struct values now = values;
	values_freeze(&now, &later);
	must(values_take(&now, SIZE_MAX) == 1);
	values_thaw(&now);
	values = now;
	load();
	check(10);
	write_changes(&later);
	load();
	check(20);
}

Test(values, a_record_that_does_not_fit_is_corrupt)
{
	uint32_t series;
	const uint8_t key[] = {'v', 0, 0, 0, 0}, far[] = {'v', 0xff, 0xff, 0xff, 0xff};
	uint8_t value[32 + 16] = {0, 0, 0, 0, 0, 0, 0, 2};

	must(values_give(&values, 1, 1, &series) == 0);
	cr_expect_eq(values_load(&values, (struct bytes){far, 5}, (struct bytes){value, 48}), ERR_CORRUPT);
	cr_expect_eq(values_load(&values, (struct bytes){key, 5}, (struct bytes){value, 47}), ERR_CORRUPT);
	value[7] = 4; /* nobody's series */
	cr_expect_eq(values_load(&values, (struct bytes){key, 5}, (struct bytes){value, 48}), ERR_CORRUPT);
	cr_expect_eq(values_place(&values, 1, 1), ERR_CORRUPT, "two twins with one series");
	cr_expect_eq(values_place(&values, values.next, 1), ERR_CORRUPT, "a number never given");
}

/* Against looking at each. */
static void check_texts(const char *text)
{
	const char *word = intern_find(&words, text);
	uint32_t at = 0;

	for (uint32_t twin = 1; twin <= TWINS; twin++)
		for (uint32_t i = 0; i < PLACES && rows[twin]; i++) {
			const struct sample s = values_get(&values, rows[twin] + i, type_of(i));
			if (s.value.type != VALUE_TEXT || strcmp(s.value.text, text) != 0)
				continue;
			cr_assert_not_null(word);
			at = values_with_text(&values, word, at + 1);
			cr_assert_eq(at, rows[twin] + i, "%s", text);
		}
	cr_expect(!word || values_with_text(&values, word, at + 1) == 0, "%s", text);
}

Test(values, what_has_a_text_is_found)
{
	struct sample rare = {.t_ns = 20, .value = {.type = VALUE_TEXT, .text = "rare"}, .sigma = NAN};

	fill();
	check_texts("word 3");
	check_texts("word 0");
	check_texts("never");
	must(values_set(&values, rows[TWINS - 3] + 1, &rare) == 0);
	check_texts("rare");
	check_texts("word 3");
	rare.value.text = "rarer";
	rare.t_ns++;
	must(values_set(&values, rows[TWINS - 3] + 1, &rare) == 0);
	check_texts("rare");
	check_texts("rarer");
}
