/* SPDX-License-Identifier: Apache-2.0 */
#include "node/serve.h"

#include "node/audit.h"
#include "node/border.h"
#include "node/forks.h"
#include "node/gossip.h"
#include "node/quota.h"
#include "node/serve_private.h"
#include "node/summary.h"
#include "proto/id.h"

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
	if (!id_is_of_org(origin, own_org(e)) || forks_is_open(e->forks, origin))
		return false;
	return audience[0] == '\0' || e->visibility;
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

int serve_keep(struct arena *a, const struct buf *b, struct bytes *ret)
{
	uint8_t *kept = arena_take(a, b->len);

	if (!kept)
		return FAIL(-ENOMEM);
	memcpy(kept, b->data, b->len);
	*ret = (struct bytes){kept, b->len};
	return 0;
}

int serve_sign(struct engine *e, const struct head *h, struct arena *a, struct head_notice *ret)
{
	SCOPED(buf_fini) struct buf encoded = {0};
	struct bytes kept;

	head_encode(h, &encoded);
	TRY(buf_check(&encoded));
	TRY(serve_keep(a, &encoded, &kept));
	signed_head(&e->verified, e->trust->sign, kept, &ret->head);
	return 0;
}

int serve_origin_head(const struct engine *e, const char *origin, struct arena *a, struct head *ret)
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
		return border_is_open(e) ? partner_head(e, audience, origin, a, ret) : FAIL(ERR_ABSENT);
	if (!mine) {
		const struct origin *o = store_origin(e->store, origin);
		return o && o->head.len > 0 ? signed_blob_decode(a, o->head, &ret->head) : FAIL(ERR_ABSENT);
	}
	TRY(serve_origin_head(e, origin, a, &h));
	h.fingerprint = store_fingerprint(e->store);
	return serve_sign(e, &h, a, ret);
}

/* Also of nodes that are gone, in all the years. */
enum { ORIGINS_OF_PARTNER = 4 * ORIGINS_MAX };

/* What is held of an origin is never forgotten while its organisation is trusted, so a border that makes up
 * names would fill the disk with them. */
static bool has_room(const struct engine *e, const char *org, const char *origin)
{
	char after[ORG_NAME_MAX + 2];
	size_t n = 0;

	if (store_origin(e->store, origin))
		return true;
	snprintf(after, sizeof after, "%s/", org);
	const struct origin *o = store_origin_next(e->store, after);
	for (; o && id_is_of_org(o->name, org); o = store_origin_next(e->store, o->name))
		n++;
	return n < ORIGINS_OF_PARTNER;
}

static int check_partner_head(struct engine *e, const struct org *org, const struct head *h)
{
	if (!id_is_of_org(h->origin, org->manifest.org) || !has_room(e, org->manifest.org, h->origin))
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
	if (own && signer && !(signer->roles & ROLE_OWNER))
		return FAIL(ERR_UNTRUSTED);
	if (!signer || memcmp(signer->sign.b, notice->head.key.b, KEY_BYTES) != 0 ||
	    !verified_head(&e->verified, &notice->head) || !id_is_of_org(h.origin, peer_org))
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
	const char *origin;
	bool mine;
	uint64_t seq, begun, floor;
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

int serve_push(struct rows *rows, const struct row *row, struct arena *a)
{
	SCOPED(buf_fini) struct buf encoded = {0};
	struct bytes *slot = arena_push(a, &rows->rows, &rows->n, sizeof *slot);

	row_encode(row, &encoded);
	TRY(buf_check(&encoded));
	return slot ? serve_keep(a, &encoded, slot) : FAIL(-ENOMEM);
}

static int push_verbatim(struct rows *rows, const struct remote_row *row, struct arena *a)
{
	struct bytes *slot = arena_push(a, &rows->rows, &rows->n, sizeof *slot);

	if (!slot)
		return FAIL(-ENOMEM);
	*slot = row->encoded;
	return 0;
}

static int push_current(struct reader *r, struct rows *rows, struct arena *a)
{
	struct row row;

	if (!r->mine)
		return push_verbatim(rows, r->row, a);
	TRY(summary_row(r->e->store, r->twin, a, &row));
	return serve_push(rows, &row, a);
}

/* Where to read on. >0: an enum reset_reason. */
static int start_reading(struct reader *r, const struct pull *pull, const struct head *head)
{
	struct cursor c;

	r->begun = head->seq;
	if (pull->cursor.len == 0)
		return 0;
	if (cursor_decode(pull->cursor, &c) < 0)
		return RESET_LINEAGE;
	r->seq = c.seq;
	r->begun = c.begun;
	return cursor_judge(&c, head, 0, r->floor);
}

/* Until the frame is full: the row that would be too much begins the next one. */
static int fill_rows(struct reader *reader, const struct head *head, struct arena *a, struct rows *ret)
{
	size_t bytes = 0;

	for (;;) {
		const uint64_t seq = reader->seq;
		const size_t n = ret->n;
		if (!read_next(reader) || reader->seq > head->seq) {
			reader->seq = head->seq;
			ret->at_head = true;
			return 0;
		}
		TRY(push_current(reader, ret, a));
		bytes += ret->rows[n].len;
		if (bytes > FRAME_FILL && n > 0) {
			reader->seq = seq;
			ret->n = n;
			return 0;
		}
	}
}

int serve_cursor(const struct cursor *c, struct arena *a, struct bytes *ret)
{
	uint8_t *kept = arena_take(a, CURSOR_SCAN_BYTES);

	if (!kept)
		return FAIL(-ENOMEM);
	*ret = (struct bytes){kept, cursor_encode_scan(c, kept)};
	return 0;
}

uint64_t serve_floor(const struct engine *e, const char *origin)
{
	const struct origin *o = store_origin(e->store, origin);
	struct store_position at;

	if (!is_own_origin(e, origin))
		return o ? o->floor : 0;
	store_position(e->store, &at);
	return at.floor;
}

static int own_rows(struct engine *e, const struct pull *pull, struct arena *a, struct rows *ret)
{
	struct reader reader = {.e = e,
				.origin = pull->origin,
				.mine = is_own_origin(e, pull->origin),
				.floor = serve_floor(e, pull->origin)};
	struct head head;

	TRY(serve_origin_head(e, pull->origin, a, &head));
	const int r = start_reading(&reader, pull, &head);
	if (r != 0)
		return r;
	*ret = (struct rows){.pull = pull->id, .origin = pull->origin, .full = pull->full};
	TRY(fill_rows(&reader, &head, a, ret));
	const struct cursor c = {.incarnation = head.lineage[head.n_lineage - 1].id,
				 .seq = reader.seq,
				 .snap_hi = head.seq,
				 .stamp_ns = head.stamp_ns,
				 .begun = reader.begun};
	return serve_cursor(&c, a, &ret->cursor);
}

static int get_rows(void *ctx, const char *audience, const struct pull *pull, struct arena *a,
		    struct rows *ret)
{
	struct engine *e = ctx;
	const bool own = audience[0] == '\0';

	if (!can_serve(e, audience, pull->origin))
		return RESET_UNKNOWN;
	if (!own && !border_is_open(e))
		return RESET_BEHIND; /* the reader asks again, here or elsewhere */
	const int r = own ? own_rows(e, pull, a, ret) : partner_rows(e, audience, pull, a, ret);
	if (r != 0)
		return r;
	quota_charge(e->quotas, audience, QUOTA_ROWS, ret->n, engine_mono_ns());
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

/* ---- Whom to take what from -------------------------------------------------------------------------------
 */

static bool counts(void *ctx, const char *origin, uint64_t incarnation)
{
	const struct engine *e = ctx;

	return forks_counts(e->forks, origin, incarnation);
}

/* Of an origin whose credential is gone nobody says any more what it may own. */
static bool owns(void *ctx, const char *origin, const char *id)
{
	const struct engine *e = ctx;
	char org[ORG_NAME_MAX + 1];

	snprintf(org, sizeof org, "%.*s", (int)id_org(origin).len, (const char *)id_org(origin).data);
	const struct partner *p = trust_org(e->trust, org);
	const struct credential *c = p ? org_node(&p->org, id_local(origin)) : NULL;
	if (!c || c->n_prefixes == 0)
		return true;
	for (size_t i = 0; i < c->n_prefixes; i++)
		if (id_is_within(id, c->prefixes[i]))
			return true;
	return false;
}

/* Questions are answered with a refusal instead (questions.c). */
/* Each head is a signature to be verified here, and who has all told again makes this side sign. */
static uint64_t heads_of(const struct message *message)
{
	if (message->kind == MESSAGE_TELL)
		return QUOTA_TELL_HEADS;
	return message->heads.n > 0 ? message->heads.n : 1;
}

static int admit(void *ctx, const char *org, const struct message *message)
{
	static const enum quota_kind kinds[N_MESSAGE_KINDS] = {
		[MESSAGE_PULL] = QUOTA_PULLS + 1,
		[MESSAGE_REPAIR] = QUOTA_REPAIRS + 1,
		[MESSAGE_HEADS] = QUOTA_HEADS + 1,
		[MESSAGE_TELL] = QUOTA_HEADS + 1,
	};
	struct engine *e = ctx;
	const int kind = (int)kinds[message->kind] - 1;

	if (kind < 0)
		return 0;
	const int64_t now_ns = engine_mono_ns();
	const int r = quota_take(e->quotas, org, (enum quota_kind)kind, now_ns);
	if (r == 0 && kind == QUOTA_HEADS)
		quota_charge(e->quotas, org, QUOTA_HEADS, heads_of(message) - 1, now_ns);
	if (r <= 0)
		return r;
	return kind == QUOTA_HEADS ? FAIL(ERR_REFUSED) : MESH_NOT_YET; /* what is dropped is not told again */
}

struct mesh_port serve_port(struct engine *e)
{
	return (struct mesh_port){.ctx = e,
				  .origin_next = next_origin,
				  .head = get_head,
				  .rows = get_rows,
				  .verify_head = verify_head,
				  .held = get_held,
				  .tree = repair_tree,
				  .row = repair_row,
				  .held_tree = repair_held_tree,
				  .counts = counts,
				  .owns = owns,
				  .admit = admit};
}
