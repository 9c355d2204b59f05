/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/sim/port.h"

#include "proto/id.h"

/* Of the whole payload, or of what two different ones hardly have in common. */
static uint64_t signature(const struct world *w, struct bytes payload, int signer)
{
	enum { ENDS = 64 };
	const uint8_t key[] = {(uint8_t)signer, (uint8_t)payload.len};

	if (!w->real && payload.len > ENDS)
		payload = (struct bytes){payload.data + payload.len - ENDS, ENDS};
	return hash64("signature", payload, (struct bytes){key, sizeof key});
}

static int sign(struct world *w, const struct head *head, int signer, struct signed_blob *ret)
{
	SCOPED(buf_fini) struct buf b = {0};

	head_encode(head, &b);
	TRY(buf_check(&b));
	*ret = (struct signed_blob){.payload = world_keep(w, buf_bytes(&b)),
				    .key.b[0] = (uint8_t)(signer + 1)};
	const uint64_t s = signature(w, ret->payload, signer);
	memcpy(ret->signature, &s, sizeof s);
	return 0;
}

static struct incarnation *keep_lineage(struct world *w, const struct incarnation *lineage, size_t n)
{
	return (struct incarnation *)(uintptr_t)world_keep(
		       w, (struct bytes){(const uint8_t *)lineage, n * sizeof *lineage})
		.data;
}

/* The head of an origin as this node stands to it: its own one as it is now, another's as last reached. */
static int make_full(struct sim_node *n, int origin, struct arena *a, struct sim_head *ret)
{
	struct world *w = n->world;
	const struct sim_origin *o = &n->disk.origins[origin];
	struct head *h = &ret->head;

	if (origin == n->id) {
		*h = (struct head){
			.origin = sites[origin].origin,
			.lineage = keep_lineage(w, n->disk.lineage, n->disk.n_lineage),
			.n_lineage = n->disk.n_lineage,
			.seq = n->disk.seq,
			.fingerprint = o->fingerprint,
			.stamp_ns = n->disk.stamp_ns,
		};
		return sign(w, h, n->id, &ret->blob);
	}
	if (o->head.len == 0)
		return ERR_ABSENT;
	TRY(signed_blob_decode(a, o->head, &ret->blob));
	TRY(head_decode(a, ret->blob.payload, h));
	ret->blob.payload = world_keep(w, ret->blob.payload);
	h->origin = sites[origin].origin;
	h->lineage = keep_lineage(w, h->lineage, h->n_lineage);
	return 0;
}

static const struct sim_head *full_head(struct sim_node *n, int origin, struct arena *a)
{
	struct sim_head *h = &n->heads[0][origin];
	const uint64_t edits = n->disk.origins[origin].edits;

	if (!h->good || h->edits != edits)
		*h = (struct sim_head){.good = make_full(n, origin, a, h) == 0,
				       .edits = edits,
				       .blob = h->blob,
				       .head = h->head};
	return h->good ? h : NULL;
}

int view_top(const struct view *v, struct arena *a, struct head *ret)
{
	const struct sim_head *full = full_head(v->n, v->origin, a);

	if (!full)
		return ERR_ABSENT;
	*ret = full->head;
	return 0;
}

static int make_border(const struct view *v, struct arena *a, const struct head *full,
		       struct signed_blob *ret)
{
	struct head head = *full;

	head.lineage = arena_take_array(a, full->n_lineage, sizeof *head.lineage);
	if (!head.lineage)
		return -ENOMEM;
	for (size_t i = 0; i < full->n_lineage; i++)
		head.lineage[i].id = full->lineage[i].id;
	head.seq = 0;
	head.epoch = v->n->disk.epoch;
	head.fingerprint = (struct fingerprint){0};
	for (int t = 0; t < TWINS; t++) {
		if (!view_shows(v, t))
			continue;
		const struct hash128 h =
			row_hash(twin_name(v->origin, t), v->held->rows[t].version, view_face(v, t));
		fingerprint_add(&head.fingerprint, &h);
	}
	if (head.fingerprint.count == 0 &&
	    full->n_lineage > 0) { /* as node/serve.c: what is seen of nothing tells nothing */
		head.lineage[0].id = 0;
		head.n_lineage = 1;
		head.stamp_ns = 0;
	}
	return sign(v->n->world, &head, v->n->id, ret);
}

static int border_head(const struct view *v, struct arena *a, const struct sim_head *full,
		       struct signed_blob *ret)
{
	struct sim_head *h = &v->n->heads[v->audience + 1][v->origin];
	const uint64_t epoch = v->n->disk.epoch;

	if (!h->good || h->edits != full->edits || h->epoch != epoch) {
		TRY(make_border(v, a, &full->head, &h->blob));
		h->good = true;
		h->edits = full->edits;
		h->epoch = epoch;
	}
	*ret = h->blob;
	return 0;
}

int port_head(void *ctx, const char *audience, const char *origin, struct arena *a, struct head_notice *ret)
{
	struct sim_node *n = ctx;
	const struct view v = view_of(n, audience, origin);
	const struct sim_head *full = full_head(n, v.origin, a);

	if (!full)
		return ERR_ABSENT;
	ret->head = full->blob;
	ret->age_ns = v.origin == n->id ? 0 : n->world->now_ns - n->heard_ns[v.origin];
	return v.audience < 0 ? 0 : border_head(&v, a, full, &ret->head);
}

int port_verify_head(void *ctx, const char *peer_org, const char *peer_node, const struct head_notice *notice,
		     struct arena *a, struct head *ret)
{
	const struct sim_node *n = ctx;
	const int signer = notice->head.key.b[0] - 1;
	uint64_t s;

	if (signer < 0 || signer >= N_NODES)
		return ERR_UNTRUSTED;
	memcpy(&s, notice->head.signature, sizeof s);
	if (s != signature(n->world, notice->head.payload, signer))
		return ERR_UNTRUSTED;
	TRY(head_decode(a, notice->head.payload, ret));
	const bool own = strcmp(peer_org, org_names[sites[n->id].org]) == 0;
	const char *must = own ? id_local(ret->origin) : peer_node;
	return strcmp(sites[signer].name, must) == 0 ? 0 : ERR_UNTRUSTED;
}
