/* SPDX-License-Identifier: Apache-2.0 */
/* Commands - the records of commands (proto/command.h) as the store keeps them: bytes by id, in the order in
 * which they came first. What is in them, and which are to go, their writer knows (node/commands.h).
 *
 * In state/, beside the table:  'c' id (16): number (8), record
 *
 * Owner:   embeds the struct, zeroed is empty. Threads: one at a time.
 */
#pragma once

#include "proto/map.h"
#include "storage/changeset.h"
#include "storage/store.h"

struct kept_command {
	struct store_command pub;
	uint64_t number; /* rises with who came first */
	struct kept_command *older, *newer;
	char key[2 * COMMAND_ID_BYTES + 1]; /* of the map: the id as text */
};

struct kept_commands {
	struct map by_id;
	struct kept_command *newest, *oldest;
	uint64_t last; /* number given */
	size_t bytes;  /* of all records */
	struct changeset changes;
};

void kept_commands_fini(struct kept_commands *k);

/* Put it in the place of the one that is there, or, without a record, let that one go. -ENOMEM. */
MUST_CHECK int kept_commands_put(struct kept_commands *k, const struct op_command *op);
const struct kept_command *kept_commands_find(const struct kept_commands *k,
					      const uint8_t id[COMMAND_ID_BYTES]);

/* What has changed is to go into `to` behind what is in it. -ENOMEM: nothing has. */
MUST_CHECK int kept_commands_take(struct kept_commands *k, struct changeset *to);
/* Fill empty ones. ERR_CORRUPT, -ENOMEM. */
MUST_CHECK int kept_commands_load(struct kept_commands *k, struct env_txn *txn);
