/* SPDX-License-Identifier: Apache-2.0 */
#include "proto/join.h"

#include "proto/codec.h"

static pb_data fixed(const uint8_t *b, size_t n)
{
	return bytes_to_pb((struct bytes){b, n});
}

static int join_token_to_pb(struct arena *a, const struct join_token *t, PB(JoinToken) * pb)
{
	(void)a;
	pb->org = text_to_pb(t->org);
	pb->name = text_to_pb(t->name);
	pb->root = fixed(t->root.b, sizeof t->root.b);
	pb->endpoint = text_to_pb(t->endpoint);
	pb->server = fixed(t->server.b, sizeof t->server.b);
	pb->secret = fixed(t->secret, sizeof t->secret);
	pb->until_ns = t->until_ns;
	return 0;
}

static int join_token_from_pb(struct arena *a, const PB(JoinToken) * pb, struct join_token *ret)
{
	(void)a;
	TRY(word_from_pb(pb->org, word_is_org, &ret->org));
	TRY(word_from_pb(pb->name, word_is_node, &ret->name));
	TRY(fixed_from_pb(pb->root, ret->root.b, sizeof ret->root.b));
	TRY(text_from_pb(pb->endpoint, ENDPOINT_MAX, &ret->endpoint));
	TRY(fixed_from_pb(pb->server, ret->server.b, sizeof ret->server.b));
	TRY(fixed_from_pb(pb->secret, ret->secret, sizeof ret->secret));
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

static int join_ask_to_pb(struct arena *a, const struct join_ask *x, PB(JoinAsk) * pb)
{
	pb->offset = x->offset;
	return ONE_TO_PB(a, signed_blob, &x->request, signed_blob_to_pb, &pb->request);
}

static int join_ask_from_pb(struct arena *a, const PB(JoinAsk) * pb, struct join_ask *ret)
{
	TRY(malformed_unless(pb->request && pb->offset < JOIN_ANSWER_MAX));
	ret->offset = pb->offset;
	return signed_blob_from_pb(a, pb->request, &ret->request);
}

DEFINE_CODEC(join_ask, JoinAsk, join_ask)

static int join_reply_to_pb(struct arena *a, const struct join_reply *r, PB(JoinReply) * pb)
{
	(void)a;
	pb->state = (uint32_t)r->state;
	pb->text = text_to_pb(r->text);
	if (r->state != JOIN_YES)
		return 0;
	pb->hash = fixed(r->hash, sizeof r->hash);
	pb->total = r->total;
	pb->offset = r->offset;
	pb->piece = bytes_to_pb(r->piece);
	return 0;
}

static int join_reply_from_pb(struct arena *a, const PB(JoinReply) * pb, struct join_reply *ret)
{
	(void)a;
	TRY(malformed_unless(pb->state < N_JOIN_STATES));
	ret->state = (enum join_state)pb->state;
	TRY(sentence_from_pb(pb->text, SENTENCE_MAX, &ret->text));
	if (ret->state != JOIN_YES)
		return 0;
	TRY(fixed_from_pb(pb->hash, ret->hash, sizeof ret->hash));
	TRY(blob_from_pb(pb->piece, JOIN_PIECE_MAX, &ret->piece));
	TRY(malformed_unless(pb->total <= JOIN_ANSWER_MAX && pb->offset < pb->total && ret->piece.len > 0 &&
			     ret->piece.len <= pb->total - pb->offset));
	ret->total = pb->total;
	ret->offset = pb->offset;
	return 0;
}

DEFINE_CODEC(join_reply, JoinReply, join_reply)

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

static int invitation_to_pb(struct arena *a, const struct invitation *i, PB(Invitation) * pb)
{
	pb->name = text_to_pb(i->name);
	pb->roles = i->roles;
	pb->endpoint = text_to_pb(i->endpoint);
	pb->border_endpoint = text_to_pb(i->border_endpoint);
	pb->until_ns = i->until_ns;
	pb->at_once = i->at_once;
	pb->key = fixed(i->key, sizeof i->key);
	pb->state = (uint32_t)i->state;
	pb->request = bytes_to_pb(i->request);
	pb->cursor_key = bytes_to_pb(i->cursor_key);
	pb->words = text_to_pb(i->words);
	return texts_to_pb(a, i->prefixes, i->n_prefixes, &pb->prefixes, &pb->n_prefixes);
}

static int invitation_from_pb(struct arena *a, const PB(Invitation) * pb, struct invitation *ret)
{
	TRY(word_from_pb(pb->name, word_is_node, &ret->name));
	TRY(malformed_unless((pb->roles & ~(uint32_t)ROLES_ALL) == 0 && pb->state < N_INVITATION_STATES));
	ret->roles = pb->roles;
	ret->state = (enum invitation_state)pb->state;
	TRY(prefixes_from_pb(a, pb->prefixes, pb->n_prefixes, &ret->prefixes, &ret->n_prefixes));
	TRY(text_from_pb(pb->endpoint, ENDPOINT_MAX, &ret->endpoint));
	TRY(text_from_pb(pb->border_endpoint, ENDPOINT_MAX, &ret->border_endpoint));
	TRY(fixed_from_pb(pb->key, ret->key, sizeof ret->key));
	TRY(blob_from_pb(pb->request, JOIN_MAX, &ret->request));
	TRY(blob_from_pb(pb->cursor_key, SEALED_KEY_MAX, &ret->cursor_key));
	TRY(text_from_pb(pb->words, NAME_MAX_BYTES, &ret->words));
	ret->until_ns = pb->until_ns;
	ret->at_once = pb->at_once;
	return 0;
}

static int invitations_to_pb(struct arena *a, const struct invitations *i, PB(Invitations) * pb)
{
	return LIST_TO_PB(a, invitation, i->items, i->n, invitation_to_pb, &pb->items, &pb->n_items);
}

static int invitations_from_pb(struct arena *a, const PB(Invitations) * pb, struct invitations *ret)
{
	TRY(malformed_unless(pb->n_items <= INVITATIONS_MAX));
	return LIST_FROM_PB(a, pb->items, pb->n_items, invitation_from_pb, &ret->items, &ret->n);
}

DEFINE_CODEC(invitations, Invitations, invitations)
