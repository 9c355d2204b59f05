/* SPDX-License-Identifier: Apache-2.0 */
/* Founding an organisation is a matter of its admin's directory alone; trusting another one is the node's. */
#include <sodium.h>

#include "proto/clock.h"
#include "security/org.h"
#include "tools/json.h"
#include "tools/print.h"
#include "tools/verb.h"

enum { PASSPHRASE_MAX = 1024, BUNDLE_MAX = 1 << 20 };

static const struct flag init_flags[] = {
	{"dir", "DIR", "directory to make: keep it off line", false},
	{"passphrase-file", "FILE", "its first line seals the root keys (- for stdin)", false},
	{0},
};

static const struct flag show_flags[] = {
	{"dir", "DIR", "the organisation in this directory, without asking a node", false},
	{"bundle", "FILE", "write the public bundle there, for partners", false},
	{0},
};

static const struct flag end_flags[] = {{"yes", NULL, "yes, end it", false}, {0}};

static const struct flag trust_flags[] = {
	{"fingerprint", "FINGERPRINT", "as the other admin said it: at least four groups", false},
	{0},
};

/* To the second, for people. */
static const char *until_text(int64_t ns, char ret[TIME_TEXT_SIZE])
{
	return time_text(ns - ns % NS_PER_S, ret);
}

static void org_json(const char *name, const char *fingerprint, uint32_t version, int64_t until_ns)
{
	struct json j = {.out = stdout};

	json_open(&j, NULL, '{');
	json_text(&j, "org", name);
	json_text(&j, "fingerprint", fingerprint);
	json_count(&j, "manifest_version", version);
	json_time(&j, "valid_until", until_ns);
	json_close(&j);
}

/* The organisation of a directory; its public bundle goes to a file, if one is given. */
static enum status print_dir(struct context *ctx, const char *dir, const char *bundle)
{
	char fingerprint[FINGERPRINT_SIZE], until[TIME_TEXT_SIZE];
	struct err_note note = {0};
	struct org org;
	int r = org_dir_load(ctx->arena, dir, ctx->now_ns, &org, &note);

	if (r == 0 && bundle)
		r = write_file(bundle, org.encoded, 0644, &note);
	if (r < 0)
		return say_failed(r, &note);
	org_fingerprint(org.manifest.org, &org.manifest.root, fingerprint);
	if (ctx->json) {
		org_json(org.manifest.org, fingerprint, org.manifest.version, org.manifest.valid_until_ns);
		return STATUS_OK;
	}
	printf("organisation %s\nfingerprint  %s\nnodes        %zu\nvalid until  %s\n", org.manifest.org,
	       fingerprint, org.n_nodes, until_text(org.manifest.valid_until_ns, until));
	return STATUS_OK;
}

static enum status init_run(struct context *ctx, int argc, char *const argv[])
{
	const char *dir = flag_text(ctx, "dir"), *file = flag_text(ctx, "passphrase-file");
	struct err_note note = {0};
	struct bytes content;
	int r;

	(void)argc;
	if (!dir || !file) {
		say("usage: holon org init NAME --dir DIR --passphrase-file FILE");
		return STATUS_USAGE;
	}
	if (read_file(ctx->arena, file, PASSPHRASE_MAX, &content, &note) < 0)
		return say_usage(&note);
	if (strcspn((const char *)content.data, "\r\n") == 0) {
		say("%s: the first line is empty: it is to be the passphrase", file);
		return STATUS_USAGE;
	}
	const struct org_dir_options options = {
		.dir = dir,
		.name = argv[0],
		.passphrase = {content.data, strcspn((const char *)content.data, "\r\n")},
		.now_ns = ctx->now_ns,
	};
	r = org_dir_init(&options, &note);
	sodium_memzero((void *)(uintptr_t)content.data, content.len);
	return r < 0 ? say_failed(r, &note) : print_dir(ctx, dir, NULL);
}

static void info_json(struct json *j, const struct org_info *o)
{
	json_open(j, NULL, '{');
	json_text(j, "org", o->name);
	json_bool(j, "own", o->own);
	json_text(j, "fingerprint", o->fingerprint);
	json_text(j, "words", o->words);
	json_text(j, "trusted_by", o->trusted_by);
	json_count(j, "manifest_version", o->manifest_version);
	json_count(j, "policy_epoch", o->policy_epoch);
	json_time(j, "valid_until", o->valid_until_ns);
	json_open(j, "nodes", '[');
	for (size_t i = 0; i < o->n_nodes; i++)
		json_text(j, NULL, o->nodes[i]);
	json_close(j);
	json_close(j);
}

static void info_text(const struct org_info *o)
{
	char until[TIME_TEXT_SIZE];

	paint(stdout, PAINT_BOLD, o->name);
	printf("%s\n  fingerprint  %s\n", o->own ? " (own)" : "", o->fingerprint);
	if (o->words && *o->words)
		printf("  words        %s\n", o->words);
	if (!o->own)
		printf("  trusted by   %s\n", strcmp(o->trusted_by, "organisation") == 0
						      ? "all of the organisation"
						      : "this node alone: it has not the role admin");
	printf("  policy epoch %llu\n  valid until  %s\n", (unsigned long long)o->policy_epoch,
	       until_text(o->valid_until_ns, until));
	for (size_t i = 0; i < o->n_nodes; i++)
		printf("  node         %s\n", o->nodes[i]);
}

static void print_orgs(const struct context *ctx, const struct control_answer *answer)
{
	struct json j = {.out = stdout};

	if (ctx->json) {
		json_open(&j, NULL, '{');
		json_open(&j, "orgs", '[');
	}
	for (size_t i = 0; i < answer->n_orgs; i++) {
		if (ctx->json)
			info_json(&j, &answer->orgs[i]);
		else
			info_text(&answer->orgs[i]);
	}
	while (j.depth > 0)
		json_close(&j);
}

static enum status show_run(struct context *ctx, int argc, char *const argv[])
{
	struct control_request request = ask_for(CONTROL_ORG_SHOW);
	const char *dir = flag_text(ctx, "dir");
	struct control_answer answer;
	enum status status;

	(void)argc, (void)argv;
	if (!dir && flag_given(ctx, "bundle")) {
		say("--bundle needs --dir DIR: the bundle is in the organisation's directory");
		return STATUS_USAGE;
	}
	if (dir)
		return print_dir(ctx, dir, flag_text(ctx, "bundle"));
	status = ask(ctx, &request, &answer);
	if (status == STATUS_OK)
		print_orgs(ctx, &answer);
	return status;
}

static enum status trust_run(struct context *ctx, int argc, char *const argv[])
{
	struct control_request request = ask_for(CONTROL_ORG_TRUST);
	const char *fingerprint = flag_text(ctx, "fingerprint");
	struct err_note note = {0};
	struct control_answer answer;
	enum status status;

	(void)argc;
	if (!fingerprint) {
		say("ask the other admin for the fingerprint and repeat it: --fingerprint FINGERPRINT");
		return STATUS_USAGE;
	}
	/* it is the node that judges, and writes down what it refused */
	const int r = read_file(ctx->arena, argv[0], BUNDLE_MAX, &request.blob, &note);
	if (r < 0)
		return say_failed(r, &note);
	request.text = fingerprint;
	status = ask(ctx, &request, &answer);
	if (status == STATUS_OK)
		print_orgs(ctx, &answer);
	return status;
}

static enum status end_run(struct context *ctx, int argc, char *const argv[])
{
	struct control_request request = ask_for(CONTROL_ORG_END);
	struct json j = {.out = stdout};
	struct control_answer answer;

	(void)argc;
	if (!flag_given(ctx, "yes")) {
		say("ending the trust cuts all connections with %s and removes what is held of it: add --yes",
		    argv[0]);
		return STATUS_USAGE;
	}
	request.org = argv[0];
	const enum status status = ask(ctx, &request, &answer);
	if (status == STATUS_OK && ctx->json) {
		json_open(&j, NULL, '{');
		json_text(&j, "org", argv[0]);
		json_text(&j, "text", answer.text);
		json_close(&j);
	} else if (status == STATUS_OK) {
		print_clean(stdout, answer.text);
		putchar('\n');
	}
	return status;
}

const struct verb cmd_org[] = {
	{.name = "org init",
	 .args = "NAME --dir DIR --passphrase-file FILE",
	 .summary = "found an organisation: its keys, in a directory of their own",
	 .flags = init_flags,
	 .min_args = 1,
	 .max_args = 1,
	 .run = init_run},
	{.name = "org show",
	 .args = "[--dir DIR [--bundle FILE]]",
	 .summary = "show the own organisation and those it trusts",
	 .flags = show_flags,
	 .run = show_run},
	{.name = "org trust",
	 .args = "BUNDLE --fingerprint FINGERPRINT",
	 .summary = "trust another organisation, whose bundle and fingerprint its admin gave",
	 .flags = trust_flags,
	 .min_args = 1,
	 .max_args = 1,
	 .run = trust_run},
	{.name = "org end",
	 .args = "ORG --yes",
	 .summary = "end the trust in another organisation and remove what is held of it",
	 .flags = end_flags,
	 .min_args = 1,
	 .max_args = 1,
	 .run = end_run},
	{0},
};
