/* SPDX-License-Identifier: Apache-2.0 */
#include "tools/publisher.h"

#include <errno.h>
#include <mosquitto.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

enum {
	UNDERWAY_MAX = 2000,
	KEEP_ALIVE_S = 30,
	REDIAL_MS = 500,
	TURN_MS = 100,
	PORT = 1883,
	PORT_TLS = 8883,
	HOST_SIZE = 256,
};

struct publisher {
	struct mosquitto *mosquitto;
	struct publisher_options opt;
	char host[HOST_SIZE];
	int port;
	bool tls, connected;
	int refused;                 /* CONNACK: a reason other than 0 */
	char *texts[UINT16_MAX + 1]; /* by message id, until it is acknowledged */
	size_t n_underway;
	uint64_t n_redials;
	int64_t redial_ms;
};

static int64_t clock_ms(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (int64_t)t.tv_sec * 1000 + t.tv_nsec / 1000000;
}

static int from_mosquitto(int r, const char *what, struct err_note *note)
{
	if (r == MOSQ_ERR_SUCCESS)
		return 0;
	if (r == MOSQ_ERR_NOMEM)
		return FAIL(-ENOMEM);
	return FAIL_SAY(note,
			r == MOSQ_ERR_INVAL || r == MOSQ_ERR_PAYLOAD_SIZE ? ERR_REFUSED : ERR_UNREACHABLE,
			"%s: %s", what, r == MOSQ_ERR_ERRNO ? strerror(errno) : mosquitto_strerror(r));
}

/* ---- What the library says -------------------------------------------------------------------------------
 */

static void on_connect(struct mosquitto *m, void *ctx, int reason)
{
	struct publisher *p = ctx;

	(void)m;
	p->connected = reason == 0;
	p->refused = reason;
}

static void on_disconnect(struct mosquitto *m, void *ctx, int reason)
{
	struct publisher *p = ctx;

	(void)m, (void)reason;
	p->connected = false;
}

static void on_publish(struct mosquitto *m, void *ctx, int id)
{
	struct publisher *p = ctx;
	char *text = id > 0 && id <= UINT16_MAX ? p->texts[id] : NULL;

	(void)m;
	if (!text)
		return;
	p->texts[id] = NULL;
	p->n_underway--;
	if (p->opt.acknowledged)
		p->opt.acknowledged(p->opt.ctx, text);
	free(text);
}

/* ---- Connecting ------------------------------------------------------------------------------------------
 */

/* HOST[:PORT], an IPv6 address in brackets. */
static int read_address(struct publisher *p, const char *text, struct err_note *note)
{
	const bool bracket = *text == '[';
	const char *end = bracket ? strchr(text, ']') : text + strcspn(text, ":/");
	char *rest = NULL;

	p->port = p->tls ? PORT_TLS : PORT;
	text += bracket;
	if (end && end > text && (size_t)(end - text) < sizeof p->host) {
		snprintf(p->host, sizeof p->host, "%.*s", (int)(end - text), text);
		end += bracket;
		if (*end == ':') {
			const long port = strtol(end + 1, &rest, 10);
			if (rest > end + 1 && *rest == '\0' && port > 0 && port <= UINT16_MAX) {
				p->port = (int)port;
				return 0;
			}
		} else if (*end == '\0')
			return 0;
	}
	return FAIL_SAY(note, ERR_REFUSED,
			"%.200s names no broker: write mqtt://HOST[:PORT] or mqtts://HOST[:PORT]",
			p->opt.url);
}

static int read_url(struct publisher *p, struct err_note *note)
{
	static const char plain[] = "mqtt://", secured[] = "mqtts://";
	const char *url = p->opt.url;

	p->tls = strncmp(url, secured, sizeof secured - 1) == 0;
	if (!p->tls && strncmp(url, plain, sizeof plain - 1) != 0)
		return read_address(p, "", note);
	return read_address(p, url + (p->tls ? sizeof secured - 1 : sizeof plain - 1), note);
}

static int secure(struct publisher *p, struct err_note *note)
{
	const struct publisher_options *o = &p->opt;

	if (!p->tls)
		return o->ca || o->cert
			       ? FAIL_SAY(note, ERR_REFUSED,
					  "certificates are for mqtts://, the broker is %.200s", o->url)
			       : 0;
	if (!o->ca)
		TRY(from_mosquitto(mosquitto_int_option(p->mosquitto, MOSQ_OPT_TLS_USE_OS_CERTS, 1), "TLS",
				   note));
	return from_mosquitto(mosquitto_tls_set(p->mosquitto, o->ca, o->ca ? NULL : "/etc/ssl/certs", o->cert,
						o->key, NULL),
			      "certificates", note);
}

static int prepare(struct publisher *p, struct err_note *note)
{
	char id[32];

	snprintf(id, sizeof id, "holon-replay-%ld", (long)getpid());
	mosquitto_lib_init();
	p->mosquitto = mosquitto_new(id, true, p);
	if (!p->mosquitto)
		return FAIL(-ENOMEM);
	mosquitto_connect_callback_set(p->mosquitto, on_connect);
	mosquitto_disconnect_callback_set(p->mosquitto, on_disconnect);
	mosquitto_publish_callback_set(p->mosquitto, on_publish);
	TRY(from_mosquitto(mosquitto_max_inflight_messages_set(p->mosquitto, 0), "messages in flight", note));
	if (p->opt.user)
		TRY(from_mosquitto(mosquitto_username_pw_set(p->mosquitto, p->opt.user, p->opt.password),
				   "user and password", note));
	return secure(p, note);
}

/* One turn of the connection. What is lost is dialled again after a while. */
static int turn(struct publisher *p, int ms, struct err_note *note)
{
	if (mosquitto_loop(p->mosquitto, ms, 1) == MOSQ_ERR_SUCCESS)
		return 0;
	p->connected = false;
	if (p->refused != 0)
		return FAIL_SAY(note, ERR_REFUSED, "%s refuses: %s", p->opt.url,
				mosquitto_connack_string(p->refused));
	if (clock_ms() >= p->redial_ms) {
		p->redial_ms = clock_ms() + REDIAL_MS;
		p->n_redials++;
		(void)mosquitto_reconnect(p->mosquitto); /* the next turn finds out */
	} else
		nanosleep(&(struct timespec){.tv_nsec = (long)(ms < TURN_MS ? ms : TURN_MS) * 1000000}, NULL);
	return 0;
}

int publisher_open(struct publisher **ret, const struct publisher_options *opt, int timeout_ms,
		   struct err_note *note)
{
	SCOPED(scope_publisher) struct publisher *p = calloc(1, sizeof *p);
	const int64_t end_ms = clock_ms() + timeout_ms;

	if (!p)
		return FAIL(-ENOMEM);
	p->opt = *opt;
	TRY(read_url(p, note));
	TRY(prepare(p, note));
	TRY(from_mosquitto(mosquitto_connect(p->mosquitto, p->host, p->port, KEEP_ALIVE_S), opt->url, note));
	p->redial_ms = end_ms; /* the first time it is not dialled again */
	while (!p->connected) {
		TRY(turn(p, TURN_MS, note));
		if (!p->connected && clock_ms() >= end_ms)
			return FAIL_SAY(note, ERR_UNREACHABLE, "%s: no broker answers", opt->url);
	}
	p->redial_ms = 0;
	*ret = MOVE(p);
	return 0;
}

void publisher_close(struct publisher *p)
{
	if (!p)
		return;
	if (p->mosquitto) {
		(void)mosquitto_disconnect(p->mosquitto); /* it may be gone already */
		mosquitto_destroy(p->mosquitto);
		mosquitto_lib_cleanup();
	}
	for (size_t i = 0; i <= UINT16_MAX; i++)
		free(p->texts[i]);
	free(p);
}

/* ---- Publishing ------------------------------------------------------------------------------------------
 */

/* The library keeps what it could not send, because the connection is gone or broke under it, and sends it
 * when there is one; that it broke is seen by the next turn. */
static bool is_kept(int r)
{
	return r == MOSQ_ERR_SUCCESS || r == MOSQ_ERR_NO_CONN || r == MOSQ_ERR_CONN_LOST ||
	       r == MOSQ_ERR_ERRNO || r == MOSQ_ERR_TLS;
}

int publisher_put(struct publisher *p, const char *topic, const char *payload, const char *text,
		  struct err_note *note)
{
	char *copy;
	int id = 0;

	while (p->n_underway >= UNDERWAY_MAX)
		TRY(turn(p, TURN_MS, note));
	copy = strdup(text);
	if (!copy)
		return FAIL(-ENOMEM);
	const int r = mosquitto_publish(p->mosquitto, &id, topic, (int)strlen(payload), payload, 1, false);
	if (!is_kept(r) || id <= 0 || id > UINT16_MAX) {
		free(copy);
		return from_mosquitto(r == MOSQ_ERR_SUCCESS ? MOSQ_ERR_INVAL : r, topic, note);
	}
	free(p->texts[id]);
	p->texts[id] = copy;
	p->n_underway++;
	return 0;
}

int publisher_wait(struct publisher *p, int ms, struct err_note *note)
{
	const int64_t end_ms = clock_ms() + ms;
	int64_t left = ms;

	do {
		TRY(turn(p, (int)(left < TURN_MS ? left : TURN_MS), note));
		left = end_ms - clock_ms();
	} while (left > 0);
	return 0;
}

int publisher_drain(struct publisher *p, int timeout_ms, struct err_note *note)
{
	const int64_t end_ms = clock_ms() + timeout_ms;

	while (p->n_underway > 0) {
		TRY(turn(p, TURN_MS, note));
		if (clock_ms() >= end_ms)
			return FAIL_SAY(note, ERR_UNREACHABLE, "%s has not acknowledged %zu messages",
					p->opt.url, p->n_underway);
	}
	return 0;
}

size_t publisher_underway(const struct publisher *p)
{
	return p->n_underway;
}

uint64_t publisher_redials(const struct publisher *p)
{
	return p->n_redials;
}
