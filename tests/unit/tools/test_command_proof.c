/* SPDX-License-Identifier: Apache-2.0 */
#include "tools/command_proof.h"

#include <criterion/criterion.h>
#include <criterion/new/assert.h>
#include <sodium.h>

#include "tests/lib/must.h"

static struct arena *a;
static struct sign_key *person, *node, *stranger;
static struct command command;
static struct command_record record;
static struct command_step step;
static struct receipt receipt;
static struct permit permit;
static struct org org;
static struct credential site;

static struct bytes keep(const struct buf *b)
{
	must(buf_check(b) == 0);
	const char *copy = arena_text(a, buf_bytes(b));
	must(copy);
	return (struct bytes){(const uint8_t *)copy, b->len};
}

static struct bytes sign_as(const struct sign_key *key, const char *context, const struct buf *plain)
{
	SCOPED(buf_fini) struct buf out = {0};
	struct signed_blob blob;

	must(buf_check(plain) == 0);
	sign_blob(key, context, buf_bytes(plain), &blob);
	signed_blob_encode(&blob, &out);
	return keep(&out);
}

static struct bytes credential_of(const char *name, const struct sign_key *key)
{
	SCOPED(buf_fini) struct buf plain = {0};
	const struct person who = {
		.org = "acme", .name = name, .sign = sign_key_public(key), .not_after_ns = 9};

	person_encode(&who, &plain);
	return sign_as(stranger, SIGN_PERSON, &plain);
}

static void sign_command(const struct sign_key *key)
{
	SCOPED(buf_fini) struct buf plain = {0};

	command_encode(&command, &plain);
	record.command = sign_as(key, SIGN_COMMAND, &plain);
	crypto_generichash(receipt.command, sizeof receipt.command, record.command.data, record.command.len,
			   NULL, 0);
}

static void sign_receipt(const struct sign_key *key)
{
	SCOPED(buf_fini) struct buf plain = {0};

	receipt_encode(&receipt, &plain);
	step.receipt = sign_as(key, SIGN_RECEIPT, &plain);
}

static void sign_permit(const struct sign_key *key)
{
	SCOPED(buf_fini) struct buf plain = {0};

	permit_encode(&permit, &plain);
	step.permit = sign_as(key, SIGN_PERMIT, &plain);
	step.permit_person = credential_of("lea", key);
}

static void set_up(void)
{
	must(keys_init() == 0 && arena_new(&a, 1 << 20) == 0 && sign_key_new(&person) == 0 &&
	     sign_key_new(&node) == 0 && sign_key_new(&stranger) == 0);
	command = (struct command){.id = "0123456789abcde",
				   .twin = "bolt/press7",
				   .operation = "stop",
				   .issued_ns = 1,
				   .deadline_ns = 2,
				   .org = "acme",
				   .person = "kim",
				   .node = "site"};
	receipt = (struct receipt){.id = "0123456789abcde",
				   .number = 1,
				   .state = COMMAND_DONE,
				   .t_ns = 5,
				   .who = "hall",
				   .text = "stopped",
				   .node = "bolt/site"};
	permit = (struct permit){.has_id = true,
				 .id = "0123456789abcde",
				 .twin = "bolt/press",
				 .operation = "",
				 .org = "",
				 .times = 1,
				 .issued_ns = 3,
				 .by_org = "acme",
				 .person = "lea"};
	step = (struct command_step){.state = COMMAND_DONE, .t_ns = 5, .who = "hall", .text = "stopped"};
	record = (struct command_record){
		.steps = &step, .n_steps = 1, .confirm_role = "", .person = credential_of("kim", person)};
	sign_command(person);
	sign_receipt(node);
	site = (struct credential){.org = "bolt", .node = "site", .sign = sign_key_public(node)};
	org = (struct org){.manifest = {.org = "bolt"}, .nodes = &site, .n_nodes = 1};
}

static void tear_down(void)
{
	sign_key_free(person);
	sign_key_free(node);
	sign_key_free(stranger);
	arena_free(a);
	person = node = stranger = NULL;
	a = NULL;
}

TestSuite(command_proof, .init = set_up, .fini = tear_down, .timeout = 60);

static const struct proof_orgs nobody = {NULL, 0}, bolt = {&org, 1};

static enum proof_worth step_worth(const struct proof_orgs *known)
{
	struct proof p;

	cr_assert(eq(int, proof_of_step(a, &record, 0, known, &p), 0));
	return p.worth;
}

static enum proof_worth command_worth(void)
{
	struct proof p;

	cr_assert(eq(int, proof_of_command(a, &record, &nobody, &p), 0));
	return p.worth;
}

Test(command_proof, a_receipt_is_signed_and_with_the_bundle_proven)
{
	struct proof p;

	cr_expect(eq(int, step_worth(&nobody), PROOF_SIGNED));
	cr_expect(eq(int, step_worth(&bolt), PROOF_PROVEN));
	cr_assert(eq(int, proof_of_step(a, &record, 0, &bolt, &p), 0));
	cr_expect(strcmp(p.who, "bolt/site") == 0);
	step.receipt = (struct bytes){0};
	cr_expect(eq(int, step_worth(&bolt), PROOF_NONE));
}

Test(command_proof, a_receipt_of_another_key_is_not_that_of_the_node)
{
	sign_receipt(stranger);
	cr_expect(eq(int, step_worth(&nobody), PROOF_SIGNED), "nobody knows");
	cr_expect(eq(int, step_worth(&bolt), PROOF_WRONG));
}

Test(command_proof, a_receipt_about_something_else_is_wrong)
{
	step.state = COMMAND_FAILED;
	cr_expect(eq(int, step_worth(&bolt), PROOF_WRONG), "another state");
	step.state = COMMAND_DONE;
	step.text = "jammed";
	cr_expect(eq(int, step_worth(&bolt), PROOF_WRONG), "another text");
	step.text = "stopped";
	step.t_ns++;
	cr_expect(eq(int, step_worth(&bolt), PROOF_WRONG), "another time");
	step.t_ns--;
	command.operation = "start";
	const struct receipt before = receipt;
	sign_command(person);
	receipt = before;
	cr_expect(eq(int, step_worth(&bolt), PROOF_WRONG), "another command");
}

Test(command_proof, what_is_broken_is_wrong)
{
	uint8_t *byte = (uint8_t *)(uintptr_t)&step.receipt.data[step.receipt.len - 1];

	*byte ^= 1;
	cr_expect(eq(int, step_worth(&nobody), PROOF_WRONG), "a bit of the signature");
	step.receipt.len /= 2;
	cr_expect(eq(int, step_worth(&nobody), PROOF_WRONG), "half of it");
}

Test(command_proof, a_command_is_signed_by_the_person_it_names)
{
	cr_expect(eq(int, command_worth(), PROOF_SIGNED));
	sign_command(stranger);
	cr_expect(eq(int, command_worth(), PROOF_WRONG), "another key");
	sign_command(person);
	record.person = credential_of("eva", person);
	cr_expect(eq(int, command_worth(), PROOF_WRONG), "another name");
	record.unsigned_ = true;
	cr_expect(eq(int, command_worth(), PROOF_NONE));
}

Test(command_proof, a_permit_is_signed_by_the_person_it_names)
{
	struct proof p;

	cr_assert(eq(int, proof_of_permit(a, &step, &nobody, &p), 0));
	cr_expect(eq(int, p.worth, PROOF_NONE));
	sign_permit(person);
	cr_assert(eq(int, proof_of_permit(a, &step, &nobody, &p), 0));
	cr_expect(p.worth == PROOF_SIGNED && strcmp(p.who, "acme/lea") == 0);
	step.permit_person = credential_of("kim", person);
	cr_assert(eq(int, proof_of_permit(a, &step, &nobody, &p), 0));
	cr_expect(eq(int, p.worth, PROOF_WRONG));
}
