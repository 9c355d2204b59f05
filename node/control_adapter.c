/* SPDX-License-Identifier: Apache-2.0 */
/* The adapters of the node: set up, shown, tried, and what they could not map. */
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "node/adapter_private.h"
#include "node/control.h"
#include "node/value_json.h"
#include "proto/clock.h"

enum { LETTERS_PAGE = 1000 };

static int find(struct call *c, const char *name, struct adapter **ret, struct err_note *note)
{
	*ret = adapters_find(c->e->adapters, name);
	if (!*ret)
		return FAIL_SAY(note, ERR_ABSENT, "there is no adapter %.80s: see holon adapter list", name);
	return 0;
}

int control_adapter_put(struct call *c, struct err_note *note)
{
	const struct control_request *r = &c->request;
	bool changed;

	TRY(control_check_owner(c, note));
	const bool there = adapters_find(c->e->adapters, r->name) != NULL;
	TRY(adapters_put(c->e->adapters, r->name, r->text, r->dry_run, &changed, note));
	call_done(c, &(struct control_answer){.n_changed = changed,
					      .n_unchanged = !changed,
					      .text = !changed ? r->dry_run ? "the same as before"
									    : "the same as before: begun anew"
						      : there  ? "replaces the one there is"
							       : "new"});
	return 0;
}

int control_adapter_drop(struct call *c, struct err_note *note)
{
	TRY(adapters_drop(c->e->adapters, c->request.name, note));
	call_done(c, &(struct control_answer){.n_changed = 1});
	return 0;
}

/* ---- Showing ---------------------------------------------------------------------------------------------
 */

static int push_adapter(struct call *c, const struct adapter *a, struct control_answer *answer)
{
	struct adapter_info *i = arena_push(c->arena, &answer->adapters, &answer->n_adapters, sizeof *i);

	if (!i)
		return FAIL(-ENOMEM);
	*i = (struct adapter_info){.name = a->name,
				   .kind = a->kind ? a->kind->name : "",
				   .state = adapter_state_text(a->state),
				   .text = a->text,
				   .since_ns = a->since_ns,
				   .n_counters = N_ADAPTER_COUNTERS};
	i->counters = arena_take_array(c->arena, N_ADAPTER_COUNTERS, sizeof *i->counters);
	if (!i->counters)
		return FAIL(-ENOMEM);
	for (size_t k = 0; k < N_ADAPTER_COUNTERS; k++)
		i->counters[k] = (struct counter){.name = adapter_counter_text((enum adapter_counter)k),
						  .value = a->counters[k]};
	return 0;
}

int control_adapters(struct call *c, struct err_note *note)
{
	struct control_answer answer = {0};
	struct adapter *one = NULL;

	if (c->request.name[0])
		TRY(find(c, c->request.name, &one, note));
	for (const struct adapter *a = one ? one : c->e->adapters->first; a; a = one ? NULL : a->next)
		TRY(push_adapter(c, a, &answer));
	answer.text = one && one->setup.text ? one->setup.text : "";
	call_done(c, &answer);
	return 0;
}

/* ---- Dead letters ----------------------------------------------------------------------------------------
 */

static int newest_first(const void *a, const void *b)
{
	const struct dead_letter *x = a, *y = b;

	return (x->t_ns < y->t_ns) - (x->t_ns > y->t_ns);
}

static int push_letters(struct call *c, const struct adapter *a, int64_t before_ns, size_t limit,
			struct control_answer *answer)
{
	struct dead_letter one = {.adapter = a->name, .t_ns = before_ns};

	for (size_t n = 0; a->letters && n < limit && letters_next(a->letters, one.t_ns, &one); n++) {
		struct dead_letter *l = arena_push(c->arena, &answer->letters, &answer->n_letters, sizeof *l);
		if (!l)
			return FAIL(-ENOMEM);
		*l = one;
	}
	return 0;
}

/* A page may lack letters of two adapters at the very same nanosecond as its last one. */
int control_letters(struct call *c, struct err_note *note)
{
	const struct control_request *r = &c->request;
	const size_t limit = r->limit > 0 && r->limit < LETTERS_PAGE ? r->limit : LETTERS_PAGE;
	struct control_answer answer = {0};
	struct adapter *one = NULL;
	int64_t before_ns = TIME_MAX;

	if (r->name[0])
		TRY(find(c, r->name, &one, note));
	if (r->after[0])
		TRY(time_parse(r->after, &before_ns, note));
	for (const struct adapter *a = one ? one : c->e->adapters->first; a; a = one ? NULL : a->next)
		TRY(push_letters(c, a, before_ns, limit + 1, &answer));
	if (answer.n_letters > 0)
		qsort(answer.letters, answer.n_letters, sizeof *answer.letters, newest_first);
	answer.more = answer.n_letters > limit;
	answer.n_letters = answer.more ? limit : answer.n_letters;
	call_done(c, &answer);
	return 0;
}

/* ---- Trying ----------------------------------------------------------------------------------------------
 */

/* A sample as `holon ingest` takes it. */
static void put_line(void *ctx, const char *twin, const char *property, const struct sample *s)
{
	char at[TIME_TEXT_SIZE];
	json_t *line = json_pack("{s:s, s:s, s:s, s:o}", "twin", twin, "property", property, "t",
				 time_text(s->t_ns, at), "value", value_to_json(&s->value));

	if (line && s->quality != QUALITY_GOOD)
		json_object_set_new(line, "quality", json_string(quality_text(s->quality)));
	if (line && !isnan(s->sigma))
		json_object_set_new(line, "sigma", json_real(s->sigma));
	char *text = line ? json_dumps(line, JSON_COMPACT) : NULL;
	if (text) {
		buf_put_text(ctx, text);
		buf_put_text(ctx, "\n");
	}
	free(text);
	json_decref(line);
}

static int attempt(struct call *c, struct adapter *a, struct buf *out, struct err_note *note)
{
	if (!a->kind->attempt)
		return FAIL_SAY(note, ERR_REFUSED,
				"an adapter of the kind %s has no payloads that could be tried",
				a->kind->name);
	return a->kind->attempt(a->self, c->request.prefix, c->request.blob, put_line, out, note);
}

/* Always with one on trial: nothing of a running one is counted or kept. */
int control_adapter_try(struct call *c, struct err_note *note)
{
	const struct control_request *r = &c->request;
	SCOPED(buf_fini) struct buf out = {0};
	struct control_answer answer = {0};
	struct adapter *there = NULL, *trial;
	const char *text = r->text;

	if (!text[0]) {
		TRY(find(c, r->name, &there, note));
		text = there->setup.text ? there->setup.text : "";
	}
	TRY(adapter_trial(c->e->adapters, r->name[0] ? r->name : "adapter", text, &trial, note));
	int failed = letters_new(&trial->letters, "", 0);
	if (failed == 0)
		failed = attempt(c, trial, &out, note);
	if (failed == 0)
		failed = push_letters(c, trial, TIME_MAX, LETTERS_PAGE, &answer);
	buf_put_u8(&out, 0);
	if (failed == 0)
		failed = buf_check(&out);
	if (failed == 0) {
		answer.text = (const char *)out.data;
		call_done(c, &answer);
	}
	adapter_trial_end(trial);
	return failed;
}
