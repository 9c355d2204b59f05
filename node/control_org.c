/* SPDX-License-Identifier: Apache-2.0 */
#include <string.h>

#include "node/control.h"
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

	org_fingerprint(p->org.manifest.org, &p->org.manifest.root, fingerprint);
	if (p != &t->own)
		org_words(&t->own.org, &p->org, words);
	*ret = (struct org_info){.name = p->org.manifest.org,
				 .own = p == &t->own,
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

int control_org_trust(struct call *c, struct err_note *note)
{
	struct control_answer answer = {.n_orgs = 1};
	const struct org *org;
	struct org_info info;

	TRY(trust_accept(c->e->trust, c->request.blob, c->request.text, trust_now(c->e->trust), &org, note));
	log_info("trust", "accepted organisation=%s manifest=%u nodes=%zu", org->manifest.org,
		 org->manifest.version, org->n_nodes);
	engine_trust_changed(c->e);
	TRY(describe(c, trust_org(c->e->trust, org->manifest.org), &info));
	answer.orgs = &info;
	call_done(c, &answer);
	return 0;
}
