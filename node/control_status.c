/* SPDX-License-Identifier: Apache-2.0 */
#include <stdio.h>
#include <string.h>

#include "node/alarms.h"
#include "node/border.h"
#include "node/commands.h"
#include "node/control.h"
#include "node/door.h"
#include "node/fresh.h"
#include "node/gossip.h"
#include "node/judge.h"
#include "node/memory.h"
#include "node/settle.h"
#include "node/writer.h"

static const char *border_text(struct call *c)
{
	struct err_note why = {0};

	if (!(c->e->trust->self->roles & ROLE_BORDER))
		return "none";
	return border_check(c->e, &why) == 0 ? "open" : arena_print(c->arena, "closed: %s", why.text);
}

static const char *state_text(struct call *c)
{
	const char *worst = alarms_worst(c->e->alarms);

	return worst ? arena_print(c->arena, "degraded: %s", worst) : "serving";
}

static void tell_door(const struct engine *e, struct node_status *s)
{
	struct transport_stats ts;
	struct zap_stats zs;
	struct door_state d;

	transport_stats(e->transport, &ts);
	zap_stats(e->zap, &zs);
	door_state(e->door, &d);
	s->malformed_frames = gossip_malformed(e->gossip);
	s->refused_handshakes = zs.refused;
	s->refused_frames = ts.refused_frames;
	s->kicks = ts.kicks;
	s->held_handshakes = d.held;
	s->open_files = d.files.open;
	s->most_files = d.files.most;
	s->self_test = d.self_test;
}

static uint64_t count_remote_rows(const struct store *s)
{
	const char *after = "";
	uint64_t n = 0;

	for (const struct origin *o; (o = store_origin_next(s, after)); after = o->name)
		n += o->n_rows;
	return n;
}

static int push_count(struct call *c, struct node_status *s, const char *name, uint64_t n)
{
	struct named_count *one = arena_push(c->arena, &s->counts, &s->n_counts, sizeof *one);

	if (!one)
		return FAIL(-ENOMEM);
	*one = (struct named_count){name, n};
	return 0;
}

/* Of commands, desired values and alarms. */
static int tell_counts(struct call *c, struct node_status *s)
{
	const struct engine *e = c->e;
	const struct settle_counts settling =
		e->settle ? settle_counts(e->settle) : (struct settle_counts){0};
	const char *name;
	uint64_t n;

	for (size_t i = 0; commands_count(e->commands, i, &name, &n); i++)
		TRY(push_count(c, s, name, n));
	TRY(push_count(c, s, "desired values not reported yet", settling.n_open));
	TRY(push_count(c, s, "desired values overdue", settling.n_overdue));
	return push_count(c, s, "times all alarms were judged anew", judge_lost(e->judge));
}

int control_status(struct call *c, struct err_note *note)
{
	struct engine *e = c->e;
	const struct trust *t = e->trust;
	struct store_position *at = arena_take(c->arena, sizeof *at);
	struct writer_stats ws;
	struct store_health hs;

	(void)note;
	if (!at)
		return FAIL(-ENOMEM);
	store_position(e->store, at);
	writer_stats(e->writer, &ws);
	store_health(e->store, &hs);
	struct control_answer answer = {.has_status = true};
	answer.status = (struct node_status){
		.org = t->self->org,
		.node = t->self->node,
		.roles = roles_text(c->arena, t->self->roles),
		.version = HOLON_VERSION,
		.seq = at->seq,
		.epoch = t->policy_doc.epoch,
		.incarnation = at->n_lineage > 0 ? at->lineage[at->n_lineage - 1].id : 0,
		.n_twins = at->n_twins,
		.n_types = at->n_types,
		.n_relations = at->n_relations,
		.n_series = at->n_series,
		.uptime_ns = engine_mono_ns() - e->started_ns,
		.credential_until_ns = t->self->not_after_ns,
		.store_bytes = store_disk_bytes(e->store),
		.resident_bytes = memory_resident(),
		.log_bytes = hs.log_bytes,
		.backlog_samples = hs.backlog_samples,
		.n_runs = hs.n_runs,
		.n_chunks = hs.n_chunks,
		.rotten_chunks = hs.rotten,
		.scrubbed_chunks = hs.scrubbed,
		.samples_taken = ws.samples_taken,
		.samples_refused = ws.samples_refused,
		.commits = ws.commits,
		.commit_p99_ns = ws.commit_p99_ns,
		.border = border_text(c),
		.fresh_until_ns = fresh_until_ns(e->fresh),
		.clock_back_ns = clock_back_ns(&t->clock),
	};
	alarms_watch(e);
	answer.status.state = state_text(c);
	answer.status.alarms_left_out = alarms_left_out(e->alarms);
	TRY(alarms_list(e->alarms, c->arena, &answer.alarms, &answer.n_alarms));
	gossip_counts(e->gossip, &answer.status.mesh);
	tell_door(e, &answer.status);
	TRY(tell_counts(c, &answer.status));
	answer.status.n_remote_rows = count_remote_rows(e->store);
	answer.status.n_peers = gossip_open(e->gossip);
	if (!answer.status.roles || !answer.status.state || !answer.status.border)
		return FAIL(-ENOMEM);
	call_done(c, &answer);
	return 0;
}

int control_peers(struct call *c, struct err_note *note)
{
	struct control_answer answer = {0};

	(void)note;
	TRY(gossip_peers(c->e->gossip, c->arena, &answer.peers, &answer.n_peers));
	call_done(c, &answer);
	return 0;
}
