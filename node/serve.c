/* SPDX-License-Identifier: Apache-2.0 */
#include "node/serve.h"

#include <stdio.h>

#include "node/gossip.h"
#include "node/summary.h"
#include "proto/id.h"

enum { CURSOR_USE_SIZE = 2 * ORG_NAME_MAX + NODE_NAME_MAX + 3 };

static const char *own_org(const struct engine *e)
{
	return e->trust->self->org;
}

static bool is_own_origin(const struct engine *e, const char *origin)
{
	return strcmp(origin, e->origin) == 0;
}

/* ---- Which origins ---------------------------------------------------------------------------------------
 */

static bool can_serve(const struct engine *e, const char *audience, const char *origin)
{
	if (!id_is_of_org(origin, own_org(e)))
		return false;
	return audience[0] == '\0' || e->visibility; /* an empty head takes back what was seen once */
}

/* This node first, if it owns twins, then the relayed origins in their order. */
static const char *next_origin(void *ctx, const char *audience, const char *after)
{
	struct engine *e = ctx;
	const bool begins = !after;

	if (begins && (e->trust->self->roles & ROLE_OWNER) && can_serve(e, audience, e->origin))
		return e->origin;
	after = begins || is_own_origin(e, after) ? "" : after;
	for (const struct origin *o; (o = store_origin_next(e->store, after)); after = o->name)
		if (can_serve(e, audience, o->name) && o->head.len > 0)
			return o->name;
	return NULL;
}

/* ---- Heads -----------------------------------------------------------------------------------------------
 */

static int sign_head(const struct engine *e, const struct head *h, struct arena *a, struct head_notice *ret)
{
	SCOPED(buf_fini) struct buf encoded = {0};

	head_encode(h, &encoded);
	TRY(buf_check(&encoded));
	uint8_t *kept = arena_take(a, encoded.len);
	if (!kept)
		return FAIL(-ENOMEM);
	memcpy(kept, encoded.data, encoded.len);
	sign_blob(e->trust->sign, SIGN_HEAD, (struct bytes){kept, encoded.len}, &ret->head);
	return 0;
}

/* The fingerprint over all own twins: counted anew only when the head has moved. */
static void own_fingerprint(struct engine *e, uint64_t head_seq, struct fingerprint *ret)
{
	const struct twin *t;

	if (e->fingerprint_seq == head_seq) {
		*ret = e->fingerprint;
		return;
	}
	*ret = (struct fingerprint){0};
	for (uint64_t seq = 0; (t = store_change_next(e->store, seq)); seq = t->seq) {
		if (t->deleted)
			continue;
		const struct hash128 h = row_hash(t->def.id, t->version, ROW_MASK_ALL);
		fingerprint_add(ret, &h);
	}
	e->fingerprint = *ret;
	e->fingerprint_seq = head_seq;
}

/* What stands in an origin's head, as this node knows it: lineage, sequence number. */
static int origin_head(const struct engine *e, const char *origin, struct arena *a, struct head *ret)
{
	struct store_position *at = arena_take(a, sizeof *at);
	struct signed_blob blob;

	if (!at)
		return FAIL(-ENOMEM);
	if (is_own_origin(e, origin)) {
		store_position(e->store, at);
		*ret = (struct head){.origin = e->origin,
				     .lineage = at->lineage,
				     .n_lineage = at->n_lineage,
				     .seq = at->seq,
				     .stamp_ns = at->stamp_ns};
		return 0;
	}
	const struct origin *o = store_origin(e->store, origin);
	if (!o || o->head.len == 0)
		return FAIL(ERR_ABSENT);
	TRY(signed_blob_decode(a, o->head, &blob));
	return head_decode(a, blob.payload, ret);
}

static int partner_head(struct engine *e, const char *org, const char *origin, struct arena *a,
			struct head_notice *ret)
{
	struct head h;

	TRY(origin_head(e, origin, a, &h));
	h.seq = 0;
	for (size_t i = 0; i < h.n_lineage; i++)
		h.lineage[i].start_seq = 0;
	h.epoch = e->trust->policy_doc.epoch;
	visibility_view(e->visibility, org, origin, &h.fingerprint, &h.stamp_ns);
	return sign_head(e, &h, a, ret);
}

static int get_head(void *ctx, const char *audience, const char *origin, struct arena *a,
		    struct head_notice *ret)
{
	struct engine *e = ctx;
	const bool mine = is_own_origin(e, origin);
	struct head h;

	if (!can_serve(e, audience, origin))
		return FAIL(ERR_ABSENT);
	ret->age_ns = mine ? 0 : gossip_age(e->gossip, origin);
	if (audience[0] != '\0')
		return partner_head(e, audience, origin, a, ret);
	if (!mine) {
		const struct origin *o = store_origin(e->store, origin);
		return o && o->head.len > 0 ? signed_blob_decode(a, o->head, &ret->head) : FAIL(ERR_ABSENT);
	}
	TRY(origin_head(e, origin, a, &h));
	own_fingerprint(e, h.seq, &h.fingerprint);
	return sign_head(e, &h, a, ret);
}

static int check_partner_head(struct engine *e, const struct org *org, const struct head *h)
{
	if (!id_is_of_org(h->origin, org->manifest.org))
		return FAIL(ERR_UNTRUSTED);
	return trust_see_epoch(e->trust, org->manifest.org, h->epoch);
}

/* Inside the organisation the origin itself must have signed; a partner's head is its border's word. */
static int verify_head(void *ctx, const char *peer_org, const char *peer_node,
		       const struct head_notice *notice, struct arena *a, struct head *ret)
{
	struct engine *e = ctx;
	const bool own = strcmp(peer_org, own_org(e)) == 0;
	const struct partner *p = trust_org(e->trust, peer_org);
	struct head h;

	TRY(head_decode(a, notice->head.payload, &h));
	const char *node = own ? id_local(h.origin) : peer_node;
	const struct credential *signer = p ? org_node(&p->org, node) : NULL;
	if (!signer || memcmp(signer->sign.b, notice->head.key.b, KEY_BYTES) != 0 ||
	    !sign_verify(SIGN_HEAD, &notice->head) || !id_is_of_org(h.origin, peer_org))
		return FAIL(ERR_UNTRUSTED);
	if (!own)
		TRY(check_partner_head(e, &p->org, &h));
	*ret = h;
	return 0;
}

/* ---- Rows ------------------------------------------------------------------------------------------------
 */

/* A place in an origin's order of changes, and the row there. */
struct reader {
	struct engine *e;
	const char *audience, *origin;
	bool mine;
	uint64_t seq;
	const struct twin *twin;
	const struct remote_row *row;
};

static bool read_next(struct reader *r)
{
	if (r->mine) {
		r->twin = store_change_next(r->e->store, r->seq);
		r->seq = r->twin ? r->twin->seq : r->seq;
		return r->twin != NULL;
	}
	r->row = store_row_change_next(r->e->store, r->origin, r->seq);
	r->seq = r->row ? r->row->seq : r->seq;
	return r->row != NULL;
}

static int full_row(struct reader *r, struct arena *a, struct row *ret)
{
	return r->mine ? summary_row(r->e->store, r->twin, a, ret) : row_decode(a, r->row->encoded, ret);
}

static int push_row(struct rows *rows, const struct row *row, struct arena *a)
{
	SCOPED(buf_fini) struct buf encoded = {0};
	struct bytes *slot = arena_push(a, &rows->rows, &rows->n, sizeof *slot);

	row_encode(row, &encoded);
	TRY(buf_check(&encoded));
	uint8_t *kept = slot ? arena_take(a, encoded.len) : NULL;
	if (!kept)
		return FAIL(-ENOMEM);
	memcpy(kept, encoded.data, encoded.len);
	*slot = (struct bytes){kept, encoded.len};
	return 0;
}

static int push_verbatim(struct rows *rows, const struct remote_row *row, struct arena *a)
{
	struct bytes *slot = arena_push(a, &rows->rows, &rows->n, sizeof *slot);

	if (!slot)
		return FAIL(-ENOMEM);
	*slot = row->encoded;
	return 0;
}

/* One row as the audience may have it; out of its sight: a retraction if it ever was in it, else nothing. */
static int push_current(struct reader *r, bool full, struct rows *rows, struct arena *a)
{
	const char *id = r->mine ? r->twin->def.id : r->row->id;
	const bool own = r->audience[0] == '\0';
	struct row row, shown;

	if (own && !r->mine)
		return push_verbatim(rows, r->row, a);
	if (own) {
		TRY(full_row(r, a, &row));
		return push_row(rows, &row, a);
	}
	const uint32_t mask = visibility_mask(r->e->visibility, r->audience, id);
	if (mask == 0) {
		const struct row gone = {.id = id,
					 .version = r->mine ? r->twin->version : r->row->version,
					 .deleted = true,
					 .type = "",
					 .name = ""};
		return !full && visibility_left(r->e->visibility, r->audience, id) ? push_row(rows, &gone, a)
										   : 0;
	}
	TRY(full_row(r, a, &row));
	TRY(egress_row(&row, mask, a, &shown));
	return push_row(rows, &shown, a);
}

/* A partner's cursor is sealed for that partner and that origin: nobody else can use it, or for anything
 * else. */
static struct bytes cursor_use(const char *audience, const char *origin, char ret[CURSOR_USE_SIZE])
{
	const int n = snprintf(ret, CURSOR_USE_SIZE, "%s %s", audience, origin);

	return (struct bytes){(const uint8_t *)ret, (size_t)n};
}

static int open_cursor(struct engine *e, const char *audience, const char *origin, struct bytes in,
		       struct cursor *ret)
{
	uint8_t plain[CURSOR_BYTES];
	char use[CURSOR_USE_SIZE];
	size_t len;

	if (audience[0] == '\0')
		return cursor_decode(in, ret);
	TRY(unseal(e->trust->cursor_key, cursor_use(audience, origin, use), in, plain, sizeof plain, &len));
	return cursor_decode((struct bytes){plain, len}, ret);
}

static int make_cursor(struct engine *e, const char *audience, const char *origin, const struct cursor *c,
		       struct arena *a, struct bytes *ret)
{
	SCOPED(buf_fini) struct buf out = {0};
	uint8_t plain[CURSOR_BYTES];
	char use[CURSOR_USE_SIZE];

	cursor_encode(c, plain);
	if (audience[0] == '\0')
		buf_put(&out, (struct bytes){plain, sizeof plain});
	else
		seal(e->trust->cursor_key, cursor_use(audience, origin, use),
		     (struct bytes){plain, sizeof plain}, &out);
	TRY(buf_check(&out));
	uint8_t *kept = arena_take(a, out.len);
	if (!kept)
		return FAIL(-ENOMEM);
	memcpy(kept, out.data, out.len);
	*ret = (struct bytes){kept, out.len};
	return 0;
}

/* Where to read on. >0: an enum reset_reason. */
static int start_seq(struct engine *e, const char *audience, const struct pull *pull, const struct head *head,
		     uint64_t epoch, uint64_t *ret)
{
	struct cursor c;

	*ret = 0;
	if (pull->cursor.len == 0)
		return 0;
	if (open_cursor(e, audience, pull->origin, pull->cursor, &c) < 0)
		return RESET_LINEAGE;
	*ret = c.seq;
	return cursor_judge(&c, head, epoch);
}

static int fill_rows(struct reader *reader, const struct pull *pull, const struct head *head, struct arena *a,
		     struct rows *ret)
{
	size_t bytes = 0;

	while (bytes < FRAME_FILL) {
		const uint64_t seq = reader->seq;
		if (!read_next(reader) || reader->seq > head->seq) {
			reader->seq = seq;
			ret->at_head = true;
			return 0;
		}
		const size_t n = ret->n;
		TRY(push_current(reader, pull->full, ret, a));
		bytes += ret->n > n ? ret->rows[n].len : 0;
	}
	return 0;
}

static int get_rows(void *ctx, const char *audience, const struct pull *pull, struct arena *a,
		    struct rows *ret)
{
	struct engine *e = ctx;
	struct reader reader = {
		.e = e, .audience = audience, .origin = pull->origin, .mine = is_own_origin(e, pull->origin)};
	const uint64_t epoch = audience[0] == '\0' ? 0 : e->trust->policy_doc.epoch;
	struct head head;

	if (!can_serve(e, audience, pull->origin))
		return RESET_UNKNOWN;
	TRY(origin_head(e, pull->origin, a, &head));
	int r = start_seq(e, audience, pull, &head, epoch, &reader.seq);
	if (r != 0)
		return r;
	*ret = (struct rows){.pull = pull->id, .origin = pull->origin, .epoch = epoch, .full = pull->full};
	TRY(fill_rows(&reader, pull, &head, a, ret));
	const struct cursor c = {.incarnation = head.lineage[head.n_lineage - 1].id,
				 .seq = ret->at_head ? head.seq : reader.seq,
				 .snap_hi = head.seq,
				 .stamp_ns = head.stamp_ns,
				 .epoch = epoch};
	TRY(make_cursor(e, audience, pull->origin, &c, a, &ret->cursor));
	return ret->at_head ? get_head(e, audience, pull->origin, a, &ret->head) : 0;
}

static int get_held(void *ctx, const char *origin, struct bytes *ret_cursor,
		    struct fingerprint *ret_fingerprint, struct bytes *ret_head)
{
	struct engine *e = ctx;
	const struct origin *o = store_origin(e->store, origin);

	if (!o)
		return FAIL(ERR_ABSENT);
	*ret_cursor = o->cursor;
	*ret_fingerprint = o->fingerprint;
	*ret_head = o->head;
	return 0;
}

struct mesh_port serve_port(struct engine *e)
{
	return (struct mesh_port){.ctx = e,
				  .origin_next = next_origin,
				  .head = get_head,
				  .rows = get_rows,
				  .verify_head = verify_head,
				  .held = get_held};
}
