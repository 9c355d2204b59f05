/* SPDX-License-Identifier: Apache-2.0 */
/* Zap limit - how often, and how many times at once, whoever shows up at the door is let in.
 *
 * Token buckets per key, per address, per organisation and for all together, and the connections that live.
 * Who is over a limit is told to come back later (RFC 27: 300); nothing is taken from any bucket then.
 *
 *     own node          key                            all of the total     its connections
 *     partner's node    key, address*, organisation    3/4 of the total     its and its organisation's
 *     administrator     all of the total
 *     anybody else      address*                       1/2 of the total     (is refused, or may enrol)
 *
 *   * apart from each other: nobody uses up what others behind the same address have.
 *
 * The own nodes of a site may all come back at once from behind one address, so that does not bind them, and
 * what the others cannot touch of the total is theirs. Memory is fixed. A row makes room for another only
 * when it is as good as none (bucket full, no connection): nobody gets a fresh bucket by pushing his own row,
 * or somebody else's, out; whoever finds no room shares one row with all others like him.
 *
 * A connection lives from being let in until the transport says that it ended. Who was let in and never spoke
 * cannot be told apart by its end; it counts for `silent_ms`, by then the transport has cut it.
 *
 * Threads: one at a time. The clock is the caller's: monotonic, milliseconds.
 */
#pragma once

#include "node/roster.h"

/* Rates are a minute but for the total, a second. 0: no limit. */
struct zap_limits {
	int64_t key_rate, key_burst;
	int64_t address_rate, address_burst;
	int64_t org_rate, org_burst;
	int64_t total_rate;
	int64_t key_connections, org_connections;
	int64_t silent_ms;
};

enum zap_verdict {
	ZAP_WELCOME,
	ZAP_OVER_KEY,
	ZAP_OVER_ADDRESS,
	ZAP_OVER_ORG,
	ZAP_OVER_TOTAL,
	ZAP_OVER_KEY_CONNECTIONS,
	ZAP_OVER_ORG_CONNECTIONS,
	N_ZAP_VERDICTS
};
const char *zap_verdict_text(enum zap_verdict v); /* "too often with one key", ... */

struct zap_limiter;

MUST_CHECK int zap_limiter_new(struct zap_limiter **ret, const struct zap_limits *l);
void zap_limiter_free(struct zap_limiter *z); /* NULL is fine */

struct zap_caller {
	const struct roster_entry *entry; /* NULL: nobody who would be let in as a node */
	bool admin;           /* may give orders: only the total counts, each order is a connection */
	struct bytes address; /* as libzmq writes it */
};
/* Take it from the buckets, or name the first limit that is in the way. Somebody with an entry who is welcome
 * has a connection from now on. */
enum zap_verdict zap_limiter_ask(struct zap_limiter *z, const struct zap_caller *who, int64_t now_ms);

/* A connection of this key delivered its first frame; ended (one that had); was cut for what it did: then
 * the key waits longer the next time. Keys that are not known here mean nothing. */
void zap_limiter_spoke(struct zap_limiter *z, const struct curve_key *key, int64_t now_ms);
void zap_limiter_ended(struct zap_limiter *z, const struct curve_key *key, int64_t now_ms);
void zap_limiter_kicked(struct zap_limiter *z, const struct curve_key *key, int64_t now_ms);

DEFINE_SCOPED(zap_limiter, zap_limiter_free)
