/* SPDX-License-Identifier: Apache-2.0 */
/* What a session's question is answered with, up to the bytes that leave. The mesh is not there: what would
 * be sent is kept. */
#include "node/questions.h"

#include <criterion/criterion.h>
#include <criterion/new/assert.h>
#include <math.h>
#include <stdio.h>

#include "node/asks.h"
#include "node/audit.h"
#include "node/border.h"
#include "node/persons.h"
#include "node/views.h"
#include "proto/clock.h"
#include "tests/lib/must.h"
#include "tests/unit/node/people.h"
#include "tests/unit/node/world.h"

#define ROLES \
	"share \"force\"\n to org volt role operator\n twins plant/p1\n allow read recipe/force\n" \
	" allow history recipe/force\n until 2100-01-01\n"

static struct arena *a;
static struct buf sent; /* the frame */
static struct message said;
static uint32_t said_to;
static size_t n_sent;
static uint64_t n_denied, n_counted;
static bool closed; /* the border */
static char counted_as[128], counted_by[64];
static struct session volt = {.id = 1, .org = "volt", .node = "v1", .open = true},
		      harbor = {.id = 2, .org = "harbor", .node = "h1", .open = true},
		      border = {.id = 3,
				.org = "acme",
				.node = "n2",
				.own = true,
				.open = true,
				.features = FEATURE_VIEW};

/* ---- In place of the mesh and the journal (--wrap) --------------------------------------------------------
 */

int __wrap_gossip_say(struct gossip *g, uint32_t session, const struct message *m);
const struct session *__wrap_gossip_find(const struct gossip *g, const char *org, const char *node);
const struct session *__wrap_gossip_session(const struct gossip *g, uint32_t id);
int64_t __wrap_gossip_age(const struct gossip *g, const char *origin);
bool __wrap_border_is_open(const struct engine *e);
void __wrap_journal_count(struct journal *j, const struct journal_read *r);
void __wrap_journal_deny(struct journal *j, const char *partner);

int __wrap_gossip_say(struct gossip *g, uint32_t session, const struct message *m)
{
	struct message whole = *m;

	(void)g;
	said_to = session;
	whole.nonce = whole.frame = 1;
	buf_clear(&sent);
	message_encode(&whole, &sent);
	must(buf_check(&sent) == 0);
	must(message_decode(a, buf_bytes(&sent), &said) == 0);
	n_sent++;
	return 0;
}

const struct session *__wrap_gossip_find(const struct gossip *g, const char *org, const char *node)
{
	(void)g;
	return strcmp(org, "acme") == 0 && strcmp(node, "n2") == 0 ? &border : NULL;
}

const struct session *__wrap_gossip_session(const struct gossip *g, uint32_t id)
{
	(void)g;
	return id == border.id ? &border : NULL;
}

int64_t __wrap_gossip_age(const struct gossip *g, const char *origin)
{
	(void)g, (void)origin;
	return INT64_MAX;
}

bool __wrap_border_is_open(const struct engine *e)
{
	(void)e;
	return !closed;
}

void __wrap_journal_count(struct journal *j, const struct journal_read *r)
{
	(void)j;
	n_counted++;
	snprintf(counted_as, sizeof counted_as, "%s %s", r->what, r->person ? r->person : "-");
	snprintf(counted_by, sizeof counted_by, "%s", r->rule);
}

void __wrap_journal_deny(struct journal *j, const char *partner)
{
	(void)j;
	must(strcmp(partner, "volt") == 0 || strcmp(partner, "harbor") == 0);
	n_denied++;
}

/* ---- */

static void set_up(void)
{
	world_set_up();
	people_set_up();
	must(arena_new(&a, 64 << 20) == 0);
	must(persons_new(&world.persons) == 0 && views_start(&world.views, &world) == 0 &&
	     asks_start(&world.asks, &world) == 0);
	world_type("press", "power", "recipe/force", "kW");
	world_twin("acme/plant", "", NULL);
	world_twin("acme/plant/p1", "press", NULL);
	world_relation("contains", "acme/plant", "acme/plant/p1");
	world_value("acme/plant/p1", "power", 5, 7.5);
	world_value("acme/plant/p1", "recipe/force", 5, 8.5);
	world_policy(ROLES);
	n_sent = n_denied = n_counted = 0;
	closed = false;
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
	world.asks = NULL;
	views_free(world.views);
	persons_free(world.persons);
	arena_free(a);
	buf_fini(&sent);
	world.views = NULL;
	world.persons = NULL;
	a = NULL;
	people_tear_down();
	world_tear_down();
}

TestSuite(questions, .init = set_up, .fini = tear_down, .timeout = 60);

static struct question read_of(const char *twin, const char *property)
{
	return (struct question){.id = 1,
				 .timeout_ns = NS_PER_S,
				 .asker = "",
				 .kind = QUESTION_READ,
				 .view = {.hierarchy = ""},
				 .twin = twin,
				 .property = property};
}

static void show(struct question *q, const struct showing *s)
{
	const struct errand_proof proof = people_prove(s);

	q->person = proof.credential;
	q->errand = proof.errand;
}

static void ask(const struct session *from, const struct question *q)
{
	const size_t before = n_sent;

	questions_on_question(&world, from, q);
	cr_assert(eq(sz, n_sent, before + 1));
	cr_assert(eq(int, (int)said.kind, MESSAGE_ANSWER));
}

/* The frame that answers it. */
static struct bytes answer_to(const struct session *from, const struct question *q)
{
	ask(from, q);
	const char *copy = arena_text(a, buf_bytes(&sent));
	must(copy);
	return (struct bytes){(const uint8_t *)copy, sent.len};
}

Test(questions, a_person_gets_what_the_role_opens_and_nothing_else)
{
	struct question q = read_of("acme/plant/p1", "");
	const struct showing eve = people_eve();

	show(&q, &eve);
	ask(&volt, &q);
	cr_assert(eq(int, said.answer.code, 0), "%s", said.answer.text);
	cr_assert(eq(sz, said.answer.n_values, 1));
	cr_expect(strcmp(said.answer.values[0].property, "recipe/force") == 0);
	cr_expect(eq(dbl, said.answer.values[0].sample.value.real, 8.5));
	cr_expect(eq(sz, said.answer.row.n_kpis, 0));
	cr_expect(strcmp(counted_as, "read volt/eve") == 0, "%s", counted_as);
	cr_expect(strcmp(counted_by, "force") == 0);
	cr_expect(eq(u64, n_denied, 0));
	q.kind = QUESTION_HISTORY;
	q.property = "recipe/force";
	q.to_ns = TIME_MAX;
	ask(&volt, &q);
	cr_expect(eq(sz, said.answer.n_samples, 1));
	cr_expect(strcmp(counted_as, "history volt/eve") == 0, "%s", counted_as);
}

/* Each is denied in the bytes in which one is that has no business here at all. */
static void expect_denied(const struct session *from, const struct question *q, const char *why)
{
	struct question plain = *q;

	plain.person = plain.errand = (struct bytes){0};
	const struct bytes denied = answer_to(from, &plain);
	cr_assert(eq(int, said.answer.code, ERR_DENIED));
	const uint64_t before = n_denied;
	cr_expect(bytes_equal(answer_to(from, q), denied), "%s", why);
	cr_expect(eq(u64, n_denied, before + 1), "%s: counted once", why);
	cr_expect(eq(u64, n_counted, 0));
}

Test(questions, who_shows_what_does_not_hold_is_denied_like_anybody)
{
	struct question q = read_of("acme/plant/p1", "");
	struct showing eve = people_eve();

	show(&q, &eve);
	expect_denied(&harbor, &q, "a person of another organisation than the session's");
	eve.errand.node = "v2";
	show(&q, &eve);
	expect_denied(&volt, &q, "through another node");
	eve = people_eve();
	eve.errand.at_ns -= 100 * NS_PER_S;
	eve.errand.until_ns -= 100 * NS_PER_S;
	show(&q, &eve);
	expect_denied(&volt, &q, "after its end");
	eve = people_eve();
	eve.person.roles = (const char *[]){"clerk"};
	show(&q, &eve);
	expect_denied(&volt, &q, "another role");
	eve = people_eve();
	eve.issuer = "harbor";
	show(&q, &eve);
	expect_denied(&volt, &q, "a stranger's issuer");
	eve = people_eve();
	show(&q, &eve);
	people_revoke(&eve.person);
	expect_denied(&volt, &q, "revoked");
}

Test(questions, whether_it_is_there_changes_no_byte)
{
	struct question there = read_of("acme/plant/p1", "power"), absent = read_of("acme/plant/p9", "power");
	const struct showing eve = people_eve();

	show(&there, &eve);
	show(&absent, &eve);
	const struct bytes denied = answer_to(&volt, &there), nothing = answer_to(&volt, &absent);
	cr_assert(eq(sz, denied.len, nothing.len));
	for (size_t i = 0; i < denied.len; i++) /* but the name that was asked for */
		cr_expect(denied.data[i] == nothing.data[i] ||
			  (denied.data[i] == '1' && nothing.data[i] == '9'));
	there.kind = absent.kind = QUESTION_HISTORY;
	cr_expect(eq(sz, answer_to(&volt, &there).len, answer_to(&volt, &absent).len));
}

Test(questions, a_border_of_ours_hands_on_persons_of_the_asker_only)
{
	struct question q = read_of("acme/plant/p1", "");
	const struct showing eve = people_eve();

	show(&q, &eve);
	q.asker = "volt";
	ask(&border, &q);
	cr_assert(eq(int, said.answer.code, 0), "%s", said.answer.text);
	cr_expect(eq(sz, said.answer.n_values, 1));
	q.asker = "harbor";
	ask(&border, &q);
	cr_expect(eq(int, said.answer.code, ERR_DENIED));
	cr_expect(eq(u64, n_denied, 1));
	q.asker = "";
	ask(&border, &q);
	cr_expect(eq(int, said.answer.code, ERR_DENIED), "nor one that is none of the own organisation");
}

Test(questions, nobody_speaks_for_another_organisation)
{
	struct question q = read_of("acme/plant/p1", "");

	world_policy(
		"share \"all\"\n to org volt, org harbor\n twins **\n allow discover, summary\n"
		" until 2100-01-01\n");
	ask(&harbor, &q);
	cr_assert(eq(int, said.answer.code, 0), "for itself it may ask");
	q.asker = "volt";
	ask(&harbor, &q);
	cr_expect(eq(int, said.answer.code, ERR_DENIED));
	q.asker = "acme";
	ask(&harbor, &q);
	cr_expect(eq(int, said.answer.code, ERR_DENIED));
	const struct showing eve = people_eve();
	q.asker = "";
	show(&q, &eve);
	ask(&harbor, &q);
	cr_expect(eq(int, said.answer.code, ERR_DENIED), "not by one of its persons either");
}

/* ---- Views -----------------------------------------------------------------------------------------------
 */

static size_t members_for(const struct session *from, const struct showing *s, uint64_t *ret_withheld)
{
	struct view_root root = {.id = "acme/plant/p1", .parent = ""};
	struct rollup_spec force = {.fn = ROLLUP_SUM, .property = "recipe/force"};
	struct question q = read_of("", "");
	size_t n = 0;

	q.kind = QUESTION_VIEW;
	q.view = (struct view_question){.roots = &root,
					.n_roots = 1,
					.hierarchy = "contains",
					.depth = 2,
					.rollups = &force,
					.n_rollups = 1};
	if (s)
		show(&q, s);
	questions_on_question(&world, from, &q);
	cr_assert(said.answer.last && said.answer.code == 0);
	*ret_withheld = said.answer.view.counts.withheld;
	n = (size_t)said.answer.view.counts.live;
	return n;
}

Test(questions, a_view_shows_a_person_what_the_role_opens)
{
	const struct showing eve = people_eve();
	uint64_t withheld;

	cr_expect(eq(sz, members_for(&volt, &eve, &withheld), 1));
	cr_expect(eq(u64, withheld, 0));
	cr_expect(strcmp(counted_as, "view volt/eve") == 0, "%s", counted_as);
	cr_expect(eq(sz, members_for(&volt, NULL, &withheld), 0));
	cr_expect(eq(sz, members_for(&harbor, &eve, &withheld), 0));
}

/* ---- Owners behind this border ---------------------------------------------------------------------------
 */

static const double secret = 4711.25;

/* n2 owns an oven, of which this node has the row. */
static struct kpi heat = {.property = "heat", .unit = "kW", .sample = {.t_ns = 5, .sigma = NAN}};

static struct row oven_row(void)
{
	static const char *tags[] = {"hot"};

	heat.sample.value = (struct value){.type = VALUE_DOUBLE, .real = secret};
	return (struct row){.id = "acme/hall/oven",
			    .version.stamp_ns = 5,
			    .seq = 1,
			    .mask = ROW_MASK_ALL,
			    .type = "",
			    .name = "oven 7",
			    .kpis = &heat,
			    .n_kpis = 1,
			    .tags = tags,
			    .n_tags = 1};
}

static void relay_oven(void)
{
	SCOPED(buf_fini) struct buf b = {0};
	const struct row row = oven_row();

	row_encode(&row, &b);
	must(buf_check(&b) == 0);
	struct bytes encoded = buf_bytes(&b);
	const struct op op = {
		.kind = OP_ROWS,
		.rows = {.origin = "acme/n2", .rows = &encoded, .n = 1, .cursor = bytes_of_text("c")}};
	world_put(&op, 1);
}

#define OVENS(MORE) \
	"share \"ovens\"\n to org volt role operator\n twins tag hot\n allow read heat, note\n" MORE \
	" until 2100-01-01\n"

static bool holds_secret(const struct buf *b)
{
	for (size_t i = 0; i + sizeof secret <= b->len; i++)
		if (memcmp(b->data + i, &secret, sizeof secret) == 0)
			return true;
	return false;
}

/* What the owner says: more than volt may have. */
static void owner_answers(uint64_t id, bool summary)
{
	struct kpi values[] = {heat,
			       {.property = "note",
				.unit = "",
				.sample = {.value = {.type = VALUE_TEXT, .text = "warm"}, .sigma = NAN}},
			       {.property = "recipe",
				.unit = "",
				.sample = {.value = {.type = VALUE_TEXT, .text = "hidden"}, .sigma = NAN}}};
	struct row row = oven_row();

	row.mask = ROW_MASK_DISCOVER | (summary ? ROW_MASK_SUMMARY : 0);
	row.n_tags = summary ? row.n_tags : 0;
	asks_on_answer(world.asks, border.id,
		       &(struct answer){.id = id,
					.last = true,
					.text = "",
					.unit = "",
					.kind = QUESTION_READ,
					.row = row,
					.values = values,
					.n_values = 3});
}

Test(questions, person_and_errand_go_on_to_the_owner_as_they_came)
{
	struct question q = read_of("acme/hall/oven", "");
	const struct showing eve = people_eve();

	relay_oven();
	world_policy(OVENS(""));
	show(&q, &eve);
	questions_on_question(&world, &volt, &q);
	cr_assert(eq(u32, said_to, border.id));
	cr_assert(eq(int, (int)said.kind, MESSAGE_QUESTION));
	cr_expect(strcmp(said.question.asker, "volt") == 0);
	cr_expect(bytes_equal(said.question.person, q.person) && bytes_equal(said.question.errand, q.errand));
	q.person = q.errand = (struct bytes){0};
	ask(&volt, &q);
	cr_expect(eq(u32, said_to, volt.id));
	cr_expect(eq(int, said.answer.code, ERR_DENIED), "for who may not have it no owner is asked");
}

Test(questions, who_asks_a_lot_waits_for_himself)
{
	struct question q = read_of("acme/hall/oven", "");
	const struct showing eve = people_eve();

	relay_oven();
	world_policy(OVENS(""));
	show(&q, &eve);
	q.timeout_ns = INT64_MAX;
	for (int i = 0; i < 64; i++)
		questions_on_question(&world, &volt, &q);
	cr_assert(eq(u32, said_to, border.id));
	cr_expect(eq(i64, said.question.timeout_ns, 45 * NS_PER_S));
	ask(&volt, &q);
	cr_expect(eq(int, said.answer.code, ERR_UNREACHABLE));
	cr_expect(strstr(said.answer.text, "too many questions") != NULL, "%s", said.answer.text);
	struct question other = read_of("acme/plant/p1", "");
	ask(&harbor, &other);
	cr_expect(eq(int, said.answer.code, ERR_DENIED), "others are answered as ever");
	asks_on_down(world.asks, border.id);
	ask(&volt, &other);
	cr_expect(eq(int, said.answer.code, ERR_DENIED), "and so is he when they have ended");
}

Test(questions, the_border_decides_again_and_puts_the_tokens_in)
{
	struct question q = read_of("acme/hall/oven", "");
	const struct showing eve = people_eve();

	relay_oven();
	world_policy(OVENS(" redact heat as token\n"));
	show(&q, &eve);
	questions_on_question(&world, &volt, &q);
	cr_assert(eq(int, (int)said.kind, MESSAGE_QUESTION));
	owner_answers(said.question.id, true);
	cr_assert(eq(u32, said_to, volt.id));
	cr_assert(eq(int, said.answer.code, 0), "%s", said.answer.text);
	cr_assert(eq(sz, said.answer.n_values, 2), "not the recipe");
	cr_expect(eq(int, (int)said.answer.values[0].sample.value.type, VALUE_TEXT));
	cr_expect(eq(sz, strlen(said.answer.values[0].sample.value.text), TOKEN_SIZE - 1));
	cr_expect(strcmp(said.answer.values[1].sample.value.text, "warm") == 0);
	cr_assert(eq(sz, said.answer.row.n_kpis, 1));
	cr_expect(eq(int, (int)said.answer.row.kpis[0].sample.value.type, VALUE_TEXT));
	cr_expect(strcmp(said.answer.row.name, "") == 0 && said.answer.row.n_tags == 0, "no summary");
	cr_expect(not(holds_secret(&sent)));
	q.asker = "";
	q.person = q.errand = (struct bytes){0};
	questions_on_question(&world, &border, &q);
	owner_answers(said.question.id, true);
	cr_expect(holds_secret(&sent), "the search would find it");
}

Test(questions, what_the_owner_held_back_stays_back)
{
	struct question q = read_of("acme/hall/oven", "");
	const struct showing eve = people_eve();

	relay_oven();
	world_policy(OVENS(" allow discover, summary\n"));
	show(&q, &eve);
	questions_on_question(&world, &volt, &q);
	owner_answers(said.question.id, false);
	cr_assert(eq(int, said.answer.code, 0), "%s", said.answer.text);
	cr_expect(eq(sz, said.answer.row.n_kpis, 1), "shared by a tag that the owner did not tell");
	cr_expect(said.answer.row.n_tags == 0 && strcmp(said.answer.row.name, "") == 0);
	cr_expect(not(said.answer.row.mask & ROW_MASK_SUMMARY));
}

Test(questions, a_view_goes_on_with_the_person_too)
{
	struct view_root root = {.id = "acme/hall/oven", .parent = ""};
	struct question q = read_of("", "");
	const struct showing eve = people_eve();

	relay_oven();
	world_policy(OVENS(""));
	q.kind = QUESTION_VIEW;
	q.view = (struct view_question){.roots = &root, .n_roots = 1, .hierarchy = "contains"};
	show(&q, &eve);
	questions_on_question(&world, &volt, &q);
	cr_assert(eq(int, (int)said.kind, MESSAGE_QUESTION));
	cr_expect(strcmp(said.question.asker, "volt") == 0);
	cr_expect(bytes_equal(said.question.person, q.person) && bytes_equal(said.question.errand, q.errand));
}

/* What it does not own itself its fellow asks of others. */
Test(questions, a_fellow_is_told_where_the_hierarchy_goes_on)
{
	struct view_root roots[] = {{.id = "acme/plant", .parent = ""}, {.id = "acme/gone", .parent = ""}};
	struct question q = read_of("", "");

	relay_oven();
	world_relation("contains", "acme/plant", "acme/hall/oven");
	world_relation("contains", "acme/plant/p1", "volt/plant");
	q.kind = QUESTION_VIEW;
	q.view = (struct view_question){
		.roots = roots, .n_roots = 2, .hierarchy = "contains", .depth = VIEW_DEPTH_ALL};
	ask(&border, &q);
	cr_assert(said.answer.last && said.answer.code == 0);
	cr_assert(eq(sz, said.answer.view.n_edges, 2));
	for (size_t i = 0; i < 2; i++)
		cr_expect(strcmp(said.answer.view.edges[i].child, "acme/hall/oven") == 0 ||
			  strcmp(said.answer.view.edges[i].child, "volt/plant") == 0);
	cr_expect(eq(u64, said.answer.view.counts.members, 2));
}

Test(questions, what_comes_back_when_the_border_has_closed_does_not_leave)
{
	struct question q = read_of("acme/hall/oven", "");
	const struct showing eve = people_eve();

	relay_oven();
	world_policy(OVENS(""));
	show(&q, &eve);
	questions_on_question(&world, &volt, &q);
	cr_assert(eq(int, (int)said.kind, MESSAGE_QUESTION));
	closed = true;
	owner_answers(said.question.id, true);
	cr_assert(eq(u32, said_to, volt.id));
	cr_expect(eq(int, said.answer.code, ERR_UNREACHABLE));
	cr_expect(not(holds_secret(&sent)));
	cr_expect(eq(u64, n_counted, 0));
}

Test(questions, nor_when_the_person_was_revoked_meanwhile)
{
	struct question q = read_of("acme/hall/oven", "");
	const struct showing eve = people_eve();

	relay_oven();
	world_policy(OVENS(""));
	show(&q, &eve);
	questions_on_question(&world, &volt, &q);
	cr_assert(eq(int, (int)said.kind, MESSAGE_QUESTION));
	people_revoke(&eve.person);
	owner_answers(said.question.id, true);
	cr_assert(eq(u32, said_to, volt.id));
	cr_expect(eq(int, said.answer.code, ERR_UNREACHABLE));
	cr_expect(not(holds_secret(&sent)));
}

Test(questions, nor_a_history_that_was_taken_back_meanwhile)
{
	struct question q = read_of("acme/hall/oven", "heat");
	struct sample sample = {.t_ns = 5, .value = {.type = VALUE_DOUBLE, .real = secret}, .sigma = NAN};
	const struct showing eve = people_eve();

	relay_oven();
	world_policy(OVENS(" allow history heat\n"));
	q.kind = QUESTION_HISTORY;
	q.to_ns = TIME_MAX;
	show(&q, &eve);
	questions_on_question(&world, &volt, &q);
	cr_assert(eq(int, (int)said.kind, MESSAGE_QUESTION));
	world_policy(OVENS(""));
	asks_on_answer(world.asks, border.id,
		       &(struct answer){.id = said.question.id,
					.last = true,
					.text = "",
					.unit = "kW",
					.kind = QUESTION_HISTORY,
					.samples = &sample,
					.n_samples = 1});
	cr_assert(eq(u32, said_to, volt.id));
	cr_expect(eq(int, said.answer.code, ERR_DENIED));
	cr_expect(not(holds_secret(&sent)));
}

Test(questions, nor_a_view_of_what_was_shared_when_it_began)
{
	struct view_root root = {.id = "acme/hall/oven", .parent = ""};
	struct view_member oven = {.id = "acme/hall/oven", .parent = "", .type = "", .name = "oven 7"};
	struct question q = read_of("", "");
	const struct showing eve = people_eve();

	relay_oven();
	world_policy(OVENS(""));
	q.kind = QUESTION_VIEW;
	q.view = (struct view_question){.roots = &root, .n_roots = 1, .hierarchy = "contains"};
	show(&q, &eve);
	questions_on_question(&world, &volt, &q);
	cr_assert(eq(int, (int)said.kind, MESSAGE_QUESTION));
	world_policy("");
	asks_on_answer(
		world.asks, border.id,
		&(struct answer){
			.id = said.question.id,
			.last = true,
			.text = "",
			.unit = "",
			.kind = QUESTION_VIEW,
			.view = {.members = &oven, .n_members = 1, .counts = {.members = 1, .live = 1}}});
	cr_assert(eq(u32, said_to, volt.id));
	cr_expect(eq(int, said.answer.code, ERR_UNREACHABLE));
	cr_expect(eq(sz, said.answer.view.n_members, 0));
	cr_expect(eq(u64, n_counted, 0));
}

/* Of somebody else's view nothing goes on when nobody waits for it any more. */
Test(questions, a_view_for_others_ends_with_their_patience)
{
	struct view_root root = {.id = "acme/plant", .parent = ""};
	struct question q = read_of("", "");
	char id[32];

	for (int i = 0; i < 200; i++) {
		snprintf(id, sizeof id, "acme/plant/q%d", i);
		world_twin(id, "press", NULL);
		world_relation("contains", "acme/plant", id);
	}
	world_policy("share \"all\"\n to org volt\n twins **\n allow discover\n until 2100-01-01\n");
	q.kind = QUESTION_VIEW;
	q.timeout_ns = 1;
	q.view = (struct view_question){.roots = &root, .n_roots = 1, .hierarchy = "contains"};
	ask(&volt, &q);
	cr_expect(eq(int, said.answer.code, 0));
	cr_expect(said.answer.view.cut);
	cr_expect(lt(u64, said.answer.view.counts.members, 202));
}

Test(questions, an_owner_that_has_not_heard_of_what_is_newest_answers_its_own_organisation_only)
{
	struct question q = read_of("acme/plant/p1", "");
	const struct showing eve = people_eve();

	closed = true;
	ask(&border, &q);
	cr_expect(eq(int, said.answer.code, 0), "%s", said.answer.text);
	show(&q, &eve);
	q.asker = "volt";
	ask(&border, &q);
	cr_expect(eq(int, said.answer.code, ERR_UNREACHABLE));
}
