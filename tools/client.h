/* SPDX-License-Identifier: Apache-2.0 */
/* Client - a connection to a node's control socket: requests out, parts of answers in.
 *
 * Several requests may be on their way at a time; answers carry the id of their request.
 * Owner:   client_open() makes it. Threads: one.
 */
#pragma once

#include "proto/control.h"

struct client;

/* Connects at once or fails: ERR_UNREACHABLE with a note when nobody listens there. `timeout_ns` also bounds
 * every wait for an answer that is not told otherwise. */
MUST_CHECK int client_open(struct client **ret, const char *endpoint, int64_t timeout_ns,
			   struct err_note *note);
void client_close(struct client *c); /* NULL is fine */

/* Longest silence to bear while waiting. */
void client_set_timeout(struct client *c, int64_t timeout_ns);

/* Gives the request its id and sends it. */
MUST_CHECK int client_send(struct client *c, struct control_request *request, struct err_note *note);

/* The next part of any answer, decoded into the arena. ERR_UNREACHABLE (node silent or gone), ERR_MALFORMED.
 */
MUST_CHECK int client_receive(struct client *c, struct arena *a, struct control_answer *ret,
			      struct err_note *note);

/* One question, all parts of its answer merged. No other request may be on its way. */
MUST_CHECK int client_ask(struct client *c, struct control_request *request, struct arena *a,
			  struct control_answer *ret, struct err_note *note);

/* Add a later part to an answer: lists are joined, counts and roll-up states add up. -ENOMEM, ERR_UNIT. */
MUST_CHECK int answer_merge(struct arena *a, struct control_answer *into, const struct control_answer *part,
			    struct err_note *note);

/* `ipc:///path` of what a person gave: an endpoint, a path, or a node's directory (then the socket in it).
 * ERR_REFUSED with a note when the path is too long for a socket or neither was given. */
MUST_CHECK int client_endpoint(struct arena *a, const char *endpoint, const char *node_dir, const char **ret,
			       struct err_note *note);

DEFINE_SCOPED(client, client_close)
