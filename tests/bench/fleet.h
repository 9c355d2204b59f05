/* SPDX-License-Identifier: Apache-2.0 */
/* Fleet - an organisation of many nodes on the loopback, each a holond with an address of its own, for the
 * benches of the mesh.
 *
 *     SCOPED(fleet_fini) struct fleet fleet = {.bench = "join", .n = 40};
 *     if (fleet_init(&fleet, opt) < 0 || fleet_tell(&fleet, 0) < 0 || fleet_launch(&fleet, 0) < 0) ...
 *
 * Node 0 is the first that was made. A node knows those that were made before it, until it is told of all.
 *
 * Owner: the caller's struct; fleet_fini() ends the nodes and removes the directory. Says itself what fails.
 */
#pragma once

#include <sys/types.h>

#include "tests/bench/bench.h"
#include "tools/client.h"

#define FLEET_ORG "acme"

struct fleet_node {
	char name[24], host[48];
	pid_t pid;             /* 0: does not run */
	struct client *client; /* after fleet_client() */
};

struct fleet {
	const char *bench; /* for what is said */
	size_t n;
	const char *settings[4]; /* of every node, `section.key=value`, NULL behind the last */
	struct fleet_node *nodes;
	uint16_t port;        /* of the endpoints of all */
	uint16_t listen_port; /* where they listen behind what the bench puts at their endpoints; 0: there */

	/* private */
	char dir[96], org[112];
	const char *holond;
};

int fleet_init(struct fleet *f, const struct bench_options *opt); /* founded; nobody runs */
void fleet_stop(struct fleet *f);                                 /* all of them are killed; logs stay */
void fleet_fini(struct fleet *f);

/* While it does not run: it knows all nodes when it starts. */
int fleet_tell(struct fleet *f, size_t node);
int fleet_tell_all(struct fleet *f);

int fleet_launch(struct fleet *f, size_t node); /* does not wait for anything */
int fleet_launch_all(struct fleet *f);
void fleet_kill(struct fleet *f, size_t node);               /* SIGKILL, and wait until it is gone */
void fleet_signal(struct fleet *f, size_t node, int signal); /* SIGSTOP, SIGCONT */

/* The node's client, opened when it was not, waiting until it serves; NULL after saying why. */
struct client *fleet_client(struct fleet *f, size_t node);
/* What it knows of its peers. */
int fleet_peers(struct fleet *f, size_t node, struct arena *a, struct peer_info **ret, size_t *ret_n);
/* How many of them it is connected with; -1 after saying why. */
int fleet_connected(struct fleet *f, size_t node);
/* Wait until every running node is connected with every other one. */
int fleet_settle(struct fleet *f, double within_s);
