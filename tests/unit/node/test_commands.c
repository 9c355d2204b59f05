/* SPDX-License-Identifier: Apache-2.0 */
/* Commands at their owner. */
#include "node/command_life.h"
#include "security/command.h"
#include "tests/lib/must.h"
#include "tests/unit/node/desk.h"

TestSuite(commands_node, .init = desk_set_up, .fini = desk_tear_down, .timeout = 120);

Test(commands_node, a_command_is_confirmed_handed_over_and_done)
{
	SAYS(desk_send(1), "pending");
	cr_expect_eq(desk_n_orders, 0, "nobody has confirmed it");
	MENTIONS(desk_take(desk_permit(MAX_OF_ACME, 1, false), MAX_OF_ACME, true, 0), "role shift-lead");
	SAYS(desk_stands(1), "pending");
	SAYS(desk_take(desk_permit(LEA, 1, false), LEA, true, 0), "pending confirmed");
	cr_expect_eq(desk_n_orders, 1);
	cr_expect(desk_word(1, COMMAND_ACCEPTED));
	cr_expect(desk_word(1, COMMAND_ACCEPTED), "again, which is no harm");
	cr_expect(desk_word(1, COMMAND_DONE));
	SAYS(desk_stands(1), "pending confirmed accepted done");
	cr_expect_not(desk_word(1, COMMAND_FAILED), "it is over");
	SAYS(desk_stands(1), "pending confirmed accepted done");
	cr_expect_eq(desk_n_orders, 1);
}

Test(commands_node, the_same_again_tells_and_does_nothing)
{
	desk_send(1);
	SAYS(desk_send(1), "pending");
	desk_take(desk_permit(LEA, 1, false), LEA, true, 0);
	SAYS(desk_take(desk_permit(LEA, 1, false), LEA, true, 0), "pending confirmed");
	SAYS(desk_send(1), "pending confirmed");
	cr_expect_eq(desk_n_orders, 1);
	desk_word(1, COMMAND_DONE);
	SAYS(desk_send(1), "pending confirmed done");
	struct command other = desk_command(1, "stop");
	other.deadline_ns++;
	MENTIONS(desk_take(desk_signed(EVE, &other), EVE, false, 0), "another command has this id");
	cr_expect_eq(desk_n_orders, 1);
}

Test(commands_node, one_that_is_refused_or_unsigned_is_not_done)
{
	desk_send(1);
	SAYS(desk_take(desk_permit(LEA, 1, true), LEA, true, 0), "pending refused");
	MENTIONS(desk_take(desk_permit(LEA, 1, false), LEA, true, 0), "no command with this id waits");
	struct command c = desk_command(2, "stop");
	MENTIONS(desk_take(desk_signed(LEA, &c), EVE, false, 0), "was not signed by eve");
	c = desk_command(3, "stop");
	c.org = "acme";
	MENTIONS(desk_take(desk_signed(EVE, &c), EVE, false, 0), "speaks for acme");
	c = desk_command(4, "stop");
	c.node = "v9";
	MENTIONS(desk_take(desk_signed(EVE, &c), EVE, false, 0), "no node of volt");
	c = desk_command(5, "start");
	c.n_arguments = 0;
	MENTIONS(desk_take(desk_signed(EVE, &c), EVE, false, 0), "not shared with you or not there");
	MENTIONS(desk_take(desk_permit(EVE, 1, false), EVE, true, 0), "only persons of acme");
	for (uint8_t i = 2; i <= 5; i++)
		SAYS(desk_stands(i), "absent");
	cr_expect_eq(desk_n_orders, 0);
}

Test(commands_node, wrong_arguments_are_refused_with_a_receipt)
{
	struct command c = desk_command(1, "stop");
	c.arguments[0].value.integer = 61;
	SAYS(desk_take(desk_signed(EVE, &c), EVE, false, 0), "refused");
	SAYS(desk_stands(1), "refused");
	c = desk_command(2, "stop");
	c.n_arguments = 0;
	SAYS(desk_take(desk_signed(EVE, &c), EVE, false, 0), "refused");
	cr_expect_eq(desk_n_orders, 0);
}

Test(commands_node, nothing_happens_after_the_deadline)
{
	struct command c = desk_command(1, "stop");
	c.issued_ns = desk_now_ns - 61 * NS_PER_S;
	c.deadline_ns = desk_now_ns;
	MENTIONS(desk_take(desk_signed(EVE, &c), EVE, false, 0), "is over: nothing was done");
	c.issued_ns = desk_now_ns + 301 * NS_PER_S;
	c.deadline_ns = c.issued_ns + NS_PER_S;
	MENTIONS(desk_take(desk_signed(EVE, &c), EVE, false, 0), "in the future");
	SAYS(desk_stands(1), "absent");
	desk_send(2);
	desk_tick(61 * NS_PER_S);
	SAYS(desk_stands(2), "pending timed out");
	MENTIONS(desk_take(desk_permit(LEA, 2, false), LEA, true, 0), "no command with this id waits");
	cr_expect_eq(desk_n_orders, 0);
}

Test(commands_node, an_asset_that_is_away_gets_it_when_it_is_back_and_not_after_the_deadline)
{
	desk_order_says = ERR_UNREACHABLE;
	desk_send(1);
	desk_send(2);
	desk_take(desk_permit(LEA, 1, false), LEA, true, 0);
	desk_take(desk_permit(LEA, 2, false), LEA, true, 0);
	desk_tick(NS_PER_S);
	cr_expect(desk_n_orders >= 4);
	SAYS(desk_stands(1), "pending confirmed");
	desk_order_says = 0;
	desk_tick(NS_PER_S);
	desk_word(1, COMMAND_ACCEPTED);
	desk_tick(59 * NS_PER_S);
	SAYS(desk_stands(1), "pending confirmed accepted timed out");
	SAYS(desk_stands(2), "pending confirmed timed out");
	const size_t before = desk_n_orders;
	desk_tick(5 * NS_PER_S);
	desk_restart();
	desk_tick(5 * NS_PER_S);
	cr_expect_eq(desk_n_orders, before, "nothing is handed over after the deadline");
	cr_expect(desk_word(1, COMMAND_DONE), "what an asset says afterwards is told");
	SAYS(desk_stands(1), "pending confirmed accepted timed out timed out");
	cr_expect_not(desk_word(1, COMMAND_DONE), "once");
}

Test(commands_node, after_a_restart_it_goes_on_with_the_same_id)
{
	const struct command c = desk_command(1, "stop");
	const struct bytes blob = desk_signed(EVE, &c);

	SAYS(desk_take(blob, EVE, false, 0), "pending");
	desk_restart();
	SAYS(desk_take(desk_permit(LEA, 1, false), LEA, true, 0), "pending confirmed");
	cr_expect_eq(desk_n_orders, 1);
	desk_restart();
	desk_tick(NS_PER_S);
	cr_expect_eq(desk_n_orders, 2, "nothing was heard of it");
	desk_word(1, COMMAND_ACCEPTED);
	desk_restart();
	desk_tick(NS_PER_S);
	cr_expect_eq(desk_n_orders, 2, "it was heard of");
	desk_word(1, COMMAND_DONE);
	desk_restart();
	SAYS(desk_take(blob, EVE, false, 0), "pending confirmed accepted done");
}

Test(commands_node, a_permit_given_beforehand_is_used_up)
{
	const struct bytes permit = desk_standing(LEA, 2);

	SAYS(desk_take(permit, LEA, true, 0), "");
	cr_expect_eq(desk_n_said, 1);
	SAYS(desk_take(permit, LEA, true, 0), "");
	SAYS(desk_send(1), "confirmed");
	desk_restart();
	SAYS(desk_send(2), "confirmed");
	SAYS(desk_send(3), "pending");
	desk_restart();
	SAYS(desk_take(permit, LEA, true, 0), "this permit is used up");
	desk_take(desk_standing(MAX_OF_ACME, 5), MAX_OF_ACME, true, 0);
	SAYS(desk_send(4), "pending");
	desk_tick(0);
	cr_expect(desk_n_orders >= 2, "those that were confirmed, again after each restart");
}

Test(commands_node, what_a_policy_allows_so_often_is_taken_so_often)
{
	for (uint8_t i = 1; i <= 4; i++) {
		const struct command c = desk_command(i, OPERATION_SET);
		if (i == 2)
			desk_restart();
		desk_take(desk_signed(EVE, &c), EVE, false, 0);
		SAYS(desk_stands(i), i <= 2 ? "confirmed done" : "absent");
	}
	MENTIONS(desk_said, "is allowed 2 times in 1min");
	cr_expect_eq(desk_n_acts, 2);
	desk_tick(61 * NS_PER_S);
	const struct command c = desk_command(9, OPERATION_SET);
	desk_take(desk_signed(EVE, &c), EVE, false, 0);
	SAYS(desk_stands(9), "confirmed done");
}

Test(commands_node, own_people_need_no_policy_and_the_socket_no_person)
{
	struct command c = desk_command(1, "stop");
	SCOPED(buf_fini) struct buf bare = {0};
	const struct audience nobody = audience_of("");
	struct err_note note = {0};

	c.org = "acme";
	c.person = "max";
	c.node = "n1";
	SAYS(desk_take(desk_signed(MAX_OF_ACME, &c), MAX_OF_ACME, false, 0), "confirmed");
	c.person = "";
	memset(c.id, 2, sizeof c.id);
	command_encode(&c, &bare);
	struct command_in in = {
		.blob = buf_bytes(&bare), .unsigned_ = true, .by = &nobody, .node = "acme/n2", .wait_ns = 1};
	cr_expect_eq(commands_take(world.commands, &in, desk_on_said, NULL, &note), ERR_DENIED);
	in.node = "acme/n1";
	cr_expect_eq(commands_take(world.commands, &in, desk_on_said, NULL, &note), 0);
	desk_settle();
	SAYS(desk_said, "confirmed");
	cr_expect_eq(desk_n_orders, 2);
}

Test(commands_node, another_organisation_is_not_shown_who_permitted_what)
{
	uint8_t id[COMMAND_ID_BYTES];
	struct command_record r;

	memset(id, 1, sizeof id);
	desk_send(1);
	desk_take(desk_permit(LEA, 1, false), LEA, true, 0);
	must(command_record_decode(desk_arena, store_command(world.store, id)->record, &r) == 0);
	cr_assert_eq(r.n_steps, 2);
	cr_expect(r.steps[1].permit.len > 0 && r.steps[1].permit_person.len > 0 && r.person.len > 0);
	for (size_t i = 0; i < r.n_steps; i++) {
		struct receipt receipt;
		uint8_t hash[32];
		struct err_note note = {0};
		command_hash(r.command, hash);
		cr_expect_eq(receipt_verify(desk_arena, &world.trust->own.org, r.steps[i].receipt, hash,
					    &receipt, &note),
			     0, "%s", note.text);
		cr_expect_eq(receipt.number, i + 1);
		cr_expect_eq(receipt.state, r.steps[i].state);
		hash[0]++;
		cr_expect_eq(receipt_verify(desk_arena, &world.trust->own.org, r.steps[i].receipt, hash,
					    &receipt, &note),
			     ERR_UNTRUSTED);
	}
}

/* ---- What was right once ----------------------------------------------------------------------------------
 */

#define NOBODY_MAY "share \"else\"\n to org volt\n twins p2\n allow command stop\n until 2100-01-01\n"
#define VOLT_MAY \
	"share \"s\"\n to org volt\n twins p1\n allow command stop confirm role shift-lead\n until " \
	"2100-01-01\n"

Test(commands_node, what_is_forbidden_meanwhile_is_not_confirmed)
{
	desk_send(1);
	world_policy(NOBODY_MAY);
	MENTIONS(desk_take(desk_permit(LEA, 1, false), LEA, true, 0), "may not any more");
	SAYS(desk_stands(1), "pending");
	world_policy(VOLT_MAY);
	SAYS(desk_take(desk_permit(LEA, 1, false), LEA, true, 0), "pending confirmed");
	cr_expect_eq(desk_n_orders, 1);
}

Test(commands_node, what_is_forbidden_meanwhile_is_not_handed_over)
{
	desk_order_says = ERR_UNREACHABLE;
	desk_send(1);
	desk_take(desk_permit(LEA, 1, false), LEA, true, 0);
	world_policy(NOBODY_MAY);
	const size_t before = desk_n_orders;
	desk_tick(NS_PER_S);
	desk_tick(6 * NS_PER_S);
	cr_expect_eq(desk_n_orders, before);
	world_policy(VOLT_MAY);
	desk_tick(6 * NS_PER_S);
	cr_expect_gt(desk_n_orders, before, "allowed again before the deadline");
	world_policy(NOBODY_MAY);
	desk_tick(60 * NS_PER_S);
	SAYS(desk_stands(1), "pending confirmed timed out");
}

Test(commands_node, a_permit_is_for_one_command_to_one_twin)
{
	desk_send(1);
	MENTIONS(desk_take(desk_permit_of(LEA, 1, false, "acme/p2", desk_now_ns), LEA, true, 0),
		 "is for a command to acme/p2");
	MENTIONS(desk_take(desk_permit_of(LEA, 1, false, TWIN, desk_now_ns - 301 * NS_PER_S), LEA, true, 0),
		 "older than");
	MENTIONS(desk_take(desk_permit_of(LEA, 1, false, TWIN, INT64_MIN), LEA, true, 0), "older than");
	SAYS(desk_stands(1), "pending");
	cr_expect_eq(desk_n_orders, 0);
}

Test(commands_node, what_is_hidden_is_not_set_and_not_told_from_what_is_absent)
{
	static const char *const subjects[] = {"secret", "absent"};
	struct command c = desk_command(1, OPERATION_SET);
	char hidden[sizeof desk_said];

	for (uint8_t i = 0; i < 2; i++) {
		memset(c.id, i + 1, sizeof c.id);
		c.arguments[0].value.text = subjects[i];
		MENTIONS(desk_take(desk_signed(EVE, &c), EVE, false, 0), "not shared with you or not there");
		SAYS(desk_stands(i + 1), "absent");
		if (i == 0)
			snprintf(hidden, sizeof hidden, "%s", desk_said);
	}
	SAYS(desk_said, hidden);
	c = desk_command(3, OPERATION_ACK);
	SAYS(desk_take(desk_signed(EVE, &c), EVE, false, 0), hidden);
	cr_expect_eq(desk_n_acts, 0);
}

/* As many records as are kept for long, of commands that came now. */
static void fill_records(void)
{
	enum { AT_ONCE = 1000, ALL = 100001 };
	const struct command c = desk_command(200, "stop");
	struct command_step step = {
		.state = COMMAND_DONE, .t_ns = desk_now_ns, .who = "volt/eve", .text = ""};
	const struct command_record r = {.command = desk_signed(EVE, &c),
					 .steps = &step,
					 .n_steps = 1,
					 .confirm_role = "",
					 .received_ns = desk_now_ns};
	SCOPED(buf_fini) struct buf encoded = {0};
	static struct op ops[AT_ONCE];
	uint32_t at = 0;

	command_record_encode(&r, &encoded);
	must(buf_check(&encoded) == 0);
	for (size_t n = 0; at < ALL; n = 0) {
		for (; n < AT_ONCE && at < ALL; n++, at++) {
			ops[n] = (struct op){.kind = OP_COMMAND, .command = {.record = buf_bytes(&encoded)}};
			memset(ops[n].command.id, 0xee, COMMAND_ID_BYTES);
			memcpy(ops[n].command.id, &at, sizeof at);
		}
		world_put(ops, n);
	}
}

Test(commands_node, what_may_have_been_forgotten_is_not_taken_for_new)
{
	const struct command c = desk_command(1, "stop");
	const struct bytes blob = desk_signed(EVE, &c), permit = desk_standing(LEA, 1);

	fill_records();
	MENTIONS(desk_take(blob, EVE, false, 0), "it may have come before");
	MENTIONS(desk_take(permit, LEA, true, 0), "it may have come before");
	SAYS(desk_stands(1), "absent");
	desk_now_ns += 301 * NS_PER_S;
	SAYS(desk_send(2), "pending");
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
			const struct command c = desk_command(id, "stop");
			m->blob = desk_signed(EVE, &c);
			m->deadline_ns = c.deadline_ns;
			m->state = COMMAND_PENDING;
		}
		desk_take(m->blob, EVE, false, 0);
	} else if (what == 2) {
		const bool refuse = random_below(4) == 0;
		desk_take(desk_permit(LEA, id, refuse), LEA, true, 0);
		happen(m, refuse ? LIFE_REFUSE : LIFE_PERMIT);
	} else if (what < 5) {
		desk_word(id, words[which]);
		happen(m, events[which]);
	} else if (what == 5) {
		desk_restart();
	} else {
		desk_tick((int64_t)random_below(20) * NS_PER_S);
		for (size_t k = 0; k < N_MODELLED; k++)
			if (all[k].state != COMMAND_NONE && all[k].deadline_ns <= desk_now_ns)
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
			desk_tear_down();
			desk_set_up();
		}
		for (int i = 0; i < 30; i++) {
			one_thing(all);
			for (uint8_t k = 0; k < N_MODELLED; k++)
				cr_expect(strcmp(last_word(desk_stands(k + 1)),
						 all[k].state ? command_state_text(all[k].state)
							      : "absent") == 0,
					  "round %u, thing %d: %u is %s, not %s", round, i, k,
					  desk_stands(k + 1), command_state_text(all[k].state));
		}
	}
}
