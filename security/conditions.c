/* SPDX-License-Identifier: Apache-2.0 */
#include "security/conditions.h"

#include "security/policy_index.h"
#include "security/policy_rules.h"

/* The policy's own index, with one condition in the place of each rule: so many at a time. */
struct condition_index {
	struct arena *arena;
	struct policy_index *parts;
	size_t n_parts;
};

static int add_conditions(const struct condition *from, size_t n, struct arena *a, struct condition **list,
			  size_t *ret_n)
{
	for (size_t i = 0; i < n; i++) {
		struct condition *c = arena_push(a, list, ret_n, sizeof *c);
		if (!c)
			return FAIL(-ENOMEM);
		*c = from[i];
	}
	return 0;
}

int policy_conditions(const struct policy *p, struct arena *a, const struct condition **ret, size_t *ret_n)
{
	struct condition *list = NULL;
	size_t n = 0;

	for (size_t i = 0; p && i < p->n_rules; i++)
		for (size_t k = 0; k < p->rules[i].n_selectors; k++) {
			const struct selector *s = &p->rules[i].selectors[k];
			TRY(add_conditions(s->any, s->n_any, a, &list, &n));
			TRY(add_conditions(s->all, s->n_all, a, &list, &n));
		}
	*ret = list;
	*ret_n = n;
	return 0;
}

int condition_index_new(struct condition_index **ret, const struct condition *list, size_t n)
{
	SCOPED(scope_condition_index) struct condition_index *ix = calloc(1, sizeof *ix);

	if (!ix)
		return FAIL(-ENOMEM);
	TRY(arena_new(&ix->arena, SIZE_MAX));
	ix->n_parts = (n + POLICY_RULES_MAX - 1) / POLICY_RULES_MAX;
	ix->parts = arena_take_array(ix->arena, ix->n_parts, sizeof *ix->parts);
	if (!ix->parts)
		return FAIL(-ENOMEM);
	for (size_t i = 0; i < ix->n_parts; i++) {
		const size_t left = n - i * POLICY_RULES_MAX;
		TRY(index_conditions(list + i * POLICY_RULES_MAX,
				     left < POLICY_RULES_MAX ? left : POLICY_RULES_MAX, ix->arena,
				     &ix->parts[i]));
	}
	*ret = MOVE(ix);
	return 0;
}

void condition_index_free(struct condition_index *ix)
{
	if (!ix)
		return;
	arena_free(ix->arena);
	free(ix);
}

void condition_index_find(const struct condition_index *ix, enum condition_by by, const char *text,
			  uint32_t *ret_places, size_t *n)
{
	for (size_t part = 0; part < ix->n_parts; part++) {
		struct rule_set met = {0};
		if (by == BY_PATH)
			index_add_path(&ix->parts[part], INDEX_TWINS, text, ~0u, &met);
		else
			index_add_name(&ix->parts[part], by == BY_TAG ? INDEX_TAGS : INDEX_TYPES, text, &met);
		for (size_t word = 0; word < RULE_SET_WORDS; word++)
			for (uint64_t bits = met.words[word]; bits; bits &= bits - 1)
				ret_places[(*n)++] = (uint32_t)(part * POLICY_RULES_MAX + word * 64 +
								(size_t)__builtin_ctzll(bits));
	}
}
