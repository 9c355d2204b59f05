/* SPDX-License-Identifier: Apache-2.0 */
#include <string.h>

#include "node/agreement.h"
#include "node/control.h"
#include "node/ending.h"
#include "node/inside.h"
#include "node/log.h"

static int list_nodes(struct call *c, const struct org *org, struct org_info *info)
{
	info->nodes = arena_take_array(c->arena, org->n_nodes + 1, sizeof *info->nodes);
	if (!info->nodes)
		return FAIL(-ENOMEM);
	for (size_t i = 0; i < org->n_nodes; i++) {
		const struct credential *n = &org->nodes[i];
		const char *roles = roles_text(c->arena, n->roles);
		const char *endpoint = n->border_endpoint[0] ? n->border_endpoint : n->endpoint;
		const char *line = roles ? arena_print(c->arena, "%s %s %s", n->node, roles,
						       endpoint[0] ? endpoint : "-")
					 : NULL;
		if (!line)
			return FAIL(-ENOMEM);
		info->nodes[info->n_nodes++] = line;
	}
	return 0;
}

static int describe(struct call *c, const struct partner *p, struct org_info *ret)
{
	const struct trust *t = c->e->trust;
	char fingerprint[FINGERPRINT_SIZE], words[WORDS_SIZE] = "";
	const char *org = p->org.manifest.org;
	struct public_key root;

	org_fingerprint(p->org.manifest.org, &p->org.manifest.root, fingerprint);
	if (p != &t->own)
		org_words(&t->own.org, &p->org, words);
	*ret = (struct org_info){.name = p->org.manifest.org,
				 .own = p == &t->own,
				 .trusted_by = p == &t->own                    ? ""
					       : agreement_root(t, org, &root) ? "organisation"
									       : "node",
				 .fingerprint = arena_copy(c->arena, fingerprint),
				 .words = arena_copy(c->arena, words),
				 .manifest_version = p->org.manifest.version,
				 .policy_epoch = p == &t->own ? t->policy_doc.epoch : p->epoch_seen,
				 .valid_until_ns = p->org.manifest.valid_until_ns};
	if (!ret->fingerprint || !ret->words)
		return FAIL(-ENOMEM);
	return list_nodes(c, &p->org, ret);
}

int control_org_show(struct call *c, struct err_note *note)
{
	const struct trust *t = c->e->trust;
	struct control_answer answer = {.n_orgs = t->n_partners + 1};

	(void)note;
	answer.orgs = arena_take_array(c->arena, answer.n_orgs, sizeof *answer.orgs);
	if (!answer.orgs)
		return FAIL(-ENOMEM);
	TRY(describe(c, &t->own, &answer.orgs[0]));
	for (size_t i = 0; i < t->n_partners; i++)
		TRY(describe(c, t->partners[i], &answer.orgs[i + 1]));
	call_done(c, &answer);
	return 0;
}

static bool is_admin(const struct engine *e)
{
	return e->trust->self->roles & ROLE_ADMIN;
}

/* A node with the role admin speaks for its organisation, unless that was said already; any other one only
 * for itself. */
static int agree(struct engine *e, const struct partner *p, struct err_note *note)
{
	const struct manifest *m = &p->org.manifest;
	struct public_key root;

	if (p == &e->trust->own)
		return 0;
	if (is_admin(e) &&
	    !(agreement_root(e->trust, m->org, &root) && memcmp(root.b, m->root.b, KEY_BYTES) == 0))
		TRY(inside_speak(e, m->org, &m->root, false, note));
	return endings_undo(e, m->org);
}

int control_org_trust(struct call *c, struct err_note *note)
{
	struct control_answer answer = {.n_orgs = 1};
	const struct org *org;
	struct org_info info;

	TRY(trust_accept(c->e->trust, c->request.blob, c->request.text, trust_now(c->e->trust), &org, note));
	log_info("trust", "accepted organisation=%s manifest=%u nodes=%zu", org->manifest.org,
		 org->manifest.version, org->n_nodes);
	TRY(agree(c->e, trust_org(c->e->trust, org->manifest.org), note));
	engine_trust_changed(c->e);
	TRY(describe(c, trust_org(c->e->trust, org->manifest.org), &info));
	answer.orgs = &info;
	call_done(c, &answer);
	return 0;
}

static void on_ended(void *ctx, int code)
{
	struct call *c = ctx;

	if (code < 0)
		call_fail(c, code,
			  &(struct err_note){
				  "trust has ended; what was held of it cannot be removed yet and is "
				  "tried again: see `holon status`"});
	else
		call_done(c, &(struct control_answer){.text = "trust has ended, and nothing is held of it"});
}

/* Who may end it: what the organisation agreed on, a node with the role admin; what this node trusts by
 * itself, this node. */
static int check_end(const struct engine *e, const char *org, struct public_key *ret_root,
		     struct err_note *note)
{
	const struct trust *t = e->trust;
	const struct partner *p = trust_org(t, org);
	const bool agreed = agreement_root(t, org, ret_root);

	if (p == &t->own)
		return FAIL_SAY(note, ERR_REFUSED, "%s is the own organisation", org);
	if (!p && !agreed)
		return FAIL_SAY(note, ERR_REFUSED, "%s is not trusted: see `holon org show`", org);
	if (agreed && !is_admin(e))
		return FAIL_SAY(note, ERR_REFUSED,
				"all of %s trusts %s: end it at a node with the role admin",
				t->own.org.manifest.org, org);
	if (p)
		*ret_root = p->org.manifest.root;
	return 0;
}

int control_org_end(struct call *c, struct err_note *note)
{
	struct engine *e = c->e;
	const char *org = c->request.org;
	struct public_key root;

	TRY(check_end(e, org, &root, note));
	if (is_admin(e))
		TRY(inside_speak(e, org, &root, true, note));
	return endings_begin(e, org, on_ended, c);
}
