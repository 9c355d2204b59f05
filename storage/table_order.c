/* SPDX-License-Identifier: Apache-2.0 */
/* The twins of a table that was just loaded into the order of their ids, by eight bytes of them at a time. */
#include <stdlib.h>

#include "storage/table_record.h"

enum { FEW = 48, DIGITS = 256, AT_ONCE = 8 };

struct id_ref {
	uint64_t key; /* the bytes that are looked at, big-endian; after the end of the id zero */
	uint32_t number;
};

struct id_sort {
	const struct table *t;
	struct id_ref *spare;
};

static const char *id_of(const struct id_sort *s, uint32_t number)
{
	return twin_index_at(&s->t->twins, number)->id;
}

static uint64_t key_at(const char *id, size_t at)
{
	uint64_t key = 0;
	size_t i = 0;

	for (; i < AT_ONCE && id[at + i]; i++)
		key = key << 8 | (uint8_t)id[at + i];
	return i < AT_ONCE ? key << 8 * (AT_ONCE - i) : key;
}

/* The ids agree before `at`. No two twins have the same. */
static int sort_few(const struct id_sort *s, struct id_ref *refs, size_t n, size_t at)
{
	for (size_t i = 1; i < n; i++) {
		const struct id_ref ref = refs[i];
		size_t k = i;
		for (; k > 0; k--) {
			const int r = strcmp(id_of(s, ref.number) + at, id_of(s, refs[k - 1].number) + at);
			if (r == 0)
				return FAIL(ERR_CORRUPT);
			if (r > 0)
				break;
			refs[k] = refs[k - 1];
		}
		refs[k] = ref;
	}
	return 0;
}

static void sort_digit(const struct id_ref *from, struct id_ref *to, size_t n, unsigned shift)
{
	size_t places[DIGITS] = {0}, sum = 0;

	for (size_t i = 0; i < n; i++)
		places[from[i].key >> shift & (DIGITS - 1)]++;
	for (size_t d = 0; d < DIGITS; d++) {
		const size_t count = places[d];
		places[d] = sum;
		sum += count;
	}
	for (size_t i = 0; i < n; i++)
		to[places[from[i].key >> shift & (DIGITS - 1)]++] = from[i];
}

static void sort_keys(const struct id_sort *s, struct id_ref *refs, size_t n)
{
	struct id_ref *from = refs, *to = s->spare;
	uint64_t differ = 0;

	for (size_t i = 1; i < n; i++)
		differ |= refs[i].key ^ refs[0].key;
	for (unsigned shift = 0; shift < 64; shift += 8) {
		if (!(differ >> shift & (DIGITS - 1)))
			continue;
		sort_digit(from, to, n, shift);
		struct id_ref *other = from;
		from = to;
		to = other;
	}
	if (from != refs)
		memcpy(refs, from, n * sizeof *refs);
}

/* The ids agree before `at`, and are longer than that. */
static int sort(const struct id_sort *s, struct id_ref *refs, size_t n, size_t at)
{
	size_t end;

	if (n <= FEW)
		return sort_few(s, refs, n, at);
	for (size_t i = 0; i < n; i++)
		refs[i].key = key_at(id_of(s, refs[i].number), at);
	sort_keys(s, refs, n);
	for (size_t i = 0; i < n; i = end) {
		for (end = i + 1; end < n && refs[end].key == refs[i].key;)
			end++;
		if (end - i > 1 && (refs[i].key & (DIGITS - 1)) == 0)
			return FAIL(ERR_CORRUPT); /* the same to the end */
		if (end - i > 1)
			TRY(sort(s, refs + i, end - i, at + AT_ONCE));
	}
	return 0;
}

int record_order_ids(struct table *t)
{
	const size_t most = t->twins.n + 1;
	SCOPED(scope_free) struct id_ref *refs = malloc(most * 2 * sizeof *refs);
	size_t n = 0;

	if (!refs)
		return FAIL(-ENOMEM);
	const struct id_sort s = {t, refs + most};
	for (uint32_t i = 1; i < t->twins.n; i++)
		if (twin_index_at(&t->twins, i))
			refs[n++].number = i;
	TRY(sort(&s, refs, n, 0));
	for (size_t i = 0; i < n; i++)
		TRY(ordered_append(&t->by_id, twin_index_at(&t->twins, refs[i].number)));
	return 0;
}
