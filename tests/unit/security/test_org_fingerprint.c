/* SPDX-License-Identifier: Apache-2.0 */
#include <criterion/criterion.h>
#include <criterion/new/assert.h>
#include <ctype.h>
#include <stdio.h>

#include "security/org.h"
#include "tests/lib/must.h"

static struct public_key acme, bolt;
static char shown[FINGERPRINT_SIZE];
static struct err_note note;

static struct public_key root_of(uint8_t seed_byte)
{
	SCOPED(scope_sign_key) struct sign_key *k = NULL;
	const uint8_t seed[32] = {seed_byte};

	must(sign_key_from_seed(&k, seed) == 0);
	return sign_key_public(k);
}

static void begin(void)
{
	must(keys_init() == 0);
	acme = root_of(1);
	bolt = root_of(2);
	org_fingerprint("acme", &acme, shown);
}

TestSuite(org_fingerprint, .init = begin);

static int check(const char *typed)
{
	note.text[0] = '\0';
	return org_fingerprint_check(typed, "acme", &acme, &note);
}

static bool says(const char *words)
{
	return strstr(note.text, words) != NULL;
}

/* It is written on paper and into policies: it may never change. */
Test(org_fingerprint, the_same_name_and_root_give_the_same_for_ever)
{
	cr_expect_str_eq(shown, "ACME-JDHTCYQ-V4ZDEF4-ILXFZ7U-UF2OCIS-Y67INGW");
}

Test(org_fingerprint, name_and_root_both_count)
{
	char other[FINGERPRINT_SIZE];

	org_fingerprint("acme", &bolt, other);
	cr_expect(ne(str, other, shown));
	org_fingerprint("Acme", &acme, other);
	cr_expect(ne(str, other, shown), "names are told apart by case");
}

Test(org_fingerprint, the_longest_name_has_room)
{
	char name[ORG_NAME_MAX + 1] = {0}, text[FINGERPRINT_SIZE];

	memset(name, 'n', ORG_NAME_MAX);
	org_fingerprint(name, &acme, text);
	cr_expect(eq(sz, strlen(text), FINGERPRINT_SIZE - 1));
	cr_expect(eq(int, org_fingerprint_check(text, name, &acme, &note), 0), "%s", note.text);
}

Test(org_fingerprint, what_is_shown_is_accepted)
{
	cr_expect(eq(int, check(shown), 0), "%s", note.text);
}

Test(org_fingerprint, case_blanks_and_dashes_do_not_matter)
{
	char typed[2 * FINGERPRINT_SIZE], *out = typed;

	for (const char *c = shown; *c; c++)
		*out++ = *c == '-' ? ' ' : (char)tolower(*c);
	*out = '\0';
	cr_expect(eq(int, check(typed), 0), "%s: %s", typed, note.text);

	out = typed;
	for (const char *c = shown; *c; c++) { /* in threes, with blanks everywhere */
		*out++ = *c;
		if ((c - shown) % 3 == 0 && c > shown + 4)
			*out++ = ' ';
	}
	*out = '\0';
	cr_expect(eq(int, check(typed), 0), "%s: %s", typed, note.text);
}

Test(org_fingerprint, the_name_may_be_left_out)
{
	cr_expect(eq(int, check(shown + 5), 0), "%s", note.text);
}

Test(org_fingerprint, digits_that_look_like_letters_are_meant_as_letters)
{
	char typed[FINGERPRINT_SIZE];

	snprintf(typed, sizeof typed, "%s", shown);
	for (char *c = typed + 5; *c; c++)
		*c = *c == 'O' ? '0' : *c == 'I' ? '1' : *c == 'B' ? '8' : *c;
	cr_expect(ne(str, typed, shown), "this fingerprint has such a letter");
	cr_expect(eq(int, check(typed), 0), "%s: %s", typed, note.text);
}

Test(org_fingerprint, four_groups_are_enough_and_three_are_not)
{
	char typed[FINGERPRINT_SIZE];

	snprintf(typed, sizeof typed, "%.*s", 4 + 4 * 8, shown);
	cr_expect(eq(int, check(typed), 0), "%s: %s", typed, note.text);
	snprintf(typed, sizeof typed, "%.*s", 4 + 3 * 8, shown);
	cr_expect(eq(int, check(typed), ERR_UNTRUSTED));
	cr_expect(says("has 3 of 5 groups: at least 4"), "%s", note.text);
	cr_expect(eq(int, check(""), ERR_UNTRUSTED));
	cr_expect(eq(int, check("acme"), ERR_UNTRUSTED));
	cr_expect(eq(int, check("ACME-"), ERR_UNTRUSTED));
}

static void expect_group_named(const char *typed, size_t at)
{
	char group[32];

	snprintf(group, sizeof group, "group %zu ", at / 8 + 1);
	cr_expect(eq(int, check(typed), ERR_UNTRUSTED), "%s", typed);
	cr_expect(says(group) && says("is mistyped"), "%s, not %s: %s", group, typed, note.text);
}

Test(org_fingerprint, every_wrong_character_is_found_in_its_group)
{
	char typed[FINGERPRINT_SIZE];

	for (size_t at = 5; shown[at]; at++) {
		for (const char *c = "ABCDEFGHIJKLMNOPQRSTUVWXYZ234567"; *c; c++) {
			if (shown[at] == '-' || shown[at] == *c)
				continue;
			memcpy(typed, shown, sizeof typed);
			typed[at] = *c;
			expect_group_named(typed, at - 5);
		}
	}
}

Test(org_fingerprint, any_two_characters_exchanged_are_found_in_their_group)
{
	char typed[FINGERPRINT_SIZE];

	for (size_t at = 5; shown[at]; at++) {
		for (size_t to = at + 1; shown[to] && shown[to] != '-'; to++) {
			if (shown[at] == '-' || shown[at] == shown[to])
				continue;
			memcpy(typed, shown, sizeof typed);
			typed[at] = shown[to];
			typed[to] = shown[at];
			expect_group_named(typed, at - 5);
		}
	}
}

Test(org_fingerprint, exchanged_groups_are_found)
{
	char typed[FINGERPRINT_SIZE];

	memcpy(typed, shown, sizeof typed);
	memcpy(typed + 5 + 8, shown + 5 + 16, 7);
	memcpy(typed + 5 + 16, shown + 5 + 8, 7);
	expect_group_named(typed, 8);
}

Test(org_fingerprint, a_forgotten_or_doubled_character_is_found)
{
	char typed[FINGERPRINT_SIZE + 1];

	snprintf(typed, sizeof typed, "%.*s", (int)strlen(shown) - 1, shown);
	cr_expect(eq(int, check(typed), ERR_UNTRUSTED));
	cr_expect(says("group 5 of the fingerprint is too short"), "%s", note.text);
	snprintf(typed, sizeof typed, "%sA", shown);
	cr_expect(eq(int, check(typed), ERR_UNTRUSTED));
	cr_expect(says("too long"), "%s", note.text);
}

Test(org_fingerprint, characters_that_no_fingerprint_has_are_named)
{
	char typed[FINGERPRINT_SIZE];

	memcpy(typed, shown, sizeof typed);
	typed[5 + 8] = '9';
	cr_expect(eq(int, check(typed), ERR_UNTRUSTED));
	cr_expect(says("group 2 ") && says("'9'"), "%s", note.text);
	typed[5 + 8] = '\xc3';
	cr_expect(eq(int, check(typed), ERR_UNTRUSTED));
	cr_expect(says("group 2 ") && says("'?'"), "%s", note.text);
}

Test(org_fingerprint, the_fingerprint_of_another_organisation_is_refused)
{
	char other[FINGERPRINT_SIZE];

	org_fingerprint("acme", &bolt, other);
	cr_expect(eq(int, check(other), ERR_UNTRUSTED));
	cr_expect(says("well typed but not that of this acme"), "%s", note.text);
	org_fingerprint("bolt", &bolt, other);
	cr_expect(eq(int, check(other), ERR_UNTRUSTED));
	cr_expect(says("the name before it is not acme"), "%s", note.text);
}

/* ---- words ---- */

static struct org named(const char *name, struct public_key root)
{
	return (struct org){.manifest = {.org = name, .root = root}};
}

Test(org_fingerprint, both_sides_read_the_same_six_words)
{
	const struct org a = named("acme", acme), b = named("bolt", bolt);
	char here[WORDS_SIZE], there[WORDS_SIZE];
	int n = 1;

	org_words(&a, &b, here);
	org_words(&b, &a, there);
	cr_expect(eq(str, here, there));
	for (const char *c = here; *c; c++)
		n += *c == ' ';
	cr_expect(eq(int, n, 6), "%s", here);
}

Test(org_fingerprint, words_depend_on_both_sides)
{
	const struct org a = named("acme", acme), b = named("bolt", bolt), fake = named("bolt", root_of(3));
	char right[WORDS_SIZE], wrong[WORDS_SIZE];

	org_words(&a, &b, right);
	org_words(&a, &fake, wrong);
	cr_expect(ne(str, right, wrong));
	org_words(&fake, &b, wrong);
	cr_expect(ne(str, right, wrong));
	cr_expect_str_eq(right, "crayon helmet bugle gopher cedar copper",
			 "the list and its order are part of the format");
}
