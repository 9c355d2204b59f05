/* SPDX-License-Identifier: Apache-2.0 */
/* Write a corpus for fuzz_join to begin with: a token, a good question, a reply of each sort. */
#include "tests/fuzz/join_ends.h"
#include "tests/fuzz/seed.h"

static int seed_question(const char *directory)
{
	SCOPED(scope_arena) struct arena *a = NULL;
	SCOPED(scope_sign_key) struct sign_key *sign = NULL;
	SCOPED(buf_fini) struct buf request = {0}, frame = {0};
	struct join_ask ask = {.offset = 7};
	struct join_ends ends;

	TRY(arena_new(&a, 1 << 20));
	TRY(sign_key_from_seed(&sign, join_seed));
	join_ends_of_token(&join_token, &ends);
	TRY(join_request_make(&ends, &join_curve, sign, &request));
	TRY(signed_blob_decode(a, buf_bytes(&request), &ask.request));
	join_ask_encode(&ask, &frame);
	return seed_save(directory, "question", &frame);
}

int seed_all(const char *directory)
{
	static const struct join_reply replies[] = {
		{.state = JOIN_WAIT, .text = "an admin has to approve it"},
		{.state = JOIN_NO, .text = "no"},
		{.state = JOIN_YES,
		 .text = "",
		 .total = 9,
		 .offset = 4,
		 .piece = {(const uint8_t *)"piece", 5}},
	};
	static const char *const names[] = {"wait", "no", "yes"};
	SCOPED(buf_fini) struct buf out = {0};

	TRY(keys_init());
	join_token_print(&join_token, &out);
	TRY(seed_save(directory, "token", &out));
	for (size_t i = 0; i < 3; i++) {
		buf_clear(&out);
		join_reply_encode(&replies[i], &out);
		TRY(seed_save(directory, names[i], &out));
	}
	return seed_question(directory);
}
