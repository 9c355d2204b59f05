/* SPDX-License-Identifier: Apache-2.0 */
/* In whose name a client asks. The node's answer and the clock are put in their place (--wrap). */
#include "tools/client_person.h"

#include <criterion/criterion.h>
#include <criterion/new/assert.h>
#include <time.h>

#include "proto/clock.h"
#include "security/errand.h"
#include "tests/lib/must.h"
#include "tools/client_private.h"

static struct arena *a;
static struct sign_key *key, *issuer;
static struct client client;
static struct err_note note;
static time_t now_s = 1000;
static const char *node_org = "acme";
static struct bytes renewed; /* that the node has */
static unsigned n_renewals;

int __wrap_client_ask(struct client *c, struct control_request *request, struct arena *arena,
		      struct control_answer *ret, struct err_note *n);
int __wrap_client_ask(struct client *c, struct control_request *request, struct arena *arena,
		      struct control_answer *ret, struct err_note *n)
{
	(void)c, (void)arena, (void)n;
	if (request->op == CONTROL_PERSON_RENEW) {
		n_renewals++;
		*ret = renewed.len > 0 ? (struct control_answer){.blob = renewed}
				       : (struct control_answer){.code = ERR_ABSENT, .text = ""};
		return 0;
	}
	must(request->op == CONTROL_STATUS && request->person.len == 0);
	*ret = (struct control_answer){.has_status = true, .status = {.org = node_org, .node = "site"}};
	return 0;
}

int __wrap_clock_gettime(clockid_t id, struct timespec *ret);
int __wrap_clock_gettime(clockid_t id, struct timespec *ret)
{
	(void)id;
	*ret = (struct timespec){.tv_sec = now_s};
	return 0;
}

static void set_up(void)
{
	must(keys_init() == 0 && arena_new(&a, 1 << 20) == 0);
	must(sign_key_new(&key) == 0 && sign_key_new(&issuer) == 0);
	client = (struct client){.endpoint = (char[]){"here"}};
}

static void tear_down(void)
{
	client_person_free(client.person);
	sign_key_free(key);
	sign_key_free(issuer);
	arena_free(a);
	client.person = NULL;
	key = issuer = NULL;
	a = NULL;
}

TestSuite(client_person, .init = set_up, .fini = tear_down, .timeout = 60);

static struct bytes credential_of(const char *name, const struct sign_key *k, int64_t end_s)
{
	const struct person kim = {.org = "acme",
				   .name = name,
				   .serial = {{7}},
				   .sign = sign_key_public(k),
				   .not_before_ns = 1,
				   .not_after_ns = end_s * NS_PER_S};
	SCOPED(buf_fini) struct buf payload = {0}, out = {0};
	struct signed_blob blob;

	person_encode(&kim, &payload);
	must(buf_check(&payload) == 0);
	sign_blob(issuer, SIGN_PERSON, buf_bytes(&payload), &blob);
	signed_blob_encode(&blob, &out);
	must(buf_check(&out) == 0);
	const char *copy = arena_text(a, buf_bytes(&out));
	must(copy);
	return (struct bytes){(const uint8_t *)copy, out.len};
}

static struct bytes credential(void)
{
	return credential_of("kim", key, 1000000);
}

static struct errand given(void)
{
	struct control_request request = {.op = CONTROL_STATUS};
	struct signed_blob blob;
	struct errand e;

	cr_assert(eq(int, client_person_sign(client.person, &request), 0));
	cr_expect(bytes_equal(request.person, credential()));
	cr_assert(eq(int, signed_blob_decode(a, request.errand, &blob), 0));
	cr_expect(sign_verify(SIGN_ERRAND, &blob));
	cr_assert(eq(int, errand_decode(a, blob.payload, &e), 0));
	return e;
}

Test(client_person, gives_an_errand_to_the_node_it_talks_to)
{
	cr_assert(eq(int, client_act_for(&client, key, credential(), &note), 0), "%s", note.text);
	const struct errand e = given();

	cr_expect(strcmp(e.org, "acme") == 0 && strcmp(e.person, "kim") == 0 && strcmp(e.node, "site") == 0);
	cr_expect(eq(int, e.serial.b[0], 7));
	cr_expect(eq(i64, e.at_ns, now_s * NS_PER_S));
	cr_expect(eq(i64, e.until_ns - e.at_ns, ERRAND_LIFE_MAX_S * NS_PER_S));
}

Test(client_person, gives_it_anew_when_half_of_it_has_passed)
{
	cr_assert(eq(int, client_act_for(&client, key, credential(), &note), 0));
	const struct errand first = given();

	now_s += ERRAND_LIFE_MAX_S / 2 - 1;
	cr_expect(eq(i64, given().until_ns, first.until_ns));
	now_s++;
	const struct errand second = given();
	cr_expect(eq(i64, second.at_ns, now_s * NS_PER_S));
	cr_expect(ne(int, memcmp(first.nonce, second.nonce, sizeof first.nonce), 0));
	now_s -= 3600; /* a clock that was set back */
	cr_expect(eq(i64, given().at_ns, now_s * NS_PER_S));
}

Test(client_person, what_does_not_belong_together_is_refused)
{
	cr_expect(eq(int, client_act_for(&client, issuer, credential(), &note), ERR_REFUSED));
	cr_expect(strstr(note.text, "the key is not that of kim at acme") != NULL, "%s", note.text);
	node_org = "bolt";
	cr_expect(eq(int, client_act_for(&client, key, credential(), &note), ERR_REFUSED));
	cr_expect(strstr(note.text, "kim is a person of acme, and site a node of bolt") != NULL, "%s",
		  note.text);
	cr_expect(client.person == NULL);
	cr_expect(lt(int, client_act_for(&client, key, BYTES("nonsense"), &note), 0));
}

Test(client_person, takes_the_credential_that_was_renewed)
{
	const struct bytes later = credential_of("kim", key, 2000000);
	struct bytes got;

	renewed = later;
	cr_assert(eq(int, client_act_for(&client, key, credential(), &note), 0));
	now_s = 499999;
	cr_expect(eq(int, client_renew_person(&client, &got, &note), 0));
	cr_expect(eq(sz, got.len, 0));
	cr_expect(eq(uint, n_renewals, 0), "half of its time has not passed");
	now_s = 500001;
	cr_expect(eq(int, client_renew_person(&client, &got, &note), 0));
	cr_expect(bytes_equal(got, later));
	struct control_request request = {.op = CONTROL_STATUS};
	cr_assert(eq(int, client_person_sign(client.person, &request), 0));
	cr_expect(bytes_equal(request.person, later));
	cr_expect(eq(int, client_renew_person(&client, &got, &note), 0));
	cr_expect(eq(sz, got.len, 0));
	cr_expect(eq(uint, n_renewals, 1), "it is good for long now");
}

Test(client_person, takes_nothing_else_for_it)
{
	const struct bytes others[] = {{0},
				       credential(),
				       credential_of("kim", key, 999999),
				       credential_of("kim", issuer, 2000000),
				       credential_of("alex", key, 2000000),
				       BYTES("nonsense")};
	struct bytes got;

	cr_assert(eq(int, client_act_for(&client, key, credential(), &note), 0));
	now_s = 900000;
	for (size_t i = 0; i < sizeof others / sizeof others[0]; i++) {
		renewed = others[i];
		cr_expect(eq(int, client_renew_person(&client, &got, &note), 0));
		cr_expect(eq(sz, got.len, 0), "%zu", i);
		cr_expect(strcmp(given().person, "kim") == 0); /* and shows the one it had */
	}
}

Test(client_person, signs_in_the_persons_name_for_one_kind_of_object)
{
	SCOPED(buf_fini) struct buf out = {0};
	const struct public_key own = sign_key_public(key);
	struct signed_blob blob;

	cr_expect(client_who(&client) == NULL, "nobody before");
	cr_assert(eq(int, client_act_for(&client, key, credential(), &note), 0));
	cr_expect(strcmp(client_who(&client)->person, "kim") == 0 &&
		  strcmp(client_who(&client)->node, "site") == 0);
	client_sign(&client, SIGN_ERRAND, BYTES("words"), &out);
	cr_assert(eq(int, signed_blob_decode(a, buf_bytes(&out), &blob), 0));
	cr_expect(sign_verify(SIGN_ERRAND, &blob));
	cr_expect(not(sign_verify(SIGN_PERSON, &blob)));
	cr_expect(zero(int, memcmp(blob.key.b, own.b, sizeof own.b)));
}
