/* SPDX-License-Identifier: Apache-2.0 */
#include "node/asks.h"

#include <sodium.h>

#include "node/gossip.h"
#include "node/question_frames.h"
#include "proto/clock.h"

enum { ANSWER_BYTES_MAX = 64 << 20 };

struct ask {
	struct ask *next;
	uint64_t id;
	uint32_t session;
	int64_t deadline_ns; /* monotonic */
	ask_fn *done;
	void *ctx;
	struct arena *arena; /* copies of the parts */
	struct answer *parts;
	size_t n;
};

struct asks {
	struct engine *engine;
	struct ask *list;
	uv_timer_t timer;
	void (*on_stopped)(struct engine *e);
};

static void arm(struct asks *a);

int asks_start(struct asks **ret, struct engine *e)
{
	struct asks *a = calloc(1, sizeof *a);

	if (!a)
		return FAIL(-ENOMEM);
	a->engine = e;
	uv_timer_init(&e->loop, &a->timer);
	a->timer.data = a;
	*ret = a;
	return 0;
}

void asks_free(struct asks *a)
{
	free(a);
}

/* Out of the list, if it was put to this session. */
static struct ask *take(struct asks *a, uint64_t id, uint32_t session)
{
	for (struct ask **at = &a->list; *at; at = &(*at)->next)
		if ((*at)->id == id && (*at)->session == session) {
			struct ask *found = *at;
			*at = found->next;
			return found;
		}
	return NULL;
}

static void ask_free(struct ask *ask)
{
	arena_free(ask->arena);
	free(ask);
}

static void finish(struct ask *ask, int code, const char *text)
{
	ask->done(ask->ctx, code, text, ask->parts, code < 0 ? 0 : ask->n);
	ask_free(ask);
}

static void on_timer(uv_timer_t *timer)
{
	struct asks *a = timer->data;
	const int64_t now_ns = engine_mono_ns();
	struct ask *late = NULL;

	for (struct ask **at = &a->list; *at;) {
		struct ask *ask = *at;
		if (ask->deadline_ns > now_ns) {
			at = &ask->next;
			continue;
		}
		*at = ask->next;
		ask->next = late;
		late = ask;
	}
	while (late) {
		struct ask *ask = late;
		late = ask->next;
		finish(ask, ERR_UNREACHABLE, "no answer in time");
	}
	arm(a);
}

static void arm(struct asks *a)
{
	int64_t earliest = INT64_MAX;

	for (const struct ask *ask = a->list; ask; ask = ask->next)
		earliest = ask->deadline_ns < earliest ? ask->deadline_ns : earliest;
	if (earliest == INT64_MAX || a->on_stopped)
		return;
	const int64_t wait_ns = earliest - engine_mono_ns();
	uv_timer_start(&a->timer, on_timer, wait_ns > 0 ? (uint64_t)(wait_ns / NS_PER_MS) + 1 : 0, 0);
}

/* A view with many roots goes in several frames. */
static int say_question(struct gossip *g, uint32_t session, const struct question *q)
{
	struct message m = {.kind = MESSAGE_QUESTION, .question = *q};
	size_t room = SIZE_MAX, from = 0, n = 0;

	if (q->kind != QUESTION_VIEW)
		return gossip_say(g, session, &m);
	do {
		TRY(question_frame(q, from, &room, &n));
		m.question.view.roots = q->view.roots + from;
		m.question.view.n_roots = n;
		from += n;
		m.question.unfinished = from < q->view.n_roots;
		TRY(gossip_say(g, session, &m));
		m.question.index++;
	} while (from < q->view.n_roots);
	return 0;
}

int asks_send(struct asks *a, uint32_t session, const struct question *question, int64_t timeout_ns,
	      ask_fn *done, void *ctx, uint64_t *ret_id)
{
	struct question q = *question;
	struct ask *ask = calloc(1, sizeof *ask);

	if (!ask)
		return FAIL(-ENOMEM);
	*ask = (struct ask){
		.session = session, .deadline_ns = engine_mono_ns() + timeout_ns, .done = done, .ctx = ctx};
	randombytes_buf(&ask->id, sizeof ask->id); /* a count would tell each how much is asked of others */
	q.id = ask->id;
	q.timeout_ns = timeout_ns;
	int r = arena_new(&ask->arena, ANSWER_BYTES_MAX);
	if (r == 0)
		r = say_question(a->engine->gossip, session, &q);
	if (r < 0) {
		ask_free(ask);
		return r;
	}
	ask->next = a->list;
	a->list = ask;
	*ret_id = ask->id;
	arm(a);
	return 0;
}

/* Encoded and decoded again into the ask's own arena: the one deep copy there is. */
static int keep(struct ask *ask, const struct answer *answer)
{
	const struct message m = {.kind = MESSAGE_ANSWER, .nonce = 1, .frame = 1, .answer = *answer};
	SCOPED(buf_fini) struct buf bytes = {0};
	struct message copy;

	message_encode(&m, &bytes);
	TRY(buf_check(&bytes));
	TRY(message_decode(ask->arena, buf_bytes(&bytes), &copy));
	struct answer *part = arena_push(ask->arena, &ask->parts, &ask->n, sizeof *part);
	if (!part)
		return FAIL(-ENOMEM);
	*part = copy.answer;
	return 0;
}

void asks_on_answer(struct asks *a, uint32_t session, const struct answer *answer)
{
	struct ask *ask = take(a, answer->id, session);

	if (!ask)
		return; /* too late, or not the one that was asked */
	if (answer->index != ask->n || keep(ask, answer) < 0) {
		finish(ask, ERR_UNREACHABLE, "the answer was not usable");
		return;
	}
	if (answer->code < 0) {
		finish(ask, answer->code, ask->parts[ask->n - 1].text);
		return;
	}
	if (answer->last) {
		finish(ask, 0, "");
		return;
	}
	ask->next = a->list;
	a->list = ask;
}

void asks_on_down(struct asks *a, uint32_t session)
{
	struct ask *lost = NULL;

	for (struct ask **at = &a->list; *at;) {
		struct ask *ask = *at;
		if (ask->session != session) {
			at = &ask->next;
			continue;
		}
		*at = ask->next;
		ask->next = lost;
		lost = ask;
	}
	while (lost) {
		struct ask *ask = lost;
		lost = ask->next;
		finish(ask, ERR_UNREACHABLE, "the connection broke");
	}
}

static void on_closed(uv_handle_t *h)
{
	struct asks *a = h->data;

	a->on_stopped(a->engine);
}

void asks_stop(struct asks *a, void (*done)(struct engine *e))
{
	while (a->list) {
		struct ask *ask = a->list;
		a->list = ask->next;
		finish(ask, ERR_UNREACHABLE, "the node is stopping");
	}
	a->on_stopped = done;
	uv_close((uv_handle_t *)&a->timer, on_closed);
}
