/* SPDX-License-Identifier: Apache-2.0 */
/* Looking for rot, a few MiB at a time, one run after the other. */
#include <inttypes.h>
#include <stdatomic.h>
#include <stdio.h>

#include "storage/env_check.h"
#include "storage/history_private.h"

enum { STEP_BYTES = 4 << 20 };

static void note_rot(struct scrub *s, const struct run *r, const struct run_key *key)
{
	if (atomic_load(&s->rotten) == 0)
		snprintf(s->first_rotten, sizeof s->first_rotten,
			 "run %010" PRIu64 ", series %" PRIu32 ", kind %c, from time %" PRId64, r->number,
			 key->series, (char)key->kind, key->t_ns);
	atomic_fetch_add(&s->rotten, 1);
}

static void look(void *ctx, const struct run *r, const struct run_key *key, bool sound)
{
	struct scrub *s = ctx;

	/* A chunk that a merge lost is kept in a sound record, and is no less lost. */
	if (!sound || key->kind == RUN_LOST)
		note_rot(s, r, key);
	atomic_fetch_add(&s->seen, 1);
}

/* The run it was in; when that has been merged since, the one in its place. NULL: all are through. */
static const struct run *current(const struct history *h, struct scrub *s)
{
	for (size_t i = 0; i < h->runs.n; i++)
		if (h->runs.runs[i]->number == s->number) {
			s->place = i;
			return h->runs.runs[i];
		}
	buf_clear(&s->behind);
	if (s->place >= h->runs.n)
		return NULL;
	s->number = h->runs.runs[s->place]->number;
	return h->runs.runs[s->place];
}

static void begin_run(struct scrub *s, size_t place)
{
	s->number = 0;
	s->place = place;
	buf_clear(&s->behind);
}

int history_scrub_step(struct history *h)
{
	struct scrub *s = &h->scrub;
	const struct run *run = current(h, s);

	if (!run) {
		begin_run(s, 0);
		return 1;
	}
	/* Before LMDB goes through the tree, whether there is one: it does not survive one that is damaged.
	 */
	int through = s->behind.len == 0 ? env_check(run->dir, ENV_CHECK_KEYS, NULL) : 0;
	if (through == 0)
		through = run_check(run, &s->behind, STEP_BYTES, look, s);
	if (through == ERR_CORRUPT) { /* the tree itself */
		note_rot(s, run, &(struct run_key){.kind = RUN_CHUNK});
		begin_run(s, s->place + 1);
		return 0;
	}
	TRY(through);
	if (through > 0)
		begin_run(s, s->place + 1);
	return 0;
}

void history_health(const struct history *h, struct history_health *ret)
{
	const struct scrub *s = &h->scrub;

	*ret = (struct history_health){
		.n_runs = h->runs.n,
		.scrubbed = atomic_load(&s->seen),
		.rotten = atomic_load(&s->rotten),
	};
	for (size_t i = 0; i < h->runs.n; i++) {
		ret->n_chunks += h->runs.runs[i]->meta.n_records;
		ret->bytes += h->runs.runs[i]->disk_bytes;
	}
	if (ret->rotten > 0)
		snprintf(ret->first_rotten, sizeof ret->first_rotten, "%s", s->first_rotten);
}
