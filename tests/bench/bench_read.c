/* SPDX-License-Identifier: Apache-2.0 */
/* The present value of random properties of 1,000,000 twins with 4 numbers each, 128 in a request, 16
 * requests on their way. A value of every answer is compared with what the sensor said. Redis does GET in
 * pipelines of 128 over as many keys as there are twins. */
#include <inttypes.h>
#include <math.h>
#include <stdlib.h>

#include "tests/bench/driver.h"
#include "tests/bench/peer.h"
#include "tests/bench/sensor.h"

enum {
	TWINS = 1000000,
	QUICK_TWINS = 5000,
	PROPERTIES = 4,
	SECONDS = 15,
	QUICK_SECONDS = 1,
	REDIS_SECONDS = 8
};
enum { HANDLES = 128, WINDOW = 16, SLOTS = 64, ARENA_BYTES = 1 << 20 };

struct asking {
	const struct site *site;
	const struct plant *plant;
	struct client *client;
	struct arena *arena;
	size_t first[SLOTS]; /* sensor that each request on its way begins with, by the request's id */
	uint64_t seed, n_read;
	unsigned underway;
};

static int ask(struct asking *a)
{
	const size_t n_sensors = plant_sensors(a->plant);
	uint32_t handles[HANDLES];
	struct control_request r = {.op = CONTROL_READ, .handles = handles, .n_handles = HANDLES};
	struct err_note note = {0};
	size_t first = 0;

	for (size_t i = 0; i < HANDLES; i++) {
		const size_t sensor = sensor_mix(a->seed++) % n_sensors;
		handles[i] = a->plant->handles[sensor];
		first = i == 0 ? sensor : first;
	}
	if (client_send(a->client, &r, &note) < 0)
		return bench_say("read", "%s", note.text);
	a->first[r.id % SLOTS] = first;
	a->underway++;
	return 0;
}

static int take(struct asking *a)
{
	struct control_answer answer;
	struct err_note note = {0};
	struct packed frame;
	double value;

	arena_reset(a->arena);
	if (client_receive(a->client, a->arena, &answer, &note) < 0)
		return bench_say("read", "%s", note.text);
	if (answer.code < 0)
		return bench_say("read", "the node says: %s", answer.text);
	if (packed_check(answer.blob, &frame) < 0 || frame.n != HANDLES)
		return bench_say("read", "an answer is not %d values", HANDLES);
	const uint64_t bits = packed_u64(frame.bits, 0);
	memcpy(&value, &bits, sizeof value);
	const double said = sensor_value(a->first[answer.id % SLOTS], 0);
	if (value != said || (frame.quality && memchr(frame.quality, PACKED_ABSENT, HANDLES)))
		return bench_say("read", "sensor %zu reads %.17g instead of %.17g",
				 a->first[answer.id % SLOTS], value, said);
	a->n_read += HANDLES;
	a->underway--;
	return 0;
}

static int measure(const struct bench_options *opt, struct site *s, struct plant *p, double *ret_rate)
{
	SCOPED(scope_client) struct client *c = NULL;
	SCOPED(scope_arena) struct arena *arena = NULL;
	struct plant_times times;

	if (site_client(s, &c) < 0 || plant_make(p, s, c) < 0 || plant_open(p, s, c) < 0 ||
	    driver_load(s, p, 1, &times) < 0 || arena_new(&arena, ARENA_BYTES) < 0)
		return -1;
	struct asking a = {.site = s, .plant = p, .client = c, .arena = arena};
	const double began_s = bench_now_s(), until_s = began_s + (opt->quick ? QUICK_SECONDS : SECONDS);
	do {
		while (a.underway < WINDOW && bench_now_s() < until_s)
			if (ask(&a) < 0)
				return -1;
		if (a.underway > 0 && take(&a) < 0)
			return -1;
	} while (a.underway > 0);
	*ret_rate = (double)a.n_read / (bench_now_s() - began_s);
	return 0;
}

static int run(const struct bench_options *opt)
{
	struct site s = {.bench = "read"};
	struct plant p = {.n_twins = opt->quick ? QUICK_TWINS : TWINS, .n_properties = PROPERTIES};
	double rate = NAN;
	int r = site_init(&s, opt, NULL);

	if (r == 0)
		r = measure(opt, &s, &p, &rate);
	site_fini(&s);
	if (r == 0)
		bench_figure(opt, "read", "random", rate, "reads/s", REDIS_PEER,
			     peer_redis(opt, REDIS_GET_PIPELINED, p.n_twins, opt->quick ? 1 : REDIS_SECONDS));
	plant_fini(&p);
	return r;
}

const struct bench bench_read = {"read", "present values of a million twins: [random]", run};
