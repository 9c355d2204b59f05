/* SPDX-License-Identifier: Apache-2.0 */
#include <criterion/criterion.h>
#include <criterion/new/assert.h>
#include <stdio.h>

#include "node/verified.h"
#include "security/keys.h"
#include "security/sign.h"

static struct verified v;
static struct sign_key *key;

static void set_up(void)
{
	cr_assert_eq(keys_init(), 0);
	cr_assert_eq(sign_key_new(&key), 0);
	v = (struct verified){0};
}

static void tear_down(void)
{
	sign_key_free(key);
	key = NULL;
}

TestSuite(verified, .init = set_up, .fini = tear_down);

static struct signed_blob head(const char *text)
{
	struct signed_blob blob;

	sign_blob(key, SIGN_HEAD, bytes_of_text(text), &blob);
	return blob;
}

Test(verified, a_signature_is_computed_once)
{
	const struct signed_blob blob = head("one");

	for (int i = 0; i < 3; i++)
		cr_expect(verified_head(&v, &blob));
	cr_expect_eq(v.n_checked, 1);
}

Test(verified, one_byte_changed_is_another_head)
{
	struct signed_blob blob = head("one");

	cr_expect(verified_head(&v, &blob));
	blob.payload = BYTES("two");
	cr_expect_not(verified_head(&v, &blob));
	blob = head("one");
	((uint8_t *)&blob.signature)[5] ^= 1;
	cr_expect_not(verified_head(&v, &blob));
	blob = head("one");
	blob.key.b[0] ^= 1;
	cr_expect_not(verified_head(&v, &blob));
	cr_expect_not(verified_head(&v, &blob), "what was found bad is not remembered as good");
}

Test(verified, many_take_each_others_places)
{
	char text[16];

	for (int round = 0; round < 2; round++)
		for (int i = 0; i < 2 * VERIFIED_MAX; i++) {
			snprintf(text, sizeof text, "%d", i);
			const struct signed_blob blob = head(text);
			cr_expect(verified_head(&v, &blob));
		}
}

Test(verified, a_signature_is_made_once_and_is_of_these_bytes_and_this_key)
{
	struct signed_blob blob;
	struct sign_key *other;

	for (int i = 0; i < 200; i++) {
		char text[16];
		snprintf(text, sizeof text, "%d", i / 2);
		signed_head(&v, key, bytes_of_text(text), &blob);
		cr_expect(sign_verify(SIGN_HEAD, &blob), "%d", i);
	}
	cr_expect_eq(v.n_made, 100);
	cr_assert_eq(sign_key_new(&other), 0);
	signed_head(&v, other, BYTES("99"), &blob);
	cr_expect(sign_verify(SIGN_HEAD, &blob));
	cr_expect_eq(v.n_made, 101);
	sign_key_free(other);
}
