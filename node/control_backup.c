/* SPDX-License-Identifier: Apache-2.0 */
#include "node/control.h"
#include "node/writer.h"

static void on_backup(void *ctx, const struct backup_report *report)
{
	struct call *c = ctx;
	struct err_note note = {0};

	if (report->code < 0) {
		err_say(&note, 0, "no backup: %s", report->why);
		call_fail(c, report->code, &note);
	} else if (report->code > 0) {
		call_done(c, &(struct control_answer){.text = c->request.text});
	} else {
		call_part(c, &(struct control_answer){.done = {.done = report->done_bytes,
							       .total = report->total_bytes,
							       .what = "copied"}});
	}
}

int control_backup(struct call *c, struct err_note *note)
{
	return writer_backup(c->e->writer, c->request.text, on_backup, c, note);
}
