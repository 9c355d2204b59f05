/* SPDX-License-Identifier: Apache-2.0 */
#include "storage/audit.h"

#include <fcntl.h>
#include <pthread.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "storage/audit_segment.h"
#include "storage/env.h"

enum { PATH_SIZE = 4096, NAME_ROOM = 32 };

struct audit_log {
	char dir[PATH_SIZE - NAME_ROOM];
	size_t segment_bytes;
	int fd; /* of the last segment */
	bool has_spare;
	struct buf frame; /* of the group being written */

	pthread_mutex_t lock; /* over what follows */
	struct segment_head *segments;
	size_t n_segments;
	size_t end; /* of the last segment: behind its last group */
	uint64_t n_entries;
	int64_t time_ns; /* of the last group */
	bool has_checkpoint, failed;
	uint64_t checkpoint; /* first entry of the last group that has one */
};

static void segment_path(const struct audit_log *l, uint64_t number, char ret[PATH_SIZE])
{
	snprintf(ret, PATH_SIZE, "%s/%010llu.log", l->dir, (unsigned long long)number);
}

static void spare_path(const struct audit_log *l, char ret[PATH_SIZE])
{
	snprintf(ret, PATH_SIZE, "%s/spare", l->dir);
}

static void close_fd(int *fd)
{
	if (*fd >= 0)
		close(*fd);
}

static int write_at(int fd, struct bytes b, size_t offset)
{
	while (b.len > 0) {
		const ssize_t n = pwrite(fd, b.data, b.len, (off_t)offset);
		if (n < 0 && errno != EINTR)
			return FAIL(-errno);
		if (n == 0)
			return FAIL(-EIO);
		if (n > 0) {
			b = (struct bytes){b.data + n, b.len - (size_t)n};
			offset += (size_t)n;
		}
	}
	return 0;
}

static int sync_data(int fd)
{
	return fdatasync(fd) == 0 ? 0 : FAIL(-errno);
}

/* ---- Segments --------------------------------------------------------------------------------------------
 */

static void set_spare(struct audit_log *l, bool is_there)
{
	pthread_mutex_lock(&l->lock);
	l->has_spare = is_there;
	pthread_mutex_unlock(&l->lock);
}

static bool spare_is_whole(const struct audit_log *l, const char *path)
{
	struct stat st;

	return stat(path, &st) == 0 && (size_t)st.st_size == l->segment_bytes &&
	       (size_t)st.st_blocks * 512 >= l->segment_bytes;
}

static int allocate_spare(const struct audit_log *l, const char *path)
{
	SCOPED(close_fd) int fd = open(path, O_RDWR | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
	int r;

	if (fd < 0)
		return FAIL(-errno);
	r = -posix_fallocate(fd, 0, (off_t)l->segment_bytes);
	if (r == 0 && fsync(fd) < 0)
		r = -errno;
	if (r == 0)
		r = env_sync_parent(path);
	if (r == 0)
		return 0;
	unlink(path); /* half of it would only fill the disk */
	return FAIL(r);
}

int audit_log_reserve(struct audit_log *l)
{
	char path[PATH_SIZE];

	if (l->has_spare)
		return 0;
	spare_path(l, path);
	if (!spare_is_whole(l, path))
		TRY(allocate_spare(l, path));
	set_spare(l, true);
	return 0;
}

static int push_segment(struct audit_log *l, const struct segment_head *h)
{
	struct segment_head *grown = realloc(l->segments, (l->n_segments + 1) * sizeof *grown);

	if (!grown)
		return FAIL(-ENOMEM);
	grown[l->n_segments++] = *h;
	l->segments = grown;
	return 0;
}

static int turn_spare(const char *from, const char *to, const struct segment_head *h, int *ret_fd)
{
	SCOPED(close_fd) int fd = open(from, O_RDWR | O_CLOEXEC);
	uint8_t head[SEGMENT_HEAD];

	if (fd < 0)
		return FAIL(-errno);
	segment_head_encode(h, head);
	TRY(write_at(fd, (struct bytes){head, sizeof head}, 0));
	TRY(sync_data(fd));
	if (rename(from, to) < 0)
		return FAIL(-errno);
	TRY(env_sync_parent(to));
	*ret_fd = fd;
	fd = -1;
	return 0;
}

/* The spare becomes the last segment. Room for it in the table is made first: a file that has its name is
 * used. */
static int begin_segment(struct audit_log *l)
{
	const struct segment_head h = {
		.number = l->n_segments + 1, .first = l->n_entries, .time_ns = l->time_ns};
	char from[PATH_SIZE], to[PATH_SIZE];
	int fd = -1, r;

	spare_path(l, from);
	segment_path(l, h.number, to);
	pthread_mutex_lock(&l->lock);
	r = push_segment(l, &h);
	if (r == 0)
		l->n_segments--;
	pthread_mutex_unlock(&l->lock);
	TRY(r);
	r = turn_spare(from, to, &h, &fd);
	if (r < 0) {
		set_spare(l, false); /* it is looked at again before it is used again */
		return r;
	}
	close_fd(&l->fd);
	l->fd = fd;
	pthread_mutex_lock(&l->lock);
	l->n_segments++;
	l->end = SEGMENT_HEAD;
	l->has_spare = false;
	pthread_mutex_unlock(&l->lock);
	ignore(audit_log_reserve(l)); /* audit_log_room() tells, and it is tried again */
	return 0;
}

static int load_file(int fd, size_t size, struct buf *out)
{
	uint8_t *to = buf_extend(out, size);
	size_t have = 0;

	TRY(buf_check(out));
	while (have < size) {
		const ssize_t n = pread(fd, to + have, size - have, (off_t)have);
		if (n < 0 && errno != EINTR)
			return FAIL(-errno);
		if (n == 0)
			return FAIL(ERR_CORRUPT); /* it was longer once */
		have += n > 0 ? (size_t)n : 0;
	}
	return 0;
}

/* A segment as far as it is written. */
static int load_segment(struct audit_log *l, size_t i, struct buf *out)
{
	char path[PATH_SIZE];
	struct stat st;
	size_t size;

	segment_path(l, i + 1, path);
	SCOPED(close_fd) int fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd < 0 || fstat(fd, &st) < 0)
		return FAIL(-errno);
	pthread_mutex_lock(&l->lock);
	size = i + 1 == l->n_segments && l->end > 0 ? l->end : (size_t)st.st_size;
	pthread_mutex_unlock(&l->lock);
	buf_clear(out);
	return load_file(fd, size, out);
}

/* ---- Opening ---------------------------------------------------------------------------------------------
 */

static int load_heads(struct audit_log *l, struct err_note *note)
{
	for (;;) {
		uint8_t bytes[SEGMENT_HEAD];
		struct segment_head h;
		char path[PATH_SIZE];
		segment_path(l, l->n_segments + 1, path);
		SCOPED(close_fd) int fd = open(path, O_RDONLY | O_CLOEXEC);
		if (fd < 0 && errno == ENOENT)
			return 0;
		const ssize_t n = fd < 0 ? -1 : pread(fd, bytes, sizeof bytes, 0);
		if (n < 0)
			return FAIL_SAY(note, -errno, "%.200s: %s", path, err_text(-errno));
		int r = segment_head_decode((struct bytes){bytes, (size_t)n}, &h);
		if (r == 0 && (h.number != l->n_segments + 1 || (l->n_segments == 0 && h.first != 0)))
			r = ERR_CORRUPT;
		if (r < 0)
			return FAIL_SAY(note, r, "%.150s: %s%s", path, err_text(r), env_advice(r));
		TRY(push_segment(l, &h));
	}
}

static void take_group(struct audit_log *l, const struct segment_group *g)
{
	l->n_entries = g->first + g->n_entries;
	l->time_ns = g->time_ns;
	if (g->has_checkpoint) {
		l->has_checkpoint = true;
		l->checkpoint = g->first;
	}
}

/* A write that was cut off leaves nothing behind it: room, as before. */
static int cut_off(int fd, struct bytes segment, size_t at)
{
	static const uint8_t zeros[4096];
	size_t end = segment.len;

	while (end > at && segment.data[end - 1] == 0)
		end--;
	while (at < end) {
		const size_t n = end - at < sizeof zeros ? end - at : sizeof zeros;
		TRY(write_at(fd, (struct bytes){zeros, n}, at));
		at += n;
	}
	return sync_data(fd);
}

/* Go through the last segment to its end. */
static int recover_last(struct audit_log *l, struct err_note *note)
{
	const struct segment_head *h = &l->segments[l->n_segments - 1];
	SCOPED(buf_fini) struct buf b = {0};
	struct segment_group g;
	char path[PATH_SIZE];
	size_t at = SEGMENT_HEAD;
	int r;

	segment_path(l, h->number, path);
	l->fd = open(path, O_RDWR | O_CLOEXEC);
	if (l->fd < 0)
		return FAIL_SAY(note, -errno, "%.200s: %s", path, err_text(-errno));
	TRY(load_segment(l, l->n_segments - 1, &b));
	l->n_entries = h->first;
	l->time_ns = h->time_ns;
	while ((r = segment_group_next(buf_bytes(&b), &at, &g)) > 0 && g.first == l->n_entries)
		take_group(l, &g);
	if (r > 0 || (r == ERR_CORRUPT && segment_goes_on(buf_bytes(&b), at)))
		return FAIL_SAY(note, ERR_CORRUPT, "%.150s: damaged at byte %zu%s", path, at,
				env_advice(ERR_CORRUPT));
	if (r == ERR_CORRUPT)
		r = cut_off(l->fd, buf_bytes(&b), at);
	l->end = at;
	return r < 0 ? FAIL_SAY(note, r, "%.200s: %s", path, err_text(r)) : 0;
}

/* The last checkpoint may stand in a segment before the last one. */
static int find_checkpoint(struct audit_log *l)
{
	SCOPED(buf_fini) struct buf b = {0};

	for (size_t i = l->n_segments - 1; i-- > 0 && !l->has_checkpoint;) {
		struct segment_group g;
		size_t at = SEGMENT_HEAD;
		int r;
		TRY(load_segment(l, i, &b));
		while ((r = segment_group_next(buf_bytes(&b), &at, &g)) > 0)
			if (g.has_checkpoint) {
				l->has_checkpoint = true;
				l->checkpoint = g.first;
			}
		TRY(r);
	}
	return 0;
}

static int open_log(struct audit_log *l, struct err_note *note)
{
	int r;

	TRY(env_make_dir(l->dir, note));
	TRY(load_heads(l, note));
	if (l->n_segments == 0) {
		r = audit_log_reserve(l);
		if (r == 0)
			r = begin_segment(l);
		return r < 0 ? FAIL_SAY(note, r, "%.150s: no room can be made for the audit: %s", l->dir,
					err_text(r))
			     : 0;
	}
	TRY(recover_last(l, note));
	r = find_checkpoint(l);
	if (r < 0)
		return FAIL_SAY(note, r, "%.150s: an older segment: %s%s", l->dir, err_text(r),
				env_advice(r));
	ignore(audit_log_reserve(l)); /* audit_log_room() tells */
	return 0;
}

int audit_log_open(struct audit_log **ret, const struct audit_options *opt, struct err_note *note)
{
	SCOPED(scope_audit_log) struct audit_log *l = calloc(1, sizeof *l);

	if (!l)
		return FAIL(-ENOMEM);
	l->fd = -1;
	l->segment_bytes = opt->segment_bytes > 0 ? opt->segment_bytes : AUDIT_SEGMENT_BYTES;
	l->time_ns = INT64_MIN;
	pthread_mutex_init(&l->lock, NULL);
	if (snprintf(l->dir, sizeof l->dir, "%s", opt->dir) >= (int)sizeof l->dir)
		return FAIL_SAY(note, -ENAMETOOLONG, "%.150s: the path is too long", opt->dir);
	TRY(open_log(l, note));
	*ret = MOVE(l);
	return 0;
}

void audit_log_close(struct audit_log *l)
{
	if (!l)
		return;
	close_fd(&l->fd);
	buf_fini(&l->frame);
	pthread_mutex_destroy(&l->lock);
	free(l->segments);
	free(l);
}

/* ---- Writing ---------------------------------------------------------------------------------------------
 */

/* The file is as long as it was when it was made, whatever segments are made with now. */
static int last_size(const struct audit_log *l, size_t *ret)
{
	struct stat st;

	if (fstat(l->fd, &st) < 0)
		return FAIL(-errno);
	*ret = (size_t)st.st_size;
	return 0;
}

static int write_group(struct audit_log *l, const struct segment_group *g)
{
	size_t size = 0;

	buf_clear(&l->frame);
	segment_group_encode(g, &l->frame);
	TRY(buf_check(&l->frame));
	TRY(last_size(l, &size));
	if (l->end + l->frame.len > size) {
		if (audit_log_reserve(l) < 0)
			return FAIL(ERR_FULL);
		TRY(begin_segment(l));
	}
	TRY(write_at(l->fd, buf_bytes(&l->frame), l->end));
	return sync_data(l->fd);
}

int audit_log_commit(struct audit_log *l, const struct audit_group *group)
{
	struct segment_group g = {.first = l->n_entries,
				  .time_ns = group->time_ns > l->time_ns ? group->time_ns : l->time_ns,
				  .n_entries = group->n_entries,
				  .has_checkpoint = group->has_checkpoint,
				  .records = group->records};
	int r;

	if (g.records.len > AUDIT_GROUP_MAX || g.records.len > l->segment_bytes / 2)
		return FAIL(-EMSGSIZE);
	r = write_group(l, &g);
	pthread_mutex_lock(&l->lock);
	l->failed = r < 0;
	if (r == 0) {
		l->end += l->frame.len;
		take_group(l, &g);
	}
	pthread_mutex_unlock(&l->lock);
	return r;
}

enum audit_room audit_log_room(struct audit_log *l)
{
	pthread_mutex_lock(&l->lock);
	const enum audit_room room = l->failed ? AUDIT_NONE : l->has_spare ? AUDIT_ROOMY : AUDIT_LOW;
	pthread_mutex_unlock(&l->lock);
	return room;
}

/* ---- Reading ---------------------------------------------------------------------------------------------
 */

uint64_t audit_log_entries(struct audit_log *l)
{
	pthread_mutex_lock(&l->lock);
	const uint64_t n = l->n_entries;
	pthread_mutex_unlock(&l->lock);
	return n;
}

uint64_t audit_log_bytes(struct audit_log *l)
{
	pthread_mutex_lock(&l->lock);
	const uint64_t n = (l->n_segments + l->has_spare) * l->segment_bytes;
	pthread_mutex_unlock(&l->lock);
	return n;
}

static size_t n_segments(struct audit_log *l)
{
	pthread_mutex_lock(&l->lock);
	const size_t n = l->n_segments;
	pthread_mutex_unlock(&l->lock);
	return n;
}

/* The last segment that begins before the entry and before the time: a checkpoint without entries of its own
 * may stand at the end of it. */
static size_t segment_before(struct audit_log *l, uint64_t entry, int64_t time_ns)
{
	size_t i;

	pthread_mutex_lock(&l->lock);
	for (i = l->n_segments - 1; i > 0; i--)
		if (l->segments[i].first < entry && l->segments[i].time_ns < time_ns)
			break;
	pthread_mutex_unlock(&l->lock);
	return i;
}

static bool is_wanted(const struct segment_group *g, uint64_t from)
{
	return g->first >= from || g->first + g->n_entries > from;
}

int audit_log_read(struct audit_log *l, uint64_t from, size_t max_bytes, struct buf *out, uint64_t *ret_first,
		   uint64_t *ret_next)
{
	SCOPED(buf_fini) struct buf b = {0};
	const size_t enough = out->len + max_bytes;
	bool begun = false;

	*ret_first = *ret_next = from;
	for (size_t i = segment_before(l, from, INT64_MAX); i < n_segments(l); i++) {
		struct segment_group g;
		size_t at = SEGMENT_HEAD;
		int r;
		TRY(load_segment(l, i, &b));
		while ((r = segment_group_next(buf_bytes(&b), &at, &g)) > 0) {
			if (!is_wanted(&g, from))
				continue;
			*ret_first = begun ? *ret_first : g.first;
			*ret_next = g.first + g.n_entries;
			begun = true;
			buf_put(out, g.records);
			if (out->len >= enough && *ret_next > from)
				return buf_check(out);
		}
		TRY(r);
	}
	TRY(buf_check(out));
	return AUDIT_LOG_END;
}

int audit_log_find_time(struct audit_log *l, int64_t time_ns, uint64_t *ret)
{
	SCOPED(buf_fini) struct buf b = {0};

	for (size_t i = segment_before(l, UINT64_MAX, time_ns); i < n_segments(l); i++) {
		struct segment_group g;
		size_t at = SEGMENT_HEAD;
		int r;
		TRY(load_segment(l, i, &b));
		while ((r = segment_group_next(buf_bytes(&b), &at, &g)) > 0)
			if (g.time_ns >= time_ns) {
				*ret = g.first;
				return 0;
			}
		TRY(r);
	}
	*ret = audit_log_entries(l);
	return 0;
}

int audit_log_checkpoint(struct audit_log *l, uint64_t *ret)
{
	pthread_mutex_lock(&l->lock);
	const bool is_there = l->has_checkpoint;
	const uint64_t first = l->checkpoint;
	pthread_mutex_unlock(&l->lock);
	if (!is_there)
		return AUDIT_LOG_ABSENT;
	*ret = first;
	return 0;
}
