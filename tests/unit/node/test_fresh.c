/* SPDX-License-Identifier: Apache-2.0 */
#include "node/fresh.h"

#include <criterion/criterion.h>
#include <criterion/new/assert.h>

#include "proto/clock.h"
#include "tests/lib/must.h"

#define NOW (INT64_C(1790000000) * NS_PER_S)
#define DAY (86400 * NS_PER_S)
#define EVERY (10 * NS_PER_S)
#define TTL (900 * NS_PER_S)

/* Five nodes of acme, each linked with the next; the first two may be admins. */
enum { ADMIN, ADMIN_2, BORDER, FAR, FARTHER, N_NODES };

static struct node {
	struct trust trust;
	struct fresh *fresh;
	bool cut; /* from the next one */
} nodes[N_NODES];

static struct credential credentials[N_NODES];
static struct sign_key *keys[N_NODES];
static int64_t wall_ns;
static size_t n_told;
static struct err_note note;

static int64_t wall_clock(void)
{
	return wall_ns;
}

static void give(size_t to, size_t from, const struct signed_blob *statement)
{
	n_told++;
	must(fresh_take(nodes[to].fresh, (uint32_t)from + 1, statement, &note) >= 0);
}

/* Sessions are called by the number of the neighbour, one up. */
static void tell(void *ctx, const struct signed_blob *statement, uint32_t except)
{
	const size_t me = (size_t)((struct node *)ctx - nodes);

	if (me > 0 && !nodes[me - 1].cut && except != me)
		give(me - 1, me, statement);
	if (me + 1 < N_NODES && !nodes[me].cut && except != me + 2)
		give(me + 1, me, statement);
}

static void found(void)
{
	for (size_t i = 0; i < N_NODES; i++) {
		must(sign_key_new(&keys[i]) == 0);
		credentials[i] = (struct credential){.org = "acme",
						     .node = "n",
						     .sign = sign_key_public(keys[i]),
						     .roles = i <= ADMIN_2 ? ROLE_ADMIN : ROLE_BORDER,
						     .not_before_ns = NOW - DAY,
						     .not_after_ns = NOW + 30 * DAY};
	}
}

static void begin(void)
{
	must(keys_init() == 0);
	wall_ns = NOW;
	n_told = 0;
	found();
	for (size_t i = 0; i < N_NODES; i++) {
		struct node *n = &nodes[i];
		*n = (struct node){.trust = {.self = &credentials[i],
					     .sign = keys[i],
					     .clock = {.wall_ns = wall_clock},
					     .policy_doc = {.epoch = 5},
					     .own = {.org = {.manifest = {.org = "acme", .version = 2},
							     .nodes = credentials,
							     .n_nodes = N_NODES}}}};
		must(fresh_new(&n->fresh, &(struct fresh_options){.trust = &n->trust,
								  .every_ns = EVERY,
								  .ttl_ns = TTL,
								  .tell = tell,
								  .ctx = n}) == 0);
	}
}

static void end(void)
{
	for (size_t i = 0; i < N_NODES; i++) {
		fresh_free(nodes[i].fresh);
		nodes[i].fresh = NULL;
		sign_key_free(keys[i]);
		keys[i] = NULL;
	}
}

TestSuite(fresh, .init = begin, .fini = end);

static void pass(int64_t ns)
{
	wall_ns += ns;
	for (size_t i = 0; i < N_NODES; i++)
		cr_assert(eq(int, fresh_tick(nodes[i].fresh, wall_ns), 0));
}

static bool is_fresh(size_t node)
{
	note.text[0] = '\0';
	return fresh_check(nodes[node].fresh, &note) == 0;
}

static bool says(const char *words)
{
	return strstr(note.text, words) != NULL;
}

static void use_one_admin(void)
{
	credentials[ADMIN_2].roles = ROLE_OWNER;
}

Test(fresh, a_statement_reaches_everybody_and_comes_to_rest)
{
	use_one_admin();
	cr_expect(not(is_fresh(FARTHER)));
	cr_expect(says("has said yet"), "%s", note.text);
	pass(0);
	for (size_t i = 0; i < N_NODES; i++)
		cr_expect(is_fresh(i), "node %zu: %s", i, note.text);
	cr_expect(eq(sz, n_told, N_NODES - 1), "each link is crossed once");
	pass(EVERY / 2);
	cr_expect(eq(sz, n_told, N_NODES - 1), "not yet again");
	pass(EVERY / 2);
	cr_expect(eq(sz, n_told, 2 * (N_NODES - 1)));
}

Test(fresh, who_is_cut_off_from_all_admins_ends_with_the_time_to_live)
{
	pass(0);
	nodes[BORDER].cut = true;
	for (int64_t t = 0; t < TTL; t += EVERY) {
		cr_assert(is_fresh(FAR));
		pass(EVERY);
	}
	cr_expect(not(is_fresh(FAR)));
	cr_expect(says("has said since"), "%s", note.text);
	cr_expect(is_fresh(BORDER));
	nodes[BORDER].cut = false;
	pass(EVERY);
	cr_expect(is_fresh(FAR), "%s", note.text);
}

Test(fresh, of_two_admins_one_is_enough)
{
	pass(0);
	nodes[ADMIN].cut = true; /* ADMIN_2 and the rest go on without it */
	for (int64_t t = 0; t < 2 * TTL; t += EVERY)
		pass(EVERY);
	cr_expect(is_fresh(FARTHER), "%s", note.text);
	nodes[ADMIN_2].cut = true;
	for (int64_t t = 0; t < TTL; t += EVERY)
		pass(EVERY);
	cr_expect(not(is_fresh(FARTHER)));
}

Test(fresh, who_has_heard_of_a_newer_policy_and_lacks_it_is_not_fresh)
{
	pass(0);
	nodes[ADMIN].trust.policy_doc.epoch = 6;
	cr_assert(eq(int, fresh_changed(nodes[ADMIN].fresh, wall_ns + 1), 0));
	cr_expect(is_fresh(ADMIN));
	cr_expect(not(is_fresh(FARTHER)));
	cr_expect(says("policy 6 is in force"), "%s", note.text);
	nodes[FARTHER].trust.policy_doc.epoch = 6;
	cr_expect(is_fresh(FARTHER));
	cr_expect(not(is_fresh(FAR)), "it lacks it still");
	nodes[ADMIN].cut = true;
	pass(2 * TTL);
	cr_expect(not(is_fresh(FAR)), "and does not forget that it exists when others go on about the older");
}

Test(fresh, revocations_and_manifests_count_as_policies_do)
{
	nodes[ADMIN].trust.own.org.revocations.seq = 1;
	pass(0);
	cr_expect(not(is_fresh(FAR)));
	cr_expect(says("revocations with number 1"), "%s", note.text);
	nodes[FAR].trust.own.org.revocations.seq = 1;
	cr_expect(is_fresh(FAR));
	nodes[ADMIN].trust.own.org.manifest.version = 3;
	pass(EVERY);
	cr_expect(not(is_fresh(FAR)));
	cr_expect(says("manifest 3"), "%s", note.text);
}

Test(fresh, an_organisation_without_an_admin_is_not_bound)
{
	credentials[ADMIN].roles = credentials[ADMIN_2].roles = ROLE_OWNER;
	pass(0);
	cr_expect(eq(sz, n_told, 0));
	cr_expect(is_fresh(FAR));
	cr_expect(eq(i64, fresh_until_ns(nodes[FAR].fresh), TIME_MAX));
	credentials[ADMIN].roles = ROLE_ADMIN;
	cr_expect(not(is_fresh(FAR)));
	credentials[ADMIN].not_after_ns = NOW - 1;
	cr_expect(is_fresh(FAR), "one whose credential has ended does not bind either");
}

Test(fresh, what_a_revoked_admin_said_is_void)
{
	use_one_admin();
	pass(0);
	cr_expect(is_fresh(BORDER));
	credentials[ADMIN].roles = ROLE_OWNER;
	credentials[ADMIN_2].roles = ROLE_ADMIN;
	cr_assert(eq(int, fresh_changed(nodes[BORDER].fresh, wall_ns), 0));
	cr_expect(not(is_fresh(BORDER)));
}

static int take_signed(const struct sign_key *key, const struct freshness *f)
{
	SCOPED(buf_fini) struct buf encoded = {0};
	SCOPED(scope_arena) struct arena *a = NULL;
	struct signed_blob blob;

	note.text[0] = '\0';
	cr_assert(eq(int, arena_new(&a, 1 << 16), 0));
	cr_assert(eq(int, org_sign_freshness(key, f, &encoded), 0));
	cr_assert(eq(int, signed_blob_decode(a, buf_bytes(&encoded), &blob), 0));
	return fresh_take(nodes[BORDER].fresh, 1, &blob, &note);
}

Test(fresh, a_statement_that_is_old_foreign_or_absurd_changes_nothing)
{
	struct freshness f = {
		.org = "acme", .at_ns = NOW, .ttl_ns = TTL, .manifest_version = 2, .policy_epoch = 5};

	cr_expect(eq(int, take_signed(keys[FAR], &f), ERR_UNTRUSTED), "not of an admin");
	f.policy_epoch = 4;
	cr_expect(eq(int, take_signed(keys[ADMIN], &f), ERR_UNTRUSTED));
	cr_expect(says("behind what is held here"), "%s", note.text);
	f.policy_epoch = 5 + EPOCH_JUMP_MAX + 1;
	cr_expect(eq(int, take_signed(keys[ADMIN], &f), ERR_UNTRUSTED));
	f.policy_epoch = 5;
	f.at_ns = NOW - TTL;
	cr_expect(eq(int, take_signed(keys[ADMIN], &f), ERR_UNTRUSTED));
	cr_expect(not(is_fresh(BORDER)));
	cr_expect(eq(sz, n_told, 0), "and nothing of it is handed on");
	f.at_ns = NOW;
	cr_expect(eq(int, take_signed(keys[ADMIN], &f), 0), "%s", note.text);
	n_told = 0;
	cr_expect(eq(int, take_signed(keys[ADMIN], &f), FRESH_OLD), "a replay");
	cr_expect(eq(sz, n_told, 0));
}

Test(fresh, nobody_is_trusted_for_longer_than_this_node_wants)
{
	const struct freshness f = {
		.org = "acme", .at_ns = NOW, .ttl_ns = 1000 * DAY, .manifest_version = 2, .policy_epoch = 5};

	cr_assert(eq(int, take_signed(keys[ADMIN], &f), 0));
	cr_expect(eq(i64, fresh_until_ns(nodes[BORDER].fresh), NOW + TTL));
}

Test(fresh, a_clock_that_is_set_back_does_not_make_a_statement_count_again)
{
	struct clock *clock = &nodes[BORDER].trust.clock;

	use_one_admin();
	pass(0);
	nodes[ADMIN].cut = nodes[ADMIN_2].cut = true;
	wall_ns = NOW + TTL + 1;
	cr_expect(not(is_fresh(BORDER)));
	clock->floor_ns = wall_ns;
	wall_ns = NOW;
	cr_expect(not(is_fresh(BORDER)));
}
