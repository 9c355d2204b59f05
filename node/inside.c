/* SPDX-License-Identifier: Apache-2.0 */
#include "node/inside.h"

#include "node/fresh.h"
#include "node/gossip.h"
#include "node/log.h"
#include "node/record.h"
#include "proto/clock.h"

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

void inside_changed(struct engine *e)
{
	say_failure("what is newest could not be said", fresh_changed(e->fresh, engine_mono_ns()));
}

void inside_greet(struct engine *e, uint32_t session)
{
	const struct signed_blob *s;

	for (size_t i = 0; (s = fresh_held(e->fresh, i)); i++) {
		const struct message m = {.kind = MESSAGE_FRESHNESS, .freshness = *s};
		if (gossip_say(e->gossip, session, &m) < 0)
			return; /* it is told again when it comes again */
	}
}

void inside_on_message(struct engine *e, uint32_t session, const struct message *m)
{
	struct err_note note = {0};
	const int r = fresh_take(e->fresh, session, &m->freshness, &note);

	if (r < 0)
		record_refused(e->journal, AUDIT_ADMIN, "freshness", r, &note);
}
