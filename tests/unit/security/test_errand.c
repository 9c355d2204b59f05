/* SPDX-License-Identifier: Apache-2.0 */
/* Errands: one test for each rule; in each one thing is not as it should be. */
#include "security/errand.h"

#include <criterion/criterion.h>
#include <criterion/new/assert.h>

#include "tests/lib/must.h"
#include "tests/unit/security/org_fixture.h"

static struct sign_key *kims; /* key */
static const char *roles[] = {"operator"};
static struct person kim;
static struct errand errand;
static const struct sign_key *signer;
static const char *context;
static struct errand_word word;

static void begin(void)
{
	const uint8_t seed[32] = {42};

	org_fixture_begin();
	must(sign_key_from_seed(&kims, seed) == 0);
	kim = (struct person){.org = "acme",
			      .name = "kim",
			      .serial = {{9, 9}},
			      .sign = sign_key_public(kims),
			      .roles = roles,
			      .n_roles = 1,
			      .not_before_ns = NOW - DAY,
			      .not_after_ns = NOW + 29 * DAY};
	errand = (struct errand){.org = "acme",
				 .person = "kim",
				 .serial = kim.serial,
				 .node = "gate",
				 .at_ns = NOW,
				 .until_ns = NOW + 60 * NS_PER_S,
				 .nonce = {1}};
	signer = kims;
	context = SIGN_ERRAND;
}

static void end(void)
{
	sign_key_free(kims);
	kims = NULL;
	org_fixture_end();
}

TestSuite(errand, .init = begin, .fini = end, .timeout = 60);

static struct bytes credential(void)
{
	struct buf payload = {0}, out = {0};

	person_encode(&kim, &payload);
	const struct signed_blob blob = sign(issuer, SIGN_PERSON, &payload);
	signed_blob_encode(&blob, &out);
	return keep(&out);
}

static struct bytes signed_errand(void)
{
	struct buf payload = {0}, out = {0};

	errand_encode(&errand, &payload);
	const struct signed_blob blob = sign(signer, context, &payload);
	signed_blob_encode(&blob, &out);
	return keep(&out);
}

static int shown_at(int64_t now_ns)
{
	const struct errand_proof proof = {credential(), signed_errand()};
	const struct org org = good_org(N_NODES);

	note = (struct err_note){0};
	return errand_verify(arena, &org, &proof, now_ns, &word, &note);
}

Test(errand, says_who_asks_and_with_which_roles)
{
	cr_assert(eq(int, shown_at(NOW), 0), "%s", note.text);
	cr_expect(strcmp(word.person.name, "kim") == 0 && strcmp(word.person.roles[0], "operator") == 0);
	cr_expect(strcmp(word.errand.node, "gate") == 0);
	cr_expect(eq(i64, word.until_ns, NOW + 60 * NS_PER_S));
	kim.not_after_ns = NOW + 30 * NS_PER_S;
	cr_assert(eq(int, shown_at(NOW), 0), "%s", note.text);
	cr_expect(eq(i64, word.until_ns, NOW + 30 * NS_PER_S), "no longer than the credential");
}

Test(errand, signing_makes_what_verifying_takes)
{
	SCOPED(buf_fini) struct buf out = {0};
	const struct org org = good_org(N_NODES);

	errand_sign(kims, &errand, &out);
	must(buf_check(&out) == 0);
	cr_expect(out.len <= ERRAND_MAX);
	const struct errand_proof proof = {credential(), buf_bytes(&out)};
	cr_expect(eq(int, errand_verify(arena, &org, &proof, NOW, &word, &note), 0), "%s", note.text);
}

Test(errand, of_another_signer_is_refused)
{
	signer = stranger;
	expect_untrusted(shown_at(NOW), "not signed by kim at acme");
	signer = issuer;
	expect_untrusted(shown_at(NOW), "not signed by kim at acme");
}

Test(errand, signed_as_something_else_is_refused)
{
	context = SIGN_HEAD;
	expect_untrusted(shown_at(NOW), "not signed by kim at acme");
}

Test(errand, of_another_organisation_person_or_credential_is_refused)
{
	errand.org = "bolt";
	expect_untrusted(shown_at(NOW), "is not of kim at acme with this credential");
	errand.org = "acme";
	errand.person = "alex";
	expect_untrusted(shown_at(NOW), "is not of kim at acme with this credential");
	errand.person = "kim";
	errand.serial.b[0]++;
	expect_untrusted(shown_at(NOW), "is not of kim at acme with this credential");
}

Test(errand, is_over_when_it_says_so)
{
	cr_expect(eq(int, shown_at(errand.until_ns - 1), 0));
	expect_untrusted(shown_at(errand.until_ns), "is over");
}

Test(errand, may_begin_as_far_ahead_as_clocks_differ)
{
	errand.at_ns = NOW + NOT_BEFORE_LEEWAY_S * NS_PER_S;
	errand.until_ns = errand.at_ns + NS_PER_S;
	cr_expect(eq(int, shown_at(NOW), 0), "%s", note.text);
	expect_untrusted(shown_at(NOW - 1), "has not begun");
}

Test(errand, for_longer_than_minutes_is_refused)
{
	errand.until_ns = errand.at_ns + ERRAND_LIFE_MAX_S * NS_PER_S;
	cr_expect(eq(int, shown_at(NOW), 0), "%s", note.text);
	errand.until_ns++;
	expect_untrusted(shown_at(NOW), "for more than 300 seconds");
	errand.at_ns = TIME_MIN;
	errand.until_ns = TIME_MAX;
	expect_untrusted(shown_at(NOW), "for more than 300 seconds");
}

Test(errand, for_what_is_no_node_of_the_organisation_is_refused)
{
	errand.node = "elsewhere";
	expect_untrusted(shown_at(NOW), "which is no node of acme");
}

Test(errand, of_who_was_revoked_is_refused)
{
	struct revoked entry = {.kind = REVOKED_SERIAL,
				.serial = kim.serial,
				.node = "",
				.until_ns = NOW + YEAR,
				.reason = "left"};

	revocations = (struct revocations){.org = "acme",
					   .seq = 1,
					   .this_update_ns = NOW,
					   .next_update_ns = NOW + DAY,
					   .entries = &entry,
					   .n_entries = 1};
	expect_untrusted(shown_at(NOW), "credential of kim at acme was revoked");
}

Test(errand, of_who_is_not_the_organisations_is_refused)
{
	kim.org = errand.org = "bolt";
	expect_untrusted(shown_at(NOW), "the credential is of organisation bolt, not of acme");
}

/* Whatever byte of it is another, it is not what was signed. */
Test(errand, with_any_byte_changed_is_refused)
{
	const struct bytes good = signed_errand(), person = credential();
	const struct org org = good_org(N_NODES);

	for (size_t i = 0; i < good.len; i++) {
		struct buf copy = {0};
		buf_put(&copy, good);
		copy.data[i] ^= 1;
		const struct errand_proof proof = {person, keep(&copy)};
		cr_expect(lt(int, errand_verify(arena, &org, &proof, NOW, &word, &note), 0), "byte %zu", i);
	}
	for (size_t n = 0; n < good.len; n++) {
		const struct errand_proof proof = {person, {good.data, n}};
		cr_expect(lt(int, errand_verify(arena, &org, &proof, NOW, &word, &note), 0), "%zu bytes", n);
	}
}
