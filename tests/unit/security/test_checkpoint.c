/* SPDX-License-Identifier: Apache-2.0 */
#include "security/checkpoint.h"

#include <criterion/criterion.h>
#include <criterion/new/assert.h>
#include <sodium.h>

#include "security/audit_check.h"
#include "tests/lib/must.h"

static struct sign_key *secret;
static struct checkpoint_key key;

/* The example in the documentation of the package that signed notes come from. */
static const char peter_secret[] = "AYEKFALVFGyNhPJEMzD1QIDr+Y7hfZx09iUvxdXHKDFz";
static const char peter_key[] = "PeterNeumann+c74f20a3+ARpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TW";
static const char peter_text[] =
	"If you think cryptography is the answer to your problem,\n"
	"then you don't know what your problem is.\n";
static const char peter_note[] =
	"If you think cryptography is the answer to your problem,\n"
	"then you don't know what your problem is.\n\n"
	"\xe2\x80\x94 PeterNeumann "
	"x08go/ZJkuBS9UG/SffcvIAQxVBtiFupLLr8pAcElZInNIuGUgYN1FFYC2pZSNXgKvqfqdngotpRZb6KE6RyyBwJnAM=\n";

static void begin(void)
{
	static const uint8_t seed[32] = {7};

	must(keys_init() == 0);
	must(sign_key_from_seed(&secret, seed) == 0);
	const struct public_key public = sign_key_public(secret);
	key = checkpoint_key_of("acme", "n1", &public);
}

static void end(void)
{
	sign_key_free(secret);
	secret = NULL;
}

TestSuite(checkpoint, .init = begin, .fini = end);

Test(checkpoint, notes_are_those_that_others_sign)
{
	SCOPED(scope_sign_key) struct sign_key *peter = NULL;
	SCOPED(buf_fini) struct buf note = {0};
	struct checkpoint_key k;
	uint8_t typed[33];
	struct bytes text;
	char again[CHECKPOINT_KEY_SIZE];

	must(sodium_base642bin(typed, sizeof typed, peter_secret, strlen(peter_secret), NULL, NULL, NULL,
			       sodium_base64_VARIANT_ORIGINAL) == 0);
	must(sign_key_from_seed(&peter, typed + 1) == 0);
	cr_assert(eq(int, checkpoint_key_parse(peter_key, &k), 0));
	checkpoint_key_text(&k, again);
	cr_expect(strcmp(again, peter_key) == 0);
	note_sign(peter, &k, bytes_of_text(peter_text), &note);
	cr_expect(bytes_equal(buf_bytes(&note), bytes_of_text(peter_note)));
	cr_assert(eq(int, note_open(&k, bytes_of_text(peter_note), &text), 0));
	cr_expect(bytes_equal(text, bytes_of_text(peter_text)));
}

static struct buf make(uint64_t n, const struct merkle_hash *root)
{
	struct buf b = {0};

	checkpoint_sign(secret, &key, n, root, &b);
	must(buf_check(&b) == 0);
	return b;
}

Test(checkpoint, it_comes_back_as_it_was_signed)
{
	const struct merkle_hash root = merkle_leaf(BYTES("x"));
	SCOPED(buf_fini) struct buf b = make(UINT64_MAX, &root);
	struct merkle_hash h;
	uint64_t n;

	cr_expect(bytes_start_with(buf_bytes(&b), BYTES("acme/n1/audit\n18446744073709551615\n")));
	cr_assert(eq(int, checkpoint_open(&key, buf_bytes(&b), &n, &h), 0));
	cr_expect(n == UINT64_MAX && merkle_same(&h, &root));
	buf_print(&b, "%s", "\xe2\x80\x94 bolt/witness AAAA\n");
	cr_expect(eq(int, checkpoint_open(&key, buf_bytes(&b), &n, &h), 0),
		  "a witness below changes nothing");
}

Test(checkpoint, no_byte_of_it_may_change)
{
	const struct merkle_hash root = merkle_leaf(BYTES("x"));
	SCOPED(buf_fini) struct buf b = make(1042, &root);
	struct merkle_hash h;
	uint64_t n;

	for (size_t i = 0; i < b.len; i++) {
		b.data[i] ^= 1;
		cr_assert(lt(int, checkpoint_open(&key, buf_bytes(&b), &n, &h), 0), "byte %zu", i);
		b.data[i] ^= 1;
	}
	for (size_t len = 0; len < b.len; len++)
		cr_assert(lt(int, checkpoint_open(&key, (struct bytes){b.data, len}, &n, &h), 0), "%zu bytes",
			  len);
}

Test(checkpoint, another_key_or_another_origin_is_not_trusted)
{
	const struct merkle_hash root = merkle_leaf(BYTES("x"));
	SCOPED(buf_fini) struct buf b = make(1042, &root), foreign = {0};
	struct checkpoint_key other = key;
	struct merkle_hash h;
	uint64_t n;

	other.key.b[3] ^= 1;
	cr_expect(eq(int, checkpoint_open(&other, buf_bytes(&b), &n, &h), ERR_UNTRUSTED));
	other = checkpoint_key_of("acme", "n2", &key.key);
	cr_expect(eq(int, checkpoint_open(&other, buf_bytes(&b), &n, &h), ERR_UNTRUSTED));
	/* signed by our key as that of acme/n1/audit, but about another log */
	note_sign(secret, &key, BYTES("acme/n2/audit\n1\nAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=\n"),
		  &foreign);
	cr_expect(eq(int, checkpoint_open(&key, buf_bytes(&foreign), &n, &h), ERR_UNTRUSTED));
	buf_fini(&foreign);
}

Test(checkpoint, numbers_and_keys_have_one_form)
{
	const char *const bad[] = {
		"acme/n1/audit\n01\nAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=\n",
		"acme/n1/audit\n18446744073709551616\nAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=\n",
		"acme/n1/audit\n\nAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=\n",
		"acme/n1/audit\n1\nAAAA\n",
		"acme/n1/audit\n1\n",
		"acme/n1/audit\n"};
	struct checkpoint_key k;
	struct merkle_hash h;
	uint64_t n;

	for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
		SCOPED(buf_fini) struct buf b = {0};
		note_sign(secret, &key, bytes_of_text(bad[i]), &b);
		cr_expect(eq(int, checkpoint_open(&key, buf_bytes(&b), &n, &h), ERR_MALFORMED), "%zu", i);
	}
	cr_expect(eq(int, checkpoint_key_parse("", &k), ERR_MALFORMED));
	cr_expect(eq(int, checkpoint_key_parse("name", &k), ERR_MALFORMED));
	cr_expect(eq(int, checkpoint_key_parse("name+c74f20a3", &k), ERR_MALFORMED));
	cr_expect(eq(int,
		     checkpoint_key_parse(
			     "PeterNeumann+c74f20a4+ARpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TW", &k),
		     ERR_MALFORMED));
}

/* ---- The check of a whole audit --------------------------------------------------------------------------
 */

enum { ENTRIES = 100, EVERY = 7 };

/* Entries with a checkpoint after every seventh. `leave_out`, `change`: numbers of entries, or -1. */
static int check(int leave_out, int change, struct err_note *note, struct audit_check *c)
{
	struct merkle tree = {0};

	for (int i = 0; i < ENTRIES; i++) {
		char text[32];
		snprintf(text, sizeof text, "entry %d", i);
		const struct merkle_hash leaf = merkle_leaf(bytes_of_text(text));
		merkle_append(&tree, &leaf);
		if (i == change)
			text[0] = 'E';
		if (i != leave_out)
			TRY(audit_check_record(
				c, &(struct audit_record){AUDIT_RECORD_ENTRY, bytes_of_text(text)}, note));
		if (i % EVERY != EVERY - 1)
			continue;
		const struct merkle_hash root = merkle_root(&tree);
		SCOPED(buf_fini) struct buf b = make(tree.n, &root);
		TRY(audit_check_record(c, &(struct audit_record){AUDIT_RECORD_CHECKPOINT, buf_bytes(&b)},
				       note));
		const struct bytes peaks = {tree.peaks[0].b, merkle_n_peaks(tree.n) * (size_t)MERKLE_BYTES};
		TRY(audit_check_record(c, &(struct audit_record){AUDIT_RECORD_PEAKS, peaks}, note));
	}
	return 0;
}

Test(checkpoint, an_audit_that_nobody_touched_is_whole)
{
	SCOPED(audit_check_fini) struct audit_check c = {.key = key, .keep_leaves = true};
	struct merkle_proof p;

	cr_assert(eq(int, check(-1, -1, NULL, &c), 0));
	cr_expect(c.tree.n == ENTRIES && c.covered == ENTRIES / EVERY * EVERY &&
		  c.n_checkpoints == ENTRIES / EVERY);
	merkle_prove(c.leaves, c.covered, 50, &p);
	const struct merkle_hash leaf = merkle_leaf(BYTES("entry 50"));
	cr_expect(merkle_proves(&p, &leaf, 50, c.covered, &c.root));
}

Test(checkpoint, an_entry_changed_or_missing_under_a_checkpoint_is_found)
{
	for (int i = 0; i < ENTRIES / EVERY * EVERY; i++) {
		SCOPED(audit_check_fini) struct audit_check c = {.key = key}, d = {.key = key};
		struct err_note note = {0};
		cr_assert(eq(int, check(i, -1, &note, &c), ERR_UNTRUSTED), "without %d", i);
		cr_assert(strstr(note.text, "missing") != NULL, "%s", note.text);
		cr_assert(eq(int, check(-1, i, &note, &d), ERR_UNTRUSTED), "with %d changed", i);
		cr_assert(strstr(note.text, "changed") != NULL, "%s", note.text);
	}
}

Test(checkpoint, another_state_of_the_tree_is_found)
{
	SCOPED(audit_check_fini) struct audit_check c = {.key = key};
	const struct merkle_hash wrong = merkle_leaf(BYTES("other"));
	struct err_note note;

	cr_assert(eq(int,
		     audit_check_record(&c, &(struct audit_record){AUDIT_RECORD_ENTRY, BYTES("one")}, &note),
		     0));
	cr_expect(eq(int,
		     audit_check_record(
			     &c, &(struct audit_record){AUDIT_RECORD_PEAKS, {wrong.b, MERKLE_BYTES}}, &note),
		     ERR_UNTRUSTED));
}
