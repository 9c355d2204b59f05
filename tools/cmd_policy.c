/* SPDX-License-Identifier: Apache-2.0 */
#include <stdlib.h>
#include <string.h>

#include "proto/clock.h"
#include "security/org.h"
#include "security/policy.h"
#include "tools/client.h"
#include "tools/json.h"
#include "tools/print.h"
#include "tools/verb.h"

static const struct flag check_flags[] = {
	{"org-name", "ORG", "check without a node, as a policy of this organisation", false},
	{0},
};

static void findings_json(bool good, const char *text)
{
	struct json j = {.out = stdout};

	json_open(&j, NULL, '{');
	json_bool(&j, "good", good);
	json_open(&j, "findings", '[');
	for (const char *end; *text; text = *end ? end + 1 : end) {
		char line[512];
		end = text + strcspn(text, "\n");
		snprintf(line, sizeof line, "%.*s", (int)(end - text), text);
		if (*line)
			json_text(&j, NULL, line);
	}
	json_close(&j);
	json_close(&j);
}

/* What was found, one line each. */
static enum status print_findings(struct context *ctx, bool good, const char *text)
{
	const size_t len = strlen(text);

	if (ctx->json)
		findings_json(good, text);
	else if (len > 0)
		printf("%s%s", text, text[len - 1] == '\n' ? "" : "\n");
	if (good && !ctx->json)
		puts("the policy is good");
	return good ? STATUS_OK : STATUS_FAILED;
}

/* Without a node nobody knows the fingerprints of others: everything else is checked. */
static enum status check_alone(struct context *ctx, const char *org, const char *text)
{
	const struct policy_options options = {.own_org = org, .now_ns = ctx->now_ns};
	SCOPED(scope_policy) struct policy *policy = NULL;
	SCOPED(buf_fini) struct buf lines = {0};
	struct policy_finding *findings = NULL;
	struct err_note note = {0};
	size_t n = 0;
	const int r = policy_parse(text, &options, &policy, ctx->arena, &findings, &n, &note);

	for (size_t i = 0; i < n; i++)
		buf_print(&lines, "line %u: %s: %s\n", findings[i].line,
			  findings[i].error ? "error" : "warning", findings[i].text);
	if (r < 0 && n == 0)
		return say_failed(r, &note);
	buf_put_u8(&lines, 0);
	if (buf_check(&lines) < 0)
		return say_failed(-ENOMEM, NULL);
	return print_findings(ctx, r >= 0, (const char *)lines.data);
}

static enum status check_run(struct context *ctx, int argc, char *const argv[])
{
	struct control_request request = ask_for(CONTROL_POLICY_CHECK);
	const char *org = flag_text(ctx, "org-name");
	struct err_note note = {0};
	struct control_answer answer;
	struct bytes text;
	enum status status;

	(void)argc;
	if (read_file(ctx->arena, argv[0], POLICY_TEXT_MAX, &text, &note) < 0)
		return say_usage(&note);
	if (org)
		return check_alone(ctx, org, (const char *)text.data);
	request.text = (const char *)text.data;
	status = ask_frankly(ctx, &request, &answer);
	if (status != STATUS_OK)
		return status;
	return print_findings(ctx, answer.code >= 0, answer.text && *answer.text ? answer.text : "");
}

static const struct flag publish_flags[] = {
	{"org", "DIR", "directory of the organisation, whose policy key signs", false},
	{0},
};

/* Sign a text as the epoch after the one in force and put it into effect. */
static enum status publish(struct context *ctx, const char *text)
{
	struct control_request request = ask_for(CONTROL_STATUS);
	SCOPED(buf_fini) struct buf blob = {0};
	const char *dir = flag_text(ctx, "org");
	struct err_note note = {0};
	struct control_answer answer;
	enum status status;

	status = ask(ctx, &request, &answer);
	if (status != STATUS_OK)
		return status;
	const uint64_t epoch = answer.status.epoch + 1;
	int r = org_dir_sign_policy(dir, epoch, text, ctx->now_ns, &blob, &note);
	if (r < 0)
		return say_failed(r, &note);
	request = ask_for(CONTROL_POLICY_PUBLISH);
	request.blob = buf_bytes(&blob);
	status = ask(ctx, &request, &answer);
	if (status != STATUS_OK)
		return status;
	if (ctx->json) {
		struct json j = {.out = stdout};
		json_open(&j, NULL, '{');
		json_count(&j, "epoch", epoch);
		json_text(&j, "text", answer.text);
		json_close(&j);
	} else {
		printf("policy published as epoch %llu\n", (unsigned long long)epoch);
	}
	return STATUS_OK;
}

static bool knows_signer(struct context *ctx)
{
	if (!flag_text(ctx, "org"))
		say("which organisation signs? give --org DIR");
	return flag_text(ctx, "org");
}

static enum status publish_run(struct context *ctx, int argc, char *const argv[])
{
	struct err_note note = {0};
	struct bytes text;

	(void)argc;
	if (!knows_signer(ctx))
		return STATUS_USAGE;
	if (read_file(ctx->arena, argv[0], POLICY_TEXT_MAX, &text, &note) < 0)
		return say_usage(&note);
	return publish(ctx, (const char *)text.data);
}

static enum status read_epoch(const char *text, uint32_t *ret)
{
	char *end;
	const unsigned long long epoch = strtoull(text, &end, 10);

	if (*text < '0' || *text > '9' || *end || epoch == 0 || epoch > UINT32_MAX) {
		say("%s is no epoch: a number from 1 on", text);
		return STATUS_USAGE;
	}
	*ret = (uint32_t)epoch;
	return STATUS_OK;
}

/* An older text as a new version: epochs only rise. */
static enum status rollback_run(struct context *ctx, int argc, char *const argv[])
{
	struct control_request request = ask_for(CONTROL_POLICY_SHOW);
	struct control_answer answer;
	enum status status;

	(void)argc;
	if (!knows_signer(ctx))
		return STATUS_USAGE;
	status = read_epoch(argv[0], &request.limit);
	if (status == STATUS_OK)
		status = ask(ctx, &request, &answer);
	return status == STATUS_OK ? publish(ctx, answer.text) : status;
}

static const struct flag show_flags[] = {
	{"epoch", "N", "an earlier one, of the last the node keeps", false},
	{0},
};

static enum status show_run(struct context *ctx, int argc, char *const argv[])
{
	struct control_request request = ask_for(CONTROL_POLICY_SHOW);
	struct json j = {.out = stdout};
	const char *epoch = flag_text(ctx, "epoch");
	struct control_answer answer;
	enum status status = epoch ? read_epoch(epoch, &request.limit) : STATUS_OK;

	(void)argc, (void)argv;
	if (status == STATUS_OK)
		status = ask(ctx, &request, &answer);
	if (status != STATUS_OK)
		return status;
	if (!ctx->json) {
		/* the source as it is, to be edited and published again */
		printf("%s%s", answer.text,
		       *answer.text && answer.text[strlen(answer.text) - 1] != '\n' ? "\n" : "");
		return STATUS_OK;
	}
	json_open(&j, NULL, '{');
	json_count(&j, "epoch", answer.n_changed);
	json_text(&j, "text", answer.text);
	json_close(&j);
	return STATUS_OK;
}

static const struct flag why_flags[] = {
	{"as", "ORG[/ROLE]", "who asks; these flags may take the place of the words", false},
	{"do", "RIGHT", "discover, summary, read, history, watch or command", false},
	{"twin", "TWIN", "which twin", false},
	{"prop", "PROPERTY", "which property; of command: which one", false},
	{0},
};

static enum status why_print(struct context *ctx, const char *as, const struct control_request *asked,
			     const struct control_answer *answer)
{
	struct json j = {.out = stdout};

	if (!ctx->json) {
		paint(stdout, answer->allowed ? PAINT_GOOD : PAINT_ALARM,
		      answer->allowed ? "allowed" : "denied");
		printf(": %s\n", answer->text);
		return STATUS_OK;
	}
	json_open(&j, NULL, '{');
	json_text(&j, "as", as);
	json_text(&j, "right", asked->right);
	json_text(&j, "twin", asked->twin);
	json_text(&j, "property", asked->property);
	json_bool(&j, "allowed", answer->allowed);
	json_text(&j, "why", answer->text);
	json_close(&j);
	return STATUS_OK;
}

static enum status why_run(struct context *ctx, int argc, char *const argv[])
{
	struct control_request request = ask_for(CONTROL_POLICY_WHY);
	struct control_answer answer;
	enum status status;
	enum right right;

	const char *as = argc > 0 ? argv[0] : flag_text(ctx, "as");
	request.right = argc > 1 ? argv[1] : flag_text(ctx, "do");
	request.twin = argc > 2 ? argv[2] : flag_text(ctx, "twin");
	request.property = argc > 3 ? argv[3] : flag_text(ctx, "prop");
	if (!as || !request.right || !request.twin) {
		say("usage: holon policy why %s", ctx->command->args);
		return STATUS_USAGE;
	}
	request.property = request.property ? request.property : "";
	if (!right_parse(request.right, &right)) {
		say("--do: %s is none of discover, summary, read, history, watch, command", request.right);
		return STATUS_USAGE;
	}
	const char *slash = strchr(as, '/');
	request.org = slash ? arena_print(ctx->arena, "%.*s", (int)(slash - as), as) : as;
	request.name = slash ? slash + 1 : "";
	if (!request.org)
		return say_failed(-ENOMEM, NULL);
	status = ask(ctx, &request, &answer);
	return status == STATUS_OK ? why_print(ctx, as, &request, &answer) : status;
}

/* Of an answer the last part, in which everything is; those before it only say that it goes on. */
static enum status ask_for_end(struct context *ctx, struct control_request *request,
			       struct control_answer *ret)
{
	struct err_note note = {0};
	const enum status status = ask_open(ctx);

	if (status != STATUS_OK)
		return status;
	int r = client_send(ctx->client, request, &note);
	*ret = (struct control_answer){0};
	while (r == 0 && !ret->last)
		r = client_receive(ctx->client, ctx->arena, ret, &note);
	if (r < 0)
		return say_failed(r, &note);
	if (ret->code < 0)
		say("%s", ret->text && *ret->text ? ret->text : err_text(ret->code));
	return ret->code < 0 ? STATUS_FAILED : STATUS_OK;
}

/* ---- Who sees a twin ---- */

static void grants_json(const struct control_answer *answer)
{
	struct json j = {.out = stdout};

	json_open(&j, NULL, '{');
	json_open(&j, "grants", '[');
	for (size_t i = 0; i < answer->n_grants; i++) {
		const struct policy_grant *g = &answer->grants[i];
		json_open(&j, NULL, '{');
		json_text(&j, "who", g->who);
		json_text(&j, "right", g->right);
		json_text(&j, "property", g->property);
		json_bool(&j, "token", g->token);
		json_text(&j, "rule", g->rule);
		json_count(&j, "line", g->line);
		json_time(&j, "until", g->until_ns);
		json_close(&j);
	}
	json_close(&j);
	json_close(&j);
}

static void grants_table(struct context *ctx, const struct control_answer *answer)
{
	struct table t = {.arena = ctx->arena, .n_columns = 5};
	const char *const heading[] = {"WHO", "RIGHT", "PROPERTY", "UNTIL", "RULE"};

	table_row(&t, heading);
	for (size_t i = 0; i < answer->n_grants; i++) {
		const struct policy_grant *g = &answer->grants[i];
		char until[TIME_TEXT_SIZE];
		const char *cells[] = {g->who,
				       arena_print(ctx->arena, "%s%s", g->right, g->token ? " as token" : ""),
				       *g->property ? g->property : "-",
				       arena_copy(ctx->arena, time_text(g->until_ns, until)),
				       arena_print(ctx->arena, "\"%s\" (line %u)", g->rule, g->line)};
		table_row(&t, cells);
	}
	table_print(&t, stdout);
}

static enum status who_run(struct context *ctx, int argc, char *const argv[])
{
	struct control_request request = ask_for(CONTROL_POLICY_WHO);
	struct control_answer answer;

	request.twin = argv[0];
	request.property = argc > 1 ? argv[1] : "";
	const enum status status = ask_for_end(ctx, &request, &answer);
	if (status != STATUS_OK)
		return status;
	if (ctx->json)
		grants_json(&answer);
	else if (answer.n_grants == 0)
		puts("nobody outside the organisation");
	else
		grants_table(ctx, &answer);
	return STATUS_OK;
}

/* ---- What a policy changes ---- */

static void samples_json(struct json *j, const char *key, const char **texts, size_t n)
{
	json_open(j, key, '[');
	for (size_t i = 0; i < n; i++)
		json_text(j, NULL, texts[i]);
	json_close(j);
}

static void effects_json(const struct control_answer *answer)
{
	struct json j = {.out = stdout};

	json_open(&j, NULL, '{');
	json_count(&j, "twins", answer->n_changed);
	json_open(&j, "effects", '[');
	for (size_t i = 0; i < answer->n_effects; i++) {
		const struct policy_effect *e = &answer->effects[i];
		json_open(&j, NULL, '{');
		json_text(&j, "who", e->who);
		json_text(&j, "right", e->right);
		json_count(&j, "gained", e->n_gained);
		samples_json(&j, "gained_samples", e->gained, e->n_gained_shown);
		json_count(&j, "lost", e->n_lost);
		samples_json(&j, "lost_samples", e->lost, e->n_lost_shown);
		json_close(&j);
	}
	json_close(&j);
	json_close(&j);
}

static void print_change(struct context *ctx, enum paint colour, const char *verb,
			 const struct policy_effect *e, uint64_t n, const char **texts, size_t n_texts)
{
	if (n == 0)
		return;
	print_clean(stdout, e->who);
	putchar(' ');
	paint(stdout, colour, verb);
	printf(" %s of %s", e->right, human_count(ctx->arena, n));
	for (size_t i = 0; i < n_texts; i++) {
		fputs(i ? ", " : ": ", stdout);
		print_clean(stdout, texts[i]);
	}
	puts(n > n_texts ? ", ..." : "");
}

static enum status print_effects(struct context *ctx, const struct control_answer *answer)
{
	if (ctx->json) {
		effects_json(answer);
		return STATUS_OK;
	}
	for (size_t i = 0; i < answer->n_effects; i++) {
		const struct policy_effect *e = &answer->effects[i];
		print_change(ctx, PAINT_WARNING, "gains", e, e->n_gained, e->gained, e->n_gained_shown);
		print_change(ctx, PAINT_PLAIN, "loses", e, e->n_lost, e->lost, e->n_lost_shown);
	}
	printf("%s%s own twins looked at\n", answer->n_effects ? "" : "nothing changes for anybody: ",
	       human_count(ctx->arena, answer->n_changed));
	return STATUS_OK;
}

static enum status diff_run(struct context *ctx, int argc, char *const argv[])
{
	struct control_request request = ask_for(CONTROL_POLICY_DIFF);
	struct control_answer last;
	struct err_note note = {0};
	struct bytes first, second = {0};
	enum status status;

	if (read_file(ctx->arena, argv[0], POLICY_TEXT_MAX, &first, &note) < 0)
		return say_usage(&note);
	if (argc > 1 && read_file(ctx->arena, argv[1], POLICY_TEXT_MAX, &second, &note) < 0)
		return say_usage(&note);
	request.text = (const char *)(argc > 1 ? second.data : first.data);
	if (argc > 1)
		request.blob = first;
	status = ask_for_end(ctx, &request, &last);
	if (status != STATUS_OK)
		return status;
	return print_effects(ctx, &last);
}

const struct verb cmd_policy[] = {
	{.name = "policy check",
	 .args = "FILE [--org-name ORG]",
	 .summary = "check a policy against what the node knows, or alone",
	 .flags = check_flags,
	 .min_args = 1,
	 .max_args = 1,
	 .run = check_run},
	{.name = "policy diff",
	 .args = "FILE [FILE2]",
	 .summary = "say who would newly see and no longer see what",
	 .min_args = 1,
	 .max_args = 2,
	 .run = diff_run},
	{.name = "policy publish",
	 .args = "FILE --org DIR",
	 .summary = "sign a policy as the next epoch and put it into effect",
	 .flags = publish_flags,
	 .min_args = 1,
	 .max_args = 1,
	 .run = publish_run},
	{.name = "policy rollback",
	 .args = "EPOCH --org DIR",
	 .summary = "publish an earlier policy again, as the next epoch",
	 .flags = publish_flags,
	 .min_args = 1,
	 .max_args = 1,
	 .run = rollback_run},
	{.name = "policy show",
	 .args = "[--epoch N]",
	 .summary = "print the policy in effect, or an earlier one",
	 .flags = show_flags,
	 .run = show_run},
	{.name = "policy who-sees",
	 .args = "TWIN [PROPERTY]",
	 .summary = "list the partners that see a twin, and the rules that let them",
	 .min_args = 1,
	 .max_args = 2,
	 .run = who_run},
	{.name = "policy why",
	 .args = "ORG[/ROLE] RIGHT TWIN [PROPERTY]",
	 .summary = "say what a partner may see, and which rule decides",
	 .flags = why_flags,
	 .max_args = 4,
	 .run = why_run},
	{0},
};
