/* SPDX-License-Identifier: Apache-2.0 */
#include "node/views.h"

#include <stdarg.h>
#include <stdio.h>

#include "federation/plan.h"
#include "node/alarms.h"
#include "node/asks.h"
#include "node/gossip.h"
#include "node/question_frames.h"
#include "node/turns.h"
#include "node/watch_kept.h"
#include "proto/clock.h"
#include "proto/id.h"
#include "proto/map.h"
#include "proto/words.h"

/* Owner numbers of the plan: two walks of this node, or a session. */
enum { OWNER_SELF = 0, OWNER_CACHE = 1, OWNER_SESSION = 2 };

enum { VIEW_BYTES_MAX = 256 << 20, ROW_BYTES = 1 << 20 };
/* Of a walk for somebody else: he may have many at a time, and takes no larger answers (asks.c). */
enum { OTHERS_BYTES_MAX = 40 << 20 };
enum { PEER_NAME_SIZE = ORG_NAME_MAX + NODE_NAME_MAX + 2, PROBLEM_SIZE = 512, AGAIN_MAX = 16 };

struct view {
	struct views *views;
	struct plan *plan;
	struct arena *arena; /* of the audience, and of problems */
	struct audience to;
	struct view_question question; /* texts live in the plan's callers only; see settings below */
	struct map roots;              /* of the question */
	int64_t deadline_ns;           /* monotonic */
	/* Until then a walk for somebody else goes on: of summaries it only begins at the deadline. It is
	 * within the part of the asker's patience that questions.c holds back. */
	int64_t walks_until_ns;
	int n_waiting;         /* for peers, and for walks of this node */
	bool running;          /* inside advance() */
	const char **problems; /* besides those of the plan, in the arena */
	size_t n_problems;
	char lost[PEER_NAME_SIZE]; /* the last of those that did not answer */
	unsigned n_again;          /* questions that were put a second time */
	int failed;                /* why there will be no view, once nothing is waited for any more */
	struct watch_kept *kept;   /* answers from before; NULL: none */
	view_fn *done;
	void *ctx;
};

/* For the answer of a peer, named as alarms and problems name it. */
struct waiting {
	struct view *view;
	uint32_t ask;
	uint32_t session;
	char who[PEER_NAME_SIZE];
	struct watch_mark mark; /* under which the answer is kept */
};

struct views {
	struct engine *engine;
	struct turns *turns;
};

int views_start(struct views **ret, struct engine *e)
{
	struct views *v = calloc(1, sizeof *v);

	if (!v)
		return FAIL(-ENOMEM);
	v->engine = e;
	const int r = turns_new(&v->turns, e);
	if (r < 0) {
		free(v);
		return r;
	}
	*ret = v;
	return 0;
}

void views_stop(struct views *v)
{
	turns_stop(v->turns);
}

void views_free(struct views *v)
{
	if (v)
		turns_free(v->turns);
	free(v);
}

static void view_free(struct view *v)
{
	plan_free(v->plan);
	map_fini(&v->roots);
	arena_free(v->arena);
	free(v);
}

DEFINE_SCOPED(view, view_free)

static bool is_own(const struct view *v)
{
	return egress_is_own(&v->views->engine->egress, &v->to);
}

/* ---- Who answers for a twin ------------------------------------------------------------------------------
 */

static int cached_or_nobody(const struct engine *e, const char *id)
{
	return store_row(e->store, id) ? OWNER_CACHE : PLAN_NOBODY;
}

static bool fresh_enough(const struct view *v, const struct remote_row *row)
{
	if (!row || v->question.has_as_of || v->question.step_ns > 0)
		return false;
	return v->question.offline ||
	       (v->question.fresh_ns > 0 &&
		gossip_age(v->views->engine->gossip, row->origin->name) <= v->question.fresh_ns);
}

/* What the asker may not know of is looked for here, where it is not: the same as if nobody had it. */
static bool is_hidden(const struct view *v, const char *id)
{
	const struct egress *egress = &v->views->engine->egress;
	SCOPED(scope_arena) struct arena *a = NULL;
	struct row row;

	if (is_own(v))
		return false;
	return arena_new(&a, ROW_BYTES) < 0 || egress_full_row(egress, id, a, &row) < 0 ||
	       !egress_discovers(egress, &v->to, &row);
}

/* A member of the own organisation of which not even a row is held: is there a node that may have it, and is
 * not heard? Then nobody knows that it is not there. */
static bool may_be_away(const struct view *v, const char *id)
{
	const struct engine *e = v->views->engine;
	const struct credential *self = e->trust->self;
	const struct org *org = &e->trust->own.org;

	if (!is_own(v) || v->to.relayed || map_get(&v->roots, id))
		return false;
	for (size_t i = 0; i < org->n_nodes; i++)
		if ((org->nodes[i].roles & ROLE_OWNER) && strcmp(org->nodes[i].node, self->node) != 0 &&
		    !gossip_find(e->gossip, self->org, org->nodes[i].node))
			return true;
	return false;
}

static int owner_of(void *ctx, const char *id)
{
	struct view *v = ctx;
	struct engine *e = v->views->engine;
	const bool ours = id_is_of_org(id, e->trust->self->org);
	const struct remote_row *row = store_row(e->store, id);
	char org[ORG_NAME_MAX + 1];

	if (ours && !row && !store_twin(e->store, id) && may_be_away(v, id))
		return PLAN_NOBODY;
	if (ours && (store_twin(e->store, id) || (!v->to.relayed && (!row || is_hidden(v, id)))))
		return OWNER_SELF; /* not even a row: then it is not there */
	if (v->to.relayed)         /* what it does not own the asker has others for */
		return map_get(&v->roots, id) ? OWNER_SELF : PLAN_LEAVE;
	if (!ours && !is_own(v))
		return PLAN_LEAVE;
	if (fresh_enough(v, row))
		return OWNER_CACHE;
	if (v->question.offline)
		return PLAN_NOBODY;
	snprintf(org, sizeof org, "%.*s", (int)id_org(id).len, (const char *)id_org(id).data);
	const struct session *s = gossip_find(e->gossip, org, ours ? id_local(row->origin->name) : "");
	return s ? OWNER_SESSION + (int)s->id : cached_or_nobody(e, id);
}

/* ---- The end ---------------------------------------------------------------------------------------------
 */

/* An organisation that was asked in vain stands among the sources. */
static int add_unreachable_sources(struct arena *a, struct view_part *view)
{
	struct view_source *all = arena_take_array(a, view->n_sources + view->n_members + 1, sizeof *all);
	size_t n = view->n_sources;

	if (!all)
		return FAIL(-ENOMEM);
	if (n > 0)
		memcpy(all, view->sources, n * sizeof *all);
	for (size_t i = 0; i < view->n_members; i++) {
		const struct view_member *m = &view->members[i];
		if (m->state != MEMBER_UNREACHABLE)
			continue;
		const char *org = arena_text(a, id_org(m->id));
		bool known = !org;
		for (size_t j = view->n_sources; j < n && !known; j++)
			known = strcmp(all[j].org, org) == 0;
		if (!known)
			all[n++] = (struct view_source){
				.org = org, .node = "", .age_ns = INT64_MAX, .state = MEMBER_UNREACHABLE};
	}
	view->sources = all;
	view->n_sources = n;
	return 0;
}

/* What goes wrong with a peer is said once. */
static void problem(struct view *v, const char *format, ...) __attribute__((format(printf, 2, 3)));
static void problem(struct view *v, const char *format, ...)
{
	char text[PROBLEM_SIZE];
	va_list args;

	va_start(args, format);
	vsnprintf(text, sizeof text, format, args);
	va_end(args);
	for (size_t i = 0; i < v->n_problems; i++)
		if (strcmp(v->problems[i], text) == 0)
			return;
	const char *copy = v->n_problems < PROBLEMS_MAX ? arena_copy(v->arena, text) : NULL;
	const char **place = copy ? arena_push(v->arena, &v->problems, &v->n_problems, sizeof *place) : NULL;
	if (place)
		*place = copy;
}

/* Who has not answered may have had more than is known of it here: that is never a clean certificate. */
static int add_problems(struct view *v, struct arena *a, struct view_part *view)
{
	if (v->lost[0] && v->n_problems == 0 && view_is_clean(view))
		problem(v, "%s did not answer: what it has may be missing", v->lost);
	const char **all = arena_take_array(a, v->n_problems + view->n_problems, sizeof *all);
	if (!all)
		return FAIL(-ENOMEM);
	size_t n = 0;
	for (size_t i = 0; i < v->n_problems; i++)
		all[n++] = v->problems[i];
	for (size_t i = 0; i < view->n_problems && n < PROBLEMS_MAX; i++)
		all[n++] = view->problems[i];
	view->problems = all;
	view->n_problems = n;
	return 0;
}

static void finish(struct view *v, int code)
{
	SCOPED(scope_arena) struct arena *a = NULL;
	struct view_part result = {0};
	struct err_note note = {0};

	if (code == 0)
		code = arena_new(&a, VIEW_BYTES_MAX);
	if (code == 0)
		code = plan_result(v->plan, &result);
	if (code == 0)
		code = add_unreachable_sources(a, &result);
	if (code == 0)
		code = add_problems(v, a, &result);
	if (code == -ENOMEM)
		err_say(&note, 0,
			"the view is too large for one answer: ask for less depth, or for a part of it");
	v->done(v->ctx, code, &note, &result);
	view_free(v);
}

/* ---- Asking ----------------------------------------------------------------------------------------------
 */

static void advance(struct view *v);

/* A summary knows only the present. */
static void lose(struct view *v, uint32_t ask, const char *who)
{
	const bool past = v->question.has_as_of || v->question.step_ns > 0;

	snprintf(v->lost, sizeof v->lost, "%s", who);
	plan_lost(v->plan, ask, past ? PLAN_NOBODY : OWNER_CACHE);
}

/* A session may end under a question while another one stands: a pair that both dialled, another border of
 * the partner. Then it is asked again; not without end, for a session may be made to break. */
static bool ask_again(struct view *v, const struct waiting *w)
{
	const struct engine *e = v->views->engine;
	const char *node = strchr(w->who, '/');
	char org[ORG_NAME_MAX + 1];

	if (!node || v->n_again == AGAIN_MAX || engine_mono_ns() >= v->deadline_ns)
		return false;
	snprintf(org, sizeof org, "%.*s", (int)(node - w->who), w->who);
	const bool ours = strcmp(org, e->trust->self->org) == 0;
	const struct session *s = gossip_find(e->gossip, org, ours ? node + 1 : "");
	if (!s || s->id == w->session)
		return false;
	v->n_again++;
	plan_lost(v->plan, w->ask, OWNER_SESSION + (int)s->id);
	return true;
}

/* Nothing of it counts before the last part was right too (plan.h). */
static int take_answer(struct view *v, uint32_t ask, const struct answer *parts, size_t n)
{
	static const struct view_part nothing;

	for (size_t i = 0; i < n; i++)
		TRY(plan_answer(v->plan, ask, &parts[i].view, i + 1 == n));
	return n == 0 ? plan_answer(v->plan, ask, &nothing, true) : 0;
}

static void blame(struct view *v, const char *who)
{
	problem(v, "%s answered with what it was not asked for: nothing of it was taken", who);
	alarms_raise(v->views->engine->alarms, ALARM_PEER, who,
		     "answered a view with what it was not asked for: nothing of it was taken");
}

/* A refusal means that nothing is there for us; silence means that the last summaries must do. */
static void on_answer(void *ctx, int code, const char *text, const struct answer *parts, size_t n)
{
	SCOPED(scope_free) struct waiting *w = ctx;
	struct view *v = w->view;

	v->n_waiting--;
	if (code == 0 || code == ERR_DENIED || code == ERR_ABSENT) {
		code = take_answer(v, w->ask, parts, code == 0 ? n : 0);
		if (code == ERR_MALFORMED)
			blame(v, w->who);
		if (code == 0 && v->kept)
			watch_kept_put(v->kept, &w->mark, parts, n);
	} else if (code != ERR_UNREACHABLE) {
		problem(v, "%s does not answer this view: %s", w->who, text);
	}
	if (code < 0 && !(code == ERR_UNREACHABLE && ask_again(v, w)))
		lose(v, w->ask, w->who);
	advance(v);
}

/* Called from ask_walk() when it takes no longer than a turn. */
static void on_walk(void *ctx, uint32_t ask, int code, const struct view_part *part)
{
	struct view *v = ctx;

	v->n_waiting--;
	if (code == 0)
		code = plan_answer(v->plan, ask, part, true);
	if (code < 0 && v->failed == 0)
		v->failed = code;
	advance(v);
}

static int ask_walk(struct view *v, const struct plan_ask *ask, enum walk_source source)
{
	const struct turn_options opt = {.to = &v->to,
					 .question = ask->question,
					 .source = source,
					 .bytes_max = is_own(v) ? WALK_BYTES_MAX : OTHERS_BYTES_MAX,
					 .deadline_ns = is_own(v) ? INT64_MAX : v->walks_until_ns,
					 .number = ask->id,
					 .done = on_walk,
					 .ctx = v};

	v->n_waiting++;
	const int r = turns_walk(v->views->turns, &opt);
	if (r < 0)
		v->n_waiting--;
	return r;
}

/* What the releases before FEATURE_VIEW understand. */
static bool is_plain(const struct question *q)
{
	const struct view_question *v = &q->view;

	if (*text_or_empty(v->where) || v->by != GROUP_NONE || v->n_show > 0 || v->step_ns > 0)
		return false;
	for (size_t i = 0; i < v->n_rollups; i++)
		if (v->rollups[i].fn > ROLLUP_MAX || v->rollups[i].property[0] == '\0')
			return false;
	for (size_t i = 0; i < v->n_roots; i++)
		if (v->roots[i].seen)
			return false;
	return question_is_one_frame(q);
}

/* Has the owner answered this before, and not changed since? */
static bool take_kept(struct view *v, const struct plan_ask *ask, const struct session *s,
		      struct watch_mark *mark)
{
	SCOPED(scope_arena) struct arena *a = NULL;
	struct answer *parts;
	size_t n;

	return v->kept && arena_new(&a, VIEW_BYTES_MAX) == 0 &&
	       watch_kept_mark(v->kept, s, &ask->question, mark) == 0 &&
	       watch_kept_find(v->kept, mark, a, &parts, &n) == 1 && take_answer(v, ask->id, parts, n) == 0;
}

/* *ret_who: for problems. */
static int ask_session(struct view *v, const struct plan_ask *ask, char ret_who[PEER_NAME_SIZE])
{
	struct engine *e = v->views->engine;
	struct question q = {.kind = QUESTION_VIEW, .view = ask->question, .twin = "", .property = ""};
	const int64_t left_ns = v->deadline_ns - engine_mono_ns();
	const uint32_t session = (uint32_t)(ask->owner - OWNER_SESSION);
	const struct session *s = gossip_session(e->gossip, session);
	SCOPED(scope_free) struct waiting *w = calloc(1, sizeof *w);
	uint64_t id;

	if (!w)
		return FAIL(-ENOMEM);
	if (s)
		snprintf(ret_who, PEER_NAME_SIZE, "%s/%s", s->org, s->node);
	*w = (struct waiting){.view = v, .ask = ask->id, .session = session};
	snprintf(w->who, sizeof w->who, "%s", ret_who);
	if (left_ns <= 0 || !s)
		return FAIL(ERR_UNREACHABLE);
	if (!(s->features & FEATURE_VIEW) && !is_plain(&q)) {
		problem(v, "%s runs an earlier release that cannot answer this view: it was not asked",
			ret_who);
		return FAIL(ERR_UNREACHABLE);
	}
	if (take_kept(v, ask, s, &w->mark))
		return 0;
	TRY(audience_ask(&v->to, is_own(v), &q));
	TRY(asks_send(e->asks, session, &q, left_ns, on_answer, w, &id));
	w = NULL;
	v->n_waiting++;
	return 0;
}

static int ask_next(struct view *v, const struct plan_ask *ask)
{
	char who[PEER_NAME_SIZE] = "a node";

	if (ask->owner == OWNER_SELF)
		return ask_walk(v, ask, WALK_LIVE);
	if (ask->owner == OWNER_CACHE)
		return ask_walk(v, ask, WALK_CACHED);
	if (ask_session(v, ask, who) < 0)
		lose(v, ask->id, who);
	return 0;
}

static void advance(struct view *v)
{
	struct plan_ask ask;
	int r = 0;

	if (v->running)
		return;
	v->running = true;
	while (v->failed == 0 && (r = plan_next(v->plan, owner_of, v, &ask)) > 0) {
		r = ask_next(v, &ask);
		if (r < 0)
			break;
	}
	v->running = false;
	if (r < 0)
		v->failed = r;
	if (v->n_waiting == 0 && (v->failed < 0 || plan_done(v->plan)))
		finish(v, v->failed);
}

static int note_roots(struct view *v, const struct view_question *question)
{
	for (size_t i = 0; i < question->n_roots; i++) {
		const char *id = arena_copy(v->arena, question->roots[i].id);
		if (!id)
			return FAIL(-ENOMEM);
		TRY(map_put(&v->roots, id, v));
	}
	return 0;
}

int views_ask(struct views *views, const struct audience *to, const struct view_question *question,
	      view_fn *done, void *ctx)
{
	return views_ask_again(views, to, question, NULL, done, ctx);
}

int views_ask_again(struct views *views, const struct audience *to, const struct view_question *question,
		    struct watch_kept *kept, view_fn *done, void *ctx)
{
	SCOPED(scope_view) struct view *v = calloc(1, sizeof *v);
	const int64_t deadline_ns = question->deadline_ns > 0
					    ? question->deadline_ns
					    : views->engine->config->deadline_ms * NS_PER_MS;

	if (!v)
		return FAIL(-ENOMEM);
	const int64_t until_ns = engine_mono_ns() + deadline_ns;
	*v = (struct view){.views = views,
			   .question = *question,
			   .kept = kept,
			   .done = done,
			   .ctx = ctx,
			   .deadline_ns = until_ns,
			   .walks_until_ns = until_ns + deadline_ns / 4};
	TRY(arena_new(&v->arena,
		      AUDIENCE_BYTES + 2 * PROBLEMS_MAX * PROBLEM_SIZE + ROOTS_MAX * (TWIN_ID_MAX + 17)));
	TRY(audience_copy(v->arena, to, &v->to));
	TRY(note_roots(v, question));
	TRY(plan_new(&v->plan, question, VIEW_BYTES_MAX));
	advance(MOVE(v));
	return 0;
}
