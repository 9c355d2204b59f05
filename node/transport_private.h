/* SPDX-License-Identifier: Apache-2.0 */
/* Transport's own vocabulary: sessions, ports and links as transport*.c share them. Nobody else includes
 * this.
 *
 *     transport ---- sessions, in the order of their numbers
 *        |---- port (0..2): ROUTER ---- any number of sessions, told apart by routing id
 *        |---- port for enrolment (0..1): ROUTER ---- strangers, no sessions
 *        `---- link (0..n): wire (DEALER and its monitor) ---- at most one session
 *
 * A wire carries one connection: when that breaks the wire is closed and the link makes a new one after its
 * back-off. So frames queued before a break never turn up after it, and one rule covers a peer that was cut,
 * one that refuses us (libzmq would not try again) and a session the engine gave up.
 */
#pragma once

#include <stdatomic.h>

#include "node/transport.h"
#include "node/zwatch.h"

enum {
	ROUTING_ID_MAX = 255, /* ZMTP; libzmq takes longer ones */
	ENDPOINT_SIZE = 256,
	BATCH_MAX = 32,   /* messages read from a socket before the others get their turn */
	RETIRED_MAX = 32, /* closed connections whose late frames a port still knows */
	SELFTEST_MS = 3000,
	PATROL_MS = 500,
	OFFENDERS_MAX = 1024,
	STEADY_MS = 5000,            /* a link up for so long starts its back-off anew */
	PROVEN_MS = 10 * 60 * 1000,  /* ... and is tried within PROVEN_WAIT_MS for so long after it broke */
	PROVEN_WAIT_MS = 800,        /* with what libzmq adds, within a second */
	REFUSED_WAIT_MS = 10 * 1000, /* at the longest, for who does not let us in */
	CONNECT_MS = 2000,           /* the first packet and one more: of a host that is gone nothing comes */
};

struct routing_id {
	uint8_t len, b[ROUTING_ID_MAX];
};

/* A connection that was cut or ended. Its routing id may be somebody else's next. */
struct retired {
	struct routing_id id;
	bool known; /* whose it was: */
	struct curve_key key;
};

/* A connection that libzmq accepted, whether or not anything ever came out of it. */
struct connection {
	bool open;
	bool heard;      /* it delivered something */
	bool spoke;      /* and who it is stands below */
	bool delivered;  /* since the last patrol */
	unsigned looks;  /* of the patrol, while it was silent */
	uint64_t number; /* in the order they came, over all ports */
	uint64_t cookie;
	uint64_t at_delivery; /* bytes received when it had last delivered a message */
	struct curve_key key;
	char org[ORG_NAME_MAX + 1], node[NODE_NAME_MAX + 1];
};

struct flood {
	void *monitor; /* PAIR: accepted and disconnected */
	struct zwatch events;
	struct connection *connections; /* by descriptor */
	size_t size;
};

/* What a key was cut for. */
struct offences {
	struct curve_key key;
	uint64_t kicks;
	enum transport_kick last;
	unsigned malformed; /* frames, since: */
	uint64_t since_ms;
};

struct kicked {
	const struct curve_key *key; /* NULL: nobody knows whose */
	const char *org, *node;      /* or "" */
	enum transport_kick why;
};

struct port {
	struct transport *t;
	const char *domain; /* of ZAP */
	void *router;       /* NULL: not listening */
	struct zwatch watch;
	struct flood flood;
	int watches_open;
	bool closing;
	char endpoint[ENDPOINT_SIZE];
	int64_t frame_max;
	struct retired retired[RETIRED_MAX];
	unsigned n_retired; /* ever */
};

struct wire {
	struct transport *t;
	struct link *link; /* NULL: closing */
	void *dealer, *monitor;
	struct zwatch frames, events;
	int watches_open;
};

struct link {
	struct transport *t;
	struct roster_entry to;
	char endpoint[ENDPOINT_SIZE];
	struct wire *wire;  /* NULL: waits for due_ms */
	uint32_t session;   /* 0: down */
	bool refused;       /* the last time, by the peer's handler */
	unsigned failures;  /* since it was last steady */
	uint64_t proven_ms; /* until then it is taken for one that only went away; 0: never steady */
	uint64_t life_ms;   /* of a session */
	uint64_t up_at_ms, due_ms;
};

struct session {
	uint32_t id;
	bool lost; /* cannot be sent to: on_down is owed */
	enum transport_kick why;
	struct curve_key key;
	char org[ORG_NAME_MAX + 1], node[NODE_NAME_MAX + 1];
	int64_t frame_max;
	struct link *link; /* one of the two */
	struct port *port;
	struct routing_id routing_id; /* of a port's */
	int fd;                       /* of a port's: the connection, good only while the cookie agrees */
	uint64_t cookie;
};

struct transport {
	uv_loop_t *loop;
	void *zmq_context;
	const struct curve_pair *keys;
	struct curve_key own_key;
	struct transport_limits limits; /* no 0 left */
	struct transport_handler handler;
	transport_kick_fn *on_kick; /* NULL: nobody listens, as the next */
	struct zap *zap;
	struct offences *offences; /* of keys of the roster */
	size_t n_offences;
	uint64_t n_accepted; /* connections, ever */
	size_t n_unheard;    /* of those there are, how many said nothing yet */
	struct roster *roster;
	struct port own, border, enrol;
	struct link **links;
	size_t n_links;
	struct session **sessions; /* by id */
	size_t n_sessions;
	uint32_t last_id;
	uv_async_t later;    /* to sweep out lost sessions */
	uv_timer_t redial;   /* for the link that is due first */
	uv_timer_t patrol;   /* of ports and links */
	bool proving;        /* transport_prove() is at work */
	atomic_bool closing; /* it shall end */
	int n_open;          /* handles, ports, wires and that work that are not closed yet */
	void (*done)(void *ctx);
	void *done_ctx;
	struct transport_stats stats;
};

/* transport.c */

/* Takes a copy of *like and numbers it; NULL when memory or numbers ran out. */
struct session *session_new(struct transport *t, const struct session *like);
struct session *transport_find(const struct transport *t, uint32_t id); /* NULL: gone */
void session_drop(struct transport *t, struct session *s);              /* no on_down */
void session_lose(struct transport *t, struct session *s);              /* with it */
/* The same soon, from the loop; unless `why` is KICK_NONE because it is cut for that. */
void session_is_lost(struct transport *t, struct session *s, enum transport_kick why);
void sessions_sweep(
	struct transport *t); /* on_down for all that are lost; callbacks may have changed anything */
void transport_deliver(struct transport *t, uint32_t session, void *payload); /* a zmq_msg_t */
void transport_one_closed(struct transport *t); /* the last one frees the transport */

/* transport_port.c */

/* Bind; no handle of the loop is involved yet. */
MUST_CHECK int port_bind(struct port *p, const char *endpoint, struct err_note *note);
MUST_CHECK int port_watch(struct port *p);
void port_close(struct port *p); /* also when it never listened */
MUST_CHECK int port_send(struct session *s, struct bytes frame);
MUST_CHECK int port_answer(struct port *p, const struct transport_stranger *who, struct bytes frame);
/* Cut the connection of a session and remember its routing id for frames still on their way. */
void port_cut(struct session *s);

/* transport_flood.c */

MUST_CHECK int flood_watch(struct port *p);
void flood_delivered(struct port *p, int fd); /* a message came out of this connection */
void flood_spoke(struct port *p, int fd, const struct roster_entry *who); /* it was this node's */
void flood_patrol(struct port *p);
/* Cut those that have said nothing and came as this number or before. How many. */
size_t flood_shed(struct port *p, uint64_t up_to);
void flood_end(struct port *p);

/* transport_kick.c */

void kick_tell(struct transport *t, const struct kicked *who);
void offences_forget(struct transport *t); /* of keys that are not in the roster any more */

/* transport_link.c */

/* How long a link waits before it is tried again: from `least`, up to `spread` more, drawn at random so that
 * the peers of one that went away do not come back to it all at once. */
struct link_wait {
	uint64_t least_ms, spread_ms;
};
struct link_wait link_wait(const struct transport_limits *l, unsigned failures, bool refused, bool proven);
struct link *link_find(const struct transport *t, const struct curve_key *key);
MUST_CHECK int link_new(struct transport *t, const struct roster_entry *to, const char *endpoint);
void link_free(struct link *l);          /* closes the wire; the session must be gone */
void link_restart(struct link *l);       /* forgets its session; a new wire after the back-off */
void links_redial(struct transport *t);  /* every link that is due */
void links_recycle(struct transport *t); /* end sessions that are as old as one may get */
MUST_CHECK int link_send(struct session *s, struct bytes frame);

/* transport_selftest.c */

/* Proof that somebody without a key is not talked to at a port where any key is let in. */
MUST_CHECK int selftest_keyed(struct transport *t, const char *endpoint, struct err_note *note);
/* No limit is in the way of this one. */
void selftest_expect(struct transport *t, const struct curve_pair *stranger);

/* transport_socket.c */

/* `tcp://...` and nothing that libzmq would read as a source address or another transport. */
bool endpoint_is_tcp(const char *endpoint);
/* A socket and where libzmq tells what happens to its connections. */
struct monitored {
	void *socket, *monitor; /* PAIR */
};
void monitored_close(struct monitored *m); /* half-made ones too */
/* The next event (ZMQ_EVENT_...) and its value, 0 when there is none. */
int monitor_read(void *monitor, int *ret_value);
/* Tells of connections accepted and broken. */
MUST_CHECK int router_new(struct transport *t, const char *domain, int64_t frame_max, struct monitored *ret);
/* `endpoint` is one of tcp; `ret` is it with the port really bound. */
MUST_CHECK int router_bind(void *socket, const char *endpoint, char ret[ENDPOINT_SIZE]);
/* Not connected yet; tells of handshakes and breaks. */
MUST_CHECK int dealer_new(struct transport *t, const struct curve_pair *keys, const struct curve_key *server,
			  int64_t frame_max, struct monitored *ret);

/* How long libzmq itself waits at the longest before it tries again to connect this one. */
MUST_CHECK int dealer_patience(void *dealer, int most_ms);
/* One that has no key, of the same kind. */
MUST_CHECK int plain_dealer_new(struct transport *t, struct monitored *ret);

/* Send without ever blocking: -EAGAIN when the queue is full, -EHOSTUNREACH. id NULL: no routing id. */
MUST_CHECK int frame_send(void *socket, const struct routing_id *id, struct bytes frame);

/* Receive one frame with ZMQ_DONTWAIT into an initialised zmq_msg_t; false: none (or the socket is done for).
 */
bool frame_receive(void *socket, void *message);
/* Throw away what is left of a message. */
void frames_drop(void *socket);

/* A number no other connection of this machine has or gets; false: it is none (any more). */
bool connection_cookie(int fd, uint64_t *ret);
/* The connection a payload frame came on; fd -1 when libzmq does not say. */
void connection_of(void *payload, int *ret_fd, uint64_t *ret_cookie);
/* Reset it, if the descriptor still is that connection. */
void connection_cut(int fd, uint64_t cookie);
