/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/unit/node/trust_fixture.h"

#include <criterion/criterion.h>
#include <criterion/new/assert.h>
#include <sodium.h>
#include <stdio.h>
#include <sys/stat.h>

#include "tests/lib/must.h"
#include "tests/lib/tmpdir.h"

struct founded acme, bolt, volt;
struct arena *arena;
struct err_note note;
static char dir[128];
struct trust *trust;

struct bytes keep(const struct buf *b)
{
	const char *kept = arena_text(arena, buf_bytes(b));

	must(kept);
	return (struct bytes){(const uint8_t *)kept, b->len};
}

struct signed_blob sign(const struct sign_key *k, const char *context, const struct buf *payload)
{
	struct signed_blob blob;

	must(buf_check(payload) == 0);
	sign_blob(k, context, keep(payload), &blob);
	return blob;
}

static struct signed_blob sign_manifest(const struct founded *f)
{
	SCOPED(buf_fini) struct buf payload = {0};
	const struct public_key next_root = sign_key_public(f->next_root);
	struct issuer_key issuer = {sign_key_public(f->issuer), NOW - DAY, NOW + DAYS_LONG * DAY};
	struct public_key policy = sign_key_public(f->policy);
	struct manifest m = {.org = f->name,
			     .version = f->version,
			     .issued_ns = NOW - DAY,
			     .valid_until_ns = NOW + f->days * DAY,
			     .root = sign_key_public(f->root),
			     .issuers = &issuer,
			     .n_issuers = 1,
			     .policy_keys = &policy,
			     .n_policy_keys = 1};

	crypto_generichash(m.next_root_hash, sizeof m.next_root_hash, next_root.b, sizeof next_root.b, NULL,
			   0);
	manifest_encode(&m, &payload);
	return sign(f->root, SIGN_MANIFEST, &payload);
}

static struct signed_blob sign_member(const struct founded *f, const struct member *m)
{
	SCOPED(buf_fini) struct buf payload = {0};
	const bool border = m->roles & ROLE_BORDER;
	const struct credential c = {.org = f->name,
				     .node = m->name,
				     .curve = curve_pair_public(m->curve),
				     .sign = sign_key_public(m->sign),
				     .roles = m->roles,
				     .endpoint = "",
				     .border_endpoint = border ? "tcp://127.0.0.1:7000" : "",
				     .not_before_ns = NOW + m->renewed_ns,
				     .not_after_ns = NOW + DAYS_LONG * DAY,
				     .own_only = m->own_only};

	credential_encode(&c, &payload);
	return sign(f->issuer, SIGN_CREDENTIAL, &payload);
}

static struct signed_blob sign_revocations(const struct founded *f)
{
	SCOPED(buf_fini) struct buf payload = {0};
	struct revoked entry = {.kind = REVOKED_NODE,
				.node = f->revoked->name,
				.before_ns = NOW + 1,
				.until_ns = TIME_MAX,
				.reason = ""};
	const struct revocations r = {.org = f->name,
				      .seq = 1,
				      .this_update_ns = NOW,
				      .next_update_ns = NOW + DAY,
				      .entries = &entry,
				      .n_entries = 1};

	revocations_encode(&r, &payload);
	return sign(f->issuer, SIGN_REVOCATIONS, &payload);
}

void rotate_root(struct founded *f)
{
	struct sign_key *old = f->root;

	must(!f->rotated);
	f->ancestor = sign_manifest(f);
	f->rotated = true;
	f->root = f->next_root;
	f->next_root = old;
	f->version++;
}

struct bytes bundle_of(const struct founded *f)
{
	struct signed_blob ancestor = f->ancestor;
	SCOPED(buf_fini) struct buf encoded = {0};
	struct signed_blob credentials[BUNDLE_NODES_MAX];
	struct signed_blob list;
	struct bundle b = {.manifest = sign_manifest(f),
			   .ancestors = &ancestor,
			   .n_ancestors = f->rotated,
			   .credentials = credentials,
			   .n_credentials = f->n_members};

	for (size_t i = 0; i < f->n_members; i++)
		credentials[i] = sign_member(f, &f->members[i]);
	if (f->revoked) {
		list = sign_revocations(f);
		b.revocations = &list;
	}
	bundle_encode(&b, &encoded);
	must(buf_check(&encoded) == 0);
	return keep(&encoded);
}

void add_member(struct founded *f, const char *name)
{
	struct member *m = &f->members[f->n_members++];

	*m = (struct member){.name = name, .roles = ROLE_OWNER};
	if (f != &acme)
		m->roles |= ROLE_BORDER;
	must(sign_key_new(&m->sign) == 0 && curve_pair_new(&m->curve) == 0);
}

void found(struct founded *f, const char *name, const char *member)
{
	*f = (struct founded){.name = name, .version = 1, .days = DAYS_LONG};
	must(sign_key_new(&f->root) == 0 && sign_key_new(&f->next_root) == 0);
	must(sign_key_new(&f->issuer) == 0 && sign_key_new(&f->policy) == 0);
	add_member(f, member);
}

void disband(struct founded *f)
{
	for (size_t i = 0; i < f->n_members; i++) {
		sign_key_free(f->members[i].sign);
		curve_pair_free(f->members[i].curve);
	}
	sign_key_free(f->root);
	sign_key_free(f->next_root);
	sign_key_free(f->issuer);
	sign_key_free(f->policy);
}

const char *fingerprint(const struct founded *f)
{
	const struct public_key root = sign_key_public(f->root);
	char *text = arena_take(arena, FINGERPRINT_SIZE);

	must(text);
	org_fingerprint(f->name, &root, text);
	return text;
}

const char *in_dir(const char *file)
{
	const char *path = arena_print(arena, "%s/%s", dir, file);

	must(path);
	return path;
}

void write_bundle(const struct founded *f)
{
	must(file_write(in_dir("bundle"), bundle_of(f), false, NULL) == 0);
}

void trust_fixture_begin(void)
{
	must(keys_init() == 0 && arena_new(&arena, 64 << 20) == 0);
	snprintf(dir, sizeof dir, "%s", tmpdir_make());
	found(&acme, "acme", "n1");
	found(&bolt, "bolt", "gate");
	found(&volt, "volt", "gate");
	must(mkdir(in_dir("keys"), 0700) == 0);
	must(sign_key_save(acme.members[0].sign, in_dir("keys/sign.key"), NULL) == 0);
	must(curve_pair_save(acme.members[0].curve, in_dir("keys/curve.key"), NULL) == 0);
	write_bundle(&acme);
	must(trust_open(&trust, dir, NOW, &note) == 0);
}

void trust_fixture_end(void)
{
	trust_close(trust);
	disband(&acme);
	disband(&bolt);
	disband(&volt);
	arena_free(arena);
	tmpdir_remove();
}

void open_at(int64_t now_ns)
{
	trust_close(trust);
	trust = NULL;
	cr_assert(eq(int, trust_open(&trust, dir, now_ns, &note), 0), "%s", note.text);
}

int accept_at(const struct founded *f, int64_t now_ns)
{
	const struct org *org;

	note.text[0] = '\0';
	return trust_accept(trust, bundle_of(f), f == &acme ? NULL : fingerprint(f), now_ns, &org, &note);
}

void admit(const struct founded *f)
{
	cr_assert(eq(int, accept_at(f, NOW), 0), "%s", note.text);
}

bool says(const char *words)
{
	return strstr(note.text, words) != NULL;
}
