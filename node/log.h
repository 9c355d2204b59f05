/* SPDX-License-Identifier: Apache-2.0 */
/* Log - one line per thing a human may want to know, on standard error (STYLE 1.9).
 *
 * `time level domain: sentence key=value`; with JOURNAL_STREAM set the level is the `<4>` prefix instead and
 * the time is left out. Text that came from a peer goes through log_quote(). The level is set once, before
 * threads start.
 */
#pragma once

#include <stddef.h>

enum log_level { LOG_LEVEL_ERROR, LOG_LEVEL_WARNING, LOG_LEVEL_INFO, LOG_LEVEL_DEBUG };

void log_set_level(enum log_level level);
void log_write(enum log_level level, const char *domain, const char *format, ...)
	__attribute__((format(printf, 3, 4)));

#define log_error(domain, ...) log_write(LOG_LEVEL_ERROR, domain, __VA_ARGS__)
#define log_warn(domain, ...) log_write(LOG_LEVEL_WARNING, domain, __VA_ARGS__)
#define log_info(domain, ...) log_write(LOG_LEVEL_INFO, domain, __VA_ARGS__)
#define log_debug(domain, ...) log_write(LOG_LEVEL_DEBUG, domain, __VA_ARGS__)

/* Printable, at most size - 1 characters: everything else becomes \xNN. Returns ret. */
const char *log_quote(const char *text, char *ret, size_t size);
