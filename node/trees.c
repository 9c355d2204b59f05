/* SPDX-License-Identifier: Apache-2.0 */
#include "node/trees.h"

#include <stdio.h>

#include "proto/clock.h"
#include "proto/id.h"
#include "proto/row.h"

enum { TREES_MAX = 8, LOOK_AT_CLOCK = 256 };

#define TREES_BYTES_MAX ((size_t)256 << 20)
#define KEPT_NS (30 * NS_PER_S)
#define FRESH_NS (2 * NS_PER_S)
#define SLICE_NS (10 * NS_PER_MS)

struct slot {
	struct tree *tree; /* NULL: free */
	bool held, done;
	char audience[ORG_NAME_MAX + 1];
	char origin[ORG_NAME_MAX + NODE_NAME_MAX + 2];
	char after[TWIN_ID_MAX + 1]; /* gone through up to here, by id */
	uint64_t run;
	struct tree_base base;
	int64_t done_ns, used_ns;
};

struct trees {
	struct slot slots[TREES_MAX];
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
	for (size_t i = 0; i < TREES_MAX; i++)
		drop(&t->slots[i]);
	free(t);
}

static bool is_over(const struct slot *s, int64_t now_ns)
{
	return now_ns - (s->done ? s->done_ns : s->used_ns) > KEPT_NS;
}

void trees_expire(struct trees *t, int64_t now_ns)
{
	for (size_t i = 0; t && i < TREES_MAX; i++)
		if (t->slots[i].tree && is_over(&t->slots[i], now_ns))
			drop(&t->slots[i]);
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

/* The one for this wish, or the one to make place. */
static struct slot *find_slot(struct trees *t, const struct tree_wish *w)
{
	struct slot *oldest = &t->slots[0];

	for (size_t i = 0; i < TREES_MAX; i++) {
		struct slot *s = &t->slots[i];
		if (is_of(s, w))
			return s;
		if (!s->tree || (oldest->tree && s->used_ns < oldest->used_ns))
			oldest = s;
	}
	drop(oldest);
	return oldest;
}

static void bound_bytes(struct trees *t, const struct slot *keep)
{
	size_t bytes = tree_bytes(keep->tree);

	for (size_t i = 0; i < TREES_MAX; i++) {
		struct slot *s = &t->slots[i];
		if (!s->tree || s == keep)
			continue;
		bytes += tree_bytes(s->tree);
		if (bytes <= TREES_BYTES_MAX)
			continue;
		bytes -= tree_bytes(s->tree);
		drop(s);
	}
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

static int make_piece(const struct engine *e, struct slot *s)
{
	const int64_t until_ns = engine_mono_ns() + SLICE_NS;
	char prefix[ORG_NAME_MAX + 2];

	snprintf(prefix, sizeof prefix, "%.*s/", (int)id_org(s->origin).len,
		 (const char *)id_org(s->origin).data);
	for (unsigned i = 1; !s->done; i++) {
		const int r = add_next(e, s, prefix);
		TRY(r);
		if (r == 0) {
			TRY(tree_end(s->tree));
			s->done = true;
			s->done_ns = engine_mono_ns();
		}
		if (i % LOOK_AT_CLOCK == 0 && engine_mono_ns() > until_ns)
			break;
	}
	return s->done ? 0 : RESET_LATER;
}

int trees_get(struct engine *e, const struct tree_wish *wish, const struct tree **ret,
	      struct tree_base *ret_base)
{
	if (!e->trees)
		TRY(trees_new(&e->trees));
	struct trees *t = e->trees;
	struct slot *s = find_slot(t, wish);
	const int64_t now_ns = engine_mono_ns();

	if (!s->tree || !is_good(s, wish, now_ns))
		TRY(begin(s, wish));
	s->used_ns = now_ns;
	const int r = s->done ? 0 : make_piece(e, s);
	if (r < 0)
		drop(s);
	TRY(r);
	bound_bytes(t, s);
	*ret = s->tree;
	*ret_base = s->base;
	return r;
}
