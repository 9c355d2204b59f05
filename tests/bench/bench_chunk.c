/* SPDX-License-Identifier: Apache-2.0 */
/* The stored form of history on real series: its size beside zstd, and how fast a series is decoded. */
#include <glob.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "storage/chunk.h"
#include "storage/record.h"
#include "tests/bench/bench.h"
#include "tests/bench/peer.h"

/* ---- The series of the data folder ------------------------------------------------------------------------
 */

enum { COLUMNS_MAX = 2048, LINE_MAX_BYTES = 1 << 17 };
static const int64_t second_ns = 1000000000;

struct series_data {
	const char *set;
	char name[120];
	struct column c;
};

struct series_list {
	struct series_data *items;
	size_t n;
};

static void series_list_fini(struct series_list *l)
{
	for (size_t i = 0; i < l->n; i++)
		column_fini(&l->items[i].c);
	free(l->items);
}

/* Days from 1970-01-01 to a date of the Gregorian calendar. */
static int64_t days(int64_t year, int64_t month, int64_t day)
{
	const int64_t y = month <= 2 ? year - 1 : year, m = month <= 2 ? month + 9 : month - 3;

	return 365 * y + y / 4 - y / 100 + y / 400 + (153 * m + 2) / 5 + day - 1 - 719468;
}

static int64_t at(int64_t day, int64_t hour, int64_t minute, int64_t second)
{
	return (((day * 24 + hour) * 60 + minute) * 60 + second) * second_ns;
}

/* The time of a row: its cells, and how many rows of the set came before. */
typedef int64_t time_fn(char *const cells[], int64_t row);

static int64_t stamp_time(char *const cells[], int64_t row) /* 2016-07-01 00:00:00 */
{
	int y = 0, mo = 0, d = 0, h = 0, mi = 0, s = 0;

	(void)row;
	sscanf(cells[0], "%d-%d-%d %d:%d:%d", &y, &mo, &d, &h, &mi, &s);
	return at(days(y, mo, d), h, mi, s);
}

static int64_t steel_time(char *const cells[], int64_t row) /* 01-02-2018 05:45; 00:00 closes the day */
{
	int y = 0, mo = 0, d = 0, h = 0, mi = 0;

	(void)row;
	sscanf(cells[0], "%d-%d-%d %d:%d", &d, &mo, &y, &h, &mi);
	return at(days(y, mo, d) + (h == 0 && mi == 0), h, mi, 0);
}

static int64_t beijing_time(char *const cells[], int64_t row)
{
	(void)row;
	return at(days(strtol(cells[1], NULL, 10), strtol(cells[2], NULL, 10), strtol(cells[3], NULL, 10)),
		  strtol(cells[4], NULL, 10), 0, 0);
}

static int64_t hourly_time(char *const cells[], int64_t row)
{
	(void)cells;
	return at(days(2011, 1, 1), row, 0, 0);
}

static int64_t five_minutes_time(char *const cells[], int64_t row)
{
	(void)cells;
	return at(days(2012, 3, 1), 0, 5 * row, 0);
}

struct data_set {
	const char *name, *pattern;
	size_t first, end; /* columns that are series; without words and clocks */
	bool joined;       /* its files are one after the other */
	time_fn *time;
};

static const struct data_set data_sets[] = {
	{"nab", "nab/*/*.csv", 1, 2, false, stamp_time},
	{"ett", "ett/ETTh1.csv", 1, 8, false, stamp_time},
	{"gas_turbine", "gas_turbine/gt_*.csv", 0, 11, true, hourly_time},
	{"beijing_air", "beijing_air/PRSA_*.csv", 5, 17, false, beijing_time},
	{"steel_energy", "steel_energy/steel_*.csv", 1, 7, false, steel_time},
	{"los_loop", "los_loop_traffic/los_speed*.csv", 0, COLUMNS_MAX, false, five_minutes_time},
	{"scigrid_loads", "scigrid_de/loads-p_set.csv", 1, COLUMNS_MAX, false, hourly_time},
	{"scigrid_wind", "scigrid_de/generators-p_max_pu.csv", 1, COLUMNS_MAX, false, hourly_time},
};

static size_t split(char *line, char *cells[])
{
	size_t n = 0;

	line[strcspn(line, "\r\n")] = '\0';
	for (char *p = line; p && n < COLUMNS_MAX;) {
		char *comma = strchr(p, ',');
		if (comma)
			*comma = '\0';
		cells[n++] = p;
		p = comma ? comma + 1 : NULL;
	}
	return n;
}

/* Empty, NA and words are no numbers. */
static bool cell_number(const char *cell, double *ret)
{
	char *end = NULL;

	*ret = strtod(cell, &end);
	return end != cell && *end == '\0';
}

static int add_row(const struct data_set *set, char *const cells[], size_t n_cells, int64_t row,
		   struct series_data *series)
{
	struct sample s = {.value.type = VALUE_DOUBLE, .sigma = (double)NAN};

	s.t_ns = set->time(cells, row);
	for (size_t i = set->first; i < set->end && i < n_cells; i++)
		if (cell_number(cells[i], &s.value.real))
			TRY(column_add(&series[i - set->first].c, &s));
	return 0;
}

/* Room for the series of a file, named after its first line. */
static struct series_data *new_series(struct series_list *l, const struct data_set *set, const char *path,
				      char *const cells[], size_t n_cells)
{
	const char *slash = strrchr(path, '/');
	const size_t n = (n_cells < set->end ? n_cells : set->end) - set->first;
	struct series_data *items = realloc(l->items, (l->n + n) * sizeof *items);

	if (!items)
		return NULL;
	l->items = items;
	for (size_t i = 0; i < n; i++) {
		struct series_data *s = &l->items[l->n++];
		*s = (struct series_data){.set = set->name};
		snprintf(s->name, sizeof s->name, "%s:%s", slash ? slash + 1 : path, cells[set->first + i]);
	}
	return &l->items[l->n - n];
}

static int read_file(struct series_list *l, const struct data_set *set, const char *path, int64_t *row)
{
	static char line[LINE_MAX_BYTES];
	char *cells[COLUMNS_MAX];
	FILE *f = fopen(path, "re");
	int r = 0;

	if (!f || !fgets(line, sizeof line, f)) {
		if (f)
			fclose(f);
		return FAIL(-errno);
	}
	const size_t n = split(line, cells);
	const bool goes_on = set->joined && *row > 0;
	struct series_data *series =
		goes_on ? &l->items[l->n - (set->end - set->first)] : new_series(l, set, path, cells, n);
	if (!goes_on)
		*row = 0;
	for (; r == 0 && series && fgets(line, sizeof line, f); (*row)++) {
		const size_t n_cells = split(line, cells);
		r = add_row(set, cells, n_cells, *row, series);
	}
	fclose(f);
	return series ? r : FAIL(-ENOMEM);
}

static int read_set(struct series_list *l, const char *folder, const struct data_set *set)
{
	char pattern[512];
	glob_t found = {0};
	int64_t row = 0;
	int r = 0;

	snprintf(pattern, sizeof pattern, "%s/%s", folder, set->pattern);
	if (glob(pattern, 0, NULL, &found) != 0)
		r = bench_say("history", "nothing is %s", pattern);
	for (size_t i = 0; i < found.gl_pathc && r == 0; i++)
		r = read_file(l, set, found.gl_pathv[i], &row);
	globfree(&found);
	return r;
}

static int read_all(struct series_list *l, const char *folder)
{
	if (!folder)
		return bench_say("history", "needs the folder of real data: --data or HOLON_DATA");
	for (size_t i = 0; i < sizeof data_sets / sizeof *data_sets; i++)
		if (read_set(l, folder, &data_sets[i]) < 0)
			return bench_say("history", "cannot read %s", data_sets[i].pattern);
	return 0;
}

/* ---- Size -------------------------------------------------------------------------------------------------
 */

/* What this thread had of a core: others that use the machine do not count. */
static double core_s(void)
{
	struct timespec t;

	clock_gettime(CLOCK_THREAD_CPUTIME_ID, &t);
	return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

struct sizes {
	size_t n, values, times, fast; /* values, fast: with the heads of the chunks */
	double zstd;
	double fast_s, small_s; /* to encode */
};

static void add_sizes(struct sizes *to, const struct sizes *s)
{
	to->n += s->n;
	to->values += s->values;
	to->times += s->times;
	to->zstd += s->zstd;
	to->fast += s->fast;
	to->fast_s += s->fast_s;
	to->small_s += s->small_s;
}

/* Encode one chunk, see that it comes back to the bit, and say what it takes. */
static int measure_chunk(const struct column *c, size_t i, size_t end, enum chunk_effort effort,
			 struct sizes *s)
{
	SCOPED(buf_fini) struct buf out = {0};
	SCOPED(column_fini) struct column back = {0};
	struct chunk_info info;

	const double start = core_s();
	chunk_encode(c, i, end, effort, &out);
	*(effort == CHUNK_FAST ? &s->fast_s : &s->small_s) += core_s() - start;
	TRY(buf_check(&out));
	TRY(chunk_decode(buf_bytes(&out), c->t_ns[i], &back));
	if (back.n != end - i || memcmp(back.bits, c->bits + i, back.n * sizeof *back.bits) != 0 ||
	    memcmp(back.t_ns, c->t_ns + i, back.n * sizeof *back.t_ns) != 0)
		return bench_say("history-size", "a chunk did not come back as it was");
	TRY(chunk_inspect(buf_bytes(&out), c->t_ns[i], &info));
	if (effort == CHUNK_FAST) {
		s->fast += info.value_bytes + info.other_bytes;
	} else {
		s->values += info.value_bytes + info.other_bytes;
		s->times += info.time_bytes;
	}
	return 0;
}

static int measure_series(const struct column *c, struct sizes *ret)
{
	*ret = (struct sizes){.n = c->n};
	for (size_t i = 0; i < c->n; i += CHUNK_SAMPLES_MAX) {
		const size_t end = c->n - i < CHUNK_SAMPLES_MAX ? c->n : i + CHUNK_SAMPLES_MAX;
		TRY(measure_chunk(c, i, end, CHUNK_FAST, ret));
		TRY(measure_chunk(c, i, end, CHUNK_SMALL, ret));
	}
	ret->zstd = peer_zstd_bytes(c->bits, c->n * sizeof *c->bits);
	return 0;
}

static void print_sizes(const struct bench_options *opt, const char *name, const struct sizes *s)
{
	bench_figure(opt, "history-size", name, (double)s->values / (double)s->n, "B/sample", ZSTD_PEER,
		     s->zstd / (double)s->n);
}

static int run_size(const struct bench_options *opt)
{
	SCOPED(series_list_fini) struct series_list l = {0};
	struct sizes total = {0}, set = {0};

	if (read_all(&l, opt->data) < 0)
		return -1;
	for (size_t i = 0; i < l.n; i++) {
		struct sizes s;
		if (measure_series(&l.items[i].c, &s) < 0)
			return bench_say("history-size", "%s: failed", l.items[i].name);
		add_sizes(&set, &s);
		add_sizes(&total, &s);
		if (opt->json)
			print_sizes(opt, l.items[i].name, &s);
		if (i + 1 == l.n || l.items[i].set != l.items[i + 1].set) {
			print_sizes(opt, l.items[i].set, &set);
			set = (struct sizes){0};
		}
	}
	print_sizes(opt, "total", &total);
	bench_result(opt, "history-size", "times", (double)total.times / (double)total.n, "B/sample");
	bench_result(opt, "history-size", "fast", (double)total.fast / (double)total.n, "B/sample");
	bench_result(opt, "history-size", "encode-fast", (double)total.n / total.fast_s, "samples/s");
	bench_result(opt, "history-size", "encode-small", (double)total.n / total.small_s, "samples/s");
	return 0;
}

const struct bench bench_history_size = {"history-size", "bytes of a stored sample, beside zstd -19",
					 run_size};

/* ---- Scan -------------------------------------------------------------------------------------------------
 */

enum { SCAN_MIN = 1000, SCAN_SAMPLES = 1 << 20, SCAN_RUNS = 5, SCAN_SERIES_MAX = 1024 };

/* A series as a run of chunks, over and over until it is long enough: each copy is bytes of its own. */
struct stored {
	struct buf bytes;
	struct stored_chunk {
		size_t at, len;
		int64_t first_ns;
	} * chunks;
	size_t n_chunks, n_samples;
};

static void stored_fini(struct stored *s)
{
	buf_fini(&s->bytes);
	free(s->chunks);
}

static int store_copy(const struct column *c, struct stored *s)
{
	for (size_t i = 0; i < c->n; i += CHUNK_SAMPLES_MAX) {
		const size_t end = c->n - i < CHUNK_SAMPLES_MAX ? c->n : i + CHUNK_SAMPLES_MAX;
		struct stored_chunk *chunks = realloc(s->chunks, (s->n_chunks + 1) * sizeof *chunks);
		if (!chunks)
			return FAIL(-ENOMEM);
		s->chunks = chunks;
		chunks[s->n_chunks] = (struct stored_chunk){.at = s->bytes.len, .first_ns = c->t_ns[i]};
		chunk_encode(c, i, end, CHUNK_SMALL, &s->bytes);
		TRY(buf_check(&s->bytes));
		chunks[s->n_chunks].len = s->bytes.len - chunks[s->n_chunks].at;
		s->n_chunks++;
	}
	s->n_samples += c->n;
	return 0;
}

static int store_series(const struct column *c, struct stored *s)
{
	TRY(store_copy(c, s));
	const size_t n = s->n_chunks, len = s->bytes.len;
	while (s->n_samples < SCAN_SAMPLES) {
		struct stored_chunk *chunks = realloc(s->chunks, (s->n_chunks + n) * sizeof *chunks);
		uint8_t *p = buf_extend(&s->bytes, len);
		s->chunks = chunks ? chunks : s->chunks;
		if (!chunks || !p)
			return FAIL(-ENOMEM);
		memcpy(p, s->bytes.data, len);
		for (size_t i = 0; i < n; i++) {
			chunks[s->n_chunks] = chunks[i];
			chunks[s->n_chunks++].at += s->bytes.len - len;
		}
		s->n_samples += c->n;
	}
	return 0;
}

/* In lanes, so that one addition need not wait for the one before. */
static double sum_of(const struct column *c)
{
	enum { LANES = 8 };
	double lane[LANES] = {0}, sum = 0;
	size_t i = 0;

	for (; i + LANES <= c->n; i += LANES)
		for (size_t k = 0; k < LANES; k++)
			lane[k] += bits_double(c->bits[i + k]);
	for (; i < c->n; i++)
		sum += bits_double(c->bits[i]);
	for (size_t k = 0; k < LANES; k++)
		sum += lane[k];
	return sum;
}

/* Times and values of all of it. */
static int scan(const struct stored *s, struct column *into, double *ret_sum)
{
	*ret_sum = 0;
	for (size_t i = 0; i < s->n_chunks; i++) {
		const struct stored_chunk *k = &s->chunks[i];
		TRY(chunk_decode((struct bytes){s->bytes.data + k->at, k->len}, k->first_ns, into));
		*ret_sum += sum_of(into);
	}
	return 0;
}

/* Samples per second, the median of a few runs; sees that the sum is that of the series. */
static int scan_series(const struct series_data *d, double *ret)
{
	SCOPED(stored_fini) struct stored s = {0};
	SCOPED(column_fini) struct column into = {0};
	double rates[SCAN_RUNS], sum;

	TRY(store_series(&d->c, &s));
	for (size_t i = 0; i < SCAN_RUNS; i++) {
		const double start = core_s();
		TRY(scan(&s, &into, &sum));
		rates[i] = (double)s.n_samples / (core_s() - start);
	}
	const double expected = sum_of(&d->c) * (double)(s.n_samples / d->c.n);
	if (fabs(sum - expected) > 1e-9 * fabs(expected))
		return bench_say("history-scan", "%s: the sum is %.17g, not %.17g", d->name, sum, expected);
	*ret = bench_quantile(rates, SCAN_RUNS, 0.5);
	return 0;
}

/* The sets between which the series lie, each with the rates of its series. */
static int scan_sets(const struct bench_options *opt, const struct series_list *l, double *medians,
		     size_t *ret_n, double *ret_slowest)
{
	double rates[SCAN_SERIES_MAX];
	size_t n = 0;

	for (size_t i = 0; i < l->n; i++) {
		const struct series_data *d = &l->items[i];
		if (d->c.n >= SCAN_MIN && n < SCAN_SERIES_MAX) {
			if (scan_series(d, &rates[n]) < 0)
				return bench_say("history-scan", "%s: failed", d->name);
			if (rates[n] < *ret_slowest)
				*ret_slowest = rates[n];
			if (opt->json)
				bench_result(opt, "history-scan", d->name, rates[n], "samples/s");
			n++;
		}
		if (n > 0 && (i + 1 == l->n || d->set != d[1].set)) {
			medians[*ret_n] = bench_quantile(rates, n, 0.5);
			bench_result(opt, "history-scan", d->set, medians[(*ret_n)++], "samples/s");
			n = 0;
		}
	}
	return 0;
}

static int run_scan(const struct bench_options *opt)
{
	SCOPED(series_list_fini) struct series_list l = {0};
	double medians[sizeof data_sets / sizeof *data_sets], slowest = INFINITY;
	size_t n = 0;

	if (read_all(&l, opt->data) < 0 || scan_sets(opt, &l, medians, &n, &slowest) < 0)
		return -1;
	bench_result(opt, "history-scan", "warm", bench_quantile(medians, n, 0.5), "samples/s");
	bench_result(opt, "history-scan", "slowest", slowest, "samples/s");
	return 0;
}

const struct bench bench_history_scan = {
	"history-scan", "samples decoded and summed: each real series of 1,000 and more, per set its median",
	run_scan};
