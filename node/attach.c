/* SPDX-License-Identifier: Apache-2.0 */
/* Attach - programs that stand for assets (`holon adapter run`): orders go out to them over their request
 * CONTROL_ATTACH, what became of them comes back by CONTROL_ATTACHED. Their samples are those of any client
 * (CONTROL_INGEST).
 *
 * An attached program lives as long as it is renewed: by the same request, over the same connection. The same
 * name over another one ends it, so that a program whose connection broke can be there again at once. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "node/adapter.h"
#include "node/control.h"
#include "node/writer.h"
#include "proto/clock.h"
#include "proto/id.h"

enum { LEASE_MIN_S = 1, LEASE_S = 15, LEASE_MAX_S = 300, SIGN_OF_LIFE = 1 };

struct attached {
	struct adapter *adapter; /* forgotten by adapters.c when it ends */
	struct call *call;       /* the request as it was renewed last; its parts go out under `id` */
	uint64_t id;
	char prefix[TWIN_ID_MAX + 1]; /* "": takes no orders */
	uv_timer_t lease;
	uint64_t told[N_ADAPTER_COUNTERS];
	bool waiting; /* the program itself is not there at the moment */
	bool ending;
};

/* ---- Its end ---------------------------------------------------------------------------------------------
 */

static void on_closed(uv_handle_t *timer)
{
	free(timer->data);
}

/* `why` NULL: there is nobody to be told. */
static void end(struct attached *at, int code, const struct err_note *why)
{
	struct call *c = at->call;

	if (at->ending)
		return;
	at->ending = true;
	at->call = NULL;
	if (why)
		call_fail(c, code, why);
	else
		call_drop(c);
	adapter_closed(MOVE(at->adapter));
	uv_close((uv_handle_t *)&at->lease, on_closed);
}

static void on_lease_over(uv_timer_t *timer)
{
	end(timer->data, 0, NULL);
}

static void close_attached(void *self)
{
	end(self, ERR_UNREACHABLE, &(struct err_note){"the node is stopping"});
}

/* ---- Orders ----------------------------------------------------------------------------------------------
 */

static int order_attached(void *self, const struct order *order, struct err_note *note)
{
	struct attached *at = self;
	struct order copy = *order;

	if (at->prefix[0] == '\0' || !id_is_within(order->twin, at->prefix))
		return ERR_ABSENT;
	if (at->ending || at->waiting)
		return err_say(note, ERR_UNREACHABLE, "the program %s does not run at the moment",
			       adapter_name(at->adapter));
	if (call_try_part(at->call, &(struct control_answer){.orders = &copy, .n_orders = 1}))
		return 0;
	ignore(err_say(note, 0, "the program %s does not take orders at the moment",
		       adapter_name(at->adapter))); /* words only */
	end(at, 0, NULL); /* it is gone, or so far behind that it has to begin anew */
	return ERR_UNREACHABLE;
}

static const struct adapter_kind program = {
	.name = "program", .close = close_attached, .order = order_attached};

/* ---- What it says of itself ------------------------------------------------------------------------------
 */

static void count_up_to(struct attached *at, enum adapter_counter counter, uint64_t value)
{
	if (value > at->told[counter])
		adapter_count(at->adapter, counter, value - at->told[counter]);
	at->told[counter] = value;
}

static void take_counter(struct attached *at, const char *name, size_t len, uint64_t value)
{
	static const char *const names[] = {
#define X(name, text) text,
		ADAPTER_COUNTERS(X)
#undef X
	};

	for (size_t i = 0; i < N_ADAPTER_COUNTERS; i++)
		if (strlen(names[i]) == len && memcmp(names[i], name, len) == 0)
			count_up_to(at, (enum adapter_counter)i, value);
}

/* `waiting` or `running`, then NAME=NUMBER; other words are a later release's. */
static void take_text(struct attached *at, const char *text)
{
	bool waiting = false;

	for (const char *word = text; *word; word += strspn(word, " ")) {
		const size_t len = strcspn(word, " "), name = strcspn(word, "= ");
		if (len == strlen("waiting") && memcmp(word, "waiting", len) == 0)
			waiting = true;
		else if (name < len)
			take_counter(at, word, name, strtoull(word + name + 1, NULL, 10));
		word += len;
	}
	at->waiting = waiting;
	adapter_is(at->adapter, waiting ? ADAPTER_WAITING : ADAPTER_CONNECTED,
		   waiting ? "the program ended and is started again" : NULL);
}

/* ---- Beginning, renewing ---------------------------------------------------------------------------------
 */

static int check(const struct control_request *r, struct err_note *note)
{
	TRY(id_check_segment(r->name, "adapter", NODE_NAME_MAX, note));
	if (r->prefix[0] && !id_is_segment(bytes_of_text(r->prefix), ORG_NAME_MAX))
		TRY(id_check_twin(r->prefix, note));
	return 0;
}

/* It takes the place of the request before. */
static void adopt(struct attached *at, struct call *c)
{
	const uint32_t wanted_s = c->request.limit;
	const uint32_t lease_s = wanted_s == 0            ? LEASE_S
				 : wanted_s < LEASE_MIN_S ? LEASE_MIN_S
				 : wanted_s > LEASE_MAX_S ? LEASE_MAX_S
							  : wanted_s;

	if (at->call)
		call_drop(at->call);
	at->call = c;
	c->request.id = at->id;
	uv_timer_start(&at->lease, on_lease_over, (uint64_t)lease_s * 1000, 0);
	snprintf(at->prefix, sizeof at->prefix, "%s", c->request.prefix);
	take_text(at, c->request.text);
	if (!call_try_part(c, &(struct control_answer){.watch = {.number = SIGN_OF_LIFE}}))
		end(at, 0, NULL);
}

static int begin(struct call *c, struct err_note *note)
{
	struct attached *at = calloc(1, sizeof *at);

	if (!at)
		return FAIL(-ENOMEM);
	const int r = adapters_attach(c->e->adapters, c->request.name, &program, at, &at->adapter, note);
	if (r < 0) {
		free(at);
		return r;
	}
	at->id = c->request.id;
	uv_timer_init(&c->e->loop, &at->lease);
	at->lease.data = at;
	adopt(at, c);
	return 0;
}

int control_attach(struct call *c, struct err_note *note)
{
	TRY(check(&c->request, note));
	struct attached *at = adapters_attached(c->e->adapters, c->request.name);
	if (at && !at->ending && call_is_from(c, at->call)) {
		adopt(at, c);
		return 0;
	}
	if (at)
		end(at, ERR_REFUSED, &(struct err_note){"another program is attached by this name now"});
	return begin(c, note);
}

/* Words that were handed on: they are acknowledged when the records they changed are durable. */
struct handed {
	struct call *call;
	unsigned int rounds; /* commits to wait for: a word may bring about two steps, one written after the
				other */
};

static int await_commit(struct handed *h);

static void on_commit(void *ctx, const struct write_result *result)
{
	struct handed *h = ctx;
	struct call *c = h->call;

	h->rounds--;
	int r = result->code;
	if (r == 0 && h->rounds > 0) {
		r = await_commit(h);
		if (r == 0)
			return;
	}
	if (r == 0)
		call_done(c, &(struct control_answer){.n_changed = c->request.n_words});
	else /* said again */
		call_fail(c, ERR_UNREACHABLE, &(struct err_note){"not durable yet"});
}

static int await_commit(struct handed *h)
{
	return writer_submit(h->call->e->writer, &(struct write_request){.arena = h->call->arena,
									 .arena_is_lent = true,
									 .done = on_commit,
									 .ctx = h});
}

int control_attached(struct call *c, struct err_note *note)
{
	const struct control_request *r = &c->request;
	struct attached *at = adapters_attached(c->e->adapters, r->name);

	if (!at || at->ending || !call_is_from(c, at->call))
		return FAIL_SAY(note, ERR_ABSENT, "this connection has no program attached as '%.63s'",
				r->name);
	struct handed *h = arena_take(c->arena, sizeof *h);
	if (!h)
		return FAIL(-ENOMEM);
	*h = (struct handed){c, 2};
	for (size_t i = 0; i < r->n_words; i++)
		adapter_word(at->adapter, &r->words[i]);
	return await_commit(h) < 0 ? FAIL_SAY(note, ERR_UNREACHABLE, "not durable yet") : 0;
}
