/* SPDX-License-Identifier: Apache-2.0 */
#include "node/behind.h"

#include <stdio.h>

#include "node/log.h"
#include "node/memory.h"
#include "proto/clock.h"
#include "storage/backup.h"

enum {
	RETRY_S = 5, /* after a checkpoint that failed: the disk does not get room in a moment */
	SCRUB_EVERY_S = 10,
	PIECE_NS = 2 * 1000 * 1000, /* of a checkpoint, on the loop */
	SCRUB_AGAIN_S = 24 * 3600,  /* all of it was seen */
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
	uint64_t stall_ns;           /* the longest that the checkpoint kept the loop */
	uint64_t began_ns, took_ns;  /* the latest slice */
	uint64_t rotten;             /* chunks that were complained of */
	uint64_t n_samples, n_begun; /* not written behind, and how many of them are being written */
	char *backup_dir;            /* asked for; NULL: none is */
	struct backup *backup;       /* being taken: since a checkpoint after it was asked for */
	bool backup_is_fresh;        /* its first piece must come before the next checkpoint */
	backup_report_fn *on_backup;
	void *backup_ctx;
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
	if (!b)
		return;
	free(b->backup_dir);
	backup_end(b->backup);
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

static void end_merge(struct behind *b, bool merged)
{
	store_merge_end(b->engine->store, merged);
	b->merging = false;
}

static bool begin_slice(struct behind *b, uv_work_cb run, uv_after_work_cb after)
{
	b->busy = true;
	b->began_ns = uv_hrtime();
	uv_queue_work(&b->engine->loop, &b->work, run, after);
	return true;
}

/* ---- Backups ----------------------------------------------------------------------------------------------
 */

static void end_backup(struct behind *b, int code, const char *why)
{
	const struct backup_report last = {.code = code, .why = why};
	backup_report_fn *tell = b->on_backup;

	if (code < 0)
		log_warn("store", "no backup: %s dir=%s", why, b->backup_dir);
	else
		log_info("store", "backup taken dir=%s", b->backup_dir);
	backup_end(b->backup);
	free(b->backup_dir);
	b->backup = NULL;
	b->backup_dir = NULL;
	tell(b->backup_ctx, &last);
}

static void begin_backup(struct behind *b)
{
	struct err_note note = {0};

	if (!b->backup_dir || b->backup)
		return;
	if (b->merging)
		end_merge(b, false);
	const int r = backup_begin(b->engine->store, b->backup_dir, engine_wall_ns(), &b->backup, &note);
	b->backup_is_fresh = r == 0;
	if (r < 0)
		end_backup(b, r, note.text[0] ? note.text : err_text(r));
}

static void after_backup_step(uv_work_t *work, int status)
{
	struct behind *b = work->data;
	struct backup_report so_far = {0};

	(void)status;
	b->busy = b->backup_is_fresh = false;
	backup_progress(b->backup, &so_far.done_bytes, &so_far.total_bytes);
	if (b->result == 0)
		b->on_backup(b->backup_ctx, &so_far);
	else
		end_backup(b, b->result, b->result < 0 ? err_text(b->result) : "");
	b->ended(b->ctx);
}

static void backup_piece(uv_work_t *work)
{
	struct behind *b = work->data;

	b->result = backup_step(b->backup);
}

static bool begin_backup_step(struct behind *b)
{
	if (b->backup_dir && checkpoint_backlog(b->engine->store) <= 0)
		begin_backup(b); /* everything is behind a checkpoint as it is */
	return b->backup && begin_slice(b, backup_piece, after_backup_step);
}

int behind_backup(struct behind *b, const char *dir, backup_report_fn *on_report, void *ctx,
		  struct err_note *note)
{
	if (b->backup_dir)
		return FAIL_SAY(note, ERR_REFUSED, "a backup is being taken into %s", b->backup_dir);
	b->backup_dir = strdup(dir);
	if (!b->backup_dir)
		return FAIL(-ENOMEM);
	b->on_backup = on_report;
	b->backup_ctx = ctx;
	b->retry_ns = 0; /* there may be room now; if not, whoever asks shall hear of it at once */
	return 0;
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
	if (b->backup_dir && !b->backup) /* it waits for this checkpoint */
		end_backup(b, code, b->trouble);
}

/* What just was done kept the loop from everything else. */
static void note_stall(struct behind *b)
{
	const uint64_t took_ns = uv_hrtime() - b->began_ns;

	b->stall_ns = took_ns > b->stall_ns ? took_ns : b->stall_ns;
}

static void after_checkpoint(uv_work_t *work, int status)
{
	struct behind *b = work->data;

	(void)status; /* never cancelled */
	b->busy = false;
	b->began_ns = uv_hrtime();
	checkpoint_end(b->engine->store, b->checkpoint, b->result == 0);
	b->checkpoint = NULL;
	memory_give_back();
	note_stall(b);
	log_debug("store", "checkpoint ended result=%d longest-stall=%.1fms", b->result,
		  (double)b->stall_ns / NS_PER_MS);
	b->n_samples -= b->result == 0 ? b->n_begun : 0;
	if (b->result < 0)
		note_trouble(b, b->result);
	else if (b->failing)
		log_info("store", "checkpoints succeed again");
	b->failing = b->result < 0;
	b->merge_due |= b->result == 0;
	if (b->result == 0)
		begin_backup(b); /* before the next checkpoint */
	b->ended(b->ctx);
}

static void write_checkpoint(uv_work_t *work)
{
	struct behind *b = work->data;

	b->result = checkpoint_write(b->checkpoint);
}

/* A backup that waits wants everything acknowledged so far in the checkpoint it is taken after. */
static bool is_checkpoint_due(const struct behind *b)
{
	return checkpoint_due(b->engine->store, engine_wall_ns()) ||
	       (b->backup_dir && !b->backup && checkpoint_backlog(b->engine->store) > 0);
}

static void do_nothing(uv_work_t *work)
{
	(void)work;
}

/* A piece on the loop, then whatever else waits there: the way through the pool leads behind it. */
static void take_piece(uv_work_t *work, int status)
{
	struct behind *b = work->data;

	b->began_ns = uv_hrtime();
	do
		b->result = checkpoint_take(b->checkpoint);
	while (b->result == 0 && uv_hrtime() - b->began_ns < PIECE_NS);
	note_stall(b);
	if (b->result < 0)
		after_checkpoint(work, status);
	else if (b->result == 0)
		uv_queue_work(&b->engine->loop, work, do_nothing, take_piece);
	else
		uv_queue_work(&b->engine->loop, work, write_checkpoint, after_checkpoint);
}

static bool begin_checkpoint(struct behind *b)
{
	if (!is_checkpoint_due(b) || (b->failing && engine_mono_ns() < b->retry_ns))
		return false;
	b->began_ns = uv_hrtime();
	b->stall_ns = 0;
	const int r = checkpoint_begin(b->engine->store, &b->checkpoint);
	note_stall(b);
	if (r < 0) {
		note_trouble(b, r);
		return false;
	}
	b->busy = true;
	b->n_begun = b->n_samples;
	uv_queue_work(&b->engine->loop, &b->work, do_nothing, take_piece);
	return true;
}

/* ---- Upkeep of the history -------------------------------------------------------------------------------
 */

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
	if (pace == BEHIND_STOPPING && b->backup_dir)
		end_backup(b, ERR_UNREACHABLE, "the node is stopping");
	if (b->backup_is_fresh && begin_backup_step(b))
		return;
	if (begin_checkpoint(b) || pace == BEHIND_STOPPING || begin_backup_step(b) ||
	    begin_merge_step(b, pace))
		return;
	begin_scrub_step(b);
}
