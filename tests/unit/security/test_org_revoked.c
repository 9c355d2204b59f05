/* SPDX-License-Identifier: Apache-2.0 */
/* Revocations, persons, statements of freshness: one test for each rule. */
#include <criterion/criterion.h>
#include <criterion/new/assert.h>
#include <stdio.h>

#include "tests/lib/must.h"
#include "tests/unit/security/org_fixture.h"

#define HOUR (DAY / 24)

static struct revoked entries[8];

static void begin(void)
{
	org_fixture_begin();
	revocations = (struct revocations){.org = "acme",
					   .seq = 5,
					   .this_update_ns = NOW - HOUR,
					   .next_update_ns = NOW + HOUR,
					   .entries = entries};
}

TestSuite(org_revoked, .init = begin, .fini = org_fixture_end);

/* One entry more: what it hits is taken from a node. */
static void revoke(enum revoked_kind kind, const struct credential *c)
{
	struct revoked *r = &entries[revocations.n_entries++];

	*r = (struct revoked){.kind = kind, .node = "", .reason = "", .until_ns = NOW + YEAR};
	if (kind == REVOKED_SERIAL)
		r->serial = c->serial;
	else if (kind == REVOKED_KEY)
		memcpy(r->key, c->sign.b, KEY_BYTES);
	else if (kind == REVOKED_NODE)
		r->node = c->node;
	if (kind == REVOKED_NODE || kind == REVOKED_ISSUER)
		r->before_ns = NOW;
}

static bool has(const struct org *org, const char *node)
{
	return org_node(org, node) != NULL;
}

static struct bytes credential_of(const struct sign_key *k, const struct credential *c)
{
	const struct signed_blob blob = signed_credential(k, SIGN_CREDENTIAL, c);
	struct buf b = {0};

	signed_blob_encode(&blob, &b);
	return keep(&b);
}

static int show(const struct org *org, const struct credential *c)
{
	struct credential got;

	note.text[0] = '\0';
	return org_verify_credential(arena, org, credential_of(issuer, c), NOW, &got, &note);
}

Test(org_revoked, a_node_is_hit_by_serial_by_either_key_and_by_name)
{
	static const enum revoked_kind kinds[] = {REVOKED_SERIAL, REVOKED_KEY, REVOKED_NODE};

	for (size_t i = 0; i < 3; i++) {
		revocations.n_entries = 0;
		revoke(kinds[i], &nodes[1]);
		const struct org org = good_org(3);
		cr_expect(eq(sz, org.n_nodes, 2), "%zu", i);
		cr_expect(not(has(&org, "press")), "%zu", i);
		cr_expect(has(&org, "gate") && has(&org, "reader"), "%zu", i);
		expect_untrusted(show(&org, &nodes[1]), "credential of acme/press was revoked");
		cr_expect(eq(int, show(&org, &nodes[2]), 0), "%s", note.text);
	}
	revocations.n_entries = 0;
	revoke(REVOKED_KEY, &nodes[1]);
	memcpy(entries[0].key, nodes[1].curve.b, KEY_BYTES);
	cr_expect(not(has(&(struct org){0}, "press")));
	const struct org org = good_org(3);
	expect_untrusted(show(&org, &nodes[1]), "was revoked");
}

Test(org_revoked, encoding_it_anew_does_not_help)
{
	struct bytes again;
	struct credential c, got;

	revoke(REVOKED_SERIAL, &nodes[1]);
	const struct org org = good_org(3);
	c = nodes[1];
	c.endpoint = "tcp://10.9.9.9:7001"; /* other bytes, another signature, the same serial */
	expect_untrusted(show(&org, &c), "was revoked");
	again = credential_of(issuer, &nodes[1]);
	struct buf padded = {0};
	buf_put(&padded, again);
	buf_put(&padded, BYTES("\x78\x01")); /* field 15, unknown: another encoding of the whole */
	note.text[0] = '\0';
	expect_untrusted(org_verify_credential(arena, &org, keep(&padded), NOW, &got, &note), "was revoked");
}

Test(org_revoked, a_key_stays_revoked_in_a_new_credential)
{
	struct credential c;

	revoke(REVOKED_KEY, &nodes[1]);
	const struct org org = good_org(3);
	c = nodes[1];
	c.node = "other";
	c.serial.b[9] = 77;
	c.not_before_ns = NOW;
	expect_untrusted(show(&org, &c), "credential of acme/other was revoked");
}

Test(org_revoked, a_node_may_come_back_with_new_keys)
{
	struct credential c;

	revoke(REVOKED_NODE, &nodes[1]);
	const struct org org = good_org(3);
	c = nodes[1];
	c.not_before_ns = NOW - 1;
	expect_untrusted(show(&org, &c), "was revoked");
	c.not_before_ns = NOW;
	cr_expect(eq(int, show(&org, &c), 0), "%s", note.text);
}

Test(org_revoked, a_revoked_issuer_takes_all_it_signed_with_it)
{
	revoke(REVOKED_ISSUER, NULL);
	memcpy(entries[0].key, sign_key_public(issuer).b, KEY_BYTES);
	revoker = root;
	const struct org org = good_org(3);
	cr_expect(eq(sz, org.n_nodes, 0));
	expect_untrusted(show(&org, &nodes[0]), "was revoked");
	nodes[0].not_before_ns = NOW; /* the key was only revoked for what is older */
	cr_expect(eq(int, show(&org, &nodes[0]), 0), "%s", note.text);
}

Test(org_revoked, a_revoked_issuer_cannot_sign_the_list)
{
	revoke(REVOKED_ISSUER, NULL);
	memcpy(entries[0].key, sign_key_public(issuer).b, KEY_BYTES);
	entries[0].before_ns = TIME_MAX;
	expect_untrusted(verify(make(1)), "revoke the key that signed them");
	revoker = root;
	cr_expect(eq(int, verify(make(1)), 0), "%s", note.text);
}

Test(org_revoked, only_the_root_or_an_issuer_signs_the_list)
{
	revoke(REVOKED_SERIAL, &nodes[1]);
	revoker = stranger;
	expect_untrusted(verify(make(1)), "were not signed by its root or an issuer");
	revoker = policy_key;
	expect_untrusted(verify(make(1)), "were not signed by its root or an issuer");
	revoker = root;
	cr_expect(eq(int, verify(make(1)), 0), "%s", note.text);
}

Test(org_revoked, a_list_is_signed_as_a_list_by_the_key_it_names)
{
	const struct signed_blob m = signed_manifest(root, SIGN_MANIFEST);
	struct bundle b = {.manifest = m};
	struct signed_blob list;

	for (int i = 0; i < 2; i++) {
		struct buf payload = {0}, out = {0};
		revocations_encode(&revocations, &payload);
		list = sign(i == 0 ? stranger : issuer, i == 0 ? SIGN_REVOCATIONS : SIGN_CREDENTIAL,
			    &payload);
		list.key = sign_key_public(issuer); /* claimed, not shown */
		b.revocations = &list;
		bundle_encode(&b, &out);
		expect_untrusted(verify(keep(&out)), "the revocations of acme have a wrong signature");
	}
}

Test(org_revoked, the_list_is_of_this_organisation_and_of_now)
{
	revocations.org = "bolt";
	expect_untrusted(verify(make(1)), "the revocations are of organisation bolt, not of acme");
	revocations.org = "acme";
	revocations.this_update_ns = NOW + NOT_BEFORE_LEEWAY_S * NS_PER_S;
	cr_expect(eq(int, verify(make(1)), 0), "%s", note.text);
	revocations.this_update_ns++;
	expect_untrusted(verify(make(1)), "are from the future");
	revocations.this_update_ns = NOW;
	revocations.next_update_ns = NOW + DAY;
	cr_expect(eq(int, verify(make(1)), 0), "%s", note.text);
	revocations.next_update_ns++;
	expect_untrusted(verify(make(1)), "longer than 24 hours");
}

Test(org_revoked, a_late_list_still_counts_and_shows)
{
	revoke(REVOKED_SERIAL, &nodes[1]);
	struct org org = good_org(3);
	cr_expect(not(revocations_are_late(&org.revocations, NOW)));
	cr_expect(revocations_are_late(&org.revocations, NOW + HOUR));
	cr_assert(eq(int, verify_at(make(3), NOW + 10 * DAY, &org), 0), "%s", note.text);
	cr_expect(not(has(&org, "press")));
}

/* ---- one list after another ---- */

static int replace(const struct org *old, const struct org *next)
{
	note.text[0] = '\0';
	return org_may_replace(old, next, &note);
}

/* The list after the one in force, naming it. */
static void follow(const struct org *old)
{
	revocations.seq = old->revocations.seq + 1;
	memcpy(revocations.previous, old->revocations_hash, KEY_BYTES);
}

Test(org_revoked, numbers_only_rise_and_do_not_jump)
{
	revoke(REVOKED_SERIAL, &nodes[1]);
	const struct org old = good_org(3);
	cr_expect(eq(int, replace(&old, &old), 0), "%s", note.text);
	revocations.seq = 4;
	struct org next = good_org(3);
	expect_untrusted(replace(&old, &next), "have number 4, older than the number 5 held here");
	revocations.seq = 0; /* the list was cut away */
	next = good_org(3);
	expect_untrusted(replace(&old, &next), "have number 0, older");
	revocations.seq = 5 + VERSION_JUMP_MAX + 1;
	next = good_org(3);
	expect_untrusted(replace(&old, &next), "more than 1000 at once");
	revocations.seq--;
	next = good_org(3);
	cr_expect(eq(int, replace(&old, &next), 0), "%s", note.text);
	revocations.seq = UINT64_C(1) << 63;
	next = good_org(3);
	expect_untrusted(replace(&old, &next), "more than 1000 at once");
	follow(&old); /* nothing of the absurd one was kept */
	next = good_org(3);
	cr_expect(eq(int, replace(&old, &next), 0), "%s", note.text);
}

Test(org_revoked, there_is_one_list_of_each_number)
{
	revoke(REVOKED_SERIAL, &nodes[1]);
	const struct org old = good_org(3);
	revocations.this_update_ns++;
	const struct org next = good_org(3);
	expect_untrusted(replace(&old, &next), "two different revocations of acme with number 5");
}

Test(org_revoked, a_list_names_the_one_before_it)
{
	revoke(REVOKED_SERIAL, &nodes[1]);
	const struct org old = good_org(3);
	revocations.seq++;
	struct org next = good_org(3);
	expect_untrusted(replace(&old, &next), "revocations 6 of acme do not follow those held here");
	follow(&old);
	next = good_org(3);
	cr_expect(eq(int, replace(&old, &next), 0), "%s", note.text);
}

Test(org_revoked, nothing_is_forgotten_early)
{
	revoke(REVOKED_SERIAL, &nodes[1]);
	entries[0].until_ns = NOW;
	const struct org old = good_org(3);
	follow(&old);
	revocations.n_entries = 0;
	revocations.this_update_ns = NOW;
	struct org next = good_org(3);
	expect_untrusted(replace(&old, &next), "forget an entry too early");
	revocations.this_update_ns = NOW + 1;
	next = good_org(3);
	cr_expect(eq(int, replace(&old, &next), 0), "%s", note.text);
}

Test(org_revoked, an_entry_cannot_be_made_smaller)
{
	revoke(REVOKED_NODE, &nodes[1]);
	const struct org old = good_org(3);
	follow(&old);
	entries[0].before_ns--;
	struct org next = good_org(3);
	expect_untrusted(replace(&old, &next), "forget an entry too early");
	entries[0].before_ns += 2;
	next = good_org(3);
	cr_expect(eq(int, replace(&old, &next), 0), "%s", note.text);
	entries[0].until_ns--;
	next = good_org(3);
	expect_untrusted(replace(&old, &next), "forget an entry too early");
}

/* ---- persons ---- */

static const char *roles[] = {"operator"};

static struct person kim(void)
{
	return (struct person){.org = "acme",
			       .name = "kim",
			       .serial = {{1, 2, 3}},
			       .sign = {{9, 9}},
			       .roles = roles,
			       .n_roles = 1,
			       .not_before_ns = NOW - DAY,
			       .not_after_ns = NOW + DAY};
}

static int show_person(const struct org *org, const struct sign_key *k, const char *context,
		       const struct person *p)
{
	struct buf payload = {0}, b = {0};
	struct signed_blob blob;
	struct person got;

	person_encode(p, &payload);
	blob = sign(k, context, &payload);
	signed_blob_encode(&blob, &b);
	note.text[0] = '\0';
	return org_verify_person(arena, org, keep(&b), NOW, &got, &note);
}

Test(org_revoked, a_person_shows_a_credential_of_an_issuer)
{
	const struct org org = good_org(3);
	struct person p = kim();

	cr_expect(eq(int, show_person(&org, issuer, SIGN_PERSON, &p), 0), "%s", note.text);
	expect_untrusted(show_person(&org, stranger, SIGN_PERSON, &p), "not signed by an issuer of acme");
	expect_untrusted(show_person(&org, issuer, SIGN_CREDENTIAL, &p), "has a wrong signature");
	p.org = "bolt";
	expect_untrusted(show_person(&org, issuer, SIGN_PERSON, &p), "of organisation bolt, not of acme");
	p = kim();
	p.not_before_ns = issuers[0].not_before_ns - 1;
	expect_untrusted(show_person(&org, issuer, SIGN_PERSON, &p), "when its issuer key was not valid");
	p = kim();
	p.not_before_ns = p.not_after_ns;
	expect_untrusted(show_person(&org, issuer, SIGN_PERSON, &p), "ends before it begins");
}

Test(org_revoked, the_time_of_a_person_has_leeway_only_before)
{
	const struct org org = good_org(3);
	struct person p = kim();

	p.not_after_ns = NOW;
	expect_untrusted(show_person(&org, issuer, SIGN_PERSON, &p), "expired on");
	p.not_after_ns = NOW + DAY;
	p.not_before_ns = NOW + NOT_BEFORE_LEEWAY_S * NS_PER_S;
	cr_expect(eq(int, show_person(&org, issuer, SIGN_PERSON, &p), 0), "%s", note.text);
	p.not_before_ns++;
	expect_untrusted(show_person(&org, issuer, SIGN_PERSON, &p), "not yet valid");
}

Test(org_revoked, a_person_is_hit_by_serial_key_and_issuer_not_by_a_node_of_that_name)
{
	const struct person p = kim();

	revoke(REVOKED_NODE, &(struct credential){.node = "kim"});
	struct org org = good_org(1);
	cr_expect(eq(int, show_person(&org, issuer, SIGN_PERSON, &p), 0), "%s", note.text);
	revoke(REVOKED_SERIAL, &(struct credential){.serial = p.serial});
	org = good_org(1);
	expect_untrusted(show_person(&org, issuer, SIGN_PERSON, &p), "credential of kim at acme was revoked");
	revocations.n_entries = 0;
	revoke(REVOKED_KEY, &(struct credential){.sign = p.sign});
	org = good_org(1);
	expect_untrusted(show_person(&org, issuer, SIGN_PERSON, &p), "was revoked");
}

/* ---- freshness ---- */

static struct freshness fresh(void)
{
	return (struct freshness){.org = "acme",
				  .at_ns = NOW,
				  .ttl_ns = 30 * NS_PER_S,
				  .manifest_version = 7,
				  .policy_epoch = 1,
				  .revocation_seq = 5};
}

static int show_blob(const struct org *org, struct signed_blob blob)
{
	struct freshness got;

	note.text[0] = '\0';
	return org_verify_freshness(arena, org, &blob, NOW, &got, &note);
}

static int show_fresh(const struct org *org, const struct sign_key *k, const struct freshness *f, int64_t now)
{
	struct signed_blob blob;
	struct freshness got;
	struct buf b = {0};

	must(org_sign_freshness(k, f, &b) == 0);
	must(signed_blob_decode(arena, keep(&b), &blob) == 0);
	note.text[0] = '\0';
	return org_verify_freshness(arena, org, &blob, now, &got, &note);
}

static struct org with_admin(void)
{
	nodes[2].sign = sign_key_public(stranger);
	nodes[2].roles = ROLE_ADMIN;
	return good_org(3);
}

Test(org_revoked, freshness_is_stated_by_an_admin_node)
{
	const struct freshness f = fresh();
	struct org org = with_admin();

	cr_expect(eq(int, show_fresh(&org, stranger, &f, NOW), 0), "%s", note.text);
	expect_untrusted(show_fresh(&org, issuer, &f, NOW), "not signed by an admin node of acme");
	nodes[2].roles = ROLE_OWNER;
	org = good_org(3);
	expect_untrusted(show_fresh(&org, stranger, &f, NOW), "not signed by an admin node of acme");
	revoke(REVOKED_SERIAL, &nodes[2]);
	org = with_admin();
	expect_untrusted(show_fresh(&org, stranger, &f, NOW), "not signed by an admin node of acme");
}

Test(org_revoked, freshness_is_signed_as_such)
{
	const struct org org = with_admin();
	const struct freshness f = fresh();
	struct buf b = {0};

	freshness_encode(&f, &b);
	struct signed_blob blob = sign(stranger, SIGN_CREDENTIAL, &b);
	expect_untrusted(show_blob(&org, blob), "has a wrong signature");
	freshness_encode(&f, &b);
	blob = sign(issuer, SIGN_FRESHNESS, &b);
	blob.key = sign_key_public(stranger);
	expect_untrusted(show_blob(&org, blob), "has a wrong signature");
}

Test(org_revoked, freshness_runs_out_and_does_not_come_from_the_future)
{
	const struct org org = with_admin();
	struct freshness f = fresh();

	cr_expect(eq(int, show_fresh(&org, stranger, &f, NOW + 30 * NS_PER_S - 1), 0), "%s", note.text);
	expect_untrusted(show_fresh(&org, stranger, &f, NOW + 30 * NS_PER_S), "has run out");
	f.at_ns += NOT_BEFORE_LEEWAY_S * NS_PER_S + 1;
	expect_untrusted(show_fresh(&org, stranger, &f, NOW), "is from the future");
	f.at_ns--;
	cr_expect(eq(int, show_fresh(&org, stranger, &f, NOW), 0), "%s", note.text);
}

Test(org_revoked, freshness_neither_goes_back_nor_jumps)
{
	const struct org org = with_admin();
	struct freshness f = fresh();

	f.manifest_version--;
	expect_untrusted(show_fresh(&org, stranger, &f, NOW), "is behind what is held here");
	f = fresh();
	f.revocation_seq--;
	expect_untrusted(show_fresh(&org, stranger, &f, NOW), "is behind what is held here");
	f = fresh();
	f.revocation_seq += VERSION_JUMP_MAX + 1;
	expect_untrusted(show_fresh(&org, stranger, &f, NOW), "more than 1000 versions ahead");
	f = fresh();
	f.org = "bolt";
	expect_untrusted(show_fresh(&org, stranger, &f, NOW), "of organisation bolt, not of acme");
}

Test(org_revoked, a_clock_before_the_build_is_not_set)
{
	cr_expect(eq(int, org_check_clock(NOW, NOW, &note), 0));
	cr_expect(eq(int, org_check_clock(NOW - 1, NOW, &note), ERR_REFUSED));
	cr_expect(says("the clock of this machine is not set"), "%s", note.text);
}
