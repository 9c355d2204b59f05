/* SPDX-License-Identifier: Apache-2.0 */
#include "security/checkpoint.h"

#include <sodium.h>
#include <stdio.h>

#include "security/keys_file.h"

enum { ED25519 = 1, HASH_BYTES = 4, SIGNED_BYTES = HASH_BYTES + SIGNATURE_BYTES, BASE64_SIZE = 128 };

static const int base64 = sodium_base64_VARIANT_ORIGINAL;
static const char dash[] = "\xe2\x80\x94 "; /* before the name of who signs */

struct checkpoint_key checkpoint_key_of(const char *org, const char *node, const struct public_key *key)
{
	struct checkpoint_key k = {.key = *key};

	snprintf(k.origin, sizeof k.origin, "%s/%s/audit", org, node);
	return k;
}

static void key_hash(const struct checkpoint_key *k, uint8_t ret[HASH_BYTES])
{
	static const uint8_t separator[2] = {'\n', ED25519};
	uint8_t h[crypto_hash_sha256_BYTES];
	crypto_hash_sha256_state state;

	crypto_hash_sha256_init(&state);
	crypto_hash_sha256_update(&state, (const uint8_t *)k->origin, strlen(k->origin));
	crypto_hash_sha256_update(&state, separator, sizeof separator);
	crypto_hash_sha256_update(&state, k->key.b, KEY_BYTES);
	crypto_hash_sha256_final(&state, h);
	memcpy(ret, h, HASH_BYTES);
}

void checkpoint_key_text(const struct checkpoint_key *k, char ret[CHECKPOINT_KEY_SIZE])
{
	char key[64], hash_text[2 * HASH_BYTES + 1];
	uint8_t hash[HASH_BYTES], typed[1 + KEY_BYTES] = {ED25519};

	key_hash(k, hash);
	memcpy(typed + 1, k->key.b, KEY_BYTES);
	sodium_bin2hex(hash_text, sizeof hash_text, hash, sizeof hash);
	sodium_bin2base64(key, sizeof key, typed, sizeof typed, base64);
	snprintf(ret, CHECKPOINT_KEY_SIZE, "%s+%s+%s", k->origin, hash_text, key);
}

int checkpoint_key_parse(const char *text, struct checkpoint_key *ret)
{
	const size_t n = strcspn(text, "+");
	uint8_t typed[1 + KEY_BYTES];
	char again[CHECKPOINT_KEY_SIZE];
	struct checkpoint_key k = {0};
	size_t len;

	if (n == 0 || n >= sizeof k.origin || strcspn(text, " \n") < n || !text[n])
		return FAIL(ERR_MALFORMED);
	memcpy(k.origin, text, n);
	const char *key = strchr(text + n + 1, '+');
	if (!key ||
	    sodium_base642bin(typed, sizeof typed, key + 1, strlen(key + 1), NULL, &len, NULL, base64) != 0 ||
	    len != sizeof typed || typed[0] != ED25519)
		return FAIL(ERR_MALFORMED);
	memcpy(k.key.b, typed + 1, KEY_BYTES);
	checkpoint_key_text(&k, again); /* the hash is right, and there is one form only */
	if (strcmp(again, text) != 0)
		return FAIL(ERR_MALFORMED);
	*ret = k;
	return 0;
}

/* ---- Signed notes ----------------------------------------------------------------------------------------
 */

void note_sign(const struct sign_key *secret, const struct checkpoint_key *k, struct bytes text,
	       struct buf *out)
{
	uint8_t signature[SIGNED_BYTES];
	char line[BASE64_SIZE];

	key_hash(k, signature);
	crypto_sign_detached(signature + HASH_BYTES, NULL, text.data, text.len, sign_key_secret(secret));
	sodium_bin2base64(line, sizeof line, signature, sizeof signature, base64);
	buf_put(out, text);
	buf_print(out, "\n%s%s %s\n", dash, k->origin, line);
}

/* The signature of this key in a line of signatures; ERR_UNTRUSTED when it is one of another. */
static int signature_in(const struct checkpoint_key *k, struct bytes line, uint8_t ret[SIGNED_BYTES])
{
	char begin[sizeof dash + CHECKPOINT_ORIGIN_SIZE + 1];
	uint8_t hash[HASH_BYTES];
	size_t len;

	const int n = snprintf(begin, sizeof begin, "%s%s ", dash, k->origin);
	if (!bytes_start_with(line, bytes_of_text(dash)))
		return FAIL(ERR_MALFORMED);
	if (!bytes_start_with(line, bytes_of_text(begin)))
		return FAIL(ERR_UNTRUSTED);
	if (sodium_base642bin(ret, SIGNED_BYTES, (const char *)line.data + n, line.len - (size_t)n, NULL,
			      &len, NULL, base64) != 0 ||
	    len != SIGNED_BYTES)
		return FAIL(ERR_MALFORMED);
	key_hash(k, hash);
	return memcmp(hash, ret, HASH_BYTES) == 0 ? 0 : FAIL(ERR_UNTRUSTED);
}

/* Where the signatures begin: behind the last empty line. 0: there is none. */
static size_t text_end(struct bytes note)
{
	for (size_t i = note.len; i > 2; i--)
		if (note.data[i - 1] == '\n' && note.data[i - 2] == '\n')
			return i - 1;
	return 0;
}

int note_open(const struct checkpoint_key *k, struct bytes note, struct bytes *ret_text)
{
	const struct bytes text = {note.data, text_end(note)};
	struct bytes rest = {note.data + text.len + 1, note.len - text.len - 1};
	uint8_t signature[SIGNED_BYTES];

	if (text.len == 0 || rest.len == 0 || rest.data[rest.len - 1] != '\n')
		return FAIL(ERR_MALFORMED);
	while (rest.len > 0) { /* witnesses may have signed too */
		const size_t n = (size_t)((const uint8_t *)memchr(rest.data, '\n', rest.len) - rest.data);
		const int r = signature_in(k, (struct bytes){rest.data, n}, signature);
		if (r < 0 && r != ERR_UNTRUSTED)
			return r;
		if (r == 0 &&
		    crypto_sign_verify_detached(signature + HASH_BYTES, text.data, text.len, k->key.b) == 0) {
			*ret_text = text;
			return 0;
		}
		rest = (struct bytes){rest.data + n + 1, rest.len - n - 1};
	}
	return FAIL(ERR_UNTRUSTED);
}

/* ---- Checkpoints -----------------------------------------------------------------------------------------
 */

void checkpoint_sign(const struct sign_key *secret, const struct checkpoint_key *k, uint64_t n,
		     const struct merkle_hash *root, struct buf *out)
{
	char text[CHECKPOINT_MAX], root_text[BASE64_SIZE];

	sodium_bin2base64(root_text, sizeof root_text, root->b, MERKLE_BYTES, base64);
	const int len =
		snprintf(text, sizeof text, "%s\n%llu\n%s\n", k->origin, (unsigned long long)n, root_text);
	note_sign(secret, k, (struct bytes){(uint8_t *)text, (size_t)len}, out);
}

/* A line off the front, without its end. */
static bool take_line(struct bytes *rest, struct bytes *ret)
{
	const uint8_t *end = rest->len > 0 ? memchr(rest->data, '\n', rest->len) : NULL;

	if (!end)
		return false;
	*ret = (struct bytes){rest->data, (size_t)(end - rest->data)};
	*rest = (struct bytes){end + 1, rest->len - ret->len - 1};
	return true;
}

static bool parse_count(struct bytes line, uint64_t *ret)
{
	uint64_t n = 0;

	if (line.len == 0 || (line.data[0] == '0' && line.len > 1))
		return false;
	for (size_t i = 0; i < line.len; i++) {
		const uint8_t digit = (uint8_t)(line.data[i] - '0');
		if (digit > 9 || __builtin_mul_overflow(n, 10, &n) || __builtin_add_overflow(n, digit, &n))
			return false;
	}
	*ret = n;
	return true;
}

int checkpoint_open(const struct checkpoint_key *k, struct bytes text, uint64_t *ret_n,
		    struct merkle_hash *ret_root)
{
	struct bytes rest, origin, count, root;
	struct merkle_hash h;
	uint64_t n;
	size_t len;

	if (text.len > CHECKPOINT_MAX * 8)
		return FAIL(ERR_MALFORMED);
	TRY(note_open(k, text, &rest));
	if (!take_line(&rest, &origin) || !take_line(&rest, &count) || !take_line(&rest, &root) ||
	    !parse_count(count, &n) ||
	    sodium_base642bin(h.b, sizeof h.b, (const char *)root.data, root.len, NULL, &len, NULL, base64) !=
		    0 ||
	    len != sizeof h.b)
		return FAIL(ERR_MALFORMED);
	if (!bytes_equal(origin, bytes_of_text(k->origin)))
		return FAIL(ERR_UNTRUSTED);
	*ret_n = n;
	*ret_root = h;
	return 0;
}
