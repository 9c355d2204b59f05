/* SPDX-License-Identifier: Apache-2.0 */
/* Four clients publish with QoS 1 through a Mosquitto; a holond makes durable samples of it, and acknowledges
 * then. Beside it, in turn, the same through a subscriber of the same client library that only acknowledges.
 * Then what the node has is compared, every sample of some sensors: nothing may be missing. */
#include <stdio.h>
#include <string.h>
#include <time.h>

#include "proto/clock.h"
#include "tests/bench/broker.h"
#include "tests/bench/mqtt_load.h"
#include "tests/bench/process.h"
#include "tests/bench/sensor.h"

enum { SENSORS = 1000, TICKS = 150, QUICK_SENSORS = 100, QUICK_TICKS = 20, TURNS = 3, CHECKED = 40 };
enum { WITHIN_S = 120, LEAD_HOURS = 6, ANSWER_BYTES = 1 << 20, POLL_MS = 5 };

/* Over all turns. */
struct measure {
	double messages, seconds, node_cpu_s, broker_cpu_s;
};

static struct mqtt_load load_of(const struct bench_options *opt, const struct broker *b)
{
	return (struct mqtt_load){.port = b->port,
				  .n_sensors = opt->quick ? QUICK_SENSORS : SENSORS,
				  .n_ticks = opt->quick ? QUICK_TICKS : TICKS,
				  .times = {.first_ns = ((int64_t)time(NULL) - LEAD_HOURS * 3600) * NS_PER_S,
					    .tick_ns = NS_PER_S,
					    .frame_sensors = 1}};
}

static int bare_turn(const struct bench_options *opt, const struct broker *b, struct measure *m)
{
	struct mqtt_load l = load_of(opt, b);
	struct mqtt_bare bare = {.port = b->port, .expected = mqtt_load_messages(&l)};
	const double cpu_s = process_cpu_s(b->pid);

	if (mqtt_bare_start(&bare) < 0 || mqtt_load_start(&l) < 0 || mqtt_load_join(&l) < 0 ||
	    mqtt_bare_join(&bare) < 0)
		return -1;
	m->messages += (double)mqtt_load_messages(&l);
	m->seconds += bare.ended_s - l.began_s;
	m->broker_cpu_s += process_cpu_s(b->pid) - cpu_s;
	return 0;
}

/* ---- Through the node ------------------------------------------------------------------------------------
 */

static int add_adapter(const struct site *s, struct client *c, const struct broker *b)
{
	SCOPED(scope_arena) struct arena *a = NULL;
	struct control_answer answer;

	if (arena_new(&a, ANSWER_BYTES) < 0)
		return bench_say("mqtt", "out of memory");
	const char *config = arena_print(a,
					 "{\"kind\": \"mqtt\", \"broker\": \"mqtt://127.0.0.1:%u\", "
					 "\"maps\": [{\"topic\": \"plant/{m}/data\","
					 " \"twin\": \"" SITE_ORG
					 "/{m}\", \"time\": \"t\", \"time-unit\": \"ns\","
					 " \"values\": [{\"property\": \"p0\", \"from\": \"v\"}]}]}",
					 b->port);
	return site_ask(s, c,
			&(struct control_request){.op = CONTROL_ADAPTER_PUT, .name = "press", .text = config},
			a, &answer);
}

static int adapter_state(const struct site *s, struct client *c, char *ret, size_t size,
			 uint64_t *ret_samples)
{
	SCOPED(scope_arena) struct arena *a = NULL;
	struct control_answer answer;

	if (arena_new(&a, ANSWER_BYTES) < 0)
		return bench_say("mqtt", "out of memory");
	if (site_ask(s, c, &(struct control_request){.op = CONTROL_ADAPTERS, .name = "press"}, a, &answer) <
	    0)
		return -1;
	if (answer.n_adapters != 1)
		return bench_say("mqtt", "the node has no adapter");
	snprintf(ret, size, "%s: %s", answer.adapters[0].state, answer.adapters[0].text);
	for (size_t i = 0; i < answer.adapters[0].n_counters; i++)
		if (strcmp(answer.adapters[0].counters[i].name, "samples") == 0)
			*ret_samples = answer.adapters[0].counters[i].value;
	return 0;
}

static int wait_connected(const struct site *s, struct client *c)
{
	const double until_s = bench_now_s() + WITHIN_S;
	char state[300] = "";
	uint64_t n = 0;

	while (bench_now_s() < until_s) {
		if (adapter_state(s, c, state, sizeof state, &n) < 0)
			return -1;
		if (strncmp(state, "connected", 9) == 0)
			return 0;
		bench_pause_ms(POLL_MS);
	}
	return bench_say("mqtt", "the adapter is %s", state);
}

/* Until so many are on the disk. */
static int wait_durable(const struct site *s, struct client *c, uint64_t n)
{
	const double until_s = bench_now_s() + WITHIN_S;
	char state[300] = "";
	uint64_t durable = 0;

	while (bench_now_s() < until_s) {
		if (adapter_state(s, c, state, sizeof state, &durable) < 0)
			return -1;
		if (durable >= n)
			return 0;
		bench_pause_ms(POLL_MS);
	}
	return bench_say("mqtt", "%llu of %llu samples are durable; the adapter is %s",
			 (unsigned long long)durable, (unsigned long long)n, state);
}

static int check(const struct plant *p, const struct mqtt_load *l, const struct site *s, struct client *c)
{
	for (size_t i = 0; i < CHECKED; i++) {
		const struct plant_span span = {.sensor = sensor_mix(i + 77) % l->n_sensors,
						.n_ticks = l->n_ticks};
		if (plant_check(p, &l->times, s, c, &span) < 0)
			return -1;
	}
	return 0;
}

static int fill(const struct bench_options *opt, const struct site *s, const struct plant *p,
		const struct broker *b, struct measure *m)
{
	SCOPED(scope_client) struct client *c = NULL;
	struct mqtt_load l = load_of(opt, b);

	if (site_client(s, &c) < 0 || plant_make(p, s, c) < 0 || add_adapter(s, c, b) < 0 ||
	    wait_connected(s, c) < 0)
		return -1;
	const double node_s = process_cpu_s(s->pid), broker_s = process_cpu_s(b->pid);
	if (mqtt_load_start(&l) < 0)
		return -1;
	const int waited = wait_durable(s, c, mqtt_load_messages(&l));
	const double ended_s = bench_now_s();
	if (mqtt_load_join(&l) < 0 || waited < 0)
		return -1;
	m->messages += (double)mqtt_load_messages(&l);
	m->seconds += ended_s - l.began_s;
	m->node_cpu_s += process_cpu_s(s->pid) - node_s;
	m->broker_cpu_s += process_cpu_s(b->pid) - broker_s;
	return check(p, &l, s, c);
}

static int node_turn(const struct bench_options *opt, const struct broker *b, struct measure *m)
{
	struct site s = {.bench = "mqtt"};
	struct plant p = {.n_twins = opt->quick ? QUICK_SENSORS : SENSORS, .n_properties = 1};
	int r = site_init(&s, opt, NULL);

	if (r == 0)
		r = fill(opt, &s, &p, b, m);
	plant_fini(&p);
	site_fini(&s);
	return r;
}

/* Each turn has a broker of its own: sessions that stay would be sent to. */
static int turn(const struct bench_options *opt, const char *dir,
		int (*run)(const struct bench_options *opt, const struct broker *b, struct measure *m),
		struct measure *m)
{
	struct broker b = {0};
	int r = broker_start(&b, "mqtt", dir);

	if (r == 0)
		r = run(opt, &b, m);
	broker_stop(&b);
	return r;
}

static int run(const struct bench_options *opt)
{
	struct measure bare = {0}, node = {0};
	char dir[96];
	int r = bench_place(opt, dir, sizeof dir);

	for (int i = 0; r == 0 && i < (opt->quick ? 1 : TURNS); i++) {
		r = turn(opt, dir, bare_turn, &bare);
		if (r == 0)
			r = turn(opt, dir, node_turn, &node);
	}
	bench_remove(dir);
	if (r < 0)
		return -1;
	bench_figure(opt, "mqtt", "qos1", node.messages / node.seconds, "samples/s", "bare subscriber",
		     bare.messages / bare.seconds);
	bench_figure(opt, "mqtt", "broker-cpu", node.broker_cpu_s / node.messages * 1e6, "us/message",
		     "bare subscriber", bare.broker_cpu_s / bare.messages * 1e6);
	bench_result(opt, "mqtt", "node-cpu", node.node_cpu_s / node.messages * 1e6, "us/sample");
	return 0;
}

const struct bench bench_mqtt = {
	"mqtt", "QoS 1 through Mosquitto to durable samples, beside a bare subscriber: [qos1]", run};
