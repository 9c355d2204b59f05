/* SPDX-License-Identifier: Apache-2.0 */
#include <criterion/criterion.h>
#include <criterion/new/assert.h>
#include <math.h>

#include "node/reads.h"
#include "proto/clock.h"
#include "proto/packed.h"
#include "tests/lib/must.h"
#include "tests/unit/node/world.h"

#define MINUTE_NS (60 * NS_PER_S)
/* The world's clock stands at 1000 s: 16 min 40 s. */
#define POLICY(WINDOW) \
	" share \"one\"\n  to org volt\n  twins **\n  allow discover, summary\n  allow history " \
	"power " WINDOW "\n  until 2026-01-01\n"

static struct history_bucket buckets[500];
static size_t n_buckets;
static int64_t times[500];
static size_t n_samples;
static int code;
static bool more;

static void on_answer(void *ctx, int r, const char *text, const struct answer *parts, size_t n)
{
	(void)ctx, (void)text;
	code = r;
	n_buckets = n > 0 ? parts[0].n_buckets : 0;
	more = n > 0 && parts[0].more;
	for (size_t i = 0; i < n_buckets; i++)
		buckets[i] = parts[0].buckets[i];
	n_samples = n > 0 ? parts[0].n_samples : 0;
	for (size_t i = 0; i < n_samples; i++)
		times[i] = parts[0].samples[i].t_ns;
}

static void set_up(void)
{
	world_set_up();
	world_type("press", "power", NULL, "kW");
	world_twin("acme/p1", "press", NULL);
	for (int64_t s = 0; s < 1000; s += 10)
		world_value("acme/p1", "power", s * NS_PER_S, (double)s);
}

TestSuite(reads, .init = set_up, .fini = world_tear_down, .timeout = 60);

static void ask(const char *org, int64_t from_ns, int64_t to_ns, int64_t step_ns, uint32_t limit)
{
	const struct question q = {.kind = QUESTION_HISTORY,
				   .asker = org,
				   .twin = "acme/p1",
				   .property = "power",
				   .from_ns = from_ns,
				   .to_ns = to_ns,
				   .step_ns = step_ns,
				   .limit = limit};
	const struct audience to = audience_of(org);

	cr_assert(eq(int, reads_ask(&world, &to, &q, NS_PER_S, on_answer, NULL), 0));
}

Test(reads, buckets_say_what_a_step_amounts_to)
{
	ask("", TIME_MIN, TIME_MAX, MINUTE_NS, 0);
	cr_assert(eq(int, code, 0));
	cr_assert(eq(sz, n_buckets, 17));
	cr_expect(eq(i64, buckets[1].t_ns, MINUTE_NS));
	cr_expect(eq(u64, buckets[1].n, 6));
	cr_expect(eq(dbl, buckets[1].mean, 85));
	cr_expect(eq(dbl, buckets[1].min, 60));
	cr_expect(eq(dbl, buckets[1].max, 110));
	cr_expect(eq(dbl, buckets[1].last, 110));
	cr_expect(eq(i64, buckets[1].last_ns, 110 * NS_PER_S));
	cr_expect(epsilon_eq(dbl, buckets[1].sd, sqrt(1750.0 / 6), 1e-9));
	cr_expect(eq(u64, buckets[16].n, 4), "the one that still grows, for those of the house");
}

Test(reads, buckets_come_in_pages)
{
	ask("", 30 * NS_PER_S, 300 * NS_PER_S, MINUTE_NS, 2);
	cr_assert(eq(sz, n_buckets, 2));
	cr_expect(more);
	cr_expect(eq(u64, buckets[0].n, 3), "only from the asked time on");
	ask("", buckets[1].t_ns + MINUTE_NS, 300 * NS_PER_S, MINUTE_NS, 10);
	cr_expect(eq(sz, n_buckets, 4));
	cr_expect(not(more));
	cr_expect(eq(u64, buckets[3].n, 1));
}

Test(reads, a_policy_step_coarser_than_asked_wins)
{
	world_policy(POLICY("step 5min"));
	ask("volt", TIME_MIN, TIME_MAX, MINUTE_NS, 0);
	cr_assert(eq(int, code, 0));
	cr_assert(eq(sz, n_buckets, 3), "the fourth still grows");
	cr_expect(eq(i64, buckets[1].t_ns, 5 * MINUTE_NS));
	cr_expect(eq(u64, buckets[1].n, 30));
}

Test(reads, a_step_coarser_than_the_policys_is_given)
{
	world_policy(POLICY("step 1min"));
	ask("volt", TIME_MIN, TIME_MAX, 5 * MINUTE_NS, 0);
	cr_assert(eq(sz, n_buckets, 3));
	cr_expect(eq(u64, buckets[2].n, 30));
}

Test(reads, no_part_of_a_policy_step_is_told)
{
	world_policy(POLICY("step 5min"));
	ask("volt", 310 * NS_PER_S, 310 * NS_PER_S, MINUTE_NS, 0);
	cr_assert(eq(sz, n_buckets, 1));
	cr_expect(eq(u64, buckets[0].n, 30), "the whole step around it");
	ask("volt", 910 * NS_PER_S, 920 * NS_PER_S, MINUTE_NS, 0);
	cr_expect(eq(sz, n_buckets, 0), "it is not over yet");
	world_policy(POLICY("last 10min step 5min")); /* from 400 s on */
	ask("volt", TIME_MIN, TIME_MAX, MINUTE_NS, 0);
	cr_assert(eq(sz, n_buckets, 1), "the step that begins before the window is not told");
	cr_expect(eq(i64, buckets[0].t_ns, 10 * MINUTE_NS));
}

Test(reads, without_a_policy_step_the_window_still_counts)
{
	world_policy(POLICY("last 10min"));
	ask("volt", TIME_MIN, TIME_MAX, 5 * MINUTE_NS, 0);
	cr_assert(eq(sz, n_buckets, 3));
	cr_expect(eq(u64, buckets[0].n, 20), "400 s to 590 s");
	ask("harbor", TIME_MIN, TIME_MAX, 5 * MINUTE_NS, 0);
	cr_expect(eq(int, code, ERR_DENIED));
}

/* ---- Samples, one a step ----------------------------------------------------------------------------------
 */

Test(reads, steps_before_the_epoch_are_steps_like_others)
{
	world_value("acme/p1", "power", -10 * NS_PER_S, 1);
	world_policy(POLICY("step 5min"));
	ask("volt", TIME_MIN, TIME_MAX, 0, 0);
	cr_assert(eq(int, code, 0));
	cr_assert(eq(sz, n_samples, 5));
	cr_expect(eq(i64, times[0], -10 * NS_PER_S));
	cr_expect(eq(i64, times[1], 0));
	cr_expect(eq(i64, times[2], 5 * MINUTE_NS));
}

/* So many that they may not be looked at one after the other. */
static void fill_a_step(void)
{
	SCOPED(packed_writer_fini) struct packed_writer w = {0};
	SCOPED(buf_fini) struct buf bytes = {0};
	SCOPED(scope_batch) struct batch *b = NULL;
	const struct packed_id id = {.incarnation = store_incarnation(world.store)};
	struct packed_result result;
	struct sample s = {.value = {VALUE_DOUBLE, .real = 1}, .sigma = NAN};
	struct packed frame;

	for (int64_t round = 0; round < 2; round++) {
		SCOPED(scope_arena) struct arena *a = NULL;
		packed_writer_clear(&w);
		buf_clear(&bytes);
		for (int64_t i = 0; i < PACKED_SAMPLES_MAX; i++) {
			s.t_ns = (round * PACKED_SAMPLES_MAX + i) * NS_PER_MS + 1;
			must(packed_put(&w, store_series(world.store, store_twin(world.store, "acme/p1"), 0),
					&s) == 0);
		}
		must(packed_finish(&w, &id, &bytes) == 0 && packed_check(buf_bytes(&bytes), &frame) == 0);
		must(arena_new(&a, 1 << 20) == 0);
		batch_free(b);
		must(batch_new(&b) == 0);
		must(store_stage_packed(world.store, b, &frame, 1000 * NS_PER_S, a, &result) == 0);
		must(result.n_taken == frame.n && store_write(world.store, b) == 0);
		must(store_apply(world.store, b, 1000 * NS_PER_S) == 0);
	}
}

Test(reads, what_is_left_out_of_a_step_is_passed_over)
{
	fill_a_step();
	world_policy(POLICY("step 5min"));
	ask("volt", 1, TIME_MAX, 0, 0);
	cr_assert(eq(int, code, 0));
	cr_assert(gt(sz, n_samples, 0));
	cr_expect(eq(i64, times[0], 5 * MINUTE_NS), "the first of its step is before what was asked for");
}

/* ---- Tokens ----------------------------------------------------------------------------------------------
 */

static struct answer told;
static struct arena *kept;

/* As it leaves: encoded. */
static void on_told(void *ctx, int r, const char *text, const struct answer *parts, size_t n)
{
	struct buf *out = ctx;
	struct message m = {.kind = MESSAGE_ANSWER, .nonce = 1, .frame = 1}, copy;

	code = r;
	told = (struct answer){0};
	if (n == 0) {
		m.answer = (struct answer){
			.id = 1, .last = true, .code = r, .text = text, .kind = QUESTION_READ};
	} else {
		m.answer = parts[0];
		m.answer.id = 1;
	}
	m.answer.unit = m.answer.unit ? m.answer.unit : "";
	message_encode(&m, out);
	must(buf_check(out) == 0);
	must(message_decode(kept, buf_bytes(out), &copy) == 0);
	told = copy.answer;
}

static bool holds(const struct buf *b, double number)
{
	for (size_t i = 0; i + sizeof number <= b->len; i++)
		if (memcmp(b->data + i, &number, sizeof number) == 0)
			return true;
	return false;
}

static void read_as(const struct audience *to, const char *property, struct buf *out)
{
	const struct question q = {
		.kind = QUESTION_READ, .asker = "", .twin = "acme/p1", .property = property};

	buf_clear(out);
	cr_assert(eq(int, reads_ask(&world, to, &q, NS_PER_S, on_told, out), 0));
}

Test(reads, a_redacted_value_leaves_as_a_token_and_nowhere_as_it_is)
{
	SCOPED(buf_fini) struct buf out = {0};
	const struct audience volt = audience_of("volt"), own = audience_of("");

	must(arena_new(&kept, 1 << 20) == 0);
	world_policy(
		"share \"one\"\n to org volt\n twins **\n allow discover, summary\n"
		" allow history power\n redact power as token\n until 2100-01-01\n");
	read_as(&own, "", &out);
	cr_expect(holds(&out, 990), "the test would see it");
	read_as(&volt, "", &out);
	cr_assert(eq(int, code, 0));
	cr_assert(eq(sz, told.n_values, 1));
	cr_expect(eq(int, (int)told.values[0].sample.value.type, VALUE_TEXT));
	cr_expect(strcmp(told.values[0].unit, "") == 0);
	cr_expect(eq(i64, told.values[0].sample.t_ns, 990 * NS_PER_S));
	cr_assert(eq(sz, told.row.n_kpis, 1));
	cr_expect(strcmp(told.row.kpis[0].sample.value.text, told.values[0].sample.value.text) == 0);
	cr_expect(not(holds(&out, 990)));
	ask("volt", TIME_MIN, TIME_MAX, 0, 0);
	cr_expect(eq(int, code, ERR_DENIED), "of tokens there is no history");
	ask("volt", TIME_MIN, TIME_MAX, MINUTE_NS, 0);
	cr_expect(eq(int, code, ERR_DENIED));
	arena_free(kept);
	kept = NULL;
}

Test(reads, what_is_dropped_is_not_there)
{
	SCOPED(buf_fini) struct buf out = {0};
	const struct audience volt = audience_of("volt");

	must(arena_new(&kept, 1 << 20) == 0);
	world_policy(
		"share \"one\"\n to org volt\n twins **\n allow discover, summary\n"
		" allow read power\n redact power as drop\n until 2100-01-01\n");
	read_as(&volt, "", &out);
	cr_assert(eq(int, code, 0));
	cr_expect(eq(sz, told.n_values, 0));
	cr_expect(eq(sz, told.row.n_kpis, 0));
	cr_expect(not(holds(&out, 990)));
	read_as(&volt, "power", &out);
	cr_expect(eq(int, code, ERR_DENIED));
	arena_free(kept);
	kept = NULL;
}
