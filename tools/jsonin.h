/* SPDX-License-Identifier: Apache-2.0 */
/* Jsonin - strict reading of JSON files that people write: every failure names file and key.
 *
 * A `struct spot` is a place in the document; it knows the way to it (`map.json: twins[2].id`). Spots live on
 * the stack, an inner one points to the one around it. Text is borrowed from the document.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include <jansson.h>

#include "proto/err.h"

struct spot {
	const char *file;
	const struct spot *up; /* NULL: the document itself */
	const char *key;       /* NULL: an item of a list */
	size_t index;
	json_t *json; /* NULL: not there */
};

/* Parse a file ("-": stdin); duplicate keys are refused. ERR_REFUSED with `file:line: what`. */
MUST_CHECK int json_load_document(const char *path, json_t **ret, struct err_note *note);
/* What a file is called in messages: "-" is stdin. */
const char *document_name(const char *path);
static inline void scope_json(json_t **j)
{
	json_decref(*j);
}

struct spot spot_key(const struct spot *up, const char *key);
struct spot spot_item(const struct spot *list, size_t index);

/* Fail at a spot: ERR_REFUSED, `file: way: what`. */
int spot_fail(const struct spot *s, struct err_note *note, const char *format, ...)
	__attribute__((format(printf, 3, 4)));
/* Put the way to a spot before what an inner check said. */
int spot_blame(const struct spot *s, int code, const struct err_note *why, struct err_note *note);

/* It is an object and has no keys but these (NULL-ended) and "note". */
MUST_CHECK int in_object(const struct spot *s, const char *const keys[], struct err_note *note);
/* It is a list, or not there (then *ret_n is 0). */
MUST_CHECK int in_list(const struct spot *s, size_t *ret_n, struct err_note *note);
/* Values of an object's keys; the fallback if the key is not there. A NULL text as fallback: the key is
 * required. */
MUST_CHECK int in_text(const struct spot *up, const char *key, const char *fallback, const char **ret,
		       struct err_note *note);
MUST_CHECK int in_number(const struct spot *up, const char *key, double fallback, double *ret,
			 struct err_note *note);
MUST_CHECK int in_count(const struct spot *up, const char *key, uint32_t fallback, uint32_t *ret,
			struct err_note *note);
MUST_CHECK int in_bool(const struct spot *up, const char *key, bool fallback, bool *ret,
		       struct err_note *note);
MUST_CHECK int in_time(const struct spot *up, const char *key, int64_t fallback_ns, int64_t *ret_ns,
		       struct err_note *note);
