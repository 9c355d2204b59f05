/* SPDX-License-Identifier: Apache-2.0 */
/* What control messages say of live assets: orders and words, adapters, alarms. */
#include "proto/codec.h"
#include "proto/control.h"
#include "proto/id.h"

int argument_to_pb(struct arena *a, const struct argument *g, PB(Argument) * pb)
{
	const struct sample bare = {.value = g->value, .sigma = NAN};

	pb->name = text_to_pb(g->name);
	return ONE_TO_PB(a, sample, &bare, sample_to_pb, &pb->value);
}

int argument_from_pb(struct arena *a, const PB(Argument) * pb, struct argument *ret)
{
	struct sample bare;

	TRY(malformed_unless(pb->value));
	TRY(word_from_pb(pb->name, id_is_name, &ret->name));
	TRY(sample_from_pb(a, pb->value, &bare));
	ret->value = bare.value;
	return 0;
}

int command_word_to_pb(struct arena *a, const struct command_word *w, PB(CommandWord) * pb)
{
	(void)a;
	pb->id = bytes_to_pb((struct bytes){w->id, sizeof w->id});
	pb->state = (PB(CommandState))w->state;
	pb->text = text_to_pb(w->text);
	return 0;
}

int command_word_from_pb(struct arena *a, const PB(CommandWord) * pb, struct command_word *ret)
{
	(void)a;
	TRY(fixed_from_pb(pb->id, ret->id, sizeof ret->id));
	TRY(ENUM_FROM_PB(pb->state, N_COMMAND_STATES, &ret->state));
	TRY(malformed_unless(ret->state >= COMMAND_ACCEPTED && ret->state <= COMMAND_FAILED));
	return sentence_from_pb(pb->text, SENTENCE_MAX, &ret->text);
}

static int counter_to_pb(struct arena *a, const struct counter *c, PB(Counter) * pb)
{
	(void)a;
	pb->name = text_to_pb(c->name);
	pb->value = c->value;
	return 0;
}

static int counter_from_pb(struct arena *a, const PB(Counter) * pb, struct counter *ret)
{
	(void)a;
	ret->value = pb->value;
	return sentence_from_pb(pb->name, SENTENCE_MAX, &ret->name);
}

int adapter_info_to_pb(struct arena *a, const struct adapter_info *i, PB(AdapterInfo) * pb)
{
	pb->name = text_to_pb(i->name);
	pb->kind = text_to_pb(i->kind);
	pb->state = text_to_pb(i->state);
	pb->text = text_to_pb(i->text);
	pb->since_ns = i->since_ns;
	return LIST_TO_PB(a, counter, i->counters, i->n_counters, counter_to_pb, &pb->counters,
			  &pb->n_counters);
}

int adapter_info_from_pb(struct arena *a, const PB(AdapterInfo) * pb, struct adapter_info *ret)
{
	ret->since_ns = pb->since_ns;
	TRY(sentence_from_pb(pb->name, SENTENCE_MAX, &ret->name));
	TRY(sentence_from_pb(pb->kind, SENTENCE_MAX, &ret->kind));
	TRY(sentence_from_pb(pb->state, SENTENCE_MAX, &ret->state));
	TRY(sentence_from_pb(pb->text, SENTENCE_MAX, &ret->text));
	return LIST_FROM_PB(a, pb->counters, pb->n_counters, counter_from_pb, &ret->counters,
			    &ret->n_counters);
}

int dead_letter_to_pb(struct arena *a, const struct dead_letter *l, PB(DeadLetter) * pb)
{
	(void)a;
	pb->t_ns = l->t_ns;
	pb->adapter = text_to_pb(l->adapter);
	pb->source = text_to_pb(l->source);
	pb->reason = text_to_pb(l->reason);
	pb->payload = bytes_to_pb(l->payload);
	pb->count = l->count;
	return 0;
}

int dead_letter_from_pb(struct arena *a, const PB(DeadLetter) * pb, struct dead_letter *ret)
{
	(void)a;
	ret->t_ns = pb->t_ns;
	ret->count = pb->count;
	TRY(sentence_from_pb(pb->adapter, SENTENCE_MAX, &ret->adapter));
	TRY(sentence_from_pb(pb->source, SENTENCE_MAX, &ret->source));
	TRY(sentence_from_pb(pb->reason, SENTENCE_MAX, &ret->reason));
	return blob_from_pb(pb->payload, SENTENCE_MAX, &ret->payload);
}

int twin_alarm_to_pb(struct arena *a, const struct twin_alarm *t, PB(TwinAlarm) * pb)
{
	pb->twin = text_to_pb(t->twin);
	pb->origin = text_to_pb(t->origin);
	pb->who = text_to_pb(t->who);
	pb->until_ns = t->until_ns;
	pb->text = text_to_pb(t->text);
	return ONE_TO_PB(a, row_alarm, &t->alarm, row_alarm_to_pb, &pb->alarm);
}

int twin_alarm_from_pb(struct arena *a, const PB(TwinAlarm) * pb, struct twin_alarm *ret)
{
	TRY(malformed_unless(pb->alarm));
	TRY(word_from_pb(pb->twin, id_is_twin, &ret->twin));
	TRY(word_from_pb(pb->origin, word_is_origin, &ret->origin));
	TRY(sentence_from_pb(pb->who, SENTENCE_MAX, &ret->who));
	TRY(sentence_from_pb(pb->text, SENTENCE_MAX, &ret->text));
	ret->until_ns = pb->until_ns;
	TRY(row_alarm_from_pb(a, pb->alarm, &ret->alarm));
	return malformed_unless(ret->alarm.state != ALARM_CLEARED);
}

int order_to_pb(struct arena *a, const struct order *o, PB(Order) * pb)
{
	if (o->is_command)
		pb->id = bytes_to_pb((struct bytes){o->id, sizeof o->id});
	else
		TRY(ONE_TO_PB(a, sample, &o->desired, sample_to_pb, &pb->desired));
	pb->twin = text_to_pb(o->twin);
	pb->operation = text_to_pb(o->operation);
	pb->deadline_ns = o->deadline_ns;
	pb->person = text_to_pb(o->person);
	return LIST_TO_PB(a, argument, o->arguments, o->n_arguments, argument_to_pb, &pb->arguments,
			  &pb->n_arguments);
}

int order_from_pb(struct arena *a, const PB(Order) * pb, struct order *ret)
{
	ret->is_command = pb->id.len > 0;
	ret->deadline_ns = pb->deadline_ns;
	TRY(malformed_unless(ret->is_command != (pb->desired != NULL) && pb->n_arguments <= PARAMETERS_MAX));
	if (ret->is_command)
		TRY(fixed_from_pb(pb->id, ret->id, sizeof ret->id));
	else
		TRY(sample_from_pb(a, pb->desired, &ret->desired));
	TRY(word_from_pb(pb->twin, id_is_twin, &ret->twin));
	TRY(word_from_pb(pb->operation, id_is_name, &ret->operation));
	TRY(sentence_from_pb(pb->person, SENTENCE_MAX, &ret->person));
	return LIST_FROM_PB(a, pb->arguments, pb->n_arguments, argument_from_pb, &ret->arguments,
			    &ret->n_arguments);
}
