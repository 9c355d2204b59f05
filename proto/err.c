/* SPDX-License-Identifier: Apache-2.0 */
#include "proto/err.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "proto/words.h"

#define TRACE_MAX 16

static _Thread_local struct {
	unsigned n;
	struct {
		const char *file;
		int line;
	} step[TRACE_MAX];
} trace;

const char *err_text(int code)
{
	switch (code) {
#define X(name, value, text) \
	case name: return text;
		ERR_MAP(X)
#undef X
	case 0: return "success";
	default: return code < 0 ? strerror(-code) : "not an error code";
	}
}

int err_say(struct err_note *note, int code, const char *format, ...)
{
	va_list args;

	if (!note)
		return code;
	va_start(args, format);
	vsnprintf(note->text, sizeof note->text, format, args);
	va_end(args);
	text_mend(note->text, strlen(note->text)); /* the cut may have gone through a letter */
	return code;
}

int err_begin(int code, const char *file, int line)
{
	trace.n = 0;
	return err_step(code, file, line);
}

int err_step(int code, const char *file, int line)
{
	if (trace.n < TRACE_MAX) {
		trace.step[trace.n].file = file;
		trace.step[trace.n].line = line;
		trace.n++;
	}
	return code;
}

void err_chain(char *buf, size_t size)
{
	size_t used = 0;

	if (size > 0)
		buf[0] = '\0';
	for (unsigned i = 0; i < trace.n && used < size; i++) {
		int w = snprintf(buf + used, size - used, "%s%s:%d", i > 0 ? " < " : "", trace.step[i].file,
				 trace.step[i].line);
		used += w > 0 ? (size_t)w : 0;
	}
}
