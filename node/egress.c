/* SPDX-License-Identifier: Apache-2.0 */
#include "node/egress.h"

#include "node/summary.h"
#include "node/tap.h"
#include "proto/id.h"

bool egress_is_own(const struct egress *e, const char *org)
{
	return org[0] == '\0' || strcmp(org, e->trust->own.org.manifest.org) == 0;
}

static bool decide(const struct egress *e, const char *org, enum right right, const struct row *full,
		   const char *property)
{
	const struct policy_twin twin = {.id = full->id,
					 .type = full->type,
					 .tags = (const char *const *)full->tags,
					 .n_tags = full->n_tags};
	const struct policy_query q = {.org = org,
				       .right = right,
				       .twin = &twin,
				       .property = property,
				       .now_ns = trust_now(e->trust)};

	if (egress_is_own(e, org) || tap_egress_off())
		return true;
	return e->trust->policy && policy_allows(e->trust->policy, &q, NULL);
}

bool egress_discovers(const struct egress *e, const char *org, const struct row *full)
{
	return decide(e, org, RIGHT_DISCOVER, full, NULL);
}

bool egress_allows(const struct egress *e, const char *org, enum right right, const struct row *full,
		   const char *property)
{
	return decide(e, org, right, full, property);
}

bool egress_history(const struct egress *e, const char *org, const struct row *full, const char *property,
		    int64_t *ret_last_ns, int64_t *ret_step_ns)
{
	const struct policy_twin twin = {.id = full->id,
					 .type = full->type,
					 .tags = (const char *const *)full->tags,
					 .n_tags = full->n_tags};
	const struct policy_query q = {.org = org,
				       .right = RIGHT_HISTORY,
				       .twin = &twin,
				       .property = property,
				       .now_ns = trust_now(e->trust)};

	*ret_last_ns = *ret_step_ns = 0;
	if (egress_is_own(e, org) || tap_egress_off())
		return true;
	return e->trust->policy && policy_history_window(e->trust->policy, &q, ret_last_ns, ret_step_ns);
}

/* An edge is shown only if both its ends may be discovered; what another organisation owns, only that one
 * knows. */
static bool shows_parent(const struct egress *e, const char *org, const char *parent)
{
	SCOPED(scope_arena) struct arena *a = NULL;
	struct row row;

	if (id_is_of_org(parent, org))
		return true;
	if (!id_is_of_org(parent, e->trust->own.org.manifest.org))
		return false;
	if (arena_new(&a, 1 << 20) < 0 || egress_full_row(e, parent, a, &row) < 0)
		return false;
	return egress_discovers(e, org, &row);
}

uint32_t egress_mask(const struct egress *e, const char *org, const struct row *full)
{
	uint32_t mask = ROW_MASK_DISCOVER;

	if (egress_is_own(e, org))
		return ROW_MASK_ALL;
	if (full->deleted || !egress_discovers(e, org, full))
		return 0;
	const bool summary = egress_allows(e, org, RIGHT_SUMMARY, full, NULL);
	if (summary)
		mask |= ROW_MASK_SUMMARY;
	for (size_t i = 0; i < full->n_kpis; i++) {
		const char *property = full->kpis[i].property;
		if ((summary && egress_allows(e, org, RIGHT_SUMMARY, full, property)) ||
		    egress_allows(e, org, RIGHT_READ, full, property))
			mask |= (uint32_t)ROW_MASK_KPI << i;
	}
	for (size_t i = 0; i < full->n_parents; i++)
		if (shows_parent(e, org, full->parents[i].parent))
			mask |= (uint32_t)ROW_MASK_PARENT << i;
	return mask;
}

int egress_row(const struct row *full, uint32_t mask, struct arena *a, struct row *ret)
{
	struct row r = *full;

	if (mask == ROW_MASK_ALL) {
		*ret = r;
		return 0;
	}
	r.mask = mask & (ROW_MASK_DISCOVER | ROW_MASK_SUMMARY);
	r.version = (struct row_version){0};
	r.seq = 0;
	r.n_kpis = r.n_parents = 0;
	r.kpis = arena_take_array(a, full->n_kpis, sizeof *r.kpis);
	r.parents = arena_take_array(a, full->n_parents, sizeof *r.parents);
	if (!r.kpis || !r.parents)
		return FAIL(-ENOMEM);
	for (size_t i = 0; i < full->n_kpis; i++)
		if (mask & (uint32_t)ROW_MASK_KPI << i)
			r.kpis[r.n_kpis++] = full->kpis[i];
	for (size_t i = 0; i < full->n_parents; i++)
		if (mask & (uint32_t)ROW_MASK_PARENT << i)
			r.parents[r.n_parents++] = full->parents[i];
	if (!(mask & ROW_MASK_SUMMARY)) {
		r.name = "";
		r.life = LIFE_DESIGN;
		r.health = HEALTH_UNKNOWN;
		r.n_tags = 0;
	}
	*ret = r;
	return 0;
}

int egress_digest(struct row *shown, uint64_t *ret)
{
	SCOPED(buf_fini) struct buf encoded = {0};

	row_encode(shown, &encoded);
	TRY(buf_check(&encoded));
	*ret = hash64("shown", buf_bytes(&encoded), (struct bytes){0});
	shown->mask |= (uint32_t)*ret & ROW_MASK_DIGEST;
	return 0;
}

int egress_full_row(const struct egress *e, const char *id, struct arena *a, struct row *ret)
{
	const struct twin *t = store_twin(e->store, id);
	const struct remote_row *remote = t ? NULL : store_row(e->store, id);

	if (t)
		return summary_row(e->store, t, a, ret);
	if (!remote || remote->mask != ROW_MASK_ALL)
		return FAIL(ERR_ABSENT);
	TRY(row_decode(a, remote->encoded, ret));
	return ret->deleted ? FAIL(ERR_ABSENT) : 0;
}

int egress_refuse(const struct egress *e, const char *org, const char *id, struct err_note *note)
{
	const char *own = e->trust->own.org.manifest.org;

	if (egress_is_own(e, org))
		return FAIL_SAY(note, ERR_ABSENT, "%s: no such twin or property", id);
	return FAIL_SAY(note, ERR_DENIED, "%s: not shared with you or not there; ask %s", id, own);
}

const char *egress_rule(const struct egress *e, const char *org, enum right right, const struct row *full,
			const char *property)
{
	const struct policy_twin twin = {.id = full->id,
					 .type = full->type,
					 .tags = (const char *const *)full->tags,
					 .n_tags = full->n_tags};
	const struct policy_query q = {.org = org,
				       .right = right,
				       .twin = &twin,
				       .property = property,
				       .now_ns = trust_now(e->trust)};
	struct policy_ruling ruling = {0};

	if (e->trust->policy)
		(void)policy_ruling(e->trust->policy, &q, &ruling);
	return ruling.title ? ruling.title : "";
}
