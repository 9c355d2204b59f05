/* SPDX-License-Identifier: Apache-2.0 */
#include "node/record.h"

#include <inttypes.h>
#include <sodium.h>
#include <stdio.h>
#include <string.h>

#include "node/engine.h"
#include "node/trust.h"
#include "proto/clock.h"

/* So many entries of one sort a minute, by whom it is about. */
enum { MOST_OF_OWN = 1000, MOST_OF_PARTNER = 32, MOST_REFUSED = 1, MOST_KICKS = 4 };

enum { TEXT_SIZE = 512 };

struct actor journal_act_as(struct journal *j, const struct actor *actor)
{
	struct recorded *r = journal_recorded(j);
	const struct actor before = r ? r->actor : (struct actor){0};

	if (r)
		r->actor = *actor;
	return before;
}

static void put(struct journal *j, struct audit_entry e, const char *why, unsigned most)
{
	const struct recorded *r = journal_recorded(j);
	const struct actor a = r ? r->actor : (struct actor){0};

	e.person = e.person ? e.person : a.person;
	e.org = e.org ? e.org : a.org;
	e.node = e.node ? e.node : a.node;
	journal_note_bounded(j, &e, why, most);
}

/* ---- Organisations ---------------------------------------------------------------------------------------
 */

/* What of a bundle is compared: whose it is, and how much of it may be written. */
struct change {
	struct journal *journal;
	const struct org *before, *after;
	const char *partner; /* "": the own organisation */
	unsigned most;
};

static void put_change(const struct change *c, enum audit_kind kind, const char *what, const char *text)
{
	put(c->journal,
	    (struct audit_entry){.kind = kind, .subject = what, .partner = c->partner, .text = text}, NULL,
	    c->most);
}

static void compare_manifests(const struct change *c)
{
	const struct manifest *now = &c->after->manifest;
	char text[TEXT_SIZE], until[TIME_TEXT_SIZE];

	if (c->before && c->before->manifest.version == now->version)
		return;
	const bool new_root = c->before && memcmp(c->before->manifest.root.b, now->root.b, KEY_BYTES) != 0;
	snprintf(text, sizeof text, "version %" PRIu32 "%s, until %s%s", now->version,
		 c->before ? "" : ", first seen", time_text(now->valid_until_ns, until),
		 new_root ? ", with the announced new root" : "");
	put_change(c, AUDIT_MANIFEST, "taken", text);
}

static void hex(const uint8_t *bytes, size_t n, char *ret)
{
	static const char digits[] = "0123456789abcdef";

	for (size_t i = 0; i < n; i++) {
		*ret++ = digits[bytes[i] >> 4];
		*ret++ = digits[bytes[i] & 15];
	}
	*ret = '\0';
}

static const struct credential *find_serial(const struct org *org, const struct serial *serial)
{
	for (size_t i = 0; org && i < org->n_nodes; i++)
		if (memcmp(org->nodes[i].serial.b, serial->b, SERIAL_BYTES) == 0)
			return &org->nodes[i];
	return NULL;
}

static void put_credential(const struct change *c, const char *what, const struct credential *n)
{
	char text[TEXT_SIZE], serial[2 * SERIAL_BYTES + 1], until[TIME_TEXT_SIZE];

	hex(n->serial.b, SERIAL_BYTES, serial);
	snprintf(text, sizeof text, "%s/%s serial %s until %s%s", n->org, n->node, serial,
		 time_text(n->not_after_ns, until), n->own_only ? ", inside the organisation only" : "");
	put_change(c, AUDIT_CREDENTIAL, what, text);
}

/* What a credential that was not there before is, by what its node had. */
static const char *credential_word(const struct change *c, const struct credential *n)
{
	const struct credential *had = c->before ? org_node(c->before, n->node) : NULL;

	if (n->own_only)
		return "extended";
	if (!had)
		return c->before ? "issued" : "first seen";
	return memcmp(had->curve.b, n->curve.b, KEY_BYTES) == 0 ? "renewed" : "issued with new keys";
}

static void compare_credentials(const struct change *c)
{
	for (size_t i = 0; i < c->after->n_nodes; i++) {
		const struct credential *n = &c->after->nodes[i];
		if (!find_serial(c->before, &n->serial))
			put_credential(c, credential_word(c, n), n);
	}
	for (size_t i = 0; c->before && i < c->before->n_nodes; i++) {
		const struct credential *n = &c->before->nodes[i];
		if (!find_serial(c->after, &n->serial) && !org_node(c->after, n->node))
			put_credential(c, "gone", n);
	}
}

static bool is_same_revoked(const struct revoked *a, const struct revoked *b)
{
	return a->kind == b->kind && a->before_ns == b->before_ns && strcmp(a->node, b->node) == 0 &&
	       memcmp(a->serial.b, b->serial.b, SERIAL_BYTES) == 0 && memcmp(a->key, b->key, KEY_BYTES) == 0;
}

static bool was_revoked(const struct org *before, const struct revoked *r)
{
	for (size_t i = 0; before && i < before->revocations.n_entries; i++)
		if (is_same_revoked(&before->revocations.entries[i], r))
			return true;
	return false;
}

static void put_revoked(const struct change *c, const struct revoked *r)
{
	char text[TEXT_SIZE], bytes[2 * KEY_BYTES + 1] = "", before[TIME_TEXT_SIZE] = "";

	if (r->kind == REVOKED_SERIAL)
		hex(r->serial.b, SERIAL_BYTES, bytes);
	else if (r->kind != REVOKED_NODE)
		hex(r->key, KEY_BYTES, bytes);
	if (r->kind == REVOKED_ISSUER || r->kind == REVOKED_NODE)
		time_text(r->before_ns, before);
	static const char *const words[N_REVOKED_KINDS] = {[REVOKED_SERIAL] = "serial",
							   [REVOKED_KEY] = "key",
							   [REVOKED_ISSUER] = "issued by",
							   [REVOKED_NODE] = "node"};
	snprintf(text, sizeof text, "%s %s%s%s%s, list %" PRIu64 ": %.200s", words[r->kind],
		 r->kind == REVOKED_NODE ? r->node : bytes, before[0] ? " before " : "", before,
		 c->before ? "" : ", first seen", c->after->revocations.seq, r->reason);
	put_change(c, AUDIT_REVOCATION, "revoked", text);
}

static void compare_revocations(const struct change *c)
{
	for (size_t i = 0; i < c->after->revocations.n_entries; i++)
		if (!was_revoked(c->before, &c->after->revocations.entries[i]))
			put_revoked(c, &c->after->revocations.entries[i]);
}

void record_org(struct journal *j, const struct org *before, const struct org *after, bool own)
{
	const struct change c = {.journal = j,
				 .before = before,
				 .after = after,
				 .partner = own ? "" : after->manifest.org,
				 .most = own ? MOST_OF_OWN : MOST_OF_PARTNER};

	if (!j)
		return;
	compare_manifests(&c);
	compare_credentials(&c);
	compare_revocations(&c);
}

void record_expired(struct journal *j, const struct org *org, bool own, int64_t from_ns, int64_t to_ns)
{
	const struct change c = {.journal = j,
				 .partner = own ? "" : org->manifest.org,
				 .most = own ? MOST_OF_OWN : MOST_OF_PARTNER};

	for (size_t i = 0; i < org->n_nodes; i++)
		if (org->nodes[i].not_after_ns > from_ns && org->nodes[i].not_after_ns <= to_ns)
			put_credential(&c, "expired", &org->nodes[i]);
}

/* ---- What changes by itself or elsewhere -----------------------------------------------------------------
 */

static void on_org(void *ctx, const struct org *before, const struct org *after)
{
	struct engine *e = ctx;

	record_org(e->journal, before, after, strcmp(after->manifest.org, e->trust->self->org) == 0);
}

void record_watch(struct engine *e)
{
	struct recorded *r = journal_recorded(e->journal);

	e->trust->on_org = on_org;
	e->trust->on_org_ctx = e;
	r->epoch = e->trust->policy_doc.epoch;
	r->expired_ns = engine_wall_ns();
}

void record_policy_state(struct engine *e)
{
	const struct trust *t = e->trust;
	struct recorded *r = journal_recorded(e->journal);
	const bool is_not = t->policy_problem.text[0] != '\0';

	if (!r || t->policy_doc.epoch == 0 ||
	    (is_not == r->is_not_in_force && t->policy_doc.epoch == r->epoch))
		return;
	if (is_not)
		record_policy(e->journal, "not in force", t->policy_doc.epoch, t->policy_problem.text);
	else if (r->is_not_in_force)
		record_policy(e->journal, "in force again", t->policy_doc.epoch, "");
	r->is_not_in_force = is_not;
	r->epoch = t->policy_doc.epoch;
}

void record_tick(struct engine *e)
{
	struct recorded *r = journal_recorded(e->journal);
	const int64_t now_ns = engine_wall_ns();

	if (!r || now_ns <= r->expired_ns)
		return; /* a clock that was set back: what ended is written already */
	record_expired(e->journal, &e->trust->own.org, true, r->expired_ns, now_ns);
	for (size_t i = 0; i < e->trust->n_partners; i++)
		record_expired(e->journal, &e->trust->partners[i]->org, false, r->expired_ns, now_ns);
	r->expired_ns = now_ns;
}

/* ---- Other changes ---------------------------------------------------------------------------------------
 */

void record_trust(struct journal *j, const char *what, const char *partner, const char *text)
{
	put(j, (struct audit_entry){.kind = AUDIT_TRUST, .subject = what, .partner = partner, .text = text},
	    NULL, MOST_OF_PARTNER);
}

void record_credential(struct journal *j, const char *what, const char *name, const char *text)
{
	char both[TEXT_SIZE];

	snprintf(both, sizeof both, "%s%s%s", name, text && text[0] ? ": " : "", text ? text : "");
	put(j, (struct audit_entry){.kind = AUDIT_CREDENTIAL, .subject = what, .text = both}, NULL,
	    MOST_OF_OWN);
}

void record_policy(struct journal *j, const char *what, uint64_t epoch, const char *text)
{
	char both[TEXT_SIZE];

	snprintf(both, sizeof both, "epoch %" PRIu64 "%s%s", epoch, text && text[0] ? ": " : "",
		 text ? text : "");
	put(j, (struct audit_entry){.kind = AUDIT_POLICY, .subject = what, .text = both}, NULL, MOST_OF_OWN);
}

static const char *or_dash(const char *text)
{
	return text[0] ? text : "-";
}

void record_admin(struct journal *j, const char *what, const char *text)
{
	put(j, (struct audit_entry){.kind = AUDIT_ADMIN, .subject = what, .text = text}, NULL, MOST_OF_OWN);
}

void record_kick(struct journal *j, const char *org, const char *node, const char *why)
{
	journal_note_bounded(j,
			     &(struct audit_entry){.kind = AUDIT_KICK,
						   .org = or_dash(org),
						   .node = or_dash(node),
						   .subject = "cut",
						   .text = why},
			     why, MOST_KICKS);
}

/* ---- Forks -----------------------------------------------------------------------------------------------
 */

/* Of raw bytes in an entry: as base64 they fill its text. */
enum { EVIDENCE_PART = 765 };

static void put_evidence(struct journal *j, const char *origin, const char *which, struct bytes head)
{
	char text[sodium_base64_ENCODED_LEN(EVIDENCE_PART, sodium_base64_VARIANT_ORIGINAL)];

	for (size_t at = 0; at < head.len; at += EVIDENCE_PART) {
		const size_t n = head.len - at < EVIDENCE_PART ? head.len - at : EVIDENCE_PART;
		sodium_bin2base64(text, sizeof text, head.data + at, n, sodium_base64_VARIANT_ORIGINAL);
		journal_note(j, &(struct audit_entry){.kind = AUDIT_TRUST,
						      .subject = "fork evidence",
						      .twin = origin,
						      .property = which,
						      .text = text});
	}
}

void record_fork(struct journal *j, const char *origin, const char *why, const struct bytes heads[2])
{
	if (!j)
		return;
	journal_note(j, &(struct audit_entry){
				.kind = AUDIT_TRUST, .subject = "fork", .twin = origin, .text = why});
	put_evidence(j, origin, "head1", heads[0]);
	put_evidence(j, origin, "head2", heads[1]);
}

/* ---- What was refused ------------------------------------------------------------------------------------
 */

static void refuse(struct journal *j, struct audit_entry e, const char *what, int code,
		   const struct err_note *note)
{
	char subject[64];

	snprintf(subject, sizeof subject, "refused %s", what);
	e.subject = subject;
	e.count = 1;
	e.text = note && note->text[0] ? note->text : err_text(code);
	put(j, e, err_text(code), MOST_REFUSED);
}

void record_refused(struct journal *j, enum audit_kind kind, const char *what, int code,
		    const struct err_note *note)
{
	refuse(j, (struct audit_entry){.kind = kind}, what, code, note);
}

void record_refused_of(struct journal *j, const char *org, const char *node, const char *what, int code,
		       const struct err_note *note)
{
	refuse(j, (struct audit_entry){.kind = AUDIT_LIMIT, .org = or_dash(org), .node = or_dash(node)}, what,
	       code, note);
}
