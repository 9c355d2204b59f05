/* SPDX-License-Identifier: Apache-2.0 */
#define _GNU_SOURCE /* memmem */
#include "tests/unit/node/leaves.h"

#include <criterion/criterion.h>
#include <criterion/new/assert.h>
#include <math.h>

#include "node/log.h"
#include "tests/lib/must.h"

const char *const leaves_marks[LEAVES_MARKS] = {"zq-id",       "zq-name", "zq-tag",    "zq-bare-name",
						"zq-bare-tag", "zq-type", "zq-secret", "zq-token"};
const char *const leaves_shown[LEAVES_SHOWN] = {"open/level", "open/word", "open/token", "secret/level",
						"secret/word"};

void leaves_put_type(const char *name, const struct property_def *more, size_t n)
{
	enum { OPEN = 3, MORE_MAX = 3 };
	struct property_def p[OPEN + MORE_MAX] = {
		{.name = "open/level", .type = VALUE_DOUBLE, .unit = "m", .kpi = true},
		{.name = "open/word", .type = VALUE_TEXT, .unit = ""},
		{.name = "open/token", .type = VALUE_TEXT, .unit = "", .kpi = true}};

	must(n <= MORE_MAX);
	memcpy(p + OPEN, more, n * sizeof *more);
	struct alarm_def alarm = {
		.name = "secret/zq-secret", .when = "open/level > 1 m", .severity = HEALTH_ALARM, .text = ""};
	for (size_t i = 0; i < OPEN + n; i++)
		p[i].min = p[i].max = NAN;
	world_put(&(struct op){.kind = OP_TYPE,
			       .type = {.name = name,
					.version = 1,
					.properties = p,
					.n_properties = OPEN + n,
					.alarms = &alarm,
					.n_alarms = 1}},
		  1);
}

void leaves_put_twin(const char *id, const char *type, const char *name, const char *tag)
{
	world_put(&(struct op){.kind = OP_TWIN,
			       .twin = {.id = id, .type = type, .name = name, .tags = &tag, .n_tags = 1}},
		  1);
}

void leaves_put_text(const char *id, const char *property, int64_t t_ns, const char *text)
{
	struct sample s = {.t_ns = t_ns, .value = {.type = VALUE_TEXT, .text = text}, .sigma = NAN};

	world_put(&(struct op){.kind = OP_SAMPLES,
			       .samples = {.twin = id, .property = property, .samples = &s, .n = 1}},
		  1);
}

/* ---- The scene */

/* An alarm whose name nobody may see. */
static void put_alarm(const char *id)
{
	struct sample s = {
		.t_ns = 20, .value = {.type = VALUE_TEXT, .text = "active expression"}, .sigma = NAN};

	world_put(&(struct op){.kind = OP_SAMPLES,
			       .by_node = true,
			       .samples = {id, "alarm/secret/zq-secret", &s, 1}},
		  1);
}

static void put_type(const char *name)
{
	static const struct property_def secret[] = {
		{.name = "secret/level", .type = VALUE_DOUBLE, .unit = "m", .kpi = true},
		{.name = "secret/word", .type = VALUE_TEXT, .unit = ""}};

	leaves_put_type(name, secret, 2);
}

static void put_full(const char *id, const char *type, const char *name, const char *tag)
{
	leaves_put_twin(id, type, name, tag);
	world_value(id, "open/level", 20, 2);
	world_value(id, "secret/level", 20, 73645.19283746551);
	leaves_put_text(id, "open/word", 20, "sesame");
	leaves_put_text(id, "open/token", 20, "zq-token");
	leaves_put_text(id, "secret/word", 20, "zq-secret");
	put_alarm(id);
}

void leaves_set_up(void)
{
	log_set_level(LOG_LEVEL_WARNING);
	wire_set_up();
	put_type("press");
	put_type("zq-type");
	put_full("acme/plant/p1", "press", "press 1", "shown");
	put_full("acme/bare", "press", "zq-bare-name", "zq-bare-tag");
	put_full("acme/guessed", "zq-type", "zq-name", "zq-tag");
	put_full("acme/zq-id", "zq-type", "zq-name", "zq-tag");
}

void leaves_begin(const char *policy)
{
	world_policy(policy);
	must(visibility_sweep(world.visibility) == 0);
	wire_features = FEATURE_VIEW | FEATURE_COMMAND;
	wire_join(WIRE_VOLT);
	wire_join(WIRE_HARBOR);
	wire_join(WIRE_OWN);
}

size_t leaves_times_sent(uint32_t session, const char *text)
{
	size_t n = 0;

	for (size_t i = 0; i < wire_n_sent; i++)
		n += wire_sent[i].session == session &&
		     memmem(wire_sent[i].frame.data, wire_sent[i].frame.len, text, strlen(text));
	return n;
}

void leaves_expect_clean(uint32_t session)
{
	for (size_t i = 0; i < LEAVES_MARKS; i++)
		cr_expect(eq(sz, leaves_times_sent(session, leaves_marks[i]), 0), "to session %u: %s",
			  session, leaves_marks[i]);
}

void leaves_expect_only_tokens(uint32_t session)
{
	for (size_t i = 0; i < LEAVES_MARKS; i++)
		cr_expect(strcmp(leaves_marks[i], "zq-token") == 0 ||
				  leaves_times_sent(session, leaves_marks[i]) == 0,
			  "to session %u: %s", session, leaves_marks[i]);
}
