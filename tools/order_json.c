/* SPDX-License-Identifier: Apache-2.0 */
#include "tools/order_json.h"

#include <stdlib.h>
#include <string.h>

#include "tools/json.h"

static void put_common(struct json *j, const struct order *o)
{
	if (o->deadline_ns > 0)
		json_time(j, "deadline", o->deadline_ns);
	if (o->person && *o->person)
		json_text(j, "person", o->person);
	json_close(j);
}

static void put_command(struct json *j, const struct order *o)
{
	char id[COMMAND_ID_TEXT_SIZE];

	command_id_text(o->id, id);
	json_text(j, "command", id);
	json_text(j, "twin", o->twin);
	json_text(j, "operation", o->operation);
	json_open(j, "arguments", '{');
	for (size_t i = 0; i < o->n_arguments; i++)
		json_value(j, o->arguments[i].name, &o->arguments[i].value);
	json_close(j);
}

static void put_desired(struct json *j, const struct order *o)
{
	json_text(j, "desired", o->operation);
	json_text(j, "twin", o->twin);
	json_value(j, "value", &o->desired.value);
	json_time(j, "t", o->desired.t_ns);
}

int order_to_json(const struct order *order, char **ret, size_t *ret_len)
{
	char *text = NULL;
	size_t len = 0;
	struct json j = {.out = open_memstream(&text, &len)};

	if (!j.out)
		return FAIL(-ENOMEM);
	json_open(&j, NULL, '{');
	if (order->is_command)
		put_command(&j, order);
	else
		put_desired(&j, order);
	put_common(&j, order);
	if (fclose(j.out) != 0) {
		free(text);
		return FAIL(-ENOMEM);
	}
	*ret = text;
	*ret_len = len;
	return 0;
}

bool word_is_json(const json_t *line)
{
	return json_object_get(line, "command") != NULL;
}

int word_of_json(const struct spot *s, struct command_word *ret, struct err_note *note)
{
	static const char *const keys[] = {"command", "state", "text", NULL};
	const struct spot id_spot = spot_key(s, "command"), state_spot = spot_key(s, "state");
	const char *id, *state;

	TRY(in_object(s, keys, note));
	TRY(in_text(s, "command", NULL, &id, note));
	TRY(in_text(s, "state", NULL, &state, note));
	TRY(in_text(s, "text", "", &ret->text, note));
	if (!command_id_parse(id, ret->id))
		return spot_fail(&id_spot, note, "'%.40s' is not the id of a command", id);
	if (!command_state_parse(state, &ret->state) ||
	    (ret->state != COMMAND_ACCEPTED && ret->state != COMMAND_DONE && ret->state != COMMAND_FAILED))
		return spot_fail(&state_spot, note, "'%.40s' is not accepted, done or failed", state);
	return 0;
}
