/* SPDX-License-Identifier: Apache-2.0 */
/* Lines - what a program prints, line by line, from a descriptor; and what is said of lines that are refused:
 * a source that is wrong in every line must not fill whatever takes what is said.
 *
 * Owner: the caller's structs, zeroed but for the fields on top.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "proto/err.h"

enum { LINE_MAX_BYTES = 64 * 1024, LINES_READ_BYTES = 64 * 1024, REFUSALS_SAID_MAX = 20 };

struct lines {
	const char *file; /* what it is called */
	/* One line, without its end; NUL-terminated in place, may be changed. Lines are numbered from 1.
	 * <0 ends the reading. */
	int (*take)(void *ctx, char *line, size_t len, unsigned number, struct err_note *note);
	void (*too_long)(void *ctx, unsigned number);
	void *ctx;

	/* private */
	unsigned n;
	size_t len;
	bool skipping; /* inside a line that was too long */
	char text[LINE_MAX_BYTES + LINES_READ_BYTES];
};

/* Read once and take all whole lines; at the end of input the rest, too. EAGAIN and EINTR are no failures.
 * *ret_bytes: how many were read. -errno with a note. */
MUST_CHECK int lines_read(struct lines *l, int fd, bool *ret_end, size_t *ret_bytes, struct err_note *note);
/* Begin anew with line 1. */
void lines_reset(struct lines *l);

struct refusals {
	const char *file;
	bool json; /* each one also as an object on standard output */

	/* private */
	uint64_t n_said, n_unsaid; /* in the minute that began at said_ns */
	int64_t said_ns;           /* monotonic */
	unsigned last;             /* line */
};

void refusals_say(struct refusals *r, unsigned line, const char *reason);
/* How many were not said, if any. */
void refusals_say_rest(struct refusals *r);
