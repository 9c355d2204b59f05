/* SPDX-License-Identifier: Apache-2.0 */
#include "tools/audit_walk.h"

#include <stdio.h>

#include "tools/audit_file.h"

enum { PAGE_ARENA = 256 << 20 };

/* Where the walk stands. `next` counts entries: a page may begin with some that were there before. */
struct place {
	uint64_t next;
	bool begun, end;
};

static int take_page(const struct audit_walk *w, struct place *at, const struct audit_page *page,
		     struct err_note *note)
{
	struct bytes rest = page->records;
	struct audit_record record;
	uint64_t n = page->first;
	int r;

	if (!at->begun && w->on_key)
		TRY(w->on_key(w->user, page->key, note));
	if (!at->begun)
		at->next = n;
	if (n > at->next)
		return FAIL_SAY(note, ERR_MALFORMED, "the node left out entries %llu to %llu",
				(unsigned long long)at->next, (unsigned long long)n - 1);
	at->begun = true;
	while ((r = audit_record_next(&rest, &record)) > 0) {
		const bool is_new = n >= at->next;
		if (is_new) {
			const int s = w->on_record(w->user, n, &record, note);
			TRY(s);
			at->end |= s == AUDIT_WALK_ENOUGH;
		}
		n += record.kind == AUDIT_RECORD_ENTRY;
		at->next = n > at->next ? n : at->next;
		if (at->end)
			return 0;
	}
	return r < 0 ? FAIL_SAY(note, r, "the node's answer cannot be read behind entry %llu",
				(unsigned long long)n)
		     : 0;
}

static enum status walk_page(const struct audit_walk *w, struct control_request *request, struct place *at)
{
	struct control_answer answer;
	struct err_note note = {0};
	struct audit_page page;

	const enum status status = ask(w->ctx, request, &answer);
	if (status != STATUS_OK)
		return status;
	int r = audit_page_decode(w->ctx->arena, answer.blob, &page);
	if (r == 0)
		r = take_page(w, at, &page, &note);
	if (r < 0)
		return say_failed(r, &note);
	at->end |= !answer.more;
	request->after = answer.text;
	return STATUS_OK;
}

enum status audit_walk(const struct audit_walk *w)
{
	struct control_request request = ask_for(CONTROL_AUDIT);
	struct arena *const whole = w->ctx->arena;
	enum status status = STATUS_OK;
	struct place at = {0};
	char after[32];

	if (w->file) {
		struct err_note note = {0};
		const int r = audit_file_walk(w, w->file, &note);
		return r < 0 ? say_failed(r, &note) : STATUS_OK;
	}
	request.from_ns = w->since_ns;
	while (status == STATUS_OK && !at.end) {
		SCOPED(scope_arena) struct arena *arena = NULL;
		if (arena_new(&arena, PAGE_ARENA) < 0)
			return say_failed(-ENOMEM, NULL);
		w->ctx->arena = arena;
		status = walk_page(w, &request, &at);
		w->ctx->arena = whole;
		if (request.after != after)
			snprintf(after, sizeof after, "%s", request.after);
		request.after = after;
	}
	return status;
}
