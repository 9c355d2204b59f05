/* SPDX-License-Identifier: Apache-2.0 */
#include "proto/audit.h"

#include <criterion/criterion.h>
#include <criterion/new/assert.h>

#include "tests/lib/must.h"

static struct arena *arena;

static void begin(void)
{
	must(arena_new(&arena, 1 << 20) == 0);
}

static void end(void)
{
	arena_free(arena);
	arena = NULL;
}

TestSuite(audit, .init = begin, .fini = end);

static const struct audit_entry whole = {
	.kind = AUDIT_READ,
	.salt = {0, 1, 2, 3, 0xff},
	.time_ns = 1700000000123456789,
	.count = 300,
	.person = "uid 1000",
	.node = "n1",
	.org = "acme",
	.subject = "read",
	.partner = "bolt",
	.rule = "line 3 \xc3\xbc"
		"ber bolt",
	.twin = "acme/line3/press7",
	.property = "state/temperature",
	.text = "more",
};

static struct buf encode(const struct audit_entry *e)
{
	struct buf b = {0};

	audit_entry_encode(e, &b);
	must(buf_check(&b) == 0);
	return b;
}

Test(audit, an_entry_comes_back_as_it_went)
{
	SCOPED(buf_fini) struct buf b = encode(&whole);
	struct audit_entry e;

	cr_assert(eq(int, audit_entry_decode(arena, buf_bytes(&b), &e), 0));
	cr_expect(eq(int, e.kind, AUDIT_READ));
	cr_expect(eq(i64, e.time_ns, whole.time_ns));
	cr_expect(eq(u64, e.count, 300));
	cr_expect(not(e.is_plain));
	cr_expect(eq(int, memcmp(e.salt, whole.salt, AUDIT_SALT_BYTES), 0));
#define X(name, max) cr_expect(strcmp(e.name, whole.name) == 0);
	AUDIT_TEXTS(X)
#undef X
}

Test(audit, what_is_empty_takes_no_place)
{
	SCOPED(buf_fini) struct buf b = encode(&(struct audit_entry){.kind = AUDIT_KICK, .org = ""});
	struct audit_entry e;

	cr_expect(eq(sz, b.len, 27));
	cr_assert(eq(int, audit_entry_decode(arena, buf_bytes(&b), &e), 0));
	cr_expect(strcmp(e.twin, "") == 0);
}

Test(audit, entries_of_before_there_were_salts_are_read)
{
	const struct bytes old =
		BYTES("\x01\x0atttttttt\x03\x04\x04"
		      "bolt");
	SCOPED(buf_fini) struct buf again = {0};
	struct audit_entry e;

	cr_assert(eq(int, audit_entry_decode(arena, old, &e), 0));
	cr_expect(e.is_plain && e.kind == AUDIT_READ && e.count == 3);
	cr_expect(strcmp(e.partner, "bolt") == 0);
	audit_entry_encode(&e, &again);
	cr_expect(bytes_equal(buf_bytes(&again), old));
}

Test(audit, every_kind_has_its_word)
{
	enum audit_kind kind;

	for (int i = 0; i < N_AUDIT_KINDS; i++) {
		cr_expect(audit_kind_parse(audit_kind_text((enum audit_kind)i), &kind));
		cr_expect(eq(int, kind, i));
	}
	cr_expect(not(audit_kind_parse("gossip", &kind)));
}

Test(audit, long_and_foul_texts_are_cut_and_mended)
{
	SCOPED(buf_fini) struct buf b = {0};
	char person[300], node[70], text[3000];
	struct audit_entry e;

	memset(person, 'p', sizeof person);
	person[126] = '\xc3', person[127] = '\xbc'; /* the letter that does not fit whole */
	person[299] = '\0';
	memset(text, '\xff', sizeof text);
	text[2999] = '\0';
	memset(node, '\xbf', sizeof node); /* no letter begins anywhere */
	node[69] = '\0';
	audit_entry_encode(&(struct audit_entry){.person = person, .node = node, .text = text}, &b);
	cr_assert(eq(int, audit_entry_decode(arena, buf_bytes(&b), &e), 0));
	cr_expect(eq(sz, strlen(e.person), 126));
	cr_expect(strcmp(e.node, "") == 0);
	cr_expect(eq(sz, strlen(e.text), 1024));
	cr_expect(eq(int, e.text[0], '?'));
}

Test(audit, the_largest_entry_fits_a_record)
{
	static char long_text[2000];
	struct audit_entry e = {.count = UINT64_MAX};

	memset(long_text, 'x', sizeof long_text - 1);
#define X(name, max) e.name = long_text;
	AUDIT_TEXTS(X)
#undef X
	SCOPED(buf_fini) struct buf b = encode(&e);
	cr_expect(le(sz, b.len, AUDIT_ENTRY_MAX));
	cr_expect(eq(int, audit_entry_decode(arena, buf_bytes(&b), &e), 0));
	cr_expect(eq(u64, e.count, UINT64_MAX));
}

Test(audit, every_cut_is_refused_or_the_entry_without_its_last_texts)
{
	SCOPED(buf_fini) struct buf b = encode(&whole);
	struct audit_entry e;

	for (size_t len = 0; len < b.len; len++) {
		const int r = audit_entry_decode(arena, (struct bytes){b.data, len}, &e);
		cr_assert(r == ERR_MALFORMED || (r == 0 && strcmp(e.text, "more") != 0), "%zu bytes", len);
	}
}

Test(audit, another_form_of_the_same_is_refused)
{
	const struct {
		const char *what;
		struct bytes in;
		int code;
	} bad[] = {
		{"an unknown format", BYTES("\x03\x01ttttttttssssssssssssssss\x01"), ERR_VERSION},
		{"a salt that is cut off", BYTES("\x02\x01ttttttttsssssssssssssss"), ERR_MALFORMED},
		{"nothing behind the salt", BYTES("\x02\x01ttttttttssssssssssssssss"), ERR_MALFORMED},
		{"an unknown kind", BYTES("\x01\x7ftttttttt\x01"), ERR_MALFORMED},
		{"a long count", BYTES("\x01\x01tttttttt\x81\x00"), ERR_MALFORMED},
		{"no count", BYTES("\x01\x01tttttttt"), ERR_MALFORMED},
		{"a count of 65 bits", BYTES("\x01\x01tttttttt\xff\xff\xff\xff\xff\xff\xff\xff\xff\x02"),
		 ERR_MALFORMED},
		{"an empty text", BYTES("\x01\x01tttttttt\x01\x00\x00"), ERR_MALFORMED},
		{"texts out of order",
		 BYTES("\x01\x01tttttttt\x01\x01\x01"
		       "a\x00\x01"
		       "b"),
		 ERR_MALFORMED},
		{"a text twice",
		 BYTES("\x01\x01tttttttt\x01\x01\x01"
		       "a\x01\x01"
		       "b"),
		 ERR_MALFORMED},
		{"an unknown text",
		 BYTES("\x01\x01tttttttt\x01\x09\x01"
		       "a"),
		 ERR_MALFORMED},
		{"a NUL in a text", BYTES("\x01\x01tttttttt\x01\x00\x01\x00"), ERR_MALFORMED},
		{"a text that is too long",
		 BYTES("\x01\x01tttttttt\x01\x01\x40"
		       "0123456789012345678901234567890123456789012345678901234567890123"),
		 ERR_MALFORMED},
		{"a text beyond the end",
		 BYTES("\x01\x01tttttttt\x01\x00\x05"
		       "abc"),
		 ERR_MALFORMED},
	};
	struct audit_entry e;

	for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++)
		cr_expect(eq(int, audit_entry_decode(arena, bad[i].in, &e), bad[i].code), "%s", bad[i].what);
}

Test(audit, records_come_back_in_order)
{
	SCOPED(buf_fini) struct buf b = {0};
	struct audit_record r;
	struct bytes rest;

	audit_record_put(AUDIT_RECORD_ENTRY, BYTES("one"), &b);
	audit_record_put(AUDIT_RECORD_CHECKPOINT, BYTES(""), &b);
	rest = buf_bytes(&b);
	cr_assert(eq(int, audit_record_next(&rest, &r), 1));
	cr_expect(r.kind == AUDIT_RECORD_ENTRY && bytes_equal(r.body, BYTES("one")));
	cr_assert(eq(int, audit_record_next(&rest, &r), 1));
	cr_expect(r.kind == AUDIT_RECORD_CHECKPOINT && r.body.len == 0);
	cr_expect(eq(int, audit_record_next(&rest, &r), 0));
	rest = BYTES("x\0\0\0\0");
	cr_expect(eq(int, audit_record_next(&rest, &r), ERR_MALFORMED));
	rest = BYTES("e\0\0\0\5abcd");
	cr_expect(eq(int, audit_record_next(&rest, &r), ERR_MALFORMED));
	rest = BYTES("e\xff\xff\xff\xff");
	cr_expect(eq(int, audit_record_next(&rest, &r), ERR_MALFORMED));
}

Test(audit, a_page_comes_back_as_it_went)
{
	SCOPED(buf_fini) struct buf b = {0};
	struct audit_page p = {.first = 7, .total = 1000, .key = "acme/n1+key", .records = BYTES("rest")}, q;

	audit_page_encode(&p, &b);
	cr_assert(eq(int, audit_page_decode(arena, buf_bytes(&b), &q), 0));
	cr_expect(q.first == 7 && q.total == 1000 && bytes_equal(q.records, p.records));
	cr_expect(strcmp(q.key, "acme/n1+key") == 0);
	for (size_t len = 0; len < 17 + strlen(p.key); len++)
		cr_assert(eq(int, audit_page_decode(arena, (struct bytes){b.data, len}, &q), ERR_MALFORMED));
}
