/* SPDX-License-Identifier: Apache-2.0 */
/* Bad trust - what no admin makes, signed with an admin's own keys: objects that must be refused.
 *
 *     bad_trust bundles ORG-DIR PASSPHRASE-FILE OUT-DIR    bundles of the organisation, one file each
 *     bad_trust policies ORG-DIR OTHER-DIR OUT-DIR         signed policies, OTHER-DIR being another
 * organisation's bad_trust publish ENDPOINT FILE                      give a node a signed policy as it
 * stands
 *
 * `publish` prints the node's sentence on standard error and ends with 1 if it refused.
 */
#include <stdio.h>
#include <string.h>
#include <time.h>

#include "proto/clock.h"
#include "security/org.h"
#include "tools/client.h"

enum { MEMORY = 16 << 20, FILE_MAX = 1 << 20, TIMEOUT_S = 10, FAR = 5000 };

#define DAY_NS (86400 * NS_PER_S)

struct maker {
	struct arena *arena;
	struct sign_key *root, *issuer;
	struct bytes encoded; /* the bundle as it is */
	struct bundle bundle;
	struct manifest manifest;
	int64_t now_ns;
	struct buf out;
};

static void maker_fini(struct maker *m)
{
	sign_key_free(m->root);
	sign_key_free(m->issuer);
	buf_fini(&m->out);
	arena_free(m->arena);
}

static int sign_object(struct maker *m, const struct sign_key *k, const char *context, struct buf *payload,
		       struct signed_blob *ret)
{
	TRY(buf_check(payload));
	const char *kept = arena_text(m->arena, buf_bytes(payload));
	if (!kept)
		return FAIL(-ENOMEM);
	sign_blob(k, context, (struct bytes){(const uint8_t *)kept, payload->len}, ret);
	return 0;
}

static int put_bundle(struct maker *m)
{
	bundle_encode(&m->bundle, &m->out);
	return buf_check(&m->out);
}

/* The bundle with the manifest as it was changed, signed by the root. */
static int put_manifest(struct maker *m)
{
	SCOPED(buf_fini) struct buf payload = {0};

	manifest_encode(&m->manifest, &payload);
	TRY(sign_object(m, m->root, SIGN_MANIFEST, &payload, &m->bundle.manifest));
	return put_bundle(m);
}

/* ---- Bundles ---- */

static int make_newer(struct maker *m)
{
	m->manifest.version++;
	return put_manifest(m);
}

static int make_expired(struct maker *m)
{
	m->manifest.version += 2;
	m->manifest.issued_ns = m->now_ns - 300 * DAY_NS;
	m->manifest.valid_until_ns = m->now_ns - DAY_NS;
	return put_manifest(m);
}

static int make_early(struct maker *m)
{
	m->manifest.version += 2;
	m->manifest.issued_ns = m->now_ns + 10 * DAY_NS;
	return put_manifest(m);
}

static int make_far(struct maker *m)
{
	m->manifest.version += FAR;
	return put_manifest(m);
}

static int make_wrongly_signed(struct maker *m)
{
	m->bundle.manifest.signature[0] ^= 1;
	return put_bundle(m);
}

static int make_cut(struct maker *m)
{
	buf_put(&m->out, (struct bytes){m->encoded.data, m->encoded.len / 2});
	return buf_check(&m->out);
}

/* Its first node says that it is another organisation's. */
static int make_foreign(struct maker *m)
{
	SCOPED(buf_fini) struct buf payload = {0};
	struct credential c;

	TRY(credential_decode(m->arena, m->bundle.credentials[0].payload, &c));
	c.org = "acme";
	credential_encode(&c, &payload);
	TRY(sign_object(m, m->issuer, SIGN_CREDENTIAL, &payload, &m->bundle.credentials[0]));
	m->manifest.version += 2;
	return put_manifest(m);
}

static const struct {
	const char *name;
	int (*make)(struct maker *m);
} bundles[] = {
	{"newer", make_newer}, {"expired", make_expired}, {"early", make_early},           {"far", make_far},
	{"cut", make_cut},     {"foreign", make_foreign}, {"signed", make_wrongly_signed},
};

static int64_t wall_ns(void)
{
	struct timespec t;

	clock_gettime(CLOCK_REALTIME, &t);
	return (int64_t)t.tv_sec * NS_PER_S + t.tv_nsec;
}

static int load(struct maker *m, const char *dir, const char *passphrase_file, struct err_note *note)
{
	struct bytes passphrase;

	m->now_ns = wall_ns();
	TRY(arena_new(&m->arena, MEMORY));
	TRY(file_read(m->arena, arena_print(m->arena, "%s/bundle", dir), FILE_MAX, &m->encoded, note));
	TRY(bundle_decode(m->arena, m->encoded, &m->bundle));
	TRY(manifest_decode(m->arena, m->bundle.manifest.payload, &m->manifest));
	TRY(sign_key_load(&m->issuer, arena_print(m->arena, "%s/issuer.key", dir), note));
	TRY(file_read(m->arena, passphrase_file, FILE_MAX, &passphrase, note));
	while (passphrase.len > 0 && passphrase.data[passphrase.len - 1] == '\n')
		passphrase.len--;
	return root_key_load(&m->root, arena_print(m->arena, "%s/root.key", dir), passphrase, note);
}

static int save(struct arena *a, const char *dir, const char *name, struct bytes content,
		struct err_note *note)
{
	return file_write(arena_print(a, "%s/%s", dir, name), content, false, note);
}

static int make_bundles(char *const argv[], struct err_note *note)
{
	for (size_t i = 0; i < sizeof bundles / sizeof bundles[0]; i++) {
		SCOPED(maker_fini) struct maker m = {0};
		TRY(load(&m, argv[2], argv[3], note));
		TRY(bundles[i].make(&m));
		TRY(save(m.arena, argv[4], arena_print(m.arena, "%s.bundle", bundles[i].name),
			 buf_bytes(&m.out), note));
	}
	return 0;
}

/* ---- Policies ---- */

static int make_policy(struct arena *a, char *const argv[], const char *org_dir, const char *org,
		       uint64_t epoch, int64_t at_ns, struct buf *out, struct err_note *note)
{
	return org_dir_sign_policy(org_dir ? org_dir : argv[2], epoch, arena_print(a, "policy %s\n", org),
				   at_ns, out, note);
}

static int make_policies(char *const argv[], struct err_note *note)
{
	SCOPED(scope_arena) struct arena *a = NULL;
	const int64_t now_ns = wall_ns();
	const struct {
		const char *name, *dir, *org;
		uint64_t epoch;
		int64_t at_ns;
		size_t flip, cut; /* from the end */
	} policies[] = {
		{"old", argv[2], "acme", 1, now_ns, 0, 0},
		{"far", argv[2], "acme", FAR, now_ns, 0, 0},
		{"early", argv[2], "acme", 3, now_ns + 10 * DAY_NS, 0, 0},
		{"foreign", argv[3], "harbor", 3, now_ns, 0, 0},
		{"signed", argv[2], "acme", 3, now_ns, 1, 0},
		{"cut", argv[2], "acme", 3, now_ns, 0, 40},
	};

	TRY(arena_new(&a, MEMORY));
	for (size_t i = 0; i < sizeof policies / sizeof policies[0]; i++) {
		SCOPED(buf_fini) struct buf out = {0};
		TRY(make_policy(a, argv, policies[i].dir, policies[i].org, policies[i].epoch,
				policies[i].at_ns, &out, note));
		if (policies[i].flip > 0)
			out.data[out.len - policies[i].flip] ^= 1;
		out.len -= policies[i].cut;
		TRY(save(a, argv[4], arena_print(a, "%s.signed", policies[i].name), buf_bytes(&out), note));
	}
	return 0;
}

/* ---- To a node ---- */

static int publish(char *const argv[], struct err_note *note)
{
	struct control_request request = {.op = CONTROL_POLICY_PUBLISH};
	SCOPED(scope_arena) struct arena *a = NULL;
	SCOPED(scope_client) struct client *c = NULL;
	struct control_answer answer;

	TRY(arena_new(&a, MEMORY));
	TRY(file_read(a, argv[3], FILE_MAX, &request.blob, note));
	TRY(client_open(&c, argv[2], TIMEOUT_S * NS_PER_S, note));
	TRY(client_ask(c, &request, a, &answer, note));
	return answer.code < 0 ? FAIL_SAY(note, answer.code, "%s", answer.text) : 0;
}

int main(int argc, char *argv[])
{
	static const struct {
		const char *name;
		int argc;
		int (*run)(char *const argv[], struct err_note *note);
	} works[] = {{"bundles", 5, make_bundles}, {"policies", 5, make_policies}, {"publish", 4, publish}};
	struct err_note note = {0};

	for (size_t i = 0; i < sizeof works / sizeof works[0]; i++) {
		if (argc != works[i].argc || strcmp(argv[1], works[i].name) != 0)
			continue;
		int r = keys_init();
		if (r == 0)
			r = works[i].run(argv, &note);
		if (r < 0)
			fprintf(stderr, "%s\n", note.text[0] ? note.text : err_text(r));
		return r < 0;
	}
	fputs("usage: bad_trust bundles|policies|publish ...\n", stderr);
	return 2;
}
