/* SPDX-License-Identifier: Apache-2.0 */
#include "proto/clock.h"
#include "tools/change.h"
#include "tools/print.h"
#include "tools/show.h"

enum { PAGE = 1000 };

static const char *time_or(struct arena *a, int64_t ns)
{
	char text[TIME_TEXT_SIZE];

	return ns == TIME_MIN || ns == TIME_MAX ? "" : arena_copy(a, time_text(ns, text));
}

static void relations_text(struct arena *a, const struct control_answer *answer)
{
	struct table table = {.arena = a, .n_columns = 5};

	table_row(&table, (const char *[]){"RELATION", "FROM", "TO", "VALID FROM", "UNTIL"});
	for (size_t i = 0; i < answer->n_relations; i++) {
		const struct relation *r = &answer->relations[i];
		table_row(&table, (const char *[]){r->type, r->from, r->to, time_or(a, r->valid_from_ns),
						   time_or(a, r->valid_to_ns)});
	}
	for (size_t i = 0; i < answer->n_memberships; i++) {
		const struct membership *m = &answer->memberships[i];
		const char *type = arena_print(a, "%s (%s)", m->hierarchy, confirmation_text(m->state));
		table_row(&table, (const char *[]){type, m->parent, m->child, time_or(a, m->since_ns), ""});
	}
	table_print(&table, stdout);
}

static void relations_json(const struct control_answer *answer)
{
	struct json j = {.out = stdout};

	json_open(&j, NULL, '{');
	show_relations(&j, answer);
	json_close(&j);
}

/* Add a page to what was listed so far. */
static int join_page(struct context *ctx, struct control_answer *all, const struct control_answer *page)
{
	for (size_t i = 0; i < page->n_relations; i++) {
		struct relation *r = arena_push(ctx->arena, &all->relations, &all->n_relations, sizeof *r);
		if (!r)
			return FAIL(-ENOMEM);
		*r = page->relations[i];
	}
	for (size_t i = 0; i < page->n_memberships; i++) {
		struct membership *m =
			arena_push(ctx->arena, &all->memberships, &all->n_memberships, sizeof *m);
		if (!m)
			return FAIL(-ENOMEM);
		*m = page->memberships[i];
	}
	return 0;
}

static const struct flag list_flags[] = {
	{"as-of", "TIME", "what was valid then (default: all there is)", false}, {0}};

static enum status list_run(struct context *ctx, int argc, char *const argv[])
{
	struct control_request request = ask_for(CONTROL_REL_LIST);
	struct control_answer all = {0}, page;
	struct err_note note = {0};
	enum status status;

	request.twin = argc > 0 ? argv[0] : "";
	request.limit = PAGE;
	request.has_as_of = flag_given(ctx, "as-of");
	if (flag_time(ctx, "as-of", 0, &request.as_of_ns, &note) < 0)
		return say_usage(&note);
	do {
		status = ask(ctx, &request, &page);
		if (status != STATUS_OK)
			return status;
		if (join_page(ctx, &all, &page) < 0)
			return say_failed(-ENOMEM, NULL);
		request.after = page.text;
	} while (page.more);
	if (ctx->json)
		relations_json(&all);
	else
		relations_text(ctx->arena, &all);
	return STATUS_OK;
}

static const struct flag add_flags[] = {
	{"from", "TIME", "valid from (default: always)", false},
	{"to", "TIME", "valid until, inclusive (default: for ever)", false},
	{0},
};

static enum status add_run(struct context *ctx, int argc, char *const argv[])
{
	struct relation r = {.type = argv[0], .from = argv[1], .to = argv[2]};
	struct err_note note = {0};

	(void)argc;
	if (flag_time(ctx, "from", TIME_MIN, &r.valid_from_ns, &note) < 0 ||
	    flag_time(ctx, "to", TIME_MAX, &r.valid_to_ns, &note) < 0)
		return say_usage(&note);
	if (relation_check(&r, &note) < 0)
		return say_usage(&note);
	return change_one(ctx, (struct op){.kind = OP_RELATION, .relation = r});
}

static enum status rm_run(struct context *ctx, int argc, char *const argv[])
{
	struct relation r = {argv[0], argv[1], argv[2], TIME_MIN, TIME_MAX};
	struct err_note note = {0};

	(void)argc;
	if (relation_check(&r, &note) < 0)
		return say_usage(&note);
	return change_one(ctx, (struct op){.kind = OP_RELATION_DELETE, .relation = r});
}

static const struct flag word_flags[] = {
	{"hierarchy", "TYPE", "which hierarchy (default: contains)", false},
	{"since", "TIME", "from when on that holds (default: now)", false},
	{0},
};

static enum status give_word(struct context *ctx, char *const argv[], enum confirmation state)
{
	const char *hierarchy = flag_text(ctx, "hierarchy");
	struct membership m = {hierarchy ? hierarchy : "contains", argv[0], argv[1], state, 0};
	struct err_note note = {0};

	if (flag_time(ctx, "since", ctx->now_ns, &m.since_ns, &note) < 0)
		return say_usage(&note);
	return change_one(ctx, (struct op){.kind = OP_MEMBERSHIP, .membership = m});
}

static enum status confirm_run(struct context *ctx, int argc, char *const argv[])
{
	(void)argc;
	return give_word(ctx, argv, CONFIRM_CONFIRMED);
}

static enum status refuse_run(struct context *ctx, int argc, char *const argv[])
{
	(void)argc;
	return give_word(ctx, argv, CONFIRM_REFUSED);
}

const struct verb cmd_rel[] = {
	{.name = "rel list",
	 .args = "[TWIN] [--as-of TIME]",
	 .summary = "list relations, and the words given on memberships others claim",
	 .flags = list_flags,
	 .max_args = 1,
	 .run = list_run},
	{.name = "rel add",
	 .args = "TYPE FROM TO [--from TIME] [--to TIME]",
	 .summary = "relate a twin to another, which may be another organisation's",
	 .flags = add_flags,
	 .min_args = 3,
	 .max_args = 3,
	 .run = add_run},
	{.name = "rel rm",
	 .args = "TYPE FROM TO",
	 .summary = "take a relation away",
	 .min_args = 3,
	 .max_args = 3,
	 .run = rm_run},
	{.name = "rel confirm",
	 .args = "PARENT CHILD [--hierarchy TYPE] [--since TIME]",
	 .summary = "agree that an own twin belongs to another organisation's",
	 .flags = word_flags,
	 .min_args = 2,
	 .max_args = 2,
	 .run = confirm_run},
	{.name = "rel refuse",
	 .args = "PARENT CHILD [--hierarchy TYPE] [--since TIME]",
	 .summary = "disagree with it",
	 .flags = word_flags,
	 .min_args = 2,
	 .max_args = 2,
	 .run = refuse_run},
	{0},
};
