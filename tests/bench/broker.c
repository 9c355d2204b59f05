/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/bench/broker.h"

#include <arpa/inet.h>
#include <stdio.h>
#include <sys/socket.h>
#include <unistd.h>

#include "tests/bench/process.h"

enum { READY_S = 10 };

/* What it forgets by default when somebody is slow, it keeps, and a message does not wait until the one
 * before it was acknowledged by TCP (which a receiver with nothing to say does after 40 ms); all else is as
 * it comes. */
static int write_config(const struct broker *b, const char *path)
{
	FILE *f = fopen(path, "w");

	if (!f)
		return -1;
	fprintf(f,
		"listener %u 127.0.0.1\nallow_anonymous true\nmax_queued_messages 0\nlog_type error\n"
		"set_tcp_nodelay true\n",
		b->port);
	return fclose(f) == 0 ? 0 : -1;
}

static bool answers(uint16_t port)
{
	const struct sockaddr_in to = {
		.sin_family = AF_INET, .sin_port = htons(port), .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
	const int fd = socket(AF_INET, SOCK_STREAM, 0);
	const bool yes = fd >= 0 && connect(fd, (const struct sockaddr *)&to, sizeof to) == 0;

	if (fd >= 0)
		close(fd);
	return yes;
}

int broker_start(struct broker *b, const char *bench, const char *dir)
{
	char config[128], log[128];
	const char *const argv[] = {"mosquitto", "-c", config, NULL};
	const double until_s = bench_now_s() + READY_S;

	if (!process_finds("mosquitto"))
		return bench_say(bench, "there is no mosquitto: install what deploy/packages names");
	snprintf(config, sizeof config, "%s/broker.conf", dir);
	snprintf(log, sizeof log, "%s/broker.log", dir);
	b->port = free_port();
	if (b->port == 0 || write_config(b, config) < 0)
		return bench_say(bench, "no configuration for the broker in %s", dir);
	if (process_start(argv, &(struct process_options){.log = log}, &b->pid) < 0)
		return bench_say(bench, "mosquitto did not start");
	while (process_runs(&b->pid) && bench_now_s() < until_s) {
		if (answers(b->port))
			return 0;
		bench_pause_ms(10);
	}
	return bench_say(bench, "mosquitto did not come up");
}

void broker_stop(struct broker *b)
{
	if (b->pid > 0)
		process_kill(b->pid);
	b->pid = 0;
}
