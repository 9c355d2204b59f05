/* SPDX-License-Identifier: Apache-2.0 */
#include "node/mqtt_out.h"

#include <jansson.h>
#include <math.h>

#include "node/topic.h"
#include "node/value_json.h"
#include "proto/clock.h"
#include "storage/numbered.h"
#include "storage/store.h"

enum { SLICE = 2000, SLICE_MS = 5, TOPIC_BYTES = 4096 };

/* What was last seen of a series. */
struct told {
	int64_t t_ns;
	uint64_t sum; /* of value, quality and uncertainty */
	uint32_t series;
	bool waits;
	struct told *next; /* of those that wait */
};

struct mqtt_out {
	struct mqtt_out_options opt;
	struct numbered told; /* by series */
	struct told *first, **last;
	size_t n_waiting;
	uint64_t seen; /* changes up to here were looked at */
	uv_timer_t more;
};

/* ---- What there is to tell -------------------------------------------------------------------------------
 */

static uint64_t mix(uint64_t sum, const void *data, size_t n)
{
	const uint8_t *p = data;

	for (size_t i = 0; i < n; i++)
		sum = (sum ^ p[i]) * 1099511628211u;
	return sum;
}

static uint64_t sum_of(const struct sample *s)
{
	uint64_t sum = mix(14695981039346656037u, &s->value.type, sizeof s->value.type);

	sum = mix(sum, &s->quality, sizeof s->quality);
	sum = mix(sum, &s->sigma, sizeof s->sigma);
	switch (s->value.type) {
	case VALUE_TEXT:
	case VALUE_ENUM: return mix(sum, s->value.text, strlen(s->value.text));
	case VALUE_DOUBLE: return mix(sum, &s->value.real, sizeof s->value.real);
	case VALUE_INT64: return mix(sum, &s->value.integer, sizeof s->value.integer);
	case VALUE_BOOL: return mix(sum, &s->value.boolean, sizeof s->value.boolean);
	case VALUE_POSITION: /* three doubles, no hole between them */
		return mix(sum, &s->value.position, sizeof s->value.position);
	case VALUE_NONE: break;
	}
	return sum;
}

static bool wants(const struct mqtt_outlet *outlet, const char *property)
{
	for (size_t i = 0; i < outlet->n_properties; i++)
		if (strcmp(outlet->properties[i], property) == 0)
			return true;
	return outlet->n_properties == 0;
}

static const struct mqtt_outlet *find_outlet(const struct mqtt_out *o, const char *twin, const char *property,
					     struct topic_variables *ret)
{
	for (size_t i = 0; i < o->opt.n_outlets; i++)
		if (wants(&o->opt.outlets[i], property) &&
		    topic_match(o->opt.outlets[i].twins, bytes_of_text(twin), ret))
			return &o->opt.outlets[i];
	return NULL;
}

/* NULL: it has no room. */
static struct told *told_of(struct mqtt_out *o, uint32_t series)
{
	struct told *t = numbered_get(&o->told, series);

	if (t || o->told.n >= MQTT_TOLD_MAX)
		return t;
	t = calloc(1, sizeof *t);
	if (!t)
		return NULL;
	t->series = series;
	t->t_ns = INT64_MIN;
	if (numbered_put(&o->told, series, t) == 0)
		return t;
	free(t);
	return NULL;
}

static void queue(struct mqtt_out *o, struct told *t)
{
	t->waits = true;
	t->next = NULL;
	*o->last = t;
	o->last = &t->next;
	o->n_waiting++;
}

static void look_at(struct mqtt_out *o, const struct twin *twin, size_t place)
{
	const struct property_def *def = &twin->type->def.properties[place];
	const struct sample s = store_value(o->opt.engine->store, twin, place);
	struct topic_variables v;

	if (s.value.type == VALUE_NONE || !find_outlet(o, twin->id, def->name, &v))
		return;
	struct told *t = told_of(o, store_series(o->opt.engine->store, twin, place));
	const uint64_t sum = sum_of(&s);
	if (!t) {
		o->opt.left_out(o->opt.ctx, twin->id, def->name);
		return;
	}
	if (t->t_ns == s.t_ns && t->sum == sum)
		return;
	t->t_ns = s.t_ns;
	t->sum = sum;
	if (t->waits)
		o->opt.skipped(o->opt.ctx);
	else
		queue(o, t);
}

static void look_at_twin(struct mqtt_out *o, const struct twin *twin)
{
	const struct type *type = twin->type;

	for (size_t i = 0; type && i < type->n_kpis; i++)
		look_at(o, twin, type->kpis[i]);
	for (size_t i = 0; type && i < type->n_standings; i++)
		look_at(o, twin, type->standings[i]);
}

/* A slice of what has changed; the rest soon. */
static void look(struct mqtt_out *o)
{
	const struct twin *twin = NULL;

	for (int i = 0; i < SLICE && (twin = store_change_next(o->opt.engine->store, o->seen)); i++) {
		o->seen = twin->seq;
		if (!twin->deleted)
			look_at_twin(o, twin);
	}
	if (twin && !uv_is_active((uv_handle_t *)&o->more))
		uv_timer_start(&o->more, o->more.timer_cb, SLICE_MS, 0);
}

/* ---- Telling it ------------------------------------------------------------------------------------------
 */

/* NULL: -ENOMEM. To be freed. */
static char *payload_of(const char *twin, const struct property_def *def, const struct sample *s)
{
	char at[TIME_TEXT_SIZE];
	json_t *j = json_pack("{s:s, s:s, s:s, s:o}", "twin", twin, "property", def->name, "t",
			      time_text(s->t_ns, at), "value", value_to_json(&s->value));

	if (j && def->unit && def->unit[0])
		json_object_set_new(j, "unit", json_string(def->unit));
	if (j && s->quality != QUALITY_GOOD)
		json_object_set_new(j, "quality", json_string(quality_text(s->quality)));
	if (j && !isnan(s->sigma))
		json_object_set_new(j, "sigma", json_real(s->sigma));
	char *text = j ? json_dumps(j, JSON_COMPACT) : NULL;
	json_decref(j);
	return text;
}

/* As it is now. What nobody can be told any more (the twin is gone) is done with. */
static int tell(struct mqtt_out *o, const struct told *t)
{
	const struct engine *e = o->opt.engine;
	char topic[TOPIC_BYTES];
	struct topic_variables v;
	size_t place;
	const struct twin *twin = store_series_owner(e->store, t->series, &place);

	if (!twin || !twin->type || place >= twin->type->def.n_properties)
		return 0;
	const struct property_def *def = &twin->type->def.properties[place];
	const struct sample s = store_value(e->store, twin, place);
	const struct mqtt_outlet *outlet = find_outlet(o, twin->id, def->name, &v);
	if (!outlet || s.value.type == VALUE_NONE)
		return 0;
	if (v.n < TOPIC_VARIABLES_MAX)
		v.of[v.n++] = (struct topic_variable){BYTES("property"), bytes_of_text(def->name)};
	char *payload = payload_of(twin->id, def, &s);
	if (!payload || !topic_fill(outlet->topic, &v, topic, sizeof topic)) {
		free(payload);
		o->opt.left_out(o->opt.ctx, twin->id, def->name);
		return 0;
	}
	const int r = o->opt.send(o->opt.ctx, topic, bytes_of_text(payload), outlet->retain);
	free(payload);
	return r;
}

void mqtt_out_room(struct mqtt_out *o)
{
	while (o->first && tell(o, o->first) <= 0) {
		o->first->waits = false;
		o->first = o->first->next;
		o->n_waiting--;
		if (!o->first)
			o->last = &o->first;
	}
}

void mqtt_out_changed(struct mqtt_out *o)
{
	look(o);
	mqtt_out_room(o);
}

static void on_more(uv_timer_t *t)
{
	mqtt_out_changed(t->data);
}

/* ---- Life ------------------------------------------------------------------------------------------------
 */

int mqtt_out_new(struct mqtt_out **ret, const struct mqtt_out_options *opt)
{
	struct mqtt_out *o = calloc(1, sizeof *o);

	if (!o)
		return FAIL(-ENOMEM);
	o->opt = *opt;
	o->last = &o->first;
	uv_timer_init(&opt->engine->loop, &o->more);
	o->more.data = o;
	uv_timer_start(&o->more, on_more, 0, 0);
	*ret = o;
	return 0;
}

static void on_closed(uv_handle_t *h)
{
	struct mqtt_out *o = h->data;

	for (uint64_t at = 0; o->told.n > 0;) {
		struct told *t = numbered_after(&o->told, at);
		if (!t)
			break;
		at = t->series;
		numbered_remove(&o->told, at);
		free(t);
	}
	numbered_fini(&o->told);
	free(o);
}

void mqtt_out_close(struct mqtt_out *o)
{
	if (o)
		uv_close((uv_handle_t *)&o->more, on_closed);
}

size_t mqtt_out_waiting(const struct mqtt_out *o)
{
	return o->n_waiting;
}
