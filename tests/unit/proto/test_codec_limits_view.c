/* SPDX-License-Identifier: Apache-2.0 */
/* Each bound and each form that a decoder promises of views: one thing is broken in an otherwise good object.
 */
#include "proto/expr.h"
#include "tests/unit/proto/broken.h"

TestSuite(codec_limits_view, .init = break_begin, .fini = break_end, .timeout = 60);

Test(codec_limits_view, a_view_question_has_roots_and_bounds)
{
	struct view_root r = {.id = "acme/a", .parent = ""};
	struct rollup_spec s = {.fn = ROLLUP_SUM, .property = "p"};

	MALFORMED(full_view_question, message, x.question.view.n_roots = 0);
	GOOD(full_view_question, message,
	     (x.question.view.roots = TIMES(1024, struct view_root, r),
	      x.question.view.n_roots = ROOTS_FRAME_MAX));
	MALFORMED(full_view_question, message,
		  (x.question.view.roots = TIMES(1025, struct view_root, r),
		   x.question.view.n_roots = ROOTS_FRAME_MAX + 1));
	MALFORMED(full_view_question, message,
		  (r.from_ns = 1, x.question.view.roots = &r, x.question.view.n_roots = 1));
	r.from_ns = 0;
	MALFORMED(full_view_question, message,
		  (r.parent = "acme", x.question.view.roots = &r, x.question.view.n_roots = 1));
	MALFORMED(full_view_question, message,
		  (r.id = "", x.question.view.roots = &r, x.question.view.n_roots = 1));
	MALFORMED(
		full_view_question, message,
		(x.question.view.rollups = TIMES(33, struct rollup_spec, s), x.question.view.n_rollups = 33));
	MALFORMED(full_view_question, message,
		  (s.fn = N_ROLLUP_FNS, x.question.view.rollups = &s, x.question.view.n_rollups = 1));
	MALFORMED(full_view_question, message,
		  (s.fn = ROLLUP_SUM, s.property = "", x.question.view.rollups = &s,
		   x.question.view.n_rollups = 1));
	MALFORMED(full_view_question, message,
		  (s = (struct rollup_spec){ROLLUP_WORST_HEALTH, "p", 0}, x.question.view.rollups = &s,
		   x.question.view.n_rollups = 1));
	MALFORMED(full_view_question, message,
		  (s = (struct rollup_spec){ROLLUP_QUANTILE, "p", 1.5}, x.question.view.rollups = &s,
		   x.question.view.n_rollups = 1));
	GOOD(full_view_question, message,
	     (s = (struct rollup_spec){ROLLUP_COUNT, "", 0}, x.question.view.rollups = &s,
	      x.question.view.n_rollups = 1));
	MALFORMED(full_view_question, message, x.question.view.hierarchy = "");
	MALFORMED(full_view_question, message, x.question.view.fresh_ns = -1);
	MALFORMED(full_view_question, message, x.question.view.deadline_ns = -1);
}

Test(codec_limits_view, what_is_selected_has_bounds)
{
	MALFORMED(full_view_question, message, x.question.view.where = run(EXPR_TEXT_MAX + 1));
	MALFORMED(full_view_question, message, x.question.view.by = N_VIEW_GROUPS);
	MALFORMED(full_view_question, message, x.question.view.by = GROUP_KIND);
	MALFORMED(full_view_question, message, x.question.view.by_property = "");
	MALFORMED(full_view_question, message, x.question.view.by_property = "a b");
	MALFORMED(full_view_question, message, x.question.view.show = TIMES(2, const char *, "a b"));
	GOOD(full_view_question, message,
	     (x.question.view.show = many(SHOW_MAX), x.question.view.n_show = SHOW_MAX));
	MALFORMED(full_view_question, message,
		  (x.question.view.show = many(SHOW_MAX + 1), x.question.view.n_show = SHOW_MAX + 1));
	MALFORMED(full_view_question, message, x.question.view.after = "acme");
	MALFORMED(full_view_question, message, x.question.index = ROOTS_MAX);
	MALFORMED(full_view_question, message, x.question.kind = QUESTION_FIND);
	MALFORMED(full_find_question, message, x.question.kind = QUESTION_VIEW);
}

Test(codec_limits_view, a_series_has_times)
{
	GOOD(full_series_question, message, x.question.view.to_ns = -60 + 60 * (VIEW_TIMES_MAX - 1));
	MALFORMED(full_series_question, message, x.question.view.to_ns = -60 + 60 * VIEW_TIMES_MAX);
	MALFORMED(full_series_question, message, x.question.view.to_ns = -61);
	MALFORMED(full_series_question, message, x.question.view.step_ns = 0);
	MALFORMED(full_series_question, message, x.question.view.step_ns = -1);
	MALFORMED(full_series_question, message, x.question.view.has_as_of = true);
	MALFORMED(full_series_question, message,
		  (x.question.view.from_ns = INT64_MIN, x.question.view.to_ns = INT64_MAX,
		   x.question.view.step_ns = 1));
}

Test(codec_limits_view, cells_rise)
{
	struct view_cell c[2] = {{"a", 1, 0, NULL}, {"a", 1, 0, NULL}};

	MALFORMED(full_view_answer, message,
		  (x.answer.view.cells = c, x.answer.view.n_cells = 2, x.answer.view.gone = NULL,
		   x.answer.view.n_gone = 0));
	c[1].t_ns = 0;
	MALFORMED(full_view_answer, message, (x.answer.view.cells = c, x.answer.view.n_cells = 2));
	c[1] = (struct view_cell){"b", 1, 0, NULL};
	GOOD(full_view_answer, message, (x.answer.view.cells = c, x.answer.view.n_cells = 2));
	c[1].group = run(TEXT_VALUE_MAX + 1);
	MALFORMED(full_view_answer, message, (x.answer.view.cells = c, x.answer.view.n_cells = 2));
	MALFORMED(full_view_answer, message, x.answer.view.gone = TIMES(2, const char *, "acme"));
}

#define MEMBER(change) \
	MALFORMED(full_view_answer, message, struct view_member m = x.answer.view.members[0]; change; \
		  x.answer.view.members = &m; x.answer.view.n_members = 1)
#define SOURCE(change) \
	MALFORMED(full_view_answer, message, struct view_source s = x.answer.view.sources[0]; change; \
		  x.answer.view.sources = &s; x.answer.view.n_sources = 1)
#define EDGE(change) \
	MALFORMED(full_view_answer, message, struct view_edge e = x.answer.view.edges[0]; change; \
		  x.answer.view.edges = &e; x.answer.view.n_edges = 1)

Test(codec_limits_view, the_parts_of_a_view_are_checked)
{
	const struct kpi shown = {"p", "", {.sigma = NAN}};

	MEMBER(m.id = "");
	MEMBER(m.parent = "acme");
	MEMBER(m.state = N_MEMBER_STATES);
	MEMBER(m.kind = N_KINDS);
	MEMBER(m.type = "a b");
	MEMBER(m.name = "\xff");
	MEMBER(m.life = N_LIFE_CYCLES);
	MEMBER(m.health = N_HEALTHS);
	SOURCE(s.org = "");
	SOURCE(s.node = "a/b");
	SOURCE(s.age_ns = -1);
	SOURCE(s.state = N_MEMBER_STATES);
	EDGE(e.anchor = "acme");
	EDGE(e.parent = "acme");
	EDGE(e.child = "");
	EDGE(e.from_ns = e.to_ns + 1);
	MEMBER(m.values = TIMES(33, struct kpi, shown); m.n_values = SHOW_MAX + 1);
	MALFORMED(full_view_answer, message, x.answer.view.n_members = x.answer.view.n_cells = 0;
		  x.answer.view.n_rollups = ROLLUPS_MAX + 1;
		  x.answer.view.rollups = TIMES(33, struct rollup_state, ((struct rollup_state){0})));
	MALFORMED(full_view_answer, message,
		  x.answer.view.problems = TIMES(2, const char *, run(SENTENCE_MAX + 1)));
}

#define STATE(expected, change) \
	DECODES(full_view_answer, message, struct rollup_state s[2] = {x.answer.view.rollups[0]}; change; \
		x.answer.view.rollups = s, expected)

Test(codec_limits_view, a_roll_up_state_is_numbers)
{
	STATE(0, s[0].sum = INFINITY);
	STATE(ERR_MALFORMED, s[0].sum = NAN);
	STATE(ERR_MALFORMED, s[0].carry = INFINITY);
	STATE(ERR_MALFORMED, s[0].min = NAN);
	STATE(ERR_MALFORMED, s[0].max = -INFINITY);
	STATE(ERR_MALFORMED, s[0].max = -2); /* below the minimum */
	STATE(ERR_MALFORMED, s[0].unit = run(UNIT_MAX + 1));
	STATE(ERR_MALFORMED, s[0].unit_twin = "acme");
	STATE(0, s[0].m2 = INFINITY);
	STATE(ERR_MALFORMED, s[0].m2 = -1);
	STATE(ERR_MALFORMED, s[0].variance = NAN);
	STATE(ERR_MALFORMED, s[0].min_sigma = -2);
	STATE(ERR_MALFORMED, s[0].max_sigma = INFINITY);
	STATE(ERR_MALFORMED, s[0].n_sigma = s[0].n + 1);
	STATE(ERR_MALFORMED, s[0].n_uncertain = s[0].n + 1);
	STATE(ERR_MALFORMED,
	      s[0].sketch.buckets = TIMES(3, struct sketch_bucket, ((struct sketch_bucket){1, 1})));
	STATE(ERR_MALFORMED,
	      s[0].sketch.buckets = TIMES(3, struct sketch_bucket, ((struct sketch_bucket){0})));
}

Test(codec_limits_view, members_without_roll_ups_get_empty_ones)
{
	struct message m = full_view_answer;
	struct view_member bare = m.answer.view.members[1];

	bare.rollups = NULL;
	m.answer.view.members = &bare;
	m.answer.view.n_members = 1;
	m.answer.view.rollups = NULL;
	message_encode(&m, &frame);
	cr_assert(eq(int, message_decode(arena, buf_bytes(&frame), &m), 0));
	cr_expect(m.answer.view.rollups == NULL);
	cr_expect(eq(sz, m.answer.view.n_rollups, 2));
	cr_assert(m.answer.view.members[0].rollups != NULL);
	cr_expect(eq(u64, m.answer.view.members[0].rollups[1].n, 0));
}

Test(codec_limits_view, roll_up_states_are_as_many_as_the_question_has_and_whole)
{
	struct message m;
	static const struct {
		struct bytes part; /* a ViewPart */
		int expected;
	} parts[] = {
		/* n_rollups_of_question 1, one total of four numbers */
		{{(const uint8_t *)"\x28\x01\x32\x22\x12\x20\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0"
				   "\0\0\0\0\0\0\0\0",
		  38},
		 0},
		/* the same of three numbers */
		{{(const uint8_t *)"\x28\x01\x32\x1a\x12\x18\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0",
		  30},
		 ERR_MALFORMED},
		/* two in the question, one total */
		{{(const uint8_t *)"\x28\x02\x32\x22\x12\x20\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0"
				   "\0\0\0\0\0\0\0\0",
		  38},
		 ERR_MALFORMED},
	};

	for (size_t i = 0; i < sizeof parts / sizeof parts[0]; i++) {
		buf_clear(&frame);
		buf_put(&frame, BYTES("\x10\x01\x8a\x01")); /* frame 1, an answer */
		buf_put_u8(&frame, (uint8_t)(parts[i].part.len + 4));
		buf_put(&frame, BYTES("\x30\x01\x3a")); /* to a view */
		buf_put_u8(&frame, (uint8_t)parts[i].part.len);
		buf_put(&frame, parts[i].part);
		cr_expect(eq(int, message_decode(arena, buf_bytes(&frame), &m), parts[i].expected),
			  "part %zu", i);
	}
}
