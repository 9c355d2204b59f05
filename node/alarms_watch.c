/* SPDX-License-Identifier: Apache-2.0 */
/* The node's own alarms: what is looked at, not told. */
#include "node/alarms.h"

#include <inttypes.h>
#include <stdio.h>

#include "node/audit.h"
#include "node/border.h"
#include "node/door.h"
#include "node/forks.h"
#include "node/gossip.h"
#include "node/writer.h"
#include "proto/clock.h"

enum { TEXT_BYTES = 300, APART_AFTER_S = 30 /* of the start: links take a moment */ };

/* What is wrong, perhaps put into `text`; NULL: nothing. */
typedef const char *look_fn(struct engine *e, char text[TEXT_BYTES]);

static const char *look_store(struct engine *e, char text[TEXT_BYTES])
{
	(void)text;
	return writer_trouble(e->writer);
}

static const char *look_audit(struct engine *e, char text[TEXT_BYTES])
{
	(void)text;
	return journal_trouble(e->journal);
}

static const char *look_border(struct engine *e, char text[TEXT_BYTES])
{
	struct err_note why = {0};

	if (!(e->trust->self->roles & ROLE_BORDER) || border_check(e, &why) == 0)
		return NULL;
	snprintf(text, TEXT_BYTES, "other organisations are not served, the border is closed: %.200s",
		 why.text);
	return text;
}

static const char *look_door(struct engine *e, char text[TEXT_BYTES])
{
	(void)text;
	return e->door ? door_trouble(e->door) : NULL;
}

static const char *look_policy(struct engine *e, char text[TEXT_BYTES])
{
	if (!e->trust->policy_problem.text[0])
		return NULL;
	snprintf(text, TEXT_BYTES, "nothing is shared, the stored policy is not in force: %.200s",
		 e->trust->policy_problem.text);
	return text;
}

static const char *look_clock(struct engine *e, char text[TEXT_BYTES])
{
	const int64_t back_ns = clock_back_ns(&e->trust->clock);
	char back[DURATION_TEXT_SIZE];

	if (back_ns <= 0)
		return NULL;
	snprintf(text, TEXT_BYTES, "the clock was set back by %s: what has ended stays ended",
		 duration_text(back_ns, back));
	return text;
}

static const char *look_history(struct engine *e, char text[TEXT_BYTES])
{
	struct store_health h;

	store_health(e->store, &h);
	if (h.rotten == 0)
		return NULL;
	snprintf(text, TEXT_BYTES, "history is damaged: %" PRIu64 " chunks", h.rotten);
	return text;
}

static void set(struct engine *e, enum alarm_kind kind, const char *about, const char *text)
{
	if (text)
		alarms_raise(e->alarms, kind, about, text);
	else
		alarms_clear(e->alarms, kind, about);
}

static void look_lives(struct engine *e)
{
	const struct fork_mark *mark;
	char text[TEXT_BYTES];
	size_t at = 0;

	while (e->forks && (mark = forks_next(e->forks, &at))) {
		snprintf(text, sizeof text,
			 "two nodes live with the key of %s, nothing of it counts: see `holon peer forks`",
			 mark->origin);
		set(e, ALARM_LIVES, mark->origin, forks_is_open(e->forks, mark->origin) ? text : NULL);
	}
}

/* None of several that should be there is more than one that is away. */
static void look_apart(struct engine *e)
{
	const struct trust *t = e->trust;
	const bool early = engine_mono_ns() - e->started_ns < APART_AFTER_S * NS_PER_S;
	char text[TEXT_BYTES];

	snprintf(text, sizeof text, "none of the %zu other nodes of the organisation is connected",
		 t->own.org.n_nodes - 1);
	set(e, ALARM_APART, "",
	    !early && t->own.org.n_nodes > 1 && !gossip_sees(e->gossip, t->self->org) ? text : NULL);
	for (size_t i = 0; i < t->n_partners; i++) {
		const char *org = t->partners[i]->org.manifest.org;
		snprintf(text, sizeof text, "no border of %.80s can be reached from here", org);
		set(e, ALARM_APART, org,
		    !early && gossip_dials(e->gossip, &t->partners[i]->org) && !gossip_sees(e->gossip, org)
			    ? text
			    : NULL);
	}
}

void alarms_watch(struct engine *e)
{
	static const struct {
		enum alarm_kind kind;
		look_fn *look;
	} looks[] = {
		{ALARM_STORE, look_store},     {ALARM_AUDIT, look_audit},   {ALARM_BORDER, look_border},
		{ALARM_DOOR, look_door},       {ALARM_POLICY, look_policy}, {ALARM_CLOCK, look_clock},
		{ALARM_HISTORY, look_history},
	};
	char text[TEXT_BYTES];

	for (size_t i = 0; i < sizeof looks / sizeof *looks; i++)
		set(e, looks[i].kind, "", looks[i].look(e, text));
	look_lives(e);
	look_apart(e);
	alarms_tick(e->alarms);
}
