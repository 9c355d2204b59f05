/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/unit/node/people.h"

#include "proto/clock.h"
#include "tests/lib/must.h"
#include "tests/unit/node/world.h"

#define NOW_NS (1000 * NS_PER_S) /* the world's */
#define DAY_NS (86400 * NS_PER_S)

enum { N_ORGS = 3, NODES_EACH = 2 };

static const char *const names[N_ORGS] = {"acme", "volt", "harbor"};
static struct credential nodes[N_ORGS][NODES_EACH];
static struct issuer_key issuers[N_ORGS];
static struct sign_key *issuer_keys[N_ORGS], *person_key;
static struct arena *arena;
static struct revoked revoked;
static const char *operators[] = {"operator"};

static size_t place_of(const char *org)
{
	size_t i = 0;

	while (strcmp(names[i], org) != 0)
		must(++i < N_ORGS);
	return i;
}

struct org *people_org(const char *org)
{
	const size_t i = place_of(org);

	return i == 0 ? &world.trust->own.org : &world.trust->partners[i - 1]->org;
}

static struct sign_key *key_of(uint8_t seed_byte)
{
	const uint8_t seed[32] = {seed_byte, 78};
	struct sign_key *k = NULL;

	must(sign_key_from_seed(&k, seed) == 0);
	return k;
}

void people_set_up(void)
{
	static const char *const node_names[N_ORGS][NODES_EACH] = {{"n1", "n2"}, {"v1", "v2"}, {"h1", "h2"}};

	must(keys_init() == 0 && arena_new(&arena, 16 << 20) == 0);
	person_key = key_of(9);
	for (size_t i = 0; i < N_ORGS; i++) {
		struct org *org = people_org(names[i]);
		issuer_keys[i] = key_of((uint8_t)i);
		issuers[i] = (struct issuer_key){sign_key_public(issuer_keys[i]), 0, DAY_NS};
		for (size_t k = 0; k < NODES_EACH; k++)
			nodes[i][k] = (struct credential){
				.org = names[i], .node = node_names[i][k], .not_after_ns = DAY_NS};
		*org = (struct org){.manifest = {.org = names[i],
						 .version = 1,
						 .valid_until_ns = DAY_NS,
						 .issuers = &issuers[i],
						 .n_issuers = 1},
				    .nodes = nodes[i],
				    .n_nodes = NODES_EACH};
	}
}

void people_tear_down(void)
{
	for (size_t i = 0; i < N_ORGS; i++) {
		*people_org(names[i]) = (struct org){.manifest = {.org = names[i]}};
		sign_key_free(issuer_keys[i]);
	}
	sign_key_free(person_key);
	arena_free(arena);
	person_key = NULL;
	arena = NULL;
}

struct showing people_eve(void)
{
	const struct person eve = {.org = "volt",
				   .name = "eve",
				   .serial = {{7}},
				   .sign = sign_key_public(person_key),
				   .roles = operators,
				   .n_roles = 1,
				   .not_before_ns = 1,
				   .not_after_ns = DAY_NS / 2};

	return (struct showing){.issuer = "volt",
				.person = eve,
				.errand = {.org = "volt",
					   .person = "eve",
					   .serial = eve.serial,
					   .node = "v1",
					   .at_ns = NOW_NS,
					   .until_ns = NOW_NS + 60 * NS_PER_S,
					   .nonce = {1}}};
}

static struct bytes keep(struct buf *b)
{
	uint8_t *copy = arena_take(arena, b->len);

	must(buf_check(b) == 0 && copy);
	memcpy(copy, b->data, b->len);
	const struct bytes kept = {copy, b->len};
	buf_fini(b);
	return kept;
}

struct errand_proof people_prove(const struct showing *s)
{
	struct buf payload = {0}, credential = {0}, errand = {0};
	struct signed_blob blob;

	person_encode(&s->person, &payload);
	must(buf_check(&payload) == 0);
	sign_blob(issuer_keys[place_of(s->issuer)], SIGN_PERSON, buf_bytes(&payload), &blob);
	signed_blob_encode(&blob, &credential);
	buf_fini(&payload);
	errand_sign(person_key, &s->errand, &errand);
	return (struct errand_proof){keep(&credential), keep(&errand)};
}

void people_revoke(const struct person *p)
{
	struct org *org = people_org(p->org);

	revoked = (struct revoked){
		.kind = REVOKED_SERIAL, .serial = p->serial, .node = "", .until_ns = DAY_NS, .reason = ""};
	org->revocations = (struct revocations){.org = p->org,
						.seq = org->revocations.seq + 1,
						.next_update_ns = DAY_NS,
						.entries = &revoked,
						.n_entries = 1};
	org->revocations_hash[0]++;
}
