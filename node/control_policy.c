/* SPDX-License-Identifier: Apache-2.0 */
#include <stdio.h>
#include <string.h>

#include "node/control.h"
#include "node/log.h"
#include "node/record.h"

/* An earlier policy that was signed again is told as what it is. */
static void record_rollback(struct engine *e)
{
	const struct policy_doc *now = &e->trust->policy_doc;

	for (uint64_t back = 2; back < POLICIES_KEPT && back < now->epoch; back++) {
		SCOPED(scope_arena) struct arena *a = NULL;
		struct policy_doc past;
		char text[64];
		if (arena_new(&a, (size_t)POLICY_TEXT_MAX * 4) < 0 ||
		    trust_past_policy(e->trust, now->epoch - back, a, &past, NULL) < 0)
			return;
		if (strcmp(past.text, now->text) != 0)
			continue;
		snprintf(text, sizeof text, "to the text of epoch %llu", (unsigned long long)past.epoch);
		record_policy(e->journal, "rolled back", now->epoch, text);
		return;
	}
}

int control_policy_publish(struct call *c, struct err_note *note)
{
	struct trust *t = c->e->trust;

	int r = trust_publish(t, c->request.blob, trust_now(t), note);
	TRY(r);
	if (r == TRUST_OLD)
		return FAIL_SAY(note, ERR_REFUSED,
				"epoch %llu is in force already: sign the policy with a higher one",
				(unsigned long long)t->policy_doc.epoch);
	log_info("policy", "published epoch=%llu", (unsigned long long)t->policy_doc.epoch);
	record_rollback(c->e);
	engine_trust_changed(c->e);
	const char *text =
		arena_print(c->arena, "epoch %llu is in force", (unsigned long long)t->policy_doc.epoch);
	call_done(c, &(struct control_answer){.text = text, .n_changed = t->policy_doc.epoch});
	return 0;
}

/* The findings as `line N: error|warning: what`, one a line. */
int control_policy_check(struct call *c, struct err_note *note)
{
	SCOPED(scope_policy) struct policy *policy = NULL;
	SCOPED(buf_fini) struct buf text = {0};
	struct policy_finding *findings = NULL;
	size_t n = 0;

	int r = trust_compile(c->e->trust, c->request.text, trust_now(c->e->trust), &policy, c->arena,
			      &findings, &n, note);
	if (r < 0 && r != ERR_REFUSED)
		return r;
	for (size_t i = 0; i < n; i++)
		buf_print(&text, "line %u: %s: %s\n", findings[i].line,
			  findings[i].error ? "error" : "warning", findings[i].text);
	buf_put_u8(&text, '\0');
	TRY(buf_check(&text));
	call_done(c, &(struct control_answer){.code = r, .text = (const char *)text.data});
	return 0;
}

int control_policy_show(struct call *c, struct err_note *note)
{
	struct policy_doc doc = c->e->trust->policy_doc;

	if (doc.epoch == 0)
		return FAIL_SAY(note, ERR_ABSENT, "no policy is in force: nothing is shared");
	if (c->request.limit > 0)
		TRY(trust_past_policy(c->e->trust, c->request.limit, c->arena, &doc, note));
	call_done(c, &(struct control_answer){.text = doc.text, .n_changed = doc.epoch});
	return 0;
}

static int find_twin(struct call *c, struct policy_twin *ret, struct err_note *note)
{
	struct row row;

	if (egress_full_row(&c->e->egress, c->request.twin, c->arena, &row) < 0)
		return FAIL_SAY(note, ERR_ABSENT, "%s: no such twin in this organisation", c->request.twin);
	*ret = (struct policy_twin){
		.id = row.id, .type = row.type, .tags = (const char *const *)row.tags, .n_tags = row.n_tags};
	return 0;
}

static int read_question(struct call *c, struct policy_query *q, struct err_note *note)
{
	const struct control_request *r = &c->request;

	if (!trust_org(c->e->trust, r->org))
		return FAIL_SAY(note, ERR_REFUSED, "%s is not a trusted organisation: see `holon org show`",
				r->org);
	if (!right_parse(r->right, &q->right))
		return FAIL_SAY(note, ERR_REFUSED,
				"%s is no right: discover, summary, read, history, watch or command",
				r->right);
	if (right_has_property(q->right) && !r->property[0])
		return FAIL_SAY(note, ERR_REFUSED, "%s is about one %s: name it with --prop", r->right,
				q->right == RIGHT_COMMAND ? "command" : "property");
	q->org = r->org;
	q->role = r->name[0] ? r->name : NULL;
	q->property = r->property[0] && q->right != RIGHT_DISCOVER ? r->property : NULL;
	return 0;
}

/* A person has what the organisation has, too (node/egress.h). */
static int explain(struct call *c, struct policy_query *q, struct control_answer *answer)
{
	const struct policy *policy = c->e->trust->policy;
	bool without = false;

	answer->text = policy_why(policy, q, c->arena, &answer->allowed);
	if (!answer->text)
		return FAIL(-ENOMEM);
	if (answer->allowed || !q->role)
		return 0;
	q->role = NULL;
	const char *text = policy_why(policy, q, c->arena, &without);
	if (!text)
		return FAIL(-ENOMEM);
	if (without) {
		answer->allowed = true;
		answer->text = text;
	}
	return 0;
}

int control_policy_why(struct call *c, struct err_note *note)
{
	const struct trust *t = c->e->trust;
	struct policy_query q = {.now_ns = trust_now(c->e->trust)};
	struct control_answer answer = {0};
	struct policy_twin twin;

	TRY(read_question(c, &q, note));
	TRY(find_twin(c, &twin, note));
	q.twin = &twin;
	const struct audience to = audience_of(q.org);
	if (!t->policy)
		answer.text = "no policy is in force, nothing is shared";
	else
		TRY(explain(c, &q, &answer));
	if (egress_is_own(&c->e->egress, &to)) {
		answer.allowed = true;
		answer.text = "the own organisation's nodes see everything";
	}
	call_done(c, &answer);
	return 0;
}

/* ---- Who sees a twin ---- */

struct grants {
	struct call *call;
	const struct policy *policy;
	struct policy_query q;
	struct control_answer answer;
	size_t first, n_of_org; /* grants of the organisation itself: its roles have them, too */
};

static bool is_of_org(const struct grants *g, const struct policy_grant *grant)
{
	for (size_t i = g->first; i < g->n_of_org; i++) {
		const struct policy_grant *of_org = &g->answer.grants[i];
		if (of_org->line == grant->line && strcmp(of_org->right, grant->right) == 0 &&
		    strcmp(of_org->property, grant->property) == 0)
			return true;
	}
	return false;
}

static int add_grant(struct grants *g, enum right right, const char *property)
{
	struct arena *a = g->call->arena;
	struct policy_ruling ruling;

	g->q.right = right;
	g->q.property = property;
	const enum policy_form form = policy_ruling(g->policy, &g->q, &ruling);
	struct policy_grant grant = {.who = g->q.org,
				     .right = right_text(right),
				     .property = property ? property : "",
				     .token = form == FORM_TOKEN,
				     .line = ruling.line,
				     .rule = ruling.title,
				     .until_ns = ruling.until_ns};
	if (form == FORM_NOTHING || (g->q.role && is_of_org(g, &grant)))
		return 0;
	struct policy_grant *place = arena_push(a, &g->answer.grants, &g->answer.n_grants, sizeof *place);
	if (g->q.role)
		grant.who = arena_print(a, "%s/%s", g->q.org, g->q.role);
	if (!place || !grant.who)
		return FAIL(-ENOMEM);
	*place = grant;
	return 0;
}

static int add_property(struct grants *g, const struct property_def *p)
{
	TRY(add_grant(g, RIGHT_READ, p->name));
	TRY(add_grant(g, RIGHT_HISTORY, p->name));
	TRY(add_grant(g, RIGHT_WATCH, p->name));
	g->q.right = RIGHT_SUMMARY;
	g->q.property = NULL;
	return p->kpi && policy_allows(g->policy, &g->q, NULL) ? add_grant(g, RIGHT_SUMMARY, p->name) : 0;
}

/* All an asker has of the twin, or of one of its properties. */
static int add_grants(struct grants *g)
{
	const struct type *type = store_type(g->call->e->store, g->q.twin->type);
	const char *only = g->call->request.property, **commands = NULL;
	size_t n = 0;

	if (!only[0])
		TRY(add_grant(g, RIGHT_DISCOVER, NULL));
	if (!only[0])
		TRY(add_grant(g, RIGHT_SUMMARY, NULL));
	for (size_t i = 0; type && i < type->def.n_properties; i++)
		if (!only[0] || strcmp(only, type->def.properties[i].name) == 0)
			TRY(add_property(g, &type->def.properties[i]));
	TRY(policy_commands(g->policy, g->call->arena, &commands, &n));
	for (size_t i = 0; !only[0] && i < n; i++)
		TRY(add_grant(g, RIGHT_COMMAND, commands[i]));
	return 0;
}

static int add_org(struct grants *g, const char *org)
{
	const char **roles = NULL;
	size_t n = 0;

	g->q.org = org;
	g->q.role = NULL;
	g->first = g->answer.n_grants;
	TRY(add_grants(g));
	g->n_of_org = g->answer.n_grants;
	TRY(policy_roles(g->policy, org, g->call->arena, &roles, &n));
	for (size_t i = 0; i < n; i++) {
		g->q.role = roles[i];
		TRY(add_grants(g));
	}
	return 0;
}

int control_policy_who(struct call *c, struct err_note *note)
{
	const struct trust *t = c->e->trust;
	struct policy_twin twin;
	struct grants g = {
		.call = c, .policy = t->policy, .q = {.twin = &twin, .now_ns = trust_now(c->e->trust)}};

	TRY(find_twin(c, &twin, note));
	for (size_t i = 0; i < t->n_partners; i++)
		TRY(add_org(&g, t->partners[i]->org.manifest.org));
	call_done(c, &g.answer);
	return 0;
}
