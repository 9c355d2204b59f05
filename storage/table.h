/* SPDX-License-Identifier: Apache-2.0 */
/* Table - the present state of the own twins in memory: types, twins, relations both ways, memberships,
 * current values, and the order of changes. Every function that changes it is total: what does not fit (any
 * more) is skipped, so that replaying the log gives the same table again, sequence numbers included.
 *
 *     state/  'T' name:        type
 *             't' number / 64: of so many twins: id, definition, numbers of its series each, see
 *                              storage/table_record_twin.c
 *             's' number / 64: of as many: seq (8), stamp (8), lineage (4) each
 *             'v' number / 64: of so many series: present values, see storage/values.h
 *             'r' number (8):  relation
 *             'm' number (8):  membership
 *             'M':             meta, see storage/checkpoint.c
 *
 * Owner:   the store. Threads: the loop's.
 */
#pragma once

#include "proto/map.h"
#include "proto/op.h"
#include "storage/bands.h"
#include "storage/changeset.h"
#include "storage/history.h"
#include "storage/intern.h"
#include "storage/ordered.h"
#include "storage/store.h"
#include "storage/turns.h"
#include "storage/twin_index.h"
#include "storage/values.h"

/* The table's own side of the structs in store.h: the public part comes first. */
struct own_type {
	struct type pub;
	struct arena *declared_arena, *arena; /* of pub.declared and pub.def */
	size_t n_users;                       /* living twins */
	struct type_change *change;           /* while types change, see table_type.c */
	bool dirty;
	char name[];
};

/* What most twins have not, in one piece of memory. */
struct twin_rest {
	const char *name;
	struct life_step *life;
	const char **tags, **aliases;
	size_t n_life, n_tags, n_aliases;
	struct alias_ref *refs; /* one per alias, see storage/table_alias.h */
};

/* Never moves; its tombstone stays until it is collected, then its memory and its number are another's. */
struct own_twin {
	struct twin pub;
	struct twin_rest *rest; /* NULL: no name, tag or alias, operating since always */
	uint32_t *map;          /* series of each property of the type; NULL: in a row from `first` on */
	uint32_t first;         /* 0: it has none */
	uint32_t number;        /* 1.. in the order of creation */
	uint32_t form;          /* another one with every change of what it is */
	char id[];
};

struct own_edge {
	struct edge pub;
	struct own_edge *prev_out, *prev_in;
	struct end *end; /* where it ends, if not at an own twin */
	uint64_t number; /* in order of creation */
	size_t dirty_at; /* place in table.dirty_edges, one up; 0: not dirty and not frozen */
};

struct own_member {
	struct membership pub;
	uint64_t number;
	bool dirty;
	char parent[];
};

struct pile {
	void **items; /* some may be NULL */
	size_t n, size;
};

/* Memory for a twin comes in so many sizes. */
enum { TWIN_ALIGN = _Alignof(struct own_twin) };
enum { TWIN_SIZES = (sizeof(struct own_twin) + TWIN_ID_MAX + 1) / TWIN_ALIGN + 2 };

enum { TWINS_BLOCK = 64 }; /* twins that are stored together, and their seq and version */
enum { TWINS_DIRTY = 1, ROWS_DIRTY = 2, TWINS_FROZEN = 4, ROWS_FROZEN = 8 };

struct table {
	struct history *history; /* borrowed */
	struct arena *memory;    /* of the twins */
	struct twin_index twins; /* tombstones too */
	struct ordered by_id;    /* the same */
	struct turns by_seq;     /* the same */
	struct ordered graves;   /* the tombstones, by seq */
	struct ordered by_alias; /* struct alias_ref */
	struct ordered types, edges, members;
	struct map ends; /* id of no own twin -> struct end */
	struct intern words;
	struct values values;
	struct bands bands;
	uint64_t n_twins, n_series;
	uint64_t seq;   /* of the latest change */
	uint64_t floor; /* tombstones up to there were collected */
	int64_t stamp_ns;
	struct fingerprint counted; /* over the living twins whose latest change is ... */
	uint64_t counted_seq;       /* ... up to this one */
	uint64_t next_number;
	uint32_t forms; /* given so far */

	uint64_t batch_seq;    /* seq when this batch began */
	int64_t next_stamp_ns; /* of the next change in it */
	uint32_t lineage;

	uint8_t *blocks; /* what is dirty or frozen of each TWINS_BLOCK twins */
	uint32_t n_blocks;
	struct pile dirty_edges;
	struct changeset changes; /* what is gone since the last checkpoint */

	struct changeset *frozen_to; /* where what is frozen goes before it changes; NULL: nothing is */
	uint32_t blocks_at;          /* blocks before it have nothing frozen */
	size_t edges_at, n_frozen;   /* dirty_edges from edges_at to n_frozen are frozen */
	uint8_t *ground;             /* the rest of a piece of `memory` */
	size_t ground_left;
	struct spare *spare[TWIN_SIZES]; /* memory of collected twins, by size */
	uint32_t *holes;                 /* their numbers */
	uint32_t n_holes, holes_size;
};

void table_init(struct table *t);
void table_fini(struct table *t);

/* Changes from here on belong to one batch: each changed twin gets one seq and one stamp, counted up from
 * here. */
void table_begin_batch(struct table *t, uint32_t lineage, int64_t stamp_base_ns);

/* All: 0 or -ENOMEM (the table is then good for table_fini() only). */
MUST_CHECK int table_put_type(struct table *t, const struct type_def *def);
MUST_CHECK int table_put_twin(struct table *t, const struct twin_def *def);
MUST_CHECK int table_delete_twin(struct table *t, const char *id);
MUST_CHECK int table_collect(struct table *t, uint64_t floor); /* tombstones up to there go for good */
MUST_CHECK int table_put_edge(struct table *t, const struct relation *r);
MUST_CHECK int table_delete_edge(struct table *t, const struct relation *r);
MUST_CHECK int table_put_member(struct table *t, const struct membership *m);
MUST_CHECK int table_add_samples(struct table *t, const struct op_samples *samples);

/* A series by its number: whose and what it is. False when there is no such series (any more). */
struct series_place {
	struct own_twin *twin;
	size_t property;
	const struct property_def *def;
};
static inline bool table_series(const struct table *t, uint32_t series, struct series_place *ret);

/* One sample of a series that is there; the value is of its type. */
MUST_CHECK int table_add_sample(struct table *t, uint32_t series, const struct series_place *at,
				const struct sample *s);
/* The same for a bool, int64 or double by its bits (value_bits()), without uncertainty. */
MUST_CHECK int table_add_number(struct table *t, uint32_t series, const struct series_place *at, int64_t t_ns,
				uint64_t bits, enum quality quality, const char *source);

/* ---- Looking ----------------------------------------------------------------------------------------------
 */

/* The twin behind what store.h shows of it. */
static inline struct own_twin *own_twin(const struct twin *t)
{
	return (struct own_twin *)(uintptr_t)t;
}

static inline size_t twin_places(const struct own_twin *w)
{
	return w->pub.type ? w->pub.type->def.n_properties : 0;
}

/* The series of a property that the twin's type has. */
static inline uint32_t twin_series(const struct own_twin *w, size_t property)
{
	return w->map ? w->map[property] : w->first + (uint32_t)property;
}

static inline bool table_series(const struct table *t, uint32_t series, struct series_place *ret)
{
	struct own_twin *w = twin_index_at(&t->twins, values_owner(&t->values, series));

	if (!w || !w->pub.type)
		return false;
	size_t i = w->map ? 0 : series - w->first;
	while (w->map && i < twin_places(w) && w->map[i] != series)
		i++;
	if (i >= twin_places(w))
		return false;
	*ret = (struct series_place){w, i, &w->pub.type->def.properties[i]};
	return true;
}

/* What the twin is; the type's name and all texts are the table's. */
struct twin_def twin_def_of(const struct own_twin *w);
struct sample twin_value(const struct table *t, const struct own_twin *w, size_t property);

struct own_twin *table_twin(const struct table *t, const char *id); /* tombstones too; NULL: never heard of */
struct own_type *table_type(const struct table *t, const char *name);
struct own_edge *table_edge(const struct table *t, const struct relation *r);
struct own_member *table_member(const struct table *t, const struct membership *m);
struct own_member *table_member_next(const struct table *t, const char *child,
				     const struct membership *after);
const struct edge *table_edges_to(const struct table *t, const char *to);
/* Over the living twins. What changed since it was asked last is counted now: many changes of a twin between
 * two questions cost two hashes, and none while nobody asks. */
struct fingerprint table_fingerprint(struct table *t);
/* The twin with the lowest seq above one, tombstones too; NULL: none. */
const struct twin *table_change_next(const struct table *t, uint64_t seq);
uint64_t table_graves_over(const struct table *t, const struct graves_kept *kept);
const struct twin *table_alias_next(const struct table *t, const char *alias, const char *after_id);

/* The life-cycle that a twin has after `given` is joined to `held` (NULL: a new twin) into `ret`, which has
 * room for LIFE_STEPS_MAX: steps that are known stay, newer ones are added. ERR_REFUSED with a note. */
MUST_CHECK int life_join(const struct twin_def *held, const struct twin_def *given, struct life_step *ret,
			 size_t *ret_n, struct err_note *note);

/* ---- Stored form ------------------------------------------------------------------------------------------
 */

/* What is dirty is to go into `to` as it is now: what there is little of at once, the rest by table_take() in
 * pieces, and before it changes. -ENOMEM: nothing is frozen. */
MUST_CHECK int table_freeze(struct table *t, struct changeset *to);
MUST_CHECK int table_take(struct table *t); /* 0: call again, 1: everything is in `to` */
void table_thaw(struct table *t);           /* what was not taken is dirty again */
/* Blocks of twins and values that are frozen, at most. */
size_t table_frozen(const struct table *t);
/* Fill an empty table. ERR_CORRUPT, -ENOMEM. */
MUST_CHECK int table_load(struct table *t, struct env_txn *txn);

/* ---- Between table*.c -------------------------------------------------------------------------------------
 */

/* Its row changes in this batch; before it begins or ends to live. */
MUST_CHECK int table_touch(struct table *t, struct own_twin *w);
MUST_CHECK int pile_put(struct pile *p, void *item);
MUST_CHECK int twin_mark(struct table *t, uint32_t number);    /* its record is about to change */
MUST_CHECK int turn_mark(struct table *t, uint32_t number);    /* its seq and version */
MUST_CHECK int edge_mark(struct table *t, struct own_edge *e); /* the same */
MUST_CHECK int edge_take(struct table *t, struct own_edge *e); /* if it is frozen */

/* ---- table_grave.c */
MUST_CHECK int grave_put(struct table *t, struct own_twin *w); /* it has died */
void grave_remove(struct table *t, const struct own_twin *w);  /* it comes back, before its seq changes */
MUST_CHECK int graves_load(struct table *t);                   /* all twins and their rows are there */
uint32_t twin_next_number(struct table *t);
/* Memory for a twin of so many bytes, not zeroed; NULL: of none that was collected. */
void *spare_take(struct table *t, size_t size);

/* Give the twin the series of a type, keeping those of properties that are the same in both (NULL: no type).
 */
MUST_CHECK int twin_retype(struct table *t, struct own_twin *w, const struct type_def *from,
			   const struct type_def *to);

MUST_CHECK int edges_of_new_twin(struct table *t, struct own_twin *w); /* edges that waited for it */
MUST_CHECK int edges_drop(struct table *t, struct own_twin *w);
MUST_CHECK int members_drop(struct table *t, struct own_twin *w);
void edges_free(struct table *t);

void type_free(void *item);
/* First all types as they were declared, in any order, then how they take effect. ERR_CORRUPT. */
MUST_CHECK int type_load(struct table *t, const struct type_def *def);
MUST_CHECK int types_link(struct table *t);
/* A tombstone without a seq, to be filled in; not yet in by_id. */
MUST_CHECK int twin_new(struct table *t, struct bytes id, uint32_t number, struct own_twin **ret);
MUST_CHECK int twin_set_def(struct table *t, struct own_twin *w, const struct twin_def *d);
MUST_CHECK int edge_new(struct table *t, const struct relation *r, uint64_t number, struct own_edge **ret);
MUST_CHECK int member_new(struct table *t, const struct membership *m, uint64_t number,
			  struct own_member **ret);
