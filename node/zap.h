/* SPDX-License-Identifier: Apache-2.0 */
/* Zap - the door keeper: an own ZAP handler (RFC 27) on its own thread, answering from the published roster.
 *
 * libzmq accepts everybody when no handler is bound, so this is started before any other socket, and the
 * process aborts if its thread ends by itself. Without a roster everybody is refused. No disk, no locks held,
 * no logging: it counts. Domain "own" admits nodes of the own organisation, domain "border" nodes of trusted
 * organisations that carry the border role, domain "control" the keys of zap_set_control(), domain "enrol"
 * whoever has a key: what they may ask there is to join (node/enrol.h). Any other domain or mechanism is
 * refused (400), as is an entry before or after its time (unless it is returning); another version, frame
 * count or length of key is malformed (500). Whoever is over a limit (node/zap_limit.h) is sent away without
 * a word (300), whatever the answer would have been.
 *
 * Threads: calls are for the thread that started it, zap_publish(), zap_set_control() and zap_stats() for
 * any.
 */
#pragma once

#include "node/clock.h"
#include "node/zap_limit.h"

#define ZAP_DOMAIN_OWN "own"
#define ZAP_DOMAIN_BORDER "border"
#define ZAP_DOMAIN_CONTROL "control"
#define ZAP_DOMAIN_ENROL "enrol"
#define ZAP_USER_CONTROL "control" /* User-Id of all who came in there */

struct zap;

/* Returns when the handler is bound. One per context: -EADDRINUSE for another. */
MUST_CHECK int zap_start(struct zap **ret, void *zmq_context);
void zap_stop(struct zap *z); /* NULL is fine; before the context is terminated */

/* Answer from this roster from now on; takes its own reference. NULL: refuse everybody. */
void zap_publish(struct zap *z, struct roster *r);

/* Who may come in at "control" from now on; must stay until the end. */
void zap_set_control(struct zap *z, const struct curve_key *keys, size_t n);

/* By which entries begin and end; must stay until the end. Before that it is the machine's. */
void zap_set_clock(struct zap *z, const struct clock *c);

/* Before that there are no limits. */
void zap_set_limits(struct zap *z, const struct zap_limits *l);
/* No limit is in the way of this key, one of the last four told of: the self-test's, which are refused. */
void zap_expect(struct zap *z, const struct curve_key *key);
/* What became of somebody let in at "own" or "border": see zap_limiter_spoke() and what follows it. */
void zap_spoke(struct zap *z, const struct curve_key *key);
void zap_ended(struct zap *z, const struct curve_key *key);
void zap_kicked(struct zap *z, const struct curve_key *key);

/* A node of the roster whom a limit sent away. */
struct zap_held {
	enum zap_verdict verdict;
	char org[ORG_NAME_MAX + 1], node[NODE_NAME_MAX + 1];
};
/* The next of those; false: none. When nobody asks, the latest are only counted. */
bool zap_next_held(struct zap *z, struct zap_held *ret);

/* The User-Id of whoever came in at "enrol", which is good for nothing but that, and the key in it. */
void zap_stranger_id(const struct curve_key *key, char ret[USER_ID_SIZE]);
bool zap_stranger_key(const char *user_id, struct curve_key *ret);

/* Whether an entry may come in through that door, whatever the time. */
bool zap_admits(const char *domain, const struct roster_entry *e);

struct zap_stats {
	uint64_t admitted, refused, malformed;
	uint64_t held[N_ZAP_VERDICTS]; /* by limit */
};
void zap_stats(const struct zap *z, struct zap_stats *ret);

DEFINE_SCOPED(zap, zap_stop)
