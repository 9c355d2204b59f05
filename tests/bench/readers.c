/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/bench/readers.h"

#include <stdio.h>
#include <stdlib.h>

#include "proto/clock.h"
#include "proto/packed.h"
#include "tests/bench/sensor.h"

enum { HANDLES = 128, PAGE = 100, PAUSE_MS = 20, ARENA_BYTES = 16 << 20 };

static size_t random_sensor(struct reader *r)
{
	return sensor_mix(r->seed++) % plant_sensors(r->plant);
}

static int read_values(struct reader *r, struct client *c, struct arena *a)
{
	uint32_t handles[HANDLES];
	struct control_request ask = {.op = CONTROL_READ, .handles = handles, .n_handles = HANDLES};
	struct control_answer answer;
	struct packed frame;

	for (size_t i = 0; i < HANDLES; i++)
		handles[i] = r->plant->handles[random_sensor(r)];
	if (site_ask(r->site, c, &ask, a, &answer) < 0)
		return -1;
	if (packed_check(answer.blob, &frame) < 0 || frame.n != HANDLES)
		return bench_say(r->site->bench, "a reader got %zu bytes that are no %d values",
				 answer.blob.len, HANDLES);
	for (size_t i = 0; i < HANDLES; i++)
		r->n_samples += !frame.quality || frame.quality[i] != PACKED_ABSENT;
	return 0;
}

static int read_history(struct reader *r, struct client *c, struct arena *a)
{
	const size_t sensor = random_sensor(r);
	struct control_request ask = {
		.op = CONTROL_HISTORY,
		.twin = arena_print(a, SITE_ORG "/m%zu", sensor / r->plant->n_properties),
		.property = arena_print(a, "p%zu", sensor % r->plant->n_properties),
		.from_ns = TIME_MIN,
		.to_ns = TIME_MAX,
		.limit = PAGE};
	struct control_answer answer;

	if (site_ask(r->site, c, &ask, a, &answer) < 0)
		return -1;
	r->n_samples += answer.n_samples;
	return 0;
}

static int run(struct reader *r, int (*step)(struct reader *r, struct client *c, struct arena *a))
{
	SCOPED(scope_client) struct client *c = NULL;
	SCOPED(scope_arena) struct arena *a = NULL;

	if (site_client(r->site, &c) < 0 || arena_new(&a, ARENA_BYTES) < 0)
		return -1;
	while (!*r->stop) {
		arena_reset(a);
		if (step(r, c, a) < 0)
			return -1;
		r->n_answers++;
		bench_pause_ms(PAUSE_MS);
	}
	return 0;
}

static void *run_values(void *arg)
{
	struct reader *r = arg;

	r->result = run(r, read_values);
	return NULL;
}

static void *run_history(void *arg)
{
	struct reader *r = arg;

	r->result = run(r, read_history);
	return NULL;
}

int readers_start(struct readers *r, const struct site *s, const struct plant *p)
{
	r->values = (struct reader){.site = s, .plant = p, .stop = &r->stop, .seed = 1};
	r->history = (struct reader){.site = s, .plant = p, .stop = &r->stop, .seed = 1u << 31};
	r->values.runs = pthread_create(&r->values.thread, NULL, run_values, &r->values) == 0;
	r->history.runs = pthread_create(&r->history.thread, NULL, run_history, &r->history) == 0;
	return r->values.runs && r->history.runs ? 0 : bench_say(s->bench, "no thread for a reader");
}

static int join(struct reader *r)
{
	if (!r->runs)
		return 0;
	pthread_join(r->thread, NULL);
	r->runs = false;
	if (r->result == 0 && r->n_samples == 0)
		return bench_say(r->site->bench, "a reader found nothing in %llu answers",
				 (unsigned long long)r->n_answers);
	return r->result;
}

int readers_stop(struct readers *r)
{
	r->stop = true;
	const int values = join(&r->values), history = join(&r->history);
	return values < 0 || history < 0 ? -1 : 0;
}
