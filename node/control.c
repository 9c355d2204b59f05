/* SPDX-License-Identifier: Apache-2.0 */
#include "node/control.h"

#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#include <zmq.h>

#include "node/log.h"
#include "node/persons.h"
#include "node/record.h"
#include "node/zwatch.h"

enum { BATCH = 32, QUEUE_MARK = 1000, PATH_BYTES_MAX = 107 };

/* One of the sockets by which requests come. */
struct door {
	struct control *control;
	void *socket; /* NULL: closed */
	struct zwatch watch;
	bool is_remote;
};

enum { LOCAL, REMOTE, N_DOORS };

struct control {
	struct engine *engine;
	struct door doors[N_DOORS];
	int doors_open;
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
	[CONTROL_WATCH] = control_watch,
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
	[CONTROL_BACKUP] = control_backup,
	[CONTROL_POLICY_WHO] = control_policy_who,
	[CONTROL_POLICY_DIFF] = control_policy_diff,
	[CONTROL_AUDIT] = control_audit,
	[CONTROL_ORG_END] = control_org_end,
	[CONTROL_NODE_INVITE] = control_node_invite,
	[CONTROL_NODE_INVITES] = control_node_invites,
	[CONTROL_NODE_APPROVE] = control_node_approve,
	[CONTROL_NODE_REFUSE] = control_node_refuse,
	[CONTROL_PERSON_RENEW] = control_person_renew,
	[CONTROL_SUMMARIES] = control_summaries,
	[CONTROL_TWIN_ALARMS] = control_twin_alarms,
	[CONTROL_FORKS] = control_forks,
	[CONTROL_FORK_CHOOSE] = control_fork_choose,
	[CONTROL_MESH] = control_mesh,
	[CONTROL_FIND] = control_find,
	[CONTROL_COMMAND_SEND] = control_command_send,
	[CONTROL_COMMAND_PERMIT] = control_command_permit,
	[CONTROL_COMMANDS] = control_commands,
	[CONTROL_ATTACH] = control_attach,
	[CONTROL_ATTACHED] = control_attached,
	[CONTROL_ADAPTER_PUT] = control_adapter_put,
	[CONTROL_ADAPTER_DROP] = control_adapter_drop,
	[CONTROL_ADAPTERS] = control_adapters,
	[CONTROL_ADAPTER_TRY] = control_adapter_try,
	[CONTROL_LETTERS] = control_letters,
};

/* ---- Answers ---------------------------------------------------------------------------------------------
 */

/* False: it did not go; then the client's time runs out. */
static bool send_frame(struct call *c, const struct buf *frame)
{
	if (!c->door->socket || frame->failed)
		return false;
	const bool sent =
		zmq_send(c->door->socket, c->peer.data, c->peer.len, ZMQ_SNDMORE | ZMQ_DONTWAIT) >= 0 &&
		zmq_send(c->door->socket, frame->data, frame->len, ZMQ_DONTWAIT) >= 0;
	if (!sent)
		log_debug("control", "a client went away before its answer");
	zwatch_touch(&c->door->watch);
	return sent;
}

static void call_free(struct call *c)
{
	buf_fini(&c->peer);
	buf_fini(&c->held);
	arena_free(c->arena);
	free(c);
}

static void encode_part(const struct call *c, const struct control_answer *part, struct buf *out)
{
	struct control_answer answer = *part;

	answer.id = c->request.id;
	answer.text = answer.text ? answer.text : "";
	answer.unit = answer.unit ? answer.unit : "";
	control_answer_encode(&answer, out);
}

bool call_try_part(struct call *c, const struct control_answer *part)
{
	SCOPED(buf_fini) struct buf frame = {0};

	if (!c->door->socket)
		return false;
	encode_part(c, part, &frame);
	return send_frame(c, &frame);
}

void call_part(struct call *c, const struct control_answer *part)
{
	(void)call_try_part(c, part); /* nobody there: nobody waits */
}

void call_drop(struct call *c)
{
	call_free(c);
}

bool call_is_from(const struct call *c, const struct call *other)
{
	return c->door == other->door && bytes_equal(buf_bytes(&c->peer), buf_bytes(&other->peer));
}

/* Nothing that must be audited is acknowledged before it is. */
static void on_audited(void *ctx, int code)
{
	struct call *c = ctx;

	if (code < 0) {
		buf_clear(&c->held);
		encode_part(c,
			    &(struct control_answer){.code = code,
						     .last = true,
						     .text = "it may have been done, but the audit cannot be "
							     "written: see `holon status`"},
			    &c->held);
	}
	send_frame(c, &c->held);
	call_free(c);
}

static void hold_answer(struct call *c, const struct control_answer *last)
{
	struct control_answer answer = *last;

	answer.text = answer.text ? answer.text : "";
	encode_part(c, &answer, &c->held);
	const int r = control_audit_end(c, &answer, on_audited);
	if (r < 0)
		on_audited(c, r);
}

void call_done(struct call *c, const struct control_answer *last)
{
	struct control_answer answer = *last;

	answer.last = true;
	if (c->person[0]) {
		hold_answer(c, &answer);
		return;
	}
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

static void handle(struct call *c)
{
	struct err_note note = {0};
	call_fn *handler = c->request.op < N_CONTROL_OPS ? handlers[c->request.op] : NULL;

	if (!handler) {
		call_fail(c, ERR_VERSION,
			  &(struct err_note){"this holond does not know the request: is it older than "
					     "the command?"});
		return;
	}
	const struct actor before =
		journal_act_as(c->e->journal, &(struct actor){.person = c->person[0] ? c->person : NULL});
	struct journal *const j = c->e->journal;
	int r = handler(c, &note);
	if (r < 0)
		call_fail(c, r, &note);
	journal_act_as(j, &before);
}

/* Who may open the socket acts for the organisation; who says to be a person of it has to show it. */
static int admit_person(struct call *c, struct err_note *note)
{
	const struct credential *self = c->e->trust->self;
	const struct person_claim claim = {
		.proof = {c->request.person, c->request.errand}, .org = self->org, .node = self->node};

	if (claim.proof.credential.len == 0 && claim.proof.errand.len == 0)
		return 0;
	const int r = persons_admit(c->e->persons, c->e->trust, &claim, c->arena, &c->to, note);
	if (r < 0)
		record_refused(c->e->journal, AUDIT_ADMIN, "person", r, note);
	return r;
}

static int begin_call(struct door *door, struct bytes peer, struct bytes frame, struct call **ret)
{
	struct call *c = calloc(1, sizeof *c);

	if (!c)
		return FAIL(-ENOMEM);
	c->e = door->control->engine;
	c->control = door->control;
	c->door = door;
	c->to = audience_of("");
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
	if (r < 0) {
		c->request.id = control_request_id(c->arena, frame);
		call_fail(c, r,
			  &(struct err_note){"the node cannot read this request: something in it is too long "
					     "or out of range, or holon and holond are not of one version"});
	}
	return r;
}

static void take_request(struct door *door, zmq_msg_t *peer, zmq_msg_t *frame)
{
	const struct bytes from = {zmq_msg_data(peer), zmq_msg_size(peer)};
	const struct bytes body = {zmq_msg_data(frame), zmq_msg_size(frame)};
	struct err_note note = {0};
	struct call *c = NULL;

	int r = begin_call(door, from, body, &c);
	if (r < 0)
		log_warn("control", "request not taken: %s bytes=%zu", err_text(r), body.len);
	else if ((r = admit_person(c, &note)) < 0 ||
		 (r = control_audit_begin(c, frame, door->is_remote, &note)) < 0)
		call_fail(c, r, &note);
	else
		handle(c);
}

/* One request: routing id and one frame. 0: none waits. */
static bool read_request(struct door *door)
{
	zmq_msg_t peer, frame, rest;
	bool whole;

	zmq_msg_init(&peer);
	zmq_msg_init(&frame);
	if (zmq_msg_recv(&peer, door->socket, ZMQ_DONTWAIT) < 0) {
		zmq_msg_close(&peer);
		zmq_msg_close(&frame);
		return false;
	}
	whole = zmq_msg_more(&peer) && zmq_msg_recv(&frame, door->socket, ZMQ_DONTWAIT) >= 0;
	for (bool more = whole && zmq_msg_more(&frame); more; whole = false) {
		zmq_msg_init(&rest);
		more = zmq_msg_recv(&rest, door->socket, ZMQ_DONTWAIT) >= 0 && zmq_msg_more(&rest);
		zmq_msg_close(&rest);
	}
	if (whole && (!door->is_remote || control_port_admitted(&frame)))
		take_request(door, &peer, &frame);
	zmq_msg_close(&peer);
	zmq_msg_close(&frame);
	return true;
}

static void on_readable(struct zwatch *w)
{
	struct door *door = w->data;

	for (int i = 0; i < BATCH && read_request(door); i++)
		;
}

/* ---- Opening and closing ---------------------------------------------------------------------------------
 */

static int open_local(struct control *c, void **ret, struct err_note *note)
{
	const int linger_ms = 1000, mark = QUEUE_MARK, mandatory = 1;
	const int64_t most = FRAME_CONTROL_MAX;
	char endpoint[PATH_BYTES_MAX + 8];

	void *socket = zmq_socket(c->engine->zmq_context, ZMQ_ROUTER);
	if (!socket)
		return FAIL(-zmq_errno());
	zmq_setsockopt(socket, ZMQ_LINGER, &linger_ms, sizeof linger_ms);
	zmq_setsockopt(socket, ZMQ_SNDHWM, &mark, sizeof mark);
	zmq_setsockopt(socket, ZMQ_ROUTER_MANDATORY, &mandatory, sizeof mandatory);
	zmq_setsockopt(socket, ZMQ_MAXMSGSIZE, &most, sizeof most);
	snprintf(endpoint, sizeof endpoint, "ipc://%s", c->path);
	const mode_t before = umask(0177); /* the socket file is born 0600 */
	const int r = zmq_bind(socket, endpoint), code = -zmq_errno();
	umask(before);
	if (r < 0) {
		zmq_close(socket);
		return FAIL_SAY(note, code, "cannot open the control socket %s: %s", c->path,
				zmq_strerror(-code));
	}
	*ret = socket;
	return 0;
}

/* Takes the socket, also when it fails. */
static int watch_door(struct control *c, int which, void *socket)
{
	struct door *door = &c->doors[which];

	*door = (struct door){.control = c, .socket = socket, .is_remote = which == REMOTE};
	door->watch.data = door;
	const int r = zwatch_open(&door->watch, &c->engine->loop, socket, on_readable);
	if (r < 0) {
		zmq_close(socket);
		door->socket = NULL;
		return r;
	}
	c->doors_open++;
	return 0;
}

static int open_doors(struct control *c, struct err_note *note)
{
	char endpoint[256];
	void *socket;

	TRY(open_local(c, &socket, note));
	TRY(watch_door(c, LOCAL, socket));
	if (!c->engine->config->control[0] || strcmp(c->engine->config->control, "none") == 0)
		return 0;
	TRY(control_port_open(c->engine, &socket, endpoint, note));
	TRY(watch_door(c, REMOTE, socket));
	log_info("control", "orders are taken at=%s", endpoint);
	return 0;
}

int control_start(struct control **ret, struct engine *e, struct err_note *note)
{
	struct control *c = calloc(1, sizeof *c);

	if (!c)
		return FAIL(-ENOMEM);
	*ret = c; /* half open too: control_stop() closes what there is */
	c->engine = e;
	if (snprintf(c->path, sizeof c->path, "%s/control", e->config->dir) >= (int)sizeof c->path)
		return FAIL_SAY(note, -ENAMETOOLONG,
				"%s/control: a socket's path has at most %d bytes, use a shorter "
				"directory",
				e->config->dir, PATH_BYTES_MAX);
	return open_doors(c, note);
}

static void on_closed(struct zwatch *w)
{
	struct door *door = w->data;
	struct control *c = door->control;

	zmq_close(door->socket);
	door->socket = NULL;
	if (!door->is_remote)
		unlink(c->path);
	if (--c->doors_open == 0)
		c->on_stopped(c->engine);
}

void control_stop(struct control *c, void (*done)(struct engine *e))
{
	c->on_stopped = done;
	if (c->doors_open == 0)
		done(c->engine);
	for (int i = 0; i < N_DOORS; i++)
		if (c->doors[i].socket)
			zwatch_close(&c->doors[i].watch, on_closed);
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
