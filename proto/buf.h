/* SPDX-License-Identifier: Apache-2.0 */
/* Buf - owned, growing bytes. A failed append is remembered, so a writer checks once, at the end.
 *
 *     SCOPED(buf_fini) struct buf b = {0};
 *     buf_put_u64(&b, seq);
 *     buf_put(&b, payload);
 *     TRY(buf_check(&b));
 */
#pragma once

#include "proto/bytes.h"
#include "proto/err.h"
#include "proto/scope.h"

struct buf {
	uint8_t *data;
	size_t len, size;
	bool failed; /* memory ran out; contents are not to be used */
};

void buf_fini(struct buf *b);  /* frees, leaves an empty buf */
void buf_clear(struct buf *b); /* length 0, forgets a failure, keeps the memory */

void buf_put(struct buf *b, struct bytes bytes);
void buf_put_u8(struct buf *b, uint8_t v);
void buf_put_u32(struct buf *b, uint32_t v);        /* big-endian, so byte order is number order */
void buf_put_u64(struct buf *b, uint64_t v);        /* big-endian */
void buf_put_text(struct buf *b, const char *text); /* without its NUL */
void buf_print(struct buf *b, const char *format, ...) __attribute__((format(printf, 2, 3)));

/* Room for `n` more bytes at the end, to be filled by the caller; NULL (and failed) without memory. */
uint8_t *buf_extend(struct buf *b, size_t n);

MUST_CHECK int buf_check(const struct buf *b); /* -ENOMEM when an append failed */

static inline struct bytes buf_bytes(const struct buf *b)
{
	return (struct bytes){b->data, b->len};
}

/* Big-endian numbers out of bytes the caller has measured. */
static inline uint64_t get_u64(const uint8_t *p)
{
	uint64_t v = 0;

	for (int i = 0; i < 8; i++)
		v = v << 8 | p[i];
	return v;
}

static inline uint32_t get_u32(const uint8_t *p)
{
	return (uint32_t)p[0] << 24 | (uint32_t)p[1] << 16 | (uint32_t)p[2] << 8 | p[3];
}
