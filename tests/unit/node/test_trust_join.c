/* SPDX-License-Identifier: Apache-2.0 */
/* What a node makes of bundles that come in any order and lack this or that. */
#include <criterion/criterion.h>
#include <criterion/new/assert.h>

#include "tests/lib/must.h"
#include "tests/unit/node/trust_fixture.h"

TestSuite(trust_join, .init = trust_fixture_begin, .fini = trust_fixture_end);

static int join_bundle(const struct founded *f)
{
	note.text[0] = '\0';
	return trust_join(trust, f->name, bundle_of(f), NOW, &note);
}

Test(trust_join, what_two_bundles_say_together_is_held_and_outlives_a_restart)
{
	add_member(&bolt, "second");
	bolt.n_members = 1;
	admit(&bolt);
	const uint64_t first = trust_org(trust, "bolt")->digest;
	cr_expect(eq(int, join_bundle(&bolt), TRUST_OLD));
	cr_expect(eq(u64, trust_org(trust, "bolt")->digest, first));
	bolt.n_members = 2;
	bolt.members[1].renewed_ns = 1;
	cr_expect(eq(int, join_bundle(&bolt), 0), "%s", note.text);
	cr_expect(eq(sz, trust_org(trust, "bolt")->org.n_nodes, 2));
	const uint64_t both = trust_org(trust, "bolt")->digest;
	cr_expect(both != first);
	bolt.n_members = 1; /* whoever leaves a node out takes nothing away */
	cr_expect(eq(int, join_bundle(&bolt), TRUST_OLD));
	open_at(NOW);
	cr_expect(eq(u64, trust_org(trust, "bolt")->digest, both));
	bolt.n_members = 2;
}

Test(trust_join, an_older_bundle_of_a_peer_adds_what_it_has_and_takes_nothing_back)
{
	add_member(&acme, "n2");
	acme.n_members = 1;
	acme.version = 5;
	admit(&acme);
	acme.version = 4;
	cr_expect(eq(int, accept_at(&acme, NOW), ERR_UNTRUSTED), "an admin gave the wrong file");
	acme.n_members = 2;
	cr_expect(eq(int, join_bundle(&acme), 0), "%s", note.text);
	cr_expect(eq(u32, trust->own.org.manifest.version, 5));
	cr_expect(eq(sz, trust->own.org.n_nodes, 2));
}

Test(trust_join, of_a_stranger_nothing_is_joined)
{
	cr_expect(eq(int, join_bundle(&bolt), ERR_UNTRUSTED));
	cr_expect(says("bolt is not trusted here"), "%s", note.text);
	admit(&bolt);
	cr_expect(eq(int, trust_join(trust, "bolt", bundle_of(&volt), NOW, &note), ERR_UNTRUSTED));
	cr_expect(says("a bundle of volt came as one of bolt"), "%s", note.text);
	cr_expect(trust_org(trust, "volt") == NULL);
}

Test(trust_join, the_file_and_what_was_accepted_since_count_together)
{
	add_member(&acme, "n2");
	add_member(&acme, "n3");
	acme.n_members = 2;
	admit(&acme);
	const struct member second = acme.members[1];
	acme.members[1] = acme.members[2];
	acme.members[2] = second;
	write_bundle(&acme);
	open_at(NOW);
	cr_expect(eq(sz, trust->own.org.n_nodes, 3), "the file has n1 and n3, n2 was accepted");
	acme.n_members = 3;
}

Test(trust_join, a_file_that_has_expired_meanwhile_stops_nothing)
{
	acme.days = DAYS_SHORT;
	write_bundle(&acme);
	open_at(NOW);
	acme.days = DAYS_LONG;
	acme.version++;
	admit(&acme);
	open_at(LATER);
	cr_expect(eq(u32, trust->own.org.manifest.version, 2));
}
