/* SPDX-License-Identifier: Apache-2.0 */
/* Scope - what the names in a template mean: variables, the columns of a row, and of the rows joined to it.
 */
#pragma once

#include "proto/map.h"
#include "tools/csv.h"
#include "tools/template.h"

struct variable {
	const char *name, *value;
};

struct join {
	const char *as;
	const struct csv *table;
	size_t on; /* column */
	const struct template *equals;
	bool optional;
	struct map rows; /* cell in `on` -> its first row; join_index() fills it */
};

struct joins {
	struct join *items;
	size_t n;
};

struct condition {
	const struct template *value;
	const struct template **options;
	size_t n_options;
	bool negated;
};

struct conditions {
	struct condition *items;
	size_t n;
};

#define NO_ROW SIZE_MAX

struct scope {
	struct arena *arena; /* of what is filled in */
	const struct variable *variables;
	size_t n_variables;
	const struct csv *table; /* NULL: there is no row */
	size_t row;
	const struct joins *joins;
	size_t n_joins;       /* how many of them may be named: a join sees those before it */
	const size_t *joined; /* row of each join, or NO_ROW: its columns are empty */
	const char *id;       /* NULL: {$id} has no meaning here */
};

MUST_CHECK int join_index(struct join *j);

/* Does the name mean something here? ERR_REFUSED with a note that says why not. A template_name_fn. */
int scope_knows(void *scope, const char *name, struct err_note *note);

/* Fill a template whose names are known. NULL without memory. */
const char *scope_fill(const struct scope *s, const struct template *t);

/* All conditions hold: 1, else 0; -ENOMEM. */
MUST_CHECK int scope_holds(const struct scope *s, const struct conditions *c);

/* Find the rows of all joins for the present row. `joined` has room for them. SCOPE_ALONE: a join that is not
 * optional has no row, and the note says which. */
enum { SCOPE_ALONE = 1 };
MUST_CHECK int scope_join(struct scope *s, size_t *joined, struct err_note *note);
