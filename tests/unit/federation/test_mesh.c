/* SPDX-License-Identifier: Apache-2.0 */
#include <criterion/criterion.h>
#include <criterion/new/assert.h>

#include "tests/unit/federation/desk.h"

static struct desk desk;

static void begin(void)
{
	desk_init(&desk);
}

static void end(void)
{
	desk_fini(&desk);
}

TestSuite(mesh, .init = begin, .fini = end);

static void open_session(void)
{
	EXPECT(desk_up(&desk, 1, "acme", "a1"), "hello");
	EXPECT(desk_hello(&desk, 1, "acme", "a1"), "opened, ping");
}

/* Whenever the mesh wants to be woken, until it does this; how often. */
static int pass_until(const char *want)
{
	for (int n = 1; n < 100; n++)
		if (strcmp(desk_pass(&desk, mesh_deadline(desk.mesh) - desk.now_ns), want) == 0)
			return n;
	return -1;
}

static struct mesh_stats stats(void)
{
	struct mesh_stats s;

	mesh_stats(desk.mesh, &s);
	return s;
}

Test(mesh, opens_a_session_with_a_hello_from_both_sides)
{
	uint32_t protocol = 0;

	EXPECT(desk_up(&desk, 1, "acme", "a1"), "hello");
	cr_expect(not(mesh_session_open(desk.mesh, 1, &protocol)));
	EXPECT(desk_hello(&desk, 1, "acme", "a1"), "opened, ping");
	cr_expect(mesh_session_open(desk.mesh, 1, &protocol));
	cr_expect(eq(u32, protocol, PROTOCOL_MAX));
	cr_expect(eq(sz, stats().sessions_open, 1));
}

Test(mesh, tells_a_new_session_every_head_it_can_serve)
{
	*desk_lay(&desk, "acme/me") =
		(struct laid){.origin = "acme/me", .offered = true, .head_seq = 5, .head_count = 3};

	desk_up(&desk, 1, "acme", "a1");
	EXPECT(desk_hello(&desk, 1, "acme", "a1"), "opened, heads acme/me:3");
}

Test(mesh, tells_changes_at_once_but_not_faster_than_it_may)
{
	struct laid *me = desk_lay(&desk, "acme/me");
	const struct mesh_event changed = {.kind = MESH_CHANGED};

	*me = (struct laid){.origin = "acme/me", .offered = true, .head_seq = 5, .head_count = 3};
	desk_up(&desk, 1, "acme", "a1");
	desk_hello(&desk, 1, "acme", "a1");
	me->head_count = 4;
	EXPECT(desk_event(&desk, &changed), "heads acme/me:4");
	EXPECT(desk_pass(&desk, NS_PER_MS), "");
	me->head_count = 5;
	EXPECT(desk_event(&desk, &changed), "");
	cr_expect(eq(i64, mesh_deadline(desk.mesh), desk.now_ns + 49 * NS_PER_MS));
	EXPECT(desk_pass(&desk, 49 * NS_PER_MS), "heads acme/me:5");
	EXPECT(desk_event(&desk, &changed), "");
	EXPECT(desk_pass(&desk, 50 * NS_PER_MS), "");
}

Test(mesh, tells_an_older_release_all_heads_every_second)
{
	*desk_lay(&desk, "acme/me") =
		(struct laid){.origin = "acme/me", .offered = true, .head_seq = 5, .head_count = 3};
	desk_up(&desk, 1, "acme", "a1");
	desk_hello(&desk, 1, "acme", "a1");
	EXPECT(desk_pass(&desk, 800 * NS_PER_MS), "");
	EXPECT(desk_pass(&desk, 200 * NS_PER_MS), "heads acme/me:3");
}

Test(mesh, pings_when_there_is_nothing_to_tell)
{
	open_session();
	EXPECT(desk_pass(&desk, NS_PER_S), "ping");
}

Test(mesh, does_not_hand_on_what_does_not_agree_with_its_head)
{
	struct laid *l = desk_lay(&desk, "acme/a2");

	*l = (struct laid){.origin = "acme/a2",
			   .offered = true,
			   .held = true,
			   .cursor = "c1",
			   .count = 3,
			   .head_count = 4,
			   .head_seq = 9};
	open_session();
	l->count = 4;
	EXPECT(desk_pass(&desk, NS_PER_S), "heads acme/a2:4");
	l->cursor = ""; /* a repair is under way */
	EXPECT(desk_pass(&desk, NS_PER_S), "ping");
}

Test(mesh, refuses_a_node_that_is_not_who_its_key_says)
{
	desk_up(&desk, 1, "acme", "a1");
	EXPECT(desk_hello(&desk, 1, "acme", "a2"), "alarm, close");
	EXPECT(desk_hello(&desk, 1, "acme", "a1"), "");
	cr_expect(eq(u64, stats().frames_refused, 2));
}

Test(mesh, refuses_a_peer_with_no_version_in_common)
{
	struct message m = {.kind = MESSAGE_HELLO,
			    .hello = {.protocol_min = PROTOCOL_MAX + 1,
				      .protocol_max = PROTOCOL_MAX + 1,
				      .org = "acme",
				      .node = "a1"}};

	desk_up(&desk, 1, "acme", "a1");
	EXPECT(desk_frame(&desk, 1, &m), "alarm, close");
}

Test(mesh, says_bye_to_a_peer_that_goes_on_where_it_begins)
{
	struct message ping = {.kind = MESSAGE_PING};

	desk_up(&desk, 1, "acme", "a1");
	EXPECT(desk_frame(&desk, 1, &ping), "bye, close");
}

Test(mesh, ignores_frames_of_an_old_session_and_repeated_ones)
{
	struct message question = {.kind = MESSAGE_QUESTION};

	open_session();
	EXPECT(desk_frame(&desk, 1, &question), "deliver question");
	EXPECT(desk_raw(&desk, 1, &question), "");
	question.frame++;
	question.nonce++;
	EXPECT(desk_raw(&desk, 1, &question), "");
	cr_expect(eq(u64, stats().frames_old_session, 2));
	EXPECT(desk_frame(&desk, 1, &question), "deliver question");
}

/* A ping is due every 5/3 s here. */
Test(mesh, tells_a_peer_in_another_session_so_when_two_beats_are_missed)
{
	struct message question = {.kind = MESSAGE_QUESTION};

	open_session();
	EXPECT(desk_frame(&desk, 1, &question), "deliver question");
	question.nonce++;
	for (int s = 0; s < 3; s++)
		desk_pass(&desk, NS_PER_S);
	EXPECT(desk_raw(&desk, 1, &question), "");
	desk_pass(&desk, NS_PER_S);
	EXPECT(desk_raw(&desk, 1, &question), "bye, close");
	cr_expect(eq(u64, stats().frames_old_session, 2));
}

Test(mesh, counts_a_gap_and_goes_on)
{
	struct message question = {.kind = MESSAGE_QUESTION};

	open_session();
	desk.frame++;
	EXPECT(desk_frame(&desk, 1, &question), "deliver question");
	cr_expect(eq(u64, stats().frames_gap, 1));
}

Test(mesh, starts_over_with_a_peer_that_has_another_nonce)
{
	struct message ping = {.kind = MESSAGE_PING};

	open_session();
	uint64_t frame = desk.my_frame;
	desk.nonce++;
	desk.frame = 0;
	EXPECT(desk_hello(&desk, 1, "acme", "a1"), "hello, opened, ping");
	cr_expect(eq(u64, desk.my_frame, frame + 2));
	ping.nonce = desk.nonce - 1;
	ping.frame = 3;
	EXPECT(desk_raw(&desk, 1, &ping), "");
	cr_expect(eq(u64, stats().frames_old_session, 1));
}

Test(mesh, takes_a_repeated_hello_as_any_other_frame)
{
	open_session();
	EXPECT(desk_hello(&desk, 1, "acme", "a1"), "");
}

Test(mesh, closes_a_silent_session)
{
	open_session();
	const int64_t silent_since_ns = desk.now_ns;
	cr_expect(eq(int, pass_until("close"), 6)); /* five pings before */
	cr_expect(eq(i64, desk.now_ns, silent_since_ns + 5 * NS_PER_S));
	cr_expect(eq(i64, mesh_deadline(desk.mesh), INT64_MAX));
}

/* ---- peers that know FEATURE_QUIET -----------------------------------------------------------------------
 */

static struct laid *open_quiet(void)
{
	struct laid *l = desk_lay(&desk, "acme/a2");

	*l = (struct laid){.origin = "acme/a2",
			   .offered = true,
			   .held = true,
			   .cursor = "c1",
			   .count = 3,
			   .head_count = 3,
			   .head_seq = 9};
	desk.features = FEATURE_QUIET;
	desk_up(&desk, 1, "acme", "a1");
	EXPECT(desk_hello(&desk, 1, "acme", "a1"), "opened, heads all acme/a2:3, ping");
	return l;
}

static const char *tell_me(void)
{
	struct message m = {.kind = MESSAGE_TELL};

	return desk_frame(&desk, 1, &m);
}

static const char *ping_me(int64_t age_ns)
{
	struct message m = {.kind = MESSAGE_PING, .ping.age_ns = age_ns};

	return desk_frame(&desk, 1, &m);
}

static const char *list_nothing(void)
{
	struct message m = {.kind = MESSAGE_HEADS, .heads.all = true};

	return desk_frame(&desk, 1, &m);
}

Test(mesh, who_knows_it_hears_nothing_but_pings_while_nothing_changes)
{
	open_quiet();
	cr_expect(eq(i64, desk.ping_ns, 2 * NS_PER_S));
	for (int i = 0; i < 2; i++)
		cr_expect(eq(int, pass_until("ping"), 1));
	desk.age_ns = 3 * NS_PER_S;
	cr_expect(eq(int, pass_until("ping"), 1));
	cr_expect(eq(i64, desk.ping_ns, 3 * NS_PER_S));
}

/* Else a change would cost a look at every origin for every node of the organisation. */
Test(mesh, what_is_told_to_many_is_looked_at_once)
{
	struct laid *l = open_quiet();

	desk_pass(&desk, 100 * NS_PER_MS);
	desk.heads_given = 0;
	l->count = l->head_count = 5;
	EXPECT(desk_event(&desk, &(struct mesh_event){.kind = MESH_CHANGED}), "heads acme/a2:5");
	const unsigned of_one = desk.heads_given;
	for (uint32_t s = 2; s <= 4; s++) {
		desk_up(&desk, s, "acme", s == 2 ? "a3" : s == 3 ? "a4" : "a5");
		desk_hello(&desk, s, "acme", s == 2 ? "a3" : s == 3 ? "a4" : "a5");
	}
	desk_pass(&desk, 100 * NS_PER_MS);
	l->count = l->head_count = 4;
	desk.heads_given = 0;
	const char *text = desk_event(&desk, &(struct mesh_event){.kind = MESH_CHANGED});
	EXPECT(text, "heads acme/a2:4, @2 heads acme/a2:4, @3 heads acme/a2:4, @4 heads acme/a2:4");
	cr_expect(eq(uint, desk.heads_given, of_one));
}

Test(mesh, before_a_ping_goes_out_what_has_changed_is_told)
{
	struct laid *l = open_quiet();

	l->count = l->head_count = 4;
	cr_expect(eq(int, pass_until("heads acme/a2:4, ping"), 1));
}

Test(mesh, what_is_old_is_told_with_its_own_age)
{
	open_quiet();
	desk.age_ns = PING_AGE_MAX_NS + 1;
	cr_expect(eq(int, pass_until("heads acme/a2:3, ping"), 1));
	cr_expect(eq(i64, desk.ping_ns, 0)); /* about nothing */
	cr_expect(eq(int, pass_until("ping"), 1));
	desk.age_ns = PING_AGE_MAX_NS;
	EXPECT(ping_me(0), "");
	cr_expect(eq(int, pass_until("heads acme/a2:3, ping"), 1));
	cr_expect(eq(i64, desk.ping_ns, PING_AGE_MAX_NS));
}

Test(mesh, a_ping_says_of_what_is_between_two_states_when_it_was_told)
{
	struct laid *l = open_quiet();
	const int64_t told_ns = desk.now_ns;

	l->count = 4;
	cr_expect(eq(int, pass_until("ping"), 1));
	cr_expect(eq(i64, desk.ping_ns, desk.now_ns - told_ns + 2 * NS_PER_S));
	for (int i = 0; i < 4; i++) {
		EXPECT(ping_me(0), "");
		cr_expect(eq(int, pass_until("ping"), 1));
	}
	EXPECT(ping_me(0), "");
	cr_expect(eq(int, pass_until("heads all, ping"), 1));
	cr_expect(eq(i64, desk.ping_ns, 0));
}

Test(mesh, what_is_not_offered_any_more_is_taken_back)
{
	struct laid *l = open_quiet();

	l->offered = false;
	cr_expect(eq(int, pass_until("heads all, ping"), 1));
}

Test(mesh, tells_all_again_when_asked_but_not_faster_than_it_may)
{
	open_quiet();
	EXPECT(desk_pass(&desk, NS_PER_S), "");
	EXPECT(tell_me(), "heads all acme/a2:3, ping");
	EXPECT(tell_me(), "");
	desk_pass(&desk, NS_PER_S - 1);
	EXPECT(desk_pass(&desk, 1), "heads all acme/a2:3, ping");
}

Test(mesh, a_ping_vouches_for_what_was_told_and_is_held)
{
	struct laid *l = open_quiet();

	EXPECT(desk_heads(&desk, 1, "acme/a2", 9, 3), "heard acme/a2 2s");
	desk.now_ns += 3 * NS_PER_S;
	EXPECT(ping_me(NS_PER_S), "heard acme/a2 1s");
	l->count = 2; /* the disk lost something */
	EXPECT(ping_me(0), "ping, pull acme/a2 from c1");
}

/* It may have it from this node: if the flight of the frames were left out, it would get younger each time.
 */
Test(mesh, what_a_relay_says_of_an_age_is_older_by_the_way)
{
	open_quiet();
	EXPECT(desk_heads(&desk, 1, "acme/a2", 9, 3), "heard acme/a2 2s");
	desk.now_ns += 3 * NS_PER_S;
	EXPECT(ping_me(NS_PER_S - 200 * NS_PER_MS), "heard acme/a2 1s");
	desk.now_ns += 200 * NS_PER_MS;
	EXPECT(ping_me(NS_PER_S + 50 * NS_PER_MS), "ping"); /* what was just heard, told back */
}

Test(mesh, of_the_peer_itself_a_ping_says_that_it_is_so_now)
{
	open_quiet();
	*desk_lay(&desk, "acme/a1") = (struct laid){.origin = "acme/a1",
						    .held = true,
						    .cursor = "c1",
						    .count = 3,
						    .head_count = 3,
						    .head_seq = 9};
	desk_heads(&desk, 1, "acme/a1", 9, 3);
	desk.now_ns += NS_PER_S;
	EXPECT(ping_me(9 * NS_PER_S), "heard acme/a1 0s");
}

Test(mesh, a_ping_says_nothing_of_what_was_told_as_old)
{
	open_quiet();
	desk.age_ns = PING_AGE_MAX_NS + NS_PER_S;
	EXPECT(desk_heads(&desk, 1, "acme/a2", 9, 3), "heard acme/a2 11s");
	EXPECT(ping_me(0), "");
}

Test(mesh, who_missed_a_frame_asks_until_all_is_told)
{
	struct message ping = {.kind = MESSAGE_PING};

	open_quiet();
	desk_heads(&desk, 1, "acme/a2", 9, 3);
	desk.frame++; /* lost */
	EXPECT(desk_frame(&desk, 1, &ping), "tell");
	EXPECT(ping_me(0), "");
	EXPECT(desk_pass(&desk, NS_PER_S), "tell");
	EXPECT(list_nothing(), "");
	EXPECT(desk_pass(&desk, 100 * NS_PER_MS), "");
}

Test(mesh, what_is_not_listed_is_not_offered)
{
	open_quiet();
	*desk_lay(&desk, "acme/a3") = (struct laid){.origin = "acme/a3"};
	EXPECT(desk_heads(&desk, 1, "acme/a3", 9, 3), "pull acme/a3 from 0");
	EXPECT(list_nothing(), "");
	EXPECT(ping_me(0), "");
	desk.now_ns += NS_PER_S;
	EXPECT(desk_heads(&desk, 1, "acme/a2", 9, 3), "heard acme/a2 2s");
}

Test(mesh, heads_that_cannot_be_believed_are_asked_for_again_when_trust_changes)
{
	struct head_notice notice = desk_notice(&desk, "acme/a3", 9, 0, 3);
	struct message m = {.kind = MESSAGE_HEADS, .heads = {&notice, 1, false}};
	const struct mesh_event trust = {.kind = MESH_TRUST};

	open_quiet();
	notice.head.key.b[0] = 1;
	EXPECT(desk_frame(&desk, 1, &m), "");
	EXPECT(desk_pass(&desk, NS_PER_S), "tell");
	EXPECT(desk_event(&desk, &trust), "tell");
}

Test(mesh, sleeping_longer_than_it_wanted_it_closes_nobody)
{
	open_session();
	EXPECT(desk_pass(&desk, 3600 * NS_PER_S), "ping");
	cr_expect(eq(int, pass_until("close"), 5));
}

Test(mesh, closes_a_session_on_which_no_hello_comes)
{
	desk_up(&desk, 1, "acme", "a1");
	cr_expect(eq(i64, mesh_deadline(desk.mesh), desk.now_ns + 5 * NS_PER_S));
	EXPECT(desk_pass(&desk, 5 * NS_PER_S), "close");
}

Test(mesh, closes_after_bye_and_when_the_connection_broke)
{
	struct message bye = {.kind = MESSAGE_BYE};
	const struct mesh_event down = {.kind = MESH_DOWN, .session = 1};

	open_session();
	EXPECT(desk_frame(&desk, 1, &bye), "close");
	EXPECT(desk_up(&desk, 2, "acme", "a1"), "@2 hello");
	EXPECT(desk_event(&desk, &down), "");
	cr_expect(eq(sz, stats().sessions_open, 0));
}

Test(mesh, says_what_it_is_told_to_once_the_session_is_open)
{
	struct message question = {.kind = MESSAGE_QUESTION};
	const struct mesh_event say = {.kind = MESH_SAY, .session = 1, .message = &question};

	desk_up(&desk, 1, "acme", "a1");
	EXPECT(desk_event(&desk, &say), "");
	EXPECT(desk_hello(&desk, 1, "acme", "a1"), "opened, ping");
	uint64_t frame = desk.my_frame;
	EXPECT(desk_event(&desk, &say), "question");
	cr_expect(eq(u64, desk.my_frame, frame + 1));
	cr_expect(ne(u64, desk.my_nonce, 0));
}

Test(mesh, hands_policies_on_only_inside_the_organisation)
{
	struct message policy = {.kind = MESSAGE_POLICY};

	open_session();
	EXPECT(desk_frame(&desk, 1, &policy), "deliver policy");
	EXPECT(desk_up(&desk, 2, "bolt", "b1"), "@2 hello");
	desk.frame = 0;
	EXPECT(desk_hello(&desk, 2, "bolt", "b1"), "@2 opened, @2 ping");
	EXPECT(desk_frame(&desk, 2, &policy), "@2 alarm, @2 close");
}

/* ---- the credential in HELLO ---- */

static struct message hello_with(const char *credential)
{
	return (struct message){.kind = MESSAGE_HELLO,
				.hello = {.protocol_min = PROTOCOL_MIN,
					  .protocol_max = PROTOCOL_MAX,
					  .features = FEATURE_TRUST,
					  .org = "acme",
					  .node = "a1",
					  .credential = bytes_of_text(credential)}};
}

/* Session 1 is greeted; `belief` is what the port says of it. */
static const char *greet(int belief)
{
	static struct message m;

	m = hello_with("old");
	desk.belief = belief;
	desk_up(&desk, 1, "acme", "a1");
	return desk_frame(&desk, 1, &m);
}

static const char *say(enum message_kind kind)
{
	const struct message m = {.kind = kind, .standing = {.org = "acme"}};
	const struct mesh_event e = {.kind = MESH_SAY, .session = 1, .message = &m};

	return desk_event(&desk, &e);
}

static const char *hear(enum message_kind kind)
{
	struct message m = {.kind = kind};

	return desk_frame(&desk, 1, &m);
}

static const char *look_again(const char *credential)
{
	const struct mesh_event e = {.kind = MESH_TRUST, .credential = bytes_of_text(credential)};

	return desk_event(&desk, &e);
}

Test(mesh, believes_no_credential_unseen)
{
	EXPECT(greet(ERR_UNTRUSTED), "alarm, close");
	cr_expect(eq(int, desk.shown, 'o'));
	cr_expect(eq(u64, stats().frames_refused, 1));
}

Test(mesh, until_a_peer_is_believed_only_words_about_trust_pass)
{
	static const struct {
		enum message_kind kind;
		const char *heard, *said;
	} kinds[] = {
		{MESSAGE_HEADS, "", ""},
		{MESSAGE_PULL, "", ""},
		{MESSAGE_ROWS, "", ""},
		{MESSAGE_RESET, "", ""},
		{MESSAGE_QUESTION, "", ""},
		{MESSAGE_ANSWER, "", ""},
		{MESSAGE_PING, "", ""},
		{MESSAGE_POLICY, "", ""},
		{MESSAGE_AGREEMENT, "", ""},
		{MESSAGE_FRESHNESS, "", ""},
		{MESSAGE_TELL, "", ""},
		{MESSAGE_REPAIR, "", ""},
		{MESSAGE_SUMS, "", ""},
		{MESSAGE_REACH, "", ""},
		{MESSAGE_STANDING, "deliver standing", "standing"},
		{MESSAGE_TRUST, "deliver trust", "trust"},
	};
	const size_t n = sizeof kinds / sizeof *kinds;

	EXPECT(greet(MESH_NOT_YET), "");
	cr_expect(eq(sz, stats().sessions_open, 0));
	for (size_t i = 0; i < n; i++) {
		EXPECT(hear(kinds[i].kind), kinds[i].heard);
		EXPECT(say(kinds[i].kind), kinds[i].said);
	}
	cr_expect(eq(u64, stats().frames_unbelieved, n - 2));
	EXPECT(desk_pass(&desk, NS_PER_S), ""); /* neither heads nor pings */
	EXPECT(hear(MESSAGE_BYE), "close");
}

Test(mesh, every_kind_of_message_is_in_that_list)
{
	cr_expect(eq(int, N_MESSAGE_KINDS, 19), "say in the test before what may pass of the new one");
}

Test(mesh, opens_when_what_is_trusted_has_changed)
{
	greet(MESH_NOT_YET);
	EXPECT(look_again(""), "");
	desk.belief = 0;
	EXPECT(look_again(""), "opened");
	EXPECT(desk_pass(&desk, 0), "ping");
	EXPECT(look_again(""), "");
}

Test(mesh, opens_when_the_peer_shows_another_credential)
{
	struct message m = hello_with("new");

	greet(MESH_NOT_YET);
	desk.belief = 0;
	EXPECT(desk_frame(&desk, 1, &m), "opened");
	cr_expect(eq(int, desk.shown, 'n'));
}

Test(mesh, ends_a_session_that_is_no_longer_believed)
{
	EXPECT(greet(0), "opened");
	desk.belief = MESH_NOT_YET;
	EXPECT(look_again(""), "close");
	cr_expect(eq(sz, stats().sessions_open, 0));
}

Test(mesh, shows_its_own_new_credential_at_once)
{
	greet(0);
	EXPECT(desk_pass(&desk, 0), "ping");
	EXPECT(look_again("mine"), "hello");
	EXPECT(look_again("mine"), "");
}

Test(mesh, says_nothing_of_trust_to_who_does_not_know_the_words)
{
	desk_up(&desk, 1, "acme", "a1");
	desk_hello(&desk, 1, "acme", "a1"); /* without features */
	EXPECT(say(MESSAGE_STANDING), "");
	EXPECT(say(MESSAGE_FRESHNESS), "");
	EXPECT(say(MESSAGE_QUESTION), "question");
}

/* A node's day in short, one step after the other; how many ran out of memory. */
static int live(struct desk *d)
{
	const struct laid mine = {
		.origin = "acme/me", .offered = true, .head_seq = 5, .head_count = 3, .batches = 2};
	struct message pull = {.kind = MESSAGE_PULL, .pull = {.id = 1, .origin = "acme/me", .credit = 8}};

	desk_lay(d, "acme/me");
	d->laid[0] = mine;
	return !desk_up(d, 1, "acme", "a1") + !desk_hello(d, 1, "acme", "a1") +
	       !desk_heads(d, 1, "acme/a1", 7, 2) + !desk_rows(d, "acme/a1", 0, 2, 7, 2) +
	       !desk_stored(d, 0) + !desk_frame(d, 1, &pull);
}

static bool live_with(int step, long allowed)
{
	struct desk d;

	desk_init(&d);
	d.fail_step = step;
	d.fail_after = allowed;
	int lost = live(&d);
	cr_expect(le(int, lost, d.failed), "step %d, allocation %ld", step, allowed);
	d.fail_step = 0;
	cr_expect(desk_pass(&d, NS_PER_S) != NULL, "step %d, allocation %ld", step, allowed);
	desk_fini(&d);
	return d.failed;
}

Test(mesh_memory, every_allocation_may_fail_in_every_step)
{
	int failures = 0;

	for (int step = 1; step <= 7; step++)
		for (long allowed = 0; live_with(step, allowed); allowed++)
			failures++;
	cr_expect(gt(int, failures, 20));
}
