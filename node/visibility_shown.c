/* SPDX-License-Identifier: Apache-2.0 */
#include "node/visibility_private.h"
#include "proto/id.h"

/* ---- Counts and fingerprints ------------------------------------------------------------------------------
 */

static uint32_t face_of(const struct group *g)
{
	return ((uint32_t)g->mask & (ROW_MASK_DISCOVER | ROW_MASK_SUMMARY)) |
	       ((uint32_t)g->digest & ROW_MASK_DIGEST);
}

static int tally_room(struct origin_view *o, uint32_t set)
{
	const size_t n = o->n_tallies ? o->n_tallies * 2 : 16, wanted = set < n ? n : (size_t)set + 1;

	if (set < o->n_tallies)
		return 0;
	struct tally *tallies = realloc(o->tallies, wanted * sizeof *tallies);
	if (!tallies)
		return FAIL(-ENOMEM);
	memset(tallies + o->n_tallies, 0, (wanted - o->n_tallies) * sizeof *tallies);
	o->tallies = tallies;
	o->n_tallies = wanted;
	return 0;
}

/* There is room for its set. */
static void count(const struct subject *s, const struct group *g, bool add)
{
	struct tally *t = &s->origin->tallies[g->set];
	const struct hash128 h = row_hash(s->id, g->version, face_of(g));

	if (!add) {
		fingerprint_remove(&t->fingerprint, &h);
		return;
	}
	fingerprint_add(&t->fingerprint, &h);
	if (g->version.stamp_ns > t->stamp_ns)
		t->stamp_ns = g->version.stamp_ns;
}

static void keep_stamp(struct origin_view *o, uint32_t number, const struct partner_set *set)
{
	if (number >= o->n_tallies)
		return;
	const int64_t stamp_ns = o->tallies[number].stamp_ns;
	for (size_t p = partner_set_next(set, 0); p < PARTNERS_MAX; p = partner_set_next(set, p + 1))
		if (stamp_ns > o->stamps_ns[p])
			o->stamps_ns[p] = stamp_ns;
	o->tallies[number] = (struct tally){0};
}

static void drop_set(struct visibility *v, uint32_t number)
{
	size_t at = 0;

	if (!partner_sets_drop(&v->sets, number))
		return;
	for (struct map_entry *e; (e = map_next(&v->origins, &at));)
		keep_stamp(e->value, number, &v->sets.kept[number].set);
}

void origin_view_sum(const struct visibility *v, const struct origin_view *o, int partner, struct tally *ret)
{
	*ret = (struct tally){.stamp_ns = o->stamps_ns[partner]};
	for (size_t i = 0; i < o->n_tallies && i < v->sets.n; i++) {
		const struct tally *t = &o->tallies[i];
		if (v->sets.kept[i].users == 0 || !partner_set_has(&v->sets.kept[i].set, (size_t)partner))
			continue;
		fingerprint_add(&ret->fingerprint, &t->fingerprint.sum);
		ret->fingerprint.count += t->fingerprint.count - 1;
		ret->stamp_ns = t->stamp_ns > ret->stamp_ns ? t->stamp_ns : ret->stamp_ns;
	}
}

/* ---- Who is to see what -----------------------------------------------------------------------------------
 */

struct sights {
	size_t n;
	struct sight list[PARTNERS_MAX];
};

/* Who may know of a parent: an edge is shown only if both its ends may be discovered, and what another
 * organisation owns, only that one knows. */
static struct partner_set who_knows(const struct visibility *v, const char *parent)
{
	struct partner_set s = {0};

	if (id_is_of_org(parent, v->egress->trust->self->org)) {
		const struct subject *subject = visibility_subject(v, parent);
		return subject ? class_outcome(subject)->all : s;
	}
	for (size_t i = 0; i < v->n_partners; i++)
		if (id_is_of_org(parent, v->partners[i]))
			partner_set_add(&s, i);
	return s;
}

/* Those of a sight who know the parent see one more thing. Sights have no partner in common, so there are
 * never more than partners. */
static void split(struct sights *t, const struct partner_set *know, uint32_t bit)
{
	for (size_t i = 0, n = t->n; i < n; i++) {
		const struct partner_set in = partner_set_and(&t->list[i].set, know),
					 out = partner_set_without(&t->list[i].set, know);
		if (partner_set_is_empty(&in))
			continue;
		if (!partner_set_is_empty(&out))
			t->list[t->n++] = (struct sight){t->list[i].mask, out};
		t->list[i] = (struct sight){t->list[i].mask | bit, in};
	}
}

static void decide_sights(const struct visibility *v, const struct subject *s, const struct row *full,
			  struct sights *ret)
{
	const struct outcome *o = class_outcome(s);

	ret->n = full ? o->n : 0;
	memcpy(ret->list, o->sights, ret->n * sizeof *o->sights);
	for (size_t i = 0; ret->n > 0 && i < full->n_parents; i++) {
		const struct partner_set know = who_knows(v, full->parents[i].parent);
		split(ret, &know, ROW_MASK_PARENT << i);
	}
}

/* ---- From what is shown to what is to be shown ------------------------------------------------------------
 */

struct draft {
	struct partner_set set;
	struct group group;
	bool moved; /* for its partners something has changed */
	bool counted;
};

struct drafts {
	size_t n;
	bool moved;
	struct draft list[PARTNERS_MAX];
};

static void push(struct drafts *d, const struct partner_set *set, const struct group *group, bool moved)
{
	if (partner_set_is_empty(set))
		return;
	d->list[d->n++] = (struct draft){.set = *set, .group = *group, .moved = moved};
	d->moved |= moved;
}

static int draft_sight(const struct visibility *v, const struct subject *s, const struct row *full,
		       const struct sight *sight, struct drafts *d)
{
	/* whoever it is of those, without a token they are the same */
	const struct audience to = audience_of(v->partners[partner_set_next(&sight->set, 0)]);
	struct partner_set left = sight->set;
	struct row row;
	uint64_t digest;

	TRY(egress_row(v->egress, &to, full, sight->mask, v->scratch, &row));
	TRY(egress_digest(&row, &digest));
	for (size_t i = 0; i < s->n_groups; i++) {
		struct group g = s->groups[i];
		if (g.mask == 0 || g.digest != digest)
			continue;
		const struct partner_set *had = &v->sets.kept[g.set].set, same = partner_set_and(&left, had);
		g.mask = sight->mask; /* what is hidden may have moved the places of what is not */
		push(d, &same, &g, false);
		left = partner_set_without(&left, had);
	}
	const struct group fresh = {.digest = digest, .version = full->version, .mask = sight->mask};
	push(d, &left, &fresh, true);
	return 0;
}

/* The version stays: the retraction is as new as the row it takes back, and tells of nothing later. */
static void draft_unseen(const struct visibility *v, const struct subject *s, const struct partner_set *seen,
			 struct drafts *d)
{
	for (size_t i = 0; i < s->n_groups; i++) {
		struct group g = s->groups[i];
		const bool hides = g.mask != 0;
		const struct partner_set set = partner_set_without(&v->sets.kept[g.set].set, seen);
		g.mask = 0;
		g.digest = 0;
		push(d, &set, &g, hides);
	}
}

static void drop_sets(struct visibility *v, const struct drafts *d, size_t n)
{
	for (size_t i = 0; i < n; i++)
		drop_set(v, d->list[i].group.set);
}

static int take_sets(struct visibility *v, struct origin_view *o, struct drafts *d)
{
	for (size_t i = 0; i < d->n; i++) {
		struct draft *draft = &d->list[i];
		int r = partner_sets_take(&v->sets, &draft->set, &draft->group.set);
		if (r == 0) {
			r = tally_room(o, draft->group.set);
			if (r < 0)
				drop_set(v, draft->group.set);
		}
		if (r < 0) {
			drop_sets(v, d, i);
			return r;
		}
	}
	return 0;
}

/* Is a group, as it is counted, also among the drafts? */
static bool stays(const struct group *g, struct drafts *d)
{
	for (size_t i = 0; i < d->n; i++) {
		const struct group *next = &d->list[i].group;
		if (next->mask != 0 && next->set == g->set && face_of(next) == face_of(g)) {
			d->list[i].counted = true;
			return true;
		}
	}
	return false;
}

static void replace_groups(struct visibility *v, struct subject *s, struct drafts *d, struct group *groups)
{
	for (size_t i = 0; i < s->n_groups; i++)
		if (s->groups[i].mask != 0 && !stays(&s->groups[i], d))
			count(s, &s->groups[i], false);
	for (size_t i = 0; i < d->n; i++) {
		groups[i] = d->list[i].group;
		if (groups[i].mask != 0 && !d->list[i].counted)
			count(s, &groups[i], true);
	}
	for (size_t i = 0; i < s->n_groups; i++)
		drop_set(v, s->groups[i].set);
	free(s->groups);
	s->groups = groups;
	s->n_groups = (uint16_t)d->n;
}

static int apply(struct visibility *v, struct subject *s, struct drafts *d)
{
	SCOPED(scope_free) struct group *groups = calloc(d->n + 1, sizeof *groups);

	if (!groups)
		return FAIL(-ENOMEM);
	TRY(take_sets(v, s->origin, d));
	if (d->moved) {
		const int r = order_put(&s->origin->order, s, v->place + 1, s->origin->followed);
		if (r < 0) {
			drop_sets(v, d, d->n);
			return r;
		}
		v->place++;
	}
	for (size_t i = 0; i < d->n; i++)
		if (d->list[i].moved)
			d->list[i].group.place = v->place;
	replace_groups(v, s, d, groups);
	groups = NULL;
	return 0;
}

int subject_show(struct visibility *v, struct subject *s, const struct row *full)
{
	struct sights sights;
	struct drafts drafts;
	struct partner_set seen = {0};

	drafts.n = 0;
	drafts.moved = false;
	v->n_decided++;
	decide_sights(v, s, full, &sights);
	if (sights.n == 0 && s->n_groups == 0)
		return 0;
	for (size_t i = 0; i < sights.n; i++) {
		TRY(draft_sight(v, s, full, &sights.list[i], &drafts));
		partner_set_join(&seen, &sights.list[i].set);
	}
	draft_unseen(v, s, &seen, &drafts);
	return apply(v, s, &drafts);
}

/* Another owner of the organisation has it now: under the old one nothing of it is in sight any more. */
int subject_move(struct visibility *v, struct subject *s, struct origin_view *origin)
{
	if (s->origin == origin)
		return 0;
	for (size_t i = 0; i < s->n_groups; i++)
		TRY(tally_room(origin, s->groups[i].set));
	for (size_t i = 0; i < s->n_groups; i++) {
		struct group *g = &s->groups[i];
		if (g->mask != 0)
			count(s, g, false);
		g->mask = 0;
	}
	(void)v;
	order_take(&s->origin->order, s);
	s->origin = origin;
	return 0;
}

bool group_read(const struct visibility *v, const struct subject *s, int partner, struct shown *ret)
{
	for (size_t i = 0; i < s->n_groups; i++) {
		const struct group *g = &s->groups[i];
		if (!partner_set_has(&v->sets.kept[g->set].set, (size_t)partner))
			continue;
		*ret = (struct shown){.id = s->id,
				      .mask = g->mask,
				      .face = g->mask != 0 ? face_of(g) : 0,
				      .version = g->version,
				      .place = g->place,
				      .latest = s->place};
		return true;
	}
	return false;
}
