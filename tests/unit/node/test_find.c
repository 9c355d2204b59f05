/* SPDX-License-Identifier: Apache-2.0 */
/* Finding own twins, rows held and other nodes' twins. The mesh is there, its peers are frames (wire.h). */
#include "node/find.h"

#include <criterion/criterion.h>
#include <criterion/new/assert.h>
#include <math.h>
#include <stdio.h>

#include "node/alarms.h"
#include "node/gossip.h"
#include "node/log.h"
#include "proto/clock.h"
#include "proto/words.h"
#include "tests/lib/must.h"
#include "tests/unit/node/leaves.h"

enum { TWINS = 300, LIST_SIZE = 8192 };

/* ---- What came back */

static bool done;
static int done_code;
static struct view_part found; /* counts only, and numbers of the rest */
static char ids[LIST_SIZE], values[LIST_SIZE], problems[LIST_SIZE], sources[LIST_SIZE];

static void append(char *list, const char *text)
{
	const size_t len = strlen(list);

	snprintf(list + len, LIST_SIZE - len, "%s%s", len > 0 ? " " : "", text);
}

static void on_found(void *ctx, int code, const struct err_note *note, const struct view_part *view)
{
	(void)ctx, (void)note;
	must(!done); /* an end comes once */
	done = true;
	done_code = code;
	ids[0] = values[0] = problems[0] = sources[0] = '\0';
	if (code < 0)
		return;
	found = *view;
	for (size_t i = 0; i < view->n_members; i++) {
		const struct view_member *m = &view->members[i];
		append(ids, m->id);
		if (m->state != MEMBER_LIVE)
			append(ids, member_state_text(m->state));
		for (size_t j = 0; j < m->n_values; j++) {
			append(values, m->values[j].property);
			append(values, value_text(wire_arena, &m->values[j].sample.value));
		}
	}
	for (size_t i = 0; i < view->n_problems; i++)
		append(problems, view->problems[i]);
	for (size_t i = 0; i < view->n_sources; i++) {
		append(sources, view->sources[i].org);
		append(sources, view->sources[i].node);
		append(sources, member_state_text(view->sources[i].state));
	}
}

static struct err_note note;

static int begin_as(const struct audience *to, const struct view_question *q)
{
	done = false;
	note = (struct err_note){0};
	return find_ask(&world, to, q, on_found, NULL, &note);
}

static void wait(void)
{
	while (!done)
		uv_run(&world.loop, UV_RUN_NOWAIT);
	cr_assert(eq(int, done_code, 0));
}

static void find_as(const struct audience *to, const char *where, const char *after, uint32_t limit)
{
	const struct view_question q = {
		.where = where, .after = after, .limit = limit, .deadline_ns = NS_PER_S};

	cr_assert(eq(int, begin_as(to, &q), 0), "%s: %s", where, note.text);
	wait();
}

static const struct audience ourselves = {.org = ""}, volt = {.org = "volt"},
			     volt_behind = {.org = "volt", .relayed = true};

static void find_here(const char *where)
{
	find_as(&ourselves, where, "", 100);
}

#define EXPECT_TEXT(a, b) cr_expect(strcmp((a), (b)) == 0, "%s, not %s", (a), (b))

/* ---- Twins */

static void put_types(void)
{
	static const struct property_def more[] = {
		{.name = "secret/word", .type = VALUE_TEXT, .unit = ""},
		{.name = "place", .type = VALUE_POSITION, .unit = "", .kpi = true}};

	leaves_put_type("press", more, 2);
	world_type("tank", "open/level", NULL, "cm");
}

static void put_text(const char *id, const char *property, const char *text)
{
	static int64_t t_ns;

	leaves_put_text(id, property, ++t_ns, text);
}

static void put_place(const char *id, double lat, double lon)
{
	struct sample s = {
		.t_ns = 1, .value = {.type = VALUE_POSITION, .position = {lat, lon, NAN}}, .sigma = NAN};

	world_put(&(struct op){.kind = OP_SAMPLES,
			       .samples = {.twin = id, .property = "place", .samples = &s, .n = 1}},
		  1);
}

static void set_up(void)
{
	log_set_level(LOG_LEVEL_ERROR);
	wire_set_up();
	must(alarms_new(&world.alarms) == 0);
	wire_features = FEATURE_VIEW;
	put_types();
	leaves_put_twin("acme/plant/p1", "press", "press 1", "hot");
	leaves_put_twin("acme/plant/p2", "press", "press 2", "cold");
	leaves_put_twin("acme/bare", "press", "the bare one", "hot");
	leaves_put_twin("acme/hidden", "press", "the hidden one", "hot");
	leaves_put_twin("acme/tank", "tank", "tank", "cold");
	world_value("acme/plant/p1", "open/level", 5, 2);
	world_value("acme/plant/p2", "open/level", 5, 3);
	world_value("acme/hidden", "open/level", 5, 4);
	world_value("acme/bare", "open/level", 5, 5);
	world_value("acme/tank", "open/level", 5, 250);
	put_text("acme/plant/p1", "open/word", "sesame");
	put_text("acme/hidden", "open/word", "sesame");
	put_text("acme/bare", "secret/word", "sesame");
	put_text("acme/plant/p2", "secret/word", "simsim");
	put_text("acme/plant/p1", "open/token", "plain");
	put_place("acme/plant/p1", 52.52, 13.4);
	put_place("acme/hidden", 52.52, 13.4);
	world_policy(LEAVES_SOME(""));
	must(visibility_sweep(world.visibility) == 0);
}

static void tear_down(void)
{
	world.trust->own.org.n_nodes = 0;
	cr_expect(eq(sz, world.n_finds, 0));
	wire_tear_down();
	alarms_free(world.alarms);
	world.alarms = NULL;
}

TestSuite(find, .init = set_up, .fini = tear_down, .timeout = 120);

/* ---- Own twins */

Test(find, own_twins_by_what_they_are_and_measure)
{
	find_here("open/level > 220 cm");
	EXPECT_TEXT(ids, "acme/bare acme/hidden acme/plant/p2 acme/tank");
	find_here("tag = hot and open/level < 3 m");
	EXPECT_TEXT(ids, "acme/plant/p1");
	find_here("name like 'press*'");
	EXPECT_TEXT(ids, "acme/plant/p1 acme/plant/p2");
	find_here("type = tank or id = acme/bare");
	EXPECT_TEXT(ids, "acme/bare acme/tank");
	find_here("type = nothing");
	EXPECT_TEXT(ids, "");
	find_here("distance(52.5, 13.4) < 5 km");
	EXPECT_TEXT(ids, "acme/hidden acme/plant/p1");
	find_here("health = good and life = operating and kind = component");
	EXPECT_TEXT(ids, "acme/bare acme/hidden acme/plant/p1 acme/plant/p2 acme/tank");
	EXPECT_TEXT(sources, "acme n1 live volt  unreachable harbor  unreachable");
	EXPECT_TEXT(
		problems,
		"volt did not answer: nothing is held of it harbor did not answer: nothing is held of it");
	world.trust->n_partners = 0;
	find_here("open/level > 220 cm");
	EXPECT_TEXT(sources, "acme n1 live");
	cr_expect(view_is_clean(&found));
	world.trust->n_partners = 2;
}

Test(find, a_text_leads_to_its_property_alone)
{
	find_here("open/word = 'sesame'");
	EXPECT_TEXT(ids, "acme/hidden acme/plant/p1");
	cr_expect(eq(u64, found.counts.members, 2));
	find_here("secret/word = 'sesame' and tag = hot");
	EXPECT_TEXT(ids, "acme/bare");
	find_here("open/word = 'never said'");
	EXPECT_TEXT(ids, "");
	find_as(&ourselves, "open/word = 'sesame'", "acme/hidden", 1);
	EXPECT_TEXT(ids, "acme/plant/p1");
	find_as(&ourselves, "open/word = 'sesame'", "", 1);
	EXPECT_TEXT(ids, "acme/hidden");
	cr_expect(eq(u64, found.counts.members, 2), "all are counted");
}

Test(find, what_makes_no_sense_is_refused_with_its_column)
{
	const struct view_question wrong = {.where = "open/level >", .after = ""};

	cr_expect(eq(int, begin_as(&ourselves, &wrong), ERR_REFUSED));
	cr_expect(strncmp(note.text, "column 13:", 10) == 0, "%s", note.text);
	cr_expect(not(done));
}

Test(find, values_come_along)
{
	const char *show[] = {"open/word", "place", "nothing", "open/token"};
	const struct view_question q = {
		.where = "id = acme/plant/p1", .after = "", .limit = 5, .show = show, .n_show = 4};

	must(begin_as(&ourselves, &q) == 0);
	wait();
	EXPECT_TEXT(values, "open/word sesame place 52.52,13.4 open/token plain");
	must(begin_as(&volt, &q) == 0);
	wait();
	cr_expect(strncmp(values, "open/word sesame place 52.52,13.4 open/token ", 43) == 0, "%s", values);
	cr_expect(strstr(values, "plain") == NULL, "%s", values);
	must(begin_as(&volt_behind, &q) == 0);
	wait();
	cr_expect(strstr(values, "plain") != NULL, "the border puts the token in");
}

/* What is looked at without the expression is what the expression says. */
Test(find, a_bound_alone_is_what_it_is_in_company)
{
	static const char *const signs[] = {"=", "!=", "<", "<=", ">", ">="};
	static const char *const numbers[] = {"2 m", "2.5 m", "250 cm", "3", "300 cm", "4 kg"};
	struct sample bad = {
		.t_ns = 9, .value = {.type = VALUE_DOUBLE, .real = 2}, .quality = QUALITY_BAD, .sigma = NAN};
	char alone[80], company[80], expected[LIST_SIZE];

	world_put(
		&(struct op){
			.kind = OP_SAMPLES,
			.samples = {.twin = "acme/bare", .property = "open/level", .samples = &bad, .n = 1}},
		1);
	leaves_put_twin("acme/empty", "press", "", "x");
	for (size_t i = 0; i < N_WORDS(signs) * N_WORDS(numbers); i++) {
		const char *sign = signs[i / N_WORDS(numbers)], *number = numbers[i % N_WORDS(numbers)];
		snprintf(alone, sizeof alone, "open/level %s %s", sign, number);
		snprintf(company, sizeof company, "true and open/level %s %s", sign, number);
		find_here(company);
		snprintf(expected, sizeof expected, "%s", ids);
		find_here(alone);
		cr_expect(strcmp(ids, expected) == 0, "%s: %s, not %s", alone, ids, expected);
	}
}

/* ---- Many of them, against looking at each */

static const char *many_id(int i)
{
	static char id[32];

	snprintf(id, sizeof id, "acme/many/t%d", i);
	return id;
}

static void put_many(void)
{
	static const char *const words[] = {"red", "green", "blue"};

	for (int i = 0; i < TWINS; i++) {
		world_twin(many_id(i), i % 4 == 0 ? "tank" : "press", i % 5 == 0 ? "fifth" : NULL);
		world_value(many_id(i), "open/level", 10, i);
		if (i % 4 != 0 && i % 3 < 2)
			put_text(many_id(i), "open/word", words[i % 3]);
	}
}

static bool is_high(int i)
{
	return i % 4 == 0 ? i > 12345 : i > 123;
}

static bool is_red_press(int i)
{
	return i % 4 != 0 && i % 3 == 0 && i % 5 != 0;
}

static bool is_fifth_tank(int i)
{
	return i % 4 == 0 && i % 5 == 0;
}

/* All pages of all sizes give what looking at each gives, in order, and the first says how many. */
static void check_pages(const char *where, bool (*is)(int i))
{
	static const uint32_t limits[] = {1, 7, 64, 1000};
	bool seen[TWINS];

	for (size_t k = 0; k < N_WORDS(limits); k++) {
		char after[64] = "";
		size_t n = 0, total = 0;
		memset(seen, 0, sizeof seen);
		for (int i = 0; i < TWINS; i++)
			total += is(i);
		do {
			find_as(&ourselves, where, after, limits[k]);
			cr_assert(after[0] || found.counts.members == total, "%s: %d of %d", where,
				  (int)found.counts.members, (int)total);
			for (char *save, *id = strtok_r(ids, " ", &save); id;
			     id = strtok_r(NULL, " ", &save), n++) {
				int i;
				cr_assert(sscanf(id, "acme/many/t%d", &i) == 1 && is(i) && !seen[i], "%s",
					  id);
				cr_assert(strcmp(id, after) > 0);
				seen[i] = true;
				snprintf(after, sizeof after, "%s", id);
			}
		} while (found.n_members == limits[k]);
		cr_expect(eq(sz, n, total), "%s by %u", where, (unsigned)limits[k]);
	}
}

Test(find, page_by_page_each_is_found_once)
{
	put_many();
	check_pages("id like 'acme/many/*' and open/level > 123.45 m", is_high);
	check_pages("open/level > 123.45 m", is_high);
	check_pages("not open/level <= 123.45 m", is_high);
	check_pages("open/word = 'red' and not tag = fifth", is_red_press);
	check_pages("type = tank and tag = fifth", is_fifth_tank);
	find_as(&ourselves, "type = tank and tag = fifth", "", 0);
	cr_expect(eq(u64, found.counts.members, TWINS / 20), "a count without a page");
}

/* What changes while it is looked at is judged as it is in the end. */
Test(find, the_page_is_as_things_are_in_the_end)
{
	const struct view_question q = {.where = "tag = hot", .after = "", .limit = 10};
	struct credential nodes[] = {{.org = "acme", .node = "n2", .roles = ROLE_OWNER}};

	world.trust->own.org.nodes = nodes;
	world.trust->own.org.n_nodes = 1;
	wire_join(WIRE_OWN);
	must(begin_as(&ourselves, &q) == 0);
	cr_assert(not(done), "n2 is waited for");
	leaves_put_twin("acme/plant/p1", "press", "press 1", "cold");
	world_put(&(struct op){.kind = OP_TWIN_DELETE, .id = "acme/bare"}, 1);
	const struct question *asked = &wire_last(WIRE_OWN, MESSAGE_QUESTION)->message.question;
	wire_hear(WIRE_OWN, &(struct message){.kind = MESSAGE_ANSWER,
					      .answer = {.id = asked->id,
							 .kind = QUESTION_FIND,
							 .text = "",
							 .unit = "",
							 .last = true}});
	wait();
	EXPECT_TEXT(ids, "acme/hidden");
	cr_expect(eq(u64, found.counts.members, 1));
}

/* ---- A partner */

static void expect_for_volt(const char *where, const char *expected)
{
	find_as(&volt, where, "", 100);
	cr_expect(strcmp(ids, expected) == 0, "%s: %s, not %s", where, ids, expected);
	const uint64_t n = found.counts.members;
	find_as(&volt_behind, where, "", 100);
	cr_expect(strcmp(ids, expected) == 0, "behind a border, %s: %s, not %s", where, ids, expected);
	cr_expect(eq(u64, found.counts.members, n));
}

Test(find, a_partner_finds_by_what_it_may_see)
{
	expect_for_volt("kind = component", "acme/bare acme/plant/p1 acme/plant/p2");
	expect_for_volt("open/level > 1 m", "acme/plant/p1 acme/plant/p2");
	expect_for_volt("not open/level > 2 m", "acme/plant/p1");
	expect_for_volt("open/word = 'sesame'", "acme/plant/p1");
	expect_for_volt("secret/word = 'simsim'", "");
	expect_for_volt("not secret/word = 'simsim'", "");
	expect_for_volt("known(secret/word)", "");
	expect_for_volt("open/token = 'plain'", "");
	expect_for_volt("tag = hot", "acme/plant/p1");
	expect_for_volt("not tag = hot", "acme/plant/p2");
	expect_for_volt("life != retired", "acme/plant/p1 acme/plant/p2");
	expect_for_volt("name like '*bare*'", "");
	expect_for_volt("health = good", "acme/plant/p1 acme/plant/p2");
	expect_for_volt("life = operating", "acme/plant/p1 acme/plant/p2");
	expect_for_volt("distance(52.5, 13.4) < 5 km", "acme/plant/p1");
	expect_for_volt("id = acme/hidden", "");
}

/* By the name alone: of each twin that it may know of, whether it has that property or not. */
Test(find, what_is_withheld_is_counted_by_its_name)
{
	find_as(&volt, "secret/word = 'simsim'", "", 10);
	cr_expect(eq(u64, found.counts.withheld, 3));
	find_as(&volt, "secret/nothing = 'simsim'", "", 10);
	cr_expect(eq(u64, found.counts.withheld, 3), "one that there is not, the same");
	find_as(&volt, "open/word = 'sesame'", "", 10);
	cr_expect(eq(u64, found.counts.withheld, 1), "the bare one");
	find_as(&volt, "open/word = 'sesame'", "", 1);
	cr_expect(eq(u64, found.counts.withheld, 1), "however short the page is");
	find_as(&volt, "tag = hot", "", 10);
	cr_expect(eq(u64, found.counts.withheld, 1), "the bare one's tags");
	find_as(&(struct audience){.org = "harbor"}, "kind = component", "", 10);
	cr_expect(eq(u64, found.counts.members + found.counts.withheld, 0), "harbor sees nothing");
	find_as(&ourselves, "secret/word = 'simsim'", "", 10);
	cr_expect(eq(u64, found.counts.withheld, 0));
}

/* ---- Others */

static struct credential others[] = {{.org = "acme", .node = "n1", .roles = ROLE_OWNER},
				     {.org = "acme", .node = "n2", .roles = ROLE_OWNER}};

static void with_n2(void)
{
	world.trust->own.org.nodes = others;
	world.trust->own.org.n_nodes = 2;
	wire_join(WIRE_OWN);
}

static void hold(const char *origin, const char *id, double level, uint64_t seq)
{
	SCOPED(buf_fini) struct buf encoded = {0};
	struct kpi kpi = {
		.property = "open/level",
		.unit = "m",
		.sample = {.t_ns = 1, .value = {.type = VALUE_DOUBLE, .real = level}, .sigma = NAN}};
	const bool own = strncmp(id, "acme/", 5) == 0;
	const struct row row = {.id = id,
				.version = {0, (int64_t)seq},
				.seq = own ? seq : 0,
				.mask = own ? ROW_MASK_ALL : ROW_MASK_DISCOVER | ROW_MASK_SUMMARY,
				.type = "press",
				.name = "held",
				.kpis = &kpi,
				.n_kpis = 1};

	row_encode(&row, &encoded);
	struct bytes bytes = buf_bytes(&encoded);
	world_put(&(struct op){.kind = OP_ROWS,
			       .rows = {.origin = origin, .rows = &bytes, .n = 1, .cursor = BYTES("c")}},
		  1);
}

static struct view_member member(const char *id)
{
	return (struct view_member){.id = id, .parent = "", .type = "press", .name = ""};
}

static void answer(uint32_t session, struct view_member *members, size_t n, uint64_t total)
{
	const struct sent *q = wire_last(session, MESSAGE_QUESTION);
	struct view_source s = {.org = session == WIRE_OWN ? "acme" : "volt",
				.node = session == WIRE_OWN ? "n2" : "gate"};

	cr_assert(q && q->message.question.kind == QUESTION_FIND);
	wire_hear(session, &(struct message){.kind = MESSAGE_ANSWER,
					     .answer = {.id = q->message.question.id,
							.kind = QUESTION_FIND,
							.text = "",
							.unit = "",
							.last = true,
							.view = {.members = members,
								 .n_members = n,
								 .counts = {.members = total, .live = total},
								 .sources = &s,
								 .n_sources = 1}}});
}

static void begin(const char *where, uint32_t limit)
{
	const struct view_question q = {
		.where = where, .after = "", .limit = limit, .deadline_ns = 60 * NS_PER_S};

	must(begin_as(&ourselves, &q) == 0);
}

Test(find, others_are_asked_and_all_come_in_one_order)
{
	struct view_member n2[] = {member("acme/aaa"), member("acme/plant/p3")},
			   gate[] = {member("volt/site")};

	with_n2();
	wire_join(WIRE_VOLT);
	begin("open/level > 2.5 m", 4);
	cr_assert(not(done));
	cr_expect(wire_last(WIRE_HARBOR, MESSAGE_QUESTION) == NULL);
	const struct question *q = &wire_last(WIRE_OWN, MESSAGE_QUESTION)->message.question;
	EXPECT_TEXT(q->view.where, "open/level > 2.5 m");
	EXPECT_TEXT(q->asker, "");
	cr_expect(eq(int, (int)q->view.limit, 4));
	answer(WIRE_VOLT, gate, 1, 1);
	answer(WIRE_OWN, n2, 2, 7);
	wait();
	EXPECT_TEXT(ids, "acme/aaa acme/bare acme/hidden acme/plant/p2");
	cr_expect(eq(u64, found.counts.members, 11), "3 here, 7 there, 1 of volt");
	cr_expect(eq(u64, found.counts.live, 11));
	EXPECT_TEXT(sources, "volt gate live acme n2 live acme n1 live harbor  unreachable");
}

Test(find, who_is_silent_is_looked_up_in_rows)
{
	with_n2();
	hold("acme/n2", "acme/other/a", 9, 1);
	hold("acme/n2", "acme/other/b", 1, 2);
	hold("volt/east", "volt/site", 9, 3);
	wire_join(WIRE_VOLT);
	begin("open/level > 4.5 m", 10);
	wire_hear(WIRE_OWN, &(struct message){.kind = MESSAGE_BYE});
	answer(WIRE_VOLT, NULL, 0, 0);
	wait();
	EXPECT_TEXT(ids, "acme/bare acme/other/a cached");
	cr_expect(eq(u64, found.counts.cached, 1));
	EXPECT_TEXT(sources, "volt gate live acme n1 live acme n2 cached harbor  unreachable");
	EXPECT_TEXT(problems,
		    "acme/n2 did not answer: it was looked up in its last summaries harbor did not "
		    "answer: nothing is held of it");
	begin("open/level > 1000 m", 10);
	answer(WIRE_VOLT, NULL, 0, 0);
	wait();
	cr_expect(eq(u64, found.counts.members, 0));
	cr_expect(not(view_is_clean(&found)), "it may have one all the same");
}

Test(find, offline_nobody_is_asked)
{
	const struct view_question q = {
		.where = "open/level > 4.5 m", .after = "", .limit = 10, .offline = true};

	with_n2();
	wire_join(WIRE_VOLT);
	hold("acme/n2", "acme/other/a", 9, 1);
	hold("volt/east", "volt/site", 9, 3);
	must(begin_as(&ourselves, &q) == 0);
	wait();
	EXPECT_TEXT(ids, "acme/bare acme/other/a cached volt/site cached");
	EXPECT_TEXT(sources, "acme n1 live acme n2 cached volt east cached");
	EXPECT_TEXT(problems, "");
	cr_expect(wire_last(WIRE_OWN, MESSAGE_QUESTION) == NULL);
	cr_expect(wire_last(WIRE_VOLT, MESSAGE_QUESTION) == NULL);
}

Test(find, an_older_release_is_not_asked_what_it_does_not_know)
{
	wire_features = 0;
	with_n2();
	hold("acme/n2", "acme/other/a", 9, 1);
	find_here("open/level > 4.5 m");
	EXPECT_TEXT(ids, "acme/bare acme/other/a cached");
	cr_expect(strncmp(problems, "acme/n2 is of an older release", 30) == 0, "%s", problems);
	cr_expect(wire_last(WIRE_OWN, MESSAGE_QUESTION) == NULL);
}

/* Nothing of such an answer is taken. */
static void expect_liar(uint32_t session, struct view_member *members, size_t n, uint64_t total)
{
	struct alarm_info *list;
	size_t n_alarms;

	begin("open/level > 4.5 m", 2);
	answer(session == WIRE_OWN ? WIRE_VOLT : WIRE_OWN, NULL, 0, 0);
	answer(session, members, n, total);
	wait();
	EXPECT_TEXT(ids,
		    session == WIRE_OWN ? "acme/bare acme/other/a cached" : "acme/bare volt/site cached");
	must(alarms_list(world.alarms, wire_arena, &list, &n_alarms) == 0);
	cr_assert(eq(sz, n_alarms, 1));
	cr_expect(strstr(list[0].about, session == WIRE_OWN ? "acme/n2" : "volt/gate") != NULL);
	alarms_clear(world.alarms, ALARM_PEER, list[0].about);
}

Test(find, who_answers_with_what_is_not_his_is_not_believed)
{
	struct view_member ours[] = {member("acme/tank")}, volts[] = {member("volt/a")},
			   order[] = {member("acme/z"), member("acme/y")},
			   twice[] = {member("acme/z"), member("acme/z")},
			   many[] = {member("acme/x"), member("acme/y"), member("acme/z")},
			   state[] = {member("acme/x")}, shown[] = {member("acme/x")};
	struct kpi kpi = {.property = "open/level", .unit = "m", .sample = {.t_ns = 1}};

	with_n2();
	wire_join(WIRE_VOLT);
	hold("acme/n2", "acme/other/a", 9, 1);
	hold("acme/n3", "acme/third", 0, 1);
	hold("volt/east", "volt/site", 9, 3);
	expect_liar(WIRE_OWN, ours, 1, 1);
	expect_liar(WIRE_OWN, volts, 1, 1);
	expect_liar(WIRE_VOLT, ours, 1, 1);
	expect_liar(WIRE_OWN, order, 2, 2);
	expect_liar(WIRE_OWN, twice, 2, 2);
	expect_liar(WIRE_OWN, many, 3, 3);
	expect_liar(WIRE_OWN, many, 2, 1);
	state[0].state = MEMBER_CACHED;
	expect_liar(WIRE_OWN, state, 1, 1);
	shown[0].values = &kpi;
	shown[0].n_values = 1;
	expect_liar(WIRE_OWN, shown, 1, 1);
	struct view_member third[] = {member("acme/third")};
	expect_liar(WIRE_OWN, third, 1, 1);
}

/* The owner judged by the policy that it has; the border judges by its own. */
Test(find, for_a_partner_the_border_looks_at_answers_again)
{
	struct view_member n2[] = {member("acme/other"), member("acme/plant/p3"),
				   member("acme/plant/unheard")};
	const struct view_question q = {
		.where = "open/level > 2.5 m", .after = "", .limit = 9, .deadline_ns = NS_PER_S};

	with_n2();
	wire_join(WIRE_VOLT);
	hold("acme/n2", "acme/other", 9, 1);
	hold("acme/n2", "acme/plant/p3", 9, 2);
	n2[1].name = "press 3";
	must(begin_as(&volt, &q) == 0);
	EXPECT_TEXT(wire_last(WIRE_OWN, MESSAGE_QUESTION)->message.question.asker, "volt");
	cr_expect(wire_last(WIRE_VOLT, MESSAGE_QUESTION) == NULL, "partners ask each other themselves");
	answer(WIRE_OWN, n2, 3, 3);
	wait();
	EXPECT_TEXT(ids, "acme/plant/p2 acme/plant/p3");
	cr_expect(eq(u64, found.counts.members, 2));
	must(begin_as(&volt_behind, &q) == 0);
	wait();
	EXPECT_TEXT(ids, "acme/plant/p2");
}

Test(find, rows_of_own_nodes_pass_the_border_too)
{
	with_n2();
	hold("acme/n2", "acme/other", 9, 1);
	hold("acme/n2", "acme/plant/p3", 9, 2);
	wire_hear(WIRE_OWN, &(struct message){.kind = MESSAGE_BYE});
	find_as(&volt, "open/level > 2.5 m", "", 10);
	EXPECT_TEXT(ids, "acme/plant/p2 acme/plant/p3 cached");
	find_as(&volt, "secret/word = 'x'", "", 10);
	cr_expect(eq(u64, found.counts.withheld, 4));
}

static size_t n_ends;
static void on_end(void *ctx, int code, const struct err_note *why, const struct view_part *view)
{
	(void)ctx, (void)why, (void)view;
	n_ends += code == 0;
}

Test(find, too_many_at_a_time_are_refused)
{
	const struct view_question q = {.where = "true", .after = "", .limit = 1, .deadline_ns = NS_PER_S};

	with_n2();
	for (int i = 0; i < FINDS_MAX; i++) /* others leave half of them to us */
		must(find_ask(&world, &volt, &q, on_end, NULL, &note) ==
			     (i < FINDS_MAX / 2 ? 0 : ERR_REFUSED) &&
		     (i < FINDS_MAX / 2 || find_ask(&world, &ourselves, &q, on_end, NULL, &note) == 0));
	cr_expect(eq(int, find_ask(&world, &ourselves, &q, on_end, NULL, &note), ERR_REFUSED));
	cr_expect(eq(sz, n_ends, 0));
	wire_hear(WIRE_OWN, &(struct message){.kind = MESSAGE_BYE});
	for (int i = 0; i < 1000 && n_ends < FINDS_MAX; i++)
		uv_run(&world.loop, UV_RUN_NOWAIT);
	cr_expect(eq(sz, n_ends, FINDS_MAX));
	begin("tag = hot", 1);
	wait();
}
