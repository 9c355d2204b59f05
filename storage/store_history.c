/* SPDX-License-Identifier: Apache-2.0 */
/* The history of the own twins, as the store shows it. */
#include "storage/store.h"

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
