/* SPDX-License-Identifier: Apache-2.0 */
#include "node/mqtt_client.h"

#include <stdio.h>

#include "node/mqtt_private.h"
#include "proto/words.h"

enum {
	TICK_MS = 500,
	FILTERS_MAX = 1000,
	OPTIONS_BYTES_MAX = 1024 * 1024,
	HOST_MAX = 255,
};

static void connect_now(uv_timer_t *t);

bool mqtt_is_topic(const char *text)
{
	const struct bytes b = bytes_of_text(text);

	return b.len > 0 && b.len <= MQTT_ID_MAX && text_is_clean(b) && !strpbrk(text, "+#");
}

/* '+' is a whole level, '#' the whole last one. */
bool mqtt_is_filter(const char *text)
{
	const struct bytes b = bytes_of_text(text);

	if (b.len == 0 || b.len > MQTT_ID_MAX || !text_is_clean(b))
		return false;
	for (const char *p = text; (p = strpbrk(p, "+#")); p++)
		if ((p > text && p[-1] != '/') || (p[1] != '\0' && (*p == '#' || p[1] != '/')))
			return false;
	return true;
}

static void tell(struct mqtt_client *c, enum mqtt_state state, const char *text)
{
	if (!c->is_closing && c->opt.state)
		c->opt.state(c->opt.ctx, state, text);
}

static void free_if_over(struct mqtt_client *c)
{
	if (!c->is_closing || c->n_open > 0)
		return;
	void (*closed)(void *ctx) = c->closed;
	void *ctx = c->opt.ctx;

	mqtt_reader_fini(&c->reader);
	mqtt_debts_fini(&c->debts);
	mqtt_queue_fini(&c->queue);
	buf_fini(&c->out);
	arena_free(c->arena);
	free(c);
	if (closed)
		closed(ctx);
}

static void on_stream_closed(void *ctx)
{
	struct mqtt_client *c = ctx;

	c->n_open--;
	free_if_over(c);
}

static void on_handle_closed(uv_handle_t *h)
{
	on_stream_closed(h->data);
}

/* Whatever was owed to this connection is void: the broker sends it again. */
static void drop_stream(struct mqtt_client *c)
{
	if (c->stream)
		stream_close(c->stream, on_stream_closed, c);
	c->stream = NULL;
	c->phase = MQTT_DOWN;
	c->is_up = false;
	mqtt_reader_fini(&c->reader);
	mqtt_debts_clear(&c->debts);
	buf_clear(&c->out);
}

void mqtt_client_lose(struct mqtt_client *c, const char *why)
{
	drop_stream(c);
	tell(c, MQTT_WAITING, why);
	if (!c->is_closing)
		uv_timer_start(&c->retry, connect_now, c->opt.backoff_ms(c->opt.ctx), 0);
}

void mqtt_client_step_down(struct mqtt_client *c)
{
	drop_stream(c);
	c->version = MQTT_3;
	uv_timer_start(&c->retry, connect_now, 0, 0);
}

void mqtt_client_come_up(struct mqtt_client *c, const char *why)
{
	c->is_up = true;
	uv_idle_start(&c->work, c->work.idle_cb);
	tell(c, MQTT_CONNECTED, why);
}

static void on_up(void *ctx)
{
	mqtt_talk_begin(ctx);
}

static void on_bytes(void *ctx, struct bytes in)
{
	mqtt_talk_bytes(ctx, in);
}

static void on_down(void *ctx, const char *why)
{
	mqtt_client_lose(ctx, why);
}

static void connect_now(uv_timer_t *t)
{
	struct mqtt_client *c = t->data;
	struct err_note note = {0};
	const struct tls_options tls = {.host = c->opt.host,
					.ca_file = c->opt.ca_file,
					.cert_file = c->opt.cert_file,
					.key_file = c->opt.key_file};
	const struct stream_options options = {.host = c->opt.host,
					       .port = c->opt.port,
					       .attempt = c->attempt++,
					       .tls = c->opt.tls ? &tls : NULL,
					       .up = on_up,
					       .bytes = on_bytes,
					       .down = on_down,
					       .ctx = c};

	tell(c, MQTT_CONNECTING, "");
	if (c->is_closing)
		return;
	c->since_ms = c->heard_ms = c->pinged_ms = uv_now(c->loop);
	c->keep_alive_ms = c->opt.keep_alive_s * 1000u;
	c->reader.version = c->version;
	const int r = stream_open(&c->stream, c->loop, &options, &note);
	if (r < 0) {
		mqtt_client_lose(c, note.text[0] ? note.text : err_text(r));
		return;
	}
	c->n_open++;
	c->phase = MQTT_OPENED;
}

/* While nothing is read, nothing can be heard. A sign of life is sent twice in the time that was agreed. */
static void on_tick(uv_timer_t *t)
{
	struct mqtt_client *c = t->data;
	const uint64_t now_ms = uv_now(c->loop);
	const bool is_deaf = c->is_paused && c->phase == MQTT_GREETED;

	if (is_deaf)
		c->heard_ms = c->since_ms = now_ms;
	if (c->queue.n > c->queue.n_sent)
		uv_idle_start(&c->work, c->work.idle_cb);
	if (c->phase == MQTT_DOWN)
		return;
	if (!c->is_up && now_ms - c->since_ms >= MQTT_CONNECT_MS) {
		mqtt_client_lose(c, "the broker does not answer");
	} else if (c->is_up && now_ms - c->heard_ms > c->keep_alive_ms + c->keep_alive_ms / 2) {
		mqtt_client_lose(c, "nothing is heard of the broker");
	} else if (c->phase == MQTT_GREETED && now_ms - c->pinged_ms >= c->keep_alive_ms / 2) {
		c->pinged_ms = now_ms;
		mqtt_talk_ping(c);
	}
}

static void on_work(uv_idle_t *h)
{
	uv_idle_stop(h);
	mqtt_talk_send(h->data);
}

static bool are_filters(const char *const *filters, size_t n)
{
	for (size_t i = 0; i < n; i++)
		if (!filters[i] || !mqtt_is_filter(filters[i]))
			return false;
	return n <= FILTERS_MAX;
}

static bool is_text(const char *text)
{
	return strlen(text) <= MQTT_ID_MAX && text_is_clean(bytes_of_text(text));
}

static int check(const struct mqtt_options *o, struct err_note *note)
{
	if (!o->host || !o->host[0] || strlen(o->host) > HOST_MAX || o->port == 0)
		return FAIL_SAY(note, ERR_REFUSED, "the broker needs a host name or address, and a port");
	if (!o->client_id || !o->client_id[0] || !is_text(o->client_id))
		return FAIL_SAY(note, ERR_REFUSED, "the client id is empty or no text");
	if ((o->password && !o->user) || (o->user && !is_text(o->user)) ||
	    (o->password && strlen(o->password) > MQTT_ID_MAX))
		return FAIL_SAY(note, ERR_REFUSED, "a password needs a user, both shorter than 64 KiB");
	if (!o->tls && (o->ca_file || o->cert_file || o->key_file))
		return FAIL_SAY(note, ERR_REFUSED, "certificates are used with TLS only");
	if (o->key_file && !o->cert_file)
		return FAIL_SAY(note, ERR_REFUSED, "a key needs its certificate");
	if (!are_filters(o->filters, o->n_filters) || !are_filters(o->old_filters, o->n_old_filters))
		return FAIL_SAY(
			note, ERR_REFUSED,
			"not a topic filter, or more than %d: '+' stands for a level, a last '#' for all",
			FILTERS_MAX);
	if (o->will.topic && (!mqtt_is_topic(o->will.topic) || o->will.payload.len > MQTT_ID_MAX))
		return FAIL_SAY(note, ERR_REFUSED, "the will is no message");
	return 0;
}

static int copy_filters(struct arena *a, const char *const **filters, size_t n)
{
	const char **copy = arena_take_array(a, n, sizeof *copy);

	if (!copy)
		return FAIL(-ENOMEM);
	for (size_t i = 0; i < n; i++)
		if (!(copy[i] = arena_copy(a, (*filters)[i])))
			return FAIL(-ENOMEM);
	*filters = copy;
	return 0;
}

static int copy_texts(struct mqtt_client *c)
{
	struct mqtt_options *o = &c->opt;
	const char **texts[] = {&o->host,    &o->client_id, &o->user,     &o->password,
				&o->ca_file, &o->cert_file, &o->key_file, &o->will.topic};

	for (size_t i = 0; i < sizeof texts / sizeof texts[0]; i++)
		if (*texts[i] && !(*texts[i] = arena_copy(c->arena, *texts[i])))
			return FAIL(-ENOMEM);
	char *will = arena_text(c->arena, o->will.payload);
	if (!will)
		return FAIL(-ENOMEM);
	o->will.payload.data = (const uint8_t *)will;
	TRY(copy_filters(c->arena, &o->filters, o->n_filters));
	return copy_filters(c->arena, &o->old_filters, o->n_old_filters);
}

static int prepare(struct mqtt_client *c, const struct mqtt_options *opt)
{
	c->opt = *opt;
	c->version = opt->version_3 ? MQTT_3 : MQTT_5;
	if (c->opt.payload_max == 0)
		c->opt.payload_max = MQTT_PAYLOAD_MAX;
	if (c->opt.keep_alive_s == 0)
		c->opt.keep_alive_s = MQTT_KEEP_ALIVE_S;
	c->reader.payload_max = c->opt.payload_max;
	TRY(arena_new(&c->arena, OPTIONS_BYTES_MAX));
	return copy_texts(c);
}

static void scope_client(struct mqtt_client **c)
{
	if (*c)
		arena_free((*c)->arena);
	free(*c);
}

int mqtt_client_open(struct mqtt_client **ret, uv_loop_t *loop, const struct mqtt_options *opt,
		     struct err_note *note)
{
	SCOPED(scope_client) struct mqtt_client *c = calloc(1, sizeof *c);

	if (!c)
		return FAIL(-ENOMEM);
	TRY(check(opt, note));
	TRY(prepare(c, opt));
	c->loop = loop;
	uv_timer_init(loop, &c->retry);
	uv_timer_init(loop, &c->tick);
	uv_idle_init(loop, &c->work);
	c->retry.data = c->tick.data = c->work.data = c;
	c->work.idle_cb = on_work;
	c->n_open = 3;
	uv_timer_start(&c->tick, on_tick, TICK_MS, TICK_MS);
	uv_timer_start(&c->retry, connect_now, 0, 0);
	*ret = MOVE(c);
	return 0;
}

void mqtt_client_close(struct mqtt_client *c, void (*closed)(void *ctx))
{
	if (c->phase == MQTT_GREETED) {
		mqtt_write_disconnect(&c->out, c->version, 0);
		mqtt_talk_flush(c);
	}
	c->is_closing = true;
	c->closed = closed;
	/* callbacks further up in the stack may still hold what was read: it is freed at the end */
	if (c->stream)
		stream_close(c->stream, on_stream_closed, c);
	c->stream = NULL;
	c->phase = MQTT_DOWN;
	c->is_up = false;
	uv_close((uv_handle_t *)&c->retry, on_handle_closed);
	uv_close((uv_handle_t *)&c->tick, on_handle_closed);
	uv_close((uv_handle_t *)&c->work, on_handle_closed);
}

void mqtt_client_done(struct mqtt_client *c, uint64_t upto)
{
	uint16_t id;

	while (mqtt_debts_pay(&c->debts, upto, &id))
		mqtt_write_puback(&c->out, id);
	if (c->out.len > 0)
		mqtt_talk_flush(c);
}

void mqtt_client_pause(struct mqtt_client *c)
{
	c->is_paused = true;
	if (c->phase == MQTT_GREETED)
		stream_pause(c->stream, true);
}

void mqtt_client_resume(struct mqtt_client *c)
{
	if (!c->is_paused)
		return;
	c->is_paused = false;
	c->heard_ms = uv_now(c->loop);
	if (c->phase == MQTT_GREETED)
		stream_pause(c->stream, false);
}

int mqtt_client_publish(struct mqtt_client *c, const struct mqtt_publish *p, uint64_t *ret)
{
	struct mqtt_item *item;

	if (!mqtt_is_topic(p->topic) || p->payload.len > MQTT_QUEUE_BYTES_MAX)
		return FAIL(ERR_REFUSED);
	const int r = mqtt_queue_add(&c->queue, p->topic, p->payload, &item);
	TRY(r);
	if (r == MQTT_QUEUE_FULL)
		return MQTT_BUSY;
	item->retain = p->retain;
	item->deadline_ms = p->deadline_ms;
	*ret = item->id;
	uv_idle_start(&c->work, on_work);
	return 0;
}

bool mqtt_client_is_up(const struct mqtt_client *c)
{
	return c->is_up;
}

size_t mqtt_client_waiting(const struct mqtt_client *c)
{
	return c->queue.n;
}
