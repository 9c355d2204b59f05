/* SPDX-License-Identifier: Apache-2.0 */
#include "security/sign.h"

#include <criterion/criterion.h>
#include <criterion/new/assert.h>
#include <sodium.h>

#include "tests/lib/must.h"

static struct sign_key *key;
static struct secret32 *secret;

static void begin(void)
{
	static const uint8_t seed[32] = {1, 2, 3};

	must(keys_init() == 0);
	must(sign_key_from_seed(&key, seed) == 0);
	must(secret32_new(&secret) == 0);
}

static void end(void)
{
	sign_key_free(key);
	secret32_free(secret);
	key = NULL;
	secret = NULL;
}

TestSuite(sign, .init = begin, .fini = end);

static struct signed_blob make(struct bytes payload)
{
	struct signed_blob s;

	sign_blob(key, SIGN_HEAD, payload, &s);
	return s;
}

Test(sign, a_signature_holds)
{
	const struct signed_blob s = make(BYTES("the payload"));
	const struct public_key public = sign_key_public(key);

	cr_expect(sign_verify(SIGN_HEAD, &s));
	cr_expect(memcmp(s.key.b, public.b, sizeof public.b) == 0);
	cr_expect(bytes_equal(s.payload, BYTES("the payload")));
}

Test(sign, an_empty_payload_can_be_signed)
{
	const struct signed_blob s = make((struct bytes){NULL, 0});

	cr_expect(sign_verify(SIGN_HEAD, &s));
	cr_expect(not(sign_verify(SIGN_ROWS, &s)));
}

Test(sign, a_megabyte_can_be_signed)
{
	uint8_t *data = calloc(1, 1 << 20);

	must(data);
	const struct signed_blob s = make((struct bytes){data, 1 << 20});
	cr_expect(sign_verify(SIGN_HEAD, &s));
	data[(1 << 20) - 1] = 1;
	cr_expect(not(sign_verify(SIGN_HEAD, &s)));
	free(data);
}

/* The same key and bytes must give this signature in every version, or meshes fall apart. */
Test(sign, signatures_stay_what_they_are)
{
	const struct signed_blob s = make(BYTES("the payload"));
	char hex[129];

	sodium_bin2hex(hex, sizeof hex, s.signature, sizeof s.signature);
	cr_expect_str_eq(hex,
			 "372f9fd22edd8746e42080a9602271913bc7761126c5b039fde9f381e268f507"
			 "6fd13b8cdc0afd0a571594905bfbfa3d8e960306a895f960543c6d60b670bf04");
}

Test(sign, a_signature_of_one_kind_is_none_of_another)
{
	static const char *const others[] = {SIGN_MANIFEST,  SIGN_CREDENTIAL, SIGN_POLICY, SIGN_ROWS, "",
					     "holon/head/v", "holon/head/v11"};
	const struct signed_blob s = make(BYTES("the payload"));

	for (size_t i = 0; i < sizeof others / sizeof *others; i++)
		cr_expect(not(sign_verify(others[i], &s)), "%s", others[i]);
}

Test(sign, context_and_payload_do_not_run_together)
{
	struct signed_blob s;

	sign_blob(key, "ab", BYTES("c"), &s);
	s.payload = BYTES("bc");
	cr_expect(not(sign_verify("a", &s)));
	s.payload = BYTES("\0c");
	cr_expect(not(sign_verify("ab", &s)));
}

Test(sign, every_changed_byte_is_noticed)
{
	uint8_t payload[] = "the payload";
	struct signed_blob s = make((struct bytes){payload, sizeof payload});

	for (size_t i = 0; i < sizeof payload; i++) {
		payload[i] ^= 1;
		cr_expect(not(sign_verify(SIGN_HEAD, &s)), "payload %zu", i);
		payload[i] ^= 1;
	}
	for (size_t i = 0; i < sizeof s.signature; i++) {
		s.signature[i] ^= 0x80;
		cr_expect(not(sign_verify(SIGN_HEAD, &s)), "signature %zu", i);
		s.signature[i] ^= 0x80;
	}
	for (size_t i = 0; i < sizeof s.key.b; i++) {
		s.key.b[i] ^= 1;
		cr_expect(not(sign_verify(SIGN_HEAD, &s)), "key %zu", i);
		s.key.b[i] ^= 1;
	}
	cr_expect(sign_verify(SIGN_HEAD, &s));
}

Test(sign, a_shorter_or_longer_payload_is_noticed)
{
	struct signed_blob s = make(BYTES("the payload"));

	s.payload.len--;
	cr_expect(not(sign_verify(SIGN_HEAD, &s)));
	s.payload.len += 2;
	cr_expect(not(sign_verify(SIGN_HEAD, &s)));
}

/* Under a key of small order one signature fits every payload. */
Test(sign, weak_keys_sign_nothing)
{
	struct signed_blob s = {.payload = BYTES("anything")};

	cr_expect(not(sign_verify(SIGN_HEAD, &s)));
	s.key.b[0] = s.signature[0] = 1; /* the neutral element, with S = 0 */
	cr_expect(not(sign_verify(SIGN_HEAD, &s)));
}

static const struct bytes use = {(const uint8_t *)"cursor bolt", 11};

Test(sign, what_was_sealed_comes_back)
{
	SCOPED(buf_fini) struct buf b = {0};
	uint8_t plain[16];
	size_t len;

	buf_put_text(&b, "in front:");
	seal(secret, use, BYTES("seq 42"), &b);
	cr_assert(eq(int, buf_check(&b), 0));
	cr_expect(eq(sz, b.len, 9 + 6 + SEAL_OVERHEAD));
	cr_assert(eq(int,
		     unseal(secret, use, (struct bytes){b.data + 9, b.len - 9}, plain, sizeof plain, &len),
		     0));
	cr_expect(bytes_equal((struct bytes){plain, len}, BYTES("seq 42")));
}

Test(sign, nothing_can_be_sealed)
{
	SCOPED(buf_fini) struct buf b = {0};
	uint8_t plain[1];
	size_t len = 7;

	seal(secret, (struct bytes){NULL, 0}, (struct bytes){NULL, 0}, &b);
	cr_assert(eq(int, unseal(secret, (struct bytes){NULL, 0}, buf_bytes(&b), plain, 0, &len), 0));
	cr_expect(eq(sz, len, 0));
}

Test(sign, the_same_plain_bytes_look_different_each_time)
{
	SCOPED(buf_fini) struct buf a = {0}, b = {0};

	seal(secret, use, BYTES("seq 42"), &a);
	seal(secret, use, BYTES("seq 42"), &b);
	cr_expect(not(bytes_equal(buf_bytes(&a), buf_bytes(&b))));
}

Test(sign, a_token_opens_only_with_its_key_for_its_use)
{
	SCOPED(buf_fini) struct buf b = {0};
	SCOPED(scope_secret32) struct secret32 *other = NULL;
	uint8_t plain[16];
	size_t len;

	must(secret32_new(&other) == 0);
	seal(secret, use, BYTES("seq 42"), &b);
	cr_expect(eq(int, unseal(other, use, buf_bytes(&b), plain, sizeof plain, &len), ERR_UNTRUSTED));
	cr_expect(eq(int, unseal(secret, BYTES("cursor volt"), buf_bytes(&b), plain, sizeof plain, &len),
		     ERR_UNTRUSTED));
}

Test(sign, a_changed_cut_or_long_token_does_not_open)
{
	SCOPED(buf_fini) struct buf b = {0};
	uint8_t plain[16];
	size_t len;

	seal(secret, use, BYTES("seq 42"), &b);
	for (size_t i = 0; i < b.len; i++) {
		b.data[i] ^= 1;
		cr_expect(eq(int, unseal(secret, use, buf_bytes(&b), plain, sizeof plain, &len),
			     ERR_UNTRUSTED));
		b.data[i] ^= 1;
		cr_expect(eq(int, unseal(secret, use, (struct bytes){b.data, i}, plain, sizeof plain, &len),
			     ERR_UNTRUSTED));
	}
	cr_expect(eq(int, unseal(secret, use, buf_bytes(&b), plain, 5, &len), ERR_UNTRUSTED),
		  "too small a buffer");
	cr_expect(eq(int, unseal(secret, use, buf_bytes(&b), plain, 6, &len), 0));
}
