/* SPDX-License-Identifier: Apache-2.0 */

#include <stdio.h>

#include "proto/clock.h"
#include "proto/twin.h"
#include "tests/unit/proto/codecs.h"
#include "tests/unit/proto/text.h"

Test(twin, words_of_the_enums_go_both_ways)
{
	enum kind kind;
	enum life_cycle state;

	for (int i = 0; i < N_KINDS; i++) {
		cr_expect(kind_parse(kind_text((enum kind)i), &kind));
		cr_expect(eq(int, kind, i));
	}
	for (int i = 0; i < N_LIFE_CYCLES; i++) {
		cr_expect(life_cycle_parse(life_cycle_text((enum life_cycle)i), &state));
		cr_expect(eq(int, state, i));
	}
	cr_expect(not(kind_parse("robot", &kind)));
	cr_expect(not(life_cycle_parse("", &state)));
	EXPECT_TEXT(health_text(HEALTH_ALARM), "alarm");
	EXPECT_TEXT(confirmation_text(CONFIRM_PENDING), "pending");
	EXPECT_TEXT(health_text(N_HEALTHS), "?");
}

Test(twin, the_life_cycle_goes_forwards_and_ends_retired)
{
	static const char may[N_LIFE_CYCLES][N_LIFE_CYCLES + 1] = {
		/* to d b c o m r */
		".xxx.x", /* design */
		"..xx.x", /* build */
		"...x.x", /* commissioned */
		"....xx", /* operating */
		"...x.x", /* maintenance */
		"......", /* retired */
	};

	for (int from = 0; from < N_LIFE_CYCLES; from++)
		for (int to = 0; to < N_LIFE_CYCLES; to++)
			cr_expect(eq(int, life_cycle_may((enum life_cycle)from, (enum life_cycle)to),
				     may[from][to] == 'x'),
				  "%d to %d", from, to);
	cr_expect(not(life_cycle_may(LIFE_DESIGN, N_LIFE_CYCLES)));
}

Test(twin, the_state_at_a_time_is_the_last_step_before_it)
{
	struct life_step life[] = {{LIFE_BUILD, 10}, {LIFE_OPERATING, 20}};
	const struct twin_def t = {.life = life, .n_life = 2};

	cr_expect(eq(int, twin_life_at(&t, 9), LIFE_DESIGN));
	cr_expect(eq(int, twin_life_at(&t, 10), LIFE_BUILD));
	cr_expect(eq(int, twin_life_at(&t, 19), LIFE_BUILD));
	cr_expect(eq(int, twin_life_at(&t, TIME_MAX), LIFE_OPERATING));
	cr_expect(eq(int, twin_life_at(&(struct twin_def){0}, 0), LIFE_DESIGN));
}

Test(twin, properties_and_tags_are_found_by_name)
{
	size_t i = 99;

	cr_expect(type_property(&full_type, "mode", &i) == &full_type.properties[1]);
	cr_expect(eq(sz, i, 1));
	cr_expect(type_property(&full_type, "load", NULL) == NULL);
	cr_expect(twin_has_tag(&full_twin, "tie-volt"));
	cr_expect(not(twin_has_tag(&full_twin, "tie")));
}

/* ---- checks: each example breaks one rule of a good object */

static void expect_note(int r, const struct err_note *note, const char *words)
{
	cr_expect(eq(int, r, ERR_REFUSED), "%s", words);
	EXPECT_WORDS(note->text, words);
}

#define BROKEN(object, check, change, words) \
	do { \
		struct err_note note = {0}; \
		__typeof__(object) x = (object); \
		change; \
		expect_note(check(&x, &note), &note, words); \
	} while (0)

static const char **many(size_t n)
{
	static const char *texts[512];
	static char text[512][8];

	for (size_t i = 0; i < n; i++) {
		snprintf(text[i], sizeof text[i], "t%zu", i);
		texts[i] = text[i];
	}
	return texts;
}

static const char *run(size_t n)
{
	static char text[2048];

	memset(text, 'a', n);
	text[n] = '\0';
	return text;
}

Test(twin, a_good_twin_passes)
{
	cr_expect(eq(int, twin_def_check(&full_twin, NULL), 0));
	cr_expect(eq(int, twin_def_check(&(struct twin_def){.id = "a/b"}, NULL), 0));
}

Test(twin, each_rule_of_a_twin_is_checked)
{
	static const char *twice[] = {"a", "b", "a"}, *empty[] = {""}, *bad[] = {"\xff"}, *blank[] = {"a b"};
	static struct life_step backwards[] = {{LIFE_BUILD, 5}, {LIFE_OPERATING, 4}};
	static struct life_step undead[] = {{LIFE_RETIRED, 5}, {LIFE_OPERATING, 6}},
				none[] = {{N_LIFE_CYCLES, 0}};

	BROKEN(full_twin, twin_def_check, x.id = "acme", "lacks its organisation");
	BROKEN(full_twin, twin_def_check, x.id = NULL, "twin id is empty");
	BROKEN(full_twin, twin_def_check, x.type = "a//b", "type 'a//b' has an empty segment");
	BROKEN(full_twin, twin_def_check, x.kind = N_KINDS, "kind that does not exist");
	BROKEN(full_twin, twin_def_check, x.name = run(NAME_MAX_BYTES + 1), "longer than 1024");
	BROKEN(full_twin, twin_def_check, x.name = "\xc3", "not UTF-8");
	BROKEN(full_twin, twin_def_check, (x.tags = many(TAGS_MAX + 1), x.n_tags = TAGS_MAX + 1), "33 tags");
	BROKEN(full_twin, twin_def_check, (x.tags = twice, x.n_tags = 3), "the tag 'a' twice");
	BROKEN(full_twin, twin_def_check, (x.tags = blank, x.n_tags = 1), "tag 'a b'");
	BROKEN(full_twin, twin_def_check, (x.aliases = many(ALIASES_MAX + 1), x.n_aliases = ALIASES_MAX + 1),
	       "17 aliases");
	BROKEN(full_twin, twin_def_check, (x.aliases = twice, x.n_aliases = 3), "the alias 'a' twice");
	BROKEN(full_twin, twin_def_check, (x.aliases = empty, x.n_aliases = 1), "empty alias");
	BROKEN(full_twin, twin_def_check, (x.aliases = bad, x.n_aliases = 1), "not UTF-8");
	BROKEN(full_twin, twin_def_check, (x.life = backwards, x.n_life = 2), "not in order of time");
	BROKEN(full_twin, twin_def_check, (x.life = undead, x.n_life = 2),
	       "cannot go from retired to operating");
	BROKEN(full_twin, twin_def_check, (x.life = none, x.n_life = 1), "does not exist");
	BROKEN(full_twin, twin_def_check, x.n_life = LIFE_STEPS_MAX + 1, "65 life-cycle steps");
}

#define BROKEN_PROPERTY(change, words) \
	do { \
		struct property_def p = {.name = "p", .type = VALUE_DOUBLE, .min = NAN, .max = NAN}; \
		change; \
		BROKEN(full_type, type_def_check, (x.properties = &p, x.n_properties = 1), words); \
	} while (0)

Test(twin, a_good_type_passes)
{
	cr_expect(eq(int, type_def_check(&full_type, NULL), 0));
}

Test(twin, each_rule_of_a_type_is_checked)
{
	static const char *twice[] = {"a", "a"}, *empty[] = {""}, *good[] = {"a"}, *bad[] = {"\xff"};
	static struct property_def same[] = {{.name = "p", .type = VALUE_BOOL, .min = NAN, .max = NAN},
					     {.name = "p", .type = VALUE_BOOL, .min = NAN, .max = NAN}};
	static struct property_def kpis[KPIS_MAX + 1];

	for (size_t i = 0; i < KPIS_MAX + 1; i++)
		kpis[i] = (struct property_def){
			.name = many(i + 1)[i], .type = VALUE_BOOL, .min = NAN, .max = NAN, .kpi = true};
	BROKEN(full_type, type_def_check, x.name = "", "type is empty");
	BROKEN(full_type, type_def_check, x.version = 0, "versions begin at 1");
	BROKEN(full_type, type_def_check, x.parent = "a//b", "type 'a//b' has an empty segment");
	BROKEN(full_type, type_def_check, x.retention.raw_ns = -1, "less than no time");
	BROKEN(full_type, type_def_check, x.retention.minute_ns = -1, "less than no time");
	BROKEN(full_type, type_def_check, x.retention.hour_ns = -1, "less than no time");
	BROKEN(full_type, type_def_check, x.retention.raw_ns = 0, "never come after that");
	BROKEN(full_type, type_def_check, x.retention.raw_ns = TIME_MAX, "never come after that");
	BROKEN(full_type, type_def_check, x.retention.hour_ns = TIME_MAX, "longer than time");
	BROKEN(full_type, type_def_check, x.kind = N_KINDS, "kind that does not exist");
	BROKEN(full_type, type_def_check, x.n_properties = PROPERTIES_MAX + 1, "257 properties");
	BROKEN(full_type, type_def_check, (x.properties = same, x.n_properties = 2),
	       "the property 'p' twice");
	BROKEN(full_type, type_def_check, (x.properties = kpis, x.n_properties = KPIS_MAX + 1), "17 KPIs");
	BROKEN_PROPERTY(p.name = "a b", "property 'a b'");
	BROKEN_PROPERTY(p.type = VALUE_NONE, "has no type");
	BROKEN_PROPERTY(p.type = (enum value_type)99, "has no type");
	BROKEN_PROPERTY(p.retention.minute_ns = 1, "never come after that");
	BROKEN_PROPERTY(p.unit = run(UNIT_MAX + 1), "longer than 63");
	BROKEN_PROPERTY((p.type = VALUE_TEXT, p.min = 1), "no range");
	BROKEN_PROPERTY((p.min = 2, p.max = 1), "above the maximum");
	BROKEN_PROPERTY(p.type = VALUE_ENUM, "an enum has options");
	BROKEN_PROPERTY((p.options = good, p.n_options = 1), "an enum has options");
	BROKEN_PROPERTY((p.type = VALUE_ENUM, p.options = twice, p.n_options = 2), "the option 'a' twice");
	BROKEN_PROPERTY((p.type = VALUE_ENUM, p.options = empty, p.n_options = 1), "empty option");
	BROKEN_PROPERTY((p.type = VALUE_ENUM, p.options = bad, p.n_options = 1), "not UTF-8");
	BROKEN_PROPERTY((p.type = VALUE_ENUM, p.options = many(65), p.n_options = 65), "65 options");
}

#define BROKEN_LIMITS(change, words) \
	do { \
		struct limits l = LIMITS_NONE; \
		l.at[LIMIT_HIGH_ALARM] = 9; \
		change; \
		BROKEN_PROPERTY(p.limits = &l, words); \
	} while (0)

Test(twin, each_rule_of_limits_is_checked)
{
	BROKEN_LIMITS(l.at[LIMIT_HIGH_ALARM] = NAN, "limit nothing");
	BROKEN_LIMITS(l.at[LIMIT_HIGH_WARNING] = 9, "the limit high-alarm, 9, is not above");
	BROKEN_LIMITS(l.at[LIMIT_LOW_ALARM] = 10, "the limit high-alarm, 9, is not above");
	BROKEN_LIMITS(l.at[LIMIT_LOW_ALARM] = -INFINITY, "not finite");
	BROKEN_LIMITS((l.at[LIMIT_LOW_ALARM] = 7, l.hysteresis = 1), "nothing between its limits");
	BROKEN_LIMITS(l.hysteresis = -1, "finite and not negative");
	BROKEN_LIMITS(l.dead_band = NAN, "finite and not negative");
	BROKEN_LIMITS(l.delay_ns = -1, "delay and stale");
	BROKEN_LIMITS(l.stale_ns = -1, "delay and stale");
	BROKEN_LIMITS(l.rate_warning = 0, "a rate is above 0");
	BROKEN_LIMITS(l.rate_alarm = INFINITY, "a rate is above 0");
	BROKEN_LIMITS((l.rate_warning = 2, l.rate_alarm = 2), "not below that of the alarm");
	struct limits l = LIMITS_NONE;
	l.stale_ns = 1;
	BROKEN_PROPERTY((p.type = VALUE_TEXT, p.limits = &l), "no number, so it has no limits");
}

Test(twin, each_rule_of_steps_and_desired_values_is_checked)
{
	static const char *words[] = {"idle", "running"};
	static struct transition out[] = {{0, 2}}, stay[] = {{1, 1}}, twice[] = {{0, 1}, {0, 1}};
#define BROKEN_STEPS(list, n, words_) \
	BROKEN_PROPERTY((p.type = VALUE_ENUM, p.options = words, p.n_options = 2, p.transitions = (list), \
			 p.n_transitions = (n)), \
			words_)

	BROKEN_STEPS(out, 1, "between two of its options");
	BROKEN_STEPS(stay, 1, "from 'running' to 'running' goes nowhere");
	BROKEN_STEPS(twice, 2, "from 'idle' to 'running' is said twice");
	BROKEN_STEPS(out, TRANSITIONS_MAX + 1, "513 transitions");
	BROKEN_PROPERTY((p.transitions = stay, p.n_transitions = 1), "between two of its options");
	BROKEN_PROPERTY(p.tolerance = -1, "a tolerance is finite");
	BROKEN_PROPERTY(p.tolerance = NAN, "a tolerance is finite");
	BROKEN_PROPERTY((p.type = VALUE_TEXT, p.tolerance = 1), "no number, so it has no tolerance");
	BROKEN_PROPERTY(p.settle_ns = -1, "time to settle");
}

#define BROKEN_ALARM(change, words) \
	do { \
		struct alarm_def d = {.name = "a", .when = "p > 1", .severity = HEALTH_ALARM}; \
		change; \
		BROKEN(full_type, type_def_check, (x.alarms = &d, x.n_alarms = 1), words); \
	} while (0)
#define BROKEN_OPERATION(change, words) \
	do { \
		struct property_def p = {.name = "p", .type = VALUE_DOUBLE, .min = NAN, .max = NAN}; \
		struct operation_def o = {.name = "o", .parameters = &p, .n_parameters = 1}; \
		change; \
		BROKEN(full_type, type_def_check, (x.operations = &o, x.n_operations = 1), words); \
	} while (0)

Test(twin, each_rule_of_what_a_type_does_is_checked)
{
	static struct alarm_def alarms[] = {{.name = "a", .when = "p > 1", .severity = HEALTH_ALARM},
					    {.name = "a", .when = "p > 2", .severity = HEALTH_ALARM}};
	static struct operation_def operations[] = {{.name = "o"}, {.name = "o"}};
	static struct property_def two[] = {{.name = "p", .type = VALUE_BOOL, .min = NAN, .max = NAN},
					    {.name = "p", .type = VALUE_BOOL, .min = NAN, .max = NAN}};

	BROKEN_ALARM(d.name = "a b", "alarm 'a b'");
	BROKEN_ALARM(d.when = "p >", "alarm 'a': column ");
	BROKEN_ALARM(d.when = NULL, "alarm 'a': column ");
	BROKEN_ALARM(d.severity = HEALTH_GOOD, "use warning or alarm");
	BROKEN_ALARM(d.text = "\xff", "not UTF-8");
	BROKEN_ALARM(d.delay_ns = -1, "its delay is negative");
	BROKEN(full_type, type_def_check, (x.alarms = alarms, x.n_alarms = 2), "the alarm 'a' twice");
	BROKEN(full_type, type_def_check, x.n_alarms = ALARMS_MAX + 1, "33 alarms");
	BROKEN_OPERATION(o.name = "a/b", "operation 'a/b'");
	BROKEN_OPERATION(o.name = "set", "every twin has the operation 'set' already");
	BROKEN_OPERATION(o.text = "\xff", "not UTF-8");
	BROKEN_OPERATION(o.within_ns = -1, "its deadline is negative");
	BROKEN_OPERATION(p.kpi = true, "no more than name, type, unit");
	BROKEN_OPERATION(p.type = VALUE_NONE, "has no type");
	BROKEN_OPERATION((o.parameters = two, o.n_parameters = 2), "the parameter 'p' twice");
	BROKEN_OPERATION(o.n_parameters = PARAMETERS_MAX + 1, "17 parameters");
	BROKEN(full_type, type_def_check, (x.operations = operations, x.n_operations = 2),
	       "the operation 'o' twice");
	BROKEN(full_type, type_def_check, x.n_operations = OPERATIONS_MAX + 1, "33 operations");
	BROKEN(full_type, type_def_check, x.health.rule = N_HEALTH_RULES, "does not exist");
	BROKEN(full_type, type_def_check, x.health.hierarchy = "a b", "hierarchy 'a b'");
	BROKEN(full_type, type_def_check, x.health.weight = "a b", "property 'a b'");
	BROKEN(full_type, type_def_check, x.health.alarm = 1.5, "0 < warning <= alarm <= 1");
	BROKEN(full_type, type_def_check, x.health.warning = 0, "0 < warning <= alarm <= 1");
	BROKEN(full_type, type_def_check, x.health = ((struct health_def){.rule = HEALTH_K_OF_N}), "needs k");
}

Test(twin, a_process_takes_the_steps_it_may)
{
	struct transition steps[] = {{0, 1}, {1, 2}};
	struct property_def p = {.n_options = 3};

	cr_expect(transition_may(&p, 2, 0), "any word where no steps are said");
	p.transitions = steps;
	p.n_transitions = 2;
	cr_expect(transition_may(&p, 0, 1));
	cr_expect(transition_may(&p, 1, 2));
	cr_expect(transition_may(&p, 2, 2), "staying is no step");
	cr_expect(not(transition_may(&p, 0, 2)));
	cr_expect(not(transition_may(&p, 1, 0)));
}

Test(twin, each_rule_of_a_relation_is_checked)
{
	cr_expect(eq(int, relation_check(&full_relation, NULL), 0));
	BROKEN(full_relation, relation_check, x.type = "", "relation is empty");
	BROKEN(full_relation, relation_check, x.from = "acme", "lacks its organisation");
	BROKEN(full_relation, relation_check, x.to = "a b/c", "character 2");
	BROKEN(full_relation, relation_check, x.valid_to_ns = -6, "ends before it begins");
}

Test(twin, what_stands_exactly_at_its_bound_is_good)
{
	struct twin_def twin = full_twin;
	struct relation relation = full_relation;
	struct life_step at_once[] = {{LIFE_BUILD, 5}, {LIFE_OPERATING, 5}};
	struct property_def p = {.name = "p", .type = VALUE_DOUBLE, .min = 1, .max = 1};
	struct type_def type = full_type;

	twin.life = at_once;
	cr_expect(eq(int, twin_def_check(&twin, NULL), 0));
	relation.valid_to_ns = relation.valid_from_ns;
	cr_expect(eq(int, relation_check(&relation, NULL), 0));
	type.properties = &p;
	type.n_properties = 1;
	cr_expect(eq(int, type_def_check(&type, NULL), 0));
	p = (struct property_def){.name = "p", .type = VALUE_POSITION, .min = NAN, .max = NAN};
	cr_expect(eq(int, type_def_check(&type, NULL), 0));
}

/* ---- samples */

static const char *options[] = {"off", "on"};

static int accepted(struct property_def p, struct sample s)
{
	p.name = "p";
	p.options = options;
	p.n_options = 2;
	return property_accepts(&p, &s, NULL);
}

#define RANGE(low, high) \
	(struct property_def) \
	{ \
		.type = VALUE_DOUBLE, .min = (low), .max = (high) \
	}
#define REAL(x) \
	(struct sample) \
	{ \
		.value = {.type = VALUE_DOUBLE, .real = (x)}, .sigma = NAN \
	}
#define SOME(kind, field, x) \
	(struct sample) \
	{ \
		.value = {.type = (kind), .field = (x)}, .sigma = NAN \
	}
#define OF(kind) \
	(struct property_def) \
	{ \
		.type = (kind), .min = NAN, .max = NAN \
	}

Test(twin, a_sample_must_fit_its_property)
{
	cr_expect(eq(int, accepted(RANGE(0, 10), REAL(10)), 0));
	cr_expect(eq(int, accepted(RANGE(0, 10), REAL(0)), 0));
	cr_expect(eq(int, accepted(RANGE(0, 10), REAL(10.5)), ERR_REFUSED));
	cr_expect(eq(int, accepted(RANGE(0, 10), REAL(-0.5)), ERR_REFUSED));
	cr_expect(eq(int, accepted(RANGE(NAN, 10), REAL(-1e300)), 0));
	cr_expect(eq(int, accepted(RANGE(0, 10), REAL(NAN)), 0)); /* kept, as bad */
	cr_expect(eq(int, accepted(RANGE(0, 10), REAL(INFINITY)), 0));
	cr_expect(eq(int, accepted(RANGE(0, 10), SOME(VALUE_INT64, integer, 5)), ERR_REFUSED));
	cr_expect(eq(int, accepted(OF(VALUE_ENUM), SOME(VALUE_ENUM, text, "on")), 0));
	cr_expect(eq(int, accepted(OF(VALUE_ENUM), SOME(VALUE_ENUM, text, "onn")), ERR_REFUSED));
	cr_expect(eq(int, accepted(OF(VALUE_TEXT), SOME(VALUE_TEXT, text, "x")), 0));
	cr_expect(eq(int, accepted(OF(VALUE_TEXT), SOME(VALUE_TEXT, text, "\xff")), ERR_REFUSED));
	cr_expect(eq(
		int,
		accepted(OF(VALUE_POSITION), SOME(VALUE_POSITION, position, ((struct position){1, 2, NAN}))),
		0));
	cr_expect(eq(
		int,
		accepted(OF(VALUE_POSITION), SOME(VALUE_POSITION, position, ((struct position){91, 2, 0}))),
		ERR_REFUSED));
}

Test(twin, quality_uncertainty_and_source_of_a_sample_are_checked)
{
	struct sample s = REAL(1);

	s.sigma = -1;
	cr_expect(eq(int, accepted(OF(VALUE_DOUBLE), s), ERR_REFUSED));
	s.sigma = INFINITY;
	cr_expect(eq(int, accepted(OF(VALUE_DOUBLE), s), ERR_REFUSED));
	s.sigma = 0;
	s.quality = QUALITY_BAD;
	cr_expect(eq(int, accepted(OF(VALUE_DOUBLE), s), 0));
	s.source = run(SOURCE_MAX);
	cr_expect(eq(int, accepted(OF(VALUE_DOUBLE), s), 0));
	s.source = run(SOURCE_MAX + 1);
	cr_expect(eq(int, accepted(OF(VALUE_DOUBLE), s), ERR_REFUSED));
	s.source = NULL;
	s.quality = (enum quality)3;
	cr_expect(eq(int, accepted(OF(VALUE_DOUBLE), s), ERR_REFUSED));
}

/* ---- equality and copies */

#define DIFFERS(object, equal, change) \
	do { \
		__typeof__(object) x = (object); \
		change; \
		cr_expect(not(equal(&(object), &x)), #change); \
	} while (0)

#define DIFFERS_BELOW(list, field, change) \
	do { \
		struct type_def changed = full_type; \
		__typeof__(*full_type.list) y = full_type.list[0]; \
		changed.list = &y; \
		changed.n_##list = 1; \
		struct type_def first = full_type; \
		first.n_##list = 1; \
		cr_assert(type_def_equal(&first, &changed)); \
		y.field = change; \
		cr_expect(not(type_def_equal(&first, &changed)), #field); \
	} while (0)

Test(twin, equal_looks_at_what_a_type_does)
{
	static const struct limits other = {.at = {1}};

	DIFFERS_BELOW(properties, limits, NULL);
	DIFFERS_BELOW(properties, limits, &other);
	DIFFERS_BELOW(properties, tolerance, 1);
	DIFFERS_BELOW(properties, settle_ns, 1);
	DIFFERS_BELOW(properties, n_transitions, 1);
	DIFFERS_BELOW(alarms, name, "other");
	DIFFERS_BELOW(alarms, when, "other");
	DIFFERS_BELOW(alarms, severity, HEALTH_WARNING);
	DIFFERS_BELOW(alarms, text, "other");
	DIFFERS_BELOW(alarms, delay_ns, 1);
	DIFFERS_BELOW(operations, name, "other");
	DIFFERS_BELOW(operations, text, "other");
	DIFFERS_BELOW(operations, within_ns, 1);
	DIFFERS_BELOW(operations, n_parameters, 1);
	DIFFERS(full_type, type_def_equal, x.n_alarms = 1);
	DIFFERS(full_type, type_def_equal, x.n_operations = 1);
	DIFFERS(full_type, type_def_equal, x.health.rule = HEALTH_OWN);
	DIFFERS(full_type, type_def_equal, x.health.hierarchy = "");
	DIFFERS(full_type, type_def_equal, x.health.weight = "");
	DIFFERS(full_type, type_def_equal, x.health.k = 9);
	DIFFERS(full_type, type_def_equal, x.health.warning = 0.25);
	DIFFERS(full_type, type_def_equal, x.health.alarm = 0.75);
}

Test(twin, equal_looks_at_everything)
{
	static const char *other[] = {"critical", "tie-bolt"};
	static struct life_step later[] = {{LIFE_BUILD, TIME_MIN}, {LIFE_OPERATING, 1}};
	static struct life_step ruin[] = {{LIFE_BUILD, TIME_MIN}, {LIFE_RETIRED, 1293840000000000000}};

	cr_expect(twin_def_equal(&full_twin, &full_twin));
	DIFFERS(full_twin, twin_def_equal, x.id = "acme/b");
	DIFFERS(full_twin, twin_def_equal, x.type = "");
	DIFFERS(full_twin, twin_def_equal, x.kind = KIND_SYSTEM);
	DIFFERS(full_twin, twin_def_equal, x.name = NULL);
	DIFFERS(full_twin, twin_def_equal, x.n_tags = 1);
	DIFFERS(full_twin, twin_def_equal, x.tags = other);
	DIFFERS(full_twin, twin_def_equal, x.n_aliases = 1);
	DIFFERS(full_twin, twin_def_equal, x.aliases = other);
	DIFFERS(full_twin, twin_def_equal, x.n_life = 1);
	DIFFERS(full_twin, twin_def_equal, x.life = later);
	DIFFERS(full_twin, twin_def_equal, x.life = ruin);
	cr_expect(relation_equal(&full_relation, &full_relation));
	DIFFERS(full_relation, relation_equal, x.type = "a");
	DIFFERS(full_relation, relation_equal, x.from = "a/b");
	DIFFERS(full_relation, relation_equal, x.to = "a/b");
	DIFFERS(full_relation, relation_equal, x.valid_from_ns = 0);
	DIFFERS(full_relation, relation_equal, x.valid_to_ns = 0);
}

#define PROPERTY_DIFFERS(change) \
	do { \
		struct property_def p = a; \
		change; \
		const struct type_def one = {.name = "t", .properties = &a, .n_properties = 1}, \
				      two = {.name = "t", .properties = &p, .n_properties = 1}; \
		cr_expect(not(type_def_equal(&one, &two)), #change); \
	} while (0)

Test(twin, equal_types_have_equal_properties)
{
	struct property_def a = {.name = "p",
				 .type = VALUE_ENUM,
				 .unit = "",
				 .min = NAN,
				 .max = NAN,
				 .options = options,
				 .n_options = 2};

	cr_expect(type_def_equal(&full_type, &full_type));
	DIFFERS(full_type, type_def_equal, x.name = "a");
	DIFFERS(full_type, type_def_equal, x.version = 4);
	DIFFERS(full_type, type_def_equal, x.kind = KIND_ASSET);
	DIFFERS(full_type, type_def_equal, x.parent = "");
	DIFFERS(full_type, type_def_equal, x.retention.raw_ns = 7);
	DIFFERS(full_type, type_def_equal, x.retention.minute_ns = 7);
	DIFFERS(full_type, type_def_equal, x.retention.hour_ns = 7);
	DIFFERS(full_type, type_def_equal, x.n_properties = 2);
	PROPERTY_DIFFERS(p.name = "q");
	PROPERTY_DIFFERS(p.type = VALUE_TEXT);
	PROPERTY_DIFFERS(p.unit = "K");
	PROPERTY_DIFFERS(p.min = 0);
	PROPERTY_DIFFERS(p.max = 0);
	PROPERTY_DIFFERS(p.kpi = true);
	PROPERTY_DIFFERS(p.settable = true);
	PROPERTY_DIFFERS(p.retention.raw_ns = 7);
	PROPERTY_DIFFERS(p.n_options = 1);
	PROPERTY_DIFFERS(p.options = many(2));
}

Test(twin, a_copy_is_equal_and_borrows_nothing)
{
	SCOPED(scope_arena) struct arena *a = NULL;
	struct twin_def twin;
	struct type_def type;

	cr_assert(eq(int, arena_new(&a, 1 << 16), 0));
	cr_assert(eq(int, twin_def_copy(a, &full_twin, &twin), 0));
	cr_expect(twin_def_equal(&twin, &full_twin));
	cr_expect(twin.id != full_twin.id);
	cr_expect(twin.type != full_twin.type);
	cr_expect(twin.name != full_twin.name);
	cr_expect(twin.tags[0] != full_twin.tags[0]);
	cr_expect(twin.aliases[0] != full_twin.aliases[0]);
	cr_expect(twin.life != full_twin.life);
	cr_assert(eq(int, type_def_copy(a, &full_type, &type), 0));
	cr_expect(type_def_equal(&type, &full_type));
	cr_expect(type.name != full_type.name);
	cr_expect(type.parent != full_type.parent);
	cr_expect(type.properties[0].unit != full_type.properties[0].unit);
	cr_expect(type.properties[0].name != full_type.properties[0].name);
	cr_expect(type.properties[1].options[0] != full_type.properties[1].options[0]);
	cr_assert(eq(int, twin_def_copy(a, &(struct twin_def){.id = "a/b"}, &twin), 0));
	EXPECT_TEXT(twin.name, "");
}

Test(twin, a_copy_into_too_small_an_arena_fails)
{
	struct twin_def twin;
	struct type_def type;
	int r = -ENOMEM;

	for (size_t budget = 0; r == -ENOMEM; budget++) {
		SCOPED(scope_arena) struct arena *a = NULL;
		cr_assert(eq(int, arena_new(&a, budget), 0));
		r = twin_def_copy(a, &full_twin, &twin);
		if (r == 0)
			r = type_def_copy(a, &full_type, &type);
		cr_assert(lt(sz, budget, 4096));
	}
	cr_expect(eq(int, r, 0));
}
