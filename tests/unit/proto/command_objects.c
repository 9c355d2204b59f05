/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/unit/proto/command_objects.h"

#include "proto/clock.h"
#include "tests/lib/must.h"

#define COUNT(array) (sizeof(array) / sizeof(array)[0])

static struct argument arguments[] = {
	{"grace_s", {.type = VALUE_DOUBLE, .real = 2.5}},
	{"how", {.type = VALUE_ENUM, .text = "soft"}},
	{"count", {.type = VALUE_INT64, .integer = -3}},
};

struct command full_command = {
	.id = "0123456789abcde",
	.twin = "acme/plant1/press7",
	.operation = "safe-stop",
	.arguments = arguments,
	.n_arguments = COUNT(arguments),
	.issued_ns = 1000,
	.deadline_ns = 1000 + 60 * NS_PER_S,
	.org = "bolt",
	.person = "bob",
	.node = "border-1",
};
struct permit full_permit = {.has_id = true,
			     .id = "0123456789abcde",
			     .twin = "acme/plant1/press7",
			     .operation = "",
			     .org = "",
			     .issued_ns = 5,
			     .by_org = "acme",
			     .person = "eva",
			     .refuse = true};
struct permit full_standing_permit = {.twin = "acme/plant1/press7",
				      .operation = "safe-stop",
				      .org = "bolt",
				      .times = 100000,
				      .issued_ns = 5,
				      .until_ns = 6,
				      .by_org = "acme",
				      .person = "eva"};
struct receipt full_receipt = {
	.command = "hash",
	.id = "0123456789abcde",
	.number = 2,
	.state = COMMAND_CONFIRMED,
	.t_ns = -7,
	.who = "acme/eva",
	.text = "as agreed",
	.node = "acme/north",
};

struct message full_command_question = {.kind = MESSAGE_QUESTION,
					.nonce = 1,
					.frame = 2,
					.question = {.id = 4,
						     .timeout_ns = 5,
						     .asker = "bolt",
						     .person = {(const uint8_t *)"person", 6},
						     .kind = QUESTION_COMMAND,
						     .twin = "acme/a",
						     .property = "",
						     .command = {(const uint8_t *)"command", 7},
						     .permit = true,
						     .seen = 3}};
struct message full_command_answer = {.kind = MESSAGE_ANSWER,
				      .nonce = 1,
				      .frame = 2,
				      .answer = {.id = 4,
						 .last = true,
						 .text = "",
						 .kind = QUESTION_COMMAND,
						 .unit = "",
						 .command = {(const uint8_t *)"record", 6}}};

static struct bytes signed_form(struct arena *a, const struct buf *payload)
{
	const struct signed_blob blob = {buf_bytes(payload), {"key"}, "signature"};
	SCOPED(buf_fini) struct buf out = {0};

	must(buf_check(payload) == 0);
	signed_blob_encode(&blob, &out);
	must(buf_check(&out) == 0);
	return (struct bytes){(const uint8_t *)arena_text(a, buf_bytes(&out)), out.len};
}

struct bytes signed_command(struct arena *a)
{
	SCOPED(buf_fini) struct buf payload = {0};

	command_encode(&full_command, &payload);
	return signed_form(a, &payload);
}

struct bytes signed_permit(struct arena *a)
{
	SCOPED(buf_fini) struct buf payload = {0};

	permit_encode(&full_standing_permit, &payload);
	return signed_form(a, &payload);
}

struct command_record full_record(struct arena *a)
{
	struct command_step *steps = arena_take_array(a, 3, sizeof *steps);
	const struct command_step all[3] = {
		{COMMAND_PENDING, 1, "bolt/bob", "", BYTES("receipt 1"), {0}, {0}},
		{COMMAND_CONFIRMED, 2, "acme/eva", "", BYTES("receipt 2"), BYTES("permit"), BYTES("person")},
		{COMMAND_FAILED, 3, "acme/north", "the guard was open", {0}, {0}, {0}},
	};

	must(steps);
	memcpy(steps, all, sizeof all);
	return (struct command_record){.command = signed_command(a),
				       .person = BYTES("credential"),
				       .sent = true,
				       .steps = steps,
				       .n_steps = COUNT(all),
				       .confirm_role = "shift-lead",
				       .received_ns = 9};
}

/* ---- one interface to all of them */

#define COMMAND_CODEC(object) \
	static void encode_##object(const void *o, struct buf *out) \
	{ \
		object##_encode(o, out); \
	} \
	static int decode_##object(struct arena *a, struct bytes in, void *ret) \
	{ \
		return object##_decode(a, in, ret); \
	}
COMMAND_CODEC(command)
COMMAND_CODEC(permit)
COMMAND_CODEC(receipt)
COMMAND_CODEC(command_record)
COMMAND_CODEC(message)

const struct command_codec command_codecs[N_COMMAND_CODECS] = {
	{"command", encode_command, decode_command},
	{"permit", encode_permit, decode_permit},
	{"receipt", encode_receipt, decode_receipt},
	{"record", encode_command_record, decode_command_record},
};

void command_examples(struct arena *a, struct command_example ret[N_COMMAND_EXAMPLES])
{
	static const struct command_codec message = {"message", encode_message, decode_message};
	const struct command_record record = full_record(a);
	const struct command_example all[N_COMMAND_EXAMPLES] = {
		{&command_codecs[0], {.command = full_command}},
		{&command_codecs[1], {.permit = full_permit}},
		{&command_codecs[1], {.permit = full_standing_permit}},
		{&command_codecs[2], {.receipt = full_receipt}},
		{&command_codecs[3], {.command_record = record}},
		{&command_codecs[3],
		 {.command_record = {.confirm_role = "", .permit = signed_permit(a), .used = 7}}},
		{&message, {.message = full_command_question}},
		{&message, {.message = full_command_answer}},
	};

	memcpy(ret, all, sizeof all);
}
