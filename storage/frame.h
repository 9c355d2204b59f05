/* SPDX-License-Identifier: Apache-2.0 */
/* Frame - what storage does with packed frames besides reading them: it takes refused samples out, keeps what
 * is not a number as a bad sample, and makes a frame small for a log that is to be small:
 *
 *     header of the frame (40), then times, values, sigmas, series as in storage/chunk_number.h, then
 *     qualities, texts and source as in the frame
 */
#pragma once

#include "proto/arena.h"
#include "proto/limits.h"
#include "proto/packed.h"

/* Append the frame without the samples that are marked (one mark for each). Check the buf's failure. */
void frame_without(const struct packed *frame, const bool *marked, struct buf *out);

/* packed_sample(), with quality bad for NaN and infinity. */
MUST_CHECK int frame_sample(const struct packed *frame, size_t i, enum value_type type, const char *source,
			    struct sample *ret);

/* Append the small form. False: it has none (too many samples), nothing is appended. Check the buf's failure.
 */
bool frame_squeeze(const struct packed *frame, struct buf *out);
/* The frame again, in the arena. ERR_CORRUPT, -ENOMEM. */
MUST_CHECK int frame_expand(struct arena *a, struct bytes in, struct bytes *ret);

/* The source of a frame's samples as text, NULL: not stated. `text` keeps it. */
const char *frame_source(const struct packed *frame, char text[static SOURCE_MAX + 1]);
