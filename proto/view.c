/* SPDX-License-Identifier: Apache-2.0 */
#include "proto/view.h"

#include "proto/id.h"
#include "proto/limits.h"
#include "proto/words.h"

static const char *const state_words[N_MEMBER_STATES] = {"live", "cached", "unreachable", "unconfirmed",
							 "absent"};
static const char *const by_words[N_VIEW_GROUPS] = {"", "kind", "type", "org", "tag", "property"};

const char *member_state_text(enum member_state state)
{
	return word_at(state_words, N_MEMBER_STATES, state);
}

const char *view_by_text(enum view_by by)
{
	return word_at(by_words, N_VIEW_GROUPS, by);
}

int view_by_parse(char *text, enum view_by *ret, const char **ret_property, struct err_note *note)
{
	const size_t len = strlen(text);
	const bool quoted = len >= 2 && text[0] == '"' && text[len - 1] == '"';

	*ret_property = "";
	for (*ret = GROUP_KIND; *ret < GROUP_PROPERTY; (*ret)++)
		if (strcmp(text, by_words[*ret]) == 0)
			return 0;
	if (quoted) {
		text[len - 1] = '\0';
		text++;
	}
	if (!id_is_name(bytes_of_text(text)))
		return FAIL_SAY(note, ERR_REFUSED, "by what? kind, type, org, tag or a property, not '%s'",
				text);
	*ret_property = text;
	return 0;
}

size_t view_times(const struct view_question *q)
{
	if (q->step_ns <= 0 || q->to_ns < q->from_ns)
		return 0;
	const uint64_t n = ((uint64_t)q->to_ns - (uint64_t)q->from_ns) / (uint64_t)q->step_ns + 1;
	return n <= VIEW_TIMES_MAX ? (size_t)n : 0;
}

bool view_is_clean(const struct view_part *view)
{
	const struct view_counts *c = &view->counts;

	return !view->cut && view->n_problems == 0 &&
	       (c->cached | c->withheld | c->unreachable | c->unconfirmed | c->coarse | c->expired) == 0;
}
