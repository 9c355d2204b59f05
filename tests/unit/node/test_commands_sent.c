/* SPDX-License-Identifier: Apache-2.0 */
/* Commands sent from here: what is believed of what an owner says. The owner is this file. */
#include "node/asks.h"
#include "node/gossip.h"
#include "proto/row.h"
#include "security/command.h"
#include "security/sign.h"
#include "tests/lib/must.h"
#include "tests/unit/node/desk.h"

#define PUMP "volt/pump"
enum { LONG_S = 31 }; /* no pause between two questions is longer */

/* ---- The owner --------------------------------------------------------------------------------------------
 */

static const struct session to_volt = {.id = 7, .org = "volt", .node = "v1", .features = FEATURE_COMMAND};
static const struct session to_n3 = {
	.id = 7, .org = "acme", .node = "n3", .own = true, .features = FEATURE_COMMAND};
static ask_fn *waits;
static void *waits_ctx;
static uint32_t seen;
static struct bytes asked;

const struct session *__wrap_gossip_find(const struct gossip *g, const char *org, const char *node);
const struct session *__wrap_gossip_find(const struct gossip *g, const char *org, const char *node)
{
	(void)g;
	return strcmp(org, "volt") == 0 ? &to_volt : strcmp(node, "n3") == 0 ? &to_n3 : NULL;
}

int __wrap_asks_send(struct asks *to, uint32_t session, const struct question *q, int64_t timeout_ns,
		     ask_fn *done, void *ctx, uint64_t *ret_id);
int __wrap_asks_send(struct asks *to, uint32_t session, const struct question *q, int64_t timeout_ns,
		     ask_fn *done, void *ctx, uint64_t *ret_id)
{
	(void)to, (void)timeout_ns;
	must(session == to_volt.id && q->kind == QUESTION_COMMAND && !waits);
	waits = done;
	waits_ctx = ctx;
	seen = q->seen;
	asked = q->command;
	*ret_id = 1;
	return 0;
}

static struct sign_key *owner_key(void)
{
	return desk_keys[N_PEOPLE + 1];
}

static void set_up(void)
{
	desk_set_up();
	world.trust->partners[0]->org.nodes[0].sign = sign_key_public(owner_key());
	waits = NULL;
}

static void tear_down(void)
{
	if (waits)
		waits(waits_ctx, ERR_UNREACHABLE, "", NULL, 0);
	desk_tear_down();
}

TestSuite(commands_sent, .init = set_up, .fini = tear_down, .timeout = 120);

static void send_one(void)
{
	struct audience by = audience_of("");
	struct command c = desk_command(1, "stop");
	struct err_note note = {0};

	c.twin = PUMP;
	c.org = "acme";
	c.person = "max";
	c.node = "n1";
	c.deadline_ns = c.issued_ns + 1000 * NS_PER_S;
	by.credential = desk_credentials[MAX_OF_ACME];
	const struct command_in in = {.blob = desk_signed(MAX_OF_ACME, &c),
				      .twin = PUMP,
				      .by = &by,
				      .node = "acme/n1",
				      .wait_ns = 1};
	cr_assert_eq(commands_send(world.commands, &in, desk_on_said, NULL, &note), 0, "%s", note.text);
	desk_settle();
	cr_assert(waits != NULL && seen == 0);
}

static void answer(int code, const char *text, struct bytes record)
{
	const struct answer part = {.command = record, .last = true};
	ask_fn *done = waits;

	must(done);
	waits = NULL;
	done(waits_ctx, code, text, &part, 1);
	desk_settle();
}

/* One step in the words of the owner, and what may be wrong with it. */
struct says {
	const char *what;
	enum command_state state, signed_state;
	uint32_t number;
	const char *node, *signed_text;
	bool other_key, other_command, other_id, no_receipt;
};

static struct command_step step_of(const struct says *x)
{
	struct command_step s = {.state = x->state, .t_ns = desk_now_ns, .who = "volt/v1", .text = ""};
	struct receipt r = {.number = x->number,
			    .state = x->signed_state ? x->signed_state : x->state,
			    .t_ns = s.t_ns,
			    .who = s.who,
			    .text = x->signed_text ? x->signed_text : "",
			    .node = x->node ? x->node : "volt/v1"};
	struct buf b = {0};

	if (x->no_receipt)
		return s;
	command_hash(asked, r.command);
	r.command[0] ^= x->other_command;
	memset(r.id, x->other_id ? 2 : 1, sizeof r.id);
	receipt_sign(x->other_key ? desk_keys[N_PEOPLE + 2] : owner_key(), &r, &b);
	s.receipt = (struct bytes){(const uint8_t *)arena_text(desk_arena, buf_bytes(&b)), b.len};
	must(buf_check(&b) == 0 && s.receipt.data);
	buf_fini(&b);
	return s;
}

static void owner_says(const struct says *all, size_t n)
{
	struct command_step steps[COMMAND_STEPS_MAX];
	SCOPED(buf_fini) struct buf encoded = {0};

	for (size_t i = 0; i < n; i++)
		steps[i] = step_of(&all[i]);
	command_record_encode(
		&(struct command_record){.command = asked, .steps = steps, .n_steps = n, .confirm_role = ""},
		&encoded);
	must(buf_check(&encoded) == 0);
	answer(0, "", buf_bytes(&encoded));
}

/* ---- What is believed -------------------------------------------------------------------------------------
 */

Test(commands_sent, what_the_owner_signed_is_kept_as_it_comes)
{
	static const struct says all[] = {{.state = COMMAND_PENDING, .number = 1},
					  {.state = COMMAND_CONFIRMED, .number = 2},
					  {.state = COMMAND_ACCEPTED, .number = 3},
					  {.state = COMMAND_DONE, .number = 4}};

	send_one();
	SAYS(desk_stands(1), "pending");
	owner_says(all, 1);
	SAYS(desk_stands(1), "pending pending");
	cr_assert(waits && seen == 1);
	owner_says(all, 3);
	SAYS(desk_stands(1), "pending pending confirmed accepted");
	owner_says(all, 4);
	SAYS(desk_stands(1), "pending pending confirmed accepted done");
	cr_expect(waits == NULL, "it is over");
}

Test(commands_sent, a_forged_receipt_is_not_believed)
{
	static const struct says forged[] = {
		{.what = "of another key", .other_key = true},
		{.what = "of a node of another organisation", .node = "acme/n1", .other_key = true},
		{.what = "of a node that is not there", .node = "volt/v9"},
		{.what = "about another command", .other_command = true},
		{.what = "about another id", .other_id = true},
		{.what = "of another step", .number = 2},
		{.what = "of another state", .signed_state = COMMAND_REFUSED},
		{.what = "with another text", .signed_text = "never"},
		{.what = "no receipt at all", .no_receipt = true},
	};
	const struct says good[] = {{.state = COMMAND_CONFIRMED, .number = 1}};

	send_one();
	for (size_t i = 0; i < sizeof forged / sizeof *forged; i++) {
		struct says x = forged[i];
		x.state = COMMAND_CONFIRMED;
		x.number = x.number ? x.number : 1;
		owner_says(&x, 1);
		cr_expect_str_eq(desk_stands(1), "pending", "%s", x.what);
		desk_tick(LONG_S * NS_PER_S);
		cr_assert(waits != NULL && seen == 0, "it is asked again after one %s", x.what);
	}
	owner_says(good, 1);
	SAYS(desk_stands(1), "pending confirmed");
}

Test(commands_sent, an_owner_does_not_take_back_what_it_signed)
{
	static const struct says over[] = {{.state = COMMAND_CONFIRMED, .number = 1},
					   {.state = COMMAND_DONE, .number = 2},
					   {.state = COMMAND_PENDING, .number = 3}},
				 late[] = {{.state = COMMAND_DONE, .number = 1}};

	send_one();
	owner_says(late, 1);
	SAYS(desk_stands(1), "pending");
	desk_tick(LONG_S * NS_PER_S);
	owner_says(over, 3);
	SAYS(desk_stands(1), "pending confirmed done");
}

Test(commands_sent, a_no_ends_it_only_when_the_owner_cannot_have_taken_it)
{
	send_one();
	answer(ERR_UNREACHABLE, "time is up", (struct bytes){0});
	desk_tick(LONG_S * NS_PER_S);
	answer(ERR_DENIED, "not shared with you or not there", (struct bytes){0});
	SAYS(desk_stands(1), "pending");
	desk_tick(LONG_S * NS_PER_S);
	static const struct says done[] = {{.state = COMMAND_CONFIRMED, .number = 1},
					   {.state = COMMAND_DONE, .number = 2}};
	owner_says(done, 2);
	SAYS(desk_stands(1), "pending confirmed done");
}

Test(commands_sent, a_no_at_once_is_a_refusal)
{
	send_one();
	answer(ERR_DENIED, "not shared with you or not there", (struct bytes){0});
	SAYS(desk_stands(1), "pending refused");
}

Test(commands_sent, what_comes_after_the_end_changes_nothing)
{
	static const struct says done[] = {{.state = COMMAND_CONFIRMED, .number = 1},
					   {.state = COMMAND_DONE, .number = 2}};

	send_one();
	desk_now_ns += 2000 * NS_PER_S;
	commands_tick(world.commands);
	owner_says(done, 2);
	SAYS(desk_stands(1), "pending timed out");
}

/* ---- Handed on --------------------------------------------------------------------------------------------
 */

/* acme/hall is a twin of acme/n3. */
static void hold_row_of_hall(void)
{
	struct incarnation lineage = {.id = 5};
	struct head head = {.origin = "acme/n3", .lineage = &lineage, .n_lineage = 1, .epoch = 1};
	const struct row row = {
		.id = "acme/hall", .version = {0, 1}, .mask = ROW_MASK_ALL, .type = "", .name = "hall"};
	SCOPED(buf_fini) struct buf payload = {0}, blob = {0}, encoded = {0};
	struct signed_blob signed_head;

	const struct hash128 hash = row_hash(row.id, row.version, row.mask);
	fingerprint_add(&head.fingerprint, &hash);
	head_encode(&head, &payload);
	sign_blob(world.trust->sign, SIGN_HEAD, buf_bytes(&payload), &signed_head);
	signed_blob_encode(&signed_head, &blob);
	row_encode(&row, &encoded);
	struct bytes rows[] = {buf_bytes(&encoded)};
	world_put(&(struct op){.kind = OP_ROWS,
			       .rows = {.origin = "acme/n3",
					.rows = rows,
					.n = 1,
					.cursor = BYTES("c"),
					.head = buf_bytes(&blob)}},
		  1);
}

static int answered;

static void on_answered(void *ctx, int code, const char *text, struct bytes record)
{
	(void)ctx, (void)text, (void)record;
	answered = code;
}

static int ask_about_hall(const struct session *from)
{
	struct command c = desk_command(1, "stop");
	struct audience to = audience_of("volt");

	c.twin = "acme/hall";
	to.credential = desk_credentials[EVE];
	const struct question q = {.kind = QUESTION_COMMAND,
				   .twin = c.twin,
				   .property = "",
				   .asker = "",
				   .person = to.credential,
				   .command = desk_signed(EVE, &c)};
	const struct command_question asking = {.question = &q, .to = &to, .from = from, .time_ns = NS_PER_S};
	answered = 1;
	return commands_question(world.commands, &asking, on_answered, NULL);
}

Test(commands_sent, a_border_hands_on_what_a_partner_asks_and_not_what_own_nodes_hand_on)
{
	const struct session volt = {.id = 3, .org = "volt", .node = "v1"},
			     own = {.id = 4, .org = "acme", .node = "n2", .own = true};

	world_policy("share \"hall\"\n to org volt\n twins hall\n allow command stop\n until 2100-01-01\n");
	hold_row_of_hall();
	cr_expect_eq(ask_about_hall(&own), 0);
	cr_expect_eq(answered, ERR_UNREACHABLE,
		     "else two nodes that each take the other for its owner never end");
	cr_expect(waits == NULL);
	cr_expect_eq(ask_about_hall(&volt), 0);
	cr_expect_eq(answered, 1);
	cr_assert(waits != NULL, "the owner is asked");
	answer(ERR_DENIED, "", (struct bytes){0});
	cr_expect_eq(answered, ERR_DENIED);
}
