/* SPDX-License-Identifier: Apache-2.0 */
#include <criterion/criterion.h>
#include <criterion/new/assert.h>
#include <string.h>

#include "federation/membership.h"

enum { LOW = 1, MIDDLE = 5, HIGH = 9, N = 6, STEP_MS = 200, SETTLE_S = 60, SEEDS = 50 };

static struct curve_key key(uint8_t n)
{
	struct curve_key k = {.b = {n}};

	return k;
}

/* ---- A pair ---- */

struct moment {
	double at_s;
	bool dialled, accepted;
	bool dial; /* is to be */
};

struct story {
	const char *what;
	uint8_t other;   /* key; this node is MIDDLE */
	bool deaf, mute; /* this node has no endpoint; the other has none */
	bool ended;      /* the other's credential */
	bool learnt;     /* of the other, just now */
	struct moment moments[6];
};

static const struct story stories[] = {
	{"the lower key dials at once and goes on", HIGH,
	 .moments = {{0, 0, 0, true}, {9, 1, 0, true}, {10, 0, 0, true}}},
	{"the lower key keeps its link when both have one", HIGH,
	 .moments = {{0, 1, 1, true}, {60, 1, 1, true}}},
	{"somebody just learnt of learns first", HIGH, .learnt = true,
	 .moments = {{0, 0, 0, false}, {0.14, 0, 0, false}, {0.15, 0, 0, true}, {60, 0, 0, true}}},
	{"the lower key does not dial who is there", HIGH, .moments = {{0, 0, 1, false}, {60, 0, 0, true}}},
	{"the higher key waits", LOW,
	 .moments =
		 {{0, 0, 0, false}, {1.9, 0, 0, false}, {2, 0, 0, true}, {3, 1, 0, true}, {90, 1, 0, true}}},
	{"the higher key waits anew after each session", LOW,
	 .moments = {{0, 0, 1, false}, {50, 0, 0, false}, {51.9, 0, 0, false}, {52, 0, 0, true}}},
	{"the higher key's link ends some time after the other's is there", LOW,
	 .moments = {{0, 1, 0, true},
		     {10, 1, 1, true},
		     {14.9, 1, 1, true},
		     {15, 1, 1, false},
		     {16, 0, 1, false}}},
	{"the higher key's link stays when the other's breaks first", LOW,
	 .moments = {{0, 1, 0, true},
		     {10, 1, 1, true},
		     {14, 1, 0, true},
		     {30, 1, 1, true},
		     {34, 1, 1, true},
		     {35, 1, 1, false}}},
	{"who cannot be dialled dials", LOW, .deaf = true, .moments = {{0, 0, 0, true}, {9, 1, 0, true}}},
	{"who cannot be dialled is not", HIGH, .mute = true, .moments = {{0, 0, 0, false}, {9, 0, 0, false}}},
	{"whose credential has ended is not dialled", HIGH, .ended = true,
	 .moments = {{0, 0, 0, false}, {9, 0, 0, false}}},
};

Test(membership, pairs)
{
	for (size_t i = 0; i < sizeof stories / sizeof *stories; i++) {
		const struct story *s = &stories[i];
		const struct member_self self = {key(MIDDLE), "acme", !s->deaf};
		struct member peers[] = {{.key = key(s->other), .counts = !s->ended, .dialable = !s->mute},
					 {.key = key(HIGH + 1), .dialled = true}}; /* so it is not alone */
		for (size_t j = 0; j < 6 && (j == 0 || s->moments[j].at_s > 0); j++) {
			const struct moment *x = &s->moments[j];
			int64_t deadline_ns = INT64_MAX;
			peers[0].dialled = x->dialled;
			peers[0].accepted = x->accepted;
			peers[0].learnt = s->learnt;
			membership_inside(&self, peers, 2, (int64_t)(x->at_s * 1e9), &deadline_ns);
			cr_expect(eq(int, peers[0].dial, x->dial), "%s, at %g s", s->what, x->at_s);
		}
	}
}

Test(membership, says_when_it_wants_to_look_again)
{
	const struct member_self self = {key(MIDDLE), "acme", true};
	struct member peers[] = {{.key = key(LOW), .counts = true, .dialable = true},
				 {.key = key(HIGH), .dialled = true}};
	int64_t deadline_ns = INT64_MAX;

	membership_inside(&self, peers, 2, 100, &deadline_ns);
	cr_expect(eq(i64, deadline_ns, 100 + MEMBER_SECOND_NS));
}

Test(membership, who_is_alone_dials_some_at_once_whatever_their_keys)
{
	const struct member_self self = {key(HIGH), "acme", true};
	struct member peers[4];
	int64_t deadline_ns = INT64_MAX;

	for (int i = 0; i < 4; i++)
		peers[i] = (struct member){.key = key(1 + i), .counts = i > 0, .dialable = true};
	membership_inside(&self, peers, 4, 1, &deadline_ns);
	for (int i = 0; i < 4; i++)
		cr_expect(eq(int, peers[i].dial, i == 1 || i == 2), "%d", i);
	peers[1].dialled = true;
	membership_inside(&self, peers, 4, 2, &deadline_ns);
	for (int i = 0; i < 4; i++)
		cr_expect(eq(int, peers[i].dial, i == 1 || i == 2), "%d: what began goes on", i);
}

/* ---- Two organisations ---- */

/* Side 0 and side 1, each with borders that see each other, or not; who gets through to whom; what is so. */
static struct world {
	int n[2];
	bool dead[2][N], apart[2][N][N]; /* fellows that do not see each other */
	bool through[2][N][N];           /* [side][from][to]: a dial of `side` */
	bool deaf[2][N];                 /* has no endpoint */
	bool link[2][N][N];
	struct member_fellow fellows[2][N][N];
	struct member borders[2][N][N];
	int64_t now_ns;
} w;

static struct curve_key key_of(int side, int i)
{
	return key((uint8_t)(1 + (i * 37 + side * 101) % 251));
}

static bool has_session(int side, int i, int j)
{
	return w.link[side][i][j] || w.link[!side][j][i];
}

static int sessions_of(int side, int i)
{
	int n = 0;

	for (int j = 0; j < w.n[!side]; j++)
		n += has_session(side, i, j);
	return n;
}

static void decide_all(int side, int i)
{
	const struct member_self self = {key_of(side, i), side ? "harbor" : "acme", !w.deaf[side][i]};
	struct member_fellow *f = w.fellows[side][i];
	struct member *b = w.borders[side][i];
	int64_t deadline_ns = INT64_MAX;
	size_t n_fellows = 0;

	for (int j = 0; j < w.n[side]; j++) {
		if (j == i)
			continue;
		struct member_fellow *x = &f[n_fellows++];
		x->key = key_of(side, j);
		x->counts = true;
		x->reaches = !w.dead[side][j] && !w.apart[side][i][j] && sessions_of(side, j) > 0;
	}
	for (int j = 0; j < w.n[!side]; j++) {
		b[j].key = key_of(!side, j);
		b[j].counts = true;
		b[j].dialable = !w.deaf[!side][j];
		b[j].dialled = w.link[side][i][j];
		b[j].accepted = w.link[!side][j][i];
	}
	const struct member_partner p = {side ? "acme" : "harbor", f, n_fellows, b, (size_t)w.n[!side]};
	membership_across(&self, &p, w.now_ns, &deadline_ns);
}

static void step(void)
{
	for (int side = 0; side < 2; side++)
		for (int i = 0; i < w.n[side]; i++)
			if (!w.dead[side][i])
				decide_all(side, i);
	for (int side = 0; side < 2; side++)
		for (int i = 0; i < w.n[side]; i++)
			for (int j = 0; j < w.n[!side]; j++)
				w.link[side][i][j] = w.borders[side][i][j].dial && w.through[side][i][j] &&
						     !w.dead[side][i] && !w.dead[!side][j];
	w.now_ns += STEP_MS * NS_PER_MS;
}

static void settle(void)
{
	for (int i = 0; i < SETTLE_S * 1000 / STEP_MS; i++)
		step();
}

static void all_get_through(int n)
{
	w = (struct world){.n = {n, n}, .now_ns = NS_PER_S};
	memset(w.through, true, sizeof w.through);
}

/* The place in its ranking, from 0. */
static int place_of(int side, int i)
{
	const char *org = side ? "acme" : "harbor";
	const struct curve_key mine = key_of(side, i);
	int before = 0;

	for (int j = 0; j < w.n[side]; j++) {
		const struct curve_key other = key_of(side, j);
		before += membership_rank(&other, org) < membership_rank(&mine, org);
	}
	return before;
}

static int at_place(int side, int place)
{
	int i = 0;

	while (place_of(side, i) != place)
		i++;
	return i;
}

Test(membership, the_two_best_of_each_side_speak)
{
	all_get_through(4);
	settle();
	for (int side = 0; side < 2; side++)
		for (int i = 0; i < 4; i++)
			cr_expect(eq(int, sessions_of(side, i), place_of(side, i) < 2 ? 2 : 0));
}

Test(membership, the_next_steps_in_and_steps_back)
{
	all_get_through(4);
	settle();
	const int best = at_place(0, 0), third = at_place(0, 2);
	w.dead[0][best] = true;
	settle();
	cr_expect(eq(int, sessions_of(0, third), 2));
	w.dead[0][best] = false;
	settle();
	cr_expect(eq(int, sessions_of(0, third), 0));
	cr_expect(eq(int, sessions_of(0, best), 2));
}

Test(membership, one_that_comes_and_goes_is_not_followed)
{
	all_get_through(3);
	settle();
	const int best = at_place(0, 0), third = at_place(0, 2);
	w.dead[0][best] = true;
	settle();
	for (int i = 0; i < 20; i++) {
		w.dead[0][best] = !w.dead[0][best];
		for (int j = 0; j < 4000 / STEP_MS; j++) {
			step();
			cr_assert(eq(int, sessions_of(0, third) > 0, 1), "turn %d", i);
		}
	}
}

Test(membership, who_is_well_and_does_not_get_through_is_passed_over)
{
	all_get_through(3);
	const int best = at_place(0, 0), second = at_place(0, 1), third = at_place(0, 2);
	for (int j = 0; j < 3; j++)
		for (int i = 0; i < 3; i++)
			if (i == best || i == second)
				w.through[0][i][j] = w.through[1][j][i] = false;
	settle();
	cr_expect(eq(int, sessions_of(0, third), 2));
}

/* ---- Any two sets of borders ---- */

static uint64_t dice;

static unsigned roll(unsigned n)
{
	dice = dice * UINT64_C(6364136223846793005) + UINT64_C(1442695040888963407);
	return (unsigned)(dice >> 33) % n;
}

static void roll_world(void)
{
	const unsigned loss = roll(5);

	for (int side = 0; side < 2; side++)
		for (int i = 0; i < N; i++) {
			w.dead[side][i] = roll(6) == 0;
			for (int j = 0; j < N; j++)
				w.through[side][i][j] = roll(5) >= loss;
		}
}

static bool may_meet(int side, int i, int j)
{
	return !w.dead[side][i] && !w.dead[!side][j] &&
	       ((w.through[side][i][j] && !w.deaf[!side][j]) || (w.through[!side][j][i] && !w.deaf[side][i]));
}

static void expect_settled(unsigned seed)
{
	bool possible = false, met = false;

	for (int i = 0; i < w.n[0]; i++)
		for (int j = 0; j < w.n[1]; j++) {
			possible = possible || may_meet(0, i, j);
			met = met || has_session(0, i, j);
		}
	cr_assert(eq(int, met, possible), "seed %u", seed);
	for (int side = 0; side < 2; side++)
		for (int i = 0; i < w.n[side]; i++)
			cr_assert(le(int, sessions_of(side, i), 2), "seed %u: side %d, %d", seed, side, i);
}

Test(membership, whatever_gets_through_each_border_ends_with_two_at_most_and_the_organisations_meet)
{
	for (unsigned seed = 1; seed <= SEEDS; seed++) {
		dice = seed;
		w = (struct world){.n = {1 + (int)roll(N), 1 + (int)roll(N)}, .now_ns = NS_PER_S};
		for (int i = 0; i < N; i++)
			w.deaf[0][i] = roll(8) == 0;
		for (int change = 0; change < 4; change++) {
			roll_world();
			settle();
			expect_settled(seed);
		}
	}
}

/* Inside: whoever may meet, meets, with one link. */
Test(membership, any_two_nodes_that_can_meet_do)
{
	for (unsigned bits = 0; bits < 16; bits++) {
		const bool through[2] = {bits & 1, bits & 2}, deaf[2] = {bits & 4, bits & 8};
		struct member to[2] = {{.key = key(HIGH), .counts = true, .dialable = !deaf[1]},
				       {.key = key(LOW), .counts = true, .dialable = !deaf[0]}};
		bool link[2] = {0};
		for (int64_t now_ns = NS_PER_S; now_ns < SETTLE_S * NS_PER_S; now_ns += STEP_MS * NS_PER_MS) {
			for (int i = 0; i < 2; i++) {
				const struct member_self self = {key(i ? HIGH : LOW), "acme", !deaf[i]};
				int64_t deadline_ns = INT64_MAX;
				to[i].dialled = link[i];
				to[i].accepted = link[!i];
				membership_inside(&self, &to[i], 1, now_ns, &deadline_ns);
			}
			for (int i = 0; i < 2; i++)
				link[i] = to[i].dial && through[i];
		}
		const bool low = through[0] && !deaf[1], high = through[1] && !deaf[0];
		cr_expect(eq(int, link[0] + link[1], low || high), "%u", bits);
	}
}
