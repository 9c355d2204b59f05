/* SPDX-License-Identifier: Apache-2.0 */
#include "node/tail_file.h"

#include <dirent.h>
#include <fcntl.h>
#include <inttypes.h>
#include <libgen.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "proto/clock.h"
#include "proto/hash.h"

enum { HEAD_BYTES = 256, PATH_SIZE = 4096, RECORD_BYTES = 512 };

/* What is kept. */
struct place {
	uint64_t device, inode;
	uint64_t offset, end; /* end above offset: the batch in between came at t_ns */
	int64_t t_ns;
	uint64_t head, hash; /* of the first `head` bytes: is it the same file? */
	bool skipping;       /* inside a line that is too long */
};

struct tail_file {
	char *path, *record;
	bool has_header, from_end;
	bool loaded, dirty; /* dirty: the place is not the one on disk */
	int fd;             /* -1: none is open */
	struct place place;
	int64_t renamed_ns; /* when that was seen; 0: it is not */
	size_t header_len;
	bool header_known;
	struct tail_batch batch;
	bool untold; /* what `batch` says besides its lines, because the last look failed */
	char header[TAIL_LINE_MAX];
	char bytes[TAIL_BATCH_BYTES + 1];
};

int tail_file_new(struct tail_file **ret, const struct tail_options *opt)
{
	SCOPED(scope_tail_file) struct tail_file *t = calloc(1, sizeof *t);

	if (!t)
		return FAIL(-ENOMEM);
	t->fd = -1;
	t->has_header = opt->has_header;
	t->from_end = opt->from_end;
	t->path = strdup(opt->path);
	t->record = strdup(opt->record);
	if (!t->path || !t->record)
		return FAIL(-ENOMEM);
	*ret = MOVE(t);
	return 0;
}

static void close_file(struct tail_file *t)
{
	if (t->fd >= 0)
		close(t->fd);
	t->fd = -1;
	t->header_known = false;
	t->renamed_ns = 0;
}

void tail_file_free(struct tail_file *t)
{
	if (!t)
		return;
	close_file(t);
	free(t->path);
	free(t->record);
	free(t);
}

static int fail(const char *what, struct err_note *note)
{
	const int code = -errno;

	return FAIL_SAY(note, code, "%.160s: %s", what, err_text(code));
}

/* ---- The record ------------------------------------------------------------------------------------------
 */

#define RECORD_FORM \
	"tail 1 device %" PRIu64 " inode %" PRIu64 " offset %" PRIu64 " end %" PRIu64 " t %" PRId64 \
	" head %" PRIu64 " hash %" PRIu64 " skipping %d\n"
#define RECORD_SCAN \
	"tail 1 device %" SCNu64 " inode %" SCNu64 " offset %" SCNu64 " end %" SCNu64 " t %" SCNd64 \
	" head %" SCNu64 " hash %" SCNu64 " skipping %d"

/* Whole or not at all. */
static int write_record(const char *path, const char *text, struct err_note *note)
{
	char fresh[PATH_SIZE];
	const size_t len = strlen(text);

	snprintf(fresh, sizeof fresh, "%s.new", path);
	const int fd = open(fresh, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
	if (fd < 0)
		return fail(fresh, note);
	const bool written = write(fd, text, len) == (ssize_t)len && fdatasync(fd) == 0;
	const int r = written ? 0 : fail(fresh, note);
	close(fd);
	if (r < 0)
		return r;
	if (rename(fresh, path) < 0)
		return fail(path, note);
	snprintf(fresh, sizeof fresh, "%s", path);
	const int dir = open(dirname(fresh), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (dir < 0)
		return fail(path, note);
	const int synced = fsync(dir);
	close(dir);
	return synced < 0 ? fail(path, note) : 0;
}

static int hash_head(int fd, uint64_t n, uint64_t *ret)
{
	uint8_t head[HEAD_BYTES];
	const ssize_t r = pread(fd, head, (size_t)n, 0);

	if (r != (ssize_t)n)
		return FAIL(r < 0 ? -errno : ERR_ABSENT);
	*ret = hash64("tail", (struct bytes){head, (size_t)n}, (struct bytes){0});
	return 0;
}

static int save(struct tail_file *t, struct err_note *note)
{
	struct place *p = &t->place;
	const uint64_t known = p->end > p->offset ? p->end : p->offset;
	char text[RECORD_BYTES];

	p->head = known < HEAD_BYTES ? known : HEAD_BYTES;
	TRY(hash_head(t->fd, p->head, &p->hash));
	snprintf(text, sizeof text, RECORD_FORM, p->device, p->inode, p->offset, p->end, p->t_ns, p->head,
		 p->hash, p->skipping);
	TRY(write_record(t->record, text, note));
	t->dirty = false;
	return 0;
}

/* False: there is none, or it is damaged: then the file is looked at as if for the first time. */
static bool load(const struct tail_file *t, struct place *ret)
{
	FILE *f = fopen(t->record, "re");
	int skipping = 0;

	if (!f)
		return false;
	const int n = fscanf(f, RECORD_SCAN, &ret->device, &ret->inode, &ret->offset, &ret->end, &ret->t_ns,
			     &ret->head, &ret->hash, &skipping);
	fclose(f);
	ret->skipping = skipping != 0;
	/* what was passed over since the last batch lies behind its end */
	return n == 8 && ret->head <= HEAD_BYTES &&
	       (ret->end <= ret->offset || ret->end - ret->offset <= TAIL_BATCH_BYTES);
}

/* ---- Which file ------------------------------------------------------------------------------------------
 */

static bool is_same_file(const struct place *p, int fd)
{
	struct stat st;
	uint64_t hash;

	return fstat(fd, &st) == 0 && st.st_dev == p->device && st.st_ino == p->inode &&
	       (uint64_t)st.st_size >= p->offset &&
	       (p->head == 0 || (hash_head(fd, p->head, &hash) == 0 && hash == p->hash));
}

/* What was renamed is still in its folder. -1: it is not. */
static int find_renamed(const struct tail_file *t, const struct place *p)
{
	char path[PATH_SIZE];
	int found = -1;

	snprintf(path, sizeof path, "%s", t->path);
	DIR *d = opendir(dirname(path));
	for (struct dirent *e; d && found < 0 && (e = readdir(d));) {
		if (e->d_ino != p->inode)
			continue;
		found = openat(dirfd(d), e->d_name, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
		if (found >= 0 && !is_same_file(p, found)) {
			close(found);
			found = -1;
		}
	}
	if (d)
		closedir(d);
	return found;
}

static int open_path(struct tail_file *t, struct err_note *note)
{
	struct stat st;

	t->fd = open(t->path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
	if (t->fd < 0)
		return fail(t->path, note);
	if (fstat(t->fd, &st) < 0 || !S_ISREG(st.st_mode)) {
		close_file(t);
		return FAIL_SAY(note, -EINVAL, "%.160s: it is no file", t->path);
	}
	t->place = (struct place){.device = st.st_dev, .inode = st.st_ino};
	t->batch.new_file = true;
	return 0;
}

/* Only what comes from now on: the line that is being written is not whole to us. */
static void go_to_end(struct tail_file *t)
{
	const off_t end = lseek(t->fd, 0, SEEK_END);
	char last = '\n';

	t->place.offset = end > 0 ? (uint64_t)end : 0;
	t->place.skipping = end > 0 && pread(t->fd, &last, 1, end - 1) == 1 && last != '\n';
	t->dirty = true;
}

static int open_first(struct tail_file *t, struct err_note *note)
{
	struct place kept = {0};
	const bool known = load(t, &kept);

	const int r = open_path(t, note);
	if (r == -ENOENT)
		t->from_end = false; /* once it is there all of it is new */
	TRY(r);
	t->loaded = true;
	if (!known && t->from_end)
		go_to_end(t);
	if (!known)
		return 0;
	if (!is_same_file(&kept, t->fd)) {
		const int renamed = find_renamed(t, &kept);
		t->batch.lost = renamed < 0;
		if (renamed < 0)
			return 0;
		close_file(t);
		t->fd = renamed;
	}
	t->place = kept;
	return 0;
}

/* It has become shorter, or begins differently: it was written anew. */
static int check_same(struct tail_file *t, struct err_note *note)
{
	struct stat st;

	if (is_same_file(&t->place, t->fd))
		return 0;
	if (fstat(t->fd, &st) < 0)
		return fail(t->path, note);
	t->place = (struct place){.device = st.st_dev, .inode = st.st_ino};
	t->header_known = false;
	t->batch.new_file = true;
	t->dirty = true;
	return 0;
}

/* Who writes it may do so for a moment after it was renamed. */
static bool is_over(struct tail_file *t, int64_t now_ns)
{
	struct stat st;
	const bool renamed =
		stat(t->path, &st) == 0 && (st.st_ino != t->place.inode || st.st_dev != t->place.device);

	if (!renamed || t->renamed_ns == 0)
		t->renamed_ns = renamed ? now_ns : 0;
	return renamed && now_ns - t->renamed_ns >= TAIL_GRACE_MS * NS_PER_MS;
}

/* ---- Lines -----------------------------------------------------------------------------------------------
 */

static void skip(struct tail_file *t, size_t n)
{
	t->place.offset += n;
	t->dirty = true;
}

/* Reads the first line, wherever we are. False: it is not whole yet. */
static bool know_header(struct tail_file *t)
{
	if (!t->has_header || t->header_known)
		return true;
	const ssize_t n = pread(t->fd, t->header, sizeof t->header, 0);
	const char *end = n > 0 ? memchr(t->header, '\n', (size_t)n) : NULL;
	if (!end && n < (ssize_t)sizeof t->header)
		return false;
	t->header_len = end ? (size_t)(end - t->header) : (size_t)n; /* without an end it names nothing */
	t->header_known = true;
	if (t->place.offset == 0)
		skip(t, t->header_len + 1);
	return true;
}

/* How much of what was read is whole lines. */
static size_t whole(const char *bytes, size_t n)
{
	while (n > 0 && bytes[n - 1] != '\n')
		n--;
	return n;
}

/* The end of a line that is too long. */
static void skip_to_end(struct tail_file *t, size_t n)
{
	const char *end = memchr(t->bytes, '\n', n);

	skip(t, end ? (size_t)(end - t->bytes) + 1 : n);
	t->place.skipping = !end;
}

enum { MORE = 2 };

static int hand_out(struct tail_file *t, size_t n, int64_t now_ns, struct err_note *note)
{
	struct place *p = &t->place;

	if (p->end <= p->offset) { /* else it is the batch from before the crash */
		p->end = p->offset + n;
		p->t_ns = now_ns;
		const int r = save(t, note);
		if (r < 0)
			p->end = p->offset; /* what is not on disk is not begun */
		TRY(r);
	}
	t->batch.lines = (struct bytes){(const uint8_t *)t->bytes, n};
	t->batch.t_ns = p->t_ns;
	return 0;
}

/* At the end of what there is: `n` bytes of a line that is not whole. */
static int at_end(struct tail_file *t, size_t n, int64_t now_ns, struct err_note *note)
{
	if (!is_over(t, now_ns)) {
		if (t->dirty)
			TRY(save(t, note));
		return TAIL_NOTHING;
	}
	if (n > 0) {
		t->bytes[n] = '\n';
		TRY(hand_out(t, n, now_ns, note));
		t->batch.lines.len++;
		return 0;
	}
	close_file(t);
	TRY(open_path(t, note));
	t->dirty = true;
	return MORE;
}

/* 0, TAIL_NOTHING or MORE: something was passed over. */
static int look(struct tail_file *t, int64_t now_ns, struct err_note *note)
{
	const struct place *p = &t->place;

	TRY(check_same(t, note));
	if (!know_header(t))
		return is_over(t, now_ns) ? at_end(t, 0, now_ns, note) : TAIL_NOTHING;
	const size_t most = p->end > p->offset ? (size_t)(p->end - p->offset) : TAIL_BATCH_BYTES;
	const ssize_t got = pread(t->fd, t->bytes, most, (off_t)p->offset);
	if (got < 0)
		return fail(t->path, note);
	const size_t n = (size_t)got, lines = whole(t->bytes, n);
	if (p->skipping && n > 0) {
		skip_to_end(t, n);
		return MORE;
	}
	if (lines > 0)
		return hand_out(t, lines, now_ns, note);
	if (n < TAIL_LINE_MAX)
		return at_end(t, n, now_ns, note);
	skip(t, n);
	t->place.skipping = true;
	t->place.end = 0;
	t->batch.too_long = true;
	return MORE;
}

int tail_file_next(struct tail_file *t, int64_t now_ns, struct tail_batch *ret, struct err_note *note)
{
	int r = MORE;

	if (!t->untold)
		t->batch = (struct tail_batch){0};
	t->untold = true;
	if (t->fd < 0)
		TRY(t->loaded ? open_path(t, note) : open_first(t, note));
	while (r == MORE) {
		r = look(t, now_ns, note);
		TRY(r);
	}
	t->batch.header = (struct bytes){(const uint8_t *)t->header, t->header_known ? t->header_len : 0};
	t->untold = false;
	*ret = t->batch;
	return r;
}

void tail_file_stored(struct tail_file *t)
{
	if (t->place.end > t->place.offset && t->batch.lines.len > 0)
		skip(t, (size_t)(t->place.end - t->place.offset));
}
