/* SPDX-License-Identifier: Apache-2.0 */
#include "proto/command.h"

#include <criterion/criterion.h>
#include <criterion/new/assert.h>
#include <stdio.h>

#include "proto/clock.h"
#include "proto/twin.h"
#include "tests/unit/proto/command_objects.h"

static struct arena *arena;
static struct buf frame, again;
static struct command_example examples[N_COMMAND_EXAMPLES];

static void set_up(void)
{
	cr_assert(eq(int, arena_new(&arena, 16 << 20), 0));
	command_examples(arena, examples);
}

static void tear_down(void)
{
	arena_free(arena);
	arena = NULL;
	buf_fini(&frame);
	buf_fini(&again);
}

TestSuite(command, .init = set_up, .fini = tear_down);

Test(command, every_object_comes_back_as_it_was)
{
	for (size_t i = 0; i < N_COMMAND_EXAMPLES; i++) {
		union any_command back;
		buf_clear(&frame);
		buf_clear(&again);
		examples[i].codec->encode(&examples[i].object, &frame);
		cr_assert(eq(int, examples[i].codec->decode(arena, buf_bytes(&frame), &back), 0), "%zu", i);
		examples[i].codec->encode(&back, &again);
		cr_expect(bytes_equal(buf_bytes(&frame), buf_bytes(&again)), "example %zu", i);
	}
}

Test(command, nothing_that_was_cut_short_is_taken_for_whole)
{
	for (size_t i = 0; i < N_COMMAND_EXAMPLES; i++) {
		buf_clear(&frame);
		examples[i].codec->encode(&examples[i].object, &frame);
		for (size_t len = 0; len < frame.len; len++) {
			union any_command back;
			buf_clear(&again);
			if (examples[i].codec->decode(arena, (struct bytes){frame.data, len}, &back) < 0)
				continue;
			examples[i].codec->encode(&back, &again);
			cr_expect(not(bytes_equal(buf_bytes(&frame), buf_bytes(&again))), "%zu at %zu", i,
				  len);
		}
	}
}

/* What decoding says to the object after the change. */
#define DECODES(object, codec, change, expected) \
	do { \
		__typeof__(object) x = (object), y; \
		change; \
		buf_clear(&frame); \
		codec##_encode(&x, &frame); \
		cr_expect(eq(int, codec##_decode(arena, buf_bytes(&frame), &y), (expected)), #change); \
	} while (0)
#define MALFORMED(object, codec, change) DECODES(object, codec, change, ERR_MALFORMED)
#define GOOD(object, codec, change) DECODES(object, codec, change, 0)

static const char *run(size_t n)
{
	char *text = arena_take(arena, n + 1);

	return memset(text, 'a', n);
}

Test(command, a_command_names_whom_and_when)
{
	struct argument twice[2] = {full_command.arguments[0], full_command.arguments[0]};
	struct argument none = {"x", {.type = VALUE_NONE}};

	GOOD(full_command, command, x.person = "");
	MALFORMED(full_command, command, x.org = "");
	MALFORMED(full_command, command, x.org = "no org");
	MALFORMED(full_command, command, x.node = "");
	MALFORMED(full_command, command, x.twin = "acme");
	MALFORMED(full_command, command, x.operation = "");
	MALFORMED(full_command, command, x.operation = "two/segments");
	MALFORMED(full_command, command, x.deadline_ns = x.issued_ns);
	GOOD(full_command, command, x.deadline_ns = x.issued_ns + COMMAND_LIFE_MAX_S * NS_PER_S);
	MALFORMED(full_command, command, x.deadline_ns = x.issued_ns + COMMAND_LIFE_MAX_S * NS_PER_S + 1);
	MALFORMED(full_command, command, (x.issued_ns = INT64_MIN, x.deadline_ns = INT64_MAX));
	MALFORMED(full_command, command, (x.arguments = twice, x.n_arguments = 2));
	MALFORMED(full_command, command, (x.arguments = &none, x.n_arguments = 1));
}

Test(command, a_permit_is_of_one_command_or_says_of_what_and_how_long)
{
	GOOD(full_permit, permit, x.refuse = false);
	MALFORMED(full_permit, permit, x.person = "");
	MALFORMED(full_permit, permit, x.by_org = "");
	MALFORMED(full_permit, permit, x.has_id = false);
	MALFORMED(full_permit, permit, x.twin = "");
	MALFORMED(full_standing_permit, permit, x.times = 0);
	MALFORMED(full_standing_permit, permit, x.times = 100001);
	MALFORMED(full_standing_permit, permit, x.refuse = true);
	MALFORMED(full_standing_permit, permit, x.until_ns = x.issued_ns);
	MALFORMED(full_standing_permit, permit, x.org = "");
}

Test(command, a_receipt_is_of_a_step)
{
	MALFORMED(full_receipt, receipt, x.number = 0);
	MALFORMED(full_receipt, receipt, x.number = COMMAND_STEPS_MAX + 1);
	MALFORMED(full_receipt, receipt, x.state = COMMAND_NONE);
	MALFORMED(full_receipt, receipt, x.state = N_COMMAND_STATES);
	MALFORMED(full_receipt, receipt, x.node = "north");
	GOOD(full_receipt, receipt, x.text = run(REASON_MAX));
	MALFORMED(full_receipt, receipt, x.text = run(REASON_MAX + 1));
	MALFORMED(full_receipt, receipt, x.who = run(SOURCE_MAX + 1));
}

static struct command_step *steps(size_t n)
{
	struct command_step *list = arena_take_array(arena, n, sizeof *list);

	for (size_t i = 0; i < n; i++)
		list[i] = (struct command_step){.state = COMMAND_PENDING, .who = "", .text = ""};
	return list;
}

Test(command, a_record_is_of_a_command_or_a_standing_permit)
{
	struct command_record full = full_record(arena), permit = examples[5].object.command_record;

	GOOD(full, command_record, (x.steps = steps(COMMAND_STEPS_MAX), x.n_steps = COMMAND_STEPS_MAX));
	MALFORMED(full, command_record,
		  (x.steps = steps(COMMAND_STEPS_MAX + 1), x.n_steps = COMMAND_STEPS_MAX + 1));
	MALFORMED(full, command_record, x.n_steps = 0);
	MALFORMED(full, command_record, x.command = BYTES("no blob"));
	MALFORMED(full, command_record, x.unsigned_ = true);
	MALFORMED(full, command_record, x.confirm_role = "no role");
	MALFORMED(permit, command_record, x.permit = BYTES("no blob"));
	MALFORMED(permit, command_record, x.permit = signed_command(arena));
}

Test(command, a_question_without_a_command_is_none)
{
	struct message m = examples[6].object.message;

	MALFORMED(m, message, x.question.command = (struct bytes){0});
	MALFORMED(m, message, x.question.twin = "");
	GOOD(m, message, x.question.command = bytes_of_text(run(COMMAND_MAX)));
	MALFORMED(m, message, x.question.command = bytes_of_text(run(COMMAND_MAX + 1)));
}

Test(command, an_unsigned_one_is_read_from_its_record_too)
{
	struct command_record r = full_record(arena);
	struct command c;

	cr_assert(eq(int, command_of_record(arena, &r, &c), 0));
	cr_expect(strcmp(c.person, "bob") == 0);
	command_encode(&full_command, &frame);
	r.command = buf_bytes(&frame);
	r.unsigned_ = true;
	cr_assert(eq(int, command_of_record(arena, &r, &c), 0));
	cr_expect(strcmp(c.operation, "safe-stop") == 0);
}

/* ---- Words ------------------------------------------------------------------------------------------------
 */

Test(command, states_have_words)
{
	enum command_state back;

	for (enum command_state s = COMMAND_PENDING; s < N_COMMAND_STATES; s++) {
		cr_expect(command_state_parse(command_state_text(s), &back) && back == s);
		cr_expect(eq(int, command_state_is_final(s), s >= COMMAND_DONE));
	}
	cr_expect(not(command_state_parse("none", &back)));
	cr_expect(not(command_state_parse(NULL, &back)));
	cr_expect(strcmp(command_state_text(COMMAND_TIMED_OUT), "timed out") == 0);
}

Test(command, ids_are_32_digits)
{
	uint8_t id[COMMAND_ID_BYTES];
	char text[COMMAND_ID_TEXT_SIZE];

	cr_assert(command_id_parse("00ff10A7000000000000000000000001", id));
	command_id_text(id, text);
	cr_expect(strcmp(text, "00ff10a7000000000000000000000001") == 0);
	cr_expect(not(command_id_parse("00ff10a700000000000000000000000", id)));
	cr_expect(not(command_id_parse("00ff10a7000000000000000000000001a", id)));
	cr_expect(not(command_id_parse("00ff10a700000000000000000000000g", id)));
	cr_expect(not(command_id_parse(NULL, id)));
}

/* ---- Arguments --------------------------------------------------------------------------------------------
 */

static int fit(struct argument *arguments, size_t n, struct err_note *note)
{
	static const char *how[] = {"soft", "hard"};
	static struct property_def parameters[] = {
		{.name = "grace_s", .type = VALUE_DOUBLE, .unit = "s", .min = 0, .max = 60},
		{.name = "how", .type = VALUE_ENUM, .unit = "", .options = how, .n_options = 2},
	};
	static const struct operation_def stop = {
		.name = "safe-stop", .text = "", .parameters = parameters, .n_parameters = 2};

	parameters[1].min = parameters[1].max = NAN;
	*note = (struct err_note){0};
	return command_fit(&stop, arguments, n, note);
}

#define ARGUMENTS(...) \
	(struct argument[]){__VA_ARGS__}, sizeof((struct argument[]){__VA_ARGS__}) / sizeof(struct argument)
#define REFUSED(why, ...) \
	do { \
		struct err_note note; \
		cr_expect(eq(int, fit(ARGUMENTS(__VA_ARGS__), &note), ERR_REFUSED), why); \
		cr_expect(strstr(note.text, why) != NULL, "%s", note.text); \
	} while (0)
#define WHOLE(name, n) \
	{ \
		name, \
		{ \
			.type = VALUE_INT64, .integer = (n) \
		} \
	}
#define REAL(name, n) \
	{ \
		name, \
		{ \
			.type = VALUE_DOUBLE, .real = (n) \
		} \
	}
#define TEXT(name, t) \
	{ \
		name, \
		{ \
			.type = VALUE_TEXT, .text = (t) \
		} \
	}

Test(command, arguments_are_fitted_to_what_the_operation_wants)
{
	struct argument given[] = {TEXT("how", "hard"), WHOLE("grace_s", 3)};
	struct err_note note;

	cr_assert(eq(int, fit(given, 2, &note), 0), "%s", note.text);
	cr_expect(eq(int, given[0].value.type, VALUE_ENUM));
	cr_expect(eq(int, given[1].value.type, VALUE_DOUBLE));
	cr_expect(eq(dbl, given[1].value.real, 3));
}

Test(command, arguments_that_do_not_fit_are_refused_with_a_sentence)
{
	REFUSED("lacks its argument 'how'", WHOLE("grace_s", 3));
	REFUSED("no argument 'speed'", TEXT("how", "hard"), WHOLE("grace_s", 3), WHOLE("speed", 3));
	REFUSED("given twice", TEXT("how", "hard"), WHOLE("grace_s", 3), WHOLE("grace_s", 4));
	REFUSED("maximum", TEXT("how", "hard"), WHOLE("grace_s", 61));
	REFUSED("none of its options", TEXT("how", "gently"), WHOLE("grace_s", 6));
	REFUSED("is of type double", TEXT("how", "hard"), TEXT("grace_s", "long"));
	REFUSED("is not a number", TEXT("how", "hard"), REAL("grace_s", (double)NAN));
	REFUSED("is not a number", TEXT("how", "hard"), REAL("grace_s", (double)INFINITY));
}

Test(command, every_twin_has_some_operations)
{
	struct argument shelve[] = {TEXT("alarm", "heat"), WHOLE("for_s", 60), TEXT("comment", "")};
	struct err_note note;

	cr_assert(operation_built_in(OPERATION_ACK) && operation_built_in(OPERATION_SET));
	cr_expect(operation_built_in("safe-stop") == NULL);
	cr_expect(eq(int, command_fit(operation_built_in(OPERATION_SHELVE), shelve, 3, &note), 0));
	shelve[1].value = (struct value){.type = VALUE_DOUBLE, .real = 7 * 86400 + 1};
	cr_expect(eq(int, command_fit(operation_built_in(OPERATION_SHELVE), shelve, 3, &note), ERR_REFUSED));
}
