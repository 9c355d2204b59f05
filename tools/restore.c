/* SPDX-License-Identifier: Apache-2.0 */
#include "tools/restore.h"

#include <fcntl.h>
#include <stdio.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "tools/verb.h"

enum { PATH_BYTES = 4096, PIECE_BYTES = 64 * 1024 };

static int join(const char *dir, const char *name, char ret[PATH_BYTES], struct err_note *note)
{
	if (snprintf(ret, PATH_BYTES, "%s/%s", dir, name) < PATH_BYTES)
		return 0;
	return FAIL_SAY(note, -ENAMETOOLONG, "%s: %s", dir, err_text(-ENAMETOOLONG));
}

static int say_errno(const char *path, struct err_note *note)
{
	const int r = -errno;

	return FAIL_SAY(note, r, "%s: %s", path, err_text(r));
}

int restore_read_list(struct arena *a, const char *dir, struct backup_list *ret, struct err_note *note)
{
	char path[PATH_BYTES];
	struct bytes text;

	TRY(join(dir, BACKUP_LIST_NAME, path, note));
	if (access(path, F_OK) < 0 && errno == ENOENT)
		return FAIL_SAY(note, -ENOENT, "%s is no backup: there is no %s in it", dir,
				BACKUP_LIST_NAME);
	TRY(read_file(a, path, BACKUP_LIST_MAX, &text, note));
	return backup_list_parse(a, text, ret, note);
}

/* ---- One file ---------------------------------------------------------------------------------------------
 */

static void close_fd(int *fd)
{
	if (*fd >= 0)
		close(*fd);
}

static int write_piece(int fd, const uint8_t *data, size_t len)
{
	while (len > 0) {
		const ssize_t n = write(fd, data, len);
		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return FAIL(-errno);
		data += n;
		len -= (size_t)n;
	}
	return 0;
}

/* From one descriptor to the other (-1: nowhere); what was read goes into *ret. */
static int pump(int in, int out, struct progress *p, struct backup_file *ret)
{
	struct hash256_run hash;
	uint8_t piece[PIECE_BYTES];
	ssize_t n;

	hash256_begin(&hash);
	ret->bytes = 0;
	while ((n = read(in, piece, sizeof piece)) != 0) {
		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return FAIL(-errno);
		hash256_add(&hash, (struct bytes){piece, (size_t)n});
		ret->bytes += (uint64_t)n;
		if (out >= 0)
			TRY(write_piece(out, piece, (size_t)n));
		progress_add(p, (size_t)n);
	}
	ret->hash = hash256_end(&hash);
	return out >= 0 && fsync(out) < 0 ? FAIL(-errno) : 0;
}

static int take_file(const char *from, const struct backup_file *f, int out, struct progress *p,
		     struct err_note *note)
{
	char path[PATH_BYTES];
	struct backup_file found;

	TRY(join(from, f->path, path, note));
	SCOPED(close_fd) int in = open(path, O_RDONLY | O_CLOEXEC);
	if (in < 0)
		return say_errno(path, note);
	const int r = pump(in, out, p, &found);
	if (r < 0)
		return FAIL_SAY(note, r, "cannot copy %s: %s", path, err_text(r));
	if (found.bytes != f->bytes || memcmp(found.hash.b, f->hash.b, sizeof f->hash.b) != 0)
		return FAIL_SAY(note, ERR_CORRUPT,
				"%s is damaged: it is not what the list of the backup says", path);
	return 0;
}

int restore_verify(const char *dir, const struct backup_list *l, struct progress *p, struct err_note *note)
{
	for (size_t i = 0; i < l->n_files; i++)
		TRY(take_file(dir, &l->files[i], -1, p, note));
	return 0;
}

/* ---- The whole store --------------------------------------------------------------------------------------
 */

static int sync_dir(const char *path, struct err_note *note)
{
	SCOPED(close_fd) int fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);

	return fd < 0 || fsync(fd) < 0 ? say_errno(path, note) : 0;
}

/* Make, or have on disk, every directory between `root` and the file. */
static int each_dir(const char *root, const char *file, bool make, struct err_note *note)
{
	char path[PATH_BYTES];

	TRY(join(root, file, path, note));
	for (char *slash = path + strlen(root) + 1; (slash = strchr(slash, '/')); slash++) {
		*slash = '\0';
		if (make && mkdir(path, 0700) < 0 && errno != EEXIST)
			return say_errno(path, note);
		if (!make)
			TRY(sync_dir(path, note));
		*slash = '/';
	}
	return 0;
}

static int copy_file(const char *from, const struct backup_file *f, const char *to, struct progress *p,
		     struct err_note *note)
{
	char path[PATH_BYTES];

	TRY(each_dir(to, f->path, true, note));
	TRY(join(to, f->path, path, note));
	SCOPED(close_fd) int out = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
	if (out < 0)
		return say_errno(path, note);
	return take_file(from, f, out, p, note);
}

/* The store finds it when it is opened, begins a new incarnation, and takes it away. */
static int put_marker(const char *store, struct err_note *note)
{
	char path[PATH_BYTES];

	TRY(join(store, BACKUP_RESTORED_NAME, path, note));
	SCOPED(close_fd) int fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
	return fd < 0 || fsync(fd) < 0 ? say_errno(path, note) : 0;
}

static int copy_all(const char *dir, const struct backup_list *l, const char *part, struct progress *p,
		    struct err_note *note)
{
	if (mkdir(part, 0700) < 0)
		return say_errno(part, note);
	for (size_t i = 0; i < l->n_files; i++)
		TRY(copy_file(dir, &l->files[i], part, p, note));
	TRY(put_marker(part, note));
	for (size_t i = 0; i < l->n_files; i++)
		TRY(each_dir(part, l->files[i].path, false, note));
	return sync_dir(part, note);
}

/* Of an attempt that failed nothing stays. */
static void remove_part(const char *part, const struct backup_list *l)
{
	char path[PATH_BYTES];

	for (size_t i = 0; i < l->n_files; i++) {
		if (join(part, l->files[i].path, path, NULL) < 0)
			continue;
		unlink(path);
		for (char *slash; (slash = strrchr(path, '/')) && slash > path + strlen(part);) {
			*slash = '\0';
			rmdir(path);
		}
	}
	if (join(part, BACKUP_RESTORED_NAME, path, NULL) == 0)
		unlink(path);
	rmdir(part);
}

/* ERR_REFUSED while a node has it open; *ret_fd keeps it from being opened. -1: there is no store. */
static int hold_store(const char *store, int *ret_fd, struct err_note *note)
{
	char path[PATH_BYTES];

	TRY(join(store, "lock", path, note));
	*ret_fd = open(path, O_RDWR | O_CLOEXEC);
	if (*ret_fd < 0)
		return errno == ENOENT ? 0 : say_errno(path, note);
	if (flock(*ret_fd, LOCK_EX | LOCK_NB) == 0)
		return 0;
	return FAIL_SAY(note, ERR_REFUSED, "a node runs on %s: stop it first", store);
}

/* Put what was copied in its place. */
static int exchange(const char *part, const char *store, const char *node_dir, bool replace,
		    struct err_note *note)
{
	char aside[PATH_BYTES];
	struct stat st;

	if (lstat(store, &st) == 0) {
		if (!replace)
			return FAIL_SAY(note, ERR_REFUSED,
					"%s is there already: with --replace it becomes store.replaced",
					store);
		TRY(join(node_dir, "store.replaced", aside, note));
		if (lstat(aside, &st) == 0)
			return FAIL_SAY(note, ERR_REFUSED, "%s is there already: take it away first", aside);
		if (rename(store, aside) < 0)
			return say_errno(store, note);
	}
	if (rename(part, store) < 0)
		return say_errno(store, note);
	return sync_dir(node_dir, note);
}

int restore_store(const char *dir, const struct backup_list *l, const char *node_dir, bool replace,
		  struct progress *p, struct err_note *note)
{
	char part[PATH_BYTES], store[PATH_BYTES];
	struct stat st;

	SCOPED(close_fd) int held = -1;
	TRY(join(node_dir, "store", store, note));
	TRY(join(node_dir, "store.part", part, note));
	if (lstat(store, &st) == 0 && !replace)
		return FAIL_SAY(note, ERR_REFUSED,
				"%s is there already: with --replace it becomes store.replaced", store);
	TRY(hold_store(store, &held, note));
	if (lstat(part, &st) == 0)
		return FAIL_SAY(note, ERR_REFUSED, "%s is left of a restore that did not end: remove it",
				part);
	int r = copy_all(dir, l, part, p, note);
	if (r == 0)
		r = exchange(part, store, node_dir, replace, note);
	if (r < 0)
		remove_part(part, l);
	return r;
}
