/* SPDX-License-Identifier: Apache-2.0 */
/* Replica - a Redis primary and its replica behind a link that a bench can cut. Keys and values are about
 * what a row is.
 *
 * Owner: the caller's struct with port[0] (the primary's) and n_keys set, zeroed else; replica_end().
 */
#pragma once

#include <inttypes.h>
#include <sys/types.h>

#include "tests/bench/bench.h"

#define REPLICA_PEER "redis replica"
#define REPLICA_KEY "acme/plant-00/line-000/machine-%07zu"
#define REPLICA_VALUE "machine operating good power=%020" PRIu64 " kW heat=273.15 K 1790000000000000000"

struct replica {
	uint16_t port[2];
	size_t n_keys;

	/* private */
	char dir[96];
	pid_t pid[2];
	int fd[2];
};

enum { REPLICA_ABSENT = 1 };
/* Both run, and the replica has all keys, with value 0; link_port leads it to the primary. REPLICA_ABSENT, or
 * -1 after saying why. */
int replica_start(struct replica *r, const struct bench_options *opt, uint16_t link_port);
void replica_end(struct replica *r);
/* At the primary: the keys first, first + step, ... */
int replica_set(struct replica *r, size_t first, size_t step, size_t n, uint64_t value);
/* Does the replica show that value? */
bool replica_shows(struct replica *r, size_t key, uint64_t value);
