/* SPDX-License-Identifier: Apache-2.0 */
#include <inttypes.h>

#include "proto/clock.h"
#include "proto/expr.h"
#include "proto/words.h"
#include "tools/client.h"
#include "tools/csv.h"
#include "tools/json.h"
#include "tools/print.h"
#include "tools/show.h"
#include "tools/view_flags.h"
#include "tools/view_show.h"

enum { LIMIT = 100, PAGE = 1000, NODE_GRACE_S = 2 };

static const struct flag find_flags[] = {
	{"show", "PROPERTY", "show this value of each twin", true},
	{"limit", "N", "at most so many twins (default: 100; 0: all)", false},
	{"count", NULL, "only how many there are", false},
	{"offline", NULL, "ask no other node: last summaries only", false},
	{"fresh", "DURATION", "summaries vouched for within this time are good enough (default: always ask)",
	 false},
	{"deadline", "DURATION", "after this the last summaries are taken (default: the node's)", false},
	{"csv", NULL, "answer with CSV, a line for each twin; the certificate on stderr", false},
	{0},
};

/* What is found, page by page. */
struct found {
	struct context *ctx;
	struct view_question *q;
	uint32_t limit, shown;  /* limit 0: all */
	struct view_part first; /* of the first page: its certificate is that of the whole */
	bool more, degraded;
	struct json json;
	struct table table;
};

static int read_flags(struct context *ctx, const char *where, struct found *f, struct err_note *note)
{
	struct view_question *q = f->q;
	struct expr *e;

	*q = (struct view_question){.hierarchy = "", .by_property = "", .after = "", .where = where};
	TRY(expr_parse(ctx->arena, where, &e, note));
	TRY(view_flags_read_show(ctx, q, note));
	TRY(flag_count(ctx, "limit", LIMIT, &f->limit, note));
	TRY(flag_duration(ctx, "fresh", 0, &q->fresh_ns, note));
	TRY(flag_duration(ctx, "deadline", 0, &q->deadline_ns, note));
	q->offline = flag_given(ctx, "offline");
	if (flag_given(ctx, "csv") && ctx->json)
		return FAIL_SAY(note, ERR_REFUSED, "give one of --json, --csv");
	if (flag_given(ctx, "count") && flag_given(ctx, "csv"))
		return FAIL_SAY(note, ERR_REFUSED, "--count is one number: without --csv");
	return 0;
}

static const struct kpi *value_of(const struct view_member *m, const char *property)
{
	for (size_t i = 0; i < m->n_values; i++)
		if (strcmp(m->values[i].property, property) == 0 &&
		    m->values[i].sample.value.type != VALUE_NONE)
			return &m->values[i];
	return NULL;
}

/* ---- CSV */

static void put_cell(const char *text)
{
	putchar(',');
	csv_put_text(stdout, text ? text : "");
}

static void csv_heading(const struct found *f)
{
	fputs("id,name,kind,type,state,life_cycle,health", stdout);
	for (size_t i = 0; i < f->q->n_show; i++) {
		put_cell(f->q->show[i]);
		put_cell(arena_print(f->ctx->arena, "%s unit", f->q->show[i]));
		put_cell(arena_print(f->ctx->arena, "%s t", f->q->show[i]));
	}
	putchar('\n');
}

static void csv_twin(const struct found *f, const struct view_member *m)
{
	char at[TIME_TEXT_SIZE];

	csv_put_text(stdout, m->id);
	put_cell(m->name);
	put_cell(kind_text(m->kind));
	put_cell(m->type);
	put_cell(member_state_text(m->state));
	put_cell(life_cycle_text(m->life));
	put_cell(health_text(m->health));
	for (size_t i = 0; i < f->q->n_show; i++) {
		const struct kpi *k = value_of(m, f->q->show[i]);
		put_cell(k ? value_text(f->ctx->arena, &k->sample.value) : "");
		put_cell(k ? k->unit : "");
		put_cell(k ? time_text(k->sample.t_ns, at) : "");
	}
	putchar('\n');
}

/* ---- For people */

static void table_heading(struct found *f)
{
	f->table = (struct table){.arena = f->ctx->arena, .width = terminal_width(stdout)};
	table_column(&f->table, COLUMN_LEFT, "TWIN");
	table_column(&f->table, COLUMN_LEFT, "KIND");
	table_column(&f->table, COLUMN_LEFT, "TYPE");
	table_column(&f->table, COLUMN_LEFT, "HEALTH");
	for (size_t i = 0; i < f->q->n_show; i++)
		table_column(&f->table, COLUMN_RIGHT, f->q->show[i]);
	table_column(&f->table, COLUMN_LEFT, "STATE");
	table_column(&f->table, COLUMN_GIVES, "NAME");
}

static enum paint paint_of(enum health health)
{
	return health == HEALTH_ALARM     ? PAINT_ALARM
	       : health == HEALTH_WARNING ? PAINT_WARNING
	       : health == HEALTH_GOOD    ? PAINT_GOOD
					  : PAINT_DIM;
}

static void table_twin(struct found *f, const struct view_member *m)
{
	table_cell(&f->table, PAINT_BOLD, m->id);
	table_cell(&f->table, PAINT_PLAIN, kind_text(m->kind));
	table_cell(&f->table, PAINT_PLAIN, m->type);
	table_cell(&f->table, paint_of(m->health), health_text(m->health));
	for (size_t i = 0; i < f->q->n_show; i++) {
		const struct kpi *k = value_of(m, f->q->show[i]);
		table_cell(&f->table, PAINT_PLAIN,
			   k ? sample_words(f->ctx->arena, &k->sample, k->unit) : "-");
	}
	table_cell(&f->table, m->state == MEMBER_LIVE ? PAINT_PLAIN : PAINT_WARNING,
		   member_state_text(m->state));
	table_cell(&f->table, PAINT_DIM, m->name);
}

/* ---- The whole */

static void begin_form(struct found *f)
{
	if (f->ctx->json) {
		json_open(&f->json, NULL, '{');
		json_text(&f->json, "where", f->q->where);
		if (!flag_given(f->ctx, "count"))
			json_open(&f->json, "twins", '[');
	} else if (flag_given(f->ctx, "csv")) {
		csv_heading(f);
	} else if (!flag_given(f->ctx, "count")) {
		table_heading(f);
	}
}

static void show_twin(struct found *f, const struct view_member *m)
{
	if (f->ctx->json) {
		json_open(&f->json, NULL, '{');
		view_member_json(&f->json, f->q, m);
		json_close(&f->json);
	} else if (flag_given(f->ctx, "csv")) {
		csv_twin(f, m);
	} else {
		table_twin(f, m);
	}
}

static void say_problems(const struct found *f)
{
	for (size_t i = 0; i < f->first.n_problems; i++) {
		fputs("holon: problem: ", stderr);
		print_clean(stderr, f->first.problems[i]);
		fputc('\n', stderr);
	}
}

static void end_json(struct found *f)
{
	if (!flag_given(f->ctx, "count")) {
		json_close(&f->json);
		json_bool(&f->json, "more", f->more);
	}
	json_count(&f->json, "found", f->first.counts.members);
	view_certificate_json(&f->json, &f->first);
	json_close(&f->json);
}

/* `12 found: 10 live, 2 cached (volt/east 12s ago)` */
static const char *certificate(const struct found *f)
{
	const char *whole = view_certificate_text(f->ctx->arena, &f->first);
	const char *rest = strchr(whole, ':');
	const uint64_t n = f->first.counts.members;
	const char *number = n > 0 ? human_count(f->ctx->arena, n) : "nothing";

	if (!rest || rest[1] == '\0')
		rest = "";
	return text_or_empty(arena_print(f->ctx->arena, "%s found%s", number, rest));
}

static void end_form(struct found *f)
{
	struct arena *a = f->ctx->arena;
	const uint64_t n = f->first.counts.members;
	const bool count = flag_given(f->ctx, "count"), csv = flag_given(f->ctx, "csv");

	if (f->ctx->json) {
		end_json(f);
		return;
	}
	if (count)
		printf("%" PRIu64 "\n", n);
	else if (!csv && f->shown > 0)
		table_print(&f->table, stdout);
	if (count ? f->degraded : csv)
		say("%s", certificate(f));
	else if (!count)
		puts(certificate(f));
	if (f->more && !count)
		say("the first %s are shown: --limit N for more", human_count(a, f->shown));
	say_problems(f);
}

static uint32_t next_limit(const struct found *f)
{
	if (flag_given(f->ctx, "count"))
		return 0;
	if (f->limit == 0)
		return PAGE;
	return f->limit - f->shown < PAGE ? f->limit - f->shown : PAGE;
}

static enum status ask_page(struct found *f, struct control_request *request)
{
	struct control_answer answer;

	request->question.limit = next_limit(f);
	const enum status status = ask(f->ctx, request, &answer);
	if (status != STATUS_OK)
		return status;
	if (f->q->after[0] == '\0') {
		f->first = answer.view;
		begin_form(f);
	}
	for (size_t i = 0; i < answer.view.n_members; i++)
		show_twin(f, &answer.view.members[i]);
	f->shown += (uint32_t)answer.view.n_members;
	f->more = answer.more;
	f->degraded |= view_is_degraded(f->q, &answer.view);
	if (answer.view.n_members > 0)
		f->q->after = answer.view.members[answer.view.n_members - 1].id;
	return STATUS_OK;
}

static enum status find_run(struct context *ctx, int argc, char *const argv[])
{
	struct control_request request = ask_for(CONTROL_FIND);
	struct found f = {.ctx = ctx, .q = &request.question, .json.out = stdout};
	struct err_note note = {0};
	enum status status;

	(void)argc;
	if (read_flags(ctx, argv[0], &f, &note) < 0)
		return say_usage(&note);
	status = ask_open(ctx);
	if (status != STATUS_OK)
		return status;
	if (f.q->deadline_ns > ctx->timeout_ns - NODE_GRACE_S * NS_PER_S)
		client_set_timeout(ctx->client, f.q->deadline_ns + NODE_GRACE_S * NS_PER_S);
	do
		status = ask_page(&f, &request);
	while (status == STATUS_OK && f.more && (f.limit == 0 || f.shown < f.limit));
	if (status != STATUS_OK)
		return status;
	f.more &= f.limit > 0 && f.first.counts.members > f.shown;
	end_form(&f);
	return f.degraded ? STATUS_DEGRADED : STATUS_OK;
}

const struct verb cmd_find[] = {
	{.name = "find",
	 .args = "EXPR [--show PROPERTY]... [--limit N] [--count] [--offline] [--csv]",
	 .summary = "find twins, whoever owns them, for which an expression is true",
	 .flags = find_flags,
	 .min_args = 1,
	 .max_args = 1,
	 .run = find_run},
	{0},
};
