/* SPDX-License-Identifier: Apache-2.0 */
/* View text - the question of a view as one line of text, in which saved views keep it:
 *
 *     harbor/city depth 3 rollup sum:power/use rollup worst-health by org where kind = asset
 *
 * The root first, then words in any order, each once but `rollup` and `show`; what is not said is as in
 * view_question_begin(). `where` comes last: all behind it is the expression.
 *
 *   hierarchy TYPE   depth N|all   rollup FN:PROPERTY   by GROUP   show PROPERTY   members-max N
 *   as-of TIME       from TIME  to TIME  step DURATION    fresh DURATION   deadline DURATION
 *   unconfirmed      offline      where EXPR
 */
#pragma once

#include "proto/arena.h"
#include "proto/view.h"

enum { VIEW_DEPTH_DEFAULT = 2 };

/* The question about a twin and nothing else: `contains`, two levels. The id is borrowed. -ENOMEM. */
MUST_CHECK int view_question_begin(struct arena *a, const char *root, struct view_question *ret);

/* ERR_REFUSED (ERR_UNIT) with a note, also where an expression, a roll-up or times make no sense; -ENOMEM. */
MUST_CHECK int view_text_parse(struct arena *a, const char *text, struct view_question *ret,
			       struct err_note *note);

/* Its canonical text, which reads back as the same question; its first root alone is said. In the arena;
 * -ENOMEM. */
MUST_CHECK int view_text_print(struct arena *a, const struct view_question *q, const char **ret);
