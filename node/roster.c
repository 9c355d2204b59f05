/* SPDX-License-Identifier: Apache-2.0 */
#include "node/roster.h"

#include <stdatomic.h>
#include <stdio.h>

#include "proto/hash.h"

struct row {
	struct roster_entry entry;
	size_t place; /* among the entries given */
	char user_id[USER_ID_SIZE];
};

struct roster {
	atomic_uint refs;
	size_t n;
	const struct row **by_user_id; /* the same rows, for the transport */
	struct row rows[];             /* by key, for the door */
};

static int compare_keys(const void *a, const void *b)
{
	const struct row *x = a, *y = b;
	const int c = memcmp(x->entry.key.b, y->entry.key.b, KEY_BYTES);

	return c != 0 ? c : (x->place > y->place) - (x->place < y->place);
}

static int compare_user_ids(const void *a, const void *b)
{
	const struct row *const *x = a, *const *y = b;

	return strcmp((*x)->user_id, (*y)->user_id);
}

/* Of sorted rows, one for each key: the first given. */
static size_t keep_first(struct row *rows, size_t n)
{
	size_t kept = 0;

	for (size_t i = 0; i < n; i++)
		if (kept == 0 || memcmp(rows[kept - 1].entry.key.b, rows[i].entry.key.b, KEY_BYTES) != 0)
			rows[kept++] = rows[i];
	return kept;
}

int roster_new(struct roster **ret, const struct roster_entry *entries, size_t n)
{
	size_t size;

	if (__builtin_mul_overflow(n, sizeof(struct row), &size) ||
	    __builtin_add_overflow(size, sizeof(struct roster), &size))
		return FAIL(-ENOMEM);
	SCOPED(scope_roster) struct roster *r = calloc(1, size);
	if (!r)
		return FAIL(-ENOMEM);
	atomic_init(&r->refs, 1);
	r->by_user_id = calloc(n > 0 ? n : 1, sizeof *r->by_user_id);
	if (!r->by_user_id)
		return FAIL(-ENOMEM);
	for (size_t i = 0; i < n; i++) {
		r->rows[i].entry = entries[i];
		r->rows[i].place = i;
		roster_user_id(&entries[i], r->rows[i].user_id);
	}
	if (n > 0)
		qsort(r->rows, n, sizeof r->rows[0], compare_keys);
	r->n = keep_first(r->rows, n);
	for (size_t i = 0; i < r->n; i++)
		r->by_user_id[i] = &r->rows[i];
	if (r->n > 0)
		qsort(r->by_user_id, r->n, sizeof r->by_user_id[0], compare_user_ids);
	*ret = MOVE(r);
	return 0;
}

struct roster *roster_ref(struct roster *r)
{
	if (r)
		atomic_fetch_add_explicit(&r->refs, 1, memory_order_relaxed);
	return r;
}

void roster_unref(struct roster *r)
{
	if (!r || atomic_fetch_sub_explicit(&r->refs, 1, memory_order_acq_rel) > 1)
		return;
	free(r->by_user_id);
	free(r);
}

const struct roster_entry *roster_find(const struct roster *r, const struct curve_key *key)
{
	size_t low = 0, high = r ? r->n : 0;

	while (low < high) {
		size_t middle = low + (high - low) / 2;
		int c = memcmp(r->rows[middle].entry.key.b, key->b, KEY_BYTES);
		if (c == 0)
			return &r->rows[middle].entry;
		if (c < 0)
			low = middle + 1;
		else
			high = middle;
	}
	return NULL;
}

void roster_user_id(const struct roster_entry *e, char ret[USER_ID_SIZE])
{
	const struct hash128 h = hash128("curve-key", (struct bytes){e->key.b, KEY_BYTES}, BYTES(""));
	char hex[2 * sizeof h.b + 1];

	for (size_t i = 0; i < sizeof h.b; i++)
		snprintf(hex + 2 * i, 3, "%02x", h.b[i]);
	snprintf(ret, USER_ID_SIZE, "v1:%s/%s:%s", e->org, e->node, hex);
}

const struct roster_entry *roster_by_user_id(const struct roster *r, const char *user_id)
{
	size_t low = 0, high = r ? r->n : 0;

	while (low < high) {
		size_t middle = low + (high - low) / 2;
		int c = strcmp(r->by_user_id[middle]->user_id, user_id);
		if (c == 0)
			return &r->by_user_id[middle]->entry;
		if (c < 0)
			low = middle + 1;
		else
			high = middle;
	}
	return NULL;
}
