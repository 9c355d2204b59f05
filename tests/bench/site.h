/* SPDX-License-Identifier: Apache-2.0 */
/* Site - a founded organisation with one running holond in a scratch directory, for the benches that go
 * through a node.
 *
 *     SCOPED(site_fini) struct site site = {.bench = "ingest"};
 *     if (site_init(&site, opt, settings) < 0) ...
 *
 * Owner: the caller's struct; site_fini() ends the node and removes the directory. Says itself what fails.
 */
#pragma once

#include <sys/types.h>

#include "tests/bench/bench.h"
#include "tools/client.h"

#define SITE_ORG "acme"

struct site {
	const char *bench;   /* for what is said */
	size_t memory_bytes; /* limit of what the node may take for itself; 0: none */
	bool encrypted;      /* clients come over CURVE TCP on the loopback, not the Unix socket */
	pid_t pid;           /* while it runs */

	/* private */
	char dir[96], node[112], endpoint[128], log[112];
	const char *holond;
	const char *settings[8];
	char listen[160], key[64];
	struct curve_pair *pair; /* of the clients */
	struct client_keys keys;
};

/* `settings`: up to 5 of `section.key=value`, NULL behind the last; NULL: none. */
int site_init(struct site *s, const struct bench_options *opt, const char *const settings[]);
void site_fini(struct site *s);

int site_start(struct site *s); /* again, after site_kill() */
void site_kill(struct site *s); /* without a word, as a power cut would */

int site_client(const struct site *s, struct client **ret);
/* Ask; the code of the answer counts as well. */
int site_ask(const struct site *s, struct client *c, struct control_request *r, struct arena *a,
	     struct control_answer *ret);
/* Texts in it are gone. */
int site_status(const struct site *s, struct client *c, struct node_status *ret);
/* Wait until everything is behind a checkpoint. */
int site_settle(const struct site *s, struct client *c, double within_s);
