/* SPDX-License-Identifier: Apache-2.0 */
/* Command args - the arguments of a command as a person writes them: NAME=VALUE. */
#pragma once

#include "proto/command.h"
#include "proto/twin.h"

/* A value is read as the parameter wants it; a number may have its unit behind it (`grace=2 min`) and is
 * converted into the parameter's. `op` NULL: the operation is not known here, then `true`, `12`, `2.5` are
 * what they look like, and all else, and what stands in double quotes, is a text; the owner judges. Whether
 * all are given is for command_fit(). Into the arena. ERR_REFUSED and ERR_UNIT with a note. */
MUST_CHECK int command_args_read(struct arena *a, const struct operation_def *op, char *const words[],
				 size_t n, struct argument **ret, struct err_note *note);
