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
	if (status == STATUS_OK && answer->code < 0) { /* people may ask for a twin, but not for all */
		request = ask_for(CONTROL_TWIN_GET);
		request.twin = id;
		status = ask_frankly(ctx, &request, answer);
	}
	if (status != STATUS_OK)
		return status;
	const struct row *row = answer->n_summaries > 0 ? &answer->summaries[0].row : &answer->row;
	if (answer->code >= 0 && row->id && strcmp(row->id, id) == 0)
		*ret = row;
	return STATUS_OK;
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
