/* SPDX-License-Identifier: Apache-2.0 */
/* Link - TCP connections that pass through the bench, so that it can cut them without a word: nothing is
 * carried, nothing is closed, and what was under way waits in the buffers of the kernel. What connects
 * meanwhile finds nobody who answers. Or so that everything is as late as over a long line.
 *
 * Owner: the caller's struct, zeroed; link_fini(). Threads: one of its own between link_start() and
 * link_fini(); `cut` is set from any other.
 */
#pragma once

#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

enum { LINK_ROUTES_MAX = 4, LINK_PAIRS_MAX = 64 };

/* Bytes on their way. */
struct link_piece {
	struct link_piece *next;
	double due_s;
	size_t len;
	uint8_t data[];
};

struct link {
	atomic_bool cut, ends;
	unsigned delay_ms; /* one way; set before link_start(); 0: none */

	/* private */
	pthread_t thread;
	bool runs;
	size_t n_routes;
	struct link_route {
		int fd;
		char host[16];
		uint16_t port;
	} routes[LINK_ROUTES_MAX];
	struct link_pair {
		int fd[2]; /* -1: free */
		struct link_way {
			struct link_piece *first, **end;
			size_t bytes;
		} way[2]; /* of what fd[i] said */
	} pairs[LINK_PAIRS_MAX];
};

/* What connects to host:from is carried to host:to. Before link_start(). 0 or -1. */
int link_route(struct link *l, const char *host, uint16_t from, uint16_t to);
int link_start(struct link *l);
void link_fini(struct link *l);
