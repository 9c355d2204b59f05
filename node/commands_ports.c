/* SPDX-License-Identifier: Apache-2.0 */
/* What commands of this node end in: its adapters, and what it does itself. */
#include "node/adapter.h"
#include "node/commands_private.h"
#include "node/judge.h"
#include "node/settle.h"
#include "proto/clock.h"

static int order(struct engine *e, const struct order *order, struct err_note *note)
{
	if (!e->adapters)
		return FAIL_SAY(note, ERR_ABSENT, "no adapter has this twin");
	return adapters_order(e->adapters, order, note);
}

/* ---- Built-in operations; their arguments were fitted: all are there --------------------------------------
 */

static const struct value *argument_of(const struct command *c, const char *name)
{
	static const struct value none = {.type = VALUE_TEXT, .text = ""};

	for (size_t i = 0; i < c->n_arguments; i++)
		if (strcmp(c->arguments[i].name, name) == 0)
			return &c->arguments[i].value;
	return &none;
}

static int64_t seconds_of(const struct command *c, const char *name)
{
	const struct value *v = argument_of(c, name);

	return v->type == VALUE_DOUBLE ? (int64_t)(v->real * (double)NS_PER_S) : 0;
}

static int act_on_alarm(struct engine *e, const struct command *c, const char *who, acted_fn *done, void *ctx,
			struct err_note *note)
{
	const int64_t for_ns = seconds_of(c, "for_s");
	const struct alarm_act act = {.twin = c->twin,
				      .name = argument_of(c, "alarm")->text,
				      .who = who,
				      .comment = argument_of(c, "comment")->text,
				      .shelve = strcmp(c->operation, OPERATION_SHELVE) == 0,
				      .until_ns = for_ns > 0 ? trust_now(e->trust) + for_ns : 0};

	if (!e->judge)
		return FAIL_SAY(note, ERR_ABSENT, "this node has no alarms");
	return judge_act(e->judge, &act, done, ctx, note);
}

static int act_on_value(struct engine *e, const struct command *c, const char *who, acted_fn *done, void *ctx,
			struct err_note *note)
{
	const struct settle_wish wish = {.twin = c->twin,
					 .property = argument_of(c, "property")->text,
					 .value = argument_of(c, "value")->text,
					 .who = who,
					 .within_ns = seconds_of(c, "within_s")};

	if (!e->settle)
		return FAIL_SAY(note, ERR_ABSENT, "this node takes no desired values");
	return settle_set(e->settle, &wish, done, ctx, note);
}

static int act(struct engine *e, const struct command *c, const char *who, acted_fn *done, void *ctx,
	       struct err_note *note)
{
	return strcmp(c->operation, OPERATION_SET) == 0 ? act_on_value(e, c, who, done, ctx, note)
							: act_on_alarm(e, c, who, done, ctx, note);
}

const struct commands_ports commands_ports_of_node = {.order = order, .act = act};
