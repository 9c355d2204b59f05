/* SPDX-License-Identifier: Apache-2.0 */
/* Orders out as JSON, words on commands in. */
#include <stdlib.h>
#include <string.h>

#include "node/mqtt_adapter.h"
#include "node/value_json.h"
#include "proto/clock.h"

/* ---- Out -------------------------------------------------------------------------------------------------
 */

static const struct mqtt_target *find_target(const struct mqtt_targets *list, const char *twin,
					     struct topic_variables *ret)
{
	for (size_t i = 0; i < list->n; i++)
		if (topic_match(list->of[i].twins, bytes_of_text(twin), ret))
			return &list->of[i];
	return NULL;
}

static json_t *arguments_json(const struct order *o)
{
	json_t *all = json_object();

	for (size_t i = 0; i < o->n_arguments; i++)
		json_object_set_new(all, o->arguments[i].name, value_to_json(&o->arguments[i].value));
	return all;
}

static json_t *command_json(const struct order *o)
{
	char id[COMMAND_ID_TEXT_SIZE];

	command_id_text(o->id, id);
	return json_pack("{s:s, s:s, s:s, s:o}", "command", id, "twin", o->twin, "operation", o->operation,
			 "arguments", arguments_json(o));
}

static json_t *desired_json(const struct order *o)
{
	char at[TIME_TEXT_SIZE];

	return json_pack("{s:s, s:s, s:o, s:s}", "twin", o->twin, "desired", o->operation, "value",
			 value_to_json(&o->desired.value), "t", time_text(o->desired.t_ns, at));
}

/* NULL: -ENOMEM. To be freed. */
static char *order_text(const struct order *o)
{
	json_t *j = o->is_command ? command_json(o) : desired_json(o);
	char until[TIME_TEXT_SIZE];

	if (j && o->deadline_ns != 0)
		json_object_set_new(j, "deadline", json_string(time_text(o->deadline_ns, until)));
	if (j && o->person && o->person[0])
		json_object_set_new(j, "by", json_string(o->person));
	char *text = j ? json_dumps(j, JSON_COMPACT) : NULL;
	json_decref(j);
	return text;
}

/* On the clock of the loop; 0: none. False: it is over. */
static bool deadline_of(const struct mqtt_adapter *m, const struct order *o, int64_t *ret_ms)
{
	const int64_t left_ms = (o->deadline_ns - engine_wall_ns()) / NS_PER_MS;

	*ret_ms = o->deadline_ns ? (int64_t)uv_now(&m->engine->loop) + left_ms : 0;
	return o->deadline_ns == 0 || left_ms > 0;
}

static int publish(struct mqtt_adapter *m, const char *topic, const struct order *o, struct err_note *note)
{
	struct mqtt_publish p = {.topic = topic};
	uint64_t id;

	if (!deadline_of(m, o, &p.deadline_ms)) {
		adapter_count(m->adapter, COUNT_EXPIRED, 1);
		return FAIL_SAY(note, ERR_REFUSED, "its deadline is over");
	}
	char *text = order_text(o);
	if (!text)
		return FAIL(-ENOMEM);
	p.payload = bytes_of_text(text);
	const int r = mqtt_client_publish(m->client, &p, &id);
	free(text);
	if (r == MQTT_BUSY)
		return FAIL_SAY(note, ERR_UNREACHABLE, "the broker of %s is slow: %zu messages wait for it",
				adapter_name(m->adapter), mqtt_client_waiting(m->client));
	if (r == ERR_REFUSED)
		return FAIL_SAY(note, r,
				"the broker of %s takes no message that is so long, or no topic %.80s",
				adapter_name(m->adapter), topic);
	return r;
}

int mqtt_order(void *self, const struct order *order, struct err_note *note)
{
	struct mqtt_adapter *m = self;
	char topic[TOPIC_PATTERN_MAX + TWIN_ID_MAX + 1];
	struct topic_variables v;
	const struct mqtt_target *t =
		find_target(order->is_command ? &m->commands : &m->desired, order->twin, &v);

	if (!t)
		return ERR_ABSENT;
	if (!mqtt_client_is_up(m->client))
		return FAIL_SAY(note, ERR_UNREACHABLE, "%s has no connection to its broker",
				adapter_name(m->adapter));
	if (!topic_fill(t->topic, &v, topic, sizeof topic))
		return FAIL_SAY(note, ERR_REFUSED, "the topic would be too long");
	return publish(m, topic, order, note);
}

/* ---- In --------------------------------------------------------------------------------------------------
 */

/* NULL: it is a word; else what is wrong. */
static const char *read_word(const json_t *j, struct command_word *ret)
{
	const char *id = json_string_value(json_object_get(j, "command"));
	const char *state = json_string_value(json_object_get(j, "state"));
	const char *text = json_string_value(json_object_get(j, "text"));

	if (!j)
		return "it is no JSON";
	if (!id || !command_id_parse(id, ret->id))
		return "there is no id at 'command'";
	if (!state || !command_state_parse(state, &ret->state) ||
	    (ret->state != COMMAND_ACCEPTED && ret->state != COMMAND_DONE && ret->state != COMMAND_FAILED))
		return "'state' must be accepted, done or failed";
	ret->text = text ? text : "";
	return NULL;
}

bool mqtt_take_word(struct mqtt_adapter *m, const struct mqtt_message *in, const char *topic)
{
	struct topic_variables v;
	struct command_word word;
	bool is_ack = false;

	for (size_t i = 0; i < m->commands.n && !is_ack; i++)
		is_ack =
			m->commands.of[i].ack && topic_match(m->commands.of[i].ack, bytes_of_text(topic), &v);
	if (!is_ack)
		return false;
	json_t *j = json_loadb((const char *)in->payload.data, in->payload.len, JSON_REJECT_DUPLICATES, NULL);
	const char *wrong = read_word(j, &word);
	if (wrong)
		adapter_dead(m->adapter, topic, in->payload, wrong);
	else
		adapter_word(m->adapter, &word);
	json_decref(j);
	return true;
}
