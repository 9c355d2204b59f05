/* SPDX-License-Identifier: Apache-2.0 */
#include "storage/env.h"

#include <assert.h>
#include <fcntl.h>
#include <lmdb.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "proto/buf.h"
#include "proto/hash.h"
#include "storage/env_check.h"
#include "storage/env_private.h"

#define FORMAT 1
#define CHECKSUM "holon/record/1"

enum {
	PATH_BYTES = 4096,
	FOUND_BYTES = 64 * 1024, /* ceiling while it is made: two pages */
	LOCK_BYTES = 16 * 1024,  /* LMDB's readers: 126 of 64 bytes, and its header */
	STAT_BLOCK = 512,        /* what st_blocks counts */
};

static const char *const file_names[] = {"data.mdb", "lock.mdb"};

struct env {
	MDB_env *mdb;
	MDB_dbi dbi;
};

struct env_txn {
	MDB_txn *mdb;
	MDB_dbi dbi;
	int walks_open; /* LMDB frees a write transaction's cursors with it: a walk must end first */
};

/* The one border where LMDB's codes become ours. */
static int from_mdb(int rc)
{
	switch (rc) {
	case MDB_SUCCESS: return 0;
	case MDB_MAP_FULL: return FAIL(ERR_FULL);
	case MDB_CORRUPTED:
	case MDB_PAGE_NOTFOUND:
	case MDB_INVALID: return FAIL(ERR_CORRUPT);
	case MDB_VERSION_MISMATCH: return FAIL(ERR_VERSION);
	case MDB_READERS_FULL: return FAIL(-EAGAIN);
	case MDB_TXN_FULL: return FAIL(-E2BIG);
	default: return FAIL(rc > 0 ? -rc : -EIO);
	}
}

static MDB_val to_mdb(struct bytes b)
{
	const void *data = b.data;
	MDB_val v = {.mv_size = b.len};

	memcpy(&v.mv_data, &data, sizeof data); /* LMDB's type lacks the const it honours */
	return v;
}

static struct bytes to_bytes(MDB_val v)
{
	return (struct bytes){.data = v.mv_data, .len = v.mv_size};
}

/* ---- Opening ----------------------------------------------------------------------------------------------
 */

static int sync_dir(const char *dir)
{
	const int fd = open(dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);

	if (fd < 0)
		return FAIL(-errno);
	const int r = fsync(fd) < 0 ? FAIL(-errno) : 0;
	close(fd);
	return r;
}

int env_sync_parent(const char *dir)
{
	char parent[PATH_BYTES];
	const char *slash = strrchr(dir, '/');

	if (!slash)
		return sync_dir(".");
	if (slash == dir)
		return sync_dir("/");
	if ((size_t)(slash - dir) >= sizeof parent)
		return FAIL(-ENAMETOOLONG);
	memcpy(parent, dir, (size_t)(slash - dir));
	parent[slash - dir] = '\0';
	return sync_dir(parent);
}

int env_make_dir(const char *dir, struct err_note *note)
{
	if (mkdir(dir, 0700) < 0) {
		const int r = -errno;
		return r == -EEXIST ? 0
				    : FAIL_SAY(note, r, "cannot make the directory %s: %s", dir, err_text(r));
	}
	const int r = env_sync_parent(dir);
	return r < 0 ? FAIL_SAY(note, r, "cannot write the directory above %s: %s", dir, err_text(r)) : 0;
}

uint64_t env_dir_bytes(const char *dir)
{
	char path[PATH_BYTES];
	struct stat st;

	snprintf(path, sizeof path, "%s/%s", dir, file_names[0]);
	return stat(path, &st) == 0 ? (uint64_t)st.st_size : 0;
}

const char *env_advice(int r)
{
	if (r == ERR_CORRUPT)
		return "; restore the store from a backup";
	return r == ERR_VERSION ? "; use the newer version that wrote it" : "";
}

/* LMDB maps its lock file and writes through the map: on a full disk a page of it that has no room yet would
 * be the end of the process (SIGBUS). So it gets its room before, or the opening fails as it should; one that
 * has its room already opens on a full disk too. */
static int reserve_lock_file(const char *dir)
{
	char path[PATH_BYTES];

	if (snprintf(path, sizeof path, "%s/lock.mdb", dir) >= (int)sizeof path)
		return FAIL(-ENAMETOOLONG);
	const int fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
	if (fd < 0)
		return FAIL(-errno);
	struct stat st;
	const bool has_room = fstat(fd, &st) == 0 && st.st_size >= LOCK_BYTES &&
			      (uint64_t)st.st_blocks * STAT_BLOCK >= LOCK_BYTES;
	const int error = has_room ? 0 : posix_fallocate(fd, 0, LOCK_BYTES);
	close(fd);
	return error != 0 ? FAIL(-error) : 0;
}

static int open_mdb(struct env *e, const char *dir, size_t limit_bytes)
{
	int dead;

	TRY(reserve_lock_file(dir));
	TRY(from_mdb(mdb_env_create(&e->mdb)));
	TRY(from_mdb(mdb_env_set_mapsize(e->mdb, limit_bytes)));
	TRY(from_mdb(mdb_env_open(e->mdb, dir, MDB_NOTLS, 0600)));
	TRY(from_mdb(mdb_reader_check(e->mdb, &dead)));

	MDB_txn *txn;
	TRY(from_mdb(mdb_txn_begin(e->mdb, NULL, MDB_RDONLY, &txn)));
	const int r = from_mdb(mdb_dbi_open(txn, NULL, 0, &e->dbi));
	mdb_txn_abort(txn);
	return r;
}

void env_close(struct env *e)
{
	if (!e)
		return;
	mdb_env_close(e->mdb); /* takes NULL */
	free(e);
}

int env_remove(const char *dir)
{
	char path[PATH_BYTES];

	for (size_t i = 0; i < sizeof file_names / sizeof file_names[0]; i++) {
		snprintf(path, sizeof path, "%s/%s", dir, file_names[i]);
		if (unlink(path) < 0 && errno != ENOENT)
			return FAIL(-errno);
	}
	return rmdir(dir) < 0 && errno != ENOENT ? FAIL(-errno) : 0;
}

/* Make an environment beside its place, have all of it on disk, and only then give it its name: what is found
 * under the name was whole once, however the machine stopped. */
static int found(const char *dir)
{
	SCOPED(scope_env) struct env *e = calloc(1, sizeof *e);
	char beside[PATH_BYTES];

	if (!e)
		return FAIL(-ENOMEM);
	if (snprintf(beside, sizeof beside, "%s.new", dir) >= (int)sizeof beside)
		return FAIL(-ENAMETOOLONG);
	TRY(env_remove(beside)); /* of an earlier attempt */
	TRY(env_remove(dir));    /* it holds nothing */
	if (mkdir(beside, 0700) < 0)
		return FAIL(-errno);
	TRY(open_mdb(e, beside, FOUND_BYTES));
	TRY(from_mdb(mdb_env_sync(e->mdb, 1)));
	TRY(sync_dir(beside));
	if (rename(beside, dir) < 0)
		return FAIL(-errno);
	return env_sync_parent(dir);
}

int env_open(struct env **ret, const char *dir, size_t limit_bytes, struct err_note *note)
{
	SCOPED(scope_env) struct env *e = calloc(1, sizeof *e);

	if (!e)
		return FAIL(-ENOMEM);
	int r = env_dir_bytes(dir) == 0 ? found(dir) : 0;
	if (r == 0)
		r = env_check_metas(dir);
	if (r == 0)
		r = open_mdb(e, dir, limit_bytes);
	if (r < 0)
		return FAIL_SAY(note, r, "cannot open %s/data.mdb: %s%s", dir, err_text(r), env_advice(r));
	*ret = MOVE(e);
	return 0;
}

/* ---- Transactions -----------------------------------------------------------------------------------------
 */

int env_begin(struct env *e, enum env_mode mode, struct env_txn **ret)
{
	SCOPED(scope_env_txn) struct env_txn *t = calloc(1, sizeof *t);

	if (!t)
		return FAIL(-ENOMEM);
	t->dbi = e->dbi;
	TRY(from_mdb(mdb_txn_begin(e->mdb, NULL, mode == ENV_READ ? MDB_RDONLY : 0, &t->mdb)));
	*ret = MOVE(t);
	return 0;
}

int env_commit(struct env_txn **tp)
{
	SCOPED(scope_free) struct env_txn *t = MOVE(*tp);

	assert(t->walks_open == 0);
	return from_mdb(mdb_txn_commit(t->mdb));
}

void env_abort(struct env_txn *t)
{
	if (!t)
		return;
	assert(t->walks_open == 0);
	if (t->mdb)
		mdb_txn_abort(t->mdb);
	free(t);
}

/* ---- Values -----------------------------------------------------------------------------------------------
 */

int env_unwrap(struct bytes key, struct bytes stored, struct bytes *ret)
{
	if (stored.len < ENV_OVERHEAD)
		return FAIL(ERR_CORRUPT);
	const struct bytes value = {stored.data + ENV_OVERHEAD, stored.len - ENV_OVERHEAD};
	if (stored.data[0] > FORMAT)
		return FAIL(ERR_VERSION);
	if (stored.data[0] < FORMAT || get_u64(stored.data + 1) != hash64(CHECKSUM, key, value))
		return FAIL(ERR_CORRUPT);
	*ret = value;
	return 0;
}

static void wrap(uint8_t *to, struct bytes key, struct bytes value)
{
	const uint64_t sum = hash64(CHECKSUM, key, value);

	to[0] = FORMAT;
	for (int i = 0; i < 8; i++)
		to[1 + i] = (uint8_t)(sum >> (56 - 8 * i));
	if (value.len > 0)
		memcpy(to + ENV_OVERHEAD, value.data, value.len);
}

int env_get(struct env_txn *t, struct bytes key, struct bytes *ret_value)
{
	MDB_val k = to_mdb(key), v;
	const int rc = mdb_get(t->mdb, t->dbi, &k, &v);

	if (rc == MDB_NOTFOUND)
		return ENV_ABSENT;
	TRY(from_mdb(rc));
	return env_unwrap(key, to_bytes(v), ret_value);
}

static int put(struct env_txn *t, struct bytes key, struct bytes value, unsigned flags)
{
	MDB_val k = to_mdb(key), v = {.mv_size = ENV_OVERHEAD + value.len};
	const int rc = mdb_put(t->mdb, t->dbi, &k, &v, MDB_RESERVE | flags);

	if (rc == MDB_KEYEXIST)
		return FAIL(-EEXIST);
	TRY(from_mdb(rc));
	wrap(v.mv_data, key, value);
	return 0;
}

int env_put(struct env_txn *t, struct bytes key, struct bytes value)
{
	return put(t, key, value, 0);
}

int env_append(struct env_txn *t, struct bytes key, struct bytes value)
{
	return put(t, key, value, MDB_APPEND);
}

int env_delete(struct env_txn *t, struct bytes key)
{
	MDB_val k = to_mdb(key);
	const int rc = mdb_del(t->mdb, t->dbi, &k, NULL);

	return rc == MDB_NOTFOUND ? 0 : from_mdb(rc);
}

/* ---- Walking ----------------------------------------------------------------------------------------------
 */

struct env_walk env_walk_begin(struct env_txn *t, struct bytes prefix)
{
	return (struct env_walk){.t = t, .prefix = prefix, .step = MDB_SET_RANGE};
}

static int open_cursor(struct env_walk *w)
{
	MDB_cursor *cursor;

	if (w->cursor)
		return 0;
	TRY(from_mdb(mdb_cursor_open(w->t->mdb, w->t->dbi, &cursor)));
	w->cursor = cursor;
	w->t->walks_open++;
	return 0;
}

/* The pair the cursor is at. */
static int take(struct env_walk *w, MDB_val k, MDB_val v)
{
	w->key = to_bytes(k);
	w->stored = to_bytes(v);
	return w->keys_only ? 0 : env_unwrap(w->key, w->stored, &w->value);
}

/* Move and look: 1 when the pair there has the prefix. */
static int move(struct env_walk *w, struct bytes key, MDB_cursor_op step)
{
	MDB_val k = to_mdb(key), v;
	const int rc = mdb_cursor_get(w->cursor, &k, &v, step);

	if (rc == MDB_NOTFOUND)
		return 0;
	TRY(from_mdb(rc));
	if (!bytes_start_with(to_bytes(k), w->prefix))
		return 0;
	TRY(take(w, k, v));
	return 1;
}

int env_walk_next(struct env_walk *w)
{
	TRY(open_cursor(w));
	const MDB_cursor_op step = (MDB_cursor_op)w->step;
	w->step = MDB_NEXT;
	return move(w, w->prefix, step == MDB_SET_RANGE && w->prefix.len == 0 ? MDB_FIRST : step);
}

int env_walk_floor(struct env_walk *w, struct bytes key)
{
	MDB_val k = to_mdb(key), v;

	TRY(open_cursor(w));
	int rc = mdb_cursor_get(w->cursor, &k, &v, MDB_SET_RANGE);
	if (rc == MDB_NOTFOUND)
		rc = mdb_cursor_get(w->cursor, &k, &v, MDB_LAST);
	else if (rc == MDB_SUCCESS && !bytes_equal(to_bytes(k), key))
		rc = mdb_cursor_get(w->cursor, &k, &v, MDB_PREV);
	if (rc != MDB_NOTFOUND)
		TRY(from_mdb(rc));
	if (rc == MDB_NOTFOUND || !bytes_start_with(to_bytes(k), w->prefix)) {
		w->step = MDB_SET_RANGE;
		return 0;
	}
	w->step = MDB_NEXT;
	TRY(take(w, k, v));
	return 1;
}

int env_walk_value(const struct env_walk *w, struct bytes *ret)
{
	return env_unwrap(w->key, w->stored, ret);
}

void env_walk_end(struct env_walk *w)
{
	if (!w->cursor)
		return;
	mdb_cursor_close(w->cursor);
	w->cursor = NULL;
	w->t->walks_open--;
}
