/* SPDX-License-Identifier: Apache-2.0 */
/* Connections that are cut for what the peer did: counted by key, told to whoever listens, and to the door,
 * which lets the key wait. */
#include "node/transport_private.h"

enum {
	MALFORMED_MAX = 3, /* frames that make no sense, in so many milliseconds: */
	MALFORMED_MS = 60000,
};

const char *transport_kick_text(enum transport_kick why)
{
	static const char *const texts[] = {
		[KICK_NONE] = "",
		[KICK_FLOOD] = "sent without end",
		[KICK_PARTS] = "frames of a shape that is not taken",
		[KICK_REVOKED] = "not admitted any more",
		[KICK_SLOW] = "does not read",
		[KICK_MALFORMED] = "malformed frames",
		[KICK_SILENT] = "came in and said nothing",
		[KICK_CROWDED] = "no room, and it said nothing",
	};

	return why < N_KICKS ? texts[why] : "";
}

static struct offences *offences_find(const struct transport *t, const struct curve_key *key)
{
	for (size_t i = 0; i < t->n_offences; i++)
		if (memcmp(t->offences[i].key.b, key->b, KEY_BYTES) == 0)
			return &t->offences[i];
	return NULL;
}

/* NULL: no memory, or so many already that this one is not told from others. */
static struct offences *offences_of(struct transport *t, const struct curve_key *key)
{
	struct offences *found = offences_find(t, key), *grown;

	if (found || t->n_offences == OFFENDERS_MAX)
		return found;
	grown = realloc(t->offences, (t->n_offences + 1) * sizeof *grown);
	if (!grown)
		return NULL;
	t->offences = grown;
	grown[t->n_offences] = (struct offences){.key = *key};
	return &grown[t->n_offences++];
}

void offences_forget(struct transport *t)
{
	size_t kept = 0;

	for (size_t i = 0; i < t->n_offences; i++)
		if (roster_find(t->roster, &t->offences[i].key))
			t->offences[kept++] = t->offences[i];
	t->n_offences = kept;
}

void kick_tell(struct transport *t, const struct kicked *who)
{
	struct offences *o = who->key ? offences_of(t, who->key) : NULL;

	t->stats.kicks++;
	if (o) {
		o->kicks++;
		o->last = who->why;
	}
	if (who->key && t->zap)
		zap_kicked(t->zap, who->key);
	if (t->on_kick)
		t->on_kick(t->handler.ctx, who->org, who->node, who->why);
}

uint64_t transport_kicks(const struct transport *t, const struct curve_key *key,
			 enum transport_kick *ret_last)
{
	const struct offences *o = offences_find(t, key);

	*ret_last = o ? o->last : KICK_NONE;
	return o ? o->kicks : 0;
}

/* One frame may be a mistake, or another version's. */
static bool is_too_much(struct transport *t, const struct curve_key *key)
{
	struct offences *o = offences_of(t, key);
	const uint64_t now_ms = uv_now(t->loop);

	if (!o)
		return true;
	if (now_ms - o->since_ms > MALFORMED_MS) {
		o->since_ms = now_ms;
		o->malformed = 0;
	}
	return ++o->malformed >= MALFORMED_MAX;
}

void transport_malformed(struct transport *t, uint32_t session)
{
	struct session *s = transport_find(t, session);

	if (!s)
		return;
	if (is_too_much(t, &s->key)) {
		kick_tell(t, &(struct kicked){&s->key, s->org, s->node, KICK_MALFORMED});
		if (s->port)
			port_cut(s);
	}
	transport_close(t, session);
}
