/* SPDX-License-Identifier: Apache-2.0 */
/* Frame - what storage does with packed frames besides reading them: it takes refused samples out, and keeps
 * what is not a number as a bad sample. */
#pragma once

#include "proto/limits.h"
#include "proto/packed.h"

/* Append the frame without the samples that are marked (one mark for each). Check the buf's failure. */
void frame_without(const struct packed *frame, const bool *marked, struct buf *out);

/* packed_sample(), with quality bad for NaN and infinity. */
MUST_CHECK int frame_sample(const struct packed *frame, size_t i, enum value_type type, const char *source,
			    struct sample *ret);

/* The source of a frame's samples as text, NULL: not stated. `text` keeps it. */
const char *frame_source(const struct packed *frame, char text[static SOURCE_MAX + 1]);
