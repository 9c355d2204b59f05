/* SPDX-License-Identifier: Apache-2.0 */
#include "node/persons.h"

#include <criterion/criterion.h>
#include <criterion/new/assert.h>
#include <stdio.h>

#include "proto/clock.h"
#include "tests/lib/must.h"
#include "tests/unit/node/people.h"
#include "tests/unit/node/world.h"

static struct arena *a;
static struct persons *persons;
static struct audience to;
static struct err_note note;

static void set_up(void)
{
	world_set_up();
	people_set_up();
	must(arena_new(&a, 8 << 20) == 0);
	cr_assert(eq(int, persons_new(&persons), 0));
}

static void tear_down(void)
{
	persons_free(persons);
	arena_free(a);
	persons = NULL;
	a = NULL;
	people_tear_down();
	world_tear_down();
}

TestSuite(persons, .init = set_up, .fini = tear_down, .timeout = 60);

static int admit(struct errand_proof proof, const char *org, const char *node)
{
	const struct person_claim claim = {.proof = proof, .org = org, .node = node};

	to = audience_of(org);
	note = (struct err_note){0};
	return persons_admit(persons, world.trust, &claim, a, &to, &note);
}

static int shown(const struct showing *s)
{
	return admit(people_prove(s), "volt", "v1");
}

#define expect_refused(r, words) \
	do { \
		cr_expect(lt(int, (r), 0)); \
		cr_expect(strstr(note.text, words) != NULL, "the note is: %s", note.text); \
		cr_expect(to.person == NULL && to.n_roles == 0 && to.credential.len == 0); \
	} while (0)

Test(persons, who_shows_it_is_the_person_with_its_roles)
{
	const struct showing eve = people_eve();
	const struct errand_proof proof = people_prove(&eve);

	cr_assert(eq(int, admit(proof, "volt", "v1"), 0), "%s", note.text);
	cr_expect(strcmp(to.org, "volt") == 0 && strcmp(to.person, "volt/eve") == 0);
	cr_assert(eq(sz, to.n_roles, 1));
	cr_expect(strcmp(to.roles[0], "operator") == 0);
	cr_expect(bytes_equal(to.credential, proof.credential) && bytes_equal(to.errand, proof.errand));
	cr_expect(eq(int, admit(proof, "volt", NULL), 0), "an owner behind a border knows no more");
}

Test(persons, an_errand_is_for_one_node)
{
	struct showing eve = people_eve();

	expect_refused(admit(people_prove(&eve), "volt", "v2"), "is for the node v1, not for v2");
	eve.errand.node = "h1";
	expect_refused(admit(people_prove(&eve), "volt", NULL), "which is no node of volt");
}

Test(persons, nobody_is_a_person_of_another_organisation)
{
	struct showing eve = people_eve();

	cr_expect(eq(int, shown(&eve), 0), "and is remembered as volt's");
	expect_refused(admit(people_prove(&eve), "harbor", "v1"), "not signed by an issuer of harbor");
	expect_refused(admit(people_prove(&eve), "acme", "n1"), "not signed by an issuer of acme");
	eve.person.org = eve.errand.org = "harbor";
	expect_refused(admit(people_prove(&eve), "harbor", NULL), "not signed by an issuer of harbor");
	expect_refused(admit(people_prove(&eve), "nowhere", NULL), "nowhere is not a trusted organisation");
}

Test(persons, half_of_it_shows_nothing)
{
	const struct showing eve = people_eve();
	struct errand_proof proof = people_prove(&eve);

	proof.errand = (struct bytes){0};
	expect_refused(admit(proof, "volt", "v1"), "the errand");
	proof = people_prove(&eve);
	proof.credential = (struct bytes){0};
	expect_refused(admit(proof, "volt", "v1"), "the credential");
}

Test(persons, what_was_verified_is_not_verified_again)
{
	struct showing eve = people_eve();

	for (int i = 0; i < 100; i++)
		cr_assert(eq(int, shown(&eve), 0));
	cr_expect(eq(u64, persons_verified(persons), 1));
	eve.errand.nonce[0]++;
	cr_expect(eq(int, shown(&eve), 0));
	cr_expect(eq(u64, persons_verified(persons), 2));
	expect_refused(admit(people_prove(&eve), "volt", "v2"), "not for v2");
	cr_expect(eq(u64, persons_verified(persons), 2), "which node asks is looked at each time");
}

Test(persons, what_is_wrong_is_not_remembered)
{
	struct showing eve = people_eve();

	eve.issuer = "harbor";
	expect_refused(shown(&eve), "not signed by an issuer of volt");
	expect_refused(shown(&eve), "not signed by an issuer of volt");
	cr_expect(eq(u64, persons_verified(persons), 2));
}

static int64_t later_ns;

static int64_t wall_later(void)
{
	return 1000 * NS_PER_S + later_ns;
}

Test(persons, what_is_remembered_ends_with_the_errand)
{
	const struct showing eve = people_eve();

	world.trust->clock.wall_ns = wall_later;
	cr_expect(eq(int, shown(&eve), 0));
	later_ns = 60 * NS_PER_S - 1;
	cr_expect(eq(int, shown(&eve), 0));
	later_ns++;
	expect_refused(shown(&eve), "is over");
}

Test(persons, a_revocation_holds_at_once)
{
	const struct showing eve = people_eve();

	cr_expect(eq(int, shown(&eve), 0));
	people_revoke(&eve.person);
	expect_refused(shown(&eve), "was revoked");
}

Test(persons, a_node_that_is_gone_asks_no_more)
{
	const struct showing eve = people_eve();

	cr_expect(eq(int, shown(&eve), 0));
	people_org("volt")->nodes++;
	people_org("volt")->n_nodes--;
	expect_refused(shown(&eve), "which is no node of volt");
}

Test(persons, many_take_each_others_places_and_stay_right)
{
	for (int round = 0; round < 3; round++)
		for (int i = 0; i < 2 * PERSONS_REMEMBERED; i++) {
			struct showing eve = people_eve();
			char name[16];
			snprintf(name, sizeof name, "eve%d", i);
			eve.person.name = eve.errand.person = name;
			cr_assert(eq(int, shown(&eve), 0));
			cr_assert(strcmp(to.person + strlen("volt/"), name) == 0);
		}
}
