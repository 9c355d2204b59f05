/* SPDX-License-Identifier: Apache-2.0 */
/* Apply - make types, twins, relations, memberships and readings of a file so, all or nothing:
 * holon-apply(5). */
#include "tools/change.h"
#include "tools/document.h"
#include "tools/schema.h"

struct plan {
	struct context *ctx;
	struct schema schema;
	struct type_def *types;
	size_t n_types;
	struct op *ops;
	const char **places; /* of each op, for what the node refuses */
	size_t n_ops, n_places;
	enum status status; /* of a failure that has been said already */
};

/* `s` is an item of a list of the document. */
static struct op *add(struct plan *p, enum op_kind kind, const struct spot *s)
{
	const char *place = arena_print(p->ctx->arena, "%s: %s[%zu]", s->file, s->up->key, s->index);
	const char **kept = arena_push(p->ctx->arena, &p->places, &p->n_places, sizeof *kept);
	struct op *op = arena_push(p->ctx->arena, &p->ops, &p->n_ops, sizeof *op);

	if (!place || !kept || !op)
		return NULL;
	*kept = place;
	op->kind = kind;
	return op;
}

/* A twin need not repeat the kind of its type, whether the type is in the file or at the node. */
static bool kind_of_type(void *ctx, const char *type, enum kind *ret)
{
	struct plan *p = ctx;
	struct type_def found;

	for (size_t i = 0; i < p->n_types; i++)
		if (strcmp(p->types[i].name, type) == 0) {
			*ret = p->types[i].kind;
			return true;
		}
	p->status = type_named(p->ctx, type, &found);
	if (p->status != STATUS_OK)
		return false;
	*ret = found.kind;
	return true;
}

static int plan_types(struct plan *p, const struct spot *root, struct err_note *note)
{
	const struct spot list = spot_key(root, "types");

	TRY(document_types(p->ctx->arena, &list, &p->types, &p->n_types, note));
	for (size_t i = 0; i < p->n_types; i++) {
		const struct spot item = spot_item(&list, i);
		struct op *op = add(p, OP_TYPE, &item);
		if (!op)
			return FAIL(-ENOMEM);
		op->type = p->types[i];
	}
	return 0;
}

static int plan_twin(struct plan *p, const struct spot *s, struct err_note *note)
{
	struct op *op = add(p, OP_TWIN, s);

	if (!op)
		return FAIL(-ENOMEM);
	return document_twin(p->ctx->arena, s, kind_of_type, p, &op->twin, note);
}

static int plan_relation(struct plan *p, const struct spot *s, struct err_note *note)
{
	struct op *op = add(p, OP_RELATION, s);

	if (!op)
		return FAIL(-ENOMEM);
	return document_relation(s, &op->relation, note);
}

static int plan_membership(struct plan *p, const struct spot *s, struct err_note *note)
{
	struct op *op = add(p, OP_MEMBERSHIP, s);

	if (!op)
		return FAIL(-ENOMEM);
	return document_membership(s, p->ctx->now_ns, &op->membership, note);
}

/* Which type of value the property wants, says this file or the node. */
static int wanted(struct plan *p, const struct reading *r, enum value_type *ret)
{
	for (size_t i = 0; i < p->n_types; i++) {
		const struct property_def *def = type_property(&p->types[i], r->property, NULL);
		if (def) {
			*ret = def->type;
			return 0;
		}
	}
	p->status = schema_wanted(&p->schema, r->twin, r->property, ret);
	return p->status == STATUS_OK ? 0 : FAIL(ERR_UNREACHABLE);
}

static int plan_sample(struct plan *p, const struct spot *s, struct err_note *note)
{
	struct sample *sample = arena_take(p->ctx->arena, sizeof *sample);
	struct op *op = add(p, OP_SAMPLES, s);
	enum value_type type;
	struct reading r;

	if (!sample || !op)
		return FAIL(-ENOMEM);
	TRY(document_reading(s, p->ctx->now_ns, &r, note));
	TRY(wanted(p, &r, &type));
	if (type != VALUE_NONE)
		value_fit(&r.sample.value, type);
	*sample = r.sample;
	op->samples = (struct op_samples){r.twin, r.property, sample, 1};
	return 0;
}

typedef int plan_fn(struct plan *p, const struct spot *s, struct err_note *note);

static int plan_list(struct plan *p, const struct spot *root, const char *key, plan_fn *each,
		     struct err_note *note)
{
	const struct spot list = spot_key(root, key);
	size_t n;

	TRY(in_list(&list, &n, note));
	for (size_t i = 0; i < n; i++) {
		const struct spot item = spot_item(&list, i);
		TRY(each(p, &item, note));
	}
	return 0;
}

static int plan(struct plan *p, const struct spot *root, struct err_note *note)
{
	static const char *const keys[] = {"types", "twins", "relations", "memberships", "samples", NULL};

	TRY(in_object(root, keys, note));
	TRY(plan_types(p, root, note));
	TRY(plan_list(p, root, "twins", plan_twin, note));
	TRY(plan_list(p, root, "relations", plan_relation, note));
	TRY(plan_list(p, root, "memberships", plan_membership, note));
	TRY(plan_list(p, root, "samples", plan_sample, note));
	if (p->n_ops > OPS_MAX)
		return spot_fail(root, note,
				 "%zu changes are more than the %d that a node makes at once: split the file",
				 p->n_ops, OPS_MAX);
	return 0;
}

static const struct flag apply_flags[] = {
	{"dry-run", NULL, "say what would change, and change nothing", false}, {0}};

static enum status apply_json(struct context *ctx, const struct spot *root)
{
	struct plan p = {.ctx = ctx, .schema = {.ctx = ctx}};
	struct err_note note = {0};
	const int r = plan(&p, root, &note);

	schema_fini(&p.schema);
	if (p.status != STATUS_OK)
		return p.status;
	return r < 0 ? say_usage(&note) : change(ctx, p.ops, p.n_ops, p.places, flag_given(ctx, "dry-run"));
}

static enum status apply_run(struct context *ctx, int argc, char *const argv[])
{
	SCOPED(scope_json) json_t *json = NULL;
	struct err_note note = {0};

	(void)argc;
	if (json_load_document(argv[0], &json, &note) < 0)
		return say_usage(&note);
	return apply_json(ctx, &(struct spot){.file = document_name(argv[0]), .json = json});
}

const struct command cmd_apply[] = {
	{.name = "apply",
	 .args = "FILE.json [--dry-run]",
	 .summary = "make what a file says so, all or nothing",
	 .flags = apply_flags,
	 .min_args = 1,
	 .max_args = 1,
	 .run = apply_run},
	{0},
};
