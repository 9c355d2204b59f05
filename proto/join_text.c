/* SPDX-License-Identifier: Apache-2.0 */
/* A token as text. It is a secret that people carry from one machine to another by hand: small letters and
 * digits only, so no shell and no mail changes it, and a check that tells a slip from a foreign token. */
#include <ctype.h>

#include "proto/hash.h"
#include "proto/join.h"

enum { CHECK_BYTES = 4, BITS = 5, TOKEN_BYTES_MAX = JOIN_TEXT_MAX * BITS / 8 };

static const char begin[] = "holon-join-1-";
static const char alphabet[] = "abcdefghijklmnopqrstuvwxyz234567";

static void check_of(struct bytes token, uint8_t ret[CHECK_BYTES])
{
	const uint64_t sum = hash64("holon/token", token, (struct bytes){NULL, 0});

	for (int i = 0; i < CHECK_BYTES; i++)
		ret[i] = (uint8_t)(sum >> 8 * i);
}

static void put_base32(struct bytes in, struct buf *out)
{
	unsigned held = 0, n = 0;

	for (size_t i = 0; i < in.len; i++) {
		held = held << 8 | in.data[i];
		for (n += 8; n >= BITS; n -= BITS)
			buf_put_u8(out, (uint8_t)alphabet[held >> (n - BITS) & 31]);
		held &= 255;
	}
	if (n > 0)
		buf_put_u8(out, (uint8_t)alphabet[held << (BITS - n) & 31]);
}

void join_token_print(const struct join_token *t, struct buf *out)
{
	SCOPED(buf_fini) struct buf b = {0};
	uint8_t check[CHECK_BYTES];

	join_token_encode(t, &b);
	check_of(buf_bytes(&b), check);
	buf_put(&b, (struct bytes){check, sizeof check});
	buf_put_text(out, begin);
	put_base32(buf_bytes(&b), out);
	out->failed = out->failed || b.failed;
}

/* The letters and digits of base32 as bytes; false: there is another character, or too many. */
static bool get_base32(const char *text, uint8_t ret[TOKEN_BYTES_MAX], size_t *ret_len)
{
	unsigned held = 0, n = 0;
	size_t len = 0;

	for (; *text; text++) {
		if (isspace((unsigned char)*text))
			continue;
		const char *at = strchr(alphabet, tolower((unsigned char)*text));
		if (!at || len == TOKEN_BYTES_MAX)
			return false;
		held = (held << BITS | (unsigned)(at - alphabet)) & 0xfff;
		n += BITS;
		if (n >= 8) {
			n -= 8;
			ret[len++] = (uint8_t)(held >> n);
		}
	}
	*ret_len = len;
	return (held & ((1u << n) - 1)) == 0; /* what is left over is zeroes: one text for one token */
}

/* Behind the beginning; NULL: it begins otherwise. */
static const char *behind_begin(const char *text)
{
	while (isspace((unsigned char)*text))
		text++;
	for (const char *p = begin; *p; p++, text++)
		if (tolower((unsigned char)*text) != *p)
			return NULL;
	return text;
}

int join_token_parse(struct arena *a, const char *text, struct join_token *ret, struct err_note *note)
{
	const char *rest = behind_begin(text);
	uint8_t check[CHECK_BYTES], *bytes = arena_take(a, TOKEN_BYTES_MAX);
	size_t len = 0;

	if (!bytes)
		return FAIL(-ENOMEM);
	if (!rest)
		return FAIL_SAY(note, ERR_MALFORMED, "this is not a token: one begins with %s", begin);
	if (!get_base32(rest, bytes, &len) || len <= CHECK_BYTES)
		return FAIL_SAY(note, ERR_MALFORMED, "the token is mistyped or cut: copy it again, whole");
	len -= CHECK_BYTES;
	check_of((struct bytes){bytes, len}, check);
	if (memcmp(check, bytes + len, sizeof check) != 0)
		return FAIL_SAY(note, ERR_MALFORMED, "the token is mistyped or cut: copy it again, whole");
	const int r = join_token_decode(a, (struct bytes){bytes, len}, ret);
	return r == ERR_MALFORMED
		       ? FAIL_SAY(note, r, "the token was made by another version: ask for one of this one")
		       : r;
}
