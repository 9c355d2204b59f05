/* SPDX-License-Identifier: Apache-2.0 */
/* Apply and diff - make types, twins, relations, memberships and readings of files so, all or nothing, or
 * say what that would change: holon-apply(5). */
#include "tools/change.h"
#include "tools/diff.h"
#include "tools/plan.h"

static const struct flag apply_flags[] = {
	{"dry-run", NULL, "say what would change, and change nothing", false},
	{"yes", NULL, "also what makes values of twins unreachable", false},
	{0},
};

static enum status apply_run(struct context *ctx, int argc, char *const argv[])
{
	const enum change_mode mode = flag_given(ctx, "dry-run") ? CHANGE_DRY_RUN
				      : flag_given(ctx, "yes")   ? CHANGE_ANYWAY
								 : CHANGE_SAFELY;
	SCOPED(plan_fini) struct plan plan;
	enum status status = plan_files(ctx, argc, argv, &plan);

	if (status == STATUS_OK)
		status = change(ctx, plan.ops, plan.n_ops, plan.places, mode);
	return status;
}

static enum status diff_run(struct context *ctx, int argc, char *const argv[])
{
	SCOPED(plan_fini) struct plan plan;
	enum status status = plan_files(ctx, argc, argv, &plan);

	if (status == STATUS_OK)
		status = diff_plan(&plan);
	return status;
}

const struct verb cmd_apply[] = {
	{.name = "apply",
	 .args = "FILE.json|DIR... [--dry-run] [--yes]",
	 .summary = "make what files say so, all or nothing",
	 .flags = apply_flags,
	 .min_args = 1,
	 .max_args = 1000,
	 .run = apply_run},
	{.name = "diff",
	 .args = "FILE.json|DIR...",
	 .summary = "show what apply would change, object by object",
	 .min_args = 1,
	 .max_args = 1000,
	 .run = diff_run},
	{0},
};
