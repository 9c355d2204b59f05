/* SPDX-License-Identifier: Apache-2.0 */
#include "storage/column.h"

#include <assert.h>
#include <stdlib.h>

#include "proto/words.h"

enum { SIZE_MIN = 16 };

void column_fini(struct column *c)
{
	column_clear(c);
	free(c->t_ns);
	free(c->bits);
	buf_fini(&c->more);
	*c = (struct column){0};
}

/* The parts that most columns do without are given back, so that NULL keeps its meaning. */
void column_clear(struct column *c)
{
	free(c->quality);
	free(c->sigma);
	free(c->source);
	buf_clear(&c->more);
	*c = (struct column){.size = c->size, .t_ns = c->t_ns, .bits = c->bits, .more = c->more};
}

/* `part` is the address of an array pointer. */
static int resize(void *part, size_t n, size_t item)
{
	void **at = part;
	void *p = n <= SIZE_MAX / item ? realloc(*at, n * item) : NULL;

	if (!p)
		return FAIL(-ENOMEM);
	*at = p;
	return 0;
}

int column_reserve(struct column *c, size_t n)
{
	if (n <= c->size)
		return 0;
	const size_t twice = c->size < SIZE_MAX / 2 ? 2 * c->size : n;
	const size_t size = n > twice ? (n > SIZE_MIN ? n : SIZE_MIN) : twice;

	TRY(resize(&c->t_ns, size, sizeof *c->t_ns));
	TRY(resize(&c->bits, size, sizeof *c->bits));
	if (c->quality)
		TRY(resize(&c->quality, size, sizeof *c->quality));
	if (c->sigma)
		TRY(resize(&c->sigma, size, sizeof *c->sigma));
	if (c->source)
		TRY(resize(&c->source, size, sizeof *c->source));
	c->size = size;
	return 0;
}

/* Which parts of a sample there are besides time and value. */
struct parts {
	bool quality, sigma, source;
};

/* Bring the parts into use that are not; c->size is above 0. */
static int use_parts(struct column *c, struct parts p)
{
	if (p.quality && !c->quality) {
		TRY(resize(&c->quality, c->size, sizeof *c->quality));
		memset(c->quality, QUALITY_GOOD, c->n);
	}
	if (p.sigma && !c->sigma) {
		TRY(resize(&c->sigma, c->size, sizeof *c->sigma));
		for (size_t i = 0; i < c->n; i++)
			c->sigma[i] = (double)NAN;
	}
	if (p.source && !c->source) {
		TRY(resize(&c->source, c->size, sizeof *c->source));
		for (size_t i = 0; i < c->n; i++)
			c->source[i] = COLUMN_NONE;
	}
	return 0;
}

static bool is_text(enum value_type type)
{
	return type == VALUE_TEXT || type == VALUE_ENUM;
}

static const char *text_at(const struct column *c, size_t place)
{
	return (const char *)c->more.data + place;
}

/* Append to c->more; places must fit the 32 bits of source[]. */
static int put_more(struct column *c, const void *data, size_t len, size_t *ret_place)
{
	if (c->more.len + len >= COLUMN_NONE)
		return FAIL(-ENOMEM);
	*ret_place = c->more.len;
	buf_put(&c->more, (struct bytes){data, len});
	if (c->more.failed) {
		c->more.failed = false; /* what was there still is */
		return FAIL(-ENOMEM);
	}
	return 0;
}

static int put_text(struct column *c, const char *text, size_t *ret_place)
{
	if (c->last_text > 0 && strcmp(text_at(c, c->last_text - 1), text) == 0) {
		*ret_place = c->last_text - 1;
		return 0;
	}
	TRY(put_more(c, text, strlen(text) + 1, ret_place));
	c->last_text = *ret_place + 1;
	return 0;
}

static int put_source(struct column *c, const char *source, uint32_t *ret)
{
	size_t place = 0;

	if (c->n > 0 && c->source[c->n - 1] != COLUMN_NONE &&
	    strcmp(text_at(c, c->source[c->n - 1]), source) == 0) {
		*ret = c->source[c->n - 1];
		return 0;
	}
	TRY(put_more(c, source, strlen(source) + 1, &place));
	*ret = (uint32_t)place;
	return 0;
}

uint64_t value_bits(const struct value *v)
{
	uint64_t bits = 0;

	if (v->type == VALUE_BOOL)
		bits = v->boolean;
	else if (v->type == VALUE_INT64)
		bits = (uint64_t)v->integer;
	else if (v->type == VALUE_DOUBLE)
		memcpy(&bits, &v->real, sizeof bits);
	return bits;
}

struct value value_of_bits(enum value_type type, uint64_t bits)
{
	struct value v = {.type = type};

	if (type == VALUE_BOOL)
		v.boolean = bits != 0;
	else if (type == VALUE_INT64)
		v.integer = (int64_t)bits;
	else if (type == VALUE_DOUBLE)
		memcpy(&v.real, &bits, sizeof bits);
	return v;
}

static int put_position(struct column *c, const struct position *p, size_t *ret_place)
{
	const double numbers[] = {p->lat_deg, p->lon_deg, p->alt_m};

	return put_more(c, numbers, sizeof numbers, ret_place);
}

static int put_value(struct column *c, const struct value *v, uint64_t *ret)
{
	size_t place = value_bits(v);

	if (is_text(v->type))
		TRY(put_text(c, text_or_empty(v->text), &place));
	else if (v->type == VALUE_POSITION)
		TRY(put_position(c, &v->position, &place));
	*ret = place;
	return 0;
}

/* One sample as it stands in the arrays. */
struct row {
	int64_t t_ns;
	uint64_t bits;
	uint8_t quality;
	double sigma;
	uint32_t source;
};

static void set_row(struct column *c, size_t i, const struct row *r)
{
	c->t_ns[i] = r->t_ns;
	c->bits[i] = r->bits;
	if (c->quality)
		c->quality[i] = r->quality;
	if (c->sigma)
		c->sigma[i] = r->sigma;
	if (c->source)
		c->source[i] = r->source;
}

static struct row get_row(const struct column *c, size_t i)
{
	return (struct row){
		.t_ns = c->t_ns[i],
		.bits = c->bits[i],
		.quality = c->quality ? c->quality[i] : QUALITY_GOOD,
		.sigma = c->sigma ? c->sigma[i] : (double)NAN,
		.source = c->source ? c->source[i] : COLUMN_NONE,
	};
}

/* Move the places i .. n - 1 one up. */
static void make_gap(struct column *c, size_t i)
{
	const size_t n = c->n - i;

	memmove(c->t_ns + i + 1, c->t_ns + i, n * sizeof *c->t_ns);
	memmove(c->bits + i + 1, c->bits + i, n * sizeof *c->bits);
	if (c->quality)
		memmove(c->quality + i + 1, c->quality + i, n * sizeof *c->quality);
	if (c->sigma)
		memmove(c->sigma + i + 1, c->sigma + i, n * sizeof *c->sigma);
	if (c->source)
		memmove(c->source + i + 1, c->source + i, n * sizeof *c->source);
}

static int make_row(struct column *c, const struct sample *s, struct row *ret)
{
	*ret = (struct row){
		.t_ns = s->t_ns, .quality = (uint8_t)s->quality, .sigma = s->sigma, .source = COLUMN_NONE};
	TRY(put_value(c, &s->value, &ret->bits));
	if (s->source)
		TRY(put_source(c, s->source, &ret->source));
	return 0;
}

int column_add(struct column *c, const struct sample *s)
{
	const struct parts parts = {s->quality != QUALITY_GOOD, !isnan(s->sigma), s->source != NULL};
	struct row row;

	assert(c->n == 0 || c->type == s->value.type);
	TRY(column_reserve(c, c->n + 1));
	TRY(use_parts(c, parts));
	TRY(make_row(c, s, &row));
	c->type = s->value.type;

	const size_t i = c->n == 0 || c->t_ns[c->n - 1] < s->t_ns ? c->n : column_find(c, s->t_ns);
	if (i == c->n || c->t_ns[i] != s->t_ns) {
		make_gap(c, i);
		c->n++;
	}
	set_row(c, i, &row);
	return 0;
}

size_t column_find(const struct column *c, int64_t t_ns)
{
	size_t low = 0, high = c->n;

	while (low < high) {
		const size_t middle = low + (high - low) / 2;
		if (c->t_ns[middle] < t_ns)
			low = middle + 1;
		else
			high = middle;
	}
	return low;
}

static struct position position_at(const struct column *c, size_t place)
{
	double p[3];

	memcpy(p, c->more.data + place, sizeof p);
	return (struct position){p[0], p[1], p[2]};
}

struct sample column_get(const struct column *c, size_t i)
{
	const struct row row = get_row(c, i);
	struct value v = value_of_bits(c->type, row.bits);

	if (is_text(c->type))
		v.text = text_at(c, row.bits);
	else if (c->type == VALUE_POSITION)
		v.position = position_at(c, row.bits);
	return (struct sample){
		.t_ns = row.t_ns,
		.value = v,
		.quality = (enum quality)row.quality,
		.sigma = row.sigma,
		.source = row.source == COLUMN_NONE ? NULL : text_at(c, row.source),
	};
}

/* What of from->more goes along with a row; a text that the row behind it shares goes along once. */
struct carried {
	uint64_t value, source;     /* places in from->more, one up; 0: none yet */
	size_t to_value, to_source; /* where they went */
};

static size_t value_bytes(const struct column *c, uint64_t place)
{
	if (is_text(c->type))
		return strlen(text_at(c, place)) + 1;
	return c->type == VALUE_POSITION ? 3 * sizeof(double) : 0;
}

static size_t carried_bytes(const struct column *from, size_t i, size_t end)
{
	size_t bytes = 0;

	for (size_t k = i; k < end; k++) {
		if (k == i || from->bits[k] != from->bits[k - 1])
			bytes += value_bytes(from, from->bits[k]);
		if (from->source && from->source[k] != COLUMN_NONE &&
		    (k == i || from->source[k] != from->source[k - 1]))
			bytes += strlen(text_at(from, from->source[k])) + 1;
	}
	return bytes;
}

/* There is room: see carried_bytes(). */
static size_t carry_bytes(struct column *to, const struct column *from, size_t place, size_t len)
{
	const size_t at = to->more.len;

	buf_put(&to->more, (struct bytes){from->more.data + place, len});
	return at;
}

static struct row carry(struct column *to, const struct column *from, size_t k, struct carried *last)
{
	struct row row = get_row(from, k);

	if (is_text(from->type) || from->type == VALUE_POSITION) {
		if (last->value != row.bits + 1)
			last->to_value = carry_bytes(to, from, row.bits, value_bytes(from, row.bits));
		last->value = row.bits + 1;
		row.bits = last->to_value;
	}
	if (row.source != COLUMN_NONE) {
		if (last->source != (uint64_t)row.source + 1)
			last->to_source =
				carry_bytes(to, from, row.source, strlen(text_at(from, row.source)) + 1);
		last->source = (uint64_t)row.source + 1;
		row.source = (uint32_t)last->to_source;
	}
	return row;
}

static size_t count_same_times(const struct column *a, const struct column *b, size_t i, size_t end)
{
	size_t n = 0;

	for (size_t k = column_find(a, b->t_ns[i]); k < a->n && i < end;) {
		n += a->t_ns[k] == b->t_ns[i];
		const bool up = a->t_ns[k] <= b->t_ns[i];
		i += a->t_ns[k] >= b->t_ns[i];
		k += up;
	}
	return n;
}

static int make_room(struct column *to, const struct column *from, size_t i, size_t end)
{
	const struct parts parts = {from->quality != NULL, from->sigma != NULL, from->source != NULL};
	const size_t bytes = carried_bytes(from, i, end);

	TRY(column_reserve(to, to->n + (end - i)));
	TRY(use_parts(to, parts));
	if (to->more.len + bytes >= COLUMN_NONE || !buf_extend(&to->more, bytes)) {
		to->more.failed = false;
		return bytes > 0 ? FAIL(-ENOMEM) : 0;
	}
	to->more.len -= bytes;
	return 0;
}

static bool is_plain(const struct column *c)
{
	return !is_text(c->type) && c->type != VALUE_POSITION && !c->source;
}

/* Numbers behind all that are there; `to` has the parts that `from` has. */
static void append_plain(struct column *to, const struct column *from, size_t i, size_t n)
{
	memcpy(to->t_ns + to->n, from->t_ns + i, n * sizeof *to->t_ns);
	memcpy(to->bits + to->n, from->bits + i, n * sizeof *to->bits);
	if (from->quality)
		memcpy(to->quality + to->n, from->quality + i, n * sizeof *to->quality);
	else if (to->quality)
		memset(to->quality + to->n, QUALITY_GOOD, n * sizeof *to->quality);
	for (size_t k = 0; to->sigma && k < n; k++)
		to->sigma[to->n + k] = from->sigma ? from->sigma[i + k] : (double)NAN;
	to->n += n;
}

int column_merge(struct column *to, const struct column *from, size_t i, size_t end)
{
	struct carried last = {0};

	assert(i <= end && end <= from->n);
	if (i == end)
		return 0;
	assert(to->n == 0 || to->type == from->type);
	TRY(make_room(to, from, i, end));
	to->type = from->type;
	if (is_plain(to) && (to->n == 0 || to->t_ns[to->n - 1] < from->t_ns[i])) {
		append_plain(to, from, i, end - i);
		return 0;
	}

	/* From the back, so that what is there moves at most once, into places that are free. */
	size_t at = to->n + (end - i) - count_same_times(to, from, i, end);
	size_t old = to->n;
	to->n = at;
	while (end > i) {
		if (old > 0 && to->t_ns[old - 1] > from->t_ns[end - 1]) {
			const struct row row = get_row(to, --old);
			set_row(to, --at, &row);
			continue;
		}
		old -= old > 0 && to->t_ns[old - 1] == from->t_ns[end - 1];
		const struct row row = carry(to, from, --end, &last);
		set_row(to, --at, &row);
	}
	return 0;
}

static bool same_sigma(double a, double b)
{
	return a == b || (isnan(a) && isnan(b));
}

bool sample_equal(const struct sample *a, const struct sample *b)
{
	if (a->t_ns != b->t_ns || a->quality != b->quality || !same_sigma(a->sigma, b->sigma))
		return false;
	if (!a->source != !b->source || (a->source && strcmp(a->source, b->source) != 0))
		return false;
	return value_equal(&a->value, &b->value);
}
