/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/unit/node/desk.h"

#include <stdio.h>

#include "node/gossip.h"
#include "node/writer.h"
#include "security/command.h"
#include "tests/lib/must.h"

int64_t desk_now_ns, desk_mono_ns;
struct arena *desk_arena;
struct sign_key *desk_keys[N_PEOPLE + 3];
struct bytes desk_credentials[N_PEOPLE];
static const char *const names[N_PEOPLE] = {"eve", "lea", "max"};
static const char *lead[] = {"shift-lead"}, *operators[] = {"operator"};
static struct issuer_key issuers[2];
static struct credential nodes_acme[2] = {{.org = "acme", .node = "n1", .not_after_ns = DAY_NS},
					  {.org = "acme", .node = "n2", .not_after_ns = DAY_NS}},
			 nodes_volt[1] = {{.org = "volt", .node = "v1", .not_after_ns = DAY_NS}};

/* ---- The asset --------------------------------------------------------------------------------------------
 */

int desk_order_says;
size_t desk_n_orders, desk_n_acts;
static uint8_t last_order[COMMAND_ID_BYTES];
static int64_t last_deadline_ns;

static int take_order(struct engine *e, const struct order *o, struct err_note *note)
{
	(void)e;
	must(o->deadline_ns > desk_now_ns && strcmp(o->twin, TWIN) == 0);
	/* nothing is handed over that is not durable */
	must(store_command(world.store, o->id) != NULL);
	desk_n_orders++;
	memcpy(last_order, o->id, sizeof last_order);
	last_deadline_ns = o->deadline_ns;
	return desk_order_says < 0 ? err_say(note, desk_order_says, "the asset is away") : 0;
}

static int do_act(struct engine *e, const struct command *c, const char *who, acted_fn *done, void *ctx,
		  struct err_note *note)
{
	(void)e, (void)c, (void)who, (void)note;
	desk_n_acts++;
	done(ctx, 0, "");
	return 0;
}

/* ---- The world --------------------------------------------------------------------------------------------
 */

static int64_t wall(void)
{
	return desk_now_ns;
}

int64_t __wrap_engine_mono_ns(void);
int64_t __wrap_engine_mono_ns(void)
{
	return desk_mono_ns;
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
	const char *copy = arena_text(desk_arena, buf_bytes(b));
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
				 .sign = sign_key_public(desk_keys[who]),
				 .roles = who == LEA ? lead : operators,
				 .n_roles = 1,
				 .not_before_ns = 1,
				 .not_after_ns = DAY_NS / 2};
	struct buf payload = {0}, out = {0};
	struct signed_blob blob;

	person_encode(&p, &payload);
	sign_blob(desk_keys[N_PEOPLE + (who == EVE)], SIGN_PERSON, buf_bytes(&payload), &blob);
	signed_blob_encode(&blob, &out);
	buf_fini(&payload);
	return kept(&out);
}

static void found_org(struct org *org, const char *name, struct credential *nodes, size_t n, size_t place)
{
	issuers[place] = (struct issuer_key){sign_key_public(desk_keys[N_PEOPLE + place]), 0, DAY_NS};
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
	static struct property_def properties[] = {
		{.name = "speed", .type = VALUE_DOUBLE, .unit = "", .min = NAN, .max = NAN, .settable = true},
		{.name = "secret",
		 .type = VALUE_DOUBLE,
		 .unit = "",
		 .min = NAN,
		 .max = NAN,
		 .settable = true}};
	const struct op op = {.kind = OP_TYPE,
			      .type = {.name = "press",
				       .version = 1,
				       .properties = properties,
				       .n_properties = 2,
				       .operations = operations,
				       .n_operations = 1}};

	world_put(&op, 1);
	world_twin(TWIN, "press", NULL);
}

static const struct commands_ports ports = {.order = take_order, .act = do_act};

static void start(void)
{
	must(commands_start(&world.commands, &world) == 0);
	commands_connect(world.commands, &ports);
}

void desk_set_up(void)
{
	desk_now_ns = START_NS;
	desk_mono_ns = 5 * NS_PER_S;
	world_set_up();
	world.trust->clock.wall_ns = wall;
	must(arena_new(&desk_arena, 256 << 20) == 0);
	for (uint8_t i = 0; i < N_PEOPLE + 3; i++)
		desk_keys[i] = key_of(i);
	world.trust->sign = desk_keys[N_PEOPLE + 2];
	nodes_acme[0].sign = sign_key_public(desk_keys[N_PEOPLE + 2]);
	found_org(&world.trust->own.org, "acme", nodes_acme, 2, 0);
	found_org(&world.trust->partners[0]->org, "volt", nodes_volt, 1, 1);
	for (enum who who = EVE; who <= MAX_OF_ACME; who++)
		desk_credentials[who] = credential_of(who);
	put_twin();
	world_policy(
		"share \"stop\"\n to org volt\n twins p1\n"
		" allow command stop confirm role shift-lead\n until 2100-01-01\n"
		"share \"set\"\n to org volt\n twins p1\n allow read speed\n"
		" allow command set rate 2/min\n until 2100-01-01\n"
		"share \"ack\"\n to org volt\n twins p1\n"
		" allow command alarm-ack\n until 2100-01-01\n");
	must(gossip_start(&world.gossip, &world) == 0 && writer_start(&world.writer, &world) == 0);
	start();
	desk_order_says = 0;
	desk_n_orders = desk_n_acts = 0;
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
void desk_settle(void)
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

void desk_restart(void)
{
	desk_settle();
	stop();
	commands_free(world.commands);
	start();
}

void desk_tear_down(void)
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
		sign_key_free(desk_keys[i]);
	arena_free(desk_arena);
	world_tear_down();
}

/* ---- Commands, permits and words
 * -------------------------------------------------------------------------------
 */

struct command desk_command(uint8_t n, const char *operation)
{
	static struct argument grace[1], ack[2], set[3];
	const bool is_stop = strcmp(operation, "stop") == 0, is_set = strcmp(operation, OPERATION_SET) == 0;
	struct command c = {.twin = TWIN,
			    .operation = operation,
			    .arguments = is_stop  ? grace
					 : is_set ? set
						  : ack,
			    .n_arguments = is_stop  ? 1
					   : is_set ? 3
						    : 2,
			    .issued_ns = desk_now_ns,
			    .deadline_ns = desk_now_ns + 60 * NS_PER_S,
			    .org = "volt",
			    .person = "eve",
			    .node = "v1"};

	grace[0] = (struct argument){"grace_s", {.type = VALUE_INT64, .integer = 5}};
	ack[0] = (struct argument){"alarm", {.type = VALUE_TEXT, .text = "heat"}};
	ack[1] = (struct argument){"comment", {.type = VALUE_TEXT, .text = ""}};
	set[0] = (struct argument){"property", {.type = VALUE_TEXT, .text = "speed"}};
	set[1] = (struct argument){"value", {.type = VALUE_TEXT, .text = "7"}};
	set[2] = (struct argument){"within_s", {.type = VALUE_DOUBLE, .real = 0}};
	memset(c.id, n, sizeof c.id);
	return c;
}

struct bytes desk_signed(enum who who, const struct command *c)
{
	struct buf b = {0};

	command_sign(desk_keys[who], c, &b);
	return kept(&b);
}

struct bytes desk_permit_of(enum who who, uint8_t n, bool refuse, const char *twin, int64_t t_ns)
{
	struct permit p = {.has_id = true,
			   .twin = twin,
			   .operation = "",
			   .org = "",
			   .issued_ns = t_ns,
			   .by_org = "acme",
			   .person = names[who],
			   .refuse = refuse};
	struct buf b = {0};

	memset(p.id, n, sizeof p.id);
	permit_sign(desk_keys[who], &p, &b);
	return kept(&b);
}

struct bytes desk_permit(enum who who, uint8_t n, bool refuse)
{
	return desk_permit_of(who, n, refuse, TWIN, desk_now_ns);
}

/* The last answer: "pending confirmed" or what was refused. */
char desk_said[2048];
size_t desk_n_said;

void desk_on_said(void *ctx, int code, const char *text, const struct command_record *r, bool last)
{
	(void)ctx, (void)last;
	desk_n_said++;
	snprintf(desk_said, sizeof desk_said, "%s", code < 0 ? text : "");
	for (size_t i = 0; r && i < r->n_steps; i++) {
		const size_t n = strlen(desk_said);
		snprintf(desk_said + n, sizeof desk_said - n, "%s%s", i > 0 ? " " : "",
			 command_state_text(r->steps[i].state));
	}
}

const char *desk_take(struct bytes blob, enum who who, bool permit, uint32_t seen)
{
	struct audience by = audience_of(who == EVE ? "volt" : "");
	struct err_note note = {0};

	by.credential = desk_credentials[who];
	const struct command_in in = {.blob = blob,
				      .permit = permit,
				      .twin = TWIN,
				      .by = &by,
				      .node = who == EVE ? "volt/v1" : "acme/n1",
				      .seen = seen,
				      .wait_ns = NS_PER_S};
	desk_n_said = 0;
	snprintf(desk_said, sizeof desk_said, "nothing was said");
	const int r = commands_take(world.commands, &in, desk_on_said, NULL, &note);
	if (r < 0)
		snprintf(desk_said, sizeof desk_said, "%s", note.text[0] ? note.text : err_text(r));
	desk_settle();
	return desk_said;
}

const char *desk_send(uint8_t n)
{
	const struct command c = desk_command(n, "stop");

	return desk_take(desk_signed(EVE, &c), EVE, false, 0);
}

bool desk_word(uint8_t n, enum command_state state)
{
	struct command_word w = {.state = state, .text = "says the press"};

	memset(w.id, n, sizeof w.id);
	const bool taken = commands_on_word(world.commands, "mqtt-1", &w);
	desk_settle();
	return taken;
}

/* How it stands on disk. */
const char *desk_stands(uint8_t n)
{
	static char text[512];
	uint8_t id[COMMAND_ID_BYTES];
	struct command_record r;

	memset(id, n, sizeof id);
	const struct store_command *k = store_command(world.store, id);
	if (!k)
		return "absent";
	must(command_record_decode(desk_arena, k->record, &r) == 0);
	text[0] = '\0';
	for (size_t i = 0; i < r.n_steps; i++)
		snprintf(text + strlen(text), sizeof text - strlen(text), "%s%s", i > 0 ? " " : "",
			 command_state_text(r.steps[i].state));
	return text;
}

void desk_tick(int64_t later_ns)
{
	desk_now_ns += later_ns;
	desk_mono_ns += later_ns;
	commands_tick(world.commands);
	desk_settle();
}

struct bytes desk_standing(enum who who, uint32_t times)
{
	const struct permit p = {.twin = TWIN,
				 .operation = "stop",
				 .org = "volt",
				 .times = times,
				 .issued_ns = desk_now_ns,
				 .until_ns = desk_now_ns + 3600 * NS_PER_S,
				 .by_org = "acme",
				 .person = names[who]};
	struct buf b = {0};

	permit_sign(desk_keys[who], &p, &b);
	return kept(&b);
}
