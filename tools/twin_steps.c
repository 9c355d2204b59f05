/* SPDX-License-Identifier: Apache-2.0 */
/* What a process may become: the words that may follow the present one. */
#include "tools/print.h"
#include "tools/show.h"
#include "tools/twin_show.h"

static const struct kpi *value_of(const struct control_answer *answer, const char *property)
{
	for (size_t i = 0; i < answer->n_values; i++)
		if (strcmp(answer->values[i].property, property) == 0)
			return &answer->values[i];
	return NULL;
}

/* Where nothing was measured yet it stands at the first word; n_options: at one that the type has no more. */
static size_t present_word(const struct control_answer *answer, const struct property_def *p)
{
	const struct kpi *v = value_of(answer, p->name);
	size_t i = 0;

	if (!v || v->sample.value.type != VALUE_ENUM)
		return 0;
	while (i < p->n_options && strcmp(p->options[i], v->sample.value.text) != 0)
		i++;
	return i;
}

static bool may_become(const struct property_def *p, size_t from, size_t to)
{
	return from != to && (from == p->n_options || transition_may(p, from, to));
}

void steps_text(const struct control_answer *answer)
{
	const struct type_def *t = answer->n_types > 0 ? &answer->types[0] : NULL;

	for (size_t i = 0; t && i < t->n_properties; i++) {
		const struct property_def *p = &t->properties[i];
		if (p->n_transitions == 0)
			continue;
		const size_t from = present_word(answer, p);
		const char *between = "";
		print_clean(stdout, p->name);
		fputs(" is ", stdout);
		paint(stdout, PAINT_BOLD, from < p->n_options ? p->options[from] : "a word of before");
		fputs(", may become ", stdout);
		for (size_t to = 0; to < p->n_options; to++) {
			if (!may_become(p, from, to))
				continue;
			fputs(between, stdout);
			print_clean(stdout, p->options[to]);
			between = ", ";
		}
		puts(*between ? "" : "nothing else");
	}
}

void show_steps(struct json *j, const struct control_answer *answer)
{
	const struct type_def *t = answer->n_types > 0 ? &answer->types[0] : NULL;

	if (!t)
		return;
	json_open(j, "steps", '{');
	for (size_t i = 0; i < t->n_properties; i++) {
		const struct property_def *p = &t->properties[i];
		if (p->n_transitions == 0)
			continue;
		const size_t from = present_word(answer, p);
		json_open(j, p->name, '[');
		for (size_t to = 0; to < p->n_options; to++)
			if (may_become(p, from, to))
				json_text(j, NULL, p->options[to]);
		json_close(j);
	}
	json_close(j);
}
