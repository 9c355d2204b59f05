/* SPDX-License-Identifier: Apache-2.0 */
#include <criterion/criterion.h>
#include <criterion/new/assert.h>

#include "proto/limits.h"
#include "tests/unit/federation/desk.h"

enum { CREDIT = 8 };

static struct desk desk;

static void begin(void)
{
	desk_init(&desk);
	desk_up(&desk, 1, "acme", "a1");
	desk_hello(&desk, 1, "acme", "a1");
}

static void end(void)
{
	desk_fini(&desk);
}

TestSuite(flow, .init = begin, .fini = end);

/* The frames of a pull but the last one; `ns` between two. */
static void rows_but_one(const char *origin, int64_t ns)
{
	for (uint32_t i = 0; i + 1 < CREDIT; i++) {
		desk_rows(&desk, origin, i, 1, 0, 0);
		desk.now_ns += ns;
	}
}

static void pull_a1(void)
{
	EXPECT(desk_heads(&desk, 1, "acme/a1", 7, 4), "pull acme/a1 from 0");
}

Test(flow, goes_on_behind_the_last_row_though_none_is_durable)
{
	pull_a1();
	rows_but_one("acme/a1", 0);
	EXPECT(desk_rows(&desk, "acme/a1", 7, 1, 0, 0), "store acme/a1 n=1 to c9, pull acme/a1 from c9");
	for (desk.token = 1; desk.token <= CREDIT; desk.token++)
		EXPECT(desk_stored(&desk, 0), "");
	EXPECT(desk_rows(&desk, "acme/a1", 0, 1, 7, 4), "store acme/a1 n=1 head to c9");
}

Test(flow, ends_at_the_head_until_all_is_durable)
{
	pull_a1();
	EXPECT(desk_rows(&desk, "acme/a1", 0, 1, 0, 0), "store acme/a1 n=1 to c9");
	EXPECT(desk_rows(&desk, "acme/a1", 1, 1, 7, 4), "store acme/a1 n=1 head to c9");
	EXPECT(desk_heads(&desk, 1, "acme/a1", 9, 5), "");
}

Test(flow, looks_again_from_the_cursor_that_is_held_when_rows_cannot_be_stored)
{
	pull_a1();
	rows_but_one("acme/a1", 0);
	EXPECT(desk_rows(&desk, "acme/a1", 7, 1, 0, 0), "store acme/a1 n=1 to c9, pull acme/a1 from c9");
	desk.token = 1;
	EXPECT(desk_stored(&desk, -ENOSPC), "");
	EXPECT(desk_rows(&desk, "acme/a1", 0, 1, 0, 0), "");
	for (desk.token = 2; desk.token < CREDIT; desk.token++)
		EXPECT(desk_stored(&desk, -ENOSPC), "");
	EXPECT(desk_pass(&desk, 2 * NS_PER_S), "ping");
	EXPECT(desk_stored(&desk, -ENOSPC), "");
	EXPECT(desk_pass(&desk, NS_PER_S), "ping, pull acme/a1 from 0");
}

Test(flow, streams_take_turns)
{
	static const char *const origins[] = {"acme/a1", "acme/a2", "acme/a3", "acme/a4"};
	uint64_t pulls[3];

	for (size_t i = 0; i < 3; i++) {
		desk_heads(&desk, 1, origins[i], 7, 4);
		pulls[i] = desk.pull;
	}
	EXPECT(desk_heads(&desk, 1, "acme/a4", 7, 4), "");
	cr_expect(eq(sz, mesh_session_window(desk.mesh, 1), 3 * CREDIT * (size_t)FRAME_FILL));
	for (uint32_t i = 0; i < CREDIT; i++) {
		desk.pull = pulls[0];
		EXPECT(desk_rows(&desk, "acme/a1", i, 1, 0, 0),
		       i == 3   ? "store acme/a1 n=1 to c9, pull acme/a4 from 0"
		       : i == 7 ? "store acme/a1 n=1 to c9, pull acme/a1 from c9"
				: "store acme/a1 n=1 to c9");
	}
	desk.pull = pulls[1];
	EXPECT(desk_rows(&desk, "acme/a2", 0, 1, 7, 4), "store acme/a2 n=1 head to c9");
}

/* A frame a second: of a stream with much to tell so little is asked for at a time that another one waits for
 * seconds, not for its window. */
Test(flow, asks_for_less_at_a_time_over_a_slow_link)
{
	pull_a1();
	rows_but_one("acme/a1", NS_PER_S);
	EXPECT(desk_rows(&desk, "acme/a1", 7, 1, 0, 0),
	       "store acme/a1 n=1 to c9, ping, pull acme/a1 from c9");
	EXPECT(desk_rows(&desk, "acme/a1", 0, 1, 0, 0), "store acme/a1 n=1 to c9");
	EXPECT(desk_rows(&desk, "acme/a1", 1, 1, 0, 0), "store acme/a1 n=1 to c9, pull acme/a1 from c9");
	for (uint32_t i = 0; i < CREDIT - 1; i++)
		desk_rows(&desk, "acme/a1", i, 1, 0, 0);
	EXPECT(desk_rows(&desk, "acme/a1", 7, 1, 0, 0), "store acme/a1 n=1 to c9, pull acme/a1 from c9");
}
