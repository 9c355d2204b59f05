/* SPDX-License-Identifier: Apache-2.0 */
/* Net - a few nodes' transports in one process: one context, one loop, one ZAP handler, loopback sockets. */
#pragma once

#include "node/transport.h"

struct host {
	struct roster_entry entry;
	struct curve_pair *keys;
	struct transport *t; /* NULL: closed */
	int ups, downs, frames;
	uint32_t session; /* of the last on_up */
	uint32_t down;    /* of the last on_down */
	char peer[160];   /* ORG/NODE of the last on_up */
	bool dialled;
	bool apart;    /* from the handler: it tells it nothing */
	char last[64]; /* the last frame, cut */
	size_t last_len;
	int kicks;
	enum transport_kick why;                         /* of the last kick, as the next */
	char kicked[160];                                /* ORG/NODE */
	void (*on_up)(struct host *h, uint32_t session); /* may be NULL, as the next */
	void (*on_frame)(struct host *h, uint32_t session);
};

extern void *net_context;
extern uv_loop_t net_loop;
extern struct zap *net_zap;

void net_start(void);
void net_stop(void); /* all hosts closed: aborts if anything is left open */

/* A host with fresh keys; valid from an hour ago to in an hour. */
void host_init(struct host *h, const char *org, const char *node, bool own, uint32_t roles);
void host_fini(struct host *h); /* closes it first */
/* `limits` may be NULL. */
int host_open(struct host *h, struct roster *r, const char *own_endpoint, const char *border_endpoint,
	      const struct transport_limits *limits);
void host_close(struct host *h); /* returns when everything is closed */

/* A roster of these hosts (at most 8); NULL ends the list. Give it back with roster_unref(). */
struct roster *roster_of(struct host *first, ...);
void net_publish(struct roster *r);

/* A handler in the place of ours, which is gone then: it lets everybody in, by this name. */
void net_rogue_start(const char *user_id);
void net_rogue_stop(void);

/* Run the loop until *value >= at_least, at most 5 s. */
bool net_until(const int *value, int at_least);
bool net_until_state(const struct host *h, const struct host *peer, const char *state);
void net_run_ms(unsigned ms);
