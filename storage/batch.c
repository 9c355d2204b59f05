/* SPDX-License-Identifier: Apache-2.0 */
#include "storage/batch.h"

#include <assert.h>
#include <stdio.h>

#include "storage/frame.h"
#include "storage/record.h"

enum { HEADER_BYTES = 24, ENTRY_HEAD_BYTES = 5, KEY_TEXT_SIZE = 3 * 256 + 8 };

/* All ops about one thing. */
struct staged_slot {
	const struct staged *top;
	char key[];
};

int batch_new(struct batch **ret)
{
	SCOPED(scope_batch) struct batch *b = calloc(1, sizeof *b);

	if (!b)
		return FAIL(-ENOMEM);
	b->now_ns = INT64_MIN;
	TRY(arena_new(&b->arena, SIZE_MAX));
	if (!buf_extend(&b->ops, HEADER_BYTES))
		return FAIL(-ENOMEM);
	*ret = MOVE(b);
	return 0;
}

void batch_free(struct batch *b)
{
	if (!b)
		return;
	buf_fini(&b->ops);
	free(b->fund);
	map_fini(&b->slots);
	arena_free(b->arena);
	producers_fini(&b->taken);
	free(b->frames);
	free(b);
}

size_t batch_ops(const struct batch *b)
{
	return b->n;
}

size_t batch_bytes(const struct batch *b)
{
	return b->ops.len - HEADER_BYTES;
}

size_t batch_mark(const struct batch *b)
{
	return b->ops.len;
}

/* The numbers of the frames that stay are taken again: seldom, as requests with frames are taken whole. */
static void rewind_frames(struct batch *b, size_t mark)
{
	const size_t before = b->n_frames;

	while (b->n_frames > 0 && b->frames[b->n_frames - 1].at >= mark)
		b->n_frames--;
	if (b->n_frames == before)
		return;
	b->n -= before - b->n_frames;
	producers_clear(&b->taken);
	for (size_t i = 0; i < b->n_frames; i++)
		if (b->frames[i].number > 0)
			ignore(producers_take(&b->taken, b->frames[i].session,
					      b->frames[i].number)); /* has room: it held them all */
}

void batch_rewind(struct batch *b, size_t mark)
{
	assert(mark >= HEADER_BYTES && mark <= b->ops.len);
	for (; b->last && b->last->at >= mark; b->last = b->last->before) {
		b->last->slot->top = b->last->below;
		b->n -= !b->last->noted;
	}
	rewind_frames(b, mark);
	b->ops.len = mark;
}

/* ---- What the ops are about -------------------------------------------------------------------------------
 */

/* No name contains a line feed. */
static void key_text(const struct staged_key *key, char ret[KEY_TEXT_SIZE])
{
	snprintf(ret, KEY_TEXT_SIZE, "%c%s\n%s\n%s", (char)key->kind, key->a, key->b ? key->b : "",
		 key->c ? key->c : "");
}

const struct staged *batch_find(const struct batch *b, const struct staged_key *key)
{
	char text[KEY_TEXT_SIZE];

	key_text(key, text);
	const struct staged_slot *slot = map_get(&b->slots, text);
	return slot ? slot->top : NULL;
}

static int find_slot(struct batch *b, const struct staged_key *key, struct staged_slot **ret)
{
	char text[KEY_TEXT_SIZE];

	key_text(key, text);
	*ret = map_get(&b->slots, text);
	if (*ret)
		return 0;
	const size_t size = strlen(text) + 1;
	struct staged_slot *slot = arena_take(b->arena, sizeof *slot + size);
	if (!slot)
		return FAIL(-ENOMEM);
	memcpy(slot->key, text, size);
	*ret = slot;
	return map_put(&b->slots, slot->key, slot);
}

static int copy_text(struct arena *a, const char *text, const char **ret)
{
	*ret = arena_copy(a, text);
	return *ret || !text ? 0 : FAIL(-ENOMEM);
}

static int copy_relation(struct arena *a, const struct relation *r, struct relation *ret)
{
	*ret = *r;
	TRY(copy_text(a, r->type, &ret->type));
	TRY(copy_text(a, r->from, &ret->from));
	return copy_text(a, r->to, &ret->to);
}

/* What later checks look at. */
static bool is_looked_at(const struct staged_key *key, enum op_kind kind)
{
	return kind == OP_TYPE || kind == OP_TWIN || kind == OP_RELATION || kind == OP_MEMBERSHIP ||
	       key->kind == STAGED_STEP;
}

static int copy_step(struct arena *a, const struct sample *s, struct sample **ret)
{
	struct sample *copy = arena_take(a, sizeof *copy);

	if (!copy)
		return FAIL(-ENOMEM);
	*copy = (struct sample){.t_ns = s->t_ns, .sigma = s->sigma};
	*ret = copy;
	return value_copy(a, &s->value, &copy->value);
}

static int copy_seen(struct arena *a, const struct op *op, struct op *ret)
{
	ret->kind = op->kind;
	switch (op->kind) {
	case OP_TYPE: return type_def_copy(a, &op->type, &ret->type);
	case OP_TWIN: return twin_def_copy(a, &op->twin, &ret->twin);
	case OP_RELATION: return copy_relation(a, &op->relation, &ret->relation);
	case OP_MEMBERSHIP:
		ret->membership.state = op->membership.state;
		ret->membership.since_ns = op->membership.since_ns;
		return 0;
	case OP_SAMPLES: return copy_step(a, op->samples.samples, &ret->samples.samples);
	case OP_TWIN_DELETE:
	case OP_RELATION_DELETE:
	case OP_ROWS:
	case OP_ORG_DROP:
	case OP_COLLECTION:
	case OP_COMMAND: return 0;
	}
	return 0;
}

static int remember(struct batch *b, const struct staged_key *key, const struct op *seen, size_t at,
		    bool noted)
{
	struct staged *staged = arena_take(b->arena, sizeof *staged);
	struct op *copy = is_looked_at(key, seen->kind) ? arena_take(b->arena, sizeof *copy) : NULL;
	struct staged_slot *slot;

	if (!staged || (!copy && is_looked_at(key, seen->kind)))
		return FAIL(-ENOMEM);
	TRY(find_slot(b, key, &slot));
	if (copy)
		TRY(copy_seen(b->arena, seen, copy));
	*staged = (struct staged){
		.kind = key->kind,
		.gone = seen->kind == OP_TWIN_DELETE || seen->kind == OP_RELATION_DELETE,
		.noted = noted,
		.op = copy,
		.before = b->last,
		.below = slot->top,
		.slot = slot,
		.at = at,
	};
	slot->top = staged;
	b->last = staged;
	return 0;
}

/* ---- The encoded ops --------------------------------------------------------------------------------------
 */

static void put_u32_at(uint8_t *p, uint32_t v)
{
	for (unsigned i = 0; i < 4; i++)
		p[i] = (uint8_t)(v >> (24 - 8 * i));
}

static void put_u64_at(uint8_t *p, uint64_t v)
{
	put_u32_at(p, (uint32_t)(v >> 32));
	put_u32_at(p + 4, (uint32_t)v);
}

/* The head of the entry that begins at a place, now that its length is known. */
static int put_entry_head(struct buf *out, size_t at, enum batch_form form)
{
	TRY(buf_check(out));
	const size_t len = out->len - at - ENTRY_HEAD_BYTES;
	if (len > UINT32_MAX)
		return FAIL(ERR_FULL);
	out->data[at] = (uint8_t)form;
	put_u32_at(out->data + at + 1, (uint32_t)len);
	return 0;
}

static int encode(struct batch *b, const struct op *op)
{
	const size_t at = b->ops.len;

	buf_extend(&b->ops, ENTRY_HEAD_BYTES);
	op_encode(op, &b->ops);
	return put_entry_head(&b->ops, at, BATCH_OP);
}

/* A failed append leaves what was there before. */
static int undo(struct batch *b, size_t at, int r)
{
	b->ops.len = at;
	b->ops.failed = false;
	return r;
}

int batch_take(struct batch *b, const struct staged_key *key, const struct op *op, const struct op *seen)
{
	const size_t at = b->ops.len;
	int r = encode(b, op);

	if (r == 0)
		r = remember(b, key, seen, at, false);
	if (r < 0)
		return undo(b, at, r);
	b->n++;
	b->n_samples += op->kind == OP_SAMPLES ? op->samples.n : 0;
	return 0;
}

int batch_note(struct batch *b, const struct staged_key *key, const struct op *seen)
{
	return remember(b, key, seen, b->last->at, true);
}

int batch_note_at(struct batch *b, const struct staged_key *key, const struct op *seen, size_t at)
{
	return remember(b, key, seen, at, true);
}

int batch_frame_begin(struct batch *b, size_t *ret_at)
{
	*ret_at = b->ops.len;
	buf_extend(&b->ops, ENTRY_HEAD_BYTES);
	const int r = buf_check(&b->ops);
	return r < 0 ? undo(b, *ret_at, r) : 0;
}

static int push_frame(struct batch *b, struct staged_frame frame)
{
	if (b->n_frames == b->frames_size) {
		const size_t size = b->frames_size ? b->frames_size * 2 : 64;
		struct staged_frame *frames = realloc(b->frames, size * sizeof *frames);
		if (!frames)
			return FAIL(-ENOMEM);
		b->frames = frames;
		b->frames_size = size;
	}
	if (frame.number > 0)
		TRY(producers_take(&b->taken, frame.session, frame.number));
	b->frames[b->n_frames++] = frame;
	b->n++;
	return 0;
}

int batch_frame_end(struct batch *b, size_t at, uint64_t session, uint64_t number)
{
	int r = put_entry_head(&b->ops, at, BATCH_PACKED);

	if (r == 0)
		r = push_frame(b, (struct staged_frame){session, number, at});
	return r < 0 ? undo(b, at, r) : 0;
}

struct bytes batch_seal(struct batch *b, const struct batch_header *header)
{
	put_u32_at(b->ops.data, header->lineage);
	put_u64_at(b->ops.data + 4, header->seq_base);
	put_u64_at(b->ops.data + 12, (uint64_t)header->stamp_base_ns);
	put_u32_at(b->ops.data + 20, header->n);
	return buf_bytes(&b->ops);
}

int batch_read(struct bytes sealed, struct batch_reader *ret)
{
	struct record_reader r = record_reader(sealed);

	ret->header.lineage = record_u32(&r);
	ret->header.seq_base = record_u64(&r);
	ret->header.stamp_base_ns = (int64_t)record_u64(&r);
	ret->header.n = record_u32(&r);
	ret->rest = record_rest(&r);
	return r.failed ? FAIL(ERR_CORRUPT) : 0;
}

static int read_entry(struct bytes encoded, struct arena *a, struct batch_entry *ret)
{
	switch (ret->form) {
	case BATCH_OP: return op_decode(a, encoded, &ret->op);
	case BATCH_SQUEEZED:
		TRY(frame_expand(a, encoded, &encoded));
		ret->form = BATCH_PACKED;
		break;
	case BATCH_PACKED: break;
	}
	return ret->form == BATCH_PACKED ? packed_check(encoded, &ret->packed) : FAIL(ERR_MALFORMED);
}

/* 1: an entry, not looked into; 0: the end. */
static int next_entry(struct batch_reader *b, enum batch_form *ret_form, struct bytes *ret)
{
	struct record_reader r = record_reader(b->rest);

	if (b->header.n == 0)
		return record_end(&r);
	*ret_form = record_u8(&r);
	*ret = record_bytes(&r, record_u32(&r));
	if (r.failed)
		return FAIL(ERR_CORRUPT);
	b->rest = record_rest(&r);
	b->header.n--;
	return 1;
}

int batch_read_next(struct batch_reader *b, struct arena *a, struct batch_entry *ret)
{
	struct bytes encoded;
	const int r = next_entry(b, &ret->form, &encoded);

	if (r <= 0)
		return r;
	const int result = read_entry(encoded, a, ret);
	if (result == ERR_MALFORMED)
		return FAIL(ERR_CORRUPT); /* the checksum agrees: written by another version, or a bug */
	TRY(result);
	return 1;
}

static int squeeze_entry(enum batch_form form, struct bytes encoded, struct buf *out)
{
	const size_t at = out->len;
	struct packed frame;

	buf_extend(out, ENTRY_HEAD_BYTES);
	if (form == BATCH_PACKED) {
		TRY(packed_check(encoded, &frame));
		if (frame_squeeze(&frame, out) && out->len - at < encoded.len)
			return put_entry_head(out, at, BATCH_SQUEEZED);
		out->len = at + ENTRY_HEAD_BYTES;
	}
	buf_put(out, encoded);
	return put_entry_head(out, at, form);
}

int batch_squeeze(struct bytes sealed, struct buf *out)
{
	struct batch_reader reader;
	enum batch_form form;
	struct bytes encoded;
	int r;

	TRY(batch_read(sealed, &reader));
	buf_put(out, (struct bytes){sealed.data, HEADER_BYTES});
	TRY(buf_check(out));
	while ((r = next_entry(&reader, &form, &encoded)) > 0)
		TRY(squeeze_entry(form, encoded, out));
	return r;
}
