/* SPDX-License-Identifier: Apache-2.0 */
/* Sparkplug B over the MQTT adapter: messages to its host, what that makes out to the mappings. */
#include <string.h>

#include "node/mqtt_adapter.h"
#include "proto/clock.h"

enum { SPARK_BYTES = 32 * 1024 * 1024, ASK_LIFE_MS = 30000, TOPIC_SIZE = 65536 };

static void on_word(void *ctx, const struct spark_word *w)
{
	struct taking_message *k = ctx;
	struct mqtt_adapter *m = k->m;
	struct topic_variables v;
	size_t n = 0;

	for (size_t i = 0; i < m->n_maps && (n == 0 || m->keys.match == MQTT_ALL); i++) {
		if (m->maps[i].format != PAYLOAD_SPARKPLUG ||
		    !topic_match(m->maps[i].topic, bytes_of_text(w->topic), &v))
			continue;
		mqtt_take_by(k, &m->maps[i], &v, w);
		n++;
	}
}

/* What is not sent is asked for again with the next message. */
static void on_ask(void *ctx, const char *group, const char *node)
{
	const struct taking_message *k = ctx;
	struct mqtt_adapter *m = k->m;
	SCOPED(buf_fini) struct buf payload = {0};
	char topic[TOPIC_SIZE];
	uint64_t id;

	if (!m->client)
		return;
	spark_rebirth(engine_wall_ns(), &payload);
	snprintf(topic, sizeof topic, "spBv1.0/%s/NCMD/%s", group, node);
	if (buf_check(&payload) < 0)
		return;
	const struct mqtt_publish p = {.topic = topic,
				       .payload = buf_bytes(&payload),
				       .deadline_ms = (int64_t)uv_now(&m->engine->loop) + ASK_LIFE_MS};
	if (mqtt_client_publish(m->client, &p, &id) == ERR_REFUSED)
		mqtt_take_fault(ctx,
				"its node cannot be asked for its birth: the broker takes no such topic");
}

bool mqtt_take_spark(struct taking_message *k)
{
	struct mqtt_adapter *m = k->m;

	if (!m->host || !spark_is_topic(k->topic))
		return false;
	arena_reset(m->spark);
	spark_host_take(m->host,
			&(struct spark_message){
				.topic = k->topic,
				.payload = k->payload,
				.again = k->again,
				.now_ns = engine_wall_ns(),
				.mono_ms = uv_now(&m->engine->loop),
				.sink = {.word = on_word, .fault = mqtt_take_fault, .ask = on_ask, .ctx = k}},
			m->spark);
	return true;
}

int mqtt_spark_open(struct mqtt_adapter *m)
{
	for (size_t i = 0; i < m->n_maps && !m->host; i++)
		if (m->maps[i].format == PAYLOAD_SPARKPLUG) {
			TRY(arena_new(&m->spark, SPARK_BYTES));
			TRY(spark_host_new(&m->host));
		}
	return 0;
}

void mqtt_spark_close(struct mqtt_adapter *m)
{
	spark_host_free(m->host);
	arena_free(m->spark);
}

const char *mqtt_spark_filter(struct arena *a, const char *topic, bool devices)
{
	const char *end = topic;

	for (size_t slashes = 0; *end && (slashes += *end == '/') < 4;)
		end++;
	const char *node = arena_text(a, (struct bytes){(const uint8_t *)topic, (size_t)(end - topic)});
	const char *filter = node ? topic_filter(a, node) : NULL;
	return !filter || !devices ? filter : arena_print(a, "%s/+", filter);
}
