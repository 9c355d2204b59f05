/* SPDX-License-Identifier: Apache-2.0 */
#include "tools/bulk.h"

#include "tools/client.h"
#include "tools/verb.h"

enum { REQUEST_MEMORY = 256 << 20, ANSWER_MEMORY = 256 << 20, N_REQUESTS = BULK_WINDOW + 1 };

int bulk_init(struct bulk *b)
{
	if (b->ops_max == 0)
		b->ops_max = BULK_OPS;
	TRY(arena_new(&b->answers, ANSWER_MEMORY));
	for (size_t i = 0; i < N_REQUESTS; i++)
		TRY(arena_new(&b->requests[i].arena, REQUEST_MEMORY));
	b->filling = &b->requests[0];
	return 0;
}

void bulk_fini(struct bulk *b)
{
	arena_free(b->answers);
	for (size_t i = 0; i < N_REQUESTS; i++)
		arena_free(b->requests[i].arena);
}

struct arena *bulk_arena(struct bulk *b)
{
	return b->filling->arena;
}

static void empty_request(struct request *q)
{
	struct arena *arena = q->arena;

	arena_reset(arena);
	*q = (struct request){.arena = arena};
}

static struct request *find_request(struct bulk *b, uint64_t id)
{
	for (size_t i = 0; i < N_REQUESTS; i++)
		if (id != 0 && b->requests[i].id == id)
			return &b->requests[i];
	return NULL;
}

static void take_answer(struct bulk *b, struct request *q, const struct control_answer *part)
{
	static const struct mark nowhere = {"", 0, ""};

	b->n_changed += part->n_changed;
	b->n_unchanged += part->n_unchanged;
	b->n_refused += part->n_refused;
	for (size_t i = 0; i < part->n_refused; i++) {
		const uint32_t index = part->refused[i].index;
		b->refused(b->ctx, index < q->n ? &q->marks[index] : &nowhere, &part->refused[i]);
	}
}

static int receive_part(struct bulk *b, struct err_note *note)
{
	struct control_answer part;
	struct request *q;

	arena_reset(b->answers);
	TRY(client_receive(b->client, b->answers, &part, note));
	q = find_request(b, part.id);
	if (!q)
		return 0;
	take_answer(b, q, &part);
	if (part.code < 0 && part.n_refused == 0)
		return FAIL_SAY(note, part.code, "%s",
				part.text && *part.text ? part.text : err_text(part.code));
	if (part.last) {
		empty_request(q);
		b->n_underway--;
	}
	return 0;
}

/* A request that is neither filled nor on its way; there is one, for they are more than the window. */
static struct request *free_request(struct bulk *b)
{
	size_t i = 0;

	while (b->requests[i].id != 0)
		i++;
	return &b->requests[i];
}

int bulk_flush(struct bulk *b, struct err_note *note)
{
	struct control_request request = ask_for(CONTROL_CHANGE);
	struct request *q = b->filling;

	if (q->n == 0)
		return 0;
	request.ops = q->ops;
	request.n_ops = q->n;
	TRY(client_send(b->client, &request, note));
	q->id = request.id;
	b->n_underway++;
	while (b->n_underway >= BULK_WINDOW)
		TRY(receive_part(b, note));
	b->filling = free_request(b);
	return 0;
}

static size_t op_bytes(const struct op *op, struct buf *scratch)
{
	buf_clear(scratch);
	op_encode(op, scratch);
	return scratch->len;
}

int bulk_add(struct bulk *b, const struct op *op, struct mark mark, struct err_note *note)
{
	SCOPED(buf_fini) struct buf scratch = {0};
	struct request *q = b->filling;
	size_t n_marks = q->n;
	struct mark *m = arena_push(q->arena, &q->marks, &n_marks, sizeof *m);
	struct op *o = arena_push(q->arena, &q->ops, &q->n, sizeof *o);

	if (!m || !o)
		return FAIL(-ENOMEM);
	*m = mark;
	*o = *op;
	q->bytes += op_bytes(op, &scratch);
	return q->n >= b->ops_max || q->bytes >= BULK_BYTES ? bulk_flush(b, note) : 0;
}

int bulk_drain(struct bulk *b, struct err_note *note)
{
	TRY(bulk_flush(b, note));
	while (b->n_underway > 0)
		TRY(receive_part(b, note));
	return 0;
}
