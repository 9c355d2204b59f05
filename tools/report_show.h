/* SPDX-License-Identifier: Apache-2.0 */
/* Report show - parts of what nodes say of the mesh, for people and as JSON: what `status`, `peer list` and
 * `mesh` have in common.
 */
#pragma once

#include "proto/report.h"
#include "tools/json.h"

/* A line `what   text`. */
typedef void report_line_fn(const char *what, const char *text);

void report_counts_json(struct json *j, const struct mesh_counts *c); /* under "mesh" */
void report_counts_text(struct arena *a, const struct mesh_counts *c, report_line_fn *line);

void report_alarms_json(struct json *j, const struct alarm_info *alarms, size_t n); /* under "alarms" */
void report_alarms_text(struct arena *a, const struct alarm_info *alarms, size_t n);

void report_duration_json(struct json *j, const char *key, int64_t ns); /* below 0: null */
void report_peer_json(struct json *j, const struct peer_info *p);

/* `2.1 s ago`, `never`; of an age `2.1 s`, `unknown`. In the arena. */
const char *report_heard_words(struct arena *a, int64_t heard_ns);
const char *report_age_words(struct arena *a, int64_t age_ns);
/* How far behind: `0`, `37`, `2 origins` when nobody tells how many changes. In the arena. */
const char *report_lag_words(struct arena *a, const struct peer_info *p);
/* `3.2 GiB` */
const char *report_size_words(struct arena *a, uint64_t bytes);
