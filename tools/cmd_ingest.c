/* SPDX-License-Identifier: Apache-2.0 */
/* Ingest - JSON lines from any program that can print. A pipe that falls silent for a moment is as good as a
 * full request: what it said is sent, so that a live source is live. */
#include <fcntl.h>
#include <inttypes.h>
#include <poll.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "proto/clock.h"
#include "tools/client.h"
#include "tools/document.h"
#include "tools/json.h"
#include "tools/progress.h"
#include "tools/readings.h"
#include "tools/verb.h"

enum {
	LINE_MAX_BYTES = 64 * 1024,
	READ_BYTES = 64 * 1024,
	IDLE_MS = 50,
	SAID_MAX = 20, /* refusals on standard error in a minute */
};

struct ingest {
	struct context *ctx;
	const char *file;
	struct readings readings;
	struct progress progress;
	uint64_t n_lines, n_refused;
	uint64_t n_said, n_unsaid; /* refusals, in the minute that began at said_ns */
	int64_t said_ns;
	unsigned line;
	size_t len, skipping; /* skipping: inside a line that was too long */
	char text[LINE_MAX_BYTES + READ_BYTES];
};

static int64_t clock_ns(clockid_t which)
{
	struct timespec t;

	clock_gettime(which, &t);
	return (int64_t)t.tv_sec * NS_PER_S + t.tv_nsec;
}

static void say_unsaid(struct ingest *in)
{
	progress_hide(&in->progress);
	if (in->n_unsaid > 0)
		say("%s: %" PRIu64 " more were refused, up to line %u", in->file, in->n_unsaid, in->line);
	in->n_unsaid = 0;
}

/* A source that is wrong in every line would else fill whatever takes what is said. */
static bool may_say(struct ingest *in)
{
	const int64_t now_ns = clock_ns(CLOCK_MONOTONIC);

	if (in->n_said == 0 || now_ns - in->said_ns >= 60 * NS_PER_S) {
		say_unsaid(in);
		in->said_ns = now_ns;
		in->n_said = 0;
	}
	if (in->n_said < SAID_MAX) {
		in->n_said++;
		return true;
	}
	in->n_unsaid++;
	return false;
}

static void refuse(struct ingest *in, unsigned line, const char *reason)
{
	struct json j = {.out = stdout};

	in->n_refused++;
	progress_hide(&in->progress);
	if (may_say(in))
		say("%s:%u: %s", in->file, line, reason);
	if (!in->ctx->json)
		return;
	json_open(&j, NULL, '{');
	json_text(&j, "file", in->file);
	json_count(&j, "line", line);
	json_text(&j, "reason", reason);
	json_close(&j);
}

static void refused_reading(void *ctx, const struct mark *mark, const char *reason)
{
	refuse(ctx, mark->line, reason);
}

static int take_line(struct ingest *in, const char *line, size_t len, struct err_note *note)
{
	struct err_note why = {0};
	struct spot s = {.file = "line"};
	struct reading r;
	json_error_t e;

	in->line++;
	if (strspn(line, " \t\r") == len)
		return 0;
	in->n_lines++;
	SCOPED(scope_json) json_t *json = json_loadb(line, len, JSON_REJECT_DUPLICATES, &e);
	if (!json) {
		refuse(in, in->line, e.text);
		return 0;
	}
	s.json = json;
	if (document_reading(&s, clock_ns(CLOCK_REALTIME), &r, &why) < 0) {
		refuse(in, in->line, why.text + strlen("line: "));
		return 0;
	}
	return readings_put(&in->readings, &r, (struct mark){in->file, in->line, ""}, note);
}

/* All whole lines of what was read; at the end of input the rest, too. */
static int take_lines(struct ingest *in, bool end, struct err_note *note)
{
	char *at = in->text, *stop = in->text + in->len, *newline;

	while (at < stop) {
		newline = memchr(at, '\n', (size_t)(stop - at));
		if (!newline && !end)
			break;
		if (!newline)
			newline = stop;
		*newline = '\0';
		if (in->skipping)
			in->skipping = 0;
		else
			TRY(take_line(in, at, (size_t)(newline - at), note));
		at = newline < stop ? newline + 1 : stop;
	}
	in->len = (size_t)(stop - at);
	memmove(in->text, at, in->len);
	if (in->len > LINE_MAX_BYTES && !in->skipping) {
		refuse(in, ++in->line, "the line is longer than 64 KiB");
		in->n_lines++;
		in->skipping = 1;
	}
	if (in->skipping)
		in->len = 0;
	return 0;
}

static int read_some(struct ingest *in, int fd, bool *ret_end, struct err_note *note)
{
	const ssize_t n = read(fd, in->text + in->len, READ_BYTES - 1);

	if (n < 0 && errno != EINTR && errno != EAGAIN)
		return FAIL_SAY(note, -errno, "%s: %s", in->file, err_text(-errno));
	in->len += n > 0 ? (size_t)n : 0;
	*ret_end = n == 0;
	TRY(take_lines(in, n == 0, note));
	in->progress.n_counted = in->n_lines;
	progress_add(&in->progress, n > 0 ? (size_t)n : 0);
	return 0;
}

static int run(struct ingest *in, int fd, struct err_note *note)
{
	struct pollfd wait = {.fd = fd, .events = POLLIN};
	bool end = false;

	while (!end) {
		const int ready = poll(&wait, 1, readings_pending(&in->readings) ? IDLE_MS : -1);
		if (ready < 0 && errno != EINTR)
			return FAIL(-errno);
		if (ready == 0)
			TRY(readings_flush(&in->readings, note));
		else if (ready > 0)
			TRY(read_some(in, fd, &end, note));
	}
	return readings_flush(&in->readings, note);
}

static void report(const struct ingest *in)
{
	const struct client_tally tally = client_tally(in->ctx->client);
	struct json j = {.out = stdout};

	if (!in->ctx->json) {
		printf("%" PRIu64 " lines: %" PRIu64 " stored, %" PRIu64 " there already, %" PRIu64
		       " refused\n",
		       in->n_lines, tally.n_stored, tally.n_unchanged, in->n_refused);
		return;
	}
	json_open(&j, NULL, '{');
	json_count(&j, "lines", in->n_lines);
	json_count(&j, "stored", tally.n_stored);
	json_count(&j, "unchanged", tally.n_unchanged);
	json_count(&j, "refused", in->n_refused);
	json_close(&j);
}

static size_t size_of(int fd)
{
	struct stat st;

	return fstat(fd, &st) == 0 && S_ISREG(st.st_mode) ? (size_t)st.st_size : 0;
}

static enum status ingest_fd(struct context *ctx, int fd, const char *file)
{
	SCOPED(scope_free) struct ingest *in = calloc(1, sizeof *in);
	struct err_note note = {0};
	enum status status;
	int r;

	if (!in)
		return say_failed(-ENOMEM, NULL);
	in->ctx = ctx;
	in->file = file;
	r = readings_init(&in->readings, ctx->client, refused_reading, in, &note);
	if (r < 0) {
		readings_fini(&in->readings);
		return say_failed(r, &note);
	}
	progress_start(&in->progress, "ingest", size_of(fd), false);
	in->progress.counted = "lines";
	r = run(in, fd, &note);
	progress_stop(&in->progress);
	say_unsaid(in);
	if (r < 0)
		status = say_failed(r, &note);
	else
		status = in->n_refused > 0 ? STATUS_FAILED : STATUS_OK;
	report(in);
	readings_fini(&in->readings);
	return status;
}

static enum status ingest_run(struct context *ctx, int argc, char *const argv[])
{
	const bool from_stdin = strcmp(argv[0], "-") == 0;
	enum status status;
	int fd;

	(void)argc;
	fd = from_stdin ? STDIN_FILENO : open(argv[0], O_RDONLY | O_CLOEXEC);
	if (fd < 0) {
		say("%s: %s", argv[0], err_text(-errno));
		return STATUS_USAGE;
	}
	status = ask_open(ctx);
	if (status == STATUS_OK)
		status = ingest_fd(ctx, fd, from_stdin ? "stdin" : argv[0]);
	if (!from_stdin)
		close(fd);
	return status;
}

const struct verb cmd_ingest[] = {
	{.name = "ingest",
	 .args = "FILE",
	 .summary = "store readings, one JSON object a line (- for stdin)",
	 .min_args = 1,
	 .max_args = 1,
	 .run = ingest_run},
	{0},
};
