/* SPDX-License-Identifier: Apache-2.0 */
/* A history of two series in a scratch directory, and what tests of it do over and over. */
#pragma once

#include "storage/merge.h"

#define SECOND_NS INT64_C(1000000000)

struct past {
	struct history *h;
	char dir[160];
	struct buf runs; /* those that count, as a checkpoint would keep them */
	struct series one, two;
	struct series_rule rules[10];
};
extern struct past world;

void past_begin(void);
void past_end(void);
void open_it(void);
void reopen(void);

void add(struct series *s, int64_t t_ns, double v);
/* n samples from a time on, a second apart; their values are their seconds. */
void add_seconds(struct series *s, int64_t begin_s, int64_t n);
int checkpoint(void);
struct series_rule rule_of(const void *ctx, uint32_t series);
int merge(void); /* 1: done; HISTORY_NOTHING is the same number */

void eight_runs(void);
/* Eight runs of three hours each, a sample every second. */
void a_day(void);

/* How many samples, and the sum of their values; what came before a failure counts. */
struct sum {
	size_t n;
	double values;
	int r;
};
struct sum read_all(const struct series *s, int64_t from_s, int64_t to_s);
int value_at(const struct series *s, int64_t at_s, double *ret);
struct bucket_range hours(int64_t from_s, int64_t to_s);
