/* SPDX-License-Identifier: Apache-2.0 */
/* Nodes of two organisations whose bundles are sets of items, and joining their union: everything said goes
 * through queues that keep the order of each session. */
#include <criterion/criterion.h>
#include <criterion/new/assert.h>
#include <stdio.h>

#include "node/spread.h"
#include "proto/clock.h"
#include "security/org_merge.h"
#include "tests/lib/must.h"

enum { ORGS = 3, NODES_MOST = 12, SESSIONS_MOST = 256, ITEMS = 6, ITEM_BYTES = 30000 };

static const char *const orgs[ORGS] = {"acme", "bolt", "volt"};

struct toy {
	int id;
	struct spread *spread;
	unsigned org;
	uint8_t items[ORGS]; /* 0: not trusted */
	uint8_t refuses;     /* bundles with these items */
	unsigned alarms, joins;
};

struct queued {
	struct queued *next;
	uint32_t to;
	struct message message;
	uint8_t *piece;
	char org[ORG_NAME_MAX + 1];
};

static struct toy nodes[NODES_MOST];
static int end_of[SESSIONS_MOST]; /* the node that a session belongs to; its peer's is session ^ 1 */
static uint32_t n_sessions;
static struct queued *queue, **queue_end;
static size_t n_standings, n_pieces, n_bundles;
static int64_t now_ns;
static uint64_t state;
static bool deaf[SESSIONS_MOST]; /* what is said to it gets lost */

static uint32_t below(uint32_t n)
{
	state = state * UINT64_C(6364136223846793005) + UINT64_C(1442695040888963407);
	return (uint32_t)(state >> 33) % n;
}

static int place(const char *org)
{
	for (int i = 0; i < ORGS; i++)
		if (strcmp(orgs[i], org) == 0)
			return i;
	return -1;
}

/* ---- the port of a node ---- */

static const char *org_next(void *ctx, const char *after)
{
	const struct toy *t = ctx;
	int at = after ? place(after) : -1;

	if (!after)
		return orgs[t->org];
	at = at == (int)t->org ? 0 : at + 1;
	while (at < ORGS && (at == (int)t->org || t->items[at] == 0))
		at++;
	return at < ORGS ? orgs[at] : NULL;
}

/* A bundle of these items; each is made once, for there is much asking. */
static struct bytes bundle_of(uint8_t items, uint64_t *ret_digest)
{
	static uint8_t bytes[1 << ITEMS][ITEMS * ITEM_BYTES];
	static uint64_t digests[1 << ITEMS];
	size_t len = 0;

	for (int i = 0; i < ITEMS; i++)
		if (items >> i & 1) {
			if (digests[items] == 0)
				memset(bytes[items] + len, 'a' + i, ITEM_BYTES);
			len += ITEM_BYTES;
		}
	const struct bytes bundle = {bytes[items], len};
	if (digests[items] == 0)
		digests[items] = org_digest(bundle);
	*ret_digest = digests[items];
	return bundle;
}

static bool held(void *ctx, const char *org, uint64_t *ret_digest, struct bytes *ret_bundle)
{
	const struct toy *t = ctx;
	const int at = place(org);

	if (at < 0 || t->items[at] == 0)
		return false;
	*ret_bundle = bundle_of(t->items[at], ret_digest);
	return true;
}

static int join_toy(void *ctx, uint32_t session, const char *org, struct bytes bundle)
{
	struct toy *t = ctx;
	const int at = place(org);
	uint8_t items = 0;

	(void)session;
	must(at >= 0 && t->items[at] != 0);
	t->joins++;
	for (size_t i = 0; i < bundle.len; i += ITEM_BYTES)
		items |= (uint8_t)(1 << (bundle.data[i] - 'a'));
	if (items & t->refuses)
		return ERR_UNTRUSTED;
	const bool news = items & ~t->items[at];
	t->items[at] |= items;
	return news ? 0 : SPREAD_NOTHING;
}

static void changed(void *ctx)
{
	const struct toy *t = ctx;

	spread_changed(t->spread, now_ns);
}

static void say(void *ctx, uint32_t session, const struct message *m)
{
	const struct toy *t = ctx;
	struct queued *q = calloc(1, sizeof *q);

	must(q && end_of[session] == t->id);
	n_standings += m->kind == MESSAGE_STANDING;
	n_pieces += m->kind == MESSAGE_TRUST;
	n_bundles += m->kind == MESSAGE_TRUST && m->trust.offset == 0;
	*q = (struct queued){.to = session ^ 1, .message = *m};
	snprintf(q->org, sizeof q->org, "%s", m->kind == MESSAGE_TRUST ? m->trust.org : m->standing.org);
	if (m->kind == MESSAGE_TRUST) {
		cr_assert(le(sz, m->trust.piece.len, FRAME_FILL));
		must((q->piece = malloc(m->trust.piece.len)));
		memcpy(q->piece, m->trust.piece.data, m->trust.piece.len);
		q->message.trust.piece.data = q->piece;
		q->message.trust.org = q->org;
	} else {
		q->message.standing.org = q->org;
	}
	*queue_end = q;
	queue_end = &q->next;
}

static void alarm_about(void *ctx, uint32_t session, const char *text)
{
	struct toy *t = ctx;

	(void)session, (void)text;
	t->alarms++;
}

/* ---- the world ---- */

static struct toy *add_node(unsigned id, unsigned org, uint8_t items)
{
	struct toy *t = &nodes[id];

	*t = (struct toy){.id = (int)id, .org = org};
	t->items[org] = items;
	const struct spread_port port = {t, org_next, held, join_toy, changed, say, alarm_about};
	must(spread_new(&t->spread, orgs[org], &port) == 0);
	return t;
}

static void begin(void)
{
	queue_end = &queue;
	now_ns = NS_PER_S;
	state = 1;
	n_sessions = 2;
}

static void end(void)
{
	for (int i = 0; i < NODES_MOST; i++) {
		spread_free(nodes[i].spread);
		nodes[i] = (struct toy){0};
	}
	while (queue) {
		struct queued *q = queue;
		queue = q->next;
		free(q->piece);
		free(q);
	}
	queue_end = &queue;
	n_sessions = 2;
	n_standings = n_pieces = n_bundles = 0;
	memset(deaf, 0, sizeof deaf);
}

TestSuite(spread, .init = begin, .fini = end);

static struct toy *at_session(uint32_t session)
{
	return &nodes[end_of[session]];
}

/* Two nodes meet; the lower session is the first's. */
static uint32_t greet(const struct toy *a, const struct toy *b)
{
	const uint32_t session = n_sessions;

	must(session + 1 < SESSIONS_MOST);
	n_sessions += 2;
	end_of[session] = a->id;
	end_of[session ^ 1] = b->id;
	spread_on_greeted(a->spread, session, orgs[b->org], now_ns);
	spread_on_greeted(b->spread, session ^ 1, orgs[a->org], now_ns);
	return session;
}

static uint32_t meet(const struct toy *a, const struct toy *b)
{
	const uint32_t session = greet(a, b);

	spread_on_opened(a->spread, session, now_ns);
	spread_on_opened(b->spread, session ^ 1, now_ns);
	return session;
}

/* Deliver what was said, in any order that keeps each session's, until nobody says anything any more. */
static void settle(void)
{
	for (size_t n = 0; queue; n++) {
		struct queued **at = &queue, *q, *earlier = queue;
		for (uint32_t skip = below(4); skip > 0 && (*at)->next; skip--)
			at = &(*at)->next;
		while (earlier != *at && earlier->to != (*at)->to)
			earlier = earlier->next;
		for (at = &queue; *at != earlier;)
			at = &(*at)->next;
		q = *at;
		*at = q->next;
		if (queue_end == &q->next)
			queue_end = at;
		const struct toy *t = at_session(q->to);
		if (deaf[q->to])
			;
		else if (q->message.kind == MESSAGE_STANDING)
			spread_on_standing(t->spread, q->to, &q->message.standing, now_ns);
		else
			spread_on_piece(t->spread, q->to, &q->message.trust, now_ns);
		free(q->piece);
		free(q);
		cr_assert(n < 20000, "this does not end");
	}
}

static void pass(int64_t ns, unsigned n_nodes)
{
	now_ns += ns;
	for (unsigned i = 0; i < n_nodes; i++)
		spread_tick(nodes[i].spread, now_ns);
	settle();
}

static void expect_silence(unsigned n_nodes)
{
	const size_t said = n_standings + n_pieces;

	for (int i = 0; i < 100; i++)
		pass(NS_PER_S, n_nodes);
	cr_expect(eq(sz, n_standings + n_pieces, said), "where all agree nothing is said");
}

/* ---- inside the organisation ---- */

Test(spread, what_two_nodes_hold_becomes_one)
{
	struct toy *a = add_node(0, 0, 1 | 2), *b = add_node(1, 0, 2 | 4);

	meet(a, b);
	settle();
	cr_expect(eq(int, a->items[0], 7));
	cr_expect(eq(int, b->items[0], 7));
	cr_expect(le(sz, n_bundles, 2));
	expect_silence(2);
	cr_expect(eq(int, a->alarms + b->alarms, 0));
}

Test(spread, who_holds_the_same_sends_no_bundle)
{
	struct toy *a = add_node(0, 0, 3), *b = add_node(1, 0, 3);

	meet(a, b);
	settle();
	cr_expect(eq(sz, n_bundles, 0));
	cr_expect(eq(sz, n_standings, 2));
	expect_silence(2);
}

Test(spread, a_change_crosses_a_session_once)
{
	struct toy *a = add_node(0, 0, 1), *b = add_node(1, 0, 1);

	meet(a, b);
	settle();
	a->items[0] |= 2;
	spread_changed(a->spread, now_ns);
	settle();
	cr_expect(eq(int, b->items[0], 3));
	cr_expect(eq(sz, n_bundles, 1), "only the one who lacks something is sent something");
	expect_silence(2);
}

/* In any connected graph everybody ends with everything, then there is silence; while it goes on nodes learn
 * more. */
Test(spread, it_ends_in_every_graph_with_everybody_holding_the_same)
{
	for (int round = 0; round < 200; round++) {
		const unsigned n = 2 + below(NODES_MOST - 1);
		uint8_t all = 0;

		for (unsigned i = 0; i < n; i++) {
			add_node(i, 0, (uint8_t)(1 + below((1 << ITEMS) - 1)));
			all |= nodes[i].items[0];
			if (i > 0)
				meet(&nodes[i], &nodes[below(i)]);
		}
		for (unsigned extra = below(n); extra > 0; extra--) {
			const unsigned i = below(n), j = below(n);
			if (i != j)
				meet(&nodes[i], &nodes[j]);
		}
		settle();
		struct toy *lucky = &nodes[below(n)];
		const uint8_t item = (uint8_t)(1 << below(ITEMS));
		lucky->items[0] |= item;
		all |= item;
		spread_changed(lucky->spread, now_ns);
		settle();
		for (int i = 0; i < 5; i++)
			pass(NS_PER_S, n);
		for (unsigned i = 0; i < n; i++) {
			cr_assert(eq(int, nodes[i].items[0], all), "round %d node %u of %u", round, i, n);
			cr_assert(eq(int, nodes[i].alarms, 0));
		}
		expect_silence(n);
		end();
	}
}

Test(spread, partners_go_only_to_who_trusts_them)
{
	struct toy *a = add_node(0, 0, 1), *b = add_node(1, 0, 1), *c = add_node(2, 0, 1);

	a->items[1] = 1 | 2;
	b->items[1] = 1;
	meet(a, b);
	meet(b, c);
	settle();
	cr_expect(eq(int, b->items[1], 3));
	cr_expect(eq(int, c->items[1], 0));
	c->items[1] = 4; /* an admin gave it the trust */
	spread_changed(c->spread, now_ns);
	settle();
	cr_expect(eq(int, a->items[1], 7));
	cr_expect(eq(int, c->items[1], 7));
	expect_silence(3);
}

Test(spread, who_is_not_believed_hears_of_the_own_organisation_only)
{
	struct toy *a = add_node(0, 0, 1 | 2), *b = add_node(1, 0, 1);

	a->items[1] = 3;
	b->items[1] = 1;
	const uint32_t session = greet(a, b);
	settle();
	cr_expect(eq(int, b->items[0], 3));
	cr_expect(eq(int, b->items[1], 1));
	spread_on_standing(a->spread, session, &(struct trust_standing){"bolt", 5}, now_ns);
	spread_on_opened(a->spread, session, now_ns);
	spread_on_opened(b->spread, session ^ 1, now_ns);
	settle();
	cr_expect(eq(int, b->items[1], 3));
}

/* ---- across a border ---- */

Test(spread, across_a_border_each_side_learns_of_the_other_and_of_nobody_else)
{
	struct toy *a = add_node(0, 0, 1 | 2), *b = add_node(1, 1, 4 | 8);

	a->items[1] = 4 | 16; /* something of bolt that bolt's node lacks */
	b->items[0] = 1;
	a->items[2] = 3;
	b->items[2] = 1;
	meet(a, b);
	settle();
	cr_expect(eq(int, a->items[1], 4 | 8 | 16));
	cr_expect(eq(int, b->items[0], 3));
	cr_expect(eq(int, b->items[1], 4 | 8), "what a partner says of us is not taken");
	cr_expect(eq(int, b->items[2], 1), "nor what it says of others");
}

Test(spread, a_change_goes_to_partners_unasked)
{
	struct toy *a = add_node(0, 0, 1), *a2 = add_node(1, 0, 1), *b = add_node(2, 1, 1);

	a->items[1] = a2->items[1] = b->items[0] = 1;
	meet(a, a2);
	meet(a, b);
	settle();
	cr_expect(eq(sz, n_bundles, 0));
	b->items[1] |= 2;
	spread_changed(b->spread, now_ns);
	settle();
	cr_expect(eq(int, a->items[1], 3));
	cr_expect(eq(int, a2->items[1], 3), "and on, inside");
	cr_expect(eq(sz, n_bundles, 2));
	expect_silence(3);
}

/* ---- peers that do not do their part ---- */

Test(spread, a_peer_that_does_not_come_to_agree_is_tried_three_times_then_there_is_a_pause)
{
	struct toy *a = add_node(0, 0, 1 | 2), *b = add_node(1, 0, 1);

	b->refuses = 2;
	meet(a, b);
	settle();
	for (int i = 0; i < 59; i++)
		pass(NS_PER_S, 2);
	cr_expect(le(sz, n_bundles, 2 * SPREAD_TRIES));
	cr_expect(le(int, b->joins, SPREAD_TRIES));
	cr_expect(gt(int, a->alarms + b->alarms, 0));
	cr_expect(le(int, a->alarms + b->alarms, 4));
	b->refuses = 0; /* it learns better */
	for (int i = 0; i < 120; i++)
		pass(NS_PER_S, 2);
	cr_expect(eq(int, b->items[0], 3));
}

Test(spread, what_gets_lost_is_said_again)
{
	struct toy *a = add_node(0, 0, 1), *b = add_node(1, 0, 1);
	const uint32_t session = meet(a, b);

	settle();
	b->items[0] |= 2;
	spread_changed(b->spread, now_ns);
	deaf[session ^ 1] = true; /* b hears nothing of what a asks for */
	settle();
	cr_expect(eq(int, a->items[0], 1));
	deaf[session ^ 1] = false;
	for (int i = 0; i < 10; i++)
		pass(NS_PER_S, 2);
	cr_expect(eq(int, a->items[0], 3));
}

static struct trust_piece piece(uint32_t total, uint32_t offset, size_t len)
{
	static const uint8_t junk[FRAME_FILL + 1];

	return (struct trust_piece){
		.org = "acme", .digest = 9, .total = total, .offset = offset, .piece = {junk, len}};
}

static size_t waits_after(uint32_t session, struct trust_piece p)
{
	spread_on_piece(nodes[0].spread, session, &p, now_ns);
	return spread_waiting(nodes[0].spread, session);
}

Test(spread, pieces_that_do_not_follow_each_other_are_dropped)
{
	const uint32_t session = meet(add_node(0, 0, 1), add_node(1, 0, 1));
	struct trust_piece other = piece(3 * FRAME_FILL, FRAME_FILL, 10);

	settle();
	cr_expect(eq(sz, waits_after(session, piece(3 * FRAME_FILL, 0, FRAME_FILL)), FRAME_FILL));
	cr_expect(eq(sz, waits_after(session, piece(3 * FRAME_FILL, FRAME_FILL, 10)), FRAME_FILL + 10));
	cr_expect(eq(sz, waits_after(session, piece(3 * FRAME_FILL, FRAME_FILL, 10)), 0), "a gap");
	cr_expect(eq(sz, waits_after(session, piece(3 * FRAME_FILL, 20, 10)), 0), "no beginning");
	cr_expect(eq(sz, waits_after(session, piece(20, 0, 10)), 10));
	cr_expect(eq(sz, waits_after(session, piece(20, 10, 11)), 0), "more than was announced");
	cr_expect(eq(sz, waits_after(session, piece(1 << 30, 0, 10)), 0), "more than a bundle has");
	cr_expect(eq(sz, waits_after(session, piece(1 << 20, 0, FRAME_FILL + 1)), 0), "a piece too long");
	cr_expect(eq(sz, waits_after(session, piece(20, 0, 0)), 0), "an empty one");
	cr_expect(eq(sz, waits_after(session, piece(3 * FRAME_FILL, 0, FRAME_FILL)), FRAME_FILL));
	other.digest = 8;
	cr_expect(eq(sz, waits_after(session, other), 0), "of another bundle");
	other.org = "bolt";
	cr_expect(eq(sz, waits_after(session, other), 0), "of a stranger");
	cr_expect(eq(int, nodes[0].joins, 0));
}

Test(spread, a_session_holds_no_more_than_one_bundle)
{
	const uint32_t session = meet(add_node(0, 0, 1), add_node(1, 0, 1));
	size_t most = 0;

	nodes[0].items[1] = 1;
	settle();
	for (uint32_t i = 0; i < 200; i++) {
		struct trust_piece p = piece(FRAME_OWN_MAX, (i % 26) * FRAME_FILL, FRAME_FILL);
		p.org = i / 26 % 2 ? "bolt" : "acme";
		const size_t n = waits_after(session, p);
		most = n > most ? n : most;
	}
	cr_expect(le(sz, most, FRAME_OWN_MAX));
	cr_expect(gt(sz, most, FRAME_OWN_MAX / 2));
}

Test(spread, bundles_that_change_nothing_are_soon_not_looked_at)
{
	struct toy *a = add_node(0, 0, 3), *b = add_node(1, 0, 3);
	const uint32_t session = meet(a, b);

	settle();
	b->items[0] = 1;
	for (int i = 0; i < 100; i++) {
		struct trust_piece p = {.org = "acme", .total = ITEM_BYTES};
		must(held(b, "acme", &p.digest, &p.piece));
		spread_on_piece(a->spread, session, &p, now_ns);
	}
	cr_expect(eq(int, a->joins, SPREAD_TRIES_ALL));
	cr_expect(gt(int, a->alarms, 0));
	cr_expect(le(int, a->alarms, 2));
}

Test(spread, greeting_anew_is_no_way_round_that)
{
	struct toy *a = add_node(0, 0, 3), *b = add_node(1, 0, 3);
	const uint32_t session = meet(a, b);

	settle();
	b->items[0] = 1;
	for (int i = 0; i < 100; i++) {
		struct trust_piece p = {.org = "acme", .total = ITEM_BYTES};
		must(held(b, "acme", &p.digest, &p.piece));
		spread_on_greeted(a->spread, session, "acme", now_ns);
		spread_on_piece(a->spread, session, &p, now_ns);
		spread_on_standing(a->spread, session, &(struct trust_standing){"acme", SPREAD_LACKS},
				   now_ns);
	}
	cr_expect(eq(int, a->joins, SPREAD_TRIES_ALL));
	cr_expect(le(sz, n_bundles, 2 * SPREAD_TRIES_ALL));
	cr_expect(le(int, a->alarms, 4));
}

Test(spread, who_says_something_else_each_time_gets_no_more_than_so_many_bundles)
{
	struct toy *a = add_node(0, 0, 3), *b = add_node(1, 0, 3);
	const uint32_t session = meet(a, b);

	settle();
	for (uint64_t i = 0; i < 100; i++)
		spread_on_standing(a->spread, session, &(struct trust_standing){"acme", 1000 + i}, now_ns);
	cr_expect(le(sz, n_bundles, SPREAD_TRIES_ALL));
	cr_expect(gt(int, a->alarms, 0));
}

Test(spread, a_session_that_is_gone_says_nothing)
{
	struct toy *a = add_node(0, 0, 1), *b = add_node(1, 0, 1);
	const uint32_t session = meet(a, b);

	settle();
	const size_t said = n_standings;
	spread_on_down(a->spread, session);
	a->items[0] |= 2;
	spread_changed(a->spread, now_ns);
	spread_on_standing(a->spread, session, &(struct trust_standing){"acme", 1}, now_ns);
	cr_expect(eq(sz, n_standings, said));
}
