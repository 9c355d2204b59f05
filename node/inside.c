/* SPDX-License-Identifier: Apache-2.0 */
#include "node/inside.h"

#include "node/agreement.h"
#include "node/ending.h"
#include "node/fresh.h"
#include "node/gossip.h"
#include "node/log.h"
#include "node/record.h"
#include "proto/clock.h"

enum { WORD_BYTES = 64 * 1024, WORDS_BYTES = 1 << 20 };

static void tell_statement(void *ctx, const struct signed_blob *statement, uint32_t except)
{
	struct engine *e = ctx;
	const struct message m = {.kind = MESSAGE_FRESHNESS, .freshness = *statement};

	gossip_tell(e->gossip, &m, except);
}

int inside_start(struct engine *e)
{
	const struct fresh_options opt = {.trust = e->trust,
					  .every_ns = e->config->freshness_every_ms * NS_PER_MS,
					  .ttl_ns = e->config->freshness_ttl_ms * NS_PER_MS,
					  .tell = tell_statement,
					  .ctx = e};

	return fresh_new(&e->fresh, &opt);
}

static void say_failure(const char *what, int code)
{
	if (code < 0)
		engine_log_failure("trust", what, code, NULL);
}

void inside_tick(struct engine *e)
{
	say_failure("what is newest could not be said", fresh_tick(e->fresh, engine_mono_ns()));
}

/* So that also who joins later hears it from somebody who counts. */
static int renew_words(struct engine *e)
{
	SCOPED(scope_arena) struct arena *a = NULL;
	struct message m = {.kind = MESSAGE_AGREEMENT};
	const char *partner = "";
	int r;

	if (!(e->trust->self->roles & ROLE_ADMIN))
		return 0;
	TRY(arena_new(&a, WORDS_BYTES));
	while ((r = agreement_renew(e->trust, a, partner, &partner, &m.agreement, NULL)) == 0)
		gossip_tell(e->gossip, &m, 0);
	return r < 0 ? r : 0;
}

void inside_changed(struct engine *e)
{
	say_failure("what was agreed could not be said again", renew_words(e));
	say_failure("what is newest could not be said", fresh_changed(e->fresh, engine_mono_ns()));
}

/* ---- Agreements -----------------------------------------------------------------------------------------
 */

int inside_speak(struct engine *e, const char *partner, const struct public_key *root, bool ended,
		 struct err_note *note)
{
	SCOPED(scope_arena) struct arena *a = NULL;
	struct message m = {.kind = MESSAGE_AGREEMENT};

	TRY(arena_new(&a, WORD_BYTES));
	TRY(agreement_speak(e->trust, partner, root, ended, a, &m.agreement, note));
	gossip_tell(e->gossip, &m, 0);
	return 0;
}

static bool greet_with_words(struct engine *e, uint32_t session)
{
	SCOPED(scope_arena) struct arena *a = NULL;
	struct message m = {.kind = MESSAGE_AGREEMENT};
	const char *partner = "";

	if (arena_new(&a, WORDS_BYTES) < 0)
		return false;
	while (agreement_next(e->trust, a, partner, &partner, &m.agreement) == 0)
		if (gossip_say(e->gossip, session, &m) < 0)
			return false;
	return true;
}

/* The word counts from here on; what was held until now follows it. */
static int obey(struct engine *e, const struct agreement *x)
{
	if (x->ended)
		return endings_begin(e, x->partner, NULL, NULL);
	record_trust(e->journal, "agreed", x->partner, "");
	TRY(endings_undo(e, x->partner));
	trust_recompile(e->trust, trust_now(e->trust)); /* a policy may name it from now on */
	engine_trust_changed(e);
	return 0;
}

static int take_word(struct engine *e, uint32_t session, const struct message *m, struct err_note *note)
{
	SCOPED(scope_arena) struct arena *a = NULL;
	struct agreement x;

	TRY(arena_new(&a, WORD_BYTES));
	const int r = agreement_take(e->trust, a, &m->agreement, &x, note);
	TRY(r);
	if (r == AGREEMENT_OLD)
		return 0;
	gossip_tell(e->gossip, m, session);
	return obey(e, &x);
}

/* ---- Sessions -------------------------------------------------------------------------------------------
 */

void inside_greet(struct engine *e, uint32_t session)
{
	const struct signed_blob *s;

	if (!greet_with_words(e, session))
		return;
	for (size_t i = 0; (s = fresh_held(e->fresh, i)); i++) {
		const struct message m = {.kind = MESSAGE_FRESHNESS, .freshness = *s};
		if (gossip_say(e->gossip, session, &m) < 0)
			return; /* it is told again when it comes again */
	}
}

void inside_on_message(struct engine *e, uint32_t session, const struct message *m)
{
	struct err_note note = {0};
	const bool word = m->kind == MESSAGE_AGREEMENT;
	const int r =
		word ? take_word(e, session, m, &note) : fresh_take(e->fresh, session, &m->freshness, &note);

	if (r < 0)
		record_refused(e->journal, word ? AUDIT_TRUST : AUDIT_ADMIN, word ? "agreement" : "freshness",
			       r, &note);
}
