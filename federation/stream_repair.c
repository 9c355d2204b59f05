/* SPDX-License-Identifier: Apache-2.0 */
/* The reader's side of a repair (tree.h), which goes on between two looks at the stream:
 *
 *     depth 0 --sums--> 8 --sums--> 12 --sums--> 16 --rows, stored--> ... --> the cursor, stored
 *       ask of everything, then only below what differs        list what is held there, take what differs
 *
 * Level by level, as many prefixes in one question as may be. Nothing is asked while rows are not yet
 * durable. When it is over the stream is pulled behind the cursor that came with the answers, up to the head,
 * with which it must then agree. Of the server nothing is believed that cannot be bounded: it may only speak
 * of the leaves that were asked about, take away only what was listed, and each answer must bring the repair
 * on.
 */
#include "federation/mesh_state.h"

#include "proto/id.h"
#include "proto/row.h"

/* A row of the leaf being repaired that came or went since the tree was made. */
struct seen {
	uint64_t key;
	uint32_t hash;
	bool gone;
};

struct repair_run {
	uint64_t run; /* of the tree over what is held */
	uint64_t id;  /* of the question that is under way */
	uint32_t depth;
	uint16_t *prefixes, *next; /* at this depth, and what differs below them */
	size_t n, n_next;
	size_t at, n_asked; /* first prefix that is not done, and how many are asked about */
	struct buf cursor;  /* of the last answer */
	struct seen *seen;
	size_t n_seen;
	unsigned later; /* times in a row that the server was not ready */
};

/* ---- Begin and end ----------------------------------------------------------------------------------------
 */

void repair_drop(struct stream *st)
{
	struct repair_run *r = st->repair;

	if (!r)
		return;
	free(r->prefixes);
	free(r->next);
	free(r->seen);
	buf_fini(&r->cursor);
	free(r);
	st->repair = NULL;
}

int repair_begin(struct mesh *m, struct stream *st, struct session *s)
{
	struct repair_run *r = calloc(1, sizeof *r);

	if (!r)
		return FAIL(-ENOMEM);
	st->repair = r;
	st->session = s->id;
	r->run = mesh_random(m);
	COUNT(m, s, repairs);
	if (!mesh_grow(&r->prefixes, &r->n, sizeof *r->prefixes)) {
		repair_drop(st);
		return FAIL(-ENOMEM);
	}
	return repair_ask(m, st);
}

/* Nothing differs any more: the place from which to go on becomes durable. */
static int finish(struct mesh *m, struct stream *st)
{
	struct op_rows op = {.origin = arena_copy(m->todo->arena, st->origin), .repair = true};
	struct cursor c;

	if (!op.origin)
		return FAIL(-ENOMEM);
	TRY(stream_copy(m->todo->arena, buf_bytes(&st->repair->cursor), &op.cursor));
	op.has_floor = cursor_decode(op.cursor, &c) == 0;
	op.floor = op.has_floor ? c.seq : 0;
	repair_drop(st);
	st->wanted = false;
	st->mended = true;
	st->mended_by = st->session;
	st->phase = STREAM_STORING;
	st->at_head = false;
	return stream_emit_store(m, st, &op);
}

/* ---- Asking -----------------------------------------------------------------------------------------------
 */

static struct seen *find_seen(const struct repair_run *r, uint64_t key)
{
	for (size_t i = 0; i < r->n_seen; i++)
		if (r->seen[i].key == key)
			return &r->seen[i];
	return NULL;
}

static int by_key(const void *a, const void *b)
{
	const uint64_t x = ((const struct tree_leaf *)a)->key, y = ((const struct tree_leaf *)b)->key;

	return (x > y) - (x < y);
}

/* What is held below a leaf: by the tree, but for what the last answer changed. */
static size_t list_leaf(const struct repair_run *r, const struct tree *t, uint16_t prefix, bool changed,
			struct tree_leaf *ret)
{
	size_t first, n = 0;
	const size_t held = tree_leaf(t, prefix, &first);

	for (size_t i = 0; i < held; i++) {
		const struct tree_leaf entry = tree_entry(t, first + i);
		if (!changed || !find_seen(r, entry.key))
			ret[n++] = entry;
	}
	if (!changed || r->n_seen == 0)
		return n;
	for (size_t i = 0; i < r->n_seen; i++)
		if (!r->seen[i].gone)
			ret[n++] = (struct tree_leaf){r->seen[i].key, r->seen[i].hash};
	qsort(ret, n, sizeof *ret, by_key);
	return n;
}

/* As many leaves as may be listed in one question; 0: not even one. */
static int list_leaves(struct mesh *m, struct repair_run *r, const struct tree *t, struct repair *ask)
{
	size_t first;

	ask->entries = arena_take_array(m->todo->arena, REPAIR_ENTRIES_MAX, sizeof *ask->entries);
	if (!ask->entries)
		return FAIL(-ENOMEM);
	for (size_t i = r->at; i < r->n && ask->n < REPAIR_PREFIXES_MAX; i++, ask->n++) {
		const size_t more = tree_leaf(t, r->prefixes[i], &first) + (i == r->at ? r->n_seen : 0);
		if (ask->n_entries + more > REPAIR_ENTRIES_MAX)
			break;
		ask->n_entries += list_leaf(r, t, r->prefixes[i], i == r->at, ask->entries + ask->n_entries);
	}
	return 0;
}

static int fill_question(struct mesh *m, struct stream *st, const struct tree *t, struct repair *ask)
{
	struct repair_run *r = st->repair;
	const size_t left = r->n - r->at;
	struct arena *a = m->todo->arena;

	*ask = (struct repair){.id = mesh_random(m), .origin = arena_copy(a, st->origin), .depth = r->depth};
	if (!ask->origin)
		return FAIL(-ENOMEM);
	TRY(stream_copy(a, buf_bytes(&r->cursor), &ask->cursor));
	if (r->depth == TREE_LEAF_DEPTH)
		TRY(list_leaves(m, r, t, ask));
	else
		ask->n = left < REPAIR_PREFIXES_MAX ? left : REPAIR_PREFIXES_MAX;
	ask->prefixes = arena_take_array(a, ask->n + 1, sizeof *ask->prefixes);
	if (!ask->prefixes)
		return FAIL(-ENOMEM);
	memcpy(ask->prefixes, r->prefixes + r->at, ask->n * sizeof *ask->prefixes);
	return 0;
}

/* The tree over what is held; NULL: not now. */
static const struct tree *held_tree(struct mesh *m, struct stream *st)
{
	const struct mesh_port *port = &m->opt.port;
	const struct tree *t = NULL;
	const int r = port->held_tree(port->ctx, st->origin, st->repair->run, &t);

	if (r == 0)
		return t;
	st->phase = STREAM_IDLE;
	st->look_ns = m->now_ns + LATER_PAUSE_NS;
	if (r < 0) {
		repair_drop(st);
		st->look_ns = m->now_ns + FAILURE_PAUSE_NS;
	}
	return NULL;
}

int repair_ask(struct mesh *m, struct stream *st)
{
	struct session *s = session_find(m, st->session);
	struct message message = {.kind = MESSAGE_REPAIR};
	struct repair_run *r = st->repair;

	if (!s) {
		repair_drop(st);
		stream_abandon(m, st);
		return 0;
	}
	if (flow_credit(m, s) == 0) {
		flow_wait(m, st);
		return 0;
	}
	if (r->at == r->n)
		return finish(m, st);
	const struct tree *t = held_tree(m, st);
	if (!t)
		return 0;
	TRY(fill_question(m, st, t, &message.repair));
	if (message.repair.n == 0) { /* a leaf too large to be listed */
		repair_drop(st);
		st->treeless = true;
		stream_abandon(m, st);
		return 0;
	}
	r->id = message.repair.id;
	r->n_asked = message.repair.n;
	st->phase = STREAM_REPAIRING;
	st->deadline_ns = m->now_ns + m->opt.pull_timeout_ns;
	return session_send(m, s, &message);
}

/* ---- Answers ----------------------------------------------------------------------------------------------
 */

struct stream *repair_find(const struct mesh *m, const struct session *s, const char *origin, uint64_t id)
{
	struct stream *st = stream_find(m, origin);

	return st && st->phase == STREAM_REPAIRING && st->session == s->id && st->repair->id == id ? st
												   : NULL;
}

/* An answer under a policy that was replaced meanwhile: this server has not heard of it yet. */
static bool is_outdated(struct mesh *m, const struct session *s, struct stream *st, uint64_t epoch)
{
	if (s->own || !partner_is_past(m, s->org, epoch))
		return false;
	repair_drop(st);
	offer_drop(st, s->id);
	stream_abandon(m, st);
	return true;
}

static int took_answer(struct stream *st, struct session *s, struct bytes cursor)
{
	s->timeouts = 0;
	st->repair->later = 0;
	st->phase = STREAM_IDLE;
	return mesh_keep(cursor, &st->repair->cursor);
}

static int note_differing(struct repair_run *r, const struct tree *t, const uint64_t *sums)
{
	const uint32_t depth = tree_child_depth(r->depth);
	const size_t children = tree_children(r->depth);

	for (size_t i = 0; i < r->n_asked; i++)
		for (size_t c = 0; c < children; c++) {
			const uint16_t child = (uint16_t)(r->prefixes[r->at + i] * children + c);
			if (tree_sum(t, depth, child) == sums[i * children + c])
				continue;
			uint16_t *place = mesh_grow(&r->next, &r->n_next, sizeof *place);
			if (!place)
				return FAIL(-ENOMEM);
			*place = child;
		}
	return 0;
}

static void descend(struct repair_run *r)
{
	free(r->prefixes);
	r->prefixes = r->next;
	r->n = r->n_next;
	r->next = NULL;
	r->n_next = r->at = 0;
	r->depth = tree_child_depth(r->depth);
}

int stream_on_sums(struct mesh *m, struct session *s, const struct message *message)
{
	const struct sums *sums = &message->sums;
	struct stream *st = repair_find(m, s, sums->origin, sums->id);
	struct repair_run *r = st ? st->repair : NULL;

	if (!st || is_outdated(m, s, st, sums->epoch))
		return 0;
	if (r->depth == TREE_LEAF_DEPTH || sums->cursor.len == 0 ||
	    sums->n != r->n_asked * tree_children(r->depth))
		return session_refuse(m, s, "peer sent sums that do not fit the question");
	const struct tree *t = held_tree(m, st);
	if (!t)
		return 0;
	TRY(took_answer(st, s, sums->cursor));
	TRY(note_differing(r, t, sums->sums));
	r->at += r->n_asked;
	if (r->at == r->n)
		descend(r);
	return repair_ask(m, st);
}

static bool was_asked(const struct repair_run *r, uint64_t key)
{
	const uint32_t prefix = tree_prefix(key, TREE_LEAF_DEPTH);

	for (size_t i = 0; i < r->n_asked; i++)
		if (r->prefixes[r->at + i] == prefix)
			return true;
	return false;
}

static int see(struct repair_run *r, uint64_t key, uint32_t hash, bool gone)
{
	struct seen *s = find_seen(r, key);

	if (!s)
		s = mesh_grow(&r->seen, &r->n_seen, sizeof *s);
	if (!s)
		return FAIL(-ENOMEM);
	*s = (struct seen){key, hash, gone};
	return 0;
}

static bool is_news(const struct repair_run *r, uint64_t key, uint32_t hash, bool gone)
{
	const struct seen *s = find_seen(r, key);

	return !s || s->hash != hash || s->gone != gone;
}

/* What an answer about leaves comes to. */
struct change {
	const char *fault;
	struct op_rows op;
	size_t n_news;
};

static int change_row(struct mesh *m, struct stream *st, struct bytes encoded, struct change *c)
{
	struct bytes *place = arena_push(m->todo->arena, &c->op.rows, &c->op.n, sizeof *place);
	struct row row;

	if (!place)
		return FAIL(-ENOMEM);
	*place = encoded;
	c->fault = stream_row_fault(m, st->origin, encoded, &row);
	if (c->fault)
		return 0;
	const uint64_t key = row_key(row.id);
	const struct hash128 hash = row_hash(row.id, row.version, row.mask);
	if (row.deleted || !was_asked(st->repair, key))
		c->fault = "peer repairs with a row that was not asked about";
	c->n_news += is_news(st->repair, key, tree_hash(&hash), false);
	return 0;
}

static int retract(struct mesh *m, const char *id, struct bytes *ret)
{
	SCOPED(buf_fini) struct buf b = {0};
	const struct row row = {.id = id, .deleted = true, .type = "", .name = ""};

	row_encode(&row, &b);
	TRY(buf_check(&b));
	return stream_copy(m->todo->arena, buf_bytes(&b), ret);
}

static int change_gone(struct mesh *m, struct stream *st, const struct tree *t, uint64_t key,
		       struct change *c)
{
	const size_t at = tree_find(t, key);
	const char *id;

	if (at == tree_rows(t) || !was_asked(st->repair, key)) {
		c->fault = "peer takes away what was not listed";
		return 0;
	}
	struct bytes *place = arena_push(m->todo->arena, &c->op.rows, &c->op.n, sizeof *place);
	if (!place)
		return FAIL(-ENOMEM);
	c->n_news += is_news(st->repair, key, 0, true);
	TRY(tree_id(t, at, m->todo->arena, &id));
	return retract(m, id, place);
}

/* What comes belongs to leaves that are done, or to the next one, of which it is then remembered. */
static int go_on(struct mesh *m, struct repair_run *r, const struct rows *rows)
{
	struct row row;

	r->at += rows->leaves;
	if (rows->leaves > 0)
		r->n_seen = 0;
	if (r->at == r->n)
		return 0;
	for (size_t i = 0; i < rows->n; i++) {
		arena_reset(m->scratch);
		TRY(row_decode(m->scratch, rows->rows[i], &row));
		const struct hash128 hash = row_hash(row.id, row.version, row.mask);
		if (tree_prefix(row_key(row.id), TREE_LEAF_DEPTH) == r->prefixes[r->at])
			TRY(see(r, row_key(row.id), tree_hash(&hash), false));
	}
	for (size_t i = 0; i < rows->n_gone; i++)
		if (tree_prefix(rows->gone[i], TREE_LEAF_DEPTH) == r->prefixes[r->at])
			TRY(see(r, rows->gone[i], 0, true));
	return 0;
}

static int read_change(struct mesh *m, struct stream *st, const struct rows *rows, struct change *c)
{
	const struct tree *t = held_tree(m, st);

	*c = (struct change){.op = {.origin = rows->origin, .repair = true}};
	if (!t)
		return 1;
	if (st->repair->depth != TREE_LEAF_DEPTH || rows->cursor.len == 0 || rows->at_head ||
	    rows->leaves > st->repair->n_asked)
		c->fault = "peer sent rows that do not fit the question";
	for (size_t i = 0; i < rows->n && !c->fault; i++)
		TRY(change_row(m, st, rows->rows[i], c));
	for (size_t i = 0; i < rows->n_gone && !c->fault; i++)
		TRY(change_gone(m, st, t, rows->gone[i], c));
	if (!c->fault && rows->leaves == 0 && c->n_news == 0)
		c->fault = "peer repairs nothing";
	return 0;
}

int repair_on_rows(struct mesh *m, struct session *s, const struct message *message)
{
	const struct rows *rows = &message->rows;
	struct stream *st = repair_find(m, s, rows->origin, rows->pull);
	struct change c;

	if (!st || is_outdated(m, s, st, rows->epoch))
		return 0;
	const int r = read_change(m, st, rows, &c);
	TRY(r);
	if (r > 0)
		return 0;
	if (c.fault)
		return stream_fault(m, s, st, c.fault);
	TRY(took_answer(st, s, rows->cursor));
	TRY(go_on(m, st->repair, rows));
	if (c.op.n == 0)
		return repair_ask(m, st);
	st->phase = STREAM_STORING;
	st->at_head = false;
	return stream_emit_store(m, st, &c.op);
}

bool repair_waits(struct mesh *m, struct stream *st, enum reset_reason reason)
{
	const bool later = reason == RESET_LATER;

	if (!later && reason != RESET_BEHIND)
		return false;
	st->repair->later += later ? 1 : LATERS_MAX / 4;
	st->phase = STREAM_IDLE;
	st->look_ns = m->now_ns + (later ? LATER_PAUSE_NS : OFFER_PAUSE_NS);
	return st->repair->later < LATERS_MAX;
}
