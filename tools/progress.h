/* SPDX-License-Identifier: Apache-2.0 */
/* Progress - a bar on stderr for work that takes a while; nothing when stderr is not a terminal. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct progress {
	const char *what;
	size_t total, done;  /* total 0: nobody knows, so there is no bar */
	const char *counted; /* what n_counted are, shown with their rate; NULL: nothing is */
	uint64_t n_counted;
	int64_t began_ms;
	int64_t shown_ms;
	bool on;
};

/* `quiet`: never show it. */
void progress_start(struct progress *p, const char *what, size_t total, bool quiet);
void progress_add(struct progress *p, size_t n);
void progress_hide(struct progress *p); /* before something else is written; the next step shows it again */
void progress_stop(struct progress *p); /* takes the bar away */
