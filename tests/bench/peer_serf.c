/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/bench/peer_serf.h"

#include <arpa/inet.h>
#include <math.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <unistd.h>

#include "proto/scope.h"
#include "tests/bench/process.h"

enum { BIND_PORT = 17946, RPC_PORT = 17373, REPLY_MAX = 1 << 18, LOOK_MS = 20, WAIT_S = 2 };

struct agent {
	pid_t pid;
	int fd; /* of its RPC; -1 */
};

static void address_of(size_t i, uint16_t port, char *ret, size_t size)
{
	snprintf(ret, size, "127.1.%zu.%zu:%u", 1 + i / 250, 1 + i % 250, port);
}

static int start(const char *place, size_t i, pid_t *ret)
{
	char name[40], own[48], rpc[48], seed[48], log[160];
	const char *argv[] = {"serf",
			      "agent",
			      "-log-level=err",
			      "-retry-interval=200ms",
			      name,
			      own,
			      rpc,
			      i > 0 ? seed : NULL,
			      NULL};
	const struct process_options how = {.log = log};

	snprintf(name, sizeof name, "-node=s%zu", i);
	memcpy(own, "-bind=", 7);
	address_of(i, BIND_PORT, own + 6, sizeof own - 6);
	memcpy(rpc, "-rpc-addr=", 11);
	address_of(i, RPC_PORT, rpc + 10, sizeof rpc - 10);
	memcpy(seed, "-retry-join=", 13);
	address_of(0, BIND_PORT, seed + 12, sizeof seed - 12);
	snprintf(log, sizeof log, "%s/s%zu.log", place, i);
	return process_start(argv, &how, ret);
}

static int call(size_t i)
{
	const struct timeval wait = {.tv_sec = WAIT_S};
	struct sockaddr_in to = {.sin_family = AF_INET, .sin_port = htons(RPC_PORT)};
	char text[48];
	const int fd = socket(AF_INET, SOCK_STREAM, 0);

	address_of(i, RPC_PORT, text, sizeof text);
	*strchr(text, ':') = 0;
	inet_pton(AF_INET, text, &to.sin_addr);
	setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &wait, sizeof wait);
	static const char hello[] =
		"\x82\xa7"
		"Command\xa9handshake\xa3"
		"Seq\x00\x81\xa7Version\x01";
	uint8_t reply[256];
	if (connect(fd, (struct sockaddr *)&to, sizeof to) == 0 &&
	    send(fd, hello, sizeof hello - 1, MSG_NOSIGNAL) > 0 && recv(fd, reply, sizeof reply, 0) > 0)
		return fd;
	close(fd);
	return -1;
}

static size_t count(const uint8_t *reply, size_t len)
{
	static const char word[] =
		"\xa5"
		"alive";
	size_t n = 0;

	for (size_t at = 0; at + sizeof word - 1 <= len; at++)
		n += memcmp(reply + at, word, sizeof word - 1) == 0;
	return n;
}

/* How many it lists as alive, once the last of them must have been read. */
static size_t alive(int fd, size_t want)
{
	static const char ask[] =
		"\x82\xa7"
		"Command\xa7members\xa3"
		"Seq\x01";
	SCOPED(scope_free) uint8_t *reply = malloc(REPLY_MAX);
	size_t len = 0, n = 0;
	ssize_t got;

	if (!reply || send(fd, ask, sizeof ask - 1, MSG_NOSIGNAL) <= 0)
		return 0;
	/* a list ends when nothing more comes at once */
	while ((got = recv(fd, reply + len, REPLY_MAX - len, len > 0 ? MSG_DONTWAIT : 0)) > 0) {
		len += (size_t)got;
		n = count(reply, len);
		if (n >= want)
			break;
		bench_pause_ms(1);
	}
	return n;
}

static bool all_list_all(struct agent *agents, size_t n, double within_s)
{
	const double until_s = bench_now_s() + within_s;

	for (size_t i = 0; i < n && bench_now_s() < until_s;) {
		if (agents[i].fd < 0)
			agents[i].fd = call(i);
		if (agents[i].fd >= 0 && alive(agents[i].fd, n) == n) {
			i++;
			continue;
		}
		if (agents[i].fd >= 0)
			close(agents[i].fd);
		agents[i].fd = -1;
		bench_pause_ms(LOOK_MS);
	}
	return bench_now_s() < until_s;
}

static double join(struct agent *agents, size_t n, const char *place, double within_s)
{
	const double began_s = bench_now_s();

	for (size_t i = 0; i < n; i++)
		if (start(place, i, &agents[i].pid) < 0) {
			bench_say("join", "serf did not start");
			return NAN;
		}
	if (all_list_all(agents, n, within_s))
		return bench_now_s() - began_s;
	bench_say("join", "serf has not joined in %.0f s", within_s);
	return NAN;
}

double peer_serf_join(const struct bench_options *opt, size_t n, double within_s)
{
	SCOPED(scope_free) struct agent *agents = calloc(n, sizeof *agents);
	char place[96] = "";

	if (!process_finds("serf") || !agents || bench_place(opt, place, sizeof place) < 0)
		return NAN;
	for (size_t i = 0; i < n; i++)
		agents[i].fd = -1;
	const double s = join(agents, n, place, within_s);
	for (size_t i = 0; i < n; i++) {
		if (agents[i].fd >= 0)
			close(agents[i].fd);
		process_kill(agents[i].pid);
	}
	bench_remove(place);
	return s;
}
