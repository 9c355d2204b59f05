/* SPDX-License-Identifier: Apache-2.0 */
/* A store in a scratch directory, and short ways to change it. Everything that must work is asserted. */
#pragma once

#include "proto/clock.h"
#include "storage/store.h"

#define NOW (INT64_C(1700000000) * NS_PER_S)

struct world {
	const char *dir;
	struct store *store;
	struct arena *arena;
	int64_t now_ns;
	size_t limit_bytes;
	size_t memory_bytes;
	bool squeeze_log;
	struct err_note note; /* of the last refusal */
};

extern struct world world;

void world_begin(void); /* fresh directory, open store of acme/north */
void world_end(void);

int world_try_open(const char *org, const char *node); /* into world.store; what store_open() said */
void world_reopen(void);                               /* close without a checkpoint, open: replay */
void world_checkpoint(void);

/* One op as one batch: what staging said; when it was 0 the op is written and applied. */
int world_do(const struct op *op);
int world_commit(struct batch *b);

/* Types `press` (asset; temperature double degC kpi, count int64, on bool, mode enum {auto, manual}, note
 * text, place position kpi) and `line` (system, no properties). */
void world_types(void);
struct type_def world_press(void);

int world_twin(const char *id, const char *type, enum kind kind);
int world_delete(const char *id);
int world_relate(const char *type, const char *from, const char *to);
int world_unrelate(const char *type, const char *from, const char *to);
int world_member(const char *hierarchy, const char *parent, const char *child, enum confirmation state);
int world_sample(const char *id, int64_t t_ns, double temperature);

struct sample number_at(int64_t t_ns, double v);

size_t property_of(const struct twin *t, const char *name);
/* The temperature at a time; NaN: none. */
double temperature_at(const char *id, int64_t at_ns);
/* "1=20.5 2=21 ..." of the temperature between two times (inclusive). */
const char *temperatures(const char *id, int64_t from_ns, int64_t to_ns);
