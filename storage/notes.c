/* SPDX-License-Identifier: Apache-2.0 */
#include "storage/notes.h"

#include <assert.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "storage/record.h"

void notes_fini(struct notes *ns)
{
	free(ns->items);
	free(ns->chains);
	*ns = (struct notes){.words = ns->words};
}

/* Where words are does not follow from what anybody sends, so nothing can be made to collide but by sigma,
 * and that is spread well. */
static uint32_t *chain_of(const struct notes *ns, uint64_t sigma, const char *source)
{
	const uint64_t h = (sigma ^ (uint64_t)(uintptr_t)source >> 4) * UINT64_C(0x9e3779b97f4a7c15);

	return &ns->chains[(h >> 32) & (ns->size - 1)];
}

static int grow(struct notes *ns)
{
	const uint32_t size = ns->size ? ns->size * 2 : 16;
	struct note *items = realloc(ns->items, size * sizeof *items);

	if (!items)
		return FAIL(-ENOMEM);
	ns->items = items;
	uint32_t *chains = calloc(size, sizeof *chains);
	if (!chains)
		return FAIL(-ENOMEM);
	free(ns->chains);
	ns->chains = chains;
	ns->size = size;
	if (ns->n == 0)
		items[ns->n++] = (struct note){0};
	for (uint32_t i = 1; i < ns->n; i++) {
		if (items[i].uses == 0)
			continue;
		uint32_t *chain = chain_of(ns, items[i].sigma, items[i].source);
		items[i].next = *chain;
		*chain = i;
	}
	return 0;
}

static bool is_same(const struct note *n, uint64_t sigma, const char *source)
{
	return n->sigma == sigma &&
	       (n->source == source || (n->source && source && strcmp(n->source, source) == 0));
}

static int add(struct notes *ns, uint64_t sigma, const char *word, uint32_t *ret)
{
	uint32_t i = ns->free;

	if (i == 0 && ns->n == ns->size)
		TRY(grow(ns));
	if (i > 0)
		ns->free = ns->items[i].next;
	else
		i = ns->n++;
	uint32_t *chain = chain_of(ns, sigma, word);
	ns->items[i] = (struct note){.sigma = sigma, .source = word, .next = *chain};
	*chain = *ret = i;
	return 0;
}

int notes_take(struct notes *ns, double sigma, const char *source, uint32_t *ret)
{
	const uint64_t bits = isnan(sigma) ? double_bits(NAN) : double_bits(sigma);
	const char *word;
	uint32_t i;

	*ret = 0;
	if (source && !*source)
		source = NULL;
	if (!source && isnan(sigma))
		return 0;
	if (ns->last == 0 || !is_same(&ns->items[ns->last], bits, source)) {
		TRY(intern_take(ns->words, source, &word));
		i = ns->size ? *chain_of(ns, bits, word) : 0;
		while (i > 0 && (ns->items[i].sigma != bits || ns->items[i].source != word))
			i = ns->items[i].next;
		const int r = i > 0 ? 0 : add(ns, bits, word, &i);
		if (r < 0 || ns->items[i].uses > 0)
			intern_drop(ns->words, word);
		TRY(r);
		ns->last = i;
	}
	ns->items[ns->last].uses++;
	*ret = ns->last;
	return 0;
}

void notes_drop(struct notes *ns, uint32_t note)
{
	if (note == 0)
		return;
	struct note *n = &ns->items[note];
	assert(n->uses > 0);
	if (--n->uses > 0)
		return;
	uint32_t *at = chain_of(ns, n->sigma, n->source);
	while (*at != note)
		at = &ns->items[*at].next;
	*at = n->next;
	intern_drop(ns->words, n->source);
	if (ns->last == note)
		ns->last = 0;
	*n = (struct note){.next = ns->free};
	ns->free = note;
}
