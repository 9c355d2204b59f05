/* SPDX-License-Identifier: Apache-2.0 */
/* Credentials after their first day: renewed, extended, revoked. */
#include <sodium.h>

#include "proto/id.h"
#include "security/org_edit.h"
#include "security/org_persons.h"

bool is_due(int64_t not_before_ns, int64_t not_after_ns, int64_t now_ns)
{
	return now_ns < not_after_ns && now_ns >= not_before_ns + (not_after_ns - not_before_ns) / 2;
}

static int find_node(const struct org *org, const char *node, size_t *ret, struct err_note *note)
{
	for (size_t i = 0; i < org->n_nodes; i++)
		if (strcmp(org->nodes[i].node, node) == 0) {
			*ret = i;
			return 0;
		}
	return FAIL_SAY(note, ERR_ABSENT, "%s has no node %s", org->manifest.org, node);
}

/* The same node with the same keys, from now on. */
static int issue_again(struct org_edit *e, const struct sign_key *issuer, size_t at, int64_t until_ns,
		       bool own_only)
{
	struct credential c = e->org.nodes[at];

	randombytes_buf(c.serial.b, sizeof c.serial.b);
	c.not_before_ns = e->now_ns;
	c.not_after_ns = until_ns;
	c.own_only = own_only;
	return org_edit_set_node(e, issuer, at, &c);
}

static int renew_nodes(struct org_edit *e, size_t *ret, struct err_note *note)
{
	SCOPED(scope_sign_key) struct sign_key *issuer = NULL;

	TRY(org_today_issuer(e->arena, e->dir, &e->org, e->now_ns, &issuer, note));
	for (size_t i = 0; i < e->org.n_nodes; i++) {
		const struct credential *c = &e->org.nodes[i];
		if (!is_due(c->not_before_ns, c->not_after_ns, e->now_ns))
			continue;
		TRY(issue_again(e, issuer, i, e->now_ns + CREDENTIAL_LIFE_DAYS * DAY_NS, false));
		++*ret;
	}
	return 0;
}

int org_dir_renew(const char *dir, int64_t now_ns, struct renewed *ret, struct err_note *note)
{
	SCOPED(org_edit_end) struct org_edit e = {.dir = dir, .now_ns = now_ns, .lock = -1};
	struct renewed renewed = {0};

	TRY(org_edit_begin(&e, note));
	TRY(org_check_manifest_time(&e.org.manifest, now_ns, note));
	TRY(renew_nodes(&e, &renewed.nodes, note));
	const struct revocations *r = &e.org.revocations;
	renewed.revocations =
		r->seq > 0 && now_ns >= r->this_update_ns + (r->next_update_ns - r->this_update_ns) / 2;
	if (renewed.revocations)
		TRY(org_edit_revoke(&e, NULL, 0, note));
	if (renewed.nodes > 0 || renewed.revocations)
		TRY(org_edit_save(&e, note));
	TRY(persons_renew(&e, &renewed.persons, note));
	*ret = renewed;
	return 0;
}

int org_dir_extend_node(const char *dir, const char *node, int64_t for_ns, int64_t now_ns,
			struct err_note *note)
{
	SCOPED(org_edit_end) struct org_edit e = {.dir = dir, .now_ns = now_ns, .lock = -1};
	SCOPED(scope_sign_key) struct sign_key *issuer = NULL;
	size_t at;

	if (for_ns <= 0 || for_ns > EXTEND_MAX_DAYS * DAY_NS)
		return FAIL_SAY(note, ERR_REFUSED, "a node can be extended by %d days at most",
				EXTEND_MAX_DAYS);
	TRY(org_edit_begin(&e, note));
	TRY(find_node(&e.org, node, &at, note));
	if (e.org.nodes[at].not_after_ns > now_ns && !e.org.nodes[at].own_only)
		return FAIL_SAY(note, ERR_REFUSED,
				"the credential of %s has not expired: it is renewed, not extended", node);
	TRY(org_today_issuer(e.arena, dir, &e.org, now_ns, &issuer, note));
	TRY(issue_again(&e, issuer, at, now_ns + for_ns, true));
	return org_edit_save(&e, note);
}

static bool is_named(const struct credential *c, const struct signed_blob *blob, const void *ctx)
{
	(void)blob;
	return strcmp(c->node, ctx) == 0;
}

int org_dir_revoke_node(const char *dir, const char *node, const char *reason, int64_t now_ns,
			struct err_note *note)
{
	SCOPED(org_edit_end) struct org_edit e = {.dir = dir, .now_ns = now_ns, .lock = -1};
	const int64_t over_ns = now_ns + (CREDENTIAL_LIFE_DAYS * 86400 + NOT_BEFORE_LEEWAY_S) * NS_PER_S;
	struct revoked r[3];
	size_t at;

	if (strlen(reason) > REASON_MAX)
		return FAIL_SAY(note, ERR_REFUSED, "a reason can have %d bytes at most", REASON_MAX);
	TRY(org_edit_begin(&e, note));
	TRY(find_node(&e.org, node, &at, note));
	const struct credential *c = &e.org.nodes[at];
	const int64_t until_ns = c->not_after_ns > over_ns ? c->not_after_ns : over_ns;
	r[0] = (struct revoked){.kind = REVOKED_NODE,
				.node = node,
				.before_ns = now_ns + 1,
				.until_ns = until_ns,
				.reason = reason};
	r[1] = r[2] =
		(struct revoked){.kind = REVOKED_KEY, .node = "", .until_ns = TIME_MAX, .reason = reason};
	memcpy(r[1].key, c->curve.b, KEY_BYTES);
	memcpy(r[2].key, c->sign.b, KEY_BYTES);
	org_edit_drop_nodes(&e, is_named, node);
	TRY(org_edit_revoke(&e, r, 3, note));
	return org_edit_save(&e, note);
}
