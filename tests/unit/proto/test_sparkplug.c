/* SPDX-License-Identifier: Apache-2.0 */
#include <criterion/criterion.h>
#include <criterion/new/assert.h>

#include "proto/clock.h"
#include "proto/sparkplug.h"
#include "tests/unit/proto/text.h"

static struct arena *arena;
static struct buf out;

static void set_up(void)
{
	cr_assert(eq(int, arena_new(&arena, 1 << 24), 0));
}

static void tear_down(void)
{
	buf_fini(&out);
	arena_free(arena);
}

TestSuite(sparkplug, .init = set_up, .fini = tear_down, .timeout = 60);

/* Bytes as the specification numbers them, made by hand. */
#define DECODE(text, ret) sparkplug_decode(arena, BYTES(text), ret)

Test(sparkplug, fields_are_those_of_the_specification)
{
	struct sparkplug_payload p;

	/* timestamp 1000, seq 7, a metric: name "kw", alias 300, timestamp 2000, datatype 10, historical,
	 * metadata (skipped), properties Quality 192, double 1.5 */
	cr_assert(eq(int,
		     DECODE("\x08\xe8\x07\x12\x2d\x0a\x02kw\x10\xac\x02\x18\xd0\x0f\x20\x0a\x28\x01\x42\x02"
			    "\x08\x01\x4a\x10\x0a\x07Quality\x12\x05\x08\x03\x18\xc0\x01"
			    "\x69\x00\x00\x00\x00\x00\x00\xf8\x3f\x18\x07",
			    &p),
		     0));
	cr_assert(eq(sz, p.n_metrics, 1));
	cr_expect(p.has_time && p.t_ns == NS_PER_S && p.has_seq && p.seq == 7);
	const struct sparkplug_metric *m = p.metrics;
	EXPECT_TEXT(m->name, "kw");
	cr_expect(m->has_alias && m->alias == 300 && m->has_time && m->t_ns == 2 * NS_PER_S);
	cr_expect(m->datatype == SPARKPLUG_DOUBLE && m->is_historical && !m->is_null);
	cr_expect(m->quality == QUALITY_GOOD && m->field == SPARKPLUG_REAL && m->real == 1.5);
}

Test(sparkplug, qualities_other_than_good_are_told_apart)
{
	struct sparkplug_payload p;

	cr_assert(eq(int, DECODE("\x12\x0f\x4a\x0d\x0a\x07Quality\x12\x02\x18\x00", &p), 0));
	cr_expect(p.metrics[0].quality == QUALITY_BAD);
	cr_assert(eq(int, DECODE("\x12\x10\x4a\x0e\x0a\x07Quality\x12\x03\x18\xf4\x03", &p), 0));
	cr_expect(p.metrics[0].quality == QUALITY_UNCERTAIN);
}

Test(sparkplug, what_was_written_is_read)
{
	struct sparkplug_metric metrics[] = {
		{.name = "a", .field = SPARKPLUG_BITS, .bits = 5, .datatype = SPARKPLUG_INT32},
		{.name = "", .has_alias = true, .alias = 0, .field = SPARKPLUG_BITS, .bits = UINT64_MAX},
		{.name = "c", .field = SPARKPLUG_REAL, .real = 0.5, .datatype = SPARKPLUG_FLOAT},
		{.name = "d", .field = SPARKPLUG_TRUTH, .truth = true, .datatype = SPARKPLUG_BOOLEAN},
		{.name = "e", .field = SPARKPLUG_WORDS, .words = "run", .datatype = SPARKPLUG_STRING},
		{.name = "f", .is_null = true, .is_historical = true, .has_time = true, .t_ns = NS_PER_MS},
	};
	const struct sparkplug_payload in = {
		.has_time = true, .t_ns = NS_PER_S, .has_seq = true, .metrics = metrics, .n_metrics = 6};
	struct sparkplug_payload p;

	sparkplug_encode(&in, &out);
	cr_assert(eq(int, buf_check(&out), 0));
	cr_assert(eq(int, sparkplug_decode(arena, buf_bytes(&out), &p), 0));
	cr_assert(p.n_metrics == 6 && p.has_seq && p.seq == 0 && p.t_ns == NS_PER_S);
	cr_expect(p.metrics[0].bits == 5 && p.metrics[1].bits == UINT64_MAX && p.metrics[1].has_alias);
	cr_expect(p.metrics[2].real == 0.5 && p.metrics[3].truth && p.metrics[5].is_null);
	cr_expect(p.metrics[5].is_historical && p.metrics[5].t_ns == NS_PER_MS && !p.metrics[0].has_alias);
	EXPECT_TEXT(p.metrics[4].words, "run");
	for (size_t n = 1; n < buf_bytes(&out).len; n++)
		(void)!sparkplug_decode(arena, (struct bytes){buf_bytes(&out).data, n}, &p);
}

Test(sparkplug, what_is_out_of_bounds_is_malformed)
{
	static const struct {
		const char *bytes;
		size_t len;
	} cases[] = {
		{"\x18\x80\x02", 3},                              /* seq 256 */
		{"\x08\xff\xff\xff\xff\xff\xff\xff\xff\x7f", 10}, /* a time past all nanoseconds */
		{"\x12\x03\x0a\x01\xff", 5},                      /* a name that is not UTF-8 */
		{"\x12\x03\x0a\x01\x00", 5},                      /* one with a NUL */
		{"\x12\x03\x7a\x01\xff", 5},                      /* a text */
		{"\x12\x05", 2},
	};
	struct sparkplug_payload p;

	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++)
		cr_expect(eq(int,
			     sparkplug_decode(arena,
					      (struct bytes){(const uint8_t *)cases[i].bytes, cases[i].len},
					      &p),
			     ERR_MALFORMED),
			  "case %zu", i);
	for (size_t i = 0; i <= SPARKPLUG_METRICS_MAX; i++)
		buf_put(&out, BYTES("\x12\x00"));
	cr_expect(eq(int, sparkplug_decode(arena, buf_bytes(&out), &p), ERR_MALFORMED));
}

Test(sparkplug, nested_fields_are_skipped_however_deep)
{
	struct sparkplug_payload p;
	uint8_t deep[2 * 120];

	/* A template (18) in a template ... : to us a field that is not known. */
	for (size_t i = 0; i < sizeof deep; i += 2) {
		deep[i] = 0x12;
		deep[i + 1] = (uint8_t)(sizeof deep - i - 2 < 128 ? sizeof deep - i - 2 : 0);
	}
	(void)!sparkplug_decode(arena, (struct bytes){deep, sizeof deep}, &p);
	cr_assert(eq(int, DECODE("\x12\x06\x92\x01\x03\x12\x01\x00", &p), 0));
	cr_expect(p.metrics[0].field == SPARKPLUG_NONE);
}

Test(sparkplug, integers_are_read_by_their_type)
{
	static const struct {
		uint32_t type;
		uint64_t bits;
		int64_t expected;
	} cases[] = {
		{SPARKPLUG_INT8, 0xff, -1},
		{SPARKPLUG_INT8, 0xffffff80, -128},
		{SPARKPLUG_INT16, 0x8000, -32768},
		{SPARKPLUG_INT16, 0x7fff, 32767},
		{SPARKPLUG_INT32, 0xffffffff, -1},
		{SPARKPLUG_INT32, UINT64_MAX, -1},
		{SPARKPLUG_INT64, UINT64_MAX, -1},
		{SPARKPLUG_UINT8, 0xff, 255},
		{SPARKPLUG_UINT32, 0xffffffff, 4294967295},
		{SPARKPLUG_DATE_TIME, 1700000000000, 1700000000000},
	};
	struct value v;

	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		const struct sparkplug_metric m = {.field = SPARKPLUG_BITS, .bits = cases[i].bits};
		cr_assert(sparkplug_value(&m, cases[i].type, &v) && v.type == VALUE_INT64);
		cr_expect(eq(i64, v.integer, cases[i].expected), "case %zu", i);
	}
	const struct sparkplug_metric large = {.field = SPARKPLUG_BITS, .bits = UINT64_MAX};
	cr_expect(sparkplug_value(&large, SPARKPLUG_UINT64, &v) && v.type == VALUE_DOUBLE && v.real > 1.8e19);
	cr_expect(not(sparkplug_value(&(struct sparkplug_metric){.is_null = true, .field = SPARKPLUG_BITS},
				      SPARKPLUG_INT8, &v)));
	cr_expect(not(sparkplug_value(&large, 16, &v)), "a data set has no one value");
}
