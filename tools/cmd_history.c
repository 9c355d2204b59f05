/* SPDX-License-Identifier: Apache-2.0 */
#include "proto/clock.h"
#include "tools/history_show.h"
#include "tools/verb.h"

enum { PAGE = 10000 };

static const struct flag history_flags[] = {
	{"from", "TIME", "first time (default: the oldest)", false},
	{"to", "TIME", "last time, inclusive (default: the newest)", false},
	{"step", "DURATION", "one line for all samples of so long a time", false},
	{"fn", "FN", "of each step: count, bad, mean, sd, min, max, sum or last", true},
	{"limit", "N", "at most so many lines (default: all)", false},
	{"csv", NULL, "print comma-separated values", false},
	{0},
};

struct printing {
	struct context *ctx;
	struct control_request request;
	struct history_show show;
	uint32_t left; /* of the limit */
	bool begun;    /* the head is out */
	bool end;
};

static void say_coarse(const struct control_answer *page)
{
	char until[TIME_TEXT_SIZE];

	if (page->has_coarse_until)
		say("no raw samples before %s: their retention is over",
		    time_text(page->coarse_until_ns, until));
}

/* Where the next page goes on, unless this was the last. */
static void move_on(struct printing *p, const struct control_answer *page)
{
	const size_t n = p->show.buckets ? page->n_buckets : page->n_samples;
	int64_t last_ns, step_ns = p->show.buckets ? p->request.step_ns : 1;

	p->end = !page->more || n == 0 || n >= p->left;
	p->left -= n < p->left ? (uint32_t)n : p->left;
	if (p->end)
		return;
	last_ns = p->show.buckets ? page->buckets[n - 1].t_ns : page->samples[n - 1].t_ns;
	if (__builtin_add_overflow(last_ns, step_ns, &p->request.from_ns))
		p->end = true;
}

static void print_page(struct printing *p, struct arena *a, const struct control_answer *page)
{
	p->show.unit = page->unit ? page->unit : "";
	if (!p->begun) {
		say_coarse(page);
		history_show_head(&p->show);
		p->begun = true;
	}
	for (size_t i = 0; p->show.buckets && i < page->n_buckets && i < p->left; i++)
		history_show_bucket(&p->show, a, &page->buckets[i]);
	for (size_t i = 0; !p->show.buckets && i < page->n_samples && i < p->left; i++)
		history_show_sample(&p->show, a, &page->samples[i]);
	move_on(p, page);
}

/* One page after the other, each in memory that is given back before the next. */
static enum status print_pages(struct printing *p)
{
	struct arena *const whole = p->ctx->arena;
	enum status status = STATUS_OK;

	while (status == STATUS_OK && !p->end) {
		SCOPED(scope_arena) struct arena *arena = NULL;
		struct control_answer page;
		if (arena_new(&arena, 256 << 20) < 0)
			return say_failed(-ENOMEM, NULL);
		p->ctx->arena = arena;
		p->request.limit = p->left < PAGE ? p->left : PAGE;
		status = ask(p->ctx, &p->request, &page);
		if (status == STATUS_OK && p->show.buckets && page.n_samples > 0) {
			say("this holond does not know --step: is it older than the command?");
			status = STATUS_FAILED;
		}
		if (status == STATUS_OK)
			print_page(p, arena, &page);
		p->ctx->arena = whole;
	}
	return status;
}

static int read_fns(struct context *ctx, struct history_show *show, struct err_note *note)
{
	size_t n;
	const char **words = flag_all(ctx, "fn", &n);

	if (!words)
		return FAIL(-ENOMEM);
	if (n > 0 && !show->buckets)
		return FAIL_SAY(note, ERR_REFUSED, "--fn: of what? Give --step too");
	for (size_t i = 0; i < n; i++) {
		if (show->n_fns == N_HISTORY_FNS)
			return FAIL_SAY(note, ERR_REFUSED, "--fn: given more than %d times", N_HISTORY_FNS);
		if (!history_fn_parse(words[i], &show->fns[show->n_fns++]))
			return FAIL_SAY(note, ERR_REFUSED,
					"--fn: %.80s is none of count, bad, mean, sd, min, max, sum, last",
					words[i]);
	}
	history_show_defaults(show);
	return 0;
}

static int read_flags(struct context *ctx, struct printing *p, struct err_note *note)
{
	TRY(flag_time(ctx, "from", TIME_MIN, &p->request.from_ns, note));
	TRY(flag_time(ctx, "to", TIME_MAX, &p->request.to_ns, note));
	TRY(flag_duration(ctx, "step", 0, &p->request.step_ns, note));
	TRY(flag_count(ctx, "limit", UINT32_MAX, &p->left, note));
	if (flag_given(ctx, "step") && p->request.step_ns == 0)
		return FAIL_SAY(note, ERR_REFUSED, "--step: a step takes some time");
	if (p->request.from_ns > p->request.to_ns)
		return FAIL_SAY(note, ERR_REFUSED, "--from is after --to");
	if (flag_given(ctx, "csv") && ctx->json)
		return FAIL_SAY(note, ERR_REFUSED, "give --csv or --json, not both");
	p->show.form = flag_given(ctx, "csv") ? HISTORY_CSV : ctx->json ? HISTORY_JSON : HISTORY_TEXT;
	p->show.buckets = p->request.step_ns > 0;
	p->end = p->left == 0;
	return read_fns(ctx, &p->show, note);
}

static enum status history_run(struct context *ctx, int argc, char *const argv[])
{
	struct printing p = {.ctx = ctx, .request = ask_for(CONTROL_HISTORY), .show = {.out = stdout}};
	struct err_note note = {0};

	(void)argc;
	if (read_flags(ctx, &p, &note) < 0)
		return say_usage(&note);
	p.request.twin = argv[0];
	p.request.property = argv[1];
	return print_pages(&p);
}

const struct verb cmd_history[] = {
	{.name = "history",
	 .args = "TWIN PROPERTY [--from TIME] [--to TIME] [--step DURATION [--fn FN]...] [--limit N] [--csv]",
	 .summary = "print the samples of a property, oldest first; with --json one object a line",
	 .flags = history_flags,
	 .min_args = 2,
	 .max_args = 2,
	 .run = history_run},
	{0},
};
