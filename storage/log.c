/* SPDX-License-Identifier: Apache-2.0 */
#include "storage/log.h"

#include <dirent.h>
#include <inttypes.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "proto/buf.h"
#include "storage/env.h"
#include "storage/env_check.h"

#define SEGMENT_BYTES (UINT64_C(8) << 20)   /* a new environment begins behind this */
#define SEGMENT_CEILING (UINT64_C(1) << 30) /* address space of one: the largest batch is a bit smaller */
#define SEGMENT_SLACK (UINT64_C(64) * 1024) /* pages an environment takes beside its batches */

enum { PATH_BYTES = 4096, NAME_DIGITS = 10 };

/* One environment of the ring. */
struct segment {
	uint64_t name;
	uint64_t first, last; /* numbers in it; 0: none */
	uint64_t bytes;       /* that its batches take */
};

struct log {
	char *dir;
	uint64_t limit_bytes;
	pthread_mutex_t lock;     /* over everything below */
	struct segment *segments; /* in order of names */
	size_t n, size;
	struct env *current; /* the last segment, while it may be written to */
	bool busy;           /* log_append() is committing to current */
	uint64_t next_name;
};

static void segment_path(const struct log *l, uint64_t name, char ret[PATH_BYTES])
{
	snprintf(ret, PATH_BYTES, "%s/%0*" PRIu64, l->dir, NAME_DIGITS, name);
}

static size_t segment_limit(const struct log *l)
{
	return (size_t)(l->limit_bytes < SEGMENT_CEILING ? l->limit_bytes : SEGMENT_CEILING);
}

static int add_segment(struct log *l, struct segment s)
{
	if (l->n == l->size) {
		const size_t size = l->size ? l->size * 2 : 8;
		struct segment *segments = realloc(l->segments, size * sizeof *segments);
		if (!segments)
			return FAIL(-ENOMEM);
		l->segments = segments;
		l->size = size;
	}
	l->segments[l->n++] = s;
	return 0;
}

static uint64_t total_bytes(const struct log *l)
{
	uint64_t sum = 0;

	for (size_t i = 0; i < l->n; i++)
		sum += l->segments[i].bytes;
	return sum;
}

/* What a batch takes on disk: a place in a leaf, or whole pages. */
static uint64_t footprint(size_t bytes)
{
	const uint64_t page = 4096, with_key = bytes + ENV_OVERHEAD + 32;

	return with_key < page / 2 ? with_key : (with_key + page - 1) / page * page;
}

/* ---- Opening ----------------------------------------------------------------------------------------------
 */

static int by_name(const void *a, const void *b)
{
	const struct segment *x = a, *y = b;

	return (x->name > y->name) - (x->name < y->name);
}

/* The name of a segment, or 0 for anything else that lies in the directory. */
static uint64_t parse_name(const char *name)
{
	if (strlen(name) != NAME_DIGITS || strspn(name, "0123456789") != NAME_DIGITS)
		return 0;
	return strtoull(name, NULL, 10);
}

static int list_segments(struct log *l)
{
	DIR *d = opendir(l->dir);
	int r = d ? 0 : FAIL(-errno);

	for (struct dirent *e; r == 0 && (e = readdir(d));) {
		const uint64_t name = parse_name(e->d_name);
		if (name > 0)
			r = add_segment(l, (struct segment){.name = name});
	}
	if (d)
		closedir(d);
	if (l->n > 0)
		qsort(l->segments, l->n, sizeof *l->segments, by_name);
	return r;
}

/* Fill in what a segment holds. */
static int measure(struct env *env, struct segment *s)
{
	SCOPED(scope_env_txn) struct env_txn *t = NULL;
	int r;

	TRY(env_begin(env, ENV_READ, &t));
	SCOPED(env_walk_end) struct env_walk w = env_walk_begin(t, (struct bytes){0});
	while ((r = env_walk_next(&w)) > 0) {
		if (w.key.len != 8)
			return FAIL(ERR_CORRUPT);
		s->last = get_u64(w.key.data);
		if (s->first == 0)
			s->first = s->last;
		s->bytes += footprint(w.value.len);
	}
	return r;
}

static int survey(struct log *l, struct segment *s, struct err_note *note)
{
	SCOPED(scope_env) struct env *env = NULL;
	char path[PATH_BYTES];

	segment_path(l, s->name, path);
	TRY(env_check(path, ENV_CHECK_VALUES, note));
	TRY(env_open(&env, path, segment_limit(l), note));
	const int r = measure(env, s);
	return r < 0 ? FAIL_SAY(note, r, "%s/data.mdb: %s%s", path, err_text(r), env_advice(r)) : 0;
}

/* A segment in which nothing was committed yet: left by a crash between making it and the first batch. */
static void remove_empty(struct log *l)
{
	char path[PATH_BYTES];
	size_t kept = 0;

	for (size_t i = 0; i < l->n; i++) {
		if (l->segments[i].first > 0) {
			l->segments[kept++] = l->segments[i];
			continue;
		}
		segment_path(l, l->segments[i].name, path);
		ignore(env_remove(path)); /* it holds nothing: the next opening tries again */
	}
	l->n = kept;
}

int log_open(struct log **ret, const char *dir, size_t limit_bytes, struct err_note *note)
{
	SCOPED(scope_log) struct log *l = calloc(1, sizeof *l);

	if (!l)
		return FAIL(-ENOMEM);
	pthread_mutex_init(&l->lock, NULL);
	l->dir = strdup(dir);
	if (!l->dir)
		return FAIL(-ENOMEM);
	l->limit_bytes = limit_bytes;
	TRY(env_make_dir(dir, note));
	const int r = list_segments(l);
	if (r < 0)
		return FAIL_SAY(note, r, "cannot list the directory %s: %s", dir, err_text(r));
	l->next_name = l->n > 0 ? l->segments[l->n - 1].name + 1 : 1;
	for (size_t i = 0; i < l->n; i++)
		TRY(survey(l, &l->segments[i], note));
	remove_empty(l);
	*ret = MOVE(l);
	return 0;
}

void log_close(struct log *l)
{
	if (!l)
		return;
	env_close(l->current);
	pthread_mutex_destroy(&l->lock);
	free(l->segments);
	free(l->dir);
	free(l);
}

/* ---- Replay -----------------------------------------------------------------------------------------------
 */

struct replay {
	uint64_t done;  /* the last number replayed or known to be held elsewhere */
	uint64_t until; /* numbers from here on were written again in a later segment */
	log_replay_fn *fn;
	void *ctx;
};

static int replay_env(struct env *env, struct replay *p)
{
	SCOPED(scope_env_txn) struct env_txn *t = NULL;
	int r;

	TRY(env_begin(env, ENV_READ, &t));
	SCOPED(env_walk_end) struct env_walk w = env_walk_begin(t, (struct bytes){0});
	while ((r = env_walk_next(&w)) > 0) {
		const uint64_t number = get_u64(w.key.data);
		if (number <= p->done)
			continue;
		if (number >= p->until)
			return 0;
		if (number != p->done + 1)
			return FAIL(ERR_CORRUPT);
		TRY(p->fn(p->ctx, number, w.value));
		p->done = number;
	}
	return r;
}

/* The lowest number in the segments behind this one. */
static uint64_t first_behind(const struct log *l, size_t i)
{
	uint64_t first = UINT64_MAX;

	for (i++; i < l->n; i++)
		if (l->segments[i].first < first)
			first = l->segments[i].first;
	return first;
}

int log_replay(struct log *l, uint64_t after, log_replay_fn *replay, void *ctx, struct err_note *note)
{
	struct replay p = {.done = after, .fn = replay, .ctx = ctx};

	for (size_t i = 0; i < l->n; i++) {
		SCOPED(scope_env) struct env *env = NULL;
		char path[PATH_BYTES];
		if (l->segments[i].last <= after)
			continue;
		p.until = first_behind(l, i);
		segment_path(l, l->segments[i].name, path);
		TRY(env_open(&env, path, segment_limit(l), note));
		const int r = replay_env(env, &p);
		if (r < 0 && note && !note->text[0])
			return FAIL_SAY(note, r, "%s/data.mdb, behind batch %" PRIu64 ": %s%s", path, p.done,
					err_text(r), env_advice(r));
		TRY(r);
	}
	return 0;
}

uint64_t log_last(const struct log *l)
{
	return l->n > 0 ? l->segments[l->n - 1].last : 0;
}

/* ---- Appending and dropping -------------------------------------------------------------------------------
 */

static int begin_segment(struct log *l)
{
	const struct segment s = {.name = l->next_name};
	char path[PATH_BYTES];

	env_close(l->current);
	l->current = NULL;
	segment_path(l, s.name, path);
	TRY(add_segment(l, s));
	const int r = env_open(&l->current, path, segment_limit(l), NULL);
	if (r < 0) {
		l->n--;
		ignore(env_remove(path)); /* perhaps half made; the name is free for the next attempt */
		return r;
	}
	l->next_name++;
	return 0;
}

/* Where the next batch goes; marks it busy. */
static int reserve(struct log *l, size_t bytes)
{
	if (total_bytes(l) + footprint(bytes) + SEGMENT_SLACK > l->limit_bytes)
		return FAIL(ERR_FULL);
	if (!l->current || l->segments[l->n - 1].bytes >= SEGMENT_BYTES)
		TRY(begin_segment(l));
	l->busy = true;
	return 0;
}

static int commit(struct env *env, uint64_t number, struct bytes batch)
{
	SCOPED(scope_env_txn) struct env_txn *t = NULL;
	SCOPED(buf_fini) struct buf key = {0};

	buf_put_u64(&key, number);
	TRY(buf_check(&key));
	TRY(env_begin(env, ENV_WRITE, &t));
	TRY(env_put(t, buf_bytes(&key), batch));
	return env_commit(&t);
}

/* A failed environment is not trusted with another batch. */
static void give_up_current(struct log *l)
{
	char path[PATH_BYTES];

	env_close(l->current);
	l->current = NULL;
	if (l->segments[l->n - 1].first > 0)
		return;
	segment_path(l, l->segments[--l->n].name, path);
	ignore(env_remove(path)); /* it holds nothing acknowledged: the next opening removes or skips it */
}

/* Take note of how the commit went. */
static void settle(struct log *l, int r, uint64_t number, size_t bytes)
{
	struct segment *s = &l->segments[l->n - 1];

	l->busy = false;
	if (r < 0) {
		give_up_current(l);
		return;
	}
	if (s->first == 0)
		s->first = number;
	s->last = number;
	s->bytes += footprint(bytes);
}

int log_append(struct log *l, uint64_t number, struct bytes batch)
{
	pthread_mutex_lock(&l->lock);
	int r = reserve(l, batch.len);
	pthread_mutex_unlock(&l->lock);
	TRY(r);

	r = commit(l->current, number, batch); /* without the lock: dropping must not wait for the disk */

	pthread_mutex_lock(&l->lock);
	settle(l, r, number, batch.len);
	pthread_mutex_unlock(&l->lock);
	return r;
}

static bool may_drop(const struct log *l, size_t i, uint64_t up_to)
{
	return l->segments[i].last <= up_to && !(i == l->n - 1 && l->busy);
}

void log_drop(struct log *l, uint64_t up_to)
{
	size_t kept = 0;

	pthread_mutex_lock(&l->lock);
	for (size_t i = 0; i < l->n; i++) {
		const struct segment s = l->segments[i];
		char path[PATH_BYTES];
		if (!may_drop(l, i, up_to)) {
			l->segments[kept++] = s;
			continue;
		}
		if (i == l->n - 1) {
			env_close(l->current);
			l->current = NULL;
		}
		segment_path(l, s.name, path);
		ignore(env_remove(path)); /* what stays is skipped at the next opening and dropped again */
	}
	l->n = kept;
	pthread_mutex_unlock(&l->lock);
}

uint64_t log_bytes(struct log *l)
{
	char path[PATH_BYTES];
	uint64_t sum = 0;

	pthread_mutex_lock(&l->lock);
	for (size_t i = 0; i < l->n; i++) {
		segment_path(l, l->segments[i].name, path);
		sum += env_dir_bytes(path);
	}
	pthread_mutex_unlock(&l->lock);
	return sum;
}
