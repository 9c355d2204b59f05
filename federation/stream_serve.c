/* SPDX-License-Identifier: Apache-2.0 */
#include "federation/mesh_state.h"

/* What is held of another origin is handed on only while it agrees with its head: between the frames of a
 * long pull the rows are ahead of the head, and a reader would find that the two do not agree. */
static int is_settled(struct mesh *m, const char *origin, bool *ret)
{
	struct held held;

	*ret = strcmp(origin, m->self) == 0;
	if (*ret)
		return 0;
	TRY(held_read(m, origin, &held));
	*ret = held.at_head && fork_counts(m, origin, &held.place);
	return 0;
}

/* HEADS being filled; a long list goes out as several messages. */
struct telling {
	struct session *session;
	bool all;
	struct heads heads;
	size_t bytes;
	bool told; /* at least one message went out */
};

static int flush(struct mesh *m, struct telling *t)
{
	struct message message = {.kind = MESSAGE_HEADS, .heads = t->heads};

	if (t->heads.n == 0)
		return 0;
	t->heads = (struct heads){0};
	t->bytes = 0;
	t->told = true;
	return session_send(m, t->session, &message);
}

/* Note what the session is told; true: it is something else than the last time. What does not fit into the
 * table waits for the next telling of everything. */
static bool note_told(struct session *s, const char *origin, struct bytes payload)
{
	struct told now = {hash64("origin", bytes_of_text(origin), (struct bytes){0}),
			   hash64("head", payload, (struct bytes){0})};

	for (size_t i = 0; i < s->n_told; i++)
		if (s->told[i].origin == now.origin) {
			bool changed = s->told[i].head != now.head;
			s->told[i] = now;
			return changed;
		}
	struct told *place = s->n_told < ORIGINS_MAX ? mesh_grow(&s->told, &s->n_told, sizeof *place) : NULL;
	if (place)
		*place = now;
	return place != NULL;
}

static int tell_head(struct mesh *m, struct telling *t, const char *origin)
{
	const struct mesh_port *port = &m->opt.port;
	struct arena *a = m->todo->arena;
	struct head_notice notice;
	bool settled;

	TRY(is_settled(m, origin, &settled));
	if (!settled || port->head(port->ctx, session_audience(t->session), origin, a, &notice) < 0)
		return 0;
	bool changed = note_told(t->session, origin, notice.head.payload);
	if (!changed && !t->all)
		return 0;
	size_t bytes = notice.head.payload.len + sizeof notice.head;
	if (t->bytes + bytes > FRAME_FILL || t->heads.n == ORIGINS_MAX)
		TRY(flush(m, t));
	struct head_notice *place = arena_push(a, &t->heads.heads, &t->heads.n, sizeof *place);
	if (!place)
		return FAIL(-ENOMEM);
	*place = notice;
	t->bytes += bytes;
	return 0;
}

int serve_heads(struct mesh *m, struct session *s, bool all)
{
	const struct mesh_port *port = &m->opt.port;
	const char *audience = session_audience(s);
	struct telling t = {.session = s, .all = all};
	struct message ping = {.kind = MESSAGE_PING};

	for (const char *origin = port->origin_next(port->ctx, audience, NULL); origin;
	     origin = port->origin_next(port->ctx, audience, origin))
		TRY(tell_head(m, &t, origin));
	TRY(flush(m, &t));
	return all && !t.told ? session_send(m, s, &ping) : 0;
}

static bool is_offered(struct mesh *m, const char *audience, const char *origin)
{
	const struct mesh_port *port = &m->opt.port;
	const char *o = NULL;

	while ((o = port->origin_next(port->ctx, audience, o)))
		if (strcmp(o, origin) == 0)
			return true;
	return false;
}

static int send_reset(struct mesh *m, struct session *s, const struct pull *p, enum reset_reason reason)
{
	const char *origin = arena_copy(m->todo->arena, p->origin);
	struct message message = {.kind = MESSAGE_RESET, .reset = {p->id, origin, reason}};

	if (!origin)
		return FAIL(-ENOMEM);
	return session_send(m, s, &message);
}

static int send_rows(struct mesh *m, struct session *s, const struct pull *p, uint32_t index,
		     struct rows *rows)
{
	struct message message = {.kind = MESSAGE_ROWS};

	rows->pull = p->id;
	rows->index = index;
	rows->origin = arena_copy(m->todo->arena, p->origin);
	rows->full = p->full;
	if (!rows->origin)
		return FAIL(-ENOMEM);
	message.rows = *rows;
	return session_send(m, s, &message);
}

/* A store that fails to answer is to the reader like one that is behind: another one may serve. */
static enum reset_reason reason_of(int r)
{
	return r > 0 && r < N_RESET_REASONS ? (enum reset_reason)r : RESET_BEHIND;
}

static int send_batches(struct mesh *m, struct session *s, const struct pull *p)
{
	const struct mesh_port *port = &m->opt.port;
	uint32_t credit = p->credit < PULL_CREDIT ? p->credit : PULL_CREDIT;
	struct pull next = *p;

	for (uint32_t index = 0; index < credit; index++) {
		struct rows rows = {0};
		int r = port->rows(port->ctx, session_audience(s), &next, m->todo->arena, &rows);
		if (r != 0)
			return send_reset(m, s, p, reason_of(r));
		TRY(send_rows(m, s, p, index, &rows));
		if (rows.at_head || bytes_equal(rows.cursor, next.cursor))
			break;
		next.cursor = rows.cursor;
	}
	return 0;
}

int serve_later(struct mesh *m, struct session *s, const struct message *message)
{
	const struct repair *r = &message->repair;
	const struct pull asked = {.id = r->id, .origin = r->origin};

	if (message->kind == MESSAGE_REPAIR)
		return send_reset(m, s, &asked, RESET_BEHIND);
	return message->kind == MESSAGE_PULL ? send_reset(m, s, &message->pull, RESET_BEHIND) : 0;
}

int serve_pull(struct mesh *m, struct session *s, const struct message *message)
{
	const struct pull *p = &message->pull;
	bool settled;

	if (!is_offered(m, session_audience(s), p->origin))
		return send_reset(m, s, p, RESET_UNKNOWN);
	TRY(is_settled(m, p->origin, &settled));
	return settled ? send_batches(m, s, p) : send_reset(m, s, p, RESET_BEHIND);
}
