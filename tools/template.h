/* SPDX-License-Identifier: Apache-2.0 */
/* Template - text with parts in braces, as mapping files use it: `{$org}/bus-{slug:name}` (holon-map(5)).
 *
 * Parsing splits it once; filling asks the caller for each name. Memory: an arena's.
 */
#pragma once

#include "proto/arena.h"

struct template;

enum { TEMPLATE_FILTERS_MAX = 4, TEMPLATE_TEXT_MAX = 64 * 1024 };

/* ERR_REFUSED with a note: a brace without partner, an empty name, an unknown filter. */
MUST_CHECK int template_parse(struct arena *a, const char *text, const struct template **ret,
			      struct err_note *note);

/* Call `each` for every name in braces, without its filters; stops at the first result other than 0 and
 * returns it. */
typedef int template_name_fn(void *ctx, const char *name, struct err_note *note);
MUST_CHECK int template_names(const struct template *t, template_name_fn *each, void *ctx,
			      struct err_note *note);

/* The text behind a name; NULL when there is none (a caller that checked all names before never needs that).
 */
typedef const char *template_value_fn(void *ctx, const char *name);
/* Filled, in the arena. NULL without memory. */
const char *template_fill(struct arena *a, const struct template *t, template_value_fn *value, void *ctx);

/* The text it was parsed from. */
const char *template_source(const struct template *t);
