/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/crash/life.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "proto/hash.h"
#include "proto/packed.h"
#include "proto/row.h"
#include "tests/lib/must.h"
#include "tests/unit/storage/world.h"

enum { SESSION = 7, FRAMES = 24, TWINS = 5, TIMES = 40, BATCH_OPS = 5, BIG_TEXT = 6000 };

static uint32_t chance(struct life *l, uint32_t n)
{
	l->random = l->random * UINT64_C(6364136223846793005) + 1442695040888963407U;
	return (uint32_t)(l->random >> 33) % n;
}

/* ---- Frames -----------------------------------------------------------------------------------------------
 */

/* Finish what was put into the writer as that frame of the one session, and stage it. */
static int stage_as(struct packed_writer *w, uint64_t number, struct batch *b, struct packed_result *ret)
{
	SCOPED(buf_fini) struct buf bytes = {0};
	struct store_position p;
	struct packed frame;

	store_position(world.store, &p);
	const struct packed_id id = {SESSION, number, p.lineage[p.n_lineage - 1].id};
	TRY(packed_finish(w, &id, &bytes));
	TRY(packed_check(buf_bytes(&bytes), &frame));
	return store_stage_packed(world.store, b, &frame, world.now_ns, world.arena, ret);
}

/* ---- What is there ----------------------------------------------------------------------------------------
 */

static void print_types(struct buf *out)
{
	const char *name = "";

	for (const struct type *t; (t = store_type_next(world.store, name)); name = t->def.name)
		buf_print(out, "type %s %u, %zu properties\n", t->def.name, t->def.version,
			  t->def.n_properties);
}

static int print_samples(struct buf *out, const struct twin *t, size_t property)
{
	struct sample *s;
	size_t n;
	bool more;

	TRY(store_history(world.store, t, property, TIME_MIN, TIME_MAX, SIZE_MAX, world.arena, &s, &n,
			  &more));
	for (size_t i = 0; i < n; i++)
		buf_print(out, "    %" PRId64 " %s %s\n", s[i].t_ns, value_text(world.arena, &s[i].value),
			  quality_text(s[i].quality));
	return 0;
}

static int print_values(struct buf *out, const struct twin *t)
{
	for (size_t i = 0; t->type && i < t->type->def.n_properties; i++) {
		const struct sample now = store_value(world.store, t, i);
		if (now.value.type == VALUE_NONE)
			continue;
		buf_print(out, "  %s: %" PRId64 " %s\n", t->type->def.properties[i].name, now.t_ns,
			  value_text(world.arena, &now.value));
		TRY(print_samples(out, t, i));
	}
	return 0;
}

static void print_edges(struct buf *out, const struct twin *t)
{
	for (const struct edge *e = t->out; e; e = e->next_out)
		buf_print(out, "  %s to %s until %" PRId64 "\n", e->relation.type, e->relation.to,
			  e->relation.valid_to_ns);
}

static int print_twin(struct buf *out, const struct twin *t)
{
	SCOPED(buf_fini) struct buf encoded = {0};
	const struct twin_def def = store_twin_def(t);

	buf_print(out, "%s, change %" PRIu64 " at %" PRIu64 "/%" PRIu64, def.id, t->seq,
		  (uint64_t)t->version.lineage, (uint64_t)t->version.stamp_ns);
	if (t->deleted) {
		buf_print(out, ", deleted\n");
		return 0;
	}
	twin_def_encode(&def, &encoded);
	buf_print(out, ", type %s, name %s, %016" PRIx64 "\n", def.type, def.name,
		  hash64("holon/test/1", BYTES(""), buf_bytes(&encoded)));
	print_edges(out, t);
	for (const struct membership *m = NULL; (m = store_membership_next(world.store, def.id, m));)
		buf_print(out, "  in %s by %s: %d\n", m->parent, m->hierarchy, (int)m->state);
	return print_values(out, t);
}

static void print_origins(struct buf *out)
{
	const char *name = "";

	for (const struct origin *o; (o = store_origin_next(world.store, name)); name = o->name)
		buf_print(out, "origin %s, %" PRIu64 " rows, cursor %.*s\n", o->name, o->n_rows,
			  (int)o->cursor.len, (const char *)o->cursor.data);
	name = "";
	for (const struct remote_row *r; (r = store_row_next(world.store, "", name)); name = r->id)
		buf_print(out, "row %s of %s, change %" PRIu64 ", %016" PRIx64 "\n", r->id, r->origin->name,
			  r->seq, hash64("holon/test/1", BYTES(""), r->encoded));
}

/* Which frames the store would not take again. */
static int print_frames(struct buf *out)
{
	SCOPED(scope_batch) struct batch *b = NULL;
	SCOPED(packed_writer_fini) struct packed_writer empty = {0};
	struct packed_result result;

	TRY(batch_new(&b));
	for (uint64_t number = 1; number <= FRAMES; number++) {
		TRY(stage_as(&empty, number, b, &result));
		if (result.again)
			buf_print(out, "frame %" PRIu64 "\n", number);
	}
	return 0;
}

static int print_all(struct buf *out)
{
	struct store_position p;
	uint64_t after = 0;

	store_position(world.store, &p);
	buf_print(out,
		  "change %" PRIu64 ", floor %" PRIu64 ", %" PRIu64 " twins, %" PRIu64 " types, %" PRIu64
		  " relations\n",
		  p.seq, p.floor, p.n_twins, p.n_types, p.n_relations);
	print_types(out);
	for (const struct twin *t; (t = store_change_next(world.store, after)); after = t->seq)
		TRY(print_twin(out, t));
	print_origins(out);
	TRY(print_frames(out));
	return buf_check(out);
}

char *life_content(int *ret)
{
	SCOPED(buf_fini) struct buf out = {0};
	char *text;

	arena_reset(world.arena);
	*ret = print_all(&out);
	if (*ret < 0)
		return NULL;
	text = calloc(1, out.len + 1);
	must(text);
	memcpy(text, out.data, out.len);
	return text;
}

/* ---- Random changes ---------------------------------------------------------------------------------------
 */

static const char *id_of(uint32_t i)
{
	static const char *const ids[TWINS] = {"acme/a", "acme/b", "acme/c", "acme/d", "acme/e"};

	return ids[i];
}

static int stage(struct batch *b, const struct op *op)
{
	const int r = store_stage(world.store, b, op, world.now_ns, NULL, NULL);

	return r < 0 ? r : 0; /* an op that changes nothing or is refused is fine */
}

static int stage_samples(struct life *l, struct batch *b)
{
	struct sample s[4];
	const size_t n = 1 + chance(l, 4);
	const struct op op = {.kind = OP_SAMPLES, .samples = {id_of(chance(l, TWINS)), "temperature", s, n}};

	for (size_t i = 0; i < n; i++)
		s[i] = number_at(chance(l, TIMES), chance(l, 9) ? (double)chance(l, 400) : NAN);
	return stage(b, &op);
}

/* Some samples of any twins; now and then a frame that was sent before. */
static int stage_frame(struct life *l, struct batch *b)
{
	SCOPED(packed_writer_fini) struct packed_writer w = {0};
	struct packed_result result;

	for (uint32_t n = chance(l, 12); n > 0; n--) {
		const struct sample s = number_at(chance(l, TIMES), chance(l, 400));
		const struct twin *t = store_twin(world.store, id_of(chance(l, TWINS)));
		TRY(packed_put(&w, t ? store_series(world.store, t, 0) : 0, &s));
	}
	return stage_as(&w, 1 + chance(l, FRAMES), b, &result);
}

/* A text that takes pages of its own wherever it is kept, now and then. */
static int stage_text(struct life *l, struct batch *b)
{
	static char text[BIG_TEXT];
	const size_t len = chance(l, 4) ? 5 : 1 + chance(l, 4000 - 1);
	struct sample s = {.t_ns = chance(l, TIMES),
			   .value = {.type = VALUE_TEXT, .text = text},
			   .sigma = 1,
			   .source = "somebody"};
	const struct op op = {.kind = OP_SAMPLES, .samples = {id_of(chance(l, TWINS)), "note", &s, 1}};

	memset(text, 'a' + (int)chance(l, 26), len);
	text[len] = '\0';
	return stage(b, &op);
}

static int stage_twin(struct life *l, struct batch *b)
{
	static const char *const names[] = {"red", "green"}, *const types[] = {"press", "line", ""};
	static const enum kind kinds[] = {KIND_ASSET, KIND_SYSTEM, KIND_ASSET};
	const char *aliases[] = {"urn:one"};
	const uint32_t type = chance(l, 8) ? 0 : chance(l, 3);
	const struct op op = {.kind = OP_TWIN,
			      .twin = {.id = id_of(chance(l, TWINS)),
				       .type = types[type],
				       .kind = kinds[type],
				       .name = names[chance(l, 2)],
				       .aliases = aliases,
				       .n_aliases = chance(l, 2)}};

	return stage(b, &op);
}

static int stage_relation(struct life *l, struct batch *b)
{
	const bool gone = chance(l, 3) == 0;
	const struct op op = {
		.kind = gone ? OP_RELATION_DELETE : OP_RELATION,
		.relation = {"feeds", id_of(chance(l, TWINS)), id_of(chance(l, TWINS)), 0, 1 + chance(l, 3)}};

	return stage(b, &op);
}

static int stage_membership(struct life *l, struct batch *b)
{
	const struct op op = {.kind = OP_MEMBERSHIP,
			      .membership = {"contains", "harbor/city", id_of(chance(l, TWINS)),
					     (enum confirmation)chance(l, N_CONFIRMATIONS), 0}};

	return stage(b, &op);
}

static int stage_deletion(struct life *l, struct batch *b)
{
	const struct op op = {.kind = OP_TWIN_DELETE, .id = id_of(chance(l, TWINS))};

	return stage(b, &op);
}

static int stage_rows(struct life *l, struct batch *b)
{
	SCOPED(buf_fini) struct buf encoded = {0};
	static const char *const ids[] = {"volt/x", "volt/y"};
	const char cursor[] = {(char)('a' + chance(l, 26)), '\0'};
	const struct row row = {.id = ids[chance(l, 2)],
				.version = {0, 5 + chance(l, 100)},
				.seq = 1 + chance(l, 100),
				.mask = ROW_MASK_ALL,
				.type = "",
				.name = ""};

	if (chance(l, 6) == 0)
		return stage(b, &(struct op){.kind = OP_ORG_DROP, .id = "volt"});
	row_encode(&row, &encoded);
	struct bytes rows = buf_bytes(&encoded);
	const struct op op = {
		.kind = OP_ROWS,
		.rows = {.origin = "volt/east", .rows = &rows, .n = 1, .cursor = bytes_of_text(cursor)}};
	return stage(b, &op);
}

static int stage_collection(struct life *l, struct batch *b)
{
	static const char *const origins[] = {"acme/north", "volt/east"};
	const char *origin = origins[chance(l, 2)];
	const struct graves_kept kept = {.since_ns = INT64_MIN, .most = chance(l, 3)};
	const uint64_t floor = store_graves_over(world.store, origin, &kept);
	const struct op op = {.kind = OP_COLLECTION, .collection = {origin, floor}};

	return floor > 0 ? stage(b, &op) : 0;
}

static int stage_one(struct life *l, struct batch *b)
{
	typedef int stage_fn(struct life *, struct batch *);
	static stage_fn *const all[] = {stage_samples, stage_samples,  stage_frame,      stage_frame,
					stage_text,    stage_twin,     stage_twin,       stage_relation,
					stage_rows,    stage_deletion, stage_membership, stage_collection};

	return all[chance(l, sizeof all / sizeof all[0])](l, b);
}

/* ---- Living -----------------------------------------------------------------------------------------------
 */

void ledger_fini(struct ledger *l)
{
	for (size_t i = 0; i < l->n; i++)
		free(l->entries[i].content);
	free(l->entries);
	*l = (struct ledger){0};
}

static size_t calls(const struct life *l)
{
	return l->calls ? *l->calls : 0;
}

static struct ledger_entry *ledger_add(struct ledger *l)
{
	l->entries = realloc(l->entries, (l->n + 1) * sizeof *l->entries);
	must(l->entries);
	l->entries[l->n] = (struct ledger_entry){0};
	return &l->entries[l->n++];
}

static void acknowledge(struct life *l, size_t begun, size_t acknowledged)
{
	int r;
	struct ledger_entry *e = ledger_add(&l->ledger);

	*e = (struct ledger_entry){begun, acknowledged, life_content(&r)};
	must(e->content);
}

void life_note(struct life *l)
{
	acknowledge(l, calls(l), calls(l));
}

static int write_and_apply(struct life *l, struct batch *b)
{
	const size_t begun = calls(l);

	TRY(store_write(world.store, b));
	const size_t acknowledged = calls(l);
	TRY(store_apply(world.store, b, world.now_ns));
	acknowledge(l, begun, acknowledged);
	return 0;
}

int life_batch(struct life *l)
{
	SCOPED(scope_batch) struct batch *b = NULL;

	TRY(batch_new(&b));
	world.now_ns += NS_PER_MS;
	for (uint32_t n = 1 + chance(l, BATCH_OPS); n > 0; n--)
		TRY(stage_one(l, b));
	return write_and_apply(l, b);
}

int life_found(struct life *l)
{
	SCOPED(scope_batch) struct batch *b = NULL;
	const struct op press = {.kind = OP_TYPE, .type = world_press()};
	const struct op line = {.kind = OP_TYPE, .type = {.name = "line", .version = 1, .kind = KIND_SYSTEM}};

	TRY(batch_new(&b));
	TRY(stage(b, &press));
	TRY(stage(b, &line));
	for (uint32_t i = 0; i < TWINS; i++)
		TRY(stage(
			b,
			&(struct op){
				.kind = OP_TWIN,
				.twin = {.id = id_of(i), .type = "press", .kind = KIND_ASSET, .name = ""}}));
	return write_and_apply(l, b);
}

int life_checkpoint(void)
{
	struct checkpoint *c;

	TRY(checkpoint_begin(world.store, &c));
	const int r = checkpoint_write(c);
	checkpoint_end(world.store, c, r == 0);
	return r;
}

/* Batches are written while a checkpoint is, and it may come to nothing, before or after it was written. */
static void checkpoint_among_batches(struct life *l)
{
	struct checkpoint *c;
	const bool write = chance(l, 4) > 0, tell = chance(l, 4) > 0;

	must(checkpoint_begin(world.store, &c) == 0);
	if (chance(l, 2))
		must(life_batch(l) == 0);
	if (write)
		must(checkpoint_write(c) == 0);
	if (chance(l, 2))
		must(life_batch(l) == 0);
	checkpoint_end(world.store, c, write && tell);
}

void life_live(struct life *l)
{
	must(world_try_open("acme", "north") == 0);
	life_note(l);
	must(life_found(l) == 0);
	for (int i = 0; i < l->batches; i++) {
		must(life_batch(l) == 0);
		switch (chance(l, 9)) {
		case 0: world_reopen(); break;
		case 1: must(life_checkpoint() == 0); break;
		case 2: checkpoint_among_batches(l); break;
		default: break;
		}
	}
}
