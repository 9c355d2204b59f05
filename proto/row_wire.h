/* SPDX-License-Identifier: Apache-2.0 */
/* Row wire - private to proto/: a row as protobuf-c and everybody else who writes fields in order encodes it,
 * read in one pass. Rows come by the million; protobuf-c takes five times as long over one.
 */
#pragma once

#include "proto/codec.h"
#include "proto/limits.h"

struct row_space {
	PB(Row) row;
	PB(Kpi) kpis[KPIS_MAX], *kpi_list[KPIS_MAX];
	PB(Sample) samples[KPIS_MAX];
	PB(Position) positions[KPIS_MAX];
	PB(RowParent) parents[PARENTS_MAX], *parent_list[PARENTS_MAX];
	pb_data tags[TAGS_MAX];
	PB(RowAlarm) alarms[ROW_ALARMS_MAX], *alarm_list[ROW_ALARMS_MAX];
};

/* 0: `row` is what protobuf_c_message_unpack() would give, its texts in `a`; ROW_ODD: that is what has to
 * look at it, for fields are unknown, repeated or out of order, or it is broken; -ENOMEM. Nothing is checked
 * that protobuf-c does not check. */
MUST_CHECK int row_unpack(struct arena *a, struct bytes in, struct row_space *ret);
enum { ROW_ODD = 1 };
/* The same, but that texts stay in `in`, where no zero ends them. 0, ROW_ODD. */
MUST_CHECK int row_glance(struct bytes in, struct row_space *ret);
