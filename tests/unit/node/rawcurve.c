/* SPDX-License-Identifier: Apache-2.0 */
#define _POSIX_C_SOURCE 200809L
#include "tests/unit/node/rawcurve.h"

#include <arpa/inet.h>
#include <sodium.h>
#include <stdio.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <unistd.h>

#include "proto/buf.h"
#include "tests/lib/must.h"

enum { COMMAND = 4, LONG = 2, MORE = 1, GREETING_BYTES = 64 };

static bool write_all(struct raw *r, struct bytes b)
{
	while (b.len > 0) {
		ssize_t n = send(r->fd, b.data, b.len, MSG_NOSIGNAL);
		if (n <= 0)
			return false;
		b.data += n;
		b.len -= (size_t)n;
	}
	return true;
}

static bool read_all(struct raw *r, void *to, size_t len)
{
	uint8_t *p = to;

	while (len > 0) {
		ssize_t n = recv(r->fd, p, len, 0);
		if (n <= 0)
			return false;
		p += n;
		len -= (size_t)n;
	}
	return true;
}

static void put_frame(struct buf *out, uint8_t flags, struct bytes body)
{
	const bool is_long = body.len > 255;

	buf_put_u8(out, (uint8_t)(flags | (is_long ? LONG : 0)));
	if (is_long)
		buf_put_u64(out, body.len);
	else
		buf_put_u8(out, (uint8_t)body.len);
	buf_put(out, body);
}

static bool write_frame(struct raw *r, uint8_t flags, struct bytes body)
{
	SCOPED(buf_fini) struct buf b = {0};

	put_frame(&b, flags, body);
	return write_all(r, (struct bytes){b.data, b.len});
}

/* At most 255 bytes; -1: cut. */
static int read_frame(struct raw *r, uint8_t body[255])
{
	uint8_t head[2];

	if (!read_all(r, head, 2) || (head[0] & LONG) || !read_all(r, body, head[1]))
		return -1;
	return head[1];
}

/* Append box(plain) from one key to another, with a nonce of 16 fixed characters and our counter, which goes
 * before. */
static void put_box(struct raw *r, struct buf *out, const char prefix[17], struct bytes plain,
		    const uint8_t to[32], const uint8_t secret[32])
{
	uint8_t nonce[24], *box;
	SCOPED(buf_fini) struct buf n = {0};

	buf_put_u64(&n, ++r->nonce);
	memcpy(nonce, prefix, 16);
	memcpy(nonce + 16, n.data, 8);
	buf_put(out, (struct bytes){n.data, 8});
	box = buf_extend(out, plain.len + crypto_box_MACBYTES);
	must(box != NULL);
	must(crypto_box_easy(box, plain.data, plain.len, nonce, to, secret) == 0);
}

bool raw_greet(struct raw *r)
{
	uint8_t greeting[GREETING_BYTES] = {0xff, 0, 0, 0,   0,   0,   0,   0,  0,
					    0x7f, 3, 1, 'C', 'U', 'R', 'V', 'E'};
	uint8_t theirs[GREETING_BYTES];

	return write_all(r, (struct bytes){greeting, sizeof greeting}) && read_all(r, theirs, sizeof theirs);
}

static bool say_hello(struct raw *r)
{
	static const uint8_t zeros[72];
	SCOPED(buf_fini) struct buf b = {0};

	crypto_box_keypair(r->own_short, r->secret_short);
	buf_put(&b, BYTES("\5HELLO\1"));
	buf_put_u8(&b, 0);
	buf_put(&b, (struct bytes){zeros, 72});
	buf_put(&b, (struct bytes){r->own_short, KEY_BYTES});
	put_box(r, &b, "CurveZMQHELLO---", (struct bytes){zeros, 64}, r->server.b, r->secret_short);
	return write_frame(r, COMMAND, (struct bytes){b.data, b.len});
}

static bool take_welcome(struct raw *r)
{
	uint8_t body[255], nonce[24] = "WELCOME-", plain[128];

	if (read_frame(r, body) != 168 || memcmp(body, "\7WELCOME", 8) != 0)
		return false;
	memcpy(nonce + 8, body + 8, 16);
	if (crypto_box_open_easy(plain, body + 24, 144, nonce, r->server.b, r->secret_short) != 0)
		return false;
	memcpy(r->server_short.b, plain, KEY_BYTES);
	memcpy(r->cookie, plain + KEY_BYTES, sizeof r->cookie);
	return true;
}

static void put_vouch(struct raw *r, struct buf *out, const struct curve_pair *keys)
{
	uint8_t nonce[24] = "VOUCH---", plain[64], box[80];

	randombytes_buf(nonce + 8, 16);
	memcpy(plain, r->own_short, 32);
	memcpy(plain + 32, r->server.b, 32);
	must(crypto_box_easy(box, plain, sizeof plain, nonce, r->server_short.b, curve_pair_secret(keys)) ==
	     0);
	buf_put(out, (struct bytes){nonce + 8, 16});
	buf_put(out, (struct bytes){box, sizeof box});
}

static void put_property(struct buf *out, const char *name, struct bytes value)
{
	buf_put_u8(out, (uint8_t)strlen(name));
	buf_put_text(out, name);
	buf_put_u32(out, (uint32_t)value.len);
	buf_put(out, value);
}

static bool initiate(struct raw *r, const struct curve_pair *keys, const struct raw_property *properties,
		     size_t n)
{
	const struct curve_key public = curve_pair_public(keys);
	SCOPED(buf_fini) struct buf plain = {0};
	SCOPED(buf_fini) struct buf b = {0};

	buf_put(&plain, (struct bytes){public.b, KEY_BYTES});
	put_vouch(r, &plain, keys);
	put_property(&plain, "Socket-Type", BYTES("DEALER"));
	for (size_t i = 0; i < n; i++)
		put_property(&plain, properties[i].name, properties[i].value);
	buf_put(&b, BYTES("\10INITIATE"));
	buf_put(&b, (struct bytes){r->cookie, sizeof r->cookie});
	put_box(r, &b, "CurveZMQINITIATE", (struct bytes){plain.data, plain.len}, r->server_short.b,
		r->secret_short);
	return write_frame(r, COMMAND, (struct bytes){b.data, b.len});
}

/* -1: nobody listens. */
static int try_tcp(const char *endpoint)
{
	struct sockaddr_in to = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
	const struct timeval limit = {.tv_sec = 3};
	unsigned port;

	must(sscanf(endpoint, "tcp://127.0.0.1:%u", &port) == 1);
	to.sin_port = htons((uint16_t)port);
	int fd = socket(AF_INET, SOCK_STREAM, 0);
	must(fd >= 0);
	if (connect(fd, (struct sockaddr *)&to, sizeof to) != 0) {
		close(fd);
		return -1;
	}
	setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof limit);
	setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &limit, sizeof limit);
	return fd;
}

static int connect_tcp(const char *endpoint)
{
	const int fd = try_tcp(endpoint);

	must(fd >= 0);
	return fd;
}

enum raw_verdict raw_connect(struct raw *r, const char *endpoint, const struct curve_key *server,
			     const struct curve_pair *keys, const struct raw_property *properties, size_t n)
{
	uint8_t body[255];

	*r = (struct raw){.fd = connect_tcp(endpoint), .server = *server};
	if (!raw_greet(r) || !say_hello(r) || !take_welcome(r) || !initiate(r, keys, properties, n))
		return RAW_CUT;
	int len = read_frame(r, body);
	if (len > 6 && memcmp(body, "\5READY", 6) == 0)
		return RAW_ADMITTED;
	return len > 6 && memcmp(body, "\5ERROR", 6) == 0 ? RAW_REFUSED : RAW_CUT;
}

void raw_open(struct raw *r, const char *endpoint)
{
	*r = (struct raw){.fd = connect_tcp(endpoint)};
}

bool raw_try_open(struct raw *r, const char *endpoint)
{
	*r = (struct raw){.fd = try_tcp(endpoint)};
	return r->fd >= 0;
}

static void put_message(struct raw *r, struct bytes payload, bool more, struct buf *out)
{
	SCOPED(buf_fini) struct buf plain = {0};
	SCOPED(buf_fini) struct buf b = {0};

	buf_put_u8(&plain, more ? MORE : 0);
	buf_put(&plain, payload);
	buf_put(&b, BYTES("\7MESSAGE"));
	put_box(r, &b, "CurveZMQMESSAGEC", (struct bytes){plain.data, plain.len}, r->server_short.b,
		r->secret_short);
	put_frame(out, 0, (struct bytes){b.data, b.len});
}

void raw_message(struct raw *r, struct bytes payload, struct buf *out)
{
	put_message(r, payload, false, out);
}

bool raw_write(struct raw *r, struct bytes wire)
{
	return write_all(r, wire);
}

bool raw_send(struct raw *r, struct bytes payload, bool more)
{
	SCOPED(buf_fini) struct buf b = {0};

	put_message(r, payload, more, &b);
	return write_all(r, (struct bytes){b.data, b.len});
}

bool raw_is_cut(struct raw *r)
{
	uint8_t byte;
	ssize_t n;

	while ((n = recv(r->fd, &byte, 1, 0)) > 0) {
	}
	return n == 0 || errno == ECONNRESET;
}

void raw_close(struct raw *r)
{
	close(r->fd);
}
