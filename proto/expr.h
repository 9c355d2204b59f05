/* SPDX-License-Identifier: Apache-2.0 */
/* Expression - one small, total, typed language: `where` of a view, `find`, alarms (DESIGN 3, issue 6).
 *
 *     kind = asset and load/power > 10 MW and not (tag = old or age(load/power) > 5 min)
 *
 *   or, and, not            of truths, in this order of binding
 *   = != < <= > >=          numbers (units are converted), texts by their bytes, health, life; truths = and
 * != like                    text against a pattern: `*` any run of characters, `?` any single one in (a, b,
 * ...)          equal to one of these
 *   + - * /                 numbers with units; `-` and `/` between blanks, for names have them inside
 *   id org name type kind life health tag
 *                           of the twin; a word beside them needs no quotes. `tag = a`: has that tag
 *   load/power, "kind"      the value of a property; quoted where the name could be something else
 *   12.5  12.5 MW  'text'  true  false
 *   known(p)  age(p)        has p a value; time since it was measured, in s
 *   distance(lat, lon)      from the twin's position in m: haversine on a sphere of 6371008.8 m (IUGG mean
 *                           radius)
 *
 * Total: evaluation cannot fail. What a twin does not have, or has of another type or in a unit that measures
 * something else, is neither true nor false but unknown (Kleene's strong logic), and selects nothing.
 * Numbers of bad quality are unknown.
 *
 * Owner:   the arena it was parsed into. Threads: one (it remembers conversions of units).
 */
#pragma once

#include "proto/arena.h"
#include "proto/twin.h"

struct expr;

enum truth { TRUTH_FALSE, TRUTH_UNKNOWN, TRUTH_TRUE };

enum {
	EXPR_TEXT_MAX = 4096,
	EXPR_NODES_MAX = 256,
	EXPR_DEPTH_MAX = 32, /* of parentheses */
	EXPR_PROPERTIES_MAX = 32,
};

/* ERR_REFUSED (ERR_UNIT) with a note that begins `column N: `, N from 1, in bytes; -ENOMEM. */
MUST_CHECK int expr_parse(struct arena *a, const char *text, struct expr **ret, struct err_note *note);

/* The properties it speaks of, each once; the place in this list is the property's slot. */
const char *const *expr_properties(const struct expr *e, size_t *ret_n);

/* Types and units of properties, once they are known: `define` gives a property's definition or NULL where
 * there is none. ERR_REFUSED or ERR_UNIT as above where no twin so defined could ever be selected because
 * types or units do not fit. */
MUST_CHECK int expr_check(const struct expr *e,
			  const struct property_def *(*define)(void *ctx, const char *name), void *ctx,
			  struct err_note *note);

/* A word that a selected twin must have as this attribute, from `type = x and ...`; NULL: none is named. For
 * who has an index. */
enum expr_attribute { EXPR_ID, EXPR_ORG, EXPR_NAME, EXPR_TYPE, EXPR_TAG, EXPR_KIND, EXPR_LIFE, EXPR_HEALTH };
const char *expr_requires(const struct expr *e, enum expr_attribute attribute);
/* The same of a property: `p = 'x' and ...`; its slot goes to ret_slot. */
const char *expr_requires_text(const struct expr *e, size_t *ret_slot);

/* Is it no more than a property compared with a number, `p > 12 MW`? For who goes through many twins. */
struct expr_bound {
	size_t slot;
	double number;
	const char *unit;
	bool less, equal, more; /* true when the property is that */
};
bool expr_is_bound(const struct expr *e, struct expr_bound *ret);

/* Does it look at this attribute, at the position? For who may not see all of a twin. */
bool expr_uses(const struct expr *e, enum expr_attribute attribute);
bool expr_uses_position(const struct expr *e);

/* A twin as the asker may see it. */
struct expr_twin {
	const char *id, *name, *type;
	enum kind kind;
	enum life_cycle life;
	enum health health;
	const char *const *tags;
	size_t n_tags;
	const struct position *position; /* NULL: none */
	int64_t now_ns;
	/* The present value and unit ("" for none); false: there is none, or not for the asker. */
	bool (*property)(void *ctx, size_t slot, const char *name, struct sample *ret, const char **ret_unit);
	void *ctx;
};

enum truth expr_truth(struct expr *e, const struct expr_twin *twin);

/* The number of an expression that is not a truth, for alarms and roll-ups of what is computed; false:
 * unknown. The unit ("" for none) is good until the next call. */
bool expr_number(struct expr *e, const struct expr_twin *twin, double *ret, const char **ret_unit);
