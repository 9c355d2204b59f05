/* SPDX-License-Identifier: Apache-2.0 */
/* Sparkplug - the payload of Sparkplug B (Eclipse Sparkplug specification 3.0, section 6.4), as far as Holon
 * reads it: metrics of one value. What has none here (data sets, templates, arrays, bytes) is SPARKPLUG_NONE.
 *
 * Views: a decoded payload borrows from its arena and from nothing else.
 */
#pragma once

#include "proto/buf.h"
#include "proto/value.h"

enum { SPARKPLUG_METRICS_MAX = 10000, SPARKPLUG_NAME_MAX = 1024, SPARKPLUG_SEQ_END = 256 };

/* Numbers of the specification, 6.4.16. */
enum sparkplug_type {
	SPARKPLUG_UNKNOWN, /* it does not say: what the birth said */
	SPARKPLUG_INT8,
	SPARKPLUG_INT16,
	SPARKPLUG_INT32,
	SPARKPLUG_INT64,
	SPARKPLUG_UINT8,
	SPARKPLUG_UINT16,
	SPARKPLUG_UINT32,
	SPARKPLUG_UINT64,
	SPARKPLUG_FLOAT,
	SPARKPLUG_DOUBLE,
	SPARKPLUG_BOOLEAN,
	SPARKPLUG_STRING,
	SPARKPLUG_DATE_TIME, /* ms */
	SPARKPLUG_TEXT,
	SPARKPLUG_UUID,
};

/* In which field the value stands. */
enum sparkplug_field {
	SPARKPLUG_NONE,
	SPARKPLUG_BITS, /* int_value, long_value */
	SPARKPLUG_REAL,
	SPARKPLUG_TRUTH,
	SPARKPLUG_WORDS,
};

struct sparkplug_metric {
	const char *name; /* "": known by its alias alone */
	bool has_alias, has_time, is_historical, is_null;
	uint64_t alias;
	int64_t t_ns;
	uint32_t datatype;    /* enum sparkplug_type, or one that has none here */
	enum quality quality; /* of its property `Quality`: 192 good, 0 bad, others uncertain; none: good */
	enum sparkplug_field field;
	union {
		uint64_t bits;
		double real;
		bool truth;
		const char *words;
	};
};

struct sparkplug_payload {
	bool has_time, has_seq;
	int64_t t_ns;
	uint64_t seq; /* below SPARKPLUG_SEQ_END */
	struct sparkplug_metric *metrics;
	size_t n_metrics;
};

/* out->failed without memory. The quality is not written. */
void sparkplug_encode(const struct sparkplug_payload *p, struct buf *out);
/* ERR_MALFORMED: no such payload; more metrics or longer names than above, a text that is not UTF-8, a time
 * past what 64 bits of nanoseconds hold. -ENOMEM: also when the arena's budget is used up. */
MUST_CHECK int sparkplug_decode(struct arena *a, struct bytes in, struct sparkplug_payload *ret);

/* The value of a metric by the type it was born with: signed integers out of the low bits of unsigned fields,
 * an unsigned one above 2^63-1 as a double. The text is the metric's. False: null, or nothing that is one
 * value. */
bool sparkplug_value(const struct sparkplug_metric *m, uint32_t datatype, struct value *ret);
