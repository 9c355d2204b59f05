/* SPDX-License-Identifier: Apache-2.0 */
/* Wire - the world (world.h) with its mesh running and peers that are not there: what they say goes in as
 * frames, what they would get is kept, as it is handed to the transport. Needs -Wl,--wrap for transport_send
 * and transport_close (meson.build).
 */
#pragma once

#include "proto/message.h"
#include "tests/unit/node/world.h"

/* A frame on its way out. */
struct sent {
	uint32_t session;
	enum message_kind kind;
	struct bytes frame;
	struct message message; /* of the frame, decoded */
};

enum {
	WIRE_VOLT = 1,
	WIRE_OWN = 2,
	WIRE_HARBOR = 3,
	WIRE_VOLT_AGAIN = 4,
	WIRE_OWN_AGAIN = 5,
	WIRE_SENT_MAX = 512
};

extern struct sent wire_sent[WIRE_SENT_MAX];
extern size_t wire_n_sent;
extern struct arena *wire_arena; /* for tests too; emptied by wire_tear_down() */

void wire_set_up(void);
void wire_tear_down(void);

/* The border `gate` of volt or harbor, or the own node `n2`, connects and says HELLO; each session once. */
void wire_join(uint32_t session);
/* A frame of a peer that has joined; nonce and number are filled in. */
void wire_hear(uint32_t session, struct message *m);
void wire_hear_raw(uint32_t session, struct bytes frame);
/* The border of volt offers its own stream, of one twin. */
void wire_offer(uint32_t session);
/* A frame of that peer is lost. */
void wire_lose(uint32_t session);
/* What they say in HELLO that they know besides trust and mesh; nothing at first. */
extern uint64_t wire_features;
/* To this session nothing can be sent; 0: to all. */
extern uint32_t wire_deaf;
/* A frame on its way out that did not pass the transport. */
void wire_take(uint32_t session, struct bytes frame);

/* Is it for a node of the own organisation? */
bool wire_is_own(const struct sent *s);
/* The last frame of this kind to the session; NULL: none. */
const struct sent *wire_last(uint32_t session, enum message_kind kind);
