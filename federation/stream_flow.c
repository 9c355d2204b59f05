/* SPDX-License-Identifier: Apache-2.0 */
/* How much may be under way. A pull that ended before the head is followed by the next one, behind the last
 * row that came, while rows are still on their way to disk: the cursor that is held is behind them all the
 * time, so whatever fails, the stream looks again from there.
 *
 * Of one session no more than window_bytes is asked for or not yet durable. What is asked for at a time is
 * what the link carries in LINK_NS, so that on a slow one a stream with little to tell waits for a few frames
 * of another, not for its window; and streams take turns.
 */
#include "federation/mesh_state.h"

#include "proto/limits.h"

enum { CREDIT_LEAST = 2, PULLS_AT_ONCE = 3 };

#define LINK_NS (200 * NS_PER_MS)

static size_t asked_frames(const struct mesh *m, const struct session *s)
{
	size_t n = 0;

	for (size_t i = 0; i < m->n_streams; i++) {
		const struct stream *st = m->streams[i];
		if (st->phase == STREAM_PULLING && st->session == s->id)
			n += st->credit - st->index;
		if (st->phase == STREAM_REPAIRING && st->session == s->id)
			n++;
	}
	return n;
}

static size_t storing_bytes(const struct mesh *m, const struct session *s)
{
	size_t sum = 0;

	for (size_t i = 0; i < m->n_pending; i++)
		sum += m->pending[i].session == s->id ? m->pending[i].bytes : 0;
	return sum;
}

size_t flow_bytes(const struct mesh *m, const struct session *s)
{
	return asked_frames(m, s) * FRAME_FILL + storing_bytes(m, s);
}

static uint32_t least(size_t a, size_t b)
{
	return (uint32_t)(a < b ? a : b);
}

/* A few frames are not worth a question while others are under way: room for more comes with them. */
uint32_t flow_credit(const struct mesh *m, const struct session *s)
{
	const size_t asked = asked_frames(m, s), bytes = flow_bytes(m, s), window = m->opt.window_bytes;
	const uint32_t most = s->credit > 0 ? s->credit : PULL_CREDIT;

	if (asked >= PULLS_AT_ONCE * (size_t)most || bytes >= window)
		return 0;
	const uint32_t n =
		least(least((window - bytes) / FRAME_FILL, most), PULLS_AT_ONCE * (size_t)most - asked);
	return bytes > 0 && n < most / 2 ? 0 : n;
}

void flow_begin(struct mesh *m, struct stream *st, const struct session *s, uint32_t credit)
{
	st->flowing = false;
	st->credit = credit;
	st->index = 0;
	const size_t bytes = flow_bytes(m, s);
	m->stats.window_peak = bytes > m->stats.window_peak ? bytes : m->stats.window_peak;
}

/* From the first frame to the last one is what the link takes, however far it goes. */
static void measure(const struct mesh *m, const struct stream *st, struct session *s)
{
	const int64_t took_ns = m->now_ns - st->first_ns;

	if (st->index < 2)
		return;
	const int64_t frames = took_ns > 0 ? LINK_NS * (st->index - 1) / took_ns : PULL_CREDIT;
	s->credit = frames < CREDIT_LEAST ? CREDIT_LEAST : least((size_t)frames, PULL_CREDIT);
}

int flow_took(struct mesh *m, struct stream *st, struct session *s, const struct rows *rows)
{
	if (st->index++ == 0)
		st->first_ns = m->now_ns;
	m->room = true;
	st->at_head = rows->at_head;
	if (!rows->at_head && st->index < st->credit)
		return 0;
	measure(m, st, s);
	st->phase = rows->at_head ? STREAM_STORING : STREAM_IDLE;
	st->flowing = !rows->at_head;
	st->look_ns = st->flowing ? m->now_ns : st->look_ns;
	return st->flowing ? mesh_keep(rows->cursor, &st->tail) : 0;
}

void flow_wait(const struct mesh *m, struct stream *st)
{
	st->waits = true;
	st->look_ns = m->now_ns;
}

void flow_wake(struct mesh *m)
{
	for (size_t i = 0; m->room && i < m->n_streams; i++)
		m->streams[i]->waits = false;
	m->room = false;
}

size_t mesh_session_window(const struct mesh *m, uint32_t session)
{
	const struct session *s = session_find(m, session);

	return s ? flow_bytes(m, s) : 0;
}
