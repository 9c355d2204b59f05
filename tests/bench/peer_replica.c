/* SPDX-License-Identifier: Apache-2.0 */
/* A Redis primary and its replica, both with appendfsync always; the replica notices a silent link as soon as
 * a Holon node does and goes on by PSYNC, for the primary's backlog holds all that changes meanwhile. */
#include <arpa/inet.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "tests/bench/peer_replica.h"
#include "tests/bench/process.h"

enum { PIECE = 1000, TENTHS = 100 };

#define SILENCE_S "5" /* mesh.silence */

static int dial(uint16_t port)
{
	const struct sockaddr_in at = {
		.sin_family = AF_INET, .sin_port = htons(port), .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
	const int on = 1;

	for (int i = 0; i < TENTHS; i++) {
		const int fd = socket(AF_INET, SOCK_STREAM, 0);
		if (connect(fd, (const struct sockaddr *)&at, sizeof at) == 0) {
			setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
			return fd;
		}
		close(fd);
		bench_pause_ms(100);
	}
	return -1;
}

static int start(struct replica *r, size_t i, const char *const more[])
{
	char dir[128], port[8], log[136];
	const char *argv[30] = {"redis-server",
				"--port",
				port,
				"--bind",
				"127.0.0.1",
				"--dir",
				dir,
				"--save",
				"",
				"--appendonly",
				"yes",
				"--appendfsync",
				"always",
				"--repl-ping-replica-period",
				"1",
				"--repl-timeout",
				SILENCE_S,
				"--repl-diskless-sync-delay",
				"0"};
	size_t n = 19;

	snprintf(dir, sizeof dir, "%s/%zu", r->dir, i);
	snprintf(log, sizeof log, "%s.log", dir);
	snprintf(port, sizeof port, "%u", r->port[i]);
	const char *const make[] = {"mkdir", dir, NULL};
	if (process_run(make, &(struct process_options){0}) != 0)
		return -1;
	while (*more)
		argv[n++] = *more++;
	if (process_start(argv, &(struct process_options){.log = log}, &r->pid[i]) < 0)
		return -1;
	r->fd[i] = dial(r->port[i]);
	return r->fd[i] < 0 ? -1 : 0;
}

/* Read `n` lines that are no errors; the last one is kept. */
static int read_lines(int fd, size_t n, char *last, size_t size)
{
	char piece[4096];
	size_t len = 0;

	while (n > 0) {
		const ssize_t got = recv(fd, piece, n == 1 ? 1 : sizeof piece < n ? sizeof piece : n, 0);
		if (got <= 0)
			return -1;
		for (ssize_t i = 0; i < got; i++) {
			if (len + 1 < size && piece[i] != '\r' && piece[i] != '\n')
				last[len++] = piece[i];
			if (piece[i] != '\n')
				continue;
			last[len] = 0;
			len = 0;
			n--;
			if (last[0] == '-')
				return -1;
		}
	}
	return 0;
}

static int say(int fd, const char *text, size_t len)
{
	while (len > 0) {
		const ssize_t n = send(fd, text, len, MSG_NOSIGNAL);
		if (n <= 0)
			return -1;
		text += n;
		len -= (size_t)n;
	}
	return 0;
}

/* About what a row holds. */
static int put_set(char *at, size_t size, size_t key, uint64_t value)
{
	char name[64], text[96];

	const int name_len = snprintf(name, sizeof name, REPLICA_KEY, key);
	const int text_len = snprintf(text, sizeof text, REPLICA_VALUE, value);
	return snprintf(at, size, "*3\r\n$3\r\nSET\r\n$%d\r\n%s\r\n$%d\r\n%s\r\n", name_len, name, text_len,
			text);
}

int replica_set(struct replica *r, size_t first, size_t step, size_t n, uint64_t value)
{
	const size_t size = PIECE * 256;
	char *text = malloc(size), last[128];
	int result = text ? 0 : -1;

	for (size_t i = 0; i < n && result == 0;) {
		size_t len = 0, sent = 0;
		for (; sent < PIECE && i < n; sent++, i++)
			len += (size_t)put_set(text + len, size - len, (first + i * step) % r->n_keys, value);
		result = say(r->fd[0], text, len);
		for (size_t k = 0; k < sent && result == 0; k++)
			result = read_lines(r->fd[0], 1, last, sizeof last);
	}
	free(text);
	return result;
}

bool replica_shows(struct replica *r, size_t key, uint64_t value)
{
	char name[64], text[96], ask[160], got[128] = "";

	const int len = snprintf(name, sizeof name, REPLICA_KEY, key);
	const int n = snprintf(ask, sizeof ask, "*2\r\n$3\r\nGET\r\n$%d\r\n%s\r\n", len, name);
	snprintf(text, sizeof text, REPLICA_VALUE, value);
	if (say(r->fd[1], ask, (size_t)n) < 0 || read_lines(r->fd[1], 1, got, sizeof got) < 0 ||
	    strcmp(got, "$-1") == 0 || read_lines(r->fd[1], 1, got, sizeof got) < 0)
		return false;
	return strcmp(got, text) == 0;
}

static int await_copy(struct replica *r, double within_s)
{
	const double until_s = bench_now_s() + within_s;

	while (!replica_shows(r, r->n_keys - 1, 0)) {
		if (bench_now_s() > until_s)
			return -1;
		bench_pause_ms(100);
	}
	return 0;
}

int replica_start(struct replica *r, const struct bench_options *opt, uint16_t link_port)
{
	char link[8];
	const char *const primary[] = {"--repl-backlog-size", "256mb", NULL};
	const char *const copy[] = {"--replicaof", "127.0.0.1", link, NULL};

	r->fd[0] = r->fd[1] = -1;
	if (!process_finds("redis-server"))
		return REPLICA_ABSENT;
	snprintf(link, sizeof link, "%u", link_port);
	r->port[1] = free_port();
	if (bench_place(opt, r->dir, sizeof r->dir) < 0 || start(r, 0, primary) < 0 ||
	    replica_set(r, 0, 1, r->n_keys, 0) < 0 || start(r, 1, copy) < 0 || await_copy(r, 120) < 0)
		return bench_say(REPLICA_PEER, "it is installed, but did not do its work");
	return 0;
}

void replica_end(struct replica *r)
{
	for (size_t i = 0; i < 2; i++) {
		if (r->pid[i] > 0 && r->fd[i] >= 0)
			close(r->fd[i]);
		process_kill(r->pid[i]);
	}
	bench_remove(r->dir);
}
