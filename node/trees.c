/* SPDX-License-Identifier: Apache-2.0 */
#include "node/trees.h"

#include <stdio.h>

#include "proto/clock.h"
#include "proto/id.h"
#include "proto/row.h"

enum { TREES_OF_KIND = 8, TREES_OF_PARTNER = 4, LOOK_AT_CLOCK = 256 };
enum { REST = 3, WORTH = 30 };

/* Nobody's repairs take away the trees of others: what partners are shown, what the own organisation is
 * shown, and what is held here have places of their own. */
enum place { OF_PARTNERS, OF_OWN, OF_HELD, N_PLACES };

#define TREES_BYTES_MAX ((size_t)256 << 20)
#define KEPT_NS (30 * NS_PER_S)
#define FRESH_NS (2 * NS_PER_S)
#define SLICE_NS (10 * NS_PER_MS)
#define REST_FROM_NS NS_PER_MS
#define IN_USE_NS (3 * NS_PER_S) /* at most, behind the last question */

struct slot {
	struct tree *tree; /* NULL: free */
	bool held, done;
	char audience[ORG_NAME_MAX + 1];
	char origin[ORG_NAME_MAX + NODE_NAME_MAX + 2];
	char after[TWIN_ID_MAX + 1]; /* gone through up to here, by id */
	uint64_t run;
	struct tree_base base;
	int64_t done_ns, used_ns;
	int64_t spent_ns; /* on making it */
};

struct trees {
	struct slot slots[N_PLACES][TREES_OF_KIND];
	int64_t rest_ns; /* nothing is made before: however many ask, most of the time is for the others */
};

int trees_new(struct trees **ret)
{
	struct trees *t = calloc(1, sizeof *t);

	*ret = t;
	return t ? 0 : FAIL(-ENOMEM);
}

static void drop(struct slot *s)
{
	tree_free(s->tree);
	*s = (struct slot){0};
}

void trees_free(struct trees *t)
{
	if (!t)
		return;
	for (size_t i = 0; i < (size_t)N_PLACES * TREES_OF_KIND; i++)
		drop(&t->slots[0][0] + i);
	free(t);
}

static bool is_over(const struct slot *s, int64_t now_ns)
{
	return now_ns - (s->done ? s->done_ns : s->used_ns) > KEPT_NS;
}

void trees_expire(struct trees *t, int64_t now_ns)
{
	for (size_t i = 0; t && i < (size_t)N_PLACES * TREES_OF_KIND; i++) {
		struct slot *s = &t->slots[0][0] + i;
		if (s->tree && is_over(s, now_ns))
			drop(s);
	}
}

/* Somebody is likely to ask again, and it took long enough to make: if the next one took its place, and that
 * one's place the one after, none would ever be done. */
static bool is_in_use(const struct slot *s, int64_t now_ns)
{
	const int64_t worth_ns = s->done ? s->spent_ns * WORTH : IN_USE_NS;

	return s->tree && !is_over(s, now_ns) &&
	       now_ns - s->used_ns < (worth_ns < IN_USE_NS ? worth_ns : IN_USE_NS);
}

/* ---- Which one -------------------------------------------------------------------------------------------
 */

static bool is_of(const struct slot *s, const struct tree_wish *w)
{
	return s->tree && s->held == !w->audience && strcmp(s->origin, w->origin) == 0 &&
	       (!w->audience || strcmp(s->audience, w->audience) == 0);
}

static bool has_moved(const struct slot *s, const struct tree_wish *w)
{
	return w->audience[0] != '\0' ? s->base.end != w->now.end : s->base.seq != w->now.seq;
}

static bool is_good(const struct slot *s, const struct tree_wish *w, int64_t now_ns)
{
	if (is_over(s, now_ns) || s->run != w->run)
		return false;
	if (!w->audience)
		return true;
	if (s->base.incarnation != w->now.incarnation || s->base.epoch != w->now.epoch ||
	    s->base.seq < w->floor)
		return false;
	return !s->done || !w->begins || now_ns - s->done_ns <= FRESH_NS || !has_moved(s, w);
}

static enum place place_of(const struct tree_wish *w)
{
	if (!w->audience)
		return OF_HELD;
	return w->audience[0] == '\0' ? OF_OWN : OF_PARTNERS;
}

/* Has a partner as many as it may? Then one of its own makes place. */
static bool has_enough(const struct slot *slots, const struct tree_wish *w)
{
	size_t n = 0;

	for (size_t i = 0; i < TREES_OF_KIND && place_of(w) == OF_PARTNERS; i++)
		n += slots[i].tree && strcmp(slots[i].audience, w->audience) == 0;
	return n >= TREES_OF_PARTNER;
}

/* The one for this wish, or the one to make place; NULL: all are in use. */
static struct slot *find_slot(struct trees *t, const struct tree_wish *w, int64_t now_ns)
{
	struct slot *slots = t->slots[place_of(w)], *oldest = NULL;
	const bool enough = has_enough(slots, w);

	for (size_t i = 0; i < TREES_OF_KIND; i++) {
		struct slot *s = &slots[i];
		if (is_of(s, w))
			return s;
		if (is_in_use(s, now_ns) || (enough && (!s->tree || strcmp(s->audience, w->audience) != 0)))
			continue;
		if (!oldest || !s->tree || (oldest->tree && s->used_ns < oldest->used_ns))
			oldest = s;
	}
	if (oldest)
		drop(oldest);
	return oldest;
}

/* False: there is no memory for this one while others are in use. */
static bool bound_bytes(struct trees *t, const struct slot *keep, int64_t now_ns)
{
	size_t bytes = tree_bytes(keep->tree), others = 0;

	for (size_t i = 0; i < (size_t)N_PLACES * TREES_OF_KIND; i++) {
		struct slot *s = &t->slots[0][0] + i;
		if (!s->tree || s == keep)
			continue;
		if (bytes + others + tree_bytes(s->tree) > TREES_BYTES_MAX && !is_in_use(s, now_ns))
			drop(s);
		else
			others += tree_bytes(s->tree);
	}
	return others == 0 || bytes + others <= TREES_BYTES_MAX;
}

/* ---- Making ----------------------------------------------------------------------------------------------
 */

static int begin(struct slot *s, const struct tree_wish *w)
{
	drop(s);
	TRY(tree_new(&s->tree));
	s->held = !w->audience;
	snprintf(s->audience, sizeof s->audience, "%s", w->audience ? w->audience : "");
	snprintf(s->origin, sizeof s->origin, "%s", w->origin);
	s->run = w->run;
	s->base = w->now;
	return 0;
}

static int add(const struct engine *e, struct slot *s, const char *id, struct row_version version,
	       uint32_t mask)
{
	struct shown shown;

	if (!s->held && s->audience[0] != '\0') {
		if (!visibility_shown(e->visibility, s->audience, id, &shown) || shown.mask == 0)
			return 0;
		version = shown.version;
		mask = shown.face;
	}
	const struct hash128 h = row_hash(id, version, mask);
	return tree_add(s->tree, id, &h);
}

/* The next row of the origin: 1: there was one, 0: that was all. */
static int add_next(const struct engine *e, struct slot *s, const char *prefix)
{
	if (strcmp(s->origin, e->origin) == 0) {
		const struct twin *t = store_twin_next(e->store, "", s->after);
		if (!t)
			return 0;
		snprintf(s->after, sizeof s->after, "%s", t->id);
		TRY(add(e, s, t->id, t->version, ROW_MASK_ALL));
		return 1;
	}
	const struct remote_row *r = store_row_next(e->store, prefix, s->after);
	if (!r)
		return 0;
	snprintf(s->after, sizeof s->after, "%s", r->id);
	if (strcmp(r->origin->name, s->origin) == 0)
		TRY(add(e, s, r->id, r->version, r->mask));
	return 1;
}

static int make_rows(const struct engine *e, struct slot *s, int64_t until_ns)
{
	char prefix[ORG_NAME_MAX + 2];

	snprintf(prefix, sizeof prefix, "%.*s/", (int)id_org(s->origin).len,
		 (const char *)id_org(s->origin).data);
	for (unsigned i = 1; !s->done; i++) {
		const int r = add_next(e, s, prefix);
		TRY(r);
		if (r == 0) {
			TRY(tree_end(s->tree));
			s->done = true;
		}
		if (i % LOOK_AT_CLOCK == 0 && engine_mono_ns() > until_ns)
			break;
	}
	return 0;
}

static int make_piece(const struct engine *e, struct trees *t, struct slot *s)
{
	const int64_t begun_ns = engine_mono_ns();

	if (begun_ns < t->rest_ns)
		return RESET_LATER;
	TRY(make_rows(e, s, begun_ns + SLICE_NS));
	s->done_ns = engine_mono_ns();
	const int64_t spent_ns = s->done_ns - begun_ns;
	s->spent_ns += spent_ns;
	if (spent_ns > REST_FROM_NS)
		t->rest_ns = s->done_ns + spent_ns * REST;
	return s->done ? 0 : RESET_LATER;
}

int trees_get(struct engine *e, const struct tree_wish *wish, const struct tree **ret,
	      struct tree_base *ret_base)
{
	if (!e->trees)
		TRY(trees_new(&e->trees));
	const int64_t now_ns = engine_mono_ns();
	struct slot *s = find_slot(e->trees, wish, now_ns);

	if (!s)
		return RESET_LATER;
	if (!s->tree || !is_good(s, wish, now_ns))
		TRY(begin(s, wish));
	s->used_ns = now_ns;
	const int r = s->done ? 0 : make_piece(e, e->trees, s);
	if (r < 0)
		drop(s);
	TRY(r);
	if (!bound_bytes(e->trees, s, now_ns)) {
		drop(s);
		return RESET_LATER;
	}
	*ret = s->tree;
	*ret_base = s->base;
	return r;
}
