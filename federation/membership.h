/* SPDX-License-Identifier: Apache-2.0 */
/* Membership - with whom a node keeps a session, and which side dials (DESIGN 7).
 *
 * Pure: the owner says what it sees, with the time, and is told to whom to keep a link. What is decided
 * follows from the credentials and the node's own sight alone: nobody is elected, nothing is rumoured.
 *
 * A pair that wants a session:
 *
 *     lower key     dials while there is no session; at once, but somebody whom it just learnt of after
 *                   MEMBER_LEARNT_NS: that one has to learn of it as well, or would refuse it
 *     higher key    dials too after MEMBER_SECOND_NS without a session: perhaps only it gets through
 *     who has no session with anybody dials MEMBER_EAGER of the others at once, whatever their keys
 *     both did      the higher key's link ends after MEMBER_DOUBLE_NS, by when what was asked over it is
 *                   answered
 *     without an endpoint, or to somebody without one: as whoever can dial has the lower key
 *
 * Inside an organisation everybody wants everybody. Across a border each organisation ranks its border nodes
 * by a hash of their key and the partner's name (rendezvous hashing), and both sides know both rankings:
 *
 *     who speaks    a border, unless two before it in its own ranking do
 *     with whom     the first two of the partner's ranking that answer, and whoever stands before them: so
 *                   that it is seen when one comes back
 *
 * A border that is not seen to do its part for MEMBER_GONE_NS is passed over; it counts again when it has
 * done it for MEMBER_BACK_NS, so one that comes and goes is not followed.
 *
 * Owner:   the engine (gossip_peers.c), or a test.
 */
#pragma once

#include "proto/clock.h"
#include "proto/trust.h"

enum {
	MEMBER_BORDERS = 2, /* of each side that speak */
	MEMBER_EAGER = 2,
};

#define MEMBER_LEARNT_NS (150 * NS_PER_MS)
#define MEMBER_SECOND_NS (2 * NS_PER_S)
#define MEMBER_DOUBLE_NS (5 * NS_PER_S)
#define MEMBER_GONE_NS (5 * NS_PER_S)
#define MEMBER_BACK_NS (10 * NS_PER_S)

/* How long something is or is not so; zeroed: never looked at. */
struct member_sight {
	bool known, up;
	int64_t since_ns;
	bool gone; /* passed over */
};

/* Another node. Zeroed but for what the owner says before each look: */
struct member {
	struct curve_key key;
	bool counts;            /* its credential counts now */
	bool dialable;          /* it has an endpoint for this node */
	bool learnt;            /* of it, while this node was running */
	bool dialled, accepted; /* a session is open over a link of this node; ... of the other one */

	bool dial; /* what to do: keep a link to it, or none */

	/* private */
	struct member_sight sight;
	bool wanted, both, eager;
	int64_t wanted_ns, both_ns;
};

/* Another border node of the own organisation, as to one partner. The owner says: */
struct member_fellow {
	struct curve_key key;
	bool counts;
	bool reaches; /* a session with it is open, and it has one with the partner */

	/* private */
	struct member_sight sight;
};

struct member_self {
	struct curve_key key;
	const char *org;
	bool dialable; /* by those who are looked at */
};

/* The next look is due when something changes, and at *deadline_ns, which is only ever lowered. Times are
 * monotonic. */
void membership_inside(const struct member_self *self, struct member *peers, size_t n, int64_t now_ns,
		       int64_t *deadline_ns);

struct member_partner {
	const char *org;
	struct member_fellow *fellows; /* without this node */
	size_t n_fellows;
	struct member *borders;
	size_t n_borders;
};
/* This node is a border. */
void membership_across(const struct member_self *self, const struct member_partner *partner, int64_t now_ns,
		       int64_t *deadline_ns);

/* Lower comes first. `org`: the organisation that the border speaks with. */
uint64_t membership_rank(const struct curve_key *border, const char *org);
