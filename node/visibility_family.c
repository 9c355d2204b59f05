/* SPDX-License-Identifier: Apache-2.0 */
#include "node/visibility_private.h"

#include "proto/id.h"

struct family *family_find(const struct visibility *v, const char *parent)
{
	return map_get(&v->families, parent);
}

static int get_family(struct visibility *v, const char *parent, struct family **ret)
{
	const size_t size = strlen(parent) + 1;
	struct family *f = family_find(v, parent);

	if (!f) {
		f = calloc(1, sizeof *f + size);
		if (!f)
			return FAIL(-ENOMEM);
		memcpy(f->parent, parent, size);
		if (map_put(&v->families, f->parent, f) < 0) {
			free(f);
			return FAIL(-ENOMEM);
		}
	}
	*ret = f;
	return 0;
}

void family_leave(struct visibility *v, struct subject *s)
{
	for (size_t i = 0; i < s->n_kin; i++) {
		struct kin *k = &s->kin[i];
		*k->back = k->next;
		if (k->next)
			k->next->back = k->back;
		if (!k->family->first)
			free(map_remove(&v->families, k->family->parent));
	}
	free(s->kin);
	s->kin = NULL;
	s->n_kin = 0;
}

static int join_family(struct visibility *v, struct subject *s, const char *parent)
{
	struct kin *k = &s->kin[s->n_kin];
	struct family *f = NULL;

	TRY(get_family(v, parent, &f));
	*k = (struct kin){.next = f->first, .back = &f->first, .family = f, .child = s};
	if (k->next)
		k->next->back = &k->next;
	f->first = k;
	s->n_kin++;
	return 0;
}

/* Each once, though it may be the parent in several hierarchies; what others own never leaves the sight by
 * our policy. */
static size_t own_parents(const struct visibility *v, const struct row *full, const char *ret[PARENTS_MAX])
{
	size_t n = 0;

	for (size_t i = 0; i < full->n_parents && n < PARENTS_MAX; i++) {
		const char *parent = full->parents[i].parent;
		bool known = !id_is_of_org(parent, v->egress->trust->self->org);
		for (size_t k = 0; k < n; k++)
			known |= strcmp(ret[k], parent) == 0;
		if (!known)
			ret[n++] = parent;
	}
	return n;
}

int family_set(struct visibility *v, struct subject *s, const struct row *full)
{
	const char *parents[PARENTS_MAX];
	const size_t n = own_parents(v, full, parents);
	size_t same = 0;

	while (same < n && same < s->n_kin && strcmp(s->kin[same].family->parent, parents[same]) == 0)
		same++;
	if (same == n && n == s->n_kin)
		return 0;
	family_leave(v, s);
	if (n == 0)
		return 0;
	s->kin = calloc(n, sizeof *s->kin);
	if (!s->kin)
		return FAIL(-ENOMEM);
	for (size_t i = 0; i < n; i++)
		TRY(join_family(v, s, parents[i]));
	return 0;
}

void families_fini(struct visibility *v)
{
	size_t at = 0;

	for (struct map_entry *e; (e = map_next(&v->families, &at));)
		free(e->value);
	map_fini(&v->families);
}
