/* SPDX-License-Identifier: Apache-2.0 */
#include "node/gossip_private.h"

#include <sodium.h>
#include <stdio.h>

#include "node/alarms.h"
#include "node/asks.h"
#include "node/forks.h"
#include "node/inside.h"
#include "node/log.h"
#include "node/members.h"
#include "node/questions.h"
#include "node/record.h"
#include "node/serve.h"
#include "node/spread.h"
#include "node/spread_port.h"
#include "node/watch.h"
#include "node/writer.h"
#include "proto/clock.h"

enum { STEP_ARENA = 16 << 20 };

struct heard {
	int64_t at_ns; /* monotonic time at which the origin vouched, by our clock */
	char origin[];
};

static void step(struct gossip *g, const struct mesh_event *event);

/* ---- Sessions --------------------------------------------------------------------------------------------
 */

static struct session *find_session(const struct gossip *g, uint32_t id)
{
	struct session *s = g->sessions;

	while (s && s->id != id)
		s = s->next;
	return s;
}

/* The session with the lowest id above this one: sending may end any session, so a walk goes by ids. */
static const struct session *next_session(const struct gossip *g, uint32_t id)
{
	const struct session *next = NULL;

	for (const struct session *s = g->sessions; s; s = s->next)
		if (s->id > id && (!next || s->id < next->id))
			next = s;
	return next;
}

const struct session *gossip_find(const struct gossip *g, const char *org, const char *node)
{
	const bool own = strcmp(org, g->engine->trust->self->org) == 0;

	for (const struct session *s = g->sessions; s; s = s->next)
		if (s->open && !s->broken && strcmp(s->org, org) == 0 &&
		    (!own || strcmp(s->node, node) == 0) && mesh_session_counts(g->mesh, s->id))
			return s;
	return NULL;
}

static void forget_session(struct gossip *g, uint32_t id)
{
	for (struct session **at = &g->sessions; *at; at = &(*at)->next)
		if ((*at)->id == id) {
			struct session *gone = *at;
			*at = gone->next;
			free(gone->reach);
			free(gone);
			break;
		}
	spread_on_down(g->engine->spread, id);
	asks_on_down(g->engine->asks, id);
	members_soon(g->members);
	watches_touch(g->engine->watches, WATCH_PEERS);
}

static void on_up(void *ctx, uint32_t id, const struct transport_peer *peer)
{
	struct engine *e = ctx;
	struct gossip *g = e->gossip;
	struct session *s = calloc(1, sizeof *s);
	const struct roster_entry *who = peer->entry;

	if (!s) {
		transport_close(e->transport, id);
		return;
	}
	*s = (struct session){.id = id,
			      .roles = who->roles,
			      .own = who->own,
			      .dialled = peer->dialled,
			      .key = who->key,
			      .heard_ns = engine_mono_ns(),
			      .next = g->sessions};
	snprintf(s->org, sizeof s->org, "%s", who->org);
	snprintf(s->node, sizeof s->node, "%s", who->node);
	snprintf(s->endpoint, sizeof s->endpoint, "%s", peer->endpoint);
	g->sessions = s;
	step(g, &(struct mesh_event){.kind = MESH_UP,
				     .session = id,
				     .peer = {.org = s->org,
					      .node = s->node,
					      .roles = s->roles,
					      .own = s->own,
					      .dialled = s->dialled}});
}

static void drop(struct gossip *g, uint32_t id)
{
	const struct session *s = find_session(g, id);

	if (!s)
		return;
	if (s->open && gossip_may_log(g, s))
		log_info("mesh", "lost peer=%s/%s", s->org, s->node);
	step(g, &(struct mesh_event){.kind = MESH_DOWN, .session = id});
	forget_session(g, id);
}

static void on_down(void *ctx, uint32_t id)
{
	struct engine *e = ctx;

	drop(e->gossip, id);
}

/* What follows is the doing of the peer. */
static void take_frame(struct gossip *g, const struct session *s, const struct message *m)
{
	char org[sizeof s->org], node[sizeof s->node]; /* the session may end while it is taken */
	const uint32_t id = s->id;

	memcpy(org, s->org, sizeof org);
	memcpy(node, s->node, sizeof node);
	const struct actor before =
		journal_act_as(g->engine->journal, &(struct actor){.org = org, .node = node});
	step(g, &(struct mesh_event){.kind = MESH_FRAME, .session = id, .message = m});
	journal_act_as(g->engine->journal, &before);
}

static void on_frame(void *ctx, uint32_t id, struct bytes frame)
{
	struct engine *e = ctx;
	struct gossip *g = e->gossip;
	struct session *s = find_session(g, id);
	SCOPED(scope_arena) struct arena *a = NULL;
	struct message m;

	if (!s || arena_new(&a, DECODE_BUDGET_BASE + frame.len * DECODE_BUDGET_FACTOR) < 0)
		return;
	s->heard_ns = engine_mono_ns();
	s->frames_in++;
	s->bytes_in += frame.len;
	if (message_decode(a, frame, &m) < 0) {
		g->malformed++;
		gossip_say_malformed(g, s, frame.len);
		drop(g, id);
		transport_malformed(e->transport, id);
		return;
	}
	take_frame(g, s, &m);
}

struct transport_handler gossip_handler(struct engine *e)
{
	return (struct transport_handler){.ctx = e, .on_up = on_up, .on_down = on_down, .on_frame = on_frame};
}

/* ---- What a step wants done ------------------------------------------------------------------------------
 */

/* One that fails ends its session when the list is done: the mesh must not hear of it before, for what it
 * then wants said would pass what is still to be sent. */
static void send_message(struct gossip *g, uint32_t id, const struct message *m)
{
	struct session *s = find_session(g, id);
	SCOPED(buf_fini) struct buf frame = {0};

	if (!s || s->broken)
		return;
	message_encode(m, &frame);
	if (buf_check(&frame) < 0 || transport_send(g->engine->transport, id, buf_bytes(&frame)) < 0) {
		s->broken = true;
		return;
	}
	log_debug("mesh", "sent %s peer=%s/%s bytes=%zu", message_kind_text(m->kind), s->org, s->node,
		  frame.len);
	s->frames_out++;
	s->bytes_out += frame.len;
}

static void end_broken(struct gossip *g)
{
	struct session *s = g->sessions;

	while (s) {
		const uint32_t id = s->id;
		if (!s->broken) {
			s = s->next;
			continue;
		}
		s->broken = false; /* what its end leads to ends others in turn */
		drop(g, id);
		transport_close(g->engine->transport, id);
		s = g->sessions; /* any may be gone */
	}
}

/* A STORE on its way to disk. Of one origin one commit is under way at a time, with all that had come when it
 * began: when it fails, what was pulled behind it must not become durable, or the cursor would stand behind a
 * hole. */
struct stored {
	struct stored *next;
	struct gossip *gossip;
	uint64_t token;
	uint64_t last_token; /* of those in the same commit; 0: it waits */
	struct arena *arena;
	struct op *op;
	char origin[ORG_NAME_MAX + NODE_NAME_MAX + 2];
};

enum { MERGE_MAX = 64, MERGE_ARENA = 128 << 10 };

static struct stored *next_of(struct stored *s, const char *origin)
{
	while (s && strcmp(s->origin, origin) != 0)
		s = s->next;
	return s;
}

static struct stored *first_of(const struct gossip *g, const char *origin)
{
	return next_of(g->stores, origin);
}

static void unlink_store(struct gossip *g, struct stored *s)
{
	struct stored **at = &g->stores;

	while (*at != s)
		at = &(*at)->next;
	*at = s->next;
	if (g->stores_end == &s->next)
		g->stores_end = at;
}

static void end_store(struct gossip *g, struct stored *s, int code)
{
	const uint64_t token = s->token;

	unlink_store(g, s);
	arena_free(s->arena);
	free(s);
	if (!g->engine->stopping)
		step(g, &(struct mesh_event){.kind = MESH_STORED, .token = token, .result = code});
}

static void submit_stores(struct gossip *g, const char *origin);

/* Those of the commit end, and after a failure those that were given out behind them; what the mesh gives out
 * from here on knows of this end. */
static void end_stores(struct gossip *g, const char *origin, uint64_t last, int code)
{
	const uint64_t end = code < 0 ? g->last_token : last;
	struct stored *s;

	while ((s = first_of(g, origin)) && s->token <= end)
		end_store(g, s, code);
	if (s && s->last_token == 0)
		submit_stores(g, origin);
}

static void on_stored(void *ctx, const struct write_result *result)
{
	const struct stored *s = ctx;
	char origin[sizeof s->origin];

	memcpy(origin, s->origin, sizeof origin);
	if (result->n_refused > 0)
		log_warn("mesh", "rows of %s were refused: %s", origin, result->refused[0].reason);
	end_stores(s->gossip, origin, s->last_token, result->code < 0 ? result->code : 0);
}

/* Rows of an organisation whose trust ended behind them must not come after what forgets it. */
static bool is_trusted(const struct gossip *g, const char *origin)
{
	char org[ORG_NAME_MAX + 1];

	snprintf(org, sizeof org, "%.*s", (int)strcspn(origin, "/"), origin);
	return trust_org(g->engine->trust, org) != NULL;
}

/* All or none of them: a commit that keeps what stands behind a refused one would leave a hole, too. */
static int commit_stores(struct gossip *g, struct stored *first)
{
	struct stored *last = first;
	struct write_request request = {.atomic = true, .done = on_stored, .ctx = first};

	TRY(arena_new(&request.arena, MERGE_ARENA));
	request.ops = arena_take_array(request.arena, MERGE_MAX, sizeof *request.ops);
	if (!request.ops) {
		arena_free(request.arena);
		return FAIL(-ENOMEM);
	}
	for (struct stored *s = first; s && request.n_ops < MERGE_MAX; s = next_of(s->next, first->origin)) {
		request.ops[request.n_ops++] = *s->op;
		last = s;
	}
	first->last_token = last->token;
	return writer_submit(g->engine->writer, &request);
}

/* The name is the caller's: stores may end meanwhile. */
static void submit_stores(struct gossip *g, const char *origin)
{
	struct stored *first = first_of(g, origin);
	const int r = is_trusted(g, origin) ? commit_stores(g, first) : ERR_UNTRUSTED;

	if (r < 0)
		end_stores(g, origin, g->last_token, r == ERR_UNTRUSTED ? r : -ENOMEM);
}

/* The op is encoded and decoded into the writer's own arena: it outlives the step. */
static int keep_rows(struct gossip *g, const struct mesh_action *action)
{
	SCOPED(buf_fini) struct buf bytes = {0};
	SCOPED(scope_arena) struct arena *a = NULL;
	SCOPED(scope_free) struct stored *s = calloc(1, sizeof *s);

	op_encode(&action->op, &bytes);
	TRY(buf_check(&bytes));
	TRY(arena_new(&a, DECODE_BUDGET_BASE + bytes.len * DECODE_BUDGET_FACTOR));
	struct op *op = arena_take(a, sizeof *op);
	if (!op || !s)
		return FAIL(-ENOMEM);
	TRY(op_decode(a, buf_bytes(&bytes), op));
	*s = (struct stored){.gossip = g, .token = action->token, .op = op, .arena = MOVE(a)};
	snprintf(s->origin, sizeof s->origin, "%s", op->rows.origin);
	g->last_token = action->token;
	const bool alone = !first_of(g, s->origin);
	*g->stores_end = s;
	g->stores_end = &s->next;
	const struct stored *kept = MOVE(s);
	char origin[sizeof kept->origin];
	memcpy(origin, kept->origin, sizeof origin);
	if (alone)
		submit_stores(g, origin);
	return 0;
}

static void remember_heard(struct gossip *g, const char *origin, int64_t age_ns)
{
	struct heard *h = map_get(&g->heard, origin);
	const size_t size = strlen(origin) + 1;

	if (!h) {
		h = calloc(1, sizeof *h + size);
		if (!h)
			return; /* its age stays unknown */
		memcpy(h->origin, origin, size);
		h->at_ns = INT64_MIN;
		if (map_put(&g->heard, h->origin, h) < 0) {
			free(h);
			return;
		}
	}
	const int64_t now_ns = engine_mono_ns(), at_ns = age_ns < now_ns ? now_ns - age_ns : 0;
	h->at_ns = at_ns > h->at_ns ? at_ns : h->at_ns;
}

static void say_policy(struct gossip *g, const struct session *s)
{
	SCOPED(scope_arena) struct arena *a = NULL;
	struct message m = {.kind = MESSAGE_POLICY};

	if (!s->own || g->engine->trust->policy_doc.epoch == 0 ||
	    arena_new(&a, (size_t)POLICY_TEXT_MAX * 2) < 0)
		return;
	if (signed_blob_decode(a, g->engine->trust->policy_blob, &m.policy) == 0)
		ignore(gossip_say(g, s->id, &m)); /* it asks again when it connects again */
}

/* Who tells an older one was told this one perhaps before it knew the key that signed it. */
static void take_policy(struct gossip *g, const struct session *s, struct bytes signed_policy)
{
	struct engine *e = g->engine;
	struct err_note note = {0};
	const int r = trust_take_policy(e->trust, signed_policy, trust_now(e->trust), &note);

	if (r < 0) {
		if (gossip_may_log(g, s))
			engine_log_failure("policy", "a peer's policy was not taken", r, &note);
		record_refused(e->journal, AUDIT_POLICY, "policy", r, &note);
	}
	if (r == TRUST_OLD && !bytes_equal(signed_policy, e->trust->policy_blob))
		say_policy(g, s);
	if (r == 0) {
		record_policy(e->journal, "taken", e->trust->policy_doc.epoch, "");
		engine_trust_changed(e);
	}
}

static void deliver(struct gossip *g, uint32_t id, const struct message *m)
{
	const struct session *s = find_session(g, id);

	if (!s)
		return;
	if (m->kind == MESSAGE_QUESTION)
		questions_on_question(g->engine, s, &m->question);
	if (m->kind == MESSAGE_ANSWER)
		asks_on_answer(g->engine->asks, id, &m->answer);
	if (m->kind == MESSAGE_STANDING)
		spread_on_standing(g->engine->spread, id, &m->standing, engine_mono_ns());
	if (m->kind == MESSAGE_TRUST)
		spread_on_piece(g->engine->spread, id, &m->trust, engine_mono_ns());
	if (m->kind == MESSAGE_REACH)
		members_on_reach(g->members, find_session(g, id), &m->reach);
	if (m->kind == MESSAGE_FRESHNESS || m->kind == MESSAGE_AGREEMENT)
		inside_on_message(g->engine, id, m);
	if (m->kind != MESSAGE_POLICY)
		return;
	SCOPED(buf_fini) struct buf blob = {0};
	signed_blob_encode(&m->policy, &blob);
	if (buf_check(&blob) == 0)
		take_policy(g, s, buf_bytes(&blob));
}

static void greeted(struct gossip *g, uint32_t id, uint64_t features)
{
	struct session *s = find_session(g, id);

	if (!s)
		return;
	s->greeted = true;
	s->open = false;
	s->features = features;
	if (features & FEATURE_TRUST)
		spread_on_greeted(g->engine->spread, id, s->org, engine_mono_ns());
}

static void opened(struct gossip *g, uint32_t id)
{
	struct session *s = find_session(g, id);

	if (!s)
		return;
	s->open = true;
	if (gossip_may_log(g, s))
		log_info("mesh", "joined peer=%s/%s endpoint=%s", s->org, s->node, s->endpoint);
	spread_on_opened(g->engine->spread, id, engine_mono_ns());
	if ((s = find_session(g, id)))
		say_policy(g, s);
	if ((s = find_session(g, id)) && s->own)
		inside_greet(g->engine, id);
	if ((s = find_session(g, id)) && s->own)
		members_greet(g->members, id);
	members_soon(g->members);
	watches_touch(g->engine->watches, WATCH_PEERS);
}

const struct session *gossip_session(const struct gossip *g, uint32_t id)
{
	return find_session(g, id);
}

static void perform(struct gossip *g, const struct mesh_action *action)
{
	switch (action->kind) {
	case MESH_SEND: send_message(g, action->session, &action->message); break;
	case MESH_STORE:
		if (keep_rows(g, action) < 0)
			step(g, &(struct mesh_event){
					.kind = MESH_STORED, .token = action->token, .result = -ENOMEM});
		break;
	case MESH_CLOSE:
		gossip_say_closed(g, action);
		forget_session(g, action->session);
		transport_close(g->engine->transport, action->session);
		break;
	case MESH_RESUME:
		step(g, &(struct mesh_event){.kind = MESH_RESUMED,
					     .session = action->session,
					     .message = &action->message,
					     .token = action->token});
		break;
	case MESH_GREETED: greeted(g, action->session, action->features); break;
	case MESH_OPENED: opened(g, action->session); break;
	case MESH_DELIVER: deliver(g, action->session, &action->message); break;
	case MESH_HEARD:
		alarms_clear(g->engine->alarms, ALARM_REPAIR, action->origin); /* it agrees with its head */
		remember_heard(g, action->origin, action->age_ns);
		break;
	case MESH_ALARM: gossip_alarm(g, action); break;
	case MESH_FORK: gossip_fork(g, action); break;
	}
}

static void on_timer(uv_timer_t *timer)
{
	step(timer->data, &(struct mesh_event){.kind = MESH_TICK});
}

static void arm(struct gossip *g)
{
	const int64_t wait_ns = mesh_deadline(g->mesh) - engine_mono_ns();

	if (!g->engine->stopping)
		uv_timer_start(&g->timer, on_timer, wait_ns > 0 ? (uint64_t)(wait_ns / NS_PER_MS) + 1 : 1, 0);
}

/* What is sent first: the rest may say more on the same sessions, with later frame numbers. */
enum { TURN_SEND, TURN_REST, TURN_RESUME, N_TURNS };

static int turn_of(enum mesh_action_kind kind)
{
	return kind == MESH_SEND ? TURN_SEND : kind == MESH_RESUME ? TURN_RESUME : TURN_REST;
}

static void step(struct gossip *g, const struct mesh_event *event)
{
	SCOPED(scope_arena) struct arena *a = NULL;
	struct mesh_todo todo = {0};

	int r = arena_new(&a, STEP_ARENA);
	todo.arena = a;
	if (r == 0)
		r = mesh_step(g->mesh, event, engine_mono_ns(), &todo);
	if (r < 0)
		engine_log_failure("mesh", "a step could not be finished", r, NULL);
	g->depth++;
	for (int turn = 0; r == 0 && turn < N_TURNS; turn++)
		for (size_t i = 0; i < todo.n; i++)
			if (turn_of(todo.actions[i].kind) == turn)
				perform(g, &todo.actions[i]);
	if (--g->depth == 0)
		end_broken(g);
	arm(g);
}

/* ---- From the engine -------------------------------------------------------------------------------------
 */

int gossip_start(struct gossip **ret, struct engine *e)
{
	struct gossip *g = calloc(1, sizeof *g);
	const struct config *c = e->config;
	struct mesh_options opt = {.org = e->trust->self->org,
				   .node = e->trust->self->node,
				   .credential = e->trust->credential,
				   .port = serve_port(e),
				   .heads_every_ns = c->heads_every_ms * NS_PER_MS,
				   .ping_every_ns = c->ping_every_ms * NS_PER_MS,
				   .silence_ns = c->silence_ms * NS_PER_MS,
				   .publish_every_ns = c->publish_every_ms * NS_PER_MS,
				   .fork_margin_ns = c->fork_margin_ms * NS_PER_MS};

	if (!g)
		return FAIL(-ENOMEM);
	g->engine = e;
	g->stores_end = &g->stores;
	opt.port.verify_hello = spread_verify_hello;
	randombytes_buf(&opt.seed, sizeof opt.seed);
	int r = mesh_new(&g->mesh, &opt);
	if (r == 0)
		r = members_new(&g->members, g);
	if (r < 0) {
		mesh_free(g->mesh);
		free(g);
		return r;
	}
	uv_timer_init(&e->loop, &g->timer);
	g->timer.data = g;
	arm(g);
	*ret = g;
	return 0;
}

void gossip_stop(struct gossip *g)
{
	const struct message bye = {.kind = MESSAGE_BYE};

	for (const struct session *s = next_session(g, 0); s;) {
		const uint32_t id = s->id;
		if (s->open)
			ignore(gossip_say(g, id, &bye)); /* silence says it too */
		s = next_session(g, id);
	}
	uv_close((uv_handle_t *)&g->timer, NULL);
	members_stop(g->members);
}

void gossip_free(struct gossip *g)
{
	size_t at = 0;

	if (!g)
		return;
	while (g->sessions) {
		struct session *s = g->sessions;
		g->sessions = s->next;
		free(s->reach);
		free(s);
	}
	while (g->stores) {
		struct stored *s = g->stores;
		g->stores = s->next;
		arena_free(s->arena);
		free(s);
	}
	for (struct map_entry *h; (h = map_next(&g->heard, &at));)
		free(h->value);
	map_fini(&g->heard);
	log_shares_fini(&g->shares);
	members_free(g->members);
	mesh_free(g->mesh);
	free(g);
}

int gossip_say(struct gossip *g, uint32_t session, const struct message *m)
{
	const struct session *s = find_session(g, session);

	const bool trust = m->kind == MESSAGE_STANDING || m->kind == MESSAGE_TRUST;
	if (!s || !(s->open || (trust && s->greeted)))
		return FAIL(ERR_UNREACHABLE);
	step(g, &(struct mesh_event){.kind = MESH_SAY, .session = session, .message = m});
	s = find_session(g, session);
	return s && !s->broken ? 0 : FAIL(ERR_UNREACHABLE);
}

void gossip_trust(struct gossip *g)
{
	step(g, &(struct mesh_event){.kind = MESH_TRUST, .credential = g->engine->trust->credential});
}

void gossip_chosen(struct gossip *g)
{
	step(g, &(struct mesh_event){.kind = MESH_CHOSEN});
}

void gossip_ended(struct gossip *g, const char *org)
{
	step(g, &(struct mesh_event){.kind = MESH_ENDED, .peer.org = org});
}

void gossip_changed(struct gossip *g)
{
	step(g, &(struct mesh_event){.kind = MESH_CHANGED});
}

void gossip_tell(struct gossip *g, const struct message *m, uint32_t except)
{
	for (const struct session *s = next_session(g, 0); s;) {
		const uint32_t id = s->id;
		if (s->open && s->own && id != except)
			ignore(gossip_say(g, id, m)); /* gone: it is told again when it comes again */
		s = next_session(g, id);
	}
}

void gossip_policy(struct gossip *g)
{
	for (const struct session *s = next_session(g, 0); s;) {
		const uint32_t id = s->id;
		if (s->open)
			say_policy(g, s);
		s = next_session(g, id);
	}
}

void gossip_dial(struct gossip *g)
{
	members_renew(g->members);
}

int64_t gossip_age(const struct gossip *g, const char *origin)
{
	const struct heard *h = forks_is_open(g->engine->forks, origin) ? NULL : map_get(&g->heard, origin);

	return h ? engine_mono_ns() - h->at_ns : INT64_MAX;
}

uint64_t gossip_malformed(const struct gossip *g)
{
	return g->malformed;
}

uint64_t gossip_open(const struct gossip *g)
{
	uint64_t n = 0;

	for (const struct session *s = g->sessions; s; s = s->next)
		n += s->open;
	return n;
}
