/* SPDX-License-Identifier: Apache-2.0 */
#include "federation/mesh_state.h"

static bool is_offered(struct mesh *m, const char *audience, const char *origin)
{
	const struct mesh_port *port = &m->opt.port;
	const char *o = NULL;

	while ((o = port->origin_next(port->ctx, audience, o)))
		if (strcmp(o, origin) == 0)
			return true;
	return false;
}

int serve_reset(struct mesh *m, struct session *s, const struct reset *reset)
{
	struct message message = {.kind = MESSAGE_RESET, .reset = *reset};

	message.reset.origin = arena_copy(m->todo->arena, reset->origin);
	if (!message.reset.origin)
		return FAIL(-ENOMEM);
	if (reset->reason == RESET_COLLECTED && !(s->features & FEATURE_REPAIR))
		message.reset.reason = RESET_LINEAGE;
	if (reset->reason == RESET_UNKNOWN)
		serve_forget(s, reset->origin); /* the reader does, too */
	return session_send(m, s, &message);
}

static int send_reset(struct mesh *m, struct session *s, const struct pull *p, enum reset_reason reason)
{
	return serve_reset(m, s, &(struct reset){p->id, p->origin, reason});
}

int serve_may(struct mesh *m, const struct session *s, const char *origin)
{
	bool settled;

	if (!is_offered(m, session_audience(s), origin))
		return RESET_UNKNOWN;
	TRY(serve_settled(m, origin, &settled));
	return settled ? 0 : RESET_BEHIND;
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
enum reset_reason serve_reason(int r)
{
	return r > 0 && r < N_RESET_REASONS ? (enum reset_reason)r : RESET_BEHIND;
}

/* The cursor may lie in memory of the store that the next step moves. */
static int resume(struct mesh *m, const struct session *s, const struct pull *p, struct bytes cursor,
		  uint32_t index)
{
	struct mesh_action *a = mesh_emit(m, MESH_RESUME, s->id);

	if (!a)
		return FAIL(-ENOMEM);
	a->token = index;
	a->message = (struct message){.kind = MESSAGE_PULL, .pull = *p};
	a->message.pull.origin = arena_copy(m->todo->arena, p->origin);
	if (!a->message.pull.origin)
		return FAIL(-ENOMEM);
	return stream_copy(m->todo->arena, cursor, &a->message.pull.cursor);
}

/* One frame of the answer in a step: who asked takes it while the next one is made. */
static int send_batch(struct mesh *m, struct session *s, const struct pull *p, uint32_t index)
{
	const struct mesh_port *port = &m->opt.port;
	const uint32_t credit = p->credit < PULL_CREDIT ? p->credit : PULL_CREDIT;
	struct rows rows = {0};

	if (index >= credit)
		return 0;
	const int r = port->rows(port->ctx, session_audience(s), p, m->todo->arena, &rows);
	if (r != 0)
		return send_reset(m, s, p, serve_reason(r));
	TRY(send_rows(m, s, p, index, &rows));
	if (rows.at_head || bytes_equal(rows.cursor, p->cursor) || index + 1 == credit)
		return 0;
	return resume(m, s, p, rows.cursor, index + 1);
}

int serve_resumed(struct mesh *m, const struct mesh_event *e)
{
	struct session *s = session_find(m, e->session);

	return s && s->open ? send_batch(m, s, &e->message->pull, (uint32_t)e->token) : 0;
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
	const int reason = serve_may(m, s, p->origin);

	TRY(reason);
	return reason > 0 ? send_reset(m, s, p, (enum reset_reason)reason) : send_batch(m, s, p, 0);
}
