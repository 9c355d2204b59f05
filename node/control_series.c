/* SPDX-License-Identifier: Apache-2.0 */
/* Samples and present values by the numbers of their series: names are said once, then frames of many samples
 * go in (proto/packed.h) and frames of many values come out. */
#include <string.h>

#include "node/control.h"
#include "node/writer.h"
#include "proto/packed.h"

/* ---- Handles ---------------------------------------------------------------------------------------------
 */

/* 0: there is no such property of an own twin. */
static uint32_t find_series(const struct store *s, const struct series_name *name, enum value_type *ret_type)
{
	const struct twin *t = store_twin(s, name->twin);
	const struct property_def *p = NULL;
	size_t place;

	if (t && t->type)
		p = type_property(&t->type->def, name->property, &place);
	*ret_type = p ? p->type : VALUE_NONE;
	return p ? store_series(s, t, place) : 0;
}

int control_series(struct call *c, struct err_note *note)
{
	const struct control_request *r = &c->request;
	struct control_answer answer = {.n_handles = r->n_names};

	TRY(control_check_owner(c, note));
	answer.handles = arena_take_array(c->arena, r->n_names, sizeof *answer.handles);
	answer.handle_types = arena_take_array(c->arena, r->n_names, sizeof *answer.handle_types);
	if (!answer.handles || !answer.handle_types)
		return FAIL(-ENOMEM);
	for (size_t i = 0; i < r->n_names; i++)
		answer.handles[i] = find_series(c->e->store, &r->names[i], &answer.handle_types[i]);
	answer.incarnation = store_incarnation(c->e->store);
	answer.credit = writer_credit(c->e->writer);
	call_done(c, &answer);
	return 0;
}

/* ---- Ingest ----------------------------------------------------------------------------------------------
 */

int control_ingest(struct call *c, struct err_note *note)
{
	struct packed *frame = arena_take(c->arena, sizeof *frame);

	TRY(control_check_owner(c, note));
	if (!frame)
		return FAIL(-ENOMEM);
	if (packed_check(c->request.blob, frame) < 0)
		return FAIL_SAY(note, ERR_MALFORMED,
				"the frame of samples is malformed: nothing of it was kept");
	const int r = writer_submit(c->e->writer, &(struct write_request){.arena = c->arena,
									  .arena_is_lent = true,
									  .frame = frame,
									  .done = control_written,
									  .ctx = c});
	if (r == ERR_UNREACHABLE)
		return FAIL_SAY(note, r, "the node is stopping: nothing was kept");
	if (r == -EAGAIN)
		return FAIL_SAY(note, r, "the node has more to write than it can: send it again later");
	return r;
}

/* ---- Reading ---------------------------------------------------------------------------------------------
 */

/* Values of one frame have one source: it is left out. */
static struct sample present_value(const struct store *s, uint32_t series)
{
	size_t property;
	const struct twin *t = store_series_owner(s, series, &property);
	struct sample value = t ? store_value(s, t, property) : (struct sample){.sigma = NAN};

	value.source = NULL;
	return value;
}

int control_read(struct call *c, struct err_note *note)
{
	const struct control_request *r = &c->request;
	struct packed_writer *w = control_frame(c->control);
	SCOPED(buf_fini) struct buf frame = {0};

	packed_writer_clear(w);
	for (size_t i = 0; i < r->n_handles; i++) {
		const struct sample s = present_value(c->e->store, r->handles[i]);
		const int put = packed_put(w, r->handles[i], &s);
		TRY(put);
		if (put > 0)
			return FAIL_SAY(note, ERR_REFUSED, "so many values do not go into one frame");
	}
	TRY(packed_finish(w, &(struct packed_id){.incarnation = store_incarnation(c->e->store)}, &frame));
	call_done(c, &(struct control_answer){.blob = buf_bytes(&frame)});
	return 0;
}
