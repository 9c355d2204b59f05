/* SPDX-License-Identifier: Apache-2.0 */
/* A person of one organisation has a machine of another do something: from signing the command until the
 * person's node tells that the machine has done it. Through both nodes, the owner's policy, a permit given
 * beforehand, a Mosquitto with the machine behind it, and all the way back; each step durable and signed. */
#include <sodium.h>
#include <stdio.h>
#include <string.h>
#include <sys/types.h>
#include <time.h>

#include "proto/clock.h"
#include "security/org_admin.h"
#include "security/sign.h"
#include "tests/bench/asset.h"
#include "tests/bench/broker.h"
#include "tests/bench/league.h"

enum { COMMANDS = 500, QUICK_COMMANDS = 20, WARM = 5, ARENA_BYTES = 16 << 20, WITHIN_S = 30 };
#define TWIN LEAGUE_ROOT
#define OWNER 0
#define SENDER 1

struct scene {
	struct league league;
	struct broker broker;
	struct asset asset;
	struct arena *arena;
	struct client *kim, *lea; /* of the sender's organisation, of the owner's */
	struct sign_key *kim_key, *lea_key;
	size_t n;
	double ms[COMMANDS];
};

static int64_t wall_ns(void)
{
	struct timespec now;

	clock_gettime(CLOCK_REALTIME, &now);
	return now.tv_sec * NS_PER_S + now.tv_nsec;
}

static int say(const char *what, const struct err_note *note)
{
	return bench_say("command", "%s: %s", what, note->text);
}

static int ask(struct scene *s, struct client *c, struct control_request *r, struct control_answer *ret)
{
	struct err_note note = {0};

	if (client_ask(c, r, s->arena, ret, &note) < 0)
		return say("not answered", &note);
	return ret->code < 0 ? bench_say("command", "the node says: %s", ret->text) : 0;
}

/* ---- Persons, policy, machine ----------------------------------------------------------------------------
 */

static int add_person(struct scene *s, const struct league_node *at, const char *name, const char *role,
		      struct sign_key **ret_key, struct client **ret)
{
	const char *const dir = s->league.dir;
	const char *org = arena_print(s->arena, "%s/%s/org", dir, at->org);
	const char *own = arena_print(s->arena, "%s/%s", dir, name);
	const char *key = arena_print(s->arena, "%s/person.key", own);
	const char *credential = arena_print(s->arena, "%s/credential", own);
	const char *endpoint = arena_print(s->arena, "ipc://%s/%s/n0/control", dir, at->org);
	const struct person_options opt = {.org_dir = org,
					   .person_dir = own,
					   .name = name,
					   .roles = &role,
					   .n_roles = 1,
					   .now_ns = wall_ns()};
	struct err_note note = {0};
	struct bytes shown;

	if (!endpoint || !credential || !key || org_dir_add_person(&opt, &note) < 0 ||
	    sign_key_load(ret_key, key, &note) < 0 ||
	    file_read(s->arena, credential, CREDENTIAL_MAX, &shown, &note) < 0 ||
	    client_open(ret, endpoint, WITHIN_S * NS_PER_S, &note) < 0 ||
	    client_act_for(*ret, *ret_key, shown, &note) < 0)
		return say(name, &note);
	return 0;
}

static int publish_policy(struct scene *s)
{
	SCOPED(buf_fini) struct buf text = {0}, blob = {0};
	const struct league_node *owner = &s->league.nodes[OWNER], *sender = &s->league.nodes[SENDER];
	const char *theirs = arena_print(s->arena, "%s/%s/org", s->league.dir, sender->org);
	const char *own = arena_print(s->arena, "%s/%s/org", s->league.dir, owner->org);
	struct control_request r = {.op = CONTROL_POLICY_PUBLISH};
	char print[FINGERPRINT_SIZE];
	struct control_answer answer;
	struct err_note note = {0};
	struct org org;

	if (!theirs || !own || org_dir_load(s->arena, theirs, wall_ns(), &org, &note) < 0)
		return say("policy", &note);
	org_fingerprint(sender->org, &org.manifest.root, print);
	buf_print(&text,
		  "policy %s\n org %s = %s\n share \"all\"\n  to org %s\n  twins **\n  allow discover, "
		  "summary\n"
		  "  until 2100-01-01\n share \"stop\"\n  to org %s role operator\n  twins **\n"
		  "  allow command stop confirm role lead\n  until 2100-01-01\n",
		  owner->org, sender->org, print, sender->org, sender->org);
	buf_put_u8(&text, 0);
	if (buf_check(&text) < 0 ||
	    org_dir_sign_policy(own, 2, (const char *)text.data, wall_ns(), &blob, &note) < 0)
		return say("policy", &note);
	r.blob = buf_bytes(&blob);
	return ask(s, owner->client, &r, &answer);
}

static int declare(struct scene *s)
{
	static struct property_def power = {
		.name = "power", .type = VALUE_DOUBLE, .unit = "kW", .min = NAN, .max = NAN, .kpi = true};
	static struct property_def grace = {
		.name = "grace", .type = VALUE_DOUBLE, .unit = "s", .min = 0, .max = NAN};
	static struct operation_def stop = {
		.name = "stop", .text = "", .parameters = &grace, .n_parameters = 1};
	struct op op = {.kind = OP_TYPE,
			.type = {.name = "machine",
				 .parent = "",
				 .version = 2,
				 .kind = KIND_ASSET,
				 .properties = &power,
				 .n_properties = 1,
				 .operations = &stop,
				 .n_operations = 1,
				 .health = {.hierarchy = "", .weight = ""}}};
	struct control_request r = {.op = CONTROL_CHANGE, .ops = &op, .n_ops = 1};
	struct control_answer answer;

	if (ask(s, s->league.nodes[OWNER].client, &r, &answer) < 0)
		return -1;
	return answer.n_refused > 0 ? bench_say("command", "%s", answer.refused[0].reason) : 0;
}

static int connect_machine(struct scene *s)
{
	struct client *owner = s->league.nodes[OWNER].client;
	const double until_s = bench_now_s() + WITHIN_S;
	struct control_request put = {.op = CONTROL_ADAPTER_PUT, .name = "hall"},
			       look = {.op = CONTROL_ADAPTERS, .name = "hall"};
	struct control_answer answer;

	s->asset = (struct asset){
		.bench = "command", .port = s->broker.port, .in = "hall/command", .out = "hall/ack"};
	put.text = arena_print(s->arena,
			       "{\"kind\": \"mqtt\", \"broker\": \"mqtt://127.0.0.1:%u\", \"commands\": "
			       "[{\"twins\": \"" TWIN
			       "\", \"topic\": \"hall/command\", \"ack\": \"hall/ack\"}]}",
			       s->broker.port);
	if (!put.text || asset_start(&s->asset) < 0 || ask(s, owner, &put, &answer) < 0)
		return -1;
	while (ask(s, owner, &look, &answer) == 0 && answer.n_adapters == 1) {
		if (strcmp(answer.adapters[0].state, "connected") == 0)
			return 0;
		if (bench_now_s() > until_s)
			return bench_say("command", "the adapter is %s: %s", answer.adapters[0].state,
					 answer.adapters[0].text);
		bench_pause_ms(10);
	}
	return -1;
}

static int permit(struct scene *s)
{
	SCOPED(buf_fini) struct buf plain = {0}, blob = {0};
	const struct permit p = {.twin = TWIN,
				 .operation = "stop",
				 .org = s->league.nodes[SENDER].org,
				 .times = COMMANDS + WARM,
				 .issued_ns = wall_ns(),
				 .until_ns = wall_ns() + 3600 * NS_PER_S,
				 .by_org = client_who(s->lea)->org,
				 .person = client_who(s->lea)->person};
	struct control_request r = {.op = CONTROL_COMMAND_PERMIT, .name = TWIN};
	struct control_answer answer;

	permit_encode(&p, &plain);
	client_sign(s->lea, SIGN_PERMIT, buf_bytes(&plain), &blob);
	if (buf_check(&plain) < 0 || buf_check(&blob) < 0)
		return bench_say("command", "out of memory");
	r.blob = buf_bytes(&blob);
	return ask(s, s->lea, &r, &answer);
}

static int prepare(struct scene *s, const struct bench_options *opt)
{
	const struct league_node *nodes = s->league.nodes;

	if (arena_new(&s->arena, ARENA_BYTES) < 0)
		return bench_say("command", "out of memory");
	if (league_init(&s->league, opt) < 0 || league_launch(&s->league) < 0 || declare(s) < 0 ||
	    add_person(s, &nodes[SENDER], "kim", "operator", &s->kim_key, &s->kim) < 0 ||
	    add_person(s, &nodes[OWNER], "lea", "lead", &s->lea_key, &s->lea) < 0 || publish_policy(s) < 0)
		return -1;
	return broker_start(&s->broker, "command", s->league.dir) < 0 || connect_machine(s) < 0 ? -1
												: permit(s);
}

/* ---- Measuring -------------------------------------------------------------------------------------------
 */

static int sign_command(struct scene *s, struct buf *blob)
{
	SCOPED(buf_fini) struct buf plain = {0};
	const struct errand *who = client_who(s->kim);
	struct argument grace = {"grace", {.type = VALUE_DOUBLE, .real = 1}};
	struct command c = {.twin = TWIN,
			    .operation = "stop",
			    .arguments = &grace,
			    .n_arguments = 1,
			    .issued_ns = wall_ns(),
			    .org = who->org,
			    .person = who->person,
			    .node = who->node};

	randombytes_buf(c.id, sizeof c.id);
	c.deadline_ns = c.issued_ns + WITHIN_S * NS_PER_S;
	command_encode(&c, &plain);
	TRY(buf_check(&plain));
	client_sign(s->kim, SIGN_COMMAND, buf_bytes(&plain), blob);
	return buf_check(blob);
}

static int is_done(struct scene *s, const struct control_answer *answer)
{
	struct command_record record;
	const struct command_step *last;

	if (answer->n_commands == 0)
		return bench_say("command", "the node tells nothing of it");
	if (command_record_decode(s->arena, answer->commands[answer->n_commands - 1], &record) < 0 ||
	    record.n_steps == 0)
		return bench_say("command", "its record cannot be read");
	last = &record.steps[record.n_steps - 1];
	if (last->state == COMMAND_DONE && last->receipt.len > 0)
		return 0;
	return bench_say("command", "it is %s: %s", command_state_text(last->state), last->text);
}

static int send_one(struct scene *s, double *ret_ms)
{
	SCOPED(buf_fini) struct buf blob = {0};
	struct control_request r = {.op = CONTROL_COMMAND_SEND, .step_ns = WITHIN_S * NS_PER_S};
	struct control_answer answer;

	arena_reset(s->arena);
	const double began_s = bench_now_s();
	if (sign_command(s, &blob) < 0)
		return bench_say("command", "out of memory");
	r.blob = buf_bytes(&blob);
	if (ask(s, s->kim, &r, &answer) < 0)
		return -1;
	*ret_ms = (bench_now_s() - began_s) * 1e3;
	return is_done(s, &answer);
}

static int measure(const struct bench_options *opt, struct scene *s)
{
	const size_t n = opt->quick ? QUICK_COMMANDS : COMMANDS;
	double ms;

	for (size_t i = 0; i < WARM + n; i++) {
		if (send_one(s, &ms) < 0)
			return -1;
		if (i >= WARM)
			s->ms[s->n++] = ms;
	}
	if (atomic_load(&s->asset.n_done) != WARM + n)
		return bench_say("command", "the machine did %zu of %zu", atomic_load(&s->asset.n_done),
				 WARM + n);
	bench_result(opt, "command", "p50", bench_quantile(s->ms, s->n, 0.5), "ms");
	bench_result(opt, "command", "p99", bench_quantile(s->ms, s->n, 0.99), "ms");
	return 0;
}

static int run(const struct bench_options *opt)
{
	static struct scene s;

	s = (struct scene){.league = {.bench = "command", .n_twins = 1, .lone = true}};
	const int r = prepare(&s, opt) < 0 ? -1 : measure(opt, &s);
	client_close(s.kim);
	client_close(s.lea);
	sign_key_free(s.kim_key);
	sign_key_free(s.lea_key);
	asset_stop(&s.asset);
	broker_stop(&s.broker);
	league_fini(&s.league);
	arena_free(s.arena);
	return r;
}

const struct bench bench_command = {
	"command", "a command across two organisations to an MQTT machine, and its word back: [p50] [p99]",
	run};
