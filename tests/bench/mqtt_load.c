/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/bench/mqtt_load.h"

#include <inttypes.h>
#include <stdio.h>

#include "tests/bench/sensor.h"

enum { WAITING = 200, UP_S = 10 };

static uint64_t again_soon(void *ctx)
{
	(void)ctx;
	return 100;
}

/* ---- Publishing ------------------------------------------------------------------------------------------
 */

uint64_t mqtt_load_messages(const struct mqtt_load *l)
{
	return l->n_sensors * l->n_ticks;
}

/* Message i of a client: its sensors, tick by tick. */
static int publish_next(struct load_client *c)
{
	const struct mqtt_load *l = c->load;
	const size_t own = l->n_sensors / MQTT_LOAD_CLIENTS, sensor = c->number * own + c->next % own;
	const uint64_t tick = c->next / own;
	char topic[64], payload[96];
	uint64_t id;

	snprintf(topic, sizeof topic, "plant/m%zu/data", sensor);
	snprintf(payload, sizeof payload, "{\"t\": %" PRId64 ", \"v\": %.2f}",
		 plant_tick_ns(&l->times, sensor, tick), sensor_value(sensor, tick));
	return mqtt_client_publish(
		c->client, &(struct mqtt_publish){.topic = topic, .payload = bytes_of_text(payload)}, &id);
}

static void fill(struct load_client *c)
{
	const uint64_t n = mqtt_load_messages(c->load) / MQTT_LOAD_CLIENTS;

	while (c->next < n && c->next - c->acked < WAITING && publish_next(c) == 0)
		c->next++;
}

static void on_load_state(void *ctx, enum mqtt_state state, const char *text)
{
	struct load_client *c = ctx;
	struct mqtt_load *l = c->load;

	(void)text;
	if (state != MQTT_CONNECTED || c->is_up)
		return;
	c->is_up = true;
	if (++l->n_up < MQTT_LOAD_CLIENTS)
		return;
	l->began_s = bench_now_s();
	for (size_t i = 0; i < MQTT_LOAD_CLIENTS; i++)
		fill(&l->clients[i]);
}

static void on_load_published(void *ctx, uint64_t id, int code, const char *text)
{
	struct load_client *c = ctx;
	struct mqtt_load *l = c->load;

	(void)id, (void)text;
	if (code < 0)
		l->result = -1;
	c->acked++;
	fill(c);
	if (c->acked < mqtt_load_messages(l) / MQTT_LOAD_CLIENTS || ++l->n_done < MQTT_LOAD_CLIENTS)
		return;
	l->ended_s = bench_now_s();
	for (size_t i = 0; i < MQTT_LOAD_CLIENTS; i++)
		mqtt_client_close(l->clients[i].client, NULL);
}

static void *run_load(void *arg)
{
	struct mqtt_load *l = arg;

	uv_run(&l->loop, UV_RUN_DEFAULT);
	return NULL;
}

int mqtt_load_start(struct mqtt_load *l)
{
	struct err_note note = {0};
	char id[32];

	uv_loop_init(&l->loop);
	for (size_t i = 0; i < MQTT_LOAD_CLIENTS; i++) {
		struct load_client *c = &l->clients[i];
		*c = (struct load_client){.load = l, .number = i};
		snprintf(id, sizeof id, "load-%zu", i);
		const struct mqtt_options o = {.host = "127.0.0.1",
					       .port = l->port,
					       .client_id = id,
					       .session_s = 60,
					       .state = on_load_state,
					       .published = on_load_published,
					       .backoff_ms = again_soon,
					       .ctx = c};
		if (mqtt_client_open(&c->client, &l->loop, &o, &note) < 0)
			return bench_say("mqtt", "no publisher: %s", note.text);
	}
	return pthread_create(&l->thread, NULL, run_load, l) == 0 ? 0 : bench_say("mqtt", "no thread");
}

int mqtt_load_join(struct mqtt_load *l)
{
	pthread_join(l->thread, NULL);
	uv_loop_close(&l->loop);
	return l->result < 0 ? bench_say("mqtt", "the broker did not take every message") : 0;
}

/* ---- Bare ------------------------------------------------------------------------------------------------
 */

static void on_bare_state(void *ctx, enum mqtt_state state, const char *text)
{
	struct mqtt_bare *b = ctx;

	(void)text;
	if (state == MQTT_CONNECTED)
		b->is_up = true;
	else if (state == MQTT_WAITING)
		b->result = -1;
}

static void on_bare_message(void *ctx, const struct mqtt_message *m)
{
	struct mqtt_bare *b = ctx;

	mqtt_client_done(b->client, m->token);
	if (++b->n < b->expected)
		return;
	b->ended_s = bench_now_s();
	mqtt_client_close(b->client, NULL);
}

static void *run_bare(void *arg)
{
	struct mqtt_bare *b = arg;

	uv_run(&b->loop, UV_RUN_DEFAULT);
	return NULL;
}

int mqtt_bare_start(struct mqtt_bare *b)
{
	static const char *const filters[] = {"plant/+/data"};
	const struct mqtt_options o = {.host = "127.0.0.1",
				       .port = b->port,
				       .client_id = "bare",
				       .session_s = 60,
				       .filters = filters,
				       .n_filters = 1,
				       .state = on_bare_state,
				       .message = on_bare_message,
				       .backoff_ms = again_soon,
				       .ctx = b};
	const double until_s = bench_now_s() + UP_S;
	struct err_note note = {0};

	uv_loop_init(&b->loop);
	if (mqtt_client_open(&b->client, &b->loop, &o, &note) < 0)
		return bench_say("mqtt", "no subscriber: %s", note.text);
	if (pthread_create(&b->thread, NULL, run_bare, b) != 0)
		return bench_say("mqtt", "no thread");
	while (!b->is_up && bench_now_s() < until_s)
		bench_pause_ms(5);
	return b->is_up ? 0 : bench_say("mqtt", "the subscriber does not get to the broker");
}

int mqtt_bare_join(struct mqtt_bare *b)
{
	pthread_join(b->thread, NULL);
	uv_loop_close(&b->loop);
	return b->result < 0 ? bench_say("mqtt", "the subscriber lost its connection") : 0;
}
