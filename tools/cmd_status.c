/* SPDX-License-Identifier: Apache-2.0 */
#include <inttypes.h>

#include "proto/clock.h"
#include "tools/json.h"
#include "tools/print.h"
#include "tools/report_show.h"
#include "tools/verb.h"

/* Every number of a status, for both forms. */
#define COUNTS(X) \
	X(n_twins, "twins") \
	X(n_types, "types") \
	X(n_relations, "relations") \
	X(n_series, "series") \
	X(n_remote_rows, "remote_rows") \
	X(n_peers, "peers") \
	X(seq, "seq") \
	X(epoch, "policy_epoch") \
	X(malformed_frames, "malformed_frames") \
	X(refused_handshakes, "refused_handshakes") \
	X(held_handshakes, "held_handshakes") \
	X(kicks, "kicks") \
	X(refused_frames, "refused_frames") \
	X(open_files, "open_files") \
	X(most_files, "most_files") \
	X(samples_taken, "samples_taken") \
	X(samples_refused, "samples_refused") \
	X(backlog_samples, "backlog_samples") \
	X(commits, "commits") \
	X(n_runs, "history_runs") \
	X(n_chunks, "history_chunks") \
	X(scrubbed_chunks, "chunks_checked") \
	X(rotten_chunks, "chunks_damaged")

/* Those of them that are sizes. */
#define SIZES(X) \
	X(store_bytes, "store_bytes") \
	X(log_bytes, "log_bytes") \
	X(resident_bytes, "resident_bytes")

/* "commands refused": the key is commands_refused. */
static void counts_json(struct json *j, struct arena *a, const struct node_status *s)
{
	json_open(j, "counts", '{');
	for (size_t i = 0; i < s->n_counts; i++) {
		char *key = arena_print(a, "%s", s->counts[i].name);
		for (char *p = key; p && *p; p++)
			*p = *p == ' ' ? '_' : *p;
		if (key)
			json_count(j, key, s->counts[i].n);
	}
	json_close(j);
}

static void status_json(struct arena *a, const struct control_answer *answer)
{
	const struct node_status *s = &answer->status;
	struct json j = {.out = stdout};
	char incarnation[17];

	snprintf(incarnation, sizeof incarnation, "%016" PRIx64, s->incarnation);
	json_open(&j, NULL, '{');
	json_text(&j, "org", s->org);
	json_text(&j, "node", s->node);
	json_text(&j, "roles", s->roles);
	json_text(&j, "version", s->version);
	json_text(&j, "state", s->state);
	json_text(&j, "incarnation", incarnation);
#define X(field, name) json_count(&j, name, s->field);
	COUNTS(X)
	SIZES(X)
#undef X
	json_seconds(&j, "commit_p99_s", (int64_t)s->commit_p99_ns);
	json_seconds(&j, "uptime_s", s->uptime_ns);
	json_time(&j, "credential_until", s->credential_until_ns);
	json_text(&j, "border", s->border);
	json_time(&j, "fresh_until", s->fresh_until_ns != 0 ? s->fresh_until_ns : TIME_MIN);
	json_seconds(&j, "clock_back_s", s->clock_back_ns);
	json_text(&j, "self_test", s->self_test);
	report_counts_json(&j, &s->mesh);
	counts_json(&j, a, s);
	report_alarms_json(&j, answer->alarms, answer->n_alarms);
	json_count(&j, "alarms_left_out", s->alarms_left_out);
	json_close(&j);
}

static void line(const char *what, const char *text)
{
	for (size_t i = 0; i < 20; i++) /* the keys of the JSON form, with blanks */
		putchar(i >= strlen(what) || what[i] == '_' ? ' ' : what[i]);
	print_clean(stdout, text);
	putchar('\n');
}

/* Of an organisation without admin nodes there is nothing to say. */
static void trust_lines(const struct node_status *s)
{
	char until[TIME_TEXT_SIZE];

	if (strcmp(s->border, "none") != 0)
		line("border", s->border);
	if (s->fresh_until_ns != TIME_MAX)
		line("fresh until",
		     s->fresh_until_ns == 0
			     ? "never heard"
			     : time_text(s->fresh_until_ns - s->fresh_until_ns % NS_PER_S, until));
}

static void status_text(struct arena *a, const struct control_answer *answer)
{
	const struct node_status *s = &answer->status;
	char duration[DURATION_TEXT_SIZE], until[TIME_TEXT_SIZE];
	const char *title = arena_print(a, "%s/%s", s->org, s->node);

	paint(stdout, PAINT_BOLD, title ? title : "");
	fputs(": ", stdout);
	paint(stdout, strcmp(s->state, "serving") == 0 ? PAINT_GOOD : PAINT_WARNING, s->state);
	putchar('\n');
	line("roles", s->roles);
	line("version", s->version);
	line("up", duration_text(s->uptime_ns, duration));
	line("credential until",
	     time_text(s->credential_until_ns - s->credential_until_ns % NS_PER_S, until));
	trust_lines(s);
	line("self_test", s->self_test);
#define X(field, name) line(name, human_count(a, s->field));
	COUNTS(X)
#undef X
#define X(field, name) line(name, report_size_words(a, s->field));
	SIZES(X)
#undef X
	line("commit p99", s->commits > 0 ? duration_text((int64_t)s->commit_p99_ns, duration) : "-");
	report_counts_text(a, &s->mesh, line);
	for (size_t i = 0; i < s->n_counts; i++)
		if (s->counts[i].n > 0)
			line(human_count(a, s->counts[i].n), s->counts[i].name);
	report_alarms_text(a, answer->alarms, answer->n_alarms);
	if (s->alarms_left_out > 0)
		say("%s more alarms are not listed: see the log of holond",
		    human_count(a, s->alarms_left_out));
}

static enum status status_run(struct context *ctx, int argc, char *const argv[])
{
	struct control_request request = ask_for(CONTROL_STATUS);
	struct control_answer answer;
	const enum status status = ask(ctx, &request, &answer);

	(void)argc, (void)argv;
	if (status != STATUS_OK)
		return status;
	if (ctx->json)
		status_json(ctx->arena, &answer);
	else
		status_text(ctx->arena, &answer);
	return STATUS_OK;
}

const struct verb cmd_status[] = {
	{.name = "status", .args = "", .summary = "show what the node is and how it does", .run = status_run},
	{0},
};
