/* SPDX-License-Identifier: Apache-2.0 */
/* Bounds and forms of what a node and its command line say to each other. */
#include "tests/unit/proto/broken.h"

TestSuite(codec_control, .init = break_begin, .fini = break_end, .timeout = 60);

Test(codec_control, a_control_request_is_well_formed)
{
	MALFORMED(full_request, control_request, x.op = (enum control_op)0);
	MALFORMED(full_request, control_request, x.op = N_CONTROL_OPS);
	MALFORMED(full_request, control_request, x.twin = "acme");
	MALFORMED(full_request, control_request, x.property = "a b");
	MALFORMED(full_request, control_request, x.name = "a//b");
	MALFORMED(full_request, control_request, x.prefix = run(TWIN_ID_MAX + 1));
	MALFORMED(full_request, control_request, x.tag = "a/b");
	MALFORMED(full_request, control_request, x.alias = run(ALIAS_MAX + 1));
	MALFORMED(full_request, control_request, x.after = "\xff");
	MALFORMED(full_request, control_request, x.org = "a/b");
	MALFORMED(full_request, control_request, x.right = run(PROPERTY_MAX + 1));
	MALFORMED(full_request, control_request, x.text = run(POLICY_TEXT_MAX + 1));
	MALFORMED(full_request, control_request, x.kind = N_KINDS);
	MALFORMED(full_request, control_request, x.question.n_roots = 0);
	GOOD(full_request, control_request, (x.op = CONTROL_STATUS, x.question.n_roots = 0));
	const struct op drop = {.kind = OP_TWIN_DELETE, .id = "acme/a"};
	MALFORMED(full_request, control_request,
		  (x.ops = TIMES(10001, struct op, drop), x.n_ops = OPS_MAX + 1));
	GOOD(full_request, control_request, (x.ops = TIMES(10000, struct op, drop), x.n_ops = OPS_MAX));
}

#define NAME(twin, property) TIMES(10001, struct series_name, ((struct series_name){(twin), (property)}))

Test(codec_control, series_are_asked_for_by_names_and_handles)
{
	MALFORMED(full_request, control_request, x.step_ns = -1);
	MALFORMED(full_request, control_request, (x.names = NAME("acme", "p"), x.n_names = 1));
	MALFORMED(full_request, control_request, (x.names = NAME("acme/a", ""), x.n_names = 1));
	GOOD(full_request, control_request, (x.names = NAME("acme/a", "p"), x.n_names = SERIES_NAMES_MAX));
	MALFORMED(full_request, control_request,
		  (x.names = NAME("acme/a", "p"), x.n_names = SERIES_NAMES_MAX + 1));
	GOOD(full_request, control_request,
	     (x.handles = TIMES(10000, uint32_t, 7), x.n_handles = SERIES_NAMES_MAX));
	MALFORMED(full_request, control_request,
		  (x.handles = TIMES(10001, uint32_t, 7), x.n_handles = SERIES_NAMES_MAX + 1));
}

Test(codec_control, a_request_that_is_refused_can_still_be_answered)
{
	struct sample s = {.t_ns = 1, .value = {.type = VALUE_BOOL}, .sigma = -1};
	struct op op = {.kind = OP_SAMPLES, .samples = {"acme/a", "p", &s, 1}};
	struct control_request r = {.id = 4711, .op = CONTROL_CHANGE, .ops = &op, .n_ops = 1};

	control_request_encode(&r, &frame);
	cr_expect(eq(int, control_request_decode(arena, buf_bytes(&frame), &r), ERR_MALFORMED));
	cr_expect(eq(u64, control_request_id(arena, buf_bytes(&frame)), 4711));
	cr_expect(eq(u64, control_request_id(arena, BYTES("\xff")), 0));
}

Test(codec_control, without_a_kind_a_request_asks_for_all_kinds)
{
	struct control_request r = full_request;

	r.has_kind = false;
	control_request_encode(&r, &frame);
	r.has_kind = true;
	cr_assert(eq(int, control_request_decode(arena, buf_bytes(&frame), &r), 0));
	cr_expect(not(r.has_kind));
}

Test(codec_control, an_answer_says_the_type_of_every_series)
{
	struct control_answer r = full_answer;
	enum value_type beyond[] = {VALUE_BOOL, VALUE_POSITION + 1, VALUE_BOOL};

	MALFORMED(full_answer, control_answer, x.handle_types = beyond);
	MALFORMED(full_answer, control_answer,
		  (x.handles = TIMES(10001, uint32_t, 7), x.handle_types = NULL, x.n_handles = 10001));
	buf_clear(&frame);
	control_answer_encode(&full_answer, &frame);
	cr_assert(eq(int, control_answer_decode(arena, buf_bytes(&frame), &r), 0));
	cr_assert(eq(sz, r.n_handles, 3));
	cr_expect(eq(u32, r.handles[2], full_answer.handles[2]));
	cr_expect(eq(int, r.handle_types[1], VALUE_NONE));
	cr_expect(eq(int, r.handle_types[2], VALUE_POSITION));
	cr_expect(r.has_coarse_until && r.coarse_until_ns == -1);
	/* a handle without its type */
	cr_expect(eq(int, control_answer_decode(arena, BYTES("\xb2\x01\x04\1\0\0\0"), &r), ERR_MALFORMED));
	cr_expect(eq(int, control_answer_decode(arena, BYTES("\xb2\x01\x04\1\0\0\0\xba\x01\x01\3"), &r), 0));
}

Test(codec_control, a_control_answer_is_well_formed)
{
	MALFORMED(full_answer, control_answer, x.code = 7);
	MALFORMED(full_answer, control_answer, x.unit = run(UNIT_MAX + 1));
	MALFORMED(full_answer, control_answer, x.text = run(POLICY_TEXT_MAX + 1));
	MALFORMED(full_answer, control_answer,
		  x.refused = TIMES(2, struct refusal, ((struct refusal){0, 0, run(SENTENCE_MAX + 1)})));
	MALFORMED(full_answer, control_answer,
		  x.notes = TIMES(1, struct change_note, ((struct change_note){.text = run(NOTE_MAX + 1)})));
	MALFORMED(full_answer, control_answer,
		  x.orgs = TIMES(1, struct org_info, ((struct org_info){.name = "a/b"})));
	MALFORMED(full_answer, control_answer, x.status.state = run(SENTENCE_MAX + 1));
	MALFORMED(full_answer, control_answer, x.done.what = run(SENTENCE_MAX + 1));
	MALFORMED(full_answer, control_answer,
		  x.peers = TIMES(1, struct peer_info, ((struct peer_info){.state = run(SENTENCE_MAX + 1)})));
	MALFORMED(full_answer, control_answer,
		  x.twins = TIMES(1, struct twin_def, ((struct twin_def){.id = "a"})));
}

Test(codec_control, the_op_as_a_whole_is_told_from_its_first_sample)
{
	struct control_answer r;

	control_answer_encode(&full_answer, &frame);
	cr_assert(eq(int, control_answer_decode(arena, buf_bytes(&frame), &r), 0));
	cr_assert(eq(sz, r.n_refused, 2));
	cr_expect(eq(u32, r.refused[0].sample, UINT32_MAX));
	cr_expect(eq(u32, r.refused[1].sample, 0));
}

Test(codec_control, a_report_names_a_node_and_its_lists_are_bounded)
{
	static struct peer_info peers[REPORT_LIST_MAX + 1];
	static struct origin_info origins[] = {{.origin = "acme", .state = ""}};

	GOOD(full_mesh_answer, message,
	     (x.answer.report.peers = peers, x.answer.report.n_peers = REPORT_LIST_MAX));
	MALFORMED(full_mesh_answer, message,
		  (x.answer.report.peers = peers, x.answer.report.n_peers = REPORT_LIST_MAX + 1));
	MALFORMED(full_mesh_answer, message, x.answer.report.node = "a/b");
	MALFORMED(full_mesh_answer, message, x.answer.report.origins = origins);
}

#define WORD(s) TIMES(1001, struct command_word, ((struct command_word){"id", (s), ""}))

Test(codec_control, a_word_of_an_asset_is_one_that_an_asset_may_say)
{
	MALFORMED(full_request, control_request, (x.words = WORD(COMMAND_PENDING), x.n_words = 1));
	MALFORMED(full_request, control_request, (x.words = WORD(COMMAND_TIMED_OUT), x.n_words = 1));
	GOOD(full_request, control_request, (x.words = WORD(COMMAND_DONE), x.n_words = COMMAND_WORDS_MAX));
	MALFORMED(full_request, control_request,
		  (x.words = WORD(COMMAND_DONE), x.n_words = COMMAND_WORDS_MAX + 1));
}

Test(codec_control, an_order_is_well_formed)
{
	static struct argument arguments[PARAMETERS_MAX + 1];
	const struct order *good = full_answer.orders;

	for (size_t i = 0; i <= PARAMETERS_MAX; i++)
		arguments[i] = (struct argument){"a", {.type = VALUE_BOOL}};
#define ORDER(change) \
	__extension__({ \
		struct order order = *good; \
		order.arguments = arguments; \
		change; \
		x.orders = TIMES(1, struct order, order); \
		x.n_orders = 1; \
	})
	GOOD(full_answer, control_answer, ORDER(order.n_arguments = PARAMETERS_MAX));
	MALFORMED(full_answer, control_answer, ORDER(order.n_arguments = PARAMETERS_MAX + 1));
	MALFORMED(full_answer, control_answer, ORDER(order.twin = "acme"));
	MALFORMED(full_answer, control_answer, ORDER(order.operation = ""));
}

Test(codec_control, an_alarm_is_well_formed)
{
	const struct twin_alarm *good = full_answer.twin_alarms;

#define ALARM(change) \
	__extension__({ \
		struct twin_alarm twin = *good; \
		change; \
		x.twin_alarms = TIMES(1, struct twin_alarm, twin); \
		x.n_twin_alarms = 1; \
	})
	GOOD(full_answer, control_answer, ALARM(twin.alarm.severity = HEALTH_WARNING));
	MALFORMED(full_answer, control_answer, ALARM(twin.alarm.severity = HEALTH_GOOD));
	MALFORMED(full_answer, control_answer, ALARM(twin.alarm.state = ALARM_CLEARED));
	MALFORMED(full_answer, control_answer, ALARM(twin.alarm.what = "a b"));
	MALFORMED(full_answer, control_answer, ALARM(twin.alarm.name = ""));
	MALFORMED(full_answer, control_answer, ALARM(twin.origin = "acme"));
}

Test(codec_control, the_record_of_a_command_has_an_end)
{
	struct bytes record = blob(COMMAND_RECORD_MAX);

	GOOD(full_answer, control_answer, (x.commands = &record));
	record = blob(COMMAND_RECORD_MAX + 1);
	MALFORMED(full_answer, control_answer, (x.commands = &record));
}
