/* SPDX-License-Identifier: Apache-2.0 */
#include "node/audit.h"

#include <inttypes.h>
#include <limits.h>
#include <sodium.h>
#include <stdio.h>
#include <string.h>

#include "node/audit_count.h"
#include "node/engine.h"
#include "node/log.h"
#include "proto/clock.h"
#include "security/audit_check.h"
#include "storage/audit.h"

enum {
	CHECKPOINT_EVERY = 1000, /* entries */
	CHECKPOINT_EVERY_S = 10,
	COUNT_EVERY_S = 60,
	RESERVE_EVERY_S = 10,
	PAGE_BYTES = 1 << 20,
	ENTRY_ROOM = AUDIT_ENTRY_MAX + AUDIT_RECORD_OVERHEAD,
};

/* Who is told when its entry is durable. */
struct waiter {
	journal_fn *done;
	void *ctx;
	struct waiter *next;
};

/* Entries on their way to the disk as one group. */
struct pending {
	struct buf records;
	uint32_t n_entries;
	bool has_checkpoint;
	int64_t time_ns;
	struct waiter *first, **last;
};

struct journal {
	struct engine *engine;
	struct audit_log *log;
	struct checkpoint_key key;
	char key_text[CHECKPOINT_KEY_SIZE];
	struct merkle tree;                          /* over all entries, those that wait too */
	uint64_t checkpointed;                       /* entries under the last checkpoint */
	int64_t checkpoint_ns, count_ns, reserve_ns; /* monotonic: the last time */
	struct pending waiting, writing;
	bool busy;           /* `writing` is with the pool */
	int failure, result; /* of the last attempt, 0: it went well; the pool's copy */
	uint64_t lost;       /* entries there was no memory for while nothing could be written */
	struct audit_counts counting, closed; /* this minute's, and those being written */
	size_t closed_at;
	uint64_t refused_before; /* handshakes, at the last count */
	struct recorded recorded;
	uv_work_t work;
	void (*on_stopped)(struct engine *e);
	bool ended; /* the last entry is in `waiting` */
};

/* ---- The tree --------------------------------------------------------------------------------------------
 */

static void grow_tree(struct journal *j, struct bytes entry)
{
	const struct merkle_hash leaf = merkle_leaf(entry);

	merkle_append(&j->tree, &leaf);
}

static struct bytes peaks_of(const struct merkle *t)
{
	return (struct bytes){t->peaks[0].b, merkle_n_peaks(t->n) * (size_t)MERKLE_BYTES};
}

/* The state that a checkpoint left behind it, then the entries after it. */
static int take_records(struct journal *j, struct bytes records, uint64_t *n, bool *has_state)
{
	struct audit_record r;
	int more;

	while ((more = audit_record_next(&records, &r)) > 0) {
		*n += r.kind == AUDIT_RECORD_ENTRY;
		if (r.kind == AUDIT_RECORD_ENTRY && *has_state) {
			grow_tree(j, r.body);
		} else if (r.kind == AUDIT_RECORD_PEAKS && !*has_state) {
			if (r.body.len != merkle_n_peaks(*n) * (size_t)MERKLE_BYTES)
				return FAIL(ERR_CORRUPT);
			memcpy(j->tree.peaks, r.body.data, r.body.len);
			j->tree.n = *n;
			*has_state = true;
		}
		if (r.kind == AUDIT_RECORD_PEAKS)
			j->checkpointed = *n;
	}
	return more < 0 ? FAIL(ERR_CORRUPT) : 0;
}

static int load_tree(struct journal *j)
{
	uint64_t from = 0, first, n = 0;
	bool has_state, begun = false;
	int r = audit_log_checkpoint(j->log, &from);

	TRY(r);
	has_state = r == AUDIT_LOG_ABSENT;
	for (r = 0; r == 0;) {
		SCOPED(buf_fini) struct buf b = {0};
		r = audit_log_read(j->log, from, PAGE_BYTES, &b, &first, &from);
		TRY(r);
		n = begun ? n : first;
		begun = true;
		TRY(take_records(j, buf_bytes(&b), &n, &has_state));
	}
	return j->tree.n == audit_log_entries(j->log) ? 0 : FAIL(ERR_CORRUPT);
}

/* ---- Groups ----------------------------------------------------------------------------------------------
 */

static void pending_fini(struct pending *p)
{
	for (struct waiter *w = p->first, *next; w; w = next) {
		next = w->next;
		free(w);
	}
	buf_fini(&p->records);
	*p = (struct pending){0};
}

static void commit(uv_work_t *work)
{
	struct journal *j = work->data;
	const struct pending *p = &j->writing;

	j->result = 0;
	if (p->records.len > 0)
		j->result =
			audit_log_commit(j->log, &(struct audit_group){.records = buf_bytes(&p->records),
								       .n_entries = p->n_entries,
								       .has_checkpoint = p->has_checkpoint,
								       .time_ns = p->time_ns});
	if (j->result == 0)
		ignore(audit_log_reserve(j->log)); /* audit_log_room() tells */
}

static void add_checkpoint(struct journal *j, struct pending *p)
{
	const struct merkle_hash root = merkle_root(&j->tree);
	SCOPED(buf_fini) struct buf text = {0};

	checkpoint_sign(j->engine->trust->sign, &j->key, j->tree.n, &root, &text);
	if (text.failed)
		return; /* the next group has one */
	audit_record_put(AUDIT_RECORD_CHECKPOINT, buf_bytes(&text), &p->records);
	audit_record_put(AUDIT_RECORD_PEAKS, peaks_of(&j->tree), &p->records);
	p->has_checkpoint = true;
	j->checkpointed = j->tree.n;
	j->checkpoint_ns = engine_mono_ns();
}

static bool checkpoint_is_due(const struct journal *j)
{
	const uint64_t since = j->tree.n - j->checkpointed;

	return since >= CHECKPOINT_EVERY ||
	       (since > 0 &&
		(j->ended || engine_mono_ns() - j->checkpoint_ns >= CHECKPOINT_EVERY_S * NS_PER_S));
}

static void after_commit(uv_work_t *work, int status);

static void submit(struct journal *j)
{
	j->busy = true;
	j->work.data = j;
	uv_queue_work(&j->engine->loop, &j->work, commit, after_commit);
}

/* What waits becomes the group being written, unless there is one. */
static void start(struct journal *j)
{
	if (j->busy || j->writing.records.len > 0)
		return;
	if (checkpoint_is_due(j))
		add_checkpoint(j, &j->waiting);
	if (j->waiting.records.len == 0)
		return;
	j->writing = j->waiting;
	j->waiting = (struct pending){0};
	submit(j);
}

static void push_counts(struct journal *j);
static void close_minute(struct journal *j);

/* Each is told once: what failed stays, and is tried again. */
static void tell(struct pending *p, int code)
{
	struct waiter *w = p->first;

	p->first = NULL;
	for (struct waiter *next; w; w = next) {
		next = w->next;
		w->done(w->ctx, code);
		free(w);
	}
}

static void finish(struct journal *j)
{
	void (*done)(struct engine * e) = j->on_stopped;

	if (!done)
		return;
	if (j->failure < 0)
		log_error("audit", "the last entries are lost n=%u",
			  j->writing.n_entries + j->waiting.n_entries);
	j->on_stopped = NULL;
	done(j->engine);
}

static void say_failure(struct journal *j, int before)
{
	if (j->failure < 0 && before == 0)
		engine_log_failure("audit", "nothing can be written: partners are not served", j->failure,
				   NULL);
	if (j->failure == 0 && before < 0)
		log_info("audit", "written again entries=%llu",
			 (unsigned long long)audit_log_entries(j->log));
}

static void after_commit(uv_work_t *work, int status)
{
	struct journal *j = work->data;
	const int before = j->failure;

	(void)status;
	j->busy = false;
	j->failure = j->result;
	say_failure(j, before);
	tell(&j->writing, j->failure);
	if (j->failure < 0) {
		tell(&j->waiting, j->failure);
	} else {
		pending_fini(&j->writing);
		push_counts(j);
		if (j->ended && j->closed.map.n == 0 && j->counting.map.n > 0)
			close_minute(j);
		start(j);
	}
	if (!j->busy)
		finish(j);
}

/* ---- Entries ---------------------------------------------------------------------------------------------
 */

static bool has_room(const struct journal *j)
{
	return j->waiting.records.len + ENTRY_ROOM <= AUDIT_WAITING_MAX;
}

static bool put_entry(struct journal *j, struct audit_entry e)
{
	SCOPED(buf_fini) struct buf entry = {0};
	struct pending *p = &j->waiting;

	e.time_ns = engine_wall_ns();
	e.node = e.node ? e.node : j->engine->trust->self->node;
	e.org = e.org ? e.org : j->engine->trust->self->org;
	randombytes_buf(e.salt, sizeof e.salt);
	audit_entry_encode(&e, &entry);
	if (!has_room(j) || entry.failed || !buf_extend(&p->records, ENTRY_ROOM)) {
		p->records.failed = false; /* what it holds is whole: nothing was appended */
		j->lost++;
		return false;
	}
	p->records.len -= ENTRY_ROOM;
	audit_record_put(AUDIT_RECORD_ENTRY, buf_bytes(&entry), &p->records);
	p->n_entries++;
	p->time_ns = e.time_ns > p->time_ns ? e.time_ns : p->time_ns;
	grow_tree(j, buf_bytes(&entry));
	return true;
}

static void put_lost(struct journal *j)
{
	const uint64_t n = j->lost;

	if (n == 0 || !has_room(j))
		return;
	j->lost = 0;
	put_entry(j, (struct audit_entry){.kind = AUDIT_NODE,
					  .subject = "lost entries",
					  .count = n,
					  .text = "they could neither be written nor kept in memory"});
}

void journal_note(struct journal *j, const struct audit_entry *e)
{
	if (!j)
		return;
	put_lost(j);
	put_entry(j, *e);
	start(j);
}

static struct waiter *waiter_new(journal_fn *done, void *ctx)
{
	struct waiter *w = calloc(1, sizeof *w);

	if (w)
		*w = (struct waiter){.done = done, .ctx = ctx};
	return w;
}

static void add_waiter(struct pending *p, struct waiter *w)
{
	if (!p->first)
		p->last = &p->first;
	*p->last = w;
	p->last = &w->next;
}

int journal_note_then(struct journal *j, const struct audit_entry *e, journal_fn *done, void *ctx)
{
	struct waiter *w;

	if (!j) {
		done(ctx, 0);
		return 0;
	}
	w = waiter_new(done, ctx);
	if (!w)
		return FAIL(-ENOMEM);
	put_lost(j);
	if (!put_entry(j, *e)) {
		free(w);
		return FAIL(-ENOMEM);
	}
	add_waiter(&j->waiting, w);
	start(j);
	if (j->failure < 0 && !j->busy) /* it waits behind what could not be written: nobody knows how long */
		tell(&j->waiting, j->failure);
	return 0;
}

int journal_settle(struct journal *j, journal_fn *done, void *ctx)
{
	struct waiter *w = j ? waiter_new(done, ctx) : NULL;

	if (j && !w)
		return FAIL(-ENOMEM);
	if (j) {
		close_minute(j);
		start(j);
	}
	if (!j || !j->busy) { /* nothing is left, or it cannot be written */
		free(w);
		done(ctx, j ? j->failure : 0);
		return 0;
	}
	add_waiter(j->waiting.records.len > 0 ? &j->waiting : &j->writing, w);
	return 0;
}

void journal_note_bounded(struct journal *j, const struct audit_entry *e, const char *why, unsigned most)
{
	const struct journal_read place = audit_counts_place(e, why);
	const uint64_t n = e->count > 0 ? e->count : 1;

	if (!j)
		return;
	struct audit_counter *c = audit_counts_add(&j->counting, e->kind, &place);
	if (!c)
		return;
	c->n += n - 1;
	if (c->told_entries >= most || !c->rule[0])
		return;
	c->told_entries++;
	c->told += n;
	journal_note(j, e);
}

struct recorded *journal_recorded(struct journal *j)
{
	return j ? &j->recorded : NULL;
}

/* ---- Counters --------------------------------------------------------------------------------------------
 */

void journal_count(struct journal *j, const struct journal_read *r)
{
	if (j)
		audit_counts_add(&j->counting, AUDIT_READ, r);
}

void journal_deny(struct journal *j, const char *partner)
{
	if (j)
		audit_counts_add(&j->counting, AUDIT_DENIED, &(struct journal_read){.partner = partner});
}

static void put_count(struct journal *j, const struct audit_counter *c)
{
	const bool is_read = c->kind == AUDIT_READ || c->kind == AUDIT_DENIED;
	const bool is_whole = !(is_read ? c->what : c->rule)[0]; /* there were too many different ones */

	if (c->n == c->told)
		return;
	if (is_read)
		put_entry(j, (struct audit_entry){
				     .kind = c->kind,
				     .count = c->n,
				     .subject = c->what,
				     .person = c->person,
				     .partner = c->partner,
				     .rule = c->rule,
				     .twin = c->twin,
				     .property = c->property,
				     .text = c->kind == AUDIT_READ && is_whole ? "of several twins" : ""});
	else
		put_entry(j, (struct audit_entry){.kind = c->kind,
						  .count = c->n - c->told,
						  .org = c->twin[0] ? c->twin : NULL,
						  .node = c->property[0] ? c->property : NULL,
						  .subject = is_whole ? "several" : c->rule,
						  .partner = c->partner,
						  .text = c->what});
}

/* As many of the closed minute's as there is room for: the others follow when these are written. */
static void push_counts(struct journal *j)
{
	const struct audit_counter *c;

	while (has_room(j) && (c = audit_counts_next(&j->closed, &j->closed_at)))
		put_count(j, c);
	if (has_room(j)) {
		j->lost += j->closed.lost;
		audit_counts_fini(&j->closed);
		j->closed_at = 0;
	}
}

static void push_limits(struct journal *j)
{
	struct zap_stats zs = {0};

	if (!j->engine->zap)
		return;
	zap_stats(j->engine->zap, &zs);
	if (zs.refused > j->refused_before)
		put_entry(j, (struct audit_entry){.kind = AUDIT_LIMIT,
						  .subject = "refused handshakes",
						  .count = zs.refused - j->refused_before});
	j->refused_before = zs.refused;
}

static void close_minute(struct journal *j)
{
	j->count_ns = engine_mono_ns();
	push_limits(j);
	if (j->closed.map.n > 0)
		return; /* the minute before is not written yet: this one goes on */
	j->closed = j->counting;
	j->counting = (struct audit_counts){0};
	push_counts(j);
}

void journal_tick(struct journal *j)
{
	const int64_t now_ns = engine_mono_ns();

	if (!j)
		return;
	if (now_ns - j->count_ns >= COUNT_EVERY_S * NS_PER_S)
		close_minute(j);
	if (!j->busy &&
	    (j->writing.records.len > 0 || (audit_log_room(j->log) != AUDIT_ROOMY &&
					    now_ns - j->reserve_ns >= RESERVE_EVERY_S * NS_PER_S))) {
		j->reserve_ns = now_ns;
		submit(j);
		return;
	}
	if (j->failure == 0)
		put_lost(j);
	start(j);
}

/* ---- State -----------------------------------------------------------------------------------------------
 */

bool journal_can_serve(const struct journal *j)
{
	return !j || (j->failure == 0 && j->lost == 0);
}

const char *journal_trouble(const struct journal *j)
{
	if (!journal_can_serve(j))
		return "the audit cannot be written: partners are not served, trust and policy cannot be "
		       "changed";
	if (j && audit_log_room(j->log) == AUDIT_LOW)
		return "the disk is full: when the room reserved for the audit ends, partners are not served "
		       "any more";
	return NULL;
}

int journal_check(const struct journal *j, struct err_note *note)
{
	if (journal_can_serve(j))
		return 0;
	return FAIL_SAY(note, ERR_REFUSED, "the audit cannot be written (%s): make room, then try again",
			j->failure < 0 ? err_text(j->failure) : "too much waits");
}

struct audit_log *journal_log(const struct journal *j)
{
	return j->log;
}

const char *journal_key(const struct journal *j)
{
	return j->key_text;
}

/* ---- Opening and closing ---------------------------------------------------------------------------------
 */

static int open_parts(struct journal *j, struct err_note *note)
{
	const struct trust *t = j->engine->trust;
	const struct public_key key = sign_key_public(t->sign);
	char dir[PATH_MAX];

	if (snprintf(dir, sizeof dir, "%s/audit", j->engine->config->dir) >= (int)sizeof dir)
		return FAIL_SAY(note, -ENAMETOOLONG, "%s: the path is too long", j->engine->config->dir);
	j->key = checkpoint_key_of(t->self->org, t->self->node, &key);
	checkpoint_key_text(&j->key, j->key_text);
	TRY(audit_log_open(&j->log, &(struct audit_options){.dir = dir}, note));
	const int r = load_tree(j);
	return r < 0 ? FAIL_SAY(note, r, "%.150s: the tree over the entries cannot be made: %s", dir,
				err_text(r))
		     : 0;
}

/* What was so then: the bundle may be one that the admin put into the node's directory since it ended. */
static void note_began(struct journal *j)
{
	const struct trust *t = j->engine->trust;
	char text[128];

	snprintf(text, sizeof text, "%s manifest %" PRIu32 " revocations %" PRIu64 " policy %" PRIu64,
		 HOLON_VERSION, t->own.org.manifest.version, t->own.org.revocations.seq, t->policy_doc.epoch);
	journal_note(j, &(struct audit_entry){.kind = AUDIT_NODE, .subject = "began", .text = text});
}

int journal_open(struct journal **ret, struct engine *e, struct err_note *note)
{
	struct journal *j = calloc(1, sizeof *j);

	if (!j)
		return FAIL(-ENOMEM);
	j->engine = e;
	j->checkpoint_ns = j->count_ns = engine_mono_ns();
	const int r = open_parts(j, note);
	if (r < 0) {
		journal_free(j);
		return r;
	}
	*ret = j;
	note_began(j);
	return 0;
}

void journal_stop(struct journal *j, void (*done)(struct engine *e))
{
	close_minute(j);
	j->on_stopped = done;
	j->ended = true;
	put_entry(j, (struct audit_entry){.kind = AUDIT_NODE, .subject = "ended"});
	if (j->busy)
		return;
	if (j->writing.records.len > 0)
		submit(j); /* a last attempt */
	else
		start(j);
	if (!j->busy)
		finish(j);
}

void journal_free(struct journal *j)
{
	if (!j)
		return;
	pending_fini(&j->waiting);
	pending_fini(&j->writing);
	audit_counts_fini(&j->counting);
	audit_counts_fini(&j->closed);
	audit_log_close(j->log);
	free(j);
}
