/* SPDX-License-Identifier: Apache-2.0 */
/* Config - holond's settings: built-in < file (INI) < HOLON_* in the environment < flag (STYLE 1.10).
 *
 * One table in config.c {section, key, type, offset, default, min, max, help} feeds parsing, range checks,
 * `--check-config`, `--dump-config` (a sample file) and holon.conf(5). Unknown and repeated keys, bad units
 * and values out of range are errors that say file:line and key.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

#include "node/log.h"
#include "node/quota.h"
#include "node/zap_limit.h"
#include "proto/trust.h"

enum { CONTROL_KEYS_MAX = 64 };

/* Public CURVE keys of those who may give orders over the network. */
struct config_keys {
	size_t n;
	struct curve_key keys[CONTROL_KEYS_MAX];
};

struct config {
	/* [node] */
	char dir[512]; /* the node's directory: keys/, bundle, store/, control */
	/* [listen] `tcp://host:port`; empty: take the credential's; "none": do not listen */
	char own[256], border[256];
	char control[256]; /* for orders over the network; "none" or empty: the socket in the directory only
			    */
	char enrol[256];   /* for machines that join; "none" or empty: nowhere */
	/* [admin] */
	char organisation[512]; /* directory of the organisation; "none" */
	/* [control] */
	struct config_keys control_keys;
	/* [limits] */
	int64_t store_bytes; /* map size of each environment */
	int64_t frame_border_bytes, frame_own_bytes;
	int64_t handshake_ms;
	int64_t receive_mark, send_mark; /* frames */
	struct zap_limits door;
	struct quota_limits quota;
	int64_t session_ms;
	/* [mesh] */
	int64_t heads_every_ms, ping_every_ms, silence_ms, publish_every_ms, fork_margin_ms;
	/* [trust] */
	int64_t freshness_every_ms, freshness_ttl_ms;
	/* [view] */
	int64_t deadline_ms;      /* default deadline of a view */
	int64_t view_members_max; /* a view goes through so many at one node, unless it says otherwise */
	int64_t watch_refresh_ms;
	/* [store] */
	int64_t commit_interval_ms; /* 0: group commit as fast as the disk */
	int64_t checkpoint_every_ms;
	int64_t tombstone_age_ms, tombstone_max;
	/* [log] */
	enum log_level log_level;
};

void config_defaults(struct config *c);
/* Into a config that already holds defaults. ERR_REFUSED with a note `file:line: key: what`. A missing file
 * is an error only if `must_exist`. */
MUST_CHECK int config_read(struct config *c, const char *path, bool must_exist, struct err_note *note);
/* HOLON_<SECTION>_<KEY>, `-` as `_`. */
MUST_CHECK int config_environment(struct config *c, char *const environment[], struct err_note *note);
/* One `section.key=value` from the command line. */
MUST_CHECK int config_set(struct config *c, const char *assignment, struct err_note *note);
/* A commented sample file with the values in c. */
void config_dump(const struct config *c, FILE *out);
