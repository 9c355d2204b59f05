/* SPDX-License-Identifier: Apache-2.0 */
#include <stdio.h>

#include "proto/clock.h"
#include "proto/id.h"
#include "proto/words.h"
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

/* `2/s`, `1/min` */
static bool read_rate(struct parser *ps, struct policy_bounds *b)
{
	static const struct {
		const char *text;
		int64_t ns;
	} units[] = {{"/s", NS_PER_S}, {"/min", 60 * NS_PER_S}, {"/h", 3600 * NS_PER_S}};
	const struct word w = parser_next(ps);
	size_t digits = 0;
	uint32_t n = 0;

	if (b->rate_per_ns)
		return parser_complain_at(ps, &w, "the rate stands twice, remove one");
	if (w.kind != WORD_PLAIN)
		return parser_unexpected(ps, &w, "a rate such as 2/s or 1/min");
	for (; digits < w.text.len && w.text.data[digits] >= '0' && w.text.data[digits] <= '9' && digits < 7;
	     digits++)
		n = n * 10 + (uint32_t)(w.text.data[digits] - '0');
	const struct bytes unit = {w.text.data + digits, w.text.len - digits};
	for (size_t i = 0; i < N_WORDS(units) && n > 0; i++)
		if (bytes_equal(unit, bytes_of_text(units[i].text))) {
			b->rate = n;
			b->rate_per_ns = units[i].ns;
			return true;
		}
	return parser_complain_at(ps, &w, "'%.*s' is no rate, write such as 2/s, 1/min or 10/h",
				  word_shown(&w), word_chars(&w));
}

static bool read_watch_end(struct parser *ps, struct clause *c)
{
	return !parser_skip(ps, "rate") || read_rate(ps, &c->bounds);
}

static bool read_command_end(struct parser *ps, struct clause *c)
{
	for (;;) {
		const struct word w = parser_peek(ps);
		if (parser_skip(ps, "rate")) {
			if (!read_rate(ps, &c->bounds))
				return false;
		} else if (parser_skip(ps, "confirm")) {
			if (c->bounds.confirm_role)
				return parser_complain_at(ps, &w,
							  "the confirmation stands twice, remove one");
			if (!parser_skip(ps, "role"))
				return parser_complain_at(ps, &w, "who confirms? write 'confirm role NAME'");
			c->bounds.confirm_role = parser_name(ps, "a role", TAG_MAX);
			if (!c->bounds.confirm_role)
				return false;
		} else {
			return true;
		}
	}
}

static bool read_commands(struct parser *ps, struct clause *c)
{
	do {
		if (!add_property(ps, c, parser_name(ps, "the name of a command", PROPERTY_MAX)))
			return false;
	} while (parser_goes_on(ps));
	return true;
}

static enum right find_right(const struct word *w)
{
	for (enum right r = 0; r < N_RIGHTS; r++)
		if (word_is(w, right_text(r)))
			return r;
	return N_RIGHTS;
}

/* One right of an `allow` line, with what it implies. One that has properties or names ends the line. */
static bool read_grant(struct parser *ps, struct clause *c)
{
	const struct word w = parser_next(ps);
	const enum right right = find_right(&w);

	switch (right) {
	case RIGHT_SUMMARY: c->whole |= right_bit(RIGHT_SUMMARY) | right_bit(RIGHT_DISCOVER); return true;
	case RIGHT_DISCOVER: c->whole |= right_bit(RIGHT_DISCOVER); return true;
	case RIGHT_READ:
		c->whole |= right_bit(RIGHT_DISCOVER);
		c->of = right_bit(RIGHT_READ);
		return read_properties(ps, c);
	case RIGHT_HISTORY:
		c->whole |= right_bit(RIGHT_DISCOVER);
		c->of = right_bit(RIGHT_READ) | right_bit(RIGHT_HISTORY);
		return read_properties(ps, c) && read_window(ps, c);
	case RIGHT_WATCH:
		c->of = right_bit(RIGHT_WATCH);
		return read_properties(ps, c) && read_watch_end(ps, c);
	case RIGHT_COMMAND:
		c->of = right_bit(RIGHT_COMMAND);
		return read_commands(ps, c) && read_command_end(ps, c);
	case N_RIGHTS: break;
	}
	return parser_unexpected(ps, &w, "discover, summary, read, history, watch or command");
}

/* What may follow the rights of an `allow` line, for who wrote something else. */
static const char *after_grants(const struct clause *c)
{
	if (c->of & right_bit(RIGHT_COMMAND))
		return "',' between commands, 'confirm role NAME' or 'rate N/min'";
	if (c->of & right_bit(RIGHT_WATCH))
		return "',' between properties or 'rate N/s'";
	if (c->of & right_bit(RIGHT_HISTORY))
		return "',' between properties, 'last DURATION' or 'step DURATION'";
	if (c->of)
		return "',' between properties; history, last and step go on an allow line of their own";
	return "',' between rights; only read, history and watch take properties";
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

/* `deny command NAME` is a line of its own in memory: its names are no properties. */
static bool deny_command(struct parser *ps)
{
	struct clause c = {.of = right_bit(RIGHT_COMMAND), .line = ps->line.number};
	const struct word name = parser_peek(ps);
	const bool all = name.kind != WORD_PLAIN || word_is(&name, "of");

	return add_property(ps, &c, all ? "**" : parser_name(ps, "the name of a command", PROPERTY_MAX)) &&
	       add_clause(ps, &c);
}

/* aggregate cannot be allowed yet, but may be denied already. */
static bool read_denied(struct parser *ps, unsigned *rights)
{
	const struct word w = parser_next(ps);
	const enum right right = find_right(&w);

	if (right == RIGHT_COMMAND)
		return deny_command(ps);
	if (right < N_RIGHTS) {
		*rights |= right_bit(right);
		return true;
	}
	if (word_is(&w, "aggregate"))
		return true;
	return parser_unexpected(ps, &w, "discover, summary, read, history, watch, aggregate or command");
}

/* What denying these rights takes away: each what implies it, and summaries and watches show what may be
 * read.
 */
static void deny(struct clause *c, unsigned rights)
{
	const unsigned summary = right_bit(RIGHT_SUMMARY), read = right_bit(RIGHT_READ),
		       history = right_bit(RIGHT_HISTORY), watch = right_bit(RIGHT_WATCH);
	bool all = false;

	for (size_t i = 0; i < c->n_properties; i++)
		all = all || pattern_is_all(c->properties[i]);
	c->of = rights & (summary | history | watch);
	if (rights & read)
		c->of |= summary | read | history | watch;
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

/* ---- Redactions ---- */

static bool add_redaction(struct parser *ps, const char *pattern)
{
	struct redaction *place =
		pattern ? parser_push(ps, &ps->rule->redactions, &ps->rule->n_redactions, sizeof *place)
			: NULL;

	if (place)
		*place = (struct redaction){.pattern = pattern, .line = ps->line.number};
	return place != NULL;
}

bool policy_read_redact(struct parser *ps)
{
	const size_t first = ps->rule->n_redactions;

	if (ps->rule->never)
		return parser_complain(ps, "a never denies, there is nothing to redact: remove this line");
	do {
		if (!add_redaction(ps, parser_pattern(ps, "properties such as meta/serial")))
			return false;
	} while (parser_goes_on(ps));
	if (!parser_skip(ps, "as"))
		return parser_end(ps, "',' between properties, 'as token' or 'as drop'") &&
		       parser_complain(ps, "what is left of it? add 'as token' or 'as drop'");
	const bool token = parser_skip(ps, "token");
	if (!token && !parser_skip(ps, "drop")) {
		const struct word w = parser_next(ps);
		return parser_unexpected(ps, &w, "token or drop");
	}
	for (size_t i = first; i < ps->rule->n_redactions; i++)
		ps->rule->redactions[i].form = token ? FORM_TOKEN : FORM_NOTHING;
	return parser_end(ps, "nothing more");
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
