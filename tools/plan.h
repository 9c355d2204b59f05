/* SPDX-License-Identifier: Apache-2.0 */
/* Plan - what files want to be so, as changes: of holon-apply(5). All files of a command are one plan, and
 * what stands in one may lean on what stands in another, at the node, or further below.
 */
#pragma once

#include <jansson.h>

#include "tools/schema.h"
#include "tools/verb.h"

struct plan {
	struct context *ctx;
	struct schema schema;
	struct type_def *types; /* of all files, parents first; their places in the files */
	const char **type_places;
	size_t n_types, n_type_places;
	struct op *ops; /* types first */
	const char **places;
	size_t n_ops, n_places;
	json_t **files; /* whose texts the ops borrow */
	size_t n_files;
	enum status status; /* of a failure that has been said already */
};

/* Read files, and the *.json files of directories in the order of their names ("-": stdin). What fails has
 * been said. Either way plan_fini() ends it. */
enum status plan_files(struct context *ctx, int n, char *const paths[], struct plan *ret);
void plan_fini(struct plan *p);
