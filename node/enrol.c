/* SPDX-License-Identifier: Apache-2.0 */
#include "node/enrol.h"

#include "node/engine.h"
#include "node/invites.h"
#include "node/log.h"
#include "node/record.h"
#include "proto/hash.h"

enum { MINUTE_MS = 60000, ARENA_BYTES = JOIN_MAX * DECODE_BUDGET_FACTOR + 2 * JOIN_PIECE_MAX };

/* Questions of a key or of an address in the minute that is running. */
struct asker {
	struct hash128 who; /* a hash keeps addresses of any length, and tells nothing apart from another */
	unsigned asked;
};

struct enrol {
	struct engine *e;
	uint64_t minute;
	unsigned asked; /* by all in this minute */
	size_t n;
	struct asker askers[ENROL_KNOWN_MAX];
};

int enrol_start(struct enrol **ret, struct engine *e, struct err_note *note)
{
	const char *endpoint = e->config->enrol;

	if (!endpoint[0] || strcmp(endpoint, "none") == 0)
		return 0;
	if (!e->signer)
		return FAIL_SAY(
			note, ERR_REFUSED,
			"listen.enrol is set, but admin.organisation is not: without the organisation's "
			"directory nobody can be taken in");
	*ret = calloc(1, sizeof **ret);
	if (!*ret)
		return FAIL(-ENOMEM);
	(*ret)->e = e;
	return 0;
}

void enrol_free(struct enrol *x)
{
	free(x);
}

/* Full: whoever is new waits for the next minute. */
static bool count(struct enrol *x, const struct hash128 *who, unsigned most)
{
	size_t at = 0;

	while (at < x->n && memcmp(x->askers[at].who.b, who->b, sizeof who->b) != 0)
		at++;
	if (at == ENROL_KNOWN_MAX)
		return false;
	if (at == x->n)
		x->askers[x->n++] = (struct asker){.who = *who};
	return ++x->askers[at].asked <= most;
}

bool enrol_may_ask(struct enrol *x, const struct curve_key *key, const char *address, uint64_t now_ms)
{
	const struct hash128 by_key =
		hash128("holon/enrol", (struct bytes){key->b, sizeof key->b}, BYTES("k"));
	const struct hash128 by_address = hash128("holon/enrol", bytes_of_text(address), BYTES("a"));

	if (now_ms / MINUTE_MS != x->minute) {
		x->minute = now_ms / MINUTE_MS;
		x->asked = 0;
		x->n = 0;
	}
	/* The address first: it is the dearer one to have many of. What is dropped takes nothing from the
	 * others. */
	if (!count(x, &by_address, ENROL_ADDRESS_MINUTE) || !count(x, &by_key, ENROL_KEY_MINUTE) ||
	    x->asked >= ENROL_MINUTE)
		return false;
	x->asked++;
	return true;
}

static int judge(struct enrol *x, struct arena *a, const struct transport_stranger *who, struct bytes frame,
		 struct join_reply *ret, struct err_note *note)
{
	struct join_ask ask;

	if (join_ask_decode(a, frame, &ask) == 0)
		return invites_judge(x->e->invites, a, &ask, &who->key, ret, note);
	*ret = (struct join_reply){.state = JOIN_NO, .text = "only requests to join are taken here"};
	return FAIL_SAY(note, ERR_MALFORMED, "not a request to join");
}

static void reply(struct enrol *x, const struct transport_stranger *who, const struct join_reply *r)
{
	SCOPED(buf_fini) struct buf out = {0};

	join_reply_encode(r, &out);
	if (buf_check(&out) == 0)
		ignore(transport_answer(x->e->transport, who, buf_bytes(&out))); /* it asks again */
}

void enrol_take(void *enrol_ctx, const struct transport_stranger *who, struct bytes frame)
{
	struct enrol *x = enrol_ctx;
	SCOPED(scope_arena) struct arena *a = NULL;
	struct join_reply r = {.state = JOIN_NO, .text = ""};
	struct err_note note = {0};

	if (!enrol_may_ask(x, &who->key, who->address, uv_now(&x->e->loop))) {
		record_refused_of(x->e->journal, "", "", "question to join", -EAGAIN,
				  &(struct err_note){"too many in one minute"});
		return;
	}
	if (arena_new(&a, ARENA_BYTES) < 0)
		return;
	const int code = judge(x, a, who, frame, &r, &note);
	if (code == ERR_UNTRUSTED || code == ERR_MALFORMED)
		record_refused_of(x->e->journal, "", "", "question to join", code, &note);
	else if (code < 0) {
		engine_log_failure("enrol", "a machine that asks to join gets no answer", code, &note);
		return; /* it asks again */
	}
	reply(x, who, &r);
}
