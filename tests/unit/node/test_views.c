/* SPDX-License-Identifier: Apache-2.0 */
/* A view as the node that asks makes it: whom it asks, and what it makes of what they say. The mesh is not
 * there: what would be sent is kept, and answered by the test. */
#include "node/views.h"

#include <criterion/criterion.h>
#include <criterion/new/assert.h>
#include <math.h>
#include <stdio.h>

#include "node/alarms.h"
#include "node/asks.h"
#include "node/gossip.h"
#include "proto/clock.h"
#include "tests/lib/must.h"
#include "tests/unit/node/world.h"

enum { SAID_MAX = 64, MANY = 3000 };

static struct arena *a;
static struct session
	volt = {.id = 1, .org = "volt", .node = "v1", .open = true, .features = FEATURE_VIEW},
	harbor = {.id = 7, .org = "harbor", .node = "h1", .open = true, .features = FEATURE_VIEW},
	other_volt = {.id = 9, .org = "volt", .node = "v2", .open = true, .features = FEATURE_VIEW},
	fellow = {.id = 2, .org = "acme", .node = "n2", .own = true, .open = true, .features = FEATURE_VIEW};
static struct said {
	uint32_t session;
	struct question question;
} said[SAID_MAX];
static size_t n_said;
static const struct session *volts_border; /* who is found of volt; NULL: nobody */
static bool fellow_is_away;
static const struct audience ourselves = {.org = ""};
static struct rollup_spec sum = {.fn = ROLLUP_SUM, .property = "power"};

/* The view, once there is one. */
static bool is_done, was_clean;
static int done_code;
static struct view_counts counts;
static double total;
static char problems[4096];

int __wrap_gossip_say(struct gossip *g, uint32_t session, const struct message *m);
const struct session *__wrap_gossip_find(const struct gossip *g, const char *org, const char *node);
const struct session *__wrap_gossip_session(const struct gossip *g, uint32_t id);
int64_t __wrap_gossip_age(const struct gossip *g, const char *origin);
int64_t __wrap_engine_mono_ns(void);

/* Time passes when somebody looks at the clock. */
static int64_t now_ns, look_ns;

int64_t __wrap_engine_mono_ns(void)
{
	return now_ns += look_ns;
}

int __wrap_gossip_say(struct gossip *g, uint32_t session, const struct message *m)
{
	SCOPED(buf_fini) struct buf b = {0};
	struct message whole = *m, copy;

	(void)g;
	whole.nonce = whole.frame = 1;
	message_encode(&whole, &b);
	must(buf_check(&b) == 0 && b.len <= FRAME_BORDER_MAX && n_said < SAID_MAX);
	must(message_decode(a, buf_bytes(&b), &copy) == 0 && copy.kind == MESSAGE_QUESTION);
	said[n_said++] = (struct said){session, copy.question};
	return 0;
}

const struct session *__wrap_gossip_find(const struct gossip *g, const char *org, const char *node)
{
	(void)g;
	if (strcmp(org, "volt") == 0)
		return volts_border;
	if (strcmp(org, "harbor") == 0)
		return &harbor;
	return strcmp(org, "acme") == 0 && strcmp(node, "n2") == 0 && !fellow_is_away ? &fellow : NULL;
}

const struct session *__wrap_gossip_session(const struct gossip *g, uint32_t id)
{
	(void)g;
	if (id == harbor.id)
		return &harbor;
	return id == volt.id ? &volt : id == other_volt.id ? &other_volt : id == fellow.id ? &fellow : NULL;
}

int64_t __wrap_gossip_age(const struct gossip *g, const char *origin)
{
	(void)g, (void)origin;
	return INT64_MAX;
}

static void set_up(void)
{
	world_set_up();
	must(arena_new(&a, 256 << 20) == 0);
	must(views_start(&world.views, &world) == 0 && asks_start(&world.asks, &world) == 0 &&
	     alarms_new(&world.alarms) == 0);
	world_type("press", "power", NULL, "kW");
	world_twin("acme/site", "press", NULL);
	world_value("acme/site", "power", 5, 1);
	n_said = 0;
	now_ns = NS_PER_S;
	look_ns = 100;
	is_done = false;
	problems[0] = '\0';
	volt.features = FEATURE_VIEW;
	volts_border = &volt;
	fellow_is_away = false;
}

static void on_stopped(struct engine *e)
{
	(void)e;
}

static void tear_down(void)
{
	asks_stop(world.asks, on_stopped);
	uv_run(&world.loop, UV_RUN_DEFAULT);
	asks_free(world.asks);
	views_free(world.views);
	alarms_free(world.alarms);
	arena_free(a);
	world.asks = NULL;
	world.views = NULL;
	world.alarms = NULL;
	a = NULL;
	world_tear_down();
}

TestSuite(views, .init = set_up, .fini = tear_down, .timeout = 60);

static void on_view(void *ctx, int code, const struct err_note *note, const struct view_part *view)
{
	size_t at = 0;

	(void)ctx, (void)note;
	must(!is_done);
	is_done = true;
	done_code = code;
	was_clean = view_is_clean(view);
	counts = view->counts;
	must(code < 0 || rollup_value(&view->rollups[0], &sum, &total));
	for (size_t i = 0; i < view->n_problems && at < sizeof problems; i++)
		at += (size_t)snprintf(problems + at, sizeof problems - at, "%s\n", view->problems[i]);
}

/* acme/site, and what belongs to it. */
static void ask(struct view_question q)
{
	struct view_root root = {.id = "acme/site", .parent = ""};

	q.roots = &root;
	q.n_roots = 1;
	q.hierarchy = "contains";
	q.rollups = &sum;
	q.n_rollups = 1;
	q.where = q.where ? q.where : "";
	q.by_property = "";
	q.deadline_ns = 60 * NS_PER_S;
	must(views_ask(world.views, &ourselves, &q, on_view, NULL) == 0);
}

static void settle(void)
{
	for (int i = 0; i < 1000 && !is_done; i++)
		uv_run(&world.loop, UV_RUN_NOWAIT);
}

static struct view_member member_of(const char *id, const char *parent, double power)
{
	struct rollup_state *s = arena_take(a, sizeof *s);
	const struct rollup_item item = {.number = power, .sigma = NAN, .t_ns = 5, .unit = "kW", .twin = id};
	struct err_note note;

	must(rollup_add(a, &sum, s, &item, &note) == 0);
	return (struct view_member){.id = id, .parent = parent, .type = "", .name = "", .rollups = s};
}

static struct view_source volts = {.org = "volt", .node = "v1", .state = MEMBER_LIVE};

/* A frame of the answer to the last question. */
static void answer(uint32_t index, bool last, struct view_member m)
{
	const struct answer part = {.id = said[n_said - 1].question.id,
				    .index = index,
				    .last = last,
				    .kind = QUESTION_VIEW,
				    .text = "",
				    .unit = "",
				    .view = {.members = &m,
					     .n_members = 1,
					     .n_rollups = 1,
					     .sources = &volts,
					     .n_sources = 1,
					     .counts = {.members = 1, .live = 1}}};

	asks_on_answer(world.asks, said[n_said - 1].session, &part);
}

static size_t alarms_about(const char *peer)
{
	struct alarm_info *all;
	size_t n, found = 0;

	must(alarms_list(world.alarms, a, &all, &n) == 0);
	for (size_t i = 0; i < n; i++)
		found += strcmp(all[i].about, peer) == 0;
	return found;
}

Test(views, what_its_owner_answers_is_in_the_total)
{
	world_relation("contains", "acme/site", "volt/plant");
	ask((struct view_question){0});
	cr_assert(eq(sz, n_said, 1));
	cr_expect(eq(u32, said[0].session, volt.id));
	cr_expect_str_eq(said[0].question.view.roots[0].id, "volt/plant");
	answer(0, true, member_of("volt/plant", "", 10));
	settle();
	cr_assert(is_done && done_code == 0);
	cr_expect(eq(dbl, total, 11));
	cr_expect(was_clean, "%s", problems);
	cr_expect(eq(sz, alarms_about("volt/v1"), 0));
}

Test(views, nothing_is_taken_of_an_answer_with_what_nobody_asked_for)
{
	world_relation("contains", "acme/site", "volt/plant");
	ask((struct view_question){0});
	answer(0, false, member_of("volt/plant", "", 10));
	answer(1, true, member_of("harbor/dock", "volt/plant", 1000));
	settle();
	cr_assert(is_done && done_code == 0);
	cr_expect(eq(dbl, total, 1));
	cr_expect(not(was_clean));
	cr_expect(strstr(problems, "volt/v1 answered with what it was not asked for") != NULL, "%s",
		  problems);
	cr_expect(eq(sz, alarms_about("volt/v1"), 1));
}

Test(views, a_frame_of_another_shape_spoils_the_answer)
{
	world_relation("contains", "acme/site", "volt/plant");
	ask((struct view_question){0});
	struct view_member m = member_of("volt/plant", "", 10);
	const struct answer part = {.id = said[0].question.id,
				    .last = true,
				    .kind = QUESTION_VIEW,
				    .text = "",
				    .unit = "",
				    .view = {.members = &m, .n_members = 1, .n_rollups = 0}};
	m.rollups = NULL;
	asks_on_answer(world.asks, volt.id, &part);
	settle();
	cr_assert(is_done);
	cr_expect(not(was_clean));
	cr_expect(eq(sz, alarms_about("volt/v1"), 1));
}

Test(views, silence_is_never_clean)
{
	world_relation("contains", "acme/site", "volt/plant"); /* of which nothing is held */
	ask((struct view_question){0});
	asks_on_down(world.asks, volt.id);
	settle();
	cr_assert(is_done && done_code == 0);
	cr_expect(eq(dbl, total, 1));
	cr_expect(not(was_clean));
}

Test(views, a_session_that_breaks_is_not_the_only_one)
{
	world_relation("contains", "acme/site", "volt/plant");
	ask((struct view_question){0});
	volts_border = &other_volt;
	asks_on_down(world.asks, volt.id);
	cr_assert(eq(sz, n_said, 2));
	cr_expect(eq(u32, said[1].session, other_volt.id));
	cr_expect_str_eq(said[1].question.view.roots[0].id, "volt/plant");
	answer(0, true, member_of("volt/plant", "", 10));
	settle();
	cr_assert(is_done && done_code == 0);
	cr_expect(eq(dbl, total, 11));
	cr_expect(was_clean, "%s", problems);
}

Test(views, sessions_that_break_again_and_again_end_the_asking)
{
	world_relation("contains", "acme/site", "volt/plant");
	ask((struct view_question){0});
	for (size_t i = 0; i < SAID_MAX && !is_done; i++) {
		volts_border = volts_border == &volt ? &other_volt : &volt;
		asks_on_down(world.asks, said[n_said - 1].session);
	}
	settle();
	cr_assert(is_done && done_code == 0);
	cr_expect(n_said < SAID_MAX);
	cr_expect(not(was_clean));
}

Test(views, a_refusal_of_the_question_itself_is_said)
{
	world_relation("contains", "acme/site", "volt/plant");
	ask((struct view_question){0});
	asks_on_answer(world.asks, volt.id,
		       &(struct answer){.id = said[0].question.id,
					.last = true,
					.code = -EMSGSIZE,
					.kind = QUESTION_VIEW,
					.text = "too large",
					.unit = ""});
	settle();
	cr_assert(is_done && done_code == 0);
	cr_expect(not(was_clean));
	cr_expect(strstr(problems, "volt/v1 does not answer this view: too large") != NULL, "%s", problems);
	cr_expect(eq(sz, alarms_about("volt/v1"), 0));
}

Test(views, an_earlier_release_is_asked_what_it_understands_and_nothing_else)
{
	static const char *const shown[] = {"power"};
	const char *show[] = {shown[0]};
	const struct view_question news[] = {{.where = "power > 5 kW"},
					     {.by = GROUP_KIND},
					     {.show = show, .n_show = 1},
					     {.to_ns = 9, .step_ns = 1}};

	volt.features = 0;
	world_relation("contains", "acme/site", "volt/plant");
	for (size_t i = 0; i < sizeof news / sizeof *news; i++) {
		is_done = false;
		ask(news[i]);
		settle();
		cr_assert(is_done && done_code == 0);
		cr_expect(eq(sz, n_said, 0), "%zu", i);
		cr_expect(not(was_clean));
		cr_expect(strstr(problems, "volt/v1 runs an earlier release") != NULL, "%s", problems);
	}
	is_done = false;
	ask((struct view_question){0});
	cr_assert(eq(sz, n_said, 1));
	answer(0, true, member_of("volt/plant", "", 10));
	settle();
	cr_expect(was_clean, "%s", problems);
}

static void put_rows(struct op_rows rows)
{
	rows.origin = "acme/n2";
	rows.cursor = bytes_of_text("c");
	world_put(&(struct op){.kind = OP_ROWS, .rows = rows}, 1);
}

/* Its row was there, and is not: what n2 has is being repaired, or it was deleted long ago. */
Test(views, what_nothing_is_known_of_is_missing_while_somebody_is_away)
{
	SCOPED(buf_fini) struct buf b = {0};
	struct credential nodes[] = {{.org = "acme", .node = "n1", .roles = ROLE_OWNER},
				     {.org = "acme", .node = "n2", .roles = ROLE_OWNER}};
	const struct row row = {.id = "acme/oven",
				.version.stamp_ns = 5,
				.seq = 1,
				.mask = ROW_MASK_ALL,
				.type = "",
				.name = ""};

	row_encode(&row, &b);
	struct bytes encoded = buf_bytes(&b);
	put_rows((struct op_rows){.rows = &encoded, .n = 1});
	world_relation("contains", "acme/site", "acme/oven");
	put_rows((struct op_rows){.afresh = true});
	must(store_row(world.store, "acme/oven") == NULL);
	world.trust->own.org.nodes = nodes;
	world.trust->own.org.n_nodes = 2;
	ask((struct view_question){0});
	settle();
	cr_expect(was_clean && counts.members == 1, "who has not got it was heard");
	is_done = false;
	fellow_is_away = true;
	ask((struct view_question){0});
	settle();
	cr_expect(not(was_clean));
	cr_expect(eq(u64, counts.unreachable, 1));
	world.trust->own.org.n_nodes = 0;
}

/* A press of a node of ours, with up to two parents (NULL: none). */
static void put_press(const char *origin, const char *id, double power, const char *parent, const char *other)
{
	static uint64_t seq;
	SCOPED(buf_fini) struct buf b = {0};
	struct row_parent parents[] = {
		{.hierarchy = "contains", .parent = parent, .state = CONFIRM_CONFIRMED},
		{.hierarchy = "contains", .parent = other, .state = CONFIRM_CONFIRMED}};
	struct kpi kpi = {.property = "power",
			  .unit = "kW",
			  .sample = {.t_ns = 5, .value = {VALUE_DOUBLE, {.real = power}}, .sigma = NAN}};
	const struct row row = {.id = id,
				.version.stamp_ns = 5,
				.seq = ++seq,
				.mask = ROW_MASK_ALL,
				.type = "press",
				.name = "",
				.kpis = &kpi,
				.n_kpis = 1,
				.parents = parents,
				.n_parents = (size_t)(parent != NULL) + (other != NULL)};

	row_encode(&row, &b);
	must(buf_check(&b) == 0);
	struct bytes encoded = buf_bytes(&b);
	world_put(
		&(struct op){
			.kind = OP_ROWS,
			.rows = {.origin = origin, .rows = &encoded, .n = 1, .cursor = bytes_of_text("c")}},
		1);
}

/* n3, which is away, has a hall, n2 a yard; the press of n2 stands in both. */
static void put_hall_and_yard(void)
{
	put_press("acme/n3", "acme/hall", 5, NULL, NULL);
	put_press("acme/n2", "acme/yard", 7, NULL, NULL);
	put_press("acme/n2", "acme/yard/press", 3, "acme/hall", "acme/yard");
	world_relation("contains", "acme/site", "acme/hall");
	world_relation("contains", "acme/site", "acme/yard");
}

Test(views, what_stands_in_for_a_node_answers_for_no_other_one)
{
	struct view_edge met = {
		.anchor = "", .parent = "acme/yard", .child = "acme/yard/press", .seen = true};

	put_hall_and_yard();
	ask((struct view_question){0});
	cr_assert(eq(sz, n_said, 1));
	volts.org = "acme";
	answer(0, true, member_of("acme/yard", "", 7 + 3));
	volts.org = "volt";
	cr_assert(eq(sz, n_said, 2), "its press is asked of n2 too");
	asks_on_answer(world.asks, said[1].session,
		       &(struct answer){.id = said[1].question.id,
					.last = true,
					.kind = QUESTION_VIEW,
					.text = "",
					.unit = "",
					.view = {.n_rollups = 1, .edges = &met, .n_edges = 1}});
	settle();
	cr_assert(is_done && done_code == 0);
	cr_expect(eq(dbl, total, 16), "%g", total);
	cr_expect(eq(u64, counts.live, 2));
	cr_expect(eq(u64, counts.cached, 1));
}

Test(views, what_is_held_of_several_nodes_counts_once)
{
	put_hall_and_yard();
	ask((struct view_question){.offline = true});
	settle();
	cr_assert(is_done && done_code == 0);
	cr_expect(eq(sz, n_said, 0));
	cr_expect(eq(dbl, total, 16), "%g", total);
	cr_expect(eq(u64, counts.cached, 3));
	cr_expect_str_eq(problems, "");
}

/* The answer to question `n`: its first root that is not seen, with a member of somebody else below it. */
static void answer_with_edge(size_t n, const char *child)
{
	const struct question *q = &said[n].question;
	const char *root = NULL, *org = said[n].session == harbor.id ? "harbor" : "volt";

	for (size_t i = 0; i < q->view.n_roots; i++)
		root = root || q->view.roots[i].seen ? root : q->view.roots[i].id;
	must(root);
	struct view_member m = member_of(root, "", 1);
	struct view_edge e = {.anchor = root, .parent = root, .child = child};
	struct view_source source = {.org = org, .node = "x", .state = MEMBER_LIVE};
	asks_on_answer(world.asks, said[n].session,
		       &(struct answer){.id = q->id,
					.last = true,
					.kind = QUESTION_VIEW,
					.text = "",
					.unit = "",
					.view = {.members = &m,
						 .n_members = 1,
						 .n_rollups = 1,
						 .edges = &e,
						 .n_edges = child ? 1 : 0,
						 .sources = &source,
						 .n_sources = 1,
						 .counts = {.members = 1, .live = 1}}});
}

/* To whom a later question goes is told what it was asked before, and nothing of what others were. */
Test(views, nobody_learns_whom_else_a_view_asks)
{
	bool repeated = false;

	world_relation("contains", "acme/site", "volt/plant");
	ask((struct view_question){0});
	answer_with_edge(0, "harbor/dock");
	cr_assert(eq(sz, n_said, 2));
	answer_with_edge(1, "volt/crane");
	cr_assert(eq(sz, n_said, 3));
	answer_with_edge(2, "harbor/shed");
	cr_assert(eq(sz, n_said, 4));
	answer_with_edge(3, NULL);
	settle();
	cr_assert(is_done && done_code == 0);
	cr_expect(eq(dbl, total, 5));
	cr_expect(was_clean, "%s", problems);
	for (size_t i = 0; i < n_said; i++)
		for (size_t k = 0; k < said[i].question.view.n_roots; k++) {
			const struct view_root *r = &said[i].question.view.roots[k];
			const char *org = said[i].session == harbor.id ? "harbor/" : "volt/";
			cr_expect(strncmp(r->id, org, strlen(org)) == 0, "%s is told of %s", org, r->id);
			repeated |= r->seen;
		}
	cr_expect(repeated, "what counted before is said");
}

Test(views, many_roots_are_one_question_in_frames)
{
	struct op *ops = arena_take_array(a, MANY, sizeof *ops);
	size_t n = 0;

	for (size_t i = 0; i < MANY; i++)
		ops[i] = (struct op){.kind = OP_RELATION,
				     .relation = {.type = "contains",
						  .from = "acme/site",
						  .to = arena_print(a, "volt/%040zu", i),
						  .valid_from_ns = TIME_MIN,
						  .valid_to_ns = TIME_MAX}};
	world_put(ops, MANY);
	ask((struct view_question){0});
	cr_assert(n_said > 1);
	for (size_t i = 0; i < n_said; i++) {
		const struct question *q = &said[i].question;
		cr_expect(eq(u64, q->id, said[0].question.id));
		cr_expect(eq(u32, q->index, (uint32_t)i));
		cr_expect(q->unfinished == (i + 1 < n_said));
		n += q->view.n_roots;
	}
	cr_expect(eq(sz, n, MANY));
}

/* ---- Walks that last ------------------------------------------------------------------------------------
 */

static void with_many_twins(void)
{
	static struct sample one = {.t_ns = 5, .value = {.type = VALUE_DOUBLE, .real = 1}};
	struct op *ops = arena_take_array(a, (size_t)3 * MANY, sizeof *ops), *op = ops;

	one.sigma = NAN;
	for (int i = 0; i < MANY; i++) {
		const char *id = arena_print(a, "acme/m%d", i);
		*op++ = (struct op){.kind = OP_TWIN, .twin = {.id = id, .type = "press", .name = ""}};
		*op++ = (struct op){.kind = OP_RELATION,
				    .relation = {.type = "contains",
						 .from = "acme/site",
						 .to = id,
						 .valid_from_ns = TIME_MIN,
						 .valid_to_ns = TIME_MAX}};
		*op++ = (struct op){.kind = OP_SAMPLES,
				    .samples = {.twin = id, .property = "power", .samples = &one, .n = 1}};
	}
	world_put(ops, (size_t)3 * MANY);
	look_ns = 2 * NS_PER_MS; /* a turn is over in no time */
}

Test(views, a_long_walk_takes_turns_with_the_loop)
{
	int n_turns = 0;

	with_many_twins();
	ask((struct view_question){0});
	cr_assert(not(is_done));
	for (; !is_done && n_turns < 100000; n_turns++)
		uv_run(&world.loop, UV_RUN_NOWAIT);
	cr_expect(n_turns > 3, "%d", n_turns);
	cr_assert(eq(int, done_code, 0));
	cr_expect(eq(dbl, total, MANY + 1));
	cr_expect(was_clean, "%s", problems);
	uv_run(&world.loop, UV_RUN_NOWAIT);
	cr_expect(eq(int, uv_loop_alive(&world.loop), 0), "then there is nothing to turn for");
}

Test(views, what_changes_under_a_long_walk_is_in_it_whole)
{
	with_many_twins();
	ask((struct view_question){0});
	uv_run(&world.loop, UV_RUN_NOWAIT);
	cr_assert(not(is_done));
	world_twin("acme/late", "press", NULL);
	world_value("acme/late", "power", 5, 1000);
	world_relation("contains", "acme/site", "acme/late");
	for (int i = 0; !is_done && i < 100000; i++)
		uv_run(&world.loop, UV_RUN_NOWAIT);
	cr_assert(is_done && done_code == 0);
	cr_expect(eq(dbl, total, MANY + 1 + 1000));
	cr_expect(was_clean, "%s", problems);
}

Test(views, two_long_walks_take_turns_with_each_other)
{
	with_many_twins();
	ask((struct view_question){0});
	cr_assert(not(is_done));
	look_ns = 100;
	is_done = false;
	struct view_root root = {.id = "acme/m7", .parent = ""};
	const struct view_question q = {.roots = &root,
					.n_roots = 1,
					.hierarchy = "contains",
					.rollups = &sum,
					.n_rollups = 1,
					.where = ""};
	must(views_ask(world.views, &ourselves, &q, on_view, NULL) == 0);
	cr_expect(is_done, "the short one does not wait for the long one");
	cr_expect(eq(dbl, total, 1));
	is_done = false;
	settle();
	cr_expect(eq(dbl, total, MANY + 1));
}

static char ends[64];

static void on_end(void *ctx, int code, const struct err_note *note, const struct view_part *view)
{
	const char *name = ctx;

	(void)note;
	must(code == 0 && view->n_members == 1);
	strncat(ends, name, sizeof ends - strlen(ends) - 1);
}

static void ask_as(const char *org, const char *id, char *name)
{
	struct view_root root = {.id = id, .parent = ""};
	const struct audience to = audience_of(org);
	const struct view_question q = {.roots = &root,
					.n_roots = 1,
					.hierarchy = "contains",
					.rollups = &sum,
					.n_rollups = 1,
					.where = "",
					.deadline_ns = 600 * NS_PER_S};

	must(views_ask(world.views, &to, &q, on_end, name) == 0);
}

/* A few long walks of one organisation, and short ones behind them. */
Test(views, walks_of_others_wait_for_each_other_not_we_for_them)
{
	static char name[][2] = {"a", "b", "c", "d", "V", "H", "W"};

	with_many_twins();
	world_policy("share \"all\"\n to everyone-else\n twins **\n allow discover\n until 2100-01-01\n");
	for (int i = 1; i <= 400; i++)
		world_relation("contains", "acme/m0", arena_print(a, "acme/m%d", i));
	ends[0] = '\0';
	for (size_t i = 0; i < 4; i++)
		ask_as("volt", "acme/site", name[i]);
	ask_as("volt", "acme/m0", name[4]);
	ask_as("harbor", "acme/m0", name[5]);
	ask_as("", "acme/m0", name[6]);
	cr_assert_str_eq(ends, "", "none was done at once");
	for (int i = 0; strlen(ends) < 7 && i < 100000; i++)
		uv_run(&world.loop, UV_RUN_NOWAIT);
	cr_expect_str_eq(ends, "HWabcdV");
}

Test(views, a_node_that_stops_ends_its_walks)
{
	with_many_twins();
	ask((struct view_question){0});
	cr_assert(not(is_done));
	views_stop(world.views);
	cr_assert(is_done);
	cr_expect(eq(int, done_code, ERR_UNREACHABLE));
	is_done = false;
	ask((struct view_question){0});
	cr_expect(is_done && done_code == 0, "what comes later goes through");
}
