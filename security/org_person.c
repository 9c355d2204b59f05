/* SPDX-License-Identifier: Apache-2.0 */
/* Persons, and statements of what is newest. */
#include "security/org_private.h"

static int check_person_time(const struct person *p, int64_t now_ns, struct err_note *note)
{
	char when[TIME_TEXT_SIZE];

	if (p->not_before_ns >= p->not_after_ns)
		return FAIL_SAY(note, ERR_UNTRUSTED, "credential of %s at %s ends before it begins", p->name,
				p->org);
	if (p->not_before_ns > time_later(now_ns, NOT_BEFORE_LEEWAY_S * NS_PER_S))
		return FAIL_SAY(note, ERR_UNTRUSTED,
				"credential of %s at %s is not yet valid (from %s): is this clock right?",
				p->name, p->org, time_text(p->not_before_ns, when));
	if (p->not_after_ns <= now_ns)
		return FAIL_SAY(note, ERR_UNTRUSTED,
				"credential of %s at %s expired on %s: the admin must renew it", p->name,
				p->org, time_text(p->not_after_ns, when));
	return 0;
}

int org_verify_person(struct arena *a, const struct org *org, struct bytes encoded_blob, int64_t now_ns,
		      struct person *ret, struct err_note *note)
{
	const char *name = org->manifest.org;
	struct signed_blob blob;
	struct person p;
	int r = signed_blob_decode(a, encoded_blob, &blob);

	if (r < 0)
		return org_unreadable(note, r, "the credential");
	TRY(org_check_manifest_time(&org->manifest, now_ns, note));
	const struct issuer_key *issuer = org_issuer(&org->manifest, &blob.key);
	if (!issuer)
		return FAIL_SAY(note, ERR_UNTRUSTED, "the credential was not signed by an issuer of %s",
				name);
	if (!sign_verify(SIGN_PERSON, &blob))
		return FAIL_SAY(note, ERR_UNTRUSTED, "the credential has a wrong signature");
	r = person_decode(a, blob.payload, &p);
	if (r < 0)
		return org_unreadable(note, r, "the credential");
	if (strcmp(p.org, name) != 0)
		return FAIL_SAY(note, ERR_UNTRUSTED, "the credential is of organisation %s, not of %s", p.org,
				name);
	if (p.not_before_ns < issuer->not_before_ns || p.not_before_ns >= issuer->not_after_ns)
		return FAIL_SAY(note, ERR_UNTRUSTED,
				"credential of %s at %s was issued when its issuer key was not valid", p.name,
				name);
	TRY(check_person_time(&p, now_ns, note));
	if (org_person_is_revoked(org, &p, &blob.key))
		return FAIL_SAY(note, ERR_UNTRUSTED, "credential of %s at %s was revoked", p.name, name);
	*ret = p;
	return 0;
}

bool org_person_is_revoked(const struct org *org, const struct person *p, const struct public_key *issuer)
{
	const struct claim claim = {.serial = &p->serial,
				    .keys = {p->sign.b},
				    .issuer = issuer,
				    .not_before_ns = p->not_before_ns};

	return revocations_hit(&org->revocations, &claim) != NULL;
}

/* ---- freshness ---- */

const struct credential *org_admin_by_key(const struct org *org, const struct public_key *key, int64_t now_ns)
{
	for (size_t i = 0; i < org->n_nodes; i++) {
		const struct credential *c = &org->nodes[i];
		if (key_equal(&c->sign, key) && (c->roles & ROLE_ADMIN) && now_ns < c->not_after_ns &&
		    c->not_before_ns <= time_later(now_ns, NOT_BEFORE_LEEWAY_S * NS_PER_S))
			return c;
	}
	return NULL;
}

/* Below what is known already it would freeze us; far above it would lock out every later one. */
static int check_numbers(const struct org *org, const struct freshness *f, struct err_note *note)
{
	const uint32_t version = org->manifest.version;
	const uint64_t seq = org->revocations.seq;

	if (f->manifest_version < version || f->revocation_seq < seq)
		return FAIL_SAY(note, ERR_UNTRUSTED,
				"the freshness statement of %s is behind what is held here", f->org);
	if (f->manifest_version - version > VERSION_JUMP_MAX || f->revocation_seq - seq > VERSION_JUMP_MAX)
		return FAIL_SAY(note, ERR_UNTRUSTED,
				"the freshness statement of %s is more than %d versions ahead", f->org,
				VERSION_JUMP_MAX);
	return 0;
}

int org_verify_freshness(struct arena *a, const struct org *org, const struct signed_blob *blob,
			 int64_t now_ns, struct freshness *ret, struct err_note *note)
{
	const char *name = org->manifest.org;
	struct freshness f;

	if (!org_admin_by_key(org, &blob->key, now_ns))
		return FAIL_SAY(note, ERR_UNTRUSTED,
				"the freshness statement was not signed by an admin node of %s", name);
	if (!sign_verify(SIGN_FRESHNESS, blob))
		return FAIL_SAY(note, ERR_UNTRUSTED, "the freshness statement of %s has a wrong signature",
				name);
	const int r = freshness_decode(a, blob->payload, &f);
	if (r < 0)
		return org_unreadable(note, r, "the freshness statement");
	if (strcmp(f.org, name) != 0)
		return FAIL_SAY(note, ERR_UNTRUSTED,
				"the freshness statement is of organisation %s, not of %s", f.org, name);
	if (f.at_ns > time_later(now_ns, NOT_BEFORE_LEEWAY_S * NS_PER_S))
		return FAIL_SAY(note, ERR_UNTRUSTED, "the freshness statement of %s is from the future",
				name);
	if (time_later(f.at_ns, f.ttl_ns) <= now_ns)
		return FAIL_SAY(note, ERR_UNTRUSTED, "the freshness statement of %s has run out", name);
	TRY(check_numbers(org, &f, note));
	*ret = f;
	return 0;
}

int org_sign_freshness(const struct sign_key *admin, const struct freshness *f, struct buf *out)
{
	SCOPED(buf_fini) struct buf payload = {0};
	struct signed_blob blob;

	freshness_encode(f, &payload);
	TRY(buf_check(&payload));
	sign_blob(admin, SIGN_FRESHNESS, buf_bytes(&payload), &blob);
	signed_blob_encode(&blob, out);
	return buf_check(out);
}

/* ---- the clock ---- */

int org_check_clock(int64_t now_ns, int64_t built_ns, struct err_note *note)
{
	char when[TIME_TEXT_SIZE];

	if (now_ns >= built_ns)
		return 0;
	return FAIL_SAY(note, ERR_REFUSED,
			"the clock of this machine is not set: it shows %s, before this program was built",
			time_text(now_ns - now_ns % NS_PER_S, when));
}
