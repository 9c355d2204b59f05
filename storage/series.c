/* SPDX-License-Identifier: Apache-2.0 */
#include "storage/series.h"

#include <assert.h>

#include "storage/env_check.h"
#include "storage/record.h"
#include "storage/series_private.h"

static const struct bytes position_key = {(const uint8_t *)"M", 1};

void chunk_key(uint64_t series, int64_t t_ns, uint8_t ret[CHUNK_KEY_BYTES])
{
	const uint64_t t = (uint64_t)t_ns ^ (UINT64_C(1) << 63); /* so that byte order is time order */

	ret[0] = 'c';
	for (unsigned i = 0; i < 8; i++) {
		ret[1 + i] = (uint8_t)(series >> (56 - 8 * i));
		ret[9 + i] = (uint8_t)(t >> (56 - 8 * i));
	}
}

int64_t chunk_key_time(struct bytes key)
{
	return (int64_t)(get_u64(key.data + 9) ^ (UINT64_C(1) << 63));
}

static int ensure_open(struct series_set *h)
{
	return h->env ? 0 : env_open(&h->env, h->dir, h->limit_bytes, NULL);
}

int series_set_begin_read(struct series_set *h, struct env_txn **ret)
{
	TRY(ensure_open(h));
	return env_begin(h->env, ENV_READ, ret);
}

static int load_position(struct series_set *h)
{
	SCOPED(scope_env_txn) struct env_txn *t = NULL;
	struct bytes value;

	TRY(series_set_begin_read(h, &t));
	const int r = env_get(t, position_key, &value);
	TRY(r);
	if (r == ENV_ABSENT)
		return 0;
	struct record_reader reader = record_reader(value);
	h->position = record_u64(&reader);
	return record_end(&reader);
}

int series_set_open(struct series_set **ret, const char *dir, size_t limit_bytes, struct err_note *note)
{
	SCOPED(scope_series_set) struct series_set *h = calloc(1, sizeof *h);

	if (!h)
		return FAIL(-ENOMEM);
	h->limit_bytes = limit_bytes;
	h->dir = strdup(dir);
	if (!h->dir)
		return FAIL(-ENOMEM);
	TRY(env_check(dir, ENV_CHECK_KEYS, note));
	TRY(env_open(&h->env, dir, limit_bytes, note));
	const int r = load_position(h);
	if (r < 0)
		return FAIL_SAY(note, r, "%s/data.mdb: %s%s", dir, err_text(r), env_advice(r));
	*ret = MOVE(h);
	return 0;
}

static void head_free(struct head *head)
{
	if (head->owner)
		head->owner->head = NULL;
	points_fini(&head->open);
	points_fini(&head->frozen);
	free(head);
}

void series_set_close(struct series_set *h)
{
	if (!h)
		return;
	for (size_t i = 0; i < h->n; i++) {
		h->heads[i]->owner = NULL; /* whoever had the handle may be gone by now */
		head_free(h->heads[i]);
	}
	free(h->heads);
	free(h->freezing);
	env_close(h->env);
	free(h->dir);
	free(h);
}

uint64_t series_set_position(const struct series_set *h)
{
	return h->position;
}

/* ---- Heads ------------------------------------------------------------------------------------------------
 */

static int add_head(struct series_set *h, struct series *s)
{
	if (h->n == h->size) {
		const size_t size = h->size ? h->size * 2 : 64;
		struct head **heads = realloc(h->heads, size * sizeof *heads);
		if (!heads)
			return FAIL(-ENOMEM);
		h->heads = heads;
		h->size = size;
	}
	struct head *head = calloc(1, sizeof *head);
	if (!head)
		return FAIL(-ENOMEM);
	head->id = s->id;
	head->owner = s;
	s->head = head;
	h->heads[h->n++] = head;
	return 0;
}

int series_add(struct series_set *h, struct series *s, const struct sample *sample)
{
	assert(s->id != 0);
	if (!s->head)
		TRY(add_head(h, s));
	return points_add(&s->head->open, sample);
}

void series_move(struct series *to, struct series *from)
{
	*to = *from;
	*from = (struct series){0};
	if (to->head)
		to->head->owner = to;
}

void series_leave(struct series *s)
{
	if (s->head)
		s->head->owner = NULL;
	*s = (struct series){0};
}

/* ---- Freezing and thawing ---------------------------------------------------------------------------------
 */

static int by_id(const void *a, const void *b)
{
	const struct head *const *x = a, *const *y = b;

	return ((*x)->id > (*y)->id) - ((*x)->id < (*y)->id);
}

/* What a failed checkpoint left frozen is joined with what came since. */
static int freeze_head(struct head *head)
{
	if (head->frozen.n == 0) {
		head->frozen = head->open;
		head->open = (struct points){0};
		return 0;
	}
	TRY(points_merge(&head->frozen, &head->open, 0, head->open.n));
	points_fini(&head->open);
	return 0;
}

int series_freeze(struct series_set *h)
{
	TRY(ensure_open(h)); /* from here to the thaw two threads use it, and neither may open it */
	struct head **freezing = malloc((h->n + 1) * sizeof *freezing);
	if (!freezing)
		return FAIL(-ENOMEM);
	free(h->freezing);
	h->freezing = freezing;
	h->n_freezing = 0;
	for (size_t i = 0; i < h->n; i++) {
		TRY(freeze_head(h->heads[i]));
		freezing[h->n_freezing++] = h->heads[i];
	}
	qsort(freezing, h->n_freezing, sizeof *freezing, by_id);
	return 0;
}

/* Heads with nothing in them give their memory back. */
static void sweep_heads(struct series_set *h)
{
	size_t kept = 0;

	for (size_t i = 0; i < h->n; i++) {
		if (h->heads[i]->open.n + h->heads[i]->frozen.n > 0)
			h->heads[kept++] = h->heads[i];
		else
			head_free(h->heads[i]);
	}
	h->n = kept;
	if (kept > 0)
		return;
	free(h->heads);
	h->heads = NULL;
	h->size = 0;
}

static void forget_frozen(struct series_set *h)
{
	for (size_t i = 0; i < h->n_freezing; i++)
		points_fini(&h->freezing[i]->frozen);
	h->position = h->new_position;
	sweep_heads(h);
}

void series_thaw(struct series_set *h, bool written)
{
	if (written) {
		forget_frozen(h);
	} else {
		env_close(h->env); /* after a failed write LMDB may refuse even reading until it is opened
				      again */
		h->env = NULL;
	}
	free(h->freezing);
	h->freezing = NULL;
	h->n_freezing = 0;
}
