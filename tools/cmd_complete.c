/* SPDX-License-Identifier: Apache-2.0 */
#include <stdio.h>

#include "tools/complete.h"

static enum status complete_run(struct context *ctx, int argc, char *const argv[])
{
	complete(ctx, (size_t)argc, argv, stdout);
	return STATUS_OK;
}

const struct verb cmd_complete[] = {
	{.name = "complete",
	 .args = "-- [WORD...]",
	 .summary = "print what could stand in place of the last word of a command line, for shells",
	 .max_args = 4096,
	 .run = complete_run},
	{0},
};
