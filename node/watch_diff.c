/* SPDX-License-Identifier: Apache-2.0 */
#include "node/watch_diff.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "proto/buf.h"
#include "proto/hash.h"
#include "proto/words.h"

struct shown_member {
	uint64_t content;
	uint32_t round; /* when it was last there */
	char id[];
};

void watch_shown_fini(struct watch_shown *s)
{
	size_t at = 0;

	for (struct map_entry *m; (m = map_next(&s->members, &at));)
		free(m->value);
	map_fini(&s->members);
	*s = (struct watch_shown){0};
}

/* ---- Content ---------------------------------------------------------------------------------------------
 */

static void put_text(struct buf *b, const char *text)
{
	const char *t = text_or_empty(text);

	buf_put(b, (struct bytes){(const uint8_t *)t, strlen(t) + 1});
}

static void put_number(struct buf *b, double x)
{
	uint64_t bits;

	memcpy(&bits, &x, sizeof bits);
	buf_put_u64(b, bits);
}

/* What people are told of a roll-up; the sketch shows in its quantile. */
static void put_rollups(struct buf *b, const struct view_question *q, const struct rollup_state *states)
{
	double x;

	for (size_t i = 0; i < q->n_rollups && states; i++) {
		const struct rollup_state *s = &states[i];
		buf_put_u64(b, s->n);
		buf_put_u64(b, s->n_uncertain);
		put_number(b, rollup_value(s, &q->rollups[i], &x) ? x : NAN);
		put_number(b, rollup_sigma(s, &q->rollups[i], &x) ? x : NAN);
		buf_put_u64(b, (uint64_t)s->t_ns);
		put_text(b, s->unit);
	}
}

static void put_value(struct buf *b, const struct kpi *k)
{
	const struct value *v = &k->sample.value;

	put_text(b, k->property);
	put_text(b, k->unit);
	buf_put_u64(b, (uint64_t)k->sample.t_ns);
	buf_put_u32(b, (uint32_t)k->sample.quality);
	put_number(b, k->sample.sigma);
	buf_put_u32(b, (uint32_t)v->type);
	switch (v->type) {
	case VALUE_NONE: break;
	case VALUE_BOOL: buf_put_u8(b, v->boolean); break;
	case VALUE_INT64: buf_put_u64(b, (uint64_t)v->integer); break;
	case VALUE_DOUBLE: put_number(b, v->real); break;
	case VALUE_TEXT:
	case VALUE_ENUM: put_text(b, v->text); break;
	case VALUE_POSITION:
		put_number(b, v->position.lat_deg);
		put_number(b, v->position.lon_deg);
		put_number(b, v->position.alt_m);
		break;
	}
}

static void put_member(struct buf *b, const struct view_question *q, const struct view_member *m)
{
	put_text(b, m->parent);
	put_text(b, m->type);
	put_text(b, m->name);
	buf_put_u32(b, (uint32_t)m->state);
	buf_put_u32(b, (uint32_t)m->kind);
	buf_put_u32(b, (uint32_t)m->life);
	buf_put_u32(b, (uint32_t)m->health);
	put_rollups(b, q, m->rollups);
	for (size_t i = 0; i < m->n_values; i++)
		put_value(b, &m->values[i]);
}

static void put_counts(struct buf *b, const struct view_counts *c)
{
	const uint64_t all[] = {c->members,     c->live,   c->cached,  c->withheld, c->unreachable,
				c->unconfirmed, c->coarse, c->expired, c->filtered};

	for (size_t i = 0; i < sizeof all / sizeof all[0]; i++)
		buf_put_u64(b, all[i]);
}

/* All that every event carries. */
static void put_rest(struct buf *b, const struct view_question *q, const struct view_part *view)
{
	put_counts(b, &view->counts);
	put_rollups(b, q, view->rollups);
	buf_put_u8(b, view->cut);
	for (size_t i = 0; i < view->n_problems; i++)
		put_text(b, view->problems[i]);
	for (size_t i = 0; i < view->n_sources; i++) {
		const struct view_source *s = &view->sources[i];
		put_text(b, s->org);
		put_text(b, s->node);
		buf_put_u64(b, s->epoch);
		buf_put_u32(b, (uint32_t)s->state);
	}
	for (size_t i = 0; i < view->n_cells; i++) {
		put_text(b, view->cells[i].group);
		buf_put_u64(b, (uint64_t)view->cells[i].t_ns);
		buf_put_u64(b, view->cells[i].members);
		put_rollups(b, q, view->cells[i].rollups);
	}
}

static uint64_t digest(const struct buf *b)
{
	return hash64("watch", buf_bytes(b), (struct bytes){0});
}

/* ---- Differences -----------------------------------------------------------------------------------------
 */

/* 1: it is new, or differs. */
static int see_member(struct watch_shown *s, const char *id, uint64_t content)
{
	struct shown_member *known = map_get(&s->members, id);
	const size_t size = strlen(id) + 1;

	if (!known) {
		SCOPED(scope_free) struct shown_member *fresh = malloc(sizeof *fresh + size);
		if (!fresh)
			return FAIL(-ENOMEM);
		*fresh = (struct shown_member){.content = content, .round = s->round};
		memcpy(fresh->id, id, size);
		TRY(map_put(&s->members, fresh->id, fresh));
		fresh = NULL;
		return 1;
	}
	const bool differs = known->content != content;
	known->content = content;
	known->round = s->round;
	return differs;
}

static int find_changed(struct watch_shown *s, const struct view_question *q, const struct view_part *view,
			struct arena *a, struct view_part *ret)
{
	SCOPED(buf_fini) struct buf b = {0};

	for (size_t i = 0; i < view->n_members; i++) {
		buf_clear(&b);
		put_member(&b, q, &view->members[i]);
		TRY(buf_check(&b));
		const int r = see_member(s, view->members[i].id, digest(&b));
		TRY(r);
		if (r == 0)
			continue;
		struct view_member *changed = arena_push(a, &ret->members, &ret->n_members, sizeof *changed);
		if (!changed)
			return FAIL(-ENOMEM);
		*changed = view->members[i];
	}
	return 0;
}

static int find_gone(struct watch_shown *s, struct arena *a, struct view_part *ret)
{
	size_t at = 0;

	for (const struct map_entry *e; (e = map_next(&s->members, &at));) {
		const struct shown_member *m = e->value;
		if (m->round == s->round)
			continue;
		const char **gone = arena_push(a, &ret->gone, &ret->n_gone, sizeof *gone);
		if (!gone || !(*gone = arena_copy(a, m->id)))
			return FAIL(-ENOMEM);
	}
	for (size_t i = 0; i < ret->n_gone; i++)
		free(map_remove(&s->members, ret->gone[i]));
	return 0;
}

int watch_differ(struct watch_shown *s, const struct view_question *q, const struct view_part *view,
		 struct arena *a, struct view_part *ret, bool *ret_differs)
{
	SCOPED(buf_fini) struct buf b = {0};
	struct view_part part = *view;

	part.members = NULL;
	part.gone = NULL;
	part.n_members = part.n_gone = 0;
	s->round++;
	TRY(find_changed(s, q, view, a, &part));
	TRY(find_gone(s, a, &part));
	put_rest(&b, q, view);
	TRY(buf_check(&b));
	const uint64_t rest = digest(&b);
	*ret_differs = rest != s->rest || part.n_members > 0 || part.n_gone > 0;
	s->rest = rest;
	*ret = part;
	return 0;
}
