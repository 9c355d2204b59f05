/* SPDX-License-Identifier: Apache-2.0 */
/* Mapping - a mapping file of `import csv`, read, checked and bound to its tables: holon-map(5).
 *
 * Owner: mapping_open() makes it; everything in it points into the arena, the tables or the JSON it keeps.
 */
#pragma once

#include <jansson.h>

#include "proto/twin.h"
#include "tools/scope.h"

struct mapped_item { /* a tag or an alias */
	const struct template *value;
	struct conditions where;
};

struct mapped_items {
	struct mapped_item *items;
	size_t n;
};

/* How numbers of a table become numbers of a property. */
struct conversion {
	double scale, offset;
};

struct mapped_property {
	const struct property_def *def;
	const struct template *value;
	struct conversion conversion;
	struct conditions where;
};

struct mapped_relation {
	const char *type;
	const struct template *from, *to;             /* NULL: the twin itself */
	const struct template *valid_from, *valid_to; /* NULL: always */
	struct conditions where;
};

struct mapped_series {
	const struct property_def *def;
	const struct csv *table;
	const struct template *column, *time;
	struct joins joins;
	struct conversion conversion;
	bool optional;
	struct conditions where;
	int64_t *times; /* of each row; TIME_MIN: none. The importer fills it */
};

struct rule {
	const char *name;
	const struct csv *table; /* NULL: makes exactly one twin */
	struct joins joins;
	struct conditions where;
	const struct template *id, *display_name; /* display_name NULL: none */
	const struct type_def *type;              /* NULL: none */
	enum kind kind;
	enum life_cycle life;
	struct mapped_items tags, aliases;
	struct mapped_property *properties;
	size_t n_properties;
	struct mapped_relation *relations;
	size_t n_relations;
	struct mapped_series *series;
	size_t n_series;
};

struct mapping {
	const char *org;
	struct variable *variables;
	size_t n_variables;
	int64_t at_ns;
	struct type_def *types;
	size_t n_types;
	struct rule *rules;
	size_t n_rules;
	struct csv **tables; /* every table that was named, once */
	size_t n_tables;
	json_t *json;
};

/* A type that the mapping does not define. ERR_REFUSED with a note when there is none. */
typedef int find_type_fn(void *ctx, const char *name, struct type_def *ret, struct err_note *note);

struct mapping_options {
	const char *file, *dir;
	const char *const *sets; /* NAME=VALUE */
	size_t n_sets;
	find_type_fn *find_type;
	void *ctx;
};

/* ERR_REFUSED with a note that names file and key. */
MUST_CHECK int mapping_open(struct mapping **ret, struct arena *a, const struct mapping_options *opt,
			    struct err_note *note);
void mapping_close(struct mapping *m); /* NULL is fine */

DEFINE_SCOPED(mapping, mapping_close)
