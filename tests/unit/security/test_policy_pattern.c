/* SPDX-License-Identifier: Apache-2.0 */
#include <criterion/criterion.h>
#include <criterion/new/assert.h>
#include <stdio.h>

#include "security/policy_pattern.h"

Test(policy_pattern, literal_segments_match_themselves_only)
{
	cr_expect(pattern_matches("plant1/line3", "plant1/line3"));
	cr_expect(not(pattern_matches("plant1/line3", "plant1/line33")));
	cr_expect(not(pattern_matches("plant1/line33", "plant1/line3")));
	cr_expect(not(pattern_matches("plant1/line3", "plant1")));
	cr_expect(not(pattern_matches("plant1-line3", "plant1/line3")), "a separator is no character");
	cr_expect(not(pattern_matches("plant1/line3", "plant1/line3/press")));
	cr_expect(not(pattern_matches("plant1", "Plant1")), "there is no case folding");
}

Test(policy_pattern, a_star_is_exactly_one_segment)
{
	cr_expect(pattern_matches("*", "plant1"));
	cr_expect(pattern_matches("*/line3", "plant1/line3"));
	cr_expect(pattern_matches("plant1/*/press", "plant1/line3/press"));
	cr_expect(not(pattern_matches("*", "plant1/line3")));
	cr_expect(not(pattern_matches("plant1/*", "plant1")));
	cr_expect(not(pattern_matches("plant1/*", "plant1/line3/press")));
	cr_expect(not(pattern_matches("*", "")));
}

Test(policy_pattern, two_stars_are_this_and_everything_below)
{
	cr_expect(pattern_matches("**", "plant1"));
	cr_expect(pattern_matches("**", "plant1/line3/press"));
	cr_expect(pattern_matches("plant1/**", "plant1"));
	cr_expect(pattern_matches("plant1/**", "plant1/line3"));
	cr_expect(pattern_matches("plant1/**", "plant1/line3/press"));
	cr_expect(pattern_matches("*/line3/**", "plant1/line3"));
	cr_expect(not(pattern_matches("plant1/**", "plant10")));
	cr_expect(not(pattern_matches("plant1/line3/**", "plant1")));
}

static void expect_refused(const char *pattern, const char *why)
{
	struct err_note note = {0};

	cr_expect(eq(int, pattern_check(bytes_of_text(pattern), &note), ERR_REFUSED), "%s", pattern);
	cr_expect_str_eq(note.text, why);
}

Test(policy_pattern, what_is_no_pattern_is_refused_with_a_reason)
{
	static char long_one[300];

	for (const char **good = (const char *[]){"a", "*", "**", "a/*/b", "a/**", "A-Z_0.9", NULL}; *good;
	     good++)
		cr_expect(eq(int, pattern_check(bytes_of_text(*good), NULL), 0), "%s", *good);
	expect_refused("", "there is an empty segment, write one '/' between segments");
	expect_refused("/a", "there is an empty segment, write one '/' between segments");
	expect_refused("a//b", "there is an empty segment, write one '/' between segments");
	expect_refused("a/", "there is an empty segment, write one '/' between segments");
	expect_refused("a/**/b", "'**' stands only at the end, use '*' for one segment");
	expect_refused("line*", "'*' stands for a whole segment, not for a part of one");
	expect_refused("***", "'*' stands for a whole segment, not for a part of one");
	expect_refused("a/../b", "there are no '.' and '..' in ids, write the whole path");
	expect_refused("a:b", "segments are made of A-Z a-z 0-9 . _ - only");
	memset(long_one, 'a', sizeof long_one - 1);
	expect_refused(long_one, "it has 299 bytes, at most 255 are possible");
	for (size_t i = 1; i < 80; i += 2)
		long_one[i] = '/';
	long_one[80] = '\0';
	expect_refused(long_one, "it has more than 32 segments");
}

/* Every pattern and path of up to three segments of {a, b, *, **}: covering is sound, and complete but for a
 * `**` that only other wildcards together could cover. */
Test(policy_pattern, what_covers_a_pattern_matches_whatever_it_matches)
{
	static const char *const words[] = {"a", "b", "*", "**"};
	static char patterns[100][16], paths[20][16];
	size_t n = 0, n_paths = 0, covered = 0;

	for (int i = 0; i < 4; i++) {
		snprintf(patterns[n++], 16, "%s", words[i]);
		for (int j = 0; i < 3 && j < 4; j++) {
			snprintf(patterns[n++], 16, "%s/%s", words[i], words[j]);
			for (int k = 0; j < 3 && k < 4; k++)
				snprintf(patterns[n++], 16, "%s/%s/%s", words[i], words[j], words[k]);
		}
	}
	for (size_t i = 0; i < n; i++)
		if (!strchr(patterns[i], '*'))
			memcpy(paths[n_paths++], patterns[i], 16);
	cr_assert(eq(sz, n_paths, 14));
	for (size_t i = 0; i < n; i++)
		for (size_t j = 0; j < n; j++) {
			bool both = false;
			for (size_t k = 0; k < n_paths; k++)
				both |= pattern_matches(patterns[i], paths[k]) &&
					pattern_matches(patterns[j], paths[k]);
			cr_expect(eq(int, patterns_meet(patterns[i], patterns[j]), both), "%s and %s",
				  patterns[i], patterns[j]);
			const bool covers = pattern_covers(patterns[i], patterns[j]);
			covered += covers;
			for (size_t k = 0; covers && k < n_paths; k++)
				if (pattern_matches(patterns[j], paths[k]))
					cr_expect(pattern_matches(patterns[i], paths[k]),
						  "%s covers %s but not %s", patterns[i], patterns[j],
						  paths[k]);
		}
	cr_expect(gt(sz, covered, n), "not only itself");
	cr_expect(pattern_covers("plant1/**", "plant1/line3/**"));
	cr_expect(pattern_covers("plant1/*", "plant1/line3"));
	cr_expect(not(pattern_covers("plant1/*", "plant1/**")));
	cr_expect(not(pattern_covers("plant1/line3", "plant1/*")));
}
