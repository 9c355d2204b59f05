/* SPDX-License-Identifier: Apache-2.0 */
/* Log share - how many lines of the log each peer may cause in a minute (STYLE 1.9).
 *
 * Who has had its share is said once; how many lines were left out is said with its next one. All peers
 * together have a share too, so that no number of them fills a disk.
 *
 * Owner: embeds the struct, zeroed is empty. Threads: one at a time.
 */
#pragma once

#include "proto/map.h"

enum { LOG_SHARE_PEER = 20, LOG_SHARE_ALL = 1000, LOG_SHARE_PEERS_MAX = 4096 };

struct log_window {
	int64_t began_ns;
	uint32_t lines, left_out;
};
struct log_shares {
	struct map peers; /* ORG/NODE -> its window */
	struct log_window all;
};
void log_shares_fini(struct log_shares *s);

/* May a line about this peer be written? `now_ns` is monotonic. */
bool log_share_take(struct log_shares *s, const char *org, const char *node, int64_t now_ns);
