/* SPDX-License-Identifier: Apache-2.0 */
#define _XOPEN_SOURCE 700 /* nftw() */
#include "tests/bench/site.h"

#include <ftw.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>
#include <zmq.h>

#include "proto/clock.h"
#include "security/keys.h"
#include "security/org.h"
#include "tests/bench/process.h"

enum { READY_WITHIN_MS = 60000, ANSWER_WITHIN_S = 30, ARENA_BYTES = 64 << 20, SETTINGS_MAX = 5 };

static int found(struct site *s)
{
	struct timespec now;
	struct err_note note = {0};
	char org[112];

	clock_gettime(CLOCK_REALTIME, &now);
	const int64_t now_ns = now.tv_sec * NS_PER_S + now.tv_nsec;
	snprintf(org, sizeof org, "%s/org", s->dir);
	const struct org_dir_options organisation = {
		.dir = org, .name = SITE_ORG, .passphrase = BYTES("holon-bench"), .now_ns = now_ns};
	const struct node_options node = {.org_dir = org,
					  .node_dir = s->node,
					  .name = "site",
					  .roles = ROLE_OWNER,
					  .endpoint = "",
					  .border_endpoint = "",
					  .now_ns = now_ns};
	if (org_dir_init(&organisation, &note) < 0 || org_dir_add_node(&node, &note) < 0)
		return bench_say(s->bench, "%s", note.text);
	return 0;
}

/* The end of what the node has to say. */
static void say_log(const struct site *s)
{
	char line[240], tail[240] = "nothing";
	FILE *f = fopen(s->log, "re");

	while (f && fgets(line, sizeof line, f))
		snprintf(tail, sizeof tail, "%s", line);
	if (f)
		fclose(f);
	tail[strcspn(tail, "\n")] = 0;
	bench_say(s->bench, "its log ends with: %s", tail);
}

int site_start(struct site *s)
{
	const char *argv[24] = {s->holond, "--dir", s->node};
	size_t n = 3;
	const struct process_options how = {.log = s->log,
					    .memory_bytes = s->memory_bytes,
					    .ready_flag = "--ready-fd",
					    .ready_within_ms = READY_WITHIN_MS};

	for (size_t i = 0; s->settings[i]; i++) {
		argv[n++] = "--set";
		argv[n++] = s->settings[i];
	}
	if (process_start(argv, &how, &s->pid) == 0)
		return 0;
	s->pid = 0;
	bench_say(s->bench, "%s did not come up", s->holond);
	say_log(s);
	return -1;
}

/* Let clients in over TCP: they have one key, and know the node's. */
static int open_door(struct site *s)
{
	SCOPED(scope_curve_pair) struct curve_pair *node = NULL;
	char path[160], text[48];
	struct err_note note = {0};
	size_t n = 0;

	snprintf(path, sizeof path, "%s/keys/curve.key", s->node);
	if (curve_pair_load(&node, path, &note) < 0 || curve_pair_new(&s->pair) < 0)
		return bench_say(s->bench, "no keys for the clients: %s", note.text);
	const struct curve_key own = curve_pair_public(s->pair);
	s->keys = (struct client_keys){.server = curve_pair_public(node), .own = s->pair};
	if (!zmq_z85_encode(text, own.b, sizeof own.b))
		return bench_say(s->bench, "no key for the clients");
	snprintf(s->endpoint, sizeof s->endpoint, "tcp://127.0.0.1:%u", free_port());
	snprintf(s->listen, sizeof s->listen, "listen.control=%s", s->endpoint);
	snprintf(s->key, sizeof s->key, "control.key=%s", text);
	while (s->settings[n])
		n++;
	s->settings[n] = s->listen;
	s->settings[n + 1] = s->key;
	return 0;
}

int site_init(struct site *s, const struct bench_options *opt, const char *const settings[])
{
	s->holond = opt->holond;
	for (size_t i = 0; settings && settings[i] && i < SETTINGS_MAX; i++)
		s->settings[i] = settings[i];
	if (bench_place(opt, s->dir, sizeof s->dir) < 0)
		return bench_say(s->bench, "no directory can be made in %s", opt->place);
	snprintf(s->node, sizeof s->node, "%s/n", s->dir);
	snprintf(s->log, sizeof s->log, "%s/log", s->dir);
	snprintf(s->endpoint, sizeof s->endpoint, "ipc://%s/control", s->node);
	if (found(s) < 0 || (s->encrypted && open_door(s) < 0))
		return -1;
	return site_start(s);
}

void site_kill(struct site *s)
{
	process_kill(s->pid);
	s->pid = 0;
}

void site_fini(struct site *s)
{
	if (s->pid > 0 && process_stop(s->pid) < 0) {
		bench_say(s->bench, "holond did not end as it should");
		say_log(s);
	}
	s->pid = 0;
	curve_pair_free(s->pair);
	s->pair = NULL;
	bench_remove(s->dir);
}

int site_client(const struct site *s, struct client **ret)
{
	struct err_note note = {0};

	const int r = s->encrypted ? client_open_encrypted(ret, s->endpoint, &s->keys,
							   ANSWER_WITHIN_S * NS_PER_S, &note)
				   : client_open(ret, s->endpoint, ANSWER_WITHIN_S * NS_PER_S, &note);
	if (r < 0)
		return bench_say(s->bench, "%s", note.text);
	return 0;
}

int site_ask(const struct site *s, struct client *c, struct control_request *r, struct arena *a,
	     struct control_answer *ret)
{
	struct err_note note = {0};

	if (client_ask(c, r, a, ret, &note) < 0)
		return bench_say(s->bench, "%s", note.text);
	return ret->code < 0 ? bench_say(s->bench, "the node says: %s", ret->text) : 0;
}

int site_status(const struct site *s, struct client *c, struct node_status *ret)
{
	SCOPED(scope_arena) struct arena *a = NULL;
	struct control_answer answer;
	struct control_request r = {.op = CONTROL_STATUS};

	if (arena_new(&a, ARENA_BYTES) < 0 || site_ask(s, c, &r, a, &answer) < 0)
		return -1;
	*ret = answer.status;
	ret->org = ret->node = ret->roles = ret->version = ret->state = "";
	return 0;
}

int site_settle(const struct site *s, struct client *c, double within_s)
{
	const double until_s = bench_now_s() + within_s;
	struct node_status status;

	do {
		bench_pause_ms(200);
		if (site_status(s, c, &status) < 0)
			return -1;
		if (status.backlog_samples == 0)
			return 0;
	} while (bench_now_s() < until_s);
	return bench_say(s->bench, "%llu samples are not behind a checkpoint after %.0f s",
			 (unsigned long long)status.backlog_samples, within_s);
}
