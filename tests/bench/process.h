/* SPDX-License-Identifier: Apache-2.0 */
/* Process - a program that a bench starts beside itself (holond, a peer), what it costs, and its end.
 *
 * Owner: the caller, who ends what was started; should the bench die first, the kernel kills it.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

struct process_options {
	const char *log;         /* where its output goes, appended */
	const char *user;        /* whom it runs as if the bench is root; NULL: as the bench */
	size_t memory_bytes;     /* limit of what it may take for itself (RLIMIT_DATA); 0: none */
	const char *ready_flag;  /* behind it goes a descriptor on which the process writes when it serves */
	int64_t ready_within_ms; /* with ready_flag: how long to wait for that */
};

/* Start argv[0] (found in PATH) with up to 30 arguments. 0, or -1: it could not start or did not get ready.
 */
int process_start(const char *const argv[], const struct process_options *opt, pid_t *ret);
/* Run to its end; the exit code, -1 when it did not exit by itself. */
int process_run(const char *const argv[], const struct process_options *opt);
/* Ask it to end (SIGTERM) and wait; after ten seconds kill it. 0, or -1: it had to be killed or had died. */
int process_stop(pid_t pid);
void process_kill(pid_t pid);  /* SIGKILL, and wait until it is gone; 0: nothing */
bool process_runs(pid_t *pid); /* one that ended by itself becomes 0 */

bool process_finds(const char *program); /* is it in PATH? */

/* A line of /proc/PID/status or /proc/PID/io, such as "RssAnon:" (kB become bytes) or "write_bytes:".
 * -1: not to be had. */
int64_t process_figure(pid_t pid, const char *file, const char *field);

/* Seconds of processor time that a process has used, all its threads; negative: it is gone. */
double process_cpu_s(pid_t pid);

/* A TCP port of the loopback that is free just now; 0: none. */
uint16_t free_port(void);

/* Sectors of 512 bytes written to the disk that holds `path`, by everybody. -1: not to be had. */
int64_t disk_sectors_written(const char *path);
