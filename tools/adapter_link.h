/* SPDX-License-Identifier: Apache-2.0 */
/* Adapter link - a program's place among the adapters of its node, over a connection of its own: orders come,
 * what became of them goes back (CONTROL_ATTACH, CONTROL_ATTACHED). The connection may break, and the node be
 * started anew: then it is made again, and words that were not acknowledged are said again.
 *
 * Owner: adapter_link_new(). Threads: one at a time.
 */
#pragma once

#include "tools/client.h"

struct adapter_link;

struct adapter_link_options {
	const char *name, *prefix; /* prefix "": takes no orders */
	/* Good until it returns. */
	void (*order)(void *ctx, const struct order *order);
	void *ctx;
};

/* Connects beside `client`, which must outlive it. */
MUST_CHECK int adapter_link_new(struct adapter_link **ret, const struct client *client,
				const struct adapter_link_options *opt, struct err_note *note);
void adapter_link_free(struct adapter_link *l); /* NULL is fine */

/* What the node shows of us: `running` or `waiting`, and counters NAME=NUMBER (node/attach.c). */
void adapter_link_say(struct adapter_link *l, const char *text);
/* Beyond, words are not taken: read no more of the program. */
bool adapter_link_has_room(const struct adapter_link *l);
/* Text is copied, and cut to what the node takes. -ENOMEM. */
MUST_CHECK int adapter_link_word(struct adapter_link *l, const struct command_word *word);
/* Look after all of it, without waiting longer than for a connection. ERR_REFUSED with a note: the node does
 * not want us, for good; all else mends itself. */
MUST_CHECK int adapter_link_step(struct adapter_link *l, struct err_note *note);
/* The ZeroMQ sockets to wait for. */
enum { LINK_SOCKETS = 2 };
void adapter_link_sockets(const struct adapter_link *l, void *ret[LINK_SOCKETS]);

DEFINE_SCOPED(adapter_link, adapter_link_free)
