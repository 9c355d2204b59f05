/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/bench/link.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "tests/bench/bench.h"

enum { TURN_MS = 5, PIECE_BYTES = 64 * 1024, BACKLOG = 16 };

static struct sockaddr_in address(const char *host, uint16_t port)
{
	struct sockaddr_in at = {.sin_family = AF_INET, .sin_port = htons(port)};

	inet_pton(AF_INET, host, &at.sin_addr);
	return at;
}

int link_route(struct link *l, const char *host, uint16_t from, uint16_t to)
{
	const struct sockaddr_in at = address(host, from);
	const int fd = socket(AF_INET, SOCK_STREAM, 0), on = 1;

	if (fd < 0 || l->n_routes == LINK_ROUTES_MAX)
		return -1;
	setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
	if (bind(fd, (const struct sockaddr *)&at, sizeof at) < 0 || listen(fd, BACKLOG) < 0) {
		close(fd);
		return -1;
	}
	struct link_route *route = &l->routes[l->n_routes++];
	route->fd = fd;
	route->port = to;
	snprintf(route->host, sizeof route->host, "%s", host);
	return 0;
}

static void end_pair(struct link_pair *p)
{
	close(p->fd[0]);
	close(p->fd[1]);
	p->fd[0] = p->fd[1] = -1;
}

static void accept_one(struct link *l, const struct link_route *route)
{
	const struct sockaddr_in to = address(route->host, route->port);
	const int from = accept(route->fd, NULL, NULL), fd = socket(AF_INET, SOCK_STREAM, 0), on = 1;
	struct link_pair *place = l->pairs;

	while (place < l->pairs + LINK_PAIRS_MAX && place->fd[0] >= 0)
		place++;
	if (place < l->pairs + LINK_PAIRS_MAX && from >= 0 && fd >= 0 &&
	    connect(fd, (const struct sockaddr *)&to, sizeof to) == 0) {
		setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
		setsockopt(from, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
		*place = (struct link_pair){{from, fd}};
		return;
	}
	close(from);
	close(fd);
}

static bool send_all(int fd, const uint8_t *data, size_t len)
{
	while (len > 0) {
		const ssize_t n = send(fd, data, len, MSG_NOSIGNAL);
		if (n <= 0)
			return false;
		data += n;
		len -= (size_t)n;
	}
	return true;
}

/* False: one side has ended it. */
static bool carry(int from, int to)
{
	static uint8_t piece[PIECE_BYTES]; /* of the one thread */
	const ssize_t n = recv(from, piece, sizeof piece, MSG_DONTWAIT);

	if (n < 0)
		return errno == EAGAIN || errno == EINTR;
	return n > 0 && send_all(to, piece, (size_t)n);
}

static void turn(struct link *l)
{
	struct pollfd polls[LINK_ROUTES_MAX + 2 * LINK_PAIRS_MAX];
	nfds_t n = 0;

	for (size_t i = 0; i < l->n_routes; i++)
		polls[n++] = (struct pollfd){.fd = l->routes[i].fd, .events = POLLIN};
	for (size_t i = 0; i < LINK_PAIRS_MAX; i++)
		for (size_t k = 0; k < 2; k++)
			polls[n++] = (struct pollfd){.fd = l->pairs[i].fd[k], .events = POLLIN};
	if (poll(polls, n, TURN_MS) <= 0 || l->cut)
		return;
	for (size_t i = 0; i < LINK_PAIRS_MAX; i++) {
		struct link_pair *p = &l->pairs[i];
		const struct pollfd *at = &polls[l->n_routes + 2 * i];
		for (size_t k = 0; k < 2 && p->fd[0] >= 0; k++)
			if (at[k].revents && !carry(p->fd[k], p->fd[!k]))
				end_pair(p);
	}
	for (size_t i = 0; i < l->n_routes; i++)
		if (polls[i].revents)
			accept_one(l, &l->routes[i]);
}

static void *work(void *arg)
{
	struct link *l = arg;

	while (!l->ends)
		if (l->cut)
			bench_pause_ms(1);
		else
			turn(l);
	return NULL;
}

int link_start(struct link *l)
{
	for (size_t i = 0; i < LINK_PAIRS_MAX; i++)
		l->pairs[i].fd[0] = l->pairs[i].fd[1] = -1;
	l->runs = pthread_create(&l->thread, NULL, work, l) == 0;
	return l->runs ? 0 : -1;
}

void link_fini(struct link *l)
{
	l->ends = true;
	if (l->runs) {
		pthread_join(l->thread, NULL);
		for (size_t i = 0; i < LINK_PAIRS_MAX; i++)
			if (l->pairs[i].fd[0] >= 0)
				end_pair(&l->pairs[i]);
	}
	for (size_t i = 0; i < l->n_routes; i++)
		close(l->routes[i].fd);
	l->runs = false;
	l->n_routes = 0;
}
