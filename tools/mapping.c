/* SPDX-License-Identifier: Apache-2.0 */
#include "tools/mapping.h"

#include <stdlib.h>

#include "proto/clock.h"
#include "proto/id.h"
#include "tools/document.h"
#include "tools/mapping_parts.h"

static struct scope variables_only(const struct map_reader *r)
{
	return (struct scope){
		.arena = r->arena, .variables = r->m->variables, .n_variables = r->m->n_variables};
}

static struct variable *add_variable(const struct map_reader *r, const char *name, const char *value)
{
	struct variable *v = arena_push(r->arena, &r->m->variables, &r->m->n_variables, sizeof *v);

	if (v)
		*v = (struct variable){name, value};
	return v;
}

static int set_variable(const struct map_reader *r, const char *set)
{
	const char *equals = strchr(set, '=');
	const size_t len = equals ? (size_t)(equals - set) : 0;

	if (len == 0)
		return FAIL_SAY(r->note, ERR_REFUSED, "--set %s: NAME=VALUE is expected", set);
	for (size_t i = 0; i < r->m->n_variables; i++) {
		struct variable *v = &r->m->variables[i];
		if (strlen(v->name) == len && memcmp(v->name, set, len) == 0) {
			v->value = equals + 1;
			return 0;
		}
	}
	return FAIL_SAY(r->note, ERR_REFUSED, "--set %s: %s declares no variable %.*s under \"vars\"", set,
			r->opt->file, (int)len, set);
}

static int read_variables(const struct map_reader *r, const struct spot *root)
{
	const struct spot vars = spot_key(root, "vars");
	json_t *value;
	const char *name;

	if (vars.json && !json_is_object(vars.json))
		return spot_fail(&vars, r->note, "an object is expected here");
	json_object_foreach(vars.json, name, value)
	{
		const struct spot s = spot_key(&vars, name);
		if (!json_is_string(value) && !json_is_null(value))
			return spot_fail(&s, r->note, "a text or null is expected here");
		if (strcmp(name, "org") == 0 || strcmp(name, "id") == 0)
			return spot_fail(&s, r->note, "{$%s} has a meaning of its own", name);
		if (!add_variable(r, name, json_string_value(value)))
			return FAIL(-ENOMEM);
	}
	for (size_t i = 0; i < r->opt->n_sets; i++)
		TRY(set_variable(r, r->opt->sets[i]));
	for (size_t i = 0; i < r->m->n_variables; i++)
		if (!r->m->variables[i].value)
			return spot_fail(&vars, r->note, "%s has no value: give --set %s=VALUE",
					 r->m->variables[i].name, r->m->variables[i].name);
	return 0;
}

static int read_org(const struct map_reader *r, const struct spot *root)
{
	const struct scope scope = variables_only(r);
	const struct spot s = spot_key(root, "org");
	const struct template *t;
	struct err_note why = {0};

	TRY(map_template(r, root, "org", true, &scope, &t));
	r->m->org = scope_fill(&scope, t);
	if (!r->m->org)
		return FAIL(-ENOMEM);
	TRY(spot_blame(&s, id_check_segment(r->m->org, "organisation", ORG_NAME_MAX, &why), &why, r->note));
	return add_variable(r, "org", r->m->org) ? 0 : FAIL(-ENOMEM);
}

static int read_at(const struct map_reader *r, const struct spot *root)
{
	const struct scope scope = variables_only(r);
	const struct spot s = spot_key(root, "at");
	const struct template *t;
	struct err_note why = {0};
	const char *text;

	r->m->at_ns = TIME_MIN;
	TRY(map_template(r, root, "at", false, &scope, &t));
	if (!t)
		return 0;
	text = scope_fill(&scope, t);
	if (!text)
		return FAIL(-ENOMEM);
	return spot_blame(&s, time_parse(text, &r->m->at_ns, &why), &why, r->note);
}

static int find_type(const struct map_reader *r, const struct spot *s, const char *name,
		     const struct type_def **ret)
{
	struct type_def *found;
	struct err_note why = {0};

	for (size_t i = 0; i < r->m->n_types; i++)
		if (strcmp(r->m->types[i].name, name) == 0) {
			*ret = &r->m->types[i];
			return 0;
		}
	found = arena_take(r->arena, sizeof *found);
	if (!found)
		return FAIL(-ENOMEM);
	*ret = found;
	return spot_blame(s, r->opt->find_type(r->opt->ctx, name, found, &why), &why, r->note);
}

static int read_type(const struct map_reader *r, const struct spot *s, struct rule *rule)
{
	const struct spot type = spot_key(s, "type"), kind = spot_key(s, "kind");
	const char *text;

	if (!type.json == !kind.json)
		return spot_fail(s, r->note, "exactly one of \"type\" and \"kind\" is needed");
	if (kind.json) {
		TRY(in_text(s, "kind", NULL, &text, r->note));
		if (!kind_parse(text, &rule->kind))
			return spot_fail(&kind, r->note, "%.60s is no kind of twin", text);
		return 0;
	}
	TRY(in_text(s, "type", NULL, &text, r->note));
	TRY(find_type(r, &type, text, &rule->type));
	rule->kind = rule->type->kind;
	return 0;
}

static int read_items(const struct map_reader *r, const struct spot *up, const char *key,
		      const struct scope *scope, struct mapped_items *ret)
{
	static const char *const keys[] = {"value", "where", NULL};
	const struct spot list = spot_key(up, key);

	TRY(in_list(&list, &ret->n, r->note));
	ret->items = arena_take_array(r->arena, ret->n, sizeof *ret->items);
	if (!ret->items)
		return FAIL(-ENOMEM);
	for (size_t i = 0; i < ret->n; i++) {
		const struct spot s = spot_item(&list, i);
		if (json_is_string(s.json)) {
			TRY(map_template_at(r, &s, scope, &ret->items[i].value));
			continue;
		}
		TRY(in_object(&s, keys, r->note));
		TRY(map_template(r, &s, "value", true, scope, &ret->items[i].value));
		TRY(map_where(r, &s, scope, &ret->items[i].where));
	}
	return 0;
}

static int find_property(const struct map_reader *r, const struct spot *s, const struct rule *rule,
			 const char *name, const struct property_def **ret)
{
	if (!rule->type)
		return spot_fail(s, r->note, "only a twin with a type has properties");
	*ret = type_property(rule->type, name, NULL);
	return *ret ? 0 : spot_fail(s, r->note, "type %s has no property %.80s", rule->type->name, name);
}

static int read_property(const struct map_reader *r, const struct spot *s, const struct scope *scope,
			 const struct rule *rule, struct mapped_property *p)
{
	static const char *const keys[] = {"value", "unit", "where", NULL};

	TRY(find_property(r, s, rule, s->key, &p->def));
	p->conversion = (struct conversion){1, 0};
	if (json_is_string(s->json))
		return map_template_at(r, s, scope, &p->value);
	TRY(in_object(s, keys, r->note));
	TRY(map_template(r, s, "value", true, scope, &p->value));
	TRY(map_unit(r, s, p->def, &p->conversion));
	return map_where(r, s, scope, &p->where);
}

static int read_properties(const struct map_reader *r, const struct spot *up, const struct scope *scope,
			   struct rule *rule)
{
	const struct spot s = spot_key(up, "properties");
	const char *name;
	json_t *value;

	if (!s.json)
		return 0;
	if (!json_is_object(s.json))
		return spot_fail(&s, r->note, "an object is expected here");
	if (r->m->at_ns == TIME_MIN)
		return spot_fail(&s, r->note, "values need a time: give \"at\" at the top of the file");
	rule->properties = arena_take_array(r->arena, json_object_size(s.json), sizeof *rule->properties);
	if (!rule->properties)
		return FAIL(-ENOMEM);
	json_object_foreach(s.json, name, value)
	{
		const struct spot item = spot_key(&s, name);
		TRY(read_property(r, &item, scope, rule, &rule->properties[rule->n_properties++]));
	}
	return 0;
}

static int read_relation(const struct map_reader *r, const struct spot *s, const struct scope *scope,
			 struct mapped_relation *rel)
{
	static const char *const keys[] = {"type", "from", "to", "where", "valid_from", "valid_to", NULL};
	const struct spot type = spot_key(s, "type");
	struct err_note why = {0};

	TRY(in_object(s, keys, r->note));
	TRY(in_text(s, "type", NULL, &rel->type, r->note));
	TRY(spot_blame(&type, id_check_name(rel->type, "relation", &why), &why, r->note));
	TRY(map_template(r, s, "from", false, scope, &rel->from));
	TRY(map_template(r, s, "to", false, scope, &rel->to));
	if (!rel->from && !rel->to)
		return spot_fail(s, r->note, "one of \"from\" and \"to\" is needed");
	TRY(map_template(r, s, "valid_from", false, scope, &rel->valid_from));
	TRY(map_template(r, s, "valid_to", false, scope, &rel->valid_to));
	return map_where(r, s, scope, &rel->where);
}

static int read_relations(const struct map_reader *r, const struct spot *up, const struct scope *scope,
			  struct rule *rule)
{
	const struct spot list = spot_key(up, "relations");

	TRY(in_list(&list, &rule->n_relations, r->note));
	rule->relations = arena_take_array(r->arena, rule->n_relations, sizeof *rule->relations);
	if (!rule->relations)
		return FAIL(-ENOMEM);
	for (size_t i = 0; i < rule->n_relations; i++) {
		const struct spot item = spot_item(&list, i);
		TRY(read_relation(r, &item, scope, &rule->relations[i]));
	}
	return 0;
}

/* `column` and `where` speak of the twin's row, `joins` and `time` of the rows of the series. */
static int read_one_series(const struct map_reader *r, const struct spot *s, const struct scope *twin_scope,
			   const struct rule *rule, struct mapped_series *series)
{
	static const char *const keys[] = {"property", "table", "column",   "joins", "time",
					   "unit",     "where", "optional", NULL};
	const struct spot property = spot_key(s, "property");
	struct scope scope = variables_only(r);
	const char *name;

	TRY(in_object(s, keys, r->note));
	TRY(in_text(s, "property", NULL, &name, r->note));
	TRY(find_property(r, &property, rule, name, &series->def));
	TRY(map_table(r, s, true, &series->table));
	TRY(map_template(r, s, "column", true, twin_scope, &series->column));
	scope.table = series->table;
	TRY(map_joins(r, s, &scope, &series->joins));
	TRY(map_template(r, s, "time", true, &scope, &series->time));
	TRY(map_unit(r, s, series->def, &series->conversion));
	TRY(in_bool(s, "optional", false, &series->optional, r->note));
	return map_where(r, s, twin_scope, &series->where);
}

static int read_series(const struct map_reader *r, const struct spot *up, const struct scope *scope,
		       struct rule *rule)
{
	const struct spot list = spot_key(up, "series");
	size_t n;

	TRY(in_list(&list, &n, r->note));
	rule->series = arena_take_array(r->arena, n, sizeof *rule->series);
	if (!rule->series)
		return FAIL(-ENOMEM);
	for (size_t i = 0; i < n; i++) {
		const struct spot item = spot_item(&list, i);
		rule->n_series = i + 1;
		TRY(read_one_series(r, &item, scope, rule, &rule->series[i]));
	}
	return 0;
}

static int read_life(const struct map_reader *r, const struct spot *s, struct rule *rule)
{
	const struct spot life = spot_key(s, "life");
	const char *text;

	TRY(in_text(s, "life", "operating", &text, r->note));
	if (!life_cycle_parse(text, &rule->life))
		return spot_fail(&life, r->note, "%.60s is no life-cycle state", text);
	return 0;
}

static int read_rule(const struct map_reader *r, const struct spot *s, struct rule *rule)
{
	static const char *const keys[] = {"rule",    "table",      "joins",     "where",  "id",
					   "type",    "kind",       "name",      "life",   "tags",
					   "aliases", "properties", "relations", "series", NULL};
	struct scope scope = variables_only(r);

	TRY(in_object(s, keys, r->note));
	TRY(map_table(r, s, false, &rule->table));
	scope.table = rule->table;
	TRY(map_joins(r, s, &scope, &rule->joins));
	TRY(map_where(r, s, &scope, &rule->where));
	TRY(map_template(r, s, "id", true, &scope, &rule->id));
	TRY(in_text(s, "rule", rule->table ? rule->table->name : template_source(rule->id), &rule->name,
		    r->note));
	TRY(read_type(r, s, rule));
	TRY(read_life(r, s, rule));
	scope.id = "";
	TRY(map_template(r, s, "name", false, &scope, &rule->display_name));
	TRY(read_items(r, s, "tags", &scope, &rule->tags));
	TRY(read_items(r, s, "aliases", &scope, &rule->aliases));
	TRY(read_properties(r, s, &scope, rule));
	TRY(read_relations(r, s, &scope, rule));
	return read_series(r, s, &scope, rule);
}

static int read_rules(const struct map_reader *r, const struct spot *root)
{
	const struct spot list = spot_key(root, "twins");
	size_t n;

	if (!list.json)
		return spot_fail(root, r->note, "the key \"twins\" is missing");
	TRY(in_list(&list, &n, r->note));
	r->m->rules = arena_take_array(r->arena, n, sizeof *r->m->rules);
	if (!r->m->rules)
		return FAIL(-ENOMEM);
	for (size_t i = 0; i < n; i++) {
		const struct spot item = spot_item(&list, i);
		r->m->n_rules = i + 1;
		TRY(read_rule(r, &item, &r->m->rules[i]));
	}
	return 0;
}

static int read_mapping(const struct map_reader *r, const struct spot *root)
{
	static const char *const keys[] = {"org", "vars", "at", "types", "twins", NULL};
	const struct spot types = spot_key(root, "types");

	TRY(in_object(root, keys, r->note));
	TRY(read_variables(r, root));
	TRY(read_org(r, root));
	TRY(read_at(r, root));
	TRY(document_types(r->arena, &types, NULL, NULL, &r->m->types, &r->m->n_types, r->note));
	return read_rules(r, root);
}

int mapping_open(struct mapping **ret, struct arena *a, const struct mapping_options *opt,
		 struct err_note *note)
{
	SCOPED(scope_mapping) struct mapping *m = arena_take(a, sizeof *m);
	const struct map_reader r = {a, m, opt, note};

	if (!m)
		return FAIL(-ENOMEM);
	TRY(json_load_document(opt->file, &m->json, note));
	TRY(read_mapping(&r, &(struct spot){.file = document_name(opt->file), .json = m->json}));
	*ret = MOVE(m);
	return 0;
}

static void forget_joins(struct joins *joins)
{
	for (size_t i = 0; i < joins->n; i++)
		map_fini(&joins->items[i].rows);
}

void mapping_close(struct mapping *m)
{
	if (!m)
		return;
	for (size_t i = 0; i < m->n_rules; i++) {
		forget_joins(&m->rules[i].joins);
		for (size_t s = 0; s < m->rules[i].n_series; s++)
			forget_joins(&m->rules[i].series[s].joins);
	}
	for (size_t i = 0; i < m->n_tables; i++)
		csv_close(m->tables[i]);
	json_decref(m->json);
}
