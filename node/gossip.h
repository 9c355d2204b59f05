/* SPDX-License-Identifier: Apache-2.0 */
/* Gossip - the mesh at work: transport events in, mesh_step(), its todo list out.
 *
 * Owner:   the engine. Threads: the loop's.
 */
#pragma once

#include "node/engine.h"
#include "proto/control.h"

struct session {
	uint32_t id;
	char org[ORG_NAME_MAX + 1], node[NODE_NAME_MAX + 1], endpoint[256];
	uint32_t roles;
	bool own, dialled, greeted, open;
	bool broken; /* a frame could not be sent: it ends when all that is under way is done */
	struct curve_key key;
	uint64_t features; /* from HELLO */
	char *reach;       /* from REACH: names, one behind the other, the last one empty; NULL: none yet */
	uint64_t frames_in, frames_out, bytes_in, bytes_out;
	int64_t heard_ns; /* monotonic */
	struct session *next;
};

MUST_CHECK int gossip_start(struct gossip **ret, struct engine *e);
void gossip_stop(struct gossip *g); /* says goodbye; its timer is closed by the loop's next turn */
void gossip_free(struct gossip *g); /* after the loop has ended; NULL is fine */

/* Callbacks for the transport; ctx is the engine. */
struct transport_handler gossip_handler(struct engine *e);

/* Dial every node that this side should dial: own nodes, and borders of partners if this node is a border. */
void gossip_dial(struct gossip *g);
/* Trust may have changed, or time has passed: who is believed, and what this node shows of itself. */
void gossip_trust(struct gossip *g);
/* An admin chose one of two that live with one key. */
void gossip_chosen(struct gossip *g);
/* An organisation is not trusted any more. */
void gossip_ended(struct gossip *g, const char *org);
/* Heads may differ now. */
void gossip_changed(struct gossip *g);
/* Tell the own nodes the policy in force. */
void gossip_policy(struct gossip *g);

/* Say it to the open sessions with own nodes, all but one (0: none). */
void gossip_tell(struct gossip *g, const struct message *m, uint32_t except);

/* Send a question, answer or policy. ERR_UNREACHABLE when the session is gone or not open; STANDING and TRUST
 * go out as soon as it was greeted. */
MUST_CHECK int gossip_say(struct gossip *g, uint32_t session, const struct message *m);

const struct session *gossip_session(const struct gossip *g, uint32_t id); /* NULL: gone */
/* A line in the log about a peer, as often as it may cause one. */
void gossip_complain(struct gossip *g, uint32_t session, const char *format, ...)
	__attribute__((format(printf, 3, 4)));

/* An open session to a node of the own organisation, or to any border of another one; NULL: none. */
const struct session *gossip_find(const struct gossip *g, const char *org, const char *node);

/* Is any node of that organisation connected? */
bool gossip_sees(const struct gossip *g, const char *org);
/* Does this node keep a link to any border of it, up or not? */
bool gossip_dials(const struct gossip *g, const struct org *org);

/* Time since somebody entitled vouched for an origin (ORG/NODE); INT64_MAX: not since this process started.
 */
int64_t gossip_age(const struct gossip *g, const char *origin);

/* For `peer list`: everybody who is or should be connected. */
MUST_CHECK int gossip_peers(const struct gossip *g, struct arena *a, struct peer_info **ret, size_t *ret_n);
/* For `holon mesh`: this node itself if it owns twins, then every origin that is held or offered. */
MUST_CHECK int gossip_origins(const struct gossip *g, struct arena *a, struct origin_info **ret,
			      size_t *ret_n);
void gossip_counts(const struct gossip *g, struct mesh_counts *ret); /* of the mesh */
uint64_t gossip_malformed(const struct gossip *g);
/* Sessions that are open now. */
uint64_t gossip_open(const struct gossip *g);
