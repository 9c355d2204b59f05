/* SPDX-License-Identifier: Apache-2.0 */
/* Engine - one running node: its parts, and what passes between them.
 *
 *     control socket --> writer --> store --> visibility --> gossip (mesh, sessions) --> transport
 *                   \--> watches --> views, reads --> walk (egress) / asks --> gossip
 *
 * Each part is a file with its own header and keeps its own state; they reach each other through this struct.
 * Threads: the loop's, but for what writer.c hands to the thread pool.
 */
#pragma once

#include <uv.h>

#include "node/config.h"
#include "node/egress.h"
#include "node/transport.h"
#include "node/verified.h"
#include "node/visibility.h"

#ifndef HOLON_VERSION
#define HOLON_VERSION "0.1.0"
#endif

struct alarms;
struct writer;
struct gossip;
struct asks;
struct views;
struct sights;
struct watches;
struct teller;
struct judge;
struct settle;
struct commands;
struct adapters;
struct control;
struct journal;
struct door;
struct fresh;
struct endings;
struct forks;
struct quotas;
struct trees;
struct spread;
struct signer;
struct invites;
struct enrol;
struct persons;
struct reply;
struct unfinished;

struct engine {
	const struct config *config;
	uv_loop_t loop;
	void *zmq_context;
	struct trust *trust;
	struct store *store;
	struct egress egress;
	struct alarms *alarms;
	struct visibility *visibility; /* NULL unless a border */
	struct zap *zap;
	struct transport *transport;
	struct door *door;
	struct writer *writer;
	struct gossip *gossip;
	struct asks *asks;
	struct views *views;
	struct sights *sights; /* NULL until a partner asks for a view */
	struct watches *watches;
	struct teller *teller;     /* health of own twins from their members */
	struct settle *settle;     /* desired values of own twins */
	struct judge *judge;       /* alarms of own twins */
	struct commands *commands; /* of own twins, and sent from here */
	struct adapters *adapters;
	struct control *control;
	struct journal *journal;
	struct fresh *fresh;
	struct endings *endings;
	struct forks *forks;
	struct quotas *quotas;
	struct trees *trees; /* for repairs (serve_repair.c) */
	struct spread *spread;
	struct signer *signer;   /* NULL unless admin.organisation is set */
	struct invites *invites; /* the same */
	struct enrol *enrol;     /* NULL unless listen.enrol is set */
	struct persons *persons;
	struct reply *replies;         /* questions being answered (questions.c) */
	struct unfinished *unfinished; /* questions of which frames are missing (question_frames.c) */
	size_t n_finds;                /* running (find.c) */
	uv_timer_t housekeeping, judging, telling;     /* the last two: judge.c */
	uv_signal_t signals[2];                        /* SIGTERM, SIGINT */
	int64_t next_end_ns;                           /* wall time at which the next share ends */
	int64_t roster_ns;                             /* monotonic time of the last roster */
	int64_t started_ns;                            /* monotonic */
	int64_t collected_ns;                          /* monotonic time when tombstones were looked at */
	char origin[ORG_NAME_MAX + NODE_NAME_MAX + 2]; /* ORG/NODE of this node */
	struct verified verified;                      /* signatures of heads (serve.c) */
	bool border_is_closed;                         /* said so (border.c) */
	bool is_collecting;                            /* tombstones (collect.c) */
	bool stopping;
};

/* Open everything in the configured directory; not yet serving. The note says what is missing and what to do.
 */
MUST_CHECK int engine_open(struct engine **ret, const struct config *config, struct err_note *note);
/* Run until engine_stop(); `ready_fd` (-1: none) gets a newline when the node serves. */
MUST_CHECK int engine_run(struct engine *e, int ready_fd);
void engine_stop(struct engine *e);  /* from the loop */
void engine_close(struct engine *e); /* NULL is fine */

/* Trust changed (a bundle, a policy): new roster, new dials, visibility computed anew, peers told. */
void engine_trust_changed(struct engine *e);
/* A batch has been applied; `swept`: a repair, or beginning afresh, may have dropped
 * rows of the own organisation without a trace. */
void engine_store_changed(struct engine *e, bool swept);

int64_t engine_wall_ns(void);
int64_t engine_mono_ns(void);

/* One line for a failure nobody else is told of, with where it came from. */
void engine_log_failure(const char *domain, const char *what, int code, const struct err_note *note);
