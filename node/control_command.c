/* SPDX-License-Identifier: Apache-2.0 */
#include <string.h>

#include "node/commands.h"
#include "node/control.h"
#include "proto/clock.h"
#include "proto/id.h"

enum {
	PAGE = 200,
	LOOKED_AT_MAX = 2000, /* records, by one request that wants those of one twin */
	WAIT_MAX_S = 60,      /* who waits longer asks again: the same question tells what became of it */
	RECORD_ARENA = COMMAND_RECORD_MAX * 8,
};

/* ---- Sending ----------------------------------------------------------------------------------------------
 */

static void on_command(void *ctx, int code, const char *text, const struct command_record *record, bool last)
{
	SCOPED(buf_fini) struct buf encoded = {0};
	struct control_answer answer = {.code = code, .text = text};
	struct call *c = ctx;
	struct bytes one;

	if (record) {
		command_record_encode(record, &encoded);
		one = buf_bytes(&encoded);
		answer.commands = &one;
		answer.n_commands = 1;
	}
	if (encoded.failed) {
		answer = (struct control_answer){.code = -ENOMEM, .text = err_text(-ENOMEM)};
	}
	if (last)
		call_done(c, &answer);
	else
		call_part(c, &answer);
}

static int64_t patience(const struct control_request *r)
{
	const int64_t most = WAIT_MAX_S * NS_PER_S;

	return r->step_ns < most ? r->step_ns : most;
}

int control_command_send(struct call *c, struct err_note *note)
{
	const struct control_request *r = &c->request;
	const struct command_in in = {.blob = r->blob,
				      .unsigned_ = strcmp(r->text, "unsigned") == 0,
				      .twin = r->twin,
				      .by = &c->to,
				      .node = c->e->origin,
				      .wait_ns = patience(r)};

	if (!in.unsigned_ && !c->to.person)
		return FAIL_SAY(note, ERR_REFUSED, "a command is signed by a person, who must be said");
	return commands_send(c->e->commands, &in, on_command, c, note);
}

int control_command_permit(struct call *c, struct err_note *note)
{
	const struct control_request *r = &c->request;
	const struct command_in in = {
		.blob = r->blob, .permit = true, .twin = r->name, .by = &c->to, .node = c->e->origin};

	if (!c->to.person)
		return FAIL_SAY(note, ERR_REFUSED, "a permit is signed by a person, who must be said");
	return commands_send(c->e->commands, &in, on_command, c, note);
}

/* ---- Looking ----------------------------------------------------------------------------------------------
 */

/* Is it about this twin? A record that cannot be read is about none. */
static bool is_about(struct arena *a, const struct store_command *kept, const char *twin)
{
	struct command_record record;
	struct signed_blob blob;
	struct command command;
	struct permit permit;

	arena_reset(a);
	if (command_record_decode(a, kept->record, &record) < 0)
		return false;
	if (record.permit.len > 0)
		return signed_blob_decode(a, record.permit, &blob) == 0 &&
		       permit_decode(a, blob.payload, &permit) == 0 && strcmp(permit.twin, twin) == 0;
	return command_of_record(a, &record, &command) == 0 && strcmp(command.twin, twin) == 0;
}

static int push_command(struct call *c, const struct store_command *kept, struct control_answer *answer)
{
	struct bytes *one = arena_push(c->arena, &answer->commands, &answer->n_commands, sizeof *one);

	if (!one)
		return FAIL(-ENOMEM);
	*one = kept->record;
	return 0;
}

static int one_command(struct call *c, struct err_note *note)
{
	const struct bytes id = c->request.blob;
	struct control_answer answer = {0};
	const struct store_command *kept;

	if (id.len != COMMAND_ID_BYTES)
		return FAIL_SAY(note, ERR_REFUSED, "the id of a command has %d bytes", COMMAND_ID_BYTES);
	kept = store_command(c->e->store, id.data);
	if (kept)
		TRY(push_command(c, kept, &answer));
	call_done(c, &answer);
	return 0;
}

/* Where the page before ended. That record may be gone meanwhile: then the list begins anew. */
static const struct store_command *begin_after(const struct call *c)
{
	uint8_t id[COMMAND_ID_BYTES];

	return command_id_parse(c->request.after, id) ? store_command(c->e->store, id) : NULL;
}

static int list_commands(struct call *c, struct control_answer *answer)
{
	SCOPED(scope_arena) struct arena *scratch = NULL;
	const struct control_request *r = &c->request;
	const size_t limit = r->limit > 0 && r->limit < PAGE ? r->limit : PAGE;
	const struct store_command *kept = begin_after(c), *last = NULL;
	size_t n_bytes = 0, n_seen = 0;

	TRY(arena_new(&scratch, RECORD_ARENA));
	while ((kept = store_command_next(c->e->store, kept))) {
		n_bytes += kept->record.len;
		answer->more = answer->n_commands == limit || n_seen++ == LOOKED_AT_MAX ||
			       (answer->n_commands > 0 && n_bytes > FRAME_CONTROL_MAX / 2);
		if (answer->more)
			break;
		last = kept;
		if (!r->twin[0] || is_about(scratch, kept, r->twin))
			TRY(push_command(c, kept, answer));
		else
			n_bytes -= kept->record.len;
	}
	char *text = arena_take(c->arena, COMMAND_ID_TEXT_SIZE);
	if (!text)
		return FAIL(-ENOMEM);
	if (last)
		command_id_text(last->id, text);
	answer->text = text;
	return 0;
}

int control_commands(struct call *c, struct err_note *note)
{
	struct control_answer answer = {0};

	if (c->request.blob.len > 0)
		return one_command(c, note);
	TRY(list_commands(c, &answer));
	call_done(c, &answer);
	return 0;
}
