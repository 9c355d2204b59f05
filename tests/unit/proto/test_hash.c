/* SPDX-License-Identifier: Apache-2.0 */
#include <criterion/criterion.h>
#include <criterion/new/assert.h>

#include "proto/buf.h"
#include "proto/hash.h"
#include "proto/row.h"

static bool same(struct hash128 a, struct hash128 b)
{
	return memcmp(a.b, b.b, sizeof a.b) == 0;
}

Test(hash, it_is_blake2b_with_the_domain_as_its_person)
{
	/* python3: hashlib.blake2b(b'acme/press', digest_size=16, person=b'test').hexdigest() */
	static const struct hash128 expected = {{0xdc, 0xff, 0x04, 0x06, 0x2a, 0x6b, 0x76, 0x27, 0x68, 0xa1,
						 0x7d, 0xe7, 0x0d, 0x23, 0x99, 0x3e}};

	cr_expect(same(hash128("test", BYTES("acme/"), BYTES("press")), expected));
	cr_expect(eq(u64, hash64("test", BYTES("acme/press"), BYTES("")), get_u64(expected.b)));
}

Test(hash, domain_and_content_make_a_difference)
{
	const struct hash128 h = hash128("a", BYTES("x"), BYTES("y"));

	cr_expect(same(h, hash128("a", BYTES("xy"), BYTES(""))));
	cr_expect(not(same(h, hash128("b", BYTES("x"), BYTES("y")))));
	cr_expect(not(same(h, hash128("a", BYTES("y"), BYTES("x")))));
	cr_expect(not(
		same(hash128("0123456789abcdef", BYTES(""), BYTES("")), hash128("0", BYTES(""), BYTES("")))));
}

Test(hash, a_fingerprint_is_the_same_in_any_order)
{
	struct hash128 h[5];
	struct fingerprint up = {0}, down = {0};

	for (size_t i = 0; i < 5; i++)
		h[i] = hash128("t", (struct bytes){(const uint8_t *)"abcde" + i, 1}, BYTES(""));
	for (size_t i = 0; i < 5; i++) {
		fingerprint_add(&up, &h[i]);
		fingerprint_add(&down, &h[4 - i]);
	}
	cr_expect(fingerprint_equal(&up, &down));
	cr_expect(eq(u64, up.count, 5));
	down.count++;
	cr_expect(not(fingerprint_equal(&up, &down)));
	down.count--;
	down.sum.b[15] ^= 1;
	cr_expect(not(fingerprint_equal(&up, &down)));
	down.sum.b[15] ^= 1;
	fingerprint_remove(&up, &h[2]);
	cr_expect(not(fingerprint_equal(&up, &down)));
	fingerprint_add(&up, &h[2]);
	cr_expect(fingerprint_equal(&up, &down));
	for (size_t i = 0; i < 5; i++)
		fingerprint_remove(&up, &h[i]);
	cr_expect(fingerprint_equal(&up, &(struct fingerprint){0}));
}

Test(hash, a_fingerprint_carries_through_all_its_bytes)
{
	struct hash128 ones, one = {{0}};
	struct fingerprint f = {0};

	memset(ones.b, 0xff, sizeof ones.b);
	one.b[15] = 1;
	fingerprint_add(&f, &ones);
	fingerprint_add(&f, &one);
	cr_expect(eq(u64, f.count, 2));
	f.count = 0;
	cr_expect(fingerprint_equal(&f, &(struct fingerprint){0}));
	fingerprint_remove(&f, &one);
	cr_expect(same(f.sum, ones));
}

Test(row, the_newer_state_has_the_later_incarnation_or_stamp)
{
	const struct row_version old = {1, 50}, later = {1, 51}, reborn = {2, -5};

	cr_expect(lt(int, row_version_compare(old, later), 0));
	cr_expect(gt(int, row_version_compare(later, old), 0));
	cr_expect(lt(int, row_version_compare(later, reborn), 0));
	cr_expect(eq(int, row_version_compare(old, old), 0));
}

Test(row, everything_that_a_set_must_notice_is_in_its_hash)
{
	const struct hash128 h = row_hash("acme/a", (struct row_version){1, 50}, 3);

	cr_expect(same(h, row_hash("acme/a", (struct row_version){1, 50}, 3)));
	cr_expect(not(same(h, row_hash("acme/b", (struct row_version){1, 50}, 3))));
	cr_expect(not(same(h, row_hash("acme/a", (struct row_version){2, 50}, 3))));
	cr_expect(not(same(h, row_hash("acme/a", (struct row_version){1, 51}, 3))));
	cr_expect(not(same(h, row_hash("acme/a", (struct row_version){1, 50}, 4))));
	/* the layout is part of the protocol: id, then big-endian lineage, stamp and mask */
	cr_expect(same(h, hash128("row", BYTES("acme/a"), BYTES("\0\0\0\1\0\0\0\0\0\0\0\x32\0\0\0\3"))));
}

Test(row, a_kpi_is_found_by_its_property)
{
	struct kpi kpis[] = {{.property = "a"}, {.property = "b"}};
	const struct row r = {.kpis = kpis, .n_kpis = 2};

	cr_expect(row_kpi(&r, "b") == &kpis[1]);
	cr_expect(row_kpi(&r, "c") == NULL);
}

Test(row, of_a_row_that_crossed_a_border_the_mask_speaks_for_the_content)
{
	const uint32_t mask = ROW_MASK_DISCOVER | 3;
	const struct hash128 h = row_hash("acme/a", (struct row_version){1, 50}, mask),
			     all = row_hash("acme/a", (struct row_version){1, 50}, ROW_MASK_ALL);

	cr_expect(same(h, row_hash("acme/a", (struct row_version){2, 60}, mask)));
	cr_expect(not(same(h, row_hash("acme/a", (struct row_version){1, 50}, mask + 1))));
	cr_expect(not(same(all, row_hash("acme/a", (struct row_version){1, 51}, ROW_MASK_ALL))));
}

Test(hash, pieces_make_the_same_hash_as_the_whole)
{
	/* python3: hashlib.blake2b(b'abc', digest_size=32).hexdigest() begins bddd813c */
	struct hash256_run run;
	struct hash256 h;

	hash256_begin(&run);
	hash256_add(&run, BYTES("a"));
	hash256_add(&run, BYTES(""));
	hash256_add(&run, BYTES("bc"));
	h = hash256_end(&run);
	cr_expect(eq(u8, h.b[0], 0xbd));
	cr_expect(eq(u8, h.b[1], 0xdd));
	cr_expect(eq(u8, h.b[2], 0x81));
	cr_expect(eq(u8, h.b[3], 0x3c));
}
