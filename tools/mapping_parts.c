/* SPDX-License-Identifier: Apache-2.0 */
#include "tools/mapping_parts.h"

#include "proto/id.h"
#include "proto/unit.h"

int map_template_at(const struct map_reader *r, const struct spot *s, const struct scope *scope,
		    const struct template **ret)
{
	const char *text = json_string_value(s->json);
	struct scope seen = *scope;
	struct err_note why = {0};

	if (!text)
		return spot_fail(s, r->note, "a text is expected here");
	TRY(spot_blame(s, template_parse(r->arena, text, ret, &why), &why, r->note));
	return spot_blame(s, template_names(*ret, scope_knows, &seen, &why), &why, r->note);
}

int map_template(const struct map_reader *r, const struct spot *up, const char *key, bool required,
		 const struct scope *scope, const struct template **ret)
{
	const struct spot s = spot_key(up, key);

	*ret = NULL;
	if (!s.json && required)
		return spot_fail(up, r->note, "the key \"%s\" is missing", key);
	return s.json ? map_template_at(r, &s, scope, ret) : 0;
}

/* One template, or a list of them. */
static int read_options(const struct map_reader *r, const struct spot *s, const struct scope *scope,
			struct condition *c)
{
	c->n_options = 1;
	if (!json_is_string(s->json))
		TRY(in_list(s, &c->n_options, r->note));
	c->options = arena_take_array(r->arena, c->n_options, sizeof *c->options);
	if (!c->options)
		return FAIL(-ENOMEM);
	if (json_is_string(s->json))
		return map_template_at(r, s, scope, &c->options[0]);
	for (size_t i = 0; i < c->n_options; i++) {
		const struct spot item = spot_item(s, i);
		TRY(map_template_at(r, &item, scope, &c->options[i]));
	}
	return 0;
}

static int read_condition(const struct map_reader *r, const struct spot *s, const struct scope *scope,
			  struct condition *c)
{
	static const char *const keys[] = {"value", "is", "is_not", NULL};
	const struct spot is = spot_key(s, "is"), is_not = spot_key(s, "is_not");

	TRY(in_object(s, keys, r->note));
	TRY(map_template(r, s, "value", true, scope, &c->value));
	if (!is.json == !is_not.json)
		return spot_fail(s, r->note, "exactly one of \"is\" and \"is_not\" is needed");
	c->negated = is_not.json != NULL;
	return read_options(r, c->negated ? &is_not : &is, scope, c);
}

int map_where(const struct map_reader *r, const struct spot *up, const struct scope *scope,
	      struct conditions *ret)
{
	const struct spot list = spot_key(up, "where");

	TRY(in_list(&list, &ret->n, r->note));
	ret->items = arena_take_array(r->arena, ret->n, sizeof *ret->items);
	if (!ret->items)
		return FAIL(-ENOMEM);
	for (size_t i = 0; i < ret->n; i++) {
		const struct spot item = spot_item(&list, i);
		TRY(read_condition(r, &item, scope, &ret->items[i]));
	}
	return 0;
}

static bool is_below(const char *name)
{
	return *name && name[0] != '/' && strcmp(name, "..") != 0 && strncmp(name, "../", 3) != 0 &&
	       !strstr(name, "/../");
}

int map_table(const struct map_reader *r, const struct spot *up, bool required, const struct csv **ret)
{
	const struct spot s = spot_key(up, "table");
	struct err_note why = {0};
	struct csv **table;
	const char *name;

	*ret = NULL;
	if (!s.json && !required)
		return 0;
	TRY(in_text(up, "table", NULL, &name, r->note));
	if (!is_below(name))
		return spot_fail(&s, r->note, "%.80s is no file below the directory", name);
	for (size_t i = 0; i < r->m->n_tables; i++)
		if (strcmp(r->m->tables[i]->name, name) == 0) {
			*ret = r->m->tables[i];
			return 0;
		}
	table = arena_push(r->arena, &r->m->tables, &r->m->n_tables, sizeof *table);
	if (!table)
		return FAIL(-ENOMEM);
	TRY(spot_blame(&s, csv_open(table, r->opt->dir, name, &why), &why, r->note));
	*ret = *table;
	return 0;
}

static int read_join(const struct map_reader *r, const struct spot *s, const struct scope *scope,
		     struct join *j)
{
	static const char *const keys[] = {"as", "table", "on", "equals", "optional", NULL};
	const struct spot as = spot_key(s, "as"), on = spot_key(s, "on");
	const char *column;

	TRY(in_object(s, keys, r->note));
	TRY(in_text(s, "as", NULL, &j->as, r->note));
	if (!id_is_segment(bytes_of_text(j->as), NODE_NAME_MAX) || strchr(j->as, '.'))
		return spot_fail(&as, r->note, "a word of letters, digits, - and _ is expected here");
	for (size_t i = 0; i < scope->n_joins; i++)
		if (strcmp(scope->joins->items[i].as, j->as) == 0)
			return spot_fail(&as, r->note, "there is a join %s already", j->as);
	TRY(map_table(r, s, true, &j->table));
	TRY(in_text(s, "on", NULL, &column, r->note));
	if (!csv_column(j->table, column, &j->on))
		return spot_fail(&on, r->note, "%s has no column %s", j->table->name, column);
	TRY(map_template(r, s, "equals", true, scope, &j->equals));
	TRY(in_bool(s, "optional", false, &j->optional, r->note));
	return join_index(j);
}

int map_joins(const struct map_reader *r, const struct spot *up, struct scope *scope, struct joins *ret)
{
	const struct spot list = spot_key(up, "joins");
	size_t n;

	TRY(in_list(&list, &n, r->note));
	if (n > 0 && !scope->table)
		return spot_fail(&list, r->note, "a join needs a table to join to");
	ret->items = arena_take_array(r->arena, n, sizeof *ret->items);
	if (!ret->items)
		return FAIL(-ENOMEM);
	scope->joins = ret;
	scope->n_joins = 0;
	for (size_t i = 0; i < n; i++) {
		const struct spot item = spot_item(&list, i);
		ret->n = i + 1; /* what there is of it is released with the mapping, also when it fails */
		TRY(read_join(r, &item, scope, &ret->items[i]));
		scope->n_joins = i + 1;
	}
	return 0;
}

int map_unit(const struct map_reader *r, const struct spot *up, const struct property_def *def,
	     struct conversion *ret)
{
	const struct spot s = spot_key(up, "unit");
	struct err_note why = {0};
	const char *unit;

	*ret = (struct conversion){1, 0};
	if (!s.json)
		return 0;
	TRY(in_text(up, "unit", NULL, &unit, r->note));
	if (def->type != VALUE_DOUBLE)
		return spot_fail(&s, r->note,
				 "only a property of type double has a unit to convert to, %s is %s",
				 def->name, value_type_text(def->type));
	return spot_blame(&s, unit_convert(unit, def->unit, &ret->scale, &ret->offset, &why), &why, r->note);
}
