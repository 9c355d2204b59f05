/* SPDX-License-Identifier: Apache-2.0 */
/* A million twins are held, some change while the holder is away: from the new session until the holder shows
 * the last that changed (rows come in the order of their changes, so then it shows all), and what came over
 * the wire for that as a ratio to the rows themselves. Each several times, with other twins. */
#include <stdio.h>

#include "tests/bench/duo.h"

enum { TWINS = 1000000, QUICK_TWINS = 20000, RUNS = 5, QUICK_RUNS = 1, WITHIN_S = 180 };

struct figures {
	double ms[RUNS], ratio[RUNS];
};

static int once(struct duo *d, const struct duo_change *c, double *ret_ms, double *ret_ratio)
{
	fleet_kill(&d->fleet, DUO_HOLDER);
	client_close(d->fleet.nodes[DUO_HOLDER].client);
	d->fleet.nodes[DUO_HOLDER].client = NULL;
	if (duo_send(d, c) < 0 || duo_await_acks(d, 0) < 0 || duo_launch(d, DUO_HOLDER) < 0 ||
	    duo_await_session(d, WITHIN_S) < 0)
		return -1;
	const double began_s = bench_now_s();
	if (duo_await_shown(d, duo_twin(d, c, c->n - 1), WITHIN_S) < 0)
		return -1;
	*ret_ms = (bench_now_s() - began_s) * 1e3;
	const int64_t came = duo_bytes_in(d, DUO_HOLDER), rows = duo_row_bytes(d, c);
	if (came < 0 || rows < 0 || duo_check(d, c) < 0)
		return -1;
	*ret_ratio = (double)came / (double)rows;
	return 0;
}

static int several(const struct bench_options *opt, struct duo *d, const char *name, size_t n, bool bytes)
{
	const size_t runs = opt->quick ? QUICK_RUNS : RUNS;
	struct figures f;
	char text[32];

	for (size_t i = 0; i < runs; i++)
		if (once(d, &(struct duo_change){.first = i, .n = n}, &f.ms[i], &f.ratio[i]) < 0)
			return -1;
	bench_result(opt, "catch-up", name, bench_quantile(f.ms, runs, 0.5), "ms");
	snprintf(text, sizeof text, "%s-bytes", name);
	if (bytes)
		bench_result(opt, "catch-up", text, bench_quantile(f.ratio, runs, 0.5), "ratio");
	return 0;
}

static int measure(const struct bench_options *opt, struct duo *d)
{
	if (duo_launch(d, DUO_HOLDER) < 0 || duo_await_session(d, WITHIN_S) < 0)
		return -1;
	for (int64_t held = 0; held < (int64_t)d->n_twins; held = duo_held(d))
		bench_pause_ms(100);
	if (duo_await_shown(d, d->n_twins - 1, WITHIN_S) < 0)
		return -1;
	return several(opt, d, "100", 100, false) < 0 ? -1 : several(opt, d, "10k", 10000, true);
}

static int run(const struct bench_options *opt)
{
	struct duo d = {.bench = "catch-up", .n_twins = opt->quick ? QUICK_TWINS : TWINS};
	int r = duo_init(&d, opt);

	if (r == 0)
		r = measure(opt, &d);
	duo_fini(&d);
	return r;
}

const struct bench bench_catch_up = {
	"catch-up", "so many of a million changed while a holder was away: [100] [10k] [10k-bytes]", run};
