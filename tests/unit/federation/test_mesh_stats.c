/* SPDX-License-Identifier: Apache-2.0 */
/* What the mesh tells of itself: who had part in what, and how far behind it is. */
#include <criterion/criterion.h>
#include <criterion/new/assert.h>
#include <stdio.h>

#include "tests/unit/federation/desk.h"

static struct desk desk;

static void begin(void)
{
	desk_init(&desk);
	desk_up(&desk, 1, "acme", "a1");
	desk_hello(&desk, 1, "acme", "a1");
	desk_up(&desk, 2, "bolt", "b1");
}

static void end(void)
{
	desk_fini(&desk);
}

TestSuite(mesh_stats, .init = begin, .fini = end);

static struct mesh_stats of(const char *org, const char *node)
{
	struct mesh_stats s;

	mesh_peer_stats(desk.mesh, org, node, &s);
	return s;
}

static const char *bad(uint64_t nonce, uint64_t frame)
{
	const struct message m = {.kind = MESSAGE_PING, .nonce = nonce, .frame = frame};

	return desk_raw(&desk, 1, &m);
}

Test(mesh_stats, frames_are_counted_of_who_sent_them)
{
	bad(desk.nonce + 1, desk.frame + 1);
	bad(desk.nonce, desk.frame + 5);
	cr_expect(eq(u64, of("acme", "a1").frames_old_session, 1));
	cr_expect(eq(u64, of("acme", "a1").frames_gap, 1));
	cr_expect(eq(u64, of("bolt", "b1").frames_gap, 0));
	cr_expect(eq(u64, of("bolt", "nobody").frames_gap, 0));
}

Test(mesh_stats, outlive_a_session)
{
	bad(desk.nonce + 1, desk.frame + 1);
	desk_event(&desk, &(struct mesh_event){.kind = MESH_DOWN, .session = 1});
	desk_up(&desk, 3, "acme", "a1");
	cr_expect(eq(u64, of("acme", "a1").frames_old_session, 1));
	cr_expect(eq(u64, of("acme", "a1").sessions, 1));
}

Test(mesh_stats, of_peers_that_went_make_room)
{
	char node[16];

	for (uint32_t i = 10; i < 5000; i++) {
		snprintf(node, sizeof node, "n%u", i);
		desk_up(&desk, i, "acme", node);
		desk_event(&desk, &(struct mesh_event){.kind = MESH_DOWN, .session = i});
	}
	cr_expect(eq(u64, of("acme", "a1").sessions, 1), "who is there is not forgotten");
}

Test(mesh_stats, what_is_offered_and_not_held_is_a_lag)
{
	struct mesh_stream_stats s;

	cr_assert(not(mesh_stream_next(desk.mesh, 0, NULL, &s)));
	desk_heads(&desk, 1, "acme/a1", 7, 4);
	cr_assert(mesh_stream_next(desk.mesh, 0, NULL, &s));
	cr_expect_str_eq(s.origin, "acme/a1");
	cr_expect(s.behind && s.knows_lag);
	cr_expect(eq(u64, s.lag, 7));
	cr_expect(eq(int, (int)s.state, MESH_STREAM_PULLING));
	cr_expect(mesh_stream_next(desk.mesh, 1, NULL, &s));
	cr_expect(not(mesh_stream_next(desk.mesh, 2, NULL, &s)), "it does not offer it");
	cr_expect(not(mesh_stream_next(desk.mesh, 0, "acme/a1", &s)));
	cr_expect(mesh_stream_of(desk.mesh, "acme/a1", &s));
	cr_expect(not(mesh_stream_of(desk.mesh, "acme/a2", &s)));
}

Test(mesh_stats, what_is_held_whole_is_level)
{
	struct mesh_stream_stats s;
	struct laid *a1 = desk_lay(&desk, "acme/a1");

	*a1 = (struct laid){.origin = "acme/a1",
			    .held = true,
			    .cursor = "c7",
			    .count = 4,
			    .head_count = 4,
			    .head_seq = 7};
	desk_heads(&desk, 1, "acme/a1", 7, 4);
	cr_assert(mesh_stream_next(desk.mesh, 0, NULL, &s));
	cr_expect(not(s.behind));
	cr_expect(eq(u64, s.lag, 0));
	cr_expect(eq(int, (int)s.state, MESH_STREAM_LEVEL));
}

Test(mesh_stats, partners_tell_no_numbers)
{
	struct mesh_stream_stats s;

	desk_hello(&desk, 2, "bolt", "b1");
	desk_heads(&desk, 2, "bolt/b1", 0, 4);
	cr_assert(mesh_stream_next(desk.mesh, 2, NULL, &s));
	cr_expect(s.behind && !s.knows_lag);
}
