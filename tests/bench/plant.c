/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/bench/plant.h"

#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>

#include "proto/clock.h"
#include "tests/bench/sensor.h"
#include "tools/bulk.h"

enum { OPS_PER_REQUEST = 5000, PROPERTIES = 16, PAGE = 1000, ARENA_BYTES = 64 << 20, NAME_BYTES = 32 };

void plant_fini(struct plant *p)
{
	free(p->handles);
	p->handles = NULL;
}

/* ---- Making ----------------------------------------------------------------------------------------------
 */

static void on_refused(void *ctx, const struct mark *mark, const struct refusal *refusal)
{
	(void)mark;
	bench_say(ctx, "refused: %s", refusal->reason);
}

static int add_type(const struct plant *p, struct bulk *b, struct err_note *note)
{
	struct property_def *properties =
		arena_take_array(bulk_arena(b), p->n_properties, sizeof *properties);
	struct op op = {.kind = OP_TYPE,
			.type = {.name = "machine",
				 .parent = "",
				 .version = 1,
				 .kind = KIND_ASSET,
				 .properties = properties,
				 .n_properties = p->n_properties}};

	if (!properties)
		return FAIL(-ENOMEM);
	for (size_t i = 0; i < p->n_properties; i++)
		properties[i] = (struct property_def){.name = arena_print(bulk_arena(b), "p%zu", i),
						      .type = VALUE_DOUBLE,
						      .unit = "kW",
						      .min = NAN,
						      .max = NAN,
						      .limits = p->limits};
	return bulk_add(b, &op, (struct mark){0}, note);
}

static int add_twins(const struct plant *p, struct bulk *b, struct err_note *note)
{
	TRY(add_type(p, b, note));
	TRY(bulk_drain(b, note)); /* before the first twin of it */
	for (size_t i = 0; i < p->n_twins; i++) {
		struct op op = {.kind = OP_TWIN,
				.twin = {.id = arena_print(bulk_arena(b), SITE_ORG "/m%zu", i),
					 .type = "machine",
					 .kind = KIND_ASSET,
					 .name = ""}};
		TRY(bulk_add(b, &op, (struct mark){0}, note));
	}
	return bulk_drain(b, note);
}

static void scope_bulk(struct bulk *b)
{
	bulk_fini(b);
}

int plant_make(const struct plant *p, const struct site *s, struct client *c)
{
	union {
		const char *in;
		void *out;
	} bench = {.in = s->bench};
	SCOPED(scope_bulk)
	struct bulk b = {.client = c, .refused = on_refused, .ctx = bench.out, .ops_max = OPS_PER_REQUEST};
	struct err_note note = {0};

	if (bulk_init(&b) < 0 || add_twins(p, &b, &note) < 0)
		return bench_say(s->bench, "twins cannot be made: %s", note.text);
	if (b.n_changed != p->n_twins + 1)
		return bench_say(s->bench, "%" PRIu64 " of %zu twins were made", b.n_changed, p->n_twins);
	return 0;
}

/* ---- Handles ---------------------------------------------------------------------------------------------
 */

static int open_some(struct plant *p, const struct site *s, struct client *c, struct arena *a, size_t first,
		     size_t n)
{
	struct control_request r = {.op = CONTROL_SERIES, .n_names = n};
	struct control_answer answer;

	arena_reset(a);
	r.names = arena_take_array(a, n, sizeof *r.names);
	for (size_t i = 0; i < n; i++) {
		const size_t sensor = first + i;
		r.names[i].twin = arena_print(a, SITE_ORG "/m%zu", sensor / p->n_properties);
		r.names[i].property = arena_print(a, "p%zu", sensor % p->n_properties);
	}
	if (site_ask(s, c, &r, a, &answer) < 0)
		return -1;
	if (answer.n_handles != n)
		return bench_say(s->bench, "%zu handles for %zu series", answer.n_handles, n);
	memcpy(p->handles + first, answer.handles, n * sizeof *p->handles);
	for (size_t i = 0; i < n; i++)
		if (answer.handles[i] == 0)
			return bench_say(s->bench, "no handle for sensor %zu", first + i);
	p->incarnation = answer.incarnation;
	p->credit = answer.credit;
	return 0;
}

int plant_open(struct plant *p, const struct site *s, struct client *c)
{
	SCOPED(scope_arena) struct arena *a = NULL;
	const size_t n = plant_sensors(p);

	free(p->handles);
	p->handles = calloc(n, sizeof *p->handles);
	if (!p->handles || arena_new(&a, ARENA_BYTES) < 0)
		return bench_say(s->bench, "out of memory");
	for (size_t first = 0; first < n; first += SERIES_NAMES_MAX)
		if (open_some(p, s, c, a, first,
			      n - first < SERIES_NAMES_MAX ? n - first : SERIES_NAMES_MAX) < 0)
			return -1;
	return 0;
}

/* ---- Checking --------------------------------------------------------------------------------------------
 */

int64_t plant_tick_ns(const struct plant_times *t, size_t sensor, uint64_t tick)
{
	return t->first_ns + (int64_t)tick * t->tick_ns + sensor_late_ns(sensor / t->frame_sensors, tick);
}

static int check_page(const struct plant_times *t, const struct site *s, size_t sensor, uint64_t tick,
		      const struct control_answer *page)
{
	for (size_t i = 0; i < page->n_samples; i++, tick++) {
		const struct sample *found = &page->samples[i];
		if (found->t_ns != plant_tick_ns(t, sensor, tick) || found->value.type != VALUE_DOUBLE ||
		    found->value.real != sensor_value(sensor, tick))
			return bench_say(s->bench,
					 "sensor %zu has %.17g at %" PRId64 ", not %.17g at %" PRId64
					 " (tick %" PRIu64 ")",
					 sensor, found->value.real, found->t_ns, sensor_value(sensor, tick),
					 plant_tick_ns(t, sensor, tick), tick);
	}
	return 0;
}

/* Page by page; how many there were. */
static int check_pages(const struct plant_times *t, const struct site *s, struct client *c,
		       const struct plant_span *span, struct control_request *r, uint64_t *ret_n)
{
	SCOPED(scope_arena) struct arena *a = NULL;
	struct control_answer page = {.more = true};

	if (arena_new(&a, ARENA_BYTES) < 0)
		return bench_say(s->bench, "out of memory");
	for (*ret_n = 0; page.more; *ret_n += page.n_samples) {
		arena_reset(a);
		if (site_ask(s, c, r, a, &page) < 0 ||
		    check_page(t, s, span->sensor, span->first_tick + *ret_n, &page) < 0)
			return -1;
		if (page.n_samples == 0)
			return 0;
		r->from_ns = page.samples[page.n_samples - 1].t_ns + 1;
	}
	return 0;
}

int plant_check(const struct plant *p, const struct plant_times *t, const struct site *s, struct client *c,
		const struct plant_span *span)
{
	char twin[NAME_BYTES], property[NAME_BYTES];
	const int64_t from_ns = t->first_ns + (int64_t)span->first_tick * t->tick_ns;
	uint64_t n = 0;

	snprintf(twin, sizeof twin, SITE_ORG "/m%zu", span->sensor / p->n_properties);
	snprintf(property, sizeof property, "p%zu", span->sensor % p->n_properties);
	struct control_request r = {.op = CONTROL_HISTORY,
				    .twin = twin,
				    .property = property,
				    .from_ns = from_ns,
				    .to_ns = from_ns + (int64_t)span->n_ticks * t->tick_ns - 1,
				    .limit = PAGE};
	if (check_pages(t, s, c, span, &r, &n) < 0)
		return -1;
	if (n != span->n_ticks)
		return bench_say(s->bench,
				 "sensor %zu: %" PRIu64 " samples were acknowledged, %" PRIu64 " are there",
				 span->sensor, span->n_ticks, n);
	return 0;
}
