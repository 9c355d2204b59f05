/* SPDX-License-Identifier: Apache-2.0 */
/* Many twins and rows at a time. */
#include <criterion/criterion.h>
#include <stdio.h>
#include <string.h>

#include "tests/lib/must.h"
#include "tests/unit/storage/world.h"

enum { TWINS = 500, ROOM = 37 };

TestSuite(scan, .init = world_begin, .fini = world_end);

static const char *id_of(int i)
{
	static char id[32];

	snprintf(id, sizeof id, "acme/t%d", i);
	return id;
}

static void fill(void)
{
	world_types();
	for (int i = 0; i < TWINS; i++)
		must(world_twin(id_of(i), i % 5 == 0 ? "line" : "press",
				i % 5 == 0 ? KIND_SYSTEM : KIND_ASSET) == 0);
	for (int i = 0; i < TWINS; i += 7)
		must(world_delete(id_of(i)) == 0);
}

static void put_text(int i, const char *property, enum value_type type, int64_t t_ns, const char *text)
{
	struct sample s = {.t_ns = t_ns, .value = {.type = type, .text = text}, .sigma = NAN};

	must(world_do(&(struct op){
		     .kind = OP_SAMPLES,
		     .samples = {.twin = id_of(i), .property = property, .samples = &s, .n = 1}}) == 0);
}

Test(scan, twins_come_in_id_order_without_tombstones)
{
	const struct twin *run[ROOM], *expected = NULL;
	const char *after = "";
	size_t n, total = 0;

	fill();
	while ((n = store_twins(world.store, after, run, ROOM)) > 0) {
		for (size_t i = 0; i < n; i++, total++) {
			expected = store_twin_next(world.store, "", expected ? expected->id : "");
			cr_assert(run[i] == expected);
		}
		after = run[n - 1]->id;
	}
	cr_expect_null(store_twin_next(world.store, "", expected->id));
	cr_expect_eq(total, TWINS - TWINS / 7 - 1);
}

Test(scan, each_twin_lies_somewhere_in_memory_once)
{
	const struct twin *run[ROOM];
	size_t n, total = 0, seen[TWINS] = {0};
	uint32_t at = 0;

	fill();
	while ((n = store_twins_stored(world.store, &at, run, ROOM)) > 0)
		for (size_t i = 0; i < n; i++, total++) {
			int number;
			cr_assert_eq(sscanf(run[i]->id, "acme/t%d", &number), 1);
			cr_expect(run[i] == store_twin(world.store, run[i]->id));
			cr_expect_eq(seen[number]++, 0);
		}
	cr_expect_eq(total, TWINS - TWINS / 7 - 1);
}

/* The numbers of the twins that have it, in the order in which they are found. */
static const char *having(const char *text)
{
	static char list[256];
	size_t len = 0, property;
	uint32_t at = 0;

	list[0] = '\0';
	while ((at = store_series_with_text(world.store, text, at)) > 0) {
		const struct twin *t = store_series_owner(world.store, at++, &property);
		cr_assert_not_null(t);
		len += (size_t)snprintf(list + len, sizeof list - len, "%s ", t->id + strlen("acme/t"));
	}
	return list;
}

Test(scan, a_text_leads_to_who_has_it_now)
{
	fill();
	put_text(1, "note", VALUE_TEXT, 10, "blue");
	put_text(3, "mode", VALUE_ENUM, 10, "auto");
	put_text(499, "note", VALUE_TEXT, 10, "blue");
	put_text(1, "mode", VALUE_ENUM, 10, "auto");
	cr_expect_str_eq(having("blue"), "1 499 ");
	cr_expect_str_eq(having("auto"), "1 3 ");
	cr_expect_str_eq(having("green"), "");
	put_text(499, "note", VALUE_TEXT, 20, "green");
	put_text(3, "mode", VALUE_ENUM, 5, "manual");
	cr_expect_str_eq(having("blue"), "1 ");
	cr_expect_str_eq(having("green"), "499 ");
	cr_expect_str_eq(having("manual"), "", "it came too late");
	must(world_delete(id_of(1)) == 0);
	cr_expect_str_eq(having("blue"), "");
	cr_expect_str_eq(having("auto"), "3 ");
	world_checkpoint();
	world_reopen();
	cr_expect_str_eq(having("green"), "499 ");
	cr_expect_str_eq(having("auto"), "3 ");
}
