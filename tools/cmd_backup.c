/* SPDX-License-Identifier: Apache-2.0 */
#include <inttypes.h>
#include <unistd.h>

#include "proto/clock.h"
#include "tools/client.h"
#include "tools/json.h"
#include "tools/restore.h"
#include "tools/verb.h"

static uint64_t total_bytes(const struct backup_list *l)
{
	uint64_t sum = 0;

	for (size_t i = 0; i < l->n_files; i++)
		sum += l->files[i].bytes;
	return sum;
}

static void list_json(const char *dir, const struct backup_list *l)
{
	struct json j = {.out = stdout};
	char incarnation[17];

	snprintf(incarnation, sizeof incarnation, "%016" PRIx64, l->incarnation);
	json_open(&j, NULL, '{');
	json_text(&j, "backup", dir);
	json_text(&j, "node", l->node);
	json_text(&j, "incarnation", incarnation);
	json_count(&j, "seq", l->seq);
	json_time(&j, "taken", l->taken_ns);
	json_count(&j, "files", l->n_files);
	json_count(&j, "bytes", total_bytes(l));
	json_close(&j);
}

/* What was done to which backup, in one line or one object. */
static enum status report(const struct context *ctx, const char *dir, const struct backup_list *l,
			  const char *done)
{
	char taken[TIME_TEXT_SIZE];

	if (ctx->json)
		list_json(dir, l);
	else
		printf("%s: %s, %zu files, %.1f MB, taken %s, %s\n", dir, l->node, l->n_files,
		       (double)total_bytes(l) / 1e6, time_text(l->taken_ns, taken), done);
	return STATUS_OK;
}

/* ---- create -----------------------------------------------------------------------------------------------
 */

static const char *absolute(struct arena *a, const char *path)
{
	char here[4096];

	if (path[0] == '/')
		return path;
	return getcwd(here, sizeof here) ? arena_print(a, "%s/%s", here, path) : NULL;
}

/* The parts of the answer as they come: progress, and the end. */
static int follow(struct context *ctx, struct progress *p, struct control_answer *last, struct err_note *note)
{
	uint64_t shown = 0;

	do {
		TRY(client_receive(ctx->client, ctx->arena, last, note));
		p->total = last->done.total;
		if (last->done.done > shown)
			progress_add(p, last->done.done - shown);
		shown = last->done.done > shown ? last->done.done : shown;
	} while (!last->last);
	return 0;
}

static enum status create_run(struct context *ctx, int argc, char *const argv[])
{
	struct control_request request = ask_for(CONTROL_BACKUP);
	struct control_answer last = {0};
	struct backup_list l;
	struct err_note note = {0};
	struct progress bar;
	enum status status;

	(void)argc;
	request.text = absolute(ctx->arena, argv[0]);
	if (!request.text)
		return say_failed(-ENOMEM, NULL);
	status = ask_open(ctx);
	if (status != STATUS_OK)
		return status;
	progress_start(&bar, "backup", 0, ctx->json);
	int r = client_send(ctx->client, &request, &note);
	if (r == 0)
		r = follow(ctx, &bar, &last, &note);
	progress_stop(&bar);
	if (r == 0 && last.code < 0) {
		say("%s", last.text && *last.text ? last.text : err_text(last.code));
		return STATUS_FAILED;
	}
	if (r == 0)
		r = restore_read_list(ctx->arena, request.text, &l, &note);
	return r < 0 ? say_failed(r, &note) : report(ctx, request.text, &l, "whole");
}

/* ---- verify, restore --------------------------------------------------------------------------------------
 */

static enum status verify_run(struct context *ctx, int argc, char *const argv[])
{
	struct err_note note = {0};
	struct progress bar;
	struct backup_list l;

	(void)argc;
	int r = restore_read_list(ctx->arena, argv[0], &l, &note);
	if (r < 0)
		return say_failed(r, &note);
	progress_start(&bar, "verify", total_bytes(&l), ctx->json);
	r = restore_verify(argv[0], &l, &bar, &note);
	progress_stop(&bar);
	return r < 0 ? say_failed(r, &note) : report(ctx, argv[0], &l, "whole");
}

static const struct flag restore_flags[] = {
	{"dir", "DIR", "the directory of the node, which must not run", false},
	{"replace", NULL, "put the store that is there aside as store.replaced", false},
	{0},
};

static enum status restore_run(struct context *ctx, int argc, char *const argv[])
{
	const char *node_dir = flag_text(ctx, "dir");
	struct err_note note = {0};
	struct progress bar;
	struct backup_list l;

	(void)argc;
	if (!node_dir) {
		say("give the directory of the node with --dir");
		return STATUS_USAGE;
	}
	int r = restore_read_list(ctx->arena, argv[0], &l, &note);
	if (r < 0)
		return say_failed(r, &note);
	progress_start(&bar, "restore", total_bytes(&l), ctx->json);
	r = restore_store(argv[0], &l, node_dir, flag_given(ctx, "replace"), &bar, &note);
	progress_stop(&bar);
	return r < 0 ? say_failed(r, &note) : report(ctx, argv[0], &l, "restored");
}

const struct verb cmd_backup[] = {
	{.name = "backup create",
	 .args = "DIR",
	 .summary = "have the node copy its store into a new directory while it runs",
	 .min_args = 1,
	 .max_args = 1,
	 .run = create_run},
	{.name = "backup verify",
	 .args = "DIR",
	 .summary = "check that a backup is whole and undamaged",
	 .min_args = 1,
	 .max_args = 1,
	 .run = verify_run},
	{.name = "backup restore",
	 .args = "DIR --dir NODE-DIR [--replace]",
	 .summary = "make a backup the store of a node that does not run",
	 .flags = restore_flags,
	 .min_args = 1,
	 .max_args = 1,
	 .run = restore_run},
	{0},
};
