/* SPDX-License-Identifier: Apache-2.0 */
/* The stored form of the table from inside: what table_record.c and table_record_twin.c share. */
#pragma once

#include "storage/table.h"

enum {
	RECORD_TYPE = 'T',
	RECORD_TWINS = 't',
	RECORD_ROWS = 's',
	RECORD_VALUES = 'v',
	RECORD_EDGE = 'r',
	RECORD_MEMBER = 'm',
};

struct encoder {
	struct changeset *to;
	struct buf key, value;
};
void encoder_fini(struct encoder *e);

/* Begin a record: its key begins with the kind. Then fill key and value, and put it. */
void record_begin(struct encoder *e, uint8_t kind);
MUST_CHECK int record_put(struct encoder *e);

/* Of the twins of one block. */
MUST_CHECK int record_encode_twins(struct encoder *e, const struct table *t, uint32_t block);
MUST_CHECK int record_encode_rows(struct encoder *e, const struct table *t, uint32_t block);

typedef int record_load_fn(struct table *t, struct arena *a, struct bytes key, struct bytes value);
int record_load_twins(struct table *t, struct arena *a, struct bytes key, struct bytes value);
int record_load_rows(struct table *t, struct arena *a, struct bytes key, struct bytes value);

/* Nothing is dirty: all of it was just loaded. */
void table_forget_changes(struct table *t);

/* After all twins; after all rows. */
MUST_CHECK int record_claim_series(struct table *t);
MUST_CHECK int record_order_rows(struct table *t);
MUST_CHECK int record_order_ids(struct table *t); /* table_order.c */
