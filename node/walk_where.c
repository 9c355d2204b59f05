/* SPDX-License-Identifier: Apache-2.0 */
#include "node/walk_private.h"

int walk_where_begin(struct walk *w)
{
	const char *const text = w->q->where ? w->q->where : "";

	if (text[0] == '\0')
		return 0;
	const int r = expr_parse(w->arena, text, &w->where, NULL);
	return r == -ENOMEM || r == 0 ? r : FAIL(ERR_MALFORMED);
}

struct asking {
	struct walk *w;
	struct holder *h;
	int failed;
};

static bool property_of(void *ctx, size_t slot, const char *name, struct sample *ret, const char **ret_unit)
{
	struct asking *a = ctx;
	bool has = false;

	(void)name;
	if (a->failed == 0)
		a->failed = walk_value(a->w, a->h, a->w->needs.where + slot, ret, ret_unit, &has);
	return has;
}

/* Unknown to the asker is unknown to the expression, whatever the twin says. */
int walk_selects(struct walk *w, struct holder *h, const struct expr_twin *face, bool *ret)
{
	struct asking asking = {.w = w, .h = h};
	struct expr_twin twin = *face;

	*ret = true;
	if (!w->where)
		return 0;
	if (!h->sight->summary && (expr_uses(w->where, EXPR_NAME) || expr_uses(w->where, EXPR_LIFE) ||
				   expr_uses(w->where, EXPR_HEALTH) || expr_uses(w->where, EXPR_TAG))) {
		*ret = false;
		return 0;
	}
	twin.property = property_of;
	twin.ctx = &asking;
	*ret = expr_truth(w->where, &twin) == TRUTH_TRUE;
	return asking.failed;
}
