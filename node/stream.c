/* SPDX-License-Identifier: Apache-2.0 */
#include "node/stream.h"

#include <stdio.h>

enum { READ_BYTES = 64 * 1024, KEEP_ALIVE_S = 60 };

struct stream {
	uv_loop_t *loop;
	struct stream_options opt;
	char host[256], why[256];
	struct tls *tls;
	uv_getaddrinfo_t resolve;
	struct addrinfo *addresses, *next; /* next to be tried; NULL: back to the first */
	size_t n_left;                     /* addresses not tried yet */
	uv_tcp_t tcp;
	uv_prepare_t flush;
	uv_connect_t connect;
	uv_write_t write;
	struct buf waiting, sending, plain;
	unsigned int n_open; /* handles and requests that still come back */
	bool is_resolving, has_tcp, tcp_closing, is_writing;
	bool is_up, is_down, told_down, is_paused, is_closing;
	void (*closed)(void *ctx);
	void *closed_ctx;
	uint8_t in[READ_BYTES];
};

static void try_next(struct stream *s);

static void free_if_over(struct stream *s)
{
	if (!s->is_closing || s->n_open > 0)
		return;
	void (*closed)(void *ctx) = s->closed;
	void *ctx = s->closed_ctx;

	uv_freeaddrinfo(s->addresses);
	tls_free(s->tls);
	buf_fini(&s->waiting);
	buf_fini(&s->sending);
	buf_fini(&s->plain);
	free(s);
	if (closed)
		closed(ctx);
}

static void on_handle_closed(uv_handle_t *h)
{
	struct stream *s = h->data;

	s->n_open--;
	free_if_over(s);
}

static void close_tcp(struct stream *s, uv_close_cb done)
{
	if (s->has_tcp && !s->tcp_closing) {
		s->tcp_closing = true;
		uv_close((uv_handle_t *)&s->tcp, done);
	}
}

static void flush_soon(struct stream *s)
{
	uv_prepare_start(&s->flush, s->flush.prepare_cb);
}

/* Noted now, told when the loop comes round: never from within a call of the owner's. */
static void go_down(struct stream *s, const char *why)
{
	if (s->is_down || s->is_closing)
		return;
	s->is_down = true;
	s->is_up = false;
	if (why != s->why)
		snprintf(s->why, sizeof s->why, "%s", why);
	flush_soon(s);
}

static void on_written(uv_write_t *w, int status)
{
	struct stream *s = w->data;

	s->is_writing = false;
	s->n_open--;
	buf_clear(&s->sending);
	if (status < 0 && !s->is_closing)
		go_down(s, uv_strerror(status));
	else if (s->waiting.len > 0 && !s->is_closing)
		flush_soon(s);
	free_if_over(s);
}

static void send_waiting(struct stream *s)
{
	if (s->tls)
		tls_take(s->tls, &s->waiting);
	if (buf_check(&s->waiting) < 0) {
		go_down(s, err_text(-ENOMEM));
		return;
	}
	if (s->waiting.len > STREAM_WAITING_MAX) {
		go_down(s, "the other side does not read what is sent to it");
		return;
	}
	if (s->is_writing || s->waiting.len == 0 || !s->has_tcp || s->tcp_closing)
		return;
	const struct buf empty = s->sending;
	s->sending = s->waiting;
	s->waiting = empty;
	const uv_buf_t b = uv_buf_init((char *)s->sending.data, (unsigned int)s->sending.len);
	const int r = uv_write(&s->write, (uv_stream_t *)&s->tcp, &b, 1, on_written);
	if (r < 0) {
		go_down(s, uv_strerror(r));
		return;
	}
	s->is_writing = true;
	s->n_open++;
}

static void before_sleep(uv_prepare_t *h)
{
	struct stream *s = h->data;

	uv_prepare_stop(h);
	if (!s->is_down)
		send_waiting(s);
	if (s->is_down && !s->told_down) {
		s->told_down = true;
		close_tcp(s, on_handle_closed);
		s->opt.down(s->opt.ctx, s->why);
	}
}

static void come_up(struct stream *s)
{
	s->is_up = true;
	if (s->is_paused)
		uv_read_stop((uv_stream_t *)&s->tcp);
	s->opt.up(s->opt.ctx);
}

/* What TLS makes of what came in, a bounded piece at a time. */
static void read_tls(struct stream *s, struct bytes in)
{
	struct err_note note = {0};
	int r = tls_feed(s->tls, in);

	for (bool more = r == 0; more && !s->is_closing && !s->is_down;) {
		note.text[0] = '\0';
		buf_clear(&s->plain);
		r = tls_read(s->tls, &s->plain, READ_BYTES, &note);
		more = r == TLS_MORE;
		if (!s->is_up && tls_is_up(s->tls))
			come_up(s);
		if (s->plain.len > 0 && !s->is_closing)
			s->opt.bytes(s->opt.ctx, buf_bytes(&s->plain));
	}
	if (s->is_closing)
		return;
	send_waiting(s); /* an alert, too */
	if (r == TLS_ENDED)
		go_down(s, "the other side has ended the connection");
	else if (r < 0)
		go_down(s, note.text[0] ? note.text : err_text(r));
}

static void on_alloc(uv_handle_t *h, size_t size, uv_buf_t *ret)
{
	struct stream *s = h->data;

	(void)size;
	*ret = uv_buf_init((char *)s->in, sizeof s->in);
}

static void on_read(uv_stream_t *h, ssize_t n, const uv_buf_t *b)
{
	struct stream *s = h->data;

	(void)b;
	if (n == 0 || s->is_closing || s->is_down)
		return;
	if (n < 0)
		go_down(s, n == UV_EOF ? "the other side has closed the connection" : uv_strerror((int)n));
	else if (s->tls)
		read_tls(s, (struct bytes){s->in, (size_t)n});
	else
		s->opt.bytes(s->opt.ctx, (struct bytes){s->in, (size_t)n});
}

static void read_on(struct stream *s)
{
	const int r = uv_read_start((uv_stream_t *)&s->tcp, on_alloc, on_read);
	if (r < 0 && r != UV_EALREADY)
		go_down(s, uv_strerror(r));
}

static void on_failed_closed(uv_handle_t *h)
{
	struct stream *s = h->data;

	s->has_tcp = s->tcp_closing = false;
	s->n_open--;
	if (s->is_closing)
		free_if_over(s);
	else
		try_next(s);
}

static void on_connect(uv_connect_t *c, int status)
{
	struct stream *s = c->data;

	s->n_open--;
	if (s->is_closing) {
		free_if_over(s);
		return;
	}
	if (status < 0) {
		snprintf(s->why, sizeof s->why, "%s", uv_strerror(status));
		close_tcp(s, on_failed_closed);
		return;
	}
	/* neither is worth a failure */
	ignore(uv_tcp_nodelay(&s->tcp, 1));
	ignore(uv_tcp_keepalive(&s->tcp, 1, KEEP_ALIVE_S));
	read_on(s);
	if (!s->tls)
		come_up(s);
	else
		read_tls(s, (struct bytes){0});
}

/* With the next address, if one is left. */
static void try_next(struct stream *s)
{
	if (s->n_left == 0) {
		go_down(s, s->why);
		return;
	}
	const struct addrinfo *to = s->next ? s->next : s->addresses;
	s->next = to->ai_next;
	s->n_left--;
	int r = uv_tcp_init(s->loop, &s->tcp);
	if (r < 0) {
		go_down(s, uv_strerror(r));
		return;
	}
	s->has_tcp = true;
	s->n_open++;
	r = uv_tcp_connect(&s->connect, &s->tcp, to->ai_addr, on_connect);
	if (r == 0) {
		s->n_open++;
		return;
	}
	snprintf(s->why, sizeof s->why, "%s", uv_strerror(r));
	close_tcp(s, on_failed_closed);
}

static void on_resolved(uv_getaddrinfo_t *q, int status, struct addrinfo *list)
{
	struct stream *s = q->data;
	size_t n = 0;

	s->n_open--;
	s->is_resolving = false;
	s->addresses = list;
	if (s->is_closing) {
		free_if_over(s);
		return;
	}
	for (const struct addrinfo *a = list; a; a = a->ai_next)
		n++;
	if (status < 0 || n == 0) {
		go_down(s, status < 0 ? uv_strerror(status) : "the name has no address");
		return;
	}
	s->n_left = n;
	s->next = list;
	for (unsigned int skip = s->opt.attempt % (unsigned int)n; skip > 0; skip--)
		s->next = s->next->ai_next;
	try_next(s);
}

static int resolve(struct stream *s, struct err_note *note)
{
	const struct addrinfo hints = {.ai_family = AF_UNSPEC, .ai_socktype = SOCK_STREAM};
	char port[8];

	snprintf(port, sizeof port, "%u", s->opt.port);
	const int r = uv_getaddrinfo(s->loop, &s->resolve, on_resolved, s->host, port, &hints);
	if (r < 0)
		return FAIL_SAY(note, r, "%s: %s", s->host, uv_strerror(r));
	s->is_resolving = true;
	s->n_open++;
	return 0;
}

/* Half made: its handle is closed in the loop all the same. */
static int give_up(struct stream *s, int r)
{
	stream_close(s, NULL, NULL);
	return r;
}

int stream_open(struct stream **ret, uv_loop_t *loop, const struct stream_options *opt, struct err_note *note)
{
	SCOPED(scope_free) struct stream *s = calloc(1, sizeof *s);

	if (!s)
		return FAIL(-ENOMEM);
	s->loop = loop;
	s->opt = *opt;
	s->opt.tls = NULL;
	s->resolve.data = s->tcp.data = s->flush.data = s->connect.data = s->write.data = s;
	snprintf(s->host, sizeof s->host, "%s", opt->host);
	if (opt->tls)
		TRY(tls_new(&s->tls, opt->tls, note));
	uv_prepare_init(loop, &s->flush);
	s->flush.prepare_cb = before_sleep;
	s->n_open++;
	struct stream *made = MOVE(s);
	const int r = resolve(made, note);
	if (r < 0)
		return give_up(made, r);
	*ret = made;
	return 0;
}

void stream_close(struct stream *s, void (*closed)(void *ctx), void *ctx)
{
	if (s->tls && s->is_up)
		tls_bye(s->tls);
	if (s->is_up)
		send_waiting(s);
	s->is_closing = true;
	s->is_up = false;
	s->closed = closed;
	s->closed_ctx = ctx;
	if (s->is_resolving)
		/* too late to be taken back is no matter: it comes back anyhow */
		ignore(uv_cancel((uv_req_t *)&s->resolve));
	close_tcp(s, on_handle_closed);
	uv_close((uv_handle_t *)&s->flush, on_handle_closed);
}

void stream_write(struct stream *s, struct bytes plain)
{
	struct err_note note = {0};

	if (!s->is_up)
		return;
	if (!s->tls)
		buf_put(&s->waiting, plain);
	else if (tls_write(s->tls, plain, &note) < 0)
		go_down(s, note.text);
	flush_soon(s);
}

void stream_pause(struct stream *s, bool pause)
{
	s->is_paused = pause;
	if (!s->has_tcp || s->tcp_closing || !s->is_up)
		return;
	if (pause)
		uv_read_stop((uv_stream_t *)&s->tcp);
	else
		read_on(s);
}
