/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/sim/world.h"

#define WALL_NS (INT64_C(1000000) * NS_PER_S)

void disk_init(struct sim_node *n)
{
	struct disk *d = &n->disk;

	d->lineage[d->n_lineage++] = (struct incarnation){world_random(n->world), 1};
	d->stamp_ns = WALL_NS;
	d->epoch = 1;
	d->origins[n->id].known = n->world->duties[n->id].owner;
	n->changes_end = &n->changes;
}

static void fingerprint_of(struct fingerprint *f, int origin, int twin, const struct sim_row *r, bool add)
{
	if (!r->present || r->deleted)
		return;
	const struct hash128 h = row_hash(twin_name(origin, twin), r->version, r->mask);
	if (add)
		fingerprint_add(f, &h);
	else
		fingerprint_remove(f, &h);
}

static void put_row(struct sim_origin *o, int origin, int twin, const struct sim_row *row)
{
	o->edits++;
	fingerprint_of(&o->fingerprint, origin, twin, &o->rows[twin], false);
	o->rows[twin] = *row;
	fingerprint_of(&o->fingerprint, origin, twin, &o->rows[twin], true);
}

static void schedule_commit(struct sim_node *n)
{
	struct world *w = n->world;

	if (n->commit_due)
		return;
	n->commit_due = true;
	world_push(w, (struct sim_event){.at_ns = w->now_ns + world_delay(w, w->rates.commit_ns),
					 .kind = SIM_COMMIT,
					 .node = (int16_t)n->id,
					 .boot = n->boots});
}

static void add_change(struct sim_node *n, struct sim_change change)
{
	struct sim_change *c = malloc(sizeof *c);

	if (!c)
		abort();
	*c = change;
	c->next = NULL;
	*n->changes_end = c;
	n->changes_end = &c->next;
	schedule_commit(n);
}

static void encode_own(struct sim_node *n, int twin, struct sim_row *r)
{
	SCOPED(buf_fini) struct buf b = {0};
	const char type[] = {'k', (char)('0' + r->attr), '\0'};
	const struct row row = {
		.id = twin_name(n->id, twin),
		.version = r->version,
		.seq = r->seq,
		.mask = ROW_MASK_ALL,
		.deleted = r->deleted,
		.type = type,
		.name = "",
	};
	row_encode(&row, &b);
	if (buf_check(&b) < 0)
		abort();
	r->encoded = world_keep(n->world, buf_bytes(&b));
}

static void note_fact(struct sim_node *n, int twin, const struct sim_row *r, bool durable)
{
	struct facts *f = &n->world->facts[n->id][twin];

	struct fact *fact = world_grow(&f->list, &f->n, sizeof *fact);
	*fact = (struct fact){
		.version = r->version,
		.attr = r->attr,
		.deleted = r->deleted,
		.durable = durable,
		.encoded = r->encoded,
	};
}

static void apply_own(struct sim_node *n, const struct sim_change *c, bool durable)
{
	struct disk *d = &n->disk;
	struct sim_origin *o = &d->origins[n->id];
	int64_t wall_ns = WALL_NS + n->world->now_ns;
	struct sim_row row = {.present = true, .deleted = c->deleted, .attr = c->attr, .mask = ROW_MASK_ALL};

	if (c->deleted && (!o->rows[c->twin].present || o->rows[c->twin].deleted))
		return;
	d->stamp_ns = wall_ns > d->stamp_ns ? wall_ns : d->stamp_ns + 1;
	row.version = (struct row_version){(uint32_t)d->n_lineage - 1, d->stamp_ns};
	row.seq = ++d->seq;
	encode_own(n, c->twin, &row);
	put_row(o, n->id, c->twin, &row);
	note_fact(n, c->twin, &row, durable);
	check_state(n);
}

static struct disk *disk_dup(struct disk *place, const struct disk *d)
{
	struct disk *copy = place ? place : malloc(sizeof *copy);

	if (!copy)
		abort();
	*copy = *d;
	return copy;
}

void disk_copy(struct sim_node *n)
{
	n->copy = disk_dup(n->copy, n->parted ? n->durable : &n->disk);
}

void disk_change(struct sim_node *n, int twin, uint8_t attr, bool deleted)
{
	const struct sim_change change = {.twin = twin, .attr = attr, .deleted = deleted};
	const struct mesh_event changed = {.kind = MESH_CHANGED};

	if (n->world->opt.broken != BREAK_PUBLISH_EARLY) {
		add_change(n, change);
		return;
	}
	if (!n->parted) {
		n->durable = disk_dup(n->durable, &n->disk);
		n->parted = true;
	}
	apply_own(n, &change, false);
	schedule_commit(n);
	node_step(n, &changed);
}

/* publish-early: what the table has shown for a while is durable now. */
static void join(struct sim_node *n)
{
	n->parted = false;
	for (int t = 0; t < TWINS; t++)
		for (size_t i = 0; i < n->world->facts[n->id][t].n; i++)
			n->world->facts[n->id][t].list[i].durable = true;
}

void disk_store(struct sim_node *n, uint64_t token, const struct op *op)
{
	if (n->world->opt.broken == BREAK_SPLIT_COMMIT) {
		struct sim_origin *o = &n->disk.origins[origin_index(op->rows.origin)];
		o->known = true;
		o->cursor = world_keep(n->world, op->rows.cursor);
	}
	add_change(n, (struct sim_change){.kind = CHANGE_ROWS, .token = token, .op = op_copy(op)});
}

void disk_drop_org(struct sim_node *n, int org)
{
	add_change(n, (struct sim_change){.kind = CHANGE_DROP, .twin = org});
}

void disk_collect(struct sim_node *n, int origin)
{
	add_change(n, (struct sim_change){.kind = CHANGE_COLLECT, .twin = origin});
}

bool disk_is_repairing(const struct sim_origin *o)
{
	return o->known && o->cursor.len == 0;
}

/* Full rows travel as the bytes their origin made, and those are here already. */
static struct bytes kept_row(struct world *w, int origin, int twin, struct row_version version,
			     struct bytes encoded)
{
	const struct fact *f = fact_find(w, origin, twin, version);

	return f && bytes_equal(f->encoded, encoded) ? f->encoded : world_keep(w, encoded);
}

/* Apply if newer; a repair is what the origin says now, also where that is older (after a restore). */
static void apply_row(struct sim_node *n, int origin, bool repair, struct bytes encoded)
{
	struct sim_origin *o = &n->disk.origins[origin];
	const enum sim_break broken = n->world->opt.broken;
	struct sim_row row = {.present = true};
	struct row r;
	int owner = -1;

	if (row_decode(n->world->arena, encoded, &r) < 0)
		abort();
	int twin = twin_index(r.id, &owner);
	if (twin < 0 || owner != origin) {
		world_fail(n->world, "%s stores %s as of %s", sites[n->id].origin, r.id,
			   sites[origin].origin);
		return;
	}
	const struct sim_row *held = &o->rows[twin];
	/* a retraction is as of what was shown, and another border may have shown something newer since */
	if (!r.deleted || r.seq > 0)
		check_applied(n, origin, twin, r.version, repair);
	else if (repair && broken == BREAK_NO_GONE)
		return;
	/* of what crossed a border the versions are the border's own, and none serves a cursor it is behind
	 * of */
	bool keeps = (!repair && r.seq > 0) || broken == BREAK_KEEP_NEWER;
	if (keeps && held->present && row_version_compare(r.version, held->version) < 0)
		return;
	row.version = r.version;
	row.seq = r.seq;
	row.mask = r.mask;
	row.deleted = r.deleted;
	row.present = !r.deleted || r.seq > 0; /* tombstones are for those we hand on to */
	row.encoded = kept_row(n->world, origin, twin, r.version, encoded);
	put_row(o, origin, twin, &row);
}

static void drop_rows(struct sim_node *n, int origin, bool living)
{
	struct sim_origin *o = &n->disk.origins[origin];
	const struct sim_row none = {0};

	for (int t = 0; t < TWINS; t++)
		if (living || o->rows[t].deleted)
			put_row(o, origin, t, &none);
}

static void end_repair(struct sim_origin *o)
{
	o->mixed = o->excused = false;
}

static void apply_rows(struct sim_node *n, const struct op_rows *op)
{
	int origin = origin_index(op->origin);
	struct sim_origin *o = &n->disk.origins[origin];

	if (op->afresh)
		drop_rows(n, origin, true);
	for (size_t i = 0; i < op->n; i++)
		apply_row(n, origin, op->repair, op->rows[i]);
	if (op->has_floor) {
		o->floor = op->floor;
		drop_rows(n, origin, false);
	}
	if ((op->repair || op->afresh) && op->cursor.len > 0)
		end_repair(o);
	o->known = true;
	o->cursor = world_keep(n->world, op->cursor);
	o->edits++;
	if (op->head.len > 0)
		o->head = world_keep(n->world, op->head);
}

/* Rows behind a hole would take the cursor across it. */
static void check_hole(struct sim_node *n, int origin, bool stored)
{
	if (!stored)
		n->behind[origin] = n->stores[origin];
	else if (n->behind[origin] > 0)
		world_fail(n->world, "%s stores rows of %s that stand behind some it could not",
			   sites[n->id].origin, sites[origin].origin);
}

/* One with others waiting behind it does so more often than the rest: there care is needed. */
static bool is_unlucky(struct sim_node *n, int origin)
{
	enum { WORSE = 8 };
	struct world *w = n->world;
	const unsigned factor = n->stores[origin] > 0 ? WORSE : 1;

	return !w->healed && world_chance(w, w->rates.store_failure * factor);
}

static void commit_rows(struct sim_node *n, const struct sim_change *c)
{
	struct world *w = n->world;
	struct mesh_event stored = {.kind = MESH_STORED, .token = c->token};
	const struct op_rows *rows = &c->op->rows;
	const int origin = origin_index(rows->origin);
	const bool full = n->full_ns > w->now_ns;

	n->stores[origin]--;
	if (n->failing[origin] || full || is_unlucky(n, origin)) {
		n->failing[origin] = n->stores[origin] > 0 && w->opt.broken != BREAK_STORE_HOLES;
		stored.result = -ENOSPC;
		n->disk.origins[origin].suspect = true;
		world_tell(w, "%s cannot store rows of %s", sites[n->id].origin, rows->origin);
	} else {
		apply_rows(n, rows);
	}
	check_hole(n, origin, stored.result == 0);
	node_step(n, &stored);
}

static void drop_org(struct sim_node *n, int org)
{
	for (int i = org * N_OF_ORG; i < (org + 1) * N_OF_ORG; i++)
		n->disk.origins[i] = (struct sim_origin){.edits = n->disk.origins[i].edits + 1};
}

/* Up to any one of the tombstones. */
static void collect(struct sim_node *n, int origin)
{
	struct sim_origin *o = &n->disk.origins[origin];
	const struct sim_row *last = &o->rows[world_below(n->world, TWINS)], none = {0};
	const uint64_t floor = last->seq;

	if (!o->known || disk_is_repairing(o) != (origin == n->id) || !last->deleted || floor <= o->floor)
		return;
	for (int t = 0; t < TWINS; t++)
		if (o->rows[t].deleted && o->rows[t].seq <= floor)
			put_row(o, origin, t, &none);
	if (n->world->opt.broken != BREAK_NO_COLLECTED)
		o->floor = floor;
	world_tell(n->world, "%s collects tombstones of %s up to %lu", sites[n->id].origin,
		   sites[origin].origin, (unsigned long)floor);
}

static void free_change(struct sim_change *c)
{
	free(c->op);
	free(c);
}

void disk_on_commit(struct sim_node *n)
{
	const struct mesh_event changed = {.kind = MESH_CHANGED};
	bool own = n->parted;
	struct sim_change *all = n->changes;

	n->changes = NULL;
	n->changes_end = &n->changes;
	n->commit_due = false;
	if (n->parted)
		join(n);
	while (all) {
		struct sim_change *c = all;
		all = c->next;
		own |= c->kind != CHANGE_ROWS;
		switch (c->kind) {
		case CHANGE_OWN: apply_own(n, c, true); break;
		case CHANGE_ROWS: commit_rows(n, c); break;
		case CHANGE_DROP: drop_org(n, c->twin); break;
		case CHANGE_COLLECT: collect(n, c->twin); break;
		}
		free_change(c);
	}
	if (own)
		node_step(n, &changed);
}

void disk_lose_changes(struct sim_node *n)
{
	while (n->changes) {
		struct sim_change *c = n->changes;
		n->changes = c->next;
		free_change(c);
	}
	n->changes_end = &n->changes;
	n->commit_due = false;
	if (n->parted)
		n->disk = *n->durable;
	n->parted = false;
}

static void undo_facts(struct sim_node *n, int64_t after_ns)
{
	for (int t = 0; t < TWINS; t++)
		for (size_t i = 0; i < n->world->facts[n->id][t].n; i++) {
			struct fact *f = &n->world->facts[n->id][t].list[i];
			f->undone |= f->version.stamp_ns > after_ns;
		}
}

void disk_restore(struct sim_node *n)
{
	struct disk *d = &n->disk;
	int64_t wall_ns = WALL_NS + n->world->now_ns;

	*d = *n->copy;
	undo_facts(n, d->stamp_ns);
	if (d->n_lineage < LINEAGE_MAX)
		d->lineage[d->n_lineage++] = (struct incarnation){world_random(n->world), d->seq + 1};
	d->stamp_ns = wall_ns > d->stamp_ns ? wall_ns : d->stamp_ns + 1;
	check_state(n);
}

void disk_corrupt(struct sim_node *n, int origin, int twin)
{
	struct sim_origin *o = &n->disk.origins[origin];
	const struct sim_row none = {0};

	if (!o->rows[twin].present || o->rows[twin].deleted)
		return;
	put_row(o, origin, twin, &none);
	world_tell(n->world, "%s loses its row of %s/t%d", sites[n->id].origin, sites[origin].origin, twin);
	o->suspect = true;
}
