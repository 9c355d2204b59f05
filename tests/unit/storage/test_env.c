/* SPDX-License-Identifier: Apache-2.0 */
#include "storage/env.h"

#include <criterion/criterion.h>
#include <signal.h>
#include <stdio.h>
#include <sys/stat.h>

#include "tests/lib/must.h"
#include "tests/lib/tmpdir.h"
#include "tests/unit/storage/damage.h"

static char dir[128];
static struct env *env;

static void open_env(size_t limit_bytes)
{
	struct err_note note = {0};

	env_close(env);
	env = NULL;
	cr_assert_eq(env_open(&env, dir, limit_bytes, &note), 0, "%s", note.text);
}

static void begin(void)
{
	snprintf(dir, sizeof dir, "%s/env", tmpdir_make());
	open_env(1 << 20);
}

static void end(void)
{
	env_close(env);
	env = NULL;
	tmpdir_remove();
}

TestSuite(env, .init = begin, .fini = end);

static void put(const char *key, const char *value)
{
	SCOPED(scope_env_txn) struct env_txn *t = NULL;

	cr_assert_eq(env_begin(env, ENV_WRITE, &t), 0);
	cr_assert_eq(env_put(t, bytes_of_text(key), bytes_of_text(value)), 0);
	cr_assert_eq(env_commit(&t), 0);
}

static int get(const char *key)
{
	SCOPED(scope_env_txn) struct env_txn *t = NULL;
	struct bytes value;

	cr_assert_eq(env_begin(env, ENV_READ, &t), 0);
	return env_get(t, bytes_of_text(key), &value);
}

/* The keys of a walk as one text; with `floor` the walk begins behind the pair it finds there. */
static const char *walk(const char *prefix, const char *floor)
{
	static char out[256];
	SCOPED(scope_env_txn) struct env_txn *t = NULL;
	size_t n = 0;

	cr_assert_eq(env_begin(env, ENV_READ, &t), 0);
	SCOPED(env_walk_end) struct env_walk w = env_walk_begin(t, bytes_of_text(prefix));
	out[0] = '\0';
	if (floor)
		n += (size_t)snprintf(out, sizeof out, "%d:", env_walk_floor(&w, bytes_of_text(floor)));
	while (env_walk_next(&w) > 0)
		n += (size_t)snprintf(out + n, sizeof out - n, "%.*s ", (int)w.key.len,
				      (const char *)w.key.data);
	return out;
}

Test(env, absence_is_an_answer)
{
	put("a", "1");
	cr_expect_eq(get("a"), 0);
	cr_expect_eq(get("b"), ENV_ABSENT);
}

Test(env, what_is_committed_is_there_after_opening_again)
{
	put("a", "1");
	open_env(1 << 20);
	cr_expect_eq(get("a"), 0);
}

Test(env, what_is_aborted_never_was)
{
	struct env_txn *t;

	cr_assert_eq(env_begin(env, ENV_WRITE, &t), 0);
	cr_assert_eq(env_put(t, BYTES("a"), BYTES("1")), 0);
	env_abort(t);
	cr_expect_eq(get("a"), ENV_ABSENT);
}

Test(env, walks_the_keys_of_a_prefix_in_order)
{
	put("b2", "");
	put("a", "");
	put("c", "");
	put("b1", "");
	cr_expect_str_eq(walk("b", NULL), "b1 b2 ");
	cr_expect_str_eq(walk("", NULL), "a b1 b2 c ");
	cr_expect_str_eq(walk("x", NULL), "");
}

Test(env, goes_to_the_last_key_at_or_before_one)
{
	put("a", "");
	put("b3", "");
	put("b5", "");
	put("c", "");
	cr_expect_str_eq(walk("b", "b5"), "1:");
	cr_expect_str_eq(walk("b", "b4"), "1:b5 ");
	cr_expect_str_eq(walk("b", "b3"), "1:b5 ");
	cr_expect_str_eq(walk("b", "b2"), "0:b3 b5 ", "none: begins at the first");
	cr_expect_str_eq(walk("b", "b9"), "1:");
	cr_expect_str_eq(walk("d", "d"), "0:");
	cr_expect_str_eq(walk("c", "c1"), "1:", "at the very end");
}

Test(env, a_flipped_bit_is_found)
{
	put("key", "a value that is easily found");
	env_close(env);
	env = NULL;
	cr_assert(damage_file(dir, "a value that is easily found"));
	open_env(1 << 20);
	cr_expect_eq(get("key"), ERR_CORRUPT);
}

Test(env, a_file_that_is_no_environment_is_told)
{
	struct err_note note = {0};

	env_close(env);
	env = NULL;
	must(damage_whole_file(dir));
	cr_expect_eq(env_open(&env, dir, 1 << 20, &note), ERR_CORRUPT);
	cr_expect(strstr(note.text, dir) && strstr(note.text, "backup"), "%s", note.text);
}

Test(env, a_full_one_goes_on_being_read)
{
	static const uint8_t big[64 * 1024];
	int r = 0;

	put("a", "1");
	for (unsigned char i = 0; r == 0; i++) {
		SCOPED(scope_env_txn) struct env_txn *t = NULL;
		cr_assert_eq(env_begin(env, ENV_WRITE, &t), 0);
		r = env_put(t, (struct bytes){&i, 1}, (struct bytes){big, sizeof big});
		if (r == 0)
			cr_assert_eq(env_commit(&t), 0);
	}
	cr_expect_eq(r, ERR_FULL);
	cr_expect_eq(get("a"), 0);
	open_env(2 << 20);
	put("b", "more room");
	cr_expect_eq(get("b"), 0);
}

Test(env, a_walk_must_end_before_its_transaction, .signal = SIGABRT)
{
	struct env_txn *t;

	put("a", "1");
	cr_assert_eq(env_begin(env, ENV_READ, &t), 0);
	struct env_walk w = env_walk_begin(t, BYTES("a"));
	cr_assert_eq(env_walk_next(&w), 1);
	env_abort(t);
}

Test(env, one_that_was_never_finished_is_made_anew)
{
	char beside[160];
	struct stat st;

	env_close(env);
	env = NULL;
	must(env_remove(dir) == 0);
	snprintf(beside, sizeof beside, "%s.new", dir);
	must(env_make_dir(beside, NULL) == 0); /* the power went away while it was made */
	must(env_make_dir(dir, NULL) == 0);    /* or somebody made an empty directory */
	open_env(1 << 20);
	put("a", "1");
	cr_expect_eq(get("a"), 0);
	cr_expect_neq(stat(beside, &st), 0);
}

Test(env, appending_takes_keys_in_order_only)
{
	SCOPED(scope_env_txn) struct env_txn *t = NULL;

	cr_assert_eq(env_begin(env, ENV_WRITE, &t), 0);
	cr_assert_eq(env_append(t, BYTES("b"), BYTES("1")), 0);
	cr_assert_eq(env_append(t, BYTES("c"), BYTES("2")), 0);
	cr_expect_eq(env_append(t, BYTES("a"), BYTES("3")), -EEXIST);
	cr_assert_eq(env_commit(&t), 0);
	cr_expect_str_eq(walk("", NULL), "b c ");
	cr_expect_eq(get("c"), 0);
}

Test(env, a_walk_of_keys_looks_at_values_when_asked)
{
	SCOPED(scope_env_txn) struct env_txn *t = NULL;
	struct bytes value;

	put("a", "sound");
	put("b", "rotten-value");
	env_close(env);
	env = NULL;
	cr_assert(damage_file(dir, "rotten-value"));
	open_env(1 << 20);
	cr_assert_eq(env_begin(env, ENV_READ, &t), 0);
	SCOPED(env_walk_end) struct env_walk w = env_walk_begin(t, BYTES(""));
	w.keys_only = true;
	cr_assert_eq(env_walk_next(&w), 1);
	cr_assert_eq(env_walk_value(&w, &value), 0);
	cr_expect(bytes_equal(value, BYTES("sound")));
	cr_assert_eq(env_walk_next(&w), 1);
	cr_expect_eq(env_walk_value(&w, &value), ERR_CORRUPT);
	cr_expect_eq(w.stored.len, ENV_OVERHEAD + strlen("rotten-value"));
}
