/* SPDX-License-Identifier: Apache-2.0 */
/* Twin - what a twin, its type and its relations are, as data (ISO 23247 observable element; DESIGN 2).
 * All pointers are borrowed, usually from the arena of a decoded message or from the store's table. */
#pragma once

#include "proto/limits.h"
#include "proto/value.h"

enum kind {
	KIND_COMPONENT,
	KIND_ASSET,
	KIND_SYSTEM,
	KIND_PROCESS,
	KIND_SYSTEM_OF_SYSTEMS,
	KIND_ENVIRONMENT,
	N_KINDS,
};

enum life_cycle {
	LIFE_DESIGN,
	LIFE_BUILD,
	LIFE_COMMISSIONED,
	LIFE_OPERATING,
	LIFE_MAINTENANCE,
	LIFE_RETIRED,
	N_LIFE_CYCLES,
};

/* Ordered: the larger the worse, so that worst health is a maximum. */
enum health { HEALTH_UNKNOWN, HEALTH_GOOD, HEALTH_WARNING, HEALTH_ALARM, N_HEALTHS };

/* Does the owner of the child agree that it belongs to the parent? Between twins of one organisation a
 * membership needs no second word. */
enum confirmation { CONFIRM_PENDING, CONFIRM_CONFIRMED, CONFIRM_REFUSED, N_CONFIRMATIONS };

/* How long samples are kept, counted from the newest of their series; each of these times begins where the
 * one before ends (DESIGN 4). All 0 where somebody else may say it too: the property leaves it to its type,
 * the type to the one it extends, and in the end it is for ever. TIME_MAX for raw_ns says for ever outright.
 */
struct retention {
	int64_t raw_ns;             /* 0: for ever */
	int64_t minute_ns, hour_ns; /* one-minute and one-hour buckets after that; 0: none */
};

/* Where a value stops being fine. In the property's unit, NaN: none; where both are given, they rise in this
 * order. */
enum limit { LIMIT_LOW_ALARM, LIMIT_LOW_WARNING, LIMIT_HIGH_WARNING, LIMIT_HIGH_ALARM, N_LIMITS };

/* Limits of a property of numbers (ISA-18.2, EEMUA 191): reached is crossed. All open: it has none. */
struct limits {
	double at[N_LIMITS];
	double rate_warning, rate_alarm; /* the most it may change in a second, up or down, from one sample to
					    the next; NaN: none */
	double hysteresis; /* so far inside a limit it must be for the crossing to be over; 0: none */
	double dead_band; /* a value less than this away from the one last judged is not judged; 0: all are */
	int64_t delay_ns; /* so long it must last, in times of measurement or of the clock, before it counts,
			     and as long before it is over; 0: at once */
	int64_t stale_ns; /* no sample for so long, by the node's clock, is a warning; 0: never */
};

/* What makes a property one of those that a type gets by itself: beside NAME of another one. */
enum property_made {
	MADE_DECLARED,
	MADE_DESIRED, /* `desired/NAME` of a settable one: what it should be; anybody may write it who writes
		       * NAME
		       */
	MADE_SETTLE,  /* `settle/NAME` of a settable one: is it so yet (standing.h); the node's own, a text */
	MADE_ALARM,   /* `alarm/NAME` of one with limits, or of an alarm_def NAME: how it stands (standing.h);
			 the   node's own, a text */
	MADE_HEALTH,  /* `health/members` of a type whose health_def has a rule: what it says now; the node's
		       * own, an enum of the words of health_text() */
	N_MADE,
};

/* From one word of an enum property to another: places in its options. */
struct transition {
	uint16_t from, to;
};

struct property_def {
	const char *name;
	enum value_type type;
	enum property_made made; /* not declared but filled in by type_def_extend() */
	const char *unit;        /* UDUNITS-2; "" for none */
	double min, max;         /* inclusive; NaN: open */
	bool kpi;                /* part of the summary */
	const char **options;    /* words of an enum */
	size_t n_options;
	bool settable;               /* has a desired value too: the property `desired/NAME` beside it */
	struct retention retention;  /* all 0: the type's */
	const struct limits *limits; /* NULL: none */
	double tolerance; /* settable numbers: so far from the desired value is close enough; 0: it must be it
			   */
	int64_t settle_ns; /* settable: so long it may take to get there unless it is said; 0: for ever */
	/* Of an enum: the only steps it takes (a process and its states; ISO 23247 observable process), from
	 * options[0] on, in the order of time: what does not follow is refused, and so are late samples.
	 * None: any word may follow any. */
	struct transition *transitions;
	size_t n_transitions;
	/* The same: */
	uint16_t made_of;   /* place of NAME in the properties ... */
	bool made_of_alarm; /* ... or, MADE_ALARM of an alarm_def, in the alarms */
};

/* What readings of the surroundings are called (node/context.h). */
#define CONTEXT_PREFIX "context/"

/* An alarm that is more than a limit: an expression over the properties of a twin and, as `context/NAME`, of
 * its surroundings (node/context.h). */
struct alarm_def {
	const char *name;
	const char *when;     /* expr.h, a truth; what is unknown is no alarm */
	enum health severity; /* HEALTH_WARNING or HEALTH_ALARM */
	const char *text;     /* for people; "" for none */
	int64_t delay_ns;     /* as of limits */
};

/* A command that twins of the type take: `safe-stop(grace_s: double)` (DESIGN 9). Parameters are properties
 * as far as name, type, unit, min, max and options go. */
struct operation_def {
	const char *name; /* a name as in id_is_name(), one segment */
	const char *text; /* for people; "" for none */
	struct property_def *parameters;
	size_t n_parameters;
	int64_t within_ns; /* deadline when none is said; 0: a minute */
};

/* How the health of a twin follows from its members', below `hierarchy`. Its own alarms count besides: the
 * worst of both it is. */
enum health_rule {
	HEALTH_OWN,      /* it does not */
	HEALTH_WORST,    /* as the worst of them */
	HEALTH_K_OF_N,   /* k of them must be without alarm (k-out-of-n:G), else alarm; if any is not good:
			  * warning
			  */
	HEALTH_WEIGHTED, /* the share of those with an alarm, those with a warning as half, each with the
			    number in its KPI `weight` (none: 1): from `warning` on warning, from `alarm` on
			    alarm */
	N_HEALTH_RULES,
};

struct health_def {
	enum health_rule rule;
	const char *hierarchy; /* "" is `contains` */
	uint32_t k;
	const char *weight;    /* "" for none */
	double warning, alarm; /* 0 .. 1 */
};

/* A type as somebody declares it, or, out of type_def_extend(), as it takes effect. */
struct type_def {
	const char *name;   /* `line`, `acme/press`; a name as in id_is_name() */
	const char *parent; /* the type it extends; "" for none */
	uint32_t version;   /* 1.. ; rises with every change */
	enum kind kind;     /* what its twins are */
	struct retention retention;
	struct property_def *properties;
	size_t n_properties;
	struct alarm_def
		*alarms; /* with those of the type it extends, as properties are; the same name: anew */
	size_t n_alarms;
	struct operation_def *operations; /* the same */
	size_t n_operations;
	struct health_def health; /* HEALTH_OWN: as the type it extends */
};

struct life_step {
	enum life_cycle state;
	int64_t since_ns; /* TIME_MIN: always */
};

struct twin_def {
	const char *id;
	const char *type; /* name of its type; "" for none (then it has no properties) */
	enum kind kind;
	const char *name; /* for people; "" for none */
	const char **tags;
	size_t n_tags;
	const char **aliases; /* foreign identifiers, any text */
	size_t n_aliases;
	struct life_step *life; /* oldest first; the last is the present one; never empty in a stored twin */
	size_t n_life;
};

/* A directed edge. `valid_*` are valid time, inclusive; TIME_MIN and TIME_MAX by default. */
struct relation {
	const char *type; /* contains, feeds, connects, located-in, ... */
	const char *from, *to;
	int64_t valid_from_ns, valid_to_ns;
};

/* The word of the child's owner on a membership that another organisation claims. */
struct membership {
	const char *hierarchy; /* relation type, usually "contains" */
	const char *parent, *child;
	enum confirmation state;
	int64_t since_ns;
};

const char *kind_text(enum kind kind);
bool kind_parse(const char *text, enum kind *ret);
const char *life_cycle_text(enum life_cycle state);
bool life_cycle_parse(const char *text, enum life_cycle *ret);
const char *health_text(enum health health);
bool health_parse(const char *text, enum health *ret);
const char *confirmation_text(enum confirmation state);

/* May the life-cycle go from one state to the other? design -> build -> commissioned -> operating <->
 * maintenance, any of them -> retired, design/build/commissioned may be skipped forwards, nothing leaves
 * retired. */
bool life_cycle_may(enum life_cycle from, enum life_cycle to);

/* The life-cycle state at a time; LIFE_DESIGN before the first step. */
enum life_cycle twin_life_at(const struct twin_def *t, int64_t at_ns);

/* Property of a type by name, NULL when it has none; ret_index (may be NULL) is its place. */
const struct property_def *type_property(const struct type_def *type, const char *name, size_t *ret_index);

/* All of them open: to begin with. */
extern const struct limits LIMITS_NONE;
bool limits_are_none(const struct limits *l);
const char *limit_text(enum limit limit); /* "high-alarm" */
const char *health_rule_text(enum health_rule rule);
bool health_rule_parse(const char *text, enum health_rule *ret);
const char *made_text(enum property_made made); /* "desired/" */

/* Only the node writes it. */
static inline bool property_is_nodes_own(const struct property_def *p)
{
	return p->made > MADE_DESIRED;
}

/* Its present value shows in the row of its twin. */
static inline bool property_is_in_row(const struct property_def *p)
{
	return p->kpi || p->made == MADE_ALARM || p->made == MADE_HEALTH;
}

/* May a word follow another? Always where no transitions are declared. Places in the options. */
bool transition_may(const struct property_def *p, size_t from, size_t to);

const struct operation_def *type_operation(const struct type_def *type, const char *name, size_t *ret_index);
const struct alarm_def *type_alarm(const struct type_def *type, const char *name, size_t *ret_index);
/* The property that is made of another: MADE_SETTLE of properties[place], ...; NULL: there is none. */
const struct property_def *type_made(const struct type_def *type, enum property_made made, const char *of,
				     size_t *ret_index);

/* Is this property of a type as it takes effect the `desired/NAME` that a settable NAME brings? ret_of (may
 * be NULL) is the place of NAME. */
bool property_is_desired(const struct type_def *type, const struct property_def *p, size_t *ret_of);

static inline bool retention_is_said(const struct retention *r)
{
	return r->raw_ns != 0 || r->minute_ns != 0 || r->hour_ns != 0;
}

/* How long samples of a property of this type are kept. */
struct retention property_retention(const struct type_def *type, const struct property_def *p);

/* Values of the one are values of the other: same type, same unit. */
bool measures_alike(const struct property_def *a, const struct property_def *b);

/* A type as it takes effect: the properties of the parent (as that takes effect; NULL for none), then its
 * own, then those that are made: `desired/NAME` and `settle/NAME` for each settable NAME, `alarm/NAME` for
 * each with limits and each alarm. A property that the parent has too takes the place of the parent's, if it
 * measures the same; it stays settable, and says its retention anew or leaves it. The kind is the parent's.
 * ERR_REFUSED with a note. Arrays and new names come from the arena, other texts are borrowed.
 */
MUST_CHECK int type_def_extend(struct arena *a, const struct type_def *parent, const struct type_def *own,
			       struct type_def *ret, struct err_note *note);

bool twin_has_tag(const struct twin_def *t, const char *tag);

/* Check what a person wrote, all names, units (not here: units need unit.h), limits, duplicates.
 * ERR_REFUSED with a note. */
MUST_CHECK int twin_def_check(const struct twin_def *t, struct err_note *note);
MUST_CHECK int type_def_check(const struct type_def *t, struct err_note *note);
MUST_CHECK int relation_check(const struct relation *r, struct err_note *note);

/* Equal content: applying it again would change nothing. */
bool twin_def_equal(const struct twin_def *a, const struct twin_def *b);
bool type_def_equal(const struct type_def *a, const struct type_def *b);
bool relation_equal(const struct relation *a, const struct relation *b);

/* May this sample be stored under this property? Type, range of the number, word of the enum, finite
 * position. NaN and infinity are kept with quality bad (the caller sets it); anything else wrong is
 * ERR_REFUSED + note. */
MUST_CHECK int property_accepts(const struct property_def *p, const struct sample *s, struct err_note *note);

/* Deep copies into an arena; -ENOMEM. */
MUST_CHECK int twin_def_copy(struct arena *a, const struct twin_def *t, struct twin_def *ret);
MUST_CHECK int type_def_copy(struct arena *a, const struct type_def *t, struct type_def *ret);

/* Encoded forms (protobuf, holon.proto); appended to `out`. Decoding points into `a` and checks everything
 * the *_check functions check; ERR_MALFORMED. */
struct buf;
void twin_def_encode(const struct twin_def *t, struct buf *out);
MUST_CHECK int twin_def_decode(struct arena *a, struct bytes in, struct twin_def *ret);
void type_def_encode(const struct type_def *t, struct buf *out);
MUST_CHECK int type_def_decode(struct arena *a, struct bytes in, struct type_def *ret);
void relation_encode(const struct relation *r, struct buf *out);
MUST_CHECK int relation_decode(struct arena *a, struct bytes in, struct relation *ret);
void membership_encode(const struct membership *m, struct buf *out);
MUST_CHECK int membership_decode(struct arena *a, struct bytes in, struct membership *ret);
