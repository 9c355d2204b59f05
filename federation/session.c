/* SPDX-License-Identifier: Apache-2.0 */
#include "federation/mesh_state.h"

struct session *session_find(const struct mesh *m, uint32_t id)
{
	for (size_t i = 0; i < m->n_sessions; i++)
		if (m->sessions[i]->id == id && !m->sessions[i]->closed)
			return m->sessions[i];
	return NULL;
}

const char *session_audience(const struct session *s)
{
	return s->own ? "" : s->org;
}

void session_free(struct session *s)
{
	free(s->org);
	free(s->node);
	free(s->told);
	buf_fini(&s->credential);
	free(s);
}

int session_send(struct mesh *m, struct session *s, struct message *message)
{
	struct mesh_action *a = mesh_emit(m, MESH_SEND, s->id);

	if (!a)
		return FAIL(-ENOMEM);
	message->nonce = s->nonce;
	message->frame = ++s->frame;
	a->message = *message;
	return 0;
}

int session_close(struct mesh *m, struct session *s, const char *why)
{
	struct mesh_action *a = mesh_emit(m, MESH_CLOSE, s->id);

	if (!a)
		return FAIL(-ENOMEM);
	a->text = why;
	s->closed = true;
	streams_forget(m, s);
	return 0;
}

int session_refuse(struct mesh *m, struct session *s, const char *why)
{
	COUNT(m, s, frames_refused);
	TRY(mesh_alarm(m, s->id, why));
	return session_close(m, s, why);
}

static int send_hello(struct mesh *m, struct session *s)
{
	const struct mesh_port *port = &m->opt.port;
	struct message message = {
		.kind = MESSAGE_HELLO,
		.hello =
			{
				.protocol_min = PROTOCOL_MIN,
				.protocol_max = PROTOCOL_MAX,
				.org = m->org,
				.node = m->node,
				.features = FEATURE_TRUST | FEATURE_QUIET | FEATURE_REACH | FEATURE_MESH |
					    FEATURE_VIEW | FEATURE_COMMAND |
					    (port->tree ? FEATURE_REPAIR : 0),
				.credential = buf_bytes(&m->credential),
				.policy_epoch = port->policy_epoch ? port->policy_epoch(port->ctx) : 0,
			},
	};

	return session_send(m, s, &message);
}

static void set_heads_due(struct mesh *m, struct session *s)
{
	const bool quiet = s->features & FEATURE_QUIET;
	uint64_t every = (uint64_t)(quiet ? m->opt.ping_every_ns : m->opt.heads_every_ns);

	/* up to an eighth earlier, so that a node does not tell all its peers at once */
	s->heads_due_ns = m->now_ns + (int64_t)(every - mesh_random(m) % (every / 8 + 1));
}

static struct liveness_options habits(const struct mesh *m)
{
	return (struct liveness_options){.every_ns = m->opt.ping_every_ns, .cap_ns = m->opt.silence_ns};
}

static void begin_pulse(const struct mesh *m, struct session *s)
{
	const struct liveness_options opt = habits(m);

	pulse_begin(&s->pulse, &opt, m->awake_ns);
}

static struct session *add_session(struct mesh *m, const struct mesh_event *e)
{
	struct session *s = calloc(1, sizeof *s);
	struct session **place = s ? mesh_grow(&m->sessions, &m->n_sessions, sizeof *place) : NULL;

	if (!place) {
		free(s);
		return NULL;
	}
	*place = s;
	*s = (struct session){
		.id = e->session,
		.org = strdup(e->peer.org),
		.node = strdup(e->peer.node),
		.own = e->peer.own,
		.dialled = e->peer.dialled,
		.nonce = mesh_random(m),
		.heads_due_ns = INT64_MAX,
		.tell_due_ns = INT64_MAX,
		.tell_pause_ns = TELL_PAUSE_NS,
		.tally = tally_of(m, e->peer.org, e->peer.node),
	};
	begin_pulse(m, s);
	s->closed = !s->org || !s->node;
	return s->closed ? NULL : s;
}

int session_up(struct mesh *m, const struct mesh_event *e)
{
	if (session_find(m, e->session))
		return 0;
	struct session *s = add_session(m, e);
	return s ? send_hello(m, s) : FAIL(-ENOMEM);
}

int session_down(struct mesh *m, const struct mesh_event *e)
{
	struct session *s = session_find(m, e->session);

	if (s) {
		s->closed = true;
		streams_forget(m, s);
	}
	return 0;
}

/* What is wrong with a HELLO; NULL: nothing. */
static const char *hello_fault(const struct session *s, const struct hello *h)
{
	if (strcmp(h->org, s->org) != 0 || strcmp(h->node, s->node) != 0)
		return "peer says it is another node than its key";
	if (h->protocol_min > PROTOCOL_MAX || h->protocol_max < PROTOCOL_MIN)
		return "peer speaks no protocol version that this node speaks";
	return NULL;
}

/* Another nonce on a session that was greeted: the peer started anew behind the same connection and knows
 * nothing of us.
 */
static int start_over(struct mesh *m, struct session *s)
{
	streams_forget(m, s);
	s->timeouts = 0;
	s->open = s->lost = s->listing = false;
	s->heads_due_ns = s->tell_due_ns = INT64_MAX;
	return send_hello(m, s);
}

/* Heads wait for the next step: what the owner says of its trust goes first. */
static int open_session(struct mesh *m, struct session *s)
{
	s->open = s->tell_all = true;
	COUNT(m, s, sessions);
	s->all_ns = s->heads_due_ns = m->now_ns;
	m->heard = true;
	return mesh_emit(m, MESH_OPENED, s->id) ? 0 : FAIL(-ENOMEM);
}

/* 0, MESH_NOT_YET, or negative. */
static int believe(const struct mesh *m, const struct session *s)
{
	const struct mesh_port *port = &m->opt.port;
	const struct hello h = {.org = s->org, .node = s->node, .credential = buf_bytes(&s->credential)};

	return port->verify_hello ? port->verify_hello(port->ctx, s->id, &h) : 0;
}

/* Open it, keep it waiting or end it, by what is believed now. */
static int judge(struct mesh *m, struct session *s)
{
	const int r = believe(m, s);

	if (r < 0)
		return session_refuse(m, s, "peer shows a credential that is not its own or not valid");
	if (r == MESH_NOT_YET && s->open)
		return session_close(m, s, "peer's credential has ended");
	return r == 0 && !s->open ? open_session(m, s) : 0;
}

/* Something it said: all is to be told again. */
static void lose(const struct mesh *m, struct session *s)
{
	s->lost = true;
	s->listing = false;
	s->tell_due_ns = m->now_ns;
}

static int on_hello(struct mesh *m, struct session *s, const struct message *message)
{
	const struct hello *h = &message->hello;
	const char *fault = hello_fault(s, h);

	if (fault)
		return session_refuse(m, s, fault);
	if (s->greeted)
		TRY(start_over(m, s));
	TRY(mesh_keep(h->credential, &s->credential));
	s->greeted = true;
	s->peer_nonce = message->nonce;
	s->peer_frame = message->frame;
	s->features = h->features;
	s->protocol = h->protocol_max < PROTOCOL_MAX ? h->protocol_max : PROTOCOL_MAX;
	begin_pulse(m, s);
	if (message->frame != 1)
		lose(m, s); /* to the peer the session began with an earlier HELLO, and perhaps more */
	struct mesh_action *a = mesh_emit(m, MESH_GREETED, s->id);
	if (!a)
		return FAIL(-ENOMEM);
	a->features = s->features;
	return judge(m, s);
}

int session_hello_again(struct mesh *m, struct session *s, const struct message *message)
{
	const char *fault = hello_fault(s, &message->hello);

	if (fault)
		return session_refuse(m, s, fault);
	TRY(mesh_keep(message->hello.credential, &s->credential));
	return judge(m, s);
}

static bool is_about_trust(enum message_kind kind)
{
	return kind == MESSAGE_STANDING || kind == MESSAGE_TRUST;
}

bool session_lets_out(const struct session *s, enum message_kind kind)
{
	if (is_about_trust(kind) || kind == MESSAGE_AGREEMENT || kind == MESSAGE_FRESHNESS)
		return s->greeted && (s->features & FEATURE_TRUST) && (s->open || is_about_trust(kind));
	return s->open && (kind != MESSAGE_REACH || s->features & FEATURE_REACH);
}

static bool lets_in(const struct session *s, enum message_kind kind)
{
	return s->open || kind == MESSAGE_HELLO || kind == MESSAGE_BYE || is_about_trust(kind);
}

static int renew_credential(struct mesh *m, struct bytes credential)
{
	if (bytes_equal(credential, buf_bytes(&m->credential)))
		return 0;
	TRY(mesh_keep(credential, &m->credential));
	for (size_t i = 0; i < m->n_sessions; i++)
		if (!m->sessions[i]->closed)
			TRY(send_hello(m, m->sessions[i]));
	return 0;
}

int sessions_trust(struct mesh *m, const struct mesh_event *e)
{
	TRY(renew_credential(m, e->credential));
	for (size_t i = 0; i < m->n_sessions; i++)
		if (m->sessions[i]->greeted && !m->sessions[i]->closed)
			TRY(judge(m, m->sessions[i]));
	for (size_t i = 0; i < m->n_sessions; i++)
		if (m->sessions[i]->tell_due_ns != INT64_MAX) {
			m->sessions[i]->tell_pause_ns = TELL_PAUSE_NS;
			m->sessions[i]->tell_due_ns = m->now_ns;
		}
	return 0;
}

static int say_bye(struct mesh *m, struct session *s, const struct message *answered, const char *why)
{
	struct message bye = {.kind = MESSAGE_BYE};

	if (answered->kind != MESSAGE_BYE)
		TRY(session_send(m, s, &bye));
	return session_close(m, s, why);
}

/* Something other than HELLO on a session that has not begun: the peer takes this for a connection that is
 * gone. BYE makes it connect anew. */
static int before_hello(struct mesh *m, struct session *s, const struct message *message)
{
	COUNT(m, s, frames_old_session);
	return say_bye(m, s, message, "peer sent before HELLO");
}

static void hear(const struct mesh *m, struct session *s, enum message_kind kind)
{
	const struct liveness_options opt = habits(m);
	const bool quiet = s->features & FEATURE_QUIET;

	pulse_heard(&s->pulse, m->awake_ns);
	if (kind == MESSAGE_PING || (kind == MESSAGE_HEADS && !quiet))
		pulse_beat(&s->pulse, &opt, m->awake_ns);
}

/* A frame of another session of the peer's: late, from a connection that is gone; or the peer has begun anew
 * and its HELLO was lost. Then nothing of this session comes any more: after two missed beats BYE makes it
 * connect anew, long before it counts as silent. */
static int of_other_session(struct mesh *m, struct session *s, const struct message *message)
{
	const struct liveness_options opt = habits(m);

	COUNT(m, s, frames_old_session);
	if (message->nonce == s->peer_nonce || m->awake_ns < s->pulse.heard_ns + 2 * opt.every_ns)
		return 0;
	return say_bye(m, s, message, "peer speaks in another session");
}

int session_frame(struct mesh *m, const struct mesh_event *e)
{
	struct session *s = session_find(m, e->session);
	const struct message *message = e->message;

	if (!s) {
		m->stats.frames_refused++;
		return 0;
	}
	if (message->kind == MESSAGE_HELLO && (!s->greeted || message->nonce != s->peer_nonce))
		return on_hello(m, s, message);
	if (!s->greeted)
		return before_hello(m, s, message);
	if (message->nonce != s->peer_nonce || message->frame <= s->peer_frame)
		return of_other_session(m, s, message);
	if (message->frame != s->peer_frame + 1) {
		COUNT(m, s, frames_gap);
		if (!s->open) /* what was lost may be the HELLO that would have opened it */
			return say_bye(m, s, message, "frames were lost before the peer was believed");
		streams_abandon(m, s);
		lose(m, s);
	}
	s->peer_frame = message->frame;
	hear(m, s, message->kind);
	if (lets_in(s, message->kind))
		return mesh_dispatch(m, s, message);
	COUNT(m, s, frames_unbelieved);
	lose(m, s);
	return 0;
}

void session_misses(const struct mesh *m, struct session *s)
{
	const int64_t due_ns = m->now_ns + s->tell_pause_ns;

	s->tell_due_ns = due_ns < s->tell_due_ns ? due_ns : s->tell_due_ns;
}

/* Again until it is done; who does not know it tells all anyway. */
static int ask_for_all(struct mesh *m, struct session *s)
{
	struct message tell = {.kind = MESSAGE_TELL};

	s->tell_due_ns = m->now_ns + s->tell_pause_ns;
	s->tell_pause_ns =
		s->tell_pause_ns < TELL_PAUSE_MAX_NS / 2 ? s->tell_pause_ns * 2 : TELL_PAUSE_MAX_NS;
	return s->features & FEATURE_QUIET ? session_send(m, s, &tell) : 0;
}

/* Looked at only when somebody is overdue, which is seldom. */
static bool is_own_fault(const struct mesh *m)
{
	const struct liveness_options opt = habits(m);
	size_t n = 0, n_unwell = 0;

	for (size_t i = 0; i < m->n_sessions; i++) {
		const struct session *s = m->sessions[i];
		n += s->open;
		n_unwell += s->open && pulse_state(&s->pulse, &opt, m->awake_ns) != PULSE_WELL;
	}
	return liveness_is_own_fault(n_unwell, n);
}

bool session_is_doubtful(const struct mesh *m, const struct session *s)
{
	const struct liveness_options opt = habits(m);

	return s->timeouts > 0 || pulse_state(&s->pulse, &opt, m->awake_ns) != PULSE_WELL;
}

static int64_t patience(const struct session *s)
{
	const int64_t ns = s->pulse.patience_ns;

	return s->open || ns < GREETING_NS ? ns : GREETING_NS;
}

static bool is_silent(const struct mesh *m, struct session *s)
{
	const struct liveness_options opt = habits(m);

	if (m->awake_ns < s->pulse.heard_ns + patience(s) || m->now_ns < s->spared_ns)
		return false;
	if (!s->open || pulse_state(&s->pulse, &opt, m->awake_ns) == PULSE_GONE || !is_own_fault(m))
		return true;
	s->spared_ns = m->now_ns + SPARED_NS;
	return false;
}

static int run_session(struct mesh *m, struct session *s)
{
	const bool due = m->now_ns >= s->heads_due_ns;
	const bool all = s->tell_all && m->now_ns >= s->all_ns;

	if (is_silent(m, s))
		return session_close(m, s, "peer is silent");
	if (!s->open)
		return 0;
	if (m->now_ns >= s->tell_due_ns)
		TRY(ask_for_all(m, s));
	if (due)
		set_heads_due(m, s);
	if (!due && !all && !s->stale)
		return 0;
	s->stale = false;
	return serve_heads(m, s, due);
}

static void publish(struct mesh *m)
{
	for (size_t i = 0; i < m->n_sessions; i++)
		m->sessions[i]->stale = m->sessions[i]->open;
	m->dirty = false;
	m->publish_ns = m->now_ns + m->opt.publish_every_ns;
}

/* Not more than a step has room for: those that are left come first in the next one. */
int sessions_run(struct mesh *m)
{
	size_t n = 0;

	if (m->heard)
		return 0;
	if (m->dirty && m->now_ns >= m->publish_ns)
		publish(m);
	for (; n < m->n_sessions && m->n_looked < LOOKS_PER_STEP; n++) {
		struct session *s = m->sessions[(m->turn + n) % m->n_sessions];
		if (!s->closed)
			TRY(run_session(m, s));
	}
	m->turn = n < m->n_sessions ? (m->turn + n) % m->n_sessions : 0;
	return 0;
}

static int64_t sooner(int64_t a, int64_t b)
{
	return a < b ? a : b;
}

static int64_t session_due(const struct mesh *m, const struct session *s)
{
	const int64_t silent_ns = awake_to_mono(&m->awake, s->pulse.heard_ns + patience(s));
	const int64_t ns = sooner(silent_ns > s->spared_ns ? silent_ns : s->spared_ns, s->heads_due_ns);

	if (!s->open)
		return ns;
	if (s->stale)
		return m->now_ns;
	return sooner(sooner(ns, s->tell_due_ns), s->tell_all ? s->all_ns : INT64_MAX);
}

int64_t sessions_deadline(const struct mesh *m)
{
	int64_t ns = m->dirty ? m->publish_ns : INT64_MAX;

	for (size_t i = 0; i < m->n_sessions; i++)
		ns = sooner(ns, session_due(m, m->sessions[i]));
	return ns;
}

void sessions_reap(struct mesh *m)
{
	size_t kept = 0;

	for (size_t i = 0; i < m->n_sessions; i++)
		if (m->sessions[i]->closed)
			session_free(m->sessions[i]);
		else
			m->sessions[kept++] = m->sessions[i];
	m->n_sessions = kept;
}
