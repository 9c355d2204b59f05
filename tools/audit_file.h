/* SPDX-License-Identifier: Apache-2.0 */
/* Audit file - a whole audit as one file, to be verified where there is no node:
 *
 *     "holon audit export v1\n"  key of the checkpoints, as text  "\n"  records (proto/audit.h) to the end
 */
#pragma once

#include <stdio.h>

#include "tools/audit_walk.h"

/* Go through a file as audit_walk() goes through a node's audit. ERR_MALFORMED, ERR_VERSION, -errno; the note
 * says where. */
MUST_CHECK int audit_file_walk(const struct audit_walk *w, const char *path, struct err_note *note);

/* Ask for the audit and write it to a file that is not there yet; the number of entries comes back. What went
 * wrong has been said, and no file is left. */
enum status audit_file_export(struct context *ctx, const char *path, uint64_t *ret_entries);
