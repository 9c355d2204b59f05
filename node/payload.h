/* SPDX-License-Identifier: Apache-2.0 */
/* Payload - how the bytes that came in under one topic become samples: a mapping of a configuration, and what
 * it makes of one payload.
 *
 *     json   {"t": ..., "p": {"kw": 12}}: values by path (`p.kw`, `list[2].x`, `.` is the whole); with
 * `items` a list of records, a sample of each value from each value  the payload is one number, word, truth
 * or text csv    a line is a record; values by the names given in `columns`
 *     sparkplug  metrics by name; what they are is known to node/sparkplug.h, not here: payload_take_word()
 *
 * Knows neither brokers nor the store: it asks a sink what is wanted, and gives it what it found.
 *
 * Owner: payload_map lives in the arena and JSON that it was read from. Threads: one at a time.
 */
#pragma once

#include "node/setting.h"
#include "node/topic.h"
#include "proto/twin.h"

enum payload_format { PAYLOAD_JSON, PAYLOAD_VALUE, PAYLOAD_CSV, PAYLOAD_SPARKPLUG, N_PAYLOAD_FORMATS };
enum payload_time { TIME_ISO, TIME_S, TIME_MILLI, TIME_MICRO, TIME_NANO };
enum { PAYLOAD_VALUES_MAX = 256, PAYLOAD_RECORDS_MAX = 10000 };

/* How numbers of the payload become numbers of the property. */
struct payload_scale {
	double scale, offset;  /* first */
	const char *unit;      /* then from this unit into the property's; "": it is in that */
	char to[UNIT_MAX + 1]; /* `unit` is converted to this one by ... */
	double unit_scale, unit_offset;
	bool is_known;
};

struct payload_value {
	const char *property; /* a pattern */
	const char *from;     /* path, or name of a column */
	const char *sigma;    /* path or column of the uncertainty; NULL: none is said */
	bool optional;
	const json_t *words; /* text of the value -> what stands for it; NULL: none */
	struct payload_scale scale;
	size_t column, sigma_column; /* places in a line */
};

struct payload_map {
	const char *topic, *twin; /* patterns */
	int format;               /* enum payload_format */
	const char *items;        /* path of the list of records; NULL: the payload is one */
	const char *time;         /* path or column; NULL: the time of arrival */
	int time_unit;            /* enum payload_time */
	int64_t offset_max_ns;    /* how far it may be from the node's clock; 0: anything */
	const char *quality;      /* path or column; NULL: all are good */
	const json_t *qualities;  /* its text -> good, uncertain, bad; NULL: it says so itself */
	const char *separator;
	const char **columns;
	size_t n_columns, time_column, quality_column;
	struct payload_value *values;
	size_t n_values; /* 0: members of the payload that are properties of the twin */
};

/* Reads `topic`, `twin` and what follows of one mapping. ERR_REFUSED with a note. */
MUST_CHECK int payload_map_read(const struct setting_at *at, struct arena *a, struct payload_map *ret,
				struct err_note *note);

struct payload_sink {
	/* What the property wants; NULL: there is none. */
	const struct property_def *(*wants)(void *ctx, const char *property);
	void (*put)(void *ctx, const char *property, const struct sample *s);
	void (*fault)(void *ctx, const char *reason); /* something could not be mapped */
	void (*wrong_clock)(void *ctx); /* a time was too far off: arrival and `uncertain` took its place */
	void *ctx;
	int64_t now_ns;
};
/* Texts of samples are good until put() returns. The arena is for what lives shorter. */
void payload_take(struct payload_map *m, const struct topic_variables *v, struct bytes payload,
		  struct arena *a, const struct payload_sink *sink);

/* The same of what a host of Sparkplug B made out; `m` is of PAYLOAD_SPARKPLUG. */
struct spark_word;
void payload_take_word(struct payload_map *m, const struct topic_variables *v, const struct spark_word *w,
		       struct arena *a, const struct payload_sink *sink);

/* ---- Between payload*.c ----------------------------------------------------------------------------------
 */

/* One payload being taken. */
struct taking {
	struct payload_map *map;
	const struct topic_variables *variables;
	struct arena *arena;
	const struct payload_sink *sink;
	size_t n_records;
};
/* What one record says besides its values. */
struct record_time {
	int64_t t_ns;
	enum quality quality;
};

void payload_take_json(struct taking *k, struct bytes payload);
void payload_take_text(struct taking *k, struct bytes payload); /* value, csv */
void payload_fault(const struct taking *k, const char *format, ...) __attribute__((format(printf, 2, 3)));
/* A time that is far off is not believed. */
void payload_judge_clock(const struct taking *k, struct record_time *at);
/* JSON NULL stands for: it is not there. False: it is no time, which has been told. */
bool payload_time_of(const struct taking *k, const json_t *j, struct record_time *ret);
void payload_quality_of(const struct taking *k, const json_t *j, struct record_time *ret);
/* `j` (of JSON), or `text` (of a line) as a sample of this value. */
void payload_put(const struct taking *k, struct payload_value *v, const json_t *j, const char *text,
		 double sigma, const struct record_time *at);
