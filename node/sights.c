/* SPDX-License-Identifier: Apache-2.0 */
#include "node/sights.h"

#include <stdlib.h>

#include "proto/buf.h"
#include "proto/hash.h"
#include "proto/id.h"
#include "proto/map.h"
#include "security/conditions.h"
#include "storage/shape.h"

/* By the number of a twin; `class` counts from 1, 0 is nothing. */
struct remembered {
	uint32_t form, class;
};

struct sights {
	struct arena *arena; /* of the conditions and the keys of the classes */
	struct condition *conditions;
	size_t n_conditions;
	struct condition_index *index;
	struct hash128 hash; /* over the conditions */
	uint64_t round;
	struct map classes; /* conditions met -> number, one up */
	uint32_t n_classes;
	uint32_t *slots; /* room for what one twin meets */
	struct remembered *twins;
	size_t n_twins;
};

static void forget(struct sights *s)
{
	map_fini(&s->classes);
	condition_index_free(s->index);
	arena_free(s->arena);
	free(s->slots);
	free(s->twins);
	*s = (struct sights){.round = s->round};
}

void sights_free(struct sights *s)
{
	if (!s)
		return;
	forget(s);
	free(s);
}

int sights_new(struct sights **ret)
{
	*ret = calloc(1, sizeof **ret);
	return *ret ? 0 : FAIL(-ENOMEM);
}

static int hash_conditions(const struct condition *list, size_t n, struct hash128 *ret)
{
	SCOPED(buf_fini) struct buf b = {0};

	for (size_t i = 0; i < n; i++) {
		buf_put_u8(&b, (uint8_t)list[i].by);
		buf_put_text(&b, list[i].text);
		buf_put_u8(&b, 0);
	}
	TRY(buf_check(&b));
	*ret = hash128("conditions", buf_bytes(&b), (struct bytes){0});
	return 0;
}

/* The texts are the policy's, which may go. */
static int keep_conditions(struct sights *s, const struct condition *list, size_t n)
{
	TRY(arena_new(&s->arena, SIZE_MAX));
	s->conditions = arena_take_array(s->arena, n, sizeof *s->conditions);
	s->slots = malloc((n * (TAGS_MAX + 2) + 1) * sizeof *s->slots);
	if (!s->conditions || !s->slots)
		return FAIL(-ENOMEM);
	for (size_t i = 0; i < n; i++) {
		s->conditions[i] = (struct condition){list[i].by, arena_copy(s->arena, list[i].text)};
		if (!s->conditions[i].text)
			return FAIL(-ENOMEM);
	}
	s->n_conditions = n;
	return condition_index_new(&s->index, s->conditions, n);
}

int sights_follow(struct sights *s, const struct policy *p, uint64_t *ret_round)
{
	SCOPED(scope_arena) struct arena *a = NULL;
	const struct condition *list;
	struct hash128 hash;
	size_t n;

	TRY(arena_new(&a, SIZE_MAX));
	TRY(policy_conditions(p, a, &list, &n));
	TRY(hash_conditions(list, n, &hash));
	if (!s->index || memcmp(&hash, &s->hash, sizeof hash) != 0) {
		forget(s);
		s->round++;
		const int r = keep_conditions(s, list, n);
		if (r < 0)
			forget(s);
		TRY(r);
		s->hash = hash;
	}
	*ret_round = s->round;
	return 0;
}

static int by_number(const void *a, const void *b)
{
	const uint32_t x = *(const uint32_t *)a, y = *(const uint32_t *)b;

	return (x > y) - (x < y);
}

static size_t find_met(const struct sights *s, const struct policy_twin *twin)
{
	size_t n = 0;

	condition_index_find(s->index, BY_PATH, id_local(twin->id), s->slots, &n);
	condition_index_find(s->index, BY_TYPE, twin->type, s->slots, &n);
	for (size_t i = 0; i < twin->n_tags; i++)
		condition_index_find(s->index, BY_TAG, twin->tags[i], s->slots, &n);
	if (n > 1)
		qsort(s->slots, n, sizeof *s->slots, by_number);
	return n;
}

static int new_class(struct sights *s, const char *key, uint32_t *ret)
{
	char *copy = arena_copy(s->arena, key);

	if (!copy)
		return FAIL(-ENOMEM);
	TRY(map_put(&s->classes, copy, (void *)(uintptr_t)(s->n_classes + 1)));
	*ret = s->n_classes++;
	return 0;
}

int sights_class_of(struct sights *s, const struct policy_twin *twin, uint32_t *ret)
{
	SCOPED(buf_fini) struct buf key = {0};
	const size_t n = find_met(s, twin);

	for (size_t i = 0; i < n; i++)
		buf_print(&key, " %x", s->slots[i]);
	buf_put_u8(&key, 0);
	TRY(buf_check(&key));
	void *const held = map_get(&s->classes, (const char *)key.data);
	if (!held)
		return new_class(s, (const char *)key.data, ret);
	*ret = (uint32_t)(uintptr_t)held - 1;
	return 0;
}

/* Room for the number of a twin. */
static int make_room(struct sights *s, uint32_t number)
{
	size_t n = s->n_twins ? s->n_twins : 1024;

	while (n <= number)
		n *= 2;
	if (n == s->n_twins)
		return 0;
	struct remembered *twins = realloc(s->twins, n * sizeof *twins);
	if (!twins)
		return FAIL(-ENOMEM);
	memset(twins + s->n_twins, 0, (n - s->n_twins) * sizeof *twins);
	s->twins = twins;
	s->n_twins = n;
	return 0;
}

int sights_class(struct sights *s, const struct twin *t, uint32_t *ret)
{
	const struct twin_form form = store_form(t);

	if (form.number < s->n_twins) {
		const struct remembered *held = &s->twins[form.number];
		if (held->class > 0 && held->form == form.form) {
			*ret = held->class - 1;
			return 0;
		}
	}
	const struct twin_def def = store_twin_def(t);
	TRY(make_room(s, form.number));
	TRY(sights_class_of(s,
			    &(struct policy_twin){.id = t->id,
						  .type = def.type,
						  .tags = (const char *const *)def.tags,
						  .n_tags = def.n_tags},
			    ret));
	s->twins[form.number] = (struct remembered){form.form, *ret + 1};
	return 0;
}
