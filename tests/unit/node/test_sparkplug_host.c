/* SPDX-License-Identifier: Apache-2.0 */
#include <criterion/criterion.h>
#include <criterion/new/assert.h>

#include <stdio.h>
#include <string.h>

#include "node/sparkplug.h"
#include "proto/clock.h"
#include "tests/unit/proto/text.h"

static struct spark_host *host;
static struct arena *arena;
static char result[4000]; /* what came out, in order */
static uint64_t mono_ms;

#define NOW_NS (INT64_C(1700000000) * NS_PER_S)

static void set_up(void)
{
	cr_assert(eq(int, arena_new(&arena, 1 << 24), 0));
	cr_assert(eq(int, spark_host_new(&host), 0));
}

static void tear_down(void)
{
	spark_host_free(host);
	arena_free(arena);
}

TestSuite(sparkplug_host, .init = set_up, .fini = tear_down, .timeout = 60);

static void add(const char *text)
{
	const size_t n = strlen(result);

	snprintf(result + n, sizeof result - n, "%s%s", n > 0 ? "; " : "", text);
}

static void on_word(void *ctx, const struct spark_word *w)
{
	char text[300];

	(void)ctx;
	add(w->topic + strlen("spBv1.0/"));
	for (size_t i = 0; i < w->n_values; i++) {
		const struct spark_value *v = &w->values[i];
		snprintf(text, sizeof text, "%s=%s@%lld%s%s%s", v->name, value_text(arena, &v->value),
			 (long long)((v->t_ns - NOW_NS) / NS_PER_MS), v->is_historical ? " historical" : "",
			 v->quality == QUALITY_GOOD ? "" : " ",
			 v->quality == QUALITY_GOOD ? "" : quality_text(v->quality));
		add(text);
	}
}

static void on_fault(void *ctx, const char *reason)
{
	(void)ctx;
	add(reason);
}

static void on_ask(void *ctx, const char *group, const char *node)
{
	char text[100];

	(void)ctx;
	snprintf(text, sizeof text, "ask %s %s", group, node);
	add(text);
}

/* What a node says. */
static struct sparkplug_metric said[8];
static size_t n_said;

static struct sparkplug_metric *metric(const char *name, int alias, uint32_t type, uint64_t bits)
{
	struct sparkplug_metric *m = &said[n_said++];

	*m = (struct sparkplug_metric){.name = name,
				       .has_alias = alias >= 0,
				       .alias = alias >= 0 ? (uint64_t)alias : 0,
				       .datatype = type,
				       .field = SPARKPLUG_BITS,
				       .bits = bits};
	return m;
}

static const char *send_again(const char *topic, int seq, bool again)
{
	SCOPED(buf_fini) struct buf b = {0};
	struct sparkplug_payload p = {.has_time = true,
				      .t_ns = NOW_NS - NS_PER_S,
				      .has_seq = seq >= 0,
				      .seq = seq >= 0 ? (uint64_t)seq : 0,
				      .metrics = said,
				      .n_metrics = n_said};

	sparkplug_encode(&p, &b);
	n_said = 0;
	result[0] = '\0';
	spark_host_take(host,
			&(struct spark_message){.topic = topic,
						.payload = buf_bytes(&b),
						.again = again,
						.now_ns = NOW_NS,
						.mono_ms = mono_ms,
						.sink = {.word = on_word, .fault = on_fault, .ask = on_ask}},
			arena);
	return result;
}

#define EXPECT_SENT(topic, seq, expected) EXPECT_TEXT(send_again("spBv1.0/" topic, seq, false), expected)

static void born(void)
{
	metric("bdSeq", -1, SPARKPLUG_INT64, 3);
	metric("load", 1, SPARKPLUG_INT8, 0xff);
	EXPECT_SENT("g/NBIRTH/n", 0, "g/NBIRTH/n; bdSeq=3@-1000; load=-1@-1000");
	metric("kw", 2, SPARKPLUG_UINT16, 7);
	metric("count", 9, SPARKPLUG_INT32, 1);
	EXPECT_SENT("g/DBIRTH/n/d", 1, "g/DBIRTH/n/d; kw=7@-1000; count=1@-1000");
}

Test(sparkplug_host, aliases_are_those_of_the_birth)
{
	born();
	metric("", 9, 0, 0xfffffffe);
	metric("", 2, 0, 8);
	EXPECT_SENT("g/DDATA/n/d", 2, "g/DDATA/n/d; count=-2@-1000; kw=8@-1000");
	metric("load", -1, 0, 0x80);
	EXPECT_SENT("g/NDATA/n", 3, "g/NDATA/n; load=-128@-1000");
	metric("", 1, 0, 5); /* the node's, not the device's */
	EXPECT_SENT("g/DDATA/n/d", 4, "ask g n; it has metrics that are not in the birth; g/DDATA/n/d");
}

Test(sparkplug_host, before_a_birth_a_node_is_asked_and_only_whole_names_are_taken)
{
	metric("", 2, 0, 8);
	metric("kw", -1, SPARKPLUG_UINT16, 9);
	EXPECT_SENT("g/DDATA/n/d", 4,
		    "ask g n; the birth of its node or device is not known: the node is asked for it; "
		    "g/DDATA/n/d; kw=9@-1000");
	mono_ms += HOST_ASK_MS - 1;
	metric("", 2, 0, 8);
	EXPECT_SENT("g/DDATA/n/d", 5,
		    "the birth of its node or device is not known: the node is asked for it; g/DDATA/n/d");
	mono_ms++;
	EXPECT_SENT("g/NDATA/n", 6, "ask g n; g/NDATA/n");
	EXPECT_SENT("g/NDATA/other", 6, "ask g other; g/NDATA/other");
}

Test(sparkplug_host, after_a_gap_aliases_are_not_believed)
{
	born();
	metric("", 2, 0, 8);
	EXPECT_SENT("g/DDATA/n/d", 3,
		    "ask g n; the birth of its node or device is not known: the node is asked for it; "
		    "g/DDATA/n/d");
	metric("kw", -1, 0, 8);
	EXPECT_SENT("g/DDATA/n/d", 4, "g/DDATA/n/d; kw=8@-1000");
	born();
	metric("", 2, 0, 8);
	EXPECT_SENT("g/DDATA/n/d", 2, "g/DDATA/n/d; kw=8@-1000");
}

Test(sparkplug_host, numbers_go_round_and_repeats_are_no_gap)
{
	born();
	for (int i = 2; i < 600; i++) {
		metric("", 2, 0, (uint64_t)i);
		send_again("spBv1.0/g/DDATA/n/d", i % 256, false);
		cr_assert(strstr(result, "ask") == NULL, "%d: %s", i, result);
	}
	for (int i = 590; i < 600; i++) {
		metric("", 2, 0, (uint64_t)i);
		send_again("spBv1.0/g/DDATA/n/d", i % 256, true);
		cr_assert(strstr(result, "ask") == NULL, "%d: %s", i, result);
	}
	metric("", 2, 0, 600);
	EXPECT_SENT("g/DDATA/n/d", 600 % 256, "g/DDATA/n/d; kw=600@-1000");
}

Test(sparkplug_host, a_death_makes_what_was_said_last_uncertain)
{
	born();
	metric("", 2, 0, 8);
	metric("", 9, 0, 4)->is_historical = true;
	EXPECT_SENT("g/DDATA/n/d", 2, "g/DDATA/n/d; kw=8@-1000; count=4@-1000 historical");
	metric("bdSeq", -1, SPARKPLUG_INT64, 2);
	EXPECT_SENT("g/NDEATH/n", -1, "");
	EXPECT_SENT("g/DDEATH/n/d", 3, "g/DDEATH/n/d; kw=8@0 uncertain; count=1@0 uncertain");
	EXPECT_SENT("g/DDEATH/n/d", 4, "");
	metric("bdSeq", -1, SPARKPLUG_INT64, 3);
	EXPECT_SENT("g/NDEATH/n", -1, "g/NDEATH/n; load=-1@0 uncertain; bdSeq=3@0 uncertain");
	born();
	EXPECT_SENT("g/NDEATH/n", -1,
		    "g/NDEATH/n/d; kw=7@0 uncertain; count=1@0 uncertain; g/NDEATH/n; load=-1@0 uncertain; "
		    "bdSeq=3@0 uncertain");
}

Test(sparkplug_host, a_null_makes_it_uncertain_too)
{
	born();
	metric("", 2, 0, 0)->is_null = true;
	struct sparkplug_metric *m = metric("", 9, 0, 5);
	m->has_time = true;
	m->t_ns = NOW_NS - NS_PER_MS;
	EXPECT_SENT("g/DDATA/n/d", 2, "g/DDATA/n/d; kw=7@-1000 uncertain; count=5@-1");
}

Test(sparkplug_host, a_null_before_a_new_text_says_the_old_one)
{
	struct sparkplug_metric *m = metric("mode", 1, SPARKPLUG_STRING, 0);
	m->field = SPARKPLUG_WORDS;
	m->words = "run";
	EXPECT_SENT("g/NBIRTH/n", 0, "g/NBIRTH/n; mode=run@-1000");
	metric("", 1, 0, 0)->is_null = true;
	m = metric("", 1, 0, 0);
	m->field = SPARKPLUG_WORDS;
	m->words = "a much longer word in its place";
	EXPECT_SENT("g/NDATA/n", 1,
		    "g/NDATA/n; mode=run@-1000 uncertain; mode=a much longer word in its place@-1000");
}

Test(sparkplug_host, what_makes_no_sense_is_told)
{
	metric("a", 1, SPARKPLUG_INT8, 1);
	metric("b", 1, SPARKPLUG_INT8, 1);
	EXPECT_SENT("g/NBIRTH/n", 0, "two metrics of its birth have the alias 1");
	metric("", 1, SPARKPLUG_INT8, 1);
	EXPECT_SENT("g/NBIRTH/n", 0, "a metric of its birth has no name");
	EXPECT_SENT("g/NCMD/n", -1, "");
	EXPECT_SENT("g/DDATA/n", 0, "");
	EXPECT_SENT("STATE/x", -1, "");
	result[0] = '\0';
	spark_host_take(host,
			&(struct spark_message){.topic = "spBv1.0/g/NDATA/n",
						.payload = BYTES("\xff\xff"),
						.sink = {.word = on_word, .fault = on_fault, .ask = on_ask}},
			arena);
	EXPECT_TEXT(result, "it is no payload of Sparkplug B");
}

Test(sparkplug_host, nodes_are_bounded)
{
	char topic[100];

	for (int i = 0; i < HOST_NODES_MAX; i++) {
		snprintf(topic, sizeof topic, "spBv1.0/g/NBIRTH/n%d", i);
		send_again(topic, 0, false);
	}
	EXPECT_SENT("g/NBIRTH/n", 0, "there are more than 1000 edge nodes, or no memory is left");
	metric("a", 1, SPARKPLUG_INT8, 1);
	EXPECT_SENT("g/NBIRTH/n5", 0, "g/NBIRTH/n5; a=1@-1000");
}

Test(sparkplug_host, a_rebirth_is_asked_for_as_the_specification_says)
{
	SCOPED(buf_fini) struct buf b = {0};
	struct sparkplug_payload p;

	spark_rebirth(NOW_NS, &b);
	cr_assert(eq(int, sparkplug_decode(arena, buf_bytes(&b), &p), 0));
	cr_assert(eq(sz, p.n_metrics, 1));
	EXPECT_TEXT(p.metrics[0].name, "Node Control/Rebirth");
	cr_expect(p.metrics[0].truth && p.metrics[0].datatype == SPARKPLUG_BOOLEAN && !p.has_seq);
	cr_expect(p.t_ns == NOW_NS);
}
