/* SPDX-License-Identifier: Apache-2.0 */
#include "node/control.h"

#include <limits.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>
#include <zmq.h>

#include "node/log.h"
#include "node/zwatch.h"

enum { BATCH = 32, QUEUE_MARK = 1000, PATH_BYTES_MAX = 107 };

struct control {
	struct engine *engine;
	void *socket;
	struct zwatch watch;
	char path[PATH_BYTES_MAX + 1];
	struct packed_writer frame;
	void (*on_stopped)(struct engine *e);
};

static call_fn *const handlers[N_CONTROL_OPS] = {
	[CONTROL_STATUS] = control_status,
	[CONTROL_CHANGE] = control_change,
	[CONTROL_TWIN_GET] = control_twin_get,
	[CONTROL_TWIN_LIST] = control_twin_list,
	[CONTROL_TWIN_FIND] = control_twin_find,
	[CONTROL_TYPE_LIST] = control_type_list,
	[CONTROL_TYPE_GET] = control_type_get,
	[CONTROL_REL_LIST] = control_rel_list,
	[CONTROL_VIEW] = control_view,
	[CONTROL_HISTORY] = control_history,
	[CONTROL_POLICY_PUBLISH] = control_policy_publish,
	[CONTROL_POLICY_CHECK] = control_policy_check,
	[CONTROL_POLICY_SHOW] = control_policy_show,
	[CONTROL_POLICY_WHY] = control_policy_why,
	[CONTROL_PEERS] = control_peers,
	[CONTROL_ORG_SHOW] = control_org_show,
	[CONTROL_ORG_TRUST] = control_org_trust,
	[CONTROL_SERIES] = control_series,
	[CONTROL_INGEST] = control_ingest,
	[CONTROL_READ] = control_read,
};

/* ---- Answers ---------------------------------------------------------------------------------------------
 */

static void send_part(struct call *c, const struct control_answer *part)
{
	SCOPED(buf_fini) struct buf frame = {0};

	control_answer_encode(part, &frame);
	if (buf_check(&frame) < 0)
		return; /* the client's time runs out */
	if (zmq_send(c->control->socket, c->peer.data, c->peer.len, ZMQ_SNDMORE | ZMQ_DONTWAIT) < 0 ||
	    zmq_send(c->control->socket, frame.data, frame.len, ZMQ_DONTWAIT) < 0)
		log_debug("control", "a client went away before its answer");
	zwatch_touch(&c->control->watch);
}

static void call_free(struct call *c)
{
	buf_fini(&c->peer);
	arena_free(c->arena);
	free(c);
}

void call_part(struct call *c, const struct control_answer *part)
{
	struct control_answer answer = *part;

	answer.id = c->request.id;
	answer.text = answer.text ? answer.text : "";
	answer.unit = answer.unit ? answer.unit : "";
	if (c->control->socket)
		send_part(c, &answer);
}

void call_done(struct call *c, const struct control_answer *last)
{
	struct control_answer answer = *last;

	answer.last = true;
	call_part(c, &answer);
	call_free(c);
}

void call_fail(struct call *c, int code, const struct err_note *note)
{
	const char *text = note && note->text[0] ? note->text : err_text(code);

	call_done(c, &(struct control_answer){.code = code, .text = text});
}

/* ---- Requests --------------------------------------------------------------------------------------------
 */

static void handle(struct control *control, struct call *c)
{
	struct err_note note = {0};
	call_fn *handler = c->request.op < N_CONTROL_OPS ? handlers[c->request.op] : NULL;

	(void)control;
	if (!handler) {
		call_fail(c, ERR_VERSION,
			  &(struct err_note){"this holond does not know the request: is it older than "
					     "the command?"});
		return;
	}
	int r = handler(c, &note);
	if (r < 0)
		call_fail(c, r, &note);
}

static int begin_call(struct control *control, struct bytes peer, struct bytes frame, struct call **ret)
{
	struct call *c = calloc(1, sizeof *c);

	if (!c)
		return FAIL(-ENOMEM);
	c->e = control->engine;
	c->control = control;
	buf_put(&c->peer, peer);
	int r = buf_check(&c->peer);
	if (r == 0)
		r = arena_new(&c->arena,
			      DECODE_BUDGET_BASE + (frame.len + FRAME_CONTROL_MAX) * DECODE_BUDGET_FACTOR);
	if (r < 0) {
		call_free(c);
		return r;
	}
	*ret = c;
	r = control_request_decode(c->arena, frame, &c->request);
	if (r < 0)
		call_fail(c, r, NULL);
	return r;
}

static void take_request(struct control *control, zmq_msg_t *peer, zmq_msg_t *frame)
{
	const struct bytes from = {zmq_msg_data(peer), zmq_msg_size(peer)};
	const struct bytes body = {zmq_msg_data(frame), zmq_msg_size(frame)};
	struct call *c = NULL;

	int r = begin_call(control, from, body, &c);
	if (r < 0)
		log_warn("control", "request not taken: %s bytes=%zu", err_text(r), body.len);
	else
		handle(control, c);
}

/* One request: routing id and one frame. 0: none waits. */
static bool read_request(struct control *control)
{
	zmq_msg_t peer, frame, rest;
	bool whole;

	zmq_msg_init(&peer);
	zmq_msg_init(&frame);
	if (zmq_msg_recv(&peer, control->socket, ZMQ_DONTWAIT) < 0) {
		zmq_msg_close(&peer);
		zmq_msg_close(&frame);
		return false;
	}
	whole = zmq_msg_more(&peer) && zmq_msg_recv(&frame, control->socket, ZMQ_DONTWAIT) >= 0;
	for (bool more = whole && zmq_msg_more(&frame); more; whole = false) {
		zmq_msg_init(&rest);
		more = zmq_msg_recv(&rest, control->socket, ZMQ_DONTWAIT) >= 0 && zmq_msg_more(&rest);
		zmq_msg_close(&rest);
	}
	if (whole)
		take_request(control, &peer, &frame);
	zmq_msg_close(&peer);
	zmq_msg_close(&frame);
	return true;
}

static void on_readable(struct zwatch *w)
{
	struct control *control = w->data;

	for (int i = 0; i < BATCH && read_request(control); i++)
		;
}

/* ---- Opening and closing ---------------------------------------------------------------------------------
 */

static int open_socket(struct control *c, struct err_note *note)
{
	const int linger_ms = 1000, mark = QUEUE_MARK, mandatory = 1;
	const int64_t most = FRAME_CONTROL_MAX;
	char endpoint[PATH_BYTES_MAX + 8];

	c->socket = zmq_socket(c->engine->zmq_context, ZMQ_ROUTER);
	if (!c->socket)
		return FAIL(-zmq_errno());
	zmq_setsockopt(c->socket, ZMQ_LINGER, &linger_ms, sizeof linger_ms);
	zmq_setsockopt(c->socket, ZMQ_SNDHWM, &mark, sizeof mark);
	zmq_setsockopt(c->socket, ZMQ_ROUTER_MANDATORY, &mandatory, sizeof mandatory);
	zmq_setsockopt(c->socket, ZMQ_MAXMSGSIZE, &most, sizeof most);
	snprintf(endpoint, sizeof endpoint, "ipc://%s", c->path);
	const mode_t before = umask(0177); /* the socket file is born 0600 */
	const int r = zmq_bind(c->socket, endpoint);
	umask(before);
	if (r < 0)
		return FAIL_SAY(note, -zmq_errno(), "cannot open the control socket %s: %s", c->path,
				zmq_strerror(zmq_errno()));
	return 0;
}

int control_start(struct control **ret, struct engine *e, struct err_note *note)
{
	SCOPED(scope_free) struct control *c = calloc(1, sizeof *c);

	if (!c)
		return FAIL(-ENOMEM);
	c->engine = e;
	if (snprintf(c->path, sizeof c->path, "%s/control", e->config->dir) >= (int)sizeof c->path)
		return FAIL_SAY(note, -ENAMETOOLONG,
				"%s/control: a socket's path has at most %d bytes, use a shorter "
				"directory",
				e->config->dir, PATH_BYTES_MAX);
	TRY(open_socket(c, note));
	c->watch.data = c;
	int r = zwatch_open(&c->watch, &e->loop, c->socket, on_readable);
	if (r < 0) {
		zmq_close(c->socket);
		return r;
	}
	*ret = MOVE(c);
	return 0;
}

static void on_closed(struct zwatch *w)
{
	struct control *c = w->data;

	zmq_close(c->socket);
	c->socket = NULL;
	unlink(c->path);
	c->on_stopped(c->engine);
}

void control_stop(struct control *c, void (*done)(struct engine *e))
{
	c->on_stopped = done;
	zwatch_close(&c->watch, on_closed);
}

void control_free(struct control *c)
{
	if (c)
		packed_writer_fini(&c->frame);
	free(c);
}

struct packed_writer *control_frame(struct control *control)
{
	return &control->frame;
}
