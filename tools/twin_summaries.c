/* SPDX-License-Identifier: Apache-2.0 */
#include "proto/clock.h"
#include "tools/print.h"
#include "tools/show.h"
#include "tools/twin_show.h"

enum { PAGE = 1000 };

static void kpis_json(struct json *j, const struct row *r)
{
	json_open(j, "kpis", '[');
	for (size_t i = 0; i < r->n_kpis; i++) {
		json_open(j, NULL, '{');
		json_text(j, "property", r->kpis[i].property);
		json_text(j, "unit", r->kpis[i].unit);
		show_sample_members(j, &r->kpis[i].sample);
		json_close(j);
	}
	json_close(j);
}

static void summary_json(struct json *j, const struct twin_summary *s)
{
	json_open(j, NULL, '{');
	show_row_members(j, &s->row);
	json_text(j, "origin", s->origin);
	json_text(j, "life_cycle", life_cycle_text(s->row.life));
	json_text(j, "health", health_text(s->row.health));
	show_row_alarms(j, &s->row);
	show_row_parents(j, &s->row);
	kpis_json(j, &s->row);
	json_count(j, "lineage", s->row.version.lineage);
	json_time(j, "changed", s->row.version.stamp_ns);
	json_close(j);
}

static void summary_row(struct table *table, const struct twin_summary *s)
{
	const struct row *r = &s->row;
	char at[TIME_TEXT_SIZE];

	table_row(table,
		  (const char *[]){r->id, s->origin, kind_text(r->kind), r->type, life_cycle_text(r->life),
				   words_joined(table->arena, r->tags, r->n_tags),
				   arena_copy(table->arena, time_text(r->version.stamp_ns, at))});
}

static void show_page(struct context *ctx, struct json *j, struct table *table,
		      const struct control_answer *answer)
{
	if (ctx->json && j->depth == 0) {
		json_open(j, NULL, '{');
		json_open(j, "summaries", '[');
	}
	for (size_t i = 0; i < answer->n_summaries; i++) {
		if (ctx->json)
			summary_json(j, &answer->summaries[i]);
		else
			summary_row(table, &answer->summaries[i]);
	}
}

enum status twin_summaries_run(struct context *ctx, int argc, char *const argv[])
{
	struct control_request request = ask_for(CONTROL_SUMMARIES);
	struct table table = {.arena = ctx->arena, .n_columns = 7};
	struct json j = {.out = stdout};
	struct control_answer answer;

	request.prefix = argc > 0 ? argv[0] : "";
	request.limit = PAGE;
	table_row(&table, (const char *[]){"TWIN", "OWNER", "KIND", "TYPE", "LIFE", "TAGS", "CHANGED"});
	do {
		const enum status status = ask(ctx, &request, &answer);
		if (status != STATUS_OK)
			return status;
		show_page(ctx, &j, &table, &answer);
		if (answer.n_summaries > 0)
			request.after = answer.summaries[answer.n_summaries - 1].row.id;
	} while (answer.more && answer.n_summaries > 0);
	while (j.depth > 0)
		json_close(&j);
	if (!ctx->json)
		table_print(&table, stdout);
	return STATUS_OK;
}
