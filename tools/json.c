/* SPDX-License-Identifier: Apache-2.0 */
#include "tools/json.h"

#include <assert.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "proto/clock.h"

/* Length of the UTF-8 sequence at s, 0 if there is none (RFC 3629: shortest form, no surrogates). */
static size_t utf8_length(const unsigned char *s)
{
	const unsigned char c = s[0];
	size_t n = c < 0x80                ? 1
		   : c >= 0xc2 && c < 0xe0 ? 2
		   : c >= 0xe0 && c < 0xf0 ? 3
		   : c >= 0xf0 && c < 0xf5 ? 4
					   : 0;

	for (size_t i = 1; i < n; i++)
		if ((s[i] & 0xc0) != 0x80)
			return 0;
	if ((c == 0xe0 && s[1] < 0xa0) || (c == 0xed && s[1] >= 0xa0) || (c == 0xf0 && s[1] < 0x90) ||
	    (c == 0xf4 && s[1] >= 0x90))
		return 0;
	return n;
}

static void write_escaped(FILE *out, unsigned char c)
{
	switch (c) {
	case '"': fputs("\\\"", out); break;
	case '\\': fputs("\\\\", out); break;
	case '\n': fputs("\\n", out); break;
	case '\r': fputs("\\r", out); break;
	case '\t': fputs("\\t", out); break;
	default: fprintf(out, "\\u%04x", c); break;
	}
}

static void write_text(FILE *out, const char *text)
{
	const unsigned char *s = (const unsigned char *)text;

	fputc('"', out);
	while (*s) {
		const size_t n = utf8_length(s);
		if (n == 1 && (*s < 0x20 || *s == '"' || *s == '\\' || *s == 0x7f))
			write_escaped(out, *s);
		else if (n > 0)
			fwrite(s, 1, n, out);
		else
			fputs("\\ufffd", out);
		s += n > 0 ? n : 1;
	}
	fputc('"', out);
}

/* Whatever stands before a value: comma and key. */
static void lead(struct json *j, const char *key)
{
	if (j->begun[j->depth] && j->depth > 0)
		fputs(", ", j->out);
	j->begun[j->depth] = true;
	if (key) {
		write_text(j->out, key);
		fputs(": ", j->out);
	}
}

void json_open(struct json *j, const char *key, char bracket)
{
	assert(j->depth < JSON_DEPTH_MAX);
	lead(j, key);
	fputc(bracket, j->out);
	j->closers[j->depth++] = bracket == '{' ? '}' : ']';
	j->begun[j->depth] = false;
}

void json_close(struct json *j)
{
	assert(j->depth > 0);
	fputc(j->closers[--j->depth], j->out);
	if (j->depth == 0)
		fputc('\n', j->out);
}

void json_text(struct json *j, const char *key, const char *text)
{
	lead(j, key);
	if (text)
		write_text(j->out, text);
	else
		fputs("null", j->out);
}

const char *number_text(double number, char ret[NUMBER_TEXT_SIZE])
{
	for (int digits = 15; digits <= 17; digits++) {
		snprintf(ret, NUMBER_TEXT_SIZE, "%.*g", digits, number);
		if (strtod(ret, NULL) == number)
			break;
	}
	if (!ret[strcspn(ret, ".enai")]) /* whole, and neither nan nor inf */
		snprintf(ret + strlen(ret), NUMBER_TEXT_SIZE - strlen(ret), ".0");
	return ret;
}

void json_number(struct json *j, const char *key, double number)
{
	char text[NUMBER_TEXT_SIZE];

	lead(j, key);
	fputs(isfinite(number) ? number_text(number, text) : "null", j->out);
}

void json_signed(struct json *j, const char *key, int64_t number)
{
	lead(j, key);
	fprintf(j->out, "%" PRId64, number);
}

void json_count(struct json *j, const char *key, uint64_t number)
{
	lead(j, key);
	fprintf(j->out, "%" PRIu64, number);
}

void json_bool(struct json *j, const char *key, bool value)
{
	lead(j, key);
	fputs(value ? "true" : "false", j->out);
}

void json_none(struct json *j, const char *key)
{
	json_text(j, key, NULL);
}

void json_time(struct json *j, const char *key, int64_t ns)
{
	char text[TIME_TEXT_SIZE];

	json_text(j, key, ns == TIME_MIN || ns == TIME_MAX ? NULL : time_text(ns, text));
}

void json_seconds(struct json *j, const char *key, int64_t ns)
{
	json_number(j, key, (double)ns / (double)NS_PER_S);
}

static void position(struct json *j, const char *key, const struct position *p)
{
	json_open(j, key, '{');
	json_number(j, "lat", p->lat_deg);
	json_number(j, "lon", p->lon_deg);
	if (!isnan(p->alt_m))
		json_number(j, "alt", p->alt_m);
	json_close(j);
}

void json_value(struct json *j, const char *key, const struct value *v)
{
	switch (v->type) {
	case VALUE_NONE: json_none(j, key); break;
	case VALUE_BOOL: json_bool(j, key, v->boolean); break;
	case VALUE_INT64: json_signed(j, key, v->integer); break;
	case VALUE_DOUBLE: json_number(j, key, v->real); break;
	case VALUE_TEXT:
	case VALUE_ENUM: json_text(j, key, v->text); break;
	case VALUE_POSITION: position(j, key, &v->position); break;
	}
}
