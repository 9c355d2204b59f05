/* SPDX-License-Identifier: Apache-2.0 */
/* Command send - one command on its way: signed by the person of --person, or, of whoever may open the
 * socket and for a twin of this node, unsigned; sent, and followed until it has ended.
 */
#pragma once

#include "tools/verb.h"

#define COMMAND_FLAGS \
	{"within", "DURATION", \
	 "deadline: no later than so long from now (default: as the type says, or 1min)", false}, \
	{ \
		"wait", "DURATION", \
			"wait so long for its end (default: until its deadline; 0s: not at all)", false \
	}

struct command_wish {
	const char *twin, *operation;
	struct argument *arguments;
	size_t n_arguments;
	int64_t within_ns; /* without --within; 0: COMMAND_WITHIN_S */
	const char
		*done; /* what to say in place of the steps when it is done, NULL: the steps as they come */
};

/* Reads the COMMAND_FLAGS of the verb where its table has them. Prints the steps as they become known, or
 * with --json the record at the end. STATUS_OK: done; STATUS_FAILED: refused, failed or timed out;
 * STATUS_DEGRADED: it has not ended yet. */
enum status command_send(struct context *ctx, const struct command_wish *wish);
