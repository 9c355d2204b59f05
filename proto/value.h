/* SPDX-License-Identifier: Apache-2.0 */
/* Value - one typed value, and a sample: a value with its time, quality and source. */
#pragma once

#include <math.h>
#include <stdbool.h>
#include <stdint.h>

#include "proto/arena.h"

enum value_type {
	VALUE_NONE, /* no value */
	VALUE_BOOL,
	VALUE_INT64,
	VALUE_DOUBLE,
	VALUE_TEXT,
	VALUE_ENUM, /* a word from the property's list; held as text */
	VALUE_POSITION,
};

/* OPC UA status reduced to its severity. */
enum quality { QUALITY_GOOD, QUALITY_UNCERTAIN, QUALITY_BAD };

struct position {
	double lat_deg, lon_deg; /* WGS 84 */
	double alt_m;            /* NaN: not stated */
};

struct value {
	enum value_type type;
	union {
		bool boolean;
		int64_t integer;
		double real;
		const char *text; /* VALUE_TEXT and VALUE_ENUM; borrowed */
		struct position position;
	};
};

struct sample {
	int64_t t_ns; /* time of measurement */
	struct value value;
	enum quality quality;
	double sigma;       /* standard uncertainty in the property's unit; NaN: not stated */
	const char *source; /* adapter or person; NULL: not stated */
};

const char *value_type_text(enum value_type type);
bool value_type_parse(const char *text, enum value_type *ret);
const char *quality_text(enum quality quality);
bool quality_parse(const char *text, enum quality *ret);

/* True for bool, int64 and double; the number goes to ret. */
bool value_number(const struct value *v, double *ret);

/* Latitude and longitude finite and in range; the altitude finite or NaN. */
bool position_is_valid(const struct position *p);

/* Same type and same content; two NaN are equal. */
bool value_equal(const struct value *a, const struct value *b);

/* Read a value a person or a CSV cell wrote, as the given type (ERR_REFUSED with a note). Text is copied into
 * the arena. A position is `lat,lon` or `lat,lon,alt`. "NaN" and "inf" are numbers here. */
MUST_CHECK int value_parse(struct arena *a, enum value_type type, const char *text, struct value *ret,
			   struct err_note *note);

/* The shortest text that reads back as the same value; numbers as %.17g at most. */
const char *value_text(struct arena *a, const struct value *v);

/* Copy with its text into the arena; -ENOMEM. */
MUST_CHECK int value_copy(struct arena *a, const struct value *v, struct value *ret);

/* Turn a value into one of the type that a property wants, where nothing is lost: 3 for a double, 3.0 for an
 * integer, a text for an enum, "NaN", "Infinity" and "-Infinity" for a double. What does not fit stays. */
void value_fit(struct value *v, enum value_type wanted);
