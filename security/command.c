/* SPDX-License-Identifier: Apache-2.0 */
#include "security/command.h"

#include "proto/hash.h"
#include "security/org_private.h"

static void sign_payload(const struct sign_key *key, const char *context, const struct buf *payload,
			 struct buf *out)
{
	struct signed_blob blob;

	out->failed |= payload->failed;
	sign_blob(key, context, buf_bytes(payload), &blob);
	signed_blob_encode(&blob, out);
}

void command_sign(const struct sign_key *person, const struct command *c, struct buf *out)
{
	SCOPED(buf_fini) struct buf payload = {0};

	command_encode(c, &payload);
	sign_payload(person, SIGN_COMMAND, &payload, out);
}

void permit_sign(const struct sign_key *person, const struct permit *p, struct buf *out)
{
	SCOPED(buf_fini) struct buf payload = {0};

	permit_encode(p, &payload);
	sign_payload(person, SIGN_PERMIT, &payload, out);
}

void receipt_sign(const struct sign_key *node, const struct receipt *r, struct buf *out)
{
	SCOPED(buf_fini) struct buf payload = {0};

	receipt_encode(r, &payload);
	sign_payload(node, SIGN_RECEIPT, &payload, out);
}

void command_hash(struct bytes blob, uint8_t ret[32])
{
	struct hash256_run run;

	hash256_begin(&run);
	hash256_add(&run, blob);
	const struct hash256 hash = hash256_end(&run);
	memcpy(ret, hash.b, sizeof hash.b);
}

/* ---- Verifying --------------------------------------------------------------------------------------------
 */

/* The person, and what this person's key signed. `what`: "the command", "the permit". */
static int open_word(struct arena *a, const struct org *org, const struct signed_word *w, const char *context,
		     const char *what, int64_t now_ns, struct person *ret_person, struct bytes *ret_payload,
		     struct err_note *note)
{
	struct signed_blob blob;

	TRY(org_verify_person(a, org, w->credential, now_ns, ret_person, note));
	const int r = signed_blob_decode(a, w->blob, &blob);
	if (r < 0)
		return org_unreadable(note, r, what);
	if (!key_equal(&blob.key, &ret_person->sign) || !sign_verify(context, &blob))
		return FAIL_SAY(note, ERR_UNTRUSTED, "%s was not signed by %s at %s", what, ret_person->name,
				ret_person->org);
	*ret_payload = blob.payload;
	return 0;
}

static int check_signer(const struct person *p, const char *org, const char *name, const char *what,
			struct err_note *note)
{
	if (strcmp(p->org, org) != 0 || strcmp(p->name, name) != 0)
		return FAIL_SAY(note, ERR_UNTRUSTED, "%s speaks for %.63s/%.63s and is signed by %s/%s", what,
				org, name, p->org, p->name);
	return 0;
}

int command_verify(struct arena *a, const struct org *org, const struct signed_word *w, int64_t now_ns,
		   struct command *ret, struct person *ret_person, struct err_note *note)
{
	struct bytes payload;

	TRY(open_word(a, org, w, SIGN_COMMAND, "the command", now_ns, ret_person, &payload, note));
	const int r = command_decode(a, payload, ret);
	if (r < 0)
		return org_unreadable(note, r, "the command");
	TRY(check_signer(ret_person, ret->org, ret->person, "the command", note));
	if (!org_node(org, ret->node))
		return FAIL_SAY(note, ERR_UNTRUSTED,
				"the command is sent through %.63s, which is no node of %s", ret->node,
				org->manifest.org);
	return 0;
}

int permit_verify(struct arena *a, const struct org *org, const struct signed_word *w, int64_t now_ns,
		  struct permit *ret, struct person *ret_person, struct err_note *note)
{
	struct bytes payload;

	TRY(open_word(a, org, w, SIGN_PERMIT, "the permit", now_ns, ret_person, &payload, note));
	const int r = permit_decode(a, payload, ret);
	if (r < 0)
		return org_unreadable(note, r, "the permit");
	return check_signer(ret_person, ret->by_org, ret->person, "the permit", note);
}

int receipt_verify(struct arena *a, const struct org *org, struct bytes encoded, const uint8_t command[32],
		   struct receipt *ret, struct err_note *note)
{
	const size_t org_len = strlen(org->manifest.org);
	struct signed_blob blob;

	int r = signed_blob_decode(a, encoded, &blob);
	if (r == 0)
		r = receipt_decode(a, blob.payload, ret);
	if (r < 0)
		return org_unreadable(note, r, "the receipt");
	const struct credential *node =
		strncmp(ret->node, org->manifest.org, org_len) == 0 && ret->node[org_len] == '/'
			? org_node(org, ret->node + org_len + 1)
			: NULL;
	if (!node)
		return FAIL_SAY(note, ERR_UNTRUSTED, "the receipt is of %s, which is no node of %s",
				ret->node, org->manifest.org);
	if (!key_equal(&blob.key, &node->sign) || !sign_verify(SIGN_RECEIPT, &blob))
		return FAIL_SAY(note, ERR_UNTRUSTED, "the receipt was not signed by %s", ret->node);
	if (memcmp(ret->command, command, 32) != 0)
		return FAIL_SAY(note, ERR_UNTRUSTED, "the receipt of %s is about another command", ret->node);
	return 0;
}
