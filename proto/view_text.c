/* SPDX-License-Identifier: Apache-2.0 */
#include "proto/view_text.h"

#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>

#include "proto/clock.h"
#include "proto/expr.h"
#include "proto/id.h"

static const char hierarchy_default[] = "contains";

struct reader {
	struct arena *arena;
	struct view_question *q;
	const char *key; /* the word that is being read, for notes */
	bool has_from, has_to;
	struct err_note *note;
};

/* A word of the text: how it is read (value NULL: it has none), how it is written where it is not as always.
 */
struct key {
	const char *name;
	bool has_value, repeats;
	int (*read)(struct reader *r, char *value);
	void (*write)(struct arena *a, const struct view_question *q, struct buf *out);
};

int view_question_begin(struct arena *a, const char *root, struct view_question *ret)
{
	struct view_root *first = arena_take(a, sizeof *first);

	if (!first)
		return FAIL(-ENOMEM);
	*first = (struct view_root){.id = root, .parent = ""};
	*ret = (struct view_question){.roots = first,
				      .n_roots = 1,
				      .hierarchy = hierarchy_default,
				      .depth = VIEW_DEPTH_DEFAULT,
				      .where = "",
				      .by_property = "",
				      .after = ""};
	return 0;
}

/* `depth: ...`: the word before what is wrong with its value. */
static int blame(const struct reader *r, int code, const struct err_note *why)
{
	return code < 0 ? FAIL_SAY(r->note, code, "%s: %s", r->key, why->text) : code;
}

static int read_number(struct reader *r, const char *value, uint64_t max, uint64_t *ret)
{
	char *end;

	errno = 0;
	*ret = strtoull(value, &end, 10);
	if (*value < '0' || *value > '9' || *end || errno || *ret > max)
		return FAIL_SAY(r->note, ERR_REFUSED, "%s: '%.80s' is not a number from 0 to %" PRIu64,
				r->key, value, max);
	return 0;
}

static int read_name(struct reader *r, const char *value, const char **ret)
{
	struct err_note why = {0};

	TRY(blame(r, id_check_name(value, "name", &why), &why));
	*ret = value;
	return 0;
}

static int read_time(struct reader *r, const char *value, int64_t *ret_ns)
{
	struct err_note why = {0};

	return blame(r, time_parse(value, ret_ns, &why), &why);
}

static int read_duration(struct reader *r, const char *value, int64_t *ret_ns)
{
	struct err_note why = {0};

	return blame(r, duration_parse(value, ret_ns, &why), &why);
}

static void put_duration(struct buf *out, const char *key, int64_t ns)
{
	char text[DURATION_TEXT_SIZE];

	if (ns > 0)
		buf_print(out, " %s %s", key, duration_exact(ns, text));
}

static void put_time(struct buf *out, const char *key, bool given, int64_t ns)
{
	char text[TIME_TEXT_SIZE];

	if (given)
		buf_print(out, " %s %s", key, time_text(ns, text));
}

static int read_hierarchy(struct reader *r, char *value)
{
	return read_name(r, value, &r->q->hierarchy);
}

static void write_hierarchy(struct arena *a, const struct view_question *q, struct buf *out)
{
	(void)a;
	if (strcmp(q->hierarchy, hierarchy_default) != 0)
		buf_print(out, " hierarchy %s", q->hierarchy);
}

static int read_depth(struct reader *r, char *value)
{
	uint64_t depth = VIEW_DEPTH_ALL;

	if (strcmp(value, "all") != 0)
		TRY(read_number(r, value, VIEW_DEPTH_ALL, &depth));
	r->q->depth = (uint32_t)depth;
	return 0;
}

static void write_depth(struct arena *a, const struct view_question *q, struct buf *out)
{
	(void)a;
	if (q->depth == VIEW_DEPTH_ALL)
		buf_put_text(out, " depth all");
	else if (q->depth != VIEW_DEPTH_DEFAULT)
		buf_print(out, " depth %" PRIu32, q->depth);
}

static int read_rollup(struct reader *r, char *value)
{
	struct rollup_spec *spec = arena_push(r->arena, &r->q->rollups, &r->q->n_rollups, sizeof *spec);
	struct err_note why = {0};

	if (!spec)
		return FAIL(-ENOMEM);
	if (r->q->n_rollups > ROLLUPS_MAX)
		return FAIL_SAY(r->note, ERR_REFUSED, "rollup: more than %d", ROLLUPS_MAX);
	return blame(r, rollup_spec_parse(value, spec, &why), &why);
}

static void write_rollups(struct arena *a, const struct view_question *q, struct buf *out)
{
	for (size_t i = 0; i < q->n_rollups; i++) {
		const char *text = rollup_spec_text(a, &q->rollups[i]);
		out->failed |= !text;
		buf_print(out, " rollup %s", text ? text : "");
	}
}

static int read_by(struct reader *r, char *value)
{
	struct err_note why = {0};

	return blame(r, view_by_parse(value, &r->q->by, &r->q->by_property, &why), &why);
}

/* A property of the name of an attribute stands in quotes. */
static void write_by(struct arena *a, const struct view_question *q, struct buf *out)
{
	const char *property;
	enum view_by by;
	char *copy;

	if (q->by == GROUP_NONE)
		return;
	if (q->by != GROUP_PROPERTY) {
		buf_print(out, " by %s", view_by_text(q->by));
		return;
	}
	copy = arena_copy(a, q->by_property);
	out->failed |= !copy;
	const bool plain = copy && view_by_parse(copy, &by, &property, NULL) == 0 && by == GROUP_PROPERTY;
	buf_print(out, plain ? " by %s" : " by \"%s\"", q->by_property);
}

static int read_show(struct reader *r, char *value)
{
	const char **property = arena_push(r->arena, &r->q->show, &r->q->n_show, sizeof *property);

	if (!property)
		return FAIL(-ENOMEM);
	if (r->q->n_show > SHOW_MAX)
		return FAIL_SAY(r->note, ERR_REFUSED, "show: more than %d", SHOW_MAX);
	return read_name(r, value, property);
}

static void write_show(struct arena *a, const struct view_question *q, struct buf *out)
{
	(void)a;
	for (size_t i = 0; i < q->n_show; i++)
		buf_print(out, " show %s", q->show[i]);
}

static int read_members_max(struct reader *r, char *value)
{
	return read_number(r, value, UINT32_MAX, &r->q->members_max);
}

static void write_members_max(struct arena *a, const struct view_question *q, struct buf *out)
{
	(void)a;
	if (q->members_max > 0)
		buf_print(out, " members-max %" PRIu64, q->members_max);
}

static int read_as_of(struct reader *r, char *value)
{
	r->q->has_as_of = true;
	return read_time(r, value, &r->q->as_of_ns);
}

static void write_as_of(struct arena *a, const struct view_question *q, struct buf *out)
{
	(void)a;
	put_time(out, "as-of", q->has_as_of, q->as_of_ns);
}

static int read_from(struct reader *r, char *value)
{
	r->has_from = true;
	return read_time(r, value, &r->q->from_ns);
}

static int read_to(struct reader *r, char *value)
{
	r->has_to = true;
	return read_time(r, value, &r->q->to_ns);
}

static int read_step(struct reader *r, char *value)
{
	return read_duration(r, value, &r->q->step_ns);
}

static void write_series(struct arena *a, const struct view_question *q, struct buf *out)
{
	(void)a;
	put_time(out, "from", q->step_ns > 0, q->from_ns);
	put_time(out, "to", q->step_ns > 0, q->to_ns);
	put_duration(out, "step", q->step_ns);
}

static int read_fresh(struct reader *r, char *value)
{
	return read_duration(r, value, &r->q->fresh_ns);
}

static int read_deadline(struct reader *r, char *value)
{
	return read_duration(r, value, &r->q->deadline_ns);
}

static void write_freshness(struct arena *a, const struct view_question *q, struct buf *out)
{
	(void)a;
	put_duration(out, "fresh", q->fresh_ns);
	put_duration(out, "deadline", q->deadline_ns);
}

static int read_unconfirmed(struct reader *r, char *value)
{
	(void)value;
	r->q->unconfirmed = true;
	return 0;
}

static int read_offline(struct reader *r, char *value)
{
	(void)value;
	r->q->offline = true;
	return 0;
}

static void write_switches(struct arena *a, const struct view_question *q, struct buf *out)
{
	(void)a;
	if (q->unconfirmed)
		buf_put_text(out, " unconfirmed");
	if (q->offline)
		buf_put_text(out, " offline");
}

static int read_where(struct reader *r, char *value)
{
	struct err_note why = {0};
	struct expr *e;

	r->q->where = value;
	return blame(r, expr_parse(r->arena, value, &e, &why), &why);
}

static void write_where(struct arena *a, const struct view_question *q, struct buf *out)
{
	(void)a;
	if (*q->where)
		buf_print(out, " where %s", q->where);
}

/* In the order in which they are written. */
static const struct key keys[] = {
	{"hierarchy", true, false, read_hierarchy, write_hierarchy},
	{"depth", true, false, read_depth, write_depth},
	{"rollup", true, true, read_rollup, write_rollups},
	{"by", true, false, read_by, write_by},
	{"show", true, true, read_show, write_show},
	{"members-max", true, false, read_members_max, write_members_max},
	{"as-of", true, false, read_as_of, write_as_of},
	{"from", true, false, read_from, write_series},
	{"to", true, false, read_to, NULL},
	{"step", true, false, read_step, NULL},
	{"fresh", true, false, read_fresh, write_freshness},
	{"deadline", true, false, read_deadline, NULL},
	{"unconfirmed", false, false, read_unconfirmed, write_switches},
	{"offline", false, false, read_offline, NULL},
	{"where", true, false, read_where, write_where},
};
enum { N_KEYS = sizeof keys / sizeof keys[0], WHERE = N_KEYS - 1 };

/* The next word, cut off; NULL: there is none. */
static char *next_word(char **at)
{
	char *word = *at + strspn(*at, " "), *end = word + strcspn(word, " ");

	*at = *end ? end + 1 : end;
	*end = '\0';
	return *word ? word : NULL;
}

static size_t find_key(const char *word)
{
	size_t i = 0;

	while (i < N_KEYS && strcmp(keys[i].name, word) != 0)
		i++;
	return i;
}

static int read_keys(struct reader *r, char *at)
{
	bool had[N_KEYS] = {false};
	char *word, *value = NULL;

	while ((word = next_word(&at))) {
		const size_t i = find_key(word);
		if (i == N_KEYS)
			return FAIL_SAY(r->note, ERR_REFUSED, "'%.80s' is no word of a view's question",
					word);
		if (had[i] && !keys[i].repeats)
			return FAIL_SAY(r->note, ERR_REFUSED, "%s is said twice", word);
		had[i] = true;
		r->key = word;
		if (i == WHERE) {
			value = at + strspn(at, " ");
			at = value + strlen(value);
		} else if (keys[i].has_value) {
			value = next_word(&at);
		}
		if (keys[i].has_value && (!value || !*value))
			return FAIL_SAY(r->note, ERR_REFUSED, "%s what?", word);
		TRY(keys[i].read(r, value));
	}
	return 0;
}

static int check_times(const struct reader *r)
{
	const struct view_question *q = r->q;
	const bool series = q->step_ns > 0 && r->has_from && r->has_to;

	if (!series && (q->step_ns > 0 || r->has_from || r->has_to))
		return FAIL_SAY(r->note, ERR_REFUSED, "a series needs all of from, to and step");
	if (series && (q->has_as_of || view_times(q) == 0))
		return FAIL_SAY(r->note, ERR_REFUSED,
				"a series has 1 to %d times, from the earlier to the later, and no as-of",
				VIEW_TIMES_MAX);
	return 0;
}

int view_text_parse(struct arena *a, const char *text, struct view_question *ret, struct err_note *note)
{
	struct reader r = {.arena = a, .q = ret, .note = note};
	char *at = arena_copy(a, text), *root;

	if (!at)
		return FAIL(-ENOMEM);
	root = next_word(&at);
	if (!root)
		return FAIL_SAY(note, ERR_REFUSED, "the twin to begin at is missing");
	TRY(id_check_twin(root, note));
	TRY(view_question_begin(a, root, ret));
	TRY(read_keys(&r, at));
	return check_times(&r);
}

int view_text_print(struct arena *a, const struct view_question *q, const char **ret)
{
	SCOPED(buf_fini) struct buf out = {0};

	buf_put_text(&out, q->roots[0].id);
	for (size_t i = 0; i < N_KEYS; i++)
		if (keys[i].write)
			keys[i].write(a, q, &out);
	TRY(buf_check(&out));
	*ret = arena_text(a, buf_bytes(&out));
	return *ret ? 0 : FAIL(-ENOMEM);
}
