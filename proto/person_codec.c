/* SPDX-License-Identifier: Apache-2.0 */
#include "proto/codec.h"

static int person_to_pb(struct arena *a, const struct person *p, PB(Person) * pb)
{
	pb->org = text_to_pb(p->org);
	pb->name = text_to_pb(p->name);
	pb->serial = bytes_to_pb((struct bytes){p->serial.b, sizeof p->serial.b});
	pb->sign = bytes_to_pb((struct bytes){p->sign.b, sizeof p->sign.b});
	pb->not_before_ns = p->not_before_ns;
	pb->not_after_ns = p->not_after_ns;
	return texts_to_pb(a, p->roles, p->n_roles, &pb->roles, &pb->n_roles);
}

/* Sorted and each once, so that a set of roles has one form. */
static int person_roles_from_pb(struct arena *a, const PB(Person) * pb, struct person *ret)
{
	TRY(malformed_unless(pb->n_roles <= PERSON_ROLES_MAX));
	ret->roles = arena_take_array(a, pb->n_roles, sizeof *ret->roles);
	if (!ret->roles)
		return FAIL(-ENOMEM);
	ret->n_roles = pb->n_roles;
	for (size_t i = 0; i < pb->n_roles; i++) {
		TRY(word_from_pb(pb->roles[i], word_is_person, &ret->roles[i]));
		TRY(malformed_unless(i == 0 || strcmp(ret->roles[i - 1], ret->roles[i]) < 0));
	}
	return 0;
}

static int person_from_pb(struct arena *a, const PB(Person) * pb, struct person *ret)
{
	TRY(word_from_pb(pb->org, word_is_org, &ret->org));
	TRY(word_from_pb(pb->name, word_is_person, &ret->name));
	TRY(fixed_from_pb(pb->serial, ret->serial.b, sizeof ret->serial.b));
	TRY(fixed_from_pb(pb->sign, ret->sign.b, sizeof ret->sign.b));
	ret->not_before_ns = pb->not_before_ns;
	ret->not_after_ns = pb->not_after_ns;
	return person_roles_from_pb(a, pb, ret);
}

DEFINE_CODEC(person, Person, person)

static int errand_to_pb(struct arena *a, const struct errand *e, PB(Errand) * pb)
{
	(void)a;
	pb->org = text_to_pb(e->org);
	pb->person = text_to_pb(e->person);
	pb->serial = bytes_to_pb((struct bytes){e->serial.b, sizeof e->serial.b});
	pb->node = text_to_pb(e->node);
	pb->at_ns = e->at_ns;
	pb->until_ns = e->until_ns;
	pb->nonce = bytes_to_pb((struct bytes){e->nonce, sizeof e->nonce});
	return 0;
}

static int errand_from_pb(struct arena *a, const PB(Errand) * pb, struct errand *ret)
{
	(void)a;
	TRY(word_from_pb(pb->org, word_is_org, &ret->org));
	TRY(word_from_pb(pb->person, word_is_person, &ret->person));
	TRY(fixed_from_pb(pb->serial, ret->serial.b, sizeof ret->serial.b));
	TRY(word_from_pb(pb->node, word_is_node, &ret->node));
	TRY(malformed_unless(pb->at_ns < pb->until_ns));
	ret->at_ns = pb->at_ns;
	ret->until_ns = pb->until_ns;
	return fixed_from_pb(pb->nonce, ret->nonce, sizeof ret->nonce);
}

DEFINE_CODEC(errand, Errand, errand)
