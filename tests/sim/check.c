/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/sim/world.h"

#include <stdio.h>

#define HONEST_NS (100 * NS_PER_MS)
enum { HOPS_MAX = 3, ECHOES_PER_S = 4 };

/* A row on its way to another organisation: visible under the policy this node has committed, as far as that
 * goes, or the retraction of something that organisation was shown before. */
static void check_foreign_row(struct sim_node *n, int audience, int origin, int twin, const struct row *r)
{
	struct world *w = n->world;
	const int org = sites[n->id].org;
	const struct fact *f = fact_find(w, origin, twin, r->version);

	if (r->seq != 0)
		world_fail(w, "%s tells %s a sequence number", sites[n->id].origin, org_names[audience]);
	if (r->deleted && !w->ever_sent[audience][origin][twin])
		world_fail(w, "%s retracts %s, which %s never saw", sites[n->id].origin, r->id,
			   org_names[audience]);
	if (r->deleted)
		return;
	const uint8_t attr = (uint8_t)(r->type[0] ? r->type[1] - '0' : N_ATTRS); /* as disk.c writes it */
	if (!f || f->attr != attr || !port_visible(w, org, n->disk.epoch, audience, attr) ||
	    r->mask != port_face(w, org, n->disk.epoch, attr))
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

/* To repair costs, and to pull afresh from a node of an older release, too: it must have been asked for by a
 * RESET, or by something that really went wrong. Of partners it cannot be told: what one border retracts
 * another may not know of. */
static void check_reason(struct sim_node *n, int origin)
{
	struct sim_origin *o = &n->disk.origins[origin];

	if (sites[origin].org == sites[n->id].org && !o->suspect && !o->excused && !disk_is_repairing(o))
		world_fail(n->world, "%s repairs %s for no reason", sites[n->id].origin,
			   sites[origin].origin);
	o->mixed |= disk_is_repairing(o);
	if (o->excused)
		return; /* asked again, perhaps: what went wrong since comes to light later */
	o->excused = o->suspect;
	o->suspect = false;
}

static void check_pull(struct sim_node *n, const struct pull *p)
{
	int origin = origin_index(p->origin);
	const struct sim_origin *o = &n->disk.origins[origin];

	if (n->stores[origin] > 0 && (n->failing[origin] || !bytes_equal(p->cursor, n->given[origin])))
		world_fail(n->world, "%s pulls %s elsewhere than behind the rows that are not yet durable",
			   sites[n->id].origin, p->origin);
	if (p->full)
		world_fail(n->world, "%s lists %s in full", sites[n->id].origin, p->origin);
	if (p->cursor.len == 0 && o->fingerprint.count > 0)
		check_reason(n, origin);
}

static void check_repair(struct sim_node *n, const struct repair *r)
{
	int origin = origin_index(r->origin);

	if (n->stores[origin] > 0)
		world_fail(n->world, "%s repairs %s before the last rows are durable", sites[n->id].origin,
			   r->origin);
	if (r->cursor.len == 0)
		check_reason(n, origin);
}

/* Whom it does not believe a node tells nothing, and hears nothing of him. */
static void check_believed(const struct sim_node *n, const struct session_at *at, enum message_kind kind)
{
	struct world *w = n->world;
	const int peer = w->links[at->link].ends[!at->side];

	if (kind == MESSAGE_HELLO || kind == MESSAGE_BYE)
		return;
	if (!trust_believes(n, peer, w->conns[at->conn - 1].shown[at->side]))
		world_fail(w, "%s and %s pass on %s, though the latter's credential has ended",
			   sites[n->id].origin, sites[peer].origin, message_kind_text(kind));
}

/* HELLO begins to count anew only where the session does. */
static void check_number(struct world *w, const struct session_at *at, const struct message *m)
{
	uint64_t *said = &w->conns[at->conn - 1].said[at->side];

	if (m->frame != *said + 1 && m->frame != 1)
		world_fail(w, "%s numbers its frames %lu, %lu", sites[at->node].origin, (unsigned long)*said,
			   (unsigned long)m->frame);
	*said = m->frame;
}

void check_sent(struct sim_node *n, const struct session_at *to, const struct message *m)
{
	struct world *w = n->world;
	const int peer = w->links[to->link].ends[!to->side];

	if (to->node != n->id)
		world_fail(w, "%s sends on another node's session", sites[n->id].origin);
	check_believed(n, to, m->kind);
	check_number(w, to, m);
	if ((n->old || w->nodes[peer].old) && m->kind >= MESSAGE_TELL)
		world_fail(w, "%s says %s to %s, of a release that does not know it", sites[n->id].origin,
			   message_kind_text(m->kind), sites[peer].origin);
	if (m->kind == MESSAGE_ROWS)
		for (size_t i = 0; i < m->rows.n; i++)
			check_row(n, peer, m->rows.rows[i]);
	check_mended(n, peer, m);
	if (m->kind == MESSAGE_HEADS && sites[peer].org != sites[n->id].org)
		check_foreign_heads(n, &m->heads);
	if (m->kind == MESSAGE_PULL)
		check_pull(n, &m->pull);
	if (m->kind == MESSAGE_REPAIR)
		check_repair(n, &m->repair);
	if (m->kind == MESSAGE_PULL &&
	    mesh_session_window(n->mesh, (uint32_t)(to - w->sessions) + 1) > world_window(w))
		world_fail(w, "%s asks for more than its window", sites[n->id].origin);
}

void check_received(struct sim_node *n, const struct message *m)
{
	if (m->kind == MESSAGE_RESET && (m->reset.reason == RESET_LINEAGE || m->reset.reason == RESET_EPOCH ||
					 m->reset.reason == RESET_COLLECTED))
		n->disk.origins[origin_index(m->reset.origin)].suspect = true;
}

void check_stored(struct sim_node *n, const struct mesh_action *a)
{
	int origin = origin_index(a->op.rows.origin);

	n->stores[origin]++;
	n->given[origin] = world_keep(n->world, a->op.rows.cursor);
}

/* Versions never go back: but for a repair that takes back what the origin itself has lost, or one that
 * begins where another broke off, for then no server can tell whether it is behind. */
void check_applied(struct sim_node *n, int origin, int twin, struct row_version version, bool repair)
{
	const struct sim_origin *o = &n->disk.origins[origin];
	const struct sim_row *held = &o->rows[twin];

	if (sites[origin].org != sites[n->id].org)
		return; /* what a border shows is as of when it showed it first: another one may have done so
			   later */
	if (!held->present || o->mixed || row_version_compare(version, held->version) >= 0)
		return;
	if (!repair || !fact_find(n->world, origin, twin, held->version)->undone)
		world_fail(n->world, "%s gets an older version of %s/t%d in %s", sites[n->id].origin,
			   sites[origin].origin, twin, repair ? "a repair" : "rows behind its cursor");
}

/* Was there a moment in the window in which the origin's twins added up to this? */
static bool was_in_state(const struct world *w, int origin, const struct fingerprint *f, int64_t from_ns,
			 int64_t to_ns)
{
	int64_t until_ns = INT64_MAX;

	for (size_t i = w->n_states[origin]; i-- > 0 && until_ns >= from_ns;) {
		const struct epoch_of_state *s = &w->states[origin][i];
		if (s->since_ns <= to_ns && fingerprint_equal(&s->fingerprint, f))
			return true;
		until_ns = s->since_ns;
	}
	return false;
}

/* What an age may leave out: the flight of frames over all hops; and of an origin that nobody reaches any
 * more, that of the frames in which those who heard of it tell each other so. */
static int64_t honest_ns(const struct world *w, int64_t age_ns)
{
	return HONEST_NS + w->flight_ns * HOPS_MAX +
	       w->flight_ns * (age_ns / NS_PER_MS) / 1000 * ECHOES_PER_S;
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
	if (!was_in_state(w, o, &n->disk.origins[o].fingerprint, then_ns - honest_ns(w, age_ns), w->now_ns))
		world_fail(w, "%s believes what it holds of %s was vouched for %.3f s ago",
			   sites[n->id].origin, origin, (double)age_ns / 1e9);
}

void check_delivered(struct sim_node *n, const struct mesh_action *a)
{
	struct world *w = n->world;
	const struct message *m = &a->message;
	const struct session_at *from = &w->sessions[a->session - 1];
	size_t id = m->kind == MESSAGE_QUESTION ? m->question.id : 0;

	check_believed(n, from, m->kind);
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
	struct epoch_of_state *s = world_grow(&w->states[n->id], &w->n_states[n->id], sizeof *s);

	*s = (struct epoch_of_state){w->now_ns, n->disk.origins[n->id].fingerprint};
}

static bool should_see(const struct world *w, const struct sim_node *n, int origin, int twin)
{
	const struct sim_row *truth = &w->nodes[origin].disk.origins[origin].rows[twin];
	int org = sites[origin].org;

	if (!truth->present || truth->deleted)
		return false;
	return org == sites[n->id].org || port_visible(w, org, w->epochs[org], sites[n->id].org, truth->attr);
}

/* NULL: it is as it should be. */
static const char *twin_fault(const struct world *w, const struct sim_node *n, int origin, int twin)
{
	const int org = sites[origin].org;
	const struct sim_row *truth = &w->nodes[origin].disk.origins[origin].rows[twin];
	const struct sim_row *held = &n->disk.origins[origin].rows[twin];
	const bool live = held->present && !held->deleted;

	if (live != should_see(w, n, origin, twin))
		return live ? "still has" : "lacks";
	const bool same = org == sites[n->id].org
				  ? row_version_compare(held->version, truth->version) == 0 &&
					    held->mask == ROW_MASK_ALL
				  : held->mask == port_face(w, org, w->epochs[org], truth->attr);
	return live && !same ? "has another state of" : NULL;
}

static bool is_held(const struct world *w, const struct sim_node *n, int origin, char *ret, size_t size)
{
	for (int t = 0; t < TWINS; t++) {
		const char *fault = twin_fault(w, n, origin, t);
		if (!fault)
			continue;
		snprintf(ret, size, "%s %s %s", sites[n->id].origin, fault, twin_name(origin, t));
		return false;
	}
	if (disk_is_repairing(&n->disk.origins[origin])) {
		snprintf(ret, size, "%s is not whole in %s", sites[origin].origin, sites[n->id].origin);
		return false;
	}
	return true;
}

/* A border learns of a partner from that partner's borders. */
static bool is_linked(const struct world *w, int node, int org)
{
	for (int i = 0; i < w->n_links; i++)
		for (int side = 0; side < 2; side++)
			if (w->links[i].ends[side] == node && sites[w->links[i].ends[!side]].org == org)
				return true;
	return false;
}

bool check_converged(const struct world *w, char *ret, size_t size)
{
	for (int i = 0; i < N_NODES; i++)
		for (int org = 0; org < N_ORGS; org++) {
			if (org != sites[i].org && !is_linked(w, i, org))
				continue;
			for (int o = org * N_OF_ORG; o < (org + 1) * N_OF_ORG; o++)
				if (o != i && w->duties[o].owner && !is_held(w, &w->nodes[i], o, ret, size))
					return false;
		}
	return true;
}
