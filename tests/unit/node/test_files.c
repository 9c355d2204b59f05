/* SPDX-License-Identifier: Apache-2.0 */
/* A process that has no descriptor left, called at its Unix socket. */
#include <criterion/criterion.h>
#include <criterion/new/assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>
#include <zmq.h>

#include "node/files.h"
#include "tests/lib/must.h"

enum { MOST = 64, WAIT_MS = 30000 };

static char dir[] = "/tmp/holon-files-XXXXXX";
static struct sockaddr_un path = {.sun_family = AF_UNIX};

static void *listen_and_tell(void *context, void *monitor)
{
	char endpoint[sizeof path.sun_path + 8];
	void *router = zmq_socket(context, ZMQ_ROUTER);

	snprintf(endpoint, sizeof endpoint, "ipc://%s", path.sun_path);
	must(zmq_socket_monitor(router, "inproc://events", ZMQ_EVENT_ACCEPT_FAILED) == 0);
	must(zmq_setsockopt(monitor, ZMQ_RCVHWM, &(int){0}, sizeof(int)) == 0); /* it tells again and again */
	must(zmq_setsockopt(monitor, ZMQ_RCVTIMEO, &(int){WAIT_MS}, sizeof(int)) == 0);
	must(zmq_connect(monitor, "inproc://events") == 0);
	must(zmq_bind(router, endpoint) == 0);
	return router;
}

static int use_up(int *fds)
{
	int n = 0;

	while (n < MOST && (fds[n] = dup(0)) >= 0)
		n++;
	return n;
}

Test(files, who_calls_when_no_descriptor_is_left_waits, .timeout = 120)
{
	const struct timeval patience = {.tv_sec = WAIT_MS / 1000};
	char greeting;
	uint16_t event[3];
	int fds[MOST];

	must(mkdtemp(dir) != NULL);
	snprintf(path.sun_path, sizeof path.sun_path, "%s/door", dir);
	must(setrlimit(RLIMIT_NOFILE, &(struct rlimit){MOST, MOST}) == 0);
	cr_expect(eq(u64, files_most(), MOST));
	void *context = zmq_ctx_new();
	void *monitor = zmq_socket(context, ZMQ_PAIR);
	void *router = listen_and_tell(context, monitor);
	const int caller = socket(AF_UNIX, SOCK_STREAM, 0);
	const int n = use_up(fds);
	must(n > 0 && n < MOST);
	must(connect(caller, (const struct sockaddr *)&path, sizeof path) == 0);
	cr_assert(eq(int, zmq_recv(monitor, event, sizeof event, 0), 6), "it was not let in");
	cr_expect(eq(int, event[0], ZMQ_EVENT_ACCEPT_FAILED));
	for (int i = 0; i < n; i++)
		close(fds[i]);
	must(setsockopt(caller, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof patience) == 0);
	cr_expect(eq(sz, (size_t)recv(caller, &greeting, 1, 0), 1), "and then it is");
	close(caller);
	zmq_socket_monitor(router, NULL, 0);
	zmq_close(router);
	zmq_close(monitor);
	zmq_ctx_term(context);
	unlink(path.sun_path);
	rmdir(dir);
}
