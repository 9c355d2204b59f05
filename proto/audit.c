/* SPDX-License-Identifier: Apache-2.0 */
#include "proto/audit.h"

#include "proto/words.h"

enum { HEAD_BYTES = 10, PAGE_HEAD_BYTES = 17, KEY_TEXT_MAX = 255 };

static const char *const kind_words[] = {
#define X(name, text) [name] = (text),
	AUDIT_KINDS(X)
#undef X
};

static const struct audit_text {
	size_t offset, max;
} texts[] = {
#define X(name, most) {offsetof(struct audit_entry, name), (most)},
	AUDIT_TEXTS(X)
#undef X
};

const char *audit_kind_text(enum audit_kind kind)
{
	return word_at(kind_words, N_WORDS(kind_words), kind);
}

bool audit_kind_parse(const char *text, enum audit_kind *ret)
{
	const size_t i = word_find(kind_words, N_WORDS(kind_words), text);

	if (i == N_WORDS(kind_words))
		return false;
	*ret = (enum audit_kind)i;
	return true;
}

/* ---- Varints ---------------------------------------------------------------------------------------------
 */

static void put_varint(struct buf *b, uint64_t v)
{
	for (; v >= 0x80; v >>= 7)
		buf_put_u8(b, (uint8_t)(v | 0x80));
	buf_put_u8(b, (uint8_t)v);
}

static int take_varint(struct bytes *rest, uint64_t *ret)
{
	uint64_t v = 0;

	for (size_t i = 0; i < rest->len && i < 10; i++) {
		const uint8_t b = rest->data[i];
		if (i == 9 && b > 1)
			break; /* more than 64 bits */
		v |= (uint64_t)(b & 0x7f) << 7 * i;
		if (b & 0x80)
			continue;
		if (b == 0 && i > 0)
			break; /* longer than needed */
		*rest = (struct bytes){rest->data + i + 1, rest->len - i - 1};
		*ret = v;
		return 0;
	}
	return FAIL(ERR_MALFORMED);
}

/* ---- Entries ---------------------------------------------------------------------------------------------
 */

/* How much of a text fits, with no letter cut through. */
static size_t fitting(const char *text, size_t max)
{
	size_t n = strnlen(text, max + 1);

	if (n <= max)
		return n;
	for (n = max; n > 0 && ((uint8_t)text[n] & 0xc0) == 0x80; n--)
		;
	return n;
}

static void put_text(struct buf *b, size_t place, const char *text)
{
	const size_t n = fitting(text, texts[place].max);
	uint8_t *to;

	buf_put_u8(b, (uint8_t)place);
	put_varint(b, n);
	to = buf_extend(b, n);
	if (!to)
		return;
	memcpy(to, text, n);
	text_mend((char *)to, n);
}

void audit_entry_encode(const struct audit_entry *e, struct buf *out)
{
	buf_put_u8(out, e->is_plain ? AUDIT_FORMAT_PLAIN : AUDIT_FORMAT);
	buf_put_u8(out, (uint8_t)e->kind);
	buf_put_u64(out, (uint64_t)e->time_ns);
	if (!e->is_plain)
		buf_put(out, (struct bytes){e->salt, AUDIT_SALT_BYTES});
	put_varint(out, e->count);
	for (size_t i = 0; i < N_WORDS(texts); i++) {
		const char *text;
		memcpy(&text, (const char *)e + texts[i].offset, sizeof text);
		if (text && text[0] && fitting(text, texts[i].max) > 0)
			put_text(out, i, text);
	}
}

static int take_text(struct arena *a, struct bytes *rest, size_t *ret_place, const char **ret)
{
	uint64_t len;

	const size_t place = rest->data[0];
	*rest = (struct bytes){rest->data + 1, rest->len - 1};
	TRY(take_varint(rest, &len));
	if (place >= N_WORDS(texts) || len == 0 || len > texts[place].max || len > rest->len ||
	    !text_is_clean((struct bytes){rest->data, len}))
		return FAIL(ERR_MALFORMED);
	*ret = arena_text(a, (struct bytes){rest->data, len});
	if (!*ret)
		return FAIL(-ENOMEM);
	*rest = (struct bytes){rest->data + len, rest->len - len};
	*ret_place = place;
	return 0;
}

/* What stands before the texts. */
static int take_head(struct bytes in, struct audit_entry *ret, struct bytes *rest)
{
	if (in.len < HEAD_BYTES)
		return FAIL(ERR_MALFORMED);
	if (in.data[0] != AUDIT_FORMAT_PLAIN && in.data[0] != AUDIT_FORMAT)
		return FAIL(ERR_VERSION);
	if (in.data[1] >= N_AUDIT_KINDS)
		return FAIL(ERR_MALFORMED);
	ret->is_plain = in.data[0] == AUDIT_FORMAT_PLAIN;
	ret->kind = (enum audit_kind)in.data[1];
	ret->time_ns = (int64_t)get_u64(in.data + 2);
	*rest = (struct bytes){in.data + HEAD_BYTES, in.len - HEAD_BYTES};
	if (!ret->is_plain) {
		if (rest->len < AUDIT_SALT_BYTES)
			return FAIL(ERR_MALFORMED);
		memcpy(ret->salt, rest->data, AUDIT_SALT_BYTES);
		*rest = (struct bytes){rest->data + AUDIT_SALT_BYTES, rest->len - AUDIT_SALT_BYTES};
	}
	return take_varint(rest, &ret->count);
}

int audit_entry_decode(struct arena *a, struct bytes in, struct audit_entry *ret)
{
	struct audit_entry e = {0};
	struct bytes rest;
	const char *text = NULL;
	size_t next = 0, place = 0;

	TRY(take_head(in, &e, &rest));
#define X(name, max) e.name = "";
	AUDIT_TEXTS(X)
#undef X
	for (; rest.len > 0; next = place + 1) {
		TRY(take_text(a, &rest, &place, &text));
		if (place < next)
			return FAIL(ERR_MALFORMED);
		memcpy((char *)&e + texts[place].offset, &text, sizeof text);
	}
	*ret = e;
	return 0;
}

/* ---- Records and pages -----------------------------------------------------------------------------------
 */

void audit_record_put(enum audit_record_kind kind, struct bytes body, struct buf *out)
{
	buf_put_u8(out, (uint8_t)kind);
	buf_put_u32(out, (uint32_t)body.len);
	buf_put(out, body);
}

int audit_record_next(struct bytes *rest, struct audit_record *ret)
{
	uint8_t kind;
	size_t len;

	if (rest->len == 0)
		return 0;
	if (rest->len < AUDIT_RECORD_OVERHEAD)
		return FAIL(ERR_MALFORMED);
	kind = rest->data[0];
	len = get_u32(rest->data + 1);
	if (len > AUDIT_RECORD_MAX || len > rest->len - AUDIT_RECORD_OVERHEAD ||
	    (kind != AUDIT_RECORD_ENTRY && kind != AUDIT_RECORD_CHECKPOINT && kind != AUDIT_RECORD_PEAKS))
		return FAIL(ERR_MALFORMED);
	*ret = (struct audit_record){(enum audit_record_kind)kind, {rest->data + AUDIT_RECORD_OVERHEAD, len}};
	*rest = (struct bytes){ret->body.data + len, rest->len - AUDIT_RECORD_OVERHEAD - len};
	return 1;
}

void audit_page_encode(const struct audit_page *p, struct buf *out)
{
	const size_t n = strnlen(p->key, KEY_TEXT_MAX);

	buf_put_u64(out, p->first);
	buf_put_u64(out, p->total);
	buf_put_u8(out, (uint8_t)n);
	buf_put(out, (struct bytes){(const uint8_t *)p->key, n});
	buf_put(out, p->records);
}

int audit_page_decode(struct arena *a, struct bytes in, struct audit_page *ret)
{
	struct audit_page p = {0};
	size_t n;

	if (in.len < PAGE_HEAD_BYTES)
		return FAIL(ERR_MALFORMED);
	n = in.data[PAGE_HEAD_BYTES - 1];
	if (n > in.len - PAGE_HEAD_BYTES)
		return FAIL(ERR_MALFORMED);
	p.first = get_u64(in.data);
	p.total = get_u64(in.data + 8);
	const struct bytes key = {in.data + PAGE_HEAD_BYTES, n};
	if (!text_is_clean(key))
		return FAIL(ERR_MALFORMED);
	p.key = arena_text(a, key);
	if (!p.key)
		return FAIL(-ENOMEM);
	p.records = (struct bytes){key.data + n, in.len - PAGE_HEAD_BYTES - n};
	*ret = p;
	return 0;
}
