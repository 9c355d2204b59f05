/* SPDX-License-Identifier: Apache-2.0 */
/* Trust of the node acme/n1, which knows the partners bolt and volt. */
#include <criterion/criterion.h>
#include <criterion/new/assert.h>
#include <stdio.h>

#include "tests/lib/must.h"
#include "tests/unit/node/trust_fixture.h"

TestSuite(trust, .init = trust_fixture_begin, .fini = trust_fixture_end);

/* ---- Epochs ---- */

static size_t n_stored_epochs(void)
{
	const char *key = "";
	struct bytes value;
	size_t n = 0;

	while (trust_store_next(trust->store, arena, "epoch/", key, &key, &value) == 0)
		n++;
	return n;
}

Test(trust, an_epoch_seen_counts_at_once_and_is_stored_by_the_flush)
{
	admit(&bolt);
	for (uint64_t epoch = 1; epoch <= 50; epoch++)
		cr_assert(eq(int, trust_see_epoch(trust, "bolt", epoch), 0));
	cr_expect(eq(int, trust_see_epoch(trust, "bolt", 49), ERR_UNTRUSTED));
	cr_expect(eq(int, trust_see_epoch(trust, "bolt", 50), 0));
	cr_expect(eq(sz, n_stored_epochs(), 0));
	cr_expect(eq(int, trust_flush(trust), 0));
	cr_expect(eq(sz, n_stored_epochs(), 1));
	cr_expect(not(trust->partners[0]->epoch_dirty));
}

Test(trust, the_highest_epoch_outlives_a_restart)
{
	admit(&bolt);
	cr_expect(eq(int, trust_see_epoch(trust, "bolt", 7), 0));
	open_at(NOW);
	cr_expect(eq(int, trust_see_epoch(trust, "bolt", 6), ERR_UNTRUSTED));
	cr_expect(eq(int, trust_see_epoch(trust, "bolt", 7), 0));
}

Test(trust, an_absurd_epoch_locks_nobody_out)
{
	admit(&bolt);
	cr_expect(eq(int, trust_see_epoch(trust, "bolt", UINT64_MAX), ERR_UNTRUSTED));
	cr_expect(eq(int, trust_see_epoch(trust, "bolt", (UINT64_C(1) << 40) + 1), ERR_UNTRUSTED));
	cr_expect(eq(int, trust_see_epoch(trust, "bolt", 5000), 0), "the first may be any sane one");
	cr_expect(eq(int, trust_see_epoch(trust, "bolt", 5001 + EPOCH_JUMP_MAX), ERR_UNTRUSTED));
	cr_expect(eq(int, trust_see_epoch(trust, "bolt", UINT64_MAX), ERR_UNTRUSTED));
	cr_expect(eq(int, trust_see_epoch(trust, "bolt", 5000 + EPOCH_JUMP_MAX), 0));
}

Test(trust, a_stranger_shows_no_epoch)
{
	cr_expect(eq(int, trust_see_epoch(trust, "bolt", 1), ERR_UNTRUSTED));
}

Test(trust, a_partner_taken_in_again_goes_on_at_its_epoch)
{
	bolt.days = DAYS_SHORT;
	admit(&bolt);
	cr_expect(eq(int, trust_see_epoch(trust, "bolt", 7), 0));
	open_at(LATER);
	cr_assert(trust_org(trust, "bolt") == NULL, "its bundle has expired");
	bolt.days = DAYS_LONG;
	bolt.version++;
	cr_assert(eq(int, accept_at(&bolt, LATER), 0), "%s", note.text);
	cr_expect(eq(int, trust_see_epoch(trust, "bolt", 6), ERR_UNTRUSTED));
}

Test(trust, an_organisation_founded_anew_begins_anew)
{
	bolt.days = DAYS_SHORT;
	admit(&bolt);
	cr_expect(eq(int, trust_see_epoch(trust, "bolt", 7), 0));
	open_at(LATER);
	disband(&bolt);
	found(&bolt, "bolt", "gate");
	cr_assert(eq(int, accept_at(&bolt, LATER), 0), "%s", note.text);
	cr_expect(eq(int, trust_see_epoch(trust, "bolt", 1), 0));
}

Test(trust, an_announced_new_root_goes_on_at_the_epoch)
{
	admit(&bolt);
	cr_expect(eq(int, trust_see_epoch(trust, "bolt", 7), 0));
	rotate_root(&bolt);
	admit(&bolt);
	cr_expect(eq(int, trust_see_epoch(trust, "bolt", 6), ERR_UNTRUSTED));
	cr_expect(not(trust->partners[0]->epoch_dirty), "stored before the bundle");
	open_at(NOW);
	cr_expect(eq(int, trust_see_epoch(trust, "bolt", 6), ERR_UNTRUSTED));
}

/* ---- Keys of others ---- */

/* Put another organisation's node among the members of `f` while its bundle is offered. */
static int accept_with_key_of(struct founded *f, const struct member *curve, const struct member *sign)
{
	struct founded thief = *f;

	thief.members[thief.n_members++] = (struct member){.name = "thief",
							   .sign = sign->sign,
							   .curve = curve->curve,
							   .roles = ROLE_OWNER | ROLE_BORDER};
	const struct org *org;
	note.text[0] = '\0';
	return trust_accept(trust, bundle_of(&thief), fingerprint(f), NOW, &org, &note);
}

Test(trust, a_bundle_with_a_key_of_another_organisation_is_refused_and_not_stored)
{
	add_member(&volt, "spare");
	const struct member *own = &acme.members[0], *partner = &bolt.members[0], *good = &volt.members[1];
	volt.n_members--;
	admit(&bolt);
	cr_expect(eq(int, accept_with_key_of(&volt, own, good), ERR_UNTRUSTED));
	cr_expect(says("volt/thief") && says("acme/n1"), "%s", note.text);
	cr_expect(eq(int, accept_with_key_of(&volt, partner, good), ERR_UNTRUSTED));
	cr_expect(says("volt/thief") && says("bolt/gate"), "%s", note.text);
	cr_expect(eq(int, accept_with_key_of(&volt, good, own), ERR_UNTRUSTED));
	cr_expect(eq(int, accept_with_key_of(&volt, good, partner), ERR_UNTRUSTED));
	open_at(NOW);
	cr_expect(trust_org(trust, "volt") == NULL);
	cr_expect(eq(int, accept_with_key_of(&volt, good, good), 0), "%s", note.text);
	volt.n_members++;
}

Test(trust, the_own_entry_wins_when_a_partner_has_its_key)
{
	SCOPED(scope_roster) struct roster *roster = NULL;
	const struct curve_key ours = curve_pair_public(acme.members[0].curve);
	const struct curve_key theirs = curve_pair_public(bolt.members[0].curve);

	admit(&bolt);
	bolt.members[1] = acme.members[0]; /* as if stored before anybody looked */
	bolt.members[1].name = "thief";
	bolt.members[1].roles |= ROLE_BORDER;
	bolt.n_members = 2;
	const struct bytes bundle = bundle_of(&bolt);
	bolt.n_members = 1;
	must(trust_store_put(trust->store, "bundle/bolt", bundle) == 0);
	open_at(NOW);
	cr_assert(eq(sz, trust_org(trust, "bolt")->org.n_nodes, 2));
	cr_assert(eq(int, trust_roster(trust, NOW, &roster), 0));
	cr_expect_str_eq(roster_find(roster, &ours)->org, "acme");
	cr_expect_str_eq(roster_find(roster, &theirs)->org, "bolt");
}

static const char *who_has(const struct member *m)
{
	SCOPED(scope_roster) struct roster *roster = NULL;
	const struct curve_key key = curve_pair_public(m->curve);

	must(trust_roster(trust, NOW, &roster) == 0);
	const struct roster_entry *e = roster_find(roster, &key);
	return e ? arena_print(arena, "%s/%s", e->org, e->node) : "nobody";
}

/* `f` shows one more node, with the keys of a member of another organisation. */
static int show_copy(struct founded *f, const struct member *of, const char *as)
{
	struct founded thief = *f;

	thief.members[thief.n_members] = *of;
	thief.members[thief.n_members].roles |= ROLE_BORDER;
	thief.members[thief.n_members++].name = as;
	return accept_at(&thief, NOW);
}

Test(trust, a_partner_that_copies_a_key_keeps_nobodys_bundles_away_and_gets_nothing_by_it)
{
	add_member(&volt, "spare");
	volt.members[0].roles |= ROLE_BORDER;
	volt.members[1].roles |= ROLE_BORDER;
	volt.n_members = 1;
	admit(&bolt);
	admit(&volt);
	cr_expect(zero(int, show_copy(&bolt, &volt.members[0], "thief")), "%s", note.text);
	for (int i = 0; i < 2; i++, open_at(NOW))
		cr_expect_str_eq(who_has(&volt.members[0]), "volt/gate", "who showed it first");
	volt.n_members = 2; /* a new node, whose key the other one was quicker to show */
	cr_expect(zero(int, show_copy(&bolt, &volt.members[1], "quick")), "%s", note.text);
	cr_expect_str_eq(who_has(&volt.members[1]), "bolt/quick");
	cr_expect(zero(int, accept_at(&volt, NOW)), "%s", note.text);
	cr_expect(org_node(&trust_org(trust, "volt")->org, "spare") != NULL,
		  "the bundle counts all the same");
	for (int i = 0; i < 2; i++, open_at(NOW)) {
		cr_expect_str_eq(who_has(&volt.members[0]), "volt/gate");
		cr_expect_str_eq(who_has(&volt.members[1]), "bolt/quick",
				 "one of them, and it lacks the key");
	}
	cr_expect(eq(int, show_copy(&volt, &acme.members[0], "thief"), ERR_UNTRUSTED),
		  "ours it may not show");
}

/* ---- Policy ---- */

static int64_t policy_issued_ns = NOW;

static struct bytes policy(uint64_t epoch, const struct founded *with)
{
	SCOPED(buf_fini) struct buf payload = {0}, encoded = {0};
	const char *text = arena_print(arena,
				       "policy acme\n org %s = %s\n share \"all\"\n  to org %s\n  twins **\n"
				       "  allow discover\n  until 2030-01-01\n",
				       with->name, fingerprint(with), with->name);
	const struct policy_doc doc = {.org = "acme",
				       .epoch = epoch,
				       .issued_ns = policy_issued_ns,
				       .format = POLICY_FORMAT,
				       .text = text};

	must(text);
	policy_doc_encode(&doc, &payload);
	const struct signed_blob blob = sign(acme.policy, SIGN_POLICY, &payload);
	signed_blob_encode(&blob, &encoded);
	must(buf_check(&encoded) == 0);
	return keep(&encoded);
}

static bool shares_with(const char *org)
{
	const struct policy_twin twin = {.id = "acme/press", .type = ""};
	const struct policy_query q = {.org = org, .right = RIGHT_DISCOVER, .twin = &twin, .now_ns = NOW};

	return policy_allows(trust->policy, &q, NULL);
}

Test(trust, a_stored_policy_that_does_not_compile_keeps_its_epoch_and_shares_nothing)
{
	bolt.days = DAYS_SHORT;
	admit(&bolt);
	admit(&volt);
	cr_assert(eq(int, trust_publish(trust, policy(5, &bolt), NOW, &note), 0), "%s", note.text);
	cr_expect(shares_with("bolt"));
	open_at(LATER);
	cr_expect(not(shares_with("bolt")));
	cr_expect(trust->policy_problem.text[0] != '\0');
	cr_expect(eq(u64, trust->policy_doc.epoch, 5));
	cr_expect(trust->policy_blob.len > 0);
	cr_expect(eq(int, trust_take_policy(trust, policy(4, &volt), LATER, &note), TRUST_OLD));
	cr_expect(eq(int, trust_publish(trust, policy(4, &volt), LATER, &note), TRUST_OLD));
	cr_expect(not(shares_with("volt")));
}

Test(trust, a_policy_held_comes_into_force_with_the_organisation_it_lacked)
{
	cr_assert(eq(int, trust_take_policy(trust, policy(5, &bolt), NOW, &note), 0), "%s", note.text);
	cr_expect(not(shares_with("bolt")));
	cr_expect(trust->policy_problem.text[0] != '\0');
	admit(&volt);
	cr_expect(trust->policy_problem.text[0] != '\0');
	admit(&bolt);
	cr_expect(shares_with("bolt"));
	cr_expect(trust->policy_problem.text[0] == '\0');
	cr_expect(eq(u64, trust->policy_doc.epoch, 5));
}

Test(trust, a_peers_policy_that_does_not_compile_takes_the_older_ones_place)
{
	admit(&bolt);
	cr_assert(eq(int, trust_publish(trust, policy(5, &bolt), NOW, &note), 0), "%s", note.text);
	cr_expect(eq(int, trust_take_policy(trust, policy(6, &volt), NOW, &note), 0), "%s", note.text);
	cr_expect(not(shares_with("bolt")));
	cr_expect(eq(u64, trust->policy_doc.epoch, 6));
	open_at(NOW);
	cr_expect(not(shares_with("bolt")));
	cr_expect(eq(u64, trust->policy_doc.epoch, 6));
}

Test(trust, of_two_policies_with_one_epoch_everybody_keeps_the_same)
{
	admit(&bolt);
	admit(&volt);
	const struct bytes first = policy(5, &bolt);
	policy_issued_ns = NOW + 1;
	const struct bytes second = policy(5, &volt);
	policy_issued_ns = NOW;
	cr_assert(eq(int, trust_publish(trust, first, NOW, &note), 0), "%s", note.text);
	cr_expect(eq(int, trust_publish(trust, second, NOW, &note), TRUST_OLD), "an admin is told");
	cr_expect(eq(int, trust_take_policy(trust, first, NOW, &note), TRUST_OLD));
	cr_expect(eq(int, trust_take_policy(trust, second, NOW, &note), 0), "%s", note.text);
	cr_expect(shares_with("volt"));
	cr_expect(not(shares_with("bolt")));
	cr_expect(eq(int, trust_take_policy(trust, second, NOW, &note), TRUST_OLD));
	cr_expect(eq(int, trust_take_policy(trust, first, NOW, &note), TRUST_OLD));
}

Test(trust, a_policy_that_pins_an_earlier_root_goes_on)
{
	admit(&bolt);
	cr_assert(eq(int, trust_publish(trust, policy(5, &bolt), NOW, &note), 0), "%s", note.text);
	rotate_root(&bolt);
	admit(&bolt);
	cr_expect(shares_with("bolt"));
	open_at(NOW);
	cr_expect(shares_with("bolt"));
	cr_expect(eq(int, trust_publish(trust, policy(6, &bolt), NOW, &note), 0), "%s", note.text);
}

Test(trust, an_admins_policy_that_does_not_compile_changes_nothing)
{
	admit(&bolt);
	cr_assert(eq(int, trust_publish(trust, policy(5, &bolt), NOW, &note), 0), "%s", note.text);
	cr_expect(eq(int, trust_publish(trust, policy(6, &volt), NOW, &note), ERR_REFUSED));
	cr_expect(says("volt"), "%s", note.text);
	cr_expect(shares_with("bolt"));
	cr_expect(eq(u64, trust->policy_doc.epoch, 5));
	open_at(NOW);
	cr_expect(shares_with("bolt"));
}

Test(trust, the_last_policies_are_kept)
{
	SCOPED(scope_arena) struct arena *a = NULL;
	struct policy_doc doc = {0};

	cr_assert(eq(int, arena_new(&a, 16 << 20), 0));
	admit(&bolt);
	for (uint64_t epoch = 1; epoch <= POLICIES_KEPT + 2; epoch++)
		cr_assert(eq(int, trust_publish(trust, policy(epoch, &bolt), NOW, &note), 0), "%s",
			  note.text);
	open_at(NOW);
	for (uint64_t epoch = 1; epoch <= POLICIES_KEPT + 3; epoch++) {
		const bool kept = epoch > 2 && epoch <= POLICIES_KEPT + 2;
		cr_expect(eq(int, trust_past_policy(trust, epoch, a, &doc, &note), kept ? 0 : ERR_ABSENT),
			  "%llu", (unsigned long long)epoch);
		if (kept)
			cr_expect(doc.epoch == epoch && strcmp(doc.text, trust->policy_doc.text) == 0);
	}
	cr_expect(says("only the last 16"), "%s", note.text);
}

Test(trust, a_peers_policy_with_a_wrong_signature_changes_nothing)
{
	admit(&bolt);
	cr_assert(eq(int, trust_publish(trust, policy(5, &bolt), NOW, &note), 0), "%s", note.text);
	struct sign_key *right = acme.policy;
	acme.policy = bolt.policy;
	cr_expect(eq(int, trust_take_policy(trust, policy(6, &bolt), NOW, &note), ERR_UNTRUSTED));
	acme.policy = right;
	cr_expect(eq(int, trust_take_policy(trust, BYTES("nonsense"), NOW, &note), ERR_MALFORMED));
	cr_expect(shares_with("bolt"));
	cr_expect(eq(u64, trust->policy_doc.epoch, 5));
}

Test(trust, a_policy_whose_key_was_taken_back_shares_nothing)
{
	admit(&bolt);
	cr_assert(eq(int, trust_publish(trust, policy(5, &bolt), NOW, &note), 0), "%s", note.text);
	struct sign_key *old = acme.policy;
	acme.policy = acme.next_root;
	acme.version++;
	admit(&acme);
	cr_expect(not(shares_with("bolt")));
	cr_expect(eq(u64, trust->policy_doc.epoch, 5));
	cr_expect(eq(int, trust_publish(trust, policy(6, &bolt), NOW, &note), 0), "%s", note.text);
	cr_expect(shares_with("bolt"));
	acme.policy = old;
}

/* ---- The own organisation ---- */

Test(trust, a_newer_own_bundle_counts_now_and_after_a_restart)
{
	add_member(&acme, "n2");
	acme.version++;
	admit(&acme);
	for (int i = 0; i < 2; i++) {
		cr_expect(eq(sz, trust->own.org.n_nodes, 2));
		cr_expect(trust->self == &trust->own.org.nodes[0]);
		struct signed_blob blob;
		cr_expect(eq(int, signed_blob_decode(arena, trust->credential, &blob), 0));
		cr_expect(sign_verify(SIGN_CREDENTIAL, &blob));
		struct credential shown;
		cr_expect(eq(int, credential_decode(arena, blob.payload, &shown), 0));
		cr_expect_str_eq(shown.node, "n1");
		open_at(NOW);
	}
}

Test(trust, a_file_that_knows_of_a_node_more_counts_before_what_was_stored)
{
	admit(&acme); /* the same as the file: stored all the same */
	add_member(&acme, "n2");
	write_bundle(&acme);
	open_at(NOW);
	cr_expect(eq(sz, trust->own.org.n_nodes, 2));
}

Test(trust, a_file_with_renewed_credentials_counts_before_what_was_stored)
{
	admit(&acme);
	acme.members[0].renewed_ns = 1;
	write_bundle(&acme);
	open_at(NOW);
	cr_expect(eq(i64, trust->self->not_before_ns, NOW + 1));
}

Test(trust, what_was_revoked_since_stays_so_whatever_the_file_knows)
{
	add_member(&acme, "n2");
	write_bundle(&acme);
	open_at(NOW);
	acme.revoked = &acme.members[1];
	admit(&acme);
	cr_expect(eq(sz, trust->own.org.n_nodes, 1));
	open_at(NOW); /* the file still knows both */
	cr_expect(eq(sz, trust->own.org.n_nodes, 1));
	cr_expect_str_eq(trust->self->node, "n1");
	acme.revoked = NULL;
	cr_expect(eq(int, accept_at(&acme, NOW), ERR_UNTRUSTED));
	cr_expect(says("revocations of acme have number 0"), "%s", note.text);
	cr_expect(eq(sz, trust->own.org.n_nodes, 1));
}

Test(trust, a_revoked_key_is_a_stranger)
{
	SCOPED(scope_roster) struct roster *before = NULL, *after = NULL;

	add_member(&bolt, "second");
	admit(&bolt);
	const struct curve_key key = curve_pair_public(bolt.members[1].curve);
	cr_assert(eq(int, trust_roster(trust, NOW, &before), 0));
	cr_expect(roster_find(before, &key) != NULL);
	bolt.revoked = &bolt.members[1];
	admit(&bolt);
	cr_assert(eq(int, trust_roster(trust, NOW, &after), 0));
	cr_expect(roster_find(after, &key) == NULL);
}

Test(trust, an_emergency_extension_ends_at_the_border)
{
	SCOPED(scope_roster) struct roster *roster = NULL;

	add_member(&acme, "n2");
	acme.members[1].own_only = true;
	acme.version++;
	bolt.members[0].own_only = true;
	admit(&acme);
	admit(&bolt);
	const struct curve_key own = curve_pair_public(acme.members[1].curve);
	const struct curve_key foreign = curve_pair_public(bolt.members[0].curve);
	cr_assert(eq(int, trust_roster(trust, NOW, &roster), 0));
	cr_expect(roster_find(roster, &own) != NULL);
	cr_expect(roster_find(roster, &foreign) == NULL);
}

/* The bundle must leave everything as it was, here and on disk. */
static void expect_refused(const char *words)
{
	acme.version++;
	cr_expect(eq(int, accept_at(&acme, NOW), ERR_UNTRUSTED));
	cr_expect(says(words), "%s", note.text);
	cr_assert(trust->self != NULL);
	cr_expect_str_eq(trust->self->node, "n1");
	cr_expect(eq(u32, trust->own.org.manifest.version, 1));
	open_at(NOW);
	cr_expect_str_eq(trust->self->node, "n1");
	cr_expect(eq(u32, trust->own.org.manifest.version, 1));
}

Test(trust, an_own_bundle_with_another_curve_key_for_this_node_is_refused)
{
	add_member(&acme, "n1");
	struct member old = acme.members[0];
	acme.members[0].renewed_ns = 1;
	acme.members[0].curve = acme.members[1].curve;
	acme.members[1].curve = old.curve;
	acme.n_members = 1;
	expect_refused("n1");
	acme.n_members = 2;
}

Test(trust, an_own_bundle_with_another_signing_key_for_this_node_is_refused)
{
	add_member(&acme, "n1");
	struct member old = acme.members[0];
	acme.members[0].renewed_ns = 1;
	acme.members[0].sign = acme.members[1].sign;
	acme.members[1].sign = old.sign;
	acme.n_members = 1;
	expect_refused("n1");
	acme.n_members = 2;
}

Test(trust, an_own_bundle_that_gives_the_keys_to_another_name_is_refused)
{
	acme.members[0].name = "n9";
	acme.members[0].renewed_ns = 1;
	expect_refused("leaves out the node n1");
}

Test(trust, an_own_bundle_that_swaps_the_keys_of_two_nodes_is_refused)
{
	add_member(&acme, "n1");
	acme.members[0].name = "n2";
	acme.members[0].renewed_ns = acme.members[1].renewed_ns = 1;
	expect_refused("other keys for the node n1");
}

Test(trust, a_stored_own_bundle_without_this_nodes_keys_does_not_stop_the_start)
{
	struct founded other;

	found(&other, "acme", "n1");
	struct sign_key *root = other.root;
	other.root = acme.root;
	other.version = 2;
	must(trust_store_put(trust->store, "own-bundle", bundle_of(&other)) == 0);
	other.root = root;
	disband(&other);
	open_at(NOW);
	cr_expect(eq(u32, trust->own.org.manifest.version, 1));
}
