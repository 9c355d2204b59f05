/* SPDX-License-Identifier: Apache-2.0 */
/* Adapter - one configured connection to machines: readings in, orders out.
 *
 * Its configuration is a JSON object, kept in DIR/adapters/NAME.json (0600), set with `holon adapter add`; at
 * the start of the node all of them are opened, one that cannot be opened does not keep the node from
 * starting. What all kinds share (state, counters, dead letters, backoff, who takes which order) is here and
 * in adapters.c; a kind is one struct in adapters.c's table:
 *
 *     mqtt     node/mqtt_adapter.c      modbus  node/modbus.c      tail  node/tail.c
 *     program  node/attach.c            (`holon adapter run`: attached by CONTROL_ATTACH, not configured)
 *
 * Owner: adapters.c makes and frees it. Threads: the loop's (a kind with threads of its own comes back to the
 * loop by uv_async).
 */
#pragma once

#include <jansson.h>

#include "node/feed.h"
#include "proto/control.h"

struct adapter;
struct adapters;

enum adapter_state {
	ADAPTER_CONNECTING,
	ADAPTER_CONNECTED,
	ADAPTER_WAITING,
	ADAPTER_STOPPED,
	N_ADAPTER_STATES
};

/* What is counted of every adapter; shown by `holon adapter list` under these names. */
#define ADAPTER_COUNTERS(X) \
	X(COUNT_MESSAGES, "messages")  /* that came in: payloads, polls, lines */ \
	X(COUNT_SAMPLES, "samples")    /* durable */ \
	X(COUNT_REFUSED, "refused")    /* samples that the store refuses: wrong type, no such twin, ... */ \
	X(COUNT_DEAD, "dead-letters")  /* messages of which something could not be mapped or was refused */ \
	X(COUNT_CLOCK, "wrong-clocks") /* times too far off, which the time of arrival took the place of */ \
	X(COUNT_AGAIN, "again")        /* came again because no acknowledgement had reached the source */ \
	X(COUNT_CONNECTS, "connects") \
	X(COUNT_LOST, "lost")             /* connections that broke or were refused */ \
	X(COUNT_ORDERS, "orders")         /* commands and desired values handed over */ \
	X(COUNT_EXPIRED, "expired")       /* orders whose deadline was over before they could be */ \
	X(COUNT_WORDS, "words")           /* acknowledgements of commands that came back */ \
	X(COUNT_STRANGE, "strange-words") /* of which there is no such command */ \
	X(COUNT_PUBLISHED, "published")   /* values and alarms sent out */ \
	X(COUNT_SKIPPED, "skipped")       /* not sent out because the other side was too slow: newer came */
enum adapter_counter {
#define X(name, text) name,
	ADAPTER_COUNTERS(X)
#undef X
		N_ADAPTER_COUNTERS
};

struct adapter_kind {
	const char *name;
	/* Check the configuration (node/setting.h; without its key `kind`) and, unless `dry`, begin; *ret is
	 * the kind's own, never NULL. Dry, it is good for `attempt` and `close` alone. The JSON stays until
	 * adapter_closed(). */
	int (*open)(struct adapter *a, const json_t *config, bool dry, void **ret, struct err_note *note);
	/* End; adapter_closed(a) when everything of it is (later, or at once, as the last thing). */
	void (*close)(void *self);
	/* Bring an order to its asset: 0: it is on its way; ERR_ABSENT: not one of this adapter's twins;
	 * ERR_UNREACHABLE: one of its twins, and the connection is down (it is tried again until its
	 * deadline). */
	int (*order)(void *self, const struct order *order, struct err_note *note);
	/* What has changed of own twins, to be published; NULL: never publishes. After every commit, seldom
	 * more often than 20 times a second. */
	void (*changed)(void *self);
	/* One payload, as if it had come in: samples are handed to `put`, dead letters counted, nothing is
	 * kept (CONTROL_ADAPTER_TRY). NULL: there is no such thing. */
	int (*attempt)(void *self, const char *topic, struct bytes payload,
		       void (*put)(void *ctx, const char *twin, const char *property, const struct sample *s),
		       void *ctx, struct err_note *note);
};

extern const struct adapter_kind adapter_mqtt, adapter_modbus, adapter_tail;

struct engine *adapter_engine(const struct adapter *a);
const char *adapter_name(const struct adapter *a);
/* Whole path of a file that the configuration names: relative to DIR/adapters. */
const char *adapter_path(const struct adapter *a, struct arena *arena, const char *name);
void adapter_closed(struct adapter *a);
/* Now it stands so; `text` (may be NULL) says why. Changes are logged, a bounded number a minute. */
void adapter_is(struct adapter *a, enum adapter_state state, const char *text);
void adapter_count(struct adapter *a, enum adapter_counter counter, uint64_t n);
/* Something could not be mapped: kept in a bounded list (LETTERS_MAX, the same reason and source counted),
 * and appended to DIR/adapters/NAME.dead (JSON lines, rotated at 16 MiB, one old file). */
enum { LETTERS_MAX = 1000, LETTER_PAYLOAD_MAX = 1024 };
void adapter_dead(struct adapter *a, const char *source, struct bytes payload, const char *reason);
/* An asset's word on a command. */
void adapter_word(struct adapter *a, const struct command_word *word);
/* How long to wait before trying again: 0.5 s, doubled each time up to 30 s, +-20 %; from the start after a
 * connection that lasted a minute. */
struct backoff {
	uint64_t next_ms, asked_ms;
};
uint64_t backoff_next(struct backoff *b, struct engine *e);

MUST_CHECK int adapters_start(struct adapters **ret, struct engine *e);
void adapters_stop(struct adapters *as, void (*done)(struct engine *e));
void adapters_free(struct adapters *as); /* NULL is fine */
/* After a commit. */
void adapters_changed(struct adapters *as);

/* A program that attached itself (attach.c): an adapter as long as it is attached, in no file. `kind->open`
 * is not called; adapter_closed() forgets it. ERR_REFUSED with a note: a configured one has this name, or
 * ATTACHED_MAX are there. Whose name an attached one has already: the caller closes that one first. */
enum { ATTACHED_MAX = 256 };
MUST_CHECK int adapters_attach(struct adapters *as, const char *name, const struct adapter_kind *kind,
			       void *self, struct adapter **ret, struct err_note *note);
/* `self` of the attached program of that name; NULL: none. */
void *adapters_attached(struct adapters *as, const char *name);

/* Hand an order to the adapter whose twin it is: 0; ERR_ABSENT with a note: no adapter has this twin;
 * ERR_UNREACHABLE: it cannot now. */
MUST_CHECK int adapters_order(struct adapters *as, const struct order *order, struct err_note *note);
