/* SPDX-License-Identifier: Apache-2.0 */
#include "node/watch.h"

#include <sodium.h>
#include <stdlib.h>
#include <time.h>

#include "node/persons.h"
#include "node/view_pieces.h"
#include "node/views.h"
#include "node/watch_kept.h"
#include "node/watch_private.h"
#include "proto/clock.h"
#include "proto/hash.h"

enum {
	QUIET_MS = 10,
	LATE_MS = 50,
	SHARE = 4, /* of the loop's time all watches together take one such part */
	PART_BYTES = 1 << 20,
	EVENT_BYTES_MAX = 256 << 20,
	NAMES_BYTES = 1 << 20,
};

static const struct err_note stopping = {"the node is stopping"};

static int64_t cpu_ns(void)
{
	struct timespec t;

	clock_gettime(CLOCK_THREAD_CPUTIME_ID, &t);
	return (int64_t)t.tv_sec * NS_PER_S + t.tv_nsec;
}

/* ---- The end of a watch ----------------------------------------------------------------------------------
 */

static void watch_free(struct watch *w)
{
	watch_shown_fini(&w->shown);
	watch_kept_free(w->kept);
	arena_free(w->arena);
	free(w);
}

DEFINE_SCOPED(watch, watch_free)

static void unlink_watch(struct watch *w)
{
	struct watches *all = w->all;
	struct watch **at = &all->list;

	while (*at != w)
		at = &(*at)->next;
	*at = w->next;
	all->n--;
	watches_forget_series(all);
}

/* `why` NULL: there is nobody to be told. While its view is under way it goes on until that is over. */
static void end(struct watch *w, int code, const struct err_note *why)
{
	w->ending = true;
	if (w->busy)
		return;
	if (w->renewal)
		call_drop(w->renewal);
	if (why)
		call_fail(w->call, code, why);
	else
		call_drop(w->call);
	unlink_watch(w);
	watch_free(w);
}

/* ---- Events ----------------------------------------------------------------------------------------------
 */

static struct watch_event event_of(const struct watch *w, uint64_t number)
{
	return (struct watch_event){.number = w->number, .event = number, .t_ns = engine_wall_ns()};
}

/* False: it did not get there, and what the client has is not known any more. */
static bool send_event(struct watch *w, const struct view_part *view)
{
	struct control_answer answer = {.has_view = true};
	struct view_place place = {0};

	while (view_piece(view, PART_BYTES, &place, &answer.view))
		if (!call_try_part(w->call, &answer))
			return false;
	answer.watch = event_of(w, w->event + 1);
	answer.watch.whole = w->event == 0;
	w->event++;
	return call_try_part(w->call, &answer);
}

static bool send_sign_of_life(struct watch *w, struct call *c)
{
	return call_try_part(c, &(struct control_answer){.watch = event_of(w, 0)});
}

/* A root that one may not see any more, or that is gone: a view without members. */
static void empty_if_absent(struct view_part *view)
{
	static const struct view_counts none;

	if (!control_view_is_absent(view))
		return;
	view->n_members = view->n_cells = 0;
	view->counts = none;
}

static bool is_here(const struct engine *e, const struct view_part *view)
{
	const struct credential *self = e->trust->self;

	for (size_t i = 0; i < view->n_sources; i++)
		if (strcmp(view->sources[i].org, self->org) != 0 ||
		    strcmp(view->sources[i].node, self->node) != 0)
			return false;
	return view->n_sources > 0 && view->counts.unreachable == 0;
}

/* ERR_UNREACHABLE: the client is gone, or what it has is not known any more. */
static int show(struct watch *w, const struct view_part *view)
{
	SCOPED(scope_arena) struct arena *a = NULL;
	struct view_part now = *view, differs;
	const bool here = is_here(w->all->engine, view);
	bool any;

	if (here != w->here)
		watches_forget_series(w->all);
	w->here = here;
	TRY(arena_new(&a, EVENT_BYTES_MAX));
	empty_if_absent(&now);
	TRY(watch_differ(&w->shown, &w->call->request.question, &now, a, &differs, &any));
	if (!any && w->event > 0)
		return 0;
	return send_event(w, &differs) ? 0 : FAIL(ERR_UNREACHABLE);
}

/* ---- Looking ---------------------------------------------------------------------------------------------
 */

static void arm(struct watches *all);

static void adopt(struct watch *w, struct call *c)
{
	if (w->call)
		call_drop(w->call);
	w->call = c;
}

/* How long the loop is others' now. */
static void rest(struct watch *w)
{
	const int64_t took_ns = cpu_ns() - w->began_cpu_ns;

	w->rest_until_ns = engine_mono_ns() + took_ns * ((int64_t)w->all->n * SHARE - 1);
}

static void say_absent(struct watch *w)
{
	struct err_note why;
	const char *root = w->call->request.question.roots[0].id;

	control_view_absent(root, &why);
	end(w, ERR_ABSENT, &why);
}

static void go_on(struct watch *w)
{
	if (w->renewal)
		adopt(w, w->renewal);
	w->renewal = NULL;
	rest(w);
}

static void on_view(void *ctx, int code, const struct err_note *note, const struct view_part *view)
{
	struct watch *w = ctx;
	struct watches *all = w->all;

	w->busy = false;
	if (w->ending)
		end(w, ERR_UNREACHABLE, all->stopped ? &stopping : NULL);
	else if (code < 0)
		end(w, code, note);
	else if (w->event == 0 && control_view_is_absent(view))
		say_absent(w);
	else if (show(w, view) < 0)
		end(w, 0, NULL);
	else
		go_on(w);
	arm(all);
}

/* Who may not ask any more is told so: credentials end, and are revoked. */
static int readmit(struct watch *w, struct err_note *note)
{
	SCOPED(scope_arena) struct arena *a = NULL;
	const struct engine *e = w->all->engine;
	const struct call *c = w->call;
	const struct person_claim claim = {.proof = {c->request.person, c->request.errand},
					   .org = e->trust->self->org,
					   .node = e->trust->self->node};
	struct audience again = audience_of("");

	if (c->request.person.len == 0 && c->request.errand.len == 0)
		return 0;
	TRY(arena_new(&a, AUDIENCE_BYTES));
	return persons_admit(e->persons, e->trust, &claim, a, &again, note);
}

/* The watch may be gone when this returns. */
static void look(struct watch *w)
{
	struct err_note note = {0};

	w->dirty_ns = 0;
	w->began_cpu_ns = cpu_ns();
	int r = readmit(w, &note);
	if (r == 0) {
		w->busy = true;
		watch_kept_round(w->kept);
		r = views_ask_again(w->all->engine->views, &w->call->to, &w->call->request.question, w->kept,
				    on_view, w);
		if (r == 0)
			return;
		w->busy = false;
	}
	end(w, r, &note);
}

/* ---- When ------------------------------------------------------------------------------------------------
 */

/* INT64_MAX: not before something happens. */
static int64_t due_ns(const struct watch *w)
{
	if (w->busy || w->dirty_ns == 0 || w->event - w->taken >= WATCH_WINDOW)
		return INT64_MAX;
	const int64_t quiet_ns = w->touched_ns + QUIET_MS * NS_PER_MS;
	const int64_t late_ns = w->dirty_ns + LATE_MS * NS_PER_MS;
	const int64_t wanted_ns = quiet_ns < late_ns ? quiet_ns : late_ns;
	return wanted_ns > w->rest_until_ns ? wanted_ns : w->rest_until_ns;
}

static struct watch *first_due(const struct watches *all, int64_t *ret_due_ns)
{
	struct watch *first = NULL;

	*ret_due_ns = INT64_MAX;
	for (struct watch *w = all->list; w; w = w->next) {
		const int64_t due = due_ns(w);
		if (due >= *ret_due_ns)
			continue;
		*ret_due_ns = due;
		first = w;
	}
	return first;
}

/* One at a time: the loop has others to turn to. */
static void on_timer(uv_timer_t *timer)
{
	struct watches *all = timer->data;
	int64_t due;
	struct watch *w = first_due(all, &due);

	if (w && due <= engine_mono_ns())
		look(w);
	arm(all);
}

static void arm(struct watches *all)
{
	int64_t due;

	if (all->stopped || !first_due(all, &due))
		return;
	const int64_t wait_ns = due - engine_mono_ns();
	uv_timer_start(&all->timer, on_timer, wait_ns > 0 ? (uint64_t)(wait_ns / NS_PER_MS) + 1 : 0, 0);
}

static void touch(struct watch *w, int64_t now_ns)
{
	w->touched_ns = now_ns;
	if (w->dirty_ns == 0)
		w->dirty_ns = now_ns;
}

static void touch_all(struct watches *all)
{
	const int64_t now_ns = engine_mono_ns();

	for (struct watch *w = all->list; w; w = w->next)
		touch(w, now_ns);
	arm(all);
}

void watches_touch(struct watches *all, enum watch_cause cause)
{
	if (!all || !all->list)
		return;
	for (struct watch *w = all->list; w && cause == WATCH_POLICY; w = w->next)
		watch_kept_clear(w->kept);
	touch_all(all);
}

void watches_committed(struct watches *all)
{
	if (all && all->staged)
		touch_all(all);
	if (all)
		all->staged = false;
}

/* A policy of a partner that gives us neither more rows nor fewer may yet open something to a person. */
static uint64_t partners_now(const struct watches *all)
{
	const struct trust *t = all->engine->trust;
	SCOPED(buf_fini) struct buf b = {0};

	for (size_t i = 0; i < t->n_partners; i++)
		buf_put_u64(&b, t->partners[i]->epoch_seen);
	return hash64("partners", buf_bytes(&b), (struct bytes){0});
}

/* The next one of which the client has not been heard for too long, or whose answers are to be asked anew. */
static void tick(struct watch *w, int64_t now_ns)
{
	const int64_t refresh_ns = w->all->engine->config->watch_refresh_ms * NS_PER_MS;

	if (now_ns - w->renewed_ns > WATCH_LEASE_S * NS_PER_S) {
		end(w, 0, NULL);
	} else if (now_ns - w->refreshed_ns >= refresh_ns) {
		w->refreshed_ns = now_ns;
		watch_kept_clear(w->kept);
		touch(w, now_ns);
	}
}

void watches_tick(struct watches *all)
{
	const int64_t now_ns = engine_mono_ns();

	if (!all || !all->list)
		return;
	const uint64_t partners = partners_now(all);
	if (partners != all->partners)
		touch_all(all);
	all->partners = partners;
	for (struct watch *w = all->list, *next; w; w = next) {
		next = w->next; /* a watch ends alone */
		tick(w, now_ns);
	}
	arm(all);
}

/* ---- Beginning -------------------------------------------------------------------------------------------
 */

static int begin(struct watches *all, struct call *c)
{
	SCOPED(scope_watch) struct watch *w = calloc(1, sizeof *w);
	const int64_t now_ns = engine_mono_ns();

	if (!w)
		return FAIL(-ENOMEM);
	*w = (struct watch){.next = all->list,
			    .all = all,
			    .call = c,
			    .id = c->request.id,
			    .renewed_ns = now_ns,
			    .refreshed_ns = now_ns};
	randombytes_buf(&w->number, sizeof w->number);
	w->number |= w->number == 0;
	TRY(arena_new(&w->arena, NAMES_BYTES));
	TRY(watch_names_init(w, &c->request.question));
	TRY(watch_kept_new(&w->kept, all->engine));
	struct watch *begun = MOVE(w);
	all->list = begun;
	all->n++;
	watches_forget_series(all);
	all->partners = partners_now(all);
	if (send_sign_of_life(begun, c)) /* it can be renewed while the first look takes its time */
		look(begun);
	else
		end(begun, 0, NULL);
	return 0;
}

/* A number alone is not enough: the connection must be the same. */
static struct watch *find(const struct watches *all, const struct call *c)
{
	struct watch *w = c->request.n_handles > 0 ? all->list : NULL;

	while (w && (w->ending || w->number != c->request.handles[0] || !call_is_from(c, w->call)))
		w = w->next;
	return w;
}

/* An event number comes back as its lower half. */
static uint64_t taken_of(const struct watch *w, const struct control_request *r)
{
	const uint32_t behind = r->n_handles > 1 ? (uint32_t)w->event - r->handles[1] : 0;

	return behind <= w->event - w->taken ? w->event - behind : w->taken;
}

static void renew(struct watch *w, struct call *c)
{
	w->renewed_ns = engine_mono_ns();
	w->taken = taken_of(w, &c->request);
	c->request.id = w->id;
	const bool sent = send_sign_of_life(w, c);
	if (w->renewal)
		call_drop(w->renewal);
	w->renewal = w->busy ? c : NULL;
	if (!w->busy)
		adopt(w, c);
	if (!sent)
		end(w, 0, NULL);
}

int watches_take(struct watches *all, struct call *c, struct err_note *note)
{
	struct watch *w = find(all, c);

	if (w)
		renew(w, c);
	else if (all->stopped)
		return FAIL_SAY(note, ERR_UNREACHABLE, "%s", stopping.text);
	else if (all->n >= WATCHES_MAX)
		return FAIL_SAY(note, ERR_REFUSED, "this node has %d watches: end one, or ask another node",
				WATCHES_MAX);
	else
		TRY(begin(all, c));
	arm(all);
	return 0;
}

int watches_start(struct watches **ret, struct engine *e)
{
	struct watches *all = calloc(1, sizeof *all);

	if (!all)
		return FAIL(-ENOMEM);
	all->engine = e;
	uv_timer_init(&e->loop, &all->timer);
	all->timer.data = all;
	*ret = all;
	return 0;
}

void watches_stop(struct watches *all)
{
	if (!all)
		return;
	all->stopped = true;
	uv_close((uv_handle_t *)&all->timer, NULL);
	for (struct watch *w = all->list, *next; w; w = next) {
		next = w->next;
		end(w, ERR_UNREACHABLE, &stopping);
	}
}

void watches_free(struct watches *all)
{
	if (!all)
		return;
	while (all->list) { /* whose view did not come to its end */
		all->list->busy = false;
		end(all->list, 0, NULL);
	}
	watches_forget_series(all);
	free(all);
}
