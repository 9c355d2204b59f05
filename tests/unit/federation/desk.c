/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/unit/federation/desk.h"

#include <stdarg.h>
#include <stdio.h>

#include "tests/lib/failing_alloc.h"
#include "tests/lib/must.h"

static struct incarnation lives[] = {{11, 1}, {22, 5}};

static int keep(struct desk *d, const struct buf *b, struct bytes *ret)
{
	uint8_t *copy = b->failed ? NULL : arena_take(d->arena, b->len);

	if (!copy)
		return -ENOMEM;
	memcpy(copy, b->data, b->len);
	*ret = (struct bytes){copy, b->len};
	return 0;
}

static int make_notice(struct desk *d, const char *origin, const struct head *places, struct head_notice *ret)
{
	SCOPED(buf_fini) struct buf b = {0};
	struct head head = *places;

	head.origin = origin;
	head.lineage = lives;
	head.n_lineage = places->n_lineage > 0 ? places->n_lineage : 1;
	head_encode(&head, &b);
	*ret = (struct head_notice){.age_ns = d->age_ns > 0 ? d->age_ns : 2 * NS_PER_S};
	return keep(d, &b, &ret->head.payload);
}

struct head_notice desk_notice(struct desk *d, const char *origin, uint64_t seq, uint64_t epoch,
			       uint64_t count)
{
	const struct head places = {.seq = seq, .epoch = epoch, .fingerprint.count = count};
	struct head_notice notice;

	must(make_notice(d, origin, &places, &notice) == 0);
	return notice;
}

struct bytes desk_row(struct desk *d, const char *id)
{
	SCOPED(buf_fini) struct buf b = {0};
	const struct row row = {.id = id, .version.stamp_ns = 1, .seq = 1, .mask = 1, .type = "", .name = ""};
	struct bytes bytes;

	row_encode(&row, &b);
	must(keep(d, &b, &bytes) == 0);
	return bytes;
}

static const struct laid *find(const struct desk *d, const char *origin)
{
	for (size_t i = 0; i < DESK_ORIGINS; i++)
		if (d->laid[i].origin && strcmp(d->laid[i].origin, origin) == 0)
			return &d->laid[i];
	return NULL;
}

static const char *origin_next(void *ctx, const char *audience, const char *after)
{
	struct desk *d = ctx;
	const struct laid *l = after ? find(d, after) + 1 : d->laid;

	(void)audience;
	for (; l < d->laid + DESK_ORIGINS; l++)
		if (l->origin && l->offered)
			return l->origin;
	return NULL;
}

static int head_of(struct desk *d, const struct laid *l, struct head_notice *ret)
{
	const struct head places = {.n_lineage = l->lives,
				    .seq = l->head_seq,
				    .epoch = l->epoch,
				    .fingerprint.count = l->head_count};

	d->heads_given++;
	return make_notice(d, l->origin, &places, ret);
}

static int head(void *ctx, const char *audience, const char *origin, struct arena *a, struct head_notice *ret)
{
	const struct laid *l = find(ctx, origin);

	(void)audience, (void)a;
	return l ? head_of(ctx, l, ret) : ERR_ABSENT;
}

static int rows(void *ctx, const char *audience, const struct pull *pull, struct arena *a, struct rows *ret)
{
	struct desk *d = ctx;
	const struct laid *l = find(d, pull->origin);
	unsigned done = pull->cursor.len > 0 ? pull->cursor.data[0] : 0;

	if (l->reset != 0)
		return l->reset;
	uint8_t *cursor = arena_take(a, 1);
	if (!cursor)
		return -ENOMEM;
	*cursor = (uint8_t)(done + 1);
	ret->cursor = (struct bytes){cursor, 1};
	ret->at_head = done + 1 >= l->batches;
	return ret->at_head ? head(d, audience, pull->origin, a, &ret->head) : 0;
}

static int verify_head(void *ctx, const char *peer_org, const char *peer_node,
		       const struct head_notice *notice, struct arena *a, struct head *ret)
{
	(void)ctx, (void)peer_org, (void)peer_node;
	if (notice->head.key.b[0] != 0)
		return ERR_UNTRUSTED;
	return head_decode(a, notice->head.payload, ret);
}

static int held(void *ctx, const char *origin, struct bytes *ret_cursor, struct fingerprint *ret_fingerprint,
		struct bytes *ret_head)
{
	struct desk *d = ctx;
	const struct laid *l = find(d, origin);
	SCOPED(buf_fini) struct buf b = {0};

	if (!l || !l->held)
		return ERR_ABSENT;
	*ret_cursor = bytes_of_text(l->cursor);
	*ret_fingerprint = (struct fingerprint){.count = l->count};
	if (l->head_seq == 0 && l->head_count == 0)
		return 0;
	struct head_notice notice;
	TRY(head_of(d, l, &notice));
	signed_blob_encode(&notice.head, &b);
	return keep(d, &b, ret_head);
}

static int tree(void *ctx, const char *audience, const char *origin, struct bytes cursor, struct arena *a,
		struct tree_view *ret)
{
	const struct laid *l = find(ctx, origin);

	(void)audience, (void)cursor, (void)a;
	*ret = (struct tree_view){.tree = l->shown, .cursor = BYTES("c8")};
	return l->reset;
}

static int row(void *ctx, const char *audience, const char *origin, const char *id, struct arena *a,
	       struct bytes *ret)
{
	struct desk *d = ctx;

	(void)audience, (void)origin, (void)a;
	if (strcmp(id, d->hidden) == 0)
		return ERR_ABSENT;
	*ret = desk_row(d, id);
	return 0;
}

static int held_tree(void *ctx, const char *origin, uint64_t run, const struct tree **ret)
{
	const struct laid *l = find(ctx, origin);

	(void)run;
	*ret = l->tree;
	return l->tree ? 0 : RESET_LATER;
}

static int verify_hello(void *ctx, uint32_t session, const struct hello *hello)
{
	struct desk *d = ctx;

	(void)session, (void)hello;
	d->shown = hello->credential.len > 0 ? (char)hello->credential.data[0] : '-';
	return d->belief;
}

static bool counts(void *ctx, const char *origin, uint64_t incarnation)
{
	const struct desk *d = ctx;

	(void)origin;
	return !d->all_void && incarnation != d->void_life;
}

static bool owns(void *ctx, const char *origin, const char *id)
{
	const struct desk *d = ctx;

	(void)origin;
	return !d->not_owned || strcmp(d->not_owned, id) != 0;
}

static int admit(void *ctx, const char *org, const struct message *message)
{
	const struct desk *d = ctx;

	(void)org;
	return message->kind == MESSAGE_HELLO || message->kind == MESSAGE_HEADS ? 0 : d->admit;
}

void desk_init(struct desk *d)
{
	const struct mesh_port port = {.ctx = d,
				       .origin_next = origin_next,
				       .head = head,
				       .rows = rows,
				       .verify_head = verify_head,
				       .held = held,
				       .tree = tree,
				       .row = row,
				       .held_tree = held_tree,
				       .verify_hello = verify_hello,
				       .counts = counts,
				       .owns = owns,
				       .admit = admit};
	const struct mesh_options opt = {
		.org = "acme", .node = "me", .seed = 1, .port = port, .silence_ns = 5 * NS_PER_S};

	*d = (struct desk){.now_ns = NS_PER_S, .nonce = 77, .epoch = 1, .hidden = ""};
	must(arena_new(&d->arena, 64 << 20) == 0);
	must(arena_take(d->arena, 4 << 20)); /* one large block: */
	arena_reset(d->arena);               /* the desk itself never runs out of memory */
	must(mesh_new(&d->mesh, &opt) == 0);
}

void desk_fini(struct desk *d)
{
	mesh_free(d->mesh);
	arena_free(d->arena);
	d->mesh = NULL;
	d->arena = NULL;
}

const char *desk_life(struct desk *d, uint32_t session, uint64_t life, uint64_t seq, uint64_t count)
{
	struct incarnation lineage[] = {{life, 1}};
	const struct head head = {.origin = "acme/a1",
				  .lineage = lineage,
				  .n_lineage = 1,
				  .seq = seq,
				  .fingerprint.count = count};
	SCOPED(buf_fini) struct buf b = {0};
	struct head_notice notice = {0};
	struct message m = {.kind = MESSAGE_HEADS, .heads = {.heads = &notice, .n = 1}};

	head_encode(&head, &b);
	notice.head.payload = buf_bytes(&b);
	return desk_frame(d, session, &m);
}

struct laid *desk_lay(struct desk *d, const char *origin)
{
	struct laid *l = d->laid;

	while (l->origin && strcmp(l->origin, origin) != 0)
		must(++l < d->laid + DESK_ORIGINS);
	l->origin = origin;
	return l;
}

__attribute__((format(printf, 2, 3))) static void tell(struct desk *d, const char *format, ...)
{
	size_t n = strlen(d->text);
	va_list args;

	va_start(args, format);
	vsnprintf(d->text + n, DESK_TEXT - n, format, args);
	va_end(args);
}

static void tell_heads(struct desk *d, const struct heads *heads)
{
	struct head h;

	for (size_t i = 0; i < heads->n; i++) {
		must(head_decode(d->arena, heads->heads[i].head.payload, &h) == 0);
		tell(d, " %s:%lu", h.origin, (unsigned long)h.fingerprint.count);
	}
}

static void tell_message(struct desk *d, const struct message *m)
{
	tell(d, "%s", message_kind_text(m->kind));
	if (m->kind == MESSAGE_HEADS && m->heads.all)
		tell(d, " all");
	if (m->kind == MESSAGE_HEADS)
		tell_heads(d, &m->heads);
	if (m->kind == MESSAGE_PING)
		d->ping_ns = m->ping.age_ns;
	if (m->kind == MESSAGE_PULL)
		tell(d, " %s%s from %.*s", m->pull.origin, m->pull.full ? " full" : "",
		     m->pull.cursor.len ? (int)m->pull.cursor.len : 1,
		     m->pull.cursor.len ? (const char *)m->pull.cursor.data : "0");
	if (m->kind == MESSAGE_ROWS)
		tell(d, " %s #%u%s", m->rows.origin, m->rows.index, m->rows.at_head ? " head" : "");
	if (m->kind == MESSAGE_REPAIR)
		tell(d, " %s/%u n=%zu entries=%zu", m->repair.origin, m->repair.depth, m->repair.n,
		     m->repair.n_entries);
	if (m->kind == MESSAGE_SUMS)
		tell(d, " n=%zu", m->sums.n);
	if (m->kind == MESSAGE_ROWS && m->rows.repair)
		tell(d, " repair n=%zu gone=%zu leaves=%u", m->rows.n, m->rows.n_gone, m->rows.leaves);
	if (m->kind == MESSAGE_RESET)
		tell(d, " %s %s", m->reset.origin, reset_reason_text(m->reset.reason));
}

static void tell_store(struct desk *d, const struct op_rows *op)
{
	tell(d, "store %s n=%zu%s%s%s", op->origin, op->n, op->afresh ? " afresh" : "",
	     op->repair ? " repair" : "", op->head.len ? " head" : "");
	if (op->has_floor)
		tell(d, " floor=%lu", (unsigned long)op->floor);
	if (op->cursor.len > 0)
		tell(d, " to %.*s", (int)op->cursor.len, (const char *)op->cursor.data);
}

static void tell_action(struct desk *d, const struct mesh_action *a)
{
	tell(d, "%s", d->text[0] ? ", " : "");
	if (a->session > 1)
		tell(d, "@%u ", a->session);
	switch (a->kind) {
	case MESH_SEND: tell_message(d, &a->message); break;
	case MESH_STORE: tell_store(d, &a->op.rows); break;
	case MESH_CLOSE: tell(d, "close"); break;
	case MESH_RESUME:
	case MESH_GREETED: break;
	case MESH_OPENED: tell(d, "opened"); break;
	case MESH_DELIVER: tell(d, "deliver %s", message_kind_text(a->message.kind)); break;
	case MESH_HEARD: tell(d, "heard %s %lds", a->origin, (long)(a->age_ns / NS_PER_S)); break;
	case MESH_ALARM: tell(d, "alarm"); break;
	case MESH_FORK: tell(d, "fork of %s", a->origin); break;
	}
}

static void note(struct desk *d, const struct mesh_action *a)
{
	if (a->kind == MESH_STORE)
		d->token = a->token;
	if (a->kind == MESH_SEND && a->message.kind == MESSAGE_PULL) {
		d->pull = a->message.pull.id;
		d->full = a->message.pull.full;
		d->asked = a->session;
	}
	if (a->kind == MESH_SEND && a->message.kind == MESSAGE_REPAIR)
		d->pull = a->message.repair.id;
	if (a->kind == MESH_SEND)
		d->sent = a->message;
	if (a->kind == MESH_STORE)
		d->stored = a->op.rows;
	if (a->kind == MESH_SEND && a->session == 1) {
		d->my_nonce = a->message.nonce;
		d->my_frame = a->message.frame;
	}
}

static const char *more(struct desk *d, const struct mesh_event *e);

static const char *resume(struct desk *d, const struct mesh_todo *todo)
{
	for (size_t i = 0; i < todo->n; i++) {
		const struct mesh_action *a = &todo->actions[i];
		const struct mesh_event e = {.kind = MESH_RESUMED,
					     .session = a->session,
					     .message = &a->message,
					     .token = a->token};
		if (a->kind == MESH_RESUME && !more(d, &e))
			return NULL;
	}
	return d->text;
}

/* Goes on behind what was told. */
static const char *more(struct desk *d, const struct mesh_event *e)
{
	struct mesh_todo todo = {.arena = d->arena};

	alloc_fail_after(++d->step == d->fail_step ? d->fail_after : -1);
	int r = mesh_step(d->mesh, e, d->now_ns, &todo);
	d->failed = d->failed || (d->step == d->fail_step && alloc_has_failed());
	alloc_fail_after(-1);
	if (r < 0)
		return NULL;
	for (size_t i = 0; i < todo.n; i++) {
		if (todo.actions[i].kind != MESH_GREETED && todo.actions[i].kind != MESH_RESUME)
			tell_action(d, &todo.actions[i]);
		note(d, &todo.actions[i]);
	}
	return resume(d, &todo);
}

const char *desk_event(struct desk *d, const struct mesh_event *e)
{
	d->text[0] = '\0';
	return more(d, e);
}

const char *desk_up(struct desk *d, uint32_t session, const char *org, const char *node)
{
	const struct mesh_event up = {
		.kind = MESH_UP,
		.session = session,
		.peer = {org, node, ROLE_OWNER, strcmp(org, "acme") == 0, true},
	};

	d->frame = session == 1 ? 0 : d->frame;
	return desk_event(d, &up);
}

const char *desk_raw(struct desk *d, uint32_t session, const struct message *m)
{
	const struct mesh_event frame = {.kind = MESH_FRAME, .session = session, .message = m};

	return desk_event(d, &frame);
}

const char *desk_frame(struct desk *d, uint32_t session, struct message *m)
{
	m->nonce = d->nonce + session - 1;
	m->frame = ++d->frame;
	return desk_raw(d, session, m);
}

const char *desk_hello(struct desk *d, uint32_t session, const char *org, const char *node)
{
	struct message m = {.kind = MESSAGE_HELLO,
			    .hello = {.protocol_min = PROTOCOL_MIN,
				      .protocol_max = PROTOCOL_MAX,
				      .org = org,
				      .node = node,
				      .features = d->features}};

	return desk_frame(d, session, &m) ? more(d, &(struct mesh_event){.kind = MESH_TICK}) : NULL;
}

const char *desk_pass(struct desk *d, int64_t ns)
{
	const struct mesh_event tick = {.kind = MESH_TICK};

	d->now_ns += ns;
	return desk_event(d, &tick);
}

const char *desk_stored(struct desk *d, int result)
{
	const struct mesh_event stored = {.kind = MESH_STORED, .token = d->token, .result = result};

	return desk_event(d, &stored);
}

const char *desk_heads(struct desk *d, uint32_t session, const char *origin, uint64_t seq, uint64_t count)
{
	struct head_notice notice = desk_notice(d, origin, seq, seq == 0 ? d->epoch : 0, count);
	struct message m = {.kind = MESSAGE_HEADS, .heads = {.heads = &notice, .n = 1}};

	return desk_frame(d, session, &m);
}

const char *desk_rows(struct desk *d, const char *origin, uint32_t index, size_t n, uint64_t seq,
		      uint64_t head_count)
{
	struct bytes list[4];
	struct message m = {.kind = MESSAGE_ROWS};
	uint64_t epoch = seq == 0 ? d->epoch : 0;

	for (size_t i = 0; i < n; i++)
		list[i] = desk_row(d, "acme/press");
	m.rows = (struct rows){.pull = d->pull,
			       .index = index,
			       .origin = origin,
			       .rows = list,
			       .n = n,
			       .cursor = BYTES("c9"),
			       .full = d->full,
			       .at_head = head_count > 0,
			       .epoch = epoch};
	if (m.rows.at_head)
		m.rows.head = desk_notice(d, origin, seq, epoch, head_count);
	return desk_frame(d, d->asked, &m);
}
