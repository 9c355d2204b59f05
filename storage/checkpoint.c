/* SPDX-License-Identifier: Apache-2.0 */
/* Write-behind, and reading it back.
 *
 * A checkpoint takes everything up to one batch into history/ (a new run), remote/ and state/, in this order.
 * The transaction in state/ is its one commit point: it names the batch and the runs that count. After a
 * crash before it the log is replayed from the batch that state/ names, and a run that it does not name is
 * removed. remote/ records its own batch: rows that it holds already are not applied again. state/ and
 * remote/ are open only while they are read or written: everything in them is in memory, and closing gives
 * back the pages.
 */
#include "proto/clock.h"
#include "storage/env.h"
#include "storage/env_check.h"
#include "storage/record.h"
#include "storage/store_private.h"

#define FORMAT 4 /* of the store as a whole */

struct checkpoint {
	struct store *s;
	struct changeset state, remote;
	struct buf meta;
	uint64_t position;
	uint64_t backlog_bytes;
	bool taken; /* everything is in the changesets */
};

/* ---- Meta record ------------------------------------------------------------------------------------------
 */

/* format (4), ORG, NODE, n of lineage (4), of each: id (8), start (8); batch (8), seq (8), stamp (8), next
 * numbers of series (4), twins (4), and relations and memberships (8); producers, see storage/producers.h;
 * the floor (8), if tombstones were ever collected. Beside it, under 'H', the runs of the history, see
 * history_runs(). */
static int encode_meta(const struct store *s, struct buf *out)
{
	buf_put_u32(out, FORMAT);
	record_put_text(out, s->org);
	record_put_text(out, s->node);
	buf_put_u32(out, (uint32_t)s->n_lineage);
	for (size_t i = 0; i < s->n_lineage; i++) {
		buf_put_u64(out, s->lineage[i].id);
		buf_put_u64(out, s->lineage[i].start_seq);
	}
	buf_put_u64(out, s->applied);
	buf_put_u64(out, s->table.seq);
	buf_put_u64(out, (uint64_t)s->table.stamp_ns);
	buf_put_u32(out, s->table.values.next);
	buf_put_u32(out, s->table.twins.n);
	buf_put_u64(out, s->table.next_number);
	producers_encode(&s->producers, out);
	if (s->table.floor > 0)
		buf_put_u64(out, s->table.floor);
	return buf_check(out);
}

static int check_owner(const struct store *s, const char *org, const char *node, struct err_note *note)
{
	if (strcmp(org, s->org) == 0 && strcmp(node, s->node) == 0)
		return 0;
	return FAIL_SAY(note, ERR_REFUSED,
			"store %s belongs to %s/%s, not to %s/%s: give the node its own directory", s->dir,
			org, node, s->org, s->node);
}

static int check_format(const struct store *s, uint32_t format, struct err_note *note)
{
	if (format < FORMAT)
		return FAIL_SAY(note, ERR_VERSION,
				"store %s has format %u, this version reads only %d: move the directory "
				"away, let the node begin a new one, and apply and import what it held",
				s->dir, format, FORMAT);
	if (format > FORMAT)
		return FAIL_SAY(note, ERR_VERSION,
				"store %s has format %u, this version knows formats up to %d: use "
				"the newer version that wrote it",
				s->dir, format, FORMAT);
	return 0;
}

static int decode_meta(struct store *s, struct bytes in, struct err_note *note)
{
	struct record_reader r = record_reader(in);

	TRY(check_format(s, record_u32(&r), note));
	const char *org = record_text(&r), *node = record_text(&r);
	s->n_lineage = record_u32(&r);
	if (r.failed || s->n_lineage == 0 || s->n_lineage > LINEAGE_MAX)
		return FAIL(ERR_CORRUPT);
	TRY(check_owner(s, org, node, note));
	for (size_t i = 0; i < s->n_lineage; i++) {
		s->lineage[i].id = record_u64(&r);
		s->lineage[i].start_seq = record_u64(&r);
	}
	s->state_position = record_u64(&r);
	s->table.seq = record_u64(&r);
	s->table.stamp_ns = (int64_t)record_u64(&r);
	s->table.values.next = record_u32(&r);
	const uint32_t n_twins = record_u32(&r);
	s->table.next_number = record_u64(&r);
	TRY(producers_decode(&s->producers, &r));
	s->table.floor = r.at < r.end ? record_u64(&r) : 0;
	TRY(twin_index_reserve(&s->table.twins, n_twins));
	return record_end(&r);
}

/* ---- Loading ----------------------------------------------------------------------------------------------
 */

/* `runs`: of the history; empty: left as they are. */
static int write_env(const struct store *s, const char *name, const struct changeset *changes,
		     struct bytes meta, struct bytes runs)
{
	SCOPED(scope_env) struct env *env = NULL;
	SCOPED(scope_env_txn) struct env_txn *t = NULL;
	char path[PATH_BYTES];

	store_path(s, name, path);
	TRY(env_open(&env, path, s->limit_bytes, NULL));
	TRY(env_begin(env, ENV_WRITE, &t));
	TRY(changeset_write(changes, t));
	if (meta.len > 0)
		TRY(env_put(t, BYTES("M"), meta));
	if (runs.len > 0)
		TRY(env_put(t, BYTES("H"), runs));
	return env_commit(&t);
}

/* The first thing a new store keeps is whose it is and its incarnation. */
static int found(struct store *s, const struct store_options *opt, struct err_note *note)
{
	SCOPED(buf_fini) struct buf meta = {0};

	if (log_last(s->log) > 0)
		return FAIL_SAY(note, ERR_CORRUPT,
				"store %s has a log but state/ is empty: restore it from a backup", s->dir);
	s->lineage[0] = (struct incarnation){.id = opt->fresh_id, .start_seq = 1};
	s->n_lineage = 1;
	TRY(encode_meta(s, &meta));
	const int r = write_env(s, "state", &(struct changeset){0}, buf_bytes(&meta), (struct bytes){0});
	return r < 0 ? FAIL_SAY(note, r, "cannot write %s/state: %s", s->dir, err_text(r)) : 0;
}

/* Everything the stream says from here on is of a new incarnation: what the earlier one said beyond this
 * point is void (DESIGN 7). */
int store_begin_incarnation(struct store *s, uint64_t fresh_id, struct err_note *note)
{
	SCOPED(buf_fini) struct buf meta = {0};

	if (s->n_lineage == LINEAGE_MAX)
		return FAIL_SAY(
			note, ERR_FULL,
			"store %s was restored %d times already: make the node anew under another name",
			s->dir, LINEAGE_MAX - 1);
	s->lineage[s->n_lineage++] = (struct incarnation){.id = fresh_id, .start_seq = s->table.seq + 1};
	TRY(encode_meta(s, &meta));
	const int r = write_env(s, "state", &(struct changeset){0}, buf_bytes(&meta), (struct bytes){0});
	return r < 0 ? FAIL_SAY(note, r, "cannot write %s/state: %s", s->dir, err_text(r)) : 0;
}

static int open_history(struct store *s, struct env_txn *t, struct err_note *note)
{
	struct bytes runs = {0};
	char path[PATH_BYTES];

	if (t) {
		const int r = env_get(t, BYTES("H"), &runs);
		TRY(r);
		if (r == ENV_ABSENT && s->state_position > 0)
			return FAIL(ERR_CORRUPT); /* every checkpoint names them */
	}
	store_path(s, "history", path);
	TRY(history_open(&s->history, path, s->limit_bytes, runs, note));
	s->table.history = s->history;
	return 0;
}

static int load_state(struct store *s, struct env *env, struct err_note *note)
{
	SCOPED(scope_env_txn) struct env_txn *t = NULL;
	struct bytes meta;

	TRY(env_begin(env, ENV_READ, &t));
	const int r = env_get(t, BYTES("M"), &meta);
	if (r != 0)
		return r;
	TRY(decode_meta(s, meta, note));
	TRY(open_history(s, t, note));
	TRY(table_load(&s->table, t));
	return kept_commands_load(&s->commands, t);
}

static int load_remote(struct store *s, struct env *env, struct err_note *note)
{
	SCOPED(scope_env_txn) struct env_txn *t = NULL;
	struct bytes meta;

	(void)note;
	TRY(env_begin(env, ENV_READ, &t));
	const int r = env_get(t, BYTES("M"), &meta);
	if (r != 0)
		return r;
	struct record_reader reader = record_reader(meta);
	s->remote_position = record_u64(&reader);
	TRY(record_end(&reader));
	return remote_load(&s->remote, t);
}

typedef int load_fn(struct store *s, struct env *env, struct err_note *note);

static int load_env(struct store *s, const char *name, load_fn *load, struct err_note *note)
{
	SCOPED(scope_env) struct env *env = NULL;
	char path[PATH_BYTES];

	store_path(s, name, path);
	TRY(env_check(path, ENV_CHECK_PAGES, note)); /* loading looks at every value */
	TRY(env_open(&env, path, s->limit_bytes, note));
	const int r = load(s, env, note);
	if (r < 0 && note && !note->text[0])
		return FAIL_SAY(note, r, "%s/data.mdb: %s%s", path, err_text(r), env_advice(r));
	return r;
}

int store_load(struct store *s, const struct store_options *opt, struct err_note *note)
{
	const int r = load_env(s, "state", load_state, note);

	TRY(r);
	if (r == ENV_ABSENT) {
		TRY(found(s, opt, note));
		TRY(open_history(s, NULL, note));
	}
	TRY(load_env(s, "remote", load_remote, note));
	s->applied = s->state_position;
	return 0;
}

/* ---- Checkpoint -------------------------------------------------------------------------------------------
 */

bool checkpoint_due(const struct store *s, int64_t now_ns)
{
	if (s->backlog_bytes == 0)
		return false;
	/* A clock that was set back must not put it off for years. */
	return s->saving_memory || checkpoint_backlog(s) > 1 ||
	       now_ns - s->backlog_ns >= s->checkpoint_every_ns || now_ns < s->backlog_ns;
}

double checkpoint_backlog(const struct store *s)
{
	const double in_log = (double)s->backlog_bytes / (double)s->checkpoint_bytes;
	const double in_memory = BACKLOG_MAX * (double)history_memory(s->history) / (double)s->memory_bytes;

	return in_log > in_memory ? in_log : in_memory;
}

static void checkpoint_free(struct checkpoint *c)
{
	changeset_fini(&c->state);
	changeset_fini(&c->remote);
	buf_fini(&c->meta);
	free(c);
}

/* What was not written goes first into the next one. An append that failed has left what was there. */
static void keep_for_next(struct store *s, struct checkpoint *c)
{
	s->state_left = c->state;
	s->remote_left = c->remote;
	s->state_left.data.failed = s->remote_left.data.failed = false;
	c->state = c->remote = (struct changeset){0};
	changeset_thin(&s->state_left); /* the same again and again, as long as nothing can be written */
	changeset_thin(&s->remote_left);
}

static int take(struct store *s, struct checkpoint *c)
{
	TRY(encode_meta(s, &c->meta));
	TRY(history_freeze(s->history));
	TRY(remote_take_changes(&s->remote, &c->remote));
	TRY(kept_commands_take(&s->commands, &c->state));
	return table_freeze(&s->table, &c->state);
}

int checkpoint_begin(struct store *s, struct checkpoint **ret)
{
	struct checkpoint *c = calloc(1, sizeof *c);

	if (!c)
		return FAIL(-ENOMEM);
	*c = (struct checkpoint){
		.s = s,
		.state = s->state_left,
		.remote = s->remote_left,
		.position = s->applied,
		.backlog_bytes = s->backlog_bytes,
	};
	s->state_left = s->remote_left = (struct changeset){0};
	s->saving_memory = false;
	const int r = take(s, c);
	if (r < 0) {
		checkpoint_end(s, c, false);
		return r;
	}
	*ret = c;
	return 0;
}

int checkpoint_take(struct checkpoint *c)
{
	const int r = c->taken ? 1 : table_take(&c->s->table);

	c->taken = r == 1;
	return r;
}

int checkpoint_write(struct checkpoint *c)
{
	SCOPED(buf_fini) struct buf position = {0}, runs = {0};
	int r;

	while ((r = checkpoint_take(c)) == 0)
		;
	TRY(r);

	buf_put_u64(&position, c->position);
	TRY(buf_check(&position));
	TRY(history_write(c->s->history));
	history_runs(c->s->history, &runs);
	TRY(buf_check(&runs));
	TRY(write_env(c->s, "remote", &c->remote, buf_bytes(&position), (struct bytes){0}));
	return write_env(c->s, "state", &c->state, buf_bytes(&c->meta), buf_bytes(&runs));
}

int store_write_runs(struct store *s)
{
	SCOPED(buf_fini) struct buf runs = {0};

	history_runs(s->history, &runs);
	TRY(buf_check(&runs));
	return write_env(s, "state", &(struct changeset){0}, (struct bytes){0}, buf_bytes(&runs));
}

void checkpoint_end(struct store *s, struct checkpoint *c, bool written)
{
	history_thaw(s->history, written);
	table_thaw(&s->table);
	if (written) {
		s->backlog_bytes -= c->backlog_bytes;
		s->backlog_ns = s->applied_ns;
		s->state_position = s->remote_position = c->position;
		log_drop(s->log, c->position);
	} else {
		keep_for_next(s, c);
	}
	checkpoint_free(c);
}
