/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/bench/far_border.h"

#include <stdio.h>

#include "proto/clock.h"
#include "security/sign.h"
#include "tests/bench/bench.h"

enum { STORE_BYTES = 256 << 20, ARENA_BYTES = 64 << 20 };

static int64_t now_ns(void)
{
	return (int64_t)(bench_now_s() * 1e9);
}

/* ---- The port: it serves nothing ---- */

static const char *no_origin(void *ctx, const char *audience, const char *after)
{
	(void)ctx, (void)audience, (void)after;
	return NULL;
}

static int no_head(void *ctx, const char *audience, const char *origin, struct arena *a,
		   struct head_notice *ret)
{
	(void)ctx, (void)audience, (void)origin, (void)a, (void)ret;
	return ERR_ABSENT;
}

static int no_rows(void *ctx, const char *audience, const struct pull *pull, struct arena *a,
		   struct rows *ret)
{
	(void)ctx, (void)audience, (void)pull, (void)a, (void)ret;
	return RESET_UNKNOWN;
}

static int verify_head(void *ctx, const char *peer_org, const char *peer_node,
		       const struct head_notice *notice, struct arena *a, struct head *ret)
{
	const struct far_border *r = ctx;

	(void)peer_org, (void)peer_node;
	if (memcmp(r->server.b, notice->head.key.b, KEY_BYTES) != 0 || !sign_verify(SIGN_HEAD, &notice->head))
		return ERR_UNTRUSTED;
	return head_decode(a, notice->head.payload, ret);
}

static int held(void *ctx, const char *origin, struct bytes *ret_cursor, struct fingerprint *ret_fingerprint,
		struct bytes *ret_head)
{
	const struct far_border *r = ctx;
	const struct origin *o = store_origin(r->store, origin);

	if (!o)
		return ERR_ABSENT;
	*ret_cursor = o->cursor;
	*ret_fingerprint = o->fingerprint;
	*ret_head = o->head;
	return 0;
}

/* ---- What its mesh wants done ---- */

static int step(struct far_border *r, const struct mesh_event *e);

static int say(struct far_border *r, const struct message *m)
{
	SCOPED(buf_fini) struct buf b = {0};

	message_encode(m, &b);
	TRY(buf_check(&b));
	struct far_frame *f = malloc(sizeof *f + b.len);
	if (!f)
		return FAIL(-ENOMEM);
	f->next = NULL;
	f->len = b.len;
	memcpy(f->data, b.data, b.len);
	*r->out_end = f;
	r->out_end = &f->next;
	return 0;
}

static int put_rows(struct far_border *r, const struct op *op)
{
	SCOPED(scope_batch) struct batch *b = NULL;
	struct err_note note = {0};

	TRY(batch_new(&b));
	const int staged = store_stage(r->store, b, op, now_ns(), NULL, &note);
	TRY(staged);
	if (staged == STORE_REFUSED)
		return FAIL(ERR_REFUSED);
	TRY(store_reserve(r->store, b));
	TRY(store_write(r->store, b));
	return store_apply(r->store, b, now_ns());
}

static int perform(struct far_border *r, const struct mesh_action *a)
{
	switch (a->kind) {
	case MESH_SEND: return say(r, &a->message);
	case MESH_STORE:
		TRY(put_rows(r, &a->op));
		return step(r, &(struct mesh_event){.kind = MESH_STORED, .token = a->token});
	case MESH_CLOSE:
	case MESH_ALARM: return bench_say("policy-edit", "%s: %s", r->org, a->text ? a->text : "");
	case MESH_RESUME: /* it is asked for nothing */
	case MESH_OPENED:
	case MESH_DELIVER:
	case MESH_GREETED:
	case MESH_FORK:
	case MESH_HEARD: break;
	}
	return 0;
}

static int step(struct far_border *r, const struct mesh_event *e)
{
	SCOPED(scope_arena) struct arena *a = NULL;
	struct mesh_todo todo = {0};

	TRY(arena_new(&a, ARENA_BYTES));
	todo.arena = a;
	TRY(mesh_step(r->mesh, e, now_ns(), &todo));
	for (size_t i = 0; i < todo.n; i++)
		TRY(perform(r, &todo.actions[i]));
	return 0;
}

/* ---- Open and close ---- */

int far_border_open(struct far_border *r, int number, const char *place, const struct public_key *server)
{
	struct err_note note = {0};

	*r = (struct far_border){.server = *server};
	r->out_end = &r->out;
	snprintf(r->org, sizeof r->org, "partner%d", number);
	snprintf(r->dir, sizeof r->dir, "%s/%s", place, r->org);
	const struct store_options store = {.dir = r->dir,
					    .limit_bytes = STORE_BYTES,
					    .org = r->org,
					    .node = "b1",
					    .fresh_id = (uint64_t)number + 1,
					    .checkpoint_every_ns = 3600 * NS_PER_S,
					    .now_ns = now_ns()};
	if (store_open(&r->store, &store, &note) < 0)
		return bench_say("policy-edit", "%s", note.text);
	const struct mesh_options opt = {.org = r->org,
					 .node = "b1",
					 .seed = (uint64_t)number + 1,
					 .silence_ns = 3600 * NS_PER_S,
					 .pull_timeout_ns = 600 * NS_PER_S,
					 .heads_every_ns = 3600 * NS_PER_S,
					 .ping_every_ns = 3600 * NS_PER_S,
					 .port = {.ctx = r,
						  .origin_next = no_origin,
						  .head = no_head,
						  .rows = no_rows,
						  .verify_head = verify_head,
						  .held = held}};
	return mesh_new(&r->mesh, &opt);
}

void far_border_close(struct far_border *r)
{
	while (r->out) {
		struct far_frame *next = r->out->next;
		free(r->out);
		r->out = next;
	}
	mesh_free(r->mesh);
	store_close(r->store);
}

int far_border_connect(struct far_border *r, const char *org, const char *node)
{
	return step(r, &(struct mesh_event){.kind = MESH_UP,
					    .session = 1,
					    .peer = {.org = org, .node = node, .roles = 2, .dialled = true}});
}

int far_border_take(struct far_border *r, const uint8_t *frame, size_t len)
{
	SCOPED(scope_arena) struct arena *a = NULL;
	struct message m;

	TRY(arena_new(&a, DECODE_BUDGET_BASE + len * DECODE_BUDGET_FACTOR));
	TRY(message_decode(a, (struct bytes){frame, len}, &m));
	r->bytes[m.kind] += len;
	return step(r, &(struct mesh_event){.kind = MESH_FRAME, .session = 1, .message = &m});
}

int far_border_tick(struct far_border *r)
{
	return step(r, &(struct mesh_event){.kind = MESH_TICK});
}

struct fingerprint far_border_held(const struct far_border *r, const char *origin)
{
	const struct origin *o = store_origin(r->store, origin);

	return o ? o->fingerprint : (struct fingerprint){0};
}
