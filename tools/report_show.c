/* SPDX-License-Identifier: Apache-2.0 */
#include "tools/report_show.h"

#include <inttypes.h>
#include <stdio.h>

#include "proto/clock.h"
#include "tools/print.h"

/* ---- Counts ----------------------------------------------------------------------------------------------
 */

/* Every number, for both forms. */
#define COUNTS(X) \
	X(sessions_open) \
	X(gaps) \
	X(old_session) \
	X(refused) \
	X(unbelieved) \
	X(pulls) \
	X(repairs) \
	X(resets) \
	X(mismatches) \
	X(alarms) \
	X(forks) \
	X(over_share) \
	X(rows_outside)

void report_counts_json(struct json *j, const struct mesh_counts *c)
{
	json_open(j, "mesh", '{');
#define X(field) json_count(j, #field, c->field);
	COUNTS(X)
#undef X
	json_close(j);
}

void report_counts_text(struct arena *a, const struct mesh_counts *c, report_line_fn *line)
{
	const char *rows = arena_print(a,
				       "%" PRIu64 " pulls, %" PRIu64 " resets, %" PRIu64
				       " mismatches, %" PRIu64 " repairs, %" PRIu64 " outside their origin",
				       c->pulls, c->resets, c->mismatches, c->repairs, c->rows_outside);
	const char *frames = arena_print(a,
					 "%" PRIu64 " gaps, %" PRIu64 " of old sessions, %" PRIu64
					 " refused, %" PRIu64 " not believed, %" PRIu64 " over their share",
					 c->gaps, c->old_session, c->refused, c->unbelieved, c->over_share);
	const char *raised = arena_print(a, "%" PRIu64 " so far, %" PRIu64 " forks", c->alarms, c->forks);

	line("mesh rows", rows ? rows : "");
	line("mesh frames", frames ? frames : "");
	line("mesh alarms", raised ? raised : "");
}

/* ---- Alarms ----------------------------------------------------------------------------------------------
 */

void report_alarms_json(struct json *j, const struct alarm_info *alarms, size_t n)
{
	json_open(j, "alarms", '[');
	for (size_t i = 0; i < n; i++) {
		json_open(j, NULL, '{');
		json_text(j, "kind", alarms[i].kind);
		json_text(j, "about", alarms[i].about);
		json_text(j, "text", alarms[i].text);
		json_text(j, "todo", alarms[i].todo);
		json_bool(j, "severe", alarms[i].severe);
		json_time(j, "since", alarms[i].since_ns);
		json_time(j, "last", alarms[i].last_ns);
		json_count(j, "count", alarms[i].count);
		json_close(j);
	}
	json_close(j);
}

static void print_line(enum paint colour, const char *text)
{
	if (text)
		paint(stdout, colour, text);
	putchar('\n');
}

void report_alarms_text(struct arena *a, const struct alarm_info *alarms, size_t n)
{
	char since[TIME_TEXT_SIZE];

	for (size_t i = 0; i < n; i++) {
		const struct alarm_info *w = &alarms[i];
		print_line(w->severe ? PAINT_ALARM : PAINT_WARNING,
			   arena_print(a, "alarm %s%s%s since %s: %s", w->kind, w->about[0] ? " " : "",
				       w->about, time_text(w->since_ns - w->since_ns % NS_PER_S, since),
				       w->text));
		print_line(PAINT_PLAIN, arena_print(a, "  to do: %s", w->todo));
	}
}

/* ---- Peers -----------------------------------------------------------------------------------------------
 */

void report_duration_json(struct json *j, const char *key, int64_t ns)
{
	if (ns < 0)
		json_none(j, key);
	else
		json_seconds(j, key, ns);
}

void report_peer_json(struct json *j, const struct peer_info *p)
{
	json_open(j, NULL, '{');
	json_text(j, "org", p->org);
	json_text(j, "node", p->node);
	json_text(j, "endpoint", p->endpoint);
	json_text(j, "state", p->state);
	json_text(j, "roles", p->roles);
	json_bool(j, "dialled", p->dialled);
	json_count(j, "protocol", p->protocol);
	report_duration_json(j, "heard_s", p->heard_ns);
	json_count(j, "origins", p->n_origins);
	json_count(j, "behind", p->n_behind);
	if (p->lag < 0)
		json_none(j, "lag_changes");
	else
		json_count(j, "lag_changes", (uint64_t)p->lag);
	report_duration_json(j, "age_s", p->age_ns);
	json_count(j, "frames_in", p->frames_in);
	json_count(j, "frames_out", p->frames_out);
	json_count(j, "bytes_in", p->bytes_in);
	json_count(j, "bytes_out", p->bytes_out);
	json_count(j, "sessions", p->sessions);
	json_count(j, "resets", p->resets);
	json_count(j, "gaps", p->gaps);
	json_count(j, "repairs", p->repairs);
	json_count(j, "refused", p->refused);
	json_count(j, "kicks", p->kicks);
	json_text(j, "kicked_for", p->kicked);
	json_close(j);
}

const char *report_age_words(struct arena *a, int64_t age_ns)
{
	char text[DURATION_TEXT_SIZE];

	return age_ns < 0 ? "unknown" : arena_copy(a, duration_text(age_ns, text));
}

const char *report_heard_words(struct arena *a, int64_t heard_ns)
{
	char text[DURATION_TEXT_SIZE];

	return heard_ns < 0 ? "never" : arena_print(a, "%s ago", duration_text(heard_ns, text));
}

const char *report_lag_words(struct arena *a, const struct peer_info *p)
{
	if (p->n_origins == 0)
		return "-";
	if (p->lag >= 0)
		return human_count(a, (uint64_t)p->lag);
	return p->n_behind == 0 ? "0" : arena_print(a, "%" PRIu64 " origins", p->n_behind);
}

const char *report_size_words(struct arena *a, uint64_t bytes)
{
	static const char *const scales[] = {"bytes", "KiB", "MiB", "GiB", "TiB"};
	double number = (double)bytes;
	size_t scale = 0;

	for (; number >= 1024 && scale < 4; scale++)
		number /= 1024;
	const char *text = arena_print(a, scale > 0 ? "%.1f %s" : "%.0f %s", number, scales[scale]);
	return text ? text : "";
}
