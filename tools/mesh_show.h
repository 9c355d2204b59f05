/* SPDX-License-Identifier: Apache-2.0 */
/* Mesh show - what the nodes of an organisation say of each other, for people, as JSON and as a drawing for
 * Graphviz. The reports are sorted by the name of their node.
 */
#pragma once

#include "proto/report.h"

struct mesh_show {
	struct arena *arena;
	const char *org;
	const struct node_report *reports;
	size_t n;
};

void mesh_show_text(const struct mesh_show *m);
void mesh_show_json(const struct mesh_show *m);
void mesh_show_dot(const struct mesh_show *m);

/* What a node says of a peer, of an origin (ORG/NODE); NULL: nothing. */
const struct peer_info *report_peer(const struct node_report *r, const char *org, const char *node);
const struct origin_info *report_origin(const struct node_report *r, const char *origin);
/* Has it a session with it? NULL: no. */
bool peer_is_seen(const struct peer_info *p);
