/* SPDX-License-Identifier: Apache-2.0 */
/* What the mesh wants said, when it cannot be said to one. */
#include <criterion/criterion.h>
#include <criterion/new/assert.h>

#include "node/gossip.h"
#include "proto/clock.h"
#include "tests/lib/must.h"
#include "tests/unit/node/wire.h"

TestSuite(gossip, .init = wire_set_up, .fini = wire_tear_down);

/* Frames of a session that came out of order, or not at all. */
static size_t gaps(uint32_t session)
{
	uint64_t frame = 0;
	size_t n = 0;

	for (size_t i = 0; i < wire_n_sent; i++)
		if (wire_sent[i].session == session)
			n += wire_sent[i].message.frame != ++frame;
	return n;
}

/* All sessions are greeted anew in one list. The first cannot be: what the mesh then wants of another one,
 * its stream, must not pass the greeting that is still on the list. */
Test(gossip, what_cannot_be_sent_to_one_ends_its_session_when_the_others_have_theirs)
{
	wire_join(WIRE_VOLT);
	wire_join(WIRE_OWN);
	wire_join(WIRE_VOLT_AGAIN);
	wire_offer(WIRE_VOLT);
	wire_offer(WIRE_VOLT_AGAIN);
	cr_assert(wire_last(WIRE_VOLT, MESSAGE_PULL) != NULL);
	cr_assert(wire_last(WIRE_VOLT_AGAIN, MESSAGE_PULL) == NULL);

	const size_t before = wire_n_sent;
	wire_deaf = WIRE_VOLT;
	world.trust->credential = BYTES("a later credential of acme/n1");
	gossip_trust(world.gossip);
	cr_expect(gossip_session(world.gossip, WIRE_VOLT) == NULL);
	cr_expect(gossip_session(world.gossip, WIRE_OWN) != NULL);
	cr_expect(gossip_session(world.gossip, WIRE_VOLT_AGAIN) != NULL);
	cr_expect(wire_last(WIRE_OWN, MESSAGE_HELLO) >= wire_sent + before);
	cr_expect(wire_last(WIRE_VOLT_AGAIN, MESSAGE_HELLO) >= wire_sent + before);
	cr_expect(wire_last(WIRE_VOLT_AGAIN, MESSAGE_PULL) != NULL);
	cr_expect(eq(sz, gaps(WIRE_OWN), 0));
	cr_expect(eq(sz, gaps(WIRE_VOLT_AGAIN), 0));
}

Test(gossip, who_cannot_be_sent_to_is_not_reachable)
{
	const struct message bye = {.kind = MESSAGE_BYE};

	wire_join(WIRE_OWN);
	wire_deaf = WIRE_OWN;
	cr_expect(eq(int, gossip_say(world.gossip, WIRE_OWN, &bye), ERR_UNREACHABLE));
	cr_expect(gossip_session(world.gossip, WIRE_OWN) == NULL);
}
