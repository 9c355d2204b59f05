/* SPDX-License-Identifier: Apache-2.0 */
#include "federation/mesh_state.h"

#include "proto/id.h"

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

int stream_copy(struct arena *a, struct bytes in, struct bytes *ret)
{
	uint8_t *copy = (uint8_t *)arena_text(a, in);

	*ret = (struct bytes){copy, in.len};
	return copy ? 0 : FAIL(-ENOMEM);
}

static size_t rows_bytes(const struct op_rows *rows)
{
	size_t sum = rows->cursor.len + rows->head.len;

	for (size_t i = 0; i < rows->n; i++)
		sum += rows->rows[i].len;
	return sum;
}

int stream_emit_store(struct mesh *m, struct stream *st, const struct op_rows *rows)
{
	struct pending *p = mesh_grow(&m->pending, &m->n_pending, sizeof *p);
	struct mesh_action *a = p ? mesh_emit(m, MESH_STORE, 0) : NULL;

	if (!a) {
		m->n_pending -= p != NULL;
		return FAIL(-ENOMEM);
	}
	*p = (struct pending){++m->last_token, st, st->session, rows_bytes(rows)};
	st->n_stores++;
	a->token = p->token;
	a->op = (struct op){.kind = OP_ROWS, .rows = *rows};
	return 0;
}

/* A head without a number: of an origin that has nothing (any more), or of a partner. No floor is below it.
 */
int stream_store_head(struct mesh *m, struct stream *st, const struct held *held,
		      const struct signed_blob *head)
{
	struct arena *a = m->todo->arena;
	struct op_rows rows = {.origin = arena_copy(a, st->origin),
			       .has_floor = id_is_of_org(st->origin, m->org)};

	if (!rows.origin)
		return FAIL(-ENOMEM);
	TRY(stream_copy(a, held->cursor, &rows.cursor));
	TRY(encode_blob(a, head, &rows.head));
	return stream_emit_store(m, st, &rows);
}

int64_t stream_age(int64_t age_ns)
{
	const int64_t most_ns = INT64_MAX / 4;

	return age_ns < 0 ? 0 : age_ns < most_ns ? age_ns : most_ns;
}

/* Who has it from others may have it from this node. Were nothing added on the way, the time that frames fly
 * would make what nobody vouches for any more younger with each round that it goes. */
int64_t stream_told_age(const struct session *s, const char *origin, int64_t age_ns)
{
	const bool first_hand = !s->own || offer_is_direct(s, origin);

	return stream_age(age_ns) + (first_hand ? 0 : HOP_NS);
}

int stream_heard(struct mesh *m, const char *origin, int64_t age_ns)
{
	const char *copy = arena_copy(m->todo->arena, origin);
	struct mesh_action *a = mesh_emit(m, MESH_HEARD, 0);

	if (!copy || !a)
		return FAIL(-ENOMEM);
	a->origin = copy;
	a->age_ns = stream_age(age_ns);
	m->heard = true;
	return 0;
}

/* Whoever begins with nothing does not know what was deleted before it came that far; and on the way, where
 * only rows that live are told, before it began. */
static void set_floor(const struct stream *st, struct op_rows *op)
{
	struct cursor c;

	op->has_floor = st->scanning && cursor_decode(op->cursor, &c) == 0;
	op->floor = !op->has_floor ? 0 : cursor_is_scan(&c) ? c.begun : c.seq;
}

int stream_store_rows(struct mesh *m, struct stream *st, const struct rows *rows)
{
	struct op_rows op = {
		.origin = rows->origin,
		.rows = rows->rows,
		.n = rows->n,
		.cursor = rows->cursor,
		.afresh = st->afresh,
	};

	if (rows->at_head)
		TRY(encode_blob(m->todo->arena, &rows->head.head, &op.head));
	set_floor(st, &op);
	if (st->afresh) {
		st->mended = true;
		st->mended_by = st->session;
	}
	st->wanted = st->wanted && !st->from_start;
	st->afresh = false;
	return stream_emit_store(m, st, &op);
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

/* Everything up to the head is durable: it must be what the head says. */
static int check_agreement(struct mesh *m, struct stream *st)
{
	struct held held;

	TRY(held_read(m, st->origin, &held));
	if (!fingerprint_equal(&held.fingerprint, &st->reached)) {
		COUNT(m, session_find(m, st->session), mismatches);
		return stream_want_repair(m, st);
	}
	stream_agrees(st);
	return stream_heard(m, st->origin, m->now_ns - st->reached_ns);
}

void stream_agrees(struct stream *st)
{
	st->wanted = st->treeless = st->mended = false;
	st->repairs = 0;
}

/* The cursor held stands where it stood; a repair is begun anew. */
static void after_failure(struct mesh *m, struct stream *st)
{
	repair_drop(st);
	st->mended = false;
	st->failed = st->n_stores > 0;
	st->blocked_ns = m->now_ns + FAILURE_PAUSE_NS;
	stream_abandon(m, st);
}

int stream_on_stored(struct mesh *m, const struct mesh_event *e)
{
	struct stream *st = take_pending(m, e->token);

	if (!st)
		return 0;
	st->n_stores--;
	m->room = true;
	st->failed = st->failed || e->result != 0;
	m->dirty = m->dirty || e->result == 0; /* what is held now can be handed on */
	if (st->failed) {
		after_failure(m, st);
		return 0;
	}
	if (st->n_stores > 0 || st->phase == STREAM_PULLING)
		return 0;
	bool at_head = st->phase == STREAM_STORING && st->at_head;
	stream_abandon(m, st);
	return at_head ? check_agreement(m, st) : 0;
}
