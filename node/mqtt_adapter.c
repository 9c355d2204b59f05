/* SPDX-License-Identifier: Apache-2.0 */
/* The MQTT adapter: messages become samples by its mappings, and are acknowledged when these are durable. */
#include "node/mqtt_adapter.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "proto/clock.h"

/* For one payload of PAYLOAD_RECORDS_MAX records; jansson takes its memory by itself. */
enum { SCRATCH_BYTES = 32 * 1024 * 1024, CONFIG_BYTES = 16 * 1024 * 1024, TOPIC_MAX = 65535 };

/* ---- Samples ---------------------------------------------------------------------------------------------
 */

static const struct property_def *on_wants(void *ctx, const char *property)
{
	const struct taking_message *k = ctx;
	size_t place;

	return k->twin->type ? type_property(&k->twin->type->def, property, &place) : NULL;
}

void mqtt_take_fault(void *message, const char *reason)
{
	const struct taking_message *k = message;

	adapter_dead(k->m->adapter, k->topic, k->payload, reason);
}

static void on_put(void *ctx, const char *property, const struct sample *s)
{
	const struct taking_message *k = ctx;
	struct err_note note = {0};
	uint32_t series;

	if (k->put) {
		k->put(k->ctx, k->twin->id, property, s);
		return;
	}
	int r = feed_series(k->m->feed, k->twin->id, property, &series, &note);
	if (r == 0)
		r = feed_put(k->m->feed, series, s, k->token);
	if (r < 0)
		mqtt_take_fault(ctx, note.text[0] ? note.text : err_text(r));
}

static void on_wrong_clock(void *ctx)
{
	const struct taking_message *k = ctx;

	adapter_count(k->m->adapter, COUNT_CLOCK, 1);
}

void mqtt_take_by(struct taking_message *k, struct payload_map *map, const struct topic_variables *v,
		  const struct spark_word *word)
{
	char id[TWIN_ID_MAX + 1], reason[TWIN_ID_MAX + 64];

	if (!topic_fill(map->twin, v, id, sizeof id)) {
		mqtt_take_fault(k, "the id of its twin would be too long");
		return;
	}
	k->twin = store_twin(k->m->engine->store, id);
	if (!k->twin) {
		snprintf(reason, sizeof reason, "there is no twin %s here", id);
		mqtt_take_fault(k, reason);
		return;
	}
	arena_reset(k->m->scratch);
	const struct payload_sink sink = {.wants = on_wants,
					  .put = on_put,
					  .fault = mqtt_take_fault,
					  .wrong_clock = on_wrong_clock,
					  .ctx = k,
					  .now_ns = engine_wall_ns()};
	if (word)
		payload_take_word(map, v, word, k->m->scratch, &sink);
	else
		payload_take(map, v, k->payload, k->m->scratch, &sink);
}

static void take_payload(struct taking_message *k)
{
	struct mqtt_adapter *m = k->m;
	struct topic_variables v;
	size_t n = 0;

	if (mqtt_take_spark(k))
		return;
	for (size_t i = 0; i < m->n_maps && (n == 0 || m->keys.match == MQTT_ALL); i++) {
		if (!topic_match(m->maps[i].topic, bytes_of_text(k->topic), &v))
			continue;
		mqtt_take_by(k, &m->maps[i], &v, NULL);
		n++;
	}
	if (n == 0)
		mqtt_take_fault(k, "no mapping has this topic");
}

/* ---- Messages --------------------------------------------------------------------------------------------
 */

/* True: it was a word on a command. */
static bool take_message(struct mqtt_adapter *m, const struct mqtt_message *in)
{
	char topic[TOPIC_MAX + 1], reason[80];
	struct taking_message k = {
		.m = m, .topic = topic, .payload = in->payload, .token = in->token, .again = in->again};

	memcpy(topic, in->topic.data, in->topic.len);
	topic[in->topic.len] = '\0';
	if (in->payload_bytes > in->payload.len) {
		snprintf(reason, sizeof reason, "its payload is too long: more than %lld bytes",
			 (long long)m->keys.payload_max);
		mqtt_take_fault(&k, reason);
		return false;
	}
	if (mqtt_take_word(m, in, topic))
		return true;
	take_payload(&k);
	return false;
}

static void on_message(void *ctx, const struct mqtt_message *in)
{
	struct mqtt_adapter *m = ctx;

	adapter_count(m->adapter, COUNT_MESSAGES, 1);
	adapter_count(m->adapter, COUNT_AGAIN, in->again);
	if (take_message(m, in))
		feed_mark_behind(m->feed, in->token);
	else
		feed_mark(m->feed, in->token);
	if (feed_is_full(m->feed))
		mqtt_client_pause(m->client);
}

static void on_durable(void *ctx, uint64_t upto, uint64_t n_samples)
{
	struct mqtt_adapter *m = ctx;

	adapter_count(m->adapter, COUNT_SAMPLES, n_samples);
	mqtt_client_done(m->client, upto);
}

static void on_refused(void *ctx, uint64_t token, const char *twin, const char *property, const char *reason)
{
	struct mqtt_adapter *m = ctx;
	char source[TWIN_ID_MAX + PROPERTY_MAX + 2];

	(void)token;
	snprintf(source, sizeof source, "%s %s", twin, property);
	adapter_count(m->adapter, COUNT_REFUSED, 1);
	adapter_dead(m->adapter, source, (struct bytes){0}, reason);
}

static void on_room(void *ctx)
{
	const struct mqtt_adapter *m = ctx;

	mqtt_client_resume(m->client);
}

/* ---- The connection --------------------------------------------------------------------------------------
 */

static void on_state(void *ctx, enum mqtt_state state, const char *text)
{
	static const enum adapter_state states[] = {[MQTT_CONNECTING] = ADAPTER_CONNECTING,
						    [MQTT_CONNECTED] = ADAPTER_CONNECTED,
						    [MQTT_WAITING] = ADAPTER_WAITING};
	struct mqtt_adapter *m = ctx;

	if (state == MQTT_CONNECTED) {
		adapter_count(m->adapter, COUNT_CONNECTS, 1);
		mqtt_filters_keep(m);
		if (m->out)
			mqtt_out_room(m->out);
	}
	if (state == MQTT_WAITING)
		adapter_count(m->adapter, COUNT_LOST, 1);
	adapter_is(m->adapter, states[state], text);
}

static uint64_t on_backoff(void *ctx)
{
	struct mqtt_adapter *m = ctx;

	return backoff_next(&m->backoff, m->engine);
}

static void on_published(void *ctx, uint64_t id, int code, const char *text)
{
	struct mqtt_adapter *m = ctx;

	(void)id;
	if (code == -ETIMEDOUT)
		adapter_count(m->adapter, COUNT_EXPIRED, 1);
	else if (code < 0)
		adapter_dead(m->adapter, "(sending)", (struct bytes){0},
			     text && text[0] ? text : err_text(code));
	if (m->out)
		mqtt_out_room(m->out);
}

/* ---- Life ------------------------------------------------------------------------------------------------
 */

static void mqtt_free(struct mqtt_adapter *m)
{
	if (!m)
		return;
	mqtt_out_close(m->out);
	mqtt_spark_close(m);
	arena_free(m->scratch);
	arena_free(m->arena);
	free(m);
}

static void scope_mqtt(struct mqtt_adapter **m)
{
	mqtt_free(*m);
}

static int connect_mqtt(struct mqtt_adapter *m, struct err_note *note)
{
	struct mqtt_options *o = &m->options;

	TRY(mqtt_filters_load(m, note));
	TRY(mqtt_publish_open(m));
	TRY(feed_new(&m->feed, m->engine,
		     &(struct feed_options){.source = adapter_name(m->adapter),
					    .done = on_durable,
					    .refused = on_refused,
					    .room = on_room,
					    .ctx = m}));
	o->state = on_state;
	o->message = on_message;
	o->published = on_published;
	o->backoff_ms = on_backoff;
	o->ctx = m;
	const int r = mqtt_client_open(&m->client, &m->engine->loop, o, note);
	if (r < 0)
		feed_free(m->feed);
	return r;
}

static int mqtt_open(struct adapter *a, const json_t *config, bool dry, void **ret, struct err_note *note)
{
	SCOPED(scope_mqtt) struct mqtt_adapter *m = calloc(1, sizeof *m);

	if (!m)
		return FAIL(-ENOMEM);
	m->adapter = a;
	m->engine = adapter_engine(a);
	TRY(arena_new(&m->arena, CONFIG_BYTES));
	TRY(arena_new(&m->scratch, SCRATCH_BYTES));
	TRY(mqtt_config_read(m, config, note));
	TRY(mqtt_spark_open(m));
	if (!dry)
		TRY(connect_mqtt(m, note));
	*ret = MOVE(m);
	return 0;
}

static void on_closed(void *ctx)
{
	struct mqtt_adapter *m = ctx;
	struct adapter *a = m->adapter;

	mqtt_free(m);
	adapter_closed(a);
}

/* What is not durable yet is not acknowledged, and comes again. */
static void mqtt_close(void *self)
{
	struct mqtt_adapter *m = self;

	mqtt_out_close(m->out);
	m->out = NULL;
	if (!m->client) {
		on_closed(m);
		return;
	}
	feed_free(m->feed);
	mqtt_client_close(m->client, on_closed);
}

static void mqtt_changed(void *self)
{
	const struct mqtt_adapter *m = self;

	if (m->out)
		mqtt_out_changed(m->out);
}

static int mqtt_attempt(void *self, const char *topic, struct bytes payload,
			void (*put)(void *ctx, const char *twin, const char *property,
				    const struct sample *s),
			void *ctx, struct err_note *note)
{
	struct mqtt_adapter *m = self;
	struct taking_message k = {.m = m, .topic = topic, .payload = payload, .put = put, .ctx = ctx};

	if (!mqtt_is_topic(topic))
		return FAIL_SAY(note, ERR_REFUSED, "'%.100s' is no topic", topic);
	take_payload(&k);
	return 0;
}

const struct adapter_kind adapter_mqtt = {
	.name = "mqtt",
	.open = mqtt_open,
	.close = mqtt_close,
	.order = mqtt_order,
	.changed = mqtt_changed,
	.attempt = mqtt_attempt,
};
