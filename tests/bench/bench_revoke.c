/* SPDX-License-Identifier: Apache-2.0 */
/* A revocation on its way: published at one node, until another node has cut the revoked one, which is
 * sending it rows all the time. Rounds of three real nodes; a new one is revoked in each. What is measured
 * ends when the other node first says that the connection is gone, so it is not less than the time to the
 * last message accepted.
 */
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#include "proto/clock.h"
#include "security/keys.h"
#include "security/org_admin.h"
#include "tests/bench/bench.h"
#include "tests/bench/process.h"
#include "tools/client.h"

enum { ROUNDS = 60, ROUNDS_QUICK = 3, PATH_BYTES = 160, LOAD_MS = 300, GIVE_UP_S = 30, OPS = 20 };

struct revoking {
	const struct bench_options *opt;
	char dir[96], org[112], endpoints[2][64];
	pid_t here, there, victim;
	struct client *to_here, *to_there;
};

static int64_t wall_ns(void)
{
	struct timespec now;

	clock_gettime(CLOCK_REALTIME, &now);
	return now.tv_sec * NS_PER_S + now.tv_nsec;
}

static void path_of(const struct revoking *r, const char *node, const char *file, char ret[PATH_BYTES])
{
	snprintf(ret, PATH_BYTES, "%s/%s%s", r->dir, node, file);
}

static int add_node(const struct revoking *r, const char *name, const char *endpoint)
{
	char path[PATH_BYTES];
	struct err_note note = {0};

	path_of(r, name, "", path);
	const struct node_options node = {.org_dir = r->org,
					  .node_dir = path,
					  .name = name,
					  .roles = ROLE_OWNER,
					  .endpoint = endpoint,
					  .border_endpoint = "",
					  .now_ns = wall_ns()};
	return org_dir_add_node(&node, &note) < 0 ? bench_say("revoke", "%s", note.text) : 0;
}

static int start_node(const struct revoking *r, const char *name, pid_t *ret)
{
	char path[PATH_BYTES], log[PATH_BYTES];
	const char *argv[] = {r->opt->holond, "--dir", path, NULL};
	const struct process_options how = {
		.log = log, .ready_flag = "--ready-fd", .ready_within_ms = GIVE_UP_S * 1000};

	path_of(r, name, "", path);
	path_of(r, "log", "", log);
	return process_start(argv, &how, ret) < 0 ? bench_say("revoke", "%s did not come up", name) : 0;
}

static int open_client(const struct revoking *r, const char *name, struct client **ret)
{
	char path[PATH_BYTES], endpoint[PATH_BYTES + 8];
	struct err_note note = {0};

	path_of(r, name, "/control", path);
	snprintf(endpoint, sizeof endpoint, "ipc://%s", path);
	return client_open(ret, endpoint, GIVE_UP_S * NS_PER_S, &note) < 0
		       ? bench_say("revoke", "%s", note.text)
		       : 0;
}

/* 1: the other node is connected with it, 0: not. */
static int is_connected(const struct revoking *r, const char *name)
{
	SCOPED(scope_arena) struct arena *a = NULL;
	struct control_request q = {.op = CONTROL_PEERS};
	struct control_answer answer;
	struct err_note note = {0};

	if (arena_new(&a, 8 << 20) < 0 || client_ask(r->to_there, &q, a, &answer, &note) < 0)
		return bench_say("revoke", "%s", note.text);
	for (size_t i = 0; i < answer.n_peers; i++)
		if (strcmp(answer.peers[i].node, name) == 0)
			return strcmp(answer.peers[i].state, "connected") == 0;
	return 0;
}

static int await_connection(const struct revoking *r, const char *name, int want)
{
	const double until_s = bench_now_s() + GIVE_UP_S;
	int is;

	while ((is = is_connected(r, name)) == !want && bench_now_s() < until_s)
		if (want)
			bench_pause_ms(20);
	return is == want ? 0 : bench_say("revoke", "%s is %sconnected", name, want ? "not " : "still ");
}

/* The bundle as the organisation's directory has it now, at `here`; the answer is waited for by the caller.
 */
static int give_bundle(const struct revoking *r, struct arena *a)
{
	char path[PATH_BYTES];
	struct control_request q = {.op = CONTROL_ORG_TRUST, .text = ""};
	struct err_note note = {0};

	path_of(r, "org", "/bundle", path);
	if (file_read(a, path, FRAME_OWN_MAX, &q.blob, &note) < 0 || client_send(r->to_here, &q, &note) < 0)
		return bench_say("revoke", "%s", note.text);
	return 0;
}

static int take_answer(const struct revoking *r, struct arena *a)
{
	struct control_answer answer;
	struct err_note note = {0};

	if (client_receive(r->to_here, a, &answer, &note) < 0)
		return bench_say("revoke", "%s", note.text);
	return answer.code < 0 ? bench_say("revoke", "the bundle was not taken: %s", answer.text) : 0;
}

static int publish(const struct revoking *r)
{
	SCOPED(scope_arena) struct arena *a = NULL;

	return arena_new(&a, 16 << 20) < 0 || give_bundle(r, a) < 0 ? -1 : take_answer(r, a);
}

/* New twins all the time: rows for the others. */
struct load {
	struct client *client;
	const char *node;
	atomic_bool stop;
	uint64_t n;
};

static void *keep_changing(void *arg)
{
	struct load *l = arg;
	char ids[OPS][96];
	struct op ops[OPS];

	while (!l->stop) {
		SCOPED(scope_arena) struct arena *a = NULL;
		struct control_request q = {.op = CONTROL_CHANGE, .ops = ops, .n_ops = OPS};
		struct control_answer answer;
		for (size_t i = 0; i < OPS; i++) {
			snprintf(ids[i], sizeof ids[i], "acme/%s/t%llu", l->node, (unsigned long long)l->n++);
			ops[i] = (struct op){
				.kind = OP_TWIN,
				.twin = {.id = ids[i], .type = "", .kind = KIND_ASSET, .name = ""}};
		}
		if (arena_new(&a, 8 << 20) < 0 || client_ask(l->client, &q, a, &answer, NULL) < 0)
			break;
	}
	return NULL;
}

static int measure_under_load(struct revoking *r, const char *name, double *ret_s)
{
	SCOPED(scope_arena) struct arena *a = NULL;
	struct err_note note = {0};

	bench_pause_ms(LOAD_MS);
	if (arena_new(&a, 16 << 20) < 0)
		return bench_say("revoke", "no memory");
	if (org_dir_revoke_node(r->org, name, "bench", wall_ns(), &note) < 0)
		return bench_say("revoke", "%s", note.text);
	const double began = bench_now_s();
	if (give_bundle(r, a) < 0 || await_connection(r, name, 0) < 0)
		return -1;
	*ret_s = bench_now_s() - began;
	return take_answer(r, a);
}

static int revoke_one(struct revoking *r, int round, double *ret_s)
{
	char name[16];
	struct load load = {.node = name};
	pthread_t thread;
	int code = -1;

	snprintf(name, sizeof name, "v%d", round);
	if (add_node(r, name, "") < 0 || publish(r) < 0 || start_node(r, name, &r->victim) < 0)
		return -1;
	if (open_client(r, name, &load.client) == 0 && await_connection(r, name, 1) == 0 &&
	    pthread_create(&thread, NULL, keep_changing, &load) == 0) {
		code = measure_under_load(r, name, ret_s);
		load.stop = true;
		pthread_join(thread, NULL);
		if (code == 0 && load.n == 0)
			code = bench_say("revoke", "there was no load");
	}
	client_close(load.client);
	process_kill(r->victim);
	r->victim = 0;
	return code;
}

static int found(struct revoking *r)
{
	struct err_note note = {0};

	if (bench_place(r->opt, r->dir, sizeof r->dir) < 0)
		return bench_say("revoke", "no directory can be made in %s", r->opt->place);
	snprintf(r->org, sizeof r->org, "%s/org", r->dir);
	const struct org_dir_options org = {
		.dir = r->org, .name = "acme", .passphrase = BYTES("holon-bench"), .now_ns = wall_ns()};
	if (org_dir_init(&org, &note) < 0)
		return bench_say("revoke", "%s", note.text);
	for (size_t i = 0; i < 2; i++)
		snprintf(r->endpoints[i], sizeof r->endpoints[i], "tcp://127.0.0.%zu:%u", i + 2, free_port());
	return add_node(r, "here", r->endpoints[0]) < 0 || add_node(r, "there", r->endpoints[1]) < 0 ? -1 : 0;
}

static int start(struct revoking *r)
{
	if (found(r) < 0 || start_node(r, "here", &r->here) < 0 || start_node(r, "there", &r->there) < 0 ||
	    open_client(r, "here", &r->to_here) < 0 || open_client(r, "there", &r->to_there) < 0 ||
	    publish(r) < 0)
		return -1;
	return await_connection(r, "here", 1);
}

static void stop(struct revoking *r)
{
	client_close(r->to_here);
	client_close(r->to_there);
	process_kill(r->victim);
	process_kill(r->here);
	process_kill(r->there);
	bench_remove(r->dir);
}

static int run(const struct bench_options *opt)
{
	struct revoking r = {.opt = opt};
	double times[ROUNDS];
	const int rounds = opt->quick ? ROUNDS_QUICK : ROUNDS;
	int code = start(&r);

	for (int i = 0; i < rounds && code == 0; i++)
		code = revoke_one(&r, i, &times[i]);
	stop(&r);
	if (code < 0)
		return -1;
	bench_result(opt, "revoke", "p50", bench_quantile(times, (size_t)rounds, 0.5), "s");
	bench_result(opt, "revoke", "p99", bench_quantile(times, (size_t)rounds, 0.99), "s");
	return 0;
}

const struct bench bench_revoke = {
	.name = "revoke",
	.summary = "a revocation published at one node, until another node has cut the revoked one",
	.run = run,
};
