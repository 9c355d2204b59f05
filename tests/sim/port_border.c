/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/sim/port.h"

enum { SEALED_BYTES = 2 + CURSOR_BYTES + 4 * 8 };

/* As in node/serve_partner.c. */
struct border_place {
	uint64_t run, place, since, turn;
};

static uint64_t run_of(const struct sim_node *n)
{
	return (uint64_t)n->id << 32 | n->boots;
}

static struct sim_sight *sights(const struct view *v)
{
	return v->n->sight[v->audience][v->origin % N_OF_ORG];
}

uint32_t view_face(const struct view *v, int twin)
{
	const struct world *w = v->n->world;
	const struct fact *f = fact_find(w, v->origin, twin, v->held->rows[twin].version);

	return f ? port_face(w, sites[v->n->id].org, v->n->disk.epoch, f->attr) : 0;
}

/* ---- What is shown, and where it stands -------------------------------------------------------------------
 */

/* What stays as it was shown keeps the version and the place under which it was first shown: what is hidden
 * moves nothing (node/visibility.h). */
static void place_twin(const struct view *v, int twin, uint64_t seq)
{
	const struct sim_row *row = &v->held->rows[twin];
	struct sim_sight *s = &sights(v)[twin];
	const bool visible = view_shows(v, twin);
	const uint32_t face = visible ? view_face(v, twin) : 0;

	if (visible == s->shown && (!visible || s->mask == face))
		return;
	s->shown = visible;
	s->seq = row->present && row_version_compare(s->version, row->version) != 0 ? row->seq : seq;
	s->epoch = v->n->disk.epoch;
	s->place = ++v->n->place;
	if (visible) {
		s->version = row->version;
		s->mask = face;
	}
}

/* Take in what changed, in the origin's order. */
static void follow(const struct view *v, uint64_t head_seq)
{
	bool done[TWINS] = {false};

	for (int i = 0; i < TWINS; i++) {
		int next = -1;
		for (int t = 0; t < TWINS; t++)
			if (!done[t] && (next < 0 || v->held->rows[t].seq < v->held->rows[next].seq))
				next = t;
		done[next] = true;
		place_twin(v, next, head_seq);
	}
}

static uint64_t end_of(const struct view *v)
{
	uint64_t end = 0;

	for (int t = 0; t < TWINS; t++)
		end = sights(v)[t].place > end ? sights(v)[t].place : end;
	return end;
}

/* Where to go on for one who saw the origin up to a sequence number, under a policy, in another run. */
static uint64_t place_of(const struct view *v, const struct cursor *c)
{
	uint64_t place = end_of(v);

	for (int t = 0; t < TWINS; t++) {
		const struct sim_sight *s = &sights(v)[t];
		if (s->place > 0 && (s->seq > c->seq || s->epoch > c->epoch) && s->place <= place)
			place = s->place - 1;
	}
	return place;
}

static int next_twin(const struct view *v, uint64_t after)
{
	const struct sim_sight *s = sights(v);
	int best = -1;

	for (int t = 0; t < TWINS; t++)
		if (s[t].place > after && (best < 0 || s[t].place < s[best].place))
			best = t;
	return best;
}

/* ---- Cursors ---------------------------------------------------------------------------------------------
 */

static int open_cursor(const struct view *v, struct bytes in, struct cursor *ret, struct border_place *ret_at)
{
	uint8_t plain[SEALED_BYTES];

	if (in.len != SEALED_BYTES)
		return ERR_MALFORMED;
	for (size_t i = 0; i < in.len; i++)
		plain[i] = in.data[i] ^ 0x5a;
	if (plain[0] != v->audience || plain[1] != v->origin)
		return ERR_MALFORMED;
	const uint8_t *p = plain + 2 + CURSOR_BYTES;
	*ret_at = (struct border_place){get_u64(p), get_u64(p + 8), get_u64(p + 16), get_u64(p + 24)};
	return cursor_decode((struct bytes){plain + 2, CURSOR_BYTES}, ret);
}

static int seal_cursor(const struct view *v, const struct cursor *c, const struct border_place *at,
		       struct arena *a, struct bytes *ret)
{
	SCOPED(buf_fini) struct buf b = {0};
	uint8_t *out = arena_take(a, SEALED_BYTES), encoded[CURSOR_BYTES];

	cursor_encode(c, encoded);
	buf_put_u8(&b, (uint8_t)v->audience);
	buf_put_u8(&b, (uint8_t)v->origin);
	buf_put(&b, (struct bytes){encoded, sizeof encoded});
	buf_put_u64(&b, at->run);
	buf_put_u64(&b, at->place);
	buf_put_u64(&b, at->since);
	buf_put_u64(&b, at->turn);
	TRY(buf_check(&b));
	if (!out)
		return -ENOMEM;
	for (size_t i = 0; i < SEALED_BYTES; i++)
		out[i] = b.data[i] ^ 0x5a;
	*ret = (struct bytes){out, SEALED_BYTES};
	return 0;
}

/* Where to read on. >0: why not. */
static int start(const struct view *v, const struct pull *pull, const struct head *top, uint64_t *ret_seq,
		 struct border_place *ret)
{
	struct border_place at;
	struct cursor c;

	*ret_seq = 0;
	*ret = (struct border_place){.run = run_of(v->n), .turn = end_of(v)};
	if (pull->cursor.len == 0)
		return 0;
	if (open_cursor(v, pull->cursor, &c, &at) < 0)
		return RESET_LINEAGE;
	const int reason = view_judge(v, &c, top);
	if (reason != 0)
		return reason;
	*ret_seq = c.seq;
	if (at.run == ret->run) {
		*ret = at;
		return 0;
	}
	if (pull->full)
		return RESET_EPOCH;
	ret->turn = 0;
	ret->since = ret->place = place_of(v, &c);
	return 0;
}

/* ---- Rows ------------------------------------------------------------------------------------------------
 */

static bool is_wanted(const struct border_place *at, bool full, const struct sim_sight *s)
{
	if (at->turn == 0 && !full)
		return !s->shown && s->place > at->since;
	if (!s->shown)
		return s->place > at->turn;
	return full || s->place > at->since;
}

static int encode(const struct view *v, int twin, struct arena *a, struct buf *out)
{
	const struct sim_row *held = &v->held->rows[twin];
	struct sim_sight *s = &sights(v)[twin];
	struct row row = {.id = twin_name(v->origin, twin), .deleted = true, .type = "", .name = ""};

	if (s->shown) {
		TRY(row_decode(a, held->encoded, &row));
		row.mask = s->mask;
	}
	row.version = s->version;
	row.seq = 0;
	row_encode(&row, out);
	return buf_check(out);
}

static int push(const struct view *v, int twin, struct arena *a, struct rows *rows)
{
	SCOPED(buf_fini) struct buf b = {0};
	const struct sim_sight *s = &sights(v)[twin];

	if (!s->shown && !v->n->world->ever_sent[v->audience][v->origin][twin])
		return 0; /* it was in sight for a moment in which nobody looked */
	TRY(encode(v, twin, a, &b));
	return view_push(rows, a, buf_bytes(&b));
}

/* 1: there is nothing more. */
static int fill(const struct view *v, const struct pull *pull, struct border_place *at, uint64_t *room,
		struct arena *a, struct rows *ret)
{
	for (int t; (t = next_twin(v, at->place)) >= 0; at->place = sights(v)[t].place) {
		if (!is_wanted(at, pull->full, &sights(v)[t]))
			continue;
		if (*room == 0)
			return 0;
		--*room;
		TRY(push(v, t, a, ret));
	}
	return 1;
}

int border_rows(const struct view *v, const struct pull *pull, const struct head *top, struct arena *a,
		struct rows *ret)
{
	uint64_t room = 1 + world_below(v->n->world, 4), seq;
	struct border_place at;

	follow(v, top->seq);
	const int reason = start(v, pull, top, &seq, &at);
	if (reason != 0)
		return reason;
	int ended = 1;
	if (at.turn == 0 && !pull->full) {
		ended = fill(v, pull, &at, &room, a, ret);
		TRY(ended);
		at.turn = ended ? end_of(v) : 0;
		at.place = ended ? at.since : at.place;
	}
	if (ended)
		ended = fill(v, pull, &at, &room, a, ret);
	TRY(ended);
	ret->at_head = ended;
	if (ended)
		at = (struct border_place){.run = at.run, .place = end_of(v), .since = end_of(v)};
	const struct cursor behind = {.incarnation = top->lineage[top->n_lineage - 1].id,
				      .seq = ended ? top->seq : seq,
				      .snap_hi = top->seq,
				      .stamp_ns = top->stamp_ns,
				      .epoch = v->n->disk.epoch};
	ret->epoch = behind.epoch;
	return seal_cursor(v, &behind, &at, a, &ret->cursor);
}

/* ---- For repairs -----------------------------------------------------------------------------------------
 */

uint64_t border_end(const struct view *v, uint64_t head_seq)
{
	follow(v, head_seq);
	return end_of(v);
}

int border_row(const struct view *v, int twin, const struct head *top, struct arena *a, struct bytes *ret)
{
	SCOPED(buf_fini) struct buf b = {0};

	follow(v, top->seq);
	if (twin < 0 || !sights(v)[twin].shown)
		return ERR_ABSENT;
	TRY(encode(v, twin, a, &b));
	uint8_t *copy = arena_take(a, b.len);
	if (!copy)
		return -ENOMEM;
	memcpy(copy, b.data, b.len);
	*ret = (struct bytes){copy, b.len};
	return 0;
}

int border_cursor(const struct view *v, const struct sim_tree *t, const struct head *top, struct bytes before,
		  struct arena *a, struct bytes *ret)
{
	struct border_place at = {.run = run_of(v->n), .place = t->place, .since = t->place};
	struct cursor c = t->begun;

	if (before.len > 0) {
		struct border_place was;
		if (open_cursor(v, before, &c, &was) < 0)
			return RESET_LINEAGE;
		const int reason = view_judge(v, &c, top);
		if (reason != 0)
			return reason;
		if (was.run != at.run)
			return RESET_EPOCH;
		at = was;
	}
	c.incarnation = top->lineage[top->n_lineage - 1].id;
	c.snap_hi = top->seq;
	c.stamp_ns = top->stamp_ns;
	return seal_cursor(v, &c, &at, a, ret);
}
