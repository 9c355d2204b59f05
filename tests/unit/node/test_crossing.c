/* SPDX-License-Identifier: Apache-2.0 */
#include <criterion/criterion.h>
#include <criterion/new/assert.h>

#include <stdlib.h>

#include "node/crossing.h"
#include "proto/clock.h"
#include "tests/lib/must.h"

TestSuite(crossing, .timeout = 120);

enum { SAMPLES = 60, ROUNDS = 4000 };

static uint64_t state;

static uint32_t dice(uint32_t n)
{
	state = state * UINT64_C(6364136223846793005) + 1442695040888963407;
	return (uint32_t)(state >> 33) % n;
}

/* What came of a series: a change of what counts. */
struct event {
	int64_t t_ns;
	enum crossed what;
};

struct story {
	struct event events[SAMPLES * 20];
	size_t n;
};

static void tell(struct story *s, int64_t t_ns, enum crossed what)
{
	const enum crossed last = s->n > 0 ? s->events[s->n - 1].what : CROSSED_NONE;

	if (what != last)
		s->events[s->n++] = (struct event){t_ns, what};
}

/* ---- As it is built: a sample inside its band is not looked at
 * ---------------------------------------------
 */

struct built {
	struct bands bands;
	struct crossings c;
	size_t n_looked;
};

static void pass(struct built *b, const struct limits *l, struct story *s, int64_t t_ns, int64_t now_ns)
{
	int64_t at_ns;

	while (crossings_due(&b->c, l, t_ns, now_ns, &at_ns))
		tell(s, at_ns, crossings_worst(&b->c));
}

static void set_band(struct built *b, const struct limits *l)
{
	const struct band band = crossings_band(&b->c, l);

	bands_set(&b->bands, 1, &band);
}

static void feed(struct built *b, const struct limits *l, struct story *s, const struct band_note *n)
{
	if (bands_hold(&b->bands, l, n))
		return;
	b->n_looked++;
	pass(b, l, s, n->t_ns, n->t_ns);
	crossings_take(&b->c, l, n, n->t_ns);
	pass(b, l, s, n->t_ns, n->t_ns);
	set_band(b, l);
}

/* ---- As it is meant: each limit by itself, over all that was ever measured
 * ---------------------------------
 */

static bool reached(const struct limits *l, size_t i, double v)
{
	return i < LIMIT_HIGH_WARNING ? v <= l->at[i] : v >= l->at[i];
}

static bool is_over(const struct limits *l, size_t i, double v)
{
	return i < LIMIT_HIGH_WARNING ? v >= l->at[i] + l->hysteresis : v <= l->at[i] - l->hysteresis;
}

struct meant {
	int64_t t_ns[SAMPLES];
	double v[SAMPLES];
	size_t n;
};

static bool is_judged(const struct limits *l, const struct meant *m, size_t k)
{
	double last = m->v[0];

	for (size_t i = 1; i <= k; i++) {
		if (fabs(m->v[i] - last) < l->dead_band) {
			if (i == k)
				return false;
			continue;
		}
		last = m->v[i];
	}
	return true;
}

/* Is limit i crossed after sample k? */
static bool is_crossed(const struct limits *l, const struct meant *m, size_t i, size_t k)
{
	bool crossed = false;

	if (i >= N_LIMITS && k > 0) {
		const double rate =
			fabs(m->v[k] - m->v[k - 1]) / ((double)(m->t_ns[k] - m->t_ns[k - 1]) / NS_PER_S);
		return rate >= (i == CROSSED_RATE_WARNING ? l->rate_warning : l->rate_alarm);
	}
	if (i >= N_LIMITS)
		return false;
	for (size_t s = 0; s <= k; s++)
		if (is_judged(l, m, s))
			crossed = reached(l, i, m->v[s]) || (crossed && !is_over(l, i, m->v[s]));
	return crossed;
}

/* Does it count at a time, when nothing is known of what comes after it? It was so, without a break, from a
 * moment on; what counts is what has lasted for the delay, else what counted before. */
static bool counts(const struct limits *l, const struct meant *m, size_t i, int64_t t_ns)
{
	bool counted = false, now = false;
	int64_t since_ns = TIME_MIN;

	for (size_t k = 0; k < m->n && m->t_ns[k] <= t_ns; k++) {
		const bool next = is_crossed(l, m, i, k);
		if (now != counted && m->t_ns[k] - since_ns >= l->delay_ns)
			counted = now;
		if (next != now)
			since_ns = m->t_ns[k];
		now = next;
	}
	if (now != counted && t_ns - since_ns >= l->delay_ns)
		counted = now;
	return counted;
}

static enum crossed worst_at(const struct limits *l, const struct meant *m, int64_t t_ns)
{
	static const enum crossed order[] = {
		(enum crossed)LIMIT_LOW_ALARM,   (enum crossed)LIMIT_HIGH_ALARM,   CROSSED_RATE_ALARM,
		(enum crossed)LIMIT_LOW_WARNING, (enum crossed)LIMIT_HIGH_WARNING, CROSSED_RATE_WARNING};

	for (size_t i = 0; i < sizeof order / sizeof *order; i++)
		if (counts(l, m, order[i], t_ns))
			return order[i];
	return CROSSED_NONE;
}

/* Time is counted in whole seconds here: each is looked at. */
static void expect(const struct limits *l, const struct meant *m, struct story *s)
{
	for (int64_t t_ns = 0; t_ns <= m->t_ns[m->n - 1]; t_ns += NS_PER_S)
		tell(s, t_ns, worst_at(l, m, t_ns));
}

/* ---- Both
 * --------------------------------------------------------------------------------------------------
 */

static struct limits any_limits(void)
{
	struct limits l = LIMITS_NONE;

	l.hysteresis = dice(2) ? 0 : dice(12) * 0.5;
	l.dead_band = dice(3) ? 0 : dice(8) * 0.5;
	l.delay_ns = dice(2) ? 0 : (int64_t)dice(6) * NS_PER_S;
	for (size_t i = 0; i < N_LIMITS; i++)
		if (dice(4) > 0)
			l.at[i] = (double)(i * 8 + dice(6));
	l.rate_warning = dice(2) ? (double)NAN : 2 + dice(10);
	l.rate_alarm = dice(2) ? (double)NAN : 10 + dice(10);
	return l;
}

static void run(const struct limits *l, uint32_t step, bool ticks, struct built *b)
{
	struct story built = {.n = 0}, meant = {.n = 0};
	struct meant m = {.n = 0};
	double v = dice(40);

	for (int64_t t_ns = 0; m.n < SAMPLES; t_ns += NS_PER_S * (1 + dice(4))) {
		struct band_note n = {.series = 1, .is_number = true, .t_ns = t_ns, .has_before = m.n > 0};
		n.before = v;
		n.before_ns = m.n > 0 ? m.t_ns[m.n - 1] : 0;
		v = dice(6) == 0 ? dice(80) * 0.5 : v + (dice(2 * step + 1) - (double)step) * 0.5;
		n.number = v;
		if (ticks && m.n > 0)
			pass(b, l, &built, TIME_MIN, n.before_ns + (t_ns - n.before_ns) / 2);
		if (ticks)
			set_band(b, l);
		m.v[m.n] = v;
		m.t_ns[m.n++] = t_ns;
		feed(b, l, &built, &n);
	}
	expect(l, &m, &meant);
	/* The last second may have what only a next sample brings to light. */
	pass(b, l, &built, m.t_ns[m.n - 1], m.t_ns[m.n - 1]);
	cr_assert(eq(sz, built.n, meant.n));
	for (size_t i = 0; i < meant.n; i++) {
		cr_assert(eq(i64, built.events[i].t_ns, meant.events[i].t_ns), "event %zu", i);
		cr_assert(eq(int, built.events[i].what, meant.events[i].what), "event %zu", i);
	}
}

Test(crossing, what_counts_is_what_was_meant_over_random_series)
{
	for (int i = 0; i < ROUNDS; i++) {
		state = (uint64_t)i;
		const struct limits l = any_limits();
		struct built b = {.n_looked = 0};
		run(&l, 1 + dice(8), dice(2), &b);
		bands_fini(&b.bands);
	}
}

Test(crossing, inside_its_band_nothing_is_looked_at)
{
	struct limits l = LIMITS_NONE;
	struct built b = {.n_looked = 0};
	struct story s = {.n = 0};

	l.at[LIMIT_HIGH_ALARM] = 100;
	for (int i = 0; i < 1000; i++)
		feed(&b, &l, &s,
		     &(struct band_note){.series = 1, .is_number = true, .t_ns = i, .number = i % 100});
	cr_expect(eq(sz, b.n_looked, 0));
	for (int i = 0; i < 1000; i++)
		feed(&b, &l, &s,
		     &(struct band_note){
			     .series = 1, .is_number = true, .t_ns = 1000 + i, .number = 100 + i});
	cr_expect(eq(sz, b.n_looked, 1), "once above the limit it is all the same how far");
	cr_expect(eq(sz, s.n, 1));
	bands_fini(&b.bands);
}

Test(crossing, a_word_is_read_back)
{
	for (size_t i = 0; i < N_CROSSED; i++)
		cr_expect(eq(int, crossed_parse(crossed_text((enum crossed)i)), (int)i));
	cr_expect(eq(int, crossed_parse("nothing"), CROSSED_NONE));
}

Test(crossing, a_series_without_a_band_of_its_own_costs_no_memory)
{
	static const struct band band = {1, 2};
	struct bands b = {.n_notes = 0};

	cr_expect(bands_own(&b, 5000) == NULL);
	bands_set(&b, 5000, &band);
	cr_expect(bands_own(&b, 5000) != NULL);
	cr_expect(bands_own(&b, 5001) == NULL);
	bands_reset(&b, 5000);
	cr_expect(bands_own(&b, 5000) == NULL);
	cr_expect(b.blocks[5000 / VALUES_BLOCK] == NULL, "the last one of a block takes it along");
	bands_fini(&b);
}
