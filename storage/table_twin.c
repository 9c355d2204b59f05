/* SPDX-License-Identifier: Apache-2.0 */
#include "proto/clock.h"
#include "proto/words.h"
#include "storage/table.h"
#include "storage/table_alias.h"

/* ---- What few twins have ----------------------------------------------------------------------------------
 */

static struct life_step always_operating = {LIFE_OPERATING, TIME_MIN};

static bool has_rest(const struct twin_def *d)
{
	return *text_or_empty(d->name) || d->n_tags > 0 || d->n_aliases > 0 || d->n_life != 1 ||
	       d->life[0].state != always_operating.state || d->life[0].since_ns != always_operating.since_ns;
}

static size_t texts_bytes(const char *const *texts, size_t n)
{
	size_t sum = 0;

	for (size_t i = 0; i < n; i++)
		sum += strlen(texts[i]) + 1;
	return sum;
}

static size_t rest_bytes(const struct twin_def *d)
{
	return sizeof(struct twin_rest) + d->n_aliases * sizeof(struct alias_ref) +
	       d->n_life * sizeof *d->life + (d->n_tags + d->n_aliases) * sizeof(char *) +
	       strlen(text_or_empty(d->name)) + 1 + texts_bytes(d->tags, d->n_tags) +
	       texts_bytes(d->aliases, d->n_aliases);
}

static const char *put_text(char **at, const char *text)
{
	const size_t size = strlen(text) + 1;
	char *copy = memcpy(*at, text, size);

	*at += size;
	return copy;
}

/* Everything in one piece, what needs the widest alignment first. */
static struct twin_rest *pack(struct own_twin *w, const struct twin_def *d)
{
	struct twin_rest *r = malloc(rest_bytes(d));

	if (!r)
		return NULL;
	*r = (struct twin_rest){.n_life = d->n_life, .n_tags = d->n_tags, .n_aliases = d->n_aliases};
	r->refs = (struct alias_ref *)(void *)(r + 1);
	r->life = (struct life_step *)(void *)&r->refs[d->n_aliases];
	if (d->n_life > 0)
		memcpy(r->life, d->life, d->n_life * sizeof *d->life);
	r->tags = (const char **)(void *)&r->life[d->n_life];
	r->aliases = &r->tags[d->n_tags];
	char *at = (char *)&r->aliases[d->n_aliases];
	r->name = put_text(&at, text_or_empty(d->name));
	for (size_t i = 0; i < d->n_tags; i++)
		r->tags[i] = put_text(&at, d->tags[i]);
	for (size_t i = 0; i < d->n_aliases; i++) {
		r->aliases[i] = put_text(&at, d->aliases[i]);
		r->refs[i] = (struct alias_ref){r->aliases[i], w};
	}
	return r;
}

static void drop_rest(struct table *t, struct own_twin *w)
{
	for (size_t i = 0; w->rest && i < w->rest->n_aliases; i++)
		ordered_remove(&t->by_alias, &(struct alias_key){w->rest->refs[i].alias, w->id});
	free(w->rest);
	w->rest = NULL;
}

int twin_set_def(struct table *t, struct own_twin *w, const struct twin_def *d)
{
	struct twin_rest *rest = NULL;

	if (has_rest(d)) {
		rest = pack(w, d);
		if (!rest)
			return FAIL(-ENOMEM);
	}
	drop_rest(t, w);
	w->form = ++t->forms;
	w->rest = rest;
	w->pub.kind = d->kind;
	for (size_t i = 0; rest && i < rest->n_aliases; i++)
		TRY(ordered_put(&t->by_alias, &(struct alias_key){rest->refs[i].alias, w->id},
				&rest->refs[i]));
	return 0;
}

struct twin_def twin_def_of(const struct own_twin *w)
{
	const struct twin_rest *r = w->rest;
	struct twin_def def = {.id = w->id,
			       .type = w->pub.type ? w->pub.type->def.name : "",
			       .kind = w->pub.kind,
			       .name = r ? r->name : ""};

	if (w->pub.deleted)
		return def;
	def.life = r ? r->life : &always_operating;
	def.n_life = r ? r->n_life : 1;
	def.tags = r ? r->tags : NULL;
	def.n_tags = r ? r->n_tags : 0;
	def.aliases = r ? r->aliases : NULL;
	def.n_aliases = r ? r->n_aliases : 0;
	return def;
}

/* ---- Coming, changing, going ------------------------------------------------------------------------------
 */

enum { GROUND_BYTES = 64 * 1024 };

/* Memory for a twin, zeroed, where the next one follows close behind. */
static void *ground(struct table *t, size_t size)
{
	void *spare = spare_take(t, size);

	if (spare)
		return memset(spare, 0, size);
	size = (size + TWIN_ALIGN - 1) / TWIN_ALIGN * TWIN_ALIGN;
	if (size > t->ground_left) {
		uint8_t *piece = arena_take(t->memory, GROUND_BYTES);
		if (!piece)
			return NULL;
		t->ground = piece;
		t->ground_left = GROUND_BYTES;
	}
	uint8_t *p = t->ground;
	t->ground += size;
	t->ground_left -= size;
	return p;
}

int twin_new(struct table *t, struct bytes id, uint32_t number, struct own_twin **ret)
{
	if (!t->memory)
		TRY(arena_new(&t->memory, SIZE_MAX));
	struct own_twin *w = ground(t, offsetof(struct own_twin, id) + id.len + 1);
	if (!w)
		return FAIL(-ENOMEM);
	memcpy(w->id, id.data, id.len);
	w->pub.id = w->id;
	w->pub.deleted = true; /* until set_living() */
	w->number = number;
	TRY(twin_index_put(&t->twins, w));
	*ret = w;
	return edges_of_new_twin(t, w);
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
	return 0;
}

int table_put_twin(struct table *t, const struct twin_def *def)
{
	struct own_twin *w = table_twin(t, def->id);
	const bool is_new = !w || w->pub.deleted;
	struct own_type *type = *text_or_empty(def->type) ? table_type(t, def->type) : NULL;
	const struct twin_def held = is_new ? (struct twin_def){0} : twin_def_of(w);
	struct life_step life[LIFE_STEPS_MAX];
	struct twin_def joined = *def;

	joined.life = life;
	if ((*text_or_empty(def->type) && !type) ||
	    life_join(is_new ? NULL : &held, def, life, &joined.n_life, NULL) < 0)
		return 0;
	if (!is_new && twin_def_equal(&held, &joined))
		return 0;
	const uint32_t number = w ? w->number : twin_next_number(t);
	TRY(twin_mark(t, number));
	TRY(turn_mark(t, number));
	if (!w) {
		TRY(twin_new(t, bytes_of_text(def->id), number, &w));
		TRY(ordered_put(&t->by_id, w->id, w));
	}
	TRY(twin_set_def(t, w, &joined));
	TRY(set_type(t, w, type));
	if (is_new)
		grave_remove(t, w);
	TRY(table_touch(t, w));
	t->n_twins += w->pub.deleted;
	w->pub.deleted = false;
	return 0;
}

int table_delete_twin(struct table *t, const char *id)
{
	struct own_twin *w = table_twin(t, id);

	if (!w || w->pub.deleted)
		return 0;
	TRY(twin_mark(t, w->number));
	TRY(edges_drop(t, w));
	TRY(members_drop(t, w));
	TRY(set_type(t, w, NULL));
	drop_rest(t, w);
	TRY(table_touch(t, w));
	w->pub.kind = KIND_COMPONENT;
	w->pub.deleted = true;
	t->n_twins--;
	return grave_put(t, w);
}
