/* SPDX-License-Identifier: Apache-2.0 */
#include "tools/complete_ask.h"

#include "tools/client.h"
#include "tools/complete.h"
#include "tools/saved_view.h"

/* False: there is no answer, or it is a refusal. */
static bool asked(struct completion *c, struct control_request *request, struct control_answer *ret)
{
	if (c->silent || ask_frankly(&c->line, request, ret) != STATUS_OK)
		c->silent = true;
	return !c->silent && ret->code >= 0;
}

/* The next twin behind `after` that begins so; NULL: none. */
static const char *next_id(struct completion *c, const char *prefix, const char *after)
{
	struct control_request request = ask_for(CONTROL_SUMMARIES);
	struct control_answer answer;

	request.prefix = prefix;
	request.after = after;
	request.limit = 1;
	return asked(c, &request, &answer) && answer.n_summaries > 0 ? answer.summaries[0].row.id : NULL;
}

/* `~` is behind every character of an id: what begins like a path that was offered is left out. */
void complete_twins(struct completion *c)
{
	const char *prefix = c->current, *after = "", *id;
	const size_t len = strlen(prefix);

	while (c->n < COMPLETE_MAX && after && (id = next_id(c, prefix, after))) {
		const char *slash = strchr(id + len, '/');
		if (!slash) {
			completion_offer(c, id);
			after = id;
			continue;
		}
		const char *path = arena_text(c->line.arena,
					      (struct bytes){(const uint8_t *)id, (size_t)(slash - id) + 1});
		if (path)
			completion_offer(c, path);
		after = path ? arena_print(c->line.arena, "%s~", path) : NULL;
	}
}

/* By the last word of their id where that is enough. */
void complete_views(struct completion *c)
{
	struct control_request request = ask_for(CONTROL_STATUS);
	struct control_answer answer;
	const char *prefix, *after = "", *id;

	if (!asked(c, &request, &answer))
		return;
	prefix = arena_print(c->line.arena, "%s/views/", answer.status.org);
	while (prefix && c->n < COMPLETE_MAX && (id = next_id(c, prefix, after))) {
		completion_offer(c, id + strlen(prefix));
		after = id;
	}
}

void complete_twins_and_views(struct completion *c)
{
	complete_views(c);
	complete_twins(c);
}

static void offer_property(struct completion *c, const char *before, const char *property)
{
	const char *word = arena_print(c->line.arena, "%s%s", before, property);

	if (word)
		completion_offer(c, word);
}

/* Of one type, or (name NULL) of all: each once. */
static bool type_properties(struct completion *c, const char *before, const char *name)
{
	struct control_request request = ask_for(name ? CONTROL_TYPE_GET : CONTROL_TYPE_LIST);
	struct control_answer answer;
	size_t n_types;

	request.name = name ? name : "";
	if (!asked(c, &request, &answer))
		return false;
	n_types = name && answer.n_types > 1 ? 1 : answer.n_types;
	for (size_t t = 0; t < n_types; t++)
		for (size_t p = 0; p < answer.types[t].n_properties; p++) {
			const char *property = answer.types[t].properties[p].name;
			bool known = false;
			for (size_t before_t = 0; before_t < t && !known; before_t++)
				known = type_property(&answer.types[before_t], property, NULL) != NULL;
			if (!known)
				offer_property(c, before, property);
		}
	return n_types > 0;
}

static void offer_properties(struct completion *c, const char *before)
{
	const struct row *row = NULL;
	const bool has_twin = c->line.n_args > 0 && strchr(c->line.args[c->line.n_args - 1], '/');
	const bool of_twin = has_twin && strncmp(c->line.command->name, "view", 4) != 0 &&
			     strcmp(c->line.command->name, "watch") != 0;

	if (of_twin && saved_view_row(&c->line, c->line.args[c->line.n_args - 1], &row) != STATUS_OK)
		return;
	if (row && *row->type && type_properties(c, before, row->type))
		return;
	for (size_t i = 0; row && i < row->n_kpis; i++)
		offer_property(c, before, row->kpis[i].property);
	if (!row)
		type_properties(c, before, NULL);
}

void complete_properties(struct completion *c)
{
	offer_properties(c, "");
}

void complete_rollups(struct completion *c)
{
	const char *colon = strchr(c->current, ':');

	if (colon) {
		const char *fn = arena_text(c->line.arena, (struct bytes){(const uint8_t *)c->current,
									  (size_t)(colon - c->current) + 1});
		offer_properties(c, fn ? fn : "");
	}
}

void complete_types(struct completion *c)
{
	struct control_request request = ask_for(CONTROL_TYPE_LIST);
	struct control_answer answer;

	if (!asked(c, &request, &answer))
		return;
	for (size_t i = 0; i < answer.n_types; i++)
		completion_offer(c, answer.types[i].name);
}

void complete_orgs(struct completion *c)
{
	struct control_request request = ask_for(CONTROL_ORG_SHOW);
	struct control_answer answer;

	if (!asked(c, &request, &answer))
		return;
	for (size_t i = 0; i < answer.n_orgs; i++)
		completion_offer(c, answer.orgs[i].name);
}

void complete_commands(struct completion *c)
{
	struct control_request request = ask_for(CONTROL_COMMANDS);
	struct control_answer answer;
	struct command_record record;
	char id[COMMAND_ID_TEXT_SIZE];
	struct command command;

	request.limit = COMPLETE_MAX;
	if (!asked(c, &request, &answer))
		return;
	for (size_t i = 0; i < answer.n_commands; i++) {
		if (command_record_decode(c->line.arena, answer.commands[i], &record) < 0 ||
		    record.permit.len > 0 || command_of_record(c->line.arena, &record, &command) < 0)
			continue;
		command_id_text(command.id, id);
		completion_offer(c, id);
	}
}

void complete_operations(struct completion *c)
{
	static const char *const built_in[] = {OPERATION_ACK, OPERATION_SHELVE, OPERATION_SET};
	struct control_request request = ask_for(CONTROL_TYPE_GET);
	const struct row *row = NULL;
	struct control_answer answer;

	for (size_t i = 0; i < sizeof built_in / sizeof *built_in; i++)
		completion_offer(c, built_in[i]);
	if (c->line.n_args == 0 || saved_view_row(&c->line, c->line.args[0], &row) != STATUS_OK || !row)
		return;
	request.name = row->type;
	if (!*row->type || !asked(c, &request, &answer) || answer.n_types == 0)
		return;
	for (size_t i = 0; i < answer.types[0].n_operations; i++)
		completion_offer(c, answer.types[0].operations[i].name);
}

void complete_alarms(struct completion *c)
{
	struct control_request request = ask_for(CONTROL_TWIN_ALARMS);
	struct control_answer answer;

	if (c->line.n_args == 0)
		return;
	request.prefix = c->line.args[0];
	if (!asked(c, &request, &answer))
		return;
	for (size_t i = 0; i < answer.n_twin_alarms; i++)
		if (strcmp(answer.twin_alarms[i].twin, c->line.args[0]) == 0)
			completion_offer(c, answer.twin_alarms[i].alarm.name);
}
