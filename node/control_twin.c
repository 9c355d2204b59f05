/* SPDX-License-Identifier: Apache-2.0 */
#include <math.h>
#include <string.h>

#include "node/context.h"
#include "node/control.h"
#include "node/reads.h"
#include "node/summary.h"
#include "node/writer.h"
#include "proto/clock.h"
#include "proto/id.h"

enum { PAGE = 500, ASK_TIMEOUT_S = 5 };

/* ---- Changes ---------------------------------------------------------------------------------------------
 */

void control_written(void *ctx, const struct write_result *result)
{
	struct call *c = ctx;

	call_done(c, &(struct control_answer){.code = result->code,
					      .text = result->note.text[0] ? result->note.text
						      : result->code < 0   ? err_text(result->code)
									   : "",
					      .n_changed = result->n_changed,
					      .n_unchanged = result->n_unchanged,
					      .refused = result->refused,
					      .n_refused = result->n_refused,
					      .credit = writer_credit(c->e->writer),
					      .notes = result->notes,
					      .n_notes = result->n_notes});
}

/* What only the node itself may write. */
static bool is_inner(const struct op *op)
{
	return op->kind == OP_ROWS || op->kind == OP_ORG_DROP || op->kind == OP_COLLECTION ||
	       op->kind == OP_COMMAND;
}

/* Its credential says which twins a node may own; without a prefix all of the organisation. What it owns from
 * wider times stays its own: only new definitions are looked at. */
static int check_prefixes(const struct call *c, struct err_note *note)
{
	const struct credential *self = c->e->trust->self;

	for (size_t i = 0; i < c->request.n_ops; i++) {
		const struct op *op = &c->request.ops[i];
		bool within = op->kind != OP_TWIN || self->n_prefixes == 0;
		for (size_t k = 0; k < self->n_prefixes && !within; k++)
			within = id_is_within(op->twin.id, self->prefixes[k]);
		if (!within)
			return FAIL_SAY(note, ERR_REFUSED, "%s: this node may only own twins within %s%s",
					op->twin.id, self->prefixes[0], self->n_prefixes > 1 ? ", ..." : "");
	}
	return 0;
}

int control_check_owner(const struct call *c, struct err_note *note)
{
	if (c->e->trust->self->roles & ROLE_OWNER)
		return 0;
	return FAIL_SAY(note, ERR_REFUSED,
			"%s owns no twins: it has not the role owner; ask a node that does", c->e->origin);
}

/* The ops move to an arena of the writer's, which ends with the write; the call's own ends with the answer.
 */
int control_change(struct call *c, struct err_note *note)
{
	const struct control_request *r = &c->request;
	struct write_request write = {.ops = r->ops,
				      .n_ops = r->n_ops,
				      .atomic = r->atomic,
				      .dry_run = r->dry_run,
				      .done = control_written,
				      .ctx = c};

	for (size_t i = 0; i < r->n_ops; i++)
		if (is_inner(&r->ops[i]))
			return FAIL_SAY(note, ERR_REFUSED, "op %zu is the node's own to write", i);
	TRY(control_check_owner(c, note));
	TRY(check_prefixes(c, note));
	write.arena = MOVE(c->arena);
	int code = arena_new(&c->arena, FRAME_CONTROL_MAX);
	if (code < 0) {
		arena_free(write.arena);
		return code;
	}
	code = writer_submit(c->e->writer, &write);
	return code == ERR_UNREACHABLE ? FAIL_SAY(note, code, "the node is stopping: nothing was changed")
				       : code;
}

/* ---- Reading one -----------------------------------------------------------------------------------------
 */

static void on_read(void *ctx, int code, const char *text, const struct answer *parts, size_t n)
{
	struct call *c = ctx;

	if (code < 0 || n == 0) {
		call_done(c, &(struct control_answer){.code = code < 0 ? code : ERR_ABSENT, .text = text});
		return;
	}
	call_done(c, &(struct control_answer){
			     .row = parts[0].row, .values = parts[0].values, .n_values = parts[0].n_values});
}

/* A property's present value, or the last one measured until the time asked for. */
static int push_value(struct call *c, const struct twin *t, size_t place, struct control_answer *answer)
{
	const struct property_def *p = &t->type->def.properties[place];
	struct kpi *v = arena_push(c->arena, &answer->values, &answer->n_values, sizeof *v);
	struct sample past = {.sigma = NAN};

	if (!v)
		return FAIL(-ENOMEM);
	if (c->request.has_as_of)
		TRY(store_value_at(c->e->store, t, place, c->request.as_of_ns, c->arena, &past));
	*v = (struct kpi){.property = p->name,
			  .unit = p->unit,
			  .sample = c->request.has_as_of ? past : store_value(c->e->store, t, place)};
	return 0;
}

/* What had been said of its life-cycle until then. */
static void cut_life(struct twin_def *def, int64_t as_of_ns)
{
	while (def->n_life > 0 && def->life[def->n_life - 1].since_ns > as_of_ns)
		def->n_life--;
}

/* Readings of the surroundings, with the twin that they are of as their source. */
static int push_context(struct call *c, const struct twin *t, struct control_answer *answer)
{
	const char *property = c->request.property;
	const bool one = strncmp(property, CONTEXT_PREFIX, strlen(CONTEXT_PREFIX)) == 0;
	struct context_value *values, found;
	size_t n;

	if (c->request.has_as_of || (property[0] && !one))
		return 0;
	if (one) {
		n = context_value(c->e, t, property + strlen(CONTEXT_PREFIX), &c->to, c->arena, &found);
		values = &found;
	} else
		TRY(context_values(c->e, t, &c->to, c->arena, &values, &n));
	for (size_t i = 0; i < n; i++) {
		struct kpi *v = arena_push(c->arena, &answer->values, &answer->n_values, sizeof *v);
		const char *name = arena_print(c->arena, CONTEXT_PREFIX "%s", values[i].property);
		if (!v || !name)
			return FAIL(-ENOMEM);
		*v = (struct kpi){.property = name, .unit = values[i].unit, .sample = values[i].sample};
		v->sample.source = values[i].from;
	}
	return 0;
}

/* Who shows what may follow needs the type; most types have no such property. */
static void add_type(const struct twin *t, struct control_answer *answer, struct type_def *room)
{
	for (size_t i = 0; t->type && i < t->type->def.n_properties; i++)
		if (t->type->def.properties[i].n_transitions > 0) {
			*room = t->type->def;
			answer->types = room;
			answer->n_types = 1;
		}
}

static int get_own(struct call *c, const struct twin *t, struct err_note *note)
{
	struct control_answer answer = {0};
	struct twin_def def = store_twin_def(t);
	struct type_def type;

	if (c->request.has_as_of)
		cut_life(&def, c->request.as_of_ns);
	else
		TRY(summary_row(c->e->store, t, c->arena, &answer.row));
	for (size_t i = 0; t->type && i < t->type->def.n_properties; i++)
		if (!c->request.property[0] ||
		    strcmp(t->type->def.properties[i].name, c->request.property) == 0)
			TRY(push_value(c, t, i, &answer));
	TRY(push_context(c, t, &answer));
	if (c->request.property[0] && answer.n_values == 0)
		return FAIL_SAY(note, ERR_ABSENT, "%s has no property %s: its type is %s", t->id,
				c->request.property, t->type ? t->type->def.name : "not set");
	TRY(control_push_relations(c, t, &answer));
	answer.twins = &def;
	answer.n_twins = 1;
	if (!c->request.has_as_of && !c->request.property[0])
		add_type(t, &answer, &type);
	call_done(c, &answer);
	return 0;
}

int control_twin_get(struct call *c, struct err_note *note)
{
	const struct control_request *r = &c->request;
	const struct twin *t = store_twin(c->e->store, r->twin);
	const struct question q = {
		.kind = QUESTION_READ, .asker = "", .twin = r->twin, .property = r->property};

	if (t)
		return get_own(c, t, note);
	TRY(id_check_twin(r->twin, note));
	if (r->has_as_of)
		return FAIL_SAY(note, ERR_REFUSED,
				"%s is no twin of this node: of the past its owner tells history and views",
				r->twin);
	int code = reads_ask(c->e, &c->to, &q, ASK_TIMEOUT_S * NS_PER_S, on_read, c);
	return code < 0 ? FAIL_SAY(note, code, "%s: its owner cannot be asked now", r->twin) : 0;
}

/* ---- Lists -----------------------------------------------------------------------------------------------
 */

static bool is_wanted(const struct control_request *r, const struct twin *t)
{
	const struct twin_def def = store_twin_def(t);

	return (!r->tag[0] || twin_has_tag(&def, r->tag)) && (!r->has_kind || t->kind == r->kind);
}

int control_twin_list(struct call *c, struct err_note *note)
{
	const struct control_request *r = &c->request;
	const size_t limit = r->limit > 0 && r->limit < PAGE ? r->limit : PAGE;
	struct control_answer answer = {0};
	const char *after = r->after;

	(void)note;
	for (const struct twin *t; (t = store_twin_next(c->e->store, r->prefix, after)); after = t->id) {
		if (!is_wanted(r, t))
			continue;
		if (answer.n_twins == limit) {
			answer.more = true;
			break;
		}
		struct twin_def *def = arena_push(c->arena, &answer.twins, &answer.n_twins, sizeof *def);
		if (!def)
			return FAIL(-ENOMEM);
		*def = store_twin_def(t);
	}
	call_done(c, &answer);
	return 0;
}

int control_twin_find(struct call *c, struct err_note *note)
{
	const struct control_request *r = &c->request;
	struct control_answer answer = {0};
	const struct twin *t = r->after[0] ? store_twin(c->e->store, r->after) : NULL;

	if (r->after[0] && !t)
		return FAIL_SAY(note, ERR_ABSENT, "%s, from where to go on, is gone: ask again", r->after);
	while ((t = store_twin_by_alias(c->e->store, r->alias, t))) {
		if (answer.n_twins == PAGE) {
			answer.more = true;
			break;
		}
		struct twin_def *def = arena_push(c->arena, &answer.twins, &answer.n_twins, sizeof *def);
		if (!def)
			return FAIL(-ENOMEM);
		*def = store_twin_def(t);
	}
	call_done(c, &answer);
	return 0;
}
