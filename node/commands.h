/* SPDX-License-Identifier: Apache-2.0 */
/* Commands - the life of commands: those of own twins (as their owner) and those sent from here (DESIGN 9,
 * proto/command.h).
 *
 * As owner: verified (signature, credential, node, times), decided by policy (right command, rate, role that
 * has to confirm) like every question, fitted to the type's operation, made durable as OP_COMMAND, and only
 * then confirmed, handed to an adapter (adapters_order()) or done by the node itself. Each step is made
 * durable before it is told, and audited. The same id with other content is refused. Handed over again after
 * a restart, with the same id, as long as the deadline is ahead and nothing was heard.
 *
 * Owner:   the engine. Threads: the loop's.
 */
#pragma once

#include "node/audience.h"
#include "node/engine.h"
#include "proto/control.h"

struct commands;

/* Who does it: what stands behind is plugged in by the engine, and by tests. */
typedef void acted_fn(void *ctx, int code, const char *text);
struct commands_ports {
	/* As adapters_order(). */
	int (*order)(struct engine *e, const struct order *order, struct err_note *note);
	/* Do a built-in operation; `done` is called, later, with 0 when it is durable. */
	int (*act)(struct engine *e, const struct command *c, const char *who, acted_fn *done, void *ctx,
		   struct err_note *note);
};

MUST_CHECK int commands_start(struct commands **ret, struct engine *e);
void commands_stop(struct commands *cs, void (*done)(struct engine *e));
void commands_free(struct commands *cs); /* NULL is fine */
/* From here on by these; a function of NULL: nobody does that. */
void commands_connect(struct commands *cs, const struct commands_ports *ports);

/* How a command or a permit came in. */
struct command_in {
	struct bytes blob; /* as in question.command or control_request.blob */
	bool unsigned_, permit;
	const char *twin;          /* of a permit: to whose owner it goes; "": this node */
	const struct audience *by; /* verified: whose it must be */
	const char *node;          /* ORG/NODE that asks */
	uint32_t seen;             /* steps known already */
	int64_t wait_ns;           /* how long to wait for more */
};
/* `code` 0: the record as it stands, perhaps refused; else a sentence, and no record. The record dies with
 * the call. `last`: nothing more is said. */
typedef void command_fn(void *ctx, int code, const char *text, const struct command_record *record,
			bool last);

/* As the owner of the twin. */
MUST_CHECK int commands_take(struct commands *cs, const struct command_in *in, command_fn *done, void *ctx,
			     struct err_note *note);
/* From here: to the twin's owner, this node or another; `done` is called, later, for every new step, with
 * `last` when the command has ended or wait_ns is over. */
MUST_CHECK int commands_send(struct commands *cs, const struct command_in *in, command_fn *done, void *ctx,
			     struct err_note *note);
/* What an asset says; false: there is no such command, or it is over. `adapter`: who says it. */
bool commands_on_word(struct commands *cs, const char *adapter, const struct command_word *word);
/* Twice a second: deadlines, and handing over again what could not be. */
void commands_tick(struct commands *cs);

/* QUESTION_COMMAND of a peer: taken here, or handed on to the owner behind this border, or, for a node of the
 * own organisation, to another one. `record`: encoded, as it may leave; empty unless `code` is 0. `done` is
 * called once, perhaps before this returns; not when it fails. */
struct question;
struct session;
struct command_question {
	const struct question *question;
	const struct audience *to; /* who asks, its person not verified: command and permit prove theirs */
	const struct session *from;
	int64_t time_ns;
};
typedef void command_answer_fn(void *ctx, int code, const char *text, struct bytes record);
MUST_CHECK int commands_question(struct commands *cs, const struct command_question *q,
				 command_answer_fn *done, void *ctx);

/* What was counted: names and numbers, for status; false: no such place. */
bool commands_count(const struct commands *cs, size_t place, const char **ret_name, uint64_t *ret);
