/* SPDX-License-Identifier: Apache-2.0 */
#include "tools/history_show.h"

#include <inttypes.h>

#include "proto/clock.h"
#include "proto/words.h"
#include "tools/csv.h"
#include "tools/json.h"
#include "tools/print.h"
#include "tools/show.h"

static const char *const fn_words[N_HISTORY_FNS] = {
	[HISTORY_COUNT] = "count", [HISTORY_BAD] = "bad", [HISTORY_MEAN] = "mean", [HISTORY_SD] = "sd",
	[HISTORY_MIN] = "min",     [HISTORY_MAX] = "max", [HISTORY_SUM] = "sum",   [HISTORY_LAST] = "last",
};

bool history_fn_parse(const char *word, enum history_fn *ret)
{
	const size_t i = word_find(fn_words, N_HISTORY_FNS, word);

	if (i == N_HISTORY_FNS)
		return false;
	*ret = (enum history_fn)i;
	return true;
}

const char *history_fn_text(enum history_fn fn)
{
	return word_at(fn_words, N_HISTORY_FNS, fn);
}

void history_show_defaults(struct history_show *h)
{
	static const enum history_fn few[] = {HISTORY_MEAN, HISTORY_MIN, HISTORY_MAX, HISTORY_COUNT};

	if (h->n_fns > 0)
		return;
	h->n_fns = h->form == HISTORY_TEXT ? N_WORDS(few) : N_HISTORY_FNS;
	for (size_t i = 0; i < h->n_fns; i++)
		h->fns[i] = h->form == HISTORY_TEXT ? few[i] : (enum history_fn)i;
}

static bool is_count(enum history_fn fn)
{
	return fn == HISTORY_COUNT || fn == HISTORY_BAD;
}

static uint64_t count_of(const struct history_bucket *b, enum history_fn fn)
{
	return fn == HISTORY_COUNT ? b->n : b->n_bad;
}

/* NaN where there is nothing to speak of. */
static double number_of(const struct history_bucket *b, enum history_fn fn)
{
	const double numbers[N_HISTORY_FNS] = {
		[HISTORY_MEAN] = b->mean,
		[HISTORY_SD] = b->sd,
		[HISTORY_MIN] = b->min,
		[HISTORY_MAX] = b->max,
		[HISTORY_SUM] = b->mean * (double)b->n,
		[HISTORY_LAST] = b->last,
	};

	return b->n > 0 ? numbers[fn] : NAN;
}

/* ---- CSV (RFC 4180) */

void history_show_head(const struct history_show *h)
{
	if (h->form != HISTORY_CSV)
		return;
	fputs(h->buckets ? "t" : "t,value,quality,sigma,source", h->out);
	for (size_t i = 0; h->buckets && i < h->n_fns; i++)
		fprintf(h->out, ",%s", history_fn_text(h->fns[i]));
	fputc('\n', h->out);
}

static void csv_sample(FILE *out, struct arena *a, const struct sample *s)
{
	char at[TIME_TEXT_SIZE];

	fprintf(out, "%s,", time_text(s->t_ns, at));
	csv_put_text(out, s->value.type == VALUE_NONE ? "" : text_or_empty(value_text(a, &s->value)));
	fprintf(out, ",%s,", quality_text(s->quality));
	csv_put_number(out, s->sigma);
	fputc(',', out);
	csv_put_text(out, text_or_empty(s->source));
	fputc('\n', out);
}

static void csv_bucket(const struct history_show *h, const struct history_bucket *b)
{
	char at[TIME_TEXT_SIZE];

	fputs(time_text(b->t_ns, at), h->out);
	for (size_t i = 0; i < h->n_fns; i++) {
		fputc(',', h->out);
		if (is_count(h->fns[i]))
			fprintf(h->out, "%" PRIu64, count_of(b, h->fns[i]));
		else
			csv_put_number(h->out, number_of(b, h->fns[i]));
	}
	fputc('\n', h->out);
}

/* ---- JSON */

static void json_sample(const struct history_show *h, const struct sample *s)
{
	struct json j = {.out = h->out};

	json_open(&j, NULL, '{');
	show_sample_members(&j, s);
	json_text(&j, "unit", h->unit);
	json_close(&j);
}

static void json_bucket(const struct history_show *h, const struct history_bucket *b)
{
	struct json j = {.out = h->out};

	json_open(&j, NULL, '{');
	json_time(&j, "t", b->t_ns);
	for (size_t i = 0; i < h->n_fns; i++) {
		const char *name = history_fn_text(h->fns[i]);
		if (is_count(h->fns[i]))
			json_count(&j, name, count_of(b, h->fns[i]));
		else
			json_number(&j, name, number_of(b, h->fns[i]));
	}
	if (b->coarse)
		json_bool(&j, "coarse", true);
	json_text(&j, "unit", h->unit);
	json_close(&j);
}

/* ---- text */

static void text_sample(const struct history_show *h, struct arena *a, const struct sample *s)
{
	char at[TIME_TEXT_SIZE];

	fprintf(h->out, "%s  ", time_text(s->t_ns, at));
	print_clean(h->out, sample_words(a, s, h->unit));
	fputc('\n', h->out);
}

static void text_bucket(const struct history_show *h, struct arena *a, const struct history_bucket *b)
{
	char at[TIME_TEXT_SIZE];

	fputs(time_text(b->t_ns, at), h->out);
	for (size_t i = 0; i < h->n_fns; i++) {
		const enum history_fn fn = h->fns[i];
		const double number = is_count(fn) ? 0 : number_of(b, fn);
		fprintf(h->out, "  %s ", history_fn_text(fn));
		if (is_count(fn))
			fputs(human_count(a, count_of(b, fn)), h->out);
		else
			fputs(isnan(number) ? "-" : human_number(a, number), h->out);
		if (!is_count(fn) && !isnan(number) && *h->unit) {
			fputc(' ', h->out);
			print_clean(h->out, h->unit);
		}
	}
	fputs(b->coarse ? "  coarse\n" : "\n", h->out);
}

void history_show_sample(const struct history_show *h, struct arena *a, const struct sample *s)
{
	switch (h->form) {
	case HISTORY_TEXT: text_sample(h, a, s); return;
	case HISTORY_JSON: json_sample(h, s); return;
	case HISTORY_CSV: csv_sample(h->out, a, s); return;
	}
}

void history_show_bucket(const struct history_show *h, struct arena *a, const struct history_bucket *b)
{
	switch (h->form) {
	case HISTORY_TEXT: text_bucket(h, a, b); return;
	case HISTORY_JSON: json_bucket(h, b); return;
	case HISTORY_CSV: csv_bucket(h, b); return;
	}
}
