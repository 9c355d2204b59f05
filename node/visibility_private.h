/* SPDX-License-Identifier: Apache-2.0 */
/* Visibility, inside - what the files of it share; private to node/visibility*.c.
 *
 *   visibility.c         following the store, edits, what is asked
 *   visibility_class.c   conditions met, classes of twins, what the policy says of each
 *   visibility_shown.c   what of one twin is shown to whom, counts and fingerprints
 *   visibility_family.c  children of a twin, whose rows name it
 *   visibility_order.c   the order of changes
 */
#pragma once

#include "node/partner_set.h"
#include "node/visibility.h"
#include "proto/map.h"
#include "security/conditions.h"

enum { EDITS_KEPT = 64, SUBJECTS_BLOCK = 1 << 20, VIEWS_MAX = PARTNERS_MAX };

/* What partners see of a twin: those in the set. With a token in it, it is of one partner. */
struct sight {
	uint64_t mask; /* for egress_row() */
	struct partner_set set;
};

/* What is decided of a class, but for parents. */
struct outcome {
	struct partner_set all; /* who may know of the twins */
	size_t n;
	struct sight sights[];
};

/* Twins to which the policy gives the same answers. */
struct twin_class {
	struct subject *first;
	size_t n;
	struct outcome *outcome, *before; /* before: during an edit that changed it; else NULL */
	uint32_t *slots;                  /* conditions met, in order */
	size_t n_slots;
	char key[]; /* KPIs, alarms and slots */
};

/* What policies look at in a row besides its id, shared by all rows that have the same. */
struct traits {
	size_t n_users;
	uint64_t round; /* in which the slots were looked up */
	uint32_t *slots;
	size_t n_slots; /* of the tags and the type */
	const char *type;
	const char **tags;
	struct kpi *kpis;         /* names only */
	struct row_alarm *alarms; /* the same */
	size_t n_tags, n_kpis, n_alarms;
	struct arena *arena;
	char key[];
};

/* What some partners see of a twin, or saw last. No partner is in two of a twin's. */
struct group {
	uint64_t digest; /* of the content */
	uint64_t place;
	struct row_version version;
	uint64_t mask; /* 0: out of sight */
	uint32_t set;
};

/* A twin among the children of one that may leave the sight: its row names the parent. */
struct kin {
	struct kin *next, **back;
	struct family *family;
	struct subject *child;
};

struct family {
	struct kin *first;
	char parent[];
};

/* A twin that was heard of. Never freed: what was shown of it once must be retracted. */
struct subject {
	struct origin_view *origin;
	struct traits *traits;        /* NULL: it is gone */
	struct twin_class *class;     /* the same */
	struct subject *next, **back; /* in its class */
	struct group *groups;
	struct kin *kin; /* one per parent in the own organisation, whatever the hierarchy */
	uint64_t place;  /* in the order of changes; 0: none */
	uint64_t round;  /* of the last edit that decided it */
	uint16_t n_groups, size;
	uint8_t n_kin;
	char id[];
};

struct subjects_block {
	struct subjects_block *next;
	size_t used;
	_Alignas(16) uint8_t data[SUBJECTS_BLOCK];
};

struct order_entry {
	uint64_t place, seq; /* seq: up to which the origin's changes were taken in then */
	struct subject *subject;
};

/* Entries whose subject stands elsewhere by now are dropped when they are too many. */
struct order {
	struct order_entry *entries;
	size_t n, size, n_live;
};

/* What a set of partners is shown of an origin. */
struct tally {
	struct fingerprint fingerprint;
	int64_t stamp_ns; /* of the newest that was shown */
};

struct origin_view {
	uint64_t followed; /* sequence number up to which changes were taken in */
	struct order order;
	struct tally *tallies; /* by number of the set */
	size_t n_tallies;
	int64_t stamps_ns[PARTNERS_MAX]; /* of what was shown in sets that are no more */
	char name[];
};

struct edit {
	uint64_t epoch, place;
};

struct visibility {
	const struct egress *egress;
	struct map subjects, origins, families;
	struct subjects_block *blocks, *last_block;
	struct arena *scratch;
	struct partner_sets sets;
	char partners[PARTNERS_MAX][ORG_NAME_MAX + 1];
	size_t n_partners; /* only grows: a place is an organisation's for the life of the process */
	char own_origin[ORG_NAME_MAX + NODE_NAME_MAX + 2];

	struct condition *conditions; /* by slot; of the present policy and some of earlier ones */
	size_t n_conditions;
	struct map slots; /* by and text -> slot, one up */
	struct condition_index *index;
	struct map traits, classes;
	uint64_t traits_round; /* of the conditions */
	unsigned numbering;    /* of the slots */
	struct partner_set trusted;

	uint64_t run, place; /* place: the newest given */
	uint64_t round;      /* of edits */
	struct edit edits[EDITS_KEPT];
	size_t n_edits;
	bool unsettled; /* an edit failed in the middle, */
	bool behind;    /* ... or following the store did */
	uint64_t n_decided;
};

/* ---- visibility.c */
int visibility_partner(const struct visibility *v, const char *org); /* its place; -1: none */
struct subject *visibility_subject(const struct visibility *v, const char *id);

/* ---- visibility_class.c */

/* Put a twin into the class and give it the traits that its row says. */
MUST_CHECK int class_set(struct visibility *v, struct subject *s, const struct row *full);
/* Is the class still the one that this row of the twin says? */
bool class_fits(const struct subject *s, const struct row *full);
void class_leave(struct visibility *v, struct subject *s); /* it is gone */
/* The policy is another one: ask anew which twins are in which class, and about every class. `fn` is called
 * for each twin for which there is another outcome than before, with `whole` for all, once everything is
 * decided. */
typedef int class_fn(struct visibility *v, struct subject *s, const struct outcome *before);
MUST_CHECK int classes_edit(struct visibility *v, bool whole, class_fn *fn);
void classes_fini(struct visibility *v);
/* Nobody, for a twin that is gone. */
const struct outcome *class_outcome(const struct subject *s);

/* ---- visibility_shown.c */

/* Bring what is shown of a twin in line with what is decided. `full`: its row; NULL: it is gone, or nobody
 * may see it. */
MUST_CHECK int subject_show(struct visibility *v, struct subject *s, const struct row *full);
MUST_CHECK int subject_move(struct visibility *v, struct subject *s, struct origin_view *origin);
bool group_read(const struct visibility *v, const struct subject *s, int partner, struct shown *ret);
void origin_view_sum(const struct visibility *v, const struct origin_view *o, int partner, struct tally *ret);

/* ---- visibility_family.c */
MUST_CHECK int family_set(struct visibility *v, struct subject *s, const struct row *full);
void family_leave(struct visibility *v, struct subject *s);
struct family *family_find(const struct visibility *v, const char *parent);
void families_fini(struct visibility *v);

/* ---- visibility_order.c */
MUST_CHECK int order_put(struct order *o, struct subject *s, uint64_t place, uint64_t seq);
void order_take(struct order *o, struct subject *s); /* it stands in it no more */
/* The first entry behind a place, or with a later seq. */
size_t order_behind(const struct order *o, uint64_t place);
size_t order_behind_seq(const struct order *o, uint64_t seq);
/* The subject at or behind an entry; moves *at behind it. NULL: the end. */
struct subject *order_next(const struct order *o, size_t *at);
