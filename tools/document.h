/* SPDX-License-Identifier: Apache-2.0 */
/* Document - types, twins, relations, memberships and samples as people write them in JSON: holon-apply(5).
 *
 * Text is borrowed from the JSON document, lists come from the arena. Failures name file and key.
 */
#pragma once

#include "proto/op.h"
#include "tools/jsonin.h"

/* A list of texts; not there: none. */
MUST_CHECK int in_words(struct arena *a, const struct spot *up, const char *key, const char ***ret,
			size_t *ret_n, struct err_note *note);
/* The key `kind`. */
MUST_CHECK int in_kind(const struct spot *up, enum kind *ret, struct err_note *note);

/* `kind_of_type` (may be NULL) tells the kind of a type, so that a document need not: twins are of their
 * type's kind, types of that of the one they extend. */
typedef bool kind_of_type_fn(void *ctx, const char *type, enum kind *ret);
MUST_CHECK int document_type(struct arena *a, const struct spot *s, kind_of_type_fn *kind_of_type, void *ctx,
			     struct type_def *ret, struct err_note *note);
/* `elsewhere` (may be NULL): the kind of a type that is not in the list. */
MUST_CHECK int document_types(struct arena *a, const struct spot *list, kind_of_type_fn *elsewhere, void *ctx,
			      struct type_def **ret, size_t *ret_n, struct err_note *note);
MUST_CHECK int document_twin(struct arena *a, const struct spot *s, kind_of_type_fn *kind_of_type, void *ctx,
			     struct twin_def *ret, struct err_note *note);
MUST_CHECK int document_relation(const struct spot *s, struct relation *ret, struct err_note *note);
MUST_CHECK int document_membership(const struct spot *s, int64_t now_ns, struct membership *ret,
				   struct err_note *note);

/* `{"twin", "property", "t"?, "value", "quality"?, "sigma"?, "source"?}`; without t it is `now_ns`. */
struct reading {
	const char *twin, *property;
	struct sample sample;
};
MUST_CHECK int document_reading(const struct spot *s, int64_t now_ns, struct reading *ret,
				struct err_note *note);

/* Twins begin in `operating`, since ever. */
MUST_CHECK int life_begin(struct arena *a, enum life_cycle state, struct twin_def *twin);
