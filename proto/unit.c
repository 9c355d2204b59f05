/* SPDX-License-Identifier: Apache-2.0 */
#include "proto/unit.h"

#include <float.h>
#include <math.h>
#include <stdbool.h>
#include <string.h>
#include <udunits2.h>

#include "proto/limits.h"
#include "proto/scope.h"
#include "proto/words.h"

enum { N_CACHED = 32 };

/* One conversion already worked out; roll-ups ask for the same few again and again. */
struct conversion {
	char from[UNIT_MAX + 1], to[UNIT_MAX + 1];
	double scale, offset;
};

static struct {
	ut_system *system;
	struct conversion conversion[N_CACHED];
	size_t n, next; /* filled; the one to be replaced next */
} base;

static void scope_unit(ut_unit **u)
{
	ut_free(*u);
}

static void scope_converter(cv_converter **c)
{
	cv_free(*c);
}

static int open_base(struct err_note *note)
{
	if (base.system)
		return 0;
	ut_set_error_message_handler(ut_ignore);
	base.system = ut_read_xml(NULL);
	return base.system ? 0
			   : FAIL_SAY(note, ERR_UNIT,
				      "the unit data base of udunits2 cannot be read: install it");
}

static const char *or_one(const char *unit)
{
	return unit && *unit ? unit : "1";
}

/* The library overlooks a parenthesis too many and a line end behind the unit. */
static bool is_tidy(const char *text)
{
	int depth = 0;

	for (; *text && depth >= 0; text++) {
		if ((unsigned char)*text < ' ')
			return false;
		depth += (*text == '(') - (*text == ')');
	}
	return depth == 0;
}

static int parse(const char *text, ut_unit **ret, struct err_note *note)
{
	ut_unit *u = NULL;

	TRY(open_base(note));
	if (strlen(text) <= UNIT_MAX && text_is_clean(bytes_of_text(text)) && is_tidy(text))
		u = ut_parse(base.system, text, UT_UTF8);
	if (!u)
		return FAIL_SAY(note, ERR_UNIT,
				"'%.63s' is not a unit: write it as UDUNITS-2 does, for example "
				"MW, degC or ug/m3",
				text);
	*ret = u;
	return 0;
}

int unit_check(const char *unit, struct err_note *note)
{
	SCOPED(scope_unit) ut_unit *u = NULL;

	TRY(parse(or_one(unit), &u, note));
	return 0;
}

static const struct conversion *cached(const char *from, const char *to)
{
	for (size_t i = 0; i < base.n; i++) {
		const struct conversion *c = &base.conversion[i];
		if (strcmp(c->from, from) == 0 && strcmp(c->to, to) == 0)
			return c;
	}
	return NULL;
}

static const struct conversion *keep(const char *from, const char *to, double scale, double offset)
{
	struct conversion *c = &base.conversion[base.next];

	memcpy(c->from, from, strlen(from) + 1);
	memcpy(c->to, to, strlen(to) + 1);
	c->scale = scale;
	c->offset = offset;
	base.next = (base.next + 1) % N_CACHED;
	if (base.n < N_CACHED)
		base.n++;
	return c;
}

/* The library converts by functions that need not be straight lines (logarithms, reciprocals). A far point
 * gives the slope its last digit, a near one shows whether the line is straight. */
static bool is_straight(const cv_converter *c, double *ret_scale, double *ret_offset)
{
	const double far = 0x1p40, zero = cv_convert_double(c, 0);
	const double scale = (cv_convert_double(c, far) - zero) / far;
	const double at_three = cv_convert_double(c, 3), expected = scale * 3 + zero;

	if (!isfinite(zero) || !isfinite(scale) || scale == 0)
		return false;
	if (!(fabs(at_three - expected) <= 1e-9 * (fabs(at_three) + fabs(zero))))
		return false;
	*ret_scale = fabs(scale - 1) <= 4 * DBL_EPSILON ? 1 : scale;
	*ret_offset = zero;
	return true;
}

static int work_out(const char *from, const char *to, const struct conversion **ret, struct err_note *note)
{
	SCOPED(scope_unit) ut_unit *f = NULL;
	SCOPED(scope_unit) ut_unit *t = NULL;
	SCOPED(scope_converter) cv_converter *c = NULL;
	double scale, offset;

	TRY(parse(from, &f, note));
	TRY(parse(to, &t, note));
	if (ut_are_convertible(f, t))
		c = ut_get_converter(f, t);
	if (!c || !is_straight(c, &scale, &offset))
		return FAIL_SAY(note, ERR_UNIT, "unit '%s' cannot be turned into '%s'", from, to);
	*ret = keep(from, to, scale, offset);
	return 0;
}

int unit_convert(const char *from, const char *to, double *ret_scale, double *ret_offset,
		 struct err_note *note)
{
	const struct conversion *c, one = {.scale = 1};

	from = or_one(from);
	to = or_one(to);
	c = strcmp(from, to) == 0 ? &one : cached(from, to);
	if (!c)
		TRY(work_out(from, to, &c, note));
	*ret_scale = c->scale;
	*ret_offset = c->offset;
	return 0;
}

void unit_fini(void)
{
	ut_free_system(base.system); /* NULL is fine */
	base.system = NULL;
	base.n = base.next = 0;
}
