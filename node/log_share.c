/* SPDX-License-Identifier: Apache-2.0 */
#include "node/log_share.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "node/log.h"
#include "proto/clock.h"
#include "proto/limits.h"

enum { WINDOW_S = 60, WHO_SIZE = ORG_NAME_MAX + NODE_NAME_MAX + 2 };

struct peer_share {
	struct log_window window;
	char who[];
};

static struct peer_share *find(struct log_shares *s, const char *who)
{
	struct peer_share *p = map_get(&s->peers, who);
	const size_t size = strlen(who) + 1;

	if (p || s->peers.n >= LOG_SHARE_PEERS_MAX)
		return p;
	p = calloc(1, sizeof *p + size);
	if (!p)
		return NULL;
	memcpy(p->who, who, size);
	p->window.began_ns = INT64_MIN;
	if (map_put(&s->peers, p->who, p) == 0)
		return p;
	free(p);
	return NULL;
}

/* May it have a line more? At the begin of a minute it is said how many it did without, at its end that it
 * will. */
static bool take(struct log_window *w, uint32_t most, const char *who, int64_t now_ns)
{
	if (w->began_ns == INT64_MIN || now_ns - w->began_ns >= WINDOW_S * NS_PER_S) {
		if (w->left_out > 0)
			log_warn("log", "lines were left out n=%u peer=%s", w->left_out, who);
		*w = (struct log_window){.began_ns = now_ns};
	}
	if (w->lines + 1 < most) {
		w->lines++;
		return true;
	}
	if (w->left_out++ == 0)
		log_warn("log", "what follows in this minute is left out, too much was written peer=%s", who);
	return false;
}

bool log_share_take(struct log_shares *s, const char *org, const char *node, int64_t now_ns)
{
	char who[WHO_SIZE];

	snprintf(who, sizeof who, "%s/%s", org, node);
	struct peer_share *p = find(s, who);
	if (p && !take(&p->window, LOG_SHARE_PEER, who, now_ns))
		return false;
	return take(&s->all, LOG_SHARE_ALL, "all", now_ns);
}

void log_shares_fini(struct log_shares *s)
{
	size_t at = 0;

	for (struct map_entry *e; (e = map_next(&s->peers, &at));)
		free(e->value);
	map_fini(&s->peers);
}
