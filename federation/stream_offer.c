/* SPDX-License-Identifier: Apache-2.0 */
#include "federation/mesh_state.h"

#include "proto/id.h"

void stream_free(struct stream *st)
{
	for (size_t i = 0; i < st->n_offers; i++)
		place_fini(&st->offers[i].place);
	free(st->offers);
	fork_fini(st);
	repair_drop(st);
	buf_fini(&st->stored);
	place_fini(&st->stored_place);
	buf_fini(&st->tail);
	free(st->origin);
	free(st);
}

/* Where an origin stands in the sorted array, or would. */
static size_t stream_place(const struct mesh *m, const char *origin)
{
	size_t low = 0, high = m->n_streams;

	while (low < high) {
		size_t mid = low + (high - low) / 2;
		if (strcmp(m->streams[mid]->origin, origin) < 0)
			low = mid + 1;
		else
			high = mid;
	}
	return low;
}

struct stream *stream_find(const struct mesh *m, const char *origin)
{
	size_t i = stream_place(m, origin);

	return i < m->n_streams && strcmp(m->streams[i]->origin, origin) == 0 ? m->streams[i] : NULL;
}

static struct stream *stream_make(const char *origin)
{
	struct stream *st = calloc(1, sizeof *st);

	if (!st)
		return NULL;
	st->look_ns = INT64_MAX;
	st->origin = strdup(origin);
	if (!st->origin) {
		free(st);
		return NULL;
	}
	return st;
}

static struct stream *stream_add(struct mesh *m, const char *origin)
{
	size_t at = stream_place(m, origin);
	struct stream *st = stream_make(origin);

	if (!st || !mesh_grow(&m->streams, &m->n_streams, sizeof *m->streams)) {
		if (st)
			stream_free(st);
		return NULL;
	}
	memmove(m->streams + at + 1, m->streams + at, (m->n_streams - 1 - at) * sizeof *m->streams);
	m->streams[at] = st;
	return st;
}

struct offer *offer_find(const struct stream *st, uint32_t session)
{
	for (size_t i = 0; i < st->n_offers; i++)
		if (st->offers[i].session == session)
			return &st->offers[i];
	return NULL;
}

void offer_drop(struct stream *st, uint32_t session)
{
	struct offer *o = offer_find(st, session);

	if (!o)
		return;
	place_fini(&o->place);
	*o = st->offers[--st->n_offers];
}

void offer_pause(const struct stream *st, uint32_t session, int64_t until_ns)
{
	struct offer *o = offer_find(st, session);

	if (o)
		o->not_before_ns = until_ns;
}

static size_t n_offers(const struct mesh *m, const struct session *s)
{
	size_t n = 0;

	for (size_t i = 0; i < m->n_streams; i++)
		n += offer_find(m->streams[i], s->id) != NULL;
	return n;
}

bool offer_is_direct(const struct session *s, const char *origin)
{
	return id_is_of_org(origin, s->org) && strcmp(id_local(origin), s->node) == 0;
}

/* A server that was behind and shows another head may be asked again. */
int offer_set(struct stream *st, const struct session *s, const struct head *head, struct bytes payload)
{
	struct offer *o = offer_find(st, s->id);

	if (!o) {
		o = mesh_grow(&st->offers, &st->n_offers, sizeof *o);
		if (!o)
			return FAIL(-ENOMEM);
		o->session = s->id;
		o->direct = offer_is_direct(s, st->origin);
		o->old = o->listed = true;
	}
	uint64_t before = o->place.digest;
	TRY(place_set(&o->place, head, payload));
	if (o->place.digest != before)
		o->not_before_ns = 0;
	return 0;
}

/* Inside the organisation a newer head over the same rows still means rows: tombstones, which are in no
 * fingerprint but must be handed on. */
enum verdict offer_weigh(const struct held *held, const struct place *offered)
{
	if (!held->known)
		return OFFER_ROWS;
	int order = place_compare(offered, &held->place);
	if (order < 0)
		return OFFER_NOTHING;
	if (!held->whole || !fingerprint_equal(&offered->fingerprint, &held->fingerprint))
		return OFFER_ROWS;
	if (order == 0)
		return OFFER_NOTHING;
	return offered->seq > 0 ? OFFER_ROWS : OFFER_HEAD;
}

/* Whoever is silent is not waited for when another one, which just spoke, has what is wanted: a half-open
 * connection would hold it up for as long as a pull may take. */
static void leave_silent(struct mesh *m, const struct session *s, struct stream *st)
{
	const struct session *asked = st->phase == STREAM_PULLING ? session_find(m, st->session) : NULL;

	if (!asked || asked == s || st->index > 0 || !session_is_doubtful(m, asked) ||
	    session_is_doubtful(m, s))
		return;
	offer_pause(st, asked->id, m->now_ns + OFFER_PAUSE_NS);
	stream_abandon(m, st);
}

/* Is what is held what the offer says? What the disk lost may by chance be what was deleted since: then it is
 * not what the head below it says, a repair will fetch it again, and nobody has vouched for that. */
static bool agrees(const struct held *held, const struct place *offered)
{
	return held->at_head && fingerprint_equal(&held->fingerprint, &offered->fingerprint);
}

static int consider(struct mesh *m, const struct session *s, struct stream *st, const struct place *offered,
		    const struct head_notice *notice)
{
	struct held held;

	if (!fork_counts(m, st->origin, offered))
		return 0;
	TRY(held_read(m, st->origin, &held));
	TRY(fork_watch_held(m, st, &held, offered, notice));
	enum verdict verdict = offer_weigh(&held, offered);
	if (agrees(&held, offered)) {
		TRY(stream_heard(m, st->origin, stream_told_age(s, st->origin, notice->age_ns)));
		if (!st->repair)
			stream_agrees(st);
	}
	if (verdict == OFFER_HEAD && !stream_is_busy(st))
		return stream_store_head(m, st, &held, &notice->head);
	if (verdict == OFFER_NOTHING)
		return 0;
	st->look_ns = m->now_ns;
	leave_silent(m, s, st);
	return 0;
}

/* The origin of a head must belong to the organisation that may speak of it. */
static bool is_of_peer(const struct mesh *m, const struct session *s, const char *origin)
{
	return id_is_of_org(origin, s->own ? m->org : s->org);
}

static int take_offer(struct mesh *m, struct session *s, const struct head *head,
		      const struct head_notice *notice)
{
	struct stream *st = stream_find(m, head->origin);

	if ((!st || !offer_find(st, s->id)) && n_offers(m, s) == ORIGINS_MAX)
		return session_refuse(m, s, "peer offers more origins than anybody may have");
	if (!st)
		st = stream_add(m, head->origin);
	if (!st)
		return FAIL(-ENOMEM);
	TRY(offer_set(st, s, head, notice->head.payload));
	struct offer *o = offer_find(st, s->id);
	o->old = stream_age(notice->age_ns) > PING_AGE_MAX_NS;
	o->listed = true;
	TRY(fork_watch(m, st, s, head, notice));
	return consider(m, s, st, &o->place, notice);
}

/* A head that cannot be verified is no fault of the peer: this node may not know the signer yet. */
static int on_head(struct mesh *m, struct session *s, const struct head_notice *notice)
{
	const struct mesh_port *port = &m->opt.port;
	struct head head;

	arena_reset(m->scratch);
	if (port->verify_head(port->ctx, s->org, s->node, notice, m->scratch, &head) < 0) {
		COUNT(m, s, frames_refused);
		session_misses(m, s);
		return 0;
	}
	if (!is_of_peer(m, s, head.origin))
		return session_refuse(m, s, "peer offers twins of another organisation");
	if (strcmp(head.origin, m->self) == 0)
		return fork_watch_self(m, s, &head, notice);
	if (!s->own && !partner_epoch(m, s->org, head.epoch)) {
		struct stream *st = stream_find(m, head.origin);
		if (st)
			offer_drop(st, s->id);
		return 0;
	}
	return take_offer(m, s, &head, notice);
}

static void begin_list(const struct mesh *m, struct session *s)
{
	for (size_t i = 0; i < m->n_streams; i++) {
		struct offer *o = offer_find(m->streams[i], s->id);
		if (o)
			o->listed = false;
	}
	s->lost = false;
	s->listing = true;
	s->tell_due_ns = INT64_MAX;
}

static void end_list(const struct mesh *m, struct session *s)
{
	for (size_t i = 0; i < m->n_streams; i++) {
		const struct offer *o = offer_find(m->streams[i], s->id);
		if (o && !o->listed)
			offer_drop(m->streams[i], s->id);
	}
	s->listing = false;
	if (s->tell_due_ns == INT64_MAX)
		s->tell_pause_ns = TELL_PAUSE_NS;
}

int stream_on_heads(struct mesh *m, struct session *s, const struct message *message)
{
	if (message->heads.all)
		begin_list(m, s);
	for (size_t i = 0; i < message->heads.n && !s->closed; i++)
		TRY(on_head(m, s, &message->heads.heads[i]));
	return 0;
}

/* What was known already is not said again. */
static int vouch(struct mesh *m, struct stream *st, int64_t age_ns)
{
	const int64_t at_ns = m->now_ns - age_ns;

	if (at_ns <= st->vouched_ns)
		return 0;
	st->vouched_ns = at_ns;
	return stream_heard(m, st->origin, age_ns);
}

/* The offer stands as it was told. What is held may not, if the disk lost or changed it. */
static int confirm(struct mesh *m, const struct session *s, struct stream *st, const struct offer *o,
		   int64_t age_ns)
{
	struct held held;

	if (!fork_counts(m, st->origin, &o->place))
		return 0;
	TRY(held_read(m, st->origin, &held));
	if (agrees(&held, &o->place))
		return o->old ? 0 : vouch(m, st, o->direct ? 0 : stream_told_age(s, st->origin, age_ns));
	if (offer_weigh(&held, &o->place) != OFFER_NOTHING)
		st->look_ns = m->now_ns;
	return 0;
}

int stream_on_ping(struct mesh *m, struct session *s, const struct message *message)
{
	const int64_t age_ns = stream_age(message->ping.age_ns);

	TRY(fork_watch_ping(m, s));
	if (s->lost || !(s->features & FEATURE_QUIET))
		return 0;
	if (s->listing)
		end_list(m, s);
	for (size_t i = 0; i < m->n_streams; i++) {
		const struct offer *o = offer_find(m->streams[i], s->id);
		if (o)
			TRY(confirm(m, s, m->streams[i], o, age_ns));
	}
	return 0;
}
