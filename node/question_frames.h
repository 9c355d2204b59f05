/* SPDX-License-Identifier: Apache-2.0 */
/* Question frames - a view question with more roots than a frame takes: parted where it is asked, joined
 * where it is answered.
 *
 * All its frames are alike but for the roots, and so each says who asks. What is joined counts as the last of
 * them said it.
 */
#pragma once

#include "node/engine.h"
#include "proto/message.h"

struct session;
struct unfinished;

/* How many of the roots from `from` on the next frame takes: at least one where one is left. *room is what a
 * frame has left for roots: SIZE_MAX before the first call, kept from one to the next. -ENOMEM. */
MUST_CHECK int question_frame(const struct question *q, size_t from, size_t *room, size_t *ret_n);
/* Is it one frame? */
bool question_is_one_frame(const struct question *q);

/* What waits for more frames is the node's until it is whole, or UNFINISHED_S have passed: so many questions
 * of an organisation, or a node of the own one. */
enum { UNFINISHED_MAX = 4, UNFINISHED_S = 10 };
enum { QUESTION_UNFINISHED = 1 };

/* 0: the question is whole, with all its roots; they live in *ret_arena (NULL: in that of the frame).
 * QUESTION_UNFINISHED: another frame follows, or this one belongs to nothing. ERR_REFUSED: too many are
 * unfinished. ERR_MALFORMED: a frame is missing, or there are more than ROOTS_MAX. */
MUST_CHECK int question_join(struct unfinished **list, const struct session *from, const struct question *q,
			     struct question *ret, struct arena **ret_arena);
/* Drop those that have waited for too long. */
void unfinished_expire(struct unfinished **list, int64_t now_ns);
void unfinished_free(struct unfinished **list); /* all */
