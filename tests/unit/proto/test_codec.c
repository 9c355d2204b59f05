/* SPDX-License-Identifier: Apache-2.0 */
/* What is true of every encoded object, tried on objects in which every field has a value. */
#include "proto/codec.h"
#include "proto/message.h"
#include "proto/row_wire.h"
#include "tests/lib/failing_alloc.h"
#include "tests/unit/proto/codecs.h"
#include "tests/unit/proto/text.h"

enum { AMPLE = 1 << 20 };

static struct arena *arena;
static struct buf first, second;
static union any_object decoded;

static void set_up(void)
{
	cr_assert(eq(int, arena_new(&arena, AMPLE), 0));
}

static void tear_down(void)
{
	arena_free(arena);
	arena = NULL;
	buf_fini(&first);
	buf_fini(&second);
}

TestSuite(codec, .init = set_up, .fini = tear_down, .timeout = 60);

static void encode(const struct example *e)
{
	buf_clear(&first);
	e->codec->encode(e->object, &first);
	cr_assert(eq(int, buf_check(&first), 0));
	cr_assert(gt(sz, first.len, 0));
}

static int decode(const struct example *e, struct bytes in)
{
	arena_reset(arena);
	return e->codec->decode(arena, in, &decoded);
}

/* Encode what was decoded; the same bytes? */
static bool comes_back(const struct example *e, struct bytes in)
{
	buf_clear(&second);
	e->codec->encode(&decoded, &second);
	return buf_check(&second) == 0 && bytes_equal(in, buf_bytes(&second));
}

Test(codec, every_object_comes_back_as_it_was)
{
	for (size_t i = 0; i < n_examples; i++) {
		encode(&examples[i]);
		cr_expect(eq(int, decode(&examples[i], buf_bytes(&first)), 0), "%s, example %zu",
			  examples[i].codec->name, i);
		cr_expect(comes_back(&examples[i], buf_bytes(&first)), "%s, example %zu",
			  examples[i].codec->name, i);
	}
}

/* Encoding again shows what decoding loses; this shows what encoding loses. */
Test(codec, values_arrive_as_they_were_sent)
{
	const struct answer *sent = &full_read_answer.answer;
	struct message m;

	message_encode(&full_read_answer, &first);
	cr_assert(eq(int, message_decode(arena, buf_bytes(&first), &m), 0));
	cr_assert(eq(sz, m.answer.n_samples, sent->n_samples));
	for (size_t i = 0; i < sent->n_samples; i++) {
		const struct sample *s = &m.answer.samples[i];
		cr_expect(value_equal(&s->value, &sent->samples[i].value), "sample %zu", i);
		cr_expect(eq(i64, s->t_ns, sent->samples[i].t_ns));
		cr_expect(eq(int, s->quality, sent->samples[i].quality));
		cr_expect(s->sigma == sent->samples[i].sigma ||
			  (isnan(s->sigma) && isnan(sent->samples[i].sigma)));
	}
	cr_expect(value_equal(&m.answer.values[0].sample.value, &sent->values[0].sample.value));
	cr_expect(eq(int, m.answer.values[1].sample.value.type, VALUE_NONE));
	cr_expect(isnan(m.answer.values[1].sample.sigma));
	EXPECT_TEXT(m.answer.row.id, sent->row.id);
}

Test(codec, definitions_and_questions_arrive_as_they_were_sent)
{
	struct twin_def twin;
	struct type_def type;
	struct message m;

	twin_def_encode(&full_twin, &first);
	cr_assert(eq(int, twin_def_decode(arena, buf_bytes(&first), &twin), 0));
	cr_expect(twin_def_equal(&twin, &full_twin));
	buf_clear(&first);
	type_def_encode(&full_type, &first);
	cr_assert(eq(int, type_def_decode(arena, buf_bytes(&first), &type), 0));
	cr_expect(type_def_equal(&type, &full_type));
	buf_clear(&first);
	message_encode(&full_view_question, &first);
	cr_assert(eq(int, message_decode(arena, buf_bytes(&first), &m), 0));
	cr_expect(m.question.view.has_as_of);
	cr_expect(eq(i64, m.question.view.as_of_ns, full_view_question.question.view.as_of_ns));
	EXPECT_TEXT(m.question.twin, "");
	EXPECT_TEXT(m.question.property, "");
	EXPECT_TEXT(m.question.view.roots[0].parent, "");
}

Test(codec, what_is_decoded_does_not_point_into_the_frame)
{
	for (size_t i = 0; i < n_examples; i++) {
		encode(&examples[i]);
		SCOPED(buf_fini) struct buf frame = {0};
		buf_put(&frame, buf_bytes(&first));
		cr_assert(eq(int, decode(&examples[i], buf_bytes(&frame)), 0));
		memset(frame.data, 0xff, frame.len);
		cr_expect(comes_back(&examples[i], buf_bytes(&first)), "%s", examples[i].codec->name);
	}
}

/* ---- every field of holon.proto is written by one of the examples */

static struct {
	const ProtobufCFieldDescriptor *field[768];
	size_t n;
} seen;

static bool was_seen(const ProtobufCFieldDescriptor *f)
{
	for (size_t i = 0; i < seen.n; i++)
		if (seen.field[i] == f)
			return true;
	return false;
}

static void look_into(const ProtobufCMessage *m);

static bool is_zero(const uint8_t *p, const ProtobufCFieldDescriptor *f)
{
	static const uint8_t zeros[sizeof(ProtobufCBinaryData)];
	size_t size = 8;

	if (f->type == PROTOBUF_C_TYPE_BYTES)
		size = sizeof(ProtobufCBinaryData);
	else if (f->type == PROTOBUF_C_TYPE_ENUM || f->type == PROTOBUF_C_TYPE_BOOL ||
		 f->type == PROTOBUF_C_TYPE_UINT32 || f->type == PROTOBUF_C_TYPE_SINT32 ||
		 f->type == PROTOBUF_C_TYPE_FIXED32)
		size = 4;
	return memcmp(p, zeros, size) == 0;
}

static size_t look_at(const ProtobufCMessage *m, const ProtobufCFieldDescriptor *f)
{
	const uint8_t *p = (const uint8_t *)m + f->offset;

	if (f->label == PROTOBUF_C_LABEL_REPEATED) {
		const size_t n = *(const size_t *)(const void *)((const uint8_t *)m + f->quantifier_offset);
		ProtobufCMessage *const *items = *(ProtobufCMessage *const *const *)(const void *)p;
		for (size_t i = 0; f->type == PROTOBUF_C_TYPE_MESSAGE && i < n; i++)
			look_into(items[i]);
		return n;
	}
	if (f->flags & PROTOBUF_C_FIELD_FLAG_ONEOF &&
	    *(const uint32_t *)(const void *)((const uint8_t *)m + f->quantifier_offset) != f->id)
		return 0;
	if (f->type == PROTOBUF_C_TYPE_MESSAGE) {
		const ProtobufCMessage *sub = *(ProtobufCMessage *const *)(const void *)p;
		if (sub)
			look_into(sub);
		return sub != NULL;
	}
	return f->flags & PROTOBUF_C_FIELD_FLAG_ONEOF || !is_zero(p, f);
}

static void look_into(const ProtobufCMessage *m)
{
	for (unsigned i = 0; i < m->descriptor->n_fields; i++) {
		const ProtobufCFieldDescriptor *f = &m->descriptor->fields[i];
		if (look_at(m, f) > 0 && !was_seen(f)) {
			cr_assert(lt(sz, seen.n, 768));
			seen.field[seen.n++] = f;
		}
	}
}

static const ProtobufCMessageDescriptor *descriptor_of(const char *name)
{
	static const struct {
		const char *name;
		const ProtobufCMessageDescriptor *descriptor;
	} all[] = {
		{"twin_def", &PB_DESCRIPTOR(twin_def)},
		{"type_def", &PB_DESCRIPTOR(type_def)},
		{"relation", &PB_DESCRIPTOR(relation)},
		{"membership", &PB_DESCRIPTOR(membership)},
		{"row", &PB_DESCRIPTOR(row)},
		{"op", &PB_DESCRIPTOR(op)},
		{"signed_blob", &PB_DESCRIPTOR(signed_blob)},
		{"manifest", &PB_DESCRIPTOR(manifest)},
		{"credential", &PB_DESCRIPTOR(credential)},
		{"bundle", &PB_DESCRIPTOR(bundle)},
		{"policy_doc", &PB_DESCRIPTOR(policy_doc)},
		{"person", &PB_DESCRIPTOR(person)},
		{"revocations", &PB_DESCRIPTOR(revocations)},
		{"freshness", &PB_DESCRIPTOR(freshness)},
		{"agreement", &PB_DESCRIPTOR(agreement)},
		{"errand", &PB_DESCRIPTOR(errand)},
		{"join_token", &PB_DESCRIPTOR(join_token)},
		{"join_request", &PB_DESCRIPTOR(join_request)},
		{"join_answer", &PB_DESCRIPTOR(join_answer)},
		{"join_ask", &PB_DESCRIPTOR(join_ask)},
		{"join_reply", &PB_DESCRIPTOR(join_reply)},
		{"invitations", &PB_DESCRIPTOR(invitations)},
		{"head", &PB_DESCRIPTOR(head)},
		{"message", &PB_DESCRIPTOR(envelope)},
		{"control_request", &PB_DESCRIPTOR(control_request)},
		{"control_answer", &PB_DESCRIPTOR(control_answer)},
	};

	for (size_t i = 0; i < sizeof all / sizeof all[0]; i++)
		if (strcmp(all[i].name, name) == 0)
			return all[i].descriptor;
	return NULL;
}

static void expect_seen(const ProtobufCMessageDescriptor *d)
{
	for (unsigned i = 0; i < d->n_fields; i++) {
		const ProtobufCFieldDescriptor *f = &d->fields[i];
		cr_expect(was_seen(f), "nothing writes %s.%s", d->name, f->name);
		if (f->type == PROTOBUF_C_TYPE_MESSAGE)
			expect_seen(f->descriptor);
	}
}

Test(codec, every_field_of_the_format_is_written)
{
	for (size_t i = 0; i < n_examples; i++) {
		ProtobufCMessage *m;
		encode(&examples[i]);
		arena_reset(arena);
		cr_assert(eq(int,
			     pb_unpack(arena, descriptor_of(examples[i].codec->name), buf_bytes(&first), &m),
			     0));
		look_into(m);
	}
	for (size_t i = 0; i < n_examples; i++)
		expect_seen(descriptor_of(examples[i].codec->name));
}

/* ---- what a peer can do to a frame */

static bool is_answer(int r)
{
	return r == 0 || r == ERR_MALFORMED;
}

Test(codec, a_cut_frame_is_malformed_or_a_shorter_one)
{
	for (size_t i = 0; i < n_examples; i++) {
		encode(&examples[i]);
		for (size_t len = 0; len < first.len; len++) {
			/* Its own memory, so that a read behind the end is seen. */
			SCOPED(buf_fini) struct buf cut = {0};
			buf_put(&cut, (struct bytes){first.data, len});
			const int r = decode(&examples[i], buf_bytes(&cut));
			cr_assert(is_answer(r), "%s cut to %zu: %d", examples[i].codec->name, len, r);
		}
	}
}

Test(codec, an_unknown_field_is_ignored)
{
	for (size_t i = 0; i < n_examples; i++) {
		encode(&examples[i]);
		const size_t len = first.len;
		buf_put(&first, BYTES("\xfa\x3f\x05later")); /* field 1023, five bytes */
		cr_expect(eq(int, decode(&examples[i], buf_bytes(&first)), 0), "%s", examples[i].codec->name);
		cr_expect(comes_back(&examples[i], (struct bytes){first.data, len}), "%s",
			  examples[i].codec->name);
	}
}

/* xorshift64*, Marsaglia 2003 */
static uint64_t chance(void)
{
	static uint64_t s = 20110101;

	s ^= s >> 12;
	s ^= s << 25;
	s ^= s >> 27;
	return s * 0x2545f4914f6cdd1d;
}

/* A few bytes changed, and sometimes a piece taken out or doubled. */
static void damage(struct buf *b)
{
	for (unsigned n = 1 + (unsigned)(chance() % 4); n > 0; n--)
		b->data[chance() % b->len] = (uint8_t)(chance() >> 32);
	if (chance() % 4 == 0) {
		const size_t from = chance() % b->len, n = chance() % (b->len - from);
		const size_t to = chance() % (b->len - n + 1);
		memmove(b->data + to, b->data + from, n);
	}
	if (chance() % 4 == 0)
		b->len -= chance() % b->len;
}

Test(codec, a_damaged_frame_is_malformed_or_another_object)
{
	SCOPED(buf_fini) struct buf frame = {0};
	size_t n_decoded = 0;

	for (unsigned round = 0; round < 20000; round++) {
		const struct example *e = &examples[round % n_examples];
		encode(e);
		buf_clear(&frame);
		buf_put(&frame, buf_bytes(&first));
		damage(&frame);
		const int r = decode(e, buf_bytes(&frame));
		cr_assert(is_answer(r), "%s in round %u: %d", e->codec->name, round, r);
		if (r < 0)
			continue;
		n_decoded++;
		buf_clear(&first);
		e->codec->encode(&decoded, &first);
		cr_assert(eq(int, decode(e, buf_bytes(&first)), 0), "%s in round %u", e->codec->name, round);
		cr_assert(comes_back(e, buf_bytes(&first)), "%s in round %u", e->codec->name, round);
	}
	cr_expect(gt(sz, n_decoded, 100)); /* or nothing was tried */
}

Test(codec, a_damaged_frame_cannot_take_more_than_its_budget)
{
	SCOPED(scope_arena) struct arena *small = NULL;

	cr_assert(eq(int, arena_new(&small, 1500), 0));
	for (unsigned round = 0; round < 20000; round++) {
		const struct example *e = &examples[round % n_examples];
		encode(e);
		if (round >= n_examples)
			damage(&first);
		arena_reset(small);
		const int r = e->codec->decode(small, buf_bytes(&first), &decoded);
		cr_assert(is_answer(r) || r == -ENOMEM, "%s in round %u: %d", e->codec->name, round, r);
		cr_assert(le(sz, arena_used(small), 1500));
	}
}

Test(codec, the_ordinary_budget_is_enough_for_what_we_send)
{
	for (size_t i = 0; i < n_examples; i++) {
		SCOPED(scope_arena) struct arena *a = NULL;
		encode(&examples[i]);
		cr_assert(eq(int, arena_new(&a, DECODE_BUDGET_BASE + DECODE_BUDGET_FACTOR * first.len), 0));
		cr_expect(eq(int, examples[i].codec->decode(a, buf_bytes(&first), &decoded), 0), "%s",
			  examples[i].codec->name);
	}
}

/* ---- full frames of small parts: the ratio of memory to bytes is worst where the parts are smallest */

enum { N_PARTS = 2000 };

static int decode_within_budget(const struct codec *c, const void *object)
{
	SCOPED(scope_arena) struct arena *a = NULL;

	buf_clear(&first);
	c->encode(object, &first);
	cr_assert(eq(int, buf_check(&first), 0));
	cr_assert(eq(int, arena_new(&a, DECODE_BUDGET_BASE + DECODE_BUDGET_FACTOR * first.len), 0));
	return c->decode(a, buf_bytes(&first), &decoded);
}

static const struct codec *codec_named(const char *name)
{
	for (size_t i = 0; i < n_codecs; i++)
		if (strcmp(codecs[i]->name, name) == 0)
			return codecs[i];
	return NULL;
}

Test(codec, the_ordinary_budget_is_enough_for_many_samples)
{
	static struct sample samples[N_PARTS];
	static struct op ops[N_PARTS];
	struct control_request r = {.op = CONTROL_CHANGE, .ops = ops, .n_ops = N_PARTS};

	for (size_t i = 0; i < N_PARTS; i++) {
		samples[i] =
			(struct sample){.t_ns = (int64_t)i + 1, .value = {.type = VALUE_BOOL}, .sigma = NAN};
		ops[i] = (struct op){.kind = OP_SAMPLES, .samples = {"a/b", "p", &samples[i], 1}};
	}
	cr_expect(eq(int, decode_within_budget(codec_named("control_request"), &r), 0));
	ops[0].samples.n = N_PARTS;
	cr_expect(eq(int, decode_within_budget(codec_named("op"), &ops[0]), 0));
}

Test(codec, the_ordinary_budget_is_enough_for_many_members)
{
	static struct view_member members[N_PARTS];
	static struct rollup_state empty[ROLLUPS_MAX];
	struct message m = full_view_answer;

	for (size_t i = 0; i < N_PARTS; i++)
		members[i] = (struct view_member){.id = "a/b", .parent = "a/c", .rollups = empty};
	m.answer.view.members = members;
	m.answer.view.n_members = N_PARTS;
	m.answer.view.rollups = NULL;
	m.answer.view.n_cells = 0;
	for (size_t n = 0; n <= ROLLUPS_MAX; n++) {
		m.answer.view.n_rollups = n;
		cr_expect(eq(int, decode_within_budget(codec_named("message"), &m), 0), "%zu roll-ups", n);
	}
}

Test(codec, the_ordinary_budget_is_enough_for_many_definitions)
{
	static struct twin_def twins[N_PARTS];
	static struct relation relations[N_PARTS];
	static struct kpi values[N_PARTS];
	const struct control_answer of_twins = {.twins = twins, .n_twins = N_PARTS};
	const struct control_answer of_relations = {.relations = relations, .n_relations = N_PARTS};
	const struct control_answer of_values = {.values = values, .n_values = N_PARTS};

	for (size_t i = 0; i < N_PARTS; i++) {
		twins[i] = (struct twin_def){.id = "acme/b1"};
		relations[i] = (struct relation){"r", "a/b", "a/c", INT64_MIN, INT64_MAX};
		values[i] = (struct kpi){
			.property = "load/p",
			.unit = "MW",
			.sample = {.t_ns = 1, .value = {.type = VALUE_DOUBLE, .real = 1}, .sigma = NAN}};
	}
	cr_expect(eq(int, decode_within_budget(codec_named("control_answer"), &of_twins), 0));
	cr_expect(eq(int, decode_within_budget(codec_named("control_answer"), &of_relations), 0));
	cr_expect(eq(int, decode_within_budget(codec_named("control_answer"), &of_values), 0));
}

Test(codec, many_empty_parts_do_not_amplify)
{
	SCOPED(scope_arena) struct arena *a = NULL;
	const size_t n = 100000;

	cr_assert(eq(int, arena_new(&a, DECODE_BUDGET_BASE + DECODE_BUDGET_FACTOR * 2 * n), 0));
	buf_put(&first, BYTES("\x0a\x06"
			      "acme/a"
			      "\x12\x01"
			      "p"));
	for (size_t i = 0; i < n; i++)
		buf_put(&first, BYTES("\x1a\x00")); /* an empty Sample in a SampleBatch */
	buf_put(&second, BYTES("\x3a"));
	for (size_t len = first.len;; len >>= 7) {
		buf_put_u8(&second, (uint8_t)((len & 0x7f) | (len > 0x7f ? 0x80 : 0)));
		if (len <= 0x7f)
			break;
	}
	buf_put(&second, buf_bytes(&first));
	cr_expect(eq(int, op_decode(a, buf_bytes(&second), &decoded.op), -ENOMEM));
}

Test(codec, every_allocation_may_fail)
{
	for (size_t i = 0; i < n_examples; i++) {
		bool failed = true;
		for (long allowed = 0; failed; allowed++) {
			SCOPED(scope_arena) struct arena *a = NULL;
			SCOPED(buf_fini) struct buf b = {0};
			alloc_fail_after(allowed);
			examples[i].codec->encode(examples[i].object, &b);
			int r = buf_check(&b);
			if (r == 0)
				r = arena_new(&a, AMPLE);
			if (r == 0)
				r = examples[i].codec->decode(a, buf_bytes(&b), &decoded);
			failed = alloc_has_failed();
			alloc_fail_after(-1);
			cr_expect(eq(int, r, failed ? -ENOMEM : 0), "%s, allocation %ld",
				  examples[i].codec->name, allowed);
		}
	}
}

Test(codec, an_age_travels_as_too_old_rather_than_too_young)
{
	SCOPED(scope_arena) struct arena *a = NULL;
	SCOPED(buf_fini) struct buf b = {0};
	const struct message young = {.kind = MESSAGE_PING, .nonce = 1, .frame = 1, .ping.age_ns = 1};
	struct message ret;

	cr_assert(eq(int, arena_new(&a, AMPLE), 0));
	message_encode(&young, &b);
	cr_assert(eq(int, message_decode(a, buf_bytes(&b), &ret), 0));
	cr_expect(eq(i64, ret.ping.age_ns, NS_PER_MS));
}

/* ---- Rows, which are read in one pass when they can be
 * -----------------------------------------------------
 */

static struct kpi kinds[] = {
	{"a", "", {.t_ns = -1, .value = {.type = VALUE_BOOL, .boolean = true}, .sigma = NAN}},
	{"b", "m", {.t_ns = 2, .value = {.type = VALUE_INT64, .integer = -70000}, .sigma = 0}},
	{"c", "m", {.t_ns = 3, .value = {.type = VALUE_INT64, .integer = INT64_MIN}, .sigma = NAN}},
	{"d", "MW", {.t_ns = 4, .value = {.type = VALUE_DOUBLE, .real = -2.5}, .sigma = 0.25}},
	{"e", "", {.value = {.type = VALUE_TEXT, .text = ""}, .quality = QUALITY_BAD, .sigma = NAN}},
	{"f", "", {.value = {.type = VALUE_TEXT, .text = "a text"}, .sigma = NAN}},
	{"g", "", {.value = {.type = VALUE_ENUM, .text = "on"}, .sigma = NAN}},
	{"h", "", {.value = {.type = VALUE_POSITION, .position = {-52.5, 13.4, NAN}}, .sigma = NAN}},
	{"i", "", {.value = {.type = VALUE_POSITION, .position = {52.5, -13.4, 34}}, .sigma = 1}},
	{"j", "K", {.sigma = NAN}},
};

/* With each kind of value, and less and less of the rest. */
static struct row some_row(size_t i)
{
	struct row r = full_row;

	r.kpis = &kinds[i % 10];
	r.n_kpis = i % 10 == 9 ? i % 2 : i % 3;
	r.n_tags = i / 3 % 3;
	r.n_parents = i / 9 % 3;
	r.n_alarms = i / 27 % 3;
	r.seq = i % 4 == 0 ? 0 : UINT64_C(1) << i % 63;
	r.deleted = i % 11 == 0;
	r.name = i % 5 == 0 ? "" : r.name;
	return r;
}

static bool is_read_in_one_pass(struct bytes in)
{
	struct row_space space;

	arena_reset(arena);
	return row_unpack(arena, in, &space) == 0;
}

/* A field nobody knows, before all others: protobuf-c passes over it, and then reads what else is there. */
static int decode_slowly(struct bytes in, struct buf *ret_again)
{
	SCOPED(buf_fini) struct buf longer = {0};
	struct row row;

	buf_put(&longer, BYTES("\x80\x01\x01"));
	buf_put(&longer, in);
	cr_assert(not(is_read_in_one_pass(buf_bytes(&longer))));
	arena_reset(arena);
	const int r = row_decode(arena, buf_bytes(&longer), &row);
	if (r == 0)
		row_encode(&row, ret_again);
	return r;
}

static int decode_any_way(struct bytes in, struct buf *ret_again)
{
	struct row row;

	arena_reset(arena);
	const int r = row_decode(arena, in, &row);
	if (r == 0)
		row_encode(&row, ret_again);
	return r;
}

static void check_same(struct bytes in)
{
	SCOPED(buf_fini) struct buf fast = {0};
	SCOPED(buf_fini) struct buf slow = {0};

	const int r = decode_any_way(in, &fast);
	cr_assert(eq(int, decode_slowly(in, &slow), r));
	cr_assert(bytes_equal(buf_bytes(&fast), buf_bytes(&slow)));
}

Test(codec, a_row_that_we_encoded_is_read_in_one_pass)
{
	for (size_t i = 0; i < 1000; i++) {
		const struct row row = some_row(i);
		const bool ten_bytes = row.n_kpis > 0 && (i % 10 == 2 || (i % 10 == 1 && row.n_kpis > 1));
		buf_clear(&first);
		row_encode(&row, &first);
		cr_expect(ten_bytes || is_read_in_one_pass(buf_bytes(&first)), "row %zu", i);
		check_same(buf_bytes(&first));
	}
}

/* Whatever is done to the bytes: both ways say the same of them. */
Test(codec, a_row_means_the_same_whichever_way_it_is_read)
{
	uint32_t random = 5;
	size_t n_passed = 0;

	for (size_t i = 0; i < 30000; i++) {
		const struct row row = some_row(i / 30);
		buf_clear(&first);
		row_encode(&row, &first);
		for (size_t k = 0; k <= i % 3; k++) {
			random = random * 1664525 + 1013904223;
			first.data[(random >> 8) % first.len] = (uint8_t)(random >> (random >> 29));
		}
		const struct bytes whole = {first.data, first.len - i % 7 % 3};
		n_passed += is_read_in_one_pass(whole);
		check_same(whole);
	}
	cr_expect(gt(sz, n_passed, 1000));
}

/* What row_read() is to give of it. */
static void leave_wanted(struct row *r, const struct row_wish *wish)
{
	size_t n = 0;

	for (size_t i = 0; i < r->n_kpis; i++)
		for (size_t k = 0; k < wish->n_kpis; k++)
			if (strcmp(r->kpis[i].property, wish->kpis[k]) == 0)
				r->kpis[n++] = r->kpis[i];
	r->n_kpis = n;
	r->n_parents = 0;
	r->n_alarms = wish->alarms ? r->n_alarms : 0;
	if (wish->face)
		return;
	r->type = r->name = "";
	r->n_tags = 0;
}

Test(codec, what_is_wanted_of_a_row_is_what_decoding_it_gives)
{
	for (size_t i = 0; i < 1000; i++) {
		SCOPED(buf_fini) struct buf all = {0};
		SCOPED(buf_fini) struct buf some = {0};
		const struct row row = some_row(i);
		const char *const kpis[] = {kinds[i % 9].property, kinds[i % 7].property};
		const struct row_wish wish = {.face = i % 2,
					      .alarms = i / 2 % 2,
					      .kpis = kpis,
					      .n_kpis = i / 2 % 3 % (i % 9 == i % 7 ? 2 : 3)};
		struct row whole, read;
		buf_clear(&first);
		row_encode(&row, &first);
		const bool odd = !is_read_in_one_pass(buf_bytes(&first));
		arena_reset(arena);
		cr_assert(eq(int, row_decode(arena, buf_bytes(&first), &whole), 0));
		cr_assert(eq(int, row_read(arena, whole.id, buf_bytes(&first), &wish, &read), 0));
		if (!odd)
			leave_wanted(&whole, &wish);
		row_encode(&whole, &all);
		row_encode(&read, &some);
		cr_assert(bytes_equal(buf_bytes(&all), buf_bytes(&some)), "row %zu", i);
	}
}
