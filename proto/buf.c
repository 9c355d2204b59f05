/* SPDX-License-Identifier: Apache-2.0 */
#include "proto/buf.h"

#include <stdarg.h>
#include <stdio.h>

void buf_fini(struct buf *b)
{
	free(b->data);
	*b = (struct buf){0};
}

void buf_clear(struct buf *b)
{
	b->len = 0;
	b->failed = false;
}

static bool make_room(struct buf *b, size_t n)
{
	size_t want;

	if (b->failed || __builtin_add_overflow(b->len, n, &want)) {
		b->failed = true;
		return false;
	}
	if (want <= b->size)
		return true;
	size_t size = b->size > want / 2 ? b->size * 2 : want + 64;
	uint8_t *data = realloc(b->data, size);
	if (!data) {
		b->failed = true;
		return false;
	}
	b->data = data;
	b->size = size;
	return true;
}

uint8_t *buf_extend(struct buf *b, size_t n)
{
	if (!make_room(b, n))
		return NULL;
	uint8_t *p = b->data ? b->data + b->len : NULL; /* no bytes asked of an empty buf */
	b->len += n;
	return p;
}

void buf_put(struct buf *b, struct bytes bytes)
{
	uint8_t *p = buf_extend(b, bytes.len);

	if (p && bytes.len > 0)
		memcpy(p, bytes.data, bytes.len);
}

void buf_put_u8(struct buf *b, uint8_t v)
{
	buf_put(b, (struct bytes){&v, 1});
}

void buf_put_u32(struct buf *b, uint32_t v)
{
	const uint8_t be[] = {(uint8_t)(v >> 24), (uint8_t)(v >> 16), (uint8_t)(v >> 8), (uint8_t)v};

	buf_put(b, (struct bytes){be, sizeof be});
}

void buf_put_u64(struct buf *b, uint64_t v)
{
	buf_put_u32(b, (uint32_t)(v >> 32));
	buf_put_u32(b, (uint32_t)v);
}

void buf_put_text(struct buf *b, const char *text)
{
	buf_put(b, bytes_of_text(text));
}

void buf_print(struct buf *b, const char *format, ...)
{
	va_list args, again;

	va_start(args, format);
	va_copy(again, args);
	int n = vsnprintf(NULL, 0, format, args);
	va_end(args);
	if (n >= 0 && make_room(b, (size_t)n + 1)) { /* vsnprintf wants room for the NUL, we do not keep it */
		vsnprintf((char *)b->data + b->len, (size_t)n + 1, format, again);
		b->len += (size_t)n;
	}
	va_end(again);
}

int buf_check(const struct buf *b)
{
	return b->failed ? FAIL(-ENOMEM) : 0;
}
