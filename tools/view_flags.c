/* SPDX-License-Identifier: Apache-2.0 */
#include "tools/view_flags.h"

#include "proto/clock.h"
#include "proto/expr.h"
#include "proto/id.h"
#include "proto/view_text.h"
#include "tools/saved_view.h"

static int read_rollups(struct context *ctx, struct view_question *q, struct err_note *note)
{
	const char **texts = flag_all(ctx, "rollup", &q->n_rollups);

	q->rollups = arena_take_array(ctx->arena, q->n_rollups, sizeof *q->rollups);
	if (!texts || !q->rollups)
		return FAIL(-ENOMEM);
	if (q->n_rollups > ROLLUPS_MAX)
		return FAIL_SAY(note, ERR_REFUSED, "--rollup: more than %d", ROLLUPS_MAX);
	for (size_t i = 0; i < q->n_rollups; i++) {
		struct err_note why = {0};
		if (rollup_spec_parse(texts[i], &q->rollups[i], &why) < 0)
			return FAIL_SAY(note, ERR_REFUSED, "--rollup: %s", why.text);
	}
	return 0;
}

int view_flags_read_show(struct context *ctx, struct view_question *q, struct err_note *note)
{
	q->show = flag_all(ctx, "show", &q->n_show);
	if (!q->show)
		return FAIL(-ENOMEM);
	if (q->n_show > SHOW_MAX)
		return FAIL_SAY(note, ERR_REFUSED, "--show: more than %d", SHOW_MAX);
	for (size_t i = 0; i < q->n_show; i++)
		if (!id_is_name(bytes_of_text(q->show[i])))
			return FAIL_SAY(note, ERR_REFUSED, "--show: '%.80s' is no property", q->show[i]);
	return 0;
}

static int read_where(struct context *ctx, struct view_question *q, struct err_note *note)
{
	struct err_note why = {0};
	struct expr *e;
	int r;

	q->where = flag_text(ctx, "where");
	r = expr_parse(ctx->arena, q->where, &e, &why);
	return r < 0 ? FAIL_SAY(note, r, "--where: %s", why.text) : 0;
}

static int read_by(struct context *ctx, struct view_question *q, struct err_note *note)
{
	char *text = arena_copy(ctx->arena, flag_text(ctx, "by")); /* which is cut */
	struct err_note why = {0};

	if (!text)
		return FAIL(-ENOMEM);
	if (view_by_parse(text, &q->by, &q->by_property, &why) < 0)
		return FAIL_SAY(note, ERR_REFUSED, "--by: %s", why.text);
	return 0;
}

static int read_series(struct context *ctx, struct view_question *q, struct err_note *note)
{
	const bool begun = q->step_ns > 0 || (flag_given(ctx, "step") && flag_given(ctx, "from"));

	TRY(flag_time(ctx, "from", q->from_ns, &q->from_ns, note));
	TRY(flag_time(ctx, "to", q->step_ns > 0 ? q->to_ns : ctx->now_ns, &q->to_ns, note));
	TRY(flag_duration(ctx, "step", q->step_ns, &q->step_ns, note));
	if (!begun)
		return FAIL_SAY(note, ERR_ABSENT, "a series needs --from TIME and --step DURATION");
	if (q->step_ns == 0)
		return FAIL_SAY(note, ERR_REFUSED, "--step: longer than nothing");
	if (q->to_ns < q->from_ns)
		return FAIL_SAY(note, ERR_REFUSED, "--to: before --from");
	if (view_times(q) == 0)
		return FAIL_SAY(note, ERR_REFUSED, "--step: these are more than %d times; take a longer one",
				VIEW_TIMES_MAX);
	return 0;
}

static int read_times(struct context *ctx, struct view_question *q, struct err_note *note)
{
	const bool series = flag_given(ctx, "from") || flag_given(ctx, "to") || flag_given(ctx, "step");

	if (series && flag_given(ctx, "as-of"))
		return FAIL_SAY(note, ERR_REFUSED,
				"--as-of is one time, --from --to --step are many: which?");
	if (series) {
		TRY(read_series(ctx, q, note));
		q->has_as_of = false;
		q->as_of_ns = 0;
	}
	if (flag_given(ctx, "as-of")) {
		TRY(flag_time(ctx, "as-of", 0, &q->as_of_ns, note));
		q->has_as_of = true;
		q->from_ns = q->to_ns = q->step_ns = 0;
	}
	return 0;
}

int view_flags_read(struct context *ctx, struct view_question *q, struct err_note *note)
{
	uint32_t members_max = 0;

	if (flag_given(ctx, "hierarchy"))
		q->hierarchy = flag_text(ctx, "hierarchy");
	if (!id_is_name(bytes_of_text(q->hierarchy)))
		return FAIL_SAY(note, ERR_REFUSED, "--hierarchy: '%.80s' is no type of a relation",
				q->hierarchy);
	if (flag_given(ctx, "rollup"))
		TRY(read_rollups(ctx, q, note));
	if (flag_given(ctx, "show"))
		TRY(view_flags_read_show(ctx, q, note));
	if (flag_given(ctx, "where"))
		TRY(read_where(ctx, q, note));
	if (flag_given(ctx, "by"))
		TRY(read_by(ctx, q, note));
	q->offline |= flag_given(ctx, "offline");
	q->unconfirmed |= flag_given(ctx, "unconfirmed");
	TRY(flag_count(ctx, "depth", q->depth, &q->depth, note));
	TRY(flag_count(ctx, "members-max", 0, &members_max, note));
	if (flag_given(ctx, "members-max"))
		q->members_max = members_max;
	TRY(flag_duration(ctx, "fresh", q->fresh_ns, &q->fresh_ns, note));
	TRY(flag_duration(ctx, "deadline", q->deadline_ns, &q->deadline_ns, note));
	if (flag_is_known(ctx, "as-of"))
		return read_times(ctx, q, note);
	if (q->has_as_of || q->step_ns > 0)
		return FAIL_SAY(note, ERR_REFUSED, "%s is a view of other times than now: see holon view",
				ctx->args[0]);
	return 0;
}

enum status view_question_for(struct context *ctx, const char *word, struct view_question *ret)
{
	struct err_note note = {0};
	const struct row *row;
	const char *id, *text;
	enum status status = saved_view_id(ctx, word, &id);

	if (status == STATUS_OK)
		status = saved_view_row(ctx, id, &row);
	if (status != STATUS_OK)
		return status;
	if (view_question_begin(ctx->arena, word, ret) < 0)
		return say_failed(-ENOMEM, NULL);
	if (!row_is_saved_view(row)) {
		if (strchr(word, '/'))
			return STATUS_OK;
		say("there is no saved view %s; see holon view list", id);
		return STATUS_FAILED;
	}
	text = saved_view_question(row);
	if (!text) {
		say("the question of %s is not for you: ask its owner to share it", id);
		return STATUS_FAILED;
	}
	if (view_text_parse(ctx->arena, text, ret, &note) < 0) {
		say("the saved view %s cannot be read: %s", id, note.text);
		return STATUS_FAILED;
	}
	return STATUS_OK;
}

enum status view_question_of(struct context *ctx, const char *word, struct view_question *ret)
{
	struct view_question trial;
	struct err_note note = {0};
	enum status status;
	int r;

	if (view_question_begin(ctx->arena, word, &trial) < 0)
		return say_failed(-ENOMEM, NULL);
	r = view_flags_read(ctx, &trial, &note);
	if (r < 0 && r != ERR_ABSENT) /* what is missing of a series may be saved */
		return say_usage(&note);
	status = view_question_for(ctx, word, ret);
	if (status != STATUS_OK)
		return status;
	return view_flags_read(ctx, ret, &note) < 0 ? say_usage(&note) : STATUS_OK;
}

bool view_is_degraded(const struct view_question *q, const struct view_part *view)
{
	struct view_part rest = *view;

	if (q->offline || q->fresh_ns > 0)
		rest.counts.cached = 0;
	if (q->unconfirmed)
		rest.counts.unconfirmed = 0;
	for (size_t i = 0; i < view->n_sources; i++)
		if (view->sources[i].state == MEMBER_UNREACHABLE)
			return true;
	return !view_is_clean(&rest);
}
