/* SPDX-License-Identifier: Apache-2.0 */
#include "node/watch_kept.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "proto/buf.h"
#include "proto/message.h"

struct kept {
	struct kept *next;
	struct watch_mark mark;
	uint64_t round;    /* in which it was used last */
	int64_t asked_ns;  /* monotonic, at most: when it came */
	struct buf frames; /* each behind its length */
	size_t n;
};

struct watch_kept {
	struct engine *engine;
	struct kept *list;
	size_t n, bytes;
	uint64_t round, era;
};

int watch_kept_new(struct watch_kept **ret, struct engine *e)
{
	struct watch_kept *k = calloc(1, sizeof *k);

	if (!k)
		return FAIL(-ENOMEM);
	k->engine = e;
	*ret = k;
	return 0;
}

static void drop(struct watch_kept *k, struct kept **at)
{
	struct kept *gone = *at;

	*at = gone->next;
	k->n--;
	k->bytes -= gone->frames.len;
	buf_fini(&gone->frames);
	free(gone);
}

void watch_kept_clear(struct watch_kept *k)
{
	k->era++;
	while (k->list)
		drop(k, &k->list);
}

void watch_kept_free(struct watch_kept *k)
{
	if (!k)
		return;
	watch_kept_clear(k);
	free(k);
}

void watch_kept_round(struct watch_kept *k)
{
	for (struct kept **at = &k->list; *at;)
		if ((*at)->round < k->round)
			drop(k, at);
		else
			at = &(*at)->next;
	k->round++;
}

/* ---- What is held ----------------------------------------------------------------------------------------
 */

static void put_origin(struct buf *b, const struct origin *o)
{
	buf_put_text(b, o->name);
	buf_put(b, o->cursor);
	buf_put(b, (struct bytes){o->fingerprint.sum.b, sizeof o->fingerprint.sum.b});
	buf_put_u64(b, o->fingerprint.count);
	buf_put_u64(b, (uint64_t)o->stamp_ns);
}

/* Of a node of ours what it owns; of a partner, whose border speaks for all of its nodes, everything, and its
 * policy. */
static int digest_held(const struct watch_kept *k, const struct session *s, uint64_t *ret)
{
	const struct engine *e = k->engine;
	const struct partner *partner = trust_org(e->trust, s->org);
	SCOPED(buf_fini) struct buf b = {0};
	char prefix[ORG_NAME_MAX + NODE_NAME_MAX + 2];

	snprintf(prefix, sizeof prefix, "%s/%s", s->org, s->own ? s->node : "");
	const size_t len = strlen(prefix);
	const struct origin *o = store_origin(e->store, prefix);
	if (o)
		put_origin(&b, o);
	for (o = store_origin_next(e->store, prefix); o && !s->own && strncmp(o->name, prefix, len) == 0;
	     o = store_origin_next(e->store, o->name))
		put_origin(&b, o);
	buf_put_u64(&b, partner ? partner->epoch_seen : 0);
	TRY(buf_check(&b));
	*ret = hash64("held", buf_bytes(&b), (struct bytes){0});
	return 0;
}

/* What the owner is asked: not by when, nor what only this node looks at. */
static int digest_question(const struct session *s, const struct view_question *q, struct hash128 *ret)
{
	struct message m = {
		.kind = MESSAGE_QUESTION,
		.question = {.kind = QUESTION_VIEW, .view = *q, .asker = "", .twin = "", .property = ""}};
	SCOPED(buf_fini) struct buf b = {0}, peer = {0};

	m.question.view.offline = false;
	m.question.view.fresh_ns = m.question.view.deadline_ns = 0;
	message_encode(&m, &b);
	buf_print(&peer, "%s/%s", s->org, s->own ? s->node : "");
	TRY(buf_check(&b));
	TRY(buf_check(&peer));
	*ret = hash128("kept", buf_bytes(&b), buf_bytes(&peer));
	return 0;
}

int watch_kept_mark(const struct watch_kept *k, const struct session *s, const struct view_question *q,
		    struct watch_mark *ret)
{
	ret->era = k->era;
	TRY(digest_held(k, s, &ret->held));
	return digest_question(s, q, &ret->question);
}

/* ---- Answers ---------------------------------------------------------------------------------------------
 */

static struct kept **place_of(struct watch_kept *k, const struct watch_mark *mark)
{
	struct kept **at = &k->list;

	while (*at && memcmp(&(*at)->mark.question, &mark->question, sizeof mark->question) != 0)
		at = &(*at)->next;
	return at;
}

/* It was live when it came; since then its owner has vouched for what it publishes. */
static void tell_ages(const struct watch_kept *k, const struct kept *e, struct view_part *part)
{
	char origin[ORG_NAME_MAX + NODE_NAME_MAX + 2];
	const int64_t since_ns = engine_mono_ns() - e->asked_ns;

	for (size_t i = 0; i < part->n_sources; i++) {
		struct view_source *s = &part->sources[i];
		snprintf(origin, sizeof origin, "%s/%s", s->org, s->node);
		const int64_t age_ns = gossip_age(k->engine->gossip, origin);
		if (s->state == MEMBER_LIVE)
			s->age_ns = age_ns < since_ns ? age_ns : since_ns;
		else if (s->age_ns < INT64_MAX - since_ns)
			s->age_ns += since_ns;
	}
}

static int decode(const struct watch_kept *k, const struct kept *e, struct arena *a, struct answer *ret)
{
	size_t at = 0;

	for (size_t i = 0; i < e->n; i++) {
		const size_t len = get_u32(e->frames.data + at);
		struct message m;
		TRY(message_decode(a, (struct bytes){e->frames.data + at + 4, len}, &m));
		ret[i] = m.answer;
		tell_ages(k, e, &ret[i].view);
		at += 4 + len;
	}
	return 0;
}

int watch_kept_find(struct watch_kept *k, const struct watch_mark *mark, struct arena *a, struct answer **ret,
		    size_t *ret_n)
{
	struct kept *e = *place_of(k, mark);

	if (!e || e->mark.held != mark->held)
		return 0;
	*ret = arena_take_array(a, e->n, sizeof **ret);
	if (!*ret)
		return FAIL(-ENOMEM);
	TRY(decode(k, e, a, *ret));
	*ret_n = e->n;
	e->round = k->round;
	return 1;
}

static int encode(const struct answer *parts, size_t n, struct buf *out)
{
	SCOPED(buf_fini) struct buf one = {0};

	for (size_t i = 0; i < n; i++) {
		const struct message m = {.kind = MESSAGE_ANSWER, .nonce = 1, .frame = 1, .answer = parts[i]};
		buf_clear(&one);
		message_encode(&m, &one);
		TRY(buf_check(&one));
		buf_put_u32(out, (uint32_t)one.len);
		buf_put(out, buf_bytes(&one));
	}
	return buf_check(out);
}

static void add(struct watch_kept *k, const struct watch_mark *mark, struct buf *frames, size_t n)
{
	struct kept *e = calloc(1, sizeof *e);

	if (!e)
		return; /* it is asked again */
	*e = (struct kept){.next = k->list,
			   .mark = *mark,
			   .round = k->round,
			   .asked_ns = engine_mono_ns(),
			   .frames = *frames,
			   .n = n};
	*frames = (struct buf){0};
	k->list = e;
	k->n++;
	k->bytes += e->frames.len;
}

void watch_kept_put(struct watch_kept *k, const struct watch_mark *mark, const struct answer *parts, size_t n)
{
	SCOPED(buf_fini) struct buf frames = {0};
	struct kept **before = place_of(k, mark);

	if (*before)
		drop(k, before);
	if (mark->era != k->era || n == 0 || encode(parts, n, &frames) < 0)
		return;
	if (k->n < WATCH_KEPT_MAX && k->bytes + frames.len <= WATCH_KEPT_BYTES_MAX)
		add(k, mark, &frames, n);
}
