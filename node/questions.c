/* SPDX-License-Identifier: Apache-2.0 */
#include "node/questions.h"

#include <stdio.h>

#include "node/audit.h"
#include "node/border.h"
#include "node/commands.h"
#include "node/find.h"
#include "node/log.h"
#include "node/persons.h"
#include "node/question_frames.h"
#include "node/quota.h"
#include "node/reads.h"
#include "node/record.h"
#include "node/reports.h"
#include "node/view_pieces.h"
#include "node/views.h"
#include "proto/clock.h"
#include "proto/id.h"
#include "proto/words.h"

enum {
	VALUE_BYTES = 64,
	FRAME_BESIDES = 512, /* of a frame with one item */
	ROW_BYTES = 1 << 20,
	REPORT_BYTES = 4 << 20,
	OPEN_MAX = 64,           /* questions of one organisation that wait for owners at the same time */
	OPEN_COMMANDS_MAX = 256, /* the same of commands that have not ended */
	PATIENCE_S = 60,
};

/* A question being answered. */
struct reply {
	struct reply *next; /* of all that are open */
	struct engine *e;
	uint64_t id;
	uint32_t session, index;
	enum question_kind kind;
	struct arena *arena; /* of the audience */
	struct audience to;
	char partner[ORG_NAME_MAX + 1]; /* who gets the answer; "": a node of the own organisation */
	bool refused;                   /* that has been counted */
	uint64_t epoch;                 /* of the policy when it began */
	char twin[TWIN_ID_MAX + 1], property[PROPERTY_MAX + 1]; /* of a read or history of a partner */
};

static void reply_free(struct reply *r)
{
	struct reply **at = &r->e->replies;

	while (*at && *at != r)
		at = &(*at)->next;
	if (*at)
		*at = r->next;
	arena_free(r->arena);
	free(r);
}

DEFINE_SCOPED(reply, reply_free)

static void say(struct reply *r, const struct answer *answer)
{
	struct message m = {.kind = MESSAGE_ANSWER, .answer = *answer};

	m.answer.id = r->id;
	m.answer.index = r->index++;
	m.answer.kind = r->kind;
	m.answer.text = answer->text ? answer->text : "";
	ignore(gossip_say(r->e->gossip, r->session, &m)); /* gone: then nobody waits */
}

static void say_failure(struct reply *r, int code, const char *text)
{
	say(r, &(struct answer){.last = true, .code = code, .text = text, .unit = ""});
}

/* ---- What may leave ---------------------------------------------------------------------------------------
 */

static bool is_other_org(const struct engine *e, const char *org)
{
	return org && org[0] && strcmp(org, e->trust->self->org) != 0;
}

static bool person_still_counts(const struct reply *r)
{
	SCOPED(scope_arena) struct arena *a = NULL;
	const struct person_claim claim = {.proof = {r->to.credential, r->to.errand}, .org = r->to.org};
	struct audience again = audience_of(r->to.org);

	return arena_new(&a, AUDIENCE_BYTES) == 0 &&
	       persons_admit(r->e->persons, r->e->trust, &claim, a, &again, NULL) == 0;
}

/* What was asked of an owner comes when the border may have closed, or the person may have been revoked. */
static bool may_leave(const struct reply *r)
{
	if (!is_other_org(r->e, r->to.org))
		return true;
	/* a command proves itself, wherever it is kept */
	return border_is_open(r->e) &&
	       (r->kind == QUESTION_COMMAND || r->to.credential.len == 0 || person_still_counts(r));
}

static void say_closed(struct reply *r)
{
	say_failure(r, ERR_UNREACHABLE, "this organisation answers no others now");
}

/* ---- What leaves for a partner is counted -----------------------------------------------------------------
 */

static void count(const struct reply *r, const char *what, const char *twin, const char *property,
		  const char *rule)
{
	if (r->partner[0])
		journal_count(r->e->journal, &(struct journal_read){.partner = r->partner,
								    .person = r->to.person,
								    .rule = rule,
								    .what = what,
								    .twin = twin,
								    .property = property});
}

static void count_refusal(const struct reply *r, int code)
{
	if (r->partner[0] && !r->refused && (code == ERR_DENIED || code == ERR_REFUSED))
		journal_deny(r->e->journal, r->partner);
}

static void count_answer(const struct reply *r, const struct answer *answer)
{
	SCOPED(scope_arena) struct arena *a = NULL;
	const struct egress *e = &r->e->egress;
	struct row full = {.id = r->twin,
			   .type = ""}; /* of a twin that is gone meanwhile only the name is left */

	if (!r->partner[0])
		return;
	if (arena_new(&a, ROW_BYTES) == 0)
		ignore(egress_full_row(e, r->twin, a, &full));
	if (r->kind == QUESTION_HISTORY) {
		count(r, "history", r->twin, r->property,
		      egress_rule(e, &r->to, RIGHT_HISTORY, &full, r->property));
		return;
	}
	count(r, "summary", r->twin, "", egress_rule(e, &r->to, RIGHT_DISCOVER, &full, NULL));
	for (size_t i = 0; i < answer->n_values; i++) {
		const char *property = answer->values[i].property;
		count(r, "read", r->twin, property, egress_rule(e, &r->to, RIGHT_READ, &full, property));
	}
}

/* ---- Views: as many frames as they need ------------------------------------------------------------------
 */

static size_t text_bytes(const char *text)
{
	return text ? strlen(text) : 0;
}

/* A member or cell that fits into no frame would end the session. */
static bool fits(const struct reply *r, const struct view_part *view)
{
	const size_t most = r->partner[0] ? FRAME_BORDER_MAX : FRAME_OWN_MAX;

	return view_largest_item(view) < most - FRAME_BESIDES;
}

static void say_view(struct reply *r, const struct view_part *view)
{
	struct answer answer = {.unit = ""};
	struct view_part whole = *view;
	struct view_place place = {0};

	whole.rollups = NULL; /* the asker adds up the members' */
	do {
		answer.last = !view_piece(&whole, FRAME_FILL, &place, &answer.view);
		say(r, &answer);
	} while (!answer.last);
}

/* Reads are decided again when they leave; of a view nobody could say any more what it was made of. */
static bool is_of_another_policy(const struct reply *r)
{
	return is_other_org(r->e, r->to.org) && r->epoch != r->e->trust->policy_doc.epoch;
}

static void on_view(void *ctx, int code, const struct err_note *note, const struct view_part *view)
{
	SCOPED(scope_reply) struct reply *r = ctx;

	if (code < 0) {
		count_refusal(r, code);
		say_failure(r, code, note->text);
		return;
	}
	if (!may_leave(r)) {
		say_closed(r);
		return;
	}
	if (is_of_another_policy(r)) {
		say_failure(r, ERR_UNREACHABLE, "the policy was changed meanwhile: ask again");
		return;
	}
	if (!fits(r, view)) {
		say_failure(
			r, -EMSGSIZE,
			"one member of the view is more than a frame takes: ask for fewer quantiles, or show "
			"fewer properties");
		return;
	}
	for (size_t i = 0; i < view->n_members; i++)
		count(r, "view", view->members[i].id, "", "");
	say_view(r, view);
}

static int start_find(struct reply *r, const struct view_question *question, int64_t time_ns)
{
	struct view_question q = *question;
	struct err_note note = {0};

	q.offline = false;
	q.fresh_ns = 0;
	q.deadline_ns = time_ns;
	return find_ask(r->e, &r->to, &q, on_view, r, &note);
}

/* ---- Reads and histories ---------------------------------------------------------------------------------
 */

static size_t value_bytes(const struct value *v)
{
	return v->type == VALUE_TEXT || v->type == VALUE_ENUM ? strlen(v->text) : 0;
}

/* A history is one frame's worth already; the values of a twin may be many, and long. */
static size_t say_values(struct reply *r, const struct answer *whole, size_t from)
{
	struct answer answer = *whole;
	size_t bytes = 0, to = from;

	while (to < whole->n_values && bytes < FRAME_FILL) {
		const struct kpi *v = &whole->values[to++];
		bytes += VALUE_BYTES + strlen(v->property) + text_bytes(v->unit) +
			 text_bytes(v->sample.source) + value_bytes(&v->sample.value);
	}
	answer.values = to > from ? &whole->values[from] : NULL;
	answer.n_values = to - from;
	answer.last = to == whole->n_values;
	say(r, &answer);
	return to;
}

static void on_read(void *ctx, int code, const char *text, const struct answer *parts, size_t n)
{
	SCOPED(scope_reply) struct reply *r = ctx;
	size_t at = 0;

	if (code < 0 || n == 0) {
		count_refusal(r, code);
		say_failure(r, code < 0 ? code : ERR_ABSENT, text);
	} else if (!may_leave(r)) {
		say_closed(r);
	} else {
		struct answer answer = parts[0];
		answer.code = 0;
		count_answer(r, &answer);
		answer.unit = answer.unit ? answer.unit : "";
		do
			at = say_values(r, &answer, at);
		while (at < answer.n_values);
	}
}

/* ---- Commands --------------------------------------------------------------------------------------------
 */

static void on_command(void *ctx, int code, const char *text, struct bytes record)
{
	SCOPED(scope_reply) struct reply *r = ctx;

	if (code < 0) {
		count_refusal(r, code);
		say_failure(r, code, text);
	} else if (!may_leave(r)) {
		say_closed(r);
	} else {
		count(r, "command", r->twin, "", "");
		say(r, &(struct answer){.last = true, .unit = "", .command = record});
	}
}

static int start_command(struct reply *r, const struct session *from, const struct question *q,
			 int64_t time_ns)
{
	const struct command_question asked = {.question = q, .to = &r->to, .from = from, .time_ns = time_ns};

	return r->e->commands ? commands_question(r->e->commands, &asked, on_command, r) : FAIL(ERR_DENIED);
}

/* ---- How this node stands in the mesh --------------------------------------------------------------------
 */

/* Told to the own nodes about themselves, and to nobody for somebody else. */
static int start_report(struct reply *r)
{
	SCOPED(scope_arena) struct arena *a = NULL;
	struct report_place place = {0};
	struct answer answer = {.unit = ""};
	struct node_report whole;

	if (r->partner[0] || is_other_org(r->e, r->to.org))
		return FAIL(ERR_DENIED);
	TRY(arena_new(&a, REPORT_BYTES));
	TRY(report_here(r->e, a, &whole));
	while (report_part(&whole, &place, &answer.report))
		say(r, &answer);
	say(r, &(struct answer){.last = true, .unit = ""});
	reply_free(r);
	return 0;
}

/* ---- Who asks --------------------------------------------------------------------------------------------
 */

/* Of the asking organisation; and given to the node that asks, unless a border of ours hands it on. Somebody
 * else, or nobody, is answered as one who sees nothing: in the same bytes, by the same way. */
static void take_person(struct reply *r, const struct session *from, const struct question *q)
{
	const bool onward = from->own && r->to.org[0] && strcmp(r->to.org, from->org) != 0;
	const struct person_claim claim = {.proof = {q->person, q->errand},
					   .org = r->to.org[0] ? r->to.org : from->org,
					   .node = onward ? NULL : from->node};
	struct err_note note = {0};

	if (q->kind == QUESTION_COMMAND) { /* what the person signed is judged with the command */
		r->to.credential = q->person;
		return;
	}
	if (q->person.len == 0 && q->errand.len == 0)
		return;
	const int code = persons_admit(r->e->persons, r->e->trust, &claim, r->arena, &r->to, &note);
	if (code == 0)
		return;
	record_refused_of(r->e->journal, from->org, from->node, "person", code, &note);
	r->to.nobody = r->refused = true;
	if (onward || !from->own)
		journal_deny(r->e->journal, r->to.org);
}

/* A session of another organisation speaks for that organisation and for nobody else. */
static int audience_for(struct reply *r, const struct session *from, const struct question *q)
{
	const bool named = q->asker && q->asker[0];

	if (!from->own && named && strcmp(q->asker, from->org) != 0)
		return FAIL(ERR_DENIED);
	r->to = audience_of(arena_copy(r->arena, !from->own ? from->org : named ? q->asker : ""));
	r->to.relayed = from->own;
	if (!r->to.org)
		return FAIL(-ENOMEM);
	take_person(r, from, q);
	return 0;
}

static int start(struct reply *r, const struct session *from, const struct question *q)
{
	const int64_t patience_ns =
		q->timeout_ns < PATIENCE_S * NS_PER_S ? q->timeout_ns : PATIENCE_S * NS_PER_S;
	const int64_t time_ns = patience_ns - patience_ns / 4; /* an answer that comes too late is none */
	const char *own = r->e->trust->self->org;
	struct view_question view = q->view;

	if (q->kind == QUESTION_MESH)
		return start_report(r);
	if (q->kind == QUESTION_COMMAND)
		return start_command(r, from, q, time_ns);
	if (q->kind == QUESTION_FIND)
		return start_find(r, &q->view, time_ns);
	if (q->kind != QUESTION_VIEW)
		return reads_ask(r->e, &r->to, q, time_ns, on_read, r);
	for (size_t i = 0; i < view.n_roots; i++)
		if (!id_is_of_org(view.roots[i].id, own))
			return FAIL(ERR_DENIED); /* the asker asks the others itself */
	view.offline = false;
	view.fresh_ns = 0;
	view.deadline_ns = time_ns;
	return views_ask(r->e->views, &r->to, &view, on_view, r);
}

static int begin(struct reply **ret, struct engine *e, const struct session *from, const struct question *q)
{
	SCOPED(scope_reply) struct reply *r = calloc(1, sizeof *r);

	if (!r)
		return FAIL(-ENOMEM);
	*r = (struct reply){.next = e->replies,
			    .e = e,
			    .id = q->id,
			    .session = from->id,
			    .kind = q->kind,
			    .epoch = e->trust->policy_doc.epoch};
	e->replies = r;
	TRY(arena_new(&r->arena, AUDIENCE_BYTES));
	if (!from->own) {
		snprintf(r->partner, sizeof r->partner, "%s", from->org);
		snprintf(r->twin, sizeof r->twin, "%s", text_or_empty(q->twin));
		snprintf(r->property, sizeof r->property, "%s", text_or_empty(q->property));
	}
	*ret = MOVE(r);
	return 0;
}

/* Whoever asks a lot waits for himself, not others for him. */
static bool has_too_many(const struct reply *r)
{
	size_t n = 0;

	const bool command = r->kind == QUESTION_COMMAND; /* waits long, and for no computing */

	for (const struct reply *other = r->e->replies; other; other = other->next)
		n += strcmp(other->partner, r->partner) == 0 && (other->kind == QUESTION_COMMAND) == command;
	return r->partner[0] && n > (command ? OPEN_COMMANDS_MAX : OPEN_MAX);
}

static void answer_whole(struct engine *e, const struct session *from, const struct question *q)
{
	SCOPED(scope_reply) struct reply *r = NULL;

	if (begin(&r, e, from, q) < 0)
		return; /* the asker's deadline says it */
	if (has_too_many(r)) {
		say_failure(r, ERR_UNREACHABLE,
			    "too many questions of your organisation are open: ask later");
		return;
	}
	/* also behind a border: this node may be the one that has not heard of what is newest */
	if ((!from->own || is_other_org(e, q->asker)) && !border_is_open(e)) {
		say_closed(r);
		return;
	}
	int code = audience_for(r, from, q);
	if (code == 0)
		code = start(r, from, q);
	if (code == 0) {
		r = NULL; /* its answer's from now on, perhaps gone already */
		return;
	}
	count_refusal(r, code);
	log_debug("mesh", "question not taken session=%u: %s", r->session, err_text(code));
	say_failure(r, code, "not a question for this node");
}

static void refuse(struct engine *e, const struct session *from, const struct question *q, int code,
		   const char *text)
{
	SCOPED(scope_reply) struct reply *r = NULL;

	if (begin(&r, e, from, q) == 0)
		say_failure(r, code, text);
}

void questions_on_question(struct engine *e, const struct session *from, const struct question *q)
{
	SCOPED(scope_arena) struct arena *roots = NULL;
	struct question whole;

	if (!from->own && quota_take(e->quotas, from->org, QUOTA_QUESTIONS, engine_mono_ns()) != 0) {
		refuse(e, from, q, ERR_UNREACHABLE, "your organisation asks more than its share: ask later");
		return;
	}
	const int r = question_join(&e->unfinished, from, q, &whole, &roots);
	if (r == 0)
		answer_whole(e, from, &whole);
	else if (r == ERR_REFUSED)
		refuse(e, from, q, ERR_UNREACHABLE, "too many of your questions are unfinished: ask later");
	else if (r < 0)
		refuse(e, from, q, r, "the frames of the question do not make one");
}
