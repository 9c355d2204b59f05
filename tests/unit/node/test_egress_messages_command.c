/* SPDX-License-Identifier: Apache-2.0 */
/* What leaves with a command: see test_egress_messages.c. */
#include <criterion/criterion.h>

#include "node/asks.h"
#include "node/commands.h"
#include "node/gossip.h"
#include "proto/clock.h"
#include "security/sign.h"
#include "tests/lib/must.h"
#include "tests/unit/node/leaves.h"

static struct bytes command_blob, person_blob;

static struct bytes kept(struct buf *b)
{
	const char *copy = arena_text(wire_arena, buf_bytes(b));
	const struct bytes ret = {(const uint8_t *)copy, b->len};

	must(buf_check(b) == 0 && copy);
	buf_fini(b);
	return ret;
}

/* Of a person that nobody knows, with a key of its own. */
static struct bytes blob_of(const char *twin, const char *org)
{
	struct argument how = {"how", {.type = VALUE_TEXT, .text = "softly"}};
	const struct command c = {.id = "fifteen letters",
				  .twin = twin,
				  .operation = "stop",
				  .arguments = &how,
				  .n_arguments = 1,
				  .issued_ns = 999 * NS_PER_S,
				  .deadline_ns = 1060 * NS_PER_S,
				  .org = org,
				  .person = "nobody",
				  .node = "n1"};
	const uint8_t seed[32] = {4};
	struct sign_key *key = NULL;
	struct buf payload = {0}, out = {0};
	struct signed_blob blob;

	must(sign_key_from_seed(&key, seed) == 0);
	command_encode(&c, &payload);
	sign_blob(key, SIGN_COMMAND, buf_bytes(&payload), &blob);
	signed_blob_encode(&blob, &out);
	sign_key_free(key);
	buf_fini(&payload);
	return kept(&out);
}

/* The record of one that was sent from here, as it lies in the store after a restart. */
static void put_sent(void)
{
	struct command_step step = {.state = COMMAND_PENDING,
				    .who = "acme/n1",
				    .text = "zq-secret",
				    .permit = BYTES("zq-secret")};
	const struct command_record r = {.command = command_blob = blob_of("volt/pump", "acme"),
					 .person = person_blob,
					 .sent = true,
					 .steps = &step,
					 .n_steps = 1,
					 .confirm_role = "zq-secret"};
	struct op op = {.kind = OP_COMMAND, .command = {.id = "fifteen letters"}};
	struct buf encoded = {0};

	command_record_encode(&r, &encoded);
	op.command.record = kept(&encoded);
	world_put(&op, 1);
}

static void set_up(void)
{
	person_blob = BYTES("a person's credential");
	leaves_set_up();
	put_sent();
	must(commands_start(&world.commands, &world) == 0);
	leaves_begin(LEAVES_SOME(""));
}

static void on_stopped(struct engine *e)
{
	commands_free(e->commands);
	e->commands = NULL;
}

static void tear_down(void)
{
	commands_stop(world.commands, on_stopped);
	wire_tear_down();
}

TestSuite(leaves, .init = set_up, .fini = tear_down, .timeout = 60);

static const struct answer *ask(uint32_t session, const char *twin, struct bytes blob, bool permit)
{
	static uint64_t id;
	const struct question q = {.id = ++id,
				   .timeout_ns = NS_PER_S,
				   .kind = QUESTION_COMMAND,
				   .asker = "",
				   .twin = twin,
				   .property = "",
				   .person = person_blob,
				   .command = blob,
				   .permit = permit};

	wire_hear(session, &(struct message){.kind = MESSAGE_QUESTION, .question = q});
	const struct sent *s = wire_last(session, MESSAGE_ANSWER);
	cr_assert(s && s->message.answer.id == id && s->message.answer.last);
	return &s->message.answer;
}

/* Whether there is such a twin, is hidden or is open: who may not is told the same. */
Test(leaves, answer_command_is_no_oracle)
{
	static const char *const twins[] = {"acme/plant/p1", "acme/bare", "acme/guessed"};

	for (size_t i = 0; i < 3; i++)
		for (int permit = 0; permit < 2; permit++) {
			const struct answer *w = ask(WIRE_VOLT, twins[i], blob_of(twins[i], "volt"), permit);
			const int code = w->code;
			const char *text = w->text;
			const struct answer *none =
				ask(WIRE_VOLT, "acme/none", blob_of("acme/none", "volt"), permit);
			cr_expect_eq(code, none->code, "%s", twins[i]);
			cr_expect_str_eq(text, none->text);
			cr_expect(code < 0 && none->command.len == 0);
		}
	leaves_expect_clean(WIRE_VOLT);
}

Test(leaves, answer_command_of_a_record_of_our_own_tells_nothing)
{
	const struct answer *w = ask(WIRE_VOLT, "acme/plant/p1", command_blob, false);

	cr_expect(w->code < 0 && w->command.len == 0, "what was sent from here is no partner's to ask");
	leaves_expect_clean(WIRE_VOLT);
}

Test(leaves, question_command_has_what_was_signed_and_no_more)
{
	commands_tick(world.commands);
	const struct sent *asked = wire_last(WIRE_VOLT, MESSAGE_QUESTION);
	cr_assert(asked != NULL);
	const struct question *q = &asked->message.question;
	cr_expect_eq((int)q->kind, QUESTION_COMMAND);
	cr_expect(bytes_equal(q->command, command_blob) && bytes_equal(q->person, person_blob));
	cr_expect_str_eq(q->asker, "");
	cr_expect_eq(q->seen, 0);
	leaves_expect_clean(WIRE_VOLT);
	cr_expect_eq(wire_last(WIRE_HARBOR, MESSAGE_QUESTION), NULL);
}
