/* SPDX-License-Identifier: Apache-2.0 */
#include "storage/env_check.h"

#include <criterion/criterion.h>
#include <stdio.h>
#include <unistd.h>

#include "proto/buf.h"
#include "storage/env.h"
#include "tests/lib/must.h"
#include "tests/lib/tmpdir.h"
#include "tests/unit/storage/damage.h"

enum { KEYS = 4000, ROUNDS = 60, CHANGES = 300, BIG = 20000 };

static char dir[128];
static struct env *env;
static struct err_note note;

static void close_env(void)
{
	env_close(env);
	env = NULL;
}

static void open_env(void)
{
	close_env();
	cr_assert_eq(env_open(&env, dir, 256 << 20, &note), 0, "%s", note.text);
}

static void begin(void)
{
	snprintf(dir, sizeof dir, "%s/env", tmpdir_make());
	open_env();
}

static void end(void)
{
	close_env();
	tmpdir_remove();
}

TestSuite(env_check, .init = begin, .fini = end);

static uint32_t chance(uint32_t n)
{
	static uint64_t state = 7;

	state = state * UINT64_C(6364136223846793005) + 1442695040888963407U;
	return (uint32_t)(state >> 33) % n;
}

/* A transaction of puts and deletions, of small values and some that take pages of their own. */
static void change(void)
{
	static uint8_t content[BIG];
	SCOPED(scope_env_txn) struct env_txn *t = NULL;

	cr_assert_eq(env_begin(env, ENV_WRITE, &t), 0);
	for (int i = 0; i < CHANGES; i++) {
		SCOPED(buf_fini) struct buf key = {0};
		buf_print(&key, "%0*u", 5 + (int)chance(60), chance(KEYS));
		const size_t len = chance(20) ? chance(300) : chance(BIG);
		const int r = chance(3) ? env_put(t, buf_bytes(&key), (struct bytes){content, len})
					: env_delete(t, buf_bytes(&key));
		cr_assert_eq(r, 0);
	}
	if (chance(10))
		cr_assert_eq(env_commit(&t), 0);
}

Test(env_check, a_whole_file_passes_whatever_it_went_through)
{
	for (int round = 0; round < ROUNDS; round++) {
		change();
		cr_assert_eq(env_check(dir, ENV_CHECK_VALUES, &note), 0, "round %d: %s", round, note.text);
		cr_assert_eq(env_check(dir, ENV_CHECK_KEYS, &note), 0, "round %d: %s", round, note.text);
		if (chance(4) == 0)
			open_env();
	}
}

Test(env_check, what_is_not_there_passes)
{
	close_env();
	must(env_remove(dir) == 0);
	cr_expect_eq(env_check(dir, ENV_CHECK_VALUES, &note), 0);
	cr_expect_eq(env_check_metas(dir), 0);
}

Test(env_check, a_file_that_is_cut_off_is_told)
{
	char path[160];

	for (int round = 0; round < 3; round++)
		change();
	close_env();
	const uint64_t bytes = env_dir_bytes(dir);
	snprintf(path, sizeof path, "%s/data.mdb", dir);
	must(truncate(path, (off_t)(bytes / 2)) == 0);
	cr_expect_eq(env_check(dir, ENV_CHECK_KEYS, &note), ERR_CORRUPT);
	cr_expect(strstr(note.text, path) && strstr(note.text, "backup"), "%s", note.text);
	must(truncate(path, 4096) == 0);
	cr_expect_eq(env_open(&env, dir, 256 << 20, &note), ERR_CORRUPT);
}

Test(env_check, a_value_is_looked_at_if_asked)
{
	SCOPED(scope_env_txn) struct env_txn *t = NULL;

	cr_assert_eq(env_begin(env, ENV_WRITE, &t), 0);
	cr_assert_eq(env_put(t, BYTES("k"), BYTES("a value to be found")), 0);
	cr_assert_eq(env_commit(&t), 0);
	close_env();
	cr_assert(damage_file(dir, "a value to be found"));
	cr_expect_eq(env_check(dir, ENV_CHECK_KEYS, &note), 0);
	cr_expect_eq(env_check(dir, ENV_CHECK_VALUES, &note), ERR_CORRUPT);
}
