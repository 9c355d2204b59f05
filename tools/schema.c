/* SPDX-License-Identifier: Apache-2.0 */
#include "tools/schema.h"

/* Types that share a property name may disagree on it; and a twin may be without type. */
static const struct property_def ambiguous;
static const struct type_def no_type;

static void *unconst(const void *p)
{
	return (void *)(uintptr_t)p; /* the map keeps what it is given, we only read it */
}

static int learn_property(struct schema *s, const struct property_def *p)
{
	const struct property_def *known = map_get(&s->properties, p->name);

	if (!known)
		return map_put(&s->properties, p->name, unconst(p));
	return known->type == p->type ? 0 : map_put(&s->properties, p->name, unconst(&ambiguous));
}

static int learn_type(struct schema *s, const struct type_def *t)
{
	TRY(map_put(&s->types, t->name, unconst(t)));
	for (size_t i = 0; i < t->n_properties; i++)
		TRY(learn_property(s, &t->properties[i]));
	return 0;
}

static enum status load(struct schema *s)
{
	struct control_request request = ask_for(CONTROL_TYPE_LIST);
	struct control_answer answer;
	enum status status;

	if (s->loaded)
		return STATUS_OK;
	status = ask(s->ctx, &request, &answer);
	for (size_t i = 0; status == STATUS_OK && i < answer.n_types; i++)
		if (learn_type(s, &answer.types[i]) < 0)
			return say_failed(-ENOMEM, NULL);
	s->loaded = status == STATUS_OK;
	return status;
}

/* The type of a twin; no_type when the node has no such twin. */
static enum status type_of(struct schema *s, const char *twin, const struct type_def **ret)
{
	struct control_request request = ask_for(CONTROL_TWIN_GET);
	struct control_answer answer;
	enum status status;
	const char *key;

	*ret = map_get(&s->twins, twin);
	if (*ret)
		return STATUS_OK;
	request.twin = twin;
	status = ask_frankly(s->ctx, &request, &answer);
	if (status != STATUS_OK)
		return status;
	*ret = answer.n_twins > 0 ? map_get(&s->types, answer.twins[0].type) : NULL;
	if (!*ret)
		*ret = &no_type;
	key = arena_copy(s->ctx->arena, twin);
	return key && map_put(&s->twins, key, unconst(*ret)) == 0 ? STATUS_OK : say_failed(-ENOMEM, NULL);
}

void schema_fini(struct schema *s)
{
	map_fini(&s->types);
	map_fini(&s->properties);
	map_fini(&s->twins);
}

bool schema_knows(const struct schema *s, const char *twin, const char *property)
{
	return s->loaded && (map_get(&s->properties, property) != &ambiguous || map_get(&s->twins, twin));
}

enum status schema_wanted(struct schema *s, const char *twin, const char *property, enum value_type *ret)
{
	const struct property_def *p;
	const struct type_def *type;
	enum status status = load(s);

	if (status != STATUS_OK)
		return status;
	*ret = VALUE_NONE;
	p = map_get(&s->properties, property);
	if (p == &ambiguous) {
		status = type_of(s, twin, &type);
		p = status == STATUS_OK ? type_property(type, property, NULL) : NULL;
	}
	if (p)
		*ret = p->type;
	return status;
}
