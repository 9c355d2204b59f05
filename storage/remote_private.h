/* SPDX-License-Identifier: Apache-2.0 */
/* What remote.c (rows in memory) and remote_record.c (their stored form) share. */
#pragma once

#include "storage/remote.h"

/* One piece of memory: the row, its parents, its id, its encoded bytes. */
struct own_row {
	struct remote_row pub;
	struct own_origin *origin;
	bool deleted;           /* tombstone */
	uint32_t id_size, room; /* room: for the encoded bytes */
	size_t dirty_at;        /* place in remote.dirty, one up; 0: not dirty */
	size_t n_parents;
	struct parent_ref parents[];
};

MUST_CHECK int origin_get(struct remote *m, const char *name, struct own_origin **ret);
MUST_CHECK int origin_set_bytes(struct buf *to, struct bytes from, struct bytes *ret_view);

/* Make a row of decoded and encoded bytes and put it in place of the one of its id that is held, or NULL. */
MUST_CHECK int row_put(struct remote *m, struct own_origin *origin, struct own_row *held,
		       const struct row *row, struct bytes encoded, struct own_row **ret);
MUST_CHECK int row_mark(struct remote *m, struct own_row *w);
