/* SPDX-License-Identifier: Apache-2.0 */
/* Options - the command line against the table of commands: flags anywhere, `--` ends them. */
#pragma once

#include <stdio.h>

#include "tools/verb.h"

/* Find the command and sort argv (without argv[0]) into flags and arguments. Unknown commands and flags,
 * flags without their value, flags given twice that do not repeat: ERR_REFUSED with a note; ctx->command is
 * set as far as it was recognised. The number of arguments is checked by options_check_args() once --help is
 * out of the way. */
MUST_CHECK int options_parse(struct context *ctx, int argc, char *const argv[], struct err_note *note);
MUST_CHECK int options_check_args(const struct context *ctx, struct err_note *note);

/* A flag that may stand in this line, by its name; NULL: none such. */
const struct flag *options_flag(const struct context *ctx, const char *name);

/* Usage of the command that was named, with its flags; else of all commands of the noun that was named; else
 * of all. */
void options_help(const struct context *ctx, FILE *out);
