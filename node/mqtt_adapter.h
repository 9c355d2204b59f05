/* SPDX-License-Identifier: Apache-2.0 */
/* What mqtt_adapter.c (life and messages), mqtt_config.c (its configuration) and mqtt_orders.c (orders out,
 * words in) share. The configuration as people see it: holon-adapters(7). */
#pragma once

#include "node/adapter.h"
#include "node/mqtt_client.h"
#include "node/mqtt_out.h"
#include "node/payload.h"
#include "node/sparkplug.h"

enum { MQTT_MAPS_MAX = 256, MQTT_TARGETS_MAX = 64, MQTT_SECRET_MAX = 4096 };

/* Where orders of some twins go. */
struct mqtt_target {
	const char *twins, *topic; /* patterns */
	const char *ack;           /* pattern of where words on commands come from; NULL: nowhere */
};
struct mqtt_targets {
	struct mqtt_target *of;
	size_t n;
};

/* The part of the configuration that is read by a table. */
struct mqtt_keys {
	const char *broker, *client_id, *user, *password_file, *ca_file, *cert_file, *key_file;
	int version, match;
	int64_t keep_alive_ns, session_ns, payload_max;
	const json_t *maps, *commands, *desired, *publish;
};

enum mqtt_match { MQTT_FIRST, MQTT_ALL };

struct mqtt_adapter {
	struct adapter *adapter;
	struct engine *engine;
	struct arena *arena; /* of the configuration */
	struct mqtt_keys keys;
	struct mqtt_options options;
	struct payload_map *maps;
	size_t n_maps;
	struct mqtt_targets commands, desired;
	struct mqtt_outlet *outlets;
	size_t n_outlets;
	const char **filters, **old_filters;
	size_t n_filters, n_old_filters;
	struct mqtt_client *client; /* NULL: dry */
	struct feed *feed;          /* the same */
	struct mqtt_out *out;       /* NULL: nothing is published */
	struct arena *scratch;      /* of one message */
	struct spark_host *host;    /* NULL: no mapping has the format `sparkplug` */
	struct arena *spark;        /* of one message of it */
	struct backoff backoff;
	bool was_up;
};

/* Everything into m->arena. ERR_REFUSED with a note. */
MUST_CHECK int mqtt_config_read(struct mqtt_adapter *m, const json_t *config, struct err_note *note);
/* What an earlier configuration subscribed to, in DIR/adapters/NAME.topics: read into old_filters what is not
 * wanted any more, and keep both; once they are taken back, the present ones alone. */
MUST_CHECK int mqtt_filters_load(struct mqtt_adapter *m, struct err_note *note);
void mqtt_filters_keep(struct mqtt_adapter *m);

/* `publish` of the configuration; its beginning, when there is a client. */
MUST_CHECK int mqtt_publish_read(const struct setting_at *top, struct mqtt_adapter *m, struct err_note *note);
MUST_CHECK int mqtt_publish_open(struct mqtt_adapter *m);

/* One message being taken. */
struct taking_message {
	struct mqtt_adapter *m;
	const char *topic;
	struct bytes payload;
	uint64_t token;
	bool again;
	const struct twin *twin;
	void (*put)(void *ctx, const char *twin, const char *property,
		    const struct sample *s); /* NULL: feed */
	void *ctx;
};
/* What one mapping makes of the message, or of `word`, which is part of it; NULL: none. */
void mqtt_take_by(struct taking_message *k, struct payload_map *map, const struct topic_variables *v,
		  const struct spark_word *word);
void mqtt_take_fault(void *message, const char *reason);

/* Sparkplug B (mqtt_sparkplug.c): its host, when a mapping wants it; whether a message is one of it, then it
 * has been taken. What is subscribed to is more than is mapped: numbers of messages count over all devices.
 */
MUST_CHECK int mqtt_spark_open(struct mqtt_adapter *m);
void mqtt_spark_close(struct mqtt_adapter *m);
bool mqtt_take_spark(struct taking_message *k);
/* Two filters of a mapping's topic: the node's, and its devices'; NULL: -ENOMEM. */
const char *mqtt_spark_filter(struct arena *a, const char *topic, bool devices);

/* The adapter_kind's. */
MUST_CHECK int mqtt_order(void *self, const struct order *order, struct err_note *note);
/* Is this message a word on a command? Then it has been passed on, or is a dead letter. */
bool mqtt_take_word(struct mqtt_adapter *m, const struct mqtt_message *in, const char *topic);
