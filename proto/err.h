/* SPDX-License-Identifier: Apache-2.0 */
/* Errors - one convention for every function in the tree that can fail.
 *
 *   r == 0   done
 *   r <  0   failed: -errno, or one of the codes below. Handle it on purpose or pass it up unchanged.
 *   r >  0   a named outcome of that one function, listed in its header (STORE_ABSENT, ...).
 *            The caller handles it at once; it never travels further.
 *
 * A failure that a person must understand carries a sentence: the function that can word it takes a
 * `struct err_note *` and fills it; the sentence says what, where and what to do, without a full stop.
 */
#pragma once

#include <errno.h>
#include <stddef.h>

#define ERR_MAP(X) \
	X(ERR_CORRUPT, -2001, "stored data is damaged") \
	X(ERR_MALFORMED, -2002, "message is malformed") \
	X(ERR_FULL, -2003, "store has reached its size limit") \
	X(ERR_UNTRUSTED, -2004, "signature or certificate not accepted") \
	X(ERR_REFUSED, -2005, "request refused") \
	X(ERR_ABSENT, -2006, "not there") \
	X(ERR_DENIED, -2007, "not shared") \
	X(ERR_UNREACHABLE, -2008, "no answer") \
	X(ERR_VERSION, -2009, "written by another version") \
	X(ERR_UNIT, -2010, "units do not agree")

enum err {
#define X(name, code, text) name = (code),
	ERR_MAP(X)
#undef X
};

#define MUST_CHECK __attribute__((warn_unused_result))

/* The sentence behind a failure. Always NUL-terminated; empty when nobody had more to say. */
struct err_note {
	char text[256];
};

/* Word a failure: formats into note (NULL is fine; too long is cut) and returns `code` unchanged. */
int err_say(struct err_note *note, int code, const char *format, ...) __attribute__((format(printf, 3, 4)));

/* Text for any code of ours and for any -errno. Never NULL, never to be freed. */
const char *err_text(int code);

/* A failing call chain remembers where it began and every step it passed (per thread, newest chain only). */
int err_begin(int code, const char *file, int line);
int err_step(int code, const char *file, int line);

/* The chain behind the last failure, innermost first, for the one place that logs it. */
void err_chain(char *buf, size_t size);

/* A result deliberately not looked at; the reason stands in a comment beside the call. */
static inline void ignore(int r)
{
	(void)r;
}

/* Start a failure: one we detected ourselves, or one a from_<library>() function translates. */
#define FAIL(code) err_begin((code), __FILE__, __LINE__)

/* The same with a sentence for the person who has to act. */
#define FAIL_SAY(note, code, ...) err_begin(err_say((note), (code), __VA_ARGS__), __FILE__, __LINE__)

/* Pass a failure up. The only macro that hides control flow; safe with scoped cleanup (scope.h). */
#define TRY(call) \
	do { \
		const int try_r = (call); \
		if (try_r < 0) \
			return err_step(try_r, __FILE__, __LINE__); \
	} while (0)
