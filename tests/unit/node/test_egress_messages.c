/* SPDX-License-Identifier: Apache-2.0 */
/* What leaves: for every kind of message, that a partner gets of it what the policy lets through and nothing
 * else.
 *
 * Marks that occur nowhere else are planted in everything the partner may not see: ids, names, tags, types,
 * property names, values old and new, times, parents, hierarchies. The mesh, the questions and the views of
 * the node run as they do in the daemon; every frame is searched as it is handed to the transport. That the
 * search would find each mark is shown with a policy that shares everything.
 *
 * tests/checks/egress.sh demands a test `leaves, KIND_...` of every kind, `answer_KIND_...` and
 * `question_KIND_...` of every kind of question.
 */
#define _GNU_SOURCE /* memmem */
#include <criterion/criterion.h>
#include <criterion/new/assert.h>
#include <math.h>
#include <stdio.h>

#include "node/gossip.h"
#include "node/log.h"
#include "node/reads.h"
#include "node/reports.h"
#include "node/views.h"
#include "proto/clock.h"
#include "tests/lib/must.h"
#include "tests/unit/node/leaves.h"

#define SOME LEAVES_SOME(" allow history open/*\n")
#define ALL LEAVES_ALL(" allow history **\n")

#define T(seconds) ((seconds)*NS_PER_S)
#define SECRET_TIME_NS (T(77) + 1234567)

/* ---- Marks ------------------------------------------------------------------------------------------------
 */

struct mark { /* one of the three */
	const char *name, *text;
	double real;
	int64_t t_ns;
};

static const struct mark marks[] = {
	{"id of a twin", .text = "zq-id"},
	{"name of a twin", .text = "zq-name"},
	{"tag of a twin", .text = "zq-tag"},
	{"name of a twin of which only the existence is shared", .text = "zq-bare-name"},
	{"tag of a twin of which only the existence is shared", .text = "zq-bare-tag"},
	{"type", .text = "zq-type"},
	{"name of a property", .text = "zq-property"},
	{"parent of a shared twin", .text = "zq-parent"},
	{"hierarchy of a hidden relation", .text = "zq-hierarchy"},
	{"text of a KPI", .text = "zq-kpi"},
	{"text beside the summary", .text = "zq-plain"},
	{"text that is shared as a token", .text = "zq-token"},
	{"text of before", .text = "zq-old"},
	{"number of a KPI", .real = 73645.19283746551},
	{"number of a hidden twin", .real = 8264.519283746551},
	{"number of before", .real = 5519.283746551982},
	{"time of a hidden measurement", .t_ns = SECRET_TIME_NS},
};
enum { N_MARKS = sizeof marks / sizeof *marks };

/* In nobody's policy: they stay at home. */
static const char *const homely[] = {"zq-alias", "zq-source"};

static bool occurs(struct bytes frame, const void *what, size_t n)
{
	return memmem(frame.data, frame.len, what, n) != NULL;
}

static bool has_mark(struct bytes frame, const struct mark *m)
{
	char text[40];

	if (m->text)
		return occurs(frame, m->text, strlen(m->text));
	if (m->t_ns)
		return occurs(frame, &m->t_ns, sizeof m->t_ns);
	snprintf(text, sizeof text, "%.10g", m->real);
	return occurs(frame, &m->real, sizeof m->real) || occurs(frame, text, strlen(text));
}

/* No frame to a partner has a mark; those of this kind there are. */
static void expect_clean(enum message_kind kind)
{
	size_t n = 0;

	for (size_t i = 0; i < wire_n_sent; i++) {
		const struct sent *s = &wire_sent[i];
		if (wire_is_own(s))
			continue;
		n += s->kind == kind;
		for (size_t j = 0; j < N_MARKS; j++)
			cr_expect(not(has_mark(s->frame, &marks[j])), "%s to session %u: %s",
				  message_kind_text(s->kind), s->session, marks[j].name);
		for (size_t j = 0; j < sizeof homely / sizeof *homely; j++)
			cr_expect(not(occurs(s->frame, homely[j], strlen(homely[j]))), "%s: %s",
				  message_kind_text(s->kind), homely[j]);
	}
	cr_expect(n > 0, "no %s was sent at all", message_kind_text(kind));
}

static void expect_shown(enum message_kind kind, const char *text)
{
	for (size_t i = 0; i < wire_n_sent; i++)
		if (wire_sent[i].session == WIRE_VOLT && wire_sent[i].kind == kind &&
		    occurs(wire_sent[i].frame, text, strlen(text)))
			return;
	cr_fail("%s is shared and not in any %s", text, message_kind_text(kind));
}

/* ---- The owner's twins ------------------------------------------------------------------------------------
 */

static void put_type(const char *name)
{
	static const struct property_def secret[] = {
		{.name = "secret/level", .type = VALUE_DOUBLE, .unit = "m", .kpi = true},
		{.name = "secret/word", .type = VALUE_TEXT, .unit = "", .kpi = true},
		{.name = "secret/zq-property", .type = VALUE_TEXT, .unit = ""}};

	leaves_put_type(name, secret, 3);
}

static void put_twin(const char *id, const char *type, const char *name, const char *tag)
{
	const char *alias = "urn:zq-alias";
	char own[64];

	snprintf(own, sizeof own, "%s:%s", alias, id);
	alias = own;
	world_put(&(struct op){.kind = OP_TWIN,
			       .twin = {.id = id,
					.type = type,
					.name = name,
					.tags = &tag,
					.n_tags = tag ? 1 : 0,
					.aliases = &alias,
					.n_aliases = 1}},
		  1);
}

static void put_text(const char *id, const char *property, int64_t t_ns, const char *text)
{
	struct sample s = {.t_ns = t_ns,
			   .value = {.type = VALUE_TEXT, .text = text},
			   .sigma = NAN,
			   .source = "zq-source"};

	world_put(&(struct op){.kind = OP_SAMPLES,
			       .samples = {.twin = id, .property = property, .samples = &s, .n = 1}},
		  1);
}

static void put_values(const char *id)
{
	world_value(id, "open/level", T(10), 1);
	world_value(id, "open/level", T(20), 2);
	put_text(id, "open/word", T(20), "sesame");
	put_text(id, "open/token", T(20), "zq-token");
	put_text(id, "secret/word", T(10), "zq-old");
	put_text(id, "secret/word", SECRET_TIME_NS, "zq-kpi");
	put_text(id, "secret/zq-property", T(20), "zq-plain");
	world_value(id, "secret/level", T(10), 5519.283746551982);
	world_value(id, "secret/level", T(30), 73645.19283746551);
}

static void plant(void)
{
	put_type("press");
	put_type("zq-type");
	put_twin("acme/plant", "press", "the plant", "shown");
	put_twin("acme/plant/p1", "press", "press 1", "shown");
	put_twin("acme/bare", "press", "zq-bare-name", "zq-bare-tag");
	put_twin("acme/zq-id", "zq-type", "zq-name", "zq-tag");
	put_twin("acme/guessed", "zq-type", "zq-name", "zq-tag");
	put_twin("acme/zq-parent", "press", "zq-name", NULL);
	world_relation("contains", "acme/plant", "acme/plant/p1");
	world_relation("contains", "acme/plant", "acme/zq-id");
	world_relation("contains", "acme/plant", "volt/site");
	world_relation("zq-hierarchy", "acme/zq-parent", "acme/plant/p1");
	put_values("acme/plant/p1");
	put_values("acme/bare");
	put_values("acme/guessed");
	put_values("acme/zq-id");
	world_value("acme/zq-id", "open/level", T(40), 8264.519283746551);
}

static void share(const char *rules)
{
	world_policy(rules);
	must(visibility_sweep(world.visibility) == 0);
	gossip_changed(world.gossip);
}

static void set_up(void)
{
	log_set_level(LOG_LEVEL_WARNING);
	wire_set_up();
	plant();
	share(SOME);
	wire_join(WIRE_VOLT);
	wire_join(WIRE_HARBOR);
	wire_join(WIRE_OWN);
}

TestSuite(leaves, .init = set_up, .fini = wire_tear_down, .timeout = 60);

/* ---- What a partner can do --------------------------------------------------------------------------------
 */

static struct bytes pull(uint32_t session, const char *origin, struct bytes cursor, bool full)
{
	static uint64_t id;
	const struct sent *rows;

	wire_hear(
		session,
		&(struct message){
			.kind = MESSAGE_PULL,
			.pull = {.id = ++id, .origin = origin, .cursor = cursor, .full = full, .credit = 4}});
	rows = wire_last(session, MESSAGE_ROWS);
	return rows ? rows->message.rows.cursor : (struct bytes){0};
}

static const struct sent *ask(uint32_t session, struct question q)
{
	static uint64_t id;

	q.id = ++id;
	q.timeout_ns = NS_PER_S;
	q.from_ns = TIME_MIN;
	q.to_ns = TIME_MAX;
	q.asker = q.asker ? q.asker : "";
	q.twin = q.twin ? q.twin : "";
	q.property = q.property ? q.property : "";
	wire_hear(session, &(struct message){.kind = MESSAGE_QUESTION, .question = q});
	const struct sent *answer = wire_last(session, MESSAGE_ANSWER);
	cr_assert(answer && answer->message.answer.id == id, "it is answered at once");
	return answer;
}

/* Names that can be guessed: of what is shared, of what is not. */
static const char *const known[] = {"acme/plant", "acme/plant/p1", "acme/bare", "acme/guessed"};
static const char *const properties[] = {"open/level", "open/word", "open/token", "secret/level",
					 "secret/word"};
enum { N_KNOWN = sizeof known / sizeof *known, N_PROPERTIES = sizeof properties / sizeof *properties };

static void read_all(uint32_t session, const char *asker)
{
	for (size_t i = 0; i < N_KNOWN; i++) {
		struct question q = {.kind = QUESTION_READ, .asker = asker, .twin = known[i]};
		ask(session, q);
		for (size_t j = 0; j < N_PROPERTIES; j++) {
			q.property = properties[j];
			ask(session, q);
		}
	}
}

static void history_all(uint32_t session, const char *asker)
{
	for (size_t i = 0; i < N_KNOWN * N_PROPERTIES; i++) {
		struct question q = {.kind = QUESTION_HISTORY,
				     .asker = asker,
				     .twin = known[i / N_PROPERTIES],
				     .property = properties[i % N_PROPERTIES]};
		ask(session, q);
		q.step_ns = T(5);
		ask(session, q);
	}
}

static void view_all(uint32_t session, const char *asker)
{
	struct rollup_spec rollups[] = {{.fn = ROLLUP_MAX, .property = "open/level"},
					{.fn = ROLLUP_MAX, .property = "secret/level"}};
	struct view_root root = {.parent = ""};
	struct question q = {.kind = QUESTION_VIEW,
			     .asker = asker,
			     .view = {.roots = &root,
				      .n_roots = 1,
				      .hierarchy = "contains",
				      .depth = VIEW_DEPTH_ALL,
				      .rollups = rollups,
				      .n_rollups = 2}};

	for (size_t i = 0; i < N_KNOWN; i++) {
		root.id = known[i];
		q.view.has_as_of = false;
		ask(session, q);
		q.view.has_as_of = true;
		q.view.as_of_ns = T(15);
		ask(session, q);
	}
}

static void pull_all(uint32_t session)
{
	struct bytes cursor = pull(session, "acme/n1", (struct bytes){0}, false);

	pull(session, "acme/n1", cursor, false);
	pull(session, "acme/n1", (struct bytes){0}, true);
}

/* ---- The search finds what there is -----------------------------------------------------------------------
 */

Test(leaves, nothing_that_the_search_would_not_find)
{
	bool in_rows[N_MARKS] = {0}, in_answers[N_MARKS] = {0};

	share(ALL);
	pull_all(WIRE_VOLT);
	read_all(WIRE_VOLT, "volt");
	history_all(WIRE_VOLT, "volt");
	view_all(WIRE_VOLT, "volt");
	for (size_t i = 0; i < wire_n_sent; i++)
		for (size_t j = 0; wire_sent[i].session == WIRE_VOLT && j < N_MARKS; j++) {
			const bool has = has_mark(wire_sent[i].frame, &marks[j]);
			in_rows[j] |= has && wire_sent[i].kind == MESSAGE_ROWS;
			in_answers[j] |= has && wire_sent[i].kind == MESSAGE_ANSWER;
		}
	for (size_t j = 0; j < N_MARKS; j++) {
		const bool beside = strstr(marks[j].name, "before") || strstr(marks[j].name, "beside") ||
				    strcmp(marks[j].name, "name of a property") == 0;
		cr_expect(in_answers[j], "%s, in answers", marks[j].name);
		cr_expect(in_rows[j] || beside, "%s, in rows", marks[j].name);
	}
}

/* ---- Messages ---------------------------------------------------------------------------------------------
 */

Test(leaves, hello_says_who_we_are)
{
	expect_clean(MESSAGE_HELLO);
	const struct hello *h = &wire_last(WIRE_VOLT, MESSAGE_HELLO)->message.hello;
	cr_expect_str_eq(h->org, "acme");
	cr_expect_str_eq(h->node, "n1");
	cr_expect(bytes_equal(h->credential, world.trust->credential));
}

static struct bytes head_shown(uint32_t session)
{
	const struct sent *heads = wire_last(session, MESSAGE_HEADS);

	cr_assert(heads && heads->message.heads.n == 1);
	return heads->message.heads.heads[0].head.payload;
}

Test(leaves, heads_do_not_move_with_what_is_hidden)
{
	put_text("acme/plant/p1", "secret/word", T(100), "zq-kpi 2");
	put_twin("acme/zq-id-2", "zq-type", "zq-name", "zq-tag");
	must(visibility_follow(world.visibility) == 0);
	wire_join(WIRE_VOLT_AGAIN);
	cr_expect(bytes_equal(head_shown(WIRE_VOLT), head_shown(WIRE_VOLT_AGAIN)));
	expect_clean(MESSAGE_HEADS);
}

Test(leaves, rows_have_what_is_shared)
{
	pull_all(WIRE_VOLT);
	pull_all(WIRE_HARBOR);
	expect_clean(MESSAGE_ROWS);
	expect_shown(MESSAGE_ROWS, "press 1");
	expect_shown(MESSAGE_ROWS, "acme/bare");
	expect_shown(MESSAGE_ROWS, "open/level");
	expect_shown(MESSAGE_ROWS, "open/token");
	cr_expect(eq(sz, wire_last(WIRE_HARBOR, MESSAGE_ROWS)->message.rows.n, 0), "and harbor sees nothing");
}

Test(leaves, rows_retract_without_a_word_on_why)
{
	struct bytes cursor = pull(WIRE_VOLT, "acme/n1", (struct bytes){0}, false);

	share("share \"less\"\n to org volt\n twins plant\n allow discover\n until 2100-01-01\n");
	pull(WIRE_VOLT, "acme/n1", cursor, false);
	pull(WIRE_VOLT, "acme/n1", (struct bytes){0}, true);
	expect_clean(MESSAGE_ROWS);
	cr_expect(eq(sz, wire_last(WIRE_VOLT, MESSAGE_ROWS)->message.rows.n, 1));
}

Test(leaves, reset_says_no_more_than_that)
{
	pull(WIRE_VOLT, "acme/n1", BYTES("no cursor of ours, whatever it is"), false);
	pull(WIRE_VOLT, "acme/elsewhere", (struct bytes){0}, false);
	expect_clean(MESSAGE_RESET);
}

Test(leaves, answer_read_has_what_may_be_read)
{
	read_all(WIRE_VOLT, "volt");
	read_all(WIRE_HARBOR, "");
	expect_clean(MESSAGE_ANSWER);
	expect_shown(MESSAGE_ANSWER, "sesame");
}

Test(leaves, answer_history_has_what_may_be_looked_back_at)
{
	history_all(WIRE_VOLT, "volt");
	history_all(WIRE_HARBOR, "");
	expect_clean(MESSAGE_ANSWER);
	expect_shown(MESSAGE_ANSWER, "sesame");
}

Test(leaves, answer_view_has_what_may_be_seen)
{
	view_all(WIRE_VOLT, "volt");
	view_all(WIRE_HARBOR, "");
	expect_clean(MESSAGE_ANSWER);
	expect_shown(MESSAGE_ANSWER, "press 1");
}

/* A border of ours asks on behalf of a partner: what it gets is on its way out, but for the tokens, which a
 * border makes. */
Test(leaves, answer_to_a_border_that_asks_for_a_partner)
{
	const size_t before = wire_n_sent;

	read_all(WIRE_OWN, "volt");
	history_all(WIRE_OWN, "volt");
	view_all(WIRE_OWN, "volt");
	for (size_t i = before; i < wire_n_sent; i++)
		for (size_t j = 0; j < N_MARKS; j++)
			cr_expect(strstr(marks[j].name, "token") || !has_mark(wire_sent[i].frame, &marks[j]),
				  "%s", marks[j].name);
}

/* Names of the same length: what is hidden and what is not there. */
Test(leaves, answer_refused_is_the_same_for_hidden_and_absent)
{
	static const enum question_kind kinds[] = {QUESTION_READ, QUESTION_HISTORY};

	for (size_t i = 0; i < 2; i++) {
		struct question q = {.kind = kinds[i], .twin = "acme/guessed", .property = "open/level"};
		const struct answer hidden = ask(WIRE_VOLT, q)->message.answer;
		q.twin = "acme/missing";
		const struct answer absent = ask(WIRE_VOLT, q)->message.answer;
		cr_expect(eq(int, hidden.code, ERR_DENIED));
		cr_expect(eq(int, absent.code, ERR_DENIED));
		cr_expect_str_eq(strchr(hidden.text, ':'), strchr(absent.text, ':'));
		q.twin = "acme/plant";
		q.property = "secret/level";
		const struct answer denied = ask(WIRE_VOLT, q)->message.answer;
		q.property = "nowhere/level";
		cr_expect_str_eq(denied.text, ask(WIRE_VOLT, q)->message.answer.text);
	}
}

static const struct audience ourselves = {.org = ""};

static void on_answer(void *ctx, int code, const char *text, const struct answer *parts, size_t n)
{
	(void)ctx, (void)code, (void)text, (void)parts, (void)n;
}

static void on_view(void *ctx, int code, const struct err_note *note, const struct view_part *view)
{
	(void)ctx, (void)code, (void)note, (void)view;
}

Test(leaves, question_view_names_twins_of_the_asked_only)
{
	struct view_root root = {.id = "acme/plant", .parent = ""};
	const struct view_question q = {.roots = &root,
					.n_roots = 1,
					.hierarchy = "contains",
					.depth = VIEW_DEPTH_ALL,
					.deadline_ns = NS_PER_S};

	must(views_ask(world.views, &ourselves, &q, on_view, NULL) == 0);
	expect_clean(MESSAGE_QUESTION);
	const struct question *asked = &wire_last(WIRE_VOLT, MESSAGE_QUESTION)->message.question;
	cr_assert(eq(sz, asked->view.n_roots, 1));
	cr_expect_str_eq(asked->view.roots[0].id, "volt/site");
}

Test(leaves, question_read_names_the_twin_asked_about)
{
	const struct question q = {.kind = QUESTION_READ, .asker = "", .twin = "volt/site", .property = ""};

	must(reads_ask(&world, &ourselves, &q, NS_PER_S, on_answer, NULL) == 0);
	expect_clean(MESSAGE_QUESTION);
	cr_expect_str_eq(wire_last(WIRE_VOLT, MESSAGE_QUESTION)->message.question.twin, "volt/site");
}

Test(leaves, question_history_names_the_series_asked_about)
{
	const struct question q = {
		.kind = QUESTION_HISTORY, .asker = "", .twin = "volt/site", .property = "open/level"};

	must(reads_ask(&world, &ourselves, &q, NS_PER_S, on_answer, NULL) == 0);
	expect_clean(MESSAGE_QUESTION);
	cr_expect_str_eq(wire_last(WIRE_VOLT, MESSAGE_QUESTION)->message.question.property, "open/level");
}

/* The mesh of an organisation, with another node in it. */
static void with_n2(void (*run)(void))
{
	struct org *org = &world.trust->own.org;
	const struct org before = *org;
	struct credential nodes[2] = {*world.trust->self, {.org = "acme", .node = "n2", .endpoint = ""}};

	nodes[1].curve.b[0] = (uint8_t)~nodes[0].curve.b[0];
	org->nodes = nodes;
	org->n_nodes = 2;
	run();
	*org = before;
}

static void on_report(void *ctx, const struct node_report *report)
{
	(void)ctx, (void)report;
}

static void on_reports_done(void *ctx)
{
	(void)ctx;
}

static void ask_for_reports(void)
{
	must(reports_ask(&world, NS_PER_S, on_report, on_reports_done, NULL) == 0);
}

Test(leaves, question_mesh_goes_to_own_nodes)
{
	with_n2(ask_for_reports);
	cr_assert(wire_last(WIRE_OWN, MESSAGE_QUESTION) || wire_last(WIRE_OWN_AGAIN, MESSAGE_QUESTION));
	cr_expect(wire_last(WIRE_VOLT, MESSAGE_QUESTION) == NULL);
	cr_expect(wire_last(WIRE_HARBOR, MESSAGE_QUESTION) == NULL);
}

static void ask_mesh(void)
{
	const struct question for_us = {.kind = QUESTION_MESH},
			      for_volt = {.kind = QUESTION_MESH, .asker = "volt"};

	cr_expect(eq(int, ask(WIRE_VOLT, for_us)->message.answer.code, ERR_DENIED));
	cr_expect(eq(int, ask(WIRE_VOLT, for_volt)->message.answer.code, ERR_DENIED));
	cr_expect(eq(int, ask(WIRE_OWN, for_volt)->message.answer.code, ERR_DENIED));
	cr_expect(eq(int, ask(WIRE_OWN, for_us)->message.answer.code, 0));
}

Test(leaves, answer_mesh_is_for_own_nodes_about_themselves)
{
	size_t n_told = 0;

	with_n2(ask_mesh);
	for (size_t i = 0; i < wire_n_sent; i++) {
		const struct node_report *r = &wire_sent[i].message.answer.report;
		if (wire_sent[i].kind != MESSAGE_ANSWER || !r->node)
			continue;
		cr_expect(eq(int, (int)wire_sent[i].session, WIRE_OWN));
		cr_expect_str_eq(r->node, "n1");
		n_told += r->n_peers;
	}
	cr_expect(eq(sz, n_told, 1));
	expect_clean(MESSAGE_ANSWER);
}

/* The other organisation's stream is pulled by its name and its cursor. */
Test(leaves, pull_names_what_the_partner_offered)
{
	wire_offer(WIRE_VOLT);
	expect_clean(MESSAGE_PULL);
	cr_expect_str_eq(wire_last(WIRE_VOLT, MESSAGE_PULL)->message.pull.origin, "volt/gate");
}

Test(leaves, ping_is_one_word)
{
	struct credential without_twins = *world.trust->self;

	without_twins.roles = ROLE_BORDER;
	world.trust->self = &without_twins;
	wire_join(WIRE_VOLT_AGAIN);
	expect_clean(MESSAGE_PING);
}

Test(leaves, tell_is_one_word)
{
	wire_features = FEATURE_QUIET;
	wire_join(WIRE_VOLT_AGAIN);
	wire_lose(WIRE_VOLT_AGAIN);
	wire_hear(WIRE_VOLT_AGAIN, &(struct message){.kind = MESSAGE_PING});
	expect_clean(MESSAGE_TELL);
}

Test(leaves, bye_is_one_word)
{
	must(gossip_say(world.gossip, WIRE_VOLT, &(struct message){.kind = MESSAGE_BYE}) == 0);
	expect_clean(MESSAGE_BYE);
}

/* ---- What another organisation told us --------------------------------------------------------------------
 */

static void hold_row_of_harbor(const char *id, const char *name, struct fingerprint *all)
{
	struct incarnation lineage = {.id = 5};
	struct head head = {.origin = "harbor/gate", .lineage = &lineage, .n_lineage = 1, .epoch = 1};
	const struct row row = {.id = id,
				.version = {0, 1},
				.mask = ROW_MASK_DISCOVER | ROW_MASK_SUMMARY,
				.type = "",
				.name = name};
	SCOPED(buf_fini) struct buf payload = {0}, blob = {0}, encoded = {0};
	struct signed_blob signed_head;

	const struct hash128 hash = row_hash(id, row.version, row.mask);
	fingerprint_add(all, &hash);
	head.fingerprint = *all;
	head_encode(&head, &payload);
	sign_blob(world.trust->sign, SIGN_HEAD, buf_bytes(&payload), &signed_head);
	signed_blob_encode(&signed_head, &blob);
	row_encode(&row, &encoded);
	must(buf_check(&encoded) == 0);
	struct bytes rows[] = {buf_bytes(&encoded)};
	world_put(&(struct op){.kind = OP_ROWS,
			       .rows = {.origin = "harbor/gate",
					.rows = rows,
					.n = 1,
					.cursor = BYTES("c"),
					.head = buf_bytes(&blob)}},
		  1);
	must(store_row(world.store, id) != NULL);
}

/* Third organisations carry nothing: volt learns of harbor from harbor alone, whatever acme shares with it.
 */
Test(leaves, rows_of_a_partner_go_to_no_other)
{
	static const char *const foreign[] = {"zq-foreign", "zq-site", "harbor/gate"};
	struct fingerprint all = {0};

	hold_row_of_harbor("harbor/zq-foreign", "zq-foreign-name", &all);
	hold_row_of_harbor("harbor/site", "zq-site", &all);
	share(ALL);
	wire_join(WIRE_VOLT_AGAIN);
	pull_all(WIRE_VOLT);
	view_all(WIRE_VOLT, "");
	ask(WIRE_VOLT, (struct question){.kind = QUESTION_READ, .twin = "harbor/site"});
	cr_expect(wire_last(WIRE_VOLT_AGAIN, MESSAGE_HEADS) != NULL);
	for (size_t i = 0; i < wire_n_sent; i++)
		for (size_t j = 0; j < 3 && !wire_is_own(&wire_sent[i]); j++)
			cr_expect(not(occurs(wire_sent[i].frame, foreign[j], strlen(foreign[j]))), "%s: %s",
				  message_kind_text(wire_sent[i].kind), foreign[j]);
}
