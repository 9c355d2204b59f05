/* SPDX-License-Identifier: Apache-2.0 */
#include "node/question_frames.h"

#include <stdio.h>

#include "node/gossip.h"
#include "proto/clock.h"
#include "proto/id.h"

enum {
	ROOT_BYTES = 48,   /* as a message, without its texts */
	FRAME_BYTES = 256, /* what the envelope may have besides */
	JOIN_BYTES = ROOTS_MAX * (2 * (TWIN_ID_MAX + 17) + 2 * (int)sizeof(struct view_root)) + 4096,
};

struct unfinished {
	struct unfinished *next;
	uint32_t session, n_frames;
	uint64_t id;
	char who[ORG_NAME_MAX + NODE_NAME_MAX + 2]; /* ORG, of the own one ORG/NODE */
	int64_t began_ns;                           /* monotonic */
	struct arena *arena;
	struct view_root *roots;
	size_t n_roots;
};

/* ---- Parting ---------------------------------------------------------------------------------------------
 */

/* What a frame has left for roots. */
static int frame_room(const struct question *q, size_t *ret)
{
	struct message m = {.kind = MESSAGE_QUESTION, .question = *q};
	SCOPED(buf_fini) struct buf bytes = {0};

	m.question.view.n_roots = 0;
	message_encode(&m, &bytes);
	TRY(buf_check(&bytes));
	*ret = bytes.len + FRAME_BYTES < FRAME_BORDER_MAX ? FRAME_BORDER_MAX - FRAME_BYTES - bytes.len : 0;
	return 0;
}

int question_frame(const struct question *q, size_t from, size_t *room, size_t *ret_n)
{
	size_t bytes = 0, n = 0;

	if (*room == SIZE_MAX)
		TRY(frame_room(q, room));
	for (; from + n < q->view.n_roots && n < ROOTS_FRAME_MAX; n++) {
		const struct view_root *r = &q->view.roots[from + n];
		bytes += ROOT_BYTES + strlen(r->id) + strlen(r->parent);
		if (n > 0 && bytes > *room)
			break;
	}
	*ret_n = n;
	return 0;
}

bool question_is_one_frame(const struct question *q)
{
	size_t room = SIZE_MAX, n = 0;

	return question_frame(q, 0, &room, &n) == 0 && n == q->view.n_roots;
}

/* ---- Joining ---------------------------------------------------------------------------------------------
 */

static void unfinished_drop(struct unfinished **at)
{
	struct unfinished *gone = *at;

	*at = gone->next;
	arena_free(gone->arena);
	free(gone);
}

void unfinished_expire(struct unfinished **list, int64_t now_ns)
{
	for (struct unfinished **at = list; *at;)
		if (now_ns - (*at)->began_ns > UNFINISHED_S * NS_PER_S)
			unfinished_drop(at);
		else
			at = &(*at)->next;
}

void unfinished_free(struct unfinished **list)
{
	while (*list)
		unfinished_drop(list);
}

static struct unfinished **find(struct unfinished **list, uint32_t session, uint64_t id)
{
	struct unfinished **at = list;

	while (*at && !((*at)->session == session && (*at)->id == id))
		at = &(*at)->next;
	return at;
}

static int begin(struct unfinished **list, const struct session *from, const struct question *q)
{
	struct unfinished *u = calloc(1, sizeof *u);
	size_t n = 0;

	if (!u)
		return FAIL(-ENOMEM);
	u->session = from->id;
	u->id = q->id;
	u->began_ns = engine_mono_ns();
	snprintf(u->who, sizeof u->who, "%s%s%s", from->org, from->own ? "/" : "",
		 from->own ? from->node : "");
	for (const struct unfinished *other = *list; other; other = other->next)
		n += strcmp(other->who, u->who) == 0;
	const int r = n >= UNFINISHED_MAX ? FAIL(ERR_REFUSED) : arena_new(&u->arena, JOIN_BYTES);
	if (r < 0) {
		free(u);
		return r;
	}
	u->next = *list;
	*list = u;
	return 0;
}

static int add_roots(struct unfinished *u, const struct question *q)
{
	if (q->index != u->n_frames++ || u->n_roots + q->view.n_roots > ROOTS_MAX)
		return FAIL(ERR_MALFORMED);
	for (size_t i = 0; i < q->view.n_roots; i++) {
		struct view_root *r = arena_push(u->arena, &u->roots, &u->n_roots, sizeof *r);
		if (!r)
			return FAIL(-ENOMEM);
		*r = q->view.roots[i];
		r->id = arena_copy(u->arena, r->id);
		r->parent = arena_copy(u->arena, r->parent);
		if (!r->id || !r->parent)
			return FAIL(-ENOMEM);
	}
	return 0;
}

int question_join(struct unfinished **list, const struct session *from, const struct question *q,
		  struct question *ret, struct arena **ret_arena)
{
	*ret = *q;
	*ret_arena = NULL;
	unfinished_expire(list, engine_mono_ns());
	if (q->kind != QUESTION_VIEW || (q->index == 0 && !q->unfinished))
		return 0;
	struct unfinished **at = find(list, from->id, q->id);
	if (q->index == 0 && !*at) {
		TRY(begin(list, from, q));
		at = list;
	}
	if (!*at)
		return QUESTION_UNFINISHED; /* its beginning was answered, or never came */
	const int r = add_roots(*at, q);
	if (r < 0)
		unfinished_drop(at);
	if (r < 0 || q->unfinished)
		return r < 0 ? r : QUESTION_UNFINISHED;
	ret->index = 0;
	ret->view.roots = (*at)->roots;
	ret->view.n_roots = (*at)->n_roots;
	*ret_arena = MOVE((*at)->arena);
	unfinished_drop(at);
	return 0;
}
