/* SPDX-License-Identifier: Apache-2.0 */
/* Disk - every call by which the store and LMDB look at or change files, on its way to the kernel. A program
 * linked with this has the libc calls replaced, for its libraries too; the code under test knows nothing of
 * it. Calls outside the watched directory pass unseen.
 *
 * What is written through a map is not seen: LMDB does that to its lock file only.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum disk_call {
	DISK_OPEN,   /* of a file that is there, or of a directory */
	DISK_CREATE, /* open() that made the file */
	DISK_READ,
	DISK_MAP,
	DISK_WRITE,
	DISK_RESIZE, /* ftruncate, posix_fallocate */
	DISK_SYNC,   /* fsync, fdatasync; also what follows a write to a file opened with O_DSYNC */
	DISK_MKDIR,
	DISK_RENAME,
	DISK_UNLINK,
	DISK_RMDIR,
	DISK_LOCK,
	N_DISK_CALLS
};

struct disk_event {
	enum disk_call call;
	char path[128]; /* below the watched directory, as it was opened; "" is the directory itself */
	char to[128];   /* of a rename */
	uint64_t inode;
	uint64_t offset; /* write: where; resize: the new size */
	size_t len;
	const void *data; /* of a write, until the listener returns */
	bool direct;      /* sync: of this range only (O_DSYNC) */
};

typedef void disk_listener_fn(void *ctx, const struct disk_event *e);

/* Watch what happens below a directory from now on; NULL: nothing. The listener (may be NULL) hears of each
 * call that succeeded. */
void disk_watch(const char *dir, disk_listener_fn *listener, void *ctx);

/* Which call is to fail, of those in the mask and below the watched directory. */
struct disk_fault {
	unsigned calls; /* mask of 1 << enum disk_call */
	long after;     /* so many succeed first; negative: none ever fails */
	long times;     /* then so many fail; negative: all that follow */
	int error;      /* 0: a write that is cut short by half */
	bool late;      /* it happens all the same, and then is said to have failed */
};
void disk_fail(struct disk_fault fault);
long disk_failures(void);             /* since disk_fail() */
long disk_calls(enum disk_call call); /* since disk_watch() */
const char *disk_call_text(enum disk_call call);
