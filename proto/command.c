/* SPDX-License-Identifier: Apache-2.0 */
#include "proto/command.h"

#include "proto/twin.h"
#include "proto/words.h"

static const char *const state_words[N_COMMAND_STATES] = {"none", "pending", "confirmed", "accepted",
							  "done", "failed",  "timed out", "refused"};

const char *command_state_text(enum command_state state)
{
	return word_at(state_words, N_COMMAND_STATES, state);
}

bool command_state_parse(const char *text, enum command_state *ret)
{
	const size_t i = word_find(state_words, N_COMMAND_STATES, text);

	if (i == COMMAND_NONE || i == N_COMMAND_STATES)
		return false;
	*ret = (enum command_state)i;
	return true;
}

/* ---- Ids --------------------------------------------------------------------------------------------------
 */

void command_id_text(const uint8_t id[COMMAND_ID_BYTES], char ret[COMMAND_ID_TEXT_SIZE])
{
	static const char digits[] = "0123456789abcdef";

	for (size_t i = 0; i < COMMAND_ID_BYTES; i++) {
		ret[2 * i] = digits[id[i] >> 4];
		ret[2 * i + 1] = digits[id[i] & 15];
	}
	ret[COMMAND_ID_TEXT_SIZE - 1] = '\0';
}

static int digit_of(char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	if (c >= 'a' && c <= 'f')
		return c - 'a' + 10;
	return c >= 'A' && c <= 'F' ? c - 'A' + 10 : -1;
}

bool command_id_parse(const char *text, uint8_t ret[COMMAND_ID_BYTES])
{
	uint8_t id[COMMAND_ID_BYTES];

	if (!text || strlen(text) != COMMAND_ID_TEXT_SIZE - 1)
		return false;
	for (size_t i = 0; i < COMMAND_ID_BYTES; i++) {
		const int high = digit_of(text[2 * i]), low = digit_of(text[2 * i + 1]);
		if (high < 0 || low < 0)
			return false;
		id[i] = (uint8_t)(high << 4 | low);
	}
	memcpy(ret, id, sizeof id);
	return true;
}

/* ---- Arguments --------------------------------------------------------------------------------------------
 */

static struct argument *find_argument(struct argument *arguments, size_t n, const char *name)
{
	for (size_t i = 0; i < n; i++)
		if (strcmp(arguments[i].name, name) == 0)
			return &arguments[i];
	return NULL;
}

static bool has_parameter(const struct operation_def *op, const char *name)
{
	for (size_t i = 0; i < op->n_parameters; i++)
		if (strcmp(op->parameters[i].name, name) == 0)
			return true;
	return false;
}

/* An argument is not a measurement: what is no number is no argument either. */
static int fit_one(const struct operation_def *op, const struct property_def *p, struct argument *x,
		   struct err_note *note)
{
	struct err_note why = {0};
	double number;

	value_fit(&x->value, p->type);
	const struct sample s = {.value = x->value, .sigma = NAN, .source = ""};
	if (property_accepts(p, &s, &why) < 0)
		return FAIL_SAY(note, ERR_REFUSED, "argument of %s: %.200s", op->name, why.text);
	if (value_number(&x->value, &number) && !isfinite(number))
		return FAIL_SAY(note, ERR_REFUSED, "argument '%.80s' of %s is not a number", p->name,
				op->name);
	return 0;
}

int command_fit(const struct operation_def *op, struct argument *arguments, size_t n, struct err_note *note)
{
	for (size_t i = 0; i < n; i++) {
		if (!has_parameter(op, arguments[i].name))
			return FAIL_SAY(note, ERR_REFUSED, "%s has no argument '%.80s'", op->name,
					arguments[i].name);
		if (find_argument(arguments, i, arguments[i].name))
			return FAIL_SAY(note, ERR_REFUSED, "the argument '%.80s' of %s is given twice",
					arguments[i].name, op->name);
	}
	for (size_t i = 0; i < op->n_parameters; i++) {
		const struct property_def *p = &op->parameters[i];
		struct argument *x = find_argument(arguments, n, p->name);
		if (!x)
			return FAIL_SAY(note, ERR_REFUSED, "%s lacks its argument '%.80s' (%s%s%s)", op->name,
					p->name, value_type_text(p->type),
					text_or_empty(p->unit)[0] ? " in " : "", text_or_empty(p->unit));
		TRY(fit_one(op, p, x, note));
	}
	return 0;
}

/* ---- What every twin does ---------------------------------------------------------------------------------
 */

enum { SHELVE_MAX_S = 7 * 86400 };

#define TEXT_PARAMETER(text) \
	{ \
		.name = (text), .type = VALUE_TEXT, .unit = "", .min = NAN, .max = NAN \
	}
#define SECONDS_PARAMETER(text, most) \
	{ \
		.name = (text), .type = VALUE_DOUBLE, .unit = "s", .min = 0, .max = (most) \
	}

const struct operation_def *operation_built_in(const char *name)
{
	static const struct property_def ack[] = {TEXT_PARAMETER("alarm"), TEXT_PARAMETER("comment")};
	static const struct property_def shelve[] = {
		TEXT_PARAMETER("alarm"), SECONDS_PARAMETER("for_s", SHELVE_MAX_S), TEXT_PARAMETER("comment")};
	static const struct property_def set[] = {TEXT_PARAMETER("property"), TEXT_PARAMETER("value"),
						  SECONDS_PARAMETER("within_s", COMMAND_LIFE_MAX_S)};
	/* operation_def is what a decoder fills in, so its arrays are not const; nobody writes these. */
	static const struct operation_def built_in[] = {
		{OPERATION_ACK, "acknowledge an alarm", (struct property_def *)(uintptr_t)ack, N_WORDS(ack),
		 0},
		{OPERATION_SHELVE, "shelve an alarm", (struct property_def *)(uintptr_t)shelve,
		 N_WORDS(shelve), 0},
		{OPERATION_SET, "set the desired value of a property", (struct property_def *)(uintptr_t)set,
		 N_WORDS(set), 0},
	};

	for (size_t i = 0; i < N_WORDS(built_in); i++)
		if (strcmp(built_in[i].name, text_or_empty(name)) == 0)
			return &built_in[i];
	return NULL;
}
