/* SPDX-License-Identifier: Apache-2.0 */
#define _POSIX_C_SOURCE 200809L
#include <criterion/criterion.h>
#include <criterion/new/assert.h>
#include <criterion/redirect.h>
#include <stdlib.h>
#include <string.h>

#include "node/log.h"

static char out[4096];

static const char *logged(void)
{
	fflush(stderr);
	FILE *f = cr_get_redirected_stderr();
	size_t n = fread(out, 1, sizeof out - 1, f);

	out[n] = '\0';
	return out;
}

static void redirect(void)
{
	cr_redirect_stderr();
	unsetenv("JOURNAL_STREAM");
}

TestSuite(log, .init = redirect);

Test(log, a_line_has_time_level_domain_and_sentence)
{
	int day, ms, used = 0;

	log_warn("peer", "hello refused: %s peer=%s", "no answer", "bolt/n1");
	const char *line = logged();
	cr_expect(eq(int, sscanf(line, "%*d-%*d-%dT%*d:%*d:%*d.%dZ%n", &day, &ms, &used), 2));
	cr_expect_str_eq(line + used, " warning peer: hello refused: no answer peer=bolt/n1\n");
}

Test(log, the_journal_gets_its_own_prefix_and_no_time)
{
	setenv("JOURNAL_STREAM", "8:1", 1);
	log_error("store", "disk full");
	cr_expect_str_eq(logged(), "<3>store: disk full\n");
}

Test(log, what_is_below_the_level_is_not_written)
{
	log_set_level(LOG_LEVEL_WARNING);
	log_info("peer", "up");
	log_debug("peer", "frame");
	cr_expect_str_eq(logged(), "");
}

Test(log, one_event_is_one_line_whatever_is_in_it)
{
	setenv("JOURNAL_STREAM", "8:1", 1);
	log_info("peer", "name=%s", "a\n<0>kernel: panic\x1b[2J");
	cr_expect_str_eq(logged(), "<6>peer: name=a?<0>kernel: panic?[2J\n");
}

Test(log, a_line_too_long_is_cut)
{
	char text[3000];

	memset(text, 'x', sizeof text - 1);
	text[sizeof text - 1] = '\0';
	log_info("peer", "%s", text);
	cr_expect(lt(sz, strlen(logged()), 1100));
	cr_expect(eq(chr, out[strlen(out) - 1], '\n'));
}

Test(log_quote, leaves_printable_text_alone_and_escapes_the_rest)
{
	char ret[64];

	cr_expect_str_eq(log_quote("plant1/line3 ok", ret, sizeof ret), "plant1/line3 ok");
	cr_expect_str_eq(log_quote("a\nb\t\x7f\xc3\xa4\\", ret, sizeof ret),
			 "a\\x0ab\\x09\\x7f\\xc3\\xa4\\x5c");
	cr_expect_str_eq(log_quote("", ret, sizeof ret), "");
}

Test(log_quote, cuts_without_halving_an_escape)
{
	char ret[8];

	cr_expect_str_eq(log_quote("123456789", ret, sizeof ret), "1234567");
	cr_expect_str_eq(log_quote("1234\n", ret, sizeof ret), "1234");
	cr_expect_str_eq(log_quote("123\n", ret, sizeof ret), "123\\x0a");
	cr_expect_str_eq(log_quote("x", ret, 1), "");
	cr_expect(log_quote("x", ret, 0) == ret);
}
