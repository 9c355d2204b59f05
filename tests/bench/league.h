/* SPDX-License-Identifier: Apache-2.0 */
/* League - three organisations on the loopback that trust each other and share all they have, and one
 * hierarchy across all their nodes, for the benches of views.
 *
 *     acme/n0 --contains--> its machines, acme/n1, acme/n2, acme/n3, bolt/n0, volt/n0
 *     bolt/n0 --contains--> its machines, bolt/n1, bolt/n2           (volt likewise)
 *     ORG/nX  --contains--> ORG/nX/m0, m1, ... in a tree of ten below each
 *
 * Every twin is owned by the node after which it is named; n0 of each organisation is its border. acme/n0
 * asks. Or, with `lone`: acme/n0 alone has machines, and bolt/n0, a stranger to whom they are shared, asks.
 *
 * Owner: the caller's struct; league_fini() ends the nodes and removes the directory. Says itself what fails.
 */
#pragma once

#include <sys/types.h>

#include "tests/bench/bench.h"
#include "tools/client.h"

enum { LEAGUE_NODES = 10, LEAGUE_ORGS = 3 };

struct league_node {
	const char *org;
	size_t number; /* within its organisation */
	char host[24];
	pid_t pid;
	struct client *client;
};

struct league {
	const char *bench;      /* for what is said */
	size_t n_twins;         /* of each node */
	bool lone;              /* two nodes */
	uint16_t border_port;   /* of the endpoints of the borders; after league_init() */
	uint16_t border_listen; /* where they listen behind what the bench puts there; 0: there */
	struct league_node nodes[LEAGUE_NODES];
	char dir[96]; /* after league_init(): ORG/org and ORG/nX of all */

	/* private */
	uint16_t own_port;
	const char *holond;
};

static inline size_t league_nodes(const struct league *l)
{
	return l->lone ? 2 : LEAGUE_NODES;
}

#define LEAGUE_ROOT "acme/n0"

int league_init(struct league *l, const struct bench_options *opt); /* founded; nobody runs */
/* All run, trust each other, have their twins, and acme/n0 sees all of them live. */
int league_launch(struct league *l);
void league_fini(struct league *l);

/* sum, min, max and worst health of all members below LEAGUE_ROOT, without a list of them. */
struct league_view {
	int64_t deadline_ns;
	bool offline;
};
enum { LEAGUE_ROLLUPS = 4 };
int league_ask(struct league *l, const struct league_view *how, struct arena *a, struct view_part *ret,
	       double *ret_ms);
/* Is the total the right one? */
bool league_is_right(const struct league *l, const struct view_part *view);
static inline size_t league_members(const struct league *l)
{
	return l->n_twins * (l->lone ? 1 : LEAGUE_NODES);
}
/* Until a view is clean again. */
int league_await(struct league *l, double within_s);
