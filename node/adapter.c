/* SPDX-License-Identifier: Apache-2.0 */
/* What an adapter of any kind finds here: its state, counters, dead letters, words and patience. */
#include <sodium.h>
#include <stdio.h>
#include <string.h>

#include "node/adapter_private.h"
#include "node/commands.h"
#include "node/log.h"
#include "node/settle.h"
#include "proto/clock.h"

enum { BACKOFF_FIRST_MS = 500, BACKOFF_MAX_MS = 30000, BACKOFF_WELL_MS = 60000 };

struct engine *adapter_engine(const struct adapter *a)
{
	return a->all->engine;
}

const char *adapter_name(const struct adapter *a)
{
	return a->name;
}

const char *adapter_path(const struct adapter *a, struct arena *arena, const char *name)
{
	return name[0] == '/' ? arena_copy(arena, name) : arena_print(arena, "%s/%s", a->all->dir, name);
}

const char *adapter_state_text(enum adapter_state state)
{
	static const char *const texts[N_ADAPTER_STATES] = {
		[ADAPTER_CONNECTING] = "connecting",
		[ADAPTER_CONNECTED] = "connected",
		[ADAPTER_WAITING] = "waiting",
		[ADAPTER_STOPPED] = "stopped",
	};

	return texts[state];
}

const char *adapter_counter_text(enum adapter_counter counter)
{
	static const char *const texts[N_ADAPTER_COUNTERS] = {
#define X(name, text) [name] = text,
		ADAPTER_COUNTERS(X)
#undef X
	};

	return texts[counter];
}

static void log_state(struct adapter *a)
{
	char why[ADAPTER_TEXT_BYTES];

	if (!log_share_take(&a->all->shares, "adapter", a->name, engine_mono_ns()))
		return;
	log_quote(a->text, why, sizeof why);
	log_write(a->state == ADAPTER_CONNECTED || a->state == ADAPTER_CONNECTING ? LOG_LEVEL_INFO
										  : LOG_LEVEL_WARNING,
		  "adapter", "%s is %s%s%s", a->name, adapter_state_text(a->state), why[0] ? ": " : "", why);
}

void adapter_is(struct adapter *a, enum adapter_state state, const char *text)
{
	text = text ? text : "";
	if (a->trial || (a->state == state && strncmp(a->text, text, sizeof a->text - 1) == 0))
		return;
	if (a->state != state)
		a->since_ns = engine_wall_ns();
	if (a->state != state && state == ADAPTER_CONNECTED)
		settle_again(a->all->engine->settle);
	a->state = state;
	snprintf(a->text, sizeof a->text, "%s", text);
	log_state(a);
}

void adapter_count(struct adapter *a, enum adapter_counter counter, uint64_t n)
{
	a->counters[counter] += n;
}

void adapter_dead(struct adapter *a, const char *source, struct bytes payload, const char *reason)
{
	adapter_count(a, COUNT_DEAD, 1);
	if (a->letters)
		letters_put(a->letters, &(struct letter_in){.source = source,
							    .reason = reason,
							    .payload = payload,
							    .t_ns = engine_wall_ns()});
}

void adapter_word(struct adapter *a, const struct command_word *word)
{
	struct commands *commands = adapter_engine(a)->commands;

	adapter_count(a, COUNT_WORDS, 1);
	if (!commands || !commands_on_word(commands, a->name, word))
		adapter_count(a, COUNT_STRANGE, 1);
}

uint64_t backoff_next(struct backoff *b, struct engine *e)
{
	const uint64_t now_ms = uv_now(&e->loop);
	const bool went_well = b->next_ms > 0 && now_ms - b->asked_ms > b->next_ms + BACKOFF_WELL_MS;

	if (b->next_ms == 0 || went_well)
		b->next_ms = BACKOFF_FIRST_MS;
	else
		b->next_ms = 2 * b->next_ms < BACKOFF_MAX_MS ? 2 * b->next_ms : BACKOFF_MAX_MS;
	b->asked_ms = now_ms;
	return b->next_ms * 4 / 5 + randombytes_uniform((uint32_t)(b->next_ms * 2 / 5) + 1);
}
