/* SPDX-License-Identifier: Apache-2.0 */
#include "node/behind.h"

#include <stdio.h>

#include "node/log.h"
#include "proto/clock.h"

enum { RETRY_S = 5 }; /* after a checkpoint that failed: the disk does not get room in a moment */

struct behind {
	struct engine *engine;
	void (*ended)(void *ctx);
	void *ctx;
	uv_work_t work;
	struct checkpoint *checkpoint;
	int result; /* of the pool's work */
	bool busy, failing;
	int64_t retry_ns;            /* monotonic */
	uint64_t n_samples, n_begun; /* not written behind, and how many of them are being written */
	char trouble[160];
};

int behind_new(struct behind **ret, struct engine *e, void (*ended)(void *ctx), void *ctx)
{
	struct behind *b = calloc(1, sizeof *b);

	if (!b)
		return FAIL(-ENOMEM);
	*b = (struct behind){.engine = e, .ended = ended, .ctx = ctx};
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

void behind_turn(struct behind *b)
{
	if (!b->busy)
		begin_checkpoint(b);
}
