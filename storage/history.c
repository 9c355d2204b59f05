/* SPDX-License-Identifier: Apache-2.0 */
#include "storage/history.h"

#include <assert.h>
#include <dirent.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

#include "storage/history_private.h"
#include "storage/merge.h"

/* In place of numbers, so that the list is never empty. */
static const struct bytes no_runs = {(const uint8_t *)"none", 4};

enum { MERGE_WORK = 1 << 18 /* samples: less than 100 ms */ };

int run_list_reserve(struct run_list *l, size_t n)
{
	struct run **runs = realloc(l->runs, (n + 1) * sizeof(struct run *));

	if (!runs)
		return FAIL(-ENOMEM);
	l->runs = runs;
	return 0;
}

int run_list_add(struct run_list *l, struct run *r)
{
	TRY(run_list_reserve(l, l->n + 1));
	l->runs[l->n++] = r;
	return 0;
}

static void run_list_fini(struct run_list *l)
{
	for (size_t i = 0; i < l->n; i++)
		run_close(l->runs[i]);
	free(l->runs);
	*l = (struct run_list){0};
}

/* ---- Opening ----------------------------------------------------------------------------------------------
 */

/* The next number of the text: 1, 0 at the end. */
static int next_number(struct bytes *text, uint64_t *ret)
{
	uint64_t number = 0;
	size_t i = 0;

	for (; i < text->len && text->data[i] >= '0' && text->data[i] <= '9' && i < 18; i++)
		number = number * 10 + (uint64_t)(text->data[i] - '0');
	if (text->len == 0)
		return 0;
	if (i == 0 || (i < text->len && text->data[i] != ' '))
		return FAIL(ERR_CORRUPT);
	i += i < text->len;
	*text = (struct bytes){text->data + i, text->len - i};
	*ret = number;
	return 1;
}

static int open_run(struct history *h, uint64_t number, struct err_note *note)
{
	SCOPED(scope_run) struct run *run = NULL;

	TRY(run_open(&run, h->dir, number, h->limit_bytes, note));
	TRY(run_list_add(&h->runs, run));
	run = NULL;
	if (number >= h->next_number)
		h->next_number = number + 1;
	return 0;
}

static int open_runs(struct history *h, struct bytes text, struct err_note *note)
{
	uint64_t number = 0;
	int r = 0;

	if (bytes_equal(text, no_runs))
		return 0;
	while ((r = next_number(&text, &number)) > 0)
		TRY(open_run(h, number, note));
	return r < 0 ? FAIL_SAY(note, r, "the list of the runs in %s is damaged%s", h->dir, env_advice(r))
		     : 0;
}

static bool counts(const struct history *h, uint64_t number)
{
	for (size_t i = 0; i < h->runs.n; i++)
		if (h->runs.runs[i]->number == number)
			return true;
	return false;
}

/* "0000000007", and with .new behind it what was about to become one. */
static bool is_run_name(const char *name, uint64_t *ret)
{
	int end = 0;

	return sscanf(name, "%10" SCNu64 "%n", ret, &end) == 1 && end == 10 &&
	       (name[10] == '\0' || strcmp(name + 10, ".new") == 0);
}

/* What was being written when the machine stopped, and what had been merged. It takes room, and no more than
 * that: what cannot be removed now is at the next opening. */
void history_tidy(const struct history *h)
{
	DIR *dir = opendir(h->dir);
	const struct dirent *entry;
	char path[RUN_PATH_BYTES];
	uint64_t number;

	while (dir && (entry = readdir(dir))) {
		if (!is_run_name(entry->d_name, &number) || (entry->d_name[10] == '\0' && counts(h, number)))
			continue;
		if (snprintf(path, sizeof path, "%s/%s", h->dir, entry->d_name) < (int)sizeof path)
			ignore(env_remove(path)); /* as said above */
	}
	if (dir)
		closedir(dir);
}

int history_open(struct history **ret, const char *dir, size_t limit_bytes, struct bytes runs,
		 struct err_note *note)
{
	SCOPED(scope_history) struct history *h = calloc(1, sizeof *h);

	if (!h)
		return FAIL(-ENOMEM);
	h->limit_bytes = limit_bytes;
	h->next_number = 1;
	h->merge_work = MERGE_WORK;
	h->dir = strdup(dir);
	if (!h->dir)
		return FAIL(-ENOMEM);
	TRY(env_make_dir(dir, note));
	TRY(open_runs(h, runs, note));
	*ret = MOVE(h);
	return 0;
}

void history_close(struct history *h)
{
	if (!h)
		return;
	merge_free(h->merge);
	recent_fini(&h->recent);
	buf_fini(&h->scrub.behind);
	run_list_fini(&h->runs);
	run_list_fini(&h->doomed);
	run_close(h->written);
	free(h->dir);
	free(h);
}

/* ---- Adding -----------------------------------------------------------------------------------------------
 */

int history_add(struct history *h, uint32_t series, uint32_t *chain, const struct sample *s)
{
	return recent_add(&h->recent, series, chain, s);
}

int history_add_number(struct history *h, uint32_t series, uint32_t *chain, int64_t t_ns,
		       enum value_type type, uint64_t bits, enum quality quality, const char *source)
{
	const struct slot number = {
		.t_ns = t_ns,
		.bits = bits,
		.type = (uint8_t)type,
		.quality = (uint8_t)quality,
	};

	return recent_add_number(&h->recent, series, chain, &number, source);
}

size_t history_backlog(const struct history *h)
{
	return h->recent.n;
}

/* ---- Which runs count -------------------------------------------------------------------------------------
 */

static void put_number(struct buf *out, size_t *n, uint64_t number)
{
	buf_print(out, "%s%" PRIu64, (*n)++ > 0 ? " " : "", number);
}

void history_runs(const struct history *h, struct buf *out)
{
	size_t n = 0;

	for (size_t i = 0; i < h->runs.n; i++) {
		const struct run *run = h->runs.runs[i];
		if (!merge_is_done(h->merge) || !merge_takes(h->merge, run))
			put_number(out, &n, run->number);
		else if (merge_comes_at(h->merge, run))
			put_number(out, &n, merge_result(h->merge)->number);
	}
	if (h->written)
		put_number(out, &n, h->written->number);
	if (n == 0)
		buf_put(out, no_runs);
}

void history_doom(struct history *h, struct run *r)
{
	if (r && run_list_add(&h->doomed, r) < 0)
		run_close(r); /* without memory to remember it, it lies there until the next opening */
}

void history_remove_doomed(struct history *h)
{
	for (size_t i = 0; i < h->doomed.n; i++)
		run_remove(h->doomed.runs[i]);
	h->doomed.n = 0;
}

int history_check_room(const struct history *h)
{
	uint64_t bytes = 0;

	for (size_t i = 0; i < h->runs.n; i++)
		bytes += h->runs.runs[i]->disk_bytes;
	return bytes < h->limit_bytes ? 0 : FAIL(ERR_FULL);
}

/* ---- Write-behind -----------------------------------------------------------------------------------------
 */

int history_reserve(struct history *h, size_t n_samples)
{
	return recent_reserve(&h->recent, n_samples);
}

size_t history_memory(const struct history *h)
{
	return recent_bytes(&h->recent);
}

int history_freeze(struct history *h)
{
	assert(!h->written);
	/* So that the thaw, which must not fail, has its place. */
	TRY(run_list_reserve(&h->runs, h->runs.n + 1));
	return recent_freeze(&h->recent);
}

/* A run that was written counts even if the checkpoint then failed: it is durable and holds just what was
 * frozen, the next checkpoint names it, and until then the log still has its samples. */
void history_thaw(struct history *h, bool written)
{
	recent_thaw(&h->recent, written || h->written);
	h->ahead = !written && (h->ahead || h->written);
	if (h->written)
		h->runs.runs[h->runs.n++] = MOVE(h->written);
	if (written)
		history_remove_doomed(h);
}

bool history_is_ahead(const struct history *h)
{
	return h->ahead;
}
