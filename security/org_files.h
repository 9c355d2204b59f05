/* SPDX-License-Identifier: Apache-2.0 */
/* Org files - directories of organisations and nodes: made whole or not at all, changed by one process at a
 * time.
 *
 *     SCOPED(made_undo) struct made made = {.arena = a};
 *     TRY(made_dir(&made, dir, note));                   on any way out before made_keep() everything
 *     TRY(made_path(&made, dir, "bundle", &path));       registered is removed again, newest first
 *     made_keep(&made);
 */
#pragma once

#include "security/org.h"

enum { MADE_MAX = 10 };

struct made {
	struct arena *arena;
	const char *paths[MADE_MAX];
	size_t n;
};

/* "DIR/NAME" in the arena; NULL without memory. */
const char *path_join(struct arena *a, const char *dir, const char *name);

/* Make a directory that only its owner may enter; one that is there already is fine when nobody else may
 * write in it, and is not registered. */
MUST_CHECK int made_dir(struct made *made, const char *path, struct err_note *note);
/* Register a file about to be written; one that exists already is refused. */
MUST_CHECK int made_path(struct made *made, const char *dir, const char *name, const char **ret,
			 struct err_note *note);
void made_keep(struct made *made);
void made_undo(struct made *made);

/* Wait until no other process changes this directory; until dir_unlock(). */
MUST_CHECK int dir_lock(const char *dir, int *ret_fd, struct err_note *note);
void dir_unlock(const int *fd); /* -1 is fine */

enum { BUNDLE_FILE_MAX = FRAME_OWN_MAX }; /* it must fit into a frame between own nodes */
