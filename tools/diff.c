/* SPDX-License-Identifier: Apache-2.0 */
#include "tools/diff.h"

#include "proto/clock.h"
#include "tools/fields.h"
#include "tools/print.h"
#include "tools/show.h"

enum fate { FATE_SAME, FATE_CREATE, FATE_CHANGE, FATE_REFUSED, N_FATES };

static const struct {
	const char *word, *mark;
} fates[N_FATES] = {
	[FATE_SAME] = {"unchanged", " "},
	[FATE_CREATE] = {"create", "+"},
	[FATE_CHANGE] = {"change", "~"},
	[FATE_REFUSED] = {"refused", "!"},
};

/* An op of the plan, beside what is held. */
struct item {
	const char *kind, *name;
	enum fate fate;
	struct fields held, wanted;
	const char *reason; /* of a refusal */
};

struct diff {
	struct plan *plan;
	struct control_answer judged; /* what the node says to all of it */
	struct map relations;         /* id -> struct control_answer: relations and memberships of a twin */
	struct item *items;           /* one per op */
	size_t counts[N_FATES];
};

/* ---- What is held -----------------------------------------------------------------------------------------
 */

/* What is not there yet is no failure here. */
static enum status ask_softly(struct diff *d, struct control_request *request, struct control_answer *ret)
{
	const enum status status = ask_frankly(d->plan->ctx, request, ret);

	if (status == STATUS_OK && ret->code < 0 && ret->code != ERR_ABSENT) {
		say("%s", ret->text && *ret->text ? ret->text : err_text(ret->code));
		return STATUS_FAILED;
	}
	return status;
}

static enum status held_type(struct diff *d, const struct op *op, struct item *item)
{
	struct control_request request = ask_for(CONTROL_TYPE_GET);
	struct control_answer answer;
	enum status status;

	request.name = op->type.name;
	status = ask_softly(d, &request, &answer);
	if (status != STATUS_OK || answer.n_types == 0)
		return status;
	item->fate = FATE_SAME;
	fields_of_type(&item->held, &answer.types[answer.n_types - 1]);
	return STATUS_OK;
}

static bool has_step(const struct twin_def *t, const struct life_step *step)
{
	for (size_t i = 0; i < t->n_life; i++)
		if (t->life[i].state == step->state && t->life[i].since_ns == step->since_ns)
			return true;
	return false;
}

/* Steps of the life-cycle are added to those that are held, never taken away; a file that says nothing new
 * changes nothing. */
static int join_life(struct arena *a, const struct twin_def *held, struct twin_def *wanted)
{
	struct life_step *steps = arena_take_array(a, held->n_life + wanted->n_life, sizeof *steps);
	size_t n = held->n_life;

	if (!steps)
		return FAIL(-ENOMEM);
	for (size_t i = 0; i < n; i++)
		steps[i] = held->life[i];
	for (size_t i = 0; i < wanted->n_life; i++)
		if (!has_step(held, &wanted->life[i]) && wanted->life[i].state != steps[n - 1].state)
			steps[n++] = wanted->life[i];
	wanted->life = steps;
	wanted->n_life = n;
	return 0;
}

static enum status held_twin(struct diff *d, const struct op *op, struct item *item)
{
	struct control_request request = ask_for(CONTROL_TWIN_GET);
	struct twin_def wanted = op->twin;
	struct control_answer answer;
	enum status status;

	request.twin = op->twin.id;
	status = ask_softly(d, &request, &answer);
	if (status != STATUS_OK || answer.n_twins == 0)
		return status;
	if (answer.twins[0].n_life > 0 && join_life(d->plan->ctx->arena, &answer.twins[0], &wanted) < 0)
		return say_failed(-ENOMEM, NULL);
	item->fate = FATE_SAME;
	item->wanted.n = 0;
	fields_of_twin(&item->wanted, &wanted);
	fields_of_twin(&item->held, &answer.twins[0]);
	return STATUS_OK;
}

/* Relations and memberships of a twin, asked for once. */
static enum status relations_of(struct diff *d, const char *twin, const struct control_answer **ret)
{
	struct control_request request = ask_for(CONTROL_REL_LIST);
	struct control_answer *answer = map_get(&d->relations, twin);
	enum status status;

	*ret = answer;
	if (answer)
		return STATUS_OK;
	answer = arena_take(d->plan->ctx->arena, sizeof *answer);
	if (!answer)
		return say_failed(-ENOMEM, NULL);
	request.twin = twin;
	status = ask_softly(d, &request, answer);
	if (status == STATUS_OK && map_put(&d->relations, twin, answer) < 0)
		return say_failed(-ENOMEM, NULL);
	*ret = answer;
	return status;
}

static enum status held_relation(struct diff *d, const struct op *op, struct item *item)
{
	const struct relation *r = &op->relation;
	const struct control_answer *answer;
	const enum status status = relations_of(d, r->from, &answer);

	for (size_t i = 0; status == STATUS_OK && i < answer->n_relations; i++) {
		const struct relation *h = &answer->relations[i];
		if (strcmp(h->type, r->type) != 0 || strcmp(h->from, r->from) != 0 ||
		    strcmp(h->to, r->to) != 0)
			continue;
		item->fate = FATE_SAME;
		fields_of_relation(&item->held, h);
	}
	return status;
}

/* A word given again stands since it was given first. */
static enum status held_membership(struct diff *d, const struct op *op, struct item *item)
{
	struct membership wanted = op->membership;
	const struct control_answer *answer;
	const enum status status = relations_of(d, wanted.child, &answer);

	for (size_t i = 0; status == STATUS_OK && i < answer->n_memberships; i++) {
		const struct membership *h = &answer->memberships[i];
		if (strcmp(h->hierarchy, wanted.hierarchy) != 0 || strcmp(h->parent, wanted.parent) != 0 ||
		    strcmp(h->child, wanted.child) != 0)
			continue;
		if (h->state == wanted.state && h->since_ns < wanted.since_ns)
			wanted.since_ns = h->since_ns;
		item->fate = FATE_SAME;
		item->wanted.n = 0;
		fields_of_membership(&item->wanted, &wanted);
		fields_of_membership(&item->held, h);
	}
	return status;
}

static enum status held_sample(struct diff *d, const struct op *op, struct item *item)
{
	struct control_request request = ask_for(CONTROL_HISTORY);
	struct control_answer answer;
	enum status status;

	request.twin = op->samples.twin;
	request.property = op->samples.property;
	request.from_ns = request.to_ns = op->samples.samples[0].t_ns;
	request.limit = 1;
	status = ask_softly(d, &request, &answer);
	if (status != STATUS_OK || answer.n_samples == 0)
		return status;
	item->fate = FATE_SAME;
	fields_of_sample(&item->held, &answer.samples[0]);
	return STATUS_OK;
}

/* ---- One by one -------------------------------------------------------------------------------------------
 */

static const char *sample_name(struct arena *a, const struct op_samples *s)
{
	char at[TIME_TEXT_SIZE];

	return arena_print(a, "%s %s at %s", s->twin, s->property, time_text(s->samples[0].t_ns, at));
}

static void name_item(struct arena *a, const struct op *op, struct item *item)
{
	const struct relation *r = &op->relation;
	const struct membership *m = &op->membership;

	switch (op->kind) {
	case OP_TYPE:
		item->kind = "type";
		item->name = op->type.name;
		fields_of_type(&item->wanted, &op->type);
		return;
	case OP_TWIN:
		item->kind = "twin";
		item->name = op->twin.id;
		fields_of_twin(&item->wanted, &op->twin);
		return;
	case OP_RELATION:
		item->kind = "relation";
		item->name = arena_print(a, "%s --%s--> %s", r->from, r->type, r->to);
		fields_of_relation(&item->wanted, r);
		return;
	case OP_MEMBERSHIP:
		item->kind = "membership";
		item->name = arena_print(a, "%s of %s in %s", m->child, m->parent, m->hierarchy);
		fields_of_membership(&item->wanted, m);
		return;
	case OP_SAMPLES:
		item->kind = "sample";
		item->name = sample_name(a, &op->samples);
		fields_of_sample(&item->wanted, &op->samples.samples[0]);
		return;
	case OP_TWIN_DELETE:
	case OP_RELATION_DELETE:
	case OP_ROWS:
	case OP_ORG_DROP:
	case OP_COLLECTION:
	case OP_COMMAND: break; /* no file says so */
	}
	item->kind = item->name = "";
}

static enum status look_up(struct diff *d, const struct op *op, struct item *item)
{
	switch (op->kind) {
	case OP_TYPE: return held_type(d, op, item);
	case OP_TWIN: return held_twin(d, op, item);
	case OP_RELATION: return held_relation(d, op, item);
	case OP_MEMBERSHIP: return held_membership(d, op, item);
	case OP_SAMPLES: return held_sample(d, op, item);
	case OP_TWIN_DELETE:
	case OP_RELATION_DELETE:
	case OP_ROWS:
	case OP_ORG_DROP:
	case OP_COLLECTION:
	case OP_COMMAND: break;
	}
	return STATUS_OK;
}

static bool same_text(const char *a, const char *b)
{
	return a && b ? strcmp(a, b) == 0 : a == b;
}

static bool same_fields(const struct fields *a, const struct fields *b)
{
	for (size_t i = 0; a->n == b->n && i < a->n; i++)
		if (!same_text(field_text(b, a->items[i].name), a->items[i].text))
			return false;
	return a->n == b->n;
}

static enum status compare(struct diff *d, size_t at)
{
	struct arena *a = d->plan->ctx->arena;
	struct item *item = &d->items[at];
	enum status status = STATUS_OK;

	item->held.arena = item->wanted.arena = a;
	name_item(a, &d->plan->ops[at], item);
	if (!item->reason) {
		item->fate = FATE_CREATE;
		status = look_up(d, &d->plan->ops[at], item);
	}
	if (item->fate == FATE_SAME && !same_fields(&item->held, &item->wanted))
		item->fate = FATE_CHANGE;
	d->counts[item->fate]++;
	if (item->held.failed || item->wanted.failed || !item->name)
		return say_failed(-ENOMEM, NULL);
	return status;
}

static enum status judge(struct diff *d)
{
	struct control_request request = ask_for(CONTROL_CHANGE);
	enum status status;

	request.ops = d->plan->ops;
	request.n_ops = d->plan->n_ops;
	request.dry_run = true;
	status = ask(d->plan->ctx, &request, &d->judged);
	for (size_t i = 0; status == STATUS_OK && i < d->judged.n_refused; i++) {
		const struct refusal *r = &d->judged.refused[i];
		if (r->index >= d->plan->n_ops)
			continue;
		d->items[r->index].reason = r->reason;
		d->items[r->index].fate = FATE_REFUSED;
	}
	return status;
}

/* ---- Printing ---------------------------------------------------------------------------------------------
 */

typedef void field_fn(void *ctx, const char *name, const char *held, const char *wanted);

/* What differs: in the order of what is wanted, then what is held and not wanted. */
static void each_difference(const struct item *item, field_fn *fn, void *ctx)
{
	for (size_t i = 0; i < item->wanted.n; i++) {
		const struct field *f = &item->wanted.items[i];
		const char *held = field_text(&item->held, f->name);
		if (!same_text(held, f->text))
			fn(ctx, f->name, held, f->text);
	}
	for (size_t i = 0; i < item->held.n; i++)
		if (!field_text(&item->wanted, item->held.items[i].name))
			fn(ctx, item->held.items[i].name, item->held.items[i].text, NULL);
}

static void field_line(void *ctx, const char *name, const char *held, const char *wanted)
{
	const struct item *item = ctx;

	printf("    %s: ", name);
	if (item->fate == FATE_CHANGE) {
		print_clean(stdout, held ? held : "-");
		printf(" -> ");
	}
	print_clean(stdout, wanted ? wanted : "-");
	putchar('\n');
}

static void field_json(void *ctx, const char *name, const char *held, const char *wanted)
{
	struct json *j = ctx;

	json_open(j, NULL, '{');
	json_text(j, "field", name);
	json_text(j, "old", held);
	json_text(j, "new", wanted);
	json_close(j);
}

static void item_text(struct item *item)
{
	if (item->fate == FATE_SAME)
		return;
	printf("%s %s ", fates[item->fate].mark, item->kind);
	print_clean(stdout, item->name);
	if (item->fate == FATE_REFUSED) {
		printf(": ");
		print_clean(stdout, item->reason);
	}
	putchar('\n');
	if (item->fate != FATE_REFUSED)
		each_difference(item, field_line, item);
}

static void item_json(struct json *j, const struct item *item)
{
	json_open(j, NULL, '{');
	json_text(j, "kind", item->kind);
	json_text(j, "name", item->name);
	json_text(j, "fate", fates[item->fate].word);
	if (item->fate == FATE_REFUSED) {
		json_text(j, "reason", item->reason);
	} else {
		json_open(j, "fields", '[');
		each_difference(item, field_json, j);
		json_close(j);
	}
	json_close(j);
}

static void diff_text(const struct diff *d)
{
	for (size_t i = 0; i < d->plan->n_ops; i++)
		item_text(&d->items[i]);
	for (size_t i = 0; i < d->judged.n_notes; i++) {
		print_clean(stdout, d->judged.notes[i].text);
		putchar('\n');
	}
	printf("%zu to create, %zu to change, %zu unchanged, %zu refused\n", d->counts[FATE_CREATE],
	       d->counts[FATE_CHANGE], d->counts[FATE_SAME], d->counts[FATE_REFUSED]);
}

static void diff_json(const struct diff *d)
{
	struct json j = {.out = stdout};

	json_open(&j, NULL, '{');
	json_open(&j, "objects", '[');
	for (size_t i = 0; i < d->plan->n_ops; i++)
		item_json(&j, &d->items[i]);
	json_close(&j);
	show_notes(&j, "notes", &d->judged);
	for (int i = 0; i < N_FATES; i++)
		json_count(&j, fates[i].word, d->counts[i]);
	json_close(&j);
}

enum status diff_plan(struct plan *p)
{
	struct diff d = {.plan = p};
	enum status status;

	d.items = arena_take_array(p->ctx->arena, p->n_ops, sizeof *d.items);
	status = d.items ? judge(&d) : say_failed(-ENOMEM, NULL);
	for (size_t i = 0; status == STATUS_OK && i < p->n_ops; i++)
		status = compare(&d, i);
	map_fini(&d.relations);
	if (status != STATUS_OK)
		return status;
	if (p->ctx->json)
		diff_json(&d);
	else
		diff_text(&d);
	return d.counts[FATE_SAME] == p->n_ops ? STATUS_OK : STATUS_FAILED;
}
