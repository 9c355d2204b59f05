/* SPDX-License-Identifier: Apache-2.0 */
#include "node/alarms.h"

#include <stdio.h>
#include <string.h>

#include "node/engine.h"
#include "proto/clock.h"

enum { ABOUT_BYTES = ORG_NAME_MAX + NODE_NAME_MAX + 2, ALARM_TEXT_BYTES = 300 };

/* What each kind means for the node, how long it stands after it was raised for the last time (0: until it is
 * cleared), and what to do. */
static const struct alarm_row {
	const char *word;
	bool severe;
	bool degrades; /* the node cannot do what it is there for */
	int lasts_s;
	const char *todo;
} rows[N_ALARM_KINDS] = {
	[ALARM_STORE] = {"store", true, true, 0,
			 "make room on the disk, or mend it: then it goes on by itself"},
	[ALARM_AUDIT] = {"audit", true, true, 0, "make room on the disk: then it goes on by itself"},
	[ALARM_BORDER] = {"border", true, true, 0,
			  "put right what it names; inside the organisation everything goes on"},
	[ALARM_DOOR] = {"door", true, true, 0,
			"see the log of holond; when it is put right, start the node again"},
	[ALARM_POLICY] = {"policy", true, true, 0, "publish a policy again: holon policy publish"},
	[ALARM_CLOCK] = {"clock", true, false, 0,
			 "set the clock right; if it is right now, stop the node and start it after holond "
			 "--forget-clock"},
	[ALARM_HISTORY] = {"history", true, false, 0, "see the log of holond, and restore a backup"},
	[ALARM_APART] = {"apart", false, false, 0,
			 "see `holon peer list`: is the line cut, or has a credential ended? What is held is "
			 "shown with its age"},
	[ALARM_LIVES] =
		{"lives", true, true, 0,
		 "find out which of the two is the right one, stop the other, then on every node that shows "
		 "this: holon peer choose"},
	[ALARM_FORK] =
		{"fork", true, true, 0,
		 "somebody has a copy of its key, or its disk went back: see `holon audit evidence`, and "
		 "the page on the mesh in the README"},
	[ALARM_REPAIR] =
		{"repair", false, false, 0,
		 "it is tried again by itself; if it stays, restart the node that serves it, then see "
		 "its log"},
	[ALARM_PEER] = {"peer", false, false, 600,
			"if it goes on, ask its admin; who it was and why is in `holon audit list`"},
};

struct alarm {
	char about[ABOUT_BYTES], text[ALARM_TEXT_BYTES];
	int64_t since_ns, last_ns; /* wall */
	int64_t mono_ns;           /* of the last time */
	uint64_t count;
};

struct alarms {
	struct alarm of[N_ALARM_KINDS][ALARMS_OF_KIND_MAX]; /* in the order in which they were raised */
	size_t n[N_ALARM_KINDS];
	uint64_t left_out;
};

int alarms_new(struct alarms **ret)
{
	*ret = calloc(1, sizeof **ret);
	return *ret ? 0 : FAIL(-ENOMEM);
}

void alarms_free(struct alarms *a)
{
	free(a);
}

static struct alarm *find(struct alarms *a, enum alarm_kind kind, const char *about)
{
	for (size_t i = 0; i < a->n[kind]; i++)
		if (strcmp(a->of[kind][i].about, about) == 0)
			return &a->of[kind][i];
	return NULL;
}

static struct alarm *add(struct alarms *a, enum alarm_kind kind, const char *about)
{
	if (a->n[kind] == ALARMS_OF_KIND_MAX) {
		a->left_out++;
		return NULL;
	}
	struct alarm *fresh = &a->of[kind][a->n[kind]++];
	*fresh = (struct alarm){.since_ns = engine_wall_ns()};
	snprintf(fresh->about, sizeof fresh->about, "%s", about);
	return fresh;
}

void alarms_raise(struct alarms *a, enum alarm_kind kind, const char *about, const char *text)
{
	struct alarm *it = a ? find(a, kind, about) : NULL;

	if (a && !it)
		it = add(a, kind, about);
	if (!it)
		return;
	snprintf(it->text, sizeof it->text, "%s", text);
	it->last_ns = engine_wall_ns();
	it->mono_ns = engine_mono_ns();
	it->count++;
}

static void drop(struct alarms *a, enum alarm_kind kind, struct alarm *it)
{
	struct alarm *end = a->of[kind] + a->n[kind]--;

	memmove(it, it + 1, (size_t)(end - (it + 1)) * sizeof *it);
}

void alarms_clear(struct alarms *a, enum alarm_kind kind, const char *about)
{
	struct alarm *it = a ? find(a, kind, about) : NULL;

	if (it)
		drop(a, kind, it);
}

void alarms_tick(struct alarms *a)
{
	const int64_t now_ns = engine_mono_ns();

	for (int kind = 0; a && kind < N_ALARM_KINDS; kind++)
		for (size_t i = a->n[kind]; rows[kind].lasts_s > 0 && i-- > 0;)
			if (now_ns - a->of[kind][i].mono_ns >= rows[kind].lasts_s * NS_PER_S)
				drop(a, (enum alarm_kind)kind, &a->of[kind][i]);
}

static int show(const struct alarm_row *row, const struct alarm *it, struct arena *arena,
		struct alarm_info *ret)
{
	*ret = (struct alarm_info){.kind = row->word,
				   .about = arena_copy(arena, it->about),
				   .text = arena_copy(arena, it->text),
				   .todo = row->todo,
				   .severe = row->severe,
				   .since_ns = it->since_ns,
				   .last_ns = it->last_ns,
				   .count = it->count};
	return ret->about && ret->text ? 0 : FAIL(-ENOMEM);
}

int alarms_list(const struct alarms *a, struct arena *arena, struct alarm_info **ret, size_t *ret_n)
{
	*ret = NULL;
	*ret_n = 0;
	for (int kind = 0; a && kind < N_ALARM_KINDS; kind++)
		for (size_t i = 0; i < a->n[kind]; i++) {
			struct alarm_info *place = arena_push(arena, ret, ret_n, sizeof *place);
			if (!place)
				return FAIL(-ENOMEM);
			TRY(show(&rows[kind], &a->of[kind][i], arena, place));
		}
	return 0;
}

const char *alarms_worst(const struct alarms *a)
{
	for (int kind = 0; a && kind < N_ALARM_KINDS; kind++)
		if (rows[kind].degrades && a->n[kind] > 0)
			return a->of[kind][0].text;
	return NULL;
}

uint64_t alarms_left_out(const struct alarms *a)
{
	return a ? a->left_out : 0;
}
