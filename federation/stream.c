/* SPDX-License-Identifier: Apache-2.0 */
/* The reader's side of streams. For every origin somebody offers there is a struct stream:
 *
 *     IDLE --an offer is ahead of what is held--> PULLING --last ROWS--> STORING --all durable--> IDLE
 *      |^------- RESET, gap, timeout, session gone ---'                      |
 *      |^------ at the head: agrees, or is repaired next --------------------'
 *      '--what is held is not whole, or was found wrong--> REPAIRING <--> STORING (stream_repair.c)
 *
 * A pull that did not come to the head is followed by another one at once (stream_flow.c). Else nothing is
 * asked from IDLE while rows asked for earlier are not yet durable: the cursor held is the one thing a pull
 * begins with, so it has to be the last one.
 */
#include "federation/mesh_state.h"

#include "proto/id.h"
#include "proto/row.h"

bool stream_is_busy(const struct stream *st)
{
	return st->phase != STREAM_IDLE || st->n_stores > 0 || st->repair;
}

void stream_abandon(struct mesh *m, struct stream *st)
{
	st->phase = STREAM_IDLE;
	st->flowing = false;
	st->look_ns = m->now_ns;
	m->room = true;
}

static bool cursor_scans(struct bytes cursor)
{
	struct cursor c;

	return cursor_decode(cursor, &c) == 0 && cursor_is_scan(&c);
}

static int pull(struct mesh *m, struct stream *st, struct session *s, const struct held *held,
		uint32_t credit)
{
	struct arena *a = m->todo->arena;
	struct message message = {.kind = MESSAGE_PULL};
	struct pull *p = &message.pull;

	const struct bytes cursor = st->flowing ? buf_bytes(&st->tail) : held->cursor;
	*p = (struct pull){.id = mesh_random(m), .origin = arena_copy(a, st->origin), .credit = credit};
	if (!p->origin)
		return FAIL(-ENOMEM);
	if (!st->from_start)
		TRY(stream_copy(a, cursor, &p->cursor));
	TRY(session_send(m, s, &message));
	COUNT(m, s, pulls);
	st->scanning = st->from_start || cursor_scans(cursor);
	st->afresh = st->from_start && held->known;
	st->phase = STREAM_PULLING;
	st->pull = p->id;
	st->session = s->id;
	st->at_head = false;
	flow_begin(m, st, s, credit);
	st->deadline_ns = m->now_ns + m->opt.pull_timeout_ns;
	return 0;
}

/* What is held was found wrong, or a repair of it broke off: repair it, or begin with nothing where nothing
 * is held or nobody can. */
static int ask(struct mesh *m, struct stream *st, struct session *s, const struct held *held, uint32_t credit)
{
	const bool broken = !st->flowing && (st->wanted || (held->known && !held->whole));
	const bool can = (s->features & FEATURE_REPAIR) && m->opt.port.held_tree && !st->treeless;

	if (broken && held->fingerprint.count > 0 && can)
		return repair_begin(m, st, s);
	st->from_start = broken || (!st->flowing && !held->known);
	return pull(m, st, s, held, credit);
}

static void count_wish(const struct mesh *m, struct stream *st)
{
	if (m->now_ns - st->minute_ns >= MISMATCH_PAUSE_NS) {
		st->minute_ns = m->now_ns;
		st->wishes = 0;
	}
	st->wishes++;
}

/* A repair is judged by the head of who served it: after a change of borders another one is nobody's fault.
 * Servers that do not agree are stopped by their number. */
int stream_want_repair(struct mesh *m, struct stream *st)
{
	st->wanted = true;
	count_wish(m, st);
	st->repairs += st->mended && st->mended_by == st->session;
	st->mended = false;
	if (st->repairs < REPAIRS_MAX && st->wishes < REPAIRS_A_MINUTE)
		return 0;
	const char *why = st->repairs >= REPAIRS_MAX ? "repairs in a row do not lead to what its head says"
						     : "repairs in a minute, and those who serve it differ";
	const char *text = arena_print(m->todo->arena, "%s: %u %s, waiting a minute", st->origin,
				       st->repairs >= REPAIRS_MAX ? st->repairs : st->wishes, why);
	st->repairs = st->wishes = 0;
	st->blocked_ns = m->now_ns + MISMATCH_PAUSE_NS;
	return text ? mesh_alarm_of(m, st->session, st->origin, text) : FAIL(-ENOMEM);
}

static bool is_doubtful(const struct mesh *m, const struct offer *o)
{
	const struct session *s = session_find(m, o->session);

	return s && session_is_doubtful(m, s);
}

/* Who answers rather than who did not, the origin itself rather than a node that holds its rows, then whoever
 * is further. */
static bool is_better(const struct mesh *m, const struct offer *a, const struct offer *b)
{
	const bool doubt = is_doubtful(m, a);

	if (doubt != is_doubtful(m, b))
		return !doubt;
	if (a->direct != b->direct)
		return a->direct;
	return place_compare(&a->place, &b->place) > 0;
}

/* A repair begins at no cursor, so its server cannot tell whether it is behind what is held here. Only the
 * one that refused the cursor, or disagreed at its head, is known not to be: without it the cursor is tried
 * again. */
static bool is_bound(const struct mesh *m, struct stream *st, const struct held *held)
{
	const struct offer *o = offer_find(st, st->session);

	if (!st->wanted || !held->whole)
		return false;
	if (!o || o->not_before_ns > m->now_ns || offer_weigh(held, &o->place) == OFFER_NOTHING)
		st->wanted = false;
	return st->wanted;
}

/* The best offer that may be asked now; NULL: none, and look_ns says when there will be one. */
static const struct offer *choose(const struct mesh *m, struct stream *st, const struct held *held)
{
	bool bound = is_bound(m, st, held);
	const struct offer *best = NULL;

	for (size_t i = 0; i < st->n_offers; i++) {
		const struct offer *o = &st->offers[i];
		if (offer_weigh(held, &o->place) == OFFER_NOTHING || (bound && o->session != st->session) ||
		    !fork_counts(m, st->origin, &o->place))
			continue;
		if (o->not_before_ns > m->now_ns)
			st->look_ns = o->not_before_ns < st->look_ns ? o->not_before_ns : st->look_ns;
		else if (!best || is_better(m, o, best))
			best = o;
	}
	return best;
}

static int look(struct mesh *m, struct stream *st)
{
	struct held held;

	st->look_ns = INT64_MAX;
	if (st->repair)
		return repair_ask(m, st);
	TRY(held_read(m, st->origin, &held));
	const struct offer *o = choose(m, st, &held);
	struct session *s = o ? session_find(m, o->session) : NULL;
	const uint32_t credit = s ? flow_credit(m, s) : 0;
	if (s && credit == 0)
		flow_wait(m, st);
	return credit > 0 ? ask(m, st, s, &held, credit) : 0;
}

/* The stream whose pull a message answers; NULL: a pull that was given up. */
static struct stream *pulling(const struct mesh *m, const struct session *s, const char *origin, uint64_t id)
{
	struct stream *st = stream_find(m, origin);

	return st && st->phase == STREAM_PULLING && st->session == s->id && st->pull == id ? st : NULL;
}

static const char outside[] = "a row is about a twin that its origin may not own";

/* Nobody may speak of twins that are not of the origin's organisation. An origin that may own less than it
 * did takes back what it had, so tombstones are anybody's: they end only what is held of their own origin. */
const char *stream_row_fault(struct mesh *m, const char *origin, struct bytes encoded, struct row *ret)
{
	const struct mesh_port *port = &m->opt.port;

	arena_reset(m->scratch);
	if (row_decode(m->scratch, encoded, ret) < 0)
		return "peer sent a row that cannot be read";
	struct bytes org = id_org(ret->id), owner = id_org(origin);
	if (!bytes_equal(org, owner))
		return "peer sent a twin of an organisation that is not its own";
	return ret->deleted || !port->owns || port->owns(port->ctx, origin, ret->id) ? NULL : outside;
}

static const char *head_fault(struct mesh *m, const struct session *s, const struct rows *rows,
			      struct head *ret)
{
	const struct mesh_port *port = &m->opt.port;

	arena_reset(m->scratch);
	if (port->verify_head(port->ctx, s->org, s->node, &rows->head, m->scratch, ret) < 0)
		return "peer ended its rows with a head that is not signed by its origin";
	return strcmp(ret->origin, rows->origin) == 0 ? NULL
						      : "peer ended its rows with another origin's head";
}

static const char *rows_fault(struct mesh *m, const struct stream *st, const struct rows *rows)
{
	const char *fault = NULL;
	struct row row;

	if (rows->index != st->index || rows->full || rows->cursor.len == 0)
		return "peer sent rows that do not fit the question";
	for (size_t i = 0; i < rows->n && !fault; i++)
		fault = stream_row_fault(m, rows->origin, rows->rows[i], &row);
	return fault;
}

/* Rows of a policy that the organisation has replaced meanwhile: this server has not heard of it yet. */
static bool is_outdated(struct mesh *m, const struct session *s, const struct rows *rows)
{
	return !s->own && partner_is_past(m, s->org, rows->epoch);
}

static int take_rows(struct mesh *m, struct session *s, struct stream *st, const struct rows *rows)
{
	TRY(stream_store_rows(m, st, rows));
	s->timeouts = 0;
	st->deadline_ns = m->now_ns + m->opt.pull_timeout_ns;
	return flow_took(m, st, s, rows);
}

/* Whoever hands them on may not know better, so it is the origin that is left alone for a while. */
static int leave_outside(struct mesh *m, struct stream *st)
{
	const char *text = arena_print(m->todo->arena, "%s: %s, waiting a minute", st->origin, outside);

	COUNT(m, session_find(m, st->session), rows_outside);
	repair_drop(st);
	st->blocked_ns = m->now_ns + MISMATCH_PAUSE_NS;
	stream_abandon(m, st);
	return text ? mesh_alarm_of(m, st->session, st->origin, text) : FAIL(-ENOMEM);
}

int stream_fault(struct mesh *m, struct session *s, struct stream *st, const char *fault)
{
	return fault == outside ? leave_outside(m, st) : session_refuse(m, s, fault);
}

int stream_on_rows(struct mesh *m, struct session *s, const struct message *message)
{
	const struct rows *rows = &message->rows;
	struct stream *st = pulling(m, s, rows->origin, rows->pull);
	struct head head;

	if (rows->repair)
		return repair_on_rows(m, s, message);
	if (!st)
		return 0;
	if (is_outdated(m, s, rows)) {
		offer_drop(st, s->id);
		stream_abandon(m, st);
		return 0;
	}
	const char *fault = rows_fault(m, st, rows);
	if (!fault && rows->at_head)
		fault = head_fault(m, s, rows, &head);
	if (fault)
		return stream_fault(m, s, st, fault);
	if (rows->at_head) {
		st->reached = head.fingerprint;
		st->reached_ns = m->now_ns - stream_told_age(s, st->origin, rows->head.age_ns);
		TRY(offer_set(st, s, &head, rows->head.head.payload));
	}
	return take_rows(m, s, st, rows);
}

/* From the beginning no cursor can be wrong: such an answer only says that this server does not serve. */
int stream_on_reset(struct mesh *m, struct session *s, const struct message *message)
{
	const struct reset *reset = &message->reset;
	struct stream *st = pulling(m, s, reset->origin, reset->pull);

	if (!st)
		st = repair_find(m, s, reset->origin, reset->pull);
	if (!st || (st->repair && repair_waits(m, st, reset->reason)))
		return 0;
	COUNT(m, s, resets);
	const bool no_cursor = !st->repair && st->from_start && st->index == 0, repaired = st->repair;
	repair_drop(st);
	stream_abandon(m, st);
	if (reset->reason == RESET_UNKNOWN)
		offer_drop(st, s->id);
	else if (reset->reason == RESET_BEHIND || reset->reason == RESET_LATER || no_cursor)
		offer_pause(st, s->id, m->now_ns + OFFER_PAUSE_NS);
	else {
		st->repairs += repaired;
		return stream_want_repair(m, st);
	}
	return 0;
}

static bool is_asking(const struct stream *st)
{
	return st->phase == STREAM_PULLING || st->phase == STREAM_REPAIRING;
}

void streams_abandon(struct mesh *m, const struct session *s)
{
	for (size_t i = 0; i < m->n_streams; i++)
		if (is_asking(m->streams[i]) && m->streams[i]->session == s->id)
			stream_abandon(m, m->streams[i]);
}

void streams_forget(struct mesh *m, const struct session *s)
{
	streams_abandon(m, s);
	for (size_t i = 0; i < m->n_streams; i++) {
		struct stream *st = m->streams[i];
		offer_drop(st, s->id);
		if (!st->repair || st->session != s->id)
			continue;
		repair_drop(st);
		if (st->phase == STREAM_IDLE)
			st->look_ns = m->now_ns;
	}
}

/* The answer does not come. Once may be bad luck; a session on which it happens again is not alive. */
static int on_timeout(struct mesh *m, struct stream *st)
{
	struct session *s = session_find(m, st->session);

	offer_pause(st, st->session, m->now_ns + FAILURE_PAUSE_NS);
	stream_abandon(m, st);
	return s && ++s->timeouts >= PULL_TIMEOUTS_MAX ? session_close(m, s, "peer does not answer") : 0;
}

static int64_t stream_due(const struct stream *st)
{
	if (is_asking(st))
		return st->deadline_ns;
	if (st->phase != STREAM_IDLE || (st->n_stores > 0 && !st->flowing) || st->waits ||
	    st->look_ns == INT64_MAX)
		return INT64_MAX;
	return st->look_ns > st->blocked_ns ? st->look_ns : st->blocked_ns;
}

int streams_run(struct mesh *m)
{
	for (size_t i = 0; i < m->n_streams; i++)
		if (is_asking(m->streams[i]) && stream_due(m->streams[i]) <= m->now_ns)
			TRY(on_timeout(m, m->streams[i]));
	flow_wake(m);
	for (size_t i = 0, first = m->stream_turn; i < m->n_streams; i++) {
		const size_t at = (first + i) % m->n_streams;
		struct stream *st = m->streams[at];
		if (st->phase != STREAM_IDLE || stream_due(st) > m->now_ns)
			continue;
		TRY(look(m, st));
		m->stream_turn = st->phase == STREAM_PULLING ? at + 1 : m->stream_turn;
	}
	return 0;
}

int64_t streams_deadline(const struct mesh *m)
{
	int64_t ns = INT64_MAX;

	for (size_t i = 0; i < m->n_streams; i++) {
		int64_t due_ns = stream_due(m->streams[i]);
		ns = due_ns < ns ? due_ns : ns;
	}
	return ns;
}

/* A stream nobody offers is forgotten, but not that it is to be left alone, or who spoke for it: two that
 * live with one key may take each other's place. */
void streams_reap(struct mesh *m)
{
	size_t kept = 0;

	for (size_t i = 0; i < m->n_streams; i++) {
		struct stream *st = m->streams[i];
		if (st->n_offers > 0 || stream_is_busy(st) || st->blocked_ns > m->now_ns ||
		    fork_is_watched(m, st))
			m->streams[kept++] = st;
		else
			stream_free(st);
	}
	m->n_streams = kept;
}
