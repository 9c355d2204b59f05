/* SPDX-License-Identifier: Apache-2.0 */
#include "node/log.h"

#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

static const struct {
	const char *name;
	int journal; /* syslog's number */
} levels[] = {
	[LOG_LEVEL_ERROR] = {"error", 3},
	[LOG_LEVEL_WARNING] = {"warning", 4},
	[LOG_LEVEL_INFO] = {"info", 6},
	[LOG_LEVEL_DEBUG] = {"debug", 7},
};

static enum log_level most = LOG_LEVEL_INFO;

void log_set_level(enum log_level level)
{
	most = level;
}

static size_t put_prefix(char *line, size_t size, enum log_level level)
{
	struct timespec now = {0};
	struct tm utc = {0};
	char time[32] = "";

	if (getenv("JOURNAL_STREAM"))
		return (size_t)snprintf(line, size, "<%d>", levels[level].journal);
	clock_gettime(CLOCK_REALTIME, &now);
	gmtime_r(&now.tv_sec, &utc);
	strftime(time, sizeof time, "%Y-%m-%dT%H:%M:%S", &utc);
	return (size_t)snprintf(line, size, "%s.%03ldZ %s ", time, now.tv_nsec / 1000000, levels[level].name);
}

void log_write(enum log_level level, const char *domain, const char *format, ...)
{
	char line[1024];
	va_list args;

	if (level > most)
		return;
	size_t used = put_prefix(line, sizeof line, level);
	used += (size_t)snprintf(line + used, sizeof line - used, "%.32s: ", domain);
	va_start(args, format);
	vsnprintf(line + used, sizeof line - used, format, args);
	va_end(args);
	/* One event is one line, whatever got into it. */
	for (char *p = line; *p; p++)
		if ((unsigned char)*p < 0x20 || *p == 0x7f)
			*p = '?';
	fprintf(stderr, "%s\n", line);
}

const char *log_quote(const char *text, char *ret, size_t size)
{
	size_t used = 0;

	if (size == 0)
		return ret;
	for (const char *p = text; *p; p++) {
		const unsigned char c = (unsigned char)*p;
		const bool plain = c >= 0x20 && c < 0x7f && c != '\\';
		if (size - 1 - used < (plain ? 1u : 4u))
			break; /* never half an escape */
		used += (size_t)snprintf(ret + used, size - used, plain ? "%c" : "\\x%02x", c);
	}
	ret[used] = '\0';
	return ret;
}
