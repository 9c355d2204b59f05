/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/sim/port.h"

#include <stdio.h>

bool port_visible(const struct world *w, int org, uint64_t epoch, int audience, uint8_t attr)
{
	return w->rules[org][epoch].attrs[audience] >> attr & 1;
}

uint32_t port_face(const struct world *w, int org, uint64_t epoch, uint8_t attr)
{
	return ROW_MASK_DISCOVER | w->rules[org][epoch].mask | (attr + 1u) << 4;
}

struct fact *fact_find(const struct world *w, int origin, int twin, struct row_version version)
{
	const struct facts *f = &w->facts[origin][twin];

	for (size_t i = f->n; i-- > 0;)
		if (row_version_compare(f->list[i].version, version) == 0)
			return &f->list[i];
	return NULL;
}

bool view_shows(const struct view *v, int twin)
{
	const struct world *w = v->n->world;
	const struct sim_row *r = &v->held->rows[twin];
	int org = sites[v->n->id].org;

	if (!r->present || r->deleted)
		return false;
	const struct fact *f = fact_find(w, v->origin, twin, r->version);
	return w->opt.broken == BREAK_NO_FILTER ||
	       (f && port_visible(w, org, v->n->disk.epoch, v->audience, f->attr));
}

struct view view_of(struct sim_node *n, const char *audience, const char *origin)
{
	int i = origin_index(origin);

	return (struct view){n, i, org_index(audience), i >= 0 ? &n->disk.origins[i] : NULL};
}

static const char *origin_next(void *ctx, const char *audience, const char *after)
{
	struct sim_node *n = ctx;
	int aud = org_index(audience);

	const int first = sites[n->id].org * N_OF_ORG;

	for (int i = after ? origin_index(after) + 1 : first; i < first + N_OF_ORG; i++) {
		const struct view v = view_of(n, audience, sites[i].origin);
		if (!v.held->known)
			continue;
		if (aud < 0)
			return sites[i].origin;
		if (n->world->opt.broken != BREAK_FORGET_OFFERS)
			return sites[i].origin; /* also with nothing in it: an empty head takes back what
						   was visible once */
		for (int t = 0; t < TWINS; t++)
			n->offered[aud][i] |= view_shows(&v, t);
		if (n->offered[aud][i])
			return sites[i].origin;
	}
	return NULL;
}

int view_judge(const struct view *v, struct cursor *c, const struct head *head)
{
	enum sim_break broken = v->n->world->opt.broken;

	if (broken == BREAK_NO_SNAP_HI)
		c->snap_hi = c->seq;
	if (broken == BREAK_NO_STAMP)
		c->stamp_ns = INT64_MIN;
	int r = cursor_judge(c, head, v->audience < 0 ? 0 : v->n->disk.epoch,
			     v->audience < 0 && broken != BREAK_NO_FLOOR ? v->held->floor : 0);
	if ((r == RESET_LINEAGE && broken == BREAK_NO_LINEAGE) ||
	    (r == RESET_BEHIND && broken == BREAK_NO_BEHIND))
		return 0;
	return r;
}

/* The twin whose latest change is the first behind a sequence number; -1: none. */
static int next_twin(const struct sim_origin *o, uint64_t after)
{
	int best = -1;

	for (int t = 0; t < TWINS; t++)
		if (o->rows[t].present && o->rows[t].seq > after &&
		    (best < 0 || o->rows[t].seq < o->rows[best].seq))
			best = t;
	return best;
}

int view_push(struct rows *rows, struct arena *a, struct bytes encoded)
{
	struct bytes *place = arena_push(a, &rows->rows, &rows->n, sizeof *place);
	uint8_t *copy = arena_take(a, encoded.len);

	if (!place || !copy)
		return -ENOMEM;
	memcpy(copy, encoded.data, encoded.len);
	*place = (struct bytes){copy, encoded.len};
	return 0;
}

static int push_twin(const struct view *v, int twin, struct arena *a, struct rows *rows)
{
	const struct sim_row *held = &v->held->rows[twin];

	if (held->deleted && v->n->world->opt.broken == BREAK_NO_TOMBSTONES)
		return 0;
	return view_push(rows, a, held->encoded);
}

static int fill(const struct view *v, const struct head *top, const struct cursor *from, struct arena *a,
		struct rows *ret)
{
	uint64_t seq = from->seq;
	uint64_t most = 1 + world_below(v->n->world, 4);
	int twin = next_twin(v->held, seq);
	uint8_t *out = arena_take(a, CURSOR_SCAN_BYTES);

	if (!out)
		return -ENOMEM;
	for (; twin >= 0 && most > 0; most--, twin = next_twin(v->held, seq)) {
		seq = v->held->rows[twin].seq;
		TRY(push_twin(v, twin, a, ret));
	}
	ret->at_head = twin < 0;
	const struct cursor behind = {
		.incarnation = top->lineage[top->n_lineage - 1].id,
		.seq = ret->at_head ? top->seq : seq,
		.snap_hi = top->seq,
		.stamp_ns = top->stamp_ns,
		.begun = from->begun,
	};
	ret->cursor = (struct bytes){out, cursor_encode_scan(&behind, out)};
	return 0;
}

static int own_rows(const struct view *v, const struct pull *pull, const struct head *top, struct arena *a,
		    struct rows *ret)
{
	struct cursor c = {.begun = top->seq};

	if (pull->cursor.len > 0) {
		if (cursor_decode(pull->cursor, &c) < 0)
			return RESET_LINEAGE;
		const int reason = view_judge(v, &c, top);
		if (reason != 0)
			return reason;
	}
	return fill(v, top, &c, a, ret);
}

static int rows(void *ctx, const char *audience, const struct pull *pull, struct arena *a, struct rows *ret)
{
	struct sim_node *n = ctx;
	const struct view v = view_of(n, audience, pull->origin);
	struct head top;

	if (!v.held || !v.held->known || view_top(&v, a, &top) < 0)
		return RESET_UNKNOWN;
	const int r = v.audience < 0 ? own_rows(&v, pull, &top, a, ret) : border_rows(&v, pull, &top, a, ret);
	if (r != 0)
		return r;
	return ret->at_head ? port_head(ctx, audience, pull->origin, a, &ret->head) : 0;
}

static int held(void *ctx, const char *origin, struct bytes *ret_cursor, struct fingerprint *ret_fingerprint,
		struct bytes *ret_head)
{
	struct sim_node *n = ctx;
	int i = origin_index(origin);
	const struct sim_origin *o = i >= 0 ? &n->disk.origins[i] : NULL;

	if (!o || !o->known)
		return ERR_ABSENT;
	*ret_cursor = o->cursor;
	*ret_fingerprint = o->fingerprint;
	*ret_head = o->head;
	if (n->world->opt.broken == BREAK_NO_CHECK && o->head.len > 0) {
		struct signed_blob blob;
		struct head head;
		TRY(signed_blob_decode(n->world->arena, *ret_head, &blob));
		TRY(head_decode(n->world->arena, blob.payload, &head));
		*ret_fingerprint = head.fingerprint;
	}
	return 0;
}

static uint64_t policy_epoch(void *ctx)
{
	const struct sim_node *n = ctx;

	return n->disk.epoch;
}

static int verify_hello(void *ctx, uint32_t session, const struct hello *hello)
{
	const struct sim_node *n = ctx;
	char name[64];

	(void)session;
	snprintf(name, sizeof name, "%s/%s", hello->org, hello->node);
	if (n->world->opt.broken == BREAK_NO_VERIFY)
		return 0;
	return trust_believes(n, origin_index(name), trust_generation(hello->credential)) ? 0 : MESH_NOT_YET;
}

struct mesh_port port_of(struct sim_node *n)
{
	return (struct mesh_port){
		.ctx = n,
		.origin_next = origin_next,
		.head = port_head,
		.rows = rows,
		.verify_head = port_verify_head,
		.held = held,
		.tree = port_tree,
		.row = port_row,
		.held_tree = port_held_tree,
		.policy_epoch = policy_epoch,
		.verify_hello = verify_hello,
	};
}
