/* SPDX-License-Identifier: Apache-2.0 */
/* A message is copied into one block: a first pass counts, a second one copies. In the first one everything
 * stays where it is, so what it writes back is what was there. */
#include "tests/sim/world.h"

enum { ENVELOPE_BYTES = 32 }; /* about what an envelope needs beside its fields */

struct copier {
	uint8_t *to; /* NULL: count */
	size_t used;
};

static void *copy(struct copier *c, const void *from, size_t size)
{
	uint8_t *to = c->to ? c->to + c->used : NULL;

	c->used += (size + sizeof(max_align_t) - 1) / sizeof(max_align_t) * sizeof(max_align_t);
	if (!to)
		return (void *)(uintptr_t)from;
	if (size > 0)
		memcpy(to, from, size);
	return to;
}

static void copy_bytes(struct copier *c, struct bytes *b)
{
	b->data = copy(c, b->data, b->len);
}

static void copy_text(struct copier *c, const char **text)
{
	if (*text)
		*text = copy(c, *text, strlen(*text) + 1);
}

static void copy_list(struct copier *c, struct bytes **list, size_t n)
{
	*list = copy(c, *list, n * sizeof **list);
	for (size_t i = 0; i < n; i++)
		copy_bytes(c, &(*list)[i]);
}

static void copy_heads(struct copier *c, struct heads *h)
{
	h->heads = copy(c, h->heads, h->n * sizeof *h->heads);
	for (size_t i = 0; i < h->n; i++)
		copy_bytes(c, &h->heads[i].head.payload);
}

static void copy_rows(struct copier *c, struct rows *r)
{
	copy_text(c, &r->origin);
	copy_list(c, &r->rows, r->n);
	copy_bytes(c, &r->cursor);
	copy_bytes(c, &r->head.head.payload);
	r->gone = copy(c, r->gone, r->n_gone * sizeof *r->gone);
}

static void copy_question(struct copier *c, struct question *q)
{
	copy_text(c, &q->asker);
	copy_text(c, &q->twin);
	copy_text(c, &q->property);
	copy_bytes(c, &q->person);
	copy_bytes(c, &q->errand);
}

static void copy_repair(struct copier *c, struct repair *r)
{
	copy_text(c, &r->origin);
	copy_bytes(c, &r->cursor);
	r->prefixes = copy(c, r->prefixes, r->n * sizeof *r->prefixes);
	r->entries = copy(c, r->entries, r->n_entries * sizeof *r->entries);
}

static void copy_sums(struct copier *c, struct sums *s)
{
	copy_text(c, &s->origin);
	copy_bytes(c, &s->cursor);
	s->sums = copy(c, s->sums, s->n * sizeof *s->sums);
}

static void copy_hello(struct copier *c, struct hello *h)
{
	copy_text(c, &h->org);
	copy_text(c, &h->node);
	copy_bytes(c, &h->credential);
}

static void copy_message(struct copier *c, struct message *m)
{
	switch (m->kind) {
	case MESSAGE_HELLO: copy_hello(c, &m->hello); break;
	case MESSAGE_HEADS: copy_heads(c, &m->heads); break;
	case MESSAGE_PULL:
		copy_text(c, &m->pull.origin);
		copy_bytes(c, &m->pull.cursor);
		break;
	case MESSAGE_ROWS: copy_rows(c, &m->rows); break;
	case MESSAGE_RESET: copy_text(c, &m->reset.origin); break;
	case MESSAGE_QUESTION: copy_question(c, &m->question); break;
	case MESSAGE_REPAIR: copy_repair(c, &m->repair); break;
	case MESSAGE_SUMS: copy_sums(c, &m->sums); break;
	case MESSAGE_PING:
	case MESSAGE_BYE:
	case MESSAGE_TELL: break;
	case MESSAGE_ANSWER:
	case MESSAGE_POLICY:
	case MESSAGE_STANDING:
	case MESSAGE_TRUST:
	case MESSAGE_AGREEMENT:
	case MESSAGE_FRESHNESS:
	case MESSAGE_REACH:
	case N_MESSAGE_KINDS: abort(); /* nobody here says such a thing */
	}
}

/* What the other end reads of it. */
static void pass_codec(struct world *w, struct message *m)
{
	SCOPED(buf_fini) struct buf b = {0};

	message_encode(m, &b);
	if (buf_check(&b) < 0)
		abort();
	arena_reset(w->scratch);
	const int r = message_decode(w->scratch, buf_bytes(&b), m);
	if (r < 0)
		world_fail(w, "a %s does not decode: %s", message_kind_text(m->kind), err_text(r));
}

struct frame *frame_new(struct world *w, const struct message *m)
{
	struct message message = *m;
	struct copier c = {0};

	if (w->real)
		pass_codec(w, &message);
	copy_message(&c, &message);
	struct frame *f = malloc(sizeof *f + c.used);
	if (!f)
		abort();
	f->refs = 1;
	f->sent_ns = w->now_ns;
	f->size = ENVELOPE_BYTES + c.used;
	f->message = message;
	c = (struct copier){.to = (uint8_t *)f->body};
	copy_message(&c, &f->message);
	return f;
}

void frame_drop(struct frame *f)
{
	if (f && --f->refs == 0)
		free(f);
}

static void copy_op(struct copier *c, struct op *op)
{
	copy_text(c, &op->rows.origin);
	copy_list(c, &op->rows.rows, op->rows.n);
	copy_bytes(c, &op->rows.cursor);
	copy_bytes(c, &op->rows.head);
}

struct op *op_copy(const struct op *op)
{
	struct op *whole, counted = *op;
	struct copier c = {0};

	if (op->kind != OP_ROWS)
		abort();
	copy_op(&c, &counted);
	const size_t header =
		(sizeof *whole + sizeof(max_align_t) - 1) / sizeof(max_align_t) * sizeof(max_align_t);
	whole = malloc(header + c.used);
	if (!whole)
		abort();
	*whole = *op;
	c = (struct copier){.to = (uint8_t *)whole + header};
	copy_op(&c, whole);
	return whole;
}
