/* SPDX-License-Identifier: Apache-2.0 */
#include "tools/command_proof.h"

#include <sodium.h>

#include "proto/id.h"

const char *proof_worth_text(enum proof_worth worth)
{
	static const char *const texts[N_PROOF_WORTHS] = {
		[PROOF_NONE] = "not signed",
		[PROOF_WRONG] = "wrong",
		[PROOF_SIGNED] = "signed",
		[PROOF_PROVEN] = "proven",
	};

	return texts[worth];
}

static int wrong_unless_memory(int r, struct proof *ret)
{
	ret->worth = PROOF_WRONG;
	return r == -ENOMEM ? r : 0;
}

static const struct org *org_named(const struct proof_orgs *known, const char *name, size_t len)
{
	for (size_t i = 0; i < known->n; i++)
		if (strlen(known->orgs[i].manifest.org) == len &&
		    memcmp(known->orgs[i].manifest.org, name, len) == 0)
			return &known->orgs[i];
	return NULL;
}

static bool same_key(const struct public_key *a, const struct public_key *b)
{
	return memcmp(a->b, b->b, sizeof a->b) == 0;
}

/* What was signed, if it was. PROOF_SIGNED or PROOF_WRONG. */
static int open_blob(struct arena *a, struct bytes encoded, const char *context, struct signed_blob *blob,
		     struct proof *ret)
{
	const int r = signed_blob_decode(a, encoded, blob);

	if (r < 0)
		return wrong_unless_memory(r, ret);
	ret->key = blob->key;
	ret->worth = sign_verify(context, blob) ? PROOF_SIGNED : PROOF_WRONG;
	return 0;
}

/* Is the signature that of this person, as the credential beside it says? At the time when it was used, which
 * is not now: what has ended since was good then. */
static int check_person(struct arena *a, struct bytes credential, const struct proof_orgs *known,
			int64_t then_ns, struct proof *ret)
{
	struct signed_blob blob;
	struct person person;
	int r = signed_blob_decode(a, credential, &blob);

	if (r == 0)
		r = person_decode(a, blob.payload, &person);
	if (r < 0)
		return wrong_unless_memory(r, ret);
	const char *who = arena_print(a, "%s/%s", person.org, person.name);
	if (!who)
		return FAIL(-ENOMEM);
	if (!same_key(&person.sign, &ret->key) || strcmp(who, ret->who) != 0) {
		ret->worth = PROOF_WRONG;
		return 0;
	}
	const struct org *org = org_named(known, person.org, strlen(person.org));
	if (!org)
		return 0;
	r = org_verify_person(a, org, credential, then_ns, &person, NULL);
	ret->worth = r == 0 ? PROOF_PROVEN : PROOF_WRONG;
	return r == -ENOMEM ? r : 0;
}

int proof_of_command(struct arena *a, const struct command_record *r, const struct proof_orgs *known,
		     struct proof *ret)
{
	struct signed_blob blob;
	struct command c;

	*ret = (struct proof){.who = ""};
	if (r->unsigned_)
		return 0;
	TRY(open_blob(a, r->command, SIGN_COMMAND, &blob, ret));
	if (ret->worth == PROOF_WRONG)
		return 0;
	const int code = command_decode(a, blob.payload, &c);
	if (code < 0)
		return wrong_unless_memory(code, ret);
	ret->who = arena_print(a, "%s/%s", c.org, c.person);
	return ret->who ? check_person(a, r->person, known, c.issued_ns, ret) : FAIL(-ENOMEM);
}

/* Whose key is it: of the node ORG/NODE? */
static void check_node(const struct proof_orgs *known, struct proof *ret)
{
	const char *slash = strchr(ret->who, '/');
	const struct org *org = slash ? org_named(known, ret->who, (size_t)(slash - ret->who)) : NULL;
	const struct credential *node = org ? org_node(org, slash + 1) : NULL;

	if (!slash || (node && !same_key(&node->sign, &ret->key)))
		ret->worth = PROOF_WRONG;
	else if (node)
		ret->worth = PROOF_PROVEN;
}

static bool is_about(const struct receipt *receipt, const struct command_record *r, const struct command *c,
		     const struct command_step *step)
{
	uint8_t hash[sizeof receipt->command];

	crypto_generichash(hash, sizeof hash, r->command.data, r->command.len, NULL, 0);
	return memcmp(hash, receipt->command, sizeof hash) == 0 &&
	       memcmp(c->id, receipt->id, sizeof c->id) == 0 && receipt->state == step->state &&
	       receipt->t_ns == step->t_ns && strcmp(receipt->who, step->who) == 0 &&
	       strcmp(receipt->text, step->text) == 0;
}

int proof_of_step(struct arena *a, const struct command_record *r, size_t step,
		  const struct proof_orgs *known, struct proof *ret)
{
	const struct command_step *s = &r->steps[step];
	struct signed_blob blob;
	struct receipt receipt;
	struct command c;

	*ret = (struct proof){.who = ""};
	if (s->receipt.len == 0)
		return 0;
	TRY(open_blob(a, s->receipt, SIGN_RECEIPT, &blob, ret));
	if (ret->worth == PROOF_WRONG)
		return 0;
	int code = receipt_decode(a, blob.payload, &receipt);
	if (code == 0)
		code = command_of_record(a, r, &c);
	if (code < 0)
		return wrong_unless_memory(code, ret);
	ret->who = receipt.node;
	if (!is_about(&receipt, r, &c, s))
		ret->worth = PROOF_WRONG;
	else
		check_node(known, ret);
	return 0;
}

int proof_of_permit(struct arena *a, const struct command_step *step, const struct proof_orgs *known,
		    struct proof *ret)
{
	struct signed_blob blob;
	struct permit p;

	*ret = (struct proof){.who = ""};
	if (step->permit.len == 0)
		return 0;
	TRY(open_blob(a, step->permit, SIGN_PERMIT, &blob, ret));
	if (ret->worth == PROOF_WRONG)
		return 0;
	const int code = permit_decode(a, blob.payload, &p);
	if (code < 0)
		return wrong_unless_memory(code, ret);
	ret->who = arena_print(a, "%s/%s", p.by_org, p.person);
	return ret->who ? check_person(a, step->permit_person, known, p.issued_ns, ret) : FAIL(-ENOMEM);
}
