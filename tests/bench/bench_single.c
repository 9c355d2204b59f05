/* SPDX-License-Identifier: Apache-2.0 */
/* One sample per request, 50 clients that each wait for their answer: what group commit is worth. The clients
 * are as light as those of redis-benchmark, which does the same beside it. */
#include <inttypes.h>
#include <math.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#include "tests/bench/driver.h"
#include "tests/bench/peer.h"
#include "tests/bench/sensor.h"
#include "tests/bench/wire.h"

enum { CLIENTS = 50, TWINS = 100, PROPERTIES = 10, SECONDS = 15, QUICK_SECONDS = 2, REDIS_SECONDS = 8 };
enum { CHECKED = 20, ARENA_BYTES = 1 << 20, ANSWER_MS = 30000 };

/* Client i has the sensors i, i + CLIENTS, ...: it goes round them, tick after tick. */
struct clients {
	const struct site *site;
	const struct plant *plant;
	struct plant_times times;
	struct wire wire[CLIENTS];
	struct pollfd poll[CLIENTS];
	double sent_s[CLIENTS];
	uint64_t n_sent[CLIENTS], n_acked;
	struct packed_writer writer;
	struct buf frame, request;
	struct arena *arena;
	double *latency_ms;
	size_t n_latencies, latencies_size;
};

static size_t sensors_each(const struct clients *c)
{
	return plant_sensors(c->plant) / CLIENTS;
}

static int send_one(struct clients *c, size_t i)
{
	const uint64_t tick = c->n_sent[i] / sensors_each(c);
	const size_t sensor = i + c->n_sent[i] % sensors_each(c) * CLIENTS;
	const struct sample s = {.t_ns = plant_tick_ns(&c->times, sensor, tick),
				 .value = {.type = VALUE_DOUBLE, .real = sensor_value(sensor, tick)},
				 .sigma = NAN};
	const struct packed_id id = {i + 1, ++c->n_sent[i], c->plant->incarnation};

	packed_writer_clear(&c->writer);
	buf_clear(&c->frame);
	buf_clear(&c->request);
	if (packed_put(&c->writer, c->plant->handles[sensor], &s) != 0 ||
	    packed_finish(&c->writer, &id, &c->frame) < 0)
		return bench_say("ingest", "a sample cannot be packed");
	const struct control_request r = {
		.id = c->n_sent[i], .op = CONTROL_INGEST, .blob = buf_bytes(&c->frame)};
	control_request_encode(&r, &c->request);
	c->sent_s[i] = bench_now_s();
	if (buf_check(&c->request) < 0 || wire_send(&c->wire[i], buf_bytes(&c->request)) < 0)
		return bench_say("ingest", "a request cannot be sent");
	return 0;
}

static int take_answer(struct clients *c, size_t i, struct bytes frame)
{
	struct control_answer answer;

	arena_reset(c->arena);
	if (control_answer_decode(c->arena, frame, &answer) < 0 || answer.id != c->n_sent[i])
		return bench_say("ingest", "an answer to client %zu cannot be read", i);
	if (answer.code < 0)
		return bench_say("ingest", "a sample was not taken: %s", answer.text);
	if (answer.n_refused > 0 || answer.n_changed + answer.n_unchanged != 1)
		return bench_say("ingest", "a sample was refused: %s",
				 answer.n_refused > 0 ? answer.refused[0].reason : "");
	c->n_acked++;
	if (c->n_latencies < c->latencies_size)
		c->latency_ms[c->n_latencies++] = (bench_now_s() - c->sent_s[i]) * 1e3;
	return 0;
}

/* Answers that have come; each brings the next request, as long as there is time. */
static int serve(struct clients *c, bool more, size_t *underway)
{
	struct bytes frame;

	if (poll(c->poll, CLIENTS, ANSWER_MS) <= 0)
		return bench_say("ingest", "the node does not answer");
	for (size_t i = 0; i < CLIENTS; i++) {
		if (!c->poll[i].revents)
			continue;
		if (wire_fill(&c->wire[i]) < 0)
			return bench_say("ingest", "the node hung up");
		while (wire_next(&c->wire[i], &frame)) {
			if (take_answer(c, i, frame) < 0)
				return -1;
			(*underway)--;
			if (more && send_one(c, i) < 0)
				return -1;
			*underway += more;
		}
	}
	return 0;
}

static int drive(struct clients *c, double seconds, double *ret_rate)
{
	const double began_s = bench_now_s();
	size_t underway = 0;

	for (size_t i = 0; i < CLIENTS; i++, underway++)
		if (send_one(c, i) < 0)
			return -1;
	while (underway > 0)
		if (serve(c, bench_now_s() < began_s + seconds, &underway) < 0)
			return -1;
	*ret_rate = (double)c->n_acked / (bench_now_s() - began_s);
	return 0;
}

static int check(const struct clients *c, struct client *reader)
{
	for (size_t i = 0; i < CHECKED; i++) {
		const size_t sensor = sensor_mix(i) % plant_sensors(c->plant);
		const uint64_t sent = c->n_sent[sensor % CLIENTS], each = sensors_each(c);
		const struct plant_span span = {.sensor = sensor,
						.n_ticks = sent / each + (sensor / CLIENTS < sent % each)};
		if (plant_check(c->plant, &c->times, c->site, reader, &span) < 0)
			return -1;
	}
	return 0;
}

static int open_clients(struct clients *c)
{
	c->latencies_size = 1 << 22;
	c->latency_ms = calloc(c->latencies_size, sizeof *c->latency_ms);
	if (!c->latency_ms || arena_new(&c->arena, ARENA_BYTES) < 0)
		return bench_say("ingest", "out of memory");
	for (size_t i = 0; i < CLIENTS; i++) {
		if (wire_open(&c->wire[i], c->site->endpoint + strlen("ipc://")) < 0)
			return bench_say("ingest", "client %zu cannot connect", i);
		c->poll[i] = (struct pollfd){.fd = c->wire[i].fd, .events = POLLIN};
	}
	return 0;
}

static void close_clients(struct clients *c)
{
	for (size_t i = 0; i < CLIENTS; i++)
		wire_close(&c->wire[i]);
	packed_writer_fini(&c->writer);
	buf_fini(&c->frame);
	buf_fini(&c->request);
	arena_free(c->arena);
	free(c->latency_ms);
}

static int measure(const struct bench_options *opt, struct site *s, struct plant *p, double *ret_rate)
{
	SCOPED(scope_client) struct client *reader = NULL;

	if (site_client(s, &reader) < 0 || plant_make(p, s, reader) < 0 || plant_open(p, s, reader) < 0)
		return -1;
	SCOPED(close_clients)
	struct clients c = {.site = s,
			    .plant = p,
			    .times = {.first_ns = ((int64_t)time(NULL) - 24 * 3600) * NS_PER_S,
				      .tick_ns = NS_PER_S / 10,
				      .frame_sensors = 1}};
	for (size_t i = 0; i < CLIENTS; i++)
		c.wire[i].fd = -1;
	struct node_status before, after;
	if (site_status(s, reader, &before) < 0 || open_clients(&c) < 0 ||
	    drive(&c, opt->quick ? QUICK_SECONDS : SECONDS, ret_rate) < 0 ||
	    site_status(s, reader, &after) < 0 || check(&c, reader) < 0)
		return -1;
	const uint64_t commits = after.commits - before.commits;
	if (commits > 0)
		bench_result(opt, "ingest", "single-group", (double)c.n_acked / (double)commits,
			     "samples/commit");
	bench_result(opt, "ingest", "single-p99-ms", bench_quantile(c.latency_ms, c.n_latencies, 0.99), "ms");
	return 0;
}

static int run(const struct bench_options *opt)
{
	struct site s = {.bench = "ingest"};
	struct plant p = {.n_twins = TWINS, .n_properties = PROPERTIES};
	double rate = NAN;
	int r = site_init(&s, opt, NULL);

	if (r == 0)
		r = measure(opt, &s, &p, &rate);
	plant_fini(&p);
	site_fini(&s);
	if (r == 0)
		bench_figure(opt, "ingest", "single", rate, "samples/s", REDIS_PEER,
			     peer_redis(opt, REDIS_SET_SINGLE, TWINS * PROPERTIES,
					opt->quick ? 1 : REDIS_SECONDS));
	return r;
}

const struct bench bench_single = {"ingest-single", "one sample per request, 50 clients: ingest [single]",
				   run};
