/* SPDX-License-Identifier: Apache-2.0 */
#include "security/org_merge.h"

#include "proto/hash.h"
#include "security/org_private.h"

/* A side, taken apart as it was signed. */
struct part {
	const struct org *org;
	struct bundle bundle;
};

struct candidate {
	const struct credential *credential;
	const struct signed_blob *blob;
};

struct candidates {
	struct candidate *list;
	size_t n;
};

static int compare_bytes(struct bytes a, struct bytes b)
{
	const int c = memcmp(a.data, b.data, a.len < b.len ? a.len : b.len);

	return c != 0 ? c : (a.len > b.len) - (a.len < b.len);
}

/* Of two that say the same: any order, as long as it is everybody's. */
static int compare_blobs(const struct signed_blob *a, const struct signed_blob *b)
{
	int c = compare_bytes(a->payload, b->payload);

	if (c == 0)
		c = memcmp(a->key.b, b->key.b, sizeof a->key.b);
	return c != 0 ? c : memcmp(a->signature, b->signature, sizeof a->signature);
}

static int compare_ancestors(const struct bundle *a, const struct bundle *b)
{
	int c = (a->n_ancestors > b->n_ancestors) - (a->n_ancestors < b->n_ancestors);

	for (size_t i = 0; c == 0 && i < a->n_ancestors; i++)
		c = compare_blobs(&a->ancestors[i], &b->ancestors[i]);
	return c;
}

static int open_part(struct arena *a, const struct org *org, struct part *ret)
{
	ret->org = org;
	return bundle_decode(a, org->encoded, &ret->bundle);
}

/* ---- manifest and revocations ---- */

static int merge_manifests(const struct part *x, const struct part *y, struct bundle *ret,
			   struct err_note *note)
{
	const uint32_t vx = x->org->manifest.version, vy = y->org->manifest.version;
	const struct part *low = vx < vy ? x : y, *high = vx < vy ? y : x;

	TRY(org_manifest_may_replace(low->org, high->org, note));
	const int c = vx != vy ? 1 : compare_blobs(&high->bundle.manifest, &low->bundle.manifest);
	const int longer = vx != vy ? 1 : compare_ancestors(&high->bundle, &low->bundle);
	ret->manifest = (c >= 0 ? high : low)->bundle.manifest;
	ret->ancestors = (longer >= 0 ? high : low)->bundle.ancestors;
	ret->n_ancestors = (longer >= 0 ? high : low)->bundle.n_ancestors;
	return 0;
}

static int merge_revocations(const struct part *x, const struct part *y, struct bundle *ret,
			     struct err_note *note)
{
	const uint64_t sx = x->org->revocations.seq, sy = y->org->revocations.seq;
	const struct part *low = sx < sy ? x : y, *high = sx < sy ? y : x;

	TRY(revocations_may_replace(low->org, high->org, note));
	ret->revocations = high->bundle.revocations;
	if (sx == sy && sx > 0 && compare_blobs(low->bundle.revocations, high->bundle.revocations) > 0)
		ret->revocations = low->bundle.revocations;
	return 0;
}

/* ---- credentials ---- */

/* Its signature was verified under the manifest it came with; is its issuer also one of this? */
static bool still_counts(const struct org *under, const struct credential *c, const struct signed_blob *blob)
{
	const struct issuer_key *i = org_issuer(&under->manifest, &blob->key);

	return i && c->not_before_ns >= i->not_before_ns && c->not_before_ns < i->not_after_ns &&
	       !org_credential_is_revoked(under, c, &blob->key);
}

static void collect(const struct org *from, const struct org *under, struct candidates *all)
{
	for (size_t i = 0; i < from->n_nodes; i++)
		if (still_counts(under, &from->nodes[i], &from->signed_nodes[i]))
			all->list[all->n++] = (struct candidate){&from->nodes[i], &from->signed_nodes[i]};
}

static int compare_newest_first(const void *a, const void *b)
{
	const struct candidate *x = a, *y = b;
	const int64_t tx = x->credential->not_before_ns, ty = y->credential->not_before_ns;

	if (tx != ty)
		return tx < ty ? 1 : -1;
	const int c = memcmp(y->credential->serial.b, x->credential->serial.b, SERIAL_BYTES);
	return c != 0 ? c : compare_blobs(y->blob, x->blob);
}

static int compare_names(const void *a, const void *b)
{
	const struct candidate *x = a, *y = b;

	return strcmp(x->credential->node, y->credential->node);
}

static bool is_one_node(const struct credential *a, const struct credential *b)
{
	return strcmp(a->node, b->node) == 0 || memcmp(a->curve.b, b->curve.b, KEY_BYTES) == 0 ||
	       key_equal(&a->sign, &b->sign);
}

/* The newest that are different nodes, no more than a bundle may have. */
static void choose(struct candidates *all)
{
	size_t kept = 0, borders = 0;

	if (all->n > 0)
		qsort(all->list, all->n, sizeof *all->list, compare_newest_first);
	for (size_t i = 0; i < all->n && kept < NODES_MAX; i++) {
		const struct credential *c = all->list[i].credential;
		const bool border = c->roles & ROLE_BORDER;
		size_t same = 0;
		while (same < kept && !is_one_node(all->list[same].credential, c))
			same++;
		if (same < kept || (border && borders == BORDERS_MAX))
			continue;
		borders += border;
		all->list[kept++] = all->list[i];
	}
	all->n = kept;
	if (kept > 0)
		qsort(all->list, kept, sizeof *all->list, compare_names);
}

static int merge_credentials(struct arena *a, const struct org *x, const struct org *y,
			     const struct org *under, struct bundle *ret)
{
	struct candidates all = {arena_take_array(a, x->n_nodes + y->n_nodes, sizeof *all.list), 0};

	if (!all.list)
		return FAIL(-ENOMEM);
	collect(x, under, &all);
	collect(y, under, &all);
	choose(&all);
	ret->credentials = arena_take_array(a, all.n, sizeof *ret->credentials);
	if (!ret->credentials)
		return FAIL(-ENOMEM);
	ret->n_credentials = all.n;
	for (size_t i = 0; i < all.n; i++)
		ret->credentials[i] = *all.list[i].blob;
	return 0;
}

/* ---- public ---- */

int org_merge(struct arena *a, const struct org *x, const struct org *y, struct buf *out,
	      struct err_note *note)
{
	struct part px, py;
	struct bundle merged = {0};

	TRY(open_part(a, x, &px));
	TRY(open_part(a, y, &py));
	TRY(merge_manifests(&px, &py, &merged, note));
	TRY(merge_revocations(&px, &py, &merged, note));
	const struct org under = {.manifest = (x->manifest.version < y->manifest.version ? y : x)->manifest,
				  .revocations =
					  (x->revocations.seq < y->revocations.seq ? y : x)->revocations};
	TRY(merge_credentials(a, x, y, &under, &merged));
	bundle_encode(&merged, out);
	return buf_check(out);
}

uint64_t org_digest(struct bytes encoded)
{
	const uint64_t digest = hash64("bundle", encoded, BYTES(""));

	return digest != 0 ? digest : 1;
}
