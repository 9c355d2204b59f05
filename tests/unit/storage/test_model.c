/* SPDX-License-Identifier: Apache-2.0 */
/* Random batches against a naive model: arrays and loops. The seed is in the name of the test. */
#include <criterion/criterion.h>
#include <stdio.h>

#include "proto/packed.h"
#include "tests/lib/must.h"
#include "tests/unit/storage/world.h"

enum { TWINS = 8, TIMES = 60, PARENTS = 2, ROUNDS = 200 };

struct model_twin {
	bool alive, bare; /* bare: of a type without properties */
	int name;
	double samples[TIMES];   /* NaN: none */
	int64_t valid_to[TWINS]; /* of the relation to each; 0: none */
	int made[TWINS];         /* when: the newest is dropped first, which decides sequence numbers */
	int word[PARENTS];       /* on each membership; -1: none */
	uint64_t seq;
};

struct model {
	struct model_twin twins[TWINS];
	int n_made;
	uint64_t seq;
};

/* What this batch has done to a twin. */
struct model_batch {
	uint64_t first_seq;
	bool sampled[TWINS], deleted[TWINS];
};

static struct model model;
static struct model_batch in_batch;
static uint64_t seed;

static uint32_t chance(uint32_t n)
{
	seed = seed * UINT64_C(6364136223846793005) + 1442695040888963407U;
	return (uint32_t)(seed >> 33) % n;
}

static const char *id_of(int i)
{
	static char ids[TWINS][16];

	snprintf(ids[i], sizeof ids[i], "acme/t%d", i);
	return ids[i];
}

static const char *name_of(int name)
{
	static const char *const names[] = {"red", "green", "blue"};

	return names[name];
}

static const char *const parents[PARENTS] = {"harbor/city", "volt/grid"};

static void touch(int i)
{
	if (model.twins[i].seq <= in_batch.first_seq)
		model.twins[i].seq = ++model.seq;
}

/* ---- Each op: changes the model, returns what staging should say ------------------------------------------
 */

static void forget_twin(int i)
{
	struct model_twin *t = &model.twins[i];

	t->alive = false;
	for (int j = 0; j < TIMES; j++)
		t->samples[j] = NAN;
	for (int p = 0; p < PARENTS; p++)
		t->word[p] = -1;
}

static int newest(const struct model_twin *t)
{
	int at = TIMES - 1;

	while (at >= 0 && isnan(t->samples[at]))
		at--;
	return at;
}

static int model_put(int i, int name, bool bare)
{
	struct model_twin *t = &model.twins[i];

	if (t->alive && t->name == name && t->bare == bare)
		return STORE_UNCHANGED;
	if (t->alive && bare && newest(t) >= 0)
		return STORE_REFUSED; /* it would lose them */
	t->alive = true;
	t->bare = bare;
	t->name = name;
	touch(i);
	return 0;
}

static int newest_target(const struct model_twin *t)
{
	int best = -1;

	for (int j = 0; j < TWINS; j++)
		if (t->valid_to[j] != 0 && (best < 0 || t->made[j] > t->made[best]))
			best = j;
	return best;
}

static int model_delete(int i)
{
	struct model_twin *t = &model.twins[i];

	if (!t->alive)
		return STORE_UNCHANGED;
	forget_twin(i);
	in_batch.deleted[i] = true;
	for (int j; (j = newest_target(t)) >= 0;) {
		t->valid_to[j] = 0;
		touch(j);
	}
	for (int j = 0; j < TWINS; j++)
		model.twins[j].valid_to[i] = 0;
	touch(i);
	return 0;
}

static int model_relate(int i, int j, int64_t to)
{
	if (!model.twins[i].alive || !model.twins[j].alive)
		return STORE_REFUSED;
	if (model.twins[i].valid_to[j] == to)
		return STORE_UNCHANGED;
	if (model.twins[i].valid_to[j] == 0)
		model.twins[i].made[j] = ++model.n_made;
	model.twins[i].valid_to[j] = to;
	touch(j);
	return 0;
}

static int model_unrelate(int i, int j)
{
	if (model.twins[i].valid_to[j] == 0)
		return STORE_UNCHANGED;
	model.twins[i].valid_to[j] = 0;
	touch(j);
	return 0;
}

static int model_member(int i, int parent, int word)
{
	struct model_twin *t = &model.twins[i];

	if (!t->alive)
		return STORE_REFUSED;
	if (t->word[parent] == word)
		return STORE_UNCHANGED;
	t->word[parent] = word;
	touch(i);
	return 0;
}

static int model_samples(int i, const struct sample *s, size_t n)
{
	struct model_twin *t = &model.twins[i];
	bool known = !in_batch.sampled[i] && !in_batch.deleted[i];

	if (!t->alive || t->bare)
		return STORE_REFUSED;
	for (size_t k = 0; k < n; k++)
		known = known && t->samples[s[k].t_ns] == s[k].value.real;
	if (known)
		return STORE_UNCHANGED;
	in_batch.sampled[i] = true;
	for (size_t k = 0; k < n; k++) {
		const int last = newest(t);
		if (s[k].t_ns > last || (s[k].t_ns == last && t->samples[last] != s[k].value.real))
			touch(i);
		t->samples[s[k].t_ns] = s[k].value.real;
	}
	return 0;
}

/* ---- Random batches ---------------------------------------------------------------------------------------
 */

static int stage(struct batch *b, const struct op *op)
{
	world.note = (struct err_note){0};
	return store_stage(world.store, b, op, world.now_ns, NULL, &world.note);
}

/* The place of the temperature, or one where there is nothing. */
static size_t property_or_none(const struct twin *t)
{
	size_t i = SIZE_MAX;

	return t->type && type_property(&t->type->def, "temperature", &i) ? i : SIZE_MAX;
}

static void random_samples(struct batch *b, int i)
{
	struct sample s[5];
	const size_t n = 1 + chance(5);

	for (size_t k = 0; k < n; k++)
		s[k] = number_at(chance(TIMES), chance(3));
	const int expected = model_samples(i, s, n);
	cr_assert_eq(stage(b, &(struct op){.kind = OP_SAMPLES, .samples = {id_of(i), "temperature", s, n}}),
		     expected);
}

/* Samples of many twins in one frame, each taken or refused on its own; a batch of its own. */
static void random_frame(void)
{
	SCOPED(scope_batch) struct batch *b = NULL;
	SCOPED(packed_writer_fini) struct packed_writer w = {0};
	SCOPED(buf_fini) struct buf bytes = {0};
	const uint32_t n = 1 + chance(20);
	struct packed_result result;
	struct packed frame;
	uint64_t refused = 0;

	in_batch = (struct model_batch){.first_seq = model.seq};
	for (uint32_t k = 0; k < n; k++) {
		const int i = (int)chance(TWINS);
		const struct sample s = number_at(chance(TIMES), chance(3));
		const struct twin *t = store_twin(world.store, id_of(i));
		must(packed_put(&w, t ? store_series(world.store, t, property_or_none(t)) : 0, &s) == 0);
		refused += model_samples(i, &s, 1) == STORE_REFUSED;
	}
	must(batch_new(&b) == 0);
	world.now_ns += NS_PER_MS;
	must(packed_finish(&w, &(struct packed_id){.incarnation = 4711}, &bytes) == 0);
	must(packed_check(buf_bytes(&bytes), &frame) == 0);
	cr_assert_eq(store_stage_packed(world.store, b, &frame, world.now_ns, world.arena, &result), 0);
	cr_assert_eq(result.n_refused, refused);
	cr_assert_eq(result.n_taken + result.n_unchanged + refused, n);
	cr_assert_eq(world_commit(b), 0);
}

static void random_op(struct batch *b)
{
	const int i = (int)chance(TWINS), j = (int)chance(TWINS), name = (int)chance(3),
		  parent = (int)chance(PARENTS);
	const enum confirmation word = (enum confirmation)chance(N_CONFIRMATIONS);
	const bool bare = chance(5) == 0;
	struct relation r = {"feeds", id_of(i), id_of(j), 0, 1 + chance(2)};
	struct membership m = {"contains", parents[parent], id_of(i), word, 0};
	struct op op = {0};
	int expected;

	switch (chance(12)) {
	case 0:
	case 1:
		op.kind = OP_TWIN;
		op.twin = (struct twin_def){.id = id_of(i),
					    .type = bare ? "bare" : "press",
					    .kind = KIND_ASSET,
					    .name = name_of(name)};
		expected = model_put(i, name, bare);
		break;
	case 2:
		op.kind = OP_TWIN_DELETE;
		op.id = id_of(i);
		expected = model_delete(i);
		break;
	case 3:
	case 4:
		op.kind = OP_RELATION;
		op.relation = r;
		expected = model_relate(i, j, r.valid_to_ns);
		break;
	case 5:
		op.kind = OP_RELATION_DELETE;
		op.relation = r;
		expected = model_unrelate(i, j);
		break;
	case 6:
		op.kind = OP_MEMBERSHIP;
		op.membership = m;
		expected = model_member(i, parent, (int)word);
		break;
	default: random_samples(b, i); return;
	}
	cr_assert_eq(stage(b, &op), expected, "op %d of %s: %s", op.kind, id_of(i), world.note.text);
}

static void random_batch(void)
{
	SCOPED(scope_batch) struct batch *b = NULL;
	const uint32_t n = 1 + chance(6), undo_at = chance(8);

	must(batch_new(&b) == 0);
	in_batch = (struct model_batch){.first_seq = model.seq};
	world.now_ns += NS_PER_MS;
	for (uint32_t k = 0; k < n; k++) {
		const struct model before = model;
		const struct model_batch before_batch = in_batch;
		const size_t mark = batch_mark(b);
		random_op(b);
		if (k != undo_at)
			continue;
		random_op(b);
		batch_rewind(b, mark);
		model = before;
		in_batch = before_batch;
	}
	cr_assert_eq(world_commit(b), 0);
}

/* ---- Comparing --------------------------------------------------------------------------------------------
 */

static void compare_values(int i, const struct twin *t)
{
	const size_t property = property_of(t, "temperature");
	const int last = newest(&model.twins[i]);
	struct sample *s;
	size_t n, k = 0;
	bool more;

	arena_reset(world.arena);
	cr_assert_eq(store_history(world.store, t, property, 0, TIMES, TIMES, world.arena, &s, &n, &more), 0);
	for (int at = 0; at < TIMES; at++) {
		if (isnan(model.twins[i].samples[at]))
			continue;
		cr_assert(k < n && s[k].t_ns == at && s[k].value.real == model.twins[i].samples[at],
			  "t%d at %d", i, at);
		k++;
	}
	cr_assert(k == n && !more, "t%d", i);
	cr_assert_eq(store_value(world.store, t, property).value.type, last < 0 ? VALUE_NONE : VALUE_DOUBLE);
	if (last >= 0)
		cr_assert(store_value(world.store, t, property).t_ns == last &&
			  store_value(world.store, t, property).value.real == s[n - 1].value.real);
}

static void compare_edges(int i, const struct twin *t)
{
	int out = 0, in = 0, expected_out = 0, expected_in = 0;

	for (const struct edge *e = t->out; e; e = e->next_out, out++)
		cr_assert(e->from == t &&
			  model.twins[i].valid_to[e->to->id[6] - '0'] == e->relation.valid_to_ns);
	for (const struct edge *e = store_edges_to(world.store, id_of(i)); e; e = e->next_in, in++)
		cr_assert(e->to == t);
	for (int j = 0; j < TWINS; j++) {
		expected_out += model.twins[i].valid_to[j] != 0;
		expected_in += model.twins[j].valid_to[i] != 0;
	}
	cr_assert(out == expected_out && in == expected_in, "t%d", i);
}

static void compare_members(int i)
{
	const struct membership *m = NULL;
	int n = 0, expected = 0;

	for (; (m = store_membership_next(world.store, id_of(i), m)); n++)
		;
	for (int p = 0; p < PARENTS; p++) {
		struct membership found;
		const int r = store_membership(world.store, "contains", parents[p], id_of(i), &found);
		cr_assert_eq(r, model.twins[i].word[p] < 0 ? STORE_ABSENT : 0);
		cr_assert(r != 0 || (int)found.state == model.twins[i].word[p]);
		expected += r == 0;
	}
	cr_assert_eq(n, expected);
}

/* Every twin that ever was, once, in the order of sequence numbers; tombstones as such. */
static void compare_changes(void)
{
	uint64_t after = 0;
	int n = 0, expected = 0;

	for (const struct twin *t; (t = store_change_next(world.store, after)); after = t->seq, n++) {
		const struct model_twin *m = &model.twins[t->id[6] - '0'];
		cr_assert_eq(t->seq, m->seq, "%s: %d, not %d", t->id, (int)t->seq, (int)m->seq);
		cr_assert_eq(t->deleted, !m->alive);
	}
	for (int i = 0; i < TWINS; i++)
		expected += model.twins[i].seq > 0;
	cr_assert_eq(n, expected);
}

static void compare_fingerprint(void)
{
	const struct fingerprint kept = store_fingerprint(world.store);
	struct fingerprint anew = {0};

	for (const struct twin *t = NULL; (t = store_change_next(world.store, t ? t->seq : 0));) {
		const struct hash128 hash = row_hash(t->id, t->version, ROW_MASK_ALL);
		if (!t->deleted)
			fingerprint_add(&anew, &hash);
	}
	cr_assert(fingerprint_equal(&kept, &anew), "%d counted, not %d", (int)kept.count, (int)anew.count);
}

static void compare(void)
{
	struct store_position p;
	uint64_t alive = 0;

	for (int i = 0; i < TWINS; i++) {
		const struct twin *t = store_twin(world.store, id_of(i));
		cr_assert_eq(t != NULL, model.twins[i].alive, "t%d", i);
		compare_members(i);
		if (!t)
			continue;
		alive++;
		cr_assert_str_eq(store_twin_def(t).name, name_of(model.twins[i].name));
		if (!model.twins[i].bare)
			compare_values(i, t);
		compare_edges(i, t);
	}
	compare_changes();
	compare_fingerprint();
	store_position(world.store, &p);
	cr_assert(p.seq == model.seq && p.n_twins == alive);
}

static int type_version;

/* The type of most twins loses a property or gains it back, and all others change places: what was measured
 * of those that stay, stays. Which twins show the change in their rows is up to the store. */
static void change_type(void)
{
	struct op op = {.kind = OP_TYPE, .type = world_press()};
	struct property_def all[6];
	struct store_position p;

	op.type.version = (uint32_t)++type_version;
	op.type.n_properties -= (size_t)type_version % 2;
	for (size_t k = 0; k < op.type.n_properties; k++)
		all[k] = op.type.properties[(k + (size_t)type_version) % op.type.n_properties];
	op.type.properties = all;
	world.now_ns += NS_PER_MS;
	cr_assert_eq(world_do(&op), 0, "%s", world.note.text);
	store_position(world.store, &p);
	cr_assert(p.seq >= model.seq);
	for (uint64_t after = model.seq; after < p.seq; after++) {
		const struct twin *t = store_change_next(world.store, after);
		cr_assert(t && t->seq == after + 1 && !t->deleted);
		model.twins[store_twin_def(t).id[6] - '0'].seq = t->seq;
	}
	model.seq = p.seq;
}

static void random_upheaval(void)
{
	struct checkpoint *c;

	switch (chance(9)) {
	case 5:
	case 6: random_frame(); return;
	case 0: world_reopen(); return;
	case 4: change_type(); return;
	case 1: world_checkpoint(); return;
	case 2: /* changes go on while it is written, and it may fail */
		cr_assert_eq(checkpoint_begin(world.store, &c), 0);
		random_batch();
		const bool written = chance(2) && checkpoint_write(c) == 0;
		compare();
		checkpoint_end(world.store, c, written);
		return;
	case 3: /* written but the process dies before it knows */
		cr_assert_eq(checkpoint_begin(world.store, &c), 0);
		random_batch();
		cr_assert_eq(checkpoint_write(c), 0);
		checkpoint_end(world.store, c, false);
		world_reopen();
		return;
	default: return;
	}
}

static void run(uint64_t first_seed)
{
	seed = first_seed;
	model = (struct model){0};
	for (int i = 0; i < TWINS; i++)
		forget_twin(i);
	type_version = 1;
	world_types();
	cr_assert_eq(world_do(&(struct op){.kind = OP_TYPE,
					   .type = {.name = "bare", .version = 1, .kind = KIND_ASSET}}),
		     0);
	for (int round = 0; round < ROUNDS; round++) {
		random_batch();
		random_upheaval();
		compare();
	}
}

TestSuite(model, .init = world_begin, .fini = world_end);

Test(model, agrees_with_seed_1)
{
	run(1);
}

Test(model, agrees_with_seed_2)
{
	run(2);
}

Test(model, agrees_with_seed_3)
{
	run(3);
}

/* HOLON_SEED, if set, is one more. */
Test(model, agrees_with_the_given_seed)
{
	const char *text = getenv("HOLON_SEED");

	if (text)
		run(strtoull(text, NULL, 10));
}
