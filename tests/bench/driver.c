/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/bench/driver.h"

#include <inttypes.h>
#include <math.h>
#include <stdlib.h>
#include <time.h>

#include "tests/bench/sensor.h"

enum { WINDOW = 64, WINDOW_MAX = 1024, ANSWER_BYTES = 8 << 20, IDLE_MS = 1, LOAD_FRAME = 4000 };

int driver_open(struct driver **ret, const struct driver_options *opt)
{
	SCOPED(scope_driver) struct driver *d = calloc(1, sizeof *d);
	const uint32_t credit = opt->plant->credit;

	if (!d)
		return bench_say(opt->site->bench, "out of memory");
	d->opt = *opt;
	d->window = opt->window > 0 ? opt->window : WINDOW;
	if (credit > 0 && credit < d->window)
		d->window = credit;
	if (d->window > WINDOW_MAX)
		d->window = WINDOW_MAX;
	d->flight = calloc(WINDOW_MAX, sizeof *d->flight);
	d->session = sensor_mix((uint64_t)(bench_now_s() * 1e9));
	if (!d->flight || arena_new(&d->arena, ANSWER_BYTES) < 0)
		return bench_say(opt->site->bench, "out of memory");
	if (site_client(opt->site, &d->client) < 0)
		return -1;
	*ret = MOVE(d);
	return 0;
}

void driver_close(struct driver *d)
{
	if (!d)
		return;
	client_close(d->client);
	packed_writer_fini(&d->writer);
	arena_free(d->arena);
	free(d->flight);
	free(d->latency_ms);
	free(d);
}

/* ---- Sending ---------------------------------------------------------------------------------------------
 */

static uint64_t frames_per_tick(const struct driver *d)
{
	const size_t n = d->opt.times.frame_sensors;

	return (plant_sensors(d->opt.plant) + n - 1) / n;
}

static uint64_t tick_of(const struct driver *d, uint64_t frame)
{
	const uint64_t tick = frame / frames_per_tick(d);

	return d->opt.newest_first ? d->opt.n_ticks - 1 - tick : tick;
}

static int pack(struct driver *d)
{
	const uint64_t tick = tick_of(d, d->n_frames);
	const size_t first = d->n_frames % frames_per_tick(d) * d->opt.times.frame_sensors;
	const size_t n = plant_sensors(d->opt.plant) - first, most = d->opt.times.frame_sensors;
	struct sample s = {
		.t_ns = plant_tick_ns(&d->opt.times, first, tick), .value.type = VALUE_DOUBLE, .sigma = NAN};

	packed_writer_clear(&d->writer);
	for (size_t i = first; i < first + (n < most ? n : most); i++) {
		s.value.real = sensor_value(i, tick);
		if (packed_put(&d->writer, d->opt.plant->handles[i], &s) != 0)
			return bench_say(d->opt.site->bench, "a frame does not take %zu samples", most);
	}
	return 0;
}

static int send_frame(struct driver *d)
{
	SCOPED(buf_fini) struct buf frame = {0};
	struct err_note note = {0};

	if (pack(d) < 0)
		return -1;
	const struct packed_id id = {d->session, d->n_frames + 1, d->opt.plant->incarnation};
	if (packed_finish(&d->writer, &id, &frame) < 0)
		return bench_say(d->opt.site->bench, "out of memory");
	struct control_request r = {.op = CONTROL_INGEST, .blob = buf_bytes(&frame)};
	const double now_s = bench_now_s();
	if (client_send(d->client, &r, &note) < 0)
		return bench_say(d->opt.site->bench, "not sent: %s", note.text);
	d->flight[r.id % WINDOW_MAX] = (struct underway){.id = r.id, .sent_s = now_s};
	d->underway++;
	d->n_frames++;
	return 0;
}

/* ---- Acknowledgements ------------------------------------------------------------------------------------
 */

static int note_latency(struct driver *d, double ms)
{
	if (d->n_latencies == d->latencies_size) {
		const size_t size = d->latencies_size > 0 ? 2 * d->latencies_size : 4096;
		double *grown = realloc(d->latency_ms, size * sizeof *grown);
		if (!grown)
			return bench_say(d->opt.site->bench, "out of memory");
		d->latency_ms = grown;
		d->latencies_size = size;
	}
	d->latency_ms[d->n_latencies++] = ms;
	return 0;
}

static int receive(struct driver *d)
{
	struct control_answer answer;
	struct err_note note = {0};

	arena_reset(d->arena);
	if (client_receive(d->client, d->arena, &answer, &note) < 0)
		return bench_say(d->opt.site->bench, "%s", note.text);
	if (answer.code < 0)
		return bench_say(d->opt.site->bench, "a frame was not taken: %s", answer.text);
	if (answer.n_refused > 0)
		return bench_say(d->opt.site->bench, "a sample was refused: %s", answer.refused[0].reason);
	const struct underway *sent = &d->flight[answer.id % WINDOW_MAX];
	if (sent->id != answer.id)
		return bench_say(d->opt.site->bench, "an answer to nothing: %" PRIu64, answer.id);
	d->underway--;
	d->acked += answer.n_changed + answer.n_unchanged;
	if (answer.credit > 0 && answer.credit < d->window)
		d->window = answer.credit;
	return note_latency(d, (bench_now_s() - sent->sent_s) * 1e3);
}

static bool has_more(const struct driver *d, double until_s)
{
	return !d->stop && bench_now_s() < until_s &&
	       (d->opt.n_ticks == 0 || d->n_frames / frames_per_tick(d) < d->opt.n_ticks);
}

/* At a pace: is the next frame due? */
static bool is_due(const struct driver *d, double began_s)
{
	return d->opt.rate <= 0 || (double)d->n_frames * (double)d->opt.times.frame_sensors <=
					   d->opt.rate * (bench_now_s() - began_s);
}

int driver_run(struct driver *d, double until_s)
{
	const double began_s = bench_now_s();

	while (has_more(d, until_s)) {
		while (d->underway < d->window && is_due(d, began_s) && has_more(d, until_s))
			if (send_frame(d) < 0)
				return -1;
		if (d->underway > 0) {
			if (receive(d) < 0)
				return -1;
		} else {
			bench_pause_ms(IDLE_MS);
		}
	}
	while (d->underway > 0)
		if (receive(d) < 0)
			return -1;
	return 0;
}

struct plant_span driver_span(const struct driver *d, size_t sensor)
{
	const uint64_t per_tick = frames_per_tick(d), part = sensor / d->opt.times.frame_sensors;
	const uint64_t n = d->n_frames / per_tick + (part < d->n_frames % per_tick);

	return (struct plant_span){
		.sensor = sensor, .first_tick = d->opt.newest_first ? d->opt.n_ticks - n : 0, .n_ticks = n};
}

int driver_load(const struct site *s, const struct plant *p, uint64_t n_ticks, struct plant_times *ret)
{
	SCOPED(scope_driver) struct driver *d = NULL;
	const int64_t first_s = (int64_t)time(NULL) - (int64_t)n_ticks;
	const struct driver_options opt = {
		.site = s,
		.plant = p,
		.times = {.first_ns = first_s * NS_PER_S, .tick_ns = NS_PER_S, .frame_sensors = LOAD_FRAME},
		.n_ticks = n_ticks};

	if (driver_open(&d, &opt) < 0 || driver_run(d, INFINITY) < 0)
		return -1;
	*ret = opt.times;
	return 0;
}

int driver_check(const struct driver *d, struct client *c, size_t n)
{
	const size_t n_sensors = plant_sensors(d->opt.plant);

	for (size_t i = 0; i < n; i++) {
		const size_t sensor = i == 0 ? 0 : i == 1 ? n_sensors - 1 : sensor_mix(i) % n_sensors;
		const struct plant_span span = driver_span(d, sensor);
		if (plant_check(d->opt.plant, &d->opt.times, d->opt.site, c, &span) < 0)
			return -1;
	}
	return 0;
}
