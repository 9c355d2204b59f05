/* SPDX-License-Identifier: Apache-2.0 */
#include "proto/row_wire.h"

struct wire {
	const uint8_t *at, *end;
	uint8_t *text; /* where the next one goes: all of them fit, for each leaves out its tag and length.
			* NULL: they stay where they are */
	bool odd;
};

/* Number and type of a field below 16, as one byte. */
enum type { VARINT = 0, FIXED64 = 1, SIZED = 2, FIXED32 = 5 };
#define TAG(number, type) ((uint8_t)((number) << 3 | (type)))

static bool next_is(struct wire *w, uint8_t tag)
{
	if (w->at == w->end || *w->at != tag)
		return false;
	w->at++;
	return true;
}

static uint64_t odd(struct wire *w)
{
	w->odd = true;
	w->at = w->end;
	return 0;
}

/* Of ten bytes, where bits may be lost, it is odd. */
static uint64_t varint(struct wire *w, uint64_t most)
{
	uint64_t v = 0;

	for (unsigned shift = 0; w->at < w->end && shift < 63; shift += 7) {
		const uint8_t b = *w->at++;
		v |= (uint64_t)(b & 0x7f) << shift;
		if (b < 0x80)
			return v <= most ? v : odd(w);
	}
	return odd(w);
}

static uint64_t fixed(struct wire *w, size_t n)
{
	uint64_t v = 0;

	if ((size_t)(w->end - w->at) < n)
		return odd(w);
	for (size_t i = 0; i < n; i++)
		v |= (uint64_t)*w->at++ << 8 * i;
	return v;
}

static double real(struct wire *w)
{
	const uint64_t bits = fixed(w, 8);
	double v;

	memcpy(&v, &bits, sizeof v);
	return v;
}

static int64_t zigzag(struct wire *w)
{
	const uint64_t v = varint(w, UINT64_MAX);

	return (int64_t)(v >> 1 ^ (~(v & 1) + 1));
}

static size_t length(struct wire *w)
{
	const uint64_t len = varint(w, UINT32_MAX);

	return len <= (size_t)(w->end - w->at) ? (size_t)len : odd(w);
}

static pb_data text(struct wire *w)
{
	const size_t len = length(w);
	const pb_data b =
		w->text ? (pb_data){.len = len, .data = w->text} : bytes_to_pb((struct bytes){w->at, len});

	if (!w->text) {
		w->at += len;
		return b;
	}
	memcpy(b.data, w->at, b.len);
	w->at += b.len;
	w->text += b.len + 1; /* zeroed */
	return b;
}

/* Into a message in the message, until its end. */
static const uint8_t *enter(struct wire *w)
{
	const size_t len = length(w);
	const uint8_t *outer = w->end;

	w->end = w->at + len;
	return outer;
}

static void leave(struct wire *w, const uint8_t *outer)
{
	w->odd = w->odd || w->at != w->end;
	w->end = outer;
	if (w->odd)
		w->at = outer;
}

static void read_position(struct wire *w, PB(Position) * p)
{
	const uint8_t *outer = enter(w);

	*p = (PB(Position))HOLON__V1__POSITION__INIT;
	if (next_is(w, TAG(1, FIXED64)))
		p->lat_deg = real(w);
	if (next_is(w, TAG(2, FIXED64)))
		p->lon_deg = real(w);
	if (next_is(w, TAG(3, FIXED64))) {
		p->alt_case = HOLON__V1__POSITION__ALT_ALT_M;
		p->alt_m = real(w);
	}
	leave(w, outer);
}

/* One of them or none. */
static void read_value(struct wire *w, PB(Sample) * s, PB(Position) * space)
{
	if (next_is(w, TAG(2, VARINT))) {
		s->value_case = HOLON__V1__SAMPLE__VALUE_BOOLEAN;
		s->boolean = varint(w, 1) != 0;
	} else if (next_is(w, TAG(3, VARINT))) {
		s->value_case = HOLON__V1__SAMPLE__VALUE_INTEGER;
		s->integer = zigzag(w);
	} else if (next_is(w, TAG(4, FIXED64))) {
		s->value_case = HOLON__V1__SAMPLE__VALUE_REAL;
		s->real = real(w);
	} else if (next_is(w, TAG(5, SIZED))) {
		s->value_case = HOLON__V1__SAMPLE__VALUE_TEXT;
		s->text = text(w);
	} else if (next_is(w, TAG(6, SIZED))) {
		s->value_case = HOLON__V1__SAMPLE__VALUE_WORD;
		s->word = text(w);
	} else if (next_is(w, TAG(7, SIZED))) {
		s->value_case = HOLON__V1__SAMPLE__VALUE_POSITION;
		s->position = space;
		read_position(w, space);
	}
}

static void read_sample(struct wire *w, PB(Sample) * s, PB(Position) * space)
{
	const uint8_t *outer = enter(w);

	*s = (PB(Sample))HOLON__V1__SAMPLE__INIT;
	if (next_is(w, TAG(1, FIXED64)))
		s->t_ns = (int64_t)fixed(w, 8);
	read_value(w, s, space);
	if (next_is(w, TAG(8, VARINT)))
		s->quality = (PB(Quality))varint(w, INT32_MAX);
	if (next_is(w, TAG(9, FIXED64))) {
		s->uncertainty_case = HOLON__V1__SAMPLE__UNCERTAINTY_SIGMA;
		s->sigma = real(w);
	}
	if (next_is(w, TAG(10, SIZED)))
		s->source = text(w);
	leave(w, outer);
}

static void read_kpi(struct wire *w, struct row_space *to, size_t i)
{
	const uint8_t *outer = enter(w);
	PB(Kpi) *k = to->kpi_list[i] = &to->kpis[i];

	*k = (PB(Kpi))HOLON__V1__KPI__INIT;
	if (next_is(w, TAG(1, SIZED)))
		k->property = text(w);
	if (next_is(w, TAG(2, SIZED)))
		k->unit = text(w);
	if (next_is(w, TAG(3, SIZED))) {
		k->sample = &to->samples[i];
		read_sample(w, k->sample, &to->positions[i]);
	}
	leave(w, outer);
}

static void read_parent(struct wire *w, struct row_space *to, size_t i)
{
	const uint8_t *outer = enter(w);
	PB(RowParent) *p = to->parent_list[i] = &to->parents[i];

	*p = (PB(RowParent))HOLON__V1__ROW_PARENT__INIT;
	if (next_is(w, TAG(1, SIZED)))
		p->hierarchy = text(w);
	if (next_is(w, TAG(2, SIZED)))
		p->parent = text(w);
	if (next_is(w, TAG(3, VARINT)))
		p->state = (PB(Confirmation))varint(w, INT32_MAX);
	leave(w, outer);
}

static void read_alarm(struct wire *w, struct row_space *to, size_t i)
{
	const uint8_t *outer = enter(w);
	PB(RowAlarm) *alarm = to->alarm_list[i] = &to->alarms[i];

	*alarm = (PB(RowAlarm))HOLON__V1__ROW_ALARM__INIT;
	if (next_is(w, TAG(1, SIZED)))
		alarm->name = text(w);
	if (next_is(w, TAG(2, VARINT)))
		alarm->severity = (PB(Health))varint(w, INT32_MAX);
	if (next_is(w, TAG(3, VARINT)))
		alarm->state = (PB(AlarmState))varint(w, INT32_MAX);
	if (next_is(w, TAG(4, SIZED)))
		alarm->what = text(w);
	if (next_is(w, TAG(5, FIXED64)))
		alarm->since_ns = (int64_t)fixed(w, 8);
	leave(w, outer);
}

static void read_lists(struct wire *w, struct row_space *to)
{
	PB(Row) *r = &to->row;

	r->kpis = to->kpi_list;
	r->parents = to->parent_list;
	r->tags = to->tags;
	r->alarms = to->alarm_list;
	while (r->n_kpis < KPIS_MAX && next_is(w, TAG(12, SIZED)))
		read_kpi(w, to, r->n_kpis++);
	while (r->n_parents < PARENTS_MAX && next_is(w, TAG(13, SIZED)))
		read_parent(w, to, r->n_parents++);
	while (r->n_tags < TAGS_MAX && next_is(w, TAG(14, SIZED)))
		r->tags[r->n_tags++] = text(w);
	while (r->n_alarms < ROW_ALARMS_MAX && next_is(w, TAG(15, SIZED)))
		read_alarm(w, to, r->n_alarms++);
}

static void read_row(struct wire *w, PB(Row) * r)
{
	*r = (PB(Row))HOLON__V1__ROW__INIT;
	if (next_is(w, TAG(1, SIZED)))
		r->id = text(w);
	if (next_is(w, TAG(2, VARINT)))
		r->lineage = (uint32_t)varint(w, UINT32_MAX);
	if (next_is(w, TAG(3, FIXED64)))
		r->stamp_ns = (int64_t)fixed(w, 8);
	if (next_is(w, TAG(4, VARINT)))
		r->seq = varint(w, UINT64_MAX);
	if (next_is(w, TAG(5, VARINT)))
		r->deleted = varint(w, 1) != 0;
	if (next_is(w, TAG(6, FIXED32)))
		r->mask = (uint32_t)fixed(w, 4);
	if (next_is(w, TAG(7, VARINT)))
		r->kind = (PB(Kind))varint(w, INT32_MAX);
	if (next_is(w, TAG(8, SIZED)))
		r->type = text(w);
	if (next_is(w, TAG(9, SIZED)))
		r->name = text(w);
	if (next_is(w, TAG(10, VARINT)))
		r->life = (PB(LifeCycle))varint(w, INT32_MAX);
	if (next_is(w, TAG(11, VARINT)))
		r->health = (PB(Health))varint(w, INT32_MAX);
}

static int read_all(struct bytes in, uint8_t *text, struct row_space *ret)
{
	struct wire w = {.at = in.data, .end = in.data, .text = text};

	if (in.len > 0)
		w.end += in.len;
	read_row(&w, &ret->row);
	read_lists(&w, ret);
	return !w.odd && w.at == w.end ? 0 : ROW_ODD;
}

int row_unpack(struct arena *a, struct bytes in, struct row_space *ret)
{
	uint8_t *text = arena_take(a, in.len);

	return text ? read_all(in, text, ret) : FAIL(-ENOMEM);
}

int row_glance(struct bytes in, struct row_space *ret)
{
	return read_all(in, NULL, ret);
}
