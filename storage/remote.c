/* SPDX-License-Identifier: Apache-2.0 */
#include "storage/remote.h"

#include "proto/id.h"
#include "storage/remote_private.h"

static int by_id(const void *key, const void *item)
{
	return strcmp(key, ((const struct own_row *)item)->pub.id);
}

static int by_name(const void *key, const void *item)
{
	return strcmp(key, ((const struct own_origin *)item)->name);
}

void remote_init(struct remote *m)
{
	*m = (struct remote){
		.by_id.compare = by_id,
		.origins.compare = by_name,
		.next_number = 1,
	};
}

static void free_origin(void *item)
{
	struct own_origin *o = item;

	numbered_fini(&o->by_seq);
	numbered_fini(&o->graves);
	buf_fini(&o->cursor);
	buf_fini(&o->head);
	free(o);
}

void remote_fini(struct remote *m)
{
	broods_fini(&m->children);
	ordered_fini_items(&m->by_id, free);
	ordered_fini_items(&m->origins, free_origin);
	map_fini(&m->rows);
	intern_fini(&m->words);
	free(m->dirty);
	changeset_fini(&m->changes);
}

/* ---- Origins ----------------------------------------------------------------------------------------------
 */

static struct own_origin *find_origin(const struct remote *m, const char *name)
{
	return ordered_get(&m->origins, name);
}

int origin_get(struct remote *m, const char *name, struct own_origin **ret)
{
	const size_t size = strlen(name) + 1;

	*ret = find_origin(m, name);
	if (*ret)
		return 0;
	SCOPED(scope_free) struct own_origin *o = calloc(1, sizeof *o + size);
	if (!o)
		return FAIL(-ENOMEM);
	memcpy(o->name, name, size);
	o->pub.name = o->name;
	o->number = m->next_number;
	TRY(ordered_put(&m->origins, name, o));
	m->next_number++;
	*ret = MOVE(o);
	return 0;
}

int origin_set_bytes(struct buf *to, struct bytes from, struct bytes *ret_view)
{
	buf_clear(to);
	buf_put(to, from);
	TRY(buf_check(to));
	*ret_view = buf_bytes(to);
	return 0;
}

static void count_seq(struct own_origin *o)
{
	o->pub.max_seq = numbered_last(&o->by_seq);
}

/* ---- Rows in and out --------------------------------------------------------------------------------------
 */

static bool row_is_visible(const struct own_row *w)
{
	return !w->deleted;
}

static void count(struct remote *m, const struct own_row *w, bool add)
{
	const struct hash128 hash = row_hash(w->pub.id, w->pub.version, w->pub.mask);
	struct origin *o = &w->origin->pub;

	if (!row_is_visible(w))
		return;
	if (add)
		fingerprint_add(&o->fingerprint, &hash);
	else
		fingerprint_remove(&o->fingerprint, &hash);
	o->n_rows += add ? 1 : UINT64_MAX;
	m->n_rows += add ? 1 : UINT64_MAX;
}

int row_mark(struct remote *m, struct own_row *w)
{
	if (w->dirty_at > 0)
		return 0;
	if (m->n_dirty == m->size_dirty) {
		const size_t size = m->size_dirty ? m->size_dirty * 2 : 64;
		void **dirty = realloc(m->dirty, size * sizeof *dirty);
		if (!dirty)
			return FAIL(-ENOMEM);
		m->dirty = dirty;
		m->size_dirty = size;
	}
	m->dirty[m->n_dirty++] = w;
	w->dirty_at = m->n_dirty;
	return 0;
}

static void free_row(struct remote *m, struct own_row *w)
{
	for (size_t i = 0; i < w->n_parents; i++) {
		intern_drop(&m->words, w->parents[i].hierarchy);
		intern_drop(&m->words, w->parents[i].parent);
	}
	free(w);
}

static void unlink_seq(struct own_row *w)
{
	if (w->pub.seq == 0)
		return;
	numbered_remove(&w->origin->by_seq, w->pub.seq);
	if (w->deleted)
		numbered_remove(&w->origin->graves, w->pub.seq);
}

static void set_parent(struct remote *m, const char *id, bool is)
{
	struct own_row *w = map_get(&m->rows, id);

	if (w)
		w->pub.is_parent = is;
}

/* Out of every index, and gone. */
static void unlink_row(struct remote *m, struct own_row *w)
{
	count(m, w, false);
	if (w->dirty_at > 0)
		m->dirty[w->dirty_at - 1] = NULL;
	for (size_t i = 0; i < w->n_parents; i++)
		if (broods_remove(&m->children, &w->parents[i]))
			set_parent(m, w->parents[i].parent, false);
	unlink_seq(w);
	ordered_remove(&m->by_id, w->pub.id);
	map_remove(&m->rows, w->pub.id);
	free_row(m, w);
}

static int remove_row(struct remote *m, struct own_row *w)
{
	SCOPED(buf_fini) struct buf key = {0};

	buf_put_u8(&key, 'w');
	buf_put_text(&key, w->pub.id);
	TRY(buf_check(&key));
	changeset_delete(&m->changes, buf_bytes(&key));
	unlink_row(m, w);
	return changeset_check(&m->changes);
}

/* A sequence number is used by one row only; when an origin says otherwise, the later word counts. */
static int link_seq(struct remote *m, struct own_row *w)
{
	struct numbered *by_seq = &w->origin->by_seq;

	if (w->pub.seq == 0)
		return 0;
	struct own_row *other = w->pub.seq <= numbered_last(by_seq) ? numbered_get(by_seq, w->pub.seq) : NULL;
	if (other)
		TRY(remove_row(m, other));
	if (w->deleted)
		TRY(numbered_put(&w->origin->graves, w->pub.seq, w));
	return numbered_put(by_seq, w->pub.seq, w);
}

static int link_row(struct remote *m, struct own_row *w)
{
	const int r = ordered_put(&m->by_id, w->pub.id, w);
	if (r < 0) {
		free_row(m, w);
		return r;
	}
	TRY(map_put(&m->rows, w->pub.id, w));
	count(m, w, true);
	w->pub.is_parent = broods_first(&m->children, w->pub.id) != NULL;
	for (size_t i = 0; i < w->n_parents; i++) {
		const int first = broods_put(&m->children, &w->parents[i]);
		TRY(first);
		if (first)
			set_parent(m, w->parents[i].parent, true);
	}
	return link_seq(m, w);
}

static int take_parents(struct remote *m, struct own_row *w, const struct row *row)
{
	for (size_t i = 0; i < row->n_parents; i++) {
		struct parent_ref *p = &w->parents[i];
		w->n_parents = i + 1;
		p->row = w;
		TRY(intern_take(&m->words, row->parents[i].hierarchy, &p->hierarchy));
		TRY(intern_take(&m->words, row->parents[i].parent, &p->parent));
	}
	return 0;
}

/* What malloc gives for so much anyway. */
static size_t rounded(size_t size)
{
	return (size + 23) / 16 * 16 - 8;
}

static void set_row(struct own_row *w, const struct row *row, struct bytes encoded)
{
	uint8_t *at = (uint8_t *)&w->parents[w->n_parents] + w->id_size;

	memcpy(at, encoded.data, encoded.len);
	w->pub.version = row->version;
	w->pub.seq = row->seq;
	w->pub.mask = row->mask;
	w->pub.encoded = (struct bytes){at, encoded.len};
}

static struct own_row *new_row(struct own_origin *origin, const struct row *row, struct bytes encoded)
{
	const size_t n_parents = row->deleted ? 0 : row->n_parents, id_size = strlen(row->id) + 1;
	const size_t fixed = sizeof(struct own_row) + n_parents * sizeof(struct parent_ref) + id_size;
	const size_t size = rounded(fixed + encoded.len);
	struct own_row *w = malloc(size);

	if (!w)
		return NULL;
	*w = (struct own_row){.origin = origin,
			      .deleted = row->deleted,
			      .id_size = (uint32_t)id_size,
			      .room = (uint32_t)(size - fixed),
			      .n_parents = n_parents};
	w->pub.id = (char *)&w->parents[n_parents];
	w->pub.origin = &origin->pub;
	memset(w->parents, 0, n_parents * sizeof w->parents[0]);
	memcpy(&w->parents[n_parents], row->id, id_size);
	set_row(w, row, encoded);
	return w;
}

static bool has_parents(const struct own_row *w, const struct row *row)
{
	if (w->n_parents != row->n_parents)
		return false;
	for (size_t i = 0; i < w->n_parents; i++)
		if (strcmp(w->parents[i].hierarchy, row->parents[i].hierarchy) != 0 ||
		    strcmp(w->parents[i].parent, row->parents[i].parent) != 0)
			return false;
	return true;
}

/* A twin whose values changed keeps its place in every index but that of sequence numbers. */
static bool fits(const struct own_row *w, const struct own_origin *origin, const struct row *row,
		 struct bytes encoded)
{
	return w->origin == origin && !w->deleted && !row->deleted && encoded.len <= w->room &&
	       has_parents(w, row);
}

static int renew_row(struct remote *m, struct own_row *w, const struct row *row, struct bytes encoded)
{
	count(m, w, false);
	unlink_seq(w);
	set_row(w, row, encoded);
	count(m, w, true);
	return link_seq(m, w);
}

static int replace_row(struct remote *m, struct own_origin *origin, struct own_row *held,
		       const struct row *row, struct bytes encoded, struct own_row **ret)
{
	struct own_row *w = new_row(origin, row, encoded);

	if (!w)
		return FAIL(-ENOMEM);
	const int r = row->deleted ? 0 : take_parents(m, w, row);
	if (r < 0) {
		free_row(m, w);
		return r;
	}
	if (held) {
		w->pub.user = held->pub.user;
		unlink_row(m, held);
	}
	TRY(link_row(m, w));
	*ret = w;
	return 0;
}

int row_put(struct remote *m, struct own_origin *origin, struct own_row *held, const struct row *row,
	    struct bytes encoded, struct own_row **ret)
{
	if (held && fits(held, origin, row, encoded)) {
		TRY(renew_row(m, held, row, encoded));
		*ret = held;
	} else {
		TRY(replace_row(m, origin, held, row, encoded, ret));
	}
	if (row->version.stamp_ns > origin->pub.stamp_ns)
		origin->pub.stamp_ns = row->version.stamp_ns;
	return 0;
}

/* ---- Applying ---------------------------------------------------------------------------------------------
 */

static bool same_org(const char *id, const char *origin)
{
	return bytes_equal(id_org(id), id_org(origin));
}

enum effect { EFFECT_NONE, EFFECT_REPLACE, EFFECT_REMOVE };

/* Another origin of the organisation takes a twin over with a newer state, whatever its clock says once the
 * old owner has deleted it; and what an origin has no more does not end what another one has. */
static bool takes_over(const struct own_row *held, const struct row *row)
{
	if (held->deleted != row->deleted)
		return held->deleted;
	return row->version.stamp_ns > held->pub.version.stamp_ns;
}

/* What a row does to the one that is held. */
static enum effect effect_of(const struct own_row *held, const struct own_origin *origin, bool repair,
			     const struct row *row, struct bytes encoded)
{
	const bool retraction = row->deleted && row->seq == 0;

	if (!held)
		return retraction ? EFFECT_NONE : EFFECT_REPLACE;
	if (held->origin != origin && !takes_over(held, row))
		return EFFECT_NONE;
	/* the versions of what crossed a border are the border's own, and none serves a cursor it is behind
	 * of */
	if (held->origin == origin && !repair && row->seq > 0 &&
	    row_version_compare(row->version, held->pub.version) < 0)
		return EFFECT_NONE;
	if (retraction)
		return EFFECT_REMOVE;
	return held->origin == origin && bytes_equal(held->pub.encoded, encoded) ? EFFECT_NONE
										 : EFFECT_REPLACE;
}

/* Rows of an op, decoded: AHEAD of them at a time, so that what is held of them is fetched at the same time.
 * Among a million each would else be waited for. */
enum { AHEAD = 16, CACHE_LINE = 64 };

struct coming {
	struct row row;
	struct bytes encoded;
	uint64_t hint;
};

static int put_row(struct remote *m, struct own_origin *origin, bool repair, const struct coming *c)
{
	struct own_row *w = map_get(&m->rows, c->row.id);

	switch (effect_of(w, origin, repair, &c->row, c->encoded)) {
	case EFFECT_NONE: break;
	case EFFECT_REMOVE: return remove_row(m, w);
	case EFFECT_REPLACE: TRY(row_put(m, origin, w, &c->row, c->encoded, &w)); return row_mark(m, w);
	}
	return 0;
}

/* Those that are not the origin's to speak of are left out. */
static int read_ahead(const struct remote *m, const struct own_origin *origin, struct arena *a,
		      const struct op_rows *rows, size_t *at, struct coming ret[AHEAD], size_t *ret_n)
{
	*ret_n = 0;
	for (; *at < rows->n && *ret_n < AHEAD; ++*at) {
		struct coming *c = &ret[*ret_n];
		c->encoded = rows->rows[*at];
		const int r = row_decode(a, c->encoded, &c->row);
		if (r == ERR_MALFORMED || (r == 0 && !same_org(c->row.id, origin->name)))
			continue;
		TRY(r);
		c->hint = map_hint(&m->rows, c->row.id);
		++*ret_n;
	}
	for (size_t i = 0; i < *ret_n; i++) {
		const char *held = map_likely(&m->rows, ret[i].hint);
		for (size_t k = 0; held && k < sizeof(struct own_row) + ret[i].encoded.len; k += CACHE_LINE)
			__builtin_prefetch(held + k);
	}
	return 0;
}

static int put_rows(struct remote *m, struct own_origin *origin, const struct op_rows *rows)
{
	SCOPED(scope_arena) struct arena *a = NULL;
	struct coming coming[AHEAD];
	size_t n;

	TRY(arena_new(&a, SIZE_MAX));
	for (size_t at = 0; at < rows->n; arena_reset(a)) {
		TRY(read_ahead(m, origin, a, rows, &at, coming, &n));
		for (size_t i = 0; i < n; i++)
			TRY(put_row(m, origin, rows->repair, &coming[i]));
	}
	return 0;
}

static int drop_rows(struct remote *m, struct own_origin *origin)
{
	struct own_row *next;

	for (struct own_row *w = ordered_first(&m->by_id); w; w = next) {
		next = ordered_after(&m->by_id, w->pub.id);
		if (w->origin == origin)
			TRY(remove_row(m, w));
	}
	return 0;
}

static int drop_tombstones(struct remote *m, struct own_origin *origin, uint64_t up_to)
{
	struct own_row *w;

	while ((w = numbered_first(&origin->graves)) && w->pub.seq <= up_to)
		TRY(remove_row(m, w));
	return 0;
}

/* Below the floor a tombstone helps nobody, and one from above it is of a branch that is void. */
static int set_floor(struct remote *m, struct own_origin *origin, uint64_t floor)
{
	origin->pub.floor = floor;
	return drop_tombstones(m, origin, UINT64_MAX);
}

int remote_put_rows(struct remote *m, const struct op_rows *rows)
{
	struct own_origin *origin;

	TRY(origin_get(m, rows->origin, &origin));
	origin->dirty = true;
	if (rows->afresh)
		TRY(drop_rows(m, origin));
	TRY(put_rows(m, origin, rows));
	if (rows->has_floor)
		TRY(set_floor(m, origin, rows->floor));
	count_seq(origin);
	TRY(origin_set_bytes(&origin->cursor, rows->cursor, &origin->pub.cursor));
	return rows->head.len > 0 ? origin_set_bytes(&origin->head, rows->head, &origin->pub.head) : 0;
}

int remote_collect(struct remote *m, const struct op_collection *c)
{
	struct own_origin *o = find_origin(m, c->origin);

	if (!o || o->pub.cursor.len == 0 || c->floor <= o->pub.floor || c->floor > o->pub.max_seq)
		return 0;
	o->dirty = true;
	o->pub.floor = c->floor;
	TRY(drop_tombstones(m, o, c->floor));
	count_seq(o);
	return 0;
}

static int drop_origin(struct remote *m, struct own_origin *origin)
{
	SCOPED(buf_fini) struct buf key = {0};

	TRY(drop_rows(m, origin));
	buf_put_u8(&key, 'o');
	buf_put_text(&key, origin->name);
	TRY(buf_check(&key));
	changeset_delete(&m->changes, buf_bytes(&key));
	free_origin(ordered_remove(&m->origins, origin->name));
	return changeset_check(&m->changes);
}

/* The first of the organisation's origins; NULL: none. */
static struct own_origin *origin_of(const struct remote *m, const char *org)
{
	struct own_origin *o = ordered_from(&m->origins, org);

	while (o && strncmp(o->name, org, strlen(org)) == 0 && !id_is_of_org(o->name, org))
		o = ordered_after(&m->origins, o->name);
	return o && id_is_of_org(o->name, org) ? o : NULL;
}

int remote_drop_org(struct remote *m, const char *org)
{
	struct own_origin *o;

	while ((o = origin_of(m, org)))
		TRY(drop_origin(m, o));
	return 0;
}

bool remote_has_org(const struct remote *m, const char *org)
{
	return origin_of(m, org) != NULL;
}

/* ---- Checking ---------------------------------------------------------------------------------------------
 */

struct check {
	const struct remote *remote;
	const struct own_origin *origin; /* NULL: nothing of it is held */
	const struct op_rows *rows;
	struct arena *arena;
	bool unchanged; /* so far */
};

static int check_row(struct check *c, struct bytes encoded, struct err_note *note)
{
	const char *name = c->rows->origin;
	struct row row;

	arena_reset(c->arena);
	const int r = row_decode(c->arena, encoded, &row);
	if (r == ERR_MALFORMED)
		return FAIL_SAY(note, ERR_REFUSED, "a row of %s does not decode", name);
	TRY(r);
	if (!same_org(row.id, name))
		return FAIL_SAY(note, ERR_REFUSED, "%s speaks of %s, which is not its organisation's", name,
				row.id);
	c->unchanged = c->unchanged && effect_of(map_get(&c->remote->rows, row.id), c->origin,
						 c->rows->repair, &row, encoded) == EFFECT_NONE;
	return 0;
}

int remote_check(const struct remote *m, const struct op_rows *rows, bool *ret_unchanged,
		 struct err_note *note)
{
	const struct own_origin *origin = find_origin(m, rows->origin);
	SCOPED(scope_arena) struct arena *a = NULL;

	TRY(arena_new(&a, SIZE_MAX));
	struct check c = {.remote = m,
			  .origin = origin,
			  .rows = rows,
			  .arena = a,
			  .unchanged = origin && !rows->afresh && !rows->repair && !rows->has_floor &&
				       bytes_equal(origin->pub.cursor, rows->cursor) &&
				       (rows->head.len == 0 || bytes_equal(origin->pub.head, rows->head))};
	for (size_t i = 0; i < rows->n; i++)
		TRY(check_row(&c, rows->rows[i], note));
	*ret_unchanged = c.unchanged;
	return 0;
}

/* ---- Looking ----------------------------------------------------------------------------------------------
 */

const struct origin *remote_origin(const struct remote *m, const char *name)
{
	const struct own_origin *o = find_origin(m, name);

	return o ? &o->pub : NULL;
}

const struct origin *remote_origin_next(const struct remote *m, const char *after)
{
	const struct own_origin *o = ordered_after(&m->origins, after);

	return o ? &o->pub : NULL;
}

uint64_t remote_graves_over(const struct remote *m, const char *origin, const struct graves_kept *kept)
{
	const struct own_origin *o = find_origin(m, origin);
	const struct own_row *w = o && o->pub.cursor.len > 0 ? numbered_first(&o->graves) : NULL;
	uint64_t floor = 0, n = 0;

	for (; w && n < GRAVES_AT_ONCE; n++, w = numbered_after(&o->graves, w->pub.seq)) {
		if (o->graves.n - n <= kept->most && w->pub.version.stamp_ns >= kept->since_ns)
			break;
		floor = w->pub.seq;
	}
	return floor;
}

const struct remote_row *remote_row(const struct remote *m, const char *id)
{
	const struct own_row *w = map_get(&m->rows, id);

	return w && row_is_visible(w) ? &w->pub : NULL;
}

const struct remote_row *remote_change_next(const struct remote *m, const char *origin, uint64_t after_seq)
{
	const struct own_origin *o = find_origin(m, origin);
	const struct own_row *w = o ? numbered_after(&o->by_seq, after_seq) : NULL;

	return w ? &w->pub : NULL;
}

const struct remote_row *remote_next(const struct remote *m, const char *prefix, const char *after)
{
	const struct own_row *w =
		strcmp(after, prefix) < 0 ? ordered_from(&m->by_id, prefix) : ordered_after(&m->by_id, after);

	while (w && !row_is_visible(w))
		w = ordered_after(&m->by_id, w->pub.id);
	return w && strncmp(w->pub.id, prefix, strlen(prefix)) == 0 ? &w->pub : NULL;
}

size_t remote_rows(const struct remote *m, const char *after, const struct remote_row **ret, size_t room)
{
	size_t n = 0, n_run;

	for (void *const *run; n < room && (run = ordered_run(&m->by_id, after, &n_run));) {
		for (size_t i = 0; i < n_run && n < room; i++) {
			const struct own_row *w = run[i];
			after = w->pub.id;
			if (row_is_visible(w))
				ret[n++] = &w->pub;
		}
	}
	return n;
}

/* As which child of the parent a row stands there; it does. */
static const struct parent_ref *ref_of(const struct own_row *w, const char *hierarchy, const char *parent)
{
	if (w->n_parents == 1)
		return &w->parents[0];
	for (size_t i = 0; i < w->n_parents; i++)
		if (strcmp(w->parents[i].hierarchy, hierarchy) == 0 &&
		    strcmp(w->parents[i].parent, parent) == 0)
			return &w->parents[i];
	return NULL;
}

const struct remote_row *remote_child_next(const struct remote *m, const char *hierarchy, const char *parent,
					   const struct remote_row *after)
{
	const struct parent_ref *ref;

	if (after) {
		ref = ref_of((const struct own_row *)after, hierarchy, parent);
		ref = ref ? ref->next : NULL;
	} else {
		ref = broods_first(&m->children, parent);
	}
	while (ref && strcmp(ref->hierarchy, hierarchy) != 0)
		ref = ref->next;
	return ref ? &ref->row->pub : NULL;
}
