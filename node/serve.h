/* SPDX-License-Identifier: Apache-2.0 */
/* Serve - the mesh's view of this node's store: heads, rows behind a cursor, what is held (federation/mesh.h,
 * port).
 *
 * Inside the organisation rows and heads go out as their origin made them; towards a partner a border filters
 * each row through egress, seals the cursor and signs a head of its own over what that partner may see.
 *
 * A partner also gets a head of each origin of which it sees nothing, for only that takes back what it may
 * have seen through another border or before a restart. Such a head tells that the node is there and nothing
 * else: but for the policy's epoch it never changes.
 */
#pragma once

#include "federation/mesh.h"
#include "node/engine.h"

/* The port for mesh_new(); ctx is the engine. */
struct mesh_port serve_port(struct engine *e);
