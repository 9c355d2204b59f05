/* SPDX-License-Identifier: Apache-2.0 */
#include "storage/trust_store.h"

#include <stdio.h>

#include "storage/env.h"
#include "storage/env_check.h"

#define LIMIT_BYTES ((size_t)64 << 20)

enum { PATH_BYTES = 4096, KEY_TEXT_MAX = ENV_KEY_MAX - 1 };

struct trust_store {
	struct env *env;
};

int trust_store_open(struct trust_store **ret, const char *dir, struct err_note *note)
{
	SCOPED(scope_trust_store) struct trust_store *t = calloc(1, sizeof *t);
	char path[PATH_BYTES];

	if (!t)
		return FAIL(-ENOMEM);
	if (snprintf(path, sizeof path, "%s/trust", dir) >= (int)sizeof path)
		return FAIL_SAY(note, -ENAMETOOLONG, "the directory name %.80s... is too long", dir);
	TRY(env_make_dir(dir, note));
	TRY(env_check(path, ENV_CHECK_VALUES, note));
	TRY(env_open(&t->env, path, LIMIT_BYTES, note));
	*ret = MOVE(t);
	return 0;
}

void trust_store_close(struct trust_store *t)
{
	if (!t)
		return;
	env_close(t->env);
	free(t);
}

struct key {
	uint8_t data[ENV_KEY_MAX];
	size_t len;
};

static int make_key(const char *text, struct key *ret)
{
	const size_t len = strlen(text);

	if (len > KEY_TEXT_MAX)
		return FAIL(-ENAMETOOLONG);
	ret->data[0] = 't';
	memcpy(ret->data + 1, text, len);
	ret->len = len + 1;
	return 0;
}

static struct bytes key_bytes(const struct key *key)
{
	return (struct bytes){key->data, key->len};
}

int trust_store_put(struct trust_store *t, const char *key, struct bytes value)
{
	SCOPED(scope_env_txn) struct env_txn *txn = NULL;
	struct key k;

	TRY(make_key(key, &k));
	TRY(env_begin(t->env, ENV_WRITE, &txn));
	TRY(env_put(txn, key_bytes(&k), value));
	return env_commit(&txn);
}

int trust_store_remove(struct trust_store *t, const char *key)
{
	SCOPED(scope_env_txn) struct env_txn *txn = NULL;
	struct key k;

	TRY(make_key(key, &k));
	TRY(env_begin(t->env, ENV_WRITE, &txn));
	TRY(env_delete(txn, key_bytes(&k)));
	return env_commit(&txn);
}

static int copy_out(struct arena *a, struct bytes value, struct bytes *ret)
{
	char *copy = arena_text(a, value);

	if (!copy)
		return FAIL(-ENOMEM);
	*ret = (struct bytes){(const uint8_t *)copy, value.len};
	return 0;
}

int trust_store_get(struct trust_store *t, struct arena *a, const char *key, struct bytes *ret)
{
	SCOPED(scope_env_txn) struct env_txn *txn = NULL;
	struct bytes value;
	struct key k;

	TRY(make_key(key, &k));
	TRY(env_begin(t->env, ENV_READ, &txn));
	const int r = env_get(txn, key_bytes(&k), &value);
	TRY(r);
	return r == ENV_ABSENT ? TRUST_STORE_ABSENT : copy_out(a, value, ret);
}

/* Go behind `after`, or to the beginning of the prefix: 1 or 0 as env_walk_next(). */
static int seek(struct env_walk *w, const struct key *after)
{
	if (bytes_compare(key_bytes(after), w->prefix) >= 0)
		TRY(env_walk_floor(w, key_bytes(after)));
	return env_walk_next(w);
}

int trust_store_next(struct trust_store *t, struct arena *a, const char *prefix, const char *after,
		     const char **ret_key, struct bytes *ret_value)
{
	SCOPED(scope_env_txn) struct env_txn *txn = NULL;
	struct key from, behind;

	TRY(make_key(prefix, &from));
	TRY(make_key(after, &behind));
	TRY(env_begin(t->env, ENV_READ, &txn));
	SCOPED(env_walk_end) struct env_walk w = env_walk_begin(txn, key_bytes(&from));
	const int r = seek(&w, &behind);
	TRY(r);
	if (r == 0)
		return TRUST_STORE_ABSENT;
	const char *key = arena_text(a, (struct bytes){w.key.data + 1, w.key.len - 1});
	if (!key)
		return FAIL(-ENOMEM);
	TRY(copy_out(a, w.value, ret_value));
	*ret_key = key;
	return 0;
}
