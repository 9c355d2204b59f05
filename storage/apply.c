/* SPDX-License-Identifier: Apache-2.0 */
/* From the log into memory: the same way for a batch just written and for one replayed. */
#include <assert.h>
#include <math.h>

#include "storage/frame.h"
#include "storage/store_private.h"

static int apply_collection(struct store *s, const struct op_collection *c, bool keep_rows)
{
	if (store_is_own_origin(s, c->origin))
		return table_collect(&s->table, c->floor);
	return keep_rows ? remote_collect(&s->remote, c) : 0;
}

static int apply_op(struct store *s, uint64_t number, const struct op *op)
{
	const bool keep_rows = number > s->remote_position;
	struct table *t = &s->table;

	shape_count(&s->shape, op->kind);
	switch (op->kind) {
	case OP_TYPE: return table_put_type(t, &op->type);
	case OP_TWIN: return table_put_twin(t, &op->twin);
	case OP_TWIN_DELETE: return table_delete_twin(t, op->id);
	case OP_RELATION: return table_put_edge(t, &op->relation);
	case OP_RELATION_DELETE: return table_delete_edge(t, &op->relation);
	case OP_MEMBERSHIP: return table_put_member(t, &op->membership);
	case OP_SAMPLES: return table_add_samples(t, &op->samples);
	case OP_ROWS: return keep_rows ? remote_put_rows(&s->remote, &op->rows) : 0;
	case OP_ORG_DROP: return keep_rows ? remote_drop_org(&s->remote, op->id) : 0;
	case OP_COLLECTION: return apply_collection(s, &op->collection, keep_rows);
	case OP_COMMAND: return kept_commands_put(&s->commands, &op->command);
	}
	return 0;
}

static bool is_plain_number(const struct packed *f, size_t i, enum value_type type)
{
	return (type == VALUE_DOUBLE || type == VALUE_INT64 || type == VALUE_BOOL) &&
	       (!f->sigma || isnan(bits_double(packed_u64(f->sigma, i)))) &&
	       (!f->quality || f->quality[i] != PACKED_ABSENT);
}

static int apply_number(struct store *s, const struct packed *f, size_t i, const struct series_place *at,
			const char *source)
{
	const uint64_t bits = packed_u64(f->bits, i);
	enum quality quality = f->quality ? (enum quality)f->quality[i] : QUALITY_GOOD;

	if (at->def->type == VALUE_BOOL && bits > 1)
		return 0;
	if (at->def->type == VALUE_DOUBLE && !isfinite(bits_double(bits)))
		quality = QUALITY_BAD;
	return table_add_number(&s->table, packed_u32(f->series, i), at, (int64_t)packed_u64(f->t_ns, i),
				bits, quality, source);
}

/* A sample whose series is gone, or means something else by now, goes with it. */
static int apply_sample(struct store *s, const struct packed *frame, size_t i, const char *source)
{
	const uint32_t series = packed_u32(frame->series, i);
	struct series_place at;
	struct sample sample;

	if (!table_series(&s->table, series, &at))
		return 0;
	if (is_plain_number(frame, i, at.def->type))
		return apply_number(s, frame, i, &at, source);
	if (frame_sample(frame, i, at.def->type, source, &sample) < 0 || sample.value.type != at.def->type)
		return 0;
	return table_add_sample(&s->table, series, &at, &sample);
}

static int apply_packed(struct store *s, const struct packed *frame)
{
	char text[SOURCE_MAX + 1];
	const char *source = frame_source(frame, text);

	for (size_t i = 0; i < frame->n; i++)
		TRY(apply_sample(s, frame, i, source));
	return frame->number > 0 ? producers_take(&s->producers, frame->session, frame->number) : 0;
}

int store_apply_sealed(struct store *s, uint64_t number, struct bytes sealed)
{
	SCOPED(scope_arena) struct arena *a = NULL;
	struct batch_reader reader;
	struct batch_entry entry;
	int r;

	TRY(arena_new(&a, SIZE_MAX));
	TRY(batch_read(sealed, &reader));
	if (reader.header.seq_base != s->table.seq)
		return FAIL(ERR_CORRUPT);
	table_begin_batch(&s->table, reader.header.lineage, reader.header.stamp_base_ns);
	while ((r = batch_read_next(&reader, a, &entry)) > 0) {
		TRY(entry.form == BATCH_PACKED ? apply_packed(s, &entry.packed)
					       : apply_op(s, number, &entry.op));
		arena_reset(a);
	}
	TRY(r);
	s->applied = number;
	s->backlog_bytes += sealed.len;
	return 0;
}

int store_write(struct store *s, struct batch *b)
{
	if (b->n == 0)
		return 0;
	int64_t stamp_ns = s->table.stamp_ns < INT64_MAX ? s->table.stamp_ns + 1 : INT64_MAX;
	if (stamp_ns < s->floor_ns)
		stamp_ns = s->floor_ns;
	if (stamp_ns < b->now_ns)
		stamp_ns = b->now_ns;
	const struct batch_header header = {
		.lineage = (uint32_t)s->n_lineage - 1,
		.seq_base = s->table.seq,
		.stamp_base_ns = stamp_ns,
		.n = (uint32_t)b->n,
	};
	b->number = s->applied + 1;
	const struct bytes sealed = batch_seal(b, &header);
	if (!s->squeeze_log || b->n_frames == 0)
		return log_append(s->log, b->number, sealed);
	SCOPED(buf_fini) struct buf small = {0};
	TRY(batch_squeeze(sealed, &small));
	return log_append(s->log, b->number, buf_bytes(&small));
}

/* ---- Memory ahead -----------------------------------------------------------------------------------------
 */

enum {
	FUND_BYTES = 1 << 20,
	OP_FACTOR = 8, /* bytes in the table for one in the log: a twin with four values has 230 for 40 */
	PIECE_BYTES = 1408, /* of 64 values, encoded */
	MEMORY_LEAST = 8 << 20,
};

/* A bound, not a sum: what the table grows by, and the values that have to be put into a checkpoint before
 * they change. */
static size_t fund_bytes(const struct store *s, const struct batch *b)
{
	const struct table *t = &s->table;
	const size_t frozen = table_frozen(t), changed = 2 * (b->n_samples + b->n);
	const size_t pieces = frozen < changed ? frozen : changed;
	size_t sum = FUND_BYTES + pieces * PIECE_BYTES;

	if (b->n > b->n_frames)
		sum += OP_FACTOR * batch_bytes(b) + (size_t)t->twins.n_places * 2 * sizeof *t->twins.places +
		       (size_t)t->twins.twins_size * sizeof *t->twins.twins;
	return sum;
}

int store_reserve(struct store *s, struct batch *b)
{
	TRY(history_reserve(s->history, b->n_samples));
	free(b->fund);
	b->fund = malloc(fund_bytes(s, b)); /* never touched: it is room in the address space */
	return b->fund ? 0 : FAIL(-ENOMEM);
}

bool store_save_memory(struct store *s)
{
	if (s->memory_bytes > MEMORY_LEAST && !s->saving_memory)
		s->memory_bytes /= 2;
	s->saving_memory = s->backlog_bytes > 0;
	return s->saving_memory;
}

int store_apply(struct store *s, struct batch *b, int64_t now_ns)
{
	if (b->n == 0)
		return 0;
	assert(b->number == s->applied + 1);
	free(b->fund);
	b->fund = NULL;
	if (s->backlog_bytes == 0)
		s->backlog_ns = now_ns;
	s->applied_ns = now_ns;
	return store_apply_sealed(s, b->number, buf_bytes(&b->ops));
}
