/* SPDX-License-Identifier: Apache-2.0 */
/* A program around node/mqtt_client.h, for tests against a real broker.
 *
 *	mqtt_probe HOST PORT ID [KEY=VALUE...] [FILTER...]
 *
 * Keys: ca, cert, key, user, password, version (3), keep-alive, payload-max, session, will (TOPIC), old
 *(FILTER), ack (`auto`: at once). Standard input: `done TOKEN`, `pause`, `resume`, `publish TOPIC TEXT`,
 *`late TOPIC TEXT` (its deadline is over), `flood TOPIC N`, `close`. Standard output: a line per callback. */
#include <stdio.h>
#include <string.h>

#include "node/mqtt_client.h"

static struct mqtt_client *client;
static uv_loop_t loop;
static uv_pipe_t input;
static struct mqtt_options opt = {.ctx = &client};
static const char *filters[64];
static bool acks_at_once;
static char line[4096];
static size_t line_len;

static void say_state(void *ctx, enum mqtt_state state, const char *text)
{
	static const char *const words[] = {"connecting", "connected", "waiting"};

	(void)ctx;
	printf("state %s %s\n", words[state], text);
}

static void say_message(void *ctx, const struct mqtt_message *m)
{
	(void)ctx;
	printf("message %llu %.*s %s%s %u %.*s\n", (unsigned long long)m->token, (int)m->topic.len,
	       (const char *)m->topic.data, m->again ? "again" : "new", m->retained ? ",retained" : "",
	       m->payload_bytes, m->payload.len < 40 ? (int)m->payload.len : 40,
	       (const char *)m->payload.data);
	if (acks_at_once)
		mqtt_client_done(client, m->token);
}

static void say_published(void *ctx, uint64_t id, int code, const char *text)
{
	(void)ctx;
	printf("published %llu %d %s\n", (unsigned long long)id, code, text);
}

static uint64_t backoff(void *ctx)
{
	(void)ctx;
	return 100;
}

static void say_closed(void *ctx)
{
	(void)ctx;
	puts("closed");
}

static void publish(char *what, bool late)
{
	char *text = strchr(what, ' ');
	uint64_t id = 0;

	if (text)
		*text++ = '\0';
	const struct mqtt_publish p = {.topic = what,
				       .payload = bytes_of_text(text),
				       .deadline_ms = late ? (int64_t)uv_now(&loop) : 0};
	const int r = mqtt_client_publish(client, &p, &id);
	if (r != 0)
		printf("not published: %d\n", r);
	else
		printf("queued %llu\n", (unsigned long long)id);
}

/* As many as are taken. */
static void flood(char *what)
{
	char *n = strchr(what, ' ');
	uint64_t id, taken = 0;

	*n++ = '\0';
	for (long i = strtol(n, NULL, 10); i > 0; i--)
		taken += mqtt_client_publish(client, &(struct mqtt_publish){.topic = what}, &id) == 0;
	printf("taken %llu\n", (unsigned long long)taken);
}

static void obey(char *order)
{
	if (strncmp(order, "done ", 5) == 0)
		mqtt_client_done(client, strtoull(order + 5, NULL, 10));
	else if (strcmp(order, "pause") == 0)
		mqtt_client_pause(client);
	else if (strcmp(order, "resume") == 0)
		mqtt_client_resume(client);
	else if (strncmp(order, "publish ", 8) == 0)
		publish(order + 8, false);
	else if (strncmp(order, "late ", 5) == 0)
		publish(order + 5, true);
	else if (strncmp(order, "flood ", 6) == 0)
		flood(order + 6);
	else if (strcmp(order, "close") == 0 && client) {
		mqtt_client_close(client, say_closed);
		uv_close((uv_handle_t *)&input, NULL);
	} else
		printf("what? %s\n", order);
}

static void on_alloc(uv_handle_t *h, size_t size, uv_buf_t *ret)
{
	static char piece[4096];

	(void)h, (void)size;
	*ret = uv_buf_init(piece, sizeof piece);
}

static void on_input(uv_stream_t *h, ssize_t n, const uv_buf_t *b)
{
	if (n < 0)
		uv_read_stop(h);
	for (ssize_t i = 0; i < n; i++) {
		if (b->base[i] != '\n' && line_len + 1 < sizeof line) {
			line[line_len++] = b->base[i];
			continue;
		}
		line[line_len] = '\0';
		line_len = 0;
		obey(line);
	}
}

/* true: it is one of them. */
static bool set_option(char *arg)
{
	static const struct {
		const char *key, **text;
	} texts[] = {{"ca=", &opt.ca_file}, {"cert=", &opt.cert_file},    {"key=", &opt.key_file},
		     {"user=", &opt.user},  {"password=", &opt.password}, {"will=", &opt.will.topic}};
	static const char *old;
	char *value = strchr(arg, '=');

	for (size_t i = 0; i < sizeof texts / sizeof texts[0]; i++)
		if (strncmp(arg, texts[i].key, strlen(texts[i].key)) == 0) {
			*texts[i].text = value + 1;
			return true;
		}
	if (strncmp(arg, "version=", 8) == 0)
		opt.version_3 = true;
	else if (strncmp(arg, "keep-alive=", 11) == 0)
		opt.keep_alive_s = (uint16_t)strtoul(value + 1, NULL, 10);
	else if (strncmp(arg, "payload-max=", 12) == 0)
		opt.payload_max = (uint32_t)strtoul(value + 1, NULL, 10);
	else if (strncmp(arg, "session=", 8) == 0)
		opt.session_s = (uint32_t)strtoul(value + 1, NULL, 10);
	else if (strncmp(arg, "old=", 4) == 0)
		old = value + 1, opt.old_filters = &old, opt.n_old_filters = 1;
	else if (strcmp(arg, "ack=auto") == 0)
		acks_at_once = true;
	else
		return false;
	return true;
}

int main(int argc, char **argv)
{
	struct err_note note = {0};

	if (argc < 4)
		return 2;
	setvbuf(stdout, NULL, _IOLBF, 0);
	opt.host = argv[1];
	opt.port = (uint16_t)strtoul(argv[2], NULL, 10);
	opt.client_id = argv[3];
	opt.filters = filters;
	for (int i = 4; i < argc; i++)
		if (!set_option(argv[i]) && opt.n_filters < sizeof filters / sizeof filters[0])
			filters[opt.n_filters++] = argv[i];
	opt.tls = opt.ca_file != NULL;
	opt.will.payload = BYTES("gone");
	opt.state = say_state;
	opt.message = say_message;
	opt.published = say_published;
	opt.backoff_ms = backoff;
	uv_loop_init(&loop);
	if (mqtt_client_open(&client, &loop, &opt, &note) < 0) {
		fprintf(stderr, "%s\n", note.text);
		return 1;
	}
	uv_pipe_init(&loop, &input, 0);
	uv_pipe_open(&input, 0);
	uv_read_start((uv_stream_t *)&input, on_alloc, on_input);
	uv_run(&loop, UV_RUN_DEFAULT);
	return uv_loop_close(&loop) == 0 ? 0 : 1;
}
