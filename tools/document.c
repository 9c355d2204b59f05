/* SPDX-License-Identifier: Apache-2.0 */
#include "tools/document.h"

#include "proto/clock.h"

int in_words(struct arena *a, const struct spot *up, const char *key, const char ***ret, size_t *ret_n,
	     struct err_note *note)
{
	const struct spot list = spot_key(up, key);
	const char **words;

	TRY(in_list(&list, ret_n, note));
	words = arena_take_array(a, *ret_n, sizeof *words);
	if (!words)
		return FAIL(-ENOMEM);
	for (size_t i = 0; i < *ret_n; i++) {
		const struct spot item = spot_item(&list, i);
		words[i] = json_string_value(item.json);
		if (!words[i])
			return spot_fail(&item, note, "a text is expected here");
	}
	*ret = words;
	return 0;
}

int in_kind(const struct spot *up, enum kind *ret, struct err_note *note)
{
	const struct spot s = spot_key(up, "kind");
	const char *text;

	TRY(in_text(up, "kind", NULL, &text, note));
	if (!kind_parse(text, ret))
		return spot_fail(
			&s, note,
			"%.60s is none of component, asset, system, process, system-of-systems, environment",
			text);
	return 0;
}

int life_begin(struct arena *a, enum life_cycle state, struct twin_def *twin)
{
	twin->life = arena_take(a, sizeof *twin->life);
	if (!twin->life)
		return FAIL(-ENOMEM);
	twin->life[0] = (struct life_step){state, TIME_MIN};
	twin->n_life = 1;
	return 0;
}

static int read_state(const struct spot *s, const char *text, enum life_cycle *ret, struct err_note *note)
{
	if (!life_cycle_parse(text, ret))
		return spot_fail(
			s, note,
			"%.60s is none of design, build, commissioned, operating, maintenance, retired",
			text);
	return 0;
}

/* A state, or the list of its changes. */
static int read_life(struct arena *a, const struct spot *up, struct twin_def *twin, struct err_note *note)
{
	static const char *const keys[] = {"state", "since", NULL};
	const struct spot s = spot_key(up, "life");
	enum life_cycle state = LIFE_OPERATING;
	const char *text;

	if (!s.json || json_is_string(s.json)) {
		if (s.json)
			TRY(read_state(&s, json_string_value(s.json), &state, note));
		return life_begin(a, state, twin);
	}
	TRY(in_list(&s, &twin->n_life, note));
	twin->life = arena_take_array(a, twin->n_life, sizeof *twin->life);
	if (!twin->life)
		return FAIL(-ENOMEM);
	for (size_t i = 0; i < twin->n_life; i++) {
		const struct spot item = spot_item(&s, i);
		TRY(in_object(&item, keys, note));
		TRY(in_text(&item, "state", NULL, &text, note));
		TRY(read_state(&item, text, &twin->life[i].state, note));
		TRY(in_time(&item, "since", TIME_MIN, &twin->life[i].since_ns, note));
	}
	return 0;
}

int document_twin(struct arena *a, const struct spot *s, kind_of_type_fn *kind_of_type, void *ctx,
		  struct twin_def *ret, struct err_note *note)
{
	static const char *const keys[] = {"id", "type", "kind", "name", "tags", "aliases", "life", NULL};
	struct twin_def t = {0};
	struct err_note why = {0};

	TRY(in_object(s, keys, note));
	TRY(in_text(s, "id", NULL, &t.id, note));
	TRY(in_text(s, "type", "", &t.type, note));
	if (json_object_get(s->json, "kind") || !kind_of_type || !*t.type)
		TRY(in_kind(s, &t.kind, note));
	else if (!kind_of_type(ctx, t.type, &t.kind))
		return spot_fail(s, note, "unknown type %.100s: define it under \"types\"", t.type);
	TRY(in_text(s, "name", "", &t.name, note));
	TRY(in_words(a, s, "tags", &t.tags, &t.n_tags, note));
	TRY(in_words(a, s, "aliases", &t.aliases, &t.n_aliases, note));
	TRY(read_life(a, s, &t, note));
	TRY(spot_blame(s, twin_def_check(&t, &why), &why, note));
	*ret = t;
	return 0;
}

int document_relation(const struct spot *s, struct relation *ret, struct err_note *note)
{
	static const char *const keys[] = {"type", "from", "to", "valid_from", "valid_to", NULL};
	struct relation r = {0};
	struct err_note why = {0};

	TRY(in_object(s, keys, note));
	TRY(in_text(s, "type", NULL, &r.type, note));
	TRY(in_text(s, "from", NULL, &r.from, note));
	TRY(in_text(s, "to", NULL, &r.to, note));
	TRY(in_time(s, "valid_from", TIME_MIN, &r.valid_from_ns, note));
	TRY(in_time(s, "valid_to", TIME_MAX, &r.valid_to_ns, note));
	TRY(spot_blame(s, relation_check(&r, &why), &why, note));
	*ret = r;
	return 0;
}

int document_membership(const struct spot *s, int64_t now_ns, struct membership *ret, struct err_note *note)
{
	static const char *const keys[] = {"hierarchy", "parent", "child", "state", "since", NULL};
	const struct spot state = spot_key(s, "state");
	struct membership m = {.state = CONFIRM_CONFIRMED};
	const char *text;

	TRY(in_object(s, keys, note));
	TRY(in_text(s, "hierarchy", "contains", &m.hierarchy, note));
	TRY(in_text(s, "parent", NULL, &m.parent, note));
	TRY(in_text(s, "child", NULL, &m.child, note));
	TRY(in_text(s, "state", "confirmed", &text, note));
	if (strcmp(text, confirmation_text(CONFIRM_REFUSED)) == 0)
		m.state = CONFIRM_REFUSED;
	else if (strcmp(text, confirmation_text(CONFIRM_CONFIRMED)) != 0)
		return spot_fail(&state, note, "%.60s is none of confirmed, refused", text);
	TRY(in_time(s, "since", now_ns, &m.since_ns, note));
	*ret = m;
	return 0;
}

static int read_position(const struct spot *s, struct value *ret, struct err_note *note)
{
	static const char *const keys[] = {"lat", "lon", "alt", NULL};
	struct position p;

	TRY(in_object(s, keys, note));
	TRY(in_number(s, "lat", NAN, &p.lat_deg, note));
	TRY(in_number(s, "lon", NAN, &p.lon_deg, note));
	TRY(in_number(s, "alt", NAN, &p.alt_m, note));
	if (isnan(p.lat_deg) || isnan(p.lon_deg))
		return spot_fail(s, note, "a position needs lat and lon");
	if (!position_is_valid(&p))
		return spot_fail(s, note, "the position is outside -90..90, -180..180 degrees");
	*ret = (struct value){.type = VALUE_POSITION, .position = p};
	return 0;
}

static int in_bytes(const struct spot *s, const char *text, size_t most, struct err_note *note)
{
	const size_t n = strlen(text);

	return n <= most ? 0 : spot_fail(s, note, "a text of %zu bytes is longer than %zu", n, most);
}

static int read_value(const struct spot *s, struct value *ret, struct err_note *note)
{
	switch (s->json ? json_typeof(s->json) : JSON_NULL) {
	case JSON_TRUE:
	case JSON_FALSE:
		*ret = (struct value){.type = VALUE_BOOL, .boolean = json_is_true(s->json)};
		return 0;
	case JSON_INTEGER:
		*ret = (struct value){.type = VALUE_INT64, .integer = json_integer_value(s->json)};
		return 0;
	case JSON_REAL:
		*ret = (struct value){.type = VALUE_DOUBLE, .real = json_real_value(s->json)};
		return 0;
	case JSON_STRING:
		*ret = (struct value){.type = VALUE_TEXT, .text = json_string_value(s->json)};
		return in_bytes(s, ret->text, TEXT_VALUE_MAX, note);
	case JSON_OBJECT: return read_position(s, ret, note);
	case JSON_NULL:
	case JSON_ARRAY: break;
	}
	return spot_fail(s, note, "a value is expected here: true, false, a number, a text or {lat, lon}");
}

int document_reading(const struct spot *s, int64_t now_ns, struct reading *ret, struct err_note *note)
{
	static const char *const keys[] = {"twin",    "property", "t",      "value",
					   "quality", "sigma",    "source", NULL};
	const struct spot value = spot_key(s, "value"), quality = spot_key(s, "quality"),
			  sigma = spot_key(s, "sigma"), source = spot_key(s, "source");
	struct reading r = {0};
	const char *text;

	TRY(in_object(s, keys, note));
	TRY(in_text(s, "twin", NULL, &r.twin, note));
	TRY(in_text(s, "property", NULL, &r.property, note));
	TRY(in_time(s, "t", now_ns, &r.sample.t_ns, note));
	TRY(read_value(&value, &r.sample.value, note));
	TRY(in_text(s, "quality", "good", &text, note));
	if (!quality_parse(text, &r.sample.quality))
		return spot_fail(&quality, note, "%.60s is none of good, uncertain, bad", text);
	TRY(in_number(s, "sigma", NAN, &r.sample.sigma, note));
	if (r.sample.sigma < 0)
		return spot_fail(&sigma, note, "an uncertainty is not negative");
	TRY(in_text(s, "source", "", &text, note));
	TRY(in_bytes(&source, text, SOURCE_MAX, note));
	r.sample.source = *text ? text : NULL;
	*ret = r;
	return 0;
}
