/* SPDX-License-Identifier: Apache-2.0 */
/* Bench - what every measurement of holon-bench has in common: its row in the table, and the line it prints.
 *
 * Figures are medians or percentiles over many runs; a peer that does the same work beside it in the same run
 * is printed with its ratio. Timings never decide a test.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct bench_options {
	const char *data;   /* the folder of real data (--data or HOLON_DATA); NULL: none */
	const char *source; /* root of the source tree, for deploy/demo.sh */
	const char *holond; /* the program of the node: --holond, else the one of this build */
	const char *place; /* where stores and peers work: --place, else TMPDIR; on the disk to be measured */
	bool quick;        /* small and short: whether everything works, no figures to be quoted */
	bool json;
};

struct bench {
	const char *name, *summary;
	int (*run)(const struct bench_options *opt); /* 0, or -1 after saying why on standard error */
};

extern const struct bench bench_alarms, bench_join, bench_handshake, bench_audit, bench_edit, bench_policy,
	bench_sign, bench_walk, bench_grid;
extern const struct bench bench_ingest, bench_curve, bench_client, bench_single, bench_backfill, bench_read,
	bench_memory, bench_recovery, bench_revoke, bench_wear, bench_history_size, bench_history_scan;
extern const struct bench bench_detect, bench_idle, bench_propagate, bench_catch_up, bench_initial,
	bench_heal, bench_sim, bench_repair;
extern const struct bench bench_view_mesh, bench_view_lost, bench_view_wan, bench_watch, bench_find,
	bench_view_local, bench_view_cached, bench_mqtt, bench_command;

/* Print one figure. `peer` NULL: there is none; its value NaN: it is absent, and the line says so. */
void bench_figure(const struct bench_options *opt, const char *bench, const char *bench_case, double value,
		  const char *unit, const char *peer, double peer_value);
void bench_result(const struct bench_options *opt, const char *bench, const char *bench_case, double value,
		  const char *unit);
/* Why there is no figure, on standard error. Returns -1. */
int bench_say(const char *bench, const char *format, ...) __attribute__((format(printf, 2, 3)));

double bench_now_s(void); /* monotonic */
void bench_pause_ms(int64_t ms);
/* Make a directory of its own in opt->place; bench_remove() takes it away with all that is in it. */
int bench_place(const struct bench_options *opt, char *ret, size_t size);
void bench_remove(const char *dir); /* "" is fine */
/* The p-th part (0..1) of n values; sorts them. */
double bench_quantile(double *values, size_t n, double p);
