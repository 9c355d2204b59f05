/* SPDX-License-Identifier: Apache-2.0 */
#include "security/org_files.h"

#include <assert.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

static int from_errno(struct err_note *note, const char *doing, const char *path)
{
	const int code = errno > 0 ? -errno : -EIO;

	return FAIL_SAY(note, code, "cannot %s %s: %s", doing, path, err_text(code));
}

const char *path_join(struct arena *a, const char *dir, const char *name)
{
	return arena_print(a, "%s/%s", dir, name);
}

static void add(struct made *made, const char *path)
{
	assert(made->n < MADE_MAX);
	made->paths[made->n++] = path;
}

/* Whoever may write in the directory may exchange the keys in it. */
static int check_dir(const char *path, struct err_note *note)
{
	struct stat st;

	if (stat(path, &st) < 0)
		return from_errno(note, "use", path);
	if (!S_ISDIR(st.st_mode))
		return FAIL_SAY(note, ERR_REFUSED, "%s is not a directory", path);
	if (st.st_uid != geteuid())
		return FAIL_SAY(note, ERR_REFUSED, "%s belongs to uid %u, but this runs as uid %u: chown it",
				path, (unsigned)st.st_uid, (unsigned)geteuid());
	if (st.st_mode & 022)
		return FAIL_SAY(note, ERR_REFUSED, "others may write in %s (mode %04o): chmod 700 it", path,
				(unsigned)st.st_mode & 07777);
	return 0;
}

int made_dir(struct made *made, const char *path, struct err_note *note)
{
	const char *copy = arena_copy(made->arena, path);

	if (!copy)
		return FAIL(-ENOMEM);
	if (mkdir(path, 0700) == 0)
		add(made, copy);
	else if (errno != EEXIST)
		return from_errno(note, "make", path);
	return check_dir(path, note);
}

int made_path(struct made *made, const char *dir, const char *name, const char **ret, struct err_note *note)
{
	const char *path = path_join(made->arena, dir, name);
	struct stat st;

	if (!path)
		return FAIL(-ENOMEM);
	if (lstat(path, &st) == 0)
		return FAIL_SAY(note, ERR_REFUSED, "%s exists already: choose another directory", path);
	if (errno != ENOENT)
		return from_errno(note, "make", path);
	add(made, path);
	*ret = path;
	return 0;
}

void made_keep(struct made *made)
{
	made->n = 0;
}

void made_undo(struct made *made)
{
	while (made->n > 0)
		ignore(remove(made->paths[--made->n])); /* it may not have been written yet */
}

int dir_lock(const char *dir, int *ret_fd, struct err_note *note)
{
	const int fd = open(dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	int r;

	if (fd < 0)
		return from_errno(note, "open", dir);
	do
		r = flock(fd, LOCK_EX);
	while (r < 0 && errno == EINTR);
	if (r < 0) {
		r = from_errno(note, "lock", dir);
		close(fd);
		return r;
	}
	*ret_fd = fd;
	return 0;
}

void dir_unlock(const int *fd)
{
	if (*fd >= 0)
		close(*fd);
}
