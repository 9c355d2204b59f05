/* SPDX-License-Identifier: Apache-2.0 */
#include <stdio.h>
#include <string.h>

#include "node/control.h"
#include "node/log.h"

int control_policy_publish(struct call *c, struct err_note *note)
{
	struct trust *t = c->e->trust;

	int r = trust_publish(t, c->request.blob, engine_wall_ns(), note);
	TRY(r);
	if (r == TRUST_OLD)
		return FAIL_SAY(note, ERR_REFUSED,
				"epoch %llu is in force already: sign the policy with a higher one",
				(unsigned long long)t->policy_doc.epoch);
	log_info("policy", "published epoch=%llu", (unsigned long long)t->policy_doc.epoch);
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

	int r = trust_compile(c->e->trust, c->request.text, engine_wall_ns(), &policy, c->arena, &findings,
			      &n, note);
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
	const struct policy_doc *doc = &c->e->trust->policy_doc;

	if (doc->epoch == 0)
		return FAIL_SAY(note, ERR_ABSENT, "no policy is in force: nothing is shared");
	call_done(c, &(struct control_answer){.text = doc->text, .n_changed = doc->epoch});
	return 0;
}

/* Split ORG or ORG/ROLE. */
static int parse_asker(struct call *c, const char **ret_org, const char **ret_role, struct err_note *note)
{
	const char *text = c->request.org, *slash = strchr(text, '/');

	*ret_org = slash ? arena_text(c->arena, (struct bytes){(const uint8_t *)text, (size_t)(slash - text)})
			 : text;
	*ret_role = slash ? slash + 1 : NULL;
	if (!*ret_org)
		return FAIL(-ENOMEM);
	if (!trust_org(c->e->trust, *ret_org))
		return FAIL_SAY(note, ERR_REFUSED, "%s is not a trusted organisation: see `holon org show`",
				*ret_org);
	return 0;
}

int control_policy_why(struct call *c, struct err_note *note)
{
	const struct control_request *r = &c->request;
	const struct trust *t = c->e->trust;
	struct policy_query q = {.now_ns = engine_wall_ns()};
	struct control_answer answer = {0};
	struct row row;

	TRY(parse_asker(c, &q.org, &q.role, note));
	if (!right_parse(r->right, &q.right))
		return FAIL_SAY(note, ERR_REFUSED, "%s is no right: discover, summary, read or history",
				r->right);
	if ((q.right == RIGHT_READ || q.right == RIGHT_HISTORY) && !r->property[0])
		return FAIL_SAY(note, ERR_REFUSED, "%s is about one property: name it with --prop", r->right);
	if (egress_full_row(&c->e->egress, r->twin, c->arena, &row) < 0)
		return FAIL_SAY(note, ERR_ABSENT, "%s: no such twin in this organisation", r->twin);
	const struct policy_twin twin = {
		.id = row.id, .type = row.type, .tags = (const char *const *)row.tags, .n_tags = row.n_tags};
	q.twin = &twin;
	q.property = r->property[0] && q.right != RIGHT_DISCOVER ? r->property : NULL;
	if (!t->policy)
		answer.text = "no policy is in force, nothing is shared";
	else
		answer.text = policy_why(t->policy, &q, c->arena, &answer.allowed);
	if (egress_is_own(&c->e->egress, q.org)) {
		answer.allowed = true;
		answer.text = "the own organisation's nodes see everything";
	}
	if (!answer.text)
		return FAIL(-ENOMEM);
	call_done(c, &answer);
	return 0;
}
