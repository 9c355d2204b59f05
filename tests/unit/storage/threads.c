/* SPDX-License-Identifier: Apache-2.0 */
/* The threads of a store at work together: one appends to the log, one writes behind, and the loop meanwhile
 * reads, begins checkpoints and ends them. A plain program, because ThreadSanitizer does not run under
 * Criterion. */
#include <pthread.h>
#include <stdio.h>

#include "tests/lib/must.h"
#include "tests/unit/storage/world.h"

enum { BATCHES = 300, CHECKPOINT_EVERY = 7 };

static void *append(void *batch)
{
	must(store_write(world.store, batch) == 0);
	return NULL;
}

static void *write_behind(void *checkpoint)
{
	must(checkpoint_write(checkpoint) == 0);
	return NULL;
}

static void stage(struct batch *b, int64_t n)
{
	struct sample s = number_at(n, (double)(n % 400));
	const struct op sample = {.kind = OP_SAMPLES, .samples = {"acme/a", "temperature", &s, 1}};
	const struct op relation = {.kind = OP_RELATION, .relation = {"feeds", "acme/a", "volt/x", 0, n}};

	world.now_ns += NS_PER_MS;
	must(store_stage(world.store, b, &sample, world.now_ns, NULL, &world.note) == 0);
	must(store_stage(world.store, b, &relation, world.now_ns, NULL, &world.note) == 0);
}

static void read_all(int64_t n)
{
	struct store_position p;

	arena_reset(world.arena);
	for (int64_t t = n > 20 ? n - 20 : 1; t < n; t++)
		must(temperature_at("acme/a", t) == (double)(t % 400));
	store_position(world.store, &p);
	must(p.seq >= 1);
}

/* A checkpoint in flight over several batches. */
struct flight {
	pthread_t thread;
	struct checkpoint *checkpoint;
};

static void step(int64_t n, struct flight *f)
{
	SCOPED(scope_batch) struct batch *b = NULL;
	pthread_t writer;

	must(batch_new(&b) == 0);
	stage(b, n);
	must(pthread_create(&writer, NULL, append, b) == 0);
	read_all(n);
	if (n % CHECKPOINT_EVERY == 0) {
		must(checkpoint_begin(world.store, &f->checkpoint) == 0);
		must(checkpoint_take(f->checkpoint) >= 0);
		must(checkpoint_take(f->checkpoint) == 1);
		must(pthread_create(&f->thread, NULL, write_behind, f->checkpoint) == 0);
	}
	if (n % CHECKPOINT_EVERY == 3 && f->checkpoint) {
		pthread_join(f->thread, NULL);
		checkpoint_end(world.store, f->checkpoint, n % 2 == 0);
		f->checkpoint = NULL;
	}
	read_all(n);
	pthread_join(writer, NULL);
	must(store_apply(world.store, b, world.now_ns) == 0);
}

int main(void)
{
	struct flight f = {0};

	world_begin();
	world_types();
	must(world_twin("acme/a", "press", KIND_ASSET) == 0);
	for (int64_t n = 1; n <= BATCHES; n++)
		step(n, &f);
	if (f.checkpoint) {
		pthread_join(f.thread, NULL);
		checkpoint_end(world.store, f.checkpoint, true);
	}
	world_reopen();
	read_all(BATCHES + 1);
	world_end();
	puts("ok");
	return 0;
}
