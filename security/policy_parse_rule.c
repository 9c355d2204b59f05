/* SPDX-License-Identifier: Apache-2.0 */
#include <stdio.h>

#include "proto/clock.h"
#include "proto/id.h"
#include "security/policy_parser.h"
#include "security/policy_pattern.h"

static bool begin_rule(struct parser *ps, bool never)
{
	struct policy *p = ps->p;

	ps->rule = NULL;
	ps->over = p->n_rules == POLICY_RULES_MAX;
	if (ps->over)
		return parser_complain(ps, "at most %d rules are possible, join some", POLICY_RULES_MAX);
	struct rule *rule = parser_push(ps, &p->rules, &p->n_rules, sizeof *rule);
	if (!rule)
		return false;
	*rule = (struct rule){.never = never, .title = "", .line = ps->line.number};
	ps->rule = rule;
	const struct word title = parser_next(ps);
	if (title.kind != WORD_TITLE)
		return parser_unexpected(ps, &title, "a \"title\" in quotes");
	rule->title = parser_keep(ps, title.text);
	return rule->title && parser_end(ps, "nothing more");
}

bool policy_read_never(struct parser *ps)
{
	return begin_rule(ps, true);
}

bool policy_read_share(struct parser *ps)
{
	return begin_rule(ps, false);
}

static bool read_subject(struct parser *ps, struct subject *s)
{
	const struct word w = parser_next(ps);

	s->line = ps->line.number;
	if (word_is(&w, "everyone-else")) {
		s->kind = TO_EVERYONE_ELSE;
		return true;
	}
	if (word_is(&w, "group")) {
		s->kind = TO_GROUP;
		return (s->name = parser_name(ps, "a group name", ORG_NAME_MAX)) != NULL;
	}
	if (!word_is(&w, "org"))
		return parser_unexpected(ps, &w, "'org NAME', 'group NAME' or 'everyone-else'");
	s->kind = TO_ORG;
	s->name = parser_name(ps, "an organisation name", ORG_NAME_MAX);
	if (s->name && parser_skip(ps, "role"))
		return (s->role = parser_name(ps, "a role", TAG_MAX)) != NULL;
	return s->name != NULL;
}

bool policy_read_to(struct parser *ps)
{
	do {
		struct subject *s = parser_push(ps, &ps->rule->subjects, &ps->rule->n_subjects, sizeof *s);
		if (!s || !read_subject(ps, s))
			return false;
	} while (parser_goes_on(ps));
	return parser_end(ps, "',' between partners, 'role NAME' behind an organisation");
}

/* `tag T` or `type T`, of which the first word has been read. */
static bool read_label(struct parser *ps, bool is_tag, struct condition *c)
{
	c->by = is_tag ? BY_TAG : BY_TYPE;
	if (is_tag)
		return (c->text = parser_name(ps, "a tag", TAG_MAX)) != NULL;
	const struct word w = parser_next(ps);
	if (w.kind != WORD_PLAIN || !id_is_name(w.text))
		return parser_unexpected(ps, &w, "the name of a type");
	return (c->text = parser_keep(ps, w.text)) != NULL;
}

static bool read_alternative(struct parser *ps, struct condition *c)
{
	if (parser_skip(ps, "tag"))
		return read_label(ps, true, c);
	if (parser_skip(ps, "type"))
		return read_label(ps, false, c);
	c->by = BY_PATH;
	c->text = parser_pattern(ps, "a pattern such as plant1/**, 'tag NAME' or 'type NAME'");
	if (!c->text)
		return false;
	const size_t own = ps->p->own_org ? strlen(ps->p->own_org) : 0;
	if (own > 0 && strncmp(c->text, ps->p->own_org, own) == 0 &&
	    (c->text[own] == '/' || c->text[own] == '\0'))
		report_warning(ps->report, ps->line.number,
			       "pattern '%.60s' begins with the own organisation, which patterns leave out",
			       c->text);
	return true;
}

static bool read_narrowing(struct parser *ps, struct condition *c)
{
	const struct word w = parser_next(ps);

	if (!word_is(&w, "tag") && !word_is(&w, "type"))
		return parser_unexpected(ps, &w, "'tag NAME' or 'type NAME', joined by 'and'");
	return read_label(ps, word_is(&w, "tag"), c);
}

static bool read_conditions(struct parser *ps, struct selector *s)
{
	do {
		struct condition *c = parser_push(ps, &s->any, &s->n_any, sizeof *c);
		if (!c || !read_alternative(ps, c))
			return false;
	} while (parser_goes_on(ps));
	if (!parser_skip(ps, "with"))
		return parser_end(ps, "',' between patterns, 'with tag NAME' or 'with type NAME'");
	do {
		struct condition *c = parser_push(ps, &s->all, &s->n_all, sizeof *c);
		if (!c || !read_narrowing(ps, c))
			return false;
	} while (parser_skip(ps, "and"));
	return parser_end(ps, "'and' between conditions, other twins on a 'twins' line of their own");
}

bool policy_read_twins(struct parser *ps)
{
	struct selector s = {0};

	if (!read_conditions(ps, &s))
		return false;
	struct selector *place = parser_push(ps, &ps->rule->selectors, &ps->rule->n_selectors, sizeof *place);
	if (place)
		*place = s;
	return place != NULL;
}

/* ---- Rights ---- */

static bool add_property(struct parser *ps, struct clause *c, const char *pattern)
{
	const char **place =
		pattern ? parser_push(ps, &c->properties, &c->n_properties, sizeof *place) : NULL;

	if (place)
		*place = pattern;
	return place != NULL;
}

static bool read_properties(struct parser *ps, struct clause *c)
{
	do {
		if (!add_property(ps, c, parser_pattern(ps, "properties such as state/*, '**' for all")))
			return false;
	} while (parser_goes_on(ps));
	return true;
}

static bool add_clause(struct parser *ps, const struct clause *c)
{
	struct clause *place = parser_push(ps, &ps->rule->clauses, &ps->rule->n_clauses, sizeof *place);

	if (place)
		*place = *c;
	return place != NULL;
}

static bool read_duration(struct parser *ps, int64_t *ret_ns)
{
	const struct word w = parser_next(ps);
	struct err_note note;
	char text[SHOWN];

	if (*ret_ns != 0)
		return parser_complain_at(ps, &w, "the bound stands twice, remove one");
	if (w.kind != WORD_PLAIN || w.text.len > SHOWN - 3)
		return parser_unexpected(ps, &w, "a duration such as 30d or 1min");
	/* A month is not a duration here, so `1m` can only be the minute people mean by it. */
	const bool minute = w.text.data[w.text.len - 1] == 'm';
	snprintf(text, sizeof text, "%.*s%s", word_shown(&w), word_chars(&w), minute ? "in" : "");
	if (duration_parse(text, ret_ns, &note) < 0)
		return parser_complain_at(ps, &w, "%s", note.text);
	if (*ret_ns == 0) /* would mean no bound: the opposite of what it says */
		return parser_complain_at(ps, &w, "'%s' is no time at all, write more or leave it out", text);
	return true;
}

static bool read_window(struct parser *ps, struct clause *c)
{
	for (;;) {
		int64_t *bound = parser_skip(ps, "last")   ? &c->last_ns
				 : parser_skip(ps, "step") ? &c->step_ns
							   : NULL;
		if (!bound)
			return true;
		if (!read_duration(ps, bound))
			return false;
	}
}

static enum right find_right(const struct word *w)
{
	for (enum right r = 0; r < N_RIGHTS; r++)
		if (word_is(w, right_text(r)))
			return r;
	return N_RIGHTS;
}

/* One right of an `allow` line, with what it implies; of read and history its properties, which end the line.
 */
static bool read_grant(struct parser *ps, struct clause *c)
{
	const struct word w = parser_next(ps);
	const enum right right = find_right(&w);

	if (right == N_RIGHTS)
		return parser_unexpected(ps, &w, "discover, summary, read or history");
	c->whole |= right_bit(RIGHT_DISCOVER);
	if (right == RIGHT_SUMMARY)
		c->whole |= right_bit(RIGHT_SUMMARY);
	if (right == RIGHT_DISCOVER || right == RIGHT_SUMMARY)
		return true;
	c->of |= right_bit(RIGHT_READ);
	if (right == RIGHT_READ)
		return read_properties(ps, c);
	c->of |= right_bit(RIGHT_HISTORY);
	return read_properties(ps, c) && read_window(ps, c);
}

/* What may follow the rights of an `allow` line, for who wrote something else. */
static const char *after_grants(const struct clause *c)
{
	if (c->of & right_bit(RIGHT_HISTORY))
		return "',' between properties, 'last DURATION' or 'step DURATION'";
	if (c->of)
		return "',' between properties; history, last and step go on an allow line of their own";
	return "',' between rights; only read and history take properties";
}

bool policy_read_allow(struct parser *ps)
{
	struct clause c = {.line = ps->line.number};

	if (ps->rule->never)
		return parser_complain(ps, "a never denies, write 'deny' or begin a share");
	do {
		if (!read_grant(ps, &c))
			return false;
	} while (!c.of && parser_goes_on(ps));
	return parser_end(ps, after_grants(&c)) && add_clause(ps, &c);
}

/* Rights that cannot be allowed yet may be denied already: watch, aggregate, command [NAME]. */
static bool read_denied(struct parser *ps, unsigned *rights)
{
	const struct word w = parser_next(ps);
	const enum right right = find_right(&w);

	if (right < N_RIGHTS) {
		*rights |= right_bit(right);
		return true;
	}
	if (word_is(&w, "watch") || word_is(&w, "aggregate"))
		return true;
	if (!word_is(&w, "command"))
		return parser_unexpected(ps, &w,
					 "discover, summary, read, history, watch, aggregate or command");
	const struct word name = parser_peek(ps);
	if (name.kind == WORD_PLAIN && !word_is(&name, "of"))
		parser_next(ps);
	return true;
}

/* What denying these rights takes away: each what implies it, and summaries show what may be read. */
static void deny(struct clause *c, unsigned rights)
{
	const unsigned summary = right_bit(RIGHT_SUMMARY), read = right_bit(RIGHT_READ),
		       history = right_bit(RIGHT_HISTORY);
	bool all = false;

	for (size_t i = 0; i < c->n_properties; i++)
		all = all || pattern_is_all(c->properties[i]);
	c->of = rights & (summary | history);
	if (rights & read)
		c->of |= summary | read | history;
	if (rights & summary && all)
		c->whole = summary;
	if (rights & right_bit(RIGHT_DISCOVER))
		c->whole = right_bit(N_RIGHTS) - 1;
}

bool policy_read_deny(struct parser *ps)
{
	struct clause c = {.line = ps->line.number};
	unsigned rights = 0;

	if (!ps->rule->never)
		return parser_complain(ps, "a share allows, write 'allow' or begin a never");
	do {
		if (!read_denied(ps, &rights))
			return false;
	} while (parser_goes_on(ps));
	const bool some = parser_skip(ps, "of");
	if (some && rights & right_bit(RIGHT_DISCOVER))
		return parser_complain(ps, "discover is of the whole twin, leave out 'of' or 'discover'");
	if (!(some ? read_properties(ps, &c) : add_property(ps, &c, "**")))
		return false;
	if (!parser_end(ps, some ? "',' between properties" : "',' between rights or 'of PROPERTIES'"))
		return false;
	deny(&c, rights);
	return add_clause(ps, &c);
}

/* ---- Time ---- */

/* A bare date ends with its day: `until 2027-03-31` is said of the whole 31st. */
static bool read_time(struct parser *ps, int64_t *ret_ns)
{
	const struct word date = parser_next(ps);
	char text[2 * SHOWN];
	struct err_note note;

	if (date.kind != WORD_PLAIN || date.text.len >= SHOWN)
		return parser_unexpected(ps, &date, "a time such as 2027-03-31");
	int n = snprintf(text, sizeof text, "%.*s", word_shown(&date), word_chars(&date));
	const struct word of_day = parser_peek(ps);
	if (of_day.kind == WORD_PLAIN) {
		parser_next(ps);
		snprintf(text + n, sizeof text - (size_t)n, "T%.*s", word_shown(&of_day),
			 word_chars(&of_day));
	}
	if (time_parse(text, ret_ns, &note) < 0)
		return parser_complain_at(ps, &date, "%s", note.text);
	if (strlen(text) == strlen("2027-03-31"))
		*ret_ns += INT64_C(24) * 3600 * NS_PER_S;
	return parser_end(ps, "nothing more");
}

bool policy_read_until(struct parser *ps)
{
	struct rule *rule = ps->rule;

	if (rule->never)
		return parser_complain(ps, "a never does not end, remove this line");
	if (rule->until_line > 0)
		return parser_complain(ps, "the share ends in line %u already, remove one", rule->until_line);
	rule->until_line = ps->line.number;
	return read_time(ps, &rule->until_ns);
}
