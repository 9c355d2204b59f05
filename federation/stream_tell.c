/* SPDX-License-Identifier: Apache-2.0 */
/* The server's side of heads: what a session is told, and what a PING says about it.
 *
 * Who knows FEATURE_QUIET is told a head once, and again when it has changed. A PING vouches for all that was
 * told: so before one goes out everything is looked at, and told first if it is not as it was told. Its age
 * is that of the head heard of longest ago; what is older than PING_AGE_MAX is told with its own age and left
 * out of it. When something told is not there any more, everything is told anew.
 *
 * Others are told everything every heads_every_ns, and on change. */
#include "federation/mesh_state.h"

/* What is held of another origin is handed on only while it agrees with its head: between the frames of a
 * long pull the rows are ahead of the head, and a reader would find that the two do not agree. */
int serve_settled(struct mesh *m, const char *origin, bool *ret)
{
	struct held held;

	*ret = strcmp(origin, m->self) == 0;
	if (*ret)
		return 0;
	TRY(held_read(m, origin, &held));
	*ret = held.at_head && fork_counts(m, origin, &held.place);
	return 0;
}

static uint64_t name_of(const char *origin)
{
	return hash64("origin", bytes_of_text(origin), (struct bytes){0});
}

static int add_look(struct mesh *m, struct looks *looks, const char *audience, const char *origin)
{
	const struct mesh_port *port = &m->opt.port;
	struct arena *a = m->todo->arena;
	struct look *l = arena_push(a, &looks->items, &looks->n, sizeof *l);

	if (!l)
		return FAIL(-ENOMEM);
	*l = (struct look){.origin = origin, .name = name_of(origin)};
	m->n_looked++;
	TRY(serve_settled(m, origin, &l->settled));
	l->shown = l->settled && port->head(port->ctx, audience, origin, a, &l->notice) >= 0;
	if (l->shown)
		l->head = hash64("head", l->notice.head.payload, (struct bytes){0});
	return 0;
}

/* Once in a step for all sessions of an audience: inside an organisation they are many, and each is to hear
 * of every change. */
static int look_around(struct mesh *m, const char *audience, const struct looks **ret)
{
	const struct mesh_port *port = &m->opt.port;
	struct looks *looks = &m->looks[audience[0] != '\0'];
	const char *origin = NULL;

	*ret = looks;
	if (looks->audience && strcmp(looks->audience, audience) == 0)
		return 0;
	*looks = (struct looks){0};
	while ((origin = port->origin_next(port->ctx, audience, origin)))
		TRY(add_look(m, looks, audience, origin));
	looks->audience = audience;
	return 0;
}

/* HEADS being filled; a long list goes out as several messages. */
struct telling {
	struct session *session;
	bool again; /* also what is as it was told */
	bool all;   /* the first message says that these are all */
	struct heads heads;
	size_t bytes;
	bool told; /* at least one message went out */
};

static int send_heads(struct mesh *m, struct telling *t)
{
	struct message message = {.kind = MESSAGE_HEADS, .heads = t->heads};

	message.heads.all = t->all && !t->told;
	t->heads = (struct heads){0};
	t->bytes = 0;
	t->told = true;
	return session_send(m, t->session, &message);
}

/* Origins come in the same order each time: it mostly stands behind the one looked for before. */
static struct told *told_find(struct session *s, uint64_t origin)
{
	for (size_t i = 0; i < s->n_told; i++) {
		const size_t at = (s->told_at + i) % s->n_told;
		if (s->told[at].origin == origin) {
			s->told_at = at + 1;
			return &s->told[at];
		}
	}
	return NULL;
}

static bool is_quiet(const struct session *s)
{
	return s->features & FEATURE_QUIET;
}

/* Note what the session is told; true: it is something else than the last time. What does not fit into the
 * table waits for the next telling of everything. */
static bool note_told(const struct mesh *m, struct session *s, const struct look *l)
{
	const int64_t age_ns = stream_age(l->notice.age_ns);
	const struct told now = {.origin = l->name,
				 .head = l->head,
				 .at_ns = m->now_ns - age_ns,
				 .old = age_ns > PING_AGE_MAX_NS,
				 .offered = true};
	struct told *place = told_find(s, now.origin);
	bool changed = !place || place->head != now.head || (is_quiet(s) && place->old != now.old);

	if (!place && s->n_told < ORIGINS_MAX)
		place = mesh_grow(&s->told, &s->n_told, sizeof *place);
	if (place)
		*place = now;
	return changed && place;
}

/* A place that is being gone over just now stands as it was told, from when it was. */
static void keep_told(struct session *s, const struct look *l)
{
	struct told *t = told_find(s, l->name);

	if (t)
		t->offered = true;
}

static int tell_head(struct mesh *m, struct telling *t, const struct look *l)
{
	if (!l->settled)
		keep_told(t->session, l);
	if (!l->shown)
		return 0;
	bool changed = note_told(m, t->session, l);
	if (!changed && !t->again)
		return 0;
	m->n_looked++;
	size_t bytes = l->notice.head.payload.len + sizeof l->notice.head;
	if (t->bytes + bytes > FRAME_FILL || t->heads.n == ORIGINS_MAX)
		TRY(send_heads(m, t));
	struct head_notice *place = arena_push(m->todo->arena, &t->heads.heads, &t->heads.n, sizeof *place);
	if (!place)
		return FAIL(-ENOMEM);
	*place = l->notice;
	t->bytes += bytes;
	return 0;
}

static int tell_changed(struct mesh *m, struct telling *t)
{
	const struct looks *looks;

	for (size_t i = 0; i < t->session->n_told; i++)
		t->session->told[i].offered = false;
	TRY(look_around(m, session_audience(t->session), &looks));
	for (size_t i = 0; i < looks->n; i++)
		TRY(tell_head(m, t, &looks->items[i]));
	return t->heads.n > 0 ? send_heads(m, t) : 0;
}

static int tell_loud(struct mesh *m, struct session *s, bool due)
{
	struct telling t = {.session = s, .again = due || s->tell_all};
	struct message ping = {.kind = MESSAGE_PING};

	s->tell_all = false;
	TRY(tell_changed(m, &t));
	return due && !t.told ? session_send(m, s, &ping) : 0;
}

static int tell_all(struct mesh *m, struct session *s)
{
	struct telling t = {.session = s, .all = true};

	s->tell_all = false;
	s->all_ns = m->now_ns + ALL_PAUSE_NS;
	s->n_told = s->told_at = 0;
	TRY(tell_changed(m, &t));
	return t.told ? 0 : send_heads(m, &t);
}

/* Something told is not offered any more, or has for so long been between two states that nothing can be
 * said of it. */
static bool has_gone(const struct mesh *m, const struct session *s)
{
	for (size_t i = 0; i < s->n_told; i++) {
		const struct told *t = &s->told[i];
		if (!t->offered || (!t->old && m->now_ns - t->at_ns > PING_AGE_MAX_NS))
			return true;
	}
	return false;
}

static int send_ping(struct mesh *m, struct session *s)
{
	struct message ping = {.kind = MESSAGE_PING};
	int64_t at_ns = m->now_ns;

	for (size_t i = 0; i < s->n_told; i++)
		if (!s->told[i].old && s->told[i].at_ns < at_ns)
			at_ns = s->told[i].at_ns;
	ping.ping.age_ns = m->now_ns - at_ns;
	return session_send(m, s, &ping);
}

int serve_heads(struct mesh *m, struct session *s, bool due)
{
	struct telling t = {.session = s};
	bool all = s->tell_all && m->now_ns >= s->all_ns;

	if (!is_quiet(s))
		return tell_loud(m, s, due);
	if (!all) {
		TRY(tell_changed(m, &t));
		s->tell_all = s->tell_all || has_gone(m, s);
		all = s->tell_all && m->now_ns >= s->all_ns;
	}
	if (all)
		TRY(tell_all(m, s));
	return all || due ? send_ping(m, s) : 0;
}

void serve_forget(struct session *s, const char *origin)
{
	struct told *t = told_find(s, name_of(origin));

	if (t)
		*t = s->told[--s->n_told];
}

int serve_tell(struct mesh *m, struct session *s, const struct message *message)
{
	(void)m, (void)message;
	s->tell_all = true;
	return 0;
}
