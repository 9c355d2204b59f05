/* SPDX-License-Identifier: Apache-2.0 */
/* Transport - sessions with other nodes over CURVE: bound ROUTERs, dialled DEALERs, frames in and out.
 *
 * A port is one bound ROUTER: one for the own organisation, one for partners (DESIGN 7, Transport). A link is
 * one DEALER to one pinned server key. Both become sessions: a number never used twice. Who a session is
 * comes from the pinned key (link) or from the `User-Id` of the payload frame (port); routing ids mean
 * nothing, have any length and are kept only to send back. Sends never block and never queue beyond the
 * high-water mark. Frames are single-part; anything else is refused and counted.
 *
 *     link: dial -> CURVE handshake done (socket monitor) -> on_up ... disconnect -> on_down, dialled again
 * after a back-off port: first frame of an admitted peer -> on_up, on_frame ... disconnect, cannot be sent to
 * any more, or replaced by a newer connection of the same key, or frames of several parts -> on_down
 *
 * Owner:   the engine; callbacks run on the loop and may call anything here, transport_free() excepted.
 * Threads: the loop's.
 */
#pragma once

#include <uv.h>

#include "node/roster.h"
#include "node/zap.h"
#include "security/keys.h"

struct transport;

enum { TRANSPORT_SILENT_MS = 10000 };

struct transport_peer {
	const struct roster_entry *entry; /* good during the callback */
	bool dialled;
	const char *endpoint; /* dialled: the endpoint; else the peer's address as libzmq gives it, or "" */
};

/* Somebody at the enrolment port: nobody yet, with a key of his own. Good during the callback. */
struct transport_stranger {
	struct curve_key key;
	const char *address; /* as libzmq gives it, or "" */
	const void *routing_id;
};

struct transport_handler {
	void *ctx;
	void (*on_up)(void *ctx, uint32_t session, const struct transport_peer *peer);
	void (*on_down)(void *ctx, uint32_t session);
	void (*on_frame)(void *ctx, uint32_t session, struct bytes frame);
	/* A frame of one who has no session and gets none; answered in the callback or not at all. */
	void *enrol_ctx;
	void (*on_stranger)(void *enrol_ctx, const struct transport_stranger *who, struct bytes frame);
};

/* Why a connection was cut. */
enum transport_kick {
	KICK_NONE,
	KICK_FLOOD,     /* received and not delivered: a message without end */
	KICK_PARTS,     /* a frame of several parts, too large a one, or a routing id too long */
	KICK_REVOKED,   /* the roster does not know the key any more, or for somebody else */
	KICK_SLOW,      /* its queue is full */
	KICK_MALFORMED, /* transport_malformed() */
	KICK_SILENT,    /* let in, and not a frame in silent_ms */
	KICK_CROWDED,   /* transport_shed() */
	N_KICKS
};
const char *transport_kick_text(enum transport_kick why);
/* `org`, `node`: "" when nobody knows; ctx is the handler's. On the loop; must not call the transport. */
typedef void transport_kick_fn(void *ctx, const char *org, const char *node, enum transport_kick why);

struct transport_limits {                        /* 0 stands for the default of SECURITY 3.3 / DESIGN 5 */
	int64_t frame_border_max, frame_own_max; /* bytes: MAXMSGSIZE */
	int handshake_ms, receive_mark, send_mark, reconnect_ms, reconnect_max_ms;
	int unheard_max;    /* connections that have not said anything yet; with more the older half is cut */
	int silent_ms;      /* a peer that was let in says something by then */
	int64_t session_ms; /* a dialled session is begun anew, with new keys, when it is so old */
};

struct transport_options {
	uv_loop_t *loop;
	void *zmq_context;
	const struct curve_pair *keys;              /* must outlive the transport */
	const char *own_endpoint, *border_endpoint; /* bound; "" for none; `tcp://127.0.0.1:*` is resolved */
	const char *enrol_endpoint; /* the same, for strangers; NULL or "" for none; needs on_stranger */
	struct transport_limits limits;
	struct transport_handler handler;
	transport_kick_fn *on_kick; /* may be NULL */
	struct zap *zap;            /* is told who spoke, left and was kicked; NULL: nobody is */
	struct roster *roster;      /* takes its own reference */
};

/* Binds the ports, after proving for each that it is locked (transport_selftest.c): a client with a fresh key
 * and one without any must not get through, else ERR_UNTRUSTED and nothing stays bound. */
MUST_CHECK int transport_new(struct transport **ret, const struct transport_options *opt,
			     struct err_note *note);
/* Closes every socket and handle; `done` is called on the loop when nothing is left, then frees. */
void transport_free(struct transport *t, void (*done)(void *ctx), void *ctx);

/* A new roster: sessions whose key is no longer in it, or stands for somebody else, or may not come in
 * through that port any more, are closed (on_down is called) and their connections cut; links to keys not in
 * it are hung up. */
void transport_set_roster(struct transport *t, struct roster *r);

/* Keep a link to this node up; dialling the same key again with the same endpoint changes nothing, with
 * another endpoint replaces the link. */
MUST_CHECK int transport_dial(struct transport *t, const struct roster_entry *to, const char *endpoint);
void transport_hang_up(struct transport *t,
		       const struct curve_key *key); /* also ends its session (on_down) */
/* One word on the link to this key, for `peer list`: "up", "connecting", "refused" (the peer does not admit
 * us; it is tried again), "" when there is none. */
const char *transport_link_state(const struct transport *t, const struct curve_key *key);

/* Copies the frame. ERR_UNREACHABLE: the session is gone or its queue is full; on_down follows from the loop.
 * -EMSGSIZE: longer than the receiver takes; the session stays. */
MUST_CHECK int transport_send(struct transport *t, uint32_t session, struct bytes frame);
/* Answer the one who is being called back for: copies the frame. ERR_UNREACHABLE. */
MUST_CHECK int transport_answer(struct transport *t, const struct transport_stranger *who,
				struct bytes frame);
/* End a session without on_down. A link dials again after its back-off; frames of a closed port session start
 * a new session. */
void transport_close(struct transport *t, uint32_t session);

/* A frame of this session made no sense: ends it like transport_close(), and at the third in a minute cuts
 * the connection. */
void transport_malformed(struct transport *t, uint32_t session);
/* How often connections of this key were cut since it is in the roster, and why the last time. */
uint64_t transport_kicks(const struct transport *t, const struct curve_key *key,
			 enum transport_kick *ret_last);
/* Descriptors are running out: cut all connections that have not said anything yet, and all
 * strangers. How many. */
size_t transport_shed(struct transport *t);

/* The endpoints really bound (for `*` ports); "" when there is none. */
const char *transport_own_endpoint(const struct transport *t);
const char *transport_border_endpoint(const struct transport *t);
const char *transport_enrol_endpoint(const struct transport *t);

/* Proof that a stranger's key, and nobody's, is refused at another port of this node, with its keys and this
 * handler: ERR_UNTRUSTED when it is not. Waits for it. */
MUST_CHECK int transport_prove_locked(struct transport *t, const char *endpoint, struct err_note *note);

/* The same again for the ports of the transport, while they serve, and that the node's own key is known by
 * the name the handler gives. */
enum transport_proof {
	PROOF_LOCKED,
	PROOF_UNSURE, /* no verdict in time: a node that is flooded, or nobody answers. Nobody was let in */
	PROOF_OPEN,
};
typedef void transport_proof_fn(void *ctx, enum transport_proof proof, const struct err_note *what);
/* `done` is called on the loop, unless the transport is closed before. -EBUSY: one is under way. */
MUST_CHECK int transport_prove(struct transport *t, transport_proof_fn *done, void *ctx);

/* Stop listening for partners and end the sessions there (on_down is called). */
void transport_close_border(struct transport *t);

struct transport_stats {
	uint64_t frames_in, frames_out, bytes_in, bytes_out, refused_frames, send_failures, kicks;
};
void transport_stats(const struct transport *t, struct transport_stats *ret);
