/* SPDX-License-Identifier: Apache-2.0 */
/* A process writes batches and reports each acknowledged one; it is killed at some moment, and the store must
 * hold all that was acknowledged, and of the rest whole batches or nothing. */
#include <criterion/criterion.h>
#include <signal.h>
#include <stdio.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "tests/lib/must.h"
#include "tests/unit/storage/world.h"

enum { ROUNDS = 20, CHECKPOINT_EVERY = 16 };

TestSuite(kill, .init = world_begin, .fini = world_end);

static void stage(struct batch *b, const char *id, int64_t n)
{
	struct sample s = number_at(n, (double)(n % 400));
	const struct op op = {.kind = OP_SAMPLES, .samples = {id, "temperature", &s, 1}};

	must(store_stage(world.store, b, &op, world.now_ns, NULL, NULL) == 0);
}

/* Batch n: a sample at time n of both twins. */
static void write_batch(int64_t n)
{
	SCOPED(scope_batch) struct batch *b = NULL;

	must(batch_new(&b) == 0);
	world.now_ns += NS_PER_MS;
	stage(b, "acme/a", n);
	stage(b, "acme/b", n);
	must(world_commit(b) == 0);
}

static void write_for_ever(int64_t n, int report)
{
	world_reopen();
	for (;; n++) {
		write_batch(n);
		must(write(report, &n, sizeof n) == sizeof n);
		if (n % CHECKPOINT_EVERY == 0)
			world_checkpoint();
	}
}

/* Kill it so long after its first report; the last batch that it reported. */
static int64_t run_and_kill(int64_t first, int64_t for_ns)
{
	int64_t n, last;
	int ends[2];

	must(pipe(ends) == 0);
	const pid_t child = fork();
	must(child >= 0);
	if (child == 0) {
		close(ends[0]);
		write_for_ever(first, ends[1]);
	}
	close(ends[1]);
	must(read(ends[0], &last, sizeof last) == sizeof last);
	nanosleep(&(struct timespec){.tv_nsec = for_ns}, NULL);
	kill(child, SIGKILL);
	while (read(ends[0], &n, sizeof n) == sizeof n)
		last = n;
	close(ends[0]);
	must(waitpid(child, NULL, 0) == child);
	return last;
}

/* All batches up to the last one that is there, which is returned. */
static int64_t check_twin(const char *id)
{
	const struct twin *t = store_twin(world.store, id);
	struct sample *s;
	size_t n;
	bool more;

	arena_reset(world.arena);
	cr_assert_eq(store_history(world.store, t, property_of(t, "temperature"), TIME_MIN, TIME_MAX,
				   SIZE_MAX, world.arena, &s, &n, &more),
		     0);
	for (size_t i = 0; i < n; i++)
		cr_assert(s[i].t_ns == (int64_t)i + 1 && s[i].value.real == (double)(s[i].t_ns % 400),
			  "%s at %zu", id, i);
	cr_assert(n == 0 || store_value(world.store, t, property_of(t, "temperature")).t_ns == (int64_t)n);
	return (int64_t)n;
}

Test(kill, nothing_acknowledged_is_lost_and_nothing_is_half_there)
{
	int64_t done = 0, total = 0;

	world_types();
	cr_assert_eq(world_twin("acme/a", "press", KIND_ASSET), 0);
	cr_assert_eq(world_twin("acme/b", "press", KIND_ASSET), 0);
	for (int round = 0; round < ROUNDS; round++) {
		store_close(world.store);
		world.store = NULL;
		const int64_t acknowledged = run_and_kill(done + 1, round * 4 * NS_PER_MS);
		total += acknowledged - done;
		world_reopen();
		done = check_twin("acme/a");
		cr_assert_eq(check_twin("acme/b"), done, "both halves of every batch");
		cr_assert(done >= acknowledged && done <= acknowledged + 1, "%d acknowledged, %d there",
			  (int)acknowledged, (int)done);
		struct store_position p;
		store_position(world.store, &p);
		cr_assert_eq(p.seq, 2 + 2 * (uint64_t)done);
	}
	cr_assert(total > 2 * ROUNDS, "the rounds were long enough to write something");
}
