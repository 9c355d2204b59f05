/* SPDX-License-Identifier: Apache-2.0 */
/* Wire - a light client of a node's control socket: ZMTP 3.0 (rfc.zeromq.org/spec/23) spoken over a plain
 * Unix socket, so that fifty clients cost the machine that is measured no fifty I/O threads.
 *
 * Owner: the caller's struct, zeroed; wire_close(). Threads: one.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "proto/buf.h"

struct wire {
	int fd; /* for poll(); -1: closed */

	/* private */
	struct buf in;
	size_t taken;
};

int wire_open(struct wire *w, const char *path); /* blocks until the handshake is through; 0 or -1 */
void wire_close(struct wire *w);
/* One message of one frame, sent whole. 0 or -1. */
int wire_send(struct wire *w, struct bytes frame);
/* Take in what has come, waiting for some if there is none. 0, or -1 when the node hung up. */
int wire_fill(struct wire *w);
/* The next frame of what came in, good until the next wire_fill(); false: none is complete. */
bool wire_next(struct wire *w, struct bytes *ret);
