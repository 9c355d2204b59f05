/* SPDX-License-Identifier: Apache-2.0 */
/* What the mesh tells of itself: counts, and how far behind it is. */
#include "federation/mesh_state.h"

#include "proto/id.h"

/* ---- Counts ----------------------------------------------------------------------------------------------
 */

enum { TALLIES_MAX = 1024 };

static struct tally *find_tally(const struct mesh *m, const char *org, const char *node)
{
	for (size_t i = 0; i < m->n_tallies; i++)
		if (strcmp(m->tallies[i]->org, org) == 0 && strcmp(m->tallies[i]->node, node) == 0)
			return m->tallies[i];
	return NULL;
}

static void tally_free(struct tally *t)
{
	free(t->org);
	free(t->node);
	free(t);
}

static bool is_in_use(const struct mesh *m, const struct tally *t)
{
	for (size_t i = 0; i < m->n_sessions; i++)
		if (m->sessions[i]->tally == t)
			return true;
	return false;
}

/* Peers come and go over the years: who is away makes room. */
static void make_room(struct mesh *m)
{
	for (size_t i = 0; m->n_tallies >= TALLIES_MAX && i < m->n_tallies; i++)
		if (!is_in_use(m, m->tallies[i])) {
			tally_free(m->tallies[i]);
			m->tallies[i] = m->tallies[--m->n_tallies];
		}
}

struct tally *tally_of(struct mesh *m, const char *org, const char *node)
{
	struct tally *t = find_tally(m, org, node), **place;

	if (t)
		return t;
	make_room(m);
	t = calloc(1, sizeof *t);
	if (!t)
		return NULL;
	t->org = strdup(org);
	t->node = strdup(node);
	place = t->org && t->node ? mesh_grow(&m->tallies, &m->n_tallies, sizeof *place) : NULL;
	if (!place) {
		tally_free(t);
		return NULL;
	}
	return *place = t;
}

void tallies_free(struct mesh *m)
{
	for (size_t i = 0; i < m->n_tallies; i++)
		tally_free(m->tallies[i]);
	free(m->tallies);
}

void mesh_stats(const struct mesh *m, struct mesh_stats *ret)
{
	*ret = m->stats;
	ret->sessions_open = 0;
	for (size_t i = 0; i < m->n_sessions; i++)
		ret->sessions_open += m->sessions[i]->open;
}

void mesh_peer_stats(const struct mesh *m, const char *org, const char *node, struct mesh_stats *ret)
{
	const struct tally *t = find_tally(m, org, node);

	*ret = t ? t->stats : (struct mesh_stats){0};
}

/* ---- Lag -------------------------------------------------------------------------------------------------
 */

/* The furthest that is offered: by one session, or (0) by any. NULL: nothing is. */
static const struct offer *furthest(const struct stream *st, uint32_t session)
{
	const struct offer *best = NULL;

	for (size_t i = 0; i < st->n_offers; i++) {
		const struct offer *o = &st->offers[i];
		if ((session == 0 || o->session == session) &&
		    (!best || place_compare(&o->place, &best->place) > 0))
			best = o;
	}
	return best;
}

static enum mesh_stream_state state_of(const struct mesh *m, const struct stream *st, bool behind)
{
	if (st->repair != NULL)
		return MESH_STREAM_REPAIRING;
	if (stream_is_busy(st))
		return MESH_STREAM_PULLING;
	if (behind && st->blocked_ns > m->now_ns)
		return MESH_STREAM_STOPPED;
	return behind ? MESH_STREAM_BEHIND : MESH_STREAM_LEVEL;
}

static int describe(struct mesh *m, const struct stream *st, const struct offer *o,
		    struct mesh_stream_stats *ret)
{
	struct cursor cursor;
	struct held held;

	TRY(held_read(m, st->origin, &held));
	*ret = (struct mesh_stream_stats){
		.origin = st->origin, .offered = o->place.seq, .n_offers = st->n_offers};
	ret->behind = offer_weigh(&held, &o->place) == OFFER_ROWS;
	ret->state = state_of(m, st, ret->behind);
	ret->knows_lag = id_is_of_org(st->origin, m->org);
	if (ret->knows_lag && held.known && held.whole) {
		ret->knows_lag = cursor_decode(held.cursor, &cursor) == 0;
		ret->seq = ret->knows_lag ? cursor.seq : 0;
	}
	if (ret->knows_lag && ret->behind && ret->offered > ret->seq)
		ret->lag = ret->offered - ret->seq;
	return 0;
}

/* Where the first stream behind a name stands. */
static size_t first_behind(const struct mesh *m, const char *after)
{
	size_t low = 0, high = m->n_streams;

	while (after && low < high) {
		const size_t mid = low + (high - low) / 2;
		if (strcmp(m->streams[mid]->origin, after) > 0)
			high = mid;
		else
			low = mid + 1;
	}
	return low;
}

bool mesh_stream_next(struct mesh *m, uint32_t session, const char *after, struct mesh_stream_stats *ret)
{
	for (size_t i = first_behind(m, after); i < m->n_streams; i++) {
		const struct offer *o = furthest(m->streams[i], session);
		if (o && describe(m, m->streams[i], o, ret) == 0)
			return true;
	}
	return false;
}

bool mesh_stream_of(struct mesh *m, const char *origin, struct mesh_stream_stats *ret)
{
	const struct stream *st = stream_find(m, origin);
	const struct offer *o = st ? furthest(st, 0) : NULL;

	return o && describe(m, st, o, ret) == 0;
}
