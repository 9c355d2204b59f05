/* SPDX-License-Identifier: Apache-2.0 */
#include "node/log_share.h"

#include <criterion/criterion.h>
#include <criterion/new/assert.h>
#include <criterion/redirect.h>
#include <stdio.h>
#include <string.h>

#include "proto/clock.h"

static struct log_shares shares;

static void begin(void)
{
	cr_redirect_stderr();
}

static void end(void)
{
	log_shares_fini(&shares);
	shares = (struct log_shares){0};
}

TestSuite(log_share, .init = begin, .fini = end);

static unsigned taken(const char *node, unsigned tries, int64_t now_ns)
{
	unsigned n = 0;

	for (unsigned i = 0; i < tries; i++)
		n += log_share_take(&shares, "bolt", node, now_ns);
	return n;
}

/* What stands in the log by now. */
static const char *log_text(void)
{
	static char text[1 << 16];

	fflush(stderr);
	const size_t n = fread(text, 1, sizeof text - 1, cr_get_redirected_stderr());
	text[n] = '\0';
	return text;
}

Test(log_share, a_million_lines_of_one_peer_are_twenty_a_minute)
{
	cr_expect(eq(uint, taken("n1", 1000000, 5), LOG_SHARE_PEER - 1));
	cr_expect(eq(uint, taken("n1", 1000, 5 + 59 * NS_PER_S), 0));
	cr_expect(eq(uint, taken("n1", 1, 5 + 60 * NS_PER_S), 1));
	const char *text = log_text();
	cr_expect(strstr(text, "is left out, too much was written peer=bolt/n1") != NULL, "%s", text);
	cr_expect(strstr(text, "lines were left out n=1000981 peer=bolt/n1") != NULL, "%s", text);
}

Test(log_share, one_peer_does_not_take_the_share_of_another)
{
	taken("n1", 1000, 0);
	cr_expect(eq(uint, taken("n2", 5, 0), 5));
}

Test(log_share, all_peers_together_have_a_share)
{
	unsigned n = 0;

	for (int i = 0; i < 10000; i++) {
		char node[16];
		snprintf(node, sizeof node, "n%d", i);
		n += taken(node, 1, 0);
	}
	cr_expect(eq(uint, n, LOG_SHARE_ALL - 1));
	cr_expect(le(sz, shares.peers.n, LOG_SHARE_PEERS_MAX));
}
