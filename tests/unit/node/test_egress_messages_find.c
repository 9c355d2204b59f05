/* SPDX-License-Identifier: Apache-2.0 */
/* What leaves with a find: see test_egress_messages.c. */
#define _GNU_SOURCE /* memmem */
#include <criterion/criterion.h>
#include <criterion/new/assert.h>
#include <math.h>

#include "node/find.h"
#include "node/gossip.h"
#include "node/log.h"
#include "proto/clock.h"
#include "tests/lib/must.h"
#include "tests/unit/node/wire.h"

#define SOME \
	"share \"some\"\n to org volt\n twins plant/**\n allow discover, summary\n allow read open/*\n" \
	" redact open/token as token\n until 2100-01-01\n" \
	"share \"bare\"\n to org volt\n twins bare\n allow discover\n until 2100-01-01\n" \
	"never \"secrets\"\n to everyone-else\n twins **\n deny summary, read, history, watch of " \
	"secret/**\n"
#define ALL \
	"share \"all\"\n to org volt\n twins **\n allow discover, summary\n allow read **\n until " \
	"2100-01-01\n"

/* In what the partner may not see, and nowhere else. */
static const char *const marks[] = {"zq-id",       "zq-name", "zq-tag",    "zq-bare-name",
				    "zq-bare-tag", "zq-type", "zq-secret", "zq-token"};
enum { N_MARKS = sizeof marks / sizeof *marks };

static const char *const shown[] = {"open/level", "open/word", "open/token", "secret/level", "secret/word"};
enum { N_SHOWN = sizeof shown / sizeof *shown };

static void put_type(const char *name)
{
	struct property_def p[] = {
		{.name = "open/level",
		 .type = VALUE_DOUBLE,
		 .unit = "m",
		 .min = NAN,
		 .max = NAN,
		 .kpi = true},
		{.name = "open/word", .type = VALUE_TEXT, .unit = "", .min = NAN, .max = NAN},
		{.name = "open/token", .type = VALUE_TEXT, .unit = "", .min = NAN, .max = NAN, .kpi = true},
		{.name = "secret/level",
		 .type = VALUE_DOUBLE,
		 .unit = "m",
		 .min = NAN,
		 .max = NAN,
		 .kpi = true},
		{.name = "secret/word", .type = VALUE_TEXT, .unit = "", .min = NAN, .max = NAN}};

	world_put(
		&(struct op){.kind = OP_TYPE,
			     .type = {.name = name, .version = 1, .properties = p, .n_properties = N_SHOWN}},
		1);
}

static void put_text(const char *id, const char *property, const char *text)
{
	struct sample s = {.t_ns = 20, .value = {.type = VALUE_TEXT, .text = text}, .sigma = NAN};

	world_put(&(struct op){.kind = OP_SAMPLES,
			       .samples = {.twin = id, .property = property, .samples = &s, .n = 1}},
		  1);
}

static void put_twin(const char *id, const char *type, const char *name, const char *tag)
{
	world_put(&(struct op){.kind = OP_TWIN,
			       .twin = {.id = id, .type = type, .name = name, .tags = &tag, .n_tags = 1}},
		  1);
	world_value(id, "open/level", 20, 2);
	world_value(id, "secret/level", 20, 73645.19283746551);
	put_text(id, "open/word", "sesame");
	put_text(id, "open/token", "zq-token");
	put_text(id, "secret/word", "zq-secret");
}

static void set_up(void)
{
	log_set_level(LOG_LEVEL_WARNING);
	wire_set_up();
	put_type("press");
	put_type("zq-type");
	put_twin("acme/plant/p1", "press", "press 1", "shown");
	put_twin("acme/bare", "press", "zq-bare-name", "zq-bare-tag");
	put_twin("acme/guessed", "zq-type", "zq-name", "zq-tag");
	put_twin("acme/zq-id", "zq-type", "zq-name", "zq-tag");
	world_policy(SOME);
	must(visibility_sweep(world.visibility) == 0);
	wire_features = FEATURE_VIEW;
	wire_join(WIRE_VOLT);
	wire_join(WIRE_HARBOR);
	wire_join(WIRE_OWN);
}

TestSuite(leaves, .init = set_up, .fini = wire_tear_down, .timeout = 60);

static bool is_answered(uint32_t session, uint64_t id)
{
	const struct sent *s = wire_last(session, MESSAGE_ANSWER);

	return s && s->message.answer.id == id && s->message.answer.last;
}

static const struct answer *ask(uint32_t session, const char *asker, const char *where, uint32_t limit)
{
	static uint64_t id;
	const struct question q = {.id = ++id,
				   .timeout_ns = NS_PER_S,
				   .kind = QUESTION_FIND,
				   .asker = asker,
				   .twin = "",
				   .property = "",
				   .view = {.hierarchy = "",
					    .by_property = "",
					    .after = "",
					    .where = where,
					    .limit = limit,
					    .show = (const char **)(uintptr_t)shown,
					    .n_show = N_SHOWN}};

	wire_hear(session, &(struct message){.kind = MESSAGE_QUESTION, .question = q});
	while (!is_answered(session, id)) /* on a slow machine it takes more than one slice */
		uv_run(&world.loop, UV_RUN_NOWAIT);
	return &wire_last(session, MESSAGE_ANSWER)->message.answer;
}

/* Everything there is, and what only holds of what is hidden. */
static void find_all(uint32_t session, const char *asker)
{
	static const char *const wheres[] = {"kind = component", "known(secret/word) or tag = zq-tag",
					     "secret/level > 0 m", "open/level > 1 m", "name like 'zq*'"};

	for (size_t i = 0; i < sizeof wheres / sizeof *wheres; i++) {
		ask(session, asker, wheres[i], 0);
		ask(session, asker, wheres[i], 1);
		ask(session, asker, wheres[i], 100);
	}
}

static size_t times_sent(uint32_t session, const char *text)
{
	size_t n = 0;

	for (size_t i = 0; i < wire_n_sent; i++)
		n += wire_sent[i].session == session &&
		     memmem(wire_sent[i].frame.data, wire_sent[i].frame.len, text, strlen(text));
	return n;
}

Test(leaves, nothing_found_that_the_search_would_not_find)
{
	world_policy(ALL);
	find_all(WIRE_VOLT, "volt");
	for (size_t i = 0; i < N_MARKS; i++)
		cr_expect(strstr(marks[i], "tag") || times_sent(WIRE_VOLT, marks[i]) > 0, "%s", marks[i]);
}

Test(leaves, answer_find_has_what_may_be_seen)
{
	find_all(WIRE_VOLT, "volt");
	find_all(WIRE_HARBOR, "");
	for (size_t i = 0; i < N_MARKS; i++) {
		cr_expect(eq(sz, times_sent(WIRE_VOLT, marks[i]), 0), "%s", marks[i]);
		cr_expect(eq(sz, times_sent(WIRE_HARBOR, marks[i]), 0), "%s", marks[i]);
	}
	cr_expect(times_sent(WIRE_VOLT, "press 1") > 0);
	cr_expect(times_sent(WIRE_VOLT, "sesame") > 0);
	cr_expect(eq(sz, times_sent(WIRE_HARBOR, "press 1"), 0));
	cr_expect(eq(u64, ask(WIRE_VOLT, "", "kind = component", 9)->view.counts.members, 2));
	cr_expect(eq(u64, ask(WIRE_HARBOR, "", "kind = component", 9)->view.counts.members, 0));
}

/* A border of ours asks on behalf of a partner: it puts in the tokens. */
Test(leaves, answer_find_to_a_border_that_asks_for_a_partner)
{
	find_all(WIRE_OWN, "volt");
	for (size_t i = 0; i < N_MARKS; i++)
		cr_expect(strcmp(marks[i], "zq-token") == 0 || times_sent(WIRE_OWN, marks[i]) == 0, "%s",
			  marks[i]);
	cr_expect(times_sent(WIRE_OWN, "press 1") > 0);
}

/* That nothing is found tells nothing: whether it is not so, or hidden. */
Test(leaves, answer_find_is_no_oracle)
{
	static const char *const wheres[] = {"secret/word = 'zq-secret'", "not secret/word = 'zq-secret'",
					     "secret/level > 0 m",        "known(secret/level)",
					     "age(secret/level) > 0 s",   "id = acme/guessed",
					     "tag = zq-bare-tag",         "open/token = 'zq-token'",
					     "name = 'zq-bare-name'",     "type = zq-type"};

	for (size_t i = 0; i < sizeof wheres / sizeof *wheres; i++)
		cr_expect(eq(u64, ask(WIRE_VOLT, "", wheres[i], 9)->view.counts.members, 0), "%s", wheres[i]);
}

static void on_found(void *ctx, int code, const struct err_note *note, const struct view_part *view)
{
	(void)ctx, (void)code, (void)note, (void)view;
}

Test(leaves, question_find_says_what_is_looked_for_and_no_more)
{
	const struct view_question q = {
		.where = "open/level > 1 m", .after = "", .limit = 3, .deadline_ns = NS_PER_S};
	const struct audience ourselves = {.org = ""};
	struct err_note note;

	must(find_ask(&world, &ourselves, &q, on_found, NULL, &note) == 0);
	const struct sent *asked = wire_last(WIRE_VOLT, MESSAGE_QUESTION);
	cr_assert(asked != NULL);
	cr_expect(eq(int, (int)asked->message.question.kind, QUESTION_FIND));
	cr_expect_str_eq(asked->message.question.view.where, "open/level > 1 m");
	cr_expect_str_eq(asked->message.question.asker, "");
	for (size_t i = 0; i < N_MARKS; i++)
		cr_expect(eq(sz, times_sent(WIRE_VOLT, marks[i]), 0), "%s", marks[i]);
}
