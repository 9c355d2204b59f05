/* SPDX-License-Identifier: Apache-2.0 */
#include "node/audience.h"

struct audience audience_of(const char *org)
{
	return (struct audience){.org = org};
}

int audience_ask(const struct audience *to, bool own, struct question *q)
{
	if (to->nobody)
		return FAIL(ERR_DENIED);
	q->asker = own ? "" : to->org;
	q->person = to->credential;
	q->errand = to->errand;
	return 0;
}

static int copy_bytes(struct arena *a, struct bytes from, struct bytes *ret)
{
	uint8_t *copy = arena_take(a, from.len);

	if (!copy)
		return FAIL(-ENOMEM);
	if (from.len > 0)
		memcpy(copy, from.data, from.len);
	*ret = (struct bytes){copy, from.len};
	return 0;
}

int audience_copy(struct arena *a, const struct audience *from, struct audience *ret)
{
	const char **roles = arena_take_array(a, from->n_roles, sizeof *roles);
	struct audience to = *from;

	to.org = arena_copy(a, from->org);
	to.person = arena_copy(a, from->person);
	if (!roles || !to.org || (from->person && !to.person))
		return FAIL(-ENOMEM);
	for (size_t i = 0; i < from->n_roles; i++) {
		roles[i] = arena_copy(a, from->roles[i]);
		if (!roles[i])
			return FAIL(-ENOMEM);
	}
	to.roles = roles;
	TRY(copy_bytes(a, from->credential, &to.credential));
	TRY(copy_bytes(a, from->errand, &to.errand));
	*ret = to;
	return 0;
}
