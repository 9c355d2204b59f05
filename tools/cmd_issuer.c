/* SPDX-License-Identifier: Apache-2.0 */
/* What keeps an organisation going over the years: credentials, manifest, issuer and root. Works on its
 * directory, asks no node. */
#include <sodium.h>

#include "proto/clock.h"
#include "security/org_admin.h"
#include "tools/json.h"
#include "tools/verb.h"

enum { PASSPHRASE_MAX = 1024 };

static const struct flag renew_flags[] = {
	{"dir", "DIR", "directory of the organisation", false},
	{"passphrase-file", "FILE",
	 "renew the manifest, too: its first line opens the root key (- for stdin)", false},
	{0},
};

static const struct flag root_flags[] = {
	{"dir", "DIR", "directory of the organisation", false},
	{"passphrase-file", "FILE", "its first line opens the root keys (- for stdin)", false},
	{0},
};

static const struct flag rotate_flags[] = {
	{"dir", "DIR", "directory of the organisation", false},
	{"passphrase-file", "FILE", "its first line opens the root key (- for stdin)", false},
	{"status", NULL, "only show how far it has come", false},
	{0},
};

/* A work of the root, with the passphrase in memory only as long as it takes. */
typedef int (*root_work)(struct context *ctx, const char *dir, struct bytes passphrase, void *ret,
			 struct err_note *note);

static enum status with_passphrase(struct context *ctx, root_work work, void *ret)
{
	const char *dir = flag_text(ctx, "dir"), *file = flag_text(ctx, "passphrase-file");
	struct err_note note = {0};
	struct bytes content;

	if (!dir || !file) {
		say("give --dir DIR (the organisation) and --passphrase-file FILE");
		return STATUS_USAGE;
	}
	if (read_file(ctx->arena, file, PASSPHRASE_MAX, &content, &note) < 0)
		return say_usage(&note);
	const struct bytes passphrase = {content.data, strcspn((const char *)content.data, "\r\n")};
	const int r = work(ctx, dir, passphrase, ret, &note);
	sodium_memzero((void *)(uintptr_t)content.data, content.len);
	return r < 0 ? say_failed(r, &note) : STATUS_OK;
}

/* ---- org renew, org rotate-root ---- */

static int renew_manifest(struct context *ctx, const char *dir, struct bytes passphrase, void *ret,
			  struct err_note *note)
{
	(void)ret;
	return org_dir_renew_manifest(dir, passphrase, ctx->now_ns, note);
}

static int rotate_root(struct context *ctx, const char *dir, struct bytes passphrase, void *ret,
		       struct err_note *note)
{
	(void)ret;
	return org_dir_rotate_root(dir, passphrase, ctx->now_ns, note);
}

static void print_renewed(const struct context *ctx, const struct renewed *r, bool manifest)
{
	struct json j = {.out = stdout};

	if (!ctx->json) {
		printf("renewed: %zu nodes, %zu persons%s%s\n", r->nodes, r->persons,
		       r->revocations ? ", the list of revocations" : "", manifest ? ", the manifest" : "");
		return;
	}
	json_open(&j, NULL, '{');
	json_count(&j, "nodes", r->nodes);
	json_count(&j, "persons", r->persons);
	json_bool(&j, "revocations", r->revocations);
	json_bool(&j, "manifest", manifest);
	json_close(&j);
}

static enum status renew_run(struct context *ctx, int argc, char *const argv[])
{
	const char *dir = flag_text(ctx, "dir");
	const bool manifest = flag_given(ctx, "passphrase-file");
	struct err_note note = {0};
	struct renewed renewed;

	(void)argc, (void)argv;
	if (!dir) {
		say("give --dir DIR (the organisation)");
		return STATUS_USAGE;
	}
	if (manifest) {
		const enum status status = with_passphrase(ctx, renew_manifest, NULL);
		if (status != STATUS_OK)
			return status;
	}
	const int r = org_dir_renew(dir, ctx->now_ns, &renewed, &note);
	if (r < 0)
		return say_failed(r, &note);
	print_renewed(ctx, &renewed, manifest);
	return STATUS_OK;
}

static enum status root_run(struct context *ctx, int argc, char *const argv[])
{
	char fingerprint[FINGERPRINT_SIZE];
	struct json j = {.out = stdout};
	struct err_note note = {0};
	struct org org;

	(void)argc, (void)argv;
	const enum status status = with_passphrase(ctx, rotate_root, NULL);
	if (status != STATUS_OK)
		return status;
	const int r = org_dir_load(ctx->arena, flag_text(ctx, "dir"), ctx->now_ns, &org, &note);
	if (r < 0)
		return say_failed(r, &note);
	org_fingerprint(org.manifest.org, &org.manifest.root, fingerprint);
	if (ctx->json) {
		json_open(&j, NULL, '{');
		json_text(&j, "fingerprint", fingerprint);
		json_close(&j);
	} else {
		printf("the announced root signs from now on\nfingerprint  %s\n", fingerprint);
	}
	return STATUS_OK;
}

/* ---- issuer rotate ---- */

static int rotate_issuer(struct context *ctx, const char *dir, struct bytes passphrase, void *ret,
			 struct err_note *note)
{
	return issuer_rotate(dir, passphrase, ctx->now_ns, ret, note);
}

static const char *to_second(int64_t ns, char ret[TIME_TEXT_SIZE])
{
	return time_text(ns - ns % NS_PER_S, ret);
}

static void status_text(const struct issuer_status *s)
{
	char when[TIME_TEXT_SIZE];

	switch (s->phase) {
	case ISSUER_STEADY: printf("one issuer key, until %s\n", to_second(s->until_ns, when)); break;
	case ISSUER_WAITING:
		printf("a new issuer key is published; it signs from %s on\n",
		       to_second(s->signs_from_ns, when));
		break;
	case ISSUER_DRAINING:
		printf("the new issuer key signs; what the old one signed counts until %s\n"
		       "%zu credentials wait to be renewed with the new one\n",
		       to_second(s->drained_ns, when), s->n_old);
		break;
	case ISSUER_DRAINED:
		puts("nothing of the old issuer key counts any longer: rotate once more to drop it");
	}
}

static void status_json(const struct issuer_status *s)
{
	static const char *const phases[] = {"steady", "waiting", "draining", "drained"};
	struct json j = {.out = stdout};

	json_open(&j, NULL, '{');
	json_text(&j, "phase", phases[s->phase]);
	if (s->phase == ISSUER_WAITING)
		json_time(&j, "signs_from", s->signs_from_ns);
	if (s->phase == ISSUER_DRAINING)
		json_time(&j, "drained", s->drained_ns);
	json_count(&j, "to_renew", s->n_old);
	json_time(&j, "until", s->until_ns);
	json_close(&j);
}

static enum status rotate_run(struct context *ctx, int argc, char *const argv[])
{
	const char *dir = flag_text(ctx, "dir");
	struct issuer_status s = {0};
	struct err_note note = {0};

	(void)argc, (void)argv;
	if (!flag_given(ctx, "status")) {
		const enum status status = with_passphrase(ctx, rotate_issuer, &s);
		if (status != STATUS_OK)
			return status;
	} else if (!dir) {
		say("give --dir DIR (the organisation)");
		return STATUS_USAGE;
	} else {
		const int r = issuer_status(dir, ctx->now_ns, &s, &note);
		if (r < 0)
			return say_failed(r, &note);
	}
	if (ctx->json)
		status_json(&s);
	else
		status_text(&s);
	return STATUS_OK;
}

const struct verb cmd_issuer[] = {
	{.name = "org renew",
	 .args = "--dir DIR [--passphrase-file FILE]",
	 .summary = "renew the credentials that are due; with the passphrase the manifest, too",
	 .flags = renew_flags,
	 .run = renew_run},
	{.name = "org rotate-root",
	 .args = "--dir DIR --passphrase-file FILE",
	 .summary = "let the announced root take over, and announce the next one",
	 .flags = root_flags,
	 .run = root_run},
	{.name = "issuer rotate",
	 .args = "--dir DIR (--passphrase-file FILE | --status)",
	 .summary = "exchange the key that signs credentials, one step at a time",
	 .flags = rotate_flags,
	 .run = rotate_run},
	{0},
};
