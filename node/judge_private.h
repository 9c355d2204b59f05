/* SPDX-License-Identifier: Apache-2.0 */
/* Judge from inside: what judge*.c share.
 *
 *     judge.c        what was applied, what time brings, who asks
 *     judge_entry.c  one alarm: what it crosses, how it stands
 *     judge_rule.c   what there is to judge of the twins of a type
 *     judge_out.c    samples of alarm/NAME on their way to the writer, and what people do
 */
#pragma once

#include "node/crossing.h"
#include "node/judge.h"
#include "proto/clock.h"
#include "proto/expr.h"
#include "proto/map.h"
#include "storage/numbered.h"
#include "storage/ordered.h"

/* ---- judge_rule.c
 * ------------------------------------------------------------------------------------------
 */

/* One alarm of a type. */
struct rule {
	const struct property_def *of; /* with limits; NULL: an expression */
	const struct alarm_def *alarm;
	struct expr *when; /* of `alarm`; NULL: it cannot be read, and is never true */
	uint16_t place;    /* of alarm/NAME */
	uint16_t of_place;
	bool by_time; /* may change although no value does */
};

struct rules {
	const struct type *type;
	struct arena *arena;
	struct rule *rules;
	size_t n;
	bool by_time, speaks;            /* any; any is an expression */
	uint16_t limits[PROPERTIES_MAX]; /* place in `rules`, one up: of a property with limits */
	uint16_t alarms[PROPERTIES_MAX]; /* the same: of alarm/NAME */
};

/* Of a type, until types change. -ENOMEM. */
MUST_CHECK int judge_rules(struct judge *j, const struct type *type, struct rules **ret);
void judge_forget_rules(struct judge *j);
/* Is the expression true of a twin now? */
bool judge_is_true(struct judge *j, const struct rule *rule, const struct twin *t, int64_t now_ns);

/* ---- judge_entry.c
 * -----------------------------------------------------------------------------------------
 */

/* An alarm that stands, or about which something is to be remembered. */
struct entry {
	uint32_t series; /* of alarm/NAME: who it is */
	bool is_expression;
	bool is_timed, is_listed; /* in judge.timed, in judge.standing */
	enum alarm_state state;
	enum health severity;
	const char *what;           /* "" before it ever stood */
	int64_t since_ns;           /* active since */
	int64_t t_ns;               /* of its latest sample; TIME_MIN: none */
	int64_t until_ns;           /* shelved until; TIME_MAX: it is not */
	struct crossings crossings; /* an expression: at[0] */
	struct entry *next, **at;   /* in judge.timed */
	char twin[];
};

struct subject { /* what is judged */
	const struct twin *twin;
	const struct rule *rule;
	uint32_t series; /* of alarm/NAME */
};

struct entry *judge_known(struct judge *j, const struct subject *s); /* NULL: it rests */
MUST_CHECK int judge_need_entry(struct judge *j, const struct subject *s, struct entry **ret);
void judge_drop(struct judge *j, struct entry *x);
void judge_time(struct judge *j, struct entry *x, bool timed); /* in judge.timed, at its end, or not */
/* A sample that left its band. -ENOMEM. */
MUST_CHECK int judge_sample(struct judge *j, const struct subject *s, const struct band_note *n);
MUST_CHECK int judge_expression(struct judge *j, const struct subject *s, int64_t now_ns);
/* By the present value, whatever was known before; and take over how it stands in the store. */
MUST_CHECK int judge_anew(struct judge *j, const struct subject *s);
MUST_CHECK int judge_stale(struct judge *j, const struct subject *s, int64_t now_ns);
/* Delays and shelves. */
MUST_CHECK int judge_pass(struct judge *j, struct entry *x);
/* It stands so from a time on. -ENOMEM. */
MUST_CHECK int judge_stand(struct judge *j, struct entry *x, enum alarm_state state, int64_t t_ns);
/* It stands as it does: listed, timed or forgotten accordingly. `l` NULL: an expression. -ENOMEM. */
MUST_CHECK int judge_settle(struct judge *j, struct entry *x, const struct subject *s);
static inline bool entry_stands(const struct entry *x)
{
	return x->state == ALARM_ACTIVE || x->state == ALARM_ACKNOWLEDGED || x->state == ALARM_SHELVED;
}
/* No time twice, and none before the one told last: what came later wins. */
static inline int64_t entry_time(const struct entry *x, int64_t t_ns)
{
	return t_ns > x->t_ns ? t_ns : x->t_ns + (x->t_ns < INT64_MAX);
}
int judge_by_twin(const void *key, const void *item); /* struct entry_key against struct entry */
struct entry_key {
	const char *twin;
	uint32_t series;
};

/* ---- judge_out.c
 * -------------------------------------------------------------------------------------------
 */

/* How an alarm stands, on its way to alarm/NAME. Where there is no room for it everything is judged anew
 * later, so that at least the last word is kept. -ENOMEM. */
MUST_CHECK int judge_tell(struct judge *j, const struct entry *x);
void judge_flush_soon(struct judge *j);
const char *judge_text(struct arena *a, const struct entry *x, const char *comment); /* NULL: -ENOMEM */
void judge_forget_acts(struct judge *j);                                             /* nobody is answered */
#define SHELVE_MAX_NS (7 * 24 * 3600 * NS_PER_S)

struct judge_out { /* ops that wait, in their arena */
	struct arena *arena;
	struct op *ops;
	size_t n;
};

struct judge {
	struct engine *e;
	struct arena *scratch;
	struct numbered entries;          /* by series */
	struct ordered standing;          /* those that stand, by twin and series */
	struct entry *timed, **timed_end; /* delays run or shelves end */
	struct map rules;                 /* by name of the type */
	struct rules *latest;             /* asked for */
	uint64_t n_types;                 /* of store_types_changed() */
	const struct twin **spoken;       /* twins with expressions to look at, after a batch */
	size_t n_spoken, spoken_size;
	bool anew;         /* everything is to be judged by its present value ... */
	uint32_t anew_at;  /* ... from here on */
	bool by_time;      /* some rule is */
	uint32_t slice_at; /* the same, what time brings */
	int64_t slice_ns;  /* when that began, monotonic */
	uint64_t tidy_at;  /* entries behind this series are to be looked at */
	struct judge_out out;
	bool is_writing, failed;
	uint64_t n_lost;  /* batches of which not all that left its band was noted */
	struct act *acts; /* on their way */
};
