/* SPDX-License-Identifier: Apache-2.0 */
#include "node/crossing.h"

#include <string.h>

#include "proto/clock.h"

static const struct {
	const char *text; /* NULL: limit_text() */
	enum health severity;
} words[N_CROSSED] = {
	[LIMIT_LOW_ALARM] = {NULL, HEALTH_ALARM},
	[LIMIT_LOW_WARNING] = {NULL, HEALTH_WARNING},
	[LIMIT_HIGH_WARNING] = {NULL, HEALTH_WARNING},
	[LIMIT_HIGH_ALARM] = {NULL, HEALTH_ALARM},
	[CROSSED_RATE_WARNING] = {"rate-warning", HEALTH_WARNING},
	[CROSSED_RATE_ALARM] = {"rate-alarm", HEALTH_ALARM},
	[CROSSED_STALE] = {"stale", HEALTH_WARNING},
};

const char *crossed_text(enum crossed what)
{
	return words[what].text ? words[what].text : limit_text((enum limit)what);
}

enum crossed crossed_parse(const char *text)
{
	size_t i = 0;

	while (i < N_CROSSED && strcmp(text, crossed_text((enum crossed)i)) != 0)
		i++;
	return (enum crossed)i;
}

enum health crossed_severity(enum crossed what)
{
	return words[what].severity;
}

/* ---- One
 * ---------------------------------------------------------------------------------------------------
 */

void crossing_set(struct crossing *c, bool crossed, int64_t t_ns, int64_t now_ns)
{
	if (c->crossed == crossed)
		return;
	c->crossed = crossed;
	c->since_ns = t_ns;
	c->seen_ns = now_ns;
}

/* The end of time stays the end of time. */
static int64_t after(int64_t t_ns, int64_t delay_ns)
{
	int64_t sum_ns;

	return __builtin_add_overflow(t_ns, delay_ns, &sum_ns) ? INT64_MAX : sum_ns;
}

bool crossing_is_due(const struct crossing *c, int64_t delay_ns, int64_t t_ns, int64_t now_ns,
		     int64_t *ret_ns)
{
	*ret_ns = after(c->since_ns, delay_ns);
	return crossing_waits(c) && (t_ns >= *ret_ns || now_ns >= after(c->seen_ns, delay_ns));
}

/* ---- All of a series
 * ---------------------------------------------------------------------------------------
 */

static bool is_low(size_t i)
{
	return i == LIMIT_LOW_ALARM || i == LIMIT_LOW_WARNING;
}

/* Of a limit that is not said, NaN, nothing is true. */
static bool is_crossed(const struct crossing *c, const struct limits *l, size_t i, double v)
{
	const double at = l->at[i];

	if (is_low(i))
		return v <= at || (c->crossed && v < at + l->hysteresis);
	return v >= at || (c->crossed && v > at - l->hysteresis);
}

static bool is_judged(const struct crossings *c, const struct limits *l, double v)
{
	return !c->has_judged || !(fabs(v - c->judged) < l->dead_band);
}

void crossings_take(struct crossings *c, const struct limits *l, const struct band_note *n, int64_t now_ns)
{
	struct crossing *warning = &c->at[CROSSED_RATE_WARNING], *alarm = &c->at[CROSSED_RATE_ALARM];

	if (n->has_before) {
		const double rate = rate_between(n->before_ns, n->before, n->t_ns, n->number);
		crossing_set(warning, rate >= l->rate_warning, n->t_ns, now_ns);
		crossing_set(alarm, rate >= l->rate_alarm, n->t_ns, now_ns);
	}
	if (!is_judged(c, l, n->number))
		return;
	c->has_judged = true;
	c->judged = n->number;
	for (size_t i = 0; i < N_LIMITS; i++)
		crossing_set(&c->at[i], is_crossed(&c->at[i], l, i, n->number), n->t_ns, now_ns);
}

/* Being stale is a delay already. */
static int64_t delay_of(const struct limits *l, size_t i)
{
	return i == CROSSED_STALE ? 0 : l->delay_ns;
}

bool crossings_due(struct crossings *c, const struct limits *l, int64_t t_ns, int64_t now_ns, int64_t *ret_ns)
{
	bool due[N_CROSSED], any = false;
	int64_t at_ns[N_CROSSED], first_ns = INT64_MAX;

	for (size_t i = 0; i < N_CROSSED; i++) {
		due[i] = crossing_is_due(&c->at[i], delay_of(l, i), t_ns, now_ns, &at_ns[i]);
		any |= due[i];
		if (due[i] && at_ns[i] < first_ns)
			first_ns = at_ns[i];
	}
	for (size_t i = 0; i < N_CROSSED; i++)
		if (due[i] && at_ns[i] == first_ns)
			c->at[i].counts = c->at[i].crossed;
	*ret_ns = first_ns;
	return any;
}

enum crossed crossings_worst(const struct crossings *c)
{
	enum crossed worst = CROSSED_NONE;

	for (size_t i = 0; i < N_CROSSED; i++)
		if (c->at[i].counts &&
		    (worst == CROSSED_NONE || crossed_severity((enum crossed)i) > crossed_severity(worst)))
			worst = (enum crossed)i;
	return worst;
}

bool crossings_wait(const struct crossings *c)
{
	bool waits = false;

	for (size_t i = 0; i < N_CROSSED; i++)
		waits |= crossing_waits(&c->at[i]);
	return waits;
}

bool crossings_rest(const struct crossings *c)
{
	bool any = false;

	for (size_t i = 0; i < N_CROSSED; i++)
		any |= c->at[i].crossed || c->at[i].counts;
	return !any;
}

/* Rates and what is stale have to do with time: then each sample matters, and so it does while a delay runs,
 * for its time is what the delay is measured by. */
static bool needs_each(const struct crossings *c)
{
	return crossings_wait(c) || c->at[CROSSED_RATE_WARNING].crossed ||
	       c->at[CROSSED_RATE_ALARM].crossed || c->at[CROSSED_STALE].crossed;
}

/* Rather too narrow: then it is compared for nothing. */
struct band crossings_band(const struct crossings *c, const struct limits *l)
{
	struct band b = {-HUGE_VAL, HUGE_VAL};

	if (needs_each(c) || (l->dead_band > 0 && !c->has_judged))
		return (struct band){HUGE_VAL, -HUGE_VAL};
	if (l->dead_band > 0)
		return (struct band){c->judged - l->dead_band, c->judged + l->dead_band};
	for (size_t i = 0; i < N_LIMITS; i++) {
		const double at = l->at[i], over = is_low(i) ? at + l->hysteresis : at - l->hysteresis;
		const bool below = is_low(i) == c->at[i].crossed; /* the band is below the edge */
		const double edge = c->at[i].crossed ? over : at;
		if (below && edge < b.hi)
			b.hi = edge;
		if (!below && edge > b.lo)
			b.lo = edge;
	}
	return b;
}

void crossings_assume(struct crossings *c, enum crossed what, int64_t t_ns)
{
	/* Who crosses the outer limit has crossed the inner one. */
	static const enum crossed inner[N_CROSSED] = {
		[LIMIT_LOW_ALARM] = (enum crossed)LIMIT_LOW_WARNING,
		[LIMIT_LOW_WARNING] = CROSSED_NONE,
		[LIMIT_HIGH_WARNING] = CROSSED_NONE,
		[LIMIT_HIGH_ALARM] = (enum crossed)LIMIT_HIGH_WARNING,
		[CROSSED_RATE_WARNING] = CROSSED_NONE,
		[CROSSED_RATE_ALARM] = CROSSED_RATE_WARNING,
		[CROSSED_STALE] = CROSSED_NONE,
	};

	for (; what != CROSSED_NONE; what = inner[what])
		c->at[what] = (struct crossing){true, true, t_ns, t_ns};
}
