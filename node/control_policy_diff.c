/* SPDX-License-Identifier: Apache-2.0 */
/* What a policy would change: every own twin is asked about for every partner under both policies, a few
 * milliseconds at a time between the other work of the loop. Nothing is put in force. */
#include <stdio.h>
#include <string.h>

#include "node/control.h"

enum { SHOWN = 5, SLICE_NS = 3000000, PROGRESS_EVERY = 100 };

struct asker {
	const char *org, *role, *who;
	struct policy_effect effects[N_RIGHTS];
};

struct diff {
	uv_idle_t idle;
	struct call *call;
	struct arena *scratch;         /* of one slice */
	struct policy *before, *after; /* compiled for this: the one in force may be replaced meanwhile */
	struct asker *askers;
	size_t n_askers;
	const char **commands;
	size_t n_commands;
	int64_t now_ns;
	uint64_t n_twins, n_slices;
	char at[TWIN_ID_MAX + 1]; /* the last twin looked at */
};

static void diff_free(struct diff *d)
{
	policy_free(d->before);
	policy_free(d->after);
	arena_free(d->scratch);
	free(d);
}

DEFINE_SCOPED(diff, diff_free)

static void on_closed(uv_handle_t *h)
{
	diff_free(h->data);
}

/* ---- One question ---- */

/* How the second of two windows differs from the first: 0, or wider or narrower. */
static int compare_windows(const struct diff *d, const struct policy_query *q)
{
	int64_t last[2] = {0}, step[2] = {0};

	if (!policy_history_window(d->before, q, &last[0], &step[0]) ||
	    !policy_history_window(d->after, q, &last[1], &step[1]))
		return 0;
	if (last[0] != last[1])
		return last[1] == 0 || (last[0] != 0 && last[1] > last[0]) ? 1 : -1;
	return (step[1] < step[0]) - (step[1] > step[0]);
}

static int note_effect(struct diff *d, const struct policy_query *q, bool gained, struct policy_effect *e)
{
	const char ***texts = gained ? &e->gained : &e->lost;
	size_t *n = gained ? &e->n_gained_shown : &e->n_lost_shown;
	uint64_t *count = gained ? &e->n_gained : &e->n_lost;

	if ((*count)++ >= SHOWN)
		return 0;
	const char **place = arena_push(d->call->arena, texts, n, sizeof *place);
	const char *text = q->property ? arena_print(d->call->arena, "%s %s", q->twin->id, q->property)
				       : arena_copy(d->call->arena, q->twin->id);
	if (!place || !text)
		return FAIL(-ENOMEM);
	*place = text;
	return 0;
}

/* What becomes of a question: 1 more, -1 less, 0 the same. */
static int change_of(const struct diff *d, const struct policy_query *q)
{
	const enum policy_form before = policy_form(d->before, q), after = policy_form(d->after, q);
	const int change = (after > before) - (after < before);

	return change == 0 && after == FORM_PLAIN && q->right == RIGHT_HISTORY ? compare_windows(d, q)
									       : change;
}

static int compare(struct diff *d, struct asker *asker, const struct policy_twin *twin, enum right right,
		   const char *property)
{
	struct policy_query q = {.org = asker->org,
				 .role = asker->role,
				 .right = right,
				 .twin = twin,
				 .property = property,
				 .now_ns = d->now_ns};
	const int change = change_of(d, &q);

	q.role = NULL; /* what the whole organisation gets or loses is said of it */
	if (change == 0 || (asker->role && change_of(d, &q) == change))
		return 0;
	return note_effect(d, &q, change > 0, &asker->effects[right]);
}

/* ---- One twin ---- */

/* A property in the summary counts only where the summary itself stays granted. */
static int compare_kpi(struct diff *d, struct asker *asker, const struct policy_twin *twin,
		       const char *property)
{
	const struct policy_query q = {.org = asker->org,
				       .role = asker->role,
				       .right = RIGHT_SUMMARY,
				       .twin = twin,
				       .now_ns = d->now_ns};

	if (!policy_allows(d->before, &q, NULL) || !policy_allows(d->after, &q, NULL))
		return 0;
	return compare(d, asker, twin, RIGHT_SUMMARY, property);
}

static int compare_twin(struct diff *d, struct asker *asker, const struct policy_twin *twin,
			const struct type *type)
{
	TRY(compare(d, asker, twin, RIGHT_DISCOVER, NULL));
	TRY(compare(d, asker, twin, RIGHT_SUMMARY, NULL));
	for (size_t i = 0; type && i < type->def.n_properties; i++) {
		const struct property_def *p = &type->def.properties[i];
		TRY(compare(d, asker, twin, RIGHT_READ, p->name));
		TRY(compare(d, asker, twin, RIGHT_HISTORY, p->name));
		TRY(compare(d, asker, twin, RIGHT_WATCH, p->name));
		if (p->kpi)
			TRY(compare_kpi(d, asker, twin, p->name));
	}
	for (size_t i = 0; i < d->n_commands; i++)
		TRY(compare(d, asker, twin, RIGHT_COMMAND, d->commands[i]));
	return 0;
}

static int look_at(struct diff *d, const struct twin *t)
{
	const struct twin_def def = store_twin_def(t);
	const struct policy_twin twin = {
		.id = def.id, .type = def.type, .tags = (const char *const *)def.tags, .n_tags = def.n_tags};

	for (size_t i = 0; i < d->n_askers; i++)
		TRY(compare_twin(d, &d->askers[i], &twin, t->type));
	d->n_twins++;
	snprintf(d->at, sizeof d->at, "%s", def.id);
	return 0;
}

/* ---- All of them ---- */

static int answer(struct diff *d)
{
	struct control_answer last = {.n_changed = d->n_twins};

	for (size_t i = 0; i < d->n_askers; i++)
		for (enum right r = 0; r < N_RIGHTS; r++) {
			struct policy_effect *e = &d->askers[i].effects[r], *place;
			if (e->n_gained + e->n_lost == 0)
				continue;
			place = arena_push(d->call->arena, &last.effects, &last.n_effects, sizeof *place);
			if (!place)
				return FAIL(-ENOMEM);
			*place = *e;
			place->who = d->askers[i].who;
			place->right = right_text(r);
		}
	call_done(d->call, &last);
	return 0;
}

static void finish(struct diff *d, int r)
{
	uv_idle_stop(&d->idle);
	if (r == 0)
		r = answer(d);
	if (r < 0)
		call_fail(d->call, r, NULL);
	uv_close((uv_handle_t *)&d->idle, on_closed);
}

static void on_idle(uv_idle_t *idle)
{
	struct diff *d = idle->data;
	const struct engine *e = d->call->e;
	const uint64_t began = uv_hrtime();
	const struct twin *t = NULL;

	do {
		t = e->stopping ? NULL : store_twin_next(e->store, "", d->at);
		const int r = t ? look_at(d, t) : 0;
		if (r < 0 || !t) {
			finish(d, r);
			return;
		}
	} while (uv_hrtime() - began < SLICE_NS);
	if (++d->n_slices % PROGRESS_EVERY == 0)
		call_part(d->call, &(struct control_answer){.done = {.done = d->n_twins, .what = "twins"}});
}

/* ---- Beginning ---- */

static int add_asker(struct diff *d, const char *org, const char *role)
{
	struct arena *a = d->call->arena;
	struct asker *asker = arena_push(a, &d->askers, &d->n_askers, sizeof *asker);
	const char *who = role ? arena_print(a, "%s/%s", org, role) : arena_copy(a, org);

	if (!asker || !who)
		return FAIL(-ENOMEM);
	asker->org = role ? arena_copy(a, org) : who;
	asker->role = role; /* of one of the policies, which live as long */
	asker->who = who;
	return asker->org ? 0 : FAIL(-ENOMEM);
}

static int add_askers(struct diff *d)
{
	const struct trust *t = d->call->e->trust;

	for (size_t i = 0; i < t->n_partners; i++) {
		const char *org = t->partners[i]->org.manifest.org, **roles = NULL;
		size_t n = 0;
		TRY(policy_roles(d->before, org, d->call->arena, &roles, &n));
		TRY(policy_roles(d->after, org, d->call->arena, &roles, &n));
		TRY(add_asker(d, org, NULL));
		for (size_t j = 0; j < n; j++)
			TRY(add_asker(d, org, roles[j]));
	}
	TRY(policy_commands(d->before, d->call->arena, &d->commands, &d->n_commands));
	return policy_commands(d->after, d->call->arena, &d->commands, &d->n_commands);
}

static int compile(const struct diff *d, const char *text, struct policy **ret, struct err_note *note)
{
	struct policy_finding *findings;
	size_t n;

	return trust_compile(d->call->e->trust, text, d->now_ns, ret, d->scratch, &findings, &n, note);
}

static int compile_both(struct diff *d, struct err_note *note)
{
	const struct trust *t = d->call->e->trust;
	const struct bytes other = d->call->request.blob;
	struct err_note why = {0};

	TRY(compile(d, d->call->request.text, &d->after, note));
	if (other.len == 0)
		return t->policy ? compile(d, t->policy_doc.text, &d->before, note) : 0;
	const char *text = arena_text(d->scratch, other);
	if (!text)
		return FAIL(-ENOMEM);
	int r = compile(d, text, &d->before, &why);
	return r == ERR_REFUSED ? FAIL_SAY(note, r, "the policy to compare with: %s", why.text) : r;
}

int control_policy_diff(struct call *c, struct err_note *note)
{
	SCOPED(scope_diff) struct diff *d = calloc(1, sizeof *d);

	if (!d)
		return FAIL(-ENOMEM);
	d->call = c;
	d->now_ns = trust_now(c->e->trust);
	TRY(arena_new(&d->scratch, (size_t)POLICY_TEXT_MAX * 8));
	TRY(compile_both(d, note));
	TRY(add_askers(d));
	uv_idle_init(&c->e->loop, &d->idle);
	d->idle.data = d;
	uv_idle_start(&d->idle, on_idle);
	MOVE(d);
	return 0;
}
