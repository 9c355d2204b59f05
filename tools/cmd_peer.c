/* SPDX-License-Identifier: Apache-2.0 */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "proto/clock.h"
#include "tools/json.h"
#include "tools/print.h"
#include "tools/report_show.h"
#include "tools/verb.h"

/* `2: does not read` */
static const char *kick_words(struct arena *a, const struct peer_info *p)
{
	const char *n = human_count(a, p->kicks);

	return p->kicks > 0 && n ? arena_print(a, "%s: %s", n, p->kicked) : n;
}

/* `4 resets, 1 gap`: what a peer that does well has none of. */
static const char *trouble_words(struct arena *a, const struct peer_info *p)
{
	const struct {
		uint64_t n;
		const char *what;
	} counts[] = {
		{p->resets, "resets"}, {p->gaps, "gaps"}, {p->repairs, "repairs"}, {p->refused, "refused"}};
	const char *words = "";

	for (size_t i = 0; words && i < sizeof counts / sizeof *counts; i++)
		if (counts[i].n > 0)
			words = arena_print(a, "%s%s%s %s", words, words[0] ? ", " : "",
					    human_count(a, counts[i].n), counts[i].what);
	return words && words[0] ? words : "-";
}

static void peers_text(struct arena *a, const struct control_answer *answer)
{
	struct table table = {.arena = a, .n_columns = 11};

	table_row(&table, (const char *[]){"PEER", "STATE", "ROLES", "HEARD", "LAG", "AGE", "IN", "OUT",
					   "TROUBLE", "KICKS", "ENDPOINT"});
	for (size_t i = 0; i < answer->n_peers; i++) {
		const struct peer_info *p = &answer->peers[i];
		table_row(&table,
			  (const char *[]){arena_print(a, "%s/%s", p->org, p->node), p->state, p->roles,
					   report_heard_words(a, p->heard_ns), report_lag_words(a, p),
					   report_age_words(a, p->age_ns), report_size_words(a, p->bytes_in),
					   report_size_words(a, p->bytes_out), trouble_words(a, p),
					   kick_words(a, p), p->endpoint});
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
		report_peer_json(&j, &answer.peers[i]);
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

const struct verb cmd_peer[] = {
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
