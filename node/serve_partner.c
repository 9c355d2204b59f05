/* SPDX-License-Identifier: Apache-2.0 */
/* A partner's place in the order of changes (visibility.h). It is gone through twice: first for what is to be
 * taken back, up to `turn`, then from `since` for what is shown. What moves meanwhile stands behind `turn`,
 * and both kinds are sent of it; a full pull, or a reader that holds nothing, needs no first time.
 *
 *     since          turn                    end
 *       |  1. retractions |                    |
 *       |  2. rows ------>|  rows, retractions |
 */
#include <stdio.h>

#include "federation/cursor.h"
#include "node/audit.h"
#include "node/serve_private.h"
#include "security/sign.h"

enum { CURSOR_USE_SIZE = 2 * ORG_NAME_MAX + NODE_NAME_MAX + 3, SEALED_BYTES = CURSOR_BYTES + 4 * 8 };

struct partner_place {
	uint64_t run;   /* in which the other three mean anything */
	uint64_t place; /* gone through up to here */
	uint64_t since; /* what was shown up to here the reader has seen, wherever it stands by now */
	uint64_t turn;  /* 0: the first time is not over */
};

struct partner_reader {
	struct engine *e;
	const char *org;
	const struct pull *pull;
	struct partner_place at;
	uint64_t seq; /* of the origin: seen by the reader with `since` */
};

/* ---- Heads -----------------------------------------------------------------------------------------------
 */

/* What is seen of nothing tells nothing: the lineage of such a head branches off from every real one, so
 * readers take it, whatever they hold, for one that may be newer. */
static void blank_head(struct head *h, struct head_notice *notice)
{
	h->lineage[0].id = 0;
	h->n_lineage = 1;
	h->stamp_ns = 0;
	notice->age_ns = 0;
}

int partner_head(struct engine *e, const char *org, const char *origin, struct arena *a,
		 struct head_notice *ret)
{
	struct head h;

	TRY(serve_origin_head(e, origin, a, &h));
	h.seq = 0;
	for (size_t i = 0; i < h.n_lineage; i++)
		h.lineage[i].start_seq = 0;
	h.epoch = e->trust->policy_doc.epoch;
	visibility_view(e->visibility, org, origin, &h.fingerprint, &h.stamp_ns);
	if (h.fingerprint.count == 0)
		blank_head(&h, ret);
	return serve_sign(e, &h, a, ret);
}

/* ---- Cursors ---------------------------------------------------------------------------------------------
 */

/* A partner's cursor is sealed for that partner and that origin: nobody else can use it, or for anything
 * else. */
static struct bytes cursor_use(const struct partner_reader *r, char ret[CURSOR_USE_SIZE])
{
	const int n = snprintf(ret, CURSOR_USE_SIZE, "%s %s", r->org, r->pull->origin);

	return (struct bytes){(const uint8_t *)ret, (size_t)n};
}

static int open_cursor(const struct partner_reader *r, struct cursor *ret, struct partner_place *ret_at)
{
	uint8_t plain[SEALED_BYTES];
	char use[CURSOR_USE_SIZE];
	size_t len;

	TRY(unseal(r->e->trust->cursor_key, cursor_use(r, use), r->pull->cursor, plain, sizeof plain, &len));
	if (len != sizeof plain)
		return FAIL(ERR_MALFORMED);
	const uint8_t *p = plain + CURSOR_BYTES;
	*ret_at = (struct partner_place){get_u64(p), get_u64(p + 8), get_u64(p + 16), get_u64(p + 24)};
	return cursor_decode((struct bytes){plain, CURSOR_BYTES}, ret);
}

static int make_cursor(const struct partner_reader *r, const struct cursor *c, struct arena *a,
		       struct bytes *ret)
{
	SCOPED(buf_fini) struct buf plain = {0}, sealed = {0};
	uint8_t encoded[CURSOR_BYTES];
	char use[CURSOR_USE_SIZE];

	cursor_encode(c, encoded);
	buf_put(&plain, (struct bytes){encoded, sizeof encoded});
	buf_put_u64(&plain, r->at.run);
	buf_put_u64(&plain, r->at.place);
	buf_put_u64(&plain, r->at.since);
	buf_put_u64(&plain, r->at.turn);
	TRY(buf_check(&plain));
	seal(r->e->trust->cursor_key, cursor_use(r, use), buf_bytes(&plain), &sealed);
	TRY(buf_check(&sealed));
	return serve_keep(a, &sealed, ret);
}

/* Where to read on. >0: an enum reset_reason. A place of another run - another border's, or of the time
 * before a restart - is found again by the origin's sequence number; a full pull begun there is not. */
static int start_reading(struct partner_reader *r, const struct head *head, uint64_t epoch)
{
	const struct visibility *v = r->e->visibility;
	const char *origin = r->pull->origin;
	struct partner_place at;
	struct cursor c;

	r->at = (struct partner_place){.run = visibility_run(v), .turn = visibility_end(v, origin)};
	if (r->pull->cursor.len == 0)
		return 0;
	if (open_cursor(r, &c, &at) < 0)
		return RESET_LINEAGE;
	const int reason = cursor_judge(&c, head, epoch, 0);
	if (reason != 0)
		return reason;
	r->seq = c.seq;
	if (at.run == r->at.run) {
		r->at = at;
		return 0;
	}
	if (r->pull->full)
		return RESET_EPOCH;
	r->at.since = r->at.place = visibility_place(v, origin, c.seq, c.epoch);
	r->at.turn = 0;
	return 0;
}

/* ---- Rows ------------------------------------------------------------------------------------------------
 */

static bool is_wanted(const struct partner_reader *r, const struct shown *shown)
{
	const bool hidden = shown->mask == 0;

	if (r->at.turn == 0 && !r->pull->full)
		return hidden && shown->place > r->at.since;
	if (hidden)
		return shown->place > r->at.turn;
	return r->pull->full || shown->place > r->at.since;
}

/* One row as the partner may have it, or the word that it has no such row any more. */
static int push_shown(const struct partner_reader *r, const struct shown *shown, struct rows *rows,
		      struct arena *a)
{
	const struct audience to = audience_of(r->org);
	struct row whole, row = {.id = shown->id, .deleted = true, .type = "", .name = ""};

	if (shown->mask != 0) {
		const int got = egress_full_row(&r->e->egress, shown->id, a, &whole);
		if (got == ERR_ABSENT)
			return 0;
		TRY(got);
		TRY(egress_row(&r->e->egress, &to, &whole, shown->mask, a, &row));
		row.mask = shown->face;
		journal_count(
			r->e->journal,
			&(struct journal_read){.partner = r->org, .what = "summary", .twin = shown->id});
	}
	row.version = shown->version;
	return serve_push(rows, &row, a);
}

/* From `place` on, until there is nothing more (1) or the frame is full (0): the row that would be too much
 * begins the next one. */
static int fill_turn(struct partner_reader *r, struct arena *a, size_t *bytes, struct rows *ret)
{
	struct visibility_walk w = visibility_walk(r->e->visibility, r->org, r->pull->origin, r->at.place);

	for (struct shown shown; visibility_walk_next(&w, &shown); r->at.place = shown.latest) {
		const size_t n = ret->n;
		if (!is_wanted(r, &shown))
			continue;
		TRY(push_shown(r, &shown, ret, a));
		*bytes += ret->n > n ? ret->rows[n].len : 0;
		if (*bytes > FRAME_FILL && n > 0) {
			ret->n = n;
			return 0;
		}
	}
	return 1;
}

static int fill_rows(struct partner_reader *r, const struct head *head, struct arena *a, struct rows *ret)
{
	const uint64_t end = visibility_end(r->e->visibility, r->pull->origin);
	size_t bytes = 0;
	int ended = 1;

	if (r->at.turn == 0 && !r->pull->full) {
		ended = fill_turn(r, a, &bytes, ret);
		TRY(ended);
		if (ended) {
			r->at.turn = end;
			r->at.place = r->at.since;
		}
	}
	if (ended) {
		ended = fill_turn(r, a, &bytes, ret);
		TRY(ended);
	}
	if (!ended)
		return 0;
	r->at.place = r->at.since = end;
	r->at.turn = 0;
	r->seq = head->seq;
	ret->at_head = true;
	return 0;
}

int partner_rows(struct engine *e, const char *org, const struct pull *pull, struct arena *a,
		 struct rows *ret)
{
	struct partner_reader reader = {.e = e, .org = org, .pull = pull};
	const uint64_t epoch = e->trust->policy_doc.epoch;
	struct head head;

	TRY(serve_origin_head(e, pull->origin, a, &head));
	const int r = start_reading(&reader, &head, epoch);
	if (r != 0)
		return r;
	*ret = (struct rows){.pull = pull->id, .origin = pull->origin, .epoch = epoch, .full = pull->full};
	TRY(fill_rows(&reader, &head, a, ret));
	const struct cursor c = {.incarnation = head.lineage[head.n_lineage - 1].id,
				 .seq = reader.seq,
				 .snap_hi = head.seq,
				 .stamp_ns = head.stamp_ns,
				 .epoch = epoch};
	return make_cursor(&reader, &c, a, &ret->cursor);
}

/* ---- For repairs -----------------------------------------------------------------------------------------
 */

int partner_row(struct engine *e, const char *org, const char *id, struct arena *a, struct rows *rows)
{
	const struct partner_reader reader = {.e = e, .org = org};
	struct shown shown;

	if (!visibility_shown(e->visibility, org, id, &shown) || shown.mask == 0)
		return 0;
	return push_shown(&reader, &shown, rows, a);
}

int partner_cursor(struct engine *e, const char *org, const char *origin, const struct partner_cursor *where,
		   struct arena *a, struct bytes *ret)
{
	const struct pull pull = {.origin = origin, .cursor = where->before};
	struct partner_reader r = {.e = e, .org = org, .pull = &pull};
	struct partner_place at = {
		.run = visibility_run(e->visibility), .place = where->end, .since = where->end};
	struct cursor c = where->begun;

	r.at = at;
	if (where->before.len > 0) {
		if (open_cursor(&r, &c, &at) < 0)
			return RESET_LINEAGE;
		const int reason = cursor_judge(&c, where->head, e->trust->policy_doc.epoch, 0);
		if (reason != 0)
			return reason;
		if (at.run != r.at.run)
			return RESET_EPOCH;
		r.at = at;
	}
	c.incarnation = where->head->lineage[where->head->n_lineage - 1].id;
	c.snap_hi = where->head->seq;
	c.stamp_ns = where->head->stamp_ns;
	return make_cursor(&r, &c, a, ret);
}
