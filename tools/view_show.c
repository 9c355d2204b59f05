/* SPDX-License-Identifier: Apache-2.0 */
#include "tools/view_show.h"

#include "proto/clock.h"
#include "proto/map.h"
#include "proto/words.h"
#include "tools/json.h"
#include "tools/print.h"

#define NONE SIZE_MAX

static void *place(size_t i)
{
	return (void *)(uintptr_t)(i + 1);
}

/* Members come parents first, so a parent is known when its child is met; a child of nobody hangs on the
 * root. */
static int link_members(struct shown_view *v, struct map *places, size_t *last_child)
{
	for (size_t i = 0; i < v->view->n_members; i++) {
		const struct view_member *m = &v->view->members[i];
		const uintptr_t known = (uintptr_t)map_get(places, m->parent);
		const size_t parent = known ? known - 1 : v->root_member;

		if (!map_get(places, m->id))
			TRY(map_put(places, m->id, place(i)));
		if (strcmp(m->id, v->root) == 0 && v->root_member == NONE) {
			v->root_member = i;
			continue;
		}
		if (parent == NONE)
			continue;
		if (last_child[parent] == NONE)
			v->first_child[parent] = i;
		else
			v->next_sibling[last_child[parent]] = i;
		last_child[parent] = i;
	}
	return 0;
}

int view_link(struct shown_view *v)
{
	SCOPED(map_fini) struct map places = {0};
	const size_t n = v->view->n_members;
	size_t *last_child = arena_take_array(v->arena, n, sizeof *last_child);

	v->first_child = arena_take_array(v->arena, n, sizeof *v->first_child);
	v->next_sibling = arena_take_array(v->arena, n, sizeof *v->next_sibling);
	if (!last_child || !v->first_child || !v->next_sibling)
		return FAIL(-ENOMEM);
	for (size_t i = 0; i < n; i++)
		last_child[i] = v->first_child[i] = v->next_sibling[i] = NONE;
	v->root_member = NONE;
	return link_members(v, &places, last_child);
}

static const char *unit_of(const struct rollup_spec *spec, const struct rollup_state *s)
{
	return spec->fn == ROLLUP_COUNT ? "" : text_or_empty(s->unit);
}

static void rollups_json(const struct shown_view *v, struct json *j, const struct rollup_state *states)
{
	json_open(j, "rollups", '[');
	for (size_t i = 0; i < v->question->n_rollups && states; i++) {
		const struct rollup_spec *spec = &v->question->rollups[i];
		double value, sigma;
		const bool has = rollup_value(&states[i], spec, &value);

		json_open(j, NULL, '{');
		json_text(j, "fn", rollup_fn_text(spec->fn));
		if (spec->fn == ROLLUP_QUANTILE)
			json_number(j, "quantile", spec->quantile);
		json_text(j, "property", spec->property);
		json_text(j, "unit", unit_of(spec, &states[i]));
		if (!has)
			json_none(j, "value");
		else if (spec->fn == ROLLUP_WORST_HEALTH)
			json_text(j, "value", health_text((enum health)value));
		else
			json_number(j, "value", value);
		if (rollup_sigma(&states[i], spec, &sigma))
			json_number(j, "sigma", sigma);
		json_text(j, "quality", quality_text(rollup_quality(&states[i])));
		json_count(j, "n", states[i].n);
		json_close(j);
	}
	json_close(j);
}

static void member_fields(struct json *j, const struct view_member *m)
{
	json_text(j, "name", m->name);
	json_text(j, "kind", kind_text(m->kind));
	json_text(j, "type", m->type);
	json_text(j, "state", member_state_text(m->state));
	json_text(j, "life_cycle", life_cycle_text(m->life));
	json_text(j, "health", health_text(m->health));
}

static void children_json(const struct shown_view *v, struct json *j, size_t parent, unsigned depth)
{
	json_open(j, "members", '[');
	for (size_t i = parent == NONE ? NONE : v->first_child[parent];
	     i != NONE && depth < VIEW_SHOW_DEPTH_MAX; i = v->next_sibling[i]) {
		const struct view_member *m = &v->view->members[i];
		json_open(j, NULL, '{');
		json_text(j, "id", m->id);
		member_fields(j, m);
		rollups_json(v, j, m->rollups);
		children_json(v, j, i, depth + 1);
		json_close(j);
	}
	json_close(j);
}

static void source_json(struct json *j, const struct view_source *s)
{
	json_open(j, NULL, '{');
	json_text(j, "org", s->org);
	json_text(j, "node", s->node);
	json_count(j, "revision", s->revision);
	json_seconds(j, "age_s", s->age_ns);
	json_count(j, "epoch", s->epoch);
	json_text(j, "state", member_state_text(s->state));
	json_close(j);
}

static void certificate_json(const struct shown_view *v, struct json *j)
{
	const struct view_counts *c = &v->view->counts;

	json_open(j, "certificate", '{');
	json_count(j, "members", c->members);
	json_count(j, "live", c->live);
	json_count(j, "cached", c->cached);
	json_count(j, "withheld", c->withheld);
	json_count(j, "unreachable", c->unreachable);
	json_count(j, "unconfirmed", c->unconfirmed);
	json_count(j, "coarse", c->coarse);
	json_count(j, "expired", c->expired);
	json_open(j, "sources", '[');
	for (size_t i = 0; i < v->view->n_sources; i++)
		source_json(j, &v->view->sources[i]);
	json_close(j);
	json_close(j);
}

void view_json(const struct shown_view *v, FILE *out)
{
	struct json j = {.out = out};

	json_open(&j, NULL, '{');
	json_text(&j, "root", v->root);
	if (v->root_member != NONE)
		member_fields(&j, &v->view->members[v->root_member]);
	json_text(&j, "hierarchy", v->question->hierarchy);
	if (v->question->has_as_of)
		json_time(&j, "as_of", v->question->as_of_ns);
	rollups_json(v, &j, v->view->rollups);
	children_json(v, &j, v->root_member, 0);
	certificate_json(v, &j);
	json_open(&j, "problems", '[');
	for (size_t i = 0; i < v->view->n_problems; i++)
		json_text(&j, NULL, v->view->problems[i]);
	json_close(&j);
	json_close(&j);
}

static const char *value_of(const struct shown_view *v, const struct rollup_spec *spec,
			    const struct rollup_state *s)
{
	double value;

	if (!rollup_value(s, spec, &value))
		return "-";
	return spec->fn == ROLLUP_WORST_HEALTH ? health_text((enum health)value)
					       : human_number(v->arena, value);
}

/* `sum load/power `, `quantile(0.95) load/power `, `worst-health ` */
static void heading_text(const struct shown_view *v, FILE *out, const struct rollup_spec *spec)
{
	const struct rollup_spec alone = {.fn = spec->fn, .property = "", .quantile = spec->quantile};
	const char *fn = rollup_spec_text(v->arena, &alone);

	fprintf(out, "%s %s%s", text_or_empty(fn), spec->property, spec->property[0] ? " " : "");
}

/* `sum load/power 51,754.08 MW (485)` */
static void rollups_text(const struct shown_view *v, FILE *out, const struct rollup_state *states)
{
	for (size_t i = 0; i < v->question->n_rollups && states; i++) {
		const struct rollup_spec *spec = &v->question->rollups[i];
		const char *unit = unit_of(spec, &states[i]);
		double sigma;

		fputs("  ", out);
		heading_text(v, out, spec);
		paint(out, PAINT_BOLD, value_of(v, spec, &states[i]));
		if (rollup_sigma(&states[i], spec, &sigma))
			fprintf(out, " +- %s", human_number(v->arena, sigma));
		fprintf(out, "%s%s", *unit ? " " : "", unit);
		if (rollup_quality(&states[i]) != QUALITY_GOOD)
			fputs(" uncertain", out);
		if (spec->fn != ROLLUP_COUNT)
			fprintf(out, " (%s)", human_count(v->arena, states[i].n));
	}
}

static void member_text(const struct shown_view *v, FILE *out, size_t i)
{
	const struct view_member *m = &v->view->members[i];

	print_clean(out, m->id);
	if (*m->name) {
		fputs("  ", out);
		paint(out, PAINT_DIM, m->name);
	}
	if (m->state != MEMBER_LIVE) {
		fputs("  ", out);
		paint(out, m->state == MEMBER_CACHED ? PAINT_WARNING : PAINT_ALARM,
		      member_state_text(m->state));
	}
	if (m->health == HEALTH_WARNING || m->health == HEALTH_ALARM) {
		fputs("  ", out);
		paint(out, m->health == HEALTH_ALARM ? PAINT_ALARM : PAINT_WARNING, health_text(m->health));
	}
	rollups_text(v, out, m->rollups);
	fputc('\n', out);
}

/* `stem` is what the lines below begin with; grown on the way down, cut on the way up. */
static void children_text(const struct shown_view *v, FILE *out, size_t parent, struct buf *stem,
			  unsigned depth)
{
	const size_t len = stem->len;

	for (size_t i = v->first_child[parent]; i != NONE && depth < VIEW_SHOW_DEPTH_MAX;
	     i = v->next_sibling[i]) {
		const bool last = v->next_sibling[i] == NONE;
		if (len > 0)
			fwrite(stem->data, 1, len, out);
		fputs(last ? "└── " : "├── ", out);
		member_text(v, out, i);
		buf_put_text(stem, last ? "    " : "│   ");
		children_text(v, out, i, stem, depth + 1);
		stem->len = len;
	}
}

static void count_text(const struct shown_view *v, FILE *out, bool *begun, uint64_t n, const char *what)
{
	if (n == 0)
		return;
	fprintf(out, "%s%s %s", *begun ? ", " : "", human_count(v->arena, n), what);
	*begun = true;
}

/* Which sources did not speak for themselves, and how long ago they last did. */
static void stale_sources_text(const struct shown_view *v, FILE *out)
{
	char age[DURATION_TEXT_SIZE];
	bool begun = false;

	for (size_t i = 0; i < v->view->n_sources; i++) {
		const struct view_source *s = &v->view->sources[i];
		if (s->state == MEMBER_LIVE)
			continue;
		fprintf(out, "%s%s/%s %s", begun ? ", " : " (", s->org, s->node,
			s->state == MEMBER_CACHED ? "" : member_state_text(s->state));
		fprintf(out, "%s%s ago", s->state == MEMBER_CACHED ? "" : ", vouched for ",
			duration_text(s->age_ns, age));
		begun = true;
	}
	if (begun)
		fputc(')', out);
}

/* `1,463 members: 1,100 live, 363 cached (amprion/n1 12s ago)` */
static void certificate_text(const struct shown_view *v, FILE *out)
{
	const struct view_counts *c = &v->view->counts;
	bool begun = false;

	fprintf(out, "%s members: ", human_count(v->arena, c->members));
	count_text(v, out, &begun, c->live, "live");
	count_text(v, out, &begun, c->cached, "cached");
	count_text(v, out, &begun, c->withheld, "withheld");
	count_text(v, out, &begun, c->unreachable, "unreachable");
	count_text(v, out, &begun, c->unconfirmed, "unconfirmed");
	count_text(v, out, &begun, c->coarse, "coarse");
	count_text(v, out, &begun, c->expired, "expired");
	stale_sources_text(v, out);
	fputc('\n', out);
}

void view_text(const struct shown_view *v, FILE *out)
{
	SCOPED(buf_fini) struct buf stem = {0};

	if (v->root_member != NONE) {
		member_text(v, out, v->root_member);
		children_text(v, out, v->root_member, &stem, 0);
	}
	if (v->question->n_rollups > 0) {
		fputs("total:", out);
		rollups_text(v, out, v->view->rollups);
		fputc('\n', out);
	}
	certificate_text(v, out);
	for (size_t i = 0; i < v->view->n_problems; i++) {
		fputs("problem: ", out);
		print_clean(out, v->view->problems[i]);
		fputc('\n', out);
	}
}
