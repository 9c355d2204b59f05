/* SPDX-License-Identifier: Apache-2.0 */
#include "node/engine.h"

#include <limits.h>
#include <sodium.h>
#include <stdio.h>
#include <time.h>
#include <unistd.h>
#include <zmq.h>

#include "node/adapter.h"
#include "node/alarms.h"
#include "node/asks.h"
#include "node/audit.h"
#include "node/border.h"
#include "node/collect.h"
#include "node/commands.h"
#include "node/control.h"
#include "node/door.h"
#include "node/ending.h"
#include "node/enrol.h"
#include "node/forks.h"
#include "node/fresh.h"
#include "node/gossip.h"
#include "node/inside.h"
#include "node/invites.h"
#include "node/judge.h"
#include "node/log.h"
#include "node/memory.h"
#include "node/persons.h"
#include "node/question_frames.h"
#include "node/record.h"
#include "node/settle.h"
#include "node/sights.h"
#include "node/signer.h"
#include "node/spread.h"
#include "node/spread_port.h"
#include "node/trees.h"
#include "node/views.h"
#include "node/vitals.h"
#include "node/watch.h"
#include "node/writer.h"
#include "proto/clock.h"
#include "proto/unit.h"

enum {
	HOUSEKEEPING_MS = 1000,
	JUDGE_MS = 100,
	ROSTER_EVERY_S = 60, /* how soon an ended credential ends its sessions */
	SOCKETS_MAX = 4096,  /* three for each link and port */
	BACKLOG_SHARE = 4,   /* of the memory, at most, is for what is not written behind */
	BACKLOG_BYTES_MAX = 256 << 20,
};

static int64_t read_clock(clockid_t which)
{
	struct timespec t;

	clock_gettime(which, &t);
	return (int64_t)t.tv_sec * NS_PER_S + t.tv_nsec;
}

int64_t engine_wall_ns(void)
{
	return clock_wall_ns();
}

int64_t engine_mono_ns(void)
{
	return read_clock(CLOCK_MONOTONIC);
}

void engine_log_failure(const char *domain, const char *what, int code, const struct err_note *note)
{
	char chain[256];

	err_chain(chain, sizeof chain);
	log_error(domain, "%s: %s%s%s", what, note && note->text[0] ? note->text : err_text(code),
		  *chain ? " at=" : "", chain);
}

/* ---- Opening ---------------------------------------------------------------------------------------------
 */

static size_t backlog_bytes(void)
{
	const size_t share = memory_limit() / BACKLOG_SHARE;

	return share < BACKLOG_BYTES_MAX ? share : BACKLOG_BYTES_MAX;
}

static int open_store(struct engine *e, struct err_note *note)
{
	char dir[PATH_MAX];
	struct store_options opt = {.dir = dir,
				    .limit_bytes = (size_t)e->config->store_bytes,
				    .org = e->trust->self->org,
				    .node = e->trust->self->node,
				    .checkpoint_every_ns = e->config->checkpoint_every_ms * NS_PER_MS,
				    .memory_bytes = backlog_bytes(),
				    .squeeze_log = e->config->commit_interval_ms > 0,
				    .now_ns = engine_wall_ns()};

	if (snprintf(dir, sizeof dir, "%s/store", e->config->dir) >= (int)sizeof dir)
		return FAIL_SAY(note, -ENAMETOOLONG, "%s: the path is too long", e->config->dir);
	randombytes_buf(&opt.fresh_id, sizeof opt.fresh_id);
	return store_open(&e->store, &opt, note);
}

static const char *pick(const char *configured, const char *credential)
{
	if (strcmp(configured, "none") == 0)
		return "";
	return configured[0] ? configured : credential;
}

/* Whoever has not said anything may have a quarter of the descriptors. */
static int unheard_max(void)
{
	const uint64_t share = files_most() / 4;

	return share > INT_MAX ? INT_MAX : share > 0 ? (int)share : 1;
}

static int open_transport(struct engine *e, struct err_note *note)
{
	const struct config *c = e->config;
	SCOPED(scope_roster) struct roster *roster = NULL;

	TRY(trust_roster(e->trust, trust_now(e->trust), &roster));
	zap_publish(e->zap, roster);
	struct transport_options opt = {
		.loop = &e->loop,
		.zmq_context = e->zmq_context,
		.keys = e->trust->curve,
		.own_endpoint = pick(c->own, e->trust->self->endpoint),
		.border_endpoint = pick(c->border, e->trust->self->border_endpoint),
		.limits = {.frame_border_max = c->frame_border_bytes,
			   .frame_own_max = c->frame_own_bytes,
			   .handshake_ms = (int)c->handshake_ms,
			   .receive_mark = (int)c->receive_mark,
			   .send_mark = (int)c->send_mark,
			   .session_ms = c->session_ms,
			   .unheard_max = unheard_max()},
		.enrol_endpoint = e->enrol ? c->enrol : "",
		.handler = gossip_handler(e),
		.on_kick = door_on_kick,
		.zap = e->zap,
		.roster = roster,
	};
	opt.handler.enrol_ctx = e->enrol;
	opt.handler.on_stranger = enrol_take;
	return transport_new(&e->transport, &opt, note);
}

/* Whoever was let in and says nothing is cut by the transport before the door forgets that he is there. */
static void set_limits(struct engine *e)
{
	struct zap_limits l = e->config->door;

	l.silent_ms = TRANSPORT_SILENT_MS + e->config->handshake_ms;
	zap_set_limits(e->zap, &l);
}

static int open_visibility(struct engine *e)
{
	if (!(e->trust->self->roles & ROLE_BORDER))
		return 0;
	TRY(visibility_new(&e->visibility, &e->egress));
	return visibility_sweep(e->visibility);
}

static int open_signer(struct engine *e, struct err_note *note)
{
	TRY(signer_start(&e->signer, e, note));
	if (e->signer)
		TRY(invites_open(&e->invites, e, note));
	return enrol_start(&e->enrol, e, note);
}

static int open_parts(struct engine *e, struct err_note *note)
{
	if (access(e->config->dir, F_OK) != 0)
		return FAIL_SAY(note, -errno, "%s: no such directory; make a node with `holon node init`",
				e->config->dir);
	TRY(alarms_new(&e->alarms));
	TRY(trust_open(&e->trust, e->config->dir, engine_wall_ns(), note));
	snprintf(e->origin, sizeof e->origin, "%s/%s", e->trust->self->org, e->trust->self->node);
	TRY(journal_open(&e->journal, e, note));
	record_watch(e);
	if (e->trust->clock.was_forgotten)
		record_admin(e->journal, "clock forgotten", "by an operator, before this start");
	TRY(open_signer(e, note));
	TRY(open_store(e, note));
	e->egress = (struct egress){.trust = e->trust, .store = e->store};
	TRY(open_visibility(e));
	TRY(writer_start(&e->writer, e));
	TRY(settle_start(&e->settle, e));
	TRY(judge_start(&e->judge, e));
	TRY(teller_start(&e->teller, e));
	TRY(persons_new(&e->persons));
	TRY(asks_start(&e->asks, e));
	TRY(commands_start(&e->commands, e));
	TRY(views_start(&e->views, e));
	TRY(watches_start(&e->watches, e));
	TRY(inside_start(e));
	TRY(endings_start(e));
	TRY(endings_resume(e));
	TRY(forks_open(&e->forks, e->trust->store));
	TRY(quotas_new(&e->quotas, &e->config->quota));
	TRY(spread_start(e));
	TRY(gossip_start(&e->gossip, e));
	e->zmq_context = zmq_ctx_new();
	if (!e->zmq_context)
		return FAIL(-ENOMEM);
	zmq_ctx_set(e->zmq_context, ZMQ_MAX_SOCKETS, SOCKETS_MAX);
	TRY(zap_start(&e->zap,
		      e->zmq_context)); /* before any other socket: libzmq lets everybody in without it */
	set_limits(e);
	zap_set_clock(e->zap, &e->trust->clock);
	zap_set_control(e->zap, e->config->control_keys.keys, e->config->control_keys.n);
	TRY(open_transport(e, note));
	TRY(door_start(&e->door, e));
	TRY(adapters_start(&e->adapters, e));
	return control_start(&e->control, e, note);
}

int engine_open(struct engine **ret, const struct config *config, struct err_note *note)
{
	struct engine *e = calloc(1, sizeof *e);

	if (!e)
		return FAIL(-ENOMEM);
	e->config = config;
	e->started_ns = engine_mono_ns();
	uv_loop_init(&e->loop);
	uv_timer_init(&e->loop, &e->housekeeping);
	uv_timer_init(&e->loop, &e->judging);
	uv_timer_init(&e->loop, &e->telling);
	e->housekeeping.data = e->judging.data = e->telling.data = e;
	int r = open_parts(e, note);
	if (r < 0) {
		engine_stop(e);
		uv_run(&e->loop, UV_RUN_DEFAULT);
		engine_close(e);
		return r;
	}
	*ret = e;
	return 0;
}

/* ---- Running ---------------------------------------------------------------------------------------------
 */

/* When a share ends, what partners may see changes without anybody doing anything. */
static void end_shares(struct engine *e)
{
	if (!e->visibility)
		return;
	const bool ended = e->trust->policy && trust_now(e->trust) >= e->next_end_ns;
	if (!ended && visibility_is_settled(e->visibility))
		return;
	if (ended)
		e->next_end_ns = policy_next_end(e->trust->policy, trust_now(e->trust));
	if (visibility_renew(&e->visibility) < 0)
		log_error("policy", "out of memory: visibility is computed again in a second");
	gossip_changed(e->gossip);
}

/* Who may connect from now on; sessions of those who may not any more are closed. */
static void renew_roster(struct engine *e)
{
	SCOPED(scope_roster) struct roster *roster = NULL;

	int r = trust_roster(e->trust, trust_now(e->trust), &roster);
	if (r < 0) {
		engine_log_failure("trust", "the roster stays as it was", r, NULL);
		return;
	}
	zap_publish(e->zap, roster);
	transport_set_roster(e->transport, roster);
	e->roster_ns = engine_mono_ns();
}

static void on_housekeeping(uv_timer_t *timer)
{
	struct engine *e = timer->data;

	if (engine_mono_ns() - e->roster_ns > ROSTER_EVERY_S * NS_PER_S) {
		renew_roster(e);
		gossip_trust(e->gossip);
	}
	spread_tick(e->spread, engine_mono_ns());
	trees_expire(e->trees, engine_mono_ns());
	unfinished_expire(&e->unfinished, engine_mono_ns());
	end_shares(e);
	int r = trust_flush(e->trust);
	if (r < 0)
		engine_log_failure("trust", "epochs seen are not stored yet", r, NULL);
	r = trust_keep_time(e->trust, false);
	if (r < 0)
		engine_log_failure("trust", "the time is not stored yet", r, NULL);
	inside_tick(e);
	endings_tick(e);
	collect_tick(e);
	border_watch(e);
	alarms_watch(e);
	door_tick(e->door);
	writer_tick(e->writer);
	record_tick(e);
	journal_tick(e->journal);
	watches_tick(e->watches);
	settle_tick(e->settle);
	teller_applied(e->teller); /* relations begin and end */
}

void engine_trust_changed(struct engine *e)
{
	int r = 0;

	renew_roster(e);
	spread_changed(e->spread, engine_mono_ns()); /* revocations go first */
	gossip_trust(e->gossip);
	if (e->visibility)
		r = visibility_renew(&e->visibility);
	if (r < 0)
		engine_log_failure("policy", "visibility could not be computed", r, NULL);
	e->next_end_ns =
		e->trust->policy ? policy_next_end(e->trust->policy, trust_now(e->trust)) : INT64_MAX;
	record_policy_state(e);
	gossip_dial(e->gossip);
	gossip_policy(e->gossip);
	inside_changed(e);
	gossip_changed(e->gossip);
	watches_touch(e->watches, WATCH_POLICY);
}

void engine_store_changed(struct engine *e, bool swept)
{
	int r = 0;

	if (e->visibility)
		r = swept ? visibility_sweep(e->visibility) : visibility_follow(e->visibility);
	if (r < 0)
		engine_log_failure("policy", "visibility could not be computed", r, NULL);
	gossip_changed(e->gossip);
	teller_applied(e->teller);
	watches_committed(e->watches);
	adapters_changed(e->adapters);
}

static void on_signal(uv_signal_t *s, int number)
{
	log_info("node", "stopping signal=%d", number);
	engine_stop(s->data);
}

static void on_judge(uv_timer_t *timer)
{
	struct engine *e = timer->data;

	judge_tick(e->judge);
}

static void say_ready(int fd)
{
	if (fd < 0)
		return;
	if (write(fd, "\n", 1) != 1)
		log_warn("node", "nobody reads the ready descriptor fd=%d", fd);
	close(fd);
}

int engine_run(struct engine *e, int ready_fd)
{
	static const int numbers[] = {SIGTERM, SIGINT};

	for (size_t i = 0; i < 2; i++) {
		uv_signal_init(&e->loop, &e->signals[i]);
		e->signals[i].data = e;
		uv_signal_start(&e->signals[i], on_signal, numbers[i]);
	}
	uv_timer_start(&e->housekeeping, on_housekeeping, HOUSEKEEPING_MS, HOUSEKEEPING_MS);
	uv_timer_start(&e->judging, on_judge, JUDGE_MS, JUDGE_MS);
	engine_trust_changed(e);
	if (e->trust->policy_problem.text[0])
		log_error("policy", "nothing is shared, the stored policy is not in force: %s",
			  e->trust->policy_problem.text);
	log_info("node", "serving node=%s own=%s border=%s", e->origin, transport_own_endpoint(e->transport),
		 transport_border_endpoint(e->transport));
	say_ready(ready_fd);
	uv_run(&e->loop, UV_RUN_DEFAULT);
	return 0;
}

/* ---- Stopping: goodbyes, waiting askers, queued writes, sockets -------------------------------------------
 */

static void after_transport(void *ctx)
{
	struct engine *e = ctx;

	e->transport = NULL;
}

static void after_journal(struct engine *e)
{
	if (e->transport)
		transport_free(e->transport, after_transport, e);
}

static void after_control(struct engine *e)
{
	if (e->journal)
		journal_stop(e->journal, after_journal);
	else
		after_journal(e);
}

static void after_writer(struct engine *e)
{
	if (e->control)
		control_stop(e->control, after_control);
	else
		after_control(e);
}

static void after_asks(struct engine *e)
{
	if (e->writer)
		writer_stop(e->writer, after_writer);
	else
		after_writer(e);
}

static void after_commands(struct engine *e)
{
	if (e->views)
		views_stop(e->views);
	if (e->asks)
		asks_stop(e->asks, after_asks);
	else
		after_asks(e);
}

static void after_adapters(struct engine *e)
{
	if (e->commands)
		commands_stop(e->commands, after_commands);
	else
		after_commands(e);
}

static void after_signer(struct engine *e)
{
	if (e->adapters)
		adapters_stop(e->adapters, after_adapters);
	else
		after_adapters(e);
}

void engine_stop(struct engine *e)
{
	if (e->stopping)
		return;
	e->stopping = true;
	uv_close((uv_handle_t *)&e->housekeeping, NULL);
	uv_close((uv_handle_t *)&e->judging, NULL);
	judge_flush(e->judge);
	uv_close((uv_handle_t *)&e->telling, NULL);
	for (size_t i = 0; i < 2; i++)
		if (e->signals[i].data)
			uv_close((uv_handle_t *)&e->signals[i], NULL);
	door_stop(e->door);
	watches_stop(e->watches);
	teller_stop(e->teller);
	if (e->gossip)
		gossip_stop(e->gossip);
	if (e->signer)
		signer_stop(e->signer, after_signer);
	else
		after_signer(e);
}

void engine_close(struct engine *e)
{
	if (!e)
		return;
	control_free(e->control);
	adapters_free(e->adapters);
	door_free(e->door);
	gossip_free(e->gossip);
	fresh_free(e->fresh);
	endings_free(e->endings);
	forks_close(e->forks);
	quotas_free(e->quotas);
	trees_free(e->trees);
	spread_free(e->spread);
	watches_free(e->watches);
	views_free(e->views);
	commands_free(e->commands);
	unfinished_free(&e->unfinished);
	asks_free(e->asks);
	persons_free(e->persons);
	enrol_free(e->enrol);
	invites_free(e->invites);
	signer_free(e->signer);
	writer_free(e->writer);
	settle_free(e->settle);
	judge_free(e->judge);
	teller_free(e->teller);
	zap_stop(e->zap);
	if (e->zmq_context)
		zmq_ctx_term(e->zmq_context);
	journal_free(e->journal);
	sights_free(e->sights);
	visibility_free(e->visibility);
	alarms_free(e->alarms);
	store_close(e->store);
	if (e->trust)
		ignore(trust_keep_time(e->trust, true)); /* then the last minute counts for nothing */
	trust_close(e->trust);
	unit_fini();
	if (uv_loop_close(&e->loop) != 0)
		log_error("node", "handles are still open at the end");
	free(e);
}
