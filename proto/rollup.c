/* SPDX-License-Identifier: Apache-2.0 */
#include "proto/rollup.h"

#include <stdlib.h>

#include "proto/id.h"
#include "proto/unit.h"
#include "proto/words.h"

static const char *const fn_words[N_ROLLUP_FNS] = {"count",  "sum",      "mean",         "min",    "max",
						   "stddev", "quantile", "worst-health", "latest", "first"};

const char *rollup_fn_text(enum rollup_fn fn)
{
	return word_at(fn_words, N_ROLLUP_FNS, fn);
}

bool rollup_counts_members(const struct rollup_spec *spec)
{
	return spec->property[0] == '\0';
}

bool rollup_spec_is_valid(const struct rollup_spec *spec)
{
	const bool alone = rollup_counts_members(spec);

	if (spec->fn == ROLLUP_WORST_HEALTH)
		return alone;
	return (!alone || spec->fn == ROLLUP_COUNT) && (spec->fn == ROLLUP_QUANTILE || spec->quantile == 0);
}

static int refuse(const char *text, struct err_note *note)
{
	return FAIL_SAY(
		note, ERR_REFUSED,
		"'%.80s' is not a roll-up: write FN:PROPERTY with count, sum, mean, min, max, stddev, "
		"quantile(0.95), latest or first as FN, or count or worst-health alone",
		text);
}

/* `(0.95)` behind the function, where it wants one. */
static bool parse_quantile(const char **text, double *ret)
{
	char *end;

	if (**text != '(')
		return false;
	*ret = strtod(*text + 1, &end);
	if (end == *text + 1 || *end != ')' || !(*ret >= 0 && *ret <= 1))
		return false;
	*text = end + 1;
	return true;
}

int rollup_spec_parse(const char *text, struct rollup_spec *ret, struct err_note *note)
{
	const char *rest = text_or_empty(text);
	struct rollup_spec spec = {.property = ""};
	size_t fn = 0;

	while (fn < N_ROLLUP_FNS && (strncmp(rest, fn_words[fn], strlen(fn_words[fn])) != 0 ||
				     !strchr("(:", rest[strlen(fn_words[fn])])))
		fn++;
	if (fn == N_ROLLUP_FNS)
		return refuse(text_or_empty(text), note);
	spec.fn = (enum rollup_fn)fn;
	rest += strlen(fn_words[fn]);
	if (spec.fn == ROLLUP_QUANTILE && !parse_quantile(&rest, &spec.quantile))
		return refuse(text, note);
	const bool alone = spec.fn == ROLLUP_WORST_HEALTH || (spec.fn == ROLLUP_COUNT && *rest == '\0');
	if (*rest != (alone ? '\0' : ':'))
		return refuse(text, note);
	if (!alone) {
		TRY(id_check_name(rest + 1, "property", note));
		spec.property = rest + 1;
	}
	*ret = spec;
	return 0;
}

const char *rollup_spec_text(struct arena *a, const struct rollup_spec *spec)
{
	const char *fn = rollup_fn_text(spec->fn), *colon = spec->property[0] ? ":" : "";

	if (spec->fn == ROLLUP_QUANTILE)
		return arena_print(a, "%s(%.15g)%s%s", fn, spec->quantile, colon, spec->property);
	return arena_print(a, "%s%s%s", fn, colon, spec->property);
}

/* ---- Adding and merging */

static void add_compensated(struct rollup_state *s, double x)
{
	const double t = s->sum + x;

	/* Beyond the range there is nothing left to compensate. */
	s->carry = !isfinite(t) ? 0 : s->carry + (fabs(s->sum) >= fabs(x) ? s->sum - t + x : x - t + s->sum);
	s->sum = t;
}

static double total(const struct rollup_state *s)
{
	return isfinite(s->sum) ? s->sum + s->carry : s->sum;
}

static int convert(const struct rollup_state *s, const char *unit, const char *twin, double *ret_scale,
		   double *ret_offset, struct err_note *note)
{
	const int r = unit_convert(unit, s->unit, ret_scale, ret_offset, NULL);

	if (r < 0)
		return FAIL_SAY(note, r,
				"'%.80s' is measured in '%.20s' and '%.80s' in '%.20s': they do not add up",
				text_or_empty(s->unit_twin), text_or_empty(s->unit), text_or_empty(twin),
				text_or_empty(unit));
	return 0;
}

static bool is_one_value(const struct rollup_spec *spec)
{
	return spec->fn == ROLLUP_LATEST || spec->fn == ROLLUP_FIRST;
}

/* Of equally late ones the smallest id, so that the order of merging does not show. */
static bool takes_place(const struct rollup_spec *spec, const struct rollup_state *s,
			const struct rollup_state *other)
{
	if (other->t_ns != s->t_ns)
		return (other->t_ns > s->t_ns) == (spec->fn == ROLLUP_LATEST);
	return strcmp(text_or_empty(other->unit_twin), text_or_empty(s->unit_twin)) < 0;
}

static void merge_one_value(const struct rollup_spec *spec, struct rollup_state *s,
			    const struct rollup_state *other)
{
	const uint64_t n = s->n + other->n, n_uncertain = s->n_uncertain;
	const bool takes = takes_place(spec, s, other);

	if (takes)
		*s = *other;
	s->sketch = (struct sketch){0}; /* one value has none; whatever the other one sent is its own */
	s->n = n;
	s->n_uncertain = takes ? other->n_uncertain : n_uncertain;
}

/* Chan's update; before n and sum are those of both. */
static void merge_m2(struct rollup_state *s, const struct rollup_state *other, double scale, double offset)
{
	const double a = (double)s->n, b = (double)other->n;
	const double delta = total(other) * scale / b + offset - total(s) / a;

	s->m2 += other->m2 * scale * scale + delta * delta * (a * b / (a + b));
}

static double scaled(double sigma, double scale)
{
	return sigma < 0 ? sigma : sigma * fabs(scale);
}

static void merge_extremes(struct rollup_state *s, const struct rollup_state *other, double scale,
			   double offset)
{
	const bool turned = scale < 0; /* a conversion may turn the order around */
	const double least = (turned ? other->max : other->min) * scale + offset;
	const double most = (turned ? other->min : other->max) * scale + offset;

	if (least < s->min) {
		s->min = least;
		s->min_sigma = scaled(turned ? other->max_sigma : other->min_sigma, scale);
	}
	if (most > s->max) {
		s->max = most;
		s->max_sigma = scaled(turned ? other->min_sigma : other->max_sigma, scale);
	}
}

int rollup_merge(struct arena *a, const struct rollup_spec *spec, struct rollup_state *s,
		 const struct rollup_state *other, struct err_note *note)
{
	double scale = 1, offset = 0;

	if (other->n == 0)
		return 0;
	if (s->n == 0) {
		*s = *other;
		s->sketch = (struct sketch){0}; /* the other one goes on with its own */
		return sketch_merge(a, &s->sketch, &other->sketch, 1, 0);
	}
	if (is_one_value(spec)) {
		merge_one_value(spec, s, other);
		return 0;
	}
	TRY(convert(s, other->unit, other->unit_twin, &scale, &offset, note));
	TRY(sketch_merge(a, &s->sketch, &other->sketch, scale, offset));
	if (spec->fn == ROLLUP_STDDEV)
		merge_m2(s, other, scale, offset);
	add_compensated(s, other->sum * scale);
	add_compensated(s, other->carry * scale);
	add_compensated(s, offset * (double)other->n);
	merge_extremes(s, other, scale, offset);
	s->variance += other->variance * scale * scale;
	s->n_sigma += other->n_sigma;
	s->n_uncertain += other->n_uncertain;
	s->n += other->n;
	return 0;
}

static struct rollup_state state_of(const struct rollup_spec *spec, const struct rollup_item *item)
{
	const bool stated = isfinite(item->sigma);

	return (struct rollup_state){
		.n = 1,
		.sum = item->number,
		.min = item->number,
		.max = item->number,
		.unit = text_or_empty(item->unit),
		.unit_twin = item->twin,
		.variance = stated ? item->sigma * item->sigma : 0,
		.n_sigma = stated,
		.min_sigma = stated ? item->sigma : -1,
		.max_sigma = stated ? item->sigma : -1,
		.n_uncertain = item->quality == QUALITY_UNCERTAIN,
		.t_ns = is_one_value(spec) ? item->t_ns : 0,
	};
}

/* What merging a state of one value comes to where nothing has to be converted. */
static void add_alike(const struct rollup_spec *spec, struct rollup_state *s, const struct rollup_item *item)
{
	const double x = item->number, sigma = isfinite(item->sigma) ? item->sigma : -1;

	if (spec->fn == ROLLUP_STDDEV)
		merge_m2(s, &(struct rollup_state){.n = 1, .sum = x}, 1, 0);
	add_compensated(s, x);
	if (x < s->min) {
		s->min = x;
		s->min_sigma = sigma;
	}
	if (x > s->max) {
		s->max = x;
		s->max_sigma = sigma;
	}
	if (isfinite(item->sigma)) {
		s->variance += sigma * sigma;
		s->n_sigma++;
	}
	s->n_uncertain += item->quality == QUALITY_UNCERTAIN;
	s->n++;
}

static bool is_alike(const struct rollup_spec *spec, const struct rollup_state *s,
		     const struct rollup_item *item)
{
	return s->n > 0 && spec->fn != ROLLUP_QUANTILE && !is_one_value(spec) &&
	       (item->unit == s->unit || strcmp(text_or_empty(item->unit), text_or_empty(s->unit)) == 0);
}

int rollup_add(struct arena *a, const struct rollup_spec *spec, struct rollup_state *s,
	       const struct rollup_item *item, struct err_note *note)
{
	struct sketch_bucket bucket;

	if (!isfinite(item->number) || item->quality == QUALITY_BAD)
		return 0;
	if (is_alike(spec, s, item)) {
		add_alike(spec, s, item);
		return 0;
	}
	struct rollup_state one = state_of(spec, item);
	if (spec->fn == ROLLUP_QUANTILE) {
		one.sketch = (struct sketch){.buckets = &bucket, .room = 1};
		TRY(sketch_add(a, &one.sketch, item->number, 1));
	}
	return rollup_merge(a, spec, s, &one, note);
}

void rollup_add_member(const struct rollup_spec *spec, struct rollup_state *s, enum health health)
{
	const double number = spec->fn == ROLLUP_WORST_HEALTH ? (double)health : 1;

	s->unit = s->unit_twin = "";
	s->min = s->n == 0 ? number : fmin(s->min, number);
	s->max = s->n == 0 ? number : fmax(s->max, number);
	s->n++;
}

/* ---- The answer */

bool rollup_value(const struct rollup_state *s, const struct rollup_spec *spec, double *ret)
{
	switch (spec->fn) {
	case ROLLUP_COUNT: *ret = (double)s->n; return true;
	case ROLLUP_SUM: *ret = s->n > 0 ? total(s) : 0; return true;
	case ROLLUP_MEAN: *ret = total(s) / (double)s->n; return s->n > 0;
	case ROLLUP_MIN: *ret = s->min; return s->n > 0;
	case ROLLUP_MAX:
	case ROLLUP_WORST_HEALTH:
	case ROLLUP_LATEST:
	case ROLLUP_FIRST: *ret = s->max; return s->n > 0;
	case ROLLUP_STDDEV: *ret = sqrt(s->m2 / (double)s->n); return s->n > 0;
	case ROLLUP_QUANTILE: return sketch_quantile(&s->sketch, spec->quantile, ret);
	case N_ROLLUP_FNS: break;
	}
	return false;
}

bool rollup_sigma(const struct rollup_state *s, const struct rollup_spec *spec, double *ret)
{
	const bool all = s->n > 0 && s->n_sigma == s->n;

	switch (spec->fn) {
	case ROLLUP_SUM: *ret = sqrt(s->variance); return all;
	case ROLLUP_MEAN: *ret = sqrt(s->variance) / (double)s->n; return all;
	case ROLLUP_MIN: *ret = s->min_sigma; return all;
	case ROLLUP_MAX: *ret = s->max_sigma; return all;
	case ROLLUP_LATEST:
	case ROLLUP_FIRST: *ret = s->max_sigma; return s->n > 0 && s->max_sigma >= 0;
	case ROLLUP_COUNT:
	case ROLLUP_STDDEV:
	case ROLLUP_QUANTILE:
	case ROLLUP_WORST_HEALTH:
	case N_ROLLUP_FNS: break;
	}
	return false;
}

enum quality rollup_quality(const struct rollup_state *s)
{
	return s->n_uncertain > 0 ? QUALITY_UNCERTAIN : QUALITY_GOOD;
}
