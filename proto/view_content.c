/* SPDX-License-Identifier: Apache-2.0 */
#include "proto/view_content.h"

#include <math.h>
#include <string.h>

#include "proto/words.h"

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

/* The unit of what is a number of something. */
static const char *unit_of(const struct rollup_spec *spec, const struct rollup_state *s)
{
	return spec->fn == ROLLUP_COUNT || spec->fn == ROLLUP_WORST_HEALTH ? "" : s->unit;
}

static void put_rollups(struct buf *b, const struct view_question *q, const struct rollup_state *states)
{
	double x;

	for (size_t i = 0; i < q->n_rollups && states; i++) {
		const struct rollup_spec *spec = &q->rollups[i];
		const struct rollup_state *s = &states[i];
		const bool is_one = spec->fn == ROLLUP_LATEST || spec->fn == ROLLUP_FIRST;
		buf_put_u64(b, s->n);
		buf_put_u32(b, (uint32_t)rollup_quality(s));
		put_number(b, rollup_value(s, spec, &x) ? x : NAN);
		put_number(b, rollup_sigma(s, spec, &x) ? x : NAN);
		buf_put_u64(b, is_one ? (uint64_t)s->t_ns : 0);
		put_text(b, unit_of(spec, s));
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

void view_put_member(struct buf *b, const struct view_question *q, const struct view_member *m)
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

void view_put_totals(struct buf *b, const struct view_question *q, const struct view_part *view)
{
	put_rollups(b, q, view->rollups);
	for (size_t i = 0; i < view->n_cells; i++) {
		put_text(b, view->cells[i].group);
		buf_put_u64(b, (uint64_t)view->cells[i].t_ns);
		buf_put_u64(b, view->cells[i].members);
		put_rollups(b, q, view->cells[i].rollups);
	}
}

void view_put_certificate(struct buf *b, const struct view_part *view)
{
	put_counts(b, &view->counts);
	buf_put_u8(b, view->cut);
	buf_put_u64(b, view->n_problems);
	for (size_t i = 0; i < view->n_problems; i++)
		put_text(b, view->problems[i]);
	for (size_t i = 0; i < view->n_sources; i++) {
		const struct view_source *s = &view->sources[i];
		put_text(b, s->org);
		put_text(b, s->node);
		buf_put_u64(b, s->epoch);
		buf_put_u32(b, (uint32_t)s->state);
	}
}
