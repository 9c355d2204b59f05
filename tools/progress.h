/* SPDX-License-Identifier: Apache-2.0 */
/* Progress - a bar on stderr for work that takes a while; nothing when stderr is not a terminal. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct progress {
	const char *what;
	size_t total, done;
	int64_t shown_ms;
	bool on;
};

/* `quiet`: never show it. */
void progress_start(struct progress *p, const char *what, size_t total, bool quiet);
void progress_add(struct progress *p, size_t n);
void progress_stop(struct progress *p); /* takes the bar away */
