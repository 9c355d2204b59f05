/* SPDX-License-Identifier: Apache-2.0 */
#include "tools/change.h"

#include "tools/print.h"
#include "tools/show.h"

static void change_json(const struct control_answer *answer, bool dry_run)
{
	struct json j = {.out = stdout};

	json_open(&j, NULL, '{');
	json_bool(&j, "dry_run", dry_run);
	json_count(&j, "changed", answer->n_changed);
	json_count(&j, "unchanged", answer->n_unchanged);
	show_refusals(&j, "refused", answer);
	show_notes(&j, "notes", answer);
	json_close(&j);
}

static void change_text(const struct control_answer *answer, size_t n_ops, bool dry_run)
{
	for (size_t i = 0; i < answer->n_notes; i++) {
		print_clean(stdout, answer->notes[i].text);
		putchar('\n');
	}
	if (n_ops == 1)
		puts(answer->n_changed > 0 ? (dry_run ? "would change" : "changed") : "unchanged");
	else
		printf("%llu %s, %llu unchanged\n", (unsigned long long)answer->n_changed,
		       dry_run ? "would change" : "changed", (unsigned long long)answer->n_unchanged);
}

static void say_refusals(const struct control_answer *answer, size_t n_ops, const char *const *places)
{
	for (size_t i = 0; i < answer->n_refused; i++) {
		const struct refusal *r = &answer->refused[i];
		if (places && r->index < n_ops)
			say("%s: %s", places[r->index], r->reason);
		else
			say("%s", r->reason);
	}
}

static enum status send(struct context *ctx, struct op *ops, size_t n_ops, bool dry_run,
			struct control_answer *ret)
{
	struct control_request request = ask_for(CONTROL_CHANGE);

	request.ops = ops;
	request.n_ops = n_ops;
	request.atomic = true;
	request.dry_run = dry_run;
	return ask_frankly(ctx, &request, ret);
}

static bool has_types(const struct op *ops, size_t n_ops)
{
	for (size_t i = 0; i < n_ops; i++)
		if (ops[i].kind == OP_TYPE)
			return true;
	return false;
}

/* What would be lost is said before it is. */
static enum status check_losses(struct context *ctx, struct op *ops, size_t n_ops)
{
	struct control_answer answer;
	const enum status status = send(ctx, ops, n_ops, true, &answer);
	size_t n = 0;

	if (status != STATUS_OK || answer.n_refused > 0)
		return status;
	for (size_t i = 0; i < answer.n_notes; i++)
		if (answer.notes[i].loses) {
			say("%s", answer.notes[i].text);
			n++;
		}
	if (n == 0)
		return STATUS_OK;
	say("nothing was changed: give --yes to do it all the same");
	return STATUS_FAILED;
}

enum status change(struct context *ctx, struct op *ops, size_t n_ops, const char *const *places,
		   enum change_mode mode)
{
	const bool dry_run = mode == CHANGE_DRY_RUN;
	struct control_answer answer;
	enum status status = STATUS_OK;

	if (mode == CHANGE_SAFELY && has_types(ops, n_ops))
		status = check_losses(ctx, ops, n_ops);
	if (status == STATUS_OK)
		status = send(ctx, ops, n_ops, dry_run, &answer);
	if (status != STATUS_OK)
		return status;
	say_refusals(&answer, n_ops, places);
	if (answer.code < 0 && answer.n_refused == 0)
		say("%s", answer.text && *answer.text ? answer.text : err_text(answer.code));
	if (ctx->json)
		change_json(&answer, dry_run);
	else if (answer.code >= 0 && answer.n_refused == 0)
		change_text(&answer, n_ops, dry_run);
	return answer.code < 0 || answer.n_refused > 0 ? STATUS_FAILED : STATUS_OK;
}

enum status own_twin(struct context *ctx, const char *id, struct twin_def *ret)
{
	struct control_request request = ask_for(CONTROL_TWIN_GET);
	struct control_answer answer;
	enum status status;

	request.twin = id;
	status = ask(ctx, &request, &answer);
	if (status != STATUS_OK)
		return status;
	if (answer.n_twins == 0) {
		say("%s belongs to another node: only its owner can change it", id);
		return STATUS_FAILED;
	}
	*ret = answer.twins[0];
	return STATUS_OK;
}

enum status type_named(struct context *ctx, const char *name, struct type_def *ret,
		       struct type_def *ret_declared)
{
	struct control_request request = ask_for(CONTROL_TYPE_GET);
	struct control_answer answer;
	enum status status;

	request.name = name;
	status = ask(ctx, &request, &answer);
	if (status != STATUS_OK)
		return status;
	if (answer.n_types == 0) {
		say("there is no type %s", name);
		return STATUS_FAILED;
	}
	*ret = answer.types[0];
	if (ret_declared)
		*ret_declared = answer.types[answer.n_types - 1];
	return STATUS_OK;
}
