/* SPDX-License-Identifier: Apache-2.0 */
#include "proto/codec.h"
#include "proto/id.h"

static pb_data fixed_to_pb(const uint8_t *b, size_t n)
{
	return bytes_to_pb((struct bytes){b, n});
}

int signed_blob_to_pb(struct arena *a, const struct signed_blob *s, PB(SignedBlob) * pb)
{
	(void)a;
	pb->payload = bytes_to_pb(s->payload);
	pb->key = fixed_to_pb(s->key.b, sizeof s->key.b);
	pb->signature = fixed_to_pb(s->signature, sizeof s->signature);
	return 0;
}

int signed_blob_from_pb(struct arena *a, const PB(SignedBlob) * pb, struct signed_blob *ret)
{
	(void)a;
	TRY(blob_from_pb(pb->payload, PAYLOAD_MAX, &ret->payload));
	TRY(fixed_from_pb(pb->key, ret->key.b, sizeof ret->key.b));
	return fixed_from_pb(pb->signature, ret->signature, sizeof ret->signature);
}

DEFINE_CODEC(signed_blob, SignedBlob, signed_blob)

static int issuer_key_to_pb(struct arena *a, const struct issuer_key *k, PB(IssuerKey) * pb)
{
	(void)a;
	pb->key = fixed_to_pb(k->key.b, sizeof k->key.b);
	pb->not_before_ns = k->not_before_ns;
	pb->not_after_ns = k->not_after_ns;
	return 0;
}

static int issuer_key_from_pb(struct arena *a, const PB(IssuerKey) * pb, struct issuer_key *ret)
{
	(void)a;
	ret->not_before_ns = pb->not_before_ns;
	ret->not_after_ns = pb->not_after_ns;
	return fixed_from_pb(pb->key, ret->key.b, sizeof ret->key.b);
}

static int manifest_to_pb(struct arena *a, const struct manifest *m, PB(Manifest) * pb)
{
	pb->org = text_to_pb(m->org);
	pb->version = m->version;
	pb->issued_ns = m->issued_ns;
	pb->valid_until_ns = m->valid_until_ns;
	pb->root = fixed_to_pb(m->root.b, sizeof m->root.b);
	pb->next_root_hash = fixed_to_pb(m->next_root_hash, sizeof m->next_root_hash);
	TRY(LIST_TO_PB(a, issuer_key, m->issuers, m->n_issuers, issuer_key_to_pb, &pb->issuers,
		       &pb->n_issuers));
	pb->policy_keys = arena_take_array(a, m->n_policy_keys, sizeof *pb->policy_keys);
	if (!pb->policy_keys)
		return FAIL(-ENOMEM);
	pb->n_policy_keys = m->n_policy_keys;
	for (size_t i = 0; i < m->n_policy_keys; i++)
		pb->policy_keys[i] = fixed_to_pb(m->policy_keys[i].b, sizeof m->policy_keys[i].b);
	return 0;
}

static int policy_keys_from_pb(struct arena *a, const PB(Manifest) * pb, struct manifest *ret)
{
	TRY(malformed_unless(pb->n_policy_keys <= MANIFEST_KEYS_MAX));
	ret->policy_keys = arena_take_array(a, pb->n_policy_keys, sizeof *ret->policy_keys);
	if (!ret->policy_keys)
		return FAIL(-ENOMEM);
	ret->n_policy_keys = pb->n_policy_keys;
	for (size_t i = 0; i < pb->n_policy_keys; i++)
		TRY(fixed_from_pb(pb->policy_keys[i], ret->policy_keys[i].b, sizeof ret->policy_keys[i].b));
	return 0;
}

static int manifest_from_pb(struct arena *a, const PB(Manifest) * pb, struct manifest *ret)
{
	TRY(word_from_pb(pb->org, word_is_org, &ret->org));
	ret->version = pb->version;
	ret->issued_ns = pb->issued_ns;
	ret->valid_until_ns = pb->valid_until_ns;
	TRY(fixed_from_pb(pb->root, ret->root.b, sizeof ret->root.b));
	TRY(fixed_from_pb(pb->next_root_hash, ret->next_root_hash, sizeof ret->next_root_hash));
	TRY(malformed_unless(pb->n_issuers <= MANIFEST_KEYS_MAX));
	TRY(LIST_FROM_PB(a, pb->issuers, pb->n_issuers, issuer_key_from_pb, &ret->issuers, &ret->n_issuers));
	return policy_keys_from_pb(a, pb, ret);
}

DEFINE_CODEC(manifest, Manifest, manifest)

static int credential_to_pb(struct arena *a, const struct credential *c, PB(Credential) * pb)
{
	pb->org = text_to_pb(c->org);
	pb->node = text_to_pb(c->node);
	pb->serial = fixed_to_pb(c->serial.b, sizeof c->serial.b);
	pb->curve = fixed_to_pb(c->curve.b, sizeof c->curve.b);
	pb->sign = fixed_to_pb(c->sign.b, sizeof c->sign.b);
	pb->roles = c->roles;
	pb->endpoint = text_to_pb(c->endpoint);
	pb->border_endpoint = text_to_pb(c->border_endpoint);
	pb->not_before_ns = c->not_before_ns;
	pb->not_after_ns = c->not_after_ns;
	pb->own_only = c->own_only;
	return texts_to_pb(a, c->prefixes, c->n_prefixes, &pb->prefixes, &pb->n_prefixes);
}

/* A prefix is a twin id or the part of one that ends at a slash, at least the organisation. */
int prefixes_from_pb(struct arena *a, const pb_data *list, size_t n, const char ***ret, size_t *ret_n)
{
	TRY(malformed_unless(n <= PREFIXES_MAX));
	const char **prefixes = arena_take_array(a, n, sizeof *prefixes);

	if (!prefixes)
		return FAIL(-ENOMEM);
	for (size_t i = 0; i < n; i++)
		TRY(word_from_pb(list[i], id_is_name, &prefixes[i]));
	*ret = prefixes;
	*ret_n = n;
	return 0;
}

static int credential_from_pb(struct arena *a, const PB(Credential) * pb, struct credential *ret)
{
	TRY(word_from_pb(pb->org, word_is_org, &ret->org));
	TRY(word_from_pb(pb->node, word_is_node, &ret->node));
	TRY(fixed_from_pb(pb->serial, ret->serial.b, sizeof ret->serial.b));
	TRY(fixed_from_pb(pb->curve, ret->curve.b, sizeof ret->curve.b));
	TRY(fixed_from_pb(pb->sign, ret->sign.b, sizeof ret->sign.b));
	ret->roles =
		pb->roles & ROLES_ALL; /* a role only ever grants: what a newer release adds is no harm */
	TRY(prefixes_from_pb(a, pb->prefixes, pb->n_prefixes, &ret->prefixes, &ret->n_prefixes));
	TRY(text_from_pb(pb->endpoint, ENDPOINT_MAX, &ret->endpoint));
	TRY(text_from_pb(pb->border_endpoint, ENDPOINT_MAX, &ret->border_endpoint));
	ret->not_before_ns = pb->not_before_ns;
	ret->not_after_ns = pb->not_after_ns;
	ret->own_only = pb->own_only;
	return 0;
}

DEFINE_CODEC(credential, Credential, credential)

static int bundle_to_pb(struct arena *a, const struct bundle *b, PB(Bundle) * pb)
{
	TRY(ONE_TO_PB(a, signed_blob, &b->manifest, signed_blob_to_pb, &pb->manifest));
	if (b->revocations)
		TRY(ONE_TO_PB(a, signed_blob, b->revocations, signed_blob_to_pb, &pb->revocations));
	TRY(LIST_TO_PB(a, signed_blob, b->ancestors, b->n_ancestors, signed_blob_to_pb, &pb->ancestors,
		       &pb->n_ancestors));
	return LIST_TO_PB(a, signed_blob, b->credentials, b->n_credentials, signed_blob_to_pb,
			  &pb->credentials, &pb->n_credentials);
}

static int revocations_of_pb(struct arena *a, const PB(Bundle) * pb, struct bundle *ret)
{
	struct signed_blob *r = arena_take(a, sizeof *r);

	if (!r)
		return FAIL(-ENOMEM);
	TRY(signed_blob_from_pb(a, pb->revocations, r));
	ret->revocations = r;
	return 0;
}

static int bundle_from_pb(struct arena *a, const PB(Bundle) * pb, struct bundle *ret)
{
	TRY(malformed_unless(pb->manifest && pb->n_credentials <= NODES_MAX &&
			     pb->n_ancestors <= ANCESTORS_MAX));
	TRY(signed_blob_from_pb(a, pb->manifest, &ret->manifest));
	if (pb->revocations)
		TRY(revocations_of_pb(a, pb, ret));
	TRY(LIST_FROM_PB(a, pb->ancestors, pb->n_ancestors, signed_blob_from_pb, &ret->ancestors,
			 &ret->n_ancestors));
	return LIST_FROM_PB(a, pb->credentials, pb->n_credentials, signed_blob_from_pb, &ret->credentials,
			    &ret->n_credentials);
}

DEFINE_CODEC(bundle, Bundle, bundle)

static int policy_doc_to_pb(struct arena *a, const struct policy_doc *p, PB(PolicyDoc) * pb)
{
	(void)a;
	pb->org = text_to_pb(p->org);
	pb->epoch = p->epoch;
	pb->issued_ns = p->issued_ns;
	pb->format = p->format;
	pb->text = text_to_pb(p->text);
	return 0;
}

static int policy_doc_from_pb(struct arena *a, const PB(PolicyDoc) * pb, struct policy_doc *ret)
{
	(void)a;
	TRY(word_from_pb(pb->org, word_is_org, &ret->org));
	ret->epoch = pb->epoch;
	ret->issued_ns = pb->issued_ns;
	ret->format = pb->format;
	return text_from_pb(pb->text, POLICY_TEXT_MAX, &ret->text);
}

DEFINE_CODEC(policy_doc, PolicyDoc, policy_doc)

static int agreement_to_pb(struct arena *a, const struct agreement *x, PB(Agreement) * pb)
{
	(void)a;
	pb->org = text_to_pb(x->org);
	pb->partner = text_to_pb(x->partner);
	pb->root = bytes_to_pb((struct bytes){x->root.b, sizeof x->root.b});
	pb->seq = x->seq;
	pb->at_ns = x->at_ns;
	pb->ended = x->ended;
	return 0;
}

static int agreement_from_pb(struct arena *a, const PB(Agreement) * pb, struct agreement *ret)
{
	(void)a;
	TRY(word_from_pb(pb->org, word_is_org, &ret->org));
	TRY(word_from_pb(pb->partner, word_is_org, &ret->partner));
	TRY(malformed_unless(pb->seq > 0 && strcmp(ret->org, ret->partner) != 0));
	ret->seq = pb->seq;
	ret->at_ns = pb->at_ns;
	ret->ended = pb->ended;
	return fixed_from_pb(pb->root, ret->root.b, sizeof ret->root.b);
}

DEFINE_CODEC(agreement, Agreement, agreement)
