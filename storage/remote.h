/* SPDX-License-Identifier: Apache-2.0 */
/* Remote - rows of other origins in memory, as they were received, with the cursor and the fingerprint of
 * each origin. Like the table it is total: a row that does not decode or belongs to another organisation is
 * skipped.
 *
 *     remote/  'o' ORG/NODE:  number, 0, newest stamp, cursor, head, floor (absent in old ones: 0)
 *              'w' id:        number of the origin, 0, encoded row
 *              'M':           number of the last log batch that is in it
 *
 * A row replaces one it is newer than; at the same version the one that came last counts (the policy of a
 * border may show more or less of the same state). Inside the organisation (seq > 0) tombstones are kept, to
 * be handed on, until they are collected; a retraction by a border takes the row away. Rows of a repair are
 * what the origin has now: they count though they be older.
 *
 * Owner:   the store. Threads: the loop's.
 */
#pragma once

#include "proto/map.h"
#include "proto/op.h"
#include "storage/broods.h"
#include "storage/changeset.h"
#include "storage/intern.h"
#include "storage/numbered.h"
#include "storage/ordered.h"
#include "storage/store.h"

struct own_origin {
	struct origin pub;
	struct numbered by_seq; /* own_row with seq > 0 */
	struct numbered graves; /* those that are tombstones */
	struct buf cursor, head;
	uint32_t number; /* stands for the name in the records of the rows */
	bool dirty;
	char name[];
};

struct remote {
	struct map rows;      /* id -> own_row */
	struct ordered by_id; /* the same */
	struct broods children;
	struct ordered origins; /* by name */
	struct intern words;
	uint64_t n_rows; /* without tombstones */
	uint32_t next_number;
	void **dirty; /* own_row, or NULL */
	size_t n_dirty, size_dirty;
	struct changeset changes; /* what is gone since the last checkpoint */
};

void remote_init(struct remote *m);
void remote_fini(struct remote *m);

/* 0 or -ENOMEM (then good for remote_fini() only). */
MUST_CHECK int remote_put_rows(struct remote *m, const struct op_rows *rows);
/* Nothing while a repair goes on: the floor is what its last cursor says. */
MUST_CHECK int remote_collect(struct remote *m, const struct op_collection *c);
MUST_CHECK int remote_drop_org(struct remote *m, const char *org); /* all its origins */

/* Would these rows change nothing at all? ERR_REFUSED with a note when one is not the origin's to speak of.
 */
MUST_CHECK int remote_check(const struct remote *m, const struct op_rows *rows, bool *ret_unchanged,
			    struct err_note *note);

/* ---- Looking: as in store.h -------------------------------------------------------------------------------
 */

const struct origin *remote_origin(const struct remote *m, const char *name);
const struct origin *remote_origin_next(const struct remote *m, const char *after);
uint64_t remote_graves_over(const struct remote *m, const char *origin, const struct graves_kept *kept);
bool remote_has_org(const struct remote *m, const char *org); /* rows or a cursor of any origin of it */
const struct remote_row *remote_row(const struct remote *m, const char *id);
const struct remote_row *remote_change_next(const struct remote *m, const char *origin, uint64_t after_seq);
const struct remote_row *remote_next(const struct remote *m, const char *prefix, const char *after);
size_t remote_rows(const struct remote *m, const char *after, const struct remote_row **ret, size_t room);
const struct remote_row *remote_child_next(const struct remote *m, const char *hierarchy, const char *parent,
					   const struct remote_row *after);

/* ---- Stored form ------------------------------------------------------------------------------------------
 */

/* As table_take_changes() and table_load(). */
MUST_CHECK int remote_take_changes(struct remote *m, struct changeset *ret);
MUST_CHECK int remote_load(struct remote *m, struct env_txn *txn);
