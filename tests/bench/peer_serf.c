/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/bench/peer_serf.h"

#include <arpa/inet.h>
#include <math.h>
#include <netinet/in.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <unistd.h>

#include "proto/scope.h"
#include "tests/bench/process.h"

enum { BIND_PORT = 17946, RPC_PORT = 17373, REPLY_MAX = 1 << 18, LOOK_MS = 20, WAIT_S = 2, REST_MS = 5000 };

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

static const char alive[] =
	"\xa5"
	"alive";
static const char failed[] =
	"\xa6"
	"failed";

static size_t count(const uint8_t *reply, size_t len, const char *word)
{
	const size_t size = strlen(word);
	size_t n = 0;

	for (size_t at = 0; at + size <= len; at++)
		n += memcmp(reply + at, word, size) == 0;
	return n;
}

/* How many it lists so, once the last of them must have been read. */
static size_t listed(int fd, const char *word, size_t want)
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
		n = count(reply, len, word);
		if (n >= want)
			break;
		bench_pause_ms(1);
	}
	return n;
}

/* Of the first n: each lists so many so. */
static bool all_list(struct agent *agents, size_t n, const char *word, size_t want, double within_s)
{
	const double until_s = bench_now_s() + within_s;

	for (size_t i = 0; i < n && bench_now_s() < until_s;) {
		if (agents[i].fd < 0)
			agents[i].fd = call(i);
		if (agents[i].fd >= 0 && listed(agents[i].fd, word, want) == want) {
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

struct agents {
	struct agent *list;
	size_t n;
	char place[96];
	double joined_s; /* after their start; NaN: not installed, or they have not joined */
};

static double join(struct agents *s, double within_s)
{
	const double began_s = bench_now_s();

	for (size_t i = 0; i < s->n; i++)
		if (start(s->place, i, &s->list[i].pid) < 0) {
			bench_say("join", "serf did not start");
			return NAN;
		}
	if (all_list(s->list, s->n, alive, s->n, within_s))
		return bench_now_s() - began_s;
	bench_say("join", "serf has not joined in %.0f s", within_s);
	return NAN;
}

static void agents_start(struct agents *s, const struct bench_options *opt, double within_s)
{
	s->joined_s = NAN;
	s->list = calloc(s->n, sizeof *s->list);
	if (!process_finds("serf") || !s->list || bench_place(opt, s->place, sizeof s->place) < 0)
		return;
	for (size_t i = 0; i < s->n; i++)
		s->list[i].fd = -1;
	s->joined_s = join(s, within_s);
}

static void agents_fini(struct agents *s)
{
	for (size_t i = 0; s->place[0] && i < s->n; i++) {
		if (s->list[i].fd >= 0)
			close(s->list[i].fd);
		process_kill(s->list[i].pid);
	}
	free(s->list);
	bench_remove(s->place);
}

double peer_serf_join(const struct bench_options *opt, size_t n, double within_s)
{
	SCOPED(agents_fini) struct agents s = {.n = n};

	agents_start(&s, opt, within_s);
	return s.joined_s;
}

double peer_serf_detect(const struct bench_options *opt, size_t n, int signal, double within_s)
{
	SCOPED(agents_fini) struct agents s = {.n = n};

	agents_start(&s, opt, within_s);
	if (isnan(s.joined_s))
		return NAN;
	bench_pause_ms(REST_MS);
	const double began_s = bench_now_s();
	kill(s.list[n - 1].pid, signal);
	return all_list(s.list, n - 1, failed, 1, within_s) ? bench_now_s() - began_s : NAN;
}

double peer_serf_rss(const struct bench_options *opt, size_t n, double within_s)
{
	SCOPED(agents_fini) struct agents s = {.n = n};
	double sum = 0;

	agents_start(&s, opt, within_s);
	if (isnan(s.joined_s))
		return NAN;
	bench_pause_ms(REST_MS);
	for (size_t i = 0; i < n; i++)
		sum += (double)process_figure(s.list[i].pid, "status", "VmRSS:") / 1e6;
	return sum / (double)n;
}
