/* SPDX-License-Identifier: Apache-2.0 */
/* Stream - bytes to and from another program over TCP, with or without TLS: one connection, once.
 *
 *     resolved --> connected (the addresses of a name one after the other) --> TLS --> up --> down
 *
 * What is written is collected and sent when the loop comes round. The other side may leave
 * STREAM_WAITING_MAX bytes unread: then it goes down.
 *
 * Owner:   the caller, until stream_close(). Threads: the loop's; callbacks come from the loop, never from
 *          within stream_*(), and none after stream_close() but `closed`.
 */
#pragma once

#include <uv.h>

#include "node/tls.h"

struct stream;

/* Twice what an MQTT client has to say that waits for answers (MQTT_QUEUE_BYTES_MAX). */
enum { STREAM_WAITING_MAX = 8 * 1024 * 1024 };

struct stream_options {
	const char *host;
	uint16_t port;
	unsigned int attempt;          /* with which of its addresses to begin: this, modulo their number */
	const struct tls_options *tls; /* NULL: none; its host is the one above */
	void (*up)(void *ctx);
	void (*bytes)(void *ctx, struct bytes in); /* good until it returns */
	void (*down)(void *ctx, const char *why);  /* once; then it is only good to be closed */
	void *ctx;
};

/* Options are copied as far as they are needed later. -ENOMEM; with a note: a file is not good. */
MUST_CHECK int stream_open(struct stream **ret, uv_loop_t *loop, const struct stream_options *opt,
			   struct err_note *note);
/* What was written and can be sent at once still is. `closed` (may be NULL) when nothing of it is left. */
void stream_close(struct stream *s, void (*closed)(void *ctx), void *ctx);

/* Only when it is up. Out of memory it goes down. */
void stream_write(struct stream *s, struct bytes plain);
/* Stop reading, go on reading. */
void stream_pause(struct stream *s, bool pause);
