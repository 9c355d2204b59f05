/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/bench/asset.h"

#include <mosquitto.h>
#include <stdio.h>
#include <string.h>

#include "tests/bench/bench.h"

enum { ID_DIGITS = 32, WITHIN_S = 10 };

static void on_message(struct mosquitto *m, void *ctx, const struct mosquitto_message *in)
{
	static const char key[] = "\"command\":\"";
	struct asset *a = ctx;
	char payload[4096], word[160];

	if (in->payloadlen <= 0 || (size_t)in->payloadlen >= sizeof payload)
		return;
	memcpy(payload, in->payload, (size_t)in->payloadlen);
	payload[in->payloadlen] = '\0';
	const char *id = strstr(payload, key);
	if (!id)
		return;
	const int n = snprintf(word, sizeof word, "{\"command\":\"%.*s\",\"state\":\"done\"}", ID_DIGITS,
			       id + sizeof key - 1);
	if (mosquitto_publish(m, NULL, a->out, n, word, 1, false) == MOSQ_ERR_SUCCESS)
		atomic_fetch_add(&a->n_done, 1);
}

static void on_subscribe(struct mosquitto *m, void *ctx, int mid, int n, const int *granted)
{
	struct asset *a = ctx;

	(void)m, (void)mid, (void)n, (void)granted;
	atomic_store(&a->subscribed, 1);
}

int asset_start(struct asset *a)
{
	const double until_s = bench_now_s() + WITHIN_S;

	mosquitto_lib_init();
	a->client = mosquitto_new(NULL, true, a);
	if (!a->client)
		return bench_say(a->bench, "out of memory");
	mosquitto_message_callback_set(a->client, on_message);
	mosquitto_subscribe_callback_set(a->client, on_subscribe);
	mosquitto_int_option(a->client, MOSQ_OPT_TCP_NODELAY, 1);
	if (mosquitto_connect(a->client, "127.0.0.1", a->port, 60) != MOSQ_ERR_SUCCESS ||
	    mosquitto_subscribe(a->client, NULL, a->in, 1) != MOSQ_ERR_SUCCESS ||
	    mosquitto_loop_start(a->client) != MOSQ_ERR_SUCCESS)
		return bench_say(a->bench, "the machine cannot reach the broker");
	while (!atomic_load(&a->subscribed)) {
		if (bench_now_s() > until_s)
			return bench_say(a->bench, "the machine hears nothing from the broker");
		bench_pause_ms(1);
	}
	return 0;
}

void asset_stop(struct asset *a)
{
	if (a->client) {
		mosquitto_disconnect(a->client);
		mosquitto_loop_stop(a->client, true);
		mosquitto_destroy(a->client);
		mosquitto_lib_cleanup();
	}
	a->client = NULL;
}
