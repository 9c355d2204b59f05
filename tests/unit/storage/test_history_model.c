/* SPDX-License-Identifier: Apache-2.0 */
/* A naive history, one place for each time of each series, beside the real one: whatever happens, both say
 * the same. The seed is printed; HOLON_SEED=N repeats one. */
#include "storage/history.h"

#include <criterion/criterion.h>
#include <math.h>
#include <stdio.h>

#include "storage/history_private.h"
#include "tests/lib/must.h"
#include "tests/lib/tmpdir.h"

enum { N_SERIES = 6, N_TIMES = 3000, STEP_NS = 1000, PENDING_MAX = 400000 };

struct item {
	bool there;
	uint8_t quality, sigma, source;
	uint16_t value;
};

struct pending {
	uint32_t series;
	uint32_t time;
	struct item item;
};

struct world {
	struct history *h;
	struct series series[N_SERIES];
	struct item items[N_SERIES][N_TIMES];
	struct pending *pending;               /* what a log would replay */
	size_t n_pending, n_frozen, in_memory; /* the latter: of the frozen ones */
	bool frozen, merging;
	char dir[160];
	struct buf runs;
	uint64_t state;
};

static const char *const words[] = {"off", "warming up", "on", "overheated"};
static const char *const sources[] = {NULL, "gateway-1", "gateway-2", "a person"};

static uint32_t random_below(struct world *w, uint32_t n)
{
	w->state = w->state * UINT64_C(6364136223846793005) + UINT64_C(1442695040888963407);
	return (uint32_t)((w->state >> 33) % n);
}

static struct sample sample_of(const struct world *w, uint32_t series, uint32_t time, const struct item *item)
{
	struct sample s = {
		.t_ns = (int64_t)time * STEP_NS,
		.value = {.type = w->series[series].type},
		.quality = (enum quality)item->quality,
		.sigma = item->sigma ? item->sigma * 0.25 : (double)NAN,
		.source = sources[item->source],
	};

	switch (s.value.type) {
	case VALUE_NONE: break;
	case VALUE_BOOL: s.value.boolean = item->value % 2; break;
	case VALUE_INT64: s.value.integer = (int64_t)item->value * 1000003 - 5; break;
	case VALUE_DOUBLE: s.value.real = item->value / 8.0; break;
	case VALUE_TEXT:
	case VALUE_ENUM: s.value.text = words[item->value % 4]; break;
	case VALUE_POSITION: s.value.position = (struct position){item->value / 1000.0, 7, NAN}; break;
	}
	return s;
}

static void give(struct world *w, const struct pending *p)
{
	const struct sample s = sample_of(w, p->series, p->time, &p->item);
	struct series *to = &w->series[p->series];

	if (p->item.sigma || to->type > VALUE_DOUBLE)
		must(history_add(w->h, to->id, &to->chain, &s) == 0);
	else
		must(history_add_number(w->h, to->id, &to->chain, s.t_ns, to->type, value_bits(&s.value),
					s.quality, s.source) == 0);
}

static void add(struct world *w, uint32_t series, uint32_t time, bool plain)
{
	struct item item = {.there = true, .value = (uint16_t)random_below(w, 500)};
	const struct pending p = {series, time, item};

	must(w->n_pending < PENDING_MAX);
	w->pending[w->n_pending] = p;
	if (!plain && random_below(w, 4) == 0) {
		item.quality = (uint8_t)random_below(w, 3);
		item.sigma = (uint8_t)random_below(w, 3);
		item.source = (uint8_t)random_below(w, 4);
		w->pending[w->n_pending].item = item;
	}
	w->items[series][time] = item;
	give(w, &w->pending[w->n_pending++]);
}

static void add_some(struct world *w)
{
	const uint32_t series = random_below(w, N_SERIES), n = 1 + random_below(w, 40);
	const uint32_t begin = random_below(w, N_TIMES);

	for (uint32_t i = 0; i < n; i++)
		add(w, series, random_below(w, 2) ? random_below(w, N_TIMES) : (begin + i) % N_TIMES, false);
}

static void add_stretch(struct world *w)
{
	const uint32_t series = random_below(w, N_SERIES), n = 1 + random_below(w, 900);
	const uint32_t begin = random_below(w, N_TIMES - n), step = 1 + random_below(w, 3);

	for (uint32_t i = 0; i < n; i += step)
		add(w, series, begin + i, true);
}

/* ---- Checking ---------------------------------------------------------------------------------------------
 */

static void check_sample(const struct world *w, uint32_t series, uint32_t time, const struct sample *got)
{
	const struct sample want = sample_of(w, series, time, &w->items[series][time]);

	cr_assert(w->items[series][time].there && sample_equal(&want, got), "series %u time %u", series + 1,
		  time);
}

static void check_range(struct world *w, uint32_t series, uint32_t from, uint32_t to)
{
	SCOPED(scope_history_reader) struct history_reader *r = NULL;
	const struct column *c;
	uint32_t time = from;
	int more;

	cr_assert_eq(
		history_read(w->h, &w->series[series], (int64_t)from * STEP_NS, (int64_t)to * STEP_NS, &r),
		0);
	while ((more = history_next(r, &c)) > 0) {
		cr_assert(c->n > 0);
		for (size_t i = 0; i < c->n; i++, time++) {
			const struct sample got = column_get(c, i);
			while (time <= to && !w->items[series][time].there)
				time++;
			cr_assert(time <= to, "more than there is");
			check_sample(w, series, time, &got);
		}
	}
	cr_assert_eq(more, 0);
	for (; time <= to; time++)
		cr_assert(!w->items[series][time].there, "series %u time %u is missing", series + 1, time);
}

static void check_some(struct world *w)
{
	const uint32_t from = random_below(w, N_TIMES);

	check_range(w, random_below(w, N_SERIES), from, from + random_below(w, N_TIMES - from));
}

static void check_at(struct world *w)
{
	SCOPED(scope_arena) struct arena *a = NULL;
	const uint32_t series = random_below(w, N_SERIES), at = random_below(w, N_TIMES);
	uint32_t time = at + 1;
	struct sample got;

	must(arena_new(&a, 1 << 16) == 0);
	const int r = history_at(w->h, &w->series[series], (int64_t)at * STEP_NS + STEP_NS / 2, a, &got);
	while (time > 0 && !w->items[series][time - 1].there)
		time--;
	cr_assert_eq(r, time == 0 ? HISTORY_ABSENT : 0);
	if (r == 0)
		check_sample(w, series, time - 1, &got);
}

/* As of many times at once, some of them twice. */
static void check_points(struct world *w)
{
	enum { N = 40 };
	SCOPED(scope_arena) struct arena *a = NULL;
	const uint32_t series = random_below(w, N_SERIES), step = random_below(w, N_TIMES / N);
	struct point got[N];
	int64_t t_ns[N];
	uint32_t at[N], time;

	at[0] = random_below(w, N_TIMES - N * step);
	for (size_t i = 0; i < N; i++) {
		at[i] = i == 0 ? at[0] : at[i - 1] + random_below(w, step + 1);
		t_ns[i] = (int64_t)at[i] * STEP_NS + (int64_t)random_below(w, 2) * (STEP_NS / 2);
	}
	must(arena_new(&a, 1 << 20) == 0);
	cr_assert_eq(history_points(w->h, &w->series[series], t_ns, N, a, got), 0);
	for (size_t i = 0; i < N; i++) {
		for (time = at[i] + 1; time > 0 && !w->items[series][time - 1].there;)
			time--;
		cr_assert_eq(got[i].known, time == 0 ? KNOWN_NOTHING : KNOWN_SAMPLE);
		if (time > 0)
			check_sample(w, series, time - 1, &got[i].sample);
	}
}

static void check_holds(struct world *w)
{
	const uint32_t series = random_below(w, N_SERIES), time = random_below(w, N_TIMES);
	struct item item = w->items[series][time];
	bool holds;

	struct sample s = sample_of(w, series, time, &item);
	cr_assert_eq(history_holds(w->h, &w->series[series], &s, &holds), 0);
	cr_assert_eq(holds, item.there);
	s.quality = (enum quality)((s.quality + 1) % 3);
	cr_assert_eq(history_holds(w->h, &w->series[series], &s, &holds), 0);
	cr_assert(!holds);
}

static void check_all(struct world *w)
{
	for (uint32_t i = 0; i < N_SERIES; i++)
		check_range(w, i, 0, N_TIMES - 1);
}

/* ---- Write-behind -----------------------------------------------------------------------------------------
 */

static void thaw(struct world *w, bool written)
{
	history_thaw(w->h, written);
	w->frozen = false;
	if (!written)
		return;
	memmove(w->pending, w->pending + w->n_frozen, (w->n_pending - w->n_frozen) * sizeof *w->pending);
	w->n_pending -= w->n_frozen;
}

/* The directory is not there for a moment. */
static void fail_to_write(struct world *w)
{
	char away[200];

	snprintf(away, sizeof away, "%s.away", w->dir);
	must(rename(w->dir, away) == 0);
	const int r = history_write(w->h);
	must(rename(away, w->dir) == 0);
	cr_assert(w->in_memory == 0 ? r == 0 : r < 0);
	thaw(w, false);
}

static void checkpoint(struct world *w)
{
	if (!w->frozen) {
		must(history_freeze(w->h) == 0);
		w->frozen = true;
		w->n_frozen = w->n_pending;
		w->in_memory = history_backlog(w->h);
		return;
	}
	if (random_below(w, 4) == 0) {
		fail_to_write(w);
		return;
	}
	cr_assert_eq(history_write(w->h), 0);
	if (random_below(w, 6) == 0) { /* written, but the checkpoint failed behind it */
		thaw(w, false);
		return;
	}
	buf_clear(&w->runs);
	history_runs(w->h, &w->runs);
	thaw(w, true);
}

static void open_it(struct world *w)
{
	struct err_note note = {0};

	cr_assert_eq(history_open(&w->h, w->dir, 1 << 28, buf_bytes(&w->runs), &note), 0, "%s", note.text);
	history_tidy(w->h);
	w->h->merge_work = 2000; /* so that others come between */
	for (size_t i = 0; i < N_SERIES; i++)
		w->series[i].chain = 0;
	for (size_t i = 0; i < w->n_pending; i++)
		give(w, &w->pending[i]);
}

static void reopen(struct world *w)
{
	history_close(w->h);
	w->frozen = w->merging = false;
	w->n_frozen = 0;
	open_it(w);
}

static struct series_rule keep_all(const void *ctx, uint32_t series)
{
	(void)ctx, (void)series;
	return (struct series_rule){.alive = true};
}

/* A slice of a merge, with anything else between two of them. */
static void merge(struct world *w)
{
	if (!w->merging) {
		const int r = history_merge_begin(w->h, keep_all, NULL, 3 * N_SERIES);
		cr_assert(r == 0 || r == HISTORY_NOTHING);
		w->merging = r == 0;
		return;
	}
	const int r = history_merge_step(w->h);
	cr_assert(r >= 0);
	if (r == 0 && random_below(w, 8) > 0)
		return;
	const bool durable = r == 1 && random_below(w, 4) > 0;
	if (durable) {
		buf_clear(&w->runs);
		history_runs(w->h, &w->runs);
	}
	history_merge_end(w->h, durable);
	w->merging = false;
}

static void scrub(struct world *w)
{
	struct history_health health;

	cr_assert(history_scrub_step(w->h) >= 0);
	history_health(w->h, &health);
	cr_assert_eq(health.rotten, 0);
}

static void check_buckets(struct world *w)
{
	const uint32_t series = random_below(w, 3), from = random_below(w, N_TIMES);
	const struct bucket_range range = {
		.from_ns = (int64_t)from * STEP_NS,
		.to_ns = (int64_t)(from + random_below(w, N_TIMES - from)) * STEP_NS,
		.step_ns = STEP_NS * (1 + random_below(w, 200)),
		.limit = 1 + random_below(w, 20),
	};
	SCOPED(scope_arena) struct arena *a = NULL;
	struct bucket *got;
	size_t n;
	bool more;
	int64_t t_ns = range.from_ns;

	must(arena_new(&a, 1 << 20) == 0);
	cr_assert_eq(history_buckets(w->h, &w->series[series], &range, a, &got, &n, &more), 0);
	for (size_t i = 0; i < n; i++) {
		double sum = 0, squares = 0;
		uint64_t good = 0, bad = 0;
		for (; t_ns <= range.to_ns && t_ns < got[i].t_ns + got[i].step_ns; t_ns += STEP_NS) {
			const uint32_t time = (uint32_t)(t_ns / STEP_NS);
			if (!w->items[series][time].there)
				continue;
			const struct sample s = sample_of(w, series, time, &w->items[series][time]);
			double v;
			cr_assert(t_ns >= got[i].t_ns && value_number(&s.value, &v));
			good += s.quality != QUALITY_BAD;
			bad += s.quality == QUALITY_BAD;
			sum += s.quality != QUALITY_BAD ? v : 0;
			squares += s.quality != QUALITY_BAD ? v * v : 0;
		}
		cr_assert(good == got[i].n && bad == got[i].n_bad && good + bad > 0 && !got[i].coarse);
		if (good == 0)
			continue;
		const double mean = sum / (double)good;
		cr_assert_float_eq(got[i].mean, mean, 1e-9 * (1 + fabs(mean)));
		cr_assert_float_eq(got[i].m2, squares - sum * mean, 1e-6 * (1 + squares));
	}
	for (; !more && t_ns <= range.to_ns; t_ns += STEP_NS)
		cr_assert(!w->items[series][t_ns / STEP_NS].there);
	cr_assert(!more || n == range.limit);
}

static void step(struct world *w)
{
	const uint32_t what = random_below(w, 100);

	if (what < 30)
		add_some(w);
	else if (what < 45)
		add_stretch(w);
	else if (what < 55)
		check_some(w);
	else if (what < 60)
		check_at(w);
	else if (what < 65)
		check_points(w);
	else if (what < 70)
		check_holds(w);
	else if (what < 75)
		check_buckets(w);
	else if (what < 82)
		merge(w);
	else if (what < 83)
		scrub(w);
	else if (what < 99)
		checkpoint(w);
	else
		reopen(w);
}

static void play(uint64_t seed)
{
	static const enum value_type types[N_SERIES] = {VALUE_DOUBLE, VALUE_INT64,    VALUE_BOOL,
							VALUE_TEXT,   VALUE_POSITION, VALUE_DOUBLE};
	static struct world w;

	w = (struct world){.state = seed};
	snprintf(w.dir, sizeof w.dir, "%s/history", tmpdir_make());
	w.pending = malloc(PENDING_MAX * sizeof *w.pending);
	must(w.pending);
	for (uint32_t i = 0; i < N_SERIES; i++)
		w.series[i] = (struct series){.id = 3 * i + 1, .type = types[i]};
	open_it(&w);
	for (int i = 0; i < 600; i++)
		step(&w);
	check_all(&w);
	reopen(&w);
	check_all(&w);
	history_close(w.h);
	buf_fini(&w.runs);
	free(w.pending);
	tmpdir_remove();
}

Test(history_model, both_say_the_same)
{
	const char *text = getenv("HOLON_SEED");
	const uint64_t first = text ? strtoull(text, NULL, 10) : 1, n = text ? 1 : 12;

	for (uint64_t seed = first; seed < first + n; seed++) {
		printf("seed %lu\n", (unsigned long)seed);
		fflush(stdout);
		play(seed);
	}
}
