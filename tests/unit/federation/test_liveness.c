/* SPDX-License-Identifier: Apache-2.0 */
#include <criterion/criterion.h>
#include <criterion/new/assert.h>

#include "federation/liveness.h"
#include "proto/clock.h"

static const struct liveness_options opt = {.every_ns = 2 * NS_PER_S, .cap_ns = 15 * NS_PER_S};

Test(liveness, time_overslept_is_not_awake_time)
{
	static const struct {
		int64_t due_ms, step_ms, want_ms;
	} rows[] = {
		{1000, 1000, 1000}, /* in time */
		{2000, 1500, 1500}, /* woken by something else */
		{2000, 2015, 2015}, /* timers are like that */
		{3000, 6000, 3000}, /* stopped, or on a busy machine */
		{6500, 7000, 3500}, /* the one before stays lost */
		{6000, 7500, 3500}, /* what was due before the last step counts from that one */
	};
	struct awake a;

	awake_begin(&a);
	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
		const int64_t last_ns = i > 0 ? rows[i - 1].step_ms * NS_PER_MS : 0;
		awake_until(&a, rows[i].due_ms * NS_PER_MS, last_ns);
		cr_expect(eq(i64, awake_step(&a, rows[i].step_ms * NS_PER_MS) / NS_PER_MS, rows[i].want_ms),
			  "row %zu", i);
	}
	cr_expect(eq(i64, awake_to_mono(&a, 3500 * NS_PER_MS), 7500 * NS_PER_MS));
	cr_expect(eq(i64, awake_to_mono(&a, INT64_MAX), INT64_MAX));
}

Test(liveness, patience_follows_what_a_peer_is_used_to)
{
	static const struct {
		const char *what;
		int64_t ms[8]; /* intervals, again and again */
		int n;
		int64_t least_ms, most_ms;
	} rows[] = {
		{"nothing is known", {0}, 0, 12000, 12000},
		{"as often as it should", {2000}, 40, 6000, 6000},
		{"more often", {100}, 40, 6000, 6000},
		{"seldom", {7000}, 80, 7000, 7001},
		{"irregularly", {1000, 1000, 1000, 5000}, 80, 8000, 11000},
		{"so seldom that it is as good as gone", {30000}, 80, 15000, 15000},
		{"all at once", {0}, 40, 6000, 6000},
	};

	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
		struct pulse p;
		int64_t now_ns = NS_PER_S, n = 0;
		while (n < 8 && rows[i].ms[n] > 0)
			n++;
		pulse_begin(&p, &opt, now_ns);
		for (int k = 0; k < rows[i].n; k++) {
			now_ns += (n > 0 ? rows[i].ms[k % n] : 0) * NS_PER_MS;
			pulse_heard(&p, now_ns);
			pulse_beat(&p, &opt, now_ns);
		}
		cr_expect(p.patience_ns / NS_PER_MS >= rows[i].least_ms &&
				  p.patience_ns / NS_PER_MS <= rows[i].most_ms,
			  "%s: %lld ms", rows[i].what, (long long)(p.patience_ns / NS_PER_MS));
	}
}

Test(liveness, a_silence_has_grades)
{
	static const struct {
		int64_t silent_ms;
		enum pulse_state want;
	} rows[] = {
		{0, PULSE_WELL},       {2999, PULSE_WELL},     {3000, PULSE_LATE},  {5999, PULSE_LATE},
		{6000, PULSE_OVERDUE}, {14999, PULSE_OVERDUE}, {15000, PULSE_GONE}, {3600000, PULSE_GONE},
	};
	const struct pulse p = {.heard_ns = NS_PER_S, .patience_ns = 6 * NS_PER_S};

	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++)
		cr_expect(eq(int, pulse_state(&p, &opt, NS_PER_S + rows[i].silent_ms * NS_PER_MS),
			     rows[i].want),
			  "row %zu", i);
}

Test(liveness, a_crowd_that_is_late_is_not_the_one_to_blame)
{
	static const struct {
		size_t unwell, all;
		bool want;
	} rows[] = {
		{1, 1, false}, {2, 2, false}, {1, 3, false},   {2, 3, true},
		{2, 4, false}, {3, 4, true},  {20, 40, false}, {21, 40, true},
	};

	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++)
		cr_expect(eq(int, liveness_is_own_fault(rows[i].unwell, rows[i].all), rows[i].want),
			  "row %zu", i);
}

/* ---- a machine on which many nodes wait for their turn ---------------------------------------------------
 */

enum { NODES = 12, SECONDS = 600 };

struct machine {
	uint64_t random;
	int64_t most_ms;  /* a node waits up to so long for its turn */
	int64_t pause_ms; /* now and then all of them do */
	int stopped;      /* this one for three seconds now and then; -1: nobody */
	int killed;       /* this one ended at half time; -1: nobody */
	struct awake awake;
	struct pulse pulses[NODES]; /* of the others, as node 0 sees them */
	int64_t send_ns[NODES], first_gone_ns;
	unsigned wrong; /* living ones that were judged */
};

static int64_t below(struct machine *w, int64_t n)
{
	w->random = w->random * 6364136223846793005u + 1442695040888963407u;
	return n > 0 ? (int64_t)(w->random >> 33) % n : 0;
}

static void judge(struct machine *w, int64_t awake_ns, int64_t now_ns)
{
	size_t unwell = 0;

	for (int i = 1; i < NODES; i++)
		unwell += pulse_state(&w->pulses[i], &opt, awake_ns) != PULSE_WELL;
	for (int i = 1; i < NODES; i++) {
		const enum pulse_state state = pulse_state(&w->pulses[i], &opt, awake_ns);
		if (state < PULSE_OVERDUE ||
		    (state == PULSE_OVERDUE && liveness_is_own_fault(unwell, NODES - 1)))
			continue;
		if (i != w->killed || now_ns < SECONDS / 2 * NS_PER_S)
			w->wrong++;
		else if (w->first_gone_ns == 0)
			w->first_gone_ns = now_ns;
	}
}

/* What came before `now_ns`, and when each speaks next. */
static void hear(struct machine *w, int64_t awake_ns, int64_t now_ns)
{
	for (int i = 1; i < NODES; i++) {
		if (w->send_ns[i] > now_ns || (i == w->killed && now_ns >= SECONDS / 2 * NS_PER_S))
			continue;
		pulse_heard(&w->pulses[i], awake_ns);
		pulse_beat(&w->pulses[i], &opt, awake_ns);
		w->send_ns[i] += opt.every_ns + below(w, w->most_ms) * NS_PER_MS;
		if (i == w->stopped && below(w, 10) == 0)
			w->send_ns[i] += 3 * NS_PER_S;
	}
}

static void run(struct machine *w)
{
	int64_t now_ns = 0;

	awake_begin(&w->awake);
	for (int i = 1; i < NODES; i++)
		pulse_begin(&w->pulses[i], &opt, 0);
	while (now_ns < SECONDS * NS_PER_S) {
		const int64_t due_ns = now_ns + 150 * NS_PER_MS;
		awake_until(&w->awake, due_ns, now_ns);
		now_ns = due_ns + below(w, w->most_ms) * NS_PER_MS;
		if (below(w, 200) == 0)
			now_ns += w->pause_ms * NS_PER_MS;
		const int64_t awake_ns = awake_step(&w->awake, now_ns);
		judge(w, awake_ns, now_ns); /* timers come before what waits at the sockets */
		hear(w, awake_ns, now_ns);
	}
}

Test(liveness, on_a_busy_machine_nobody_is_suspected_and_the_dead_are_found)
{
	static const struct {
		int64_t most_ms, pause_ms, within_s;
		int stopped;
	} rows[] = {
		{1, 0, 7, -1},                         /* idle */
		{200, 0, 10, -1},                      /* busy */
		{1500, 0, 60, -1},                     /* overloaded */
		{100, 4000, 30, -1},                   /* all stand still now and then */
		{100, 20000, 60, -1}, {200, 0, 15, 3}, /* one is stopped for three seconds */
	};

	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++)
		for (uint64_t seed = 1; seed <= 20; seed++) {
			struct machine w = {.random = seed,
					    .most_ms = rows[i].most_ms,
					    .pause_ms = rows[i].pause_ms,
					    .stopped = rows[i].stopped,
					    .killed = 5};
			run(&w);
			cr_expect(eq(uint, w.wrong, 0), "row %zu seed %llu", i, (unsigned long long)seed);
			const int64_t took_ns = w.first_gone_ns - SECONDS / 2 * NS_PER_S;
			cr_expect(took_ns > 0 && took_ns <= rows[i].within_s * NS_PER_S,
				  "row %zu seed %llu: found after %.1f s", i, (unsigned long long)seed,
				  (double)took_ns / 1e9);
		}
}
