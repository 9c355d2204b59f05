/* SPDX-License-Identifier: Apache-2.0 */
/* Adapter program - a child process that stands for assets: what it prints is read elsewhere, what it is to
 * know is written to its standard input, line by line, without ever waiting for it. Its standard error is
 * ours.
 *
 * It runs in a process group of its own and ends with its standard input, or by SIGTERM. A line for it that
 * has a deadline and was not written by then is dropped.
 *
 * Owner: the caller's struct, zeroed.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include "proto/err.h"

enum { PROGRAM_LINES_MAX = 1000 }; /* that wait to be written */

struct program_line {
	char *text; /* with its newline */
	size_t len;
	int64_t deadline_ns; /* wall clock; 0: none */
};

struct adapter_program {
	pid_t pid;       /* 0: does not run */
	int out, in;     /* its standard output, to be read; its standard input; -1: closed */
	bool has_exited; /* and how: */
	int exit_code;   /* 128 + N: by signal N */
	struct program_line lines[PROGRAM_LINES_MAX]; /* ring */
	size_t first, n_lines, written;               /* written: of the first one */
	uint64_t n_expired;
};

/* `argv` ends with NULL. ERR_REFUSED with a note: it cannot be started. */
MUST_CHECK int program_start(struct adapter_program *p, char *const argv[], struct err_note *note);
/* Takes the text. False: it does not read, or its standard input is closed; then the text is freed. */
bool program_tell(struct adapter_program *p, char *text_take, size_t len, int64_t deadline_ns);
bool program_is_deaf(const struct adapter_program *p);
/* Does something wait to be written? Then write what it takes. */
bool program_has_lines(const struct adapter_program *p);
void program_write(struct adapter_program *p, int64_t wall_ns);
/* The whole group. */
void program_signal(const struct adapter_program *p, int signal);
/* Has it exited? Notes how. */
bool program_reap(struct adapter_program *p);
/* Close what is open and forget the lines; it was reaped. */
void program_fini(struct adapter_program *p);
