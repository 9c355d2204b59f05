/* SPDX-License-Identifier: Apache-2.0 */
/* World - a node of acme without sockets: a store in a scratch directory, a policy, partners volt and harbor.
 */
#pragma once

#include "node/engine.h"

extern struct engine world;
extern size_t world_checkpoint_bytes; /* of the store that world_set_up() opens; 0: as usual */
extern const char *world_dir;         /* of that store */

void world_set_up(void);    /* for a suite's .init */
void world_tear_down(void); /* for its .fini */

/* Put a policy in force; `rules` follow the lines that name the organisations. */
void world_policy(const char *rules);
/* Stage, write and apply ops as the writer would; aborts when one is refused. */
void world_put(const struct op *ops, size_t n);

void world_type(const char *name, const char *kpi, const char *plain, const char *unit);
void world_twin(const char *id, const char *type, const char *tag); /* tag NULL: none */
void world_relation(const char *type, const char *from, const char *to);
void world_value(const char *id, const char *property, int64_t t_ns, double value);
