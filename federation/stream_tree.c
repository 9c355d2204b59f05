/* SPDX-License-Identifier: Apache-2.0 */
/* The server's side of a repair: sums below prefixes, and what a reader's leaves lack or have too much. It
 * keeps nothing between two questions; the tree is its owner's (mesh.h, tree). */
#include "federation/mesh_state.h"

/* What a key that is gone takes of a frame's room: 8 bytes on the wire, but the reader makes rows of them. */
enum { GONE_BYTES = 64 };

static int send_sums(struct mesh *m, struct session *s, const struct repair *r, const struct tree_view *view)
{
	const uint32_t depth = tree_child_depth(r->depth);
	const size_t children = tree_children(r->depth);
	struct arena *a = m->todo->arena;
	struct message message = {.kind = MESSAGE_SUMS,
				  .sums = {.id = r->id,
					   .origin = arena_copy(a, r->origin),
					   .cursor = view->cursor,
					   .epoch = view->epoch,
					   .sums = arena_take_array(a, r->n * children, sizeof(uint64_t)),
					   .n = r->n * children}};

	if (!message.sums.origin || !message.sums.sums)
		return FAIL(-ENOMEM);
	for (size_t i = 0; i < r->n; i++)
		for (size_t c = 0; c < children; c++)
			message.sums.sums[i * children + c] =
				tree_sum(view->tree, depth, (uint32_t)(r->prefixes[i] * children + c));
	return session_send(m, s, &message);
}

/* An answer about leaves, while it is put together. */
struct mending {
	struct mesh *m;
	const char *audience;
	const struct repair *ask;
	const struct tree *tree;
	struct rows rows;
	size_t bytes;
	size_t entry; /* of the question: gone through up to here */
	bool full;
};

static bool fits(struct mending *w, size_t bytes)
{
	const bool first = w->rows.n == 0 && w->rows.n_gone == 0;

	w->full = !first && w->bytes + bytes > FRAME_FILL;
	w->bytes += w->full ? 0 : bytes;
	return !w->full;
}

static int add_gone(struct mending *w, uint64_t key)
{
	if (!fits(w, GONE_BYTES))
		return 0;
	uint64_t *place = arena_push(w->m->todo->arena, &w->rows.gone, &w->rows.n_gone, sizeof *place);
	if (!place)
		return FAIL(-ENOMEM);
	*place = key;
	return 0;
}

/* What is no longer shown stands behind the cursor as a retraction; but one who holds it in another state
 * might take that for older than what he has. */
static int add_row(struct mending *w, size_t at, bool theirs)
{
	const struct mesh_port *port = &w->m->opt.port;
	struct arena *a = w->m->todo->arena;
	struct bytes encoded;
	const char *id;

	TRY(tree_id(w->tree, at, a, &id));
	const int r = port->row(port->ctx, w->audience, w->ask->origin, id, a, &encoded);
	if (r == -ENOMEM)
		return r;
	if (r < 0)
		return theirs ? add_gone(w, tree_entry(w->tree, at).key) : 0;
	if (!fits(w, encoded.len))
		return 0;
	struct bytes *place = arena_push(a, &w->rows.rows, &w->rows.n, sizeof *place);
	if (!place)
		return FAIL(-ENOMEM);
	*place = encoded;
	return 0;
}

/* Two sorted lists side by side: what the reader has, what it should have. */
static int mend_leaf(struct mending *w, uint16_t prefix)
{
	const struct repair *ask = w->ask;
	size_t at, end;

	end = tree_leaf(w->tree, prefix, &at);
	for (end += at; !w->full;) {
		const bool theirs = w->entry < ask->n_entries &&
				    tree_prefix(ask->entries[w->entry].key, TREE_LEAF_DEPTH) == prefix;
		if (!theirs && at == end)
			return 0;
		const struct tree_leaf shown = at < end ? tree_entry(w->tree, at) : (struct tree_leaf){0};
		const struct tree_leaf had = theirs ? ask->entries[w->entry] : (struct tree_leaf){0};
		if (theirs && (at == end || had.key < shown.key)) {
			TRY(add_gone(w, had.key));
			w->entry++;
			continue;
		}
		const bool same = theirs && had.key == shown.key;
		if (!same || had.hash != shown.hash)
			TRY(add_row(w, at, same));
		w->entry += same;
		at++;
	}
	return 0;
}

static int send_rows(struct mesh *m, struct session *s, const struct repair *r, const struct tree_view *view)
{
	struct mending w = {.m = m, .audience = session_audience(s), .ask = r, .tree = view->tree};
	struct message message = {.kind = MESSAGE_ROWS};

	for (size_t i = 0; i < r->n && !w.full; i++) {
		TRY(mend_leaf(&w, r->prefixes[i]));
		w.rows.leaves += !w.full;
	}
	w.rows.pull = r->id;
	w.rows.origin = arena_copy(m->todo->arena, r->origin);
	w.rows.cursor = view->cursor;
	w.rows.epoch = view->epoch;
	w.rows.repair = true;
	message.rows = w.rows;
	return w.rows.origin ? session_send(m, s, &message) : FAIL(-ENOMEM);
}

int serve_repair(struct mesh *m, struct session *s, const struct message *message)
{
	const struct mesh_port *port = &m->opt.port;
	const struct repair *r = &message->repair;
	struct reset reset = {.pull = r->id, .origin = r->origin};
	struct tree_view view = {0};

	int reason = serve_may(m, s, r->origin);
	TRY(reason);
	if (reason == 0 && !port->tree)
		reason = RESET_UNKNOWN;
	if (reason == 0)
		reason = port->tree(port->ctx, session_audience(s), r->origin, r->cursor, m->todo->arena,
				    &view);
	if (reason != 0) {
		reset.reason = serve_reason(reason);
		return serve_reset(m, s, &reset);
	}
	return r->depth == TREE_LEAF_DEPTH ? send_rows(m, s, r, &view) : send_sums(m, s, r, &view);
}
