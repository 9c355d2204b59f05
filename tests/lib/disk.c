/* SPDX-License-Identifier: Apache-2.0 */
#define _GNU_SOURCE
#include "tests/lib/disk.h"

#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <unistd.h>

#include "tests/lib/must.h"

enum { FILES_MAX = 1024 };

/* A file below the watched directory that is open. */
struct file {
	bool open, direct;
	uint64_t inode;
	char path[128];
};

static struct {
	const char *dir;
	disk_listener_fn *listener;
	void *ctx;
	long calls[N_DISK_CALLS];
	struct disk_fault fault;
	long failures;
	struct file files[FILES_MAX];
} disk;

static const char *const texts[N_DISK_CALLS] = {"open", "create", "read",   "map",    "write", "resize",
						"sync", "mkdir",  "rename", "unlink", "rmdir", "lock"};

const char *disk_call_text(enum disk_call call)
{
	return texts[call];
}

void disk_watch(const char *dir, disk_listener_fn *listener, void *ctx)
{
	disk.dir = dir;
	disk.listener = listener;
	disk.ctx = ctx;
	memset(disk.calls, 0, sizeof disk.calls);
	memset(disk.files, 0, sizeof disk.files);
	disk_fail((struct disk_fault){.after = -1});
}

void disk_fail(struct disk_fault fault)
{
	disk.fault = fault;
	disk.failures = 0;
}

long disk_failures(void)
{
	return disk.failures;
}

long disk_calls(enum disk_call call)
{
	return disk.calls[call];
}

/* The path below the watched directory, or NULL. */
static const char *below(const char *path)
{
	const size_t n = disk.dir ? strlen(disk.dir) : 0;

	if (n == 0 || strncmp(path, disk.dir, n) != 0)
		return NULL;
	return path[n] == '/' ? path + n + 1 : path[n] == '\0' ? path + n : NULL;
}

static struct file *watched(int fd)
{
	return disk.dir && fd >= 0 && fd < FILES_MAX && disk.files[fd].open ? &disk.files[fd] : NULL;
}

/* Is it this call's turn to fail? */
static bool fails(enum disk_call call)
{
	struct disk_fault *f = &disk.fault;

	disk.calls[call]++;
	if (f->after < 0 || !(f->calls & 1U << call))
		return false;
	if (f->after > 0) {
		f->after--;
		return false;
	}
	if (f->times == 0)
		return false;
	if (f->times > 0)
		f->times--;
	disk.failures++;
	return true;
}

static void tell(struct disk_event e, const char *path)
{
	if (!disk.listener)
		return;
	snprintf(e.path, sizeof e.path, "%s", path);
	disk.listener(disk.ctx, &e);
}

/* A call that gives 0 or -1 and has one path; `r` is what the kernel said if it was asked. */
#define PLAIN_CALL(call, path, event, kernel) \
	const char *name = below(path); \
	const bool failing = name && fails(call); \
	if (failing && !disk.fault.late) { \
		errno = disk.fault.error; \
		return -1; \
	} \
	const int r = (int)(kernel); \
	if (r == 0 && name) \
		tell(event, name); \
	if (failing) { \
		errno = disk.fault.error; \
		return -1; \
	} \
	return r

/* The names below are bound to the libc calls by their assembler names: the headers' own declarations
 * redirect some of them elsewhere. */
#define REPLACES(name) __asm__(name) __attribute__((visibility("default"), used))

/* ---- Opening and closing ----------------------------------------------------------------------------------
 */

static void remember(int fd, const char *name, int flags, bool made)
{
	struct stat st;

	must(fd < FILES_MAX && strlen(name) < sizeof disk.files[fd].path && fstat(fd, &st) == 0);
	disk.files[fd] =
		(struct file){.open = true, .direct = (flags & O_DSYNC) != 0, .inode = (uint64_t)st.st_ino};
	snprintf(disk.files[fd].path, sizeof disk.files[fd].path, "%s", name);
	tell((struct disk_event){.call = made ? DISK_CREATE : DISK_OPEN, .inode = disk.files[fd].inode},
	     name);
}

static int do_open(const char *path, int flags, mode_t mode)
{
	const char *name = below(path);
	const bool made = name && (flags & O_CREAT) && syscall(SYS_access, path, F_OK) < 0;

	if (name && fails(made ? DISK_CREATE : DISK_OPEN)) {
		errno = disk.fault.error;
		return -1;
	}
	const int fd = (int)syscall(SYS_openat, AT_FDCWD, path, flags, mode);
	if (fd >= 0 && name)
		remember(fd, name, flags, made);
	return fd;
}

int disk_open(const char *path, int flags, ...) REPLACES("open");
int disk_open(const char *path, int flags, ...)
{
	va_list args;

	va_start(args, flags);
	const mode_t mode = (flags & O_CREAT) ? va_arg(args, mode_t) : 0;
	va_end(args);
	return do_open(path, flags, mode);
}

int disk_open64(const char *path, int flags, ...) REPLACES("open64");
int disk_open64(const char *path, int flags, ...)
{
	va_list args;

	va_start(args, flags);
	const mode_t mode = (flags & O_CREAT) ? va_arg(args, mode_t) : 0;
	va_end(args);
	return do_open(path, flags, mode);
}

int disk_close(int fd) REPLACES("close");
int disk_close(int fd)
{
	struct file *f = watched(fd);

	if (f)
		f->open = false;
	return (int)syscall(SYS_close, fd);
}

/* ---- Content ----------------------------------------------------------------------------------------------
 */

/* Write `len` bytes at an offset, or less, or not. */
static ssize_t do_pwrite(struct file *f, int fd, const void *data, size_t len, off_t offset)
{
	const bool failing = f && fails(DISK_WRITE);

	if (failing && disk.fault.error != 0 && !disk.fault.late) {
		errno = disk.fault.error;
		return -1;
	}
	if (failing && disk.fault.error == 0)
		len /= 2;
	const ssize_t n = syscall(SYS_pwrite64, fd, data, len, offset);
	if (n >= 0 && f) {
		struct disk_event e = {.call = DISK_WRITE,
				       .inode = f->inode,
				       .offset = (uint64_t)offset,
				       .len = (size_t)n,
				       .data = data};
		tell(e, f->path);
		if (f->direct && !failing) {
			e.call = DISK_SYNC;
			e.direct = true;
			tell(e, f->path);
		}
	}
	if (failing && disk.fault.error != 0) {
		errno = disk.fault.error;
		return -1;
	}
	return n;
}

ssize_t disk_pwrite(int fd, const void *data, size_t len, off_t offset) REPLACES("pwrite");
ssize_t disk_pwrite(int fd, const void *data, size_t len, off_t offset)
{
	return do_pwrite(watched(fd), fd, data, len, offset);
}

ssize_t disk_pwrite64(int fd, const void *data, size_t len, off_t offset) REPLACES("pwrite64");
ssize_t disk_pwrite64(int fd, const void *data, size_t len, off_t offset)
{
	return do_pwrite(watched(fd), fd, data, len, offset);
}

ssize_t disk_write(int fd, const void *data, size_t len) REPLACES("write");
ssize_t disk_write(int fd, const void *data, size_t len)
{
	struct file *f = watched(fd);

	if (!f)
		return syscall(SYS_write, fd, data, len);
	const ssize_t n = do_pwrite(f, fd, data, len, lseek(fd, 0, SEEK_CUR));
	if (n > 0)
		lseek(fd, n, SEEK_CUR);
	return n;
}

ssize_t disk_writev(int fd, const struct iovec *parts, int n_parts) REPLACES("writev");
ssize_t disk_writev(int fd, const struct iovec *parts, int n_parts)
{
	struct file *f = watched(fd);
	ssize_t sum = 0;

	if (!f)
		return syscall(SYS_writev, fd, parts, n_parts);
	for (int i = 0; i < n_parts; i++) {
		const ssize_t n = disk_write(fd, parts[i].iov_base, parts[i].iov_len);
		if (n < 0)
			return sum > 0 ? sum : -1;
		sum += n;
		if ((size_t)n < parts[i].iov_len)
			break;
	}
	return sum;
}

ssize_t disk_pread(int fd, void *data, size_t len, off_t offset) REPLACES("pread");
ssize_t disk_pread(int fd, void *data, size_t len, off_t offset)
{
	if (watched(fd) && fails(DISK_READ)) {
		errno = disk.fault.error;
		return -1;
	}
	return syscall(SYS_pread64, fd, data, len, offset);
}

void *disk_mmap(void *at, size_t len, int protection, int flags, int fd, off_t offset) REPLACES("mmap");
void *disk_mmap(void *at, size_t len, int protection, int flags, int fd, off_t offset)
{
	if (watched(fd) && fails(DISK_MAP)) {
		errno = disk.fault.error;
		return (void *)-1;
	}
	return (void *)syscall(SYS_mmap, at, len, protection, flags, fd, offset);
}

/* ---- Sizes and syncs --------------------------------------------------------------------------------------
 */

#define FILE_CALL(call, event, kernel) \
	struct file *f = watched(fd); \
	const bool failing = f && fails(call); \
	if (failing && !disk.fault.late) { \
		errno = disk.fault.error; \
		return -1; \
	} \
	const int r = (int)(kernel); \
	if (r == 0 && f && !(failing && (call) == DISK_SYNC)) \
		tell(event, f->path); \
	if (failing) { \
		errno = disk.fault.error; \
		return -1; \
	} \
	return r

int disk_fsync(int fd) REPLACES("fsync");
int disk_fsync(int fd)
{
	FILE_CALL(DISK_SYNC, ((struct disk_event){.call = DISK_SYNC, .inode = f->inode}),
		  syscall(SYS_fsync, fd));
}

int disk_fdatasync(int fd) REPLACES("fdatasync");
int disk_fdatasync(int fd)
{
	FILE_CALL(DISK_SYNC, ((struct disk_event){.call = DISK_SYNC, .inode = f->inode}),
		  syscall(SYS_fdatasync, fd));
}

static int resize(int fd, off_t size)
{
	FILE_CALL(DISK_RESIZE,
		  ((struct disk_event){.call = DISK_RESIZE, .inode = f->inode, .offset = (uint64_t)size}),
		  syscall(SYS_ftruncate, fd, size));
}

int disk_ftruncate(int fd, off_t size) REPLACES("ftruncate");
int disk_ftruncate(int fd, off_t size)
{
	return resize(fd, size);
}

int disk_ftruncate64(int fd, off_t size) REPLACES("ftruncate64");
int disk_ftruncate64(int fd, off_t size)
{
	return resize(fd, size);
}

static int allocate(int fd, off_t offset, off_t len)
{
	FILE_CALL(DISK_RESIZE,
		  ((struct disk_event){
			  .call = DISK_RESIZE, .inode = f->inode, .offset = (uint64_t)(offset + len)}),
		  syscall(SYS_fallocate, fd, 0, offset, len));
}

int disk_posix_fallocate(int fd, off_t offset, off_t len) REPLACES("posix_fallocate");
int disk_posix_fallocate(int fd, off_t offset, off_t len)
{
	return allocate(fd, offset, len) < 0 ? errno : 0;
}

int disk_posix_fallocate64(int fd, off_t offset, off_t len) REPLACES("posix_fallocate64");
int disk_posix_fallocate64(int fd, off_t offset, off_t len)
{
	return allocate(fd, offset, len) < 0 ? errno : 0;
}

int disk_flock(int fd, int how) REPLACES("flock");
int disk_flock(int fd, int how)
{
	FILE_CALL(DISK_LOCK, ((struct disk_event){.call = DISK_LOCK, .inode = f->inode}),
		  syscall(SYS_flock, fd, how));
}

/* ---- Names ------------------------------------------------------------------------------------------------
 */

static uint64_t inode_of(const char *path)
{
	struct stat st;

	must(stat(path, &st) == 0);
	return (uint64_t)st.st_ino;
}

int disk_mkdir(const char *path, mode_t mode) REPLACES("mkdir");
int disk_mkdir(const char *path, mode_t mode)
{
	PLAIN_CALL(DISK_MKDIR, path, ((struct disk_event){.call = DISK_MKDIR, .inode = inode_of(path)}),
		   syscall(SYS_mkdir, path, mode));
}

int disk_unlink(const char *path) REPLACES("unlink");
int disk_unlink(const char *path)
{
	PLAIN_CALL(DISK_UNLINK, path, ((struct disk_event){.call = DISK_UNLINK}), syscall(SYS_unlink, path));
}

int disk_rmdir(const char *path) REPLACES("rmdir");
int disk_rmdir(const char *path)
{
	PLAIN_CALL(DISK_RMDIR, path, ((struct disk_event){.call = DISK_RMDIR}), syscall(SYS_rmdir, path));
}

static struct disk_event rename_event(const char *to)
{
	struct disk_event e = {.call = DISK_RENAME};
	const char *name = below(to);

	must(name && strlen(name) < sizeof e.to);
	snprintf(e.to, sizeof e.to, "%s", name);
	return e;
}

int disk_rename(const char *from, const char *to) REPLACES("rename");
int disk_rename(const char *from, const char *to)
{
	PLAIN_CALL(DISK_RENAME, from, rename_event(to), syscall(SYS_rename, from, to));
}
