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
#include "tools/lines.h"
#include "tools/progress.h"
#include "tools/readings.h"
#include "tools/verb.h"

enum { IDLE_MS = 50 };

struct ingest {
	struct context *ctx;
	const char *file;
	struct readings readings;
	struct refusals refusals;
	struct progress progress;
	uint64_t n_lines, n_refused;
	struct lines lines;
};

static int64_t wall_ns(void)
{
	struct timespec t;

	clock_gettime(CLOCK_REALTIME, &t);
	return (int64_t)t.tv_sec * NS_PER_S + t.tv_nsec;
}

static void refuse(struct ingest *in, unsigned line, const char *reason)
{
	in->n_refused++;
	progress_hide(&in->progress);
	refusals_say(&in->refusals, line, reason);
}

static void refused_reading(void *ctx, const struct mark *mark, const char *reason)
{
	refuse(ctx, mark->line, reason);
}

static void too_long(void *ctx, unsigned line)
{
	struct ingest *in = ctx;

	in->n_lines++;
	refuse(in, line, "the line is longer than 64 KiB");
}

static int take_line(void *ctx, char *line, size_t len, unsigned number, struct err_note *note)
{
	struct ingest *in = ctx;
	struct err_note why = {0};
	struct spot s = {.file = "line"};
	struct reading r;
	json_error_t e;

	if (strspn(line, " \t\r") == len)
		return 0;
	in->n_lines++;
	SCOPED(scope_json) json_t *json = json_loadb(line, len, JSON_REJECT_DUPLICATES, &e);
	if (!json) {
		refuse(in, number, e.text);
		return 0;
	}
	s.json = json;
	if (document_reading(&s, wall_ns(), &r, &why) < 0) {
		refuse(in, number, why.text + strlen("line: "));
		return 0;
	}
	return readings_put(&in->readings, &r, (struct mark){in->file, number, ""}, note);
}

static int read_some(struct ingest *in, int fd, bool *ret_end, struct err_note *note)
{
	size_t n = 0;
	const int r = lines_read(&in->lines, fd, ret_end, &n, note);

	in->progress.n_counted = in->n_lines;
	progress_add(&in->progress, n);
	return r;
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
	in->refusals = (struct refusals){.file = file, .json = ctx->json};
	in->lines.file = file;
	in->lines.take = take_line;
	in->lines.too_long = too_long;
	in->lines.ctx = in;
	r = readings_init(&in->readings, ctx->client, refused_reading, in, &note);
	if (r < 0) {
		readings_fini(&in->readings);
		return say_failed(r, &note);
	}
	progress_start(&in->progress, "ingest", size_of(fd), false);
	in->progress.counted = "lines";
	r = run(in, fd, &note);
	progress_stop(&in->progress);
	refusals_say_rest(&in->refusals);
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
