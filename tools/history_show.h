/* SPDX-License-Identifier: Apache-2.0 */
/* History, shown - samples or buckets one a line, in three forms. Nothing is kept: a page goes out as it
 * comes.
 */
#pragma once

#include <stdio.h>

#include "proto/control.h"

enum history_form { HISTORY_TEXT, HISTORY_JSON, HISTORY_CSV };

/* What a bucket amounts to, as named on the command line. */
enum history_fn {
	HISTORY_COUNT,
	HISTORY_BAD,
	HISTORY_MEAN,
	HISTORY_SD,
	HISTORY_MIN,
	HISTORY_MAX,
	HISTORY_SUM,
	HISTORY_LAST,
	N_HISTORY_FNS,
};
bool history_fn_parse(const char *word, enum history_fn *ret);
const char *history_fn_text(enum history_fn fn);

struct history_show {
	FILE *out;
	enum history_form form;
	bool buckets;
	const char *unit;                   /* "" for none */
	enum history_fn fns[N_HISTORY_FNS]; /* of buckets */
	size_t n_fns;
};

/* Those that are shown when nobody asks for any: in text the few that fit a line. */
void history_show_defaults(struct history_show *h);

void history_show_head(const struct history_show *h); /* of CSV, nothing else has one */
/* A line; the arena is for its words only. */
void history_show_sample(const struct history_show *h, struct arena *a, const struct sample *s);
void history_show_bucket(const struct history_show *h, struct arena *a, const struct history_bucket *b);
