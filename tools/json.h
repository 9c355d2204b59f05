/* SPDX-License-Identifier: Apache-2.0 */
/* Json - a streaming writer: one document a line, keys in the order in which they are written.
 *
 *     struct json j = {.out = stdout};
 *     json_open(&j, NULL, '{');
 *     json_text(&j, "id", id);
 *     json_open(&j, "tags", '[');
 *     json_text(&j, NULL, tag);
 *     json_close(&j);
 *     json_close(&j);          the outermost one ends the line
 *
 * `key` is NULL inside a list and at the top. Text that is not UTF-8 comes out with U+FFFD in place of what
 * is wrong.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

#include "proto/value.h"

enum { JSON_DEPTH_MAX = 2100, NUMBER_TEXT_SIZE = 32 };

struct json {
	FILE *out;
	unsigned depth;
	char closers[JSON_DEPTH_MAX];
	bool begun[JSON_DEPTH_MAX + 1]; /* something stands at this depth already: a comma is due */
};

void json_open(struct json *j, const char *key, char bracket); /* '{' or '[' */
void json_close(struct json *j);

void json_text(struct json *j, const char *key, const char *text); /* NULL text: null */
void json_number(struct json *j, const char *key,
		 double number); /* shortest text that reads back; null if not finite */
void json_signed(struct json *j, const char *key, int64_t number);
void json_count(struct json *j, const char *key, uint64_t number);
void json_bool(struct json *j, const char *key, bool value);
void json_none(struct json *j, const char *key);

void json_time(struct json *j, const char *key, int64_t ns);    /* ISO 8601; null for always and for ever */
void json_seconds(struct json *j, const char *key, int64_t ns); /* a duration as a number of seconds */
void json_value(struct json *j, const char *key, const struct value *v); /* a position: {lat, lon, alt?} */

/* The shortest decimal text that reads back as the same number, and as a real one: 3 is `3.0`. */
const char *number_text(double number, char ret[NUMBER_TEXT_SIZE]);
