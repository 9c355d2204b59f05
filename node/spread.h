/* SPDX-License-Identifier: Apache-2.0 */
/* Spread - bundles travel by themselves: through the own organisation, and from a partner's border to ours.
 *
 * Inside, two nodes tell each other what they hold of every organisation both trust; across a border each
 * side is told what the other holds of it, and sends its own bundle, nothing else.
 *
 *     STANDING it holds something else   ->   STANDING, if this side has not said yet what it holds
 *                                        ->   TRUST... the whole bundle, if it has
 *     TRUST... all pieces are here       ->   joined; if that changed something: STANDING to everybody
 *                                             if not, and the other lacks something: TRUST...
 *
 * Joining only ever adds (security/org_merge.h), so what is passed on comes to rest when all that are
 * connected hold the same; nothing is sent where they do. With a peer that does not come to agree this is
 * tried SPREAD_TRIES times for each thing held, then there is an alarm and a pause (a minute). A peer can
 * make this side hold BUNDLE_FILE_MAX bytes.
 *
 * What is held, joining and sending are the owner's: no sockets here, no clock, no files.
 *
 * Owner:   the engine (spread_port.c), or a test. Threads: one.
 */
#pragma once

#include "proto/message.h"
#include "proto/scope.h"

struct spread;

struct spread_port {
	void *ctx;
	/* Organisations that are trusted, the own one first: NULL to begin, NULL at the end. A name is good
	 * until the next call. */
	const char *(*org_next)(void *ctx, const char *after);
	/* Its bundle and the digest of that, or SPREAD_LACKS; false: not trusted. Good until the next join.
	 */
	bool (*held)(void *ctx, const char *org, uint64_t *ret_digest, struct bytes *ret_bundle);
	/* A peer sent this: 0: something has changed, SPREAD_NOTHING: not; negative: refused. */
	int (*join)(void *ctx, uint32_t session, const char *org, struct bytes bundle);
	/* What follows from a change; calls spread_changed(). */
	void (*changed)(void *ctx);
	/* May end the session, and then calls spread_on_down(). */
	void (*say)(void *ctx, uint32_t session, const struct message *m);
	void (*alarm)(void *ctx, uint32_t session, const char *text);
};
enum { SPREAD_NOTHING = 1 };
/* The digest of what is to be trusted and not held yet: whoever hears of it sends what it holds. */
enum { SPREAD_LACKS = 1 };
enum {
	SPREAD_TRIES = 3,      /* while it says that it holds the same */
	SPREAD_TRIES_ALL = 16, /* whatever it says; as many bundles are taken that change nothing */
};

MUST_CHECK int spread_new(struct spread **ret, const char *own_org, const struct spread_port *port);
void spread_free(struct spread *s); /* NULL is fine */

/* Times are monotonic. A peer that knows of this said HELLO, for the first time or anew; then: it is
 * believed, and may hear of partners too. */
void spread_on_greeted(struct spread *s, uint32_t session, const char *org, int64_t now_ns);
void spread_on_opened(struct spread *s, uint32_t session, int64_t now_ns);
void spread_on_down(struct spread *s, uint32_t session);
void spread_on_standing(struct spread *s, uint32_t session, const struct trust_standing *st, int64_t now_ns);
void spread_on_piece(struct spread *s, uint32_t session, const struct trust_piece *p, int64_t now_ns);
/* What is held may be something else now. */
void spread_changed(struct spread *s, int64_t now_ns);
void spread_tick(struct spread *s, int64_t now_ns); /* about once a second */

/* Bytes of pieces held for that session. */
size_t spread_waiting(const struct spread *s, uint32_t session);

DEFINE_SCOPED(spread, spread_free)
