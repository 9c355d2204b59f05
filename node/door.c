/* SPDX-License-Identifier: Apache-2.0 */
#include "node/door.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "node/alarms.h"
#include "node/audit.h"
#include "node/log.h"
#include "node/record.h"
#include "node/zap.h"
#include "proto/clock.h"

enum {
	PROOF_EVERY_S = 3600,
	PROOF_AGAIN_S = 60,
	LIMITS_EVERY_S = 60,
	FILES_EVERY_S = 5,
	FILES_ALARM_PERCENT = 70, /* from there on it is looked every second */
	FILES_SHED_PERCENT = 85,
	HELD_MAX = 64, /* organisations and limits told apart in a minute */
	TROUBLE_BYTES = sizeof(struct err_note) + 100,
};

/* Times in a minute that a limit kept nodes of an organisation out. */
struct held {
	enum zap_verdict verdict;
	char org[ORG_NAME_MAX + 1];
	uint64_t n;
};

struct door {
	struct engine *e;
	struct files *files;
	struct files_count files_count;
	uint64_t shed; /* connections, since the last line of log */
	int64_t next_proof_ns, next_limits_ns, next_files_ns;
	int64_t proven_ns; /* 0: not yet */
	enum transport_proof proof;
	struct err_note proof_note;
	struct held held[HELD_MAX];
	size_t n_held;
	uint64_t counted[N_ZAP_VERDICTS]; /* of zap_stats, told already */
	uint64_t named[N_ZAP_VERDICTS];   /* of those not told yet, how many stand in held[] */
	char trouble[TROUBLE_BYTES];
};

/* ---- The lock --------------------------------------------------------------------------------------------
 */

static void on_proof(void *ctx, enum transport_proof proof, const struct err_note *what)
{
	struct door *d = ctx;
	const int64_t now_ns = engine_mono_ns();

	if (proof != d->proof && proof != PROOF_LOCKED)
		log_error("door", "%s", what->text);
	if (proof == PROOF_OPEN && d->proof != PROOF_OPEN) {
		log_error("door", "the border port is closed until the next start: the door is not locked");
		record_admin(d->e->journal, "self-test failed", what->text);
		transport_close_border(d->e->transport);
	}
	d->proven_ns = now_ns;
	d->next_proof_ns = now_ns + (proof == PROOF_LOCKED ? PROOF_EVERY_S : PROOF_AGAIN_S) * NS_PER_S;
	if (d->proof == PROOF_OPEN)
		return; /* it stays closed, and is said so */
	d->proof = proof;
	d->proof_note = *what;
}

static void prove(struct door *d)
{
	const int r = transport_prove(d->e->transport, on_proof, d);

	d->next_proof_ns = engine_mono_ns() + PROOF_AGAIN_S * NS_PER_S; /* unless there is an end of it */
	if (r < 0 && r != -EBUSY)
		engine_log_failure("door", "no self-test for now", r, NULL);
}

/* ---- Whom limits kept out, and who was cut ---------------------------------------------------------------
 */

static struct held *held_of(struct door *d, const struct zap_held *h)
{
	for (size_t i = 0; i < d->n_held; i++)
		if (d->held[i].verdict == h->verdict && strcmp(d->held[i].org, h->org) == 0)
			return &d->held[i];
	if (d->n_held == HELD_MAX)
		return NULL;
	struct held *fresh = &d->held[d->n_held++];
	*fresh = (struct held){.verdict = h->verdict};
	memcpy(fresh->org, h->org, sizeof fresh->org);
	return fresh;
}

static void count_held(struct door *d)
{
	struct zap_held h;

	while (zap_next_held(d->e->zap, &h)) {
		struct held *of = h.verdict < N_ZAP_VERDICTS ? held_of(d, &h) : NULL;
		if (of) {
			of->n++;
			d->named[of->verdict]++;
		}
	}
}

static void note_held(struct door *d, const char *org, enum zap_verdict v, uint64_t n)
{
	if (n > 0)
		journal_note(d->e->journal, &(struct audit_entry){.kind = AUDIT_LIMIT,
								  .count = n,
								  .org = org,
								  .node = "-",
								  .subject = "not let in",
								  .text = zap_verdict_text(v)});
}

/* By organisation where that is known, the rest are strangers and those nobody had room to tell apart. */
static void note_limits(struct door *d)
{
	struct zap_stats s;

	zap_stats(d->e->zap, &s);
	count_held(d);
	for (size_t i = 0; i < d->n_held; i++)
		note_held(d, d->held[i].org, d->held[i].verdict, d->held[i].n);
	for (size_t v = 0; v < N_ZAP_VERDICTS; v++) {
		const uint64_t fresh = s.held[v] - d->counted[v];
		note_held(d, "-", (enum zap_verdict)v, fresh > d->named[v] ? fresh - d->named[v] : 0);
		d->counted[v] = s.held[v];
		d->named[v] = 0;
	}
	d->n_held = 0;
}

/* It did what no peer that is in order does. */
static bool is_its_fault(enum transport_kick why)
{
	return why == KICK_FLOOD || why == KICK_PARTS || why == KICK_MALFORMED || why == KICK_SLOW;
}

void door_on_kick(void *ctx, const char *org, const char *node, enum transport_kick why)
{
	struct engine *e = ctx;
	char peer[ORG_NAME_MAX + NODE_NAME_MAX + 2], text[100];

	snprintf(peer, sizeof peer, "%s/%s", org, node);
	snprintf(text, sizeof text, "its connection was cut: %s", transport_kick_text(why));
	if (!e->stopping && org[0] && is_its_fault(why))
		alarms_raise(e->alarms, ALARM_PEER, peer, text);
	if (!e->stopping)
		record_kick(e->journal, org, node, transport_kick_text(why));
}

/* ---- Descriptors -----------------------------------------------------------------------------------------
 */

static bool above(const struct files_count *c, uint64_t percent)
{
	return c->most > 0 && c->open >= c->most * percent / 100;
}

/* Without descriptors nothing is accepted and nothing is stored. Whoever has not said a word goes first. */
static void watch_files(struct door *d)
{
	const bool was_high = above(&d->files_count, FILES_ALARM_PERCENT);

	files_count(d->files, &d->files_count);
	const bool high = above(&d->files_count, FILES_ALARM_PERCENT);
	if (high && !was_high)
		log_error("door", "descriptors run short open=%" PRIu64 " most=%" PRIu64, d->files_count.open,
			  d->files_count.most);
	if (above(&d->files_count, FILES_SHED_PERCENT))
		d->shed += transport_shed(d->e->transport);
	if (was_high && !high) {
		log_info("door", "descriptors suffice again open=%" PRIu64 " shed=%" PRIu64,
			 d->files_count.open, d->shed);
		d->shed = 0;
	}
	d->next_files_ns = engine_mono_ns() + (high ? 0 : FILES_EVERY_S * NS_PER_S);
}

/* ---- Both ------------------------------------------------------------------------------------------------
 */

void door_tick(struct door *d)
{
	const int64_t now_ns = engine_mono_ns();

	count_held(d);
	if (now_ns >= d->next_files_ns)
		watch_files(d);
	if (now_ns >= d->next_limits_ns) {
		note_limits(d);
		d->next_limits_ns = now_ns + LIMITS_EVERY_S * NS_PER_S;
	}
	if (now_ns >= d->next_proof_ns)
		prove(d);
}

void door_stop(struct door *d)
{
	if (d)
		note_limits(d);
}

void door_state(const struct door *d, struct door_state *ret)
{
	struct zap_stats s;

	zap_stats(d->e->zap, &s);
	*ret = (struct door_state){
		.self_test = d->proven_ns == 0          ? "not yet"
			     : d->proof == PROOF_LOCKED ? "passed"
							: d->proof_note.text,
		.locked = d->proof != PROOF_OPEN,
		.tested_ns = d->proven_ns,
		.files = d->files_count,
	};
	for (size_t i = 0; i < N_ZAP_VERDICTS; i++)
		ret->held += s.held[i];
}

int door_check(const struct door *d, struct err_note *note)
{
	return d->proof == PROOF_OPEN ? FAIL_SAY(note, ERR_REFUSED, "%s", d->proof_note.text) : 0;
}

const char *door_trouble(struct door *d)
{
	if (d->proof == PROOF_OPEN)
		snprintf(d->trouble, sizeof d->trouble, "the border port is closed until the next start: %s",
			 d->proof_note.text);
	else if (d->proof == PROOF_UNSURE)
		snprintf(d->trouble, sizeof d->trouble, "%s; tried again every minute", d->proof_note.text);
	else if (above(&d->files_count, FILES_ALARM_PERCENT))
		snprintf(d->trouble, sizeof d->trouble,
			 "%" PRIu64 " of %" PRIu64 " descriptors are in use: raise the limit (LimitNOFILE)",
			 d->files_count.open, d->files_count.most);
	else
		return NULL;
	return d->trouble;
}

int door_start(struct door **ret, struct engine *e)
{
	struct door *d = calloc(1, sizeof *d);

	if (!d)
		return FAIL(-ENOMEM);
	d->e = e;
	d->next_limits_ns = engine_mono_ns() + LIMITS_EVERY_S * NS_PER_S;
	const int r = files_new(&d->files);
	if (r < 0) {
		free(d);
		return r;
	}
	files_count(d->files, &d->files_count);
	*ret = d;
	return 0;
}

void door_free(struct door *d)
{
	if (!d)
		return;
	files_free(d->files);
	free(d);
}
