/* SPDX-License-Identifier: Apache-2.0 */
/* Peer: serf, agents of its own on loopback addresses, asked by its RPC (MessagePack over TCP). */
#pragma once

#include "tests/bench/bench.h"

#define SERF_PEER "serf"

/* Seconds from the first start of n agents, each told to join the first, until each lists all as alive. NaN:
 * not installed, or after saying why. */
double peer_serf_join(const struct bench_options *opt, size_t n, double within_s);
/* Seconds from a signal to the last of them until all others list it as failed. */
double peer_serf_detect(const struct bench_options *opt, size_t n, int signal, double within_s);
/* Resident memory of one of n, on average, when they have listed each other for a while: MB. */
double peer_serf_rss(const struct bench_options *opt, size_t n, double within_s);
