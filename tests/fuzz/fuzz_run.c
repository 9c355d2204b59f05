/* SPDX-License-Identifier: Apache-2.0 */
/* Any bytes as a record of a run: buckets, what was lost, what is in it. What is accepted is in order, and
 * comes out of its own encoding as it went in. */
#include <stdint.h>

#include "proto/clock.h"
#include "storage/rollup.h"
#include "storage/run.h"
#include "tests/lib/must.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static bool same_bits(const void *a, const void *b)
{
	return memcmp(a, b, sizeof(double)) == 0;
}

static void check_again(const struct buckets *b, int64_t step_ns)
{
	SCOPED(buckets_fini) struct buckets again = {0};
	SCOPED(buf_fini) struct buf out = {0};

	must(rollup_encode(b->items, b->n, step_ns, &out) == 0);
	must(rollup_decode(buf_bytes(&out), b->items[0].t_ns, step_ns, &again) == 0);
	must(again.n == b->n);
	for (size_t i = 0; i < b->n; i++) {
		const struct bucket *x = &b->items[i], *y = &again.items[i];
		must(x->t_ns == y->t_ns && x->n == y->n && x->n_bad == y->n_bad);
		must(same_bits(&x->mean, &y->mean) && same_bits(&x->m2, &y->m2) &&
		     same_bits(&x->min, &y->min));
		must(same_bits(&x->max, &y->max) && same_bits(&x->last, &y->last));
	}
}

static void check_buckets(struct bytes in, int64_t first_ns, int64_t step_ns)
{
	SCOPED(buckets_fini) struct buckets b = {0};
	const int r = rollup_decode(in, first_ns, step_ns, &b);

	must(r == 0 || r == ERR_CORRUPT || r == ERR_VERSION);
	must((r == 0) == (b.n > 0) && b.n <= ROLLUP_MAX);
	for (size_t i = 0; i < b.n; i++) {
		must(b.items[i].step_ns == step_ns &&
		     time_floor(b.items[i].t_ns, step_ns) == b.items[i].t_ns);
		must(b.items[i].last_ns >= b.items[i].t_ns && b.items[i].last_ns - b.items[i].t_ns < step_ns);
		must(i == 0 || b.items[i - 1].t_ns < b.items[i].t_ns);
	}
	if (b.n > 0)
		check_again(&b, step_ns);
}

/* The first byte says what the rest is. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	const struct bytes rest = {data + 1, size > 0 ? size - 1 : 0};
	struct run_lost lost;
	struct run_meta meta;
	SCOPED(buf_fini) struct buf again = {0};

	if (size == 0)
		return 0;
	switch (data[0]) {
	case 'm': check_buckets(rest, 60 * MINUTE_NS, MINUTE_NS); break;
	case 'h': check_buckets(rest, -5 * HOUR_NS, HOUR_NS); break;
	case 'l': must(run_lost_decode(rest, &lost) == 0 || rest.len < 8); break;
	default:
		if (run_meta_decode(rest, &meta) < 0)
			break;
		run_meta_encode(&meta, &again);
		must(bytes_equal(buf_bytes(&again), rest));
	}
	return 0;
}
