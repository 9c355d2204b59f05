/* SPDX-License-Identifier: Apache-2.0 */
/* Mapping parts - what occurs all over a mapping file: templates, conditions, joins, tables. Private to
 * mapping.c. */
#pragma once

#include "tools/jsonin.h"
#include "tools/mapping.h"

struct map_reader {
	struct arena *arena;
	struct mapping *m;
	const struct mapping_options *opt;
	struct err_note *note;
};

/* The template at a key, its names checked in the scope. Not there: *ret stays NULL, or a failure if
 * required. */
MUST_CHECK int map_template(const struct map_reader *r, const struct spot *up, const char *key, bool required,
			    const struct scope *scope, const struct template **ret);
/* The template that a spot itself is. */
MUST_CHECK int map_template_at(const struct map_reader *r, const struct spot *s, const struct scope *scope,
			       const struct template **ret);
/* The list "where" of an object. */
MUST_CHECK int map_where(const struct map_reader *r, const struct spot *up, const struct scope *scope,
			 struct conditions *ret);
/* The table that an object's "table" names. Not there: NULL, or a failure if required. */
MUST_CHECK int map_table(const struct map_reader *r, const struct spot *up, bool required,
			 const struct csv **ret);
/* The list "joins" of an object; afterwards all of them are in the scope. */
MUST_CHECK int map_joins(const struct map_reader *r, const struct spot *up, struct scope *scope,
			 struct joins *ret);
/* "unit": from it to that of the property. */
MUST_CHECK int map_unit(const struct map_reader *r, const struct spot *up, const struct property_def *def,
			struct conversion *ret);
