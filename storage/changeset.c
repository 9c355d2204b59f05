/* SPDX-License-Identifier: Apache-2.0 */
#include "storage/changeset.h"

#include <stdlib.h>

#define DELETED UINT32_MAX

struct change {
	struct bytes key, value;
	bool deleted;
	size_t order;
};

enum { THIN_LEAST = 1024 };

void changeset_fini(struct changeset *c)
{
	buf_fini(&c->data);
	c->n = c->n_least = 0;
}

static void add(struct changeset *c, struct bytes key, struct bytes value, uint32_t value_len)
{
	const uint32_t lengths[] = {(uint32_t)key.len, value_len};
	uint8_t *p = buf_extend(&c->data, sizeof lengths + key.len + value.len); /* all of it or nothing */

	if (!p)
		return;
	memcpy(p, lengths, sizeof lengths);
	memcpy(p + sizeof lengths, key.data, key.len);
	if (value.len > 0)
		memcpy(p + sizeof lengths + key.len, value.data, value.len);
	c->n++;
}

void changeset_put(struct changeset *c, struct bytes key, struct bytes value)
{
	add(c, key, value, (uint32_t)value.len);
}

void changeset_delete(struct changeset *c, struct bytes key)
{
	add(c, key, (struct bytes){0}, DELETED);
}

int changeset_check(const struct changeset *c)
{
	return buf_check(&c->data);
}

int changeset_append(struct changeset *to, struct changeset *from)
{
	TRY(changeset_check(to));
	TRY(changeset_check(from));
	buf_put(&to->data, buf_bytes(&from->data));
	if (to->data.failed) {
		to->data.failed = false; /* a failed append leaves what was there before */
		return FAIL(-ENOMEM);
	}
	to->n += from->n;
	changeset_fini(from);
	return 0;
}

static int by_key(const void *a, const void *b)
{
	const struct change *x = a, *y = b;
	const int r = bytes_compare(x->key, y->key);

	return r != 0 ? r : (x->order > y->order) - (x->order < y->order);
}

static void list(const struct changeset *c, struct change *changes)
{
	const uint8_t *p = c->data.data;

	for (size_t i = 0; i < c->n; i++) {
		uint32_t lengths[2];
		memcpy(lengths, p, sizeof lengths);
		p += sizeof lengths;
		const bool deleted = lengths[1] == DELETED;
		changes[i] = (struct change){
			.key = {p, lengths[0]},
			.value = {p + lengths[0], deleted ? 0 : lengths[1]},
			.deleted = deleted,
			.order = i,
		};
		p += lengths[0] + changes[i].value.len;
	}
}

/* In the order of keys, the last change of each: *ret_n of them, to be freed. */
static int sort(const struct changeset *c, struct change **ret, size_t *ret_n)
{
	struct change *changes = calloc(c->n + 1, sizeof *changes);
	size_t n = 0;

	if (!changes)
		return FAIL(-ENOMEM);
	list(c, changes);
	qsort(changes, c->n, sizeof *changes, by_key);
	for (size_t i = 0; i < c->n; i++)
		if (i + 1 == c->n || !bytes_equal(changes[i].key, changes[i + 1].key))
			changes[n++] = changes[i];
	*ret = changes;
	*ret_n = n;
	return 0;
}

void changeset_thin(struct changeset *c)
{
	SCOPED(scope_free) struct change *changes = NULL;
	struct changeset thin = {0};
	size_t n;

	if (c->n < THIN_LEAST || c->n / 2 < c->n_least || changeset_check(c) < 0 || sort(c, &changes, &n) < 0)
		return;
	for (size_t i = 0; i < n; i++)
		add(&thin, changes[i].key, changes[i].value,
		    changes[i].deleted ? DELETED : (uint32_t)changes[i].value.len);
	thin.n_least = n;
	if (changeset_check(&thin) == 0) {
		changeset_fini(c);
		*c = thin;
	} else {
		changeset_fini(&thin);
	}
}

int changeset_write(const struct changeset *c, struct env_txn *t)
{
	SCOPED(scope_free) struct change *changes = NULL;
	size_t n;

	TRY(changeset_check(c));
	TRY(sort(c, &changes, &n));
	for (size_t i = 0; i < n; i++) {
		const struct change *change = &changes[i];
		if (change->deleted)
			TRY(env_delete(t, change->key));
		else
			TRY(env_put(t, change->key, change->value));
	}
	return 0;
}
