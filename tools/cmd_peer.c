/* SPDX-License-Identifier: Apache-2.0 */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "proto/clock.h"
#include "tools/command.h"
#include "tools/json.h"
#include "tools/print.h"

static void peer_json(struct json *j, const struct peer_info *p)
{
	json_open(j, NULL, '{');
	json_text(j, "org", p->org);
	json_text(j, "node", p->node);
	json_text(j, "endpoint", p->endpoint);
	json_text(j, "state", p->state);
	json_text(j, "roles", p->roles);
	json_bool(j, "dialled", p->dialled);
	json_count(j, "protocol", p->protocol);
	if (p->heard_ns < 0)
		json_none(j, "heard_s");
	else
		json_seconds(j, "heard_s", p->heard_ns);
	json_count(j, "frames_in", p->frames_in);
	json_count(j, "frames_out", p->frames_out);
	json_count(j, "bytes_in", p->bytes_in);
	json_count(j, "bytes_out", p->bytes_out);
	json_count(j, "resets", p->resets);
	json_count(j, "kicks", p->kicks);
	json_text(j, "kicked_for", p->kicked);
	json_close(j);
}

static const char *heard_words(struct arena *a, int64_t heard_ns)
{
	char text[DURATION_TEXT_SIZE];

	return heard_ns < 0 ? "never" : arena_print(a, "%s ago", duration_text(heard_ns, text));
}

/* `2: does not read` */
static const char *kick_words(struct arena *a, const struct peer_info *p)
{
	const char *n = human_count(a, p->kicks);

	return p->kicks > 0 && n ? arena_print(a, "%s: %s", n, p->kicked) : n;
}

static void peers_text(struct arena *a, const struct control_answer *answer)
{
	struct table table = {.arena = a, .n_columns = 8};

	table_row(&table,
		  (const char *[]){"PEER", "STATE", "ROLES", "HEARD", "IN", "OUT", "KICKS", "ENDPOINT"});
	for (size_t i = 0; i < answer->n_peers; i++) {
		const struct peer_info *p = &answer->peers[i];
		table_row(&table,
			  (const char *[]){arena_print(a, "%s/%s", p->org, p->node), p->state, p->roles,
					   heard_words(a, p->heard_ns), human_count(a, p->bytes_in),
					   human_count(a, p->bytes_out), kick_words(a, p), p->endpoint});
	}
	table_print(&table, stdout);
}

static enum status list_run(struct context *ctx, int argc, char *const argv[])
{
	struct control_request request = ask_for(CONTROL_PEERS);
	struct json j = {.out = stdout};
	struct control_answer answer;
	const enum status status = ask(ctx, &request, &answer);

	(void)argc, (void)argv;
	if (status != STATUS_OK)
		return status;
	if (!ctx->json) {
		peers_text(ctx->arena, &answer);
		return STATUS_OK;
	}
	json_open(&j, NULL, '{');
	json_open(&j, "peers", '[');
	for (size_t i = 0; i < answer.n_peers; i++)
		peer_json(&j, &answer.peers[i]);
	json_close(&j);
	json_close(&j);
	return STATUS_OK;
}

/* ---- Two with one key ------------------------------------------------------------------------------------
 */

enum { INCARNATION_SIZE = 17 };

static const char *incarnation_text(uint64_t n, char ret[INCARNATION_SIZE])
{
	snprintf(ret, INCARNATION_SIZE, "%016" PRIx64, n);
	return ret;
}

static void forks_json(const struct control_answer *answer)
{
	struct json j = {.out = stdout};
	char text[INCARNATION_SIZE];

	json_open(&j, NULL, '{');
	json_open(&j, "forks", '[');
	for (size_t i = 0; i < answer->n_forks; i++) {
		const struct fork_info *f = &answer->forks[i];
		json_open(&j, NULL, '{');
		json_text(&j, "origin", f->origin);
		json_text(&j, "incarnation", incarnation_text(f->incarnation, text));
		json_text(&j, "state", f->state);
		json_count(&j, "seq", f->seq);
		json_time(&j, "changed", f->stamp_ns);
		json_time(&j, "noted", f->noted_ns);
		json_close(&j);
	}
	json_close(&j);
	json_close(&j);
}

static void forks_text(struct arena *a, const struct control_answer *answer)
{
	struct table table = {.arena = a, .n_columns = 5};
	char text[INCARNATION_SIZE], at[TIME_TEXT_SIZE];

	table_row(&table, (const char *[]){"ORIGIN", "INCARNATION", "STATE", "SEQ", "CHANGED"});
	for (size_t i = 0; i < answer->n_forks; i++) {
		const struct fork_info *f = &answer->forks[i];
		table_row(
			&table,
			(const char *[]){f->origin, arena_copy(a, incarnation_text(f->incarnation, text)),
					 f->state, human_count(a, f->seq),
					 arena_copy(a, time_text(f->stamp_ns - f->stamp_ns % NS_PER_S, at))});
	}
	table_print(&table, stdout);
}

static enum status print_forks(struct context *ctx, struct control_request *request)
{
	struct control_answer answer;
	const enum status status = ask(ctx, request, &answer);

	if (status != STATUS_OK)
		return status;
	if (ctx->json)
		forks_json(&answer);
	else
		forks_text(ctx->arena, &answer);
	return STATUS_OK;
}

static enum status forks_run(struct context *ctx, int argc, char *const argv[])
{
	struct control_request request = ask_for(CONTROL_FORKS);

	(void)argc, (void)argv;
	return print_forks(ctx, &request);
}

static enum status choose_run(struct context *ctx, int argc, char *const argv[])
{
	struct control_request request = ask_for(CONTROL_FORK_CHOOSE);

	(void)argc;
	request.name = argv[0];
	request.text = argv[1];
	return print_forks(ctx, &request);
}

const struct command cmd_peer[] = {
	{.name = "peer list",
	 .args = "",
	 .summary = "show the peers of the node and their links",
	 .run = list_run},
	{.name = "peer forks",
	 .args = "",
	 .summary = "show nodes that live twice with one key",
	 .run = forks_run},
	{.name = "peer choose",
	 .args = "ORG/NODE INCARNATION",
	 .summary = "say which of two nodes with one key counts",
	 .min_args = 2,
	 .max_args = 2,
	 .run = choose_run},
	{0},
};
