/* SPDX-License-Identifier: Apache-2.0 */
/* Packed - many samples of many series in one columnar frame: what clients send, what the log keeps and what
 * reads of many values answer with (DESIGN 4). Little-endian, every column aligned to its items when the
 * frame is aligned to 8.
 *
 *     format (1)  flags (1)  source length (2)  n (4)  text bytes (4)  0 (4)
 *     session (8)  number (8)  incarnation (8)
 *     times      n x 8   nanoseconds since the epoch
 *     values     n x 8   double: IEEE 754 bits; int64; bool: 0, 1; text, enum, position: place in texts
 *     sigmas     n x 8   only with PACKED_SIGMA; NaN: not stated
 *     series     n x 4   handles, see CONTROL_SERIES in proto/control.h
 *     qualities  n x 1   only with PACKED_QUALITY, else all are good; PACKED_ABSENT: there is no value
 *     texts              text: with its NUL; position: three doubles (latitude, longitude, altitude)
 *     source             of every sample in the frame, without NUL; empty: not stated
 *
 * Owner:   a frame is bytes; struct packed is a checked view of them, good as long as they are.
 */
#pragma once

#include "proto/buf.h"
#include "proto/limits.h"
#include "proto/value.h"

enum packed_flag { PACKED_SIGMA = 1, PACKED_QUALITY = 2 };
enum { PACKED_FORMAT = 1, PACKED_HEADER_BYTES = 40, PACKED_SAMPLES_MAX = 65536, PACKED_ABSENT = 0xff };
enum { PACKED_TEXTS_MAX = FRAME_CONTROL_MAX / 2 }; /* bytes: with the columns, a frame fits a request */

struct packed {
	uint32_t n;
	uint8_t flags;
	uint64_t session,
		number; /* of a frame that was sent again: see CONTROL_INGEST; 0: not to be told apart */
	uint64_t incarnation;                                  /* whose handles these are */
	const uint8_t *t_ns, *bits, *sigma, *series, *quality; /* columns; sigma, quality: NULL when absent */
	struct bytes texts, source;
	struct bytes frame; /* all of it */
};

static inline uint64_t packed_u64(const uint8_t *column, size_t i)
{
	uint64_t v;

	memcpy(&v, column + 8 * i, sizeof v);
	return v;
}

static inline uint32_t packed_u32(const uint8_t *column, size_t i)
{
	uint32_t v;

	memcpy(&v, column + 4 * i, sizeof v);
	return v;
}

/* ERR_MALFORMED unless all lengths agree, n is at most PACKED_SAMPLES_MAX, qualities are qualities and the
 * source is UTF-8 of at most SOURCE_MAX bytes. What the values mean is not looked at: that needs the series.
 */
MUST_CHECK int packed_check(struct bytes frame, struct packed *ret);

/* Sample i, of a series of that type. ERR_MALFORMED when its text or position is not in the frame, a text not
 * UTF-8 or too long, a bool neither 0 nor 1. Text points into the frame; source must be given back in
 * `source` (NUL-terminated by the caller; NULL: none). */
MUST_CHECK int packed_sample(const struct packed *p, size_t i, enum value_type type, const char *source,
			     struct sample *ret);

/* A frame being made. Samples whose sources differ do not go into one frame: the writer says PACKED_OTHER. */
struct packed_writer {
	struct buf t_ns, bits, sigma, series, quality, texts;
	char source[SOURCE_MAX + 1];
	bool has_sigma, has_quality;
	uint32_t n, room;   /* samples; room: that the columns have memory for */
	uint32_t last_text; /* where the latest text begins, one up: the next one is often the same */
};
enum { PACKED_FULL = 1, PACKED_OTHER = 2 };
void packed_writer_fini(struct packed_writer *w);
void packed_writer_clear(struct packed_writer *w); /* begin the next frame, keep the memory */
/* 0, PACKED_FULL or PACKED_OTHER (finish this frame first), -ENOMEM, ERR_MALFORMED (the text or the source is
 * too long for any frame); then the frame is as it was. A value of type NONE is an absent one. */
MUST_CHECK int packed_put(struct packed_writer *w, uint32_t series, const struct sample *s);
struct packed_id {
	uint64_t session, number, incarnation;
};
/* Append the frame to `out`. */
MUST_CHECK int packed_finish(const struct packed_writer *w, const struct packed_id *id, struct buf *out);
