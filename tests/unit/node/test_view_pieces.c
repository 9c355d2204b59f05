/* SPDX-License-Identifier: Apache-2.0 */
/* A view in pieces, and put together again. */
#include "node/view_pieces.h"

#include <criterion/criterion.h>
#include <criterion/new/assert.h>
#include <math.h>
#include <stdio.h>

#include "proto/limits.h"
#include "proto/message.h"
#include "tests/lib/must.h"

enum { MEMBERS = 300, EDGES = 70, CELLS = 40, SOURCES = 20, PROBLEMS = 5, PIECES_MAX = 4096 };

static struct arena *a;
static struct rollup_spec spec = {.fn = ROLLUP_QUANTILE, .property = "power", .quantile = 0.5};

static void set_up(void)
{
	must(arena_new(&a, 256 << 20) == 0);
}

static void tear_down(void)
{
	arena_free(a);
	a = NULL;
}

TestSuite(view_pieces, .init = set_up, .fini = tear_down, .timeout = 60);

/* A state with as many buckets as `n`, at most. */
static struct rollup_state *state_of(size_t n)
{
	struct rollup_state *s = arena_take(a, sizeof *s);
	struct rollup_item item = {.unit = "kW", .twin = "acme/x", .sigma = NAN};
	struct err_note note;

	for (size_t i = 0; i < n; i++) {
		item.number = exp(0.011 * (double)i);
		must(rollup_add(a, &spec, s, &item, &note) == 0);
	}
	s->unit = s->n > 0 ? "kW" : NULL;
	return s;
}

static struct view_part whole_view(void)
{
	struct view_part v = {.n_members = MEMBERS,
			      .n_edges = EDGES,
			      .n_cells = CELLS,
			      .n_sources = SOURCES,
			      .n_problems = PROBLEMS,
			      .n_rollups = 1,
			      .cut = true,
			      .counts = {.members = 9, .filtered = 2}};

	v.members = arena_take_array(a, MEMBERS, sizeof *v.members);
	v.edges = arena_take_array(a, EDGES, sizeof *v.edges);
	v.cells = arena_take_array(a, CELLS, sizeof *v.cells);
	v.sources = arena_take_array(a, SOURCES, sizeof *v.sources);
	v.problems = arena_take_array(a, PROBLEMS, sizeof *v.problems);
	for (size_t i = 0; i < MEMBERS; i++)
		v.members[i] = (struct view_member){.id = arena_print(a, "acme/m%zu", i),
						    .parent = "",
						    .type = "",
						    .name = "",
						    .rollups = state_of(i % 50)};
	for (size_t i = 0; i < EDGES; i++)
		v.edges[i] = (struct view_edge){
			.anchor = "acme/m0", .parent = "acme/m0", .child = arena_print(a, "volt/e%zu", i)};
	for (size_t i = 0; i < CELLS; i++)
		v.cells[i] = (struct view_cell){
			.group = arena_print(a, "g%03zu", i), .members = i, .rollups = state_of(i)};
	for (size_t i = 0; i < SOURCES; i++)
		v.sources[i] = (struct view_source){.org = "acme", .node = arena_print(a, "n%zu", i)};
	for (size_t i = 0; i < PROBLEMS; i++)
		v.problems[i] = arena_print(a, "problem %zu", i);
	return v;
}

static size_t bytes_of(const struct view_part *piece)
{
	SCOPED(buf_fini) struct buf b = {0};
	const struct message m = {
		.kind = MESSAGE_ANSWER,
		.nonce = UINT64_MAX,
		.frame = UINT64_MAX,
		.answer = {.id = UINT64_MAX, .kind = QUESTION_VIEW, .text = "", .unit = "", .view = *piece}};

	message_encode(&m, &b);
	must(buf_check(&b) == 0);
	return b.len;
}

static size_t cut_up(const struct view_part *whole, size_t fill, const struct view_part **ret)
{
	struct view_place place = {0};
	struct view_part *piece;
	size_t n = 0;
	bool more;

	do {
		piece = arena_take(a, sizeof *piece);
		must(piece && n < PIECES_MAX);
		more = view_piece(whole, fill, &place, piece);
		ret[n++] = piece;
	} while (more);
	return n;
}

Test(view_pieces, no_piece_is_larger_than_it_may_be)
{
	const struct view_part whole = whole_view();
	const struct view_part *pieces[PIECES_MAX];
	const size_t n = cut_up(&whole, FRAME_FILL, pieces);

	cr_expect(n > 1);
	for (size_t i = 0; i < n; i++)
		cr_expect(bytes_of(pieces[i]) <= FRAME_FILL + 256, "%zu bytes", bytes_of(pieces[i]));
}

Test(view_pieces, together_they_are_the_whole)
{
	static const size_t fills[] = {0, 500, 4096, FRAME_FILL, SIZE_MAX};
	const struct view_part whole = whole_view();

	for (size_t f = 0; f < sizeof fills / sizeof *fills; f++) {
		const struct view_part *pieces[PIECES_MAX];
		struct view_part at = {0};
		const size_t n = cut_up(&whole, fills[f], pieces);
		cr_expect(fills[f] == SIZE_MAX ? n == 1 : n > 1);
		for (size_t i = 0; i < n; i++) {
			const struct view_part *p = pieces[i];
			cr_assert(p->n_members == 0 || p->members == whole.members + at.n_members);
			cr_assert(p->n_edges == 0 || p->edges == whole.edges + at.n_edges);
			cr_assert(p->n_cells == 0 || p->cells == whole.cells + at.n_cells);
			cr_expect(eq(sz, p->n_rollups, 1));
			at.n_members += p->n_members;
			at.n_edges += p->n_edges;
			at.n_cells += p->n_cells;
			at.n_sources += p->n_sources;
			at.n_problems += p->n_problems;
			at.counts.members += p->counts.members;
			cr_expect(p->cut == (i + 1 == n), "what is said of the whole is said once");
		}
		cr_expect(eq(sz, at.n_members, MEMBERS));
		cr_expect(eq(sz, at.n_edges, EDGES));
		cr_expect(eq(sz, at.n_cells, CELLS));
		cr_expect(eq(sz, at.n_sources, SOURCES));
		cr_expect(eq(sz, at.n_problems, PROBLEMS));
		cr_expect(eq(u64, at.counts.members, 9));
	}
}

Test(view_pieces, of_nothing_there_is_one)
{
	const struct view_part nothing = {.n_rollups = 2};
	struct view_place place = {0};
	struct view_part piece;

	cr_expect(not(view_piece(&nothing, FRAME_FILL, &place, &piece)));
	cr_expect(eq(sz, piece.n_rollups, 2));
	cr_expect(eq(sz, view_largest_item(&nothing), 0));
}

Test(view_pieces, an_item_is_never_taken_for_smaller_than_it_is)
{
	struct kpi value = {.property = "note",
			    .unit = "",
			    .sample = {.t_ns = INT64_MIN,
				       .sigma = 0.1,
				       .quality = QUALITY_BAD,
				       .value = {.type = VALUE_TEXT, .text = "a text of some length"}}};
	struct view_member m = {.id = "acme/m",
				.parent = "acme/p",
				.type = "t",
				.name = "a name",
				.values = &value,
				.n_values = 1};
	struct view_part v = {.members = &m, .n_members = 1, .n_rollups = 1};
	const struct view_part empty = {.n_rollups = 1};

	for (size_t n = 0; n < 3000; n = 2 * n + 1) {
		m.rollups = state_of(n);
		m.rollups->n_sigma = m.rollups->n;
		m.rollups->t_ns = INT64_MIN;
		m.rollups->unit_twin = "acme/brought/the/unit";
		const size_t really = bytes_of(&v) - bytes_of(&empty);
		cr_expect(view_largest_item(&v) >= really, "%zu, but has %zu", view_largest_item(&v), really);
	}
}
