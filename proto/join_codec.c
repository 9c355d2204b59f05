/* SPDX-License-Identifier: Apache-2.0 */
#include "proto/join.h"

#include "proto/codec.h"

enum { SEALED_KEY_MAX = 128 };

static pb_data fixed(const uint8_t *b, size_t n)
{
	return bytes_to_pb((struct bytes){b, n});
}

static int join_token_to_pb(struct arena *a, const struct join_token *t, PB(JoinToken) * pb)
{
	pb->org = text_to_pb(t->org);
	pb->name = text_to_pb(t->name);
	pb->root = fixed(t->root.b, sizeof t->root.b);
	pb->secret = fixed(t->secret, sizeof t->secret);
	pb->roles = t->roles;
	pb->endpoint = text_to_pb(t->endpoint);
	pb->border_endpoint = text_to_pb(t->border_endpoint);
	pb->until_ns = t->until_ns;
	return texts_to_pb(a, t->prefixes, t->n_prefixes, &pb->prefixes, &pb->n_prefixes);
}

static int join_token_from_pb(struct arena *a, const PB(JoinToken) * pb, struct join_token *ret)
{
	TRY(word_from_pb(pb->org, word_is_org, &ret->org));
	TRY(word_from_pb(pb->name, word_is_node, &ret->name));
	TRY(fixed_from_pb(pb->root, ret->root.b, sizeof ret->root.b));
	TRY(fixed_from_pb(pb->secret, ret->secret, sizeof ret->secret));
	TRY(malformed_unless((pb->roles & ~(uint32_t)ROLES_ALL) == 0));
	ret->roles = pb->roles;
	TRY(prefixes_from_pb(a, pb->prefixes, pb->n_prefixes, &ret->prefixes, &ret->n_prefixes));
	TRY(text_from_pb(pb->endpoint, ENDPOINT_MAX, &ret->endpoint));
	TRY(text_from_pb(pb->border_endpoint, ENDPOINT_MAX, &ret->border_endpoint));
	ret->until_ns = pb->until_ns;
	return 0;
}

DEFINE_CODEC(join_token, JoinToken, join_token)

static int join_request_to_pb(struct arena *a, const struct join_request *r, PB(JoinRequest) * pb)
{
	(void)a;
	pb->org = text_to_pb(r->org);
	pb->name = text_to_pb(r->name);
	pb->curve = fixed(r->curve.b, sizeof r->curve.b);
	pb->sign = fixed(r->sign.b, sizeof r->sign.b);
	pb->mac = fixed(r->mac, sizeof r->mac);
	return 0;
}

static int join_request_from_pb(struct arena *a, const PB(JoinRequest) * pb, struct join_request *ret)
{
	(void)a;
	TRY(word_from_pb(pb->org, word_is_org, &ret->org));
	TRY(word_from_pb(pb->name, word_is_node, &ret->name));
	TRY(fixed_from_pb(pb->curve, ret->curve.b, sizeof ret->curve.b));
	TRY(fixed_from_pb(pb->sign, ret->sign.b, sizeof ret->sign.b));
	return fixed_from_pb(pb->mac, ret->mac, sizeof ret->mac);
}

DEFINE_CODEC(join_request, JoinRequest, join_request)

static int join_answer_to_pb(struct arena *a, const struct join_answer *j, PB(JoinAnswer) * pb)
{
	(void)a;
	pb->request_hash = fixed(j->request_hash, sizeof j->request_hash);
	pb->bundle = bytes_to_pb(j->bundle);
	pb->cursor_key = bytes_to_pb(j->cursor_key);
	return 0;
}

static int join_answer_from_pb(struct arena *a, const PB(JoinAnswer) * pb, struct join_answer *ret)
{
	(void)a;
	TRY(fixed_from_pb(pb->request_hash, ret->request_hash, sizeof ret->request_hash));
	TRY(blob_from_pb(pb->bundle, FRAME_OWN_MAX, &ret->bundle));
	return blob_from_pb(pb->cursor_key, SEALED_KEY_MAX, &ret->cursor_key);
}

DEFINE_CODEC(join_answer, JoinAnswer, join_answer)
