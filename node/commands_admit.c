/* SPDX-License-Identifier: Apache-2.0 */
#include <stdio.h>

#include "node/commands_private.h"
#include "node/record.h"
#include "proto/clock.h"
#include "proto/hash.h"
#include "proto/id.h"
#include "proto/words.h"

enum { STILL_BYTES = 2 << 20 };

/* ---- Signatures -------------------------------------------------------------------------------------------
 */

static const char *asking_org(const struct commands *cs, const struct command_in *in)
{
	return in->by->org[0] ? in->by->org : cs->e->trust->self->org;
}

/* Whoever may open the socket, for a twin of this node. */
static int admit_unsigned(struct commands *cs, const struct command_in *in, struct taken *t,
			  struct err_note *note)
{
	const struct credential *self = cs->e->trust->self;

	if (strcmp(asking_org(cs, in), self->org) != 0 || strcmp(in->node, cs->e->origin) != 0)
		return FAIL_SAY(note, ERR_DENIED, "a command from elsewhere is signed by a person");
	const int r = command_decode(t->arena, in->blob, &t->command);
	if (r < 0)
		return FAIL_SAY(note, r, "the command is not readable");
	if (t->command.person[0] || strcmp(t->command.org, self->org) != 0)
		return FAIL_SAY(note, ERR_UNTRUSTED, "the command speaks for somebody who did not sign it");
	return 0;
}

/* Inside an organisation the node that hands it in is the one it names; what comes across a border, or from
 * a border on its behalf, was seen to by that organisation's own border. */
static int check_node(const struct commands *cs, const struct command_in *in, const struct command *c,
		      struct err_note *note)
{
	const char *own = cs->e->trust->self->org, *node = id_local(in->node);
	const struct credential *by = org_node(&cs->e->trust->own.org, node);

	if (strcmp(c->org, own) != 0 || strcmp(c->node, node) == 0)
		return 0;
	if (by && by->roles & ROLE_BORDER && strcmp(in->node, cs->e->origin) != 0)
		return 0;
	return FAIL_SAY(note, ERR_UNTRUSTED, "the command is to be sent through %s/%s, and came from %s",
			c->org, c->node, in->node);
}

static int admit_signed(struct commands *cs, const struct command_in *in, struct taken *t,
			struct err_note *note)
{
	const char *org = asking_org(cs, in);
	const struct partner *partner = trust_org(cs->e->trust, org);
	const struct signed_word word = {in->blob, in->by->credential};

	if (!partner)
		return FAIL_SAY(note, ERR_UNTRUSTED, "%s is not a trusted organisation", org);
	TRY(command_verify(t->arena, &partner->org, &word, trust_now(cs->e->trust), &t->command, &t->person,
			   note));
	return check_node(cs, in, &t->command, note);
}

static int check_times(struct commands *cs, const struct command *c, struct err_note *note)
{
	const int64_t now_ns = trust_now(cs->e->trust);
	char text[TIME_TEXT_SIZE];

	if (c->deadline_ns <= now_ns) {
		cs->counts[COMMANDS_LATE]++;
		return FAIL_SAY(note, ERR_REFUSED,
				"the deadline of the command was %s and is over: nothing was done",
				time_text(c->deadline_ns, text));
	}
	if (c->issued_ns > now_ns + COMMAND_AHEAD_S * NS_PER_S)
		return FAIL_SAY(note, ERR_REFUSED,
				"the command was issued %s, in the future: are the clocks of both machines "
				"right?",
				time_text(c->issued_ns, text));
	return 0;
}

static void note_untrusted(struct commands *cs, const struct command_in *in, const char *what, int code,
			   const struct err_note *note)
{
	if (code != ERR_UNTRUSTED && code != ERR_MALFORMED)
		return;
	cs->counts[COMMANDS_UNTRUSTED]++;
	record_refused_of(cs->e->journal, asking_org(cs, in), id_local(in->node), what, code, note);
}

int admit_word(struct commands *cs, const struct command_in *in, struct taken *t, struct err_note *note)
{
	struct arena *a = t->arena;

	*t = (struct taken){.arena = a, .blob = in->blob, .credential = in->by->credential};
	if (in->by->nobody)
		return FAIL_SAY(note, ERR_DENIED, "the command is not of who it says");
	const int r = in->unsigned_ ? admit_unsigned(cs, in, t, note) : admit_signed(cs, in, t, note);
	note_untrusted(cs, in, "command", r, note);
	TRY(r);
	t->foreign = strcmp(t->command.org, cs->e->trust->self->org) != 0;
	return 0;
}

int admit_command(struct commands *cs, const struct command_in *in, struct taken *t, struct err_note *note)
{
	TRY(admit_word(cs, in, t, note));
	return check_times(cs, &t->command, note);
}

/* ---- Policy -----------------------------------------------------------------------------------------------
 */

static struct audience audience_for(const struct taken *t)
{
	struct audience to = audience_of(t->foreign ? t->command.org : "");

	to.roles = t->person.roles;
	to.n_roles = t->person.n_roles;
	return to;
}

/* NULL: it is not given, or no text, which is refused later. */
static const char *subject_of(const struct command *c, const char *argument)
{
	for (size_t i = 0; i < c->n_arguments; i++)
		if (strcmp(c->arguments[i].name, argument) == 0 && c->arguments[i].value.type == VALUE_TEXT)
			return c->arguments[i].value.text;
	return NULL;
}

static bool shows_property(const struct commands *cs, const struct audience *to, const struct row *full,
			   const char *name)
{
	const struct twin *own = store_twin(cs->e->store, full->id);

	if (own && !(own->type && type_property(&own->type->def, name, NULL)))
		return false;
	return egress_value(&cs->e->egress, to, full, name, row_kpi(full, name)) != FORM_NOTHING;
}

static bool shows_alarm_of(const struct commands *cs, const struct audience *to, const struct row *full,
			   const char *name)
{
	const uint64_t mask = egress_mask(&cs->e->egress, to, full);

	for (size_t i = 0; i < full->n_alarms; i++)
		if (strcmp(full->alarms[i].name, name) == 0)
			return mask & EGRESS_ALARM << i;
	return false;
}

/* What a built-in operation is about must be shown to them too, else its answer would tell what is there. */
static bool shows_subject(const struct commands *cs, const struct taken *t, const struct audience *to,
			  const struct row *full)
{
	const bool is_set = strcmp(t->command.operation, OPERATION_SET) == 0;
	const char *name = subject_of(&t->command, is_set ? "property" : "alarm");

	if (!t->foreign || !name || !operation_built_in(t->command.operation))
		return true;
	return is_set ? shows_property(cs, to, full, name) : shows_alarm_of(cs, to, full, name);
}

int admit_policy(struct commands *cs, const struct taken *t, struct policy_bounds *ret, struct err_note *note)
{
	const struct egress *egress = &cs->e->egress;
	const struct audience to = audience_for(t);
	struct row full;

	*ret = (struct policy_bounds){.confirm_role = ""};
	if (egress_full_row(egress, t->command.twin, t->arena, &full) < 0 ||
	    !egress_command(egress, &to, &full, t->command.operation, ret) ||
	    !shows_subject(cs, t, &to, &full))
		return egress_refuse(egress, &to, t->command.twin, note);
	ret->confirm_role = text_or_empty(ret->confirm_role);
	return 0;
}

int admit_still(struct commands *cs, const struct live *l, struct policy_bounds *ret, struct err_note *note)
{
	const struct partner *partner = trust_org(cs->e->trust, l->command.org);
	SCOPED(scope_arena) struct arena *a = NULL;
	struct taken t = {.command = l->command};

	TRY(arena_new(&a, STILL_BYTES));
	t.arena = a;
	t.foreign = strcmp(l->command.org, cs->e->trust->self->org) != 0;
	if (!partner)
		return FAIL_SAY(note, ERR_UNTRUSTED, "%s is not trusted any more", l->command.org);
	if (!l->record.unsigned_)
		TRY(org_verify_person(a, &partner->org, l->record.person, trust_now(cs->e->trust), &t.person,
				      note));
	return admit_policy(cs, &t, ret, note);
}

/* ---- Memory -----------------------------------------------------------------------------------------------
 */

/* Records go before their time only where there are too many, the oldest first. So when there are many, what
 * may have been issued before the oldest one came is not known to be new. */
int admit_new(const struct commands *cs, int64_t issued_ns, struct err_note *note)
{
	const struct store_command *oldest = store_command_oldest(cs->e->store);
	SCOPED(scope_arena) struct arena *a = NULL;
	struct command_record r;
	size_t n_bytes;

	if (store_commands(cs->e->store, &n_bytes) <= RECORDS_KEPT &&
	    n_bytes <= RECORDS_BYTES_MAX - COMMAND_RECORD_MAX)
		return 0;
	TRY(arena_new(&a, LIVE_BYTES));
	if (command_record_decode(a, oldest->record, &r) == 0 &&
	    issued_ns > r.received_ns + COMMAND_AHEAD_S * NS_PER_S)
		return 0;
	return FAIL_SAY(note, ERR_REFUSED,
			"not all of the time when it was issued is remembered here, so it may have come "
			"before: sign it anew");
}

/* ---- Rates ------------------------------------------------------------------------------------------------
 */

static uint64_t hash_of_what(const struct command *c)
{
	return hash64("command", bytes_of_text(c->twin), bytes_of_text(c->operation));
}

/* NULL without memory, or when there are too many organisations. */
static struct recent *recent_of(struct commands *cs, const char *org)
{
	for (size_t i = 0; i <= PARTNERS_MAX; i++) {
		if (!cs->recent[i]) {
			cs->recent[i] = calloc(1, sizeof *cs->recent[i]);
			if (cs->recent[i])
				snprintf(cs->recent[i]->org, sizeof cs->recent[i]->org, "%s", org);
			return cs->recent[i];
		}
		if (strcmp(cs->recent[i]->org, org) == 0)
			return cs->recent[i];
	}
	return NULL;
}

static void count_day(struct recent *r, int64_t t_ns)
{
	const int64_t day_ns = time_floor(t_ns, 86400 * NS_PER_S);

	if (day_ns < r->day_ns)
		return;
	r->n_of_day = day_ns == r->day_ns ? r->n_of_day + 1 : 1;
	r->day_ns = day_ns;
}

void admit_recall(struct commands *cs, const struct command *c, int64_t t_ns, bool allowed)
{
	struct recent *r = recent_of(cs, c->org);

	if (!r)
		return;
	count_day(r, t_ns);
	if (!allowed)
		return;
	const size_t place = r->n++ % RECENT_MAX;
	r->done[place].what = hash_of_what(c);
	r->done[place].t_ns = t_ns;
}

/* How many were allowed since a time; more than can be told: as if all were of this. */
static size_t allowed_since(const struct recent *r, uint64_t what, int64_t since_ns)
{
	const size_t kept = r->n < RECENT_MAX ? r->n : RECENT_MAX;
	size_t n = 0, n_younger = 0;

	for (size_t i = 0; i < kept; i++) {
		const bool younger = r->done[i].t_ns > since_ns;
		n_younger += younger;
		n += younger && r->done[i].what == what;
	}
	return n_younger == RECENT_MAX ? SIZE_MAX : n;
}

int admit_rate(struct commands *cs, const struct taken *t, const struct policy_bounds *b,
	       struct err_note *note)
{
	const struct command *c = &t->command;
	const int64_t now_ns = trust_now(cs->e->trust);
	struct recent *r = recent_of(cs, c->org);
	char text[DURATION_TEXT_SIZE];

	if (!r)
		return FAIL(-ENOMEM);
	if (b->rate_per_ns > 0 && allowed_since(r, hash_of_what(c), now_ns - b->rate_per_ns) >= b->rate)
		return FAIL_SAY(note, ERR_REFUSED, "%s of %s is allowed %u times in %s and was sent as often",
				c->operation, c->twin, b->rate, duration_text(b->rate_per_ns, text));
	if (t->foreign && r->day_ns == time_floor(now_ns, 86400 * NS_PER_S) &&
	    r->n_of_day >= COMMANDS_A_DAY_MAX)
		return FAIL_SAY(note, ERR_REFUSED, "%s has sent %d commands today: no more are taken", c->org,
				COMMANDS_A_DAY_MAX);
	if (commands_open_of(cs, c->org) >= OPEN_OF_ORG_MAX)
		return FAIL_SAY(note, ERR_REFUSED,
				"%d commands of %s have not ended: wait until some of them have",
				OPEN_OF_ORG_MAX, c->org);
	return 0;
}

/* ---- Permits ----------------------------------------------------------------------------------------------
 */

static bool has_role(const struct person *p, const char *role)
{
	return word_find(p->roles, p->n_roles, role) < p->n_roles;
}

int admit_permit(struct commands *cs, const struct command_in *in, struct arena *a, struct permit *ret,
		 struct person *ret_person, struct err_note *note)
{
	const struct trust *t = cs->e->trust;
	const struct signed_word word = {in->blob, in->by->credential};

	if (in->by->nobody || strcmp(asking_org(cs, in), t->self->org) != 0)
		return FAIL_SAY(note, ERR_DENIED, "only persons of %s confirm what is done to its twins",
				t->self->org);
	const int r = permit_verify(a, &t->own.org, &word, trust_now(t), ret, ret_person, note);
	note_untrusted(cs, in, "permit", r, note);
	TRY(r);
	if (ret->issued_ns > trust_now(t) + COMMAND_AHEAD_S * NS_PER_S)
		return FAIL_SAY(
			note, ERR_REFUSED,
			"the permit was issued in the future: are the clocks of both machines right?");
	return 0;
}

void standing_free(struct standing_permit *s)
{
	if (!s)
		return;
	arena_free(s->arena);
	free(s);
}

DEFINE_SCOPED(standing_permit, standing_free)

static bool is_spent(const struct standing_permit *s, int64_t now_ns)
{
	return s->record.used >= s->permit.times || s->permit.until_ns <= now_ns;
}

/* Those that are used up or over make room. */
static void forget_spent(struct commands *cs)
{
	const int64_t now_ns = trust_now(cs->e->trust);

	for (const struct live *l = cs->list; l; l = l->next)
		if (l->standing && l->n_durable == 0)
			return; /* it may be given back */
	for (struct standing_permit **at = &cs->standing; *at;) {
		struct standing_permit *s = *at;
		if (!is_spent(s, now_ns)) {
			at = &s->next;
			continue;
		}
		*at = s->next;
		standing_free(s);
	}
}

int standing_load(struct commands *cs, const uint8_t id[COMMAND_ID_BYTES], struct bytes record)
{
	SCOPED(scope_standing_permit) struct standing_permit *s = calloc(1, sizeof *s);
	struct signed_blob blob;
	size_t n = 0;

	if (!s)
		return FAIL(-ENOMEM);
	TRY(arena_new(&s->arena, LIVE_BYTES));
	memcpy(s->id, id, COMMAND_ID_BYTES);
	TRY(command_record_decode(s->arena, record, &s->record));
	TRY(signed_blob_decode(s->arena, s->record.permit, &blob));
	TRY(permit_decode(s->arena, blob.payload, &s->permit));
	if (is_spent(s, trust_now(cs->e->trust)))
		return 0;
	forget_spent(cs);
	for (const struct standing_permit *other = cs->standing; other; other = other->next)
		n++;
	if (n >= STANDING_MAX)
		return FAIL(ERR_FULL);
	s->next = cs->standing;
	cs->standing = MOVE(s);
	return 0;
}

/* The person still has the role: who was revoked or lost it since has confirmed nothing. */
static bool still_counts(struct commands *cs, const struct standing_permit *s, const char *role)
{
	SCOPED(scope_arena) struct arena *a = NULL;
	const struct trust *t = cs->e->trust;
	struct person p;

	return arena_new(&a, LIVE_BYTES) == 0 &&
	       org_verify_person(a, &t->own.org, s->record.person, trust_now(t), &p, NULL) == 0 &&
	       has_role(&p, role);
}

struct standing_permit *admit_standing(struct commands *cs, const struct taken *t, const char *role)
{
	const struct command *c = &t->command;

	for (struct standing_permit *s = cs->standing; s; s = s->next)
		if (!is_spent(s, trust_now(cs->e->trust)) && strcmp(s->permit.twin, c->twin) == 0 &&
		    strcmp(s->permit.operation, c->operation) == 0 && strcmp(s->permit.org, c->org) == 0 &&
		    still_counts(cs, s, role))
			return s;
	return NULL;
}
