/* SPDX-License-Identifier: Apache-2.0 */
#include "node/trust_private.h"

#include <stdio.h>

int trust_path(const char *dir, const char *file, char ret[TRUST_PATH_SIZE], struct err_note *note)
{
	int n = snprintf(ret, TRUST_PATH_SIZE, "%s/%s", dir, file);

	return n > 0 && n < TRUST_PATH_SIZE ? 0
					    : FAIL_SAY(note, -ENAMETOOLONG, "%s: the path is too long", dir);
}

static int load_keys(struct trust *t, const char *dir, struct err_note *note)
{
	char path[TRUST_PATH_SIZE];

	TRY(trust_path(dir, "keys/sign.key", path, note));
	TRY(sign_key_load(&t->sign, path, note));
	TRY(trust_path(dir, "keys/curve.key", path, note));
	TRY(curve_pair_load(&t->curve, path, note));
	return 0;
}

int trust_open(struct trust **ret, const char *dir, int64_t now_ns, struct err_note *note)
{
	SCOPED(scope_trust) struct trust *t = calloc(1, sizeof *t);
	char path[TRUST_PATH_SIZE];

	if (!t)
		return FAIL(-ENOMEM);
	TRY(load_keys(t, dir, note));
	TRY(trust_path(dir, "store", path, note));
	TRY(trust_store_open(&t->store, path, note));
	TRY(clock_load(&t->clock, t->store));
	now_ns = t->clock.stored_ns > now_ns ? t->clock.stored_ns : now_ns;
	TRY(trust_load_own(t, dir, now_ns, note));
	if (t->self->roles & ROLE_BORDER) {
		TRY(trust_path(dir, "keys/cursor.key", path, note));
		TRY(secret32_load(&t->cursor_key, path, note));
	}
	TRY(trust_load_partners(t, now_ns));
	TRY(trust_load_policy(t, now_ns, note));
	*ret = MOVE(t);
	return 0;
}

void trust_close(struct trust *t)
{
	if (!t)
		return;
	ignore(trust_flush(t)); /* what is lost is learnt again from the next heads */
	for (size_t i = 0; i < t->n_partners; i++)
		trust_free_partner(t->partners[i]);
	policy_free(t->policy);
	arena_free(t->policy_arena);
	arena_free(t->own.arena);
	sign_key_free(t->sign);
	curve_pair_free(t->curve);
	secret32_free(t->cursor_key);
	trust_store_close(t->store);
	free(t);
}

int64_t trust_now(const struct trust *t)
{
	return clock_now(&t->clock);
}

int trust_keep_time(struct trust *t, bool end)
{
	return clock_keep(&t->clock, t->store, clock_evidence_ns(&t->own.org), end);
}

static size_t list_nodes(const struct trust *t, const struct partner *p, bool own, int64_t now_ns,
			 struct roster_entry *ret)
{
	const struct org *org = &p->org;
	size_t n = 0;

	for (size_t i = 0; i < org->n_nodes; i++) {
		const struct credential *c = &org->nodes[i];
		struct roster_entry e = {.key = c->curve,
					 .roles = c->roles,
					 .own = own,
					 .not_before_ns = c->not_before_ns,
					 .not_after_ns = c->not_after_ns,
					 .returning = now_ns > c->not_after_ns};
		if (!own && !(c->roles & ROLE_BORDER))
			continue; /* a partner's inner nodes have no business with us */
		if (!own && c->own_only)
			continue;
		if (!own && shadow_hides(t, p, &c->curve))
			continue;
		snprintf(e.org, sizeof e.org, "%s", c->org);
		snprintf(e.node, sizeof e.node, "%s", c->node);
		ret[n++] = e;
	}
	return n;
}

int trust_roster(const struct trust *t, int64_t now_ns, struct roster **ret)
{
	size_t most = t->own.org.n_nodes, n = 0;

	for (size_t i = 0; i < t->n_partners; i++)
		most += t->partners[i]->org.n_nodes;
	SCOPED(scope_free) struct roster_entry *entries = calloc(most + 1, sizeof *entries);
	if (!entries)
		return FAIL(-ENOMEM);
	n = list_nodes(t, &t->own, true, now_ns, entries);
	for (size_t i = 0; i < t->n_partners; i++)
		n += list_nodes(t, t->partners[i], false, now_ns, entries + n);
	return roster_new(ret, entries, n);
}
