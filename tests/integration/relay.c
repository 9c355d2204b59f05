/* SPDX-License-Identifier: Apache-2.0 */
/* Relay - a bad line between two hosts: every TCP connection that the packet filter redirects here goes on to
 * where it wanted to go, and suffers what the standard input says, one order a line:
 *
 *     pass        as it comes
 *     delay MS    each way by MS to 1.5 MS
 *     silent      nothing moves any more, nobody is told: what is on its way waits, new connections hang
 *     reset       all connections are reset
 *     half        the side that dialled is reset, the other is told nothing
 *     auto SEED   one of these by itself every 0.3 to 1.8 s, drawn from the seed
 *
 * usage: relay PORT. Says on stdout what it did. Ends with its input.
 */
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <errno.h>
#include <linux/netfilter_ipv4.h>
#include <poll.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

enum { LINKS_MAX = 128, CHUNK = 16384, HELD_MAX = 64, ORDER_MAX = 64 };

/* Bytes on their way. */
struct chunk {
	int64_t due_ms;
	size_t at, len;
	uint8_t data[CHUNK];
};

struct way {
	struct chunk *held[HELD_MAX];
	size_t n;
};

/* fd[0] dialled, fd[1] was dialled; way[i] carries what fd[i] says. */
struct link {
	int fd[2];
	struct way way[2];
};

struct relay {
	int listener;
	struct link links[LINKS_MAX];
	size_t n;
	bool silent;
	int64_t delay_ms, auto_ms; /* auto_ms: when the next order is drawn; 0: never */
	uint64_t seed;
	char text[ORDER_MAX]; /* of orders, not yet a whole line */
	size_t n_text;
};

static int64_t now_ms(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (int64_t)t.tv_sec * 1000 + t.tv_nsec / 1000000;
}

static uint64_t draw(struct relay *r, uint64_t n)
{
	r->seed ^= r->seed << 13;
	r->seed ^= r->seed >> 7;
	r->seed ^= r->seed << 17;
	return r->seed % n;
}

/* ---- Connections -----------------------------------------------------------------------------------------
 */

static void hang_up(int *fd)
{
	const struct linger at_once = {.l_onoff = 1};

	if (*fd < 0)
		return;
	setsockopt(*fd, SOL_SOCKET, SO_LINGER, &at_once, sizeof at_once);
	close(*fd);
	*fd = -1;
}

static void way_clear(struct way *w)
{
	while (w->n > 0)
		free(w->held[--w->n]);
}

static void link_reset(struct link *l)
{
	for (int i = 0; i < 2; i++) {
		hang_up(&l->fd[i]);
		way_clear(&l->way[i]);
	}
}

static void forget_dead(struct relay *r)
{
	for (size_t i = 0; i < r->n;) {
		if (r->links[i].fd[0] < 0 && r->links[i].fd[1] < 0)
			r->links[i] = r->links[--r->n];
		else
			i++;
	}
}

static void take_in(struct relay *r)
{
	struct sockaddr_in to;
	socklen_t size = sizeof to;
	struct link l = {.fd = {accept4(r->listener, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC), -1}};

	if (l.fd[0] < 0)
		return;
	l.fd[1] = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	if (r->n == LINKS_MAX || l.fd[1] < 0 ||
	    getsockopt(l.fd[0], IPPROTO_IP, SO_ORIGINAL_DST, &to, &size) < 0 ||
	    (connect(l.fd[1], (struct sockaddr *)&to, sizeof to) < 0 && errno != EINPROGRESS))
		link_reset(&l);
	else
		r->links[r->n++] = l;
}

/* False: that side is gone. */
static bool hear(struct relay *r, struct link *l, int side)
{
	struct way *w = &l->way[side];
	struct chunk *c = malloc(sizeof *c);
	ssize_t n = c ? recv(l->fd[side], c->data, sizeof c->data, 0) : -1;

	if (n <= 0) {
		const bool later = n < 0 && (errno == EAGAIN || errno == EINTR);
		free(c);
		return later;
	}
	c->at = 0;
	c->len = (size_t)n;
	c->due_ms = now_ms() + r->delay_ms + (int64_t)draw(r, (uint64_t)r->delay_ms / 2 + 1);
	if (w->n > 0 && w->held[w->n - 1]->due_ms > c->due_ms)
		c->due_ms = w->held[w->n - 1]->due_ms;
	w->held[w->n++] = c;
	return true;
}

static bool say(struct link *l, int side)
{
	struct way *w = &l->way[!side];
	struct chunk *c = w->held[0];
	ssize_t n = send(l->fd[side], c->data + c->at, c->len - c->at, MSG_NOSIGNAL);

	if (n < 0)
		return errno == EAGAIN || errno == EINTR;
	c->at += (size_t)n;
	if (c->at < c->len)
		return true;
	free(c);
	memmove(w->held, w->held + 1, --w->n * sizeof *w->held);
	return true;
}

/* ---- Orders ----------------------------------------------------------------------------------------------
 */

static void reset_all(struct relay *r, bool half)
{
	for (size_t i = 0; i < r->n; i++) {
		if (half)
			hang_up(&r->links[i].fd[0]);
		else
			link_reset(&r->links[i]);
	}
	forget_dead(r);
}

static void obey(struct relay *r, const char *order)
{
	uint64_t number = 0;

	printf("relay: %s (%zu connections)\n", order, r->n);
	fflush(stdout);
	if (sscanf(order, "auto %lu", &number) == 1) {
		r->seed = number * 2 + 1;
		r->auto_ms = now_ms();
		return;
	}
	r->silent = strcmp(order, "silent") == 0;
	r->delay_ms = sscanf(order, "delay %lu", &number) == 1 ? (int64_t)number : 0;
	if (strcmp(order, "reset") == 0 || strcmp(order, "half") == 0)
		reset_all(r, order[0] == 'h');
}

/* False: no more orders will come. */
static bool read_orders(struct relay *r)
{
	char *end;
	ssize_t got = read(STDIN_FILENO, r->text + r->n_text, sizeof r->text - 1 - r->n_text);

	if (got <= 0)
		return false;
	r->n_text += (size_t)got;
	r->text[r->n_text] = '\0';
	while ((end = strchr(r->text, '\n'))) {
		*end = '\0';
		r->auto_ms = 0;
		obey(r, r->text);
		r->n_text -= (size_t)(end + 1 - r->text);
		memmove(r->text, end + 1, r->n_text + 1);
	}
	return r->n_text < sizeof r->text - 1;
}

static void obey_itself(struct relay *r)
{
	static const char *const orders[] = {"pass",  "delay 40", "delay 400", "silent",
					     "reset", "half",     "pass"};

	if (r->auto_ms == 0 || now_ms() < r->auto_ms)
		return;
	obey(r, orders[draw(r, sizeof orders / sizeof *orders)]);
	r->auto_ms = now_ms() + 300 + (int64_t)draw(r, 1500);
}

/* ---- The loop --------------------------------------------------------------------------------------------
 */

static short wanted(const struct relay *r, const struct link *l, int side)
{
	const struct way *out = &l->way[!side];
	short events = 0;

	if (l->fd[!side] < 0)
		return POLLRDHUP; /* half open: only whether it gives up */
	if (r->silent)
		return 0;
	if (l->way[side].n < HELD_MAX)
		events |= POLLIN;
	if (out->n > 0 && out->held[0]->due_ms <= now_ms())
		events |= POLLOUT;
	return events;
}

/* What is not waited for is not looked at: the end of a connection would be told again and again. */
static struct pollfd watched(const struct relay *r, const struct link *l, int side)
{
	const short events = wanted(r, l, side);

	return (struct pollfd){.fd = events ? l->fd[side] : -1, .events = events};
}

static void attend(struct relay *r, struct link *l, int side, short events)
{
	if (l->fd[side] < 0 || events == 0)
		return;
	if (l->fd[!side] < 0)
		hang_up(&l->fd[side]);
	else if (!r->silent && (((events & (POLLIN | POLLHUP | POLLERR)) && l->way[side].n < HELD_MAX &&
				 !hear(r, l, side)) ||
				((events & POLLOUT) && l->way[!side].n > 0 && !say(l, side))))
		link_reset(l);
}

static bool turn(struct relay *r)
{
	struct pollfd fds[2 + 2 * LINKS_MAX] = {{.fd = STDIN_FILENO, .events = POLLIN},
						{.fd = r->silent ? -1 : r->listener, .events = POLLIN}};
	const size_t n = r->n;

	for (size_t i = 0; i < 2 * n; i++)
		fds[2 + i] = watched(r, &r->links[i / 2], (int)(i % 2));
	if (poll(fds, (nfds_t)(2 + 2 * n), 10) < 0 && errno != EINTR)
		return false;
	for (size_t i = 0; i < 2 * n; i++)
		attend(r, &r->links[i / 2], (int)(i % 2), fds[2 + i].revents);
	forget_dead(r);
	if (fds[1].revents)
		take_in(r);
	obey_itself(r);
	return !fds[0].revents || read_orders(r);
}

int main(int argc, char **argv)
{
	static struct relay r;
	struct sockaddr_in at = {.sin_family = AF_INET};
	const int yes = 1;

	if (argc != 2) {
		fprintf(stderr, "usage: relay PORT\n");
		return 2;
	}
	at.sin_port = htons((uint16_t)strtoul(argv[1], NULL, 10));
	r.listener = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	setsockopt(r.listener, SOL_SOCKET, SO_REUSEADDR, &yes, sizeof yes);
	if (r.listener < 0 || bind(r.listener, (struct sockaddr *)&at, sizeof at) < 0 ||
	    listen(r.listener, LINKS_MAX) < 0) {
		perror("relay");
		return 1;
	}
	while (turn(&r))
		;
	return 0;
}
