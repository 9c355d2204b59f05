/* SPDX-License-Identifier: Apache-2.0 */
/* MQTT out - what own twins show in their summaries (KPIs, and how their alarms stand), to topics of a
 * broker.
 *
 *     row of a twin changed --its values other than told?--> queued, each once --room at the broker--> told
 *
 * Only what changed is told, and of each value the newest: what comes while an older one of it waits takes
 * its place and is counted as skipped. At the start everything that matches is told once. A value is a JSON
 * object as `holon ingest` takes it: {"twin", "property", "t", "value", "unit"?, "quality"?, "sigma"?}.
 *
 * Owner: the adapter; knows neither sockets nor configurations. Threads: the loop's.
 */
#pragma once

#include "node/engine.h"

struct mqtt_out;

enum { MQTT_OUTLETS_MAX = 64, MQTT_TOLD_MAX = 100000 };

/* Where values go: of twins with such an id, the first outlet that has the property. */
struct mqtt_outlet {
	const char *twins; /* pattern (node/topic.h) */
	const char *topic; /* pattern; {property} is the value's name, the others those of `twins` */
	const char *const *properties;
	size_t n_properties; /* 0: all KPIs and alarms */
	bool retain;
};

struct mqtt_out_options {
	struct engine *engine;
	const struct mqtt_outlet *outlets; /* borrowed */
	size_t n_outlets;
	/* 0: it is on its way; above 0: no room now, mqtt_out_room() says when there is; below: never. */
	int (*send)(void *ctx, const char *topic, struct bytes payload, bool retain);
	void (*skipped)(void *ctx);
	/* More than MQTT_TOLD_MAX values match, or no memory: this one is not told. Called for each change.
	 */
	void (*left_out)(void *ctx, const char *twin, const char *property);
	void *ctx;
};

MUST_CHECK int mqtt_out_new(struct mqtt_out **ret, const struct mqtt_out_options *opt);
/* Nothing is called any more; the memory goes when the loop has come round. NULL is fine. */
void mqtt_out_close(struct mqtt_out *o);
/* Own twins may have changed. */
void mqtt_out_changed(struct mqtt_out *o);
/* There is room at the broker (again). */
void mqtt_out_room(struct mqtt_out *o);
size_t mqtt_out_waiting(const struct mqtt_out *o);
