/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/sim/world.h"

#define HONEST_NS (500 * NS_PER_MS) /* what an age may leave out: frames in flight over two hops */

/* A row on its way to another organisation: visible under the policy this node has committed, as far as that
 * goes, or the retraction of something that organisation was shown before. */
static void check_foreign_row(struct sim_node *n, int audience, int origin, int twin, const struct row *r)
{
	struct world *w = n->world;
	const struct rule *rule = &w->rules[sites[n->id].org][n->disk.epoch];
	const struct fact *f = fact_find(w, origin, twin, r->version);

	if (r->seq != 0)
		world_fail(w, "%s tells %s a sequence number", sites[n->id].origin, org_names[audience]);
	if (r->deleted && !w->ever_sent[audience][origin][twin])
		world_fail(w, "%s retracts %s, which %s never saw", sites[n->id].origin, r->id,
			   org_names[audience]);
	if (r->deleted)
		return;
	if (!f || !port_visible(w, sites[n->id].org, n->disk.epoch, audience, f->attr) ||
	    r->mask != rule->mask)
		world_fail(w, "%s shows %s to %s, which may not see it", sites[n->id].origin, r->id,
			   org_names[audience]);
	w->ever_sent[audience][origin][twin] = true;
}

static void check_row(struct sim_node *n, int peer, struct bytes encoded)
{
	struct world *w = n->world;
	struct row r;
	int origin = -1;

	arena_reset(w->scratch);
	if (row_decode(w->scratch, encoded, &r) < 0) {
		world_fail(w, "%s sends a row that does not decode", sites[n->id].origin);
		return;
	}
	int twin = twin_index(r.id, &origin);
	const struct fact *f = twin < 0 ? NULL : fact_find(w, origin, twin, r.version);
	if (!f || !f->durable)
		world_fail(w, "%s publishes a state of %s that is not durable", sites[n->id].origin, r.id);
	else if (sites[peer].org != sites[n->id].org)
		check_foreign_row(n, sites[peer].org, origin, twin, &r);
	else if (!r.deleted && r.mask != ROW_MASK_ALL)
		world_fail(w, "%s sends a filtered row inside its organisation", sites[n->id].origin);
}

static void check_foreign_heads(struct sim_node *n, const struct heads *heads)
{
	struct world *w = n->world;
	struct head head;

	for (size_t i = 0; i < heads->n; i++) {
		arena_reset(w->scratch);
		if (head_decode(w->scratch, heads->heads[i].head.payload, &head) < 0)
			world_fail(w, "%s sends a head that does not decode", sites[n->id].origin);
		else if (head.seq != 0 || head.epoch != n->disk.epoch)
			world_fail(w, "%s tells a partner a wrong head", sites[n->id].origin);
	}
}

/* A full listing costs: it must have been asked for by a RESET, or by something that really went wrong. Of
 * partners it cannot be told: what one border retracts another may not know of. */
static void check_pull(struct sim_node *n, const struct pull *p)
{
	int origin = origin_index(p->origin);
	const struct sim_origin *o = &n->disk.origins[origin];

	if (n->stores[origin] > 0)
		world_fail(n->world, "%s pulls %s before the last rows are durable", sites[n->id].origin,
			   p->origin);
	if (p->full && p->cursor.len == 0 && sites[origin].org == sites[n->id].org && !o->suspect &&
	    !disk_is_listing(o))
		world_fail(n->world, "%s lists %s in full for no reason", sites[n->id].origin, p->origin);
}

/* Whose credential has ended is told nothing, and what it tells is not heard. */
static void check_believed(const struct sim_node *n, int peer, enum message_kind kind)
{
	if (n->world->ended[peer] && kind != MESSAGE_HELLO && kind != MESSAGE_BYE)
		world_fail(n->world, "%s and %s pass on %s, though the latter's credential has ended",
			   sites[n->id].origin, sites[peer].origin, message_kind_text(kind));
}

void check_sent(struct sim_node *n, const struct session_at *to, const struct message *m)
{
	int peer = n->world->links[to->link].ends[!to->side];

	if (to->node != n->id)
		world_fail(n->world, "%s sends on another node's session", sites[n->id].origin);
	check_believed(n, peer, m->kind);
	if (m->kind == MESSAGE_ROWS)
		for (size_t i = 0; i < m->rows.n; i++)
			check_row(n, peer, m->rows.rows[i]);
	if (m->kind == MESSAGE_HEADS && sites[peer].org != sites[n->id].org)
		check_foreign_heads(n, &m->heads);
	if (m->kind == MESSAGE_PULL)
		check_pull(n, &m->pull);
}

void check_received(struct sim_node *n, const struct message *m)
{
	if (m->kind == MESSAGE_RESET && (m->reset.reason == RESET_LINEAGE || m->reset.reason == RESET_EPOCH))
		n->disk.origins[origin_index(m->reset.origin)].suspect = true;
}

void check_stored(struct sim_node *n, const struct mesh_action *a)
{
	int origin = origin_index(a->op.rows.origin);

	if (++n->stores[origin] > 8)
		world_fail(n->world, "%s stores more frames of %s than one pull has", sites[n->id].origin,
			   sites[origin].origin);
}

/* Versions never go back: but for a listing that takes back what the origin itself has lost, or one that
 * begins where another broke off, for then no server can tell whether it is behind. */
void check_applied(struct sim_node *n, int origin, int twin, struct row_version version, bool listing)
{
	const struct sim_origin *o = &n->disk.origins[origin];
	const struct sim_row *held = &o->rows[twin];

	if (!held->present || o->mixed || row_version_compare(version, held->version) >= 0)
		return;
	if (!listing || !fact_find(n->world, origin, twin, held->version)->undone)
		world_fail(n->world, "%s gets an older version of %s/t%d in %s", sites[n->id].origin,
			   sites[origin].origin, twin, listing ? "a listing" : "rows behind its cursor");
}

/* Was there a moment in the window in which the origin's twins added up to this? */
static bool was_in_state(const struct world *w, int origin, const struct fingerprint *f, int64_t from_ns,
			 int64_t to_ns)
{
	for (size_t i = 0; i < w->n_states[origin]; i++) {
		const struct epoch_of_state *s = &w->states[origin][i];
		int64_t until_ns = i + 1 < w->n_states[origin] ? s[1].since_ns : INT64_MAX;
		if (s->since_ns <= to_ns && until_ns >= from_ns && fingerprint_equal(&s->fingerprint, f))
			return true;
	}
	return false;
}

/* What is held must have been the origin's state at that time, or later: an age may be too old, never too
 * young. */
void check_heard(struct sim_node *n, const char *origin, int64_t age_ns)
{
	struct world *w = n->world;
	int o = origin_index(origin);
	int64_t then_ns = w->now_ns - age_ns;

	if (sites[o].org != sites[n->id].org || w->opt.broken == BREAK_NO_CHECK)
		return;
	if (!was_in_state(w, o, &n->disk.origins[o].fingerprint, then_ns - HONEST_NS, w->now_ns))
		world_fail(w, "%s believes what it holds of %s was vouched for %.3f s ago",
			   sites[n->id].origin, origin, (double)age_ns / 1e9);
}

void check_delivered(struct sim_node *n, const struct mesh_action *a)
{
	struct world *w = n->world;
	const struct message *m = &a->message;
	const struct session_at *from = &w->sessions[a->session - 1];
	size_t id = m->kind == MESSAGE_QUESTION ? m->question.id : 0;

	check_believed(n, w->links[from->link].ends[!from->side], m->kind);
	if (id == 0 || id >= sizeof w->asked || w->asked[id]++ > 0)
		world_fail(w, "%s is asked the same question twice", sites[n->id].origin);
}

void check_late(struct sim_node *n, const struct mesh_todo *todo)
{
	for (size_t i = 0; i < todo->n; i++) {
		const struct mesh_action *a = &todo->actions[i];
		bool bye = a->kind == MESH_SEND && a->message.kind == MESSAGE_BYE;
		if (!bye && a->kind != MESH_CLOSE)
			world_fail(n->world, "%s acts on a frame of an old session or one it had before",
				   sites[n->id].origin);
	}
}

void check_state(struct sim_node *n)
{
	struct world *w = n->world;
	size_t *count = &w->n_states[n->id];

	if ((*count & (*count - 1)) == 0) {
		w->states[n->id] =
			realloc(w->states[n->id], (*count == 0 ? 1 : *count * 2) * sizeof **w->states);
		if (!w->states[n->id])
			abort();
	}
	w->states[n->id][(*count)++] = (struct epoch_of_state){w->now_ns, n->disk.origins[n->id].fingerprint};
}

static bool should_see(const struct world *w, const struct sim_node *n, int origin, int twin)
{
	const struct sim_row *truth = &w->nodes[origin].disk.origins[origin].rows[twin];
	int org = sites[origin].org;

	if (!truth->present || truth->deleted)
		return false;
	return org == sites[n->id].org || port_visible(w, org, w->epochs[org], sites[n->id].org, truth->attr);
}

static void check_held(struct world *w, const struct sim_node *n, int origin)
{
	int org = sites[origin].org;
	uint32_t mask = org == sites[n->id].org ? ROW_MASK_ALL : w->rules[org][w->epochs[org]].mask;

	for (int t = 0; t < TWINS; t++) {
		const struct sim_row *truth = &w->nodes[origin].disk.origins[origin].rows[t];
		const struct sim_row *held = &n->disk.origins[origin].rows[t];
		bool live = held->present && !held->deleted, should = should_see(w, n, origin, t);
		if (live != should)
			world_fail(w, "in the end %s %s %s/t%d", sites[n->id].origin,
				   live ? "still has" : "lacks", sites[origin].origin, t);
		else if (live &&
			 (row_version_compare(held->version, truth->version) != 0 || held->mask != mask))
			world_fail(w, "in the end %s has another state of %s/t%d", sites[n->id].origin,
				   sites[origin].origin, t);
	}
}

void check_converged(struct world *w)
{
	for (int i = 0; i < N_NODES; i++)
		for (int o = 0; o < N_NODES; o++)
			if (o != i && sites[o].owner && (sites[o].org == sites[i].org || sites[i].border))
				check_held(w, &w->nodes[i], o);
}
