/* SPDX-License-Identifier: Apache-2.0 */
#include "storage/run.h"

#include <assert.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

#include "storage/env_check.h"
#include "storage/record.h"

enum {
	META_VERSION = 1,
	KEY_BYTES = 14,
	COMMIT_BYTES = 8 << 20,
	LOOK_BYTES = 64 << 20, /* larger ones are left to the scrub: opening reads no years of history */
};

static const struct bytes meta_key = {(const uint8_t *)"M", 1};

int run_path(const char *dir, uint64_t number, char ret[RUN_PATH_BYTES])
{
	if (snprintf(ret, RUN_PATH_BYTES, "%s/%010" PRIu64, dir, number) >= RUN_PATH_BYTES)
		return FAIL(-ENAMETOOLONG);
	return 0;
}

/* ---- Meta -------------------------------------------------------------------------------------------------
 */

void run_meta_encode(const struct run_meta *m, struct buf *out)
{
	buf_put_u8(out, META_VERSION);
	buf_put_u32(out, m->level);
	buf_put_u32(out, m->first_series);
	buf_put_u32(out, m->last_series);
	buf_put_u64(out, (uint64_t)m->first_ns);
	buf_put_u64(out, (uint64_t)m->last_ns);
	buf_put_u64(out, m->n_records);
	buf_put_u64(out, m->n_samples);
	buf_put_u64(out, m->bytes);
	buf_put_u64(out, m->n_lost);
	buf_put_u64(out, m->n_rolled);
	buf_put_u64(out, (uint64_t)m->expired_at_ns);
}

int run_meta_decode(struct bytes in, struct run_meta *ret)
{
	struct record_reader r = record_reader(in);

	const uint8_t version = record_u8(&r);
	if (version != META_VERSION)
		return FAIL(version > META_VERSION ? ERR_VERSION : ERR_CORRUPT);
	*ret = (struct run_meta){
		.level = record_u32(&r),
		.first_series = record_u32(&r),
		.last_series = record_u32(&r),
		.first_ns = (int64_t)record_u64(&r),
		.last_ns = (int64_t)record_u64(&r),
		.n_records = record_u64(&r),
		.n_samples = record_u64(&r),
		.bytes = record_u64(&r),
		.n_lost = record_u64(&r),
		.n_rolled = record_u64(&r),
		.expired_at_ns = (int64_t)record_u64(&r),
	};
	return record_end(&r);
}

int run_lost_decode(struct bytes in, struct run_lost *ret)
{
	struct record_reader r = record_reader(in);

	ret->last_ns = (int64_t)record_u64(&r);
	ret->stored = record_rest(&r);
	return record_end(&r);
}

/* ---- Opening ----------------------------------------------------------------------------------------------
 */

static int load_meta(struct run *r)
{
	SCOPED(scope_env_txn) struct env_txn *t = NULL;
	struct bytes value;

	TRY(env_begin(r->env, ENV_READ, &t));
	const int found = env_get(t, meta_key, &value);
	TRY(found);
	return found == ENV_ABSENT ? FAIL(ERR_CORRUPT) : run_meta_decode(value, &r->meta);
}

int run_open(struct run **ret, const char *dir, uint64_t number, size_t limit_bytes, struct err_note *note)
{
	SCOPED(scope_run) struct run *r = calloc(1, sizeof *r);
	char path[RUN_PATH_BYTES];

	if (!r)
		return FAIL(-ENOMEM);
	TRY(run_path(dir, number, path));
	r->number = number;
	r->dir = strdup(path);
	if (!r->dir)
		return FAIL(-ENOMEM);
	if (env_dir_bytes(path) == 0)
		return FAIL_SAY(note, ERR_CORRUPT, "%s is missing%s", path, env_advice(ERR_CORRUPT));
	if (env_dir_bytes(path) <= LOOK_BYTES)
		TRY(env_check(path, ENV_CHECK_KEYS, note));
	TRY(env_open(&r->env, path, limit_bytes, note));
	const int result = load_meta(r);
	if (result < 0)
		return FAIL_SAY(note, result, "%s/data.mdb: %s%s", path, err_text(result),
				env_advice(result));
	r->disk_bytes = env_dir_bytes(path);
	*ret = MOVE(r);
	return 0;
}

void run_close(struct run *r)
{
	if (!r)
		return;
	env_close(r->env);
	free(r->dir);
	free(r);
}

void run_remove(struct run *r)
{
	if (!r)
		return;
	env_close(r->env);
	r->env = NULL;
	ignore(env_remove(r->dir)); /* a leftover: the next opening tries again */
	run_close(r);
}

bool run_may_hold(const struct run *r, uint32_t series, int64_t from_ns, int64_t to_ns)
{
	return series >= r->meta.first_series && series <= r->meta.last_series &&
	       from_ns <= r->meta.last_ns && to_ns >= r->meta.first_ns;
}

/* ---- Keys -------------------------------------------------------------------------------------------------
 */

static void put_prefix(uint8_t to[6], uint32_t series, enum run_kind kind)
{
	to[0] = 's';
	for (int i = 0; i < 4; i++)
		to[1 + i] = (uint8_t)(series >> (24 - 8 * i));
	to[5] = (uint8_t)kind;
}

static void put_key(uint8_t to[KEY_BYTES], const struct run_key *key)
{
	const uint64_t t = (uint64_t)key->t_ns ^ (UINT64_C(1) << 63); /* so that byte order is time order */

	put_prefix(to, key->series, key->kind);
	for (int i = 0; i < 8; i++)
		to[6 + i] = (uint8_t)(t >> (56 - 8 * i));
}

static int get_key(struct bytes in, struct run_key *ret)
{
	if (in.len != KEY_BYTES)
		return FAIL(ERR_CORRUPT);
	ret->series = get_u32(in.data + 1);
	ret->kind = (enum run_kind)in.data[5];
	ret->t_ns = (int64_t)(get_u64(in.data + 6) ^ (UINT64_C(1) << 63));
	return 0;
}

/* ---- Walking ----------------------------------------------------------------------------------------------
 */

int run_walk_begin(struct run_walk *w, const struct run *r, uint32_t series, enum run_kind kind)
{
	TRY(env_begin(r->env, ENV_READ, &w->txn));
	put_prefix(w->prefix, series, kind);
	w->walk = env_walk_begin(w->txn, (struct bytes){w->prefix, sizeof w->prefix});
	w->walk.keys_only = true;
	return 0;
}

int run_walk_next(struct run_walk *w)
{
	const int r = env_walk_next(&w->walk);

	TRY(r);
	if (r > 0)
		TRY(get_key(w->walk.key, &w->key));
	return r;
}

int run_walk_floor(struct run_walk *w, int64_t t_ns)
{
	const struct run_key at = {get_u32(w->prefix + 1), (enum run_kind)w->prefix[5], t_ns};
	uint8_t key[KEY_BYTES];

	put_key(key, &at);
	const int r = env_walk_floor(&w->walk, (struct bytes){key, sizeof key});
	TRY(r);
	if (r > 0)
		TRY(get_key(w->walk.key, &w->key));
	return r;
}

int run_walk_value(const struct run_walk *w, struct bytes *ret)
{
	return env_walk_value(&w->walk, ret);
}

void run_walk_end(struct run_walk *w)
{
	if (!w->txn)
		return;
	env_walk_end(&w->walk);
	env_abort(w->txn);
	w->txn = NULL;
}

int run_series_next(const struct run *r, uint32_t series, uint32_t *ret)
{
	SCOPED(scope_env_txn) struct env_txn *t = NULL;
	const struct run_key from = {series, (enum run_kind)0, INT64_MIN};
	uint8_t key[KEY_BYTES];
	struct run_key found;

	if (series > r->meta.last_series || r->meta.first_series > r->meta.last_series)
		return 0;
	put_key(key, &from);
	TRY(env_begin(r->env, ENV_READ, &t));
	SCOPED(env_walk_end) struct env_walk w = env_walk_begin(t, BYTES("s"));
	w.keys_only = true;
	TRY(env_walk_floor(&w, (struct bytes){key, sizeof key}));
	const int more = env_walk_next(&w);
	TRY(more);
	if (more == 0)
		return 0;
	TRY(get_key(w.key, &found));
	*ret = found.series;
	return 1;
}

int run_expiry(const struct run *r, uint32_t series, int64_t *ret_ns)
{
	SCOPED(run_walk_end) struct run_walk w = {0};
	struct bytes value;

	*ret_ns = INT64_MIN;
	if (r->meta.n_rolled == 0 || series < r->meta.first_series || series > r->meta.last_series)
		return 0;
	TRY(run_walk_begin(&w, r, series, RUN_EXPIRY));
	const int found = run_walk_next(&w);
	TRY(found);
	if (found == 0)
		return 0;
	TRY(run_walk_value(&w, &value));
	if (value.len != 8)
		return FAIL(ERR_CORRUPT);
	*ret_ns = (int64_t)get_u64(value.data);
	return 0;
}

/* ---- Writing ----------------------------------------------------------------------------------------------
 */

int run_writer_begin(struct run_writer *w, const char *dir, uint64_t number, size_t limit_bytes)
{
	*w = (struct run_writer){
		.meta = {.first_series = UINT32_MAX,
			 .first_ns = INT64_MAX,
			 .last_ns = INT64_MIN,
			 .expired_at_ns = INT64_MIN},
		.number = number,
		.limit_bytes = limit_bytes,
	};
	TRY(run_path(dir, number, w->dir));
	TRY(env_remove(w->dir));
	return env_open(&w->env, w->dir, limit_bytes, NULL);
}

static void account(struct run_meta *m, const struct run_key *key, size_t len, const struct run_span *span)
{
	if (key->series < m->first_series)
		m->first_series = key->series;
	m->last_series = key->series;
	if (span->first_ns < m->first_ns)
		m->first_ns = span->first_ns;
	if (span->last_ns > m->last_ns)
		m->last_ns = span->last_ns;
	m->n_records++;
	m->n_samples += span->n_samples;
	m->bytes += KEY_BYTES + ENV_OVERHEAD + len;
	if (key->kind == RUN_LOST)
		m->n_lost++;
	else if (key->kind != RUN_CHUNK)
		m->n_rolled++;
}

int run_writer_put(struct run_writer *w, const struct run_key *key, struct bytes value,
		   const struct run_span *span)
{
	uint8_t bytes[KEY_BYTES];

	put_key(bytes, key);
	if (!w->txn)
		TRY(env_begin(w->env, ENV_WRITE, &w->txn));
	TRY(env_append(w->txn, (struct bytes){bytes, sizeof bytes}, value));
	account(&w->meta, key, value.len, span);
	w->uncommitted += KEY_BYTES + value.len;
	return w->uncommitted < COMMIT_BYTES ? 0 : run_writer_pause(w);
}

int run_writer_pause(struct run_writer *w)
{
	w->uncommitted = 0;
	return w->txn ? env_commit(&w->txn) : 0;
}

static int put_meta(struct run_writer *w)
{
	SCOPED(buf_fini) struct buf meta = {0};

	run_meta_encode(&w->meta, &meta);
	TRY(buf_check(&meta));
	if (!w->txn)
		TRY(env_begin(w->env, ENV_WRITE, &w->txn));
	TRY(env_put(w->txn, meta_key, buf_bytes(&meta)));
	return run_writer_pause(w);
}

/* LMDB keeps the memory of every page it ever wrote until it is closed: as much as the run is long. */
static int reopen(struct run_writer *w, struct env **ret)
{
	env_close(MOVE(w->env));
	const int r = env_open(ret, w->dir, w->limit_bytes, NULL);
	if (r < 0)
		ignore(env_remove(w->dir)); /* nothing names it yet */
	return r;
}

int run_writer_end(struct run_writer *w, struct run **ret)
{
	SCOPED(scope_run) struct run *r = calloc(1, sizeof *r);

	if (!r)
		return FAIL(-ENOMEM);
	r->dir = strdup(w->dir);
	if (!r->dir)
		return FAIL(-ENOMEM);
	TRY(put_meta(w));
	r->number = w->number;
	TRY(reopen(w, &r->env));
	r->meta = w->meta;
	r->disk_bytes = env_dir_bytes(r->dir);
	*ret = MOVE(r);
	return 0;
}

void run_writer_drop(struct run_writer *w)
{
	const bool begun = w->env != NULL;

	env_abort(w->txn);
	env_close(w->env);
	w->txn = NULL;
	w->env = NULL;
	if (begun)
		ignore(env_remove(w->dir)); /* a leftover: the next opening tries again */
}

/* ---- Looking for rot --------------------------------------------------------------------------------------
 */

static int start_behind(struct env_walk *w, const struct buf *behind)
{
	if (behind->len == 0)
		return 0;
	const int found = env_walk_floor(w, buf_bytes(behind));
	return found < 0 ? found : 0;
}

int run_check(const struct run *r, struct buf *behind, size_t budget, run_look_fn *look, void *ctx)
{
	SCOPED(scope_env_txn) struct env_txn *t = NULL;
	size_t seen = 0;
	struct bytes value;
	struct run_key key;
	int more = 1;

	TRY(env_begin(r->env, ENV_READ, &t));
	SCOPED(env_walk_end) struct env_walk w = env_walk_begin(t, BYTES("s"));
	w.keys_only = true;
	TRY(start_behind(&w, behind));
	while (seen < budget && (more = env_walk_next(&w)) > 0) {
		seen += w.stored.len;
		buf_clear(behind);
		buf_put(behind, w.key);
		TRY(get_key(w.key, &key));
		look(ctx, r, &key, env_walk_value(&w, &value) == 0);
	}
	TRY(more);
	TRY(buf_check(behind));
	return more == 0;
}
