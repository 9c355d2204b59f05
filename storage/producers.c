/* SPDX-License-Identifier: Apache-2.0 */
#include "storage/producers.h"

#include <stdlib.h>

#include "proto/limits.h"

void producers_fini(struct producers *p)
{
	free(p->items);
	free(p->buckets);
	*p = (struct producers){0};
}

void producers_clear(struct producers *p)
{
	p->n = 0;
	p->newest = p->oldest = 0;
	if (p->n_buckets > 0)
		memset(p->buckets, 0, p->n_buckets * sizeof *p->buckets);
}

static uint32_t *bucket(const struct producers *p, uint64_t session)
{
	return &p->buckets[session * UINT64_C(0x9e3779b97f4a7c15) >> 32 & (p->n_buckets - 1)];
}

static struct producer *find(const struct producers *p, uint64_t session)
{
	uint32_t at = p->n_buckets > 0 ? *bucket(p, session) : 0;

	while (at > 0 && p->items[at - 1].session != session)
		at = p->items[at - 1].next;
	return at > 0 ? &p->items[at - 1] : NULL;
}

bool producers_took(const struct producers *p, uint64_t session, uint64_t number)
{
	const struct producer *s = find(p, session);

	if (!s || number > s->last)
		return false;
	const uint64_t behind = s->last - number;
	return behind == 0 || (behind <= PRODUCER_WINDOW && s->before >> (behind - 1) & 1);
}

/* ---- Order of last word -----------------------------------------------------------------------------------
 */

static void unlink_item(struct producers *p, const struct producer *s)
{
	*(s->newer ? &p->items[s->newer - 1].older : &p->newest) = s->older;
	*(s->older ? &p->items[s->older - 1].newer : &p->oldest) = s->newer;
}

static void link_newest(struct producers *p, struct producer *s)
{
	const uint32_t at = (uint32_t)(s - p->items) + 1;

	s->newer = 0;
	s->older = p->newest;
	*(p->newest ? &p->items[p->newest - 1].newer : &p->oldest) = at;
	p->newest = at;
}

/* ---- Sessions ---------------------------------------------------------------------------------------------
 */

static void hash_item(struct producers *p, struct producer *s)
{
	uint32_t *first = bucket(p, s->session);

	s->next = *first;
	*first = (uint32_t)(s - p->items) + 1;
}

static int grow(struct producers *p)
{
	const size_t size = p->size ? p->size * 2 : 16;
	struct producer *items = realloc(p->items, size * sizeof *items);

	if (!items)
		return FAIL(-ENOMEM);
	p->items = items;
	uint32_t *buckets = calloc(size, sizeof *buckets);
	if (!buckets)
		return FAIL(-ENOMEM);
	free(p->buckets);
	p->buckets = buckets;
	p->size = p->n_buckets = size;
	for (size_t i = 0; i < p->n; i++)
		hash_item(p, &p->items[i]);
	return 0;
}

/* The one silent for longest makes room. */
static struct producer *forget_oldest(struct producers *p)
{
	struct producer *s = &p->items[p->oldest - 1];
	uint32_t *from = bucket(p, s->session);

	while (*from != p->oldest)
		from = &p->items[*from - 1].next;
	*from = s->next;
	unlink_item(p, s);
	return s;
}

static int add(struct producers *p, const struct producer *like)
{
	struct producer *s;

	if (p->n < PRODUCERS_MAX) {
		if (p->n == p->size)
			TRY(grow(p));
		s = &p->items[p->n++];
	} else {
		s = forget_oldest(p);
	}
	*s = *like;
	hash_item(p, s);
	link_newest(p, s);
	return 0;
}

static void take_number(struct producer *s, uint64_t number)
{
	if (number > s->last) {
		const uint64_t step = number - s->last;
		s->before = step > PRODUCER_WINDOW    ? 0
			    : step == PRODUCER_WINDOW ? UINT64_C(1) << (PRODUCER_WINDOW - 1)
						      : s->before << step | UINT64_C(1) << (step - 1);
		s->last = number;
	} else if (number < s->last && s->last - number <= PRODUCER_WINDOW) {
		s->before |= UINT64_C(1) << (s->last - number - 1);
	}
}

int producers_take(struct producers *p, uint64_t session, uint64_t number)
{
	struct producer *s = find(p, session);

	if (!s)
		return add(p, &(struct producer){.session = session, .last = number});
	take_number(s, number);
	unlink_item(p, s);
	link_newest(p, s);
	return 0;
}

/* ---- Stored form ------------------------------------------------------------------------------------------
 */

void producers_encode(const struct producers *p, struct buf *out)
{
	buf_put_u32(out, (uint32_t)p->n);
	for (uint32_t at = p->oldest; at > 0; at = p->items[at - 1].newer) {
		buf_put_u64(out, p->items[at - 1].session);
		buf_put_u64(out, p->items[at - 1].last);
		buf_put_u64(out, p->items[at - 1].before);
	}
}

int producers_decode(struct producers *p, struct record_reader *in)
{
	const uint32_t n = record_u32(in);

	if (in->failed || n > PRODUCERS_MAX)
		return FAIL(ERR_CORRUPT);
	for (uint32_t i = 0; i < n; i++) {
		struct producer s = {.session = record_u64(in), .last = record_u64(in)};
		s.before = record_u64(in);
		if (in->failed || find(p, s.session))
			return FAIL(ERR_CORRUPT);
		TRY(add(p, &s));
	}
	return 0;
}
