/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/bench/wire.h"

#include <stdio.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

enum { GREETING = 64, LONG = 2, COMMAND = 4, SHORT_MAX = 255, CHUNK = 64 * 1024 };

static const uint8_t greeting[GREETING] = {0xff, 0, 0, 0, 0, 0, 0, 0, 1, 0x7f, 3, 0, 'N', 'U', 'L', 'L'};
static const char ready[] =
	"\x04\x1c\x05READY\x0bSocket-Type\x00\x00\x00\x06"
	"DEALER";

static int send_all(int fd, const void *data, size_t len)
{
	return send(fd, data, len, MSG_NOSIGNAL) == (ssize_t)len ? 0 : -1;
}

int wire_fill(struct wire *w)
{
	/* what was taken goes, what is left of a frame moves to the front */
	if (w->taken > 0) {
		memmove(w->in.data, w->in.data + w->taken, w->in.len - w->taken);
		w->in.len -= w->taken;
		w->taken = 0;
	}
	uint8_t *room = buf_extend(&w->in, CHUNK);
	if (!room)
		return -1;
	const ssize_t n = recv(w->fd, room, CHUNK, 0);
	w->in.len -= CHUNK - (size_t)(n > 0 ? n : 0);
	return n > 0 ? 0 : -1;
}

/* Any frame, commands too. */
static bool take_frame(struct wire *w, uint8_t *ret_flags, struct bytes *ret)
{
	const uint8_t *p = w->in.data + w->taken;
	const size_t have = w->in.len - w->taken;

	if (have < 2 || (p[0] & LONG && have < 9))
		return false;
	const size_t head = p[0] & LONG ? 9 : 2;
	const uint64_t len = p[0] & LONG ? get_u64(p + 1) : p[1];
	if (have - head < len)
		return false;
	*ret_flags = p[0];
	*ret = (struct bytes){p + head, (size_t)len};
	w->taken += head + (size_t)len;
	return true;
}

static int shake_hands(struct wire *w)
{
	struct bytes frame;
	uint8_t flags = 0;

	if (send_all(w->fd, greeting, sizeof greeting) < 0)
		return -1;
	while (w->in.len < GREETING)
		if (wire_fill(w) < 0)
			return -1;
	w->taken = GREETING;
	if (send_all(w->fd, ready, sizeof ready - 1) < 0)
		return -1;
	while (!take_frame(w, &flags, &frame))
		if (wire_fill(w) < 0)
			return -1;
	return flags & COMMAND ? 0 : -1;
}

int wire_open(struct wire *w, const char *path)
{
	struct sockaddr_un at = {.sun_family = AF_UNIX};

	*w = (struct wire){.fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0)};
	snprintf(at.sun_path, sizeof at.sun_path, "%s", path);
	if (w->fd < 0 || connect(w->fd, (const struct sockaddr *)&at, sizeof at) < 0)
		return -1;
	return shake_hands(w);
}

void wire_close(struct wire *w)
{
	if (w->fd >= 0)
		close(w->fd);
	w->fd = -1;
	buf_fini(&w->in);
}

int wire_send(struct wire *w, struct bytes frame)
{
	uint8_t head[9] = {0, (uint8_t)frame.len};
	size_t n = 2;

	if (frame.len > SHORT_MAX) {
		head[0] = LONG;
		n = 9;
		for (size_t i = 0; i < 8; i++)
			head[1 + i] = (uint8_t)((uint64_t)frame.len >> (56 - 8 * i));
	}
	struct buf whole = {0};
	buf_put(&whole, (struct bytes){head, n});
	buf_put(&whole, frame);
	const int r = buf_check(&whole) < 0 ? -1 : send_all(w->fd, whole.data, whole.len);
	buf_fini(&whole);
	return r;
}

bool wire_next(struct wire *w, struct bytes *ret)
{
	uint8_t flags = 0;

	while (take_frame(w, &flags, ret))
		if (!(flags & COMMAND))
			return true;
	return false;
}
