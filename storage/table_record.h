/* SPDX-License-Identifier: Apache-2.0 */
/* The stored form of the table from inside: what table_record.c and table_record_twin.c share. */
#pragma once

#include "storage/table.h"

enum {
	RECORD_TYPE = 'T',
	RECORD_TWIN = 't',
	RECORD_ROWS = 's',
	RECORD_VALUES = 'v',
	RECORD_EDGE = 'r',
	RECORD_MEMBER = 'm',
};

struct encoder {
	struct changeset *to;
	struct buf key, value;
};

/* Begin a record: its key begins with the kind. Then fill key and value, and put it. */
void record_begin(struct encoder *e, uint8_t kind);
MUST_CHECK int record_put(struct encoder *e);

MUST_CHECK int record_encode_twin(struct encoder *e, const struct own_twin *w);
MUST_CHECK int record_encode_rows(struct encoder *e, const struct table *t); /* those that are dirty */

typedef int record_load_fn(struct table *t, struct arena *a, struct bytes key, struct bytes value);
int record_load_twin(struct table *t, struct arena *a, struct bytes key, struct bytes value);
int record_load_rows(struct table *t, struct arena *a, struct bytes key, struct bytes value);

/* After all twins; after all rows. */
MUST_CHECK int record_claim_series(struct table *t);
MUST_CHECK int record_order_rows(struct table *t);
