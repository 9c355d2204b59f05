/* SPDX-License-Identifier: Apache-2.0 */
#include "proto/value.h"

#include <stdio.h>

#include "proto/limits.h"
#include "proto/words.h"

static const char *const type_words[] = {"none", "bool", "int64", "double", "text", "enum", "position"};
static const char *const quality_words[] = {"good", "uncertain", "bad"};

const char *value_type_text(enum value_type type)
{
	return word_at(type_words, N_WORDS(type_words), type);
}

bool value_type_parse(const char *text, enum value_type *ret)
{
	const size_t i = word_find(type_words, N_WORDS(type_words), text);

	if (i == VALUE_NONE || i == N_WORDS(type_words))
		return false;
	*ret = (enum value_type)i;
	return true;
}

const char *quality_text(enum quality quality)
{
	return word_at(quality_words, N_WORDS(quality_words), quality);
}

bool quality_parse(const char *text, enum quality *ret)
{
	const size_t i = word_find(quality_words, N_WORDS(quality_words), text);

	if (i == N_WORDS(quality_words))
		return false;
	*ret = (enum quality)i;
	return true;
}

bool value_number(const struct value *v, double *ret)
{
	if (v->type == VALUE_BOOL)
		*ret = v->boolean;
	else if (v->type == VALUE_INT64)
		*ret = (double)v->integer;
	else if (v->type == VALUE_DOUBLE)
		*ret = v->real;
	else
		return false;
	return true;
}

bool position_is_valid(const struct position *p)
{
	return p->lat_deg >= -90 && p->lat_deg <= 90 && p->lon_deg >= -180 && p->lon_deg <= 180 &&
	       !isinf(p->alt_m);
}

static bool same_number(double a, double b)
{
	return a == b || (isnan(a) && isnan(b));
}

static bool same_position(const struct position *a, const struct position *b)
{
	return same_number(a->lat_deg, b->lat_deg) && same_number(a->lon_deg, b->lon_deg) &&
	       same_number(a->alt_m, b->alt_m);
}

bool value_equal(const struct value *a, const struct value *b)
{
	if (a->type != b->type)
		return false;
	switch (a->type) {
	case VALUE_NONE: return true;
	case VALUE_BOOL: return a->boolean == b->boolean;
	case VALUE_INT64: return a->integer == b->integer;
	case VALUE_DOUBLE: return same_number(a->real, b->real);
	case VALUE_TEXT:
	case VALUE_ENUM: return strcmp(text_or_empty(a->text), text_or_empty(b->text)) == 0;
	case VALUE_POSITION: return same_position(&a->position, &b->position);
	}
	return false;
}

static int parse_bool(const char *text, bool *ret, struct err_note *note)
{
	static const char *const words[] = {"false", "true", "0", "1"};
	const size_t i = word_find(words, N_WORDS(words), text);

	if (i == N_WORDS(words))
		return FAIL_SAY(note, ERR_REFUSED, "'%.60s' is neither true nor false", text);
	*ret = i % 2 == 1;
	return 0;
}

/* strtoll() and strtod() skip blanks and take hexadecimal; what people write here is decimal. */
static bool starts_decimal(const char *text, const char *more)
{
	const char *p = text + (*text == '+' || *text == '-');

	return *p && strchr(more, *p) && !(p[0] == '0' && (p[1] == 'x' || p[1] == 'X'));
}

static int parse_integer(const char *text, int64_t *ret, struct err_note *note)
{
	char *end = NULL;

	errno = 0;
	const long long v = starts_decimal(text, "0123456789") ? strtoll(text, &end, 10) : 0;
	if (!end || *end != '\0' || errno != 0)
		return FAIL_SAY(note, ERR_REFUSED, "'%.60s' is not a whole number of 64 bits", text);
	*ret = v;
	return 0;
}

/* A number that ends at `stop`. */
static bool read_real(const char *text, char stop, double *ret, const char **ret_end)
{
	char *end = NULL;

	errno = 0;
	*ret = starts_decimal(text, "0123456789.nNiI") ? strtod(text, &end) : 0;
	*ret_end = end;
	return end && (*end == stop || *end == '\0') && !(errno == ERANGE && isinf(*ret));
}

static int parse_real(const char *text, double *ret, struct err_note *note)
{
	const char *end;

	if (!read_real(text, '\0', ret, &end))
		return FAIL_SAY(note, ERR_REFUSED, "'%.60s' is not a number", text);
	return 0;
}

static int parse_position(const char *text, struct position *ret, struct err_note *note)
{
	const char *p;

	ret->alt_m = NAN;
	if (!read_real(text, ',', &ret->lat_deg, &p) || *p != ',' ||
	    !read_real(p + 1, ',', &ret->lon_deg, &p) ||
	    (*p == ',' && (!read_real(p + 1, '\0', &ret->alt_m, &p) || !isfinite(ret->alt_m))))
		return FAIL_SAY(note, ERR_REFUSED, "'%.60s' is not a position: write LAT,LON or LAT,LON,ALT",
				text);
	if (!position_is_valid(ret))
		return FAIL_SAY(note, ERR_REFUSED, "position '%.60s' is outside -90..90, -180..180 degrees",
				text);
	return 0;
}

static int parse_text(struct arena *a, const char *text, const char **ret, struct err_note *note)
{
	if (strlen(text) > TEXT_VALUE_MAX)
		return FAIL_SAY(note, ERR_REFUSED, "text '%.40s...' is longer than %d bytes", text,
				TEXT_VALUE_MAX);
	if (!text_is_clean(bytes_of_text(text)))
		return FAIL_SAY(note, ERR_REFUSED, "text is not UTF-8");
	*ret = arena_copy(a, text);
	return *ret ? 0 : FAIL(-ENOMEM);
}

static int parse_as(struct arena *a, const char *text, struct value *v, struct err_note *note)
{
	switch (v->type) {
	case VALUE_NONE:
		return *text ? FAIL_SAY(note, ERR_REFUSED, "'%.60s' is written where no value belongs", text)
			     : 0;
	case VALUE_BOOL: return parse_bool(text, &v->boolean, note);
	case VALUE_INT64: return parse_integer(text, &v->integer, note);
	case VALUE_DOUBLE: return parse_real(text, &v->real, note);
	case VALUE_TEXT:
	case VALUE_ENUM: return parse_text(a, text, &v->text, note);
	case VALUE_POSITION: return parse_position(text, &v->position, note);
	}
	return FAIL_SAY(note, ERR_REFUSED, "there is no value type %d", (int)v->type);
}

int value_parse(struct arena *a, enum value_type type, const char *text, struct value *ret,
		struct err_note *note)
{
	struct value v = {.type = type};

	TRY(parse_as(a, text_or_empty(text), &v, note));
	*ret = v;
	return 0;
}

/* Fifteen digits are enough for what people write, seventeen for every double. */
static const char *real_text(double v, char ret[32])
{
	if (isnan(v))
		return "NaN";
	for (int precision = 15; precision <= 17; precision++) {
		snprintf(ret, 32, "%.*g", precision, v);
		if (strtod(ret, NULL) == v)
			break;
	}
	return ret;
}

static const char *position_text(struct arena *a, const struct position *p)
{
	char lat[32], lon[32], alt[32];

	if (isnan(p->alt_m))
		return arena_print(a, "%s,%s", real_text(p->lat_deg, lat), real_text(p->lon_deg, lon));
	return arena_print(a, "%s,%s,%s", real_text(p->lat_deg, lat), real_text(p->lon_deg, lon),
			   real_text(p->alt_m, alt));
}

const char *value_text(struct arena *a, const struct value *v)
{
	char real[32];

	switch (v->type) {
	case VALUE_NONE: return "";
	case VALUE_BOOL: return v->boolean ? "true" : "false";
	case VALUE_INT64: return arena_print(a, "%lld", (long long)v->integer);
	case VALUE_DOUBLE: return arena_copy(a, real_text(v->real, real));
	case VALUE_TEXT:
	case VALUE_ENUM: return arena_copy(a, text_or_empty(v->text));
	case VALUE_POSITION: return position_text(a, &v->position);
	}
	return "";
}

int value_copy(struct arena *a, const struct value *v, struct value *ret)
{
	struct value copy = *v;

	if (v->type == VALUE_TEXT || v->type == VALUE_ENUM) {
		copy.text = arena_copy(a, text_or_empty(v->text));
		if (!copy.text)
			return FAIL(-ENOMEM);
	}
	*ret = copy;
	return 0;
}

/* What JSON has no number for, as its users write it. */
static bool no_number(const char *text, double *ret)
{
	static const struct {
		const char *text;
		double real;
	} all[] = {{"NaN", NAN}, {"Infinity", INFINITY}, {"-Infinity", -INFINITY}};

	for (size_t i = 0; i < sizeof all / sizeof all[0]; i++)
		if (strcmp(text, all[i].text) == 0) {
			*ret = all[i].real;
			return true;
		}
	return false;
}

void value_fit(struct value *v, enum value_type wanted)
{
	double real;

	if (wanted == VALUE_DOUBLE && v->type == VALUE_INT64)
		*v = (struct value){.type = VALUE_DOUBLE, .real = (double)v->integer};
	else if (wanted == VALUE_INT64 && v->type == VALUE_DOUBLE && trunc(v->real) == v->real &&
		 fabs(v->real) < 0x1p53)
		*v = (struct value){.type = VALUE_INT64, .integer = (int64_t)v->real};
	else if (wanted == VALUE_ENUM && v->type == VALUE_TEXT)
		v->type = VALUE_ENUM;
	else if (wanted == VALUE_DOUBLE && v->type == VALUE_TEXT && no_number(v->text, &real))
		*v = (struct value){.type = VALUE_DOUBLE, .real = real};
}
