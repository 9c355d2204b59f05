/* SPDX-License-Identifier: Apache-2.0 */
/* 10,000 twins change a second, a frame of 100 every 10 ms, each twin once in ten seconds. Of some of them,
 * at times that nothing else keeps step with: from the acknowledgement, which says that the change is durable
 * at its owner, until another node shows it. The other node is asked for it again and again, so what an
 * answer takes is in it. */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>

#include "tests/bench/duo.h"
#include "tests/bench/sensor.h"

enum { TWINS = 100000, QUICK_TWINS = 5000, FRAME = 100, FRAME_MS = 10, SECONDS = 20, QUICK_SECONDS = 2 };
enum { PROBES_MAX = 2000, GAP_FRAMES = 7 };

struct probes {
	struct duo *duo;
	double began_s;
	size_t n_frames, next; /* sent; the frame that the next probe is of */
	double ms[PROBES_MAX];
	size_t n;
	size_t twin; /* being looked for ... */
	double acked_s;
	bool looking;
};

/* Frames that are due, each waited for: a commit takes less than the time between two. */
static int send_due(struct probes *p)
{
	struct duo *d = p->duo;

	while ((bench_now_s() - p->began_s) * 1e3 >= (double)(p->n_frames * FRAME_MS)) {
		const size_t per_round = d->n_twins / FRAME, frame = p->n_frames++;
		const struct duo_change c = {.first = frame % per_round, .n = FRAME};
		if (duo_send(d, &c) < 0 || duo_await_acks(d, 0) < 0)
			return -1;
		if (p->looking || frame < p->next)
			continue;
		p->looking = true;
		p->acked_s = bench_now_s();
		p->twin = duo_twin(d, &c, sensor_mix(frame) % FRAME);
	}
	return 0;
}

static int look(struct probes *p)
{
	const struct duo *d = p->duo;
	const int64_t shown = p->looking ? duo_shown(p->duo, p->twin) : 0;

	if (!p->looking)
		bench_pause_ms(1);
	if (!p->looking || shown != (int64_t)d->changes[p->twin])
		return 0;
	p->ms[p->n++] = (bench_now_s() - p->acked_s) * 1e3;
	p->looking = false;
	p->next = p->n_frames + sensor_mix(p->n_frames) % GAP_FRAMES;
	return 0;
}

static int measure(const struct bench_options *opt, struct probes *p)
{
	const double seconds = opt->quick ? QUICK_SECONDS : SECONDS;

	p->began_s = bench_now_s();
	while (bench_now_s() < p->began_s + seconds && p->n < PROBES_MAX)
		if (send_due(p) < 0 || look(p) < 0)
			return -1;
	const double rate = (double)(p->n_frames * FRAME) / (bench_now_s() - p->began_s);
	if (p->n == 0 || rate < 9900)
		return bench_say("propagate", "%zu were seen, at %.0f changed twins/s", p->n, rate);
	bench_result(opt, "propagate", "p50", bench_quantile(p->ms, p->n, 0.5), "ms");
	bench_result(opt, "propagate", "p99", bench_quantile(p->ms, p->n, 0.99), "ms");
	return 0;
}

static int run(const struct bench_options *opt)
{
	struct duo d = {.bench = "propagate", .n_twins = opt->quick ? QUICK_TWINS : TWINS};
	struct probes p = {.duo = &d};
	int r = duo_init(&d, opt);

	if (r == 0)
		r = duo_launch(&d, DUO_HOLDER) < 0 || duo_await_session(&d, 60) < 0 ||
				    duo_await_shown(&d, d.n_twins - 1, 60) < 0 || measure(opt, &p) < 0
			    ? -1
			    : 0;
	duo_fini(&d);
	return r;
}

const struct bench bench_propagate = {
	"propagate", "from commit to visible at a peer, 10,000 changed twins/s: [p50] [p99]", run};
