/* SPDX-License-Identifier: Apache-2.0 */
#include "node/clock.h"

#include <stdatomic.h>
#include <time.h>

#include "proto/clock.h"

#define STORE_KEY "highest-time"

enum { TIME_BYTES = 8 };

int64_t clock_wall_ns(void)
{
	struct timespec t;
	int64_t ns;

	if (clock_gettime(CLOCK_REALTIME, &t) != 0 ||
	    __builtin_mul_overflow((int64_t)t.tv_sec, NS_PER_S, &ns) ||
	    __builtin_add_overflow(ns, (int64_t)t.tv_nsec, &ns))
		return TIME_MAX; /* everything has ended then */
	return ns;
}

static int64_t wall(const struct clock *c)
{
	return c && c->wall_ns ? c->wall_ns() : clock_wall_ns();
}

static int64_t floor_of(const struct clock *c)
{
	return c ? atomic_load_explicit(&c->floor_ns, memory_order_relaxed) : TIME_MIN;
}

int64_t clock_now(const struct clock *c)
{
	const int64_t wall_ns = wall(c), floor_ns = floor_of(c);

	return wall_ns > floor_ns ? wall_ns : floor_ns;
}

int64_t clock_back_ns(const struct clock *c)
{
	const int64_t wall_ns = wall(c), floor_ns = floor_of(c);

	return wall_ns < floor_ns ? floor_ns - wall_ns : 0;
}

static int store_time(struct trust_store *s, int64_t ns)
{
	SCOPED(buf_fini) struct buf value = {0};

	buf_put_u64(&value, (uint64_t)ns);
	TRY(buf_check(&value));
	return trust_store_put(s, STORE_KEY, buf_bytes(&value));
}

int clock_load(struct clock *c, struct trust_store *s)
{
	SCOPED(scope_arena) struct arena *a = NULL;
	struct bytes value;

	TRY(arena_new(&a, 1024));
	const int r = trust_store_get(s, a, STORE_KEY, &value);
	TRY(r);
	if (r == TRUST_STORE_ABSENT)
		return 0;
	if (value.len != TIME_BYTES)
		return FAIL(ERR_CORRUPT);
	c->stored_ns = (int64_t)get_u64(value.data);
	c->was_forgotten = c->stored_ns == 0;
	atomic_store_explicit(&c->floor_ns, c->stored_ns, memory_order_relaxed);
	return 0;
}

int clock_keep(struct clock *c, struct trust_store *s, int64_t evidence_ns, bool now)
{
	const int64_t wall_ns = wall(c), most_ns = evidence_ns + CLOCK_AHEAD_MAX_S * NS_PER_S;
	const int64_t seen_ns = wall_ns < most_ns ? wall_ns : most_ns;

	if (seen_ns > floor_of(c))
		atomic_store_explicit(&c->floor_ns, seen_ns, memory_order_relaxed);
	const int64_t unstored_ns = floor_of(c) - c->stored_ns;
	if (unstored_ns == 0 || (!now && unstored_ns < CLOCK_STORE_EVERY_S * NS_PER_S))
		return 0;
	TRY(store_time(s, floor_of(c)));
	c->stored_ns = floor_of(c);
	return 0;
}

int clock_forget(struct trust_store *s)
{
	return store_time(s, 0);
}

int64_t clock_evidence_ns(const struct org *own)
{
	int64_t newest_ns = own->manifest.issued_ns;

	if (own->revocations.seq > 0 && own->revocations.this_update_ns > newest_ns)
		newest_ns = own->revocations.this_update_ns;
	for (size_t i = 0; i < own->n_nodes; i++)
		if (own->nodes[i].not_before_ns > newest_ns)
			newest_ns = own->nodes[i].not_before_ns;
	return newest_ns;
}
