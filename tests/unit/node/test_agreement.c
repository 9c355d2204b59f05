/* SPDX-License-Identifier: Apache-2.0 */
#include "node/agreement.h"

#include <criterion/criterion.h>
#include <criterion/new/assert.h>
#include <stdio.h>

#include "node/trust_private.h"
#include "tests/lib/must.h"
#include "tests/lib/tmpdir.h"
#include "tests/unit/security/org_fixture.h"

/* acme has a border and two nodes with the role admin; bolt is another organisation. */
enum { BORDER, ADMIN, ADMIN_2 };

static struct trust hosts[N_NODES];
static struct sign_key *keys[N_NODES];
static struct bytes bolt, impostor; /* their bundles; both say that they are bolt */
static struct public_key bolt_root;

static const char *dir;

static int64_t wall_clock(void)
{
	return NOW;
}

static void open_store(size_t i)
{
	char path[256];

	trust_store_close(hosts[i].store);
	hosts[i].store = NULL;
	snprintf(path, sizeof path, "%s/%zu", dir, i);
	must(trust_store_open(&hosts[i].store, path, &note) == 0);
}

static struct bytes found_bolt(const struct sign_key *its_root)
{
	manifest.org = "bolt";
	manifest.root = sign_key_public(its_root);
	const struct signed_blob m = signed_manifest(its_root, SIGN_MANIFEST);
	return bundle_of(&m, NULL, 0);
}

static void begin(void)
{
	org_fixture_begin();
	dir = tmpdir_make();
	for (size_t i = 0; i < N_NODES; i++) {
		must(sign_key_new(&keys[i]) == 0);
		nodes[i].sign = sign_key_public(keys[i]);
		nodes[i].roles = i == BORDER ? ROLE_BORDER : ROLE_ADMIN;
	}
	const struct org acme = good_org(N_NODES);
	for (size_t i = 0; i < N_NODES; i++) {
		hosts[i] = (struct trust){.own = {.org = acme},
					  .self = &acme.nodes[i],
					  .sign = keys[i],
					  .clock = {.wall_ns = wall_clock}};
		open_store(i);
	}
	bolt = found_bolt(stranger);
	impostor = found_bolt(next_root);
	bolt_root = sign_key_public(stranger);
}

static void end(void)
{
	for (size_t i = 0; i < N_NODES; i++) {
		for (size_t k = 0; k < hosts[i].n_partners; k++)
			trust_free_partner(hosts[i].partners[k]);
		trust_store_close(hosts[i].store);
		hosts[i] = (struct trust){0};
		sign_key_free(keys[i]);
		keys[i] = NULL;
	}
	org_fixture_end();
	tmpdir_remove();
}

TestSuite(agreement, .init = begin, .fini = end, .timeout = 60);

static struct signed_blob speak(size_t node, bool ended)
{
	struct signed_blob blob;

	cr_assert(eq(int, agreement_speak(&hosts[node], "bolt", &bolt_root, ended, arena, &blob, &note), 0));
	return blob;
}

static int take(size_t node, const struct signed_blob *word)
{
	struct agreement x;

	note.text[0] = '\0';
	return agreement_take(&hosts[node], arena, word, &x, &note);
}

static bool trusts(size_t node)
{
	struct public_key its_present;

	return agreement_root(&hosts[node], "bolt", &its_present);
}

static int accept(size_t node, struct bytes bundle, const char *fingerprint)
{
	const struct org *org;

	note.text[0] = '\0';
	return trust_accept(&hosts[node], bundle, fingerprint, NOW, &org, &note);
}

static const char *fingerprint(void)
{
	char *text = arena_take(arena, FINGERPRINT_SIZE);

	must(text);
	org_fingerprint("bolt", &bolt_root, text);
	return text;
}

Test(agreement, where_the_admin_trusts_a_bundle_of_that_root_needs_no_fingerprint)
{
	cr_expect(eq(int, accept(BORDER, bolt, NULL), ERR_UNTRUSTED));
	const struct signed_blob word = speak(ADMIN, false);
	cr_assert(eq(int, take(BORDER, &word), 0), "%s", note.text);
	cr_expect(eq(int, accept(BORDER, impostor, NULL), ERR_UNTRUSTED), "another root of the same name");
	cr_expect(says("is new here"), "%s", note.text);
	cr_expect(eq(int, accept(BORDER, bolt, NULL), 0), "%s", note.text);
	open_store(BORDER);
	cr_expect(trusts(BORDER), "it is durable");
}

Test(agreement, words_that_are_old_or_come_again_change_nothing)
{
	const struct signed_blob first = speak(ADMIN, false), ended = speak(ADMIN, true);

	cr_assert(eq(int, take(BORDER, &first), 0));
	cr_expect(eq(int, take(BORDER, &first), AGREEMENT_OLD));
	cr_assert(eq(int, take(BORDER, &ended), 0));
	cr_expect(not(trusts(BORDER)));
	cr_expect(eq(int, take(BORDER, &first), AGREEMENT_OLD));
	open_store(BORDER);
	cr_expect(eq(int, take(BORDER, &first), AGREEMENT_OLD));
	cr_expect(not(trusts(BORDER)));
	cr_expect(eq(int, accept(BORDER, bolt, NULL), ERR_REFUSED));
	const struct signed_blob again = speak(ADMIN, false);
	cr_expect(eq(int, take(BORDER, &again), 0));
	cr_expect(trusts(BORDER));
}

Test(agreement, of_two_words_with_one_number_all_keep_the_same)
{
	const struct signed_blob yes = speak(ADMIN, false), no = speak(ADMIN_2, true);

	cr_expect(eq(int, take(ADMIN, &no), 0));
	cr_expect(eq(int, take(ADMIN_2, &yes), AGREEMENT_OLD));
	cr_expect(not(trusts(ADMIN)));
	cr_expect(not(trusts(ADMIN_2)));
}

static struct signed_blob sign_as(size_t node, const struct agreement *x, const char *context)
{
	SCOPED(buf_fini) struct buf payload = {0};
	struct signed_blob blob;

	agreement_encode(x, &payload);
	must(buf_check(&payload) == 0);
	const char *kept = arena_text(arena, buf_bytes(&payload));
	must(kept);
	sign_blob(hosts[node].sign, context, (struct bytes){(const uint8_t *)kept, payload.len}, &blob);
	return blob;
}

Test(agreement, only_a_node_with_the_role_admin_speaks_and_only_for_its_organisation)
{
	struct agreement x = {.org = "acme", .partner = "bolt", .root = bolt_root, .seq = 1, .at_ns = NOW};
	struct signed_blob word = sign_as(BORDER, &x, SIGN_AGREEMENT);

	cr_expect(eq(int, take(ADMIN, &word), ERR_UNTRUSTED));
	cr_expect(says("not signed by an admin node"), "%s", note.text);
	word = sign_as(ADMIN, &x, SIGN_FRESHNESS);
	cr_expect(eq(int, take(BORDER, &word), ERR_UNTRUSTED));
	x.org = "volt";
	word = sign_as(ADMIN, &x, SIGN_AGREEMENT);
	cr_expect(eq(int, take(BORDER, &word), ERR_UNTRUSTED));
	x.org = "acme";
	x.at_ns = NOW + 3600 * NS_PER_S;
	word = sign_as(ADMIN, &x, SIGN_AGREEMENT);
	cr_expect(eq(int, take(BORDER, &word), ERR_UNTRUSTED));
	cr_expect(says("from the future"), "%s", note.text);
	cr_expect(not(trusts(BORDER)));
}

Test(agreement, a_number_far_ahead_does_not_shut_out_every_later_word)
{
	struct agreement x = {
		.org = "acme", .partner = "bolt", .root = bolt_root, .seq = UINT64_MAX, .at_ns = NOW};
	struct signed_blob word = sign_as(ADMIN, &x, SIGN_AGREEMENT);

	cr_expect(eq(int, take(BORDER, &word), ERR_UNTRUSTED));
	const struct signed_blob good = speak(ADMIN, false);
	cr_expect(eq(int, take(BORDER, &good), 0));
	x.seq = 2 + VERSION_JUMP_MAX;
	word = sign_as(ADMIN, &x, SIGN_AGREEMENT);
	cr_expect(eq(int, take(BORDER, &word), ERR_UNTRUSTED));
	cr_expect(says("absurd number"), "%s", note.text);
	x.seq--;
	word = sign_as(ADMIN, &x, SIGN_AGREEMENT);
	cr_expect(eq(int, take(BORDER, &word), 0));
}

Test(agreement, what_was_ended_for_all_comes_back_only_at_an_admin)
{
	const struct signed_blob ended = speak(ADMIN, true);

	cr_assert(eq(int, take(BORDER, &ended), 0));
	cr_expect(eq(int, accept(BORDER, bolt, fingerprint()), ERR_REFUSED));
	cr_expect(says("comes back at a node with the role admin"), "%s", note.text);
	cr_expect(eq(int, accept(ADMIN, bolt, NULL), ERR_REFUSED));
	cr_expect(eq(int, accept(ADMIN, bolt, fingerprint()), 0), "%s", note.text);
}

Test(agreement, nobody_comes_back_before_it_is_forgotten)
{
	struct public_key its_present;
	bool rows_left = false;

	cr_assert(eq(int, agreement_note_end(&hosts[BORDER], "bolt", &bolt_root, true), 0));
	cr_expect(eq(int, accept(BORDER, bolt, fingerprint()), ERR_REFUSED));
	cr_expect(says("still being forgotten"), "%s", note.text);
	open_store(BORDER);
	cr_expect(agreement_end(&hosts[BORDER], "bolt", &its_present, &rows_left) && rows_left);
	cr_expect_str_eq(agreement_next_end(&hosts[BORDER], arena, ""), "bolt");
	cr_assert(eq(int, agreement_note_end(&hosts[BORDER], "bolt", &bolt_root, false), 0));
	cr_expect(eq(int, accept(BORDER, bolt, fingerprint()), 0), "%s", note.text);
	cr_assert(eq(int, agreement_note_end(&hosts[BORDER], "bolt", NULL, false), 0));
	cr_expect_null(agreement_next_end(&hosts[BORDER], arena, ""));
}

Test(agreement, a_policy_may_go_on_naming_whose_trust_has_ended)
{
	const char *text =
		arena_print(arena,
			    "policy acme\n org bolt = %s\n share \"all\"\n to org bolt\n twins **\n"
			    " allow discover\n until 2100-01-01\n",
			    fingerprint());
	struct policy_finding *findings;
	struct policy *policy = NULL;
	size_t n;

	must(text);
	cr_expect(eq(int, trust_compile(&hosts[BORDER], text, NOW, &policy, arena, &findings, &n, &note),
		     ERR_REFUSED));
	cr_assert(eq(int, agreement_note_end(&hosts[BORDER], "bolt", &bolt_root, false), 0));
	cr_expect(eq(int, trust_compile(&hosts[BORDER], text, NOW, &policy, arena, &findings, &n, &note), 0),
		  "%s", note.text);
	policy_free(policy);
}

Test(agreement, what_an_admin_said_that_is_gone_another_one_says_again)
{
	const struct signed_blob first = speak(ADMIN, true);
	struct signed_blob again;
	const char *partner;

	cr_assert(eq(int, take(ADMIN_2, &first), 0));
	cr_expect(eq(int, agreement_renew(&hosts[ADMIN_2], arena, "", &partner, &again, &note),
		     AGREEMENT_NONE));
	for (size_t i = 0; i < N_NODES; i++)
		hosts[i].own.org.nodes[ADMIN].roles = ROLE_OWNER;
	cr_assert(eq(int, take(BORDER, &first), ERR_UNTRUSTED), "who comes later");
	cr_assert(eq(int, agreement_renew(&hosts[ADMIN_2], arena, "", &partner, &again, &note), 0));
	cr_expect_str_eq(partner, "bolt");
	cr_expect(eq(int, take(BORDER, &again), 0), "%s", note.text);
	cr_expect(not(trusts(BORDER)));
	cr_expect(eq(int, accept(BORDER, bolt, fingerprint()), ERR_REFUSED));
	cr_expect(eq(int, agreement_renew(&hosts[ADMIN_2], arena, "", &partner, &again, &note),
		     AGREEMENT_NONE));
}

Test(agreement, words_are_bounded)
{
	char name[16];
	int r = 0;

	for (int i = 0; i <= AGREEMENTS_MAX && r == 0; i++) {
		snprintf(name, sizeof name, "p%d", i);
		const struct agreement x = {
			.org = "acme", .partner = name, .root = bolt_root, .seq = 1, .at_ns = NOW};
		const struct signed_blob word = sign_as(ADMIN, &x, SIGN_AGREEMENT);
		r = take(BORDER, &word);
		cr_expect(eq(int, r, i < AGREEMENTS_MAX ? 0 : ERR_REFUSED), "word %d: %s", i, note.text);
	}
}
