/* SPDX-License-Identifier: Apache-2.0 */
#include "security/org.h"
#include "security/policy.h"
#include "tools/command.h"
#include "tools/json.h"
#include "tools/print.h"

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

static enum status publish_run(struct context *ctx, int argc, char *const argv[])
{
	struct control_request request = ask_for(CONTROL_STATUS);
	SCOPED(buf_fini) struct buf blob = {0};
	const char *dir = flag_text(ctx, "org");
	struct err_note note = {0};
	struct control_answer answer;
	struct bytes text;
	enum status status;
	uint64_t epoch;
	int r;

	(void)argc;
	if (!dir) {
		say("which organisation signs? give --org DIR");
		return STATUS_USAGE;
	}
	if (read_file(ctx->arena, argv[0], POLICY_TEXT_MAX, &text, &note) < 0)
		return say_usage(&note);
	status = ask(ctx, &request, &answer);
	if (status != STATUS_OK)
		return status;
	epoch = answer.status.epoch + 1;
	r = org_dir_sign_policy(dir, epoch, (const char *)text.data, ctx->now_ns, &blob, &note);
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

static enum status show_run(struct context *ctx, int argc, char *const argv[])
{
	struct control_request request = ask_for(CONTROL_POLICY_SHOW);
	struct json j = {.out = stdout};
	struct control_answer answer;
	const enum status status = ask(ctx, &request, &answer);

	(void)argc, (void)argv;
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
	{"do", "RIGHT", "discover, summary, read or history", false},
	{"twin", "TWIN", "which twin", false},
	{"prop", "PROPERTY", "which property", false},
	{0},
};

static enum status why_print(struct context *ctx, const struct control_request *asked,
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
	json_text(&j, "as", asked->org);
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

	request.org = argc > 0 ? argv[0] : flag_text(ctx, "as");
	request.right = argc > 1 ? argv[1] : flag_text(ctx, "do");
	request.twin = argc > 2 ? argv[2] : flag_text(ctx, "twin");
	request.property = argc > 3 ? argv[3] : flag_text(ctx, "prop");
	if (!request.org || !request.right || !request.twin) {
		say("usage: holon policy why %s", ctx->command->args);
		return STATUS_USAGE;
	}
	request.property = request.property ? request.property : "";
	if (!right_parse(request.right, &right)) {
		say("--do: %s is none of discover, summary, read, history", request.right);
		return STATUS_USAGE;
	}
	status = ask(ctx, &request, &answer);
	return status == STATUS_OK ? why_print(ctx, &request, &answer) : status;
}

const struct command cmd_policy[] = {
	{.name = "policy check",
	 .args = "FILE [--org-name ORG]",
	 .summary = "check a policy against what the node knows, or alone",
	 .flags = check_flags,
	 .min_args = 1,
	 .max_args = 1,
	 .run = check_run},
	{.name = "policy publish",
	 .args = "FILE --org DIR",
	 .summary = "sign a policy as the next epoch and put it into effect",
	 .flags = publish_flags,
	 .min_args = 1,
	 .max_args = 1,
	 .run = publish_run},
	{.name = "policy show", .args = "", .summary = "print the policy in effect", .run = show_run},
	{.name = "policy why",
	 .args = "ORG[/ROLE] RIGHT TWIN [PROPERTY]",
	 .summary = "say what a partner may see, and which rule decides",
	 .flags = why_flags,
	 .max_args = 4,
	 .run = why_run},
	{0},
};
