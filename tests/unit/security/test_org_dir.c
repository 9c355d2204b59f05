/* SPDX-License-Identifier: Apache-2.0 */
#include <criterion/criterion.h>
#include <criterion/new/assert.h>
#include <limits.h>
#include <sodium.h>
#include <stdio.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "proto/clock.h"
#include "security/org.h"
#include "tests/lib/must.h"
#include "tests/lib/tmpdir.h"

#define NOW (INT64_C(1790000000) * NS_PER_S)
#define DAY (86400 * NS_PER_S)
#define PASS BYTES("open sesame")

static const char *tmp;
static char org_dir[128], node_dir[128];
static struct arena *arena;
static struct err_note note;

static void begin(void)
{
	must(keys_init() == 0);
	must(arena_new(&arena, 64 << 20) == 0);
	tmp = tmpdir_make();
	must(tmp);
	snprintf(org_dir, sizeof org_dir, "%s/acme", tmp);
	snprintf(node_dir, sizeof node_dir, "%s/press", tmp);
}

static void end(void)
{
	arena_free(arena);
	arena = NULL;
	tmpdir_remove();
}

TestSuite(org_dir, .init = begin, .fini = end);

static bool says(const char *words)
{
	return strstr(note.text, words) != NULL;
}

static const char *in(const char *dir, const char *name)
{
	const char *path = arena_print(arena, "%s/%s", dir, name);

	must(path);
	return path;
}

static bool exists(const char *path)
{
	return access(path, F_OK) == 0;
}

static int mode_of(const char *path)
{
	struct stat st;

	return lstat(path, &st) == 0 ? (int)(st.st_mode & 07777) : -1;
}

static int found(void)
{
	const struct org_dir_options opt = {org_dir, "acme", PASS, NOW};

	note.text[0] = '\0';
	return org_dir_init(&opt, &note);
}

static struct sign_key *key_in(const char *name)
{
	struct sign_key *k;

	must(sign_key_new(&k) == 0 && sign_key_save(k, in(org_dir, name), NULL) == 0);
	return k;
}

/* The same without the roots, whose sealing takes its time: all that adding nodes needs. */
static void found_quickly(void)
{
	SCOPED(buf_fini) struct buf payload = {0}, encoded = {0};
	SCOPED(scope_sign_key) struct sign_key *root = NULL, *issuer = NULL, *policy = NULL;
	SCOPED(scope_secret32) struct secret32 *cursor = NULL;
	struct bundle b = {0};

	must(mkdir(org_dir, 0700) == 0 && sign_key_new(&root) == 0 && secret32_new(&cursor) == 0);
	must(secret32_save(cursor, in(org_dir, "cursor.key"), NULL) == 0);
	issuer = key_in("issuer.key");
	policy = key_in("policy.key");
	struct issuer_key issuers[] = {{sign_key_public(issuer), NOW, NOW + 365 * DAY}};
	struct public_key policy_keys[] = {sign_key_public(policy)};
	const struct manifest m = {.org = "acme",
				   .version = 1,
				   .issued_ns = NOW,
				   .valid_until_ns = NOW + 400 * DAY,
				   .root = sign_key_public(root),
				   .issuers = issuers,
				   .n_issuers = 1,
				   .policy_keys = policy_keys,
				   .n_policy_keys = 1};
	manifest_encode(&m, &payload);
	sign_blob(root, SIGN_MANIFEST, buf_bytes(&payload), &b.manifest);
	bundle_encode(&b, &encoded);
	must(file_write(in(org_dir, "bundle"), buf_bytes(&encoded), false, NULL) == 0);
}

static struct node_options press(void)
{
	return (struct node_options){
		.org_dir = org_dir,
		.node_dir = node_dir,
		.name = "press",
		.roles = ROLE_OWNER,
		.endpoint = "tcp://127.0.0.1:7001",
		.border_endpoint = "",
		.now_ns = NOW + DAY,
	};
}

static struct node_options gate(void)
{
	struct node_options opt = press();

	opt.node_dir = in(tmp, "gate");
	opt.name = "gate";
	opt.roles = ROLE_OWNER | ROLE_BORDER;
	opt.endpoint = "tcp://127.0.0.1:7002";
	opt.border_endpoint = "tcp://127.0.0.1:7003";
	return opt;
}

static int add(const struct node_options *opt)
{
	note.text[0] = '\0';
	return org_dir_add_node(opt, &note);
}

static struct org load(const char *dir)
{
	struct org org;

	must(org_dir_load(arena, dir, NOW + DAY, &org, &note) == 0);
	return org;
}

#define expect_refused(r, words) \
	do { \
		cr_expect(eq(int, (r), ERR_REFUSED)); \
		cr_expect(says(words), "the note is: %s", note.text); \
	} while (0)

/* ---- founding ---- */

Test(org_dir, an_organisation_is_founded)
{
	static const char *const secrets[] = {"root.key", "next-root.key", "issuer.key", "policy.key",
					      "cursor.key"};

	cr_assert(eq(int, found(), 0), "%s", note.text);
	cr_expect(eq(int, mode_of(org_dir), 0700));
	cr_expect(eq(int, mode_of(in(org_dir, "bundle")), 0644));
	for (size_t i = 0; i < sizeof secrets / sizeof *secrets; i++)
		cr_expect(eq(int, mode_of(in(org_dir, secrets[i])), 0600), "%s", secrets[i]);
	const struct org org = load(org_dir);
	cr_expect_str_eq(org.manifest.org, "acme");
	cr_expect(eq(u32, org.manifest.version, 1));
	cr_expect(eq(i64, org.manifest.valid_until_ns, NOW + MANIFEST_LIFE_DAYS * DAY));
	cr_expect(eq(sz, org.n_nodes, 0));
}

Test(org_dir, the_sealed_roots_are_those_of_the_manifest)
{
	SCOPED(scope_sign_key) struct sign_key *root = NULL, *next = NULL;
	uint8_t hash[KEY_BYTES];

	cr_assert(eq(int, found(), 0), "%s", note.text);
	const struct org org = load(org_dir);
	cr_assert(eq(int, root_key_load(&root, in(org_dir, "root.key"), PASS, &note), 0), "%s", note.text);
	cr_assert(eq(int, root_key_load(&next, in(org_dir, "next-root.key"), PASS, &note), 0), "%s",
		  note.text);
	const struct public_key public = sign_key_public(root), next_public = sign_key_public(next);
	cr_expect(memcmp(public.b, org.manifest.root.b, KEY_BYTES) == 0);
	crypto_generichash(hash, sizeof hash, next_public.b, sizeof next_public.b, NULL, 0);
	cr_expect(memcmp(hash, org.manifest.next_root_hash, sizeof hash) == 0);
}

Test(org_dir, a_directory_holds_one_organisation)
{
	cr_assert(eq(int, found(), 0), "%s", note.text);
	const struct org before = load(org_dir);
	expect_refused(found(), "acme/bundle exists already: choose another directory");
	const struct org after = load(org_dir);
	cr_expect(bytes_equal(before.encoded, after.encoded));
}

Test(org_dir, a_key_without_its_bundle_is_not_overwritten)
{
	cr_assert(eq(int, found(), 0), "%s", note.text);
	must(unlink(in(org_dir, "bundle")) == 0);
	expect_refused(found(), "acme/root.key exists already");
	cr_expect(exists(in(org_dir, "policy.key")) && exists(in(org_dir, "root.key")));
	cr_expect(not(exists(in(org_dir, "bundle"))));
}

Test(org_dir, a_failed_founding_leaves_nothing)
{
	struct org_dir_options opt = {org_dir, "acme", BYTES(""), NOW};

	expect_refused(org_dir_init(&opt, &note), "empty passphrase");
	cr_expect(not(exists(org_dir)));
	opt.passphrase = PASS;
	opt.name = "ac me";
	cr_expect(eq(int, org_dir_init(&opt, &note), ERR_REFUSED));
	cr_expect(not(exists(org_dir)));
	opt.name = "acme";
	opt.dir = in(tmp, "none/acme");
	cr_expect(eq(int, org_dir_init(&opt, &note), -ENOENT));
	cr_expect(says("none/acme"), "%s", note.text);
}

Test(org_dir, a_failed_founding_leaves_what_was_there_before)
{
	must(mkdir(org_dir, 0700) == 0);
	must(file_write(in(org_dir, "cursor.key"), BYTES("mine"), true, NULL) == 0);
	expect_refused(found(), "acme/cursor.key exists already");
	cr_expect(exists(in(org_dir, "cursor.key")));
	cr_expect(not(exists(in(org_dir, "root.key"))));
}

Test(org_dir, a_directory_in_which_others_may_write_is_refused)
{
	must(mkdir(org_dir, 0700) == 0 && chmod(org_dir, 0777) == 0);
	expect_refused(found(), "others may write in");
	cr_expect(says("(mode 0777): chmod 700 it"), "%s", note.text);
	must(chmod(org_dir, 0755) == 0);
	cr_expect(eq(int, found(), 0), "%s", note.text);
}

Test(org_dir, a_directory_without_an_organisation_is_named)
{
	struct org org;

	must(mkdir(org_dir, 0700) == 0);
	cr_expect(eq(int, org_dir_load(arena, org_dir, NOW, &org, &note), ERR_ABSENT));
	cr_expect(says("/acme holds no organisation"), "%s", note.text);
}

Test(org_dir, two_organisations_of_one_name_have_different_fingerprints)
{
	char a[FINGERPRINT_SIZE], b[FINGERPRINT_SIZE];

	cr_assert(eq(int, found(), 0), "%s", note.text);
	const struct org first = load(org_dir);
	snprintf(org_dir, sizeof org_dir, "%s/acme2", tmp);
	cr_assert(eq(int, found(), 0), "%s", note.text);
	const struct org second = load(org_dir);
	org_fingerprint("acme", &first.manifest.root, a);
	org_fingerprint("acme", &second.manifest.root, b);
	cr_expect(ne(str, a, b));
	cr_expect(eq(int, org_may_replace(&first, &second, &note), ERR_UNTRUSTED));
}

/* ---- nodes ---- */

Test(org_dir, a_node_is_added)
{
	SCOPED(scope_sign_key) struct sign_key *sign = NULL;
	SCOPED(scope_curve_pair) struct curve_pair *curve = NULL;
	const struct node_options opt = press();

	found_quickly();
	cr_assert(eq(int, add(&opt), 0), "%s", note.text);
	const struct org org = load(org_dir);
	const struct credential *c = org_node(&org, "press");
	cr_assert(c != NULL);
	cr_expect(eq(u32, c->roles, ROLE_OWNER));
	cr_expect_str_eq(c->endpoint, "tcp://127.0.0.1:7001");
	cr_expect(eq(i64, c->not_after_ns - c->not_before_ns, CREDENTIAL_LIFE_DAYS * DAY));
	cr_expect(eq(sz, c->n_prefixes, 0));

	cr_assert(eq(int, curve_pair_load(&curve, in(node_dir, "keys/curve.key"), &note), 0), "%s",
		  note.text);
	cr_assert(eq(int, sign_key_load(&sign, in(node_dir, "keys/sign.key"), &note), 0), "%s", note.text);
	const struct curve_key curve_public = curve_pair_public(curve);
	const struct public_key sign_public = sign_key_public(sign);
	cr_expect(memcmp(curve_public.b, c->curve.b, KEY_BYTES) == 0);
	cr_expect(memcmp(sign_public.b, c->sign.b, KEY_BYTES) == 0);
	cr_expect(bytes_equal(load(node_dir).encoded, org.encoded));
	cr_expect(eq(int, mode_of(in(node_dir, "keys")), 0700));
	cr_expect(not(exists(in(node_dir, "keys/cursor.key"))));
}

Test(org_dir, the_root_is_not_needed_to_add_a_node)
{
	const struct node_options opt = press();

	cr_assert(eq(int, found(), 0), "%s", note.text);
	must(unlink(in(org_dir, "root.key")) == 0 && unlink(in(org_dir, "next-root.key")) == 0);
	cr_expect(eq(int, add(&opt), 0), "%s", note.text);
}

Test(org_dir, all_border_nodes_share_the_cursor_key)
{
	SCOPED(scope_secret32) struct secret32 *own = NULL, *org = NULL;
	const struct node_options opt = gate();

	found_quickly();
	cr_assert(eq(int, add(&opt), 0), "%s", note.text);
	cr_assert(eq(int, secret32_load(&own, in(opt.node_dir, "keys/cursor.key"), &note), 0), "%s",
		  note.text);
	cr_assert(eq(int, secret32_load(&org, in(org_dir, "cursor.key"), &note), 0), "%s", note.text);
	cr_expect(memcmp(secret32_bytes(own), secret32_bytes(org), 32) == 0);
}

Test(org_dir, a_later_node_knows_the_earlier_one)
{
	const struct node_options first = press(), second = gate();

	found_quickly();
	cr_assert(eq(int, add(&first), 0), "%s", note.text);
	cr_assert(eq(int, add(&second), 0), "%s", note.text);
	const struct org old = load(node_dir), next = load(second.node_dir);
	cr_expect(eq(sz, old.n_nodes, 1));
	cr_expect(eq(sz, next.n_nodes, 2));
	cr_expect(eq(int, org_may_replace(&old, &next, &note), 0), "%s", note.text);
	cr_expect(memcmp(old.nodes[0].serial.b, next.nodes[1].serial.b, SERIAL_BYTES) != 0);
}

static void expect_nothing_changed(const struct org *before)
{
	const struct org after = load(org_dir);

	cr_expect(bytes_equal(before->encoded, after.encoded));
}

Test(org_dir, a_name_or_endpoint_that_is_taken_is_refused)
{
	const struct node_options first = gate();

	found_quickly();
	cr_assert(eq(int, add(&first), 0), "%s", note.text);
	const struct org before = load(org_dir);
	struct node_options opt = press();
	opt.name = "gate";
	expect_refused(add(&opt), "acme has a node gate already");
	opt = press();
	opt.endpoint = first.endpoint;
	expect_refused(add(&opt), "endpoint tcp://127.0.0.1:7002 is taken by node gate");
	opt.endpoint = first.border_endpoint;
	expect_refused(add(&opt), "endpoint tcp://127.0.0.1:7003 is taken by node gate");
	opt = press();
	opt.roles |= ROLE_BORDER;
	opt.border_endpoint = first.border_endpoint;
	expect_refused(add(&opt), "endpoint tcp://127.0.0.1:7003 is taken by node gate");
	expect_nothing_changed(&before);
	cr_expect(not(exists(node_dir)));
}

Test(org_dir, nodes_without_endpoints_do_not_take_them_from_each_other)
{
	struct node_options opt = press();

	found_quickly();
	opt.endpoint = "";
	cr_expect(eq(int, add(&opt), 0), "%s", note.text);
	opt.name = "drill";
	opt.node_dir = in(tmp, "drill");
	cr_expect(eq(int, add(&opt), 0), "%s", note.text);
}

Test(org_dir, what_makes_no_sense_is_refused_before_anything_is_written)
{
	static const char *const foreign[] = {"bolt/line1"}, *const bad[] = {"acme/li ne"},
				 *const good[] = {"acme/line1"};
	struct node_options opt = press();

	found_quickly();
	const struct org before = load(org_dir);
	opt.roles = ROLE_BORDER;
	expect_refused(add(&opt), "needs a border endpoint");
	opt = press();
	opt.border_endpoint = "tcp://127.0.0.1:7009";
	expect_refused(add(&opt), "a border endpoint needs the role border");
	opt.roles = ROLE_BORDER;
	opt.endpoint = opt.border_endpoint;
	expect_refused(add(&opt), "given for both endpoints");
	opt = press();
	opt.name = "no/slash";
	cr_expect(eq(int, add(&opt), ERR_REFUSED));
	opt = press();
	opt.n_prefixes = 1;
	opt.prefixes = (const char **)(uintptr_t)foreign;
	expect_refused(add(&opt), "prefix bolt/line1 is not within acme");
	opt.prefixes = (const char **)(uintptr_t)bad;
	cr_expect(eq(int, add(&opt), ERR_REFUSED));
	cr_expect(not(exists(node_dir)));
	expect_nothing_changed(&before);
	opt.prefixes = (const char **)(uintptr_t)good;
	cr_assert(eq(int, add(&opt), 0), "%s", note.text);
	const struct org org = load(org_dir);
	cr_expect_str_eq(org_node(&org, "press")->prefixes[0], "acme/line1");
}

Test(org_dir, a_node_directory_holds_one_node)
{
	struct node_options opt = press();

	found_quickly();
	cr_assert(eq(int, add(&opt), 0), "%s", note.text);
	const struct org before = load(org_dir);
	opt.name = "drill";
	opt.endpoint = "tcp://127.0.0.1:7009";
	expect_refused(add(&opt), "press/bundle exists already");
	must(unlink(in(node_dir, "bundle")) == 0);
	expect_refused(add(&opt), "press/keys/curve.key exists already");
	cr_expect(exists(in(node_dir, "keys/curve.key")) && exists(in(node_dir, "keys/sign.key")));
	cr_expect(not(exists(in(node_dir, "bundle"))));
	expect_nothing_changed(&before);
}

Test(org_dir, a_configuration_may_lie_in_the_node_directory_already)
{
	const struct node_options opt = press();

	found_quickly();
	must(mkdir(node_dir, 0755) == 0);
	must(file_write(in(node_dir, "holon.conf"), BYTES("x"), false, NULL) == 0);
	cr_expect(eq(int, add(&opt), 0), "%s", note.text);
	cr_expect(exists(in(node_dir, "holon.conf")));
}

Test(org_dir, an_issuer_key_of_another_organisation_is_refused)
{
	const struct node_options opt = press();
	char other[128];

	snprintf(other, sizeof other, "%s", org_dir);
	found_quickly();
	snprintf(org_dir, sizeof org_dir, "%s/second", tmp);
	found_quickly();
	must(rename(in(other, "issuer.key"), in(org_dir, "issuer.key")) == 0);
	cr_expect(eq(int, add(&opt), ERR_UNTRUSTED));
	cr_expect(says("was not signed by an issuer of acme"), "%s", note.text);
	cr_expect(not(exists(node_dir)));
}

Test(org_dir, an_issuer_key_open_to_others_is_not_used)
{
	const struct node_options opt = press();

	found_quickly();
	must(chmod(in(org_dir, "issuer.key"), 0644) == 0);
	expect_refused(add(&opt), "acme/issuer.key is open to others (mode 0644): chmod 600 it");
}

Test(org_dir, an_expired_organisation_adds_no_nodes)
{
	struct node_options opt = press();

	found_quickly();
	opt.now_ns = NOW + MANIFEST_LIFE_DAYS * DAY;
	cr_expect(eq(int, add(&opt), ERR_UNTRUSTED));
	cr_expect(says("manifest of acme expired on"), "%s", note.text);
}

Test(org_dir, nodes_added_at_the_same_time_are_all_there)
{
	enum { N = 6 };
	struct node_options opt = press();

	found_quickly();
	for (int i = 0; i < N; i++) {
		opt.name = arena_print(arena, "node%d", i);
		opt.node_dir = in(tmp, opt.name);
		opt.endpoint = arena_print(arena, "tcp://127.0.0.1:%d", 7100 + i);
		if (fork() == 0)
			_exit(org_dir_add_node(&opt, NULL) == 0 ? 0 : 1);
	}
	for (int i = 0; i < N; i++) {
		int status = -1;

		must(wait(&status) > 0);
		cr_expect(eq(int, status, 0));
	}
	cr_expect(eq(sz, load(org_dir).n_nodes, N));
}

/* ---- policies ---- */

static int verify_signed(const struct org *org, const struct buf *signed_text, struct policy_doc *ret)
{
	struct signed_blob blob;

	must(signed_blob_decode(arena, buf_bytes(signed_text), &blob) == 0);
	return org_verify_policy(arena, org, &blob, ret, &note);
}

Test(org_dir, a_policy_is_signed_as_the_organisation)
{
	SCOPED(buf_fini) struct buf b = {0};
	struct policy_doc p;

	found_quickly();
	cr_assert(eq(int, org_dir_sign_policy(org_dir, 3, "policy acme\n", NOW, &b, &note), 0), "%s",
		  note.text);
	const struct org org = load(org_dir);
	cr_assert(eq(int, verify_signed(&org, &b, &p), 0), "%s", note.text);
	cr_expect(eq(u64, p.epoch, 3));
	cr_expect(eq(i64, p.issued_ns, NOW));
	cr_expect_str_eq(p.text, "policy acme\n");
}

Test(org_dir, a_policy_key_that_is_not_in_the_manifest_signs_nothing)
{
	SCOPED(buf_fini) struct buf b = {0};
	SCOPED(scope_sign_key) struct sign_key *stray = NULL;

	found_quickly();
	must(sign_key_new(&stray) == 0 && sign_key_save(stray, in(org_dir, "policy.key"), NULL) == 0);
	cr_expect(eq(int, org_dir_sign_policy(org_dir, 3, "policy acme\n", NOW, &b, &note), ERR_UNTRUSTED));
	cr_expect(says("policy.key is not a policy key in the manifest of acme"), "%s", note.text);
	cr_expect(eq(sz, b.len, 0));
}

Test(org_dir, a_policy_too_long_is_refused)
{
	SCOPED(buf_fini) struct buf b = {0};
	char *text = arena_take(arena, POLICY_TEXT_MAX + 2);

	found_quickly();
	memset(text, ' ', POLICY_TEXT_MAX + 1);
	expect_refused(org_dir_sign_policy(org_dir, 1, text, NOW, &b, &note), "longer than 524288 bytes");
}
