/* SPDX-License-Identifier: Apache-2.0 */
/* Ingest - JSON lines from any program that can print. A pipe that falls silent for a moment is as good as a
 * full request: what it said is sent, so that a live source is live. */
#include <fcntl.h>
#include <inttypes.h>
#include <poll.h>
#include <time.h>
#include <unistd.h>

#include "proto/clock.h"
#include "tools/bulk.h"
#include "tools/client.h"
#include "tools/command.h"
#include "tools/document.h"
#include "tools/json.h"
#include "tools/schema.h"

enum { LINES_PER_REQUEST = 1000, LINE_MAX_BYTES = 64 * 1024, READ_BYTES = 64 * 1024, IDLE_MS = 50 };

struct ingest {
	struct context *ctx;
	const char *file;
	struct bulk bulk;
	struct schema schema;
	enum status status; /* of a failure that has been said already */
	uint64_t n_lines, n_refused;
	unsigned line;
	size_t len, skipping; /* skipping: inside a line that was too long */
	char text[LINE_MAX_BYTES + READ_BYTES];
};

static void refuse(struct ingest *in, unsigned line, const char *reason)
{
	struct json j = {.out = stdout};

	in->n_refused++;
	say("%s:%u: %s", in->file, line, reason);
	if (!in->ctx->json)
		return;
	json_open(&j, NULL, '{');
	json_text(&j, "file", in->file);
	json_count(&j, "line", line);
	json_text(&j, "reason", reason);
	json_close(&j);
}

static void refused_by_node(void *ctx, const struct mark *mark, const struct refusal *refusal)
{
	refuse(ctx, mark->line, refusal->reason);
}

/* Questions about types go over the same connection, so nothing else may be on its way. */
static int fit(struct ingest *in, struct reading *r, struct err_note *note)
{
	enum value_type wanted = VALUE_NONE;

	if (r->sample.value.type == VALUE_BOOL || r->sample.value.type == VALUE_POSITION)
		return 0; /* only one type is written so */
	if (!schema_knows(&in->schema, r->twin, r->property))
		TRY(bulk_drain(&in->bulk, note));
	in->status = schema_wanted(&in->schema, r->twin, r->property, &wanted);
	if (in->status != STATUS_OK)
		return FAIL(ERR_UNREACHABLE);
	if (wanted != VALUE_NONE)
		value_fit(&r->sample.value, wanted);
	return 0;
}

/* Texts of a reading belong to its JSON document; the op outlives it. */
static int keep(struct arena *a, struct reading *r, struct sample **ret)
{
	struct sample *s = arena_take(a, sizeof *s);

	if (!s)
		return FAIL(-ENOMEM);
	*s = r->sample;
	s->source = arena_copy(a, r->sample.source);
	r->twin = arena_copy(a, r->twin);
	r->property = arena_copy(a, r->property);
	if (!r->twin || !r->property || (r->sample.source && !s->source))
		return FAIL(-ENOMEM);
	TRY(value_copy(a, &r->sample.value, &s->value));
	*ret = s;
	return 0;
}

static int take_reading(struct ingest *in, struct reading *r, struct err_note *note)
{
	struct sample *sample = NULL;

	TRY(fit(in, r, note));
	TRY(keep(bulk_arena(&in->bulk), r, &sample));
	const struct op op = {.kind = OP_SAMPLES, .samples = {r->twin, r->property, sample, 1}};
	return bulk_add(&in->bulk, &op, (struct mark){in->file, in->line, ""}, note);
}

static int64_t wall_ns(void)
{
	struct timespec t;

	clock_gettime(CLOCK_REALTIME, &t);
	return (int64_t)t.tv_sec * NS_PER_S + t.tv_nsec;
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
	if (document_reading(&s, wall_ns(), &r, &why) < 0) {
		refuse(in, in->line, why.text + strlen("line: "));
		return 0;
	}
	return take_reading(in, &r, note);
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
	return take_lines(in, n == 0, note);
}

static int run(struct ingest *in, int fd, struct err_note *note)
{
	struct pollfd wait = {.fd = fd, .events = POLLIN};
	bool end = false;

	while (!end) {
		const bool pending = in->bulk.filling->n > 0 || in->bulk.n_underway > 0;
		const int ready = poll(&wait, 1, pending ? IDLE_MS : -1);
		if (ready < 0 && errno != EINTR)
			return FAIL(-errno);
		if (ready == 0)
			TRY(bulk_drain(&in->bulk, note));
		else if (ready > 0)
			TRY(read_some(in, fd, &end, note));
	}
	return bulk_drain(&in->bulk, note);
}

static void report(const struct ingest *in)
{
	struct json j = {.out = stdout};

	if (!in->ctx->json) {
		printf("%" PRIu64 " lines: %" PRIu64 " stored, %" PRIu64 " there already, %" PRIu64
		       " refused\n",
		       in->n_lines, in->bulk.n_changed, in->bulk.n_unchanged, in->n_refused);
		return;
	}
	json_open(&j, NULL, '{');
	json_count(&j, "lines", in->n_lines);
	json_count(&j, "stored", in->bulk.n_changed);
	json_count(&j, "unchanged", in->bulk.n_unchanged);
	json_count(&j, "refused", in->n_refused);
	json_close(&j);
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
	in->schema.ctx = ctx;
	in->bulk = (struct bulk){
		.client = ctx->client, .refused = refused_by_node, .ctx = in, .ops_max = LINES_PER_REQUEST};
	r = bulk_init(&in->bulk);
	if (r == 0)
		r = run(in, fd, &note);
	if (r < 0)
		status = in->status != STATUS_OK ? in->status : say_failed(r, &note);
	else
		status = in->n_refused > 0 ? STATUS_FAILED : STATUS_OK;
	report(in);
	schema_fini(&in->schema);
	bulk_fini(&in->bulk);
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

const struct command cmd_ingest[] = {
	{.name = "ingest",
	 .args = "FILE",
	 .summary = "store readings, one JSON object a line (- for stdin)",
	 .min_args = 1,
	 .max_args = 1,
	 .run = ingest_run},
	{0},
};
