/* SPDX-License-Identifier: Apache-2.0 */
#include "storage/trust_store.h"

#include <criterion/criterion.h>
#include <stdio.h>

#include "tests/lib/must.h"
#include "tests/lib/tmpdir.h"
#include "tests/unit/storage/damage.h"

static char dir[128];
static struct trust_store *store;
static struct arena *arena;

static void open_store(void)
{
	trust_store_close(store);
	store = NULL;
	must(trust_store_open(&store, dir, NULL) == 0);
}

static void begin(void)
{
	snprintf(dir, sizeof dir, "%s/store", tmpdir_make());
	must(arena_new(&arena, SIZE_MAX) == 0);
	open_store();
}

static void end(void)
{
	trust_store_close(store);
	store = NULL;
	arena_free(arena);
	arena = NULL;
	tmpdir_remove();
}

TestSuite(trust_store, .init = begin, .fini = end);

static void put(const char *key, const char *value)
{
	cr_assert_eq(trust_store_put(store, key, bytes_of_text(value)), 0);
}

static const char *get(const char *key)
{
	struct bytes value;
	const int r = trust_store_get(store, arena, key, &value);

	return r == 0 ? arena_text(arena, value) : r == TRUST_STORE_ABSENT ? "absent" : err_text(r);
}

Test(trust_store, what_was_removed_is_gone_for_good)
{
	put("bundle/bolt", "one");
	put("bundle/volt", "two");
	cr_expect_eq(trust_store_remove(store, "bundle/bolt"), 0);
	cr_expect_eq(trust_store_remove(store, "bundle/bolt"), 0, "absent already is fine");
	open_store();
	cr_expect_str_eq(get("bundle/bolt"), "absent");
	cr_expect_str_eq(get("bundle/volt"), "two");
}

Test(trust_store, keeps_what_was_put)
{
	put("policy", "one");
	put("epoch/volt", "");
	put("policy", "two");
	open_store();
	cr_expect_str_eq(get("policy"), "two");
	cr_expect_str_eq(get("epoch/volt"), "");
	cr_expect_str_eq(get("epoch/bolt"), "absent");
}

Test(trust_store, lists_keys_by_prefix)
{
	const char *keys[] = {"bundle/volt", "own", "bundle/bolt", "bundle", "bundle/"}, *key = "";
	const char *expected[] = {"bundle/", "bundle/bolt", "bundle/volt"};
	struct bytes value;

	for (int i = 0; i < 5; i++)
		put(keys[i], keys[i]);
	for (int i = 0; i < 3; i++) {
		cr_assert_eq(trust_store_next(store, arena, "bundle/", key, &key, &value), 0);
		cr_expect_str_eq(key, expected[i]);
		cr_expect(bytes_equal(value, bytes_of_text(expected[i])));
	}
	cr_expect_eq(trust_store_next(store, arena, "bundle/", key, &key, &value), TRUST_STORE_ABSENT);
	cr_expect_eq(trust_store_next(store, arena, "x", "", &key, &value), TRUST_STORE_ABSENT);
}

Test(trust_store, damage_is_told)
{
	put("policy", "share everything with everybody");
	trust_store_close(store);
	store = NULL;
	char path[256];
	snprintf(path, sizeof path, "%s/trust", dir);
	cr_assert(damage_file(path, "share everything with everybody"));
	struct err_note note = {0};
	cr_expect_eq(trust_store_open(&store, dir, &note), ERR_CORRUPT);
	cr_expect(strstr(note.text, path) && strstr(note.text, "backup"), "%s", note.text);
}

Test(trust_store, a_key_that_is_too_long_is_refused)
{
	char key[600];

	memset(key, 'k', sizeof key - 1);
	key[sizeof key - 1] = '\0';
	cr_expect_eq(trust_store_put(store, key, BYTES("x")), -ENAMETOOLONG);
}
