/* SPDX-License-Identifier: Apache-2.0 */
#include "tools/client_watch.h"

#include <stdlib.h>
#include <time.h>

#include "proto/clock.h"
#include "proto/hash.h"
#include "proto/view_content.h"
#include "tools/client_private.h"

enum {
	RENEW_S = 5,      /* well within the node's patience */
	RENEW_EVENTS = 4, /* the node waits when it has not heard that so and so many were taken */
	SILENCE_S = 15,
	AGAIN_MS = 500,
	EVENT_BYTES_MAX = 512 << 20,
};

/* A member as it was told last. */
struct known {
	struct hash128 content;
	uint32_t round; /* of the last event with all members that had it */
	char id[];
};

struct client_watch {
	struct client *client;
	struct control_request request;
	uint32_t handles[2]; /* of the request: number, last event taken */
	struct arena *arena; /* the event */
	uint64_t id;         /* of the request that began the watch; 0: none is under way */
	uint64_t event, renewed_event;
	int64_t renewed_ns, heard_ns; /* monotonic */
	struct control_answer answer; /* what has come of the event */
	struct map known;
	uint32_t round;
	struct hash128 totals, certificate;
	bool had;     /* an event */
	bool resumed; /* the next one is after a break */
};

int client_watch_begin(struct client_watch **ret, struct client *c, const struct view_question *question,
		       struct err_note *note)
{
	SCOPED(scope_client_watch) struct client_watch *w = calloc(1, sizeof *w);

	(void)note;
	if (!w)
		return FAIL(-ENOMEM);
	w->client = c;
	w->request = (struct control_request){.op = CONTROL_WATCH, .question = *question};
	w->request.handles = w->handles;
	TRY(arena_new(&w->arena, EVENT_BYTES_MAX));
	*ret = MOVE(w);
	return 0;
}

static void forget_members(struct client_watch *w)
{
	size_t at = 0;

	for (struct map_entry *e; (e = map_next(&w->known, &at));)
		free(e->value);
	map_fini(&w->known);
	w->known = (struct map){0};
}

void client_watch_free(struct client_watch *w)
{
	if (!w)
		return;
	forget_members(w);
	arena_free(w->arena);
	free(w);
}

/* ---- What is told, and what was known of it --------------------------------------------------------------
 */

static int digest(const struct buf *b, struct hash128 *ret)
{
	TRY(buf_check(b));
	*ret = hash128("watch", buf_bytes(b), (struct bytes){0});
	return 0;
}

static bool is_same(const struct hash128 *a, const struct hash128 *b)
{
	return memcmp(a, b, sizeof *a) == 0;
}

/* 1: it is new, or other than it was. */
static int know(struct client_watch *w, const struct view_member *m)
{
	struct known *k = map_get(&w->known, m->id);
	const size_t size = strlen(m->id) + 1;
	SCOPED(buf_fini) struct buf b = {0};
	struct hash128 content;

	view_put_member(&b, &w->request.question, m);
	TRY(digest(&b, &content));
	if (!k) {
		SCOPED(scope_free) struct known *fresh = malloc(sizeof *fresh + size);
		if (!fresh)
			return FAIL(-ENOMEM);
		*fresh = (struct known){.content = content, .round = w->round};
		memcpy(fresh->id, m->id, size);
		TRY(map_put(&w->known, fresh->id, fresh));
		fresh = NULL;
		return 1;
	}
	const bool differs = !is_same(&k->content, &content);
	k->content = content;
	k->round = w->round;
	return differs;
}

/* Of all members those remain that differ. */
static int sift_members(struct client_watch *w, struct view_part *view)
{
	size_t n = 0;

	for (size_t i = 0; i < view->n_members; i++) {
		const int r = know(w, &view->members[i]);
		TRY(r);
		if (r == 1)
			view->members[n++] = view->members[i];
	}
	view->n_members = n;
	return 0;
}

/* Those that are in no event with all members but were in one before. */
static int find_gone(struct client_watch *w, struct view_part *view)
{
	size_t at = 0;

	view->gone = NULL;
	view->n_gone = 0;
	for (const struct map_entry *e; (e = map_next(&w->known, &at));) {
		const struct known *k = e->value;
		if (k->round == w->round)
			continue;
		const char **gone = arena_push(w->arena, &view->gone, &view->n_gone, sizeof *gone);
		if (!gone || !(*gone = arena_copy(w->arena, k->id)))
			return FAIL(-ENOMEM);
	}
	return 0;
}

/* Does it differ from the last time? */
static int look_at(const struct buf *b, struct hash128 *last, bool *ret_differs)
{
	struct hash128 now;

	TRY(digest(b, &now));
	*ret_differs = !is_same(&now, last);
	*last = now;
	return 0;
}

static int look_at_whole(struct client_watch *w, const struct view_part *view, struct client_event *ret)
{
	SCOPED(buf_fini) struct buf totals = {0}, certificate = {0};

	view_put_totals(&totals, &w->request.question, view);
	view_put_certificate(&certificate, view);
	TRY(look_at(&totals, &w->totals, &ret->totals));
	return look_at(&certificate, &w->certificate, &ret->certificate);
}

/* The view of the event as it goes on to the reader. False in *ret_any: it tells nothing new. */
static int take_event(struct client_watch *w, struct client_event *ret, bool *ret_any)
{
	struct view_part *view = &w->answer.view;
	const bool whole = w->answer.watch.whole;

	*ret = (struct client_event){
		.t_ns = w->answer.watch.t_ns, .first = !w->had, .resumed = w->resumed, .view = view};
	w->round += whole;
	TRY(sift_members(w, view));
	if (whole)
		TRY(find_gone(w, view));
	for (size_t i = 0; i < view->n_gone; i++)
		free(map_remove(&w->known, view->gone[i]));
	TRY(look_at_whole(w, view, ret));
	*ret_any = ret->first || ret->totals || ret->certificate || view->n_members > 0 || view->n_gone > 0;
	w->had = true;
	w->resumed = w->resumed && !*ret_any;
	return 0;
}

/* ---- The conversation ------------------------------------------------------------------------------------
 */

static void begin_event(struct client_watch *w)
{
	arena_reset(w->arena);
	w->answer = (struct control_answer){0};
}

static int ask(struct client_watch *w, struct err_note *note)
{
	w->request.n_handles = w->id > 0 && w->handles[0] > 0 ? 2 : 0;
	w->handles[1] = (uint32_t)w->event;
	TRY(client_send(w->client, &w->request, note));
	w->renewed_ns = client_now_ns();
	w->renewed_event = w->event;
	return 0;
}

/* What comes now is a new watch. */
static int ask_anew(struct client_watch *w, struct err_note *note)
{
	w->id = 0;
	w->event = 0;
	w->handles[0] = 0;
	begin_event(w);
	TRY(ask(w, note));
	w->id = w->request.id;
	w->heard_ns = client_now_ns();
	return 0;
}

static int lose(struct client_watch *w)
{
	w->id = 0;
	w->resumed = w->had;
	return CLIENT_WATCH_LOST;
}

/* A node that ends in the middle of a handshake seems to refuse us; without keys there is nothing to refuse.
 */
static bool may_come_back(const struct client_watch *w, int code)
{
	return code == ERR_UNREACHABLE || (code == ERR_DENIED && !w->client->keys.own);
}

/* Only the first time a failure is a failure. */
static int reconnect(struct client_watch *w, struct err_note *note)
{
	const struct timespec pause = {.tv_nsec = AGAIN_MS * NS_PER_MS};
	int r = 0;

	while (w->had && may_come_back(w, r = client_reconnect(w->client, note)))
		nanosleep(&pause, NULL);
	TRY(r);
	return ask_anew(w, note);
}

static int64_t wall_ns(void)
{
	struct timespec t;

	clock_gettime(CLOCK_REALTIME, &t);
	return (int64_t)t.tv_sec * NS_PER_S + t.tv_nsec;
}

/* The root is not there, or not shared any more: as if it were empty. */
static int take_absence(struct client_watch *w, struct client_event *ret, bool *ret_any)
{
	const struct timespec pause = {.tv_nsec = AGAIN_MS * NS_PER_MS};

	begin_event(w);
	w->answer.watch = (struct watch_event){.whole = true, .t_ns = wall_ns()};
	w->id = 0;
	TRY(take_event(w, ret, ret_any));
	nanosleep(&pause, NULL); /* asked again soon, not all the time */
	return 0;
}

/* A renewal that came too late has begun a new watch, under its own id. */
static bool is_ours(struct client_watch *w, const struct control_answer *part)
{
	if (part->id < w->id)
		return false;
	if (part->id > w->id) {
		w->id = part->id;
		w->event = 0;
		w->resumed = w->had;
		w->answer = (struct control_answer){0}; /* the part is in the arena already */
	}
	return true;
}

/* 1: an event is complete. */
static int take_part(struct client_watch *w, const struct control_answer *part, struct err_note *note)
{
	const struct watch_event *event = &part->watch;

	w->heard_ns = client_now_ns();
	if (event->number > 0)
		w->handles[0] = event->number;
	if (event->number > 0 && event->event == 0)
		return 0;
	TRY(answer_merge(w->arena, &w->answer, part));
	if (event->number == 0)
		return 0;
	if (event->event != w->event + 1 || event->whole != (w->event == 0))
		return FAIL_SAY(note, ERR_UNREACHABLE, "an event of the node was lost");
	w->event = event->event;
	return 1;
}

static int wait_for_part(struct client_watch *w, struct control_answer *ret, struct err_note *note)
{
	const int64_t renew_ns = w->renewed_ns + RENEW_S * NS_PER_S;
	const int64_t silent_ns = w->heard_ns + SILENCE_S * NS_PER_S;
	const int r = client_await_part(w->client, renew_ns < silent_ns ? renew_ns : silent_ns, w->arena, ret,
					note);

	TRY(r);
	if (r == CLIENT_NOTHING && client_now_ns() >= silent_ns)
		return FAIL_SAY(note, ERR_UNREACHABLE, "%s says nothing any more", w->client->endpoint);
	const bool due = client_now_ns() >= renew_ns || w->event - w->renewed_event >= RENEW_EVENTS;
	if (w->handles[0] > 0 && due)
		TRY(ask(w, note));
	return r;
}

/* A part that is nothing of an event leaves no memory behind. */
static void rest(struct client_watch *w)
{
	if (!w->answer.has_view)
		begin_event(w);
}

/* 1: an event. */
static int go_on(struct client_watch *w, struct client_event *ret, struct err_note *note)
{
	struct control_answer part = {0};
	bool any = false;
	const int r = wait_for_part(w, &part, note);

	TRY(r);
	if (r == CLIENT_NOTHING || !is_ours(w, &part))
		return 0;
	if (part.code == ERR_ABSENT && w->had) {
		TRY(take_absence(w, ret, &any));
		return any;
	}
	if (part.code < 0)
		return FAIL_SAY(note, part.code, "%s",
				part.text && *part.text ? part.text : err_text(part.code));
	const int taken = take_part(w, &part, note);
	TRY(taken);
	if (taken == 1)
		TRY(take_event(w, ret, &any));
	if (taken == 1 && !any)
		begin_event(w);
	rest(w);
	return any;
}

int client_watch_next(struct client_watch *w, struct client_event *ret, struct err_note *note)
{
	int r = 0;

	if (w->answer.watch.number > 0)
		begin_event(w); /* the reader is done with it */
	while (r == 0) {
		if (w->id == 0)
			r = w->resumed ? reconnect(w, note) : ask_anew(w, note);
		if (r == 0)
			r = go_on(w, ret, note);
	}
	if (w->had && may_come_back(w, r))
		return lose(w);
	return r < 0 ? r : 0;
}
