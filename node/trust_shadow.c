/* SPDX-License-Identifier: Apache-2.0 */
/* Keys that two partners show. Public keys are no secret: a partner that copies one into its own bundle must
 * not keep the bundles of the other from being taken, for revocations stand in them. So of two the one that
 * showed the key here first counts, and the other one's credential lies in its shadow: nobody comes in as it
 * until the first shows the key no more. What lies there is kept in the trust environment, `shadow/ORG`: the
 * CURVE keys, one behind the other. */
#include "node/trust_private.h"

#include <stdio.h>

static const char *key_of(const struct partner *p, char ret[TRUST_KEY_SIZE])
{
	snprintf(ret, TRUST_KEY_SIZE, "shadow/%s", p->org.manifest.org);
	return ret;
}

static bool lies_there(const struct partner *p, const struct curve_key *key)
{
	for (size_t i = 0; i < p->n_shadowed; i++)
		if (memcmp(p->shadowed[i].b, key->b, KEY_BYTES) == 0)
			return true;
	return false;
}

/* Does another partner show it, and count with it? */
static bool is_anothers(const struct trust *t, const struct partner *p, const struct curve_key *key)
{
	for (size_t i = 0; i < t->n_partners; i++) {
		const struct partner *other = t->partners[i];
		if (strcmp(other->org.manifest.org, p->org.manifest.org) != 0 &&
		    org_node_by_curve(&other->org, key) && !lies_there(other, key))
			return true;
	}
	return false;
}

bool shadow_hides(const struct trust *t, const struct partner *p, const struct curve_key *key)
{
	return lies_there(p, key) && is_anothers(t, p, key);
}

int shadow_load(const struct trust *t, struct partner *p)
{
	SCOPED(scope_arena) struct arena *a = NULL;
	char key[TRUST_KEY_SIZE];
	struct bytes value;

	TRY(arena_new(&a, TRUST_ARENA));
	const int r = trust_store_get(t->store, a, key_of(p, key), &value);
	TRY(r);
	if (r != 0)
		return 0;
	for (size_t at = 0; at + KEY_BYTES <= value.len && p->n_shadowed < NODES_MAX; at += KEY_BYTES)
		memcpy(p->shadowed[p->n_shadowed++].b, value.data + at, KEY_BYTES);
	return 0;
}

static int store(const struct trust *t, const struct partner *p)
{
	SCOPED(buf_fini) struct buf b = {0};
	char key[TRUST_KEY_SIZE];

	for (size_t i = 0; i < p->n_shadowed; i++)
		buf_put(&b, (struct bytes){p->shadowed[i].b, KEY_BYTES});
	TRY(buf_check(&b));
	return b.len > 0 ? trust_store_put(t->store, key_of(p, key), buf_bytes(&b))
			 : trust_store_remove(t->store, key_of(p, key));
}

int shadow_note(const struct trust *t, const struct partner *old, struct partner *next)
{
	next->n_shadowed = 0;
	for (size_t i = 0; i < next->org.n_nodes && next->n_shadowed < NODES_MAX; i++) {
		const struct curve_key *key = &next->org.nodes[i].curve;
		const bool counted = old && org_node_by_curve(&old->org, key) && !lies_there(old, key);
		if (!counted && is_anothers(t, next, key))
			next->shadowed[next->n_shadowed++] = *key;
	}
	return next->n_shadowed > 0 || !old || old->n_shadowed > 0 ? store(t, next) : 0;
}
