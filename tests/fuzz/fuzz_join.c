/* SPDX-License-Identifier: Apache-2.0 */
/* Any bytes as what a machine that joins is given or sends: a token as text reads back as itself or is
 * refused with a sentence; a question is that of one token and one machine, or nothing; a reply and an answer
 * lie within their bounds. */
#include <stdlib.h>

#include "tests/fuzz/join_ends.h"
#include "tests/lib/must.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void as_token(struct bytes in)
{
	SCOPED(scope_arena) struct arena *a = NULL;
	SCOPED(buf_fini) struct buf again = {0};
	struct err_note note = {{0}};
	struct join_token t, back;

	must(arena_new(&a, 1 << 20) == 0);
	const char *text = arena_text(a, in);
	must(text);
	if (join_token_parse(a, text, &t, &note) < 0) {
		must(note.text[0] != '\0');
		return;
	}
	join_token_print(&t, &again);
	buf_put_u8(&again, 0);
	must(buf_check(&again) == 0 && again.len <= JOIN_TEXT_MAX);
	must(join_token_parse(a, (const char *)again.data, &back, &note) == 0);
	must(strcmp(back.name, t.name) == 0 && memcmp(back.secret, t.secret, sizeof t.secret) == 0);
}

static void as_question(struct bytes in)
{
	SCOPED(scope_arena) struct arena *a = NULL;
	struct err_note note = {{0}};
	struct join_ask ask;
	struct join_ends ends;
	struct join_request r;
	char words[WORDS_SIZE];

	must(arena_new(&a, DECODE_BUDGET_BASE + DECODE_BUDGET_FACTOR * in.len) == 0);
	if (join_ask_decode(a, in, &ask) < 0)
		return;
	must(ask.offset < JOIN_ANSWER_MAX);
	join_ends_of_token(&join_token, &ends);
	if (join_request_verify(a, &ends, &ask.request, &join_curve, &r, &note) < 0)
		return;
	must(strcmp(r.name, join_token.name) == 0);
	must(memcmp(r.curve.b, join_curve.b, sizeof r.curve.b) == 0);
	join_words(&ends, &r, words);
	must(words[0] != '\0');
}

static void as_reply(struct bytes in)
{
	SCOPED(scope_arena) struct arena *a = NULL;
	struct join_reply r;

	must(arena_new(&a, DECODE_BUDGET_BASE + DECODE_BUDGET_FACTOR * in.len) == 0);
	if (join_reply_decode(a, in, &r) == 0 && r.state == JOIN_YES)
		must(r.offset + r.piece.len <= r.total && r.total <= JOIN_ANSWER_MAX);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	const struct bytes in = {data, size};

	must(keys_init() == 0);
	as_token(in);
	as_question(in);
	as_reply(in);
	return 0;
}
