/* SPDX-License-Identifier: Apache-2.0 */
#include "tools/scope.h"

#include <stdio.h>

int join_index(struct join *j)
{
	for (size_t row = 0; row < j->table->n_rows; row++) {
		const char *cell = csv_cell(j->table, row, j->on);
		if (!map_get(&j->rows, cell))
			TRY(map_put(&j->rows, cell, (void *)(uintptr_t)(row + 1)));
	}
	return 0;
}

static const char *variable(const struct scope *s, const char *name)
{
	if (strcmp(name, "id") == 0)
		return s->id;
	for (size_t i = 0; i < s->n_variables; i++)
		if (strcmp(s->variables[i].name, name) == 0)
			return s->variables[i].value;
	return NULL;
}

/* `own.company`: the join and its column; NULL when no join has that name. */
static const struct join *join_of(const struct scope *s, const char *name, const char **ret_column)
{
	const char *dot = strchr(name, '.');
	const size_t len = dot ? (size_t)(dot - name) : 0;

	for (size_t i = 0; dot && i < s->n_joins; i++) {
		const struct join *j = &s->joins->items[i];
		if (strlen(j->as) == len && memcmp(j->as, name, len) == 0) {
			*ret_column = dot + 1;
			return j;
		}
	}
	return NULL;
}

int scope_knows(void *scope, const char *name, struct err_note *note)
{
	const struct scope *s = scope;
	const char *in_join;
	const struct join *j = join_of(s, name, &in_join);
	size_t column;

	if (name[0] == '$' && !variable(s, name + 1))
		return FAIL_SAY(note, ERR_REFUSED, "{%s}: %s", name,
				strcmp(name, "$id") == 0 ? "the id is not known here" : "no such variable");
	if (name[0] == '$')
		return 0;
	if (!s->table)
		return FAIL_SAY(note, ERR_REFUSED, "{%s}: there is no row here, only variables: {$%s}?", name,
				name);
	if (j && !csv_column(j->table, in_join, &column))
		return FAIL_SAY(note, ERR_REFUSED, "{%s}: %s has no column %s", name, j->table->name,
				in_join);
	if (!j && !csv_column(s->table, name, &column))
		return FAIL_SAY(note, ERR_REFUSED, "{%s}: %s has no such column", name, s->table->name);
	return 0;
}

static const char *value(void *scope, const char *name)
{
	const struct scope *s = scope;
	const char *in_join;
	const struct join *j;
	size_t column, row;

	if (name[0] == '$')
		return variable(s, name + 1);
	j = join_of(s, name, &in_join);
	if (!j)
		return csv_column(s->table, name, &column) ? csv_cell(s->table, s->row, column) : NULL;
	row = s->joined[j - s->joins->items];
	if (row == NO_ROW)
		return "";
	return csv_column(j->table, in_join, &column) ? csv_cell(j->table, row, column) : NULL;
}

const char *scope_fill(const struct scope *s, const struct template *t)
{
	struct scope seen = *s;

	return template_fill(s->arena, t, value, &seen);
}

static int holds(const struct scope *s, const struct condition *c)
{
	const char *text = scope_fill(s, c->value);

	for (size_t i = 0; text && i < c->n_options; i++) {
		const char *option = scope_fill(s, c->options[i]);
		if (!option)
			return FAIL(-ENOMEM);
		if (strcmp(text, option) == 0)
			return !c->negated;
	}
	return text ? c->negated : FAIL(-ENOMEM);
}

int scope_holds(const struct scope *s, const struct conditions *c)
{
	for (size_t i = 0; i < c->n; i++) {
		const int r = holds(s, &c->items[i]);
		if (r <= 0)
			return r;
	}
	return 1;
}

int scope_join(struct scope *s, size_t *joined, struct err_note *note)
{
	s->joined = joined;
	s->n_joins = 0;
	for (size_t i = 0; i < s->joins->n; i++) {
		const struct join *j = &s->joins->items[i];
		const char *key = scope_fill(s, j->equals);
		const void *found = key ? map_get(&j->rows, key) : NULL;

		if (!key)
			return FAIL(-ENOMEM);
		if (!found && !j->optional) {
			ignore(err_say(note, 0, "%s has no row with %s = '%s'", j->table->name,
				       csv_header(j->table, j->on),
				       key)); /* words an outcome, not a failure */
			return SCOPE_ALONE;
		}
		joined[i] = found ? (size_t)(uintptr_t)found - 1 : NO_ROW;
		s->n_joins = i + 1;
	}
	return 0;
}
