/* SPDX-License-Identifier: Apache-2.0 */
/* Setting - strict reading of an adapter's configuration: an object is a table of its keys, and every failure
 * names the way to the key and what is allowed there (`press-line.json: maps[2].scale: ...`).
 *
 *     static const struct setting keys[] = {
 *             {.name = "host", .type = SETTING_TEXT, SETTING_IN(struct mine, host), .required = true},
 *             {.name = "port", .type = SETTING_INT, SETTING_IN(struct mine, port), .min = 1, .max = 65535},
 *             {0}};
 *     struct mine m = {.port = 502};
 *     TRY(setting_read(&at, keys, &m, note));
 *
 * What is not given stays as it was. The key `note` is a remark to people and allowed in every object.
 *
 * Views: texts and JSON values are the document's.
 */
#pragma once

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "proto/err.h"

enum setting_type {
	SETTING_TEXT,     /* const char *, min to max bytes (max 0: 4096) */
	SETTING_INT,      /* int64_t, min to max */
	SETTING_NUMBER,   /* double, finite, min to max unless both are 0 */
	SETTING_BOOL,     /* bool */
	SETTING_WORD,     /* int: place in `words` */
	SETTING_DURATION, /* int64_t, ns, of a text such as `500ms`; min to max */
	SETTING_LIST,     /* const json_t *: of min to max items (max 0: 10,000) */
	SETTING_OBJECT,   /* const json_t * */
	SETTING_ANY,      /* const json_t * */
};

struct setting {
	const char *name; /* NULL ends the table */
	enum setting_type type;
	size_t offset; /* in what is read into: SETTING_IN() */
	bool required;
	double min, max;
	const char *const *words; /* NULL-ended */
};

#define SETTING_IN(type, field) .offset = offsetof(type, field)

/* A place in the document: they live on the stack, an inner one points to the one around it. */
struct setting_at {
	const struct setting_at *up; /* NULL: the document itself */
	const char *key;             /* of the document: its name; NULL: an item of a list */
	size_t index;
	const json_t *json;
};

/* ERR_REFUSED with a note. */
MUST_CHECK int setting_read(const struct setting_at *at, const struct setting *table, void *into,
			    struct err_note *note);
struct setting_at setting_key(const struct setting_at *up, const char *key);
struct setting_at setting_item(const struct setting_at *list, size_t index);
/* Fail there: ERR_REFUSED, with the way before the sentence. */
int setting_fail(const struct setting_at *at, struct err_note *note, const char *format, ...)
	__attribute__((format(printf, 3, 4)));
/* Put the way before what an inner check said. */
int setting_blame(const struct setting_at *at, int code, const struct err_note *why, struct err_note *note);
/* Parse a whole text: one object, no key twice. `name` is what it is called; ERR_REFUSED with a note that
 * names the line. */
MUST_CHECK int setting_parse(const char *name, const char *text, size_t len, json_t **ret,
			     struct err_note *note);

static inline void scope_json_ref(json_t **j)
{
	json_decref(*j);
}
