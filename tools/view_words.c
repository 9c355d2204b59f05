/* SPDX-License-Identifier: Apache-2.0 */
#include <inttypes.h>
#include <stdlib.h>

#include "proto/clock.h"
#include "proto/words.h"
#include "tools/print.h"
#include "tools/view_show.h"

enum { SOURCES_NAMED = 4 };

bool view_has_cells(const struct view_question *q)
{
	return q->by != GROUP_NONE || q->step_ns > 0;
}

const char *view_rollup_unit(const struct rollup_spec *spec, const struct rollup_state *s)
{
	return spec->fn == ROLLUP_COUNT || spec->fn == ROLLUP_WORST_HEALTH ? "" : text_or_empty(s->unit);
}

/* A quantile is known to some per mille: more digits would tell nothing. */
static double meaningful(const struct rollup_spec *spec, double value)
{
	char text[32];

	if (spec->fn != ROLLUP_QUANTILE)
		return value;
	snprintf(text, sizeof text, "%.4g", value);
	return strtod(text, NULL);
}

const char *view_rollup_words(struct arena *a, const struct rollup_spec *spec, const struct rollup_state *s)
{
	const char *unit = view_rollup_unit(spec, s), *sigma_text = "", *text;
	double value, sigma;

	if (!rollup_value(s, spec, &value) || (s->n == 0 && spec->fn == ROLLUP_SUM))
		return "-";
	if (spec->fn == ROLLUP_WORST_HEALTH)
		return health_text((enum health)value);
	if (spec->fn == ROLLUP_COUNT)
		return human_number(a, value);
	if (rollup_sigma(s, spec, &sigma))
		sigma_text = text_or_empty(arena_print(a, " ± %.3g", sigma));
	text = arena_print(a, "%s%s%s%s%s (%s)", human_number(a, meaningful(spec, value)), sigma_text,
			   *unit ? " " : "", unit, rollup_quality(s) == QUALITY_GOOD ? "" : ", uncertain",
			   human_count(a, s->n));
	return text_or_empty(text);
}

static void count_text(struct buf *b, struct arena *a, uint64_t n, const char *what)
{
	const bool begun = b->data[b->len - 1] != ':';

	if (n > 0)
		buf_print(b, "%s %s %s", begun ? "," : "", human_count(a, n), what);
}

/* ` (tennet/n1 12s ago, amprion/n1 unreachable, vouched for 3min ago)`: which did not speak for themselves,
 * and when they last did. */
static void stale_sources_text(struct buf *b, const struct view_part *view)
{
	char age[DURATION_TEXT_SIZE];
	size_t n = 0;

	for (size_t i = 0; i < view->n_sources; i++) {
		const struct view_source *s = &view->sources[i];
		const bool cached = s->state == MEMBER_CACHED;
		if (s->state == MEMBER_LIVE || n++ >= SOURCES_NAMED)
			continue;
		buf_print(b, "%s%s/%s %s%s%s ago", n == 1 ? " (" : ", ", s->org, s->node,
			  cached ? "" : member_state_text(s->state), cached ? "" : ", vouched for ",
			  duration_text(s->age_ns, age));
	}
	if (n > SOURCES_NAMED)
		buf_print(b, " and %zu more", n - SOURCES_NAMED);
	if (n > 0)
		buf_put_text(b, ")");
}

const char *view_certificate_text(struct arena *a, const struct view_part *view)
{
	SCOPED(buf_fini) struct buf b = {0};
	const struct view_counts *c = &view->counts;

	buf_print(&b, "%s %s:", human_count(a, c->members), c->members == 1 ? "member" : "members");
	if (buf_check(&b) < 0)
		return "";
	count_text(&b, a, c->live, "live");
	count_text(&b, a, c->cached, "cached");
	count_text(&b, a, c->withheld, "withheld");
	count_text(&b, a, c->unreachable, "unreachable");
	count_text(&b, a, c->unconfirmed, "unconfirmed");
	count_text(&b, a, c->coarse, "coarse");
	count_text(&b, a, c->expired, "expired");
	count_text(&b, a, c->filtered, "not selected");
	stale_sources_text(&b, view);
	if (view->cut)
		buf_put_text(&b, "; cut short");
	return buf_check(&b) < 0 ? "" : text_or_empty(arena_text(a, buf_bytes(&b)));
}
