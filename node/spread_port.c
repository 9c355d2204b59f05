/* SPDX-License-Identifier: Apache-2.0 */
#include "node/spread_port.h"

#include "federation/mesh.h"
#include "node/ending.h"
#include "node/gossip.h"
#include "node/log.h"
#include "node/record.h"
#include "node/spread.h"
#include "proto/clock.h"

enum { CREDENTIAL_ARENA = CREDENTIAL_MAX * DECODE_BUDGET_FACTOR + DECODE_BUDGET_BASE };

/* ---- Bundles ---- */

static const char *next_org(void *ctx, const char *after)
{
	const struct trust *t = ((const struct engine *)ctx)->trust;
	size_t at = 0;

	if (!after)
		return t->self->org;
	while (at < t->n_partners && strcmp(t->partners[at]->org.manifest.org, after) != 0)
		at++;
	at = strcmp(after, t->self->org) == 0 ? 0 : at + 1;
	if (at < t->n_partners)
		return t->partners[at]->org.manifest.org;
	return endings_next_lacking(ctx, at == t->n_partners ? "" : after);
}

static bool held_bundle(void *ctx, const char *org, uint64_t *ret_digest, struct bytes *ret_bundle)
{
	const struct partner *p = trust_org(((const struct engine *)ctx)->trust, org);

	if (!p) {
		*ret_digest = SPREAD_LACKS;
		*ret_bundle = (struct bytes){0};
		return endings_lacks(ctx, org);
	}
	*ret_digest = p->digest;
	*ret_bundle = p->org.encoded;
	return true;
}

static int join_bundle(void *ctx, uint32_t session, const char *org, struct bytes bundle)
{
	struct engine *e = ctx;
	struct err_note note = {0};

	const int r = trust_join(e->trust, org, bundle, trust_now(e->trust), &note);
	if (r < 0) {
		record_refused(e->journal, AUDIT_TRUST, "bundle", r, &note);
		gossip_complain(e->gossip, session, "a bundle was not taken: %s",
				note.text[0] ? note.text : err_text(r));
	}
	if (r == 0)
		log_info("trust", "learnt of organisation=%s manifest=%u revocations=%llu", org,
			 trust_org(e->trust, org)->org.manifest.version,
			 (unsigned long long)trust_org(e->trust, org)->org.revocations.seq);
	return r == TRUST_OLD ? SPREAD_NOTHING : r;
}

static void on_changed(void *ctx)
{
	engine_trust_changed(ctx);
}

static void say_to(void *ctx, uint32_t session, const struct message *m)
{
	struct engine *e = ctx;

	ignore(gossip_say(e->gossip, session, m)); /* gone: it is told when it comes again */
}

static void alarm_about(void *ctx, uint32_t session, const char *text)
{
	struct engine *e = ctx;

	gossip_complain(e->gossip, session, "%s", text);
}

int spread_start(struct engine *e)
{
	const struct spread_port port = {.ctx = e,
					 .org_next = next_org,
					 .held = held_bundle,
					 .join = join_bundle,
					 .changed = on_changed,
					 .say = say_to,
					 .alarm = alarm_about};

	return spread_new(&e->spread, e->trust->self->org, &port);
}

/* ---- The credential in HELLO ---- */

static bool is_of(const struct credential *c, const struct session *s)
{
	return strcmp(c->org, s->org) == 0 && strcmp(c->node, s->node) == 0 &&
	       memcmp(c->curve.b, s->key.b, KEY_BYTES) == 0;
}

/* What a partner extended in an emergency, and its inner nodes, end at the border. */
static bool counts_here(const struct credential *c, const struct session *s)
{
	return s->own || ((c->roles & ROLE_BORDER) && !c->own_only);
}

/* What is held of it by now says so, whatever it showed. */
static bool is_known(const struct org *org, const struct session *s, int64_t now_ns)
{
	const struct credential *c = org_node_by_curve(org, &s->key);

	return c && is_of(c, s) && counts_here(c, s) &&
	       c->not_before_ns <= now_ns + NOT_BEFORE_LEEWAY_S * NS_PER_S && now_ns < c->not_after_ns &&
	       org_check_manifest_time(&org->manifest, now_ns, NULL) == 0;
}

static int judge(const struct org *org, const struct session *s, struct bytes shown, int64_t now_ns,
		 struct err_note *note)
{
	SCOPED(scope_arena) struct arena *a = NULL;
	struct credential c;

	TRY(arena_new(&a, CREDENTIAL_ARENA));
	TRY(org_read_credential(a, org, shown, &c, note));
	if (!is_of(&c, s))
		return FAIL_SAY(note, ERR_UNTRUSTED, "the credential of %s/%s is shown by %s/%s", c.org,
				c.node, s->org, s->node);
	if (is_known(org, s, now_ns))
		return 0;
	const int r = org_verify_credential(a, org, shown, now_ns, &c, note);
	if (r == 0)
		return counts_here(&c, s) ? 0 : MESH_NOT_YET;
	return r == ERR_UNTRUSTED && !org_shows_revoked(a, org, shown) ? MESH_NOT_YET : r;
}

int spread_verify_hello(void *ctx, uint32_t session, const struct hello *h)
{
	struct engine *e = ctx;
	const struct session *s = gossip_session(e->gossip, session);
	const struct partner *p = s ? trust_org(e->trust, s->org) : NULL;
	struct err_note note = {0};

	if (!p)
		return FAIL(ERR_UNTRUSTED);
	const int r = judge(&p->org, s, h->credential, trust_now(e->trust), &note);
	if (r < 0)
		record_refused_of(e->journal, s->org, s->node, "credential", r, &note);
	return r;
}
