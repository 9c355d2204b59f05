/* SPDX-License-Identifier: Apache-2.0 */
#include <arpa/inet.h>
#include <inttypes.h>
#include <math.h>
#include <netinet/in.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include "proto/buf.h"
#include "tests/bench/peer.h"
#include "tests/bench/process.h"
#include "tests/bench/sensor.h"

enum { CONNECTIONS = 2, SERIES_PER_BODY = 500, START_TENTHS = 300, PROPERTIES = 10, TICK_MS = 1000 };

struct victoria {
	char dir[96], data[128], log[112], address[64];
	uint16_t port;
	pid_t pid;
};

struct bodies {
	struct buf *body;
	size_t n;
};

/* ---- HTTP ------------------------------------------------------------------------------------------------
 */

static int connect_to(uint16_t port)
{
	const struct sockaddr_in at = {
		.sin_family = AF_INET, .sin_port = htons(port), .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
	const int fd = socket(AF_INET, SOCK_STREAM, 0);

	if (fd >= 0 && connect(fd, (const struct sockaddr *)&at, sizeof at) == 0)
		return fd;
	if (fd >= 0)
		close(fd);
	return -1;
}

static int send_all(int fd, struct bytes b)
{
	while (b.len > 0) {
		const ssize_t n = send(fd, b.data, b.len, MSG_NOSIGNAL);
		if (n <= 0)
			return -1;
		b.data += n;
		b.len -= (size_t)n;
	}
	return 0;
}

/* One POST on a kept connection; 0 when it was answered with 204, which has no body. */
static int post(int fd, struct bytes body)
{
	char text[1024];
	size_t n = 0;
	const int head = snprintf(
		text, sizeof text,
		"POST /api/v1/import HTTP/1.1\r\nHost: localhost\r\nContent-Length: %zu\r\n\r\n", body.len);

	if (send_all(fd, (struct bytes){(const uint8_t *)text, (size_t)head}) < 0 || send_all(fd, body) < 0)
		return -1;
	do {
		const ssize_t got = recv(fd, text + n, sizeof text - 1 - n, 0);
		if (got <= 0)
			return -1;
		n += (size_t)got;
		text[n] = 0;
	} while (!strstr(text, "\r\n\r\n") && n < sizeof text - 1);
	return strncmp(text, "HTTP/1.1 204", 12) == 0 ? 0 : -1;
}

/* ---- Bodies ----------------------------------------------------------------------------------------------
 */

static void put_line(struct buf *b, size_t sensor, size_t first, size_t n, int64_t first_ms)
{
	buf_print(b, "{\"metric\":{\"__name__\":\"p%zu\",\"twin\":\"acme/m%zu\"},\"values\":[",
		  sensor % PROPERTIES, sensor / PROPERTIES);
	for (size_t k = first; k < first + n; k++) {
		const int32_t v = sensor_hundredths(sensor, k);
		buf_print(b, "%s%" PRId32 ".%02" PRId32, k > first ? "," : "", v / 100, v % 100);
	}
	buf_put_text(b, "],\"timestamps\":[");
	for (size_t k = first; k < first + n; k++)
		buf_print(b, "%s%" PRId64, k > first ? "," : "",
			  first_ms + (int64_t)k * TICK_MS + sensor_late_ns(sensor / 1000, k) / NS_PER_MS);
	buf_put_text(b, "]}\n");
}

static int make_bodies(struct bodies *all, size_t n_sensors, size_t first, size_t n, int64_t first_ms)
{
	all->n = (n_sensors + SERIES_PER_BODY - 1) / SERIES_PER_BODY;
	all->body = calloc(all->n, sizeof *all->body);
	if (!all->body)
		return -1;
	for (size_t i = 0; i < n_sensors; i++)
		put_line(&all->body[i / SERIES_PER_BODY], i, first, n, first_ms);
	for (size_t i = 0; i < all->n; i++)
		if (buf_check(&all->body[i]) < 0)
			return -1;
	return 0;
}

static void bodies_fini(struct bodies *all)
{
	for (size_t i = 0; all->body && i < all->n; i++)
		buf_fini(&all->body[i]);
	free(all->body);
}

/* ---- Import ----------------------------------------------------------------------------------------------
 */

struct sender {
	pthread_t thread;
	const struct bodies *all;
	size_t first;
	int fd, result;
};

static void *send_share(void *arg)
{
	struct sender *s = arg;

	for (size_t i = s->first; i < s->all->n && s->result == 0; i += CONNECTIONS)
		s->result = post(s->fd, buf_bytes(&s->all->body[i]));
	return NULL;
}

static int send_bodies(const struct victoria *v, const struct bodies *all)
{
	struct sender senders[CONNECTIONS] = {0};
	int result = 0;

	for (size_t i = 0; i < CONNECTIONS; i++) {
		struct sender *s = &senders[i];
		*s = (struct sender){.all = all, .first = i, .fd = connect_to(v->port)};
		s->result = s->fd < 0 ? -1 : 0;
		if (pthread_create(&s->thread, NULL, send_share, s) != 0)
			abort();
	}
	for (size_t i = 0; i < CONNECTIONS; i++) {
		pthread_join(senders[i].thread, NULL);
		result |= senders[i].result;
		if (senders[i].fd >= 0)
			close(senders[i].fd);
	}
	return result;
}

static double import(const struct victoria *v, size_t n_sensors, size_t n_ticks)
{
	struct bodies known = {0}, timed = {0};
	const int64_t first_ms = ((int64_t)time(NULL) - (int64_t)n_ticks) * 1000;
	double rate = NAN;

	if (make_bodies(&known, n_sensors, 0, 1, first_ms) == 0 &&
	    make_bodies(&timed, n_sensors, 1, n_ticks, first_ms) == 0 && send_bodies(v, &known) == 0) {
		const double began_s = bench_now_s();
		if (send_bodies(v, &timed) == 0)
			rate = (double)n_sensors * (double)n_ticks / (bench_now_s() - began_s);
	}
	bodies_fini(&known);
	bodies_fini(&timed);
	return rate;
}

/* ---- The server ------------------------------------------------------------------------------------------
 */

static int start(struct victoria *v, const struct bench_options *opt)
{
	if (bench_place(opt, v->dir, sizeof v->dir) < 0)
		return -1;
	v->port = free_port();
	snprintf(v->log, sizeof v->log, "%s/log", v->dir);
	snprintf(v->data, sizeof v->data, "-storageDataPath=%s/data", v->dir);
	snprintf(v->address, sizeof v->address, "-httpListenAddr=127.0.0.1:%u", v->port);
	const char *const argv[] = {"victoria-metrics", v->data, v->address, "-retentionPeriod=100y", NULL};
	if (process_start(argv, &(struct process_options){.log = v->log}, &v->pid) < 0)
		return -1;
	for (int i = 0; i < START_TENTHS && process_runs(&v->pid); i++) {
		const int fd = connect_to(v->port);
		if (fd >= 0)
			return close(fd);
		bench_pause_ms(100);
	}
	return -1;
}

double peer_victoria(const struct bench_options *opt, size_t n_sensors, size_t n_ticks)
{
	struct victoria v = {.dir = ""};
	double rate = NAN;

	if (!process_finds("victoria-metrics"))
		return NAN;
	if (start(&v, opt) == 0)
		rate = import(&v, n_sensors, n_ticks);
	if (isnan(rate))
		bench_say(VICTORIA_PEER, "it is installed, but did not do its work");
	process_kill(v.pid); /* what it holds is thrown away in any case */
	bench_remove(v.dir);
	return rate;
}
