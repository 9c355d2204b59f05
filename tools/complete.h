/* SPDX-License-Identifier: Apache-2.0 */
/* Complete - how a command line could go on: made from the table of commands, and from what the node holds.
 *
 * What an argument is, is told by its word in the usage line (TWIN, PROPERTY, FILE...), so a command that
 * calls its arguments as the others do is completed without more.
 */
#pragma once

#include <stdio.h>

#include "tools/verb.h"

enum { COMPLETE_MAX = 200 }; /* words printed, at most */

/* Print the words that could stand in place of the last one of argv (perhaps ""), one a line. A word that
 * goes on (as a path does) ends with a slash or colon. `:files` or `:dirs`: names of those. Without a node,
 * or with one that does not answer at once, what needs none. */
void complete(const struct context *ctx, size_t argc, char *const argv[], FILE *out);
