/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/unit/security/test_policy.h"

#include "proto/buf.h"
#include "security/policy_lex.h"
#include "tests/lib/failing_alloc.h"

static const char everything[] = ACME
	"never \"recipes\"   # a comment\n"
	"  to everyone-else\n"
	"  twins **\n"
	"  deny read, history, watch, aggregate, command, command stop of recipe/**\n"
	"never \"hidden\"\n"
	"  to org bolt, group partners\n"
	"  twins vault/**\n"
	"  twins type safe, tag secret\n"
	"  deny discover\n"
	"  deny summary\n"
	"share \"line 3 für volt\"  # für, Größe\n"
	"  to org volt\n"
	"  to group partners\n"
	"  twins plant1/*/press7, tag tie-volt, type grid/line with tag big and type press\n"
	"  twins plant1/line3/**\n"
	"  allow discover, summary, read state/temperature, state/power\n"
	"  allow history state/vibration/* last 30d step 1m\n"
	"  allow history state/noise step 1h last 2d\n"
	"  allow history state/power\n"
	"  until 2027-03-31 # the whole day\n"
	"share \"timed\"\n"
	"  to org harbor\n"
	"  twins x\n"
	"  allow discover\n"
	"  until 2026-12-31 12:00\n";

Test(policy_parse, every_construct_is_understood)
{
	expect_findings(everything, "");
}

Test(policy_parse, a_file_from_windows_works)
{
	expect_findings(
		"\xef\xbb\xbf"
		"policy acme\r\n\torg volt = V\r\n\r\nshare \"x\"\r\n\tto org volt\r\n\ttwins\t**\r\n"
		"\tallow\tread **\r\n\tuntil 2027-01-01\r\n",
		"");
}

Test(policy_parse, indentation_is_decoration_and_keywords_decide)
{
	expect_findings(
		"      policy acme\norg volt=V\n   share\"x\"\nto org volt\n         twins a,b\nallow "
		"discover\nuntil "
		"2027-01-01",
		"");
}

Test(policy_parse, what_is_beyond_ascii_stands_in_titles_and_comments_only)
{
	expect_findings(
		"policy acme\nshare \"\xd0\xb0\" # \xd0\xb0\n to org v\xd0\xb0lt\n twins caf\xe9\n",
		"E 3: column 10: U+0430 is possible in titles and comments only, type an ASCII character\n"
		"E 4: column 11: byte 0xe9 is not ASCII, type the character anew\n");
	expect_findings(
		"policy acme # Gr\xf6\xdf"
		"e\n",
		"E 1: column 17: byte 0xf6 is not UTF-8, save the file as UTF-8\n");
	expect_findings("policy acme # a\x1b[2K\n",
			"E 1: column 16: there is a control character, remove it\n");
	expect_findings("policy acme # a\rshare\n",
			"E 1: column 16: there is a control character, remove it\n");
	expect_findings("policy acme\nshare \"\xc3\xa4\xc2\x9b\"\n",
			"E 2: column 9: there is a control character, remove it\n");
}

Test(policy_parse, titles_and_comments_are_utf8)
{
	for (const char **good =
		     (const char *[]){"\t\x7e", "\xc2\xa0", "\xe2\x82\xac", "\xf0\x9f\x98\x80", NULL};
	     *good; good++) {
		char text[64];
		snprintf(text, sizeof text, "policy acme # %s\nnever \"%s\"\nto org\n", *good, *good);
		expect_findings(text, "E 3: the line ends too early, write an organisation name\n");
	}
	for (const char **bad = (const char *[]){"\xc0\xaf", "\xed\xa0\x80", "\xe2\x82", "\xf4\x90\x80\x80",
						 "\xf8", "\x80", "\xe0\x80\xaf", NULL};
	     *bad; bad++) {
		char text[64], expected[256];
		snprintf(text, sizeof text, "policy acme # %s\nnever \"%s\"\nto org\n", *bad, *bad);
		snprintf(expected, sizeof expected,
			 "E 1: column 15: byte 0x%02x is not UTF-8, save the file as UTF-8\n"
			 "E 2: column 8: byte 0x%02x is not UTF-8, save the file as UTF-8\n"
			 "E 3: the line ends too early, write an organisation name\n",
			 (unsigned char)**bad, (unsigned char)**bad);
		expect_findings(text, expected);
	}
}

Test(policy_parse, a_title_has_a_bound)
{
	char text[256], title[TITLE_MAX + 2] = "";

	memset(title, 'x', TITLE_MAX);
	snprintf(text, sizeof text, "policy acme\nnever \"%s\"\nto org\n", title);
	expect_findings(text, "E 3: the line ends too early, write an organisation name\n");
	title[TITLE_MAX] = 'x';
	snprintf(text, sizeof text, "policy acme\nnever \"%s\"\n", title);
	expect_findings(text, "E 2: column 7: the title is longer than 200 bytes, shorten it\n");
}

Test(policy_parse, the_first_line_says_whose_policy_it_is)
{
	expect_findings("", "E 1: the policy is empty, write 'policy ORGANISATION' and its rules\n");
	expect_findings("# nothing\n\n",
			"E 2: the policy is empty, write 'policy ORGANISATION' and its rules\n");
	expect_findings("policy volt\n",
			"E 1: this is the policy of 'volt', the organisation here is 'acme'\n");
	expect_findings("org volt = V\npolicy acme\npolicy acme\n",
			"E 1: a policy begins with 'policy ORGANISATION', write that above\n"
			"E 3: 'policy' stands once, at the top: remove this line\n");
	expect_findings("policy\n", "E 1: the line ends too early, write an organisation name\n");
	expect_findings("policy acme volt\n",
			"E 1: column 13: 'volt' is not expected here, write nothing more\n");
}

Test(policy_parse, organisations_and_groups_are_declared_once_and_known)
{
	expect_findings(
		ACME "org volt = V\norg acme = A\ngroup partners = bolt\norg a/b = V\norg x V\norg y =\n",
		"E 6: organisation 'volt' stands in line 2 already, remove one\n"
		"E 7: 'acme' is the own organisation, whose nodes see everything: remove this line\n"
		"E 8: group 'partners' stands in line 5 already, remove one\n"
		"E 9: column 5: 'a/b' is not an organisation name, those have 1 to 63 of A-Z a-z 0-9 . _ -\n"
		"E 10: column 7: 'V' is not expected here, write '= FINGERPRINT'\n"
		"E 11: the line ends too early, write the fingerprint\n");
	expect_findings(
		"policy acme\ngroup g = volt, acme\nshare \"x\"\nto org volt, group h\nto org acme\ntwins "
		"**\n"
		"allow discover\nuntil 2027-01-01\n",
		"E 2: organisation 'volt' is not declared, add 'org volt = FINGERPRINT'\n"
		"E 2: 'acme' is the own organisation, whose nodes see everything: name a partner\n"
		"E 4: organisation 'volt' is not declared, add 'org volt = FINGERPRINT'\n"
		"E 4: group 'h' is not declared, add 'group h = ORGANISATION, ...'\n"
		"E 5: 'acme' is the own organisation, whose nodes see everything: name a partner\n");
}

static const char *fingerprint(void *ctx, const char *org, size_t n)
{
	(void)ctx;
	static const char *const roots[] = {"VOLT-AAAAAAA-BBBBBBB-CCCCCCC-DDDDDDD-EEEEEEE",
					    "VOLT-FFFFFFF-BBBBBBB-CCCCCCC-DDDDDDD-EEEEEEE"};

	return strcmp(org, "volt") == 0 && n < 2 ? roots[n] : NULL;
}

#define expect_fingerprint(typed, expected) \
	expect_findings_with("policy acme\norg volt = " typed "\n", fingerprint, expected, __LINE__)

Test(policy_parse, fingerprints_must_be_the_trusted_ones)
{
	static const char wrong[] =
		"E 2: the fingerprint of 'volt' is not the trusted one, which is "
		"VOLT-AAAAAAA-BBBBBBB-CCCCCCC-DDDDDDD-EEEEEEE\n";

	expect_fingerprint("VOLT-AAAAAAA-BBBBBBB-CCCCCCC-DDDDDDD-EEEEEEE", "");
	expect_fingerprint("volt-aaaaaaa-bbbbbbb-ccccccc-ddddddd-eeeeeee", "");
	expect_fingerprint("VOLT-AAAAAAA-BBBBBBB-CCCCCCC-DDDDDDD", "");
	expect_fingerprint("VOLT-FFFFFFF-BBBBBBB-CCCCCCC-DDDDDDD-EEEEEEE", ""); /* of the root before it */
	expect_fingerprint("VOLT-AAAAAAA-BBBBBBB-CCCCCCC", wrong);
	expect_fingerprint("VOLT-AAAAAAA-BBBBBBB-CCCCCCC-DDDDDD", wrong);
	expect_fingerprint("VOLT-AAAAAAA-BBBBBBB-CCCCCCC-DDDDDDD-", wrong);
	expect_fingerprint("VOLT-AAAAAAA-BBBBBBB-CCCCCCC-DDDDDDE", wrong);
	expect_fingerprint("VOLT-AAAAAAA-BBBBBBB-CCCCCCC-DDDDDDD-EEEEEEE-FFFFFFF", wrong);
	expect_fingerprint("VOLT-AAAAAAA-...",
			   "E 2: the fingerprint of 'volt' is shortened, write it in full\n");
	expect_findings_with("policy acme\norg harbor = HARBOR-1\n", fingerprint,
			     "E 2: organisation 'harbor' is not trusted, trust it first or remove it\n",
			     __LINE__);
}

Test(policy_parse, an_incomplete_rule_says_what_it_lacks)
{
	expect_findings(ACME "share \"a\"\nnever \"b\"\n",
			"E 6: the share says not to whom, add a 'to' line\n"
			"E 6: the share says not of what, add a 'twins' line ('twins **' for all)\n"
			"E 6: the share says no right, add an 'allow' line\n"
			"E 6: the share does not end, add 'until TIME'\n"
			"E 7: the never says not to whom, add a 'to' line\n"
			"E 7: the never says not of what, add a 'twins' line ('twins **' for all)\n"
			"E 7: the never says no right, add a 'deny' line\n");
	expect_findings(ACME "share\nshare x\nshare \"open\nto nobody\ntwins\n",
			"E 6: the line ends too early, write a \"title\" in quotes\n"
			"E 7: column 7: 'x' is not expected here, write a \"title\" in quotes\n"
			"E 8: column 7: the title does not end, add a '\"'\n"
			"E 9: column 4: 'nobody' is not expected here, write 'org NAME', 'group NAME' or "
			"'everyone-else'\n"
			"E 10: the line ends too early, write a pattern such as plant1/**, 'tag NAME' or "
			"'type NAME'\n");
}

Test(policy_parse, lines_that_belong_elsewhere_are_refused)
{
	expect_findings("policy acme\nto everyone-else\nshred \"x\"\n",
			"E 2: 'to' belongs to a rule, write 'share \"TITLE\"' or 'never \"TITLE\"' above it\n"
			"E 3: column 1: 'shred' is not expected here, write policy, org, group, never, "
			"share, to, twins, "
			"allow, deny, redact or until first\n");
	expect_findings(
		ACME
		"never \"x\"\nallow discover\nuntil 2027-01-01\nshare \"y\"\ndeny read\nuntil 2027-01-01\n"
		"until 2027-01-02\n",
		"E 7: a never denies, write 'deny' or begin a share\n"
		"E 8: a never does not end, remove this line\n"
		"E 10: a share allows, write 'allow' or begin a never\n"
		"E 12: the share ends in line 11 already, remove one\n");
}

Test(policy_parse, errors_in_rights_say_what_to_write)
{
	expect_findings(
		ACME
		"share \"x\"\nallow read\nallow read a b\nallow discover state/*\nallow write a\n"
		"allow read a last 1d\nallow history a last 1x\nallow history a last 0s\n"
		"allow history a last 1d last 2d\nallow history a last\nallow history a every\nallow read "
		"a,,b\n"
		"never \"y\"\ndeny discover of a\ndeny speech\ndeny read a\ndeny read of a b\n",
		"E 7: the line ends too early, write properties such as state/*, '**' for all\n"
		"E 8: column 14: 'b' is not expected here, write ',' between properties; history, last and "
		"step go "
		"on an allow line of their own\n"
		"E 9: column 16: 'state/*' is not expected here, write ',' between rights; only read, "
		"history "
		"and watch take properties\n"
		"E 10: column 7: 'write' is not expected here, write discover, summary, read, history, watch "
		"or command\n"
		"E 11: column 14: 'last' is not expected here, write ',' between properties; history, last "
		"and "
		"step go on an allow line of their own\n"
		"E 12: column 22: '1x' is not a duration: write it like 250ms, 5s, 2min, 1h30min or 30d\n"
		"E 13: column 22: '0s' is no time at all, write more or leave it out\n"
		"E 14: column 30: the bound stands twice, remove one\n"
		"E 15: the line ends too early, write a duration such as 30d or 1min\n"
		"E 16: column 17: 'every' is not expected here, write ',' between properties, 'last "
		"DURATION' or "
		"'step DURATION'\n"
		"E 17: column 14: ',' is not expected here, write properties such as state/*, '**' for all\n"
		"E 19: discover is of the whole twin, leave out 'of' or 'discover'\n"
		"E 20: column 6: 'speech' is not expected here, write discover, summary, read, history, "
		"watch, "
		"aggregate or command\n"
		"E 21: column 11: 'a' is not expected here, write ',' between rights or 'of PROPERTIES'\n"
		"E 22: column 16: 'b' is not expected here, write ',' between properties\n");
}

Test(policy_parse, errors_in_twins_and_times_say_what_to_write)
{
	expect_findings(
		ACME
		"share \"x\"\ntwins a b\ntwins plant1/**/x\ntwins tag a/b\ntwins type\ntwins a with b\n"
		"twins a with tag b, c\nto org volt role\nto everyone-else role x\nuntil\n",
		"E 7: column 9: 'b' is not expected here, write ',' between patterns, 'with tag NAME' or "
		"'with type "
		"NAME'\n"
		"E 8: column 7: pattern 'plant1/**/x' is not possible: '**' stands only at the end, use '*' "
		"for one "
		"segment\n"
		"E 9: column 11: 'a/b' is not a tag, those have 1 to 63 of A-Z a-z 0-9 . _ -\n"
		"E 10: the line ends too early, write the name of a type\n"
		"E 11: column 14: 'b' is not expected here, write 'tag NAME' or 'type NAME', joined by "
		"'and'\n"
		"E 12: column 19: ',' is not expected here, write 'and' between conditions, other twins on a "
		"'twins' "
		"line of their own\n"
		"E 13: the line ends too early, write a role\n"
		"E 14: column 18: 'role' is not expected here, write ',' between partners, 'role NAME' "
		"behind an "
		"organisation\n"
		"E 15: the line ends too early, write a time such as 2027-03-31\n");
	expect_findings(ACME "share \"x\"\nuntil tomorrow\nshare \"y\"\nuntil 2027-02-30\n",
			"E 7: column 7: 'tomorrow' is not a time between 1678 and 2261: write it like "
			"2011-01-01T00:00:00Z\n"
			"E 9: column 7: '2027-02-30' is not a time between 1678 and 2261: write it like "
			"2011-01-01T00:00:00Z\n");
}

/* The whole language with what comes later: each of it is refused by name, and nothing else is. */
Test(policy_parse, what_comes_later_is_refused_by_name)
{
	expect_findings(
		"policy acme\n"
		"  org bolt = BOLT-1234567-...\n"
		"  never \"recipes\"\n"
		"    to everyone-else\n"
		"    twins **\n"
		"    deny read, history, watch, aggregate of recipe/**\n"
		"  share \"presses\"\n"
		"    to org bolt\n"
		"    twins plant1/line3/**\n"
		"    allow history state/vibration/* last 30d step 1m\n"
		"    allow watch state/*\n"
		"    redact meta/serial as token\n"
		"    until 2027-03-31\n"
		"  share \"energy\"\n"
		"    to group suppliers\n"
		"    twins plant1/** by type\n"
		"    allow aggregate mean, count of state/energy every 1h\n"
		"    protect min-twins 5\n"
		"    until 2027-06-30\n"
		"  share \"stop\"\n"
		"    to org bolt role operator\n"
		"    twins plant1/line3/press7\n"
		"    allow command stop confirm role lead rate 1/min\n"
		"    allow read state/* rate 1/min\n"
		"    until 2027-02-01\n",
		"E 2: the fingerprint of 'bolt' is shortened, write it in full\n"
		"E 15: group 'suppliers' is not declared, add 'group suppliers = ORGANISATION, ...'\n"
		"E 16: 'by' is not supported yet, leave it out\n"
		"E 17: 'aggregate' is not supported yet, leave it out\n"
		"E 18: 'protect' is not supported yet, leave it out\n"
		"E 24: column 24: 'rate' is not expected here, write ',' between properties; history, last "
		"and step go on an allow line of their own\n");
}

#define SHARE(title, to, twins, allow, until) \
	"share \"" title "\"\nto " to "\ntwins " twins "\nallow " allow "\nuntil " until "\n"
#define NEVER(title, to, twins, deny) "never \"" title "\"\nto " to "\ntwins " twins "\ndeny " deny "\n"

Test(policy_parse, ends_that_surprise_are_warned_of)
{
	expect_findings(ACME SHARE("a", "org volt", "**", "discover", "2026-05-30"),
			"W 10: the share has ended, remove it or write a later 'until'\n");
	expect_findings(ACME SHARE("a", "org volt", "**", "discover", "2026-06-01T00:00"),
			"W 10: the share has ended, remove it or write a later 'until'\n");
	expect_findings(ACME SHARE("a", "org volt", "**", "discover", "2026-06-01"),
			"W 10: the share ends within 30 days, write a later 'until' if it is to go on\n");
	expect_findings(ACME SHARE("a", "org volt", "**", "discover", "2026-06-30"),
			"W 10: the share ends within 30 days, write a later 'until' if it is to go on\n");
	expect_findings(ACME SHARE("a", "org volt", "**", "discover", "2026-07-01"), "");
	expect_findings(ACME SHARE("a", "org volt", "**", "discover", "2027-07-06T00:00"), "");
	expect_findings(ACME SHARE("a", "org volt", "**", "discover", "2027-07-06"),
			"W 10: the share ends in more than 400 days, consider an earlier 'until'\n");
}

Test(policy_parse, rules_that_do_not_do_what_they_say_are_warned_of)
{
	expect_findings(ACME SHARE("a", "org volt role lead", "acme/x, acmeter", "discover", "2027-01-01"),
			"W 7: role-limited share: answers live questions only, never gossiped\n"
			"W 8: pattern 'acme/x' begins with the own organisation, which patterns leave out\n");
	expect_findings(ACME NEVER("a", "org volt role lead", "**", "aggregate"),
			"W 6: the never denies only what cannot be allowed yet\n"
			"W 7: role-limited never: stops live questions only, what is gossiped reaches the "
			"role too\n");
}

Test(policy_parse, shares_that_a_never_wins_over_are_dead)
{
	expect_findings(ACME NEVER("n", "everyone-else", "plant1/**", "discover")
				SHARE("a", "org volt, group partners", "plant1/line3/**, plant1/x", "summary",
				      "2027-01-01") SHARE("b", "org volt", "plant1/line3/**, plant2/x",
							  "summary", "2027-01-01"),
			"W 10: the share allows nothing: never \"n\" (line 6) denies it all\n");
	expect_findings(ACME NEVER("n", "org volt", "**", "read of recipe/**")
				SHARE("a", "org volt", "x", "read recipe/mix, recipe/*", "2027-01-01") SHARE(
					"b", "org volt", "x", "read recipe/mix, state", "2027-01-01")
					SHARE("c", "group partners", "x", "read recipe/mix", "2027-01-01")
						SHARE("d", "org volt", "x", "summary", "2027-01-01"),
			"W 13: this line allows nothing: never \"n\" (line 6) denies it\n");
	expect_findings(
		ACME NEVER("n", "org volt role lead", "** with tag x", "summary")
			SHARE("a", "org volt role lead", "** with tag x", "summary",
			      "2027-01-01") SHARE("b", "org volt", "** with tag x", "summary", "2027-01-01")
				SHARE("c", "org volt role lead", "y with tag x", "summary", "2027-01-01"),
		"W 7: role-limited never: stops live questions only, what is gossiped reaches the role too\n"
		"W 10: the share adds nothing to line 15, remove one\n"
		"W 11: role-limited share: answers live questions only, never gossiped\n"
		"W 13: this line allows nothing: never \"n\" (line 6) denies it\n"
		"W 21: role-limited share: answers live questions only, never gossiped\n");
}

Test(policy_parse, rules_that_repeat_another_are_warned_of)
{
	expect_findings(ACME SHARE("a", "org volt", "x", "read b", "2027-01-01")
				SHARE("b", "org volt", "x", "read b", "2027-01-01")
					SHARE("c", "org volt", "x", "read b", "2027-02-01")
						SHARE("d", "org volt", "x", "read c", "2027-01-01")
							NEVER("e", "org volt", "x", "read of d")
								NEVER("f", "org volt", "x", "read of d"),
			"W 6: the share adds nothing to line 16, remove one\n"
			"W 11: the share adds nothing to line 6, remove one\n"
			"W 30: the never adds nothing to line 26, remove one\n");
}

Test(policy_parse, shares_within_another_are_warned_of)
{
	expect_findings(ACME SHARE("a", "group partners", "x/**", "read b/**",
				   "2027-02-01") SHARE("b", "org volt", "x/y", "read b/c", "2027-01-01")
				SHARE("c", "org harbor", "x/y", "history b/c", "2027-01-01")
					SHARE("d", "org bolt", "x/y", "read b/c", "2027-01-01")
						SHARE("e", "group partners", "x", "read b", "2027-03-01"),
			"W 11: the share adds nothing to line 6, remove one\n");
	expect_findings(ACME SHARE("a", "org volt", "x", "history b last 1d", "2027-01-01")
				SHARE("b", "org volt", "x", "history b last 2d", "2027-01-01")
					SHARE("c", "org volt", "x", "command go rate 2/s", "2027-01-01")
						SHARE("d", "org volt", "x",
						      "command go confirm role lead rate 1/s", "2027-01-01"),
			"W 6: the share adds nothing to line 11, remove one\n"
			"W 21: the share adds nothing to line 16, remove one\n");
}

#define REDACTED(title, to, twins, allow, redact) \
	"share \"" title "\"\nto " to "\ntwins " twins "\nallow " allow "\nredact " redact \
	"\nuntil 2027-01-01\n"

Test(policy_parse, redactions_that_another_share_lifts_are_warned_of)
{
	expect_findings(ACME REDACTED("a", "group partners", "x/**", "read **", "meta/serial as token")
				SHARE("b", "org volt", "x/y", "read meta/*",
				      "2027-01-01") SHARE("c", "org bolt", "x/y", "read meta/*", "2027-01-01")
					SHARE("d", "org volt", "z", "read meta/*", "2027-01-01")
						SHARE("e", "org volt", "x", "read state", "2027-01-01"),
			"W 10: redaction lifted: share \"b\" (line 12) can give meta/serial to the same "
			"partner\n");
	expect_findings(ACME REDACTED("a", "org volt", "x", "read **", "meta/serial as drop")
				REDACTED("b", "org volt", "tag t", "read a, meta/**", "meta/* as token"),
			"W 10: redaction lifted: share \"b\" (line 12) can give meta/serial to the same "
			"partner\n"
			"W 16: redaction lifted: share \"a\" (line 6) can give meta/* to the same partner\n");
	expect_findings(ACME REDACTED("a", "org volt", "x", "read **", "meta/serial as token")
				SHARE("b", "org volt", "x", "summary", "2027-01-01"),
			"W 10: redaction lifted: share \"b\" (line 12) can give meta/serial to the same "
			"partner\n");
}

Test(policy_parse, redactions_that_all_shares_have_are_not_lifted)
{
	expect_findings(
		ACME REDACTED("a", "org volt", "x", "read meta/serial, a", "meta/serial as token")
			REDACTED("b", "org volt", "x", "read meta/*", "meta/serial, meta/id as token")
				REDACTED("c", "org volt", "x", "read meta/serial, b", "meta/* as token"),
		"W 22: redaction lifted: share \"b\" (line 12) can give meta/* to the same "
		"partner\n");
}

Test(policy_parse, watches_commands_and_redactions_are_read)
{
	expect_findings(
		ACME SHARE("a", "org volt role lead", "x",
			   "command stop, safe-stop confirm role lead rate 1/min", "2027-01-01")
			SHARE("b", "org volt", "x", "watch state/*, a rate 2/s", "2027-01-01")
				REDACTED("c", "org volt", "y", "read **", "meta/serial, meta/id as token"),
		"");
	expect_findings(ACME
			"share \"x\"\nallow watch\nallow watch a rate\nallow watch a rate 0/s\n"
			"allow watch a rate 1/day\nallow command stop confirm lead\n"
			"allow command stop rate 1/s rate 1/s\nallow command a/b\nredact a\n"
			"redact a as secret\nredact as token\nallow watch a confirm role b\n"
			"allow command x confirm role a confirm role b\nallow watch a rate 12345678/s\n",
			"E 7: the line ends too early, write properties such as state/*, '**' for all\n"
			"E 8: the line ends too early, write a rate such as 2/s or 1/min\n"
			"E 9: column 20: '0/s' is no rate, write such as 2/s, 1/min or 10/h\n"
			"E 10: column 20: '1/day' is no rate, write such as 2/s, 1/min or 10/h\n"
			"E 11: column 20: who confirms? write 'confirm role NAME'\n"
			"E 12: column 34: the rate stands twice, remove one\n"
			"E 13: column 15: 'a/b' is not the name of a command, those have 1 to 255 of A-Z a-z "
			"0-9 . _ -\n"
			"E 14: what is left of it? add 'as token' or 'as drop'\n"
			"E 15: column 13: 'secret' is not expected here, write token or drop\n"
			"E 16: column 11: 'token' is not expected here, write ',' between properties, 'as "
			"token' or 'as drop'\n"
			"E 17: column 15: 'confirm' is not expected here, write ',' between properties or "
			"'rate N/s'\n"
			"E 18: column 32: the confirmation stands twice, remove one\n"
			"E 19: column 20: '12345678/s' is no rate, write such as 2/s, 1/min or 10/h\n");
	expect_findings(ACME "never \"n\"\nto org volt\ntwins x\ndeny read\nredact a as drop\n",
			"E 10: a never denies, there is nothing to redact: remove this line\n");
}

Test(policy_parse, commands_are_for_partners_by_name)
{
	expect_findings(
		ACME SHARE("a", "group partners, org bolt", "x", "command stop", "2027-01-01")
			SHARE("b", "everyone-else", "x", "command stop", "2027-01-01"),
		"E 7: a command is for partners by name, write 'org NAME' or 'org NAME role ROLE'\n"
		"E 12: a command is for partners by name, write 'org NAME' or 'org NAME role ROLE'\n");
	expect_findings(ACME NEVER("n", "everyone-else", "x", "command"), "");
}

/* A text made of many rules; the caller frees it. */
static char *text_of(struct buf *b)
{
	buf_put_u8(b, 0);
	cr_assert(eq(int, buf_check(b), 0));
	return (char *)b->data;
}

Test(policy_parse, limits_are_refused_in_one_line)
{
	SCOPED(buf_fini) struct buf rules = {0};
	SCOPED(scope_free) char *blank = malloc(POLICY_TEXT_MAX + 2);

	buf_put_text(&rules, ACME);
	for (int i = 0; i <= POLICY_RULES_MAX; i++)
		buf_print(&rules, "never \"%d\"\nto org volt\ntwins x%d\ndeny read\n", i, i);
	char *text = text_of(&rules);
	expect_findings(text, "E 4102: at most 1024 rules are possible, join some\n");
	*strstr(text, "never \"1024\"") = '\0';
	expect_findings(text, "");

	memset(blank, ' ', POLICY_TEXT_MAX + 1);
	blank[POLICY_TEXT_MAX + 1] = '\0';
	memcpy(blank, "policy acme\n", 12);
	expect_findings(blank, "E 1: the policy has more than 524288 bytes, shorten it\n");
	blank[POLICY_TEXT_MAX] = '\0';
	expect_findings(blank, "");
}

Test(policy_parse, one_line_of_half_a_million_words_is_read_at_once, .timeout = 60)
{
	SCOPED(buf_fini) struct buf rule = {0};

	buf_put_text(&rule, ACME "never \"n\"\nto org volt\ndeny read\ntwins a");
	while (rule.len < POLICY_TEXT_MAX - 2)
		buf_put_text(&rule, ",a");
	expect_findings(text_of(&rule), "");
}

Test(policy_parse, of_very_many_findings_the_first_are_kept)
{
	SCOPED(buf_fini) struct buf lines = {0};

	buf_put_text(&lines, ACME "never \"n\"\ntwins x\ndeny read\n");
	for (int i = 0; i < 300; i++)
		buf_put_text(&lines, "to org volt role lead\n");
	for (int i = 0; i < 300; i++)
		buf_put_text(&lines, "to org\n");
	struct parsed p = parsed_with(text_of(&lines), NULL);
	cr_assert(eq(sz, p.n, 202));
	cr_expect(eq(int, p.r, ERR_REFUSED));
	cr_expect(not(p.findings[100].error));
	cr_expect_str_eq(p.findings[100].text, "more warnings follow, see to the first ones and check again");
	cr_expect(eq(uint, p.findings[101].line, 309));
	cr_expect_str_eq(p.findings[101].text, "the line ends too early, write an organisation name");
	cr_expect_str_eq(p.findings[201].text, "more errors follow, mend the first ones and check again");
	parsed_free(&p);
}

static int parse_once(const char *text, size_t *ret_n)
{
	SCOPED(scope_arena) struct arena *a = NULL;
	SCOPED(scope_policy) struct policy *p = NULL;
	struct policy_finding *findings;
	struct err_note note;

	TRY(arena_new(&a, 1 << 20));
	TRY(policy_parse(text, &(struct policy_options){.own_org = "acme"}, &p, a, &findings, ret_n, &note));
	return 0;
}

static void expect_survival(const char *text, int expected)
{
	bool failed = true;
	long allowed = 0;

	for (; failed; allowed++) {
		size_t n;
		alloc_fail_after(allowed);
		const int r = parse_once(text, &n);
		failed = alloc_has_failed();
		alloc_fail_after(-1);
		cr_expect(eq(int, r, failed ? -ENOMEM : expected), "allocation %ld", allowed);
	}
	cr_expect(gt(long, allowed, 4));
}

Test(policy_parse, every_allocation_may_fail)
{
	SCOPED(buf_fini) struct buf good = {0}, bad = {0};

	buf_put_text(&good, ACME);
	buf_put_text(&bad, ACME);
	for (int i = 0; i < 200; i++) {
		buf_print(&good, "org o%d = F\nnever \"%d\"\nto org o%d, group partners\n", i, i, i);
		buf_put_text(&good, "twins x, y with tag z\ndeny read of a, b\n");
		buf_print(&good, "deny read of %0*d, %0*d\n", 200, i, 250, i);
		buf_print(&bad, "share \"%d\"\nto org volt role r\nallow watch\n", i);
	}
	expect_survival(text_of(&good), 0);
	expect_survival(text_of(&bad), ERR_REFUSED);
}
