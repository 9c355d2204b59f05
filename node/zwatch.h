/* SPDX-License-Identifier: Apache-2.0 */
/* Zwatch - wakes the loop when a ZeroMQ socket can be read.
 *
 * The descriptor of a ZeroMQ socket (ZMQ_FD) shows that the socket has news, not that it has a message, and
 * any call on the socket may take the news in. So the descriptor only ends the sleep; whether there is a
 * message is asked of ZMQ_EVENTS just after the loop wakes and again just before it sleeps. Asking costs 0.4
 * us, so only sockets are asked that were woken, or touched: whoever sends on the socket or sets it up calls
 * zwatch_touch().
 *
 * Owner:   embeds the struct, owns the socket, and may free both only in on_closed.
 * Threads: the loop's, like the socket itself.
 */
#pragma once

#include <stdbool.h>
#include <uv.h>

#include "proto/err.h"

struct zwatch;
typedef void zwatch_fn(struct zwatch *w);

struct zwatch {
	void *data; /* the owner's; kept by zwatch_open() */
	void *socket;
	zwatch_fn *on_readable; /* reads a bounded batch with ZMQ_DONTWAIT; called again while more waits */
	zwatch_fn *on_closed;
	uv_poll_t wake;
	uv_prepare_t before_sleep;
	uv_check_t after_sleep;
	uv_idle_t stay_awake;
	uv_timer_t rest;
	int handles_open;
	bool touched;
};

MUST_CHECK int zwatch_open(struct zwatch *w, uv_loop_t *loop, void *socket, zwatch_fn *on_readable);
/* A ZeroMQ call was made on the socket outside on_readable: it may have taken the wake-up of a message. */
void zwatch_touch(struct zwatch *w);
/* From on_readable, which has read everything: news comes in many small pieces, each of which would wake the
 * loop. It is not woken before so long has passed; whoever needs the news earlier reads the socket. */
void zwatch_rest(struct zwatch *w, unsigned ms);
/* No callback but on_closed (may be NULL) comes after this. */
void zwatch_close(struct zwatch *w, zwatch_fn *on_closed);
