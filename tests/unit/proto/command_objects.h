/* SPDX-License-Identifier: Apache-2.0 */
/* Command objects - in which every field has a value, behind one interface, for tests and fuzzing. */
#pragma once

#include "proto/command.h"
#include "proto/message.h"

struct command_codec {
	const char *name;
	void (*encode)(const void *object, struct buf *out);
	int (*decode)(struct arena *a, struct bytes in, void *ret);
};

union any_command {
	struct command command;
	struct permit permit;
	struct receipt receipt;
	struct command_record command_record;
	struct message message;
};

struct command_example {
	const struct command_codec *codec;
	union any_command object;
};

enum { N_COMMAND_CODECS = 4, N_COMMAND_EXAMPLES = 8 };
extern const struct command_codec command_codecs[N_COMMAND_CODECS];

/* Some of them lie in the arena. */
void command_examples(struct arena *a, struct command_example ret[N_COMMAND_EXAMPLES]);

extern struct command full_command;
extern struct permit full_permit, full_standing_permit;
extern struct receipt full_receipt;
extern struct message full_command_question, full_command_answer;
/* The command signed by nobody in particular; a standing permit alike. */
struct bytes signed_command(struct arena *a);
struct bytes signed_permit(struct arena *a);
struct command_record full_record(struct arena *a);
