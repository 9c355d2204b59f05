/* SPDX-License-Identifier: Apache-2.0 */
#include "node/behind.h"

#include <stdio.h>

#include "node/log.h"
#include "proto/clock.h"

enum {
	RETRY_S = 5, /* after a checkpoint that failed: the disk does not get room in a moment */
	SCRUB_EVERY_S = 10,
	SCRUB_AGAIN_S = 24 * 3600, /* all of it was seen */
};

struct behind {
	struct engine *engine;
	void (*ended)(void *ctx);
	void *ctx;
	uv_work_t work;
	struct checkpoint *checkpoint;
	int result; /* of the pool's work */
	bool busy, failing;
	int64_t retry_ns;            /* monotonic, as the next ones */
	bool merge_due, merging;     /* since the last checkpoint; between begin and end */
	int64_t merge_ns, scrub_ns;  /* not before */
	uint64_t began_ns, took_ns;  /* the latest slice */
	uint64_t rotten;             /* chunks that were complained of */
	uint64_t n_samples, n_begun; /* not written behind, and how many of them are being written */
	char trouble[160];
};

int behind_new(struct behind **ret, struct engine *e, void (*ended)(void *ctx), void *ctx)
{
	struct behind *b = calloc(1, sizeof *b);

	if (!b)
		return FAIL(-ENOMEM);
	*b = (struct behind){.engine = e, .ended = ended, .ctx = ctx, .merge_due = true};
	b->scrub_ns = engine_mono_ns() + SCRUB_EVERY_S * NS_PER_S; /* not while the node starts */
	b->work.data = b;
	*ret = b;
	return 0;
}

void behind_free(struct behind *b)
{
	free(b);
}

bool behind_is_busy(const struct behind *b)
{
	return b->busy;
}

const char *behind_trouble(const struct behind *b)
{
	return b->failing ? b->trouble : NULL;
}

void behind_applied(struct behind *b, uint64_t n_samples)
{
	b->n_samples += n_samples;
}

uint64_t behind_samples(const struct behind *b)
{
	return b->n_samples;
}

/* ---- Checkpoints -----------------------------------------------------------------------------------------
 */

static void note_trouble(struct behind *b, int code)
{
	snprintf(b->trouble, sizeof b->trouble,
		 "what is in the log cannot be written behind: %s; make room, nothing is lost",
		 err_text(code));
	if (!b->failing)
		engine_log_failure("store", "checkpoint failed, the log is kept", code, NULL);
	b->failing = true;
	b->retry_ns = engine_mono_ns() + RETRY_S * NS_PER_S;
}

static void after_checkpoint(uv_work_t *work, int status)
{
	struct behind *b = work->data;

	(void)status; /* never cancelled */
	b->busy = false;
	checkpoint_end(b->engine->store, b->checkpoint, b->result == 0);
	b->checkpoint = NULL;
	b->n_samples -= b->result == 0 ? b->n_begun : 0;
	if (b->result < 0)
		note_trouble(b, b->result);
	else if (b->failing)
		log_info("store", "checkpoints succeed again");
	b->failing = b->result < 0;
	b->merge_due |= b->result == 0;
	b->ended(b->ctx);
}

static void write_checkpoint(uv_work_t *work)
{
	struct behind *b = work->data;

	b->result = checkpoint_write(b->checkpoint);
}

static bool begin_checkpoint(struct behind *b)
{
	if (!checkpoint_due(b->engine->store, engine_wall_ns()) ||
	    (b->failing && engine_mono_ns() < b->retry_ns))
		return false;
	const int r = checkpoint_begin(b->engine->store, &b->checkpoint);
	if (r < 0) {
		note_trouble(b, r);
		return false;
	}
	b->busy = true;
	b->n_begun = b->n_samples;
	uv_queue_work(&b->engine->loop, &b->work, write_checkpoint, after_checkpoint);
	return true;
}

/* ---- Upkeep of the history -------------------------------------------------------------------------------
 */

static void end_merge(struct behind *b, bool merged)
{
	store_merge_end(b->engine->store, merged);
	b->merging = false;
}

static void after_merge_step(uv_work_t *work, int status)
{
	struct behind *b = work->data;

	(void)status;
	b->busy = false;
	b->merge_ns = engine_mono_ns() + (int64_t)b->took_ns;
	if (b->result < 0)
		engine_log_failure("store", "merging failed, it is tried again after the next checkpoint",
				   b->result, NULL);
	if (b->result != 0)
		end_merge(b, b->result > 0);
	b->merge_due |= b->result > 0;
	b->ended(b->ctx);
}

static void merge_step(uv_work_t *work)
{
	struct behind *b = work->data;

	b->result = store_merge_step(b->engine->store);
	b->took_ns = uv_hrtime() - b->began_ns;
}

static bool begin_slice(struct behind *b, uv_work_cb run, uv_after_work_cb after)
{
	b->busy = true;
	b->began_ns = uv_hrtime();
	uv_queue_work(&b->engine->loop, &b->work, run, after);
	return true;
}

static bool begin_merge_step(struct behind *b, enum behind_pace pace)
{
	if (pace == BEHIND_GENTLE && engine_mono_ns() < b->merge_ns)
		return false;
	if (!b->merging && b->merge_due) {
		const int r = store_merge_begin(b->engine->store);
		b->merging = r == 0;
		b->merge_due = false;
		if (r < 0)
			engine_log_failure("store", "merging could not begin", r, NULL);
	}
	return b->merging && begin_slice(b, merge_step, after_merge_step);
}

static void complain_of_rot(struct behind *b)
{
	struct store_health health;

	store_health(b->engine->store, &health);
	if (health.rotten > b->rotten)
		log_error("store", "damaged history, not served: %s chunks=%llu", health.first_rotten,
			  (unsigned long long)health.rotten);
	b->rotten = health.rotten;
}

static void after_scrub_step(uv_work_t *work, int status)
{
	struct behind *b = work->data;

	(void)status;
	b->busy = false;
	if (b->result < 0)
		engine_log_failure("store", "the history could not be looked at", b->result, NULL);
	b->scrub_ns = engine_mono_ns() + (b->result == 0 ? SCRUB_EVERY_S : SCRUB_AGAIN_S) * NS_PER_S;
	complain_of_rot(b);
	b->ended(b->ctx);
}

static void scrub_step(uv_work_t *work)
{
	struct behind *b = work->data;

	b->result = store_scrub_step(b->engine->store);
}

static bool begin_scrub_step(struct behind *b)
{
	return engine_mono_ns() >= b->scrub_ns && begin_slice(b, scrub_step, after_scrub_step);
}

void behind_turn(struct behind *b, enum behind_pace pace)
{
	if (b->busy)
		return;
	if (pace == BEHIND_STOPPING && b->merging)
		end_merge(b, false);
	if (begin_checkpoint(b) || pace == BEHIND_STOPPING || begin_merge_step(b, pace))
		return;
	begin_scrub_step(b);
}
