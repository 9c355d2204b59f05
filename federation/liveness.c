/* SPDX-License-Identifier: Apache-2.0 */
#include "federation/liveness.h"

#include "proto/clock.h"

enum {
	FLOOR_BEATS = 3,
	KNOWN_BEATS = 3, /* intervals seen before they say anything */
	WEIGHT = 8,      /* a new interval counts one eighth */
	DEVIATIONS = 4,
	CROWD = 3, /* fewer peers are no crowd: each is judged by itself */
	NS_PER_US = 1000,
};

#define OVERSLEPT_NS (20 * NS_PER_MS) /* less is how timers are */

void awake_begin(struct awake *a)
{
	*a = (struct awake){.due_ns = INT64_MAX};
}

void awake_until(struct awake *a, int64_t due_ns, int64_t now_ns)
{
	a->due_ns = due_ns > now_ns ? due_ns : now_ns;
}

int64_t awake_step(struct awake *a, int64_t now_ns)
{
	if (a->due_ns < now_ns - OVERSLEPT_NS)
		a->lost_ns += now_ns - a->due_ns;
	a->due_ns = INT64_MAX; /* a step that fails says nothing */
	return now_ns - a->lost_ns;
}

int64_t awake_to_mono(const struct awake *a, int64_t awake_ns)
{
	return awake_ns < INT64_MAX - a->lost_ns ? awake_ns + a->lost_ns : INT64_MAX;
}

static int64_t root(int64_t square)
{
	int64_t low = 0, high = INT64_C(3037000499); /* of INT64_MAX */

	while (low < high) {
		const int64_t middle = low + (high - low + 1) / 2;
		if (middle <= square / middle)
			low = middle;
		else
			high = middle - 1;
	}
	return low;
}

static int64_t patience_ns(const struct pulse *p, const struct liveness_options *opt)
{
	const int64_t floor_ns = FLOOR_BEATS * opt->every_ns;
	const int64_t used_us = p->mean_us + DEVIATIONS * root(p->variance);
	const bool bounded = used_us < opt->cap_ns / NS_PER_US;
	int64_t ns = bounded ? used_us * NS_PER_US : opt->cap_ns;

	if (p->beats < KNOWN_BEATS)
		ns = 2 * floor_ns;
	ns = ns > floor_ns ? ns : floor_ns;
	return ns < opt->cap_ns ? ns : opt->cap_ns;
}

void pulse_begin(struct pulse *p, const struct liveness_options *opt, int64_t awake_ns)
{
	*p = (struct pulse){.heard_ns = awake_ns, .beat_ns = awake_ns};
	p->patience_ns = patience_ns(p, opt);
}

void pulse_heard(struct pulse *p, int64_t awake_ns)
{
	p->heard_ns = awake_ns;
}

void pulse_beat(struct pulse *p, const struct liveness_options *opt, int64_t awake_ns)
{
	const int64_t us = (awake_ns - p->beat_ns) / NS_PER_US, off = us - p->mean_us;

	p->beat_ns = awake_ns;
	if (p->beats++ == 0) {
		p->mean_us = us;
	} else {
		p->mean_us += off / WEIGHT;
		p->variance += (off * off - p->variance) / WEIGHT;
	}
	p->patience_ns = patience_ns(p, opt);
}

enum pulse_state pulse_state(const struct pulse *p, const struct liveness_options *opt, int64_t awake_ns)
{
	const int64_t silent_ns = awake_ns - p->heard_ns, patience_ns = p->patience_ns;

	if (silent_ns < patience_ns)
		return silent_ns < patience_ns / 2 ? PULSE_WELL : PULSE_LATE;
	return silent_ns < opt->cap_ns ? PULSE_OVERDUE : PULSE_GONE;
}

bool liveness_is_own_fault(size_t n_unwell, size_t n_peers)
{
	return n_peers >= CROWD && 2 * n_unwell > n_peers;
}
