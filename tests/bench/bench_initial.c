/* SPDX-License-Identifier: Apache-2.0 */
/* A million twins to a node that holds nothing: from starting its program until it shows all of them. What is
 * shown is durable. */
#include "tests/bench/duo.h"

enum { TWINS = 1000000, QUICK_TWINS = 5000, WITHIN_S = 180 };

static int measure(const struct bench_options *opt, struct duo *d)
{
	const struct duo_change some = {.first = 17, .n = 1000};
	const double began_s = bench_now_s();

	if (duo_launch(d, DUO_HOLDER) < 0 || duo_await_session(d, WITHIN_S) < 0)
		return -1;
	for (int64_t held = 0; held < (int64_t)d->n_twins;) {
		bench_pause_ms(10);
		held = duo_held(d);
		if (held < 0 || bench_now_s() > began_s + WITHIN_S)
			return held < 0 ? -1
					: bench_say(d->bench, "%zu rows after %d s", (size_t)held, WITHIN_S);
	}
	bench_result(opt, "initial", "1M", bench_now_s() - began_s, "s");
	return duo_check(d, &some);
}

static int run(const struct bench_options *opt)
{
	struct duo d = {.bench = "initial", .n_twins = opt->quick ? QUICK_TWINS : TWINS};
	int r = duo_init(&d, opt);

	if (r == 0)
		r = measure(opt, &d);
	duo_fini(&d);
	return r;
}

const struct bench bench_initial = {"initial", "a million twins to an empty peer, durable: [1M]", run};
