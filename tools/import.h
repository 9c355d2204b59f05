/* SPDX-License-Identifier: Apache-2.0 */
/* Import - what a mapping makes of its tables: a plan of changes, and the list of what had to be skipped.
 *
 * The plan is made as a whole before anything is sent; only the samples of series are read again when they go
 * out. Everything lives in the arena.
 */
#pragma once

#include "proto/op.h"
#include "tools/bulk.h"
#include "tools/mapping.h"

struct skip {
	const char *file;
	unsigned line; /* 0: the file as a whole */
	const char *reason;
};

struct planned {
	struct op op;
	struct mark mark;
	size_t rule;
};

struct planned_list {
	struct planned *items;
	size_t n;
};

struct planned_series {
	const char *twin;
	const struct mapped_series *series;
	size_t column, rule;
	size_t n_samples;
};

struct tally {
	uint64_t changed, unchanged;
};

/* What became of one rule. */
struct rule_report {
	size_t rows, chosen, skipped;
	struct tally twins, relations, values, samples; /* values: of properties, samples: of series */
};

struct import {
	struct arena *arena;
	struct mapping *mapping;
	struct planned_list twins, values, relations;
	struct planned_series *series;
	size_t n_series;
	struct skip *skips;
	size_t n_skips;
	struct rule_report *rules;
	struct tally types;
	struct map ids; /* of the twins planned so far */
};

/* Make the plan. -ENOMEM is the only failure: what is wrong with the data becomes a skip. */
MUST_CHECK int import_plan(struct import *im);
void import_fini(struct import *im);

/* Samples of a series from row *at on, at most `max`; *at moves behind them. With `report`, what cannot be
 * read becomes a skip. */
MUST_CHECK int import_samples(struct import *im, const struct planned_series *s, struct arena *a, size_t *at,
			      size_t max, bool report, struct op_samples *ret);

MUST_CHECK int import_skip(struct import *im, const char *file, unsigned line, const char *format, ...)
	__attribute__((format(printf, 4, 5)));

/* Send the plan. Refusals become skips. */
struct progress;
MUST_CHECK int import_send(struct import *im, struct client *client, struct progress *progress,
			   struct err_note *note);
