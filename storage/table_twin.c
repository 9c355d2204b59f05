/* SPDX-License-Identifier: Apache-2.0 */
#include "storage/table.h"
#include "storage/table_alias.h"

/* Everything a definition points to, in one piece; 1 M twins have no room for more. The id is in own_twin,
 * the name of the type in own_type. */
struct twin_block {
	size_t n_aliases;
	struct alias_ref aliases[];
	/* behind it: life steps, pointers to tags, pointers to aliases, texts */
};

static const char *or_empty(const char *text)
{
	return text ? text : "";
}

static size_t texts_bytes(const char *const *texts, size_t n)
{
	size_t sum = 0;

	for (size_t i = 0; i < n; i++)
		sum += strlen(texts[i]) + 1;
	return sum;
}

static size_t block_bytes(const struct twin_def *d)
{
	return sizeof(struct twin_block) + d->n_aliases * sizeof(struct alias_ref) +
	       d->n_life * sizeof *d->life + (d->n_tags + d->n_aliases) * sizeof(char *) +
	       strlen(or_empty(d->name)) + 1 + texts_bytes(d->tags, d->n_tags) +
	       texts_bytes(d->aliases, d->n_aliases);
}

static const char *put_text(char **at, const char *text)
{
	const size_t size = strlen(text) + 1;
	char *copy = memcpy(*at, text, size);

	*at += size;
	return copy;
}

/* Copy a definition into one block; *ret points into it but for id and type, which stay the caller's. */
static struct twin_block *pack(struct own_twin *w, const struct twin_def *d, struct twin_def *ret)
{
	struct twin_block *b = malloc(block_bytes(d));

	if (!b)
		return NULL;
	*ret = *d;
	b->n_aliases = d->n_aliases;
	ret->life = (struct life_step *)(void *)&b->aliases[d->n_aliases];
	if (d->n_life > 0)
		memcpy(ret->life, d->life, d->n_life * sizeof *d->life);
	ret->tags = (const char **)(void *)&ret->life[d->n_life];
	ret->aliases = &ret->tags[d->n_tags];
	char *at = (char *)&ret->aliases[d->n_aliases];
	ret->name = put_text(&at, or_empty(d->name));
	for (size_t i = 0; i < d->n_tags; i++)
		ret->tags[i] = put_text(&at, d->tags[i]);
	for (size_t i = 0; i < d->n_aliases; i++) {
		ret->aliases[i] = put_text(&at, d->aliases[i]);
		b->aliases[i] = (struct alias_ref){ret->aliases[i], w};
	}
	return b;
}

static void drop_block(struct table *t, struct own_twin *w)
{
	for (size_t i = 0; w->block && i < w->block->n_aliases; i++)
		ordered_remove(&t->by_alias, &(struct alias_key){w->block->aliases[i].alias, w->id});
	free(w->block);
	w->block = NULL;
}

static int set_def(struct table *t, struct own_twin *w, const struct twin_def *d, const char *type)
{
	struct twin_def def;
	struct twin_block *b = pack(w, d, &def);

	if (!b)
		return FAIL(-ENOMEM);
	drop_block(t, w);
	w->block = b;
	w->def = def;
	w->def.id = w->id;
	w->def.type = type;
	w->pub.kind = d->kind;
	for (size_t i = 0; i < b->n_aliases; i++)
		TRY(ordered_put(&t->by_alias, &(struct alias_key){b->aliases[i].alias, w->id},
				&b->aliases[i]));
	return 0;
}

static int new_twin(struct table *t, const char *id, struct own_twin **ret)
{
	const size_t size = strlen(id) + 1;
	SCOPED(scope_free) struct own_twin *w = calloc(1, sizeof *w + size);

	if (!w)
		return FAIL(-ENOMEM);
	memcpy(w->id, id, size);
	w->pub.id = w->def.id = w->id;
	w->pub.deleted = true; /* until set_living() */
	TRY(ordered_put(&t->by_id, id, w));
	*ret = MOVE(w);
	TRY(map_put(&t->twins, (*ret)->id, *ret));
	return edges_of_new_twin(t, *ret);
}

static int set_type(struct table *t, struct own_twin *w, struct own_type *type)
{
	struct own_type *from = w->pub.type ? table_type(t, w->pub.type->def.name) : NULL;

	if (from == type)
		return 0;
	TRY(twin_retype(t, w, from ? &from->pub.def : NULL, type ? &type->pub.def : NULL));
	if (from)
		from->n_users--;
	if (type)
		type->n_users++;
	w->pub.type = type ? &type->pub : NULL;
	return twin_mark(t, w, DIRTY_VALUES);
}

static int set_living(struct table *t, struct own_twin *w, const struct twin_def *d, struct own_type *type)
{
	TRY(set_def(t, w, d, type ? type->name : ""));
	TRY(set_type(t, w, type));
	t->n_twins += w->pub.deleted;
	w->pub.deleted = false;
	return 0;
}

int table_put_twin(struct table *t, const struct twin_def *def)
{
	struct own_twin *w = table_twin(t, def->id);
	const bool is_new = !w || w->pub.deleted;
	struct own_type *type = *or_empty(def->type) ? table_type(t, def->type) : NULL;
	struct life_step life[LIFE_STEPS_MAX];
	struct twin_def joined = *def;

	joined.life = life;
	if ((*or_empty(def->type) && !type) ||
	    life_join(is_new ? NULL : &w->def, def, life, &joined.n_life, NULL) < 0)
		return 0;
	if (!is_new && twin_def_equal(&w->def, &joined))
		return 0;
	if (!w)
		TRY(new_twin(t, def->id, &w));
	TRY(set_living(t, w, &joined, type));
	return table_touch(t, w);
}

int table_delete_twin(struct table *t, const char *id)
{
	struct own_twin *w = table_twin(t, id);

	if (!w || w->pub.deleted)
		return 0;
	TRY(edges_drop(t, w));
	TRY(members_drop(t, w));
	TRY(set_type(t, w, NULL));
	drop_block(t, w);
	w->def = (struct twin_def){.id = w->id, .type = "", .name = ""};
	w->pub.deleted = true;
	t->n_twins--;
	return table_touch(t, w);
}

int table_load_twin(struct table *t, const struct twin_def *def, uint64_t seq, struct row_version version,
		    bool deleted)
{
	struct own_type *type = *or_empty(def->type) ? table_type(t, def->type) : NULL;
	struct own_twin *w;

	if (table_twin(t, def->id) || (*or_empty(def->type) && !type))
		return FAIL(ERR_CORRUPT);
	TRY(new_twin(t, def->id, &w));
	if (deleted)
		w->def = (struct twin_def){.id = w->id, .type = "", .name = ""};
	else
		TRY(set_living(t, w, def, type));
	w->pub.seq = seq;
	w->pub.version = version;
	return ordered_put(&t->by_seq, &seq, w);
}
