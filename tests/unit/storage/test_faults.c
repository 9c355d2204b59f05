/* SPDX-License-Identifier: Apache-2.0 */
#include <criterion/criterion.h>
#include <signal.h>
#include <stdio.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "storage/env.h"
#include "tests/lib/must.h"
#include "tests/unit/storage/damage.h"
#include "tests/unit/storage/world.h"

TestSuite(faults, .init = world_begin, .fini = world_end);

static const char *part(const char *name)
{
	static char path[256];

	snprintf(path, sizeof path, "%s/%s", world.dir, name);
	return path;
}

static void close_store(void)
{
	store_close(world.store);
	world.store = NULL;
}

static void check_refused(int r, int expected, const char *why)
{
	cr_expect_eq(r, expected, "%d: %s", r, world.note.text);
	cr_expect(strstr(world.note.text, why), "'%s' does not say '%s'", world.note.text, why);
	cr_expect(strstr(world.note.text, world.dir), "'%s' does not say where", world.note.text);
}

/* ---- Who may open -----------------------------------------------------------------------------------------
 */

Test(faults, a_second_process_is_refused)
{
	const pid_t child = fork();

	must(child >= 0);
	if (child == 0) {
		world.store = NULL; /* the parent's */
		const int r = world_try_open("acme", "north");
		_exit(r == ERR_REFUSED && strstr(world.note.text, "in use by another process") ? 0 : 1);
	}
	int status;
	must(waitpid(child, &status, 0) == child);
	cr_expect(WIFEXITED(status) && WEXITSTATUS(status) == 0);
	cr_expect_eq(world_twin("acme/a", "", KIND_ASSET), 0, "the first one goes on");
	world_reopen();
}

Test(faults, another_owner_is_refused)
{
	close_store();
	check_refused(world_try_open("volt", "north"), ERR_REFUSED, "belongs to acme/north");
	check_refused(world_try_open("acme", "south"), ERR_REFUSED, "not to acme/south");
	cr_expect_eq(world_try_open("acme", "north"), 0);
}

/* Put a record into an environment of the closed store. */
static void put_raw(const char *name, struct bytes key, struct bytes value)
{
	SCOPED(scope_env) struct env *env = NULL;
	SCOPED(scope_env_txn) struct env_txn *t = NULL;

	must(env_open(&env, part(name), 1 << 20, NULL) == 0);
	must(env_begin(env, ENV_WRITE, &t) == 0);
	must(env_put(t, key, value) == 0);
	must(env_commit(&t) == 0);
}

Test(faults, a_newer_format_is_refused)
{
	const uint8_t meta[] = {0, 0, 0, 99, 1, 2, 3};

	close_store();
	put_raw("state", BYTES("M"), (struct bytes){meta, sizeof meta});
	check_refused(world_try_open("acme", "north"), ERR_VERSION, "format 99");
	cr_expect(strstr(world.note.text, "newer version"));
}

/* ---- A clock that is set back -----------------------------------------------------------------------------
 */

Test(faults, a_clock_set_back_while_running_stops_nothing)
{
	struct store_position before, after;

	world_types();
	must(world_twin("acme/a", "press", KIND_ASSET) == 0);
	must(world_sample("acme/a", NOW, 1) == 0);
	store_position(world.store, &before);
	world.now_ns -= 3600 * NS_PER_S;
	cr_expect(checkpoint_due(world.store, world.now_ns), "it is not put off by an hour");
	cr_expect_eq(world_sample("acme/a", NOW + 1, 2), STORE_REFUSED);
	cr_expect(strstr(world.note.text, "ahead of the clock"), "%s", world.note.text);
	cr_expect_eq(world_sample("acme/a", world.now_ns, 3), 0, "a late one is taken");
	cr_expect_eq(world_twin("acme/b", "press", KIND_ASSET), 0);
	store_position(world.store, &after);
	cr_expect(after.stamp_ns > before.stamp_ns, "stamps never go back");
	world_checkpoint();
	cr_expect_eq(temperature_at("acme/a", TIME_MAX), 1, "the newest measurement is the present value");
}

/* ---- Rot --------------------------------------------------------------------------------------------------
 */

static void make_series(void)
{
	world_types();
	must(world_twin("acme/a", "press", KIND_ASSET) == 0);
	for (int i = 0; i < 8; i++) {
		struct sample s = {.t_ns = i,
				   .value = {.type = VALUE_TEXT, .text = "a needle in the haystack"},
				   .sigma = NAN};
		s.quality = (enum quality)(i % 2);
		must(world_do(&(struct op){.kind = OP_SAMPLES, .samples = {"acme/a", "note", &s, 1}}) == 0);
	}
	world_checkpoint();
}

Test(faults, a_damaged_chunk_is_never_served)
{
	struct sample s, *many;
	size_t n;
	bool more;

	make_series();
	close_store();
	cr_assert(damage_file(part("history/0000000001"), "a needle in the haystack"));
	cr_assert_eq(world_try_open("acme", "north"), 0, "%s", world.note.text);
	const struct twin *t = store_twin(world.store, "acme/a");
	cr_expect_eq(store_value_at(world.store, t, property_of(t, "note"), 3, world.arena, &s), ERR_CORRUPT);
	cr_expect_eq(
		store_history(world.store, t, property_of(t, "note"), 0, 9, 9, world.arena, &many, &n, &more),
		ERR_CORRUPT);
	cr_expect_str_eq(store_value(world.store, t, property_of(t, "note")).value.text,
			 "a needle in the haystack", "the present value is in state/");
}

Test(faults, damaged_state_is_told_at_opening)
{
	make_series();
	close_store();
	cr_assert(damage_file(part("state"), "a needle in the haystack"));
	check_refused(world_try_open("acme", "north"), ERR_CORRUPT, "state/data.mdb");
}

Test(faults, a_damaged_log_is_told_at_opening)
{
	world_types();
	must(world_twin("acme/needle-in-haystack", "", KIND_ASSET) == 0);
	close_store();
	cr_assert(damage_file(part("log/0000000001"), "needle-in-haystack"));
	check_refused(world_try_open("acme", "north"), ERR_CORRUPT, "log/0000000001");
}

Test(faults, files_of_different_times_are_told)
{
	make_series();
	close_store();
	must(env_remove(part("remote")) == 0);
	check_refused(world_try_open("acme", "north"), ERR_CORRUPT, "different times");
}

Test(faults, a_missing_run_is_told)
{
	make_series();
	close_store();
	must(env_remove(part("history/0000000001")) == 0);
	check_refused(world_try_open("acme", "north"), ERR_CORRUPT, "history/0000000001 is missing");
}

static void copy_file(const char *from, const char *to)
{
	static char bytes[1 << 20];
	FILE *in = fopen(part(from), "rb"), *out;

	must(in);
	const size_t n = fread(bytes, 1, sizeof bytes, in);
	must(n > 0 && n < sizeof bytes && fclose(in) == 0);
	out = fopen(part(to), "wb");
	must(out && fwrite(bytes, 1, n, out) == n && fclose(out) == 0);
}

/* Whoever brings the right files back finds everything as it was. */
Test(faults, what_does_not_open_is_left_as_it_is)
{
	make_series();
	copy_file("state/data.mdb", "old.mdb");
	must(world_sample("acme/a", 1, 1) == 0);
	world_checkpoint();
	must(world_sample("acme/a", 2, 2) == 0);
	close_store();
	copy_file("state/data.mdb", "new.mdb");
	copy_file("old.mdb", "state/data.mdb");
	cr_assert_eq(world_try_open("acme", "north"), ERR_CORRUPT, "the log begins later");
	copy_file("new.mdb", "state/data.mdb");
	cr_assert_eq(world_try_open("acme", "north"), 0, "%s", world.note.text);
	cr_expect_str_eq(temperatures("acme/a", 0, 9), "1=1 2=2");
}

Test(faults, an_older_format_is_refused_with_what_to_do)
{
	const uint8_t meta[] = {0, 0, 0, 2, 1, 2, 3};

	close_store();
	put_raw("state", BYTES("M"), (struct bytes){meta, sizeof meta});
	check_refused(world_try_open("acme", "north"), ERR_VERSION, "format 2");
	cr_expect(strstr(world.note.text, "let the node begin a new one"));
}

Test(faults, a_log_without_a_state_is_told)
{
	must(world_twin("acme/a", "", KIND_ASSET) == 0);
	close_store();
	must(env_remove(part("state")) == 0);
	check_refused(world_try_open("acme", "north"), ERR_CORRUPT, "state/ is empty");
}

/* ---- No room ----------------------------------------------------------------------------------------------
 */

static int write_much(int64_t i)
{
	static char text[4001];
	struct sample s = {.t_ns = i, .value = {.type = VALUE_TEXT, .text = text}, .sigma = NAN};

	memset(text, 'a' + (int)(i % 26), sizeof text - 1);
	return world_do(&(struct op){.kind = OP_SAMPLES, .samples = {"acme/a", "note", &s, 1}});
}

Test(faults, a_full_log_is_read_on_and_written_again_after_a_checkpoint)
{
	int64_t i = 0;
	int r = 0;

	close_store();
	world.limit_bytes = 1 << 20;
	world_reopen();
	world_types();
	must(world_twin("acme/a", "press", KIND_ASSET) == 0);
	while (r == 0)
		r = write_much(i++);
	cr_assert_eq(r, ERR_FULL);
	cr_assert(i > 20);
	const struct twin *t = store_twin(world.store, "acme/a");
	const size_t note = property_of(t, "note");
	cr_expect_eq(store_value(world.store, t, note).t_ns, i - 2, "what was refused does not show");
	cr_expect_eq(write_much(i), ERR_FULL, "nor is it taken later");
	world_reopen();
	t = store_twin(world.store, "acme/a");
	cr_expect_eq(store_value(world.store, t, note).t_ns, i - 2);
}

Test(faults, full_environments_lose_nothing)
{
	struct checkpoint *c;
	int64_t i = 0;
	int r = 0;

	close_store();
	world.limit_bytes = 1 << 20;
	world_reopen();
	world_types();
	must(world_twin("acme/a", "press", KIND_ASSET) == 0);
	while (r == 0) {
		for (int k = 0; k < 10 && r == 0; k++)
			r = write_much(i++);
		must(r == 0 && checkpoint_begin(world.store, &c) == 0);
		r = checkpoint_write(c);
		checkpoint_end(world.store, c, r == 0);
	}
	cr_assert_eq(r, ERR_FULL, "the history is full");
	for (int round = 0; round < 2; round++) {
		struct sample *s;
		size_t n;
		bool more;
		const struct twin *t = store_twin(world.store, "acme/a");
		const size_t note = property_of(t, "note");
		cr_assert_eq(store_history(world.store, t, note, 0, i, 1000, world.arena, &s, &n, &more), 0);
		cr_assert_eq(n, (size_t)i);
		cr_expect_eq(write_much(i++), 0, "the log has room");
		world.limit_bytes = 64 << 20;
		world_reopen();
	}
	world_checkpoint();
}

/* ---- The disk says no -------------------------------------------------------------------------------------
 */

static void limit_files(rlim_t bytes)
{
	struct rlimit limit;

	must(getrlimit(RLIMIT_FSIZE, &limit) == 0);
	limit.rlim_cur = bytes;
	must(setrlimit(RLIMIT_FSIZE, &limit) == 0);
}

Test(faults, a_write_that_failed_may_be_tried_again)
{
	SCOPED(scope_batch) struct batch *b = NULL;
	const struct op op = {.kind = OP_TWIN, .twin = {.id = "acme/b", .type = "", .name = ""}};

	signal(SIGXFSZ, SIG_IGN);
	must(world_twin("acme/a", "", KIND_ASSET) == 0);
	must(batch_new(&b) == 0);
	cr_assert_eq(store_stage(world.store, b, &op, world.now_ns, NULL, &world.note), 0);
	limit_files(4096);
	for (int i = 0; i < 3; i++)
		cr_expect_eq(store_write(world.store, b), -EFBIG);
	cr_expect_not_null(store_twin(world.store, "acme/a"), "it is read on");
	limit_files(RLIM_INFINITY);
	cr_assert_eq(store_write(world.store, b), 0);
	cr_assert_eq(store_apply(world.store, b, world.now_ns), 0);
	world_reopen();
	cr_expect(store_twin(world.store, "acme/a") && store_twin(world.store, "acme/b"));
}

Test(faults, a_checkpoint_that_failed_loses_nothing)
{
	struct checkpoint *c;

	signal(SIGXFSZ, SIG_IGN);
	world_types();
	must(world_twin("acme/a", "press", KIND_ASSET) == 0);
	must(world_sample("acme/a", 1, 1) == 0);
	limit_files(4096);
	for (int i = 0; i < 3; i++) {
		cr_assert_eq(checkpoint_begin(world.store, &c), 0);
		cr_expect_eq(checkpoint_write(c), -EFBIG);
		checkpoint_end(world.store, c, false);
		cr_expect_eq(temperature_at("acme/a", 1), 1, "it is read on");
	}
	limit_files(RLIM_INFINITY);
	must(world_sample("acme/a", 2, 2) == 0);
	world_checkpoint();
	world_reopen();
	cr_expect_str_eq(temperatures("acme/a", 0, 9), "1=1 2=2");
}
