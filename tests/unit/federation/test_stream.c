/* SPDX-License-Identifier: Apache-2.0 */
#include <criterion/criterion.h>
#include <criterion/new/assert.h>

#include "tests/unit/federation/desk.h"

static struct desk desk;
static struct laid *a1; /* what is held of acme/a1 */

static void begin(void)
{
	desk_init(&desk);
	a1 = desk_lay(&desk, "acme/a1");
	desk_up(&desk, 1, "acme", "a1");
	desk_hello(&desk, 1, "acme", "a1");
}

static void end(void)
{
	desk_fini(&desk);
}

TestSuite(stream, .init = begin, .fini = end);

static struct mesh_stats stats(void)
{
	struct mesh_stats s;

	mesh_stats(desk.mesh, &s);
	return s;
}

/* acme/a1 is held up to 5, three twins; now it is ahead and pulled. */
static void pull_a1(void)
{
	*a1 = (struct laid){.origin = "acme/a1",
			    .held = true,
			    .cursor = "c5",
			    .count = 3,
			    .head_count = 3,
			    .head_seq = 5};
	EXPECT(desk_heads(&desk, 1, "acme/a1", 7, 4), "pull acme/a1 from c5");
}

static const char *reset(enum reset_reason reason)
{
	struct message m = {.kind = MESSAGE_RESET, .reset = {desk.pull, "acme/a1", reason}};

	return desk_frame(&desk, 1, &m);
}

Test(stream, that_was_never_seen_is_pulled_from_the_beginning)
{
	EXPECT(desk_heads(&desk, 1, "acme/a1", 7, 4), "pull acme/a1 from 0");
}

Test(stream, that_is_ahead_is_pulled_behind_the_cursor_stored_and_vouched_for)
{
	pull_a1();
	EXPECT(desk_rows(&desk, "acme/a1", 0, 2, 0, 0), "store acme/a1 n=2 to c9");
	EXPECT(desk_stored(&desk, 0), "");
	EXPECT(desk_rows(&desk, "acme/a1", 1, 1, 7, 4), "store acme/a1 n=1 head to c9");
	a1->count = a1->head_count = 4;
	a1->head_seq = 7;
	EXPECT(desk_stored(&desk, 0), "heard acme/a1 2s");
	EXPECT(desk_heads(&desk, 1, "acme/a1", 7, 4), "heard acme/a1 2s");
}

Test(stream, is_compared_with_its_head_only_when_all_of_it_is_durable)
{
	pull_a1();
	desk_rows(&desk, "acme/a1", 0, 2, 0, 0);
	desk_rows(&desk, "acme/a1", 1, 1, 7, 4);
	desk.token--;
	EXPECT(desk_stored(&desk, 0), "");
	a1->count = a1->head_count = 4;
	a1->head_seq = 7;
	desk.token++;
	EXPECT(desk_stored(&desk, 0), "heard acme/a1 2s");
}

Test(stream, is_handed_on_once_its_age_is_known)
{
	pull_a1();
	a1->offered = true;
	desk_rows(&desk, "acme/a1", 0, 1, 7, 4);
	a1->count = a1->head_count = 4;
	a1->head_seq = 7;
	EXPECT(desk_stored(&desk, 0), "heard acme/a1 2s");
	cr_expect(le(i64, mesh_deadline(desk.mesh), desk.now_ns));
	EXPECT(desk_pass(&desk, 0), "heads acme/a1:4");
}

Test(stream, of_a_peer_that_starts_anew_is_pulled_when_it_offers_it_anew)
{
	pull_a1();
	desk.nonce++;
	desk.frame = 0;
	EXPECT(desk_hello(&desk, 1, "acme", "a1"), "hello, opened, ping");
	EXPECT(desk_heads(&desk, 1, "acme/a1", 7, 4), "pull acme/a1 from c5");
}

Test(stream, of_a_server_that_has_not_heard_of_the_newest_incarnation_is_older)
{
	pull_a1();
	reset(RESET_UNKNOWN);
	a1->lives = 2;
	EXPECT(desk_heads(&desk, 1, "acme/a1", 9, 4), "");
}

Test(stream, that_is_held_or_older_is_not_pulled)
{
	pull_a1();
	reset(RESET_UNKNOWN);
	EXPECT(desk_heads(&desk, 1, "acme/a1", 5, 3), "heard acme/a1 2s");
	EXPECT(desk_heads(&desk, 1, "acme/a1", 4, 2), "");
	EXPECT(desk_heads(&desk, 1, "acme/a1", 6, 3), "heard acme/a1 2s, pull acme/a1 from c5");
}

Test(stream, is_asked_of_its_origin_rather_than_of_a_relay)
{
	*a1 = (struct laid){.origin = "acme/a1",
			    .held = true,
			    .cursor = "c5",
			    .count = 3,
			    .head_count = 3,
			    .head_seq = 5};
	desk_up(&desk, 2, "acme", "a2");
	uint64_t frame = desk.frame;
	desk.frame = 0;
	desk_hello(&desk, 2, "acme", "a2");
	EXPECT(desk_heads(&desk, 2, "acme/a1", 7, 4), "@2 pull acme/a1 from c5");
	desk.frame = frame;
	EXPECT(desk_heads(&desk, 1, "acme/a1", 7, 4), "");
	const struct mesh_event down = {.kind = MESH_DOWN, .session = 2};
	EXPECT(desk_event(&desk, &down), "pull acme/a1 from c5");
}

/* The peer here cannot repair. */
Test(stream, is_pulled_afresh_when_the_cursor_is_refused)
{
	pull_a1();
	EXPECT(reset(RESET_LINEAGE), "pull acme/a1 from 0");
	EXPECT(desk_rows(&desk, "acme/a1", 0, 2, 0, 0), "store acme/a1 n=2 afresh to c9");
	EXPECT(desk_rows(&desk, "acme/a1", 1, 2, 7, 4), "store acme/a1 n=2 head to c9");
}

Test(stream, whose_repair_broke_off_is_pulled_afresh)
{
	*a1 = (struct laid){
		.origin = "acme/a1", .held = true, .cursor = "", .count = 3, .head_count = 3, .head_seq = 5};
	EXPECT(desk_heads(&desk, 1, "acme/a1", 5, 3), "pull acme/a1 from 0");
	EXPECT(desk_rows(&desk, "acme/a1", 0, 2, 5, 3), "store acme/a1 n=2 afresh head to c9");
}

Test(stream, is_not_pulled_afresh_again_at_once_when_that_is_refused_too)
{
	pull_a1();
	EXPECT(reset(RESET_LINEAGE), "pull acme/a1 from 0");
	EXPECT(reset(RESET_LINEAGE), "");
	EXPECT(desk_pass(&desk, NS_PER_S), "ping");
	desk_heads(&desk, 1, "acme/a1", 7, 4);
	EXPECT(desk_pass(&desk, NS_PER_S), "ping, pull acme/a1 from c5");
}

Test(stream, is_not_pulled_while_rows_of_a_pull_that_was_given_up_are_on_their_way)
{
	pull_a1();
	desk_rows(&desk, "acme/a1", 0, 1, 0, 0);
	EXPECT(reset(RESET_LINEAGE), "");
	EXPECT(desk_stored(&desk, 0), "pull acme/a1 from 0");
}

Test(stream, that_could_not_be_stored_afresh_is_pulled_by_what_is_held)
{
	pull_a1();
	reset(RESET_LINEAGE);
	desk_rows(&desk, "acme/a1", 0, 1, 0, 0);
	EXPECT(desk_stored(&desk, -ENOSPC), "");
	EXPECT(desk_pass(&desk, NS_PER_S), "ping, pull acme/a1 from c5");
}

Test(stream, is_asked_elsewhere_or_later_when_the_server_is_behind)
{
	pull_a1();
	EXPECT(reset(RESET_BEHIND), "");
	EXPECT(desk_pass(&desk, NS_PER_S), "ping");
	EXPECT(desk_heads(&desk, 1, "acme/a1", 7, 4), "");
	EXPECT(desk_pass(&desk, NS_PER_S), "ping, pull acme/a1 from c5");
	EXPECT(reset(RESET_BEHIND), "");
	EXPECT(desk_heads(&desk, 1, "acme/a1", 8, 4), "pull acme/a1 from c5");
}

Test(stream, is_begun_afresh_only_with_the_server_that_refused_the_cursor)
{
	*desk_lay(&desk, "acme/a3") = (struct laid){.origin = "acme/a3",
						    .held = true,
						    .cursor = "c5",
						    .count = 3,
						    .head_count = 3,
						    .head_seq = 5};
	EXPECT(desk_heads(&desk, 1, "acme/a3", 7, 4), "pull acme/a3 from c5");
	desk_up(&desk, 2, "acme", "a2");
	desk.frame = 0;
	desk_hello(&desk, 2, "acme", "a2");
	EXPECT(desk_heads(&desk, 2, "acme/a3", 9, 5), "");
	struct message m = {.kind = MESSAGE_RESET, .reset = {desk.pull, "acme/a3", RESET_LINEAGE}};
	desk.frame = 2;
	EXPECT(desk_frame(&desk, 1, &m), "pull acme/a3 from 0");
	const struct mesh_event down = {.kind = MESH_DOWN, .session = 1};
	EXPECT(desk_event(&desk, &down), "@2 pull acme/a3 from c5");
}

Test(stream, is_forgotten_when_the_server_does_not_know_it)
{
	pull_a1();
	EXPECT(reset(RESET_UNKNOWN), "");
	EXPECT(desk_pass(&desk, 4 * NS_PER_S), "ping");
}

Test(stream, is_pulled_afresh_when_it_does_not_agree_and_left_alone_after_three_times)
{
	pull_a1();
	desk_rows(&desk, "acme/a1", 0, 1, 7, 4);
	a1->head_count = 4;
	a1->head_seq = 7;
	for (int i = 0; i < 3; i++) {
		EXPECT(desk_stored(&desk, 0), "pull acme/a1 from 0");
		EXPECT(desk_rows(&desk, "acme/a1", 0, 1, 7, 4), "store acme/a1 n=1 afresh head to c9");
	}
	EXPECT(desk_stored(&desk, 0), "alarm");
	EXPECT(desk_heads(&desk, 1, "acme/a1", 7, 4), "");
	cr_expect(eq(u64, stats().mismatches, 4));
	for (int s = 0; s < 59; s++) {
		desk_heads(&desk, 1, "acme/a1", 7, 4);
		EXPECT(desk_pass(&desk, NS_PER_S), "ping");
	}
	desk_heads(&desk, 1, "acme/a1", 7, 4);
	EXPECT(desk_pass(&desk, NS_PER_S), "ping, pull acme/a1 from 0");
}

Test(stream, is_pulled_again_after_a_second_when_its_rows_could_not_be_stored)
{
	pull_a1();
	desk_rows(&desk, "acme/a1", 0, 1, 7, 4);
	EXPECT(desk_stored(&desk, -ENOSPC), "");
	EXPECT(desk_pass(&desk, NS_PER_S), "ping, pull acme/a1 from c5");
}

Test(stream, is_pulled_again_after_a_gap)
{
	pull_a1();
	desk.frame++;
	EXPECT(desk_rows(&desk, "acme/a1", 1, 1, 7, 4), "pull acme/a1 from c5");
	EXPECT(desk_rows(&desk, "acme/a1", 0, 1, 7, 4), "store acme/a1 n=1 head to c9");
}

Test(stream, that_is_not_answered_twice_closes_the_session)
{
	pull_a1();
	for (int s = 0; s < 3; s++) {
		desk_heads(&desk, 1, "acme/a1", 7, 4);
		EXPECT(desk_pass(&desk, NS_PER_S), "ping");
	}
	desk_heads(&desk, 1, "acme/a1", 7, 4);
	EXPECT(desk_pass(&desk, NS_PER_S), "ping, pull acme/a1 from c5");
	for (int s = 0; s < 2; s++) {
		desk_heads(&desk, 1, "acme/a1", 7, 4);
		desk_pass(&desk, NS_PER_S);
	}
	desk_heads(&desk, 1, "acme/a1", 7, 4);
	EXPECT(desk_pass(&desk, NS_PER_S), "ping, close");
}

Test(stream, with_twins_of_another_organisation_closes_the_session)
{
	pull_a1();
	struct bytes row = desk_row(&desk, "bolt/press");
	struct message m = {
		.kind = MESSAGE_ROWS,
		.rows = {
			.pull = desk.pull, .origin = "acme/a1", .rows = &row, .n = 1, .cursor = BYTES("c9")}};

	EXPECT(desk_frame(&desk, 1, &m), "alarm, close");
}

Test(stream, with_rows_that_do_not_fit_closes_the_session)
{
	pull_a1();
	EXPECT(desk_rows(&desk, "acme/a1", 1, 1, 0, 0), "alarm, close");
}

Test(stream, with_a_head_nobody_signed_closes_the_session)
{
	pull_a1();
	struct message m = {
		.kind = MESSAGE_ROWS,
		.rows = {.pull = desk.pull, .origin = "acme/a1", .cursor = BYTES("c9"), .at_head = true}};

	m.rows.head = desk_notice(&desk, "acme/a1", 7, 0, 4);
	m.rows.head.head.key.b[0] = 1;
	EXPECT(desk_frame(&desk, 1, &m), "alarm, close");
}

Test(stream, of_another_organisation_may_not_be_offered)
{
	EXPECT(desk_heads(&desk, 1, "bolt/b1", 7, 4), "alarm, close");
}

Test(stream, whose_head_cannot_be_verified_is_left_alone)
{
	struct head_notice notice = desk_notice(&desk, "acme/a1", 7, 0, 4);
	struct message m = {.kind = MESSAGE_HEADS, .heads = {.heads = &notice, .n = 1}};

	notice.head.key.b[0] = 1;
	EXPECT(desk_frame(&desk, 1, &m), "");
	cr_expect(eq(u64, stats().frames_refused, 1));
}

Test(stream, of_its_own_is_never_pulled)
{
	EXPECT(desk_heads(&desk, 1, "acme/me", 7, 4), "");
}

static void partner(void)
{
	const struct mesh_event down = {.kind = MESH_DOWN, .session = 1};

	desk_event(&desk, &down);
	desk_up(&desk, 2, "bolt", "b1");
	desk.frame = 0;
	desk_hello(&desk, 2, "bolt", "b1");
}

Test(stream, whose_cursor_is_refused_is_not_pulled_by_it_again_for_a_head_that_happens_to_agree)
{
	struct laid *b1 = desk_lay(&desk, "bolt/b1");

	partner();
	*b1 = (struct laid){.origin = "bolt/b1", .held = true, .cursor = "s5", .count = 3, .head_count = 3};
	EXPECT(desk_heads(&desk, 2, "bolt/b1", 0, 4), "@2 pull bolt/b1 from s5");
	desk.epoch = 1;
	EXPECT(desk_heads(&desk, 2, "bolt/b1", 0, 3), "heard bolt/b1 2s");
	struct message m = {.kind = MESSAGE_RESET, .reset = {desk.pull, "bolt/b1", RESET_LINEAGE}};
	EXPECT(desk_frame(&desk, 2, &m), "@2 pull bolt/b1 from 0");
}

Test(stream, of_a_partner_under_a_new_policy_but_with_the_same_rows_takes_only_the_head)
{
	struct laid *b1 = desk_lay(&desk, "bolt/b1");

	partner();
	*b1 = (struct laid){.origin = "bolt/b1", .held = true, .cursor = "s5", .count = 3, .head_count = 3};
	EXPECT(desk_heads(&desk, 2, "bolt/b1", 0, 3), "heard bolt/b1 2s, store bolt/b1 n=0 head to s5");
	EXPECT(desk_heads(&desk, 2, "bolt/b1", 0, 3), "heard bolt/b1 2s");
	b1->epoch = 1;
	desk_stored(&desk, 0);
	EXPECT(desk_heads(&desk, 2, "bolt/b1", 0, 3), "heard bolt/b1 2s");
	EXPECT(desk_heads(&desk, 2, "bolt/b1", 0, 4), "@2 pull bolt/b1 from s5");
}

Test(stream, of_a_partner_under_an_older_policy_is_not_taken)
{
	struct head_notice notice = desk_notice(&desk, "bolt/b1", 0, 6, 4);
	struct message m = {.kind = MESSAGE_HEADS, .heads = {.heads = &notice, .n = 1}};

	partner();
	EXPECT(desk_frame(&desk, 2, &m), "@2 pull bolt/b1 from 0");
	notice = desk_notice(&desk, "bolt/b2", 0, 5, 4);
	EXPECT(desk_frame(&desk, 2, &m), "");
}

Test(stream, of_a_partner_whose_held_head_is_of_a_newer_policy_is_older)
{
	partner();
	*desk_lay(&desk, "bolt/b1") = (struct laid){
		.origin = "bolt/b1", .held = true, .cursor = "s5", .count = 3, .head_count = 3, .epoch = 2};
	EXPECT(desk_heads(&desk, 2, "bolt/b1", 0, 4), "");
	desk.epoch = 2;
	EXPECT(desk_heads(&desk, 2, "bolt/b1", 0, 4), "@2 pull bolt/b1 from s5");
}

Test(stream, of_a_partner_with_rows_of_a_policy_that_was_replaced_meanwhile_is_given_up)
{
	partner();
	EXPECT(desk_heads(&desk, 2, "bolt/b1", 0, 4), "@2 pull bolt/b1 from 0");
	uint64_t pull = desk.pull;
	desk.epoch = 2;
	EXPECT(desk_heads(&desk, 2, "bolt/b2", 0, 4), "@2 pull bolt/b2 from 0");
	desk.epoch = 1;
	desk.pull = pull;
	EXPECT(desk_rows(&desk, "bolt/b1", 0, 0, 0, 4), "");
	desk.epoch = 2;
	EXPECT(desk_heads(&desk, 2, "bolt/b1", 0, 4), "@2 pull bolt/b1 from 0");
}

Test(stream, of_a_partner_with_rows_of_a_policy_far_ahead_shuts_nobody_out)
{
	partner();
	EXPECT(desk_heads(&desk, 2, "bolt/b1", 0, 4), "@2 pull bolt/b1 from 0");
	desk.epoch = UINT64_MAX;
	cr_expect_not_null(desk_rows(&desk, "bolt/b1", 0, 0, 0, 0));
	desk.epoch = 2;
	EXPECT(desk_heads(&desk, 2, "bolt/b2", 0, 4), "@2 pull bolt/b2 from 0");
}

static const char *ask(const char *origin, uint32_t credit)
{
	struct message m = {.kind = MESSAGE_PULL, .pull = {.id = 1, .origin = origin, .credit = credit}};

	return desk_frame(&desk, 1, &m);
}

Test(stream, is_served_up_to_the_head_or_the_credit)
{
	struct laid *me = desk_lay(&desk, "acme/me");

	*me = (struct laid){
		.origin = "acme/me", .offered = true, .head_seq = 5, .head_count = 3, .batches = 3};
	EXPECT(ask("acme/me", 8), "rows acme/me #0, rows acme/me #1, rows acme/me #2 head");
	EXPECT(ask("acme/me", 2), "rows acme/me #0, rows acme/me #1");
	me->batches = 50;
	cr_expect(ask("acme/me", UINT32_MAX) != NULL);
	cr_expect(strstr(desk.text, "#7") && !strstr(desk.text, "#8"));
}

Test(stream, that_is_served_goes_on_until_its_session_ends)
{
	const struct message m = {.kind = MESSAGE_PULL, .pull = {.id = 1, .origin = "acme/me", .credit = 8}};
	const struct mesh_event resumed = {.kind = MESH_RESUMED, .session = 1, .message = &m, .token = 7};

	*desk_lay(&desk, "acme/me") = (struct laid){
		.origin = "acme/me", .offered = true, .head_seq = 5, .head_count = 3, .batches = 50};
	EXPECT(desk_event(&desk, &resumed), "rows acme/me #7");
	EXPECT(desk_event(&desk, &(struct mesh_event){.kind = MESH_DOWN, .session = 1}), "");
	EXPECT(desk_event(&desk, &resumed), "");
}

Test(stream, that_cannot_be_served_is_reset)
{
	*desk_lay(&desk, "acme/me") =
		(struct laid){.origin = "acme/me", .offered = true, .reset = RESET_LINEAGE};
	*a1 = (struct laid){.origin = "acme/a1",
			    .offered = true,
			    .held = true,
			    .cursor = "c5",
			    .count = 2,
			    .head_count = 3};

	EXPECT(ask("acme/a9", 8), "reset acme/a9 unknown");
	EXPECT(ask("acme/a1", 8), "reset acme/a1 behind");
	EXPECT(ask("acme/me", 8), "reset acme/me lineage");
	desk.laid[1].reset = -EIO;
	EXPECT(ask("acme/me", 8), "reset acme/me behind");
}

/* ---- Forks: what an origin signed and cannot all be true ---- */

static bool tells_fork(const char *text)
{
	return strstr(text, "fork of acme/a1") != NULL;
}

Test(stream, two_heads_of_one_number_that_differ_are_a_fork)
{
	cr_expect(not(tells_fork(desk_life(&desk, 1, 11, 7, 4))));
	cr_expect(not(tells_fork(desk_life(&desk, 1, 11, 7, 4))));
	cr_expect(tells_fork(desk_life(&desk, 1, 11, 7, 5)));
	cr_expect(eq(u64, stats().forks, 1));
	cr_expect(not(tells_fork(desk_life(&desk, 1, 11, 7, 6))), "it is told once an hour");
}

/* A relay cannot sign for the origin, but it may show another state that the origin signed. */
Test(stream, a_relay_that_shows_the_other_branch_is_found_out)
{
	desk_up(&desk, 2, "acme", "a2");
	desk.frame = 0;
	desk_hello(&desk, 2, "acme", "a2");
	cr_expect(not(tells_fork(desk_life(&desk, 2, 11, 7, 4))));
	desk.frame = 1;
	cr_expect(tells_fork(desk_life(&desk, 1, 11, 7, 5)));
}

Test(stream, what_was_stored_before_the_start_counts_for_forks)
{
	*a1 = (struct laid){.origin = "acme/a1",
			    .held = true,
			    .cursor = "c5",
			    .count = 3,
			    .head_count = 3,
			    .head_seq = 5};
	cr_expect(tells_fork(desk_life(&desk, 1, 11, 5, 4)));
}

Test(stream, a_head_of_another_time_is_no_fork)
{
	cr_expect(not(tells_fork(desk_life(&desk, 1, 11, 7, 4))));
	cr_expect(not(tells_fork(desk_life(&desk, 1, 11, 9, 5))));
	cr_expect(not(tells_fork(desk_life(&desk, 1, 11, 8, 9)))); /* overtaken on its way */
	cr_expect(not(tells_fork(desk_life(&desk, 1, 22, 9, 2)))); /* restored */
}

/* The same, and what is asked then cannot be answered yet. */
static bool live_2s(uint64_t life, uint64_t seq)
{
	const bool fork = tells_fork(desk_life(&desk, 1, life, seq, 4));

	if (strstr(desk.text, "pull"))
		reset(RESET_BEHIND);
	if (strstr(desk_pass(&desk, 2 * NS_PER_S), "pull"))
		reset(RESET_BEHIND);
	cr_assert(eq(sz, stats().sessions_open, 1));
	return fork;
}

Test(stream, two_lives_that_go_on_side_by_side_are_a_fork)
{
	live_2s(11, 7);
	for (int i = 0; i < 40; i++)
		cr_assert(not(live_2s(22, 100 + i)), "%d", i); /* the one from here on */
	cr_expect(live_2s(11, 8), "and the other one lives too");
}

Test(stream, a_restored_origin_is_no_fork)
{
	for (int i = 0; i < 40; i++)
		cr_assert(not(live_2s(11, 100 + i)), "%d", i);
	for (int i = 0; i < 80; i++)
		cr_assert(not(live_2s(22, 50 + i)), "%d", i);
}

Test(stream, a_node_whose_disk_went_back_is_told)
{
	struct laid *me = desk_lay(&desk, "acme/me");

	*me = (struct laid){.origin = "acme/me", .head_seq = 5, .head_count = 2};
	cr_expect(strstr(desk_heads(&desk, 1, "acme/me", 5, 2), "fork") == NULL);
	cr_expect(strstr(desk_heads(&desk, 1, "acme/me", 6, 2), "fork of acme/me") != NULL);
}
