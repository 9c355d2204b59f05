/* SPDX-License-Identifier: Apache-2.0 */
#include "node/spread.h"

#include <stdio.h>

#include "proto/clock.h"
#include "security/org_files.h"
#include "security/org_merge.h"

enum { ORGS_MAX = 65 }; /* of which one session speaks: the own one and its partners */

#define ANSWER_NS (5 * NS_PER_S)
#define ASKED_NS (2 * NS_PER_S)
#define PAUSE_NS (60 * NS_PER_S)

/* What one session and this side told each other of one organisation. */
struct about {
	char org[ORG_NAME_MAX + 1];
	bool heard;        /* the peer said what it holds: */
	uint64_t theirs;   /* ... this */
	bool told;         /* this side said it since it heard the last word, */
	uint64_t mine;     /* ... and last this */
	uint64_t tried;    /* for this thing held there were ... */
	unsigned tries;    /* ... so many tries to come to agree with the same of theirs, */
	unsigned all;      /* ... so many with anything */
	unsigned useless;  /* ... so many bundles came that changed nothing */
	uint64_t gave[2];  /* what was sent last, and what the peer held then ... */
	int64_t gave_ns;   /* ... so it need not be sent again until it had time to answer */
	int64_t look_ns;   /* if there is no agreement by then, this side goes on */
	int64_t paused_ns; /* no bundle is sent before, */
	int64_t deaf_ns;   /* ... and none is taken */
};

/* The pieces of one bundle. */
struct transfer {
	char org[ORG_NAME_MAX + 1];
	uint64_t digest;
	uint32_t total;
	struct buf got;
};

struct link {
	struct link *next;
	uint32_t session;
	char org[ORG_NAME_MAX + 1];
	bool own, open;
	struct about *abouts;
	size_t n_abouts;
	struct transfer in;
};

/* Who was asked for what last, so that not everybody who has it is. */
struct asked {
	char org[ORG_NAME_MAX + 1];
	uint64_t digest;
	int64_t until_ns;
};

struct spread {
	struct spread_port port;
	char own[ORG_NAME_MAX + 1];
	struct link *links;
	struct asked asked[ORGS_MAX];
};

/* ---- Sessions ---- */

static struct link *find_link(const struct spread *s, uint32_t session)
{
	struct link *l = s->links;

	while (l && l->session != session)
		l = l->next;
	return l;
}

/* The link with the lowest session above this one: what is said may end any of them. */
static struct link *next_link(const struct spread *s, uint32_t session)
{
	struct link *next = NULL;

	for (struct link *l = s->links; l; l = l->next)
		if (l->session > session && (!next || l->session < next->session))
			next = l;
	return next;
}

static void empty_link(struct link *l)
{
	free(l->abouts);
	buf_fini(&l->in.got);
	l->abouts = NULL;
	l->n_abouts = 0;
	l->in = (struct transfer){0};
	l->open = false;
}

/* It begins anew and knows nothing; what it was given and made this side do still counts. */
static void forget_talk(struct link *l)
{
	for (size_t i = 0; i < l->n_abouts; i++) {
		struct about *a = &l->abouts[i];
		a->heard = a->told = false;
		a->theirs = a->mine = a->gave[0] = a->gave[1] = 0;
	}
	buf_fini(&l->in.got);
	l->in = (struct transfer){0};
	l->open = false;
}

static struct about *find_about(struct link *l, const char *org)
{
	for (size_t i = 0; i < l->n_abouts; i++)
		if (strcmp(l->abouts[i].org, org) == 0)
			return &l->abouts[i];
	return NULL;
}

/* NULL without memory, or of too many organisations. */
static struct about *need_about(struct link *l, const char *org)
{
	struct about *a = find_about(l, org);

	if (a || l->n_abouts == ORGS_MAX)
		return a;
	struct about *grown = realloc(l->abouts, (l->n_abouts + 1) * sizeof *grown);
	if (!grown)
		return NULL;
	l->abouts = grown;
	a = &grown[l->n_abouts++];
	*a = (struct about){0};
	snprintf(a->org, sizeof a->org, "%s", org);
	return a;
}

static bool is_own(const struct spread *s, const char *org)
{
	return strcmp(s->own, org) == 0;
}

/* Inside: of the own organisation, and once the peer is believed of every other. */
static bool is_shared(const struct spread *s, const struct link *l, const char *org)
{
	return l->own && (l->open || is_own(s, org));
}
/* Across a border each side hears what the other holds of it, and takes what the other says of itself. */
static bool hears_standing(const struct spread *s, const struct link *l, const char *org)
{
	return is_shared(s, l, org) || (!l->own && strcmp(l->org, org) == 0);
}
static bool gets_bundle(const struct spread *s, const struct link *l, const char *org)
{
	return is_shared(s, l, org) || (!l->own && is_own(s, org));
}

/* ---- Saying ---- */

static uint64_t digest_of(const struct spread *s, const char *org)
{
	struct bytes bundle;
	uint64_t digest = 0;

	return s->port.held(s->port.ctx, org, &digest, &bundle) ? digest : 0;
}

/* What is counted belongs to one thing held: with another one everything begins anew. */
static void count_anew(struct about *a, uint64_t mine)
{
	if (a->tried == mine)
		return;
	a->tried = mine;
	a->tries = a->all = a->useless = 0;
	a->paused_ns = a->deaf_ns = 0;
}

/* False: it has been tried often enough. */
static bool may_try(struct spread *s, const struct link *l, struct about *a, int64_t now_ns)
{
	if (now_ns < a->paused_ns)
		return false;
	a->look_ns = now_ns + ANSWER_NS;
	if (a->tries++ < SPREAD_TRIES && a->all++ < SPREAD_TRIES_ALL)
		return true;
	a->tries = a->all = 0;
	a->paused_ns = a->look_ns = now_ns + PAUSE_NS;
	s->port.alarm(s->port.ctx, l->session, "a peer does not come to agree on a bundle");
	return false;
}

/* What is said may end the link: nothing of it is touched afterwards. */
static void tell(struct spread *s, const struct link *l, struct about *a, int64_t now_ns)
{
	char org[ORG_NAME_MAX + 1];
	const struct message m = {.kind = MESSAGE_STANDING,
				  .standing = {.org = org, .digest = digest_of(s, a->org)}};

	snprintf(org, sizeof org, "%s", a->org);
	a->told = true;
	a->mine = m.standing.digest;
	if (a->look_ns < now_ns + ANSWER_NS)
		a->look_ns = now_ns + ANSWER_NS;
	s->port.say(s->port.ctx, l->session, &m);
}

static void send_pieces(struct spread *s, uint32_t session, const char *org, uint64_t digest,
			struct bytes bundle)
{
	for (size_t at = 0; at < bundle.len && find_link(s, session); at += FRAME_FILL) {
		const size_t left = bundle.len - at;
		const struct message m = {
			.kind = MESSAGE_TRUST,
			.trust = {.org = org,
				  .digest = digest,
				  .total = (uint32_t)bundle.len,
				  .offset = (uint32_t)at,
				  .piece = {bundle.data + at, left < FRAME_FILL ? left : FRAME_FILL}}};
		s->port.say(s->port.ctx, session, &m);
	}
}

/* The same as of tell(). */
static void give(struct spread *s, const struct link *l, struct about *a, int64_t now_ns)
{
	char org[ORG_NAME_MAX + 1];
	struct bytes bundle;
	uint64_t digest;

	snprintf(org, sizeof org, "%s", a->org);
	if (!s->port.held(s->port.ctx, org, &digest, &bundle))
		return;
	count_anew(a, digest);
	if (a->gave[0] == digest && a->gave[1] == a->theirs && now_ns < a->gave_ns)
		return;
	if (!may_try(s, l, a, now_ns))
		return;
	a->gave[0] = digest;
	a->gave[1] = a->theirs;
	a->gave_ns = now_ns + ANSWER_NS;
	send_pieces(s, l->session, org, digest, bundle);
}

/* Somebody else is being asked for the very same. */
static bool is_asked(struct spread *s, const char *org, uint64_t digest, int64_t now_ns)
{
	struct asked *free_place = NULL;

	for (size_t i = 0; i < ORGS_MAX; i++) {
		struct asked *q = &s->asked[i];
		if (q->digest == digest && now_ns < q->until_ns && strcmp(q->org, org) == 0)
			return true;
		if (now_ns >= q->until_ns || strcmp(q->org, org) == 0)
			free_place = q;
	}
	if (free_place) {
		*free_place = (struct asked){.digest = digest, .until_ns = now_ns + ASKED_NS};
		snprintf(free_place->org, sizeof free_place->org, "%s", org);
	}
	return false;
}

/* ---- Sessions begin and end ---- */

/* Everything that this peer should hear: all of it, or only what it was not told yet. */
static void tell_all(struct spread *s, uint32_t session, int64_t now_ns)
{
	char org[ORG_NAME_MAX + 1] = "";
	const char *next = NULL;

	while ((next = s->port.org_next(s->port.ctx, org[0] ? org : NULL))) {
		struct link *l = find_link(s, session);
		snprintf(org, sizeof org, "%s", next);
		if (!l)
			return;
		struct about *a = hears_standing(s, l, org) ? need_about(l, org) : NULL;
		if (a && a->mine != digest_of(s, org))
			tell(s, l, a, now_ns);
	}
}

void spread_on_greeted(struct spread *s, uint32_t session, const char *org, int64_t now_ns)
{
	struct link *l = find_link(s, session);

	if (!l) {
		l = calloc(1, sizeof *l);
		if (!l)
			return; /* it is told nothing until it connects again */
		*l = (struct link){.next = s->links, .session = session, .own = is_own(s, org)};
		snprintf(l->org, sizeof l->org, "%s", org);
		s->links = l;
	}
	forget_talk(l);
	tell_all(s, session, now_ns);
}

void spread_on_opened(struct spread *s, uint32_t session, int64_t now_ns)
{
	struct link *l = find_link(s, session);

	if (!l)
		return;
	l->open = true;
	tell_all(s, session, now_ns);
}

void spread_on_down(struct spread *s, uint32_t session)
{
	for (struct link **at = &s->links; *at; at = &(*at)->next)
		if ((*at)->session == session) {
			struct link *gone = *at;
			*at = gone->next;
			empty_link(gone);
			free(gone);
			return;
		}
}

/* ---- What peers say ---- */

void spread_on_standing(struct spread *s, uint32_t session, const struct trust_standing *st, int64_t now_ns)
{
	struct link *l = find_link(s, session);
	const uint64_t mine = digest_of(s, st->org);
	const bool mutual = l && is_shared(s, l, st->org);

	if (!l || mine == 0 || !gets_bundle(s, l, st->org))
		return;
	struct about *a = need_about(l, st->org);
	if (!a)
		return;
	const bool told = a->told && a->mine == mine;
	if (a->theirs != st->digest)
		a->tries = 0;
	a->heard = true;
	a->theirs = st->digest;
	a->told = false;
	a->look_ns = now_ns + ANSWER_NS;
	if (st->digest == mine) {
		a->tries = 0;
		if (mutual && a->mine != mine)
			tell(s, l, a, now_ns);
	} else if (st->digest == SPREAD_LACKS || ((!mutual || told) && mine != SPREAD_LACKS)) {
		give(s, l, a, now_ns);
	} else if (st->digest == 0 || mine == SPREAD_LACKS || !is_asked(s, st->org, st->digest, now_ns)) {
		tell(s, l, a, now_ns);
	} else {
		a->look_ns = now_ns + ASKED_NS;
	}
}

static void drop_transfer(struct link *l)
{
	buf_fini(&l->in.got);
	l->in = (struct transfer){0};
}

/* The next piece of what is coming, or the first of something new. */
static bool piece_fits(struct link *l, const struct trust_piece *p)
{
	struct transfer *in = &l->in;

	if (p->offset == 0) {
		drop_transfer(l);
		in->digest = p->digest;
		in->total = p->total;
		snprintf(in->org, sizeof in->org, "%s", p->org);
	}
	return in->total > 0 && in->total <= BUNDLE_FILE_MAX && strcmp(in->org, p->org) == 0 &&
	       in->digest == p->digest && in->total == p->total && in->got.len == p->offset &&
	       p->piece.len > 0 && p->piece.len <= FRAME_FILL && p->piece.len <= in->total - in->got.len;
}

/* Bundles that change nothing cost the checking of many signatures: a peer has so many of them. */
static bool may_take(struct spread *s, const struct link *l, struct about *a, int64_t now_ns)
{
	if (a->useless < SPREAD_TRIES_ALL)
		return true;
	if (a->deaf_ns == 0) {
		a->deaf_ns = now_ns + PAUSE_NS;
		s->port.alarm(s->port.ctx, l->session, "a peer keeps sending bundles that change nothing");
	}
	if (now_ns < a->deaf_ns)
		return false;
	a->useless = 0;
	a->deaf_ns = 0;
	return true;
}

/* A bundle is here whole: take what is new in it; if that is nothing, the peer lacks something or was
 * refused.
 */
static void take(struct spread *s, uint32_t session, struct transfer *in, int64_t now_ns)
{
	const struct bytes bundle = buf_bytes(&in->got);

	if (in->digest == digest_of(s, in->org))
		return;
	const int r = in->digest == org_digest(bundle) ? s->port.join(s->port.ctx, session, in->org, bundle)
						       : ERR_MALFORMED;
	struct link *l = find_link(s, session);
	struct about *a = l ? need_about(l, in->org) : NULL;
	if (a) {
		a->heard = true;
		a->theirs = in->digest;
		a->useless += r != 0;
		count_anew(a, digest_of(s, in->org));
	}
	if (r == 0)
		s->port.changed(s->port.ctx);
	else if (a && gets_bundle(s, l, in->org))
		give(s, l, a, now_ns);
}

void spread_on_piece(struct spread *s, uint32_t session, const struct trust_piece *p, int64_t now_ns)
{
	struct link *l = find_link(s, session);
	const uint64_t mine = digest_of(s, p->org);

	if (!l || mine == 0 || !hears_standing(s, l, p->org))
		return;
	struct about *a = need_about(l, p->org);
	if (!a)
		return;
	count_anew(a, mine);
	if (!may_take(s, l, a, now_ns) || !piece_fits(l, p)) {
		drop_transfer(l);
		return;
	}
	buf_put(&l->in.got, p->piece);
	if (l->in.got.failed || l->in.got.len < l->in.total) {
		if (l->in.got.failed)
			drop_transfer(l);
		return;
	}
	struct transfer whole = l->in; /* the link may end while it is taken */
	l->in = (struct transfer){0};
	take(s, session, &whole, now_ns);
	buf_fini(&whole.got);
}

/* ---- What happens here ---- */

void spread_changed(struct spread *s, int64_t now_ns)
{
	for (struct link *l = next_link(s, 0); l;) {
		const uint32_t session = l->session;
		struct about *a = l->own ? NULL : find_about(l, s->own);
		if (a && a->heard && a->theirs != digest_of(s, s->own) && a->tried != digest_of(s, s->own))
			give(s, l, a, now_ns);
		tell_all(s, session, now_ns);
		l = next_link(s, session);
	}
}

/* No agreement in good time: whatever got lost is said again. */
static void look_after(struct spread *s, struct link *l, struct about *a, int64_t now_ns)
{
	const uint64_t mine = digest_of(s, a->org);

	if (!a->heard || mine == 0 || a->theirs == mine || now_ns < a->look_ns || !gets_bundle(s, l, a->org))
		return;
	count_anew(a, mine);
	if (!is_shared(s, l, a->org))
		give(s, l, a, now_ns);
	else if (may_try(s, l, a, now_ns))
		tell(s, l, a, now_ns);
}

void spread_tick(struct spread *s, int64_t now_ns)
{
	for (struct link *l = next_link(s, 0); l;) {
		const uint32_t session = l->session;
		for (size_t i = 0; (l = find_link(s, session)) && i < l->n_abouts; i++)
			look_after(s, l, &l->abouts[i], now_ns);
		l = next_link(s, session);
	}
}

size_t spread_waiting(const struct spread *s, uint32_t session)
{
	const struct link *l = find_link(s, session);

	return l ? l->in.got.len : 0;
}

int spread_new(struct spread **ret, const char *own_org, const struct spread_port *port)
{
	struct spread *s = calloc(1, sizeof *s);

	if (!s)
		return FAIL(-ENOMEM);
	s->port = *port;
	snprintf(s->own, sizeof s->own, "%s", own_org);
	*ret = s;
	return 0;
}

void spread_free(struct spread *s)
{
	while (s && s->links)
		spread_on_down(s, s->links->session);
	free(s);
}
