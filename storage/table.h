/* SPDX-License-Identifier: Apache-2.0 */
/* Table - the present state of the own twins in memory: types, twins, relations both ways, memberships,
 * current values, and the order of changes. Every function that changes it is total: what does not fit (any
 * more) is skipped, so that replaying the log gives the same table again, sequence numbers included.
 *
 *     state/  'T' name:        type
 *             't' id:          seq, version, deleted; definition
 *             'v' id:          current values with the numbers of their series
 *             'r' number (8):  relation
 *             'm' number (8):  membership
 *             'M':             meta, see storage/checkpoint.c
 *
 * Owner:   the store. Threads: the loop's.
 */
#pragma once

#include "proto/map.h"
#include "proto/op.h"
#include "storage/changeset.h"
#include "storage/intern.h"
#include "storage/ordered.h"
#include "storage/series.h"
#include "storage/store.h"

/* The table's own side of the structs in store.h: the public part comes first. */
struct own_type {
	struct type pub;
	struct arena *declared_arena, *arena; /* of pub.declared and pub.def */
	size_t n_users;                       /* living twins */
	struct type_change *change;           /* while types change, see table_type.c */
	bool dirty;
	char name[];
};

struct own_twin {
	struct twin pub;
	struct twin_def def;
	struct sample *values;    /* one per property of the type; type VALUE_NONE: never measured */
	struct series *series;    /* behind the values in the same piece of memory */
	struct twin_block *block; /* what def points to */
	uint8_t dirty;            /* DIRTY_* */
	char id[];
};

enum { DIRTY_TWIN = 1, DIRTY_VALUES = 2 };

struct own_edge {
	struct edge pub;
	struct own_edge *prev_out, *prev_in;
	struct end *end; /* where it ends, if not at an own twin */
	uint64_t number; /* in order of creation */
	size_t dirty_at; /* place in table.dirty_edges, one up; 0: not dirty */
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

struct series_owner {
	struct own_twin *twin; /* NULL: gone */
	uint32_t property;
};

struct table {
	struct series_set *history;   /* borrowed */
	struct map twins;             /* id -> own_twin, tombstones too */
	struct ordered by_id, by_seq; /* the same */
	struct ordered by_alias;      /* struct alias_ref */
	struct ordered types, edges, members;
	struct map ends;             /* id of no own twin -> struct end */
	struct series_owner *owners; /* by number of series */
	size_t owners_size;
	struct intern words;
	uint64_t n_twins, n_series;
	uint64_t seq; /* of the latest change */
	int64_t stamp_ns;
	uint64_t next_series, next_number; /* next_series 0: none are given, while loading */

	uint64_t batch_seq;    /* seq when this batch began */
	int64_t next_stamp_ns; /* of the next change in it */
	uint32_t lineage;

	struct pile dirty_twins, dirty_edges;
	struct changeset changes; /* what is gone since the last checkpoint */
};

void table_init(struct table *t);
void table_fini(struct table *t); /* the history must still be open or already forgotten by the handles */

/* Changes from here on belong to one batch: each changed twin gets one seq and one stamp, counted up from
 * here. */
void table_begin_batch(struct table *t, uint32_t lineage, int64_t stamp_base_ns);

/* All: 0 or -ENOMEM (the table is then good for table_fini() only). */
MUST_CHECK int table_put_type(struct table *t, const struct type_def *def);
MUST_CHECK int table_put_twin(struct table *t, const struct twin_def *def);
MUST_CHECK int table_delete_twin(struct table *t, const char *id);
MUST_CHECK int table_put_edge(struct table *t, const struct relation *r);
MUST_CHECK int table_delete_edge(struct table *t, const struct relation *r);
MUST_CHECK int table_put_member(struct table *t, const struct membership *m);
/* keep_history: false when the samples are in the chunks already. */
MUST_CHECK int table_add_samples(struct table *t, const struct op_samples *samples, bool keep_history);

/* ---- Looking ----------------------------------------------------------------------------------------------
 */

/* The twin behind what store.h shows of it. */
static inline struct own_twin *own_twin(const struct twin *t)
{
	return (struct own_twin *)(uintptr_t)t;
}

struct own_twin *table_twin(const struct table *t, const char *id); /* tombstones too; NULL: never heard of */
struct own_type *table_type(const struct table *t, const char *name);
struct own_edge *table_edge(const struct table *t, const struct relation *r);
struct own_member *table_member(const struct table *t, const struct membership *m);
struct own_member *table_member_next(const struct table *t, const char *child,
				     const struct membership *after);
struct own_twin *table_series_owner(const struct table *t, uint32_t series, size_t *ret_property);
const struct edge *table_edges_to(const struct table *t, const char *to);
const struct twin *table_alias_next(const struct table *t, const char *alias, const char *after_id);

/* The life-cycle that a twin has after `given` is joined to `held` (NULL: a new twin) into `ret`, which has
 * room for LIFE_STEPS_MAX: steps that are known stay, newer ones are added. ERR_REFUSED with a note. */
MUST_CHECK int life_join(const struct twin_def *held, const struct twin_def *given, struct life_step *ret,
			 size_t *ret_n, struct err_note *note);

/* ---- Stored form ------------------------------------------------------------------------------------------
 */

/* Add everything that is dirty to `ret`, and note it as clean. -ENOMEM: it is still dirty. */
MUST_CHECK int table_take_changes(struct table *t, struct changeset *ret);
/* Fill an empty table. ERR_CORRUPT, -ENOMEM. */
MUST_CHECK int table_load(struct table *t, struct env_txn *txn);

/* ---- Between table*.c -------------------------------------------------------------------------------------
 */

MUST_CHECK int table_touch(struct table *t, struct own_twin *w); /* its row changes in this batch */
MUST_CHECK int pile_put(struct pile *p, void *item);
MUST_CHECK int twin_mark(struct table *t, struct own_twin *w, uint8_t dirty);
MUST_CHECK int edge_mark(struct table *t, struct own_edge *e);

/* Make room for the values of a type, keeping those of properties that are the same in both (NULL: no type).
 */
MUST_CHECK int twin_retype(struct table *t, struct own_twin *w, const struct type_def *from,
			   const struct type_def *to);
void twin_drop_values(struct table *t, struct own_twin *w);
/* Name the series of a property; it must be set once, before anything is measured. */
MUST_CHECK int twin_set_series(struct table *t, struct own_twin *w, size_t property, uint64_t number);
MUST_CHECK int twin_set_value(struct table *t, struct own_twin *w, size_t property, const struct sample *s);

MUST_CHECK int edges_of_new_twin(struct table *t, struct own_twin *w); /* edges that waited for it */
MUST_CHECK int edges_drop(struct table *t, struct own_twin *w);
MUST_CHECK int members_drop(struct table *t, struct own_twin *w);
void edges_free(struct table *t);

void type_free(void *item);
/* First all types as they were declared, in any order, then how they take effect. ERR_CORRUPT. */
MUST_CHECK int type_load(struct table *t, const struct type_def *def);
MUST_CHECK int types_link(struct table *t);
MUST_CHECK int table_load_twin(struct table *t, const struct twin_def *def, uint64_t seq,
			       struct row_version version, bool deleted);
MUST_CHECK int edge_new(struct table *t, const struct relation *r, uint64_t number, struct own_edge **ret);
MUST_CHECK int member_new(struct table *t, const struct membership *m, uint64_t number,
			  struct own_member **ret);
