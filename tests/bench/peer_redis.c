/* SPDX-License-Identifier: Apache-2.0 */
/* redis-benchmark does so many requests, not for so long: a short run tells how many are about right. */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "tests/bench/peer.h"
#include "tests/bench/process.h"

enum { PIPELINE = 128, CLIENTS = 50, PROBE_SINGLE = 20000, PROBE_PIPELINED = 200000, FILL = 1000 };

struct redis {
	char dir[96], socket[112], csv[112], log[112];
	pid_t pid;
};

static int connect_to(const char *path)
{
	struct sockaddr_un at = {.sun_family = AF_UNIX};
	const int fd = socket(AF_UNIX, SOCK_STREAM, 0);

	snprintf(at.sun_path, sizeof at.sun_path, "%s", path);
	if (fd >= 0 && connect(fd, (const struct sockaddr *)&at, sizeof at) == 0)
		return fd;
	if (fd >= 0)
		close(fd);
	return -1;
}

static int start(struct redis *r, const struct bench_options *opt, bool durable)
{
	if (bench_place(opt, r->dir, sizeof r->dir) < 0)
		return -1;
	snprintf(r->socket, sizeof r->socket, "%s/socket", r->dir);
	snprintf(r->csv, sizeof r->csv, "%s/csv", r->dir);
	snprintf(r->log, sizeof r->log, "%s/log", r->dir);
	const char *const argv[] = {"redis-server",
				    "--port",
				    "0",
				    "--unixsocket",
				    r->socket,
				    "--dir",
				    r->dir,
				    "--save",
				    "",
				    "--appendonly",
				    durable ? "yes" : "no",
				    "--appendfsync",
				    "always",
				    "--auto-aof-rewrite-percentage",
				    "0",
				    NULL};
	if (process_start(argv, &(struct process_options){.log = r->log}, &r->pid) < 0)
		return -1;
	for (int i = 0; i < 100 && process_runs(&r->pid); i++) {
		const int fd = connect_to(r->socket);
		if (fd >= 0)
			return close(fd);
		bench_pause_ms(50);
	}
	return -1;
}

static void end(struct redis *r)
{
	process_kill(r->pid); /* what it holds is thrown away in any case */
	bench_remove(r->dir);
}

/* Read replies "+OK\r\n" until there were n. */
static int await_replies(int fd, size_t n)
{
	char replies[5 * FILL];

	for (size_t left = 5 * n; left > 0;) {
		const ssize_t got = read(fd, replies, left < sizeof replies ? left : sizeof replies);
		if (got <= 0 || memchr(replies, '-', (size_t)got))
			return -1;
		left -= (size_t)got;
	}
	return 0;
}

/* The keys that redis-benchmark asks for: key:000000000000 and so on. */
static int fill(const struct redis *r, size_t n_keys)
{
	const int fd = connect_to(r->socket);
	FILE *out = fd < 0 ? NULL : fdopen(fd, "w");
	int result = out ? 0 : -1;

	for (size_t i = 0; i < n_keys && result == 0; i++) {
		fprintf(out, "*3\r\n$3\r\nSET\r\n$16\r\nkey:%012zu\r\n$16\r\n%016zu\r\n", i, i);
		if ((i + 1) % FILL == 0 || i + 1 == n_keys)
			result = fflush(out) != 0 ? -1 : await_replies(fd, i % FILL + 1);
	}
	if (out)
		fclose(out);
	return result;
}

/* The line of the CSV behind the heading: "SET","123456.78",... */
static double read_csv(const char *path)
{
	char line[512] = "";
	double rate = NAN;
	FILE *f = fopen(path, "re");

	while (f && fgets(line, sizeof line, f)) {
		char *second = strstr(line, "\",\"");
		if (second && line[1] != 't')
			rate = strtod(second + 3, NULL);
	}
	if (f)
		fclose(f);
	remove(path);
	return rate;
}

static double measure(const struct redis *r, enum redis_work work, size_t n_keys, size_t n)
{
	char requests[24], keys[24], pipeline[24], clients[24];

	snprintf(requests, sizeof requests, "%zu", n);
	snprintf(keys, sizeof keys, "%zu", n_keys);
	snprintf(pipeline, sizeof pipeline, "%d", work == REDIS_SET_SINGLE ? 1 : PIPELINE);
	snprintf(clients, sizeof clients, "%d", CLIENTS);
	const char *const argv[] = {"redis-benchmark",
				    "-s",
				    r->socket,
				    "-n",
				    requests,
				    "-r",
				    keys,
				    "-d",
				    "16",
				    "-c",
				    clients,
				    "-P",
				    pipeline,
				    "-t",
				    work == REDIS_GET_PIPELINED ? "get" : "set",
				    "--csv",
				    NULL};
	if (process_run(argv, &(struct process_options){.log = r->csv}) != 0)
		return NAN;
	return read_csv(r->csv);
}

double peer_redis(const struct bench_options *opt, enum redis_work work, size_t n_keys, double seconds)
{
	struct redis r = {.dir = ""};
	double rate = NAN;

	if (!process_finds("redis-server") || !process_finds("redis-benchmark"))
		return NAN;
	if (start(&r, opt, work != REDIS_GET_PIPELINED) == 0 &&
	    (work != REDIS_GET_PIPELINED || fill(&r, n_keys) == 0)) {
		rate = measure(&r, work, n_keys, work == REDIS_SET_SINGLE ? PROBE_SINGLE : PROBE_PIPELINED);
		if (!isnan(rate))
			rate = measure(&r, work, n_keys, (size_t)(rate * seconds) + 1);
	}
	if (isnan(rate))
		bench_say(REDIS_PEER, "it is installed, but did not do its work");
	end(&r);
	return rate;
}
