/* SPDX-License-Identifier: Apache-2.0 */
#include "security/keys_file.h"

#include <assert.h>
#include <fcntl.h>
#include <limits.h>
#include <sodium.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

#include "proto/buf.h"
#include "proto/hash.h"

enum { CHECKSUM_BYTES = 8 };

/* A file being written under a temporary name: gone with its scope unless renamed. */
struct pending {
	char path[PATH_MAX];
	int fd;
};

static int from_errno(struct err_note *note, const char *doing, const char *path)
{
	const int code = errno > 0 ? -errno : -EIO;

	return FAIL_SAY(note, code, "cannot %s %s: %s", doing, path, err_text(code));
}

static void close_fd(const int *fd)
{
	if (*fd >= 0)
		close(*fd);
}

static void pending_drop(struct pending *p)
{
	close_fd(&p->fd);
	if (p->path[0] != '\0')
		unlink(p->path);
}

static int pending_open(struct pending *p, const char *path, mode_t mode, struct err_note *note)
{
	char name[PATH_MAX];
	const int n = snprintf(name, sizeof name, "%s.tmp-%08x", path, (unsigned)randombytes_random());

	if (n < 0 || (size_t)n >= sizeof name)
		return FAIL_SAY(note, -ENAMETOOLONG, "cannot write %s: the path is too long", path);
	p->fd = open(name, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, mode);
	if (p->fd < 0)
		return from_errno(note, "write", path);
	memcpy(p->path, name, (size_t)n + 1);
	if (fchmod(p->fd, mode) < 0) /* whatever the umask says */
		return from_errno(note, "write", path);
	return 0;
}

static int write_all(int fd, struct bytes rest, const char *path, struct err_note *note)
{
	while (rest.len > 0) {
		const ssize_t n = write(fd, rest.data, rest.len);

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return from_errno(note, "write", path);
		rest = (struct bytes){rest.data + n, rest.len - (size_t)n};
	}
	if (fsync(fd) < 0)
		return from_errno(note, "write", path);
	return 0;
}

/* A rename is on the disk only when its directory is. */
int file_sync_parent(const char *path, struct err_note *note)
{
	char parent[PATH_MAX] = ".";
	const char *slash = strrchr(path, '/');
	const size_t n = slash ? (size_t)(slash - path) + 1 : 0; /* with its slash, so that "/x" has "/" */

	if (n >= sizeof parent)
		return FAIL(-ENAMETOOLONG);
	if (n > 0) {
		memcpy(parent, path, n);
		parent[n] = '\0';
	}
	SCOPED(close_fd) const int fd = open(parent, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (fd < 0 || fsync(fd) < 0)
		return from_errno(note, "write", path);
	return 0;
}

int file_write(const char *path, struct bytes content, bool secret, struct err_note *note)
{
	SCOPED(pending_drop) struct pending p = {.fd = -1};

	TRY(pending_open(&p, path, secret ? 0600 : 0644, note));
	TRY(write_all(p.fd, content, path, note));
	if (rename(p.path, path) < 0)
		return from_errno(note, "write", path);
	p.path[0] = '\0';
	return file_sync_parent(path, note);
}

/* Open a regular file to read it. Never waits at a pipe or becomes the reader of a device. */
static int open_regular(const char *path, int flags, int *ret_fd, struct stat *ret, struct err_note *note)
{
	SCOPED(close_fd) int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY | flags);

	if (fd < 0 && errno == ELOOP && (flags & O_NOFOLLOW))
		return FAIL_SAY(note, ERR_REFUSED, "%s is a symbolic link: a key must be a plain file", path);
	if (fd < 0 || fstat(fd, ret) < 0)
		return from_errno(note, "read", path);
	if (!S_ISREG(ret->st_mode))
		return FAIL_SAY(note, ERR_REFUSED, "%s is not a regular file", path);
	*ret_fd = fd;
	fd = -1;
	return 0;
}

/* Up to `size` bytes; fewer when the file ends before. */
static int read_all(int fd, const char *path, uint8_t *ret, size_t size, size_t *ret_len,
		    struct err_note *note)
{
	size_t len = 0;

	while (len < size) {
		const ssize_t n = read(fd, ret + len, size - len);

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return from_errno(note, "read", path);
		if (n == 0)
			break;
		len += (size_t)n;
	}
	*ret_len = len;
	return 0;
}

int file_read(struct arena *a, const char *path, size_t max, struct bytes *ret, struct err_note *note)
{
	SCOPED(close_fd) int fd = -1;
	struct stat st;
	size_t len;

	TRY(open_regular(path, 0, &fd, &st, note));
	if (st.st_size < 0 || (uintmax_t)st.st_size > max)
		return FAIL_SAY(note, ERR_REFUSED, "%s is larger than %zu bytes", path, max);
	uint8_t *data = arena_take(a, (size_t)st.st_size + 1);
	if (!data)
		return FAIL_SAY(note, -ENOMEM, "no memory to read %s", path);
	TRY(read_all(fd, path, data, (size_t)st.st_size, &len, note));
	*ret = (struct bytes){data, len};
	return 0;
}

/* Nobody else may read it, and nobody else may have put it there. */
static int check_private(const struct stat *st, const char *path, struct err_note *note)
{
	if (st->st_uid != geteuid())
		return FAIL_SAY(note, ERR_REFUSED, "%s belongs to uid %u, but this runs as uid %u: chown it",
				path, (unsigned)st->st_uid, (unsigned)geteuid());
	if (st->st_mode & 077)
		return FAIL_SAY(note, ERR_REFUSED, "%s is open to others (mode %04o): chmod 600 it", path,
				(unsigned)st->st_mode & 07777);
	return 0;
}

void secret_file_wipe(struct secret_file *f)
{
	sodium_memzero(f, sizeof *f);
}

void secret_file_begin(struct secret_file *f, const struct key_kind *kind)
{
	f->len = 0;
	secret_file_put(f, kind->header, strlen(kind->header));
}

void secret_file_put(struct secret_file *f, const void *data, size_t len)
{
	assert(len <= sizeof f->b - f->len);
	memcpy(f->b + f->len, data, len);
	f->len += len;
}

static void checksum(struct bytes content, uint8_t ret[CHECKSUM_BYTES])
{
	uint64_t sum = hash64("holon/key-file", content, (struct bytes){NULL, 0});

	for (int i = CHECKSUM_BYTES; i-- > 0; sum >>= 8)
		ret[i] = (uint8_t)sum;
}

int secret_file_save(struct secret_file *f, const char *path, struct err_note *note)
{
	uint8_t sum[CHECKSUM_BYTES];

	checksum((struct bytes){f->b, f->len}, sum);
	secret_file_put(f, sum, sizeof sum);
	return file_write(path, (struct bytes){f->b, f->len}, true, note);
}

static int read_private(struct secret_file *f, const char *path, struct err_note *note)
{
	SCOPED(close_fd) int fd = -1;
	struct stat st;

	TRY(open_regular(path, O_NOFOLLOW, &fd, &st, note));
	TRY(check_private(&st, path, note));
	return read_all(fd, path, f->b, sizeof f->b, &f->len, note);
}

int secret_file_load(struct secret_file *f, const struct key_kind *kind, const char *path,
		     const uint8_t **ret_content, struct err_note *note)
{
	const struct bytes header = bytes_of_text(kind->header);
	uint8_t sum[CHECKSUM_BYTES];

	TRY(read_private(f, path, note));
	if (!bytes_start_with((struct bytes){f->b, f->len}, header))
		return FAIL_SAY(note, ERR_MALFORMED, "%s is not a %s", path, kind->name);
	const size_t want = header.len + kind->len + CHECKSUM_BYTES;
	if (f->len != want)
		return FAIL_SAY(note, ERR_CORRUPT,
				"%s is damaged (%s than the %zu bytes of a %s): restore it from a copy", path,
				f->len < want ? "shorter" : "longer", want, kind->name);
	checksum((struct bytes){f->b, want - sizeof sum}, sum);
	if (sodium_memcmp(sum, f->b + want - sizeof sum, sizeof sum) != 0)
		return FAIL_SAY(note, ERR_CORRUPT, "%s is damaged (wrong checksum): restore it from a copy",
				path);
	*ret_content = f->b + header.len;
	return 0;
}
