/* SPDX-License-Identifier: Apache-2.0 */
#include "proto/codec.h"
#include "proto/command.h"
#include "proto/id.h"

static pb_data id_to_pb(const uint8_t id[COMMAND_ID_BYTES])
{
	return bytes_to_pb((struct bytes){id, COMMAND_ID_BYTES});
}

static bool word_is_segment(struct bytes word)
{
	return id_is_segment(word, PROPERTY_MAX);
}

static int arguments_from_pb(struct arena *a, PB(Argument) * *pb, size_t n, struct argument **ret,
			     size_t *ret_n)
{
	TRY(malformed_unless(n <= PARAMETERS_MAX));
	TRY(LIST_FROM_PB(a, pb, n, argument_from_pb, ret, ret_n));
	for (size_t i = 0; i < n; i++) {
		TRY(malformed_unless((*ret)[i].value.type != VALUE_NONE));
		for (size_t j = 0; j < i; j++)
			TRY(malformed_unless(strcmp((*ret)[i].name, (*ret)[j].name) != 0));
	}
	return 0;
}

/* ---- What a person signs ----------------------------------------------------------------------------------
 */

static int command_to_pb(struct arena *a, const struct command *c, PB(Command) * pb)
{
	pb->id = id_to_pb(c->id);
	pb->twin = text_to_pb(c->twin);
	pb->operation = text_to_pb(c->operation);
	pb->issued_ns = c->issued_ns;
	pb->deadline_ns = c->deadline_ns;
	pb->org = text_to_pb(c->org);
	pb->person = text_to_pb(c->person);
	pb->node = text_to_pb(c->node);
	return LIST_TO_PB(a, argument, c->arguments, c->n_arguments, argument_to_pb, &pb->arguments,
			  &pb->n_arguments);
}

static bool lasts(int64_t from_ns, int64_t to_ns)
{
	int64_t life_ns;

	return !__builtin_sub_overflow(to_ns, from_ns, &life_ns) && life_ns > 0 &&
	       life_ns <= COMMAND_LIFE_MAX_S * INT64_C(1000000000);
}

static int command_from_pb(struct arena *a, const PB(Command) * pb, struct command *ret)
{
	TRY(fixed_from_pb(pb->id, ret->id, sizeof ret->id));
	TRY(word_from_pb(pb->twin, id_is_twin, &ret->twin));
	TRY(word_from_pb(pb->operation, word_is_segment, &ret->operation));
	TRY(word_from_pb(pb->org, word_is_org, &ret->org));
	TRY(word_or_none_from_pb(pb->person, word_is_person, &ret->person));
	TRY(word_from_pb(pb->node, word_is_node, &ret->node));
	ret->issued_ns = pb->issued_ns;
	ret->deadline_ns = pb->deadline_ns;
	TRY(malformed_unless(lasts(pb->issued_ns, pb->deadline_ns)));
	return arguments_from_pb(a, pb->arguments, pb->n_arguments, &ret->arguments, &ret->n_arguments);
}

DEFINE_CODEC(command, Command, command)

enum { PERMIT_TIMES_MAX = 100000 };

static int permit_to_pb(struct arena *a, const struct permit *p, PB(Permit) * pb)
{
	(void)a;
	if (p->has_id)
		pb->id = id_to_pb(p->id);
	pb->twin = text_to_pb(p->twin);
	pb->operation = text_to_pb(p->operation);
	pb->org = text_to_pb(p->org);
	pb->times = p->times;
	pb->issued_ns = p->issued_ns;
	pb->until_ns = p->until_ns;
	pb->by_org = text_to_pb(p->by_org);
	pb->person = text_to_pb(p->person);
	pb->refuse = p->refuse;
	return 0;
}

/* Of an operation beforehand: which, whose, how often, until when; there is nothing to refuse. */
static int standing_permit_from_pb(const PB(Permit) * pb, struct permit *ret)
{
	TRY(word_from_pb(pb->twin, id_is_twin, &ret->twin));
	TRY(word_from_pb(pb->operation, word_is_segment, &ret->operation));
	TRY(word_from_pb(pb->org, word_is_org, &ret->org));
	ret->times = pb->times;
	ret->until_ns = pb->until_ns;
	return malformed_unless(pb->times >= 1 && pb->times <= PERMIT_TIMES_MAX && !pb->refuse &&
				lasts(pb->issued_ns, pb->until_ns));
}

static int permit_from_pb(struct arena *a, const PB(Permit) * pb, struct permit *ret)
{
	(void)a;
	ret->issued_ns = pb->issued_ns;
	ret->refuse = pb->refuse;
	TRY(word_from_pb(pb->by_org, word_is_org, &ret->by_org));
	TRY(word_from_pb(pb->person, word_is_person, &ret->person));
	ret->twin = ret->operation = ret->org = "";
	ret->has_id = pb->id.len > 0;
	if (!ret->has_id)
		return standing_permit_from_pb(pb, ret);
	TRY(word_from_pb(pb->twin, id_is_twin, &ret->twin));
	return fixed_from_pb(pb->id, ret->id, sizeof ret->id);
}

DEFINE_CODEC(permit, Permit, permit)

/* ---- What the owner says ----------------------------------------------------------------------------------
 */

static int state_from_pb(PB(CommandState) pb, enum command_state *ret)
{
	TRY(ENUM_FROM_PB(pb, N_COMMAND_STATES, ret));
	return malformed_unless(*ret != COMMAND_NONE);
}

static int receipt_to_pb(struct arena *a, const struct receipt *r, PB(Receipt) * pb)
{
	(void)a;
	pb->command = bytes_to_pb((struct bytes){r->command, sizeof r->command});
	pb->id = id_to_pb(r->id);
	pb->number = r->number;
	pb->state = (PB(CommandState))r->state;
	pb->t_ns = r->t_ns;
	pb->who = text_to_pb(r->who);
	pb->text = text_to_pb(r->text);
	pb->node = text_to_pb(r->node);
	return 0;
}

static int receipt_from_pb(struct arena *a, const PB(Receipt) * pb, struct receipt *ret)
{
	(void)a;
	TRY(fixed_from_pb(pb->command, ret->command, sizeof ret->command));
	TRY(fixed_from_pb(pb->id, ret->id, sizeof ret->id));
	TRY(malformed_unless(pb->number >= 1 && pb->number <= COMMAND_STEPS_MAX));
	TRY(state_from_pb(pb->state, &ret->state));
	ret->number = pb->number;
	ret->t_ns = pb->t_ns;
	TRY(text_from_pb(pb->who, SOURCE_MAX, &ret->who));
	TRY(text_from_pb(pb->text, REASON_MAX, &ret->text));
	return word_from_pb(pb->node, word_is_origin, &ret->node);
}

DEFINE_CODEC(receipt, Receipt, receipt)

/* ---- Records ----------------------------------------------------------------------------------------------
 */

static int step_to_pb(struct arena *a, const struct command_step *s, PB(CommandStep) * pb)
{
	(void)a;
	pb->state = (PB(CommandState))s->state;
	pb->t_ns = s->t_ns;
	pb->who = text_to_pb(s->who);
	pb->text = text_to_pb(s->text);
	pb->receipt = bytes_to_pb(s->receipt);
	pb->permit = bytes_to_pb(s->permit);
	pb->permit_person = bytes_to_pb(s->permit_person);
	return 0;
}

static int step_from_pb(struct arena *a, const PB(CommandStep) * pb, struct command_step *ret)
{
	(void)a;
	TRY(state_from_pb(pb->state, &ret->state));
	ret->t_ns = pb->t_ns;
	TRY(text_from_pb(pb->who, SOURCE_MAX, &ret->who));
	TRY(text_from_pb(pb->text, REASON_MAX, &ret->text));
	TRY(blob_from_pb(pb->receipt, COMMAND_MAX, &ret->receipt));
	TRY(blob_from_pb(pb->permit, COMMAND_MAX, &ret->permit));
	return blob_from_pb(pb->permit_person, CREDENTIAL_MAX, &ret->permit_person);
}

static int command_record_to_pb(struct arena *a, const struct command_record *r, PB(CommandRecord) * pb)
{
	pb->command = bytes_to_pb(r->command);
	pb->unsigned_ = r->unsigned_;
	pb->person = bytes_to_pb(r->person);
	pb->sent = r->sent;
	pb->confirm_role = text_to_pb(r->confirm_role);
	pb->received_ns = r->received_ns;
	pb->permit = bytes_to_pb(r->permit);
	pb->used = r->used;
	return LIST_TO_PB(a, command_step, r->steps, r->n_steps, step_to_pb, &pb->steps, &pb->n_steps);
}

/* What is in it, decoded for its checks alone. */
static int check_permit(struct arena *a, struct bytes encoded)
{
	struct signed_blob blob;
	struct permit p;

	TRY(signed_blob_decode(a, encoded, &blob));
	TRY(permit_decode(a, blob.payload, &p));
	return malformed_unless(!p.has_id);
}

static int command_record_from_pb(struct arena *a, const PB(CommandRecord) * pb, struct command_record *ret)
{
	struct command inside;

	TRY(blob_from_pb(pb->command, COMMAND_MAX, &ret->command));
	TRY(blob_from_pb(pb->person, CREDENTIAL_MAX, &ret->person));
	TRY(blob_from_pb(pb->permit, COMMAND_MAX, &ret->permit));
	TRY(word_or_none_from_pb(pb->confirm_role, word_is_person, &ret->confirm_role));
	ret->unsigned_ = pb->unsigned_;
	ret->sent = pb->sent;
	ret->received_ns = pb->received_ns;
	ret->used = pb->used;
	TRY(malformed_unless(pb->n_steps <= COMMAND_STEPS_MAX));
	TRY(LIST_FROM_PB(a, pb->steps, pb->n_steps, step_from_pb, &ret->steps, &ret->n_steps));
	if (ret->permit.len > 0)
		return check_permit(a, ret->permit);
	TRY(malformed_unless(ret->n_steps > 0));
	return command_of_record(a, ret, &inside);
}

DEFINE_CODEC(command_record, CommandRecord, command_record)

int command_of_record(struct arena *a, const struct command_record *r, struct command *ret)
{
	struct signed_blob blob;

	if (r->unsigned_)
		return command_decode(a, r->command, ret);
	TRY(signed_blob_decode(a, r->command, &blob));
	return command_decode(a, blob.payload, ret);
}
