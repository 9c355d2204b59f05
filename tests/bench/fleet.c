/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/bench/fleet.h"

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "proto/clock.h"
#include "security/keys.h"
#include "security/org.h"
#include "tests/bench/process.h"

enum { PATH_BYTES = 160, ANSWER_WITHIN_S = 60, ARENA_BYTES = 4 << 20, LOOK_MS = 100, OPEN_MS = 10 };

static void path_of(const struct fleet *f, size_t node, const char *file, char ret[PATH_BYTES])
{
	snprintf(ret, PATH_BYTES, "%s/%s%s", f->dir, f->nodes[node].name, file);
}

static int64_t wall_ns(void)
{
	struct timespec now;

	clock_gettime(CLOCK_REALTIME, &now);
	return now.tv_sec * NS_PER_S + now.tv_nsec;
}

/* Each has an address of its own, so connections that go out never take a port that is to be listened at. */
static int add_node(struct fleet *f, size_t i, struct err_note *note)
{
	char path[PATH_BYTES], endpoint[64];

	snprintf(f->nodes[i].name, sizeof f->nodes[i].name, "n%zu", i);
	snprintf(f->nodes[i].host, sizeof f->nodes[i].host, "127.0.%zu.%zu", 1 + i / 250, 1 + i % 250);
	snprintf(endpoint, sizeof endpoint, "tcp://%s:%u", f->nodes[i].host, f->port);
	path_of(f, i, "", path);
	const struct node_options node = {.org_dir = f->org,
					  .node_dir = path,
					  .name = f->nodes[i].name,
					  .roles = ROLE_OWNER,
					  .endpoint = endpoint,
					  .border_endpoint = "",
					  .now_ns = wall_ns()};
	return org_dir_add_node(&node, note);
}

int fleet_init(struct fleet *f, const struct bench_options *opt)
{
	struct err_note note = {0};

	f->holond = opt->holond;
	f->port = free_port();
	f->nodes = calloc(f->n, sizeof *f->nodes);
	if (!f->nodes)
		return bench_say(f->bench, "out of memory");
	if (bench_place(opt, f->dir, sizeof f->dir) < 0)
		return bench_say(f->bench, "no directory can be made in %s", opt->place);
	snprintf(f->org, sizeof f->org, "%s/org", f->dir);
	const struct org_dir_options org = {
		.dir = f->org, .name = FLEET_ORG, .passphrase = BYTES("holon-bench"), .now_ns = wall_ns()};
	if (org_dir_init(&org, &note) < 0)
		return bench_say(f->bench, "%s", note.text);
	for (size_t i = 0; i < f->n; i++)
		if (add_node(f, i, &note) < 0)
			return bench_say(f->bench, "%s", note.text);
	return 0;
}

/* All are killed before any is waited for: those that are left must not be busy with the loss. */
void fleet_stop(struct fleet *f)
{
	for (size_t i = 0; f->nodes && i < f->n; i++)
		fleet_signal(f, i, SIGKILL);
	for (size_t i = 0; f->nodes && i < f->n; i++) {
		client_close(f->nodes[i].client);
		f->nodes[i].client = NULL;
		fleet_kill(f, i);
	}
}

void fleet_fini(struct fleet *f)
{
	fleet_stop(f);
	free(f->nodes);
	f->nodes = NULL;
	bench_remove(f->dir);
}

int fleet_tell(struct fleet *f, size_t node)
{
	SCOPED(scope_arena) struct arena *a = NULL;
	struct err_note note = {0};
	char from[PATH_BYTES], to[PATH_BYTES];
	struct bytes bundle;

	snprintf(from, sizeof from, "%s/bundle", f->org);
	path_of(f, node, "/bundle", to);
	if (arena_new(&a, ARENA_BYTES) < 0)
		return bench_say(f->bench, "out of memory");
	if (file_read(a, from, FRAME_OWN_MAX, &bundle, &note) < 0 || file_write(to, bundle, false, &note) < 0)
		return bench_say(f->bench, "%s", note.text);
	return 0;
}

int fleet_tell_all(struct fleet *f)
{
	for (size_t i = 0; i < f->n; i++)
		if (fleet_tell(f, i) < 0)
			return -1;
	return 0;
}

int fleet_launch(struct fleet *f, size_t node)
{
	struct fleet_node *n = &f->nodes[node];
	char path[PATH_BYTES], log[PATH_BYTES], listen[96];
	const char *argv[18] = {f->holond, "--dir", path};
	const struct process_options how = {.log = log};
	size_t args = 3;

	path_of(f, node, "", path);
	path_of(f, node, ".log", log);
	for (size_t i = 0; f->settings[i]; i++) {
		argv[args++] = "--set";
		argv[args++] = f->settings[i];
	}
	snprintf(listen, sizeof listen, "listen.own=tcp://%s:%u", n->host, f->listen_port);
	argv[args++] = f->listen_port > 0 ? "--set" : NULL;
	argv[args] = listen;
	return process_start(argv, &how, &n->pid) < 0 ? bench_say(f->bench, "%s did not start", f->holond)
						      : 0;
}

int fleet_launch_all(struct fleet *f)
{
	for (size_t i = 0; i < f->n; i++)
		if (fleet_launch(f, i) < 0)
			return -1;
	return 0;
}

void fleet_kill(struct fleet *f, size_t node)
{
	process_kill(f->nodes[node].pid);
	f->nodes[node].pid = 0;
}

void fleet_signal(struct fleet *f, size_t node, int signal)
{
	if (f->nodes[node].pid > 0)
		kill(f->nodes[node].pid, signal);
}

struct client *fleet_client(struct fleet *f, size_t node)
{
	struct fleet_node *n = &f->nodes[node];
	char path[PATH_BYTES], endpoint[PATH_BYTES + 8];
	struct err_note note = {0};

	path_of(f, node, "/control", path);
	snprintf(endpoint, sizeof endpoint, "ipc://%s", path);
	const double until_s = bench_now_s() + ANSWER_WITHIN_S;
	while (!n->client && client_open(&n->client, endpoint, ANSWER_WITHIN_S * NS_PER_S, &note) < 0) {
		if (!process_runs(&n->pid) || bench_now_s() > until_s) {
			bench_say(f->bench, "%s: %s", n->name, note.text);
			return NULL;
		}
		bench_pause_ms(OPEN_MS);
	}
	return n->client;
}

int fleet_peers(struct fleet *f, size_t node, struct arena *a, struct peer_info **ret, size_t *ret_n)
{
	struct client *c = fleet_client(f, node);
	struct control_request q = {.op = CONTROL_PEERS};
	struct control_answer answer;
	struct err_note note = {0};

	if (!c)
		return -1;
	if (client_ask(c, &q, a, &answer, &note) < 0)
		return bench_say(f->bench, "%s: %s", f->nodes[node].name, note.text);
	*ret = answer.peers;
	*ret_n = answer.n_peers;
	return 0;
}

int fleet_connected(struct fleet *f, size_t node)
{
	SCOPED(scope_arena) struct arena *a = NULL;
	struct peer_info *peers;
	size_t n_peers;
	int n = 0;

	if (!process_runs(&f->nodes[node].pid))
		return bench_say(f->bench, "%s has ended", f->nodes[node].name);
	if (arena_new(&a, ARENA_BYTES) < 0)
		return bench_say(f->bench, "out of memory");
	if (fleet_peers(f, node, a, &peers, &n_peers) < 0)
		return -1;
	for (size_t i = 0; i < n_peers; i++)
		n += strcmp(peers[i].state, "connected") == 0;
	return n;
}

int fleet_settle(struct fleet *f, double within_s)
{
	const double until_s = bench_now_s() + within_s;
	int running = 0, n = 0;

	for (size_t i = 0; i < f->n; i++)
		running += f->nodes[i].pid > 0;
	for (size_t i = 0; i < f->n;) {
		if (f->nodes[i].pid > 0 && (n = fleet_connected(f, i)) < 0)
			return -1;
		if (f->nodes[i].pid == 0 || n == running - 1) {
			i++;
			continue;
		}
		if (bench_now_s() > until_s)
			return bench_say(f->bench, "%s is connected with %d of %d nodes after %.0f s",
					 f->nodes[i].name, n, running - 1, within_s);
		bench_pause_ms(LOOK_MS);
	}
	return 0;
}
