/* SPDX-License-Identifier: Apache-2.0 */
/* Types, then twins, then relations, then values, then series: each may need what went before. Requests end
 * where a rule ends, so that the counts of the answers belong to a rule. */
#include <stddef.h>

#include "tools/client.h"
#include "tools/import.h"
#include "tools/progress.h"
#include "tools/readings.h"

struct sending {
	struct import *im;
	struct bulk bulk;         /* types, twins, relations */
	struct readings readings; /* values and series */
	struct progress *progress;
	struct err_note *note;
	struct client_tally booked;
	bool failed; /* memory ran out in a callback */
};

static void refused_reading(void *ctx, const struct mark *mark, const char *reason)
{
	struct sending *s = ctx;

	s->failed |= import_skip(s->im, mark->file, mark->line, "refused by the node: %s%s%s", mark->what,
				 *mark->what ? ": " : "", reason) < 0;
}

static void refused(void *ctx, const struct mark *mark, const struct refusal *refusal)
{
	refused_reading(ctx, mark, refusal->reason);
}

/* Wait for the answers and book them. */
static int settle(struct sending *s, struct tally *tally)
{
	TRY(bulk_drain(&s->bulk, s->note));
	if (tally) {
		tally->changed += s->bulk.n_changed;
		tally->unchanged += s->bulk.n_unchanged;
	}
	s->bulk.n_changed = s->bulk.n_unchanged = 0;
	return s->failed ? FAIL(-ENOMEM) : 0;
}

static int send_types(struct sending *s)
{
	const struct mapping *m = s->im->mapping;

	for (size_t i = 0; i < m->n_types; i++) {
		const struct op op = {.kind = OP_TYPE, .type = m->types[i]};
		TRY(bulk_add(&s->bulk, &op, (struct mark){m->types[i].name, 0, "type"}, s->note));
	}
	return settle(s, &s->im->types);
}

/* `tally` is the offset in struct rule_report of the tally that the list goes to. */
static int send_list(struct sending *s, const struct planned_list *list, size_t tally)
{
	for (size_t i = 0; i < list->n; i++) {
		const struct planned *p = &list->items[i];
		const bool last = i + 1 == list->n || list->items[i + 1].rule != p->rule;

		TRY(bulk_add(&s->bulk, &p->op, p->mark, s->note));
		progress_add(s->progress, 1);
		if (last)
			TRY(settle(s, (struct tally *)(void *)((char *)&s->im->rules[p->rule] + tally)));
	}
	return 0;
}

/* Wait for the acknowledgements of a rule's readings and book them. */
static int settle_readings(struct sending *s, struct tally *tally)
{
	const struct client_tally before = s->booked;

	TRY(readings_flush(&s->readings, s->note));
	s->booked = client_tally(s->bulk.client);
	tally->changed += s->booked.n_stored - before.n_stored;
	tally->unchanged += s->booked.n_unchanged - before.n_unchanged;
	return s->failed ? FAIL(-ENOMEM) : 0;
}

static int send_values(struct sending *s)
{
	const struct planned_list *list = &s->im->values;

	for (size_t i = 0; i < list->n; i++) {
		const struct planned *p = &list->items[i];
		const struct op_samples *of = &p->op.samples;
		const struct reading reading = {of->twin, of->property, of->samples[0]};

		TRY(readings_put(&s->readings, &reading, p->mark, s->note));
		progress_add(s->progress, 1);
		if (i + 1 == list->n || list->items[i + 1].rule != p->rule)
			TRY(settle_readings(s, &s->im->rules[p->rule].values));
	}
	return 0;
}

static int send_one_series(struct sending *s, const struct planned_series *series)
{
	const struct csv *table = series->series->table;
	struct mark mark = {table->name, 0, csv_header(table, series->column)};
	SCOPED(scope_arena) struct arena *a = NULL;

	TRY(arena_new(&a, SIZE_MAX));
	for (size_t at = 0; at < table->n_rows;) {
		struct op_samples one;
		arena_reset(a);
		TRY(import_samples(s->im, series, a, &at, 1, false, &one));
		if (one.n == 0)
			break;
		mark.line = csv_line(table, at - 1);
		TRY(readings_put(&s->readings, &(struct reading){one.twin, one.property, one.samples[0]},
				 mark, s->note));
		s->progress->n_counted++;
		if (at % 1000 == 0)
			progress_add(s->progress, 0);
	}
	progress_add(s->progress, 1);
	return 0;
}

static int send_series(struct sending *s)
{
	const struct import *im = s->im;

	s->progress->counted = "samples";
	for (size_t i = 0; i < im->n_series; i++) {
		TRY(send_one_series(s, &im->series[i]));
		if (i + 1 == im->n_series || im->series[i + 1].rule != im->series[i].rule)
			TRY(settle_readings(s, &im->rules[im->series[i].rule].samples));
	}
	return 0;
}

static int send_all(struct sending *s)
{
	TRY(send_types(s));
	TRY(send_list(s, &s->im->twins, offsetof(struct rule_report, twins)));
	TRY(send_list(s, &s->im->relations, offsetof(struct rule_report, relations)));
	TRY(send_values(s));
	return send_series(s);
}

int import_send(struct import *im, struct client *client, struct progress *progress, struct err_note *note)
{
	struct sending s = {
		.im = im, .bulk = {.client = client, .refused = refused}, .progress = progress, .note = note};
	int r;

	s.bulk.ctx = &s;
	r = bulk_init(&s.bulk);
	if (r == 0)
		r = readings_init(&s.readings, client, refused_reading, &s, note);
	if (r == 0)
		r = send_all(&s);
	bulk_fini(&s.bulk);
	readings_fini(&s.readings);
	return r;
}
