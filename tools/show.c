/* SPDX-License-Identifier: Apache-2.0 */
#include "tools/show.h"

#include "proto/clock.h"
#include "tools/print.h"

void show_words(struct json *j, const char *key, const char *const words[], size_t n)
{
	json_open(j, key, '[');
	for (size_t i = 0; i < n; i++)
		json_text(j, NULL, words[i]);
	json_close(j);
}

void show_twin_members(struct json *j, const struct twin_def *t)
{
	json_text(j, "id", t->id);
	json_text(j, "type", t->type);
	json_text(j, "kind", kind_text(t->kind));
	json_text(j, "name", t->name);
	show_words(j, "tags", t->tags, t->n_tags);
	show_words(j, "aliases", t->aliases, t->n_aliases);
	json_open(j, "life", '[');
	for (size_t i = 0; i < t->n_life; i++) {
		json_open(j, NULL, '{');
		json_text(j, "state", life_cycle_text(t->life[i].state));
		json_time(j, "since", t->life[i].since_ns);
		json_close(j);
	}
	json_close(j);
}

void show_row_members(struct json *j, const struct row *r)
{
	json_text(j, "id", r->id);
	json_text(j, "type", r->type);
	json_text(j, "kind", kind_text(r->kind));
	json_text(j, "name", r->name);
	json_open(j, "tags", '[');
	for (size_t i = 0; i < r->n_tags; i++)
		json_text(j, NULL, r->tags[i]);
	json_close(j);
}

void show_row_parents(struct json *j, const struct row *r)
{
	json_open(j, "parents", '[');
	for (size_t i = 0; i < r->n_parents; i++) {
		json_open(j, NULL, '{');
		json_text(j, "hierarchy", r->parents[i].hierarchy);
		json_text(j, "parent", r->parents[i].parent);
		json_text(j, "state", confirmation_text(r->parents[i].state));
		json_close(j);
	}
	json_close(j);
}

void show_alarm_members(struct json *j, const struct row_alarm *alarm)
{
	json_text(j, "alarm", alarm->name);
	json_text(j, "severity", health_text(alarm->severity));
	json_text(j, "state", alarm_state_text(alarm->state));
	json_text(j, "what", alarm->what);
	json_time(j, "since", alarm->since_ns);
}

void show_row_alarms(struct json *j, const struct row *r)
{
	json_open(j, "alarms", '[');
	for (size_t i = 0; i < r->n_alarms; i++) {
		json_open(j, NULL, '{');
		show_alarm_members(j, &r->alarms[i]);
		json_close(j);
	}
	json_close(j);
}

void show_relation(struct json *j, const char *key, const struct relation *r)
{
	json_open(j, key, '{');
	json_text(j, "type", r->type);
	json_text(j, "from", r->from);
	json_text(j, "to", r->to);
	json_time(j, "valid_from", r->valid_from_ns);
	json_time(j, "valid_to", r->valid_to_ns);
	json_close(j);
}

void show_membership(struct json *j, const char *key, const struct membership *m)
{
	json_open(j, key, '{');
	json_text(j, "hierarchy", m->hierarchy);
	json_text(j, "parent", m->parent);
	json_text(j, "child", m->child);
	json_text(j, "state", confirmation_text(m->state));
	json_time(j, "since", m->since_ns);
	json_close(j);
}

void show_sample_members(struct json *j, const struct sample *s)
{
	if (s->value.type == VALUE_NONE)
		json_none(j, "t");
	else
		json_time(j, "t", s->t_ns);
	json_value(j, "value", &s->value);
	json_text(j, "quality", quality_text(s->quality));
	if (isfinite(s->sigma))
		json_number(j, "sigma", s->sigma);
	if (s->source && *s->source)
		json_text(j, "source", s->source);
}

void show_notes(struct json *j, const char *key, const struct control_answer *answer)
{
	json_open(j, key, '[');
	for (size_t i = 0; i < answer->n_notes; i++) {
		json_open(j, NULL, '{');
		json_count(j, "change", answer->notes[i].index);
		json_text(j, "text", answer->notes[i].text);
		json_bool(j, "loses", answer->notes[i].loses);
		json_close(j);
	}
	json_close(j);
}

void show_refusals(struct json *j, const char *key, const struct control_answer *answer)
{
	json_open(j, key, '[');
	for (size_t i = 0; i < answer->n_refused; i++) {
		json_open(j, NULL, '{');
		json_count(j, "change", answer->refused[i].index);
		json_text(j, "reason", answer->refused[i].reason);
		json_close(j);
	}
	json_close(j);
}

const char *sample_words(struct arena *a, const struct sample *s, const char *unit)
{
	const char *value =
		s->value.type == VALUE_DOUBLE ? human_number(a, s->value.real) : value_text(a, &s->value);
	const bool good = s->quality == QUALITY_GOOD, with_unit = unit && *unit;
	const char *text;

	if (s->value.type == VALUE_NONE)
		return "-";
	text = arena_print(a, "%s%s%s%s%s", value ? value : "", with_unit ? " " : "", with_unit ? unit : "",
			   good ? "" : ", ", good ? "" : quality_text(s->quality));
	return text ? text : "";
}

const char *words_joined(struct arena *a, const char *const words[], size_t n)
{
	const char *text = "";

	for (size_t i = 0; i < n && text; i++)
		text = arena_print(a, "%s%s%s", text, i > 0 ? " " : "", words[i]);
	return text ? text : "";
}

void show_relations(struct json *j, const struct control_answer *answer)
{
	json_open(j, "relations", '[');
	for (size_t i = 0; i < answer->n_relations; i++)
		show_relation(j, NULL, &answer->relations[i]);
	json_close(j);
	json_open(j, "memberships", '[');
	for (size_t i = 0; i < answer->n_memberships; i++)
		show_membership(j, NULL, &answer->memberships[i]);
	json_close(j);
}
