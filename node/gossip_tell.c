/* SPDX-License-Identifier: Apache-2.0 */
/* What people are told of peers: in the log, in the audit, and as alarms. */
#include "node/gossip_private.h"

#include <stdarg.h>
#include <stdio.h>

#include "node/alarms.h"
#include "node/forks.h"
#include "node/log.h"
#include "node/record.h"
#include "proto/words.h"

bool gossip_may_log(struct gossip *g, const struct session *s)
{
	return log_share_take(&g->shares, s ? s->org : "-", s ? s->node : "-", engine_mono_ns());
}

static void alarm_peer(struct gossip *g, const struct session *s, const char *text)
{
	char peer[sizeof s->org + sizeof s->node];

	snprintf(peer, sizeof peer, "%s/%s", s->org, s->node);
	alarms_raise(g->engine->alarms, ALARM_PEER, peer, text);
}

void gossip_say_malformed(struct gossip *g, const struct session *s, size_t bytes)
{
	if (gossip_may_log(g, s))
		log_warn("mesh", "malformed frame, session reset peer=%s/%s bytes=%zu", s->org, s->node,
			 bytes);
	alarm_peer(g, s, "it sent a frame that makes no sense");
	record_refused_of(g->engine->journal, s->org, s->node, "frame", ERR_MALFORMED, NULL);
}

void gossip_complain(struct gossip *g, uint32_t session, const char *format, ...)
{
	const struct session *s = gossip_session(g, session);
	char text[300], quoted[300];
	va_list args;

	if (!gossip_may_log(g, s))
		return;
	va_start(args, format);
	vsnprintf(text, sizeof text, format, args);
	va_end(args);
	log_warn("mesh", "%s peer=%s/%s", log_quote(text, quoted, sizeof quoted), s ? s->org : "-",
		 s ? s->node : "-");
}

void gossip_alarm(struct gossip *g, const struct mesh_action *action)
{
	const struct session *s = gossip_session(g, action->session);
	char text[200];

	if (action->origin)
		alarms_raise(g->engine->alarms, ALARM_REPAIR, action->origin, action->text);
	else if (s)
		alarm_peer(g, s, action->text);
	if (gossip_may_log(g, s))
		log_warn("mesh", "%s peer=%s/%s", log_quote(action->text, text, sizeof text),
			 s ? s->org : "-", s ? s->node : "-");
}

static void alarm_fork(struct gossip *g, const char *origin)
{
	char text[256];

	snprintf(text, sizeof text, "%s signed what cannot all be true: see `holon audit evidence`", origin);
	alarms_raise(g->engine->alarms, ALARM_FORK, origin, text);
}

void gossip_say_closed(struct gossip *g, const struct mesh_action *action)
{
	const struct session *s = gossip_session(g, action->session);
	const char *why = text_or_empty(action->text);
	char text[200];

	if (!s)
		return;
	record_kick(g->engine->journal, s->org, s->node, why);
	if (gossip_may_log(g, s))
		log_info("mesh", "closing peer=%s/%s: %s", s->org, s->node,
			 log_quote(why, text, sizeof text));
}

void gossip_fork(struct gossip *g, const struct mesh_action *action)
{
	struct engine *e = g->engine;

	log_error("mesh", "%s origin=%s: see `holon audit evidence`", action->text, action->origin);
	const int r = forks_note(e->forks, action->origin, action->heads, engine_wall_ns());
	if (r < 0)
		engine_log_failure("mesh", "it cannot be noted that two nodes live with one key", r, NULL);
	record_fork(e->journal, action->origin, action->text, action->heads);
	if (r != 0) {
		alarm_fork(g, action->origin);
		return;
	}
	log_error("mesh", "nothing of origin=%s is taken or served: see `holon peer forks`", action->origin);
	gossip_changed(g);
}
