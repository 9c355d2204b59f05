/* SPDX-License-Identifier: Apache-2.0 */
#include "node/writer.h"

#include "node/log.h"

enum { BATCH_BYTES = 4 << 20, REFUSALS_MAX = 1000 };

struct waiting {
	struct waiting *next;
	struct write_request request;
	struct write_result result;
};

struct writer {
	struct engine *engine;
	struct waiting *queue, **queue_end;   /* not yet looked at */
	struct waiting *staged, **staged_end; /* in the batch, or done without it */
	struct batch *batch;
	struct checkpoint *checkpoint;
	uv_work_t work;
	uv_timer_t pause; /* commit-interval */
	int result;       /* of the pool's work */
	bool busy;        /* the pool has the batch or the checkpoint */
	bool swept;
	bool failing;
	char trouble[160];
	void (*on_stopped)(struct engine *e);
};

static void turn(struct writer *w);

int writer_start(struct writer **ret, struct engine *e)
{
	struct writer *w = calloc(1, sizeof *w);

	if (!w)
		return FAIL(-ENOMEM);
	w->engine = e;
	w->queue_end = &w->queue;
	w->staged_end = &w->staged;
	uv_timer_init(&e->loop, &w->pause);
	w->pause.data = w->work.data = w;
	*ret = w;
	return 0;
}

void writer_free(struct writer *w)
{
	if (!w)
		return;
	batch_free(w->batch);
	free(w);
}

const char *writer_trouble(const struct writer *w)
{
	return w->failing ? w->trouble : NULL;
}

/* ---- Staging ---------------------------------------------------------------------------------------------
 */

static int refuse(struct waiting *q, size_t op, size_t sample, const struct err_note *note)
{
	struct arena *a = q->request.arena;

	if (q->result.n_refused == REFUSALS_MAX)
		return 0; /* the first thousand tell the story */
	struct refusal *r = arena_push(a, &q->result.refused, &q->result.n_refused, sizeof *r);
	const char *reason = arena_copy(a, note->text);
	if (!r || !reason)
		return FAIL(-ENOMEM);
	*r = (struct refusal){.index = (uint32_t)op, .sample = (uint32_t)sample, .reason = reason};
	return 0;
}

static uint64_t weight(const struct op *op)
{
	return op->kind == OP_SAMPLES ? op->samples.n : 1;
}

/* A bad sample is taken out and named, and the rest of its op is kept. `places` are the samples' places in
 * the request. */
static int stage_samples(struct writer *w, struct waiting *q, size_t at, int64_t now_ns)
{
	struct op op = q->request.ops[at];
	uint32_t *places = arena_take_array(q->request.arena, op.samples.n, sizeof *places);

	if (!places)
		return FAIL(-ENOMEM);
	for (size_t i = 0; i < op.samples.n; i++)
		places[i] = (uint32_t)i;
	while (op.samples.n > 0) {
		struct err_note note = {0};
		size_t bad = SIZE_MAX;
		int r = store_stage(w->engine->store, w->batch, &op, now_ns, &bad, &note);
		TRY(r);
		if (r != STORE_REFUSED) {
			*(r == 0 ? &q->result.n_changed : &q->result.n_unchanged) += op.samples.n;
			return 0;
		}
		if (bad >= op.samples.n)
			return refuse(q, at, UINT32_MAX, &note);
		TRY(refuse(q, at, places[bad], &note));
		op.samples.n--;
		memmove(op.samples.samples + bad, op.samples.samples + bad + 1,
			(op.samples.n - bad) * sizeof *op.samples.samples);
		memmove(places + bad, places + bad + 1, (op.samples.n - bad) * sizeof *places);
	}
	return 0;
}

static int stage_op(struct writer *w, struct waiting *q, size_t at, int64_t now_ns)
{
	const struct op *op = &q->request.ops[at];
	struct err_note note = {0};

	if (op->kind == OP_SAMPLES && op->samples.n > 0)
		return stage_samples(w, q, at, now_ns);
	int r = store_stage(w->engine->store, w->batch, op, now_ns, NULL, &note);
	TRY(r);
	if (r == STORE_REFUSED)
		return refuse(q, at, UINT32_MAX, &note);
	*(r == 0 ? &q->result.n_changed : &q->result.n_unchanged) += weight(op);
	w->swept |= r == 0 && op->kind == OP_ROWS && op->rows.full_end;
	return 0;
}

static int stage_request(struct writer *w, struct waiting *q, int64_t now_ns)
{
	const struct write_request *request = &q->request;
	const size_t mark = batch_mark(w->batch);
	int r = 0;

	for (size_t i = 0; i < request->n_ops && r == 0; i++) {
		r = stage_op(w, q, i, now_ns);
		if (request->atomic && q->result.n_refused > 0)
			break;
	}
	const bool undone = request->atomic && q->result.n_refused > 0;
	if (r < 0 || undone || request->dry_run)
		batch_rewind(w->batch, mark);
	if (undone && !request->dry_run) {
		q->result.code = ERR_REFUSED;
		err_say(&q->result.note, 0, "%s", q->result.refused[0].reason);
		q->result.n_changed = 0;
	}
	return r;
}

static void stage_queue(struct writer *w)
{
	const int64_t now_ns = engine_wall_ns();

	while (w->queue && batch_bytes(w->batch) < BATCH_BYTES) {
		struct waiting *q = w->queue;
		w->queue = q->next;
		if (!w->queue)
			w->queue_end = &w->queue;
		q->next = NULL;
		*w->staged_end = q;
		w->staged_end = &q->next;
		q->result.code = stage_request(w, q, now_ns) < 0 ? -ENOMEM : q->result.code;
	}
}

/* ---- Committing ------------------------------------------------------------------------------------------
 */

static void answer(struct writer *w, int code, const char *why)
{
	struct waiting *q = w->staged;

	w->staged = NULL;
	w->staged_end = &w->staged;
	while (q) {
		struct waiting *next = q->next;
		if (code < 0 && q->result.code == 0 && !q->request.dry_run) {
			q->result.code = code;
			q->result.n_changed = q->result.n_unchanged = 0;
			err_say(&q->result.note, 0, "%s", why);
		}
		if (q->request.done)
			q->request.done(q->request.ctx, &q->result);
		arena_free(q->request.arena);
		free(q);
		q = next;
	}
}

static void note_trouble(struct writer *w, int code)
{
	snprintf(w->trouble, sizeof w->trouble,
		 "the store cannot be written: %s; nothing was kept, make room and "
		 "send it again",
		 err_text(code));
	if (!w->failing)
		engine_log_failure("store", "commit failed, reading goes on", code, NULL);
	w->failing = true;
}

static void after_commit(uv_work_t *work, int status)
{
	struct writer *w = work->data;
	const bool swept = w->swept;

	(void)status; /* never cancelled */
	w->busy = w->swept = false;
	if (w->result < 0) {
		note_trouble(w, w->result);
	} else {
		if (w->failing)
			log_info("store", "commits succeed again");
		w->failing = false;
		w->result = store_apply(w->engine->store, w->batch, engine_wall_ns());
		if (w->result < 0) {
			engine_log_failure("store",
					   "out of memory: the table is incomplete, restarting is safe",
					   w->result, NULL);
			abort(); /* durable, but cannot be shown: only a replay makes memory and log agree
				    again */
		}
	}
	batch_free(w->batch);
	w->batch = NULL;
	if (w->result == 0)
		engine_store_changed(w->engine, swept);
	answer(w, w->result, w->trouble);
	turn(w);
}

static void commit(uv_work_t *work)
{
	struct writer *w = work->data;

	w->result = store_write(w->engine->store, w->batch);
}

static void after_checkpoint(uv_work_t *work, int status)
{
	struct writer *w = work->data;

	(void)status;
	w->busy = false;
	if (w->result < 0)
		engine_log_failure("store", "checkpoint failed, the log is kept", w->result, NULL);
	checkpoint_end(w->engine->store, w->checkpoint, w->result == 0);
	w->checkpoint = NULL;
	turn(w);
}

static void write_checkpoint(uv_work_t *work)
{
	struct writer *w = work->data;

	w->result = checkpoint_write(w->checkpoint);
}

static bool begin_checkpoint(struct writer *w)
{
	if (!checkpoint_due(w->engine->store, engine_wall_ns()))
		return false;
	int r = checkpoint_begin(w->engine->store, &w->checkpoint);
	if (r < 0) {
		engine_log_failure("store", "checkpoint could not begin", r, NULL);
		return false;
	}
	w->busy = true;
	uv_queue_work(&w->engine->loop, &w->work, write_checkpoint, after_checkpoint);
	return true;
}

static bool begin_commit(struct writer *w)
{
	if (!w->queue)
		return false;
	if (batch_new(&w->batch) < 0) {
		w->staged = w->queue;
		w->queue = NULL;
		w->queue_end = &w->queue;
		answer(w, -ENOMEM, err_text(-ENOMEM));
		return false;
	}
	stage_queue(w);
	if (batch_ops(w->batch) == 0) {
		batch_free(w->batch);
		w->batch = NULL;
		answer(w, 0, "");
		return w->busy || begin_commit(w); /* an answer may have brought the next request */
	}
	w->busy = true;
	uv_queue_work(&w->engine->loop, &w->work, commit, after_commit);
	return true;
}

static void on_pause_over(uv_timer_t *timer)
{
	turn(timer->data);
}

static void on_pause_closed(uv_handle_t *h)
{
	struct writer *w = h->data;

	w->on_stopped(w->engine);
}

/* What next: a commit, a checkpoint, or rest. */
static void turn(struct writer *w)
{
	const int64_t interval_ms = w->engine->config->commit_interval_ms;

	if (w->busy)
		return;
	if (w->queue && interval_ms > 0 && !w->on_stopped && uv_is_active((uv_handle_t *)&w->pause))
		return;
	if (begin_commit(w)) {
		if (interval_ms > 0)
			uv_timer_start(&w->pause, on_pause_over, (uint64_t)interval_ms, 0);
		return;
	}
	if (begin_checkpoint(w) || !w->on_stopped || uv_is_closing((uv_handle_t *)&w->pause))
		return;
	uv_close((uv_handle_t *)&w->pause, on_pause_closed);
}

int writer_submit(struct writer *w, const struct write_request *request)
{
	struct waiting *q = w->on_stopped ? NULL : calloc(1, sizeof *q);

	if (!q) {
		arena_free(request->arena);
		return FAIL(w->on_stopped ? ERR_UNREACHABLE : -ENOMEM);
	}
	q->request = *request;
	*w->queue_end = q;
	w->queue_end = &q->next;
	turn(w);
	return 0;
}

void writer_tick(struct writer *w)
{
	turn(w);
}

void writer_stop(struct writer *w, void (*done)(struct engine *e))
{
	w->on_stopped = done;
	turn(w);
}
