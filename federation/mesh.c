/* SPDX-License-Identifier: Apache-2.0 */
#include "federation/mesh_state.h"

#define SCRATCH_BYTES ((size_t)FRAME_OWN_MAX * DECODE_BUDGET_FACTOR + DECODE_BUDGET_BASE)

/* splitmix64: nonces and jitter need to differ, not to be secret. */
uint64_t mesh_random(struct mesh *m)
{
	uint64_t z = m->random += UINT64_C(0x9e3779b97f4a7c15);

	z = (z ^ (z >> 30)) * UINT64_C(0xbf58476d1ce4e5b9);
	z = (z ^ (z >> 27)) * UINT64_C(0x94d049bb133111eb);
	z ^= z >> 31;
	return z != 0 ? z : 1;
}

void *mesh_grow(void *items, size_t *n, size_t size)
{
	void **array = items;

	if ((*n & (*n - 1)) == 0) {
		void *grown = realloc(*array, (*n == 0 ? 1 : *n * 2) * size);
		if (!grown)
			return NULL;
		*array = grown;
	}
	return memset((uint8_t *)*array + size * (*n)++, 0, size);
}

struct mesh_action *mesh_emit(struct mesh *m, enum mesh_action_kind kind, uint32_t session)
{
	struct mesh_todo *todo = m->todo;
	struct mesh_action *a = arena_push(todo->arena, &todo->actions, &todo->n, sizeof *a);

	if (a) {
		a->kind = kind;
		a->session = session;
	}
	return a;
}

int mesh_alarm_of(struct mesh *m, uint32_t session, const char *origin, const char *text)
{
	const char *copy = arena_copy(m->todo->arena, text);
	const char *about = origin ? arena_copy(m->todo->arena, origin) : NULL;
	struct mesh_action *a = mesh_emit(m, MESH_ALARM, session);

	if (!copy || !a || (origin && !about))
		return FAIL(-ENOMEM);
	a->text = copy;
	a->origin = about;
	COUNT(m, session_find(m, session), alarms);
	return 0;
}

int mesh_alarm(struct mesh *m, uint32_t session, const char *text)
{
	return mesh_alarm_of(m, session, NULL, text);
}

static void set_defaults(struct mesh_options *opt)
{
	opt->heads_every_ns = opt->heads_every_ns ? opt->heads_every_ns : NS_PER_S;
	opt->ping_every_ns = opt->ping_every_ns ? opt->ping_every_ns : 2 * NS_PER_S;
	opt->silence_ns = opt->silence_ns ? opt->silence_ns : 15 * NS_PER_S;
	if (opt->ping_every_ns > opt->silence_ns / 3)
		opt->ping_every_ns = opt->silence_ns / 3;
	opt->pull_timeout_ns = opt->pull_timeout_ns ? opt->pull_timeout_ns : 3 * NS_PER_S;
	opt->window_bytes = opt->window_bytes ? opt->window_bytes : 1 << 20;
	opt->publish_every_ns = opt->publish_every_ns ? opt->publish_every_ns : 50 * NS_PER_MS;
	opt->fork_margin_ns = opt->fork_margin_ns ? opt->fork_margin_ns : FORK_MARGIN_NS;
}

static char *join(const char *org, const char *node)
{
	SCOPED(buf_fini) struct buf b = {0};

	buf_put_text(&b, org);
	buf_put_u8(&b, '/');
	buf_put_text(&b, node);
	buf_put_u8(&b, 0);
	return b.failed ? NULL : (char *)MOVE(b.data);
}

int mesh_keep(struct bytes what, struct buf *where)
{
	SCOPED(buf_fini) struct buf copy = {0};

	buf_put(&copy, what);
	TRY(buf_check(&copy));
	const struct buf old = *where;
	*where = copy;
	copy = old;
	return 0;
}

static int keep_options(struct mesh *m, const struct mesh_options *opt)
{
	m->opt = *opt;
	set_defaults(&m->opt);
	m->random = opt->seed;
	m->org = strdup(opt->org);
	m->node = strdup(opt->node);
	m->self = join(opt->org, opt->node);
	if (!m->org || !m->node || !m->self)
		return FAIL(-ENOMEM);
	return mesh_keep(opt->credential, &m->credential);
}

int mesh_new(struct mesh **ret, const struct mesh_options *opt)
{
	SCOPED(scope_mesh) struct mesh *m = calloc(1, sizeof *m);

	if (!m)
		return FAIL(-ENOMEM);
	TRY(keep_options(m, opt));
	TRY(arena_new(&m->scratch, SCRATCH_BYTES));
	awake_begin(&m->awake);
	m->deadline_ns = INT64_MAX;
	*ret = MOVE(m);
	return 0;
}

void mesh_free(struct mesh *m)
{
	if (!m)
		return;
	for (size_t i = 0; i < m->n_sessions; i++)
		session_free(m->sessions[i]);
	for (size_t i = 0; i < m->n_streams; i++)
		stream_free(m->streams[i]);
	for (size_t i = 0; i < m->n_partners; i++)
		free(m->partners[i].org);
	tallies_free(m);
	free(m->sessions);
	free(m->streams);
	free(m->pending);
	free(m->org);
	free(m->node);
	free(m->self);
	buf_fini(&m->credential);
	arena_free(m->scratch);
	free(m);
}

static int on_deliver(struct mesh *m, struct session *s, const struct message *message)
{
	struct mesh_action *a = mesh_emit(m, MESH_DELIVER, s->id);

	if (!a)
		return FAIL(-ENOMEM);
	a->message = *message;
	return 0;
}

static int on_own(struct mesh *m, struct session *s, const struct message *message)
{
	return s->own ? on_deliver(m, s, message)
		      : session_refuse(m, s, "another organisation sent what only own nodes may");
}

static int on_bye(struct mesh *m, struct session *s, const struct message *message)
{
	(void)message;
	return session_close(m, s, "peer said bye");
}

int mesh_dispatch(struct mesh *m, struct session *s, const struct message *message)
{
	static int (*const on_message[N_MESSAGE_KINDS])(struct mesh *, struct session *,
							const struct message *) = {
		[MESSAGE_HELLO] = session_hello_again,
		[MESSAGE_HEADS] = stream_on_heads,
		[MESSAGE_PULL] = serve_pull,
		[MESSAGE_ROWS] = stream_on_rows,
		[MESSAGE_RESET] = stream_on_reset,
		[MESSAGE_REPAIR] = serve_repair,
		[MESSAGE_SUMS] = stream_on_sums,
		[MESSAGE_QUESTION] = on_deliver,
		[MESSAGE_ANSWER] = on_deliver,
		[MESSAGE_PING] = stream_on_ping,
		[MESSAGE_POLICY] = on_own,
		[MESSAGE_BYE] = on_bye,
		[MESSAGE_STANDING] = on_deliver,
		[MESSAGE_TRUST] = on_deliver,
		[MESSAGE_AGREEMENT] = on_own,
		[MESSAGE_FRESHNESS] = on_own,
		[MESSAGE_TELL] = serve_tell,
		[MESSAGE_REACH] = on_own,
	};
	const struct mesh_port *port = &m->opt.port;

	if (message->kind >= N_MESSAGE_KINDS || !on_message[message->kind])
		return session_refuse(m, s, "message of an unknown kind");
	const int r = s->own || !port->admit ? 0 : port->admit(port->ctx, s->org, message);
	if (r == 0)
		return on_message[message->kind](m, s, message);
	COUNT(m, s, over_share);
	return r < 0 ? session_refuse(m, s, "peer goes on asking for more than its share")
		     : serve_later(m, s, message);
}

static int on_say(struct mesh *m, const struct mesh_event *e)
{
	struct session *s = session_find(m, e->session);
	struct message message = *e->message;

	return s && session_lets_out(s, message.kind) ? session_send(m, s, &message) : 0;
}

static int on_changed(struct mesh *m, const struct mesh_event *e)
{
	(void)e;
	m->dirty = true;
	return 0;
}

static int on_chosen(struct mesh *m, const struct mesh_event *e)
{
	(void)e;
	m->dirty = true;
	forks_chosen(m);
	return 0;
}

static int on_ended(struct mesh *m, const struct mesh_event *e)
{
	partner_forget(m, e->peer.org);
	return 0;
}

static int on_tick(struct mesh *m, const struct mesh_event *e)
{
	(void)m, (void)e;
	return 0;
}

int mesh_step(struct mesh *m, const struct mesh_event *e, int64_t now_ns, struct mesh_todo *todo)
{
	static int (*const on_event[])(struct mesh *, const struct mesh_event *) = {
		[MESH_UP] = session_up,  [MESH_DOWN] = session_down,     [MESH_FRAME] = session_frame,
		[MESH_SAY] = on_say,     [MESH_CHANGED] = on_changed,    [MESH_STORED] = stream_on_stored,
		[MESH_TICK] = on_tick,   [MESH_TRUST] = sessions_trust,  [MESH_CHOSEN] = on_chosen,
		[MESH_ENDED] = on_ended, [MESH_RESUMED] = serve_resumed,
	};

	m->now_ns = now_ns;
	m->awake_ns = awake_step(&m->awake, now_ns);
	m->todo = todo;
	m->heard = false;
	m->n_looked = 0;
	m->looks[0] = m->looks[1] = (struct looks){0};
	todo->actions = NULL;
	todo->n = 0;
	TRY(on_event[e->kind](m, e));
	TRY(sessions_run(m));
	TRY(streams_run(m));
	sessions_reap(m);
	streams_reap(m);
	const int64_t sessions_ns = sessions_deadline(m), streams_ns = streams_deadline(m);
	m->deadline_ns = sessions_ns < streams_ns ? sessions_ns : streams_ns;
	awake_until(&m->awake, m->deadline_ns, m->now_ns);
	return 0;
}

int64_t mesh_deadline(const struct mesh *m)
{
	return m->deadline_ns;
}

bool mesh_session_open(const struct mesh *m, uint32_t session, uint32_t *ret_protocol)
{
	const struct session *s = session_find(m, session);

	if (!s || !s->open)
		return false;
	*ret_protocol = s->protocol;
	return true;
}
