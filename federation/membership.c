/* SPDX-License-Identifier: Apache-2.0 */
#include "federation/membership.h"

#include <string.h>

#include "proto/hash.h"

uint64_t membership_rank(const struct curve_key *border, const char *org)
{
	return hash64("border-rank", (struct bytes){border->b, KEY_BYTES}, bytes_of_text(org));
}

static bool is_due(int64_t at_ns, int64_t now_ns, int64_t *deadline_ns)
{
	if (now_ns >= at_ns)
		return true;
	*deadline_ns = at_ns < *deadline_ns ? at_ns : *deadline_ns;
	return false;
}

static void look(struct member_sight *s, bool up, int64_t now_ns, int64_t *deadline_ns)
{
	if (!s->known || s->up != up)
		*s = (struct member_sight){.known = true, .up = up, .since_ns = now_ns, .gone = s->gone};
	if (s->gone == up &&
	    is_due(s->since_ns + (up ? MEMBER_BACK_NS : MEMBER_GONE_NS), now_ns, deadline_ns))
		s->gone = !up;
}

/* ---- A pair ---- */

static void look_at(struct member *m, int64_t now_ns, int64_t *deadline_ns)
{
	const bool up = m->dialled || m->accepted, both = m->dialled && m->accepted;

	if (both && !m->both)
		m->both_ns = now_ns;
	m->both = both;
	if (up || m->wanted)
		look(&m->sight, up, now_ns, deadline_ns);
	else
		m->sight.up = false; /* nobody tries: that it is not there says nothing */
}

static bool goes_first(const struct member_self *self, const struct member *m)
{
	return !self->dialable || memcmp(self->key.b, m->key.b, KEY_BYTES) < 0;
}

static bool should_dial(const struct member_self *self, const struct member *m, int64_t now_ns,
			int64_t *deadline_ns)
{
	if (!m->wanted || !m->counts || !m->dialable)
		return false;
	if (!m->both && (m->dialled || m->accepted))
		return m->dialled;
	if (goes_first(self, m))
		return m->both || !m->learnt || is_due(m->wanted_ns + MEMBER_LEARNT_NS, now_ns, deadline_ns);
	if (m->both)
		return !is_due(m->both_ns + MEMBER_DOUBLE_NS, now_ns, deadline_ns);
	return m->eager || is_due(m->sight.since_ns + MEMBER_SECOND_NS, now_ns, deadline_ns);
}

static void decide(const struct member_self *self, struct member *m, bool wanted, int64_t now_ns,
		   int64_t *deadline_ns)
{
	if (wanted && !m->wanted && !m->sight.up)
		m->sight.since_ns = now_ns;
	if (wanted && !m->wanted)
		m->wanted_ns = now_ns;
	m->wanted = wanted;
	if (wanted && !m->sight.up)
		look(&m->sight, false, now_ns, deadline_ns);
	m->dial = should_dial(self, m, now_ns, deadline_ns);
}

void membership_inside(const struct member_self *self, struct member *peers, size_t n, int64_t now_ns,
		       int64_t *deadline_ns)
{
	size_t n_up = 0, n_eager = 0;

	for (size_t i = 0; i < n; i++) {
		look_at(&peers[i], now_ns, deadline_ns);
		n_up += peers[i].sight.up;
	}
	for (size_t i = 0; i < n; i++) {
		struct member *m = &peers[i];
		m->eager = !m->sight.up && (m->eager || (n_up == 0 && n_eager < MEMBER_EAGER));
		n_eager += m->eager && m->counts && m->dialable;
		decide(self, m, true, now_ns, deadline_ns);
	}
}

/* ---- Borders ---- */

static bool speaks(const struct member_self *self, const struct member_partner *p)
{
	const uint64_t mine = membership_rank(&self->key, p->org);
	size_t before = 0;

	for (size_t i = 0; i < p->n_fellows; i++)
		before += p->fellows[i].counts && !p->fellows[i].sight.gone &&
			  membership_rank(&p->fellows[i].key, p->org) < mine;
	return before < MEMBER_BORDERS;
}

/* The best one behind a rank; NULL: none. */
static struct member *next_border(const struct member_self *self, const struct member_partner *p,
				  const struct member *after)
{
	const uint64_t last = after ? membership_rank(&after->key, self->org) : 0;
	struct member *next = NULL;
	uint64_t best = UINT64_MAX;

	for (size_t i = 0; i < p->n_borders; i++) {
		const uint64_t rank = membership_rank(&p->borders[i].key, self->org);
		if (p->borders[i].counts && rank < best && (!after || rank > last)) {
			best = rank;
			next = &p->borders[i];
		}
	}
	return next;
}

void membership_across(const struct member_self *self, const struct member_partner *p, int64_t now_ns,
		       int64_t *deadline_ns)
{
	size_t chosen = 0;

	for (size_t i = 0; i < p->n_fellows; i++)
		look(&p->fellows[i].sight, p->fellows[i].reaches, now_ns, deadline_ns);
	for (size_t i = 0; i < p->n_borders; i++) {
		look_at(&p->borders[i], now_ns, deadline_ns);
		if (!p->borders[i].counts)
			decide(self, &p->borders[i], false, now_ns, deadline_ns);
	}
	const bool mine = speaks(self, p);
	for (struct member *m = next_border(self, p, NULL); m; m = next_border(self, p, m)) {
		decide(self, m, mine && chosen < MEMBER_BORDERS, now_ns, deadline_ns);
		chosen += !m->sight.gone;
	}
}
