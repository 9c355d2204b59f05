/* SPDX-License-Identifier: Apache-2.0 */
#include "node/pointers.h"

static int pointers_grow(struct pointers *p)
{
	struct pointers next = {.size = p->size ? p->size * 2 : 256, .n = p->n};

	next.entries = calloc(next.size, sizeof *next.entries);
	if (!next.entries)
		return FAIL(-ENOMEM);
	for (size_t i = 0; i < p->size; i++)
		if (p->entries[i].key)
			next.entries[pointers_place(&next, p->entries[i].key)] = p->entries[i];
	free(p->entries);
	*p = next;
	return 0;
}

int pointers_put(struct pointers *p, const void *key, uint32_t value)
{
	if (p->n >= p->size / 2)
		TRY(pointers_grow(p));
	struct pointers_entry *e = &p->entries[pointers_place(p, key)];
	p->n += !e->key;
	*e = (struct pointers_entry){key, value};
	return 0;
}
