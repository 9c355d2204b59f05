/* SPDX-License-Identifier: Apache-2.0 */
/* The history of the own twins, as the store shows it. */
#include "storage/store.h"

#include <math.h>

#include "proto/clock.h"
#include "storage/column.h"
#include "storage/store_private.h"

static bool find_series(const struct store *s, const struct twin *t, size_t property, struct series *ret)
{
	const uint32_t id = store_series(s, t, property);

	if (id == 0)
		return false;
	*ret = (struct series){.id = id,
			       .chain = *values_chain(&s->table.values, id),
			       .type = t->type->def.properties[property].type};
	return true;
}

/* ---- Reading ----------------------------------------------------------------------------------------------
 */

int store_value_at(struct store *s, const struct twin *t, size_t property, int64_t at_ns, struct arena *a,
		   struct sample *ret)
{
	struct series series;

	if (!find_series(s, t, property, &series))
		return STORE_ABSENT;
	const int r = history_at(s->history, &series, at_ns, a, ret);
	return r == HISTORY_ABSENT ? STORE_ABSENT : r;
}

int store_points(struct store *s, const struct twin *t, size_t property, const int64_t *t_ns, size_t n,
		 struct arena *a, struct point *ret)
{
	struct series series;

	return find_series(s, t, property, &series) ? history_points(s->history, &series, t_ns, n, a, ret)
						    : STORE_ABSENT;
}

int store_history_read(struct store *s, const struct twin *t, size_t property, int64_t from_ns, int64_t to_ns,
		       struct history_reader **ret)
{
	struct series series;

	if (!find_series(s, t, property, &series))
		return STORE_ABSENT;
	return history_read(s->history, &series, from_ns, to_ns, ret);
}

static int copy_sample(struct arena *a, const struct sample *s, struct sample *ret)
{
	*ret = *s;
	TRY(value_copy(a, &s->value, &ret->value));
	ret->source = arena_copy(a, s->source);
	return s->source && !ret->source ? FAIL(-ENOMEM) : 0;
}

struct page {
	struct sample *samples;
	size_t n, limit;
	bool more;
};

static int add_column(struct page *p, const struct column *c, struct arena *a)
{
	for (size_t i = 0; i < c->n && !p->more; i++) {
		const struct sample s = column_get(c, i);
		p->more = p->n == p->limit;
		if (p->more)
			return 0;
		struct sample *to = arena_push(a, &p->samples, &p->n, sizeof *to);
		if (!to)
			return FAIL(-ENOMEM);
		TRY(copy_sample(a, &s, to));
	}
	return 0;
}

int store_history(struct store *s, const struct twin *t, size_t property, int64_t from_ns, int64_t to_ns,
		  size_t limit, struct arena *a, struct sample **ret, size_t *ret_n, bool *ret_more)
{
	SCOPED(scope_history_reader) struct history_reader *reader = NULL;
	struct page page = {.limit = limit};
	const struct column *c;
	int r = store_history_read(s, t, property, from_ns, to_ns, &reader);

	TRY(r);
	while (reader && !page.more && (r = history_next(reader, &c)) > 0)
		TRY(add_column(&page, c, a));
	if (r < 0)
		return r;
	*ret = page.samples;
	*ret_n = page.n;
	*ret_more = page.more;
	return 0;
}

int store_history_holds(struct store *s, const struct twin *t, size_t property, const struct sample *sample,
			bool *ret)
{
	struct series series;

	*ret = false;
	return find_series(s, t, property, &series) ? history_holds(s->history, &series, sample, ret) : 0;
}

static struct history_bucket shown(const struct bucket *b)
{
	const bool none = b->n == 0;

	return (struct history_bucket){
		.t_ns = b->t_ns,
		.last_ns = none ? b->t_ns : b->last_ns,
		.n = b->n,
		.n_bad = b->n_bad,
		.mean = none ? (double)NAN : b->mean,
		.sd = none ? (double)NAN : sqrt(b->m2 / (double)b->n),
		.min = none ? (double)NAN : b->min,
		.max = none ? (double)NAN : b->max,
		.last = none ? (double)NAN : b->last,
		.coarse = b->coarse,
	};
}

int store_buckets(struct store *s, const struct twin *t, size_t property, const struct store_range *range,
		  struct arena *a, struct store_buckets *ret)
{
	const struct bucket_range wanted = {range->from_ns, range->to_ns, range->step_ns, range->limit};
	struct store_buckets found = {0};
	struct series series;
	struct bucket *buckets;

	if (!find_series(s, t, property, &series) || range->step_ns <= 0)
		return FAIL(ERR_REFUSED);
	TRY(history_buckets(s->history, &series, &wanted, a, &buckets, &found.n, &found.more));
	found.buckets = arena_take_array(a, found.n, sizeof *found.buckets);
	if (!found.buckets)
		return FAIL(-ENOMEM);
	for (size_t i = 0; i < found.n; i++)
		found.buckets[i] = shown(&buckets[i]);
	*ret = found;
	return 0;
}

int store_raw_since(struct store *s, const struct twin *t, size_t property, int64_t *ret_ns)
{
	struct series series;

	*ret_ns = TIME_MIN;
	return find_series(s, t, property, &series) ? history_raw_since(s->history, &series, ret_ns) : 0;
}

/* ---- Upkeep -----------------------------------------------------------------------------------------------
 */

static struct series_rule rule_of(const void *ctx, uint32_t series)
{
	const struct table *t = ctx;
	struct series_place at;

	if (!table_series(t, series, &at))
		return (struct series_rule){0};
	const struct retention r = property_retention(&at.twin->pub.type->def, at.def);
	return (struct series_rule){true, r.raw_ns, r.minute_ns, r.hour_ns};
}

int store_merge_begin(struct store *s)
{
	const int r = history_merge_begin(s->history, rule_of, &s->table, s->table.values.next);

	return r == HISTORY_NOTHING ? STORE_UNCHANGED : r;
}

int store_merge_step(struct store *s)
{
	const int r = history_merge_step(s->history);

	if (r > 0 && !history_is_ahead(s->history))
		TRY(store_write_runs(s));
	return r;
}

void store_merge_end(struct store *s, bool merged)
{
	history_merge_end(s->history, merged && !history_is_ahead(s->history));
}

int store_scrub_step(struct store *s)
{
	return history_scrub_step(s->history);
}

void store_health(const struct store *s, struct store_health *ret)
{
	struct history_health h;

	history_health(s->history, &h);
	*ret = (struct store_health){.n_runs = h.n_runs,
				     .n_chunks = h.n_chunks,
				     .backlog_samples = history_backlog(s->history),
				     .log_bytes = log_bytes(s->log),
				     .scrubbed = h.scrubbed,
				     .rotten = h.rotten};
	memcpy(ret->first_rotten, h.first_rotten, sizeof ret->first_rotten);
}
