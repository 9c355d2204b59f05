/* SPDX-License-Identifier: Apache-2.0 */
#include "storage/twin_index.h"

#include <sodium.h>
#include <stdlib.h>
#include <string.h>

#include "storage/table.h"

void twin_index_fini(struct twin_index *x)
{
	free(x->twins);
	free(x->places);
	*x = (struct twin_index){0};
}

static uint32_t home(const struct twin_index *x, struct bytes id)
{
	uint8_t h[crypto_shorthash_BYTES];
	uint32_t v;

	crypto_shorthash(h, id.data, id.len, x->secret);
	memcpy(&v, h, sizeof v);
	return v & (x->n_places - 1);
}

static bool has_id(const struct own_twin *w, struct bytes id)
{
	return strncmp(w->id, (const char *)id.data, id.len) == 0 && w->id[id.len] == '\0';
}

/* The place of an id, or the free one behind its home. */
static uint32_t *find(const struct twin_index *x, struct bytes id)
{
	uint32_t i = home(x, id);

	while (x->places[i] > 0 && !has_id(x->twins[x->places[i]], id))
		i = (i + 1) & (x->n_places - 1);
	return &x->places[i];
}

/* Of an id that is not in it: no twin is looked at. */
static uint32_t *find_free(const struct twin_index *x, struct bytes id)
{
	uint32_t i = home(x, id);

	while (x->places[i] > 0)
		i = (i + 1) & (x->n_places - 1);
	return &x->places[i];
}

static int grow_places(struct twin_index *x, uint32_t n)
{
	const uint32_t size = n, old_size = x->n_places;
	uint32_t *places = calloc(size, sizeof *places), *old = x->places;

	if (!places)
		return FAIL(-ENOMEM);
	if (old_size == 0)
		randombytes_buf(x->secret, sizeof x->secret);
	x->places = places;
	x->n_places = size;
	for (uint32_t i = 0; i < old_size; i++)
		if (old[i] > 0)
			*find_free(x, bytes_of_text(x->twins[old[i]]->id)) = old[i];
	free(old);
	return 0;
}

static int grow_twins(struct twin_index *x, uint32_t n)
{
	struct own_twin **twins = realloc(x->twins, n * sizeof *twins);

	if (!twins)
		return FAIL(-ENOMEM);
	memset(twins + x->twins_size, 0, (n - x->twins_size) * sizeof *twins);
	x->twins = twins;
	x->twins_size = n;
	return 0;
}

int twin_index_reserve(struct twin_index *x, uint32_t n)
{
	uint32_t places = x->n_places ? x->n_places : 64;

	while (places / 4 * 3 < n)
		places *= 2;
	if (n > x->twins_size)
		TRY(grow_twins(x, n));
	return places > x->n_places ? grow_places(x, places) : 0;
}

int twin_index_put(struct twin_index *x, struct own_twin *w)
{
	if (w->number >= x->twins_size)
		TRY(grow_twins(x, w->number + w->number / 8 + 64));
	if (x->n_put >= x->n_places / 4 * 3)
		TRY(grow_places(x, x->n_places ? x->n_places * 2 : 64));
	*find_free(x, bytes_of_text(w->id)) = w->number;
	x->twins[w->number] = w;
	x->n_put++;
	if (w->number >= x->n)
		x->n = w->number + 1;
	return 0;
}

void twin_index_remove(struct twin_index *x, const struct own_twin *w)
{
	const uint32_t mask = x->n_places - 1;
	uint32_t hole = (uint32_t)(find(x, bytes_of_text(w->id)) - x->places);

	/* who came after it and stands behind its home moves up */
	for (uint32_t i = (hole + 1) & mask; x->places[i] > 0; i = (i + 1) & mask) {
		const uint32_t from = home(x, bytes_of_text(x->twins[x->places[i]]->id));
		if (((i - from) & mask) < ((i - hole) & mask))
			continue;
		x->places[hole] = x->places[i];
		hole = i;
	}
	x->places[hole] = 0;
	x->twins[w->number] = NULL;
	x->n_put--;
}

struct own_twin *twin_index_get(const struct twin_index *x, struct bytes id)
{
	return x->n_places > 0 ? twin_index_at(x, *find(x, id)) : NULL;
}
