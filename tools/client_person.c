/* SPDX-License-Identifier: Apache-2.0 */
#include "tools/client_person.h"

#include <assert.h>
#include <sodium.h>
#include <stdlib.h>
#include <time.h>

#include "proto/clock.h"
#include "security/errand.h"
#include "security/org_admin.h"
#include "tools/client_private.h"

enum { ANSWER_BYTES = 1 << 20 };

struct client_person {
	struct arena *arena;
	const struct sign_key *key;
	struct bytes credential;
	int64_t not_before_ns, not_after_ns; /* of it */
	struct errand errand;                /* the last one given */
	struct buf signed_errand;
};

void client_person_free(struct client_person *p)
{
	if (!p)
		return;
	buf_fini(&p->signed_errand);
	arena_free(p->arena);
	free(p);
}

DEFINE_SCOPED(client_person, client_person_free)

static int64_t wall_ns(void)
{
	struct timespec t;

	clock_gettime(CLOCK_REALTIME, &t);
	return (int64_t)t.tv_sec * NS_PER_S + t.tv_nsec;
}

/* Who it is, as the credential says; the node verifies it. */
static int read_person(struct client_person *p, struct bytes credential, struct err_note *note)
{
	const struct public_key key = sign_key_public(p->key);
	struct signed_blob blob;
	struct person who;
	uint8_t *copy = arena_take(p->arena, credential.len);

	if (!copy)
		return FAIL(-ENOMEM);
	if (credential.len > 0)
		memcpy(copy, credential.data, credential.len);
	p->credential = (struct bytes){copy, credential.len};
	int r = signed_blob_decode(p->arena, p->credential, &blob);
	if (r == 0)
		r = person_decode(p->arena, blob.payload, &who);
	if (r < 0)
		return FAIL_SAY(note, r, "the person's credential cannot be read: %s", err_text(r));
	p->not_before_ns = who.not_before_ns;
	p->not_after_ns = who.not_after_ns;
	if (memcmp(who.sign.b, key.b, sizeof key.b) != 0)
		return FAIL_SAY(note, ERR_REFUSED, "the key is not that of %s at %s, whose credential it is",
				who.name, who.org);
	p->errand = (struct errand){.org = who.org, .person = who.name, .serial = who.serial};
	return 0;
}

/* The node that the errands are given to. */
static int ask_node(struct client *c, struct client_person *p, struct err_note *note)
{
	struct control_request request = {.op = CONTROL_STATUS};
	struct control_answer answer;

	TRY(client_ask(c, &request, p->arena, &answer, note));
	if (answer.code < 0 || !answer.has_status)
		return FAIL_SAY(note, answer.code < 0 ? answer.code : ERR_MALFORMED,
				"%s does not say which node it is", c->endpoint);
	if (strcmp(answer.status.org, p->errand.org) != 0)
		return FAIL_SAY(note, ERR_REFUSED, "%s is a person of %s, and %s a node of %s",
				p->errand.person, p->errand.org, answer.status.node, answer.status.org);
	p->errand.node = answer.status.node;
	return 0;
}

int client_act_for(struct client *c, const struct sign_key *key, struct bytes credential,
		   struct err_note *note)
{
	SCOPED(scope_client_person) struct client_person *p = calloc(1, sizeof *p);

	if (!p)
		return FAIL(-ENOMEM);
	p->key = key;
	TRY(arena_new(&p->arena, ANSWER_BYTES));
	TRY(read_person(p, credential, note));
	client_person_free(c->person);
	c->person = NULL;
	TRY(ask_node(c, p, note));
	c->person = MOVE(p);
	return 0;
}

const struct errand *client_who(const struct client *c)
{
	return c->person ? &c->person->errand : NULL;
}

void client_sign(const struct client *c, const char *context, struct bytes payload, struct buf *out)
{
	struct signed_blob blob;

	assert(c->person);
	sign_blob(c->person->key, context, payload, &blob);
	signed_blob_encode(&blob, out);
}

/* The same person with the same key, for longer. */
static int take_renewed(struct client_person *p, struct bytes credential, struct bytes *ret)
{
	const struct client_person before = *p;

	const int r = read_person(p, credential, NULL);
	p->errand.node = before.errand.node;
	if (r == 0 && strcmp(p->errand.org, before.errand.org) == 0 &&
	    strcmp(p->errand.person, before.errand.person) == 0 && p->not_after_ns > before.not_after_ns) {
		*ret = p->credential;
		return 0;
	}
	*p = before;
	return r == -ENOMEM ? r : 0;
}

int client_renew_person(struct client *c, struct bytes *ret, struct err_note *note)
{
	struct control_request request = {.op = CONTROL_PERSON_RENEW};
	struct client_person *p = c->person;
	struct control_answer answer;

	*ret = (struct bytes){0};
	if (!p || !is_due(p->not_before_ns, p->not_after_ns, wall_ns()))
		return 0;
	TRY(client_ask(c, &request, p->arena, &answer, note));
	return answer.code == 0 ? take_renewed(p, answer.blob, ret) : 0;
}

/* One does for many requests: it is given anew when half of it has passed. */
int client_person_sign(struct client_person *p, struct control_request *request)
{
	const int64_t now_ns = wall_ns(), life_ns = ERRAND_LIFE_MAX_S * NS_PER_S;

	if (now_ns < p->errand.at_ns || now_ns >= p->errand.at_ns + life_ns / 2) {
		p->errand.at_ns = now_ns;
		p->errand.until_ns = now_ns + life_ns;
		randombytes_buf(p->errand.nonce, sizeof p->errand.nonce);
		buf_clear(&p->signed_errand);
		errand_sign(p->key, &p->errand, &p->signed_errand);
		TRY(buf_check(&p->signed_errand));
	}
	request->person = p->credential;
	request->errand = buf_bytes(&p->signed_errand);
	return 0;
}
