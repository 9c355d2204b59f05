/* SPDX-License-Identifier: Apache-2.0 */
/* The listening build of the tap: this binary links tap_on.c in place of the library's tap_off.c. */
#define _POSIX_C_SOURCE 200809L
#include <criterion/criterion.h>
#include <criterion/new/assert.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>

#include "node/tap.h"
#include "tests/lib/tmpdir.h"

static char path[128];

static void set_up(void)
{
	snprintf(path, sizeof path, "%s/tap", tmpdir_make());
	setenv("HOLON_TAP", path, 1);
}

TestSuite(tap, .init = set_up, .fini = tmpdir_remove);

Test(tap, frames_are_appended_with_length_and_receiver)
{
	static const char want[] =
		"\0\0\0\x0e"
		"bolt/n1\0canary"
		"\0\0\0\x08"
		"volt/n2";
	char got[64];

	tap_sent("bolt", "n1", BYTES("canary"));
	tap_sent("volt", "n2", BYTES(""));
	FILE *f = fopen(path, "rb");
	cr_assert(f != NULL);
	size_t n = fread(got, 1, sizeof got, f);
	fclose(f);
	cr_assert(eq(sz, n, sizeof want)); /* its NUL is the second receiver's */
	cr_expect(eq(int, memcmp(got, want, n), 0));
}

Test(tap, without_a_file_named_nothing_is_written)
{
	unsetenv("HOLON_TAP");
	tap_sent("bolt", "n1", BYTES("canary"));
	cr_expect(fopen(path, "rb") == NULL);
}

Test(tap, a_frame_that_cannot_be_recorded_ends_the_process, .signal = SIGABRT)
{
	setenv("HOLON_TAP", "/nonexistent/tap", 1);
	tap_sent("bolt", "n1", BYTES("canary"));
}

Test(tap, the_egress_check_is_off_only_when_told)
{
	cr_expect(not(tap_egress_off()));
	setenv("HOLON_EGRESS_OFF", "0", 1);
	cr_expect(not(tap_egress_off()));
	setenv("HOLON_EGRESS_OFF", "1", 1);
	cr_expect(tap_egress_off());
}
