/* SPDX-License-Identifier: Apache-2.0 */
#include "tools/adapter_link.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "proto/clock.h"
#include "tools/client_private.h"

enum { LEASE_S = 15, RENEW_S = 2, SILENCE_S = 12, TEXT_MAX = 512, CONNECT_S = 2 };
#define AGAIN_NS (500 * NS_PER_MS)

/* A word that the node has not acknowledged. */
struct said {
	struct command_word word;
	char text[REASON_MAX + 1];
	uint64_t request; /* 0: not on its way */
};

struct adapter_link {
	struct client *client;
	struct adapter_link_options opt;
	struct arena *arena;                    /* one part */
	uint64_t attached;                      /* id of the request that began it; 0: none is under way */
	int64_t renewed_ns, heard_ns, again_ns; /* monotonic */
	int64_t words_ns;                       /* not before: the node could not keep the last ones */
	char text[TEXT_MAX];
	bool text_is_news;
	struct said *words; /* COMMAND_WORDS_MAX */
	size_t n_words;
};

int adapter_link_new(struct adapter_link **ret, const struct client *client,
		     const struct adapter_link_options *opt, struct err_note *note)
{
	SCOPED(scope_adapter_link) struct adapter_link *l = calloc(1, sizeof *l);

	if (!l || !(l->words = calloc(COMMAND_WORDS_MAX, sizeof *l->words)))
		return FAIL(-ENOMEM);
	l->opt = *opt;
	TRY(arena_new(&l->arena, SIZE_MAX));
	TRY(client_open_encrypted(&l->client, client->endpoint, &client->keys, CONNECT_S * NS_PER_S, note));
	*ret = MOVE(l);
	return 0;
}

void adapter_link_free(struct adapter_link *l)
{
	if (!l)
		return;
	client_close(l->client);
	arena_free(l->arena);
	free(l->words);
	free(l);
}

static bool is_waiting(const struct adapter_link *l)
{
	return l->attached == 0 && l->again_ns > client_now_ns();
}

/* What nobody reads while it waits would end every poll at once. */
void adapter_link_sockets(const struct adapter_link *l, void *ret[LINK_SOCKETS])
{
	const bool waiting = is_waiting(l);

	ret[0] = waiting ? NULL : l->client->socket;
	ret[1] = waiting ? NULL : l->client->monitor;
}

/* ---- Saying ----------------------------------------------------------------------------------------------
 */

void adapter_link_say(struct adapter_link *l, const char *text)
{
	const size_t state = strcspn(text, " ");

	/* counters go along with the next renewal, another state at once */
	l->text_is_news |= strncmp(l->text, text, state + 1) != 0;
	snprintf(l->text, sizeof l->text, "%s", text);
}

bool adapter_link_has_room(const struct adapter_link *l)
{
	return l->n_words < COMMAND_WORDS_MAX / 2;
}

int adapter_link_word(struct adapter_link *l, const struct command_word *word)
{
	if (l->n_words == COMMAND_WORDS_MAX)
		return FAIL(-EAGAIN);
	struct said *s = &l->words[l->n_words++];
	*s = (struct said){.word = *word};
	snprintf(s->text, sizeof s->text, "%s", word->text);
	return 0;
}

static int say_words(struct adapter_link *l, struct err_note *note)
{
	struct command_word words[64];
	const size_t most = sizeof words / sizeof words[0];
	struct control_request request = {.op = CONTROL_ATTACHED, .name = l->opt.name, .words = words};
	size_t first = 0;

	while (first < l->n_words && l->words[first].request > 0)
		first++;
	for (size_t i = first; i < l->n_words && request.n_words < most; i++) {
		words[request.n_words] = l->words[i].word;
		words[request.n_words++].text = l->words[i].text;
	}
	if (request.n_words == 0 || client_now_ns() < l->words_ns)
		return 0;
	TRY(client_send(l->client, &request, note));
	for (size_t i = first; i < first + request.n_words; i++)
		l->words[i].request = request.id;
	return 0;
}

static void take_acknowledged(struct adapter_link *l, uint64_t request)
{
	size_t n = 0;

	for (size_t i = 0; i < l->n_words; i++)
		if (l->words[i].request != request)
			l->words[n++] = l->words[i];
	l->n_words = n;
}

/* The node could not keep them now. */
static void say_again(struct adapter_link *l, uint64_t request)
{
	for (size_t i = 0; i < l->n_words; i++)
		if (l->words[i].request == request)
			l->words[i].request = 0;
	l->words_ns = client_now_ns() + AGAIN_NS;
}

static int attach(struct adapter_link *l, struct err_note *note)
{
	struct control_request request = {.op = CONTROL_ATTACH,
					  .name = l->opt.name,
					  .prefix = l->opt.prefix,
					  .text = l->text,
					  .limit = LEASE_S};

	TRY(client_send(l->client, &request, note));
	l->renewed_ns = client_now_ns();
	l->text_is_news = false;
	if (l->attached == 0) {
		l->attached = request.id;
		l->heard_ns = l->renewed_ns;
	}
	return 0;
}

/* ---- The connection --------------------------------------------------------------------------------------
 */

static void lose(struct adapter_link *l)
{
	l->attached = 0;
	l->again_ns = client_now_ns() + AGAIN_NS;
	for (size_t i = 0; i < l->n_words; i++)
		l->words[i].request = 0;
}

static int take_part(struct adapter_link *l, const struct control_answer *part, struct err_note *note)
{
	if (part->id != l->attached) {
		/* words of commands that are not ours any more are no failure of ours */
		if (part->last && part->code == ERR_UNREACHABLE)
			say_again(l, part->id);
		else if (part->last)
			take_acknowledged(l, part->id);
		return 0;
	}
	l->heard_ns = client_now_ns();
	for (size_t i = 0; i < part->n_orders; i++)
		l->opt.order(l->opt.ctx, &part->orders[i]);
	if (part->code < 0)
		return FAIL_SAY(note, part->code, "%s",
				part->text && *part->text ? part->text : err_text(part->code));
	return part->last ? FAIL(ERR_UNREACHABLE) : 0;
}

static int take_parts(struct adapter_link *l, struct err_note *note)
{
	struct control_answer part;
	int r;

	do {
		arena_reset(l->arena);
		r = client_await_part(l->client, client_now_ns(), l->arena, &part, note);
		if (r == 0)
			r = take_part(l, &part, note);
		TRY(r);
	} while (r != CLIENT_NOTHING);
	return 0;
}

static int converse(struct adapter_link *l, struct err_note *note)
{
	const int64_t now_ns = client_now_ns();

	if (l->attached == 0 || l->text_is_news || now_ns - l->renewed_ns > RENEW_S * NS_PER_S)
		TRY(attach(l, note));
	TRY(say_words(l, note));
	TRY(take_parts(l, note));
	if (client_now_ns() - l->heard_ns > SILENCE_S * NS_PER_S)
		return FAIL_SAY(note, ERR_UNREACHABLE, "%s says nothing any more", l->client->endpoint);
	return 0;
}

int adapter_link_step(struct adapter_link *l, struct err_note *note)
{
	int r = 0;

	if (l->attached == 0 && l->again_ns > 0) {
		if (client_now_ns() < l->again_ns)
			return 0;
		r = client_reconnect(l->client, note);
	}
	if (r == 0)
		r = converse(l, note);
	if (r == ERR_REFUSED || r == ERR_VERSION || r == -ENOMEM)
		return r;
	if (r < 0)
		lose(l);
	return 0;
}
