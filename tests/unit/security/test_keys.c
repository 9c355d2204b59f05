/* SPDX-License-Identifier: Apache-2.0 */
#include "security/keys.h"

#include <criterion/criterion.h>
#include <criterion/new/assert.h>
#include <dirent.h>
#include <fcntl.h>
#include <limits.h>
#include <signal.h>
#include <sodium.h>
#include <stdio.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include "proto/hash.h"
#include "tests/lib/must.h"
#include "tests/lib/tmpdir.h"

static char path[PATH_MAX];
static const char *dir;
static struct err_note note;
static struct arena *arena;

static const uint8_t seed[32] = {
	0x9d, 0x61, 0xb1, 0x9d, 0xef, 0xfd, 0x5a, 0x60, 0xba, 0x84, 0x4a, 0xf4, 0x92, 0xec, 0x2c, 0xc4,
	0x44, 0x49, 0xc5, 0x69, 0x7b, 0x32, 0x69, 0x19, 0x70, 0x3b, 0xac, 0x03, 0x1c, 0xae, 0x7f, 0x60,
};

static void begin(void)
{
	must(keys_init() == 0);
	must(arena_new(&arena, 1 << 20) == 0);
	dir = tmpdir_make();
	must(dir);
	snprintf(path, sizeof path, "%s/x.key", dir);
}

static void end(void)
{
	arena_free(arena);
	arena = NULL;
	tmpdir_remove();
}

TestSuite(keys, .init = begin, .fini = end);

static bool says(const char *words)
{
	return strstr(note.text, words) != NULL;
}

static struct bytes content(void)
{
	struct bytes b;

	must(file_read(arena, path, 4096, &b, NULL) == 0);
	return b;
}

/* Put any bytes where a key should be, with the mode a key has. */
static void plant(struct bytes b)
{
	must(file_write(path, b, true, NULL) == 0);
}

static void save_signing_key(void)
{
	SCOPED(scope_sign_key) struct sign_key *k = NULL;

	must(sign_key_from_seed(&k, seed) == 0);
	must(sign_key_save(k, path, NULL) == 0);
}

static int load_signing_key(void)
{
	SCOPED(scope_sign_key) struct sign_key *k = NULL;

	note.text[0] = '\0';
	return sign_key_load(&k, path, &note);
}

/* RFC 8032, 7.1, test 1. */
Test(keys, a_seed_gives_the_public_key_of_the_standard)
{
	SCOPED(scope_sign_key) struct sign_key *k = NULL;
	char hex[65];

	cr_assert(eq(int, sign_key_from_seed(&k, seed), 0));
	sodium_bin2hex(hex, sizeof hex, sign_key_public(k).b, 32);
	cr_expect_str_eq(hex, "d75a980182b10ab7d54bfed3c964073a0ee172f3daa62325af021a68f707511a");
}

Test(keys, a_signing_key_comes_back_from_its_file)
{
	SCOPED(scope_sign_key) struct sign_key *a = NULL, *b = NULL;

	cr_assert(eq(int, sign_key_new(&a), 0));
	cr_assert(eq(int, sign_key_save(a, path, &note), 0), "%s", note.text);
	cr_assert(eq(int, sign_key_load(&b, path, &note), 0), "%s", note.text);
	const struct public_key pa = sign_key_public(a), pb = sign_key_public(b);
	cr_expect(memcmp(pa.b, pb.b, sizeof pa.b) == 0);
}

Test(keys, a_curve_pair_comes_back_from_its_file)
{
	SCOPED(scope_curve_pair) struct curve_pair *a = NULL, *b = NULL;

	cr_assert(eq(int, curve_pair_new(&a), 0));
	cr_assert(eq(int, curve_pair_save(a, path, &note), 0), "%s", note.text);
	cr_assert(eq(int, curve_pair_load(&b, path, &note), 0), "%s", note.text);
	const struct curve_key pa = curve_pair_public(a), pb = curve_pair_public(b);
	cr_expect(memcmp(pa.b, pb.b, sizeof pa.b) == 0);
	cr_expect(memcmp(curve_pair_secret(a), curve_pair_secret(b), 32) == 0);
}

Test(keys, the_halves_of_a_curve_pair_open_boxes_for_each_other)
{
	SCOPED(scope_curve_pair) struct curve_pair *k = NULL;
	uint8_t box[crypto_box_SEALBYTES + 2], plain[2];

	cr_assert(eq(int, curve_pair_new(&k), 0));
	const struct curve_key public = curve_pair_public(k);
	crypto_box_seal(box, (const uint8_t *)"hi", 2, public.b);
	cr_expect(eq(int, crypto_box_seal_open(plain, box, sizeof box, public.b, curve_pair_secret(k)), 0));
	cr_expect(memcmp(plain, "hi", 2) == 0);
}

Test(keys, a_sealing_key_comes_back_from_its_file)
{
	SCOPED(scope_secret32) struct secret32 *a = NULL, *b = NULL;

	cr_assert(eq(int, secret32_new(&a), 0));
	cr_assert(eq(int, secret32_save(a, path, &note), 0), "%s", note.text);
	cr_assert(eq(int, secret32_load(&b, path, &note), 0), "%s", note.text);
	cr_expect(memcmp(secret32_bytes(a), secret32_bytes(b), 32) == 0);
}

Test(keys, new_keys_differ)
{
	SCOPED(scope_secret32) struct secret32 *a = NULL, *b = NULL;

	cr_assert(eq(int, secret32_new(&a), 0));
	cr_assert(eq(int, secret32_new(&b), 0));
	cr_expect(memcmp(secret32_bytes(a), secret32_bytes(b), 32) != 0);
}

Test(keys, a_key_of_another_kind_is_refused_by_name)
{
	SCOPED(scope_curve_pair) struct curve_pair *curve = NULL;
	SCOPED(scope_sign_key) struct sign_key *root = NULL;
	SCOPED(scope_secret32) struct secret32 *sealing = NULL;

	save_signing_key();
	cr_expect(eq(int, curve_pair_load(&curve, path, &note), ERR_MALFORMED));
	cr_expect(says("/x.key is not a curve key"), "%s", note.text);
	cr_expect(eq(int, secret32_load(&sealing, path, &note), ERR_MALFORMED));
	cr_expect(says("is not a sealing key"), "%s", note.text);
	cr_expect(eq(int, root_key_load(&root, path, BYTES("secret"), &note), ERR_MALFORMED));
	cr_expect(says("is not a sealed root key"), "%s", note.text);
}

Test(keys, every_changed_byte_is_noticed)
{
	save_signing_key();
	const struct bytes whole = content();
	for (size_t i = 0; i < whole.len; i++) {
		uint8_t *changed = arena_take(arena, whole.len);
		memcpy(changed, whole.data, whole.len);
		changed[i] ^= 0x20;
		plant((struct bytes){changed, whole.len});
		const int r = load_signing_key();
		cr_expect(r == ERR_MALFORMED || r == ERR_CORRUPT, "byte %zu: %d", i, r);
		cr_expect(says("is not a signing key") || says("is damaged"), "byte %zu: %s", i, note.text);
	}
}

Test(keys, a_key_cut_short_or_grown_is_noticed)
{
	save_signing_key();
	const struct bytes whole = content();
	uint8_t *longer = arena_take(arena, whole.len + 300);
	memcpy(longer, whole.data, whole.len);
	for (size_t len = 0; len <= whole.len + 300; len += len < whole.len + 2 ? 1 : 298) {
		plant((struct bytes){longer, len});
		const int r = load_signing_key();
		cr_expect(len == whole.len ? r == 0 : r == ERR_MALFORMED || r == ERR_CORRUPT, "%zu bytes: %d",
			  len, r);
	}
}

Test(keys, a_key_open_to_others_is_refused)
{
	static const mode_t wrong[] = {0644, 0640, 0604, 0620, 0602, 0610};

	save_signing_key();
	for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++) {
		must(chmod(path, wrong[i]) == 0);
		cr_expect(eq(int, load_signing_key(), ERR_REFUSED), "%04o", wrong[i]);
	}
	must(chmod(path, 0644) == 0);
	cr_expect(eq(int, load_signing_key(), ERR_REFUSED));
	cr_expect(says("(mode 0644): chmod 600 it"), "%s", note.text);
	must(chmod(path, 0400) == 0);
	cr_expect(eq(int, load_signing_key(), 0));
}

Test(keys, a_key_of_another_user_is_refused)
{
	if (geteuid() != 0)
		cr_skip_test("only root can give a file away");
	save_signing_key();
	must(chown(path, 12345, (gid_t)-1) == 0);
	cr_expect(eq(int, load_signing_key(), ERR_REFUSED));
	cr_expect(says("belongs to uid 12345"), "%s", note.text);
}

Test(keys, a_symbolic_link_is_no_key)
{
	char link[PATH_MAX + 8];

	save_signing_key();
	snprintf(link, sizeof link, "%s.real", path);
	must(rename(path, link) == 0);
	must(symlink(link, path) == 0);
	cr_expect(eq(int, load_signing_key(), ERR_REFUSED));
	cr_expect(says("is a symbolic link"), "%s", note.text);
}

Test(keys, a_pipe_is_no_key_and_nobody_waits_for_it, .timeout = 60)
{
	must(mkfifo(path, 0600) == 0);
	cr_expect(eq(int, load_signing_key(), ERR_REFUSED));
	cr_expect(says("is not a regular file"), "%s", note.text);
}

Test(keys, a_missing_file_is_named)
{
	cr_expect(eq(int, load_signing_key(), -ENOENT));
	cr_expect(says(path), "%s", note.text);
}

static mode_t mode_of_file(void)
{
	struct stat st;

	must(lstat(path, &st) == 0);
	return st.st_mode & 07777;
}

Test(keys, modes_of_files_do_not_depend_on_the_umask)
{
	umask(0);
	cr_assert(eq(int, file_write(path, BYTES("x"), true, &note), 0));
	cr_expect(eq(int, mode_of_file(), 0600));
	umask(077);
	cr_assert(eq(int, file_write(path, BYTES("x"), false, &note), 0));
	cr_expect(eq(int, mode_of_file(), 0644));
}

static int n_files(void)
{
	DIR *d = opendir(dir);
	int n = 0;

	must(d);
	for (const struct dirent *e; (e = readdir(d));)
		n += e->d_name[0] != '.';
	closedir(d);
	return n;
}

Test(keys, a_write_that_fails_leaves_the_old_file_and_nothing_else)
{
	static const uint8_t big[4096];
	struct rlimit limit;

	cr_assert(eq(int, file_write(path, BYTES("old"), false, &note), 0));
	must(getrlimit(RLIMIT_FSIZE, &limit) == 0);
	const rlim_t was = limit.rlim_cur;
	signal(SIGXFSZ, SIG_IGN);
	limit.rlim_cur = 100;
	must(setrlimit(RLIMIT_FSIZE, &limit) == 0);
	const int r = file_write(path, (struct bytes){big, sizeof big}, false, &note);
	limit.rlim_cur = was;
	must(setrlimit(RLIMIT_FSIZE, &limit) == 0);
	cr_expect(eq(int, r, -EFBIG));
	cr_expect(says("cannot write"), "%s", note.text);
	cr_expect(bytes_equal(content(), BYTES("old")));
	cr_expect(eq(int, n_files(), 1));
}

Test(keys, a_file_in_no_directory_cannot_be_written)
{
	snprintf(path, sizeof path, "%s/none/x.key", dir);
	cr_expect(eq(int, file_write(path, BYTES("x"), false, &note), -ENOENT));
	cr_expect(says("cannot write") && says("/none/x.key"), "%s", note.text);
}

Test(keys, a_file_is_written_beside_the_process_too)
{
	must(chdir(dir) == 0);
	cr_expect(eq(int, file_write("plain", BYTES("x"), false, &note), 0), "%s", note.text);
	cr_expect(eq(int, n_files(), 1));
}

Test(keys, a_file_is_read_whole_up_to_the_limit)
{
	struct bytes b;

	plant(BYTES("12345"));
	cr_assert(eq(int, file_read(arena, path, 5, &b, &note), 0), "%s", note.text);
	cr_expect(bytes_equal(b, BYTES("12345")));
	cr_expect(eq(int, b.data[5], 0));
	cr_expect(eq(int, file_read(arena, path, 4, &b, &note), ERR_REFUSED));
	cr_expect(says("is larger than 4 bytes"), "%s", note.text);
	plant(BYTES(""));
	cr_assert(eq(int, file_read(arena, path, 5, &b, &note), 0), "%s", note.text);
	cr_expect(eq(sz, b.len, 0));
}

/* ---- the sealed root ---- */

static int load_root(const char *passphrase)
{
	SCOPED(scope_sign_key) struct sign_key *k = NULL;

	note.text[0] = '\0';
	return root_key_load(&k, path, bytes_of_text(passphrase), &note);
}

static void save_root(void)
{
	SCOPED(scope_sign_key) struct sign_key *k = NULL;

	must(sign_key_from_seed(&k, seed) == 0);
	must(root_key_save(k, path, BYTES("open sesame"), NULL) == 0);
}

Test(keys, a_root_comes_back_with_its_passphrase)
{
	SCOPED(scope_sign_key) struct sign_key *a = NULL, *b = NULL;

	cr_assert(eq(int, sign_key_from_seed(&a, seed), 0));
	cr_assert(eq(int, root_key_save(a, path, BYTES("open sesame"), &note), 0), "%s", note.text);
	cr_assert(eq(int, root_key_load(&b, path, BYTES("open sesame"), &note), 0), "%s", note.text);
	const struct public_key pa = sign_key_public(a), pb = sign_key_public(b);
	cr_expect(memcmp(pa.b, pb.b, sizeof pa.b) == 0);
	cr_expect(eq(int, mode_of_file(), 0600));
}

Test(keys, a_root_does_not_open_with_another_passphrase)
{
	save_root();
	cr_expect(eq(int, load_root("open sesam"), ERR_UNTRUSTED));
	cr_expect(says("this passphrase does not open"), "%s", note.text);
	cr_expect(eq(int, load_root(""), ERR_UNTRUSTED));
}

Test(keys, the_seed_does_not_stand_in_the_sealed_file)
{
	save_root();
	const struct bytes whole = content();
	for (size_t i = 0; i + 8 <= whole.len; i++)
		cr_expect(memcmp(whole.data + i, seed, 8) != 0);
}

Test(keys, an_empty_passphrase_seals_nothing)
{
	SCOPED(scope_sign_key) struct sign_key *k = NULL;

	must(sign_key_from_seed(&k, seed) == 0);
	cr_expect(eq(int, root_key_save(k, path, BYTES(""), &note), ERR_REFUSED));
	cr_expect(eq(int, n_files(), 0));
}

Test(keys, every_changed_byte_of_a_sealed_root_is_noticed)
{
	save_root();
	const struct bytes whole = content();
	for (size_t i = 0; i < whole.len; i++) {
		uint8_t *changed = arena_take(arena, whole.len);
		memcpy(changed, whole.data, whole.len);
		changed[i] ^= 1;
		plant((struct bytes){changed, whole.len});
		const int r = load_root("open sesame");
		cr_expect(r == ERR_MALFORMED || r == ERR_CORRUPT, "byte %zu: %d", i, r);
	}
}

/* Change one byte behind the header and make the checksum right again. */
static void forge(struct bytes whole, size_t at, uint8_t flip)
{
	uint8_t *forged = arena_take(arena, whole.len);

	memcpy(forged, whole.data, whole.len);
	forged[at] ^= flip;
	const uint64_t sum = hash64("holon/key-file", (struct bytes){forged, whole.len - 8}, BYTES(""));
	for (int i = 0; i < 8; i++)
		forged[whole.len - 8 + i] = (uint8_t)(sum >> 8 * (7 - i));
	plant((struct bytes){forged, whole.len});
}

Test(keys, a_forged_salt_nonce_or_seed_does_not_open)
{
	save_root();
	const struct bytes whole = content();
	const size_t header = strlen("holon sealed root key v1\n");
	const size_t places[] = {header + 20, header + 36, whole.len - 9, header + 11}; /* the last: passes */

	for (size_t i = 0; i < sizeof places / sizeof *places; i++) {
		forge(whole, places[i], 1);
		cr_expect(eq(int, load_root("open sesame"), ERR_UNTRUSTED), "place %zu: %s", i, note.text);
	}
	forge(whole, places[0], 0);
	cr_expect(eq(int, load_root("open sesame"), 0), "the forger's checksum is right: %s", note.text);
}

Test(keys, a_forged_cost_does_not_make_us_work, .timeout = 60)
{
	save_root();
	const struct bytes whole = content();
	const size_t header = strlen("holon sealed root key v1\n");

	for (size_t i = 0; i < 20; i++) {
		forge(whole, header + i, 0x80);
		const int r = load_root("open sesame");
		if (i >= 17) /* 8 MiB more of memory, or less than that, is within bounds */
			cr_expect(eq(int, r, ERR_UNTRUSTED), "byte %zu: %s", i, note.text);
		else
			cr_expect(eq(int, r, ERR_VERSION), "byte %zu: %s", i, note.text);
	}
}
