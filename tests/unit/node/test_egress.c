/* SPDX-License-Identifier: Apache-2.0 */
#include <criterion/criterion.h>
#include <criterion/new/assert.h>
#include <math.h>

#include "node/summary.h"
#include "proto/clock.h"
#include "tests/unit/node/world.h"

static struct arena *a;

static void set_up(void)
{
	world_set_up();
	cr_assert(eq(int, arena_new(&a, 1 << 20), 0));
	world_type("press", "power", "recipe/force", "kW");
	world_twin("acme/plant", "", NULL);
	world_twin("acme/plant/p1", "press", "tie-volt");
	world_relation("contains", "acme/plant", "acme/plant/p1");
	world_value("acme/plant/p1", "power", 5, 7.5);
	world_policy(
		"share \"press\"\n to org volt\n twins plant/p1\n allow discover, summary\n until "
		"2100-01-01\n"
		"share \"number only\"\n to org harbor\n twins plant/p1\n allow read power\n until "
		"2100-01-01\n");
}

static void tear_down(void)
{
	arena_free(a);
	a = NULL;
	world_tear_down();
}

TestSuite(egress, .init = set_up, .fini = tear_down, .timeout = 60);

static struct row full(const char *id)
{
	struct row row;

	cr_assert(eq(int, egress_full_row(&world.egress, id, a, &row), 0));
	return row;
}

static uint64_t mask_for(const struct egress *e, const char *org, const struct row *row)
{
	const struct audience to = audience_of(org);

	return egress_mask(e, &to, row);
}

static struct row shown_to(const char *org, const char *id)
{
	const struct audience to = audience_of(org);
	const struct row whole = full(id);
	struct row row;

	cr_assert(eq(int,
		     egress_row(&world.egress, &to, &whole, egress_mask(&world.egress, &to, &whole), a, &row),
		     0));
	return row;
}

Test(egress, without_a_grant_nothing_is_visible)
{
	const struct row plant = full("acme/plant");

	cr_expect(eq(u64, mask_for(&world.egress, "volt", &plant), 0));
	cr_expect(eq(u64, mask_for(&world.egress, "", &plant), ROW_MASK_ALL));
	cr_expect(eq(u64, mask_for(&world.egress, "acme", &plant), ROW_MASK_ALL));
}

Test(egress, a_summary_shows_kpis_and_tags_but_no_hidden_parent)
{
	const struct row row = shown_to("volt", "acme/plant/p1");

	cr_assert(eq(sz, row.n_kpis, 1));
	cr_expect(eq(dbl, row.kpis[0].sample.value.real, 7.5));
	cr_expect(eq(sz, row.n_tags, 1));
	cr_expect(eq(sz, row.n_parents, 0), "volt may not discover the plant");
	cr_expect(eq(u64, row.seq, 0), "a sequence number would tell how much else changes");
}

Test(egress, reading_one_property_shows_it_and_nothing_of_the_summary)
{
	const struct row row = shown_to("harbor", "acme/plant/p1");

	cr_assert(eq(sz, row.n_kpis, 1));
	cr_expect(eq(sz, row.n_tags, 0));
	cr_expect(eq(int, (int)row.health, HEALTH_UNKNOWN));
}

Test(egress, a_never_takes_the_property_out_of_the_summary)
{
	world_policy(
		"share \"press\"\n to org volt\n twins **\n allow discover, summary\n until 2100-01-01\n"
		"never \"power\"\n to everyone-else\n twins **\n deny read of power\n");
	const struct row row = shown_to("volt", "acme/plant/p1");

	cr_expect(eq(sz, row.n_kpis, 0));
	cr_expect(eq(sz, row.n_parents, 1), "now the plant may be discovered too");
}

Test(egress, denied_and_absent_are_the_same_sentence)
{
	const struct audience volt = audience_of("volt");
	struct err_note denied = {0}, absent = {0};

	cr_expect(eq(int, egress_refuse(&world.egress, &volt, "acme/x", &denied), ERR_DENIED));
	cr_expect(eq(int, egress_refuse(&world.egress, &volt, "acme/x", &absent), ERR_DENIED));
	cr_expect(strcmp(denied.text, absent.text) == 0);
	cr_expect(strstr(denied.text, "not shared with you or not there; ask acme") != NULL);
}

Test(egress, no_policy_shares_nothing)
{
	const struct row press = full("acme/plant/p1");
	struct trust bare = *world.trust;
	const struct egress egress = {.trust = &bare, .store = world.store};

	bare.policy = NULL;
	cr_expect(eq(u64, mask_for(&egress, "volt", &press), 0));
}

Test(egress, a_row_does_not_tell_how_much_of_it_is_hidden)
{
	struct row one = full("acme/plant/p1"), two = one;
	const struct audience volt = audience_of("volt");
	struct kpi kpis[] = {{.property = "secret", .unit = "kW"}, one.kpis[0]};
	uint64_t digest_one, digest_two;

	two.kpis = kpis;
	two.n_kpis = 2;
	two.version.stamp_ns++;
	two.seq++;
	const uint32_t mask = ROW_MASK_DISCOVER | ROW_MASK_SUMMARY;
	cr_assert(eq(int, egress_row(&world.egress, &volt, &one, mask | ROW_MASK_KPI, a, &one), 0));
	cr_assert(eq(int, egress_row(&world.egress, &volt, &two, mask | ROW_MASK_KPI << 1, a, &two), 0));
	cr_expect(eq(i64, two.version.stamp_ns, 0));
	cr_assert(eq(int, egress_digest(&one, &digest_one), 0));
	cr_assert(eq(int, egress_digest(&two, &digest_two), 0));
	cr_expect(eq(u64, digest_one, digest_two));
	cr_expect(eq(u32, one.mask, two.mask));
	cr_expect(eq(u32, one.mask & mask, mask));

	two.mask = mask;
	two.kpis[0].sample.value.real++;
	cr_assert(eq(int, egress_digest(&two, &digest_two), 0));
	cr_expect(ne(u32, one.mask, two.mask), "other content is another row");
}

/* ---- Alarms ----------------------------------------------------------------------------------------------
 */

#define SUMMARY_TO_VOLT "share \"s\"\n to org volt\n twins **\n allow discover, summary\n until 2100-01-01\n"
#define NEVER(what) "never \"n\"\n to everyone-else\n twins **\n deny " what "\n"

/* Which of two alarms, of `power` and of the expression `worn`, they have. */
static const char *alarms_for(const char *org, const char *rules)
{
	static struct row_alarm alarms[] = {{"power", HEALTH_ALARM, ALARM_ACTIVE, "high-alarm", 7},
					    {"worn", HEALTH_WARNING, ALARM_ACKNOWLEDGED, "expression", 5}};
	const struct audience to = audience_of(org);
	struct row whole, row;

	world_policy(rules);
	whole = full("acme/plant/p1");
	whole.alarms = alarms;
	whole.n_alarms = 2;
	cr_assert(eq(int,
		     egress_row(&world.egress, &to, &whole, egress_mask(&world.egress, &to, &whole), a, &row),
		     0));
	const bool power = row_alarm(&row, "power"), worn = row_alarm(&row, "worn");
	return power && worn ? "both" : power ? "power" : worn ? "worn" : "none";
}

Test(egress, an_alarm_is_shown_where_its_property_and_its_standing_would_be)
{
	static const struct {
		const char *org, *rules, *shown;
	} cases[] = {
		{"volt", SUMMARY_TO_VOLT, "both"},
		{"acme", "", "both"},
		{"harbor", SUMMARY_TO_VOLT, "none"},
		{"volt", "share \"d\"\n to org volt\n twins **\n allow discover\n until 2100-01-01\n",
		 "none"},
		{"volt", SUMMARY_TO_VOLT NEVER("summary of power"), "worn"},
		{"volt", SUMMARY_TO_VOLT NEVER("read of power"), "worn"},
		{"volt", SUMMARY_TO_VOLT NEVER("summary of alarm/power"), "worn"},
		{"volt", SUMMARY_TO_VOLT NEVER("read of alarm/worn"), "power"},
		{"volt", SUMMARY_TO_VOLT NEVER("summary of worn"), "power"},
		{"volt", SUMMARY_TO_VOLT NEVER("read of alarm/**"), "none"},
		{"volt",
		 "share \"t\"\n to org volt\n twins **\n allow discover, summary\n redact power as token\n"
		 " until 2100-01-01\n",
		 "worn"},
		{"harbor", "share \"v\"\n to org harbor\n twins **\n allow read power\n until 2100-01-01\n",
		 "none"},
		{"harbor",
		 "share \"v\"\n to org harbor\n twins **\n allow read power, alarm/*\n until 2100-01-01\n",
		 "power"},
	};

	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		const char *shown = alarms_for(cases[i].org, cases[i].rules);
		cr_expect(strcmp(shown, cases[i].shown) == 0, "case %zu: %s", i, shown);
	}
}

Test(egress, a_row_does_not_tell_how_many_of_its_alarms_are_hidden)
{
	struct row_alarm alarms[] = {{"secret", HEALTH_ALARM, ALARM_ACTIVE, "stale", 9},
				     {"power", HEALTH_ALARM, ALARM_ACTIVE, "high-alarm", 7}};
	struct row one = full("acme/plant/p1"), two = one;
	const struct audience volt = audience_of("volt");
	const uint64_t mask = ROW_MASK_DISCOVER | ROW_MASK_SUMMARY;
	uint64_t digest_one, digest_two;

	one.alarms = alarms + 1;
	one.n_alarms = 1;
	two.alarms = alarms;
	two.n_alarms = 2;
	cr_assert(eq(int, egress_row(&world.egress, &volt, &one, mask | EGRESS_ALARM, a, &one), 0));
	cr_assert(eq(int, egress_row(&world.egress, &volt, &two, mask | EGRESS_ALARM << 1, a, &two), 0));
	cr_assert(eq(int, egress_digest(&one, &digest_one), 0));
	cr_assert(eq(int, egress_digest(&two, &digest_two), 0));
	cr_expect(eq(u64, digest_one, digest_two));

	two.mask = (uint32_t)mask;
	two.alarms[0].state = ALARM_ACKNOWLEDGED;
	cr_assert(eq(int, egress_digest(&two, &digest_two), 0));
	cr_expect(ne(u64, digest_one, digest_two), "how an alarm stands is content");
}

/* ---- Persons ---------------------------------------------------------------------------------------------
 */

static const char *const operators[] = {"operator"}, *const both[] = {"clerk", "operator"};

static struct audience person_of(const char *org, const char *const *roles, size_t n)
{
	return (struct audience){.org = org, .person = "volt/eve", .roles = roles, .n_roles = n};
}

static void share_with_role(void)
{
	world_policy(
		"share \"force\"\n to org volt role operator\n twins plant/p1\n"
		" allow read recipe/force\n allow history power last 30min\n until 2100-01-01\n"
		"share \"clerks\"\n to org volt role clerk\n twins plant/p1\n"
		" allow history power last 10min\n until 2100-01-01\n");
}

Test(egress, what_is_shared_with_a_role_only_persons_with_it_get)
{
	const struct row p1 = full("acme/plant/p1");
	const struct audience node = audience_of("volt"), eve = person_of("volt", operators, 1),
			      clerk = person_of("volt", both, 1), foreign = person_of("harbor", operators, 1);

	share_with_role();
	cr_expect(eq(int, (int)egress_value(&world.egress, &eve, &p1, "recipe/force", false), FORM_PLAIN));
	cr_expect(egress_discovers(&world.egress, &eve, &p1), "who may read may know");
	cr_expect(eq(int, (int)egress_value(&world.egress, &node, &p1, "recipe/force", false), FORM_NOTHING));
	cr_expect(
		eq(int, (int)egress_value(&world.egress, &clerk, &p1, "recipe/force", false), FORM_NOTHING));
	cr_expect(eq(int, (int)egress_value(&world.egress, &foreign, &p1, "recipe/force", false),
		     FORM_NOTHING));
	cr_expect(eq(u64, egress_mask(&world.egress, &node, &p1), 0), "gossip has no person");
}

Test(egress, of_several_roles_the_one_that_opens_most_counts)
{
	const struct row p1 = full("acme/plant/p1");
	const struct audience clerk = person_of("volt", both, 1), eve = person_of("volt", both, 2);
	int64_t last_ns, step_ns;

	share_with_role();
	cr_assert(egress_history(&world.egress, &clerk, &p1, "power", &last_ns, &step_ns));
	cr_expect(eq(i64, last_ns, 600 * NS_PER_S));
	cr_assert(egress_history(&world.egress, &eve, &p1, "power", &last_ns, &step_ns));
	cr_expect(eq(i64, last_ns, 1800 * NS_PER_S));
	cr_expect(strcmp(egress_rule(&world.egress, &eve, RIGHT_READ, &p1, "recipe/force"), "force") == 0);
}

Test(egress, a_role_that_opens_nothing_closes_nothing)
{
	static const char *const roles[] = {"operator", "clerk"};
	const struct row p1 = full("acme/plant/p1");
	const struct audience eve = person_of("volt", roles, 2);

	world_policy(
		"share \"force\"\n to org volt role operator\n twins plant/p1\n allow read recipe/force\n"
		" redact recipe/force as token\n until 2100-01-01\n");
	cr_expect(eq(int, (int)egress_value(&world.egress, &eve, &p1, "recipe/force", false), FORM_TOKEN));
}

Test(egress, who_is_not_who_it_says_sees_nothing)
{
	const struct row p1 = full("acme/plant/p1");
	struct audience eve = person_of("volt", operators, 1), own = audience_of("");
	int64_t last_ns, step_ns;

	eve.nobody = own.nobody = true;
	cr_expect(eq(u64, egress_mask(&world.egress, &eve, &p1), 0), "not even what volt's nodes see");
	cr_expect(eq(u64, egress_mask(&world.egress, &own, &p1), 0));
	cr_expect(eq(int, (int)egress_value(&world.egress, &own, &p1, "power", true), FORM_NOTHING));
	cr_expect(not(egress_history(&world.egress, &own, &p1, "power", &last_ns, &step_ns)));
}

Test(egress, an_audience_is_copied_with_all_it_points_to)
{
	char role[] = "operator", org[] = "volt", name[] = "volt/eve";
	uint8_t credential[] = {1, 2}, errand[] = {3};
	const char *roles[] = {role};
	struct audience copy, eve = {.org = org,
				     .person = name,
				     .roles = roles,
				     .n_roles = 1,
				     .credential = {credential, 2},
				     .errand = {errand, 1},
				     .relayed = true};

	cr_assert(eq(int, audience_copy(a, &eve, &copy), 0));
	role[0] = org[0] = name[0] = '\0';
	credential[0] = errand[0] = 0;
	roles[0] = NULL;
	cr_expect(strcmp(copy.org, "volt") == 0);
	cr_expect(strcmp(copy.person, "volt/eve") == 0);
	cr_expect(strcmp(copy.roles[0], "operator") == 0);
	cr_expect(copy.credential.len == 2 && copy.credential.data[0] == 1 && copy.errand.data[0] == 3);
	cr_expect(copy.relayed);
}

/* ---- Tokens ----------------------------------------------------------------------------------------------
 */

#define TOKENS \
	"share \"tokens\"\n to org volt\n twins plant/p1\n allow discover, summary\n allow read power\n" \
	" redact power as token\n until 2100-01-01\n"

static const char *token_in(const struct row *row)
{
	cr_assert(eq(sz, row->n_kpis, 1));
	const struct kpi *kpi = &row->kpis[0];
	cr_assert(eq(int, (int)kpi->sample.value.type, VALUE_TEXT));
	cr_expect(eq(sz, strlen(kpi->sample.value.text), TOKEN_SIZE - 1));
	cr_expect(strcmp(kpi->unit, "") == 0);
	cr_expect(isnan(kpi->sample.sigma));
	return kpi->sample.value.text;
}

Test(egress, a_token_stands_in_a_row_in_place_of_the_value)
{
	world_policy(TOKENS);
	const struct row one = shown_to("volt", "acme/plant/p1"), again = shown_to("volt", "acme/plant/p1");
	SCOPED(buf_fini) struct buf encoded = {0};
	struct row decoded, digested = one;
	uint64_t digest, same;

	cr_expect(strcmp(token_in(&one), token_in(&again)) == 0);
	cr_assert(eq(int, egress_digest(&digested, &digest), 0));
	digested = again;
	cr_assert(eq(int, egress_digest(&digested, &same), 0));
	cr_expect(eq(u64, digest, same), "two borders show one content");
	row_encode(&one, &encoded);
	cr_assert(eq(int, row_decode(a, buf_bytes(&encoded), &decoded), 0));
	cr_expect(strcmp(token_in(&decoded), token_in(&one)) == 0);
}

Test(egress, nothing_of_the_sample_is_left_beside_a_token_but_its_time)
{
	const struct audience volt = audience_of("volt");
	struct kpi kpi = {.property = "power",
			  .unit = "kW",
			  .sample = {.t_ns = 5,
				     .value = {.type = VALUE_DOUBLE, .real = 7.5},
				     .sigma = 0.25,
				     .source = "meter 7"}};

	cr_assert(eq(int, egress_redact(&world.egress, &volt, a, &kpi), 0));
	cr_expect(eq(int, (int)kpi.sample.value.type, VALUE_TEXT));
	cr_expect(strcmp(kpi.unit, "") == 0 && isnan(kpi.sample.sigma) && !kpi.sample.source);
	cr_expect(eq(i64, kpi.sample.t_ns, 5));
}

/* The same to whoever compares: another value of the same type, and the same in another type, are not. */
Test(egress, tokens_of_equal_values_are_equal_and_of_others_not)
{
	const struct audience volt = audience_of("volt");
	const struct value values[] = {{.type = VALUE_DOUBLE, .real = 0},
				       {.type = VALUE_DOUBLE, .real = NAN},
				       {.type = VALUE_DOUBLE, .real = 1},
				       {.type = VALUE_INT64, .integer = 1},
				       {.type = VALUE_BOOL, .boolean = true},
				       {.type = VALUE_TEXT, .text = "1"},
				       {.type = VALUE_ENUM, .text = "1"},
				       {.type = VALUE_POSITION, .position = {1, 2, NAN}},
				       {.type = VALUE_POSITION, .position = {1, 2, 3}}};
	enum { N = sizeof values / sizeof values[0] };
	const char *tokens[N];

	for (size_t i = 0; i < N; i++) {
		struct kpi kpi = {.property = "power", .unit = "", .sample = {.value = values[i]}};
		cr_assert(eq(int, egress_redact(&world.egress, &volt, a, &kpi), 0));
		tokens[i] = kpi.sample.value.text;
		for (size_t k = 0; k < i; k++)
			cr_expect(strcmp(tokens[i], tokens[k]) != 0, "%zu and %zu", i, k);
	}
	struct kpi zero = {
		.property = "power", .unit = "", .sample = {.value = {.type = VALUE_DOUBLE, .real = -0.0}}};
	cr_assert(eq(int, egress_redact(&world.egress, &volt, a, &zero), 0));
	cr_expect(strcmp(zero.sample.value.text, tokens[0]) == 0);
}

Test(egress, another_value_or_partner_has_another_token)
{
	world_policy(TOKENS
		     "share \"too\"\n to org harbor\n twins plant/p1\n allow discover, summary\n"
		     " redact power as token\n until 2100-01-01\n");
	const struct row before = shown_to("volt", "acme/plant/p1"),
			 harbor = shown_to("harbor", "acme/plant/p1");

	cr_expect(strcmp(token_in(&before), token_in(&harbor)) != 0);
	world_value("acme/plant/p1", "power", 6, 7.75);
	const struct row after = shown_to("volt", "acme/plant/p1");
	cr_expect(strcmp(token_in(&before), token_in(&after)) != 0);
	world_value("acme/plant/p1", "power", 7, 7.5);
	const struct row back = shown_to("volt", "acme/plant/p1");
	cr_expect(strcmp(token_in(&before), token_in(&back)) == 0);
}

Test(egress, without_the_borders_secret_no_value_is_left)
{
	world_policy(TOKENS);
	const struct audience volt = audience_of("volt");
	struct trust inner = *world.trust;
	const struct egress egress = {.trust = &inner, .store = world.store};
	const struct row whole = full("acme/plant/p1");
	struct row row;

	inner.cursor_key = NULL;
	cr_assert(
		eq(int, egress_row(&egress, &volt, &whole, egress_mask(&egress, &volt, &whole), a, &row), 0));
	cr_expect(eq(int, (int)row.kpis[0].sample.value.type, VALUE_NONE));
}

Test(egress, a_node_of_ours_in_between_leaves_the_tokens_to_the_border)
{
	world_policy(TOKENS);
	struct audience volt = audience_of("volt");
	const struct row whole = full("acme/plant/p1");
	struct row row;

	volt.relayed = true;
	cr_assert(eq(
		int,
		egress_row(&world.egress, &volt, &whole, egress_mask(&world.egress, &volt, &whole), a, &row),
		0));
	cr_expect(eq(dbl, row.kpis[0].sample.value.real, 7.5));
}
