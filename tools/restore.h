/* SPDX-License-Identifier: Apache-2.0 */
/* Restore - a backup (proto/backup.h) looked through, and made the store of a node that does not run. Works
 * on files alone: no node is asked.
 */
#pragma once

#include "proto/backup.h"
#include "tools/progress.h"

/* Read the list of the backup in `dir`. ERR_CORRUPT, -ENOENT, ... with a note. */
MUST_CHECK int restore_read_list(struct arena *a, const char *dir, struct backup_list *ret,
				 struct err_note *note);

/* Every file of the backup is there and what the list says. ERR_CORRUPT with a note that names the first that
 * is not. */
MUST_CHECK int restore_verify(const char *dir, const struct backup_list *l, struct progress *p,
			      struct err_note *note);

/* Verified while it is copied to NODE_DIR/store, which must not be there, or with `replace` becomes
 * NODE_DIR/store.replaced. At its next start the node begins a new incarnation. ERR_REFUSED (a store is
 * there, a node runs on it), ERR_CORRUPT, -errno, with a note; then the node's directory is as it was. */
MUST_CHECK int restore_store(const char *dir, const struct backup_list *l, const char *node_dir, bool replace,
			     struct progress *p, struct err_note *note);
