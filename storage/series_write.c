/* SPDX-License-Identifier: Apache-2.0 */
#include "storage/plain.h"
#include "storage/series_private.h"

enum {
	TEXT_SAMPLES_MAX = 64, /* per chunk: texts are up to 4 KiB */
	WRITE_BYTES_MAX =
		512 * 1024, /* per transaction: LMDB keeps the pages a transaction touched for good */
};

/* The chunk that samples from some time on belong to, and how far it reaches. */
struct target {
	bool found, has_next;
	int64_t first_ns, next_ns;
};

struct writer {
	struct series_set *h;
	struct env_txn *txn;
	size_t bytes;        /* put in this transaction */
	struct points chunk; /* being merged */
	struct buf encoded;
};

static void writer_fini(struct writer *w)
{
	env_abort(w->txn);
	points_fini(&w->chunk);
	buf_fini(&w->encoded);
}

/* The last chunk that begins at or before the time, else the first one of the series: decoded into w->chunk.
 */
static int find_target(struct writer *w, uint64_t id, int64_t t_ns, struct target *ret)
{
	uint8_t key[CHUNK_KEY_BYTES];

	*ret = (struct target){0};
	points_clear(&w->chunk);
	chunk_key(id, t_ns, key);
	SCOPED(env_walk_end) struct env_walk walk = env_walk_begin(w->txn, chunk_prefix(key));
	int r = env_walk_floor(&walk, (struct bytes){key, sizeof key});
	TRY(r);
	if (r == 0) {
		r = env_walk_next(&walk);
		TRY(r);
	}
	if (r == 0)
		return 0;
	ret->found = true;
	ret->first_ns = chunk_key_time(walk.key);
	TRY(plain_decode(walk.value, ret->first_ns, &w->chunk));
	r = env_walk_next(&walk);
	TRY(r);
	ret->has_next = r > 0;
	if (ret->has_next)
		ret->next_ns = chunk_key_time(walk.key);
	return 0;
}

static size_t samples_max(enum value_type type)
{
	return type == VALUE_TEXT || type == VALUE_ENUM ? TEXT_SAMPLES_MAX : PLAIN_SAMPLES_MAX;
}

static int put_chunk(struct writer *w, uint64_t id, size_t begin, size_t end)
{
	uint8_t key[CHUNK_KEY_BYTES];

	chunk_key(id, points_time(&w->chunk, begin), key);
	buf_clear(&w->encoded);
	plain_encode(&w->chunk, begin, end, &w->encoded);
	TRY(buf_check(&w->encoded));
	w->bytes += w->encoded.len;
	return env_put(w->txn, (struct bytes){key, sizeof key}, buf_bytes(&w->encoded));
}

/* Put w->chunk in place of the target, in pieces of about equal length if it has become too long. */
static int replace(struct writer *w, uint64_t id, const struct target *target)
{
	const size_t n = w->chunk.n, max = samples_max(w->chunk.type), pieces = (n + max - 1) / max;
	uint8_t key[CHUNK_KEY_BYTES];

	if (target->found && target->first_ns != points_time(&w->chunk, 0)) {
		chunk_key(id, target->first_ns, key);
		TRY(env_delete(w->txn, (struct bytes){key, sizeof key}));
	}
	for (size_t i = 0; i < pieces; i++)
		TRY(put_chunk(w, id, n * i / pieces, n * (i + 1) / pieces));
	return 0;
}

static int write_head(struct writer *w, const struct head *head)
{
	const struct points *p = &head->frozen;

	for (size_t i = 0; i < p->n;) {
		struct target target;
		TRY(find_target(w, head->id, points_time(p, i), &target));
		const size_t end = target.has_next ? points_find(p, target.next_ns) : p->n;
		if (w->chunk.n >= samples_max(p->type) &&
		    points_time(&w->chunk, w->chunk.n - 1) < points_time(p, i)) {
			points_clear(&w->chunk); /* full, and nothing falls into it: it stays as it is */
			target.found = false;
		}
		TRY(points_merge(&w->chunk, p, i, end));
		TRY(replace(w, head->id, &target));
		i = end;
	}
	return 0;
}

static int write_position(struct writer *w, uint64_t position)
{
	buf_clear(&w->encoded);
	buf_put_u64(&w->encoded, position);
	TRY(buf_check(&w->encoded));
	return env_put(w->txn, BYTES("M"), buf_bytes(&w->encoded));
}

/* Several transactions: a crash between them leaves samples merged that replay merges again. */
int series_write(struct series_set *h, uint64_t position)
{
	SCOPED(writer_fini) struct writer w = {.h = h};

	TRY(env_begin(h->env, ENV_WRITE, &w.txn));
	for (size_t i = 0; i < h->n_freezing; i++) {
		TRY(write_head(&w, h->freezing[i]));
		if (w.bytes < WRITE_BYTES_MAX)
			continue;
		TRY(env_commit(&w.txn));
		w.bytes = 0;
		TRY(env_begin(h->env, ENV_WRITE, &w.txn));
	}
	TRY(write_position(&w, position));
	TRY(env_commit(&w.txn));
	h->new_position = position;
	return 0;
}
