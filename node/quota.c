/* SPDX-License-Identifier: Apache-2.0 */
#include "node/quota.h"

#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "node/trust.h"
#include "proto/clock.h"

enum { N_BUCKETS = N_QUOTA_KINDS + 1, PATIENCE = N_QUOTA_KINDS };

#define TOKEN NS_PER_S                         /* units: what a rate of one a second brings in a nanosecond */
#define MOST_TOKENS (INT64_MAX / 4 / NS_PER_S) /* in a bucket, or owed to it */

struct bucket {
	int64_t units, at_ns;
};

struct share {
	char org[ORG_NAME_MAX + 1]; /* "": free */
	struct bucket buckets[N_BUCKETS];
};

struct quotas {
	struct quota_limit limits[N_BUCKETS];
	struct share shares[PARTNERS_MAX];
	uint64_t refused;
};

int quotas_new(struct quotas **ret, const struct quota_limits *limits)
{
	struct quotas *q = calloc(1, sizeof *q);

	if (!q)
		return FAIL(-ENOMEM);
	memcpy(q->limits, limits->of, sizeof limits->of);
	q->limits[PATIENCE] = (struct quota_limit){QUOTA_FORGIVEN, QUOTA_PATIENCE};
	*ret = q;
	return 0;
}

void quotas_free(struct quotas *q)
{
	free(q);
}

uint64_t quota_refused(const struct quotas *q)
{
	return q ? q->refused : 0;
}

static void refill(const struct quota_limit *l, struct bucket *b, int64_t now_ns)
{
	const int64_t full = l->burst * TOKEN, gone_ns = now_ns - b->at_ns;

	if (gone_ns <= 0)
		return;
	b->units = gone_ns > (full - b->units) / l->rate ? full : b->units + gone_ns * l->rate;
	b->at_ns = now_ns;
}

/* Everything is there again: then it says no more than its absence would. */
static bool is_idle(const struct quotas *q, struct share *s, int64_t now_ns)
{
	for (size_t i = 0; i < N_BUCKETS; i++) {
		refill(&q->limits[i], &s->buckets[i], now_ns);
		if (s->buckets[i].units < q->limits[i].burst * TOKEN)
			return false;
	}
	return true;
}

static struct share *begin(const struct quotas *q, struct share *s, const char *org, int64_t now_ns)
{
	memset(s, 0, sizeof *s);
	memcpy(s->org, org, strnlen(org, ORG_NAME_MAX));
	for (size_t i = 0; i < N_BUCKETS; i++)
		s->buckets[i] = (struct bucket){q->limits[i].burst * TOKEN, now_ns};
	return s;
}

/* NULL: there are as many partners as there can be, and none of them was quiet: who comes on top is one that
 * was trusted just now in the place of another, and gets his when that one's is full again. */
static struct share *share_of(struct quotas *q, const char *org, int64_t now_ns)
{
	struct share *room = NULL;

	for (size_t i = 0; i < PARTNERS_MAX; i++) {
		struct share *s = &q->shares[i];
		if (strcmp(s->org, org) == 0)
			return s;
		if (!room && (s->org[0] == '\0' || is_idle(q, s, now_ns)))
			room = s;
	}
	return room ? begin(q, room, org, now_ns) : NULL;
}

static bool take(const struct quotas *q, struct share *s, size_t bucket, int64_t now_ns)
{
	struct bucket *b = &s->buckets[bucket];

	refill(&q->limits[bucket], b, now_ns);
	if (b->units < TOKEN)
		return false;
	b->units -= TOKEN;
	return true;
}

/* Whoever has more rows than it may owes them: no pull until then. */
static bool may(const struct quotas *q, struct share *s, enum quota_kind kind, int64_t now_ns)
{
	struct bucket *rows = &s->buckets[QUOTA_ROWS];

	refill(&q->limits[QUOTA_ROWS], rows, now_ns);
	if ((kind == QUOTA_PULLS || kind == QUOTA_REPAIRS) && rows->units <= 0)
		return false;
	return take(q, s, kind, now_ns);
}

int quota_take(struct quotas *q, const char *org, enum quota_kind kind, int64_t now_ns)
{
	struct share *s = q && org[0] ? share_of(q, org, now_ns) : NULL;

	if (!q || org[0] == '\0')
		return 0;
	if (s && may(q, s, kind, now_ns))
		return 0;
	q->refused++;
	return !s || take(q, s, PATIENCE, now_ns) ? QUOTA_OVER : FAIL(ERR_REFUSED);
}

void quota_charge(struct quotas *q, const char *org, enum quota_kind kind, uint64_t n, int64_t now_ns)
{
	struct share *s = q && org[0] ? share_of(q, org, now_ns) : NULL;
	const int64_t tokens = n < (uint64_t)MOST_TOKENS / 2 ? (int64_t)n : MOST_TOKENS / 2;

	if (!s)
		return;
	struct bucket *b = &s->buckets[kind];
	refill(&q->limits[kind], b, now_ns);
	b->units -= tokens * TOKEN;
	if (b->units < -MOST_TOKENS / 2 * TOKEN)
		b->units = -MOST_TOKENS / 2 * TOKEN;
}
