/* SPDX-License-Identifier: Apache-2.0 */
/* The reader's side of streams. For every origin somebody offers there is a struct stream:
 *
 *     IDLE --an offer is ahead of what is held--> PULLING --last ROWS--> STORING --all durable--> IDLE
 *      ^------- RESET, gap, timeout, session gone ---'                      |
 *      ^------ at the head: agrees, or is listed in full next --------------'
 *
 * From IDLE nothing is pulled while rows of an earlier pull are not yet durable: the cursor held is the one
 * thing a pull begins with, so it has to be the last one.
 */
#include "federation/mesh_state.h"

#include "proto/id.h"
#include "proto/row.h"

void stream_free(struct stream *st)
{
	for (size_t i = 0; i < st->n_offers; i++)
		place_fini(&st->offers[i].place);
	free(st->offers);
	buf_fini(&st->listed_to);
	free(st->origin);
	free(st);
}

/* Where an origin stands in the sorted array, or would. */
static size_t stream_place(const struct mesh *m, const char *origin)
{
	size_t low = 0, high = m->n_streams;

	while (low < high) {
		size_t mid = low + (high - low) / 2;
		if (strcmp(m->streams[mid]->origin, origin) < 0)
			low = mid + 1;
		else
			high = mid;
	}
	return low;
}

static struct stream *stream_find(const struct mesh *m, const char *origin)
{
	size_t i = stream_place(m, origin);

	return i < m->n_streams && strcmp(m->streams[i]->origin, origin) == 0 ? m->streams[i] : NULL;
}

static struct stream *stream_make(const char *origin)
{
	struct stream *st = calloc(1, sizeof *st);

	if (!st)
		return NULL;
	st->look_ns = INT64_MAX;
	st->origin = strdup(origin);
	if (!st->origin) {
		free(st);
		return NULL;
	}
	return st;
}

static int stream_add(struct mesh *m, const char *origin, struct stream **ret)
{
	size_t at = stream_place(m, origin);
	struct stream *st = stream_make(origin);

	if (!st || !mesh_grow(&m->streams, &m->n_streams, sizeof *m->streams)) {
		if (st)
			stream_free(st);
		return FAIL(-ENOMEM);
	}
	memmove(m->streams + at + 1, m->streams + at, (m->n_streams - 1 - at) * sizeof *m->streams);
	m->streams[at] = st;
	*ret = st;
	return 0;
}

static struct offer *offer_find(const struct stream *st, uint32_t session)
{
	for (size_t i = 0; i < st->n_offers; i++)
		if (st->offers[i].session == session)
			return &st->offers[i];
	return NULL;
}

static void offer_drop(struct stream *st, uint32_t session)
{
	struct offer *o = offer_find(st, session);

	if (!o)
		return;
	place_fini(&o->place);
	*o = st->offers[--st->n_offers];
}

static void offer_pause(const struct stream *st, uint32_t session, int64_t until_ns)
{
	struct offer *o = offer_find(st, session);

	if (o)
		o->not_before_ns = until_ns;
}

static size_t n_offers(const struct mesh *m, const struct session *s)
{
	size_t n = 0;

	for (size_t i = 0; i < m->n_streams; i++)
		n += offer_find(m->streams[i], s->id) != NULL;
	return n;
}

static bool is_direct(const struct session *s, const char *origin)
{
	return id_is_of_org(origin, s->org) && strcmp(id_local(origin), s->node) == 0;
}

/* A server that was behind and shows another head may be asked again. */
static int offer_set(struct stream *st, const struct session *s, const struct head *head,
		     struct bytes payload)
{
	struct offer *o = offer_find(st, s->id);

	if (!o) {
		o = mesh_grow(&st->offers, &st->n_offers, sizeof *o);
		if (!o)
			return FAIL(-ENOMEM);
		o->session = s->id;
		o->direct = is_direct(s, st->origin);
	}
	uint64_t before = o->place.digest;
	TRY(place_set(&o->place, head, payload));
	if (o->place.digest != before)
		o->not_before_ns = 0;
	return 0;
}

enum verdict {
	OFFER_NOTHING, /* held already, or older */
	OFFER_HEAD,    /* a newer head over the same rows */
	OFFER_ROWS,
};

/* Inside the organisation a newer head over the same rows still means rows: tombstones, which are in no
 * fingerprint but must be handed on. */
static enum verdict weigh(const struct held *held, const struct place *offered)
{
	if (!held->known)
		return OFFER_ROWS;
	int order = place_compare(offered, &held->place);
	if (order < 0)
		return OFFER_NOTHING;
	if (!held->whole || !fingerprint_equal(&offered->fingerprint, &held->fingerprint))
		return OFFER_ROWS;
	if (order == 0)
		return OFFER_NOTHING;
	return offered->seq > 0 ? OFFER_ROWS : OFFER_HEAD;
}

static int encode_blob(struct arena *a, const struct signed_blob *blob, struct bytes *ret)
{
	SCOPED(buf_fini) struct buf b = {0};

	signed_blob_encode(blob, &b);
	TRY(buf_check(&b));
	uint8_t *copy = arena_take(a, b.len);
	if (!copy)
		return FAIL(-ENOMEM);
	memcpy(copy, b.data, b.len);
	*ret = (struct bytes){copy, b.len};
	return 0;
}

static int copy_bytes(struct arena *a, struct bytes in, struct bytes *ret)
{
	uint8_t *copy = (uint8_t *)arena_text(a, in);

	*ret = (struct bytes){copy, in.len};
	return copy ? 0 : FAIL(-ENOMEM);
}

static int emit_store(struct mesh *m, struct stream *st, const struct op_rows *rows)
{
	struct pending *p = mesh_grow(&m->pending, &m->n_pending, sizeof *p);
	struct mesh_action *a = p ? mesh_emit(m, MESH_STORE, 0) : NULL;

	if (!a) {
		m->n_pending -= p != NULL;
		return FAIL(-ENOMEM);
	}
	*p = (struct pending){++m->last_token, st};
	st->n_stores++;
	a->token = p->token;
	a->op = (struct op){.kind = OP_ROWS, .rows = *rows};
	return 0;
}

static int store_head(struct mesh *m, struct stream *st, const struct held *held,
		      const struct signed_blob *head)
{
	struct arena *a = m->todo->arena;
	struct op_rows rows = {.origin = arena_copy(a, st->origin)};

	if (!rows.origin)
		return FAIL(-ENOMEM);
	TRY(copy_bytes(a, held->cursor, &rows.cursor));
	TRY(encode_blob(a, head, &rows.head));
	return emit_store(m, st, &rows);
}

/* What a peer says of an age, kept away from overflow. */
static int64_t sane_age(int64_t age_ns)
{
	const int64_t most_ns = INT64_MAX / 4;

	return age_ns < 0 ? 0 : age_ns < most_ns ? age_ns : most_ns;
}

static int emit_heard(struct mesh *m, const char *origin, int64_t age_ns)
{
	const char *copy = arena_copy(m->todo->arena, origin);
	struct mesh_action *a = mesh_emit(m, MESH_HEARD, 0);

	if (!copy || !a)
		return FAIL(-ENOMEM);
	a->origin = copy;
	a->age_ns = sane_age(age_ns);
	m->heard = true;
	return 0;
}

static bool is_busy(const struct stream *st)
{
	return st->phase != STREAM_IDLE || st->n_stores > 0;
}

static int consider(struct mesh *m, struct stream *st, const struct place *offered,
		    const struct head_notice *notice)
{
	struct held held;

	TRY(held_read(m, st->origin, &held));
	enum verdict verdict = weigh(&held, offered);
	if (held.whole && fingerprint_equal(&held.fingerprint, &offered->fingerprint))
		TRY(emit_heard(m, st->origin, notice->age_ns));
	if (verdict == OFFER_HEAD && !is_busy(st))
		return store_head(m, st, &held, &notice->head);
	if (verdict == OFFER_ROWS)
		st->look_ns = m->now_ns;
	return 0;
}

/* The origin of a head must belong to the organisation that may speak of it. */
static bool is_of_peer(const struct mesh *m, const struct session *s, const char *origin)
{
	return id_is_of_org(origin, s->own ? m->org : s->org);
}

static int take_offer(struct mesh *m, struct session *s, const struct head *head,
		      const struct head_notice *notice)
{
	struct stream *st = stream_find(m, head->origin);

	if ((!st || !offer_find(st, s->id)) && n_offers(m, s) == ORIGINS_MAX)
		return session_refuse(m, s, "peer offers more origins than anybody may have");
	if (!st)
		TRY(stream_add(m, head->origin, &st));
	TRY(offer_set(st, s, head, notice->head.payload));
	return consider(m, st, &offer_find(st, s->id)->place, notice);
}

/* A head that cannot be verified is no fault of the peer: this node may not know the signer yet. */
static int on_head(struct mesh *m, struct session *s, const struct head_notice *notice)
{
	const struct mesh_port *port = &m->opt.port;
	struct head head;

	arena_reset(m->scratch);
	if (port->verify_head(port->ctx, s->org, s->node, notice, m->scratch, &head) < 0) {
		m->stats.frames_refused++;
		return 0;
	}
	if (!is_of_peer(m, s, head.origin))
		return session_refuse(m, s, "peer offers twins of another organisation");
	if (strcmp(head.origin, m->self) == 0)
		return 0;
	if (!s->own && !partner_epoch(m, s->org, head.epoch)) {
		struct stream *st = stream_find(m, head.origin);
		if (st)
			offer_drop(st, s->id);
		return 0;
	}
	return take_offer(m, s, &head, notice);
}

int stream_on_heads(struct mesh *m, struct session *s, const struct message *message)
{
	for (size_t i = 0; i < message->heads.n && !s->closed; i++)
		TRY(on_head(m, s, &message->heads.heads[i]));
	return 0;
}

static void abandon(struct mesh *m, struct stream *st)
{
	st->phase = STREAM_IDLE;
	st->look_ns = m->now_ns;
}

static int pull(struct mesh *m, struct stream *st, struct session *s, const struct held *held)
{
	struct arena *a = m->todo->arena;
	struct message message = {.kind = MESSAGE_PULL};
	struct pull *p = &message.pull;

	if (st->listing == LISTING_NONE && held->known && !held->whole)
		st->listing = LISTING_BEGIN; /* one was under way when this node or its session ended */
	*p = (struct pull){
		.id = mesh_random(m),
		.origin = arena_copy(a, st->origin),
		.full = st->listing != LISTING_NONE,
		.credit = PULL_CREDIT,
	};
	if (!p->origin)
		return FAIL(-ENOMEM);
	if (st->listing != LISTING_BEGIN)
		TRY(copy_bytes(a, st->listing == LISTING_GOING ? buf_bytes(&st->listed_to) : held->cursor,
			       &p->cursor));
	TRY(session_send(m, s, &message));
	m->stats.pulls++;
	m->stats.pulls_full += st->listing == LISTING_BEGIN;
	st->phase = STREAM_PULLING;
	st->pull = p->id;
	st->session = s->id;
	st->index = 0;
	st->at_head = false;
	st->deadline_ns = m->now_ns + m->opt.pull_timeout_ns;
	return 0;
}

/* The origin itself rather than a node that holds its rows, then whoever is further. */
static bool is_better(const struct offer *a, const struct offer *b)
{
	if (a->direct != b->direct)
		return a->direct;
	return place_compare(&a->place, &b->place) > 0;
}

/* A listing begins at no cursor, so its server cannot tell whether it is behind what is held here. Only the
 * one that refused the cursor, or disagreed at its head, is known not to be: without it the cursor is tried
 * again. */
static bool is_bound(const struct mesh *m, struct stream *st, const struct held *held)
{
	const struct offer *o = offer_find(st, st->session);

	if (st->listing != LISTING_BEGIN || !held->whole)
		return false;
	if (!o || o->not_before_ns > m->now_ns || weigh(held, &o->place) != OFFER_ROWS)
		st->listing = LISTING_NONE;
	return st->listing == LISTING_BEGIN;
}

/* The best offer that may be asked now; NULL: none, and look_ns says when there will be one. */
static const struct offer *choose(const struct mesh *m, struct stream *st, const struct held *held)
{
	bool bound = is_bound(m, st, held);
	const struct offer *best = NULL;

	for (size_t i = 0; i < st->n_offers; i++) {
		const struct offer *o = &st->offers[i];
		if (weigh(held, &o->place) != OFFER_ROWS || (bound && o->session != st->session))
			continue;
		if (o->not_before_ns > m->now_ns)
			st->look_ns = o->not_before_ns < st->look_ns ? o->not_before_ns : st->look_ns;
		else if (!best || is_better(o, best))
			best = o;
	}
	return best;
}

static int look(struct mesh *m, struct stream *st)
{
	struct held held;

	st->look_ns = INT64_MAX;
	TRY(held_read(m, st->origin, &held));
	const struct offer *o = choose(m, st, &held);
	struct session *s = o ? session_find(m, o->session) : NULL;
	return s ? pull(m, st, s, &held) : 0;
}

/* The stream whose pull a message answers; NULL: a pull that was given up. */
static struct stream *pulling(const struct mesh *m, const struct session *s, const char *origin, uint64_t id)
{
	struct stream *st = stream_find(m, origin);

	return st && st->phase == STREAM_PULLING && st->session == s->id && st->pull == id ? st : NULL;
}

/* Nobody may speak of twins that are not of the origin's organisation. */
static const char *row_fault(struct mesh *m, const char *origin, struct bytes encoded)
{
	struct row row;

	arena_reset(m->scratch);
	if (row_decode(m->scratch, encoded, &row) < 0)
		return "peer sent a row that cannot be read";
	struct bytes org = id_org(row.id), owner = id_org(origin);
	return bytes_equal(org, owner) ? NULL : "peer sent a twin of an organisation that is not its own";
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

	if (rows->index != st->index || rows->full != (st->listing != LISTING_NONE) || rows->cursor.len == 0)
		return "peer sent rows that do not fit the question";
	for (size_t i = 0; i < rows->n && !fault; i++)
		fault = row_fault(m, rows->origin, rows->rows[i]);
	return fault;
}

/* While a listing is under way no cursor is stored: behind a cursor nobody would find what the listing has
 * not come to yet. So a listing that is interrupted by a crash begins again, and between two pulls the cursor
 * is kept here. */
static int keep_listed_to(struct stream *st, struct op_rows *op)
{
	buf_clear(&st->listed_to);
	buf_put(&st->listed_to, op->cursor);
	if (!op->full_end)
		op->cursor = (struct bytes){0};
	st->listing = LISTING_GOING;
	return buf_check(&st->listed_to);
}

static int store_rows(struct mesh *m, struct stream *st, const struct rows *rows)
{
	struct op_rows op = {
		.origin = rows->origin,
		.rows = rows->rows,
		.n = rows->n,
		.cursor = rows->cursor,
		.full_begin = st->listing == LISTING_BEGIN,
		.full_end = st->listing != LISTING_NONE && rows->at_head,
	};

	if (rows->at_head)
		TRY(encode_blob(m->todo->arena, &rows->head.head, &op.head));
	if (st->listing != LISTING_NONE)
		TRY(keep_listed_to(st, &op));
	return emit_store(m, st, &op);
}

/* Rows of a policy that the organisation has replaced meanwhile: this server has not heard of it yet. */
static bool is_outdated(struct mesh *m, const struct session *s, const struct rows *rows)
{
	return !s->own && !partner_epoch(m, s->org, rows->epoch);
}

static int take_rows(struct mesh *m, struct session *s, struct stream *st, const struct rows *rows)
{
	TRY(store_rows(m, st, rows));
	s->timeouts = 0;
	st->index++;
	st->deadline_ns = m->now_ns + m->opt.pull_timeout_ns;
	st->at_head = rows->at_head;
	if (rows->at_head || st->index == PULL_CREDIT)
		st->phase = STREAM_STORING;
	return 0;
}

int stream_on_rows(struct mesh *m, struct session *s, const struct message *message)
{
	const struct rows *rows = &message->rows;
	struct stream *st = pulling(m, s, rows->origin, rows->pull);
	struct head head;

	if (!st)
		return 0;
	const char *fault = rows_fault(m, st, rows);
	if (!fault && rows->at_head)
		fault = head_fault(m, s, rows, &head);
	if (fault)
		return session_refuse(m, s, fault);
	if (is_outdated(m, s, rows)) {
		offer_drop(st, s->id);
		abandon(m, st);
		return 0;
	}
	if (rows->at_head) {
		st->reached = head.fingerprint;
		st->reached_ns = m->now_ns - sane_age(rows->head.age_ns);
		TRY(offer_set(st, s, &head, rows->head.head.payload));
	}
	return take_rows(m, s, st, rows);
}

int stream_on_reset(struct mesh *m, struct session *s, const struct message *message)
{
	const struct reset *reset = &message->reset;
	struct stream *st = pulling(m, s, reset->origin, reset->pull);

	if (!st)
		return 0;
	m->stats.resets++;
	/* from the beginning no cursor can be wrong: such an answer only says that this server does not serve
	 */
	bool from_start = st->listing == LISTING_BEGIN;
	if (reset->reason == RESET_UNKNOWN)
		offer_drop(st, s->id);
	else if (reset->reason == RESET_BEHIND || from_start)
		offer_pause(st, s->id, m->now_ns + OFFER_PAUSE_NS);
	else
		st->listing = LISTING_BEGIN;
	abandon(m, st);
	return 0;
}

static struct stream *take_pending(struct mesh *m, uint64_t token)
{
	for (size_t i = 0; i < m->n_pending; i++)
		if (m->pending[i].token == token) {
			struct stream *st = m->pending[i].stream;
			m->pending[i] = m->pending[--m->n_pending];
			return st;
		}
	return NULL;
}

static int disagree(struct mesh *m, struct stream *st)
{
	m->stats.mismatches++;
	bool in_full = st->listing != LISTING_NONE;
	st->listing = LISTING_BEGIN;
	if (!in_full || ++st->full_pulls < FULL_PULLS_MAX)
		return 0;
	st->full_pulls = 0;
	st->blocked_ns = m->now_ns + MISMATCH_PAUSE_NS;
	const char *text = arena_print(
		m->todo->arena, "%s: %d full listings in a row do not agree with its head, waiting a minute",
		st->origin, FULL_PULLS_MAX);
	return text ? mesh_alarm(m, st->session, text) : FAIL(-ENOMEM);
}

/* Everything up to the head is durable: it must be what the head says. */
static int check_agreement(struct mesh *m, struct stream *st)
{
	struct held held;

	TRY(held_read(m, st->origin, &held));
	if (!fingerprint_equal(&held.fingerprint, &st->reached))
		return disagree(m, st);
	st->listing = LISTING_NONE;
	st->full_pulls = 0;
	return emit_heard(m, st->origin, m->now_ns - st->reached_ns);
}

/* The cursor held stands where it stood; of a listing nobody knows how much was marked. */
static void after_failure(struct mesh *m, struct stream *st)
{
	if (st->listing != LISTING_NONE)
		st->listing = LISTING_BEGIN;
	st->failed = st->n_stores > 0;
	st->blocked_ns = m->now_ns + FAILURE_PAUSE_NS;
	abandon(m, st);
}

int stream_on_stored(struct mesh *m, const struct mesh_event *e)
{
	struct stream *st = take_pending(m, e->token);

	if (!st)
		return 0;
	st->n_stores--;
	st->failed = st->failed || e->result != 0;
	m->dirty = m->dirty || e->result == 0; /* what is held now can be handed on */
	if (st->failed) {
		after_failure(m, st);
		return 0;
	}
	if (st->n_stores > 0 || st->phase == STREAM_PULLING)
		return 0;
	bool at_head = st->phase == STREAM_STORING && st->at_head;
	abandon(m, st);
	return at_head ? check_agreement(m, st) : 0;
}

void streams_abandon(struct mesh *m, const struct session *s)
{
	for (size_t i = 0; i < m->n_streams; i++)
		if (m->streams[i]->phase == STREAM_PULLING && m->streams[i]->session == s->id)
			abandon(m, m->streams[i]);
}

void streams_forget(struct mesh *m, const struct session *s)
{
	streams_abandon(m, s);
	for (size_t i = 0; i < m->n_streams; i++)
		offer_drop(m->streams[i], s->id);
}

/* The answer does not come. Once may be bad luck; a session on which it happens again is not alive. */
static int on_timeout(struct mesh *m, struct stream *st)
{
	struct session *s = session_find(m, st->session);

	offer_pause(st, st->session, m->now_ns + FAILURE_PAUSE_NS);
	abandon(m, st);
	return s && ++s->timeouts >= PULL_TIMEOUTS_MAX ? session_close(m, s, "peer does not answer") : 0;
}

static int64_t stream_due(const struct stream *st)
{
	if (st->phase == STREAM_PULLING)
		return st->deadline_ns;
	if (is_busy(st) || st->look_ns == INT64_MAX)
		return INT64_MAX;
	return st->look_ns > st->blocked_ns ? st->look_ns : st->blocked_ns;
}

int streams_run(struct mesh *m)
{
	for (size_t i = 0; i < m->n_streams; i++)
		if (m->streams[i]->phase == STREAM_PULLING && stream_due(m->streams[i]) <= m->now_ns)
			TRY(on_timeout(m, m->streams[i]));
	for (size_t i = 0; i < m->n_streams; i++)
		if (m->streams[i]->phase == STREAM_IDLE && stream_due(m->streams[i]) <= m->now_ns)
			TRY(look(m, m->streams[i]));
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

/* A stream nobody offers is forgotten, but not that it is to be left alone. */
void streams_reap(struct mesh *m)
{
	size_t kept = 0;

	for (size_t i = 0; i < m->n_streams; i++) {
		struct stream *st = m->streams[i];
		if (st->n_offers > 0 || is_busy(st) || st->blocked_ns > m->now_ns)
			m->streams[kept++] = st;
		else
			stream_free(st);
	}
	m->n_streams = kept;
}
