/* SPDX-License-Identifier: Apache-2.0 */
/* Shape - what stays of the own twins and the rows of others while only values change.
 *
 * For who goes through many of them in several turns of the loop, or keeps something about each: twins do not
 * move, and what points to twins, relations and types stays good as long as the shape is the same.
 */
#pragma once

#include "storage/store.h"

/* Equal: nothing of its kind has changed since. */
struct store_shape {
	uint64_t twins; /* twins, types, relations, memberships */
	uint64_t rows;  /* of other origins */
};
struct store_shape store_shape(const struct store *s);

/* A twin's number, 1.., is small and another's once the twin was collected. What the twin is (kind, type,
 * name, tags, life-cycle) is the same as long as the form is. */
struct twin_form {
	uint32_t number, form;
};
struct twin_form store_form(const struct twin *t);

/* The text that all relations of a type share: compare pointers. NULL: there is no such relation. Good as
 * long as the shape is the same. */
const char *store_relation_type(const struct store *s, const char *type);

/* ---- What a walk looks at of every twin -------------------------------------------------------------------
 */

/* A present number without its texts. */
struct store_number {
	double number;
	double sigma; /* NaN: not stated */
	int64_t t_ns;
	enum quality quality;
};
/* store_value() of a bool, int64 or double. False: never measured, or it is no number. */
bool store_number(const struct store *s, const struct twin *t, size_t property, struct store_number *ret);

/* The worst quality of the present values of its KPIs; false: none was ever measured. Texts longer than
 * KPI_TEXT_MAX are no values: they are not in the summary. */
bool store_worst_quality(const struct store *s, const struct twin *t, enum quality *ret);

/* An op is about to be applied. */
void shape_count(struct store_shape *shape, enum op_kind kind);
