/* SPDX-License-Identifier: Apache-2.0 */
/* In process: what one decision costs, and what one signature over a batch of rows costs. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "proto/buf.h"
#include "proto/row.h"
#include "security/policy.h"
#include "security/sign.h"
#include "tests/bench/bench.h"

enum { RULES = 1000, ORGS = 20, QUESTIONS = 200000, ROWS = 64, BATCHES = 2000 };

static uint64_t state = 42;

static uint32_t random_below(uint32_t n)
{
	state = state * UINT64_C(6364136223846793005) + UINT64_C(1442695040888963407);
	return (uint32_t)(state >> 33) % n;
}

/* RULES shares over a plant of 100 lines with 100 machines. */
static void write_policy(struct buf *text)
{
	buf_print(text, "policy acme\n");
	for (int i = 0; i < ORGS; i++)
		buf_print(text, "  org partner%d = PARTNER\n", i);
	buf_print(text,
		  "  never \"recipes\"\n to everyone-else\n twins **\n deny read, history of recipe/**\n");
	for (int i = 1; i < RULES; i++)
		buf_print(
			text,
			"  share \"rule %d\"\n to org partner%u\n twins line%u/**\n allow discover, summary\n"
			" allow read state/p%u, state/vibration/*\n until 2200-01-01\n",
			i, random_below(ORGS), random_below(100), random_below(10));
	buf_put_u8(text, '\0');
}

static int run_policy(const struct bench_options *opt)
{
	SCOPED(buf_fini) struct buf text = {0};
	SCOPED(scope_arena) struct arena *a = NULL;
	SCOPED(scope_policy) struct policy *p = NULL;
	SCOPED(scope_free) double *times = calloc(QUESTIONS, sizeof *times);
	const struct policy_options options = {.own_org = "acme"};
	struct policy_finding *findings;
	struct err_note note = {0};
	size_t n, allowed = 0;

	write_policy(&text);
	if (!times || buf_check(&text) < 0 || arena_new(&a, 64 << 20) < 0)
		return bench_say("policy-decide", "out of memory");
	if (policy_parse((const char *)text.data, &options, &p, a, &findings, &n, &note) < 0)
		return bench_say("policy-decide", "%s", note.text);
	for (size_t i = 0; i < QUESTIONS; i++) {
		char org[32], id[64], property[32];
		snprintf(org, sizeof org, "partner%u", random_below(ORGS));
		snprintf(id, sizeof id, "acme/line%u/machine%u", random_below(100), random_below(100));
		snprintf(property, sizeof property, "state/p%u", random_below(10));
		const struct policy_twin twin = {.id = id, .type = "machine"};
		const struct policy_query q = {
			.org = org, .right = RIGHT_READ, .twin = &twin, .property = property};
		const double began = bench_now_s();
		allowed += policy_allows(p, &q, NULL);
		times[i] = (bench_now_s() - began) * 1e6;
	}
	if (allowed == 0 || allowed == QUESTIONS)
		return bench_say("policy-decide", "every answer was the same: this measures nothing");
	bench_result(opt, "policy-decide", "p50", bench_quantile(times, QUESTIONS, 0.5), "us");
	bench_result(opt, "policy-decide", "p99", bench_quantile(times, QUESTIONS, 0.99), "us");
	return 0;
}

const struct bench bench_policy = {"policy-decide", "one decision among 1,000 rules, random questions",
				   run_policy};

/* A batch as a border sends it: 64 rows encoded, one signature. */
static void write_batch(struct buf *batch)
{
	buf_clear(batch);
	for (uint32_t i = 0; i < ROWS; i++) {
		char id[64];
		snprintf(id, sizeof id, "acme/line%u/machine%u", i, random_below(1000));
		struct kpi kpi = {.property = "state/power", .unit = "kW"};
		kpi.sample = (struct sample){.t_ns = i,
					     .value = {.type = VALUE_DOUBLE, .real = random_below(1000)}};
		const struct row row = {.id = id,
					.type = "machine",
					.name = "",
					.kpis = &kpi,
					.n_kpis = 1,
					.mask = ROW_MASK_ALL,
					.version = {.stamp_ns = i + 1}};
		row_encode(&row, batch);
	}
}

static int run_sign(const struct bench_options *opt)
{
	SCOPED(scope_sign_key) struct sign_key *key = NULL;
	SCOPED(buf_fini) struct buf batch = {0};
	struct signed_blob blob;
	double total = 0;

	if (sign_key_new(&key) < 0)
		return bench_say("sign", "out of memory");
	for (int i = 0; i < BATCHES; i++) {
		write_batch(&batch);
		const double began = bench_now_s();
		sign_blob(key, SIGN_ROWS, buf_bytes(&batch), &blob);
		total += bench_now_s() - began;
	}
	bench_result(opt, "sign", "64", ROWS * BATCHES / total, "rows/s");
	return 0;
}

const struct bench bench_sign = {"sign", "signatures over batches of 64 rows, per core", run_sign};
