/* SPDX-License-Identifier: Apache-2.0 */
#include "node/partner_set.h"

enum { FIRST_CHAINS = 64 };

static uint32_t chain_of(const struct partner_sets *k, const struct partner_set *s)
{
	uint64_t h = 0;

	for (size_t i = 0; i < PARTNER_WORDS; i++)
		h = (h ^ s->words[i]) * UINT64_C(0x9e3779b97f4a7c15) + (h >> 29);
	return (uint32_t)(h ^ h >> 32) & (k->n_chains - 1);
}

static void enter(struct partner_sets *k, uint32_t number)
{
	uint32_t *chain = &k->chains[chain_of(k, &k->kept[number].set)];

	k->kept[number].next = *chain;
	*chain = number + 1;
}

/* Chains stay about as long as one. */
static int grow(struct partner_sets *k)
{
	const uint32_t size = k->size ? k->size * 2 : FIRST_CHAINS;
	struct kept_set *kept = realloc(k->kept, size * sizeof *kept);

	if (!kept)
		return FAIL(-ENOMEM);
	k->kept = kept;
	uint32_t *chains = calloc(size, sizeof *chains);
	if (!chains)
		return FAIL(-ENOMEM);
	free(k->chains);
	k->chains = chains;
	k->size = k->n_chains = size;
	for (uint32_t i = 0; i < k->n; i++)
		enter(k, i); /* nothing is free when it is full */
	return 0;
}

void partner_sets_fini(struct partner_sets *k)
{
	free(k->kept);
	free(k->chains);
	*k = (struct partner_sets){0};
}

static int add(struct partner_sets *k, const struct partner_set *s, uint32_t *ret)
{
	uint32_t number = k->first_free - 1;

	if (k->first_free == 0) {
		if (k->n == k->size)
			TRY(grow(k));
		number = k->n++;
	} else {
		k->first_free = k->kept[number].next;
	}
	k->kept[number] = (struct kept_set){.set = *s, .users = 1};
	enter(k, number);
	*ret = number;
	return 0;
}

int partner_sets_take(struct partner_sets *k, const struct partner_set *s, uint32_t *ret)
{
	uint32_t at = k->n_chains ? k->chains[chain_of(k, s)] : 0;

	while (at && !partner_set_equal(&k->kept[at - 1].set, s))
		at = k->kept[at - 1].next;
	if (!at)
		return add(k, s, ret);
	k->kept[at - 1].users++;
	*ret = at - 1;
	return 0;
}

bool partner_sets_drop(struct partner_sets *k, uint32_t number)
{
	struct kept_set *kept = &k->kept[number];
	uint32_t *at = &k->chains[chain_of(k, &kept->set)];

	if (--kept->users > 0)
		return false;
	while (*at != number + 1)
		at = &k->kept[*at - 1].next;
	*at = kept->next;
	kept->next = k->first_free;
	k->first_free = number + 1;
	return true;
}
