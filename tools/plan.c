/* SPDX-License-Identifier: Apache-2.0 */
#include "tools/plan.h"

#include <dirent.h>
#include <stdlib.h>
#include <sys/stat.h>

#include "tools/change.h"
#include "tools/document.h"

/* `s` is an item of a list of the document. */
static const char *place_of(struct plan *p, const struct spot *s)
{
	return arena_print(p->ctx->arena, "%s: %s[%zu]", s->file, s->up->key, s->index);
}

static struct op *add(struct plan *p, enum op_kind kind, const char *place)
{
	const char **kept = arena_push(p->ctx->arena, &p->places, &p->n_places, sizeof *kept);
	struct op *op = arena_push(p->ctx->arena, &p->ops, &p->n_ops, sizeof *op);

	if (!place || !kept || !op)
		return NULL;
	*kept = place;
	op->kind = kind;
	return op;
}

/* ---- Types ------------------------------------------------------------------------------------------------
 */

static const struct type_def *type_in_plan(const struct plan *p, const char *name)
{
	for (size_t i = 0; i < p->n_types; i++)
		if (strcmp(p->types[i].name, name) == 0)
			return &p->types[i];
	return NULL;
}

/* Neither a twin nor a type need repeat the kind of its type, whether that is in a file or at the node. */
static bool kind_of_type(void *ctx, const char *type, enum kind *ret)
{
	struct plan *p = ctx;
	const struct type_def *planned = type_in_plan(p, type);
	struct type_def found;

	if (!planned) {
		p->status = type_named(p->ctx, type, &found, NULL);
		if (p->status != STATUS_OK)
			return false;
		planned = &found;
	}
	*ret = planned->kind;
	return true;
}

static int read_types(struct plan *p, const struct spot *root, struct err_note *note)
{
	const struct spot list = spot_key(root, "types");
	struct type_def *types;
	size_t n;

	TRY(document_types(p->ctx->arena, &list, kind_of_type, p, &types, &n, note));
	for (size_t i = 0; i < n; i++) {
		const struct spot item = spot_item(&list, i);
		struct type_def *t = arena_push(p->ctx->arena, &p->types, &p->n_types, sizeof *t);
		const char **place =
			arena_push(p->ctx->arena, &p->type_places, &p->n_type_places, sizeof *place);
		if (!t || !place)
			return FAIL(-ENOMEM);
		*t = types[i];
		*place = place_of(p, &item);
	}
	return 0;
}

/* A type behind the one it extends. Where types extend each other in a ring, the node says so. */
static int plan_type(struct plan *p, size_t at, bool *planned, int depth)
{
	const struct type_def *parent = type_in_plan(p, p->types[at].parent);
	struct op *op;

	if (planned[at])
		return 0;
	if (parent && depth < TYPE_DEPTH_MAX)
		TRY(plan_type(p, (size_t)(parent - p->types), planned, depth + 1));
	if (planned[at])
		return 0;
	planned[at] = true;
	op = add(p, OP_TYPE, p->type_places[at]);
	if (!op)
		return FAIL(-ENOMEM);
	op->type = p->types[at];
	return 0;
}

static int plan_types(struct plan *p)
{
	bool *planned = arena_take_array(p->ctx->arena, p->n_types, sizeof *planned);

	if (!planned)
		return FAIL(-ENOMEM);
	for (size_t i = 0; i < p->n_types; i++)
		TRY(plan_type(p, i, planned, 0));
	return 0;
}

/* ---- The rest of a file -----------------------------------------------------------------------------------
 */

static int plan_twin(struct plan *p, const struct spot *s, struct err_note *note)
{
	struct op *op = add(p, OP_TWIN, place_of(p, s));

	if (!op)
		return FAIL(-ENOMEM);
	return document_twin(p->ctx->arena, s, kind_of_type, p, &op->twin, note);
}

static int plan_relation(struct plan *p, const struct spot *s, struct err_note *note)
{
	struct op *op = add(p, OP_RELATION, place_of(p, s));

	if (!op)
		return FAIL(-ENOMEM);
	return document_relation(s, &op->relation, note);
}

static int plan_membership(struct plan *p, const struct spot *s, struct err_note *note)
{
	struct op *op = add(p, OP_MEMBERSHIP, place_of(p, s));

	if (!op)
		return FAIL(-ENOMEM);
	return document_membership(s, p->ctx->now_ns, &op->membership, note);
}

/* A settable property brings its desired one. */
static const struct property_def *declared_property(const struct type_def *type, const char *name)
{
	static const char desired[] = "desired/";
	const size_t len = sizeof desired - 1;
	const struct property_def *p = type_property(type, name, NULL);

	if (p || strncmp(name, desired, len) != 0)
		return p;
	p = type_property(type, name + len, NULL);
	return p && p->settable ? p : NULL;
}

/* Which type of value the property wants, says a file or the node. */
static int wanted(struct plan *p, const struct reading *r, enum value_type *ret)
{
	for (size_t i = 0; i < p->n_types; i++) {
		const struct property_def *def = declared_property(&p->types[i], r->property);
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
	struct op *op = add(p, OP_SAMPLES, place_of(p, s));
	enum value_type type;
	struct reading r;

	if (!sample || !op)
		return FAIL(-ENOMEM);
	TRY(document_reading(s, p->ctx->now_ns, &r, note));
	TRY(wanted(p, &r, &type));
	if (type != VALUE_NONE)
		value_fit(&r.sample.value, type);
	*sample = r.sample;
	op->samples = (struct op_samples){.twin = r.twin, .property = r.property, .samples = sample, .n = 1};
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

/* In this order over all files: each leans on those above it. */
static const struct {
	const char *key;
	plan_fn *each;
} lists[] = {
	{"twins", plan_twin},
	{"relations", plan_relation},
	{"memberships", plan_membership},
	{"samples", plan_sample},
};

/* ---- Files ------------------------------------------------------------------------------------------------
 */

static int load_file(struct plan *p, const char *path, struct spot **roots, size_t *n_roots,
		     struct err_note *note)
{
	static const char *const keys[] = {"types", "twins", "relations", "memberships", "samples", NULL};
	json_t **json = arena_push(p->ctx->arena, &p->files, &p->n_files, sizeof *json);
	struct spot *root = arena_push(p->ctx->arena, roots, n_roots, sizeof *root);

	if (!json || !root)
		return FAIL(-ENOMEM);
	*json = NULL;
	TRY(json_load_document(path, json, note));
	*root = (struct spot){.file = document_name(path), .json = *json};
	return in_object(root, keys, note);
}

static int is_json_file(const struct dirent *e)
{
	const size_t len = strlen(e->d_name);

	return e->d_name[0] != '.' && len > 5 && strcmp(e->d_name + len - 5, ".json") == 0;
}

static int load_directory(struct plan *p, const char *path, struct spot **roots, size_t *n_roots,
			  struct err_note *note)
{
	struct dirent **found = NULL;
	const int n = scandir(path, &found, is_json_file, alphasort);
	int r = 0;

	if (n < 0)
		return FAIL_SAY(note, -errno, "%s: %s", path, err_text(-errno));
	for (int i = 0; i < n && r == 0; i++) {
		const char *file = arena_print(p->ctx->arena, "%s/%s", path, found[i]->d_name);
		r = file ? load_file(p, file, roots, n_roots, note) : FAIL(-ENOMEM);
	}
	for (int i = 0; i < n; i++)
		free(found[i]);
	free((void *)found);
	return r == 0 && n == 0 ? FAIL_SAY(note, ERR_REFUSED, "%s: no *.json file in it", path) : r;
}

static bool is_directory(const char *path)
{
	struct stat st;

	return strcmp(path, "-") != 0 && stat(path, &st) == 0 && S_ISDIR(st.st_mode);
}

static int plan_all(struct plan *p, int n, char *const paths[], struct err_note *note)
{
	struct spot *roots = NULL;
	size_t n_roots = 0;

	for (int i = 0; i < n; i++)
		TRY(is_directory(paths[i]) ? load_directory(p, paths[i], &roots, &n_roots, note)
					   : load_file(p, paths[i], &roots, &n_roots, note));
	for (size_t i = 0; i < n_roots; i++)
		TRY(read_types(p, &roots[i], note));
	TRY(plan_types(p));
	for (size_t i = 0; i < sizeof lists / sizeof *lists; i++)
		for (size_t f = 0; f < n_roots; f++)
			TRY(plan_list(p, &roots[f], lists[i].key, lists[i].each, note));
	if (p->n_ops > OPS_MAX)
		return FAIL_SAY(note, ERR_REFUSED,
				"%zu changes are more than the %d that a node makes at once: split them",
				p->n_ops, OPS_MAX);
	return 0;
}

enum status plan_files(struct context *ctx, int n, char *const paths[], struct plan *ret)
{
	struct err_note note = {0};

	*ret = (struct plan){.ctx = ctx, .schema = {.ctx = ctx}};
	const int r = plan_all(ret, n, paths, &note);
	if (ret->status != STATUS_OK)
		return ret->status;
	return r < 0 ? say_usage(&note) : STATUS_OK;
}

void plan_fini(struct plan *p)
{
	schema_fini(&p->schema);
	for (size_t i = 0; i < p->n_files; i++)
		json_decref(p->files[i]);
}
