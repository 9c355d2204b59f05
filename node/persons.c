/* SPDX-License-Identifier: Apache-2.0 */
#include "node/persons.h"

#include <stdio.h>

#include "proto/hash.h"

enum { PROOF_BYTES = 256 * 1024 };

/* What a pair said when it was verified. */
struct known {
	struct hash256 pair;
	int64_t until_ns; /* 0: the place is free */
	char name[PERSON_NAME_MAX + 1], node[NODE_NAME_MAX + 1];
	char roles[PERSON_ROLES_MAX][PERSON_NAME_MAX + 1];
	size_t n_roles;
};

struct persons {
	struct known places[PERSONS_REMEMBERED]; /* by hash; who comes later has the place */
	uint64_t n_verified;
};

int persons_new(struct persons **ret)
{
	*ret = calloc(1, sizeof **ret);
	return *ret ? 0 : FAIL(-ENOMEM);
}

void persons_free(struct persons *p)
{
	free(p);
}

uint64_t persons_verified(const struct persons *p)
{
	return p->n_verified;
}

static void add(struct hash256_run *run, struct bytes piece)
{
	const uint64_t length = piece.len;

	hash256_add(run, (struct bytes){(const uint8_t *)&length, sizeof length});
	hash256_add(run, piece);
}

/* Of the pair, and of all that can make its judgement another one but time. */
static struct hash256 hash_of(const struct org *org, const struct errand_proof *proof)
{
	const struct manifest *m = &org->manifest;
	struct hash256_run run;

	hash256_begin(&run);
	add(&run, bytes_of_text(m->org));
	add(&run, (struct bytes){m->root.b, sizeof m->root.b});
	add(&run, (struct bytes){(const uint8_t *)&m->version, sizeof m->version});
	add(&run, (struct bytes){org->revocations_hash, sizeof org->revocations_hash});
	add(&run, proof->credential);
	add(&run, proof->errand);
	return hash256_end(&run);
}

static int verify(struct persons *p, const struct org *org, const struct errand_proof *proof, int64_t now_ns,
		  struct known *ret, struct err_note *note)
{
	SCOPED(scope_arena) struct arena *a = NULL;
	struct errand_word w;

	TRY(arena_new(&a, PROOF_BYTES));
	p->n_verified++;
	TRY(errand_verify(a, org, proof, now_ns, &w, note));
	ret->until_ns = w.until_ns < org->manifest.valid_until_ns ? w.until_ns : org->manifest.valid_until_ns;
	snprintf(ret->name, sizeof ret->name, "%s", w.person.name);
	snprintf(ret->node, sizeof ret->node, "%s", w.errand.node);
	ret->n_roles = w.person.n_roles;
	for (size_t i = 0; i < w.person.n_roles; i++)
		snprintf(ret->roles[i], sizeof ret->roles[i], "%s", w.person.roles[i]);
	return 0;
}

static int recall(struct persons *p, const struct org *org, const struct errand_proof *proof, int64_t now_ns,
		  const struct known **ret, struct err_note *note)
{
	const struct hash256 pair = hash_of(org, proof);
	struct known *place = &p->places[pair.b[0] % PERSONS_REMEMBERED];
	struct known fresh = {.pair = pair};

	if (place->until_ns <= now_ns || memcmp(&place->pair, &pair, sizeof pair) != 0) {
		TRY(verify(p, org, proof, now_ns, &fresh, note));
		*place = fresh;
	}
	*ret = place;
	return 0;
}

static int take(const struct known *k, const struct person_claim *claim, struct arena *a, struct audience *to)
{
	const char *roles[PERSON_ROLES_MAX];
	struct audience person = *to, copy;

	for (size_t i = 0; i < k->n_roles; i++)
		roles[i] = k->roles[i];
	person.person = arena_print(a, "%s/%s", claim->org, k->name);
	person.roles = roles;
	person.n_roles = k->n_roles;
	person.credential = claim->proof.credential;
	person.errand = claim->proof.errand;
	if (!person.person)
		return FAIL(-ENOMEM);
	TRY(audience_copy(a, &person, &copy));
	*to = copy;
	return 0;
}

int persons_admit(struct persons *p, const struct trust *t, const struct person_claim *claim, struct arena *a,
		  struct audience *to, struct err_note *note)
{
	const struct partner *partner = trust_org(t, claim->org);
	const struct known *k;

	if (!partner)
		return FAIL_SAY(note, ERR_UNTRUSTED, "%s is not a trusted organisation", claim->org);
	TRY(recall(p, &partner->org, &claim->proof, trust_now(t), &k, note));
	if (!org_node(&partner->org, k->node)) /* credentials come and go without a new manifest */
		return FAIL_SAY(note, ERR_UNTRUSTED, "the errand of %s is for %s, which is no node of %s",
				k->name, k->node, claim->org);
	if (claim->node && strcmp(k->node, claim->node) != 0)
		return FAIL_SAY(note, ERR_UNTRUSTED, "the errand of %s is for the node %s, not for %s",
				k->name, k->node, claim->node);
	return take(k, claim, a, to);
}
