/* SPDX-License-Identifier: Apache-2.0 */
/* Modbus line - one connection to Modbus devices, kept up on a thread of its own (libmodbus waits): spans are
 * read at their times, what is to be written is written first. News come back to the loop.
 *
 * Owner:   the adapter, until `closed` came. Threads: functions and callbacks on the loop's; the map is read
 *          by the thread and must not change before `closed`.
 */
#pragma once

#include <uv.h>

#include "node/modbus_map.h"
#include "proto/command.h"

struct modbus_line;

enum { MODBUS_JOBS_MAX = 256, MODBUS_JOB_WRITES = 16, MODBUS_NEWS_MAX = 256 };

/* Words to be written one after the other, for one order. */
struct modbus_job {
	uint8_t id[COMMAND_ID_BYTES]; /* is_command: of it */
	bool is_command;
	int64_t deadline_ns; /* wall clock; 0: none. Not begun after it */
	char refused[128];   /* not empty: it cannot be written, and this is why */
	size_t n;
	struct {
		struct modbus_place place;
		uint16_t words[MODBUS_WORDS_MAX];
	} writes[MODBUS_JOB_WRITES];
};

enum modbus_job_end { MODBUS_WRITTEN, MODBUS_EXPIRED, MODBUS_NOT_WRITTEN };

struct modbus_line_options {
	const struct modbus_map *map;
	/* All words, or bits as words, of a span, and when they came (wall clock). */
	void (*read)(void *ctx, const struct modbus_span *span, const uint16_t *words, int64_t t_ns);
	/* A device says no to a span, or nothing: why. */
	void (*denied)(void *ctx, const struct modbus_span *span, const char *why);
	void (*connected)(void *ctx);
	/* Why it is not connected; how many milliseconds to wait before the next try. */
	uint64_t (*lost)(void *ctx, const char *why);
	void (*done)(void *ctx, const struct modbus_job *job, enum modbus_job_end how, const char *why);
	void (*closed)(void *ctx);
	void *ctx;
};

MUST_CHECK int modbus_line_open(struct modbus_line **ret, uv_loop_t *loop,
				const struct modbus_line_options *opt);
/* Ends within the timeout of an answer; then `closed` comes, and the line is gone. */
void modbus_line_close(struct modbus_line *l);
/* False: too many wait. */
bool modbus_line_write(struct modbus_line *l, const struct modbus_job *job);
/* Read nothing for a while, or go on. */
void modbus_line_pause(struct modbus_line *l, bool pause);
