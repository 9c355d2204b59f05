/* SPDX-License-Identifier: Apache-2.0 */
/* Write-behind, and reading it back.
 *
 * A checkpoint takes everything up to one batch into history/, remote/ and state/, in this order, and each of
 * them records that batch in the transaction that completes it. After a crash between them the log is
 * replayed from the batch of state/, the oldest, and what the other two hold already is not applied to them
 * again. state/ and remote/ are open only while they are read or written: everything in them is in memory,
 * and closing gives back the pages.
 */
#include "proto/clock.h"
#include "storage/env.h"
#include "storage/env_check.h"
#include "storage/record.h"
#include "storage/store_private.h"

#define FORMAT 2 /* of the store as a whole */

struct checkpoint {
	struct store *s;
	struct changeset state, remote;
	struct buf meta;
	uint64_t position;
	uint64_t backlog_bytes;
};

/* ---- Meta record ------------------------------------------------------------------------------------------
 */

/* format (4), ORG, NODE, n of lineage (4), of each: id (8), start (8); batch (8), seq (8), stamp (8), next
 * numbers of series (8) and of relations and memberships (8); from format 2 on producers, see
 * storage/producers.h. */
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
	buf_put_u64(out, s->table.next_series);
	buf_put_u64(out, s->table.next_number);
	producers_encode(&s->producers, out);
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

static int decode_meta(struct store *s, struct bytes in, struct err_note *note)
{
	struct record_reader r = record_reader(in);
	const uint32_t format = record_u32(&r);

	if (format > FORMAT)
		return FAIL_SAY(note, ERR_VERSION,
				"store %s has format %u, this version knows formats up to %d: use "
				"the newer version that wrote it",
				s->dir, format, FORMAT);
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
	s->table.next_series = record_u64(&r);
	s->table.next_number = record_u64(&r);
	if (format >= 2)
		TRY(producers_decode(&s->producers, &r));
	return record_end(&r);
}

/* ---- Loading ----------------------------------------------------------------------------------------------
 */

static int write_env(const struct store *s, const char *name, const struct changeset *changes,
		     struct bytes meta)
{
	SCOPED(scope_env) struct env *env = NULL;
	SCOPED(scope_env_txn) struct env_txn *t = NULL;
	char path[PATH_BYTES];

	store_path(s, name, path);
	TRY(env_open(&env, path, s->limit_bytes, NULL));
	TRY(env_begin(env, ENV_WRITE, &t));
	TRY(changeset_write(changes, t));
	TRY(env_put(t, BYTES("M"), meta));
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
	const int r = write_env(s, "state", &(struct changeset){0}, buf_bytes(&meta));
	return r < 0 ? FAIL_SAY(note, r, "cannot write %s/state: %s", s->dir, err_text(r)) : 0;
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
	return table_load(&s->table, t);
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
	TRY(env_check(path, ENV_CHECK_VALUES, note));
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
	if (r == ENV_ABSENT)
		TRY(found(s, opt, note));
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
	return s->backlog_bytes > s->checkpoint_bytes || now_ns - s->backlog_ns >= s->checkpoint_every_ns ||
	       now_ns < s->backlog_ns;
}

double checkpoint_backlog(const struct store *s)
{
	return (double)s->backlog_bytes / (double)s->checkpoint_bytes;
}

static void checkpoint_free(struct checkpoint *c)
{
	changeset_fini(&c->state);
	changeset_fini(&c->remote);
	buf_fini(&c->meta);
	free(c);
}

/* What was not written goes first into the next one. */
static void keep_for_next(struct store *s, struct checkpoint *c)
{
	s->state_left = c->state;
	s->remote_left = c->remote;
	c->state = c->remote = (struct changeset){0};
}

static int take(struct store *s, struct checkpoint *c)
{
	TRY(encode_meta(s, &c->meta));
	TRY(series_freeze(s->history));
	TRY(table_take_changes(&s->table, &c->state));
	return remote_take_changes(&s->remote, &c->remote);
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
	const int r = take(s, c);
	if (r < 0) {
		checkpoint_end(s, c, false);
		return r;
	}
	*ret = c;
	return 0;
}

int checkpoint_write(struct checkpoint *c)
{
	SCOPED(buf_fini) struct buf position = {0};

	buf_put_u64(&position, c->position);
	TRY(buf_check(&position));
	TRY(series_write(c->s->history, c->position));
	TRY(write_env(c->s, "remote", &c->remote, buf_bytes(&position)));
	return write_env(c->s, "state", &c->state, buf_bytes(&c->meta));
}

void checkpoint_end(struct store *s, struct checkpoint *c, bool written)
{
	series_thaw(s->history, written);
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
