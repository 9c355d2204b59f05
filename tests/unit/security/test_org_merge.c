/* SPDX-License-Identifier: Apache-2.0 */
/* Random bundles of one organisation's history: three manifests, of which the second brings a new issuer and
 * the third takes the old one away, three lists of revocations, five nodes of four generations each. */
#include <criterion/criterion.h>
#include <criterion/new/assert.h>
#include <sodium.h>

#include "security/org_merge.h"
#include "tests/lib/must.h"
#include "tests/unit/security/org_fixture.h"

enum { NAMES = 5, GENERATIONS = 4, LISTS = 3, ROUNDS = 400 };

static const char *const names[NAMES] = {"ant", "bee", "cat", "dog", "elk"};
static uint64_t state;
static struct sign_key *second;
static struct signed_blob lists[LISTS + 1];
static struct revoked entries[LISTS];

static uint32_t below(uint32_t n)
{
	state = state * UINT64_C(6364136223846793005) + UINT64_C(1442695040888963407);
	return (uint32_t)(state >> 33) % n;
}

/* Each list takes one node more back, with all it had up to some generation. */
static void sign_lists(int64_t shift_ns, bool wild)
{
	for (uint32_t i = 1; i <= LISTS; i++) {
		entries[i - 1] = (struct revoked){.kind = REVOKED_NODE,
						  .node = names[i],
						  .before_ns = NOW - 10 * DAY + i * DAY + 1,
						  .until_ns = NOW + YEAR,
						  .reason = ""};
		if (wild && i == LISTS) /* only the newest credential of a node is taken back */
			entries[i - 1] = (struct revoked){
				.kind = REVOKED_SERIAL,
				.serial = {{NAMES - 1, (uint8_t) ~(GENERATIONS - 1), GENERATIONS - 1}},
				.node = "",
				.until_ns = NOW + YEAR,
				.reason = ""};
		revocations = (struct revocations){.org = "acme",
						   .seq = i,
						   .this_update_ns = NOW - DAY + i + shift_ns,
						   .next_update_ns = NOW - NS_PER_S,
						   .entries = entries,
						   .n_entries = i};
		if (i > 1)
			revocations_hash(&lists[i - 1], revocations.previous);
		lists[i] = signed_revocations(root);
	}
}

static void begin(void)
{
	const uint8_t seed[32] = {9};

	org_fixture_begin();
	must(sign_key_from_seed(&second, seed) == 0);
	sign_lists(0, false);
	state = 1;
}

static void end(void)
{
	sign_key_free(second);
	org_fixture_end();
}

TestSuite(org_merge, .init = begin, .fini = end);

static struct signed_blob manifest_of(uint32_t version)
{
	struct issuer_key both[2] = {{sign_key_public(issuer), NOW - 30 * DAY, NOW + YEAR},
				     {sign_key_public(second), NOW - 30 * DAY, NOW + YEAR}};

	manifest.version = version;
	manifest.issuers = &both[version == 9];
	manifest.n_issuers = version == 8 ? 2 : 1;
	const struct signed_blob blob = signed_manifest(root, SIGN_MANIFEST);
	manifest.issuers = NULL;
	return blob;
}

/* The first two generations were signed by the old issuer. */
static struct signed_blob credential_of(uint32_t name, uint32_t generation)
{
	const struct credential c = {
		.org = "acme",
		.node = names[name],
		.serial = {{(uint8_t)name, (uint8_t)~generation, (uint8_t)generation}},
		.curve = {{(uint8_t)(name + 1)}},
		.sign = {{(uint8_t)(name + 101)}},
		.roles = ROLE_OWNER,
		.endpoint = "",
		.border_endpoint = "",
		.not_before_ns = NOW - 10 * DAY + generation * DAY,
		.not_after_ns = NOW + DAY,
	};

	return signed_credential(generation < 2 ? issuer : second, SIGN_CREDENTIAL, &c);
}

static bool is_listed(uint32_t version, uint32_t generation)
{
	return version == 8 || (version == 7) == (generation < 2);
}

static struct org verified(struct bytes encoded)
{
	struct org org;

	cr_assert(eq(int, verify_at(encoded, NOW, &org), 0), "%s", note.text);
	return org;
}

/* With `seq` of the list; each node once, or not at all. */
static struct org bundle_with(uint32_t version, uint32_t seq, uint32_t first_generation)
{
	struct signed_blob credentials[NAMES];
	struct bundle b = {.manifest = manifest_of(version), .credentials = credentials};
	struct buf encoded = {0};

	for (uint32_t i = 0; i < NAMES; i++) {
		const uint32_t g = first_generation + below(GENERATIONS - first_generation);
		if (is_listed(version, g) && below(4) > 0)
			credentials[b.n_credentials++] = credential_of(NAMES - 1 - i, g);
	}
	if (seq > 0)
		b.revocations = &lists[seq];
	bundle_encode(&b, &encoded);
	return verified(keep(&encoded));
}

static struct org random_bundle(void)
{
	return bundle_with(7 + below(3), below(LISTS + 1), 0);
}

static struct org merge(const struct org *x, const struct org *y)
{
	struct buf out = {0};

	cr_assert(eq(int, org_merge(arena, x, y, &out, &note), 0), "%s", note.text);
	return verified(keep(&out));
}

static bool same(const struct org *a, const struct org *b)
{
	return bytes_equal(a->encoded, b->encoded);
}

Test(org_merge, what_came_first_or_twice_or_by_another_way_does_not_matter)
{
	size_t n_nodes = 0;

	for (int i = 0; i < ROUNDS; i++) {
		const struct org a = random_bundle(), b = random_bundle(), c = random_bundle();
		const struct org ab = merge(&a, &b), ba = merge(&b, &a), bc = merge(&b, &c);
		const struct org left = merge(&ab, &c), right = merge(&a, &bc), again = merge(&left, &b);

		cr_assert(same(&ab, &ba), "round %d: commutative", i);
		cr_assert(same(&left, &right), "round %d: associative", i);
		cr_assert(same(&left, &again), "round %d: idempotent", i);
		cr_assert(eq(u64, org_digest(left.encoded), org_digest(right.encoded)));
		n_nodes += left.n_nodes;
	}
	cr_expect(n_nodes > ROUNDS, "the bundles were not empty: %zu", n_nodes);
}

/* What must hold of the result, said without the code that makes it. */
static const char *fault_of(const struct org *a, const struct org *b, const struct org *m)
{
	for (size_t i = 0; i < m->n_nodes; i++) {
		const struct credential *c = &m->nodes[i], *x = org_node(a, c->node),
					*y = org_node(b, c->node);
		if (i > 0 && strcmp(m->nodes[i - 1].node, c->node) >= 0)
			return "not sorted";
		if (!x && !y)
			return "a node out of nowhere";
	}
	if (m->manifest.version < a->manifest.version || m->manifest.version < b->manifest.version)
		return "the older manifest";
	if (m->revocations.seq < a->revocations.seq || m->revocations.seq < b->revocations.seq)
		return "the older list";
	for (size_t i = 0; i < a->n_nodes; i++) {
		const struct credential *c = &a->nodes[i], *kept = org_node(m, c->node);
		const uint32_t generation = c->serial.b[2];
		bool revoked = false;
		for (size_t k = 0; k < m->revocations.n_entries; k++)
			revoked |= strcmp(m->revocations.entries[k].node, c->node) == 0 &&
				   c->not_before_ns < m->revocations.entries[k].before_ns;
		const bool counts = is_listed(m->manifest.version, generation) && !revoked;
		if (counts && (!kept || kept->not_before_ns < c->not_before_ns))
			return "a node got lost or older";
		if (!counts && kept && kept->serial.b[2] == generation)
			return "a node that counts no longer";
	}
	return NULL;
}

Test(org_merge, of_everything_the_newest_is_kept_and_nothing_that_was_taken_back)
{
	for (int i = 0; i < ROUNDS; i++) {
		const struct org a = random_bundle(), b = random_bundle(), m = merge(&a, &b);
		const char *fault = fault_of(&a, &b, &m);

		fault = fault ? fault : fault_of(&b, &a, &m);
		cr_assert(fault == NULL, "round %d: %s", i, fault);
	}
}

/* Two neighbours pass on what they hold until nothing changes: also where an older credential outlives a
 * newer one, they end with the same. */
Test(org_merge, neighbours_end_with_the_same_whatever_an_organisation_does)
{
	struct arena *kept = arena;

	sign_lists(0, true);
	for (int i = 0; i < ROUNDS; i++) {
		struct org ring[4];
		size_t quiet = 0, passes = 0;
		must(arena_new(&arena, 64 << 20) == 0);
		for (size_t k = 0; k < 4; k++)
			ring[k] = random_bundle();
		for (size_t k = 0; quiet < 8; k++, passes++) {
			struct org *here = &ring[k % 4], *there = &ring[(k + 1) % 4];
			const struct org joined = merge(here, there);
			quiet = same(here, &joined) && same(there, &joined) ? quiet + 1 : 0;
			*here = *there = joined;
			cr_assert(passes < 40, "round %d does not end", i);
		}
		cr_assert(same(&ring[0], &ring[2]));
		arena_free(arena);
		arena = kept;
	}
}

Test(org_merge, two_lists_with_one_number_do_not_join)
{
	struct org a = bundle_with(7, 1, 0), b;
	struct buf out = {0};

	sign_lists(NS_PER_S, false);
	b = bundle_with(8, 1, 0);
	expect_untrusted(org_merge(arena, &a, &b, &out, &note), "two different revocations of acme");
	expect_untrusted(org_merge(arena, &b, &a, &out, &note), "two different revocations of acme");
	buf_fini(&out);
}

Test(org_merge, a_manifest_of_another_root_does_not_join)
{
	struct org a = bundle_with(7, 0, 0), b;
	struct buf out = {0};
	struct sign_key *own = root;

	root = stranger;
	manifest.root = sign_key_public(stranger);
	b = bundle_with(8, 0, 0);
	root = own;
	expect_untrusted(org_merge(arena, &a, &b, &out, &note), "the root of acme changed");
	expect_untrusted(org_merge(arena, &b, &a, &out, &note), "the root of acme changed");
	buf_fini(&out);
}

/* An impostor's older manifest that announces the true root: nothing of it gets in. */
Test(org_merge, who_announces_the_true_root_adds_nothing)
{
	struct org a = bundle_with(8, 0, 0), b;
	struct buf out = {0};
	struct sign_key *own_root = root, *own_issuer = issuer;

	root = issuer = stranger;
	manifest.root = sign_key_public(stranger);
	const struct public_key announced = sign_key_public(own_root);
	crypto_generichash(manifest.next_root_hash, KEY_BYTES, announced.b, sizeof announced.b, NULL, 0);
	b = bundle_with(7, 0, 0);
	root = own_root;
	issuer = own_issuer;
	cr_assert(b.n_nodes > 0);
	const struct org m = merge(&a, &b), canonical = merge(&a, &a);
	cr_expect(same(&m, &canonical));
	buf_fini(&out);
}

Test(org_merge, a_key_under_a_new_name_is_one_node)
{
	struct credential c = nodes[1];
	struct signed_blob m = signed_manifest(root, SIGN_MANIFEST);
	struct signed_blob first = signed_credential(issuer, SIGN_CREDENTIAL, &c), later;

	c.node = "lathe";
	c.not_before_ns += NS_PER_S;
	later = signed_credential(issuer, SIGN_CREDENTIAL, &c);
	const struct org a = verified(bundle_of(&m, &first, 1)), b = verified(bundle_of(&m, &later, 1)),
			 joined = merge(&a, &b);
	cr_assert(eq(sz, joined.n_nodes, 1));
	cr_expect_str_eq(joined.nodes[0].node, "lathe");
}

Test(org_merge, no_more_borders_than_a_bundle_may_have)
{
	struct signed_blob m = signed_manifest(root, SIGN_MANIFEST), blobs[2][BORDERS_MAX];
	static char border_names[2][BORDERS_MAX][8];

	for (uint8_t i = 0; i < 2 * BORDERS_MAX; i++) {
		struct credential c = nodes[0];
		char *name = border_names[i / BORDERS_MAX][i % BORDERS_MAX];
		memcpy(name, (char[8]){'n', (char)('a' + i)}, 8);
		c.node = name;
		c.curve.b[1] = c.sign.b[1] = (uint8_t)(i + 1);
		c.serial.b[1] = i;
		blobs[i / BORDERS_MAX][i % BORDERS_MAX] = signed_credential(issuer, SIGN_CREDENTIAL, &c);
	}
	const struct org a = verified(bundle_of(&m, blobs[0], BORDERS_MAX)),
			 b = verified(bundle_of(&m, blobs[1], BORDERS_MAX)), ab = merge(&a, &b),
			 ba = merge(&b, &a);
	cr_expect(eq(sz, ab.n_nodes, BORDERS_MAX));
	cr_expect(same(&ab, &ba));
}
