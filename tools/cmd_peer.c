/* SPDX-License-Identifier: Apache-2.0 */
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

const struct command cmd_peer[] = {
	{.name = "peer list",
	 .args = "",
	 .summary = "show the peers of the node and their links",
	 .run = list_run},
	{0},
};
