/* SPDX-License-Identifier: Apache-2.0 */
/* Roll-up - an aggregate over the members of a view: its mergeable partial state (DESIGN 8).
 *
 * Only states travel; where the twins are, samples are added; the asker merges. Sums are compensated
 * (Neumaier, 1974), so the order of merging does not show.
 */
#pragma once

#include "proto/value.h"

enum rollup_fn { ROLLUP_COUNT, ROLLUP_SUM, ROLLUP_MEAN, ROLLUP_MIN, ROLLUP_MAX, N_ROLLUP_FNS };

struct rollup_spec {
	enum rollup_fn fn;
	const char *property;
};

/* Zeroed is empty. Everything is in `unit`, that of the first value added. */
struct rollup_state {
	uint64_t n; /* values added: numbers of quality good or uncertain */
	double sum, carry;
	double min, max;
	const char *unit;      /* borrowed; NULL while empty */
	const char *unit_twin; /* who brought the unit: named when another does not agree */
};

const char *rollup_fn_text(enum rollup_fn fn);

/* `sum:load/power`; ERR_REFUSED with a note that lists the functions. The property points into `text`. */
MUST_CHECK int rollup_spec_parse(const char *text, struct rollup_spec *ret, struct err_note *note);

/* Add one number measured in `unit` at `twin` (both must outlive the state). Non-finite numbers are left out.
 * ERR_UNIT with a note naming both twins. */
MUST_CHECK int rollup_add(struct rollup_state *s, double number, const char *unit, const char *twin,
			  struct err_note *note);

/* s += other, converted to the unit of s. ERR_UNIT with a note naming both twins. */
MUST_CHECK int rollup_merge(struct rollup_state *s, const struct rollup_state *other, struct err_note *note);

/* The answer of one function. False: no value (nothing added; a count and a sum of nothing are 0). */
bool rollup_value(const struct rollup_state *s, enum rollup_fn fn, double *ret);
