/* SPDX-License-Identifier: Apache-2.0 */
/* A connection has two sides: [0] dialled, [1] listens, as libzmq has them. The dialling side knows its
 * session from the start; the listening one makes a session when the first frame comes, and a new one when it
 * has closed or forgotten the old and the dialler goes on as if nothing had been. */
#include "tests/sim/world.h"

#define DIAL_NS (500 * NS_PER_MS)
/* All origins of an organisation at once, asked for again while the line is slow. */
enum { ROWS_MAX = 128 };
#define LATE_NS (2 * NS_PER_S)

static struct conn *conn_of(struct world *w, uint32_t conn)
{
	return &w->conns[conn - 1];
}

static uint32_t open_side(struct world *w, int link, uint32_t conn, int side)
{
	struct session_at *at = world_grow(&w->sessions, &w->n_sessions, sizeof *at);
	uint32_t session = (uint32_t)w->n_sessions;

	*at = (struct session_at){conn, side, w->links[link].ends[side], link,
				  w->nodes[w->links[link].ends[side]].boots};
	conn_of(w, conn)->session[side] = session;
	w->nodes[at->node].n_open++;
	return session;
}

static uint32_t roles_of(const struct world *w, int node)
{
	const struct duty *d = &w->duties[node];

	return (d->owner ? ROLE_OWNER : 0u) | (d->border ? ROLE_BORDER : 0u);
}

static void session_up(struct world *w, int link, uint32_t conn, int side)
{
	const struct link *l = &w->links[link];
	const struct site *peer = &sites[l->ends[!side]];
	const struct mesh_event up = {
		.kind = MESH_UP,
		.session = open_side(w, link, conn, side),
		.peer = {org_names[peer->org], peer->name, roles_of(w, l->ends[!side]),
			 peer->org == sites[l->ends[side]].org, side == 0},
	};

	node_step(&w->nodes[l->ends[side]], &up);
}

static void dial_later(struct world *w, int link)
{
	world_push(w, (struct sim_event){.at_ns = w->now_ns + world_delay(w, DIAL_NS),
					 .kind = SIM_DIAL,
					 .node = (int16_t)link});
}

void net_start(struct world *w)
{
	for (int i = 0; i < w->n_links; i++)
		dial_later(w, i);
}

static void push_frame(struct world *w, struct sim_event e, int64_t delay_ns)
{
	struct conn *c = conn_of(w, e.conn);

	e.kind = SIM_FRAME;
	e.at_ns = w->now_ns + delay_ns;
	if (!e.late) { /* FIFO */
		e.at_ns = e.at_ns > c->last_ns[e.side] ? e.at_ns : c->last_ns[e.side] + 1;
		c->last_ns[e.side] = e.at_ns;
		c->waiting[e.side]++;
		c->rows[e.side] += e.frame->message.kind == MESSAGE_ROWS;
		if (c->rows[e.side] > ROWS_MAX)
			world_fail(w, "%u frames with rows are under way on one connection", c->rows[e.side]);
	}
	world_push(w, e);
}

static bool is_live(struct world *w, const struct link *l)
{
	return l->conn != 0 && !conn_of(w, l->conn)->broken;
}

/* A frame that its connection could not bring any more comes out of the next one, at whatever moment. HELLOs
 * do not: the transport makes a new socket for each dialled session. */
static void keep_late(struct world *w, int link, int side, struct frame *frame)
{
	struct link *l = &w->links[link];
	struct late *late = malloc(sizeof *late);

	if (!late)
		abort();
	frame->refs++;
	*late = (struct late){l->late[side], frame};
	l->late[side] = late;
}

static void push_late(struct world *w, int link)
{
	struct link *l = &w->links[link];

	for (int side = 0; side < 2; side++)
		while (l->late[side]) {
			struct late *late = l->late[side];
			struct sim_event e = {
				.node = (int16_t)link, .conn = l->conn, .side = (uint8_t)side, .late = true};
			l->late[side] = late->next;
			e.frame = late->frame;
			free(late);
			push_frame(w, e, world_delay(w, LATE_NS));
		}
}

void net_on_dial(struct world *w, const struct sim_event *e)
{
	struct link *l = &w->links[e->node];
	bool up = w->nodes[l->ends[0]].up && w->nodes[l->ends[1]].up;

	if (is_live(w, l) && conn_of(w, l->conn)->session[0] != 0)
		return;
	if (!up || l->cut[0] || l->cut[1]) {
		dial_later(w, e->node);
		return;
	}
	if (is_live(w, l))
		conn_of(w, l->conn)->broken = true;
	world_grow(&w->conns, &w->n_conns, sizeof *w->conns);
	l->conn = (uint32_t)w->n_conns;
	session_up(w, e->node, l->conn, 0);
	push_late(w, e->node);
}

/* How long the line needs for it, and for what it was given before. */
static int64_t passage_ns(struct world *w, struct link *l, int side, size_t size)
{
	if (l->byte_ns == 0 || w->healed)
		return 0;
	if (l->free_ns[side] < w->now_ns)
		l->free_ns[side] = w->now_ns;
	l->free_ns[side] += (int64_t)size * l->byte_ns;
	return l->free_ns[side] - w->now_ns;
}

void net_send(struct sim_node *n, uint32_t session, struct message *m)
{
	struct world *w = n->world;
	const struct session_at *at = &w->sessions[session - 1];
	struct sim_event e = {.node = (int16_t)at->link, .conn = at->conn, .side = (uint8_t)!at->side};
	struct link *l = &w->links[at->link];

	check_sent(n, at, m);
	w->n_frames++;
	if (l->cut[e.side] || (!w->healed && world_chance(w, w->rates.drop)) ||
	    (!w->healed && conn_of(w, at->conn)->waiting[e.side] >= w->rates.mark))
		return;
	e.frame = frame_new(w, m);
	if (m->kind == MESSAGE_HELLO && (n->old || w->nodes[l->ends[e.side]].old))
		e.frame->message.hello.features &= ~(uint64_t)(FEATURE_QUIET | FEATURE_REPAIR);
	push_frame(w, e, passage_ns(w, l, e.side, e.frame->size) + world_delay(w, w->rates.latency_ns));
}

static uint32_t next_index(struct conn *c, int side, uint64_t pull)
{
	c->index[side] = pull == c->pull[side] ? c->index[side] + 1 : 0;
	c->pull[side] = pull;
	return c->index[side];
}

/* Without the fence a frame of an old session, a repeated one or one behind a gap looks like the next one. */
static void remove_fence(struct world *w, struct conn *c, const struct sim_event *e, struct message *m)
{
	if (m->kind == MESSAGE_HELLO)
		c->shift[e->side] = 0;
	if (w->opt.broken == BREAK_NO_NONCE && e->late) {
		m->nonce = c->nonce[e->side];
		m->frame = c->last_frame[e->side] + 1;
		c->shift[e->side]++;
	} else if (w->opt.broken == BREAK_NO_NONCE) {
		m->frame += c->shift[e->side];
	} else if (w->opt.broken == BREAK_NO_GAP && m->kind != MESSAGE_HELLO &&
		   m->nonce == c->nonce[e->side] && !e->late) {
		m->frame = c->last_frame[e->side] + 1;
		if (m->kind == MESSAGE_ROWS)
			m->rows.index = next_index(c, e->side, m->rows.pull);
	}
}

/* Without care in what is said of heads: an age is too young, or what was lost is not told again. */
static void remove_care(const struct world *w, struct message *m)
{
	if (w->opt.broken == BREAK_YOUNG_PINGS && m->kind == MESSAGE_PING)
		m->ping.age_ns = 0;
	if (w->opt.broken == BREAK_NO_TELL && m->kind == MESSAGE_TELL)
		*m = (struct message){
			.kind = MESSAGE_PING, .nonce = m->nonce, .frame = m->frame, .ping.age_ns = INT64_MAX};
}

static void note_frame(struct conn *c, const struct sim_event *e, const struct message *m)
{
	if (m->kind == MESSAGE_HELLO && !e->late) {
		c->nonce[e->side] = m->nonce;
		c->shown[e->side] = trust_generation(m->hello.credential);
	}
	if (m->nonce == c->nonce[e->side] && m->frame > c->last_frame[e->side])
		c->last_frame[e->side] = m->frame;
	if (m->kind == MESSAGE_HELLO && !e->late)
		c->last_frame[e->side] = m->frame;
}

static void forget_partner(struct sim_node *n, int org)
{
	const struct mesh_event ended = {.kind = MESH_ENDED, .peer.org = org_names[org]};

	node_step(n, &ended);
}

/* Nothing a late frame says may have any effect, so all timers are served first: what is done then was due.
 */
static void deliver(struct world *w, struct sim_node *n, struct conn *c, const struct sim_event *e)
{
	struct message m = e->frame->message;
	const struct mesh_event tick = {.kind = MESH_TICK};
	struct mesh_event frame = {.kind = MESH_FRAME, .message = &m};
	const uint32_t conn = e->conn;

	if (e->late && m.kind == MESSAGE_HELLO)
		return;
	if (e->late)
		node_step(n, &tick);
	else if (w->now_ns - e->frame->sent_ns > w->flight_ns)
		w->flight_ns = w->now_ns - e->frame->sent_ns;
	c = conn_of(w, conn);
	frame.session = c->session[e->side];
	if (frame.session == 0)
		return;
	remove_fence(w, c, e, &m);
	note_frame(c, e, &m);
	remove_care(w, &m);
	if (!e->late)
		check_received(n, &m);
	const int peer = w->links[e->node].ends[!e->side];
	uint32_t protocol;
	if (!e->late && m.nonce == c->nonce[e->side] && mesh_session_open(n->mesh, frame.session, &protocol))
		check_epoch_begin(n, peer, &m);
	if (w->opt.broken == BREAK_NO_EPOCH && sites[peer].org != sites[n->id].org)
		forget_partner(n, sites[peer].org);
	w->stale = e->late;
	w->heard = &m;
	world_tell(w, "%s hears %s of %s, frame %lu%s", sites[n->id].origin, message_kind_text(m.kind),
		   sites[peer].origin, (unsigned long)m.frame, e->late ? ", late" : "");
	node_step(n, &frame);
	w->stale = false;
	w->heard = NULL;
	check_epoch_end(w);
}

static void repeat(struct world *w, const struct sim_event *e)
{
	struct sim_event again = {
		.node = e->node, .conn = e->conn, .side = e->side, .late = true, .frame = e->frame};

	again.frame->refs++;
	push_frame(w, again, world_delay(w, LATE_NS));
}

int net_whose(const struct world *w, const struct sim_event *e)
{
	const struct link *l = &w->links[e->node];

	return e->kind == SIM_DIAL ? l->ends[0] : l->ends[e->side];
}

void net_on_frame(struct world *w, const struct sim_event *e)
{
	struct link *l = &w->links[e->node];
	struct conn *c = conn_of(w, e->conn);
	struct sim_node *n = &w->nodes[l->ends[e->side]];

	c->waiting[e->side] -= !e->late;
	c->rows[e->side] -= !e->late && e->frame->message.kind == MESSAGE_ROWS;
	if (c->broken) {
		if (!e->late && !w->healed && world_chance(w, w->rates.late))
			keep_late(w, e->node, e->side, e->frame);
		return;
	}
	if (!n->up)
		return;
	if (!e->late && !w->healed && world_chance(w, w->rates.duplicate))
		repeat(w, e);
	if (c->session[e->side] == 0) {
		if (e->side == 0 || e->late)
			return;
		session_up(w, e->node, e->conn, 1);
		c = conn_of(w, e->conn);
	}
	deliver(w, n, c, e);
}

static void lose_side(struct world *w, int link, uint32_t conn, int side)
{
	struct conn *c = conn_of(w, conn);
	struct mesh_event down = {.kind = MESH_DOWN, .session = c->session[side]};

	if (c->session[side] == 0)
		return;
	struct sim_node *n = &w->nodes[w->links[link].ends[side]];
	c->session[side] = 0;
	n->n_open -= n->up && w->sessions[down.session - 1].boot == n->boots;
	if (side == 0) {
		c->broken = true;
		dial_later(w, link);
	}
	if (n->up)
		node_step(n, &down);
}

void net_on_down(struct world *w, const struct sim_event *e)
{
	if (conn_of(w, e->conn)->session[e->side] == e->number)
		lose_side(w, e->node, e->conn, e->side);
}

static void notice(struct world *w, int link, uint32_t conn, int side)
{
	struct sim_event down = {
		.kind = SIM_DOWN, .node = (int16_t)link, .conn = conn, .side = (uint8_t)side};

	down.at_ns = w->now_ns + world_delay(w, NS_PER_S / 10);
	down.number = conn_of(w, conn)->session[side];
	if (down.number != 0)
		world_push(w, down);
}

/* The other side may hear of it, or find out by silence. */
static void notice_later(struct world *w, int link, uint32_t conn, int side)
{
	if (world_chance(w, w->rates.notice))
		notice(w, link, conn, side);
}

void net_close(struct sim_node *n, uint32_t session)
{
	struct world *w = n->world;
	const struct session_at at = w->sessions[session - 1];
	struct conn *c = conn_of(w, at.conn);

	if (c->session[at.side] != session)
		return;
	c->session[at.side] = 0;
	n->n_open--;
	if (at.side == 0) {
		c->broken = true;
		notice_later(w, at.link, at.conn, 1);
		dial_later(w, at.link);
	}
}

void net_break(struct world *w, int link)
{
	const uint32_t conn = w->links[link].conn;

	if (!is_live(w, &w->links[link]))
		return;
	conn_of(w, conn)->broken = true;
	notice_later(w, link, conn, 0);
	notice_later(w, link, conn, 1);
}

void net_half_open(struct world *w, int link)
{
	const uint32_t conn = w->links[link].conn;

	if (!is_live(w, &w->links[link]))
		return;
	conn_of(w, conn)->broken = true;
	notice(w, link, conn, (int)world_below(w, 2));
}

/* A listener that starts anew may get a dialler that has not noticed. */
void net_node_gone(struct world *w, int node)
{
	for (int i = 0; i < w->n_links; i++) {
		struct link *l = &w->links[i];
		int side = l->ends[1] == node;
		if (l->ends[side] != node || l->conn == 0)
			continue;
		struct conn *c = conn_of(w, l->conn);
		c->session[side] = 0;
		if (!c->broken && (side == 0 || world_chance(w, 500))) {
			c->broken = true;
			notice_later(w, i, l->conn, !side);
		}
		if (side == 0)
			dial_later(w, i);
	}
}

bool net_is_up(const struct world *w, int link)
{
	const struct link *l = &w->links[link];
	const struct conn *c = l->conn > 0 ? &w->conns[l->conn - 1] : NULL;

	return c && !c->broken && c->session[0] != 0 && c->session[1] != 0 && c->nonce[0] != 0 &&
	       c->nonce[1] != 0;
}

uint32_t net_any_session(struct world *w, int *node)
{
	const struct link *l = &w->links[world_below(w, (uint64_t)w->n_links)];
	int side = (int)world_below(w, 2);

	*node = l->ends[side];
	return is_live(w, l) && w->nodes[*node].up ? conn_of(w, l->conn)->session[side] : 0;
}
