/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/bench/link.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "tests/bench/bench.h"

enum { TURN_MS = 5, PIECE_BYTES = 64 * 1024, BACKLOG = 16, WAY_BYTES_MAX = 64 << 20 };

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
	for (size_t k = 0; k < 2; k++)
		while (p->way[k].first) {
			struct link_piece *gone = p->way[k].first;
			p->way[k].first = gone->next;
			free(gone);
		}
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
		*place = (struct link_pair){.fd = {from, fd}};
		for (size_t k = 0; k < 2; k++)
			place->way[k].end = &place->way[k].first;
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

static bool hold(struct link_way *w, const uint8_t *data, size_t len, double due_s)
{
	struct link_piece *piece = malloc(sizeof *piece + len);

	if (!piece)
		return false;
	*piece = (struct link_piece){.due_s = due_s, .len = len};
	memcpy(piece->data, data, len);
	*w->end = piece;
	w->end = &piece->next;
	w->bytes += len;
	return true;
}

/* False: one side has ended it. */
static bool carry(const struct link *l, struct link_pair *p, size_t side)
{
	static uint8_t piece[PIECE_BYTES]; /* of the one thread */
	const ssize_t n = recv(p->fd[side], piece, sizeof piece, MSG_DONTWAIT);

	if (n < 0)
		return errno == EAGAIN || errno == EINTR;
	if (n == 0)
		return false;
	return l->delay_ms > 0 ? hold(&p->way[side], piece, (size_t)n, bench_now_s() + l->delay_ms / 1e3)
			       : send_all(p->fd[!side], piece, (size_t)n);
}

/* What is due goes on. */
static bool deliver(struct link_pair *p, size_t side, double now_s)
{
	struct link_way *w = &p->way[side];

	while (w->first && w->first->due_s <= now_s) {
		struct link_piece *piece = w->first;
		const bool sent = send_all(p->fd[!side], piece->data, piece->len);
		w->first = piece->next;
		w->end = w->first ? w->end : &w->first;
		w->bytes -= piece->len;
		free(piece);
		if (!sent)
			return false;
	}
	return true;
}

static void deliver_all(struct link *l)
{
	const double now_s = bench_now_s();

	for (size_t i = 0; i < LINK_PAIRS_MAX; i++)
		for (size_t k = 0; k < 2 && l->pairs[i].fd[0] >= 0; k++)
			if (!deliver(&l->pairs[i], k, now_s))
				end_pair(&l->pairs[i]);
}

static void turn(struct link *l)
{
	struct pollfd polls[LINK_ROUTES_MAX + 2 * LINK_PAIRS_MAX];
	nfds_t n = 0;

	for (size_t i = 0; i < l->n_routes; i++)
		polls[n++] = (struct pollfd){.fd = l->routes[i].fd, .events = POLLIN};
	for (size_t i = 0; i < LINK_PAIRS_MAX; i++)
		for (size_t k = 0; k < 2; k++)
			polls[n++] = (struct pollfd){
				.fd = l->pairs[i].fd[k],
				.events = l->pairs[i].way[k].bytes < WAY_BYTES_MAX ? POLLIN : 0};
	const int ready = poll(polls, n, l->delay_ms > 0 ? 1 : TURN_MS);
	deliver_all(l);
	if (ready <= 0 || l->cut)
		return;
	for (size_t i = 0; i < LINK_PAIRS_MAX; i++) {
		struct link_pair *p = &l->pairs[i];
		const struct pollfd *at = &polls[l->n_routes + 2 * i];
		for (size_t k = 0; k < 2 && p->fd[0] >= 0; k++)
			if (at[k].revents && !carry(l, p, k))
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
