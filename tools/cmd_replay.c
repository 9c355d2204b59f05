/* SPDX-License-Identifier: Apache-2.0 */
/* Real series, as import csv reads them, through an MQTT broker as if they were measured now. */
#include <mosquitto.h>
#include <stdlib.h>
#include <time.h>

#include "proto/clock.h"
#include "proto/id.h"
#include "proto/unit.h"
#include "tools/change.h"
#include "tools/json.h"
#include "tools/print.h"
#include "tools/progress.h"
#include "tools/publisher.h"
#include "tools/timeline.h"

enum { CONNECT_MS = 10000, DRAIN_MS = 60000, PASSWORD_MAX = 1024, TURN_AT_MOST_MS = 100 };

static const struct flag replay_flags[] = {
	{"map", "FILE.json", "mapping file, as of import csv: holon-map(5)", false},
	{"set", "NAME=VALUE", "value of a variable of the mapping", true},
	{"broker", "URL", "mqtt://HOST[:PORT] or mqtts://HOST[:PORT]", false},
	{"speed", "N", "so many times as fast as it was measured (default: 1), or max", false},
	{"original-times", NULL, "as they were measured, not as if now", false},
	{"loop", NULL, "from the beginning again, until stopped", false},
	{"limit", "N", "no more than so many samples", false},
	{"topic", "TEMPLATE", "with {twin}, {id}, {org}, {property} (default: holon/{twin}/{property})",
	 false},
	{"plain", NULL, "the value alone, not a JSON object", false},
	{"ledger", "FILE", "write down what the broker has acknowledged, a JSON line each", false},
	{"user", "NAME", "who we are to the broker", false},
	{"password-file", "FILE", "its first line is the password", false},
	{"ca", "FILE", "certificates that may sign the broker's (default: the system's)", false},
	{"cert", "FILE", "own certificate", false},
	{"key", "FILE", "own private key", false},
	{0},
};

struct replay {
	struct context *ctx;
	struct import im;
	struct timeline timeline;
	struct publisher *publisher;
	struct progress progress;
	FILE *ledger; /* NULL: none */
	const char *topic;
	double speed; /* INFINITY: as fast as the broker takes it */
	bool original, loop, plain;
	uint64_t limit; /* 0: none */
	uint64_t n_published, n_acknowledged, n_rounds;
	bool ledger_failed;
	int64_t began_ns, shift_ns; /* monotonic, wall: when the first sample of the round is due */
};

static int64_t clock_ns(clockid_t clock)
{
	struct timespec t;

	clock_gettime(clock, &t);
	return (int64_t)t.tv_sec * NS_PER_S + t.tv_nsec;
}

/* ---- What is sent ----------------------------------------------------------------------------------------
 */

/* `plant1/line3` in place of {twin}, ... */
static const char *fill_topic(struct arena *a, const char *template, const struct timeline_sample *s)
{
	const struct bytes org = id_org(s->twin);
	const char *text = "";

	for (const char *at = template; text && *at;) {
		const size_t n = strcspn(at, "{");
		if (n > 0)
			text = arena_print(a, "%s%.*s", text, (int)n, at);
		else if (strncmp(at, "{twin}", 6) == 0)
			text = arena_print(a, "%s%s", text, id_local(s->twin));
		else if (strncmp(at, "{id}", 4) == 0)
			text = arena_print(a, "%s%s", text, s->twin);
		else if (strncmp(at, "{org}", 5) == 0)
			text = arena_print(a, "%s%.*s", text, (int)org.len, (const char *)org.data);
		else
			text = arena_print(a, "%s%s", text, s->property->name);
		at += n > 0 ? n : strcspn(at, "}") + 1;
	}
	return text;
}

static int check_topic(const char *template, struct err_note *note)
{
	static const char *const fields[] = {"{twin}", "{id}", "{org}", "{property}"};

	for (const char *at = strchr(template, '{'); at; at = strchr(at + 1, '{')) {
		bool known = false;
		for (size_t i = 0; i < sizeof fields / sizeof *fields; i++)
			known |= strncmp(at, fields[i], strlen(fields[i])) == 0;
		if (!known)
			return FAIL_SAY(note, ERR_REFUSED,
					"--topic: '%.40s' is none of {twin}, {id}, {org}, {property}", at);
	}
	if (mosquitto_pub_topic_check(template) != MOSQ_ERR_SUCCESS)
		return FAIL_SAY(note, ERR_REFUSED, "--topic: '%.200s' is no topic to publish to", template);
	return 0;
}

/* The line that `holon ingest` would read. */
static int write_json(struct arena *a, const struct timeline_sample *s, const char **ret)
{
	char *text = NULL;
	size_t size = 0;
	FILE *out = open_memstream(&text, &size);

	if (!out)
		return FAIL(-ENOMEM);
	struct json j = {.out = out};
	json_open(&j, NULL, '{');
	json_text(&j, "twin", s->twin);
	json_text(&j, "property", s->property->name);
	json_time(&j, "t", s->sample.t_ns);
	json_value(&j, "value", &s->sample.value);
	json_close(&j);
	const bool failed = fclose(out) != 0;
	*ret = failed ? NULL : arena_print(a, "%.*s", (int)strcspn(text, "\n"), text);
	free(text);
	return *ret ? 0 : FAIL(-ENOMEM);
}

static void acknowledged(void *ctx, const char *text)
{
	struct replay *r = ctx;

	r->n_acknowledged++;
	r->progress.n_counted++;
	if (r->ledger && fprintf(r->ledger, "%s\n", text) < 0)
		r->ledger_failed = true;
}

/* What is acknowledged is in the ledger's file when its turn is over, whatever becomes of us then. */
static int keep_ledger(struct replay *r, struct err_note *note)
{
	if (r->ledger && (fflush(r->ledger) != 0 || r->ledger_failed))
		return FAIL_SAY(note, -EIO, "%s: cannot be written", flag_text(r->ctx, "ledger"));
	return 0;
}

/* ---- When ------------------------------------------------------------------------------------------------
 */

/* Time since the beginning of a round at which a sample is due. */
static int64_t due_ns(const struct replay *r, int64_t t_ns)
{
	return isinf(r->speed) ? 0 : (int64_t)((double)(t_ns - r->timeline.first_ns) / r->speed);
}

static int wait_for(struct replay *r, int64_t t_ns, struct err_note *note)
{
	const int64_t at_ns = r->began_ns + due_ns(r, t_ns);

	for (;;) {
		const int64_t left_ms = (at_ns - clock_ns(CLOCK_MONOTONIC)) / NS_PER_MS;
		if (left_ms <= 0)
			return 0;
		TRY(publisher_wait(r->publisher, left_ms < TURN_AT_MOST_MS ? (int)left_ms : TURN_AT_MOST_MS,
				   note));
		TRY(keep_ledger(r, note));
		progress_add(&r->progress, 0);
	}
}

static int publish(struct replay *r, struct arena *a, struct timeline_sample *s, struct err_note *note)
{
	const char *topic, *line, *payload;

	TRY(wait_for(r, s->sample.t_ns, note));
	if (!r->original)
		s->sample.t_ns = r->shift_ns + due_ns(r, s->sample.t_ns);
	topic = fill_topic(a, r->topic, s);
	TRY(write_json(a, s, &line));
	payload = r->plain ? value_text(a, &s->sample.value) : line;
	if (!topic || !payload)
		return FAIL(-ENOMEM);
	TRY(publisher_put(r->publisher, topic, payload, line, note));
	r->n_published++;
	progress_add(&r->progress, 1);
	return r->n_published % 256 == 0 ? publisher_wait(r->publisher, 0, note) : 0;
}

static bool is_over(const struct replay *r)
{
	return r->limit > 0 && r->n_published >= r->limit;
}

static int play_round(struct replay *r, struct err_note *note)
{
	SCOPED(scope_arena) struct arena *a = NULL;
	struct timeline_sample s;
	int more = 0;

	TRY(arena_new(&a, SIZE_MAX));
	timeline_rewind(&r->timeline);
	r->began_ns = clock_ns(CLOCK_MONOTONIC);
	r->shift_ns = clock_ns(CLOCK_REALTIME);
	while (!is_over(r) && (more = timeline_next(&r->timeline, &s)) > 0) {
		TRY(publish(r, a, &s, note));
		arena_reset(a);
	}
	r->n_rounds++;
	return is_over(r) ? 0 : more;
}

static int play(struct replay *r, struct err_note *note)
{
	if (r->timeline.n_samples == 0)
		return FAIL_SAY(note, ERR_REFUSED, "the mapping makes no samples of these tables");
	do
		TRY(play_round(r, note));
	while (r->loop && !is_over(r));
	TRY(publisher_drain(r->publisher, DRAIN_MS, note));
	return keep_ledger(r, note);
}

/* ---- The command -----------------------------------------------------------------------------------------
 */

static int find_type(void *ctx, const char *name, struct type_def *ret, struct err_note *note)
{
	const enum status status = type_named(ctx, name, ret, NULL);

	return status == STATUS_OK
		       ? 0
		       : FAIL_SAY(note, ERR_REFUSED,
				  "the mapping has no type %s, and the node did not tell it", name);
}

static int read_speed(struct replay *r, struct err_note *note)
{
	const char *text = flag_text(r->ctx, "speed");

	r->speed = 1;
	if (text && strcmp(text, "max") == 0)
		r->speed = INFINITY;
	else
		TRY(flag_number(r->ctx, "speed", 1, &r->speed, note));
	if (!(r->speed > 0))
		return FAIL_SAY(note, ERR_REFUSED, "--speed: %.40s is not above 0", text);
	/* what is sent all at once was not measured at once */
	r->original = flag_given(r->ctx, "original-times") || isinf(r->speed);
	return 0;
}

static int read_flags(struct replay *r, struct err_note *note)
{
	uint32_t limit;

	TRY(read_speed(r, note));
	TRY(flag_count(r->ctx, "limit", 0, &limit, note));
	r->limit = limit;
	r->loop = flag_given(r->ctx, "loop");
	r->plain = flag_given(r->ctx, "plain");
	r->topic = flag_text(r->ctx, "topic");
	if (!r->topic)
		r->topic = "holon/{twin}/{property}";
	return check_topic(r->topic, note);
}

static int read_password(struct replay *r, const char **ret, struct err_note *note)
{
	const char *file = flag_text(r->ctx, "password-file");
	struct bytes text;

	*ret = NULL;
	if (!file)
		return 0;
	TRY(read_file(r->ctx->arena, file, PASSWORD_MAX, &text, note));
	*ret = arena_print(r->ctx->arena, "%.*s", (int)strcspn((const char *)text.data, "\r\n"),
			   (const char *)text.data);
	return *ret ? 0 : FAIL(-ENOMEM);
}

static int connect_broker(struct replay *r, struct err_note *note)
{
	struct publisher_options opt = {
		.url = flag_text(r->ctx, "broker"),
		.user = flag_text(r->ctx, "user"),
		.ca = flag_text(r->ctx, "ca"),
		.cert = flag_text(r->ctx, "cert"),
		.key = flag_text(r->ctx, "key"),
		.acknowledged = acknowledged,
		.ctx = r,
	};

	TRY(read_password(r, &opt.password, note));
	return publisher_open(&r->publisher, &opt, CONNECT_MS, note);
}

static int open_ledger(struct replay *r, struct err_note *note)
{
	const char *file = flag_text(r->ctx, "ledger");

	if (!file)
		return 0;
	r->ledger = fopen(file, "a");
	return r->ledger ? 0 : FAIL_SAY(note, -errno, "%s: %s", file, err_text(-errno));
}

static void report(const struct replay *r)
{
	struct arena *a = r->ctx->arena;
	struct json j = {.out = stdout};

	if (!r->ctx->json) {
		printf("%s samples published, %s acknowledged, %s rounds, %zu rows or cells skipped\n",
		       human_count(a, r->n_published), human_count(a, r->n_acknowledged),
		       human_count(a, r->n_rounds), r->im.n_skips);
		return;
	}
	json_open(&j, NULL, '{');
	json_count(&j, "published", r->n_published);
	json_count(&j, "acknowledged", r->n_acknowledged);
	json_count(&j, "rounds", r->n_rounds);
	json_count(&j, "skipped", r->im.n_skips);
	json_count(&j, "redials", r->publisher ? publisher_redials(r->publisher) : 0);
	json_close(&j);
}

static int prepare_replay(struct replay *r, struct mapping *mapping, struct err_note *note)
{
	r->im = (struct import){.arena = r->ctx->arena, .mapping = mapping};
	TRY(import_plan(&r->im));
	TRY(timeline_open(&r->timeline, &r->im));
	TRY(open_ledger(r, note));
	TRY(connect_broker(r, note));
	const uint64_t all = r->limit > 0 && (r->loop || r->limit < r->timeline.n_samples)
				     ? r->limit
				     : r->timeline.n_samples;
	progress_start(&r->progress, mapping->org, r->loop && r->limit == 0 ? 0 : (size_t)all, r->ctx->json);
	r->progress.counted = "acknowledged";
	return 0;
}

static int close_ledger(struct replay *r, struct err_note *note)
{
	FILE *ledger = r->ledger;

	r->ledger = NULL;
	return ledger && fclose(ledger) != 0 ? FAIL_SAY(note, -EIO, "the ledger cannot be written") : 0;
}

static enum status finish(struct replay *r, int code, struct err_note *note)
{
	progress_stop(&r->progress);
	if (r->publisher && (code == 0 || r->n_published > 0))
		report(r);
	publisher_close(r->publisher);
	timeline_fini(&r->timeline);
	import_fini(&r->im);
	const int closed = close_ledger(r, code == 0 ? note : NULL);
	code = code == 0 ? closed : code;
	return code < 0 ? say_failed(code, note) : STATUS_OK;
}

static enum status replay_run(struct context *ctx, int argc, char *const argv[])
{
	SCOPED(scope_mapping) struct mapping *mapping = NULL;
	struct replay r = {.ctx = ctx};
	struct mapping_options options = {
		.file = flag_text(ctx, "map"), .dir = argv[0], .find_type = find_type, .ctx = ctx};
	struct err_note note = {0};

	(void)argc;
	options.sets = flag_all(ctx, "set", &options.n_sets);
	if (!options.file || !flag_given(ctx, "broker")) {
		say("usage: holon replay --map FILE.json --broker URL DIR");
		return STATUS_USAGE;
	}
	if (read_flags(&r, &note) < 0 || mapping_open(&mapping, ctx->arena, &options, &note) < 0)
		return say_usage(&note);
	int code = prepare_replay(&r, mapping, &note);
	if (code == 0)
		code = play(&r, &note);
	const enum status status = finish(&r, code, &note);
	unit_fini();
	return status;
}

const struct verb cmd_replay[] = {
	{.name = "replay",
	 .args = "DIR --map FILE.json --broker URL [--speed N|max] [FLAG...]",
	 .summary = "send the series of tables through an MQTT broker, as if they were measured now",
	 .flags = replay_flags,
	 .min_args = 1,
	 .max_args = 1,
	 .run = replay_run},
	{0},
};
