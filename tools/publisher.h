/* SPDX-License-Identifier: Apache-2.0 */
/* Publisher - messages to an MQTT broker with QoS 1 (libmosquitto): each is told of again when the broker has
 * acknowledged it. A broker that goes away is dialled again, and gets once more what it has not acknowledged.
 *
 * Threads: one.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "proto/err.h"
#include "proto/scope.h"

struct publisher;

struct publisher_options {
	const char *url;             /* mqtt://HOST[:PORT], mqtts://HOST[:PORT] */
	const char *user, *password; /* NULL: none */
	const char *ca, *cert, *key; /* files; mqtts without `ca`: the system's */
	/* The broker has it: the text that publisher_put() was given. */
	void (*acknowledged)(void *ctx, const char *text);
	void *ctx;
};

/* Connects, and waits at most `timeout_ms`. ERR_REFUSED for what makes no sense or the broker refuses,
 * ERR_UNREACHABLE when it does not answer: with a note. */
MUST_CHECK int publisher_open(struct publisher **ret, const struct publisher_options *opt, int timeout_ms,
			      struct err_note *note);
void publisher_close(struct publisher *p); /* NULL is fine */

/* Waits while too much is on its way. `text` is copied, and told of when the broker has it. ERR_REFUSED with
 * a note: that is no topic, or too long. */
MUST_CHECK int publisher_put(struct publisher *p, const char *topic, const char *payload, const char *text,
			     struct err_note *note);
/* Serve the connection for so long. */
MUST_CHECK int publisher_wait(struct publisher *p, int ms, struct err_note *note);
/* Until all of it is acknowledged. ERR_UNREACHABLE with a note. */
MUST_CHECK int publisher_drain(struct publisher *p, int timeout_ms, struct err_note *note);
size_t publisher_underway(const struct publisher *p);
uint64_t publisher_redials(const struct publisher *p);

DEFINE_SCOPED(publisher, publisher_close)
