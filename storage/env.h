/* SPDX-License-Identifier: Apache-2.0 */
/* Env - one LMDB environment in a directory of its own: the border where LMDB's codes, values and
 * transactions become ours. Plain synchronous mode, always.
 *
 * Every stored value: format version (1 byte), BLAKE2b-64 over key and value (8 bytes), value. What does not
 * agree is ERR_CORRUPT and never handed out. Keys begin with a type byte; numbers in them are big-endian.
 *
 * Owner:   one env per directory and process. Threads: any may read; one may write at a time.
 * Views:   keys and values handed out point into the map. They die with the transaction, and in a write
 * transaction at the next change.
 */
#pragma once

#include "proto/bytes.h"
#include "proto/err.h"
#include "proto/scope.h"

struct env;
struct env_txn;

enum { ENV_KEY_MAX = 511, ENV_OVERHEAD = 9 /* bytes that format and checksum add to a value */ };

/* Makes the environment if it is absent, whole or not at all whenever the machine stops. ERR_CORRUPT,
 * ERR_VERSION, -errno; the note says which directory and what to do. */
MUST_CHECK int env_open(struct env **ret, const char *dir, size_t limit_bytes, struct err_note *note);
void env_close(struct env *e); /* NULL is fine; no transaction may be open */

/* Make a directory (0700) that survives a crash; one that is there already is fine. */
MUST_CHECK int env_make_dir(const char *dir, struct err_note *note);

/* Have the entry of a file or directory on disk in the one above it. */
MUST_CHECK int env_sync_parent(const char *path);

/* What a person is to do about stored data that was not accepted; "" for any other failure. */
const char *env_advice(int r);

/* Remove the directory of a closed environment. */
MUST_CHECK int env_remove(const char *dir);

/* Bytes on disk of the environment in this directory; 0 when it is not there. */
uint64_t env_dir_bytes(const char *dir);

enum env_mode { ENV_READ, ENV_WRITE };

MUST_CHECK int env_begin(struct env *e, enum env_mode mode, struct env_txn **ret);
MUST_CHECK int env_commit(struct env_txn **t); /* takes *t, also when it fails; durable when it returns 0 */
void env_abort(struct env_txn *t);             /* NULL is fine */

enum { ENV_ABSENT = 1 };
MUST_CHECK int env_get(struct env_txn *t, struct bytes key, struct bytes *ret_value);
/* ERR_FULL when the limit is reached: abort, and tell the operator. */
MUST_CHECK int env_put(struct env_txn *t, struct bytes key, struct bytes value);
/* The same for a key behind all that are there: fills page after page. -EEXIST when it is not behind them. */
MUST_CHECK int env_append(struct env_txn *t, struct bytes key, struct bytes value);
/* What is absent already is fine. */
MUST_CHECK int env_delete(struct env_txn *t, struct bytes key);

/* Walk the keys that begin with a prefix, in order:
 *
 *     SCOPED(env_walk_end) struct env_walk w = env_walk_begin(t, prefix);
 *     while ((r = env_walk_next(&w)) > 0)
 *             use(w.key, w.value);
 *
 * A walk ends before its transaction does, and the tree is not changed meanwhile. */
struct env_walk {
	struct bytes key, value; /* the current pair */
	struct env_txn *t;       /* private from here on */
	struct bytes prefix;
	void *cursor;
	int step;
	bool keys_only;      /* set before the first step: see env_walk_value() */
	struct bytes stored; /* the current value with its format and checksum, whatever state it is in */
};

struct env_walk env_walk_begin(struct env_txn *t, struct bytes prefix);
MUST_CHECK int env_walk_next(struct env_walk *w); /* 1: a pair, 0: the end */
/* Go to the last pair at or before the key (which has the prefix): 1, or 0 when there is none. Either way
 * env_walk_next() goes on behind it. */
MUST_CHECK int env_walk_floor(struct env_walk *w, struct bytes key);
/* A walk of keys only leaves value empty and looks at no checksum; this gives the current value, if asked. */
MUST_CHECK int env_walk_value(const struct env_walk *w, struct bytes *ret);
void env_walk_end(struct env_walk *w);

DEFINE_SCOPED(env, env_close)
DEFINE_SCOPED(env_txn, env_abort)
