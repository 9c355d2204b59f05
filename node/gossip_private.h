/* SPDX-License-Identifier: Apache-2.0 */
/* Gossip private - what the files of gossip share.
 *
 *   gossip.c        the mesh at work: events in, its todo list out
 *   gossip_peers.c  `peer list`
 *   members.c       who should be connected: dialling
 *   gossip_report.c which origins are held, and how far
 *   gossip_tell.c   what people are told of peers
 */
#pragma once

#include "federation/mesh.h"
#include "node/gossip.h"
#include "node/log_share.h"
#include "proto/map.h"

struct members;
struct stored;

struct gossip {
	struct engine *engine;
	struct mesh *mesh;
	struct session *sessions;
	struct members *members;
	struct map heard;                    /* origin -> struct heard */
	struct stored *stores, **stores_end; /* in the order the mesh gave them out */
	uint64_t last_token;
	uv_timer_t timer;
	uint64_t malformed;
	unsigned depth; /* steps under way: doing what one wants may lead to another */
	struct log_shares shares;
};

/* What peers can make us write is bounded: may a line about this one (NULL: nobody) be written? */
bool gossip_may_log(struct gossip *g, const struct session *s);
void gossip_say_malformed(struct gossip *g, const struct session *s, size_t bytes);
/* Sessions that this side ends, and why. */
void gossip_say_closed(struct gossip *g, const struct mesh_action *action);
void gossip_alarm(struct gossip *g, const struct mesh_action *action); /* MESH_ALARM */
/* MESH_FORK: two with one key. From here on nothing of it counts until an admin has chosen (node/forks.h). */
void gossip_fork(struct gossip *g, const struct mesh_action *action);
