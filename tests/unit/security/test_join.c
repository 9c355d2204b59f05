/* SPDX-License-Identifier: Apache-2.0 */
/* Joining: a request is good for one token, one name and one pair of keys, and an answer for one request.
 * Whatever is altered on the way, or comes from somebody between, is refused. */
#include <criterion/criterion.h>
#include <criterion/new/assert.h>
#include <stdio.h>

#include "security/join.h"
#include "tests/unit/security/org_fixture.h"

static struct join_token token;
static struct join_ends machine, admin; /* what each end knows; equal when nothing is wrong */
static struct curve_pair *curve;
static struct sign_key *own;
static struct secret32 *cursor_key;
static struct curve_key shown;
static struct buf request;

static void set_up(void)
{
	org_fixture_begin();
	cr_assert(eq(int, curve_pair_new(&curve), 0));
	cr_assert(eq(int, sign_key_new(&own), 0));
	cr_assert(eq(int, secret32_new(&cursor_key), 0));
	token = (struct join_token){.org = "acme",
				    .name = "gateway",
				    .root = sign_key_public(root),
				    .endpoint = "tcp://192.0.2.1:7002",
				    .server = {"server"},
				    .secret = "twenty secret bytes",
				    .until_ns = NOW + DAY};
	shown = curve_pair_public(curve);
	join_ends_of_token(&token, &machine);
	admin = machine;
	cr_assert(eq(int, join_request_make(&machine, &shown, own, &request), 0));
}

static void tear_down(void)
{
	buf_fini(&request);
	curve_pair_free(curve);
	sign_key_free(own);
	secret32_free(cursor_key);
	curve = NULL;
	own = NULL;
	cursor_key = NULL;
	org_fixture_end();
}

TestSuite(join, .init = set_up, .fini = tear_down, .timeout = 60);

/* As the inviting node sees these bytes. */
static int judge(struct bytes encoded, struct join_request *ret)
{
	struct join_request ignored;
	struct signed_blob blob;

	note.text[0] = '\0';
	TRY(signed_blob_decode(arena, encoded, &blob));
	return join_request_verify(arena, &admin, &blob, &shown, ret ? ret : &ignored, &note);
}

Test(join, a_request_made_from_the_token_is_good_and_both_ends_read_the_same_words)
{
	char here[WORDS_SIZE], there[WORDS_SIZE];
	struct join_request r, mine = {.curve = shown, .sign = sign_key_public(own)};

	cr_assert(eq(int, judge(buf_bytes(&request), &r), 0), "%s", note.text);
	cr_expect_str_eq(r.name, "gateway");
	join_words(&machine, &mine, here);
	join_words(&admin, &r, there);
	cr_expect_str_eq(here, there);
	mine.curve.b[31] ^= 1;
	join_words(&machine, &mine, here);
	cr_expect_str_neq(here, there, "other keys have other words");
}

Test(join, the_same_keys_make_the_same_request)
{
	SCOPED(buf_fini) struct buf again = {0};

	cr_assert(eq(int, join_request_make(&machine, &shown, own, &again), 0));
	cr_expect(bytes_equal(buf_bytes(&again), buf_bytes(&request)));
}

Test(join, a_request_with_any_byte_changed_is_refused)
{
	for (size_t i = 0; i < request.len; i++)
		for (unsigned bit = 0; bit < 8; bit += 3) {
			request.data[i] ^= (uint8_t)(1u << bit);
			cr_expect(lt(int, judge(buf_bytes(&request), NULL), 0), "byte %zu bit %u", i, bit);
			request.data[i] ^= (uint8_t)(1u << bit);
		}
	cr_expect(eq(int, judge(buf_bytes(&request), NULL), 0));
}

Test(join, a_request_cut_short_is_refused)
{
	for (size_t n = 0; n < request.len; n++)
		cr_expect(lt(int, judge((struct bytes){request.data, n}, NULL), 0), "%zu", n);
}

Test(join, a_request_of_another_token_node_root_or_name_is_refused)
{
	const struct join_ends good = admin;

	admin.key[0] ^= 1;
	expect_untrusted(judge(buf_bytes(&request), NULL), "not made from the token");
	admin = good;
	admin.server.b[0] ^= 1; /* a proxy with a key of its own */
	expect_untrusted(judge(buf_bytes(&request), NULL), "not made from the token");
	admin = good;
	admin.root.b[0] ^= 1;
	expect_untrusted(judge(buf_bytes(&request), NULL), "not made from the token");
	admin = good;
	admin.name = "gatewax";
	expect_untrusted(judge(buf_bytes(&request), NULL), "not made from the token");
	admin = good;
	admin.org = "acmf";
	expect_untrusted(judge(buf_bytes(&request), NULL), "not made from the token");
}

Test(join, who_holds_the_secret_cannot_ask_for_a_key_it_does_not_hold)
{
	SCOPED(buf_fini) struct buf payload = {0};
	struct join_request r;
	struct signed_blob blob;

	shown.b[0] ^= 1;
	expect_untrusted(judge(buf_bytes(&request), NULL), "connection with another key");
	shown.b[0] ^= 1;
	cr_assert(eq(int, judge(buf_bytes(&request), &r), 0));
	join_request_encode(&r, &payload);
	sign_blob(stranger, SIGN_JOIN, buf_bytes(&payload), &blob); /* not with the key it names */
	expect_untrusted(join_request_verify(arena, &admin, &blob, &shown, &r, &note),
			 "not signed by the key");
	sign_blob(own, SIGN_HEAD, buf_bytes(&payload), &blob); /* signed as something else */
	expect_untrusted(join_request_verify(arena, &admin, &blob, &shown, &r, &note),
			 "not signed by the key");
}

/* ---- the answer */

/* The bundle names `gateway` with these keys; the cursor key sealed to it. */
static struct bytes answer_with(struct bytes bundle)
{
	SCOPED(buf_fini) struct buf sealed = {0};
	struct buf out = {0};
	struct join_answer x = {.bundle = bundle};

	cr_assert(eq(int, join_seal(&shown, cursor_key, &sealed), 0));
	x.cursor_key = buf_bytes(&sealed);
	join_hash(buf_bytes(&request), x.request_hash);
	join_answer_encode(&x, &out);
	return keep(&out);
}

static struct bytes good_bundle(void)
{
	nodes[0].node = "gateway";
	nodes[0].curve = shown;
	nodes[0].sign = sign_key_public(own);
	nodes[0].roles = ROLE_OWNER | ROLE_BORDER;
	nodes[0].endpoint = "";
	nodes[0].border_endpoint = "tcp://192.0.2.9:7000";
	return make(N_NODES);
}

static int take(struct bytes answer, struct joined *ret)
{
	struct joined ignored;
	const struct join_keys keys = {own, curve};

	note.text[0] = '\0';
	const int r = join_answer_verify(arena, &token, &keys, buf_bytes(&request), answer, NOW,
					 ret ? ret : &ignored, &note);
	if (r == 0 && !ret)
		secret32_free(ignored.cursor_key);
	return r;
}

Test(join, a_good_answer_has_the_credential_and_the_cursor_key)
{
	struct joined j;

	cr_assert(eq(int, take(answer_with(good_bundle()), &j), 0), "%s", note.text);
	cr_expect_str_eq(j.self->node, "gateway");
	cr_expect(eq(int, memcmp(secret32_bytes(j.cursor_key), secret32_bytes(cursor_key), 32), 0));
	secret32_free(j.cursor_key);
}

Test(join, an_answer_with_any_byte_changed_never_gives_other_keys)
{
	const struct bytes good = answer_with(good_bundle());
	uint8_t *b = (uint8_t *)(uintptr_t)good.data;
	size_t n_refused = 0;

	for (size_t i = 0; i < good.len; i++) {
		struct joined j = {0};
		b[i] ^= 1;
		const int r = take(good, &j);
		b[i] ^= 1;
		n_refused += r < 0;
		if (r < 0)
			continue;
		/* another node's credential was spoilt and left out, at most */
		cr_expect(eq(int, memcmp(j.self->curve.b, shown.b, KEY_BYTES), 0), "byte %zu", i);
		cr_expect(eq(int, memcmp(secret32_bytes(j.cursor_key), secret32_bytes(cursor_key), 32), 0));
		secret32_free(j.cursor_key);
	}
	cr_expect(eq(sz, n_refused, good.len));
}

Test(join, an_answer_to_somebody_else_is_refused)
{
	const struct bytes answer = answer_with(good_bundle());

	request.data[0] ^= 1;
	expect_untrusted(take(answer, NULL), "another request");
}

Test(join, an_answer_of_another_organisation_or_root_is_refused)
{
	const struct bytes answer = answer_with(good_bundle());

	token.org = "bolt";
	expect_untrusted(take(answer, NULL), "bundle of acme, the token is of bolt");
	token.org = "acme";
	token.root = sign_key_public(stranger);
	expect_untrusted(take(answer, NULL), "another root");
}

Test(join, an_answer_without_this_machine_in_it_is_refused)
{
	struct bytes bundle = good_bundle();

	token.name = "other";
	expect_untrusted(take(answer_with(bundle), NULL), "names no node other");
	token.name = "gateway";
	nodes[0].curve.b[0] ^= 1;
	expect_untrusted(take(answer_with(make(N_NODES)), NULL), "names no node gateway");
	nodes[0].curve.b[0] ^= 1;
	nodes[0].sign = sign_key_public(stranger);
	expect_untrusted(take(answer_with(make(N_NODES)), NULL), "names no node gateway");
}

Test(join, a_border_without_the_cursor_key_is_not_complete)
{
	const struct bytes bundle = good_bundle();
	struct buf out = {0};
	struct join_answer x = {.bundle = bundle};

	join_hash(buf_bytes(&request), x.request_hash);
	join_answer_encode(&x, &out);
	expect_untrusted(take(keep(&out), NULL), "no cursor key");
	shown.b[1] ^= 1; /* sealed to somebody else */
	expect_untrusted(take(answer_with(bundle), NULL), "no cursor key");
}
