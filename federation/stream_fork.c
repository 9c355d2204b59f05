/* SPDX-License-Identifier: Apache-2.0 */
/* What an origin signed and what cannot all be true: somebody has a copy of its key, its disk went back
 * without a restore, or a relay forges. Three signs, none of which an honest mesh shows:
 *
 *   contradiction  one incarnation, one sequence number, two fingerprints
 *   two lives      an incarnation goes on speaking for itself long after another one did
 *   set back       peers hold of this node, in this incarnation, more than it has
 *
 * Of an origin the last head of two incarnations is kept. An old head that a relay still holds proves nothing
 * about who lives: for that only sessions with the origin itself count. */
#include "federation/mesh_state.h"

#include <stdio.h>

static const char contradiction[] = "an origin signed two states of one sequence number";

enum { ORIGIN_SIZE = ORG_NAME_MAX + NODE_NAME_MAX + 2 };

/* The peer, as an origin. */
static const char *origin_of(const struct session *s, char ret[ORIGIN_SIZE])
{
	snprintf(ret, ORIGIN_SIZE, "%s/%s", s->org, s->node);
	return ret;
}

static uint64_t life_of(const struct head *h)
{
	return h->n_lineage > 0 ? h->lineage[h->n_lineage - 1].id : 0;
}

static void keep_head(struct life *l, const struct head *h, const struct head_notice *notice)
{
	buf_clear(&l->head);
	signed_blob_encode(&notice->head, &l->head); /* without memory it is no evidence: see tell_fork() */
	l->id = life_of(h);
	l->seq = h->seq;
	l->fingerprint = h->fingerprint;
}

/* The one of this head, or the one that was heard of longer ago, emptied. */
static struct life *find_life(struct stream *st, uint64_t id)
{
	struct life *l = st->lives;

	for (size_t i = 0; i < N_LIVES; i++)
		if (st->lives[i].head.len > 0 && st->lives[i].id == id)
			return &st->lives[i];
	l += st->lives[1].last_ns < st->lives[0].last_ns || st->lives[1].head.len == 0;
	buf_fini(&l->head);
	*l = (struct life){.first_ns = INT64_MAX, .last_ns = INT64_MIN};
	return l;
}

static int tell_fork(struct mesh *m, uint32_t session, const char *origin, const char *why, struct bytes a,
		     struct bytes b)
{
	struct mesh_action *action = mesh_emit(m, MESH_FORK, session);

	if (!action)
		return FAIL(-ENOMEM);
	m->stats.forks++;
	action->text = why;
	action->origin = arena_copy(m->todo->arena, origin);
	if (!action->origin)
		return FAIL(-ENOMEM);
	TRY(stream_copy(m->todo->arena, a, &action->heads[0]));
	return stream_copy(m->todo->arena, b, &action->heads[1]);
}

static int tell_once(struct mesh *m, struct stream *st, uint32_t session, const char *why, struct bytes a,
		     struct bytes b)
{
	if (m->now_ns < st->fork_ns)
		return 0;
	st->fork_ns = m->now_ns + FORK_PAUSE_NS;
	return tell_fork(m, session, st->origin, why, a, b);
}

static int check_lives(struct mesh *m, struct stream *st, uint32_t session)
{
	const struct life *a = &st->lives[0], *b = &st->lives[1];
	const int64_t both_ns = a->first_ns > b->first_ns ? a->first_ns : b->first_ns;
	const int64_t last_ns = a->last_ns < b->last_ns ? a->last_ns : b->last_ns;

	if (a->head.len == 0 || b->head.len == 0 || both_ns == INT64_MAX ||
	    last_ns - m->opt.fork_margin_ns <= both_ns)
		return 0;
	return tell_once(m, st, session, "two nodes live with one key", buf_bytes(&a->head),
			 buf_bytes(&b->head));
}

bool fork_counts(const struct mesh *m, const char *origin, const struct place *p)
{
	const struct mesh_port *port = &m->opt.port;

	return !port->counts || p->n_lineage == 0 ||
	       port->counts(port->ctx, origin, p->lineage[p->n_lineage - 1].id);
}

static bool life_counts(const struct mesh *m, const char *origin, uint64_t id)
{
	const struct mesh_port *port = &m->opt.port;

	return !port->counts || port->counts(port->ctx, origin, id);
}

static void seen_living(struct life *l, int64_t at_ns)
{
	l->first_ns = at_ns < l->first_ns ? at_ns : l->first_ns;
	l->last_ns = at_ns > l->last_ns ? at_ns : l->last_ns;
}

int fork_watch(struct mesh *m, struct stream *st, struct session *s, const struct head *head,
	       const struct head_notice *notice)
{
	struct life *l;

	if (!s->own || head->n_lineage == 0)
		return 0; /* what a border makes for us has no sequence numbers */
	if (offer_is_direct(s, st->origin))
		s->life = life_of(head);
	if (!life_counts(m, st->origin, life_of(head)))
		return 0; /* that is known already */
	l = find_life(st, life_of(head));
	if (l->head.len > 0 && l->seq == head->seq &&
	    !fingerprint_equal(&l->fingerprint, &head->fingerprint)) {
		SCOPED(buf_fini) struct buf other = {0};
		signed_blob_encode(&notice->head, &other);
		TRY(buf_check(&other));
		return tell_once(m, st, s->id, contradiction, buf_bytes(&l->head), buf_bytes(&other));
	}
	if (l->head.len == 0 || head->seq > l->seq)
		keep_head(l, head, notice);
	if (offer_is_direct(s, st->origin))
		seen_living(l, m->now_ns - stream_age(notice->age_ns));
	return check_lives(m, st, s->id);
}

int fork_watch_ping(struct mesh *m, const struct session *s)
{
	char origin[ORIGIN_SIZE];
	struct stream *st = s->own && s->life != 0 ? stream_find(m, origin_of(s, origin)) : NULL;

	if (!st)
		return 0;
	for (size_t i = 0; i < N_LIVES; i++)
		if (st->lives[i].head.len > 0 && st->lives[i].id == s->life)
			seen_living(&st->lives[i], m->now_ns);
	return check_lives(m, st, s->id);
}

/* What no longer counts is no second life, and what was left lying because of it is looked at again. */
void forks_chosen(struct mesh *m)
{
	for (size_t i = 0; i < m->n_streams; i++) {
		struct stream *st = m->streams[i];
		for (size_t k = 0; k < N_LIVES; k++)
			if (st->lives[k].head.len > 0 && !life_counts(m, st->origin, st->lives[k].id)) {
				buf_fini(&st->lives[k].head);
				st->lives[k] = (struct life){0};
			}
		st->fork_ns = m->now_ns;
		st->look_ns = m->now_ns;
	}
}

/* What was stored before this node started counts, too. */
int fork_watch_held(struct mesh *m, struct stream *st, const struct held *held, const struct place *offered,
		    const struct head_notice *notice)
{
	const struct mesh_port *port = &m->opt.port;
	const struct place *p = &held->place;
	SCOPED(buf_fini) struct buf theirs = {0};
	struct fingerprint fingerprint;
	struct bytes cursor, head = {0};

	if (p->n_lineage == 0 || offered->n_lineage == 0 || offered->seq == 0 || offered->seq != p->seq ||
	    offered->lineage[offered->n_lineage - 1].id != p->lineage[p->n_lineage - 1].id ||
	    fingerprint_equal(&offered->fingerprint, &p->fingerprint))
		return 0;
	if (port->held(port->ctx, st->origin, &cursor, &fingerprint, &head) != 0)
		return 0;
	signed_blob_encode(&notice->head, &theirs);
	TRY(buf_check(&theirs));
	return tell_once(m, st, 0, contradiction, head, buf_bytes(&theirs));
}

int fork_watch_self(struct mesh *m, const struct session *s, const struct head *head,
		    const struct head_notice *notice)
{
	const struct mesh_port *port = &m->opt.port;
	SCOPED(buf_fini) struct buf mine = {0}, theirs = {0};
	const uint64_t life = life_of(head), seq = head->seq; /* the scratch arena is used again */
	struct head_notice own;
	struct head held;

	if (!s->own || m->now_ns < m->fork_ns ||
	    port->head(port->ctx, "", m->self, m->todo->arena, &own) != 0)
		return 0;
	if (head_decode(m->todo->arena, own.head.payload, &held) < 0 || life_of(&held) != life ||
	    seq <= held.seq)
		return 0;
	signed_blob_encode(&own.head, &mine);
	signed_blob_encode(&notice->head, &theirs);
	TRY(buf_check(&mine));
	TRY(buf_check(&theirs));
	m->fork_ns = m->now_ns + FORK_PAUSE_NS;
	return tell_fork(m, s->id, m->self, "peers hold more of this node than it has: its disk went back",
			 buf_bytes(&mine), buf_bytes(&theirs));
}

bool fork_is_watched(const struct mesh *m, const struct stream *st)
{
	for (size_t i = 0; i < N_LIVES; i++)
		if (st->lives[i].head.len > 0 && st->lives[i].last_ns > m->now_ns - 2 * m->opt.fork_margin_ns)
			return true;
	return false;
}

bool mesh_session_counts(const struct mesh *m, uint32_t session)
{
	const struct session *s = session_find(m, session);
	char origin[ORIGIN_SIZE];

	return !s || !s->own || s->life == 0 || life_counts(m, origin_of(s, origin), s->life);
}

void fork_fini(struct stream *st)
{
	for (size_t i = 0; i < N_LIVES; i++)
		buf_fini(&st->lives[i].head);
}
