/* SPDX-License-Identifier: Apache-2.0 */
/* Roll-up - an aggregate over the members of a view: its mergeable partial state (DESIGN 8).
 *
 * Only states travel; where the twins are, values are added; the asker merges. Sums are compensated
 * (Neumaier, 1974), variances merged by Chan's update (Chan, Golub, LeVeque, 1983), quantiles sketched
 * (sketch.h), so the order of merging does not show. Standard uncertainties are propagated as of independent
 * inputs (JCGM 100:2008, 5.1.2).
 */
#pragma once

#include "proto/arena.h"
#include "proto/sketch.h"
#include "proto/twin.h"

enum rollup_fn {
	ROLLUP_COUNT, /* of values; without a property: of members */
	ROLLUP_SUM,
	ROLLUP_MEAN,
	ROLLUP_MIN,
	ROLLUP_MAX,
	ROLLUP_STDDEV,       /* of the population */
	ROLLUP_QUANTILE,     /* relative error SKETCH_ERROR */
	ROLLUP_WORST_HEALTH, /* of members; its number is an enum health */
	ROLLUP_LATEST,       /* the value measured last, of equally late ones that of the smallest twin id */
	ROLLUP_FIRST,
	N_ROLLUP_FNS
};

struct rollup_spec {
	enum rollup_fn fn;
	const char *property; /* "" where members are counted */
	double quantile;      /* 0..1 */
};

/* A value on its way in; texts must outlive the state. */
struct rollup_item {
	double number;
	double sigma; /* standard uncertainty in the same unit; NaN: not stated */
	enum quality quality;
	int64_t t_ns;
	const char *unit, *twin;
};

/* Zeroed is empty. Everything is in `unit`, that of the first value added; latest and first have that of
 * theirs. */
struct rollup_state {
	uint64_t n; /* values added: numbers of quality good or uncertain */
	double sum, carry;
	double min, max;
	const char *unit;            /* borrowed; NULL while empty */
	const char *unit_twin;       /* who brought the unit: named when another does not agree */
	double m2;                   /* sum of squared differences from the mean */
	double variance;             /* sum of the squared uncertainties that were stated, */
	uint64_t n_sigma;            /* and how many were */
	double min_sigma, max_sigma; /* -1: not stated */
	uint64_t n_uncertain;        /* of n, those of quality uncertain */
	int64_t t_ns;                /* of the latest or first value; min and max are that value */
	struct sketch sketch;
};

const char *rollup_fn_text(enum rollup_fn fn);

/* `sum:load/power`, `quantile(0.95):load/power`, `worst-health`, `count`; ERR_REFUSED with a note that lists
 * the functions. The property points into `text`. */
MUST_CHECK int rollup_spec_parse(const char *text, struct rollup_spec *ret, struct err_note *note);
/* The same as a text, which reads back. NULL without memory. */
const char *rollup_spec_text(struct arena *a, const struct rollup_spec *spec);
/* Function, property and quantile go together. */
bool rollup_spec_is_valid(const struct rollup_spec *spec);
bool rollup_counts_members(const struct rollup_spec *spec);

/* Add one value. Numbers that are not finite, and those of bad quality, are left out. ERR_UNIT with a note
 * naming both twins; -ENOMEM. */
MUST_CHECK int rollup_add(struct arena *a, const struct rollup_spec *spec, struct rollup_state *s,
			  const struct rollup_item *item, struct err_note *note);
/* Add a member, where members are counted. */
void rollup_add_member(const struct rollup_spec *spec, struct rollup_state *s, enum health health);

/* s += other, converted to the unit of s. ERR_UNIT with a note naming both twins; -ENOMEM. */
MUST_CHECK int rollup_merge(struct arena *a, const struct rollup_spec *spec, struct rollup_state *s,
			    const struct rollup_state *other, struct err_note *note);

/* The answer of one function. False: no value (nothing added; a count and a sum of nothing are 0). */
bool rollup_value(const struct rollup_state *s, const struct rollup_spec *spec, double *ret);
/* Its standard uncertainty. False: not every value that went in stated one, or the function has none. */
bool rollup_sigma(const struct rollup_state *s, const struct rollup_spec *spec, double *ret);
/* Good unless an uncertain value went in. */
enum quality rollup_quality(const struct rollup_state *s);
