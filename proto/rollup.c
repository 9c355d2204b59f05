/* SPDX-License-Identifier: Apache-2.0 */
#include "proto/rollup.h"

#include "proto/id.h"
#include "proto/unit.h"
#include "proto/words.h"

static const char *const fn_words[N_ROLLUP_FNS] = {"count", "sum", "mean", "min", "max"};

const char *rollup_fn_text(enum rollup_fn fn)
{
	return word_at(fn_words, N_ROLLUP_FNS, fn);
}

int rollup_spec_parse(const char *text, struct rollup_spec *ret, struct err_note *note)
{
	text = text_or_empty(text);
	for (size_t i = 0; i < N_ROLLUP_FNS; i++) {
		const size_t n = strlen(fn_words[i]);
		if (strncmp(text, fn_words[i], n) != 0 || text[n] != ':')
			continue;
		TRY(id_check_name(text + n + 1, "property", note));
		*ret = (struct rollup_spec){(enum rollup_fn)i, text + n + 1};
		return 0;
	}
	return FAIL_SAY(note, ERR_REFUSED,
			"'%.80s' is not a roll-up: write FN:PROPERTY with count, sum, mean, min "
			"or max as FN",
			text);
}

static void add_compensated(struct rollup_state *s, double x)
{
	const double t = s->sum + x;

	/* Beyond the range there is nothing left to compensate. */
	s->carry = !isfinite(t) ? 0 : s->carry + (fabs(s->sum) >= fabs(x) ? s->sum - t + x : x - t + s->sum);
	s->sum = t;
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

int rollup_add(struct rollup_state *s, double number, const char *unit, const char *twin,
	       struct err_note *note)
{
	double scale = 1, offset = 0;

	if (!isfinite(number))
		return 0;
	if (s->n > 0)
		TRY(convert(s, unit, twin, &scale, &offset, note));
	else
		*s = (struct rollup_state){
			.min = number, .max = number, .unit = text_or_empty(unit), .unit_twin = twin};
	number = number * scale + offset;
	add_compensated(s, number);
	s->min = fmin(s->min, number);
	s->max = fmax(s->max, number);
	s->n++;
	return 0;
}

int rollup_merge(struct rollup_state *s, const struct rollup_state *other, struct err_note *note)
{
	double scale = 1, offset = 0;

	if (other->n == 0)
		return 0;
	if (s->n == 0) {
		*s = *other;
		return 0;
	}
	TRY(convert(s, other->unit, other->unit_twin, &scale, &offset, note));
	add_compensated(s, other->sum * scale);
	add_compensated(s, other->carry * scale);
	add_compensated(s, offset * (double)other->n);
	const double a = other->min * scale + offset, b = other->max * scale + offset;
	s->min = fmin(s->min, fmin(a, b)); /* a conversion may turn the order around */
	s->max = fmax(s->max, fmax(a, b));
	s->n += other->n;
	return 0;
}

bool rollup_value(const struct rollup_state *s, enum rollup_fn fn, double *ret)
{
	const double sum = isfinite(s->sum) ? s->sum + s->carry : s->sum;

	switch (fn) {
	case ROLLUP_COUNT: *ret = (double)s->n; return true;
	case ROLLUP_SUM: *ret = s->n > 0 ? sum : 0; return true;
	case ROLLUP_MEAN: *ret = sum / (double)s->n; return s->n > 0;
	case ROLLUP_MIN: *ret = s->min; return s->n > 0;
	case ROLLUP_MAX: *ret = s->max; return s->n > 0;
	case N_ROLLUP_FNS: break;
	}
	return false;
}
