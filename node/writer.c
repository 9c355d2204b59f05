/* SPDX-License-Identifier: Apache-2.0 */
#include "node/writer.h"

#include <sys/timerfd.h>
#include <unistd.h>

#include "node/gather.h"
#include "node/judge.h"
#include "node/log.h"
#include "node/settle.h"
#include "node/watch.h"
#include "proto/clock.h"
#include "proto/id.h"

enum {
	BATCH_BYTES = 4 << 20,
	REFUSALS_MAX = 1000,
	QUEUE_MAX = 100000,         /* requests */
	QUEUE_BYTES_MAX = 64 << 20, /* that they take */
	CREDIT_MAX = 32,            /* less than PRODUCER_WINDOW in storage/producers.h */
	COMMITS_KEPT = 1000,        /* whose time is known */
};

struct waiting {
	struct waiting *next;
	struct write_request request;
	size_t bytes;
	struct write_result result;
};

struct writer {
	struct engine *engine;
	struct behind *behind;
	struct waiting *queue, **queue_end;   /* not yet looked at */
	struct waiting *staged, **staged_end; /* in the batch, or done without it */
	size_t n_queue, queue_bytes;
	size_t n_staged;
	struct batch *batch;
	uv_work_t work;
	uv_timer_t pause; /* commit-interval */
	struct gather gather;
	uv_poll_t gathered; /* on timer_fd: a timer of the loop knows milliseconds only */
	int timer_fd;
	uint64_t timer_set_ns; /* when it wakes up, or did */
	int handles_open;
	int result;   /* of the pool's work */
	bool busy;    /* the pool has the batch */
	bool waiting; /* the batch, for memory */
	bool swept;
	bool failing;
	char trouble[160];
	int trouble_code;
	struct writer_stats stats;
	uint64_t n_batch_samples, n_batch_refused;
	uint64_t began_ns, took_ns;          /* of the commit under way */
	uint64_t commit_times[COMMITS_KEPT]; /* ring */
	void (*on_stopped)(struct engine *e);
};

static void turn(struct writer *w);

static void on_behind_ended(void *ctx)
{
	turn(ctx);
}

static void on_gathered(uv_poll_t *h, int status, int events)
{
	struct writer *w = h->data;
	uint64_t n;

	(void)status, (void)events;
	if (read(w->timer_fd, &n, sizeof n) == sizeof n) /* else it was set anew meanwhile */
		turn(w);
}

/* The handles are the last that can fail, as only the loop can take them back. */
static int open_timers(struct writer *w)
{
	w->timer_fd = timerfd_create(CLOCK_MONOTONIC, TFD_NONBLOCK | TFD_CLOEXEC);
	if (w->timer_fd < 0)
		return FAIL(-errno);
	const int r = uv_poll_init(&w->engine->loop, &w->gathered, w->timer_fd);
	if (r < 0)
		return FAIL(r);
	uv_poll_start(&w->gathered, UV_READABLE, on_gathered);
	uv_timer_init(&w->engine->loop, &w->pause);
	w->handles_open = 2;
	w->pause.data = w->gathered.data = w->work.data = w;
	return 0;
}

DEFINE_SCOPED(writer, writer_free)

int writer_start(struct writer **ret, struct engine *e)
{
	SCOPED(scope_writer) struct writer *w = calloc(1, sizeof *w);

	if (!w)
		return FAIL(-ENOMEM);
	w->engine = e;
	w->timer_fd = -1;
	w->queue_end = &w->queue;
	w->staged_end = &w->staged;
	TRY(behind_new(&w->behind, e, on_behind_ended, w));
	TRY(open_timers(w));
	*ret = MOVE(w);
	return 0;
}

void writer_free(struct writer *w)
{
	if (!w)
		return;
	if (w->timer_fd >= 0)
		close(w->timer_fd);
	batch_free(w->batch);
	behind_free(w->behind);
	free(w);
}

const char *writer_trouble(const struct writer *w)
{
	return w->failing ? w->trouble : behind_trouble(w->behind);
}

/* ---- Statistics ------------------------------------------------------------------------------------------
 */

static int by_size(const void *a, const void *b)
{
	const uint64_t x = *(const uint64_t *)a, y = *(const uint64_t *)b;

	return (x > y) - (x < y);
}

void writer_stats(const struct writer *w, struct writer_stats *ret)
{
	const size_t n = w->stats.commits < COMMITS_KEPT ? (size_t)w->stats.commits : COMMITS_KEPT;
	uint64_t times[COMMITS_KEPT];

	*ret = w->stats;
	ret->backlog_samples = behind_samples(w->behind);
	if (n == 0)
		return;
	memcpy(times, w->commit_times, n * sizeof *times);
	qsort(times, n, sizeof *times, by_size);
	ret->commit_p99_ns = times[n * 99 / 100];
}

static void count_commit(struct writer *w)
{
	w->commit_times[w->stats.commits++ % COMMITS_KEPT] = w->took_ns;
	w->stats.samples_taken += w->n_batch_samples;
	behind_applied(w->behind, w->n_batch_samples);
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

static int note_effects(struct writer *w, struct waiting *q, size_t at)
{
	struct arena *a = q->request.arena;
	struct type_effect *effects;
	size_t n;

	TRY(store_type_effects(w->engine->store, w->batch, &q->request.ops[at].type, a, &effects, &n));
	for (size_t i = 0; i < n; i++) {
		struct change_note *note = arena_push(a, &q->result.notes, &q->result.n_notes, sizeof *note);
		if (!note)
			return FAIL(-ENOMEM);
		*note = (struct change_note){
			.index = (uint32_t)at, .text = effects[i].text, .loses = effects[i].n_lost > 0};
	}
	return 0;
}

static uint64_t weight(const struct op *op)
{
	return op->kind == OP_SAMPLES ? op->samples.n : 1;
}

/* Name every bad sample from the place `bad` on and take it out. */
static int sieve(struct writer *w, struct waiting *q, size_t at, size_t bad, struct err_note *note,
		 int64_t now_ns)
{
	struct op_samples *in = &q->request.ops[at].samples;
	size_t n = bad, next = bad;
	int r = STORE_REFUSED;

	while (r == STORE_REFUSED) {
		memmove(in->samples + n, in->samples + next, (bad - next) * sizeof *in->samples);
		n += bad - next;
		next = bad + 1;
		w->n_batch_refused++;
		TRY(refuse(q, at, bad, note));
		r = store_check_samples(w->engine->store, w->batch, &q->request.ops[at], now_ns, next, &bad,
					note);
		TRY(r);
	}
	memmove(in->samples + n, in->samples + next, (in->n - next) * sizeof *in->samples);
	in->n = n + (in->n - next);
	return 0;
}

/* A bad sample is taken out and named, and the rest of its op is kept. */
static int stage_samples(struct writer *w, struct waiting *q, size_t at, int64_t now_ns)
{
	struct op *op = &q->request.ops[at];
	struct err_note note = {0};
	size_t bad = SIZE_MAX;
	int r = store_stage(w->engine->store, w->batch, op, now_ns, &bad, &note);

	if (r == STORE_REFUSED && bad < op->samples.n) {
		TRY(sieve(w, q, at, bad, &note, now_ns));
		r = store_stage(w->engine->store, w->batch, op, now_ns, NULL, &note);
	}
	TRY(r);
	if (r == STORE_REFUSED)
		return refuse(q, at, UINT32_MAX, &note);
	*(r == 0 ? &q->result.n_changed : &q->result.n_unchanged) += op->samples.n;
	if (r == 0)
		watches_staged(w->engine->watches, op);
	w->n_batch_samples += r == 0 ? op->samples.n : 0;
	return 0;
}

static int stage_frame(struct writer *w, struct waiting *q, int64_t now_ns)
{
	struct arena *a = q->request.arena;
	struct packed_result taken;

	TRY(store_stage_packed(w->engine->store, w->batch, q->request.frame, now_ns, a, &taken));
	q->result.n_changed = taken.n_taken;
	q->result.n_unchanged = taken.n_unchanged;
	if (taken.n_taken > 0)
		watches_staged_frame(w->engine->watches, q->request.frame);
	w->n_batch_samples += taken.n_taken;
	w->n_batch_refused += taken.n_refused;
	q->result.refused = arena_take_array(a, taken.n_listed, sizeof *q->result.refused);
	if (!q->result.refused)
		return FAIL(-ENOMEM);
	q->result.n_refused = taken.n_listed;
	for (size_t i = 0; i < taken.n_listed; i++)
		q->result.refused[i] =
			(struct refusal){.sample = taken.refused[i].index,
					 .reason = sample_refusal_text(taken.refused[i].reason)};
	return 0;
}

/* Partners see nothing but what is the own organisation's: what another one's rows did is nothing to them. */
static bool may_sweep(const struct writer *w, const struct op *op)
{
	if (op->kind != OP_ROWS || !id_is_of_org(op->rows.origin, w->engine->trust->self->org))
		return false;
	return op->rows.afresh || (op->rows.repair && op->rows.cursor.len > 0);
}

static int stage_op(struct writer *w, struct waiting *q, size_t at, int64_t now_ns)
{
	const struct op *op = &q->request.ops[at];
	struct err_note note = {0};

	if (op->kind == OP_SAMPLES && op->samples.n > 0)
		return stage_samples(w, q, at, now_ns);
	const size_t n_notes = q->result.n_notes;
	if (op->kind == OP_TYPE)
		TRY(note_effects(w, q, at));
	int r = store_stage(w->engine->store, w->batch, op, now_ns, NULL, &note);
	TRY(r);
	if (r != 0)
		q->result.n_notes = n_notes;
	if (r == STORE_REFUSED)
		return refuse(q, at, UINT32_MAX, &note);
	*(r == 0 ? &q->result.n_changed : &q->result.n_unchanged) += weight(op);
	w->swept |= r == 0 && may_sweep(w, op);
	if (r == 0)
		watches_staged(w->engine->watches, op);
	return 0;
}

static int stage_ops(struct writer *w, struct waiting *q, int64_t now_ns)
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

static void stage_request(struct writer *w, struct waiting *q, int64_t now_ns)
{
	const uint64_t n_samples = w->n_batch_samples;
	const int r = q->request.frame ? stage_frame(w, q, now_ns) : stage_ops(w, q, now_ns);

	if (r < 0)
		q->result.code = r;
	if (r == ERR_REFUSED)
		err_say(&q->result.note, 0,
			"the handles are of another life of this store: open the series anew");
	if (q->result.code < 0 || q->request.dry_run)
		w->n_batch_samples = n_samples;
}

static void stage_queue(struct writer *w)
{
	const int64_t now_ns = engine_wall_ns();

	w->n_batch_samples = w->n_batch_refused = 0;
	while (w->queue && batch_bytes(w->batch) < BATCH_BYTES) {
		struct waiting *q = w->queue;
		w->queue = q->next;
		if (!w->queue)
			w->queue_end = &w->queue;
		q->next = NULL;
		*w->staged_end = q;
		w->staged_end = &q->next;
		w->n_queue--;
		w->n_staged++;
		w->queue_bytes -= q->bytes;
		stage_request(w, q, now_ns);
	}
	w->stats.samples_refused += w->n_batch_refused;
}

/* ---- Committing ------------------------------------------------------------------------------------------
 */

static void answer(struct writer *w, int code, const char *why)
{
	struct waiting *q = w->staged;

	w->staged = NULL;
	w->staged_end = &w->staged;
	w->n_staged = 0;
	while (q) {
		struct waiting *next = q->next;
		if (code < 0 && q->result.code == 0 && !q->request.dry_run) {
			q->result.code = code;
			q->result.n_changed = q->result.n_unchanged = 0;
			err_say(&q->result.note, 0, "%s", why);
		}
		struct arena *own = q->request.arena_is_lent ? NULL : q->request.arena;
		if (q->request.done)
			q->request.done(q->request.ctx, &q->result);
		arena_free(own);
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
	if (!w->failing || code != w->trouble_code) /* a full disk is an I/O error first */
		engine_log_failure("store", "commit failed, reading goes on", code, NULL);
	w->failing = true;
	w->trouble_code = code;
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
		count_commit(w);
		w->result = store_apply(w->engine->store, w->batch, engine_wall_ns());
		if (w->result < 0) {
			engine_log_failure("store",
					   "out of memory: the table is incomplete, restarting is safe",
					   w->result, NULL);
			abort(); /* durable, but cannot be shown: only a replay makes memory and log agree
				    again */
		}
	}
	gather_answered(&w->gather, &(struct gather_commit){.n_answered = w->n_staged,
							    .bytes = batch_bytes(w->batch),
							    .n_queued = w->n_queue,
							    .took_ns = w->took_ns,
							    .now_ns = uv_hrtime()});
	batch_free(w->batch);
	w->batch = NULL;
	if (w->result == 0)
		engine_store_changed(w->engine, swept);
	answer(w, w->result, w->trouble);
	settle_applied(w->engine->settle);
	judge_applied(w->engine->judge); /* it may submit: nothing is left to be answered */
	turn(w);
}

static void commit(uv_work_t *work)
{
	struct writer *w = work->data;

	w->result = store_write(w->engine->store, w->batch);
	w->took_ns = uv_hrtime() - w->began_ns;
}

static bool is_far_behind(const struct writer *w)
{
	return checkpoint_backlog(w->engine->store) >= BACKLOG_MAX;
}

/* None of what waits is looked at. */
static void refuse_queue(struct writer *w, int code, const char *why)
{
	*w->staged_end = w->queue;
	if (w->queue)
		w->staged_end = w->queue_end;
	w->queue = NULL;
	w->queue_end = &w->queue;
	w->n_queue = w->queue_bytes = 0;
	answer(w, code, why);
}

/* The batch could not be applied for want of memory. If a checkpoint gives some back it waits, staged. */
static bool wait_for_memory(struct writer *w, int code)
{
	if (store_save_memory(w->engine->store) && !behind_trouble(w->behind)) {
		if (!w->waiting)
			log_warn("store", "memory is short: what is not written behind may take less of it");
		w->waiting = true;
		behind_turn(w->behind, BEHIND_FREE);
		if (behind_is_busy(w->behind))
			return false;
	}
	w->waiting = false;
	batch_free(w->batch);
	w->batch = NULL;
	note_trouble(w, code);
	answer(w, code, w->trouble);
	return false;
}

/* Hand the batch to the pool. */
static bool write_batch(struct writer *w)
{
	const int r = store_reserve(w->engine->store, w->batch);

	if (r < 0)
		return wait_for_memory(w, r);
	w->waiting = false;
	w->busy = true;
	w->began_ns = uv_hrtime();
	uv_queue_work(&w->engine->loop, &w->work, commit, after_commit);
	return true;
}

static bool begin_commit(struct writer *w)
{
	if (w->batch)
		return write_batch(w); /* it has waited for memory */
	if (!w->queue)
		return false;
	judge_flush(w->engine->judge); /* shares the commit, and may begin it */
	if (w->busy)
		return true;
	if (is_far_behind(w)) {
		if (behind_trouble(w->behind))
			refuse_queue(w, ERR_FULL, behind_trouble(w->behind));
		return false; /* else it waits for the checkpoint to end */
	}
	if (batch_new(&w->batch) < 0) {
		refuse_queue(w, -ENOMEM, err_text(-ENOMEM));
		return false;
	}
	stage_queue(w);
	if (batch_ops(w->batch) == 0) {
		batch_free(w->batch);
		w->batch = NULL;
		answer(w, 0, "");
		return w->busy || begin_commit(w); /* an answer may have brought the next request */
	}
	return write_batch(w);
}

static void on_pause_over(uv_timer_t *timer)
{
	turn(timer->data);
}

static void on_handle_closed(uv_handle_t *h)
{
	struct writer *w = h->data;

	if (--w->handles_open == 0)
		w->on_stopped(w->engine);
}

static void end_if_stopped(struct writer *w)
{
	const bool resting = !w->busy && !w->batch && !w->queue && !behind_is_busy(w->behind);

	if (!w->on_stopped || !resting || uv_is_closing((uv_handle_t *)&w->pause))
		return;
	uv_close((uv_handle_t *)&w->pause, on_handle_closed);
	uv_close((uv_handle_t *)&w->gathered, on_handle_closed);
}

/* Is more to come before the next commit? */
static bool is_gathering(struct writer *w)
{
	if (!w->queue || w->on_stopped || w->engine->config->commit_interval_ms > 0)
		return false;
	const uint64_t asked_ns = w->gather.until_ns;
	if (!gather_holds(&w->gather, w->n_queue, uv_hrtime()))
		return false;
	if (w->timer_set_ns != asked_ns) {
		const struct itimerspec until = {.it_value = {.tv_sec = (time_t)(asked_ns / NS_PER_S),
							      .tv_nsec = (long)(asked_ns % NS_PER_S)}};
		if (timerfd_settime(w->timer_fd, TFD_TIMER_ABSTIME, &until, NULL) < 0)
			return false;
		w->timer_set_ns = asked_ns;
	}
	return true;
}

/* What next: a commit, a checkpoint, or rest. */
static void turn(struct writer *w)
{
	const int64_t interval_ms = w->engine->config->commit_interval_ms;
	const bool pausing = interval_ms > 0 && !w->on_stopped && uv_is_active((uv_handle_t *)&w->pause);

	behind_turn(w->behind, w->on_stopped ? BEHIND_STOPPING : w->busy ? BEHIND_GENTLE : BEHIND_FREE);
	if (w->busy)
		return;
	if (!pausing && !is_gathering(w) && begin_commit(w) && interval_ms > 0)
		uv_timer_start(&w->pause, on_pause_over, (uint64_t)interval_ms, 0);
	end_if_stopped(w);
}

static int check_room(const struct writer *w)
{
	if (w->on_stopped)
		return FAIL(ERR_UNREACHABLE);
	if (w->n_queue >= QUEUE_MAX || w->queue_bytes >= QUEUE_BYTES_MAX)
		return FAIL(-EAGAIN);
	return 0;
}

int writer_submit(struct writer *w, const struct write_request *request)
{
	struct waiting *q = NULL;
	int r = check_room(w);

	if (r == 0) {
		q = calloc(1, sizeof *q);
		r = q ? 0 : FAIL(-ENOMEM);
	}
	if (r < 0) {
		if (!request->arena_is_lent)
			arena_free(request->arena);
		return r;
	}
	q->request = *request;
	q->bytes = arena_used(request->arena);
	*w->queue_end = q;
	w->queue_end = &q->next;
	w->n_queue++;
	w->queue_bytes += q->bytes;
	turn(w);
	return 0;
}

uint32_t writer_credit(const struct writer *w)
{
	const double room = 1 - checkpoint_backlog(w->engine->store) / BACKLOG_MAX;

	return room <= 0 || w->queue_bytes > QUEUE_BYTES_MAX / 2 ? 1
								 : 1 + (uint32_t)(room * (CREDIT_MAX - 1));
}

void writer_tick(struct writer *w)
{
	turn(w);
}

int writer_backup(struct writer *w, const char *dir, backup_report_fn *on_report, void *ctx,
		  struct err_note *note)
{
	if (w->on_stopped)
		return FAIL_SAY(note, ERR_UNREACHABLE, "the node is stopping: there is no backup");
	TRY(behind_backup(w->behind, dir, on_report, ctx, note));
	turn(w);
	return 0;
}

void writer_stop(struct writer *w, void (*done)(struct engine *e))
{
	w->on_stopped = done;
	turn(w);
}
