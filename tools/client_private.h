/* SPDX-License-Identifier: Apache-2.0 */
/* Client, inside: what its files share. */
#pragma once

#include "proto/map.h"
#include "tools/client.h"

/* A series that was named, and what the node said of it. */
struct named_series {
	char *twin, *property; /* one block, with the key of the map behind */
	uint32_t handle;       /* 0: none such */
	enum value_type type;
	bool known;       /* the node was asked since it has its present incarnation */
	bool asked;       /* in the request being made */
	int64_t asked_ns; /* when that was, for those that it does not have */
	uint64_t since;   /* frames with lower numbers hold values of another type */
};

struct client_names {
	struct map by_name; /* "twin property" -> 1 + place */
	struct named_series *items;
	size_t n, size;
	uint64_t incarnation; /* whose handles they are; 0: none yet */
};

struct client_ingest;
struct client_person;

struct client {
	void *zmq, *socket, *monitor;
	char *endpoint;
	struct client_keys keys; /* own NULL: not encrypted */
	int64_t timeout_ns;
	uint64_t last_id;
	unsigned n_monitors; /* each has its own name */
	bool connected, gone, denied;
	uint32_t credit; /* as last stated; 0: never */
	struct client_names names;
	struct client_ingest *ingest; /* NULL: none begun */
	struct client_person *person; /* NULL: whoever may open the socket */
};

int64_t client_now_ns(void); /* monotonic */

/* The next part of any answer until then. CLIENT_NOTHING: none came; ERR_UNREACHABLE: the node hung up. */
enum { CLIENT_NOTHING = 1 };
MUST_CHECK int client_await_part(struct client *c, int64_t until_ns, struct arena *a,
				 struct control_answer *ret, struct err_note *note);
/* Give the connection up and make it anew, once. */
MUST_CHECK int client_reconnect(struct client *c, struct err_note *note);

/* A number for a series without looking at its names; they are names. */
MUST_CHECK int client_name(struct client *c, const char *twin, const char *property, uint32_t *ret);
/* Ask the node for the handles of those that are not known, in as few requests as may be. When the node has
 * another incarnation than before, all others become unknown: they are asked for when they are needed. */
MUST_CHECK int client_resolve(struct client *c, const uint32_t *series, size_t n, struct err_note *note);
/* All handles may be stale. */
void client_forget_handles(struct client *c);
void client_names_fini(struct client_names *names);

/* An answer that is not to the question being asked: perhaps to a frame. */
void client_ingest_take(struct client *c, const struct control_answer *part);
/* From now on values of this series have another type than those packed before. */
void client_ingest_retype(struct client *c, struct named_series *s);
void client_ingest_free(struct client_ingest *in); /* NULL is fine */
