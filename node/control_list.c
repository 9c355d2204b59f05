/* SPDX-License-Identifier: Apache-2.0 */
#include <string.h>

#include "node/control.h"
#include "node/reads.h"
#include "proto/clock.h"
#include "proto/id.h"

enum { PAGE = 500, ASK_TIMEOUT_S = 5 };

/* ---- Types -----------------------------------------------------------------------------------------------
 */

static int push_type(struct call *c, const struct type_def *t, struct control_answer *answer)
{
	struct type_def *def = arena_push(c->arena, &answer->types, &answer->n_types, sizeof *def);

	if (!def)
		return FAIL(-ENOMEM);
	*def = *t;
	return 0;
}

int control_type_list(struct call *c, struct err_note *note)
{
	struct control_answer answer = {0};
	const char *after = "";

	(void)note;
	for (const struct type *t; (t = store_type_next(c->e->store, after)); after = t->def.name)
		TRY(push_type(c, &t->def, &answer));
	call_done(c, &answer);
	return 0;
}

int control_type_get(struct call *c, struct err_note *note)
{
	const struct type *t = store_type(c->e->store, c->request.name);
	struct control_answer answer = {0};

	if (!t)
		return FAIL_SAY(note, ERR_ABSENT, "no type %s: see `holon type list`", c->request.name);
	TRY(push_type(c, &t->def, &answer));
	TRY(push_type(c, &t->declared, &answer));
	call_done(c, &answer);
	return 0;
}

/* ---- Relations -------------------------------------------------------------------------------------------
 */

/* As of a time, only what was valid then. */
static int push_relation(struct call *c, const struct relation *relation, struct control_answer *answer)
{
	const struct control_request *q = &c->request;
	struct relation *r;

	if (q->has_as_of && (q->as_of_ns < relation->valid_from_ns || q->as_of_ns > relation->valid_to_ns))
		return 0;
	r = arena_push(c->arena, &answer->relations, &answer->n_relations, sizeof *r);
	if (!r)
		return FAIL(-ENOMEM);
	*r = *relation;
	return 0;
}

int control_push_relations(struct call *c, const struct twin *t, struct control_answer *answer)
{
	const struct membership *m = NULL;

	for (const struct edge *e = t->out; e; e = e->next_out)
		TRY(push_relation(c, &e->relation, answer));
	while ((m = store_membership_next(c->e->store, t->id, m))) {
		if (c->request.has_as_of && m->since_ns > c->request.as_of_ns)
			continue;
		struct membership *copy =
			arena_push(c->arena, &answer->memberships, &answer->n_memberships, sizeof *copy);
		if (!copy)
			return FAIL(-ENOMEM);
		*copy = *m;
	}
	return 0;
}

static int push_relations_to(struct call *c, const char *id, struct control_answer *answer)
{
	for (const struct edge *e = store_edges_to(c->e->store, id); e; e = e->next_in)
		TRY(push_relation(c, &e->relation, answer));
	return 0;
}

/* Of one twin both directions; of all twins page by page, by the twin they start from. */
int control_rel_list(struct call *c, struct err_note *note)
{
	const struct control_request *r = &c->request;
	struct control_answer answer = {0};
	const char *after = r->after;

	if (r->twin[0]) {
		const struct twin *t = store_twin(c->e->store, r->twin);
		TRY(id_check_twin(r->twin, note));
		if (t)
			TRY(control_push_relations(c, t, &answer));
		TRY(push_relations_to(c, r->twin, &answer));
		call_done(c, &answer);
		return 0;
	}
	for (const struct twin *t; (t = store_twin_next(c->e->store, r->prefix, after)); after = t->id) {
		if (answer.n_relations + answer.n_memberships >= PAGE) {
			answer.more = true;
			break;
		}
		TRY(control_push_relations(c, t, &answer));
	}
	answer.text = after; /* where the next page goes on */
	call_done(c, &answer);
	return 0;
}

/* ---- History ---------------------------------------------------------------------------------------------
 */

static void on_history(void *ctx, int code, const char *text, const struct answer *parts, size_t n)
{
	struct call *c = ctx;

	if (code < 0 || n == 0) {
		call_done(c, &(struct control_answer){.code = code < 0 ? code : ERR_ABSENT, .text = text});
		return;
	}
	call_done(c, &(struct control_answer){.samples = parts[0].samples,
					      .n_samples = parts[0].n_samples,
					      .buckets = parts[0].buckets,
					      .n_buckets = parts[0].n_buckets,
					      .has_coarse_until = parts[0].has_coarse_until,
					      .coarse_until_ns = parts[0].coarse_until_ns,
					      .unit = parts[0].unit,
					      .more = parts[0].more});
}

int control_history(struct call *c, struct err_note *note)
{
	const struct control_request *r = &c->request;
	const struct question q = {.kind = QUESTION_HISTORY,
				   .asker = "",
				   .twin = r->twin,
				   .property = r->property,
				   .from_ns = r->from_ns,
				   .to_ns = r->to_ns,
				   .limit = r->limit,
				   .step_ns = r->step_ns};

	TRY(id_check_twin(r->twin, note));
	TRY(id_check_name(r->property, "property", note));
	int code = reads_ask(c->e, &c->to, &q, ASK_TIMEOUT_S * NS_PER_S, on_history, c);
	return code < 0 ? FAIL_SAY(note, code, "%s: its owner cannot be asked now", r->twin) : 0;
}
