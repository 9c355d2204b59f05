/* SPDX-License-Identifier: Apache-2.0 */
#include "storage/points.h"

#include "storage/record.h"

struct point {
	int64_t t_ns;
	uint64_t bits; /* the value of a bool or number */
	uint32_t more; /* place in points.more, one up; 0: no uncertainty, source, text or position */
	uint8_t quality;
};

/* What lies at point.more: sigma, position (if that is the type), source, text (if that is the type). */

void points_fini(struct points *p)
{
	free(p->items);
	buf_fini(&p->more);
	*p = (struct points){0};
}

void points_clear(struct points *p)
{
	p->n = 0;
	p->type = VALUE_NONE;
	p->last_more = 0;
	buf_clear(&p->more);
}

static int make_room(struct points *p)
{
	if (p->n < p->size)
		return 0;
	const size_t size = p->size ? p->size * 2 : 4;
	struct point *items = realloc(p->items, size * sizeof *items);
	if (!items)
		return FAIL(-ENOMEM);
	p->items = items;
	p->size = size;
	return 0;
}

static bool is_text(enum value_type type)
{
	return type == VALUE_TEXT || type == VALUE_ENUM;
}

static bool needs_more(const struct sample *s)
{
	return !isnan(s->sigma) || (s->source && *s->source) || is_text(s->value.type) ||
	       s->value.type == VALUE_POSITION;
}

static int put_more(struct points *p, const struct sample *s, uint32_t *ret)
{
	const size_t at = p->more.len;

	*ret = 0;
	if (!needs_more(s))
		return 0;
	record_put_double(&p->more, s->sigma);
	if (s->value.type == VALUE_POSITION) {
		record_put_double(&p->more, s->value.position.lat_deg);
		record_put_double(&p->more, s->value.position.lon_deg);
		record_put_double(&p->more, s->value.position.alt_m);
	}
	record_put_text(&p->more, s->source);
	if (is_text(s->value.type))
		record_put_text(&p->more, s->value.text);
	if (p->more.failed || p->more.len >= UINT32_MAX) {
		p->more.failed = false;
		p->more.len = at;
		return FAIL(-ENOMEM);
	}
	const struct bytes last = {p->more.data + p->last_more, at - p->last_more};
	if (bytes_equal(last, (struct bytes){p->more.data + at, p->more.len - at}))
		p->more.len = at;
	else
		p->last_more = at;
	*ret = (uint32_t)p->last_more + 1;
	return 0;
}

static uint64_t value_bits(const struct value *v)
{
	switch (v->type) {
	case VALUE_BOOL: return v->boolean;
	case VALUE_INT64: return (uint64_t)v->integer;
	case VALUE_DOUBLE: return double_bits(v->real);
	case VALUE_NONE:
	case VALUE_TEXT:
	case VALUE_ENUM:
	case VALUE_POSITION: return 0;
	}
	return 0;
}

int points_add(struct points *p, const struct sample *s)
{
	struct point item = {.t_ns = s->t_ns, .bits = value_bits(&s->value), .quality = (uint8_t)s->quality};

	TRY(make_room(p));
	TRY(put_more(p, s, &item.more));
	const size_t at = p->n > 0 && p->items[p->n - 1].t_ns < s->t_ns ? p->n : points_find(p, s->t_ns);
	if (at == p->n || p->items[at].t_ns != s->t_ns) {
		memmove(&p->items[at + 1], &p->items[at], (p->n - at) * sizeof *p->items);
		p->n++;
	}
	p->items[at] = item;
	p->type = s->value.type;
	return 0;
}

size_t points_find(const struct points *p, int64_t t_ns)
{
	size_t low = 0, high = p->n;

	while (low < high) {
		const size_t middle = low + (high - low) / 2;
		if (p->items[middle].t_ns < t_ns)
			low = middle + 1;
		else
			high = middle;
	}
	return low;
}

int64_t points_time(const struct points *p, size_t i)
{
	return p->items[i].t_ns;
}

static void get_value(const struct points *p, const struct point *item, struct record_reader *more,
		      struct sample *s)
{
	struct value *v = &s->value;

	switch (p->type) {
	case VALUE_BOOL: v->boolean = item->bits != 0; break;
	case VALUE_INT64: v->integer = (int64_t)item->bits; break;
	case VALUE_DOUBLE: v->real = bits_double(item->bits); break;
	case VALUE_POSITION:
		v->position.lat_deg = record_double(more);
		v->position.lon_deg = record_double(more);
		v->position.alt_m = record_double(more);
		break;
	case VALUE_NONE:
	case VALUE_TEXT:
	case VALUE_ENUM: break;
	}
	if (!item->more)
		return;
	s->source = record_text(more);
	if (!*s->source)
		s->source = NULL;
	if (is_text(p->type))
		v->text = record_text(more);
}

struct sample points_get(const struct points *p, size_t i)
{
	const struct point *item = &p->items[i];
	struct sample s = {
		.t_ns = item->t_ns,
		.value.type = p->type,
		.quality = (enum quality)item->quality,
		.sigma = NAN,
	};
	struct record_reader more = {0};

	if (item->more) {
		more = record_reader(
			(struct bytes){p->more.data + item->more - 1, p->more.len - item->more + 1});
		s.sigma = record_double(&more);
	}
	get_value(p, item, &more, &s);
	return s;
}

int points_merge(struct points *to, const struct points *from, size_t i, size_t end)
{
	for (; i < end; i++) {
		const struct sample s = points_get(from, i);
		TRY(points_add(to, &s));
	}
	return 0;
}
