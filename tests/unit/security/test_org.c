/* SPDX-License-Identifier: Apache-2.0 */
#include <criterion/criterion.h>
#include <criterion/new/assert.h>
#include <stdio.h>

#include "tests/lib/failing_alloc.h"
#include "tests/lib/must.h"
#include "tests/unit/security/org_fixture.h"

TestSuite(org, .init = org_fixture_begin, .fini = org_fixture_end);

/* ---- a bundle ---- */

Test(org, a_bundle_is_verified_and_read)
{
	struct org org;

	cr_assert(eq(int, verify_at(make(3), NOW, &org), 0), "%s", note.text);
	cr_expect_str_eq(org.manifest.org, "acme");
	cr_expect(eq(u32, org.manifest.version, 7));
	cr_expect(eq(sz, org.n_nodes, 3));
	cr_expect_str_eq(org.nodes[0].border_endpoint, "tcp://acme.example:7000");
	cr_expect_str_eq(org.nodes[1].prefixes[0], "acme/plant1");
}

Test(org, a_bundle_without_nodes_is_one_too)
{
	struct org org;

	cr_assert(eq(int, verify_at(make(0), NOW, &org), 0), "%s", note.text);
	cr_expect(eq(sz, org.n_nodes, 0));
	cr_expect(org_node(&org, "gate") == NULL);
}

Test(org, nodes_are_found_by_name_and_by_curve_key)
{
	const struct org org = good_org(3);

	cr_expect(org_node(&org, "press") == &org.nodes[1]);
	cr_expect(org_node(&org, "Press") == NULL);
	cr_expect(org_node(&org, "") == NULL);
	cr_expect(org_node_by_curve(&org, &nodes[2].curve) == &org.nodes[2]);
	cr_expect(org_node_by_curve(&org, &(struct curve_key){{99}}) == NULL);
}

Test(org, what_is_verified_does_not_need_the_bytes_it_came_from)
{
	const struct bytes encoded = make(3);
	uint8_t *passing = malloc(encoded.len);
	struct org org;

	must(passing);
	memcpy(passing, encoded.data, encoded.len);
	cr_assert(eq(int, verify_at((struct bytes){passing, encoded.len}, NOW, &org), 0), "%s", note.text);
	memset(passing, 0xff, encoded.len);
	free(passing);
	cr_expect_str_eq(org.manifest.org, "acme");
	cr_expect_str_eq(org.nodes[2].node, "reader");
	cr_expect(bytes_equal(org.encoded, encoded));
}

/* Leaving whole credentials away is possible, the bundle as such is not signed; changing anything is not. */
static bool nothing_was_changed(const struct org *org)
{
	for (size_t i = 0; i < org->n_nodes; i++) {
		struct buf was = {0}, is = {0};
		const struct credential *c = NULL;

		for (size_t k = 0; k < N_NODES && !c; k++)
			c = strcmp(nodes[k].node, org->nodes[i].node) == 0 ? &nodes[k] : NULL;
		if (!c)
			return false;
		credential_encode(c, &was);
		credential_encode(&org->nodes[i], &is);
		const bool same = bytes_equal(buf_bytes(&was), buf_bytes(&is));
		buf_fini(&was);
		buf_fini(&is);
		if (!same)
			return false;
	}
	return true;
}

Test(org, no_changed_byte_changes_what_is_believed)
{
	static const uint8_t flips[] = {0x01, 0x08, 0x80};
	const struct bytes good = make(3);
	uint8_t *bad = arena_take(arena, good.len);
	size_t n_accepted = 0;

	memcpy(bad, good.data, good.len);
	for (size_t i = 0; i < good.len * 3; i++) {
		SCOPED(scope_arena) struct arena *a = NULL;
		struct org org;

		must(arena_new(&a, 1 << 20) == 0);
		bad[i / 3] ^= flips[i % 3];
		if (org_verify(a, (struct bytes){bad, good.len}, NOW, &org, &note) == 0) {
			n_accepted++;
			cr_expect(nothing_was_changed(&org), "byte %zu", i / 3);
			cr_expect(org.n_nodes < 3, "byte %zu", i / 3);
		} else {
			cr_expect(note.text[0] != '\0', "byte %zu", i / 3);
		}
		bad[i / 3] ^= flips[i % 3];
	}
	cr_expect(n_accepted <= 3, "only the three tags can be turned into unknown fields: %zu", n_accepted);
}

Test(org, a_bundle_cut_short_is_refused_or_lacks_whole_nodes)
{
	const struct bytes good = make(3);
	size_t n_accepted = 0;

	for (size_t len = 0; len < good.len; len++) {
		SCOPED(scope_arena) struct arena *a = NULL;
		struct org org;

		must(arena_new(&a, 1 << 20) == 0);
		const int r = org_verify(a, (struct bytes){good.data, len}, NOW, &org, &note);
		n_accepted += r == 0;
		cr_expect(r == ERR_MALFORMED || r == ERR_UNTRUSTED || (r == 0 && nothing_was_changed(&org)),
			  "%zu: %d", len, r);
	}
	cr_expect(eq(sz, n_accepted, 3), "after the manifest and after each node but the last");
}

Test(org, bytes_that_are_no_bundle_are_refused)
{
	cr_expect(eq(int, verify(BYTES("policy acme\n  share \"x\"\n")), ERR_MALFORMED));
	cr_expect(says("the bundle cannot be read"), "%s", note.text);
	cr_expect(verify((struct bytes){NULL, 0}) < 0);
}

/* ---- the manifest ---- */

Test(org, a_manifest_must_be_signed_by_the_root_it_names)
{
	const struct signed_blob m = signed_manifest(stranger, SIGN_MANIFEST);

	expect_untrusted(verify(bundle_of(&m, NULL, 0)),
			 "manifest of acme was not signed by the root it names");
}

Test(org, a_manifest_signature_must_be_made_for_a_manifest)
{
	const struct signed_blob m = signed_manifest(root, SIGN_CREDENTIAL);

	expect_untrusted(verify(bundle_of(&m, NULL, 0)), "wrong signature");
}

Test(org, the_name_of_a_manifest_cannot_be_exchanged)
{
	struct signed_blob m = signed_manifest(root, SIGN_MANIFEST);

	manifest.org = "bolt";
	m.payload = signed_manifest(stranger, SIGN_MANIFEST).payload;
	expect_untrusted(verify(bundle_of(&m, NULL, 0)), "wrong signature");
}

Test(org, an_expired_manifest_is_told_from_one_not_yet_valid)
{
	struct org org;

	cr_expect(eq(int, verify_at(make(1), NOW + YEAR - 1, &org), 0), "%s", note.text);
	expect_untrusted(verify_at(make(1), NOW + YEAR, &org),
			 "manifest of acme expired on 2027-09-21T14:13:20Z: ask its admin for a new bundle");
	manifest.issued_ns = NOW + NOT_BEFORE_LEEWAY_S * NS_PER_S;
	cr_expect(eq(int, verify_at(make(1), NOW, &org), 0), "%s", note.text);
	expect_untrusted(verify_at(make(1), NOW - 1, &org), "manifest of acme is not yet valid");
}

Test(org, times_at_the_ends_of_the_calendar_are_no_trouble)
{
	struct org org;

	expect_untrusted(verify_at(make(1), TIME_MAX, &org), "manifest of acme expired on");
	expect_untrusted(verify_at(make(1), TIME_MIN, &org), "manifest of acme is not yet valid");
	manifest.issued_ns = TIME_MIN;
	cr_expect(eq(int, verify(make(1)), ERR_UNTRUSTED));
	manifest.issued_ns = NOW;
	manifest.valid_until_ns = TIME_MAX;
	expect_untrusted(verify(make(1)), "more than 400 days");
}

Test(org, a_manifest_lives_400_days_at_most)
{
	manifest.issued_ns = NOW;
	manifest.valid_until_ns = NOW + MANIFEST_LIFE_DAYS * DAY;
	cr_expect(eq(int, verify(make(1)), 0), "%s", note.text);
	manifest.valid_until_ns++;
	expect_untrusted(verify(make(1)), "wants to be valid for more than 400 days");
}

/* ---- credentials in a bundle ---- */

static int verify_with(const struct signed_blob *credential)
{
	const struct signed_blob m = signed_manifest(root, SIGN_MANIFEST);
	struct signed_blob c = *credential;

	return verify(bundle_of(&m, &c, 1));
}

Test(org, only_an_issuer_may_sign_credentials)
{
	struct signed_blob c = signed_credential(stranger, SIGN_CREDENTIAL, &nodes[0]);

	expect_untrusted(verify_with(&c),
			 "credential 1 in the bundle of acme was not signed by an issuer of acme");
	c = signed_credential(root, SIGN_CREDENTIAL, &nodes[0]);
	expect_untrusted(verify_with(&c), "was not signed by an issuer of acme");
	c = signed_credential(policy_key, SIGN_CREDENTIAL, &nodes[0]);
	expect_untrusted(verify_with(&c), "was not signed by an issuer of acme");
	c.key = sign_key_public(issuer); /* claimed, not shown */
	expect_untrusted(verify_with(&c), "credential 1 in the bundle of acme has a wrong signature");
}

Test(org, every_listed_issuer_may_sign_credentials)
{
	issuers[1] = (struct issuer_key){sign_key_public(stranger), NOW - 30 * DAY, NOW + YEAR};
	manifest.n_issuers = 2;
	const struct signed_blob c = signed_credential(stranger, SIGN_CREDENTIAL, &nodes[0]);
	cr_expect(eq(int, verify_with(&c), 0), "%s", note.text);
}

Test(org, a_signature_of_another_kind_is_no_credential)
{
	static const char *const others[] = {SIGN_MANIFEST, SIGN_POLICY, SIGN_HEAD, SIGN_ROWS};

	for (size_t i = 0; i < sizeof others / sizeof *others; i++) {
		const struct signed_blob c = signed_credential(issuer, others[i], &nodes[0]);
		expect_untrusted(verify_with(&c), "wrong signature");
	}
}

Test(org, a_manifest_is_no_credential)
{
	manifest.issuers[0].key = sign_key_public(root); /* even if the root were an issuer */
	const struct signed_blob c = signed_manifest(root, SIGN_MANIFEST);
	expect_untrusted(verify_with(&c), "wrong signature");
}

Test(org, a_key_speaks_only_for_its_organisation)
{
	nodes[0].org = "bolt";
	expect_untrusted(verify(make(1)),
			 "credential 1 in the bundle of acme is of organisation bolt, not of acme");
}

Test(org, an_issuer_counts_only_while_it_is_valid)
{
	nodes[0].not_before_ns = NOW - 30 * DAY;
	cr_expect(eq(int, verify(make(1)), 0), "%s", note.text);
	nodes[0].not_before_ns--;
	expect_untrusted(verify(make(1)),
			 "credential of acme/gate was issued when its issuer key was not valid");
	nodes[0].not_before_ns = NOW;
	issuers[0].not_after_ns = NOW;
	expect_untrusted(verify(make(1)), "was issued when its issuer key was not valid");
	issuers[0].not_after_ns++;
	cr_expect(eq(int, verify(make(1)), 0), "%s", note.text);
}

Test(org, credentials_outlive_the_issuer_that_signed_them)
{
	issuers[0].not_after_ns = NOW - DAY / 2;
	cr_expect(eq(int, verify(make(1)), 0), "%s", note.text);
}

Test(org, an_expired_credential_does_not_spoil_the_bundle)
{
	struct org org;

	nodes[1].not_before_ns = NOW - 20 * DAY;
	nodes[1].not_after_ns = NOW - 10 * DAY;
	cr_assert(eq(int, verify_at(make(3), NOW, &org), 0), "%s", note.text);
	cr_expect(org_node(&org, "press") != NULL);
}

Test(org, a_credential_begins_before_it_ends)
{
	nodes[0].not_after_ns = nodes[0].not_before_ns;
	cr_expect(verify(make(1)) < 0);
}

Test(org, names_and_keys_of_nodes_are_unique)
{
	nodes[1].node = "gate";
	expect_untrusted(verify(make(2)), "the bundle of acme has two nodes named gate");
	begin_nodes();
	nodes[2].curve = nodes[0].curve;
	expect_untrusted(verify(make(3)), "the nodes gate and reader of acme have the same key");
	begin_nodes();
	nodes[2].sign = nodes[1].sign;
	expect_untrusted(verify(make(3)), "the nodes press and reader of acme have the same key");
}

Test(org, prefixes_lie_within_the_organisation)
{
	static const char *const foreign[] = {"bolt/plant1", "acmee/plant1", "plant1",
					      "acme/",       "acme//x",      ""};

	for (size_t i = 0; i < sizeof foreign / sizeof *foreign; i++) {
		prefixes[0] = foreign[i];
		const int r = verify(make(2));
		cr_expect(r == ERR_UNTRUSTED || r == ERR_MALFORMED, "'%s': %d", foreign[i], r);
	}
	prefixes[0] = "bolt/plant1";
	expect_untrusted(verify(make(2)), "credential of acme/press claims a prefix that is not within acme");
}

Test(org, the_role_border_and_a_border_endpoint_belong_together)
{
	nodes[0].border_endpoint = "";
	expect_untrusted(verify(make(1)),
			 "credential of acme/gate has the role border but no border endpoint");
	nodes[0].border_endpoint = "tcp://acme.example:7000";
	nodes[0].roles = ROLE_OWNER;
	expect_untrusted(verify(make(1)),
			 "credential of acme/gate has a border endpoint but not the role border");
}

Test(org, borders_are_few)
{
	static char names[BORDERS_MAX + 1][8];

	for (size_t i = 0; i <= BORDERS_MAX; i++) {
		nodes[i] = nodes[0];
		snprintf(names[i], sizeof names[i], "gate%zu", i);
		nodes[i].node = names[i];
		nodes[i].curve.b[1] = nodes[i].sign.b[1] = (uint8_t)i;
	}
	cr_expect(eq(int, verify(make(BORDERS_MAX)), 0), "%s", note.text);
	expect_untrusted(verify(make(BORDERS_MAX + 1)), "more than 8 border nodes");
}

/* ---- memory ---- */

Test(org, every_allocation_may_fail)
{
	const struct bytes encoded = make(3);
	bool failed = true;

	for (long allowed = 0; failed; allowed++) {
		SCOPED(scope_arena) struct arena *a = NULL;
		struct org org;

		alloc_fail_after(allowed);
		int r = arena_new(&a, 1 << 20);
		if (r == 0)
			r = org_verify(a, encoded, NOW, &org, NULL);
		if (r == 0)
			r = org_may_replace(&org, &org, NULL);
		failed = alloc_has_failed();
		alloc_fail_after(-1);
		cr_expect(eq(int, r, failed ? -ENOMEM : 0), "allocation %ld", allowed);
	}
}

Test(org, a_small_budget_is_an_error_and_not_a_crash)
{
	const struct bytes encoded = make(3);
	int r = -1;

	for (size_t budget = 0; r < 0 && budget < 1 << 20; budget += 64) {
		SCOPED(scope_arena) struct arena *a = NULL;
		struct org org;

		must(arena_new(&a, budget) == 0);
		r = org_verify(a, encoded, NOW, &org, NULL);
		cr_expect(r == 0 || r == -ENOMEM || r == ERR_MALFORMED, "%zu: %d", budget, r);
	}
	cr_expect(eq(int, r, 0));
}
