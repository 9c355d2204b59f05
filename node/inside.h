/* SPDX-License-Identifier: Apache-2.0 */
/* Inside - what the nodes of one organisation tell each other of its trust: what is newest (node/fresh.h),
 * and with whom it shares (node/agreement.h).
 *
 * Each piece is signed by a node with the role admin, whoever hands it on, and goes on once. What is refused
 * is in the audit under the peer that sent it.
 *
 * Threads: the loop's.
 */
#pragma once

#include "node/engine.h"
#include "proto/message.h"

MUST_CHECK int inside_start(struct engine *e);
void inside_tick(struct engine *e);    /* once a second */
void inside_changed(struct engine *e); /* the bundle or the policy did; peers were told of them */

/* This node, which has the role admin, says for its organisation that it trusts a partner, or no longer:
 * durable when it returns; the own nodes are told. */
MUST_CHECK int inside_speak(struct engine *e, const char *partner, const struct public_key *root, bool ended,
			    struct err_note *note);

/* A session with an own node is open: tell it what is known here. */
void inside_greet(struct engine *e, uint32_t session);
/* MESSAGE_FRESHNESS, MESSAGE_AGREEMENT of an own node. */
void inside_on_message(struct engine *e, uint32_t session, const struct message *m);
