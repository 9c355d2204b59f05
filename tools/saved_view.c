/* SPDX-License-Identifier: Apache-2.0 */
#include "tools/saved_view.h"

#include "proto/id.h"

enum status saved_view_id(struct context *ctx, const char *word, const char **ret)
{
	struct control_request request = ask_for(CONTROL_STATUS);
	struct err_note note = {0};
	struct control_answer answer;
	enum status status;

	*ret = word;
	if (strchr(word, '/'))
		return id_check_twin(word, &note) < 0 ? say_usage(&note) : STATUS_OK;
	if (id_check_segment(word, "name of a view", TAG_MAX, &note) < 0)
		return say_usage(&note);
	status = ask(ctx, &request, &answer);
	if (status != STATUS_OK)
		return status;
	*ret = arena_print(ctx->arena, "%s/views/%s", answer.status.org, word);
	return *ret ? STATUS_OK : say_failed(-ENOMEM, NULL);
}

/* Of a person's role there are no summaries: who asks in a person's name asks the owner. */
static enum status ask_owner(struct context *ctx, const char *id, struct control_answer *answer)
{
	struct control_request request = ask_for(CONTROL_TWIN_GET);
	enum status status;

	request.twin = id;
	status = ask_frankly(ctx, &request, answer);
	if (status == STATUS_OK && answer->row.n_kpis == 0) {
		answer->row.kpis = answer->values;
		answer->row.n_kpis = answer->n_values;
	}
	return status;
}

enum status saved_view_row(struct context *ctx, const char *id, const struct row **ret)
{
	struct control_request request = ask_for(CONTROL_SUMMARIES);
	struct control_answer *answer = arena_take(ctx->arena, sizeof *answer);
	enum status status;

	*ret = NULL;
	if (!answer)
		return say_failed(-ENOMEM, NULL);
	request.prefix = id;
	request.limit = 1; /* the twin itself comes before all that begin like it */
	status = ask_frankly(ctx, &request, answer);
	if (status == STATUS_OK && answer->n_summaries > 0)
		answer->row = answer->summaries[0].row;
	else if (status == STATUS_OK && ctx->person)
		status = ask_owner(ctx, id, answer);
	if (status == STATUS_OK && answer->code >= 0 && answer->row.id && strcmp(answer->row.id, id) == 0)
		*ret = &answer->row;
	return status;
}

const char *saved_view_question(const struct row *row)
{
	for (size_t i = 0; i < row->n_kpis; i++) {
		const struct kpi *k = &row->kpis[i];
		if (strcmp(k->property, SAVED_VIEW_PROPERTY) == 0 && k->sample.value.type == VALUE_TEXT)
			return k->sample.value.text;
	}
	return NULL;
}
