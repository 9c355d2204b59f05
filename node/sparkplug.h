/* SPDX-License-Identifier: Apache-2.0 */
/* Sparkplug host - what the births of Sparkplug B's edge nodes and devices said, and what their messages are
 * by it (Eclipse Sparkplug specification 3.0, chapters 5 and 6; payload: proto/sparkplug.h).
 *
 *     (unknown) --NBIRTH--> BORN --NDEATH of the same bdSeq--> dead
 *                            |  seq not the next one
 *                            v
 *                           LOST: asked for its birth, seldom; taken is only what names itself
 *
 * A metric that says its alias alone is nothing without the birth, and something else with a wrong one: after
 * a gap (a birth may have been in it) aliases are not believed until the next birth. Values live here as they
 * were said last, so that a death can say them again, uncertain; not over a restart of the node.
 *
 * Knows neither brokers nor the store. Bounded: HOST_NODES_MAX, HOST_DEVICES_MAX, HOST_METRICS_MAX,
 * HOST_BYTES_MAX.
 *
 * Owner: the adapter. Threads: one at a time.
 */
#pragma once

#include "proto/sparkplug.h"

struct spark_host;

enum {
	HOST_NODES_MAX = 1000,
	HOST_DEVICES_MAX = 10000,
	HOST_METRICS_MAX = 200000,
	HOST_BYTES_MAX = 64 * 1024 * 1024, /* of names and texts */
	HOST_ASK_MS = 10000,               /* a node is asked for its birth no more often */
};

/* What one message says of one device (or of the node itself), every metric under its name. */
struct spark_word {
	const char *topic; /* of the device; of NDEATH and DDEATH, too: with any type */
	bool is_birth;
	const struct spark_value *values;
	size_t n_values;
};
struct spark_value {
	const char *name;
	int64_t t_ns;
	bool is_historical; /* its time is its own, however old */
	enum quality quality;
	struct value value;
};

struct spark_sink {
	void (*word)(void *ctx, const struct spark_word *w); /* good until it returns */
	void (*fault)(void *ctx, const char *reason);
	/* Ask GROUP/NODE for its birth. */
	void (*ask)(void *ctx, const char *group, const char *node);
	void *ctx;
};

/* A message as it came in. */
struct spark_message {
	const char *topic;
	struct bytes payload;
	bool again; /* sent before: its number proves nothing */
	int64_t now_ns;
	uint64_t mono_ms;
	struct spark_sink sink;
};

MUST_CHECK int spark_host_new(struct spark_host **ret);
void spark_host_free(struct spark_host *h); /* NULL is fine */

/* Faults are told to the sink. The arena is for what lives until this returns. */
void spark_host_take(struct spark_host *h, const struct spark_message *m, struct arena *a);

/* A topic of Sparkplug B (`spBv1.0/...`)? */
bool spark_is_topic(const char *topic);
/* `Node Control/Rebirth`. */
void spark_rebirth(int64_t now_ns, struct buf *out);
