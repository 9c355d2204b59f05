/* SPDX-License-Identifier: Apache-2.0 */
#include "proto/check.h"
#include "proto/clock.h"
#include "proto/id.h"
#include "proto/twin.h"
#include "proto/words.h"

int check_text(const char *text, size_t max, const char *what, const char *of, struct err_note *note)
{
	const struct bytes b = bytes_of_text(text);

	if (b.len > max)
		return FAIL_SAY(note, ERR_REFUSED, "%s of '%.80s' is longer than %zu bytes", what, of, max);
	if (!text_is_clean(b))
		return FAIL_SAY(note, ERR_REFUSED, "%s of '%.80s' is not UTF-8", what, of);
	return 0;
}

int check_count(size_t n, size_t max, const char *what, const char *of, struct err_note *note)
{
	if (n > max)
		return FAIL_SAY(note, ERR_REFUSED, "'%.80s' has %zu %s, at most %zu are allowed", of, n, what,
				max);
	return 0;
}

int check_new(const char *const *texts, size_t i, const char *what, const char *of, struct err_note *note)
{
	if (word_find(texts, i, texts[i]) < i)
		return FAIL_SAY(note, ERR_REFUSED, "'%.80s' has the %s '%.80s' twice", of, what, texts[i]);
	return 0;
}

int check_kind(enum kind kind, const char *of, struct err_note *note)
{
	if (kind >= N_KINDS)
		return FAIL_SAY(note, ERR_REFUSED, "'%.80s' has a kind that does not exist", of);
	return 0;
}

static int check_tags(const struct twin_def *t, struct err_note *note)
{
	TRY(check_count(t->n_tags, TAGS_MAX, "tags", t->id, note));
	for (size_t i = 0; i < t->n_tags; i++) {
		TRY(id_check_segment(t->tags[i], "tag", TAG_MAX, note));
		TRY(check_new(t->tags, i, "tag", t->id, note));
	}
	return 0;
}

static int check_aliases(const struct twin_def *t, struct err_note *note)
{
	TRY(check_count(t->n_aliases, ALIASES_MAX, "aliases", t->id, note));
	for (size_t i = 0; i < t->n_aliases; i++) {
		TRY(check_text(t->aliases[i], ALIAS_MAX, "an alias", t->id, note));
		if (*text_or_empty(t->aliases[i]) == '\0')
			return FAIL_SAY(note, ERR_REFUSED, "'%.80s' has an empty alias", t->id);
		TRY(check_new(t->aliases, i, "alias", t->id, note));
	}
	return 0;
}

static int check_life(const struct twin_def *t, struct err_note *note)
{
	TRY(check_count(t->n_life, LIFE_STEPS_MAX, "life-cycle steps", t->id, note));
	for (size_t i = 0; i < t->n_life; i++) {
		const struct life_step *step = &t->life[i], *last = i > 0 ? step - 1 : NULL;
		if (step->state >= N_LIFE_CYCLES)
			return FAIL_SAY(note, ERR_REFUSED,
					"'%.80s' has a life-cycle state that does not exist", t->id);
		if (last && step->since_ns < last->since_ns)
			return FAIL_SAY(note, ERR_REFUSED,
					"the life-cycle of '%.80s' is not in order of time", t->id);
		if (last && !life_cycle_may(last->state, step->state))
			return FAIL_SAY(note, ERR_REFUSED,
					"the life-cycle of '%.80s' cannot go from %s to %s", t->id,
					life_cycle_text(last->state), life_cycle_text(step->state));
	}
	return 0;
}

int twin_def_check(const struct twin_def *t, struct err_note *note)
{
	TRY(id_check_twin(t->id, note));
	if (*text_or_empty(t->type) != '\0')
		TRY(id_check_name(t->type, "type", note));
	TRY(check_kind(t->kind, t->id, note));
	TRY(check_text(t->name, NAME_MAX_BYTES, "the name", t->id, note));
	TRY(check_tags(t, note));
	TRY(check_aliases(t, note));
	return check_life(t, note);
}

int relation_check(const struct relation *r, struct err_note *note)
{
	TRY(id_check_name(r->type, "relation", note));
	TRY(id_check_twin(r->from, note));
	TRY(id_check_twin(r->to, note));
	if (r->valid_from_ns > r->valid_to_ns)
		return FAIL_SAY(note, ERR_REFUSED,
				"relation %.40s from '%.80s' to '%.80s' ends before it begins", r->type,
				r->from, r->to);
	return 0;
}

static bool is_number(enum value_type type)
{
	return type == VALUE_INT64 || type == VALUE_DOUBLE;
}

static int check_number(const struct property_def *p, const struct value *v, struct err_note *note)
{
	double number;

	/* NaN and infinity pass: they say that the sensor said nothing. */
	if (!value_number(v, &number) || !isfinite(number) || !is_number(v->type))
		return 0;
	if (number < p->min)
		return FAIL_SAY(note, ERR_REFUSED, "property '%.80s': %.17g is below the minimum %g", p->name,
				number, p->min);
	if (number > p->max)
		return FAIL_SAY(note, ERR_REFUSED, "property '%.80s': %.17g is above the maximum %g", p->name,
				number, p->max);
	return 0;
}

static int check_word(const struct property_def *p, const struct value *v, struct err_note *note)
{
	if (v->type == VALUE_TEXT)
		return check_text(v->text, TEXT_VALUE_MAX, "the value", p->name, note);
	if (v->type == VALUE_ENUM && word_find(p->options, p->n_options, v->text) == p->n_options)
		return FAIL_SAY(note, ERR_REFUSED, "property '%.80s': '%.60s' is none of its options",
				p->name, text_or_empty(v->text));
	return 0;
}

int property_accepts(const struct property_def *p, const struct sample *s, struct err_note *note)
{
	if (s->value.type != p->type)
		return FAIL_SAY(note, ERR_REFUSED, "property '%.80s' is of type %s, the value is %s", p->name,
				value_type_text(p->type), value_type_text(s->value.type));
	TRY(check_number(p, &s->value, note));
	TRY(check_word(p, &s->value, note));
	if (s->value.type == VALUE_POSITION && !position_is_valid(&s->value.position))
		return FAIL_SAY(note, ERR_REFUSED,
				"property '%.80s': the position is outside -90..90, -180..180 degrees",
				p->name);
	if (s->quality > QUALITY_BAD)
		return FAIL_SAY(note, ERR_REFUSED, "property '%.80s': there is no such quality", p->name);
	if (s->sigma < 0 || isinf(s->sigma))
		return FAIL_SAY(note, ERR_REFUSED,
				"property '%.80s': an uncertainty is finite and not negative", p->name);
	return check_text(s->source, SOURCE_MAX, "the source", p->name, note);
}
