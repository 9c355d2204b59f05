/* SPDX-License-Identifier: Apache-2.0 */
/* What is shown to somebody who holds a verified organisation: credentials, newer bundles, policies. */
#include <criterion/criterion.h>
#include <criterion/new/assert.h>
#include <sodium.h>

#include "tests/lib/must.h"
#include "tests/unit/security/org_fixture.h"

TestSuite(org_held, .init = org_fixture_begin, .fini = org_fixture_end);

/* ---- a credential alone ---- */

static int verify_credential(const struct org *org, const struct signed_blob *blob, int64_t now_ns)
{
	struct buf b = {0};
	struct credential c;

	note.text[0] = '\0';
	signed_blob_encode(blob, &b);
	const int r = org_verify_credential(arena, org, keep(&b), now_ns, &c, &note);
	if (r == 0)
		cr_expect_str_eq(c.node, "press");
	return r;
}

Test(org_held, a_credential_is_verified_against_its_organisation)
{
	const struct org org = good_org(0);
	struct signed_blob c = signed_credential(issuer, SIGN_CREDENTIAL, &nodes[1]);

	cr_expect(eq(int, verify_credential(&org, &c, NOW), 0), "%s", note.text);
	c = signed_credential(stranger, SIGN_CREDENTIAL, &nodes[1]);
	expect_untrusted(verify_credential(&org, &c, NOW),
			 "the credential was not signed by an issuer of acme");
	nodes[1].org = "bolt";
	c = signed_credential(issuer, SIGN_CREDENTIAL, &nodes[1]);
	expect_untrusted(verify_credential(&org, &c, NOW),
			 "the credential is of organisation bolt, not of acme");
}

Test(org_held, a_credential_has_its_time)
{
	const struct org org = good_org(0);
	const struct signed_blob c = signed_credential(issuer, SIGN_CREDENTIAL, &nodes[1]);
	const int64_t from = nodes[1].not_before_ns, to = nodes[1].not_after_ns;

	cr_expect(eq(int, verify_credential(&org, &c, to - 1), 0), "%s", note.text);
	expect_untrusted(verify_credential(&org, &c, to), "credential of acme/press expired on 2026-10-21T");
	cr_expect(eq(int, verify_credential(&org, &c, from - NOT_BEFORE_LEEWAY_S * NS_PER_S), 0), "%s",
		  note.text);
	expect_untrusted(verify_credential(&org, &c, from - NOT_BEFORE_LEEWAY_S * NS_PER_S - 1),
			 "credential of acme/press is not yet valid");
}

Test(org_held, no_credential_outlives_the_manifest)
{
	nodes[1].not_after_ns = NOW + 2 * YEAR;
	const struct org org = good_org(0);
	const struct signed_blob c = signed_credential(issuer, SIGN_CREDENTIAL, &nodes[1]);

	cr_expect(eq(int, verify_credential(&org, &c, NOW + YEAR - 1), 0), "%s", note.text);
	expect_untrusted(verify_credential(&org, &c, NOW + YEAR), "manifest of acme expired");
}

Test(org_held, bytes_that_are_no_credential_are_refused)
{
	const struct org org = good_org(0);
	struct credential c;

	cr_expect(eq(int, org_verify_credential(arena, &org, BYTES("\xff\xff\xff"), NOW, &c, &note),
		     ERR_MALFORMED));
	cr_expect(says("the credential cannot be read"), "%s", note.text);
}

/* ---- replacing ---- */

static int replace(const struct org *old, const struct org *next)
{
	note.text[0] = '\0';
	return org_may_replace(old, next, &note);
}

Test(org_held, a_newer_manifest_replaces_an_older_one)
{
	const struct org old = good_org(1);

	manifest.version++;
	const struct org next = good_org(2);
	cr_expect(eq(int, replace(&old, &next), 0), "%s", note.text);
	expect_untrusted(replace(&next, &old),
			 "manifest of acme has version 7, older than the version 8 held here");
}

Test(org_held, the_same_manifest_may_bring_more_nodes)
{
	const struct org old = good_org(1), next = good_org(3);

	cr_expect(eq(int, replace(&old, &next), 0), "%s", note.text);
}

Test(org_held, two_manifests_of_one_version_are_one_too_many)
{
	const struct org old = good_org(1);

	manifest.valid_until_ns++;
	const struct org next = good_org(1);
	expect_untrusted(replace(&old, &next), "two different manifests of acme with version 7");
}

Test(org_held, a_version_far_ahead_is_refused)
{
	const struct org old = good_org(1);

	manifest.version = 7 + VERSION_JUMP_MAX;
	const struct org far = good_org(1);
	cr_expect(eq(int, replace(&old, &far), 0), "%s", note.text);
	manifest.version++;
	const struct org too_far = good_org(1);
	expect_untrusted(replace(&old, &too_far), "jumps from version 7 to 1008, more than 1000 at once");
	manifest.version = UINT32_MAX;
	const struct org end_of_time = good_org(1);
	expect_untrusted(replace(&old, &end_of_time), "jumps from version 7 to 4294967295");
}

static struct org org_with_root(struct sign_key *new_root)
{
	struct sign_key *was = root;

	manifest.version++;
	manifest.root = sign_key_public(new_root);
	root = new_root;
	const struct org org = good_org(1);
	root = was;
	return org;
}

Test(org_held, only_the_announced_root_may_take_over)
{
	const struct org old = good_org(1);
	const struct org thief = org_with_root(stranger), heir = org_with_root(next_root);

	expect_untrusted(replace(&old, &thief), "the root of acme changed without having been announced");
	cr_expect(eq(int, replace(&old, &heir), 0), "%s", note.text);
}

/* ---- a line of roots ---- */

static struct signed_blob manifest_of(const struct sign_key *k, uint32_t version, const struct sign_key *next)
{
	const struct public_key announced = sign_key_public(next);

	manifest.root = sign_key_public(k);
	manifest.version = version;
	crypto_generichash(manifest.next_root_hash, KEY_BYTES, announced.b, sizeof announced.b, NULL, 0);
	return signed_manifest(k, SIGN_MANIFEST);
}

static struct bytes bundle_after(const struct signed_blob *m, struct signed_blob *ancestors, size_t n)
{
	const struct bundle bundle = {.manifest = *m, .ancestors = ancestors, .n_ancestors = n};
	struct buf b = {0};

	bundle_encode(&bundle, &b);
	return keep(&b);
}

Test(org_held, who_missed_roots_finds_the_way_to_the_present_one)
{
	const struct org old = good_org(0);
	struct signed_blob line[] = {manifest_of(root, 7, next_root), manifest_of(next_root, 9, stranger)};
	const struct signed_blob last = manifest_of(stranger, 10, policy_key);
	struct org org;

	cr_assert(eq(int, verify_at(bundle_after(&last, line, 2), NOW, &org), 0), "%s", note.text);
	cr_assert(eq(sz, org.n_roots, 3));
	cr_expect(memcmp(org.roots[0].b, old.manifest.root.b, KEY_BYTES) == 0);
	cr_expect(memcmp(org.roots[2].b, org.manifest.root.b, KEY_BYTES) == 0);
	cr_expect(eq(int, replace(&old, &org), 0), "%s", note.text);
}

Test(org_held, roots_follow_from_each_other)
{
	struct signed_blob first = manifest_of(root, 7, next_root),
			   second = manifest_of(next_root, 9, stranger);
	struct signed_blob same_version = manifest_of(next_root, 10, stranger),
			   elsewhere = manifest_of(next_root, 9, policy_key);
	const struct signed_blob last = manifest_of(stranger, 10, policy_key);
	manifest.org = "bolt";
	struct signed_blob foreign = manifest_of(next_root, 9, stranger);
	struct signed_blob *const lines[][2] = {{&second, &first},       {&first, &first},
						{&first, &same_version}, {&first, &elsewhere},
						{&first, &foreign},      {&foreign, &second}};

	for (size_t i = 0; i < sizeof lines / sizeof lines[0]; i++) {
		struct signed_blob line[] = {*lines[i][0], *lines[i][1]};
		struct org org;
		cr_expect(eq(int, verify_at(bundle_after(&last, line, 2), NOW, &org), ERR_UNTRUSTED), "%zu",
			  i);
		cr_expect(strstr(note.text, "do not follow from each other") != NULL, "%zu: %s", i,
			  note.text);
	}
}

Test(org_held, a_stolen_old_root_cannot_tell_another_end_of_its_time)
{
	const struct org old = good_org(0);
	struct signed_blob forged = manifest_of(root, 8, stranger);
	const struct signed_blob last = manifest_of(stranger, 9, policy_key);
	struct org thief;

	cr_assert(eq(int, verify_at(bundle_after(&last, &forged, 1), NOW, &thief), 0), "%s", note.text);
	expect_untrusted(replace(&old, &thief), "the root of acme changed without having been announced");
}

Test(org_held, one_organisation_does_not_replace_another)
{
	const struct org old = good_org(0);

	manifest.org = "bolt";
	const struct org other = good_org(0);
	expect_untrusted(replace(&old, &other), "a bundle of bolt cannot replace one of acme");
}

/* ---- policies ---- */

static struct signed_blob signed_policy(const struct sign_key *k, const char *context,
					const struct policy_doc *p)
{
	struct buf b = {0};

	policy_doc_encode(p, &b);
	return sign(k, context, &b);
}

static const struct policy_doc doc = {"acme", 4, NOW, POLICY_FORMAT, "policy acme\n"};

static int verify_policy(const struct org *org, struct signed_blob blob)
{
	struct policy_doc p;

	note.text[0] = '\0';
	const int r = org_verify_policy(arena, org, &blob, &p, &note);
	if (r == 0) {
		cr_expect(eq(u64, p.epoch, 4));
		cr_expect_str_eq(p.text, "policy acme\n");
	}
	return r;
}

Test(org_held, a_policy_is_signed_by_a_policy_key)
{
	const struct org org = good_org(0);

	cr_expect(eq(int, verify_policy(&org, signed_policy(policy_key, SIGN_POLICY, &doc)), 0), "%s",
		  note.text);
	expect_untrusted(verify_policy(&org, signed_policy(issuer, SIGN_POLICY, &doc)),
			 "was not signed by a policy key of acme");
	expect_untrusted(verify_policy(&org, signed_policy(root, SIGN_POLICY, &doc)),
			 "was not signed by a policy key of acme");
	expect_untrusted(verify_policy(&org, signed_policy(policy_key, SIGN_ROWS, &doc)), "wrong signature");
}

Test(org_held, a_policy_is_of_its_organisation)
{
	const struct org org = good_org(0);
	struct policy_doc foreign = doc;

	foreign.org = "bolt";
	expect_untrusted(verify_policy(&org, signed_policy(policy_key, SIGN_POLICY, &foreign)),
			 "the policy is of organisation bolt, not of acme");
}

Test(org_held, a_policy_of_a_newer_format_is_not_guessed_at)
{
	const struct org org = good_org(0);
	struct policy_doc newer = doc;

	newer.format = POLICY_FORMAT + 1;
	cr_expect(eq(int, verify_policy(&org, signed_policy(policy_key, SIGN_POLICY, &newer)), ERR_VERSION));
	cr_expect(says("has format 2, this version knows only 1"), "%s", note.text);
}
