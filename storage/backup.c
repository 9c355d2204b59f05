/* SPDX-License-Identifier: Apache-2.0 */
#include "storage/backup.h"

#include <dirent.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "storage/env.h"
#include "storage/store_private.h"

enum { PIECE_BYTES = 1 << 20, STEP_BYTES = 16 << 20 };

/* What is small and changes with every checkpoint: copied whole in one step. */
static const char *const present_parts[] = {"trust", "state", "remote"};
#define N_PRESENT (sizeof present_parts / sizeof present_parts[0])

struct backup {
	char from[PATH_BYTES], to[PATH_BYTES], part[PATH_BYTES];
	struct arena *arena;
	struct backup_list list;
	size_t at; /* of the file being copied */
	size_t n_present;
	int in, out; /* the file being copied; -1: not open */
	struct hash256_run hash;
	uint64_t done_bytes, total_bytes;
	uint8_t *piece;
	bool whole;
};

static int path_in(const char *dir, const char *name, char ret[PATH_BYTES])
{
	return snprintf(ret, PATH_BYTES, "%s/%s", dir, name) < PATH_BYTES ? 0 : FAIL(-ENAMETOOLONG);
}

/* ---- What is to be copied ---------------------------------------------------------------------------------
 */

/* data.mdb of one environment, if it is there. */
static int list_env(struct backup *b, const char *name)
{
	char path[PATH_BYTES];
	struct stat st;

	const char *file = arena_print(b->arena, "%s/data.mdb", name);
	if (!file)
		return FAIL(-ENOMEM);
	TRY(path_in(b->from, file, path));
	if (stat(path, &st) < 0)
		return errno == ENOENT ? 0 : FAIL(-errno);
	struct backup_file *f = arena_push(b->arena, &b->list.files, &b->list.n_files, sizeof *f);
	if (!f)
		return FAIL(-ENOMEM);
	*f = (struct backup_file){.path = file, .bytes = (uint64_t)st.st_size};
	b->total_bytes += f->bytes;
	return 0;
}

static int list_runs(struct backup *b)
{
	char path[PATH_BYTES];
	int r = 0;

	TRY(path_in(b->from, "history", path));
	DIR *d = opendir(path);
	if (!d)
		return errno == ENOENT ? 0 : FAIL(-errno);
	for (struct dirent *e; r == 0 && (e = readdir(d));) {
		const size_t len = strlen(e->d_name);
		if (len == 0 || strspn(e->d_name, "0123456789") != len)
			continue;
		const char *name = arena_print(b->arena, "history/%s", e->d_name);
		r = name ? list_env(b, name) : FAIL(-ENOMEM);
	}
	closedir(d);
	return r;
}

static int list_files(struct backup *b)
{
	for (size_t i = 0; i < N_PRESENT; i++)
		TRY(list_env(b, present_parts[i]));
	b->n_present = b->list.n_files;
	return list_runs(b);
}

/* ---- Copying ----------------------------------------------------------------------------------------------
 */

/* The directories of a file, below the backup's own. */
static int make_dirs(const struct backup *b, const char *file)
{
	char path[PATH_BYTES];

	TRY(path_in(b->part, file, path));
	for (char *slash = path + strlen(b->part) + 1; (slash = strchr(slash, '/')); slash++) {
		*slash = '\0';
		TRY(env_make_dir(path, NULL));
		*slash = '/';
	}
	return 0;
}

static int open_file(struct backup *b, const char *file)
{
	char path[PATH_BYTES];

	TRY(path_in(b->from, file, path));
	b->in = open(path, O_RDONLY | O_CLOEXEC);
	if (b->in < 0)
		return FAIL(-errno);
	TRY(make_dirs(b, file));
	TRY(path_in(b->part, file, path));
	b->out = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
	if (b->out < 0)
		return FAIL(-errno);
	hash256_begin(&b->hash);
	b->list.files[b->at].bytes = 0;
	return 0;
}

static int write_all(int fd, const uint8_t *data, size_t len)
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

static int close_synced(int *fd)
{
	const int r = fsync(*fd) < 0 ? FAIL(-errno) : 0;

	close(*fd);
	*fd = -1;
	return r;
}

static int finish_file(struct backup *b)
{
	close(b->in);
	b->in = -1;
	b->list.files[b->at].hash = hash256_end(&b->hash);
	b->at++;
	return close_synced(&b->out);
}

/* The next piece of the present file; moves on to the next file at its end. */
static int copy_piece(struct backup *b)
{
	struct backup_file *f = &b->list.files[b->at];
	ssize_t n;

	if (b->in < 0)
		TRY(open_file(b, f->path));
	do
		n = read(b->in, b->piece, PIECE_BYTES);
	while (n < 0 && errno == EINTR);
	if (n < 0)
		return FAIL(-errno);
	if (n == 0)
		return finish_file(b);
	const size_t len = (size_t)n;
	hash256_add(&b->hash, (struct bytes){b->piece, len});
	f->bytes += len;
	b->done_bytes += len;
	return write_all(b->out, b->piece, len);
}

static int sync_tree(const struct backup *b)
{
	char path[PATH_BYTES];

	for (size_t i = 0; i < b->list.n_files; i++) {
		TRY(path_in(b->part, b->list.files[i].path, path));
		TRY(env_sync_parent(path));
	}
	return 0;
}

/* The list last, then the name. */
static int finish(struct backup *b)
{
	SCOPED(buf_fini) struct buf text = {0};
	char path[PATH_BYTES];

	backup_list_print(&b->list, &text);
	TRY(buf_check(&text));
	TRY(sync_tree(b));
	TRY(path_in(b->part, BACKUP_LIST_NAME, path));
	b->out = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
	if (b->out < 0)
		return FAIL(-errno);
	TRY(write_all(b->out, text.data, text.len));
	TRY(close_synced(&b->out));
	TRY(env_sync_parent(path));
	if (rename(b->part, b->to) < 0)
		return FAIL(-errno);
	b->whole = true;
	return env_sync_parent(b->to);
}

int backup_step(struct backup *b)
{
	const uint64_t until = b->done_bytes + STEP_BYTES;

	while (b->at < b->list.n_files) {
		if (b->at >= b->n_present && b->done_bytes >= until)
			return 0;
		TRY(copy_piece(b));
	}
	TRY(finish(b));
	return BACKUP_WHOLE;
}

void backup_progress(const struct backup *b, uint64_t *ret_done_bytes, uint64_t *ret_total_bytes)
{
	*ret_done_bytes = b->done_bytes;
	*ret_total_bytes = b->total_bytes;
}

/* ---- Beginning and ending ---------------------------------------------------------------------------------
 */

static int set_paths(struct backup *b, const char *from, const char *to, struct err_note *note)
{
	struct stat st;

	if (to[0] != '/')
		return FAIL_SAY(note, ERR_REFUSED,
				"'%s' is no absolute path: the node writes the backup, not you", to);
	if (snprintf(b->part, sizeof b->part, "%s.part", to) + BACKUP_PATH_MAX + 2 > PATH_BYTES)
		return FAIL(-ENAMETOOLONG);
	snprintf(b->to, sizeof b->to, "%s", to);
	snprintf(b->from, sizeof b->from, "%s", from);
	if (lstat(to, &st) == 0)
		return FAIL_SAY(note, ERR_REFUSED, "%s is there already: give a new name", to);
	if (mkdir(b->part, 0700) == 0)
		return 0;
	const int r = -errno;
	b->part[0] = '\0'; /* not ours to remove */
	if (r == -EEXIST)
		return FAIL_SAY(note, ERR_REFUSED, "%s.part is left of a backup that did not end: remove it",
				to);
	return FAIL_SAY(note, r, "cannot make %s.part: %s", to, err_text(r));
}

static int describe(struct backup *b, const struct store *s, int64_t now_ns)
{
	struct store_position p;

	store_position(s, &p);
	b->list.node = arena_print(b->arena, "%s/%s", s->org, s->node);
	b->list.incarnation = p.lineage[p.n_lineage - 1].id;
	b->list.seq = p.seq;
	b->list.taken_ns = now_ns;
	return b->list.node ? 0 : FAIL(-ENOMEM);
}

int backup_begin(struct store *s, const char *dir, int64_t now_ns, struct backup **ret, struct err_note *note)
{
	SCOPED(scope_backup) struct backup *b = calloc(1, sizeof *b);

	if (!b)
		return FAIL(-ENOMEM);
	b->in = b->out = -1;
	TRY(set_paths(b, s->dir, dir, note));
	TRY(arena_new(&b->arena, SIZE_MAX));
	b->piece = malloc(PIECE_BYTES);
	if (!b->piece)
		return FAIL(-ENOMEM);
	TRY(describe(b, s, now_ns));
	TRY(list_files(b));
	while (b->at < b->list.n_files && strncmp(b->list.files[b->at].path, "trust/", 6) == 0)
		TRY(copy_piece(b)); /* small, and written by this thread */
	*ret = MOVE(b);
	return 0;
}

/* Of what is not whole nothing stays. Best effort: whoever tries the name again is told what is left. */
static void remove_part(const struct backup *b)
{
	char path[PATH_BYTES];

	for (size_t i = 0; i < b->list.n_files; i++) {
		if (path_in(b->part, b->list.files[i].path, path) < 0)
			continue;
		unlink(path);
		*strrchr(path, '/') = '\0';
		rmdir(path);
	}
	if (path_in(b->part, BACKUP_LIST_NAME, path) == 0)
		unlink(path);
	if (path_in(b->part, "history", path) == 0)
		rmdir(path);
	rmdir(b->part);
}

void backup_end(struct backup *b)
{
	if (!b)
		return;
	if (b->in >= 0)
		close(b->in);
	if (b->out >= 0)
		close(b->out);
	if (b->part[0] && !b->whole)
		remove_part(b);
	free(b->piece);
	arena_free(b->arena);
	free(b);
}
