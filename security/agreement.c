/* SPDX-License-Identifier: Apache-2.0 */
#include "security/agreement.h"

#include "security/org_private.h"

int agreement_sign(const struct sign_key *admin, const struct agreement *x, struct buf *out)
{
	SCOPED(buf_fini) struct buf payload = {0};
	struct signed_blob blob;

	agreement_encode(x, &payload);
	TRY(buf_check(&payload));
	sign_blob(admin, SIGN_AGREEMENT, buf_bytes(&payload), &blob);
	signed_blob_encode(&blob, out);
	return buf_check(out);
}

int agreement_verify(struct arena *a, const struct org *own, const struct signed_blob *blob, int64_t now_ns,
		     struct agreement *ret, struct err_note *note)
{
	const char *name = own->manifest.org;
	struct agreement x;

	if (!org_admin_by_key(own, &blob->key, now_ns))
		return FAIL_SAY(note, ERR_UNTRUSTED, "the agreement was not signed by an admin node of %s",
				name);
	if (!sign_verify(SIGN_AGREEMENT, blob))
		return FAIL_SAY(note, ERR_UNTRUSTED, "the agreement of %s has a wrong signature", name);
	const int r = agreement_decode(a, blob->payload, &x);
	if (r < 0)
		return org_unreadable(note, r, "the agreement");
	if (strcmp(x.org, name) != 0)
		return FAIL_SAY(note, ERR_UNTRUSTED, "the agreement is of organisation %s, not of %s", x.org,
				name);
	if (x.at_ns > time_later(now_ns, NOT_BEFORE_LEEWAY_S * NS_PER_S))
		return FAIL_SAY(note, ERR_UNTRUSTED, "the agreement of %s about %s is from the future", name,
				x.partner);
	*ret = x;
	return 0;
}

static int compare_numbers(uint64_t a, uint64_t b)
{
	return (a > b) - (a < b);
}

int agreement_compare(const struct agreement *a, const struct agreement *b)
{
	int c = compare_numbers(a->seq, b->seq);

	c = c != 0 ? c : (int)a->ended - (int)b->ended;
	c = c != 0 ? c : (a->at_ns > b->at_ns) - (a->at_ns < b->at_ns);
	return c != 0 ? c : memcmp(a->root.b, b->root.b, KEY_BYTES);
}
