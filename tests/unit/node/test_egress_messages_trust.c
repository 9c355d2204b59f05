/* SPDX-License-Identifier: Apache-2.0 */
/* What leaves of trust: policies, agreements and what is newest stay inside; a partner is told of itself, and
 * gets our own bundle and nobody else's. See test_egress_messages.c. */
#include <criterion/criterion.h>
#include <criterion/new/assert.h>

#include "node/gossip.h"
#include "node/inside.h"
#include "node/log.h"
#include "node/spread.h"
#include "proto/clock.h"
#include "security/org_merge.h"
#include "tests/lib/must.h"
#include "tests/unit/node/wire.h"

static struct spread *spread;

/* ---- Three organisations' bundles ---- */

static const char *const orgs[] = {"acme", "harbor", "volt"};
static const char *const bundles[] = {"bundle of acme", "bundle of harbor", "bundle of volt"};

static const char *org_next(void *ctx, const char *after)
{
	size_t at = 0;

	(void)ctx;
	while (after && at < 3 && strcmp(orgs[at], after) != 0)
		at++;
	at += after != NULL;
	return at < 3 ? orgs[at] : NULL;
}

static bool held(void *ctx, const char *org, uint64_t *ret_digest, struct bytes *ret_bundle)
{
	(void)ctx;
	for (size_t i = 0; i < 3; i++)
		if (strcmp(orgs[i], org) == 0) {
			*ret_bundle = bytes_of_text(bundles[i]);
			*ret_digest = org_digest(*ret_bundle);
			return true;
		}
	return false;
}

static void say(void *ctx, uint32_t session, const struct message *m)
{
	SCOPED(buf_fini) struct buf frame = {0};
	struct message numbered = *m;

	(void)ctx;
	numbered.nonce = numbered.frame = 1;
	message_encode(&numbered, &frame);
	must(buf_check(&frame) == 0);
	wire_take(session, buf_bytes(&frame));
}

static void set_up(void)
{
	const struct spread_port port = {.org_next = org_next, .held = held, .say = say};

	log_set_level(LOG_LEVEL_WARNING);
	wire_set_up();
	wire_features = FEATURE_REACH;
	wire_join(WIRE_VOLT);
	wire_join(WIRE_HARBOR);
	wire_join(WIRE_OWN);
	must(spread_new(&spread, "acme", &port) == 0);
}

static void tear_down(void)
{
	spread_free(spread);
	wire_tear_down();
}

TestSuite(leaves, .init = set_up, .fini = tear_down, .timeout = 60);

static void open_session(uint32_t session, const char *org)
{
	spread_on_greeted(spread, session, org, 1);
	spread_on_opened(spread, session, 1);
}

static void open_sessions(void)
{
	open_session(WIRE_VOLT, "volt");
	open_session(WIRE_HARBOR, "harbor");
	open_session(WIRE_OWN, "acme");
	open_session(WIRE_OWN_AGAIN, "acme");
}

/* ---- Who gets it ---- */

/* Both own sessions get it, and nobody else. */
static void expect_inside_only(enum message_kind kind)
{
	cr_expect(wire_last(WIRE_OWN, kind) && wire_last(WIRE_OWN_AGAIN, kind));
	for (size_t i = 0; i < wire_n_sent; i++)
		cr_expect(wire_sent[i].kind != kind || wire_is_own(&wire_sent[i]));
}

/* Own nodes get it about every organisation, a partner about one: `ours` or itself. */
static void expect_clean(enum message_kind kind, bool ours)
{
	size_t n_own = 0, n_partners = 0;

	for (size_t i = 0; i < wire_n_sent; i++) {
		const struct sent *s = &wire_sent[i];
		const char *org = kind == MESSAGE_TRUST ? s->message.trust.org : s->message.standing.org;
		if (s->kind != kind)
			continue;
		n_own += wire_is_own(s) && strcmp(org, "harbor") == 0;
		n_partners += !wire_is_own(s);
		if (!wire_is_own(s))
			cr_expect_str_eq(org, ours ? "acme" : s->session == WIRE_VOLT ? "volt" : "harbor");
	}
	cr_expect(n_own > 0 && n_partners > 0);
}

/* Which partners a border reaches. */
Test(leaves, reach_never_to_a_partner)
{
	const char *reached[] = {"volt"};
	const struct message m = {.kind = MESSAGE_REACH, .reach = {reached, 1}};

	wire_join(WIRE_VOLT_AGAIN);
	wire_join(WIRE_OWN_AGAIN);
	gossip_tell(world.gossip, &m, 0);
	expect_inside_only(MESSAGE_REACH);
}

Test(leaves, policy_never_to_a_partner)
{
	SCOPED(buf_fini) struct buf payload = {0}, blob = {0};
	const struct policy_doc doc = {
		.org = "acme", .epoch = 9, .issued_ns = 1, .format = POLICY_FORMAT, .text = "zq-name"};
	struct signed_blob signed_doc;

	policy_doc_encode(&doc, &payload);
	sign_blob(world.trust->sign, SIGN_POLICY, buf_bytes(&payload), &signed_doc);
	signed_blob_encode(&signed_doc, &blob);
	world.trust->policy_doc = doc;
	world.trust->policy_blob = buf_bytes(&blob);
	gossip_policy(world.gossip);
	wire_join(WIRE_OWN_AGAIN);
	wire_join(WIRE_VOLT_AGAIN);
	expect_inside_only(MESSAGE_POLICY);
}

static struct signed_blob policy_of(uint64_t epoch, struct buf *payload, struct buf *blob)
{
	const struct policy_doc doc = {.org = "acme",
				       .epoch = epoch,
				       .issued_ns = 1,
				       .format = POLICY_FORMAT,
				       .text = "policy acme\n"};
	struct signed_blob signed_doc;

	policy_doc_encode(&doc, payload);
	sign_blob(world.trust->sign, SIGN_POLICY, buf_bytes(payload), &signed_doc);
	signed_blob_encode(&signed_doc, blob);
	return signed_doc;
}

static size_t n_policies(void)
{
	size_t n = 0;

	for (size_t i = 0; i < wire_n_sent; i++)
		n += wire_sent[i].kind == MESSAGE_POLICY;
	return n;
}

Test(leaves, policy_is_the_answer_to_an_older_one)
{
	SCOPED(buf_fini) struct buf old = {0}, old_blob = {0};
	SCOPED(buf_fini) struct buf now = {0}, now_blob = {0};
	struct public_key key = sign_key_public(world.trust->sign);
	struct message older = {.kind = MESSAGE_POLICY}, same = {.kind = MESSAGE_POLICY};

	older.policy = policy_of(8, &old, &old_blob);
	same.policy = policy_of(9, &now, &now_blob);
	world.trust->own.org.manifest.policy_keys = &key;
	world.trust->own.org.manifest.n_policy_keys = 1;
	world.trust->policy_doc.epoch = 9;
	world.trust->policy_doc.issued_ns = 1;
	world.trust->policy_blob = buf_bytes(&now_blob);
	const size_t before = n_policies();
	wire_hear(WIRE_OWN, &same);
	cr_expect(eq(sz, n_policies(), before));
	wire_hear(WIRE_OWN, &older);
	cr_expect(eq(sz, n_policies(), before + 1));
}

Test(leaves, freshness_never_to_a_partner)
{
	struct credential admin = *world.trust->self;

	admin.sign = sign_key_public(world.trust->sign);
	admin.roles |= ROLE_ADMIN;
	admin.not_after_ns = TIME_MAX;
	world.trust->self = world.trust->own.org.nodes = &admin;
	world.trust->own.org.n_nodes = 1;
	inside_tick(&world);
	wire_join(WIRE_OWN_AGAIN);
	wire_join(WIRE_VOLT_AGAIN);
	expect_inside_only(MESSAGE_FRESHNESS);
}

Test(leaves, agreement_never_to_a_partner)
{
	struct err_note note = {0};
	const struct public_key root = {{7}};

	must(inside_speak(&world, "volt", &root, false, &note) == 0);
	wire_join(WIRE_OWN_AGAIN);
	wire_join(WIRE_VOLT_AGAIN);
	expect_inside_only(MESSAGE_AGREEMENT);
}

Test(leaves, standing_tells_a_partner_of_itself)
{
	open_sessions();
	expect_clean(MESSAGE_STANDING, false);
}

/* Whatever a partner says that it holds. */
Test(leaves, trust_is_our_own_bundle_to_a_partner)
{
	open_sessions();
	for (size_t i = 0; i < 3; i++) {
		const struct trust_standing other = {.org = orgs[i], .digest = 5};
		for (uint32_t session = WIRE_VOLT; session <= WIRE_HARBOR; session++)
			spread_on_standing(spread, session, &other, 2);
	}
	expect_clean(MESSAGE_TRUST, true);
}
