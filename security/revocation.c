/* SPDX-License-Identifier: Apache-2.0 */
#include <sodium.h>

#include "security/org_private.h"

/* ---- is it hit ---- */

static bool hits(const struct revoked *r, const struct claim *c)
{
	switch (r->kind) {
	case REVOKED_SERIAL: return memcmp(r->serial.b, c->serial->b, sizeof r->serial.b) == 0;
	case REVOKED_KEY:
		for (size_t i = 0; i < 2 && c->keys[i]; i++)
			if (memcmp(r->key, c->keys[i], sizeof r->key) == 0)
				return true;
		return false;
	case REVOKED_ISSUER:
		return c->not_before_ns < r->before_ns && memcmp(r->key, c->issuer->b, sizeof r->key) == 0;
	case REVOKED_NODE: return c->node && c->not_before_ns < r->before_ns && strcmp(r->node, c->node) == 0;
	case N_REVOKED_KINDS: break;
	}
	return false;
}

const struct revoked *revocations_hit(const struct revocations *r, const struct claim *c)
{
	for (size_t i = 0; i < r->n_entries; i++)
		if (hits(&r->entries[i], c))
			return &r->entries[i];
	return NULL;
}

/* ---- the list itself ---- */

/* A stolen issuer key must not be able to write the list that takes its own revocation back. */
static int check_signer(const struct manifest *m, const struct signed_blob *blob, const struct revocations *r,
			struct err_note *note)
{
	if (key_equal(&blob->key, &m->root))
		return 0;
	for (size_t i = 0; i < r->n_entries; i++)
		if (r->entries[i].kind == REVOKED_ISSUER && r->entries[i].before_ns > r->this_update_ns &&
		    memcmp(r->entries[i].key, blob->key.b, KEY_BYTES) == 0)
			return FAIL_SAY(note, ERR_UNTRUSTED,
					"the revocations of %s revoke the key that signed them: "
					"the root must sign them",
					m->org);
	return 0;
}

static int check_times(const struct revocations *r, int64_t now_ns, struct err_note *note)
{
	char when[TIME_TEXT_SIZE];

	if (r->this_update_ns > time_later(now_ns, NOT_BEFORE_LEEWAY_S * NS_PER_S))
		return FAIL_SAY(note, ERR_UNTRUSTED,
				"the revocations of %s are from the future (%s): is this clock right?",
				r->org, time_text(r->this_update_ns, when));
	if (r->next_update_ns > time_later(r->this_update_ns, REVOCATIONS_LIFE_S * NS_PER_S))
		return FAIL_SAY(note, ERR_UNTRUSTED,
				"the revocations of %s want to count for longer than %d hours", r->org,
				REVOCATIONS_LIFE_S / 3600);
	return 0;
}

int revocations_verify(struct arena *a, const struct manifest *m, const struct signed_blob *blob,
		       int64_t now_ns, struct revocations *ret, struct err_note *note)
{
	struct revocations r;

	if (!key_equal(&blob->key, &m->root) && !org_issuer(m, &blob->key))
		return FAIL_SAY(note, ERR_UNTRUSTED,
				"the revocations of %s were not signed by its root or an issuer", m->org);
	if (!sign_verify(SIGN_REVOCATIONS, blob))
		return FAIL_SAY(note, ERR_UNTRUSTED, "the revocations of %s have a wrong signature", m->org);
	const int code = revocations_decode(a, blob->payload, &r);
	if (code < 0)
		return org_unreadable(note, code, "the list of revocations");
	if (strcmp(r.org, m->org) != 0)
		return FAIL_SAY(note, ERR_UNTRUSTED, "the revocations are of organisation %s, not of %s",
				r.org, m->org);
	TRY(check_times(&r, now_ns, note));
	TRY(check_signer(m, blob, &r, note));
	*ret = r;
	return 0;
}

/* ---- one list after another ---- */

static bool same_entry(const struct revoked *a, const struct revoked *b)
{
	return a->kind == b->kind && memcmp(a->serial.b, b->serial.b, sizeof a->serial.b) == 0 &&
	       memcmp(a->key, b->key, sizeof a->key) == 0 && strcmp(a->node, b->node) == 0;
}

/* It may hit more than before, not less. */
static bool is_kept(const struct revoked *old, const struct revocations *next)
{
	for (size_t i = 0; i < next->n_entries; i++) {
		const struct revoked *e = &next->entries[i];
		if (same_entry(old, e) && e->before_ns >= old->before_ns && e->until_ns >= old->until_ns)
			return true;
	}
	return false;
}

static int check_nothing_forgotten(const struct revocations *old, const struct revocations *next,
				   struct err_note *note)
{
	for (size_t i = 0; i < old->n_entries; i++) {
		const struct revoked *e = &old->entries[i];
		if (e->until_ns >= next->this_update_ns && !is_kept(e, next))
			return FAIL_SAY(note, ERR_UNTRUSTED,
					"revocations %llu of %s forget an entry too early: ask its admin",
					(unsigned long long)next->seq, next->org);
	}
	return 0;
}

static int check_follows(const struct org *old, const struct org *next, struct err_note *note)
{
	const struct revocations *o = &old->revocations, *n = &next->revocations;

	if (n->seq - o->seq > VERSION_JUMP_MAX)
		return FAIL_SAY(note, ERR_UNTRUSTED,
				"revocations of %s jump from number %llu to %llu, more than %d at once",
				n->org, (unsigned long long)o->seq, (unsigned long long)n->seq,
				VERSION_JUMP_MAX);
	if (o->seq > 0 && n->seq == o->seq + 1 &&
	    memcmp(n->previous, old->revocations_hash, sizeof n->previous) != 0)
		return FAIL_SAY(note, ERR_UNTRUSTED,
				"revocations %llu of %s do not follow those held here: ask its admin",
				(unsigned long long)n->seq, n->org);
	return check_nothing_forgotten(o, n, note);
}

int revocations_may_replace(const struct org *old, const struct org *next, struct err_note *note)
{
	const struct revocations *o = &old->revocations, *n = &next->revocations;
	const char *org = old->manifest.org;

	if (n->seq < o->seq)
		return FAIL_SAY(note, ERR_UNTRUSTED,
				"revocations of %s have number %llu, older than the number %llu held here",
				org, (unsigned long long)n->seq, (unsigned long long)o->seq);
	if (n->seq > o->seq)
		return check_follows(old, next, note);
	if (memcmp(old->revocations_hash, next->revocations_hash, KEY_BYTES) != 0)
		return FAIL_SAY(note, ERR_UNTRUSTED,
				"there are two different revocations of %s with number %llu: ask its admin",
				org, (unsigned long long)n->seq);
	return 0;
}

void revocations_hash(const struct signed_blob *blob, uint8_t ret[KEY_BYTES])
{
	crypto_generichash(ret, KEY_BYTES, blob->payload.data, blob->payload.len, NULL, 0);
}

bool revocations_are_late(const struct revocations *r, int64_t now_ns)
{
	return r->seq > 0 && r->next_update_ns <= now_ns;
}
