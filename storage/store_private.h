/* SPDX-License-Identifier: Apache-2.0 */
/* The store from inside: what store.c, apply.c, stage.c and checkpoint.c share. */
#pragma once

#include "storage/batch.h"
#include "storage/commands.h"
#include "storage/history.h"
#include "storage/log.h"
#include "storage/producers.h"
#include "storage/remote.h"
#include "storage/shape.h"
#include "storage/table.h"

struct store {
	char *dir;
	size_t limit_bytes;
	char org[ORG_NAME_MAX + 1], node[NODE_NAME_MAX + 1];
	int lock_fd;
	struct incarnation lineage[LINEAGE_MAX];
	size_t n_lineage;
	size_t checkpoint_bytes, memory_bytes;
	int64_t checkpoint_every_ns;
	bool squeeze_log;
	int64_t floor_ns; /* no stamp below it is given: the wall clock at opening */

	struct log *log;
	struct history *history;
	struct table table;
	struct remote remote;
	struct producers producers;
	struct kept_commands commands;
	uint64_t applied; /* number of the last batch in the table */
	struct store_shape shape;
	uint64_t state_position;  /* of the last one in state/ */
	uint64_t remote_position; /* in remote/ */

	uint64_t backlog_bytes;                   /* applied since the last checkpoint began */
	int64_t backlog_ns;                       /* wall time of the oldest of it */
	int64_t applied_ns;                       /* wall time of the latest */
	bool saving_memory;                       /* a checkpoint is due, whatever its size */
	struct changeset state_left, remote_left; /* of checkpoints that failed */
};

enum { PATH_BYTES = 4096 };

/* DIR/name */
void store_path(const struct store *s, const char *name, char ret[PATH_BYTES]);

bool store_is_own_origin(const struct store *s, const char *origin); /* ORG/NODE */

/* ---- apply.c ----------------------------------------------------------------------------------------------
 */

/* Bring a batch of the log into memory, as far as it is not in the environments already. ERR_CORRUPT,
 * -ENOMEM. */
MUST_CHECK int store_apply_sealed(struct store *s, uint64_t number, struct bytes sealed);

/* ---- checkpoint.c -----------------------------------------------------------------------------------------
 */

/* Read state/ and remote/ into memory and open the history; a new store gets its first meta record. */
MUST_CHECK int store_load(struct store *s, const struct store_options *opt, struct err_note *note);

/* Write into state/ which runs of the history count. */
MUST_CHECK int store_write_runs(struct store *s);

/* A store whose log is empty goes on as a new incarnation, durably. ERR_FULL after LINEAGE_MAX, -errno. */
MUST_CHECK int store_begin_incarnation(struct store *s, uint64_t fresh_id, struct err_note *note);
