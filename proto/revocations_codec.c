/* SPDX-License-Identifier: Apache-2.0 */
/* What takes trust back (revocations) and what keeps it fresh. */
#include "proto/codec.h"

static pb_data fixed(const uint8_t *b, size_t n)
{
	return bytes_to_pb((struct bytes){b, n});
}

static int revoked_to_pb(struct arena *a, const struct revoked *r, PB(Revoked) * pb)
{
	(void)a;
	pb->kind = (PB(RevokedKind))r->kind;
	if (r->kind == REVOKED_SERIAL)
		pb->serial = fixed(r->serial.b, sizeof r->serial.b);
	if (r->kind == REVOKED_KEY || r->kind == REVOKED_ISSUER)
		pb->key = fixed(r->key, sizeof r->key);
	pb->node = text_to_pb(r->node);
	pb->before_ns = r->before_ns;
	pb->until_ns = r->until_ns;
	pb->reason = text_to_pb(r->reason);
	return 0;
}

/* Of the three names an entry can give exactly the one of its kind: any other form could be read in two ways.
 */
static int revoked_from_pb(struct arena *a, const PB(Revoked) * pb, struct revoked *ret)
{
	(void)a;
	TRY(ENUM_FROM_PB((int)pb->kind, N_REVOKED_KINDS, &ret->kind));
	const bool by_serial = ret->kind == REVOKED_SERIAL, by_node = ret->kind == REVOKED_NODE;
	const bool by_key = !by_serial && !by_node;
	const bool before = ret->kind == REVOKED_ISSUER || by_node;

	TRY(malformed_unless(by_serial || pb->serial.len == 0));
	TRY(malformed_unless(by_key || pb->key.len == 0));
	TRY(malformed_unless(by_node || pb->node.len == 0));
	TRY(malformed_unless(before || pb->before_ns == 0));
	if (by_serial)
		TRY(fixed_from_pb(pb->serial, ret->serial.b, sizeof ret->serial.b));
	if (by_key)
		TRY(fixed_from_pb(pb->key, ret->key, sizeof ret->key));
	ret->node = "";
	if (by_node)
		TRY(word_from_pb(pb->node, word_is_node, &ret->node));
	ret->before_ns = pb->before_ns;
	ret->until_ns = pb->until_ns;
	return text_from_pb(pb->reason, REASON_MAX, &ret->reason);
}

static int revocations_to_pb(struct arena *a, const struct revocations *r, PB(Revocations) * pb)
{
	pb->org = text_to_pb(r->org);
	pb->seq = r->seq;
	pb->this_update_ns = r->this_update_ns;
	pb->next_update_ns = r->next_update_ns;
	pb->previous = fixed(r->previous, sizeof r->previous);
	return LIST_TO_PB(a, revoked, r->entries, r->n_entries, revoked_to_pb, &pb->entries, &pb->n_entries);
}

static int revocations_from_pb(struct arena *a, const PB(Revocations) * pb, struct revocations *ret)
{
	TRY(word_from_pb(pb->org, word_is_org, &ret->org));
	TRY(malformed_unless(pb->seq > 0 && pb->this_update_ns < pb->next_update_ns));
	ret->seq = pb->seq;
	ret->this_update_ns = pb->this_update_ns;
	ret->next_update_ns = pb->next_update_ns;
	TRY(fixed_from_pb(pb->previous, ret->previous, sizeof ret->previous));
	TRY(malformed_unless(pb->n_entries <= REVOKED_MAX));
	return LIST_FROM_PB(a, pb->entries, pb->n_entries, revoked_from_pb, &ret->entries, &ret->n_entries);
}

DEFINE_CODEC(revocations, Revocations, revocations)

static int freshness_to_pb(struct arena *a, const struct freshness *f, PB(Freshness) * pb)
{
	(void)a;
	pb->org = text_to_pb(f->org);
	pb->at_ns = f->at_ns;
	pb->ttl_ns = f->ttl_ns;
	pb->manifest_version = f->manifest_version;
	pb->policy_epoch = f->policy_epoch;
	pb->revocation_seq = f->revocation_seq;
	return 0;
}

static int freshness_from_pb(struct arena *a, const PB(Freshness) * pb, struct freshness *ret)
{
	(void)a;
	TRY(word_from_pb(pb->org, word_is_org, &ret->org));
	TRY(malformed_unless(pb->ttl_ns > 0));
	ret->at_ns = pb->at_ns;
	ret->ttl_ns = pb->ttl_ns;
	ret->manifest_version = pb->manifest_version;
	ret->policy_epoch = pb->policy_epoch;
	ret->revocation_seq = pb->revocation_seq;
	return 0;
}

DEFINE_CODEC(freshness, Freshness, freshness)
