/* SPDX-License-Identifier: Apache-2.0 */
/* What client and broker say to each other: mqtt_private.h. */
#include <stdio.h>

#include "node/log.h"
#include "node/mqtt_private.h"

enum { SUBSCRIBE_ID = MQTT_ID_MAX, UNSUBSCRIBE_ID = MQTT_ID_MAX - 1, WHY_SIZE = 256 };

void mqtt_talk_flush(struct mqtt_client *c)
{
	if (c->stream && buf_check(&c->out) == 0)
		stream_write(c->stream, buf_bytes(&c->out));
	buf_clear(&c->out);
}

void mqtt_talk_begin(struct mqtt_client *c)
{
	const struct mqtt_connect connect = {
		.client_id = c->opt.client_id,
		.user = c->opt.user,
		.password = c->opt.password,
		.will_topic = c->opt.will.topic,
		.will_payload = c->opt.will.payload,
		.will_retain = c->opt.will.retain,
		.keep_alive_s = c->opt.keep_alive_s,
		.session_s = c->opt.session_s,
	};

	mqtt_write_connect(&c->out, c->version, &connect);
	mqtt_talk_flush(c);
}

void mqtt_talk_ping(struct mqtt_client *c)
{
	mqtt_write_ping(&c->out);
	mqtt_talk_flush(c);
}

/* "the broker WHAT: REASON (its words)" */
static void lose_for(struct mqtt_client *c, const char *what, const struct mqtt_packet *p)
{
	char words[100] = "", quoted[100], why[WHY_SIZE];
	const char *reason = mqtt_reason_text(p->reason);

	snprintf(words, sizeof words, "%.*s", (int)(p->text.len < 80 ? p->text.len : 80),
		 p->text.len > 0 ? (const char *)p->text.data : "");
	log_quote(words, quoted, sizeof quoted);
	snprintf(why, sizeof why, "the broker %s%s%s%s%s%s", what, reason[0] ? ": " : "", reason,
		 quoted[0] ? " (" : "", quoted, quoted[0] ? ")" : "");
	mqtt_client_lose(c, why);
}

static void subscribe(struct mqtt_client *c)
{
	const struct mqtt_options *o = &c->opt;

	c->is_subscribing = o->n_filters > 0;
	if (o->n_old_filters > 0)
		mqtt_write_unsubscribe(&c->out, c->version, UNSUBSCRIBE_ID, o->old_filters, o->n_old_filters);
	if (o->n_filters > 0)
		mqtt_write_subscribe(&c->out, c->version, SUBSCRIBE_ID, o->filters, o->n_filters);
	mqtt_talk_flush(c);
}

static void on_connack(struct mqtt_client *c, const struct mqtt_packet *p)
{
	if (p->reason == MQTT_BAD_VERSION && c->version == MQTT_5) {
		mqtt_client_step_down(c);
		return;
	}
	if (p->reason >= MQTT_FAILURE) {
		lose_for(c, "refuses the connection", p);
		return;
	}
	c->limits = p->limits;
	if (p->limits.keep_alive_s > 0)
		c->keep_alive_ms = p->limits.keep_alive_s * 1000u;
	c->phase = MQTT_GREETED;
	c->since_ms = uv_now(c->loop);
	mqtt_queue_again(&c->queue, p->session_present);
	subscribe(c);
	if (c->is_paused)
		stream_pause(c->stream, true);
	if (!c->is_subscribing)
		mqtt_client_come_up(c, "");
	else
		uv_idle_start(&c->work, c->work.idle_cb);
}

/* One reason code per filter; above zero is the quality it is given with. */
static void on_suback(struct mqtt_client *c, const struct mqtt_packet *p)
{
	char why[WHY_SIZE] = "";
	size_t n_bad = 0;

	if (!c->is_subscribing || p->reasons.len != c->opt.n_filters) {
		mqtt_client_lose(c, "the broker answers to a subscription that was not made");
		return;
	}
	for (size_t i = 0; i < p->reasons.len; i++) {
		const uint8_t r = p->reasons.data[i];
		if (r == 1 || n_bad++ > 0)
			continue;
		if (r >= MQTT_FAILURE)
			snprintf(why, sizeof why, "the broker refuses the subscription to %.100s: %s",
				 c->opt.filters[i], mqtt_reason_text(r));
		else
			snprintf(why, sizeof why, "the broker gives %.100s only with QoS %u",
				 c->opt.filters[i], r);
	}
	const size_t n = strlen(why);
	if (n_bad > 1)
		snprintf(why + n, sizeof why - n, " (and %zu others)", n_bad - 1);
	c->is_subscribing = false;
	mqtt_client_come_up(c, why);
}

static void on_publish(struct mqtt_client *c, const struct mqtt_packet *p)
{
	const struct mqtt_message m = {
		.token = ++c->token,
		.topic = p->topic,
		.payload = p->payload,
		.payload_bytes = p->payload_bytes,
		.qos = p->qos,
		.again = p->dup,
		.retained = p->retain,
	};
	const int r = p->qos > 0 ? mqtt_debts_add(&c->debts, m.token, p->id) : 0;

	if (r < 0)
		mqtt_client_lose(c, r == ERR_MALFORMED ? "the broker does not wait for acknowledgements"
						       : err_text(r));
	else
		c->opt.message(c->opt.ctx, &m);
}

static void tell_published(struct mqtt_client *c, struct mqtt_item *item, int code, const char *text)
{
	const uint64_t id = item->id;

	free(item);
	if (!c->is_closing && c->opt.published)
		c->opt.published(c->opt.ctx, id, code, text);
}

static void on_puback(struct mqtt_client *c, const struct mqtt_packet *p)
{
	struct mqtt_item *item = mqtt_queue_acked(&c->queue, p->id);
	const bool refused = p->reason >= MQTT_FAILURE;

	if (item)
		tell_published(c, item, refused ? ERR_REFUSED : 0, mqtt_reason_text(p->reason));
	if (!c->is_closing && c->queue.n > c->queue.n_sent)
		uv_idle_start(&c->work, c->work.idle_cb);
}

static bool is_expected(const struct mqtt_client *c, enum mqtt_type type)
{
	return type == MQTT_DISCONNECT || (type == MQTT_CONNACK) == (c->phase == MQTT_OPENED);
}

static void on_packet(struct mqtt_client *c, const struct mqtt_packet *p)
{
	if (!is_expected(c, p->type)) {
		mqtt_client_lose(c, "the broker does not keep to the protocol");
		return;
	}
	switch (p->type) {
	case MQTT_CONNACK: on_connack(c, p); break;
	case MQTT_PUBLISH: on_publish(c, p); break;
	case MQTT_PUBACK: on_puback(c, p); break;
	case MQTT_SUBACK: on_suback(c, p); break;
	case MQTT_DISCONNECT: lose_for(c, "ends the connection", p); break;
	case MQTT_UNSUBACK: /* what is not sent any more needs no answer */
	case MQTT_PINGRESP: /* that something came is noted */
	case MQTT_CONNECT:  /* mqtt_read() knows none of these */
	case MQTT_SUBSCRIBE:
	case MQTT_UNSUBSCRIBE:
	case MQTT_PINGREQ: break;
	}
}

void mqtt_talk_bytes(struct mqtt_client *c, struct bytes in)
{
	const struct stream *s = c->stream;
	struct mqtt_packet p;
	int r = 1;

	c->heard_ms = uv_now(c->loop);
	/* a callback may have ended this connection, or everything */
	while (!c->is_closing && c->stream == s && (r = mqtt_read(&c->reader, &in, &p)) > 0)
		on_packet(c, &p);
	if (r < 0 && !c->is_closing && c->stream == s)
		mqtt_client_lose(c, r == ERR_MALFORMED ? "what the broker sends is not MQTT" : err_text(r));
}

/* Whole seconds that are left, at least one. */
static uint32_t seconds_left(const struct mqtt_client *c, int64_t deadline_ms)
{
	const int64_t left_ms = deadline_ms - (int64_t)uv_now(c->loop);

	if (deadline_ms == 0)
		return 0;
	return left_ms <= 1000 ? 1 : left_ms / 1000 < UINT32_MAX ? (uint32_t)(left_ms / 1000) : UINT32_MAX;
}

static void send_item(struct mqtt_client *c, struct mqtt_item *item)
{
	const struct mqtt_out m = {
		.topic = item->topic,
		.payload = item->payload,
		.id = c->limits.qos_max > 0 ? item->packet_id : 0,
		.retain = item->retain && c->limits.retain,
		.dup = item->dup && c->limits.qos_max > 0,
		.expiry_s = seconds_left(c, item->deadline_ms),
	};
	enum { HEAD_MAX = 5 };
	const bool too_long = mqtt_publish_bytes(c->version, &m) + HEAD_MAX > c->limits.packet_max;

	if (!too_long)
		mqtt_write_publish(&c->out, c->version, &m);
	if (!too_long && m.id > 0) {
		mqtt_queue_sent(&c->queue, item);
		return;
	}
	mqtt_queue_take(&c->queue, item);
	tell_published(c, item, too_long ? ERR_REFUSED : 0, too_long ? mqtt_reason_text(0x95) : "");
}

void mqtt_talk_send(struct mqtt_client *c)
{
	const struct stream *s = c->stream;
	struct mqtt_item *item;

	while (!c->is_closing && (item = mqtt_queue_expired(&c->queue, (int64_t)uv_now(c->loop))))
		tell_published(c, item, -ETIMEDOUT, "its deadline was over before the broker had it");
	while (!c->is_closing && c->stream == s && c->phase == MQTT_GREETED &&
	       c->queue.n_sent < c->limits.receive_max && (item = mqtt_queue_next(&c->queue)))
		send_item(c, item);
	if (!c->is_closing)
		mqtt_talk_flush(c);
}
