/* SPDX-License-Identifier: Apache-2.0 */
#include "tools/lines.h"

#include <inttypes.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "proto/clock.h"
#include "tools/json.h"
#include "tools/verb.h"

/* All whole lines of what was read; at the end of input the rest, too. */
static int take_lines(struct lines *l, bool end, struct err_note *note)
{
	char *at = l->text, *stop = l->text + l->len, *newline;

	while (at < stop) {
		newline = memchr(at, '\n', (size_t)(stop - at));
		if (!newline && !end)
			break;
		if (!newline)
			newline = stop;
		*newline = '\0';
		if (l->skipping)
			l->skipping = false;
		else
			TRY(l->take(l->ctx, at, (size_t)(newline - at), ++l->n, note));
		at = newline < stop ? newline + 1 : stop;
	}
	l->len = (size_t)(stop - at);
	memmove(l->text, at, l->len);
	if (l->len > LINE_MAX_BYTES && !l->skipping) {
		l->too_long(l->ctx, ++l->n);
		l->skipping = true;
	}
	if (l->skipping)
		l->len = 0;
	return 0;
}

int lines_read(struct lines *l, int fd, bool *ret_end, size_t *ret_bytes, struct err_note *note)
{
	const ssize_t n = read(fd, l->text + l->len, LINES_READ_BYTES - 1);

	if (n < 0 && errno != EINTR && errno != EAGAIN)
		return FAIL_SAY(note, -errno, "%s: %s", l->file, err_text(-errno));
	*ret_bytes = n > 0 ? (size_t)n : 0;
	l->len += *ret_bytes;
	*ret_end = n == 0;
	return take_lines(l, n == 0, note);
}

void lines_reset(struct lines *l)
{
	l->n = 0;
	l->len = 0;
	l->skipping = false;
}

/* ---- Refusals --------------------------------------------------------------------------------------------
 */

static int64_t monotonic_ns(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (int64_t)t.tv_sec * NS_PER_S + t.tv_nsec;
}

void refusals_say_rest(struct refusals *r)
{
	if (r->n_unsaid > 0)
		say("%s: %" PRIu64 " more were refused, up to line %u", r->file, r->n_unsaid, r->last);
	r->n_unsaid = 0;
}

static bool may_say(struct refusals *r)
{
	const int64_t now_ns = monotonic_ns();

	if (r->n_said == 0 || now_ns - r->said_ns >= 60 * NS_PER_S) {
		refusals_say_rest(r);
		r->said_ns = now_ns;
		r->n_said = 0;
	}
	if (r->n_said < REFUSALS_SAID_MAX) {
		r->n_said++;
		return true;
	}
	r->n_unsaid++;
	return false;
}

void refusals_say(struct refusals *r, unsigned line, const char *reason)
{
	struct json j = {.out = stdout};

	r->last = line;
	if (may_say(r))
		say("%s:%u: %s", r->file, line, reason);
	if (!r->json)
		return;
	json_open(&j, NULL, '{');
	json_text(&j, "file", r->file);
	json_count(&j, "line", line);
	json_text(&j, "reason", reason);
	json_close(&j);
}
