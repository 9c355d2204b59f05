/* SPDX-License-Identifier: Apache-2.0 */
#include "security/errand.h"

#include "security/org_private.h"

void errand_sign(const struct sign_key *person, const struct errand *e, struct buf *out)
{
	SCOPED(buf_fini) struct buf payload = {0};
	struct signed_blob blob;

	errand_encode(e, &payload);
	out->failed |= payload.failed;
	sign_blob(person, SIGN_ERRAND, buf_bytes(&payload), &blob);
	signed_blob_encode(&blob, out);
}

static int check_giver(const struct errand *e, const struct person *p, struct err_note *note)
{
	if (strcmp(e->org, p->org) != 0 || strcmp(e->person, p->name) != 0 ||
	    memcmp(e->serial.b, p->serial.b, sizeof e->serial.b) != 0)
		return FAIL_SAY(note, ERR_UNTRUSTED, "the errand is not of %s at %s with this credential",
				p->name, p->org);
	return 0;
}

static int check_errand_time(const struct errand *e, int64_t now_ns, struct err_note *note)
{
	int64_t life_ns;

	if (__builtin_sub_overflow(e->until_ns, e->at_ns, &life_ns) || life_ns > ERRAND_LIFE_MAX_S * NS_PER_S)
		return FAIL_SAY(note, ERR_UNTRUSTED, "the errand of %s is for more than %d seconds",
				e->person, ERRAND_LIFE_MAX_S);
	if (e->at_ns > time_later(now_ns, NOT_BEFORE_LEEWAY_S * NS_PER_S))
		return FAIL_SAY(note, ERR_UNTRUSTED,
				"the errand of %s has not begun: are the clocks of both machines right?",
				e->person);
	if (e->until_ns <= now_ns)
		return FAIL_SAY(note, ERR_UNTRUSTED,
				"the errand of %s is over: are the clocks of both machines right?",
				e->person);
	return 0;
}

int errand_verify(struct arena *a, const struct org *org, const struct errand_proof *proof, int64_t now_ns,
		  struct errand_word *ret, struct err_note *note)
{
	struct signed_blob blob;
	struct errand_word w;
	int r;

	TRY(org_verify_person(a, org, proof->credential, now_ns, &w.person, note));
	r = signed_blob_decode(a, proof->errand, &blob);
	if (r < 0)
		return org_unreadable(note, r, "the errand");
	if (!key_equal(&blob.key, &w.person.sign) || !sign_verify(SIGN_ERRAND, &blob))
		return FAIL_SAY(note, ERR_UNTRUSTED, "the errand was not signed by %s at %s", w.person.name,
				w.person.org);
	r = errand_decode(a, blob.payload, &w.errand);
	if (r < 0)
		return org_unreadable(note, r, "the errand");
	TRY(check_giver(&w.errand, &w.person, note));
	TRY(check_errand_time(&w.errand, now_ns, note));
	if (!org_node(org, w.errand.node))
		return FAIL_SAY(note, ERR_UNTRUSTED, "the errand of %s is for %s, which is no node of %s",
				w.person.name, w.errand.node, org->manifest.org);
	w.until_ns = w.errand.until_ns < w.person.not_after_ns ? w.errand.until_ns : w.person.not_after_ns;
	*ret = w;
	return 0;
}
