/* SPDX-License-Identifier: Apache-2.0 */
/* In process: a roll-up over the members below one twin, as the owner computes it for a view. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "proto/clock.h"
#include "storage/store.h"
#include "tests/bench/peer.h"

enum { FAN_OUT = 10, RUNS = 30, BATCH_TWINS = 1000, PEER_RUNS = 9 };

static int stage(struct store *s, struct batch *b, const struct op *op)
{
	struct err_note note = {0};
	const int r = store_stage(s, b, op, NS_PER_S, NULL, &note);

	TRY(r);
	return r == STORE_REFUSED ? bench_say("walk", "%s", note.text) : 0;
}

static int keep(struct store *s, struct batch *b)
{
	TRY(store_write(s, b));
	return store_apply(s, b, NS_PER_S);
}

/* Twin i is a child of twin (i - 1) / FAN_OUT: 11,111 members make five levels, 111,111 make six. */
static int stage_twin(struct store *s, struct batch *b, size_t i)
{
	char id[64], parent[64];
	struct sample sample = {.t_ns = 1, .value = {.type = VALUE_DOUBLE, .real = (double)i}, .sigma = NAN};

	snprintf(id, sizeof id, "acme/t%zu", i);
	snprintf(parent, sizeof parent, "acme/t%zu", i > 0 ? (i - 1) / FAN_OUT : 0);
	const struct op ops[] = {
		{.kind = OP_TWIN, .twin = {.id = id, .type = "part", .name = ""}},
		{.kind = OP_SAMPLES,
		 .samples = {.twin = id, .property = "power", .samples = &sample, .n = 1}},
		{.kind = OP_RELATION,
		 .relation = {.type = "contains",
			      .from = parent,
			      .to = id,
			      .valid_from_ns = TIME_MIN,
			      .valid_to_ns = TIME_MAX}},
	};
	for (size_t k = 0; k < (i > 0 ? 3 : 2); k++)
		TRY(stage(s, b, &ops[k]));
	return 0;
}

static int put_type(struct store *s)
{
	SCOPED(scope_batch) struct batch *b = NULL;
	struct property_def power = {
		.name = "power", .type = VALUE_DOUBLE, .unit = "kW", .min = NAN, .max = NAN, .kpi = true};
	const struct op type = {
		.kind = OP_TYPE,
		.type = {
			.name = "part", .parent = "", .version = 1, .properties = &power, .n_properties = 1}};

	TRY(batch_new(&b));
	TRY(stage(s, b, &type));
	return keep(s, b);
}

static int fill(struct store *s, size_t n)
{
	TRY(put_type(s));
	for (size_t i = 0; i < n;) {
		SCOPED(scope_batch) struct batch *b = NULL;
		TRY(batch_new(&b));
		for (const size_t end = i + BATCH_TWINS; i < n && i < end; i++)
			TRY(stage_twin(s, b, i));
		TRY(keep(s, b));
	}
	return 0;
}

static double sum_below(const struct store *s, const struct twin *t, size_t *n)
{
	double sum = 0;

	const struct sample v = store_value(s, t, 0);

	if (v.value.type == VALUE_DOUBLE)
		sum += v.value.real;
	(*n)++;
	for (const struct edge *e = t->out; e; e = e->next_out)
		if (e->to)
			sum += sum_below(s, e->to, n);
	return sum;
}

static int measure(const char *dir, size_t n, double *ret_ms)
{
	SCOPED(scope_store) struct store *s = NULL;
	const struct store_options options = {
		.dir = dir, .org = "acme", .node = "n1", .fresh_id = 1, .now_ns = NS_PER_S};
	struct err_note note = {0};
	double times[RUNS];
	size_t met = 0;

	if (store_open(&s, &options, &note) < 0 || fill(s, n) < 0)
		return bench_say("walk", "the store cannot be filled: %s", note.text);
	for (int i = 0; i < RUNS; i++) {
		met = 0;
		const double began = bench_now_s();
		const double sum = sum_below(s, store_twin(s, "acme/t0"), &met);
		times[i] = (bench_now_s() - began) * 1e3;
		if (met != n || sum != (double)n * (double)(n - 1) / 2)
			return bench_say("walk", "the roll-up is wrong: %zu members, %.17g", met, sum);
	}
	*ret_ms = bench_quantile(times, RUNS, 0.5);
	return 0;
}

static int one(const struct bench_options *opt, size_t n)
{
	char dir[96], name[24];
	double ms = 0;

	if (bench_place(opt, dir, sizeof dir) < 0)
		return bench_say("walk", "no directory can be made in %s", opt->place);
	const int r = measure(dir, n, &ms);
	bench_remove(dir);
	if (r < 0)
		return -1;
	snprintf(name, sizeof name, "%zu", n);
	bench_figure(opt, "walk", name, ms, "ms", POSTGRES_PEER, peer_postgres(opt, n, FAN_OUT, PEER_RUNS));
	return 0;
}

static int run(const struct bench_options *opt)
{
	const int small = one(opt, opt->quick ? 1111 : 11111);

	return opt->quick ? small : small | one(opt, 111111);
}

const struct bench bench_walk = {"walk", "roll-up of the members below one twin, in process", run};
