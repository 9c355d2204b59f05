/* SPDX-License-Identifier: Apache-2.0 */
/* Plan - one view being assembled: whom to ask next, and what their answers add up to (DESIGN 8).
 *
 * Pure: the owner (node/, simulator) asks, reports answers and the passing of the deadline, and reads the
 * result. Rounds follow the number of times the hierarchy crosses owners: each answer names the members that
 * others own (edges); they are grouped by owner, one question per owner and round with all roots at once.
 *
 * Every twin counts once, and no owner keeps anything between questions: a later question to an organisation
 * carries the roots asked of it before, marked as seen, and what is met below them counts no more. A plan
 * that is itself asked with such roots (a border's) has them gone down to their ends before it asks for the
 * others. Where it cannot know what was counted, because an owner that counted is silent now, it says so: a
 * certificate without a word of doubt means that the totals are exact (view_is_clean()).
 *
 * Owner:   whoever called plan_new(); all pointers live in the plan's arena.
 */
#pragma once

#include "proto/scope.h"
#include "proto/view.h"

struct plan;

/* The question is copied. With its budget of memory used up the list of members ends, then the asking, and
 * the view is cut: no failure. */
MUST_CHECK int plan_new(struct plan **ret, const struct view_question *question, size_t budget_bytes);
void plan_free(struct plan *p); /* NULL is fine */

/* Who answers for a twin: an opaque number of the owner's ("this node", "that peer's session"), the same for
 * twins that can be asked in one question. PLAN_CACHE: only the last summaries of it; they stand in for an
 * owner, so a walk over them goes as far as the owner would have gone: through all twins of another
 * organisation, through those of the same node in the own one; what it finds beyond is an edge. PLAN_NOBODY:
 * nobody can be asked. PLAN_LEAVE: not ours to ask, stays an edge of the result (a border answers for its own
 * organisation only, a node asked by its border for itself only; the asker asks the others itself). */
typedef int plan_owner_fn(void *ctx, const char *id);
enum { PLAN_CACHE = 1, PLAN_NOBODY = -1, PLAN_LEAVE = -2 };

struct plan_ask {
	int owner;
	uint32_t id; /* of this question, for plan_answer() */
	struct view_question question;
};

/* The next question to ask now; 1: there is one, 0: none (all asked; wait, or done). Its roots are good until
 * it has been answered, or lost and answered otherwise. To be called until it is 0 after every answer and
 * loss. -ENOMEM, also when there was no memory to take the whole of an answer: then there is no result. */
MUST_CHECK int plan_next(struct plan *p, plan_owner_fn *owner, void *ctx, struct plan_ask *ret);

/* A part of the answer to a question (copied); `last`: that was all, and only then any of it counts.
 * ERR_MALFORMED when it does not fit what was asked (members nobody asked for, one of them twice, cells out
 * of order, counts that cannot be): nothing of the answer is taken, and the question is still open, to be
 * given up by plan_lost(). */
MUST_CHECK int plan_answer(struct plan *p, uint32_t ask, const struct view_part *part, bool last);

/* The question will not be answered: its roots are to be answered otherwise, from cached summaries by
 * `instead` (asked like any other owner, by plan_next), or are unreachable when instead is PLAN_NOBODY. */
void plan_lost(struct plan *p, uint32_t ask, int instead);

/* Nothing is waiting or to be asked. */
bool plan_done(const struct plan *p);

/* The question as a whole; members in tree order, totals propagated to the ancestors. Good until plan_free().
 */
MUST_CHECK int plan_result(struct plan *p, struct view_part *ret);

DEFINE_SCOPED(plan, plan_free)
