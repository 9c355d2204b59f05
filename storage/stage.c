/* SPDX-License-Identifier: Apache-2.0 */
/* Staging: may an op be done, and would it change anything? Looks at the table as it will be when the ops of
 * the batch before this one have been applied. */
#include <inttypes.h>

#include "storage/stage.h"

#include <stdio.h>

#include "proto/command.h"
#include "proto/id.h"
#include "storage/store_private.h"

bool stage_twin(const struct stage *g, const char *id, struct twin_def *ret)
{
	const struct staged *top = batch_find(g->batch, &(struct staged_key){STAGED_TWIN, id, NULL, NULL});
	const struct twin *t = top ? NULL : store_twin(g->store, id);

	if (top && !top->gone)
		*ret = top->op->twin;
	else if (t)
		*ret = store_twin_def(t);
	return t || (top && !top->gone);
}

bool stage_twin_goes(const struct stage *g, const char *id, size_t since)
{
	const struct staged *s = batch_find(g->batch, &(struct staged_key){STAGED_TWIN, id, NULL, NULL});

	for (; s; s = s->below)
		if (s->gone && s->at >= since)
			return true;
	return false;
}

int stage_check_own(const struct stage *g, const char *id)
{
	const struct store *s = g->store;

	TRY(id_check_twin(id, g->note));
	if (!id_is_of_org(id, s->org))
		return FAIL_SAY(g->note, ERR_REFUSED,
				"%s is not owned by %s: only its own organisation changes it", id, s->org);
	return 0;
}

static int check_own_twin(const struct stage *g, const char *id)
{
	struct twin_def def;

	TRY(stage_check_own(g, id));
	if (!stage_twin(g, id, &def))
		return FAIL_SAY(g->note, ERR_REFUSED, "there is no twin %s", id);
	return 0;
}

/* ---- Deleting twins ---------------------------------------------------------------------------------------
 */

static int stage_twin_delete(const struct stage *g, const struct op *op)
{
	const struct staged_key key = {STAGED_TWIN, op->id, NULL, NULL};
	struct twin_def def;

	TRY(stage_check_own(g, op->id));
	if (!stage_twin(g, op->id, &def))
		return STORE_UNCHANGED;
	return batch_take(g->batch, &key, op, op);
}

/* ---- Relations and memberships ----------------------------------------------------------------------------
 */

static struct staged_key relation_key(const struct relation *r)
{
	return (struct staged_key){STAGED_EDGE, r->from, r->type, r->to};
}

/* The relation as it will be, or NULL. It goes with either of its ends. */
static const struct relation *present_relation(const struct stage *g, const struct relation *r)
{
	const struct staged_key key = relation_key(r);
	const struct staged *top = batch_find(g->batch, &key);
	const struct own_edge *e = top ? NULL : table_edge(&g->store->table, r);
	const size_t since = top ? top->at : 0;

	if ((!e && !top) || (top && top->gone) || stage_twin_goes(g, r->from, since) ||
	    stage_twin_goes(g, r->to, since))
		return NULL;
	return top ? &top->op->relation : &e->pub.relation;
}

static int check_target(const struct stage *g, const char *to)
{
	struct twin_def def;

	if (!id_is_of_org(to, g->store->org) || stage_twin(g, to, &def) || remote_row(&g->store->remote, to))
		return 0;
	return FAIL_SAY(g->note, ERR_REFUSED, "there is no twin %s to relate to", to);
}

static int stage_relation(const struct stage *g, const struct op *op)
{
	const struct relation *r = &op->relation, *held;
	const struct staged_key key = relation_key(r);

	TRY(relation_check(r, g->note));
	TRY(check_own_twin(g, r->from));
	TRY(check_target(g, r->to));
	held = present_relation(g, r);
	return held && relation_equal(held, r) ? STORE_UNCHANGED : batch_take(g->batch, &key, op, op);
}

static int stage_relation_delete(const struct stage *g, const struct op *op)
{
	const struct staged_key key = relation_key(&op->relation);

	TRY(id_check_name(op->relation.type, "relation", g->note));
	TRY(stage_check_own(g, op->relation.from));
	TRY(id_check_twin(op->relation.to, g->note));
	return present_relation(g, &op->relation) ? batch_take(g->batch, &key, op, op) : STORE_UNCHANGED;
}

static const struct membership *present_member(const struct stage *g, const struct membership *m)
{
	const struct staged_key key = {STAGED_MEMBER, m->child, m->hierarchy, m->parent};
	const struct staged *top = batch_find(g->batch, &key);
	const struct own_member *own = top ? NULL : table_member(&g->store->table, m);

	if ((!own && !top) || stage_twin_goes(g, m->child, top ? top->at : 0))
		return NULL;
	return top ? &top->op->membership : &own->pub;
}

static int stage_membership(const struct stage *g, const struct op *op)
{
	const struct membership *m = &op->membership, *held;
	const struct staged_key key = {STAGED_MEMBER, m->child, m->hierarchy, m->parent};

	TRY(id_check_name(m->hierarchy, "hierarchy", g->note));
	TRY(id_check_twin(m->parent, g->note));
	TRY(check_own_twin(g, m->child));
	if (m->state >= N_CONFIRMATIONS)
		return FAIL_SAY(g->note, ERR_REFUSED, "there is no such word on a membership as %d",
				(int)m->state);
	held = present_member(g, m);
	if (held && held->state == m->state && held->since_ns <= m->since_ns)
		return STORE_UNCHANGED; /* a word given again stands since it was given first */
	return batch_take(g->batch, &key, op, op);
}

/* ---- Rows of other origins --------------------------------------------------------------------------------
 */

static int check_origin(const struct stage *g, const char *origin)
{
	const char *slash = strchr(origin, '/');

	if (!id_is_twin(bytes_of_text(origin)) || strchr(slash + 1, '/'))
		return FAIL_SAY(g->note, ERR_REFUSED, "'%.80s' names no origin: write ORG/NODE", origin);
	if (store_is_own_origin(g->store, origin))
		return FAIL_SAY(g->note, ERR_REFUSED, "%s is this node: its rows are not taken from others",
				origin);
	return 0;
}

/* Earlier in the batch. */
static bool org_is_dropped(const struct stage *g, const char *origin)
{
	char org[ORG_NAME_MAX + 1];

	snprintf(org, sizeof org, "%.*s", (int)strcspn(origin, "/"), origin);
	return batch_find(g->batch, &(struct staged_key){STAGED_ORIGIN, org, NULL, NULL}) != NULL;
}

static int stage_rows(const struct stage *g, const struct op *op)
{
	const struct staged_key key = {STAGED_ORIGIN, op->rows.origin, NULL, NULL};
	bool unchanged;

	TRY(check_origin(g, op->rows.origin));
	TRY(remote_check(&g->store->remote, &op->rows, &unchanged, g->note));
	return unchanged && !batch_find(g->batch, &key) && !org_is_dropped(g, op->rows.origin)
		       ? STORE_UNCHANGED
		       : batch_take(g->batch, &key, op, op);
}

/* What is in the batch already does not count: a tombstone is a long time there before it goes. */
static int stage_collection(const struct stage *g, const struct op *op)
{
	const struct op_collection *c = &op->collection;
	const struct staged_key key = {STAGED_ORIGIN, c->origin, NULL, NULL};
	const struct store *s = g->store;
	const struct origin *o = remote_origin(&s->remote, c->origin);
	const bool own = store_is_own_origin(s, c->origin);

	if (c->floor > (own ? s->table.seq : o ? o->max_seq : 0))
		return FAIL_SAY(g->note, ERR_REFUSED, "%s has not come to change %" PRIu64, c->origin,
				c->floor);
	if (c->floor <= (own ? s->table.floor : o ? o->floor : 0))
		return STORE_UNCHANGED;
	return batch_take(g->batch, &key, op, op);
}

/* What came into the batch before it goes, too: only an empty one is looked past. */
static int stage_org_drop(const struct stage *g, const struct op *op)
{
	const struct staged_key key = {STAGED_ORIGIN, op->id, NULL, NULL};

	if (!id_is_segment(bytes_of_text(op->id), ORG_NAME_MAX) || strcmp(op->id, g->store->org) == 0)
		return FAIL_SAY(g->note, ERR_REFUSED, "'%.80s' names no other organisation", op->id);
	if (g->batch->n == 0 && !remote_has_org(&g->store->remote, op->id))
		return STORE_UNCHANGED;
	return batch_take(g->batch, &key, op, op);
}

/* ---- Records of commands ----------------------------------------------------------------------------------
 */

static int stage_command(const struct stage *g, const struct op *op)
{
	char id[COMMAND_ID_TEXT_SIZE];
	const struct staged_key key = {STAGED_COMMAND, id, NULL, NULL};
	const struct kept_command *held = kept_commands_find(&g->store->commands, op->command.id);

	command_id_text(op->command.id, id);
	if (op->command.record.len > COMMAND_RECORD_MAX)
		return FAIL_SAY(g->note, ERR_REFUSED, "the record of command %s is longer than %d bytes", id,
				COMMAND_RECORD_MAX);
	const bool same =
		held ? bytes_equal(held->pub.record, op->command.record) : op->command.record.len == 0;
	return same && !batch_find(g->batch, &key) ? STORE_UNCHANGED : batch_take(g->batch, &key, op, op);
}

/* -----------------------------------------------------------------------------------------------------------
 */

/* Numbers of series are never given twice, and applying must not fail: the last of them are kept for what one
 * batch may take. */
static int check_numbers(const struct stage *g)
{
	const uint32_t kept = UINT32_C(1) << 30;

	if (g->store->table.values.next < UINT32_MAX - kept)
		return 0;
	return FAIL_SAY(g->note, ERR_REFUSED,
			"store %s has given all its numbers of series: begin a new one, and apply and import "
			"what it holds",
			g->store->dir);
}

static int stage_op(const struct stage *g, const struct op *op)
{
	if (op->kind == OP_TYPE || op->kind == OP_TWIN)
		TRY(check_numbers(g));
	switch (op->kind) {
	case OP_TYPE: return stage_type_def(g, op);
	case OP_TWIN: return stage_twin_def(g, op);
	case OP_TWIN_DELETE: return stage_twin_delete(g, op);
	case OP_RELATION: return stage_relation(g, op);
	case OP_RELATION_DELETE: return stage_relation_delete(g, op);
	case OP_MEMBERSHIP: return stage_membership(g, op);
	case OP_SAMPLES: return stage_samples(g, op);
	case OP_ROWS: return stage_rows(g, op);
	case OP_ORG_DROP: return stage_org_drop(g, op);
	case OP_COLLECTION: return stage_collection(g, op);
	case OP_COMMAND: return stage_command(g, op);
	}
	return FAIL_SAY(g->note, ERR_REFUSED, "there is no change of kind %d", (int)op->kind);
}

int store_stage(struct store *s, struct batch *b, const struct op *op, int64_t now_ns, size_t *ret_bad,
		struct err_note *note)
{
	const struct stage g = {.store = s, .batch = b, .now_ns = now_ns, .ret_bad = ret_bad, .note = note};
	const int r = stage_op(&g, op);

	if (r == ERR_REFUSED || r == ERR_UNIT)
		return STORE_REFUSED;
	TRY(r);
	if (r == 0 && now_ns > b->now_ns)
		b->now_ns = now_ns;
	return r;
}
