/* SPDX-License-Identifier: Apache-2.0 */
#include "tools/watch_show.h"

#include <stdlib.h>
#include <string.h>

#include "proto/clock.h"
#include "proto/words.h"
#include "tools/json.h"
#include "tools/print.h"
#include "tools/show.h"
#include "tools/view_show.h"

enum { LINE_BYTES = 1 << 20, TIME_AT = sizeof "2026-11-21T" - 1 };

struct told {
	uint32_t round; /* of the event that had it last */
	char *line;
	char group[];
};

static void told_free(struct told *t)
{
	free(t->line);
	free(t);
}

void watch_show_fini(struct watch_show *s)
{
	size_t at = 0;

	for (struct map_entry *e; (e = map_next(&s->cells, &at));)
		told_free(e->value);
	map_fini(&s->cells);
}

/* ---- For people ------------------------------------------------------------------------------------------
 */

/* The time of day, to the millisecond. */
static void stamp(const struct watch_show *s, int64_t t_ns, char sign)
{
	char text[TIME_TEXT_SIZE];
	const size_t len = strlen(time_text(t_ns / NS_PER_MS * NS_PER_MS, text));

	paint(s->out, PAINT_DIM, len > TIME_AT ? text + TIME_AT : text);
	fprintf(s->out, " %c ", sign);
}

static void rollups_line(struct watch_show *s, struct arena *a, const struct rollup_state *states)
{
	const struct view_question *q = s->question;

	for (size_t i = 0; i < q->n_rollups && states; i++) {
		fprintf(s->out, "%s%s ", i > 0 ? ", " : "",
			text_or_empty(rollup_spec_text(a, &q->rollups[i])));
		paint(s->out, PAINT_BOLD, view_rollup_words(a, &q->rollups[i], &states[i]));
	}
}

static void member_line(struct watch_show *s, struct arena *a, const struct view_member *m)
{
	print_clean(s->out, m->id);
	if (*m->name) {
		fputc(' ', s->out);
		paint(s->out, PAINT_DIM, m->name);
	}
	if (m->state != MEMBER_LIVE) {
		fputs(", ", s->out);
		paint(s->out, m->state == MEMBER_CACHED ? PAINT_WARNING : PAINT_ALARM,
		      member_state_text(m->state));
	}
	if (m->health == HEALTH_WARNING || m->health == HEALTH_ALARM) {
		fputs(", ", s->out);
		paint(s->out, m->health == HEALTH_ALARM ? PAINT_ALARM : PAINT_WARNING,
		      health_text(m->health));
	}
	for (size_t i = 0; i < m->n_values; i++) {
		fputs(", ", s->out);
		print_clean(s->out, m->values[i].property);
		fputc(' ', s->out);
		print_clean(s->out, sample_words(a, &m->values[i].sample, m->values[i].unit));
	}
	if (s->question->n_rollups > 0)
		fputs(", ", s->out);
	rollups_line(s, a, m->rollups);
	fputc('\n', s->out);
}

/* 1: the line of this group is not the one told last. */
static int tell_cell(struct watch_show *s, const char *group, const char *line)
{
	struct told *known = map_get(&s->cells, group);
	const size_t size = strlen(group) + 1;

	if (known)
		known->round = s->round;
	if (known && strcmp(known->line, line) == 0)
		return 0;
	if (!known) {
		known = calloc(1, sizeof *known + size);
		if (!known)
			return FAIL(-ENOMEM);
		known->round = s->round;
		memcpy(known->group, group, size);
		const int r = map_put(&s->cells, known->group, known);
		if (r < 0)
			free(known);
		TRY(r);
	}
	free(known->line);
	known->line = strdup(line);
	return known->line ? 1 : FAIL(-ENOMEM);
}

static int cell_line(struct watch_show *s, struct arena *a, int64_t t_ns, const struct view_cell *c)
{
	const struct view_question *q = s->question;
	const char *line =
		arena_print(a, "%s %s", human_count(a, c->members), c->members == 1 ? "member" : "members");

	for (size_t i = 0; i < q->n_rollups && line; i++)
		line = arena_print(a, "%s, %s %s", line, text_or_empty(rollup_spec_text(a, &q->rollups[i])),
				   view_rollup_words(a, &q->rollups[i], &c->rollups[i]));
	if (!line)
		return FAIL(-ENOMEM);
	const int r = tell_cell(s, c->group, line);
	TRY(r);
	if (r == 0)
		return 0;
	stamp(s, t_ns, '=');
	print_clean(s->out, *c->group ? c->group : "(none)");
	fprintf(s->out, ": %s\n", line);
	return 0;
}

static int cell_lines(struct watch_show *s, struct arena *a, const struct client_event *event)
{
	const struct view_part *view = event->view;
	size_t at = 0;

	s->round++;
	for (size_t i = 0; i < view->n_cells; i++, arena_reset(a))
		TRY(cell_line(s, a, event->t_ns, &view->cells[i]));
	for (const struct map_entry *e; (e = map_next(&s->cells, &at));) {
		struct told *t = e->value;
		if (t->round == s->round || t->line[0] == '\0')
			continue;
		t->line[0] = '\0';
		stamp(s, event->t_ns, '-');
		print_clean(s->out, t->group[0] ? t->group : "(none)");
		fputc('\n', s->out);
	}
	return 0;
}

static void problem_lines(struct watch_show *s, const struct client_event *event)
{
	for (size_t i = 0; i < event->view->n_problems; i++) {
		stamp(s, event->t_ns, '!');
		print_clean(s->out, event->view->problems[i]);
		fputc('\n', s->out);
	}
}

int watch_show_text(struct watch_show *s, const struct client_event *event)
{
	const struct view_part *view = event->view;
	SCOPED(scope_arena) struct arena *a = NULL;

	TRY(arena_new(&a, LINE_BYTES));
	for (size_t i = 0; i < view->n_members; i++) {
		stamp(s, event->t_ns, '+');
		member_line(s, a, &view->members[i]);
		arena_reset(a);
	}
	for (size_t i = 0; i < view->n_gone; i++) {
		stamp(s, event->t_ns, '-');
		print_clean(s->out, view->gone[i]);
		fputc('\n', s->out);
	}
	TRY(cell_lines(s, a, event));
	if (event->totals && s->question->n_rollups > 0) {
		stamp(s, event->t_ns, '=');
		fputs("total ", s->out);
		rollups_line(s, a, view->rollups);
		fputc('\n', s->out);
	}
	if (event->certificate) {
		stamp(s, event->t_ns, '=');
		fprintf(s->out, "%s\n", view_certificate_text(a, view));
		problem_lines(s, event);
	}
	fflush(s->out);
	return 0;
}

/* ---- For programs ----------------------------------------------------------------------------------------
 */

int watch_show_json(struct watch_show *s, const struct client_event *event)
{
	const struct view_part *view = event->view;
	SCOPED(scope_free) struct json *j = calloc(1, sizeof *j);

	if (!j)
		return FAIL(-ENOMEM);
	j->out = s->out;
	json_open(j, NULL, '{');
	json_time(j, "t", event->t_ns);
	json_text(j, "event", event->first ? "first" : event->resumed ? "resumed" : "change");
	json_open(j, "members", '[');
	for (size_t i = 0; i < view->n_members; i++) {
		json_open(j, NULL, '{');
		json_text(j, "parent", view->members[i].parent);
		view_member_json(j, s->question, &view->members[i]);
		json_close(j);
	}
	json_close(j);
	json_open(j, "gone", '[');
	for (size_t i = 0; i < view->n_gone; i++)
		json_text(j, NULL, view->gone[i]);
	json_close(j);
	view_rollups_json(j, s->question, view->rollups);
	if (view_has_cells(s->question))
		view_cells_json(j, s->question, view);
	view_certificate_json(j, view);
	json_close(j);
	fflush(s->out);
	return 0;
}
