/* SPDX-License-Identifier: Apache-2.0 */
/* Commands at their owner: a real store and writer, signatures of real keys, an asset that is not there. */
#include "node/commands.h"

#include <criterion/criterion.h>
#include <stdio.h>

#include "node/command_life.h"
#include "node/gossip.h"
#include "node/writer.h"
#include "proto/clock.h"
#include "security/command.h"
#include "tests/lib/must.h"
#include "tests/unit/node/world.h"

#define START_NS (1000 * NS_PER_S)
#define DAY_NS (86400 * NS_PER_S)
#define TWIN "acme/p1"

enum { N_PEOPLE = 3 };
enum who { EVE, LEA, MAX_OF_ACME };

static int64_t now_ns, mono_ns;
static struct arena *a;
static struct sign_key *keys[N_PEOPLE + 3]; /* of people, issuers of acme and volt, the node */
static struct bytes credentials[N_PEOPLE];
static const char *const names[N_PEOPLE] = {"eve", "lea", "max"};
static const char *lead[] = {"shift-lead"}, *operators[] = {"operator"};
static struct issuer_key issuers[2];
static struct credential nodes_acme[2] = {{.org = "acme", .node = "n1", .not_after_ns = DAY_NS},
					  {.org = "acme", .node = "n2", .not_after_ns = DAY_NS}},
			 nodes_volt[1] = {{.org = "volt", .node = "v1", .not_after_ns = DAY_NS}};

/* ---- The asset --------------------------------------------------------------------------------------------
 */

static int order_says;
static size_t n_orders, n_acts;
static uint8_t last_order[COMMAND_ID_BYTES];
static int64_t last_deadline_ns;

static int take_order(struct engine *e, const struct order *o, struct err_note *note)
{
	(void)e;
	must(o->deadline_ns > now_ns && strcmp(o->twin, TWIN) == 0);
	/* nothing is handed over that is not durable */
	must(store_command(world.store, o->id) != NULL);
	n_orders++;
	memcpy(last_order, o->id, sizeof last_order);
	last_deadline_ns = o->deadline_ns;
	return order_says < 0 ? err_say(note, order_says, "the asset is away") : 0;
}

static int do_act(struct engine *e, const struct command *c, const char *who, acted_fn *done, void *ctx,
		  struct err_note *note)
{
	(void)e, (void)c, (void)who, (void)note;
	n_acts++;
	done(ctx, 0, "");
	return 0;
}

/* ---- The world --------------------------------------------------------------------------------------------
 */

static int64_t wall(void)
{
	return now_ns;
}

int64_t __wrap_engine_mono_ns(void);
int64_t __wrap_engine_mono_ns(void)
{
	return mono_ns;
}

static struct sign_key *key_of(uint8_t byte)
{
	const uint8_t seed[32] = {byte, 79};
	struct sign_key *k = NULL;

	must(sign_key_from_seed(&k, seed) == 0);
	return k;
}

static struct bytes kept(struct buf *b)
{
	const char *copy = arena_text(a, buf_bytes(b));
	const struct bytes ret = {(const uint8_t *)copy, b->len};

	must(buf_check(b) == 0 && copy);
	buf_fini(b);
	return ret;
}

static struct bytes credential_of(enum who who)
{
	const struct person p = {.org = who == EVE ? "volt" : "acme",
				 .name = names[who],
				 .serial = {{(uint8_t)who}},
				 .sign = sign_key_public(keys[who]),
				 .roles = who == LEA ? lead : operators,
				 .n_roles = 1,
				 .not_before_ns = 1,
				 .not_after_ns = DAY_NS / 2};
	struct buf payload = {0}, out = {0};
	struct signed_blob blob;

	person_encode(&p, &payload);
	sign_blob(keys[N_PEOPLE + (who == EVE)], SIGN_PERSON, buf_bytes(&payload), &blob);
	signed_blob_encode(&blob, &out);
	buf_fini(&payload);
	return kept(&out);
}

static void found_org(struct org *org, const char *name, struct credential *nodes, size_t n, size_t place)
{
	issuers[place] = (struct issuer_key){sign_key_public(keys[N_PEOPLE + place]), 0, DAY_NS};
	*org = (struct org){.manifest = {.org = name,
					 .version = 1,
					 .valid_until_ns = DAY_NS,
					 .issuers = &issuers[place],
					 .n_issuers = 1},
			    .nodes = nodes,
			    .n_nodes = n};
}

static void put_twin(void)
{
	static struct property_def parameters[] = {
		{.name = "grace_s", .type = VALUE_DOUBLE, .unit = "s", .min = 0, .max = 60}};
	static struct operation_def operations[] = {
		{.name = "stop", .text = "", .parameters = parameters, .n_parameters = 1}};
	const struct op op = {
		.kind = OP_TYPE,
		.type = {.name = "press", .version = 1, .operations = operations, .n_operations = 1}};

	world_put(&op, 1);
	world_twin(TWIN, "press", NULL);
}

static const struct commands_ports ports = {.order = take_order, .act = do_act};

static void start(void)
{
	must(commands_start(&world.commands, &world) == 0);
	commands_connect(world.commands, &ports);
}

static void set_up(void)
{
	now_ns = START_NS;
	mono_ns = 5 * NS_PER_S;
	world_set_up();
	world.trust->clock.wall_ns = wall;
	must(arena_new(&a, 256 << 20) == 0);
	for (uint8_t i = 0; i < N_PEOPLE + 3; i++)
		keys[i] = key_of(i);
	world.trust->sign = keys[N_PEOPLE + 2];
	nodes_acme[0].sign = sign_key_public(keys[N_PEOPLE + 2]);
	found_org(&world.trust->own.org, "acme", nodes_acme, 2, 0);
	found_org(&world.trust->partners[0]->org, "volt", nodes_volt, 1, 1);
	for (enum who who = EVE; who <= MAX_OF_ACME; who++)
		credentials[who] = credential_of(who);
	put_twin();
	world_policy(
		"share \"stop\"\n to org volt\n twins p1\n"
		" allow command stop confirm role shift-lead\n until 2100-01-01\n"
		"share \"ack\"\n to org volt\n twins p1\n"
		" allow command alarm-ack rate 2/min\n until 2100-01-01\n");
	must(gossip_start(&world.gossip, &world) == 0 && writer_start(&world.writer, &world) == 0);
	start();
	order_says = 0;
	n_orders = n_acts = 0;
}

static bool ended;

static void on_ended(struct engine *e)
{
	(void)e;
	ended = true;
}

static void stop(void)
{
	ended = false;
	commands_stop(world.commands, on_ended);
	while (!ended)
		uv_run(&world.loop, UV_RUN_ONCE);
}

static void on_marked(void *ctx, const struct write_result *w)
{
	must(w->code == 0);
	*(bool *)ctx = true;
}

/* Everything that is to be written is, and what comes of that: writes are done in order. */
static void settle(void)
{
	for (int i = 0; i < 3; i++) {
		struct arena *mine = NULL;
		bool marked = false;
		must(arena_new(&mine, 65536) == 0);
		struct op *op = arena_take(mine, sizeof *op);
		*op = (struct op){.kind = OP_COMMAND};
		must(writer_submit(world.writer, &(struct write_request){.arena = mine,
									 .ops = op,
									 .n_ops = 1,
									 .done = on_marked,
									 .ctx = &marked}) == 0);
		while (!marked)
			uv_run(&world.loop, UV_RUN_ONCE);
	}
}

static void restart(void)
{
	settle();
	stop();
	commands_free(world.commands);
	start();
}

static void tear_down(void)
{
	world.stopping = true;
	stop();
	ended = false;
	writer_stop(world.writer, on_ended);
	gossip_stop(world.gossip);
	uv_run(&world.loop, UV_RUN_DEFAULT);
	must(ended);
	commands_free(world.commands);
	writer_free(world.writer);
	gossip_free(world.gossip);
	world.commands = NULL;
	world.writer = NULL;
	world.gossip = NULL;
	world.trust->sign = NULL;
	found_org(&world.trust->own.org, "acme", NULL, 0, 0);
	found_org(&world.trust->partners[0]->org, "volt", NULL, 0, 1);
	for (size_t i = 0; i < N_PEOPLE + 3; i++)
		sign_key_free(keys[i]);
	arena_free(a);
	world_tear_down();
}

TestSuite(commands_node, .init = set_up, .fini = tear_down, .timeout = 120);

/* ---- Sending and confirming -------------------------------------------------------------------------------
 */

static struct command command_number(uint8_t n, const char *operation)
{
	static struct argument grace[1], ack[2];
	const bool is_stop = strcmp(operation, "stop") == 0;
	struct command c = {.twin = TWIN,
			    .operation = operation,
			    .arguments = is_stop ? grace : ack,
			    .n_arguments = is_stop ? 1 : 2,
			    .issued_ns = now_ns,
			    .deadline_ns = now_ns + 60 * NS_PER_S,
			    .org = "volt",
			    .person = "eve",
			    .node = "v1"};

	grace[0] = (struct argument){"grace_s", {.type = VALUE_INT64, .integer = 5}};
	ack[0] = (struct argument){"alarm", {.type = VALUE_TEXT, .text = "heat"}};
	ack[1] = (struct argument){"comment", {.type = VALUE_TEXT, .text = ""}};
	memset(c.id, n, sizeof c.id);
	return c;
}

static struct bytes signed_by(enum who who, const struct command *c)
{
	struct buf b = {0};

	command_sign(keys[who], c, &b);
	return kept(&b);
}

static struct bytes permit_for(enum who who, uint8_t n, bool refuse)
{
	struct permit p = {.has_id = true,
			   .twin = "",
			   .operation = "",
			   .org = "",
			   .issued_ns = now_ns,
			   .by_org = "acme",
			   .person = names[who],
			   .refuse = refuse};
	struct buf b = {0};

	memset(p.id, n, sizeof p.id);
	permit_sign(keys[who], &p, &b);
	return kept(&b);
}

/* The last answer: "pending confirmed" or what was refused. */
static char said[2048];
static size_t n_said;

static void on_said(void *ctx, int code, const char *text, const struct command_record *r, bool last)
{
	(void)ctx, (void)last;
	n_said++;
	snprintf(said, sizeof said, "%s", code < 0 ? text : "");
	for (size_t i = 0; r && i < r->n_steps; i++) {
		const size_t n = strlen(said);
		snprintf(said + n, sizeof said - n, "%s%s", i > 0 ? " " : "",
			 command_state_text(r->steps[i].state));
	}
}

static const char *take(struct bytes blob, enum who who, bool permit, uint32_t seen)
{
	struct audience by = audience_of(who == EVE ? "volt" : "");
	struct err_note note = {0};

	by.credential = credentials[who];
	const struct command_in in = {.blob = blob,
				      .permit = permit,
				      .twin = TWIN,
				      .by = &by,
				      .node = who == EVE ? "volt/v1" : "acme/n1",
				      .seen = seen,
				      .wait_ns = NS_PER_S};
	n_said = 0;
	snprintf(said, sizeof said, "nothing was said");
	const int r = commands_take(world.commands, &in, on_said, NULL, &note);
	if (r < 0)
		snprintf(said, sizeof said, "%s", note.text[0] ? note.text : err_text(r));
	settle();
	return said;
}

static const char *send_number(uint8_t n)
{
	const struct command c = command_number(n, "stop");

	return take(signed_by(EVE, &c), EVE, false, 0);
}

static bool word(uint8_t n, enum command_state state)
{
	struct command_word w = {.state = state, .text = "says the press"};

	memset(w.id, n, sizeof w.id);
	const bool taken = commands_on_word(world.commands, "mqtt-1", &w);
	settle();
	return taken;
}

/* How it stands on disk. */
static const char *stands(uint8_t n)
{
	static char text[512];
	uint8_t id[COMMAND_ID_BYTES];
	struct command_record r;

	memset(id, n, sizeof id);
	const struct store_command *k = store_command(world.store, id);
	if (!k)
		return "absent";
	must(command_record_decode(a, k->record, &r) == 0);
	text[0] = '\0';
	for (size_t i = 0; i < r.n_steps; i++)
		snprintf(text + strlen(text), sizeof text - strlen(text), "%s%s", i > 0 ? " " : "",
			 command_state_text(r.steps[i].state));
	return text;
}

static void tick(int64_t later_ns)
{
	now_ns += later_ns;
	mono_ns += later_ns;
	commands_tick(world.commands);
	settle();
}

#define SAYS(what, expected) \
	do { \
		const char *says = (what); \
		cr_expect(strcmp(says, (expected)) == 0, "%s: %s", #what, says); \
	} while (0)
#define MENTIONS(what, expected) \
	do { \
		const char *says = (what); \
		cr_expect(strstr(says, (expected)) != NULL, "%s: %s", #what, says); \
	} while (0)

Test(commands_node, a_command_is_confirmed_handed_over_and_done)
{
	SAYS(send_number(1), "pending");
	cr_expect_eq(n_orders, 0, "nobody has confirmed it");
	MENTIONS(take(permit_for(MAX_OF_ACME, 1, false), MAX_OF_ACME, true, 0), "role shift-lead");
	SAYS(stands(1), "pending");
	SAYS(take(permit_for(LEA, 1, false), LEA, true, 0), "pending confirmed");
	cr_expect_eq(n_orders, 1);
	cr_expect(word(1, COMMAND_ACCEPTED));
	cr_expect(word(1, COMMAND_ACCEPTED), "again, which is no harm");
	cr_expect(word(1, COMMAND_DONE));
	SAYS(stands(1), "pending confirmed accepted done");
	cr_expect_not(word(1, COMMAND_FAILED), "it is over");
	SAYS(stands(1), "pending confirmed accepted done");
	cr_expect_eq(n_orders, 1);
}

Test(commands_node, the_same_again_tells_and_does_nothing)
{
	send_number(1);
	SAYS(send_number(1), "pending");
	take(permit_for(LEA, 1, false), LEA, true, 0);
	SAYS(take(permit_for(LEA, 1, false), LEA, true, 0), "pending confirmed");
	SAYS(send_number(1), "pending confirmed");
	cr_expect_eq(n_orders, 1);
	word(1, COMMAND_DONE);
	SAYS(send_number(1), "pending confirmed done");
	struct command other = command_number(1, "stop");
	other.deadline_ns++;
	MENTIONS(take(signed_by(EVE, &other), EVE, false, 0), "another command has this id");
	cr_expect_eq(n_orders, 1);
}

Test(commands_node, one_that_is_refused_or_unsigned_is_not_done)
{
	send_number(1);
	SAYS(take(permit_for(LEA, 1, true), LEA, true, 0), "pending refused");
	MENTIONS(take(permit_for(LEA, 1, false), LEA, true, 0), "no command with this id waits");
	struct command c = command_number(2, "stop");
	MENTIONS(take(signed_by(LEA, &c), EVE, false, 0), "was not signed by eve");
	c = command_number(3, "stop");
	c.org = "acme";
	MENTIONS(take(signed_by(EVE, &c), EVE, false, 0), "speaks for acme");
	c = command_number(4, "stop");
	c.node = "v9";
	MENTIONS(take(signed_by(EVE, &c), EVE, false, 0), "no node of volt");
	c = command_number(5, "start");
	c.n_arguments = 0;
	MENTIONS(take(signed_by(EVE, &c), EVE, false, 0), "not shared with you or not there");
	MENTIONS(take(permit_for(EVE, 1, false), EVE, true, 0), "only persons of acme");
	for (uint8_t i = 2; i <= 5; i++)
		SAYS(stands(i), "absent");
	cr_expect_eq(n_orders, 0);
}

Test(commands_node, wrong_arguments_are_refused_with_a_receipt)
{
	struct command c = command_number(1, "stop");
	c.arguments[0].value.integer = 61;
	SAYS(take(signed_by(EVE, &c), EVE, false, 0), "refused");
	SAYS(stands(1), "refused");
	c = command_number(2, "stop");
	c.n_arguments = 0;
	SAYS(take(signed_by(EVE, &c), EVE, false, 0), "refused");
	cr_expect_eq(n_orders, 0);
}

Test(commands_node, nothing_happens_after_the_deadline)
{
	struct command c = command_number(1, "stop");
	c.issued_ns = now_ns - 61 * NS_PER_S;
	c.deadline_ns = now_ns;
	MENTIONS(take(signed_by(EVE, &c), EVE, false, 0), "is over: nothing was done");
	c.issued_ns = now_ns + 301 * NS_PER_S;
	c.deadline_ns = c.issued_ns + NS_PER_S;
	MENTIONS(take(signed_by(EVE, &c), EVE, false, 0), "in the future");
	SAYS(stands(1), "absent");
	send_number(2);
	tick(61 * NS_PER_S);
	SAYS(stands(2), "pending timed out");
	MENTIONS(take(permit_for(LEA, 2, false), LEA, true, 0), "no command with this id waits");
	cr_expect_eq(n_orders, 0);
}

Test(commands_node, an_asset_that_is_away_gets_it_when_it_is_back_and_not_after_the_deadline)
{
	order_says = ERR_UNREACHABLE;
	send_number(1);
	send_number(2);
	take(permit_for(LEA, 1, false), LEA, true, 0);
	take(permit_for(LEA, 2, false), LEA, true, 0);
	tick(NS_PER_S);
	cr_expect(n_orders >= 4);
	SAYS(stands(1), "pending confirmed");
	order_says = 0;
	tick(NS_PER_S);
	word(1, COMMAND_ACCEPTED);
	tick(59 * NS_PER_S);
	SAYS(stands(1), "pending confirmed accepted timed out");
	SAYS(stands(2), "pending confirmed timed out");
	const size_t before = n_orders;
	tick(5 * NS_PER_S);
	restart();
	tick(5 * NS_PER_S);
	cr_expect_eq(n_orders, before, "nothing is handed over after the deadline");
	cr_expect(word(1, COMMAND_DONE), "what an asset says afterwards is told");
	SAYS(stands(1), "pending confirmed accepted timed out timed out");
	cr_expect_not(word(1, COMMAND_DONE), "once");
}

Test(commands_node, after_a_restart_it_goes_on_with_the_same_id)
{
	const struct command c = command_number(1, "stop");
	const struct bytes blob = signed_by(EVE, &c);

	SAYS(take(blob, EVE, false, 0), "pending");
	restart();
	SAYS(take(permit_for(LEA, 1, false), LEA, true, 0), "pending confirmed");
	cr_expect_eq(n_orders, 1);
	restart();
	tick(NS_PER_S);
	cr_expect_eq(n_orders, 2, "nothing was heard of it");
	word(1, COMMAND_ACCEPTED);
	restart();
	tick(NS_PER_S);
	cr_expect_eq(n_orders, 2, "it was heard of");
	word(1, COMMAND_DONE);
	restart();
	SAYS(take(blob, EVE, false, 0), "pending confirmed accepted done");
}

static struct bytes standing(enum who who, uint32_t times)
{
	const struct permit p = {.twin = TWIN,
				 .operation = "stop",
				 .org = "volt",
				 .times = times,
				 .issued_ns = now_ns,
				 .until_ns = now_ns + 3600 * NS_PER_S,
				 .by_org = "acme",
				 .person = names[who]};
	struct buf b = {0};

	permit_sign(keys[who], &p, &b);
	return kept(&b);
}

Test(commands_node, a_permit_given_beforehand_is_used_up)
{
	const struct bytes permit = standing(LEA, 2);

	SAYS(take(permit, LEA, true, 0), "");
	cr_expect_eq(n_said, 1);
	SAYS(take(permit, LEA, true, 0), "");
	SAYS(send_number(1), "confirmed");
	restart();
	SAYS(send_number(2), "confirmed");
	SAYS(send_number(3), "pending");
	restart();
	SAYS(take(permit, LEA, true, 0), "this permit is used up");
	take(standing(MAX_OF_ACME, 5), MAX_OF_ACME, true, 0);
	SAYS(send_number(4), "pending");
	tick(0);
	cr_expect(n_orders >= 2, "those that were confirmed, again after each restart");
}

Test(commands_node, what_a_policy_allows_so_often_is_taken_so_often)
{
	for (uint8_t i = 1; i <= 4; i++) {
		const struct command c = command_number(i, OPERATION_ACK);
		if (i == 2)
			restart();
		take(signed_by(EVE, &c), EVE, false, 0);
		SAYS(stands(i), i <= 2 ? "confirmed done" : "absent");
	}
	MENTIONS(said, "is allowed 2 times in 1min");
	cr_expect_eq(n_acts, 2);
	tick(61 * NS_PER_S);
	const struct command c = command_number(9, OPERATION_ACK);
	take(signed_by(EVE, &c), EVE, false, 0);
	SAYS(stands(9), "confirmed done");
}

Test(commands_node, own_people_need_no_policy_and_the_socket_no_person)
{
	struct command c = command_number(1, "stop");
	SCOPED(buf_fini) struct buf bare = {0};
	const struct audience nobody = audience_of("");
	struct err_note note = {0};

	c.org = "acme";
	c.person = "max";
	c.node = "n1";
	SAYS(take(signed_by(MAX_OF_ACME, &c), MAX_OF_ACME, false, 0), "confirmed");
	c.person = "";
	memset(c.id, 2, sizeof c.id);
	command_encode(&c, &bare);
	struct command_in in = {
		.blob = buf_bytes(&bare), .unsigned_ = true, .by = &nobody, .node = "acme/n2", .wait_ns = 1};
	cr_expect_eq(commands_take(world.commands, &in, on_said, NULL, &note), ERR_DENIED);
	in.node = "acme/n1";
	cr_expect_eq(commands_take(world.commands, &in, on_said, NULL, &note), 0);
	settle();
	SAYS(said, "confirmed");
	cr_expect_eq(n_orders, 2);
}

Test(commands_node, another_organisation_is_not_shown_who_permitted_what)
{
	uint8_t id[COMMAND_ID_BYTES];
	struct command_record r;

	memset(id, 1, sizeof id);
	send_number(1);
	take(permit_for(LEA, 1, false), LEA, true, 0);
	must(command_record_decode(a, store_command(world.store, id)->record, &r) == 0);
	cr_assert_eq(r.n_steps, 2);
	cr_expect(r.steps[1].permit.len > 0 && r.steps[1].permit_person.len > 0 && r.person.len > 0);
	for (size_t i = 0; i < r.n_steps; i++) {
		struct receipt receipt;
		uint8_t hash[32];
		struct err_note note = {0};
		command_hash(r.command, hash);
		cr_expect_eq(
			receipt_verify(a, &world.trust->own.org, r.steps[i].receipt, hash, &receipt, &note),
			0, "%s", note.text);
		cr_expect_eq(receipt.number, i + 1);
		cr_expect_eq(receipt.state, r.steps[i].state);
		hash[0]++;
		cr_expect_eq(
			receipt_verify(a, &world.trust->own.org, r.steps[i].receipt, hash, &receipt, &note),
			ERR_UNTRUSTED);
	}
}

/* ---- Against the machine of command.h ---------------------------------------------------------------------
 */

static uint32_t seed;

static uint32_t random_below(uint32_t n)
{
	seed = seed * 1664525 + 1013904223;
	return (seed >> 8) % n;
}

enum { N_MODELLED = 3 };
struct modelled {
	enum command_state state;
	int64_t deadline_ns;
	struct bytes blob;
	bool late_told;
};

static void happen(struct modelled *m, enum life_event event)
{
	const enum command_state next = command_next(m->state, event);

	if (next != COMMAND_NONE && m->state != COMMAND_TIMED_OUT)
		m->state = next;
}

static void one_thing(struct modelled all[N_MODELLED])
{
	static const enum command_state words[] = {COMMAND_ACCEPTED, COMMAND_DONE, COMMAND_FAILED};
	static const enum life_event events[] = {LIFE_ACCEPTED, LIFE_DONE, LIFE_FAILED};
	const uint8_t i = (uint8_t)random_below(N_MODELLED), id = i + 1;
	struct modelled *m = &all[i];
	const uint32_t what = random_below(8), which = random_below(3);

	if (what < 2) {
		if (m->state == COMMAND_NONE) {
			const struct command c = command_number(id, "stop");
			m->blob = signed_by(EVE, &c);
			m->deadline_ns = c.deadline_ns;
			m->state = COMMAND_PENDING;
		}
		take(m->blob, EVE, false, 0);
	} else if (what == 2) {
		const bool refuse = random_below(4) == 0;
		take(permit_for(LEA, id, refuse), LEA, true, 0);
		happen(m, refuse ? LIFE_REFUSE : LIFE_PERMIT);
	} else if (what < 5) {
		word(id, words[which]);
		happen(m, events[which]);
	} else if (what == 5) {
		restart();
	} else {
		tick((int64_t)random_below(20) * NS_PER_S);
		for (size_t k = 0; k < N_MODELLED; k++)
			if (all[k].state != COMMAND_NONE && all[k].deadline_ns <= now_ns)
				happen(&all[k], LIFE_DEADLINE);
	}
}

static const char *last_word(const char *text)
{
	static const char *const all[] = {"timed out", "pending", "confirmed", "accepted",
					  "done",      "failed",  "refused",   "absent"};

	for (size_t i = 0; i < 8; i++) {
		const size_t n = strlen(all[i]), len = strlen(text);
		if (len >= n && strcmp(text + len - n, all[i]) == 0)
			return all[i];
	}
	return text;
}

Test(commands_node, any_order_of_things_ends_as_the_machine_says)
{
	for (uint32_t round = 0; round < 4; round++) {
		struct modelled all[N_MODELLED] = {0};
		seed = round * 7919 + 1;
		if (round > 0) {
			tear_down();
			set_up();
		}
		for (int i = 0; i < 30; i++) {
			one_thing(all);
			for (uint8_t k = 0; k < N_MODELLED; k++)
				cr_expect(strcmp(last_word(stands(k + 1)),
						 all[k].state ? command_state_text(all[k].state)
							      : "absent") == 0,
					  "round %u, thing %d: %u is %s, not %s", round, i, k, stands(k + 1),
					  command_state_text(all[k].state));
		}
	}
}
