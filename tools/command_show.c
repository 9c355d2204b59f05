/* SPDX-License-Identifier: Apache-2.0 */
#include "tools/command_show.h"

#include <sodium.h>

#include "proto/clock.h"
#include "tools/print.h"

enum { KEY_TEXT_SIZE = 2 * KEY_BYTES + 1, KEY_SHOWN = 16 };

enum command_state command_record_state(const struct command_record *r)
{
	return r->n_steps > 0 ? r->steps[r->n_steps - 1].state : COMMAND_NONE;
}

const char *command_words(struct arena *a, const struct command *c)
{
	const char *text = arena_print(a, "%s(", c->operation);

	for (size_t i = 0; text && i < c->n_arguments; i++) {
		const char *value = value_text(a, &c->arguments[i].value);
		text = value ? arena_print(a, "%s%s%s=%s", text, i > 0 ? ", " : "", c->arguments[i].name,
					   value)
			     : NULL;
	}
	if (text)
		text = arena_print(a, "%s) at %s", text, c->twin);
	return text ? text : "";
}

static const char *whose(struct arena *a, const struct command *c)
{
	const char *text = *c->person ? arena_print(a, "%s/%s", c->org, c->person)
				      : arena_print(a, "%s/%s, unsigned", c->org, c->node);

	return text ? text : "";
}

void command_show_head(FILE *out, struct arena *a, const struct command *c)
{
	char id[COMMAND_ID_TEXT_SIZE], until[TIME_TEXT_SIZE];

	command_id_text(c->id, id);
	paint(out, PAINT_BOLD, id);
	fputs("  ", out);
	print_clean(out, command_words(a, c));
	fprintf(out, "\nby ");
	print_clean(out, whose(a, c));
	fprintf(out, ", until %s\n", time_text(c->deadline_ns, until));
}

static enum paint colour_of(enum command_state state)
{
	switch (state) {
	case COMMAND_DONE: return PAINT_GOOD;
	case COMMAND_FAILED:
	case COMMAND_TIMED_OUT:
	case COMMAND_REFUSED: return PAINT_ALARM;
	case COMMAND_PENDING: return PAINT_WARNING;
	case COMMAND_NONE:
	case COMMAND_CONFIRMED:
	case COMMAND_ACCEPTED:
	case N_COMMAND_STATES: break;
	}
	return PAINT_PLAIN;
}

void command_show_step(FILE *out, const struct command_step *step)
{
	const char *state = command_state_text(step->state);
	char at[TIME_TEXT_SIZE];

	paint(out, colour_of(step->state), state);
	fprintf(out, "%*s  %s  ", (int)(9 - strlen(state)), "", time_text(step->t_ns, at));
	print_clean(out, step->who);
	if (*step->text) {
		fputs(": ", out);
		print_clean(out, step->text);
	}
	putc('\n', out);
}

/* ---- JSON ------------------------------------------------------------------------------------------------
 */

static void key_text(const struct public_key *key, char ret[KEY_TEXT_SIZE])
{
	sodium_bin2hex(ret, KEY_TEXT_SIZE, key->b, sizeof key->b);
}

static void proof_member(struct json *j, const char *name, const struct proof *p)
{
	char key[KEY_TEXT_SIZE];

	json_open(j, name, '{');
	json_text(j, "worth", proof_worth_text(p->worth));
	if (p->worth != PROOF_NONE) {
		key_text(&p->key, key);
		json_text(j, "by", p->who);
		json_text(j, "key", key);
	}
	json_close(j);
}

static int step_json(struct json *j, struct arena *a, const struct command_record *r, size_t i,
		     const struct proof_orgs *known)
{
	const struct command_step *s = &r->steps[i];
	struct proof step, permit;

	json_open(j, NULL, '{');
	json_text(j, "state", command_state_text(s->state));
	json_time(j, "t", s->t_ns);
	json_text(j, "who", s->who);
	json_text(j, "text", s->text);
	if (known) {
		TRY(proof_of_step(a, r, i, known, &step));
		TRY(proof_of_permit(a, s, known, &permit));
		proof_member(j, "receipt", &step);
		if (permit.worth != PROOF_NONE)
			proof_member(j, "permit", &permit);
	}
	json_close(j);
	return 0;
}

static void arguments_json(struct json *j, const struct command *c)
{
	json_open(j, "arguments", '{');
	for (size_t i = 0; i < c->n_arguments; i++)
		json_value(j, c->arguments[i].name, &c->arguments[i].value);
	json_close(j);
}

static int read_permit(struct arena *a, struct bytes encoded, struct permit *ret)
{
	struct signed_blob blob;

	TRY(signed_blob_decode(a, encoded, &blob));
	return permit_decode(a, blob.payload, ret);
}

const char *command_permit_words(struct arena *a, const struct command_record *r)
{
	char until[TIME_TEXT_SIZE];
	struct permit p;

	if (read_permit(a, r->permit, &p) < 0)
		return "";
	const char *text = arena_print(
		a, "%s at %s, when %s sends it, %u of %u times done, until %s: says %s/%s", p.operation,
		p.twin, p.org, r->used, p.times, time_text(p.until_ns, until), p.by_org, p.person);
	return text ? text : "";
}

/* A permit that stands for commands to come. */
static int permit_json(struct json *j, struct arena *a, const struct command_record *r)
{
	struct permit p;

	TRY(read_permit(a, r->permit, &p));
	json_open(j, "permit", '{');
	json_text(j, "twin", p.twin);
	json_text(j, "operation", p.operation);
	json_text(j, "org", p.org);
	json_count(j, "times", p.times);
	json_count(j, "used", r->used);
	json_time(j, "until", p.until_ns);
	json_text(j, "by_org", p.by_org);
	json_text(j, "by", p.person);
	json_close(j);
	return 0;
}

static int command_json(struct json *j, struct arena *a, const struct command_record *r)
{
	char id[COMMAND_ID_TEXT_SIZE];
	struct command c;

	TRY(command_of_record(a, r, &c));
	command_id_text(c.id, id);
	json_text(j, "id", id);
	json_text(j, "twin", c.twin);
	json_text(j, "operation", c.operation);
	arguments_json(j, &c);
	json_text(j, "state", command_state_text(command_record_state(r)));
	json_time(j, "issued", c.issued_ns);
	json_time(j, "deadline", c.deadline_ns);
	json_text(j, "org", c.org);
	json_text(j, "person", c.person);
	json_text(j, "node", c.node);
	json_text(j, "confirm_role", r->confirm_role);
	return 0;
}

int command_show_members(struct json *j, struct arena *a, const struct command_record *r,
			 const struct proof_orgs *known)
{
	struct proof command;

	TRY(r->permit.len > 0 ? permit_json(j, a, r) : command_json(j, a, r));
	json_bool(j, "sent", r->sent);
	json_time(j, "received", r->received_ns);
	if (r->permit.len > 0)
		return 0;
	if (known) {
		TRY(proof_of_command(a, r, known, &command));
		proof_member(j, "signature", &command);
	}
	json_open(j, "steps", '[');
	for (size_t i = 0; i < r->n_steps; i++)
		TRY(step_json(j, a, r, i, known));
	json_close(j);
	return 0;
}

/* ---- For people -------------------------------------------------------------------------------------------
 */

static void show_proof(FILE *out, const char *what, const struct proof *p)
{
	char key[KEY_TEXT_SIZE];

	if (p->worth == PROOF_NONE) {
		fprintf(out, "           %s: not signed\n", what);
		return;
	}
	key_text(&p->key, key);
	fprintf(out, "           %s: ", what);
	if (p->worth == PROOF_WRONG) {
		paint(out, PAINT_ALARM, "WRONG, it does not fit");
	} else {
		fputs("signed by ", out);
		print_clean(out, p->who);
	}
	fprintf(out, ", key %.*s%s\n", KEY_SHOWN, key,
		p->worth == PROOF_PROVEN ? " as its bundle has it" : "");
}

static int show_step(FILE *out, struct arena *a, const struct command_record *r, size_t i,
		     const struct proof_orgs *known)
{
	struct proof step, permit;

	command_show_step(out, &r->steps[i]);
	TRY(proof_of_permit(a, &r->steps[i], known, &permit));
	if (permit.worth != PROOF_NONE)
		show_proof(out, "permit", &permit);
	TRY(proof_of_step(a, r, i, known, &step));
	show_proof(out, "receipt", &step);
	return 0;
}

int command_show_record(FILE *out, struct arena *a, const struct command_record *r,
			const struct proof_orgs *known)
{
	struct proof proof;
	struct command c;

	if (r->permit.len > 0) {
		print_clean(out, command_permit_words(a, r));
		putc('\n', out);
		return 0;
	}
	TRY(command_of_record(a, r, &c));
	command_show_head(out, a, &c);
	TRY(proof_of_command(a, r, known, &proof));
	show_proof(out, "command", &proof);
	if (*r->confirm_role)
		fprintf(out, "to be confirmed by a %s\n", r->confirm_role);
	for (size_t i = 0; i < r->n_steps; i++)
		TRY(show_step(out, a, r, i, known));
	return 0;
}
