/* SPDX-License-Identifier: Apache-2.0 */
/* Keys of those who give a node orders over a network. Works on files, asks no node. */
#include <stdio.h>
#include <unistd.h>

#include "security/keys.h"
#include "tools/client.h"
#include "tools/json.h"
#include "tools/verb.h"

static void print_key(const struct context *ctx, const struct curve_pair *pair)
{
	const struct curve_key public = curve_pair_public(pair);
	struct json j = {.out = stdout};
	char text[CURVE_KEY_TEXT_SIZE];

	if (!ctx->json) {
		printf("%s\n", curve_key_text(&public, text));
		return;
	}
	json_open(&j, NULL, '{');
	json_text(&j, "public_key", curve_key_text(&public, text));
	json_close(&j);
}

static enum status key_new(struct context *ctx, int argc, char *const argv[])
{
	SCOPED(scope_curve_pair) struct curve_pair *pair = NULL;
	struct err_note note = {0};
	int r;

	(void)argc;
	if (access(argv[0], F_OK) == 0) {
		say("%s is there already: a key is never overwritten", argv[0]);
		return STATUS_FAILED;
	}
	r = keys_init();
	if (r == 0)
		r = curve_pair_new(&pair);
	if (r == 0)
		r = curve_pair_save(pair, argv[0], &note);
	if (r < 0)
		return say_failed(r, &note);
	print_key(ctx, pair);
	return STATUS_OK;
}

static enum status key_show(struct context *ctx, int argc, char *const argv[])
{
	SCOPED(scope_curve_pair) struct curve_pair *pair = NULL;
	struct err_note note = {0};
	int r = keys_init();

	(void)argc;
	if (r == 0)
		r = curve_pair_load(&pair, argv[0], &note);
	if (r < 0)
		return say_failed(r, &note);
	print_key(ctx, pair);
	return STATUS_OK;
}

const struct verb cmd_key[] = {
	{.name = "key new",
	 .args = "FILE",
	 .summary = "make a key for giving orders over a network; prints its public key",
	 .min_args = 1,
	 .max_args = 1,
	 .run = key_new},
	{.name = "key show",
	 .args = "FILE",
	 .summary = "print the public key of a key file, also of a node's keys/curve.key",
	 .min_args = 1,
	 .max_args = 1,
	 .run = key_show},
	{0},
};
