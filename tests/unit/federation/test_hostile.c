/* SPDX-License-Identifier: Apache-2.0 */
/* Peers with a valid key that do what they must not: what is counted, what is cut, and that it ends. */
#include <criterion/criterion.h>
#include <criterion/new/assert.h>
#include <stdio.h>
#include <string.h>

#include "proto/clock.h"
#include "tests/lib/must.h"
#include "tests/unit/federation/desk.h"

static struct desk desk;
static struct laid *a1;

static void set_up(void)
{
	desk_init(&desk);
	a1 = desk_lay(&desk, "acme/a1");
}

static void tear_down(void)
{
	desk_fini(&desk);
}

TestSuite(hostile, .init = set_up, .fini = tear_down);

static void own_peer(void)
{
	desk_up(&desk, 1, "acme", "a1");
	desk_hello(&desk, 1, "acme", "a1");
}

static void partner(void)
{
	desk_up(&desk, 1, "volt", "v1");
	desk_hello(&desk, 1, "volt", "v1");
}

static struct mesh_stats stats(void)
{
	struct mesh_stats s;

	mesh_stats(desk.mesh, &s);
	return s;
}

static const char *ask(enum message_kind kind, const char *origin)
{
	struct message m = {.kind = kind};

	if (kind == MESSAGE_PULL)
		m.pull = (struct pull){.id = 9, .origin = origin, .credit = 8};
	if (kind == MESSAGE_REPAIR)
		m.repair = (struct repair){.id = 9, .origin = origin};
	return desk_frame(&desk, 1, &m);
}

/* ---- Two with one key ---- */

static bool says(const char *text, const char *what)
{
	return text && strstr(text, what) != NULL;
}

Test(hostile, what_does_not_count_is_not_pulled)
{
	own_peer();
	desk.void_life = 22;
	cr_expect(not(says(desk_life(&desk, 1, 22, 7, 4), "pull")));
	cr_expect(not(says(desk_pass(&desk, NS_PER_S), "pull")));
	cr_expect(says(desk_life(&desk, 1, 11, 7, 4), "pull acme/a1"));
}

Test(hostile, what_does_not_count_is_neither_told_nor_served)
{
	*a1 = (struct laid){.origin = "acme/a1",
			    .held = true,
			    .cursor = "c5",
			    .count = 3,
			    .head_count = 3,
			    .head_seq = 5,
			    .offered = true,
			    .batches = 1};
	desk.void_life = 11;
	desk_up(&desk, 1, "acme", "a2");
	cr_expect(not(says(desk_hello(&desk, 1, "acme", "a2"), "acme/a1")));
	cr_expect(says(ask(MESSAGE_PULL, "acme/a1"), "reset acme/a1 behind"));
	desk.void_life = 0;
	cr_expect(says(ask(MESSAGE_PULL, "acme/a1"), "rows acme/a1"));
}

Test(hostile, when_an_admin_has_chosen_it_is_looked_at_again)
{
	own_peer();
	desk.all_void = true;
	cr_expect(not(says(desk_life(&desk, 1, 11, 7, 4), "pull")));
	desk.all_void = false;
	cr_expect(says(desk_event(&desk, &(struct mesh_event){.kind = MESH_CHOSEN}), "pull acme/a1"));
}

Test(hostile, a_session_of_a_life_that_does_not_count_is_known)
{
	own_peer();
	cr_expect(mesh_session_counts(desk.mesh, 1));
	desk_life(&desk, 1, 22, 7, 4);
	cr_expect(mesh_session_counts(desk.mesh, 1));
	desk.void_life = 22;
	cr_expect(not(mesh_session_counts(desk.mesh, 1)));
	cr_expect(mesh_session_counts(desk.mesh, 9), "nobody's");
}

/* The next frame on one of two sessions; what is asked then cannot be answered. */
static bool says_fork(uint32_t session, struct message *m, uint64_t frames[3]);

static bool answer(uint64_t frames[3])
{
	struct message reset = {.kind = MESSAGE_RESET,
				.reset = {.pull = desk.pull, .origin = "acme/a1", .reason = RESET_BEHIND}};

	return says(desk.text, "pull") && says_fork(desk.asked, &reset, frames);
}

static bool says_fork(uint32_t session, struct message *m, uint64_t frames[3])
{
	bool fork;

	desk.frame = frames[session];
	fork = says(desk_frame(&desk, session, m), "fork of acme/a1");
	frames[session] = desk.frame;
	return answer(frames) || fork;
}

static bool head_2s(uint32_t session, uint64_t life, uint64_t frames[3])
{
	struct incarnation lineage[] = {{life, 1}};
	const struct head head = {
		.origin = "acme/a1", .lineage = lineage, .n_lineage = 1, .seq = 8, .fingerprint.count = 4};
	SCOPED(buf_fini) struct buf b = {0};
	struct head_notice notice = {0};
	struct message m = {.kind = MESSAGE_HEADS, .heads = {.heads = &notice, .n = 1}};

	head_encode(&head, &b);
	notice.head.payload = buf_bytes(&b);
	return says_fork(session, &m, frames);
}

/* Neither says anything new: each is heard of by its pings alone. */
Test(hostile, two_lives_are_found_though_both_are_quiet)
{
	struct message ping = {.kind = MESSAGE_PING};
	uint64_t frames[3] = {0};
	int fork = 0;

	own_peer();
	frames[1] = desk.frame;
	desk_up(&desk, 2, "acme", "a1");
	desk.frame = 0;
	desk_hello(&desk, 2, "acme", "a1");
	frames[2] = desk.frame;
	cr_assert(not(head_2s(1, 11, frames)));
	cr_assert(not(head_2s(2, 22, frames)));
	for (int i = 0; i < 40; i++) {
		for (uint32_t session = 1; session <= 2; session++) {
			desk_pass(&desk, NS_PER_S);
			fork += answer(frames);
			fork += says_fork(session, &ping, frames);
		}
		cr_assert(i >= 28 || fork == 0, "not before a minute: %d", i);
		cr_assert(eq(sz, stats().sessions_open, 2));
	}
	cr_expect(eq(int, fork, 1), "told once");
}

/* ---- More than its share ---- */

Test(hostile, a_partner_over_its_share_is_told_to_ask_later)
{
	partner();
	*a1 = (struct laid){
		.origin = "acme/me", .offered = true, .head_seq = 5, .head_count = 2, .batches = 1};
	desk.admit = MESH_NOT_YET;
	EXPECT(ask(MESSAGE_PULL, "acme/me"), "reset acme/me behind");
	EXPECT(ask(MESSAGE_REPAIR, "acme/me"), "reset acme/me behind");
	cr_expect(eq(u64, stats().over_share, 2));
	cr_expect(eq(sz, stats().sessions_open, 1));
	desk.admit = 0;
	cr_expect(says(ask(MESSAGE_PULL, "acme/me"), "rows acme/me"));
}

Test(hostile, a_partner_that_goes_on_is_cut)
{
	partner();
	desk.admit = ERR_REFUSED;
	EXPECT(ask(MESSAGE_PULL, "acme/me"), "alarm, close");
	cr_expect(eq(sz, stats().sessions_open, 0));
}

Test(hostile, own_nodes_have_no_share)
{
	own_peer();
	desk.admit = ERR_REFUSED;
	EXPECT(ask(MESSAGE_PULL, "acme/nobody"), "reset acme/nobody unknown");
	cr_expect(eq(u64, stats().over_share, 0));
}

/* ---- Rows ---- */

Test(hostile, an_origin_with_twins_that_it_may_not_own_is_left_alone_and_its_peer_stays)
{
	own_peer();
	desk.not_owned = "acme/press";
	cr_expect(says(desk_heads(&desk, 1, "acme/a1", 7, 4), "pull acme/a1"));
	cr_expect(says(desk_rows(&desk, "acme/a1", 0, 2, 7, 4), "alarm"));
	cr_expect(not(says(desk.text, "store")));
	cr_expect(eq(u64, stats().rows_outside, 1));
	cr_expect(eq(sz, stats().sessions_open, 1));
	for (int i = 0; i < 25; i++) { /* no endless loop: it waits a minute */
		cr_expect(not(says(desk_heads(&desk, 1, "acme/a1", 8 + (uint64_t)i, 4), "pull")), "%d", i);
		cr_expect(not(says(desk_pass(&desk, 2 * NS_PER_S), "pull")), "%d", i);
	}
}

Test(hostile, who_offers_more_origins_than_anybody_has_is_cut)
{
	char origin[32];

	own_peer();
	for (int i = 0; i < ORIGINS_MAX + 8 && stats().sessions_open == 1; i++) {
		snprintf(origin, sizeof origin, "acme/x%d", i);
		desk_heads(&desk, 1, origin, 7, 4);
	}
	cr_expect(eq(sz, stats().sessions_open, 0));
	cr_expect(eq(u64, stats().alarms, 1));
}

/* Asks, and the answer is another one than the one asked for: it counts for nothing, and the pull ends. */
Test(hostile, answers_nobody_asked_for_change_nothing)
{
	own_peer();
	cr_expect(says(desk_heads(&desk, 1, "acme/a1", 7, 4), "pull acme/a1"));
	desk.pull++;
	EXPECT(desk_rows(&desk, "acme/a1", 0, 2, 7, 4), "");
	struct message sums = {.kind = MESSAGE_SUMS, .sums = {.id = 77, .origin = "acme/a1"}};
	cr_expect(not(says(desk_frame(&desk, 1, &sums), "store")));
	cr_expect(not(says(desk.text, "pull")));
}

/* ---- Trust that ended and began again ---- */

Test(hostile, an_organisation_trusted_anew_may_begin_its_policy_anew)
{
	partner();
	desk.epoch = 9;
	cr_expect(says(desk_heads(&desk, 1, "volt/v1", 0, 4), "pull volt/v1"));
	desk_event(&desk, &(struct mesh_event){.kind = MESH_DOWN, .session = 1});
	desk.epoch = 2;
	partner();
	cr_expect(not(says(desk_heads(&desk, 1, "volt/v1", 0, 5), "pull")), "an older policy");
	desk_event(&desk, &(struct mesh_event){.kind = MESH_ENDED, .peer.org = "volt"});
	cr_expect(says(desk_heads(&desk, 1, "volt/v1", 0, 6), "pull volt/v1"));
	desk_event(&desk, &(struct mesh_event){.kind = MESH_ENDED, .peer.org = "nobody"});
}
