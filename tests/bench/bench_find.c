/* SPDX-License-Identifier: Apache-2.0 */
/* Finding among 1,000,000 twins of ten types, each with a number, a serial number and a mode, through the
 * control socket. [selective]: the one that has a type and a serial number. [unselective]: a comparison that
 * half of them meet, the first 100 and how many; each answer is compared with what was put in. */
#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "proto/clock.h"
#include "tests/bench/sensor.h"
#include "tests/bench/site.h"
#include "tools/bulk.h"

enum { TWINS = 1000000, QUICK_TWINS = 5000, TYPES = 10, LEVELS = 1000, PAGE = 100 };
enum { OPS_PER_REQUEST = 6000, SELECTIVE_RUNS = 200, UNSELECTIVE_RUNS = 31, QUICK_RUNS = 5 };
enum { ARENA_BYTES = 64 << 20, TEXT_BYTES = 128 };

static unsigned level_of(size_t twin)
{
	return (unsigned)(sensor_mix(twin) % LEVELS);
}

/* ---- Making ----------------------------------------------------------------------------------------------
 */

static void on_refused(void *ctx, const struct mark *mark, const struct refusal *refusal)
{
	(void)ctx, (void)mark;
	bench_say("find", "refused: %s", refusal->reason);
}

static int add_type(struct bulk *b, size_t i, struct err_note *note)
{
	struct arena *a = bulk_arena(b);
	struct property_def *p = arena_take_array(a, 3, sizeof *p);
	static const char *const modes[] = {"auto", "manual"};

	if (!p)
		return FAIL(-ENOMEM);
	p[0] = (struct property_def){.name = "load/power",
				     .type = VALUE_DOUBLE,
				     .unit = "kW",
				     .min = NAN,
				     .max = NAN,
				     .kpi = true};
	p[1] = (struct property_def){
		.name = "meta/serial", .type = VALUE_TEXT, .unit = "", .min = NAN, .max = NAN};
	p[2] = (struct property_def){.name = "mode",
				     .type = VALUE_ENUM,
				     .unit = "",
				     .min = NAN,
				     .max = NAN,
				     .options = (const char **)(uintptr_t)modes,
				     .n_options = 2};
	const struct op op = {.kind = OP_TYPE,
			      .type = {.name = arena_print(a, "type%zu", i),
				       .parent = "",
				       .version = 1,
				       .kind = KIND_ASSET,
				       .properties = p,
				       .n_properties = 3}};
	return bulk_add(b, &op, (struct mark){0}, note);
}

static int add_value(struct bulk *b, const char *id, const char *property, const struct value *value,
		     struct err_note *note)
{
	struct sample *s = arena_take(bulk_arena(b), sizeof *s);
	const struct op op = {.kind = OP_SAMPLES,
			      .samples = {.twin = id, .property = property, .samples = s, .n = 1}};

	if (!s)
		return FAIL(-ENOMEM);
	*s = (struct sample){.t_ns = NS_PER_S, .value = *value, .sigma = NAN};
	return bulk_add(b, &op, (struct mark){0}, note);
}

/* A request is full after an op: what the next one points to is of the next request. */
static int add_twin(struct bulk *b, size_t i, struct err_note *note)
{
	static const char *const modes[] = {"auto", "manual"};
	char id[TEXT_BYTES];
	struct op op = {.kind = OP_TWIN, .twin = {.kind = KIND_ASSET, .name = ""}};

	snprintf(id, sizeof id, SITE_ORG "/area%zu/m%zu", i / 1000, i);
	op.twin.id = arena_copy(bulk_arena(b), id);
	op.twin.type = arena_print(bulk_arena(b), "type%zu", i % TYPES);
	TRY(bulk_add(b, &op, (struct mark){0}, note));
	TRY(add_value(b, arena_copy(bulk_arena(b), id), "load/power",
		      &(struct value){.type = VALUE_DOUBLE, .real = level_of(i)}, note));
	const char *serial = arena_print(bulk_arena(b), "SN-%07zu", i);
	TRY(add_value(b, arena_copy(bulk_arena(b), id), "meta/serial",
		      &(struct value){.type = VALUE_TEXT, .text = serial}, note));
	return add_value(b, arena_copy(bulk_arena(b), id), "mode",
			 &(struct value){.type = VALUE_ENUM, .text = modes[i % 2]}, note);
}

static int add_all(struct bulk *b, size_t n, struct err_note *note)
{
	for (size_t i = 0; i < TYPES; i++)
		TRY(add_type(b, i, note));
	TRY(bulk_drain(b, note)); /* before the first twin of them */
	for (size_t i = 0; i < n; i++)
		TRY(add_twin(b, i, note));
	return bulk_drain(b, note);
}

static void scope_bulk(struct bulk *b)
{
	bulk_fini(b);
}

static int fill(struct client *c, size_t n)
{
	SCOPED(scope_bulk)
	struct bulk b = {.client = c, .refused = on_refused, .ops_max = OPS_PER_REQUEST};
	struct err_note note = {0};

	if (bulk_init(&b) < 0 || add_all(&b, n, &note) < 0)
		return bench_say("find", "twins cannot be made: %s", note.text);
	if (b.n_changed != 4 * n + TYPES)
		return bench_say("find", "%" PRIu64 " of %zu changes were made", b.n_changed, 4 * n + TYPES);
	return 0;
}

/* ---- Finding ---------------------------------------------------------------------------------------------
 */

/* Milliseconds from the question to the whole answer; negative: it failed, or is wrong. */
static double ask(const struct site *s, struct client *c, const char *where, uint64_t expected,
		  const char *first)
{
	SCOPED(scope_arena) struct arena *a = NULL;
	struct control_request r = {
		.op = CONTROL_FIND,
		.question = {.hierarchy = "", .by_property = "", .after = "", .where = where, .limit = PAGE}};
	struct control_answer answer;

	if (arena_new(&a, ARENA_BYTES) < 0)
		return -1;
	const double began_s = bench_now_s();
	if (site_ask(s, c, &r, a, &answer) < 0)
		return -1;
	const double took_ms = (bench_now_s() - began_s) * 1e3;
	const size_t page = expected < PAGE ? expected : PAGE;
	if (answer.view.counts.members != expected || answer.view.n_members != page ||
	    (first && strcmp(answer.view.members[0].id, first) != 0))
		return bench_say("find", "%s: %" PRIu64 " found instead of %" PRIu64, where,
				 answer.view.counts.members, expected);
	return took_ms;
}

static int selective(const struct site *s, struct client *c, size_t n, size_t runs, double *ret_ms)
{
	double times[SELECTIVE_RUNS];
	char where[TEXT_BYTES], first[TEXT_BYTES];

	for (size_t i = 0; i < runs; i++) {
		const size_t twin = sensor_mix(i + 77) % n;
		snprintf(where, sizeof where, "type = type%zu and meta/serial = 'SN-%07zu'", twin % TYPES,
			 twin);
		snprintf(first, sizeof first, SITE_ORG "/area%zu/m%zu", twin / 1000, twin);
		times[i] = ask(s, c, where, 1, first);
		if (times[i] < 0)
			return -1;
	}
	*ret_ms = bench_quantile(times, runs, 0.5);
	return 0;
}

static int unselective(const struct site *s, struct client *c, size_t n, size_t runs, double *ret_ms)
{
	double times[UNSELECTIVE_RUNS];
	char where[TEXT_BYTES];

	for (size_t i = 0; i < runs; i++) {
		const unsigned bound = LEVELS / 2 - 5 + (unsigned)i % 10;
		uint64_t expected = 0;
		for (size_t twin = 0; twin < n; twin++)
			expected += level_of(twin) > bound;
		snprintf(where, sizeof where, "load/power > %u kW", bound);
		times[i] = ask(s, c, where, expected, NULL);
		if (times[i] < 0)
			return -1;
	}
	*ret_ms = bench_quantile(times, runs, 0.5);
	return 0;
}

static int measure(const struct bench_options *opt, struct site *s)
{
	SCOPED(scope_client) struct client *c = NULL;
	const size_t n = opt->quick ? QUICK_TWINS : TWINS;
	double few_ms, many_ms;

	if (site_client(s, &c) < 0)
		return -1;
	client_set_timeout(c, 60 * NS_PER_S);
	if (fill(c, n) < 0 || (!opt->quick && site_settle(s, c, 120) < 0))
		return -1;
	if (selective(s, c, n, opt->quick ? QUICK_RUNS : SELECTIVE_RUNS, &few_ms) < 0 ||
	    unselective(s, c, n, opt->quick ? QUICK_RUNS : UNSELECTIVE_RUNS, &many_ms) < 0)
		return -1;
	bench_result(opt, "find", "selective", few_ms, "ms");
	bench_result(opt, "find", "unselective", many_ms, "ms");
	return 0;
}

static int run(const struct bench_options *opt)
{
	struct site s = {.bench = "find"};
	int r = site_init(&s, opt, NULL);

	if (r == 0)
		r = measure(opt, &s);
	site_fini(&s);
	return r;
}

const struct bench bench_find = {
	"find", "find among a million twins: [selective] must 10, aim 2; [unselective] must 300, aim 60",
	run};
