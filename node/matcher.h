/* SPDX-License-Identifier: Apache-2.0 */
/* Matcher - an expression (expr.h) at work on own twins and held rows, as far as who asks may see them.
 *
 * What they may not see is unknown to the expression, so which twins it selects tells nothing of it. That
 * something is withheld is decided by the property's name alone: else it would tell which twins have it.
 *
 * Owner:   embeds the struct; matcher_init() to matcher_fini().
 * Views:   it remembers types: matcher_renew() after the store or the policy may have
 *          changed.
 */
#pragma once

#include "node/engine.h"
#include "proto/expr.h"

enum { MATCHER_TYPES = 32 };

/* What they may see of the twins of a class (node/sights.h). */
struct matcher_sight {
	bool decided, discover, summary;
	bool withheld; /* something that the expression speaks of */
	bool as_kpi[EXPR_PROPERTIES_MAX], as_other[EXPR_PROPERTIES_MAX];
};

struct matcher_type {
	const struct type *type; /* NULL: nothing is remembered here */
	uint16_t places[EXPR_PROPERTIES_MAX];
	uint16_t position;
	bool is_number; /* what is bound, and it is measured in what the bound is: */
	double bound;   /* ... this in its own unit */
};

struct matcher {
	struct engine *e;
	const struct egress *egress;
	const struct audience *to;
	bool own;
	struct expr *expr;
	const char *const *properties;
	size_t n_properties;
	const char *type; /* that every selected twin has; NULL: any */
	bool is_bound;    /* for the own organisation: nothing else is looked at */
	struct expr_bound bound;
	bool tags, name, life, health, position;
	bool of_summary; /* any of these but the position */
	int64_t now_ns;
	struct matcher_type types[MATCHER_TYPES];
	struct arena *around;         /* of readings of the surroundings of the twin that is looked at */
	struct matcher_sight *sights; /* by class */
	size_t n_sights;

	/* of what is looked at: */
	const struct twin *twin;
	const struct row *row;
	const struct matcher_type *shape;  /* of the twin */
	const struct matcher_sight *sight; /* NULL: they may see everything */
	struct position where;
};

/* What came out of looking at a twin. */
struct match {
	bool discovered; /* they may know that it is there; else the others are false */
	bool selected;
	bool withheld; /* something that the expression speaks of is not for them */
};

/* `to` outlives it, and it is renewed before it is used; the expression lives in the arena. ERR_REFUSED,
 * ERR_UNIT with a note that names the column; -ENOMEM. */
MUST_CHECK int matcher_init(struct matcher *m, struct engine *e, const struct audience *to, const char *where,
			    struct arena *a, struct err_note *note);
void matcher_fini(struct matcher *m); /* zeroed is fine */
/* -ENOMEM. */
MUST_CHECK int matcher_renew(struct matcher *m);

/* -ENOMEM. */
MUST_CHECK int matcher_twin(struct matcher *m, const struct twin *t, struct match *ret);
/* A row as it is held: of the own organisation, or what another one shows us. */
MUST_CHECK int matcher_row(struct matcher *m, const struct row *row, struct match *ret);
